//! Uploads files and folders to the board: writes only what differs.

use std::path::PathBuf;

use super::error::{Refusal, TransferError};
use super::remote::{self, RemotePath};
use super::transfer::{TransferEvent, TransferObserver, Transferred};
use super::upload_plan::{self, LeftOut, PutPlan, Tree};
use super::{BoardPath, Files, Found};
use crate::board::doing::Reason;
use crate::board::error::Error as BoardError;
use crate::file;

/// The files to upload and their target.
#[derive(Debug)]
pub struct Upload {
    trees: Vec<Tree>,
    remote: RemotePath,
}

impl Upload {
    /// Examines the local files and folders, so that problems with them are reported before the board is disturbed.
    /// Wildcards in a name stand for the matching files.
    ///
    /// # Errors
    /// A file cannot be read, or two of them would be the same file on the board.
    pub fn read(locals: &[PathBuf], remote: RemotePath) -> Result<Self, TransferError> {
        let mut trees = Vec::new();
        for local in locals {
            for local in upload_plan::expand(local)? {
                trees.push(Tree::read(&local)?);
            }
        }
        let mut trial = PutPlan::default();
        for tree in &trees {
            trial.add(tree, &BoardPath::root().join(tree.name()))?;
        }
        trial.refuse_clashes()?;
        Ok(Self { trees, remote })
    }

    /// Uploads everything that differs.
    ///
    /// # Errors
    /// The board refuses a file, a file cannot be read, or the user pressed Ctrl-C. Files that are already uploaded
    /// stay.
    pub fn put(
        &self,
        files: &mut Files<'_>,
        observer: &mut dyn TransferObserver,
    ) -> Result<Transferred, TransferError> {
        let plan = plan(files, &self.trees, &self.remote)?;
        transfer(files, &plan, upload_plan::left_out(&self.trees), observer)
    }
}

/// Decides the target of each file, which depends on the board's content.
fn plan(
    files: &mut Files<'_>,
    trees: &[Tree],
    remote: &RemotePath,
) -> Result<PutPlan, TransferError> {
    let place = remote::resolve(files, std::slice::from_ref(remote))
        .pop()
        .unwrap_or_default();
    let found = files.look(&[&place])?.pop();
    // The board does not see the root as a folder if only other file systems are mounted in it.
    let is_folder = place.is_root() || found == Some(Found::Folder);
    let is_file = matches!(found, Some(Found::File { .. } | Found::Unreadable(_)));
    if remote.is_folder() && is_file {
        return Err(BoardError::WriteFile {
            path: format!("{place}/"),
            reason: Reason::FileOfThatName,
            keeps_old: true,
        }
        .into());
    }
    if remote.is_folder() && !is_folder {
        return Err(BoardError::NoSuchFile {
            path: place.to_string(),
        }
        .into());
    }
    if let Some(slashed) = remote.slashed()
        && !is_folder
        && !is_file
    {
        return Err(Refusal::Backslash {
            path: place,
            slashed: slashed.to_owned(),
        }
        .into());
    }
    if trees.len() > 1 && !is_folder {
        return Err(Refusal::NotAFolder { path: place }.into());
    }
    let mut plan = PutPlan::default();
    for tree in trees {
        let target = if is_folder {
            place.join(tree.name())
        } else {
            place.clone()
        };
        plan.add(tree, &target)?;
    }
    Ok(plan)
}

fn transfer(
    files: &mut Files<'_>,
    plan: &PutPlan,
    left_out: LeftOut,
    observer: &mut dyn TransferObserver,
) -> Result<Transferred, TransferError> {
    let mut done = Transferred {
        left_out,
        ..Transferred::default()
    };
    let remotes: Vec<&BoardPath> = plan
        .folders
        .iter()
        .chain(plan.files.iter().map(|file| &file.remote))
        .collect();
    let mut found = files.look(&remotes)?;
    let found_files = found.split_off(plan.folders.len());
    for (folder, found) in plan.folders.iter().zip(found) {
        if found == Found::Nothing {
            files.make_folder(folder)?;
        } else if found != Found::Folder {
            return Err(BoardError::WriteFile {
                path: folder.to_string(),
                reason: Reason::FileOfThatName,
                keeps_old: true,
            }
            .into());
        }
    }
    for (file, found) in plan.files.iter().zip(found_files) {
        let content = std::fs::read(&file.local).map_err(|source| file::Error::Open {
            path: file.local.clone(),
            source,
        })?;
        match found {
            Found::Folder => {
                return Err(BoardError::IsFolder {
                    path: file.remote.to_string(),
                }
                .into());
            }
            Found::File { hash, .. } if hash == super::hash(&content) => {
                done.unchanged += 1;
                observer.event(TransferEvent::UnchangedThere(&file.remote));
                continue;
            }
            _ => {}
        }
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
        done.written += 1;
        done.bytes += len;
        observer.event(TransferEvent::Put {
            remote: &file.remote,
            len: content.len(),
            sent,
        });
    }
    Ok(done)
}
