# 名单。

encoding = { $path } 既不是 UTF-8 也不是 GBK
row = { $path } 第 { $line } 行：缺少板子或名字
long-name = { $path } 第 { $line } 行：名字超过 64 个字符
twice = { $path } 第 { $line } 行：这块板子已经有名字了
hint = 名单是 CSV 文件，每块板子一行：24:0a:c4:00:01:17,Li Hua,A1
