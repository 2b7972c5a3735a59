//! The board is left as it was.

use std::time::Duration;

use super::Touched;
use crate::board::error::Error as BoardError;
use crate::error::seconds;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::report::{Finding, Step, StepResult};
use crate::pair::talk::Talk;

/// How long a soft reset and `boot.py` may take, beyond which the board is looked for again.
const REENTER: Duration = Duration::from_secs(1);

/// Leaves the board as it was found: out of the Wi-Fi if we brought it there, without our program, at its prompt.
pub(super) fn clean_up(mut talk: Talk, touched: &Touched) -> StepResult {
    let mut result = StepResult::new(
        Step::CleanUp,
        "stop our program, soft reset, back to the prompt",
    );
    // Ctrl-C has ended the steps; this one is done all the same.
    talk.repl.link().heed_shutdown(false);
    match put_in_order(&mut talk, touched) {
        Ok(free_after) => {
            "nothing of ours is left on the board".clone_into(&mut result.seen);
            if let (Some(before), Some(after)) = (touched.files_free, free_after)
                && before != after
            {
                result.notes.push(format!(
                    "free space on the board went from {before} to {after} bytes: a program of its own writes there"
                ));
            }
            if let Err(error) = talk.repl.close() {
                result.fail(Finding::with(Diagnosis::NotCleanedUp, error.to_string()));
            }
        }
        Err(error) => {
            result.seen = error.to_string();
            result.fail(Finding::plain(Diagnosis::NotCleanedUp));
        }
    }
    result
}

/// Free bytes of the file system when all is done.
fn put_in_order(talk: &mut Talk, touched: &Touched) -> Result<Option<i64>, BoardError> {
    let limit = Duration::from_secs(5);
    let leave: &[u8] = if touched.joined_wifi {
        b"\ntry:_pu()\nexcept Exception:pass"
    } else {
        b"pass"
    };
    if let Err(error) = talk.repl.exec("leaving the Wi-Fi", leave, limit) {
        tracing::debug!("{error}; entering again within {}", seconds(REENTER));
        talk.repl.reenter()?;
        talk.repl.exec("leaving the Wi-Fi", leave, limit)?;
    }
    let free = b"\ntry:\n import os as _po\nexcept ImportError:\n import uos as _po\nprint(_po.statvfs('/')[0]*_po.statvfs('/')[3])";
    let free = talk
        .repl
        .exec("looking at the file system", free, limit)
        .ok();
    talk.repl.soft_reset()?;
    Ok(free.and_then(|free| String::from_utf8_lossy(&free).trim().parse().ok()))
}
