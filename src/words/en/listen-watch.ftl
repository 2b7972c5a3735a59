# udpcli listen --watch: the live view of the senders.

the-terminal = the terminal
no-terminal = --watch needs a terminal: udpcli prints the datagrams as lines
save-stdout = --watch and --save - both write to standard output
    .hint = save to a file: --save lesson.pcapng
title = type this address into the board's program: { $address }, port { $port }
totals = { $senders ->
    [one] 1 sender
   *[other] { $senders } senders
    }  { $datagrams } datagrams  { $bytes } bytes  { $rate } datagrams/s
lost = lost { $lost } ({ $percent })
paused = paused
senders = senders { $first }-{ $last } of { $all }
senders-filtered = senders { $first }-{ $last } of { $found } with "{ $filter }" (of { $all })
rest = { $datagrams } datagrams of further senders
newest = newest datagrams
bytes = { $len ->
    [one] 1 byte
   *[other] { $len } bytes
    }
keys = q end  ↑↓ PgUp PgDn scroll  s sort  r reverse  / filter  space pause  w save
typing = filter: { $filter }_   Enter keeps it, Esc clears it
ending = ending ..
saved = { $n ->
    [one] saved 1 sender to { $path }
   *[other] saved { $n } senders to { $path }
    }
not-saved = cannot save the senders: { $error }

# The columns.

name = name
address = sender
datagrams = count
rate = per s
loss = lost
past = last seconds
age = age
text = last text
