"""Runs one example of examples.toml on a computer of its own, in a network and a mount namespace: `stage.py PROGRAM FOLDER`.

The computer is 192.168.0.10. A cable (veth) leads to a second namespace with the board's Wi-Fi: 192.168.0.3 and .4 answer what
they are told to, 192.168.0.5 sends. The boards of the example are the only serial ports in /dev. FOLDER has example.json, and
becomes the working directory.
"""

import ctypes
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = next(
    (path for path in (pathlib.Path(os.environ.get("VIRTUAL_BOARD", "-")), ROOT / "target/virtual-board/bin/python") if path.exists()), None
)
LIMIT = 60
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][0-9A-B]|[=>78])")
BOARDS = [("aabbccddeeff", "192.168.0.3"), ("aabbccddee01", "192.168.0.4")]
FILES = {
    "hello.py": "print('hello')\n",
    "main.py": "print('main')\n",
    "blink.py": "import time\nwhile True:\n    time.sleep(0.1)\n",
    "count.py": "import time\nprint('started')\nwhile True:\n    time.sleep(0.05)\n",
    "broken.py": "print('before')\n1 / 0\n",
    "lib/sensor.py": "def read():\n    return 23\n",
    "commands.txt": "led on\n\nled off",
    "names.csv": "mac-or-id,name,seat\naa:bb:cc:dd:ee:ff,Anna,A1\nAA:BB:CC:DD:EE:01,Ben,A2\n192.168.0.3,desk,A1\n",
    "device.toml": '[[replies]]\non = "temp?"\ntext = "23"\n',
    "talk.jsonl": '{"time":"2026-11-27T12:00:00Z","from":"192.168.0.5:49153","to":"192.168.0.10:6000","text":"first"}\n'
    '{"time":"2026-11-27T12:00:00.2Z","from":"192.168.0.6:49153","to":"192.168.0.10:6001","text":"second"}\n',
}
# What the devices of the other end reply.
REPLIES = {b"ping": b"pong", b"temp?\r\n": b"23\r\n", b"temp?": b"23"}


def sh(command):
    subprocess.run(["sh", "-ec", command], check=True, stdout=subprocess.DEVNULL)


def build_computer():
    sh(
        "mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip netns add board && ip link set lo up "
        "&& ip link add pc0 type veth peer name wlan0 netns board && ip addr add 192.168.0.10/24 broadcast + dev pc0 "
        "&& ip addr add fd00::10/64 dev pc0 nodad && ip link set pc0 up && ip -n board link set lo up "
        "&& for a in 1 3 4 5; do ip -n board addr add 192.168.0.$a/24 broadcast + dev wlan0; done "
        "&& ip -n board addr add fd00::3/64 dev wlan0 nodad && ip -n board link set wlan0 up "
        "&& ip route add default via 192.168.0.1 && ip -n board route add default via 192.168.0.10 "
        "&& mount -t tmpfs none /mnt && printf '127.0.0.1 localhost\\n192.168.0.3 board.local\\nfd00::3 board.local\\n' > /mnt/hosts "
        "&& mount --bind /mnt/hosts /etc/hosts && mkdir -p /mnt/dev/pts /mnt/tty /mnt/sys/bus/usb"
    )
    for device in ("null", "zero", "full", "random", "urandom", "tty"):
        pathlib.Path("/mnt/dev", device).touch()
        sh(f"mount --bind /dev/{device} /mnt/dev/{device}")
    for name, to in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
        os.symlink(to, f"/mnt/dev/{name}")
    sh("mount --rbind /dev/pts /mnt/dev/pts && mount --bind /mnt/tty /sys/class/tty && mount --rbind /mnt/dev /dev")
    # A datagram to a closed port must be refused at once, so resolve the address (ARP) before.
    time.sleep(0.05)


