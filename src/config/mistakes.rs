//! Sentences of the catalogue for invalid TOML, because the parser's messages are only in English.

use crate::text::sentence::{Sentence, sentence};

/// udpcli's sentence for a parser error; the beginning of the parser's message selects it.
pub(super) fn sentence_for(message: &str, there: Option<char>) -> Sentence {
    // The parser calls a value that is missing an unquoted text.
    if message.starts_with("string values must be quoted")
        && matches!(there, None | Some('\n' | '\r' | '#'))
    {
        return sentence!("config.toml-value");
    }
    let known = [of_texts, of_keys, of_brackets, of_numbers];
    // An unknown message becomes a general sentence; the error still shows the place.
    known
        .iter()
        .find_map(|of| of(message))
        .unwrap_or_else(|| sentence!("config.toml-other"))
}

/// Beginnings of the parser's messages, and the sentence for them.
type Beginnings<'a> = (&'a [&'a str], fn() -> Sentence);

/// The sentence for the first matching beginning: longer beginnings come first.
fn of_beginning(message: &str, known: &[Beginnings<'_>]) -> Option<Sentence> {
    known
        .iter()
        .find(|(starts, _)| starts.iter().any(|start| message.starts_with(start)))
        .map(|(_, sentence)| sentence())
}

/// Mistakes in quotation marks and text.
fn of_texts(message: &str) -> Option<Sentence> {
    of_beginning(
        message,
        &[
            (&["string values must be quoted"], || {
                sentence!("config.toml-unquoted")
            }),
            (&["missing opening quote"], || {
                sentence!("config.toml-no-opening")
            }),
            (
                &[
                    "invalid basic string, expected `\"`",
                    "invalid literal string, expected `'`",
                    "invalid multi-line basic string, expected `\"`",
                    "invalid multi-line literal string, expected `'`",
                ],
                || sentence!("config.toml-open-text"),
            ),
            (
                &[
                    "too few unicode value digits",
                    "missing escaped value",
                    "invalid value, expected unicode",
                ],
                || sentence!("config.toml-backslash"),
            ),
            (
                &[
                    "invalid basic string",
                    "invalid literal string",
                    "invalid multi-line",
                ],
                || sentence!("config.toml-control"),
            ),
            (
                &[
                    "carriage return must be",
                    "invalid comment character",
                    "unexpected content between comment",
                ],
                || sentence!("config.toml-control"),
            ),
            (&["invalid boolean"], || sentence!("config.toml-boolean")),
        ],
    )
}

/// Mistakes in keys, and between a key and its value.
fn of_keys(message: &str) -> Option<Sentence> {
    of_beginning(
        message,
        &[
            (
                &["invalid unquoted key", "unquoted keys cannot be empty"],
                || sentence!("config.toml-key"),
            ),
            (&["keys cannot be multi-line"], || {
                sentence!("config.toml-key-lines")
            }),
            (&["duplicate key"], || sentence!("config.toml-duplicate")),
            (&["cannot extend"], || sentence!("config.toml-extend")),
            (
                &[
                    "key with no value",
                    "missing assignment between key-value pairs",
                    "missing value for key",
                ],
                || sentence!("config.toml-no-value"),
            ),
            (&["missing value"], || sentence!("config.toml-value")),
            (&["extra `=`", "extra assignment", "unexpected `=`"], || {
                sentence!("config.toml-equals")
            }),
        ],
    )
}

/// Mistakes in brackets and commas.
fn of_brackets(message: &str) -> Option<Sentence> {
    of_beginning(
        message,
        &[
            (&["unclosed array table"], || {
                sentence!("config.toml-open-tables")
            }),
            (&["unclosed table"], || sentence!("config.toml-open-table")),
            (&["unclosed array"], || sentence!("config.toml-open-array")),
            (&["unclosed inline table"], || {
                sentence!("config.toml-open-inline")
            }),
            (&["missing comma"], || sentence!("config.toml-comma")),
            (&["extra comma"], || sentence!("config.toml-extra-comma")),
        ],
    )
}

/// Numbers, dates and times.
fn of_numbers(message: &str) -> Option<Sentence> {
    of_beginning(
        message,
        &[
            (
                &[
                    "`_` may only go",
                    "integers with",
                    "invalid integer",
                    "invalid hexadecimal",
                    "invalid octal",
                    "invalid binary",
                    "invalid float",
                    "invalid mantissa",
                    "invalid fraction",
                    "invalid exponent",
                    "unexpected leading zero",
                    "unexpected sign",
                    "radix must",
                    "redundant",
                    "integer number overflowed",
                    "floating-point number overflowed",
                ],
                || sentence!("config.toml-number"),
            ),
            (
                &[
                    "invalid date",
                    "invalid time",
                    "invalid year",
                    "invalid month",
                    "invalid day",
                    "invalid hour",
                    "invalid minute",
                    "invalid second",
                    "invalid nanosecond",
                    "invalid offset",
                ],
                || sentence!("config.toml-date"),
            ),
        ],
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::error::Error;
    use crate::config::read;

    #[test]
    fn no_slip_of_toml_is_told_in_the_words_of_the_parser() {
        for (text, wanted) in [
            ("serial = COM5", "toml-unquoted"),
            ("serial = 'COM5", "toml-open-text"),
            ("serial = \"COM5", "toml-open-text"),
            ("serial = \"\"\"COM5", "toml-open-text"),
            ("serial = '''COM5", "toml-open-text"),
            ("serial = \"C:\\q\"", "toml-backslash"),
            ("serial = \"\\u12\"", "toml-backslash"),
            ("serial = \"\\ud800\"", "toml-backslash"),
            ("serial = \"\u{1}\"", "toml-control"),
            ("serial = '\u{1}'", "toml-control"),
            ("# \u{1}", "toml-control"),
            ("baud = 1\rlang = 2", "toml-control"),
            ("\"\"\"a\"\"\" = 1", "toml-key-lines"),
            ("串口 = 1", "toml-key"),
            ("= 1", "toml-key"),
            ("baud = 1\nbaud = 2", "toml-duplicate"),
            ("baud = 1\nbaud.x = 2", "toml-extend"),
            ("baud = [1]\nbaud.x = 2", "toml-extend"),
            ("baud = {}\nbaud.x = 2", "toml-extend"),
            ("baud", "toml-no-value"),
            ("baud 9600", "toml-no-value"),
            ("baud =", "toml-value"),
            ("baud = # 9600\nlang = 'en'", "toml-value"),
            ("baud = \nlang = 'en'", "toml-value"),
            ("baud = = 1", "toml-equals"),
            ("baud = [1 = 2]", "toml-equals"),
            ("[messages", "toml-open-table"),
            ("[[replies]", "toml-open-tables"),
            ("[[replies", "toml-open-tables"),
            ("baud = [1", "toml-open-array"),
            ("baud = {a = 1", "toml-open-inline"),
            ("baud = ['1' '2']", "toml-comma"),
            ("baud = {a = '1' b = 2}", "toml-comma"),
            ("baud = {a = = 1}", "toml-equals"),
            ("baud = [1,,2]", "toml-extra-comma"),
            ("baud = {,}", "toml-extra-comma"),
            ("baud = tru", "toml-boolean"),
            ("baud = True", "toml-boolean"),
            ("baud = 0115200", "toml-number"),
            ("baud = +-1", "toml-number"),
            ("baud = 1__0", "toml-number"),
            ("baud = 0Xff", "toml-number"),
            ("baud = 0xfg", "toml-number"),
            ("baud = 1.", "toml-number"),
            ("baud = 1.5e", "toml-number"),
            ("baud = 115200bps", "toml-unquoted"),
            ("baud = 2026-13-01", "toml-date"),
            ("baud = 2026-01-32", "toml-date"),
            ("baud = 12:61:00", "toml-date"),
            ("baud = 2026-01-01T25:00:00Z", "toml-date"),
            ("baud = 1 lang = 2", "toml-other"),
            ("]", "toml-other"),
        ] {
            let error = read::user(Path::new("config.toml"), text).unwrap_err();
            let Error::Syntax { problem, .. } = error else {
                panic!("{text}: {error}")
            };
            assert_eq!(problem.id, format!("config.{wanted}"), "{text}");
        }
    }
}
