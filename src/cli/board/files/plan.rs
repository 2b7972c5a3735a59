//! Which file goes where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::board::files;
use crate::error::Error;

/// The longest file that is read: more than the flash of any of these boards.
const MAX_FILE: u64 = 64 << 20;

/// Folders that hold nothing a board needs.
const LEFT_OUT: [&str; 2] = ["__pycache__", ".git"];

/// How deep folders may lie in each other: a link that leads back to itself ends there.
const MAX_DEPTH: usize = 32;

/// A path on the board, from its root: `:main.py` is `/main.py`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::board) struct RemotePath {
    path: String,
    /// Written with a slash at its end: a folder.
    is_folder: bool,
}

impl RemotePath {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(path) = text.strip_prefix(':') else {
            return Err(format!("a path on the board begins with a colon: :{text}"));
        };
        if path.contains('\0') {
            return Err("a path has no NUL in it".to_owned());
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        Ok(Self {
            path: format!("/{}", parts.join("/")),
            is_folder: path.is_empty() || path.ends_with('/'),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.path
    }

    pub(super) fn is_root(&self) -> bool {
        self.path == "/"
    }

    /// Whether it was written as a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The path of `name` in this folder.
    pub(super) fn join(&self, name: &str) -> String {
        if name.is_empty() {
            self.path.clone()
        } else {
            format!("{}/{name}", self.path.trim_end_matches('/'))
        }
    }
}

/// A file to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PutFile {
    pub(super) local: PathBuf,
    pub(super) remote: String,
}

/// Everything to put: folders to make, in order, and files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PutPlan {
    pub(super) folders: BTreeSet<String>,
    pub(super) files: Vec<PutFile>,
}

impl PutPlan {
    /// Adds a file or folder of this PC as `remote`.
    pub(super) fn add(&mut self, local: &Path, remote: &str) -> Result<(), Error> {
        self.add_at(local, remote, 0)
    }

    /// Refuses two files that would be one on the board: which of them stays is no matter of order.
    pub(super) fn refuse_clashes(&self) -> Result<(), Error> {
        let mut seen = BTreeMap::new();
        for file in &self.files {
            if self.folders.contains(&file.remote) {
                return Err(Error::usage_hint(
                    format!(
                        "{} and a folder would have one name on the board",
                        file.local.display()
                    ),
                    "put them one by one, each with its own :PATH",
                ));
            }
            if let Some(other) = seen.insert(&file.remote, &file.local)
                && *other != file.local
            {
                return Err(Error::usage_hint(
                    format!(
                        "{} and {} would be one file on the board",
                        other.display(),
                        file.local.display()
                    ),
                    "put them one by one, each with its own :PATH",
                ));
            }
        }
        Ok(())
    }

    fn add_at(&mut self, local: &Path, remote: &str, depth: usize) -> Result<(), Error> {
        let failed = |source| Error::Open {
            path: local.to_owned(),
            source,
        };
        let metadata = std::fs::metadata(local).map_err(failed)?;
        if metadata.is_file() {
            let name = remote.rsplit('/').next().unwrap_or_default();
            if files::is_temporary(name) {
                if depth > 0 {
                    tracing::info!("left out: {}, what a broken put left", local.display());
                    return Ok(());
                }
                return Err(Error::usage(format!(
                    "{name} is the name of put's own temporary file on the board"
                )));
            }
            // One that must not be read is said before the board is disturbed.
            std::fs::File::open(local).map_err(failed)?;
            if metadata.len() > MAX_FILE {
                return Err(Error::usage(format!(
                    "{} is longer than any board's flash",
                    local.display()
                )));
            }
            self.files.push(PutFile {
                local: local.to_owned(),
                remote: remote.to_owned(),
            });
            return Ok(());
        }
        if !metadata.is_dir() {
            return Err(Error::usage(format!(
                "{} is neither a file nor a folder",
                local.display()
            )));
        }
        if depth > MAX_DEPTH {
            return Err(Error::usage(format!(
                "{} lies more than {MAX_DEPTH} folders deep",
                local.display()
            )));
        }
        if remote != "/" {
            self.folders.insert(remote.to_owned());
        }
        let mut entries: Vec<PathBuf> = std::fs::read_dir(local)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect()
            })
            .map_err(failed)?;
        entries.sort();
        for entry in entries {
            let name = name_of(&entry)?;
            if LEFT_OUT.contains(&name.as_str()) {
                tracing::debug!("left out: {}", entry.display());
                continue;
            }
            let remote = format!("{}/{name}", remote.trim_end_matches('/'));
            self.add_at(&entry, &remote, depth + 1)?;
        }
        Ok(())
    }
}

/// A local path's own name; empty for `.` and `/`, whose content is meant.
pub(super) fn name_of(path: &Path) -> Result<String, Error> {
    match path.components().next_back() {
        Some(Component::Normal(name)) => match name.to_str() {
            Some(name) => Ok(name.to_owned()),
            None => Err(Error::usage(format!(
                "the name of {} is no text: the board keeps names in UTF-8",
                path.display()
            ))),
        },
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_do_not_become_one() {
        let file = |local: &str| PutFile {
            local: local.into(),
            remote: "/x.py".to_owned(),
        };
        let plan = |locals: &[&str]| PutPlan {
            files: locals.iter().copied().map(file).collect(),
            ..PutPlan::default()
        };
        assert!(plan(&["a/x.py", "a/x.py"]).refuse_clashes().is_ok());
        let error = plan(&["a/x.py", "b/x.py"]).refuse_clashes().unwrap_err();
        assert_eq!(
            error.to_string(),
            "a/x.py and b/x.py would be one file on the board"
        );
    }

    #[test]
    fn remote_paths_start_at_the_root() {
        for (text, path) in [
            (":", "/"),
            (":/", "/"),
            (":main.py", "/main.py"),
            (":/lib/", "/lib"),
            (":lib/../a b.py", "/a b.py"),
            (":../../x", "/x"),
        ] {
            assert_eq!(RemotePath::parse(text).unwrap().as_str(), path, "{text}");
        }
        assert!(RemotePath::parse("main.py").is_err());
        assert!(RemotePath::parse(":lib/").unwrap().is_folder());
        assert_eq!(RemotePath::parse(":/").unwrap().join("x"), "/x");
    }
}
