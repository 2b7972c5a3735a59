# udpcli board: what each of its commands says.

only-by-reset = the program on the board did not react to Ctrl-C and was stopped by the reset; to move it out of the way, before the board starts again: udpcli board -s { $port } mv :main.py :old.py
program-stopped = the program that ran on the board was stopped; udpcli board reset starts its main.py again
hard-reset = hard reset of the board on { $port }
soft-reset = soft reset: the board starts its main.py, if it has one
password-unset = the environment variable { $variable } is not set, or is not text
password-question = password of { $ssid }:{" "}
password-no-terminal = no terminal to ask for the Wi-Fi password
    .hint = put it into an environment variable and name that with --password-env

# Files: put, get, ls, rm.

transfer = { $count ->
        [one] { $count } file
       *[other] { $count } files
    }: { $written } written, { $unchanged } unchanged; { $bytes } bytes in { $time }
transfer-left-out = { $count ->
        [one] { $count } file
       *[other] { $count } files
    }: { $written } written, { $unchanged } unchanged; { $bytes } bytes in { $time }; left out: { $names }
left-out-more = { $names } and { $more } more
left-out-times = { $name } ({ $count })
stopped-put = stopped: the file that udpcli was writing is unchanged on the board
stopped-get = stopped: the unfinished file was not saved
stopped-get-stdout = stopped: nothing was written
removed = removed { $path }
with-cause = { $error }: { $cause }
root-stays = the root folder of the board cannot be removed
    .hint = udpcli board ls shows what is in it
get-takes-one = { $path } is a second path on the board, and get takes only one
    .hint = a file of this PC whose name begins with a colon is ./:name
becomes = { $name } on the board is saved here as { $path }
no-name-here = { $name } on the board cannot be the name of a file on this PC
of-the-board = { $name } of the board here
unchanged = { $path } is unchanged
one-file-here = { $first } and { $second } on the board would be the same file here, { $path }
got = { $path }: { $len } bytes
nothing-to-put = nothing to put
    .hint = udpcli board put main.py; a file whose name begins with a colon is ./:name
only-last = { $path } is a path on the board: only the last argument can be such a path
    .hint = a file of this PC whose name begins with a colon is ./:name
backslash = { $path } is not on the board, and has a backslash in its name
    .hint = with slashes it is :{ $slashed }; write a backslash that belongs to the name as \x5c
no-folder = { $path } is not a folder on the board
    .hint = several files need an existing folder as their destination; a folder of this PC is made there with its content
put = { $path }: { $len } bytes, { $sent } on the line
put-again = { $path }: { $len } bytes, { $sent } on the line, { $again ->
        [one] { $again } piece
       *[other] { $again } pieces
    } sent again
dead-link = left out: { $path }, a link that leads nowhere ({ $error })
too-long-to-put = { $path } is longer than any board's flash
left-out-kind = left out: { $path }, neither a file nor a folder
no-file = { $path } is neither a file nor a folder
left-out-loop = left out: { $path }, a link to a folder that contains it
too-deep = { $path } is more than { $most } folders deep
left-out = left out: { $path }
own-temporary = { $name } is the name of put's own temporary file on the board
clash-folder = { $path } and a folder would have the same name on the board
clash = { $first } and { $second } would be the same file on the board
    .hint = put them one by one, each with its own :PATH
no-unicode = the name of { $path } is not valid Unicode
no-match = no file here matches this pattern
working-directory = the board's working directory is { $path }
no-colon = a path on the board begins with a colon: :{ $path }
backslashes = { $path } has backslashes
    .hint = on the board, / separates folders: :{ $slashed } (write a name that begins with a backslash as \x5c..)
no-nul = a path cannot contain NUL
git-bash = { $path } is what Git Bash made of a path on the board
    .hint = write two slashes (://lib), or MSYS_NO_PATHCONV=1 before the command

# info.

info-port = port
info-board = board
info-firmware = firmware
info-id = id
info-mac = MAC
info-memory = memory
info-files = files
info-wifi = Wi-Fi
info-with-mpython = { $machine }, with the mPython module
info-without-mpython = { $machine }, without the mPython module
info-build = { $name } { $version }, { $build }
info-free = { $free } bytes free
info-free-of = { $free } of { $total } bytes free
info-free-in = { $share }, in { $place }
info-not-connected = not connected
info-ssid = { $address } in { $ssid }
info-rssi = { $address }, signal { $rssi } dBm
info-ssid-rssi = { $address } in { $ssid }, signal { $rssi } dBm

# list.

list-empty = no serial ports: is the board plugged in, the cable one that carries data, the driver installed?
list-chip = ({ $chip })
list-answers = MicroPython answers
list-no-answer = no MicroPython: { $error }
chip-cp210x = CP210x: mPython board, many ESP32 boards
chip-ch340 = CH340: mPython board, many ESP32 boards
chip-ch9102 = CH9102: many ESP32 boards
chip-ch343 = CH343: many ESP32 boards
chip-espressif = Espressif's own USB: mPython board 3.0 (掌控板 3.0), other boards with an ESP32-S2, S3, C3 or later
chip-ftdi = FTDI: some ESP32 boards
chip-micropython = MicroPython's own USB

# oled, and the mirror of run.

no-mirror = no OLED mirror: { $why }
frames-lost = { $count ->
        [one] a frame of the OLED came garbled and was dropped
       *[other] { $count } frames of the OLED came garbled and were dropped
    }
nobody-read = no program read { $path }: no picture is saved
framebuffer-format = --framebuffer needs --format json
oled-starts = soft reset: the board's { $main } starts again, with the OLED mirror loaded before it
oled-runs-on = { $main } runs on; udpcli board reset starts it without the mirror
oled-ended = { $main } has ended

# run.

symptom = { $meaning } [{ $code }]
symptom-next = {"  "}to do next: { $next }
run-no-picture = the program showed nothing on an OLED: no { $path }
run-stopped = stopped by Ctrl-C
run-stopping = the program did not stop at Ctrl-C: stopping it
run-still = the program on the board still runs ({ $error }); to end it: udpcli board reset --hard, or press the board's RESET button
run-detached = the program runs on; udpcli board reset ends it
run-file-stays = the program's file stays on the board until the next run
run-ended = the program has already ended
script-too-long = { $path } is longer than any board takes (16 MiB)
script-gbk = { $name } is not UTF-8; it looks like GBK: the board reads UTF-8, so save it as UTF-8 if its Chinese text comes out wrong
example-target = --example client needs --target IP:PORT
    .hint = udpcli listen shows the address at which the board reaches this PC
example-server = --target is for --example client: the server only answers
standard-input = standard input
keyboard = the keyboard

# repl.

repl-connected = connected to { $port }
repl-runs-on = the program on the board did not react to Ctrl-C: it runs on
repl-welcome = udpcli: connected to { $port }; Ctrl-] leaves, Ctrl-C interrupts, Ctrl-D resets softly
repl-gone = udpcli: the port is gone; waiting for it to come back, Ctrl-] leaves
repl-again = udpcli: connected again
repl-not-ascii = udpcli: the board's prompt ignores characters that are not ASCII when they are typed; paste the whole line instead
