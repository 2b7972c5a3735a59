//! Examines addresses, the UDP port, the firewall, serial ports and drivers. Nothing is changed, no datagram is sent and
//! no serial port is opened: opening one may reset the board.

use std::net::{Ipv4Addr, UdpSocket};

use crate::firewall::{self, DropReason, Firewall, FirewallVerdict, Interrupted};
use crate::processes::{self, Process};
#[cfg(feature = "board")]
use crate::survey::serial;
use crate::survey::severity::Severity;
use crate::udp::interface;

/// An address of this PC, and the interface that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnAddress {
    /// The address.
    pub(crate) address: Ipv4Addr,
    /// The interface's name.
    pub(crate) interface: String,
}

/// Something that the examination found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DoctorFinding {
    /// The address to type into the board's program.
    Address {
        /// The most likely one.
        own: OwnAddress,
        /// The port that goes with it.
        port: u16,
        /// Addresses on other networks.
        others: Vec<OwnAddress>,
    },
    /// The router gave this PC no address, so it chose one that is only valid on this cable or Wi-Fi.
    SelfAssigned {
        /// The address that this PC chose.
        own: OwnAddress,
    },
    /// This PC is on no network.
    NoAddress,
    /// No program has the port.
    PortFree {
        /// The UDP port.
        port: u16,
    },
    /// Another program has the port.
    PortInUse {
        /// The UDP port.
        port: u16,
        /// The programs, as far as this user may know them.
        holders: Vec<Process>,
    },
    /// The system does not let this user have the port.
    PortRefused {
        /// The UDP port.
        port: u16,
    },
    /// No firewall is on.
    FirewallOff,
    /// The firewall lets the port in.
    FirewallAllows {
        /// The firewall.
        by: Firewall,
        /// The UDP port.
        port: u16,
    },
    /// The firewall lets some datagrams to the port in.
    FirewallPartly {
        /// The firewall.
        by: Firewall,
        /// The UDP port.
        port: u16,
        /// Whether only the network's administrator can make rules.
        is_prescribed: bool,
    },
    /// The firewall asks about a program when it starts to listen.
    FirewallAsks {
        /// The firewall.
        by: Firewall,
        /// The UDP port.
        port: u16,
    },
    /// The firewall drops what comes in for the port.
    FirewallBlocks {
        /// The rule that drops the datagrams, and the command that would allow them.
        block: DropReason,
        /// The UDP port.
        port: u16,
    },
    /// The firewall's rules are not readable.
    FirewallUnknown {
        /// The firewall, if it is known which one.
        by: Option<Firewall>,
        /// The UDP port.
        port: u16,
    },
    /// A finding about serial ports.
    #[cfg(feature = "board")]
    Serial(PortFinding),
}

#[cfg(feature = "board")]
pub(crate) use serial::PortFinding;

impl DoctorFinding {
    /// The stable code.
    #[must_use]
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "address",
            Self::SelfAssigned { .. } => "self-assigned-address",
            Self::NoAddress => "no-address",
            Self::PortFree { .. } => "port-free",
            Self::PortInUse { .. } => "port-in-use",
            Self::PortRefused { .. } => "port-refused",
            Self::FirewallOff => "firewall-off",
            Self::FirewallAllows { .. } => "firewall-allows",
            Self::FirewallPartly { .. } => "firewall-partly",
            Self::FirewallAsks { .. } => "firewall-asks",
            Self::FirewallBlocks { .. } => "firewall-blocks",
            Self::FirewallUnknown { .. } => "firewall-unknown",
            #[cfg(feature = "board")]
            Self::Serial(finding) => finding.code(),
        }
    }

    /// How much it matters.
    #[must_use]
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Self::Address { .. }
            | Self::PortFree { .. }
            | Self::FirewallOff
            | Self::FirewallAllows { .. } => Severity::Ok,
            Self::SelfAssigned { .. }
            | Self::FirewallPartly { .. }
            | Self::FirewallAsks { .. }
            | Self::FirewallUnknown { .. } => Severity::Warning,
            Self::NoAddress
            | Self::PortInUse { .. }
            | Self::PortRefused { .. }
            | Self::FirewallBlocks { .. } => Severity::Problem,
            #[cfg(feature = "board")]
            Self::Serial(finding) => finding.severity(),
        }
    }

    /// The command that fixes the problem or, if no command can, shows more; for this system's usual shell.
    #[must_use]
    pub(crate) fn command(&self) -> Option<String> {
        Some(match self {
            Self::Address { .. }
            | Self::PortFree { .. }
            | Self::FirewallOff
            | Self::FirewallAllows { .. } => return None,
            Self::NoAddress => network_settings().to_owned(),
            Self::SelfAssigned { own } => renewal(&own.interface),
            Self::PortInUse { port, holders } => match holders.first() {
                Some(holder) => format!("kill {}", holder.id),
                None => who_has(*port),
            },
            // Windows keeps ranges of ports for other uses. This lists them.
            Self::PortRefused { .. } if cfg!(windows) => {
                "netsh interface ipv4 show excludedportrange udp".to_owned()
            }
            Self::PortRefused { port } => format!("sudo udpcli listen --port {port}"),
            Self::FirewallAsks {
                by: Firewall::MacOs,
                ..
            } => return None,
            Self::FirewallPartly {
                is_prescribed: true,
                ..
            } => return None,
            Self::FirewallPartly { by, port, .. } | Self::FirewallAsks { by, port } => {
                by.command_to_allow(*port)
            }
            Self::FirewallBlocks { block, .. } => return block.command.clone(),
            Self::FirewallUnknown { by, port } => match by {
                Some(by @ (Firewall::Ufw | Firewall::Firewalld)) => by.command_to_allow(*port),
                _ if cfg!(windows) => "netsh advfirewall show currentprofile".to_owned(),
                _ => format!("sudo udpcli doctor --port {port}"),
            },
            #[cfg(feature = "board")]
            Self::Serial(finding) => return finding.command(),
        })
    }
}

