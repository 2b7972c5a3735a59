//! Writes the files of an upload that differ from those on the board.

use std::collections::{HashMap, HashSet};

use super::compare::Mark;
use super::error::TransferError;
use super::transfer::{TransferEvent, TransferObserver, Transferred};
use super::upload_plan::{ExcludedEntries, PutFile, PutPlan};
use super::{BoardPath, Files, Hash};
use crate::board::error::Error as BoardError;
use crate::board::operation::RefusalReason;
use crate::file;

/// What udpcli knows about the board's files from an earlier upload in the same connection.
///
/// No program runs between the uploads, so the files are still there. Call [`Self::forget`] when anything else happens
/// on the board.
#[derive(Debug, Default)]
pub struct Remembered {
    /// What each file contains.
    files: HashMap<BoardPath, Hash>,
    /// Folders that are there.
    folders: HashSet<BoardPath>,
}

impl Remembered {
    /// Anything may be on the board.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Uploads what differs. Afterwards `known` has everything seen on the board, unless the upload failed.
pub(super) fn transfer(
    files: &mut Files<'_>,
    plan: &PutPlan,
    left_out: ExcludedEntries,
    known: &mut Remembered,
    observer: &mut dyn TransferObserver,
) -> Result<Transferred, TransferError> {
    // If anything fails, nothing is known afterwards: the failed file may be old, new or missing.
    let mut before = std::mem::take(known);
    let mut done = Transferred {
        left_out,
        ..Transferred::default()
    };
    make_folders(files, plan, &mut before)?;
    let differs = differing(files, plan, &mut before)?;
    for (file, differs) in plan.files.iter().zip(differs) {
        if !differs {
            done.unchanged += 1;
            observer.event(TransferEvent::UnchangedThere(&file.remote));
            continue;
        }
        // Read each file again instead of keeping it from the comparison: all files together may be larger than this
        // PC's memory.
        let content = read(file)?;
        let (name, len) = (file.remote.to_string(), content.len() as u64);
        let result = files.put(&file.remote, &content, &mut |done| {
            observer.event(TransferEvent::Progress {
                name: &name,
                done,
                len,
            });
        });
        observer.event(TransferEvent::ProgressEnded);
        let sent = result?;
        before
            .files
            .insert(file.remote.clone(), super::hash(&content));
        done.written += 1;
        done.bytes += len;
        observer.event(TransferEvent::Put {
            remote: &file.remote,
            len: content.len(),
            sent,
        });
    }
    *known = before;
    Ok(done)
}

/// Makes the folders that do not exist.
fn make_folders(
    files: &mut Files<'_>,
    plan: &PutPlan,
    known: &mut Remembered,
) -> Result<(), TransferError> {
    let unknown: Vec<&BoardPath> = plan
        .folders
        .iter()
        .filter(|folder| !known.folders.contains(*folder))
        .collect();
    let found = files.compare(&unknown)?;
    for (folder, found) in unknown.into_iter().zip(found) {
        match found {
            Mark::Folder => {}
            Mark::Nothing => files.make_folder(folder)?,
            Mark::File(_) => {
                return Err(BoardError::WriteFile {
                    path: folder.to_string(),
                    reason: RefusalReason::FileOfThatName,
                    keeps_old: true,
                }
                .into());
            }
        }
        known.folders.insert(folder.clone());
    }
    Ok(())
}

/// For each file, whether it must be written.
fn differing(
    files: &mut Files<'_>,
    plan: &PutPlan,
    known: &mut Remembered,
) -> Result<Vec<bool>, TransferError> {
    let mut hashes = Vec::with_capacity(plan.files.len());
    for file in &plan.files {
        hashes.push(super::hash(&read(file)?));
    }
    let wanted = || plan.files.iter().map(|file| &file.remote).zip(&hashes);
    let unknown: Vec<&BoardPath> = wanted()
        .filter(|(remote, hash)| known.files.get(*remote) != Some(*hash))
        .map(|(remote, _)| remote)
        .collect();
    let mut found = files.compare(&unknown)?.into_iter();
    let mut differs = Vec::with_capacity(hashes.len());
    for (remote, hash) in wanted() {
        let mark = if known.files.get(remote) == Some(hash) {
            None
        } else {
            found.next()
        };
        differs.push(match mark {
            None => false,
            Some(Mark::Folder) => {
                let path = remote.to_string();
                return Err(BoardError::IsFolder { path }.into());
            }
            // 72 bits of a SHA-256: no two versions of a file agree in them by chance.
            Some(Mark::File(begin)) if hash.starts_with(&begin) => {
                known.files.insert(remote.clone(), *hash);
                false
            }
            Some(Mark::File(_) | Mark::Nothing) => true,
        });
    }
    Ok(differs)
}

/// Reads a file on this PC.
pub(super) fn read(file: &PutFile) -> Result<Vec<u8>, file::Error> {
    std::fs::read(&file.local).map_err(|source| file::Error::Open {
        path: file.local.clone(),
        source,
    })
}
