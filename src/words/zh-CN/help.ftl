# 帮助：命令的 id 是它的路径，参数的 id 是命令加上它自己的名字。详见 src/cli/help.rs。
# .after 里以 udpcli 开头的是命令，保持原样；后面的说明要翻译。

## clap 自己写的词

clap-usage = 用法：
clap-commands = 命令：
clap-arguments = 参数：
clap-options = 选项：
clap-any-options = [选项]
clap-any-command = <命令>
clap-values = 可选值：
clap-values-inline = [可选值：
clap-default = [默认值：
clap-variable = [环境变量：
clap-help-more = 显示帮助（用 --help 看详细说明）
clap-help-summary = 显示帮助（用 -h 看概要）
clap-help-command = 显示本帮助，或某个命令的帮助
clap-version = 显示版本
man-name = 名称
man-synopsis = 概要
man-description = 描述
man-options = 选项
man-examples = 示例
man-examples-and-codes = 示例和退出码
man-see-also = 另请参阅

## Headings

heading-global-options = 全局选项
heading-payload = 载荷
heading-pace = 发送节奏
heading-replies = 回复
heading-socket = 套接字
heading-output = 输出
heading-end = 何时结束
heading-answers = 自动回复
heading-faults = 故障
heading-serial-port = 串口
heading-example = 示例程序
heading-network = 网络
heading-measurement = 测量

## udpcli

udpcli = 在电脑和掌控板（ESP32）之间收发 UDP 消息，并查明消息为什么没有到达
    .after =
        示例：
          udpcli listen                              显示掌控板发到本机 6000 端口的消息
          udpcli send 192.168.0.3:6000               教程的客户端：每 2 秒一条
          udpcli send 192.168.0.3:6000 hello -w 1s   发一个数据报，显示 1 秒内的回复

        退出码：0 成功；1 运行了但没有成功（被拒绝、没有回复、回复不符）；2 用法错误；
        3 无法运行（地址、端口、文件或掌控板不可用）；130 被 Ctrl-C 中断。
verbose = 显示每一步（socket、bind、sendto 等）；-vv 显示全部细节
quiet = 只显示错误
color = 是否使用颜色
    .value-auto = 输出到终端时使用；设置了 NO_COLOR 时不用
    .value-always = 总是使用
    .value-never = 从不使用
lang = 帮助、消息和错误的语言
    .value-auto = 系统的语言
    .value-en = 英文
    .value-zh-CN = 简体中文

## udpcli send

send = 发送数据报：在电脑上充当掌控板的 UDP 客户端
    .after =
        示例：
          udpcli send 192.168.0.3:6000                          教程的客户端，直到 Ctrl-C
          udpcli send 192.168.0.3:6000 hello -w 1s              一个数据报和它的回复
          udpcli send 192.168.0.3:6000 -e 'hello\r\n' -n 5 -i 500ms
          udpcli send 192.168.0.3:6000 --encoding gbk 你好
          udpcli send 192.168.0.3:6000 --hex 'de ad be ef'
          udpcli send 192.168.0.3:6000 --file notes.txt --lines
          udpcli send 192.168.0.3:6000 --size 1024 --rate 1000 --duration 10s
          udpcli send 192.168.0.255:6000 ping --wait 2s         谁会回复广播
          udpcli send 239.1.2.3:6000 hello --multicast-if eth0
          udpcli send 192.168.0.3:6000 @led-on @led-off         udpcli.toml 里的消息，以及它们应得的回复
          udpcli send 192.168.0.3:6000 --replay traffic.pcapng  再发一遍 listen --save 录下的数据报
          udpcli send 192.168.0.3:6000 -I                       逐行输入，随时看回复
send-peer = 目的地：IPv4:PORT、[IPv6]:PORT、NAME:PORT，或者用 board:NAME 表示名单里的一块掌控板（端口 6000），也可以写 board:NAME:PORT
send-names = 与 board:NAME 一起用：名单（CSV 文件）：MAC 地址（或 IP 地址）、名字、座位
send-messages = 每个参数作为一个数据报原样发送；@NAME 是 udpcli.toml 里的消息，@@TEXT 是文本 @TEXT；不是 UTF-8 的字节也照样发送
send-lines = 标准输入（或 --file 的文件）每行一个数据报
send-file = 把整个文件作为一个数据报（- 表示标准输入）
send-chunk = 与 --file 一起用：每 SIZE 字节一个数据报
send-hex = 用十六进制数字写出的字节；可以有空格、逗号、冒号和 0x
send-size = 生成 N 字节的载荷，前 16 个字节是序号和发送时间；A..B 表示每个数据报的大小随机
send-template = 发送带字段的文本：{ "{" }seq:04{ "}" } { "{" }time:%H:%M:%S{ "}" } { "{" }unix_ms{ "}" } { "{" }rand:8{ "}" } { "{" }rand:1..100{ "}" }；{ "{" }line{ "}" } 是管道里的每一行
send-replay = 按原来的时间发送抓包文件里的 UDP 数据报（.pcap、.pcapng，或 listen 写的 .jsonl）；- 表示标准输入
send-speed = 与 --replay 一起用：播放速度是录制时的几倍，或 max [默认值：1]
send-from = 与 --replay 一起用：只发送来自这些发送端的数据报
send-to-port = 与 --replay 一起用：只发送发往这些端口的数据报
send-interactive = 逐行输入并发送，回复到了就显示
send-escape = 把 MESSAGE 里的 \n、\r、\t、\xNN 等换成真正的字符
send-line-ending = 在每个文本载荷后面加上行尾
    .value-none = 不加
    .value-lf = \n
    .value-crlf = \r\n
send-encoding = 文本载荷的编码，也用来解码回复：utf-8、gbk、big5、shift_jis 等
send-append = 在每个载荷后面加上校验和：sum8、xor8、crc8、crc16-modbus、crc16-ccitt 或 crc32；后面加 :le 或 :be 指定字节顺序
send-count = 消息发送的次数 [默认值：1；教程的消息则一直发]
send-interval = 两个数据报的间隔 [默认值：一直发送时 2s，否则没有间隔]
send-rate = 每秒均匀发送多少个数据报；max 表示尽可能快
send-pattern = 与 --rate 或 --interval 一起用：平均间隔不变，间隔随机（poisson），或者连续发送 N 个再停顿（burst:N）
send-ramp = 在 --duration 或 -n 的过程中，让速率从 --rate 的十分之一均匀升到 --rate
send-duration = 发送多长时间
send-wait = 等待回复，最后一个数据报之后最多等 D；每个数据报都有了回复就结束
send-replies = 收到这么多条回复后结束
send-expect = 没有一条回复等于 TEXT 时，退出码为 1
send-summary = 统计的形式
    .value-text = 便于阅读的一行
    .value-json = 在 stderr 上写 JSON 行：{ "{" }"summary": ..{ "}" }
send-histogram = 在统计下面画出 RTT 的分布；用 --summary json 时给出数字
send-format = 回复的显示方式 [默认值：text]
    .value-text = 一行里显示时间、对方、长度和转义后的文本
    .value-board = 与教程的服务端显示的完全一样
    .value-hex = 先用一行显示时间、对方和长度，再显示十六进制内容
    .value-json = 每个数据报一行 JSON 对象
    .value-raw = 只有载荷的字节
    .value-junit = 结束时写一份 JUnit 报告，说明 udpcli.toml 里的消息结果如何
send-v4 = 只用 IPv4
send-v6 = 只用 IPv6
send-bind = 从哪个本机地址（和端口）发送
send-reuse-addr = 设置 SO_REUSEADDR：与同样设置了它的程序共用 --bind 的端口（在 Windows 上，不确定哪个程序会收到回复）
send-reuse-port = 设置 SO_REUSEPORT：与同样设置了它的程序共用 --bind 的端口（Windows 上没有）
send-broadcast = 允许广播（对 255.255.255.255 和本机所在网络的广播地址会自动允许）
send-ttl = 生存时间（TTL），IPv6 上是跳数限制
send-multicast-if = 从哪个网络接口发送组播
send-multicast-loop = 本机能否收到自己发出的组播
    .value-on = 能
    .value-off = 不能
send-interface = 只使用这个网络接口（Linux、macOS）
send-tos = 服务类型字节（DSCP 和 ECN）
send-send-buffer = 发送缓冲区的大小（SO_SNDBUF）

## udpcli listen

listen = 接收数据报：在电脑上充当掌控板的 UDP 服务端
    .after =
        示例：
          udpcli listen                                   6000 端口，与教程相同
          udpcli listen --port 6000 --echo                收到什么就发回什么
          udpcli listen --on 'temp?=23' --on 're:^led (.*)=ok { "{" }1{ "}" }'     像设备一样回复
          udpcli listen -n 1 --timeout 10s                收一个数据报，否则退出码为 1
          udpcli listen --format json | jq .text
          udpcli listen --encoding auto                   UTF-8 或 GBK 的中文
          udpcli listen --format board --recv-size 1024   与掌控板显示的一个字节也不差
          udpcli listen --join 239.1.2.3@eth0
          udpcli listen --save lesson.pcapng              用 Wireshark 打开
          udpcli listen --save - --save-format pcap | tshark -r -
          udpcli listen --seq --stats 1s --format raw > /dev/null
listen-port = UDP 端口；0 表示任选一个空闲端口
listen-bind = 监听的本机地址；:: 表示所有 IPv6 和 IPv4 地址
listen-format = 数据报的显示方式 [默认值：text]
    .value-text = 一行里显示时间、对方、长度和转义后的文本
    .value-board = 与教程的服务端显示的完全一样
    .value-hex = 先用一行显示时间、对方和长度，再显示十六进制内容
    .value-json = 每个数据报一行 JSON 对象
    .value-raw = 只有载荷的字节
listen-separator = 与 --format raw 一起用：在每个数据报后面写 TEXT（可以用 \n 等转义）
listen-encoding = 载荷文本的编码：utf-8、gbk、big5、shift_jis 等，或 auto（先试 UTF-8，再试 GBK）
listen-timestamps = 到达时间取自哪个时钟 [默认值：kernel]
    .value-kernel = 操作系统记录的到达时间（Linux）
    .value-user = udpcli 读取数据报的时间
listen-oled = 画出教程的服务端会在屏幕上显示的内容（在终端上）
listen-microseconds = 在终端上也把时间显示到微秒，和管道中一样
listen-qr = 把要填写的地址显示成二维码，供手机扫描
listen-watch = 实时显示各发送端：个数、速率、丢失（配合 --seq）、最近的文字（在终端上；按 q 结束）
listen-save = 同时把每个数据报写入 FILE：.pcap、.pcapng 或 .jsonl；写 - 则写到标准输出，不再显示
listen-save-format = 文件的格式，用于文件名没有相应后缀时
    .value-pcap = 用于 Wireshark 和 tcpdump
    .value-pcapng = 用于 Wireshark
    .value-jsonl = 每个数据报一行 JSON 对象，与 --format json 相同
listen-report = 把收到的情况写入 FILE：一个网页，可以用浏览器看，也可以打印在一张纸上；加上 --seq 还有丢失、乱序和抖动
listen-stats = 每隔这么久显示一次统计
listen-summary = 最后的统计和 --stats 的形式
    .value-text = 便于阅读的一行
    .value-json = 在 stderr 上写 JSON 行：{ "{" }"summary": ..{ "}" }，有 --stats 时还有 { "{" }"stats": ..{ "}" }
listen-seq = 读取序号（send --size）：丢失、重复、乱序、延迟
listen-histogram = 与 --seq 一起用：在统计下面画出单程延迟的分布；用 --summary json 时给出数字
listen-check = 检查每个载荷末尾的校验和；匹配模式时不包括它
listen-names = 名单（CSV 文件）：MAC 地址（或 IP 地址）、名字、座位；用于 JSON 和终端上的文本
listen-count = 收到这么多个数据报后结束
listen-timeout = D 时间内没有数据报就结束；一个也没收到则退出码为 1
listen-duration = 经过这段时间后结束
listen-echo = 把每个数据报原样发回
listen-reply = 对每个数据报都回复 TEXT
listen-on = 对匹配 PATTERN（文本、re:表达式或 hex:字节）的数据报回复 REPLY；可以写多次，以先匹配的为准
listen-replies = 再从 TOML 文件的 [[replies]] 表里读取这样的回复
listen-no-project = 不使用 udpcli.toml 里的回复
listen-escape = 把 --reply 和 --on 里的 \n、\r、\t、\xNN 等换成真正的字符
listen-reply-rate = 每秒最多回复同一个发送端多少次 [默认值：1000]
listen-reply-delay = 每条回复先等这么久再发
listen-reply-drop = 有意不发百分之几的回复，用来观察超时
listen-random-seed = 让 --reply-drop 和 { "{" }rand{ "}" } 每次运行的结果相同
listen-reuse-addr = 设置 SO_REUSEADDR：几个程序都设置它，就能共用端口；单播只送到其中一个（在 Windows 上，不确定是哪个）
listen-reuse-port = 设置 SO_REUSEPORT：几个程序都设置它，就能共用端口；系统把不同的发送端分给不同的程序（Windows 上没有）
listen-join = 在一个或所有网络接口上加入组播组
listen-interface = 只使用这个网络接口（Linux、macOS）
listen-recv-buffer = 接收缓冲区的大小（SO_RCVBUF）[默认值：系统允许的上限]
listen-recv-size = 每个数据报最多保留 N 字节；1024 与教程相同
listen-from = 只接收这些发送端的数据报

## udpcli relay

relay = 转发数据报，并按要求丢弃、重复、交换或延迟
    .long =
        在一个端口上接收数据报，把每个数据报发往所有 --to 地址。回复送回发出请求的客户端。除非要求制造故障，数据报的边界、空数据报和顺序都保持不变。

        一个数据报是否丢弃、重复或交换，由随机种子、方向和它的序号决定。所以 --random-seed 相同、数据报也相同时，每次运行的故障都相同。

        每个客户端有一个会话，会话对每个目标各用一个套接字，总共最多 512 个。超过 --session-timeout 没有数据报，会话就结束。客户端太多时，就结束已有一秒没有收发数据报的会话，给新客户端腾出位置。
    .after =
        示例：
          udpcli relay --listen 7000 --to 192.168.0.3:6000                    在本机程序和掌控板之间
          udpcli relay --listen 7000 --to 127.0.0.1:6000 --drop 5 --random-seed 1      丢失 5%
          udpcli relay --listen 7000 --to 127.0.0.1:6000 --delay 50ms --jitter 20ms --both
          udpcli relay --listen 7000 --to 192.168.0.3:6000 --to 192.168.0.4:6000
          udpcli relay --listen 7000 --to 192.168.0.3:6000 --format text --save talk.pcapng
relay-listen = 客户端发往的端口，或者地址和端口；0 表示任选一个空闲端口
relay-to = 每个数据报发往哪里：HOST:PORT，或者用 board:NAME 表示名单里的一块掌控板；可以写多次
relay-names = 与 board:NAME 一起用：名单（CSV 文件）：MAC 地址（或 IP 地址）、名字、座位
relay-session-timeout = 客户端和目标都这么久没有发送数据报，会话就结束
relay-drop = 丢弃百分之几的数据报
relay-duplicate = 把百分之几的数据报发送两次
relay-reorder = 让百分之几的数据报与同一客户端的下一个交换顺序；100 ms 内没有下一个就不变
relay-delay = 每个数据报晚这么久再发送
relay-jitter = 再加上一段随机延迟，最多这么久；后面的数据报可能因此先到
relay-rate = 每个方向每秒最多转发多少个数据报；要排队超过 1 秒的会丢失；也可以写 max [默认值：有目标是本机地址时为 100000，否则为 max]
relay-both = 返回的方向也制造同样的故障
relay-random-seed = 写上次运行显示的种子，重现同样的故障
relay-format = 显示转发的数据报，包括发送端和接收端 [默认：不显示]
    .value-text = 一行里显示时间、发送端、接收端、长度和转义后的文本
    .value-json = 每个数据报一行 JSON 对象
    .value-hex = 先用一行显示时间、发送端、接收端和长度，再显示十六进制内容
    .value-raw = 只有载荷的字节
relay-encoding = 载荷文本的编码：utf-8、gbk、big5、shift_jis 等，或 auto（先试 UTF-8，再试 GBK）
relay-save = 把两个方向转发的数据报写入 FILE：.pcap、.pcapng 或 .jsonl
relay-stats = 每隔这么久显示一次统计
relay-summary = 最后的统计和 --stats 的形式
    .value-text = 便于阅读的一行
    .value-json = 在 stderr 上写 JSON 行：{ "{" }"summary": ..{ "}" }，有 --stats 时还有 { "{" }"stats": ..{ "}" }
relay-duration = 经过这段时间后结束

## udpcli board

board = 通过 USB 线在掌控板上运行程序、传送文件、查看 OLED
    .after =
        示例：
          udpcli board list                 哪个串口是掌控板
          udpcli board info -s /dev/ttyUSB0
board-serial = 串口，或 socket://HOST:PORT、rfc2217://HOST:PORT；info、put、run、flash、reset、rm 和 oled 可以写多次 [默认值：找到的唯一一块掌控板]
board-baud = 串口的波特率 [默认值：115200]；board flash 用它传送数据
board-connect-timeout = 最多用多长时间连接掌控板
board-line-rate = 传送大量数据时的波特率：auto 在超过 16 KB 时依次尝试 921600、460800、230400，keep 从不切换，N 用于每次传送
board-wire = 把串口上的每个字节连同方向和时间记入 FILE，每行一个 JSON 对象
board-all = 同时用于找到的每一块掌控板
board-jobs = 同时处理多少块掌控板 [默认值：全部；board flash 为 4]
board-names = 名单（CSV 文件）：MAC 地址（或 USB 序列号、串口）、名字、座位
board-left-out = 通过 USB 线使用掌控板（这个版本不带这项功能）

## udpcli board list

board-list = 列出串口，以及哪些可能是掌控板
    .after =
        示例：
          udpcli board list
          udpcli board list --probe             哪些串口上有 MicroPython
          udpcli board list --format json
board-list-probe = 逐个询问串口上有没有 MicroPython
board-list-names-template = 把待填写的名单写入 FILE：插着的每块掌控板一行
board-list-format = 列表的形式
    .value-text = 便于阅读的文本
    .value-json = 一个 JSON 对象

## udpcli board info

board-info = 显示掌控板的信息：固件、内存、空间、Wi-Fi 地址
    .after =
        示例：
          udpcli board info
          udpcli board info --format json | jq -r .address
          udpcli board info --flash
          udpcli board info --all --names names.csv
board-info-format = 信息的形式
    .value-text = 便于阅读的文本
    .value-json = 一个 JSON 对象
board-info-flash = 改为显示芯片、MAC 地址、闪存大小和分区（会让板子复位两次）

## udpcli board run

board-run = 在掌控板的内存里运行程序，并显示它的输出
    .after =
        示例：
          udpcli board run hello.py
          echo 'print(1)' | udpcli board run -
          udpcli board run --example client --ssid class --target 192.168.0.10:6000
          udpcli board run --example server --ssid class --password-env WIFI
          udpcli board run blink.py --detach
          udpcli board run main.py --watch --with lib
          udpcli board run hello.py --all --names names.csv
board-run-script = 要运行的 Python 文件；- 表示从标准输入读取
board-run-example = udpcli 自带的教程程序：UDP 客户端或服务端
    .value-client = 每两秒发送一条消息
    .value-server = 显示收到的消息，并画在 OLED 上
board-run-detach = 启动程序后让它继续运行，udpcli 退出
board-run-no-mirror = 不画出 OLED 上显示的内容
board-run-image = 把 OLED 最后显示的内容存为 PNG 文件
board-run-no-soft-reset = 直接在当前的解释器里运行，保留之前程序留下的内容
board-run-watch = 每次保存文件就重新运行，直到按 Ctrl-C
board-run-with = 与 --watch 一起用：程序需要的文件或文件夹，有变化就上传到板子；可以写多次
board-run-ssid = 与 --example 一起用：要连接的 Wi-Fi；不写就用当前的 Wi-Fi
board-run-password-env = 与 --ssid 一起用：存放密码的环境变量（不写则会询问）
board-run-target = 与 --example client 一起用：发送到哪里，即 udpcli listen 显示的本机地址
board-run-port = 与 --example server 一起用：它监听的 UDP 端口
board-run-interval = 与 --example client 一起用：两个数据报的间隔

## udpcli board exec

board-exec = 在掌控板上运行 Python 代码，并显示它的输出
    .after =
        示例：
          udpcli board exec "import machine; print(machine.freq())"
          udpcli board exec - < setup.py
board-exec-code = Python 代码；- 表示从标准输入读取
board-exec-detach = 启动代码后让它继续运行，udpcli 退出
board-exec-mirror = 同时画出 OLED 上显示的内容
board-exec-no-soft-reset = 直接在当前的解释器里运行，保留之前程序留下的内容

## udpcli board eval

board-eval = 显示一个 Python 表达式的值：能写成 JSON 就写成 JSON，否则写成 Python 文本
    .after =
        示例：
          udpcli board eval "1 + 2"
          udpcli board eval "__import__('os').listdir()" | jq length
          udpcli board do 'exec "import machine"' 'eval machine.freq()'
board-eval-expression = Python 表达式
board-eval-no-soft-reset = 直接在当前的解释器里求值，保留之前程序留下的内容

## udpcli board do

board-do = 用一个连接依次执行多条 board 命令
    .after =
        示例：
          udpcli board do 'put lib :' 'run main.py'
          udpcli board do 'mkdir -p :/logs' 'rtc --set' 'put main.py :' reset
          udpcli board do - < lesson.txt
board-do-steps = board 命令，每条是一个参数；- 表示从标准输入读取，每行一条
    .long = 像在 shell 里一样分词：用 ' 或 " 括起来。反斜杠保持原样，只有 \" 例外。从标准输入读取时，忽略空行和 # 之后的内容。执行第一步之前，会先检查所有步骤。

## udpcli board put

board-put = 把文件和文件夹传到掌控板
    .after =
        示例：
          udpcli board put main.py              传到板子的工作目录，一般是 /
          udpcli board put main.py lib :        一个文件和一个文件夹
          udpcli board put '*.py' :/lib         所有匹配的文件，在任何 shell 里都行
          udpcli board put data.txt :/logs/     传到已有的文件夹里
          udpcli board put config.py :/settings.py
          udpcli board put . : --delete         同时删除板上有、这个文件夹里没有的文件
          udpcli board put . : --exclude '*.bak' --dry-run
board-put-paths = 本机的文件和文件夹；最后一个参数可以是 :PATH，表示放在板上的哪里
    .long = :x.py 从板子的工作目录算起，:/x.py 从根目录算起。\xNN 表示文件名里的一个字节。文件夹里以点开头的名字、__pycache__ 和 Thumbs.db 不会传送。
board-put-exclude = 略过与这个模式匹配的文件，例如 '*.bak'；可以写多次
    .long = 不带斜杠的模式匹配任何文件夹里的名字，带斜杠的匹配路径，例如 'lib/test_*'。udpcli.toml 里 exclude 的模式同样有效。--delete 不会删除与它们匹配的文件。
board-put-delete = 同时删除板子上多出来的文件（在所传送的文件夹里，而本机没有）；删除前先询问
    .long = :PATH 之下凡是不属于这次指定的文件，都会列出来（包括 boot.py），回答 y 之后删除。put 略过的名字和别的文件系统（例如存储卡）不会删除。
board-put-watch = 每次保存文件就重新传送，直到按 Ctrl-C；这时 --delete 要和 --yes 一起用
board-put-yes = 不询问，直接删除
board-put-dry-run = 只显示要传送和删除的文件，不做任何改动

## udpcli board get

board-get = 从掌控板取回文件和文件夹
    .after =
        示例：
          udpcli board get :main.py             取到当前文件夹
          udpcli board get :main.py old.py
          udpcli board get :/lib backup         文件夹和里面的全部内容
          udpcli board get :boot.py -           写到标准输出
board-get-remote = 板上的文件或文件夹；\xNN 表示文件名里的一个字节
board-get-local = 存到本机的哪里；- 表示标准输出 [默认值：当前文件夹]

## udpcli board ls

board-ls = 列出掌控板上的文件
    .after =
        示例：
          udpcli board ls
          udpcli board ls -r :/lib
          udpcli board ls -l                    带日期
          udpcli board ls --format json | jq -r .path
board-ls-folder = 板上的文件夹
board-ls-recursive = 也列出子文件夹里的内容
board-ls-long = 同时显示文件最后写入的时间（如果板上有记录）
board-ls-format = 列表的形式
    .value-text = 便于阅读的文本
    .value-json = 一个 JSON 对象

## udpcli board rm

board-rm = 删除掌控板上的文件
    .after =
        示例：
          udpcli board rm :main.py
          udpcli board rm -r :/lib :/logs
board-rm-paths = 板上的文件和空文件夹
board-rm-recursive = 删除文件夹和里面的全部内容

## udpcli board mkdir

board-mkdir = 在掌控板上建立文件夹
    .after =
        示例：
          udpcli board mkdir :/logs
          udpcli board mkdir -p :/lib/sensors
board-mkdir-folders = 板上的文件夹
board-mkdir-parents = 同时建立上级文件夹；文件夹已经存在也不算错误

## udpcli board rmdir

board-rmdir = 删除掌控板上的空文件夹
    .after =
        示例：
          udpcli board rmdir :/logs
board-rmdir-folders = 板上的空文件夹

## udpcli board touch

board-touch = 在掌控板上建立空文件，或更新文件的日期
    .after =
        示例：
          udpcli board touch :/lib/__init__.py
board-touch-paths = 板上的文件；已有的内容保持不变

## udpcli board sha256sum

board-sha256sum = 显示掌控板上文件的 SHA-256，格式与 sha256sum 相同
    .after =
        示例：
          udpcli board sha256sum :main.py
board-sha256sum-paths = 板上的文件

## udpcli board cp

board-cp = 在掌控板上复制文件和文件夹，或在电脑和掌控板之间复制
    .after =
        示例：
          udpcli board cp :main.py :old.py      在板上复制
          udpcli board cp :/lib :/backup        文件夹和里面的全部内容
          udpcli board cp main.py lib :         与 udpcli board put 相同
          udpcli board cp :data.csv .           与 udpcli board get 相同
board-cp-paths = 先写复制什么，再写复制到哪里；板上的路径以冒号开头
board-cp-recursive = 连同文件夹里的全部内容一起复制（不加也一样）

## udpcli board mv

board-mv = 移动或重命名掌控板上的文件和文件夹
    .after =
        示例：
          udpcli board mv :main.py :old.py
          udpcli board mv :a.csv :b.csv :/logs/
          udpcli board mv -f :new.py :main.py   替换 main.py
board-mv-paths = 先写移动什么，再写移动到哪里
board-mv-force = 替换那里已有的文件

## udpcli board cat

board-cat = 显示掌控板上文件的内容
    .after =
        示例：
          udpcli board cat :boot.py
          udpcli board cat :/logs/1.csv :/logs/2.csv > all.csv
board-cat-paths = 板上的文件

## udpcli board tree

board-tree = 以树形显示掌控板上的文件夹和里面的全部内容
    .after =
        示例：
          udpcli board tree
          udpcli board tree --size :/lib
board-tree-folder = 板上的文件夹
board-tree-size = 显示每个文件的大小（字节）

## udpcli board df

board-df = 显示掌控板的文件系统还有多少空间
    .after =
        示例：
          udpcli board df
          udpcli board df --format json | jq .free
board-df-format = 显示的形式
    .value-text = 便于阅读的文本
    .value-json = 每个文件系统一个 JSON 对象

## udpcli board rtc

board-rtc = 显示掌控板的时钟，或把它设为电脑的本地时间
    .after =
        示例：
          udpcli board rtc
          udpcli board rtc --set
board-rtc-set = 先把时钟设为电脑的本地时间
board-rtc-format = 显示的形式
    .value-text = 便于阅读的文本
    .value-json = 一个 JSON 对象

## udpcli board repl

board-repl = 掌控板提示符的交互终端；按 Ctrl-] 离开
    .after =
        示例：
          udpcli board repl
          echo 'print(1+1)' | udpcli board repl
          udpcli board repl < session.py
          udpcli board repl --capture log.txt --inject-file test.py   按 Ctrl-K 运行 test.py

board-repl-capture = 同时把板上打印的全部内容写入 FILE
board-repl-inject-code = 按 Ctrl-J 输入并运行 CODE；其中的 \n 表示换行
board-repl-inject-file = 按 Ctrl-K 输入并运行 FILE 当时的内容

## udpcli board oled

board-oled = 显示掌控板的 main.py 在 OLED 上显示的内容
    .after =
        示例：
          udpcli board oled                              在终端上显示画面，随时更新
          udpcli board oled --format json                每次变化一行
          udpcli board oled --once --image screen.png    看一眼，显示文本并存为文件
          udpcli board oled --all                        所有掌控板的屏幕墙
board-oled-once = 只显示一屏就结束：第一个停留半秒以上的画面
board-oled-image = 把最后显示的内容存为 PNG 文件；用于多块掌控板时存到这个文件夹，每块一个文件
board-oled-format = 变化的显示方式 [默认值：终端上是 picture，否则是 text]
    .value-text = 只显示文字，位置大致相同
    .value-json = 每次变化一行 JSON 对象：docs/oled.schema.json
    .value-picture = 显示每个像素
board-oled-framebuffer = 与 --format json 一起用：连同像素

## udpcli board monitor

board-monitor = 查看板子的输出，不打扰它
    .after =
        它不发送任何内容，也不复位板子；按 Ctrl-C 结束，板上的程序继续运行。对启动信息、崩溃和常见错误的解释写到 stderr；用 --format json 时写在那一行的对象里。

        示例：
          udpcli board monitor
          udpcli board monitor --timestamps --log board.log
          udpcli board monitor --filter 'temp|error'
          udpcli board monitor --format json | jq -r 'select(.code) | .code'
board-monitor-timestamps = 在每行前面显示本地时间
board-monitor-log = 把每一行连同日期和时间追加到 FILE，包括 --filter 隐藏的行
board-monitor-hex = 改为以十六进制显示所有字节
board-monitor-filter = 只显示与这个正则表达式匹配的行
board-monitor-format = 各行的形式
    .value-text = 与板子的输出相同
    .value-json = 每行一个 JSON 对象：docs/monitor.schema.json
board-monitor-summary = 统计的形式
    .value-text = 便于阅读的文本
    .value-json = 一个 JSON 对象

## udpcli board reset

board-reset = 软复位或硬复位；随后板上的 main.py 启动
    .after =
        示例：
          udpcli board reset          解释器重新启动，串口连接不断
          udpcli board reset --hard   通过控制线复位，与按 RESET 键相同
board-reset-hard = 通过控制线 DTR 和 RTS 复位，与按 RESET 键相同

## udpcli board resume

board-resume = 在当前的解释器里执行一条命令，与 mpremote 的 resume 相同；不写命令则打开提示符
    .after =
        示例：
          udpcli board resume exec "print(counter)"
          udpcli board resume eval counter
board-resume-command = board 命令和它的参数

## udpcli board edit

board-edit = 用你的编辑器修改掌控板上的文件，有改动才写回去
    .after =
        编辑器取自环境变量 VISUAL 或 EDITOR；都没有设置时用 vi，Windows 上用记事本。

        示例：
          udpcli board edit :main.py
          EDITOR="code --wait" udpcli board edit :/lib/sensor.py
board-edit-path = 板上的文件；不存在时从空文件开始

## udpcli board connect

board-connect = 在这个串口上执行一条命令，与 mpremote 的 connect 相同
    .after =
        示例：
          udpcli board connect COM5 ls
board-connect-device = 串口，或 list、auto、port:NAME、id:SERIAL
board-connect-command = board 命令和它的参数

## udpcli board fs

board-fs = 执行一条文件命令，与 mpremote 的 fs 相同
    .after =
        示例：
          udpcli board fs ls :/lib
board-fs-command = board 命令和它的参数

## udpcli board sleep

board-sleep = 等待一段时间，用在几个步骤之间
    .after =
        示例：
          udpcli board do reset 'sleep 2s' ls
board-sleep-time = 等待多久

## udpcli board flash

board-flash = 把固件刷入掌控板，刷前检查，刷后校验
    .after =
        示例：
          udpcli board flash mpython.bin                       官方固件；板上的文件保留
          udpcli board flash firmware.bin --font font.xbf      固件，和它所用的字库
          udpcli board flash mpython.bin --dry-run             看看会做什么
          udpcli board flash app.bin@0x10000 -s COM5           把应用程序写到它的位置
          udpcli board flash --backup board.bin                把整个闪存备份到文件
          udpcli board flash --restore board.bin               再恢复回去
          udpcli board flash --backup files.bin --only vfs     只备份板上的文件

        文件写到哪里：引导程序（和以它开头的镜像）写到芯片启动时读取的位置（ESP32 是 0x1000），合并的镜像分成各部分写入；字库写到固件查找它的地方；ELF、UF2 和 ZIP 文件自己写明了位置；其他文件要写 @OFFSET，或者把起始地址写在文件前面：0x10000 app.bin
board-flash-images = 固件：.bin、ELF、UF2，或带刷写参数的 ZIP；文件本身没有写明位置时加 @OFFSET
board-flash-font = 中文字库；写到固件查找它的地方，或 OFFSET 处
board-flash-chip = 板子应有的芯片：esp32、esp32s3、esp32c3……（默认：固件所用的芯片）
board-flash-flash-size = 闪存大小，用于不报告大小的闪存芯片：4MB、8MB 等
board-flash-flash-mode = 引导程序用什么方式读取闪存
    .value-keep = 按文件里写的
    .value-dio = 两根线；所有板子都能用，官方固件也用它
    .value-qio = 四根线；更快，但闪存芯片和板子都要支持
    .value-dout = 两根线，只用于数据
    .value-qout = 四根线，只用于数据
board-flash-flash-baud = 传送数据的速率 [默认值：从 921600 往下，能用的最高速率]
board-flash-files = 保留板上的文件，还是换成固件自带的文件 [默认值：keep]
    .value-keep = 逐字节保留
    .value-replace = 换成固件自带的文件，或空的文件系统
board-flash-erase-all = 先擦除整个闪存，包括板上的文件和设置
board-flash-no-verify = 写完后不比较闪存和文件
board-flash-no-compress = 不压缩，按原样传送文件
board-flash-before = 用什么方式让掌控板进入下载模式
    .value-default-reset = 用 DTR 和 RTS 通过板上的两个三极管复位，掌控板就是这样
    .value-no-reset = 已经在下载模式：复位时按住了 BOOT
    .value-usb-reset = 用 DTR 和 RTS 通过芯片自带的 USB 复位
board-flash-after = 最后让板子做什么
    .value-hard-reset = 启动它的程序
    .value-no-reset = 停留在下载模式
board-flash-backup = 先把闪存读到 FILE，- 表示标准输出；FILE.json 记录它的来源
board-flash-restore = 把备份原样写回，包括设置和文件
board-flash-only = 只备份或恢复这一部分：分区名，或 OFFSET+SIZE
board-flash-dry-run = 检查一切并显示计划，但不写入
board-flash-monitor = 完成后直接进入板子的提示符
board-flash-force = 文件看起来不对（不是固件、已损坏、太大）也写入
board-flash-left-out = 把固件刷入掌控板（这个版本不带这项功能）

## udpcli pair

pair = 测试电脑和掌控板之间的双向收发，并查明消息为什么没有到达
    .after =
        示例：
          udpcli pair                                        测试找到的那块掌控板，用它现在的 Wi-Fi
          udpcli pair -s /dev/ttyUSB0 --ssid class           先连上这个 Wi-Fi；会询问密码
          WIFI=secret udpcli pair --ssid class --password-env WIFI
          udpcli pair --all --ssid class --format junit      全班的掌控板，用于 CI 系统
          udpcli pair --board-ap                             用掌控板自己的 Wi-Fi，不需要路由器
          udpcli pair --watch --ssid class                   持续显示，直到 Ctrl-C
          udpcli pair --simulate                             手边没有掌控板
          udpcli pair --report pair.html                     可以打印、也可以发给网络管理员的网页
          udpcli pair -n 10 --interval 2s --sizes 28         按教程的节奏
pair-serial = 串口，或 socket://HOST:PORT、rfc2217://HOST:PORT；可以写多次，同时测试 [环境变量：UDPCLI_SERIAL] [默认值：找到的唯一一块掌控板]
pair-all = 同时测试找到的每一块掌控板
pair-names = 名单（CSV 文件）：MAC 地址（或 IP 地址、串口）、名字、座位
pair-simulate = 手边没有掌控板：用本机上真正的 MicroPython 代替（Linux、macOS）
pair-baud = 串口的波特率 [默认值：115200]
pair-connect-timeout = 最多用多长时间连接掌控板
pair-ssid = 要连接的 Wi-Fi；不写就用当前的 Wi-Fi
pair-password-env = 与 --ssid 一起用：存放密码的环境变量（不写则会询问）
pair-board-ap = 让掌控板自己当热点来测试：适合无线路由器隔离各个设备的场合。会显示热点的名称和随机密码，请让电脑连上它
pair-join-timeout = 与 --board-ap 一起用：最多等多久，让电脑连上掌控板的 Wi-Fi
pair-port = UDP 端口，电脑和板上相同
pair-count = 每项测试（每种大小的两个方向，以及回显）各发送多少个数据报
pair-interval = 两个数据报的间隔
pair-sizes = 载荷大小，以字节为单位
pair-max-loss = 每个方向允许的最高丢失率，百分数
pair-text = 在 OLED 上显示的文本
pair-encoding = 所发文本的编码；板子按 UTF-8 读取
pair-watch = 重复测试直到 Ctrl-C：终端上持续更新，否则每轮一行
pair-format = 结果的显示方式
    .value-text = 每一步结束时显示一行；有多块掌控板时每块一行
    .value-json = 每块掌控板一个 JSON 对象（docs/pair.schema.json）
    .value-junit = junit 形式的 XML，用于 CI 系统
pair-report = 把结果写入 FILE：一个网页，可以用浏览器看，也可以打印在一张纸上；加上 --watch 是一张图：丢失、信号和接入点随时间的变化
pair-left-out = 测试电脑和掌控板（这个版本不带这项功能）

## udpcli demo

demo = 在本机演示接收和发送，不需要掌控板
    .after =
        示例：
          udpcli demo

## udpcli doctor

doctor = 检查本机有没有会让数据报收不到、掌控板连不上的问题
    .long =
        检查地址（并指出掌控板的程序里该填哪一个）、UDP 端口、防火墙，以及串口和驱动。每个问题都附有解决它的命令；
        udpcli 从不自行运行这些命令。检查时不发送数据报，也不打开串口。
    .after =
        示例：
          udpcli doctor
          udpcli doctor --port 6001
          udpcli doctor --format json | jq .findings

        如果有问题使数据报收不到，或者掌控板连不上，退出码为 1。
doctor-port = 要接收掌控板数据报的 UDP 端口
doctor-format = 检查结果的显示方式
    .value-text = 便于阅读的文本
    .value-json = 一个 JSON 对象

## udpcli find

find = 列出本机各网络和 USB 口上的掌控板
    .long =
        列出 MAC 地址属于乐鑫（ESP32 的厂家）的设备、通过 mDNS 报出名字的掌控板，以及带有掌控板芯片的 USB 口。各列依次是名字、地址、MAC 地址和发现方式。

        不加 --probe 时，掌控板上的程序什么也不会收到。为了得到 MAC 地址，udpcli 会向每个网络中本机附近 256 个地址的 9 号端口（discard）各发送一个数据报，每秒最多 250 个。不会打开串口，因为那会使有些掌控板复位。只支持 IPv4。
    .after =
        示例：
          udpcli find
          udpcli find --wait 10s                Wi-Fi 应答较慢时
          udpcli find --probe                   同时查看哪些掌控板在监听 6000 端口
          udpcli find --format json | jq -r .address

        没有找到掌控板时，退出码为 1。
find-wait = 查找多长时间；一个网络的 256 个地址需要一秒
find-probe = 向找到的每块掌控板的 UDP 6000 端口发送一个数据报，并显示是否有程序回复；掌控板上的程序会显示它
find-names = 名单（CSV 文件）：MAC 地址（或 IP 地址、串口）、名字、座位
find-format = 掌控板的显示方式
    .value-text = 每块掌控板占一行，便于阅读
    .value-json = 每行一个 JSON 对象

## udpcli messages

messages = 列出 udpcli.toml 里的消息，send HOST:PORT @NAME 发送的就是它们
    .after =
        示例：
          udpcli messages
          udpcli messages --format json | jq -r .name
messages-format = 消息的显示方式
    .value-text = 每条消息占一行，便于阅读
    .value-json = 每行一个 JSON 对象

## udpcli config

config = 显示生效的设置，以及各项设置的来源
    .after =
        示例：
          udpcli config
          udpcli config --serial COM5          用选项代替文件里的设置
          udpcli config --format json
config-serial = 要交给 board 命令的串口
config-baud = 要交给 board 命令的波特率
config-format = 设置的显示方式
    .value-text = 便于阅读的文本
    .value-json = 一个 JSON 对象

## udpcli completions

completions = 输出 shell 的补全脚本
    .after =
        示例：
          udpcli completions bash > ~/.local/share/bash-completion/completions/udpcli
          udpcli completions zsh > ~/.zfunc/_udpcli
          udpcli completions fish > ~/.config/fish/completions/udpcli.fish
          udpcli completions powershell >> $PROFILE
completions-shell = 为哪个 shell 补全

## udpcli man

man = 输出手册页
    .after =
        示例：
          udpcli man | man -l -                                全部在一页
          udpcli man --out ~/.local/share/man/man1             然后：man udpcli-board-flash
man-out = 把每个命令的手册页写入这个文件夹：udpcli.1、udpcli-send.1、udpcli-board-flash.1 等
