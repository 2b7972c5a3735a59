//! The board's file system over the raw REPL.
//!
//! For the session, udpcli defines a short program (`scripts/files.py`) on the board, and removes it
//! afterwards. File content is sent as Python literals, compressed if the firmware can inflate, in pieces with
//! checksums. The board writes the file under a temporary name, reads it back, hashes it, and renames it only if it is
//! complete.
//!
//! Paths are bytes and are sent as bytes: MicroPython lists a folder in bytes if its name is bytes (`extmod/vfs_fat.c`
//! and `vfs_lfsx.c`: `is_str`), while a name that is not UTF-8 would raise a `UnicodeError` as text.

mod call_result;
mod changed;
mod compare;
pub mod download;
mod entry;
pub mod error;
mod excess;
pub(crate) mod exclude;
mod get;
pub(crate) mod local;
mod manage;
mod piece_length;
mod put;
pub mod remote;
pub mod transfer;
pub mod upload;
pub(crate) mod upload_plan;
mod wildcards;

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::board::error::Error;
use crate::board::helper::{CallKind, Helper};
use crate::board::literal;
use crate::board::operation::{Doing, RefusalReason};
use crate::board::repl::{Repl, ToGo};

pub(crate) use crate::board::path::{
    BoardPath, MachineText, Shown, escape_value, unescape, with_slashes,
};
pub(crate) use entry::Room;
pub use entry::{Entry, PathKind};
pub(crate) use put::{Sent, is_temporary};

use call_result::{
    ENODEV, board, entry_of, errno, found_of, meaning, missing, nonsense, records, room,
};
use piece_length::PieceLength;

/// The functions that read and write files; `docs/protocol.md` lists them.
const SCRIPT: &str = include_str!("scripts/minified/files.py");

/// For copies, moves and dates, on top of [`SCRIPT`].
const MANAGE: &str = include_str!("scripts/minified/manage.py");

/// The timeout for the board's work on a few files; a slow flash takes up to 0.4 s to erase 4 KiB.
const WORK: Duration = Duration::from_secs(10);

/// The minimum speed at which a board hashes: an ESP32 reads and hashes 200 kB/s or more.
const HASH_RATE: f64 = 50_000.0;

/// The assumed size of a file system that does not report one, for the timeout of hashing.
const UNKNOWN_SIZE: u64 = 16 << 20;

/// The SHA-256 of a file.
pub(crate) type Hash = [u8; 32];

/// The board's properties at the start of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct BoardProperties {
    /// The free memory in bytes, after a garbage collection.
    memory: u64,
    /// The window size in bits that the board has memory to inflate with, in addition to a piece; 0 if its firmware
    /// cannot inflate.
    window: u8,
    /// The working directory.
    cwd: BoardPath,
    /// The mount points, without the root.
    mounts: Vec<BoardPath>,
}

/// A session on the board's file system, within [`Files::with`].
#[derive(Debug)]
pub struct Files<'a> {
    /// Repeats damaged calls.
    helper: Helper<'a>,
    /// The board's properties at the start.
    board: BoardProperties,
    /// Cached space of file systems, by mount point.
    rooms: Vec<(BoardPath, Room)>,
    /// The length of code to send at once.
    piece: PieceLength,
}

impl<'a> Files<'a> {
    /// Loads the helper onto the board, does `work` with it, and removes it, also after an error.
    ///
    /// # Errors
    /// The board does not accept the helper, or `work` fails.
    pub fn with<T, E: From<Error>>(
        repl: &'a mut Repl,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        Self::with_scripts(repl, &[SCRIPT], work)
    }

