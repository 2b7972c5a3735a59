//! A Wi-Fi password from the user: never from the command line, never shown.

use crate::error::Error;

/// Asks on the terminal, without echo.
pub(in crate::cli) fn ask(ssid: &str) -> Result<String, Error> {
    rpassword::prompt_password(format!(
        "password of {}: ",
        crate::payload::escape::for_terminal(ssid)
    ))
    .map_err(|source| {
        tracing::debug!("asking for the password: {source}");
        Error::usage_hint(
            "no terminal to ask for the Wi-Fi password",
            "put it into an environment variable and name that with --password-env",
        )
    })
}
