//! Pacing: when the next datagram is due, at an interval, at a rate, in a pattern, or back to back.

use std::num::ParseFloatError;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::text::fullwidth;
use crate::text::random::Random;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::system;

/// Datagrams per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rate {
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
            // A small `m` stays an error: elsewhere it means milli.
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
            Err(sentence!("value.rate-range", most = HIGHEST_RATE))
        }
    }
}

/// How datagrams at a mean rate are distributed in time, if not evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RatePattern {
    /// Exponentially distributed gaps, as between the datagrams of many independent senders.
    Poisson,
    /// This many datagrams back to back, then a pause.
    Burst(u64),
}

/// The largest burst: about as many datagrams as a fast link carries in a second.
const LARGEST_BURST: u64 = 1_000_000;

impl FromStr for RatePattern {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        let text = &*fullwidth::to_ascii(text);
        if text.eq_ignore_ascii_case("poisson") {
            return Ok(Self::Poisson);
        }
        text.strip_prefix("burst:")
            .and_then(|digits| digits.parse().ok())
            .filter(|size| (1..=LARGEST_BURST).contains(size))
            .map(Self::Burst)
            .ok_or_else(|| sentence!("value.pattern", most = LARGEST_BURST))
    }
}

/// A ramp begins with this part of the rate.
const RAMP_START: f64 = 0.1;

/// When the datagrams of a schedule are due.
#[derive(Debug, Clone)]
enum Shape {
    /// A datagram per gap.
    Even,
    /// This many datagrams back to back, and then the pause that keeps the mean rate.
    Burst(u64),
    Poisson {
        random: Random,
        /// When the next datagram is due, in nanoseconds since the schedule's start.
        next: f64,
    },
    Ramp {
        /// How long the rate grows, in nanoseconds.
        over: f64,
        /// The time at which the schedule restarted after a delay, in nanoseconds since the ramp's start.
        origin: f64,
    },
}

/// The schedule of a run. Due times count from the first datagram, so that delays do not accumulate. After a delay the
/// schedule catches up at a slightly higher rate, without a burst.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// The mean interval between two datagrams, in nanoseconds; with a ramp, the interval at its end.
    gap: f64,
    /// How the datagrams are spread around the mean.
    shape: Shape,
    /// The time from the last datagram to the next, in nanoseconds.
    pause: f64,
    /// If the delay exceeds this, in nanoseconds, the schedule restarts instead of catching up.
    forgiven: f64,
    /// The progress; `None` until the first datagram is due.
    clock: Option<ScheduleState>,
    /// The datagrams since the start or the last restart.
    sent: u64,
}

/// The progress of the schedule.
#[derive(Debug, Clone, Copy)]
struct ScheduleState {
    /// When the schedule started, or restarted last.
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
    pub(crate) fn unpaced() -> Self {
        Self::every(Duration::ZERO)
    }

    /// One datagram every `gap`.
    #[must_use]
    pub(crate) fn every(gap: Duration) -> Self {
        // An interval and a rate differ in what a delay means: see the two constants.
        Self::even(gap.as_secs_f64() * 1e9, INTERVAL_FORGIVEN)
    }

    /// Evenly spaced datagrams at this rate.
    #[must_use]
    pub(crate) fn at(rate: Rate) -> Self {
        match rate {
            Rate::Max => Self::unpaced(),
            // A slow rate has gaps longer than that; without this the schedule would restart at each gap.
            Rate::PerSecond(rate) => Self::even(1e9 / rate, RATE_FORGIVEN.max(1e9 / rate)),
        }
    }

    /// A schedule with this gap, in nanoseconds.
    fn even(gap: f64, forgiven: f64) -> Self {
        Self {
            gap,
            shape: Shape::Even,
            pause: gap,
            forgiven,
            clock: None,
            sent: 0,
        }
    }

    /// The same mean rate in a pattern.
    #[must_use]
    pub(crate) fn in_pattern(self, pattern: RatePattern, random: Random) -> Self {
        let shape = match pattern {
            RatePattern::Poisson => Shape::Poisson { random, next: 0.0 },
            RatePattern::Burst(size) => Shape::Burst(size.max(1)),
        };
        self.shaped(shape)
    }

    /// A rate that grows linearly from a tenth to the full rate over this time, and stays there.
    #[must_use]
    pub(crate) fn with_ramp(self, over: Duration) -> Self {
        let over = nanos(over);
        self.shaped(Shape::Ramp { over, origin: 0.0 })
    }

    /// Like the pace above, for a ramp that ends with the last datagram.
    #[must_use]
    pub(crate) fn with_ramp_over(self, datagrams: u64) -> Self {
        // The mean rate of a ramp is halfway between its start and the full rate.
        let over = self.gap * datagrams as f64 * 2.0 / (1.0 + RAMP_START);
        self.shaped(Shape::Ramp { over, origin: 0.0 })
    }