def show_port(name, number, mac):
    """A CP210x as Linux shows it: what mPython boards have."""
    device = pathlib.Path(f"/mnt/sys/devices/1-{number}")
    interface = device / f"1-{number}:1.0"
    interface.mkdir(parents=True)
    for file, text in (("idVendor", "10c4"), ("idProduct", "ea60"), ("product", "CP2104 USB to UART Bridge"), ("serial", mac)):
        (device / file).write_text(text + "\n")
    os.symlink("/mnt/sys/bus/usb", interface / "subsystem")
    entry = pathlib.Path("/mnt/tty", name)
    entry.mkdir()
    os.symlink(interface, entry / "device")


class InTheWiFi:
    """Sockets of the second namespace."""

    def __init__(self):
        self.here = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.there = os.open("/run/netns/board", os.O_RDONLY)
        self.libc = ctypes.CDLL(None, use_errno=True)

    def socket(self, address):
        made = []

        def make():
            if self.libc.setns(self.there, 0x40000000):
                raise OSError(ctypes.get_errno(), "setns")
            one = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            one.bind(address)
            made.append(one)

        # Only the thread changes its namespace.
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]


def answer(sock, kind, devices):
    """The devices' program: echoes, or knows a few commands."""
    while True:
        data, peer = sock.recvfrom(65535)
        for device in devices if kind == "echo" else []:
            device.sendto(REPLIES.get(data, data), peer)


def listening(port):
    """Whether a program of the computer has the UDP port."""
    for table in ("udp", "udp6"):
        for line in pathlib.Path("/proc/thread-self/net", table).read_text().splitlines()[1:]:
            if int(line.split()[1].rpartition(":")[2], 16) == port:
                return True
    return False


