//! `pair --watch --report FILE.html`: a walk through the school as one page, with a map of time against loss, round trips,
//! signal and access point.

mod data;
mod map;

use std::time::Duration;

use jiff::Zoned;

use crate::cli::pair::html::facts;
use crate::cli::report::{self, about};
use crate::pair::diagnosis::Diagnosis;
use crate::pair::results::BoardReport;
use crate::pair::watch::DirectionCounts;
use crate::pair::watch::history::{AccessPoint, Found, History, Period, Stretch};
use crate::report::{Page, ReportProblem, ReportSection, ResultMark, Subject};
use crate::text::sentence::{Sentence, sentence};
use crate::words;
use crate::words::catalogue::say;
use crate::words::language;

/// The number of rows that fit on one sheet of paper. The JSON has everything.
const MOST_FINDINGS: usize = 3;
const MOST_STRETCHES: usize = 6;
const MOST_ACCESS_POINTS: usize = 6;

/// The loss in percent above which a finding of loss is not just chance.
const NOTED: f64 = 1.0;

/// The page.
pub(in crate::cli::pair) fn page(
    report: &BoardReport,
    history: &History,
    max_loss: f64,
    name: Option<String>,
    clean: &dyn Fn(&str) -> String,
) -> Page {
    let clock = Clock::ended_now(history.elapsed());
    let stretches = worst(history.stretches(max_loss));
    let content = data::content(report, history, max_loss, name.as_deref(), &clock);
    Page {
        language: language::current().tag(),
        title: say!("pair-survey.title"),
        subjects: vec![Subject {
            mark: verdict(history, max_loss, &stretches),
            word: word(verdict(history, max_loss, &stretches), &stretches),
            sentence: sentence(report, history, name),
            sections: sections(report, history, &stretches, &clock, clean),
        }],
        about: about(clean),
        data: report::data("survey", content, clean),
    }
}

/// The stretches that lost most, in the order of time.
fn worst(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    let lost = |stretch: &Stretch| {
        let both = stretch.sum.both();
        both.sent.saturating_sub(both.received)
    };
    stretches.sort_by_key(|stretch| std::cmp::Reverse(lost(stretch)));
    stretches.truncate(MOST_STRETCHES);
    stretches.sort_by_key(|stretch| stretch.periods.start);
    stretches
}

/// The time of day during the watch.
struct Clock {
    start: Zoned,
}

impl Clock {
    fn ended_now(elapsed: Duration) -> Self {
        let now = Zoned::now();
        let start = now.checked_sub(elapsed).unwrap_or(now);
        Self { start }
    }

    fn at(&self, time: Duration) -> String {
        let time = self.start.checked_add(time);
        let time = time.unwrap_or_else(|_| self.start.clone());
        time.strftime("%H:%M:%S").to_string()
    }
}

fn verdict(history: &History, max_loss: f64, stretches: &[Stretch]) -> ResultMark {
    let total = history.total();
    let worst = total.down.percent().max(total.up.percent());
    let has_others = history
        .problems()
        .any(|(code, _)| !is_loss(code) && code != Diagnosis::NotMpython);
    if worst > max_loss {
        ResultMark::Bad
    } else if !stretches.is_empty() || worst >= NOTED || has_others {
        ResultMark::Warning
    } else {
        ResultMark::Good
    }
}

fn word(mark: ResultMark, stretches: &[Stretch]) -> String {
    match mark {
        ResultMark::Good => say!("pair-survey.word-good"),
        ResultMark::Warning if !stretches.is_empty() => say!("pair-survey.word-places"),
        ResultMark::Warning => say!("pair-survey.word-note"),
        _ => say!("pair-survey.word-bad"),
    }
}

fn sentence(report: &BoardReport, history: &History, name: Option<String>) -> String {
    let total = history.total();
    let text = say!(
        "pair-survey.sentence",
        rounds: total.rounds,
        time = crate::text::seconds(history.elapsed()),
        down = percent(total.down),
        up = percent(total.up)
    );
    match name {
        Some(name) => say!(
            "report.subject-named",
            name = name,
            port = &report.port,
            sentence = text
        ),
        None => say!("report.subject", port = &report.port, sentence = text),
    }
}

fn sections(
    report: &BoardReport,
    history: &History,
    stretches: &[Stretch],
    clock: &Clock,
    clean: &dyn Fn(&str) -> String,
) -> Vec<(String, ReportSection)> {
    let mut sections = Vec::new();
    let (problems, others) = problems(history, stretches, clock, clean);
    if !problems.is_empty() {
        sections.push((say!("report.findings"), ReportSection::Findings(problems)));
    }
    if !others.is_empty() {
        let text = say!("pair-survey.more-findings", codes <- others);
        sections.push((String::new(), ReportSection::Text(text)));
    }
    sections.push((
        say!("pair-survey.map"),
        ReportSection::Map(map::map(history, stretches, clock)),
    ));
    if !stretches.is_empty() {
        sections.push((
            say!("pair-survey.stretches"),
            stretch_table(history, stretches, clock),
        ));
    }
    sections.push((say!("pair-survey.access-points"), access_points(history)));
    sections.push((
        say!("report.board"),
        ReportSection::Facts(facts(&report.port, history.steps(), clean)),
    ));
    sections
}

fn is_loss(code: Diagnosis) -> bool {
    [Diagnosis::Loss, Diagnosis::WeakSignal].contains(&code)
}

