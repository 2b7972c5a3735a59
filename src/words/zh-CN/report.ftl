# 网页形式的报告：`udpcli pair --report`。

pair-title = udpcli pair：电脑和掌控板
word-passed = 通过
word-warned = 通过，有注意事项
word-skipped = 跳过
word-interrupted = 已停止
word-failed = 失败
subject = { $port }：{ $sentence }
subject-named = { $name }（{ $port }）：{ $sentence }
findings = 问题和解决办法
in-step = { $step }：{ $detail }
steps = 步骤
column-verdict = 结果
column-step = 步骤
column-result = 情况
loss = 各种大小的数据报有多少到达
loss-bar = { $way }，{ $size } 字节
loss-echo = 回显，{ $size } 字节
loss-figures = { $received }/{ $sent }（丢失 { $percent } %）
rtt = 往返时间（RTT）
rtt-min = 最小
rtt-median = 中位数
rtt-p99 = p99
rtt-max = 最大
board = 掌控板和网络
board-serial = 串口
board-firmware = 固件
board-machine = 型号
board-mac = MAC 地址
board-address = 掌控板的地址
pc-address = 本机的地址
pc-interface = 网络接口
wifi = Wi-Fi
signal = 信号强度
about = 本次测试
time = 时间
command = 命令
version = 版本
system = 操作系统

# 文件。

the-file = HTML 报告 { $file }
written = 已写入报告 { $file }
