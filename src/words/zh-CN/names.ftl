# 名单。

encoding = { $path } 既不是 UTF-8 也不是 GBK
row = { $path } 第 { $line } 行：缺少板子或名字
long-name = { $path } 第 { $line } 行：名字超过 64 个字符
twice = { $path } 第 { $line } 行：这块板子已经有名字了
hint = 名单是 CSV 文件，每块板子一行：24:0a:c4:00:01:17,Li Hua,A1
several = 名单里有几块掌控板都叫 { $name }
no-address = 名单里只有 { $name } 的串口或 USB 序列号，没有地址
unknown = 名单里没有叫 { $name } 的掌控板，网络上也没有掌控板用这个名字
not-found = 这台电脑的网络上没有 { $name } 的 MAC 地址
search-by-host-name = 没有名单；正在寻找名叫 { $name } 的掌控板
board-hint = udpcli find 会列出网络上的掌控板，加 --names FILE 时显示名字；{ $name } 开机了吗？和这台电脑在同一个 Wi-Fi 里吗？
no-mac = 没能读到 { $port } 上掌控板的 MAC 地址：{ $error }
template-line = { $board } 是 { $port } 上的掌控板
template = { $path } 里列出了 { $count } 块掌控板，每块一行；请把名字写进第二列
exists = { $path } 已经存在
    .hint = udpcli 不会覆盖已有的名单：请换一个文件名
