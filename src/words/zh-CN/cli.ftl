
# 不属于某一条命令的提示。

demo-failed = 演示失败：{ $problem }
    .hint = 请在两个窗口里分别运行两端并对照：先 udpcli listen --bind 127.0.0.1，再 udpcli send 127.0.0.1:6000 hello
demo-done = 4 个数据报都原样到达，也都原样返回了：本机的 UDP 正常。
demo-next = 接下来，让掌控板连上同一个网络，然后运行：udpcli listen
demo-counts-received = listen 收到的 4 个数据报里，应有 3 个是那条消息，实有 { $hello } 个；应有 1 个是“你好”，实有 { $chinese } 个
demo-counts-replies = send 收到的 4 条回复里，应有 3 条是那条消息，实有 { $hello } 条；应有 1 条是“你好”，实有 { $chinese } 条
demo-ended = udpcli { $name } 结束了：{ $status }
demo-lost = 找不到 udpcli { $name } 了：{ $error }
left-out-board = 这个 udpcli 编译时没有包含 board 命令（通过 USB 线使用掌控板）
    .hint = 请用 cargo 的默认特性编译，或者加上 --features { $feature }
log-filter = UDPCLI_LOG 的写法无法识别，已忽略：请写一个级别，或 udpcli::udp=debug,warn
left-out-flash = 这个 udpcli 编译时没有包含刷入固件的功能
demo-late = { $time } 秒内没有结束
demo-no-listener = udpcli listen 还没有开始监听就结束了
no-simulated-board = 没有可以模拟的掌控板
test-failed = 测试没有通过：{ $codes }
test-failed-boards = { $boards } 块掌控板中有 { $failed } 块没有通过测试：{ $codes }

wire = 串口上的每个字节都会记进 { $path }，包括你的程序和文件：把它交给别人之前请先看一遍
wire-device = --wire { $path } 不是普通文件
    .hint = 读取它的程序一停，串口就会被卡住：请指定一个文件
wire-incomplete = 线路记录不完整：{ $error }
completion-script = 补全脚本
man-page = 手册页
