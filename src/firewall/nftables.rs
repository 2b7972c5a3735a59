//! The rules of nftables, from `nft -j list ruleset` (the schema is in libnftables-json(5)).

use std::net::Ipv4Addr;

use serde_json::Value;

use super::chains::{Chain, Chains, Decision, Effect, PacketRule, decide};
use super::matching::Match;

/// The result for a first datagram to `port` that comes in through `interface`; `None` if the text has no rules in this
/// format.
pub(super) fn decision(json: &str, port: u16, interface: Option<&str>) -> Option<Decision> {
    let document: Value = serde_json::from_str(json).ok()?;
    let objects = document.get("nftables")?.as_array()?;
    let mut chains = Chains::new();
    let mut bases = Vec::new();
    for object in objects {
        if let Some(chain) = object.get("chain")
            && let Some(name) = full_name(chain, "name")
        {
            let drops = text(chain, "policy") == "drop";
            chains.entry(name.clone()).or_default().drops = drops;
            if is_base(chain) {
                bases.push(name);
            }
        }
    }
    let datagram = Probe { port, interface };
    for object in objects {
        if let Some(rule) = object.get("rule")
            && let Some(name) = full_name(rule, "chain")
        {
            let chain: &mut Chain = chains.entry(name).or_default();
            datagram.add_rules(rule, &mut chain.rules);
        }
    }
    // The datagram has to pass every base chain.
    let mut depends = false;
    for base in bases {
        match decide(&chains, &base) {
            Decision::Passes => {}
            Decision::Depends => depends = true,
            Decision::Dropped { rule } => {
                return Some(Decision::Dropped {
                    rule: format!("{base}: {rule}"),
                });
            }
        }
    }
    Some(if depends {
        Decision::Depends
    } else {
        Decision::Passes
    })
}

/// The text of a key; empty without one.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `inet filter input`, as the `nft` command takes it.
fn full_name(object: &Value, chain: &str) -> Option<String> {
    let family = text(object, "family");
    let name = text(object, chain);
    (matches!(family, "ip" | "inet") && !name.is_empty())
        .then(|| format!("{family} {} {name}", text(object, "table")))
}

/// Whether a chain sees incoming datagrams for this PC.
fn is_base(chain: &Value) -> bool {
    match text(chain, "hook") {
        "input" => true,
        // Before the route is chosen: chains of the type `nat` only translate addresses.
        "prerouting" => text(chain, "type") == "filter",
        _ => false,
    }
}

/// The datagram in question.
struct Probe<'a> {
    /// Its destination port.
    port: u16,
    /// The interface through which the datagram comes in, if known.
    interface: Option<&'a str>,
}

impl Probe<'_> {
    /// Translates one rule; a map of verdicts becomes several.
    fn add_rules(&self, rule: &Value, into: &mut Vec<PacketRule>) {
        let mut matches = Match::Yes;
        let statements = rule.get("expr").and_then(Value::as_array);
        for statement in statements.into_iter().flatten() {
            let Some((kind, value)) = statement.as_object().and_then(|map| map.iter().next())
            else {
                continue;
            };
            let add = |matches, effect| PacketRule {
                matches,
                effect,
                text: shown(rule),
            };
            match kind.as_str() {
                "match" => matches = matches.min(self.expression(value)),
                "vmap" => self.add_map(value, matches, rule, into),
                // A limit may be used up.
                "limit" => matches = matches.min(Match::Maybe),
                "xt" => matches = matches.min(extension(value, statements)),
                "accept" => into.push(add(matches, Effect::Accept)),
                "drop" | "reject" => into.push(add(matches, Effect::Block)),
                "return" => into.push(add(matches, Effect::Return)),
                "jump" | "goto" => {
                    let target = format!(
                        "{} {} {}",
                        text(rule, "family"),
                        text(rule, "table"),
                        text(value, "target")
                    );
                    let effect = if kind == "jump" {
                        Effect::Jump(target)
                    } else {
                        Effect::Goto(target)
                    };
                    into.push(add(matches, effect));
                }
                _ => {}
            }
        }
    }

    /// `udp dport vmap { 6000 : accept, .. }`.
    fn add_map(&self, map: &Value, matches: Match, rule: &Value, into: &mut Vec<PacketRule>) {
        let entries = map.get("data").and_then(|data| data.get("set"));
        let Some(entries) = entries.and_then(Value::as_array) else {
            return;
        };
        let nothing = Value::Null;
        let key = map.get("key").unwrap_or(&nothing);
        for entry in entries {
            let Some([wanted, verdict]) = entry.as_array().map(Vec::as_slice) else {
                continue;
            };
            let matches = matches.min(self.comparison(key, wanted));
            let mut rule = rule.clone();
            if let Some(rule) = rule.as_object_mut() {
                rule.insert("expr".to_owned(), Value::Array(vec![verdict.clone()]));
            }
            let before = into.len();
            self.add_rules(&rule, into);
            for added in into.iter_mut().skip(before) {
                added.matches = added.matches.min(matches);
            }
        }
    }

    /// `{"op": "==", "left": .., "right": ..}`.
    fn expression(&self, value: &Value) -> Match {
        let (Some(left), Some(right)) = (value.get("left"), value.get("right")) else {
            return Match::Maybe;
        };
        match text(value, "op") {
            "==" | "in" => self.comparison(left, right),
            "!=" => self.comparison(left, right).negated(),
            _ => Match::Maybe,
        }
    }

    /// Whether this property of the datagram is one of the values.
    fn comparison(&self, left: &Value, right: &Value) -> Match {
        let key = |outer: &str, inner: &str| {
            let value = left.get(outer)?.get(inner)?.as_str()?;
            Some(value.to_owned())
        };
        if let (Some(protocol), Some(field)) = (key("payload", "protocol"), key("payload", "field"))
        {
            return match (protocol.as_str(), field.as_str()) {
                ("udp" | "th", "dport") => any(right, &|value| self.is_port(value)),
                ("ip", "protocol") => any(right, &is_udp),
                ("ip", "saddr") => any(right, &is_loopback),
                ("udp" | "th" | "ip", _) => Match::Maybe,
                // A match on a header of another protocol also requires that protocol.
                _ => Match::No,
            };
        }
        if let Some(key) = key("meta", "key") {
            return match key.as_str() {
                "l4proto" => any(right, &is_udp),
                "nfproto" => any(right, &|value| is_word(value, "ipv4")),
                "protocol" => any(right, &|value| is_word(value, "ip")),
                "iif" | "iifname" => any(right, &|value| self.is_interface(value)),
                "pkttype" => any(right, &|value| is_word(value, "host")),
                _ => Match::Maybe,
            };
        }
        match key("ct", "key").as_deref() {
            Some("state") => any(right, &|value| is_word(value, "new")),
            // The state of a translated or expected connection: a first datagram has none.
            Some("status") => Match::No,
            _ => match key("fib", "result").as_deref() {
                Some("type") => any(right, &|value| is_word(value, "local")),
                _ => Match::Maybe,
            },
        }
    }

    /// Whether a value is the port.
    fn is_port(&self, value: &Value) -> Match {
        match value.as_u64() {
            Some(port) => Match::of(port == u64::from(self.port)),
            None => Match::Maybe,
        }
    }

    /// Whether a value names the interface; `*` at its end stands for the rest of a name.
    fn is_interface(&self, value: &Value) -> Match {
        let Some(wanted) = value.as_str() else {
            return Match::Maybe;
        };
        match (wanted, self.interface) {
            ("lo", _) => Match::No,
            (_, None) => Match::Maybe,
            (wanted, Some(name)) => Match::of(match wanted.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == wanted,
            }),
        }
    }
}

