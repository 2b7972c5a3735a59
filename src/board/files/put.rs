//! Writes files to the board.
//!
//! Long because writing a file, checking it and trying again are one protocol with one state.

use std::num::NonZeroU64;
use std::time::Duration;

use super::{BoardPath, Files, Hash, WORK, call, hash};
use crate::board::deflate::deflate;
use crate::board::error::Error;
use crate::board::helper::{self, CallKind, CallResult, DataCall, Repeats};
use crate::board::literal;
use crate::board::operation::{Doing, RefusalReason};

/// The code of a piece, its literal and its bytes are in the board's memory at the same time, and the heap is
/// fragmented.
const MEMORY_PER_PIECE: u64 = 8;

/// Memory reserved for an open file and running code. If a raw REPL has no memory for its line, it raises no
/// `MemoryError`: the board restarts (MicroPython, `shared/runtime/pyexec.c`: the line grows outside any `try`).
const MEMORY_RESERVED: u64 = 10_000;

/// How much of a file one piece may cover: writing this takes a slow flash about twelve seconds.
const MOST_COVERED: usize = 128 << 10;

/// Bytes per second of a slow flash, which erases 4 KiB in 0.4 s.
pub(super) const SLOWEST_WRITE: f64 = 10_000.0;

/// The flash is erased in sectors of this length.
const SECTOR: usize = 4096;

/// The maximum overhead of a file: the rest of its last block, and an entry in a folder that grows.
const PER_FILE: u64 = 2 * 4096;

/// How often to look for a length that fits.
const LOOKS: u32 = 5;

/// How often to send a piece again, and then a file.
const TRIES: u32 = 5;

/// The window size in bits for a board that ran out of memory.
const SMALL_WINDOW: u8 = 10;

/// Up to this baud rate, the line is slower than the thorough compression, which takes 2 ms per kilobyte on the PC and
/// saves 4 % of the line time.
const THOROUGH_BAUD: u32 = 230_400;

/// The cost of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// The bytes of code on the line.
    pub(crate) on_the_line: u64,
    /// The number of pieces that were sent again.
    pub(crate) again: u32,
}

/// The piece length for a board with this much free memory.
pub(super) fn piece_for(memory: u64) -> usize {
    usize::try_from(memory.saturating_sub(MEMORY_RESERVED) / MEMORY_PER_PIECE).unwrap_or(usize::MAX)
}

/// The temporary name of an incomplete file.
const TEMPORARY: &str = ".udpcli.part";

/// Whether a name is a temporary one of udpcli: for an incomplete file, or for an old file that is being replaced.
#[must_use]
pub(crate) fn is_temporary(name: &[u8]) -> bool {
    name.strip_suffix(b"~").unwrap_or(name) == TEMPORARY.as_bytes()
}

/// The temporary path for `path`: in the same folder, so that a rename is enough.
pub(super) fn temporary(path: &BoardPath) -> BoardPath {
    path.folder().join(TEMPORARY.as_bytes())
}

/// A file that is being written.
pub(super) struct Put<'p> {
    /// Where the file goes.
    pub(super) path: &'p BoardPath,
    /// Its temporary name.
    pub(super) part: BoardPath,
    /// Its content; empty for a file that is copied on the board.
    content: &'p [u8],
    /// Its length in bytes.
    len: u64,
    /// The mount point of its file system.
    mount: BoardPath,
}

