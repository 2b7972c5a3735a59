//! Files onto the board.

use std::num::NonZeroU64;
use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::{Files, Hash, WORK, hash, helper, meaning};
use crate::board::error::Error;
use crate::board::literal;
use crate::board::repl::Way;

/// The longest piece of code: long enough that the time between two pieces does not matter at 921,600 baud.
const LONGEST_PIECE: usize = 16_384;

/// The shortest worth trying.
const SHORTEST_PIECE: usize = 256;

/// A piece's code, its literal and the bytes of it lie in the board's memory at once, and the heap is in parts.
const MEMORY_PER_PIECE: u64 = 8;

/// The most of a file that one piece stands for: writing it takes a slow flash a dozen seconds.
const MOST_COVERED: usize = 128 << 10;

/// How many bytes a second a slow flash takes, which erases 4 KiB in 0.4 s.
const SLOWEST_WRITE: f64 = 10_000.0;

/// How often the length that fits is looked for.
const LOOKS: u32 = 5;

/// How often a piece, and then a file, is sent again.
const TRIES: u32 = 5;

/// The window in bits for a board that ran out of memory.
const SMALL_WINDOW: u8 = 10;

/// Up to this rate the line is slower than the thorough compression, which takes 2 ms a kilobyte on this side and saves
/// 4 % of the line.
const THOROUGH_BAUD: u32 = 230_400;

/// What a file cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bytes of code on the line.
    pub on_the_line: u64,
    /// Pieces that were sent again.
    pub again: u32,
}

/// How long a piece may be on a board with so much free memory.
pub(super) fn piece_for(memory: u64) -> usize {
    usize::try_from(memory / MEMORY_PER_PIECE)
        .unwrap_or(LONGEST_PIECE)
        .clamp(SHORTEST_PIECE, LONGEST_PIECE)
}

/// What a file is called until it is whole.
const TEMPORARY: &str = ".udpcli.part";

/// Whether a name is one that a file has only while another is written, or put in its place.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.strip_suffix('~').unwrap_or(name) == TEMPORARY
}

/// The folder that `path` is in, with a slash at its end.
fn folder_of(path: &str) -> &str {
    path.rfind('/')
        .and_then(|at| path.get(..=at))
        .unwrap_or_default()
}

/// The temporary name beside `path`: in the same folder, so that a rename suffices.
fn temporary(path: &str) -> String {
    format!("{}{TEMPORARY}", folder_of(path))
}

