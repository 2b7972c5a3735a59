//! The board's 128x64 panel on the terminal, drawn in place below the scrolling lines: texts in a frame, or the picture.
//!
//! - [`screen`] is what is shown; [`text`] and [`picture`] make lines of it.
//! - [`server`] is the screen that the tutorial's server would show.

pub mod picture;
pub mod screen;
pub mod server;
pub mod text;

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use screen::Screen;
use unicode_width::UnicodeWidthStr as _;

/// Lines of the panel that are on the terminal, on stderr, just above the cursor. One for the process, as the terminal
/// is: the log takes the panel away before it writes there, and the next draw puts it back.
static DRAWN: AtomicUsize = AtomicUsize::new(0);

/// Cells across of those lines.
static WIDTH: AtomicUsize = AtomicUsize::new(0);

/// Cells of the incomplete line below them.
static BELOW: AtomicUsize = AtomicUsize::new(0);

/// The terminal's columns and rows when they were drawn.
static SIZE: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// Terminals that know it show nothing until [`SHOW`]; others pass over it (DEC private mode 2026).
const HOLD: &str = "\x1b[?2026h";

/// What was held back is shown at once.
const SHOW: &str = "\x1b[?2026l";

/// What takes the panel off the terminal, if it is there: to be written to stderr before anything else is.
#[must_use]
pub fn erase() -> Option<String> {
    take().map(|rows| up(rows) + "\x1b[J")
}

/// What moves the cursor to the beginning of the row that is so many above.
#[must_use]
pub fn up(rows: usize) -> String {
    match rows {
        0 => "\r".to_owned(),
        rows => format!("\x1b[{rows}A\r"),
    }
}

/// Rows above the cursor that panel and incomplete line begin, if they are there; they are then no more said to be.
fn take() -> Option<usize> {
    let lines = DRAWN.swap(0, Ordering::Relaxed);
    let below = BELOW.swap(0, Ordering::Relaxed);
    if lines == 0 && below == 0 {
        return None;
    }
    // A terminal made narrower has broken the lines.
    let rows = lines * rows(WIDTH.load(Ordering::Relaxed));
    Some(rows + rows_below(below))
}

/// Rows of the terminal that so many cells take.
fn rows(cells: usize) -> usize {
    cells.div_ceil(size().0.max(1))
}

/// Rows between the beginning of a line of so many cells and the cursor at its end.
#[must_use]
pub fn rows_below(cells: usize) -> usize {
    rows(cells).saturating_sub(1)
}

/// The terminal's columns and rows; endless where nobody knows.
fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(io::stderr())
        .map_or((usize::MAX, usize::MAX), |(width, height)| {
            (width.0.into(), height.0.into())
        })
}

/// What of a screen is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The texts, each about where it is.
    Text,
    /// The picture, or the texts where the terminal is too small for it.
    Picture,
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Cells across.
    pub columns: usize,
    /// Cells down.
    pub rows: usize,
    /// Whether it has more than ASCII.
    pub unicode: bool,
    /// Whether it gets colour.
    pub color: bool,
}

impl Terminal {
    /// The one that stderr is.
    #[must_use]
    pub fn of_stderr(color: bool) -> Self {
        let (columns, rows) = size();
        Self {
            columns,
            rows,
            unicode: has_unicode(|name| std::env::var(name).ok()),
            color,
        }
    }

    /// Whether lines of so many cells, and one below them for the cursor, fit.
    fn holds(self, width: usize, lines: usize) -> bool {
        self.columns >= width && self.rows > lines
    }
}

/// Windows' console takes Unicode; elsewhere the locale's character set decides, and nobody set means UTF-8.
fn has_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Lines of one width, to be drawn below each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Each with its escape sequences.
    pub lines: Vec<String>,
    /// Cells across.
    pub width: usize,
}

/// The screen as lines that fit the terminal: half-blocks, braille or ASCII, else the texts; nothing where not even
/// these fit.
#[must_use]
pub fn lines(screen: &Screen, view: View, terminal: Terminal) -> Lines {
    let mut choices = Vec::new();
    if view == View::Picture {
        choices.extend(picture::Style::for_terminal(terminal));
    }
    for style in choices {
        if terminal.holds(style.width() + 2, style.height() + 2) {
            return frame(&style.rows(screen), style.width(), screen, terminal);
        }
    }
    let rows = text::rows(screen, terminal.color);
    if terminal.holds(text::COLUMNS + 2, rows.len() + 2) {
        frame(&rows, text::COLUMNS, screen, terminal)
    } else {
        Lines::default()
    }
}

