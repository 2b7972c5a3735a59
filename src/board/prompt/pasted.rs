//! Lines that the user pasted at the prompt: whole statements, each typed after the previous one has ended.

use std::time::Instant;

use crate::board::error::Error;
use crate::board::link::Link;
use crate::board::prompt::typed::{self, PASTE_GAP, UserAction};
use crate::board::prompt::{
    LOOK, Prompt, PromptObserver, PromptWait, SessionOutput, Statement, Statements,
};

/// The user's terminal while pasted lines run: Ctrl-C stops them.
struct Pasting<'a> {
    user: &'a mut dyn PromptObserver,
    /// What came from the keyboard meanwhile.
    typed: Vec<u8>,
    /// Whether the user pressed Ctrl-].
    has_left: bool,
}

impl SessionOutput for Pasting<'_> {
    fn show(&mut self, bytes: &[u8]) -> bool {
        self.user.show(bytes)
    }

    fn is_stopped(&mut self) -> bool {
        match typed::read(self.user) {
            // If the rest of the paste has line ends, it comes as a separate paste.
            UserAction::Bytes(bytes) | UserAction::Paste(bytes) => self.typed.extend(bytes),
            UserAction::Leave => self.has_left = true,
            UserAction::Nothing => {}
        }
        self.has_left || typed::has_interrupt(&self.typed) || self.user.is_stopped()
    }
}

/// The next whole statement of a paste that may still be coming; none if it ended, or the user stopped it.
fn next_statement(statements: &mut Statements, terminal: &mut Pasting<'_>) -> Option<Statement> {
    let mut until = Instant::now() + PASTE_GAP;
    loop {
        if terminal.is_stopped() {
            return None;
        }
        if !terminal.typed.is_empty() {
            statements.feed(&std::mem::take(&mut terminal.typed));
            until = Instant::now() + PASTE_GAP;
        }
        if let Some(statement) = statements.next(false) {
            return Some(statement);
        }
        if Instant::now() >= until {
            statements.end_lines();
            return statements.next(false);
        }
        std::thread::sleep(LOOK);
    }
}

/// Types lines that were pasted at the prompt. True if the user left meanwhile.
///
/// # Errors
/// The line has failed, or the board does not accept a statement.
pub(super) fn run(
    link: &mut Link,
    text: &[u8],
    user: &mut dyn PromptObserver,
) -> Result<bool, Error> {
    let has_line_end = text.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
    if !has_line_end && text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        // Part of a line, which the user will continue.
        link.send(text)?;
        return Ok(false);
    }
    let mut statements = Statements::default();
    statements.feed(text);
    if !has_line_end {
        // The prompt would drop characters that are not ASCII.
        statements.end();
    }
    let mut prompt = Prompt::here(link);
    let mut terminal = Pasting {
        user,
        typed: Vec::new(),
        has_left: false,
    };
    'typing: while let Some(statement) = next_statement(&mut statements, &mut terminal) {
        prompt.type_in(&statement, &mut terminal)?;
        loop {
            match prompt.wait(true, &mut terminal)? {
                PromptWait::Ready => break,
                PromptWait::Stopped => break 'typing,
                PromptWait::Input if statement.may_ask() => {
                    statements.feed(&std::mem::take(&mut terminal.typed));
                    if let Some(line) = statements.next_line() {
                        prompt.answer_input(&line)?;
                    }
                }
                PromptWait::Input => {}
            }
        }
    }
    // The beginning of a line, which the user will continue.
    prompt.send(&statements.take_partial())?;
    if typed::has_interrupt(&terminal.typed) {
        prompt.interrupt(&mut terminal)?;
    }
    Ok(terminal.has_left)
}
