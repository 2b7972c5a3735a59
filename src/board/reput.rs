//! `board put --watch`: puts files again each time one of them is saved.
//!
//! A file that cannot be read and a full board are events: udpcli then waits for the next save.

use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use crate::board::each_save::{CableObserver, RoundEnd, Rounds, Watched};
use crate::board::error::Error;
use crate::board::file_changes::Changes;
use crate::board::files::Files;
use crate::board::files::error::TransferError;
use crate::board::files::exclude::Exclude;
use crate::board::files::remote::RemotePath;
use crate::board::files::transfer::{TransferObserver, Transferred};
use crate::board::files::upload::{self, Remembered, Upload, UploadTarget};
use crate::board::port::TICK;
use crate::board::repl::{Repl, ToGo};
use crate::shutdown::Shutdown;

/// An editor may move a file away for this long while it saves.
const SAVING: Duration = Duration::from_millis(200);

/// What to put again, and how.
#[derive(Debug)]
pub struct ReputOptions<'a> {
    /// The files and folders on this PC.
    pub locals: &'a [PathBuf],
    /// Where they go.
    pub remote: &'a RemotePath,
    /// What is left out.
    pub excludes: &'a [Exclude],
    /// Whether to remove files that this PC lacks.
    pub delete: bool,
}

/// What happens between the uploads.
#[derive(Debug)]
pub enum ReputEvent<'a> {
    /// Everything is on the board: how many entries were removed, and how long it took.
    Done(&'a Transferred, u64, Duration),
    /// Something could not be put or removed.
    NotDone(TransferError),
}

/// Receives what happens between and during the uploads.
pub trait ReputObserver: TransferObserver + CableObserver {
    /// Takes an event.
    fn between(&mut self, event: ReputEvent<'_>);
}

/// Puts the files now and at each save, until Ctrl-C. With `finds`, as [`reopen`](crate::board::reconnect::reopen).
///
/// # Errors
/// The board has no place for the files. Whatever goes wrong later is an event.
pub fn run(
    repl: Repl,
    finds: bool,
    options: &ReputOptions<'_>,
    shutdown: &Shutdown,
    observer: &mut dyn ReputObserver,
) -> Result<(), TransferError> {
    let paths: Vec<PathBuf> = options.locals.iter().map(|local| watched(local)).collect();
    let mut reput = Reput {
        options,
        shutdown,
        observer,
        target: None,
        known: Remembered::default(),
    };
    let watched = Watched::new(repl, finds, Changes::of(&paths), shutdown);
    let (repl, result) = watched.run(&mut reput);
    let closed = repl.map_or(Ok(()), Repl::close);
    // After Ctrl-C the board is left in order.
    result.and(closed.map_err(TransferError::from))
}

/// What to watch for a name on this PC: for a pattern, the folder that it searches.
fn watched(local: &Path) -> PathBuf {
    let is_pattern = |text: &str| text.contains(['*', '?', '[']);
    if local.exists() || !local.to_str().is_some_and(is_pattern) {
        return local.to_owned();
    }
    let is_plain = |part: &Component<'_>| !part.as_os_str().to_str().is_some_and(is_pattern);
    let folder: PathBuf = local.components().take_while(is_plain).collect();
    if folder.as_os_str().is_empty() {
        return PathBuf::from(".");
    }
    folder
}

struct Reput<'a> {
    /// What to put, and where.
    options: &'a ReputOptions<'a>,
    /// Ctrl-C ends the wait for an editor.
    shutdown: &'a Shutdown,
    /// Receives what happens.
    observer: &'a mut dyn ReputObserver,
    /// The destination of the first upload: later uploads must not put files into a folder that the first one made.
    target: Option<UploadTarget>,
    /// What is on the board after the last upload.
    known: Remembered,
}

impl Rounds for Reput<'_> {
    type Error = TransferError;

    fn round(&mut self, repl: &mut Repl, changes: &mut Changes) -> Result<RoundEnd, TransferError> {
        match self.put(repl, changes) {
            Ok(true) => Ok(RoundEnd::Done),
            Ok(false) => Ok(RoundEnd::SavedMeanwhile),
            Err(TransferError::Board(error)) if repl.link().is_lost() => Ok(RoundEnd::Lost(error)),
            Err(TransferError::Board(Error::Interrupted)) => Ok(RoundEnd::Over),
            // The first upload also finds out whether the destination makes sense; that does not change with a save.
            Err(error) if self.target.is_none() => Err(error),
            Err(error) => {
                self.observer.between(ReputEvent::NotDone(error));
                Ok(RoundEnd::Done)
            }
        }
    }

    fn prepare(&mut self, _: &mut Repl) {}

    /// Ignore the output of a timer on the board. But a program that prints may also write files, and a board that was
    /// reset prints, too.
    fn printed(&mut self, _: &[u8]) {
        self.known.forget();
    }

    fn is_over(&mut self) -> bool {
        false
    }

    fn is_back(&mut self) {
        self.known.forget();
    }

    fn cable_observer(&mut self) -> &mut dyn CableObserver {
        self.observer
    }
}

impl Reput<'_> {
    /// The files as they are now. Waits for an editor that has not finished.
    fn read(&self) -> Result<Upload, TransferError> {
        let until = Instant::now() + SAVING;
        loop {
            let options = self.options;
            let excludes = options.excludes.to_vec();
            match Upload::read_without(options.locals, options.remote.clone(), excludes) {
                Err(TransferError::File(_))
                    if Instant::now() < until && !self.shutdown.is_asked() =>
                {
                    std::thread::sleep(TICK);
                }
                result => return result,
            }
        }
    }

    /// Puts files that differ, and removes files that this PC lacks. False if a save came in between, and nothing was
    /// removed.
    fn put(&mut self, repl: &mut Repl, changes: &mut Changes) -> Result<bool, TransferError> {
        let begun = Instant::now();
        let upload = self.read()?;
        let observer = &mut *self.observer;
        let shutdown = self.shutdown;
        let (target, known) = (&mut self.target, &mut self.known);
        let delete = self.options.delete;
        let to_go = ToGo::Bytes(upload.total_len());
        let ended = Files::with_transfer(repl, to_go, |files| {
            let planned = match &*target {
                Some(target) => upload.plan_at(target)?,
                None => upload.plan(files)?,
            };
            // Set this before the upload, so that a failed upload keeps the destination, too.
            *target = Some(planned.target().clone());
            let done = planned.put(files, known, observer)?;
            let excess = if delete {
                planned.excess(files)?
            } else {
                Vec::new()
            };
            if !excess.is_empty() {
                // The editor may be about to put the file back.
                let until = Instant::now() + SAVING;
                while Instant::now() < until && !shutdown.is_asked() {
                    if changes.is_there() {
                        return Ok::<_, TransferError>(None);
                    }
                    std::thread::sleep(TICK);
                }
            }
            upload::remove(files, &excess, observer)?;
            Ok(Some((done, excess.len() as u64)))
        })?;
        let Some((done, removed)) = ended else {
            return Ok(false);
        };
        let event = ReputEvent::Done(&done, removed, begun.elapsed());
        self.observer.between(event);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_pattern_the_folder_is_watched() {
        for (local, folder) in [
            ("*.py", "."),
            ("none/*.py", "none"),
            ("none/*/x.py", "none"),
            ("none/x.py", "none/x.py"),
        ] {
            assert_eq!(watched(Path::new(local)), Path::new(folder));
        }
    }
}
