//! Connects the user's keyboard with the board's prompt, key by key, until the user leaves. If the cable is pulled,
//! udpcli opens the port again as soon as it is back.

use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::link::{Address, Link};
use crate::board::prompt::typed::{self, HeldPaste, TypedAhead, UserAction};
use crate::board::prompt::{LOOK, PromptNote, PromptObserver, pasted};
use crate::board::reconnect::{self, Reopening};
use crate::shutdown::Shutdown;

/// How long a remote port may take to answer when udpcli tries it again: meanwhile all keys wait, even Ctrl-].
const AGAIN: Duration = Duration::from_secs(1);

/// Why the keyboard and the board are no longer joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyboardEnd {
    /// The user left with Ctrl-].
    Left,
    /// The observer ended the session, or no program reads the output.
    Stopped,
}

/// Shows the board's output, and sends the user's keys to the board.
///
/// # Errors
/// The line is stuck, or fails in a paste.
pub fn run(link: Link, user: &mut dyn PromptObserver) -> Result<KeyboardEnd, Error> {
    let mut joined = Joined {
        shutdown: link.shutdown(),
        line: KeyLine::open(link),
        keys: TypedAhead::default(),
        held: None,
        has_noted_ascii: false,
        user,
    };
    joined.bring_up_prompt()?;
    joined.go_on()
}

/// The line to the board.
#[derive(Debug)]
enum KeyLine {
    /// The port is open.
    Open(Box<Link>),
    /// The port is gone, and is tried now and then.
    Lost(Reopening),
}

impl KeyLine {
    /// Ctrl-C is a key for the board here, and ends no wait.
    fn open(mut link: Link) -> Self {
        link.heed_shutdown(false);
        Self::Open(Box::new(link))
    }
}

/// The keyboard and the board, joined.
struct Joined<'a> {
    /// Signals, but not the key Ctrl-C.
    shutdown: Shutdown,
    /// The line to the board.
    line: KeyLine,
    /// What was typed and not sent.
    keys: TypedAhead,
    /// A paste that waits for the prompt.
    held: Option<HeldPaste>,
    /// Whether the user was told that the prompt drops Chinese characters.
    has_noted_ascii: bool,
    /// The user.
    user: &'a mut dyn PromptObserver,
}

impl Joined<'_> {
    /// Serves board and keyboard in turn, until one of them ends the session.
    fn go_on(&mut self) -> Result<KeyboardEnd, Error> {
        loop {
            if self.user.is_stopped() || !self.hear()? {
                return Ok(KeyboardEnd::Stopped);
            }
            if !self.read_keys() || !self.type_held()? {
                return Ok(KeyboardEnd::Left);
            }
            let line = self.keys.next();
            self.send(&line)?;
        }
    }

    /// Shows the prompt, if the board is at one.
    fn bring_up_prompt(&mut self) -> Result<(), Error> {
        self.send(b"\r")
    }

    /// Shows the board's output, or tries the port again. False if no program reads the output any more.
    fn hear(&mut self) -> Result<bool, Error> {
        match &mut self.line {
            KeyLine::Open(link) => match link.fill(Instant::now() + LOOK) {
                Ok(true) => {
                    let came = link.take(usize::MAX);
                    self.keys.heard(&came);
                    return Ok(self.user.show(&came));
                }
                Ok(false) => {}
                Err(Error::Gone { .. }) => {
                    self.line = KeyLine::Lost(Reopening::of(link.address().clone(), false));
                    self.user.note(PromptNote::Gone);
                }
                Err(error) => return Err(error),
            },
            KeyLine::Lost(reopening) => {
                let shutdown = &self.shutdown;
                let opened = reopening.attempt(|address| {
                    let soon = Address {
                        timeout: address.timeout.min(AGAIN),
                        ..address.clone()
                    };
                    reconnect::open(&soon, &|| shutdown.is_asked())
                });
                if let Ok(Some(port)) = opened {
                    let link = Link::over(port, reopening.address(), self.shutdown.clone());
                    self.line = KeyLine::open(link);
                    self.user.note(PromptNote::Back);
                    self.bring_up_prompt()?;
                } else {
                    std::thread::sleep(LOOK);
                }
            }
        }
        Ok(true)
    }

    /// Takes what the user typed. False if it was Ctrl-].
    fn read_keys(&mut self) -> bool {
        match typed::read(self.user) {
            // Keys typed after a paste follow it, except Ctrl-C.
            UserAction::Bytes(bytes) if self.held.is_some() && !typed::has_interrupt(&bytes) => {
                HeldPaste::add(&mut self.held, &bytes);
            }
            UserAction::Bytes(bytes) => {
                self.held = None;
                if !bytes.is_ascii() && !std::mem::replace(&mut self.has_noted_ascii, true) {
                    self.user.note(PromptNote::NotAscii);
                }
                self.keys.typed(&bytes);
            }
            UserAction::Paste(text) => HeldPaste::add(&mut self.held, &text),
            UserAction::Nothing => {}
            UserAction::Leave => return false,
        }
        true
    }

    /// Types a paste once the board is at its prompt, or gives it to the program that runs. False if the user left
    /// meanwhile.
    fn type_held(&mut self) -> Result<bool, Error> {
        let is_at_prompt = self.keys.is_at_prompt();
        let Some(held) = self.held.take_if(|held| is_at_prompt || held.is_due()) else {
            return Ok(true);
        };
        match &mut self.line {
            KeyLine::Open(link) if is_at_prompt => {
                let has_left = pasted::run(link, held.text(), self.user)?;
                Ok(!has_left)
            }
            _ => {
                self.keys.typed(&typed::with_returns(held.text()));
                Ok(true)
            }
        }
    }

    /// Sends the typed keys; the next read notices if the port is gone.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.line {
            KeyLine::Open(link) => match link.send(bytes) {
                Err(error @ Error::Stuck { .. }) => Err(error),
                _ => Ok(()),
            },
            KeyLine::Lost(_) => Ok(()),
        }
    }
}
