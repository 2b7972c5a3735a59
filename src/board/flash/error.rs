//! What can go wrong while flashing, with the exit code and the hint of each.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::board;
use crate::text::seconds;

/// A failure of `udpcli board flash`.
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
    #[error("{what} does not say where in flash it goes: it {found}")]
    NeedsOffset {
        what: String,
        found: String,
        example: String,
    },
    #[error("{what} is not flashed: expected {expected}, found {found}")]
    Refused {
        what: String,
        expected: String,
        found: String,
        hint: Option<String>,
    },
    #[error("the board's files and this firmware cannot both be had as they are: {details}")]
    Conflict { details: String },
    #[error("the chip on {port} does not answer as a boot loader in {}", seconds(*waited))]
    NoLoader {
        port: String,
        waited: Duration,
        /// It started its program instead: the boot log said so.
        booted: bool,
        lines: bool,
    },
    #[error("the chip on {port} stopped answering while {doing}; {state}")]
    Lost {
        port: String,
        doing: String,
        state: String,
    },
    #[error("serial port {port} is gone; {state}")]
    Gone {
        port: String,
        state: String,
        source: io::Error,
    },
    #[error("standard output takes no more")]
    Unwritten,
    #[error("stopped by Ctrl-C; {state}")]
    Interrupted { state: String },
    #[error("{what} is not in flash as it should be, after {times} attempts")]
    Verify { what: String, times: u32 },
}

impl Error {
    /// The process exit code: 1 ran but failed, 2 usage, 3 could not run, 130 for Ctrl-C.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Port(error) => error.exit_code(),
            Self::Refused { .. } | Self::Conflict { .. } | Self::Verify { .. } => 1,
            Self::NeedsOffset { .. } => 2,
            Self::Interrupted { .. } => 130,
            _ => 3,
        }
    }

    /// What to try next, where we know.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Port(error) => return error.hint(),
            Self::NeedsOffset { example, .. } => format!("say where: {example}"),
            Self::Refused { hint, .. } => return hint.clone(),
            Self::Conflict { .. } => "copy what must not be lost first (udpcli board get :/ FOLDER, or --backup FILE), then --files replace gives it up, and --files keep leaves it where it is".to_owned(),
            Self::NoLoader { booted, lines, .. } => {
                let why = match (booted, lines) {
                    (true, _) => "it started its program instead of waiting for firmware",
                    (false, false) => "this port has no control lines to get it there",
                    (false, true) => "the control lines did not get it there",
                };
                format!(
                    "{why}: hold BOOT (without a key of that name the one at IO0; on the mPython board, A), press and release RESET, let go, and run the command again with --before no-reset; is it the board's port (udpcli board list), and the cable one that carries data?"
                )
            }
            Self::Lost { .. } => "run the same command again: it goes on where this one ended; if it stops again, try --flash-baud 115200, another cable or another USB port".to_owned(),
            Self::Gone { .. } => "plug the board in and run the same command again: it goes on where this one ended".to_owned(),
            Self::Interrupted { .. } => "run the same command again: it goes on where this one ended".to_owned(),
            Self::Verify { .. } => "the flash chip may be worn out, or the supply weak: try another cable or USB port, then --flash-baud 115200".to_owned(),
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            Self::Write { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => "a backup is never overwritten: name another file, or leave --backup out if that is the copy you want".to_owned(),
            Self::Read { .. } | Self::Write { .. } | Self::Unwritten => return None,
        };
        Some(hint)
    }
}
