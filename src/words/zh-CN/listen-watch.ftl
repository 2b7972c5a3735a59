# udpcli listen --watch：发送端的实时画面。

the-terminal = 终端
no-terminal = --watch 需要终端：下面把数据报逐行打印出来
save-stdout = --watch 和 --save - 都要写标准输出
    .hint = 请保存到文件：--save lesson.pcapng
title = 在掌控板的程序里填写这个地址：{ $address }，端口 { $port }
totals = { $senders } 个发送端  { $datagrams } 个数据报  { $bytes } 字节  每秒 { $rate } 个
lost = 丢失 { $lost }（{ $percent }）
paused = 已暂停
senders = 发送端 { $first }-{ $last }，共 { $all } 个
senders-filtered = 发送端 { $first }-{ $last }，含“{ $filter }”的 { $found } 个（共 { $all } 个）
rest = 其余发送端共 { $datagrams } 个数据报
newest = 最新的数据报
bytes = { $len } 字节
keys = q 结束  ↑↓ PgUp PgDn 滚动  s 排序  r 反序  / 筛选  空格 暂停  w 保存
typing = 筛选：{ $filter }_   Enter 保留，Esc 清除
ending = 正在结束……
saved = 已把 { $n } 个发送端保存到 { $path }
not-saved = 无法保存发送端：{ $error }

# 各列。

name = 名字
address = 发送端
datagrams = 个数
rate = 每秒
loss = 丢失
past = 最近几秒
age = 距今
text = 最近的文字
