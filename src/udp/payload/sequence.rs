//! The format of sequenced payloads: an 8-byte sequence number, an 8-byte send time in nanoseconds since the Unix
//! epoch, both big-endian, then printable filler.

use crate::datagram::Timestamp;

/// The header's length in bytes, and so the minimum length of a sequenced payload.
pub(crate) const HEADER_LEN: usize = 16;

/// Numbers from here up are not treated as sequence numbers: eight ASCII letters read as a number are far larger, and
/// no sender counts this far.
const HIGHEST: u64 = 1 << 48;

/// The header of a sequenced payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Counts from 0.
    pub sequence: u64,
    /// The send time, by the sender's clock.
    pub sent: Timestamp,
}

impl Header {
    /// Writes the header over the start of `payload`; does nothing if the payload is shorter than [`HEADER_LEN`].
    pub(crate) fn write(self, payload: &mut [u8]) {
        if let Some(header) = payload.first_chunk_mut::<HEADER_LEN>() {
            *header = self.to_bytes();
        }
    }

    /// The header of the next datagram in the same batch: the next number, the same send time.
    #[must_use]
    pub(crate) fn next(self) -> Self {
        Self {
            sequence: self.sequence + 1,
            ..self
        }
    }

    /// Whether `payload` starts with this header.
    #[must_use]
    pub fn starts(self, payload: &[u8]) -> bool {
        self.sequence < HIGHEST && payload.first_chunk() == Some(&self.to_bytes())
    }

    fn to_bytes(self) -> [u8; HEADER_LEN] {
        let sent = u64::try_from(self.sent.as_nanos()).unwrap_or(0);
        (u128::from(self.sequence) << 64 | u128::from(sent)).to_be_bytes()
    }

    /// Reads the header; `None` if the payload does not look sequenced.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let header = u128::from_be_bytes(*payload.first_chunk::<HEADER_LEN>()?);
        let sequence = u64::try_from(header >> 64).ok()?;
        // The lower 64 bits are the send time; as an `i64` they reach the year 2262.
        let sent = i64::try_from(header & u128::from(u64::MAX)).ok()?;
        let sent = Timestamp::from_nanos(sent);
        (sequence < HIGHEST).then_some(Self { sequence, sent })
    }
}

/// A payload of `len` bytes with a zeroed header.
///
/// The filler repeats `0`..`9`, `a`..`z`, so that truncation is visible.
#[must_use]
pub(crate) fn blank(len: usize) -> Vec<u8> {
    let filler = b"0123456789abcdefghijklmnopqrstuvwxyz".iter().cycle();
    let header = std::iter::repeat_n(&0, HEADER_LEN);
    header.chain(filler).take(len).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_as_it_went() {
        let header = Header {
            sequence: 7,
            sent: Timestamp::from_nanos(1_700_000_000_123_456_789),
        };
        let mut payload = blank(20);
        header.write(&mut payload);
        assert_eq!(payload.len(), 20);
        assert_eq!(payload[..8], [0, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(&payload[16..], b"0123");
        assert_eq!(Header::read(&payload), Some(header));
    }

    #[test]
    fn ordinary_text_is_not_sequenced() {
        assert_eq!(Header::read(crate::udp::payload::TUTORIAL_MESSAGE), None);
        assert_eq!(Header::read(&[0; 15]), None);
        assert_eq!(Header::read(&[]), None);
    }
}
