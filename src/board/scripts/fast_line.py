# The fast line: our raw REPL at a higher rate of the ESP32's UART. Runs after the first part of helper.py, in the same
# dictionary; docs/protocol.md specifies the handshake and the frames. The rate changes inside of serve() alone, so that
# every way out of that function is a way back to the old rate.
#
# The first part goes over at the old rate, and serve() loads the second at the new one.
machine = load_module('umachine', 'machine')  # on the line: K
time = load_module('utime', 'time')  # on the line: T
memory = machine.mem32  # on the line: z
clock_divider = 0x3ff40014  # on the line: zc
stdin = sys.stdin.buffer  # on the line: J
output = sys.stdout.buffer  # on the line: zo
poller = load_module('uselect', 'select').poll()  # on the line: p
poller.register(stdin, 1)
timer = machine.Timer(3)  # on the line: zt


def tell_clock():  # on the line: R
    # What the PC computes the divider from. Another chip or firmware raises an exception, or is told by its name.
    output.write('%s;%d;%d;%d~' % (os.uname()[4], machine.freq(), memory[clock_divider], memory[clock_divider + 12]))


def hears(text, deadline):  # on the line: zh
    heard = b''
    while heard != text:
        left = time.ticks_diff(deadline, time.ticks_ms())
        if left < 1 or not poller.poll(left):
            return 0
        heard = (heard + stdin.read(1))[-len(text):]
    return 1


def serve(names, divider, configuration, token, answer, confirmation, length, checksum):  # on the line: E
    old_divider = memory[clock_divider]
    old_configuration = memory[clock_divider + 12]

    def restore(_=0):
        memory[clock_divider + 12] = old_configuration
        memory[clock_divider] = old_divider

    output.write('+')
    # The UART still sends it, at the old rate.
    time.sleep_ms(5)
    try:
        memory[clock_divider] = divider
        memory[clock_divider + 12] = configuration
        deadline = time.ticks_add(time.ticks_ms(), 300)
        if hears(token, deadline):
            output.write(answer)
            if hears(confirmation, deadline):
                # A read cannot end by itself when the PC is gone in the middle. The timer brings back the old rate
                # then, and the next Ctrl-C ends the read.
                timer.init(mode=0, period=2000, callback=restore)
                code = stdin.read(length)
                if sum(code) == checksum:
                    exec(code, globals())
                    run_frames(names, restore)
    finally:
        # Twice, because a second Ctrl-C may end the first.
        try:
            restore()
        finally:
            restore()
            timer.deinit()


# ---- The next part: frames of code and data, in place of the raw REPL's lines.
gc = load_module('gc')  # on the line: g
frame_data = 0  # on the line: L


def run_frames(names, restore):  # on the line: zf
    global frame_data
    head = bytearray(7)
    frame = memoryview(bytearray(8500))
    count = 0
    output.write('>')
    while 1:
        timer.deinit()
        if not poller.poll(2000):
            return
        timer.init(mode=0, period=2000, callback=restore)
        stdin.readinto(head)
        if sum(head[:6]) & 127 | 128 != head[6]:
            return
        code = (head[0] & 127) << 7 | head[1] & 127
        data = code + ((head[2] & 127) << 7 | head[3] & 127)
        end = data + (((head[4] & 127) << 7 | head[5] & 127) << 1)
        if end > len(frame):
            frame = memoryview(bytearray(end))
        stdin.readinto(frame[:end])
        timer.deinit()
        if not code:
            # The PC goes back to the old rate first.
            output.write('~')
            time.sleep_ms(20)
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
        # Not while bytes arrive: some would be lost.
        count += 1
        if not count & 7:
            gc.collect()
        output.write('\4>')


# ---- The next part: before the download of a folder.
def size_of(path):  # on the line: Q
    # How much there is to get. 64 KB are enough to know.
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
