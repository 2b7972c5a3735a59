# udpcli pair --watch: a line per round, and the live view.

total = rounds: { $rounds }; came from PC to board { $down }, from board to PC { $up }, echo { $echo }
the-terminal = the terminal
round = round { $number }  PC to board { $down }  board to PC { $up }  echo { $echo }  RTT { $rtt }
round-oled-ok = OLED ok
round-oled-other = OLED other

# The boxes of the live view.

step = { $step }: { $seen }
finding = { $meaning }; { $next }
rate = { $direction }: { $rate } datagrams/s
lost = lost { $percent } % now, { $lost } of { $sent } in all
rtt = RTT min/median/p99/max { $min }/{ $median }/{ $p99 }/{ $max }
oled-right = OLED: the text sent
oled-other = OLED: another text
last-datagrams = last datagrams from the board, round { $round }
datagram = { $len } bytes, { $gap } after the one before
log = log
keys = q or Ctrl-C ends
ending = leaving the board as it was ..
