//! Counts, spreads of times, and sequence numbers: what the summaries are made of.

pub mod sequence;

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Times from a nanosecond to an hour, three digits exact, in bounded memory.
#[derive(Debug)]
pub struct Spread {
    histogram: Histogram<u32>,
    /// Exact, where the histogram knows the bucket only.
    ends: Option<(u64, u64)>,
}

impl Default for Spread {
    fn default() -> Self {
        // Three digits are always a valid precision; `new` fails on others only.
        let histogram = Histogram::new(3)
            .unwrap_or_else(|_| unreachable!("three digits are a valid precision"));
        Self {
            histogram,
            ends: None,
        }
    }
}

/// Longer times count as this.
const LONGEST: Duration = Duration::from_hours(1);

impl Spread {
    /// Counts one time.
    pub fn record(&mut self, time: Duration) {
        self.record_n(time, 1);
    }

    /// Counts one time `count` times.
    pub fn record_n(&mut self, time: Duration, count: u64) {
        let nanos = u64::try_from(time.min(LONGEST).as_nanos())
            .unwrap_or(u64::MAX)
            .max(1);
        // The histogram grows to what an hour takes; it refuses nothing below.
        let _ = self
            .histogram
            .record_n(nanos, u32::try_from(count).unwrap_or(u32::MAX));
        let (min, max) = self.ends.unwrap_or((nanos, nanos));
        self.ends = Some((min.min(nanos), max.max(nanos)));
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Least, median, 99th percentile and most; none if nothing was counted.
    #[must_use]
    pub fn quantiles(&self) -> Option<[Duration; 4]> {
        let (min, max) = self.ends?;
        // A bucket's upper edge can lie above the largest value seen.
        let at = |quantile| self.histogram.value_at_quantile(quantile).clamp(min, max);
        Some([min, at(0.5), at(0.99), max].map(Duration::from_nanos))
    }
}

impl Spread {
    /// Seconds by name, for programs; none if nothing was counted.
    #[must_use]
    pub fn to_json(&self) -> Option<Value> {
        let [min, median, p99, max] = self.quantiles()?.map(|time| time.as_secs_f64());
        Some(json!({"min": min, "median": median, "p99": p99, "max": max}))
    }
}

/// Events a second, for programs.
#[must_use]
pub fn rate(count: u64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() {
        0.0
    } else {
        count as f64 / elapsed.as_secs_f64()
    }
}

impl Spread {
    /// Least, median, 99th percentile and most, in milliseconds: `0.081/0.104/0.410/1.203`.
    #[must_use]
    pub fn figures(&self) -> String {
        let [min, median, p99, max] = self
            .quantiles()
            .unwrap_or_default()
            .map(|time| time.as_secs_f64() * 1e3);
        format!("{min:.3}/{median:.3}/{p99:.3}/{max:.3}")
    }
}

impl fmt::Display for Spread {
    /// `min/median/p99/max 0.081/0.104/0.410/1.203 ms`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "min/median/p99/max {} ms", self.figures())
    }
}

/// Events a second, with as many digits as make sense.
#[must_use]
pub fn per_second(count: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if count == 0 || seconds <= 0.0 {
        return "0".to_owned();
    }
    let rate = count as f64 / seconds;
    if rate < 10.0 {
        format!("{rate:.2}")
    } else if rate < 1000.0 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_tells_its_quantiles() {
        let mut spread = Spread::default();
        for ms in 1..=100 {
            spread.record(Duration::from_millis(ms));
        }
        assert_eq!(
            spread.to_string(),
            "min/median/p99/max 1.000/50.004/99.025/100.000 ms"
        );
        let mut one = Spread::default();
        one.record(Duration::from_secs(1 << 40));
        assert_eq!(one.count(), 1);
    }

    #[test]
    fn rates_have_sensible_digits() {
        assert_eq!(per_second(3, Duration::from_secs(6)), "0.50");
        assert_eq!(per_second(0, Duration::ZERO), "0");
        assert_eq!(per_second(1_000_000, Duration::from_secs(1)), "1000000");
    }
}
