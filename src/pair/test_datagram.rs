//! The datagrams of the measurement. Byte 0 is the low byte of the sequence number, byte 1 the index of the size in the
//! list, byte 2 the high byte of the number, bytes 3 to 6 the run's token, byte 7 the phase; `u` fills the rest. A
//! short payload has as much of this as fits.

/// The length of the header before the filler.
pub(super) const HEADER: usize = 8;

/// The filler byte.
const FILLER: u8 = b'u';

/// The token and phase that distinguish the datagrams of one phase from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PhaseMark {
    /// The run.
    pub(super) token: [u8; 4],
    /// The phase within the run.
    pub(super) phase: u8,
}

impl PhaseMark {
    /// The bytes that the board puts into its datagrams.
    pub(super) fn bytes(self) -> [u8; 5] {
        let [a, b, c, d] = self.token;
        [a, b, c, d, self.phase]
    }

    /// The datagram that ends a phase.
    pub(super) fn bye(self) -> Vec<u8> {
        [b"udpcli bye ".as_slice(), &self.bytes()].concat()
    }
}

/// Makes the payload with sequence number `number` for the size at index `place`.
pub(super) fn payload(mark: PhaseMark, place: u8, number: u16, size: usize) -> Vec<u8> {
    let [low, high] = number.to_le_bytes();
    let [a, b, c, d, phase] = mark.bytes();
    let mut payload = vec![low, place, high, a, b, c, d, phase];
    payload.resize(size.max(HEADER), FILLER);
    // A payload shorter than the header has its beginning.
    payload.truncate(size);
    payload
}

/// The sum of a payload's bytes, equal to Python's `sum`.
pub(super) fn sum(payload: &[u8]) -> u64 {
    payload.iter().map(|&byte| u64::from(byte)).sum()
}

/// Whether all bytes after the header are filler.
pub(super) fn is_whole(payload: &[u8]) -> bool {
    payload.iter().skip(HEADER).all(|&byte| byte == FILLER)
}

/// The header of a received datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReceivedHeader {
    /// The index of its size in the list.
    pub(super) place: usize,
    /// Its sequence number, or only the low byte.
    pub(super) number: u16,
    /// Whether `number` has both bytes.
    pub(super) is_exact: bool,
}

/// Parses the first bytes of a datagram with `len` bytes; `None` if it does not belong to this phase.
pub(super) fn read(
    first: &[u8],
    len: usize,
    mark: PhaseMark,
    sizes: &[usize],
) -> Option<ReceivedHeader> {
    let low = *first.first()?;
    if let Some(theirs) = first.get(3..HEADER)
        && theirs != mark.bytes()
    {
        return None;
    }
    let place = match first.get(1) {
        Some(&place) => usize::from(place),
        None => sizes.iter().position(|&size| size == len)?,
    };
    let size = *sizes.get(place)?;
    // A short datagram has no token, so at least its length must match.
    if len > size || (first.len() < HEADER && len != size) {
        return None;
    }
    Some(ReceivedHeader {
        place,
        number: u16::from_le_bytes([low, first.get(2).copied().unwrap_or(0)]),
        is_exact: first.len() > 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARK: PhaseMark = PhaseMark {
        token: [1, 2, 3, 4],
        phase: 5,
    };

    proptest! {
        #[test]
        fn a_payload_is_read_back(number in 0u16..1000, place in 0usize..4) {
            let sizes = [1, 3, 64, 1024];
            let bytes = payload(MARK, u8::try_from(place).unwrap(), number, sizes[place]);
            prop_assert_eq!(bytes.len(), sizes[place]);
            prop_assert!(is_whole(&bytes));
            let header = read(&bytes[..bytes.len().min(HEADER)], bytes.len(), MARK, &sizes).unwrap();
            prop_assert_eq!(header.place, place);
            prop_assert_eq!(header.number, if header.is_exact { number } else { number & 255 });
        }

        #[test]
        fn any_bytes_are_parsed_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..20), len in 0usize..70000) {
            let _ = read(&bytes, len, MARK, &[1, 64]);
        }
    }

    #[test]
    fn datagrams_of_other_runs_and_phases_are_ignored() {
        let sizes = [64];
        let bytes = payload(PhaseMark { phase: 6, ..MARK }, 0, 1, 64);
        assert_eq!(read(&bytes[..8], 64, MARK, &sizes), None);
        assert_eq!(read(b"hello me", 28, MARK, &sizes), None);
        assert_ne!(MARK.bye(), PhaseMark { phase: 6, ..MARK }.bye());
    }
}
