//! The board's 128x64 panel in the terminal's status area, below the scrolling lines: texts in a frame, or the picture.
//!
//! - [`screen`] has the content; [`text`] and [`picture`] make lines from it.
//! - [`server`] is the screen that the tutorial's server would show.

pub(crate) mod picture;
pub mod screen;
pub(crate) mod server;
pub(crate) mod text;

use screen::Screen;
use unicode_width::UnicodeWidthStr as _;

use crate::terminal::status::{AreaBlock, StatusLine};
use crate::terminal::{self, Size, color};

/// Which part of a screen to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelContent {
    /// The texts, each roughly at its place.
    Text,
    /// The picture, or the texts if the terminal is too small for it.
    Picture,
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TerminalLimits {
    /// Cells across.
    pub(crate) columns: usize,
    /// Cells down.
    pub(crate) rows: usize,
    /// Whether the terminal shows more than ASCII.
    pub(crate) unicode: bool,
    /// Whether it gets colour.
    pub(crate) color: bool,
}

impl TerminalLimits {
    /// The one that stderr is.
    #[must_use]
    pub(crate) fn of_stderr() -> Self {
        Self::of_size(Size::of_stderr())
    }

    /// The terminal behind stderr, as if it had this size.
    fn of_size(size: Size) -> Self {
        Self {
            columns: size.columns,
            rows: size.rows,
            unicode: terminal::has_unicode(),
            color: color::has_color(),
        }
    }

    /// Whether `lines` lines of `width` cells fit, with one more below them for the cursor.
    fn holds(self, width: usize, lines: usize) -> bool {
        self.columns >= width && self.rows > lines
    }
}

/// What the frame says besides the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelNote {
    /// The display is switched off.
    Off,
    /// It shows lit pixels dark and the others lit.
    Inverted,
    /// A part of the picture was lost on the way.
    Incomplete,
}

/// The word for a note, in the user's language.
pub type NoteWords = fn(PanelNote) -> String;

/// Lines of one width, to be drawn below each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PanelLines {
    /// Each with its escape sequences.
    pub(crate) lines: Vec<String>,
    /// Cells across.
    pub(crate) width: usize,
}

/// The screen as lines that fit the terminal: half-blocks, braille or ASCII, else the texts; nothing if not even the
/// texts fit.
#[must_use]
pub(crate) fn lines(
    screen: &Screen,
    view: PanelContent,
    terminal: TerminalLimits,
    words: NoteWords,
) -> PanelLines {
    let mut choices = Vec::new();
    if view == PanelContent::Picture && !screen.lcd {
        choices.extend(picture::PixelStyle::for_terminal(terminal));
    }
    // The best style that fits: a picture that the terminal breaks into two rows per row cannot be read.
    for style in choices {
        if terminal.holds(style.width() + 2, style.height() + 2) {
            return frame(&style.rows(screen), style.width(), screen, terminal, words);
        }
    }
    let rows = text::rows(screen, terminal.color);
    let columns = text::columns(screen);
    if terminal.holds(columns + 2, rows.len() + 2) {
        frame(&rows, columns, screen, terminal, words)
    } else {
        PanelLines::default()
    }
}

/// A frame around rows; its lower edge shows the state of the panel (off, inverted).
fn frame(
    rows: &[String],
    width: usize,
    screen: &Screen,
    terminal: TerminalLimits,
    words: NoteWords,
) -> PanelLines {
    let [left, right, lower_left, lower_right, across, down] = if terminal.unicode {
        ["┌", "┐", "└", "┘", "─", "│"]
    } else {
        ["+", "+", "+", "+", "-", "|"]
    };
    let mut lines = vec![format!("{left}{}{right}", across.repeat(width))];
    lines.extend(rows.iter().map(|row| format!("{down}{row}{down}")));
    let notes: Vec<String> = [
        (!screen.on).then_some(PanelNote::Off),
        screen.inverted.then_some(PanelNote::Inverted),
        (!screen.whole).then_some(PanelNote::Incomplete),
    ]
    .into_iter()
    .flatten()
    .map(words)
    .collect();
    let mut note = notes.join(" ");
    if !note.is_empty() {
        note = format!(" {note} ");
    }
    let rest = across.repeat(width.saturating_sub(note.width()));
    lines.push(format!("{lower_left}{rest}{note}{lower_right}"));
    PanelLines {
        lines,
        width: width + 2,
    }
}

