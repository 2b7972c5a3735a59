//! Datagrams that are to be sent, in one buffer.

/// No send call takes more datagrams than this, `UDP_MAX_SEGMENTS` of Linux 6.9 and later.
pub(crate) const MOST_AT_ONCE: usize = 128;

/// Datagrams to send, their payloads end to end in one buffer.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The length of every datagram, while they are alike: nothing need be looked up then.
    even_len: Option<usize>,
    /// Whether all datagrams are copies that [`Outbox::repeat`] made.
    is_repeated: bool,
}

impl Outbox {
    /// Forgets all datagrams, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.even_len = None;
        self.is_repeated = false;
    }

    /// Holds `count` copies of one payload and nothing else. The next call with the same payload keeps what is there,
    /// headers written over it included.
    pub fn repeat(&mut self, payload: &[u8], count: usize) {
        if !self.is_repeated {
            self.clear();
            self.is_repeated = true;
        }
        self.even_len = Some(payload.len());
        self.ends.truncate(count);
        self.bytes.truncate(count * payload.len());
        while self.ends.len() < count {
            self.bytes.extend_from_slice(payload);
            self.ends.push(self.bytes.len());
        }
    }

    /// Adds one datagram: what `write` appends to the buffer.
    ///
    /// # Errors
    /// What `write` says; nothing is added then.
    pub fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.is_repeated = false;
        let start = self.bytes.len();
        let result = write(&mut self.bytes);
        match result {
            Ok(()) => self.end_at(start),
            Err(_) => self.bytes.truncate(start),
        }
        result
    }

    /// Adds one datagram.
    pub fn push(&mut self, payload: &[u8]) {
        self.is_repeated = false;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.end_at(start);
    }

    /// A datagram that starts at `start` is whole.
    fn end_at(&mut self, start: usize) {
        let len = self.bytes.len() - start;
        self.even_len = match self.even_len {
            None if self.ends.is_empty() => Some(len),
            even => even.filter(|&even| even == len),
        };
        self.ends.push(self.bytes.len());
    }

    /// How many datagrams there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All payloads' bytes together.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The payload of datagram `index`; empty beyond the last.
    #[must_use]
    pub fn payload(&self, index: usize) -> &[u8] {
        self.bytes
            .get(self.start(index)..self.end(index))
            .unwrap_or_default()
    }

    /// The payloads of `count` datagrams from `first`, to write over, where all are of one length; else none.
    pub fn even_payloads_mut(
        &mut self,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = &mut [u8]> {
        let len = self.even_len.unwrap_or(0);
        let span = self.bytes.get_mut(first * len..(first + count) * len);
        span.unwrap_or_default().chunks_exact_mut(len.max(1))
    }

    /// How many of the datagrams from the first on stand for the lengths of all.
    #[must_use]
    pub fn lengths(&self) -> usize {
        if self.even_len.is_some() {
            self.len().min(1)
        } else {
            self.len()
        }
    }

    /// The payloads of `count` datagrams from `first`, end to end.
    #[must_use]
    pub fn span(&self, first: usize, count: usize) -> &[u8] {
        match count.checked_sub(1) {
            Some(more) => self
                .bytes
                .get(self.start(first)..self.end(first + more))
                .unwrap_or_default(),
            None => &[],
        }
    }

    /// How many datagrams from `first` on have the length of the first, at most `limit`.
    #[must_use]
    pub fn run_len(&self, first: usize, limit: usize) -> usize {
        if self.even_len.is_some() {
            return self.len().saturating_sub(first).min(limit);
        }
        let start = self.start(first);
        let len = self.end(first) - start;
        let ends = self
            .ends
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take(limit);
        let even = (1..).map(|count| start + count * len);
        ends.zip(even)
            .take_while(|(end, even)| *end == even)
            .count()
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.end(before))
    }

    fn end(&self, index: usize) -> usize {
        self.ends.get(index).copied().unwrap_or(self.bytes.len())
    }
}
