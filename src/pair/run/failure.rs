//! Failures on the board, on its line and on the way, as findings.

use crate::board::error::Error as BoardError;
use crate::board::repl::last_line;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::measure::Trouble;
use crate::pair::report::{Finding, StepResult, Verdict};
use crate::pair::talk::Failure;

/// What a failure on the board or the line means.
pub(in crate::pair) fn fail(result: &mut StepResult, failure: Failure) {
    let mut say = |seen: &str, finding: Finding| {
        if result.seen.is_empty() {
            seen.clone_into(&mut result.seen);
        }
        result.fail(finding);
    };
    match failure {
        Failure::Interrupted => {
            result.verdict = Verdict::Interrupted;
            "stopped by Ctrl-C".clone_into(&mut result.seen);
        }
        Failure::Died(text) => say(
            "the program on the board ended with an error",
            Finding {
                diagnosis: Diagnosis::BoardProgramDied,
                detail: last_line(&text),
                evidence: Some(text),
            },
        ),
        Failure::Restarted => say(
            "the board started anew",
            Finding::plain(Diagnosis::BoardRestarted),
        ),
        Failure::Overdue => say(
            "the board takes longer than it may",
            Finding::plain(Diagnosis::SerialLost),
        ),
        Failure::Board(error) => {
            let hint = error.hint().unwrap_or_default();
            let diagnosis = match &error {
                BoardError::NoBoard { .. }
                | BoardError::ManyBoards { .. }
                | BoardError::List { .. }
                | BoardError::Open { .. } => Diagnosis::SerialPort,
                BoardError::Silent { .. } => Diagnosis::NoSerialAnswer,
                BoardError::DownloadMode { .. } => Diagnosis::DownloadMode,
                BoardError::Noise { .. } => Diagnosis::LineNoise,
                BoardError::Deaf { .. } => Diagnosis::BoardBusy,
                BoardError::NotMicroPython { .. } => Diagnosis::NoMicroPython,
                BoardError::Refused { .. } => Diagnosis::BoardProgramDied,
                _ => Diagnosis::SerialLost,
            };
            let cause = std::error::Error::source(&error)
                .map_or_else(String::new, |cause| format!(": {cause}"));
            say(&format!("{error}{cause}"), Finding::with(diagnosis, hint));
        }
    }
}

/// What kept a measurement from being made.
pub(in crate::pair) fn trouble_of(result: &mut StepResult, trouble: Trouble, board_port: u16) {
    match trouble {
        Trouble::Failure(failure) => fail(result, failure),
        Trouble::BoardPort(number) => {
            result.seen =
                format!("the board cannot listen on its UDP port {board_port} (error {number})");
            result.fail(Finding::plain(Diagnosis::BoardPortInUse));
        }
        Trouble::Send(error) => {
            result.seen = format!("this PC cannot send to the board: {error}");
            result.fail(Finding::plain(Diagnosis::NoRoute));
        }
    }
}
