//! The fate of a datagram in the relay: lost, doubled, swapped with the next one, or late. It follows from seed,
//! direction and index, so that a run can be repeated.

use std::time::Duration;

use crate::text::random::Random;

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a client to the targets.
    Forward,
    /// From a target back to a client.
    Back,
}

/// The faults of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Impairment {
    /// The percentage of datagrams to lose.
    pub drop: f64,
    /// The percentage of datagrams to send twice.
    pub duplicate: f64,
    /// The percentage of datagrams to swap with the next one.
    pub reorder: f64,
    /// The delay of every datagram.
    pub delay: Duration,
    /// The maximum of an additional random delay.
    pub jitter: Duration,
}

impl Impairment {
    /// Whether the path has no faults.
    #[must_use]
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether chance decides anything.
    #[must_use]
    pub(crate) fn is_random(&self) -> bool {
        self.drop > 0.0 || self.duplicate > 0.0 || self.reorder > 0.0 || !self.jitter.is_zero()
    }

    /// The longest time that a datagram is on its way.
    #[must_use]
    pub(crate) fn longest_delay(&self) -> Duration {
        self.delay.saturating_add(self.jitter)
    }
}

/// What becomes of one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// The datagram is lost; then nothing else matters.
    pub is_dropped: bool,
    /// The datagram is sent twice.
    pub is_doubled: bool,
    /// The next datagram overtakes this one.
    pub(crate) is_swapped: bool,
    /// How late it is.
    pub(crate) delay: Duration,
}

impl Fate {
    /// The fate of datagram `index` of a direction, from 0.
    #[must_use]
    pub fn of(seed: u64, direction: Direction, index: u64, path: &Impairment) -> Self {
        let lane = match direction {
            Direction::Forward => 0,
            Direction::Back => 1,
        };
        // Two rounds of mixing: the state of the generator is a hash of seed and direction, then of the index too. With
        // one round, the second number of an index would be the first number of another.
        let of_lane = Random::new(Some(seed.wrapping_add(lane))).draw();
        let of_index = Random::new(Some(of_lane.wrapping_add(index))).draw();
        let mut random = Random::new(Some(of_index));
        // Always draw all numbers, so that --duplicate does not change which datagrams --drop loses.
        let is_dropped = random.happens(path.drop);
        let is_doubled = random.happens(path.duplicate);
        let is_swapped = random.happens(path.reorder);
        let jitter = i64::try_from(path.jitter.as_nanos()).unwrap_or(i64::MAX);
        let extra = u64::try_from(random.between(0, i128::from(jitter))).unwrap_or(0);
        Self {
            is_dropped,
            is_doubled,
            is_swapped,
            delay: path.delay.saturating_add(Duration::from_nanos(extra)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLION: u64 = 1_000_000;

    fn path(drop: f64, duplicate: f64, reorder: f64, jitter: Duration) -> Impairment {
        Impairment {
            drop,
            duplicate,
            reorder,
            delay: Duration::ZERO,
            jitter,
        }
    }

    /// Within 0.2 percentage points over a million, whatever the seed.
    #[test]
    fn of_a_million_the_asked_share_is_lost_doubled_and_swapped() {
        let path = path(5.0, 2.0, 1.0, Duration::from_millis(10));
        for seed in [0, 1, 2, 7, u64::MAX] {
            for direction in [Direction::Forward, Direction::Back] {
                let fates = (0..MILLION / 5).map(|index| Fate::of(seed, direction, index, &path));
                let mut counts = [0_u32; 3];
                let mut delay = Duration::ZERO;
                for fate in fates {
                    let happened = [fate.is_dropped, fate.is_doubled, fate.is_swapped];
                    for (count, happened) in counts.iter_mut().zip(happened) {
                        *count += u32::from(happened);
                    }
                    delay += fate.delay;
                }
                let share = |count: u32| f64::from(count) * 100.0 / (MILLION / 5) as f64;
                for (count, wanted) in counts.into_iter().zip([5.0, 2.0, 1.0]) {
                    // Four standard deviations of the largest share, 5 % of 200,000.
                    assert!((share(count) - wanted).abs() < 0.2, "{seed} {counts:?}");
                }
                let mean = delay / u32::try_from(MILLION / 5).unwrap();
                let off = mean.abs_diff(Duration::from_millis(5));
                assert!(off < Duration::from_micros(50), "{mean:?}");
            }
        }
        let lost =
            (0..MILLION).filter(|&index| Fate::of(3, Direction::Forward, index, &path).is_dropped);
        let share = lost.count() as f64 * 100.0 / MILLION as f64;
        assert!((share - 5.0).abs() < 0.2, "{share}");
    }

    #[test]
    fn losses_are_not_regular_and_faults_are_independent() {
        let path = path(10.0, 10.0, 0.0, Duration::ZERO);
        let fates: Vec<Fate> = (0..100_000)
            .map(|index| Fate::of(1, Direction::Forward, index, &path))
            .collect();
        let both = |same: &dyn Fn(&Fate, &Fate) -> bool, gap: usize| {
            let pairs = fates.iter().zip(fates.iter().skip(gap));
            pairs.filter(|(first, second)| same(first, second)).count()
        };
        for gap in 0..5 {
            let lost_after_lost = both(&|first, second| first.is_dropped && second.is_dropped, gap);
            let doubled_after_lost =
                both(&|first, second| first.is_dropped && second.is_doubled, gap);
            let wanted = if gap == 0 { 10_000 } else { 1000 };
            assert!(
                lost_after_lost.abs_diff(wanted) < 400,
                "{gap}: {lost_after_lost}"
            );
            assert!(
                doubled_after_lost.abs_diff(1000) < 200,
                "{gap}: {doubled_after_lost}"
            );
        }
    }

    #[test]
    fn a_seed_repeats_and_faults_do_not_change_each_other() {
        let lost = |seed, direction, path: &Impairment| -> Vec<u64> {
            (0..1000)
                .filter(|&index| Fate::of(seed, direction, index, path).is_dropped)
                .collect()
        };
        let plain = path(5.0, 0.0, 0.0, Duration::ZERO);
        let more = path(5.0, 50.0, 50.0, Duration::from_secs(1));
        let forward = lost(1, Direction::Forward, &plain);
        assert_eq!(forward, lost(1, Direction::Forward, &more));
        assert_ne!(forward, lost(1, Direction::Back, &plain));
        assert_ne!(forward, lost(2, Direction::Forward, &plain));
        // This must not change between versions of udpcli: a seed that a teacher wrote down gives the same losses.
        assert_eq!(forward.get(..5), Some(&[6, 9, 20, 31, 34][..]));
    }

    #[test]
    fn nothing_and_everything_are_exact() {
        let none = path(0.0, 0.0, 0.0, Duration::ZERO);
        let all = path(100.0, 100.0, 100.0, Duration::ZERO);
        assert!(none.is_none() && !none.is_random() && all.is_random());
        for index in 0..1000 {
            let fate = Fate::of(index, Direction::Back, index, &none);
            assert!(!fate.is_dropped && !fate.is_doubled && !fate.is_swapped);
            let fate = Fate::of(index, Direction::Back, index, &all);
            assert!(fate.is_dropped && fate.is_doubled && fate.is_swapped);
        }
    }
}
