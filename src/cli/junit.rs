//! What reports in `JUnit` XML have in common.

/// Writes characters that XML 1.0 does not allow as `\u{..}`: control characters, which a board may send. The library
/// would delete most of them, and keep some.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.extend(character.escape_unicode()),
            character if character.is_control() => out.extend(character.escape_unicode()),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a<b>\r\n\x1b[1m你"), "a<b>\\u{d}\n\\u{1b}[1m你");
    }

    proptest! {
        #[test]
        fn no_character_that_xml_forbids_remains(text in any::<String>()) {
            let is_allowed = |c: char| "\n\t".contains(c) || (c >= ' ' && !['\u{fffe}', '\u{ffff}'].contains(&c));
            let all_allowed = printable(&text).chars().all(is_allowed);
            prop_assert!(all_allowed);
        }
    }
}