impl Files<'_> {
    /// Writes a file completely and verified, or not at all. Reports the bytes so far to `progress`.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::WriteFile`], [`Error::Damaged`]: an old file is then unchanged. [`Error::Interrupted`]
    /// after Ctrl-C: the temporary file is removed.
    pub fn put(
        &mut self,
        path: impl AsRef<[u8]>,
        content: &[u8],
        progress: &mut dyn FnMut(u64),
    ) -> Result<Sent, Error> {
        let path = self.place(&path);
        let put = self.new_put(&path, content, content.len() as u64);
        let result = match self.check_room(&put) {
            Ok(()) => self.put_checked(&put, progress),
            result => result.map(|()| Sent::default()),
        };
        self.end_put(&put, result)
    }

    /// A file to be written, of `len` bytes.
    pub(super) fn new_put<'p>(&self, path: &'p BoardPath, content: &'p [u8], len: u64) -> Put<'p> {
        Put {
            path,
            part: temporary(path),
            content,
            len,
            mount: self.mount_of(path),
        }
    }

    /// After a failure, removes the temporary file and finds out whether an old file is unchanged.
    pub(super) fn end_put<T>(
        &mut self,
        put: &Put<'_>,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        let error = match result {
            Ok(done) => {
                self.take_room(put);
                return Ok(done);
            }
            Err(error) => error,
        };
        self.rooms.retain(|(mount, _)| *mount != put.mount);
        if self.repl().link().is_lost() {
            return Err(error);
        }
        if !matches!(error, Error::Full { .. }) {
            let was_restarted = matches!(error, Error::Restarted { .. });
            self.forget_part(&put.part, was_restarted);
        }
        Err(self.with_old_file(error, put.path))
    }

    /// Subtracts a file from the cached space, and ignores what an old one gave back. This estimate is safe and avoids
    /// a query before each of many files: counting free blocks takes a board up to a second.
    fn take_room(&mut self, put: &Put<'_>) {
        let len = put.len + PER_FILE;
        for (mount, room) in &mut self.rooms {
            if *mount == put.mount {
                room.free = room.free.saturating_sub(len);
            }
        }
    }

    /// Adds to these errors whether an old file is unchanged, if the board can still tell.
    fn with_old_file(&mut self, error: Error, at: &BoardPath) -> Error {
        if !matches!(error, Error::Full { .. } | Error::WriteFile { .. }) {
            return error;
        }
        let heeded = self.repl().link().heed_shutdown(false);
        let code = call("h", at.as_bytes(), b"");
        let is_there = self
            .helper
            .call_once(&Doing::LookingForOldFile, &code, WORK, CallKind::Quick)
            .is_ok_and(|answer| answer == b"1");
        self.repl().link().heed_shutdown(heeded);
        match error {
            Error::Full {
                path, needed, free, ..
            } => Error::Full {
                path,
                needed,
                free,
                keeps_old: is_there,
            },
            Error::WriteFile { path, reason, .. } => Error::WriteFile {
                path,
                reason,
                keeps_old: is_there,
            },
            error => error,
        }
    }

    /// Fails early if there is not enough space and the board reports it.
    pub(super) fn check_room(&mut self, put: &Put<'_>) -> Result<(), Error> {
        let needed = put.len;
        let mut room = self.room(&put.mount)?;
        if room.total > 0 && needed > room.free / 2 {
            room = self.ask_room(&put.mount)?;
        }
        if room.total > 0 && needed > room.free {
            // The temporary file from an interrupted run would be overwritten anyway.
            let code = call("q", put.part.as_bytes(), b"");
            self.call(&Doing::RemovingTemporary, &code, WORK)?;
            room = self.ask_room(&put.mount)?;
        }
        if room.total > 0 && needed > room.free {
            return Err(Error::Full {
                path: put.path.to_string(),
                needed,
                free: room.free,
                keeps_old: false,
            });
        }
        Ok(())
    }

    /// Writes the temporary file and has the board check it; starts again if its content is wrong.
    fn put_checked(&mut self, put: &Put<'_>, progress: &mut dyn FnMut(u64)) -> Result<Sent, Error> {
        let expected = hash(put.content);
        let mut sent = Sent::default();
        let doing = Doing::Writing(put.path.to_string());
        for _ in 0..TRIES {
            progress(0);
            self.helper.be_fast(&doing)?;
            let open = call("u", put.part.as_bytes(), b"");
            self.call(&doing, &open, WORK)
                .map_err(|error| self.unwritable(error, put.path, false))?;
            match self.send_pieces(put, &doing, &mut sent, progress) {
                // A timer or a thread prints in between: start the file again after a soft reset.
                Err(error) if self.helper.restores_after(&error, &doing)? => continue,
                result => result?,
            }
            if self.finish(put, &expected)? {
                return Ok(sent);
            }
            sent.again += 1;
            tracing::debug!("{} was damaged on the way: sent again", put.path);
        }
        Err(Error::Damaged {
            path: put.path.to_string(),
            times: TRIES,
        })
    }

    /// Sends the content piece by piece. A damaged piece goes again, shorter.
    fn send_pieces(
        &mut self,
        put: &Put<'_>,
        doing: &Doing,
        sent: &mut Sent,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        let mut packer = Packer {
            window: self.board.window,
            ratio: 3.0,
            thorough: false,
            frame: None,
        };
        let content = put.content;
        let mut rest = content;
        let mut ready = None;
        let mut tries = 0;
        let mut repeats = Repeats::default();
        while !rest.is_empty() {
            if self.repl().link().shutdown().is_asked() {
                return Err(Error::Interrupted);
            }
            let offset = content.len() - rest.len();
            let is_fast = self.repl().link().is_fast();
            packer.frame = is_fast.then(|| self.repl().frame_len());
            packer.thorough = self.repl().link().rate() <= THOROUGH_BAUD;
            let piece = match ready.take() {
                Some(piece) => piece,
                // The line waits for this piece.
                None => packer.pack_quickly(rest, self.piece.now(), offset),
            };
            let code = self.helper.data_call(&piece.code(offset), &piece.bytes);
            sent.on_the_line += code.len() as u64;
            let behind = rest.get(piece.covers..).unwrap_or_default();
            let next = (behind, offset + piece.covers);
            let limit = WORK + Duration::from_secs_f64(piece.covers as f64 / SLOWEST_WRITE);
            let (outcome, next) = self.send_and_pack(doing, &code, limit, &mut packer, next);
            match outcome? {
                CallResult::Answer(_) => {
                    if !is_fast {
                        self.piece.went_well(code.len());
                    }
                    tries = 0;
                    rest = behind;
                    ready = next;
                    progress((content.len() - rest.len()) as u64);
                    continue;
                }
                CallResult::Raised(exception) if exception.starts_with("MemoryError") => {
                    tracing::debug!("no memory for a piece of {}: {exception}", code.len());
                    if is_fast {
                        // The frames take memory too.
                        self.helper.leave_fast(doing)?;
                        self.repl().give_up_fast();
                        continue;
                    }
                    // Inflating needs the window as one block of memory, which a fragmented heap may not have.
                    packer.window = packer.window.min(SMALL_WINDOW);
                    if !self.piece.found_no_memory() {
                        return Err(Error::WriteFile {
                            path: put.path.to_string(),
                            reason: RefusalReason::NoMemory,
                            keeps_old: false,
                        });
                    }
                    continue;
                }
                CallResult::Raised(exception) => {
                    let error = helper::refused(doing, exception);
                    return Err(self.unwritable(error, put.path, false));
                }
                CallResult::Uncaught(exception) => {
                    tracing::debug!("exception while {doing}: {exception}");
                    if repeats.has(&exception) {
                        return Err(helper::refused(doing, exception));
                    }
                }
                CallResult::Damaged(_) => {}
                // The last byte of the piece or the reply was lost. The file stays open on the board, and writing the
                // piece again is idempotent.
                CallResult::Silent => self.helper.reenter(doing)?,
            }
            sent.again += 1;
            if is_fast {
                self.helper.leave_fast(doing)?;
                self.helper.speed_up()?;
                continue;
            }
            // Switch to flow control for a board that loses bytes at full speed.
            self.helper.slow_down();
            if !self.piece.was_damaged(code.len()) {
                tries += 1;
            }
            if tries > TRIES {
                return Err(match self.helper.bad_line(doing)? {
                    error @ Error::Chatter { .. } => error,
                    _ => Error::Damaged {
                        path: put.path.to_string(),
                        times: tries,
                    },
                });
            }
        }
        Ok(())
    }

    /// Sends a piece, and compresses the next one meanwhile.
    fn send_and_pack(
        &mut self,
        doing: &Doing,
        code: &DataCall<'_>,
        limit: Duration,
        packer: &mut Packer,
        (behind, offset): (&[u8], usize),
    ) -> (Result<CallResult, Error>, Option<FilePiece>) {
        if behind.is_empty() {
            return (self.helper.attempt_with_data(doing, code, limit), None);
        }
        let room = self.piece.now();
        std::thread::scope(|scope| {
            let packing = scope.spawn(|| packer.pack(behind, room, offset));
            let outcome = self.helper.attempt_with_data(doing, code, limit);
            // After a failure, the piece is compressed again when it is sent.
            (outcome, packing.join().ok())
        })
    }

    /// Closes, reads back, compares and renames the file. False if its content is wrong.
    pub(super) fn finish(&mut self, put: &Put<'_>, expected: &Hash) -> Result<bool, Error> {
        let mut code = b"v(".to_vec();
        literal::append_bytes(put.part.as_bytes(), &mut code);
        code.push(b',');
        literal::append_bytes(put.path.as_bytes(), &mut code);
        code.push(b',');
        literal::append_bytes(expected, &mut code);
        code.push(b')');
        let limit = self.hash_time(put.path)?;
        let doing = Doing::Checking(put.path.to_string());
        let answer = self
            .call(&doing, &code, limit)
            .map_err(|error| self.unwritable(error, put.path, false))?;
        Ok(answer == b".")
    }

    /// Removes the temporary file after a failure. Best effort.
    fn forget_part(&mut self, part: &BoardPath, was_restarted: bool) {
        let heeded = self.repl().link().heed_shutdown(false);
        let mut code = b"c()\n".to_vec();
        code.extend(call("q", part.as_bytes(), b""));
        let entered = match self.helper.reenter(&Doing::RemovingTemporary) {
            Ok(()) if was_restarted => self.helper.define(),
            Err(error) if helper::is_unclear(&error) => self.helper.define(),
            result => result,
        };
        let result = entered.and_then(|()| self.call(&Doing::RemovingTemporary, &code, WORK));
        if let Err(error) = result {
            tracing::warn!(
                say = "board.left-behind",
                path = %part,
                error = crate::board::error::as_value(&error)
            );
        }
        self.repl().link().heed_shutdown(heeded);
    }
}

