# 汇总的各项。单独放一个文件：只输出汇总的命令不必读取其他内容。

separator = ，
datagrams = { $n } 个数据报
bytes = { $n } 字节
errors = { $n } 个错误
refused = { $n } 次被拒绝
replies = { $n } 条回复
rtt = RTT 最小/中位/p99/最大 { $figures } ms
elapsed = 用时 { $time }
rate = 每秒 { $rate } 个
peers = { $n } 个发送者
more-peers = 超过 { $n } 个发送者
dropped = 内核丢弃 { $n } 个
dropped-about = 内核丢弃约 { $n } 个
dropped-unknown = 本系统不报告内核丢弃的个数
truncated = 截断 { $n } 个
lost = 丢失 { $lost } 个，重复 { $duplicate } 个，乱序 { $reordered } 个
unsequenced = { $n } 个没有序号
unfollowed = { $n } 个来自超出跟踪数量的发送者
delay = 单程延迟 最小/中位/p99/最大 { $figures } ms
clocks-differ = { $n } 个没有延迟值（时钟不一致）
filtered = 排除了其他发送者的 { $n } 个
answered = 回复了 { $n } 个
withheld = { $n } 个未回复（超过速率、组播，或本机自己的地址）
answers-failed = { $n } 条回复发送失败
