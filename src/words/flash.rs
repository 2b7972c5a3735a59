//! The errors of flashing, in words.

use std::io;

use crate::board::flash::error::Error;
use crate::text::seconds;
use crate::text::sentence::Sentence;
use crate::words::board;
use crate::words::catalogue::{say, text};

/// What failed, and on what.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::Port(error) => board::message(error),
        Error::Read { path, .. } => say!("flash.read", path = path.display()),
        Error::Write { path, .. } => say!("flash.write", path = path.display()),
        Error::NeedsOffset { what, found, .. } => {
            say!("flash.needs-offset", what = what, found => found.clone())
        }
        Error::NoBootLoader => say!("flash.mode-boot-loader"),
        Error::Refused(refusal) => say!(
            "flash.refused",
            what => refusal.what.clone(),
            expected => refusal.expected.clone(),
            found => refusal.found.clone()
        ),
        Error::Conflict { details } => say!("flash.conflict", details = list(details)),
        Error::NoLoader { port, waited, .. } => {
            say!("flash.no-loader", port = port, waited = seconds(*waited))
        }
        Error::Lost { port, doing, state } => say!(
            "flash.lost",
            port = port,
            doing => doing.clone(),
            state => state.clone()
        ),
        Error::Gone { port, state, .. } => say!("flash.gone", port = port, state => state.clone()),
        Error::Unwritten => say!("flash.unwritten"),
        Error::Interrupted { state } => say!("flash.interrupted", state => state.clone()),
        Error::Verify { what, times } => say!("flash.verify", what => what.clone(), times = times),
    }
}

/// Several sentences joined.
fn list(sentences: &[Sentence]) -> String {
    let texts: Vec<String> = sentences.iter().map(text).collect();
    texts.join(&say!("flash.list-separator"))
}

/// The hint, if there is one.
pub(super) fn hint(error: &Error) -> Option<String> {
    Some(match error {
        Error::Port(error) => return board::hint(error),
        Error::NeedsOffset { example, .. } => {
            say!("flash.needs-offset.hint", example => example.clone())
        }
        Error::NoBootLoader => say!("flash.mode-boot-loader.hint"),
        Error::Refused(refusal) => return refusal.hint.as_ref().map(text),
        Error::Conflict { .. } => say!("flash.conflict.hint"),
        Error::NoLoader { booted: true, .. } => say!("flash.no-loader.hint-booted"),
        Error::NoLoader { lines: false, .. } => say!("flash.no-loader.hint-no-lines"),
        Error::NoLoader { .. } => say!("flash.no-loader.hint"),
        Error::Lost { .. } => say!("flash.lost.hint"),
        Error::Gone { .. } => say!("flash.gone.hint"),
        Error::Interrupted { .. } => say!("flash.interrupted.hint"),
        Error::Verify { .. } => say!("flash.verify.hint"),
        Error::Write { source, .. } => match source.kind() {
            io::ErrorKind::StorageFull => say!("flash.write.hint-full"),
            io::ErrorKind::AlreadyExists => say!("flash.write.hint-exists"),
            _ => return None,
        },
        Error::Read { .. } | Error::Unwritten => return None,
    })
}