/// A piece of a file, ready to send.
#[derive(Debug)]
struct FilePiece {
    /// How many bytes of the file it contains.
    covers: usize,
    /// The window size in bits if it is compressed, otherwise 0.
    window: u8,
    /// What is sent, compressed or not.
    bytes: Vec<u8>,
}

impl FilePiece {
    /// The call that writes it at `offset`. It is idempotent.
    fn code(&self, offset: usize) -> Vec<u8> {
        format!("a({offset},{})", self.window).into_bytes()
    }
}

/// Splits a file into pieces, and compresses a piece if that makes it shorter.
#[derive(Debug)]
struct Packer {
    /// The window size in bits; 0 if the firmware cannot inflate.
    window: u8,
    /// The compression ratio of the previous piece: bytes of the file per byte on the line.
    ratio: f64,
    /// Whether to search for the best compression.
    thorough: bool,
    /// The longest data of a frame, if pieces go in those of a fast line.
    frame: Option<usize>,
}

/// The length of the next piece from `offset`: at most `most` bytes, `left` of which remain. If possible, the piece
/// ends at the end of a flash sector, so that no sector is erased twice.
fn whole_sectors(most: usize, offset: usize, left: usize) -> usize {
    if left <= most {
        return left;
    }
    let end = (offset + most) / SECTOR * SECTOR;
    if end > offset { end - offset } else { most }
}

