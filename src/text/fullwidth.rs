//! Full-width characters (Unicode Standard Annex #11): a Chinese input method types them in place of ASCII.
//!
//! Only values that consist of ASCII are read this way: addresses, numbers, durations. The text of a message keeps every
//! character.

use std::borrow::Cow;

/// The ASCII character for a full-width one; any other character unchanged.
#[must_use]
pub(crate) fn ascii_of(character: char) -> char {
    match character {
        // Halfwidth and Fullwidth Forms: ASCII in the same order.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or('?'),
        '\u{3000}' => ' ',
        '。' | '｡' => '.',
        '、' => ',',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        '【' => '[',
        '】' => ']',
        '—' | '–' | '−' => '-',
        other => other,
    }
}

/// Whether a Chinese input method typed this character in place of an ASCII one.
#[must_use]
pub(crate) fn is_fullwidth(character: char) -> bool {
    ascii_of(character) != character
}

/// The value in ASCII, without the Chinese quotation marks and the spaces around it. A value without full-width
/// characters stays as it is.
#[must_use]
pub(crate) fn to_ascii(value: &str) -> Cow<'_, str> {
    // Usually there is nothing to convert: then ASCII quotes and spaces stay, too.
    if !value.contains(is_fullwidth) {
        return Cow::Borrowed(value);
    }
    let ascii: String = value
        .trim()
        .trim_matches(['“', '”', '‘', '’', '＂', '＇'])
        .chars()
        .map(ascii_of)
        .collect();
    Cow::Owned(ascii.trim().to_owned())
}

/// The first character that no ASCII value has and that a Chinese input method types: full-width, or the punctuation of
/// Chinese text.
#[must_use]
pub(crate) fn first_typed(value: &str) -> Option<char> {
    value.chars().find(|&character| is_typed(character))
}

/// Whether a Chinese input method types this character, even if ASCII has no counterpart.
fn is_typed(character: char) -> bool {
    is_fullwidth(character)
        || matches!(character, '\u{3001}'..='\u{303f}' | '…' | '·' | '￥' | '\u{ff5f}'..='\u{ff65}')
}

/// The full-width character that made a value invalid. `problem` is the error text, which often quotes the invalid
/// part. None if the half-width character would be invalid, too.
#[must_use]
pub(crate) fn faulty(value: &str, problem: &str) -> Option<char> {
    let typed = || value.chars().filter(|&character| is_typed(character));
    // The part of the value that the refusal quotes is the likely place of the fault.
    let quoted = problem.split('"').nth(1);
    typed()
        .find(|&character| {
            let ascii = ascii_of(character);
            !ascii.is_ascii_alphanumeric() && quoted.is_some_and(|quoted| quoted.contains(ascii))
        })
        // Otherwise the first one whose ASCII counterpart no address, number or duration contains.
        .or_else(|| {
            typed().find(|&character| {
                let ascii = ascii_of(character);
                !ascii.is_ascii_alphanumeric() && !":.,/%@[]-_+\"' ".contains(ascii)
            })
        })
        // No value ends with such a mark: it belongs to a sentence.
        .or_else(|| {
            let last = value.chars().next_back();
            last.filter(|&last| is_typed(last) && ":.,".contains(ascii_of(last)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_chinese_input_method_types_becomes_ascii() {
        for (typed, meant) in [
            ("192.168.0.3：6000", "192.168.0.3:6000"),
            ("１９２。１６８．０｡３：６０００", "192.168.0.3:6000"),
            ("“192.168.0.3:6000”", "192.168.0.3:6000"),
            ("‘２ｓ’", "2s"),
            ("　５００ＭＳ　", "500MS"),
            ("【：：１】：６０００", "[::1]:6000"),
            ("1，64、512", "1,64,512"),
            ("239.1.2.3＠eth0", "239.1.2.3@eth0"),
            ("192.168.0.0／24", "192.168.0.0/24"),
            ("－１", "-1"),
            ("５％", "5%"),
        ] {
            assert_eq!(to_ascii(typed), meant, "{typed}");
        }
        for same in ["", " 2s ", "\"2s\"", "你好", "board.local:6000", "é"] {
            assert_eq!(to_ascii(same), same);
            assert_eq!(first_typed(same), None, "{same}");
        }
        assert_eq!(first_typed("1.2.3.4；6000"), Some('；'));
        assert_eq!(first_typed("《2s》"), Some('《'));
    }

    #[test]
    fn of_several_full_width_characters_the_faulty_one_is_named() {
        for (value, problem, named) in [
            ("127.0.0.1：6000；", r#""6000;" is not a port"#, Some('；')),
            ("６０００，", r#""6000," is not a port"#, Some('，')),
            (
                "《127.0.0.1》：6000",
                "《127.0.0.1》 is not a name",
                Some('《'),
            ),
            ("127.0.0.1：99999", r#""99999" is not a port"#, None),
            ("２ｓ。", "not a duration", Some('。')),
            ("127。0。0。300：６０００", "not an IPv4 address", None),
        ] {
            assert_eq!(faulty(value, problem), named, "{value}");
        }
    }

    proptest! {
        #[test]
        fn ascii_never_changes(value in "[\\x00-\\x7f]{0,12}") {
            prop_assert!(matches!(to_ascii(&value), Cow::Borrowed(same) if same == value));
        }

        #[test]
        fn no_full_width_character_is_left(value in "\\PC{0,12}") {
            prop_assert!(!to_ascii(&value).contains(is_fullwidth));
        }
    }
}
