//! When the next datagram is due: one after another, every so often, or at a rate.

use std::num::ParseFloatError;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Datagrams a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// As fast as the kernel takes them.
    Max,
    /// Evenly spaced.
    PerSecond(f64),
}

/// The highest rate worth pacing; above it `max` is meant.
const HIGHEST_RATE: f64 = 1e9;

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("max") {
            return Ok(Self::Max);
        }
        let (digits, factor) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1e3),
            None => text
                .strip_suffix('M')
                .map_or((text, 1.0), |digits| (digits, 1e6)),
        };
        let rate: f64 = digits.parse().map_err(|_: ParseFloatError| {
            "write datagrams a second, such as 100 or 50k, or max".to_owned()
        })?;
        let rate = rate * factor;
        if rate > 0.0 && rate <= HIGHEST_RATE {
            Ok(Self::PerSecond(rate))
        } else {
            Err("the rate must be above 0 (or max)".to_owned())
        }
    }
}

/// Spaces datagrams; the schedule counts from the first, so that lateness does not add up.
#[derive(Debug, Clone)]
pub struct Pace {
    gap: Duration,
    /// Nanoseconds, exact where `gap` is rounded.
    gap_nanos: f64,
    start: Option<Instant>,
    sent: u64,
}

/// Late by at most this much, the schedule is kept and the delay made good; later than that it starts afresh, so that
/// a machine that slept does not answer with a flood.
const FORGIVEN: Duration = Duration::from_millis(200);

/// At most this much of the schedule goes out back to back when making good a delay.
const BURST: Duration = Duration::from_millis(1);

impl Pace {
    /// Back to back.
    #[must_use]
    pub fn unpaced() -> Self {
        Self::every(Duration::ZERO)
    }

    /// One datagram every `gap`.
    #[must_use]
    pub fn every(gap: Duration) -> Self {
        Self {
            gap,
            gap_nanos: gap.as_secs_f64() * 1e9,
            start: None,
            sent: 0,
        }
    }

    /// At a rate.
    #[must_use]
    pub fn at(rate: Rate) -> Self {
        match rate {
            Rate::Max => Self::unpaced(),
            Rate::PerSecond(rate) => Self {
                gap: Duration::from_secs_f64((1.0 / rate).min(1e9)),
                gap_nanos: 1e9 / rate,
                start: None,
                sent: 0,
            },
        }
    }

    /// Whether datagrams go back to back.
    #[must_use]
    pub fn is_unpaced(&self) -> bool {
        self.gap_nanos == 0.0
    }

    /// When the next datagram is due; `now` if it is the first.
    pub fn due(&mut self, now: Instant) -> Instant {
        let Some(start) = self.start else {
            return *self.start.insert(now);
        };
        if self.is_unpaced() {
            return now;
        }
        let due = self.at_index(start, self.sent);
        if now.saturating_duration_since(due) > FORGIVEN.max(self.gap) {
            self.start = Some(now);
            self.sent = 0;
            return now;
        }
        due
    }

    /// How many datagrams may go now, `limit` at most: those that are due, but no long burst.
    pub fn allowance(&mut self, now: Instant, limit: usize) -> usize {
        if self.is_unpaced() {
            self.due(now);
            return limit;
        }
        if self.due(now) > now {
            return 0;
        }
        let start = self.start.unwrap_or(now);
        let elapsed = now.saturating_duration_since(start).as_secs_f64() * 1e9;
        let due = (elapsed / self.gap_nanos).floor() + 1.0 - self.sent as f64;
        let burst = (BURST.as_secs_f64() * 1e9 / self.gap_nanos)
            .floor()
            .max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and the burst, which fits"
        )]
        let allowed = due.clamp(1.0, burst) as usize;
        allowed.min(limit)
    }

    /// Counts datagrams as gone, sent or failed.
    pub fn count(&mut self, datagrams: usize) {
        self.sent += datagrams as u64;
    }

    fn at_index(&self, start: Instant, index: u64) -> Instant {
        let nanos = self.gap_nanos * index as f64;
        start + Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::from_secs(1 << 32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn rates_are_read() {
        assert_eq!("max".parse(), Ok(Rate::Max));
        assert_eq!("100".parse(), Ok(Rate::PerSecond(100.0)));
        assert_eq!("2.5k".parse(), Ok(Rate::PerSecond(2500.0)));
        for text in ["0", "-1", "nan", "inf", "", "x", "1e30"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn lateness_does_not_add_up() {
        let start = Instant::now();
        let mut pace = Pace::every(100 * MS);
        for index in 0..10u32 {
            let due = pace.due(start + index * 100 * MS + 30 * MS * index.min(1));
            assert_eq!(
                due,
                if index == 0 {
                    start
                } else {
                    start + index * 100 * MS
                }
            );
            pace.count(1);
        }
    }

    #[test]
    fn a_machine_that_slept_sends_no_flood() {
        let start = Instant::now();
        let mut pace = Pace::at(Rate::PerSecond(100.0));
        assert_eq!(pace.allowance(start, 64), 1);
        pace.count(1);
        let woken = start + Duration::from_secs(60);
        assert_eq!(pace.due(woken), woken);
        assert_eq!(pace.allowance(woken, 64), 1);
        pace.count(1);
        assert_eq!(pace.due(woken), woken + 10 * MS);
    }

    #[test]
    fn no_burst_is_longer_than_a_millisecond_of_schedule() {
        let start = Instant::now();
        let mut pace = Pace::at(Rate::PerSecond(10_000.0));
        assert_eq!(pace.allowance(start, 64), 1);
        pace.count(1);
        assert_eq!(pace.allowance(start + 50 * MS, 64), 10);
        assert_eq!(pace.allowance(start + Duration::from_micros(150), 64), 1);
        assert_eq!(Pace::unpaced().allowance(start, 64), 64);
    }
}
