//! A canonical hex dump in the format of `hexdump -C`, without its last line, the total length.

use crate::text::hex::digits;

/// Bytes per line.
const ACROSS: usize = 16;

/// The column of the first byte: after eight digits of offset and two spaces.
const BYTES: usize = 10;

/// The column of the text: after three columns per byte, one more between the halves, a space and a bar.
const TEXT: usize = BYTES + ACROSS * 3 + 1 + 1 + 1;

/// The length of a full line, with the closing bar and the newline.
const LINE: usize = TEXT + ACROSS + 2;

/// Maps each byte to its character in the text column.
#[expect(
    clippy::indexing_slicing,
    reason = "worked out by the compiler, which would refuse a place beyond the end"
)]
const SHOWN: [u8; 256] = {
    let mut table = [b'.'; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        table[byte as usize] = byte;
        byte += 1;
    }
    table
};

/// Appends the dump, 16 bytes per line. Unlike `hexdump -C`, it does not abbreviate repeated lines.
pub(super) fn dump(payload: &[u8], out: &mut Vec<u8>) {
    dump_from(0, payload, out);
}

/// Appends the dump of a part of a stream, whose first byte has this offset.
pub(crate) fn dump_from(offset: usize, payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(payload.len().div_ceil(ACROSS) * LINE);
    let (lines, rest) = payload.as_chunks::<ACROSS>();
    for (index, bytes) in lines.iter().enumerate() {
        out.extend_from_slice(&line(offset + index * ACROSS, bytes));
    }
    if rest.is_empty() {
        return;
    }
    // Build the short last line from a full one: blank the missing bytes and move the closing bar.
    let mut padded = [0; ACROSS];
    for (place, &byte) in padded.iter_mut().zip(rest) {
        *place = byte;
    }
    let mut last = line(offset + payload.len() - rest.len(), &padded);
    for index in rest.len()..ACROSS {
        for place in last.iter_mut().skip(column(index)).take(2) {
            *place = b' ';
        }
    }
    out.extend_from_slice(last.get(..TEXT + rest.len()).unwrap_or_default());
    out.extend_from_slice(b"|\n");
}

/// The column of byte `index` in a line.
const fn column(index: usize) -> usize {
    BYTES + index * 3 + if index < ACROSS / 2 { 0 } else { 1 }
}

/// Formats one line of 16 bytes in a fixed array, without allocation, so that the dump keeps up with a flood.
#[expect(
    clippy::indexing_slicing,
    reason = "a byte is below 256, and 16 of them end where the line does"
)]
fn line(offset: usize, bytes: &[u8; ACROSS]) -> [u8; LINE] {
    let mut line = [b' '; LINE];
    // Eight digits: the offset of a longer stream begins again at 0.
    let offset = u32::try_from(offset & 0xffff_ffff)
        .unwrap_or_default()
        .to_be_bytes();
    for (index, byte) in offset.into_iter().enumerate() {
        line[index * 2..index * 2 + 2].copy_from_slice(&digits(byte));
    }
    for (index, &byte) in bytes.iter().enumerate() {
        let at = column(index);
        line[at..at + 2].copy_from_slice(&digits(byte));
        line[TEXT + index] = SHOWN[usize::from(byte)];
    }
    line[TEXT - 1] = b'|';
    line[LINE - 2] = b'|';
    line[LINE - 1] = b'\n';
    line
}

#[cfg(test)]
mod tests {
    use super::dump;
    use proptest::prelude::*;

    fn dumped(payload: &[u8]) -> String {
        let mut out = Vec::new();
        dump(payload, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The expected values are the output of `hexdump -C`.
    #[test]
    fn a_dump_is_what_hexdump_prints() {
        let payload: Vec<u8> = (0x1a..0x30).chain([0x7e, 0x7f, 0xff]).collect();
        assert_eq!(
            dumped(&payload),
            "00000000  1a 1b 1c 1d 1e 1f 20 21  22 23 24 25 26 27 28 29  |...... !\"#$%&'()|\n\
             00000010  2a 2b 2c 2d 2e 2f 7e 7f  ff                       |*+,-./~..|\n"
        );
        assert_eq!(dumped(b""), "");
    }

    proptest! {
        #[test]
        fn the_bytes_come_back(payload in prop::collection::vec(any::<u8>(), 0..100)) {
            let back: Vec<u8> = dumped(&payload)
                .lines()
                .flat_map(|line| line[10..59].split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect::<Vec<_>>())
                .collect();
            prop_assert_eq!(back, payload);
        }
    }
}
