//! Uploads files and folders to the board: writes only what differs.

use std::collections::HashSet;
use std::path::PathBuf;

use super::changed::{read, transfer};
use super::error::{TransferError, TransferRefusal};
use super::excess::excess;
use super::exclude::Exclude;
use super::remote::{self, RemotePath};
use super::transfer::{TransferEvent, TransferObserver, Transferred};
use super::upload_plan::{self, ExcludedEntries, PutPlan, Tree};
use super::wildcards;
use super::{BoardPath, Entry, Files, PathKind};
use crate::board::error::Error as BoardError;
use crate::board::operation::RefusalReason;

pub use super::changed::Remembered;

/// The files to upload and their target.
#[derive(Debug)]
pub struct Upload {
    /// What the user named.
    trees: Vec<Tree>,
    /// The destination, as the user wrote it.
    remote: RemotePath,
    /// What stays on this PC.
    excludes: Vec<Exclude>,
}

/// An upload to a board whose content is known.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    /// The files of this PC.
    upload: &'a Upload,
    /// Where on the board each file goes.
    plan: PutPlan,
    /// The target that the user gave for all files.
    target: UploadTarget,
    /// The destinations of the folders on this PC: only inside them may excess entries be removed.
    folders: Vec<BoardPath>,
}

/// Where on the board the files go.
#[derive(Debug, Clone)]
pub(crate) struct UploadTarget {
    /// The folder, or the path of a single file.
    place: BoardPath,
    /// Whether the files go into that folder; otherwise it is the name of the only file.
    is_folder: bool,
}

impl UploadTarget {
    /// The path of one of the trees.
    fn of(&self, tree: &Tree) -> BoardPath {
        if self.is_folder {
            self.place.join(tree.name())
        } else {
            self.place.clone()
        }
    }
}

/// What an upload would write.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// The files with their lengths.
    pub(crate) files: Vec<(BoardPath, u64)>,
    /// The number of unchanged files.
    pub(crate) unchanged: u64,
    /// What would be left out.
    pub(crate) left_out: ExcludedEntries,
}

impl Upload {
    /// Examines the local files and folders, so that problems with them are reported before the board is disturbed.
    /// Wildcards in a name stand for the matching files.
    ///
    /// # Errors
    /// A file cannot be read, or two of them would be the same file on the board.
    pub fn read(locals: &[PathBuf], remote: RemotePath) -> Result<Self, TransferError> {
        Self::read_without(locals, remote, Vec::new())
    }

    /// As [`Self::read`], without the files that match `excludes`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn read_without(
        locals: &[PathBuf],
        remote: RemotePath,
        excludes: Vec<Exclude>,
    ) -> Result<Self, TransferError> {
        let mut trees = Vec::new();
        for local in locals {
            for local in wildcards::expand(local)? {
                trees.push(Tree::read(&local, &excludes)?);
            }
        }
        let mut trial = PutPlan::default();
        for tree in &trees {
            trial.add(tree, &BoardPath::root().join(tree.name()))?;
        }
        // Against the root, because clashes do not depend on the destination.
        trial.refuse_clashes()?;
        Ok(Self {
            trees,
            remote,
            excludes,
        })
    }

    /// The length of all files together. A file that cannot be read counts nothing here.
    pub(crate) fn total_len(&self) -> u64 {
        self.trees.iter().map(Tree::len).sum()
    }

    /// Looks where on the board each file goes.
    ///
    /// # Errors
    /// The target cannot take the files, or the board does not reply.
    pub(crate) fn plan(&self, files: &mut Files<'_>) -> Result<Planned<'_>, TransferError> {
        let target = target(files, &self.trees, &self.remote)?;
        Ok(Planned {
            upload: self,
            plan: plan(&self.trees, &target)?,
            folders: self.folders(&target),
            target,
        })
    }

    /// As [`Self::plan`], where an earlier upload of the same names went.
    ///
    /// # Errors
    /// Several files cannot go to one place.
    pub(crate) fn plan_at(&self, target: &UploadTarget) -> Result<Planned<'_>, TransferError> {
        let place = &target.place;
        if self.trees.len() > 1 && !target.is_folder {
            let path = place.clone();
            return Err(TransferRefusal::NotAFolder { path }.into());
        }
        Ok(Planned {
            upload: self,
            plan: plan(&self.trees, target)?,
            target: target.clone(),
            folders: self.folders(target),
        })
    }

    /// Whether the upload includes a folder of this PC.
    #[must_use]
    pub(crate) fn has_folder(&self) -> bool {
        self.trees.iter().any(Tree::is_folder)
    }

    /// The paths of the folders that are put.
    fn folders(&self, target: &UploadTarget) -> Vec<BoardPath> {
        let folders = self.trees.iter().filter(|tree| tree.is_folder());
        folders.map(|tree| target.of(tree)).collect()
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
        let known = &mut Remembered::default();
        self.plan(files)?.put(files, known, observer)
    }
}

