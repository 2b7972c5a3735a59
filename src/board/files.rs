//! The board's file system over the raw REPL.
//!
//! A short program of ours (`scripts/files.py`) is defined on the board for the session and taken away after it. Files
//! go over as Python literals, compressed where the firmware can inflate, each piece with a checksum; the file is
//! written under a temporary name, read back, hashed, and renamed only if it is whole.

mod get;
mod helper;
mod put;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::board::error::Error;
use crate::board::literal;
use crate::board::repl::{Repl, Way};

pub use put::{Sent, is_temporary};

/// For the board's own work on a few files; a slow flash erases 4 KiB in up to 0.4 s.
const WORK: Duration = Duration::from_secs(10);

/// How fast a board hashes, at least: an ESP32 reads and hashes 200 kB/s and more.
const HASH_RATE: f64 = 50_000.0;

/// The SHA-256 of a file.
pub type Hash = [u8; 32];

/// What is under a path on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Its length in bytes.
        len: u64,
        /// Its hash.
        hash: Hash,
    },
}

/// An entry of a folder on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its whole path.
    pub path: String,
    /// Its length in bytes; 0 for a folder.
    pub len: u64,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Room on the board.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Free bytes of the file system; 0 with `total` 0 where it does not tell.
    pub free: u64,
    /// All bytes of the file system.
    pub total: u64,
    /// Free memory in bytes, after a garbage collection.
    pub memory: u64,
    /// Window in bits that the board has memory to inflate with, beside a piece; 0 if its firmware cannot inflate.
    window: u8,
}

/// A session on the board's file system, within [`Files::with`].
#[derive(Debug)]
pub struct Files<'a> {
    repl: &'a mut Repl,
    room: Room,
    /// The longest piece of code that is sent at once; halved when the board runs out of memory.
    piece: usize,
    way: Way,
    /// Whether the interpreter was started anew in this session.
    is_fresh: bool,
}