    /// As [`Self::with`], for work that transfers as much as `to_go`: the line may have a faster rate meanwhile.
    ///
    /// # Errors
    /// As [`Self::with`].
    pub(crate) fn with_transfer<T, E: From<Error>>(
        repl: &mut Repl,
        to_go: ToGo,
        work: impl FnOnce(&mut Files<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        repl.expect(to_go);
        let result = Files::with(repl, work);
        repl.expect(ToGo::Nothing);
        result
    }

    /// As [`Self::with`], for work that also copies, moves and dates files on the board.
    ///
    /// # Errors
    /// As [`Self::with`].
    pub(crate) fn with_manage<T, E: From<Error>>(
        repl: &'a mut Repl,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        Self::with_scripts(repl, &[SCRIPT, MANAGE], work)
    }

    /// As [`Self::with`], with these scripts on the board.
    fn with_scripts<T, E: From<Error>>(
        repl: &'a mut Repl,
        scripts: &'static [&'static str],
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut files = Self {
            helper: Helper::new(repl, scripts),
            board: BoardProperties::default(),
            rooms: Vec::new(),
            piece: PieceLength::default(),
        };
        let result = match files.begin() {
            Ok(()) => work(&mut files),
            Err(error) => Err(E::from(error)),
        };
        files.helper.end(result)
    }

    /// Loads the scripts, and asks for memory, working directory and mount points.
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

    /// The board's raw REPL.
    pub(crate) fn repl(&mut self) -> &mut Repl {
        self.helper.repl()
    }

    /// The board's working directory at the start of the session.
    #[must_use]
    pub(crate) fn cwd(&self) -> &BoardPath {
        &self.board.cwd
    }

    /// The full path of `path`, resolved from the working directory.
    fn place(&self, path: impl AsRef<[u8]>) -> BoardPath {
        self.board.cwd.resolve(path.as_ref())
    }

    /// The mount point of the file system that contains `path`.
    #[must_use]
    pub(crate) fn mount_of(&self, path: &BoardPath) -> BoardPath {
        self.board
            .mounts
            .iter()
            .filter(|mount| path.below(mount).is_some())
            // Mount points may lie in each other; the innermost one has the file.
            .max_by_key(|mount| mount.as_bytes().len())
            .cloned()
            .unwrap_or_else(BoardPath::root)
    }

    /// Whether `path` is a mount point: it cannot be removed or be a file.
    #[must_use]
    pub(crate) fn is_mount(&self, path: &BoardPath) -> bool {
        path.is_root() || self.board.mounts.contains(path)
    }

    /// The mount points, without the root.
    #[must_use]
    pub(crate) fn mounts(&self) -> &[BoardPath] {
        &self.board.mounts
    }

    /// Queries the space in the file system at `mount`.
    fn ask_room(&mut self, mount: &BoardPath) -> Result<Room, Error> {
        let code = call("y", mount.as_bytes(), b"");
        let answer = self.call(&Doing::AskingForRoom, &code, WORK)?;
        let room = room(&answer)?;
        // A newer answer replaces the estimate.
        self.rooms.retain(|(known, _)| known != mount);
        self.rooms.push((mount.clone(), room));
        Ok(room)
    }

    /// The space in the file system at `mount`, queried only once.
    fn room(&mut self, mount: &BoardPath) -> Result<Room, Error> {
        match self.rooms.iter().find(|(known, _)| known == mount) {
            Some((_, room)) => Ok(*room),
            None => self.ask_room(mount),
        }
    }

    /// The timeout for the board to read and hash everything that fits in the file system of `path`.
    fn hash_time(&mut self, path: &BoardPath) -> Result<Duration, Error> {
        let mount = self.mount_of(path);
        let total = match self.room(&mount)?.total {
            0 => UNKNOWN_SIZE,
            total => total,
        };
        Ok(WORK + Duration::from_secs_f64(total as f64 / HASH_RATE))
    }

    /// Calls a function of the scripts.
    fn call(&mut self, doing: &Doing, code: &[u8], limit: Duration) -> Result<Vec<u8>, Error> {
        self.helper.call(doing, code, limit)
    }

    /// Like [`Self::call`], for work that pauses during its reply and that Ctrl-C may cut short.
    fn call_slow(&mut self, doing: &Doing, code: &[u8], limit: Duration) -> Result<Vec<u8>, Error> {
        self.helper.call_of(CallKind::Pausing, doing, code, limit)
    }

    /// Like [`Self::call`], for work on many files that Ctrl-C may cut short.
    fn call_long(&mut self, doing: &Doing, code: &[u8], limit: Duration) -> Result<Vec<u8>, Error> {
        self.helper.call_of(CallKind::Long, doing, code, limit)
    }

