# How far something is: a line every tenth, or the words beside a bar.

progress = { $name } { $percent } %  { $done } of { $total } bytes
progress-rate = { $name } { $percent } %  { $done } of { $total } bytes, { $rate } kB/s
progress-left = { $name } { $percent } %  { $done } of { $total } bytes, { $rate } kB/s, { $left } s left
bar-wide = { $done } of { $total } bytes, { $rate }, { $left } left
bar-middle = { $rate }  { $left } left
