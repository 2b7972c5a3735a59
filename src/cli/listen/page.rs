//! `listen --report FILE.html`: a report on the datagrams, as one page in the user's language.

mod findings;

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::report::{about, data};
use crate::report::{Course, Page, ReportProblem, ReportSection, ResultMark, Subject};
use crate::text::seconds;
use crate::udp::listen::{ListenSummary, Sender};
use crate::udp::stats::Spread;
use crate::udp::stats::series::{MOST_POINTS, Point, Series};
use crate::words::catalogue::say;
use crate::words::language;

/// The number of senders in the table, and of those with their own chart: the page is one sheet of paper.
const MOST_ROWS: usize = 12;
const MOST_PICTURES: usize = 4;

/// How many steps of a histogram the page has.
const MOST_STEPS: usize = 8;

/// The name that the user has given to a sender.
type NameOf<'a> = dyn FnMut(IpAddr) -> Option<String> + 'a;

/// The page.
pub(super) fn page(report: &ListenSummary<'_>, name_of: &mut NameOf<'_>) -> Page {
    let of_sender = |sender: &Sender<'_>| {
        let lost = sender.totals.map_or(0, |totals| totals.lost);
        (named(sender, name_of), lost)
    };
    let lost: Vec<(String, u64)> = report.senders().iter().map(of_sender).collect();
    let found = findings::findings(report, &lost, report.series().as_ref());
    let codes: Vec<String> = found.iter().map(|found| found.code.clone()).collect();
    Page {
        language: language::current().tag(),
        title: say!("listen-report.title"),
        subjects: vec![subject(report, found, name_of)],
        about: about(&str::to_owned),
        data: data("listen", content(report, &codes), &str::to_owned),
    }
}

/// The summary's JSON, with the command and the time of the run.
fn content(report: &ListenSummary<'_>, codes: &[String]) -> Value {
    let mut content = json!({ "summary": report.to_json(), "codes": codes });
    if let (Some(series), Some(content)) = (report.series(), content.as_object_mut()) {
        let point = |point: &Point| {
            json!({
                "datagrams": point.datagrams,
                "bytes": point.bytes,
                "lost": point.lost,
                "duplicate": point.duplicate,
                "reordered": point.reordered,
                "jitter": point.jitter(),
                "gap": point.gap as f64 / 1e9,
            })
        };
        let points: Vec<Value> = series.points().iter().map(point).collect();
        let series = json!({ "width": series.width().as_secs_f64(), "points": points });
        content.insert("series".to_owned(), series);
    }
    content
}

