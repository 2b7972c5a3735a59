# udpcli pair：各步骤的名称、每一步看到的情况、报告、消息。

step-serial = 串口
step-firmware = 固件
step-wifi = Wi-Fi
step-addresses = 地址
step-pc-to-board = 电脑到掌控板
step-board-to-pc = 掌控板到电脑
step-echo = 往返回显
step-oled = OLED 文字
step-clean-up = 收尾

# 报告。判断词不超过四列宽。

verdict-passed = 通过
verdict-warned = 注意
verdict-skipped = 跳过
verdict-interrupted = 中断
verdict-failed = 失败
tried-and-seen = { $tried }：{ $seen }
meaning = 说明：{ $meaning } [{ $code }]
next = 办法：{ $next }
hear-each-other = 电脑和掌控板能互相收到数据
not-all-well = 有问题的步骤：{ $steps }
row-finding = { $step }：{ $code }（{ $detail }）
total = { $boards } 块掌控板中有 { $good } 块能和本机互相收到数据
stopped = 已按 Ctrl-C 停止
