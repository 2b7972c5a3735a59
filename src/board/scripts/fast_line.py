# The fast line: our raw REPL at a higher rate of the ESP32's UART. Runs after the first part of helper.py, in the same
# dictionary; docs/protocol.md specifies the handshake and the frames. The rate changes inside of serve() alone, so that
# every way out of that function is a way back to the old rate.
#
# The PC sends the first part at the old rate, and serve() loads the second at the new one.
#
# Firmware before MicroPython 1.12 cannot poll stdin, and no read ends by itself. So a timer restores the old rate when the
# PC is silent, and the next Ctrl-C ends the read.
machine = load_module('umachine', 'machine')  # on the line: K
gc = load_module('gc')  # on the line: g
stdin = sys.stdin.buffer  # on the line: J
output = sys.stdout.buffer  # on the line: zo
frame_data = 0  # on the line: zd
# Other chips have other registers at these addresses, or none. At 40 MHz and below the APB clock is slower.
if os.uname()[4][-5:] == 'ESP32' and machine.freq() > 40000000:
    memory = machine.mem32  # on the line: z
    # UART_CLKDIV_REG. UART_CONF0_REG is 12 bytes behind it.
    clock_divider = 0x3ff40014  # on the line: zc
    # A hardware timer that is not enabled (bit 31 of TIMGn_TxCONFIG_REG): an enabled one belongs to a program.
    timer = 3  # on the line: zt
    while timer >= 0 and memory[0x3ff5f000 + (timer >> 1 << 12) + (timer & 1) * 36] >> 31 & 1:
        timer -= 1
    gc.collect()
    output.write('%d;%d;%d;%d~' % (timer, gc.mem_free(), memory[clock_divider], memory[clock_divider + 12]))


def serve(names, divider, configuration, token, answer, length, checksum):  # on the line: E
    old_divider = memory[clock_divider]
    old_configuration = memory[clock_divider + 12]
    watch = machine.Timer(timer)

    def restore(_=0):
        memory[clock_divider + 12] = old_configuration
        memory[clock_divider] = old_divider

    def limit(milliseconds):
        watch.init(mode=0, period=milliseconds, callback=restore)

    output.write('+')
    # The UART still sends the answer at the old rate.
    load_module('utime', 'time').sleep_ms(5)
    try:
        limit(300)
        memory[clock_divider] = divider
        memory[clock_divider + 12] = configuration
        # If no token comes, Ctrl-C ends these reads: the PC sends it after 300 ms, too.
        heard = b''
        while heard != token:
            heard = (heard + stdin.read(1))[-8:]
        output.write(answer)
        heard = stdin.read(length)
        if sum(heard) == checksum:
            exec(heard, globals())
            run_frames(names, answer, divider, watch, limit)
    finally:
        # Twice, because a second Ctrl-C may end the first.
        try:
            restore()
        finally:
            restore()
            watch.deinit()


# ---- The next part: frames of code and data, in place of the raw REPL's lines.
def run_frames(names, answer, divider, watch, limit):  # on the line: zf
    global frame_data
    head = bytearray(7)
    frame = memoryview(bytearray(8500))
    # The first frame completes the handshake, so the limit of 300 ms still runs.
    output.write(answer)
    try:
        while 1:
            # No memory is allocated while a frame arrives: a garbage collection takes so long that bytes would be lost.
            stdin.readinto(head)
            limit(2000)
            if (sum(head) - head[6]) & 127 | 128 != head[6]:
                break
            code = (head[0] & 127) << 7 | head[1] & 127
            data = code + ((head[2] & 127) << 7 | head[3] & 127)
            end = data + (((head[4] & 127) << 7 | head[5] & 127) << 1)
            if end > len(frame):
                frame = memoryview(bytearray(end))
            stdin.readinto(frame, end)
            watch.deinit()
            if not code:
                # The PC goes back to the old rate first.
                output.write('~')
                load_module('utime', 'time').sleep_ms(20)
                return
            # No frame contains a Ctrl-C. These are the places where one belongs.
            place = 0
            at = data
            while at < end:
                place += (frame[at] & 127) << 7 | frame[at + 1] & 127
                frame[place] = 3
                at += 2
            frame_data = frame[code:data]
            output.write('OK')
            try:
                exec(bytes(frame[:code]), names)
                output.write('\4')
            except Exception as error:
                output.write('\4')
                sys.print_exception(error)
            output.write('\4>')
            limit(2000)
    except KeyboardInterrupt:
        pass
    # A damaged frame, or a Ctrl-C, which noise may have made. The rest of a frame must not reach the raw REPL, where it
    # would be noise or a command: drop all bytes until the PC's second Ctrl-C.
    limit(2000)
    while memory[clock_divider] == divider:
        stdin.read(1)


# ---- The next part: before the download of a folder.
def size_of(path):  # on the line: Q
    # The length of the download. It need not count beyond 64 KB.
    total = 0
    paths = [path]
    while paths and total < 65536:
        path = paths.pop()
        status = os.stat(path)
        if status[0] & 0x4000:
            for name in os.listdir(path):
                paths.append(path + b'/' + (name.encode() if type(name) is str else name))
        else:
            total += status[6]
    sys.stdout.write('%d~' % total)
