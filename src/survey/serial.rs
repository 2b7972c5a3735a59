//! Serial ports: which have boards, who may use them, which programs have them open, and boards without a serial port.

use crate::board::serial_port_owner;
use crate::board::serial_ports::{self, Chip, Listed};
use crate::processes::Process;
use crate::survey::drivers::{self, DriverFault};
use crate::survey::severity::Severity;

/// A finding about serial ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PortFinding {
    /// A port with a board, ready to be opened.
    Board {
        /// The port's name.
        port: String,
        /// The chip on its USB plug; none for a port that the settings name.
        chip: Option<Chip>,
    },
    /// No serial port looks like a board's.
    None {
        /// The other serial ports.
        others: Vec<String>,
    },
    /// Another program has the port open.
    Held {
        /// The port's name.
        port: String,
        /// The programs.
        holders: Vec<Process>,
    },
    /// brltty, the driver for Braille displays, takes the board.
    Brltty {
        /// The port's name, if there is one.
        port: Option<String>,
    },
    /// This user is not allowed to open the port.
    Denied {
        /// The port's name.
        port: String,
        /// The group whose members may.
        group: Option<String>,
        /// Whether the user is in that group since the last login.
        is_member: bool,
    },
    /// The settings name a port that does not exist.
    Missing {
        /// The port's name.
        port: String,
    },
    /// A board's USB chip is plugged in, but has no serial port.
    NoDriver {
        /// The chip.
        chip: Chip,
    },
    /// The driver of a port is older than Windows 10.
    OldDriver {
        /// The port's name.
        port: String,
        /// The chip.
        chip: Chip,
        /// The year of the driver.
        year: u16,
    },
    /// The system does not list its serial ports.
    Unlisted,
}

impl PortFinding {
    /// The stable code.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Board { .. } => "board",
            Self::None { .. } => "no-board",
            Self::Held { .. } => "serial-in-use",
            Self::Brltty { .. } => "brltty",
            Self::Denied { .. } => "serial-denied",
            Self::Missing { .. } => "serial-missing",
            Self::NoDriver { .. } => "no-driver",
            Self::OldDriver { .. } => "driver-old",
            Self::Unlisted => "serial-unknown",
        }
    }

    /// How much it matters.
    pub(super) fn severity(&self) -> Severity {
        match self {
            Self::Board { .. } => Severity::Ok,
            // Datagrams need no cable.
            Self::None { .. } | Self::OldDriver { .. } | Self::Unlisted => Severity::Warning,
            Self::Held { .. }
            | Self::Brltty { .. }
            | Self::Denied { .. }
            | Self::Missing { .. }
            | Self::NoDriver { .. } => Severity::Problem,
        }
    }

    /// The command that fixes the problem, for this system's usual shell.
    pub(super) fn command(&self) -> Option<String> {
        Some(match self {
            Self::Board { .. } | Self::Unlisted => return None,
            Self::None { .. } | Self::Missing { .. } => "udpcli board list".to_owned(),
            Self::Held { holders, .. } => format!("kill {}", holders.first()?.id),
            Self::Brltty { .. } => "sudo apt remove brltty".to_owned(),
            Self::Denied {
                group: Some(group),
                is_member: true,
                ..
            // Membership counts only after the next login. This command starts a shell that already has it.
            } => format!("newgrp {group}"),
            Self::Denied { group, .. } => {
                let group = group.as_deref().unwrap_or("dialout");
                format!("sudo usermod -aG {group} $USER")
            }
            Self::NoDriver { chip } => return driver(*chip),
            Self::OldDriver { chip, .. } => format!("start {}", page(*chip)?),
        })
    }
}

/// The page of the maker from which the driver is downloaded.
fn page(chip: Chip) -> Option<&'static str> {
    match chip {
        Chip::Cp210x => {
            Some("https://www.silabs.com/developer-tools/usb-to-uart-bridge-vcp-drivers")
        }
        Chip::Ch340 => Some("https://www.wch-ic.com/downloads/CH341SER_EXE.html"),
        Chip::Ch9102 | Chip::Ch343 => Some("https://www.wch-ic.com/downloads/CH343SER_EXE.html"),
        Chip::Ftdi => Some("https://ftdichip.com/drivers/vcp-drivers/"),
        Chip::Espressif | Chip::MicroPython => None,
    }
}

