#!/usr/bin/env python3
"""Makes the pictures of README and docs from real runs, with virtual boards in place of boards.

    cargo build && cargo test --test board fleet::jobs      # the second makes the boards' Python
    cargo test --test flash --no-run                        # for the picture flash alone
    sudo docs/pictures.py [--lang LANGUAGE] [NAME...]       # send-listen, board-oled, send-oled, oled-wall, pair-watch, flash

The language is en, or zh-CN for the pictures of the Chinese pages, NAME.zh-CN.svg.

The PC (192.168.0.10) and the board (192.168.0.3) are network namespaces of their own: nothing leaves them. Needs Linux,
root, tmux, and Debian's package unifont for the glyphs. UDPCLI names the program, by default target/debug/udpcli. Look at
every picture afterwards.
"""
import argparse
import atexit
import importlib.util
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("UDPCLI", ROOT / "target/debug/udpcli")).resolve()
PYTHON = ROOT / "target/virtual-board/bin/python"
PC, BOARD = "192.168.0.10", "192.168.0.3"
LANGUAGES = ("en", "zh-CN")
language = "en"

spec = importlib.util.spec_from_file_location("render", ROOT / "docs/render-terminal.py")
render = importlib.util.module_from_spec(spec)
spec.loader.exec_module(render)


def say(english, chinese):
    return english if language == "en" else chinese


def must(line):
    subprocess.run(line, shell=True, check=True, timeout=30)


class Network:
    """Two ends of a cable, that of the PC is here."""

    def __enter__(self):
        must("mount -t tmpfs none /run && ip link set lo up && ip netns add board"
             f" && ip link add wlan0 type veth peer name wlan0 netns board && ip addr add {PC}/24 dev wlan0"
             " && ip link set wlan0 up && ip -n board link set lo up && ip -n board link set wlan0 up"
             f" && ip -n board addr add {BOARD}/24 dev wlan0")
        return self

    def __exit__(self, *_):
        must("ip netns del board")


class Board:
    """A virtual board."""

    def __init__(self, port, main=None, flags=(), netns=True):
        self.port = port
        self.files = tempfile.TemporaryDirectory()
        if main:
            Path(self.files.name, "main.py").write_text(main, encoding="utf-8")
        command = [PYTHON, ROOT / "tests/virtual_board/virtual_board.py", "--quick", "--fs", self.files.name, "--link", port,
                   "--wifi", "class:secret", "--ip", BOARD, *flags]
        if netns:
            command += ["--netns", "board"]
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        address, port = json.loads(self.process.stdout.readline())["control"].split(":")
        self.control = socket.create_connection((address, int(port)), timeout=10).makefile("rw")

    def frame(self):
        """The display: 1,024 bytes, 8 pages of 128 columns."""
        self.control.write('{"do": "stats", "frame": true}\n')
        self.control.flush()
        return bytes.fromhex(json.loads(self.control.readline())["frame"])

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.files.cleanup()


class Terminal:
    """A window of tmux with a shell, whose prompt is `$ `."""

    def __init__(self, columns, rows, folder):
        self.name = f"pictures-{os.getpid()}-{id(self)}"
        shell = f"env PATH={PROGRAM.parent}:$PATH PS1='$ ' ENV= TZ=UTC LC_ALL=C.UTF-8 UDPCLI_LANG={language} WIFI=secret dash -i"
        atexit.register(self.close)
        must(f"tmux -L {self.name} -f /dev/null new-session -d -x {columns} -y {rows} -c {folder} {shlex.quote(shell)}")
        must(f"tmux -L {self.name} set -g status off")
        self.until(lambda lines: lines and lines[-1].startswith("$"))

    def type(self, *keys):
        subprocess.run(["tmux", "-L", self.name, "send-keys", *keys], check=True, timeout=10)

    def run(self, line):
        self.type("-l", line)
        self.type("Enter")

    def lines(self, colors=True):
        flags = ["-e", "-N"] if colors else []
        shown = subprocess.run(["tmux", "-L", self.name, "capture-pane", "-p", *flags], capture_output=True, text=True,
                               check=True, timeout=10).stdout
        lines = shown.rstrip("\n").split("\n")
        while len(lines) > 1 and not re.sub(r"\x1b\[[\d;]*m", "", lines[-1]).strip():
            lines.pop()
        return lines

    def until(self, is_so, seconds=40):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if is_so(self.lines(colors=False)):
                time.sleep(0.2)
                return self.lines()
            time.sleep(0.05)
        sys.exit("not on this screen:\n" + "\n".join(self.lines(colors=False)))

    def close(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], check=False, timeout=10, stderr=subprocess.DEVNULL)


