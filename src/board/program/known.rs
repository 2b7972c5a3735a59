//! What udpcli knows about the interpreter after its own last run in the same connection: `run --watch` then need not
//! ask the board, and often needs no soft reset, which takes 0.2 to 1 s.
//!
//! A program is self-contained if it imports only modules without a state of their own and calls nothing that reaches
//! beyond its own names. After such a program udpcli deletes these names, and checks that as many are left as after the
//! soft reset. In doubt, udpcli makes a soft reset.

use super::WORK;
pub(crate) use super::self_contained::is_module;
use super::self_contained::{is_of_word, self_contained};
use crate::board::error::Error;
use crate::board::operation::Doing;
use crate::board::repl::{Repl, SubmitMode};

/// The most names that an interpreter has after a soft reset.
const MOST_NAMES: usize = 64;

/// What is known about the interpreter before a run.
#[derive(Debug, Default)]
pub struct InterpreterState {
    /// The names after the last soft reset.
    names: Option<Vec<String>>,
    /// What ran since then.
    last: Last,
}

#[derive(Debug, Default)]
enum Last {
    /// Anything may have happened.
    #[default]
    Unknown,
    /// A program that udpcli started ran. It may have left names, threads or sockets.
    Ours,
    /// A self-contained program with these imports.
    SelfContained(Vec<String>),
    /// No program has run since: udpcli deleted what was left, or the interpreter restarted.
    Nothing { is_clean: bool },
}

impl InterpreterState {
    /// Whether udpcli's own program ran last, so that there is nothing to find out.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.last, Last::Unknown)
    }

    /// The interpreter is as after a soft reset: remembers its names, if that helps with this program.
    pub(super) fn learn(&mut self, repl: &mut Repl, source: &[u8]) {
        self.last = Last::Unknown;
        self.names = None;
        if self_contained(source, &[]).is_none() {
            return;
        }
        let code = b"print(' '.join([n for n in globals()]))";
        let doing = Doing::LookingAtInterpreter;
        if let Ok(answer) = repl.exec_short(SubmitMode::Plain, doing, code, WORK) {
            let text = String::from_utf8_lossy(&answer).into_owned();
            let names: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let is_name = |name: &String| name.bytes().all(is_of_word);
            if names.len() <= MOST_NAMES && names.iter().all(is_name) {
                self.names = Some(names);
            }
        }
    }

    /// A program from udpcli has ended, and udpcli has cleaned up.
    pub(crate) fn ran(&mut self, source: &[u8], has_agent: bool) {
        self.last = match &self.names {
            // The agent hooks methods of the display object, which deleting names does not undo.
            Some(names) if !has_agent => {
                self_contained(source, names).map_or(Last::Ours, Last::SelfContained)
            }
            _ => Last::Ours,
        };
    }

    /// Something else happened on the board.
    pub(crate) fn forget(&mut self) {
        self.last = Last::Unknown;
    }

    /// Deletes what the last program left, or soft-resets. Does nothing the second time.
    ///
    /// # Errors
    /// The board does not come back.
    pub fn prepare(&mut self, repl: &mut Repl) -> Result<(), Error> {
        if matches!(self.last, Last::Unknown | Last::Nothing { .. }) {
            return Ok(());
        }
        let is_clean = self.clean(repl);
        if !is_clean {
            repl.soft_reset()?;
        }
        self.last = Last::Nothing { is_clean };
        Ok(())
    }

    /// Whether the names are already known.
    pub(super) fn is_clean(&self) -> bool {
        matches!(self.last, Last::Nothing { is_clean: true })
    }

    /// Deletes what a self-contained program left. False if a soft reset is needed.
    fn clean(&self, repl: &mut Repl) -> bool {
        let (Last::SelfContained(imports), Some(names)) = (&self.last, &self.names) else {
            return false;
        };
        let code = cleaning(imports, names);
        let doing = Doing::LookingAtInterpreter;
        match repl.exec_short(SubmitMode::Plain, doing, code.as_bytes(), WORK) {
            // The count proves that no thread added a name, and that none of the boot's names is missing.
            Ok(answer) => answer == format!("~{}~", names.len()).into_bytes(),
            Err(error) => {
                tracing::debug!("soft reset: {error}");
                false
            }
        }
    }
}

/// The code that deletes a program's names. A module that was loaded from a file on the board raises an exception.
fn cleaning(imports: &[String], names: &[String]) -> String {
    let imported: Vec<String> = imports
        .iter()
        .map(|module| format!("if hasattr(__import__('{module}'),'__file__'):1/0\n"))
        .collect();
    let kept: Vec<String> = names
        .iter()
        .filter(|name| is_module(name))
        .map(|name| format!("if {name} is not __import__('{name}'):1/0\n"))
        .collect();
    format!(
        "{}{}for _ in[n for n in globals()]:\n if _ not in'{}'.split():del globals()[_]\nglobals().pop('_',0)\nprint('~%d~'%len(globals()),end='')",
        imported.concat(),
        kept.concat(),
        names.join(" ")
    )
}
