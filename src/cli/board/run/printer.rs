//! A run as a person sees it.

use std::path::PathBuf;

use super::super::board_output::BoardOutput;
use super::super::stdin::{self, Keyboard};
use super::mirroring;
use crate::board::input::{Notice, Typed};
use crate::board::life_cycle::{RunEvent, RunObserver};
use crate::error::Error;
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::Screen;
use crate::terminal::panel::{Panel, PanelContent};
use crate::terminal::stdout;
use crate::words;

/// Shows a run to the user: output on stdout, the picture below it or in a file.
pub(super) struct RunPrinter {
    /// Where the output goes.
    stdout: BoardOutput,
    /// The panel below the output, if both stdout and stderr are the terminal.
    pub(super) panel: Option<Panel>,
    /// The file for the last picture.
    image: Option<PathBuf>,
    /// None until a program reads what the user types.
    keyboard: Option<Keyboard>,
    /// Tells of Ctrl-C.
    shutdown: Shutdown,
    /// Whether the reader of stdout is gone.
    pub(super) reader_gone: bool,
    /// Whether another run follows: the panel stays where it is.
    pub(super) is_watching: bool,
    /// The error of stdout or of the picture file.
    pub(super) failure: Option<Error>,
}

impl RunPrinter {
    /// A printer before the first byte; `image` is for the last picture.
    pub(super) fn new(shutdown: Shutdown, image: Option<PathBuf>) -> Self {
        Self {
            stdout: BoardOutput::new(shutdown.clone()),
            panel: stdout::shares_terminal()
                .then(|| Panel::new(PanelContent::Picture, words::panel_note)),
            image,
            keyboard: None,
            shutdown,
            reader_gone: false,
            is_watching: false,
            failure: None,
        }
    }

    /// Shows the output and the panel.
    pub(super) fn show(&mut self, printed: &[u8], picture: Option<&Screen>) {
        if self.reader_gone {
            return;
        }
        if let (Some(panel), Some(picture)) = (&mut self.panel, picture) {
            // Stage the panel before writing the output, so that the panel is drawn only once.
            panel.stage_once_whole(picture);
        }
        let shown = self.stdout.show(printed);
        if let Some(panel) = &self.panel {
            panel.draw();
        }
        match shown {
            Ok(there) => self.reader_gone = !there,
            Err(error) => {
                self.reader_gone = true;
                self.failure = Some(error);
            }
        }
    }

    /// The output has ended: shows and saves the rest.
    fn end(&mut self, picture: Option<&Screen>) {
        if !self.is_watching
            && let Some(panel) = self.panel.take()
        {
            panel.keep();
        }
        let ended = self.stdout.end();
        let saved = self.save(picture);
        if let Err(error) = ended.and(saved) {
            self.failure.get_or_insert(error);
        }
    }

    /// Saves the last picture, if there was one.
    fn save(&self, picture: Option<&Screen>) -> Result<(), Error> {
        let Some(path) = &self.image else {
            return Ok(());
        };
        let Some(picture) = picture else {
            if self.is_watching {
                return Ok(());
            }
            tracing::warn!(say = "board-cli.run-no-picture", path = %path.display());
            return Ok(());
        };
        mirroring::save(picture, path, &self.shutdown)
    }
}

impl RunObserver for RunPrinter {
    fn event(&mut self, event: RunEvent<'_>) {
        match event {
            RunEvent::Output { printed, picture } => self.show(printed, picture),
            RunEvent::OutputEnded { picture } => self.end(picture),
            RunEvent::NoDisplay(why) => mirroring::tell_no_display(why),
            RunEvent::ReadsInput => {
                self.keyboard = Keyboard::open();
                if self.keyboard.is_none() {
                    tracing::warn!(say = "input.taken");
                }
            }
            RunEvent::Input(Notice::NotAscii) => tracing::warn!(say = "input.not-ascii"),
            RunEvent::Input(Notice::Ended) => tracing::info!(say = "input.ended"),
            RunEvent::FramesLost(count) => mirroring::tell_losses(count),
            RunEvent::Stopping => tracing::info!(say = "board-cli.run-stopping"),
        }
    }

    fn wants_interrupt(&mut self) -> bool {
        self.reader_gone
    }

    fn typed(&mut self) -> Typed {
        self.keyboard.as_ref().map_or(Typed::End, Keyboard::next)
    }

    fn untyped(&mut self, rest: Vec<u8>) {
        stdin::give_back(rest);
    }
}
