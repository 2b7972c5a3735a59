//! Each estimator against a plain reference that looks at every pair of datagrams.

use super::*;
use crate::udp::stats::loss::Tracker;
use crate::udp::stats::series::Point;
use proptest::prelude::*;
use std::collections::BTreeSet;

const MS: i64 = 1_000_000;

fn at(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// A datagram: its number, and when it was sent and arrived, in ms.
type Event = (u64, i64, i64);

/// A tracker and the figures, as the listener has them for a sender.
#[derive(Default)]
struct Follower {
    tracker: Tracker,
    quality: Quality,
}

impl Follower {
    fn new() -> Self {
        Self {
            quality: Quality::new(Some(Series::new(at(0)))),
            ..Self::default()
        }
    }

    fn take(&mut self, (number, sent, arrived): Event) {
        self.quality.arrived(1, 100, at(arrived * MS));
        let arrival = self.tracker.arrive(number, at(sent * MS));
        self.quality.numbered(Numbered {
            number,
            count: 1,
            sent: at(sent * MS),
            arrived: at(arrived * MS),
            arrival,
        });
    }

    fn all(events: &[Event]) -> Self {
        let mut follower = Self::new();
        for &event in events {
            follower.take(event);
        }
        follower
    }
}

/// Numbers that arrive one after the other, one each ms, all sent at once.
fn numbers(numbers: &[u64]) -> Vec<Event> {
    numbers
        .iter()
        .copied()
        .zip(1..)
        .map(|(number, time)| (number, 0, time))
        .collect()
}

/// 0 to 3 and 5 to 7 in one interval; 4 and 8 in the next. A difference of totals would be a loss of -1.
#[test]
fn a_number_that_comes_in_the_next_interval_makes_no_negative_loss() {
    let mut follower = Follower::all(&numbers(&[0, 1, 2, 3, 5, 6, 7]));
    let first = follower.quality.next_interval();
    assert_eq!((first.datagrams, first.lost, first.recovered), (7, 1, 0));
    follower.take((4, 0, 1000));
    follower.take((8, 0, 1001));
    let second = follower.quality.next_interval();
    assert_eq!((second.datagrams, second.lost, second.recovered), (2, 0, 1));
    assert_eq!(second.reordered, 1);
    assert_eq!(follower.tracker.totals().lost, 0);
    assert_eq!(follower.quality.bursts(), Bursts::default());
    // The series no longer shows the loss at the time when the number was missed.
    let lost = |point: &Point| point.lost;
    assert!(
        follower
            .quality
            .series()
            .unwrap()
            .points()
            .iter()
            .map(lost)
            .all(|lost| lost == 0)
    );
    assert_eq!(follower.quality.next_interval(), Interval::default());
}

#[test]
fn extents_are_those_of_rfc_4737() {
    // The datagrams of section 7.1 of the RFC's kind: 7 overtook 4, 5 and 6.
    let follower = Follower::all(&numbers(&[1, 2, 3, 7, 4, 5, 6, 8]));
    let extents = follower.quality.extents();
    assert_eq!(
        (extents.count, extents.sum, extents.longest),
        (3, 1 + 2 + 3, 3)
    );
    let swapped = Follower::all(&numbers(&[0, 2, 1, 3]));
    assert_eq!(swapped.quality.extents().longest, 1);
}

#[test]
fn bursts_and_outages_are_told() {
    let follower = Follower::all(&[(0, 0, 0), (1, 1, 1), (5, 5, 51), (6, 6, 400), (8, 8, 410)]);
    let quality = &follower.quality;
    let bursts = quality.bursts();
    assert_eq!((bursts.count, bursts.lost, bursts.longest), (2, 4, 3));
    assert_eq!(bursts.steps().collect::<Vec<_>>(), [(1, 1), (2, 0), (4, 1)]);
    // The long silence lost nothing: the sender paused.
    assert_eq!(quality.longest_gap(), Duration::from_millis(349));
    assert_eq!(quality.longest_outage(), Duration::from_millis(50));
    assert!((quality.rate() - 4.0 / 0.41).abs() < 1e-9);
}

#[test]
fn a_sender_that_begins_anew_keeps_its_figures() {
    let run = |from: i64| {
        (0..50_u64).map(move |number| {
            let time = from + i64::try_from(number).unwrap();
            (number, time, time)
        })
    };
    let mut follower = Follower::new();
    // The listener came late: the first that it hears is 20.
    run(0)
        .skip(20)
        .chain(run(1000))
        .chain(run(2000))
        .for_each(|event| follower.take(event));
    let quality = &mut follower.quality;
    assert_eq!(quality.bursts(), Bursts::default());
    assert_eq!(quality.extents(), Extents::default());
    let interval = quality.next_interval();
    assert_eq!(
        (interval.lost, interval.recovered, interval.duplicate),
        (0, 0, 0)
    );
    assert!(
        quality
            .series()
            .unwrap()
            .points()
            .iter()
            .all(|point| point.lost == 0)
    );
    assert!(quality.jitter().smoothed() < 1e-12);
}

#[test]
fn a_series_never_has_more_points_and_forgets_nothing() {
    let mut series = Series::new(at(0));
    for second in 0..100_000 {
        series.at(at(second * 1000 * MS)).datagrams += 1;
    }
    series.at(at(-5)).datagrams += 1;
    assert!(series.points().len() <= super::super::series::MOST_POINTS);
    let total: u64 = series.points().iter().map(|point| point.datagrams).sum();
    assert_eq!(total, 100_001);
    // A clock that jumps by centuries costs a few steps.
    series.at(at(i64::MAX)).datagrams += 1;
    assert!(series.points().len() <= super::super::series::MOST_POINTS);
}

/// The events that are the first with their number.
fn firsts(events: &[Event]) -> Vec<Event> {
    let mut seen = BTreeSet::new();
    let events = events.iter().copied();
    events.filter(|(number, ..)| seen.insert(*number)).collect()
}

/// RFC 4737, by looking at all datagrams before each.
fn reference_extents(events: &[Event]) -> Extents {
    let firsts = firsts(events);
    let mut extents = Extents::default();
    for (index, (number, ..)) in firsts.iter().enumerate() {
        let overtook = firsts[..index]
            .iter()
            .position(|(other, ..)| other > number);
        if let Some(place) = overtook {
            let extent = (index - place) as u64;
            extents.count += 1;
            extents.sum += extent;
            extents.longest = extents.longest.max(extent);
        }
    }
    extents
}

/// The lengths of the runs of missing numbers.
fn reference_bursts(events: &[Event]) -> Vec<u64> {
    let came: BTreeSet<u64> = events.iter().map(|(number, ..)| *number).collect();
    let came: Vec<u64> = came.into_iter().collect();
    let gaps = came.windows(2).map(|pair| pair[1] - pair[0] - 1);
    gaps.filter(|gap| *gap > 0).collect()
}

/// RFC 3550, datagram by datagram: the smoothed value and the mean.
fn reference_jitter(events: &[Event]) -> (f64, f64) {
    let mut smoothed = 0.0;
    let mut all = Vec::new();
    for pair in events.windows(2) {
        let [(_, s1, r1), (_, s2, r2)] = [pair[0], pair[1]];
        let difference = (((r2 - r1) - (s2 - s1)) as f64).abs() / 1e3;
        smoothed += (difference - smoothed) / 16.0;
        all.push(difference);
    }
    let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
    (smoothed, mean)
}

/// When each missing number was missed: when it first was between two numbers that had come.
fn reference_lost_at(events: &[Event], from: i64, to: i64) -> u64 {
    let came: BTreeSet<u64> = events.iter().map(|(number, ..)| *number).collect();
    let (lowest, highest) = (*came.first().unwrap(), *came.last().unwrap());
    let missing = (lowest..highest).filter(|number| !came.contains(number));
    let noticed = missing.map(|number| {
        let (mut below, mut above) = (false, false);
        let event = events.iter().find(|(other, ..)| {
            below |= *other < number;
            above |= *other > number;
            below && above
        });
        event.unwrap().2
    });
    noticed.filter(|time| (from..to).contains(time)).count() as u64
}

/// Numbers of less than a window, with growing arrival times; none looks like a restart, because all were sent before.
fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((0u64..200, 0i64..50, 0i64..40), 1..250).prop_map(|steps| {
        let mut time = 0;
        let mut events = vec![(100, 1000, 0)];
        for (number, sent, step) in steps {
            time += step;
            events.push((number, sent, time));
        }
        events
    })
}