/// The command that opens the network settings or lists the Wi-Fi networks.
fn network_settings() -> &'static str {
    if cfg!(windows) {
        "start ms-settings:network"
    } else if cfg!(target_os = "macos") {
        "networksetup -listallhardwareports"
    } else {
        "nmcli device wifi list"
    }
}

/// The command that asks the router for an address again.
fn renewal(interface: &str) -> String {
    if cfg!(windows) {
        "ipconfig /renew".to_owned()
    } else if cfg!(target_os = "macos") {
        format!("sudo ipconfig set {interface} DHCP")
    } else {
        format!("nmcli device reapply {interface}")
    }
}

/// The command that shows which program has a port.
fn who_has(port: u16) -> String {
    if cfg!(windows) {
        "netstat -ano -p UDP".to_owned()
    } else if cfg!(target_os = "macos") {
        format!("sudo lsof -nP -iUDP:{port}")
    } else {
        format!("sudo ss -lunp sport = :{port}")
    }
}

/// Examines this PC for a listener on `port`. `serial_port` is the port that the user's settings name.
///
/// # Errors
/// The user asked udpcli to stop.
pub(crate) fn examine(
    port: u16,
    serial_port: Option<&str>,
) -> Result<Vec<DoctorFinding>, Interrupted> {
    let own: Vec<OwnAddress> = interface::reachable_v4()
        .into_iter()
        .map(|(address, interface)| OwnAddress { address, interface })
        .collect();
    // A firewall's rules may differ by interface; the board's datagrams come in on this one.
    let facing = own.first().map(|own| own.interface.as_str());
    let firewall = of_firewall(firewall::look(port, facing)?, port);
    let network = [of_addresses(own, port), of_port(port), firewall];
    #[cfg(feature = "board")]
    let serial = serial::examine(serial_port)
        .into_iter()
        .map(DoctorFinding::Serial);
    #[cfg(not(feature = "board"))]
    let serial = {
        let _ = serial_port;
        std::iter::empty()
    };
    Ok(network.into_iter().chain(serial).collect())
}

/// The finding about this PC's addresses, the most likely one first.
fn of_addresses(mut own: Vec<OwnAddress>, port: u16) -> DoctorFinding {
    if own.is_empty() {
        return DoctorFinding::NoAddress;
    }
    let first = own.remove(0);
    // 169.254.0.0/16 (RFC 3927): an address that a PC gives itself when no DHCP server answers.
    if first.address.is_link_local() {
        return DoctorFinding::SelfAssigned { own: first };
    }
    DoctorFinding::Address {
        own: first,
        port,
        others: own,
    }
}

/// The finding about the port: binds it for a moment.
fn of_port(port: u16) -> DoctorFinding {
    // Binding is the only test that also covers what the operating system reserves.
    match UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)) {
        Ok(_) => DoctorFinding::PortFree { port },
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => DoctorFinding::PortInUse {
            port,
            holders: processes::with_udp_port(port, None),
        },
        Err(_) => DoctorFinding::PortRefused { port },
    }
}

/// The finding about the firewall.
fn of_firewall(verdict: FirewallVerdict, port: u16) -> DoctorFinding {
    match verdict {
        FirewallVerdict::Off => DoctorFinding::FirewallOff,
        FirewallVerdict::Allowed(by) => DoctorFinding::FirewallAllows { by, port },
        FirewallVerdict::Partly { by, is_prescribed } => DoctorFinding::FirewallPartly {
            by,
            port,
            is_prescribed,
        },
        FirewallVerdict::Asks(by) => DoctorFinding::FirewallAsks { by, port },
        FirewallVerdict::Blocked(block) => DoctorFinding::FirewallBlocks { block, port },
        FirewallVerdict::Unknown(by) => DoctorFinding::FirewallUnknown { by, port },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_from_no_router_is_a_warning_and_none_a_problem() {
        let own = |address: &str| OwnAddress {
            address: address.parse().unwrap(),
            interface: "wlan0".to_owned(),
        };
        assert_eq!(of_addresses(vec![], 6000), DoctorFinding::NoAddress);
        let found = of_addresses(vec![own("169.254.3.4")], 6000);
        assert_eq!(found.severity(), Severity::Warning);
        let found = of_addresses(vec![own("192.168.0.10"), own("10.0.0.2")], 6000);
        assert!(matches!(&found, DoctorFinding::Address { others, .. } if others.len() == 1));
        assert_eq!((found.severity(), found.command()), (Severity::Ok, None));
    }
}
