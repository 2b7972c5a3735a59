# 按模式回复、模板，以及有名字的消息：udpcli 会说的话。

pattern = 无法识别 { $what } 中的模式
    .hint = 模式可以是整段文本，可以是 re: 加正则表达式，也可以是 hex: 加若干字节，其中 ?? 代表一个字节，* 代表任意多个字节
    .hint-cut = 模式到第一个 = 为止：属于模式的 = 请写成 \=，例如：--on 're:^x\=(\d+)$=ok { "{" }1{ "}" }'
template = 无法识别 { $what } 中的模板
    .hint = 可用的字段有 { "{" }seq:04{ "}" } { "{" }time:%H:%M:%S{ "}" } { "{" }unix_ms{ "}" } { "{" }rand:8{ "}" } { "{" }rand:1..100{ "}" } { "{" }line{ "}" }
    .hint-no-line = 可用的字段有 { "{" }seq:04{ "}" } { "{" }time:%H:%M:%S{ "}" } { "{" }unix_ms{ "}" } { "{" }rand:8{ "}" } { "{" }rand:1..100{ "}" }
    .hint-reply = 可用的字段有 { "{" }seq:04{ "}" } { "{" }time:%H:%M:%S{ "}" } { "{" }unix_ms{ "}" } { "{" }rand:8{ "}" } { "{" }rand:1..100{ "}" } { "{" }from{ "}" } { "{" }line{ "}" }，以及正则表达式的分组：{ "{" }0{ "}" } { "{" }1{ "}" } { "{" }name{ "}" }
    .hint-nearest = 是不是想写 { $nearest }？
    .hint-braces = 可用的字段有 seq、time、unix_ms、rand、line；花括号本身要写两遍：{ "{{" } 或 { "}}" }
    .hint-braces-no-line = 可用的字段有 seq、time、unix_ms、rand；花括号本身要写两遍：{ "{{" } 或 { "}}" }
    .hint-braces-reply = 可用的字段有 seq、time、unix_ms、rand、from、line，以及正则表达式的分组；花括号本身要写两遍：{ "{{" } 或 { "}}" }
    .hint-pipe = 各行来自管道：seq 3 | udpcli send 192.168.0.3:6000 --template 'line { "{" }line{ "}" }'
no-equals = --on { $text }：模式和回复之间没有 =
    .hint = 请这样写：--on 'temp?=23'
    .hint-typed = ＝ 是用中文输入法输入的：请写成 { $line }
reply-in-file = { $path } 第 { $line } 行
project-replies = 按 { $path } 里的 { $count } 条规则回复；加 --no-project 就不用它们
too-many-rules = 按模式回复的规则超过 { $most } 条
    .hint = 一个正则表达式可以代表多段文本：re:^led (on|off)$ 能匹配两段
rules-together = { $sources } 合在一起无法用来按模式回复：{ $problem }
reply-of = { $path } 第 { $line } 行的回复
reply-too-long = 一条回复就是一个数据报：请写短一些
reply-of-rule = { $rule } 的回复
too-many-expressions = 带正则表达式的回复规则超过 { $most } 条
    .hint = 把几条合成一条：re:^cmd(\d+) (\w+)$ 就代表 cmd1、cmd2 等等；整段文本和 hex: 不计在内

regex-too-large = 正则表达式太大：请减少重复次数
too-large-together = 加上这一条，各个正则表达式一共要占 { $most } MiB 以上的内存
    .hint = 请减少重复次数；\w、\d、\s 包含各种语言的字母和数字，写成 [A-Za-z0-9_]、[0-9]、[ \t] 要小得多
half-byte = 第 { $at } 个字符处只有一个 ?：?? 代表一个字节
too-long-with-gaps = 带 * 的 hex 模式最多 { $most } 字节
pattern-too-long = 模式比一个数据报还长
unknown-field = 第 { $at } 个字符处的 { "{" }{ $name }{ "}" } 不是已知的字段
unknown-field-nearest = 第 { $at } 个字符处的 { "{" }{ $name }{ "}" } 不是已知的字段，也许是 { $nearest }
unclosed = 第 { $at } 个字符处的字段没有结尾的 { "}" }
stray = 第 { $at } 个字符处的 { "}" } 前面没有对应的 { "{" }
wrong-option = 第 { $at } 个字符处的 { "{" }{ $name }:{ $option }{ "}" }：{ $problem }
no-option = 名称后面不能再写别的
width = 请写 1 到 { $most } 的宽度；04 表示前面补零
range = 请写两个整数（从 { $least } 到 { $most }），例如 { "{" }rand:1..100{ "}" }
backwards = 第一个数不能比第二个大
random = 请写十六进制数字的个数（1 到 { $most }），或者 1..100 这样的范围
time-directive = 第 { $at } 个字符处的 { $directive } 不存在；%Y-%m-%d 是日期，%H:%M:%S 是时间，%% 是百分号本身
time-unfinished = 第 { $at } 个字符处的 % 后面没有字母；%% 是百分号本身
not-in-a-message = 第 { $at } 个字符处的 { "{" }{ $name }{ "}" } 不能用在消息里
no-lines = 第 { $at } 个字符处的 { "{" }line{ "}" } 需要来自标准输入的行
no-group = 第 { $at } 个字符处的字段要用分组 { $name }，模式里没有这个分组
template-too-long = 模板超过 { $most } 字节
    .hint = 一个数据报最多 { $most } 字节：请把模板写短一些
over-limit = { $what } 超过了 { $max } 字节，一个 { $family } 的 UDP 数据报装不下
no-character-hint = { $encoding } 写不出 { $character }：请去掉它，或者换一种编码：--encoding utf-8，在文件里写 encoding = "utf-8"