impl Packer {
    /// A shorter encoding of the same data, if it is worth the time and the board has the window.
    fn better(&self, text: &[u8], bytes: Vec<u8>) -> Vec<u8> {
        if !self.thorough || self.window < 15 {
            return bytes;
        }
        match deflate_thoroughly(text) {
            Some(shorter) if shorter.len() < bytes.len() => shorter,
            _ => bytes,
        }
    }

    /// As [`Self::pack`], in no time.
    fn pack_quickly(&mut self, rest: &[u8], room: usize, offset: usize) -> FilePiece {
        let thorough = std::mem::replace(&mut self.thorough, false);
        let piece = self.pack(rest, room, offset);
        self.thorough = thorough;
        piece
    }

    /// The next piece of `rest`, which begins at `offset`, with about `room` bytes on the line.
    fn pack(&mut self, rest: &[u8], room: usize, offset: usize) -> FilePiece {
        // A literal is 4 % longer on average, and has a frame.
        let room = self.frame.unwrap_or(room - room / 16 - 48);
        let plain = rest
            .get(..whole_sectors(room, offset, rest.len()))
            .unwrap_or(rest);
        match self.compressed(rest, room, offset) {
            Some((text, bytes)) if bytes.len() < plain.len().min(text.len()) => FilePiece {
                covers: text.len(),
                window: self.window,
                bytes: self.better(text, bytes),
            },
            _ => FilePiece {
                covers: plain.len(),
                window: 0,
                bytes: plain.to_vec(),
            },
        }
    }

