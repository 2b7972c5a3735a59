//! Reads flash piece by piece, and verifies each piece with its MD5.

use std::time::Duration;

use md5::{Digest as _, Md5};

use super::FlashObserver;
use super::error::Error;
use super::loader::{CommandFault, Loader, Op, words};
use super::session::FlashSession;
use crate::text::sentence::Sentence;

/// The number of bytes to read again after an error.
const PIECE: u32 = 64 << 10;

/// The size of the stub's frames, and how many may be unacknowledged.
const FRAME: u32 = 0x1000;
const WINDOW: u32 = 16;

/// Reads `len` bytes at `offset`.
pub(super) fn read(
    session: &mut FlashSession<'_>,
    offset: u32,
    len: u32,
    doing: &Sentence,
    report: &mut dyn FlashObserver,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(len as usize);
    pieces(session, (offset, len), doing, report, |_, piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}

/// Reads `len` bytes at `offset` and passes on each verified piece.
pub(super) fn pieces<'a>(
    session: &mut FlashSession<'a>,
    (offset, len): (u32, u32),
    doing: &Sentence,
    report: &mut dyn FlashObserver,
    mut take: impl FnMut(&mut FlashSession<'a>, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    for done in (0..len).step_by(PIECE as usize) {
        let piece = PIECE.min(len - done);
        if len > PIECE {
            report.progress(doing, u64::from(done), u64::from(len));
        }
        let at = offset.saturating_add(done);
        let read = session.persist(doing, report, |loader, _| piece_at(loader, at, piece))?;
        take(session, &read)?;
    }
    if len > PIECE {
        report.progress(doing, u64::from(len), u64::from(len));
    }
    Ok(())
}

/// Reads one piece; [`CommandFault::Silent`] if it arrived damaged.
fn piece_at(loader: &mut Loader<'_>, offset: u32, len: u32) -> Result<Vec<u8>, CommandFault> {
    let timeout = Duration::from_secs(2);
    loader.command(
        Op::ReadFlash,
        &words(&[offset, len, FRAME, WINDOW]),
        timeout,
    )?;
    let mut bytes = Vec::with_capacity(len as usize);
    while bytes.len() < len as usize {
        let frame = loader.frame(timeout)?;
        bytes.extend_from_slice(&frame);
        let done = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // The stub counts these acknowledgements to keep within the window.
        loader.send_frame(&done.to_le_bytes())?;
    }
    let digest = loader.frame(timeout)?;
    if digest == Md5::digest(&bytes).as_slice() {
        Ok(bytes)
    } else {
        Err(CommandFault::Silent)
    }
}
