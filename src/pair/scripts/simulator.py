# A board in place of a board: run by MicroPython's Unix port, it speaks the raw REPL on stdin and stdout and has what
# the mPython board's firmware has and the Unix port has not. IP is put in front of this.
import sys, time
import socket as real
try:
    import io
except ImportError:
    import uio as io


class Module:
    pass


def module(name, names):
    m = Module()
    for key in names:
        setattr(m, key, names[key])
    sys.modules[name] = m


opened = []


class Socket:
    def __init__(self, *kind):
        self.s = real.socket(*kind)
        self.bound = False
        opened.append(self)

    def setsockopt(self, *a):
        self.s.setsockopt(*a)

    def bind(self, address):
        self.s.bind(pack(address))
        self.bound = True

    def settimeout(self, seconds):
        self.s.settimeout(seconds)

    def sendto(self, data, address):
        if not self.bound:
            # A board sends from its own address.
            self.bind((IP, 0))
        return self.s.sendto(data, pack(address))

    def recvfrom(self, size):
        try:
            data, address = self.s.recvfrom(size)
        except OSError as e:
            # EAGAIN on Linux and macOS: the time is up.
            if e.args[0] in (11, 35):
                raise OSError(110)
            raise
        a = real.sockaddr(address)
        return data, (real.inet_ntop(a[0], a[1]), a[2])

    def close(self):
        if self in opened:
            opened.remove(self)
            self.s.close()


def pack(address):
    return real.getaddrinfo(address[0], address[1])[0][-1]


def getaddrinfo(host, port, *rest):
    return [(real.AF_INET, real.SOCK_DGRAM, 0, '', (host, port))]


class WLAN:
    def __init__(self, interface=0):
        pass

    def active(self, on=None):
        return True

    def isconnected(self):
        return True

    def status(self, what=None):
        return -40 if what == 'rssi' else 1010

    def ifconfig(self):
        return (IP, '255.255.255.0', '127.0.0.1', '127.0.0.1')

    def config(self, what):
        return {'essid': 'simulated', 'mac': b'\x02\0\0\0\0\x01'}.get(what)

    def disconnect(self):
        pass


class OLED:
    def __init__(self):
        self.buffer = bytearray(1024)

    def fill(self, c):
        for i in range(1024):
            self.buffer[i] = 255 if c else 0

    def pixel(self, x, y, c):
        if 0 <= x < 128 and 0 <= y < 64:
            i = y // 8 * 128 + x
            self.buffer[i] = self.buffer[i] | 1 << y % 8 if c else self.buffer[i] & ~(1 << y % 8)

    def DispChar(self, s, x, y, mode=1, auto_return=False):
        # Stand-in glyphs: a pattern of the character's number.
        for c in s:
            n = ord(c) * 40503 & 0xffff
            width = 7 if ord(c) < 128 else 15
            for dy in range(2, 14):
                for dx in range(1, width):
                    n = (n * 75 + 74) % 65537
                    self.pixel(x + dx, y + dy, c != ' ' and n & 1)
            x += width + 1
        return x, y

    def show(self):
        pass


def boot():
    for s in list(opened):
        s.close()
    names = {'socket': Socket, 'getaddrinfo': getaddrinfo}
    for key in ('AF_INET', 'SOCK_DGRAM', 'SOL_SOCKET', 'SO_REUSEADDR'):
        names[key] = getattr(real, key)
    module('socket', names)
    module('usocket', names)
    module('network', {'WLAN': WLAN, 'STA_IF': 0, 'AP_IF': 1})
    oled = OLED()
    module('mpython', {'oled': oled, 'display': oled})
    files = {
        'uname': lambda: ('simulated', 'simulated', '', '', 'simulated board on this PC'),
        'statvfs': lambda path: (4096, 4096, 512, 512, 512, 0, 0, 0, 0, 255),
    }
    module('os', files)
    module('uos', files)
    return {'__name__': '__main__'}


busy = [False]


def run(code, names):
    out = sys.stdout.write
    busy[0] = True
    out('OK')
    error = ''
    try:
        exec(code, names)
    except SystemExit:
        pass
    except BaseException as e:
        s = io.StringIO()
        sys.print_exception(e, s)
        # As a board's line carries it.
        error = s.getvalue().replace('\n', '\r\n')
    out('\x04' + error + '\x04>')
    busy[0] = False


def repl():
    out = sys.stdout.write
    source = sys.stdin.buffer
    banner = 'raw REPL; CTRL-B to exit\r\n>'
    names = boot()
    raw = False
    code = bytearray()
    out('simulated board\r\n>>> ')
    while True:
        try:
            c = source.read(1)
            if not c:
                return
            if c == b'\x01':
                raw = True
                code = bytearray()
                out(banner)
            elif c == b'\x02':
                raw = False
                code = bytearray()
                out('\r\n>>> ')
            elif c == b'\x04':
                if code:
                    # Bytes as they came: the text of a literal need not be UTF-8.
                    text = bytes(code)
                    code = bytearray()
                    run(text, names)
                else:
                    names = boot()
                    out('OK\r\nMPY: soft reboot\r\n' + (banner if raw else '>>> '))
            elif raw and c != b'\x03':
                code.extend(c)
        except KeyboardInterrupt:
            code = bytearray()
            if busy[0]:
                # It came between the program's end and the answer's.
                busy[0] = False
                out('\x04KeyboardInterrupt: \r\n\x04>')


repl()
