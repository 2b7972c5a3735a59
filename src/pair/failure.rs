//! Turns failures on the board, on the serial line and in the network into findings.

use std::sync::Arc;

use crate::board::error::Error as BoardError;
use crate::board::repl::last_line;
use crate::pair::board_session::SessionError;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::measure::Trouble;
use crate::pair::results::{Finding, StepNote, StepResult, Verdict};
use crate::text::sentence::sentence;

/// Adds the finding for a failure on the board or the serial line.
pub(super) fn fail(result: &mut StepResult, failure: SessionError) {
    let mut say = |seen: StepNote, finding: Finding| {
        // The step's own findings explain more than the failure of the board.
        if result.seen.is_nothing() {
            result.seen = seen;
        }
        result.fail(finding);
    };
    match failure {
        SessionError::Interrupted => {
            result.verdict = Verdict::Interrupted;
            result.see(sentence!("pair.stopped"));
        }
        SessionError::Died(text) => say(
            sentence!("pair.program-died").into(),
            Finding {
                diagnosis: Diagnosis::BoardProgramDied,
                detail: StepNote::Text(last_line(&text)),
                evidence: Some(text),
            },
        ),
        SessionError::Restarted => say(
            sentence!("pair.board-restarted").into(),
            Finding::plain(Diagnosis::BoardRestarted),
        ),
        // Both errors mean that the board does not answer any more, or that the line loses too much.
        SessionError::Overdue | SessionError::Unsent => say(
            sentence!("pair.board-overdue").into(),
            Finding::plain(Diagnosis::SerialLost),
        ),
        SessionError::Board(error) => {
            let diagnosis = diagnosis_of(&error);
            let error = Arc::new(error);
            say(
                StepNote::ErrorAndCause(Arc::clone(&error)),
                Finding::with(diagnosis, StepNote::Hint(error)),
            );
        }
    }
}

/// The diagnosis for an error of the serial line: the same one as in the other commands, if they have one.
fn diagnosis_of(error: &BoardError) -> Diagnosis {
    if let Some(diagnosis) = error.code().and_then(Diagnosis::from_code) {
        return diagnosis;
    }
    match error {
        BoardError::Refused { .. } => Diagnosis::BoardProgramDied,
        _ => Diagnosis::SerialLost,
    }
}

/// Adds the finding for a measurement that failed.
pub(super) fn trouble_of(result: &mut StepResult, trouble: Trouble, board_port: u16) {
    match trouble {
        Trouble::SessionError(failure) => fail(result, failure),
        Trouble::BoardPort(number) => {
            result.see(sentence!(
                "pair.board-cannot-listen",
                port = board_port,
                number = number
            ));
            result.fail(Finding::plain(Diagnosis::BoardPortInUse));
        }
        Trouble::Send(error) => {
            result.see(sentence!("pair.pc-cannot-send", error = error));
            result.fail(Finding::plain(Diagnosis::NoRoute));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::board::boot_output::BoardFault;
    use crate::board::operation::Doing;

    #[test]
    fn every_board_error_code_is_also_a_diagnosis_code() {
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
                native: false,
            },
            BoardError::DownloadMode { port: port() },
            BoardError::Noise {
                port: port(),
                baud: Some(9600),
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
            BoardError::Restarted {
                doing: Doing::Preparing,
            },
            fault(BoardFault::NoFirmware),
            fault(BoardFault::FirmwareDamaged),
            fault(BoardFault::BrownOut),
            fault(BoardFault::Panic),
        ] {
            let code = error.code().expect("a code");
            assert_eq!(diagnosis_of(&error).code(), code);
        }
    }
}
