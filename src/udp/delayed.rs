//! Payloads that are sent later, in the order in which they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// The maximum number of payloads that wait.
const MAX_WAITING: usize = 65_536;

/// The maximum number of payload bytes that wait.
const MAX_BYTES: usize = 64 << 20;

/// The number of buffers kept for reuse.
const MAX_SPARE: usize = 1024;

/// A payload and where it goes. The order of the fields is the order of sending.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting<T> {
    /// When to send it.
    due: Instant,
    /// Keeps payloads with the same due time in the order of their datagrams.
    number: u64,
    /// Where it goes.
    pub(super) to: T,
    /// The bytes to send.
    pub(super) payload: Vec<u8>,
}

/// The queue, bounded in number and bytes.
#[derive(Debug)]
pub(super) struct Delayed<T> {
    /// The payloads that wait; the next one is at the top.
    waiting: BinaryHeap<Reverse<Waiting<T>>>,
    /// The sum of the lengths of the payloads that wait.
    bytes: usize,
    /// The number of the next payload.
    next: u64,
    /// Empty buffers for reuse.
    spare: Vec<Vec<u8>>,
}

// Implemented by hand: `derive` would require `T: Default`.
impl<T: Ord> Default for Delayed<T> {
    fn default() -> Self {
        Self {
            waiting: BinaryHeap::new(),
            bytes: 0,
            next: 0,
            spare: Vec::new(),
        }
    }
}

impl<T: Ord> Delayed<T> {
    /// An empty buffer for a payload.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps a buffer for reuse.
    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        // A few long datagrams must not hold memory for the rest of the run; 2,048 bytes hold a datagram of one
        // Ethernet frame.
        if self.spare.len() < MAX_SPARE && buffer.capacity() <= 2048 {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Adds a payload; false if the queue is full.
    pub(super) fn add(&mut self, due: Instant, to: T, payload: Vec<u8>) -> bool {
        if self.waiting.len() >= MAX_WAITING || self.bytes + payload.len() > MAX_BYTES {
            self.give_back(payload);
            return false;
        }
        self.bytes += payload.len();
        self.waiting.push(Reverse(Waiting {
            due,
            number: self.next,
            to,
            payload,
        }));
        self.next += 1;
        true
    }

    /// When the next payload is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse(waiting)| waiting.due)
    }

    /// Takes the next payload, if it is due and `wanted` accepts its destination.
    pub(super) fn take(
        &mut self,
        now: Instant,
        wanted: impl FnOnce(&T) -> bool,
    ) -> Option<Waiting<T>> {
        let Reverse(first) = self.waiting.peek()?;
        if first.due > now || !wanted(&first.to) {
            return None;
        }
        let Reverse(taken) = self.waiting.pop()?;
        // The exact counterpart of `add`: nothing may change a payload while it waits.
        self.bytes -= taken.payload.len();
        Some(taken)
    }

    /// How many payloads wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn payloads_come_when_they_are_due_and_the_queue_is_bounded() {
        let mut delayed = Delayed::default();
        let now = Instant::now();
        for (ms, payload) in [(20, "c"), (10, "a"), (10, "b")] {
            let due = now + Duration::from_millis(ms);
            assert!(delayed.add(due, 0, payload.into()));
        }
        assert!(delayed.take(now, |_| true).is_none());
        let later = now + Duration::from_millis(15);
        let mut taken = |wanted: bool| {
            let taken = delayed.take(later, |_| wanted);
            taken.map(|taken| taken.payload)
        };
        assert_eq!(taken(false), None);
        assert_eq!(taken(true).unwrap(), b"a");
        assert_eq!(taken(true).unwrap(), b"b");
        assert_eq!(taken(true), None);
        let added = (0..2000)
            .filter(|_| delayed.add(now, 0, vec![0; 65_000]))
            .count();
        assert!(added < 1100, "{added}");
    }
}
