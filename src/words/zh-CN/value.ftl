# 参数或设置的值错在哪里，应当怎样写。

duration = 时长要写成 250ms、2s、1m30s 这样，或者直接写秒数，例如 0.5
duration-too-long = 超过了 100 年
encoding = 不认识这种编码；可以用 utf-8、gbk、gb18030、big5、shift_jis、euc-kr、windows-1252、utf-16le 等，或者 auto
prefix = 要写成 IP 或 IP/前缀长度，例如 192.168.0.0/24
prefix-length = 前缀长度是 0 到 { $most } 之间的整数
group = 要写成“组播地址”或“组播地址@网络接口”，例如 239.1.2.3@eth0
group-interface = @ 后面缺少网络接口
no-group = { $address } 不是组播地址（224.0.0.0/4 或 ff00::/8）
rate = 要写每秒的数据报个数，例如 100 或 50k，或者 max
speed = 要写录制速度的倍数，例如 2 或 0.5，或者 max
rate-range = 速率必须大于 0，最大每秒 { $most } 个数据报；写 max 表示不限速

scheme = 去掉 { $rest } 前面的部分
bracket = 方括号没有写完整：应写成 [IPv6]:PORT
brackets = IPv6 地址要放在方括号里：[{ $host }]:{ $port }
no-port = 缺少端口：要写成 HOST:PORT（主机和端口，中间是英文冒号），例如 192.168.0.3:6000
no-port-after-bracket = 缺少端口：应写成 [{ $host }]:6000
no-port-ipv6 = 缺少端口；IPv6 地址要放在方括号里，后面写端口：[{ $address }]:6000
no-host = 缺少主机：要写成 HOST:PORT（主机和端口，中间是英文冒号），例如 192.168.0.3:6000
four-numbers = { $host } 不是 IPv4 地址：IPv4 地址是四个 0 到 255 之间的整数，例如 192.168.0.3
comma = 地址里用的是点号，不是逗号：{ $meant }
port-zero = 不能发往端口 0
no-such-port = { $port } 不是 1 到 65535 之间的端口号

above-zero = 必须大于 0
at-least-10ms = 不能小于 10ms
at-most-gib = 不能超过 1 GiB
number = 应当是 { $least } 到 { $most } 之间的整数
whole-number = 应当是一个整数
port = 应当是 0 到 65535 之间的端口号
address = 应当是本机的一个地址，例如 127.0.0.1、192.168.0.10、:: 或 fe80::1%eth0
listen-address = 要写成 PORT 或 IP:PORT，例如 7000、127.0.0.1:7000 或 [::1]:7000
local-address = 要写成 IP 或 IP:PORT，例如 192.168.0.10、192.168.0.10:5000 或 [::1]:5000
target = 要写成 IP:PORT（IPv4 地址和端口），例如 192.168.0.3:6000
size = 要写字节数，或者 64k、4MiB 这样的大小
sizes-reversed = 前一个大小 { $first } 比后一个 { $last } 大：要先写小的，例如 64..1024
pattern = 要写 poisson，或者 burst:N，N 是 1 到 { $most } 之间的整数，例如 burst:10
size-too-large = 超过了 1 TiB
unit = { $unit } 不是单位：可以用 k、M、G（按 1024 进位），或者 kB、MB、GB（按 1000 进位）
tos = 应当是 0 到 255 之间的整数，也可以写成 0x00 到 0xff

offset = { $text } 不是闪存里的偏移地址：要写成 0x1000 或 4096 这样，最大 0xffffffff
    .hint = 例如：fw.bin@0x1000
no-file-for-offset = 偏移地址 { $offset } 后面没有文件
    .hint = 写成 { $offset } fw.bin，或者 fw.bin@{ $offset }
two-offsets = { $path } 有两个偏移地址
    .hint = 去掉 { $offset }

lang = 应当是 auto、en 或 zh-CN
checksum = 应当是 { $names } 之一；后面可以加 :le 或 :be 指定字节序
checksum-one-byte = { $name } 只有一个字节：去掉 :le 或 :be

hex-digit = 第 { $at } 个字符 { $found } 不是十六进制数字
hex-half = 第 { $at } 个字符处的字节只有一位数字：一个字节要写两位
escape-unknown = 第 { $at } 个字符处的转义 \{ $letter } 无法识别
escape-unfinished = 第 { $at } 个字符处的转义没有写完
escape-octal = 第 { $at } 个字符处的 \0 后面跟着数字，意思不明确：请写成 \xNN（八进制的 \033 是 \x1b，NUL 是 \x00）
escape-digits = 第 { $at } 个字符处的转义缺少十六进制数字：要写成 \xNN 或 \u{ "{" }NNNN{ "}" }
no-character = { $encoding } 里没有 { $character }（U+{ $code }）
expression = 正则表达式有误：{ $problem }

# 操作系统报告的错误；括号里是原文，便于搜索。
os-no-file = 没有这个文件或文件夹（{ $system }）
os-denied = 没有权限（{ $system }）
os-not-permitted = 系统不允许（{ $system }）
os-is-folder = 这是一个文件夹（{ $system }）
os-not-folder = 路径里有一段不是文件夹（{ $system }）
os-in-use = 地址和端口已被占用（{ $system }）
os-not-ours = 本机没有这个地址（{ $system }）
os-unreachable = 没有通往这个网络的路由（{ $system }）
os-no-route = 到不了这台主机（{ $system }）
os-busy = 设备正被别的程序占用（{ $system }）
os-full = 磁盘已满（{ $system }）
os-io = 读写出错，设备可能已经拔下（{ $system }）
os-no-device = 没有这个设备（{ $system }）
os-not-terminal = 这不是串口（{ $system }）
os-not-typewriter = 这不是串口（{ $system }）
os-read-only = 文件系统是只读的（{ $system }）
os-no-name = 查不到这个名字的地址（{ $system }）
os-too-long = 数据报太长（{ $system }）
os-timed-out = 连接超时（{ $system }）
os-refused = 连接被拒绝（{ $system }）
