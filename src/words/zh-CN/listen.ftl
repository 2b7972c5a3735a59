
# udpcli listen 的提示。“listening on” 这几个字在各种语言里都一样：有的程序要找它。

save-name = --save { $path }：文件名必须以 .pcap、.pcapng 或 .jsonl 结尾
    .hint = 或者加上 --save-format pcap、pcapng 或 jsonl
save-stdout = --save - 需要指定格式
    .hint = 请加上 --save-format pcap、pcapng 或 jsonl
save-and-format = --save - 把抓包数据写到标准输出，--format 也要写到那里
    .hint = 去掉 --format，或者保存到文件
save-terminal = 抓包数据不能写到终端：--save - 会把字节写到标准输出
    .hint = 请交给别的程序或写入文件：udpcli listen --save - --save-format pcap | tshark -r -
no-reader = 什么也没有接收：没有其他程序打开 { $path } 来读取
the-reply = 回复
separator = --separator 只能用在 --format raw 的载荷之后
raw-escaped = 在终端上，raw 载荷会转义后显示；管道或文件得到的是原样的字节
bind-covered = --bind { $address } 已包含在通配地址里
no-effect-reply = { $flag } 不起作用：没有要回复的内容；请加上 --on 'PATTERN=REPLY'、--replies FILE、--reply TEXT 或 --echo
no-effect-encoding = --encoding 不起作用：这种格式显示的是字节，不是文本
no-effect-timestamps = --timestamps 不起作用：这种格式不显示时间
group-unheard = 没有一个 --bind 地址能接收发往组播组 { $group } 的数据报
    .hint = 去掉 --bind，或者绑定一个与该组同类（IPv4 或 IPv6）的地址
no-panel = --oled 要在终端上画，但这里的输出不是终端
at-loopback = listening on { $local }；只有本机的程序能发到这里
at-address = listening on { $local }；请在掌控板的程序里填写地址 { $address }，端口 { $port }（{ $interface }）
at-addresses = listening on { $local }；请在掌控板的程序里填写地址 { $address }，端口 { $port }（{ $interface }）；从其他网络：{ $others }
card = 在掌控板的程序里填写这个地址：
card-address = { $address }   端口 { $port }   （{ $interface }）
card-others = 从其他网络：
card-other = {"  "}{ $address }（{ $interface }）
qr-narrow = 终端太窄，放不下二维码：请把窗口拉宽
at-lost = listening on { $local }；本机现在没有这个地址：地址恢复之前收不到任何数据
at = listening on { $local }
at-no-address = listening on { $local }；{ $interface } 没有 IPv4 地址：请让它连上掌控板所在的网络
at-no-network = listening on { $local }；本机没有连接网络：请先连上掌控板所用的 Wi-Fi
