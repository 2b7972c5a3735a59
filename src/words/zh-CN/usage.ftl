# 命令行哪里写错了，应当怎样写。

conflict = { $argument } 不能和 { $other } 一起用
conflict-several = { $argument } 不能和这些一起用：{ $others }
conflict-any = { $argument } 不能和这里的其他某个选项一起用
twice = { $argument } 只能写一次
no-equals = { $argument } 和它的值之间要写等号
no-value = { $argument } 后面缺少值
no-value-of = { $argument } 后面缺少值，可以写：{ $values }
value = { $argument } 的值“{ $value }”不对
value-of = { $argument } 的值“{ $value }”不对，可以写：{ $values }
value-because = { $argument } 的值“{ $value }”不对：{ $problem }
command = 没有“{ $command }”这个命令
missing = 还缺少必须写的参数：{ $arguments }
no-command = { $command } 后面还要写一个命令：{ $commands }
not-utf-8 = 命令行里有不是 UTF-8 的字符
too-many-values = { $argument } 的值“{ $value }”是多余的
too-few-values = { $argument } 至少要写 { $least } 个值，现在只有 { $given } 个
number-of-values = { $argument } 要写 { $wanted } 个值，现在有 { $given } 个
negative = { $argument } 的值“{ $value }”不对：不能小于 0
argument = 不认识“{ $argument }”
message-taken-for-flags = 以 - 开头的消息会被当成选项
other = 命令行有误：{ $error }

similar-command = 是不是想写 { $guess } 命令？
similar-commands = 是不是想写下面的某个命令？{ $guesses }
similar-argument = 是不是想写 { $guess }？
similar-arguments = 你要写的是不是下面某一个？{ $guesses }
similar-value = 是不是想写 { $guess }？
similar-values = 你要写的是不是下面某一个？{ $guesses }
as-value = 如果要把 { $value } 当作内容，请写成 { $line }
after-dashes = { $command } 是一个命令；要用它，就去掉前面的 --
exists = 可以写 { $line }
typed-word = { $typed } 是用中文输入法输入的：请写成 { $meant }
typed-space = 里面的空格是全角的（中文输入法）：请写成 { $meant }
flag-as-message = “{ $flag }”是用中文输入法输入的：在这里它是一条消息，不是选项
    .hint = 请写成：{ $line }；如果就是要发送它，请在它前面加上 --
typed = { $typed } 是用中文输入法输入的：请切换到英文输入，再重新输入这个值
form = 用法：udpcli { $arguments }
see = 详细用法：udpcli{ $command } --help

write = 请写成：{ $line }
listen-on = 要监听端口 { $port }，请写：{ $line }
listen-on-default = 要监听端口 { $port }，请写：{ $line }（默认端口就是 { $port }，直接写 udpcli listen 也可以）