impl Planned<'_> {
    /// Where the files go.
    #[must_use]
    pub(crate) fn target(&self) -> &UploadTarget {
        &self.target
    }

    /// As [`Upload::put`], but does not ask the board about files that are already known.
    ///
    /// # Errors
    /// As [`Upload::put`].
    pub(crate) fn put(
        &self,
        files: &mut Files<'_>,
        known: &mut Remembered,
        observer: &mut dyn TransferObserver,
    ) -> Result<Transferred, TransferError> {
        transfer(files, &self.plan, self.left_out(), known, observer)
    }

    /// What stays on this PC, for the summary.
    fn left_out(&self) -> ExcludedEntries {
        upload_plan::left_out(&self.upload.trees)
    }

    /// What [`Self::put`] would write.
    ///
    /// # Errors
    /// A file cannot be read, or the board does not reply.
    pub(crate) fn preview(&self, files: &mut Files<'_>) -> Result<Preview, TransferError> {
        let remotes: Vec<&BoardPath> = self.plan.files.iter().map(|file| &file.remote).collect();
        let found = files.look(&remotes)?;
        let mut preview = Preview {
            left_out: self.left_out(),
            ..Preview::default()
        };
        for (file, found) in self.plan.files.iter().zip(found) {
            let content = read(file)?;
            if matches!(found, PathKind::File { hash, .. } if hash == super::hash(&content)) {
                preview.unchanged += 1;
            } else {
                let len = content.len() as u64;
                preview.files.push((file.remote.clone(), len));
            }
        }
        Ok(preview)
    }

    /// What the board has in the uploaded folders and this PC lacks, in an order in which it can be removed.
    ///
    /// # Errors
    /// The board does not reply.
    pub(crate) fn excess(&self, files: &mut Files<'_>) -> Result<Vec<Entry>, TransferError> {
        let found = files.look(&self.folders.iter().collect::<Vec<_>>())?;
        let mut entries = Vec::new();
        let mut mounts = HashSet::new();
        for (folder, found) in self.folders.iter().zip(found) {
            // The board does not see the root as a folder if only other file systems are mounted in it.
            if folder.is_root() || found == PathKind::Folder {
                entries.extend(files.list(folder, true)?);
                mounts.insert(files.mount_of(folder));
            }
        }
        let wanted = self.plan.files.iter().map(|file| &file.remote);
        Ok(excess(
            &entries,
            &self.target.place,
            wanted.chain(&self.plan.folders),
            &self.upload.excludes,
            |path| {
                files.is_mount(path)
                    || !mounts.contains(&files.mount_of(path))
                    || self
                        .plan
                        .left_out
                        .iter()
                        .any(|out| path.below(out).is_some())
            },
        ))
    }
}

/// Removes what [`Planned::excess`] found. A failed removal does not stop the others.
///
/// # Errors
/// The first that cannot be removed; or the board does not reply.
pub(crate) fn remove(
    files: &mut Files<'_>,
    excess: &[Entry],
    observer: &mut dyn TransferObserver,
) -> Result<(), TransferError> {
    let mut first: Option<TransferError> = None;
    for entry in excess {
        match files.remove(&entry.path, false) {
            Ok(()) => observer.event(TransferEvent::Removed(&entry.path)),
            // The entry is already gone, which is the goal.
            Err(BoardError::NoSuchFile { .. }) => {}
            Err(error @ BoardError::Remove { .. }) if first.is_none() => first = Some(error.into()),
            Err(error @ BoardError::Remove { .. }) => {
                observer.event(TransferEvent::AlsoFailed(error.into()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    first.map_or(Ok(()), Err)
}

/// Decides where the files go, which depends on the board's content.
fn target(
    files: &mut Files<'_>,
    trees: &[Tree],
    remote: &RemotePath,
) -> Result<UploadTarget, TransferError> {
    let place = remote::resolve(files, std::slice::from_ref(remote))
        .pop()
        .unwrap_or_default();
    let found = files.look(&[&place])?.pop();
    // The board does not see the root as a folder if only other file systems are mounted in it.
    let is_folder = place.is_root() || found == Some(PathKind::Folder);
    let is_file = matches!(found, Some(PathKind::File { .. } | PathKind::Unreadable(_)));
    if remote.is_folder() && is_file {
        return Err(BoardError::WriteFile {
            path: format!("{place}/"),
            reason: RefusalReason::FileOfThatName,
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
        return Err(TransferRefusal::Backslash {
            path: place,
            slashed: slashed.to_owned(),
        }
        .into());
    }
    if trees.len() > 1 && !is_folder {
        return Err(TransferRefusal::NotAFolder { path: place }.into());
    }
    Ok(UploadTarget { place, is_folder })
}

/// All folders and files to upload, as paths below the target.
fn plan(trees: &[Tree], target: &UploadTarget) -> Result<PutPlan, TransferRefusal> {
    let mut plan = PutPlan::default();
    for tree in trees {
        plan.add(tree, &target.of(tree))?;
    }
    Ok(plan)
}
