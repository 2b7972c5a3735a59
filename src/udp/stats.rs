//! Statistics for the summaries: counts, distributions of times, and sequence numbers.

pub(crate) mod jitter;
pub mod loss;
pub(crate) mod quality;
pub(crate) mod series;

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// A distribution of times from a nanosecond to an hour, as a histogram with three significant digits and bounded
/// memory.
#[derive(Debug)]
pub(crate) struct Spread {
    // `u32` counters: half the memory of the usual ones, and a run has no four thousand million equal times.
    histogram: Histogram<u32>,
    /// The exact minimum and maximum; the histogram knows only their buckets.
    ends: Option<(u64, u64)>,
}

impl Default for Spread {
    fn default() -> Self {
        // `new` fails only for more than five significant digits.
        let histogram = Histogram::new(3)
            .unwrap_or_else(|_| unreachable!("three digits are a valid precision"));
        Self {
            histogram,
            ends: None,
        }
    }
}

/// A longer time is recorded as this maximum.
const LONGEST: Duration = Duration::from_hours(1);

impl Spread {
    /// Records one time.
    pub(crate) fn record(&mut self, time: Duration) {
        self.record_n(time, 1);
    }

    /// Records the same time `count` times.
    pub(crate) fn record_n(&mut self, time: Duration, count: u64) {
        let nanos = u64::try_from(time.min(LONGEST).as_nanos())
            .unwrap_or(u64::MAX)
            .max(1);
        // The histogram resizes itself, so recording up to an hour cannot fail.
        let _ = self
            .histogram
            .record_n(nanos, u32::try_from(count).unwrap_or(u32::MAX));
        let (min, max) = self.ends.unwrap_or((nanos, nanos));
        self.ends = Some((min.min(nanos), max.max(nanos)));
    }

    /// Adds the times of another distribution.
    pub(crate) fn add(&mut self, other: &Self) {
        // Both histograms resize themselves, so this cannot fail.
        let _ = self.histogram.add(&other.histogram);
        self.ends = match (self.ends, other.ends) {
            (Some((min, max)), Some((least, most))) => Some((min.min(least), max.max(most))),
            (ends, None) | (None, ends) => ends,
        };
    }

    /// How many times were recorded.
    #[must_use]
    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Minimum, median, 99th percentile and maximum; `None` if nothing was recorded.
    #[must_use]
    pub(crate) fn quantiles(&self) -> Option<[Duration; 4]> {
        let (min, max) = self.ends?;
        let [min, max] = [min, max].map(Duration::from_nanos);
        Some([min, self.at(0.5), self.at(0.99), max])
    }
}

impl Spread {
    /// The quantiles in seconds, as JSON; `None` if nothing was recorded.
    #[must_use]
    pub(crate) fn to_json(&self) -> Option<Value> {
        let [min, median, p99, max] = self.quantiles()?.map(|time| time.as_secs_f64());
        let [p999, p9999] = [0.999, 0.9999].map(|quantile| self.at(quantile).as_secs_f64());
        Some(json!({
            "min": min, "median": median, "p99": p99, "p99_9": p999, "p99_99": p9999, "max": max,
        }))
    }

    /// How many times were recorded in each step of the series 1, 2, 5, 10 .. nanoseconds, from the step of the minimum
    /// to that of the maximum. A step has its upper bound, which belongs to it.
    #[must_use]
    pub(crate) fn steps(&self) -> Vec<(Duration, u64)> {
        let Some((min, max)) = self.ends else {
            return Vec::new();
        };
        let series = (0..=12).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
        let mut steps: Vec<(u64, u64)> = Vec::new();
        for bound in series.filter(|&bound| bound >= min) {
            steps.push((bound, 0));
            if bound >= max {
                break;
            }
        }
        for value in self.histogram.iter_recorded() {
            // The lowest time of a bucket, so that a time that equals a bound is not above it.
            let time = self.histogram.lowest_equivalent(value.value_iterated_to());
            let time = time.clamp(min, max);
            if let Some(step) = steps.iter_mut().find(|(bound, _)| *bound >= time) {
                step.1 += value.count_since_last_iteration();
            }
        }
        let steps = steps.into_iter();
        steps
            .map(|(bound, count)| (Duration::from_nanos(bound), count))
            .collect()
    }

