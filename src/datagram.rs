//! A received datagram: its payload, who sent it, when it arrived, and what a loop noted about it.

pub mod run;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time on the wall clock, in nanoseconds since the Unix epoch (the years 1677 to 2262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The time `nanos` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds.
    #[must_use]
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// The wall clock's time now.
    #[must_use]
    pub fn now() -> Self {
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
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Since the epoch; zero for times before it.
    #[must_use]
    pub fn since_epoch(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

/// How a datagram was addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressed {
    /// To this machine alone.
    Unicast,
    /// To a multicast group or a broadcast address.
    Group,
    /// The system does not tell.
    Unknown,
}

/// One received datagram; the payload lies in the receiver's buffer.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// The bytes, cut to the receive size.
    pub payload: &'a [u8],
    /// Who sent it.
    pub peer: SocketAddr,
    /// The address and port it was sent to, as far as the system tells.
    pub local: SocketAddr,
    /// Unicast or not.
    pub addressed: Addressed,
    /// When it arrived: by the kernel where it says, else when it was read.
    pub time: Timestamp,
    /// Bytes before the cut.
    pub full_len: usize,
}

impl Datagram<'_> {
    /// Whether the receive size cut it.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.full_len > self.payload.len()
    }
}

/// What the loop found out about a datagram.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    /// Its sequence number.
    pub sequence: Option<u64>,
    /// Numbers missing just before it.
    pub lost: u64,
}

/// The wildcard address of `like`'s family.
#[must_use]
pub fn unspecified(like: &SocketAddr, port: u16) -> SocketAddr {
    if like.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, port).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, port).into()
    }
}
