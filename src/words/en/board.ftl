# Between the PC and a board: what went wrong (the message itself), and what to type or do next (.hint).

no-board = no board found
    .hint = is the USB cable one that carries data (some only charge), and the driver installed (CP2104 or CH340)? udpcli board list shows what is there
    .hint-others = found { $others }, but it does not look like a board. Is the cable a data cable, and is the driver installed? If it is your board: add -s PORT
many-boards = { $count } boards found
    .hint = choose with -s: { $ports }
list = cannot list the serial ports
open = cannot open serial port { $port }
    .hint = udpcli board list shows the ports that are there
    .hint-network = is the program that offers the port running there (ser2net, esp_rfc2217_server), and does the firewall let it through?
    .hint-brltty = brltty, the driver for Braille displays, takes USB serial adapters: remove it (sudo apt remove brltty), then plug the board in again
    .hint-holder = close that program, or disconnect in it
    .hint-held = another program has the port open: an editor (mPython, Mind+, Mixly, Thonny, Arduino), a terminal, another udpcli
    .hint-group = the port belongs to the group { $group }: sudo usermod -aG { $group } $USER, then log in again
    .hint-permission = add yourself to the group that owns it, then log in again: sudo usermod -aG dialout $USER (uucp on Arch)
    .hint-whole-name = write the port's whole name: -s /dev/{ $name }
open-held = cannot open serial port { $port }: in use by { $holder }
gone = serial port { $port } is gone
    .hint = the cable was pulled or the board lost power; a loose cable or hub also causes this
stuck = serial port { $port } accepts no more bytes
    .hint = pull the USB plug and put it in again
    .hint-network = restart the program that offers the port (ser2net, esp_rfc2217_server)
lines = cannot reset the board on { $port } through its control lines
    .hint = press the board's RESET button instead
silent = no answer from the board on { $port } within { $waited }
    .hint = try again and press the board's RESET button meanwhile: this port has no control lines to reset it with. Is this the board's port (udpcli board list)? Is its firmware MicroPython, and does --baud give the board's rate?
    .hint-lines = press the board's RESET button and try again, or set a longer --connect-timeout: the time was too short for a reset. Is this the board's port (udpcli board list)? Is its firmware MicroPython, and does --baud give the board's rate?
    .hint-reset = a reset through the control lines did not help either. Is this the board's port (udpcli board list)? Is its firmware MicroPython, and does --baud give the board's rate?
download-mode = the board on { $port } is in download mode, waiting for firmware
    .hint = press the board's RESET button without holding any other; if the board is in download mode again, it needs firmware: udpcli board{ $serial } flash
noise = unreadable data from { $port } at { $baud } baud
    .hint = try another rate: --baud 115200 is usual, 74880, 460800 or 921600 also occur; the boot messages of some boards look like this as well
deaf = the board on { $port } did not react to Ctrl-C within { $waited }
    .hint = press the board's RESET button while udpcli tries. If its main.py switches Ctrl-C off, this comes each time: press RESET while udpcli board{ $serial } mv :main.py :old.py tries, which moves the program out of the way, or write new firmware
no-firmware = the board on { $port } has no firmware: its flash is empty
    .hint = write the firmware to it: udpcli board{ $serial } flash mpython.bin (its log says { $said })
no-firmware-while = the board on { $port } has no firmware: its flash is empty (found while { $doing })
firmware-damaged = the firmware of the board on { $port } is damaged and does not start
firmware-damaged-while = the firmware of the board on { $port } is damaged and does not start (found while { $doing })
brown-out = the supply voltage of the board on { $port } fell too low
    .hint = use another USB cable, plug it into the PC itself and not into a hub, and unplug motors and LED strips (its log says { $said })
brown-out-while = the supply voltage of the board on { $port } fell too low while { $doing }
panic = the firmware of the board on { $port } crashed
    .hint = press the board's RESET button; if the firmware crashes at each start, write it to the board again: udpcli board{ $serial } flash mpython.bin (its log says { $said })
panic-while = the firmware of the board on { $port } crashed while { $doing }
echo = { $port } sends back what it receives: no board answers there
    .hint = is this the board's port (udpcli board list)? A loopback plug, or an adapter whose TX and RX are connected, causes this
