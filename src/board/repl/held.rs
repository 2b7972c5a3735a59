//! A board that stays in its raw REPL between two commands of one run.

use std::sync::{Arc, Mutex};

use super::Repl;
use crate::board::enter::Entered;
use crate::board::error::Error;

/// Where a board waits for the next command, so that several commands use one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldRepl(Arc<Mutex<Option<Box<Repl>>>>);

impl HeldRepl {
    /// Takes the board out, if one waits. It comes back when it is closed.
    #[must_use]
    pub(crate) fn take(&self) -> Option<Repl> {
        // Boxed, because the place is empty most of the time and a `Repl` is large.
        let mut repl = *self.0.lock().ok()?.take()?;
        repl.held = Some(self.clone());
        Some(repl)
    }

    /// Makes a board wait here when it is closed.
    pub(crate) fn keep_closed(&self, repl: &mut Repl) {
        repl.held = Some(self.clone());
    }

    /// Returns the waiting board to its ordinary prompt.
    ///
    /// # Errors
    /// The line has failed.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let Some(mut repl) = self.take() else {
            return Ok(());
        };
        repl.held = None;
        repl.close()
    }

    /// Stores a closed board for the next command.
    pub(super) fn keep(&self, mut repl: Repl) {
        // For the next command, the board's program has ended, and Ctrl-C ends waits again.
        repl.entered = Entered::default();
        repl.link.heed_shutdown(true);
        if let Ok(mut place) = self.0.lock() {
            *place = Some(Box::new(repl));
        }
    }
}