    /// As much of `rest` as fits into `room` when compressed, approximately; `None` if compression does not help.
    fn compressed<'r>(
        &mut self,
        rest: &'r [u8],
        room: usize,
        offset: usize,
    ) -> Option<(&'r [u8], Vec<u8>)> {
        if self.window == 0 {
            return None;
        }
        let most = rest.len().min(MOST_COVERED);
        let mut fits = None;
        let mut last = 0;
        for _ in 0..LOOKS {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a guess at a length, and within the file's in any case"
            )]
            let guess = (room as f64 * self.ratio * 0.97) as usize;
            let len = whole_sectors(guess.clamp(1, most), offset, rest.len());
            if std::mem::replace(&mut last, len) == len {
                break;
            }
            let text = rest.get(..len)?;
            let bytes = deflate(text, self.window)?;
            self.ratio = (text.len() as f64 / bytes.len().max(1) as f64).max(1.1);
            if bytes.len() <= room {
                let is_full = text.len() == most || bytes.len() * 10 >= room * 9;
                fits = Some((text, bytes));
                if is_full {
                    break;
                }
            } else if fits.is_some() || self.ratio <= 1.1 {
                break;
            }
        }
        fits
    }
}

/// Like [`deflate`], with the full window of 32 KiB and a search for the shortest encoding.
fn deflate_thoroughly(bytes: &[u8]) -> Option<Vec<u8>> {
    let options = zopfli::Options {
        // More rounds save less than 0.1 %.
        iteration_count: NonZeroU64::MIN.saturating_add(4),
        ..zopfli::Options::default()
    };
    let mut out = Vec::with_capacity(bytes.len());
    zopfli::compress(options, zopfli::Format::Deflate, bytes, &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_file_and_fit() {
        let source = "def f(x):\n    return x + 1\n".repeat(2000);
        let noise: Vec<u8> = (0..20_000u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0])
            .collect();
        for (content, window, thorough) in [
            (source.as_bytes(), 13, false),
            (source.as_bytes(), 15, true),
            (source.as_bytes(), 0, false),
            (noise.as_slice(), 15, true),
        ] {
            let mut packer = Packer {
                window,
                ratio: 3.0,
                thorough,
                frame: None,
            };
            let mut rest = content;
            while !rest.is_empty() {
                let piece = packer.pack(rest, 2048, content.len() - rest.len());
                let len = helper::framed(&piece.code(0), &piece.bytes).len();
                assert!(piece.covers > 0 && len < 2300, "{len}");
                rest = &rest[piece.covers..];
            }
        }
    }

    #[test]
    fn the_temporary_file_is_in_the_same_folder() {
        for (path, part) in [
            ("/lib/a.py", "/lib/.udpcli.part"),
            ("/a.py", "/.udpcli.part"),
        ] {
            assert_eq!(temporary(&BoardPath::from(path)), BoardPath::from(part));
        }
        assert!(is_temporary(b".udpcli.part~") && !is_temporary(b"udpcli.part"));
    }
}