/// The most frequent problems, and the codes of the rest.
fn problems(
    history: &History,
    stretches: &[Stretch],
    clock: &Clock,
    clean: &dyn Fn(&str) -> String,
) -> (Vec<ReportProblem>, Vec<Sentence>) {
    let total = history.total();
    let has_loss = total.down.percent().max(total.up.percent()) >= NOTED;
    // An occasional lost datagram is no problem.
    let is_told = |code: Diagnosis| {
        !is_loss(code)
            || has_loss
            || stretches
                .iter()
                .any(|stretch| stretch.sum.codes.contains_key(&code))
    };
    let mut found: Vec<(Diagnosis, &Found)> = history
        .problems()
        .filter(|(code, _)| is_told(*code))
        .collect();
    found.sort_by_key(|(_, found)| std::cmp::Reverse(found.times));
    let others = found
        .iter()
        .skip(MOST_FINDINGS)
        .map(|(code, found)| {
            sentence!(
                "pair-survey.code-times",
                code = code.code(),
                times: found.times
            )
        })
        .collect();
    let problem = |&(code, found): &(Diagnosis, &Found)| ReportProblem {
        meaning: words::pair::meaning(code),
        code: code.code().to_owned(),
        next: words::pair::next(code),
        details: vec![clean(&found_when(code, found, total, clock))],
        evidence: clean(found.finding.evidence.as_deref().unwrap_or_default()),
    };
    let problems = found.iter().take(MOST_FINDINGS).map(problem).collect();
    (problems, others)
}

fn found_when(code: Diagnosis, found: &Found, total: &Period, clock: &Clock) -> String {
    let (first, last) = (clock.at(found.first), clock.at(found.last));
    let when = if total.codes.contains_key(&code) {
        say!(
            "pair-survey.found-in-rounds",
            times: found.times,
            rounds: total.rounds,
            first = first,
            last = last
        )
    } else {
        say!("pair-survey.found", times: found.times, first = first, last = last)
    };
    let detail = words::pair::said(&found.finding.detail);
    if detail.is_empty() {
        when
    } else {
        say!("pair-survey.found-last", when = when, detail = detail)
    }
}

/// A share in percent, with one digit after the point.
fn percent(counts: DirectionCounts) -> String {
    if counts.sent == 0 {
        return "-".to_owned();
    }
    let percent = (counts.percent() * 10.0).round() / 10.0;
    // A share that rounds to 0 must not look like nothing.
    if percent == 0.0 && counts.received < counts.sent {
        return "< 0.1".to_owned();
    }
    percent.to_string()
}

fn rtt(period: &Period) -> String {
    let ms = |time: Duration| {
        let ms = time.as_secs_f64() * 1e3;
        if ms < 10.0 {
            format!("{ms:.2}")
        } else {
            format!("{ms:.1}")
        }
    };
    period.rtt().map_or_else(|| "-".to_owned(), ms)
}

/// Mean and lowest signal.
fn rssi(period: &Period) -> String {
    match (period.rssi(), period.rssi_min) {
        (Some(mean), Some(least)) if mean == least => mean.to_string(),
        (Some(mean), Some(least)) => say!("pair-survey.mean-and-least", mean = mean, least = least),
        _ => "-".to_owned(),
    }
}

/// An access point as people read it.
fn name_of(point: &AccessPoint) -> String {
    match (point.bssid, point.channel) {
        _ if point.is_rest => say!("pair-survey.rest"),
        (Some(bssid), _) => bssid.map(|byte| format!("{byte:02x}")).join(":"),
        (None, Some(channel)) => say!("pair-survey.unknown-on-channel", channel = channel),
        (None, None) => say!("pair-survey.unknown"),
    }
}

fn names_of(history: &History, places: u16) -> String {
    let points = history.access_points().iter().enumerate();
    let names = points
        .filter(|(place, _)| places & (1 << place) != 0)
        .map(|(_, point)| name_of(point));
    words::these(names)
}

fn stretch_table(history: &History, stretches: &[Stretch], clock: &Clock) -> ReportSection {
    let length = history.length();
    let at =
        |place: usize| clock.at(length.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX)));
    let row = |(index, stretch): (usize, &Stretch)| {
        let code = stretch.sum.code();
        vec![
            (index + 1).to_string(),
            at(stretch.periods.start),
            at(stretch.periods.end),
            percent(stretch.sum.down),
            percent(stretch.sum.up),
            rtt(&stretch.sum),
            rssi(&stretch.sum),
            names_of(history, stretch.sum.access_points),
            code.map_or_else(|| "-".to_owned(), |code| code.code().to_owned()),
        ]
    };
    ReportSection::Table {
        columns: vec![
            say!("pair-survey.number"),
            say!("pair-survey.from"),
            say!("pair-survey.to"),
            say!("pair-survey.loss-down"),
            say!("pair-survey.loss-up"),
            say!("pair-survey.rtt"),
            say!("pair-survey.signal"),
            say!("pair-survey.access-point"),
            say!("pair-survey.code"),
        ],
        rows: stretches.iter().enumerate().map(row).collect(),
    }
}

fn access_points(history: &History) -> ReportSection {
    let mut points: Vec<&AccessPoint> = history.access_points().iter().collect();
    points.sort_by_key(|point| std::cmp::Reverse(point.sum.rounds));
    points.truncate(MOST_ACCESS_POINTS);
    let row = |point: &AccessPoint| {
        vec![
            name_of(point),
            point
                .channel
                .map_or_else(|| "-".to_owned(), |channel| channel.to_string()),
            point.sum.rounds.to_string(),
            percent(point.sum.down),
            percent(point.sum.up),
            rtt(&point.sum),
            rssi(&point.sum),
        ]
    };
    ReportSection::Table {
        columns: vec![
            say!("pair-survey.access-point"),
            say!("pair-survey.channel"),
            say!("pair-survey.rounds"),
            say!("pair-survey.loss-down"),
            say!("pair-survey.loss-up"),
            say!("pair-survey.rtt"),
            say!("pair-survey.signal"),
        ],
        rows: points.into_iter().map(row).collect(),
    }
}
