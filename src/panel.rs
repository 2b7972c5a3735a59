//! The board's 128x64 panel as the tutorial's server would draw it, as text in a frame below the scrolling lines.
//!
//! The server draws its address at (0, 0), the datagram's text at (0, 15) and `from` with the sender's address at
//! (0, 31); glyphs are 16 pixels high, Chinese ones 16 wide, Latin ones about 7 on average (Noto Sans CJK).

use std::fmt::Write as _;
use std::io::{self, Write as _};

use unicode_width::UnicodeWidthChar as _;

use crate::net::Datagram;
use crate::payload::encoding::{Part, TextEncoding};
use crate::payload::escape;

/// Terminal cells across: 128 pixels of 7-pixel glyphs; a Chinese glyph takes two cells for its 16 pixels.
const COLUMNS: usize = 18;

/// Text rows: 64 pixels, 16 each.
const ROWS: usize = 4;

/// The panel, redrawn in place on stderr.
#[derive(Debug)]
pub struct Panel {
    /// What each row says.
    rows: [String; ROWS],
    /// Lines on the screen now, which a redraw goes over.
    drawn: usize,
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
            drawn: 0,
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
        *from = format!("from{}", datagram.peer.ip());
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

    /// Draws the panel where the cursor is, or over itself.
    pub fn draw(&mut self) {
        let mut text = String::new();
        if self.drawn > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "\x1b[{}A", self.drawn);
        }
        let lines = self.lines();
        for line in &lines {
            text.push_str("\r\x1b[K");
            text.push_str(line);
            text.push('\n');
        }
        self.drawn = lines.len();
        // A panel that cannot be drawn is no reason to stop listening.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Takes the panel off the screen, so that lines can be printed where it stood.
    pub fn make_way(&mut self) {
        if self.drawn > 0 {
            let _ = io::stderr().write_all(format!("\x1b[{}A\r\x1b[J", self.drawn).as_bytes());
            self.drawn = 0;
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

/// As much of the row as the panel is wide, and its width in cells.
fn cut(row: &str) -> (&str, usize) {
    let mut width = 0;
    for (at, character) in row.char_indices() {
        let next = width + character.width().unwrap_or(0);
        if next > COLUMNS {
            return (row.get(..at).unwrap_or_default(), width);
        }
        width = next;
    }
    (row, width)
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
                "┌──────────────────┐",
                "│192.168.0.10:6000 │",
                "│你好 mPython      │",
                "│from192.168.0.5   │",
                "│                  │",
                "└──────────────────┘",
            ]
        );
    }

    #[test]
    fn long_and_hostile_text_stays_in_its_frame() {
        assert_eq!(
            panel("你你你你你你你你你你".as_bytes())[2],
            "│你你你你你你你你你│"
        );
        assert_eq!(
            panel("a你你你你你你你你你".as_bytes())[2],
            "│a你你你你你你你你 │"
        );
        assert_eq!(panel(b"\x1b[2J\xff\xe2\x80\xae")[2], "│□[2J□□            │");
    }
}
