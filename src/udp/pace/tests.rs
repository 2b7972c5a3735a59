//! Tests of `pace.rs`.

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

#[test]
fn patterns_are_read() {
    assert_eq!("poisson".parse(), Ok(RatePattern::Poisson));
    assert_eq!("burst:20".parse(), Ok(RatePattern::Burst(20)));
    assert_eq!("burst：5".parse(), Ok(RatePattern::Burst(5)));
    for text in [
        "",
        "even",
        "burst",
        "burst:",
        "burst:0",
        "burst:-1",
        "burst:1000001",
    ] {
        assert!(text.parse::<RatePattern>().is_err(), "{text}");
    }
}

/// The send times of `count` datagrams in seconds, if each wake-up is `wake` late.
fn times(mut pace: Pace, count: usize, wake: Duration) -> Vec<f64> {
    let start = Instant::now();
    let (mut now, mut times) = (start, Vec::new());
    while times.len() < count {
        let due = pace.due(now);
        if due > now {
            now = due + wake;
            continue;
        }
        let allowed = pace.allowance(now, 64);
        assert!(allowed > 0);
        pace.count(allowed);
        times.extend(std::iter::repeat_n((now - start).as_secs_f64(), allowed));
    }
    times.truncate(count);
    times
}

#[test]
fn poisson_gaps_are_exponential_with_the_mean_of_the_rate() {
    for (rate, wake) in [(2.0, MS), (100.0, MS), (1000.0, Duration::ZERO)] {
        let pace = Pace::at(Rate::PerSecond(rate));
        let pace = pace.in_pattern(RatePattern::Poisson, Random::new(Some(1)));
        let times = times(pace, 20_001, wake);
        let gaps: Vec<f64> = times
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) * rate)
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((0.98..1.02).contains(&mean), "{mean} at {rate}");
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((0.9..1.1).contains(&variance), "{variance} at {rate}");
        // P(gap > 2 means) = exp(-2) = 13.5 %.
        let long = gaps.iter().filter(|&&gap| gap > 2.0).count();
        assert!((2_500..2_900).contains(&long), "{long} at {rate}");
    }
}

#[test]
fn bursts_go_back_to_back_at_the_same_mean_rate() {
    let pace =
        Pace::at(Rate::PerSecond(100.0)).in_pattern(RatePattern::Burst(5), Random::new(None));
    let times = times(pace, 50, Duration::ZERO);
    for (index, time) in times.iter().enumerate() {
        let nominal = (index / 5) as f64 * 0.05;
        assert!((time - nominal).abs() < 1e-6, "{index} at {time}");
    }
    // A burst that is longer than a batch still goes at once.
    let pace = Pace::every(MS).in_pattern(RatePattern::Burst(100), Random::new(None));
    let times = self::times(pace, 300, Duration::ZERO);
    let bursts = times.chunk_by(|first, second| second - first < 1e-6);
    assert_eq!(bursts.map(<[f64]>::len).collect::<Vec<_>>(), [100; 3]);
}

#[test]
fn a_ramp_grows_from_a_tenth_to_the_full_rate() {
    let full = || Pace::at(Rate::PerSecond(1000.0));
    let in_time = |times: &[f64], from: f64| {
        let during = times
            .iter()
            .filter(|&&time| time >= from && time < from + 0.1);
        during.count()
    };
    // 550 in the second of the ramp, then 1000 a second.
    let sent = times(full().with_ramp(1000 * MS), 1550, US);
    assert!((1.99..2.01).contains(sent.last().unwrap()), "{sent:?}");
    for (from, expected) in [(0.0, 14), (0.45, 55), (0.9, 95), (1.5, 100)] {
        let found = in_time(&sent, from);
        assert!(found.abs_diff(expected) <= 2, "{found} from {from}");
    }
    // Over a number of datagrams: 1100 take two seconds.
    let sent = times(full().with_ramp_over(1100), 1100, US);
    assert!((1.98..2.01).contains(sent.last().unwrap()), "{sent:?}");
}

#[test]
fn a_ramp_goes_on_where_it_was_after_a_long_delay() {
    let start = Instant::now();
    let mut pace = Pace::at(Rate::PerSecond(100.0)).with_ramp(10 * 1000 * MS);
    let mut now = start;
    for _ in 0..200 {
        now = pace.due(now).max(now);
        pace.count(1);
    }
    let gap = pace.due(now) - now;
    now += Duration::from_mins(1);
    assert_eq!(pace.allowance(now, 64), 1);
    pace.count(1);
    let later = pace.due(now) - now;
    assert!(later.abs_diff(gap) < MS, "{gap:?}, then {later:?}");
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
