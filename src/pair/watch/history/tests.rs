use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::pair::results::StepNote;

const SECOND: Duration = Duration::from_secs(1);

fn round(sent: u64, received: u64, signal: Signal) -> RoundResults {
    let way = DirectionCounts { sent, received };
    let mut findings = Vec::new();
    if received < sent {
        findings.push(Finding::with(Diagnosis::Loss, StepNote::Nothing));
        findings.push(Finding::with(Diagnosis::Loss, StepNote::Nothing));
    }
    RoundResults {
        number: 1,
        down: way,
        up: way,
        echo: way,
        rtt: (received > 0).then_some([SECOND / 100; 4]),
        signal,
        time: SECOND,
        oled: None,
        last: VecDeque::new(),
        findings,
    }
}

fn at(bssid: u8, rssi: i64) -> Signal {
    Signal {
        is_connected: true,
        rssi: Some(rssi),
        channel: Some(1),
        bssid: Some([bssid; 6]),
    }
}

#[test]
fn one_bad_corner_is_one_stretch() {
    let mut history = History::default();
    for second in 1..=120_u32 {
        let is_corner = (41..=60).contains(&second);
        let (received, signal) = if is_corner {
            (6, at(2, -83))
        } else {
            (10, at(1, -55))
        };
        history.round(&round(10, received, signal), SECOND * second);
    }
    let stretches = history.stretches(5.0);
    let [corner] = stretches.as_slice() else {
        panic!("{stretches:?}");
    };
    // Periods of 2 s; the round that ended at 60 s is in the period that begins there.
    assert_eq!(corner.periods, 20..31);
    assert_eq!((corner.sum.rounds, corner.sum.down.received), (22, 140));
    assert_eq!(corner.sum.code(), Some(Diagnosis::Loss));
    assert_eq!(corner.sum.access_points, 0b11);
    let points = history.access_points();
    assert_eq!(points.len(), 2);
    assert_eq!(
        (points[1].sum.rounds, points[1].sum.rssi()),
        (20, Some(-83))
    );
    let (_, found) = history.problems().next().unwrap();
    assert_eq!(
        (found.times, found.first, found.last),
        (20, SECOND * 41, SECOND * 60)
    );
}

#[test]
fn a_lost_datagram_now_and_then_is_no_stretch() {
    let mut history = History::default();
    for second in 0..400_u32 {
        let received = if second % 7 == 0 { 9 } else { 10 };
        history.round(&round(10, received, at(1, -50)), SECOND * second);
    }
    assert!(history.stretches(5.0).is_empty());
}

#[test]
fn a_board_out_of_reach_does_not_split_a_stretch() {
    let mut history = History::default();
    for second in 0..60_u32 {
        // No round ends in 10 s of the bad stretch.
        if (30..40).contains(&second) {
            continue;
        }
        let received = if (20..50).contains(&second) { 2 } else { 10 };
        history.round(&round(10, received, at(1, -80)), SECOND * second);
    }
    let stretches = history.stretches(5.0);
    assert_eq!(stretches.len(), 1, "{stretches:?}");
    assert_eq!(stretches[0].periods, 10..25);
    assert!(history.known(17).is_none() && history.known(3).is_some());
}

#[test]
fn a_long_round_is_known_while_it_runs() {
    let mut history = History::default();
    let mut long = round(10, 10, at(1, -50));
    long.time = SECOND * 7;
    history.round(&long, SECOND * 9);
    assert_eq!(
        [0, 1, 2, 3, 4].map(|index| history.known(index).is_some()),
        [false, true, true, true, true]
    );
}

#[test]
fn a_bad_stretch_begins_when_its_first_round_did() {
    let mut history = History::default();
    for second in 0..10 {
        history.round(&round(10, 10, at(1, -50)), SECOND * second);
    }
    for end in [16, 22, 28, 34, 40, 46] {
        let mut lossy = round(10, 2, at(1, -85));
        lossy.time = SECOND * 6;
        history.round(&lossy, SECOND * end);
    }
    for second in 47..60 {
        history.round(&round(10, 10, at(1, -50)), SECOND * second);
    }
    let stretches = history.stretches(5.0);
    assert_eq!(stretches.len(), 1, "{stretches:?}");
    // The first of them ran from 10 s to 16 s.
    assert_eq!(stretches[0].periods, 6..24);
}

#[test]
fn there_are_never_more_periods_or_access_points_than_the_limit() {
    let mut history = History::default();
    for second in 0..20_000_u32 {
        let bssid = u8::try_from(second % 251).unwrap();
        history.round(&round(10, 9, at(bssid, -60)), SECOND * second);
        assert!(history.periods().len() <= MOST_PERIODS);
    }
    history.end(SECOND * 100_000);
    assert!(history.periods().len() <= MOST_PERIODS);
    let points = history.access_points();
    assert_eq!(points.len(), MOST_ACCESS_POINTS);
    assert!(points[15].is_rest && points[15].bssid.is_none());
    assert_eq!(
        points.iter().map(|point| point.sum.rounds).sum::<u64>(),
        20_000
    );
    let counted: u64 = history.periods().iter().map(|period| period.rounds).sum();
    assert_eq!(counted, 20_000);
}

proptest! {
    /// The sums of the periods are those of all rounds, whatever comes when, and every stretch lost something.
    #[test]
    fn no_round_gets_lost(rounds in proptest::collection::vec((0..20_u64, 0..20_u64, 0..600_u32, 0..4_u8), 1..200)) {
        let mut history = History::default();
        let (mut sent, mut time) = (0, Duration::ZERO);
        for (count, lost, later, bssid) in rounds {
            time += SECOND * later;
            sent += count;
            history.round(&round(count, count.saturating_sub(lost), at(bssid, -70)), time);
        }
        let of_periods: u64 = history.periods().iter().map(|period| period.down.sent).sum();
        prop_assert_eq!(of_periods, sent);
        prop_assert_eq!(history.total().down.sent, sent);
        let of_points: u64 = history.access_points().iter().map(|point| point.sum.down.sent).sum();
        prop_assert_eq!(of_points, sent);
        let mut end = 0;
        for stretch in history.stretches(5.0) {
            prop_assert!(stretch.periods.start >= end && stretch.periods.end <= history.periods().len());
            prop_assert!(stretch.sum.both().received < stretch.sum.both().sent);
            end = stretch.periods.end;
        }
    }
}
