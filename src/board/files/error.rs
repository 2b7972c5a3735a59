//! Why a transfer failed: the board, a file on this PC, or the user's request.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use crate::board::error::Error as BoardError;
use crate::board::path::{BoardPath, Shown};
use crate::file;

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The board, or the line to it.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// A file on this PC.
    #[error(transparent)]
    File(#[from] file::Error),
    /// The user's request.
    #[error(transparent)]
    Refused(#[from] TransferRefusal),
}

/// Requests that udpcli refuses.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum TransferRefusal {
    #[error("{} is longer than any board's flash", .path.display())]
    TooLong { path: PathBuf },
    #[error("{} is neither a file nor a folder", .path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is more than {most} folders deep", .path.display())]
    TooDeep { path: PathBuf, most: usize },
    #[error("the name of {} is not valid Unicode", .path.display())]
    NoUnicode { path: PathBuf },
    #[error("{} is the name of put's own temporary file on the board", Shown(.name))]
    OwnTemporary { name: Vec<u8> },
    #[error("{} and a folder would have the same name on the board", .path.display())]
    ClashWithFolder { path: PathBuf },
    #[error("{} and {} would be the same file on the board", .first.display(), .second.display())]
    Clash { first: PathBuf, second: PathBuf },
    #[error("{path} is not on the board, and has a backslash in its name")]
    Backslash { path: BoardPath, slashed: String },
    #[error("{path} is not a folder on the board")]
    NotAFolder { path: BoardPath },
    #[error("{} on the board cannot be the name of a file on this PC", Shown(.name))]
    NoNameHere { name: Vec<u8> },
    #[error("cannot write {} of the board here", Shown(.name))]
    NameTooLong { name: Vec<u8>, source: io::Error },
    #[error("{first} and {second} on the board would be the same file here, {}", .path.display())]
    OneFileHere {
        first: BoardPath,
        second: BoardPath,
        path: PathBuf,
    },
    #[error("a path on the board begins with a colon: :{}", .path.display())]
    NoColon { path: OsString },
    #[error("{} has backslashes", .path.display())]
    Backslashes { path: OsString, slashed: String },
    #[error("a path cannot contain NUL")]
    Nul,
    #[error("{} is what Git Bash made of a path on the board", .path.display())]
    GitBash { path: OsString },
}

impl TransferRefusal {
    /// The process exit code: a name that this PC cannot have counts as a file that cannot be written; everything else
    /// is a usage error.
    #[must_use]
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NameTooLong { .. } => 3,
            Self::TooLong { .. }
            | Self::NotAFile { .. }
            | Self::TooDeep { .. }
            | Self::NoUnicode { .. }
            | Self::OwnTemporary { .. }
            | Self::ClashWithFolder { .. }
            | Self::Clash { .. }
            | Self::Backslash { .. }
            | Self::NotAFolder { .. }
            | Self::NoNameHere { .. }
            | Self::OneFileHere { .. }
            | Self::NoColon { .. }
            | Self::Backslashes { .. }
            | Self::Nul
            | Self::GitBash { .. } => 2,
        }
    }
}

/// No file name matches the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no file here matches this pattern")]
pub(crate) struct NoMatch;