not-micropython = the program on { $port } is not MicroPython
    .hint = it prints { $said }, as an Arduino sketch or another program would; to put the mPython firmware on the board: udpcli board{ $serial } flash mpython.bin. If it is a MicroPython program that switches Ctrl-C off, press the board's RESET button while udpcli board{ $serial } info tries
interrupted = stopped by Ctrl-C
no-answer = the board on { $port } stopped answering while { $doing }
    .hint = try again; if that does not help, reset the board: udpcli board{ $serial } reset --hard
restarted = the board restarted while { $doing }
    .hint = a weak power supply or cable can cause this (brown-out), most often when Wi-Fi starts
answer = unexpected answer from the board while { $doing }: { $said }
refused = { $doing } raised an exception on the board: { $exception }
chatter = a program on the board keeps printing while { $doing }: { $said }
    .hint = a soft reset did not end it, so boot.py on the board starts a timer or a thread that prints: remove it at the prompt (udpcli board{ $serial } repl, then import os; os.remove('boot.py')) and press RESET
garbled = data on the serial line was damaged { $times } times while { $doing }
    .hint = the line loses bytes: try another cable or USB port, or a lower --baud where the firmware allows it
compiled = { $name } is compiled MicroPython (.mpy), not Python source
    .hint = put it on the board and import it: udpcli board put FILE.mpy :
utf16 = { $name } is UTF-16 text, which the board cannot read
    .hint = save it as UTF-8 in your editor
binary = { $name } is not Python source
    .hint = give a text file with a Python program
on-the-board = { $path } is a file on the board; run needs a file on this PC
    .hint = to run it: echo 'import { $module }' | udpcli board run -
traceback = the program ended with { $exception }
no-display = the board has no OLED that can be mirrored
    .hint = udpcli can mirror `oled` of the module mpython, and `onboard_oled` of Mixly's firmware: check that the board has one of these firmwares, and that its display is connected
nothing-shown = the board's program showed nothing on the OLED

# The board's file system.

no-such-file = { $path } is not on the board
    .hint = udpcli board{ $serial } ls shows what is there
    .hint-slashes = with slashes it is :{ $path }; udpcli board{ $serial } ls shows what is there
is-folder = { $path } on the board is a folder
    .hint = to put a file, give it another name, or put it into the folder (:FOLDER/); get copies a folder with its content into a folder of this PC, not to -
full = the board's file system is full: { $path } needs { $needed } bytes, { $free } are free
    .hint = udpcli board{ $serial } ls -r shows what takes the space, udpcli board{ $serial } rm frees it
    .hint-old = the old file is unchanged; udpcli board{ $serial } ls -r shows what takes the space, udpcli board{ $serial } rm frees it
write-file = cannot write { $path } on the board: { $reason }
    .hint-old = the old file is unchanged
read-file = cannot read { $path } on the board: { $reason }
    .hint = try again; if only this file fails, put it onto the board again; if many do, the flash or the card is worn out
too-long = the board claims that { $path } has { $len } bytes; udpcli reads at most { $most }
    .hint = no board can hold such a file: the file system is damaged, or this is not a board; udpcli board{ $serial } info shows more
remove = cannot remove { $path } on the board: { $reason }
    .hint-not-empty = udpcli board{ $serial } rm -r removes a folder with everything in it
copy-into = cannot copy { $from } to { $to } on the board: a folder cannot go into itself
move = cannot move { $from } to { $to } on the board: { $reason }
    .hint-taken = -f replaces the file that is there
damaged = { $path } arrived damaged { $times } times

# Why the board's file system refuses.

reason-not-permitted = not permitted
reason-no-folder = the folder is not there
reason-bad-flash = the flash cannot be read or written
reason-name-taken = the name is already in use
reason-file-of-that-name = a file of that name exists
reason-not-mounted = no file system is mounted there
reason-part-is-file = a part of the path is a file
reason-bad-name = the file system does not allow this name
reason-is-folder = it is a folder
reason-full = the file system is full
reason-read-only = the file system is read-only
reason-name-too-long = the name is too long
reason-not-a-folder = it is a file
reason-not-empty = the folder is not empty
reason-mount-point = a file system is mounted there
reason-no-file-system = the board has no file system
reason-into-itself = a folder cannot go into itself
reason-files-are-in = no file system is mounted there; the board's files are in { $mounts }
reason-no-memory = the board has too little free memory; udpcli board reset frees some
reason-exception = { $text }

