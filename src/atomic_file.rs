//! Replaces a file on this PC atomically: writes a temporary file and renames it, so that the target has either the old
//! or the new content, never a part.
//!
//! The temporary file is in the target's folder, because a rename cannot cross file systems. It is created with
//! `O_EXCL` under a random name, so it can neither overwrite a user's file nor follow a symbolic link that an attacker
//! has placed there. Dropping [`AtomicFile`] before [`AtomicFile::commit`] removes it.

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The maximum number of symbolic links to follow, the same as Linux's limit per path (`path_resolution(7)`).
const MAX_LINKS: u32 = 40;

/// A file that is being written. It appears under its name only at [`AtomicFile::commit`].
#[derive(Debug)]
pub struct AtomicFile {
    output: Output,
    /// The final path, with symbolic links resolved.
    path: PathBuf,
    /// Whether `commit` may replace an existing file.
    replaces: bool,
}

#[derive(Debug)]
enum Output {
    /// A temporary file, which `commit` renames.
    Temporary(NamedTempFile),
    /// A pipe or a device: written directly, because a rename would replace it with a regular file.
    Device(File),
}

impl AtomicFile {
    /// Begins a file that replaces the one at `path`, if it exists, and takes over its permissions and, if the
    /// operating system allows it, its owner. If `path` is a symbolic link, its target is replaced. A pipe or a device
    /// is written directly.
    ///
    /// # Errors
    /// `path` is a folder or a terminal, or its folder is not writable.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Open a device before resolving links: the target of /dev/stdout may have no name.
        if is_device(path) {
            return Ok(Self {
                output: Output::Device(device(path)?),
                path: path.to_owned(),
                replaces: true,
            });
        }
        let path = follow_links(path)?;
        let old = match fs::metadata(&path) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let output = match &old {
            Some(old) if old.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            old => Output::Temporary(temporary(&path, old.as_ref())?),
        };
        Ok(Self {
            output,
            path,
            replaces: true,
        })
    }

    /// Begins a file that never replaces an existing one, not even one that appears at `path` before the commit.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or the folder is not writable.
    pub fn create_new(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "it is there already",
            ));
        }
        Ok(Self {
            output: Output::Temporary(temporary(path, None)?),
            path: path.to_owned(),
            replaces: false,
        })
    }

    /// Sets the file's length; added bytes are zeros.
    ///
    /// # Errors
    /// The file system does not allow this length. A full disk may be reported only when bytes are written.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.output {
            Output::Temporary(file) => file.as_file().set_len(len),
            Output::Device(_) => Ok(()),
        }
    }

    /// Syncs the file to disk and renames it to its final path.
    ///
    /// # Errors
    /// The disk is full, the folder was removed, or (after [`AtomicFile::create_new`]) another file has taken the name.
    /// Then the old file is unchanged, and the temporary file is removed.
    pub fn commit(self) -> io::Result<()> {
        let file = match self.output {
            Output::Device(mut file) => return file.flush(),
            Output::Temporary(file) => file,
        };
        file.as_file().sync_all()?;
        if self.replaces {
            file.persist(&self.path).map_err(|failed| failed.error)?;
        } else if let Err(failed) = file.persist_noclobber(&self.path) {
            // FAT on some systems supports neither a no-replace rename nor hard links, so fall back to a check and a
            // plain rename.
            let is_free = fs::symlink_metadata(&self.path).is_err();
            if failed.error.kind() == io::ErrorKind::AlreadyExists || !is_free {
                return Err(failed.error);
            }
            failed
                .file
                .persist(&self.path)
                .map_err(|failed| failed.error)?;
        }
        sync_folder(&self.path);
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.output {
            Output::Temporary(file) => file.as_file_mut().write(bytes),
            Output::Device(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match &mut self.output {
            Output::Temporary(file) => file.as_file_mut().seek(position),
            Output::Device(file) => file.seek(position),
        }
    }
}

/// Writes `content` to `path` atomically.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(content)?;
    file.commit()
}

/// Opens a pipe or a device. Refuses a terminal, which would execute escape sequences in the file.
fn device(path: &Path) -> io::Result<File> {
    let file = File::options().write(true).open(path)?;
    if file.is_terminal() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a terminal, which would obey control sequences in the file",
        ));
    }
    Ok(file)
}

/// Whether `path` is neither a regular file nor a folder, but for example a FIFO or a device. Opening and writing it
/// may block without limit.
#[must_use]
pub fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Resolves a chain of symbolic links; the target need not exist.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            // Not a symbolic link.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "too many symbolic links",
    ))
}

/// The parent folder of `path`.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Creates a temporary file next to `path`, with the permissions and the owner of `old`.
fn temporary(path: &Path, old: Option<&Metadata>) -> io::Result<NamedTempFile> {
    if path.file_name().is_none() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".udpcli-").suffix(".tmp").rand_bytes(12);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // tempfile's default mode, 0600, would be too strict for a file that becomes permanent. The umask still
        // applies.
        let mode = old.map_or(0o666, |old| old.permissions().mode() & 0o777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let file = builder.tempfile_in(folder(path))?;
    #[cfg(unix)]
    if let Some(old) = old {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let new = file.as_file().metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            // Best effort: only root may change the owner. Otherwise the new file belongs to this user, as with editors
            // that rename.
            let _ = fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
        }
        // Set exactly the old permissions, because the umask was applied above, and do it before the first byte is
        // written.
        file.as_file().set_permissions(old.permissions())?;
    }
    // On Windows the only permission is read-only, which would make the rename fail.
    #[cfg(not(unix))]
    let _ = old;
    Ok(file)
}

