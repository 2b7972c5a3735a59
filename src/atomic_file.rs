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
pub(crate) struct AtomicFile {
    output: Destination,
    /// The final path, with symbolic links resolved.
    path: PathBuf,
    /// Whether `commit` may replace an existing file.
    replaces: bool,
}

#[derive(Debug)]
enum Destination {
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
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        // Open a device before resolving links: the target of /dev/stdout may have no name.
        if is_device(path) {
            return Ok(Self {
                output: Destination::Device(device(path)?),
                path: path.to_owned(),
                replaces: true,
            });
        }
        let path = reachable(follow_links(path)?);
        let old = match fs::metadata(&path) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let output = match &old {
            Some(old) if old.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            old => Destination::Temporary(temporary(&path, old.as_ref())?),
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
    pub(crate) fn create_new(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "it is there already",
            ));
        }
        let path = reachable(path.to_owned());
        Ok(Self {
            output: Destination::Temporary(temporary(&path, None)?),
            path,
            replaces: false,
        })
    }

    /// Sets the file's length; added bytes are zeros.
    ///
    /// # Errors
    /// The file system does not allow this length. A full disk may be reported only when bytes are written.
    pub(crate) fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.output {
            Destination::Temporary(file) => file.as_file().set_len(len),
            Destination::Device(_) => Ok(()),
        }
    }

    /// Syncs the file to disk and renames it to its final path.
    ///
    /// # Errors
    /// The disk is full, the folder was removed, or (after [`AtomicFile::create_new`]) another file has taken the name.
    /// Then the old file is unchanged, and the temporary file is removed.
    pub(crate) fn commit(self) -> io::Result<()> {
        let file = match self.output {
            Destination::Device(mut file) => return file.flush(),
            Destination::Temporary(file) => file,
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
            Destination::Temporary(file) => file.as_file_mut().write(bytes),
            Destination::Device(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match &mut self.output {
            Destination::Temporary(file) => file.as_file_mut().seek(position),
            Destination::Device(file) => file.seek(position),
        }
    }
}

/// Writes `content` to `path` atomically.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
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
pub(crate) fn is_device(path: &Path) -> bool {
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

/// The path in a form that every Windows call accepts. The standard library converts long paths, but tempfile does not:
/// Windows' `MoveFileEx` takes 260 characters, unless the path is verbatim (`\\?\`).
#[cfg(windows)]
fn reachable(path: PathBuf) -> PathBuf {
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStrExt as _;
    use std::path::{Component, Prefix};

    /// 260, less the name of the temporary file.
    const MOST: usize = 220;
    let Ok(whole) = std::path::absolute(&path) else {
        return path;
    };
    if whole.as_os_str().encode_wide().take(MOST).count() < MOST {
        return path;
    }
    let Some(Component::Prefix(prefix)) = whole.components().next() else {
        return path;
    };
    let (start, rest) = match prefix.kind() {
        Prefix::Disk(_) => (r"\\?\", Some(whole.as_path())),
        // \\SERVER\SHARE\..
        Prefix::UNC(..) => (
            r"\\?\UNC\",
            whole
                .to_str()
                .and_then(|text| text.strip_prefix(r"\\"))
                .map(Path::new),
        ),
        _ => return path,
    };
    let Some(rest) = rest else { return path };
    let mut verbatim = OsString::from(start);
    verbatim.push(rest);
    verbatim.into()
}

/// On other systems every call accepts the same paths.
#[cfg(not(windows))]
fn reachable(path: PathBuf) -> PathBuf {
    path
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
mod tests;
