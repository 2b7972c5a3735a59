# udpcli board：各命令的提示。

only-by-reset = 掌控板上的程序不理会 Ctrl-C，靠复位才停下；要趁板子重新启动之前把它挪开：udpcli board -s { $port } mv :main.py :old.py
program-stopped = 掌控板上正在运行的程序已被停止；udpcli board reset 会重新启动它的 main.py
hard-reset = 已硬复位 { $port } 上的掌控板
soft-reset = 已软复位：掌控板如果有 main.py，就会启动它
password-unset = 环境变量 { $variable } 没有设置，或者不是文本
password-question = { $ssid } 的密码：
password-no-terminal = 没有终端，无法询问 Wi-Fi 密码
    .hint = 请把密码放进一个环境变量，再用 --password-env 指明它的名字

# 文件：put、get、ls、rm。

transfer = { $count } 个文件：写入 { $written } 个，{ $unchanged } 个未变；{ $bytes } 字节，用时 { $time }
transfer-left-out = { $count } 个文件：写入 { $written } 个，{ $unchanged } 个未变；{ $bytes } 字节，用时 { $time }；略过：{ $names }
left-out-more = { $names } 以及另外 { $more } 个
left-out-times = { $name }（{ $count } 个）
stopped-put = 已停止：正在写入的文件仍是原来的样子
stopped-get = 已停止：正在取的文件没有写入
stopped-get-stdout = 已停止：没有写入任何内容
removed = 已删除 { $path }
with-cause = { $error }：{ $cause }
root-stays = 掌控板的根文件夹不能删除
    .hint = udpcli board ls 会列出里面的内容
get-takes-one = get 一次只取一个文件或文件夹，{ $path } 是多出来的
    .hint = 电脑上名字以冒号开头的文件要写成 ./:name
becomes = 掌控板上的 { $name } 在这里改名为 { $path }
no-name-here = 掌控板上的 { $name } 不能作为电脑上的文件名
of-the-board = 掌控板的 { $name }
unchanged = { $path } 没有变化
one-file-here = 掌控板上的 { $first } 和 { $second } 在这里会成为同一个文件 { $path }
got = { $path }：{ $len } 字节
nothing-to-put = 没有写要传送的文件
    .hint = 例如 udpcli board put main.py；名字以冒号开头的文件要写成 ./:name
only-last = { $path } 是掌控板上的路径，只有最后一个参数可以是
    .hint = 电脑上名字以冒号开头的文件要写成 ./:name
backslash = 掌控板上没有 { $path }，它的名字里有反斜杠
    .hint = 改用斜杠就是 :{ $slashed }；名字里的反斜杠要写成 \x5c
no-folder = { $path } 不是掌控板上的文件夹
    .hint = 多个文件要放进已有的文件夹；电脑上的文件夹会连同内容一起在那里建立
put = { $path }：{ $len } 字节，线路上传了 { $sent } 字节
put-again = { $path }：{ $len } 字节，线路上传了 { $sent } 字节，重发了 { $again } 段
dead-link = 略过：{ $path }，这个链接指向不存在的位置（{ $error }）
too-long-to-put = { $path } 比任何掌控板的闪存都大
left-out-kind = 略过：{ $path }，它既不是文件也不是文件夹
no-file = { $path } 既不是文件也不是文件夹
left-out-loop = 略过：{ $path }，这个链接指回它所在的文件夹
too-deep = { $path } 的文件夹层数超过 { $most }
left-out = 略过：{ $path }
own-temporary = { $name } 是 put 在掌控板上使用的临时文件名
clash-folder = 在掌控板上，{ $path } 会和一个文件夹重名
clash = { $first } 和 { $second } 在掌控板上会成为同一个文件
    .hint = 请逐个传送，每个写明自己的 :PATH
no-unicode = { $path } 的名字不是 Unicode 文本
no-match = 没有文件与这个模式匹配
working-directory = 掌控板的工作目录是 { $path }
no-colon = 掌控板上的路径以冒号开头：:{ $path }
backslashes = { $path } 里有反斜杠
    .hint = 掌控板上用 / 分隔文件夹：:{ $slashed } （以反斜杠开头的名字写成 \x5c..）
