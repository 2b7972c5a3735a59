//! Raw deflate streams for the board, whose firmware inflates with a window that fits in its memory.

use flate2::{Compress, Compression, FlushCompress, Status};

/// Compresses `bytes` as a complete raw deflate stream with a window of `window` bits; `None` if zlib fails.
/// `window` is from 9 to 15: the board allocates 2^`window` bytes to inflate.
pub(crate) fn deflate(bytes: &[u8], window: u8) -> Option<Vec<u8>> {
    let mut compressor = Compress::new_with_window_bits(Compression::best(), false, window);
    // Also enough for bytes that do not compress, because `compress_vec` does not enlarge the vector.
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 100 + 64);
    match compressor.compress_vec(bytes, &mut out, FlushCompress::Finish) {
        Ok(Status::StreamEnd) => Some(out),
        _ => None,
    }
}
