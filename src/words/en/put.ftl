# udpcli board put: what it leaves out, and what it removes.

nobody-to-ask = put --delete asks before it removes anything, and there is no terminal to ask on
    .hint = --dry-run shows what would be removed, --yes removes it without the question
delete-of-files = put --delete removes what is not in a folder of this PC, and you named only files
    .hint = to make a whole folder the same on both sides: udpcli board put . : --delete
bad-exclude = { $path }, line { $line }: exclude: { $pattern } is not a pattern: { $error }
would-put = would put :{ $path }, { $len } bytes
would-remove = would remove :{ $path }
dry-run = nothing was changed; { $written } to put, { $unchanged } unchanged, { $removed } to remove
dry-run-left-out = nothing was changed; { $written } to put, { $unchanged } unchanged, { $removed } to remove; left out: { $names }
not-here = { $count ->
        [one] this is on the board and not on this PC:
       *[other] these { $count } are on the board and not on this PC:
    }
question = remove this from the board? [y/N]{" "}
watch-needs-yes = put --watch --delete does not ask at each save
    .hint = --yes removes without asking; look at --dry-run first
watching = udpcli puts the files again each time you save one; Ctrl-C ends it
next-save = udpcli puts the files again at the next save
watch-ended = stopped watching; files put: { $written }, removed: { $removed }
declined = nothing was put and nothing was removed
