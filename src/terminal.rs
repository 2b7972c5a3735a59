//! The user's terminal: keys as bytes ([`keys`]), and what of a board's output may reach it: text, colours and cursor moves within the line and the screen, and
//! nothing that could type for the user, rename the window or reach the clipboard.

pub mod keys;

use std::fmt::Write as _;

use crate::payload::escape;

/// The longest control sequence that is looked at; a longer one is no colour and no cursor move.
const MAX_SEQUENCE: usize = 32;

/// Final bytes of the control sequences that pass: cursor moves (A-H, d, f), erasing (J, K, X), inserting and deleting
/// (@, P, L, M), scrolling (S, T), colours (m).
const FINALS: &[u8] = b"ABCDEFGHJKLMPSTX@dfm";

/// Lets text through to a terminal, in pieces as they come.
#[derive(Debug, Default)]
pub struct Filter {
    /// The beginning of a sequence or of a character whose rest has not come yet.
    held: Vec<u8>,
}

impl Filter {
    /// Appends to `out` what of `bytes` a terminal may see, the rest escaped.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        while let Some((&first, behind)) = rest.split_first() {
            let used = match first {
                b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0x08 | 0x07 => {
                    out.push(first);
                    1
                }
                0x1b => match sequence(rest) {
                    Sequence::Passes(len) => {
                        out.extend_from_slice(rest.get(..len).unwrap_or_default());
                        len
                    }
                    Sequence::Stays => {
                        show(first, out);
                        1
                    }
                    Sequence::Unfinished => break,
                },
                0x80.. => match character(rest) {
                    Character::Whole(character) => {
                        if character.is_control() || escape::reorders_or_hides(character) {
                            out.extend(character.escape_unicode().to_string().bytes());
                        } else {
                            let mut utf8 = [0; 4];
                            out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                        }
                        character.len_utf8()
                    }
                    Character::Broken => {
                        show(first, out);
                        1
                    }
                    Character::Unfinished => break,
                },
                _ => {
                    show(first, out);
                    1
                }
            };
            rest = rest.get(used..).unwrap_or(behind);
        }
        self.held = rest.to_vec();
    }

    /// Nothing more comes: what was held back is shown.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        for byte in std::mem::take(&mut self.held) {
            show(byte, out);
        }
    }
}

/// A byte that a terminal must not act on, as `\xNN`.
fn show(byte: u8, out: &mut Vec<u8>) {
    if (b' '..=b'~').contains(&byte) {
        out.push(byte);
    } else {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
        out.extend(text.bytes());
    }
}

enum Sequence {
    Passes(usize),
    Stays,
    Unfinished,
}

/// `ESC [`, parameters, a final byte; of the private ones only showing and hiding the cursor.
fn sequence(bytes: &[u8]) -> Sequence {
    match bytes.get(1) {
        None => return Sequence::Unfinished,
        Some(b'[') => {}
        Some(_) => return Sequence::Stays,
    }
    let parameters = bytes.get(2..).unwrap_or_default();
    let len = parameters
        .iter()
        .take_while(|byte| (0x20..=0x3f).contains(*byte))
        .count();
    if len > MAX_SEQUENCE {
        return Sequence::Stays;
    }
    let Some(last) = parameters.get(len) else {
        return Sequence::Unfinished;
    };
    let text = parameters.get(..len).unwrap_or_default();
    let is_plain = text
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b';');
    let is_cursor = text == b"?25" && matches!(last, b'h' | b'l');
    if (is_plain && FINALS.contains(last)) || is_cursor {
        Sequence::Passes(len + 3)
    } else {
        Sequence::Stays
    }
}

enum Character {
    Whole(char),
    Broken,
    Unfinished,
}

/// The character that a UTF-8 sequence begins with.
fn character(bytes: &[u8]) -> Character {
    let head = bytes.get(..4).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default())
                .unwrap_or_default()
        }
        Err(error) if error.error_len().is_none() => return Character::Unfinished,
        Err(_) => return Character::Broken,
    };
    valid
        .chars()
        .next()
        .map_or(Character::Broken, Character::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passed(bytes: &[u8]) -> String {
        let mut filter = Filter::default();
        let mut out = Vec::new();
        filter.pass(bytes, &mut out);
        filter.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_colours_and_cursor_moves_pass() {
        for text in [
            "你好\r\n",
            "\x1b[31mred\x1b[0m",
            "\x1b[2K\x1b[10;4H",
            "a\x08 \x08",
            "\x1b[?25l",
        ] {
            assert_eq!(passed(text.as_bytes()), text);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(passed(b"\x1b]0;title\x07"), "\\x1b]0;title\x07");
        assert_eq!(passed(b"\x1b[6n"), "\\x1b[6n");
        assert_eq!(passed(b"\x1b[?1049h"), "\\x1b[?1049h");
        assert_eq!(passed(b"\x1bP1$q\x1b\\"), "\\x1bP1$q\\x1b\\");
        assert_eq!(passed("\u{9b}31m".as_bytes()), "\\u{9b}31m");
        assert_eq!(passed("\u{202e}x".as_bytes()), "\\u{202e}x");
        assert_eq!(passed(b"\x00\xff"), "\\x00\\xff");
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(bytes in proptest::collection::vec(prop_oneof![Just(0x1bu8), Just(b'['), Just(b'm'), Just(0xe4), Just(0xbd), Just(0xa0), any::<u8>()], 0..40), cut in 0usize..40) {
            let cut = cut.min(bytes.len());
            let mut filter = Filter::default();
            let mut out = Vec::new();
            filter.pass(&bytes[..cut], &mut out);
            filter.pass(&bytes[cut..], &mut out);
            filter.end(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), passed(&bytes));
        }

        #[test]
        fn little_is_held_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut filter = Filter::default();
            filter.pass(&bytes, &mut Vec::new());
            prop_assert!(filter.held.len() <= MAX_SEQUENCE + 3);
        }
    }
}
