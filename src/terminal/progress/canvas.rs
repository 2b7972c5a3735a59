//! The canvas for indicatif's bar: one line, which the status area takes from here.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, TermLike};
use unicode_width::UnicodeWidthStr as _;

use crate::terminal::sanitize::plain;
use crate::terminal::status::StatusLine;

/// The terminal of one line that indicatif draws on: the status area takes the line from here.
#[derive(Debug, Clone, Default)]
pub(super) struct BarCanvas(Arc<Mutex<Drawing>>);

#[derive(Debug)]
struct Drawing {
    /// The width that the bar has.
    columns: u16,
    text: String,
}

impl Default for Drawing {
    fn default() -> Self {
        Self {
            columns: 80,
            text: String::new(),
        }
    }
}

impl BarCanvas {
    /// Does `act` under the lock.
    fn with<T>(&self, act: impl FnOnce(&mut Drawing) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the bar is this wide.
    pub(super) fn set_width(&self, columns: usize) {
        self.with(|drawing| drawing.columns = u16::try_from(columns.max(1)).unwrap_or(u16::MAX));
    }

    /// The bar as it is now.
    pub(super) fn line(&self, bar: &ProgressBar) -> Vec<StatusLine> {
        bar.tick();
        let text = self.with(|drawing| drawing.text.trim_end().to_owned());
        let cells = plain(&text).width();
        vec![StatusLine { text, cells }]
    }
}

impl TermLike for BarCanvas {
    fn width(&self) -> u16 {
        self.with(|drawing| drawing.columns)
    }

    // indicatif moves the cursor for several bars; here each has one line, which the status area places.
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.with(|drawing| drawing.text.push_str(text));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.with(|drawing| drawing.text.clear());
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
