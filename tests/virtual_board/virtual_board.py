#!/usr/bin/env python3
"""An mPython board on a pseudo-terminal, for tests: see README.md. Prints one JSON line with where it is."""

import argparse
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time

import broken
import cpu
import rom
from cpu import EXIT_DOWNLOAD, EXIT_HARD, EXIT_SOFT, FRIENDLY, JITTER, NO_INTERRUPT, STAGES, Cpu, Shared, unread
from firmware import DEFAULT, PROFILES
from hosts import USB, Pty, Rfc2217, Tcp, UsbPty
from line import Direction
from rom import POWER_ON, SOFTWARE

FIFO = 128  # bytes that the UART keeps while its interrupt does not run
RX_BUFFER = 255  # size of the board's receive buffer in bytes
PATIENCE = 0.003  # seconds that a board with a full buffer has to read before a byte is lost

EN_RISE = 0.01  # seconds until EN has risen: 10 kOhm and 1 uF

OFF, HELD, BOOTING, RUNNING, DOWNLOAD, BROKEN = "off", "held", "booting", "running", "download", "broken"


def size(text):
    """100k, 2M or a plain number of bytes."""
    units = {"k": 1024, "m": 1024 * 1024}
    return int(text[:-1]) * units[text[-1].lower()] if text[-1:].lower() in units else int(text)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fs", help="the folder that is the board's file system (default: a temporary one)")
    parser.add_argument("--fs-size", type=size, default=0, help="bytes the file system holds; 0: no limit")
    parser.add_argument("--read-only", action="store_true", help="the file system takes no writes")
    parser.add_argument("--profile", choices=sorted(PROFILES), default=DEFAULT, help=f"the firmware (default: {DEFAULT})")
    parser.add_argument("--first-boot", action="store_true", help="the board has just been flashed: its first boot sets up the file system")
    parser.add_argument("--mpython", action="store_true", help="the maker's modules are built into this firmware too")
    parser.add_argument("--mpython-first", choices=("file", "frozen"), help="what `import mpython` finds (default: as the firmware)")
    parser.add_argument("--without", action="append", default=[], metavar="MODULE", help="a module that this firmware does not have")
    parser.add_argument("--setup-time", type=float, default=0.4, help="seconds that the first boot writes to the flash")
    parser.add_argument("--quick", action="store_true", help="boots and soft resets take no longer than they must here")
    parser.add_argument("--broken", choices=sorted(broken.KINDS), help="no MicroPython answers: what the port says instead")
    parser.add_argument("--heap", type=size, default=size("160k"), help="bytes of heap (objects are twice an ESP32's size)")
    parser.add_argument("--baud", type=int, default=115200, help="line rate, bytes a second times ten; 0: no limit, no loss")
    parser.add_argument("--flash-time", action="store_true", help="writing to the file system takes as long as on the chip")
    parser.add_argument("--boot-time", type=float, default=0.2, help="seconds from reset to MicroPython")
    parser.add_argument("--import-time", type=float, default=0.15, help="seconds that `import mpython` takes")
    parser.add_argument("--mac", default="aabbccddeeff", help="12 hex digits")
    parser.add_argument("--wifi", action="append", default=[], metavar="SSID:PASSWORD[:5g]", help="a network in the air")
    parser.add_argument("--ip", default="127.0.0.1", help="the address the board has once connected, and sends from")
    parser.add_argument("--netns", help="network namespace (`ip netns`) that the board's radio is in")
    parser.add_argument("--rssi", type=int, default=-55)
    parser.add_argument("--link", help="path of the port (default: in a temporary folder)")
    parser.add_argument("--tcp", action="store_true", help="a raw TCP port instead of a pseudo-terminal")
    parser.add_argument("--rfc2217", action="store_true", help="an RFC 2217 port, with DTR and RTS")
    parser.add_argument("--reset-on-open", action="store_true", help="opening the port resets the board")
    parser.add_argument("--usb", choices=("none", *sorted(USB)), help="the chip's own USB port (default: as the firmware)")
    parser.add_argument("--usb-gone", type=float, default=0.3, help="seconds for which a reset takes the chip's own USB port away")
    parser.add_argument("--usb-renames", action="store_true", help="the port has another name after each reset")
    parser.add_argument("--usb-sys", metavar="DIR", help="a folder that shows the port as Linux does in /sys: DIR/tty is /sys/class/tty")
    return parser.parse_args()


