//! Patterns that a datagram may match: the whole text, a regular expression (`re:`), or bytes with gaps (`hex:`).

use crate::text::encoding::{self, TextEncoding};
use crate::text::expression::{Expression, ExpressionBudget, ExpressionError, Refusal};
use crate::text::fullwidth::ascii_of;
use crate::text::sentence::{Sentence, sentence};
use crate::text::{escape, hex, template};

/// The maximum number of patterns in one table of replies.
pub(crate) const MAX_RULES: usize = 20_000;

/// The maximum number of regular expressions in one table of replies, because each takes time and memory to compile.
pub(crate) const MAX_EXPRESSIONS: usize = 1000;

/// The maximum length of a pattern with gaps, in bytes. A search compares every byte of a payload with every byte of the
/// pattern, so a longer one would be slow.
const MAX_GAPPED: usize = 1024;

/// The maximum length of the text of a pattern.
const MAX_LEN: usize = 65_535 * 3;

/// Why a pattern is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is")]
pub enum Error {
    #[error("regular expression: {0}")]
    Regex(ExpressionError),
    #[error("the regular expression is too large: it may have fewer repetitions")]
    RegexTooLarge,
    #[error("the regular expressions are too large together")]
    TooLargeTogether,
    #[error(transparent)]
    Hex(#[from] hex::Error),
    #[error("a ? alone at character {at}: ?? stands for one byte")]
    HalfByte { at: usize },
    #[error("a hex pattern with * has at most {MAX_GAPPED} bytes")]
    TooLongWithGaps,
    #[error(transparent)]
    Escape(#[from] escape::Error),
    #[error(transparent)]
    Encode(#[from] encoding::Error),
    #[error("it is too long for a datagram")]
    TooLong,
}

impl From<&Error> for Sentence {
    fn from(error: &Error) -> Self {
        match error {
            Error::Regex(error) => error.into(),
            Error::RegexTooLarge => sentence!("messages.regex-too-large"),
            Error::TooLargeTogether => sentence!(
                "messages.too-large-together",
                most = ExpressionBudget::mebibytes()
            ),
            Error::Hex(error) => error.into(),
            Error::HalfByte { at } => sentence!("messages.half-byte", at = at),
            Error::TooLongWithGaps => sentence!("messages.too-long-with-gaps", most = MAX_GAPPED),
            Error::Escape(error) => error.into(),
            Error::Encode(error) => error.into(),
            Error::TooLong => sentence!("messages.pattern-too-long"),
        }
    }
}

/// A pattern.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The whole datagram, apart from one line ending at its end.
    Text(Vec<u8>),
    /// A regular expression that is found anywhere in the datagram.
    Regex(Box<Expression>),
    /// Bytes with gaps, which cover the whole datagram.
    Hex(Vec<HexPart>),
}

/// A part of a hex pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HexPart {
    /// This byte.
    Byte(u8),
    /// Any one byte: `??`.
    One,
    /// Any number of bytes, also none: `*`.
    Many,
}

// Implemented by hand, because compiled expressions cannot be compared, only their texts.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Regex(one), Self::Regex(other)) => one.text() == other.text(),
            (Self::Hex(one), Self::Hex(other)) => one == other,
            _ => false,
        }
    }
}

impl Pattern {
    /// Whether the text of a pattern is a regular expression, which costs more than other patterns.
    #[must_use]
    pub(crate) fn is_expression(text: &str) -> bool {
        Self::after("re", text).is_some()
    }

