//! Parses durations that a user typed.

use std::time::Duration;

use jiff::SignedDuration;

use crate::text::fullwidth;
use crate::text::sentence::{Sentence, sentence};

/// The maximum: 100 years, so that adding it to an `Instant` cannot overflow.
const LONGEST: Duration = Duration::from_hours(878_400);

/// Parses `250ms`, `2s`, `1m30s`, or a plain number of seconds.
///
/// # Errors
/// A text that says what to write instead.
pub(crate) fn parse(text: &str) -> Result<Duration, Sentence> {
    let text = fullwidth::to_ascii(text);
    let help = || sentence!("value.duration");
    // A plain number first: the other parser would refuse it for its missing unit.
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| help())?,
        Err(_) => {
            let signed: SignedDuration = text.parse().map_err(|_| help())?;
            Duration::try_from(signed).map_err(|_| help())?
        }
    };
    if duration > LONGEST {
        Err(sentence!("value.duration-too-long"))
    } else {
        Ok(duration)
    }
}