proptest! {
    #[test]
    fn extents_agree_with_all_pairs(events in events()) {
        prop_assert_eq!(Follower::all(&events).quality.extents(), reference_extents(&events));
    }

    #[test]
    fn bursts_agree_with_a_set(events in events()) {
        let bursts = Follower::all(&events).quality.bursts();
        let expected = reference_bursts(&events);
        prop_assert_eq!(bursts.count, expected.len() as u64);
        prop_assert_eq!(bursts.lost, expected.iter().sum::<u64>());
        prop_assert_eq!(bursts.longest, expected.iter().copied().max().unwrap_or(0));
        for (bound, count) in bursts.steps() {
            let in_step = expected.iter().filter(|len| **len <= bound && **len * 2 > bound);
            prop_assert_eq!(count, in_step.count() as u64);
        }
    }

    #[test]
    fn jitter_agrees_with_the_formula(events in events()) {
        let follower = Follower::all(&events);
        let jitter = follower.quality.jitter();
        let (smoothed, mean) = reference_jitter(&events);
        prop_assert!((jitter.smoothed() - smoothed).abs() < 1e-9, "{} {smoothed}", jitter.smoothed());
        prop_assert!((jitter.mean() - mean).abs() < 1e-9, "{} {mean}", jitter.mean());
    }

    #[test]
    fn gaps_agree_with_all_neighbours(events in events()) {
        let quality = Follower::all(&events).quality;
        let gaps = events.windows(2).map(|pair| pair[1].2 - pair[0].2);
        let longest = u64::try_from(gaps.max().unwrap_or(0)).unwrap();
        prop_assert_eq!(quality.longest_gap(), Duration::from_millis(longest));
        // An outage is a gap before a number with missing ones before it.
        let outage = (1..events.len()).filter(|&index| {
            let highest = events[..index].iter().map(|(number, ..)| *number).max().unwrap();
            events[index].0 > highest + 1
        });
        let outage = outage.map(|index| events[index].2 - events[index - 1].2).max();
        let outage = u64::try_from(outage.unwrap_or(0)).unwrap();
        prop_assert_eq!(quality.longest_outage(), Duration::from_millis(outage));
    }

    #[test]
    fn the_course_of_loss_agrees_and_intervals_add_up(events in events(), every in 1usize..60) {
        let mut follower = Follower::new();
        let mut sum = Interval::default();
        for (index, &event) in events.iter().enumerate() {
            follower.take(event);
            if index % every == 0 {
                sum.add(&follower.quality.next_interval());
            }
        }
        sum.add(&follower.quality.next_interval());
        let totals = follower.tracker.totals();
        prop_assert_eq!(sum.datagrams, events.len() as u64);
        prop_assert_eq!(sum.lost, totals.lost + sum.recovered);
        prop_assert_eq!((sum.duplicate, sum.reordered), (totals.duplicate, totals.reordered));
        let series = follower.quality.series().unwrap();
        let width = i64::try_from(series.width().as_millis()).unwrap();
        for (index, point) in (0..).zip(series.points()) {
            let (from, to) = (index * width, (index + 1) * width);
            prop_assert_eq!(point.lost, reference_lost_at(&events, from, to));
            let arrived = events.iter().filter(|(_, _, time)| (from..to).contains(time));
            prop_assert_eq!(point.datagrams, arrived.count() as u64);
        }
    }

    #[test]
    fn a_batch_counts_as_its_datagrams_one_by_one(
        batches in prop::collection::vec((0u64..3, 1u64..40, 0i64..20, 0i64..20), 1..40),
    ) {
        let (mut one, mut many) = (Follower::new(), Follower::new());
        let (mut number, mut time, mut sent) = (0, 0, 0);
        for (skipped, count, step, later) in batches {
            (number, time, sent) = (number + skipped, time + step, sent + later);
            let numbered = |arrival, number, count| Numbered {
                number, count, sent: at(sent * MS), arrived: at(time * MS), arrival,
            };
            for each in number..number + count {
                one.take((each, sent, time));
            }
            many.quality.arrived(count, 100 * count, at(time * MS));
            let arrival = many.tracker.arrive(number, at(sent * MS));
            many.tracker.arrive_in_order(number + 1..number + count, at(sent * MS));
            many.quality.numbered(numbered(arrival, number, count));
            number += count;
        }
        let figures = |follower: &mut Follower| (
            follower.quality.bursts(), follower.quality.extents(), follower.quality.longest_gap(),
            follower.quality.longest_outage(), follower.quality.next_interval(),
        );
        prop_assert_eq!(figures(&mut one), figures(&mut many));
        let (one, many) = (one.quality.jitter(), many.quality.jitter());
        prop_assert!((one.smoothed() - many.smoothed()).abs() < 1e-12);
        prop_assert!((one.mean() - many.mean()).abs() < 1e-12);
    }

    #[test]
    fn no_numbers_and_times_panic(
        events in prop::collection::vec((0u64..1 << 48, any::<i64>(), any::<i64>()), 1..60),
        near in prop::collection::vec((0u64..4, any::<i64>(), any::<i64>()), 1..60),
    ) {
        let mut follower = Follower::new();
        for (number, sent, arrived) in events.into_iter().chain(near) {
            follower.quality.arrived(1, 1, at(arrived));
            let arrival = follower.tracker.arrive(number, at(sent));
            follower.quality.numbered(Numbered {
                number, count: 1, sent: at(sent), arrived: at(arrived), arrival,
            });
        }
        follower.quality.next_interval();
        let _ = (follower.quality.rate(), follower.quality.bursts());
    }
}
