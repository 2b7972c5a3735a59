//! Copies and moves on the board, empty files and folders, the dates of files, and the free space in the board's file
//! systems.

use std::time::Duration;

use super::put::{self, SLOWEST_WRITE};
use super::{BoardPath, Files, Hash, PathKind, Room, WORK, call, is_temporary, meaning, nonsense};
use crate::board::error::Error;
use crate::board::literal;
use crate::board::operation::{Doing, RefusalReason};

/// How often to repeat a copy that the flash did not keep.
const TRIES: u32 = 2;

/// Files from before this year were written when the board's clock was not set: it starts at 2000, 1980 or 1970.
/// The mPython board came out in 2018, so no clock that was set shows an earlier year.
const FIRST_YEAR: &str = "2016";

/// A file that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    /// What was copied.
    pub(crate) from: BoardPath,
    /// The copy.
    pub(crate) to: BoardPath,
    /// Its length in bytes.
    pub(crate) len: u64,
    /// Whether a file with the same content was there before, so that nothing was written.
    pub(crate) is_unchanged: bool,
}

impl Files<'_> {
    /// The destination if `from` is copied or moved to `to`: inside `to` if that is an existing folder, otherwise `to`
    /// itself. `is_folder`: the user wrote `to` as a folder.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`] if `to` should be a folder and is none.
    pub(crate) fn destination(
        &mut self,
        from: &BoardPath,
        to: &BoardPath,
        is_folder: bool,
    ) -> Result<BoardPath, Error> {
        let found = self.look(&[to])?.pop();
        if to.is_root() || found == Some(PathKind::Folder) {
            return Ok(to.join(from.name()));
        }
        if is_folder {
            return Err(Error::NoSuchFile {
                path: format!("{to}/"),
            });
        }
        Ok(to.clone())
    }

    /// Copies a file, or a folder with everything in it. `told` gets an event for each file.
    ///
    /// # Errors
    /// As [`Files::put`]; what was copied before stays.
    pub(crate) fn copy(
        &mut self,
        from: &BoardPath,
        to: &BoardPath,
        told: &mut dyn FnMut(&Copied),
    ) -> Result<(), Error> {
        let found = self.look(&[from])?.pop().unwrap_or(PathKind::Nothing);
        if found != PathKind::Folder && !from.is_root() {
            let there = self.look(&[to])?.pop().unwrap_or(PathKind::Nothing);
            let copied = self.copy_file(from, &found, to, &there)?;
            told(&copied);
            return Ok(());
        }
        let error = Error::CopyInto {
            from: from.to_string(),
            to: to.to_string(),
        };
        refuse_itself(from, to, error)?;
        let mut pairs = Vec::new();
        let mut folders = vec![to.clone()];
        for entry in self.list(from, true)? {
            let below = entry.path.below(from).unwrap_or_default();
            if [&b"."[..], b".."].contains(&entry.path.name()) || is_temporary(entry.path.name()) {
                continue;
            }
            let target = to.join(below);
            if entry.is_folder {
                folders.push(target);
            } else {
                pairs.push((entry.path, target));
            }
        }
        // In order: a folder comes before what is in it.
        for folder in folders.iter().filter(|folder| !folder.is_root()) {
            self.make_folder(folder)?;
        }
        let sources: Vec<&BoardPath> = pairs.iter().map(|(from, _)| from).collect();
        let sources = self.look(&sources)?;
        let targets: Vec<&BoardPath> = pairs.iter().map(|(_, to)| to).collect();
        let targets = self.look(&targets)?;
        for (((from, to), found), there) in pairs.iter().zip(sources).zip(targets) {
            let copied = self.copy_file(from, &found, to, &there)?;
            told(&copied);
        }
        Ok(())
    }

    /// Copies one file: whole and checked, or not at all.
    fn copy_file(
        &mut self,
        from: &BoardPath,
        found: &PathKind,
        to: &BoardPath,
        there: &PathKind,
    ) -> Result<Copied, Error> {
        let (len, expected) = super::get::length_and_hash(from, found)?;
        if *there == PathKind::Folder {
            return Err(Error::IsFolder {
                path: to.to_string(),
            });
        }
        // Length and SHA-256 agree: writing it again would only wear the flash.
        let is_unchanged = there == found;
        if !is_unchanged {
            let put = self.new_put(to, b"", len);
            let result = match self.check_room(&put) {
                Ok(()) => self.copy_checked(from, &put, expected, len),
                result => result,
            };
            self.end_put(&put, result)?;
        }
        Ok(Copied {
            from: from.clone(),
            to: to.clone(),
            len,
            is_unchanged,
        })
    }

    /// Copies to the temporary file and renames it; again if the flash did not keep what was written.
    fn copy_checked(
        &mut self,
        from: &BoardPath,
        put: &put::Put<'_>,
        expected: &Hash,
        len: u64,
    ) -> Result<(), Error> {
        let mut part = b",".to_vec();
        literal::append_bytes(put.part.as_bytes(), &mut part);
        let code = call("C", from.as_bytes(), &part);
        let doing = Doing::Copying(from.to_string());
        let limit = WORK + Duration::from_secs_f64(len as f64 / SLOWEST_WRITE);
        for _ in 0..TRIES {
            self.call_slow(&doing, &code, limit)
                .map_err(|error| self.unwritable(error, put.path, false))?;
            if self.finish(put, expected)? {
                return Ok(());
            }
        }
        Err(Error::WriteFile {
            path: put.path.to_string(),
            reason: RefusalReason::BadFlash,
            keeps_old: false,
        })
    }

    /// Renames or moves a file or folder; with `replaces`, it may replace an existing file. To another file system it
    /// copies, and removes the original after the copy is complete.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`], [`Error::Move`], and those of [`Self::copy`].
    pub(crate) fn move_to(
        &mut self,
        from: &BoardPath,
        to: &BoardPath,
        replaces: bool,
    ) -> Result<(), Error> {
        let refuse = |reason| {
            Err(Error::Move {
                from: from.to_string(),
                to: to.to_string(),
                reason,
            })
        };
        let mut found = self.look(&[from, to])?.into_iter();
        let source = found.next().unwrap_or(PathKind::Nothing);
        let target = found.next().unwrap_or(PathKind::Nothing);
        if self.is_mount(from) {
            return refuse(RefusalReason::MountPoint);
        }
        if source == PathKind::Nothing {
            return Err(Error::NoSuchFile {
                path: from.to_string(),
            });
        }
        if from == to {
            return refuse(RefusalReason::NameTaken);
        }
        if source == PathKind::Folder {
            let error = Error::Move {
                from: from.to_string(),
                to: to.to_string(),
                reason: RefusalReason::IntoItself,
            };
            refuse_itself(from, to, error)?;
        }
        let is_replaced = match target {
            PathKind::Nothing => false,
            PathKind::Folder => return refuse(RefusalReason::IsFolder),
            _ if source == PathKind::Folder => return refuse(RefusalReason::FileOfThatName),
            _ if !replaces => return refuse(RefusalReason::NameTaken),
            _ => true,
        };
        // A rename between file systems is EPERM on the board.
        if self.mount_of(from) != self.mount_of(to) {
            self.copy(from, to, &mut |_| {})?;
            return self.remove(from, true);
        }
        let mut code = b"m(".to_vec();
        let aside = if is_replaced {
            // FAT does not rename onto an existing file, so the old file gets another name first.
            [put::temporary(to).as_bytes(), b"~"].concat()
        } else {
            Vec::new()
        };
        for path in [from.as_bytes(), to.as_bytes(), &aside] {
            literal::append_bytes(path, &mut code);
            code.push(b',');
        }
        code.push(b')');
        match self.call(&Doing::Moving(from.to_string()), &code, WORK) {
            Ok(_) => Ok(()),
            Err(Error::Refused { exception, .. }) => refuse(meaning(&exception)),
            Err(error) => Err(error),
        }
    }

    /// Makes a new folder; with `parents`, also its parent folders, and the folder may already exist.
    ///
    /// # Errors
    /// [`Error::WriteFile`].
    pub(crate) fn make_new_folder(&mut self, path: &BoardPath, parents: bool) -> Result<(), Error> {
        let taken = |reason| {
            Err(Error::WriteFile {
                path: path.to_string(),
                reason,
                keeps_old: false,
            })
        };
        let found = self.look(&[path])?.pop().unwrap_or(PathKind::Nothing);
        match found {
            PathKind::Nothing if path.is_root() => return Ok(()),
            PathKind::Nothing => {}
            PathKind::Folder if parents => return Ok(()),
            PathKind::Folder => return taken(RefusalReason::NameTaken),
            PathKind::File { .. } | PathKind::Unreadable(_) => {
                return taken(RefusalReason::FileOfThatName);
            }
        }
        if parents && !path.folder().is_root() {
            self.make_new_folder(&path.folder(), true)?;
        }
        self.make_folder(path)
    }

    /// Makes an empty file. If the file exists, only its date changes, if the file system records dates.
    ///
    /// # Errors
    /// [`Error::WriteFile`].
    pub fn touch(&mut self, path: &BoardPath) -> Result<(), Error> {
        if path.is_root() {
            return Err(Error::WriteFile {
                path: path.to_string(),
                reason: RefusalReason::IsFolder,
                keeps_old: false,
            });
        }
        let mut code = b"open(".to_vec();
        literal::append_bytes(path.as_bytes(), &mut code);
        // Append mode creates a missing file and never shortens an existing one.
        code.extend(b",'ab').close()");
        match self.call(&Doing::Writing(path.to_string()), &code, WORK) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.unwritable(error, path, false)),
        }
    }

    /// Removes an empty folder, and nothing else.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`], [`Error::Remove`].
    pub fn remove_folder(&mut self, path: &BoardPath) -> Result<(), Error> {
        let found = self.look(&[path])?.pop();
        if matches!(found, Some(PathKind::File { .. } | PathKind::Unreadable(_))) {
            return Err(Error::Remove {
                path: path.to_string(),
                reason: RefusalReason::NotAFolder,
            });
        }
        self.remove(path, false)
    }

    /// When each of `paths` was last written, by the board's calendar, as `2026-11-27T21:30:05`; none if the file
    /// system does not record it, or the clock was not set.
    ///
    /// # Errors
    /// The board does not answer, or not as it should.
    pub(crate) fn dates(&mut self, paths: &[&BoardPath]) -> Result<Vec<Option<String>>, Error> {
        let doing = &Doing::AskingForDates;
        let mut dates = Vec::with_capacity(paths.len());
        for part in paths.chunks(64) {
            let mut code = b"n(".to_vec();
            for path in part {
                literal::append_bytes(path.as_bytes(), &mut code);
                code.push(b',');
            }
            code.push(b')');
            let answer = self.call(doing, &code, WORK)?;
            let found: Vec<Option<String>> = super::records(&answer).map(date_of).collect();
            if found.len() != part.len() {
                return Err(nonsense(doing, &answer));
            }
            dates.extend(found);
        }
        Ok(dates)
    }

    /// The space in each of the board's file systems, with its mount point.
    ///
    /// # Errors
    /// The board does not answer, or not as it should.
    pub(crate) fn all_rooms(&mut self) -> Result<Vec<(BoardPath, Room)>, Error> {
        let mut rooms = Vec::new();
        let mounts = self.mounts().to_vec();
        for mount in std::iter::once(BoardPath::root()).chain(mounts) {
            let room = self.ask_room(&mount)?;
            // A root in which other file systems are mounted has none of its own.
            if room.total > 0 {
                rooms.push((mount, room));
            }
        }
        Ok(rooms)
    }
}

/// Copying a folder into itself would never end.
fn refuse_itself(from: &BoardPath, to: &BoardPath, error: Error) -> Result<(), Error> {
    if to.below(from).is_none() {
        return Ok(());
    }
    Err(error)
}

/// A date from the board, if the text is one and the clock was set.
fn date_of(record: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(record).ok()?;
    let is_date = text.len() == "2026-11-27T21:30:05".len()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-T:".contains(&byte));
    (is_date && text.get(..4)? >= FIRST_YEAR).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_counts_if_the_clock_was_set() {
        let date = date_of(b"2026-11-27T21:30:05");
        assert_eq!(date.as_deref(), Some("2026-11-27T21:30:05"));
        for other in [
            &b"-"[..],
            b"2000-01-01T00:00:12",
            b"1980-01-01T00:00:00",
            b"2026-11-27T21:30:\x1b5",
        ] {
            assert_eq!(date_of(other), None, "{}", other.escape_ascii());
        }
    }
}
