//! Files from the board.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::bar;
use super::{Done, GetArgs, SerialArgs, conclude, remote, session};
use crate::atomic_file;
use crate::board::error::Error as BoardError;
use crate::board::files::local::{Places, Rules, Unnameable};
use crate::board::files::{self, BoardPath, Entry, Files, Found, Shown};
use crate::cli::GlobalArgs;
use crate::cli::output;
use crate::error::{Error, Outcome};
use crate::file;
use crate::terminal::progress::Progress;
use crate::text::sentence::sentence;
use crate::wait::{Site, Wait, Waited};
use crate::words;
use crate::words::catalogue::say;

/// Gets a file or a folder.
pub(in crate::cli::board) fn run(
    args: &GetArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let start = Instant::now();
    if let Some(local) = &args.local
        && local.as_os_str().as_encoded_bytes().starts_with(b":")
    {
        return Err(Error::usage_hint(
            say!("board-cli.get-takes-one", path = local.display()),
            say!("board-cli.get-takes-one.hint"),
        ));
    }
    if args.local.as_deref() == Some(Path::new("-")) {
        let content = session::with_files(serial, |files| fetch_one(args, files, global.quiet));
        return match content {
            Ok(content) => output::print(&content),
            Err(error) => conclude(
                Err(error),
                start,
                &sentence!("board-cli.stopped-get-stdout"),
            ),
        };
    }
    let result = session::with_files(serial, |files| fetch(args, files, global.quiet));
    conclude(result, start, &sentence!("board-cli.stopped-get"))
}

/// A file for stdout.
fn fetch_one(args: &GetArgs, files: &mut Files<'_>, quiet: bool) -> Result<Vec<u8>, Error> {
    let path = place(args, files);
    let found = one(files, &path)?;
    read(
        files,
        &path,
        &found,
        &mut Progress::new(quiet, bar::words()),
    )
}

fn place(args: &GetArgs, files: &Files<'_>) -> BoardPath {
    remote::resolve(files, std::slice::from_ref(&args.remote))
        .pop()
        .unwrap_or_default()
}

fn fetch(args: &GetArgs, files: &mut Files<'_>, quiet: bool) -> Result<Done, Error> {
    let path = place(args, files);
    let found = one(files, &path)?;
    let mut progress = Progress::new(quiet, bar::words());
    let mut done = Done::default();
    let mut saved = Saved::default();
    let target = target(args.local.as_deref(), &args.remote.name())?;
    if found != Found::Folder {
        save(
            files,
            &path,
            &found,
            &target,
            &mut progress,
            &mut done,
            &mut saved,
        )?;
        return Ok(done);
    }
    let entries = files.list(&path, true)?;
    make_folder(&target)?;
    // One name that this PC cannot have, or one file that cannot be read there or written here, does not stop the others.
    let mut failure = FirstFailure::default();
    let mut wanted = Vec::new();
    let below = |entry: &Entry| entry.path.below(&path).unwrap_or_default().to_vec();
    let paths: Vec<Vec<u8>> = entries.iter().map(below).collect();
    let mut places = Places::of(Rules::HERE, paths.iter().map(Vec::as_slice));
    for (entry, below) in entries.into_iter().zip(&paths) {
        let place = match places.place(below) {
            Ok(place) => place,
            Err(why) => {
                failure.note(unnameable(below, why));
                continue;
            }
        };
        let local = target.join(&place.path);
        if place.is_renamed && !entry.is_folder {
            tell_renamed(below, &local);
        }
        if !entry.is_folder {
            wanted.push((entry.path, local));
        } else if let Err(error) = make_folder(&local) {
            failure.note_or_end(error)?;
        }
    }
    let remotes: Vec<&BoardPath> = wanted.iter().map(|(remote, _)| remote).collect();
    let found = files.look(&remotes)?;
    for ((remote, local), found) in wanted.iter().zip(found) {
        let result = save(
            files,
            remote,
            &found,
            local,
            &mut progress,
            &mut done,
            &mut saved,
        );
        if let Err(error) = result {
            failure.note_or_end(error)?;
        }
    }
    failure.or(done)
}

/// The first of several failures: the error in the end. The others are said when they happen.
#[derive(Debug, Default)]
struct FirstFailure(Option<Error>);

impl FirstFailure {
    fn note(&mut self, error: Error) {
        match &self.0 {
            None => self.0 = Some(error),
            Some(_) => match std::error::Error::source(&error) {
                Some(source) => tracing::warn!(
                    "{}",
                    say!(
                        "board-cli.with-cause",
                        error = words::message(&error),
                        cause = words::cause(source)
                    )
                ),
                None => tracing::warn!("{}", words::message(&error)),
            },
        }
    }

