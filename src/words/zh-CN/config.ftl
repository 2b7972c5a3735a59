# 配置文件：哪里不对；以及 udpcli config 在设置旁边显示的说明。

read = 无法读取 { $path }
too-long = { $path } 超过了 { $most } 字节
payload = 无法读取所用的文件（{ $what }）
at = { $path } 第 { $line } 行第 { $column } 列
syntax = { $at }：{ $problem }
    .hint = 这是 TOML 文件（https://toml.io）：文本要加引号，例如 names = "names.csv"
    .hint-key = 名字里如果有 A-Z、a-z、0-9、- 和 _ 以外的字符，就要加引号，例如 [messages."开灯"]
    .hint-typed = { $typed } 是用中文输入法输入的：请改成英文（半角）字符
unknown-key = { $at }：没有 { $key } 这个键
    .hint = 可以用的键有：{ $known }
    .hint-nearest = 是不是想写 { $nearest }？
unknown-key-in = { $at }：{ $table } 里没有 { $key } 这个键
not-of-project = { $at }：{ $key } 是这台电脑的设置，不能写在项目里
    .hint = { $file } 会和别的电脑共用，那里的 { $key } 不一样：把这一行移到 { $path }
    .hint-no-folder = { $file } 会和别的电脑共用，那里的 { $key } 不一样：把这一行移到你自己的设置里
not-of-user = { $at }：{ $key } 是项目的设置，不能写在这台电脑的设置里
    .hint = 把它移到项目文件夹的 { $file } 里
wrong-type = { $at }：{ $key } 应当是{ $wanted }，现在是{ $found }
value = { $at }：{ $key }：{ $problem }
value-problem = { $value }：{ $problem }
each-entry = { $key } 里的每一项

wanted-text = 加引号的文本
wanted-full-text = 加引号、内容不为空的文本
wanted-texts = 文本的列表，例如 ["*.bak", "notes"]
wanted-number = 整数
wanted-duration = 时长，例如 "2s"
wanted-percent = 百分数（0 到 100）
wanted-message = 一个表：[messages.名字]
wanted-replies = 表的列表：[[replies]]
found-empty-text = 空文本
found-text = 文本
found-number = 整数
found-fraction = 小数
found-boolean = true 或 false
found-date = 日期或时间
found-list = 列表
found-table = 表

utf-16 = 这个文件是 UTF-16 编码：请另存为 UTF-8
not-utf-8 = 这里不是 UTF-8：请把文件另存为 UTF-8
is-folder = 这是一个文件夹，不是文件
not-regular = 这不是普通文件
empty-text = 文本是空的：不需要就去掉这个键
no-baud = { $baud } 不能用作波特率：应当是 { $least } 到 { $most } 之间的整数
out-of-range = { $number } 超出了范围
over-a-day = 超过了一天
percent = 应当是 0 到 100 之间的数
message-name = 消息的名字只能用文字、数字、-、_ 和 .
no-pattern = 缺少 on 这个键，也就是要回复什么样的数据报
encoding-of-bytes = encoding 在这里不起作用：字节和文件会原样发送
two-bodies = { $first } 和 { $second } 不能同时写
no-body = 没有可以发送的内容：{ $keys } 里要写一个

toml-unquoted = 文本要加引号
toml-no-opening = 文本前面缺少引号
toml-open-text = 文本后面缺少引号
toml-backslash = 反斜杠是转义的开头：要写两个反斜杠，或者把文本放在'单引号'里
toml-control = 这里不能有控制字符：删掉它，或者写成转义，例如 \r
toml-key = 这个键要加引号
toml-key-lines = 键只用一对引号，不能用三引号
toml-duplicate = 这个键写了两遍
toml-extend = 这个键已经有值了，下面不能再放别的键
toml-no-value = 键后面缺少等号 = 和值
toml-value = 等号 = 后面缺少值
toml-equals = 多了一个等号 =
toml-open-table = 方括号没有写完整，缺少 ]
toml-open-tables = 方括号没有写完整，缺少 ]]
toml-open-array = 列表没有写完整，缺少 ]
toml-open-inline = 大括号没有写完整，缺少 { "}" }
toml-comma = 两项之间缺少逗号
toml-extra-comma = 多了一个逗号
toml-boolean = 这里只能写 true 或 false；如果是文本，要加引号
toml-number = 数的写法不对：要写成 115200、-5 或 0.5 这样；如果是文本，要加引号
toml-date = 日期或时间的写法不对；如果是文本，要加引号
toml-other = 这里多出了内容：一行只写一个键和它的值，例如 names = "names.csv"

project = 项目：{ $path }
project-missing = 项目：{ $path }（没有这个文件）
user = 这台电脑：{ $path }
user-missing = 这台电脑：{ $path }（没有这个文件）
user-no-folder = 这台电脑：不知道设置应当放在哪个文件夹
unset = { $key }：{ $meaning }
unset-serial = 自动找到的唯一一块掌控板
unset-names = 没有名单文件
from-environment = 环境变量 { $name }
from-file = { $path } 第 { $line } 行
from-default = 默认值
serial-set = 串口 { $port } 是在 { $path } 第 { $line } 行设置的
