//! Downloads files and folders from the board: writes only what differs, and only below the folder that the user named.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{TransferError, TransferRefusal};
use super::local::{NameRules, Places, Unnameable};
use super::remote::{self, RemotePath};
use super::transfer::{TransferEvent, TransferObserver, Transferred};
use super::{BoardPath, Entry, Files, PathKind};
use crate::atomic_file;
use crate::board::error::Error as BoardError;
use crate::file;
use crate::wait::{Site, Wait, Waited};

/// Reads one file from the board.
///
/// # Errors
/// The file does not exist or cannot be read, or the user pressed Ctrl-C.
pub(crate) fn read(
    files: &mut Files<'_>,
    remote: &RemotePath,
    observer: &mut dyn TransferObserver,
) -> Result<Vec<u8>, TransferError> {
    let path = place(remote, files);
    let found = one(files, &path)?;
    Download::new(files, observer).read(&path, &found)
}

/// Downloads a file or a folder: into `local` if that is a folder, otherwise as `local`; without `local`, into the
/// current folder.
///
/// # Errors
/// The first failure. A failure of one file does not stop the others in its folder.
pub fn get(
    files: &mut Files<'_>,
    remote: &RemotePath,
    local: Option<&Path>,
    observer: &mut dyn TransferObserver,
) -> Result<Transferred, TransferError> {
    let path = place(remote, files);
    let found = one(files, &path)?;
    let target = target(local, &remote.name(), observer)?;
    let mut download = Download::new(files, observer);
    if found == PathKind::Folder {
        return download.folder(&path, &target);
    }
    download.save(&path, &found, &target)?;
    Ok(download.done)
}

/// The full path of what the user named.
fn place(remote: &RemotePath, files: &Files<'_>) -> BoardPath {
    remote::resolve(files, std::slice::from_ref(remote))
        .pop()
        .unwrap_or_default()
}

/// A download from the board.
struct Download<'a, 'f> {
    files: &'a mut Files<'f>,
    observer: &'a mut dyn TransferObserver,
    /// What was downloaded so far.
    done: Transferred,
    /// Where it was saved.
    saved: Saved,
}

impl<'a, 'f> Download<'a, 'f> {
    /// A download that has not begun.
    fn new(files: &'a mut Files<'f>, observer: &'a mut dyn TransferObserver) -> Self {
        Self {
            files,
            observer,
            done: Transferred::default(),
            saved: Saved::default(),
        }
    }

    /// Downloads a folder with all its content.
    fn folder(mut self, path: &BoardPath, target: &Path) -> Result<Transferred, TransferError> {
        let entries = self.files.list(path, true)?;
        make_folder(target)?;
        // A name that this PC cannot have, or a file that cannot be read or written, does not stop the others.
        let mut failure = FirstFailure::default();
        let mut wanted = Vec::new();
        let below = |entry: &Entry| entry.path.below(path).unwrap_or_default().to_vec();
        let paths: Vec<Vec<u8>> = entries.iter().map(below).collect();
        // All names at once, before the first file is written: which of two equal names changes must not depend on
        // the order in which the board lists them.
        let mut places = Places::of(NameRules::HERE, paths.iter().map(Vec::as_slice));
        for (entry, below) in entries.into_iter().zip(&paths) {
            let place = match places.place(below) {
                Ok(place) => place,
                Err(why) => {
                    failure.note(unnameable(below, why), self.observer);
                    continue;
                }
            };
            let local = target.join(&place.path);
            if place.is_renamed && !entry.is_folder {
                self.observer.event(TransferEvent::Renamed {
                    name: below,
                    local: &local,
                });
            }
            if !entry.is_folder {
                wanted.push((entry.path, local));
            } else if let Err(error) = make_folder(&local) {
                failure.note_or_end(error, self.observer)?;
            }
        }
        let remotes: Vec<&BoardPath> = wanted.iter().map(|(remote, _)| remote).collect();
        // One call for all files; those that are here already are not sent.
        let found = self.files.look(&remotes)?;
        for ((remote, local), found) in wanted.iter().zip(found) {
            if let Err(error) = self.save(remote, &found, local) {
                failure.note_or_end(error, self.observer)?;
            }
        }
        failure.or(self.done)
    }

    /// Reads a file from the board, with its progress.
    fn read(&mut self, remote: &BoardPath, found: &PathKind) -> Result<Vec<u8>, TransferError> {
        let name = remote.to_string();
        let len = match found {
            PathKind::File { len, .. } => *len,
            _ => 0,
        };
        let observer = &mut *self.observer;
        let result = self.files.get(remote, found, &mut |done| {
            observer.event(TransferEvent::Progress {
                name: &name,
                done,
                len,
            });
        });
        self.observer.event(TransferEvent::ProgressEnded);
        Ok(result?)
    }

    /// Writes a file on this PC atomically.
    fn save(
        &mut self,
        remote: &BoardPath,
        found: &PathKind,
        local: &Path,
    ) -> Result<(), TransferError> {
        if let PathKind::File { hash, len } = found
            && std::fs::metadata(local)
                .is_ok_and(|metadata| metadata.is_file() && metadata.len() == *len)
            && std::fs::read(local).is_ok_and(|content| super::hash(&content) == *hash)
        {
            self.done.unchanged += 1;
            self.saved.add(local, remote);
            self.observer.event(TransferEvent::UnchangedHere(local));
            return Ok(());
        }
        // Before reading, because the second file would replace the first one.
        if let Some(other) = self.saved.other(local) {
            return Err(TransferRefusal::OneFileHere {
                first: remote.clone(),
                second: other.clone(),
                path: local.to_owned(),
            }
            .into());
        }
        let content = self.read(remote, found)?;
        let len = content.len();
        write(self.files, local, content)?;
        self.saved.add(local, remote);
        self.done.written += 1;
        self.done.bytes += len as u64;
        self.observer.event(TransferEvent::Got { local, len });
        Ok(())
    }
}

