//! What is wrong with a regular expression: the regex crate says it in English, and has no kinds of errors to choose a
//! sentence by.

use crate::text::sentence::{Sentence, sentence};

/// The reason in a message of the regex crate: its last line. The others draw a picture of the place.
pub(crate) fn problem(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The reason as a sentence of the catalogue.
pub(crate) fn in_words(problem: &str) -> Sentence {
    type Say = fn(&str) -> Sentence;
    // How the messages of regex-syntax 0.8 begin (its `ast::ErrorKind` and `hir::ErrorKind`).
    #[rustfmt::skip]
    const KNOWN: [(&str, Say); 24] = [
        ("unclosed group", |problem| sentence!("value.re-group-open", problem = problem)),
        ("unopened group", |problem| sentence!("value.re-group-closed", problem = problem)),
        ("unclosed character class", |problem| sentence!("value.re-class-open", problem = problem)),
        ("invalid character class range", |problem| sentence!("value.re-class-backwards", problem = problem)),
        ("invalid range boundary", |problem| sentence!("value.re-class-bound", problem = problem)),
        ("invalid escape sequence found in", |problem| sentence!("value.re-class-escape", problem = problem)),
        ("unrecognized escape sequence", |problem| sentence!("value.re-escape", problem = problem)),
        ("incomplete escape sequence", |problem| sentence!("value.re-escape-end", problem = problem)),
        ("invalid hexadecimal digit", |problem| sentence!("value.re-hex", problem = problem)),
        ("hexadecimal literal", |problem| sentence!("value.re-hex", problem = problem)),
        ("repetition operator missing", |problem| sentence!("value.re-nothing-to-repeat", problem = problem)),
        ("invalid repetition count range", |problem| sentence!("value.re-count-backwards", problem = problem)),
        ("repetition quantifier expects", |problem| sentence!("value.re-count-empty", problem = problem)),
        ("decimal literal", |problem| sentence!("value.re-count-empty", problem = problem)),
        ("unclosed counted repetition", |problem| sentence!("value.re-count-open", problem = problem)),
        ("unclosed capture group name", |problem| sentence!("value.re-name-open", problem = problem)),
        ("empty capture group name", |problem| sentence!("value.re-name-empty", problem = problem)),
        ("invalid capture group character", |problem| sentence!("value.re-name-bad", problem = problem)),
        ("duplicate capture group name", |problem| sentence!("value.re-name-twice", problem = problem)),
        ("backreferences", |problem| sentence!("value.re-no-backreference", problem = problem)),
        ("look-around", |problem| sentence!("value.re-no-look-around", problem = problem)),
        ("exceed the maximum number of nested", |problem| sentence!("value.re-too-deep", problem = problem)),
        ("unrecognized flag", |problem| sentence!("value.re-flag", problem = problem)),
        ("Unicode property", |problem| sentence!("value.re-property", problem = problem)),
    ];
    let known = KNOWN.iter().find(|(start, _)| problem.starts_with(start));
    match known {
        Some((_, say)) => say(problem),
        None => sentence!("value.re-other", problem = problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are of the regex crate: a new version may have others.
    #[test]
    fn the_reasons_of_the_library_are_known() {
        for wrong in [
            "(",
            ")",
            "[a",
            "[z-a]",
            "[\\d-z]",
            "[\\b]",
            "\\q",
            "a\\",
            "\\xg0",
            "\\x{d800}",
            "*",
            "a{3,2}",
            "a{,}",
            "a{2",
            "(?P<n",
            "(?P<>a)",
            "(?P<1>a)",
            "(?P<a>b)(?P<a>b)",
            "(a)\\1",
            "(?=a)",
            "(?k)a",
            "\\p{Nosuch}",
        ] {
            let error = regex::bytes::Regex::new(wrong)
                .expect_err(wrong)
                .to_string();
            let sentence = in_words(&problem(&error));
            assert_ne!(sentence.id, "value.re-other", "{wrong}: {error}");
        }
    }
}
