//! ufw's own files, because the rules that it makes from them use iptables extensions that hide their meaning.

use super::chains::Decision;

/// Whether `/etc/ufw/ufw.conf` turns ufw on.
pub(super) fn is_on(config: &str) -> bool {
    setting(config, "ENABLED").is_some_and(|value| value.eq_ignore_ascii_case("yes"))
}

/// The last value of a setting: `KEY=value` or `KEY="value"`.
fn setting<'a>(config: &'a str, key: &str) -> Option<&'a str> {
    let mut values = config.lines().filter_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches('"'))
    });
    // The shell that reads these files also uses the last value.
    values.next_back()
}

/// The result for a first datagram to `port`, from `/etc/ufw/user.rules` and `/etc/default/ufw`.
pub(super) fn decision(
    rules: &str,
    defaults: &str,
    port: u16,
    interface: Option<&str>,
) -> Decision {
    let mut depends = false;
    for line in rules.lines() {
        // ufw keeps each rule as a comment too: action, protocol, ports, destination, source ports, sender,
        // direction.
        let Some(rule) = line.strip_prefix("### tuple ### ") else {
            continue;
        };
        let words: Vec<&str> = rule.split_whitespace().collect();
        let [action, protocol, ports, to, _, from, rest @ ..] = words.as_slice() else {
            continue;
        };
        let is_incoming = match rest.last() {
            None | Some(&"in") => true,
            Some(word) => match (word.strip_prefix("in_"), interface) {
                (Some(wanted), Some(name)) => wanted == name,
                (Some(_), None) => {
                    depends = true;
                    continue;
                }
                (None, _) => false,
            },
        };
        if !is_incoming || !matches!(*protocol, "udp" | "any") || !has_port(ports, port) {
            continue;
        }
        if *from != "0.0.0.0/0" || *to != "0.0.0.0/0" {
            depends = true;
            continue;
        }
        let is_allowed = action.starts_with("allow") || action.starts_with("limit");
        return match (depends, is_allowed) {
            (true, _) => Decision::Depends,
            (false, true) => Decision::Passes,
            (false, false) => Decision::Dropped {
                rule: rule.to_owned(),
            },
        };
    }
    // ufw's own default.
    let policy = setting(defaults, "DEFAULT_INPUT_POLICY").unwrap_or("DROP");
    match (depends, policy) {
        (true, _) => Decision::Depends,
        (false, "ACCEPT") => Decision::Passes,
        (false, policy) => Decision::Dropped {
            rule: format!("DEFAULT_INPUT_POLICY={policy}"),
        },
    }
}

/// Whether a list such as `any`, `6000` or `5000:7000,8000` has the port.
fn has_port(ports: &str, port: u16) -> bool {
    ports == "any"
        || ports.split(',').any(|range| {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u16>().ok();
            number(first).is_some_and(|first| first <= port)
                && number(last).is_some_and(|last| port <= last)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ufws_files_are_read() {
        assert!(is_on("# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n"));
        assert!(!is_on("ENABLED=no\n"));
        assert!(!is_on(""));
        let of = |rules: &str| {
            decision(
                rules,
                "DEFAULT_INPUT_POLICY=\"DROP\"\n",
                6000,
                Some("wlan0"),
            )
        };
        assert_eq!(
            of("### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"),
            Decision::Dropped {
                rule: "DEFAULT_INPUT_POLICY=DROP".to_owned()
            }
        );
        for allows in [
            "allow udp 6000 0.0.0.0/0 any 0.0.0.0/0 in",
            "allow any 5000:7000 0.0.0.0/0 any 0.0.0.0/0 in",
            "limit udp 53,6000 0.0.0.0/0 any 0.0.0.0/0 in",
            "allow any any 0.0.0.0/0 any 0.0.0.0/0 in_wlan0",
            "allow udp 6000 0.0.0.0/0 any 0.0.0.0/0",
        ] {
            assert_eq!(
                of(&format!("### tuple ### {allows}\n")),
                Decision::Passes,
                "{allows}"
            );
        }
        assert_eq!(
            of("### tuple ### allow any any 0.0.0.0/0 any 192.168.0.0/16 in\n"),
            Decision::Depends
        );
        assert!(matches!(
            of(
                "### tuple ### deny udp 6000 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow udp 6000 0.0.0.0/0 any 0.0.0.0/0 in\n"
            ),
            Decision::Dropped { .. }
        ));
        assert_eq!(
            decision("", "DEFAULT_INPUT_POLICY=\"ACCEPT\"", 6000, None),
            Decision::Passes
        );
    }
}
