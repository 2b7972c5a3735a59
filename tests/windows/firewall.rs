//! The firewall's settings and rules in Wine's registry. Wine has no firewall, so this tests only the reading.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::Running;
use crate::windows;

const POLICY: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy";
const NETWORK: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles\{3a5c0b7e-0000-4000-8000-udpcli000001}";

/// What a school's administrator prescribes.
const PRESCRIBED: &str = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall";

/// Runs Wine's `reg`.
pub(crate) fn reg(args: &[&str]) {
    let wine = std::env::var_os("UDPCLI_WINE").expect("looked for before");
    let status = Command::new(wine)
        .arg("reg")
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("Wine starts");
    assert!(status.success(), "reg {args:?}");
}

pub(crate) fn set(key: &str, name: &str, kind: &str, value: &str) {
    reg(&["add", key, "/v", name, "/t", kind, "/d", value, "/f"]);
}

/// Removes the keys, also after a panic.
struct Keys;

impl Drop for Keys {
    fn drop(&mut self) {
        reg(&["delete", POLICY, "/f"]);
        reg(&["delete", NETWORK, "/f"]);
        reg(&["delete", PRESCRIBED, "/f"]);
    }
}

/// The finding about the firewall.
fn finding() -> Value {
    let mut command = windows(["doctor", "--port", "6100", "--format", "json"]).expect("a program");
    let finished = Running::spawn(&mut command).finish();
    let document: Value = serde_json::from_str(&finished.text()).expect("JSON");
    let findings = document["findings"].as_array().expect("findings");
    let found = findings
        .iter()
        .find(|finding| finding["code"].as_str().unwrap().starts_with("firewall-"));
    found.expect("a finding about the firewall").clone()
}

#[test]
fn rules_and_profiles_in_the_registry_are_read() {
    if windows([""; 0]).is_none() {
        return;
    }
    let _keys = Keys;
    for profile in ["PublicProfile", "StandardProfile", "DomainProfile"] {
        set(
            &format!(r"{POLICY}\{profile}"),
            "EnableFirewall",
            "REG_DWORD",
            "1",
        );
    }
    let school = format!(r"{PRESCRIBED}\StandardProfile");
    set(&school, "DisableNotifications", "REG_DWORD", "0");
    // Thursday, 27 November 2026, 9:00, in a public network.
    let time = "ea070b0004001b000900000000000000";
    set(NETWORK, "DateLastConnected", "REG_BINARY", time);
    set(NETWORK, "Category", "REG_DWORD", "0");
    assert_eq!(finding()["code"], "firewall-asks");

    let rules = format!(r"{POLICY}\FirewallRules");
    let exe = std::env::var("UDPCLI_WINDOWS_EXE").expect("looked for before");
    let path = format!("z:{}", exe.replace('/', r"\")).to_uppercase();
    let block = format!(
        "v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=17|Profile=Public|App={path}|Name=课堂|"
    );
    set(&rules, "{block}", "REG_SZ", &block);
    let allow = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=6100|Name=class|";
    set(&rules, "{allow}", "REG_SZ", allow);
    let found = finding();
    assert_eq!(found["code"], "firewall-blocks");
    assert_eq!(found["rule"], "课堂");
    let command = found["command"].as_str().expect("a command");
    assert!(
        command.contains("delete rule name=all dir=in program="),
        "{command}"
    );

    // A listener warns once; a listener on loopback does not.
    for (bind, times) in [("0.0.0.0", 1), ("127.0.0.1", 0)] {
        let mut listen = windows(["listen", "--port", "0", "--bind", bind, "--timeout", "1s"])
            .expect("a program");
        let finished = Running::spawn(&mut listen).finish();
        let said = finished
            .stderr
            .matches("drops what other devices send")
            .count();
        assert_eq!(said, times, "{}", finished.stderr);
    }

    // The same in a private network, to which the blocking rule does not apply.
    set(NETWORK, "Category", "REG_DWORD", "1");
    assert_eq!(finding()["code"], "firewall-allows");
    // A school may let only its own rules count.
    set(&school, "AllowLocalPolicyMerge", "REG_DWORD", "0");
    let found = finding();
    assert_eq!(found["code"], "firewall-blocks");
    // Nothing that one types on this PC helps: the message says whom to ask.
    assert_eq!(found["command"], Value::Null);
    let message = found["message"].as_str().expect("a message");
    assert!(
        message.contains("the administrator of this network"),
        "{message}"
    );
    set(
        &format!(r"{PRESCRIBED}\FirewallRules"),
        "{school}",
        "REG_SZ",
        allow,
    );
    assert_eq!(finding()["code"], "firewall-allows");
    set(
        &format!(r"{POLICY}\StandardProfile"),
        "EnableFirewall",
        "REG_DWORD",
        "0",
    );
    assert_eq!(finding()["code"], "firewall-off");
}
