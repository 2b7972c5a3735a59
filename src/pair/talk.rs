//! Runs parts of our program on the board, and hears what it says in between: lines that begin with 0x1e.

use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::evidence::{self, BOOT_MARKS};
use crate::board::literal;
use crate::board::mirror::Mirror;
use crate::board::program;
use crate::board::repl::{Exit, FollowAction, OutputHandler, Repl, SubmitMode, last_line};
use crate::pair::work::Work;
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::Text;
use crate::text::escape;

/// Our program's functions. They live in the interpreter's memory and go with the soft reset at the end.
const NETWORK: &str = include_str!("scripts/minified/network.py");

/// Begins a line of ours among whatever else the board prints.
const MARK: char = '\x1e';

/// The longest line that is put together.
const MAX_LINE: usize = 16 << 10;

/// At most this many screens are kept.
const MAX_SHOWN: usize = 4;

/// After this an interrupted program that has not ended is interrupted again, and at last left.
const AGAIN: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(4);

/// How a call may fail.
#[derive(Debug)]
pub(super) enum SessionError {
    /// Ctrl-C.
    Interrupted,
    /// Our program ended with an exception: the board's own text.
    Died(String),
    /// The board started anew.
    Restarted,
    /// It took longer than it may.
    Overdue,
    /// The board did not take the line of code.
    Unsent,
    /// The line.
    Board(Error),
}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Interrupted => Self::Interrupted,
            Error::Restarted { .. } => Self::Restarted,
            error => Self::Board(error),
        }
    }
}

/// Whoever hears our program.
pub(super) trait LineHandler {
    /// A line of our program, in words.
    fn line(&mut self, words: &[&str]);

    /// Called at least every 20 ms.
    fn tick(&mut self) {}
}

impl<F: FnMut(&[&str])> LineHandler for F {
    fn line(&mut self, words: &[&str]) {
        self(words);
    }
}

/// A board in its raw REPL with our program.
pub(super) struct BoardSession {
    pub(super) repl: Repl,
    pub(super) shutdown: Shutdown,
    /// The OLED, once its agent is on the board.
    pub(super) mirror: Mirror,
    /// Whether it is.
    pub(super) is_mirrored: bool,
    /// The texts of the first screens that were shown since this was cleared.
    pub(super) shown: Vec<Vec<Text>>,
    is_loaded: bool,
}

impl BoardSession {
    pub(super) fn new(repl: Repl, shutdown: Shutdown) -> Self {
        Self {
            repl,
            shutdown,
            mirror: Mirror::new(),
            is_mirrored: false,
            shown: Vec::new(),
            is_loaded: false,
        }
    }

    /// Puts our functions onto the board, once, in checked pieces.
    pub(super) fn load(&mut self) -> Result<(), SessionError> {
        if self.is_loaded {
            return Ok(());
        }
        program::load(&mut self.repl, Work::Loading, NETWORK.as_bytes())
            .map_err(|error| self.failure(error))?;
        self.is_loaded = true;
        Ok(())
    }

    /// Why there is no answer: a board that restarted has said so, and perhaps why.
    fn failure(&mut self, error: Error) -> SessionError {
        let Error::NoAnswer { port, doing } = error else {
            return error.into();
        };
        let said = self.repl.link().pending();
        match evidence::last_fault(said) {
            Some((fault, said)) => SessionError::Board(Error::Fault {
                port,
                fault,
                doing: Some(doing),
                said,
            }),
            None if evidence::has(said, &BOOT_MARKS) => SessionError::Restarted,
            None => SessionError::Board(Error::NoAnswer { port, doing }),
        }
    }

    /// Waits so long, and throws away what the board prints meanwhile.
    pub(super) fn wait(&mut self, time: Duration) -> Result<(), SessionError> {
        let until = Instant::now() + time;
        while self.repl.link().fill(until)? {
            self.repl.link().forget();
        }
        Ok(())
    }

    /// Runs a line of code to its end. `limit` is for the board's own work. Code that was damaged on its way does not run,
    /// and goes again.
    pub(super) fn call(
        &mut self,
        doing: Work,
        code: &str,
        limit: Duration,
        ears: &mut dyn LineHandler,
    ) -> Result<(), SessionError> {
        let code = checked(code.as_bytes());
        for _ in 1..TRIES {
            match self.call_once(doing, &code, limit, ears) {
                Err(SessionError::Died(text)) if has_not_begun(&text) => {
                    tracing::debug!("damaged on the way while {doing}: {text}");
                }
                Err(SessionError::Unsent) => self.repl.reenter()?,
                result => return result,
            }
        }
        match self.call_once(doing, &code, limit, ears) {
            Err(SessionError::Died(text)) if has_not_begun(&text) => Err(Error::Garbled {
                doing: doing.into(),
                times: TRIES,
            }
            .into()),
            Err(SessionError::Unsent) => Err(Error::NoAnswer {
                port: self.repl.link().name().to_owned(),
                doing: doing.into(),
            }
            .into()),
            result => result,
        }
    }

