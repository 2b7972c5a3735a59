//! A sender: its counts, its rate, its last seconds.

use std::net::SocketAddr;
use std::time::Duration;

use super::feed::Excerpt;
use crate::datagram::Timestamp;

/// Seconds of a sender's past that are kept.
pub(super) const PAST: usize = 32;

/// Whole seconds over which a rate is the mean.
const RATE_OVER: usize = 5;

/// The characters of a sparkline, from nothing to the most.
const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A sender.
#[derive(Debug, Clone)]
pub(super) struct SenderCounts {
    /// Its address.
    pub(super) peer: SocketAddr,
    /// Escaped, and empty without one.
    pub(super) name: String,
    /// The address as text.
    pub(super) address: String,
    /// How many datagrams came from this sender.
    pub(super) datagrams: u64,
    /// Their payload bytes.
    pub(super) bytes: u64,
    /// How many datagrams have a sequence number.
    pub(super) sequenced: u64,
    /// Numbers that were missing when a higher one came.
    pub(super) lost: u64,
    /// The missing numbers that came later.
    pub(super) late: u64,
    /// The last payload.
    pub(super) last: Excerpt,
    /// When that came.
    pub(super) time: Timestamp,
    /// The second of the first datagram.
    pub(super) since: u64,
    /// Datagrams of each second, at the second modulo [`PAST`].
    pub(super) past: [u32; PAST],
}

impl SenderCounts {
    /// The share of sequence numbers that did not arrive; `None` without sequence numbers.
    pub(super) fn loss(&self) -> Option<f64> {
        let lost = self.lost.saturating_sub(self.late);
        (self.sequenced > 0).then(|| lost as f64 / (lost + self.sequenced) as f64)
    }

    /// The datagrams of a second.
    fn at(&self, second: u64) -> u32 {
        let index = usize::try_from(second % PAST as u64).unwrap_or(0);
        self.past.get(index).copied().unwrap_or(0)
    }

    /// Datagrams and the time over which the rate is the mean.
    pub(super) fn rate(&self, now: u64) -> (u64, Duration) {
        let whole = now.saturating_sub(self.since).min(RATE_OVER as u64);
        if whole == 0 {
            return (self.at(now).into(), Duration::from_secs(1));
        }
        let sum = (1..=whole).map(|ago| u64::from(self.at(now - ago))).sum();
        (sum, Duration::from_secs(whole))
    }

    /// The last seconds as a sparkline, one cell for each; this second is at the right.
    pub(super) fn sparkline(&self, now: u64, cells: usize) -> String {
        let cells = cells.min(PAST) as u64;
        let counts: Vec<u32> = (0..cells)
            .rev()
            .map(|ago| now.checked_sub(ago).map_or(0, |second| self.at(second)))
            .collect();
        let most = u64::from(counts.iter().copied().max().unwrap_or(0)).max(1);
        let level = |count: u32| {
            let level = (u64::from(count) * 8).div_ceil(most);
            let level = usize::try_from(level).unwrap_or(0);
            LEVELS.get(level).copied().unwrap_or('█')
        };
        counts.into_iter().map(level).collect()
    }
}
