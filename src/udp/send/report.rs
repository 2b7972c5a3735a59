//! The counts of a run of sending; the summary line.

use std::fmt;
use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use crate::text::counted;
use crate::text::seconds;
use crate::udp::Neighbour;
use crate::udp::stats::{Spread, per_second, rate};

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Datagrams that the kernel took.
    pub datagrams: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Datagrams that could not be sent, or that the network reported undeliverable.
    pub errors: u64,
    /// Those among `errors` that never left.
    pub unsent: u64,
    /// ICMP port-unreachable messages.
    pub refused: u64,
    /// Datagrams that came back.
    pub replies: u64,
    /// Whether the expected reply was among them.
    pub is_expected_seen: bool,
    /// The last error among `errors`.
    pub last_error: Option<io::Error>,
    /// What is known of a peer that sent nothing back.
    pub neighbour: Option<Neighbour>,
    pub(super) rtt: Spread,
    pub(super) elapsed: Duration,
    /// From the first datagram to the last.
    pub(super) sending: Duration,
}

impl Report {
    /// Datagrams per second, from the first to the last: waiting for replies is not sending. One datagram has no such
    /// span.
    fn rate(&self) -> (u64, Duration) {
        match self.datagrams.checked_sub(1) {
            Some(gaps @ 1..) if !self.sending.is_zero() => (gaps, self.sending),
            _ => (self.datagrams, self.elapsed),
        }
    }

    /// The counts for programs: docs/summary.schema.json.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (count, time) = self.rate();
        let mut counts = json!({
            "command": "send",
            "datagrams": self.datagrams,
            "bytes": self.bytes,
            "errors": self.errors,
            "unsent": self.unsent,
            "refused": self.refused,
            "replies": self.replies,
            "elapsed": self.elapsed.as_secs_f64(),
            "rate": rate(count, time),
        });
        if let (Some(rtt), Some(counts)) = (self.rtt.to_json(), counts.as_object_mut()) {
            counts.insert("rtt".to_owned(), rtt);
        }
        counts
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}, {}, {} refused, {}",
            counted(self.datagrams, "datagram", "datagrams"),
            counted(self.bytes, "byte", "bytes"),
            counted(self.errors, "error", "errors"),
            self.refused,
            counted(self.replies, "reply", "replies"),
        )?;
        if self.rtt.count() > 0 {
            write!(f, ", RTT {}", self.rtt)?;
        }
        write!(f, ", {}", seconds(self.elapsed))?;
        let (count, time) = self.rate();
        write!(f, ", {} datagrams/s", per_second(count, time))
    }
}
