//! A program's text: whether it is Python source, and in which form a board's prompt accepts it.

/// What a file that should be a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// Python source, as far as its bytes tell.
    Source,
    /// What `mpy-cross` makes: `M` and a version number.
    Compiled,
    /// Text in 16-bit units.
    Utf16,
    /// Text in GBK.
    Gbk,
    /// No text.
    Binary,
}

impl SourceKind {
    /// Tells by the content.
    #[must_use]
    pub(crate) fn of(file: &[u8]) -> Self {
        match file {
            // The versions of MicroPython 1.9 to 1.26 are 2 to 6; no program begins with M and a control character.
            [b'M', 0..=8, ..] => Self::Compiled,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Self::Utf16,
            _ if file.contains(&0) => Self::Binary,
            _ if std::str::from_utf8(file).is_ok() => Self::Source,
            // Windows' editors in China still save GBK, which no board decodes.
            _ if encoding_rs::GBK
                .decode_without_bom_handling_and_without_replacement(file)
                .is_some() =>
            {
                Self::Gbk
            }
            _ => Self::Source,
        }
    }
}

/// A file's bytes in the form that the board's prompt accepts: without an editor's byte-order mark, and with one LF at
/// each line end. Python accepts other line ends, too, but not every board's prompt passes them on unchanged.
#[must_use]
pub(crate) fn as_python(file: &[u8]) -> Vec<u8> {
    // Windows' Notepad writes a byte-order mark, which is not part of the program.
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    if !text.contains(&b'\r') {
        return text.to_vec();
    }
    let mut source = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        source.push(if byte == b'\r' { b'\n' } else { byte });
        rest = match (byte, behind) {
            (b'\r', [b'\n', behind @ ..]) => behind,
            _ => behind,
        };
    }
    source
}

/// How a program reads what the user types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputUse {
    /// The program reads nothing.
    None,
    /// The program calls `input()`.
    Readline,
    /// The program reads `sys.stdin`.
    Stdin,
    /// The program does both.
    Both,
}

/// How a program reads what the user types, as far as its text says.
#[must_use]
pub(crate) fn input_use(source: &[u8]) -> InputUse {
    match (mentions(source, b"input("), mentions(source, b"stdin")) {
        (false, false) => InputUse::None,
        (true, false) => InputUse::Readline,
        (false, true) => InputUse::Stdin,
        (true, true) => InputUse::Both,
    }
}

/// Whether a name occurs outside comments, and not as the end of another name.
fn mentions(source: &[u8], name: &[u8]) -> bool {
    memchr::memmem::find_iter(source, name).any(|at| {
        let line = source.get(..at).unwrap_or_default();
        let start = memchr::memrchr(b'\n', line).map_or(0, |end| end + 1);
        let before = line.get(start..).unwrap_or_default();
        let is_of_a_name = before.last().is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || *byte == b'_' || (*byte == b'.' && name != b"stdin")
        });
        !is_of_a_name && !before.contains(&b'#')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_how_it_reads() {
        for (source, usage) in [
            ("name = input('name? ')", InputUse::Readline),
            ("import sys\nsys.stdin.readline()", InputUse::Stdin),
            ("from sys import stdin\ninput()", InputUse::Both),
            (
                "take_input(1) # not input()\n# stdin\nx.input()",
                InputUse::None,
            ),
        ] {
            assert_eq!(input_use(source.as_bytes()), usage, "{source}");
        }
    }
}