    /// Finds out what is at each of `paths`.
    ///
    /// # Errors
    /// The board does not reply, or not correctly.
    pub fn look(&mut self, paths: &[impl AsRef<[u8]>]) -> Result<Vec<PathKind>, Error> {
        let doing = &Doing::ComparingFiles;
        let mut found = Vec::with_capacity(paths.len());
        // In chunks, so that line length and timeout are bounded.
        for part in paths.chunks(64) {
            let mut limit = WORK;
            let mut code = b"l(".to_vec();
            for path in part {
                let path = self.place(path);
                // The longest of the files decides: the board may hash several before it replies.
                limit = limit.max(self.hash_time(&path)?);
                literal::append_bytes(path.as_bytes(), &mut code);
                code.push(b',');
            }
            code.push(b')');
            let answer = self.call_slow(doing, &code, limit)?;
            let lines: Vec<Option<PathKind>> = records(&answer).map(found_of).collect();
            if lines.len() != part.len() || lines.iter().any(Option::is_none) {
                return Err(nonsense(doing, &answer));
            }
            found.extend(lines.into_iter().flatten());
        }
        Ok(found)
    }

    /// Lists a folder, with its subfolders if `deep`; for a file, only the file itself.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`].
    pub fn list(&mut self, path: impl AsRef<[u8]>, deep: bool) -> Result<Vec<Entry>, Error> {
        let path = self.place(&path);
        let doing = Doing::Listing(path.to_string());
        let code = call("d", path.as_bytes(), if deep { b",1" } else { b"" });
        let answer = self
            .call_long(&doing, &code, WORK * 3)
            .map_err(|error| missing(error, &path))?;
        let mut entries = Vec::new();
        for line in records(&answer) {
            entries.push(entry_of(line).ok_or_else(|| nonsense(&doing, &answer))?);
        }
        // The board lists in the order of its file system, which differs between two boards with the same files.
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// Creates a folder, unless it exists.
    ///
    /// # Errors
    /// [`Error::WriteFile`].
    pub(crate) fn make_folder(&mut self, path: impl AsRef<[u8]>) -> Result<(), Error> {
        let path = self.place(&path);
        let code = call("j", path.as_bytes(), b"");
        match self.call(&Doing::MakingFolder(path.to_string()), &code, WORK) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.unwritable(error, &path, false)),
        }
    }

    /// Removes a file or an empty folder; with `deep`, also a folder with its content.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`], [`Error::Remove`].
    pub fn remove(&mut self, path: impl AsRef<[u8]>, deep: bool) -> Result<(), Error> {
        let path = self.place(&path);
        // Removing `/` or a mounted card with everything in it is hardly ever what the user means.
        if self.is_mount(&path) {
            return Err(Error::Remove {
                path: path.to_string(),
                reason: RefusalReason::MountPoint,
            });
        }
        let code = call("r", path.as_bytes(), if deep { b",1" } else { b",0" });
        let doing = Doing::Removing(path.to_string());
        let result = self.call_long(&doing, &code, WORK * 3);
        match result.map_err(|error| missing(error, &path)) {
            Ok(_) => Ok(()),
            // The first reply was lost, and the retry found that the file is already gone.
            Err(Error::NoSuchFile { .. }) if self.helper.attempts() > 1 => Ok(()),
            Err(Error::Refused { exception, .. }) => Err(Error::Remove {
                path: path.to_string(),
                reason: meaning(&exception),
            }),
            Err(error) => Err(error),
        }
    }

    /// The error for a refused write.
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

    /// The reason if no file system is mounted. At the first boot after flashing, firmware up to 1.4 mounts its own at
    /// `/flash`.
    fn where_files_go(&self) -> RefusalReason {
        let mounts: Vec<String> = self.board.mounts.iter().map(BoardPath::to_string).collect();
        if mounts.is_empty() {
            return RefusalReason::NoFileSystem;
        }
        RefusalReason::FilesAreIn(mounts)
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

/// The same hash as the board computes.
#[must_use]
pub(crate) fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}
