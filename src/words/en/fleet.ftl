# udpcli board, for several boards: their rows and the end.

stopped = stopped
so-far = { $ended } of { $count } boards done, { $failed } failed
all-done = { $count ->
        [one] 1 board
       *[other] { $count } boards
    }, all done in { $time }
failed = the command failed for { $failed } of { $boards } boards
who = { $name } ({ $port })
cause = { $who }: { $what }
all-and-serial = --all and -s were both given
one-board = udpcli board { $command } is for one board at a time
    .hint = for several boards at once (-s more than once, or --all): info, put, run, flash, reset, rm and oled
one-board-flag = { $flag } is for one board at a time
    .hint = name one port: -s PORT
info-name = name
delete-needs-yes = put --delete cannot ask about each of several boards
    .hint = see what would be removed with --dry-run, then add --yes
