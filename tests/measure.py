"""Compares the figures of udpcli with what really happened, and with iperf3 and sockperf.

    python3 tests/measure.py [--runs N] [--forwarder tun|sockets] UDPCLI

Needs root and Debian's iperf3, sockperf, nftables and iproute2. Everything happens in two network namespaces. nftables
loses datagrams on a veth pair and counts them. A forwarder in this file delays, swaps and doubles them, and notes what it
did: over two TUN devices, or where there is no /dev/net/tun, between sockets. All programs have real-time priority, so that
others on this PC disturb them little. Prints a table for docs/measuring.md: what happened, what each program says, the
difference (the median of all runs, and the least and the greatest), and why a difference is above 2 %.
"""

import argparse
import collections
import datetime
import ctypes
import fcntl
import heapq
import json
import os
import re
import select
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

A, B = f"measure-a-{os.getpid()}", f"measure-b-{os.getpid()}"
PORT = 6000
results = collections.OrderedDict()


def run(*command, check=True, **options):
    return subprocess.run(command, check=check, capture_output=True, text=True, timeout=60, **options).stdout


def inside(namespace, *command):
    return ["chrt", "-f", "10", "ip", "netns", "exec", namespace, *command]


def start(namespace, *command, output=subprocess.DEVNULL):
    return subprocess.Popen(inside(namespace, *command), stdout=output, stderr=subprocess.PIPE, text=True)


def row(what, program, true, said, why=""):
    """`why` explains a difference that is not an error."""
    results.setdefault((what, program, why), []).append((true, said))
    print(f"{what}, {program}: {true:.4g}, says {said:.4g} ({(said - true) / true * 100:+.2f} %)", file=sys.stderr, flush=True)


def table():
    print("| figure | program | what happened | what it says | difference | least, greatest |\n|---|---|---|---|---|---|")
    unexplained = []
    for (what, program, why), pairs in results.items():
        off = sorted((said - true) / true * 100 for true, said in pairs)
        true, said = (statistics.median(part) for part in zip(*pairs))
        middle = statistics.median(off)
        note = f": {why}" if why and abs(middle) > 2 else ""
        print(f"| {what} | {program} | {true:.4g} | {said:.4g} | {middle:+.2f} %{note} | {off[0]:+.2f} %, {off[-1]:+.2f} % |")
        if abs(middle) > 2 and not why:
            unexplained.append(f"{what}, {program}")
    return unexplained


class Forwarder(threading.Thread):
    """Carries datagrams between two ends. UDP to PORT gets its fate by its index; all else passes at once."""

    def __init__(self, ends, fate):
        super().__init__(daemon=True)
        self.fate, self.queue, self.index, self.order = fate, [], 0, 0
        self.came, self.left, self.ends, self.back = [], [], False, []
        self.path = ends

    def run(self):
        # One processor: the kernel may swap packets that different ones write.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
        while not self.ends:
            now = time.monotonic_ns()
            while self.queue and self.queue[0][0] <= now:
                _, _, packet, index = heapq.heappop(self.queue)
                self.path.write_b(packet)
                if index is not None:
                    self.left.append((index, time.monotonic_ns()))
                now = time.monotonic_ns()
            # Spin for the last tenth of a millisecond, because select is late by about as much.
            rest = max(0, (self.queue[0][0] - now) / 1e9 - 1e-4) if self.queue else 0.01
            a, b = self.path.files()
            ready, _, _ = select.select([a, b], [], [], min(rest, 0.01))
            if b in ready:
                self.path.back()
            if a in ready:
                (packet, is_ours), now = self.path.read_a(), time.monotonic_ns()
                fates = [0]
                if is_ours:
                    self.came.append(now)
                    fates = self.fate(self.index)
                for delay in fates:
                    self.order += 1
                    index = self.index if is_ours else None
                    heapq.heappush(self.queue, (now + int(delay * 1e6), self.order, packet, index))
                self.index += is_ours

    def delay(self):
        """The median of the times that datagrams were in the forwarder, in ms."""
        return statistics.median((time - self.came[index]) / 1e6 for index, time in self.left)

    def duplicates(self):
        return len(self.left) - len({index for index, _ in self.left})

    def jitter(self):
        """RFC 3550's jitter in ms, of what really came and left: at the end, and the mean of the differences."""
        value, differences = 0, []
        for (i1, t1), (i2, t2) in zip(self.left, self.left[1:]):
            differences.append(abs((t2 - t1) - (self.came[i2] - self.came[i1])) / 1e6)
            value += (differences[-1] - value) / 16
        return value, statistics.mean(differences)

    def reordering(self):
        """How many came late, and the mean extent, by RFC 4737 (sections 3.3 and 4.2.2), of what really left; duplicates aside."""
        sent = list(dict.fromkeys(index for index, _ in self.left))
        late = [place for place, index in enumerate(sent) if any(before > index for before in sent[:place])]
        extents = [place - next(first for first in range(place) if sent[first] > sent[place]) for place in late]
        return len(late), sum(extents) / max(len(extents), 1)

    def forget(self):
        time.sleep(0.2)  # what is still on its way
        self.came, self.left, self.index = [], [], 0


