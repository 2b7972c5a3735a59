//! Errors in configuration files.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::text::sentence::Sentence;

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub(crate) path: PathBuf,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column in characters, from 1.
    pub(crate) column: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, line, column) = (self.path.display(), self.line, self.column);
        write!(f, "{path}, line {line}, column {column}")
    }
}

/// A value of another type than the key takes.
#[derive(Debug)]
pub struct Mismatch {
    /// The key.
    pub(crate) key: Sentence,
    /// The type that it takes.
    pub(crate) wanted: Sentence,
    /// The type of the value.
    pub(crate) found: Sentence,
}

/// Why a configuration file was rejected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is over {limit} bytes long", .path.display())]
    TooLong { path: PathBuf, limit: u64 },
    #[error("{at}: {problem}")]
    Syntax {
        at: At,
        problem: Sentence,
        /// The character there, if a Chinese input method typed it.
        typed: Option<char>,
    },
    #[error("{at}: unknown key {key:?} of {table:?}")]
    UnknownKey {
        at: At,
        key: String,
        table: String,
        known: Vec<&'static str>,
    },
    #[error("{at}: {key} is a setting of this PC, not of a project")]
    NotOfProject {
        at: At,
        key: String,
        user_path: Option<PathBuf>,
    },
    #[error("{at}: {key} is a setting of a project, not of this PC")]
    NotOfUser { at: At, key: String },
    #[error("{at}: {} must be {}, not {}", .mismatch.key, .mismatch.wanted, .mismatch.found)]
    WrongType { at: At, mismatch: Box<Mismatch> },
    /// The file of a message or reply cannot be read; the source says why.
    #[error("cannot read the file of {what}")]
    Payload { what: Sentence, source: Box<Self> },
    #[error("{at}: {key}: {problem}")]
    Value {
        at: At,
        key: String,
        problem: Sentence,
    },
}

impl Error {
    /// 2 if the settings are wrong, 3 if a file cannot be read.
    #[must_use]
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. } => 3,
            Self::Payload { source, .. } => source.exit_code(),
            _ => 2,
        }
    }
}
