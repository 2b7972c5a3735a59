"""Compares the figures of udpcli with what really happened, and with iperf3 and sockperf: `python3 tests/measure.py UDPCLI`.

Needs root and Debian's iperf3, sockperf, nftables and iproute2. Everything happens in two network namespaces. nftables
loses datagrams on a veth pair and counts them. A forwarder in this file, over two TUN devices, delays, swaps and doubles
them, and notes what it did. Prints a table: what happened, what each program says, and the difference.
"""

import ctypes
import fcntl
import heapq
import json
import os
import re
import select
import struct
import subprocess
import sys
import threading
import time

UDPCLI = os.path.abspath(sys.argv[1])
A, B = f"measure-a-{os.getpid()}", f"measure-b-{os.getpid()}"
PORT = 6000
rows = []


def run(*command, check=True, **options):
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=60, **options).stdout


def inside(namespace, *command):
    return ["ip", "netns", "exec", namespace, *command]


def start(namespace, *command, output=subprocess.DEVNULL):
    return subprocess.Popen(inside(namespace, *command), stdout=output, stderr=subprocess.PIPE, text=True)


def row(what, program, true, said):
    off = "" if not true else f"{(said - true) / true * 100:+.2f} %"
    rows.append(f"| {what} | {program} | {true:.4g} | {said:.4g} | {off} |")
    print(rows[-1], flush=True)


class Forwarder(threading.Thread):
    """Carries IP packets between two TUN devices. UDP to PORT gets its fate by its index; all else passes at once."""

    def __init__(self, fate):
        super().__init__(daemon=True)
        self.fate, self.queue, self.index, self.order = fate, [], 0, 0
        self.came, self.left, self.ends = [], [], False
        self.a, self.b = tun(A), tun(B)

    def run(self):
        while not self.ends:
            now = time.monotonic_ns()
            while self.queue and self.queue[0][0] <= now:
                _, _, packet, index = heapq.heappop(self.queue)
                os.write(self.b, packet)
                if index is not None:
                    self.left.append((index, time.monotonic_ns()))
                now = time.monotonic_ns()
            # Spin for the last tenth of a millisecond, because select is late by about as much.
            rest = max(0, (self.queue[0][0] - now) / 1e9 - 1e-4) if self.queue else 0.01
            ready, _, _ = select.select([self.a, self.b], [], [], min(rest, 0.01))
            if self.b in ready:
                os.write(self.a, os.read(self.b, 2048))
            if self.a in ready:
                packet, now = os.read(self.a, 2048), time.monotonic_ns()
                header = (packet[0] & 15) * 4
                is_ours = packet[9] == 17 and struct.unpack(">H", packet[header + 2:header + 4])[0] == PORT
                fates = [0]
                if is_ours:
                    self.came.append(now)
                    fates = self.fate(self.index)
                for delay in fates:
                    self.order += 1
                    index = self.index if is_ours else None
                    heapq.heappush(self.queue, (now + int(delay * 1e6), self.order, packet, index))
                self.index += is_ours

    def jitter(self):
        """RFC 3550's jitter in ms, of what really came and left: at the end, and the mean of all its values."""
        value, values = 0, []
        for (i1, t1), (i2, t2) in zip(self.left, self.left[1:]):
            value += (abs((t2 - t1) - (self.came[i2] - self.came[i1])) / 1e6 - value) / 16
            values.append(value)
        return value, sum(values) / len(values)

    def reordering(self):
        """How many came late, and the mean extent, by RFC 4737 (sections 3.3 and 4.2.2), of what really left; duplicates aside."""
        sent = list(dict.fromkeys(index for index, _ in self.left))
        late = [place for place, index in enumerate(sent) if any(before > index for before in sent[:place])]
        extents = [place - next(first for first in range(place) if sent[first] > sent[place]) for place in late]
        return len(late), sum(extents) / max(len(extents), 1)

    def forget(self):
        time.sleep(0.2)  # what is still on its way
        self.came, self.left, self.index = [], [], 0


