# Captures that send --replay reads.

failed = cannot replay { $what }
    .hint-damaged = udpcli sends the datagrams before the damaged place; if the file was copied, copy it again, otherwise record it again
    .hint-lines = udpcli replays the lines that udpcli listen --format json or --save FILE.jsonl writes
no-capture = it is neither a pcap nor a pcapng file, nor JSON lines of udpcli listen
    .hint = editcap -F pcap IN OUT converts other captures; it comes with Wireshark
gzip = it is compressed: gunzip -c FILE.gz | udpcli send 192.168.0.3:6000 --replay -
short-header = the file ends within its header
short = the file ends within packet { $number }
damaged-block = the block of packet { $number } is damaged: its lengths contradict each other
too-long-record = packet { $number } claims a length of { $len } bytes
link-type = its packets are of link type { $link }; udpcli reads Ethernet, raw IP, Linux cooked and loopback captures
    .hint = record on an Ethernet or Wi-Fi interface without monitor mode, for example: tcpdump -i any -w FILE.pcap udp
too-many-interfaces = it describes more than { $most } network interfaces, the most that udpcli reads
    .hint = editcap -F pcap IN OUT writes the packets without the interfaces; it comes with Wireshark
line = line { $number }: { $problem }
no-json = it is not a JSON object
long-line = it is over 1 MiB long
no-key = the key { $key } is missing or wrong
other-encoding = the text does not have the length that was recorded: it had another encoding; add the --encoding of the recording
other-len = len is { $len }, but the payload has { $is } bytes
stdin-again = standard input cannot be replayed more than once
    .hint = write it into a file first
nothing-sent = nothing was sent: { $name } has no UDP datagram that fits the flags
    .hint = udpcli sends the UDP datagrams of a capture, and with --from and --to-port only those that fit; the summary says what was left out, and why
empty = nothing was sent: { $name } is empty
left-out = { $n ->
        [one] { $n } packet
       *[other] { $n } packets
    } left out ({ $reasons })
not-udp = { $n } not UDP
fragments = { $n ->
        [one] { $n } fragment
       *[other] { $n } fragments
    } of incomplete datagrams
cut = { $n } recorded only in part
damaged = { $n } with a damaged header
unknown-link = { $n } of an unknown link type
other-sender = { $n } not --from
other-port = { $n } not --to-port
too-long = { $n } too long for this address