impl Files<'_> {
    /// The board itself.
    pub fn repl(&mut self) -> &mut Repl {
        self.repl
    }

    /// Room as it was when the session began.
    #[must_use]
    pub fn room(&self) -> Room {
        self.room
    }

    /// Asks how much room there is in the file system that `folder` is in: a card has its own.
    fn ask_room(&mut self, folder: &str) -> Result<Room, Error> {
        let code = format!("y({})", literal::quoted(folder));
        let answer = self.call("asking for room", &code, WORK)?;
        room(&answer)
    }

    /// What is under each of `paths`.
    ///
    /// # Errors
    /// The board does not answer, or not as it should.
    pub fn look(&mut self, paths: &[String]) -> Result<Vec<Found>, Error> {
        let mut found = Vec::with_capacity(paths.len());
        // In parts, so that neither the line of code nor the wait grows without bound.
        for part in paths.chunks(64) {
            let list: Vec<String> = part.iter().map(|path| literal::quoted(path)).collect();
            let limit = WORK + Duration::from_secs_f64(self.room.total as f64 / HASH_RATE);
            let answer =
                self.call_slow("comparing files", &format!("l({})", list.join(",")), limit)?;
            let text = String::from_utf8_lossy(&answer);
            let lines: Vec<Option<Found>> = text.split_terminator('\0').map(found_of).collect();
            if lines.len() != part.len() || lines.iter().any(Option::is_none) {
                return Err(nonsense("comparing files", &answer));
            }
            found.extend(lines.into_iter().flatten());
        }
        Ok(found)
    }

    /// The entries of a folder, and of those under it if `deep`; a file is its own only entry.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`].
    pub fn list(&mut self, path: &str, deep: bool) -> Result<Vec<Entry>, Error> {
        let doing = format!("listing {path}");
        let code = format!("d({},{})", literal::quoted(path), u8::from(deep));
        let mut answer = self.call(&doing, &code, WORK * 3);
        if matches!(answer, Err(Error::NoAnswer { .. } | Error::Garbled { .. }))
            && self.calm(&doing)?
        {
            answer = self.call(&doing, &code, WORK * 3);
        }
        let answer = answer.map_err(|error| missing(error, path))?;
        let text = String::from_utf8_lossy(&answer);
        let mut entries = Vec::new();
        for line in text.split_terminator('\0') {
            entries.push(entry_of(line).ok_or_else(|| nonsense(&doing, &answer))?);
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// Makes a folder, if it is not there.
    ///
    /// # Errors
    /// [`Error::WriteFile`].
    pub fn make_folder(&mut self, path: &str) -> Result<(), Error> {
        let code = format!("j({})", literal::quoted(path));
        self.call(&format!("making folder {path}"), &code, WORK)
            .map_err(|error| put::unwritable(error, path))?;
        Ok(())
    }

    /// Removes a file, or a folder: an empty one, or with everything in it if `deep`.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`], [`Error::WriteFile`].
    pub fn remove(&mut self, path: &str, deep: bool) -> Result<(), Error> {
        let code = format!("r({},{})", literal::quoted(path), u8::from(deep));
        self.call(&format!("removing {path}"), &code, WORK * 3)
            .map_err(|error| match missing(error, path) {
                Error::Refused { exception, .. } => Error::Remove {
                    path: path.to_owned(),
                    reason: meaning(&exception),
                },
                error => error,
            })?;
        Ok(())
    }
}

/// The hash that a board computes too.
#[must_use]
pub fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// `ENOENT` and `ENOTDIR` of the board's as "not there".
fn missing(error: Error, path: &str) -> Error {
    match error {
        Error::Refused { exception, .. } if matches!(errno(&exception), Some(2 | 20)) => {
            Error::NoSuchFile {
                path: path.to_owned(),
            }
        }
        error => error,
    }
}

/// The number in `OSError: 28` or `OSError: [Errno 28] ENOSPC`.
fn errno(exception: &str) -> Option<u32> {
    let rest = exception.strip_prefix("OSError:")?.trim_start();
    let rest = rest.strip_prefix("[Errno ").unwrap_or(rest);
    let rest = rest.strip_prefix('(').unwrap_or(rest);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What an exception of the file system means, in words.
fn meaning(exception: &str) -> String {
    match errno(exception) {
        Some(1 | 13) => "not permitted".to_owned(),
        Some(2) => "the folder is not there".to_owned(),
        Some(5) => "the flash cannot be read or written".to_owned(),
        Some(17) => "there is something of that name".to_owned(),
        Some(20) => "a part of the path is a file".to_owned(),
        Some(22) => "the file system takes no such name".to_owned(),
        Some(21) => "it is a folder".to_owned(),
        Some(28) => "the file system is full".to_owned(),
        Some(30) => "the file system is read-only".to_owned(),
        Some(36) => "the name is too long".to_owned(),
        Some(39 | 66 | 90) => "the folder is not empty".to_owned(),
        _ => exception.to_owned(),
    }
}

fn nonsense(doing: &str, answer: &[u8]) -> Error {
    Error::Answer {
        doing: doing.to_owned(),
        said: crate::payload::escape::excerpt(answer),
    }
}

fn found_of(line: &str) -> Option<Found> {
    let mut words = line.split_whitespace();
    match words.next()? {
        "-" => Some(Found::Nothing),
        "D" => Some(Found::Folder),
        "F" => Some(Found::File {
            len: words.next()?.parse().ok()?,
            hash: STANDARD.decode(words.next()?).ok()?.try_into().ok()?,
        }),
        _ => None,
    }
}

fn entry_of(line: &str) -> Option<Entry> {
    let (kind, rest) = line.split_once(' ')?;
    let (len, path) = rest.split_once(' ')?;
    Some(Entry {
        path: path.to_owned(),
        len: len.parse().ok()?,
        is_folder: kind == "D",
    })
}

fn room(answer: &[u8]) -> Result<Room, Error> {
    let text = String::from_utf8_lossy(answer);
    let numbers: Vec<u64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers.as_slice() {
        &[free, total, memory, window] => Ok(Room {
            free,
            total,
            memory,
            window: u8::try_from(window.min(15)).unwrap_or(0),
        }),
        _ => Err(nonsense("preparing for files", answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_errors_on_old_and_new_firmware() {
        assert_eq!(errno("OSError: 28"), Some(28));
        assert_eq!(errno("OSError: [Errno 2] ENOENT"), Some(2));
        assert_eq!(errno("OSError: (17, 'x')"), Some(17));
        assert_eq!(errno("ValueError: 3"), None);
    }

    #[test]
    fn answers_are_read_or_refused() {
        let line = format!("F 5 {}", STANDARD.encode(hash(b"hello")));
        assert_eq!(
            found_of(&line),
            Some(Found::File {
                len: 5,
                hash: hash(b"hello")
            })
        );
        assert_eq!(found_of("-"), Some(Found::Nothing));
        assert_eq!(found_of("F 5 x"), None);
        assert_eq!(entry_of("F 12 /my file.py").unwrap().path, "/my file.py");
        assert!(room(b"1 2 3").is_err());
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(text in "[-DFO 0-9a-zA-Z+/=:\\[(]{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (found_of(&text), entry_of(&text), errno(&text), meaning(&text));
            let _ = room(&bytes);
        }
    }
}