    /// The text after `re:` or `hex:`. A Chinese input method types a full-width colon.
    fn after<'a>(kind: &str, text: &'a str) -> Option<&'a str> {
        text.strip_prefix(kind)?.strip_prefix([':', '：'])
    }

    /// Parses `TEXT`, `text:TEXT`, `re:EXPRESSION` or `hex:BYTES`. Escapes and the encoding apply to text only.
    ///
    /// # Errors
    /// The regular expression or the hex digits are wrong, or the text cannot be encoded.
    pub fn parse(text: &str, escapes: bool, encoding: TextEncoding) -> Result<Self, Error> {
        if text.len() > MAX_LEN {
            return Err(Error::TooLong);
        }
        if let Some(expression) = Self::after("re", text) {
            let expression = Expression::new(expression).map_err(|refusal| match refusal {
                Refusal::Syntax(error) => Error::Regex(error),
                Refusal::TooLarge => Error::RegexTooLarge,
            })?;
            return Ok(Self::Regex(Box::new(expression)));
        }
        if let Some(digits) = Self::after("hex", text) {
            return parts(digits).map(Self::Hex);
        }
        let text = Self::after("text", text).unwrap_or(text);
        let mut bytes = Vec::new();
        if escapes {
            template::append_escaped(text, encoding, &mut bytes).map_err(|error| match error {
                template::Error::Escape(error) => Error::Escape(error),
                template::Error::Encode(error) => Error::Encode(error),
                _ => Error::TooLong,
            })?;
        } else {
            encoding.encode(text, &mut bytes)?;
        }
        Ok(Self::Text(bytes))
    }

    /// The names of the groups, from group 0; other patterns have only group 0, the whole datagram.
    #[must_use]
    pub fn groups(&self) -> Vec<Option<String>> {
        match self {
            Self::Regex(expression) => expression.groups(),
            Self::Text(_) | Self::Hex(_) => vec![None],
        }
    }

    /// Takes the memory of a regular expression from the budget of its table.
    ///
    /// # Errors
    /// Less is left.
    pub(crate) fn take_memory(&self, budget: &mut ExpressionBudget) -> Result<(), Error> {
        match self {
            Self::Regex(expression) => budget.take(expression).ok_or(Error::TooLargeTogether),
            Self::Text(_) | Self::Hex(_) => Ok(()),
        }
    }

    /// Whether the pattern matches the payload.
    #[must_use]
    pub(crate) fn matches(&self, payload: &[u8]) -> bool {
        match self {
            Self::Text(text) => text == payload || text.as_slice() == without_line_ending(payload),
            Self::Regex(expression) => expression.is_match(payload),
            Self::Hex(parts) => covers(parts, payload),
        }
    }
}

/// The payload without one line ending at its end.
#[must_use]
pub(crate) fn without_line_ending(payload: &[u8]) -> &[u8] {
    payload
        .strip_suffix(b"\r\n")
        .or_else(|| payload.strip_suffix(b"\n"))
        .unwrap_or(payload)
}

/// Parses hex digits with `??` and `*`.
fn parts(text: &str) -> Result<Vec<HexPart>, Error> {
    let mut parts = Vec::new();
    let mut begun = 0;
    let add = |from: usize, to: usize, parts: &mut Vec<HexPart>| -> Result<(), Error> {
        let digits = text.get(from..to).unwrap_or_default();
        let before = text.get(..from).unwrap_or_default().chars().count();
        let bytes = hex::parse(digits).map_err(|error| match error {
            hex::Error::NotHex { found, at } => hex::Error::NotHex {
                found,
                at: at + before,
            },
            hex::Error::Half { at } => hex::Error::Half { at: at + before },
        })?;
        parts.extend(bytes.into_iter().map(HexPart::Byte));
        Ok(())
    };
    let mut chars = text.char_indices().peekable();
    while let Some((place, character)) = chars.next() {
        let part = match ascii_of(character) {
            '*' => HexPart::Many,
            '?' if chars.next_if(|(_, next)| ascii_of(*next) == '?').is_some() => HexPart::One,
            '?' => {
                let at = text.get(..place).unwrap_or_default().chars().count() + 1;
                return Err(Error::HalfByte { at });
            }
            _ => continue,
        };
        add(begun, place, &mut parts)?;
        begun = chars.peek().map_or(text.len(), |(next, _)| *next);
        // Several gaps in a row are one.
        if part == HexPart::One || parts.last() != Some(&HexPart::Many) {
            parts.push(part);
        }
    }
    add(begun, text.len(), &mut parts)?;
    if parts.contains(&HexPart::Many) && parts.len() > MAX_GAPPED {
        return Err(Error::TooLongWithGaps);
    }
    Ok(parts)
}

