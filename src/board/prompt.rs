//! Source text typed at the board's ordinary prompt, as fast as the board takes it.
//!
//! The prompt indents by itself, drops what is not ASCII (recorded on mPython 1.0 to generic 1.26), completes names at a
//! tab, and loses what exceeds its 255-byte buffer while code runs. So every statement waits for the prompt, and
//! whatever is more than one plain line goes through paste mode (Ctrl-E .. Ctrl-D), line by line with its echo.

mod statements;

use std::time::{Duration, Instant};

use crate::board::doing::Doing;
use crate::board::enter;
use crate::board::error::Error;
use crate::board::link::Link;
use crate::board::port::TICK;

pub use statements::{Statement, Statements};

/// The prompt of every firmware, unless a program has changed `sys.ps1`.
const PS1: &[u8] = b">>> ";

/// What paste mode shows at the beginning of each line.
const PASTE: &[u8] = b"=== ";

/// The longest prompt of a program's own.
const LONGEST_PROMPT: usize = 32;

/// How long the prompt may take to come: a board at its prompt answers within a few milliseconds.
const ANSWER: Duration = Duration::from_millis(600);

/// A board that says nothing for this long, in a statement with `input()`, waits for a line.
const QUIET: Duration = Duration::from_millis(500);

/// How long an interrupted program has to come back to the prompt.
const INTERRUPT: Duration = Duration::from_millis(1500);

/// How a wait for the prompt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The prompt is back.
    Ready,
    /// The program waits for a line of input, as far as can be seen.
    Input,
    /// The user wants to end.
    Stopped,
}

/// What a session at the prompt shows, and when it has to end.
pub trait Terminal {
    /// Shows what the board said. False if nobody reads it any more.
    fn show(&mut self, bytes: &[u8]) -> bool;

    /// Whether the user wants to end.
    fn is_stopped(&mut self) -> bool;
}

/// A board at its ordinary prompt.
#[derive(Debug)]
pub struct Prompt<'a> {
    link: &'a mut Link,
    text: Vec<u8>,
    /// The end of what the board said.
    tail: Vec<u8>,
    /// Whether a wait ended while the board was still talking.
    is_talking: bool,
}

impl<'a> Prompt<'a> {
    /// Finds the prompt; stops the program that runs, if one does, and leaves the raw REPL. True if it stopped one.
    ///
    /// A prompt that does not come after one Ctrl-C is got at by the way of every other command: through the raw REPL.
    ///
    /// # Errors
    /// Why there is none, as [`enter::raw_repl`].
    pub fn find(link: &'a mut Link, terminal: &mut dyn Terminal) -> Result<(Self, bool), Error> {
        let mut prompt = Self::here(link);
        prompt.link.send(b"\r")?;
        if prompt.answer_within(terminal, ANSWER, 2 * ANSWER)? == Wait::Ready {
            return Ok((prompt, false));
        }
        // Ctrl-B leaves the raw REPL and does no harm elsewhere.
        prompt.link.send(b"\x03\x03\x02\r")?;
        prompt.is_talking = false;
        if prompt.answer_within(terminal, INTERRUPT, 2 * INTERRUPT)? == Wait::Ready {
            return Ok((prompt, true));
        }
        // A prompt of the program's own comes back the same after each Enter, and nothing behind it.
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
        let heeded = prompt.link.heed_shutdown(true);
        let entered = enter::raw_repl(prompt.link);
        prompt.link.heed_shutdown(heeded);
        entered?;
        prompt.tail.clear();
        prompt.link.send(b"\x02")?;
        if prompt.answer_within(terminal, INTERRUPT, 2 * INTERRUPT)? == Wait::Ready {
            return Ok((prompt, true));
        }
        Err(Error::NoAnswer {
            port: prompt.link.name().to_owned(),
            doing: Doing::LeavingRawRepl,
        })
    }

    /// The prompt that the board has just shown.
    #[must_use]
    pub fn here(link: &'a mut Link) -> Self {
        Self {
            link,
            text: PS1.to_vec(),
            tail: Vec::new(),
            is_talking: false,
        }
    }

