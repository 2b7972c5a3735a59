//! What the figures of `listen --report` mean, and what to do: each with a code that stays the same.

use std::time::Duration;

use super::percent;
use crate::report::ReportProblem;
use crate::text::seconds;
use crate::udp::listen::ListenSummary;
use crate::udp::stats::series::{Point, Series};
use crate::words::catalogue::say;

/// Less loss than this part is usual in Wi-Fi, and needs no advice.
const USUAL_LOSS: f64 = 0.01;

/// How much of the loss must be in one place to say that it is there.
const MOST: f64 = 0.9;

/// Everything that was found; nothing if all is well.
pub(super) fn findings(
    report: &ListenSummary<'_>,
    names: &[(String, u64)],
    series: Option<&Series>,
) -> Vec<ReportProblem> {
    if report.datagrams() == 0 {
        return vec![nothing(report.filtered())];
    }
    let Some(totals) = report.totals().filter(|_| report.numbered() > 0) else {
        return Vec::new();
    };
    let arrived = report.numbered().saturating_sub(totals.duplicate);
    let here = report.dropped().unwrap_or_default().min(totals.lost);
    let mut found = Vec::new();
    if here > 0 {
        found.push(problem(
            "dropped-here",
            say!("listen-findings.dropped-here"),
            say!("listen-findings.dropped-here-next"),
            vec![say!(
                "listen-findings.dropped-here-detail",
                n = here,
                lost = totals.lost
            )],
        ));
    }
    let lost = totals.lost - here;
    if lost as f64 >= USUAL_LOSS * (arrived + totals.lost) as f64 && lost > 0 {
        found.push(loss(
            report,
            names,
            series,
            percent(lost, arrived + totals.lost),
        ));
    }
    found
}

fn problem(code: &str, meaning: String, next: String, details: Vec<String>) -> ReportProblem {
    ReportProblem {
        meaning,
        code: code.to_owned(),
        next,
        details,
        evidence: String::new(),
    }
}

fn nothing(filtered: u64) -> ReportProblem {
    if filtered > 0 {
        return problem(
            "only-others",
            say!("listen-findings.only-others", n = filtered),
            say!("listen-findings.only-others-next"),
            Vec::new(),
        );
    }
    problem(
        "nothing-arrived",
        say!("listen-findings.nothing"),
        say!("listen-findings.nothing-next"),
        Vec::new(),
    )
}

/// Loss on the way here: of one sender, at one time, in bursts, or scattered.
fn loss(
    report: &ListenSummary<'_>,
    names: &[(String, u64)],
    series: Option<&Series>,
    percent: String,
) -> ReportProblem {
    let bursts = report.bursts();
    let all: u64 = names.iter().map(|(_, lost)| lost).sum();
    let worst = names.iter().max_by_key(|(_, lost)| *lost);
    let worst = worst.filter(|(_, lost)| names.len() > 1 && is_most(*lost, all));
    let mut detail = vec![match worst {
        Some((name, lost)) => say!(
            "listen-findings.loss-of-sender",
            percent = percent,
            name = name,
            n = lost,
            all = all
        ),
        None => say!("listen-findings.loss", percent = percent),
    }];
    let outage = seconds(report.longest_outage());
    if let Some((from, to)) = series.and_then(|series| stretch(series.points(), series.width())) {
        detail.push(say!(
            "listen-findings.stretch",
            from = seconds(from),
            to = seconds(to),
            outage = outage
        ));
        return problem(
            "loss-for-a-time",
            say!("listen-findings.loss-for-a-time"),
            say!("listen-findings.loss-for-a-time-next"),
            detail,
        );
    }
    // Scattered losses of a part p are 1 / (1 - p) long on average.
    let share = all as f64 / (all + report.datagrams()).max(1) as f64;
    let mean = bursts.lost as f64 / bursts.count.max(1) as f64;
    if bursts.longest >= 3 && mean >= 2.0 / (1.0 - share) {
        detail.push(say!(
            "listen-findings.bursts",
            n: bursts.count,
            longest = bursts.longest,
            outage = outage
        ));
        return problem(
            "loss-in-bursts",
            say!("listen-findings.loss-in-bursts"),
            say!("listen-findings.loss-in-bursts-next"),
            detail,
        );
    }
    detail.push(say!("listen-findings.scattered", longest = bursts.longest));
    problem(
        "loss-scattered",
        say!("listen-findings.loss-scattered"),
        say!("listen-findings.loss-scattered-next"),
        detail,
    )
}

fn is_most(part: u64, all: u64) -> bool {
    part as f64 >= MOST * all as f64
}

/// The time in which most of the loss was, if it is a quarter of the run at most; from the start of the run.
fn stretch(points: &[Point], width: Duration) -> Option<(Duration, Duration)> {
    let all: u64 = points.iter().map(|point| point.lost).sum();
    let longest = points.len() / 4;
    // The shortest such time: for each end the latest start.
    let (mut start, mut sum, mut best) = (0, 0, None);
    for (end, point) in points.iter().enumerate() {
        sum += point.lost;
        while let Some(first) = points.get(start)
            && start < end
            && is_most(sum - first.lost, all)
        {
            sum -= first.lost;
            start += 1;
        }
        let len = end + 1 - start;
        let is_shorter = best.is_none_or(|(from, to)| len < to - from);
        if all > 0 && is_most(sum, all) && len <= longest && is_shorter {
            best = Some((start, end + 1));
        }
    }
    let at = |point: usize| width.saturating_mul(u32::try_from(point).unwrap_or(u32::MAX));
    best.map(|(from, to)| (at(from), at(to)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(lost: &[u64]) -> Vec<Point> {
        let point = |&lost: &u64| Point {
            lost,
            ..Point::default()
        };
        lost.iter().map(point).collect()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_time_with_most_of_the_loss_is_found() {
        let seconds = |from, to| Some((Duration::from_secs(from), Duration::from_secs(to)));
        let mut lost = vec![0; 12];
        assert_eq!(stretch(&points(&lost), SECOND), None);
        (lost[4], lost[6]) = (10, 9);
        assert_eq!(stretch(&points(&lost), SECOND), seconds(4, 7));
        lost[11] = 2;
        assert_eq!(stretch(&points(&lost), SECOND), seconds(4, 7));
        lost[11] = 3;
        assert_eq!(stretch(&points(&lost), SECOND), None);
        assert_eq!(stretch(&points(&[1, 1, 1, 1, 1, 1, 1, 1]), SECOND), None);
        assert_eq!(stretch(&[], SECOND), None);
    }

    proptest! {
        #[test]
        fn it_is_the_shortest_of_all_times(lost in prop::collection::vec(0u64..4, 0..40)) {
            let all: u64 = lost.iter().sum();
            let len = |(from, to): (Duration, Duration)| to.saturating_sub(from).as_secs();
            let found = stretch(&points(&lost), SECOND).map(len);
            let of = |from: usize, to: usize| lost[from..to].iter().sum::<u64>();
            let pairs = (0..lost.len()).flat_map(|from| (from + 1..=lost.len()).map(move |to| (from, to)));
            let fits = pairs.filter(|&(from, to)| all > 0 && to - from <= lost.len() / 4 && is_most(of(from, to), all));
            let shortest = fits.map(|(from, to)| (to - from) as u64).min();
            prop_assert_eq!(found, shortest);
        }
    }
}
