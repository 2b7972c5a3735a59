//! Escaping and unescaping: `send -e` reads the same escapes that `listen` writes.
//!
//! A datagram can contain anything, including terminal escape sequences, so its text is escaped before it is displayed:
//! control characters, bytes that are not valid text, and the backslash. On a terminal, characters that reorder or hide
//! text are escaped too (Unicode TR 36, section 3.3; the "Trojan Source" set).

use std::io::Write as _;

use crate::text::hex::digits;
use crate::text::reorders_or_hides;
use crate::text::sentence::{Sentence, sentence};

/// Why an escape is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A backslash before a letter that is not an escape.
    #[error("unknown escape \\{letter} at character {at}")]
    Unknown {
        /// The letter after the backslash.
        letter: char,
        /// The position in characters, from 1.
        at: usize,
    },
    /// The text ends inside an escape.
    #[error("the escape at character {at} is not finished")]
    Unfinished {
        /// The position in characters, from 1.
        at: usize,
    },
    /// `\0` before a digit: other languages would read an octal number.
    #[error(
        "\\0 before a digit at character {at} is ambiguous: write \\xNN (octal \\033 is \\x1b, NUL is \\x00)"
    )]
    Octal {
        /// The position in characters, from 1.
        at: usize,
    },
    /// `\x` or `\u{}` without valid hex digits.
    #[error("the escape at character {at} needs hex digits: \\xNN or \\u{{NNNN}}")]
    Digits {
        /// The position in characters, from 1.
        at: usize,
    },
}

impl From<&Error> for Sentence {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unknown { letter, at } => {
                sentence!("value.escape-unknown", letter = letter, at = at)
            }
            Error::Unfinished { at } => sentence!("value.escape-unfinished", at = at),
            Error::Octal { at } => sentence!("value.escape-octal", at = at),
            Error::Digits { at } => sentence!("value.escape-digits", at = at),
        }
    }
}

/// A piece of text with escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscapedPiece<'a> {
    /// Literal text.
    Text(&'a str),
    /// A character from an escape such as `\n` or `\u{NNNN}`, to be encoded like text.
    Char(char),
    /// A byte from an escape such as `\xNN`, not to be encoded.
    Byte(u8),
}

/// Parses `\n \r \t \0 \\ \xNN \u{NNNN}` in `text`. The iterator ends after the first error.
pub fn pieces(text: &str) -> impl Iterator<Item = Result<EscapedPiece<'_>, Error>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let plain = rest.find('\\').unwrap_or(rest.len());
        if plain > 0 {
            let (head, tail) = rest.split_at(plain);
            rest = tail;
            return Some(Ok(EscapedPiece::Text(head)));
        }
        // Counted from the start of the text, for the message of an error.
        let at = text
            .get(..text.len() - rest.len())
            .map_or(0, |before| before.chars().count())
            + 1;
        let result = escape(rest, at);
        rest = match &result {
            Ok((_, tail)) => tail,
            Err(_) => "",
        };
        Some(result.map(|(piece, _)| piece))
    })
}

