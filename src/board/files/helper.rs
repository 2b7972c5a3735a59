//! Our program on the board, and calls of it that survive a line which damages bytes.
//!
//! All its names lie in one dictionary, `_udpcli`, which goes when the session ends. Every call goes over with a
//! checksum, and its answer comes back with one: what was damaged is asked for again, so every call must do no harm when
//! it is made twice.

use std::time::{Duration, Instant};

use flate2::Crc;

use super::{Files, Room, WORK, put};
use crate::board::error::Error;
use crate::board::literal;
use crate::board::repl::{Repl, Way};
use crate::payload::escape;

const HELPER: &str = include_str!("../scripts/files.py");

/// Takes the helper away again.
const CLEAN_UP: &[u8] = b"if'_udpcli'in globals():del _udpcli\nimport gc\ngc.collect()";

/// How often a call is made until its answer comes whole.
const TRIES: u32 = 6;

/// An answer's checksum at its end: `~` and eight digits.
const CHECKSUM_LEN: usize = 9;

/// What a board with firmware that has no CRC-32 says in place of a checksum.
const NO_CHECKSUM: &[u8] = b"~--------";

impl<'a> Files<'a> {
    /// Puts the helper onto the board, does `work` with it, and takes it away again, whatever became of the work.
    ///
    /// # Errors
    /// The board does not take it, or the work's own error.
    pub fn with<T, E: From<Error>>(
        repl: &'a mut Repl,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut files = Self {
            repl,
            room: Room::default(),
            piece: 0,
            way: Way::Plain,
            is_fresh: false,
        };
        let mut ready = files.set_up();
        if matches!(ready, Err(Error::NoAnswer { .. } | Error::Garbled { .. })) {
            ready = files.calm("preparing for files").map(drop);
        }
        let result = match ready {
            Ok(()) => work(&mut files),
            Err(error) => Err(E::from(error)),
        };
        let cleaned = files.clean_up(result.is_ok());
        match (result, cleaned) {
            (Ok(_), Err(error)) => Err(E::from(error)),
            (result, _) => result,
        }
    }

    /// Defines the helper, part by part.
    fn set_up(&mut self) -> Result<(), Error> {
        let doing = "preparing for files";
        let mut parts = HELPER.split("#\n");
        let first = parts.next().unwrap_or_default();
        // The first part has no helper to check it: it is defined only if it came whole.
        let mut code = b"try:import binascii as _udpcli\nexcept ImportError:import ubinascii as _udpcli\n_udpcli=[getattr(_udpcli,'crc32',0),".to_vec();
        literal::append_bytes(first.as_bytes(), &mut code);
        code.extend(
            format!(
                ",{{}}]\nexec(_udpcli[1]if not _udpcli[0]or _udpcli[0](_udpcli[1])=={} else'!',_udpcli[2])\n_udpcli=_udpcli[2]\n_udpcli['t'].write('.')",
                checksum(&[first.as_bytes()])
            )
            .into_bytes(),
        );
        self.insist(doing, &code, WORK, false, |answer| {
            (answer == b".").then(Vec::new)
        })?;
        for part in parts {
            self.call(doing, part, WORK)?;
        }
        self.room = self.ask_room("/")?;
        self.piece = put::piece_for(self.room.memory);
        tracing::debug!(
            "board: {} bytes of memory free, {} of {} bytes of the file system",
            self.room.memory,
            self.room.free,
            self.room.total
        );
        Ok(())
    }

    /// Starts the interpreter anew, once: a timer or a thread of the program that was stopped may print among the
    /// answers, which no second try helps against. False if that was done before.
    pub(super) fn calm(&mut self, doing: &str) -> Result<bool, Error> {
        if std::mem::replace(&mut self.is_fresh, true) {
            return Ok(false);
        }
        self.repl.reenter()?;
        self.repl.soft_reset()?;
        self.set_up()?;
        tracing::info!(
            "soft reset while {doing}: a timer or thread of the program that was stopped may have printed in between"
        );
        Ok(true)
    }

    /// Takes the helper away, Ctrl-C or not. After a failure the board may be in the middle of something.
    fn clean_up(&mut self, went_well: bool) -> Result<(), Error> {
        if self.repl.link().is_lost() {
            return Ok(());
        }
        let heeded = self.repl.link().heed_shutdown(false);
        let ready = if went_well {
            Ok(())
        } else {
            self.repl.reenter()
        };
        let result = ready.and_then(|()| {
            self.insist("cleaning up", CLEAN_UP, WORK, false, |answer| {
                answer.is_empty().then(Vec::new)
            })
        });
        self.repl.link().heed_shutdown(heeded);
        result.map(drop)
    }

    /// Has the helper run a line, and gives back what that said.
    pub(super) fn call(
        &mut self,
        doing: &str,
        code: &str,
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        self.call_bytes(doing, code.as_bytes(), limit)
    }

    /// As [`Self::call`], for lines with binary literals.
    pub(super) fn call_bytes(
        &mut self,
        doing: &str,
        code: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        let call = framed(code);
        self.insist(doing, &call, limit, false, checked)
    }

    /// As [`Self::call`], for work that pauses within its answer.
    pub(super) fn call_slow(
        &mut self,
        doing: &str,
        code: &str,
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        let call = framed(code.as_bytes());
        self.insist(doing, &call, limit, true, checked)
    }

    /// Runs code until `read` takes its answer.
    fn insist(
        &mut self,
        doing: &str,
        code: &[u8],
        limit: Duration,
        pauses: bool,
        read: impl Fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        let start = Instant::now();
        let mut said = Vec::new();
        for _ in 0..TRIES {
            let result = if pauses {
                self.repl.exec_by(self.way, doing, code, limit)
            } else {
                self.repl.exec_short(self.way, doing, code, limit)
            };
            match result {
                Ok(answer) => match read(&answer) {
                    Some(answer) => return Ok(answer),
                    None => said = answer,
                },
                Err(Error::Refused { exception, .. }) if !is_damage(&exception) => {
                    return Err(refusal(doing, exception));
                }
                Err(Error::Refused { exception, .. }) => said = exception.into_bytes(),
                Err(error @ Error::NoAnswer { .. }) => {
                    if start.elapsed() > limit {
                        if said.is_empty() {
                            // Nothing was ever damaged: the board hangs, the line is not to blame.
                            return Err(error);
                        }
                        break;
                    }
                    self.repl.reenter()?;
                }
                Err(error) => return Err(error),
            }
            tracing::debug!(
                "damaged on the way while {doing}: {}",
                escape::excerpt(&said)
            );
        }
        Err(Error::Garbled {
            doing: doing.to_owned(),
            times: TRIES,
        })
    }
}