class Within:
    """Makes what this thread makes belong to a namespace."""

    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, namespace):
        self.namespace = namespace

    def __enter__(self):
        self.home = open("/proc/thread-self/ns/net")
        with open(f"/run/netns/{self.namespace}") as there:
            assert self.libc.setns(there.fileno(), 0x40000000) == 0, os.strerror(ctypes.get_errno())

    def __exit__(self, *_):
        assert self.libc.setns(self.home.fileno(), 0x40000000) == 0
        self.home.close()


class Tun:
    """IP packets between a TUN device in each namespace."""

    to = "10.9.0.2"

    def __init__(self):
        self.a, self.b = self.device(A), self.device(B)
        for namespace, own, other in [(A, "10.9.0.1", "10.9.0.2"), (B, "10.9.0.2", "10.9.0.1")]:
            run("ip", "-n", namespace, "addr", "add", own, "peer", other, "dev", "path")
            run("ip", "-n", namespace, "link", "set", "path", "up")

    @staticmethod
    def device(namespace):
        with Within(namespace):
            device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"path", 0x0001 | 0x1000))
        return device

    def files(self):
        return self.a, self.b

    def read_a(self):
        packet = os.read(self.a, 2048)
        header = (packet[0] & 15) * 4
        is_ours = packet[0] >> 4 == 4 and packet[9] == 17 and struct.unpack(">H", packet[header + 2:header + 4])[0] == PORT
        return packet, is_ours

    def write_b(self, packet):
        os.write(self.b, packet)

    def back(self):
        os.write(self.a, os.read(self.b, 2048))


class Sockets:
    """Without TUN: payloads between a socket in A, which stands for the receiver, and one that sends over the veth pair."""

    to = "10.8.0.1"

    def __init__(self):
        with Within(A):
            self.a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.a.bind((self.to, PORT))
            self.tcp = socket.create_server((self.to, PORT))
        self.client = None
        self.b = self.upstream()
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def upstream():
        with Within(A):
            upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            upstream.connect(("10.8.0.2", PORT))
        return upstream

    def files(self):
        return self.a, self.b

    def read_a(self):
        payload, client = self.a.recvfrom(2048)
        if client != self.client:
            # Another client is another sender for the receiver, too.
            self.client, self.b = client, self.upstream()
        return payload, True

    def write_b(self, payload):
        try:
            self.b.send(payload)
        except ConnectionRefusedError:
            self.b.send(payload)

    def back(self):
        try:
            payload = self.b.recv(2048)
        except ConnectionRefusedError:
            return
        if self.client:
            self.a.sendto(payload, self.client)

    def serve(self):
        """iperf3's control connection."""
        while True:
            near, _ = self.tcp.accept()
            with Within(A):
                far = socket.create_connection(("10.8.0.2", PORT))
            for one, other in [(near, far), (far, near)]:
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    @staticmethod
    def pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def udpcli(to, *send):
    """What `listen --seq` says about these datagrams: the summary, and its only sender."""
    listen = start(B, UDPCLI, "listen", "--seq", "--format", "raw", "--port", str(PORT), "--summary", "json", "--timeout", "3s")
    listen.stderr.readline()
    run(*inside(A, UDPCLI, "send", f"{to}:{PORT}", *send))
    listen.wait(timeout=60)
    lines = [json.loads(line) for line in listen.stderr if line.startswith("{")]
    summary = [line["summary"] for line in lines if "summary" in line][0]
    return summary, max(summary["senders"], key=lambda sender: sender["datagrams"])


