//! What `upload` and `download` share: the events of a transfer, its observer and its result.

use std::path::Path;

use super::error::TransferError;
use super::upload_plan::LeftOut;
use super::{BoardPath, Sent};

/// What happens during a transfer.
#[derive(Debug)]
pub enum TransferEvent<'a> {
    /// Bytes of a file went over.
    Progress {
        /// The file's path on the board.
        name: &'a str,
        /// So many bytes of it.
        done: u64,
        /// Of so many.
        len: u64,
    },
    /// The file that was in progress is over, or was given up.
    ProgressEnded,
    /// A file was written to the board.
    Put {
        /// Its path there.
        remote: &'a BoardPath,
        /// Its bytes.
        len: usize,
        /// What it cost.
        sent: Sent,
    },
    /// A file was written on this PC.
    Got {
        /// Its path here.
        local: &'a Path,
        /// Its bytes.
        len: usize,
    },
    /// A file on the board is what it should be already.
    UnchangedThere(&'a BoardPath),
    /// A file on this PC is what it should be already.
    UnchangedHere(&'a Path),
    /// This PC cannot have the name that the board has.
    Renamed {
        /// The name or path on the board.
        name: &'a [u8],
        /// What it becomes here.
        local: &'a Path,
    },
    /// One more file failed, after the one whose error the transfer ends with.
    AlsoFailed(TransferError),
}

/// Whoever watches a transfer.
pub trait TransferObserver {
    /// Takes an event.
    fn event(&mut self, event: TransferEvent<'_>);
}

/// What a transfer did.
#[derive(Debug, Default)]
pub struct Transferred {
    /// Files that were written.
    pub written: u64,
    /// Files that were there already.
    pub unchanged: u64,
    /// Bytes of the files that were written.
    pub bytes: u64,
    /// What stays here of folders that were put.
    pub left_out: LeftOut,
}
