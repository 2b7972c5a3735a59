//! The board's file system over the raw REPL.
//!
//! A short program of ours (`scripts/files.py`) is defined on the board for the session and taken away after it. Files
//! go over as Python literals, compressed where the firmware can inflate, each piece with a checksum; the file is
//! written under a temporary name, read back, hashed, and renamed only if it is whole.
//!
//! Paths are bytes, and go over as bytes: a folder that is named by bytes is listed in bytes (MicroPython,
//! `extmod/vfs_fat.c` and `vfs_lfsx.c`: `is_str`), where a name that is not UTF-8 would raise a `UnicodeError` as text.

mod get;
pub mod local;
mod piece;
mod put;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::board::doing::{Doing, Reason};
use crate::board::error::Error;
use crate::board::helper::Helper;
use crate::board::literal;
use crate::board::repl::Repl;

pub use crate::board::path::{BoardPath, Shown, Text, escape_value, unescape, with_slashes};
pub use put::{Sent, is_temporary};

use piece::PieceLength;

const SCRIPT: &str = include_str!("scripts/minified/files.py");

/// For the board's own work on a few files; a slow flash erases 4 KiB in up to 0.4 s.
const WORK: Duration = Duration::from_secs(10);

/// How fast a board hashes, at least: an ESP32 reads and hashes 200 kB/s and more.
const HASH_RATE: f64 = 50_000.0;

/// How long hashing may take in a file system that does not tell its size.
const UNKNOWN_SIZE: u64 = 16 << 20;

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
    /// A file that the board cannot read: the exception.
    Unreadable(String),
}

/// An entry of a folder on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its whole path.
    pub path: BoardPath,
    /// Its length in bytes; 0 for a folder.
    pub len: u64,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Room in one of the board's file systems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Free bytes of the file system; 0 with `total` 0 where it does not tell.
    pub free: u64,
    /// All bytes of the file system.
    pub total: u64,
}

/// What the board said when the session began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Board {
    /// Free memory in bytes, after a garbage collection.
    memory: u64,
    /// Window in bits that the board has memory to inflate with, beside a piece; 0 if its firmware cannot inflate.
    window: u8,
    /// The working directory.
    cwd: BoardPath,
    /// Where file systems are mounted besides the root.
    mounts: Vec<BoardPath>,
}

/// A session on the board's file system, within [`Files::with`].
#[derive(Debug)]
pub struct Files<'a> {
    helper: Helper<'a>,
    board: Board,
    /// Room in file systems that were asked, by the place they are mounted at.
    rooms: Vec<(BoardPath, Room)>,
    /// How long a piece of code is that is sent at once.
    piece: PieceLength,
}

