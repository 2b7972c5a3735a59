//! Formats bytes as hex digits, and parses the forms that people paste: `de ad be ef`, `0xDE,0xAD`, `de:ad`,
//! `deadbeef`.

use crate::text::fullwidth::ascii_of;
use crate::text::sentence::{Sentence, sentence};

/// A lookup table: each byte as two digits.
#[expect(
    clippy::indexing_slicing,
    reason = "worked out by the compiler, which would refuse a place beyond the end"
)]
const DIGITS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};

/// A byte as two digits.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
pub(crate) fn digits(byte: u8) -> [u8; 2] {
    DIGITS[usize::from(byte)]
}

/// Why the hex digits are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A character that is neither a digit nor a separator.
    #[error("{found:?} at character {at} is not a hex digit")]
    NotHex {
        /// The character.
        found: char,
        /// The position in characters, from 1.
        at: usize,
    },
    /// A single digit: a byte needs two.
    #[error("the byte at character {at} has one digit: a byte takes two")]
    Half {
        /// The position in characters, from 1.
        at: usize,
    },
}

impl From<&Error> for Sentence {
    fn from(error: &Error) -> Self {
        match error {
            Error::NotHex { found, at } => {
                sentence!("value.hex-digit", found = format!("{found:?}"), at = at)
            }
            Error::Half { at } => sentence!("value.hex-half", at = at),
        }
    }
}

/// All bytes as hex digits, without separators.
#[must_use]
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|&byte| digits(byte))
        .map(char::from)
        .collect()
}

/// Decodes hex digits without separators; `None` if there is anything else.
#[must_use]
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(value(high)? * 16 + value(low)?).ok())
        .collect()
}

/// Parses hex digits. Spaces, commas, colons and `0x` may separate the bytes, and a Chinese input method may have typed
/// them.
///
/// # Errors
/// A character is not a hex digit, or a byte has only one digit.
pub fn parse(text: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high: Option<(u32, usize)> = None;
    let mut chars = text.chars().enumerate().peekable();
    while let Some((index, character)) = chars.next() {
        let at = index + 1;
        let found = character;
        let character = ascii_of(found);
        if let Some(digit) = character.to_digit(16) {
            if let Some((first, _)) = high.take() {
                // Two hex digits are at most 255.
                bytes.push(u8::try_from(first * 16 + digit).unwrap_or_default());
            } else if character == '0'
                && chars
                    .next_if(|&(_, next)| matches!(ascii_of(next), 'x' | 'X'))
                    .is_some()
            {
            } else {
                high = Some((digit, at));
            }
        } else if character.is_whitespace()
            || matches!(character, ',' | ':')
            || matches!(found, '“' | '”' | '‘' | '’')
        {
            if let Some((_, at)) = high {
                return Err(Error::Half { at });
            }
        } else {
            return Err(Error::NotHex { found, at });
        }
    }
    match high {
        Some((_, at)) => Err(Error::Half { at }),
        None => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_it_gives_the_same_bytes() {
        for text in [
            "de ad be ef",
            "DEADBEEF",
            "0xde,0xad,0xbe,0xef",
            "de:ad:be:ef",
            "0xdeadbeef",
            " de\tad\nbeef ",
            "ｄｅ，ＡＤ、ｂｅ：ｅｆ",
            "“０ｘｄｅ　ad　be　ef”",
        ] {
            assert_eq!(parse(text).unwrap(), [0xde, 0xad, 0xbe, 0xef], "{text}");
        }
        assert!(parse("").unwrap().is_empty());
        assert_eq!(parse("00 0x00").unwrap(), [0, 0]);
    }

    #[test]
    fn encoded_bytes_are_decoded_unchanged() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
        assert_eq!(decode("0A"), Some(vec![10]));
        for text in ["0", "0g", "+1", " 1", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn an_error_says_where() {
        assert_eq!(
            parse("de ag").unwrap_err(),
            Error::NotHex { found: 'g', at: 5 }
        );
        assert_eq!(parse("de a").unwrap_err(), Error::Half { at: 4 });
        assert_eq!(parse("d ea").unwrap_err(), Error::Half { at: 1 });
        assert_eq!(
            parse("de。ad").unwrap_err(),
            Error::NotHex {
                found: '。', at: 3
            }
        );
        assert_eq!(
            parse("a0x1").unwrap_err(),
            Error::NotHex { found: 'x', at: 3 }
        );
    }
}