def tun(namespace):
    """A TUN device in a namespace, as a file descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{namespace}") as there:
        assert libc.setns(there.fileno(), 0x40000000) == 0, os.strerror(ctypes.get_errno())
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"path", 0x0001 | 0x1000))
        assert libc.setns(here.fileno(), 0x40000000) == 0
    return device


def with_forwarder(fate):
    forwarder = Forwarder(fate)
    for namespace, own, other in [(A, "10.9.0.1", "10.9.0.2"), (B, "10.9.0.2", "10.9.0.1")]:
        run("ip", "-n", namespace, "addr", "add", own, "peer", other, "dev", "path")
        run("ip", "-n", namespace, "link", "set", "path", "up")
    forwarder.start()
    return forwarder


def udpcli(to, *send):
    """What `listen --seq` says about these datagrams: the summary, and its only sender."""
    listen = start(B, UDPCLI, "listen", "--seq", "--format", "raw", "--port", str(PORT), "--summary", "json", "--timeout", "3s")
    listen.stderr.readline()
    run(*inside(A, UDPCLI, "send", f"{to}:{PORT}", *send))
    listen.wait(timeout=60)
    lines = [json.loads(line) for line in listen.stderr if line.startswith("{")]
    summary = [line["summary"] for line in lines if "summary" in line][0]
    return summary, summary["senders"][0]


def iperf3(to, *flags):
    server = start(B, "iperf3", "-s", "-1", "-p", str(PORT), output=subprocess.PIPE)
    time.sleep(0.5)
    text = run(*inside(A, "iperf3", "-c", to, "-p", str(PORT), "-u", "-J", *flags))
    said = server.communicate(timeout=30)[0]
    late = re.search(r"([0-9]+) datagrams received out-of-order", said)
    return json.loads(text)["end"]["sum"], int(late.group(1)) if late else 0


def dropped():
    text = run("ip", "netns", "exec", B, "nft", "reset", "counters")
    return [int(number) for number in re.findall(r"packets ([0-9]+)", text)]


def loss():
    run("ip", "-n", A, "link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", B)
    for namespace, name, address in [(A, "va", "10.8.0.1/24"), (B, "vb", "10.8.0.2/24")]:
        run("ip", "-n", namespace, "addr", "add", address, "dev", name)
        run("ip", "-n", namespace, "link", "set", name, "up")
    rules = f"""table ip lossy {{
        counter dropped {{ }}
        counter passed {{ }}
        chain in {{
            type filter hook prerouting priority -300;
            udp dport {PORT} numgen random mod 100 < 5 counter name "dropped" drop
            udp dport {PORT} counter name "passed"
        }}
    }}"""
    run(*inside(B, "nft", "-f", "-"), input=rules)
    time.sleep(0.5)
    dropped()
    summary, _ = udpcli("10.8.0.2", "--size", "200", "-n", "40000", "--rate", "8000")
    lost, passed = dropped()
    row("loss in % (nftables)", "udpcli", lost * 100 / (lost + passed), summary["lost"] * 100 / (summary["lost"] + summary["datagrams"]))
    row("mean burst of loss", "udpcli", 1 / 0.95, summary["bursts"]["mean"])
    end, _ = iperf3("10.8.0.2", "-l", "200", "-b", "12800000", "-t", "5")
    lost, passed = dropped()
    row("loss in % (nftables)", "iperf3", lost * 100 / (lost + passed), end["lost_percent"])


# One datagram every 10 ms: with 23 ms none leaves in the moment when another one comes, which would delay both.
def jitter(index):
    return [23 + 4 * (index % 2)]


def swaps(index):
    # Every 50th comes after the next three; every 100th comes twice.
    return [23 + 35 * (index % 50 == 25)] + [23.5] * (index % 100 == 10)


def main():
    loss()
    flags = ["--size", "200", "-n", "600", "--rate", "100"]
    forwarder = with_forwarder(jitter)
    _, sender = udpcli("10.9.0.2", *flags)
    last, mean = forwarder.jitter()
    row("mean jitter in ms", "udpcli", mean, sender["jitter_mean"] * 1e3)
    row("jitter in ms (RFC 3550)", "udpcli", last, sender["jitter"] * 1e3)
    forwarder.forget()
    end, _ = iperf3("10.9.0.2", "-l", "200", "-b", "160000", "-t", "6")
    row("jitter in ms (RFC 3550)", "iperf3", forwarder.jitter()[0], end["jitter_ms"])

    forwarder.fate = swaps
    forwarder.forget()
    summary, sender = udpcli("10.9.0.2", *flags)
    late, extent = forwarder.reordering()
    row("reordered", "udpcli", late, sender["reordered"])
    row("reordering extent", "udpcli", extent, summary["extent_mean"])
    row("duplicates", "udpcli", 6, sender["duplicate"])
    forwarder.forget()
    _, said = iperf3("10.9.0.2", "-l", "200", "-b", "160000", "-t", "6")
    row("reordered", "iperf3", forwarder.reordering()[0], said)

    forwarder.fate = lambda _index: [20]
    echo = start(B, UDPCLI, "listen", "--echo", "--format", "raw", "--port", str(PORT))
    echo.stderr.readline()
    text = subprocess.run(inside(A, UDPCLI, "send", f"10.9.0.2:{PORT}", *flags[:2], "-n", "200", "--rate", "50", "-w", "3s", "--format",
                                 "raw", "--summary", "json"), capture_output=True, timeout=60).stderr.decode()
    echo.terminate()
    echo.wait()
    line = next(line for line in text.splitlines() if line.startswith("{"))
    row("RTT median in ms", "udpcli", 20, json.loads(line)["summary"]["rtt"]["median"] * 1e3)
    server = start(B, "sockperf", "server", "-i", "10.9.0.2", "-p", str(PORT))
    time.sleep(0.5)
    text = run(*inside(A, "sockperf", "under-load", "-i", "10.9.0.2", "-p", str(PORT), "-t", "4", "--mps", "50", "--reply-every", "1", "--full-rtt"))
    server.terminate()
    server.wait()
    median = re.search(r"percentile 50\.000 *= *([0-9.]+)", text)
    assert median, text
    row("RTT median in ms", "sockperf", 20, float(median.group(1)) / 1e3)
    forwarder.ends = True


for namespace in [A, B]:
    run("ip", "netns", "add", namespace)
    run("ip", "-n", namespace, "link", "set", "lo", "up")
try:
    print("| figure | program | what happened | what it says | difference |\n|---|---|---|---|---|")
    main()
finally:
    for namespace in [A, B]:
        for process in run("ip", "netns", "pids", namespace, check=False).split():
            os.kill(int(process), 9)
        run("ip", "netns", "del", namespace, check=False)
