//! How datagrams are received, and what the kernel says of those that it dropped.

use std::net::SocketAddr;

/// Bytes of one receive buffer: more than any UDP datagram, so that the system never cuts one (Windows would give an
/// error for it) and the receive size is ours to apply.
pub(crate) const SLOT: usize = 1 << 16;

/// Where arrival times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The kernel's, where it gives them.
    Kernel,
    /// Ours, when the datagram is read.
    User,
}

/// How to receive.
#[derive(Debug, Clone, Copy)]
pub struct ReceiveOptions {
    /// Bytes kept of a datagram.
    pub recv_size: usize,
    /// Where times come from.
    pub clock: Clock,
    /// Many datagrams a system call, where the system can; else one.
    pub batching: bool,
}

/// Datagrams that the kernel dropped at a socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// How many.
    pub count: u64,
    /// The kernel counts buffers; how many datagrams those held is taken from their neighbours.
    pub is_estimate: bool,
}

impl std::ops::Add for Drops {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            is_estimate: self.is_estimate || other.is_estimate,
        }
    }
}

/// An IPv4 peer that reached an IPv6 socket is shown as what it is.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => (v4, v6.port()).into(),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}
