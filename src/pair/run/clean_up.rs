//! The board is left as it was.

use std::sync::Arc;
use std::time::Duration;

use super::{Radio, Touched};
use crate::board::error::Error as BoardError;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::report::{Finding, Said, Step, StepResult};
use crate::pair::talk::BoardSession;
use crate::pair::work::Work;
use crate::text::sentence::sentence;

/// Leaves the board as it was found: its radio as it was, without our program, at its prompt.
pub(super) fn clean_up(mut talk: BoardSession, touched: &Touched) -> StepResult {
    let mut result = StepResult::new(Step::CleanUp, sentence!("pair.clean-up-tried"));
    // Ctrl-C has ended the steps; this one is done all the same.
    talk.repl.link().heed_shutdown(false);
    match put_in_order(&mut talk, touched) {
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
            if let (Some(before), Some(after)) = (touched.files_free, free_after)
                && before != after
            {
                result.note(sentence!(
                    "pair.clean-up-free-space",
                    before = before,
                    after = after
                ));
            }
            let is_lost = talk.repl.link().is_lost();
            if let Err(error) = talk.repl.close() {
                result.fail(Finding::with(
                    failure(is_lost),
                    Said::Error(Arc::new(error)),
                ));
            }
        }
        Err(error) => {
            result.see(Said::Error(Arc::new(error)));
            result.fail(Finding::plain(failure(talk.repl.link().is_lost())));
        }
    }
    result
}

/// A board whose cable was pulled has lost its power, and with it all that was in its memory.
fn failure(is_lost: bool) -> Diagnosis {
    if is_lost {
        Diagnosis::SerialLost
    } else {
        Diagnosis::NotCleanedUp
    }
}

/// What is left on the board.
struct Left {
    /// Free bytes of the file system.
    free: Option<i64>,
    access_point: AccessPoint,
}

/// What became of the board's access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccessPoint {
    /// The test did not switch it on.
    AsItWas,
    /// The test switched it on and off again.
    Off,
    /// It could not be switched off.
    On,
}

impl AccessPoint {
    /// What our program said after it switched it off.
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

const STILL_ON: &[u8] = b"\x1eap 1";

/// What the board said; an exception while its access point is switched off means that this is still on.
fn or_still_on(radio: Radio, left: Result<Vec<u8>, BoardError>) -> Result<Vec<u8>, BoardError> {
    match left {
        Err(BoardError::Refused { doing, exception }) if radio == Radio::AccessPoint => {
            tracing::debug!("{doing}: {exception}");
            Ok(STILL_ON.to_vec())
        }
        left => left,
    }
}

fn put_in_order(talk: &mut BoardSession, touched: &Touched) -> Result<Left, BoardError> {
    let limit = Duration::from_secs(5);
    // Where the test's program did not get as far, its functions are not there, and there is nothing to undo.
    let (doing, leave): (_, &[u8]) = match touched.radio {
        Radio::AsItWas => (Work::EndingProgram, b"pass"),
        Radio::Joined => (Work::LeavingWifi, b"\ntry:_pu()\nexcept Exception:pass"),
        Radio::AccessPoint => (
            Work::StoppingAccessPoint,
            b"\ntry:_py()\nexcept NameError:pass",
        ),
    };
    if talk.shutdown.is_asked() {
        // Half a program may be on its way: without this the board would wait for its rest, and answer nothing.
        talk.repl.reenter()?;
    }
    let mut left = talk.repl.exec(doing, leave, limit);
    if let Err(error) = &left {
        // An exception may be a byte that the line lost.
        tracing::debug!("{error}; trying again");
        talk.repl.reenter()?;
        left = talk.repl.exec(doing, leave, limit);
    }
    let left = or_still_on(touched.radio, left)?;
    let free = b"\ntry:\n import uos as _po\nexcept ImportError:\n import os as _po\n_po=_po.statvfs(_po.getcwd())\nprint(_po[0]*_po[3])";
    // What is only for the report waits for a run that nobody ended: the rest has 2 s after Ctrl-C.
    let free = if talk.shutdown.is_asked() {
        None
    } else {
        talk.repl.exec(Work::LookingAtFiles, free, limit).ok()
    };
    talk.repl.soft_reset()?;
    Ok(Left {
        free: free.and_then(|free| String::from_utf8_lossy(&free).trim().parse().ok()),
        access_point: AccessPoint::read(&left),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::doing::Doing;

    #[test]
    fn only_an_access_point_that_was_switched_on_can_still_be_on() {
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
