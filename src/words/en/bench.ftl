# The `udpcli board` commands for files, the clock and code, and `board do`.

made = made { $path }
copied = { $from } copied to { $to }: { $len } bytes
moved = { $from } moved to { $to }
both-here = both paths are on this PC
    .hint = a path on the board begins with a colon: udpcli board cp main.py :
both-kinds = cp copies either files on this PC or files on the board, not both at once
no-folder-here = { $path } is not a folder on this PC: several files need an existing folder as their destination
no-file-system = the board has no file system
total = total
used = used
free = free
mounted-at = mounted at
step = step { $index } of { $count }: { $step }
stopped-at = stopped at step { $index } of { $count }: { $step }
bad-step = step { $index } of { $count }: { $step }: { $problem }
open-quote = a quotation mark is not closed
    .hint = close it; put text that contains ' between two ", and text that contains " between two '
no-step = { $name } cannot be a step
stdin-taken = standard input is already used for the steps
step-help = a step cannot show help: type udpcli board COMMAND --help
step-usage = usage: { $usage }
step-connection = flags for the connection go before do: udpcli board -s PORT do ..
no-steps = no steps
steps-too-long = the list of steps is longer than 1 MiB
steps-no-text = the list of steps is not UTF-8 text
