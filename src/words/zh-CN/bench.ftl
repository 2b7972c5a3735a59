# 掌控板上的文件、时钟、代码和连续步骤：udpcli board 里这些命令的提示。

made = 已建立 { $path }
copied = 已把 { $from } 复制为 { $to }：{ $len } 字节
moved = 已把 { $from } 移动为 { $to }
both-here = 两个路径都在电脑上
    .hint = 掌控板上的路径以冒号开头：udpcli board cp main.py :
both-kinds = cp 的来源要么都在电脑上，要么都在掌控板上，不能混用
no-folder-here = { $path } 不是电脑上的文件夹：多个文件要放进已有的文件夹
no-file-system = 掌控板没有文件系统
total = 总量
used = 已用
free = 空闲
mounted-at = 挂载点
step = 第 { $index } 步（共 { $count } 步）：{ $step }
stopped-at = 停在第 { $index } 步（共 { $count } 步）：{ $step }
bad-step = 第 { $index } 步（共 { $count } 步）：{ $step }：{ $problem }
open-quote = 引号没有成对
    .hint = 补上另一个引号；文字里有 ' 时用一对 " 括起来，有 " 时用两个 ' 括起来
no-step = { $name } 不能作为步骤
stdin-taken = 标准输入已经用来读取步骤
step-help = 步骤里不能查看帮助：请用 udpcli board COMMAND --help
step-usage = 用法：{ $usage }
step-connection = 连接用的选项写在 do 前面：udpcli board -s PORT do ..
no-steps = 没有步骤
steps-too-long = 步骤列表超过 1 MiB
steps-no-text = 步骤列表不是 UTF-8 文本
