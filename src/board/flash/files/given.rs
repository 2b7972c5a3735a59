//! Parses the files on the command line: `FILE`, `FILE@OFFSET`, or `OFFSET FILE` as in esptool.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::text::fullwidth;
use crate::text::sentence::{Sentence, sentence};

/// A file and its offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The path of the file.
    pub(crate) path: PathBuf,
    /// Its offset in flash; `None` if the file's content determines it.
    pub(crate) offset: Option<u32>,
}

impl FromStr for Given {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        // A file or folder name may contain an @: it separates an offset only if a number follows.
        let split = text
            .rsplit_once(['@', '＠'])
            .map(|(path, tail)| (path, fullwidth::to_ascii(tail)));
        let split = split.filter(|(path, tail)| {
            !path.is_empty()
                && tail.starts_with(|c: char| c.is_ascii_digit())
                && tail.chars().all(|c| c.is_ascii_alphanumeric())
        });
        // The user means a file that really has such a name.
        let Some((path, tail)) = split.filter(|_| !Path::new(text).exists()) else {
            return Ok(Self {
                path: text.into(),
                offset: None,
            });
        };
        Ok(Self {
            path: path.into(),
            offset: Some(offset(&tail)?),
        })
    }
}

/// Parses an offset in flash: `0x1000` or `4096`.
pub(in super::super) fn offset(text: &str) -> Result<u32, Sentence> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match digits {
        // `from_str_radix` would accept a sign.
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number.ok_or_else(|| sentence!("value.offset", text = text))
}

/// Parses the files among `words`; a word may be the offset of the file after it.
///
/// # Errors
/// An offset without a file, or a file with two offsets: the problem, and what to type instead.
pub(crate) fn given(words: &[String]) -> Result<Vec<Given>, (Sentence, Sentence)> {
    let mut files = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(offset) = bare_offset(word) else {
            let hint = sentence!("value.offset.hint");
            files.push(word.parse::<Given>().map_err(|error| (error, hint))?);
            continue;
        };
        let pairs = sentence!("value.no-file-for-offset.hint", offset = word);
        let Some(file) = words.next().filter(|next| bare_offset(next).is_none()) else {
            return Err((sentence!("value.no-file-for-offset", offset = word), pairs));
        };
        let mut file: Given = file.parse().map_err(|error| (error, pairs))?;
        if file.offset.is_some() {
            return Err((
                sentence!("value.two-offsets", path = file.path.display()),
                sentence!("value.two-offsets.hint", offset = word),
            ));
        }
        file.offset = Some(offset);
        files.push(file);
    }
    Ok(files)
}

/// The offset in a word that is not the name of an existing file.
fn bare_offset(word: &str) -> Option<u32> {
    let is_number = word.starts_with("0x") || word.starts_with("0X");
    let is_number = is_number || word.bytes().all(|byte| byte.is_ascii_digit());
    offset(word)
        .ok()
        .filter(|_| is_number && !Path::new(word).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_is_an_offset_only_before_a_number() {
        let given = |text: &str| text.parse::<Given>().unwrap();
        assert_eq!(given("a.bin@0x1000").offset, Some(0x1000));
        assert_eq!(given("a.bin@4096").offset, Some(4096));
        assert_eq!(given("a.bin＠０ｘ１０００").offset, Some(0x1000));
        assert_eq!(given("我的＠固件.bin").offset, None);
        assert_eq!(given("me@home.bin").offset, None);
        assert_eq!(given("me@home.bin@0").path, Path::new("me@home.bin"));
        for path in [
            r"C:\Users\me@1home\fw.bin",
            "/home/me@1/fw.bin",
            "fw@2.bin",
            "@0x1000",
            "a.bin@",
            "a.bin@-1",
            "a.bin@+5",
        ] {
            assert_eq!(given(path).path, Path::new(path));
        }
        let windows = given(r"C:\Users\me@1home\fw.bin@0x1000");
        assert_eq!(windows.path, Path::new(r"C:\Users\me@1home\fw.bin"));
        assert_eq!(windows.offset, Some(0x1000));
        for wrong in ["0xyz", "0x", "0x100000000", "4294967296", "1k", "0x1000h"] {
            let error = format!("a.bin@{wrong}").parse::<Given>().unwrap_err();
            assert_eq!(error.id, "value.offset", "{error}");
        }
    }

    #[test]
    fn offsets_may_stand_before_their_files() {
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let files = given(&words).map_err(|(error, _)| error)?;
            let pair = |file: Given| (file.path.display().to_string(), file.offset);
            Ok::<_, Sentence>(files.into_iter().map(pair).collect::<Vec<_>>())
        };
        let file = |name: &str, offset| (name.to_owned(), offset);
        assert_eq!(
            parse(&[
                "0x1000",
                "fw.bin",
                "4194304",
                "f.xbf",
                "b.bin",
                "c.bin@0x9000"
            ]),
            Ok(vec![
                file("fw.bin", Some(0x1000)),
                file("f.xbf", Some(0x40_0000)),
                file("b.bin", None),
                file("c.bin", Some(0x9000)),
            ])
        );
        // A file name, not an offset.
        assert_eq!(parse(&["0x1000.bin"]), Ok(vec![file("0x1000.bin", None)]));
        for words in [
            &["fw.bin", "0x1000"][..],
            &["0x1000", "0x8000", "fw.bin"],
            &["0"],
            &["0x1000", "fw.bin@0x1000"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
