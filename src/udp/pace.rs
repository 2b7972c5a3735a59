//! Pacing: when the next datagram is due, at an interval, at a rate, or back to back.

use std::num::ParseFloatError;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::text::fullwidth;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::system;

/// Datagrams per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// As fast as the kernel accepts them.
    Max,
    /// Evenly spaced.
    PerSecond(f64),
}

/// The highest rate to accept; a user who wants more can write `max`.
const HIGHEST_RATE: f64 = 1e9;

impl FromStr for Rate {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        let text = &*fullwidth::to_ascii(text);
        if text.eq_ignore_ascii_case("max") {
            return Ok(Self::Max);
        }
        let (digits, factor) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1e3),
            None => text
                .strip_suffix('M')
                .map_or((text, 1.0), |digits| (digits, 1e6)),
        };
        let rate: f64 = digits
            .parse()
            .map_err(|_: ParseFloatError| sentence!("value.rate"))?;
        let rate = rate * factor;
        if rate > 0.0 && rate <= HIGHEST_RATE {
            Ok(Self::PerSecond(rate))
        } else {
            Err(sentence!("value.rate-zero"))
        }
    }
}

/// The schedule of a run. Due times count from the first datagram, so that delays do not accumulate. After a delay the
/// schedule catches up at a slightly higher rate, without a burst.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The interval between two datagrams, in nanoseconds.
    gap: f64,
    /// If the delay exceeds this, in nanoseconds, the schedule restarts instead of catching up.
    forgiven: f64,
    clock: Option<Clock>,
    sent: u64,
}

/// The progress of the schedule.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Instant,
    /// The time of the last update.
    last: Instant,
    /// Schedule time that has passed, in nanoseconds. It is behind the real time since `start` while the schedule
    /// catches up.
    passed: f64,
}

/// The longest delay that a rate catches up with, in nanoseconds: a machine that wakes from sleep does not send
/// everything it missed.
const RATE_FORGIVEN: f64 = 200e6;

/// The longest delay that an interval catches up with, in nanoseconds: only the wake-up latency, because the user asked
/// for at least this interval between two datagrams.
const INTERVAL_FORGIVEN: f64 = 5e6;

/// How much faster than real time the schedule runs while it catches up.
const CATCH_UP: f64 = 1.1;

/// The longest part of the schedule that may be sent as one burst, in nanoseconds: the lateness of the operating
/// system's timer.
const BURST: f64 = system::TIMER_GRAIN.as_nanos() as f64;

impl Pace {
    /// No pacing: datagrams are sent back to back.
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

    /// Evenly spaced datagrams at this rate.
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

    /// Whether datagrams are sent back to back.
    #[must_use]
    pub fn is_unpaced(&self) -> bool {
        self.gap == 0.0
    }

    /// When the next datagram is due; `now` if it is due already.
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

    /// How many datagrams are due now, `limit` at most. At least one if [`Self::due`] says that one is due: both must
    /// round the same way.
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

    /// Whether the run is over: `deadline` has passed, and every datagram that was due before it has been sent. Overdue
    /// datagrams may still be sent shortly after the deadline.
    #[must_use]
    pub fn is_past(&self, deadline: Instant, now: Instant) -> bool {
        let Some(clock) = self.clock.filter(|_| !self.is_unpaced()) else {
            return now >= deadline;
        };
        let next = after(clock.start, self.gap * self.sent as f64);
        now >= deadline && (next >= deadline || now >= after(deadline, RATE_FORGIVEN))
    }

    /// Counts datagrams as done, whether they were sent or failed.
    pub fn count(&mut self, datagrams: usize) {
        self.sent += datagrams as u64;
    }

    /// Advances the schedule to `now`.
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
        // Measure how overdue the next datagram is, not how long ago the last one was sent.
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
    // An interval can be 100 years long; clamp it so that the sum does not overflow.
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
            // Each wake-up is late, but the next datagram is still due at its original time.
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

    /// The longest burst and the total count, if the sender stalls for `stall` after a tenth of a second.
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
        // With a coarse timer, the schedule catches up in larger steps.
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
        /// Regression test: `due` and `allowance` once rounded differently, and a datagram was sent without a sequence
        /// number.
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
                // Ask again at exactly the time that `due` returned, which has whole nanoseconds only, as every
                // `Instant`.
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
