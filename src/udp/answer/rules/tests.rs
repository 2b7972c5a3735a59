//! Tests of the table of replies.

use super::*;
use crate::text::random::Random;
use crate::text::template::{Place, TemplateOptions};

fn rule(pattern: &str, reply: &str, encoding: &str) -> AnswerRule {
    let encoding = encoding.parse().unwrap();
    let pattern = Pattern::parse(pattern, false, encoding).unwrap();
    let groups = pattern.groups();
    let rules = TemplateOptions {
        escapes: false,
        encoding,
        place: Place::Reply(&groups),
    };
    AnswerRule {
        reply: Template::parse(reply, rules).unwrap(),
        pattern,
        encoding,
        append: None,
        delay: None,
        drop: None,
    }
}

fn answer(
    rules: &AnswerRules,
    workspace: &mut Workspace,
    payload: &[u8],
) -> Option<(usize, Vec<u8>)> {
    let index = rules.find(payload, workspace)?;
    let mut out = Vec::new();
    let matched = Matched {
        rule: index,
        payload,
        from: "192.168.0.5:9".parse().unwrap(),
    };
    rules.render(matched, workspace, 1000, &mut out).unwrap();
    Some((index + 1, out))
}

#[test]
fn the_first_rule_that_matches_answers() {
    let rules = AnswerRules::new(vec![
        rule("hex: 01 *", "one", "utf-8"),
        rule("led on", "on {seq} {from}", "utf-8"),
        rule("re:^led (?<state>\\w+)$", "{state} {1} {0}", "utf-8"),
        rule("led on", "never", "utf-8"),
        rule("led off", "never", "utf-8"),
        rule("re:^设(.)$", "{1}好", "gbk"),
        rule("re:(x)?y", "[{1}]", "utf-8"),
    ])
    .unwrap();
    let mut workspace = Workspace::new(&rules, RenderState::new(Random::new(None)));
    for (payload, number, reply) in [
        (&b"led on\r\n"[..], 2, &b"on 0 192.168.0.5:9"[..]),
        (b"led on", 2, b"on 1 192.168.0.5:9"),
        (b"led off", 3, b"off off led off"),
        (b"\x01led on", 1, b"one"),
        // 设定 and 定好 in GBK.
        (b"\xc9\xe8\xb6\xa8", 6, b"\xb6\xa8\xba\xc3"),
        (b"y", 7, b"[]"),
    ] {
        let found = answer(&rules, &mut workspace, payload);
        assert_eq!(found, Some((number, reply.to_vec())), "{payload:?}");
    }
    assert_eq!(answer(&rules, &mut workspace, b"led"), None);
}

/// Large expressions make several sets, or none.
#[test]
fn the_first_rule_wins_among_sets_of_expressions_too() {
    let large = |number: usize| rule(&format!("re:^(\\w{{4}}){number}$"), "x", "utf-8");
    let mut all: Vec<AnswerRule> = (0..40).map(large).collect();
    all.push(rule("hex: 7a *", "x", "utf-8"));
    all.extend((0..40).map(large));
    all.push(rule("re:^(?<first>z)?y", "[{first}]", "utf-8"));
    let rules = AnswerRules::new(all).unwrap();
    let sets = rules.expressions.iter().filter(|group| group.set.is_some());
    assert!(sets.count() > 1);
    let mut workspace = Workspace::new(&rules, RenderState::new(Random::new(None)));
    let word = "w".repeat(4);
    for (payload, number) in [
        (format!("{word}39"), Some(40)),
        (format!("{word}0"), Some(1)),
        ("zy".to_owned(), Some(41)),
        ("y".to_owned(), Some(82)),
        (word, None),
    ] {
        let found = answer(&rules, &mut workspace, payload.as_bytes());
        assert_eq!(found.map(|(number, _)| number), number, "{payload}");
    }
}

#[test]
fn ten_thousand_rules_are_quick_and_more_than_allowed_are_refused() {
    let texts = |count: usize| (0..count).map(|number| rule(&format!("t{number}"), "x", "utf-8"));
    let rules = AnswerRules::new(texts(10_000).collect()).unwrap();
    let mut workspace = Workspace::new(&rules, RenderState::new(Random::new(None)));
    let found = answer(&rules, &mut workspace, b"t9999");
    assert_eq!(found, Some((10_000, b"x".to_vec())));
    assert_eq!(answer(&rules, &mut workspace, b"t"), None);
    assert_eq!(
        AnswerRules::new(texts(20_001).collect()).unwrap_err(),
        TooMany::Rules
    );
    let expressions = (0..1001).map(|number| rule(&format!("re:{number}"), "x", "utf-8"));
    let refused = AnswerRules::new(expressions.collect()).unwrap_err();
    assert_eq!(refused, TooMany::Expressions);
}
