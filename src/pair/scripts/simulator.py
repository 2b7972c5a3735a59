# A virtual board, run by MicroPython's Unix port. On stdin and stdout it behaves as mPython 1.4.0 does on its serial
# line, from its first boot on (a test compares it with tests/genuine/mpython-1.4.0.jsonl). It adds the modules that the
# firmware has and the Unix port lacks. udpcli inserts the address as IP at the top.
import sys as real_sys, gc as real_gc, builtins
import socket as real
try:
    import io
except ImportError:
    import uio as io

BANNER = 'MicroPython v1.4.0-51-g3c0e39c-dirty on 2019-05-09; mPython with ESP32\r\nType "help()" for more information.\r\n'
RAW_BANNER = 'raw REPL; CTRL-B to exit\r\n'
LOG = 'ets Jul 29 2019 12:21:46\r\n\r\nrst:%s,boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nmode:DIO, clock div:2\r\nentry 0x400806e8\r\n'
A, B, C, D, E = range(1, 6)

out = real_sys.stdout.write
source = real_sys.stdin.buffer


# The name of this class appears in exceptions: 'module' object has no attribute ..
class module:
    pass


def add_module(name, names):
    m = module()
    for key in names:
        setattr(m, key, names[key])
    real_sys.modules[name] = m
    return m


# Text output converts LF to CR LF, as the board does; `buffer` does not.
class Stdout(getattr(io, 'IOBase', object)):
    buffer = real_sys.stdout.buffer

    def write(self, text):
        data = text.encode() if isinstance(text, str) else bytes(text)
        self.buffer.write(data.replace(b'\n', b'\r\n'))
        return len(text)

    def flush(self):
        pass


stdout = Stdout()


def show(*values, sep=' ', end='\n', file=None):
    (file or stdout).write(sep.join([str(v) for v in values]) + end)


def repl_show(value):
    if value is not None:
        show(repr(value))


def print_exception(e, file=None):
    s = io.StringIO()
    real_sys.print_exception(e, s)
    (file or stdout).write(s.getvalue())


def show_help(*what):
    if what == ('modules',):
        show('  '.join(sorted(real_sys.modules)))
        show('Plus any modules on the filesystem')
    else:
        show('https://mpython.readthedocs.io')


builtins.print = show
builtins.__repl_print__ = repl_show
builtins.help = show_help


class Reset(BaseException):
    pass


def reset():
    raise Reset


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
            # The timeout is EAGAIN on Linux and macOS, and ETIMEDOUT on the board.
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


# The display's glyphs are those of GNU Unifont, if Debian's package unifont is installed: a line CODE:HEX for each glyph,
# ordered by code, with 16 rows of 8 or 16 pixels.
class Unifont:
    def __init__(self):
        self.known = {}
        try:
            self.file = open('/usr/share/unifont/unifont.hex', 'rb')
            self.size = self.file.seek(0, 2)
        except OSError:
            self.size = 0

    # The width and the rows of a character, cropped to what is drawn, or None.
    def glyph(self, c):
        if c not in self.known:
            line = self.line(ord(c))
            self.known[c] = line and self.cropped(line)
        return self.known[c]

    def line(self, code):
        low, high = 0, self.size
        while low < high:
            at = (low + high) // 2
            self.file.seek(at)
            # The first whole line from here on; a line has at most 72 bytes.
            block = self.file.read(160)
            start = block.find(b'\n') + 1 if at else 0
            end = block.find(b'\n', start)
            if end < 0 or at and not start:
                high = at
                continue
            found, line = block[start:end].split(b':')
            found = int(found, 16)
            if found == code:
                return line
            if found < code:
                low = at + end
            else:
                high = at

    # Latin glyphs are as wide as their ink, as on the board; Chinese ones are 15 wide, with a pixel between them.
    def cropped(self, line):
        digits = len(line) // 16
        rows = [int(line[i:i + digits], 16) for i in range(0, len(line), digits)]
        ink = 0
        for row in rows:
            ink |= row
        if digits == 4:
            return 15, [row if ink & 1 == 0 or ink >> 15 else row << 1 for row in rows]
        if not ink:
            return 4, [0] * 16
        width, left = 8, 0
        while not ink << left & 128:
            left += 1
        while not ink & 1:
            ink >>= 1
            width -= 1
        return width - left, [row << left + 8 for row in rows]


