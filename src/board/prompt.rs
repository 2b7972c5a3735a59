//! Types source code at the board's ordinary prompt, as fast as the board accepts it.
//!
//! The prompt indents automatically, drops non-ASCII bytes (recorded on mPython 1.0 to generic 1.26), completes names
//! at a tab, and loses input beyond its 255-byte buffer while code runs. So every statement waits for the prompt, and
//! everything but a single plain line goes through paste mode (Ctrl-E .. Ctrl-D), line by line with its echo.

pub mod keyboard;
mod pasted;
pub mod piped;
mod statements;
mod typed;

use std::time::{Duration, Instant};

use crate::board::enter;
use crate::board::error::Error;
use crate::board::link::Link;
use crate::board::operation::Doing;
use crate::board::port::TICK;
use crate::terminal::keys::Key;

pub use statements::Statement;
pub(crate) use statements::Statements;

/// The prompt of every firmware, unless a program has changed `sys.ps1`.
const PS1: &[u8] = b">>> ";

/// Paste mode shows this at the beginning of each line.
const PASTE: &[u8] = b"=== ";

/// The length limit for a prompt that a program has set.
const LONGEST_PROMPT: usize = 32;

/// The timeout for the prompt: a board at its prompt replies within a few milliseconds.
const ANSWER: Duration = Duration::from_millis(600);

/// A board that prints nothing for this long, in a statement with `input()`, waits for a line.
const QUIET: Duration = Duration::from_millis(500);

/// The timeout for the prompt after an interrupt.
const INTERRUPT: Duration = Duration::from_millis(1500);

/// How long to wait for the board's bytes before checking the keys: short enough that no key seems slow.
const LOOK: Duration = Duration::from_millis(5);

/// How a wait for the prompt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptWait {
    /// The prompt is back.
    Ready,
    /// The program probably waits for a line of input.
    Input,
    /// The user wants to stop.
    Stopped,
}

/// Shows a session's output, and says when to stop.
pub trait SessionOutput {
    /// Shows output of the board. False if nobody reads it any more.
    fn show(&mut self, bytes: &[u8]) -> bool;

    /// Whether the user wants to stop.
    fn is_stopped(&mut self) -> bool;
}

/// What the user should know between the board's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptNote {
    /// A program ran; udpcli stopped it to get to the prompt.
    ProgramStopped,
    /// A program runs on, although udpcli interrupted it.
    RunsOn,
    /// The serial port is gone; udpcli waits for it.
    Gone,
    /// The serial port is back.
    Back,
    /// The prompt drops characters that are not ASCII.
    NotAscii,
}

/// The user at the prompt: sees the board's output and notes, and types.
pub trait PromptObserver: SessionOutput {
    /// The next key, if one comes within that time.
    fn key(&mut self, within: Duration) -> Option<Key>;

    /// Takes a note.
    fn note(&mut self, note: PromptNote);
}

/// A board at its ordinary prompt.
#[derive(Debug)]
pub struct Prompt<'a> {
    /// The line.
    link: &'a mut Link,
    /// The prompt's text.
    text: Vec<u8>,
    /// The end of the board's output.
    tail: Vec<u8>,
    /// Whether a wait ended while the board was still printing.
    is_talking: bool,
}

