//! Regular expressions for a table of replies: compiled with limits on their size, one by one and together, and searched
//! with caches that are bounded too.

mod error;

use std::collections::HashMap;

use regex_automata::Input;
use regex_automata::PatternID;
use regex_automata::meta::{BuildError, Cache, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;

pub use error::ExpressionError;
pub(crate) use error::syntax_error;

/// How large a compiled regular expression may be, in bytes. It also bounds the time that a search takes.
const MAX_COMPILED: usize = 256 << 10;

/// The maximum size of a lazily built automaton, in bytes.
const MAX_AUTOMATON: usize = 256 << 10;

/// How deep the groups of a regular expression may be nested.
pub(super) const MAX_NESTING: u32 = 50;

/// How large all expressions of a table may be together, in bytes.
const MAX_TOGETHER: usize = 64 << 20;

/// How large the caches of all expressions of a table may be together, in bytes, before udpcli starts them again.
const MAX_CACHES: usize = 32 << 20;

/// A regular expression that finds bytes anywhere in a datagram.
#[derive(Debug, Clone)]
pub struct Expression {
    text: Box<str>,
    regex: Regex,
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Syntax(ExpressionError),
    TooLarge,
}

impl Expression {
    /// Compiles an expression.
    pub(super) fn new(text: &str) -> Result<Self, Refusal> {
        let config = Regex::config()
            .utf8_empty(false)
            // A short text can compile to gigabytes: `(a{1000}){1000}`.
            .nfa_size_limit(Some(MAX_COMPILED))
            .onepass_size_limit(Some(MAX_COMPILED))
            .hybrid_cache_capacity(MAX_AUTOMATON);
        let syntax = syntax::Config::new().utf8(false).nest_limit(MAX_NESTING);
        let regex = Regex::builder()
            .configure(config)
            .syntax(syntax)
            .build(text)
            .map_err(|error| {
                tracing::debug!("{}", library_text(&error));
                match syntax_error(text, MAX_NESTING) {
                    Some(error) => Refusal::Syntax(error),
                    None => Refusal::TooLarge,
                }
            })?;
        Ok(Self {
            text: text.into(),
            regex,
        })
    }

    /// The expression as it was written.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names of the groups, from group 0.
    pub(super) fn groups(&self) -> Vec<Option<String>> {
        let names = self.regex.group_info().pattern_names(PatternID::ZERO);
        names.map(|name| name.map(str::to_owned)).collect()
    }

    /// Room for the places of the groups, so that a search need not allocate it.
    #[must_use]
    pub(crate) fn places(&self) -> GroupPlaces {
        GroupPlaces(self.regex.create_captures())
    }

    /// Whether it matches.
    #[must_use]
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

/// The library's message without its picture of the place, for -vv.
fn library_text(error: &BuildError) -> String {
    let text = match error.syntax_error() {
        Some(error) => error.to_string(),
        None => error.to_string(),
    };
    text.lines().last().unwrap_or_default().to_owned()
}

/// Where the groups of an expression matched.
#[derive(Debug)]
pub(crate) struct GroupPlaces(Captures);

impl GroupPlaces {
    /// The text that a group matched; empty if the group took no part in the match.
    #[must_use]
    pub(crate) fn of<'a>(&self, group: usize, text: &'a [u8]) -> Option<&'a [u8]> {
        text.get(self.0.get_group(group)?.range())
    }
}

/// How much of the memory for all expressions of a table is left.
#[derive(Debug)]
pub(crate) struct ExpressionBudget {
    left: usize,
}

impl Default for ExpressionBudget {
    fn default() -> Self {
        Self { left: MAX_TOGETHER }
    }
}

impl ExpressionBudget {
    /// Takes the memory of an expression; `None` if less is left.
    #[must_use]
    pub(super) fn take(&mut self, expression: &Expression) -> Option<()> {
        self.left = self.left.checked_sub(expression.regex.memory_usage())?;
        Some(())
    }

    /// The whole, in MiB.
    #[must_use]
    pub(super) const fn mebibytes() -> usize {
        MAX_TOGETHER >> 20
    }
}

/// The caches of single expressions between datagrams, by the place of the expression's rule.
#[derive(Debug, Default)]
pub(crate) struct ExpressionCaches {
    caches: HashMap<usize, Cache>,
    /// The total size of the caches, in bytes.
    size: usize,
}

impl ExpressionCaches {
    /// Whether the expression of a rule matches.
    pub(crate) fn is_match(&mut self, rule: usize, expression: &Expression, text: &[u8]) -> bool {
        let input = Input::new(text);
        self.search(rule, expression, |cache| {
            expression.regex.is_match_with(cache, &input)
        })
    }

    /// Finds the groups of a rule's expression; returns whether it matches.
    pub(crate) fn find_groups(
        &mut self,
        rule: usize,
        expression: &Expression,
        text: &[u8],
        places: &mut GroupPlaces,
    ) -> bool {
        let input = Input::new(text);
        let GroupPlaces(captures) = places;
        self.search(rule, expression, |cache| {
            expression
                .regex
                .search_captures_with(cache, &input, captures);
            captures.is_match()
        })
    }

    fn search(
        &mut self,
        rule: usize,
        expression: &Expression,
        search: impl FnOnce(&mut Cache) -> bool,
    ) -> bool {
        if self.size > MAX_CACHES {
            self.caches.clear();
            self.size = 0;
        }
        let mut before = 0;
        let cache = self
            .caches
            .entry(rule)
            .and_modify(|cache| before = cache.memory_usage())
            .or_insert_with(|| expression.regex.create_cache());
        let found = search(cache);
        self.size = (self.size + cache.memory_usage()).saturating_sub(before);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_of_many_expressions_are_bounded() {
        let expressions: Vec<Expression> = (0..200)
            .map(|number| Expression::new(&format!(r"\w{{4}}{number}")).unwrap())
            .collect();
        let mut caches = ExpressionCaches::default();
        for round in 0..10 {
            for (rule, expression) in expressions.iter().enumerate() {
                let text = format!("设备设备{}", rule + round % 2);
                let is_match = caches.is_match(rule, expression, text.as_bytes());
                assert_eq!(is_match, expression.is_match(text.as_bytes()));
                let real: usize = caches.caches.values().map(Cache::memory_usage).sum();
                assert_eq!(caches.size, real);
                // The total may exceed the limit by one expression before it is noticed.
                assert!(real < MAX_CACHES + (2 << 20), "{real}");
            }
        }
    }

    #[test]
    fn groups_are_found_where_they_matched() {
        let expression = Expression::new(r"(?<a>x+)(y)?").unwrap();
        assert_eq!(expression.groups(), [None, Some("a".to_owned()), None]);
        let mut caches = ExpressionCaches::default();
        let mut places = expression.places();
        assert!(caches.find_groups(0, &expression, b"-xx", &mut places));
        assert_eq!(places.of(0, b"-xx"), Some(&b"xx"[..]));
        assert_eq!(places.of(1, b"-xx"), Some(&b"xx"[..]));
        assert_eq!(places.of(2, b"-xx"), None);
        assert!(!caches.find_groups(0, &expression, b"-", &mut places));
    }
}
