//! Prints and panel on one terminal: complete lines scroll above the panel, an incomplete one stands below it.

use std::io::{self, Write as _};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::screen::Screen as Stdout;
use crate::error::Error;
use crate::panel::screen::Screen;
use crate::panel::{self, Panel, View};

/// The longest incomplete line that is kept; of a longer one the end is shown.
const MAX_TAIL: usize = 4096;

/// The panel below what is printed, on a terminal that is stdout and stderr.
#[derive(Debug)]
pub(super) struct Stack {
    panel: Panel,
    is_drawn: bool,
    /// What was printed after the last line ending.
    tail: Vec<u8>,
}

impl Stack {
    pub(super) fn new(view: View) -> Self {
        Self {
            panel: Panel::new(view, crate::logging::has_color()),
            is_drawn: false,
            tail: Vec::new(),
        }
    }

    /// Shows what the program printed, and the OLED where that is called for. False if the reader of `stdout` went away.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub(super) fn show(
        &mut self,
        stdout: &mut Stdout,
        bytes: &[u8],
        screen: &Screen,
        changed: bool,
    ) -> Result<bool, Error> {
        let printed = stdout.filtered(bytes);
        let printed = printed.as_slice();
        let mut there = true;
        let ends_at = memchr::memrchr(b'\n', printed).map_or(0, |at| at + 1);
        let (complete, rest) = printed.split_at(ends_at);
        if !self.is_drawn {
            there &= stdout.write(printed)?;
            self.keep(complete, rest);
            if changed && screen.whole {
                self.is_drawn = true;
                // The incomplete line moves below the panel.
                if !self.tail.is_empty() {
                    let cells = self.last_row().width();
                    let rows = panel::rows_below(cells);
                    there &= stdout.write((panel::up(rows) + "\x1b[J").as_bytes())?;
                }
                self.panel.draw(screen, &self.visible_tail());
            }
            return Ok(there);
        }
        if !complete.is_empty() {
            self.panel.make_way();
            there &= stdout.write(&self.tail)? && stdout.write(complete)?;
        }
        self.keep(complete, rest);
        if changed || !printed.is_empty() {
            self.panel.draw(screen, &self.visible_tail());
        }
        Ok(there)
    }

    /// Draws the panel anew where the terminal has another size by now.
    pub(super) fn refit(&self, screen: &Screen) {
        if self.is_drawn && !self.panel.fits() {
            self.panel.draw(screen, &self.visible_tail());
        }
    }

    /// Nothing more comes: panel and incomplete line stay, what follows is written below.
    pub(super) fn end(&mut self) {
        if self.is_drawn {
            self.panel.leave();
            if !self.tail.is_empty() {
                let _ = io::stderr().write_all(b"\n");
            }
        }
        self.is_drawn = false;
    }

    fn keep(&mut self, complete: &[u8], rest: &[u8]) {
        if !complete.is_empty() {
            self.tail.clear();
        }
        self.tail.extend_from_slice(rest);
        if self.tail.len() > MAX_TAIL {
            self.tail.drain(..self.tail.len() - MAX_TAIL);
        }
    }

    /// As much of the incomplete line's end as a row takes, without control sequences.
    fn visible_tail(&self) -> String {
        let columns = terminal_size::terminal_size_of(io::stderr())
            .map_or(80, |(width, _)| usize::from(width.0));
        end_of(&self.last_row(), columns.saturating_sub(1))
    }

    /// What the incomplete line shows: what follows its last carriage return.
    fn last_row(&self) -> String {
        let text = String::from_utf8_lossy(&self.tail);
        let text = text
            .rsplit('\r')
            .find(|part| !part.is_empty())
            .unwrap_or("");
        plain(text)
    }
}

/// Text without control characters and control sequences.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(character) = chars.next() {
        if character == '\x1b' {
            // `ESC [`, parameters, a final character.
            let _ = chars.next();
            let _ = chars.by_ref().find(|c| ('\x40'..='\x7e').contains(c));
        } else if !character.is_control() {
            plain.push(character);
        } else if character == '\t' {
            plain.push(' ');
        }
    }
    plain
}

/// The end of a text, at most so many cells.
fn end_of(text: &str, columns: usize) -> String {
    let mut left = columns;
    let mut start = text.len();
    for (index, character) in text.char_indices().rev() {
        let width = character.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        start = index;
    }
    text.get(start..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_fits_a_row() {
        assert_eq!(end_of("abc", 3), "abc");
        assert_eq!(end_of("abc", 2), "bc");
        assert_eq!(end_of("a你好", 3), "好");
        assert_eq!(end_of("", 3), "");
        assert_eq!(plain("a\x1b[1;31mb\tc\x07"), "ab c");
    }

    #[test]
    fn incomplete_lines_are_kept_until_they_are_complete() {
        let mut stack = Stack::new(View::Text);
        stack.keep(b"one\n", b"tw");
        stack.keep(b"", b"o");
        assert_eq!(stack.tail, b"two");
        stack.keep(b"\n", b"");
        assert_eq!(stack.tail, b"");
        stack.keep(b"", &[b'x'; 10_000]);
        assert_eq!(stack.tail.len(), MAX_TAIL);
    }
}
