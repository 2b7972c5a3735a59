//! The whole terminal, drawn with ratatui, on the alternate screen: what stood on the terminal comes back afterwards.

use std::io;

use ratatui::Frame;
use ratatui::backend::CrosstermBackend;

use super::raw_mode::RawMode;
use super::status;

/// The alternate screen in raw mode, until this is dropped.
#[derive(Debug)]
pub struct FullScreen {
    terminal: ratatui::Terminal<CrosstermBackend<io::Stdout>>,
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
        Ok(Self {
            terminal: ratatui::Terminal::new(CrosstermBackend::new(io::stdout()))?,
            _raw: raw,
        })
    }

    /// Draws all of it.
    ///
    /// # Errors
    /// The terminal cannot be written.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Messages that came since the last call, one a line, without colours. The oldest are missing where there were many.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        status::take_diverted()
    }
}
