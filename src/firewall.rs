//! Whether this PC's firewall lets a first datagram to a UDP port come in.
//!
//! The rules are read, never changed. The module `chains` decides, from rules that match, may match or do not match;
//! the modules beside it translate the rules of each firewall. Rules that only root or an administrator can read are
//! reported as unknown.

#[cfg(any(target_os = "linux", test))]
mod chains;
#[cfg(any(target_os = "linux", test))]
mod iptables;
#[cfg(any(target_os = "linux", test))]
mod linux;
#[cfg(any(target_os = "macos", test))]
mod macos;
#[cfg(any(target_os = "linux", windows, test))]
mod matching;
#[cfg(any(target_os = "linux", test))]
mod nftables;
#[cfg(any(target_os = "linux", test))]
mod ufw;
#[cfg(any(windows, test))]
mod windows;
#[cfg(windows)]
mod windows_registry;

use crate::text::sentence::{Sentence, sentence};

/// A firewall program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Firewall {
    /// Linux' nftables, without a program that manages it.
    Nftables,
    /// The older iptables.
    Iptables,
    /// Ubuntu's ufw.
    Ufw,
    /// firewalld, as on Fedora.
    Firewalld,
    /// Microsoft Defender Firewall.
    #[cfg_attr(
        not(any(windows, test)),
        expect(dead_code, reason = "only Windows has it")
    )]
    Windows,
    /// The application firewall of macOS.
    #[cfg_attr(
        not(any(target_os = "macos", test)),
        expect(dead_code, reason = "only macOS has it")
    )]
    MacOs,
}

impl Firewall {
    /// The firewall's usual name, and the value in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nftables => "nftables",
            Self::Iptables => "iptables",
            Self::Ufw => "ufw",
            Self::Firewalld => "firewalld",
            Self::Windows => "Windows Defender Firewall",
            Self::MacOs => "macOS firewall",
        }
    }

    /// The name for people: Windows and macOS name their firewall in the user's language.
    #[must_use]
    pub(crate) fn shown(self) -> Sentence {
        match self {
            Self::Windows => sentence!("doctor.windows-firewall"),
            Self::MacOs => sentence!("doctor.macos-firewall"),
            Self::Nftables | Self::Iptables | Self::Ufw | Self::Firewalld => {
                Sentence::verbatim(self.name())
            }
        }
    }

    /// The command that lets datagrams to this port come in. It needs root or an administrator.
    #[must_use]
    pub(crate) fn command_to_allow(self, port: u16) -> String {
        match self {
            Self::Nftables => {
                // `insert` puts the rule first: after a rule that drops, it would never be reached.
                format!("sudo nft insert rule inet filter input udp dport {port} accept")
            }
            // `-I` puts the rule first, too.
            Self::Iptables => format!("sudo iptables -I INPUT -p udp --dport {port} -j ACCEPT"),
            Self::Ufw => format!("sudo ufw allow {port}/udp"),
            Self::Firewalld => format!("sudo firewall-cmd --add-port={port}/udp"),
            Self::Windows => format!(
                "netsh advfirewall firewall add rule name=udpcli dir=in action=allow protocol=UDP localport={port}"
            ),
            Self::MacOs => {
                // This firewall has rules for programs, not for ports: udpcli can only remove the block of everything.
                "sudo /usr/libexec/ApplicationFirewall/socketfilterfw --setblockall off".to_owned()
            }
        }
    }
}

/// What happens to the first datagram from another device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FirewallVerdict {
    /// No firewall is on.
    Off,
    /// The datagram comes in.
    Allowed(Firewall),
    /// The result depends on the sender, or on something that the rules do not show.
    Partly {
        /// The firewall.
        by: Firewall,
        /// Whether only the network's administrator can make rules.
        is_prescribed: bool,
    },
    /// The firewall asks the user about a program that starts to listen, and does what the user answers.
    #[cfg_attr(
        not(any(windows, target_os = "macos", test)),
        expect(dead_code, reason = "only Windows and macOS have such a firewall")
    )]
    Asks(Firewall),
    /// The datagram is dropped.
    Blocked(DropReason),
    /// The rules are not readable without root, or there is no way to read them.
    Unknown(Option<Firewall>),
}

/// Why a datagram is dropped, and the command that allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DropReason {
    /// The firewall that drops it.
    pub(crate) by: Firewall,
    /// The rule or the policy, as the firewall writes it.
    pub(crate) rule: String,
    /// The command that lets datagrams to the port in; `None` where only the network's administrator can.
    pub(crate) command: Option<String>,
}

/// The setting of Windows that drops whatever no rule allows, after the kind of the network and a colon.
const BY_DEFAULT: &str = "DefaultInboundAction";

/// The setting of Windows that drops everything, after the kind of the network and a colon.
const BLOCKS_ALL: &str = "block all incoming connections";

impl DropReason {
    /// The rule for people: a rule's name as it is, a setting of Windows in their language.
    #[must_use]
    pub(crate) fn rule_shown(&self) -> Sentence {
        match self.rule.split_once(": ") {
            Some((network, BY_DEFAULT)) => sentence!("doctor.rule-default", network = network),
            Some((network, BLOCKS_ALL)) => sentence!("doctor.rule-blocks-all", network = network),
            _ => Sentence::verbatim(&self.rule),
        }
    }
}

/// The user asked udpcli to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted;

/// Reads what this PC's firewall does with a datagram to `port` that comes in through `interface`.
///
/// # Errors
/// The user asked udpcli to stop.
#[cfg_attr(
    windows,
    expect(
        clippy::unnecessary_wraps,
        reason = "elsewhere the user can interrupt the programs that show the rules"
    )
)]
pub(crate) fn look(port: u16, interface: Option<&str>) -> Result<FirewallVerdict, Interrupted> {
    #[cfg(target_os = "linux")]
    {
        linux::look(port, interface)
    }
    #[cfg(target_os = "macos")]
    {
        let _ = (port, interface);
        macos::look()
    }
    #[cfg(windows)]
    {
        let _ = interface;
        Ok(windows_registry::look(port))
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
    {
        let _ = (port, interface);
        Ok(FirewallVerdict::Unknown(None))
    }
}

/// The rule that drops a datagram to `port`, if reading the rules needs no program and no time, as on Windows. For the
/// start of a command that listens.
#[must_use]
pub(crate) fn known_block(port: u16) -> Option<DropReason> {
    #[cfg(windows)]
    if let FirewallVerdict::Blocked(block) = windows_registry::look(port) {
        return Some(block);
    }
    let _ = port;
    None
}