def iperf3(to, *flags):
    server = start(B, "iperf3", "-s", "-1", "-p", str(PORT), output=subprocess.PIPE)
    time.sleep(0.5)
    text = run(*inside(A, "iperf3", "-c", to, "-p", str(PORT), "-u", "-J", *flags), check=False)
    said = server.communicate(timeout=30)[0]
    late = re.search(r"([0-9]+) datagrams received out-of-order", said)
    end = json.loads(text).get("end", {})
    # Without a test there are no sums, but an error.
    assert "sum" in end, text[-500:]
    return end["sum"], int(late.group(1)) if late else 0


def dropped():
    text = run("ip", "netns", "exec", B, "nft", "reset", "counters")
    return [int(number) for number in re.findall(r"packets ([0-9]+)", text)]


def veth():
    run("ip", "-n", A, "link", "add", "va", "type", "veth", "peer", "name", "vb", "netns", B)
    for namespace, name, address in [(A, "va", "10.8.0.1/24"), (B, "vb", "10.8.0.2/24")]:
        run("ip", "-n", namespace, "addr", "add", address, "dev", name)
        run("ip", "-n", namespace, "link", "set", name, "up")


def loss():
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
    share = lost / (lost + passed)
    row("mean burst of loss (1 / (1 - loss))", "udpcli", 1 / (1 - share), summary["bursts"]["mean"])
    end, _ = iperf3("10.8.0.2", "-l", "200", "-b", "12800000", "-t", "5")
    lost, passed = dropped()
    row("loss in % (nftables)", "iperf3", lost * 100 / (lost + passed), end["lost_percent"])
    run(*inside(B, "nft", "delete", "table", "ip", "lossy"))


# One datagram every 10 ms: with 23 ms none leaves in the moment when another one comes, which would delay both.
def jitter(index):
    return [23 + 4 * (index % 2)]


def swaps(index):
    # Every 50th comes after the next three; every 100th comes twice.
    return [23 + 35 * (index % 50 == 25)] + [23.5] * (index % 100 == 10)


SMOOTHED = "the last value weighs the last 16 datagrams most, so the time that a program takes to read the clock shows"


def path(forwarder):
    to = forwarder.path.to
    flags = ["--size", "200", "-n", "600", "--rate", "100"]
    forwarder.fate = jitter
    forwarder.forget()
    _, sender = udpcli(to, *flags)
    last, mean = forwarder.jitter()
    row("mean jitter in ms", "udpcli", mean, sender["jitter_mean"] * 1e3)
    row("jitter in ms (RFC 3550)", "udpcli", last, sender["jitter"] * 1e3, SMOOTHED)
    forwarder.forget()
    end, _ = iperf3(to, "-l", "200", "-b", "160000", "-t", "6")
    row("jitter in ms (RFC 3550)", "iperf3", forwarder.jitter()[0], end["jitter_ms"], SMOOTHED)

    forwarder.fate = swaps
    forwarder.forget()
    summary, sender = udpcli(to, *flags)
    late, extent = forwarder.reordering()
    row("reordered", "udpcli", late, sender["reordered"])
    row("reordering extent", "udpcli", extent, summary["extent_mean"])
    row("duplicates", "udpcli", forwarder.duplicates(), sender["duplicate"])
    forwarder.forget()
    _, said = iperf3(to, "-l", "200", "-b", "160000", "-t", "6")
    late = forwarder.reordering()[0]
    row("reordered", "iperf3", late, said, f"it counts each duplicate as out of order, too, and there were {forwarder.duplicates()}")

    forwarder.fate = lambda _index: [20]
    forwarder.forget()
    echo = start(B, UDPCLI, "listen", "--echo", "--format", "raw", "--port", str(PORT))
    echo.stderr.readline()
    text = subprocess.run(inside(A, UDPCLI, "send", f"{to}:{PORT}", *flags[:2], "-n", "200", "--rate", "50", "-w", "3s", "--format",
                                 "raw", "--summary", "json"), capture_output=True, timeout=60).stderr.decode()
    echo.terminate()
    echo.wait()
    line = next(line for line in text.splitlines() if line.startswith("{"))
    # What the forwarder took; the kernels and both programs take their part of a millisecond.
    why = "the way through two network stacks and both programs takes a part of a millisecond"
    row("RTT median in ms", "udpcli", forwarder.delay(), json.loads(line)["summary"]["rtt"]["median"] * 1e3, why)
    forwarder.forget()
    server = start(B, "sockperf", "server", "-i", "10.8.0.2" if to == Sockets.to else to, "-p", str(PORT))
    time.sleep(0.5)
    text = run(*inside(A, "sockperf", "under-load", "-i", to, "-p", str(PORT), "-t", "4", "--mps", "50", "--reply-every", "1",
                       "--full-rtt"), check=False)
    server.terminate()
    server.wait()
    median = re.search(r"percentile 50\.000 *= *([0-9.]+)", text)
    # sockperf leaves out the first 0.4 s and the last 0.05 s; without valid observations it prints no percentiles.
    assert median, text
    row("RTT median in ms", "sockperf", forwarder.delay(), float(median.group(1)) / 1e3, why)