/// A frame around rows, which says below what the panel is besides lit.
fn frame(rows: &[String], width: usize, screen: &Screen, terminal: Terminal) -> Lines {
    let [left, right, lower_left, lower_right, across, down] = if terminal.unicode {
        ["┌", "┐", "└", "┘", "─", "│"]
    } else {
        ["+", "+", "+", "+", "-", "|"]
    };
    let mut lines = vec![format!("{left}{}{right}", across.repeat(width))];
    lines.extend(rows.iter().map(|row| format!("{down}{row}{down}")));
    let notes: Vec<&str> = [
        (!screen.on).then_some("off"),
        screen.inverted.then_some("inverted"),
        (!screen.whole).then_some("incomplete"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut note = notes.join(" ");
    if !note.is_empty() {
        note = format!(" {note} ");
    }
    let rest = across.repeat(width.saturating_sub(note.len()));
    lines.push(format!("{lower_left}{rest}{note}{lower_right}"));
    Lines {
        lines,
        width: width + 2,
    }
}

/// Draws on stderr, which is a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    view: View,
    color: bool,
}

impl Panel {
    /// A panel that is not yet drawn.
    #[must_use]
    pub fn new(view: View, color: bool) -> Self {
        Self { view, color }
    }

    /// Draws the screen where the cursor is, or over what was drawn before, in one write; nothing where it does not fit.
    ///
    /// The cursor stays behind `below`, which is less than a row: a line that is not yet complete.
    pub fn draw(&self, screen: &Screen, below: &str) {
        let drawn = lines(screen, self.view, Terminal::of_stderr(self.color));
        let mut text = String::from(HOLD);
        if let Some(rows) = take() {
            text.push_str(&up(rows));
        }
        for line in &drawn.lines {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J");
        text.push_str(below);
        text.push_str(SHOW);
        BELOW.store(below.width(), Ordering::Relaxed);
        let (columns, rows) = size();
        for (store, size) in SIZE.iter().zip([columns, rows]) {
            store.store(size, Ordering::Relaxed);
        }
        WIDTH.store(drawn.width, Ordering::Relaxed);
        DRAWN.store(drawn.lines.len(), Ordering::Relaxed);
        // A panel that cannot be drawn is no reason to stop.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Whether the terminal has the size for which the panel was drawn last.
    #[must_use]
    pub fn fits(&self) -> bool {
        let (columns, rows) = size();
        SIZE.iter()
            .zip([columns, rows])
            .all(|(stored, size)| stored.load(Ordering::Relaxed) == size)
    }

    /// Leaves the panel where it is: what follows is written below.
    pub fn leave(&self) {
        DRAWN.store(0, Ordering::Relaxed);
        BELOW.store(0, Ordering::Relaxed);
    }

    /// Takes the panel off the terminal, so that lines can be printed where it stood; [`Panel::draw`] comes next.
    pub fn make_way(&self) {
        if let Some(text) = erase() {
            // Shown together with what is drawn then: no flicker.
            let _ = io::stderr().write_all(format!("{HOLD}{text}").as_bytes());
        }
    }
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
                has_unicode(variable) || cfg!(windows),
                unicode || cfg!(windows)
            );
        }
    }

    #[test]
    fn the_widest_view_that_fits_is_drawn() {
        let screen = Screen {
            whole: true,
            ..Screen::default()
        };
        let size = |columns, rows, unicode, view| {
            let terminal = Terminal {
                columns,
                rows,
                unicode,
                color: false,
            };
            let drawn = lines(&screen, view, terminal);
            (drawn.width, drawn.lines.len())
        };
        assert_eq!(size(200, 50, true, View::Picture), (130, 34));
        assert_eq!(size(200, 34, true, View::Picture), (66, 18));
        assert_eq!(size(129, 50, true, View::Picture), (66, 18));
        assert_eq!(size(129, 50, false, View::Picture), (66, 18));
        assert_eq!(size(65, 50, true, View::Picture), (23, 6));
        assert_eq!(size(200, 50, true, View::Text), (23, 6));
        assert_eq!(size(22, 50, true, View::Picture), (0, 0));
        assert_eq!(size(200, 6, true, View::Picture), (0, 0));
    }

    #[test]
    fn the_frame_says_what_is_not_to_be_seen() {
        let terminal = Terminal {
            columns: 80,
            rows: 24,
            unicode: false,
            color: false,
        };
        let screen = Screen {
            on: false,
            ..Screen::default()
        };
        let drawn = lines(&screen, View::Text, terminal);
        assert_eq!(drawn.lines.last().unwrap(), "+----- off incomplete +");
    }
}
