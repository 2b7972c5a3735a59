//! The texts of the progress bar.

use crate::terminal::progress::BarWords;
use crate::words::catalogue::say;

/// The texts in the current language; indicatif fills the placeholders.
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
