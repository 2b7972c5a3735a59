//! A Wi-Fi password from the user: never from the command line, never shown.

use crate::board::error::Error as BoardError;
use crate::error::Error;
use crate::terminal::prompt;

/// From the environment variable that the user named, else asked for.
pub(in crate::cli) fn get(ssid: &str, variable: Option<&str>) -> Result<String, Error> {
    match variable {
        Some(variable) => std::env::var(variable).map_err(|_| {
            Error::usage(format!(
                "the environment variable {variable} is not set, or no text"
            ))
        }),
        None => ask(ssid),
    }
}

/// Asks on the terminal, without echo.
fn ask(ssid: &str) -> Result<String, Error> {
    match prompt::password(&format!("password of {ssid}: ")) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(BoardError::Interrupted.into()),
        Err(source) => {
            tracing::debug!("asking for the password: {source}");
            Err(Error::usage_hint(
                "no terminal to ask for the Wi-Fi password",
                "put it into an environment variable and name that with --password-env",
            ))
        }
    }
}
