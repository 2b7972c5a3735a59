//! Sequenced payloads: 8 bytes sequence number, 8 bytes send time in nanoseconds since the Unix epoch, both
//! big-endian, then printable filler.

use crate::datagram::Timestamp;

/// Bytes of the header: the least a sequenced payload can be.
pub const HEADER_LEN: usize = 16;

/// Sequence numbers from here up are taken for other data: eight ASCII letters read as a number lie far above, and no
/// sender counts so far.
const HIGHEST: u64 = 1 << 48;

/// What a sequenced payload starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Counts from 0.
    pub sequence: u64,
    /// When it was sent, by the sender's clock.
    pub sent: Timestamp,
}

impl Header {
    /// Writes the header over the start of `payload`; a payload shorter than [`HEADER_LEN`] is left alone.
    pub fn write(self, payload: &mut [u8]) {
        if let Some(header) = payload.first_chunk_mut::<HEADER_LEN>() {
            *header = self.to_bytes();
        }
    }

    /// The header of a datagram that left right after this one.
    #[must_use]
    pub fn next(self) -> Self {
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

    /// Reads the header, if the payload can have one.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let header = u128::from_be_bytes(*payload.first_chunk::<HEADER_LEN>()?);
        let sequence = u64::try_from(header >> 64).ok()?;
        // The lower half: as much as a time of the years to 2262 takes.
        let sent = i64::try_from(header & u128::from(u64::MAX)).ok()?;
        let sent = Timestamp::from_nanos(sent);
        (sequence < HIGHEST).then_some(Self { sequence, sent })
    }
}

/// A payload of `len` bytes, its header still blank.
///
/// The filler is `0`..`9`, `a`..`z` over and over, so that a cut shows.
#[must_use]
pub fn blank(len: usize) -> Vec<u8> {
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