font = Unifont()


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
        for c in s:
            glyph = font.glyph(c)
            if glyph:
                width, rows = glyph
                for dy in range(16):
                    for dx in range(width):
                        self.pixel(x + dx, y + dy, rows[dy] << dx & 0x8000)
                x += width + 1
                continue
            # Without the font: a pattern calculated from the character code.
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


class FlashBdev:
    def readblocks(self, n, buf):
        raise OSError(5)

    writeblocks = readblocks


# The file system, in a folder that is removed at the end: each first boot creates the files again.
class Files:
    def __init__(self, root):
        self.root = root
        self.names = ['boot.py']

    def getcwd(self):
        return self.root

    def listdir(self, path=None):
        if path == '/' and self.root != '/':
            return [self.root[1:]]
        return list(self.names)

    def stat(self, path):
        if path.rstrip('/') in ('', self.root.rstrip('/')):
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        if path.split('/')[-1] in self.names:
            return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)

    def remove(self, path):
        self.stat(path)
        self.names.remove(path.split('/')[-1])

    def statvfs(self, path):
        return (4096, 4096, 250, 249, 249, 0, 0, 0, 0, 255)


def named(*fields):
    try:
        from collections import namedtuple
    except ImportError:
        from ucollections import namedtuple
    # The firmware shows this tuple without a type name.
    return namedtuple('', [name for name, _ in fields])(*[value for _, value in fields])


def boot(first):
    for s in list(opened):
        s.close()
    names = {'socket': Socket, 'getaddrinfo': getaddrinfo}
    for key in ('AF_INET', 'SOCK_DGRAM', 'SOL_SOCKET', 'SO_REUSEADDR'):
        names[key] = getattr(real, key)
    add_module('socket', names)
    add_module('usocket', names)
    add_module('network', {'WLAN': WLAN, 'STA_IF': 0, 'AP_IF': 1})
    oled = OLED()
    add_module('mpython', {'oled': oled, 'display': oled})
    files = Files('/flash' if first else '/')
    names = {key: getattr(files, key) for key in ('getcwd', 'listdir', 'stat', 'remove', 'statvfs')}
    version, machine = BANNER.split('\r\n')[0][12:].split('; ')
    uname = named(('sysname', 'esp32'), ('nodename', 'esp32'), ('release', '1.10.0'), ('version', version), ('machine', machine))
    names['uname'] = lambda: uname
    add_module('os', names)
    uos = add_module('uos', names)
    gc = add_module('gc', {'collect': lambda: real_gc.collect() and None, 'mem_free': real_gc.mem_free, 'mem_alloc': real_gc.mem_alloc})
    registers = {0x3ff40014: 0xa00008, 0x3ff40020: 0x400001c}
    add_module('machine', {'reset': reset, 'mem32': registers, 'unique_id': lambda: b'\x02\0\0\0\0\x01'})
    sys = {key: getattr(real_sys, key) for key in ('modules', 'path', 'argv', 'exit', 'maxsize', 'byteorder', 'stdin')}
    sys.update({'stdout': stdout, 'stderr': stdout, 'print_exception': print_exception, 'version': '3.4.0', 'platform': 'esp32'})
    sys['implementation'] = named(('name', 'micropython'), ('version', (1, 10, 0)))
    add_module('sys', sys)
    globals = {'__name__': '__main__', 'gc': gc, 'uos': uos, 'bdev': FlashBdev()}
    if first:
        out('Performing initial setup\r\n')
        globals.update({'inisetup': add_module('inisetup', {}), 'vfs': files})
    return globals


def read():
    try:
        c = source.read(1)
    except KeyboardInterrupt:
        # The interrupt arrived while no program ran, so it is an ordinary key.
        return C
    if not c:
        raise EOFError
    return c[0]


def read_line(prompt):
    """A line, or the control character that was typed on an empty one."""
    out(prompt)
    line = ''
    while 1:
        c = read()
        if c == C or c in (A, B, D, E) and not line:
            return c
        if c == 13:
            out('\r\n')
            return line
        if c in (8, 127):
            if line:
                line = line[:-1]
                out('\x08\x1b[K')
        elif 32 <= c < 127:
            # The prompt of every recorded firmware drops non-ASCII bytes.
            line += chr(c)
            out(chr(c))


