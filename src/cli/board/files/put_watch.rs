//! `udpcli board put --watch`.

use std::path::PathBuf;

use super::super::tell;
use super::{PutArgs, SerialArgs, TransferPrinter, put, session, summary};
use crate::board::each_save::{CableEvent, CableObserver};
use crate::board::error::Error as BoardError;
use crate::board::files::exclude::Exclude;
use crate::board::files::remote::RemotePath;
use crate::board::files::transfer::{TransferEvent, TransferObserver};
use crate::board::files::upload::Upload;
use crate::board::reput::{self, ReputEvent, ReputObserver, ReputOptions};
use crate::cli::GlobalArgs;
use crate::error::{Error, Outcome};
use crate::terminal::status;

/// Puts the files now and at each save, until Ctrl-C.
pub(super) fn run(
    locals: &[PathBuf],
    remote: &RemotePath,
    excludes: &[Exclude],
    args: &PutArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    // A wrong name is an error; if a file is removed later, udpcli waits for it.
    let upload = Upload::read_without(locals, remote.clone(), excludes.to_vec())?;
    put::refuse_delete_of_files(args, &upload)?;
    let shutdown = session::shutdown()?;
    let repl = match session::connect(serial, shutdown.clone()) {
        Err(Error::Board(BoardError::Interrupted)) => return Ok(Outcome::Interrupted),
        result => result?,
    };
    let options = ReputOptions {
        locals,
        remote,
        excludes,
        delete: args.delete,
    };
    let mut watcher = PutPrinter {
        printer: TransferPrinter::new(global.quiet),
        rounds: 0,
        written: 0,
        removed: 0,
    };
    // If the user named no port, udpcli finds a board that comes back on another port.
    let finds = serial.port().is_none();
    reput::run(repl, finds, &options, &shutdown, &mut watcher)?;
    status::end_interrupted_line();
    tracing::info!(
        say = "put.watch-ended",
        written = watcher.written,
        removed = watcher.removed
    );
    Ok(Outcome::Done)
}

/// Shows the uploads to a person.
struct PutPrinter {
    /// Prints the events.
    printer: TransferPrinter,
    /// The uploads so far, those without a change among them.
    rounds: u64,
    /// The files written.
    written: u64,
    /// The files removed.
    removed: u64,
}

impl TransferObserver for PutPrinter {
    fn event(&mut self, event: TransferEvent<'_>) {
        match &event {
            TransferEvent::Put { .. } => self.written += 1,
            TransferEvent::Removed(_) => self.removed += 1,
            _ => {}
        }
        self.printer.event(event);
    }
}

impl CableObserver for PutPrinter {
    fn cable(&mut self, event: CableEvent<'_>) {
        session::tell_cable(&event);
    }
}

impl ReputObserver for PutPrinter {
    fn between(&mut self, event: ReputEvent<'_>) {
        match event {
            ReputEvent::Done(done, removed, time) => {
                self.rounds += 1;
                // A save that changes nothing, as editors do on every Ctrl-S, needs no line.
                if self.rounds == 1 || done.written + removed > 0 {
                    tracing::info!("{}", summary(done, time));
                }
                if self.rounds == 1 {
                    tracing::info!(say = "put.watching");
                }
            }
            ReputEvent::NotDone(error) => {
                tell(&error.into());
                tracing::info!(say = "put.next-save");
            }
        }
    }
}
