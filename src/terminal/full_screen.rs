//! The whole terminal, drawn with ratatui, on the alternate screen; the previous content comes back afterwards.

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
    /// Whether the window is gone; the canvas sets it.
    is_gone: Rc<Cell<bool>>,
    /// The last field, so it is dropped last: nothing draws any more when the terminal is restored.
    _raw: RawMode,
}

impl FullScreen {
    /// Takes over the terminal behind stdout. Until it is released, messages go to [`FullScreen::messages`] instead.
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

    /// Draws the whole screen. False if the window was closed, or if the user ended the run while the terminal accepted
    /// no bytes.
    ///
    /// # Errors
    /// The terminal cannot be written.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<bool> {
        self.terminal.draw(draw)?;
        Ok(!self.is_gone.get())
    }

    /// Messages since the last call, one per line, without colours. If there were too many, the oldest are missing.
    #[must_use]
    #[expect(clippy::unused_self, reason = "only a live view diverts the messages")]
    pub(crate) fn messages(&self) -> Vec<String> {
        status::take_diverted()
    }
}

/// The terminal as ratatui writes to it. If the terminal is gone, writes succeed: ratatui shows the cursor again at the
/// end, and would panic if that failed.
#[derive(Debug)]
struct Canvas {
    /// Writes to stdout, and gives up a terminal that accepts no bytes.
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