/// A screen in the terminal's status area.
#[derive(Debug)]
pub struct Panel {
    /// Which part of the screen to draw.
    view: PanelContent,
    /// What to call the notes in the frame.
    words: NoteWords,
    /// Its place in the status area; `None` until something is shown.
    block: Option<AreaBlock>,
}

impl Panel {
    /// A panel that is not yet drawn.
    #[must_use]
    pub fn new(view: PanelContent, words: NoteWords) -> Self {
        Self {
            view,
            words,
            block: None,
        }
    }

    /// Shows this with the next write to the terminal, or with [`Self::draw`]; nothing if it does not fit.
    pub fn stage(&mut self, screen: &Screen) {
        // A copy, because the area draws again by itself when the terminal's size changes.
        let (screen, view, words) = (screen.clone(), self.view, self.words);
        let draw = move |size| {
            let drawn = lines(&screen, view, TerminalLimits::of_size(size), words);
            let cells = drawn.width;
            let line = |text| StatusLine { text, cells };
            drawn.lines.into_iter().map(line).collect()
        };
        match &self.block {
            Some(block) => block.replace(draw),
            None => self.block = Some(AreaBlock::new(draw)),
        }
    }

    /// As [`Self::stage`], but stages nothing before the first complete screen.
    pub(crate) fn stage_once_whole(&mut self, screen: &Screen) {
        if screen.whole || self.block.is_some() {
            self.stage(screen);
        }
    }

    /// Draws the staged screen, unless it is already on the terminal.
    pub fn draw(&self) {
        if let Some(block) = &self.block {
            block.draw();
        }
    }

    /// Leaves the panel on the terminal: later output goes below it.
    pub fn keep(self) {
        if let Some(block) = self.block {
            block.keep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_view_that_fits_is_drawn() {
        let screen = Screen {
            whole: true,
            ..Screen::default()
        };
        let size = |columns, rows, unicode, view| {
            let terminal = TerminalLimits {
                columns,
                rows,
                unicode,
                color: false,
            };
            let drawn = lines(&screen, view, terminal, |_| String::new());
            (drawn.width, drawn.lines.len())
        };
        assert_eq!(size(200, 50, true, PanelContent::Picture), (130, 34));
        assert_eq!(size(200, 34, true, PanelContent::Picture), (66, 18));
        assert_eq!(size(129, 50, true, PanelContent::Picture), (66, 18));
        assert_eq!(size(129, 50, false, PanelContent::Picture), (66, 18));
        assert_eq!(size(65, 50, true, PanelContent::Picture), (23, 6));
        assert_eq!(size(200, 50, true, PanelContent::Text), (23, 6));
        assert_eq!(size(22, 50, true, PanelContent::Picture), (0, 0));
        assert_eq!(size(200, 6, true, PanelContent::Picture), (0, 0));
    }

    #[test]
    fn the_frame_says_what_is_not_to_be_seen() {
        let terminal = TerminalLimits {
            columns: 80,
            rows: 24,
            unicode: false,
            color: false,
        };
        let screen = Screen {
            on: false,
            ..Screen::default()
        };
        let last = |words| {
            let drawn = lines(&screen, PanelContent::Text, terminal, words);
            drawn.lines.last().unwrap().clone()
        };
        assert_eq!(last(|note| format!("{note:?}")), "+----- Off Incomplete +");
        // A Chinese character takes two cells.
        assert_eq!(last(|_| "关闭".to_owned()), "+---------- 关闭 关闭 +");
    }
}
