# What udpcli relay says. The line begins with "listening on" in every language: programs look for it.

at = listening on { $local }; each datagram goes to { $targets }
seed = random seed { $seed }: run again with --random-seed { $seed } to repeat what is lost, doubled, swapped or late
rate = a target is an address of this PC: at most { $rate } datagrams per second in each direction (--rate)
refused = refused: nothing listens on { $target }; datagrams for it are lost until a program listens there
own = --to { $target } is the relay's own address: each datagram would come back, again and again
    .hint = choose another port for --listen, or for the program that receives
in-use = another program has UDP port { $port }: close it (often another udpcli), or use another port: udpcli relay --listen { $other } --to ..
denied-windows = another program has UDP port { $port }, or Windows reserves it (netsh interface ipv4 show excludedportrange udp lists such ports): take another port
too-many-targets = { $n } targets are too many: at most { $most }
save-name = --save { $path }: the name must end in .pcap, .pcapng or .jsonl
no-effect = { $flag } has no effect without --drop, --duplicate, --reorder, --delay or --jitter
no-effect-encoding = --encoding has no effect: this format shows bytes, not text
raw-escaped = on a terminal raw payloads are shown escaped; a pipe or a file gets the exact bytes
no-reader = nothing was relayed: no other program opened { $path } for reading
no-dns = no answer within { $time }
waiting-for-dns = waiting for the address of { $host } ..
forward = { $n ->
        [one] { $n } datagram to the targets ({ $details })
       *[other] { $n } datagrams to the targets ({ $details })
    }
back = { $n ->
        [one] { $n } datagram back to the clients ({ $details })
       *[other] { $n } datagrams back to the clients ({ $details })
    }
dropped = { $n } dropped
duplicated = { $n } doubled
reordered = { $n } swapped
over-rate = { $n } over the rate
queue-full = { $n } too many for the queue
no-session = { $n } without a session
failed = { $n } failed
waiting = { $n } not sent yet
sent = { $n } sent
target = { $target }: { $sent } sent, { $refused } refused, { $replies } came back
clients = { $n ->
        [one] { $n } client
       *[other] { $n } clients
    }
looped = { $n } from the relay itself left out
