//! Realistic rules, and their verdicts on a datagram.

use super::*;

const PROGRAM: &str = r"C:\Users\小明\Downloads\udpcli.exe";

/// Where a link from PROGRAM would lead.
const RESOLVED: &str = r"\\?\C:\Packages\udpcli\udpcli.exe";

fn variable(name: &str) -> Option<String> {
    name.eq_ignore_ascii_case("USERPROFILE")
        .then(|| r"C:\Users\小明".to_owned())
}

fn settings(profile: Profile) -> ProfileSettings {
    ProfileSettings {
        profile,
        is_on: true,
        blocks: true,
        blocks_all: None,
        asks: false,
        has_local_rules: true,
    }
}

fn local(rules: &[&str]) -> FirewallRules {
    FirewallRules {
        local: rules.iter().map(ToString::to_string).collect(),
        prescribed: Vec::new(),
    }
}

fn judge(settings: ProfileSettings, rules: &[&str]) -> FirewallVerdict {
    let listener = ListeningProgram {
        port: 6000,
        program: PROGRAM,
        resolved: RESOLVED,
        variable: &variable,
    };
    verdict(settings, &local(rules), &listener)
}

fn public(rules: &[&str]) -> FirewallVerdict {
    judge(settings(Profile::Public), rules)
}

#[track_caller]
fn blocked(verdict: FirewallVerdict) -> DropReason {
    match verdict {
        FirewallVerdict::Blocked(block) => block,
        other => panic!("{other:?}"),
    }
}

const ALLOWED: FirewallVerdict = FirewallVerdict::Allowed(Firewall::Windows);

const PARTLY: FirewallVerdict = FirewallVerdict::Partly {
    by: Firewall::Windows,
    is_prescribed: false,
};

/// What Windows writes when its question is cancelled.
const CANCELLED: &str = r"v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=17|Profile=Public|App=C:\users\小明\downloads\UDPCLI.exe|Name=udpcli.exe|Desc=udpcli.exe|Defer=User|";

#[test]
fn a_rule_that_blocks_beats_rules_that_allow() {
    let allow = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=6000|Name=class|";
    assert_eq!(public(&[allow]), ALLOWED);
    for rules in [[allow, CANCELLED], [CANCELLED, allow]] {
        let block = blocked(public(&rules));
        assert_eq!(block.rule, "udpcli.exe");
        assert_eq!(
            block.command.unwrap(),
            r#"netsh advfirewall firewall delete rule name=all dir=in program="C:\users\小明\downloads\UDPCLI.exe""#
        );
    }
    // The rule `CANCELLED` is for public networks only.
    assert_eq!(
        judge(settings(Profile::Private), &[allow, CANCELLED]),
        ALLOWED
    );
    let by_port = "v2.10|Action=Block|Active=TRUE|Dir=In|Protocol=17|LPort=6000|Name=no UDP|";
    assert_eq!(
        blocked(public(&[by_port])).command.unwrap(),
        "netsh advfirewall firewall set rule name=\"no UDP\" dir=in new enable=no"
    );
}

#[test]
fn what_allows_this_program_or_this_port_allows() {
    for rule in [
        r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|Profile=Public|App=%UserProfile%\Downloads\udpcli.exe|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Name=everything|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|Profile=Private|Profile=Public|LPort=53|LPort=6000|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=5000-7000|Name=x|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort2_10=5000-7000|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|RA4=LocalSubnet|RA6=LocalSubnet|Name=x|",
    ] {
        assert_eq!(public(&[rule]), ALLOWED, "{rule}");
    }
}

#[test]
fn rules_for_something_else_change_nothing() {
    for rule in [
        "v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=17|LPort=6000|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=Out|Protocol=17|LPort=6000|Name=x|",
        // Protocol 6 is TCP.
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=6000|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|Profile=Private|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=6001|Name=x|",
        // Windows has names for some ports.
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=mDNS|Name=x|",
        r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|App=%SystemRoot%\system32\svchost.exe|Svc=dnscache|Name=x|",
        r"v2.30|Action=Allow|Active=TRUE|Dir=In|App=C:\other\udpcli.exe|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|AppPkgId=S-1-15-2-1|Name=x|",
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|RA6=LocalSubnet|Name=x|",
        "Action=Allow|Active=TRUE|Dir=In|",
        "",
        "v2.30",
        "v2.30|||=|Dir",
    ] {
        assert_eq!(
            blocked(public(&[rule])).rule,
            "Public: DefaultInboundAction",
            "{rule}"
        );
    }
}

#[test]
fn a_rule_for_some_senders_allows_some() {
    let rule =
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|RA4=192.168.0.0/255.255.255.0|Name=x|";
    assert_eq!(public(&[rule]), PARTLY);
    let rule = "v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=17|IFType=Wireless|Name=x|";
    assert_eq!(public(&[rule]), PARTLY);
}

