//! Failures on the board, on its line and on the way, as findings.

use crate::board::error::Error as BoardError;
use crate::board::repl::last_line;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::measure::Trouble;
use crate::pair::report::{Finding, StepResult, Verdict};
use crate::pair::talk::Failure;

/// What a failure on the board or the line means.
pub(super) fn fail(result: &mut StepResult, failure: Failure) {
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
            "the board restarted",
            Finding::plain(Diagnosis::BoardRestarted),
        ),
        Failure::Overdue | Failure::Unsent => say(
            "the board took too long",
            Finding::plain(Diagnosis::SerialLost),
        ),
        Failure::Board(error) => {
            let hint = error.hint().unwrap_or_default();
            let diagnosis = diagnosis_of(&error);
            let cause = std::error::Error::source(&error)
                .map_or_else(String::new, |cause| format!(": {cause}"));
            say(&format!("{error}{cause}"), Finding::with(diagnosis, hint));
        }
    }
}

/// The verdict on an error of the serial line: the one that every other command gives, where there is one.
fn diagnosis_of(error: &BoardError) -> Diagnosis {
    if let Some(diagnosis) = error.code().and_then(Diagnosis::from_code) {
        return diagnosis;
    }
    match error {
        BoardError::Refused { .. } => Diagnosis::BoardProgramDied,
        _ => Diagnosis::SerialLost,
    }
}

/// What kept a measurement from being made.
pub(super) fn trouble_of(result: &mut StepResult, trouble: Trouble, board_port: u16) {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::board::evidence::Fault;

    #[test]
    fn every_code_of_the_bridge_is_a_diagnosis_with_the_same_code() {
        let port = || "COM3".to_owned();
        let fault = |fault| BoardError::Fault {
            port: port(),
            fault,
            doing: None,
            said: String::new(),
        };
        for error in [
            BoardError::Silent {
                port: port(),
                waited: Duration::ZERO,
                lines: true,
                reset: true,
            },
            BoardError::DownloadMode { port: port() },
            BoardError::Noise {
                port: port(),
                baud: 9600,
            },
            BoardError::Deaf {
                port: port(),
                waited: Duration::ZERO,
                said: String::new(),
            },
            BoardError::NotMicroPython {
                port: port(),
                said: String::new(),
            },
            BoardError::Echo { port: port() },
            BoardError::Restarted { doing: "".into() },
            fault(Fault::NoFirmware),
            fault(Fault::FirmwareDamaged),
            fault(Fault::BrownOut),
            fault(Fault::Panic),
        ] {
            let code = error.code().expect("a code");
            assert_eq!(diagnosis_of(&error).code(), code);
        }
    }
}
