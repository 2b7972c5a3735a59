# udpcli board oled for several boards: the wall of screens.

the-terminal = the terminal
keys = q end  v pictures or texts
keys-pages = q end  v pictures or texts  PgUp PgDn others
keys-errors = q end  v pictures or texts  e errors
keys-pages-errors = q end  v view  PgUp PgDn others  e errors
keys-of-errors = e back to the screens  PgUp PgDn other errors
error = ✗ { $who }: { $error }
boards = boards { $first }-{ $last } of { $count }, { $failed } failed
ending = stopping the programs: every board goes back to its prompt ..
ended = ended
off = off
inverted = inverted
incomplete = incomplete
image-folder = { $path } is one picture, and there are several boards
    .hint = for several boards --image takes a folder: --image screens
saved = saved { $path }
stopped = { $main } was stopped: the board is at its prompt
picture-of = the picture of { $who }
