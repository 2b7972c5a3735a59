# The page of `udpcli listen --report`.

title = udpcli listen: what arrived
word-nothing = nothing arrived
word-good = nothing lost
word-lost = datagrams lost
word-unknown = loss not measured
sentence = { $datagrams ->
        [one] { $datagrams } datagram
       *[other] { $datagrams } datagrams
    } from { $senders ->
        [one] { $senders } sender
       *[other] { $senders } senders
    } in { $time }
sentence-loss = { $datagrams ->
        [one] { $datagrams } datagram
       *[other] { $datagrams } datagrams
    } from { $senders ->
        [one] { $senders } sender
       *[other] { $senders } senders
    } in { $time }, { $lost } lost ({ $percent } %)
no-numbers = Loss, order and jitter are unknown: they need numbered datagrams. Send with udpcli send --size, and add --seq here.
over-time = Over time
course-loss = Loss in %
course-rate = Datagrams per second
course-jitter = Jitter in ms
course-top = at most { $value }
course-start = start
course-end = { $time }, { $width } per column
loss-of-senders = Loss in % over time, by sender
bursts = Datagrams lost in a row
delay = One-way delay in ms
up-to = up to { $bound }
senders = Senders
more-senders = The table has the { $n } senders with the most datagrams.
sender = Sender
named = { $name } ({ $address })
datagrams = Datagrams
rate = Per second
lost = Lost
loss = Loss in %
duplicate = Duplicate
reordered = Reordered
extent = Extent
jitter = Jitter in ms
outage = Longest outage
gap = Longest gap
totals = Counts
received = Received
bytes = Bytes of payload
dropped = Dropped by this PC's kernel
unsequenced = Without a number
truncated = Truncated