/// Parses the escape at the start of `text`.
fn escape(text: &str, at: usize) -> Result<(EscapedPiece<'static>, &str), Error> {
    let mut chars = text.chars();
    chars.next();
    let letter = chars.next().ok_or(Error::Unfinished { at })?;
    let tail = chars.as_str();
    let byte = |byte| Ok((EscapedPiece::Byte(byte), tail));
    match letter {
        'n' => Ok((EscapedPiece::Char('\n'), tail)),
        'r' => Ok((EscapedPiece::Char('\r'), tail)),
        't' => Ok((EscapedPiece::Char('\t'), tail)),
        // In C, Python and the shell this is octal: \033 is the escape character, not NUL and two digits.
        '0' if tail.starts_with(|next: char| next.is_ascii_digit()) => Err(Error::Octal { at }),
        '0' => byte(0),
        '\\' => Ok((EscapedPiece::Char('\\'), tail)),
        'x' => {
            let digits = tail.get(..2).ok_or(Error::Digits { at })?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(Error::Digits { at });
            }
            let value = u8::from_str_radix(digits, 16).map_err(|_| Error::Digits { at })?;
            Ok((EscapedPiece::Byte(value), tail.get(2..).unwrap_or_default()))
        }
        'u' => {
            let body = tail.strip_prefix('{').ok_or(Error::Digits { at })?;
            let (digits, after) = body.split_once('}').ok_or(Error::Unfinished { at })?;
            if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(Error::Digits { at });
            }
            let value = u32::from_str_radix(digits, 16).map_err(|_| Error::Digits { at })?;
            Ok((
                EscapedPiece::Char(char::from_u32(value).ok_or(Error::Digits { at })?),
                after,
            ))
        }
        letter => Err(Error::Unknown { letter, at }),
    }
}

/// Who reads the output; decides how much is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A pipe or a file: escape control characters and invalid bytes.
    Pipe,
    /// A terminal: also escape characters that reorder or hide text.
    Terminal,
}

/// The length of the prefix that needs no escaping: printable ASCII except the backslash.
#[must_use]
pub(crate) fn plain_prefix(bytes: &[u8]) -> usize {
    const LANES: usize = 32;
    let is_plain = |byte: u8| matches!(byte, 0x20..=0x5b | 0x5d..=0x7e);
    let mut clean = 0;
    for chunk in bytes.chunks_exact(LANES) {
        // No early exit within a chunk, so that the compiler can vectorise the loop.
        if !chunk.iter().fold(true, |all, &byte| all & is_plain(byte)) {
            break;
        }
        clean += LANES;
    }
    clean
        + bytes
            .get(clean..)
            .unwrap_or_default()
            .iter()
            .take_while(|&&byte| is_plain(byte))
            .count()
}

/// Appends `text` escaped for `audience`.
pub(crate) fn append_text(text: &str, audience: Audience, out: &mut Vec<u8>) {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = plain_prefix(rest.as_bytes());
        let (head, tail) = rest.split_at(plain);
        out.extend_from_slice(head.as_bytes());
        let mut chars = tail.chars();
        // Handle the character after the plain prefix; non-ASCII text takes this path for every character.
        if let Some(character) = chars.next() {
            if character == '\0'
                && chars
                    .as_str()
                    .starts_with(|next: char| next.is_ascii_digit())
            {
                // \0 before a digit would look like an octal number.
                append_hex_escape(0, out);
            } else {
                append_char(character, audience, out);
            }
        }
        rest = chars.as_str();
    }
}

/// Appends invalid bytes, each as `\xNN`.
pub(crate) fn append_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        append_hex_escape(byte, out);
    }
}

/// Appends `\xNN`.
fn append_hex_escape(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(br"\x");
    out.extend_from_slice(&digits(byte));
}

