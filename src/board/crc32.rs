//! The CRC-32 of zlib and of Python's `binascii.crc32`, which protects calls, programs and frames on the serial line.

use flate2::Crc;

/// The CRC-32 over all of `parts`.
pub(crate) fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}
