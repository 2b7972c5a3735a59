//! A canonical hex dump, as `hexdump -C` prints it but for the line with the length, which stands above.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn push_byte(byte: u8, out: &mut Vec<u8>) {
    for digit in [byte >> 4, byte & 15] {
        out.push(DIGITS.get(usize::from(digit)).copied().unwrap_or(b'?'));
    }
}

/// Appends the dump: 16 bytes a line, every line in full.
pub(super) fn dump(payload: &[u8], out: &mut Vec<u8>) {
    for (index, line) in payload.chunks(16).enumerate() {
        // A payload is shorter than 4 GiB.
        for byte in u32::try_from(index * 16).unwrap_or(u32::MAX).to_be_bytes() {
            push_byte(byte, out);
        }
        for column in 0..16 {
            out.extend_from_slice(if column % 8 == 0 { b"  " } else { b" " });
            match line.get(column) {
                Some(&byte) => push_byte(byte, out),
                None => out.extend_from_slice(b"  "),
            }
        }
        out.extend_from_slice(b"  |");
        out.extend(line.iter().map(|&byte| {
            if (0x20..0x7f).contains(&byte) {
                byte
            } else {
                b'.'
            }
        }));
        out.extend_from_slice(b"|\n");
    }
}
