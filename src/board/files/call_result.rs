//! What the board answers to calls on its file system, read or refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{BoardPath, BoardProperties, Entry, PathKind, Room};
use crate::board::error::Error;
use crate::board::operation::{Doing, RefusalReason};

/// No file system is mounted there (MicroPython, `extmod/vfs.c`).
pub(super) const ENODEV: u32 = 19;

/// The records of a reply, which end in NUL: names do not contain one.
pub(super) fn records(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    let records = answer.strip_suffix(b"\0").unwrap_or(answer);
    let is_empty = records.is_empty();
    records.split(|byte| *byte == 0).filter(move |_| !is_empty)
}

/// Converts the board's `ENOENT`, `ENOTDIR` and `ENODEV` to "does not exist".
pub(super) fn missing(error: Error, path: &BoardPath) -> Error {
    match error {
        Error::Refused { exception, .. } if matches!(errno(&exception), Some(2 | 20 | ENODEV)) => {
            Error::NoSuchFile {
                path: path.to_string(),
            }
        }
        error => error,
    }
}

/// The errno in `OSError: 28` or `OSError: [Errno 28] ENOSPC`.
pub(super) fn errno(exception: &str) -> Option<u32> {
    let rest = exception.strip_prefix("OSError:")?.trim_start();
    let rest = rest.strip_prefix("[Errno ").unwrap_or(rest);
    // With a second argument, Python shows both as a tuple: `OSError: (17, 'x')`.
    let rest = rest.strip_prefix('(').unwrap_or(rest);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The meaning of a file system exception.
pub(super) fn meaning(exception: &str) -> RefusalReason {
    match errno(exception) {
        Some(1 | 13) => RefusalReason::NotPermitted,
        Some(2) => RefusalReason::NoFolder,
        Some(5) => RefusalReason::BadFlash,
        Some(17) => RefusalReason::NameTaken,
        Some(ENODEV) => RefusalReason::NotMounted,
        Some(20) => RefusalReason::PartIsFile,
        Some(22) => RefusalReason::BadName,
        Some(21) => RefusalReason::IsFolder,
        Some(28) => RefusalReason::Full,
        Some(30) => RefusalReason::ReadOnly,
        Some(36) => RefusalReason::NameTooLong,
        Some(39 | 66 | 90) => RefusalReason::NotEmpty,
        _ => RefusalReason::Exception(exception.to_owned()),
    }
}

/// The error for an answer that is complete but invalid.
pub(super) fn nonsense(doing: &Doing, answer: &[u8]) -> Error {
    Error::Answer {
        doing: doing.clone(),
        said: crate::text::escape::excerpt(answer),
    }
}

/// Parses a record of `l`; `None` if the bytes are no such record.
pub(super) fn found_of(line: &[u8]) -> Option<PathKind> {
    let line = std::str::from_utf8(line).ok()?;
    if let Some(rest) = line.strip_prefix("X ") {
        let (_len, exception) = rest.split_once(' ')?;
        return Some(PathKind::Unreadable(exception.to_owned()));
    }
    let mut words = line.split_whitespace();
    match words.next()? {
        "-" => Some(PathKind::Nothing),
        "D" => Some(PathKind::Folder),
        "F" => Some(PathKind::File {
            len: words.next()?.parse().ok()?,
            hash: STANDARD.decode(words.next()?).ok()?.try_into().ok()?,
        }),
        _ => None,
    }
}

/// Parses a record of `d`, `KIND LENGTH PATH`; `None` if the bytes are no such record.
pub(super) fn entry_of(line: &[u8]) -> Option<Entry> {
    // Only twice, because the path may contain spaces.
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let kind = words.next()?;
    let len = std::str::from_utf8(words.next()?).ok()?;
    let path = words.next()?;
    path.starts_with(b"/").then_some(Entry {
        path: BoardPath::from(path),
        len: len.parse().ok()?,
        is_folder: kind == b"D",
    })
}

/// Parses `FREE TOTAL`.
pub(super) fn room(answer: &[u8]) -> Result<Room, Error> {
    let doing = &Doing::AskingForRoom;
    match numbers(answer).as_slice() {
        &[free, total] => Ok(Room { free, total }),
        _ => Err(nonsense(doing, answer)),
    }
}

/// Parses `MEMORY WINDOW`, the working directory and the mount points, separated by NUL.
pub(super) fn board(answer: &[u8]) -> Result<BoardProperties, Error> {
    let mut parts = answer.split(|byte| *byte == 0);
    let numbers = numbers(parts.next().unwrap_or_default());
    match (numbers.as_slice(), parts.next()) {
        (&[memory, window], Some(cwd)) => Ok(BoardProperties {
            memory,
            // The answer is untrusted, and zlib knows no window above 15 bits.
            window: u8::try_from(window.min(15)).unwrap_or(0),
            cwd: BoardPath::root().resolve(cwd),
            mounts: parts.map(BoardPath::from).collect(),
        }),
        _ => Err(nonsense(&Doing::PreparingForFiles, answer)),
    }
}

/// The numbers in a text, separated by white space.
pub(super) fn numbers(text: &[u8]) -> Vec<u64> {
    String::from_utf8_lossy(text)
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::hash;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errno_is_parsed_from_old_and_new_firmware() {
        assert_eq!(errno("OSError: 28"), Some(28));
        assert_eq!(errno("OSError: [Errno 2] ENOENT"), Some(2));
        assert_eq!(errno("OSError: (17, 'x')"), Some(17));
        assert_eq!(errno("ValueError: 3"), None);
    }

    #[test]
    fn replies_are_parsed_or_rejected() {
        let line = format!("F 5 {}", STANDARD.encode(hash(b"hello")));
        assert_eq!(
            found_of(line.as_bytes()),
            Some(PathKind::File {
                len: 5,
                hash: hash(b"hello")
            })
        );
        assert_eq!(found_of(b"-"), Some(PathKind::Nothing));
        assert_eq!(found_of(b"F 5 x"), None);
        assert_eq!(
            found_of(b"X 12 OSError: 5"),
            Some(PathKind::Unreadable("OSError: 5".to_owned()))
        );
        let entry = entry_of(b"F 12 /my file.py").unwrap();
        assert_eq!(entry.path, BoardPath::from("/my file.py"));
        assert_eq!(entry_of(b"F 1 evil"), None);
        assert_eq!(records(b"").count(), 0);
        assert_eq!(records(b"a\0b\0").count(), 2);
        assert!(room(b"1 2 3").is_err());
        let told = board(b"4096 15\0/flash\0/flash\0/sd").unwrap();
        assert_eq!(told.cwd, BoardPath::from("/flash"));
        assert_eq!(told.mounts.len(), 2);
    }

    proptest! {
        #[test]
        fn any_reply_is_parsed_or_rejected_without_a_panic(text in "[-DFO 0-9a-zA-Z+/=:\\[(]{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (found_of(text.as_bytes()), entry_of(text.as_bytes()), errno(&text), meaning(&text));
            let _ = (found_of(&bytes), entry_of(&bytes), room(&bytes), board(&bytes));
        }
    }
}
