//! The board's 128x64 panel as the tutorial's server would draw it, as text in a frame below the scrolling lines.
//!
//! The server draws its address at (0, 0), the datagram's text at (0, 15) and `from` with the sender's address at
//! (0, 31); glyphs are 16 pixels high, Chinese ones 16 wide, Latin ones 4 to 9 (Noto Sans CJK).

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::net::Datagram;
use crate::payload::encoding::{Part, TextEncoding};
use crate::payload::escape;

/// Terminal cells across: 128 pixels of 6-pixel glyphs, and every IPv4 address with its port. A Chinese glyph takes two
/// cells for its 16 pixels.
const COLUMNS: usize = 21;

/// Text rows: 64 pixels, 16 each.
const ROWS: usize = 4;

/// Lines of the panel that are on the screen, on stderr, just above the cursor. One for the process, as the screen is:
/// the log takes the panel away before it writes there, and the next draw puts it back.
static DRAWN: AtomicUsize = AtomicUsize::new(0);

/// What takes the panel off the screen, if it is there: to be written to stderr before anything else is.
#[must_use]
pub fn erase() -> Option<String> {
    match DRAWN.swap(0, Ordering::Relaxed) {
        0 => None,
        lines => {
            // A terminal made narrower has broken the panel's lines.
            let (columns, _) = size();
            let lines = lines * (COLUMNS + 2).div_ceil(columns.max(1));
            Some(format!("\x1b[{lines}A\r\x1b[J"))
        }
    }
}

/// The terminal's columns and rows; endless where nobody knows.
fn size() -> (usize, usize) {
    terminal_size::terminal_size_of(io::stderr())
        .map_or((usize::MAX, usize::MAX), |(width, height)| {
            (width.0.into(), height.0.into())
        })
}

/// The panel, redrawn in place on stderr.
#[derive(Debug)]
pub struct Panel {
    /// What each row says.
    rows: [String; ROWS],
    encoding: TextEncoding,
    scratch: String,
}

impl Panel {
    /// A panel whose first row says `address`, as the server draws when it starts.
    #[must_use]
    pub fn new(address: &str, encoding: TextEncoding) -> Self {
        let mut rows: [String; ROWS] = Default::default();
        address.clone_into(&mut rows[0]);
        Self {
            rows,
            encoding,
            scratch: String::new(),
        }
    }

    /// Takes what the server would draw for this datagram; nothing is drawn yet.
    pub fn show(&mut self, datagram: &Datagram<'_>) {
        let [_, text, from, _] = &mut self.rows;
        text.clear();
        self.encoding
            .parts(datagram.payload, &mut self.scratch, |part| match part {
                // The font has no glyph for a line ending; what else cannot be shown is a box.
                Part::Text(part) => {
                    text.extend(part.chars().filter(|&c| c != '\r' && c != '\n').map(glyph));
                }
                Part::Bytes(bytes) => text.extend(bytes.iter().map(|_| MISSING)),
            });
        from.clear();
        // Writing to a String cannot fail.
        let _ = write!(from, "from{}", datagram.peer.ip());
    }

    /// The panel as lines, frame and all.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let edge = "─".repeat(COLUMNS);
        let mut lines = vec![format!("┌{edge}┐")];
        for row in &self.rows {
            let (shown, width) = cut(row);
            lines.push(format!("│{shown}{}│", " ".repeat(COLUMNS - width)));
        }
        lines.push(format!("└{edge}┘"));
        lines
    }

    /// Draws the panel where the cursor is, or over itself; not where it does not fit.
    pub fn draw(&self) {
        let mut text = erase().unwrap_or_default();
        let lines = self.lines();
        let (columns, rows) = size();
        if columns >= COLUMNS + 2 && rows > lines.len() {
            for line in &lines {
                text.push_str(line);
                text.push('\n');
            }
            DRAWN.store(lines.len(), Ordering::Relaxed);
        }
        // A panel that cannot be drawn is no reason to stop listening.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Leaves the panel where it is: what follows is written below.
    pub fn leave(&self) {
        DRAWN.store(0, Ordering::Relaxed);
    }

    /// Takes the panel off the screen, so that lines can be printed where it stood.
    pub fn make_way(&self) {
        if let Some(text) = erase() {
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

/// Stands for what the font cannot show.
const MISSING: char = '□';

fn glyph(character: char) -> char {
    let has_shape =
        character.width().is_some_and(|width| width > 0) && !escape::reorders_or_hides(character);
    if has_shape { character } else { MISSING }
}

/// As much of the row as the panel is wide, and its width in cells. A cut shows: half an address looks like one.
fn cut(row: &str) -> (String, usize) {
    if row.width() <= COLUMNS {
        return (row.to_owned(), row.width());
    }
    let mut shown = String::new();
    let mut width = 0;
    for character in row.chars() {
        let next = width + character.width().unwrap_or(0);
        if next >= COLUMNS {
            break;
        }
        shown.push(character);
        width = next;
    }
    shown.push('…');
    (shown, width + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Addressed, Timestamp};

    fn panel(payload: &[u8]) -> Vec<String> {
        let mut panel = Panel::new("192.168.0.10:6000", TextEncoding::default());
        let (peer, local) = (
            "192.168.0.5:49153".parse().unwrap(),
            "192.168.0.10:6000".parse().unwrap(),
        );
        let time = Timestamp::from_nanos(0);
        panel.show(&Datagram {
            payload,
            peer,
            local,
            addressed: Addressed::Unicast,
            time,
            full_len: payload.len(),
        });
        panel.lines()
    }

    #[test]
    fn the_panel_shows_address_text_and_sender() {
        assert_eq!(
            panel("你好 mPython\r\n".as_bytes()),
            [
                "┌─────────────────────┐",
                "│192.168.0.10:6000    │",
                "│你好 mPython         │",
                "│from192.168.0.5      │",
                "│                     │",
                "└─────────────────────┘",
            ]
        );
    }

    #[test]
    fn long_and_hostile_text_stays_in_its_frame() {
        assert_eq!(
            panel("你你你你你你你你你你你".as_bytes())[2],
            "│你你你你你你你你你你…│"
        );
        assert_eq!(
            panel("a你你你你你你你你你你".as_bytes())[2],
            "│a你你你你你你你你你你│"
        );
        assert_eq!(
            panel("ab你你你你你你你你你你".as_bytes())[2],
            "│ab你你你你你你你你你…│"
        );
        assert_eq!(
            panel(b"\x1b[2J\xff\xe2\x80\xae")[2],
            "│□[2J□□               │"
        );
    }
}
