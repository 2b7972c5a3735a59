//! Reports as `JUnit` XML for CI systems: a suite per board, a case per step. Names and types are the same in every
//! language, because CI systems compare runs by them; sentences are in the user's language.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::cli::junit::printable;
use crate::cli::pair::text;
use crate::pair::results::{BoardReport, StepResult, Verdict};
use crate::words;
use crate::words::catalogue::say;
use crate::words::language::{self, Language};

/// All reports as one document; `name` returns a board's name.
pub(super) fn document<'a>(
    reports: &[BoardReport],
    name: impl Fn(&BoardReport) -> Option<&'a str>,
) -> String {
    let mut document = quick_junit::Report::new("udpcli pair");
    // Boards are tested in parallel.
    document.set_time(
        reports
            .iter()
            .map(|report| report.time)
            .max()
            .unwrap_or_default(),
    );
    for report in reports {
        let title = name(report).map_or_else(
            || report.port.clone(),
            |name| format!("{name} {}", report.port),
        );
        let mut suite = TestSuite::new(printable(&title));
        suite.set_time(report.time);
        suite.add_test_cases(report.steps.iter().map(|step| case(report, step)));
        document.add_test_suite(suite);
    }
    // Writing to a String cannot fail.
    document.to_string().unwrap_or_default()
}

/// A step as a case.
fn case(report: &BoardReport, step: &StepResult) -> TestCase {
    let name = language::within(Language::English, || words::pair::step_name(step.step));
    let mut case = TestCase::new(printable(&name), status(step));
    case.set_classname(format!("udpcli.pair.{}", printable(&report.port)));
    case.set_time(step.time);
    let mut said = text::what(step) + "\n";
    for note in &step.notes {
        let _ = writeln!(said, "{}", words::pair::said(note));
    }
    // JUnit has no warnings: a case that passed can carry one only in its output.
    if step.verdict == Verdict::Warned {
        said.push_str(&findings(step));
    }
    case.set_system_out(printable(&said));
    case
}

/// How a step ended. If the test could not run, that is an error and not a failure: CI systems distinguish the two.
fn status(step: &StepResult) -> TestCaseStatus {
    let could_not_run = step
        .findings
        .iter()
        .any(|finding| finding.diagnosis.is_environment());
    let kind = match step.verdict {
        Verdict::Passed | Verdict::Warned => return TestCaseStatus::success(),
        Verdict::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(printable(&words::pair::said(&step.seen)));
            if let Some(finding) = step.findings.first() {
                status.set_type(finding.diagnosis.code());
                status.set_description(printable(&findings(step)));
            }
            return status;
        }
        Verdict::Failed if !could_not_run => NonSuccessKind::Failure,
        Verdict::Interrupted | Verdict::Failed => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let (code, message) = step.findings.first().map_or_else(
        || ("interrupted", words::pair::said(&step.seen)),
        |finding| {
            (
                finding.diagnosis.code(),
                words::pair::meaning(finding.diagnosis),
            )
        },
    );
    status.set_type(code).set_message(printable(&message));
    status.set_description(printable(&findings(step)));
    status
}

/// What was found: codes, what they mean and what to do.
fn findings(step: &StepResult) -> String {
    let mut body = String::new();
    for finding in &step.findings {
        let diagnosis = finding.diagnosis;
        let (meaning, next) = (
            words::pair::meaning(diagnosis),
            words::pair::next(diagnosis),
        );
        let (meaning, next) = (
            say!(
                "pair.junit-finding",
                code = diagnosis.code(),
                meaning = meaning
            ),
            say!("pair.junit-next", next = next),
        );
        let _ = writeln!(body, "{meaning}\n{next}");
        let detail = words::pair::said(&finding.detail);
        for line in detail
            .lines()
            .chain(finding.evidence.iter().flat_map(|text| text.lines()))
        {
            let _ = writeln!(body, "{line}");
        }
    }
    body
}
