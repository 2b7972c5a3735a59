//! Decides what chains of rules do with one datagram. A rule that depends on something unknown, such as the sender's
//! address, may match; then the decision may differ between senders.

use std::collections::BTreeMap;

use super::matching::Match;

/// What a rule does with a matching datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// The datagram comes in, as far as this base chain decides.
    Accept,
    /// The datagram is dropped or rejected: both have the same effect for the sender.
    Block,
    /// Another chain decides; if it does not, the next rule does.
    Jump(String),
    /// Another chain decides; if it does not, the chain that jumped here goes on.
    Goto(String),
    /// The chain that jumped here goes on.
    Return,
}

/// A rule, as far as it concerns the datagram in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PacketRule {
    /// Whether it matches that datagram.
    pub(super) matches: Match,
    /// What it does then.
    pub(super) effect: Effect,
    /// How the firewall writes it.
    pub(super) text: String,
}

/// A list of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// The rules in order; the first one that decides ends the search.
    pub(super) rules: Vec<PacketRule>,
    /// Whether the chain drops what no rule matched.
    pub(super) drops: bool,
}

/// The chains by name.
pub(super) type Chains = BTreeMap<String, Chain>;

/// The result of one base chain for the datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// The datagram comes in from every sender.
    Passes,
    /// The datagram comes in from some senders, or the result is unknown.
    Depends,
    Dropped {
        /// The rule or the policy that drops it.
        rule: String,
    },
}

/// Enough for any real set of rules, and a bound for a malicious one.
const MAX_STEPS: usize = 100_000;

/// Deeper than netfilter allows.
const MAX_DEPTH: usize = 20;

/// Follows the datagram from this base chain.
pub(super) fn decide(chains: &Chains, base: &str) -> Decision {
    let mut walk = Walk {
        chains,
        steps: 0,
        may_pass: false,
        may_drop: false,
    };
    let end = walk.follow(base, true, 0);
    let drops = chains.get(base).is_some_and(|chain| chain.drops);
    let dropped = match end {
        ChainEnd::Dropped(rule) => Some(rule),
        ChainEnd::OutOfChain if drops => Some("policy drop".to_owned()),
        ChainEnd::Accepted | ChainEnd::OutOfChain => None,
        ChainEnd::Lost => return Decision::Depends,
    };
    match dropped {
        Some(rule) if !walk.may_pass => Decision::Dropped { rule },
        None if !walk.may_drop => Decision::Passes,
        Some(_) | None => Decision::Depends,
    }
}

/// How the rules of one chain end.
enum ChainEnd {
    /// A rule accepts.
    Accepted,
    /// This rule drops.
    Dropped(String),
    /// No rule decided.
    OutOfChain,
    /// There are too many rules.
    Lost,
}

/// The path of the datagram through the chains.
struct Walk<'a> {
    /// All chains.
    chains: &'a Chains,
    /// The number of rules checked so far.
    steps: usize,
    /// Whether a rule that may match would accept.
    may_pass: bool,
    /// Whether a rule that may match would drop.
    may_drop: bool,
}

