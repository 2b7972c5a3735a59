//! When the next datagram is due: one after another, every so often, or at a rate.

use std::num::ParseFloatError;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::udp::system;

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

/// Spaces datagrams. The schedule counts from the first, so that lateness does not add up; lateness is made good at a
/// slightly higher rate and not in one burst.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Nanoseconds from one datagram to the next.
    gap: f64,
    /// Later than this, in nanoseconds, the schedule starts afresh.
    forgiven: f64,
    clock: Option<Clock>,
    sent: u64,
}

/// How far the schedule is.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Instant,
    /// When it was looked at last.
    last: Instant,
    /// Nanoseconds of the schedule that may have been sent by then: behind the time since `start` while lateness is
    /// being made good.
    passed: f64,
}

/// A rate makes good a delay of at most this, in nanoseconds: a machine that slept does not send what it missed.
const RATE_FORGIVEN: f64 = 200e6;

/// An interval stands between any two datagrams, so next to nothing of a delay is made good: what wakes a program late.
const INTERVAL_FORGIVEN: f64 = 5e6;

/// How much faster than time the schedule runs while it catches up.
const CATCH_UP: f64 = 1.1;

/// At most this much of the schedule goes out back to back, in nanoseconds: what the system's timer may be late.
const BURST: f64 = system::TIMER_GRAIN.as_nanos() as f64;

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
            gap: gap.as_secs_f64() * 1e9,
            forgiven: INTERVAL_FORGIVEN,
            clock: None,
            sent: 0,
        }
    }

    /// At a rate.
    #[must_use]
    pub fn at(rate: Rate) -> Self {
        match rate {
            Rate::Max => Self::unpaced(),
            Rate::PerSecond(rate) => Self {
                gap: 1e9 / rate,
                forgiven: RATE_FORGIVEN.max(1e9 / rate),
                clock: None,
                sent: 0,
            },
        }
    }

    /// Whether datagrams go back to back.
    #[must_use]
    pub fn is_unpaced(&self) -> bool {
        self.gap == 0.0
    }

    /// When the next datagram is due; `now` or before, if it is.
    pub fn due(&mut self, now: Instant) -> Instant {
        let clock = self.advance(now);
        let wanted = self.gap * self.sent as f64;
        if clock.passed >= wanted {
            return now;
        }
        let lag = nanos(now - clock.start) - clock.passed;
        if lag < 1.0 {
            after(clock.start, wanted)
        } else {
            after(now, (wanted - clock.passed) / CATCH_UP)
        }
    }

    /// How many datagrams may go now, `limit` at most: those that are due. Never none where [`Self::due`] says that one
    /// is: the two must agree to the last bit.
    pub fn allowance(&mut self, now: Instant, limit: usize) -> usize {
        if self.is_unpaced() {
            self.advance(now);
            return limit;
        }
        if self.due(now) > now {
            return 0;
        }
        let passed = self.advance(now).passed;
        let due = (passed / self.gap).floor() + 1.0 - self.sent as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and the limit"
        )]
        let allowed = due.clamp(1.0, (limit as f64).max(1.0)) as usize;
        allowed.min(limit)
    }

    /// Whether all that was due before `deadline` is gone: what is owed still goes, a little late.
    #[must_use]
    pub fn is_past(&self, deadline: Instant, now: Instant) -> bool {
        let Some(clock) = self.clock.filter(|_| !self.is_unpaced()) else {
            return now >= deadline;
        };
        let next = after(clock.start, self.gap * self.sent as f64);
        now >= deadline && (next >= deadline || now >= after(deadline, RATE_FORGIVEN))
    }

    /// Counts datagrams as gone, sent or failed.
    pub fn count(&mut self, datagrams: usize) {
        self.sent += datagrams as u64;
    }

    /// Lets the schedule follow the time.
    fn advance(&mut self, now: Instant) -> Clock {
        let Some(mut clock) = self.clock else {
            return *self.clock.insert(Clock {
                start: now,
                last: now,
                passed: 0.0,
            });
        };
        let step = nanos(now.saturating_duration_since(clock.last)).min(BURST.max(self.gap));
        let real = nanos(now.saturating_duration_since(clock.start));
        clock.last = clock.last.max(now);
        clock.passed = (clock.passed + step * CATCH_UP).min(real);
        // Late is what the next datagram is, not the time that passed since the last.
        if real - self.gap * self.sent as f64 > self.forgiven && !self.is_unpaced() {
            clock = Clock {
                start: now,
                last: now,
                passed: 0.0,
            };
            self.sent = 0;
        }
        self.clock = Some(clock);
        clock
    }
}

fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

