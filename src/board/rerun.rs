//! `board run --watch`: runs a program again each time its file is saved.
//!
//! A program that cannot run is an event: udpcli then waits for the next save.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::board::each_save::{CableObserver, RoundEnd, Rounds, Watched};
use crate::board::error::Error;
use crate::board::file_changes::{self, Changes};
use crate::board::files::Files;
use crate::board::files::error::TransferError;
use crate::board::files::remote::RemotePath;
use crate::board::files::transfer::{TransferObserver, Transferred};
use crate::board::files::upload::Upload;
use crate::board::input::Typed;
use crate::board::life_cycle::{
    self, EndedRun, Ending, RunEvent, RunObserver, RunOptions, WatchOled,
};
use crate::board::link::{Address, Link};
use crate::board::port::TICK;
use crate::board::program::known::InterpreterState;
use crate::board::repl::Repl;
use crate::shutdown::Shutdown;

/// An editor may move a file away or empty it for this long while it saves.
const SAVING: Duration = Duration::from_millis(200);

/// What to run again, and how.
#[derive(Debug)]
pub(crate) struct RerunOptions<'a> {
    /// The program's file.
    pub(crate) script: &'a Path,
    /// Files and folders that it needs on the board.
    pub(crate) with: &'a [PathBuf],
    /// Whether to restart the interpreter if an earlier program left something behind.
    pub(crate) soft_reset: bool,
    /// Whether the display is watched.
    pub(crate) oled: WatchOled,
}

