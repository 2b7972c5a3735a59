//! Reads files from the board.

use std::time::{Duration, Instant};

use super::{BoardPath, Files, Hash, PathKind, call, hash, missing};
use crate::board::error::Error;
use crate::board::helper::{self, CallResult, Repeats};
use crate::board::operation::{Doing, RefusalReason};
use crate::board::repl::{SubmitMode, last_line};

/// How often to try to read a file.
const TRIES: u32 = 3;

/// The size limit for reading a file: the length comes from the board, and udpcli holds the file in memory. The largest
/// flash of an ESP32 has 16 MiB, a card has more.
const LONGEST: u64 = 256 << 20;

/// The longest block that our program on the board sends.
const BLOCK: usize = 4096;

/// How long a board may pause within a file.
const PAUSE: Duration = Duration::from_secs(3);

/// The result of an attempt to read a file.
enum Reading {
    Whole(Vec<u8>),
    Damaged,
    /// An exception, with or without a checksum.
    Raised(String),
    Uncaught(String),
}

impl Files<'_> {
    /// Reads a file that [`Files::look`] found, and verifies its hash.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::NoSuchFile`], [`Error::TooLong`], [`Error::ReadFile`], [`Error::Interrupted`].
    pub fn get(
        &mut self,
        path: impl AsRef<[u8]>,
        found: &PathKind,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<u8>, Error> {
        let path = self.place(&path);
        let (len, expected) = length_and_hash(&path, found)?;
        let doing = Doing::Reading(path.to_string());
        let mut repeats = Repeats::default();
        let mut turn = 1;
        while turn <= TRIES {
            progress(0);
            self.helper.be_fast(&doing)?;
            let is_fast = self.repl().link().is_fast();
            match self.read(&path, &doing, len, progress)? {
                Reading::Whole(content) if hash(&content) == *expected => return Ok(content),
                Reading::Raised(exception) => {
                    let error = helper::refused(&doing, exception);
                    return Err(match missing(error, &path) {
                        Error::Refused { exception, .. } => unreadable(&path, &exception),
                        error => error,
                    });
                }
                Reading::Uncaught(exception) => {
                    let is_repeated = repeats.has(&exception);
                    match helper::uncaught(&doing, exception)? {
                        CallResult::Raised(exception) => return Err(unreadable(&path, &exception)),
                        CallResult::Uncaught(exception) if is_repeated => {
                            return Err(unreadable(&path, &exception));
                        }
                        _ => {}
                    }
                }
                Reading::Whole(_) | Reading::Damaged => {}
            }
            tracing::debug!("{path} was damaged on the way: read again");
            if is_fast {
                // A fast rate that fails twice is not used again.
                self.helper.leave_fast(&doing)?;
                continue;
            }
            turn += 1;
            if turn < TRIES || !self.helper.start_anew(&doing)? {
                match self.helper.reenter(&doing) {
                    Err(error)
                        if helper::is_unclear(&error) && self.helper.start_anew(&doing)? => {}
                    result => result?,
                }
            }
        }
        match self.helper.bad_line(&doing)? {
            error @ Error::Chatter { .. } => Err(error),
            _ => Err(Error::Damaged {
                path: path.to_string(),
                times: TRIES,
            }),
        }
    }

    /// Reads the file in blocks, each preceded by its length in two bytes. An empty block ends it; the helper's usual
    /// reply follows.
    fn read(
        &mut self,
        path: &BoardPath,
        doing: &Doing,
        len: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Reading, Error> {
        let Some(len) = usize::try_from(len).ok().filter(|_| len <= LONGEST) else {
            return Err(Error::TooLong {
                path: path.to_string(),
                len,
                most: LONGEST,
            });
        };
        let code = helper::framed(&call("G", path.as_bytes(), b""), b"");
        match self.repl().submit(SubmitMode::Plain, doing, &code) {
            // The line damaged the call or its reply.
            Err(Error::NoAnswer { .. }) => return Ok(Reading::Damaged),
            result => result?,
        }
        let mut content = Vec::with_capacity(len.min(1 << 20));
        let link = self.repl().link();
        loop {
            let Some(head) = link.exactly(2, Instant::now() + PAUSE)? else {
                return Ok(Reading::Damaged);
            };
            let block = head
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            if block == 0 {
                break;
            }
            if block > BLOCK || content.len() + block > len {
                // Not a block of the file: a reply, an exception, or a damaged length.
                link.put_back(&head);
                break;
            }
            let Some(bytes) = link.exactly(block, Instant::now() + PAUSE)? else {
                return Ok(Reading::Damaged);
            };
            content.extend(bytes);
            progress(content.len() as u64);
        }
        let Some(end) = link.until(b"\x04>", Instant::now() + PAUSE)? else {
            return Ok(Reading::Damaged);
        };
        Ok(ending(&end, content))
    }
}

/// Evaluates the end of a reply, which says whether the bytes before it are complete: `ANSWER`, 0x04, a traceback if
/// there is one, `\x04>`.
fn ending(end: &[u8], content: Vec<u8>) -> Reading {
    let end = end.strip_suffix(b"\x04>").unwrap_or(end);
    let at = end.iter().position(|byte| *byte == 4);
    let (answer, traceback) = end.split_at(at.unwrap_or(end.len()));
    if let Some(text) = traceback.get(1..).filter(|text| !text.is_empty()) {
        // If bytes were lost or inserted, this is the middle of the file.
        return match std::str::from_utf8(text) {
            Ok(text) if text.starts_with("Traceback") => Reading::Uncaught(last_line(text)),
            _ => Reading::Damaged,
        };
    }
    match helper::read(answer) {
        Some(CallResult::Answer(_)) => Reading::Whole(content),
        Some(CallResult::Raised(exception)) => Reading::Raised(exception),
        Some(CallResult::Uncaught(exception)) => Reading::Uncaught(exception),
        Some(CallResult::Damaged(_) | CallResult::Silent) | None => Reading::Damaged,
    }
}

impl PathKind {
    /// The hash of the file at `path`.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`], [`Error::ReadFile`].
    pub fn hash_at(&self, path: &BoardPath) -> Result<&Hash, Error> {
        match self {
            Self::Folder => Err(Error::ReadFile {
                path: path.to_string(),
                reason: RefusalReason::IsFolder,
            }),
            found => length_and_hash(path, found).map(|(_, hash)| hash),
        }
    }
}

/// What a file should have; an error for anything that is not a file.
pub(super) fn length_and_hash<'f>(
    path: &BoardPath,
    found: &'f PathKind,
) -> Result<(u64, &'f Hash), Error> {
    match found {
        PathKind::File { len, hash } => Ok((*len, hash)),
        PathKind::Folder => Err(Error::IsFolder {
            path: path.to_string(),
        }),
        PathKind::Nothing => Err(Error::NoSuchFile {
            path: path.to_string(),
        }),
        PathKind::Unreadable(exception) => Err(unreadable(path, exception)),
    }
}

fn unreadable(path: &BoardPath, exception: &str) -> Error {
    Error::ReadFile {
        path: path.to_string(),
        reason: super::meaning(exception),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_distinguishes_exceptions_from_damage() {
        let raised = |end: &[u8]| match ending(end, Vec::new()) {
            Reading::Raised(text) | Reading::Uncaught(text) => Some(text),
            Reading::Whole(_) => Some("whole".to_owned()),
            Reading::Damaged => None,
        };
        assert_eq!(raised(b"~00000000\x04\x04>").as_deref(), Some("whole"));
        assert_eq!(raised(b"~0000000\x04\x04>"), None);
        assert_eq!(
            raised(b"\x04Traceback (most recent call last):\r\nMemoryError: \r\n\x04>").as_deref(),
            Some("MemoryError:")
        );
        assert_eq!(raised(b"\x04what a file may hold\x04>"), None);
    }
}
