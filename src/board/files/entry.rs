//! What the board reports about a path, and about the file system of that path.

use super::{BoardPath, Hash};

/// What is at a path on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathKind {
    /// Nothing.
    Nothing,
    /// A folder.
    Folder,
    /// A file.
    File {
        /// The length in bytes.
        len: u64,
        /// The hash.
        hash: Hash,
    },
    /// A file that the board cannot read; holds the exception.
    Unreadable(String),
}

/// An entry of a folder on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The full path.
    pub path: BoardPath,
    /// The length in bytes; 0 for a folder.
    pub(crate) len: u64,
    /// Whether it is a folder.
    pub(crate) is_folder: bool,
}

/// The space in one of the board's file systems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// The free bytes; 0 with `total` 0 if the file system does not report them.
    pub(crate) free: u64,
    /// The size in bytes.
    pub(crate) total: u64,
}