fn after(start: Instant, nanos: f64) -> Instant {
    // An interval can be a century; a run is not.
    start
        + Duration::try_from_secs_f64(nanos / 1e9)
            .unwrap_or(Duration::MAX)
            .min(Duration::from_secs(1 << 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);
    const US: Duration = Duration::from_micros(1);

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
            let nominal = start + index * 100 * MS;
            // Each wake-up is late; the next is still due when it would have been.
            let woken = nominal + 3 * MS * index.min(1);
            assert!(pace.due(woken) <= woken);
            assert_eq!(pace.allowance(woken, 64), 1);
            pace.count(1);
            assert_eq!(pace.due(woken), nominal + 100 * MS);
        }
    }

    #[test]
    fn a_machine_that_slept_sends_no_flood() {
        let start = Instant::now();
        let mut pace = Pace::at(Rate::PerSecond(100.0));
        assert_eq!(pace.allowance(start, 64), 1);
        pace.count(1);
        let woken = start + Duration::from_mins(1);
        let (mut now, mut sent) = (woken, 0);
        while now < woken + 1000 * MS {
            let allowed = pace.allowance(now, 64);
            assert!(allowed <= 1);
            pace.count(allowed);
            sent += allowed;
            now += MS;
        }
        assert!((99..=112).contains(&sent), "{sent} in the second after");
    }

    /// The longest burst and the count, when the sender is held up for `stall` after a tenth of a second.
    fn run(rate: f64, stall: Duration, wake: Duration) -> (usize, usize) {
        let start = Instant::now();
        let mut pace = Pace::at(Rate::PerSecond(rate));
        let mut times = Vec::new();
        let (mut now, mut stalled) = (start, false);
        while now < start + 1000 * MS {
            let due = pace.due(now);
            if due > now {
                now = due.max(now + wake);
                continue;
            }
            let allowed = pace.allowance(now, 64);
            pace.count(allowed);
            times.extend(std::iter::repeat_n(now, allowed));
            now += 2 * US;
            if !stalled && now > start + 100 * MS {
                stalled = true;
                now += stall;
            }
        }
        let longest = (0..times.len())
            .map(|first| {
                times[first..]
                    .iter()
                    .take_while(|&&time| time < times[first] + MS)
                    .count()
            })
            .max();
        (longest.unwrap_or(0), times.len())
    }

    #[test]
    fn a_delay_is_made_good_without_a_burst() {
        let (longest, count) = run(10_000.0, Duration::ZERO, US);
        assert!(longest <= 11, "{longest} within a millisecond");
        assert_eq!(count, 10_000);
        let (longest, count) = run(10_000.0, 50 * MS, US);
        // A coarse timer is made good in coarser steps.
        let burst = |rate: f64| rate * BURST / 1e9 * 1.2;
        assert!(
            longest as f64 <= burst(10_000.0).max(15.0),
            "{longest} within a millisecond"
        );
        assert!((9_999..=10_000).contains(&count), "{count}");
        let (longest, count) = run(100_000.0, 20 * MS, 50 * US);
        assert!(
            longest as f64 <= burst(100_000.0).max(140.0),
            "{longest} within a millisecond"
        );
        assert!((99_990..=100_000).contains(&count), "{count}");
        assert_eq!(Pace::unpaced().allowance(Instant::now(), 64), 64);
    }

    proptest! {
        /// Rounding once made the two disagree, and a datagram went out that nobody had numbered.
        #[test]
        fn what_is_due_is_allowed(rate in 0.1f64..1e6, wakes in prop::collection::vec(0u64..3_000_000, 1..200)) {
            let mut pace = Pace::at(Rate::PerSecond(rate));
            let mut now = Instant::now();
            for wake in wakes {
                now = pace.due(now).max(now);
                prop_assert!(pace.due(now) > now || pace.allowance(now, 64) > 0);
                let allowed = pace.allowance(now, 64);
                pace.count(allowed);
                now += Duration::from_nanos(wake);
            }
        }

        #[test]
        fn the_schedule_is_met_to_the_nanosecond(rate in 1.0f64..1e6) {
            let mut pace = Pace::at(Rate::PerSecond(rate));
            let mut now = Instant::now();
            for _ in 0..300 {
                now = pace.due(now).max(now);
                // Asked at the very moment that it named itself; an Instant has no fractions of a nanosecond.
                let allowed = pace.allowance(now, 64);
                prop_assert!(allowed > 0 || pace.due(now) > now);
                pace.count(allowed);
            }
        }
    }

    #[test]
    fn what_is_due_before_the_deadline_is_owed() {
        let start = Instant::now();
        let mut pace = Pace::at(Rate::PerSecond(100.0));
        let deadline = start + 100 * MS;
        for index in 0..10 {
            assert_eq!(pace.due(start + index * 10 * MS), start + index * 10 * MS);
            assert!(!pace.is_past(deadline, start + 105 * MS), "{index}");
            pace.count(1);
        }
        assert!(!pace.is_past(deadline, start + 95 * MS));
        assert!(pace.is_past(deadline, start + 100 * MS));
        assert!(Pace::unpaced().is_past(deadline, deadline));
        assert!(!Pace::unpaced().is_past(deadline, start));
    }
}
