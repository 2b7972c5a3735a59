//! Errors of the list of names.

use crate::names::Error;
use crate::words::catalogue::say;

pub(super) fn message(error: &Error) -> String {
    match error {
        Error::Encoding { path } => say!("names.encoding", path = path.display()),
        Error::Row { path, line } => say!("names.row", path = path.display(), line = line),
        Error::LongName { path, line } => {
            say!("names.long-name", path = path.display(), line = line)
        }
        Error::Twice { path, line } => say!("names.twice", path = path.display(), line = line),
    }
}
