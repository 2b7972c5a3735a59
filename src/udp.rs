//! UDP: endpoints, interfaces, sockets, batches of datagrams, and the two loops, `send` and `listen`.
//!
//! Knows nothing of the command line, of formats or of stdout: the loops hand datagrams to a sink.

pub mod adapter;
pub mod answer;
pub mod batch;
pub mod endpoint;
pub mod error;
pub mod interface;
pub mod listen;
pub mod membership;
pub mod outbox;
pub mod pace;
pub mod payload;
pub mod prefix;
pub mod receive;
pub mod send;
pub mod sink;
pub mod socket;
pub mod stats;
mod system;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The longest payload over IPv4: 65,535 less 20 bytes of IP header and 8 of UDP (RFC 791, RFC 768).
pub const MAX_PAYLOAD_V4: usize = 65_507;

/// The longest payload over IPv6: 65,535 less 8 bytes of UDP header (RFC 8200 counts its own header apart).
pub const MAX_PAYLOAD_V6: usize = 65_527;

/// Bytes of headers around a payload, by the peer's family: IP without options, and UDP.
#[must_use]
pub fn header_len(peer: &SocketAddr) -> usize {
    if peer.is_ipv4() { 28 } else { 48 }
}

/// The longest payload to this peer.
#[must_use]
pub fn max_payload(peer: &SocketAddr) -> usize {
    if peer.is_ipv4() {
        MAX_PAYLOAD_V4
    } else {
        MAX_PAYLOAD_V6
    }
}

/// The peer's address family, for messages.
#[must_use]
pub fn family_name(peer: &SocketAddr) -> &'static str {
    if peer.is_ipv4() { "IPv4" } else { "IPv6" }
}

/// What is known of a host on this machine's own network (ARP for IPv4, neighbour discovery for IPv6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Neighbour {
    /// It was asked for on this interface, and does not answer.
    Silent {
        /// The interface's name.
        interface: String,
    },
    /// It answered a moment ago.
    Present,
}

/// A firewall kept a datagram from its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// Where the firewall is; `None` is this machine.
    pub by: Option<IpAddr>,
}

impl std::error::Error for Rejected {}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            Some(by) => write!(f, "rejected by a firewall on {by}"),
            // What the system says of it is what people search for.
            None => write!(
                f,
                "rejected by a firewall on this PC (Operation not permitted)"
            ),
        }
    }
}

impl From<Rejected> for io::Error {
    fn from(rejected: Rejected) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, rejected)
    }
}
