//! Python literals for the raw REPL: binary data takes 1.04 characters per byte, where base64 takes 1.33.
//!
//! MicroPython's raw REPL accepts every byte except 0x01 to 0x05, and its lexer accepts every byte in a literal except
//! line ends, the quote and the backslash; udpcli escapes these.

use crate::render::python::repr;

/// Appends `bytes` as a `b'..'` literal.
pub(crate) fn append_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'b');
    append_quoted(bytes, out);
}

/// Appends `text` as a `'..'` literal, in UTF-8.
pub(crate) fn append_str(text: &str, out: &mut Vec<u8>) {
    append_quoted(text.as_bytes(), out);
}

/// The literal for `bytes` in ASCII, for code that is built with `format!`. It is longer than that of [`append_bytes`].
#[must_use]
pub(crate) fn ascii_bytes(bytes: &[u8]) -> String {
    repr(bytes)
}

/// The literal for `text`, for code that is built with `format!`.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    append_str(text, &mut out);
    // Non-ASCII bytes are unchanged, so this is valid UTF-8.
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends the quotes and what is between them.
fn append_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    // Random bytes need 4 % more, which is 1/25.
    out.reserve(bytes.len() + bytes.len() / 16 + 2);
    out.push(b'\'');
    let mut rest = bytes;
    while let Some((&byte, behind)) = rest.split_first() {
        match byte {
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\'' => out.extend(b"\\'"),
            b'\\' => out.extend(b"\\\\"),
            0..=5 => {
                // An octal escape is the shortest, but would include a digit that follows.
                out.push(b'\\');
                if behind.first().is_some_and(u8::is_ascii_digit) {
                    out.extend(b"00");
                }
                out.push(b'0' + byte);
            }
            byte => out.push(byte),
        }
        rest = behind;
    }
    out.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn literal(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        append_bytes(bytes, &mut out);
        out
    }

    #[test]
    fn bytes_that_the_repl_or_the_lexer_interprets_are_escaped() {
        assert_eq!(
            literal(b"\x00\x01\x037\x05\n\r'\\a\xff"),
            b"b'\\0\\1\\0037\\5\\n\\r\\'\\\\a\xff'"
        );
        assert_eq!(quoted("it's 你好"), "'it\\'s 你好'");
    }

    #[test]
    fn random_bytes_cost_less_than_five_percent() {
        let bytes: Vec<u8> = (0..=255).cycle().take(25_600).collect();
        assert!(literal(&bytes).len() * 100 < bytes.len() * 105);
    }

    proptest! {
        #[test]
        fn a_literal_contains_no_control_character_of_the_repl(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(!literal(&bytes).iter().any(|byte| matches!(byte, 1..=5 | b'\r' | b'\n' | 0)));
        }
    }
}