    /// The same schedule with another shape.
    fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        // A pattern holds its mean over a longer time, so it must be allowed to catch up even if it was given as an
        // interval.
        self.forgiven = self.forgiven.max(RATE_FORGIVEN);
        self
    }

    /// When the next datagram is due, in nanoseconds of schedule time since the start.
    fn wanted(&self) -> f64 {
        match self.shape {
            Shape::Even => self.gap * self.sent as f64,
            Shape::Burst(size) => self.gap * (self.sent - self.sent % size) as f64,
            Shape::Poisson { next, .. } => next,
            Shape::Ramp { over, origin } => ramp(over, self.gap * self.sent as f64) - origin,
        }
    }

    /// Counts one datagram of a shape that is not even.
    fn step(&mut self) {
        let before = self.wanted();
        self.sent += 1;
        if let Shape::Poisson { random, next } = &mut self.shape {
            *next += random.exponential(self.gap);
        }
        self.pause = self.wanted() - before;
    }

    /// Lets the schedule restart: the next datagram is due at its new start.
    fn restart(&mut self) {
        let wanted = self.wanted();
        match &mut self.shape {
            Shape::Even => self.sent = 0,
            // The rest of a burst belongs together.
            Shape::Burst(size) => self.sent %= *size,
            Shape::Poisson { next, .. } => *next = 0.0,
            Shape::Ramp { origin, .. } => *origin += wanted,
        }
    }

    /// Whether datagrams are sent back to back.
    #[must_use]
    pub(crate) fn is_unpaced(&self) -> bool {
        self.gap == 0.0
    }

    /// When the next datagram is due; `now` if it is due already.
    pub(crate) fn due(&mut self, now: Instant) -> Instant {
        let clock = self.advance(now);
        let wanted = self.wanted();
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
    pub(crate) fn allowance(&mut self, now: Instant, limit: usize) -> usize {
        if self.is_unpaced() {
            self.advance(now);
            return limit;
        }
        if self.due(now) > now {
            return 0;
        }
        let passed = self.advance(now).passed;
        if !matches!(self.shape, Shape::Even) {
            // Work on a copy, because only `count` may advance the schedule: the caller may send fewer.
            let mut ahead = self.clone();
            ahead.step();
            let more = std::iter::from_fn(|| (ahead.wanted() <= passed).then(|| ahead.step()));
            return (1 + more.take(limit).count()).min(limit);
        }
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
    pub(crate) fn is_past(&self, deadline: Instant, now: Instant) -> bool {
        let Some(clock) = self.clock.filter(|_| !self.is_unpaced()) else {
            return now >= deadline;
        };
        let next = after(clock.start, self.wanted());
        now >= deadline && (next >= deadline || now >= after(deadline, RATE_FORGIVEN))
    }

    /// Counts datagrams as done, whether they were sent or failed.
    pub(crate) fn count(&mut self, datagrams: usize) {
        if matches!(self.shape, Shape::Even) {
            self.sent += datagrams as u64;
        } else {
            (0..datagrams).for_each(|_| self.step());
        }
    }

    /// Advances the schedule to `now`.
    fn advance(&mut self, now: Instant) -> ScheduleState {
        let Some(mut clock) = self.clock else {
            return *self.clock.insert(ScheduleState {
                start: now,
                last: now,
                passed: 0.0,
            });
        };
        // The schedule moves on by at most one pause, or by the lateness of a timer. Any longer delay is caught up with
        // slowly.
        let step = nanos(now.saturating_duration_since(clock.last)).min(BURST.max(self.pause));
        let real = nanos(now.saturating_duration_since(clock.start));
        clock.last = clock.last.max(now);
        // Never ahead of the real time: the rate would be higher than the user asked for.
        clock.passed = (clock.passed + step * CATCH_UP).min(real);
        // Measure how overdue the next datagram is, not how long ago the last one was sent.
        if real - self.wanted() > self.forgiven && !self.is_unpaced() {
            clock = ScheduleState {
                start: now,
                last: now,
                passed: 0.0,
            };
            self.restart();
        }
        self.clock = Some(clock);
        clock
    }
}

/// When the datagram of a ramp is due that would be due at `even` at the full rate. All times are in nanoseconds.
///
/// The rate, as a part of the full one, is `r(t) = s + (1 - s) t / T`, where `s` is [`RAMP_START`] and `T` the ramp's
/// length. Its integral `s t + (1 - s) t² / 2T` is `even`; solve that for `t`.
fn ramp(over: f64, even: f64) -> f64 {
    let rest = even - over * f64::midpoint(RAMP_START, 1.0);
    if rest >= 0.0 {
        return over + rest;
    }
    let growth = 1.0 - RAMP_START;
    let root = (RAMP_START * RAMP_START + 2.0 * growth * even / over).sqrt();
    over * (root - RAMP_START) / growth
}

/// In nanoseconds.
fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// So many nanoseconds after `start`.
fn after(start: Instant, nanos: f64) -> Instant {
    // An interval can be 100 years long; clamp it so that the sum does not overflow.
    start
        + Duration::try_from_secs_f64(nanos / 1e9)
            .unwrap_or(Duration::MAX)
            .min(Duration::from_secs(1 << 32))
}

#[cfg(test)]
mod tests;
