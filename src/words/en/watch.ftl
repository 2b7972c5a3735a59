# --watch: programs that run again, and files that are put again, at each save.

no-file = --watch needs a file that you can save, not { $path }
    .hint = save the program in a file: udpcli board run main.py --watch
first = running { $path }, and again each time you save it; Ctrl-C ends it
again = { $path } was saved: running it again
done = { $path } has ended; save it to run it again
next-save = save { $path } to run it again
unreadable = cannot read { $path } ({ $error }); udpcli waits until it is there
put = :{ $path }, { $len } bytes
lost = { $error }; udpcli waits until it is back
back = { $port } is back
not-entered = { $error }; udpcli tries again
ended = stopped watching
restarted = { $error }; save { $path } to run it again
