# Reports as a page: `udpcli pair --report`.

pair-title = udpcli pair: the PC and the board
word-passed = passed
word-warned = passed, with a note
word-skipped = skipped
word-interrupted = stopped
word-failed = failed
subject = { $port }: { $sentence }
subject-named = { $name } ({ $port }): { $sentence }
findings = What is wrong and what to do
in-step = { $step }: { $detail }
steps = Steps
column-verdict = Verdict
column-step = Step
column-result = Result
loss = Datagrams that arrived, by size
loss-bar =
    { $size ->
        [one] { $way }, { $size } byte
       *[other] { $way }, { $size } bytes
    }
loss-echo =
    { $size ->
        [one] echo, { $size } byte
       *[other] echo, { $size } bytes
    }
loss-figures = { $received } of { $sent } ({ $percent } % lost)
rtt = Round-trip time (RTT)
rtt-min = min
rtt-median = median
rtt-p99 = p99
rtt-max = max
board = Board and network
board-serial = Serial port
board-firmware = Firmware
board-machine = Board
board-mac = MAC address
board-address = Address of the board
pc-address = Address of this PC
pc-interface = Network interface
wifi = Wi-Fi
signal = Signal
about = This test
time = Time
command = Command
version = Version
system = Operating system

# The file.

the-file = the report { $file }
written = wrote the report { $file }
