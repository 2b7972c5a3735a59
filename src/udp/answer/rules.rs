//! The table of replies by pattern: finds the first rule that matches a datagram, and renders its reply.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::expression::{ExpressionCaches, GroupPlaces};
use crate::text::pattern::{MAX_EXPRESSIONS, MAX_RULES, Pattern, without_line_ending};
use crate::text::pattern_set::{ExpressionSet, Matches};
use crate::text::template::{RenderError, RenderState, Template, Values};

/// The maximum number of sets of expressions that are searched at once: each has a cache of its own.
const MAX_SETS: usize = 8;

/// What to reply to datagrams that match a pattern.
#[derive(Debug)]
pub struct AnswerRule {
    /// The pattern.
    pub pattern: Pattern,
    /// The encoding of pattern and reply.
    pub encoding: TextEncoding,
    /// The reply.
    pub reply: Template,
    /// The checksum after the reply.
    pub append: Option<Append>,
    /// The delay before the reply is sent, if the rule sets it.
    pub delay: Option<Duration>,
    /// The percentage of replies to drop, if the rule sets it.
    pub drop: Option<f64>,
}

/// There are more rules than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// More than [`MAX_RULES`].
    Rules,
    /// More than [`MAX_EXPRESSIONS`].
    Expressions,
}

/// Rules in their order. Whole texts are looked up in a hash table, and expressions are searched many at once, so that
/// their number costs little.
#[derive(Debug, Default)]
pub struct AnswerRules {
    /// The rules; other fields name them by their place here.
    all: Vec<AnswerRule>,
    /// The first rule of each text.
    texts: HashMap<Vec<u8>, usize>,
    /// The rules with bytes and gaps.
    gapped: Vec<usize>,
    /// The rules with expressions.
    expressions: Vec<ExpressionGroup>,
}

/// Rules with expressions for text of one encoding, in their order.
#[derive(Debug)]
struct ExpressionGroup {
    encoding: TextEncoding,
    /// The places of the rules.
    rules: Vec<usize>,
    /// `None` if the expressions are searched one by one.
    set: Option<ExpressionSet>,
}

impl ExpressionGroup {
    /// Groups for these rules: one, or more if the expressions are too large for one set. `sets` is how many more sets
    /// are allowed.
    fn add(
        all: &[AnswerRule],
        encoding: TextEncoding,
        rules: &[usize],
        sets: &mut usize,
        groups: &mut Vec<Self>,
    ) {
        let expressions: Vec<&str> = rules
            .iter()
            .filter_map(|&index| match &all.get(index)?.pattern {
                Pattern::Regex(expression) => Some(expression.text()),
                Pattern::Text(_) | Pattern::Hex(_) => None,
            })
            .collect();
        // A set costs memory for its cache, and one expression alone is as fast without.
        let is_worth_it = rules.len() > 1 && *sets > 0;
        let set = is_worth_it
            .then(|| ExpressionSet::new(&expressions))
            .flatten();
        if set.is_none() && is_worth_it {
            // Halves keep their order, so the first match of the first group that has one is the first of all.
            let (first, second) = rules.split_at(rules.len() / 2);
            Self::add(all, encoding, first, sets, groups);
            Self::add(all, encoding, second, sets, groups);
            return;
        }
        *sets -= usize::from(set.is_some());
        groups.push(Self {
            encoding,
            rules: rules.to_vec(),
            set,
        });
    }
}

/// The datagram as UTF-8, for regular expressions; reused.
#[derive(Debug, Default)]
pub(crate) struct DecodedText {
    /// The datagram as UTF-8.
    text: String,
    /// The encoding that `text` was decoded from; `None` if the datagram has not been decoded yet.
    encoding: Option<TextEncoding>,
    /// Whether the datagram is text in that encoding.
    is_text: bool,
}

impl DecodedText {
    /// The bytes to search, and whether they are UTF-8 text that was converted.
    fn subject<'a>(&'a mut self, payload: &'a [u8], encoding: TextEncoding) -> (&'a [u8], bool) {
        if encoding == TextEncoding::default() {
            return (payload, false);
        }
        // Decoded once per datagram and encoding, however many rules ask for it.
        if self.encoding != Some(encoding) {
            self.encoding = Some(encoding);
            self.text.clear();
            let mut scratch = std::mem::take(&mut self.text);
            // The decoder returns valid UTF-8 unchanged, and the scratch buffer stays empty.
            let is_text = encoding.decode(payload, &mut scratch).is_some();
            self.is_text = is_text && !scratch.is_empty();
            self.text = scratch;
        }
        if self.is_text {
            (self.text.as_bytes(), true)
        } else {
            (payload, false)
        }
    }
}

/// A datagram and the rule that it matches.
#[derive(Debug, Clone, Copy)]
pub struct Matched<'a> {
    /// The rule's place.
    pub rule: usize,
    /// The datagram, without a checksum.
    pub payload: &'a [u8],
    /// Its sender.
    pub from: SocketAddr,
}

/// The state for rendering replies, datagram after datagram.
#[derive(Debug)]
pub struct Workspace {
    /// The datagram as text.
    decoded: DecodedText,
    /// How many replies each rule has made.
    made: Vec<u64>,
    /// The places of groups, for the rules that use them.
    places: HashMap<usize, GroupPlaces>,
    caches: ExpressionCaches,
    /// The results of each set of expressions.
    found: Vec<Option<Matches>>,
    /// The source of random fields.
    state: RenderState,
}

