//! Restores the board's state.

use std::sync::Arc;
use std::time::Duration;

use super::{Radio, Touched};
use crate::board::error::Error as BoardError;
use crate::pair::board_session::BoardSession;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::operation::Work;
use crate::pair::results::{Finding, Step, StepNote, StepResult};
use crate::text::sentence::sentence;

/// Restores the board's state: its radio as before, without our program, at its prompt.
pub(super) fn clean_up(mut session: BoardSession, touched: &Touched) -> StepResult {
    let mut result = StepResult::new(Step::CleanUp, sentence!("pair.clean-up-tried"));
    // Ctrl-C has ended the other steps, but the clean-up still runs.
    session.repl.link().heed_shutdown(false);
    match put_in_order(&mut session, touched) {
        Ok(Left {
            free: free_after,
            access_point,
        }) => {
            result.see(sentence!("pair.clean-up-seen"));
            match access_point {
                AccessPoint::AsItWas => {}
                AccessPoint::Off => result.note(sentence!("pair.clean-up-own-ap-off")),
                AccessPoint::On => {
                    result.see(sentence!("pair.clean-up-own-ap-on"));
                    result.fail(Finding::plain(Diagnosis::NotCleanedUp));
                }
            }
            // A note instead of a failure: the board's own program may have written meanwhile.
            if let (Some(before), Some(after)) = (touched.files_free, free_after)
                && before != after
            {
                result.note(sentence!(
                    "pair.clean-up-free-space",
                    before = before,
                    after = after
                ));
            }
            let is_lost = session.repl.link().is_lost();
            if let Err(error) = session.repl.close() {
                result.fail(Finding::with(
                    failure(is_lost),
                    StepNote::Error(Arc::new(error)),
                ));
            }
        }
        Err(error) => {
            result.see(StepNote::Error(Arc::new(error)));
            result.fail(Finding::plain(failure(session.repl.link().is_lost())));
        }
    }
    result
}

/// A board without its cable has lost power, and with it everything in its memory.
fn failure(is_lost: bool) -> Diagnosis {
    if is_lost {
        Diagnosis::SerialLost
    } else {
        Diagnosis::NotCleanedUp
    }
}

/// The board's state after the clean-up.
struct Left {
    /// The free bytes of the file system.
    free: Option<i64>,
    /// The final state of the board's access point.
    access_point: AccessPoint,
}

/// The state of the board's access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccessPoint {
    /// The test did not switch it on.
    AsItWas,
    /// The test switched it on and off again.
    Off,
    /// The test could not switch it off.
    On,
}

impl AccessPoint {
    /// Parses our program's message after it switched the access point off.
    fn read(said: &[u8]) -> Self {
        let has = |words: &[u8]| memchr::memmem::find(said, words).is_some();
        if has(b"\x1eap 0") {
            Self::Off
        } else if has(STILL_ON) {
            Self::On
        } else {
            Self::AsItWas
        }
    }
}

/// Our program's message that the access point is still on.
const STILL_ON: &[u8] = b"\x1eap 1";

/// The board's message; an exception while the access point is switched off means that it is still on.
fn or_still_on(radio: Radio, left: Result<Vec<u8>, BoardError>) -> Result<Vec<u8>, BoardError> {
    match left {
        Err(BoardError::Refused { doing, exception }) if radio == Radio::AccessPoint => {
            tracing::debug!("{doing}: {exception}");
            Ok(STILL_ON.to_vec())
        }
        left => left,
    }
}

/// Undoes the changes and soft-resets, which removes our functions.
fn put_in_order(session: &mut BoardSession, touched: &Touched) -> Result<Left, BoardError> {
    let limit = Duration::from_secs(5);
    // If the test ended early, its functions are not on the board, and there is nothing to undo.
    let (doing, leave): (_, &[u8]) = match touched.radio {
        Radio::AsItWas => (Work::EndingProgram, b"pass"),
        Radio::Joined => (Work::LeavingWifi, b"\ntry:_pu()\nexcept Exception:pass"),
        Radio::AccessPoint => (
            Work::StoppingAccessPoint,
            b"\ntry:_py()\nexcept NameError:pass",
        ),
    };
    if session.shutdown.is_asked() {
        // The board may have received half a program: without a restart it would wait for the rest and not answer.
        session.repl.reenter()?;
    }
    let mut left = session.repl.exec(doing, leave, limit);
    if let Err(error) = &left {
        // The exception may come from a byte that the line lost, so retry.
        tracing::debug!("{error}; trying again");
        session.repl.reenter()?;
        left = session.repl.exec(doing, leave, limit);
    }
    let left = or_still_on(touched.radio, left)?;
    let free = b"\ntry:\n import uos as _po\nexcept ImportError:\n import os as _po\n_po=_po.statvfs(_po.getcwd())\nprint(_po[0]*_po[3])";
    // Skip what is only for the report after Ctrl-C, because the clean-up must end within 2 s.
    let free = if session.shutdown.is_asked() {
        None
    } else {
        session.repl.exec(Work::LookingAtFiles, free, limit).ok()
    };
    session.repl.soft_reset()?;
    Ok(Left {
        free: free.and_then(|free| String::from_utf8_lossy(&free).trim().parse().ok()),
        access_point: AccessPoint::read(&left),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::operation::Doing;

    #[test]
    fn an_access_point_is_reported_on_only_if_the_test_switched_it_on() {
        let refused = || {
            Err(BoardError::Refused {
                doing: Doing::CleaningUp,
                exception: "OSError: 5".to_owned(),
            })
        };
        let on = or_still_on(Radio::AccessPoint, refused()).unwrap();
        assert_eq!(AccessPoint::read(&on), AccessPoint::On);
        for radio in [Radio::AsItWas, Radio::Joined] {
            assert!(matches!(
                or_still_on(radio, refused()),
                Err(BoardError::Refused { .. })
            ));
        }
        let silent = Err(BoardError::Interrupted);
        assert!(or_still_on(Radio::AccessPoint, silent).is_err());
        let off = or_still_on(Radio::AccessPoint, Ok(b"\x1eap 0".to_vec())).unwrap();
        assert_eq!(AccessPoint::read(&off), AccessPoint::Off);
    }
}