impl Walk<'_> {
    /// Follows the rules of a chain. `is_certain`: whether the datagram certainly reaches this chain.
    fn follow(&mut self, name: &str, mut is_certain: bool, depth: usize) -> ChainEnd {
        let chains = self.chains;
        let Some(chain) = chains.get(name) else {
            return ChainEnd::OutOfChain;
        };
        if depth > MAX_DEPTH {
            return ChainEnd::Lost;
        }
        for rule in &chain.rules {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return ChainEnd::Lost;
            }
            let is_sure = match rule.matches {
                Match::No => continue,
                Match::Maybe => false,
                Match::Yes => is_certain,
            };
            let end = match &rule.effect {
                Effect::Accept => ChainEnd::Accepted,
                Effect::Block => ChainEnd::Dropped(rule.text.clone()),
                Effect::Return if rule.matches == Match::Yes => return ChainEnd::OutOfChain,
                Effect::Return => {
                    // Whether the rest of the chain sees the datagram depends on this rule.
                    is_certain = false;
                    continue;
                }
                Effect::Jump(target) => self.follow(target, is_sure, depth + 1),
                Effect::Goto(target) => match self.follow(target, is_sure, depth + 1) {
                    ChainEnd::OutOfChain if is_sure => return ChainEnd::OutOfChain,
                    end => end,
                },
            };
            match end {
                ChainEnd::OutOfChain => {}
                ChainEnd::Lost => return ChainEnd::Lost,
                end if is_sure => return end,
                // In a chain that may not be entered, the rest of the rules is not reached either way.
                ChainEnd::Accepted => {
                    self.may_pass = true;
                    if rule.matches == Match::Yes {
                        return ChainEnd::OutOfChain;
                    }
                }
                ChainEnd::Dropped(_) => {
                    self.may_drop = true;
                    if rule.matches == Match::Yes {
                        return ChainEnd::OutOfChain;
                    }
                }
            }
        }
        ChainEnd::OutOfChain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(matches: Match, effect: Effect) -> PacketRule {
        PacketRule {
            matches,
            effect,
            text: "the rule".to_owned(),
        }
    }

    fn decide_on(rules: Vec<PacketRule>, drops: bool, others: Vec<PacketRule>) -> Decision {
        let chains = Chains::from([
            ("input".to_owned(), Chain { rules, drops }),
            (
                "other".to_owned(),
                Chain {
                    rules: others,
                    drops: false,
                },
            ),
        ]);
        decide(&chains, "input")
    }

    #[test]
    fn the_first_rule_that_surely_matches_decides() {
        let accept = || rule(Match::Yes, Effect::Accept);
        let block = || rule(Match::Yes, Effect::Block);
        let policy = Decision::Dropped {
            rule: "policy drop".to_owned(),
        };
        let dropped = Decision::Dropped {
            rule: "the rule".to_owned(),
        };
        assert_eq!(decide_on(vec![], false, vec![]), Decision::Passes);
        assert_eq!(decide_on(vec![], true, vec![]), policy);
        assert_eq!(
            decide_on(vec![accept(), block()], true, vec![]),
            Decision::Passes
        );
        assert_eq!(decide_on(vec![block(), accept()], false, vec![]), dropped);
        let never = rule(Match::No, Effect::Accept);
        assert_eq!(decide_on(vec![never], true, vec![]), policy);
    }

    #[test]
    fn a_rule_that_may_match_makes_the_decision_depend() {
        let maybe = |effect| rule(Match::Maybe, effect);
        assert_eq!(
            decide_on(vec![maybe(Effect::Accept)], true, vec![]),
            Decision::Depends
        );
        assert_eq!(
            decide_on(vec![maybe(Effect::Block)], false, vec![]),
            Decision::Depends
        );
        assert_eq!(
            decide_on(vec![maybe(Effect::Accept)], false, vec![]),
            Decision::Passes
        );
        let jump = || maybe(Effect::Jump("other".to_owned()));
        let accept = || rule(Match::Yes, Effect::Accept);
        assert_eq!(
            decide_on(vec![jump()], true, vec![accept()]),
            Decision::Depends
        );
        let returns = vec![maybe(Effect::Return), rule(Match::Yes, Effect::Block)];
        let jump = rule(Match::Yes, Effect::Jump("other".to_owned()));
        assert_eq!(decide_on(vec![jump], false, returns), Decision::Depends);
    }

    #[test]
    fn chains_that_lead_to_each_other_come_to_an_end() {
        let jump = || rule(Match::Yes, Effect::Jump("other".to_owned()));
        let back = || rule(Match::Maybe, Effect::Jump("input".to_owned()));
        let many = |make: &dyn Fn() -> PacketRule| (0..50).map(|_| make()).collect::<Vec<_>>();
        assert_eq!(decide_on(many(&jump), true, many(&back)), Decision::Depends);
    }
}
