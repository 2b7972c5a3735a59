//! Shortens quoted arguments and file names in messages: they may be as long as a command line.

use std::borrow::Cow;

/// The most characters of an argument, a pattern or a name that a message repeats.
const QUOTED: usize = 200;

/// Text that a user wrote, in quotes and shortened, for a message that repeats it.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => {
            let mut quoted = format!("{:?}", text.get(..end).unwrap_or_default());
            quoted.insert_str(quoted.len() - 1, "..");
            quoted
        }
        None => format!("{text:?}"),
    }
}

/// The same without quotes.
#[must_use]
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}..", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// The most characters of one line of an error. A longer line quotes something that nobody reads to its end.
const LINE: usize = 2000;

/// A line of an error, without its middle if it is very long: its beginning says what failed, its end says why.
#[must_use]
pub(crate) fn without_middle(line: &str) -> Cow<'_, str> {
    let count = line.chars().count();
    if count <= LINE {
        return line.into();
    }
    let begin: String = line.chars().take(LINE / 2).collect();
    let end: String = line.chars().skip(count - LINE / 2).collect();
    format!("{begin} .. {end}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_shortened_and_short_text_is_not() {
        assert_eq!(quoted("a\n\"b\""), r#""a\n\"b\"""#);
        let long = "设".repeat(201);
        assert_eq!(quoted(&long), format!("\"{}..\"", "设".repeat(200)));
        assert_eq!(shortened(&long), format!("{}..", "设".repeat(200)));
        assert_eq!(shortened("设"), "设");
        assert_eq!(without_middle("a b"), "a b");
        let line = format!("a{}b", "x".repeat(70_000));
        let line = without_middle(&line);
        assert!(line.starts_with("axx") && line.ends_with("xxb") && line.len() < 2100);
    }
}
