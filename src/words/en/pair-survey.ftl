# The page of `udpcli pair --watch --report`.

title = udpcli pair --watch: where the Wi-Fi works
word-good = works
word-places = works, but not everywhere
word-note = works, with a note
word-bad = does not work well
sentence = { $rounds ->
        [one] { $rounds } round
       *[other] { $rounds } rounds
    } in { $time }; from PC to board { $down } % lost, from board to PC { $up } %
map = The walk
row-down = Loss from PC to board in %
row-up = Loss from board to PC in %
row-rtt = Round-trip time (RTT) in ms
row-signal = Signal in dBm
lane = Access point { $name }
scale-percent = top: { $top } %
scale-ms = top: { $top } ms
scale-signal = { $bottom } to { $top }; weak below the dashed line, { $limit }
unknown = unknown
unknown-on-channel = unknown, channel { $channel }
rest = all others
stretches = The bad stretches
number = No.
from = From
to = To
loss-down = % lost to the board
loss-up = % lost to the PC
rtt = RTT in ms
signal = Signal (lowest)
mean-and-least = { $mean } ({ $least })
access-point = Access point
channel = Channel
rounds = Rounds
code = Code
access-points = Access points
found-in-rounds = in { $times } of { $rounds } rounds, from { $first } to { $last }
found = { $times ->
        [one] once, at { $first }
       *[other] { $times } times, from { $first } to { $last }
    }
found-last = { $when }; the last time: { $detail }
more-findings = Also found: { $codes }
code-times = { $code } ({ $times })
