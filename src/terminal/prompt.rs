//! Questions to the user, on the terminal itself: stdin and stdout may be pipes.

use std::io;

use super::sanitize;

/// Asks for a password, which is not shown.
///
/// # Errors
/// There is no terminal to ask on.
pub fn password(question: &str) -> io::Result<String> {
    rpassword::prompt_password(sanitize::for_terminal(question))
}