def has(*parts):
    return lambda lines: all(part in "\n".join(lines) for part in parts)


def at_prompt(lines):
    return lines[-1].rstrip() == "$"


def save(name, text):
    path = ROOT / f"docs/picture-{name}{say('', '.zh-CN')}.svg"
    path.write_text(text, encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(text)} bytes")


def send_listen(folder):
    """A listener that echoes, and a sender."""
    above, below = Terminal(80, 24, folder), Terminal(80, 24, folder)
    above.run("udpcli listen --echo -n 4")
    above.until(has("6000", "└"))
    below.run("udpcli send 127.0.0.1:6000 -n 3 -i 1s -w 1s")
    below.until(at_prompt)
    below.run("udpcli send 127.0.0.1:6000 你好 -w 1s")
    below.until(lambda lines: at_prompt(lines) and has("你好", say("1 reply", "1 条回复"))(lines))
    below.run("udpcli send 127.0.0.1:6001 hello")
    below.until(lambda lines: at_prompt(lines) and has("hint:")(lines))
    above.until(at_prompt)
    panes = [above.lines(), below.lines()]
    save("send-listen", render.picture(say("udpcli listen, and below it udpcli send", "上面 udpcli listen，下面 udpcli send"), panes))
    above.close()
    below.close()


def board_oled(folder):
    """The tutorial's server on the board, and its OLED below."""
    port = str(Path(folder, "ttyUSB0"))
    board, terminal = Board(port), Terminal(80, 34, folder)
    terminal.type("-l", f"export UDPCLI_SERIAL={port}; clear")
    terminal.type("Enter")
    terminal.until(at_prompt)
    terminal.run("udpcli board run --example server --ssid class --password-env WIFI")
    terminal.until(has("waiting on", "└"))
    for text in ("hello", "你好"):
        must(f"{PROGRAM} -q send {BOARD}:6000 {text}")
        time.sleep(0.5)
    lines = terminal.until(lambda lines: sum("received:" in line for line in lines) == 2 and has("└")(lines))
    save("board-oled", render.picture(say("the tutorial's server on the board, and its OLED", "掌控板上的服务器程序和 OLED 屏"), [lines]))
    terminal.type("C-c")
    terminal.until(at_prompt)
    terminal.close()
    board.close()


