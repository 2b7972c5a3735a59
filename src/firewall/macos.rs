//! The application firewall of macOS, from the output of `socketfilterfw` for an ordinary user.

#[cfg(target_os = "macos")]
use super::Interrupted;
use super::{DropReason, Firewall, FirewallVerdict};

/// Asks `socketfilterfw`, which is not in `PATH`.
#[cfg(target_os = "macos")]
pub(super) fn look() -> Result<FirewallVerdict, Interrupted> {
    use std::time::Duration;

    use crate::os_command::{ProgramEnd, ask};
    use crate::wait::Site;

    const PROGRAM: &str = "/usr/libexec/ApplicationFirewall/socketfilterfw";
    let mut answers = Vec::new();
    for question in ["--getglobalstate", "--getblockall"] {
        match ask(Site::Firewall, Duration::from_secs(3), PROGRAM, &[question]) {
            ProgramEnd::Text(text) => answers.push(text),
            ProgramEnd::Failed(_) | ProgramEnd::Absent => {
                return Ok(FirewallVerdict::Unknown(Some(Firewall::MacOs)));
            }
            ProgramEnd::Interrupted => return Err(Interrupted),
        }
    }
    Ok(verdict(&answers.concat()))
}

/// `Firewall is enabled. (State = 1)`, and `Firewall has block all state set to disabled.` or `DropReason all INCOMING
/// connections is enabled`; state 2 blocks everything.
fn verdict(answers: &str) -> FirewallVerdict {
    let answers = answers.to_ascii_lowercase();
    let blocks_all = answers.contains("state = 2")
        || answers
            .lines()
            .any(|line| line.contains("block all") && line.contains("enabled"));
    if answers.contains("state = 0") {
        FirewallVerdict::Off
    } else if blocks_all {
        FirewallVerdict::Blocked(DropReason {
            by: Firewall::MacOs,
            rule: "block all incoming connections".to_owned(),
            command: Some(Firewall::MacOs.command_to_allow(0)),
        })
    } else if answers.contains("state = 1") {
        // The firewall asks the user about each program, but does not show the answers.
        FirewallVerdict::Asks(Firewall::MacOs)
    } else {
        FirewallVerdict::Unknown(Some(Firewall::MacOs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_global_state_is_understood() {
        for (answers, is_wanted) in [
            ("Firewall is disabled. (State = 0) \n", 0),
            (
                "Firewall is enabled. (State = 1) \nFirewall has block all state set to disabled.\n",
                1,
            ),
            (
                "Firewall is enabled. (State = 1) \nFirewall has block all state set to enabled.\n",
                2,
            ),
            (
                "Firewall is blocking all non-essential incoming connections. (State = 2)\n",
                2,
            ),
            ("?", 3),
        ] {
            let found = match verdict(answers) {
                FirewallVerdict::Off => 0,
                FirewallVerdict::Asks(_) => 1,
                FirewallVerdict::Blocked(_) => 2,
                FirewallVerdict::Unknown(_)
                | FirewallVerdict::Allowed(_)
                | FirewallVerdict::Partly { .. } => 3,
            };
            assert_eq!(found, is_wanted, "{answers}");
        }
    }
}
