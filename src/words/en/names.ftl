# The list of names.

encoding = { $path } is neither UTF-8 nor GBK
row = { $path }, line { $line }: not a board and a name
long-name = { $path }, line { $line }: the name has more than 64 characters
twice = { $path }, line { $line }: this board has a name already
hint = a list of names is a CSV file, one line per board: 24:0a:c4:00:01:17,Li Hua,A1
