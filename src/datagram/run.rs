//! A run of datagrams that the kernel delivered in one buffer (GRO), with their common metadata.

use std::net::SocketAddr;

use crate::datagram::{Addressed, Datagram, Timestamp};

/// One datagram, or several of one sender that arrived in one buffer. All have the same length, except that the last
/// may be shorter. Their payloads are contiguous, so that work such as filtering is done once per run instead of once
/// per datagram.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The payloads before truncation.
    bytes: &'a [u8],
    /// The length of each datagram except the last; 0 for a single empty one.
    segment: usize,
    /// The number of datagrams.
    len: usize,
    /// The maximum number of bytes of each datagram to pass on.
    recv_size: usize,
    /// The sender.
    pub(crate) peer: SocketAddr,
    /// The destination address and port; the socket's own address if the operating system does not report the
    /// destination.
    pub(crate) local: SocketAddr,
    /// Whether the destination was a unicast address.
    pub(crate) addressed: Addressed,
    /// The arrival time: the kernel's timestamp if there is one, otherwise the time of reading.
    pub(crate) time: Timestamp,
}

impl<'a> Run<'a> {
    /// A run of a single datagram, not truncated.
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

    /// Splits the same bytes into datagrams of `segment` bytes each; the last may be shorter.
    #[must_use]
    pub(crate) fn segmented(self, segment: usize) -> Self {
        // The kernel gives a length also for a buffer that holds one datagram.
        if segment == 0 || segment >= self.bytes.len() {
            return self;
        }
        Self {
            segment,
            len: self.bytes.len().div_ceil(segment),
            ..self
        }
    }

    /// Truncates each datagram to `recv_size` bytes.
    #[must_use]
    pub(crate) fn cut_to(self, recv_size: usize) -> Self {
        Self { recv_size, ..self }
    }

    /// The first `count` datagrams, at least one.
    #[must_use]
    pub(crate) fn first(self, count: usize) -> Self {
        let len = self.len.min(count.max(1));
        let bytes = self.bytes.get(..len * self.segment).unwrap_or(self.bytes);
        Self { bytes, len, ..self }
    }

    /// The same datagrams with another destination, as a relay passes them on.
    #[must_use]
    pub(crate) fn toward(self, local: SocketAddr) -> Self {
        Self { local, ..self }
    }

    /// The number of datagrams.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many datagrams are truncated. All have the same length except the last, so this needs no loop.
    #[must_use]
    pub(crate) fn truncated(&self) -> usize {
        if self.segment <= self.recv_size {
            0
        } else if self.last_len() <= self.recv_size {
            self.len - 1
        } else {
            self.len
        }
    }

    /// The total length of the truncated payloads.
    #[must_use]
    pub(crate) fn payload_len(&self) -> usize {
        (self.len - 1) * self.segment.min(self.recv_size) + self.last_len().min(self.recv_size)
    }

    /// All payloads as one slice, if none is truncated.
    #[must_use]
    pub(crate) fn joined(&self) -> Option<&'a [u8]> {
        (self.segment <= self.recv_size).then_some(self.bytes)
    }

    /// The datagrams, one by one.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'a>> + use<'a> {
        let Self {
            peer, local, time, ..
        } = *self;
        self.parts().map(move |(payload, full_len)| Datagram {
            payload,
            peer,
            local,
            time,
            full_len,
        })
    }

    /// The payloads, truncated to the receive size.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.parts().map(|(payload, _)| payload)
    }

    /// Each truncated payload, and its length before truncation.
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

    /// The length of the last datagram.
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
