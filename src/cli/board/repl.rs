//! `udpcli board repl`.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use clap::Args;
use crossterm::{event, terminal};

use super::screen::Screen;
use super::{SerialArgs, session};
use crate::board::error::Error as BoardError;
use crate::board::link::{Address, Link};
use crate::error::{Error, Outcome};
use crate::shutdown::Shutdown;
use crate::terminal::keys::{self, Key};

/// How long the board's bytes are waited for before the keys are looked at: no key seems slow.
const LOOK: Duration = Duration::from_millis(5);

/// How often a lost port is tried.
const RETRY: Duration = Duration::from_millis(300);

/// After the end of piped input: this long without a byte is the end of the answer.
const QUIET: Duration = Duration::from_millis(500);

/// An interactive terminal to the board's prompt; Ctrl-] leaves
///
/// Ctrl-C interrupts the program on the board, Ctrl-D resets it softly. When the cable is pulled it waits for the port
/// to come back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli board repl
  echo 'print(1+1)' | udpcli board repl")]
pub struct ReplArgs {}

/// Raw mode of the user's terminal, for as long as this lives: every way out restores it.
struct RawMode;

impl RawMode {
    fn on() -> Result<Self, Error> {
        terminal::enable_raw_mode().map_err(|source| Error::Start {
            what: "terminal's raw mode",
            source,
        })?;
        Ok(Self)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}

/// Where the user's bytes come from.
enum Keyboard {
    Terminal {
        _raw: RawMode,
    },
    Pipe {
        bytes: Receiver<Vec<u8>>,
        ended: Option<Instant>,
    },
}

enum Typed {
    Bytes(Vec<u8>),
    Nothing,
    Leave,
}

impl Keyboard {
    fn open() -> Result<Self, Error> {
        if io::stdin().is_terminal() {
            return Ok(Self::Terminal {
                _raw: RawMode::on()?,
            });
        }
        // A few pieces in advance: a file that is fed to the prompt is not read into memory.
        let (sender, bytes) = sync_channel(4);
        std::thread::spawn(move || {
            let mut buffer = [0; 128];
            while let Ok(read @ 1..) = io::stdin().lock().read(&mut buffer) {
                let piece: Vec<u8> = buffer
                    .iter()
                    .take(read)
                    .map(|&byte| if byte == b'\n' { b'\r' } else { byte })
                    .collect();
                if sender.send(piece).is_err() {
                    return;
                }
            }
        });
        Ok(Self::Pipe { bytes, ended: None })
    }

    fn read(&mut self) -> Result<Typed, Error> {
        match self {
            Self::Terminal { .. } => {
                let failed = |source| Error::Read {
                    object: "the keyboard".to_owned(),
                    source,
                };
                let mut typed = Vec::new();
                while typed.len() < 128 && event::poll(Duration::ZERO).map_err(failed)? {
                    match keys::read(&event::read().map_err(failed)?) {
                        Key::Bytes(bytes) => typed.extend(bytes),
                        Key::Leave => return Ok(Typed::Leave),
                        Key::Ignored => {}
                    }
                }
                Ok(if typed.is_empty() {
                    Typed::Nothing
                } else {
                    Typed::Bytes(typed)
                })
            }
            Self::Pipe { bytes, ended } => match bytes.try_recv() {
                Ok(piece) => Ok(Typed::Bytes(piece)),
                Err(TryRecvError::Empty) => Ok(Typed::Nothing),
                Err(TryRecvError::Disconnected) => {
                    let since = *ended.get_or_insert_with(Instant::now);
                    Ok(if since.elapsed() > QUIET {
                        Typed::Leave
                    } else {
                        Typed::Nothing
                    })
                }
            },
        }
    }

    /// The board said something: the end of piped input waits on.
    fn heard(&mut self) {
        if let Self::Pipe {
            ended: Some(since), ..
        } = self
        {
            *since = Instant::now();
        }
    }

    /// A message in between: raw mode needs the carriage return.
    fn tell(&self, message: &str) {
        let mut message = format!("{message}\n");
        if matches!(self, Self::Terminal { .. }) {
            message = message.replace('\n', "\r\n");
        }
        let _ = io::stderr().write_all(message.as_bytes());
    }
}

/// Joins the user's terminal and the board until Ctrl-].
pub(super) fn run(_: &ReplArgs, serial: &SerialArgs, quiet: bool) -> Result<Outcome, Error> {
    let address = session::address(serial)?;
    // Ctrl-C is a key here; SIGTERM ends the loop, which looks every few milliseconds and restores the terminal.
    let shutdown = session::shutdown(u32::MAX)?;
    let mut link = Some(open(&address, &shutdown)?);
    #[cfg(windows)]
    let _ = crossterm::ansi_support::supports_ansi();
    let mut keyboard = Keyboard::open()?;
    let mut screen = Screen::new();
    if !quiet {
        keyboard.tell(&format!(
            "udpcli: connected to {}; Ctrl-] leaves, Ctrl-C interrupts, Ctrl-D resets softly",
            address.port
        ));
    }
    // Brings up the prompt, if the board is at one.
    send(&mut link, b"\r")?;
    let mut next_try = Instant::now();
    loop {
        if shutdown.is_asked() {
            return Ok(Outcome::Done);
        }
        if let Some(open_link) = &mut link {
            match open_link.fill(Instant::now() + LOOK) {
                Ok(true) => {
                    keyboard.heard();
                    if !screen.show(&open_link.take(usize::MAX))? {
                        return Ok(Outcome::Done);
                    }
                }
                Ok(false) => {}
                Err(BoardError::Gone { .. }) => {
                    link = None;
                    keyboard.tell(
                        "\nudpcli: the port is gone; waiting for it to come back, Ctrl-] leaves",
                    );
                }
                Err(error) => return Err(error.into()),
            }
        } else if Instant::now() >= next_try {
            next_try = Instant::now() + RETRY;
            if let Ok(again) = open(&address, &shutdown) {
                link = Some(again);
                keyboard.tell("udpcli: connected again");
                send(&mut link, b"\r")?;
            }
        } else {
            std::thread::sleep(LOOK);
        }
        match keyboard.read()? {
            Typed::Bytes(bytes) => send(&mut link, &bytes)?,
            Typed::Nothing => {}
            Typed::Leave => {
                screen.end()?;
                if !quiet && matches!(keyboard, Keyboard::Terminal { .. }) {
                    keyboard.tell("");
                }
                return Ok(Outcome::Done);
            }
        }
    }
}

fn open(address: &Address, shutdown: &Shutdown) -> Result<Link, BoardError> {
    let mut link = Link::open(address, shutdown.clone())?;
    link.heed_shutdown(false);
    Ok(link)
}

/// Sends what was typed; a port that is gone is noticed by the next read.
fn send(link: &mut Option<Link>, bytes: &[u8]) -> Result<(), Error> {
    match link.as_mut().map(|link| link.send(bytes)) {
        Some(Err(error @ BoardError::Stuck { .. })) => Err(error.into()),
        _ => Ok(()),
    }
}
