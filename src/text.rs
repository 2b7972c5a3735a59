//! Text and payloads: escapes, encodings, hex digits, checksums, patterns, templates, and the formatting of counts and
//! durations.

#[cfg(feature = "board")]
pub(crate) mod cells;
pub(crate) mod checksum;
pub(crate) mod duration;
pub mod encoding;
pub mod escape;
pub mod expression;
pub(crate) mod fullwidth;
pub mod hex;
pub(crate) mod nearest;
pub mod pattern;
pub(crate) mod pattern_set;
pub mod random;
pub mod sentence;
pub(crate) mod shorten;
pub mod template;
pub(crate) mod wrap;

use std::fmt;
use std::time::Duration;

/// `1 datagram`, `2 datagrams`.
#[must_use]
pub(crate) fn counted(count: u64, one: &'static str, many: &'static str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Formats a duration for a message: `250ms`, `2s`, `1m 30s`.
#[must_use]
pub(crate) fn seconds(duration: Duration) -> impl fmt::Display {
    struct Seconds(Duration);
    impl fmt::Display for Seconds {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let total = self.0.as_secs();
            if self.0 < Duration::from_secs(1) {
                // Three significant digits are enough.
                let ms = self.0.as_secs_f64() * 1e3;
                let digits = if ms < 1.0 {
                    1e3
                } else if ms < 100.0 {
                    10.0
                } else {
                    1.0
                };
                write!(f, "{}ms", (ms * digits).round() / digits)
            } else if total < 60 {
                write!(f, "{}s", (self.0.as_secs_f64() * 100.0).round() / 100.0)
            } else {
                let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
                if hours > 0 {
                    write!(f, "{hours}h ")?;
                }
                write!(f, "{minutes}m {seconds}s")
            }
        }
    }
    Seconds(duration)
}

/// Invisible characters that hide text or change how a terminal displays their neighbours: bidi controls, zero-width
/// characters, variation selectors, blank letters, tags, the byte-order mark. The set is Unicode's
/// `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt) plus the interlinear annotations.
#[must_use]
pub fn reorders_or_hides(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