class Board:
    """The board, its line and the switches on both."""

    def __init__(self, options):
        self.options = options
        self.temporary = tempfile.mkdtemp(prefix="virtual-board-")
        if not options.fs:
            options.fs = os.path.join(self.temporary, "fs")
        os.makedirs(options.fs, exist_ok=True)
        self.shared = Shared()
        self.shared.baud = options.baud
        self.shared.rssi = -options.rssi
        self.cpu = Cpu(options, self.shared)
        self.rx_out, self.rx_in = os.pipe()  # the board's receive buffer
        self.tx_out, self.tx_in = os.pipe()
        os.set_blocking(self.rx_in, False)
        os.set_blocking(self.tx_out, False)
        self.usb = self.cpu.firmware.usb if options.usb is None else options.usb.replace("none", "")
        if options.rfc2217 or options.tcp:
            self.usb = ""
        if self.usb:
            self.shared.baud = 0
        if options.rfc2217:
            self.host = Rfc2217(self.on_open, self.on_lines)
        elif options.tcp:
            self.host = Tcp(self.on_open)
        else:
            link = options.link or os.path.join(self.temporary, "tty")
            if self.usb:
                self.host = UsbPty(link, self.on_open, USB[self.usb], options)
            else:
                self.host = Pty(link, self.on_open)
        self.down = Direction(self.host_read, self.receive, lambda: self.host_rate())
        self.up = Direction(self.board_read, self.send, lambda: self.shared.rate, jitter=JITTER)
        self.host_most = 0  # fault: the computer's adapter does not go beyond this rate
        self.last_rate = 115200
        self.fast_noise = (0, 0.0)  # fault: beyond this rate a byte changes with this probability
        self.fifo = b""  # bytes that came while the flash was busy
        self.state = OFF
        self.said = b""  # output of the ROM that is still to send
        self.boot_at = None
        self.release_at = None
        self.lines = (False, False)
        self.late = b""  # bytes beyond the buffer that are not lost yet
        self.late_mark = None
        self.stats = {"resets": 0, "soft_resets": 0, "interrupts": 0, "lost": 0, "crashes": 0}
        self.reboot_after = None
        self.silent = False
        self.chatter = b""
        self.noise = False
        self.is_new = options.first_boot
        self.broken = options.broken
        self.again_at = None  # when a broken board repeats its output
        self.plug_at = None  # when the chip's own USB port is there again
        self.control = Control(self)

    # Power and reset.

    def plug(self):
        if self.state == OFF:
            self.host.plug()
            self.hard_reset(POWER_ON, count=False)

    def unplug(self):
        if self.state != OFF:
            self.halt()
            self.state = OFF
            self.plug_at = None
            self.down.forget()
            self.up.forget()
            self.host.unplug()

    def halt(self):
        self.cpu.kill()
        self.shared.stage = 0
        self.shared.interrupt = NO_INTERRUPT
        self.late = b""
        for fd in (self.rx_out, self.tx_out):
            waiting = unread(fd)
            if waiting:
                os.read(fd, waiting)
        self.said = b""
        self.boot_at = None
        self.again_at = None

    def hard_reset(self, reason=POWER_ON, download=False, count=True):
        self.halt()
        self.shared.divider, self.shared.configuration = self.cpu.firmware.uart
        self.shared.flash_until = 0.0
        if self.usb and count:
            # The chip leaves the bus, and what it prints meanwhile is lost.
            self.down.forget()
            self.up.forget()
            self.host.unplug()
            self.plug_at = time.monotonic() + self.options.usb_gone
        self.shared.mode = FRIENDLY
        self.shared.frame = bytes(Shared.FRAME_LEN)
        self.shared.ap = 0
        self.reboot_after = None
        if count:
            self.stats["resets"] += 1
        if download:
            self.state = DOWNLOAD
            self.said = rom.log(self.cpu.firmware.rom, reason, download=True).encode()
        elif self.broken:
            self.state = BROKEN
            trouble = broken.KINDS[self.broken]
            self.said = (self.rom_log(reason) if trouble.boots else b"") + trouble.first
            self.again_at = time.monotonic() + trouble.period if trouble.again else None
        else:
            self.state = BOOTING
            self.said = self.log(reason)
            self.boot_at = time.monotonic() + self.options.boot_time
            if self.plug_at is not None:
                # The USB unit works from the reset on, while the firmware still starts.
                self.boot_at += self.options.usb_gone

    def plug_again(self):
        self.plug_at = None
        self.host.plug(again=True)

    def rom_log(self, reason):
        return rom.log(self.cpu.firmware.rom, reason).encode()

    def log(self, reason):
        """What is said before MicroPython runs: by the ROM, then by ESP-IDF where the firmware lets it."""
        return self.rom_log(reason) + "".join(self.cpu.firmware.log).encode()

    def say_again(self, now):
        """A broken board restarts, or a program that is not MicroPython prints on."""
        trouble = broken.KINDS[self.broken]
        self.said += trouble.again
        self.again_at = now + trouble.period

    def boot(self):
        self.boot_at = None
        self.state = RUNNING
        options = self.options
        first, self.is_new = self.is_new, False
        environment = {
            **self.cpu.environment(),
            "VB_FS_SIZE": str(options.fs_size),
            "VB_FIRST": "1" if first else "",
            "VB_SETUP_TIME": "0" if options.quick else str(int(options.setup_time * 1000)),
            "VB_QUICK": "1" if options.quick else "",
            "VB_READ_ONLY": "1" if options.read_only else "",
            "VB_MAC": options.mac,
            "VB_WIFI": json.dumps([network(text) for text in options.wifi]),
            "VB_IP": options.ip,
            "VB_IMPORT_TIME": str(int(options.import_time * 1000)),
            "VB_CLKDIV": str(self.shared.divider),
            "VB_CONF0": str(self.shared.configuration),
        }
        keep = [self.rx_out, self.rx_in, self.tx_out, self.tx_in]
        keep += self.host.descriptors() + self.control.descriptors()
        self.cpu.start(self.rx_out, self.tx_in, keep, environment)

    def ended(self):
        """The child has ended: why, and what the board does then."""
        while self.cpu.pid is not None:
            pid, status = os.waitpid(self.cpu.pid, os.WNOHANG)
            if pid == 0:
                return
            self.cpu.pid = None
            code = os.waitstatus_to_exitcode(status)
            if code == EXIT_SOFT:
                self.stats["soft_resets"] += 1
                self.boot()
            elif code in (EXIT_HARD, EXIT_DOWNLOAD):
                self.hard_reset(SOFTWARE, download=code == EXIT_DOWNLOAD)
            else:
                print(f"virtual board: MicroPython ended with {code}", file=sys.stderr, flush=True)
                self.stats["crashes"] += 1
                self.hard_reset(SOFTWARE)
                self.said = f"Guru Meditation Error: exit {code}\r\n".encode() + self.said

    def on_open(self):
        if self.options.reset_on_open:
            self.hard_reset(POWER_ON)

    def on_lines(self, dtr, rts):
        """The two transistors between DTR, RTS and the chip: RTS alone pulls EN low, DTR alone IO0."""
        self.lines = (dtr, rts)
        if rts and not dtr:
            if self.state != HELD:
                self.halt()
                self.state = HELD
            self.release_at = None
        elif self.state == HELD:
            # EN's capacitor delays EN; the chip samples IO0 when EN has risen.
            self.release_at = time.monotonic() + EN_RISE

    def release(self):
        dtr, rts = self.lines
        self.release_at = None
        self.hard_reset(POWER_ON, download=dtr and not rts)

    # The line.

    def host_rate(self):
        """The computer's rate; its 115,200 baud are `--baud`."""
        rate = self.host.rate()
        if self.host_most and rate > self.host_most:
            rate = self.last_rate
        self.last_rate = rate
        return int(self.shared.baud * rate / 115200)

    def rates_differ(self):
        board = self.shared.rate
        return bool(board) and abs(self.host_rate() / board - 1) > 0.03

    def distort(self, data, direction):
        """What different rates, and a bad line at high rates, make of bytes."""
        if self.noise or self.rates_differ():
            return noise(data, direction.random)
        beyond, probability = self.fast_noise
        if beyond and self.shared.rate > beyond:
            return bytes(byte ^ 1 << direction.random.randrange(8) if direction.random.random() < probability else byte for byte in data)
        return data

    def host_read(self, limit):
        if not self.shared.baud and self.state == RUNNING:
            limit = min(limit, RX_BUFFER - unread(self.rx_out))
            if limit <= 0:
                return b""
        data = self.host.read(limit)
        if data and self.reboot_after is not None:
            self.reboot_after -= len(data)
        return data

    def receive(self, data):
        """Bytes arrive at the board."""
        if self.state == BROKEN and broken.KINDS[self.broken].echoes and not self.silent:
            self.said += data
        elif self.state != RUNNING or self.silent or self.chatter:
            self.stats["lost"] += len(data)
        else:
            data = self.distort(data, self.down)
            if time.monotonic() < self.shared.flash_until:
                room = FIFO - len(self.fifo)
                self.stats["lost"] += max(0, len(data) - room)
                self.fifo += data[:room]
                return
            data, self.fifo = self.fifo + data, b""
            kept = bytearray()
            for byte in data:
                if byte == self.shared.interrupt != NO_INTERRUPT:
                    self.store(kept)
                    kept = bytearray()
                    self.stats["interrupts"] += 1
                    self.cpu.interrupt()
                else:
                    kept.append(byte)
            self.store(kept)
        if self.reboot_after is not None and self.reboot_after <= 0:
            self.hard_reset(POWER_ON)

    def store(self, data):
        """Puts bytes into the receive buffer; those beyond it wait a little, see `settle`."""
        if not data:
            return
        room = 0 if self.late else max(0, RX_BUFFER - unread(self.rx_out))
        os.write(self.rx_in, data[:room])
        if len(data) > room:
            if not self.late:
                self.late_mark = None
            self.late += bytes(data[room:])
            self.settle(time.monotonic())

    def settle(self, now):
        """Tells a board that does not read from one that this machine has not let run: only the first loses bytes."""
        room = RX_BUFFER - unread(self.rx_out)
        if room > 0:
            os.write(self.rx_in, self.late[:room])
            self.late = self.late[room:]
            self.late_mark = None
        if not self.late:
            return None
        running, used = process(self.cpu.pid)
        if self.late_mark is None or self.late_mark[0] != running:
            start = used if self.late_mark is None else self.late_mark[2]
            self.late_mark = (running, now, start)
        idle = now - self.late_mark[1] if not running else 0
        if idle >= PATIENCE or used - self.late_mark[2] >= PATIENCE:
            self.stats["lost"] += len(self.late)
            self.late = b""
            return None
        return now + 0.001

    def board_read(self, limit):
        if self.said:
            data, self.said = self.said[:limit], self.said[limit:]
            return data
        if self.chatter:
            text = (self.chatter * (limit // len(self.chatter) + 1))[:limit]
            cut = limit % len(self.chatter)
            self.chatter = self.chatter[cut:] + self.chatter[:cut]
            return text
        if not self.shared.baud and self.host.backlog:
            # Without a baud rate, the board waits for its reader.
            return b""
        self.shared.is_sending = 1
        try:
            return os.read(self.tx_out, limit)
        except BlockingIOError:
            self.shared.is_sending = 0
            return b""

    def send(self, data):
        """Bytes arrive at the computer."""
        if self.silent:
            return
        # An echo has the computer's own rate.
        is_echo = self.state == BROKEN and broken.KINDS[self.broken].echoes
        self.host.write(data if is_echo and not self.noise else self.distort(data, self.up))

    def settle_usb(self, now):
        """Sends the last packet of an answer, unless the host waits for more after it."""
        return self.host.settle(now) if self.usb else None

    # The loop.

    def run(self, wakeup):
        while True:
            now = time.monotonic()
            if self.boot_at is not None and now >= self.boot_at:
                self.boot()
            if self.release_at is not None and now >= self.release_at:
                self.release()
            if self.again_at is not None and now >= self.again_at:
                self.say_again(now)
            if self.plug_at is not None and now >= self.plug_at:
                self.plug_again()
            times = [self.down.move(now), self.up.move(now), self.boot_at, self.release_at, self.again_at]
            times += [self.plug_at, self.settle_usb(now)]
            if self.fifo:
                if now >= self.shared.flash_until:
                    self.receive(b"")
                times.append(self.shared.flash_until)
            if self.late:
                times.append(self.settle(now))
            elif not self.shared.baud and self.state == RUNNING:
                times.append(now + 0.001 if unread(self.rx_out) else None)
            read = [wakeup, 0] + self.control.read_from()
            unlimited_full = not self.shared.baud and self.state == RUNNING and unread(self.rx_out) >= RX_BUFFER
            stalled = now < self.down.stalled_until
            read += self.host.read_from(self.down.idle() and not stalled and not unlimited_full)
            if self.up.idle() and now >= self.up.stalled_until and not self.said:
                read.append(self.tx_out)
            times = [t for t in times if t is not None]
            timeout = max(0.0, min(times) - time.monotonic()) if times else None
            ready, _, _ = select.select(read, self.host.write_to(), [], timeout)
            self.host.ready(ready)
            if 0 in ready and not os.read(0, 4096):
                return
            if wakeup in ready:
                if signal.SIGTERM in os.read(wakeup, 256):
                    return
                # Send the output from before the end first: it is still in the pipe.
                self.ended()
            self.control.ready(ready)

    def close(self):
        self.cpu.kill()
        self.host.close()
        shutil.rmtree(self.temporary, ignore_errors=True)


def noise(data, random):
    """What a wrong baud rate makes of bytes: other bytes, and not as many."""
    return bytes(random.randrange(256) for _ in data[: (len(data) + 1) // 2])


def network(text):
    fields = text.split(":")
    hidden = len(fields) > 2 and fields[-1] == "5g"
    if hidden:
        fields.pop()
    return {"ssid": fields[0], "password": ":".join(fields[1:]), "visible": not hidden}


def process(pid):
    """Whether a process runs or waits to run, and the seconds it has run."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state = file.read().rpartition(b")")[2].split()[0]
        with open(f"/proc/{pid}/schedstat", "rb") as file:
            used = int(file.read().split()[0]) / 1e9
    except (OSError, IndexError, ValueError):
        return False, 0.0
    return state == b"R", used


class Control:
    """Switches the faults: one JSON object a line over TCP on loopback, one JSON line back."""

    def __init__(self, board):
        self.board = board
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.clients = {}

    @property
    def address(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def descriptors(self):
        return [self.listener.fileno()] + [client.fileno() for client in self.clients]

    def read_from(self):
        return [self.listener, *self.clients]

    def ready(self, ready):
        for item in ready:
            if item is self.listener:
                client, _ = item.accept()
                self.clients[client] = b""
            elif item in self.clients:
                self.serve(item)

    def serve(self, client):
        try:
            data = client.recv(65536)
        except OSError:
            data = b""
        if not data:
            del self.clients[client]
            client.close()
            return
        *lines, self.clients[client] = (self.clients[client] + data).split(b"\n")
        for line in lines:
            try:
                command = json.loads(line)
                answer = {"ok": True, **(self.act(command.pop("do"), **command) or {})}
            except Exception as error:  # noqa: BLE001
                answer = {"ok": False, "error": repr(error)}
            client.sendall(json.dumps(answer).encode() + b"\n")

    def act(self, do, **arguments):
        function = getattr(self, "do_" + do, None)
        if function is None:
            raise ValueError(f"no such command: {do}")
        return function(**arguments)

    def directions(self, direction):
        return {"down": [self.board.down], "up": [self.board.up], "both": [self.board.down, self.board.up]}[direction]

    def do_stats(self, frame=False):
        board = self.board
        answer = {
            "state": board.state,
            "stage": STAGES[board.shared.stage] if board.state == RUNNING else "",
            "down": board.down.passed,
            "up": board.up.passed,
            "dropped": board.down.dropped + board.up.dropped,
            "garbled": board.down.garbled + board.up.garbled,
            "unread": unread(board.rx_out) + len(board.late),
            "host_lost": board.host.lost,
            "port": board.host.path,
            "held": board.host.held if board.usb else 0,
            "shows": board.shared.shows,
            "lcd": board.shared.lcd,
            "panel_on": bool(board.shared.power),
            "inverted": bool(board.shared.inverted),
            "contrast": board.shared.contrast,
            "ap": board.shared.ap,
            "dtr": board.lines[0],
            "rts": board.lines[1],
            "interrupt_char": board.shared.interrupt,
            "rate": board.shared.rate,
            "rate_changes": board.shared.rate_changes,
            "fastest": board.shared.fastest,
            "sectors": board.shared.sectors,
            "host_rate": board.host_rate(),
            **board.stats,
        }
        if frame:
            answer["frame"] = board.shared.frame.hex()
        return answer

    def do_unplug(self):
        self.board.unplug()

    def do_plug(self):
        self.board.plug()

    def do_reset(self):
        self.board.hard_reset()

    def do_boot_download_mode(self):
        self.board.hard_reset(download=True)

    def do_flash(self):
        """The firmware has just been written, its files are gone: the board boots for the first time."""
        board = self.board
        board.halt()
        for entry in os.scandir(board.cpu.fs):
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
        board.is_new = True
        board.broken = None
        board.hard_reset()

    def do_broken(self, kind=None):
        """The board is of this kind from the next hard reset on, which this is; none: its firmware runs again."""
        if kind is not None and kind not in broken.KINDS:
            raise ValueError(f"one of {sorted(broken.KINDS)}")
        self.board.broken = kind
        self.board.hard_reset()

    def do_reboot_after(self, bytes):  # noqa: A002
        self.board.reboot_after = bytes

    def do_drop(self, bytes, direction="down"):  # noqa: A002
        for line in self.directions(direction):
            line.drop_next = bytes

    def do_garble(self, probability, seed=0, direction="down"):
        for line in self.directions(direction):
            line.garble = probability
            line.random.seed(seed)

    def do_stall(self, seconds, direction="both"):
        for line in self.directions(direction):
            line.stall(seconds)

    def do_silence(self, on=True):
        self.board.silent = on

    def do_chatter(self, on=True, text="I (1234) wifi: noise\r\n"):
        self.board.chatter = text.encode() if on else b""

    def do_air(self, rssi=None, bssid=None, away=None):
        """Somebody carries the board around: its signal, the access point (the last byte of its address), out of reach."""
        shared = self.board.shared
        if rssi is not None:
            shared.rssi = -rssi
        if bssid is not None:
            shared.bssid = bssid
        if away is not None:
            shared.away = away

    def do_wrong_baud(self, on=True):
        self.board.noise = on

    def do_keep_rate(self, on=True):
        self.board.shared.keeps_rate = on

    def do_host_most(self, baud):
        self.board.host_most = baud

    def do_fast_noise(self, probability, beyond=120000):
        self.board.fast_noise = (beyond, probability)

    def do_baud(self, baud):
        self.board.shared.baud = baud


def main():
    options = parse()
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    board = Board(options)
    try:
        board.plug()
        where = {"port": board.host.path, "control": board.control.address, "pid": os.getpid(), "fs": board.cpu.fs}
        if board.usb:
            where["usb"] = ":".join(USB[board.usb][:2])
        print(json.dumps(where), flush=True)
        board.run(read)
    finally:
        board.close()


if __name__ == "__main__":
    sys.exit(main())
