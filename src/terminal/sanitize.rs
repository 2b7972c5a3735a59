//! Between untrusted text and the terminal: what may pass, and how the rest is shown.
//!
//! - [`for_terminal`] is for messages to people that quote something from outside.
//! - [`on_terminal`] is for data that programs read and that a terminal happens to show.
//! - [`Filter`] is the last stop of everything on its way to a terminal. It lets text through, but only the control
//!   sequences that [`Allowed`] names: none that could type for the user, rename the window or reach the clipboard.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::text::reorders_or_hides;

/// The longest control sequence to examine; a longer one is neither a colour nor a cursor move.
const MAX_SEQUENCE: usize = 32;

/// Final bytes of the control sequences that pass: cursor moves (A-H, d, f), erasing (J, K, X), inserting and deleting
/// (@, P, L, M), scrolling (S, T), colours (m).
const FINALS: &[u8] = b"ABCDEFGHJKLMPSTX@dfm";

/// Which control sequences pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Colours, line ends and tabs: what udpcli itself writes in lines.
    Colors,
    /// For output of a program on the board: also cursor moves, erasing, the carriage return and backspace.
    Program,
}

/// Lets text through to a terminal, in pieces as they come.
#[derive(Debug)]
pub struct Filter {
    allowed: Allowed,
    /// The beginning of a sequence or of a character whose rest has not come yet.
    held: Vec<u8>,
}

impl Filter {
    /// A filter that passes the sequences in `allowed`.
    #[must_use]
    pub fn new(allowed: Allowed) -> Self {
        Self {
            allowed,
            held: Vec::new(),
        }
    }

