//! A received datagram: its payload, its sender, its arrival time, and the notes of the receive loop about it.

pub mod run;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A wall-clock time in nanoseconds since the Unix epoch (range: the years 1677 to 2262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `nanos` nanoseconds after the epoch.
    #[must_use]
    pub(crate) const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds.
    #[must_use]
    pub(crate) const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// The current wall-clock time.
    #[must_use]
    pub(crate) fn now() -> Self {
        let now = SystemTime::now();
        Self(match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, i64::wrapping_neg)
            }
        })
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub(crate) const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The duration since the epoch; zero for times before it.
    #[must_use]
    pub(crate) fn since_epoch(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

/// The kind of destination address that a datagram had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressed {
    /// A unicast address of this machine.
    Unicast,
    /// A multicast group or a broadcast address.
    Group,
    /// Unknown: the operating system does not report it.
    Unknown,
}

/// One received datagram; it borrows the payload from the receive buffer.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// The payload, truncated to the receive size.
    pub(crate) payload: &'a [u8],
    /// The sender.
    pub(crate) peer: SocketAddr,
    /// The destination address and port; the socket's own address if the operating system does not report the
    /// destination.
    pub(crate) local: SocketAddr,
    /// The arrival time: the kernel's timestamp if there is one, otherwise the time of reading.
    pub(crate) time: Timestamp,
    /// The length before truncation.
    pub(crate) full_len: usize,
}

impl Datagram<'_> {
    /// Whether it was truncated to the receive size.
    #[must_use]
    pub(crate) fn is_truncated(&self) -> bool {
        self.full_len > self.payload.len()
    }
}

/// What the receive loop found out about a datagram: its sequence number, its checksum, its reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    /// Its sequence number.
    pub(crate) sequence: Option<u64>,
    /// How many numbers are missing directly before it.
    pub(crate) lost: u64,
    /// Whether its number was counted as missing until it came.
    pub(crate) is_late: bool,
    /// Whether its checksum is right; `None` if there is none to verify.
    pub(crate) check: Option<bool>,
    /// The number of the reply rule that it matches, from 1.
    pub(crate) rule: Option<NonZeroU32>,
}

/// The wildcard address of `like`'s family.
#[must_use]
pub(crate) fn unspecified(like: &SocketAddr, port: u16) -> SocketAddr {
    if like.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, port).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, port).into()
    }
}
