//! The table of replies by pattern: finds the first rule that matches a datagram, and renders its reply.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use regex::bytes::CaptureLocations;

use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::pattern::{Pattern, without_line_ending};
use crate::text::template::{RenderError, State, Template, Values};

/// The maximum number of rules.
pub const MAX_RULES: usize = 20_000;

/// The maximum number of rules with a regular expression: each has a cache of its own, and is tried in turn.
pub const MAX_EXPRESSIONS: usize = 1000;

/// What to reply to datagrams that match a pattern.
#[derive(Debug)]
pub struct Rule {
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

/// Rules in their order. Whole texts are looked up in a hash table, so that their number costs nothing.
#[derive(Debug, Default)]
pub struct Rules {
    all: Vec<Rule>,
    /// The first rule of each text.
    texts: HashMap<Vec<u8>, usize>,
    /// The other rules.
    others: Vec<usize>,
}

/// The datagram as UTF-8, for regular expressions; reused.
#[derive(Debug, Default)]
pub struct Decoded {
    text: String,
    /// The encoding that `text` was decoded from; `None` if the datagram has not been decoded yet.
    encoding: Option<TextEncoding>,
    is_text: bool,
}

impl Decoded {
    /// The bytes to search, and whether they are UTF-8 text that was converted.
    fn subject<'a>(&'a mut self, payload: &'a [u8], encoding: TextEncoding) -> (&'a [u8], bool) {
        if encoding == TextEncoding::default() {
            return (payload, false);
        }
        if self.encoding != Some(encoding) {
            self.encoding = Some(encoding);
            self.text.clear();
            let mut scratch = std::mem::take(&mut self.text);
            // Valid UTF-8 is given back as it is, and the scratch buffer stays empty.
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

/// What replies are rendered with, datagram after datagram.
#[derive(Debug)]
pub struct Workspace {
    decoded: Decoded,
    /// How many replies each rule has made.
    made: Vec<u64>,
    /// The places of groups, for the rules that use them.
    locations: Vec<Option<CaptureLocations>>,
    state: State,
}

impl Workspace {
    /// For these rules.
    #[must_use]
    pub fn new(rules: &Rules, state: State) -> Self {
        let locations = |rule: &Rule| {
            let uses = rule.reply.has_groups();
            uses.then(|| rule.pattern.locations()).flatten()
        };
        Self {
            decoded: Decoded::default(),
            made: vec![0; rules.all.len()],
            locations: rules.all.iter().map(locations).collect(),
            state,
        }
    }
}

impl Rules {
    /// A table of these rules.
    ///
    /// # Errors
    /// There are too many.
    pub fn new(rules: Vec<Rule>) -> Result<Self, TooMany> {
        if rules.len() > MAX_RULES {
            return Err(TooMany::Rules);
        }
        let is_expression = |rule: &&Rule| matches!(rule.pattern, Pattern::Regex(_));
        if rules.iter().filter(is_expression).count() > MAX_EXPRESSIONS {
            return Err(TooMany::Expressions);
        }
        let mut texts = HashMap::new();
        let mut others = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            match &rule.pattern {
                Pattern::Text(text) => drop(texts.entry(text.clone()).or_insert(index)),
                Pattern::Regex(_) | Pattern::Hex(_) => others.push(index),
            }
        }
        Ok(Self {
            all: rules,
            texts,
            others,
        })
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A rule by its place.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Rule> {
        self.all.get(index)
    }

    /// The place of the first rule that matches.
    #[must_use]
    pub fn find(&self, payload: &[u8], workspace: &mut Workspace) -> Option<usize> {
        let decoded = &mut workspace.decoded;
        decoded.encoding = None;
        let text = [payload, without_line_ending(payload)]
            .into_iter()
            .filter_map(|text| self.texts.get(text).copied())
            .min();
        let before = text.unwrap_or(usize::MAX);
        let other = self
            .others
            .iter()
            .copied()
            .take_while(|&index| index < before)
            .find(|&index| {
                self.all.get(index).is_some_and(|rule| match &rule.pattern {
                    Pattern::Regex(_) => {
                        let (subject, _) = decoded.subject(payload, rule.encoding);
                        rule.pattern.matches(subject)
                    }
                    Pattern::Text(_) | Pattern::Hex(_) => rule.pattern.matches(payload),
                })
            });
        other.or(text)
    }

    /// Appends the reply of rule `index` to the datagram that it matches.
    ///
    /// # Errors
    /// The reply is longer than `max`.
    pub fn render(
        &self,
        index: usize,
        payload: &[u8],
        from: SocketAddr,
        workspace: &mut Workspace,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let Some(rule) = self.all.get(index) else {
            return Ok(());
        };
        let Workspace {
            decoded,
            made,
            locations,
            state,
        } = workspace;
        let (subject, is_text) = match &rule.pattern {
            Pattern::Regex(_) => decoded.subject(payload, rule.encoding),
            Pattern::Text(_) | Pattern::Hex(_) => (payload, false),
        };
        let locations = locations.get_mut(index).and_then(Option::as_mut);
        let mut found: Option<&CaptureLocations> = None;
        if let (Pattern::Regex(regex), Some(locations)) = (&rule.pattern, locations) {
            let is_match = regex.captures_read(locations, subject).is_some();
            found = is_match.then_some(&*locations);
        }
        let group = |group: usize| match found {
            Some(found) => {
                let (start, end) = found.get(group)?;
                subject.get(start..end)
            }
            None => (group == 0).then_some(subject),
        };
        let mut ignored = 0;
        let seq = made.get_mut(index).unwrap_or(&mut ignored);
        let values = Values {
            seq: *seq,
            now: Timestamp::now(),
            line: &[],
            from: Some(from),
            group,
            is_text,
        };
        *seq += 1;
        let start = out.len();
        let room = max.saturating_sub(rule.append.map_or(0, Append::len));
        rule.reply.render(&values, state, room, out)?;
        if let Some(append) = rule.append {
            append.append(start, out);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::random::Random;
    use crate::text::template::{Place, Rules as TemplateRules};

    fn rule(pattern: &str, reply: &str, encoding: &str) -> Rule {
        let encoding = encoding.parse().unwrap();
        let pattern = Pattern::parse(pattern, false, encoding).unwrap();
        let groups = pattern.groups();
        let rules = TemplateRules {
            escapes: false,
            encoding,
            place: Place::Reply(&groups),
        };
        Rule {
            reply: Template::parse(reply, rules).unwrap(),
            pattern,
            encoding,
            append: None,
            delay: None,
            drop: None,
        }
    }

    fn answer(
        rules: &Rules,
        workspace: &mut Workspace,
        payload: &[u8],
    ) -> Option<(usize, Vec<u8>)> {
        let index = rules.find(payload, workspace)?;
        let mut out = Vec::new();
        let from = "192.168.0.5:9".parse().unwrap();
        rules
            .render(index, payload, from, workspace, 1000, &mut out)
            .unwrap();
        Some((index + 1, out))
    }

    #[test]
    fn the_first_rule_that_matches_answers() {
        let rules = Rules::new(vec![
            rule("hex: 01 *", "one", "utf-8"),
            rule("led on", "on {seq} {from}", "utf-8"),
            rule("re:^led (?<state>\\w+)$", "{state} {1} {0}", "utf-8"),
            rule("led on", "never", "utf-8"),
            rule("led off", "never", "utf-8"),
            rule("re:^设(.)$", "{1}好", "gbk"),
            rule("re:(x)?y", "[{1}]", "utf-8"),
        ])
        .unwrap();
        let mut workspace = Workspace::new(&rules, State::new(Random::new(None)));
        for (payload, number, reply) in [
            (&b"led on\r\n"[..], 2, &b"on 0 192.168.0.5:9"[..]),
            (b"led on", 2, b"on 1 192.168.0.5:9"),
            (b"led off", 3, b"off off led off"),
            (b"\x01led on", 1, b"one"),
            (b"\xc9\xe8\xb6\xa8", 6, b"\xb6\xa8\xba\xc3"),
            (b"y", 7, b"[]"),
        ] {
            let found = answer(&rules, &mut workspace, payload);
            assert_eq!(found, Some((number, reply.to_vec())), "{payload:?}");
        }
        assert_eq!(answer(&rules, &mut workspace, b"led"), None);
    }

    #[test]
    fn ten_thousand_rules_are_quick_and_more_than_allowed_are_refused() {
        let texts =
            |count: usize| (0..count).map(|number| rule(&format!("t{number}"), "x", "utf-8"));
        let rules = Rules::new(texts(10_000).collect()).unwrap();
        let mut workspace = Workspace::new(&rules, State::new(Random::new(None)));
        let found = answer(&rules, &mut workspace, b"t9999");
        assert_eq!(found, Some((10_000, b"x".to_vec())));
        assert_eq!(answer(&rules, &mut workspace, b"t"), None);
        assert_eq!(
            Rules::new(texts(20_001).collect()).unwrap_err(),
            TooMany::Rules
        );
        let expressions = (0..1001).map(|number| rule(&format!("re:{number}"), "x", "utf-8"));
        let refused = Rules::new(expressions.collect()).unwrap_err();
        assert_eq!(refused, TooMany::Expressions);
    }
}
