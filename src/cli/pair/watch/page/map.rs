//! The map of a walk.

use std::time::Duration;

use super::{Clock, MOST_ACCESS_POINTS, name_of};
use crate::pair::watch::DirectionCounts;
use crate::pair::watch::history::{History, Period, Stretch};
use crate::report::map::{Lane, MapRow, MapStretch, TimeMap};
use crate::words::catalogue::say;

/// The signals at the bottom and the top of the picture, in dBm, and the threshold for a weak one.
const NO_SIGNAL: f64 = -95.0;
const FULL_SIGNAL: f64 = -35.0;
const WEAK_SIGNAL: f64 = -75.0;

/// The marks of the time axis.
const MARKS: u32 = 4;

pub(super) fn map(history: &History, stretches: &[Stretch], clock: &Clock) -> TimeMap {
    let count = history.periods().len().max(1);
    let share = |place: usize| place as f64 / count as f64;
    let span = history
        .length()
        .saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
    TimeMap {
        rows: rows(history),
        lanes: lanes(history),
        stretches: stretches
            .iter()
            .enumerate()
            .map(|(index, stretch)| MapStretch {
                label: (index + 1).to_string(),
                range: (share(stretch.periods.start), share(stretch.periods.end)),
            })
            .collect(),
        ticks: (0..=MARKS)
            .map(|mark| {
                let place = f64::from(mark) / f64::from(MARKS);
                (place, clock.at(span * mark / MARKS))
            })
            .collect(),
    }
}

/// One value of each period.
fn values(history: &History, value: impl Fn(&Period) -> Option<f64>) -> Vec<Option<f64>> {
    let count = history.periods().len();
    (0..count)
        .map(|index| history.known(index).and_then(&value))
        .collect()
}

/// A row from 0 to the greatest value, but at least to `least`.
fn from_zero(
    name: String,
    mut values: Vec<Option<f64>>,
    least: f64,
    scale: impl Fn(String) -> String,
) -> MapRow {
    let greatest = values.iter().flatten().copied().fold(least, f64::max);
    for value in values.iter_mut().flatten() {
        *value /= greatest;
    }
    let digits = if greatest < 10.0 { 10.0 } else { 1.0 };
    let top = (greatest * digits).round() / digits;
    MapRow {
        name,
        values,
        scale: scale(top.to_string()),
        limit: None,
        is_bad: true,
    }
}

fn rows(history: &History) -> Vec<MapRow> {
    let loss = |way: fn(&Period) -> DirectionCounts| {
        values(history, move |period| {
            let counts = way(period);
            (counts.sent > 0).then(|| counts.percent())
        })
    };
    let percent = |top| say!("pair-survey.scale-percent", top = top);
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let mut rtt = from_zero(
        say!("pair-survey.row-rtt"),
        values(history, |period| period.rtt().map(ms)),
        0.1,
        |top| say!("pair-survey.scale-ms", top = top),
    );
    rtt.is_bad = false;
    let place = |rssi: f64| ((rssi - NO_SIGNAL) / (FULL_SIGNAL - NO_SIGNAL)).clamp(0.0, 1.0);
    vec![
        from_zero(
            say!("pair-survey.row-down"),
            loss(|period| period.down),
            20.0,
            percent,
        ),
        from_zero(
            say!("pair-survey.row-up"),
            loss(|period| period.up),
            20.0,
            percent,
        ),
        rtt,
        MapRow {
            name: say!("pair-survey.row-signal"),
            values: values(history, |period| {
                // A value off the scale stays visible.
                Some(place(period.rssi()? as f64).max(0.01))
            }),
            scale: say!(
                "pair-survey.scale-signal",
                bottom = NO_SIGNAL,
                top = FULL_SIGNAL,
                limit = WEAK_SIGNAL
            ),
            limit: Some(place(WEAK_SIGNAL)),
            is_bad: false,
        },
    ]
}

fn lanes(history: &History) -> Vec<Lane> {
    let mut places: Vec<usize> = (0..history.access_points().len()).collect();
    let rounds = |place: &usize| {
        let point = history.access_points().get(*place);
        std::cmp::Reverse(point.map_or(0, |point| point.sum.rounds))
    };
    places.sort_by_key(rounds);
    places.truncate(MOST_ACCESS_POINTS);
    places.sort_unstable();
    let lane = |place: usize| {
        let point = history.access_points().get(place)?;
        let is_there = |index| {
            let period = history.known(index);
            period.is_some_and(|period| period.access_points & (1 << place) != 0)
        };
        Some(Lane {
            name: say!("pair-survey.lane", name = name_of(point)),
            cells: (0..history.periods().len()).map(is_there).collect(),
        })
    };
    places.into_iter().filter_map(lane).collect()
}