impl<'a> Files<'a> {
    /// Puts the helper onto the board, does `work` with it, and takes it away again, whatever became of the work.
    ///
    /// # Errors
    /// The board does not take it, or the work's own error.
    pub fn with<T, E: From<Error>>(
        repl: &'a mut Repl,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut files = Self {
            helper: Helper::new(repl, &[SCRIPT]),
            board: Board::default(),
            rooms: Vec::new(),
            piece: PieceLength::default(),
        };
        let result = match files.begin() {
            Ok(()) => work(&mut files),
            Err(error) => Err(E::from(error)),
        };
        files.helper.end(result)
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.helper.begin()?;
        let answer = self.call(&Doing::PreparingForFiles, b"o()", WORK)?;
        self.board = board(&answer)?;
        self.piece.set_most(put::piece_for(self.board.memory));
        tracing::debug!(
            "board: {} bytes of memory free, working directory {}, mounted besides the root: {:?}",
            self.board.memory,
            self.board.cwd,
            self.board.mounts
        );
        Ok(())
    }

    /// The board itself.
    pub fn repl(&mut self) -> &mut Repl {
        self.helper.repl()
    }

    /// The board's working directory, as it was when the session began.
    #[must_use]
    pub fn cwd(&self) -> &BoardPath {
        &self.board.cwd
    }

    /// The whole path of what `path` names, from the working directory on.
    fn place(&self, path: impl AsRef<[u8]>) -> BoardPath {
        self.board.cwd.resolve(path.as_ref())
    }

    /// Where the file system is mounted that `path` lies in.
    #[must_use]
    pub fn mount_of(&self, path: &BoardPath) -> BoardPath {
        self.board
            .mounts
            .iter()
            .filter(|mount| path.below(mount).is_some())
            .max_by_key(|mount| mount.as_bytes().len())
            .cloned()
            .unwrap_or_else(BoardPath::root)
    }

    /// Whether `path` is a place where a file system is mounted: it cannot be removed, nor be a file.
    #[must_use]
    pub fn is_mount(&self, path: &BoardPath) -> bool {
        path.is_root() || self.board.mounts.contains(path)
    }

    /// Where file systems are mounted besides the root.
    #[must_use]
    pub fn mounts(&self) -> &[BoardPath] {
        &self.board.mounts
    }

    /// Asks how much room there is in the file system that is mounted at `mount`.
    fn ask_room(&mut self, mount: &BoardPath) -> Result<Room, Error> {
        let code = call("y", mount.as_bytes(), b"");
        let answer = self.call(&Doing::AskingForRoom, &code, WORK)?;
        let room = room(&answer)?;
        self.rooms.retain(|(known, _)| known != mount);
        self.rooms.push((mount.clone(), room));
        Ok(room)
    }

    /// Room in the file system that is mounted at `mount`, asked for once.
    fn room(&mut self, mount: &BoardPath) -> Result<Room, Error> {
        match self.rooms.iter().find(|(known, _)| known == mount) {
            Some((_, room)) => Ok(*room),
            None => self.ask_room(mount),
        }
    }

    /// How long the board may take to read and hash whatever fits into the file system of `path`.
    fn hash_time(&mut self, path: &BoardPath) -> Result<Duration, Error> {
        let mount = self.mount_of(path);
        let total = match self.room(&mount)?.total {
            0 => UNKNOWN_SIZE,
            total => total,
        };
        Ok(WORK + Duration::from_secs_f64(total as f64 / HASH_RATE))
    }

    fn call(&mut self, doing: &Doing, code: &[u8], limit: Duration) -> Result<Vec<u8>, Error> {
        self.helper.call(doing, code, limit)
    }

    /// As [`Self::call`], for work that pauses within its answer.
    fn call_slow(&mut self, doing: &Doing, code: &[u8], limit: Duration) -> Result<Vec<u8>, Error> {
        self.helper.call_slow(doing, code, limit)
    }

    /// What is under each of `paths`.
    ///
    /// # Errors
    /// The board does not answer, or not as it should.
    pub fn look(&mut self, paths: &[impl AsRef<[u8]>]) -> Result<Vec<Found>, Error> {
        let doing = &Doing::ComparingFiles;
        let mut found = Vec::with_capacity(paths.len());
        // In parts, so that neither the line of code nor the wait grows without bound.
        for part in paths.chunks(64) {
            let mut limit = WORK;
            let mut code = b"l(".to_vec();
            for path in part {
                let path = self.place(path);
                limit = limit.max(self.hash_time(&path)?);
                literal::append_bytes(path.as_bytes(), &mut code);
                code.push(b',');
            }
            code.push(b')');
            let answer = self.call_slow(doing, &code, limit)?;
            let lines: Vec<Option<Found>> = records(&answer).map(found_of).collect();
            if lines.len() != part.len() || lines.iter().any(Option::is_none) {
                return Err(nonsense(doing, &answer));
            }
            found.extend(lines.into_iter().flatten());
        }
        Ok(found)
    }

    /// The entries of a folder, and of those under it if `deep`; a file is its own only entry.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`].
    pub fn list(&mut self, path: impl AsRef<[u8]>, deep: bool) -> Result<Vec<Entry>, Error> {
        let path = self.place(&path);
        let doing = Doing::Listing(path.to_string());
        let code = call("d", path.as_bytes(), if deep { b",1" } else { b"" });
        let answer = self
            .call(&doing, &code, WORK * 3)
            .map_err(|error| missing(error, &path))?;
        let mut entries = Vec::new();
        for line in records(&answer) {
            entries.push(entry_of(line).ok_or_else(|| nonsense(&doing, &answer))?);
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// Makes a folder, if it is not there.
    ///
    /// # Errors
    /// [`Error::WriteFile`].
    pub fn make_folder(&mut self, path: impl AsRef<[u8]>) -> Result<(), Error> {
        let path = self.place(&path);
        let code = call("j", path.as_bytes(), b"");
        match self.call(&Doing::MakingFolder(path.to_string()), &code, WORK) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.unwritable(error, &path, false)),
        }
    }

    /// Removes a file, or a folder: an empty one, or with everything in it if `deep`.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`], [`Error::Remove`].
    pub fn remove(&mut self, path: impl AsRef<[u8]>, deep: bool) -> Result<(), Error> {
        let path = self.place(&path);
        if self.is_mount(&path) {
            return Err(Error::Remove {
                path: path.to_string(),
                reason: Reason::MountPoint,
            });
        }
        let code = call("r", path.as_bytes(), if deep { b",1" } else { b",0" });
        let doing = Doing::Removing(path.to_string());
        let result = self.call(&doing, &code, WORK * 3);
        match result.map_err(|error| missing(error, &path)) {
            Ok(_) => Ok(()),
            // The first answer was lost, and the second attempt found nothing more to do.
            Err(Error::NoSuchFile { .. }) if self.helper.attempts() > 1 => Ok(()),
            Err(Error::Refused { exception, .. }) => Err(Error::Remove {
                path: path.to_string(),
                reason: meaning(&exception),
            }),
            Err(error) => Err(error),
        }
    }

    /// A refusal to write, in words.
    fn unwritable(&self, error: Error, path: &BoardPath, keeps_old: bool) -> Error {
        match error {
            Error::Refused { exception, .. } => {
                let reason = if errno(&exception) == Some(ENODEV) {
                    self.where_files_go()
                } else {
                    meaning(&exception)
                };
                Error::WriteFile {
                    path: path.to_string(),
                    reason,
                    keeps_old,
                }
            }
            error => error,
        }
    }

    /// What to say where no file system is mounted. At the first boot after flashing, firmware up to 1.4 mounts its
    /// own at `/flash`.
    fn where_files_go(&self) -> Reason {
        let mounts: Vec<String> = self.board.mounts.iter().map(BoardPath::to_string).collect();
        if mounts.is_empty() {
            return Reason::NoFileSystem;
        }
        Reason::FilesAreIn(mounts)
    }
}

