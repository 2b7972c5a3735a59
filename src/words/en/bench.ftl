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