    /// The time that this part of all times does not exceed.
    fn at(&self, quantile: f64) -> Duration {
        let (min, max) = self.ends.unwrap_or_default();
        // A bucket's upper bound can be above the largest recorded value.
        Duration::from_nanos(self.histogram.value_at_quantile(quantile).clamp(min, max))
    }
}

/// Events per second, for JSON.
#[must_use]
pub(crate) fn rate(count: u64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() {
        0.0
    } else {
        count as f64 / elapsed.as_secs_f64()
    }
}

impl Spread {
    /// Minimum, median, 99th percentile and maximum, in milliseconds: `0.081/0.104/0.410/1.203`.
    #[must_use]
    pub(crate) fn figures(&self) -> String {
        let [min, median, p99, max] = self
            .quantiles()
            .unwrap_or_default()
            .map(|time| time.as_secs_f64() * 1e3);
        format!("{min:.3}/{median:.3}/{p99:.3}/{max:.3}")
    }
}

impl Spread {
    /// The names and the values, in milliseconds, of the percentiles beyond the 99th; `None` if there are too few times to
    /// know them: 99.9 % need a thousand, 99.99 % ten thousand.
    #[must_use]
    pub(crate) fn tail(&self) -> Option<(&'static str, String)> {
        let ms = |quantile| self.at(quantile).as_secs_f64() * 1e3;
        match self.count() {
            0..1_000 => None,
            1_000..10_000 => Some(("p99.9", format!("{:.3}", ms(0.999)))),
            _ => {
                let figures = format!("{:.3}/{:.3}", ms(0.999), ms(0.9999));
                Some(("p99.9/p99.99", figures))
            }
        }
    }
}

impl fmt::Display for Spread {
    /// `min/median/p99/max 0.081/0.104/0.410/1.203 ms`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "min/median/p99/max {} ms", self.figures())
    }
}

/// Events per second as text, with a sensible number of digits.
#[must_use]
pub(crate) fn per_second(count: u64, elapsed: Duration) -> String {
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
    fn a_tail_needs_enough_times() {
        let mut spread = Spread::default();
        spread.record_n(Duration::from_millis(1), 999);
        assert_eq!(spread.tail(), None);
        spread.record(Duration::from_millis(7));
        assert_eq!(spread.tail(), Some(("p99.9", "1.000".to_owned())));
        spread.record_n(Duration::from_millis(1), 8_991);
        spread.record_n(Duration::from_millis(30), 9);
        let (names, figures) = spread.tail().expect("a tail");
        assert_eq!(names, "p99.9/p99.99");
        let figures: Vec<f64> = figures.split('/').map(|ms| ms.parse().unwrap()).collect();
        assert!((figures[1] - 30.0).abs() < 0.03, "{figures:?}");
    }

    #[test]
    fn steps_count_every_time_once() {
        let mut spread = Spread::default();
        assert!(spread.steps().is_empty());
        for us in [150, 200, 201, 1_500] {
            spread.record(Duration::from_micros(us));
        }
        let us = Duration::from_micros;
        let expected = [(200, 2), (500, 1), (1_000, 0), (2_000, 1)];
        assert_eq!(
            spread.steps(),
            expected.map(|(bound, count)| (us(bound), count))
        );
        spread.record_n(Duration::from_hours(2), 7);
        spread.record(Duration::ZERO);
        let steps = spread.steps();
        assert_eq!(steps.iter().map(|(_, count)| count).sum::<u64>(), 12);
        assert_eq!(steps.len(), 39);
    }

    #[test]
    fn rates_have_sensible_digits() {
        assert_eq!(per_second(3, Duration::from_secs(6)), "0.50");
        assert_eq!(per_second(0, Duration::ZERO), "0");
        assert_eq!(per_second(1_000_000, Duration::from_secs(1)), "1000000");
    }
}
