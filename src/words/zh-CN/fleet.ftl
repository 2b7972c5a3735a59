# udpcli board 用于多块掌控板：每块一行，以及结尾。

stopped = 已中断
so-far = { $count } 块掌控板中已完成 { $ended } 块，失败 { $failed } 块
all-done = { $count } 块掌控板全部完成，用时 { $time }
failed = { $boards } 块掌控板中有 { $failed } 块执行失败
who = { $name }（{ $port }）
cause = { $who }：{ $what }
all-and-serial = 不能同时使用 --all 和 -s
one-board = udpcli board { $command } 一次只能用于一块掌控板
    .hint = 可以同时用于多块掌控板（多次使用 -s，或用 --all）的命令：info、put、run、flash、reset、rm 和 oled
one-board-flag = { $flag } 一次只能用于一块掌控板
    .hint = 只指定一个串口：-s PORT
info-name = 名字
delete-needs-yes = 对多块掌控板执行 put --delete 时无法逐块询问
    .hint = 先用 --dry-run 查看会删除什么，再加上 --yes