class Stage:
    def __init__(self, program, folder):
        self.folder = folder
        self.example = json.loads((folder / "example.json").read_text("utf-8"))
        self.program = program
        self.stopped = []
        self.heard = []
        self.output = {"stdout": b"", "stderr": b""}
        self.wifi = None

    def fail(self, text):
        shown = "".join(f"--- {name}\n{self.text(name)}\n" for name in self.output if self.output[name])
        raise SystemExit(f"{text}\n{shown}".rstrip())

    def text(self, name):
        text = self.output[name].decode("utf-8", "replace")
        return ESCAPES.sub("", text) if self.example.get("tty") else text

    def everything(self):
        return self.text("stdout") + self.text("stderr")

    # -- the scene ----------------------------------------------------------------------------------------------------

    def start_board(self, number, options):
        mac, address = BOARDS[number]
        fs = pathlib.Path(f"/mnt/board{number}")
        fs.mkdir()
        for name, text in options.get("files", {}).items():
            path = fs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        command = [str(PYTHON), "-B", str(ROOT / "tests/virtual_board/virtual_board.py"), "--quick", "--baud", "0", "--fs", str(fs)]
        command += ["--link", f"/dev/ttyUSB{number}", "--mac", mac, "--ip", address, "--netns", "board", "--wifi", "class:secret"]
        board = subprocess.Popen([*command, *options.get("flags", [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.stopped.append(board)
        says = board.stdout.readline()
        if not says:
            self.fail("the virtual board did not start")
        pathlib.Path(f"/mnt/board{number}.json").write_bytes(says)
        show_port(f"ttyUSB{number}", number + 1, mac)

    def start_chip(self):
        """The emulated ESP32 of tests/flash, in download mode; its folder has the firmware to flash."""
        test = os.environ.get("UDPCLI_FLASH_TEST")
        if not test:
            self.fail("UDPCLI_FLASH_TEST is not set: tests/release/contract sets it")
        chip = subprocess.Popen(
            [test, "--exact", "stand_in::serve", "--ignored", "--nocapture"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, "UDPCLI_STAND_IN": str(self.folder)},
        )  # fmt: skip
        self.stopped.append(chip)
        for line in chip.stdout:
            if line.startswith(b"port "):
                os.symlink(os.path.realpath(line.decode().split(None, 1)[1].strip()), "/dev/ttyUSB0")
                show_port("ttyUSB0", 1, BOARDS[0][0])
                return
        self.fail("the emulated chip did not start")

    def set(self):
        for name, text in FILES.items():
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        (self.folder / "message.bin").write_bytes(bytes(range(32)))
        (self.folder / "picture.bmp").write_bytes(bytes(2500))
        if "toml" in self.example:
            (self.folder / "udpcli.toml").write_text(self.example["toml"], "utf-8")
        build_computer()
        self.wifi = InTheWiFi()
        kind = self.example.get("peer", "echo")
        if kind != "none" and not self.example.get("board"):
            devices = [self.wifi.socket((host, 6000)) for host in ("192.168.0.3", "192.168.0.4", "fd00::3")]
            for device in devices:
                threading.Thread(target=answer, args=(device, kind, [device]), daemon=True).start()
            everybody = self.wifi.socket(("192.168.0.255", 6000))
            threading.Thread(target=answer, args=(everybody, kind, devices[:2]), daemon=True).start()
        boards = self.example.get("board", 0)
        boards = [{}] * boards if isinstance(boards, int) else [boards]
        for number, options in enumerate(boards):
            self.start_board(number, options)
        if self.example.get("chip"):
            self.start_chip()
        for command in self.example.get("before", []):
            done = subprocess.run(["bash", "-c", command], env=self.environment(), cwd=self.folder, capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
            if done.returncode:
                self.fail(f"{command}: {done.stderr.decode()}")

    def environment(self):
        tools = pathlib.Path("/mnt/bin")
        if not tools.exists():
            tools.mkdir()
            os.symlink(self.program, tools / "udpcli")
            os.symlink(PYTHON.parent / "micropython", tools / "micropython")
        kept = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL", "HOME")}
        return {
            **kept, "PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin", "UDPCLI_LANG": "en", "XDG_CONFIG_HOME": str(self.folder / "config"),
            "TERM": "xterm-256color", "TZ": "UTC", "HOME": str(self.folder),
            "VIRTUAL_BOARD": str(PYTHON), "TESTS": str(ROOT / "tests"), **self.example.get("env", {}),
        }  # fmt: skip

    # -- the run ------------------------------------------------------------------------------------------------------

    def start(self):
        line = "set -o pipefail; " + self.example["run"]
        # A single command takes the place of the shell, so that it gets the signal.
        if not re.search(r"[|&;<>]", re.sub(r"'[^']*'|\"[^\"]*\"", "", self.example["run"])) and self.example["run"].startswith("udpcli "):
            line = "exec " + self.example["run"]
        options = {"cwd": self.folder, "env": self.environment()}
        if self.example.get("tty"):
            master, slave = pty.openpty()
            import fcntl
            import termios

            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

            def own_terminal():
                os.setsid()
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

            process = subprocess.Popen(["bash", "-c", line], stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal, **options)
            os.close(slave)
            return process, {master: "stdout"}, master
        given = self.example.get("stdin")
        process = subprocess.Popen(
            ["bash", "-c", line], stdin=subprocess.DEVNULL if given is None else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options
        )
        if given is not None:
            process.stdin.write(given.encode())
            process.stdin.flush()
            if not self.example.get("stdin_open"):
                process.stdin.close()
        return process, {process.stdout.fileno(): "stdout", process.stderr.fileno(): "stderr"}, None

    def pump(self, pipes, until, deadline, process):
        """Reads until `until()`, or until the program's output ends."""
        while pipes and not until():
            if time.monotonic() > deadline:
                return False
            for fd in select.select(list(pipes), [], [], 0.05)[0]:
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    data = b""
                if data:
                    self.output[pipes[fd]] += data
                else:
                    del pipes[fd]
        return True

    def feed(self, pipes, deadline, process):
        """Sends to the program what the example's device sends, and collects the replies."""
        port = self.example.get("feed_port", 6000)
        if not self.pump(pipes, lambda: listening(port), deadline, process) or not pipes:
            return
        # A program binds its ports one after the other, and then joins groups.
        self.pump(pipes, lambda: False, time.monotonic() + 0.3, process)
        sock = self.wifi.socket(("192.168.0.5", 49153))
        sock.settimeout(0.4)
        to = self.example.get("feed_to", "192.168.0.10")
        if to.startswith("239."):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.168.0.5"))
        for text in self.example["feed"]:
            sock.sendto(bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode(), (to, port))
            if self.example.get("replies", True):
                try:
                    data = sock.recv(65535)
                    self.heard.append(data.decode() if data.isascii() else "hex:" + data.hex())
                except TimeoutError:
                    pass
        sock.close()

    def run(self):
        self.set()
        varied = self.example.get("varied")
        started = time.monotonic()
        deadline = started + LIMIT
        process, pipes, keyboard = self.start()
        self.stopped.append(process)
        if "feed" in self.example:
            self.feed(pipes, deadline, process)
        for wait, keys in self.example.get("keys", []):
            if not self.pump(pipes, lambda: wait in self.everything(), time.monotonic() + (5 if varied else 20), process) and not varied:
                self.fail(f"never showed {wait!r}")
            os.write(keyboard, keys.encode())
        if "end" in self.example:
            until = self.example.get("until", self.example.get("stdout", [""])[:1])
            until = [until] if isinstance(until, str) else until
            patience = 4 if varied else 20
            if not self.pump(pipes, lambda: all(word in self.everything() for word in until), time.monotonic() + patience, process) and not varied:
                self.fail(f"never showed {until}")
            if process.poll() is not None:
                self.fail(f"ended by itself with {process.returncode}")
            signalled = time.monotonic()
            if keyboard is not None and self.example["end"] == "INT":
                os.killpg(process.pid, signal.SIGINT)
            else:
                os.killpg(process.pid, getattr(signal, "SIG" + self.example["end"]))
        if not self.pump(pipes, lambda: process.poll() is not None, deadline, process):
            self.fail(f"did not end within {LIMIT} s")
        self.pump(pipes, lambda: False, time.monotonic() + 0.2, process)
        code = process.wait(timeout=5)
        if "end" in self.example and time.monotonic() - signalled > 2.5:
            self.fail(f"took {time.monotonic() - signalled:.1f} s to end after the signal")
        self.check(code)

    def check(self, code):
        example = self.example
        expected = example.get("exit", 0)
        if code != expected:
            self.fail(f"exit code {code}, not {expected}")
        for name in ("stdout", "stderr"):
            for word in example.get(name, []):
                if word not in self.text(name) and not (name == "stdout" and example.get("varied")):
                    self.fail(f"{name} lacks {word!r}")
        if not example.get("tty"):
            # stdout is data: an example says what it expects there, or there is nothing.
            if "stdout" not in example and self.output["stdout"]:
                self.fail("stdout is not empty")
            if example.get("quiet"):
                noise = [line for line in self.text("stderr").splitlines() if not re.match(r"udpcli: error:|  (caused by|hint):|\{|    ", line)]
                if noise and not example.get("loud"):
                    self.fail("-q prints more than errors")
            if expected in (1, 2, 3) and example.get("error", expected != 1) and not example.get("quiet") and "error:" not in self.text("stderr"):
                self.fail("no error line")
        if not example.get("varied"):
            for word in example.get("heard", []):
                if word not in self.heard:
                    self.fail(f"the device was sent {self.heard}, without {word!r}")
            for word in example.get("never", []):
                if word in self.everything():
                    self.fail(f"{word!r} was printed")
        for name in example.get("makes", []):
            if not list(self.folder.glob(name)):
                self.fail(f"the file {name} was not made")
        for command in example.get("after", []):
            done = subprocess.run(["bash", "-c", command], env=self.environment(), cwd=self.folder, capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
            if done.returncode:
                self.fail(f"afterwards {command} failed: {done.stdout.decode()}{done.stderr.decode()}")

    def clear(self):
        for process in self.stopped:
            if process.poll() is None:
                if process.stdin:
                    process.stdin.close()
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def main():
    stage = Stage(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    try:
        stage.run()
    finally:
        stage.clear()


if __name__ == "__main__":
    main()
