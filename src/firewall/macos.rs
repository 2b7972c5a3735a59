//! The application firewall of macOS, from what `socketfilterfw` tells an ordinary user.

#[cfg(target_os = "macos")]
use super::Interrupted;
use super::{Block, Firewall, Verdict};

#[cfg(target_os = "macos")]
pub(super) fn look() -> Result<Verdict, Interrupted> {
    use std::time::Duration;

    use crate::program::{Answer, ask};
    use crate::wait::Site;

    const PROGRAM: &str = "/usr/libexec/ApplicationFirewall/socketfilterfw";
    let mut answers = Vec::new();
    for question in ["--getglobalstate", "--getblockall"] {
        match ask(Site::Firewall, Duration::from_secs(3), PROGRAM, &[question]) {
            Answer::Text(text) => answers.push(text),
            Answer::Failed(_) | Answer::Absent => {
                return Ok(Verdict::Unknown(Some(Firewall::MacOs)));
            }
            Answer::Interrupted => return Err(Interrupted),
        }
    }
    Ok(verdict(&answers.concat()))
}

/// `Firewall is enabled. (State = 1)`, and `Firewall has block all state set to disabled.` or `Block all INCOMING
/// connections is enabled`; state 2 blocks everything.
fn verdict(answers: &str) -> Verdict {
    let answers = answers.to_ascii_lowercase();
    let blocks_all = answers.contains("state = 2")
        || answers
            .lines()
            .any(|line| line.contains("block all") && line.contains("enabled"));
    if answers.contains("state = 0") {
        Verdict::Off
    } else if blocks_all {
        Verdict::Blocked(Block {
            by: Firewall::MacOs,
            rule: "block all incoming connections".to_owned(),
            command: Firewall::MacOs.command_to_allow(0),
        })
    } else if answers.contains("state = 1") {
        // It asks the user about each program, and keeps the answers to itself.
        Verdict::Asks(Firewall::MacOs)
    } else {
        Verdict::Unknown(Some(Firewall::MacOs))
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
                Verdict::Off => 0,
                Verdict::Asks(_) => 1,
                Verdict::Blocked(_) => 2,
                Verdict::Unknown(_) | Verdict::Allowed(_) | Verdict::Partly(_) => 3,
            };
            assert_eq!(found, is_wanted, "{answers}");
        }
    }
}
