# 进度：每十分之一一行，或者进度条旁边的文字。

progress = { $name } { $percent } %  共 { $total } 字节，已完成 { $done } 字节
progress-rate = { $name } { $percent } %  共 { $total } 字节，已完成 { $done } 字节，{ $rate } kB/s
progress-left = { $name } { $percent } %  共 { $total } 字节，已完成 { $done } 字节，{ $rate } kB/s，还要 { $left } 秒
bar-wide = { $done } / { $total } 字节，{ $rate }，还要 { $left }
bar-middle = { $rate }  还要 { $left }

# A pipe.
reader-stopped = 读取输出的程序不再读了：最后 { $lost } 字节已丢失