/// Syncs the folder, so that the rename survives a power cut. Best effort: not every file system supports it.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder(path)) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in `folder`, sorted.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_file_is_there_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        // Names that other programs, and older versions of udpcli, have used for temporary files.
        for taken in ["a", "a.part", "a.udpcli-part", "a.tmp", ".a.tmp"] {
            fs::write(folder.path().join(taken), taken).unwrap();
        }
        let before = names(folder.path());
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a");
        drop(file);
        assert_eq!(names(folder.path()), before);
        assert_eq!(fs::read(&path).unwrap(), b"a");

        write(&path, b"new").unwrap();
        assert_eq!(names(folder.path()), before);
        for name in before {
            let expected = if name == "a" { "new" } else { &name };
            assert_eq!(
                fs::read_to_string(folder.path().join(&name)).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn temporary_names_differ() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let files: Vec<_> = (0..20)
            .map(|_| AtomicFile::create(&path).unwrap())
            .collect();
        let names = names(folder.path());
        assert_eq!(names.len(), files.len());
        assert!(names.iter().all(|name| name.len() > 12), "{names:?}");
    }

    #[test]
    fn a_new_file_never_replaces_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = AtomicFile::create_new(&path).unwrap();
        file.write_all(b"ours").unwrap();
        // The second file appears while the first is being written.
        fs::write(&path, "theirs").unwrap();
        let error = file.commit().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let error = AtomicFile::create_new(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["a"]);

        fs::remove_file(&path).unwrap();
        let mut file = AtomicFile::create_new(&path).unwrap();
        file.write_all(b"ours").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
    }

    #[test]
    fn folders_and_missing_folders_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        assert!(AtomicFile::create(&inner).is_err());
        assert!(AtomicFile::create_new(&inner).is_err());
        assert!(AtomicFile::create(&folder.path().join("none/a")).is_err());
        assert!(AtomicFile::create(Path::new("")).is_err());
        assert!(AtomicFile::create(Path::new("/")).is_err());
        assert_eq!(names(folder.path()), ["inner"]);
    }

    #[test]
    fn seeking_writes_over_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(&[0; 10]).unwrap();
        file.rewind().unwrap();
        file.write_all(b"abc").unwrap();
        file.set_len(3).unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abc");
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        }

        #[test]
        fn permissions_are_kept() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            for kept in [0o600, 0o640, 0o666, 0o444, 0o755] {
                fs::write(&path, "old").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
                let mut file = AtomicFile::create(&path).unwrap();
                // The permissions are set before the first byte is written, so that nobody else can read it.
                let temporary = names(folder.path()).remove(0);
                assert_eq!(mode(&folder.path().join(temporary)), kept);
                file.write_all(b"new").unwrap();
                file.commit().unwrap();
                assert_eq!(fs::read(&path).unwrap(), b"new");
                assert_eq!(mode(&path), kept);
                fs::remove_file(&path).unwrap();
            }
            // A new file gets the permissions that the umask allows.
            let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
            write(&ours, b"").unwrap();
            fs::write(&theirs, "").unwrap();
            assert_eq!(mode(&ours), mode(&theirs));
            let new = folder.path().join("new");
            AtomicFile::create_new(&new).unwrap().commit().unwrap();
            assert_eq!(mode(&new), mode(&theirs));
        }

        #[test]
        fn the_owner_is_kept_where_that_is_allowed() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            fs::write(&path, "old").unwrap();
            // Only root may change the owner; for other users there is nothing to test.
            let other = std::os::unix::fs::chown(&path, Some(12), Some(34)).is_ok();
            let old = fs::metadata(&path).unwrap();
            write(&path, b"new").unwrap();
            let new = fs::metadata(&path).unwrap();
            assert_eq!((new.uid(), new.gid()), (old.uid(), old.gid()));
            assert!(!other || new.uid() == 12);
        }

        #[test]
        fn links_stay_and_what_they_lead_to_is_written() {
            let folder = tempfile::tempdir().unwrap();
            let inner = folder.path().join("inner");
            fs::create_dir(&inner).unwrap();
            fs::write(inner.join("a"), "old").unwrap();
            let (first, second) = (folder.path().join("first"), folder.path().join("second"));
            symlink("inner/a", &first).unwrap();
            symlink(&first, &second).unwrap();
            write(&second, b"new").unwrap();
            assert_eq!(fs::read(inner.join("a")).unwrap(), b"new");
            assert!(first.is_symlink() && second.is_symlink());

            let dangling = folder.path().join("dangling");
            symlink("inner/b", &dangling).unwrap();
            assert!(AtomicFile::create_new(&dangling).is_err());
            write(&dangling, b"new").unwrap();
            assert_eq!(fs::read(inner.join("b")).unwrap(), b"new");
            assert!(dangling.is_symlink());

            let circle = folder.path().join("circle");
            symlink("circle", &circle).unwrap();
            assert!(write(&circle, b"new").is_err());
            assert!(circle.is_symlink());
        }

        #[test]
        fn devices_are_written_to_and_stay() {
            write(Path::new("/dev/null"), b"gone").unwrap();
            let metadata = fs::metadata("/dev/null").unwrap();
            assert!(!metadata.is_file());
            #[cfg(target_os = "linux")]
            {
                let error = write(Path::new("/dev/full"), b"x").unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            }
        }
    }
}
