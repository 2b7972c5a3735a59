//! The wall: the screens of several boards on the whole terminal, as they change.

mod draw;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::tiles::{Grid, Wanted};
use crate::cli::board::oled::ScreenFormat;
use crate::error::Error;
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::full_screen::FullScreen;
use crate::terminal::job_output::JobOutput;
use crate::terminal::keys::{self, Key};
use crate::terminal::panel::screen::Screen;
use crate::terminal::sanitize;
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// How long to wait for a key while the boards are at work, and when nothing else happens any more.
const KEYS: Duration = Duration::from_millis(1);
const IDLE: Duration = Duration::from_millis(50);

/// Messages that are kept, and the rows that they get.
const LOG: usize = 2;

/// How many rows a key turns the page of errors by.
const ERRORS_PAGE: usize = 10;

/// The screens by the boards' ports. The boards' threads write here.
#[derive(Debug)]
pub(in crate::cli::board) struct Wall {
    /// The last screen of each board, by port.
    screens: Mutex<BTreeMap<String, Screen>>,
    /// What the flag asks for.
    wanted: Wanted,
}

impl Wall {
    /// A wall without screens.
    pub(super) fn new(format: Option<ScreenFormat>) -> Self {
        Self {
            screens: Mutex::default(),
            wanted: match format {
                Some(ScreenFormat::Picture) => Wanted::Pictures,
                Some(ScreenFormat::Text) => Wanted::Texts,
                Some(ScreenFormat::Json) | None => Wanted::Auto,
            },
        }
    }

    /// Shows the screen of this thread's board.
    pub(super) fn show(&self, screen: &Screen) {
        if let Some(lane) = JobOutput::current() {
            self.screens().insert(lane.place(), screen.clone());
        }
    }

    fn screens(&self) -> MutexGuard<'_, BTreeMap<String, Screen>> {
        self.screens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a board's work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::board) enum TileEnd {
    /// The program ended, or was left.
    Done,
    /// The message of the error, and what to do.
    Failed {
        message: String,
        hint: Option<String>,
    },
}

/// A board on the wall.
#[derive(Debug)]
struct Board {
    /// Its name, and what it said last.
    lane: JobOutput,
    /// The result of the board's work; `None` while it continues.
    end: Option<TileEnd>,
}

impl Board {
    /// Whether its work ended with an error.
    fn has_failed(&self) -> bool {
        matches!(self.end, Some(TileEnd::Failed { .. }))
    }

    /// What people call it.
    fn who(&self) -> String {
        let who = self.lane.name().unwrap_or_else(|| self.lane.place());
        sanitize::for_terminal(&who).into_owned()
    }
}

/// The wall on the terminal, until this is dropped.
pub(in crate::cli::board) struct WallView {
    /// The screens.
    wall: Arc<Wall>,
    /// The boards, in the order in which the user named them.
    boards: Vec<Board>,
    /// What to draw now; a key changes it.
    wanted: Wanted,
    /// The first board on the page.
    first: usize,
    /// The tiles of the last drawing.
    grid: Option<Grid>,
    /// The first row of the page of errors, if that is shown in place of the tiles.
    errors: Option<usize>,
    /// The last messages.
    log: Vec<String>,
    /// Whether the user has ended the run.
    is_ending: bool,
    /// Whether the terminal is gone.
    is_gone: bool,
    /// Asks the boards' threads to end.
    shutdown: Shutdown,
    /// The terminal.
    screen: FullScreen,
}

/// The error for a terminal that cannot be set or written.
fn terminal_failed(source: io::Error) -> Error {
    Error::File(file::Error::Write {
        object: sentence!("oled-wall.the-terminal"),
        source,
    })
}

