# Files on the board, its clock, code, and several steps: what the commands of `udpcli board` for a maker's bench say.

made = made { $path }
copied = { $from } copied to { $to }: { $len } bytes
moved = { $from } moved to { $to }
both-here = both paths are on this PC
    .hint = a path on the board begins with a colon: udpcli board cp main.py :
both-kinds = cp takes either files of this PC or files of the board, not both at once
no-folder-here = { $path } is no folder on this PC: several files go into a folder that is there
no-file-system = the board has no file system
total = total
used = used
free = free
mounted-at = mounted at
step = step { $index } of { $count }: { $step }
stopped-at = stopped at step { $index } of { $count }: { $step }
bad-step = step { $index } of { $count }: { $step }: { $problem }
open-quote = a quotation mark is not closed
    .hint = close it, or put a text with a ' between two " and one with a " between two '
no-step = { $name } cannot be a step
stdin-taken = standard input holds the steps already
step-help = a step has no help: ask udpcli board COMMAND --help
step-usage = usage: { $usage }
step-connection = flags for the connection stand before do: udpcli board -s PORT do ..
no-steps = no steps
steps-too-long = the list of steps is longer than 1 MiB
steps-no-text = the list of steps is not UTF-8 text