/// The first of several failures, which becomes the final error. The observer gets the others as they occur.
#[derive(Debug, Default)]
struct FirstFailure(Option<TransferError>);

impl FirstFailure {
    /// Keeps the first failure, and passes on each further one.
    fn note(&mut self, error: TransferError, observer: &mut dyn TransferObserver) {
        match &self.0 {
            None => self.0 = Some(error),
            Some(_) => observer.event(TransferEvent::AlsoFailed(error)),
        }
    }

    /// Records a failure of one file; returns a failure that concerns all of them.
    fn note_or_end(
        &mut self,
        error: TransferError,
        observer: &mut dyn TransferObserver,
    ) -> Result<(), TransferError> {
        let is_of_one = match &error {
            TransferError::Board(BoardError::ReadFile { .. } | BoardError::NoSuchFile { .. })
            | TransferError::Refused(_) => true,
            TransferError::File(file::Error::Write { source, .. }) => !matches!(
                source.kind(),
                io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::ReadOnlyFilesystem
            ),
            _ => false,
        };
        if !is_of_one {
            return Err(error);
        }
        self.note(error, observer);
        Ok(())
    }

    /// The result, unless something failed.
    fn or<T>(self, result: T) -> Result<T, TransferError> {
        self.0.map_or(Ok(result), Err)
    }
}

/// What is at a path; an error if there is nothing.
fn one(files: &mut Files<'_>, path: &BoardPath) -> Result<PathKind, BoardError> {
    match files.look(&[path])?.pop() {
        Some(PathKind::Nothing) | None => Err(BoardError::NoSuchFile {
            path: path.to_string(),
        }),
        Some(found) => Ok(found),
    }
}

/// The local path: in an existing folder, or with the given name.
fn target(
    local: Option<&Path>,
    name: &[u8],
    observer: &mut dyn TransferObserver,
) -> Result<PathBuf, TransferError> {
    let base = local.unwrap_or(Path::new("."));
    let is_folder = base.is_dir() || base.as_os_str().to_string_lossy().ends_with(['/', '\\']);
    if !is_folder || name.is_empty() {
        return Ok(base.to_owned());
    }
    let place = Places::of(NameRules::HERE, [name])
        .place(name)
        .map_err(|why| unnameable(name, why))?;
    let target = base.join(&place.path);
    if place.is_renamed {
        observer.event(TransferEvent::Renamed {
            name,
            local: &target,
        });
    }
    Ok(target)
}

/// The error for a name that this PC cannot have.
fn unnameable(name: &[u8], why: Unnameable) -> TransferError {
    let name = name.to_vec();
    match why {
        Unnameable::LeadsElsewhere => TransferRefusal::NoNameHere { name },
        Unnameable::TooLong => TransferRefusal::NameTooLong {
            name,
            source: io::Error::new(io::ErrorKind::InvalidFilename, why),
        },
    }
    .into()
}

/// Makes a folder on this PC, unless it exists.
fn make_folder(path: &Path) -> Result<(), TransferError> {
    std::fs::create_dir_all(path).map_err(|source| {
        TransferError::File(file::Error::Write {
            object: path.display().to_string().into(),
            source,
        })
    })
}

/// The local files that were downloaded.
#[derive(Debug, Default)]
struct Saved(Vec<(FileId, BoardPath)>);

/// The identity of a file, independent of its name: device and inode.
type FileId = (u64, u64);

/// The identity of the file; `None` if it does not exist, is not a regular file, or has several names anyway.
#[cfg(unix)]
fn id(local: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(local).ok()?;
    // With several hard links, one file under two names is what the user wants.
    (metadata.is_file() && metadata.nlink() == 1).then(|| (metadata.dev(), metadata.ino()))
}

/// Windows reports it only for open files.
#[cfg(not(unix))]
fn id(_: &Path) -> Option<FileId> {
    None
}

impl Saved {
    /// Remembers what a local file came from.
    fn add(&mut self, local: &Path, remote: &BoardPath) {
        if let Some(id) = id(local) {
            self.0.push((id, remote.clone()));
        }
    }

    /// The file on the board that was already saved under this name: because of a user's link, or because the file
    /// system treats two names as the same.
    fn other(&self, local: &Path) -> Option<&BoardPath> {
        let id = id(local)?;
        let (_, other) = self.0.iter().find(|(saved, _)| *saved == id)?;
        Some(other)
    }
}

/// Writes a file atomically. Writes directly to a FIFO or a device, and waits for it until Ctrl-C.
fn write(files: &mut Files<'_>, local: &Path, content: Vec<u8>) -> Result<(), TransferError> {
    let failed = |source| {
        TransferError::File(file::Error::Write {
            object: local.display().to_string().into(),
            source,
        })
    };
    if !atomic_file::is_device(local) {
        return atomic_file::write(local, &content).map_err(failed);
    }
    let shutdown = files.repl().link().shutdown();
    let owned = local.to_owned();
    let is_stopped = || shutdown.is_asked();
    let write = move || atomic_file::write(&owned, &content);
    match Wait::at(Site::WriteDevice, &is_stopped).call(write) {
        Ok(Waited::Done(written)) => written.map_err(failed),
        Ok(Waited::Interrupted | Waited::TimeUp) => Err(BoardError::Interrupted.into()),
        Err(error) => Err(failed(error)),
    }
}
