//! Options for receiving, and the kernel's count of dropped datagrams.

use std::net::SocketAddr;

use crate::text::sentence::{Sentence, sentence};

/// The size of one receive buffer: larger than any UDP datagram, so that the kernel never truncates one (Windows would
/// return an error) and udpcli applies the receive size itself.
pub(crate) const SLOT: usize = 1 << 16;

/// The source of arrival times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeSource {
    /// The kernel's receive timestamp, if the operating system has one.
    Kernel,
    /// The time when udpcli reads the datagram.
    User,
}

/// Options for receiving.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceiveOptions {
    /// The receive size: longer datagrams are truncated to this many bytes.
    pub(crate) recv_size: usize,
    /// The source of arrival times.
    pub(crate) clock: TimeSource,
    /// Receive many datagrams per system call, if the operating system can.
    pub(crate) batching: bool,
}

/// The number of datagrams that the kernel dropped because a socket's receive buffer was full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Drops {
    /// The number of datagrams.
    pub(crate) count: u64,
    /// Whether `count` is an estimate: with GRO the kernel counts dropped buffers, and udpcli assumes that each held as
    /// many datagrams as a buffer received next to it.
    pub(crate) is_estimate: bool,
}

impl Drops {
    /// The clause of a summary.
    pub(crate) fn clause(self) -> Sentence {
        if self.is_estimate && self.count > 0 {
            sentence!("summary.dropped-about", n = self.count)
        } else {
            sentence!("summary.dropped", n = self.count)
        }
    }
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

/// Converts an IPv4-mapped IPv6 address to IPv4: a dual-stack socket reports IPv4 peers as `::ffff:a.b.c.d`.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => (v4, v6.port()).into(),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}
