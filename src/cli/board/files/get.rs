//! Files from the board.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::progress::Progress;
use super::{Done, GetArgs, SerialArgs, conclude, remote, session};
use crate::board::error::Error as BoardError;
use crate::board::files::{self, BoardPath, Files, Found, Shown};
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
        && local.as_os_str().as_encoded_bytes().starts_with(b":")
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
    let path = place(args, files);
    let found = one(files, &path)?;
    read(files, &path, &found, &mut Progress::new(quiet))
}

fn place(args: &GetArgs, files: &Files<'_>) -> BoardPath {
    remote::resolve(files, std::slice::from_ref(&args.remote))
        .pop()
        .unwrap_or_default()
}

fn fetch(args: &GetArgs, files: &mut Files<'_>, quiet: bool) -> Result<Done, Error> {
    let path = place(args, files);
    let found = one(files, &path)?;
    let mut progress = Progress::new(quiet);
    let mut done = Done::default();
    let target = target(args.local.as_deref(), &args.remote.name())?;
    if found != Found::Folder {
        save(files, &path, &found, &target, &mut progress, &mut done)?;
        return Ok(done);
    }
    let entries = files.list(&path, true)?;
    make_folder(&target)?;
    // One name that this PC cannot have, or one file that the board cannot read, does not stop the others.
    let mut failure = FirstFailure::default();
    let mut wanted = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        let below = entry.path.below(&path).unwrap_or_default();
        let local = match local_path(&target, below) {
            Ok(local) => local,
            Err(error) => {
                failure.note(error);
                continue;
            }
        };
        if entry.is_folder {
            make_folder(&local)?;
        } else if seen.insert(local.clone()) {
            wanted.push((entry.path, local));
        } else {
            failure.note(Error::usage(format!(
                "{} and another file on the board would be one file here, {}",
                entry.path,
                local.display()
            )));
        }
    }
    let remotes: Vec<&BoardPath> = wanted.iter().map(|(remote, _)| remote).collect();
    let found = files.look(&remotes)?;
    for ((remote, local), found) in wanted.iter().zip(found) {
        match save(files, remote, &found, local, &mut progress, &mut done) {
            Err(
                error @ Error::Board(BoardError::ReadFile { .. } | BoardError::NoSuchFile { .. }),
            ) => {
                failure.note(error);
            }
            result => result?,
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
            Some(_) => tracing::warn!("{error}"),
        }
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
    if is_folder && !name.is_empty() {
        local_path(base, name)
    } else {
        Ok(base.to_owned())
    }
}

/// A board's path under a folder of this PC. A name that would lead elsewhere is refused: a board may call its files
/// as it likes.
fn local_path(base: &Path, below: &[u8]) -> Result<PathBuf, Error> {
    let mut path = base.to_owned();
    let mut is_renamed = false;
    for part in below.split(|byte| *byte == b'/') {
        if matches!(part, b"" | b"." | b"..") {
            return Err(Error::usage(format!(
                "{} on the board is no name for a file on this PC",
                Shown(below)
            )));
        }
        let (name, renamed) = local_name(part);
        is_renamed |= renamed;
        path.push(name);
    }
    if is_renamed {
        tracing::info!("{} on the board becomes {}", Shown(below), path.display());
    }
    Ok(path)
}

/// A name on the board as a name on this PC, and whether it is another: what is no text, could not be typed, or is not
/// possible in a name on Windows, is written `%NN` for each byte.
fn local_name(name: &[u8]) -> (String, bool) {
    let mut local = String::with_capacity(name.len());
    let mut is_renamed = false;
    let mut escape = |bytes: &[u8], local: &mut String| {
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(local, "%{byte:02x}");
            is_renamed = true;
        }
    };
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let is_reserved = cfg!(windows)
                && matches!(character, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
            if character.is_control() || is_reserved {
                escape(character.encode_utf8(&mut [0; 4]).as_bytes(), &mut local);
            } else {
                local.push(character);
            }
        }
        escape(chunk.invalid(), &mut local);
    }
    (local, is_renamed)
}

fn make_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|source| Error::Write {
        object: path.display().to_string(),
        source,
    })
}

fn read(
    files: &mut Files<'_>,
    remote: &BoardPath,
    found: &Found,
    progress: &mut Progress,
) -> Result<Vec<u8>, Error> {
    if let Found::File { len, .. } = found {
        progress.begin(&remote.to_string(), *len);
    }
    let result = files.get(remote, found, &mut |at| progress.at(at));
    progress.end();
    Ok(result?)
}

/// Writes a file here, whole or not at all.
fn save(
    files: &mut Files<'_>,
    remote: &BoardPath,
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
            local_path(base, b"lib/a b.py").unwrap(),
            base.join("lib").join("a b.py")
        );
        for name in ["../x", "a/../../x", "a/", "."] {
            assert!(local_path(base, name.as_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_no_text_gets_another_here() {
        for (name, local) in [
            (b"Fr\x81hst.wav".as_slice(), "Fr%81hst.wav"),
            (b"a\x1b[31m\nb", "a%1b[31m%0ab"),
            ("你好".as_bytes(), "你好"),
            (b"50%", "50%"),
        ] {
            assert_eq!(
                local_name(name),
                (local.to_owned(), local.as_bytes() != name)
            );
        }
        #[cfg(windows)]
        assert_eq!(local_name(b"a:b").0, "a%3ab");
    }
}
