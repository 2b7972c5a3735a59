//! The picture, pixel for pixel: two to a cell with half-blocks, eight with braille; shades of ASCII otherwise.

use crate::terminal::panel::TerminalLimits;
use crate::terminal::panel::screen::{HEIGHT, Screen, WIDTH};

/// How pixels become characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PixelStyle {
    /// 1 by 2 pixels per cell: 128 columns, 32 rows; white on black if the terminal has colour.
    HalfBlocks {
        /// Whether white and black are the terminal's.
        color: bool,
    },
    /// 2 by 4 pixels a cell: 64 columns, 16 rows (Unicode, U+2800).
    Braille {
        /// Whether white and black are the terminal's.
        color: bool,
    },
    /// 2 by 4 pixels a cell, by how many are lit.
    Ascii,
}

impl PixelStyle {
    /// The styles that a terminal can show, the best first.
    #[must_use]
    pub(crate) fn for_terminal(terminal: TerminalLimits) -> Vec<Self> {
        let color = terminal.color;
        if terminal.unicode {
            vec![Self::HalfBlocks { color }, Self::Braille { color }]
        } else {
            vec![Self::Ascii]
        }
    }

    /// Pixels of a cell, across and down.
    fn cell(self) -> (usize, usize) {
        match self {
            Self::HalfBlocks { .. } => (1, 2),
            Self::Braille { .. } | Self::Ascii => (2, 4),
        }
    }

    /// Cells across.
    #[must_use]
    pub(crate) fn width(self) -> usize {
        WIDTH / self.cell().0
    }

    /// Cells down.
    #[must_use]
    pub(crate) fn height(self) -> usize {
        HEIGHT / self.cell().1
    }

    /// The picture as rows of that many cells.
    #[must_use]
    pub(crate) fn rows(self, screen: &Screen) -> Vec<String> {
        let (across, down) = self.cell();
        let row = |y| {
            let cells = (0..WIDTH)
                .step_by(across)
                .map(|x| self.character(screen, x, y));
            let cells: String = cells.collect();
            match self {
                Self::HalfBlocks { color: true } | Self::Braille { color: true } => {
                    format!("\x1b[97;40m{cells}\x1b[0m")
                }
                _ => cells,
            }
        };
        (0..HEIGHT).step_by(down).map(row).collect()
    }

    /// The cell whose upper left pixel this is.
    fn character(self, screen: &Screen, x: usize, y: usize) -> char {
        let lit = |dx: usize, dy: usize| screen.is_lit(x + dx, y + dy);
        match self {
            Self::HalfBlocks { .. } => match (lit(0, 0), lit(0, 1)) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            },
            Self::Braille { .. } => {
                // Dots 1 to 3 and 7 on the left, 4 to 6 and 8 on the right.
                let dots = [
                    (0, 0),
                    (0, 1),
                    (0, 2),
                    (1, 0),
                    (1, 1),
                    (1, 2),
                    (0, 3),
                    (1, 3),
                ];
                let pattern = dots
                    .into_iter()
                    .enumerate()
                    .filter(|&(_, (dx, dy))| lit(dx, dy))
                    .fold(0_u32, |pattern, (bit, _)| pattern | 1 << bit);
                char::from_u32(0x2800 + pattern).unwrap_or(' ')
            }
            Self::Ascii => {
                let count = (0..8).filter(|dot| lit(dot % 2, dot / 2)).count();
                match count {
                    0 => ' ',
                    1..=2 => '.',
                    3..=4 => ':',
                    5..=6 => 'o',
                    _ => '#',
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels (0, 0), (1, 1), (0, 3), (127, 63).
    fn screen() -> Screen {
        let mut screen = Screen::default();
        screen.framebuffer[0] = 0b1001;
        screen.framebuffer[1] = 0b0010;
        screen.framebuffer[1023] = 0x80;
        screen
    }

    #[test]
    fn every_pixel_is_where_it_is() {
        let rows = PixelStyle::HalfBlocks { color: false }.rows(&screen());
        assert_eq!((rows.len(), rows[0].chars().count()), (32, 128));
        assert!(
            rows[0].starts_with("▀▄ ") && rows[1].starts_with("▄  ") && rows[31].ends_with(" ▄")
        );
        let rows = PixelStyle::Braille { color: false }.rows(&screen());
        assert_eq!((rows.len(), rows[0].chars().count()), (16, 64));
        assert!(
            rows[0].starts_with("⡑⠀") && rows[15].ends_with("⠀⢀"),
            "{rows:?}"
        );
        let rows = PixelStyle::Ascii.rows(&screen());
        assert!(
            rows[0].starts_with(": ") && rows[15].ends_with(" ."),
            "{rows:?}"
        );
    }

    #[test]
    fn inverted_and_off_are_seen() {
        let mut screen = screen();
        screen.inverted = true;
        let rows = PixelStyle::HalfBlocks { color: true }.rows(&screen);
        assert!(rows[0].starts_with("\x1b[97;40m▄▀█") && rows[0].ends_with("█\x1b[0m"));
        screen.on = false;
        assert_eq!(PixelStyle::Ascii.rows(&screen), vec![" ".repeat(64); 16]);
    }
}
