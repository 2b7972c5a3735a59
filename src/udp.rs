//! UDP: endpoints, interfaces, sockets, batches of datagrams, and the loops, `send`, `listen` and `relay`.
//!
//! This module does not depend on the command line, the output formats or stdout: the loops hand their datagrams to a
//! [`sink::Sink`].

pub(crate) mod adapter;
pub mod answer;
pub(crate) mod batch;
mod delayed;
pub mod endpoint;
pub mod error;
pub mod interface;
pub(crate) mod listen;
pub mod membership;
pub(crate) mod outbox;
pub(crate) mod pace;
pub mod payload;
pub(crate) mod prefix;
pub(crate) mod receive;
pub mod relay;
mod route;
pub(crate) mod send;
pub(crate) mod sink;
pub(crate) mod socket;
pub mod stats;
mod system;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The longest payload over IPv4: 65,535 less 20 bytes of IP header and 8 of UDP (RFC 791, RFC 768).
pub(crate) const MAX_PAYLOAD_V4: usize = 65_507;

/// The longest payload over IPv6: 65,535 less 8 bytes of UDP header (RFC 8200: the length field leaves out the IPv6
/// header).
pub(crate) const MAX_PAYLOAD_V6: usize = 65_527;

/// Header bytes that IP (without options) and UDP add to a payload, by the peer's address family.
#[must_use]
pub(crate) fn header_len(peer: &SocketAddr) -> usize {
    // 20 or 40 bytes of IP header (RFC 791, RFC 8200), and 8 of UDP (RFC 768).
    if peer.is_ipv4() { 28 } else { 48 }
}

/// The longest payload to this peer.
#[must_use]
pub(crate) fn max_payload(peer: &SocketAddr) -> usize {
    if peer.is_ipv4() {
        MAX_PAYLOAD_V4
    } else {
        MAX_PAYLOAD_V6
    }
}

/// The name of the peer's address family, for messages.
#[must_use]
pub(crate) fn family_name(peer: &SocketAddr) -> &'static str {
    if peer.is_ipv4() { "IPv4" } else { "IPv6" }
}

/// The kernel's neighbour-table state for a host on the local network (ARP for IPv4, neighbour discovery for IPv6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Neighbour {
    /// The kernel sent ARP or neighbour solicitations on this interface, and the host did not answer.
    Silent {
        /// The interface's name.
        interface: String,
    },
    /// The host answered recently (`NUD_REACHABLE`).
    Present,
}

/// A firewall rejected a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// The host that runs the firewall; `None` means this machine.
    pub(crate) by: Option<IpAddr>,
}

impl std::error::Error for Rejected {}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            Some(by) => write!(f, "rejected by a firewall on {by}"),
            // Keep the operating system's own wording: it is what people search the web for.
            None => write!(
                f,
                "rejected by a firewall on this PC (Operation not permitted)"
            ),
        }
    }
}

impl From<Rejected> for io::Error {
    fn from(rejected: Rejected) -> Self {
        // The kind that Linux gives for EPERM, so that code that looks only at the kind treats both alike.
        Self::new(io::ErrorKind::PermissionDenied, rejected)
    }
}
