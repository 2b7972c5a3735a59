
# Messages of no single command.

demo-failed = the demo failed: { $problem }
    .hint = run the two sides in two windows and compare: udpcli listen --bind 127.0.0.1, then udpcli send 127.0.0.1:6000 hello
demo-done = All 4 datagrams arrived unchanged, and each came back: UDP works on this PC.
demo-next = Next, with a board on the same network: udpcli listen
demo-counts-received = of the 4 datagrams that listen received, { $hello } of 3 are the message and { $chinese } of 1 is 你好
demo-counts-replies = of the 4 replies that send received, { $hello } of 3 are the message and { $chinese } of 1 is 你好
demo-ended = udpcli { $name } ended with { $status }
demo-lost = udpcli { $name } is lost: { $error }
left-out-board = this build of udpcli was made without the serial bridge
    .hint = build it with cargo's default features, or --features { $feature }
log-filter = udpcli ignores UDPCLI_LOG, because it does not understand the value: write a level, or udpcli::udp=debug,warn
left-out-flash = this build of udpcli was made without flashing
demo-late = the demo did not end within { $time } s
demo-no-listener = udpcli listen ended before it listened
no-simulated-board = no board to simulate
test-failed = the test failed: { $codes }
test-failed-boards = the test failed for { $failed } of { $boards } boards: { $codes }

wire = every byte on the serial line goes into { $path }, your program and files included: look through that file before you pass it on
wire-device = --wire { $path } is not a regular file
    .hint = a reader that stops would hold up the serial line: name a file
wire-incomplete = the wire log is incomplete: { $error }
completion-script = the completion script
man-page = the man page