def needs_more(text):
    """Whether a statement goes on in another line."""
    level = 0
    for c in text:
        level += (c in '([{') - (c in ')]}')
    last = text.split('\n')[-1]
    return level > 0 or last.rstrip().endswith((':', '\\')) or '\n' in text and last != '' or text[:1] == '@' and '\n' not in text


def syntax_line(e):
    s = io.StringIO()
    real_sys.print_exception(e, s)
    place = [line for line in s.getvalue().split('\n') if line.startswith('  File')][-1]
    return int(place.split('line ')[1].split(',')[0])


def told(text, e):
    """An exception as the board prints it."""
    s = io.StringIO()
    real_sys.print_exception(e, s)
    lines = s.getvalue().split('\n')
    if len(lines) > 2 and lines[1].endswith('in execute'):
        # Remove the frame of this program.
        del lines[1]
    if isinstance(e, SyntaxError) and len(lines) > 1:
        # MicroPython 1.10 reports an error at the end of a line with the next line's number. In that case a backslash
        # with further text after that line changes the error.
        n = syntax_line(e)
        try:
            compile(b'\n'.join(text.split(b'\n')[:n]) + b' \\\n$', '<stdin>', 'exec')
        except SyntaxError as other:
            if syntax_line(other) == n + 1:
                lines[-3] = lines[-3].replace('line %d' % n, 'line %d' % (n + 1))
    if len(lines) > 1 and not lines[1].startswith('  File'):
        if isinstance(e, KeyboardInterrupt):
            # The interrupt came before the program's first line.
            lines.insert(1, '  File "<stdin>", line 1, in <module>')
        elif lines[0].startswith('Traceback'):
            del lines[0]
    return '\r\n'.join(lines)


def execute(text, kind, names):
    """Runs a program, which is bytes: it may have any in its literals. The text of its exception, if any."""
    try:
        exec(compile(text, '<stdin>', kind), names)
    except SystemExit:
        pass
    except Reset:
        raise
    except BaseException as e:
        return told(text, e)
    return ''


def friendly(names):
    out(BANNER)
    while 1:
        line = read_line('>>> ')
        if line == A:
            out('\r\n')
            return A
        if line == B:
            out('\r\n' + BANNER)
        elif line == C:
            out('\r\n')
        elif line == D:
            out('\r\n')
            return D
        elif line == E:
            paste(names)
        elif line:
            while needs_more(line):
                more = read_line('... ')
                if isinstance(more, int):
                    break
                line += '\n' + more
            else:
                more = ''
            if more == C:
                out('\r\n')
            else:
                out(execute(line.encode(), 'single', names))


def paste(names):
    out('\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ')
    text = bytearray()
    while 1:
        c = read()
        if c == C:
            return out('\r\n')
        if c == D:
            out('\r\n')
            return out(execute(bytes(text), 'exec', names))
        if c == 13:
            text.append(10)
            out('\r\n=== ')
        else:
            text.append(c)
            real_sys.stdout.buffer.write(bytes([c]))


def raw(names):
    out(RAW_BANNER)
    while 1:
        out('>')
        code = bytearray()
        c = started = None
        while c != D:
            try:
                c = read()
                if c == A:
                    out(RAW_BANNER + '>')
                    code = bytearray()
                elif c == B:
                    out('\r\n')
                    return B
                elif c == C:
                    code = bytearray()
                elif c != D:
                    code.append(c)
            except KeyboardInterrupt:
                # Between two bytes it is a key; behind the last one it interrupts the program.
                if c == D:
                    started = False
                    break
                code = bytearray()
        error = 'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nKeyboardInterrupt: \r\n'
        try:
            out('OK')
            if not code:
                out('\r\n')
                return D
            if started is None:
                started = True
                error = execute(bytes(code), 'exec', names)
        except KeyboardInterrupt:
            if started:
                # The interrupt came between the program's end and this line.
                error = 'KeyboardInterrupt: \r\n'
        out('\x04' + error + '\x04')


def run():
    first = True
    reason = '0x1 (POWERON_RESET)'
    while 1:
        out(LOG % reason)
        names = boot(first)
        first = False
        mode = friendly
        try:
            while 1:
                wish = mode(names)
                if wish == D:
                    out('mpython: soft reboot\r\n')
                    names = boot(False)
                else:
                    mode = raw if wish == A else friendly
        except Reset:
            reason = '0xc (SW_CPU_RESET)'


try:
    run()
except EOFError:
    pass
