
# What udpcli listen says. The line begins with "listening on" in every language: programs look for it.

save-name = --save { $path }: the name must end in .pcap, .pcapng or .jsonl
    .hint = or add --save-format pcap, pcapng or jsonl
save-stdout = --save - needs a format
    .hint = add --save-format pcap, pcapng or jsonl
save-and-format = --save - writes the capture to standard output, where --format would print
    .hint = leave --format out, or save to a file
save-terminal = --save - would write binary data to the terminal
    .hint = send it to a program or a file: udpcli listen --save - --save-format pcap | tshark -r -
no-reader = nothing was received: no other program opened { $path } for reading
the-reply = the reply
separator = --separator works with --format raw only
raw-escaped = on a terminal raw payloads are shown escaped; a pipe or a file gets the exact bytes
bind-covered = --bind { $address } is part of the wildcard address
no-effect-reply = { $flag } has no effect: nothing is answered; add --on 'PATTERN=REPLY', --replies FILE, --reply TEXT or --echo
no-effect-encoding = --encoding has no effect: this format shows bytes, not text
no-effect-timestamps = --timestamps has no effect: this format shows no times
group-unheard = no --bind address can receive group { $group }
    .hint = leave --bind out, or bind an address of the group's family
no-panel = --oled needs a terminal: no panel is drawn
at-loopback = listening on { $local }; only programs on this PC reach it
at-address = listening on { $local }; type this address into the board's program: { $address }, port { $port } ({ $interface })
at-addresses = listening on { $local }; type this address into the board's program: { $address }, port { $port } ({ $interface }); from other networks: { $others }
card = Type this address into the board's program:
card-address = { $address }   port { $port }   ({ $interface })
card-others = From other networks:
card-other = {"  "}{ $address } ({ $interface })
qr-narrow = this terminal is too narrow for the QR code: make the window wider
at-lost = listening on { $local }; this PC does not have that address now: nothing arrives until it comes back
at = listening on { $local }
at-no-address = listening on { $local }; { $interface } has no IPv4 address: connect it to the board's network
at-no-network = listening on { $local }; this PC is not on a network: connect to the board's Wi-Fi first
