//! Source code from a pipe, typed at the board's prompt: each statement after the previous one has ended.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use crate::board::error::Error;
use crate::board::link::Link;
use crate::board::prompt::{
    Prompt, PromptNote, PromptObserver, PromptWait, SessionOutput, Statement, Statements,
};
use crate::shutdown::Shutdown;
use crate::wait::{self, Site, ThreadEnded};

/// How long piped input may pause before an empty line ends a compound statement.
const IDLE: Duration = Duration::from_millis(200);

/// How typing piped source ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipedEnd {
    /// Ctrl-C came before the prompt: nothing was typed.
    Interrupted,
    /// All was typed. Or Ctrl-C came, or no program reads the output: then the running statement was interrupted.
    AtPrompt,
}

/// Passes on the board's output while udpcli looks for the prompt. After the reader of the output is gone, udpcli drops
/// the output and still looks for the prompt.
struct PromptSearch<'a> {
    user: &'a mut dyn PromptObserver,
    /// Whether a program still reads the output.
    is_read: bool,
    /// Ctrl-C ends the search.
    shutdown: &'a Shutdown,
}

impl SessionOutput for PromptSearch<'_> {
    fn show(&mut self, bytes: &[u8]) -> bool {
        self.is_read = self.is_read && self.user.show(bytes);
        true
    }

    fn is_stopped(&mut self) -> bool {
        self.shutdown.is_asked()
    }
}

/// Runs source at the prompt, and leaves the board there.
///
/// # Errors
/// The prompt does not come, the line has failed, or the board does not accept a statement.
pub fn run(
    mut link: Link,
    source: &Receiver<Vec<u8>>,
    user: &mut dyn PromptObserver,
) -> Result<PipedEnd, Error> {
    let shutdown = link.shutdown();
    link.heed_shutdown(false);
    let mut finding = PromptSearch {
        user,
        is_read: true,
        shutdown: &shutdown,
    };
    let found = Prompt::find(&mut link, &mut finding);
    let PromptSearch { user, is_read, .. } = finding;
    if shutdown.is_asked() {
        return Ok(PipedEnd::Interrupted);
    }
    let (mut prompt, stopped) = found?;
    if stopped {
        user.note(PromptNote::ProgramStopped);
    }
    let result = if is_read {
        type_all(&mut prompt, source, &shutdown, user)
    } else {
        Ok(PromptWait::Stopped)
    };
    // After Ctrl-C, or if no program reads the output, stop the running statement and leave the board at its prompt.
    if !matches!(result, Ok(PromptWait::Ready)) && !prompt.interrupt(user)? {
        user.note(PromptNote::RunsOn);
    }
    result.map(|_| PipedEnd::AtPrompt)
}

/// Types every statement after the previous one has ended.
fn type_all(
    prompt: &mut Prompt<'_>,
    source: &Receiver<Vec<u8>>,
    shutdown: &Shutdown,
    user: &mut dyn PromptObserver,
) -> Result<PromptWait, Error> {
    let is_stopped = || shutdown.is_asked();
    let mut statements = Statements::default();
    let mut has_ended = false;
    loop {
        let mut reading = wait::Wait::at(Site::ReadSource, &is_stopped);
        let statement = loop {
            if let Some(statement) = statements.next(false) {
                break statement;
            }
            if has_ended {
                return Ok(PromptWait::Ready);
            }
            if reading.look().is_some() {
                return Ok(PromptWait::Stopped);
            }
            match reading.receive(source, IDLE) {
                Some(Ok(bytes)) => statements.feed(&bytes),
                None => {
                    // A program that writes into the pipe line by line waits for the answer to its compound
                    // statement.
                    if let Some(statement) = statements.next(true) {
                        break statement;
                    }
                }
                Some(Err(ThreadEnded)) => {
                    statements.end();
                    has_ended = true;
                }
            }
        };
        prompt.type_in(&statement, user)?;
        let may_ask = statement.may_ask() || matches!(statement, Statement::Raw(_));
        loop {
            let next_is_control = statements.is_control_next();
            match prompt.wait(may_ask || next_is_control || !has_ended, user)? {
                PromptWait::Ready => break,
                PromptWait::Stopped => return Ok(PromptWait::Stopped),
                PromptWait::Input if next_is_control => break,
                PromptWait::Input => {}
            }
            match source.try_recv() {
                Ok(bytes) => statements.feed(&bytes),
                Err(TryRecvError::Disconnected) if !has_ended => {
                    statements.end();
                    has_ended = true;
                }
                Err(_) => {}
            }
            if may_ask {
                match statements.next_line() {
                    Some(line) => prompt.answer_input(&line)?,
                    // Control characters may have changed the board's mode, for example to the raw REPL.
                    None if has_ended && matches!(statement, Statement::Raw(_)) => {
                        return Ok(PromptWait::Stopped);
                    }
                    None => {}
                }
            }
        }
    }
}
