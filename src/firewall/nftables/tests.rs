//! Tests of `nftables.rs`.

use serde_json::json;

use super::*;

/// An input chain with this policy and the statements of each rule.
fn ruleset(policy: &str, rules: &[Value]) -> String {
    let mut objects = vec![
        json!({"metainfo": {"version": "1.0.6"}}),
        json!({"table": {"family": "inet", "name": "filter", "handle": 1}}),
        json!({"chain": {"family": "inet", "table": "filter", "name": "input", "handle": 1,
                "type": "filter", "hook": "input", "prio": 0, "policy": policy}}),
        json!({"chain": {"family": "inet", "table": "filter", "name": "mine", "handle": 2}}),
    ];
    for (at, statements) in rules.iter().enumerate() {
        let chain = if statements.get(0).is_some_and(|first| first == "mine") {
            "mine"
        } else {
            "input"
        };
        let statements: Vec<&Value> = statements
            .as_array()
            .unwrap()
            .iter()
            .filter(|statement| statement.is_object())
            .collect();
        objects.push(
            json!({"rule": {"family": "inet", "table": "filter", "chain": chain,
                    "handle": at + 10, "expr": statements}}),
        );
    }
    json!({"nftables": objects}).to_string()
}

fn matches(left: &Value, right: &Value) -> Value {
    json!({"match": {"op": "==", "left": left, "right": right}})
}

fn dport(right: &Value) -> Value {
    matches(
        &json!({"payload": {"protocol": "udp", "field": "dport"}}),
        right,
    )
}

fn of(policy: &str, rules: &[Value]) -> Decision {
    decision(&ruleset(policy, rules), 6000, Some("wlan0")).expect("rules")
}

#[test]
fn an_empty_set_of_rules_lets_everything_in() {
    let none = json!({"nftables": []}).to_string();
    assert_eq!(decision(&none, 6000, None), Some(Decision::Passes));
    assert_eq!(of("accept", &[]), Decision::Passes);
    for garbage in ["", "[]", "{}", "{\"nftables\": 1}"] {
        assert_eq!(decision(garbage, 6000, None), None);
    }
}

#[test]
fn a_policy_of_drop_needs_a_rule_that_accepts_the_port() {
    let established = json!([
        matches(&json!({"ct": {"key": "state"}}), &json!(["established", "related"])),
        {"accept": null}
    ]);
    let lo = json!([matches(&json!({"meta": {"key": "iifname"}}), &json!("lo")), {"accept": null}]);
    let ssh = json!([
        matches(&json!({"payload": {"protocol": "tcp", "field": "dport"}}), &json!(22)),
        {"accept": null}
    ]);
    let usual = [established, lo, ssh];
    assert_eq!(
        of("drop", &usual),
        Decision::Dropped {
            rule: "inet filter input: policy drop".to_owned()
        }
    );
    for port in [
        json!(6000),
        json!({"set": [53, 6000]}),
        json!({"set": [{"range": [5000, 7000]}]}),
        json!({"range": [6000, 6001]}),
    ] {
        let allowed = json!([dport(&port), {"counter": {"packets": 0}}, {"accept": null}]);
        let rules = [&usual[..], &[allowed]].concat();
        assert_eq!(of("drop", &rules), Decision::Passes, "{port}");
    }
    let other = json!([dport(&json!(6001)), {"accept": null}]);
    assert!(matches!(of("drop", &[other]), Decision::Dropped { .. }));
}

#[test]
fn a_rule_for_some_senders_makes_it_depend() {
    let saddr = json!({"payload": {"protocol": "ip", "field": "saddr"}});
    let net = json!({"prefix": {"addr": "192.168.0.0", "len": 16}});
    let some = json!([matches(&saddr, &net), {"accept": null}]);
    assert_eq!(of("drop", &[some]), Decision::Depends);
    let named = json!([dport(&json!("@ports")), {"accept": null}]);
    assert_eq!(of("drop", &[named]), Decision::Depends);
}

#[test]
fn jumps_and_maps_of_verdicts_are_followed() {
    let jump = json!([{"jump": {"target": "mine"}}]);
    let accept = json!(["mine", dport(&json!(6000)), {"accept": null}]);
    assert_eq!(of("drop", &[jump.clone(), accept]), Decision::Passes);
    let block = json!(["mine", dport(&json!(6000)), {"drop": null}]);
    assert_eq!(
        of("accept", &[jump, block]),
        Decision::Dropped {
            rule: "inet filter input: drop, chain mine handle 11".to_owned()
        }
    );
    let map = json!([{"vmap": {
        "key": {"ct": {"key": "state"}},
        "data": {"set": [["established", {"accept": null}], ["new", {"goto": {"target": "mine"}}]]}
    }}]);
    let accept = json!(["mine", {"accept": null}]);
    assert_eq!(of("drop", &[map, accept]), Decision::Passes);
}

#[test]
fn what_iptables_puts_there_is_understood() {
    let established = json!([{"xt": {"type": "match", "name": "conntrack"}}, {"accept": null}]);
    assert!(matches!(
        of("drop", &[established]),
        Decision::Dropped { .. }
    ));
    let multiport = json!([{"xt": {"type": "match", "name": "multiport"}}, {"accept": null}]);
    assert_eq!(of("drop", &[multiport]), Decision::Depends);
}
