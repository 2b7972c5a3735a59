//! The plan of an upload: local files, their paths on the board, and what is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::error::{TransferError, TransferRefusal};
use super::exclude::{Exclude, is_excluded};
use super::{BoardPath, Shown, is_temporary};
use crate::file;

/// The size limit for files: more than any supported board's flash.
const MAX_FILE: u64 = 64 << 20;

/// Names that a board does not need, in addition to those that begin with a dot.
const LEFT_OUT: [&str; 2] = ["__pycache__", "Thumbs.db"];

/// The depth limit for nested folders.
const MAX_DEPTH: usize = 32;

/// How many names of left-out entries to show.
const SHOWN: usize = 5;

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PutFile {
    /// On this PC.
    pub(super) local: PathBuf,
    /// On the board.
    pub(super) remote: BoardPath,
}

/// Everything to upload: folders to create, in order, and files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PutPlan {
    /// In byte order, so that a folder comes before what is in it.
    pub(super) folders: BTreeSet<BoardPath>,
    /// In the order in which the user named them.
    pub(super) files: Vec<PutFile>,
    /// The paths of what stays on this PC.
    pub(super) left_out: Vec<BoardPath>,
}

/// The entries of uploaded folders that were left out, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExcludedEntries(BTreeMap<String, u64>);

impl ExcludedEntries {
    /// Counts one more entry with this name.
    fn add(&mut self, name: &[u8]) {
        *self.0.entry(Shown(name).to_string()).or_default() += 1;
    }

    /// Whether nothing was left out.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first names, each with how many entries have it, and how many more entries there are.
    #[must_use]
    pub fn names(&self) -> (Vec<(&str, u64)>, u64) {
        let shown = self.0.iter().take(SHOWN);
        let names = shown.map(|(name, count)| (name.as_str(), *count));
        (names.collect(), self.0.values().skip(SHOWN).sum())
    }

    /// Adds what another tree leaves out.
    fn extend(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }
}

/// A local file or folder with all its content, as the user named it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    /// Its name in a folder on the board; empty for `.` and `/`, which mean the content.
    name: Vec<u8>,
    /// Whether the user named a folder.
    is_folder: bool,
    /// The folders below it.
    folders: Vec<Vec<u8>>,
    /// The files with their relative paths; empty for a file that the user named directly.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// What is left out, by name, for the summary.
    left_out: ExcludedEntries,
    /// The relative paths of what is left out.
    left_out_paths: Vec<Vec<u8>>,
}

impl Tree {
    /// Examines a local file or folder.
    pub(super) fn read(local: &Path, excludes: &[Exclude]) -> Result<Self, TransferError> {
        let mut tree = Self {
            name: name_of(local)?,
            ..Self::default()
        };
        if !tree.name.is_empty() && is_excluded(excludes, &tree.name) {
            // A wrong name is an error here, too.
            std::fs::metadata(local).map_err(|source| file::Error::Open {
                path: local.to_owned(),
                source,
            })?;
            tree.leave_out(local, &[]);
            return Ok(tree);
        }
        tree.add(local, &[], &mut Vec::new(), excludes)?;
        Ok(tree)
    }

    /// Its name in a folder on the board.
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The length of its files.
    pub(super) fn len(&self) -> u64 {
        let lengths = self.files.iter().map(|(local, _)| std::fs::metadata(local));
        lengths
            .map(|metadata| metadata.map_or(0, |metadata| metadata.len()))
            .sum()
    }

    /// Adds a file, or a folder with its content. `below` is its path below the tree, `parents` the folders that it
    /// is in.
    fn add(
        &mut self,
        local: &Path,
        below: &[u8],
        parents: &mut Vec<PathBuf>,
        excludes: &[Exclude],
    ) -> Result<(), TransferError> {
        let failed = |source| file::Error::Open {
            path: local.to_owned(),
            source,
        };
        let is_named = parents.is_empty();
        let metadata = match std::fs::metadata(local) {
            Ok(metadata) => metadata,
            // A dangling link in a folder must not stop the other files.
            Err(source) if !is_named && is_link(local) => {
                tracing::warn!(
                    say = "board-cli.dead-link",
                    path = %local.display(),
                    error = %source
                );
                self.leave_out(local, below);
                return Ok(());
            }
            Err(source) => return Err(failed(source).into()),
        };
        if metadata.is_file() {
            // Report an unreadable file before the board is disturbed.
            std::fs::File::open(local).map_err(failed)?;
            if metadata.len() > MAX_FILE {
                return Err(TransferRefusal::TooLong {
                    path: local.to_owned(),
                }
                .into());
            }
            self.files.push((local.to_owned(), below.to_vec()));
            return Ok(());
        }
        if !metadata.is_dir() {
            if !is_named {
                tracing::warn!(say = "board-cli.left-out-kind", path = %local.display());
                self.leave_out(local, below);
                return Ok(());
            }
            return Err(TransferRefusal::NotAFile {
                path: local.to_owned(),
            }
            .into());
        }
        // Not every file system reports the canonical path; circular links then end at MAX_DEPTH.
        let place = std::fs::canonicalize(local)
            .or_else(|_| std::path::absolute(local))
            .map_err(failed)?;
        if parents.contains(&place) {
            tracing::warn!(say = "board-cli.left-out-loop", path = %local.display());
            self.leave_out(local, below);
            return Ok(());
        }
        if parents.len() > MAX_DEPTH {
            return Err(TransferRefusal::TooDeep {
                path: local.to_owned(),
                most: MAX_DEPTH,
            }
            .into());
        }
        if is_named {
            self.is_folder = true;
        } else {
            self.folders.push(below.to_vec());
        }
        let mut entries: Vec<PathBuf> = std::fs::read_dir(local)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect()
            })
            .map_err(failed)?;
        // The order of `read_dir` differs between file systems, and messages should not.
        entries.sort();
        parents.push(place);
        for entry in entries {
            let name = name_of(&entry)?;
            let below = if below.is_empty() {
                name.clone()
            } else {
                [below, &name].join(&b'/')
            };
            if is_left_out(&name) || is_excluded(excludes, &self.below_folder(&below)) {
                tracing::debug!(say = "board-cli.left-out", path = %entry.display());
                self.leave_out(&entry, &below);
                continue;
            }
            self.add(&entry, &below, parents, excludes)?;
        }
        parents.pop();
        Ok(())
    }

    /// Notes an entry that stays on this PC.
    fn leave_out(&mut self, local: &Path, below: &[u8]) {
        let name = local.file_name().map_or(&b""[..], OsStr::as_encoded_bytes);
        self.left_out.add(name);
        self.left_out_paths.push(below.to_vec());
    }

    /// The path below the folder into which the user puts it.
    fn below_folder(&self, below: &[u8]) -> Vec<u8> {
        match self.name.as_slice() {
            b"" => below.to_vec(),
            name => [name, below].join(&b'/'),
        }
    }
}

