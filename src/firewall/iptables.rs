//! The rules of the older iptables, from `iptables-legacy -S`.

use super::chains::{Chains, Decision, Effect, PacketRule, decide};
use super::matching::Match;

/// The result for a first datagram to `port` that comes in through `interface`.
pub(super) fn decision(listing: &str, port: u16, interface: Option<&str>) -> Decision {
    let mut chains = Chains::new();
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["-P", chain, policy] => {
                chains.entry((*chain).to_owned()).or_default().drops = *policy == "DROP";
            }
            ["-A", chain, rest @ ..] => {
                if let Some(rule) = rule(line, rest, port, interface) {
                    let chain = chains.entry((*chain).to_owned()).or_default();
                    chain.rules.push(rule);
                }
            }
            _ => {}
        }
    }
    // Only datagrams for this PC itself; forwarded ones go through FORWARD.
    decide(&chains, "INPUT")
}

/// The rule; `None` if it decides nothing.
fn rule(line: &str, words: &[&str], port: u16, interface: Option<&str>) -> Option<PacketRule> {
    let mut matches = Match::Yes;
    let mut effect = None;
    let mut is_negated = false;
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        if word == "!" {
            is_negated = true;
            continue;
        }
        if word == "-j" || word == "-g" {
            effect = target(word, words.next()?);
            break;
        }
        // The name of a module is not a condition.
        if word == "-m" {
            words.next();
            continue;
        }
        if !word.starts_with('-') {
            continue;
        }
        let value = words.next().copied().unwrap_or_default();
        let found = option(word, value, port, interface);
        let negated = std::mem::take(&mut is_negated);
        matches = matches.min(if negated { found.negated() } else { found });
    }
    Some(PacketRule {
        matches,
        effect: effect?,
        text: line.to_owned(),
    })
}

/// What `-j` or `-g` and this name do; `None` for a target after which the next rule follows.
fn target(kind: &str, name: &str) -> Option<Effect> {
    Some(match name {
        "ACCEPT" => Effect::Accept,
        "DROP" | "REJECT" => Effect::Block,
        "RETURN" => Effect::Return,
        "LOG" | "NFLOG" | "MARK" | "CONNMARK" | "AUDIT" => return None,
        chain if kind == "-g" => Effect::Goto(chain.to_owned()),
        chain => Effect::Jump(chain.to_owned()),
    })
}

/// Whether the datagram has this property.
fn option(name: &str, value: &str, port: u16, interface: Option<&str>) -> Match {
    match name {
        "-p" => Match::of(matches!(value, "udp" | "17" | "all")),
        "--dport" | "--dports" => Match::of(value.split(',').any(|range| {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u16>().ok();
            number(first).is_some_and(|first| first <= port)
                && number(last).is_some_and(|last| port <= last)
        })),
        "-i" => match (value, interface) {
            // The datagram in question comes from another device.
            ("lo", _) => Match::No,
            (_, None) => Match::Maybe,
            (wanted, Some(name)) => Match::of(match wanted.strip_suffix('+') {
                Some(prefix) => name.starts_with(prefix),
                None => name == wanted,
            }),
        },
        // A first datagram belongs to no known connection.
        "--state" | "--ctstate" => Match::of(value.split(',').any(|state| state == "NEW")),
        "--comment" => Match::Yes,
        "-s" if value.starts_with("127.") => Match::No,
        "--dst-type" => Match::of(value.split(',').any(|kind| kind == "LOCAL")),
        _ => Match::Maybe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str = "-P INPUT DROP\n-P FORWARD ACCEPT\n-N mine\n-A INPUT -i lo -j ACCEPT\n\
        -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
        -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j mine\n";

    #[test]
    fn a_listing_is_read_as_iptables_writes_it() {
        let of = |more: &str| decision(&format!("{USUAL}{more}"), 6000, Some("wlan0"));
        assert!(matches!(of(""), Decision::Dropped { .. }));
        for allows in [
            "-A mine -p udp -m udp --dport 6000 -j ACCEPT",
            "-A mine -p udp -m multiport --dports 53,5000:7000 -j ACCEPT",
            "-A mine -i wl+ -p udp -m comment --comment class -j ACCEPT",
            "-A mine ! -i eth0 -j ACCEPT",
        ] {
            assert_eq!(of(allows), Decision::Passes, "{allows}");
        }
        assert_eq!(of("-A mine -s 192.168.0.0/16 -j ACCEPT"), Decision::Depends);
        assert!(matches!(
            of("-A mine -p udp -m udp --dport 6001 -j ACCEPT"),
            Decision::Dropped { .. }
        ));
        assert_eq!(
            decision("-P INPUT ACCEPT\n-A INPUT -p udp -j DROP", 6000, None),
            Decision::Dropped {
                rule: "-A INPUT -p udp -j DROP".to_owned()
            }
        );
        for garbage in ["", "-A", "-A INPUT -j", "-P INPUT", "\u{0}-A INPUT ! -p"] {
            assert_eq!(decision(garbage, 6000, None), Decision::Passes, "{garbage}");
        }
    }
}