    /// Appends `bytes` to `out`, and escapes what a terminal must not act on.
    pub fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        // A sequence may be split between two writes. If the filter passed on both halves separately, the second half
        // would be text, or another sequence.
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        while let Some((&first, behind)) = rest.split_first() {
            let used = match first {
                b' '..=b'~' | b'\n' | b'\t' => {
                    out.push(first);
                    1
                }
                b'\r' | 0x08 if self.allowed == Allowed::Program => {
                    out.push(first);
                    1
                }
                // A line end of two bytes; alone, it would let the end of a line hide its beginning.
                b'\r' => match rest.get(1) {
                    Some(b'\n') => {
                        out.extend_from_slice(b"\r\n");
                        2
                    }
                    Some(_) => {
                        show(first, out);
                        1
                    }
                    None => break,
                },
                0x1b => match sequence(rest, self.allowed) {
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
                        if acts(character) {
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

    /// The input has ended: shows held-back bytes.
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
fn sequence(bytes: &[u8], allowed: Allowed) -> Sequence {
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
    let passes = match allowed {
        Allowed::Colors => is_plain && *last == b'm',
        Allowed::Program => (is_plain && FINALS.contains(last)) || is_cursor,
    };
    if passes {
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

/// Whether a terminal would act on a character, or show its neighbours otherwise because of it.
pub(crate) fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || reorders_or_hides(character)
}

/// Data for programs that a terminal shows: characters that a terminal would act on become `\uNNNN`, which is
/// equivalent within JSON, and bytes that are not text become `\xNN`. Line ends and tabs stay.
#[must_use]
pub(crate) fn on_terminal(data: &[u8]) -> Cow<'_, [u8]> {
    let acts = |character: char| !matches!(character, '\n' | '\t') && acts(character);
    if std::str::from_utf8(data).is_ok_and(|text| !text.contains(acts)) {
        return Cow::Borrowed(data);
    }
    let mut out = Vec::with_capacity(data.len() + 64);
    for chunk in data.utf8_chunks() {
        for character in chunk.valid().chars() {
            if acts(character) {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            } else {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
    Cow::Owned(out)
}

/// A message for a person that may quote outside text: no control character and nothing that reorders.
#[must_use]
pub(crate) fn for_terminal(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| !acts(character)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Text without control characters and control sequences: the visible text on one line.
#[must_use]
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(character) = chars.next() {
        if character == '\x1b' {
            // `ESC [`, parameters, a final character.
            let _ = chars.next();
            let _ = chars.by_ref().find(|c| ('\x40'..='\x7e').contains(c));
        } else if character == '\t' {
            plain.push(' ');
        } else if !acts(character) {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passed(bytes: &[u8]) -> String {
        let mut filter = Filter::new(Allowed::Program);
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
    fn lines_of_ours_have_colours_and_line_ends() {
        let passed = |pieces: &[&str]| {
            let mut filter = Filter::new(Allowed::Colors);
            let mut out = Vec::new();
            for piece in pieces {
                filter.pass(piece.as_bytes(), &mut out);
            }
            filter.end(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            passed(&["\x1b[2m你\x1b[0m\ta\r", "\nb\n"]),
            "\x1b[2m你\x1b[0m\ta\r\nb\n"
        );
        // After a CR alone, the text behind it would cover the text before it.
        assert_eq!(passed(&["safe\rhidden\r"]), "safe\\x0dhidden\\x0d");
        assert_eq!(
            passed(&["\x1b[2J\x08\x07\x1b[?25l"]),
            "\\x1b[2J\\x08\\x07\\x1b[?25l"
        );
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        // Would set the title of the window.
        assert_eq!(passed(b"\x1b]0;title\x07"), "\\x1b]0;title\\x07");
        // Would make the terminal type where its cursor is.
        assert_eq!(passed(b"\x1b[6n"), "\\x1b[6n");
        // Would change to the other screen.
        assert_eq!(passed(b"\x1b[?1049h"), "\\x1b[?1049h");
        // Would make the terminal type one of its settings.
        assert_eq!(passed(b"\x1bP1$q\x1b\\"), "\\x1bP1$q\\x1b\\");
        // `ESC [` as one character.
        assert_eq!(passed("\u{9b}31m".as_bytes()), "\\u{9b}31m");
        // Would turn the direction of the text behind it.
        assert_eq!(passed("\u{202e}x".as_bytes()), "\\u{202e}x");
        assert_eq!(passed(b"\x00\xff"), "\\x00\\xff");
    }

    #[test]
    fn data_on_a_terminal_says_the_same_and_does_nothing() {
        assert_eq!(
            on_terminal("{\"a\":\"你\"}\n".as_bytes()).as_ref(),
            "{\"a\":\"你\"}\n".as_bytes()
        );
        let hostile = "{\"name\":\"a\u{9b}31m\u{202e}\u{e0041}\"}\n";
        let shown = on_terminal(hostile.as_bytes()).into_owned();
        let shown = String::from_utf8(shown).unwrap();
        assert_eq!(shown, "{\"name\":\"a\\u009b31m\\u202e\\udb40\\udc41\"}\n");
        let (before, after): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(hostile).unwrap(),
            serde_json::from_str(&shown).unwrap(),
        );
        assert_eq!(before, after);
        assert_eq!(on_terminal(b"\x1b[2J\xff").as_ref(), b"\\u001b[2J\\xff");
    }

    proptest! {
        #[test]
        fn no_data_makes_a_terminal_act(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let shown = String::from_utf8(on_terminal(&data).into_owned()).unwrap();
            prop_assert!(shown.chars().all(|c| matches!(c, '\n' | '\t') || !(c.is_control() || reorders_or_hides(c))));
        }

        #[test]
        fn pieces_give_what_the_whole_gives(bytes in proptest::collection::vec(prop_oneof![Just(0x1bu8), Just(b'['), Just(b'm'), Just(0xe4), Just(0xbd), Just(0xa0), any::<u8>()], 0..40), cut in 0usize..40) {
            let cut = cut.min(bytes.len());
            let mut filter = Filter::new(Allowed::Program);
            let mut out = Vec::new();
            filter.pass(&bytes[..cut], &mut out);
            filter.pass(&bytes[cut..], &mut out);
            filter.end(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), passed(&bytes));
        }

        #[test]
        fn little_is_held_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut filter = Filter::new(Allowed::Program);
            filter.pass(&bytes, &mut Vec::new());
            prop_assert!(filter.held.len() <= MAX_SEQUENCE + 3);
        }
    }
}
