//! Types for `upload` and `download`: the events of a transfer, its observer and its result.

use std::path::Path;

use super::error::TransferError;
use super::upload_plan::ExcludedEntries;
use super::{BoardPath, Sent};

/// An event of a transfer.
#[derive(Debug)]
pub enum TransferEvent<'a> {
    /// Bytes of a file were transferred.
    Progress {
        /// The file's path on the board.
        name: &'a str,
        /// The bytes so far.
        done: u64,
        /// The length of the file.
        len: u64,
    },
    /// The current file is finished or was given up.
    ProgressEnded,
    /// A file was written to the board.
    Put {
        /// Its path on the board.
        remote: &'a BoardPath,
        /// Its length in bytes.
        len: usize,
        /// The cost.
        sent: Sent,
    },
    /// A file was written on this PC.
    Got {
        /// Its local path.
        local: &'a Path,
        /// Its length in bytes.
        len: usize,
    },
    /// A file or folder was removed on the board.
    Removed(&'a BoardPath),
    /// A file on the board already has the right content.
    UnchangedThere(&'a BoardPath),
    /// A file on this PC already has the right content.
    UnchangedHere(&'a Path),
    /// This PC cannot have a name from the board.
    Renamed {
        /// The name or path on the board.
        name: &'a [u8],
        /// Its replacement on this PC.
        local: &'a Path,
    },
    /// Another file failed too; the first error ends the transfer.
    AlsoFailed(TransferError),
}

/// Watches a transfer.
pub trait TransferObserver {
    /// Handles an event.
    fn event(&mut self, event: TransferEvent<'_>);
}

/// The result of a transfer.
#[derive(Debug, Default)]
pub struct Transferred {
    /// The number of files that were written.
    pub written: u64,
    /// The number of unchanged files.
    pub unchanged: u64,
    /// The bytes in the written files.
    pub bytes: u64,
    /// The entries of uploaded folders that were left out.
    pub left_out: ExcludedEntries,
}
