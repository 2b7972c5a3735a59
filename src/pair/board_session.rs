//! Runs parts of our program on the board, and reads its messages: lines that begin with 0x1e.

use std::time::{Duration, Instant};

use crate::board::boot_output::{self, BOOT_MARKS};
use crate::board::crc32::crc32;
use crate::board::error::Error;
use crate::board::literal;
use crate::board::mirror::Mirror;
use crate::board::program;
use crate::board::repl::{Exit, FollowAction, OutputHandler, Repl, SubmitMode, last_line};
use crate::pair::operation::Work;
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::DrawnText;
use crate::text::escape;

/// Our program's functions. They live in the interpreter's memory, and the soft reset at the end removes them.
const NETWORK: &str = include_str!("scripts/minified/network.py");

/// Marks our lines among the board's other output.
const MARK: char = '\x1e';

/// The longest line that is assembled.
const MAX_LINE: usize = 16 << 10;

/// The limit for stored frames.
const MAX_SHOWN: usize = 4;

/// After this time without an end, interrupt the program again; after `PATIENCE`, give up.
const AGAIN: Duration = Duration::from_millis(400);
/// How long to try to stop a program.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why a call failed.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The user pressed Ctrl-C.
    Interrupted,
    /// Our program raised an exception; holds the board's text.
    Died(String),
    /// The board restarted.
    Restarted,
    /// The call exceeded its time limit.
    Overdue,
    /// The board did not accept the line of code.
    Unsent,
    /// An error of the serial line.
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

/// Receives our program's lines.
pub(super) trait LineHandler {
    /// Handles a line of our program, split into words.
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
    /// The board.
    pub(super) repl: Repl,
    /// Ctrl-C.
    pub(super) shutdown: Shutdown,
    /// The OLED mirror, once its agent is on the board.
    pub(super) mirror: Mirror,
    /// Whether the agent is on the board.
    pub(super) is_mirrored: bool,
    /// The texts of the first frames since this was cleared.
    pub(super) shown: Vec<Vec<DrawnText>>,
    /// Whether our functions are on the board.
    is_loaded: bool,
}

impl BoardSession {
    /// A session without our program.
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

    /// Loads our functions onto the board once, in pieces with checksums.
    pub(super) fn load(&mut self) -> Result<(), SessionError> {
        if self.is_loaded {
            return Ok(());
        }
        program::load(&mut self.repl, Work::Loading, NETWORK.as_bytes())
            .map_err(|error| self.failure(error))?;
        self.is_loaded = true;
        Ok(())
    }

    /// Converts the error after a missing reply: if the board restarted, its output says so, and perhaps why.
    fn failure(&mut self, error: Error) -> SessionError {
        // The other errors already say what happened.
        let Error::NoAnswer { port, doing } = error else {
            return error.into();
        };
        let said = self.repl.link().pending();
        match boot_output::last_fault(said) {
            Some((fault, said)) => SessionError::Board(Error::Fault {
                port,
                fault,
                doing: Some(doing),
                said,
            }),
            None if boot_output::has(said, &BOOT_MARKS) => SessionError::Restarted,
            None => SessionError::Board(Error::NoAnswer { port, doing }),
        }
    }

    /// Waits for `time`, and discards the board's output meanwhile.
    pub(super) fn wait(&mut self, time: Duration) -> Result<(), SessionError> {
        let until = Instant::now() + time;
        // Read and discard the output: otherwise it would look like the answer to the next call.
        while self.repl.link().fill(until)? {
            self.repl.link().forget();
        }
        Ok(())
    }

    /// Runs a line of code to its end. `limit` is for the board's own work. If the line damaged the code, it does not
    /// run, and udpcli sends it again.
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
                // The board may have lost a part of a line and wait for the rest.
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

    /// [`Self::call`] without a retry.
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
        // Add the time on the line: the limit is only for the board's work.
        let line_time = self.repl.link().line_time(code.len());
        let mut listener = CallFollower {
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
            // How the program ended does not matter: it was stopped.
            (_, Some(Why::Asked)) => Err(SessionError::Interrupted),
            (_, Some(Why::Overdue)) => Err(SessionError::Overdue),
            (Exit::Done, None) => Ok(()),
            (Exit::Exception(text), None) => Err(SessionError::Died(text)),
            (Exit::Restarted, None) => Err(self.repl.restarted(doing).into()),
            (Exit::Exited | Exit::Detached, None) => Err(SessionError::Restarted),
        }
    }
}

/// How often to send a call.
const TRIES: u32 = 5;

/// Wraps a call so that it runs only if it arrived complete: `_pc` of our program compares the checksum.
fn checked(code: &[u8]) -> Vec<u8> {
    let mut call = format!("_pc({},", crc32(&[code])).into_bytes();
    literal::append_bytes(code, &mut call);
    call.push(b')');
    call
}

/// Whether the exception came before the call's own code ran: from the checksum test, or from the line that contains
/// the call.
fn has_not_begun(traceback: &str) -> bool {
    last_line(traceback) == "ValueError: crc" || traceback.matches("  File ").count() < 2
}

/// Why a program is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The user pressed Ctrl-C.
    Asked,
    /// The program exceeded its time limit.
    Overdue,
}

/// Follows one call.
struct CallFollower<'a> {
    ears: &'a mut dyn LineHandler,
    /// Takes the OLED's frames out of the output.
    mirror: &'a mut Mirror,
    /// The texts of the first frames.
    shown: &'a mut Vec<Vec<DrawnText>>,
    /// Ctrl-C.
    shutdown: &'a Shutdown,
    /// The incomplete line.
    text: Vec<u8>,
    /// When the call has exceeded its limit.
    deadline: Instant,
    /// The times of the first and of the last Ctrl-C, while the program is being stopped.
    stopping: Option<(Instant, Instant)>,
    /// Why the program is being stopped.
    why: Option<Why>,
}

impl OutputHandler for CallFollower<'_> {
    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let shown = &mut *self.shown;
        self.mirror.feed(bytes, &mut self.text, |screen| {
            // A damaged frame would look like a wrong picture.
            if screen.whole && shown.len() < MAX_SHOWN {
                shown.push(screen.texts.clone());
            }
        });
        while let Some(end) = memchr::memchr(b'\n', &self.text) {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            // The last mark counts: another thread may have printed the beginning of the line.
            match line.rsplit_once(MARK) {
                Some((_, ours)) => {
                    let words: Vec<&str> = ours.split_ascii_whitespace().collect();
                    self.ears.line(&words);
                }
                None if line.trim().is_empty() => {}
                None => tracing::trace!("the board says {}", escape::excerpt(line.as_bytes())),
            }
        }
        // Not ours: our longest line is far shorter, and the board must not fill this PC's memory.
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
            // The clean-up then enters the board again, with a reset if necessary.
            Some((since, _)) if now.duration_since(*since) > PATIENCE => Ok(FollowAction::Detach),
            Some((_, last)) if now.duration_since(*last) > AGAIN => {
                *last = now;
                Ok(FollowAction::Interrupt)
            }
            Some(_) => Ok(FollowAction::Continue),
        }
    }
}