    /// Types a statement; it runs from then on.
    ///
    /// # Errors
    /// The line is gone, or the board does not take it.
    pub fn type_in(
        &mut self,
        statement: &Statement,
        terminal: &mut dyn Terminal,
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

    /// Keys for the program that runs.
    ///
    /// # Errors
    /// The line is gone.
    pub fn send(&mut self, keys: &[u8]) -> Result<(), Error> {
        self.link.send(keys)
    }

    /// A line of input for the program that runs.
    ///
    /// # Errors
    /// The line is gone.
    pub fn answer_input(&mut self, line: &[u8]) -> Result<(), Error> {
        self.tail.clear();
        self.link.send(line)?;
        self.link.send(b"\r")
    }

    /// Paste mode: every line waits for the echo of the one before, so that the board's buffer never overflows.
    fn paste(&mut self, text: &[u8], terminal: &mut dyn Terminal) -> Result<(), Error> {
        self.link.send(b"\x05")?;
        self.expect(PASTE, terminal)?;
        for line in text.split(|&byte| byte == b'\n') {
            self.tail.clear();
            // Less than the board's buffer at a time: a long line is echoed as it comes.
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

    /// Waits for the prompt for as long as it takes. `may_ask`: the statement may call `input()`.
    ///
    /// # Errors
    /// The line is gone.
    pub fn wait(&mut self, may_ask: bool, terminal: &mut dyn Terminal) -> Result<Wait, Error> {
        loop {
            let wait = self.answer(terminal, QUIET)?;
            match wait {
                Wait::Input if !may_ask => {}
                wait => return Ok(wait),
            }
        }
    }

    /// Interrupts what runs and waits for the prompt for a moment, whatever the user wants meanwhile. True if it came.
    ///
    /// # Errors
    /// The line is gone.
    pub fn interrupt(&mut self, terminal: &mut dyn Terminal) -> Result<bool, Error> {
        struct Stopping<'t>(&'t mut dyn Terminal);
        impl Terminal for Stopping<'_> {
            fn show(&mut self, bytes: &[u8]) -> bool {
                // A reader that went away does not end the wait either.
                self.0.show(bytes);
                true
            }
            fn is_stopped(&mut self) -> bool {
                false
            }
        }
        self.tail.clear();
        self.link.send(b"\x03\x03")?;
        Ok(self.answer(&mut Stopping(terminal), INTERRUPT)? == Wait::Ready)
    }

    /// As [`Self::answer`], but not for longer than `limit`: a program may print without a pause.
    fn answer_within(
        &mut self,
        terminal: &mut dyn Terminal,
        quiet: Duration,
        limit: Duration,
    ) -> Result<Wait, Error> {
        self.answer_until(terminal, quiet, Some(Instant::now() + limit))
    }

    /// Shows what comes until the prompt stands at the end, or nothing came for `quiet`.
    fn answer(&mut self, terminal: &mut dyn Terminal, quiet: Duration) -> Result<Wait, Error> {
        self.answer_until(terminal, quiet, None)
    }

    fn answer_until(
        &mut self,
        terminal: &mut dyn Terminal,
        quiet: Duration,
        deadline: Option<Instant>,
    ) -> Result<Wait, Error> {
        let mut last = Instant::now();
        loop {
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                self.is_talking = true;
                return Ok(Wait::Input);
            }
            if terminal.is_stopped() {
                return Ok(Wait::Stopped);
            }
            if self.link.fill(Instant::now() + TICK)? {
                last = Instant::now();
                if !self.take(terminal) {
                    return Ok(Wait::Stopped);
                }
            } else if self.is_at_prompt() {
                // Nothing came for a tick: a program that prints `>>> ` goes on sooner.
                return Ok(Wait::Ready);
            }
            if last.elapsed() > quiet {
                return Ok(Wait::Input);
            }
        }
    }

    /// Shows what comes until `text` stands at the end.
    fn expect(&mut self, text: &[u8], terminal: &mut dyn Terminal) -> Result<(), Error> {
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

    fn listen(&mut self, terminal: &mut dyn Terminal, until: Instant) -> Result<(), Error> {
        while self.link.fill(until)? {
            self.take(terminal);
        }
        Ok(())
    }

    fn take(&mut self, terminal: &mut dyn Terminal) -> bool {
        let came = self.link.take(usize::MAX);
        self.tail.extend_from_slice(&came);
        let surplus = self.tail.len().saturating_sub(256);
        self.tail.drain(..surplus);
        terminal.show(&came)
    }

    fn is_at_prompt(&self) -> bool {
        self.last_line() == self.text
    }

    /// What stands after the last line end.
    fn last_line(&self) -> &[u8] {
        let start = memchr::memrchr(b'\n', &self.tail).map_or(0, |at| at + 1);
        self.tail.get(start..).unwrap_or_default()
    }
}
