//! A report for people: a line for each step when it ends, the meaning of a failure, and a last line.

use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use crate::pair::results::{BoardReport, Finding, Step, StepNote, StepResult, Verdict};
use crate::render::palette;
use crate::terminal::{sanitize, stdout};
use crate::text::sentence::{Sentence, sentence};
use crate::words;
use crate::words::catalogue::{self, say};

/// The column for the details of a step.
const INDENT: &str = "                      ";

/// The columns of the verdict, and the gap after it.
pub(super) const VERDICT: usize = 6;

/// Colours, if any.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextColors {
    /// Whether to use colour.
    pub(super) color: bool,
}

impl TextColors {
    /// A verdict in a word, with its colour.
    fn paint(self, verdict: Verdict) -> String {
        let (word, color) = match verdict {
            Verdict::Passed => (say!("pair.verdict-passed"), palette::PASSED),
            Verdict::Warned => (say!("pair.verdict-warned"), palette::WARNED),
            Verdict::Skipped => (say!("pair.verdict-skipped"), "2"),
            Verdict::Interrupted => (say!("pair.verdict-interrupted"), palette::WARNED),
            Verdict::Failed => (say!("pair.verdict-failed"), palette::FAILED),
        };
        let word = padded(&word, 4);
        if self.color {
            format!("\x1b[{color}m{word}\x1b[0m")
        } else {
            word
        }
    }
}

/// Pads a text to a minimum width in columns. A Chinese character takes two.
fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// The text of what a step tried and saw, unescaped.
pub(super) fn what(result: &StepResult) -> String {
    let (tried, seen) = (
        words::pair::said(&result.tried),
        words::pair::said(&result.seen),
    );
    match (tried.is_empty(), seen.is_empty()) {
        (false, false) => say!("pair.tried-and-seen", tried = tried, seen = seen),
        (true, _) => seen,
        (_, true) => tried,
    }
}

/// The lines of a step. Text from the board, the network or the user is escaped.
pub(super) fn step(result: &StepResult, style: TextColors) -> String {
    let mut first = format!(
        "{}  {}",
        style.paint(result.verdict),
        padded(&words::pair::step_name(result.step), 16)
    );
    first.push_str(&sanitize::for_terminal(&what(result)));
    // A step that was skipped took no time.
    if result.time >= Duration::from_millis(1) {
        let _ = write!(first, "  [{:.1} s]", result.time.as_secs_f64());
    }
    let mut text = String::new();
    add(&mut text, &first);
    for note in &result.notes {
        let note = words::pair::said(note);
        add(
            &mut text,
            &format!("{INDENT}{}", sanitize::for_terminal(&note)),
        );
    }
    for finding in &result.findings {
        let detail = words::pair::said(&finding.detail);
        if !detail.is_empty() {
            add(
                &mut text,
                &format!("{INDENT}{}", sanitize::for_terminal(&detail)),
            );
        }
        let diagnosis = finding.diagnosis;
        let meaning = say!(
            "pair.meaning",
            meaning = words::pair::meaning(diagnosis),
            code = diagnosis.code()
        );
        let next = say!("pair.next", next = words::pair::next(diagnosis));
        add(&mut text, &format!("{INDENT}{meaning}"));
        add(&mut text, &format!("{INDENT}{next}"));
        for line in finding
            .evidence
            .iter()
            .flat_map(|evidence| evidence.lines())
        {
            // The board's output keeps its line breaks.
            let _ = writeln!(
                text,
                "{INDENT}| {}",
                sanitize::for_terminal(line.trim_end())
            );
        }
    }
    text
}

/// Appends a line, wrapped at the width of the terminal.
fn add(text: &mut String, line: &str) {
    text.push_str(&stdout::wrapped(line, INDENT.len()));
    text.push('\n');
}

/// The verdict on a board as a sentence.
pub(super) fn verdict_sentence(report: &BoardReport) -> String {
    let failed: Vec<_> = report
        .steps
        .iter()
        .filter(|step| step.verdict == Verdict::Failed)
        .map(|step| words::pair::step(step.step))
        .collect();
    match report.verdict() {
        Verdict::Interrupted => say!("pair.stopped"),
        _ if failed.is_empty() => say!("pair.hear-each-other"),
        _ => say!("pair.not-all-well", steps <- failed),
    }
}

/// The last line.
pub(super) fn conclusion(report: &BoardReport, style: TextColors) -> String {
    format!(
        "{}  {}  [{:.1} s]\n",
        style.paint(report.verdict()),
        verdict_sentence(report),
        report.time.as_secs_f64()
    )
}

