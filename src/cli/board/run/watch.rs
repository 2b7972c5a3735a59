//! `udpcli board run --watch`.

use std::io::Read as _;
use std::path::Path;

use super::super::tell;
use super::{
    MAX_SCRIPT, RunArgs, RunPrinter, SerialArgs, mirroring, program, session, show_traceback,
    tell_symptom,
};
use crate::atomic_file;
use crate::board::each_save::{CableEvent, CableObserver};
use crate::board::error::{Error as BoardError, as_value};
use crate::board::files::transfer::{TransferEvent, TransferObserver};
use crate::board::input::Typed;
use crate::board::life_cycle::{Ending, RunEvent, RunObserver, WatchOled};
use crate::board::rerun::{self, RerunEvent, RerunObserver, RerunOptions};
use crate::error::{Error, Outcome};
use crate::file;
use crate::terminal::status;
use crate::words::catalogue::say;

/// Runs the program now and at each save, until Ctrl-C.
pub(super) fn run(args: &RunArgs, script: &Path, serial: &SerialArgs) -> Result<Outcome, Error> {
    if script.as_os_str() == "-" || atomic_file::is_device(script) {
        return Err(Error::usage_hint(
            say!("watch.no-file", path = script.display()),
            say!("watch.no-file.hint"),
        ));
    }
    // A wrong name is an error; if a file is removed later, udpcli waits for it.
    for path in std::iter::once(script).chain(args.with.iter().map(AsRef::as_ref)) {
        std::fs::metadata(path).map_err(|source| {
            Error::File(file::Error::Open {
                path: path.to_owned(),
                source,
            })
        })?;
    }
    if let Some(path) = &args.image {
        mirroring::check(path)?;
    }
    let shutdown = session::shutdown()?;
    let address = session::address(serial)?;
    let mut printer = RunPrinter::new(shutdown.clone(), args.image.clone());
    printer.is_watching = true;
    let options = RerunOptions {
        script,
        with: &args.with,
        soft_reset: !args.no_soft_reset,
        oled: match (&args.image, &printer.panel) {
            (Some(_), _) => WatchOled::Always,
            (None, Some(_)) if !args.no_mirror => WatchOled::IfUsed,
            _ => WatchOled::Never,
        },
    };
    let mut watcher = RerunPrinter {
        printer,
        script: script.display().to_string(),
    };
    // If the user named no port, udpcli finds a board that comes back on another port.
    let finds = serial.port().is_none();
    let result = rerun::run(&address, finds, &options, &shutdown, &mut watcher);
    if let Some(panel) = watcher.printer.panel.take() {
        panel.keep();
    }
    match (result, watcher.printer.failure) {
        // Nothing ran yet.
        (Err(BoardError::Interrupted), _) => Ok(Outcome::Interrupted),
        (Err(error), _) => Err(error.into()),
        (Ok(()), Some(failure)) => Err(failure),
        (Ok(()), None) => {
            if shutdown.is_asked() {
                status::end_interrupted_line();
            }
            tracing::info!(say = "watch.ended");
            Ok(Outcome::Done)
        }
    }
}

/// Shows the runs to a person.
struct RerunPrinter {
    /// Shows each run.
    printer: RunPrinter,
    /// The program's name for messages.
    script: String,
}

impl RerunPrinter {
    /// Reports how a run ended, and what comes next.
    fn ended(&self, ending: &Ending) {
        match ending {
            Ending::Exception(text) => {
                show_traceback(text);
                tracing::info!(say = "watch.next-save", path = self.script);
            }
            Ending::Done => tracing::info!(say = "watch.done", path = self.script),
            Ending::Stopped => tracing::info!(say = "board-cli.run-stopped"),
            Ending::Restarted(error) => {
                tracing::warn!(
                    say = "watch.restarted",
                    error = as_value(error),
                    path = self.script
                );
            }
            Ending::StillRunning(error) => {
                tracing::warn!(say = "board-cli.run-still", error = as_value(error));
            }
            Ending::Detached { .. } => {}
        }
    }
}

impl RunObserver for RerunPrinter {
    fn event(&mut self, event: RunEvent<'_>) {
        self.printer.event(event);
    }

    fn wants_interrupt(&mut self) -> bool {
        self.printer.reader_gone
    }

    fn typed(&mut self) -> Typed {
        self.printer.typed()
    }

    fn untyped(&mut self, rest: Vec<u8>) {
        self.printer.untyped(rest);
    }
}

impl TransferObserver for RerunPrinter {
    fn event(&mut self, event: TransferEvent<'_>) {
        if let TransferEvent::Put { remote, len, .. } = event {
            tracing::info!(say = "watch.put", path = %remote, len = %len);
        }
    }
}

impl CableObserver for RerunPrinter {
    fn cable(&mut self, event: CableEvent<'_>) {
        session::tell_cable(&event);
    }
}

impl RerunObserver for RerunPrinter {
    fn between(&mut self, event: RerunEvent<'_>) {
        match event {
            RerunEvent::Starts(1) => tracing::info!(say = "watch.first", path = self.script),
            RerunEvent::Starts(_) => {
                status::end_line();
                tracing::info!(say = "watch.again", path = self.script);
            }
            RerunEvent::Put(done) => {
                tracing::debug!("{} files put, {} unchanged", done.written, done.unchanged);
            }
            RerunEvent::NotPut(error) => tell(&error.into()),
            RerunEvent::NotStarted(error) => tell(&error.into()),
            RerunEvent::Ended(ended) => {
                self.ended(&ended.ending);
                if let Some(symptom) = ended.symptom {
                    tell_symptom(symptom);
                }
            }
            RerunEvent::Unreadable(error) => {
                tracing::warn!(say = "watch.unreadable", path = self.script, error = %error);
            }
            RerunEvent::Printed(printed) => self.printer.show(printed, None),
        }
    }

    fn program(&mut self, file: Vec<u8>) -> Result<Vec<u8>, BoardError> {
        program(&self.script, &file)
    }

    fn read(&mut self, path: &Path) -> std::io::Result<Vec<u8>> {
        let mut file = Vec::new();
        std::fs::File::open(path)?
            .take(MAX_SCRIPT)
            .read_to_end(&mut file)?;
        Ok(file)
    }
}
