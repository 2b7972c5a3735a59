//! UDP: endpoints, interfaces, sockets, batches of datagrams, and the two loops, `send` and `listen`.
//!
//! Knows nothing of the command line, of formats or of stdout: the loops hand datagrams to a sink.

pub mod answer;
pub mod batch;
pub mod endpoint;
pub mod interface;
pub mod listen;
pub mod membership;
pub mod pace;
pub mod prefix;
pub mod run;
pub mod send;
pub mod sink;
pub mod socket;
mod system;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// Resolves at the deadline; never without one.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
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