def one_way():
    """Both clocks are the same in one namespace, so udpcli tells the one-way delay there."""
    sender, receiver = 6101, 6102
    delays = []
    with Within(A):
        near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        near.bind(("127.0.0.1", sender))
    near.settimeout(3)
    near.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS: when the kernel received it
    listen = start(A, UDPCLI, "listen", "--bind", "127.0.0.1", "--seq", "--format", "raw", "--port", str(receiver), "--summary", "json",
                   "-n", "200")
    listen.stderr.readline()
    send = start(A, UDPCLI, "send", f"127.0.0.1:{sender}", "--size", "200", "-n", "200", "--rate", "50")
    for _ in range(200):
        payload, [(_, _, stamp)], _, _ = near.recvmsg(2048, 64)
        seconds, nanos = struct.unpack("qq", stamp)
        came = seconds * 1_000_000_000 + nanos
        time.sleep(0.0095)
        while time.time_ns() < came + 10_000_000:
            pass
        delays.append((time.time_ns() - came) / 1e6)
        far.sendto(payload, ("127.0.0.1", receiver))
    text = listen.communicate(timeout=30)[1]
    send.communicate(timeout=30)
    summary = next(json.loads(line)["summary"] for line in text.splitlines() if line.startswith("{"))
    row("one-way delay median in ms", "udpcli", statistics.median(delays), summary["delay"]["median"] * 1e3,
        "the way through the network stack twice")
    near.close()
    far.close()


def main(runs, kind):
    veth()
    forwarder = Forwarder({"tun": Tun, "sockets": Sockets}[kind](), jitter)
    forwarder.start()
    for number in range(runs):
        print(f"run {number + 1} of {runs}", file=sys.stderr)
        loss()
        path(forwarder)
        one_way()
    forwarder.ends = True
    forwarder.join()


parser = argparse.ArgumentParser()
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--forwarder", choices=["tun", "sockets"])
parser.add_argument("udpcli", type=os.path.abspath)
args = parser.parse_args()
UDPCLI = args.udpcli
if not args.forwarder:
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
        args.forwarder = "tun"
    except OSError as error:
        print(f"no TUN here ({error}): the forwarder is one between sockets", file=sys.stderr)
        args.forwarder = "sockets"
for namespace in [A, B]:
    run("ip", "netns", "add", namespace)
    run("ip", "-n", namespace, "link", "set", "lo", "up")
try:
    main(args.runs, args.forwarder)
finally:
    for namespace in [A, B]:
        for process in run("ip", "netns", "pids", namespace, check=False).split():
            os.kill(int(process), 9)
        run("ip", "netns", "del", namespace, check=False)
versions = [run(*command).split("\n")[0].strip() for command in ([UDPCLI, "--version"], ["iperf3", "--version"], ["sockperf", "--version"])]
print(f"{datetime.date.today()}, Linux {os.uname().release}, {os.cpu_count()} processors, {args.runs} runs, forwarder: {args.forwarder}; "
      f"{', '.join(versions)}\n")
unexplained = table()
if unexplained:
    sys.exit(f"more than 2 % and not explained: {'; '.join(unexplained)}")
