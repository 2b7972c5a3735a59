//! The findings of `udpcli doctor` in words.

use crate::firewall::DropReason;
#[cfg(feature = "board")]
use crate::survey::doctor::PortFinding;
use crate::survey::doctor::{DoctorFinding, OwnAddress};
use crate::survey::severity::Severity;
use crate::text::sentence::{Sentence, sentence};
use crate::words::catalogue::say;

/// A finding with its severity and code, on one line.
#[must_use]
pub(crate) fn line(finding: &DoctorFinding) -> String {
    let (what, code) = (sentence(finding), finding.code());
    match finding.severity() {
        Severity::Ok => say!("doctor.ok", what => what, code = code),
        Severity::Warning => say!("doctor.warning", what => what, code = code),
        Severity::Problem => say!("doctor.problem", what => what, code = code),
    }
}

/// The line with the command for a finding.
#[must_use]
pub(crate) fn command(command: &str) -> String {
    say!("doctor.command", command = command)
}

/// What a program that begins to listen on the port says of the firewall that drops its datagrams.
#[must_use]
pub(crate) fn warning(block: &DropReason, port: u16) -> String {
    match &block.command {
        Some(command) => say!("doctor.blocked", by => block.by.shown(), command = command),
        None => say!("doctor.blocked-prescribed", by => block.by.shown(), port = port),
    }
}

/// What was found, as a sentence.
#[must_use]
pub(crate) fn sentence(finding: &DoctorFinding) -> Sentence {
    match finding {
        DoctorFinding::Address { own, port, others } => address(own, *port, others),
        DoctorFinding::SelfAssigned { own } => sentence!(
            "doctor.self-assigned",
            address = own.address,
            interface = &own.interface
        ),
        DoctorFinding::NoAddress => sentence!("doctor.no-address"),
        DoctorFinding::PortFree { port } => sentence!("doctor.port-free", port = port),
        DoctorFinding::PortInUse { port, holders } if holders.is_empty() => {
            sentence!("doctor.port-in-use", port = port)
        }
        DoctorFinding::PortInUse { port, holders } => {
            let names: Vec<Sentence> = holders.iter().map(super::process).collect();
            sentence!("doctor.port-held", port = port, holders <- names)
        }
        DoctorFinding::PortRefused { port } => sentence!("doctor.port-refused", port = port),
        DoctorFinding::FirewallOff => sentence!("doctor.firewall-off"),
        DoctorFinding::FirewallAllows { by, port } => {
            sentence!("doctor.firewall-allows", by => by.shown(), port = port)
        }
        DoctorFinding::FirewallAsks { by, .. } => {
            sentence!("doctor.firewall-asks", by => by.shown())
        }
        DoctorFinding::FirewallPartly {
            by,
            port,
            is_prescribed: true,
        } => sentence!("doctor.firewall-partly-prescribed", by => by.shown(), port = port),
        DoctorFinding::FirewallPartly { by, port, .. } => {
            sentence!("doctor.firewall-partly", by => by.shown(), port = port)
        }
        DoctorFinding::FirewallBlocks { block, port } if block.command.is_none() => sentence!(
            "doctor.firewall-blocks-prescribed",
            by => block.by.shown(),
            port = port,
            rule => block.rule_shown()
        ),
        DoctorFinding::FirewallBlocks { block, port } => sentence!(
            "doctor.firewall-blocks",
            by => block.by.shown(),
            port = port,
            rule => block.rule_shown()
        ),
        DoctorFinding::FirewallUnknown { by: Some(by), port } => {
            sentence!("doctor.firewall-unread", by => by.shown(), port = port)
        }
        DoctorFinding::FirewallUnknown { by: None, .. } => sentence!("doctor.firewall-unknown"),
        #[cfg(feature = "board")]
        DoctorFinding::Serial(finding) => serial(finding),
    }
}

/// The sentence about this PC's addresses.
fn address(own: &OwnAddress, port: u16, others: &[OwnAddress]) -> Sentence {
    if others.is_empty() {
        return sentence!(
            "doctor.address",
            address = own.address,
            port = port,
            interface = &own.interface
        );
    }
    let others = others
        .iter()
        .map(|own| super::address_on(&own.address, &own.interface))
        .collect();
    sentence!(
        "doctor.addresses",
        address = own.address,
        port = port,
        interface = &own.interface,
        others <- others
    )
}

/// The sentence about a serial port.
#[cfg(feature = "board")]
fn serial(finding: &PortFinding) -> Sentence {
    match finding {
        PortFinding::Board {
            port,
            chip: Some(chip),
        } => sentence!("doctor.board", port = port, chip => crate::words::chip(*chip)),
        PortFinding::Board { port, chip: None } => sentence!("doctor.serial-ready", port = port),
        PortFinding::None { others } if others.is_empty() => sentence!("doctor.no-serial"),
        PortFinding::None { others } => {
            let others = others.iter().map(Sentence::verbatim).collect();
            sentence!("doctor.no-board", others <- others)
        }
        PortFinding::Held { port, holders } => {
            let holders = holders.iter().map(super::process).collect();
            sentence!("doctor.serial-in-use", port = port, holder <- holders)
        }
        PortFinding::Brltty { port: Some(port) } => sentence!("doctor.brltty-holds", port = port),
        PortFinding::Brltty { port: None } => sentence!("doctor.brltty"),
        PortFinding::Denied {
            port,
            group: Some(group),
            is_member: true,
        } => sentence!("doctor.serial-login", port = port, group = group),
        PortFinding::Denied {
            port,
            group: Some(group),
            ..
        } => sentence!("doctor.serial-group", port = port, group = group),
        PortFinding::Denied { port, .. } => sentence!("doctor.serial-denied", port = port),
        PortFinding::Missing { port } => sentence!("doctor.serial-missing", port = port),
        PortFinding::NoDriver { chip } if cfg!(windows) => {
            sentence!("doctor.no-driver-windows", chip = chip.name())
        }
        PortFinding::NoDriver { chip } => sentence!("doctor.no-driver", chip = chip.name()),
        PortFinding::OldDriver { port, chip, year } => {
            sentence!(
                "doctor.driver-old",
                port = port,
                chip = chip.name(),
                year = year
            )
        }
        PortFinding::Unlisted => sentence!("doctor.serial-unknown"),
    }
}
