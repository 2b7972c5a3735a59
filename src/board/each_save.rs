//! Does something on a board now, and again each time a file on this PC is saved. `board put --watch` and `board run
//! --watch` share this code.
//!
//! The board stays in its raw REPL between two rounds. If the cable is pulled, udpcli waits until the board is back and
//! starts the round again.

use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::file_changes::Changes;
use crate::board::link::Address;
use crate::board::port::TICK;
use crate::board::reconnect;
use crate::board::repl::Repl;
use crate::shutdown::Shutdown;
use crate::wait::{Site, Wait};

/// How often to look whether an editor has finished.
const SETTLE: Duration = Duration::from_millis(2);

/// What happens to the cable.
#[derive(Debug)]
pub enum CableEvent<'a> {
    /// The serial port is gone.
    Lost(&'a Error),
    /// The serial port is back, under this name.
    Back(&'a str),
    /// udpcli could not enter the board, and tries again.
    NotEntered(&'a Error),
}

/// Receives what happens to the cable.
pub trait CableObserver {
    /// Takes an event.
    fn cable(&mut self, event: CableEvent<'_>);
}

/// How a round ended.
#[derive(Debug)]
pub(super) enum RoundEnd {
    /// The next round follows the next save.
    Done,
    /// A save came in between.
    SavedMeanwhile,
    /// The serial port is gone.
    Lost(Error),
    /// The user wants no more rounds.
    Over,
}

/// What is done at each save.
pub(super) trait Rounds {
    /// Why there can be no further round.
    type Error;

    /// Does one round. A failure that the next round may fix is an event for the round's own observer.
    fn round(&mut self, repl: &mut Repl, changes: &mut Changes) -> Result<RoundEnd, Self::Error>;

    /// A save has begun: does what needs no file, while the editor goes on writing. The next round finds out whether
    /// this failed.
    fn prepare(&mut self, repl: &mut Repl);

    /// Takes what the board prints between two rounds.
    fn printed(&mut self, printed: &[u8]);

    /// Whether the user wants no more, apart from Ctrl-C.
    fn is_over(&mut self) -> bool;

    /// The cable was pulled and is back: udpcli has entered the board again.
    fn is_back(&mut self);

    /// The observer that shows a pulled cable.
    fn cable_observer(&mut self) -> &mut dyn CableObserver;
}

/// A board, and the files on this PC that udpcli watches for it.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    /// None if the cable was pulled and did not come back.
    repl: Option<Repl>,
    /// Where the board is; it may return under another name.
    address: Address,
    /// Whether the user named no port, so that udpcli may search for the board.
    finds: bool,
    /// Ctrl-C ends the watch.
    shutdown: &'a Shutdown,
    /// The files on this PC.
    changes: Changes,
}

impl<'a> Watched<'a> {
    /// With `finds`, as [`reconnect::reopen`].
    pub(super) fn new(
        mut repl: Repl,
        finds: bool,
        changes: Changes,
        shutdown: &'a Shutdown,
    ) -> Self {
        Self {
            address: repl.link().address().clone(),
            repl: Some(repl),
            finds,
            shutdown,
            changes,
        }
    }

    /// Does a round now and at each save, until Ctrl-C or until the user wants no more rounds. Returns the board,
    /// unless its cable is pulled.
    pub(super) fn run<R: Rounds>(mut self, rounds: &mut R) -> (Option<Repl>, Result<(), R::Error>) {
        let result = self.go_on(rounds);
        (self.repl, result)
    }

    /// The loop of [`Self::run`].
    fn go_on<R: Rounds>(&mut self, rounds: &mut R) -> Result<(), R::Error> {
        while let Some(repl) = &mut self.repl
            && !self.shutdown.is_asked()
            && !rounds.is_over()
        {
            // At the first sign of a save, not at its end: udpcli stops the old program while the editor still writes.
            if self.changes.has_begun() {
                rounds.prepare(repl);
            }
            // The editor may not have finished.
            while self.changes.may_go_on() && !self.shutdown.is_asked() {
                std::thread::sleep(SETTLE);
            }
            // Before the round reads the files, so that a save during the round starts the next one.
            self.changes.note();
            if self.shutdown.is_asked() {
                break;
            }
            let lost = match rounds.round(repl, &mut self.changes)? {
                RoundEnd::Done => self.wait_for_save(rounds),
                RoundEnd::SavedMeanwhile => None,
                RoundEnd::Lost(error) => Some(error),
                RoundEnd::Over => break,
            };
            if let Some(error) = lost {
                self.come_back(&error, rounds);
            }
        }
        Ok(())
    }

    /// Waits for the next save, or the end. Returns the error if the serial port is gone.
    fn wait_for_save<R: Rounds>(&mut self, rounds: &mut R) -> Option<Error> {
        let is_stopped = || self.shutdown.is_asked();
        let mut wait = Wait::at(Site::Save, &is_stopped);
        let link = self.repl.as_mut()?.link();
        while !self.changes.has_begun() {
            if wait.look().is_some() || rounds.is_over() {
                return None;
            }
            match link.fill(Instant::now() + TICK) {
                Ok(_) => {
                    // Also read unexpected output: the next round would take it for an answer.
                    let printed = link.take(usize::MAX);
                    if !printed.is_empty() {
                        rounds.printed(&printed);
                    }
                }
                Err(Error::Interrupted) => return None,
                Err(error) => return Some(error),
            }
        }
        None
    }

    /// Waits until the cable is back, and enters the board. After Ctrl-C there is no board.
    fn come_back<R: Rounds>(&mut self, error: &Error, rounds: &mut R) {
        if let Some(repl) = self.repl.take() {
            // The line is gone; returning to the prompt would only wait for timeouts.
            repl.detach();
        }
        let observer = rounds.cable_observer();
        observer.cable(CableEvent::Lost(error));
        let entered = reconnect::enter(&mut self.address, self.finds, self.shutdown, |error| {
            observer.cable(CableEvent::NotEntered(error));
        });
        // Only Ctrl-C ends the wait.
        let Ok(repl) = entered else {
            return;
        };
        observer.cable(CableEvent::Back(&self.address.port));
        self.repl = Some(repl);
        rounds.is_back();
    }
}