/// The command that makes Windows search for the driver, or that loads it.
fn driver(chip: Chip) -> Option<String> {
    if cfg!(windows) {
        return Some("pnputil /scan-devices".to_owned());
    }
    if !cfg!(target_os = "linux") {
        return None;
    }
    let module = match chip {
        Chip::Cp210x => "cp210x",
        // One driver for the family (drivers/usb/serial/ch341.c).
        Chip::Ch340 => "ch341",
        Chip::Ftdi => "ftdi_sio",
        // These chips present themselves as modems of the USB class CDC ACM.
        Chip::Ch9102 | Chip::Ch343 | Chip::Espressif | Chip::MicroPython => "cdc_acm",
    };
    Some(format!("sudo modprobe {module}"))
}

/// Examines the port that the settings name, or else all that look like a board's.
pub(super) fn examine(named: Option<&str>) -> Vec<PortFinding> {
    let Ok(listed) = serial_ports::list() else {
        return vec![match named {
            Some(port) => of_port(port, None),
            None => PortFinding::Unlisted,
        }];
    };
    let mut findings: Vec<PortFinding> = Vec::new();
    if let Some(name) = named {
        let chip = listed.iter().find(|port| port.name == name);
        findings.push(of_port(name, chip.and_then(Listed::chip)));
    } else {
        let boards = listed
            .iter()
            .filter_map(|port| port.chip().map(|chip| (port, chip)));
        findings.extend(boards.map(|(port, chip)| of_port(&port.name, Some(chip))));
    }
    let without_port = serial_ports::boards_without_port(&listed);
    // On Ubuntu, brltty claims the USB ID 1a86:7523, which is the CH340's.
    if without_port.iter().any(|_| is_brltty_there()) {
        findings.push(PortFinding::Brltty { port: None });
    } else {
        let missing = without_port.into_iter();
        findings.extend(missing.map(|chip| PortFinding::NoDriver { chip }));
    }
    let faults = drivers::judge(&drivers::devices(), &listed);
    findings.extend(faults.into_iter().map(|fault| match fault {
        DriverFault::Missing(chip) => PortFinding::NoDriver { chip },
        DriverFault::Old { port, chip, year } => PortFinding::OldDriver { port, chip, year },
    }));
    if findings.is_empty() {
        findings.push(PortFinding::None {
            others: listed.into_iter().map(|port| port.name).collect(),
        });
    }
    findings
}

/// Examines one port without opening it.
fn of_port(name: &str, chip: Option<Chip>) -> PortFinding {
    let port = name.to_owned();
    if name.contains("://") {
        return PortFinding::Board { port, chip };
    }
    if cfg!(unix) && !std::path::Path::new(name).exists() {
        return PortFinding::Missing { port };
    }
    // Check this before the rights: the program that has the port is known in any case.
    let holders = serial_port_owner::of(name);
    if !holders.is_empty() {
        return if holders.iter().any(|holder| holder.name == "brltty") {
            PortFinding::Brltty { port: Some(port) }
        } else {
            PortFinding::Held { port, holders }
        };
    }
    if serial_port_owner::may_open(name) {
        return PortFinding::Board { port, chip };
    }
    let group = serial_port_owner::group_of(name);
    let is_member = group.as_deref().is_some_and(|group| {
        serial_port_owner::is_member(group, std::env::var("USER").ok().as_deref())
    });
    PortFinding::Denied {
        port,
        group,
        is_member,
    }
}

/// Whether brltty is installed, as it is on Ubuntu; it then takes some boards' USB chips away from their driver.
fn is_brltty_there() -> bool {
    cfg!(target_os = "linux")
        && ["/sbin/brltty", "/usr/bin/brltty", "/usr/sbin/brltty"]
            .iter()
            .any(|path| std::path::Path::new(path).exists())
}
