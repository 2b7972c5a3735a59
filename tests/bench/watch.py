#!/usr/bin/env python3
"""What the live view costs: datagrams lost by `listen --watch` and by `listen --format raw >/dev/null`, in turns.

    tests/bench/watch.py [RUNS] [SECONDS] [RATE]

Prints each run and the medians. The view may lose 0.1 percentage points more. UDPCLI names another program than the
release build.
"""
import fcntl
import json
import os
import pty
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("UDPCLI", str(ROOT / "target/release/udpcli"))
ALLOWED = 0.1


def summary(text):
    lines = [line for line in text.splitlines() if line.startswith('{"summary"')]
    return json.loads(lines[-1])["summary"]


def drain(descriptor):
    """Reads the terminal as a window would, until its other end closes (EIO)."""
    try:
        while os.read(descriptor, 1 << 16):
            pass
    except OSError:
        pass


def lost(arguments, seconds, rate):
    """The percentage that a listener with these arguments loses."""
    with tempfile.TemporaryFile("w+") as log:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        stdout = theirs if "--watch" in arguments else subprocess.DEVNULL
        listen = [PROGRAM, "listen", "--bind", "127.0.0.1", "--port", "0", "--recv-buffer", "8M", "--summary", "json"]
        # A session of its own: the terminal is its controlling one, where the keys come from.
        take = "import fcntl,os,sys,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
        listener = subprocess.Popen([sys.executable, "-c", take, *listen, *arguments], stdin=theirs, stdout=stdout,
                                    stderr=log, start_new_session=True, env={**os.environ, "TERM": "xterm-256color"})
        os.close(theirs)
        reader = threading.Thread(target=drain, args=(ours,), daemon=True)
        reader.start()
        place = None
        for _ in range(400):
            log.seek(0)
            place = re.search(r"listening on (127\.0\.0\.1:\d+)", log.read())
            if place:
                break
            time.sleep(0.02)
        if not place:
            sys.exit("the listener says no address")
        time.sleep(0.3)
        send = [PROGRAM, "send", place[1], "--size", "64", "--rate", rate, "--duration", f"{seconds}s", "--summary", "json"]
        sent = subprocess.run(send, capture_output=True, text=True, timeout=seconds + 30)
        time.sleep(0.5)
        listener.terminate()
        listener.wait(timeout=10)
        os.close(ours)
        log.seek(0)
        sent, received = summary(sent.stderr)["datagrams"], summary(log.read())["datagrams"]
        return 100 * (sent - received) / sent, sent / seconds


def main():
    runs, seconds, rate = sys.argv[1:] + ["5", "5", "1000000"][len(sys.argv) - 1 :]
    runs, seconds = int(runs), float(seconds)
    ways = {"--format raw": ["--format", "raw"], "--watch": ["--watch"]}
    figures = {name: [] for name in ways}
    for run in range(1, runs + 1):
        # The first of a pair alternates, so that what slows the machine down slows both.
        for name in list(ways)[:: 1 if run % 2 else -1]:
            loss, speed = lost(ways[name], seconds, rate)
            figures[name].append(loss)
            print(f"run {run}: {name} lost {loss:.3f} % at {speed / 1e6:.2f} M datagrams/s", flush=True)
    medians = {name: statistics.median(losses) for name, losses in figures.items()}
    more = medians["--watch"] - medians["--format raw"]
    for name, loss in medians.items():
        print(f"median: {name} lost {loss:.3f} %")
    print(f"the view lost {more:+.3f} percentage points more; {ALLOWED} are allowed")
    return more > ALLOWED


if __name__ == "__main__":
    sys.exit(main())
