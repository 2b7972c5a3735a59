
# udpcli send 的提示。

ttl-zero = --ttl 0：发往 { $peer } 的数据报不会离开本机
    .hint = --ttl 1 能到达本机所在的网络；0 只能用于组播组
to-itself = { $peer } 就是这条命令自己的地址（--bind）：发出的数据报会回到自己这里，其他程序收不到
next-address = { $peer }：{ $problem }；改试 { $next }，它也是 { $host } 的地址
next-address-refused = { $peer }：被拒绝；改试 { $next }，它也是 { $host } 的地址
nothing-sent = 什么也没有发送，内容是空的：{ $name }
nothing-sent-payload = 什么也没有发送：载荷是空的
waiting-for-writer = 正在等待另一个程序写入 { $path }
waiting-for-dns = 正在等待域名服务器：{ $host }
no-writer = { $time } 内没有其他程序打开它来写入
no-dns = { $time } 内域名服务器没有应答
not-for-text = -e/--escape 和 --line-ending 只作用于文本载荷：消息和行
size-too-small = --size { $len } 太小：序号和发送时间要占 { $header } 字节
    .hint = 直接写消息时长度不限
pattern-without-rate = --pattern 需要一个平均速率
    .hint = 加上 --rate N（每秒的数据报个数）或 --interval D
ramp-without-rate = --ramp 需要知道速率最后升到多少
    .hint = 加上 --rate N：速率从 N 的十分之一升到 N
ramp-without-end = --ramp 需要知道速率用多长时间上升
    .hint = 加上 --duration D；数据报个数确定时也可以加 -n N
start-tutorial = 正在向 { $peer } 发送 { $message }，按 Ctrl-C 结束
start-interactive = 每一行都发往 { $peer }；按 Ctrl-D（Windows：Ctrl-Z 再按回车）或 Ctrl-C 结束
backslashes = 反斜杠会原样发送：加上 -e 才把 \n、\r、\t、\xNN 变成真正的字符
no-effect-once = { $flag } 不起作用：只发送一个数据报；用 -n N 或 --duration D 多发几个
no-effect-group = { $flag } 不起作用：目的地址不是组播组
no-effect-port = { $flag } 不起作用：它用来共用端口，但没有指定端口；请加上 --bind IP:PORT
no-effect-format = { $flag } 不起作用：它决定怎样显示回复，但没有等待回复；请加上 -w 1s
no-effect-encoding = { $flag } 不起作用：载荷不是文本，也没有等待回复
the-expected-text = 期望的文本
