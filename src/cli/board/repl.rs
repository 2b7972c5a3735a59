//! `udpcli board repl`.

use std::io::{self, IsTerminal as _, Read as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use clap::Args;

use super::board_output::BoardOutput;
use super::{SerialArgs, session};
use crate::board::link::{Address, Link};
use crate::board::prompt::keyboard::{self, KeyboardEnd};
use crate::board::prompt::piped::{self, PipedEnd};
use crate::board::prompt::{PromptNote, PromptObserver, SessionOutput};
use crate::error::{Error, Outcome};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::keys::{self, Key};
use crate::terminal::raw_mode::RawMode;
use crate::terminal::{status, stream};
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// What `udpcli board repl` takes.
#[derive(Debug, Args)]
pub(super) struct ReplArgs {}

/// Joins the user and the board: on a terminal key by key, from a pipe statement by statement.
pub(super) fn run(_: &ReplArgs, serial: &SerialArgs, quiet: bool) -> Result<Outcome, Error> {
    let address = session::address(serial)?;
    // Ctrl-C is a key on a terminal; a signal ends the loop, which looks every few milliseconds and restores the terminal.
    let shutdown = session::shutdown()?;
    if io::stdin().is_terminal() {
        interactive(&address, &shutdown, quiet)
    } else {
        piped(&address, &shutdown, quiet)
    }
}

/// The terminal: what the board says goes to stdout, notes to stderr.
struct Console {
    screen: BoardOutput,
    shutdown: Shutdown,
    failure: Option<Error>,
    /// Whether the terminal went away, as when its window is closed.
    has_ended: bool,
}

impl Console {
    fn new(shutdown: &Shutdown) -> Self {
        Self {
            screen: BoardOutput::new(shutdown.clone()),
            shutdown: shutdown.clone(),
            failure: None,
            has_ended: false,
        }
    }

    fn end(self) -> Result<Outcome, Error> {
        self.failure.map_or(Ok(Outcome::Done), Err)
    }
}

impl SessionOutput for Console {
    fn show(&mut self, bytes: &[u8]) -> bool {
        match self.screen.show(bytes) {
            Ok(is_read) => is_read,
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }

    fn is_stopped(&mut self) -> bool {
        self.has_ended || self.failure.is_some() || self.shutdown.is_asked()
    }
}

impl PromptObserver for Console {
    fn key(&mut self, within: Duration) -> Option<Key> {
        match keys::next(within) {
            Ok(key) => key,
            Err(_) if self.shutdown.is_asked_soon() => {
                self.has_ended = true;
                None
            }
            Err(source) => {
                self.failure = Some(Error::File(file::Error::Read {
                    object: sentence!("board-cli.keyboard"),
                    source,
                }));
                None
            }
        }
    }

    fn note(&mut self, note: PromptNote) {
        match note {
            PromptNote::ProgramStopped => session::tell_stopped(),
            PromptNote::RunsOn => tracing::warn!(say = "board-cli.repl-runs-on"),
            // In between on a terminal, whatever -q says.
            PromptNote::Gone => tell(&say!("board-cli.repl-gone")),
            PromptNote::Back => tell(&say!("board-cli.repl-again")),
            PromptNote::NotAscii => tell(&say!("board-cli.repl-not-ascii")),
        }
    }
}

fn tell(message: &str) {
    status::print(&format!("{message}\n"));
}

/// Runs source from a pipe at the prompt, and ends there.
fn piped(address: &Address, shutdown: &Shutdown, quiet: bool) -> Result<Outcome, Error> {
    let link = Link::open(address, shutdown.clone())?;
    if !quiet {
        tracing::info!(
            say = "board-cli.repl-connected",
            port = address.port.as_str()
        );
    }
    let mut console = Console::new(shutdown);
    match piped::run(link, &read_stdin(), &mut console) {
        Ok(PipedEnd::Interrupted) => return Ok(Outcome::Interrupted),
        Ok(PipedEnd::AtPrompt) => console.screen.end()?,
        Err(error) => {
            console.screen.end()?;
            return Err(error.into());
        }
    }
    console.end()
}

/// Standard input in pieces; a few in advance: a file that is fed to the prompt is not read into memory.
fn read_stdin() -> Receiver<Vec<u8>> {
    let (sender, bytes) = sync_channel(4);
    std::thread::spawn(move || {
        let mut stdin = stream::stdin();
        let mut buffer = [0; 4096];
        loop {
            match stdin.read(&mut buffer) {
                Ok(read @ 1..) => {
                    let piece = buffer.get(..read).unwrap_or_default().to_vec();
                    if sender.send(piece).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    });
    bytes
}

/// Joins the user's terminal and the board until Ctrl-].
fn interactive(address: &Address, shutdown: &Shutdown, quiet: bool) -> Result<Outcome, Error> {
    let link = Link::open(address, shutdown.clone())?;
    let _raw = RawMode::on().map_err(|source| Error::Start {
        what: "raw-mode",
        source,
    })?;
    if !quiet {
        tell(&say!("board-cli.repl-welcome", port = &address.port));
    }
    let mut console = Console::new(shutdown);
    if keyboard::run(link, &mut console)? == KeyboardEnd::Left {
        console.screen.end()?;
        if !quiet {
            status::end_line();
        }
    }
    console.end()
}
