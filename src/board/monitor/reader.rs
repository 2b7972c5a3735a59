//! Reads a serial line on its own thread, so that a slow reader of stdout loses no byte: the kernel buffers only some
//! kilobytes of a serial port's input.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::link::Address;
use crate::board::port::{Port, TICK};
use crate::board::reconnect;
use crate::datagram::Timestamp;
use crate::shutdown::Shutdown;

/// The maximum number of bytes in one event.
const CHUNK: usize = 4096;

/// The queue of events: up to 16 MiB. While it is full, the line is not read.
const WAITING: usize = 4096;

/// How long to drain the operating system's buffer after Ctrl-C.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// An event on the line.
#[derive(Debug)]
pub(crate) enum LineEvent {
    /// The board sent bytes.
    Bytes(Timestamp, Vec<u8>),
    /// The port is gone; the monitor waits for it.
    Lost(Timestamp, String),
    /// The port with this name is open again.
    Back(Timestamp, String),
}

/// Opens the line and starts to read it. The events end after Ctrl-C. With `finds`, it searches for the port as
/// [`reconnect::reopen`] does.
///
/// # Errors
/// [`Error::Open`], [`Error::Interrupted`]; the thread could not be started.
pub(crate) fn start(
    address: &Address,
    finds: bool,
    shutdown: &Shutdown,
) -> Result<Receiver<LineEvent>, Error> {
    let port = open(address, shutdown)?;
    // Bounded, so that a reader that stopped cannot fill this PC's memory.
    let (sender, events) = sync_channel(WAITING);
    let (address, shutdown) = (address.clone(), shutdown.clone());
    let name = address.port.clone();
    std::thread::Builder::new()
        .name("monitor".to_owned())
        .spawn(move || read(port, address, finds, &shutdown, &sender))
        .map_err(|source| Error::Open {
            port: name,
            holders: Vec::new(),
            source,
        })?;
    Ok(events)
}

/// Opens the port with the control lines held.
fn open(address: &Address, shutdown: &Shutdown) -> Result<Box<dyn Port>, Error> {
    let _held = hold_lines(&address.port);
    reconnect::open(address, &|| shutdown.is_asked())
}

/// Reads until Ctrl-C, or until the receiver of the events is gone.
fn read(
    mut port: Box<dyn Port>,
    mut address: Address,
    finds: bool,
    shutdown: &Shutdown,
    events: &SyncSender<LineEvent>,
) {
    let mut buffer = vec![0; CHUNK];
    let mut end: Option<Instant> = None;
    loop {
        if shutdown.is_asked() {
            let end = *end.get_or_insert_with(|| Instant::now() + LAST_LOOK);
            if Instant::now() >= end {
                return;
            }
        }
        let wait = if end.is_some() {
            Duration::from_millis(1)
        } else {
            TICK
        };
        let event = match port.read(&mut buffer, wait) {
            Ok(0) if end.is_some() => return,
            Ok(0) => continue,
            Ok(len) => {
                let bytes = buffer.get(..len).unwrap_or_default().to_vec();
                LineEvent::Bytes(Timestamp::now(), bytes)
            }
            Err(error) => {
                let lost = LineEvent::Lost(Timestamp::now(), error.to_string());
                // Close the port before waiting: while it is open, Linux gives a returning device another name.
                drop(port);
                if events.send(lost).is_err() {
                    return;
                }
                let Ok(reopened) = reconnect::reopen(&mut address, finds, shutdown, |address| {
                    open(address, shutdown)
                }) else {
                    return;
                };
                port = reopened;
                LineEvent::Back(Timestamp::now(), address.port.clone())
            }
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Whether the operating system itself raises DTR and RTS when this port is opened: Linux and macOS do so for every
/// port with these lines, Windows does not.
#[must_use]
pub(crate) fn raises_lines(port: &str) -> bool {
    let is_network = port.starts_with("socket://") || port.starts_with("rfc2217://");
    // A pseudo-terminal has no such lines.
    let is_pty = std::fs::canonicalize(port).is_ok_and(|path| path.starts_with("/dev/pts"));
    cfg!(unix) && !is_network && !is_pty
}

/// Makes the operating system leave DTR and RTS unchanged when the port is closed (`HUPCL` in termios(3)); by default
/// it drops them. The returned file must live until the port is open.
#[cfg(unix)]
fn hold_lines(port: &str) -> Option<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    use rustix::termios::{ControlModes, OptionalActions};

    if !raises_lines(port) {
        return None;
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(port)
        .ok()?;
    let mut settings = rustix::termios::tcgetattr(&file).ok()?;
    settings.control_modes.remove(ControlModes::HUPCL);
    rustix::termios::tcsetattr(&file, OptionalActions::Now, &settings).ok()?;
    Some(file)
}

/// Only Unix has this setting.
#[cfg(not(unix))]
fn hold_lines(_: &str) -> Option<std::fs::File> {
    None
}
