//! Whether a stream gets colour: `--color`, then `NO_COLOR` and its kin, then whether it is a terminal with colour.

use std::io;
use std::sync::OnceLock;

pub(crate) use anstream::ColorChoice;

/// Whether stderr takes colour; decided once, when logging starts.
static STDERR: OnceLock<bool> = OnceLock::new();

/// Whether stdout gets colour.
#[must_use]
pub(crate) fn of_stdout(choice: ColorChoice) -> bool {
    is_wanted(choice, &io::stdout())
}

/// Whether stderr gets colour.
#[must_use]
pub(crate) fn of_stderr(choice: ColorChoice) -> bool {
    is_wanted(choice, &io::stderr())
}

/// Decides whether stderr gets colour, for the whole run.
pub(crate) fn decide(choice: ColorChoice) -> bool {
    *STDERR.get_or_init(|| of_stderr(choice))
}

/// Whether stderr gets colour, as was decided when logging started.
#[must_use]
pub(crate) fn has_color() -> bool {
    STDERR.get().copied().unwrap_or(false)
}

/// Whether a stream gets colour with this choice.
fn is_wanted(choice: ColorChoice, stream: &impl anstream::stream::RawStream) -> bool {
    match choice {
        ColorChoice::Auto => {
            // anstream obeys the usual variables: `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM`.
            anstream::AutoStream::choice(stream) != ColorChoice::Never && obeys_escapes()
        }
        ColorChoice::Never => false,
        ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
    }
}

/// Whether the terminal obeys escape sequences. Windows' console does after this call enables it; its legacy mode never
/// does (Console Virtual Terminal Sequences, learn.microsoft.com).
#[must_use]
pub(crate) fn obeys_escapes() -> bool {
    #[cfg(all(windows, feature = "board"))]
    return crossterm::ansi_support::supports_ansi();
    // This build cannot enable it, so the console gets no colour.
    #[cfg(not(all(windows, feature = "board")))]
    return !cfg!(windows);
}
