//! `udpcli board repl`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use clap::Args;

use super::board_output::BoardOutput;
use super::{SerialArgs, session};
use crate::atomic_file;
use crate::board::link::{Address, Link};
use crate::board::prompt::keyboard::{self, KeyboardEnd};
use crate::board::prompt::piped::{self, PipedEnd};
use crate::board::prompt::{PromptNote, PromptObserver, SessionOutput};
use crate::cli::complete;
use crate::error::{Error, Outcome, Startable};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::keys::{self, Key};
use crate::terminal::raw_mode::RawMode;
use crate::terminal::{status, stream};
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// What `udpcli board repl` takes.
#[derive(Debug, Default, Args)]
pub(super) struct ReplArgs {
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    capture: Option<PathBuf>,
    #[arg(long, value_name = "CODE")]
    inject_code: Option<String>,
    #[arg(long, value_name = "FILE", add = complete::files(complete::PROGRAMS))]
    inject_file: Option<PathBuf>,
}

/// Connects the user with the board: on a terminal key by key, from a pipe statement by statement.
pub(super) fn run(args: &ReplArgs, serial: &SerialArgs, quiet: bool) -> Result<Outcome, Error> {
    let address = session::address(serial)?;
    // Ctrl-C is a key on a terminal; a signal ends the loop, which checks every few milliseconds and restores the
    // terminal.
    let shutdown = session::shutdown()?;
    let console = Console::new(args, &shutdown)?;
    session::let_go(serial)?;
    if io::stdin().is_terminal() {
        interactive(&address, &shutdown, console, quiet)
    } else {
        piped(&address, &shutdown, console, quiet)
    }
}

/// The terminal: the board's output goes to stdout, notes to stderr.
struct Console {
    /// Where the board's output goes.
    screen: BoardOutput,
    /// Tells of a signal.
    shutdown: Shutdown,
    /// The error, to be reported after the terminal is restored.
    failure: Option<Error>,
    /// Whether the terminal went away, as when its window is closed.
    has_ended: bool,
    /// A copy of the board's output goes to this file.
    capture: Option<Capture>,
    /// What Ctrl-J types.
    code: Option<String>,
    /// The file whose content Ctrl-K types.
    file: Option<PathBuf>,
}

/// The file of `--capture`.
struct Capture {
    /// For errors.
    path: PathBuf,
    /// The open file.
    file: File,
}

impl Console {
    /// A console before the first byte.
    fn new(args: &ReplArgs, shutdown: &Shutdown) -> Result<Self, Error> {
        Ok(Self {
            screen: BoardOutput::new(shutdown.clone()),
            shutdown: shutdown.clone(),
            failure: None,
            has_ended: false,
            capture: args.capture.as_deref().map(Capture::create).transpose()?,
            code: args.inject_code.as_deref().map(|code| {
                // Line ends are hard to type in a shell's argument.
                let code = code.replace("\\n", "\n");
                format!("{}\n", code.trim_end_matches('\n'))
            }),
            file: args.inject_file.clone(),
        })
    }

    /// The text that a key types: the code for Ctrl-J, the file's current content for Ctrl-K.
    fn injected(&self, key: Key) -> Key {
        let typed = match &key {
            Key::Bytes(bytes) => bytes.as_slice(),
            _ => return key,
        };
        match (typed, &self.code, &self.file) {
            (b"\n", Some(code), _) => Key::Paste(code.clone()),
            (b"\x0b", _, Some(path)) => match source(path) {
                Ok(text) => Key::Paste(text),
                Err(error) => {
                    let path = path.display();
                    tell(&say!("mpremote.not-injected", path = path, error = error));
                    Key::Ignored
                }
            },
            _ => key,
        }
    }

    /// The outcome of the session.
    fn end(self) -> Result<Outcome, Error> {
        self.failure.map_or(Ok(Outcome::Done), Err)
    }
}

impl Capture {
    /// Creates the file. Refuses a FIFO or a device, which could block the keys.
    fn create(path: &Path) -> Result<Self, Error> {
        if atomic_file::is_device(path) {
            return Err(Error::usage_hint(
                say!("mpremote.capture-device", path = path.display()),
                say!("cli.wire-device.hint"),
            ));
        }
        let file = File::create(path).map_err(|source| {
            let path = path.to_owned();
            Error::File(file::Error::Open { path, source })
        })?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }
}

/// The text of a file to type. A FIFO or a device might never end.
fn source(path: &Path) -> io::Result<String> {
    const MOST: u64 = 1 << 20;
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > MOST {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let text = std::fs::read_to_string(path)?;
    let text = text.trim_start_matches('\u{feff}').trim_end_matches('\n');
    Ok(format!("{text}\n"))
}

impl SessionOutput for Console {
    fn show(&mut self, bytes: &[u8]) -> bool {
        if let Some(capture) = &mut self.capture
            && let Err(error) = capture.file.write_all(bytes)
        {
            let path = capture.path.display();
            tell(&say!("mpremote.capture-failed", path = path, error = error));
            // The session continues, because the user may have work at the prompt.
            self.capture = None;
        }
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
            Ok(key) => key.map(|key| self.injected(key)),
            // A window that is closed ends the keys first, and its signal comes a moment later.
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

/// Prints a message, whatever `-q` says: it is part of the session.
fn tell(message: &str) {
    status::print(&format!("{message}\n"));
}

/// Runs source from a pipe at the prompt, and ends there.
fn piped(
    address: &Address,
    shutdown: &Shutdown,
    mut console: Console,
    quiet: bool,
) -> Result<Outcome, Error> {
    let link = Link::open(address, shutdown.clone())?;
    if !quiet {
        tracing::info!(
            say = "board-cli.repl-connected",
            port = address.port.as_str()
        );
    }
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

/// Reads standard input in pieces, only a few in advance, so that a long file is not in memory as a whole.
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

/// Connects the user's terminal with the board until Ctrl-].
fn interactive(
    address: &Address,
    shutdown: &Shutdown,
    mut console: Console,
    quiet: bool,
) -> Result<Outcome, Error> {
    let link = Link::open(address, shutdown.clone())?;
    // Do this after opening the line: an error of opening must appear on a terminal in its usual mode.
    let _raw = RawMode::on().map_err(|source| Error::Start {
        what: Startable::RawMode,
        source,
    })?;
    if !quiet {
        tell(&say!("board-cli.repl-welcome", port = &address.port));
    }
    if keyboard::run(link, &mut console)? == KeyboardEnd::Left {
        console.screen.end()?;
        if !quiet {
            status::end_line();
        }
    }
    console.end()
}
