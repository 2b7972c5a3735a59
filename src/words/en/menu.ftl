# The guided menu, and the short help of udpcli alone. What stands after a number is one line.

choices = udpcli { $version }: send and receive UDP messages between this PC and the mPython board
    {""}
    {"  "}1  receive what the board sends    udpcli listen
    {"  "}2  send to the board               udpcli send ADDRESS:6000
    {"  "}3  check this PC and the board     udpcli doctor, then udpcli pair
    {"  "}4  a demo without a board          udpcli demo
    {"  "}5  help                            udpcli --help
    {""}
    Ctrl-C ends what runs. Enter alone ends udpcli.
choose = Type a number, then Enter:{" "}
wrong = Type 1, 2, 3, 4 or 5, or Enter alone to end.
again =
    {""}
    1 receive, 2 send, 3 check, 4 demo, 5 help, Enter alone ends.
address = The board's address, as its screen shows it (for example 192.168.0.3):{" "}
wrong-address = An address looks like 192.168.0.3 or 192.168.0.3:6000.
message = Message (Enter alone: the tutorial's message, every 2 s until Ctrl-C):{" "}
close = Press Enter to close.{" "}

short-help = udpcli sends and receives UDP messages between this PC and an mPython board (掌控板, ESP32).
    {""}
    {"  "}udpcli listen                       show what the board sends to this PC's port 6000
    {"  "}udpcli send 192.168.0.3:6000 hello  send a message to the board
    {"  "}udpcli pair                         test this PC and the board, and say why nothing arrives
    {"  "}udpcli doctor                       check the firewall, the port and the cable of this PC
    {"  "}udpcli demo                         see both sides at work, no board needed
    {""}
    All commands: udpcli --help. One command: udpcli listen --help. In Chinese: --lang zh-CN.
    {""}
