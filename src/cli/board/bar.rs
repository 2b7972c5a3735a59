//! The progress bar's words.

use crate::terminal::progress::BarWords;
use crate::words::catalogue::say;

/// In the language in force; indicatif fills the places.
pub(super) fn words() -> BarWords {
    BarWords {
        wide: say!(
            "terminal.bar-wide",
            done = "{pos}",
            total = "{len}",
            rate = "{decimal_bytes_per_sec}",
            left = "{eta}"
        ),
        middle: say!(
            "terminal.bar-middle",
            rate = "{decimal_bytes_per_sec}",
            left = "{eta}"
        ),
    }
}
