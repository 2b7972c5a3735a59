//! `board run --watch`: runs a program again each time its file is saved.
//!
//! The board stays in its raw REPL between two runs. A program that cannot run is an event: the next save is waited for. If
//! the cable is pulled, udpcli waits until it is back and runs the program again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::board::changes::{self, Changes};
use crate::board::error::Error;
use crate::board::files::Files;
use crate::board::files::error::TransferError;
use crate::board::files::remote::RemotePath;
use crate::board::files::transfer::{TransferObserver, Transferred};
use crate::board::files::upload::Upload;
use crate::board::life_cycle::{self, Ended, Ending, RunEvent, RunObserver, RunOptions, WatchOled};
use crate::board::link::{Address, Link};
use crate::board::port::TICK;
use crate::board::reconnect;
use crate::board::repl::Repl;
use crate::shutdown::Shutdown;
use crate::wait::{Site, Wait};

/// An editor may have a file away, or empty, for so long while it saves.
const SAVING: Duration = Duration::from_millis(200);

/// What to run again, and how.
#[derive(Debug)]
pub struct RerunOptions<'a> {
    /// The program's file.
    pub script: &'a Path,
    /// Files and folders that it needs on the board.
    pub with: &'a [PathBuf],
    /// Whether the interpreter starts anew where an earlier program left something behind.
    pub soft_reset: bool,
    /// Whether the display is watched.
    pub oled: WatchOled,
}