# What udpcli was doing: for errors, after "while".

doing-entering-paste = asking for raw-paste mode
doing-leaving-raw-repl = leaving the raw REPL
doing-pasting-at-prompt = pasting at its prompt
doing-soft-reset = a soft reset
doing-preparing = preparing the board
doing-cleaning-up = cleaning up
doing-asking-what-it-is = identifying the board
doing-looking-at-interpreter = looking at the interpreter
doing-sending-program = sending the program
doing-starting-program = starting the program
doing-looking-for-file = looking for a file
doing-removing-program-file = removing the program's file
doing-program-ran = the program ran
doing-file-ran = { $name } ran
doing-looking-for-display = looking for a display
doing-starting-mirror = starting the OLED mirror
doing-ending-mirror = ending the OLED mirror
doing-preparing-for-files = preparing for files
doing-asking-for-room = checking the free space
doing-comparing-files = comparing files
doing-looking-for-old-file = looking for the old file
doing-removing-temporary = removing a temporary file
doing-writing = writing { $path }
doing-checking = checking { $path }
doing-reading = reading { $path }
doing-listing = listing { $path }
doing-making-folder = making folder { $path }
doing-removing = removing { $path }
doing-copying = copying { $path }
doing-moving = moving { $path }
doing-asking-for-dates = asking for the dates of files
doing-setting-clock = setting the clock
doing-reading-clock = reading the clock
doing-other = { $text }

# Why a serial line failed.

line-no-answer = no answer in time
line-closed = the line was closed
line-no-address = write socket://HOST:PORT or rfc2217://HOST:PORT
line-no-lines-over-tcp = socket:// carries no control lines; rfc2217:// does
line-no-lines = it has no control lines
line-no-serial-port = it is not a serial port
line-takes-no-commands = the other side accepts no commands
line-reads-no-answers = the other side sends requests but does not read the answers
unnameable = it is not a valid name
name-too-long = it is longer than the { $longest } characters or bytes that a name may have on this PC

# Messages during a command.

new-start-memory = soft reset while { $doing }: the board's memory was full
new-start-printed = soft reset while { $doing }: a timer or thread of the stopped program may have printed text in between
left-behind = { $path } may be left on the board: { $error }
into-a-file = the program is too long for the board's memory ({ $free } bytes free): udpcli puts it into a file and runs it from there
thread-prints = a thread on the board { $port } prints all the time: soft reset
no-prompt-resetting = no prompt from { $port } after Ctrl-C: resetting the board through its control lines
no-prompt-press = no prompt from { $port } after Ctrl-C: press the board's RESET button now
boot-takes-time = boot.py on the board takes long: udpcli interrupts it after { $seconds } s
given-up = the board on { $port } did not answer in time after Ctrl-C: its program may still run, and temporary files of udpcli may be left on the board; to restart it: udpcli board reset --hard, or press its RESET button

# What a program's end shows, and what to do about it.

symptom-silent-end = the UDP program on the board has ended, and its bare except: hides the error that ended it
    .next = write except Exception as e: in place of except:, with import sys; sys.print_exception(e) as the first line below it, and run it again: then it prints the error
symptom-no-arp = nobody answers at the address that the board sends to: ENOMEM (12) from sendto means that its ARP requests get no answer
    .next = check that the address in the board's program is this PC's (udpcli listen shows it) and that both are in the same Wi-Fi; if the access point keeps its clients apart: udpcli pair --board-ap

# Why the OLED cannot be mirrored.

mirror-refused = the mirror does not run: { $exception }
mirror-no-module = the firmware has no module mpython
mirror-import = the board cannot import the module mpython: { $exception }
mirror-other-size = the board's display does not have 128 x 64 pixels
mirror-no-oled = the board's module mpython has neither oled nor onboard_oled
mirror-hidden = { $count ->
        [one] { $why }; a file on the board has the name of a module of the firmware and is imported in its place: { $files }. Rename it, or remove it: udpcli board rm { $paths }
       *[other] { $why }; files on the board have the names of modules of the firmware and are imported in their place: { $files }. Rename them, or remove them: udpcli board rm { $paths }
    }
