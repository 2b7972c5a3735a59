//! Computes how many screens fit on a terminal, and how to draw them.

use crate::terminal::panel::TerminalLimits;
use crate::terminal::panel::picture::PixelStyle;
use crate::terminal::panel::text;

/// What the user wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Pictures if all fit, otherwise texts.
    Auto,
    Pictures,
    Texts,
}

/// How a screen is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Picture(PixelStyle),
    /// The texts in a frame of the panel's shape.
    Text,
    /// The texts in one line: even a frame does not fit.
    Line,
}

/// The rows of texts in a tile.
pub(super) const TEXT_ROWS: usize = 4;

impl Kind {
    /// The cells inside the frame, across and down.
    pub(super) fn inner(self) -> (usize, usize) {
        match self {
            Self::Picture(style) => (style.width(), style.height()),
            Self::Text => (text::COLUMNS, TEXT_ROWS),
            Self::Line => (0, 1),
        }
    }
}

/// Tiles in columns and rows. A tile's lower edge is the upper edge of the one below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    /// How each screen is drawn.
    pub(super) kind: Kind,
    /// Tiles across.
    pub(super) columns: usize,
    /// Tiles down.
    pub(super) rows: usize,
}

impl Grid {
    /// As many tiles of this kind as fit.
    fn of(kind: Kind, terminal: TerminalLimits) -> Self {
        let (width, height) = kind.inner();
        let (columns, rows) = if kind == Kind::Line {
            (1, terminal.rows)
        } else {
            (
                terminal.columns / (width + 2),
                terminal.rows.saturating_sub(1) / (height + 1),
            )
        };
        Self {
            kind,
            columns,
            rows,
        }
    }

    /// The most tiles on a page.
    pub(super) fn capacity(self) -> usize {
        self.columns * self.rows
    }

    /// Whether the screens are drawn pixel by pixel.
    pub(super) fn shows_pictures(self) -> bool {
        matches!(self.kind, Kind::Picture(_))
    }

    /// The grid for `count` boards: the largest pictures with which all boards fit, or else texts, as many as fit.
    pub(super) fn for_boards(count: usize, wanted: Wanted, terminal: TerminalLimits) -> Self {
        let styles = PixelStyle::for_terminal(terminal).into_iter();
        let mut pictures = styles.map(|style| Self::of(Kind::Picture(style), terminal));
        let all = |grid: &Self| grid.capacity() >= count;
        let texts = Self::of(Kind::Text, terminal);
        let lines = Self::of(Kind::Line, terminal);
        let found = match wanted {
            Wanted::Auto => pictures.find(all),
            Wanted::Pictures => {
                let fitting: Vec<Self> = pictures.filter(|grid| grid.capacity() > 0).collect();
                // The user wants pictures: if not all boards fit even with the smallest, there are pages.
                let largest = fitting.iter().copied().find(all);
                largest.or(fitting.last().copied())
            }
            Wanted::Texts => None,
        };
        found.unwrap_or(if texts.capacity() > 0 { texts } else { lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(count: usize, wanted: Wanted, (columns, rows): (usize, usize)) -> (Kind, usize, usize) {
        let terminal = TerminalLimits {
            columns,
            rows,
            unicode: true,
            color: true,
        };
        let grid = Grid::for_boards(count, wanted, terminal);
        (grid.kind, grid.columns, grid.rows)
    }

    #[test]
    fn the_largest_tiles_are_taken_with_which_all_boards_fit() {
        let half = Kind::Picture(PixelStyle::HalfBlocks { color: true });
        let braille = Kind::Picture(PixelStyle::Braille { color: true });
        let auto = |count, size| grid(count, Wanted::Auto, size);
        assert_eq!(auto(1, (200, 59)), (half, 1, 1));
        assert_eq!(auto(9, (200, 59)), (braille, 3, 3));
        assert_eq!(auto(10, (200, 59)), (Kind::Text, 8, 11));
        assert_eq!(auto(2, (120, 39)), (braille, 1, 2));
        assert_eq!(auto(3, (120, 39)), (Kind::Text, 5, 7));
        assert_eq!(auto(1, (80, 23)), (braille, 1, 1));
        // A class of twelve at the smallest usual size.
        assert_eq!(auto(12, (80, 23)), (Kind::Text, 3, 4));
        // More than fit: pages.
        assert_eq!(auto(40, (80, 23)), (Kind::Text, 3, 4));
        assert_eq!(auto(2, (22, 10)), (Kind::Line, 1, 10));
        assert_eq!(auto(2, (80, 5)), (Kind::Line, 1, 5));
    }

    #[test]
    fn the_user_may_have_pages_of_pictures() {
        let braille = Kind::Picture(PixelStyle::Braille { color: true });
        let pictures = |count, size| grid(count, Wanted::Pictures, size);
        assert_eq!(pictures(12, (200, 59)), (braille, 3, 3));
        assert_eq!(pictures(12, (80, 23)), (braille, 1, 1));
        assert_eq!(pictures(12, (60, 23)), (Kind::Text, 2, 4));
        assert_eq!(grid(1, Wanted::Texts, (200, 59)), (Kind::Text, 8, 11));
    }
}