/// What happens between the runs.
#[derive(Debug)]
pub enum RerunEvent<'a> {
    /// A run begins; its number, from 1.
    Starts(u64),
    /// Files were put onto the board before it.
    Put(&'a Transferred),
    /// Files could not be put.
    NotPut(TransferError),
    /// A run ended by itself.
    Ended(Ended),
    /// The program was not started.
    NotStarted(Error),
    /// The file is not there or cannot be read: the next save is waited for.
    Unreadable(&'a std::io::Error),
    /// A program on the board printed something after its end: a timer, a thread, `main.py` after a restart.
    Printed(&'a [u8]),
    /// The serial port is gone.
    Lost(&'a Error),
    /// It is back, under this name.
    Back(&'a str),
    /// The board did not let udpcli in; it is tried again.
    NotEntered(&'a Error),
}

/// Receives what happens between and during the runs.
pub trait RerunObserver: RunObserver + TransferObserver {
    /// Takes an event.
    fn between(&mut self, event: RerunEvent<'_>);

    /// Makes a program of the file's bytes.
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
/// [`reconnect::reopen`].
///
/// # Errors
/// The first connection fails. Whatever goes wrong later is an event.
pub fn run(
    address: Address,
    finds: bool,
    options: &RerunOptions<'_>,
    shutdown: &Shutdown,
    observer: &mut dyn RerunObserver,
) -> Result<(), Error> {
    let mut paths = vec![options.script.to_owned()];
    paths.extend_from_slice(options.with);
    let changes = Changes::of(&paths);
    let repl = Repl::enter(Link::open(&address, shutdown.clone())?)?;
    let mut rerun = Rerun {
        address,
        finds,
        options,
        shutdown,
        observer,
        changes,
        repl: Some(repl),
        is_entered: true,
        put: None,
        runs: 0,
    };
    match rerun.go_on() {
        // After Ctrl-C the board is left in order.
        Ok(()) | Err(Error::Interrupted) => rerun.leave(),
        Err(error) => Err(error),
    }
}

struct Rerun<'a> {
    address: Address,
    finds: bool,
    options: &'a RerunOptions<'a>,
    shutdown: &'a Shutdown,
    observer: &'a mut dyn RerunObserver,
    changes: Changes,
    /// None while the cable is pulled.
    repl: Option<Repl>,
    /// Whether the board is in its raw REPL: not after a program restarted it.
    is_entered: bool,
    /// The files of `--with` as they were when they were put.
    put: Option<changes::State>,
    runs: u64,
}

impl Rerun<'_> {
    fn is_over(&mut self) -> bool {
        self.shutdown.is_asked() || self.observer.wants_interrupt()
    }

    fn go_on(&mut self) -> Result<(), Error> {
        while !self.is_over() {
            self.changes.note();
            let result = match self.source()? {
                Some(source) => self.run_once(&source),
                None => Ok(false),
            };
            match result {
                Err(error) if self.is_lost() => self.come_back(&error)?,
                Err(Error::Interrupted) => return Ok(()),
                Err(error) => {
                    self.observer.between(RerunEvent::NotStarted(error));
                    self.wait_for_save()?;
                }
                // It was interrupted by a save.
                Ok(true) => {}
                Ok(false) => self.wait_for_save()?,
            }
        }
        Ok(())
    }

    fn is_lost(&mut self) -> bool {
        self.repl.as_mut().is_none_or(|repl| repl.link().is_lost())
    }

    /// The program as it is now; none if it is not there. Waits for an editor that has not finished.
    fn source(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let until = Instant::now() + SAVING;
        loop {
            let read = self.observer.read(self.options.script);
            let is_late = Instant::now() > until;
            match read {
                Ok(file) if is_late || !file.is_empty() => return Ok(self.program(file)),
                Err(error) if is_late => {
                    self.observer.between(RerunEvent::Unreadable(&error));
                    return Ok(None);
                }
                Ok(_) | Err(_) => std::thread::sleep(TICK),
            }
            if self.shutdown.is_asked() {
                return Err(Error::Interrupted);
            }
        }
    }

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
    fn run_once(&mut self, source: &[u8]) -> Result<bool, Error> {
        let Some(repl) = &mut self.repl else {
            return Ok(false);
        };
        if !std::mem::replace(&mut self.is_entered, true) {
            repl.reenter()?;
        }
        self.runs += 1;
        self.observer.between(RerunEvent::Starts(self.runs));
        let with = changes::state(self.options.with);
        if !with.is_empty() && self.put.as_ref() != Some(&with) {
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
            changes: &mut self.changes,
            is_saved: false,
        };
        let ended = life_cycle::run(repl, &run_options, &mut observer);
        let is_saved = observer.is_saved;
        repl.link().heed_shutdown(true);
        let ended = ended?;
        if matches!(ended.ending, Ending::Restarted(_) | Ending::StillRunning(_)) {
            self.is_entered = false;
        }
        if !(is_saved && matches!(ended.ending, Ending::Stopped | Ending::Done)) {
            self.observer.between(RerunEvent::Ended(ended));
        }
        Ok(is_saved)
    }

    /// Waits for the next save. What the board prints meanwhile is shown.
    fn wait_for_save(&mut self) -> Result<(), Error> {
        let shutdown = self.shutdown.clone();
        let is_stopped = || shutdown.is_asked();
        let mut wait = Wait::at(Site::Save, &is_stopped);
        while !self.changes.is_there() {
            if wait.look().is_some() || self.is_over() {
                return Ok(());
            }
            let Some(repl) = &mut self.repl else {
                return Ok(());
            };
            let link = repl.link();
            match link.fill(Instant::now() + TICK) {
                Ok(_) => {
                    let printed = link.take(usize::MAX);
                    if !printed.is_empty() {
                        self.observer.between(RerunEvent::Printed(&printed));
                    }
                }
                Err(Error::Interrupted) => return Ok(()),
                Err(error) => return self.come_back(&error),
            }
        }
        Ok(())
    }

    /// Waits until the cable is back, and enters the board.
    fn come_back(&mut self, error: &Error) -> Result<(), Error> {
        if let Some(repl) = self.repl.take() {
            repl.detach();
        }
        let observer = &mut *self.observer;
        observer.between(RerunEvent::Lost(error));
        let repl = reconnect::enter(&mut self.address, self.finds, self.shutdown, |error| {
            observer.between(RerunEvent::NotEntered(error));
        })?;
        self.observer.between(RerunEvent::Back(&self.address.port));
        self.repl = Some(repl);
        self.is_entered = true;
        self.put = None;
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        match self.repl.take() {
            Some(repl) if self.is_entered => repl.close(),
            Some(repl) => {
                repl.detach();
                Ok(())
            }
            None => Ok(()),
        }
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
        if !self.is_saved && self.changes.is_there() {
            self.is_saved = true;
        }
        self.is_saved || self.observer.wants_interrupt()
    }
}
