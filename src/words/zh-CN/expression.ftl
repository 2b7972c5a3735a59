# 正则表达式哪里写错了，该怎么写。

at = 正则表达式第 { $at } 个字符处有错：{ $problem }
group-open = 左括号 ( 没有对应的右括号 )
group-closes-nothing = 右括号 ) 没有对应的左括号 (；要匹配括号本身，请写 \)
class-open = [ 没有对应的 ]
class-range = 范围写反了：像 a-z 这样，前一个字符要排在后一个之前
class-escape = [ 和 ] 之间可以写字符、a-z 这样的范围，以及 \d、\s、\w
escape-at-end = 反斜杠后面没有内容；\\ 表示反斜杠本身
escape = 没有这种转义；\. 和 \( 表示符号本身，\d 是数字，\s 是空白，\w 是字母
code = 用编号写字符时，请写 \xNN 或 \x{ "{" }NNNN{ "}" }，NN 是十六进制数字
flags = 标志请写成 (?i) 或 (?s:..)：可用的字母有 i、m、s、x、u、U、R，每个只写一次
group-name = 有名字的分组请写成 (?<name>..)：名字以字母开头，由字母、数字和 _ 组成
group-name-twice = 前面已有同名的分组
nesting = 分组最多嵌套 { $most } 层
repetition-order = 重复次数的前一个数比后一个大：请把小的写在前面，例如 { "{" }2,5{ "}" }
repetition-count = 重复次数请写成 { "{" }2{ "}" }、{ "{" }2,{ "}" } 或 { "{" }2,5{ "}" }；要匹配花括号本身，请写 \{ "{" }
nothing-repeated = 这个符号前面没有可以重复的内容；前面加反斜杠就表示符号本身
word-boundary = \b 后面只能写 { "{" }start{ "}" }、{ "{" }end{ "}" }、{ "{" }start-half{ "}" }、{ "{" }end-half{ "}" }
unknown-class = udpcli 不认识这一类字符；它认识 \d、\s、\w
back-reference = 这里不能用 \1 这类写法来重复某个分组匹配到的内容
look-around = 这里不能用 (?=..)、(?!..)、(?<=..)、(?<!..)
beyond-ascii = (?-u) 之后，[ 和 ] 之间只能写 ASCII 字符；\xNN 表示任意一个字节
other = udpcli 看不懂这里的写法
