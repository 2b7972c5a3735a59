//! A canonical hex dump, as `hexdump -C` prints it but for the line with the length, which stands above.

use crate::text::hex::digits;

/// Bytes a line.
const ACROSS: usize = 16;

/// Where the bytes begin: behind eight digits of offset and two spaces.
const BYTES: usize = 10;

/// Where the text begins: behind three columns a byte, one more between the halves, a space and a bar.
const TEXT: usize = BYTES + ACROSS * 3 + 1 + 1 + 1;

/// A whole line: text, bar and newline.
const LINE: usize = TEXT + ACROSS + 2;

/// Each byte as the text column shows it.
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

/// Appends the dump: 16 bytes a line, every line in full.
pub(super) fn dump(payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(payload.len().div_ceil(ACROSS) * LINE);
    let (lines, rest) = payload.as_chunks::<ACROSS>();
    for (index, bytes) in lines.iter().enumerate() {
        out.extend_from_slice(&line(index * ACROSS, bytes));
    }
    if rest.is_empty() {
        return;
    }
    // A short line is a long one with blanks for the bytes that are not there, and the bar moved up.
    let mut padded = [0; ACROSS];
    for (place, &byte) in padded.iter_mut().zip(rest) {
        *place = byte;
    }
    let mut last = line(payload.len() - rest.len(), &padded);
    for index in rest.len()..ACROSS {
        for place in last.iter_mut().skip(column(index)).take(2) {
            *place = b' ';
        }
    }
    out.extend_from_slice(last.get(..TEXT + rest.len()).unwrap_or_default());
    out.extend_from_slice(b"|\n");
}

/// Where byte `index` of a line stands.
const fn column(index: usize) -> usize {
    BYTES + index * 3 + if index < ACROSS / 2 { 0 } else { 1 }
}

/// One line of 16 bytes, put together in place: a flood is dumped as fast as it comes.
#[expect(
    clippy::indexing_slicing,
    reason = "a byte is below 256, and 16 of them end where the line does"
)]
fn line(offset: usize, bytes: &[u8; ACROSS]) -> [u8; LINE] {
    let mut line = [b' '; LINE];
    // A payload is shorter than 4 GiB.
    let offset = u32::try_from(offset).unwrap_or(u32::MAX).to_be_bytes();
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

    /// The right-hand side is what `hexdump -C` prints.
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
