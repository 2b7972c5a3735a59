//! Datagrams that came together: what the kernel gave in one buffer, with one set of facts about all of them.

use std::net::SocketAddr;

use crate::datagram::{Addressed, Datagram, Timestamp};

/// One datagram, or several of one sender that arrived together: all of one length, but the last may be shorter. Their
/// bytes lie end to end in the receiver's buffer, so that what holds for all is found out once.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Before the cut.
    bytes: &'a [u8],
    /// Bytes of each datagram but the last; 0 for a single empty one.
    segment: usize,
    len: usize,
    recv_size: usize,
    /// Who sent them.
    pub peer: SocketAddr,
    /// The address and port they were sent to, as far as the system tells.
    pub local: SocketAddr,
    /// Unicast or not.
    pub addressed: Addressed,
    /// When they arrived: by the kernel where it says, else when they were read.
    pub time: Timestamp,
}

impl<'a> Run<'a> {
    /// A single datagram, whole.
    #[must_use]
    pub fn single(
        bytes: &'a [u8],
        peer: SocketAddr,
        local: SocketAddr,
        addressed: Addressed,
        time: Timestamp,
    ) -> Self {
        Self {
            bytes,
            segment: bytes.len(),
            len: 1,
            recv_size: usize::MAX,
            peer,
            local,
            addressed,
            time,
        }
    }

    /// The same bytes as datagrams of `segment` bytes each, but the last.
    #[must_use]
    pub fn segmented(self, segment: usize) -> Self {
        if segment == 0 || segment >= self.bytes.len() {
            return self;
        }
        Self {
            segment,
            len: self.bytes.len().div_ceil(segment),
            ..self
        }
    }

    /// The same datagrams, of each at most `recv_size` bytes.
    #[must_use]
    pub fn cut_to(self, recv_size: usize) -> Self {
        Self { recv_size, ..self }
    }

    /// The first `count` of them, at least one.
    #[must_use]
    pub fn first(self, count: usize) -> Self {
        let len = self.len.min(count.max(1));
        let bytes = self.bytes.get(..len * self.segment).unwrap_or(self.bytes);
        Self { bytes, len, ..self }
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many of them the receive size cut: all but the last are alike.
    #[must_use]
    pub fn truncated(&self) -> usize {
        if self.segment <= self.recv_size {
            0
        } else if self.last_len() <= self.recv_size {
            self.len - 1
        } else {
            self.len
        }
    }

    /// Bytes of all their payloads.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        (self.len - 1) * self.segment.min(self.recv_size) + self.last_len().min(self.recv_size)
    }

    /// All payloads end to end, if none is cut.
    #[must_use]
    pub fn joined(&self) -> Option<&'a [u8]> {
        (self.segment <= self.recv_size).then_some(self.bytes)
    }

    /// The datagrams, one by one.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'a>> + use<'a> {
        let Self {
            peer,
            local,
            addressed,
            time,
            ..
        } = *self;
        self.parts().map(move |(payload, full_len)| Datagram {
            payload,
            peer,
            local,
            addressed,
            time,
            full_len,
        })
    }

    /// Their payloads, cut to the receive size.
    pub fn payloads(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.parts().map(|(payload, _)| payload)
    }

    /// Each payload, and its length before the cut.
    fn parts(&self) -> impl Iterator<Item = (&'a [u8], usize)> + use<'a> {
        let Self {
            segment, recv_size, ..
        } = *self;
        let mut rest = self.bytes;
        (0..self.len).map(move |_| {
            let (bytes, after) = rest.split_at_checked(segment).unwrap_or((rest, &[]));
            rest = after;
            (bytes.get(..recv_size).unwrap_or(bytes), bytes.len())
        })
    }

    fn last_len(&self) -> usize {
        self.bytes.len() - (self.len - 1) * self.segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(bytes: &[u8]) -> Run<'_> {
        let address = "127.0.0.1:9".parse().unwrap();
        Run::single(
            bytes,
            address,
            address,
            Addressed::Unicast,
            Timestamp::default(),
        )
    }

    fn payloads<'a>(run: &Run<'a>) -> Vec<(&'a [u8], usize)> {
        run.datagrams()
            .map(|datagram| (datagram.payload, datagram.full_len))
            .collect()
    }

    #[test]
    fn an_empty_datagram_is_one() {
        let run = run(b"").segmented(0);
        assert_eq!(payloads(&run), [(&b""[..], 0)]);
        assert_eq!((run.len(), run.payload_len(), run.truncated()), (1, 0, 0));
        assert_eq!(run.joined(), Some(&b""[..]));
    }

    #[test]
    fn the_last_may_be_shorter_and_uncut() {
        let run = run(b"abcdefg").segmented(3).cut_to(2);
        assert_eq!(payloads(&run), [(&b"ab"[..], 3), (b"de", 3), (b"g", 1)]);
        assert_eq!((run.truncated(), run.payload_len()), (2, 5));
        assert_eq!(run.joined(), None);
        assert_eq!(payloads(&run.first(2)), [(&b"ab"[..], 3), (b"de", 3)]);
    }

    proptest! {
        #[test]
        fn what_holds_for_all_is_the_sum_of_each(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            segment in 0usize..40, recv_size in 1usize..40, count in 1usize..400,
        ) {
            let whole = run(&bytes).segmented(segment).cut_to(recv_size);
            let run = whole.first(count);
            let each: Vec<Datagram<'_>> = run.datagrams().collect();
            prop_assert_eq!(each.len(), run.len());
            prop_assert_eq!(run.len(), whole.len().min(count));
            prop_assert_eq!(each.iter().map(|d| d.payload.len()).sum::<usize>(), run.payload_len());
            prop_assert_eq!(each.iter().filter(|d| d.is_truncated()).count(), run.truncated());
            let joined = each.iter().map(|d| d.payload).collect::<Vec<_>>().concat();
            if let Some(bytes) = run.joined() {
                prop_assert_eq!(bytes, joined);
            } else {
                prop_assert!(run.truncated() > 0);
            }
            if count >= whole.len() {
                prop_assert_eq!(each.iter().map(|d| d.full_len).sum::<usize>(), bytes.len());
            }
        }
    }
}
