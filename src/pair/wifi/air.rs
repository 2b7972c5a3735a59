//! Finds out whether a Wi-Fi that the board does not see exists on 5 GHz only: this PC's own radio may see it.

use std::time::Duration;

use crate::os_command::{self, ProgramEnd};
use crate::pair::board_session::SessionError;
use crate::text::sentence::{Sentence, sentence};
use crate::wait::Site;

/// The timeout for the operating system's program that lists the networks it knows.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The evidence that the Wi-Fi is on 5 GHz only; `None` without evidence.
///
/// # Errors
/// [`SessionError::Interrupted`].
pub(super) fn only_5ghz(ssid: &str) -> Result<Option<Sentence>, SessionError> {
    let bands = if cfg!(windows) {
        of_netsh(
            &ask("netsh", &["wlan", "show", "networks", "mode=bssid"])?,
            ssid,
        )
    } else {
        of_nmcli(
            &ask(
                "nmcli",
                &[
                    // The terse form, which is for programs and the same in every language.
                    "-t",
                    "-f",
                    "SSID,FREQ",
                    "device",
                    "wifi",
                    "list",
                    // A scan takes seconds; the list of the last one is recent enough.
                    "--rescan",
                    "no",
                ],
            )?,
            ssid,
        )
    };
    Ok(
        match (bands.is_empty(), bands.iter().all(|&is_5ghz| is_5ghz)) {
            (false, true) => Some(sentence!("pair.wifi-only-5ghz")),
            (true, _) if is_named_so(ssid) => Some(sentence!("pair.wifi-named-5ghz")),
            _ => None,
        },
    )
}

/// Whether the name ends like `class-5G` or `class_5GHz`: many access points name their 5 GHz network this way.
fn is_named_so(ssid: &str) -> bool {
    let name = ssid.to_ascii_lowercase();
    ["5g", "5ghz", "5.8g"].iter().any(|end| {
        name.strip_suffix(end)
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_digit() || c == '.'))
    })
}

/// The output of a program of the operating system; empty if the program is missing or too slow.
fn ask(program: &str, args: &[&str]) -> Result<String, SessionError> {
    match os_command::ask(Site::Radio, PATIENCE, program, args) {
        ProgramEnd::Text(text) | ProgramEnd::Failed(text) => Ok(text),
        ProgramEnd::Absent => Ok(String::new()),
        ProgramEnd::Interrupted => Err(SessionError::Interrupted),
    }
}

/// For each access point with this name: whether it is on 5 GHz. Lines are `NAME:5180 MHz`, with `\:` for a colon.
fn of_nmcli(answer: &str, ssid: &str) -> Vec<bool> {
    answer
        .lines()
        .filter_map(|line| line.rsplit_once(':'))
        .filter(|(name, _)| name.replace("\\:", ":").replace("\\\\", "\\") == ssid)
        .filter_map(|(_, frequency)| frequency.split_whitespace().next()?.parse().ok())
        // 2.4 GHz ends at 2,495 MHz, 5 GHz begins at 5,150 MHz.
        .map(|mhz: u32| mhz > 4000)
        .collect()
}

/// The same from `SSID 1 : NAME` and the lines below it, which end in `: 5 GHz` or `: 2.4 GHz`.
fn of_netsh(answer: &str, ssid: &str) -> Vec<bool> {
    let mut is_ours = false;
    let mut bands = Vec::new();
    for line in answer.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if key.starts_with("SSID ") {
            is_ours = value == ssid;
        } else if is_ours && value.ends_with("GHz") {
            bands.push(value.starts_with('5') || value.starts_with('6'));
        }
    }
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_networks_are_parsed() {
        let nmcli = "class:5180 MHz\nother:2412 MHz\na\\:b:2437 MHz\nclass:5500 MHz\n";
        assert_eq!(of_nmcli(nmcli, "class"), [true, true]);
        assert_eq!(of_nmcli(nmcli, "a:b"), [false]);
        assert!(of_nmcli(nmcli, "none").is_empty());
        let netsh = "SSID 1 : class\r\n    BSSID 1 : aa:bb\r\n         Band : 5 GHz\r\nSSID 2 : other\r\n         Band : 2.4 GHz\r\n";
        assert_eq!(of_netsh(netsh, "class"), [true]);
        assert_eq!(of_netsh(netsh, "other"), [false]);
    }

    #[test]
    fn a_network_name_can_show_5_ghz() {
        for name in ["class-5G", "class_5GHz", "CLASS5g"] {
            assert!(is_named_so(name), "{name}");
        }
        for name in ["class", "room25g", "2.5G", "5Gym"] {
            assert!(!is_named_so(name), "{name}");
        }
    }
}
