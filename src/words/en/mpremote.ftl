# What mpremote's users know: files on the board, an editor, the prompt with a log.

touched = { $path } is there
no-such-id = no USB device here has the serial number { $id }
    .hint = udpcli board list shows the ports that are there
not-edited = { $path } is unchanged
edit-kept = { $path } on the board is unchanged; your text is in { $file }
editor-hint = name your editor in the environment variable VISUAL or EDITOR, such as EDITOR=nano
not-injected = cannot read { $path }: { $error }
capture-device = { $path } is a pipe or a device, and --capture needs a file
capture-failed = cannot write { $path }: { $error }. The session goes on without it
only-last = { $name } can only be the last step
no-disconnect = udpcli closes the port after each command: leave out disconnect
no-bootloader = udpcli board flash puts the board into download mode itself
no-mount = udpcli cannot mount a folder: udpcli board put . : --watch keeps the board's files the same as in this folder
no-mip = udpcli installs no packages: get the package's files on this PC, then type udpcli board put lib :
no-romfs = udpcli writes no ROM file systems: mpremote does
plus = put a + between commands: { $line }
serial-is-path = -s names the serial port. For the sizes in a tree, type udpcli board tree --size
editor-ended = it ended with { $status }; nothing was written
