# 有名字的消息：send HOST:PORT @名字，以及 udpcli messages。

message = 消息 { $name }
message-of = { $file } 里的消息 { $name }
no-name = @ 后面缺少消息的名字
    .hint = 请写成 @led-on 这样（udpcli messages 列出所有名字）；要发送 @ 这个符号本身，请写 @@
unknown = { $file } 里没有消息 { $name }
    .hint = 要发送这段文字本身，请多写一个 @：@@{ $text }；udpcli messages 列出所有名字
    .hint-nearest = 是不是想写 @{ $nearest }？要发送这段文字本身，请多写一个 @：@@{ $text }
no-file = 没有消息 { $name }：当前文件夹里没有 { $file }
failed = 第 { $number } 条消息（共 { $count } 条）{ $name } 失败
not-in-a-conversation = 消息自己写明了要等什么回复，就不能再用 { $flag }
    .hint = 请把 expect 和 wait 写进 { $file } 的消息里；-w D 用于没有写 wait 的消息
report-without-messages = --format junit 报告的是有名字的消息
    .hint = 先在 udpcli.toml 里给消息起名，然后：udpcli send 192.168.0.3:6000 @led-on @led-off --format junit
report-too-long = --format junit 最多报告 { $most } 条消息
    .hint = 用 -n N 指定轮数
junit-not-sent = 没有发送：前面的消息失败了
junit-interrupted = 运行被中断了
none = { $path } 里没有消息：一条消息就是一个表 [messages.名字]
none-without-file = 当前文件夹里没有 { $path }，有名字的消息写在这个文件里
