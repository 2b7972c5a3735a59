//! No byte from outside makes a terminal do something.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::emulator::Emulator;

/// The number of inputs per run; `PROPTEST_CASES` raises it.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(300)
}

/// Bytes as an attacker would choose them: pieces of control sequences, controls of both kinds, marks that reorder or
/// hide, broken UTF-8, and anything.
fn inputs() -> Vec<Vec<u8>> {
    let pieces: Vec<Vec<u8>> = [
        &b"\x1b"[..],
        b"\x1b[",
        b"\x1b]",
        b"\x1bP",
        b"\x1b[?",
        b"[",
        b"]0;",
        b"m",
        b"2J",
        b"H",
        b"6n",
        b"31m",
        b"1049h",
        b"?25l",
        b"\x07",
        b"\x08",
        b"\r",
        b"\n",
        b"\r\n",
        b"\t",
        b"\x7f",
        b"\0",
        b"\x9b",
        b"\xff",
        b"\xc2",
        b"\xe2\x80",
        "\u{9b}".as_bytes(),
        "\u{9d}".as_bytes(),
        "\u{85}".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{2066}".as_bytes(),
        "\u{200b}".as_bytes(),
        "\u{2028}".as_bytes(),
        "\u{feff}".as_bytes(),
        "\u{e0041}".as_bytes(),
        "\u{fe0f}".as_bytes(),
        "你".as_bytes(),
        b"a",
        b"{\"",
        b"\\",
        b"\x18",
        b"\x1a",
        b"\x0e",
        b"\x0b",
        b"\x0c",
    ]
    .iter()
    .map(|piece| piece.to_vec())
    .collect();
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
        1 => any::<char>().prop_map(|char| char.to_string().into_bytes()),
    ];
    let input = proptest::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat());
    let mut runner = TestRunner::new(ProptestConfig::default());
    (0..cases())
        .map(|_| input.new_tree(&mut runner).unwrap().current())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// The control sequences that a terminal may receive.
#[derive(Clone, Copy, PartialEq)]
enum May {
    /// Colours.
    Lines,
    /// Also sequences that move, show or hide the cursor, and that erase.
    Program,
}

/// Fails at the first sequence that is not allowed.
#[track_caller]
fn check(bytes: &[u8], may: May) {
    let text = std::str::from_utf8(bytes).expect("a terminal gets text");
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let context = || rest.chars().take(40).collect::<String>();
        let mut len = character.len_utf8();
        match character {
            '\n' | '\t' => {}
            '\r' if rest.starts_with("\r\n") => {}
            '\r' | '\u{8}' if may == May::Program => {}
            '\u{1b}' => {
                let sequence = rest
                    .strip_prefix("\u{1b}[")
                    .unwrap_or_else(|| panic!("{:?}", context()));
                let end = sequence
                    .find(|char: char| !matches!(char, '0'..='9' | ';' | '?'))
                    .expect("a whole sequence");
                let (parameters, last) =
                    (&sequence[..end], sequence[end..].chars().next().unwrap());
                let is_color = last == 'm' && !parameters.contains('?');
                let moves = "ABCDEFGHJKLMPSTX@df".contains(last) && !parameters.contains('?');
                // The cursor, and output that is shown at once (DEC private mode 2026).
                let is_mode = matches!(parameters, "?25" | "?2026") && matches!(last, 'h' | 'l');
                assert!(
                    is_color || may == May::Program && (moves || is_mode),
                    "{:?}",
                    context()
                );
                len = 2 + end + last.len_utf8();
            }
            _ => assert!(!is_harmful(character), "{character:?} in {:?}", context()),
        }
        rest = &rest[len..];
    }
}

/// A separate list, so that the test does not use the program's own list.
fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// The child's output for all inputs, by this order.
fn shown(order: &str) -> Vec<u8> {
    let mut terminal = Emulator::start(120, true);
    terminal.tell("log begin of it");
    for input in inputs() {
        terminal.tell(&format!("{order} {}", hex(&input)));
    }
    terminal.tell("end");
    let bytes = terminal.end();
    let begin = b"begin of it";
    let at = bytes
        .windows(begin.len())
        .position(|window| window == begin)
        .unwrap();
    bytes[at + begin.len()..].to_vec()
}

#[test]
fn no_format_and_no_message_lets_more_than_colours_through() {
    check(&shown("lines"), May::Lines);
}

#[test]
fn a_program_moves_the_cursor_and_erases_and_does_nothing_else() {
    check(&shown("program"), May::Program);
}

#[test]
fn names_and_texts_in_the_status_area_are_plain() {
    check(&shown("area"), May::Program);
}
