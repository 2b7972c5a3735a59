//! The first steps of every command that talks with the board.

use crate::atomic_file;
use crate::board::each_save::CableEvent;
use crate::board::error::as_value;
use crate::board::files::Files;
use crate::board::info;
use crate::board::link::{Address, Link};
use crate::board::repl::{HeldRepl, Repl, ToGo};
use crate::board::serial_ports;
use crate::board::wire_log::WireLog;
use crate::cli::board::{SerialArgs, fleet};
use crate::error::{Error, Startable};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::job_output::JobOutput;
use crate::terminal::status;
use crate::words::catalogue::say;

/// Starts to watch for Ctrl-C.
pub(super) fn shutdown() -> Result<Shutdown, Error> {
    Shutdown::on_signal().map_err(|source| Error::Start {
        what: Startable::Signals,
        source,
    })
}

/// The port that the user named, or that of the only board.
pub(super) fn address(serial: &SerialArgs) -> Result<Address, Error> {
    Ok(Address {
        port: match serial.port() {
            Some(port) => port.to_owned(),
            None => {
                let port = serial_ports::only_board()?;
                tracing::debug!("the one board found is on {port}");
                port
            }
        },
        baud: serial.rate(),
        timeout: serial.connect_timeout,
        wire: wire_log(serial)?,
        line_rate: serial.line_rate,
    })
}

/// Creates the log for `--wire`. Refuses a FIFO or a device, which could block the line.
pub(super) fn wire_log(serial: &SerialArgs) -> Result<Option<WireLog>, Error> {
    let Some(path) = &serial.wire else {
        return Ok(None);
    };
    if atomic_file::is_device(path) {
        return Err(Error::usage_hint(
            say!("cli.wire-device", path = path.display()),
            say!("cli.wire-device.hint"),
        ));
    }
    let log = WireLog::create(path).map_err(|source| {
        Error::File(file::Error::Open {
            path: path.clone(),
            source,
        })
    })?;
    tracing::info!(say = "cli.wire", path = %path.display());
    Ok(Some(log))
}

/// Opens the line.
pub(super) fn open(serial: &SerialArgs, shutdown: Shutdown) -> Result<Link, Error> {
    let_go(serial)?;
    Ok(Link::open(&address(serial)?, shutdown)?)
}

/// Closes the connection that an earlier step has left open.
pub(super) fn let_go(serial: &SerialArgs) -> Result<(), Error> {
    if let Some(held) = &serial.held {
        held.close()?;
    }
    Ok(())
}

/// Enters the board's raw REPL.
pub(super) fn open_repl(serial: &SerialArgs, shutdown: Shutdown) -> Result<Repl, Error> {
    if let Some(repl) = serial.held.as_ref().and_then(HeldRepl::take) {
        return Ok(repl);
    }
    let mut repl = Repl::enter(open(serial, shutdown)?)?;
    if let Some(held) = &serial.held {
        // From now on closing gives the connection back to the next step, instead of to the board.
        held.keep_closed(&mut repl);
    }
    name(serial, &mut repl)?;
    Ok(repl)
}

/// Asks one of several boards for its MAC address, if the list of names may have that.
fn name(serial: &SerialArgs, repl: &mut Repl) -> Result<(), Error> {
    let Some(list) = serial.known.as_deref().filter(|list| !list.is_empty()) else {
        return Ok(());
    };
    // Only ask a board that has no name yet, because the question takes time.
    if JobOutput::current().is_some_and(|lane| lane.name().is_none())
        && let Some(mac) = info::mac(repl)?
    {
        fleet::identify(Some(list), &mac);
    }
    Ok(())
}

/// Enters the board's raw REPL, and reports what was necessary.
pub(super) fn connect(serial: &SerialArgs, shutdown: Shutdown) -> Result<Repl, Error> {
    let mut repl = open_repl(serial, shutdown)?;
    if repl.entered().reset_by_hand {
        tracing::info!(say = "board-cli.only-by-reset", port = repl.link().name());
    } else if repl.entered().stopped_program {
        tell_stopped();
    }
    Ok(repl)
}

/// Reports that udpcli stopped the program on the board.
pub(super) fn tell_stopped() {
    tracing::info!(say = "board-cli.program-stopped");
}

/// Reports a pulled cable while udpcli watches files.
pub(super) fn tell_cable(event: &CableEvent<'_>) {
    match event {
        CableEvent::Lost(error) => {
            status::end_line();
            tracing::warn!(say = "watch.lost", error = as_value(error));
        }
        CableEvent::Back(port) => tracing::info!(say = "watch.back", port = port),
        CableEvent::NotEntered(error) => {
            tracing::warn!(say = "watch.not-entered", error = as_value(error));
        }
    }
}

/// Enters the board's raw REPL, does `work` on its file system, and returns to the prompt, also after an error.
pub(super) fn with_files<T>(
    serial: &SerialArgs,
    work: impl FnOnce(&mut Files<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    with_repl(serial, |repl| Files::with(repl, work))
}

/// As [`with_files`], for work that transfers this much.
pub(super) fn with_files_for<T>(
    serial: &SerialArgs,
    to_go: ToGo,
    work: impl FnOnce(&mut Files<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    with_repl(serial, |repl| Files::with_transfer(repl, to_go, work))
}

/// As [`with_files`], for work that also copies, moves and dates files on the board.
pub(super) fn with_manage<T>(
    serial: &SerialArgs,
    work: impl FnOnce(&mut Files<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    with_repl(serial, |repl| Files::with_manage(repl, work))
}

/// Enters the board's raw REPL, does `work`, and returns the board to its prompt, even if the work failed.
pub(super) fn with_repl<T>(
    serial: &SerialArgs,
    work: impl FnOnce(&mut Repl) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut repl = connect(serial, shutdown()?)?;
    let result = work(&mut repl);
    match (result, repl.close()) {
        (Ok(_), Err(error)) => Err(error.into()),
        (result, _) => result,
    }
}
