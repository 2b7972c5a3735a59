# How far something is: a line every tenth, or the words beside a bar.

progress = { $name } { $percent } %  { $done } of { $total } bytes
progress-rate = { $name } { $percent } %  { $done } of { $total } bytes, { $rate } kB/s
progress-left = { $name } { $percent } %  { $done } of { $total } bytes, { $rate } kB/s, { $left } s left
bar-wide = { $done } of { $total } bytes, { $rate }, { $left } left
bar-middle = { $rate }  { $left } left

# A pipe.
reader-stopped = the program that reads the output has stopped reading: the last { $lost ->
    [one] byte is lost
   *[other] { $lost } bytes are lost
}