/// The one part of the page.
fn subject(
    report: &ListenSummary<'_>,
    found: Vec<ReportProblem>,
    name_of: &mut NameOf<'_>,
) -> Subject {
    let senders = report.senders();
    let shown = senders.iter().take(MOST_ROWS);
    let rows: Vec<(String, &Sender<'_>)> = shown
        .map(|sender| (named(sender, name_of), sender))
        .collect();
    let totals = report.totals();
    let (datagrams, time) = (report.datagrams(), seconds(report.elapsed()));
    let is_numbered = totals.is_some() && report.numbered() > 0;
    let lost = totals.map_or(0, |totals| totals.lost);
    let (mark, word) = match (datagrams, is_numbered, lost) {
        (0, ..) => (ResultMark::Bad, say!("listen-report.word-nothing")),
        (_, false, _) => (ResultMark::Skipped, say!("listen-report.word-unknown")),
        (_, true, 0) => (ResultMark::Good, say!("listen-report.word-good")),
        // Some loss is normal in Wi-Fi: a warning, and not a failure.
        _ => (ResultMark::Warning, say!("listen-report.word-lost")),
    };
    let count = report.peers();
    let sentence = if is_numbered {
        let arrived = report.numbered() - totals.map_or(0, |totals| totals.duplicate);
        say!(
            "listen-report.sentence-loss",
            datagrams: datagrams,
            senders: count,
            time = time,
            lost = lost,
            percent = percent(lost, arrived + lost)
        )
    } else {
        say!("listen-report.sentence", datagrams: datagrams, senders: count, time = time)
    };
    let mut sections = Vec::new();
    // Each finding takes the place of two pictures.
    let most_pictures = MOST_PICTURES.saturating_sub(2 * found.len());
    if !found.is_empty() {
        sections.push((say!("report.findings"), ReportSection::Findings(found)));
    }
    if let Some(series) = report.series() {
        let courses = courses(&series, is_numbered, report.elapsed());
        sections.push((
            say!("listen-report.over-time"),
            ReportSection::Courses(courses),
        ));
    }
    if is_numbered && senders.len() > 1 && most_pictures > 0 {
        let mut worst: Vec<&(String, &Sender<'_>)> = rows.iter().collect();
        worst.sort_by_key(|(_, sender)| {
            std::cmp::Reverse(sender.totals.map_or(0, |totals| totals.lost))
        });
        let pictures = worst.into_iter().take(most_pictures);
        let pictures = pictures.filter_map(|(name, sender)| {
            let name = name.clone();
            let series = sender.quality.series()?;
            Some(course(name, series, report.elapsed(), true, Point::loss))
        });
        let heading = say!("listen-report.loss-of-senders");
        sections.push((heading, ReportSection::Courses(pictures.collect())));
    }
    if !senders.is_empty() {
        sections.push((say!("listen-report.senders"), table(&rows, is_numbered)));
    }
    if senders.len() > MOST_ROWS {
        let more = say!("listen-report.more-senders", n = MOST_ROWS);
        sections.push((String::new(), ReportSection::Text(more)));
    }
    let bursts = report.bursts();
    if bursts.count > 0 {
        let steps = bursts.steps().take(MOST_STEPS);
        let steps = steps.map(|(bound, count)| (up_to(bound), count));
        let heading = say!("listen-report.bursts");
        sections.push((heading, ReportSection::Histogram(steps.collect())));
    }
    if report.delay().count() > 0 {
        let heading = say!("listen-report.delay");
        sections.push((heading, ReportSection::Histogram(steps(report.delay()))));
    }
    if !is_numbered && datagrams > 0 {
        let text = say!("listen-report.no-numbers");
        sections.push((say!("listen-report.loss"), ReportSection::Text(text)));
    }
    sections.push((
        say!("listen-report.totals"),
        ReportSection::Facts(counts(report)),
    ));
    Subject {
        mark,
        word,
        sentence,
        sections,
    }
}

/// The name of a step of a histogram.
fn up_to(bound: impl std::fmt::Display) -> String {
    say!("listen-report.up-to", bound = bound)
}

/// A share in percent, with the digits that matter.
fn percent(part: u64, all: u64) -> String {
    let percent = part as f64 * 100.0 / all.max(1) as f64;
    format!("{}", (percent * 100.0).round() / 100.0)
}

/// A sender, with the name that the user has given to it.
fn named(sender: &Sender<'_>, name_of: &mut NameOf<'_>) -> String {
    match name_of(sender.from.ip()) {
        Some(name) => say!("listen-report.named", name = name, address = sender.from),
        None => sender.from.to_string(),
    }
}

/// The course of each figure in time.
fn courses(series: &Series, is_numbered: bool, elapsed: Duration) -> Vec<Course> {
    let width = series.width().as_secs_f64();
    let rate = move |point: &Point| Some(point.datagrams as f64 / width);
    let mut courses = Vec::new();
    if is_numbered {
        let name = say!("listen-report.course-loss");
        courses.push(course(name, series, elapsed, true, Point::loss));
    }
    let name = say!("listen-report.course-rate");
    courses.push(course(name, series, elapsed, false, rate));
    if is_numbered {
        let jitter = |point: &Point| Some(point.jitter()? * 1e3);
        let name = say!("listen-report.course-jitter");
        courses.push(course(name, series, elapsed, true, jitter));
    }
    courses
}

/// The course of one figure, to the end of the run.
fn course(
    name: String,
    series: &Series,
    elapsed: Duration,
    is_bad: bool,
    figure: impl Fn(&Point) -> Option<f64>,
) -> Course {
    let mut values: Vec<Option<f64>> = series.points().iter().map(figure).collect();
    // There is no data for a time without datagrams, even at the end.
    let width = series.width().as_nanos().max(1);
    let wanted = usize::try_from(elapsed.as_nanos().div_ceil(width)).unwrap_or(usize::MAX);
    let wanted = wanted.min(MOST_POINTS);
    values.resize(values.len().max(wanted), None);
    let greatest = values.iter().flatten().copied().fold(0.0, f64::max);
    let digits = if greatest < 10.0 { 1000.0 } else { 10.0 };
    Course {
        name,
        values,
        top: say!(
            "listen-report.course-top",
            value = (greatest * digits).round() / digits
        ),
        ends: [
            say!("listen-report.course-start"),
            say!(
                "listen-report.course-end",
                time = seconds(elapsed),
                width = seconds(series.width())
            ),
        ],
        is_bad,
    }
}

/// A row for each sender.
fn table(senders: &[(String, &Sender<'_>)], is_numbered: bool) -> ReportSection {
    let mut columns = vec![
        say!("listen-report.sender"),
        say!("listen-report.datagrams"),
        say!("listen-report.rate"),
    ];
    if is_numbered {
        columns.extend([
            say!("listen-report.lost"),
            say!("listen-report.loss"),
            say!("listen-report.duplicate"),
            say!("listen-report.reordered"),
            say!("listen-report.extent"),
            say!("listen-report.jitter"),
            say!("listen-report.outage"),
        ]);
    } else {
        columns.push(say!("listen-report.gap"));
    }
    let row = |(name, sender): &(String, &Sender<'_>)| {
        let quality = sender.quality;
        let mut cells = vec![
            name.clone(),
            quality.datagrams.to_string(),
            format!("{:.1}", quality.rate()),
        ];
        match sender.totals.filter(|_| is_numbered) {
            Some(totals) => {
                let arrived = quality.datagrams - totals.duplicate.min(quality.datagrams);
                cells.extend([
                    totals.lost.to_string(),
                    percent(totals.lost, arrived + totals.lost),
                    totals.duplicate.to_string(),
                    totals.reordered.to_string(),
                    quality.extents().longest.to_string(),
                    format!("{:.3}", quality.jitter().smoothed() * 1e3),
                    seconds(quality.longest_outage()).to_string(),
                ]);
            }
            None => cells.push(seconds(quality.longest_gap()).to_string()),
        }
        cells
    };
    ReportSection::Table {
        columns,
        rows: senders.iter().map(row).collect(),
    }
}

/// The steps of a distribution; the long tail is one step.
fn steps(spread: &Spread) -> Vec<(String, u64)> {
    let steps = spread.steps();
    let (shown, tail) = steps.split_at(steps.len().min(MOST_STEPS - 1));
    let ms = |time: &Duration| up_to(time.as_nanos() as f64 / 1e6);
    let mut out: Vec<(String, u64)> = shown
        .iter()
        .map(|(time, count)| (ms(time), *count))
        .collect();
    if let Some((time, _)) = tail.last() {
        out.push((ms(time), tail.iter().map(|(_, count)| count).sum()));
    }
    out
}

/// All counts of the run.
fn counts(report: &ListenSummary<'_>) -> Vec<(String, String)> {
    let mut facts = vec![
        (
            say!("listen-report.received"),
            report.datagrams().to_string(),
        ),
        (say!("listen-report.bytes"), report.bytes().to_string()),
    ];
    if let Some(totals) = report.totals() {
        facts.extend([
            (say!("listen-report.lost"), totals.lost.to_string()),
            (
                say!("listen-report.duplicate"),
                totals.duplicate.to_string(),
            ),
            (
                say!("listen-report.reordered"),
                totals.reordered.to_string(),
            ),
            (
                say!("listen-report.unsequenced"),
                report.unsequenced().to_string(),
            ),
        ]);
    }
    if let Some(dropped) = report.dropped() {
        facts.push((say!("listen-report.dropped"), dropped.to_string()));
    }
    facts.push((
        say!("listen-report.truncated"),
        report.truncated().to_string(),
    ));
    facts
}
