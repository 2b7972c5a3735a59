//! Cuts a run into blocks and sends them.

use std::io::Write as _;
use std::time::Duration;

use flate2::write::{ZlibDecoder, ZlibEncoder};

use super::super::loader::{CommandFault, Loader, Op, words};

/// The size of the stub's buffer.
const BLOCK: usize = 0x4000;
const BLOCK_SIZE: u32 = 0x4000;

/// A range of a part, ready to send.
#[derive(Debug)]
pub(super) struct WriteRun {
    /// Where it begins in flash.
    offset: u32,
    /// Its length in flash.
    pub(super) len: usize,
    /// The blocks, each with the number of flash bytes that it becomes.
    pub(super) blocks: Vec<(Vec<u8>, usize)>,
    /// Whether the blocks are one deflate stream.
    compressed: bool,
}

/// Cuts a range into blocks, compressed or plain.
pub(super) fn prepare(offset: u32, bytes: &[u8], compress: bool) -> WriteRun {
    let deflated = compress.then(|| {
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder
            .write_all(bytes)
            .and_then(|()| encoder.finish())
            .ok()
    });
    let Some(Some(stream)) = deflated else {
        let blocks = bytes
            .chunks(BLOCK)
            .map(|block| {
                // The stub trims the last block; Espressif's own tool always sends full ones.
                let mut whole = block.to_vec();
                whole.resize(BLOCK, 0xff);
                (whole, block.len())
            })
            .collect();
        return WriteRun {
            offset,
            len: bytes.len(),
            blocks,
            compressed: false,
        };
    };
    // The stub's time for a block depends on the size that it inflates to.
    let mut decoder = ZlibDecoder::new(Count(0));
    let mut blocks = Vec::new();
    for block in stream.chunks(BLOCK) {
        let before = decoder.get_ref().0;
        let inflated = decoder.write_all(block).and_then(|()| decoder.flush());
        let len = decoder.get_ref().0 - before;
        blocks.push((
            block.to_vec(),
            if inflated.is_ok() { len } else { bytes.len() },
        ));
    }
    WriteRun {
        offset,
        len: bytes.len(),
        blocks,
        compressed: true,
    }
}

/// Counts the bytes written to it.
struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The timeout for erasing and writing `bytes` bytes: Espressif allows 40 s per megabyte.
fn patience(bytes: usize) -> Duration {
    Duration::from_millis(1500) + Duration::from_micros(bytes as u64 * 40)
}

/// Sends one run, from the begin command to the last block.
pub(super) fn send(
    loader: &mut Loader<'_>,
    run: &WriteRun,
    progress: &mut dyn FnMut(u64),
) -> Result<(), CommandFault> {
    let (begin, data) = if run.compressed {
        (Op::FlashDeflBegin, Op::FlashDeflData)
    } else {
        (Op::FlashBegin, Op::FlashData)
    };
    let size = u32::try_from(run.len).unwrap_or(u32::MAX);
    let blocks = u32::try_from(run.blocks.len()).unwrap_or(u32::MAX);
    let parameters = words(&[size, blocks, BLOCK_SIZE, run.offset]);
    // The stub erases while it writes, so this command returns at once.
    loader.command(begin, &parameters, Duration::from_secs(3))?;
    // The stub acknowledges a block once the previous one is in flash.
    let mut before = 0;
    let mut done = 0;
    for (sequence, (block, len)) in (0..).zip(&run.blocks) {
        loader.block(data, sequence, block, patience(before))?;
        done += before as u64;
        progress(done);
        before = *len;
    }
    loader.settle(patience(before))?;
    progress(run.len as u64);
    Ok(())
}