/// A call with its checksum.
fn framed(code: &[u8]) -> Vec<u8> {
    let mut call = format!("_udpcli['x']({},", checksum(&[code])).into_bytes();
    literal::append_bytes(code, &mut call);
    call.push(b')');
    call
}

/// What an exception of the helper's means beyond itself.
pub(super) fn refusal(doing: &str, exception: String) -> Error {
    if exception.starts_with("NameError") && exception.contains("_udpcli") {
        // The helper is gone: somebody or something started the interpreter anew.
        return Error::Restarted {
            doing: doing.to_owned(),
        };
    }
    Error::Refused {
        doing: doing.to_owned(),
        exception,
    }
}

/// Whether an exception is the line's doing: code that was changed on its way, or the exception's own text was. What
/// the helper raises itself are the board's own errors.
pub(super) fn is_damage(exception: &str) -> bool {
    !(exception.starts_with("OSError")
        || exception.starts_with("MemoryError")
        || (exception.starts_with("NameError") && exception.contains("'_udpcli'")))
}

/// The CRC-32 over all of `parts`.
pub(super) fn checksum(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

/// An answer without its checksum; none if the two do not fit.
fn checked(answer: &[u8]) -> Option<Vec<u8>> {
    let (data, sum) = answer.split_at_checked(answer.len().checked_sub(CHECKSUM_LEN)?)?;
    let fits = sum == NO_CHECKSUM || sum == format!("~{:08x}", checksum(&[data])).as_bytes();
    fits.then(|| data.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_parts_of_the_helper_are_short_enough_for_a_bad_line() {
        for part in HELPER.split("#\n") {
            assert!(part.len() < 800, "{part}");
        }
    }

    #[test]
    fn a_lost_helper_is_a_restart_and_damage_is_damage() {
        let lost = "NameError: name '_udpcli' isn't defined";
        assert!(!is_damage(lost) && is_damage("NameError: name '_udpbli' isn't defined"));
        assert!(matches!(
            refusal("x", lost.to_owned()),
            Error::Restarted { .. }
        ));
        assert!(!is_damage("OSError: 28") && is_damage("SyntaxError: invalid syntax"));
    }

    proptest! {
        #[test]
        fn an_answer_is_taken_only_as_it_was_sent(data in proptest::collection::vec(any::<u8>(), 0..40), at in 0usize..49, bit in 0u8..8) {
            let mut answer = data.clone();
            answer.extend(format!("~{:08x}", checksum(&[&data])).into_bytes());
            prop_assert_eq!(checked(&answer), Some(data));
            let at = at % answer.len();
            answer[at] ^= 1 << bit;
            prop_assert_eq!(checked(&answer), None);
        }

        #[test]
        fn any_answer_is_read_or_refused(answer in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = checked(&answer);
        }
    }
}
