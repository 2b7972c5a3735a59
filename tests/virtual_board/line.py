"""The serial line: bytes take their time on it, in both directions, and can be lost, garbled or held up."""

import random
import time

STEP = 0.0015  # seconds of line time to move at once


class Direction:
    """One direction. `source(n)` gives at most n bytes that are there (b"" for none), `sink(data)` takes what has arrived.

    A schedule, not sleeps: a byte that was waiting when the one before it had passed starts at that moment, however late
    this program was told the time.
    """

    def __init__(self, source, sink, baud, jitter=0.0):
        self.source = source
        self.sink = sink
        self.baud = baud
        self.jitter = jitter  # seconds that a source may be late without losing its turn
        self.flying = b""
        self.due = 0.0
        self.passed = 0  # number of bytes that passed
        self.dropped = 0
        self.garbled = 0
        self.drop_next = 0
        self.garble = 0.0
        self.random = random.Random(0)
        self.stalled_until = 0.0

    @property
    def step(self):
        return max(1, int(self.baud() / 10 * STEP)) if self.baud() else 4096

    def idle(self):
        return not self.flying

    def move(self, now):
        """Moves what is due; returns when it wants to be called again, or None when it waits for the source."""
        if now < self.stalled_until:
            return self.stalled_until
        start = max(self.due, now - self.jitter)
        while True:
            if self.flying:
                if now < self.due:
                    return self.due
                data, self.flying = self.faults(self.flying), b""
                start = self.due
                if data:
                    self.passed += len(data)
                    self.sink(data)
            data = self.source(self.step)
            if not data:
                return None
            self.flying = data
            baud = self.baud()
            self.due = start + len(data) * 10 / baud if baud else now

    def faults(self, data):
        if self.drop_next:
            cut = min(self.drop_next, len(data))
            self.drop_next -= cut
            self.dropped += cut
            data = data[cut:]
        if self.garble:
            changed = bytearray(data)
            for at in range(len(changed)):
                if self.random.random() < self.garble:
                    changed[at] ^= 1 << self.random.randrange(8)
                    self.garbled += 1
            data = bytes(changed)
        return data

    def forget(self):
        """What is on the line is gone."""
        self.flying = b""

    def stall(self, seconds):
        self.stalled_until = time.monotonic() + seconds