def panel(frame, left, top):
    """The OLED as one path, four units a pixel."""
    path = ""
    for y in range(64):
        x = 0
        while x < 128:
            start = x
            while x < 128 and frame[y // 8 * 128 + x] >> y % 8 & 1:
                x += 1
            if x > start:
                path += f"M{left + 4 * start} {top + 4 * y}h{4 * (x - start)}v4h-{4 * (x - start)}z"
            x += 1
    return f'<path d="{path}" fill="#9be7ff" shape-rendering="crispEdges"/>' if path else ""


def send_oled(folder):
    """An animation: `send 你好` lights up the OLED."""
    port = str(Path(folder, "ttyUSB0"))
    board, server, client = Board(port), Terminal(90, 20, folder), Terminal(52, 14, folder)
    server.run(f"udpcli board run -s {port} --example server --ssid class --password-env WIFI --no-mirror")
    server.until(has("waiting on"))
    command = f"udpcli send {BOARD}:6000 你好"
    # Each with its seconds.
    frames = [(client.lines(), board.frame(), 1.2)]
    for end in range(len("udpcli "), len(command) + 1):
        if end == len(command) or command[end - 1] in " .:":
            frames.append(([f"$ {command[:end]}"], board.frame(), 0.25))
    client.run(command)
    client.until(lambda lines: at_prompt(lines) and len(lines) > 1)
    server.until(has("received:"))
    frames.append((client.lines(), board.frame(), 4.0))
    server.type("C-c")
    for terminal in (server, client):
        terminal.close()
    board.close()
    save("send-oled", animation(say("udpcli send, and the board's OLED", "udpcli send 和掌控板的 OLED 屏"), frames))


def animation(title, frames):
    """Frames of a terminal and the OLED beside it. The last one is what a viewer without animations shows."""
    columns, rows = 52, max(len(lines) for lines, *_ in frames)
    right = columns * render.CELL_W + 2 * render.MARGIN
    top = render.TITLE_H + render.MARGIN
    width, height = right + 512 + 4 * render.MARGIN, top + max(rows * render.CELL_H, 256 + 4 * render.MARGIN) + render.MARGIN
    out = list(render.window(title, width, height))
    # The board: its edge, and the glass of the display.
    left, glass = right + render.MARGIN, top + 2 * render.MARGIN
    out.append(f'<rect x="{right}" y="{top}" width="{512 + 2 * render.MARGIN + 16}" height="{256 + 3 * render.MARGIN + 16}" '
               'rx="14" fill="#1f3a5f"/>')
    out.append(f'<text x="{left + 264}" y="{top + 22}" text-anchor="middle" fill="#9fb6d3">mPython 掌控板</text>')
    out.append(f'<rect x="{left}" y="{glass}" width="528" height="272" rx="4" fill="#05070a"/>')
    total, begin = sum(seconds for *_, seconds in frames), 0
    styles = []
    for number, (lines, frame, seconds) in enumerate(frames):
        first, last = 100 * begin / total, 100 * (begin + seconds) / total
        is_last = number == len(frames) - 1
        # Visible from its time on until the next.
        steps = [f"{first:.3f}%{{visibility:visible}}"]
        if first > 0:
            steps.insert(0, "0%{visibility:hidden}")
        if not is_last:
            steps.append(f"{last:.3f}%{{visibility:hidden}}")
        steps.append(f"100%{{visibility:{'visible' if is_last else 'hidden'}}}")
        styles.append(f"@keyframes f{number}{{{''.join(steps)}}}"
                      f"#f{number}{{animation:f{number} {total:g}s step-end infinite;visibility:{'visible' if is_last else 'hidden'}}}")
        out.append(f'<g id="f{number}">')
        out += render.draw_pane(lines, top)
        out.append(panel(frame, left + 8, glass + 8))
        out.append("</g>")
        begin += seconds
    out.insert(1, f"<style>{''.join(styles)}</style>")
    return "\n".join(out) + "\n</svg>\n"


SHOWS = """import time
from mpython import *
n = 0
while True:
    oled.fill(0)
    for row, text in enumerate(({texts})):
        oled.DispChar(text % n if '%' in text else text, 0, 16 * row)
    oled.show()
    n += 1
    time.sleep_ms(400)
"""


def oled_wall(folder):
    """The screens of twelve boards, one without firmware."""
    names = ["小明", "李华", "Eva", "王芳", "Tom", "陈静", "Müller", "赵磊", "孙丽", "周杰", "吴敏", "Ana"]
    rows = "".join(f"240ac400{index:04x},{name},A{index + 1}\n" for index, name in enumerate(names))
    Path(folder, "names.csv").write_text("mac-or-id,name,seat\n" + rows, encoding="utf-8")
    boards, ports = [], []
    for index, name in enumerate(names):
        port = str(Path(folder, f"ttyUSB{index}"))
        texts = [f"'你好，{name}'", f"'温度 {19 + index} 度'", "'count %d'"]
        flags = ["--mac", f"240ac400{index:04x}"] + (["--broken", "no-firmware"] if index == 4 else [])
        boards.append(Board(port, SHOWS.format(texts=", ".join(texts)), flags))
        ports.append(f"-s ttyUSB{index}")
    terminal = Terminal(*say((92, 19), (80, 24)), folder)
    terminal.run(f"clear; udpcli board oled --names names.csv {' '.join(ports)}")
    lines = terminal.until(has(say("12 of 12, 1 failed", "共 12 块，失败 1 块"), "count 9"))
    save("oled-wall", render.picture("udpcli board oled --all --names names.csv", [lines]))
    terminal.type("q")
    terminal.until(at_prompt)
    terminal.close()
    for board in boards:
        board.close()


def pair_watch(folder):
    """The live view of pair, while datagrams are lost, and then a firewall drops them."""
    board, terminal = Board(str(Path(folder, "ttyUSB0"))), Terminal(90, 27, folder)
    terminal.run("clear; udpcli pair --watch -s ttyUSB0 --ssid class --password-env WIFI --interval 20ms")
    terminal.until(has(say("10 of 10 rounds", "10 轮中有 10 轮")))
    begin = "nft add table inet t && nft add chain inet t i '{ type filter hook input priority 0; }' && nft add rule inet t i "
    must(begin + "udp dport 6000 numgen random mod 100 '<' 20 drop")
    terminal.until(has(say("PROBLEM", "有问题")))
    time.sleep(4)
    must("nft delete table inet t")
    terminal.until(has(say("IT WORKS", "一切正常")))
    time.sleep(5)
    must(begin + "udp dport 6000 drop")
    terminal.until(has(say("firewall", "防火墙"), "×"))
    # The column of the losses is then wide enough for the scale.
    lines = terminal.until(lambda lines: re.search(say(r"\d{3} of \d+ lost", r"丢失 \d{3}/"), "\n".join(lines)))
    save("pair-watch", render.picture("udpcli pair --watch", [lines]))
    must("nft delete table inet t")
    terminal.type("q")
    terminal.until(at_prompt)
    terminal.close()
    board.close()


def flash(folder):
    """A board of the tests, which a class has used, gets the maker's release."""
    command = ["cargo", "test", "-q", "--offline", "--test", "flash", "a_board_for_manual_tests", "--", "--ignored", "--nocapture"]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    url, release = next(line for line in server.stdout if line.startswith("UDPCLI_SERIAL=")).split()
    url = url.removeprefix("UDPCLI_SERIAL=")
    must(f"cp {release} {folder}/mpython.bin")
    terminal = Terminal(say(116, 90), 40, folder)
    terminal.run(f"export UDPCLI_SERIAL={url}; clear")
    terminal.until(at_prompt)
    terminal.run("udpcli board flash mpython.bin --monitor")
    lines = terminal.until(lambda lines: lines[-1].startswith(">>>"), 120)
    # The board of the tests is behind a socket; a board has a port.
    lines = [line.replace(url, "/dev/ttyUSB0") for line in lines]
    # The board may print its prompt more than once.
    while lines[-2].startswith(">>>"):
        lines.pop()
    title = say("udpcli board flash: the maker's release, and the board's files stay", "udpcli board flash：刷入官方固件，板上的文件保留")
    save("flash", render.picture(title, [lines]))
    terminal.close()
    server.stdin.close()
    server.wait(timeout=10)


PICTURES = {"send-listen": send_listen, "board-oled": board_oled, "send-oled": send_oled, "oled-wall": oled_wall,
            "pair-watch": pair_watch, "flash": flash}


def main():
    global language
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", metavar="NAME", nargs="*", help=", ".join(PICTURES))
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(PICTURES):
        parser.error(f"no such picture: {', '.join(unknown)}")
    if not chosen.inside:
        # Namespaces of our own for the network and for what is mounted.
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, __file__, "--inside", *sys.argv[1:]])
    language = chosen.lang
    with Network(), tempfile.TemporaryDirectory() as folder:
        for name in chosen.names or PICTURES:
            PICTURES[name](folder)


if __name__ == "__main__":
    main()
