# 套接字、地址、载荷和文件：出了什么错（消息本身），接下来输入什么或做什么（.hint）。

refused = 被拒绝：{ $peer } 上没有程序在监听
    .hint = { $host } 有回应，但那里没有程序在监听 UDP 端口 { $port }；请先启动接收端，例如：udpcli listen --port { $port }
    .hint-elsewhere = { $host } 有回应，但那里没有程序在监听 UDP 端口 { $port }；请先在掌控板上启动用这个端口接收的程序（如果是另一台电脑：udpcli listen --port { $port }）
no-reply = { $wait } 内没有收到 { $peer } 的回复
    .hint = UDP 不确认是否送达。看看掌控板的屏幕：文字已经显示，就只是回复丢了；没有显示，可能是地址不对、被防火墙挡住，或者 Wi-Fi 隔离了各个设备
    .hint-present = 设备 { $host } 在线（它应答了 ARP），但它的程序没有回复。看看掌控板的屏幕：文字已经显示，就只是回复丢了；没有显示，可能是程序没有运行、端口不同，或者被防火墙挡住
no-neighbour = 连不上 { $host }：{ $interface } 上没有设备应答这个地址
    .hint = 设备开机了吗？和本机在同一个网络里吗？地址有没有变？掌控板现在的地址显示在它的屏幕上，也可以运行 udpcli find
too-few-replies = { $wait } 内只收到 { $peer } 的 { $got } 条回复，应有 { $wanted } 条
    .hint = 用 -w/--wait 把等待时间设长一些，迟到的回复也能收到
unexpected-reply = 收到 { $peer } 的 { $got } 条回复，没有一条与期望的文本相同
    .hint = --format hex 会逐字节显示回复；行尾也算在内（-e --expect 'text\r\n'）
    .hint-message = --format hex 会逐字节显示回复；应收到的回复写在 { $file } 里这条消息的 expect 中，行尾也算在内（"ok\r\n"）
no-datagram = { $timeout } 内没有收到数据报
    .hint = 请检查发送端程序里的地址、本机的防火墙，以及双方是否在同一个网络
    .hint-try = 请检查发送端程序里的地址、本机的防火墙，以及双方是否在同一个网络；运行 udpcli send { $own } hello 可以看出本机这边是否正常
    .hint-filtered = 有 { $filtered } 个数据报来自其他发送端，被 --from 排除了
too-long = { $what }：有 { $len } 字节，而一个 { $family } 的 UDP 数据报最多装 { $max } 字节
    .hint = --file PATH --chunk 1024 可以把很长的载荷分成多个数据报发送
escape = 无法识别 { $what } 中的转义
    .hint = -e 能识别 \n \r \t \0 \\ \xNN 和 \u{ "{" }NNNN{ "}" }
hex = 无法识别 { $what } 中的十六进制数字
    .hint = 每个字节写两位十六进制数字；字节之间可以有空格、逗号、冒号和 0x
encode = { $what } 无法编码
not-utf8 = { $what } 不是 UTF-8 文本
    .hint = 不加 -e、--encoding 和 --line-ending 时，文本会按原来的字节发送；--hex 可以发送任意字节
too-long-to-repeat = { $what } 超过 { $limit } MiB：无法保存下来再发一遍
    .hint = 用 --file PATH 指定普通文件，每一遍都会重新读取
ambiguous-zone = { $address }：{ $first } 和 { $second } 都有这个地址
    .hint = 请写明网络接口：--bind { $address }%{ $first }
other-family = { $local } 无法到达 { $peer }：一个是 IPv4，另一个是 IPv6
    .hint = 给 --bind 一个 { $family } 地址，或者不写 --bind
resolve = 无法解析 { $host }
    .hint = 请检查 { $host } 的拼写和 DNS；直接写 192.168.0.3 这样的地址就不需要 DNS
    .hint-local = { $host } 是设备自己公布的名字（mDNS）；本机可能不会查询这种名字（Linux：安装 libnss-mdns）：请改用设备上显示的地址
no-such-family = { $host } 没有 { $family } 地址
    .hint = 去掉只用 { $family } 的那个选项
no-interface = 没有名为 { $name } 的网络接口
    .hint = 本机的网络接口有：{ $known }
no-interface-address = 网络接口 { $name } 没有 { $family } 地址
    .hint = 给这个接口设置地址，或者换一个接口
socket = 无法为 { $object } 打开 UDP 套接字
option = 无法设置 { $option }
    .hint-denied = 系统要求管理员权限（Linux 上是 CAP_NET_RAW）
bind = 无法绑定 { $local }
    .hint-in-use-listen = UDP 端口 { $port } 被另一个程序占用：请关掉它（往往是另一个 udpcli listen、NetAssist 网络调试助手，或者编程软件里运行着的教程服务端），或者换一个端口：udpcli listen --port { $other }；要共用端口，请给两个程序都加 --reuse-addr，或者都加 --reuse-port
    .hint-in-use-send = UDP 端口 { $port } 被另一个程序占用：请关掉它（往往是另一个 udpcli listen、NetAssist 网络调试助手，或者编程软件里运行着的教程服务端），或者换一个端口：--bind { $other }；要共用端口，请给两个程序都加 --reuse-addr，或者都加 --reuse-port
    .hint-not-ours = 本机没有这个地址；不写地址就在所有地址上监听
    .hint-ours-are = 本机没有这个地址；本机的地址有 { $known }；不写地址就使用所有地址
    .hint-denied-windows = UDP 端口 { $port } 被另一个程序占用且不共享（两边都要加 --reuse-addr），或者被 Windows 保留（netsh interface ipv4 show excludedportrange udp 可以查看）：请换一个端口
    .hint-denied-low = 1024 以下的端口需要管理员权限：请用 1024 以上的端口，例如 6000
    .hint-denied = 系统不允许使用这个端口：请换一个
