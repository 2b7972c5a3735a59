"""The computer's end of the line: a pseudo-terminal under a path that stays the same."""

import ctypes
import os
import struct
import termios
import tty

IN_OPEN, IN_CLOSE = 0x20, 0x18
BACKLOG = 65536  # bytes kept for a computer that does not read


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