/// Whether something in a folder stays on this PC because of its name.
pub(crate) fn is_left_out(name: &[u8]) -> bool {
    // `.git` and `.venv` would fill the flash. udpcli still uploads such a file if the user names it directly.
    name.starts_with(b".") || LEFT_OUT.iter().any(|out| out.as_bytes() == name)
}

/// Whether it is a symbolic link, whatever it leads to.
fn is_link(local: &Path) -> bool {
    std::fs::symlink_metadata(local).is_ok_and(|metadata| metadata.is_symlink())
}

impl PutPlan {
    /// Adds a local file or folder as `target`.
    pub(super) fn add(&mut self, tree: &Tree, target: &BoardPath) -> Result<(), TransferRefusal> {
        if tree.is_folder && !target.is_root() {
            self.folders.insert(target.clone());
        }
        self.folders
            .extend(tree.folders.iter().map(|below| target.join(below)));
        let left_out = tree.left_out_paths.iter();
        self.left_out
            .extend(left_out.map(|below| target.join(below)));
        for (local, below) in &tree.files {
            let remote = target.join(below);
            // The upload of any file in that folder would overwrite it.
            if is_temporary(remote.name()) {
                return Err(TransferRefusal::OwnTemporary {
                    name: remote.name().to_vec(),
                });
            }
            self.files.push(PutFile {
                local: local.clone(),
                remote,
            });
        }
        Ok(())
    }

    /// Refuses two files that would have the same path on the board: otherwise their order would decide which one
    /// stays.
    pub(super) fn refuse_clashes(&self) -> Result<(), TransferRefusal> {
        let mut seen = BTreeMap::new();
        for file in &self.files {
            if self.folders.contains(&file.remote) {
                return Err(TransferRefusal::ClashWithFolder {
                    path: file.local.clone(),
                });
            }
            if let Some(other) = seen.insert(&file.remote, &file.local)
                && *other != file.local
            {
                return Err(TransferRefusal::Clash {
                    first: other.clone(),
                    second: file.local.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Everything that the trees leave out.
pub(super) fn left_out(trees: &[Tree]) -> ExcludedEntries {
    let mut all = ExcludedEntries::default();
    for tree in trees {
        all.extend(&tree.left_out);
    }
    all
}

/// The last name of a local path as bytes; empty for `.` and `/`, which mean the content.
fn name_of(path: &Path) -> Result<Vec<u8>, TransferRefusal> {
    match path.components().next_back() {
        // Windows' encoding of a name that is not valid Unicode is useless on a board.
        Some(Component::Normal(name)) if cfg!(windows) && name.to_str().is_none() => {
            Err(TransferRefusal::NoUnicode {
                path: path.to_owned(),
            })
        }
        Some(Component::Normal(name)) => Ok(name.as_encoded_bytes().to_vec()),
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_with_one_target_are_refused() {
        let file = |local: &str| PutFile {
            local: local.into(),
            remote: BoardPath::from("/x.py"),
        };
        let plan = |locals: &[&str]| PutPlan {
            files: locals.iter().copied().map(file).collect(),
            ..PutPlan::default()
        };
        assert!(plan(&["a/x.py", "a/x.py"]).refuse_clashes().is_ok());
        let error = plan(&["a/x.py", "b/x.py"]).refuse_clashes().unwrap_err();
        assert_eq!(
            error.to_string(),
            "a/x.py and b/x.py would be the same file on the board"
        );
    }

    #[test]
    fn left_out_entries_are_counted_by_name() {
        let mut out = ExcludedEntries::default();
        for name in [
            ".DS_Store",
            ".DS_Store",
            "__pycache__",
            ".git",
            "a",
            "b",
            "c",
            "d",
        ] {
            out.add(name.as_bytes());
        }
        assert_eq!(
            out.names(),
            (
                vec![
                    (".DS_Store", 2),
                    (".git", 1),
                    ("__pycache__", 1),
                    ("a", 1),
                    ("b", 1)
                ],
                2
            )
        );
    }
}
