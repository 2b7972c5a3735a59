//! `send --format junit`: a conversation as `JUnit` XML for CI systems, a case per message. Names and types are
//! the same in every language, because CI systems compare runs by them; sentences are in the user's language.

use std::net::SocketAddr;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::cli::junit::printable;
use crate::udp::error::Error;
use crate::udp::send::{Exchange, ExchangeResult, SendEnd};
use crate::words;
use crate::words::catalogue::say;

/// The report: `results` are those of the messages that were sent, and `end` is how the last of them ended.
pub(super) fn document(
    peer: SocketAddr,
    steps: &[Exchange],
    rounds: u64,
    results: &[ExchangeResult],
    end: &Result<SendEnd, Error>,
) -> String {
    let mut suite = TestSuite::new(format!("udpcli send {peer}"));
    let count = steps
        .len()
        .saturating_mul(usize::try_from(rounds).unwrap_or(usize::MAX));
    for (index, step) in steps.iter().cycle().take(count).enumerate() {
        let result = results.get(index);
        let status = match result {
            None => skipped(),
            Some(_) if index + 1 < results.len() => TestCaseStatus::success(),
            Some(_) => last(end),
        };
        let name = printable(&format!("{} {}", index + 1, step.name));
        let mut case = TestCase::new(name, status);
        case.set_classname("udpcli.send");
        if let Some(result) = result {
            case.set_time(result.time);
            if !result.replies.is_empty() {
                case.set_system_out(printable(&(result.replies.join("\n") + "\n")));
            }
        }
        suite.add_test_case(case);
    }
    suite.set_time(results.iter().map(|result| result.time).sum());
    let mut document = Report::new("udpcli send");
    document.set_time(results.iter().map(|result| result.time).sum());
    document.add_test_suite(suite);
    // Writing to a String cannot fail.
    document.to_string().unwrap_or_default()
}

/// A message that was not sent.
fn skipped() -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(say!("named.junit-not-sent"));
    status
}

/// The last message that was sent.
fn last(end: &Result<SendEnd, Error>) -> TestCaseStatus {
    let (kind, code, message) = match end {
        Ok(SendEnd::Complete) => return TestCaseStatus::success(),
        Ok(_) => (
            NonSuccessKind::Error,
            "interrupted",
            say!("named.junit-interrupted"),
        ),
        Err(error) => {
            let error = match error {
                Error::Message { source, .. } => source,
                other => other,
            };
            let kind = if error.exit_code() == 1 {
                NonSuccessKind::Failure
            } else {
                NonSuccessKind::Error
            };
            (kind, code(error), words::cause(error))
        }
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(code).set_message(printable(&message));
    status
}

/// The kind of an error, for a program.
fn code(error: &Error) -> &'static str {
    match error {
        Error::Refused { .. } => "refused",
        Error::NoReply { .. } | Error::TooFewReplies { .. } => "no-reply",
        Error::NoNeighbour { .. } => "no-neighbour",
        Error::Unexpected { .. } => "unexpected-reply",
        _ => "not-sent",
    }
}
