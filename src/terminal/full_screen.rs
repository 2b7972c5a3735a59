//! The whole terminal, drawn with ratatui, on the alternate screen: what stood on the terminal comes back afterwards.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::Frame;
use ratatui::backend::CrosstermBackend;

use super::raw_mode::RawMode;
use super::status;
use super::stream::{StreamWriter, WriteOutcome};
use crate::shutdown::Shutdown;

/// The alternate screen in raw mode, until this is dropped.
#[derive(Debug)]
pub struct FullScreen {
    /// What ratatui has drawn, so that it writes only what changes.
    terminal: ratatui::Terminal<CrosstermBackend<Canvas>>,
    /// Whether nobody looks any more; the canvas sets it.
    is_gone: Rc<Cell<bool>>,
    /// Dropped after the others, in the order of the fields: the terminal is restored when nothing draws any more.
    _raw: RawMode,
}

impl FullScreen {
    /// Takes the terminal that stdout is. Messages do not reach it until it is given back: they are in
    /// [`FullScreen::messages`].
    ///
    /// # Errors
    /// The terminal cannot be set.
    pub fn open() -> io::Result<Self> {
        let raw = RawMode::on_alternate_screen()?;
        let canvas = Canvas::new();
        Ok(Self {
            is_gone: Rc::clone(&canvas.is_gone),
            terminal: ratatui::Terminal::new(CrosstermBackend::new(canvas))?,
            _raw: raw,
        })
    }

    /// Draws all of it. False if nobody looks any more: the window was closed, or the end was asked for while the
    /// terminal took nothing.
    ///
    /// # Errors
    /// The terminal cannot be written.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
        self.terminal.draw(draw)?;
        Ok(!self.is_gone.get())
    }

    /// Messages that came since the last call, one a line, without colours. The oldest are missing where there were many.
    #[must_use]
    #[expect(clippy::unused_self, reason = "only a live view diverts the messages")]
    pub(crate) fn messages(&self) -> Vec<String> {
        status::take_diverted()
    }
}

/// The terminal as ratatui writes to it. One that is gone takes everything: ratatui shows the cursor again in the end, and
/// panics where it cannot even tell that this failed.
#[derive(Debug)]
struct Canvas {
    /// Writes to stdout, and gives up a terminal that takes nothing.
    writer: StreamWriter,
    /// What is not written yet.
    drawn: Vec<u8>,
    /// Whether a write has failed.
    is_gone: Rc<Cell<bool>>,
}

impl Canvas {
    fn new() -> Self {
        Self {
            writer: StreamWriter::stdout(Shutdown::current()),
            drawn: Vec::new(),
            is_gone: Rc::default(),
        }
    }
}

impl Write for Canvas {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.drawn.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // One flush per picture: ratatui writes piece by piece, and a terminal would show half a picture.
        if !self.is_gone.get() {
            let written = self.writer.write(&self.drawn);
            self.is_gone
                .set(!matches!(written, Ok(WriteOutcome::Whole)));
        }
        self.drawn.clear();
        Ok(())
    }
}
