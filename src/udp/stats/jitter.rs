//! How evenly datagrams arrive.

use crate::datagram::Timestamp;

/// The interarrival jitter of RFC 3550, section 6.4.1: how much the spacing of arrivals differs from that of sending. It
/// needs no common clock, because only differences of each clock are used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jitter {
    previous: Option<(Timestamp, Timestamp)>,
    /// The smoothed estimate, in nanoseconds.
    estimate: f64,
    /// The sum of all differences and their number, for the mean.
    sum: f64,
    count: u64,
}

impl Jitter {
    /// Counts datagrams that were sent at the same time and arrived at the same time. Returns the first's difference.
    pub(super) fn record(
        &mut self,
        sent: Timestamp,
        arrived: Timestamp,
        count: u64,
    ) -> Option<f64> {
        let Some((before_sent, before_arrived)) = self.previous.replace((sent, arrived)) else {
            self.rest(count - 1);
            return None;
        };
        let transit = arrived.as_nanos().saturating_sub(before_arrived.as_nanos());
        let spacing = sent.as_nanos().saturating_sub(before_sent.as_nanos());
        let difference = (transit as f64 - spacing as f64).abs();
        self.estimate += (difference - self.estimate) / 16.0;
        self.sum += difference;
        self.rest(count - 1);
        self.count += 1;
        Some(difference)
    }

    /// Starts again: the next datagram is not compared with the previous one.
    pub(super) fn restart(&mut self) {
        self.previous = None;
    }

    /// Counts datagrams without a difference to the one before.
    fn rest(&mut self, count: u64) {
        let power = i32::try_from(count).unwrap_or(i32::MAX);
        self.estimate *= (15.0_f64 / 16.0).powi(power);
        self.count += count;
    }

    /// The smoothed estimate of RFC 3550, in seconds.
    #[must_use]
    pub(crate) fn smoothed(&self) -> f64 {
        self.estimate / 1e9
    }

    /// The same, if there were two datagrams to compare.
    #[must_use]
    pub(crate) fn known(&self) -> Option<f64> {
        (self.count > 0).then(|| self.smoothed())
    }

    /// The mean of all differences, in seconds.
    #[must_use]
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64 / 1e9
    }
}
