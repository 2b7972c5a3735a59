
# What udpcli send says.

ttl-zero = --ttl 0: a datagram to { $peer } would not leave this PC
    .hint = --ttl 1 reaches the network that this PC is on; only multicast groups accept 0
to-itself = { $peer } is this command's own address (--bind): what it sends comes back to it, and no other program gets it
next-address = { $peer }: { $problem }; trying { $next }, another address of { $host }
next-address-refused = { $peer }: refused; trying { $next }, another address of { $host }
nothing-sent = nothing was sent: { $name } is empty
nothing-sent-payload = nothing was sent: the payload is empty
waiting-for-writer = waiting until another program writes to { $path }
waiting-for-dns = waiting for the name server: { $host }
no-writer = no other program opened it for writing within { $time }
no-dns = no answer from the name server within { $time }
not-for-text = -e/--escape and --line-ending change text payloads: messages and lines
size-too-small = --size { $len } is too small: sequence number and send time take { $header } bytes
    .hint = a message can have any length
pattern-without-rate = --pattern needs a mean rate
    .hint = add --rate N (datagrams per second) or --interval D
ramp-without-rate = --ramp needs the rate that it grows to
    .hint = add --rate N: the rate grows from a tenth of N to N
ramp-without-end = --ramp needs to know how long the rate grows
    .hint = add --duration D, or -n N if the number of datagrams is known
start-tutorial = sending { $message } to { $peer } until Ctrl-C
start-interactive = each line goes to { $peer }; end with Ctrl-D (Windows: Ctrl-Z, Enter) or Ctrl-C
backslashes = backslashes are sent as they are: -e turns \n, \r, \t, \xNN into the real characters
no-effect-once = { $flag } has no effect: one datagram is sent; -n N or --duration D sends more
no-effect-group = { $flag } has no effect: the destination is no multicast group
no-effect-port = { $flag } has no effect: it shares a port, but no port is given; add --bind IP:PORT
no-effect-format = { $flag } has no effect: it shows replies, and none are waited for; add -w 1s
no-effect-encoding = { $flag } has no effect: the payload is no text, and no replies are waited for
the-expected-text = the expected text
