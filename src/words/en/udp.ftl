# Sockets, addresses, payloads and files: what went wrong (the message), and what to type or do next (.hint).

refused = refused: nothing listens on { $peer }
    .hint = { $host } answers, but no program is listening on UDP port { $port } there; start the receiver first, for example: udpcli listen --port { $port }
    .hint-elsewhere = { $host } answers, but no program is listening on UDP port { $port } there; start the program on the board that receives on this port (on another PC: udpcli listen --port { $port })
no-reply = no reply from { $peer } within { $wait }
    .hint = UDP does not confirm delivery. Look at the board's screen: if the text is there, only the reply was lost. Otherwise: wrong address, a firewall, or a Wi-Fi that isolates its clients
    .hint-present = the device { $host } is there (it answers ARP), but its program did not reply. Look at the board's screen: if the text is there, only the reply was lost. Otherwise: the program does not run, another port, or a firewall
no-neighbour = { $host } cannot be reached: no device on { $interface } answers for that address
    .hint = no device answers at that address: is the device on, on this network, and is that still its address? A board's screen shows its address, and so does: udpcli find
too-few-replies = { $got } of { $wanted } replies from { $peer } within { $wait }
    .hint = -w/--wait gives late replies more time
unexpected-reply =
    { $got ->
        [one] { $got } reply
       *[other] { $got } replies
    } from { $peer }, and none equals the expected text
    .hint = --format hex shows the replies byte by byte; a line ending counts (-e --expect 'text\r\n')
    .hint-message = --format hex shows the replies byte by byte; the message's expect in { $file } says which reply must come, with its line ending ("ok\r\n")
no-datagram = no datagram for { $timeout }
    .hint = check the address in the sender's program, this PC's firewall, and that both are on one network
    .hint-try = check the address in the sender's program, this PC's firewall, and that both are on one network; udpcli send { $own } hello shows whether this side works
    .hint-filtered =
        { $filtered ->
            [one] { $filtered } datagram
           *[other] { $filtered } datagrams
        } came from others and --from left them out
too-long = { $what } is { $len } bytes: a UDP datagram over { $family } carries at most { $max }
    .hint = --file PATH --chunk 1024 sends a long payload as many datagrams
escape = cannot read the escapes in { $what }
    .hint = -e knows \n \r \t \0 \\ \xNN and \u{ "{" }NNNN{ "}" }
hex = cannot read the hex digits in { $what }
    .hint = two hex digits per byte; spaces, commas, colons and 0x are allowed between bytes
encode = cannot encode { $what }
not-utf8 = { $what } is not UTF-8
    .hint = without -e, --encoding and --line-ending a text is sent byte for byte; --hex sends any bytes
too-long-to-repeat = { $what } is over { $limit } MiB: it cannot be kept for another round
    .hint = --file PATH of a regular file is read anew each round
ambiguous-zone = { $address }: both { $first } and { $second } have that address
    .hint = name the interface: --bind { $address }%{ $first }
other-family = { $local } cannot reach { $peer }: one is IPv4, the other IPv6
    .hint = give --bind an { $family } address, or leave it out
resolve = cannot resolve { $host }
    .hint = check the spelling of { $host } and the DNS; an address such as 192.168.0.3 needs no DNS
    .hint-local = { $host } is a name that devices announce themselves (mDNS); this PC might be unable to ask for such names (Linux: install libnss-mdns): use the address that the device shows
no-such-family = { $host } has no { $family } address
    .hint = leave out the flag that asks for { $family } only
no-interface = no network interface is called { $name }
    .hint = this machine has: { $known }
no-interface-address = network interface { $name } has no { $family } address
    .hint = give the interface an address, or name another one
socket = cannot open a UDP socket for { $object }
option = cannot set { $option }
    .hint-denied = the system asks for administrator rights (CAP_NET_RAW on Linux) for this