/// What happens between the runs.
#[derive(Debug)]
pub(crate) enum RerunEvent<'a> {
    /// A run begins; its number, from 1.
    Starts(u64),
    /// Files were put onto the board before the run.
    Put(&'a Transferred),
    /// Files could not be put.
    NotPut(TransferError),
    /// A run ended by itself.
    Ended(EndedRun),
    /// The program was not started.
    NotStarted(Error),
    /// The file is missing or cannot be read: udpcli waits for the next save.
    Unreadable(&'a std::io::Error),
    /// A program on the board printed something after its end: a timer, a thread, `main.py` after a restart.
    Printed(&'a [u8]),
}

/// Receives what happens between and during the runs.
pub(crate) trait RerunObserver: RunObserver + TransferObserver + CableObserver {
    /// Takes an event.
    fn between(&mut self, event: RerunEvent<'_>);

    /// Makes a program from the file's bytes.
    ///
    /// # Errors
    /// [`Error::NotSource`]: it is none.
    fn program(&mut self, file: Vec<u8>) -> Result<Vec<u8>, Error>;

    /// Reads the file.
    ///
    /// # Errors
    /// What the operating system says.
    fn read(&mut self, path: &Path) -> std::io::Result<Vec<u8>>;
}

/// Runs the program now and at each save, until Ctrl-C or until the observer wants the end. With `finds`, as
/// [`reopen`](crate::board::reconnect::reopen).
///
/// # Errors
/// The first connection fails. Whatever goes wrong later is an event.
pub(crate) fn run(
    address: &Address,
    finds: bool,
    options: &RerunOptions<'_>,
    shutdown: &Shutdown,
    observer: &mut dyn RerunObserver,
) -> Result<(), Error> {
    let mut paths = vec![options.script.to_owned()];
    paths.extend_from_slice(options.with);
    let changes = Changes::of(&paths);
    let repl = Repl::enter(Link::open(address, shutdown.clone())?)?;
    let mut rerun = Rerun {
        options,
        shutdown,
        observer,
        is_entered: true,
        put: None,
        runs: 0,
        known: InterpreterState::default(),
    };
    let (repl, result) = Watched::new(repl, finds, changes, shutdown).run(&mut rerun);
    match repl {
        // After Ctrl-C the board is left in order.
        Some(repl) if rerun.is_entered => result.and(repl.close()),
        Some(repl) => {
            repl.detach();
            result
        }
        None => result,
    }
}

struct Rerun<'a> {
    /// What to run, and how.
    options: &'a RerunOptions<'a>,
    /// Ctrl-C ends the wait for an editor.
    shutdown: &'a Shutdown,
    /// Receives what happens.
    observer: &'a mut dyn RerunObserver,
    /// Whether the board is in its raw REPL: not after a program restarted it.
    is_entered: bool,
    /// The files of `--with` as they were when they were put.
    put: Option<file_changes::FileState>,
    /// How many runs have begun.
    runs: u64,
    /// What is known about the interpreter, so that a run need not look at it, or soft-reset, each time.
    known: InterpreterState,
}

impl Rounds for Rerun<'_> {
    type Error = Error;

    fn round(&mut self, repl: &mut Repl, changes: &mut Changes) -> Result<RoundEnd, Error> {
        let result = match self.source(changes) {
            Ok(Some(source)) => self.run_once(repl, changes, &source),
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        Ok(match result {
            // A save interrupted the program.
            Ok(true) => RoundEnd::SavedMeanwhile,
            Ok(false) => RoundEnd::Done,
            Err(error) if repl.link().is_lost() => RoundEnd::Lost(error),
            Err(Error::Interrupted) => RoundEnd::Over,
            Err(error) => {
                self.observer.between(RerunEvent::NotStarted(error));
                RoundEnd::Done
            }
        })
    }

    fn prepare(&mut self, repl: &mut Repl) {
        if self.is_entered
            && self.options.soft_reset
            && let Err(error) = self.known.prepare(repl)
        {
            tracing::debug!("the next run begins anew: {error}");
            self.known.forget();
        }
    }

    fn printed(&mut self, printed: &[u8]) {
        self.known.forget();
        self.observer.between(RerunEvent::Printed(printed));
    }

    fn is_over(&mut self) -> bool {
        self.observer.wants_interrupt()
    }

    fn is_back(&mut self) {
        self.is_entered = true;
        self.put = None;
        self.known.forget();
    }

    fn cable_observer(&mut self) -> &mut dyn CableObserver {
        self.observer
    }
}

impl Rerun<'_> {
    /// The program as it is now; none if it is not there. Waits for an editor that has not finished.
    fn source(&mut self, changes: &mut Changes) -> Result<Option<Vec<u8>>, Error> {
        let until = Instant::now() + SAVING;
        loop {
            let read = self.observer.read(self.options.script);
            let is_late = Instant::now() > until;
            match read {
                // An editor that truncates first leaves an empty file for a moment.
                Ok(file) if is_late || !file.is_empty() => return Ok(self.program(file)),
                Err(error) if is_late => {
                    self.observer.between(RerunEvent::Unreadable(&error));
                    return Ok(None);
                }
                Ok(_) | Err(_) => {
                    std::thread::sleep(TICK);
                    // The state that is read now must not trigger another run.
                    changes.note();
                }
            }
            if self.shutdown.is_asked() {
                return Err(Error::Interrupted);
            }
        }
    }

    /// The program from the file's bytes; none if it is not Python source, which is an event.
    fn program(&mut self, file: Vec<u8>) -> Option<Vec<u8>> {
        match self.observer.program(file) {
            Ok(source) => Some(source),
            Err(error) => {
                self.observer.between(RerunEvent::NotStarted(error));
                None
            }
        }
    }

    /// Runs the program to its end or to the next save; true after a save.
    fn run_once(
        &mut self,
        repl: &mut Repl,
        changes: &mut Changes,
        source: &[u8],
    ) -> Result<bool, Error> {
        if !std::mem::replace(&mut self.is_entered, true) {
            repl.reenter()?;
            self.known.forget();
        }
        self.runs += 1;
        self.observer.between(RerunEvent::Starts(self.runs));
        let with = file_changes::state(self.options.with);
        if !with.is_empty() && self.put.as_ref() != Some(&with) {
            self.known.forget();
            if !put(repl, self.options, self.observer)? {
                return Ok(false);
            }
            self.put = Some(with);
        }
        let run_options = RunOptions {
            source,
            soft_reset: self.options.soft_reset,
            oled: self.options.oled,
            detach: false,
        };
        let mut observer = UntilSave {
            observer: self.observer,
            changes,
            is_saved: false,
        };
        let ended = life_cycle::run_again(repl, &run_options, Some(&mut self.known), &mut observer);
        let is_saved = observer.is_saved;
        // The run has switched this off, because Ctrl-C was for the program.
        repl.link().heed_shutdown(true);
        let ended = ended?;
        if matches!(ended.ending, Ending::Restarted(_) | Ending::StillRunning(_)) {
            self.is_entered = false;
        }
        // The user knows why the program ended: a save stopped it.
        if !(is_saved && matches!(ended.ending, Ending::Stopped | Ending::Done)) {
            self.observer.between(RerunEvent::Ended(ended));
        }
        Ok(is_saved)
    }
}

/// Puts the files of `--with`. False if they could not be put: the next save may help.
fn put(
    repl: &mut Repl,
    options: &RerunOptions<'_>,
    observer: &mut dyn RerunObserver,
) -> Result<bool, Error> {
    let done = RemotePath::parse(":".as_ref())
        .map_err(TransferError::from)
        .and_then(|remote| Upload::read(options.with, remote))
        .and_then(|upload| Files::with(repl, |files| upload.put(files, observer)));
    match done {
        Ok(done) => {
            observer.between(RerunEvent::Put(&done));
            Ok(true)
        }
        Err(TransferError::Board(error))
            if matches!(error, Error::Interrupted) || repl.link().is_lost() =>
        {
            Err(error)
        }
        Err(error) => {
            observer.between(RerunEvent::NotPut(error));
            Ok(false)
        }
    }
}

/// Interrupts the program at the next save.
struct UntilSave<'a> {
    observer: &'a mut dyn RerunObserver,
    changes: &'a mut Changes,
    is_saved: bool,
}

impl RunObserver for UntilSave<'_> {
    fn event(&mut self, event: RunEvent<'_>) {
        RunObserver::event(self.observer, event);
    }

    fn wants_interrupt(&mut self) -> bool {
        if !self.is_saved && self.changes.has_begun() {
            self.is_saved = true;
        }
        self.is_saved || self.observer.wants_interrupt()
    }

    fn typed(&mut self) -> Typed {
        self.observer.typed()
    }

    fn untyped(&mut self, rest: Vec<u8>) {
        self.observer.untyped(rest);
    }
}