/// One board among several: one row.
pub(super) fn row(report: &BoardReport, name: Option<&str>, style: TextColors) -> String {
    let mut text = format!(
        "{}  {}",
        style.paint(report.verdict()),
        sanitize::for_terminal(&report.port)
    );
    let mut add = |what: &str| {
        text.push_str("  ");
        text.push_str(&sanitize::for_terminal(what));
    };
    if let Some(name) = name {
        add(name);
    }
    if let Some(address) = report
        .step(Step::Addresses)
        .and_then(|step| step.figures.get("board")?.as_str())
    {
        add(address);
    }
    for step in [Step::PcToBoard, Step::BoardToPc, Step::Echo] {
        if let Some(result) = report.step(step)
            && let (Some(received), Some(sent)) =
                (number(result, "received"), number(result, "sent"))
        {
            let name = words::pair::step_name(step);
            add(&format!("{name} {received}/{sent}"));
        }
    }
    if let Some(rtt) = report
        .step(Step::Echo)
        .and_then(|step| step.figures.pointer("/rtt_ms/median")?.as_f64())
    {
        add(&format!("RTT {rtt:.1} ms"));
    }
    for (step, finding) in report.findings() {
        let mut detail = match &finding.detail {
            // Said below all rows.
            StepNote::Hint(_) => String::new(),
            detail => words::pair::said(detail),
        };
        if detail.is_empty() {
            detail = words::pair::said(&step.seen);
        }
        add(&say!(
            "pair.row-finding",
            step = words::pair::step_name(step.step),
            code = finding.diagnosis.code(),
            detail = detail
        ));
    }
    let _ = writeln!(text, "  [{:.1} s]", report.time.as_secs_f64());
    text
}

/// A number among a step's figures.
fn number(result: &StepResult, key: &str) -> Option<u64> {
    result.figures.get(key)?.as_u64()
}

/// What the findings of several boards mean and what to do about them, each once, with the boards that have it. A command in
/// it names the port of the only one.
pub(super) fn advice<'a>(
    reports: &'a [BoardReport],
    name: &dyn Fn(&'a BoardReport) -> Option<&'a str>,
) -> String {
    struct Advice<'a> {
        finding: &'a Finding,
        next: String,
        boards: Vec<&'a BoardReport>,
    }
    let mut all: Vec<Advice<'a>> = Vec::new();
    for report in reports {
        for (step, finding) in report.findings() {
            // A step that was skipped needs no cure.
            if step.verdict == Verdict::Skipped {
                continue;
            }
            let next = next(finding, "PORT");
            let code = finding.diagnosis;
            let same =
                |other: &&mut Advice<'_>| other.finding.diagnosis == code && other.next == next;
            match all.iter_mut().find(same) {
                Some(same) if same.boards.iter().any(|board| board.port == report.port) => {}
                Some(same) => same.boards.push(report),
                None => all.push(Advice {
                    finding,
                    next,
                    boards: vec![report],
                }),
            }
        }
    }
    let indent = " ".repeat(VERDICT);
    let mut text = String::new();
    for Advice {
        finding,
        next: general,
        boards,
    } in all
    {
        let who: Vec<_> = boards
            .iter()
            .map(|board| match name(board) {
                Some(name) => sentence!("fleet.who", name = name, port = &board.port),
                None => Sentence::verbatim(&board.port),
            })
            .collect();
        let next = match boards.as_slice() {
            [board] => next(finding, &board.port),
            _ => general,
        };
        let meaning = say!(
            "pair.fleet-meaning",
            boards <- who,
            meaning = words::pair::meaning(finding.diagnosis),
            code = finding.diagnosis.code()
        );
        for line in [
            meaning,
            format!("{indent}{}", say!("pair.next", next = next)),
        ] {
            let line = sanitize::for_terminal(&line);
            text.push_str(&stdout::wrapped(&line, VERDICT));
            text.push('\n');
        }
    }
    text
}

/// What to do about a finding at one board of several.
fn next(finding: &Finding, port: &str) -> String {
    catalogue::among_boards(port, || {
        // It knows more of this board than the diagnosis does.
        let hint = match &finding.detail {
            detail @ StepNote::Hint(_) => words::pair::said(detail),
            _ => String::new(),
        };
        if hint.is_empty() {
            words::pair::next(finding.diagnosis)
        } else {
            hint
        }
    })
}

/// The last line after several boards.
pub(super) fn total(reports: &[BoardReport]) -> String {
    let good = reports
        .iter()
        .filter(|report| matches!(report.verdict(), Verdict::Passed | Verdict::Warned))
        .count();
    let total = say!("pair.total", good: good, boards: reports.len());
    format!("{total}\n")
}