impl Files<'_> {
    /// Writes a file: whole and checked, or not at all. `progress` is told how many bytes are over.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::WriteFile`], [`Error::Damaged`]; the old file is then as it was. [`Error::Interrupted`]
    /// after Ctrl-C: the temporary file is removed.
    pub fn put(
        &mut self,
        path: &str,
        content: &[u8],
        progress: &mut dyn FnMut(u64),
    ) -> Result<Sent, Error> {
        let part = temporary(path);
        self.check_room(path, &part, content.len())?;
        let result = self.put_checked(path, &part, content, progress);
        if let Err(error) = &result
            && !self.repl.link().is_lost()
            && !matches!(error, Error::Restarted { .. })
        {
            self.forget_part(&part);
        }
        result
    }

    /// Said before a byte is written, where the board tells how much room it has.
    fn check_room(&mut self, path: &str, part: &str, len: usize) -> Result<(), Error> {
        let needed = len as u64;
        if self.room.total == 0 || needed < self.room.free / 2 {
            return Ok(());
        }
        // Not what was free when the session began: files were written since.
        let mut free = self.ask_free(path)?;
        if needed > free {
            // What a pulled cable left there would be written over anyway.
            self.call(
                "removing a temporary file",
                &format!("q({})", literal::quoted(part)),
                WORK,
            )?;
            free = self.ask_free(path)?;
        }
        if needed > free {
            return Err(Error::Full {
                path: path.to_owned(),
                needed,
                free,
            });
        }
        Ok(())
    }

    /// How much is free where `path` goes, as far as the board tells.
    fn ask_free(&mut self, path: &str) -> Result<u64, Error> {
        let folder = folder_of(path).trim_end_matches('/');
        let room = self.ask_room(if folder.is_empty() { "/" } else { folder })?;
        if folder.is_empty() {
            self.room.free = room.free;
        }
        Ok(if room.total == 0 { u64::MAX } else { room.free })
    }

    fn put_checked(
        &mut self,
        path: &str,
        part: &str,
        content: &[u8],
        progress: &mut dyn FnMut(u64),
    ) -> Result<Sent, Error> {
        let expected = hash(content);
        let mut sent = Sent::default();
        for _ in 0..TRIES {
            progress(0);
            let open = format!("u({})", literal::quoted(part));
            self.call("writing a file", &open, WORK)
                .map_err(|error| unwritable(error, path))?;
            self.send_pieces(path, content, &mut sent, progress)?;
            if self.finish(path, part, &expected)? {
                return Ok(sent);
            }
            sent.again += 1;
            tracing::debug!("{path} was damaged on the way: sent again");
        }
        Err(Error::Damaged {
            path: path.to_owned(),
            times: TRIES,
        })
    }

    fn send_pieces(
        &mut self,
        path: &str,
        content: &[u8],
        sent: &mut Sent,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        let mut packer = Packer {
            window: self.room.window,
            ratio: 3.0,
            thorough: self.repl.link().address().baud <= THOROUGH_BAUD,
        };
        let mut rest = content;
        let mut ready = None;
        let mut tries = 0;
        while !rest.is_empty() {
            if self.repl.link().times_asked() > 0 {
                return Err(Error::Interrupted);
            }
            let piece = match ready.take() {
                Some(piece) => piece,
                None => packer.pack(rest, self.piece),
            };
            let code = piece.code(content.len() - rest.len());
            sent.on_the_line += code.len() as u64;
            let behind = rest.get(piece.covers..).unwrap_or_default();
            let limit = WORK + Duration::from_secs_f64(piece.covers as f64 / SLOWEST_WRITE);
            let (taken, next) = self.send_and_pack(path, &code, limit, &mut packer, behind);
            match taken? {
                Taken::Yes => {
                    tries = 0;
                    rest = behind;
                    ready = next;
                    progress((content.len() - rest.len()) as u64);
                }
                Taken::Damaged if tries < TRIES => {
                    sent.again += 1;
                    // A board that loses bytes at full speed is slowed down to what it asks for.
                    self.way = Way::Paced;
                    let shortest = SHORTEST_PIECE * 2;
                    if self.piece > shortest {
                        // The longer a piece, the likelier it is hit.
                        self.piece = (self.piece / 4).max(shortest);
                    } else {
                        tries += 1;
                    }
                }
                Taken::NoMemory if self.piece > SHORTEST_PIECE => {
                    self.piece /= 2;
                    packer.window = packer.window.min(SMALL_WINDOW);
                }
                Taken::Damaged => {
                    return Err(Error::Damaged {
                        path: path.to_owned(),
                        times: tries,
                    });
                }
                Taken::NoMemory => {
                    return Err(Error::WriteFile {
                        path: path.to_owned(),
                        reason: "the board has too little free memory to take it; udpcli board reset frees some".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Sends a piece, and packs the one behind it meanwhile.
    fn send_and_pack(
        &mut self,
        path: &str,
        code: &[u8],
        limit: Duration,
        packer: &mut Packer,
        behind: &[u8],
    ) -> (Result<Taken, Error>, Option<Piece>) {
        if behind.is_empty() {
            return (self.send_piece(path, code, limit), None);
        }
        let room = self.piece;
        std::thread::scope(|scope| {
            let packing = scope.spawn(|| packer.pack(behind, room));
            let taken = self.send_piece(path, code, limit);
            // One that failed is packed again, when it is its turn.
            (taken, packing.join().ok())
        })
    }

    fn send_piece(&mut self, path: &str, code: &[u8], limit: Duration) -> Result<Taken, Error> {
        let doing = "writing a file";
        match self.repl.exec_short(self.way, doing, code, limit) {
            Ok(answer) if answer == b"." => Ok(Taken::Yes),
            Ok(_) => Ok(Taken::Damaged),
            Err(Error::Refused { exception, .. }) if exception.starts_with("MemoryError") => {
                Ok(Taken::NoMemory)
            }
            // A byte was lost or turned: the code was none any more.
            Err(Error::Refused { exception, .. }) if helper::is_damage(&exception) => {
                Ok(Taken::Damaged)
            }
            Err(Error::Refused { exception, .. }) => {
                Err(unwritable(helper::refusal(doing, exception), path))
            }
            Err(Error::NoAnswer { .. }) => {
                // The byte that ends the piece was lost, or the answer. The file stays open on the board, and a piece
                // that was taken after all is written over.
                self.repl.reenter()?;
                Ok(Taken::Damaged)
            }
            Err(error) => Err(error),
        }
    }

    /// Closes, reads back, compares, renames. False if the file is not what it should be.
    fn finish(&mut self, path: &str, part: &str, expected: &Hash) -> Result<bool, Error> {
        let mut code =
            format!("v({},{},", literal::quoted(part), literal::quoted(path)).into_bytes();
        literal::append_bytes(expected, &mut code);
        code.push(b')');
        let limit = WORK + Duration::from_secs_f64(self.room.total as f64 / super::HASH_RATE);
        let answer = self
            .call_bytes("checking a file", &code, limit)
            .map_err(|error| unwritable(error, path))?;
        Ok(answer == b".")
    }

    /// Removes the temporary file after a failure, as far as the board lets us.
    fn forget_part(&mut self, part: &str) {
        let heeded = self.repl.link().heed_shutdown(false);
        let code = format!(
            "try:f.close()\nexcept(OSError,AttributeError):pass\nq({})",
            literal::quoted(part)
        );
        let result = self
            .repl
            .reenter()
            .and_then(|()| self.call("removing a temporary file", &code, WORK));
        if let Err(error) = result {
            tracing::warn!("{part} may be left on the board: {error}");
        }
        self.repl.link().heed_shutdown(heeded);
    }
}

/// A refusal to write, in words.
pub(super) fn unwritable(error: Error, path: &str) -> Error {
    match error {
        Error::Refused { exception, .. } => Error::WriteFile {
            path: path.to_owned(),
            reason: meaning(&exception),
        },
        error => error,
    }
}

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Yes,
    Damaged,
    NoMemory,
}

/// A piece of a file, ready for the line.
#[derive(Debug)]
struct Piece {
    /// How many bytes of the file it holds.
    covers: usize,
    /// Window in bits if it is compressed, else 0.
    window: u8,
    bytes: Vec<u8>,
}

impl Piece {
    /// The call that writes it at `offset`; made twice it does no harm.
    fn code(&self, offset: usize) -> Vec<u8> {
        let place = format!("{offset},{}", self.window);
        let sum = helper::checksum(&[place.as_bytes(), &self.bytes]);
        let mut code = format!("_udpcli['a']({offset},{sum},{},", self.window).into_bytes();
        literal::append_bytes(&self.bytes, &mut code);
        code.push(b')');
        code
    }
}

/// Cuts a file into pieces, compressed where that is shorter.
#[derive(Debug)]
struct Packer {
    /// Window in bits; 0 if the firmware cannot inflate.
    window: u8,
    /// How many bytes of the file went into a byte on the line, the last time.
    ratio: f64,
    /// Whether the best coding is looked for, not just a good one.
    thorough: bool,
}

impl Packer {
    /// A shorter coding of the same text, where that is worth its time and the board has the window.
    fn better(&self, text: &[u8], bytes: Vec<u8>) -> Vec<u8> {
        if !self.thorough || self.window < 15 {
            return bytes;
        }
        match deflate_thoroughly(text) {
            Some(shorter) if shorter.len() < bytes.len() => shorter,
            _ => bytes,
        }
    }

    /// The next piece of `rest`, about `room` bytes on the line.
    fn pack(&mut self, rest: &[u8], room: usize) -> Piece {
        // A literal grows by 4 % on average, and has a frame.
        let room = room - room / 16 - 48;
        let plain = rest.get(..room).unwrap_or(rest);
        match self.compressed(rest, room) {
            Some((text, bytes)) if bytes.len() < plain.len().min(text.len()) => Piece {
                covers: text.len(),
                window: self.window,
                bytes: self.better(text, bytes),
            },
            _ => Piece {
                covers: plain.len(),
                window: 0,
                bytes: plain.to_vec(),
            },
        }
    }

    /// As much of `rest` as fits into `room` compressed, nearly; none where it is not worth it.
    fn compressed<'r>(&mut self, rest: &'r [u8], room: usize) -> Option<(&'r [u8], Vec<u8>)> {
        if self.window == 0 {
            return None;
        }
        let most = rest.len().min(MOST_COVERED);
        let mut fits = None;
        for _ in 0..LOOKS {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a guess at a length, and within the file's in any case"
            )]
            let guess = (room as f64 * self.ratio * 0.97) as usize;
            let text = rest.get(..guess.clamp(1, most))?;
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

/// As [`deflate`], with the window's whole 32 KiB, by the search for the shortest coding.
fn deflate_thoroughly(bytes: &[u8]) -> Option<Vec<u8>> {
    let options = zopfli::Options {
        // More rounds save less than a thousandth.
        iteration_count: NonZeroU64::MIN.saturating_add(4),
        ..zopfli::Options::default()
    };
    let mut out = Vec::with_capacity(bytes.len());
    zopfli::compress(options, zopfli::Format::Deflate, bytes, &mut out).ok()?;
    Some(out)
}

/// `bytes` as a raw deflate stream of its own.
fn deflate(bytes: &[u8], window: u8) -> Option<Vec<u8>> {
    let mut compressor = Compress::new_with_window_bits(Compression::best(), false, window);
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 100 + 64);
    match compressor.compress_vec(bytes, &mut out, FlushCompress::Finish) {
        Ok(Status::StreamEnd) => Some(out),
        _ => None,
    }
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
            };
            let mut rest = content;
            while !rest.is_empty() {
                let piece = packer.pack(rest, 2048);
                assert!(
                    piece.covers > 0 && piece.code(0).len() < 2300,
                    "{}",
                    piece.code(0).len()
                );
                rest = &rest[piece.covers..];
            }
        }
    }

    #[test]
    fn the_temporary_name_lies_beside_the_file() {
        assert_eq!(temporary("/lib/a.py"), "/lib/.udpcli.part");
        assert_eq!(temporary("/a.py"), "/.udpcli.part");
    }
}