    /// Notes what is the matter with one file; gives back what is the matter with all of them.
    fn note_or_end(&mut self, error: Error) -> Result<(), Error> {
        let is_of_one = match &error {
            Error::Board(BoardError::ReadFile { .. } | BoardError::NoSuchFile { .. })
            | Error::Usage { .. } => true,
            Error::File(file::Error::Write { source, .. }) => !matches!(
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
        self.note(error);
        Ok(())
    }

    fn or<T>(self, result: T) -> Result<T, Error> {
        self.0.map_or(Ok(result), Err)
    }
}

fn one(files: &mut Files<'_>, path: &BoardPath) -> Result<Found, Error> {
    match files.look(&[path])?.pop() {
        Some(Found::Nothing) | None => Err(BoardError::NoSuchFile {
            path: path.to_string(),
        }
        .into()),
        Some(found) => Ok(found),
    }
}

/// Where it goes: into a folder that is there, or under the name given.
fn target(local: Option<&Path>, name: &[u8]) -> Result<PathBuf, Error> {
    let base = local.unwrap_or(Path::new("."));
    let is_folder = base.is_dir() || base.as_os_str().to_string_lossy().ends_with(['/', '\\']);
    if !is_folder || name.is_empty() {
        return Ok(base.to_owned());
    }
    let place = Places::of(Rules::HERE, [name])
        .place(name)
        .map_err(|why| unnameable(name, why))?;
    let target = base.join(&place.path);
    if place.is_renamed {
        tell_renamed(name, &target);
    }
    Ok(target)
}

fn tell_renamed(name: &[u8], local: &Path) {
    tracing::info!(say = "board-cli.becomes", name = %Shown(name), path = %local.display());
}

fn unnameable(name: &[u8], why: Unnameable) -> Error {
    match why {
        Unnameable::LeadsElsewhere => {
            Error::usage(say!("board-cli.no-name-here", name = Shown(name)))
        }
        Unnameable::TooLong => Error::File(file::Error::Write {
            object: say!("board-cli.of-the-board", name = Shown(name)),
            source: io::Error::new(io::ErrorKind::InvalidFilename, why),
        }),
    }
}

fn make_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|source| {
        Error::File(file::Error::Write {
            object: path.display().to_string(),
            source,
        })
    })
}

fn read(
    files: &mut Files<'_>,
    remote: &BoardPath,
    found: &Found,
    progress: &mut Progress,
) -> Result<Vec<u8>, Error> {
    let name = remote.to_string();
    let len = match found {
        Found::File { len, .. } => *len,
        _ => 0,
    };
    let result = files.get(remote, found, &mut |at| progress.at(&name, at, len));
    progress.end();
    Ok(result?)
}

/// The files of this PC that hold what was fetched.
#[derive(Debug, Default)]
struct Saved(Vec<(FileId, BoardPath)>);

/// What a file is, whatever it is called: its device and its number there.
type FileId = (u64, u64);

/// What the file is; none if there is none, it is no regular file, or it has several names anyway.
#[cfg(unix)]
fn id(local: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(local).ok()?;
    (metadata.is_file() && metadata.nlink() == 1).then(|| (metadata.dev(), metadata.ino()))
}

/// Windows tells it of open files only.
#[cfg(not(unix))]
fn id(_: &Path) -> Option<FileId> {
    None
}

impl Saved {
    fn add(&mut self, local: &Path, remote: &BoardPath) {
        if let Some(id) = id(local) {
            self.0.push((id, remote.clone()));
        }
    }

    /// The file on the board that was just saved under this name: by a link of the user's, or in a file system that takes
    /// two names for one.
    fn other(&self, local: &Path) -> Option<&BoardPath> {
        let id = id(local)?;
        let (_, other) = self.0.iter().find(|(saved, _)| *saved == id)?;
        Some(other)
    }
}

/// Writes a file here, whole or not at all.
fn save(
    files: &mut Files<'_>,
    remote: &BoardPath,
    found: &Found,
    local: &Path,
    progress: &mut Progress,
    done: &mut Done,
    saved: &mut Saved,
) -> Result<(), Error> {
    if let Found::File { hash, len } = found
        && std::fs::metadata(local)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == *len)
        && std::fs::read(local).is_ok_and(|content| files::hash(&content) == *hash)
    {
        done.unchanged += 1;
        saved.add(local, remote);
        tracing::debug!("{}", say!("board-cli.unchanged", path = local.display()));
        return Ok(());
    }
    if let Some(other) = saved.other(local) {
        return Err(Error::usage(say!(
            "board-cli.one-file-here",
            first = remote,
            second = other,
            path = local.display()
        )));
    }
    let content = read(files, remote, found, progress)?;
    let len = content.len();
    write(files, local, content)?;
    saved.add(local, remote);
    done.written += 1;
    done.bytes += len as u64;
    tracing::info!(say = "board-cli.got", path = %local.display(), len = %len);
    Ok(())
}

/// Writes a file whole or not at all. A FIFO or a device is written to as it is, and waited for until Ctrl-C.
fn write(files: &mut Files<'_>, local: &Path, content: Vec<u8>) -> Result<(), Error> {
    let failed = |source| {
        Error::File(file::Error::Write {
            object: local.display().to_string(),
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
