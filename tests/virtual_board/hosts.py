"""The computer's end of the line: a pseudo-terminal under a path that stays the same, or a TCP port."""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import termios
import time
import tty

IN_OPEN, IN_CLOSE = 0x20, 0x18
TCGETS2 = 0x802C542A  # struct termios2, whose last member is the output rate
BACKLOG = 65536  # bytes that are kept for a computer that does not read


class Pty:
    """A pseudo-terminal. What the board says while nobody has it open is lost, as on a real port."""

    def __init__(self, path, on_open):
        self.path = path
        self.on_open = on_open
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.master = self.slave = self.watch = None
        self.opened = 0
        self.backlog = b""
        self.lost = 0

    def rate(self):
        """The rate that the computer has set."""
        if self.slave is None:
            return 115200
        return struct.unpack_from("I", fcntl.ioctl(self.slave, TCGETS2, bytes(44)), 40)[0] or 115200

    def plug(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        attributes = termios.tcgetattr(self.slave)
        attributes[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        attributes[4] = attributes[5] = termios.B115200
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
        os.set_blocking(self.master, False)
        name = os.ttyname(self.slave)
        self.watch = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.libc.inotify_add_watch(self.watch, name.encode(), IN_OPEN | IN_CLOSE)
        self.opened = 0
        self.backlog = b""
        fresh = self.path + ".new"
        os.symlink(name, fresh)
        os.replace(fresh, self.path)

    def unplug(self):
        for fd in (self.watch, self.master, self.slave):
            if fd is not None:
                os.close(fd)
        self.master = self.slave = self.watch = None
        if os.path.islink(self.path):
            os.unlink(self.path)

    close = unplug

    def read_from(self, wants):
        """Descriptors to wait for; `wants`: whether the line takes bytes now."""
        fds = [] if self.watch is None else [self.watch]
        if wants and self.master is not None:
            fds.append(self.master)
        return fds

    def write_to(self):
        return [self.master] if self.backlog and self.master is not None else []

    def descriptors(self):
        return [fd for fd in (self.master, self.slave, self.watch) if fd is not None]

    def ready(self, fds):
        if self.watch is not None and self.watch in fds:
            self.look()
        if self.backlog:
            self.flush()

    def look(self):
        """Who has opened and closed the port since last time."""
        try:
            events = os.read(self.watch, 4096)
        except BlockingIOError:
            return
        at = 0
        while at < len(events):
            _, mask, _, length = struct.unpack_from("iIII", events, at)
            at += 16 + length
            if mask & IN_OPEN:
                self.opened += 1
                if self.opened == 1:
                    self.on_open()
            elif mask & IN_CLOSE:
                self.opened -= 1
                if self.opened == 0:
                    self.backlog = b""
                    termios.tcflush(self.slave, termios.TCIFLUSH)

    def read(self, limit):
        if self.master is None:
            return b""
        try:
            return os.read(self.master, limit)
        except (BlockingIOError, OSError):
            return b""

    def write(self, data):
        if self.master is None:
            self.lost += len(data)
            return
        self.look()
        if not self.opened:
            self.lost += len(data)
            return
        room = BACKLOG - len(self.backlog)
        self.lost += max(0, len(data) - room)
        self.backlog += data[:room]
        self.flush()

    def flush(self):
        if self.master is None:
            return
        try:
            self.backlog = self.backlog[os.write(self.master, self.backlog) :]
        except (BlockingIOError, OSError):
            pass


# The chips' own USB ports: vendor and product ID, product name, and whether the last packet of an answer is held back.
# 303a:1001 is the USB-Serial/JTAG unit (ESP-IDF, *USB Serial/JTAG Controller Console*; its serial number is the MAC address);
# 303a:4001 is MicroPython's USB device on the OTG port (M ports/esp32/mpconfigport.h: MICROPY_HW_USB_VID and _PID).
USB = {
    "serial-jtag": ("303a", "1001", "USB JTAG/serial debug unit", True),
    "otg": ("303a", "4001", "Espressif Device", False),
}
PACKET = 64  # bytes in a packet of a full-speed USB port
QUIET = 0.001  # seconds without output after which what is there is sent


class UsbPty(Pty):
    """The chip's own USB port: no line rate; a reset takes it away, and it may return under another name.

    Bytes go to the computer in packets of 64. The computer hands them on when a shorter one follows: a last packet of 64 bytes
    stays with it until the board sends more (micropython#19651).
    """

    def __init__(self, path, on_open, kind, options):
        super().__init__(path, on_open)
        self.kind = kind
        self.paths = [path, path[:-1] + "1" if path[-1:] == "0" else path + "1"]
        self.renames = options.usb_renames
        self.sys = options.usb_sys
        self.mac = options.mac
        self.tail = b""
        self.last = 0.0

    @property
    def held(self):
        """How many bytes the computer keeps back."""
        return len(self.tail) if self.kind[3] and len(self.tail) == PACKET else 0

    def plug(self, again=False):
        if again and self.renames:
            self.paths.reverse()
            self.path = self.paths[0]
        self.tail = b""
        super().plug()
        self.show_in_sys()

    def unplug(self):
        super().unplug()
        self.tail = b""
        if self.sys:
            shutil.rmtree(os.path.join(self.sys, "tty", os.path.basename(self.path)), ignore_errors=True)

    close = unplug

    def show_in_sys(self):
        """Linux's view of the port, where programs find its USB IDs and its serial number."""
        if not self.sys:
            return
        vendor, product, name, _ = self.kind
        device = os.path.join(self.sys, "devices", "1-1")
        interface = os.path.join(device, "1-1:1.0")
        os.makedirs(interface, exist_ok=True)
        os.makedirs(os.path.join(self.sys, "bus", "usb"), exist_ok=True)
        pairs = [self.mac[at : at + 2].upper() for at in range(0, 12, 2)]
        for file, text in (("idVendor", vendor), ("idProduct", product), ("product", name), ("serial", ":".join(pairs))):
            with open(os.path.join(device, file), "w", encoding="utf-8") as out:
                out.write(text + "\n")
        if not os.path.islink(os.path.join(interface, "subsystem")):
            os.symlink(os.path.join(self.sys, "bus", "usb"), os.path.join(interface, "subsystem"))
        entry = os.path.join(self.sys, "tty", os.path.basename(self.path))
        os.makedirs(entry, exist_ok=True)
        if not os.path.islink(os.path.join(entry, "device")):
            os.symlink(interface, os.path.join(entry, "device"))

    def write(self, data):
        self.last = time.monotonic()
        if self.master is not None:
            self.look()
        if not self.kind[3] or not self.opened:
            self.tail = b""
            super().write(data)
            return
        data = self.tail + data
        # The last packet is kept until it is known whether more follows.
        cut = (len(data) - 1) // PACKET * PACKET if data else 0
        self.tail = data[cut:]
        if cut:
            super().write(data[:cut])

    def settle(self, now):
        if not self.tail or len(self.tail) == PACKET:
            return None
        if now < self.last + QUIET:
            return self.last + QUIET
        tail, self.tail = self.tail, b""
        super().write(tail)
        return None

    def look(self):
        super().look()
        if not self.opened:
            self.tail = b""


class Tcp:
    """A raw TCP port on loopback, for one client at a time: socket://127.0.0.1:PORT."""

    scheme = "socket"

    def __init__(self, on_open):
        self.on_open = on_open
        self.listener = self.client = None
        self.number = 0
        self.backlog = b""
        self.lost = 0
        self.gone = False

    def rate(self):
        """The program that offers the port has set it, once and for all."""
        return 115200

    @property
    def path(self):
        return f"{self.scheme}://127.0.0.1:{self.number}"

    def plug(self):
        self.listener = socket.create_server(("127.0.0.1", self.number))
        self.listener.setblocking(False)
        self.number = self.listener.getsockname()[1]

    def unplug(self):
        for end in (self.client, self.listener):
            if end is not None:
                end.close()
        self.listener = self.client = None
        self.backlog = b""

    close = unplug

    def read_from(self, wants):
        ends = [] if self.listener is None or self.client is not None else [self.listener]
        if self.client is not None and wants:
            ends.append(self.client)
        return ends

    def write_to(self):
        return [self.client] if self.backlog and self.client is not None else []

    def descriptors(self):
        return [end.fileno() for end in (self.listener, self.client) if end is not None]

    def ready(self, ends):
        if self.listener is not None and self.listener in ends:
            self.client, _ = self.listener.accept()
            self.client.setblocking(False)
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.opened()
        if self.backlog:
            self.flush()

    def opened(self):
        self.on_open()

    def receive(self, limit):
        if self.client is None:
            return b""
        try:
            data = self.client.recv(limit)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.client.close()
            self.client = None
            self.backlog = b""
        return data

    read = receive

    def write(self, data):
        room = 0 if self.client is None else BACKLOG - len(self.backlog)
        self.lost += max(0, len(data) - room)
        self.send(data[:room])

    def send(self, data):
        self.backlog += data
        self.flush()

    def flush(self):
        if self.client is None or not self.backlog:
            return
        try:
            self.backlog = self.backlog[self.client.send(self.backlog) :]
        except OSError:
            pass


IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
COM_PORT = 44


class Rfc2217(Tcp):
    """A telnet server with RFC 2217's COM port option: baud rate and control lines."""

    scheme = "rfc2217"

    def __init__(self, on_open, on_lines):
        super().__init__(on_open)
        self.on_lines = on_lines
        self.dtr = self.rts = False
        self.baud = 115200
        self.pending = bytearray()  # incomplete telnet command
        self.data = b""

    def rate(self):
        return self.baud

    def opened(self):
        self.pending.clear()
        self.data = b""
        self.agreed = set()
        self.on_open()

    def read(self, limit):
        if not self.data:
            self.data = self.decode(self.receive(limit))
        data, self.data = self.data[:limit], self.data[limit:]
        return data

    def write(self, data):
        super().write(data.replace(b"\xff", b"\xff\xff"))

    def decode(self, data):
        """Takes telnet commands out of what came."""
        self.pending += data
        out = bytearray()
        at, pending = 0, self.pending
        while at < len(pending):
            if pending[at] != IAC:
                out.append(pending[at])
                at += 1
                continue
            if at + 1 >= len(pending):
                break
            verb = pending[at + 1]
            if verb == IAC:
                out.append(IAC)
                at += 2
            elif verb in (DO, DONT, WILL, WONT):
                if at + 2 >= len(pending):
                    break
                self.negotiate(verb, pending[at + 2])
                at += 3
            elif verb == SB:
                end = pending.find(bytes((IAC, SE)), at)
                while end > 0 and pending[:end].endswith(b"\xff") and (end - len(pending[:end].rstrip(b"\xff"))) % 2:
                    end = pending.find(bytes((IAC, SE)), end + 1)
                if end < 0:
                    break
                self.option(bytes(pending[at + 2 : end]).replace(b"\xff\xff", b"\xff"))
                at = end + 2
            else:
                at += 2
        del pending[:at]
        return bytes(out)

    def negotiate(self, verb, option):
        known = option in (0, 3, COM_PORT)
        answer = {DO: WILL if known else WONT, WILL: DO if known else DONT}.get(verb)
        if answer is not None and (answer, option) not in self.agreed:
            self.agreed.add((answer, option))
            self.send(bytes((IAC, answer, option)))

    def option(self, data):
        if len(data) < 2 or data[0] != COM_PORT:
            return
        command, value = data[1], data[2:]
        if command == 1 and len(value) == 4:
            self.baud = int.from_bytes(value, "big") or self.baud
            value = self.baud.to_bytes(4, "big")
        elif command in (2, 3, 4) and value == b"\0":
            value = {2: b"\x08", 3: b"\x01", 4: b"\x01"}[command]
        elif command == 5 and value:
            value = self.control(value[0])
        elif command > 12:
            return
        self.send(bytes((IAC, SB, COM_PORT, command + 100)) + value.replace(b"\xff", b"\xff\xff") + bytes((IAC, SE)))

    def control(self, value):
        if value in (8, 9):
            self.dtr = value == 8
        elif value in (11, 12):
            self.rts = value == 11
        elif value == 7:
            return b"\x08" if self.dtr else b"\x09"
        elif value == 10:
            return b"\x0b" if self.rts else b"\x0c"
        elif value == 0:
            return b"\x01"
        if value in (8, 9, 11, 12):
            self.on_lines(self.dtr, self.rts)
        return bytes((value,))
