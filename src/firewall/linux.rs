//! Finds out which firewall this PC has, and reads its rules if possible.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::time::Duration;

use super::chains::Decision;
use super::{DropReason, Firewall, FirewallVerdict};
#[cfg(target_os = "linux")]
use super::{Interrupted, iptables, nftables, ufw};
#[cfg(target_os = "linux")]
use crate::os_command::{ProgramEnd, ask};
#[cfg(target_os = "linux")]
use crate::wait::Site;

/// How long a program may take to show its rules.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(3);

/// Which firewall decides, and how.
#[cfg(target_os = "linux")]
pub(super) fn look(port: u16, interface: Option<&str>) -> Result<FirewallVerdict, Interrupted> {
    // ufw first: it also makes nftables rules, but in the form of extensions that nft cannot show; ufw's own files show
    // the rules.
    let ufw_config = fs::read_to_string("/etc/ufw/ufw.conf").unwrap_or_default();
    if ufw::is_on(&ufw_config) {
        let Ok(rules) = fs::read_to_string("/etc/ufw/user.rules") else {
            return Ok(FirewallVerdict::Unknown(Some(Firewall::Ufw)));
        };
        let defaults = fs::read_to_string("/etc/default/ufw").unwrap_or_default();
        let decision = ufw::decision(&rules, &defaults, port, interface);
        return Ok(verdict(decision, Firewall::Ufw, port));
    }
    // Before nftables: both kinds of rules are in force at the same time, and a datagram has to pass both.
    let legacy = match run("iptables-legacy", &["-S"])? {
        ProgramEnd::Text(listing) => Some(iptables::decision(&listing, port, interface)),
        _ => None,
    };
    if let Some(decision @ (Decision::Dropped { .. } | Decision::Depends)) = legacy {
        return Ok(verdict(decision, Firewall::Iptables, port));
    }
    let by_firewalld = run("firewall-cmd", &["--state"])?;
    let is_firewalld = matches!(by_firewalld, ProgramEnd::Text(_));
    let manager = if is_firewalld {
        Firewall::Firewalld
    } else {
        Firewall::Nftables
    };
    match run("nft", &["-j", "list", "ruleset"])? {
        ProgramEnd::Text(json) => Ok(match nftables::decision(&json, port, interface) {
            Some(decision) => verdict(decision, manager, port),
            None => FirewallVerdict::Unknown(Some(manager)),
        }),
        _ if is_firewalld => of_firewalld(port),
        ProgramEnd::Absent => Ok(match (legacy, run("iptables", &["-S"])?) {
            (Some(_), _) => FirewallVerdict::Allowed(Firewall::Iptables),
            (None, ProgramEnd::Text(listing)) => verdict(
                iptables::decision(&listing, port, interface),
                Firewall::Iptables,
                port,
            ),
            (None, ProgramEnd::Absent) => FirewallVerdict::Off,
            (None, _) => FirewallVerdict::Unknown(None),
        }),
        _ => Ok(FirewallVerdict::Unknown(None)),
    }
}

/// firewalld tells an ordinary user at the desktop whether it lets a port in.
#[cfg(target_os = "linux")]
fn of_firewalld(port: u16) -> Result<FirewallVerdict, Interrupted> {
    let by = Firewall::Firewalld;
    let asked = format!("--query-port={port}/udp");
    Ok(match run("firewall-cmd", &[&asked])? {
        ProgramEnd::Text(_) => FirewallVerdict::Allowed(by),
        // The port is not in the list of ports, but a service of firewalld may open it all the same.
        ProgramEnd::Failed(answer) if answer.trim() == "no" => FirewallVerdict::Partly {
            by,
            is_prescribed: false,
        },
        _ => FirewallVerdict::Unknown(Some(by)),
    })
}

/// The programs are in folders that an ordinary user's `PATH` may lack.
#[cfg(target_os = "linux")]
fn run(program: &str, args: &[&str]) -> Result<ProgramEnd, Interrupted> {
    for folder in ["", "/usr/sbin/", "/sbin/"] {
        match ask(
            Site::Firewall,
            PATIENCE,
            &format!("{folder}{program}"),
            args,
        ) {
            ProgramEnd::Absent => {}
            ProgramEnd::Interrupted => return Err(Interrupted),
            answer => return Ok(answer),
        }
    }
    Ok(ProgramEnd::Absent)
}

/// The verdict for a decision.
fn verdict(decision: Decision, by: Firewall, port: u16) -> FirewallVerdict {
    match decision {
        Decision::Passes => FirewallVerdict::Allowed(by),
        Decision::Depends => FirewallVerdict::Partly {
            by,
            is_prescribed: false,
        },
        Decision::Dropped { rule } => FirewallVerdict::Blocked(DropReason {
            by,
            command: Some(command(by, &rule, port)),
            rule,
        }),
    }
}

/// The command that allows the port; for nftables it needs the name of the chain that drops the datagram.
fn command(by: Firewall, rule: &str, port: u16) -> String {
    match (by, rule.split_once(": ")) {
        (Firewall::Nftables, Some((chain, _))) => {
            format!("sudo nft insert rule {chain} udp dport {port} accept")
        }
        _ => by.command_to_allow(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_the_chain_that_drops() {
        let decision = Decision::Dropped {
            rule: "inet mine in: policy drop".to_owned(),
        };
        let FirewallVerdict::Blocked(block) = verdict(decision, Firewall::Nftables, 6001) else {
            panic!("not blocked");
        };
        assert_eq!(
            block.command.unwrap(),
            "sudo nft insert rule inet mine in udp dport 6001 accept"
        );
    }
}
