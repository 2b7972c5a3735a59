# udpcli pair: the steps by name, what each saw, the report, messages.

step-serial = serial
step-firmware = firmware
step-wifi = Wi-Fi
step-addresses = addresses
step-pc-to-board = PC to board
step-board-to-pc = board to PC
step-echo = echo round trip
step-oled = OLED text
step-clean-up = clean-up

# The report. Verdicts are at most four columns wide.

verdict-passed = ok
verdict-warned = note
verdict-skipped = skip
verdict-interrupted = stop
verdict-failed = FAIL
tried-and-seen = { $tried }: { $seen }
meaning = meaning: { $meaning } [{ $code }]
next = next:    { $next }
hear-each-other = the PC and the board hear each other
not-all-well = not all is well: { $steps }
row-finding = { $step }: { $code } ({ $detail })
total = { $good } of { $boards } boards and this PC hear each other
stopped = stopped by Ctrl-C
