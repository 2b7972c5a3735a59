//! Names of boards: a CSV file with the columns `mac-or-id,name,seat`, as spreadsheets write it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::text::encoding::TextEncoding;
use crate::text::fullwidth::to_ascii;

/// The first line of the file; it is optional.
const HEADING: &str = "mac-or-id";

/// The most characters of a name.
const MAX_NAME: usize = 64;

/// The names by MAC address, IPv4 address, serial port or USB serial number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BoardNames(HashMap<String, String>);

/// Why there are no names.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is")]
pub enum Error {
    #[error("{} is neither UTF-8 nor GBK", .path.display())]
    Encoding { path: PathBuf },
    #[error("{}, line {line}: a line needs a board and a name", .path.display())]
    Row { path: PathBuf, line: u64 },
    #[error("{}, line {line}: the name is too long", .path.display())]
    LongName { path: PathBuf, line: u64 },
    #[error("{}, line {line}: this board has a name already", .path.display())]
    Twice { path: PathBuf, line: u64 },
}

impl BoardNames {
    /// Reads the text of the file at this path.
    ///
    /// # Errors
    /// The text has no known encoding, or a line has no name for a board.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let path = || path.to_owned();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut scratch = String::new();
        let text = TextEncoding::Auto
            .decode(bytes, &mut scratch)
            .ok_or_else(|| Error::Encoding { path: path() })?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut names = HashMap::new();
        for (at, row) in reader.records().enumerate() {
            let row = row.map_err(|error| Error::Row {
                path: path(),
                line: line_at(text, error.position()),
            })?;
            let line = line_at(text, row.position());
            let (board, name) = match (row.get(0), row.get(1)) {
                (Some(HEADING), _) if at == 0 => continue,
                (Some(board), Some(name)) if !board.is_empty() => (board, name),
                _ => return Err(Error::Row { path: path(), line }),
            };
            // A line whose name is not filled in yet.
            if name.is_empty() {
                continue;
            }
            if name.chars().count() > MAX_NAME {
                return Err(Error::LongName { path: path(), line });
            }
            if names.insert(key(board), name.to_owned()).is_some() {
                return Err(Error::Twice { path: path(), line });
            }
        }
        Ok(Self(names))
    }

    /// Whether no board has a name.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The identifiers of the boards with this name: in lower case, and a MAC address without colons.
    #[must_use]
    pub(crate) fn boards_called(&self, name: &str) -> Vec<&str> {
        let boards = self.0.iter().filter(|(_, of)| of.as_str() == name);
        boards.map(|(board, _)| board.as_str()).collect()
    }

    /// The name of a board by one of its addresses.
    #[must_use]
    pub(crate) fn of(&self, board: &str) -> Option<&str> {
        self.0.get(&key(board)).map(String::as_str)
    }
}

/// The line of a row. The position is before the empty lines that the reader skips.
fn line_at(text: &str, position: Option<&csv::Position>) -> u64 {
    let at = position.and_then(|position| usize::try_from(position.byte()).ok());
    let rest = text.get(at.unwrap_or(0)..).unwrap_or_default();
    let skipped = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    let before = text.get(..at.unwrap_or(0) + skipped).unwrap_or_default();
    1 + before.matches('\n').count() as u64
}

/// Every way to write a MAC address means the same.
fn key(board: &str) -> String {
    // A Chinese input method types full-width colons and digits.
    let board = &*to_ascii(board);
    let digits: String = board.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    let is_mac = digits.len() == 12 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let key = if is_mac { &digits } else { board };
    key.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "mac-or-id,name,seat\r\n24:0A:C4:00:01:17,小明,A1\r\n192.168.0.9,\"Li, Hua\"\r\n\r\n/dev/ttyUSB0,,A3\r\n";

    fn parse(bytes: &[u8]) -> Result<BoardNames, Error> {
        BoardNames::parse(Path::new("names.csv"), bytes)
    }

    #[test]
    fn names_are_read_in_utf_8_with_a_bom_and_in_gbk() {
        let (gbk, _, _) = encoding_rs::GBK.encode(LIST);
        let with_bom = [b"\xef\xbb\xbf", LIST.as_bytes()].concat();
        for bytes in [LIST.as_bytes(), &with_bom, &gbk] {
            let names = parse(bytes).unwrap();
            assert_eq!(names.of("24-0a-c4-00-01-17"), Some("小明"));
            assert_eq!(names.of("240ac4000117"), Some("小明"));
            assert_eq!(names.of("２４：0A：C4：00：01：17"), Some("小明"));
            assert_eq!(names.of("192.168.0.9"), Some("Li, Hua"));
            assert_eq!(names.of("/dev/ttyUSB0"), None);
        }
    }

    #[test]
    fn a_line_without_a_name_is_an_error_with_its_line() {
        let line = |bytes: &[u8]| match parse(bytes) {
            Err(
                Error::Row { line, .. } | Error::LongName { line, .. } | Error::Twice { line, .. },
            ) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line(b"a,b\nonly\n"), 2);
        assert_eq!(line(b"a,b\n\n,c\n"), 3);
        assert_eq!(line(b"24:0a:c4:00:01:17,b\n24-0A-C4-00-01-17,c\n"), 2);
        assert_eq!(line(format!("a,{}", "x".repeat(65)).as_bytes()), 1);
        assert!(matches!(parse(b"a,\xff\xff"), Err(Error::Encoding { .. })));
    }
}
