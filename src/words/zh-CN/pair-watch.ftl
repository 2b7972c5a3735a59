# udpcli pair --watch：每轮一行，以及实时画面。

total = 共 { $rounds } 轮；到达数：电脑到掌控板 { $down }，掌控板到电脑 { $up }，回显 { $echo }
the-terminal = 终端
round = 第 { $number } 轮  电脑到掌控板 { $down }  掌控板到电脑 { $up }  回显 { $echo }  RTT { $rtt }
round-oled-ok = OLED 正确
round-oled-other = OLED 不同

# 实时画面中的各个框。

step = { $step }：{ $seen }
finding = { $meaning }；{ $next }
rate = { $direction }：每秒 { $rate } 个数据报
lost = 丢失：本轮 { $percent } %，累计 { $lost }/{ $sent }
rtt = RTT 最小/中位/p99/最大 { $min }/{ $median }/{ $p99 }/{ $max }
oled-right = OLED：显示了发送的文字
oled-other = OLED：显示的是别的文字
last-datagrams = 掌控板最近发来的数据报，第 { $round } 轮
datagram = { $len } 字节，与上一个相隔 { $gap }
log = 日志
keys = 按 q 或 Ctrl-C 结束
ending = 正在让掌控板恢复原样……
