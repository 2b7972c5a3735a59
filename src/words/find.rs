//! The boards of `udpcli find` in words.

use crate::survey::find::Evidence;
use crate::survey::find::probe::PortState;
use crate::words::catalogue::say;
#[cfg(feature = "board")]
use crate::words::catalogue::text;

/// How a board was found.
#[must_use]
pub(crate) fn evidence(found: &[Evidence]) -> String {
    let ways: Vec<String> = found.iter().copied().map(way).collect();
    ways.join(" + ")
}

fn way(evidence: Evidence) -> String {
    match evidence {
        Evidence::NeighbourTable => say!("find.neighbour-table"),
        Evidence::Mdns => say!("find.mdns"),
        #[cfg(feature = "board")]
        Evidence::Usb(chip) => say!("find.usb", chip = text(&crate::words::chip(chip))),
    }
}

/// The reaction of a device to a datagram to UDP port 6000.
#[must_use]
pub(crate) fn port(state: PortState) -> String {
    match state {
        PortState::Open => say!("find.port-open"),
        PortState::Closed => say!("find.port-closed"),
        PortState::Unknown => say!("find.port-unknown"),
    }
}
