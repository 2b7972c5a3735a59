//! Errors of flashing, each with its exit code; `words` has the hints.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::board;
use crate::text::seconds;
use crate::text::sentence::Sentence;

/// An error of `udpcli board flash`.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    #[error(transparent)]
    Port(#[from] board::error::Error),
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{what} needs an offset: it {found}")]
    NeedsOffset {
        what: String,
        found: Sentence,
        example: Sentence,
    },
    #[error("no boot loader among the files, so there is no flash mode to set")]
    NoBootLoader,
    #[error("{} is not flashed: expected {}, found {}", .0.what, .0.expected, .0.found)]
    Refused(Box<FlashRefusal>),
    #[error("the board cannot keep its files with this firmware")]
    Conflict { details: Vec<Sentence> },
    #[error("the boot loader of the chip on {port} does not answer within {}", seconds(*waited))]
    NoLoader {
        port: String,
        waited: Duration,
        /// The boot log shows that the board started its program instead.
        booted: bool,
        lines: bool,
    },
    #[error("the chip on {port} stopped answering while {doing}; {state}")]
    Lost {
        port: String,
        doing: Sentence,
        state: Sentence,
    },
    #[error("serial port {port} is gone; {state}")]
    Gone {
        port: String,
        state: Sentence,
        source: io::Error,
    },
    #[error("standard output accepts no more data")]
    Unwritten,
    #[error("stopped by Ctrl-C; {state}")]
    Interrupted { state: Sentence },
    #[error("{what} in flash still differs after {times} attempts")]
    Verify { what: Sentence, times: u32 },
}

/// A file, board or option that a check refused, and the reason.
#[derive(Debug)]
pub struct FlashRefusal {
    /// The file, the board or the option.
    pub(crate) what: Sentence,
    /// What the check expected.
    pub(crate) expected: Sentence,
    /// What it found.
    pub(crate) found: Sentence,
    /// What the user can do.
    pub(crate) hint: Option<Sentence>,
}

impl Error {
    /// The process exit code: 1 it ran but failed, 2 usage, 3 it could not run, 130 Ctrl-C.
    #[must_use]
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Port(error) => error.exit_code(),
            // udpcli could run, and the check failed. A script can tell this from a missing board, which is exit code 3.
            Self::Refused(_) | Self::Conflict { .. } | Self::Verify { .. } => 1,
            Self::NeedsOffset { .. } | Self::NoBootLoader => 2,
            Self::Interrupted { .. } => 130,
            _ => 3,
        }
    }
}