impl WallView {
    /// Takes the terminal.
    pub(in crate::cli::board) fn open(
        wall: &Arc<Wall>,
        lanes: &[JobOutput],
        shutdown: Shutdown,
    ) -> Result<Self, Error> {
        let board = |lane: &JobOutput| Board {
            lane: lane.clone(),
            end: None,
        };
        Ok(Self {
            wanted: wall.wanted,
            wall: Arc::clone(wall),
            boards: lanes.iter().map(board).collect(),
            first: 0,
            grid: None,
            errors: None,
            log: Vec::new(),
            is_ending: false,
            is_gone: false,
            shutdown,
            screen: FullScreen::open().map_err(terminal_failed)?,
        })
    }

    /// The work at a board ended.
    pub(in crate::cli::board) fn end(&mut self, index: usize, end: TileEnd) {
        let Some(board) = self.boards.get_mut(index) else {
            return;
        };
        if let TileEnd::Failed { message, hint } = &end {
            let who = board.who();
            let what = say!("fleet.cause", who = who, what = message);
            let hint = hint.as_deref().unwrap_or_default();
            let line = format!("✗ {what}  {hint}");
            self.log.push(sanitize::for_terminal(&line).into_owned());
        }
        board.end = Some(end);
    }

    /// Whether any board has shown anything.
    pub(in crate::cli::board) fn has_shown(&self) -> bool {
        !self.wall.screens().is_empty()
    }

    /// Draws new screens and acts on keys. If the terminal is gone, ends the watch.
    pub(in crate::cli::board) fn look(&mut self) -> Result<(), Error> {
        self.look_for(KEYS)
    }

    /// All boards have ended: their last screens stay until the user has seen them.
    pub(in crate::cli::board) fn stay(&mut self) -> Result<(), Error> {
        while self.has_shown() && !self.shutdown.is_asked() {
            self.look_for(IDLE)?;
        }
        Ok(())
    }

    /// Draws, and waits this long for a key.
    fn look_for(&mut self, wait: Duration) -> Result<(), Error> {
        self.log.extend(self.screen.messages());
        let excess = self.log.len().saturating_sub(LOG);
        self.log.drain(..excess);
        if !self.is_gone {
            self.is_gone = !self.draw().map_err(terminal_failed)?;
        }
        if self.is_gone {
            self.shutdown.asker().ask();
            return Ok(());
        }
        let mut wait = wait;
        // A closed window has no keys: the next drawing notices it.
        while let Ok(Some(key)) = keys::next(wait) {
            wait = KEYS;
            self.key(&key);
        }
        Ok(())
    }

    /// Acts on a key.
    fn key(&mut self, key: &Key) {
        let Key::Bytes(bytes) = key else { return };
        let page = self.grid.map_or(1, Grid::capacity).max(1);
        match bytes.as_slice() {
            // Ctrl-C is a key here.
            b"q" | b"\x03" => {
                self.is_ending = true;
                // Like a second signal, a second key ends the run at once.
                self.shutdown.asker().interrupt();
            }
            b"e" => {
                let has_errors = self.boards.iter().any(Board::has_failed);
                self.errors = (self.errors.is_none() && has_errors).then_some(0);
            }
            // The page of errors has keys of its own to move, and any other key leaves it.
            _ if self.errors.is_some() => {
                self.errors = match (bytes.as_slice(), self.errors.unwrap_or(0)) {
                    (b" " | b"\x1b[6~", row) => Some(row + ERRORS_PAGE),
                    (b"\x1b[B", row) => Some(row + 1),
                    (b"\x1b[5~", row) => Some(row.saturating_sub(ERRORS_PAGE)),
                    (b"\x1b[A", row) => Some(row.saturating_sub(1)),
                    _ => None,
                };
            }
            b"v" => {
                let shows_pictures = self.grid.is_some_and(Grid::shows_pictures);
                self.wanted = if shows_pictures {
                    Wanted::Texts
                } else {
                    Wanted::Pictures
                };
            }
            b" " | b"\x1b[6~" | b"\x1b[B" | b"\x1b[C" => self.first += page,
            b"\x1b[5~" | b"\x1b[A" | b"\x1b[D" => self.first = self.first.saturating_sub(page),
            b"\x1b[H" => self.first = 0,
            b"\x1b[F" => self.first = usize::MAX,
            _ => {}
        }
    }
}