/// Whether the parts cover all of `payload`. On a mismatch only the last `*` is tried with one byte more, which is
/// enough for patterns of this kind.
fn covers(parts: &[HexPart], payload: &[u8]) -> bool {
    let (mut part, mut byte) = (0, 0);
    let mut last_gap: Option<(usize, usize)> = None;
    while byte < payload.len() {
        let fits = match (parts.get(part), payload.get(byte)) {
            (Some(HexPart::Many), _) => {
                last_gap = Some((part, byte));
                part += 1;
                continue;
            }
            (Some(HexPart::Byte(wanted)), Some(found)) => wanted == found,
            (Some(HexPart::One), _) => true,
            (None, _) | (_, None) => false,
        };
        if fits {
            part += 1;
            byte += 1;
        } else if let Some((gap, from)) = last_gap {
            last_gap = Some((gap, from + 1));
            part = gap + 1;
            byte = from + 1;
        } else {
            return false;
        }
    }
    let rest = parts.get(part..).unwrap_or_default();
    rest.iter().all(|part| *part == HexPart::Many)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::bytes::Regex;
    use std::time::Instant;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text, false, TextEncoding::default()).unwrap()
    }

    #[test]
    fn each_kind_of_pattern_matches() {
        for (text, payload, matches) in [
            ("led on", &b"led on"[..], true),
            ("led on", b"led on\r\n", true),
            ("led on", b"led on\n", true),
            ("led on", b"led on\n\n", false),
            ("led on", b"LED on", false),
            ("", b"", true),
            ("", b"\n", true),
            ("text:re:x", b"re:x", true),
            ("re:^temp", b"temp?", true),
            ("re:emp", b"temp?", true),
            ("re:^emp", b"temp?", false),
            ("re:\\d+", b"\xff12", true),
            ("re:(?-u)\\xff", b"\xff", true),
            ("hex:01 ?? *", b"\x01\x02", true),
            ("hex:01 ?? *", b"\x01\x02\x03", true),
            ("hex:01 ?? *", b"\x01", false),
            ("hex:01??02", b"\x01\n\x02", true),
            ("hex:* 0d 0a", b"\r\n\r\n", true),
            ("hex:* 0d ** 0a *", b"a\rb\nc", true),
            ("hex:* 0d ** 0a *", b"a\nb\rc", false),
            ("hex:*", b"", true),
            ("hex:", b"", true),
            ("hex:", b"x", false),
        ] {
            assert_eq!(
                pattern(text).matches(payload),
                matches,
                "{text} {payload:?}"
            );
        }
        let gbk = Pattern::parse("开\\n", true, "gbk".parse().unwrap()).unwrap();
        assert!(gbk.matches(b"\xbf\xaa\n") && !gbk.matches(b"\xbf\xaa"));
    }

    #[test]
    fn a_wrong_pattern_says_what_is_wrong() {
        let wrong = |text: &str| {
            let parsed = Pattern::parse(text, true, TextEncoding::default());
            parsed.unwrap_err().to_string()
        };
        assert_eq!(
            wrong("re:("),
            "regular expression: GroupOpen at character 1"
        );
        assert_eq!(wrong("hex:0g"), "'g' at character 2 is not a hex digit");
        assert_eq!(
            wrong("hex:01 ?"),
            "a ? alone at character 4: ?? stands for one byte"
        );
        assert_eq!(
            wrong("hex:01 ?? 0g"),
            "'g' at character 8 is not a hex digit"
        );
        assert_eq!(
            wrong("hex:0??"),
            "the byte at character 1 has one digit: a byte takes two"
        );
        assert_eq!(wrong("a\\q"), "unknown escape \\q at character 2");
        assert!(wrong("re:(\\w{1000}){1000}").contains("too large"));
        assert!(wrong(&format!("re:{}", "(".repeat(100_000))).contains("regular expression"));
        assert!(wrong(&format!("hex:*{}", "00".repeat(2000))).contains("at most 1024"));
    }

    /// The largest pattern of each kind, and the longest datagram that it matches.
    #[test]
    fn a_search_takes_bounded_time() {
        let payload = vec![b'a'; 65_507];
        for text in [
            &format!("hex:*{}", format!("{}62*", "61".repeat(60)).repeat(16))[..],
            "re:(a*)*b",
            "re:(a|aa)+$b",
            "re:(x+x+)+y",
            "re:^(([a-z])+.)+[A-Z]([a-z])+$",
            "re:(?s:.){200}(?s:.)*b",
            "re:(?-u)(a?){200}a{200}b",
        ] {
            let pattern = pattern(text);
            let started = Instant::now();
            assert!(!pattern.matches(&payload), "{text}");
            let took = started.elapsed();
            assert!(took.as_secs() < 10, "{text}: {took:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(re:|hex:|text:)?([0-9a-f?* ]|\\PC|[(){}\\[\\]|+*?.^$\\\\]){0,12}", payload in prop::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(pattern) = Pattern::parse(&text, true, TextEncoding::default()) {
                let _ = pattern.matches(&payload);
            }
        }

        #[test]
        fn hex_patterns_are_what_a_regular_expression_makes_of_them(parts in prop::collection::vec(0..5u8, 0..8), payload in prop::collection::vec(0..3u8, 0..10)) {
            let hex = parts.iter().map(|part| ["00", "01", "02", "??", "*"][usize::from(*part)]).collect::<String>();
            let regex = parts.iter().map(|part| ["\\x00", "\\x01", "\\x02", ".", ".*"][usize::from(*part)]).collect::<String>();
            let regex = Regex::new(&format!("(?s-u)^{regex}$")).unwrap();
            prop_assert_eq!(pattern(&format!("hex:{hex}")).matches(&payload), regex.is_match(&payload));
        }
    }
}
