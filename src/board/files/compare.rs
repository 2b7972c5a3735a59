//! Finds out in one short call which files on the board differ from those on this PC.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{BoardPath, Files, WORK, nonsense};
use crate::board::error::Error;
use crate::board::literal;
use crate::board::operation::Doing;

/// What is at a path, as far as it matters before a file is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing, or a file that the board cannot read.
    Nothing,
    /// A folder.
    Folder,
    /// A file; its hash begins with these characters.
    File([u8; 9]),
}

/// Parses the answer to a comparison.
fn marks(answer: &[u8]) -> Option<Vec<Mark>> {
    let mut marks = Vec::new();
    let mut rest = answer;
    while let Some((kind, behind)) = rest.split_first() {
        rest = behind;
        marks.push(match kind {
            b'-' => Mark::Nothing,
            b'D' => Mark::Folder,
            b'F' => {
                // 12 characters of base64 are the 9 bytes.
                let (hash, behind) = rest.split_at_checked(12)?;
                rest = behind;
                Mark::File(STANDARD.decode(hash).ok()?.try_into().ok()?)
            }
            _ => return None,
        });
    }
    Some(marks)
}

impl Files<'_> {
    /// Like [`Self::look`], with a tenth of the bytes on the line: enough to tell which files differ.
    pub(super) fn compare(&mut self, paths: &[&BoardPath]) -> Result<Vec<Mark>, Error> {
        let doing = &Doing::ComparingFiles;
        let mut found = Vec::with_capacity(paths.len());
        for part in paths.chunks(64) {
            let mut limit = WORK;
            for path in part {
                limit = limit.max(self.hash_time(path)?);
            }
            let answer = self.call_slow(doing, &comparison(part), limit)?;
            let marks = marks(&answer).filter(|marks| marks.len() == part.len());
            found.extend(marks.ok_or_else(|| nonsense(doing, &answer))?);
        }
        Ok(found)
    }
}

/// `L(b'FOLDER/',b'NAME/NAME',..)`: the folder appears once for all consecutive names in it.
fn comparison(paths: &[&BoardPath]) -> Vec<u8> {
    let mut code = b"L(".to_vec();
    for group in paths.chunk_by(|one, next| one.folder() == next.folder()) {
        let names: Vec<&[u8]> = group.iter().map(|path| path.name()).collect();
        let folder = group.first().map(|path| path.folder()).unwrap_or_default();
        // `/` is not doubled.
        let slashed = folder.join(b"x");
        let slashed = slashed.as_bytes().strip_suffix(b"x").unwrap_or_default();
        for bytes in [slashed, &names.join(&b'/')] {
            literal::append_bytes(bytes, &mut code);
            code.push(b',');
        }
    }
    code.push(b')');
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_whole_or_refused() {
        assert_eq!(marks(b""), Some(Vec::new()));
        let begin = *b"ninebytes";
        let file = format!("F{}", STANDARD.encode(begin));
        assert_eq!(
            marks(format!("-D{file}D").as_bytes()),
            Some(vec![
                Mark::Nothing,
                Mark::Folder,
                Mark::File(begin),
                Mark::Folder
            ])
        );
        for bad in ["x", "F", "Fabc", &file[..12], "F!!!!!!!!!!!!"] {
            assert_eq!(marks(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_folder_is_named_once() {
        let paths = ["/a.py", "/lib", "/lib/x.py", "/lib/y.py", "/b.py"].map(BoardPath::from);
        let paths: Vec<&BoardPath> = paths.iter().collect();
        assert_eq!(
            comparison(&paths),
            b"L(b'/',b'a.py/lib',b'/lib/',b'x.py/y.py',b'/',b'b.py',)"
        );
    }
}
