# udpcli pair --watch：每轮一行，以及实时画面。

total = 共 { $rounds } 轮；到达数：电脑到掌控板 { $down }，掌控板到电脑 { $up }，回显 { $echo }
the-terminal = 终端
round = 第 { $number } 轮  电脑到掌控板 { $down }  掌控板到电脑 { $up }  回显 { $echo }  RTT { $rtt }
round-oled-ok = OLED 正确
round-oled-other = OLED 不同

# 实时画面。

step = { $step }：{ $seen }
finding = { $meaning }；{ $next }
rounds = { $rounds } 轮中有 { $good } 轮没有问题
testing = 正在测试
works = 一切正常
works-text = 数据报能到达掌控板，也能到达这台电脑；OLED 显示的就是发送的文字。
works-text-no-oled = 数据报能到达掌控板，也能到达这台电脑。
problem = 有问题：{ $meaning }
next = 下一步：{ $next }
timeline = 丢失和 RTT，每轮一列（· 没有丢失，× 全部丢失）
at-most = ≤ { $time }
lost = 丢失 { $lost }/{ $sent }
round-title = 第 { $round } 轮
way = { $direction }：{ $came }，每秒 { $rate } 个数据报
rtt = RTT 最小/中位/p99/最大 { $min }/{ $median }/{ $p99 }/{ $max }
oled-right = OLED 显示了发送的文字：{ $texts }
oled-other = OLED 显示的是别的文字：{ $texts }
last-datagrams = 掌控板最近发来的数据报：
datagram = { $len } 字节，与上一个相隔 { $gap }
log = 日志
keys = 按 q 或 Ctrl-C 结束
ending = 正在让掌控板恢复原样……
