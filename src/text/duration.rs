//! Parses durations that a user typed.

use std::time::Duration;

use jiff::SignedDuration;

/// The maximum: 100 years, so that adding it to an `Instant` cannot overflow.
const LONGEST: Duration = Duration::from_hours(878_400);

/// Parses `250ms`, `2s`, `1m30s`, or a plain number of seconds.
///
/// # Errors
/// A text that says what to write instead.
pub fn parse(text: &str) -> Result<Duration, String> {
    let help = || "write a duration such as 250ms, 2s, 1m30s, or seconds such as 0.5".to_owned();
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| help())?,
        Err(_) => {
            let signed: SignedDuration = text.parse().map_err(|_| help())?;
            Duration::try_from(signed).map_err(|_| help())?
        }
    };
    if duration > LONGEST {
        Err("that is over 100 years".to_owned())
    } else {
        Ok(duration)
    }
}
