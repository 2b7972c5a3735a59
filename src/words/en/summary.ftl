# The clauses of a summary. A separate file, so that a run which prints only a summary parses no other file.

separator = ,{" "}
datagrams = { $n ->
        [one] { $n } datagram
       *[other] { $n } datagrams
    }
bytes = { $n ->
        [one] { $n } byte
       *[other] { $n } bytes
    }
one-sent = 1 sent, { $bytes ->
        [one] { $bytes } byte
       *[other] { $bytes } bytes
    }
one-answered = 1 sent, { $n ->
        [one] 1 reply after { $time }
       *[other] { $n } replies, the first after { $time }
    }
errors = { $n ->
        [one] { $n } error
       *[other] { $n } errors
    }
refused = { $n } refused
replies = { $n ->
        [one] { $n } reply
       *[other] { $n } replies
    }
rtt = RTT min/median/p99/max { $figures } ms
rtt-tail = RTT { $names } { $figures } ms
histogram-rtt = RTT in ms (up to this), replies:
histogram-delay = One-way delay in ms (up to this), datagrams:
elapsed = { $time }
rate = { $rate } datagrams/s
peers = { $n ->
        [one] { $n } peer
       *[other] { $n } peers
    }
more-peers = more than { $n } peers
dropped = { $n } dropped by the kernel
dropped-about = about { $n } dropped by the kernel
dropped-unknown = drops by the kernel not known on this system
truncated = { $n } truncated
lost = { $lost } lost, { $duplicate } duplicate, { $reordered } reordered
extent = reordering extent mean/max { $figures }
bursts = { $n ->
        [one] 1 burst of loss
       *[other] { $n } bursts of loss
    } of mean/max length { $figures }
outage = longest outage { $time }
jitter = jitter { $figure } ms
highest-jitter = jitter of the worst peer { $figure } ms
interval = in the last { $time } { $rate } datagrams/s and { $lost } lost
recovered = { $n } of those lost before arrived
unsequenced = { $n } without a sequence number
unfollowed = { $n } of more peers than are followed
delay = one-way delay min/median/p99/max { $figures } ms
delay-tail = one-way delay { $names } { $figures } ms
clocks-differ = { $n } without a delay (clocks differ)
filtered = { $n } from others left out
answered = { $n } answered
withheld = { $n } not answered (rate, group or own address)
answers-failed = { $n ->
        [one] { $n } answer failed
       *[other] { $n } answers failed
    }
bad-checks = { $n } with a wrong checksum
answers-dropped = { $n ->
        [one] { $n } answer left out (--reply-drop)
       *[other] { $n } answers left out (--reply-drop)
    }
answers-waiting = { $n ->
        [one] { $n } answer not sent yet
       *[other] { $n } answers not sent yet
    }