/// `f(b'path'MORE)`
fn call(function: &str, path: &[u8], more: &[u8]) -> Vec<u8> {
    let mut code = function.as_bytes().to_vec();
    code.push(b'(');
    literal::append_bytes(path, &mut code);
    code.extend_from_slice(more);
    code.push(b')');
    code
}

/// The records of an answer, each of which ends in a NUL: a name holds none.
fn records(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    let records = answer.strip_suffix(b"\0").unwrap_or(answer);
    let is_empty = records.is_empty();
    records.split(|byte| *byte == 0).filter(move |_| !is_empty)
}

/// The hash that a board computes too.
#[must_use]
pub fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// `ENOENT`, `ENOTDIR` and `ENODEV` of the board's as "not there".
fn missing(error: Error, path: &BoardPath) -> Error {
    match error {
        Error::Refused { exception, .. } if matches!(errno(&exception), Some(2 | 20 | ENODEV)) => {
            Error::NoSuchFile {
                path: path.to_string(),
            }
        }
        error => error,
    }
}

/// No file system is mounted there (MicroPython, `extmod/vfs.c`).
const ENODEV: u32 = 19;

/// The number in `OSError: 28` or `OSError: [Errno 28] ENOSPC`.
fn errno(exception: &str) -> Option<u32> {
    let rest = exception.strip_prefix("OSError:")?.trim_start();
    let rest = rest.strip_prefix("[Errno ").unwrap_or(rest);
    let rest = rest.strip_prefix('(').unwrap_or(rest);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What an exception of the file system means, in words.
fn meaning(exception: &str) -> Reason {
    match errno(exception) {
        Some(1 | 13) => Reason::NotPermitted,
        Some(2) => Reason::NoFolder,
        Some(5) => Reason::BadFlash,
        Some(17) => Reason::NameTaken,
        Some(ENODEV) => Reason::NotMounted,
        Some(20) => Reason::PartIsFile,
        Some(22) => Reason::BadName,
        Some(21) => Reason::IsFolder,
        Some(28) => Reason::Full,
        Some(30) => Reason::ReadOnly,
        Some(36) => Reason::NameTooLong,
        Some(39 | 66 | 90) => Reason::NotEmpty,
        _ => Reason::Exception(exception.to_owned()),
    }
}

fn nonsense(doing: &Doing, answer: &[u8]) -> Error {
    Error::Answer {
        doing: doing.clone(),
        said: crate::text::escape::excerpt(answer),
    }
}

fn found_of(line: &[u8]) -> Option<Found> {
    let line = std::str::from_utf8(line).ok()?;
    if let Some(rest) = line.strip_prefix("X ") {
        let (_len, exception) = rest.split_once(' ')?;
        return Some(Found::Unreadable(exception.to_owned()));
    }
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

fn entry_of(line: &[u8]) -> Option<Entry> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let kind = words.next()?;
    let len = std::str::from_utf8(words.next()?).ok()?;
    let path = words.next()?;
    path.starts_with(b"/").then_some(Entry {
        path: BoardPath::from(path),
        len: len.parse().ok()?,
        is_folder: kind == b"D",
    })
}

fn room(answer: &[u8]) -> Result<Room, Error> {
    let doing = &Doing::AskingForRoom;
    match numbers(answer).as_slice() {
        &[free, total] => Ok(Room { free, total }),
        _ => Err(nonsense(doing, answer)),
    }
}

/// `MEMORY WINDOW`, the working directory, and mount points, separated by NUL.
fn board(answer: &[u8]) -> Result<Board, Error> {
    let mut parts = answer.split(|byte| *byte == 0);
    let numbers = numbers(parts.next().unwrap_or_default());
    match (numbers.as_slice(), parts.next()) {
        (&[memory, window], Some(cwd)) => Ok(Board {
            memory,
            window: u8::try_from(window.min(15)).unwrap_or(0),
            cwd: BoardPath::root().resolve(cwd),
            mounts: parts.map(BoardPath::from).collect(),
        }),
        _ => Err(nonsense(&Doing::PreparingForFiles, answer)),
    }
}

fn numbers(text: &[u8]) -> Vec<u64> {
    String::from_utf8_lossy(text)
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
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
            found_of(line.as_bytes()),
            Some(Found::File {
                len: 5,
                hash: hash(b"hello")
            })
        );
        assert_eq!(found_of(b"-"), Some(Found::Nothing));
        assert_eq!(found_of(b"F 5 x"), None);
        assert_eq!(
            found_of(b"X 12 OSError: 5"),
            Some(Found::Unreadable("OSError: 5".to_owned()))
        );
        let entry = entry_of(b"F 12 /my file.py").unwrap();
        assert_eq!(entry.path, BoardPath::from("/my file.py"));
        assert_eq!(entry_of(b"F 1 evil"), None);
        assert_eq!(records(b"").count(), 0);
        assert_eq!(records(b"a\0b\0").count(), 2);
        assert!(room(b"1 2 3").is_err());
        let told = board(b"4096 15\0/flash\0/flash\0/sd").unwrap();
        assert_eq!(told.cwd, BoardPath::from("/flash"));
        assert_eq!(told.mounts.len(), 2);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(text in "[-DFO 0-9a-zA-Z+/=:\\[(]{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (found_of(text.as_bytes()), entry_of(text.as_bytes()), errno(&text), meaning(&text));
            let _ = (found_of(&bytes), entry_of(&bytes), room(&bytes), board(&bytes));
        }
    }
}
