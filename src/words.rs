//! Every sentence that a person reads, by its id, in each language. The layers below carry data and know nothing of flags;
//! this is where errors become sentences.

pub mod catalogue;
pub mod language;
mod udp;

use crate::error::Error;

/// What failed and on what, on one line.
#[must_use]
pub fn message(error: &Error) -> String {
    match error {
        Error::Udp(error) => udp::message(error),
        Error::File(error) => udp::file_message(error),
        other => other.to_string(),
    }
}

/// What to try next after an error, where we know.
#[must_use]
pub fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Udp(error) => udp::hint(error),
        Error::File(error) => udp::file_hint(error),
            Error::Demo { .. } => Some("run the two sides in two windows and compare: udpcli listen --bind 127.0.0.1, then udpcli send 127.0.0.1:6000 hello".to_owned()),
        Error::Usage { hint, .. } => hint.clone(),
        Error::LeftOut { feature, .. } => Some(format!("build it with cargo's default features, or --features {feature}")),
        #[cfg(feature = "board")]
        Error::Simulate(error) => error.hint(),
        #[cfg(feature = "board")]
        Error::Board(error) => error.hint(),
        #[cfg(feature = "flash")]
        Error::Flash(error) => error.hint(),
        Error::Start { .. } | Error::Pair { .. } => None,
    }
}
