//! Paths on the board. They are bytes: its file systems keep any name that a card reader, a camera or a program wrote.

use std::fmt;

use crate::text::reorders_or_hides;

/// A path on the board.
///
/// The text form of a path, also on the command line, has `\xNN` for a byte. All other characters stand for themselves;
/// a backslash that two hex digits would turn into an escape is written `\x5c`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BoardPath(Vec<u8>);

impl BoardPath {
    /// The root folder.
    #[must_use]
    pub(crate) fn root() -> Self {
        Self(b"/".to_vec())
    }

    /// The path as bytes.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the path is the root folder.
    #[must_use]
    pub(crate) fn is_root(&self) -> bool {
        self.0 == b"/"
    }

    /// The path of `name` in this folder; the folder itself if `name` is empty.
    #[must_use]
    pub(crate) fn join(&self, name: &[u8]) -> Self {
        let mut path = self.0.clone();
        if !name.is_empty() {
            if !path.ends_with(b"/") {
                path.push(b'/');
            }
            path.extend_from_slice(name);
        }
        Self(path)
    }

    /// The full path of `relative`, with this as the working directory: without `.`, `..` and empty parts.
    #[must_use]
    pub(crate) fn resolve(&self, relative: &[u8]) -> Self {
        let base: &[u8] = if relative.starts_with(b"/") {
            b""
        } else {
            &self.0
        };
        let mut kept: Vec<&[u8]> = Vec::new();
        let both = parts(base).chain(parts(relative));
        for part in both {
            match part {
                b"" | b"." => {}
                b".." => {
                    // `..` above the root stays at the root, as on the board.
                    kept.pop();
                }
                part => kept.push(part),
            }
        }
        let mut path = vec![b'/'];
        path.extend(kept.join(&b'/'));
        Self(path)
    }

    /// The last part; empty for the root folder.
    #[must_use]
    pub(crate) fn name(&self) -> &[u8] {
        parts(&self.0).next_back().unwrap_or_default()
    }

    /// The folder that contains it.
    #[must_use]
    pub(crate) fn folder(&self) -> Self {
        let len = self.0.len() - self.name().len();
        match self.0.get(..len).unwrap_or_default() {
            b"" | b"/" => Self::root(),
            folder => Self(folder.strip_suffix(b"/").unwrap_or(folder).to_vec()),
        }
    }

    /// The part of the path below `folder`; `None` if it is not in that folder.
    #[must_use]
    pub(crate) fn below(&self, folder: &Self) -> Option<&[u8]> {
        let rest = self.0.strip_prefix(folder.0.as_slice())?;
        if folder.is_root() {
            return Some(rest);
        }
        // The slash matters: `/lib2` is not below `/lib`.
        match rest {
            b"" => Some(rest),
            rest => rest.strip_prefix(b"/"),
        }
    }
}

/// The parts between slashes.
fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}

impl<T: AsRef<[u8]> + ?Sized> From<&T> for BoardPath {
    fn from(bytes: &T) -> Self {
        Self(bytes.as_ref().to_vec())
    }
}

impl AsRef<[u8]> for BoardPath {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for BoardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl fmt::Display for BoardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0).fmt(f)
    }
}

/// Displays the bytes of a path or name as text for people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        append_text(self.0, true, f)
    }
}

/// Displays the bytes of a path or name as text for programs: like [`Shown`], but invisible characters stay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MachineText<'a>(pub &'a [u8]);

impl fmt::Display for MachineText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        append_text(self.0, false, f)
    }
}

/// Writes the text form, from which [`unescape`] makes the same bytes again. `for_people` also escapes characters
/// that would hide or reorder text on a terminal.
fn append_text(bytes: &[u8], for_people: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = bytes;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let len = character.len_utf8();
            let (bytes, behind) = rest.split_at_checked(len).unwrap_or((rest, b""));
            let is_hidden = for_people && (character.is_control() || reorders_or_hides(character));
            // Escape a backslash only if it would be read back as an escape: most names with one stay readable.
            if is_hidden || (character == '\\' && escape_value(rest).is_some()) {
                append_escapes(bytes, f)?;
            } else {
                fmt::Write::write_char(f, character)?;
            }
            rest = behind;
        }
        append_escapes(chunk.invalid(), f)?;
        rest = rest.get(chunk.invalid().len()..).unwrap_or_default();
    }
    Ok(())
}

