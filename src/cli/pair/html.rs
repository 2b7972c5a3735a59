//! `--report FILE.html`: the reports as one page in the user's language.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::report::{about, data};
use crate::pair::results::{BoardReport, Step, StepResult, Verdict};
use crate::report::{
    Bar, Marks, Page, ReportProblem, ReportSection, ResultMark, StepRow, Subject, TimeSpread,
};
use crate::words;
use crate::words::catalogue::say;
use crate::words::language;

/// The page. `clean` takes secrets out of what a board or the command line may contain.
pub(super) fn page(
    reports: &[BoardReport],
    names: impl Fn(&BoardReport) -> Option<String>,
    clean: &dyn Fn(&str) -> String,
) -> Page {
    let boards: Vec<Value> = reports
        .iter()
        .map(|report| super::json::object(report, names(report).as_deref()))
        .collect();
    let subjects = reports
        .iter()
        .map(|report| subject(report, names(report), clean))
        .collect();
    Page {
        language: language::current().tag(),
        title: say!("report.pair-title"),
        subjects,
        about: about(clean),
        data: data("pair", json!({ "boards": boards }), clean),
    }
}

/// The part of the page about one board.
fn subject(report: &BoardReport, name: Option<String>, clean: &dyn Fn(&str) -> String) -> Subject {
    let verdict = report.verdict();
    let sentence = super::text::verdict_sentence(report);
    let mut sections = Vec::new();
    let found = problems(report, clean);
    if !found.is_empty() {
        sections.push((say!("report.findings"), ReportSection::Findings(found)));
    }
    sections.push((
        say!("report.steps"),
        ReportSection::Steps {
            columns: [
                say!("report.column-verdict"),
                say!("report.column-step"),
                say!("report.column-result"),
            ],
            rows: report.steps.iter().map(|step| row(step, clean)).collect(),
        },
    ));
    let bars = bars(report);
    if !bars.is_empty() {
        sections.push((say!("report.loss"), ReportSection::Bars(bars)));
    }
    if let Some(spread) = rtt(report) {
        let marks = Marks {
            names: [
                say!("report.rtt-min"),
                say!("report.rtt-median"),
                say!("report.rtt-p99"),
                say!("report.rtt-max"),
            ],
            separator: say!("summary.separator"),
        };
        sections.push((
            say!("report.rtt"),
            ReportSection::Spreads(vec![spread], marks),
        ));
    }
    sections.push((
        say!("report.board"),
        ReportSection::Facts(facts(&report.port, &report.steps, clean)),
    ));
    Subject {
        mark: mark(verdict),
        word: word(verdict),
        sentence: match name {
            Some(name) => say!(
                "report.subject-named",
                name = name,
                port = &report.port,
                sentence = sentence
            ),
            None => say!("report.subject", port = &report.port, sentence = sentence),
        },
        sections,
    }
}

/// What is wrong: each diagnosis once, with what each step saw of it.
fn problems(report: &BoardReport, clean: &dyn Fn(&str) -> String) -> Vec<ReportProblem> {
    let mut problems: Vec<ReportProblem> = Vec::new();
    for (step, found) in report.findings() {
        let code = found.diagnosis.code();
        let detail = clean(&words::pair::said(&found.detail));
        let evidence = clean(found.evidence.as_deref().unwrap_or_default());
        // The same in both directions is one problem.
        if let Some(known) = problems.iter_mut().find(|known| known.code == code) {
            let detail = in_step(step.step, detail);
            known
                .details
                .extend(detail.filter(|detail| !known.details.contains(detail)));
            if known.evidence.is_empty() {
                known.evidence = evidence;
            }
            continue;
        }
        problems.push(ReportProblem {
            meaning: words::pair::meaning(found.diagnosis),
            code: code.to_owned(),
            next: words::pair::next(found.diagnosis),
            details: in_step(step.step, detail).into_iter().collect(),
            evidence,
        });
    }
    problems
}

/// A detail with the step that saw it.
fn in_step(step: Step, detail: String) -> Option<String> {
    let name = words::pair::step_name(step);
    (!detail.is_empty()).then(|| say!("report.in-step", step = name, detail = detail))
}

/// The sign of a verdict.
pub(super) fn mark(verdict: Verdict) -> ResultMark {
    match verdict {
        Verdict::Passed => ResultMark::Good,
        Verdict::Warned => ResultMark::Warning,
        Verdict::Skipped => ResultMark::Skipped,
        Verdict::Interrupted => ResultMark::Stopped,
        Verdict::Failed => ResultMark::Bad,
    }
}

