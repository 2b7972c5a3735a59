# What is wrong with the value of an argument or of a setting: what to write instead.

duration = write a duration such as 250ms, 2s, 1m30s, or seconds such as 0.5
duration-too-long = that is over 100 years
encoding = not an encoding known here; for example utf-8, gbk, gb18030, big5, shift_jis, euc-kr, windows-1252, utf-16le, or auto
prefix = write IP or IP/PREFIX, for example 192.168.0.0/24
prefix-length = the prefix is a number from 0 to { $most }
group = write GROUP or GROUP@INTERFACE, for example 239.1.2.3@eth0
group-interface = the interface after @ is missing
no-group = { $address } is not a multicast group (224.0.0.0/4 or ff00::/8)
rate = write datagrams a second, such as 100 or 50k, or max
speed = write how many times as fast as recorded, such as 2 or 0.5, or max
rate-range = the rate must be above 0 and at most { $most } datagrams a second; max sends without a limit

scheme = leave out what stands before { $rest }
bracket = the bracket is not closed: write [IPv6]:PORT
brackets = write an IPv6 address in brackets: [{ $host }]:{ $port }
no-port = the port is missing: write HOST:PORT, for example 192.168.0.3:6000
no-port-after-bracket = the port is missing: write [{ $host }]:6000
no-port-ipv6 = the port is missing; write an IPv6 address in brackets, with the port after it: [{ $address }]:6000
no-host = the host is missing: write HOST:PORT, for example 192.168.0.3:6000
four-numbers = { $host } is not an IPv4 address: it has four numbers from 0 to 255, for example 192.168.0.3
comma = an address has points, not commas: { $meant }
port-zero = port 0 cannot be sent to
no-such-port = { $port } is not a port from 1 to 65535

above-zero = must be above 0
at-least-10ms = must be at least 10ms
at-most-gib = must be at most 1 GiB
number = write a whole number from { $least } to { $most }
whole-number = write a whole number
port = write a port from 0 to 65535
address = write an address of this machine's, such as 127.0.0.1, 192.168.0.10, :: or fe80::1%eth0
listen-address = write PORT or IP:PORT, for example 7000 or 127.0.0.1:7000 or [::1]:7000
local-address = write IP or IP:PORT, for example 192.168.0.10 or 192.168.0.10:5000 or [::1]:5000
target = write an IPv4 address and a port, for example 192.168.0.3:6000
size = write bytes, or a size such as 64k or 4MiB
sizes-reversed = the first size, { $first }, is above the second, { $last }: write the smaller one first, as in 64..1024
pattern = write poisson, or burst:N with a number from 1 to { $most }, for example burst:10
size-too-large = that is over 1 TiB
unit = { $unit } is not a unit: use k, M or G (1024), kB, MB or GB (1000)
tos = write a number from 0 to 255, or 0x00 to 0xff

offset = { $text } is no offset in flash: write it as 0x1000 or 4096, at most 0xffffffff
    .hint = for example: fw.bin@0x1000
no-file-for-offset = no file follows the offset { $offset }
    .hint = { $offset } fw.bin, or fw.bin@{ $offset }
two-offsets = two offsets for { $path }
    .hint = leave { $offset } out

lang = write auto, en or zh-CN
checksum = write one of { $names }, and :le or :be after it for the byte order
checksum-one-byte = { $name } is one byte: leave out :le or :be

hex-digit = { $found } at character { $at } is not a hex digit
hex-half = the byte at character { $at } has one digit: a byte takes two
escape-unknown = unknown escape \{ $letter } at character { $at }
escape-unfinished = the escape at character { $at } is not finished
escape-octal = \0 before a digit at character { $at } is ambiguous: write \xNN (octal \033 is \x1b, NUL is \x00)
escape-digits = the escape at character { $at } needs hex digits: \xNN or \u{ "{" }NNNN{ "}" }
no-character = { $encoding } has no { $character } (U+{ $code })
expression = { $problem }

# What the operating system says: in English as it says it.
os-no-file = { $system }
os-denied = { $system }
os-not-permitted = { $system }
os-is-folder = { $system }
os-not-folder = { $system }
os-in-use = { $system }
os-not-ours = { $system }
os-unreachable = { $system }
os-no-route = { $system }
os-busy = { $system }
os-full = { $system }
os-io = { $system }
os-no-device = { $system }
os-not-terminal = { $system }
os-not-typewriter = { $system }
os-read-only = { $system }
os-no-name = { $system }
os-too-long = { $system }
os-timed-out = { $system }
os-refused = { $system }