/// Writes each byte as `\xNN`.
fn append_escapes(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

/// Converts text from the command line to bytes: `\xNN` with two hex digits is one byte, all other text stays.
#[must_use]
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        match escape_value(rest) {
            Some(value) => {
                bytes.push(value);
                rest = rest.get(4..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    bytes
}

/// The byte of the `\xNN` at the start of `text`; `None` without an escape.
#[must_use]
pub(crate) fn escape_value(text: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(b"\\x")?.get(..2)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A displayed path with slashes in place of backslashes; `None` if every backslash begins an escape.
#[must_use]
pub(crate) fn with_slashes(shown: &str) -> Option<String> {
    let is_plain =
        |at: usize| escape_value(shown.as_bytes().get(at..).unwrap_or_default()).is_none();
    let is_there = shown.match_indices('\\').any(|(at, _)| is_plain(at));
    is_there.then(|| {
        shown
            .char_indices()
            .map(|(at, character)| match character {
                '\\' if is_plain(at) => '/',
                character => character,
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_two_hex_digits_make_an_escape() {
        for (text, bytes) in [
            (r"Fr\x81hst.wav", b"Fr\x81hst.wav".as_slice()),
            (r"\x5cx41", br"\x41"),
            (r"\back", br"\back"),
            (r"a\xg1\x1", br"a\xg1\x1"),
            (r"\\x41", br"\A"),
            ("你好", "你好".as_bytes()),
        ] {
            assert_eq!(unescape(text.as_bytes()), bytes, "{text}");
        }
    }

    #[test]
    fn invalid_text_and_invisible_characters_are_escaped() {
        for (bytes, text) in [
            (b"/Fr\x81hst.wav".as_slice(), r"/Fr\x81hst.wav"),
            (br"/deep/\back", r"/deep/\back"),
            (br"/\x41", r"/\x5cx41"),
            (b"/a\x1b[31m\n", r"/a\x1b[31m\x0a"),
            ("/\u{202e}你".as_bytes(), r"/\xe2\x80\xae你"),
        ] {
            assert_eq!(BoardPath::from(bytes).to_string(), text);
        }
    }

    #[test]
    fn a_path_is_resolved_from_the_working_directory() {
        for (cwd, path, resolved) in [
            ("/", "", "/"),
            ("/", "main.py", "/main.py"),
            ("/flash", "main.py", "/flash/main.py"),
            ("/flash", "", "/flash"),
            ("/flash", "/main.py", "/main.py"),
            ("/flash", "..", "/"),
            ("/flash", "lib/../a b.py", "/flash/a b.py"),
            ("/", "../../x", "/x"),
            ("/flash", "//lib//", "/lib"),
        ] {
            let resolved_to = BoardPath::from(cwd).resolve(path.as_bytes());
            assert_eq!(resolved_to.to_string(), resolved, "{path} in {cwd}");
        }
    }

    #[test]
    fn a_path_has_a_name_and_a_folder() {
        let path = BoardPath::from("/lib/a.py");
        assert_eq!(path.name(), b"a.py");
        assert_eq!(path.folder(), BoardPath::from("/lib"));
        assert_eq!(BoardPath::from("/a").folder(), BoardPath::root());
        assert_eq!(path.below(&BoardPath::from("/lib")), Some(&b"a.py"[..]));
        assert_eq!(path.below(&BoardPath::root()), Some(&b"lib/a.py"[..]));
        assert_eq!(path.below(&BoardPath::from("/li")), None);
        assert_eq!(path.below(&path), Some(&b""[..]));
        assert_eq!(BoardPath::root().join(b"x"), BoardPath::from("/x"));
    }

    proptest! {
        #[test]
        fn displayed_paths_are_parsed_to_the_same_bytes(bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(b'\\'), Just(b'x'), Just(b'8'), Just(b'f')], 0..40,
        )) {
            let shown = Shown(&bytes).to_string();
            prop_assert!(!shown.chars().any(char::is_control));
            prop_assert_eq!(unescape(shown.as_bytes()), bytes.clone());
            prop_assert_eq!(unescape(MachineText(&bytes).to_string().as_bytes()), bytes);
        }
    }
}