impl<'a> Prompt<'a> {
    /// Finds the prompt; stops a running program and leaves the raw REPL. True if it stopped a program.
    ///
    /// If the prompt does not come after one Ctrl-C, udpcli enters the raw REPL first, as in every other command.
    ///
    /// # Errors
    /// As for [`enter::raw_repl`].
    pub fn find(
        link: &'a mut Link,
        terminal: &mut dyn SessionOutput,
    ) -> Result<(Self, bool), Error> {
        let mut prompt = Self::here(link);
        prompt.link.send(b"\r")?;
        if prompt.answer_within(terminal, ANSWER, 2 * ANSWER)? == PromptWait::Ready {
            return Ok((prompt, false));
        }
        // Ctrl-B leaves the raw REPL and has no other effect.
        prompt.link.send(b"\x03\x03\x02\r")?;
        prompt.is_talking = false;
        if prompt.answer_within(terminal, INTERRUPT, 2 * INTERRUPT)? == PromptWait::Ready {
            return Ok((prompt, true));
        }
        // A prompt that a program has set is the same after each Enter, with nothing after it.
        let first = prompt.last_line().to_vec();
        prompt.link.send(b"\r")?;
        prompt.answer_within(terminal, ANSWER, 2 * ANSWER)?;
        if !prompt.is_talking
            && !first.is_empty()
            && first.len() <= LONGEST_PROMPT
            && prompt.last_line() == first
        {
            prompt.text = first;
            return Ok((prompt, true));
        }
        // Entering may take the whole timeout, so Ctrl-C must end the wait.
        let heeded = prompt.link.heed_shutdown(true);
        let entered = enter::raw_repl(prompt.link);
        prompt.link.heed_shutdown(heeded);
        entered?;
        prompt.tail.clear();
        prompt.link.send(b"\x02")?;
        if prompt.answer_within(terminal, INTERRUPT, 2 * INTERRUPT)? == PromptWait::Ready {
            return Ok((prompt, true));
        }
        Err(Error::NoAnswer {
            port: prompt.link.name().to_owned(),
            doing: Doing::LeavingRawRepl,
        })
    }

    /// The prompt that the board has just shown.
    #[must_use]
    pub(crate) fn here(link: &'a mut Link) -> Self {
        Self {
            link,
            text: PS1.to_vec(),
            tail: Vec::new(),
            is_talking: false,
        }
    }

    /// Types a statement, which the board then runs.
    ///
    /// # Errors
    /// The line has failed, or the board does not accept the statement.
    pub fn type_in(
        &mut self,
        statement: &Statement,
        terminal: &mut dyn SessionOutput,
    ) -> Result<(), Error> {
        self.tail.clear();
        match statement {
            Statement::Line(line) => {
                self.link.send(line)?;
                self.link.send(b"\r")
            }
            Statement::Raw(bytes) => self.link.send(bytes),
            Statement::Block(text) => self.paste(text, terminal),
        }
    }

    /// Sends keys to the running program.
    ///
    /// # Errors
    /// The line has failed.
    pub(crate) fn send(&mut self, keys: &[u8]) -> Result<(), Error> {
        self.link.send(keys)
    }

    /// Sends a line of input to the running program.
    ///
    /// # Errors
    /// The line has failed.
    pub(crate) fn answer_input(&mut self, line: &[u8]) -> Result<(), Error> {
        self.tail.clear();
        self.link.send(line)?;
        self.link.send(b"\r")
    }

    /// Paste mode: each line waits for the echo of the previous one, so that the board's buffer never overflows.
    fn paste(&mut self, text: &[u8], terminal: &mut dyn SessionOutput) -> Result<(), Error> {
        self.link.send(b"\x05")?;
        self.expect(PASTE, terminal)?;
        for line in text.split(|&byte| byte == b'\n') {
            self.tail.clear();
            // Send less than the board's buffer at a time: the board echoes a long line while it receives it.
            for piece in line.chunks(128) {
                self.link.send(piece)?;
                self.listen(terminal, Instant::now() + self.link.line_time(piece.len()))?;
            }
            self.link.send(b"\r")?;
            self.expect(PASTE, terminal)?;
        }
        self.tail.clear();
        self.link.send(b"\x04")
    }

    /// Waits for the prompt without a timeout. `may_ask`: the statement may call `input()`.
    ///
    /// # Errors
    /// The line has failed.
    pub fn wait(
        &mut self,
        may_ask: bool,
        terminal: &mut dyn SessionOutput,
    ) -> Result<PromptWait, Error> {
        loop {
            let wait = self.answer(terminal, QUIET)?;
            match wait {
                PromptWait::Input if !may_ask => {}
                wait => return Ok(wait),
            }
        }
    }

