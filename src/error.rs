//! Every way a command ends: done, interrupted, or an error with its exit code; `README.md` has the table of codes.
//!
//! This type wraps the errors of the layers below. `words` turns them into sentences.

use std::io;

#[cfg(feature = "board")]
use crate::board;
use crate::config;
use crate::file;
#[cfg(feature = "board")]
use crate::pair;
use crate::udp;

/// A run that reached its end, or that the user ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or stopped where stopping is the normal end: exit code 0.
    Done,
    /// Ctrl-C or SIGTERM interrupted a run that would have ended by itself: exit code 130.
    Interrupted,
}

impl Outcome {
    /// The process exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Interrupted => 130,
        }
    }
}

/// Every failure that ends a command, naming the operation and its object.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    #[error(transparent)]
    Udp(#[from] udp::error::Error),
    #[error(transparent)]
    File(#[from] file::Error),
    #[error(transparent)]
    Config(#[from] config::Error),
    #[cfg(feature = "board")]
    #[error(transparent)]
    Board(#[from] board::error::Error),
    /// Files that udpcli does not put or get.
    #[cfg(feature = "board")]
    #[error(transparent)]
    Transfer(#[from] board::files::error::TransferRefusal),
    #[cfg(feature = "flash")]
    #[error(transparent)]
    Flash(#[from] board::flash::error::Error),
    #[cfg(feature = "board")]
    #[error("no board to simulate")]
    Simulate(#[source] pair::simulate::Error),
    /// The command line contradicts itself.
    #[error("{problem}")]
    Usage {
        problem: String,
        hint: Option<String>,
    },
    #[error(
        "the test failed{}: {}",
        if *.boards > 1 { format!(" for {failed} of {boards} boards") } else { String::new() },
        .codes.join(", ")
    )]
    Pair {
        codes: Vec<&'static str>,
        boards: usize,
        failed: usize,
        environment: bool,
    },
    /// The PC is not ready: the codes of the problems.
    #[error("something on this PC blocks datagrams or the board: {}", .codes.join(", "))]
    Doctor { codes: Vec<&'static str> },
    /// A command failed at some of several boards.
    #[error("{} of {boards} boards failed", .failed.len())]
    Boards {
        boards: usize,
        failed: Vec<BoardFailure>,
    },
    #[error(transparent)]
    Names(#[from] crate::names::Error),
    #[error("no board found")]
    NoBoardFound,
    #[error("the demo failed: {problem}")]
    Demo { problem: String },
    /// A step of `board do` failed; the source says why.
    #[cfg(feature = "board")]
    #[error("step {index} of {count}: {step}")]
    Step {
        index: usize,
        count: usize,
        step: String,
        source: Box<Self>,
    },
    #[error("this build of udpcli was made without {feature:?}")]
    LeftOut { feature: Feature },
    #[error("cannot start {what:?}")]
    Start { what: Startable, source: io::Error },
}

/// What a command could not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Startable {
    /// The loop that waits for sockets and clocks.
    EventLoop,
    /// The watch for Ctrl-C.
    Signals,
    /// Another udpcli.
    SecondUdpcli,
    /// The thread that reads the input.
    InputThread,
    /// The thread that reads files.
    FileThread,
    /// Raw mode of the terminal.
    RawMode,
    /// The user's editor.
    Editor,
}

impl Startable {
    /// Its name in the catalogue.
    #[must_use]
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::EventLoop => "event-loop",
            Self::Signals => "signals",
            Self::SecondUdpcli => "second-udpcli",
            Self::InputThread => "input-thread",
            Self::FileThread => "file-thread",
            Self::RawMode => "raw-mode",
            Self::Editor => "editor",
        }
    }
}

/// A part of udpcli that a build may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// The serial bridge.
    Board,
    /// Flashing, which needs the serial bridge.
    Flash,
}

impl Feature {
    /// The name that cargo knows.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Flash => "flash",
        }
    }
}

/// Why a command failed at one of several boards.
#[derive(Debug)]
pub struct BoardFailure {
    /// The board's name and port.
    pub(crate) who: String,
    /// Its port.
    pub(crate) port: String,
    /// The error with its causes.
    pub(crate) what: String,
    /// The error.
    pub(crate) error: Error,
}

#[cfg(feature = "board")]
impl From<board::files::error::TransferError> for Error {
    fn from(error: board::files::error::TransferError) -> Self {
        use board::files::error::TransferError;
        match error {
            TransferError::Board(error) => Self::Board(error),
            TransferError::File(error) => Self::File(error),
            TransferError::Refused(refusal) => Self::Transfer(refusal),
        }
    }
}

impl Error {
    /// A usage error without a hint.
    pub fn usage(problem: impl Into<String>) -> Self {
        Self::Usage {
            problem: problem.into(),
            hint: None,
        }
    }

    /// A usage error with a hint.
    pub(crate) fn usage_hint(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            problem: problem.into(),
            hint: Some(hint.into()),
        }
    }

    /// The stable code of a verdict on a board, the same in every command; none for other errors.
    #[must_use]
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "board")]
            Self::Board(error) => error.code(),
            #[cfg(feature = "board")]
            Self::Step { source, .. } => source.code(),
            _ => None,
        }
    }

    /// The process exit code: 1 it ran but failed, 2 usage, 3 it could not run.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Demo { .. }
            | Self::Doctor { .. }
            | Self::NoBoardFound
            | Self::Pair {
                environment: false, ..
            } => 1,
            Self::Boards { boards, failed } => {
                // If every board reports the same usage error, the user made a mistake and no board failed.
                let is_usage = |failure: &BoardFailure| failure.error.exit_code() == 2;
                if failed.len() == *boards && failed.iter().all(is_usage) {
                    2
                } else {
                    1
                }
            }
            Self::Usage { .. } => 2,
            Self::File(_)
            | Self::LeftOut { .. }
            | Self::Names(_)
            | Self::Start { .. }
            | Self::Pair {
                environment: true, ..
            } => 3,
            Self::Udp(error) => error.exit_code(),
            Self::Config(error) => error.exit_code(),
            #[cfg(feature = "board")]
            Self::Step { source, .. } => source.exit_code(),
            #[cfg(feature = "board")]
            Self::Simulate(_) => 3,
            #[cfg(feature = "board")]
            Self::Board(error) => error.exit_code(),
            #[cfg(feature = "board")]
            Self::Transfer(refusal) => refusal.exit_code(),
            #[cfg(feature = "flash")]
            Self::Flash(error) => error.exit_code(),
        }
    }
}
