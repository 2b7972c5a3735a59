//! Many regular expressions searched at once: one pass over a datagram finds the first match.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};

use crate::text::expression::MAX_NESTING;

/// The maximum size of the compiled expressions of one set, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// The maximum size of one set's cache, in bytes.
const MAX_CACHE: usize = 8 << 20;

/// The expressions of a set. Each must have been accepted by [`crate::text::pattern::Pattern::parse`].
#[derive(Debug)]
pub(crate) struct ExpressionSet {
    /// All expressions as one automaton.
    regex: Regex,
}

/// Which expressions match; reused, so that a search allocates nothing.
#[derive(Debug)]
pub(crate) struct Matches(PatternSet);

impl ExpressionSet {
    /// A set of these expressions; `None` if they are too large together.
    #[must_use]
    pub(crate) fn new(expressions: &[&str]) -> Option<Self> {
        // The same options as in `regex::bytes`, so that the set finds the same matches as each expression alone.
        let config = Regex::config()
            .match_kind(MatchKind::All)
            // Datagrams need not be UTF-8.
            .utf8_empty(false)
            .nfa_size_limit(Some(MAX_COMPILED))
            .hybrid_cache_capacity(MAX_CACHE);
        let syntax = syntax::Config::new().utf8(false).nest_limit(MAX_NESTING);
        Regex::builder()
            .configure(config)
            .syntax(syntax)
            .build_many(expressions)
            .ok()
            .map(|regex| Self { regex })
    }

    /// Room for the results of a search.
    #[must_use]
    pub(crate) fn found(&self) -> Matches {
        Matches(PatternSet::new(self.regex.pattern_len()))
    }

    /// The place of the first expression that matches.
    pub(crate) fn first(&self, text: &[u8], found: &mut Matches) -> Option<usize> {
        let Matches(found) = found;
        found.clear();
        self.regex
            .which_overlapping_matches(&Input::new(text), found);
        // The set's numbers follow the order of the expressions, so the first is the first rule.
        found.iter().next().map(|pattern| pattern.as_usize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::encoding::TextEncoding;
    use crate::text::pattern::Pattern;
    use proptest::prelude::*;

    #[test]
    fn the_first_of_several_is_found_wherever_it_matches() {
        let set = ExpressionSet::new(&["^b", "c", "b", "x*$"]).unwrap();
        let mut found = set.found();
        for (text, first) in [
            (&b"abc"[..], Some(1)),
            (b"bc", Some(0)),
            (b"ab", Some(2)),
            (b"", Some(3)),
        ] {
            assert_eq!(set.first(text, &mut found), first, "{text:?}");
        }
        let none = ExpressionSet::new(&["^b", "c"]).unwrap();
        assert_eq!(none.first(b"a", &mut none.found()), None);
    }

    #[test]
    fn expressions_that_are_too_large_together_make_no_set() {
        let large = r"\w{4}";
        assert!(ExpressionSet::new(&[large]).is_some());
        assert!(ExpressionSet::new(&[large; 1000]).is_none());
    }

    const PARTS: [&str; 12] = [
        "a",
        "b",
        "^",
        "$",
        ".",
        "[^a]",
        "a*",
        "(?:ab)?",
        "\\b",
        "(?-u:\\xff)",
        "\\d",
        "设",
    ];

    proptest! {
        #[test]
        fn a_set_finds_what_each_expression_finds_alone(
            expressions in prop::collection::vec(prop::collection::vec(0..PARTS.len(), 0..4), 1..6),
            text in "[ab1设]{0,5}",
            last in prop::option::of(Just(0xff_u8)),
        ) {
            let expressions: Vec<String> = expressions
                .iter()
                .map(|parts| parts.iter().map(|&part| PARTS[part]).collect())
                .collect();
            let mut text = text.into_bytes();
            text.extend(last);
            let alone = expressions.iter().position(|expression| {
                let pattern = Pattern::parse(&format!("re:{expression}"), false, TextEncoding::default());
                pattern.unwrap().matches(&text)
            });
            let all: Vec<&str> = expressions.iter().map(String::as_str).collect();
            let set = ExpressionSet::new(&all).unwrap();
            prop_assert_eq!(set.first(&text, &mut set.found()), alone);
        }
    }
}
