//! Reports as `JUnit` XML for CI systems: a suite per board, a case per step. English whatever the user's language.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::cli::junit::printable;
use crate::pair::results::{BoardReport, StepResult, Verdict};
use crate::words;
use crate::words::language::{self, Language};

/// All reports as one document; `name` returns a board's name.
pub(super) fn document<'a>(
    reports: &[BoardReport],
    name: impl Fn(&BoardReport) -> Option<&'a str>,
) -> String {
    language::within(Language::English, || in_english(reports, name))
}

/// The document, in the current language.
fn in_english<'a>(
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
    let mut case = TestCase::new(printable(&words::pair::step_name(step.step)), status(step));
    case.set_classname(format!("udpcli.pair.{}", printable(&report.port)));
    case.set_time(step.time);
    let mut said = format!(
        "{}: {}\n",
        words::pair::said(&step.tried),
        words::pair::said(&step.seen)
    );
    for note in &step.notes {
        let _ = writeln!(said, "{}", words::pair::said(note));
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
    let mut body = String::new();
    for finding in &step.findings {
        let diagnosis = finding.diagnosis;
        let _ = writeln!(
            body,
            "{}: {}\nnext: {}",
            diagnosis.code(),
            words::pair::meaning(diagnosis),
            words::pair::next(diagnosis)
        );
        let detail = words::pair::said(&finding.detail);
        for line in detail
            .lines()
            .chain(finding.evidence.iter().flat_map(|text| text.lines()))
        {
            let _ = writeln!(body, "{line}");
        }
    }
    status.set_description(printable(&body));
    status
}
