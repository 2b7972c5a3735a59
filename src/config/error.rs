//! Errors in configuration files.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::MAX_LEN;
use crate::text::sentence::Sentence;

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
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
    pub key: Sentence,
    /// The type that it takes.
    pub wanted: Sentence,
    /// The type of the value.
    pub found: Sentence,
}

/// Why a configuration file was rejected.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is over {} bytes long", .path.display(), MAX_LEN)]
    TooLong { path: PathBuf },
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
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. } => 3,
            _ => 2,
        }
    }
}

/// The known key with the smallest edit distance to `key`, if it is close enough.
pub(crate) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let key = key.to_lowercase();
    let of_all = known.iter().map(|&known| (distance(&key, known), known));
    let (distance, nearest) = of_all.min()?;
    // Close enough: at least half of the letters are right.
    (distance <= nearest.len() / 2).then_some(nearest)
}

/// The edit distance: letters to insert, remove, replace, or swap with their neighbour (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // The last two rows of the dynamic-programming table; each iteration computes the next one.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut above: Vec<usize> = Vec::new();
    let mut previous = None;
    // Limit the work for an extremely long key, which is not close to any known key anyway.
    for (index, letter) in from.chars().take(64).enumerate() {
        let mut next = vec![index + 1];
        let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
        for (column, &other) in to.iter().enumerate() {
            let replaced = at(&row, column) + usize::from(letter != other);
            let mut best = replaced
                .min(at(&row, column + 1) + 1)
                .min(at(&next, column) + 1);
            let is_swapped =
                column > 0 && previous == Some(other) && to.get(column - 1) == Some(&letter);
            if is_swapped {
                best = best.min(at(&above, column - 1) + 1);
            }
            next.push(best);
        }
        above = std::mem::replace(&mut row, next);
        previous = Some(letter);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_the_one_that_was_meant() {
        let known = ["exclude", "messages", "names", "replies"];
        for (typed, meant) in [
            ("mesages", Some("messages")),
            ("message", Some("messages")),
            ("Messages", Some("messages")),
            ("excldue", Some("exclude")),
            ("name", Some("names")),
            ("reply", Some("replies")),
            ("n", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
        assert_eq!(distance("baud", "buad"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }
}