no-free-port = { $local } 上没有空闲的本地端口
    .hint = 本机的程序占满了系统可分配的端口（Linux：sysctl net.ipv4.ip_local_port_range）：请结束其中一些程序，或者指定这个范围以外的端口
join = 无法加入组播组 { $group }
    .hint = 请指定一个已启用的网络接口：--join GROUP@INTERFACE
    .hint-twice = 这个组加入了两次
send = 无法发送到 { $peer }
    .hint-firewall-here = 请在本机防火墙里放行发往端口 { $port } 的 UDP（Linux 上用 nft list ruleset 或 iptables -S OUTPUT 查看规则）
    .hint-firewall-there = 请让 { $by } 的管理员放行 UDP 端口 { $port }
    .hint-no-route = 本机没有通往这个地址的路由：请让电脑连上掌控板所在的网络（Wi-Fi 或网线），并检查地址
    .hint-broadcast = 如果这是广播地址，加上 --broadcast 就可以发送；否则是本机的防火墙禁止发往那里
    .hint-forbidden = 本机的防火墙禁止发往那里
    .hint-zone = 链路本地地址要写明网络接口：[{ $host }%{ $interface }]:{ $port }
    .hint-own-address = 用 --bind 指定的本机地址无法到达对方时，也会出现这个错误
send-some = 发往 { $peer } 的 { $total } 个数据报中有 { $failed } 个没有送出
receive = 无法在 { $local } 上接收
start = 无法启动{ $what ->
        [event-loop] 事件循环
        [signals] 对 Ctrl-C 的监视
        [second-udpcli] 第二个 udpcli
        [input-thread] 读取输入的线程
        [file-thread] 读取文件的线程
        [raw-mode] 终端的原始模式
        [editor] 编辑器
       *[timer] 定时器
    }
file-open = 无法打开 { $path }
file-read = 无法读取 { $object }
    .hint-folder = 这是一个文件夹：请写文件的路径
file-write = 无法写入 { $object }
    .hint-full = 磁盘已满；之前写入的内容是完整的
    .hint-full-stdout = 磁盘已满

# 运行途中的说明。

waiting-for-reader = 正在等待另一个程序读取 { $path }
empty-datagram = 这是空数据报：有些 ESP32 固件处理不好
cut-by-tutorial = 载荷有 { $len } 字节：教程里的 recvfrom({ $kept }) 会把它截断，只剩 { $kept } 字节
fragmented = 载荷有 { $len } 字节，会被分片：路径 MTU 是 { $mtu }，丢一个分片就丢了整个数据报

# 收发过程中的事件。

truncated = 来自 { $peer } 的数据报有 { $len } 字节，被截断到 { $kept } 字节（--recv-size）；以后再有截断，只计数，不再提示
no-broadcast-flag = 本系统分辨不出广播：广播也会得到回复，每个发送端每秒最多 { $rate } 次（--reply-rate）
group-waits = 还没有网络接口可以加入组播组 { $group }：出现后会自动加入
these = { $items }
group-joined = 已在 { $interface } 上加入组播组 { $group }
send-buffer = 系统只给了 { $granted } 字节的发送缓冲区，不是 { $size }{ $limit ->
        [none] {""}
       *[other] ；管理员可以用 sysctl { $limit } 提高上限
    }
receive-buffer = 系统只给了 { $granted } 字节的接收缓冲区，不是 { $size }{ $limit ->
        [none] {""}
       *[other] ；管理员可以用 sysctl { $limit } 提高上限
    }
bom-dropped = { $name } 以字节顺序标记（BOM）开头，这个标记不会发送
bom-sent = { $name } 以字节顺序标记（EF BB BF）开头，它也会发送：请存成不带 BOM 的 UTF-8
utf16 = { $name } 是 UTF-16，会原样发送，每个字符两个字节：请存成 UTF-8（PowerShell：Out-File -Encoding utf8）
trying-on = 无法发送到 { $peer }：{ $error }；继续尝试
rejected = 发往 { $peer } 的数据报被拦下：{ $how }
unreachable-says = { $by } 报告 { $host } 无法到达：{ $error }
unreachable = { $host } 无法到达：{ $error }
reader-stopped = 读取 { $path } 的程序不再读了：最后 { $lost } 字节已丢失
group-not-joined = 无法在 { $interface } 上加入组播组 { $group }：{ $error }{ $limit ->
        [none] {""}
       *[other] ；管理员可以用 sysctl -w { $limit }={ $wanted } 提高上限
    }

stdout = 标准输出
stdin = 标准输入
the-payload = 要发送的内容
line-of = { $name } 的第 { $line } 行
chunk-of = { $name } 的一块
datagram-of-template = 模板的第 { $number } 个数据报
line-of-input = 输入的第 { $line } 行