impl Workspace {
    /// For these rules.
    #[must_use]
    pub fn new(rules: &AnswerRules, state: RenderState) -> Self {
        let places = |(index, rule): (usize, &AnswerRule)| match &rule.pattern {
            Pattern::Regex(expression) if rule.reply.has_groups() => {
                Some((index, expression.places()))
            }
            _ => None,
        };
        Self {
            decoded: DecodedText::default(),
            made: vec![0; rules.all.len()],
            places: rules.all.iter().enumerate().filter_map(places).collect(),
            caches: ExpressionCaches::default(),
            found: rules
                .expressions
                .iter()
                .map(|group| group.set.as_ref().map(ExpressionSet::found))
                .collect(),
            state,
        }
    }
}

impl AnswerRules {
    /// A table of the given rules.
    ///
    /// # Errors
    /// There are too many.
    pub fn new(rules: Vec<AnswerRule>) -> Result<Self, TooMany> {
        if rules.len() > MAX_RULES {
            return Err(TooMany::Rules);
        }
        let is_expression = |rule: &&AnswerRule| matches!(rule.pattern, Pattern::Regex(_));
        if rules.iter().filter(is_expression).count() > MAX_EXPRESSIONS {
            return Err(TooMany::Expressions);
        }
        let mut texts = HashMap::new();
        let mut gapped = Vec::new();
        let mut by_encoding: Vec<(TextEncoding, Vec<usize>)> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            match &rule.pattern {
                // Of two rules with the same text, the first one wins.
                Pattern::Text(text) => drop(texts.entry(text.clone()).or_insert(index)),
                Pattern::Hex(_) => gapped.push(index),
                Pattern::Regex(_) => {
                    let known = by_encoding
                        .iter_mut()
                        .find(|(encoding, _)| *encoding == rule.encoding);
                    match known {
                        Some((_, members)) => members.push(index),
                        None => by_encoding.push((rule.encoding, vec![index])),
                    }
                }
            }
        }
        let mut expressions = Vec::new();
        let mut sets = MAX_SETS;
        for (encoding, members) in &by_encoding {
            ExpressionGroup::add(&rules, *encoding, members, &mut sets, &mut expressions);
        }
        Ok(Self {
            all: rules,
            texts,
            gapped,
            expressions,
        })
    }

    /// Whether there are no rules.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A rule by its place.
    #[must_use]
    pub(crate) fn get(&self, index: usize) -> Option<&AnswerRule> {
        self.all.get(index)
    }

    /// The place of the first rule that matches.
    #[must_use]
    pub fn find(&self, payload: &[u8], workspace: &mut Workspace) -> Option<usize> {
        let Workspace {
            decoded,
            found,
            caches,
            ..
        } = workspace;
        decoded.encoding = None;
        let mut matches = |index: usize, subject: &[u8]| match self.all.get(index) {
            Some(AnswerRule {
                pattern: Pattern::Regex(expression),
                ..
            }) => caches.is_match(index, expression, subject),
            Some(rule) => rule.pattern.matches(subject),
            None => false,
        };
        // The first matching rule so far; only earlier rules can still replace it. A device that ends its messages with
        // a newline, and one that does not, should match the same rule.
        let mut first = [payload, without_line_ending(payload)]
            .into_iter()
            .filter_map(|text| self.texts.get(text).copied())
            .min()
            .unwrap_or(usize::MAX);
        if let Some(index) = self
            .gapped
            .iter()
            .copied()
            .take_while(|&index| index < first)
            .find(|&index| matches(index, payload))
        {
            first = index;
        }
        for (group, found) in self.expressions.iter().zip(found) {
            // Every rule of the group comes after one that matches already.
            if group.rules.first().is_none_or(|&index| index > first) {
                continue;
            }
            let (subject, _) = decoded.subject(payload, group.encoding);
            let index = match (&group.set, found) {
                (Some(set), Some(found)) => {
                    let place = set.first(subject, found);
                    place.and_then(|place| group.rules.get(place).copied())
                }
                _ => group
                    .rules
                    .iter()
                    .copied()
                    .take_while(|&index| index < first)
                    .find(|&index| matches(index, subject)),
            };
            first = index.map_or(first, |index| index.min(first));
        }
        (first != usize::MAX).then_some(first)
    }

    /// Appends the reply to a datagram.
    ///
    /// # Errors
    /// The reply is longer than `max`.
    pub fn render(
        &self,
        matched: Matched<'_>,
        workspace: &mut Workspace,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let Matched {
            rule: index,
            payload,
            from,
        } = matched;
        let Some(rule) = self.all.get(index) else {
            return Ok(());
        };
        let Workspace {
            decoded,
            made,
            places,
            caches,
            state,
            ..
        } = workspace;
        let (subject, is_text) = match &rule.pattern {
            Pattern::Regex(_) => decoded.subject(payload, rule.encoding),
            Pattern::Text(_) | Pattern::Hex(_) => (payload, false),
        };
        let mut found: Option<&GroupPlaces> = None;
        if let (Pattern::Regex(expression), Some(places)) = (&rule.pattern, places.get_mut(&index))
        {
            let is_match = caches.find_groups(index, expression, subject, places);
            found = is_match.then_some(&*places);
        }
        let group = |group: usize| match found {
            Some(found) => found.of(group, subject),
            // Texts and gaps have no groups; group 0 is the whole datagram for them.
            None => (group == 0).then_some(subject),
        };
        let mut ignored = 0;
        let seq = made.get_mut(index).unwrap_or(&mut ignored);
        let values = Values {
            seq: *seq,
            now: Timestamp::now(),
            line: without_line_ending(subject),
            from: Some(from),
            group,
            is_text,
        };
        // Before rendering: a reply that fails has used its number, so that the numbers show how often the rule
        // matched.
        *seq += 1;
        let start = out.len();
        // The checksum must fit too.
        let room = max.saturating_sub(rule.append.map_or(0, Append::len));
        rule.reply.render(&values, state, room, out)?;
        if let Some(append) = rule.append {
            append.append(start, out);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