no-nul = 路径里不能有 NUL
git-bash = { $path } 是 Git Bash 改写过的掌控板路径
    .hint = 请写两个斜杠（://lib），或者在命令前加 MSYS_NO_PATHCONV=1

# info。

info-port = 串口
info-board = 板子
info-firmware = 固件
info-id = 编号
info-mac = MAC
info-memory = 内存
info-files = 文件
info-wifi = Wi-Fi
info-with-mpython = { $machine }，带 mpython 模块
info-without-mpython = { $machine }，不带 mpython 模块
info-build = { $name } { $version }，{ $build }
info-free = 空闲 { $free } 字节
info-free-of = 共 { $total } 字节，空闲 { $free } 字节
info-free-in = { $share }，在 { $place }
info-not-connected = 未连接
info-ssid = { $address }，连到 { $ssid }
info-rssi = { $address }，信号 { $rssi } dBm
info-ssid-rssi = { $address }，连到 { $ssid }，信号 { $rssi } dBm

# list。

list-empty = 没有串口：掌控板插好了吗？USB 线能传数据吗？驱动装好了吗？
list-chip = （{ $chip }）
list-answers = MicroPython 有应答
list-no-answer = 没有 MicroPython：{ $error }
chip-cp210x = CP210x：掌控板和许多 ESP32 板
chip-ch340 = CH340：掌控板和许多 ESP32 板
chip-ch9102 = CH9102：许多 ESP32 板
chip-ch343 = CH343：许多 ESP32 板
chip-espressif = 乐鑫芯片自带的 USB：掌控板 3.0，以及其他使用 ESP32-S2、S3、C3 或更新芯片的板
chip-ftdi = FTDI：部分 ESP32 板
chip-micropython = MicroPython 自带的 USB

# oled，以及 run 的镜像。

no-mirror = 没有 OLED 镜像：{ $why }
frames-lost = OLED 有 { $count } 帧在传输中损坏，已丢弃
nobody-read = 没有程序读取 { $path }：图片没有保存
framebuffer-format = --framebuffer 要与 --format json 一起用
oled-starts = 软复位：先装上镜像程序，再启动 { $main }
oled-runs-on = { $main } 继续运行；udpcli board reset 会让它不带镜像重新启动
oled-ended = { $main } 已经运行结束

# run。

symptom = { $meaning } [{ $code }]
symptom-next = {"  "}接下来：{ $next }
run-no-picture = 程序没有在 OLED 上显示任何内容：没有保存 { $path }
run-stopped = 已按 Ctrl-C 停止
run-stopping = 按 Ctrl-C 之后程序仍在运行，正在停止它
run-still = 掌控板上的程序仍在运行（{ $error }）；要结束它：运行 udpcli board reset --hard，或按掌控板的 RESET 键
run-detached = 程序继续运行；udpcli board reset 会结束它
run-file-stays = 它的文件会留在掌控板上，直到下一次 run
run-ended = 程序已经运行结束
script-too-long = { $path } 太长，任何掌控板都装不下（超过 16 MiB）
script-gbk = { $name } 不是 UTF-8，看起来是 GBK：掌控板按 UTF-8 读取；如果中文显示不对，请另存为 UTF-8
example-target = --example client 需要 --target IP:PORT
    .hint = udpcli listen 会显示掌控板可以连到本机的地址
example-server = --target 只用于 --example client：服务端不主动发送，没有目标
standard-input = 标准输入
keyboard = 键盘

# repl。

repl-connected = 已连接到 { $port }
repl-runs-on = 掌控板上的程序没有响应 Ctrl-C：它继续运行
repl-welcome = udpcli：已连接到 { $port }；Ctrl-] 退出，Ctrl-C 中断，Ctrl-D 软复位
repl-gone = udpcli：串口断开了；正在等它恢复，Ctrl-] 退出
repl-again = udpcli：已重新连接
repl-not-ascii = udpcli：逐个输入时，掌控板的提示符会忽略非 ASCII 字符；请改为粘贴整行
