//! The queue of datagrams to send, in one buffer.

/// The maximum number of datagrams per send call: `UDP_MAX_SEGMENTS` of Linux 6.9 and later.
pub(crate) const MOST_AT_ONCE: usize = 128;

/// Datagrams to send; their payloads are contiguous in one buffer, as GSO needs them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// All payloads, one after the other.
    bytes: Vec<u8>,
    /// Where each payload ends in `bytes`.
    ends: Vec<usize>,
    /// The common length of all datagrams, if they are equally long; then offsets are computed, not looked up.
    even_len: Option<usize>,
    /// Whether all datagrams are copies from [`Outbox::repeat`], which it can reuse.
    is_repeated: bool,
}

impl Outbox {
    /// Removes all datagrams but keeps the allocated memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.even_len = None;
        self.is_repeated = false;
    }

    /// Replaces the contents with `count` copies of one payload. Another call with the same payload keeps the existing
    /// copies, including any headers written over them.
    pub(crate) fn repeat(&mut self, payload: &[u8], count: usize) {
        // A run that sends the same payload again and again copies nothing.
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

    /// Adds one datagram whose payload `write` appends to the buffer.
    ///
    /// # Errors
    /// The error of `write`; then no datagram is added.
    pub(crate) fn push_with<E>(
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
    pub(crate) fn push(&mut self, payload: &[u8]) {
        self.is_repeated = false;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        self.end_at(start);
    }

    /// Ends the datagram that begins at `start`.
    fn end_at(&mut self, start: usize) {
        let len = self.bytes.len() - start;
        self.even_len = match self.even_len {
            // The first datagram sets the length. `None` later means that two differ, and stays.
            None if self.ends.is_empty() => Some(len),
            even => even.filter(|&even| even == len),
        };
        self.ends.push(self.bytes.len());
    }

    /// How many datagrams there are.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no datagrams.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The total length of all payloads.
    #[must_use]
    pub(crate) fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The payload of datagram `index`; empty if there is no such datagram.
    #[must_use]
    pub(crate) fn payload(&self, index: usize) -> &[u8] {
        self.bytes
            .get(self.start(index)..self.end(index))
            .unwrap_or_default()
    }

    /// Mutable access to the payloads of `count` datagrams from `first` on, if all datagrams have the same length;
    /// otherwise an empty iterator.
    pub(crate) fn even_payloads_mut(
        &mut self,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = &mut [u8]> {
        let len = self.even_len.unwrap_or(0);
        let span = self.bytes.get_mut(first * len..(first + count) * len);
        // `chunks_exact_mut` panics at 0, the length of empty datagrams; then the span is empty too.
        span.unwrap_or_default().chunks_exact_mut(len.max(1))
    }

    /// The same for datagrams of different lengths.
    pub(crate) fn uneven_payloads_mut(
        &mut self,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = &mut [u8]> {
        let mut start = self.start(first);
        let mut rest = self.bytes.get_mut(start..).unwrap_or_default();
        let ends = self.ends.get(first..).unwrap_or_default();
        ends.iter().take(count).map_while(move |&end| {
            let (payload, after) = std::mem::take(&mut rest).split_at_mut_checked(end - start)?;
            start = end;
            rest = after;
            Some(payload)
        })
    }

    /// Whether all datagrams have the same length.
    #[must_use]
    pub(crate) fn is_even(&self) -> bool {
        self.even_len.is_some()
    }

    /// How many datagrams, from the first on, a caller must examine to see every length that occurs.
    #[must_use]
    pub(crate) fn lengths(&self) -> usize {
        if self.even_len.is_some() {
            self.len().min(1)
        } else {
            self.len()
        }
    }

    /// The contiguous payloads of `count` datagrams from `first` on.
    #[must_use]
    pub(crate) fn span(&self, first: usize, count: usize) -> &[u8] {
        match count.checked_sub(1) {
            Some(more) => self
                .bytes
                .get(self.start(first)..self.end(first + more))
                .unwrap_or_default(),
            None => &[],
        }
    }

    /// How many consecutive datagrams from `first` on have the same length, at most `limit`.
    #[must_use]
    pub(crate) fn run_len(&self, first: usize, limit: usize) -> usize {
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

    /// Where a payload begins in `bytes`.
    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.end(before))
    }

    /// Where it ends.
    fn end(&self, index: usize) -> usize {
        self.ends.get(index).copied().unwrap_or(self.bytes.len())
    }
}
