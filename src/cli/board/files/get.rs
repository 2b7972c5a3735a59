//! Files from the board.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::progress::Progress;
use super::{Done, GetArgs, SerialArgs, conclude, session};
use crate::board::error::Error as BoardError;
use crate::board::files::{self, Files, Found};
use crate::cli::GlobalArgs;
use crate::error::{Error, Outcome};
use crate::output;

/// Gets a file or a folder.
pub(in crate::cli::board) fn run(
    args: &GetArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let start = Instant::now();
    if let Some(local) = &args.local
        && local.to_string_lossy().starts_with(':')
    {
        return Err(Error::usage_hint(
            format!(
                "{} is a path on the board, and get takes one",
                local.display()
            ),
            "a file of this PC whose name begins with a colon is ./:name",
        ));
    }
    if args.local.as_deref() == Some(Path::new("-")) {
        let content = session::with_files(serial, |files| fetch_one(args, files, global.quiet));
        return match content {
            Ok(content) => output::print(&content),
            Err(error) => conclude(Err(error), start, "nothing is written"),
        };
    }
    let result = session::with_files(serial, |files| fetch(args, files, global.quiet));
    conclude(result, start, "the file that was begun is not written")
}

/// A file for stdout.
fn fetch_one(args: &GetArgs, files: &mut Files<'_>, quiet: bool) -> Result<Vec<u8>, Error> {
    let remote = args.remote.as_str();
    let found = one(files, remote)?;
    read(files, remote, &found, &mut Progress::new(quiet))
}

fn fetch(args: &GetArgs, files: &mut Files<'_>, quiet: bool) -> Result<Done, Error> {
    let remote = args.remote.as_str();
    let found = one(files, remote)?;
    let mut progress = Progress::new(quiet);
    let mut done = Done::default();
    let name = remote.rsplit('/').next().unwrap_or_default();
    let target = target(args.local.as_deref(), name)?;
    if found != Found::Folder {
        save(files, remote, &found, &target, &mut progress, &mut done)?;
        return Ok(done);
    }
    let entries = files.list(remote, true)?;
    make_folder(&target)?;
    let mut wanted = Vec::new();
    for entry in entries {
        let relative = entry
            .path
            .strip_prefix(remote.trim_end_matches('/'))
            .unwrap_or(&entry.path)
            .trim_start_matches('/')
            .to_owned();
        let local = local_path(&target, &relative)?;
        if entry.is_folder {
            make_folder(&local)?;
        } else {
            wanted.push((entry.path, local));
        }
    }
    let remotes: Vec<String> = wanted.iter().map(|(remote, _)| remote.clone()).collect();
    let found = files.look(&remotes)?;
    for ((remote, local), found) in wanted.iter().zip(found) {
        save(files, remote, &found, local, &mut progress, &mut done)?;
    }
    Ok(done)
}

fn one(files: &mut Files<'_>, path: &str) -> Result<Found, Error> {
    match files.look(&[path.to_owned()])?.pop() {
        Some(Found::Nothing) | None => Err(BoardError::NoSuchFile {
            path: path.to_owned(),
        }
        .into()),
        Some(found) => Ok(found),
    }
}

/// Where it goes: into a folder that is there, or under the name given.
fn target(local: Option<&Path>, name: &str) -> Result<PathBuf, Error> {
    let base = local.unwrap_or(Path::new("."));
    let is_folder = base.is_dir() || base.as_os_str().to_string_lossy().ends_with(['/', '\\']);
    if is_folder && !name.is_empty() {
        local_path(base, name)
    } else {
        Ok(base.to_owned())
    }
}

/// A board's path under a folder of this PC. A name that would lead elsewhere is refused: a board may call its files
/// as it likes.
fn local_path(base: &Path, relative: &str) -> Result<PathBuf, Error> {
    let mut path = base.to_owned();
    for part in relative.split('/').filter(|part| !part.is_empty()) {
        let is_harmless = part != "."
            && part != ".."
            && !part.chars().any(char::is_control)
            && !(cfg!(windows) && part.contains(['\\', ':', '*', '?', '"', '<', '>', '|']));
        if !is_harmless {
            return Err(Error::usage(format!(
                "{relative:?} on the board is no name for a file on this PC"
            )));
        }
        path.push(part);
    }
    Ok(path)
}

fn make_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|source| Error::Write {
        object: path.display().to_string(),
        source,
    })
}

fn read(
    files: &mut Files<'_>,
    remote: &str,
    found: &Found,
    progress: &mut Progress,
) -> Result<Vec<u8>, Error> {
    if let Found::File { len, .. } = found {
        progress.begin(remote, *len);
    }
    let result = files.get(remote, found, &mut |at| progress.at(at));
    progress.end();
    Ok(result?)
}

/// Writes a file here, whole or not at all.
fn save(
    files: &mut Files<'_>,
    remote: &str,
    found: &Found,
    local: &Path,
    progress: &mut Progress,
    done: &mut Done,
) -> Result<(), Error> {
    if let Found::File { hash, len } = found
        && std::fs::metadata(local)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == *len)
        && std::fs::read(local).is_ok_and(|content| files::hash(&content) == *hash)
    {
        done.unchanged += 1;
        tracing::debug!("{} is unchanged", local.display());
        return Ok(());
    }
    let content = read(files, remote, found, progress)?;
    write(local, &content).map_err(|source| Error::Write {
        object: local.display().to_string(),
        source,
    })?;
    done.written += 1;
    done.bytes += content.len() as u64;
    tracing::info!("{}: {} bytes", local.display(), content.len());
    Ok(())
}

/// Writes a file whole or not at all: beside the one that is there, whose permissions it gets, and then in its place.
fn write(local: &Path, content: &[u8]) -> io::Result<()> {
    // What a link leads to is written, not the link.
    let place = std::fs::canonicalize(local).unwrap_or_else(|_| local.to_owned());
    let old = std::fs::metadata(&place).ok();
    if old
        .as_ref()
        .is_some_and(|old| !old.is_file() && !old.is_dir())
    {
        // A pipe or a device takes the bytes; a file in its place would be none any more.
        return std::fs::File::options()
            .write(true)
            .open(&place)?
            .write_all(content);
    }
    let mut part = place.as_os_str().to_owned();
    part.push(".udpcli-part");
    let part = PathBuf::from(part);
    let written = fill(&part, old.as_ref(), content).and_then(|()| std::fs::rename(&part, &place));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Makes the temporary file, with the old one's permissions before the first byte is in it.
fn fill(part: &Path, old: Option<&std::fs::Metadata>, content: &[u8]) -> io::Result<()> {
    let mut file = std::fs::File::create(part)?;
    // Windows has but one, read-only, which would be in the way of the rename.
    if let (true, Some(old)) = (cfg!(unix), old.filter(|old| old.is_file())) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_cannot_name_a_file_outside_the_folder() {
        let base = Path::new("here");
        assert_eq!(
            local_path(base, "lib/a b.py").unwrap(),
            base.join("lib").join("a b.py")
        );
        for name in ["../x", "a/../../x", "a\nb"] {
            assert!(local_path(base, name).is_err(), "{name}");
        }
    }
}
