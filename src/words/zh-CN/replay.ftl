# send --replay 读取的抓包文件。

failed = 无法重放 { $what }
no-capture = 它不是 pcap 或 pcapng 文件，也不是 udpcli listen 写的 JSON 行
    .hint = editcap -F pcap IN OUT 可以转换其他抓包文件；它随 Wireshark 安装
gzip = 它是压缩文件：gunzip -c FILE.gz | udpcli send 192.168.0.3:6000 --replay -
short-header = 文件在文件头里就中断了
short = 文件在第 { $number } 个包中间中断了
damaged-block = 第 { $number } 个包的块已损坏：里面的长度互相矛盾
too-long-record = 第 { $number } 个包声称有 { $len } 字节
link-type = 其中的包属于链路类型 { $link }；udpcli 能读取以太网、原始 IP、Linux cooked 和环回的抓包
line = 第 { $number } 行：{ $problem }
no-json = 它不是 JSON 对象
long-line = 它超过 1 MiB
no-key = 缺少键 { $key }，或者它的值不对
other-encoding = 文本的长度与记录的不同：录制时用的是别的编码；请加上录制时的 --encoding
stdin-again = 标准输入不能重放多次
    .hint = 请先把它写进文件
nothing-sent = 什么也没有发送：{ $name } 里没有要发送的数据报
left-out = 略过 { $n } 个包（{ $reasons }）
not-udp = { $n } 个不是 UDP
fragments = { $n } 个分片凑不齐数据报
cut = { $n } 个没有录完整
damaged = { $n } 个包头损坏
unknown-link = { $n } 个链路类型未知
other-sender = { $n } 个不符合 --from
other-port = { $n } 个不符合 --to-port
too-long = { $n } 个对这个地址来说太长