    /// Interrupts the running program and waits shortly for the prompt, even if the user wants to stop. True if it
    /// came.
    ///
    /// # Errors
    /// The line has failed.
    pub(crate) fn interrupt(&mut self, terminal: &mut dyn SessionOutput) -> Result<bool, Error> {
        struct Stopping<'t>(&'t mut dyn SessionOutput);
        impl SessionOutput for Stopping<'_> {
            fn show(&mut self, bytes: &[u8]) -> bool {
                // A reader that went away does not end this wait.
                self.0.show(bytes);
                true
            }
            fn is_stopped(&mut self) -> bool {
                false
            }
        }
        self.tail.clear();
        self.link.send(b"\x03\x03")?;
        Ok(self.answer(&mut Stopping(terminal), INTERRUPT)? == PromptWait::Ready)
    }

    /// Like [`Self::answer`], but for at most `limit`: a program may print without a pause.
    fn answer_within(
        &mut self,
        terminal: &mut dyn SessionOutput,
        quiet: Duration,
        limit: Duration,
    ) -> Result<PromptWait, Error> {
        self.answer_until(terminal, quiet, Some(Instant::now() + limit))
    }

    /// Shows output until it ends with the prompt, or none arrives for `quiet`.
    fn answer(
        &mut self,
        terminal: &mut dyn SessionOutput,
        quiet: Duration,
    ) -> Result<PromptWait, Error> {
        self.answer_until(terminal, quiet, None)
    }

    /// As [`Self::answer`], until `deadline` at the latest.
    fn answer_until(
        &mut self,
        terminal: &mut dyn SessionOutput,
        quiet: Duration,
        deadline: Option<Instant>,
    ) -> Result<PromptWait, Error> {
        let mut last = Instant::now();
        loop {
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                self.is_talking = true;
                return Ok(PromptWait::Input);
            }
            if terminal.is_stopped() {
                return Ok(PromptWait::Stopped);
            }
            if self.link.fill(Instant::now() + TICK)? {
                last = Instant::now();
                if !self.take(terminal) {
                    return Ok(PromptWait::Stopped);
                }
            } else if self.is_at_prompt() {
                // Nothing arrived for a tick: a program that prints `>>> ` would continue sooner.
                return Ok(PromptWait::Ready);
            }
            if last.elapsed() > quiet {
                return Ok(PromptWait::Input);
            }
        }
    }

    /// Shows output until it ends with `text`.
    fn expect(&mut self, text: &[u8], terminal: &mut dyn SessionOutput) -> Result<(), Error> {
        let deadline = Instant::now() + INTERRUPT;
        while !self.tail.ends_with(text) {
            if !self.link.fill(deadline)? {
                return Err(Error::NoAnswer {
                    port: self.link.name().to_owned(),
                    doing: Doing::PastingAtPrompt,
                });
            }
            self.take(terminal);
        }
        Ok(())
    }

    /// Shows output until a point in time.
    fn listen(&mut self, terminal: &mut dyn SessionOutput, until: Instant) -> Result<(), Error> {
        while self.link.fill(until)? {
            self.take(terminal);
        }
        Ok(())
    }

    /// Shows what has come. False if nobody reads it any more.
    fn take(&mut self, terminal: &mut dyn SessionOutput) -> bool {
        let came = self.link.take(usize::MAX);
        self.tail.extend_from_slice(&came);
        let surplus = self.tail.len().saturating_sub(256);
        self.tail.drain(..surplus);
        terminal.show(&came)
    }

    /// Whether the output ends with the prompt, alone on its line.
    fn is_at_prompt(&self) -> bool {
        self.last_line() == self.text
    }

    /// The text after the last line end.
    fn last_line(&self) -> &[u8] {
        let start = memchr::memrchr(b'\n', &self.tail).map_or(0, |at| at + 1);
        self.tail.get(start..).unwrap_or_default()
    }
}
