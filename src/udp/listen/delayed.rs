//! Answers that are sent later, in the order in which they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// The maximum number of answers that wait.
const MAX_WAITING: usize = 65_536;

/// The maximum number of payload bytes that wait.
const MAX_BYTES: usize = 64 << 20;

/// The number of buffers kept for reuse.
const MAX_SPARE: usize = 1024;

/// An answer and where it goes. The order of the fields is the order of sending.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    due: Instant,
    /// Keeps answers that are due at once in the order of their datagrams.
    number: u64,
    /// The index of the socket.
    pub(super) socket: usize,
    pub(super) peer: SocketAddr,
    pub(super) from: Option<IpAddr>,
    pub(super) payload: Vec<u8>,
}

/// The queue, bounded in number and bytes.
#[derive(Debug, Default)]
pub(super) struct Delayed {
    waiting: BinaryHeap<Reverse<Waiting>>,
    bytes: usize,
    next: u64,
    spare: Vec<Vec<u8>>,
}

impl Delayed {
    /// An empty buffer for a payload.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps a buffer for reuse.
    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < MAX_SPARE && buffer.capacity() <= 2048 {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Adds an answer; false if the queue is full.
    pub(super) fn add(
        &mut self,
        due: Instant,
        socket: usize,
        to: (SocketAddr, Option<IpAddr>),
        payload: Vec<u8>,
    ) -> bool {
        if self.waiting.len() >= MAX_WAITING || self.bytes + payload.len() > MAX_BYTES {
            self.give_back(payload);
            return false;
        }
        self.bytes += payload.len();
        self.waiting.push(Reverse(Waiting {
            due,
            number: self.next,
            socket,
            peer: to.0,
            from: to.1,
            payload,
        }));
        self.next += 1;
        true
    }

    /// When the next answer is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse(waiting)| waiting.due)
    }

    /// Takes an answer that is due on `socket`, or, with `None`, on any.
    pub(super) fn take(&mut self, now: Instant, socket: Option<usize>) -> Option<Waiting> {
        let Reverse(first) = self.waiting.peek()?;
        if first.due > now || socket.is_some_and(|socket| socket != first.socket) {
            return None;
        }
        let Reverse(taken) = self.waiting.pop()?;
        self.bytes -= taken.payload.len();
        Some(taken)
    }

    /// How many answers wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn answers_come_when_they_are_due_and_the_queue_is_bounded() {
        let mut delayed = Delayed::default();
        let now = Instant::now();
        let to = ("127.0.0.1:9".parse().unwrap(), None);
        for (ms, payload) in [(20, "c"), (10, "a"), (10, "b")] {
            let due = now + Duration::from_millis(ms);
            assert!(delayed.add(due, 0, to, payload.into()));
        }
        assert!(delayed.take(now, None).is_none());
        let later = now + Duration::from_millis(15);
        let mut taken = |socket| delayed.take(later, socket).map(|taken| taken.payload);
        assert_eq!(taken(Some(1)), None);
        assert_eq!(taken(Some(0)).unwrap(), b"a");
        assert_eq!(taken(None).unwrap(), b"b");
        assert_eq!(taken(None), None);
        let added = (0..2000)
            .filter(|_| delayed.add(now, 0, to, vec![0; 65_000]))
            .count();
        assert!(added < 1100, "{added}");
    }
}
