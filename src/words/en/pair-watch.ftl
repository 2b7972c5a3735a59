# udpcli pair --watch: a line per round, and the live view.

total = rounds: { $rounds }; came from PC to board { $down }, from board to PC { $up }, echo { $echo }
the-terminal = the terminal
round = round { $number }  PC to board { $down }  board to PC { $up }  echo { $echo }  RTT { $rtt }
round-oled-ok = OLED ok
round-oled-other = OLED other

# The live view.

step = { $step }: { $seen }
finding = { $meaning }; { $next }
rounds = { $good } of { $rounds } rounds without a problem
testing = TESTING
works = IT WORKS
works-text = Datagrams reach the board and this PC, and the OLED shows what was sent.
works-text-no-oled = Datagrams reach the board and this PC.
problem = PROBLEM: { $meaning }
next = To do next: { $next }
timeline = loss and RTT, a column per round (· none lost, × all lost)
at-most = { $time } max
lost = { $lost } of { $sent } lost
round-title = round { $round }
way = { $direction }: { $came }, { $rate } datagrams/s
rtt = RTT min/median/p99/max { $min }/{ $median }/{ $p99 }/{ $max }
oled-right = OLED: the text sent: { $texts }
oled-other = OLED: another text: { $texts }
last-datagrams = the last datagrams from the board:
datagram = { $len } bytes, { $gap } after the one before
log = log
keys = q or Ctrl-C ends
ending = leaving the board as it was ..