/// A verdict in a word.
fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Passed => say!("report.word-passed"),
        Verdict::Warned => say!("report.word-warned"),
        Verdict::Skipped => say!("report.word-skipped"),
        Verdict::Interrupted => say!("report.word-interrupted"),
        Verdict::Failed => say!("report.word-failed"),
    }
}

/// A step as a row.
fn row(step: &StepResult, clean: &dyn Fn(&str) -> String) -> StepRow {
    let notes = step.notes.iter().map(words::pair::said);
    StepRow {
        mark: mark(step.verdict),
        word: match step.verdict {
            Verdict::Warned => say!("pair.verdict-warned"),
            verdict => word(verdict),
        },
        name: words::pair::step_name(step.step),
        lines: std::iter::once(super::text::what(step))
            .chain(notes)
            .filter(|line| !line.is_empty())
            .map(|line| clean(&line))
            .collect(),
        time: if step.time >= Duration::from_millis(1) {
            format!("{:.1} s", step.time.as_secs_f64())
        } else {
            String::new()
        },
    }
}

/// The received and lost datagrams: by size in each direction, and for the echoes.
fn bars(report: &BoardReport) -> Vec<Bar> {
    let mut bars = Vec::new();
    for step in [Step::PcToBoard, Step::BoardToPc] {
        let sizes = figure(report, step, "/sizes").and_then(Value::as_array);
        for size in sizes.into_iter().flatten() {
            let bytes = number(size, "size").unwrap_or_default();
            let way = words::pair::step_name(step);
            bars.extend(bar(say!("report.loss-bar", way = way, size: bytes), size));
        }
    }
    if let Some(figures) = report.step(Step::Echo).map(|step| &step.figures) {
        let bytes = number(figures, "size").unwrap_or_default();
        bars.extend(bar(say!("report.loss-echo", size: bytes), figures));
    }
    bars
}

/// A bar for the received datagrams; `None` if none was sent.
fn bar(name: String, figures: &Value) -> Option<Bar> {
    let sent = number(figures, "sent").filter(|&sent| sent > 0)?;
    let received = number(figures, "received")?;
    // More datagrams may arrive than were sent, if the network duplicates some.
    let percent = sent.saturating_sub(received) as f64 * 100.0 / sent as f64;
    Some(Bar {
        name,
        sent,
        received,
        figures: say!(
            "report.loss-figures",
            received: received,
            sent: sent,
            percent = (percent * 10.0).round() / 10.0
        ),
    })
}

/// The round-trip times of the echoes.
fn rtt(report: &BoardReport) -> Option<TimeSpread> {
    let rtt = figure(report, Step::Echo, "/rtt_ms")?;
    let of = |key: &str| rtt.get(key)?.as_f64();
    Some(TimeSpread {
        name: words::pair::step_name(Step::Echo),
        quantiles: [of("min")?, of("median")?, of("p99")?, of("max")?],
    })
}

/// The board, its network and this PC's address.
pub(super) fn facts(
    port: &str,
    steps: &[StepResult],
    clean: &dyn Fn(&str) -> String,
) -> Vec<(String, String)> {
    let figure = |step, pointer| {
        let step = steps.iter().find(|result| result.step == step)?;
        step.figures.pointer(pointer)
    };
    let text = |step, key| Some(clean(figure(step, key)?.as_str()?));
    let signal = figure(Step::Wifi, "/rssi").and_then(Value::as_i64);
    let known = [
        (say!("report.board-serial"), Some(port.to_owned())),
        (
            say!("report.board-firmware"),
            text(Step::Firmware, "/version").map(|version| format!("MicroPython {version}")),
        ),
        (
            say!("report.board-machine"),
            text(Step::Firmware, "/machine"),
        ),
        (say!("report.board-mac"), text(Step::Firmware, "/mac")),
        (say!("report.wifi"), text(Step::Wifi, "/ssid")),
        (
            say!("report.signal"),
            signal.map(|rssi| format!("{rssi} dBm")),
        ),
        (
            say!("report.board-address"),
            text(Step::Addresses, "/board"),
        ),
        (say!("report.pc-address"), text(Step::Addresses, "/pc")),
        (
            say!("report.pc-interface"),
            text(Step::Addresses, "/interface"),
        ),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// A figure of a step.
fn figure<'a>(report: &'a BoardReport, step: Step, pointer: &str) -> Option<&'a Value> {
    report.step(step)?.figures.pointer(pointer)
}

/// A number among figures.
fn number(figures: &Value, key: &str) -> Option<u64> {
    figures.get(key)?.as_u64()
}