#[test]
fn a_rule_for_the_program_behind_a_link_is_for_this_program() {
    let rule = r"v2.30|Action=Block|Active=TRUE|Dir=In|App=c:\packages\UDPCLI\udpcli.exe|Name=x|";
    let block = blocked(public(&[rule]));
    assert!(
        block
            .command
            .as_deref()
            .unwrap_or_default()
            .ends_with(r#"program="c:\packages\UDPCLI\udpcli.exe""#),
        "{:?}",
        block.command
    );
}

/// A school may prescribe that only its own rules count.
#[test]
fn rules_of_this_pc_count_only_where_the_administrator_lets_them() {
    let allow = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=6000|Name=class|";
    let mut of = settings(Profile::Domain);
    assert_eq!(judge(of, &[allow]), ALLOWED);
    of.has_local_rules = false;
    // No command helps here, nor does an answer to Windows' question: only the administrator.
    of.asks = true;
    assert_eq!(blocked(judge(of, &[allow])).command, None);
    let rules = FirewallRules {
        local: vec![CANCELLED.replace("Public", "Domain")],
        prescribed: vec![allow.to_owned()],
    };
    let listener = ListeningProgram {
        port: 6000,
        program: PROGRAM,
        resolved: RESOLVED,
        variable: &variable,
    };
    assert_eq!(verdict(of, &rules, &listener), ALLOWED);
    let some = allow.replace("LPort=6000", "LPort=6000|RA4=10.1.0.0/255.255.0.0");
    let rules = FirewallRules {
        prescribed: vec![some],
        ..rules
    };
    assert_eq!(
        verdict(of, &rules, &listener),
        FirewallVerdict::Partly {
            by: Firewall::Windows,
            is_prescribed: true
        }
    );
    of.has_local_rules = true;
    assert!(blocked(verdict(of, &rules, &listener)).command.is_some());
}

/// A rule or setting of the administrator stays in force whatever one types on this PC.
#[test]
fn no_command_is_offered_against_what_the_administrator_prescribes() {
    let listener = ListeningProgram {
        port: 6000,
        program: PROGRAM,
        resolved: RESOLVED,
        variable: &variable,
    };
    let rules = FirewallRules {
        local: Vec::new(),
        prescribed: vec![CANCELLED.to_owned()],
    };
    let mut of = settings(Profile::Public);
    assert_eq!(blocked(verdict(of, &rules, &listener)).command, None);
    of.blocks_all = Some(MadeBy::Administrator);
    assert_eq!(blocked(judge(of, &[])).command, None);
    of.blocks_all = Some(MadeBy::ThisPc);
    assert!(blocked(judge(of, &[])).command.is_some());
}

#[test]
fn the_profiles_settings_count() {
    let mut of = settings(Profile::Public);
    of.asks = true;
    assert_eq!(judge(of, &[]), FirewallVerdict::Asks(Firewall::Windows));
    of.blocks = false;
    assert_eq!(judge(of, &[]), ALLOWED);
    blocked(judge(of, &[CANCELLED]));
    of.blocks_all = Some(MadeBy::ThisPc);
    assert!(blocked(judge(of, &[])).rule.contains("block all"));
    of.is_on = false;
    assert_eq!(judge(of, &[CANCELLED]), FirewallVerdict::Off);
}

#[test]
fn the_network_that_was_connected_last_counts() {
    let listener = ListeningProgram {
        port: 6000,
        program: PROGRAM,
        resolved: RESOLVED,
        variable: &variable,
    };
    let all = Profile::ALL.map(settings);
    let rules = local(&["v2.30|Action=Allow|Active=TRUE|Dir=In|Profile=Private|Name=x|"]);
    let of = |current| overall(current, &all, &rules, &listener);
    assert_eq!(of(Some(Profile::Private)), ALLOWED);
    blocked(of(Some(Profile::Public)));
    assert_eq!(of(None), FirewallVerdict::Unknown(Some(Firewall::Windows)));
    assert!(matches!(
        overall(None, &all, &FirewallRules::default(), &listener),
        FirewallVerdict::Blocked(_)
    ));
    // 2026-11-27, a Friday, at 9:00. The later one has a smaller number for its weekday, which does not count.
    let earlier = [0xea, 7, 11, 0, 5, 0, 27, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let mut later = earlier;
    later[4] = 1;
    later[6] = 28;
    assert!(last_connected(&later) > last_connected(&earlier));
    assert_eq!(last_connected(&[1, 2, 3]), None);
}

#[test]
fn a_path_with_percent_signs_is_left_where_no_variable_is() {
    for (path, wanted) in [
        (r"%USERPROFILE%\x", r"C:\Users\小明\x"),
        ("100%", "100%"),
        ("%none%/x", "%none%/x"),
        ("%%", "%%"),
    ] {
        assert_eq!(expanded(path, &variable), wanted);
    }
}
