//! The user's terminal, and everything that goes to stdout and stderr: nothing outside this module writes there.
//!
//! - [`stdout`] carries data: in batches, completely even if the reader is slow, and not at all after the reader has
//!   gone.
//! - [`status`] carries messages for people, on stderr, and the status area below them: progress bars, the OLED panel.
//! - [`stream`] has the streams below both, which wait where a non-blocking descriptor would block.
//! - [`sanitize`] is what every byte for a terminal goes through.
//! - [`job_output`] keeps the output of parallel jobs apart.
//! - [`color`] and [`Size`] describe what the terminal can show; [`qr`] draws a QR code.
//! - `raw_mode`, `keys`, `full_screen` and `prompt` are for the commands that talk with the user; `progress` is the one
//!   progress bar.

pub(crate) mod color;
#[cfg(feature = "board")]
pub mod full_screen;
pub mod job_output;
#[cfg(feature = "board")]
pub mod keys;
pub mod panel;
#[cfg(feature = "board")]
pub mod progress;
#[cfg(feature = "board")]
pub mod prompt;
pub(crate) mod qr;
#[cfg(feature = "board")]
pub mod raw_mode;
pub mod sanitize;
pub mod status;
pub mod stdout;
pub(crate) mod stream;

/// The terminal's size in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Cells across.
    pub(crate) columns: usize,
    /// Cells down.
    pub(crate) rows: usize,
}

impl Size {
    /// If the size is unknown, assume that everything fits.
    pub(crate) const UNKNOWN: Self = Self {
        columns: usize::MAX,
        rows: usize::MAX,
    };

    /// The size of the terminal behind stderr.
    #[must_use]
    pub(crate) fn of_stderr() -> Self {
        Self::of(terminal_size::terminal_size_of(std::io::stderr()))
    }

    /// The size of the terminal behind stdout.
    pub(crate) fn of_stdout() -> Self {
        Self::of(terminal_size::terminal_size_of(std::io::stdout()))
    }

    /// The size in cells, if the system reports it.
    fn of(size: Option<(terminal_size::Width, terminal_size::Height)>) -> Self {
        size.map_or(Self::UNKNOWN, |(columns, rows)| Self {
            columns: columns.0.into(),
            rows: rows.0.into(),
        })
    }

    /// Rows that a line of this many cells takes: a terminal that was made narrower has broken it.
    #[must_use]
    pub(crate) fn rows_of(self, cells: usize) -> usize {
        cells.div_ceil(self.columns.max(1)).max(1)
    }
}

/// Whether this is a Windows console in which nothing has been written yet.
#[must_use]
pub(crate) fn is_new_console() -> bool {
    #[cfg(all(windows, feature = "board"))]
    {
        use std::io::IsTerminal as _;

        std::io::stdin().is_terminal()
            && stdout::is_terminal()
            && crossterm::cursor::position().is_ok_and(|position| position == (0, 0))
    }
    #[cfg(not(all(windows, feature = "board")))]
    {
        false
    }
}

/// Whether the terminal shows more than ASCII. Windows' console takes Unicode; elsewhere the locale's character set
/// decides, and no locale means UTF-8.
#[must_use]
pub(crate) fn has_unicode() -> bool {
    is_unicode_locale(|name| std::env::var(name).ok())
}

/// As [`has_unicode`], with the environment as a function, for tests.
fn is_unicode_locale(variable: impl Fn(&str) -> Option<String>) -> bool {
    if cfg!(windows) {
        return true;
    }
    // In the order in which the C library looks at them (setlocale(3)); an empty one counts as not set.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_says_whether_there_is_unicode() {
        for (variables, unicode) in [
            (&[][..], true),
            (&[("LANG", "zh_CN.UTF-8")], true),
            (&[("LANG", "C.utf8"), ("LC_CTYPE", "")], true),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LC_CTYPE", "zh_CN.GBK")], false),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name)?;
                Some(found.1.to_owned())
            };
            assert_eq!(
                is_unicode_locale(variable) || cfg!(windows),
                unicode || cfg!(windows)
            );
        }
    }

    #[test]
    fn an_empty_line_takes_a_row_and_a_long_one_several() {
        let size = Size {
            columns: 40,
            rows: 24,
        };
        for (cells, rows) in [(0, 1), (1, 1), (40, 1), (41, 2), (120, 3)] {
            assert_eq!(size.rows_of(cells), rows, "{cells}");
        }
        assert_eq!(Size::UNKNOWN.rows_of(10_000), 1);
    }
}