/// Appends a character, escaped where `audience` needs it.
fn append_char(character: char, audience: Audience, out: &mut Vec<u8>) {
    match character {
        '\n' => out.extend_from_slice(br"\n"),
        '\r' => out.extend_from_slice(br"\r"),
        '\t' => out.extend_from_slice(br"\t"),
        '\0' => out.extend_from_slice(br"\0"),
        '\\' => out.extend_from_slice(br"\\"),
        '\x01'..='\x1f' | '\x7f' => append_hex_escape(character as u8, out),
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => append_code(character, out),
        _ if audience == Audience::Terminal && reorders_or_hides(character) => {
            append_code(character, out);
        }
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Appends `\u{NNNN}`.
fn append_code(character: char, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
}

/// The first 64 bytes of a payload, escaped, for a trace line.
#[must_use]
pub(crate) fn excerpt(payload: &[u8]) -> String {
    const SHOWN: usize = 64;
    let shown = payload.get(..SHOWN).unwrap_or(payload);
    let mut out = Vec::with_capacity(shown.len() + 8);
    for chunk in shown.utf8_chunks() {
        append_text(chunk.valid(), Audience::Terminal, &mut out);
        append_bytes(chunk.invalid(), &mut out);
    }
    if payload.len() > SHOWN {
        out.extend_from_slice(b"..");
    }
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        for piece in pieces(text) {
            match piece? {
                EscapedPiece::Text(text) => out.extend_from_slice(text.as_bytes()),
                EscapedPiece::Char(character) => {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                EscapedPiece::Byte(byte) => out.push(byte),
            }
        }
        Ok(out)
    }

    fn write(bytes: &[u8], audience: Audience) -> String {
        let mut out = Vec::new();
        for chunk in bytes.utf8_chunks() {
            append_text(chunk.valid(), audience, &mut out);
            append_bytes(chunk.invalid(), &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_escape_of_the_contract_is_read() {
        assert_eq!(
            read(r"a\n\r\t\0\\\x7f\xFFz").unwrap(),
            b"a\n\r\t\0\\\x7f\xffz"
        );
        assert_eq!(read(r"\u{4f60}").unwrap(), "你".as_bytes());
    }

    #[test]
    fn a_bad_escape_says_where() {
        assert_eq!(
            read(r"你\q").unwrap_err(),
            Error::Unknown { letter: 'q', at: 2 }
        );
        assert_eq!(read(r"ab\").unwrap_err(), Error::Unfinished { at: 3 });
        for text in [
            r"\x",
            r"\x1",
            r"\xg0",
            r"\x+1",
            r"\x你",
            r"\u12",
            r"\u{}",
            r"\u{d800}",
            r"\u{+41}",
        ] {
            assert_eq!(read(text).unwrap_err(), Error::Digits { at: 1 }, "{text}");
        }
        assert_eq!(read(r"\u{12").unwrap_err(), Error::Unfinished { at: 1 });
        assert_eq!(read(r"a\033[0m").unwrap_err(), Error::Octal { at: 2 });
        assert_eq!(read(r"\0a\0").unwrap(), b"\0a\0");
        // Other programs would read `\05` as one octal number.
        assert_eq!(write(b"\x005\0a", Audience::Pipe), r"\x005\0a");
    }

    #[test]
    fn a_terminal_never_sees_control_or_bidi_characters() {
        let hostile = "\x1b[31m\u{202e}gnp.exe\u{200b}\u{9b}2J\u{7f}\r\n";
        assert_eq!(
            write(hostile.as_bytes(), Audience::Terminal),
            r"\x1b[31m\u{202e}gnp.exe\u{200b}\u{9b}2J\x7f\r\n"
        );
        assert_eq!(write("\u{202e}你".as_bytes(), Audience::Pipe), "\u{202e}你");
        // A surrogate, which UTF-8 does not have (RFC 3629, section 3).
        assert_eq!(write(b"\xed\xa0\x80", Audience::Terminal), r"\xed\xa0\x80");
    }

    proptest! {
        #[test]
        fn what_listen_writes_send_reads(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for audience in [Audience::Pipe, Audience::Terminal] {
                prop_assert_eq!(read(&write(&bytes, audience)).unwrap(), bytes.clone());
            }
        }

        #[test]
        fn text_round_trips(text in "\\PC*[\\x00-\\x20\\u{202a}-\\u{202e}\\\\]*\\PC*") {
            for audience in [Audience::Pipe, Audience::Terminal] {
                let written = write(text.as_bytes(), audience);
                prop_assert!(!written.chars().any(char::is_control));
                prop_assert_eq!(read(&written).unwrap(), text.as_bytes());
            }
        }

        #[test]
        fn the_plain_prefix_is_where_the_first_special_byte_stands(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let slow = bytes.iter().take_while(|&&b| (0x20..0x7f).contains(&b) && b != b'\\').count();
            prop_assert_eq!(plain_prefix(&bytes), slow);
        }
    }
}