/// Whether any of the values matches: a single one, a set, a range or a list of flags.
fn any(values: &Value, is_match: &dyn Fn(&Value) -> Match) -> Match {
    if let Some(list) = values
        .as_array()
        .or_else(|| values.get("set").and_then(Value::as_array))
    {
        let matches = list.iter().map(|value| any(value, is_match));
        return matches.max().unwrap_or(Match::No);
    }
    if let Some([first, last]) = values
        .get("range")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        return within(first, last, is_match);
    }
    if let Some(element) = values.get("elem").and_then(|element| element.get("val")) {
        return any(element, is_match);
    }
    // `@name` is a set that is defined elsewhere.
    if values.as_str().is_some_and(|name| name.starts_with('@')) {
        return Match::Maybe;
    }
    is_match(values)
}

/// Ranges of ports; other ranges may match.
fn within(first: &Value, last: &Value, is_match: &dyn Fn(&Value) -> Match) -> Match {
    match (first.as_u64(), last.as_u64()) {
        // Up to this bound each value can be tried.
        (Some(first), Some(last)) if u16::try_from(last).is_ok() => {
            let matches = (first..=last).map(|port| is_match(&Value::from(port)));
            matches.max().unwrap_or(Match::No)
        }
        _ => Match::Maybe,
    }
}

/// Whether a value is this word; a value that is not text may match.
fn is_word(value: &Value, wanted: &str) -> Match {
    value
        .as_str()
        .map_or(Match::Maybe, |word| Match::of(word == wanted))
}

/// `IPPROTO_UDP` is 17.
fn is_udp(value: &Value) -> Match {
    match value.as_u64() {
        Some(number) => Match::of(number == 17),
        None => is_word(value, "udp"),
    }
}

/// A sender may have any address but those of loopback.
fn is_loopback(value: &Value) -> Match {
    let address = value
        .get("prefix")
        .map_or(value, |prefix| prefix.get("addr").unwrap_or(value));
    let address: Option<Ipv4Addr> = address.as_str().and_then(|address| address.parse().ok());
    match address {
        Some(address) if address.is_loopback() => Match::No,
        _ => Match::Maybe,
    }
}

/// An extension of iptables, which nftables does not show: if it accepts by the state of a connection, that does not
/// cover a first datagram.
fn extension(value: &Value, statements: Option<&Vec<Value>>) -> Match {
    let accepts = statements
        .into_iter()
        .flatten()
        .any(|statement| statement.get("accept").is_some());
    match text(value, "name") {
        "conntrack" | "state" if accepts => Match::No,
        "comment" | "LOG" => Match::Yes,
        _ => Match::Maybe,
    }
}

/// A rule for people: where to find it, and its comment.
fn shown(rule: &Value) -> String {
    let verdict = rule
        .get("expr")
        .and_then(Value::as_array)
        .and_then(|statements| statements.last())
        .and_then(Value::as_object)
        .and_then(|statement| statement.keys().next())
        .map_or("drop", String::as_str);
    let handle = rule.get("handle").and_then(Value::as_u64);
    let mut shown = format!(
        "{verdict}, chain {} handle {}",
        text(rule, "chain"),
        handle.unwrap_or_default()
    );
    if let Some(comment) = rule.get("comment").and_then(Value::as_str) {
        shown.push_str(", ");
        shown.push_str(comment);
    }
    shown
}

#[cfg(test)]
mod tests;
