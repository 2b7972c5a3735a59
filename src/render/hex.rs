//! A canonical hex dump, as `hexdump -C` prints it but for the line with the length, which stands above.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes a line.
const ACROSS: usize = 16;

/// Where the ASCII column's first bar stands: offset, two spaces, 16 bytes of three columns, one more between the
/// halves, one space.
const BAR: usize = 8 + 2 + ACROSS * 3 + 1 + 1;

fn digits(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|value| DIGITS.get(usize::from(value)).copied().unwrap_or(b'?'))
}

/// Appends the dump: 16 bytes a line, every line in full.
pub(super) fn dump(payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(payload.len().div_ceil(ACROSS) * (BAR + ACROSS + 3));
    for (index, bytes) in payload.chunks(ACROSS).enumerate() {
        // One line is put together in place: a flood is dumped as fast as it comes.
        let mut line = [b' '; BAR + ACROSS + 3];
        // A payload is shorter than 4 GiB.
        let offset = u32::try_from(index * ACROSS)
            .unwrap_or(u32::MAX)
            .to_be_bytes();
        for (place, byte) in line.chunks_exact_mut(2).zip(offset) {
            place.copy_from_slice(&digits(byte));
        }
        let (hex, ascii) = line.split_at_mut(BAR);
        let (left, right) = hex.split_at_mut(10 + 8 * 3 + 1);
        let places = left
            .get_mut(10..)
            .unwrap_or_default()
            .chunks_exact_mut(3)
            .chain(right.chunks_exact_mut(3));
        for (place, &byte) in places.zip(bytes) {
            if let Some(place) = place.first_chunk_mut::<2>() {
                *place = digits(byte);
            }
        }
        let mut column = ascii.iter_mut();
        let text = bytes.iter().map(|&byte| {
            if matches!(byte, 0x20..=0x7e) {
                byte
            } else {
                b'.'
            }
        });
        let text = std::iter::once(b'|').chain(text).chain(*b"|\n");
        // The text leads: a zip asks its first side first, and the column must not lose a place at the end.
        for (byte, place) in text.zip(column.by_ref()) {
            *place = byte;
        }
        let unused = column.len();
        out.extend_from_slice(line.get(..line.len() - unused).unwrap_or_default());
    }
}
