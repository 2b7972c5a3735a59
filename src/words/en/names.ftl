# The list of names.

encoding = { $path } is neither UTF-8 nor GBK
row = { $path }, line { $line }: a line needs a board and a name
long-name = { $path }, line { $line }: the name has more than 64 characters
twice = { $path }, line { $line }: this board has a name already
hint = a list of names is a CSV file, one line per board: 24:0a:c4:00:01:17,Li Hua,A1
several = the list of names has several boards called { $name }
no-address = the list of names has only a port or USB chip for { $name }, and no network address
unknown = no list of names has a board called { $name }, and no board on the network has this name
not-found = no device on this PC's networks has the MAC address of { $name }
search-by-host-name = there is no list of names; searching for a board that calls itself { $name }
board-hint = udpcli find shows the boards on the network, with their names if you add --names FILE; is { $name } switched on, and on the same Wi-Fi as this PC?
no-mac = the board on { $port } does not tell its MAC address: { $error }
template-line = { $board } is the board on { $port }
template = { $path } has a line for { $count ->
        [one] 1 board
       *[other] each of { $count } boards
    }; write the names into its second column
exists = { $path } exists already
    .hint = udpcli never overwrites a list of names: give another file name
