//! A report for people: a line a step when it ends, what a failure means, a last line.

use std::fmt::Write as _;
use std::time::Duration;

use crate::pair::report::{Report, StepResult, Verdict};
use crate::terminal::sanitize;

/// Where what belongs to a step begins.
const INDENT: &str = "                      ";

/// Colours, if any.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether to use colour.
    pub color: bool,
}

impl Style {
    fn paint(self, verdict: Verdict) -> String {
        let (word, color) = match verdict {
            Verdict::Passed => ("ok  ", "32"),
            Verdict::Warned => ("note", "33"),
            Verdict::Skipped => ("skip", "2"),
            Verdict::Interrupted => ("stop", "33"),
            Verdict::Failed => ("FAIL", "1;31"),
        };
        if self.color {
            format!("\x1b[{color}m{word}\x1b[0m")
        } else {
            word.to_owned()
        }
    }
}

/// The lines of a step. What came from the board, the network or the user is escaped.
#[must_use]
pub fn step(result: &StepResult, style: Style) -> String {
    let mut text = format!(
        "{}  {:<16}",
        style.paint(result.verdict),
        result.step.name()
    );
    let mut what = result.tried.clone();
    if !result.seen.is_empty() {
        if !what.is_empty() {
            what.push_str(": ");
        }
        what.push_str(&result.seen);
    }
    text.push_str(&sanitize::for_terminal(&what));
    if result.time >= Duration::from_millis(1) {
        let _ = write!(text, "  [{:.1} s]", result.time.as_secs_f64());
    }
    text.push('\n');
    for note in &result.notes {
        let _ = writeln!(text, "{INDENT}{}", sanitize::for_terminal(note));
    }
    for finding in &result.findings {
        if !finding.detail.is_empty() {
            let _ = writeln!(text, "{INDENT}{}", sanitize::for_terminal(&finding.detail));
        }
        let diagnosis = finding.diagnosis;
        let _ = writeln!(
            text,
            "{INDENT}meaning: {} [{}]",
            diagnosis.meaning(),
            diagnosis.code()
        );
        let _ = writeln!(text, "{INDENT}next:    {}", diagnosis.next());
        for line in finding
            .evidence
            .iter()
            .flat_map(|evidence| evidence.lines())
        {
            let _ = writeln!(
                text,
                "{INDENT}| {}",
                sanitize::for_terminal(line.trim_end())
            );
        }
    }
    text
}

/// The last line.
#[must_use]
pub fn conclusion(report: &Report, style: Style) -> String {
    let failed: Vec<&str> = report
        .steps
        .iter()
        .filter(|step| step.verdict == Verdict::Failed)
        .map(|step| step.step.name())
        .collect();
    let what = match report.verdict() {
        Verdict::Interrupted => "stopped by Ctrl-C".to_owned(),
        _ if failed.is_empty() => "the PC and the board hear each other".to_owned(),
        _ => format!("not all is well: {}", failed.join(", ")),
    };
    format!(
        "{}  {what}  [{:.1} s]\n",
        style.paint(report.verdict()),
        report.time.as_secs_f64()
    )
}

/// One board among several: one row.
#[must_use]
pub fn row(report: &Report, style: Style) -> String {
    use crate::pair::report::Step;
    let mut text = format!(
        "{}  {}",
        style.paint(report.verdict()),
        sanitize::for_terminal(&report.port)
    );
    let mut add = |what: &str| {
        text.push_str("  ");
        text.push_str(&sanitize::for_terminal(what));
    };
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
            add(&format!("{} {received}/{sent}", step.name()));
        }
    }
    if let Some(rtt) = report
        .step(Step::Echo)
        .and_then(|step| step.figures.pointer("/rtt_ms/median")?.as_f64())
    {
        add(&format!("RTT {rtt:.1} ms"));
    }
    for (step, finding) in report.findings() {
        let detail = if finding.detail.is_empty() {
            &step.seen
        } else {
            &finding.detail
        };
        add(&format!(
            "{}: {} ({detail})",
            step.step.name(),
            finding.diagnosis.code()
        ));
    }
    let _ = writeln!(text, "  [{:.1} s]", report.time.as_secs_f64());
    text
}

fn number(result: &StepResult, key: &str) -> Option<u64> {
    result.figures.get(key)?.as_u64()
}

/// The last line after several boards.
#[must_use]
pub fn total(reports: &[Report]) -> String {
    let good = reports
        .iter()
        .filter(|report| matches!(report.verdict(), Verdict::Passed | Verdict::Warned))
        .count();
    format!(
        "{good} of {} boards and this PC hear each other\n",
        reports.len()
    )
}