bind = cannot bind { $local }
    .hint-in-use-listen = another program has UDP port { $port }: close it (often another udpcli listen, NetAssist, or mPython running the tutorial's server), or use another port: udpcli listen --port { $other }; to share it, give both programs --reuse-addr, or both --reuse-port
    .hint-in-use-send = another program has UDP port { $port }: close it (often another udpcli listen, NetAssist, or mPython running the tutorial's server), or use another port: --bind { $other }; to share it, give both programs --reuse-addr, or both --reuse-port
    .hint-not-ours = this machine does not have that address; leave it out to listen on all
    .hint-ours-are = this machine does not have that address; it has { $known }; leave it out to use all
    .hint-denied-windows = another program has UDP port { $port } and does not share it (both must set --reuse-addr), or Windows reserves it (netsh interface ipv4 show excludedportrange udp lists such ports): take another port
    .hint-denied-low = ports below 1024 need administrator rights: take one from 1024 up, such as 6000
    .hint-denied = the system does not allow this port: take another one
no-free-port = no free local port on { $local }
    .hint = programs on this PC hold every port that the system gives out (Linux: sysctl net.ipv4.ip_local_port_range): end some of them, or name a port outside of that range
join = cannot join multicast group { $group }
    .hint = name an interface that is up: --join GROUP@INTERFACE
    .hint-twice = the group was joined twice
send = cannot send to { $peer }
    .hint-firewall-here = allow UDP to port { $port } in this PC's firewall (on Linux: nft list ruleset, or iptables -S OUTPUT, shows the rule)
    .hint-firewall-there = ask whoever runs { $by } to let UDP port { $port } pass
    .hint-no-route = this PC has no route to that address: connect it to the board's network (Wi-Fi or cable), and check the address
    .hint-broadcast = if this is a broadcast address, --broadcast allows it; otherwise a firewall on this machine forbids sending there
    .hint-forbidden = a firewall on this machine forbids sending there
    .hint-zone = a link-local address needs its interface: [{ $host }%{ $interface }]:{ $port }
    .hint-own-address = a --bind address that cannot reach the peer causes this, too
send-some = { $failed } of { $total } datagrams to { $peer } did not get through
receive = cannot receive on { $local }
start = cannot start { $what ->
        [event-loop] the event loop
        [signals] the watch for Ctrl-C
        [second-udpcli] the second udpcli
        [input-thread] the thread that reads the input
        [file-thread] the thread that reads files
        [raw-mode] the terminal's raw mode
        [editor] the editor
       *[timer] the timer
    }
file-open = cannot open { $path }
file-read = cannot read { $object }
    .hint-folder = this is a folder: write the path of a file
file-write = cannot write { $object }
    .hint-full = the disk is full; what was written before is whole
    .hint-full-stdout = the disk is full

# Messages during a command.

waiting-for-reader = waiting until another program reads { $path }
empty-datagram = an empty datagram: some ESP32 firmware mishandles it
cut-by-tutorial = a payload of { $len } bytes: the tutorial's recvfrom({ $kept }) would cut it to { $kept }
fragmented = a payload of { $len } bytes will be fragmented: the path's MTU is { $mtu }, and one lost fragment loses the datagram

# Events of the loops.

truncated = a datagram of { $len } bytes from { $peer } was cut to { $kept } (--recv-size); further ones are only counted
no-broadcast-flag = this system does not tell broadcasts apart: they are answered too, each peer at most { $rate } times a second (--reply-rate)
group-waits = no network interface can join multicast group { $group } yet: udpcli joins it when one appears
these = { $items }
group-joined = joined multicast group { $group } on { $interface }
send-buffer = the system granted a send buffer of { $granted } bytes, not { $size }{ $limit ->
        [none] {""}
       *[other] ; an administrator raises the limit with: sysctl { $limit }
    }
receive-buffer = the system granted a receive buffer of { $granted } bytes, not { $size }{ $limit ->
        [none] {""}
       *[other] ; an administrator raises the limit with: sysctl { $limit }
    }
bom-dropped = { $name } begins with a byte-order mark, which is not sent
bom-sent = { $name } begins with a byte-order mark (EF BB BF), which is sent too: save it as UTF-8 without BOM
utf16 = { $name } is UTF-16 and is sent unchanged, two bytes per character: save it as UTF-8 (PowerShell: Out-File -Encoding utf8)
trying-on = cannot send to { $peer }: { $error }; udpcli keeps trying
rejected = a datagram to { $peer } was { $how }
unreachable-says = { $host } cannot be reached, says { $by }: { $error }
unreachable = { $host } cannot be reached: { $error }
reader-stopped = the program that reads { $path } has stopped reading: its last { $lost } bytes are lost
group-not-joined = cannot join multicast group { $group } on { $interface }: { $error }{ $limit ->
        [none] {""}
       *[other] ; an administrator raises the limit with: sysctl -w { $limit }={ $wanted }
    }

stdout = standard output
stdin = standard input
the-payload = the payload
line-of = line { $line } of { $name }
chunk-of = a chunk of { $name }
datagram-of-template = datagram { $number } of the template
line-of-input = line { $line } of the input
