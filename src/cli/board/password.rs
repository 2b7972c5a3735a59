//! Gets a Wi-Fi password from the user: never from the command line, and never displayed.

use crate::board::error::Error as BoardError;
use crate::error::Error;
use crate::terminal::prompt;
use crate::words::catalogue::say;

/// Reads the environment variable that the user named; otherwise asks.
pub(in crate::cli) fn get(ssid: &str, variable: Option<&str>) -> Result<String, Error> {
    match variable {
        Some(variable) => std::env::var(variable)
            .map_err(|_| Error::usage(say!("board-cli.password-unset", variable = variable))),
        None => ask(ssid),
    }
}

/// Asks on the terminal, without echo.
fn ask(ssid: &str) -> Result<String, Error> {
    match prompt::password(&say!("board-cli.password-question", ssid = ssid)) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(BoardError::Interrupted.into()),
        Err(source) => {
            // Only with `-vv`: the reason is a detail of the system, while the hint says what to do.
            tracing::debug!("asking for the password: {source}");
            Err(Error::usage_hint(
                say!("board-cli.password-no-terminal"),
                say!("board-cli.password-no-terminal.hint"),
            ))
        }
    }
}