    fn call_once(
        &mut self,
        doing: Work,
        code: &[u8],
        limit: Duration,
        ears: &mut dyn LineHandler,
    ) -> Result<(), SessionError> {
        if self.shutdown.is_asked() {
            return Err(SessionError::Interrupted);
        }
        match self.repl.submit(SubmitMode::Paced, doing, code) {
            Ok(()) => {}
            Err(error @ Error::NoAnswer { .. }) => {
                return Err(match self.failure(error) {
                    SessionError::Board(Error::NoAnswer { .. }) => SessionError::Unsent,
                    failure => failure,
                });
            }
            Err(error) => return Err(self.failure(error)),
        }
        let line_time = self.repl.link().line_time(code.len());
        let mut listener = Listener {
            ears,
            mirror: &mut self.mirror,
            shown: &mut self.shown,
            shutdown: &self.shutdown,
            text: Vec::new(),
            deadline: Instant::now() + limit + line_time,
            stopping: None,
            why: None,
        };
        let ended = self.repl.follow(&mut listener);
        let why = listener.why;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => return Err(self.failure(error)),
        };
        match (ended, why) {
            (_, Some(Why::Asked)) => Err(SessionError::Interrupted),
            (_, Some(Why::Overdue)) => Err(SessionError::Overdue),
            (Exit::Done, None) => Ok(()),
            (Exit::Exception(text), None) => Err(SessionError::Died(text)),
            (Exit::Restarted, None) => Err(self.repl.restarted(doing).into()),
            (Exit::Exited | Exit::Detached, None) => Err(SessionError::Restarted),
        }
    }
}

/// How often a call is sent.
const TRIES: u32 = 5;

/// A call that runs only if it came whole: `_pc` of our program compares the checksum.
fn checked(code: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(code);
    let mut call = format!("_pc({},", crc.sum()).into_bytes();
    literal::append_bytes(code, &mut call);
    call.push(b')');
    call
}

/// Whether an exception came before any of a call's code ran: the checksum's, or that of the line which holds it.
fn has_not_begun(traceback: &str) -> bool {
    last_line(traceback) == "ValueError: crc" || traceback.matches("  File ").count() < 2
}

/// Why a program is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Asked,
    Overdue,
}

/// Follows one call.
struct Listener<'a> {
    ears: &'a mut dyn LineHandler,
    mirror: &'a mut Mirror,
    shown: &'a mut Vec<Vec<Text>>,
    shutdown: &'a Shutdown,
    text: Vec<u8>,
    deadline: Instant,
    /// Since when the program is being stopped, and when Ctrl-C was sent last.
    stopping: Option<(Instant, Instant)>,
    why: Option<Why>,
}

impl OutputHandler for Listener<'_> {
    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let shown = &mut *self.shown;
        self.mirror.feed(bytes, &mut self.text, |screen| {
            if screen.whole && shown.len() < MAX_SHOWN {
                shown.push(screen.texts.clone());
            }
        });
        while let Some(end) = memchr::memchr(b'\n', &self.text) {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            match line.rsplit_once(MARK) {
                Some((_, ours)) => {
                    let words: Vec<&str> = ours.split_ascii_whitespace().collect();
                    self.ears.line(&words);
                }
                None => tracing::trace!("the board says {}", escape::excerpt(line.as_bytes())),
            }
        }
        if self.text.len() > MAX_LINE {
            self.text.clear();
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<FollowAction, Error> {
        self.ears.tick();
        let now = Instant::now();
        match &mut self.stopping {
            None => {
                if self.shutdown.is_asked() {
                    self.why = Some(Why::Asked);
                } else if now > self.deadline {
                    self.why = Some(Why::Overdue);
                } else {
                    return Ok(FollowAction::Continue);
                }
                self.stopping = Some((now, now));
                Ok(FollowAction::Interrupt)
            }
            Some((since, _)) if now.duration_since(*since) > PATIENCE => Ok(FollowAction::Detach),
            Some((_, last)) if now.duration_since(*last) > AGAIN => {
                *last = now;
                Ok(FollowAction::Interrupt)
            }
            Some(_) => Ok(FollowAction::Continue),
        }
    }
}
