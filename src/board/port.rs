//! A serial port with a board: on this machine, or offered by another machine over the network.

mod cable;
pub mod rfc2217;
mod tcp;

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::native;
use crate::board::serial_port_owner;
use crate::wait::{Site, Wait, Waited};

/// How often a wait checks for Ctrl-C and its deadline.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// How long to retry a port that another program uses.
const HELD: Duration = Duration::from_millis(300);

/// The baud rate of the mPython board and of nearly all MicroPython boards.
pub(crate) const DEFAULT_BAUD: u32 = 115_200;

/// A serial port with 8 data bits, no parity, 1 stop bit and no flow control.
pub trait Port: Send + fmt::Debug {
    /// Reads the available bytes, and waits at most `timeout` for the first one. 0 means that none arrived.
    ///
    /// # Errors
    /// The port is gone: unplugged, or the connection was closed.
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize>;

    /// Writes some of `bytes`, and waits at most `timeout` for buffer space. 0 means that there was none.
    ///
    /// # Errors
    /// The port is gone.
    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize>;

    /// Discards written bytes that are not on the line yet, if the port can do so, so that the next bytes do not wait
    /// for them.
    fn discard_output(&mut self) {}

    /// Sets DTR: asserted (low on the wire) if `level` is true.
    ///
    /// # Errors
    /// The port has no such line: a pty, `socket://`.
    fn set_dtr(&mut self, _level: bool) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Sets RTS: asserted (low on the wire) if `level` is true.
    ///
    /// # Errors
    /// The port has no such line.
    fn set_rts(&mut self, _level: bool) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Changes the baud rate; does nothing on a port without one.
    ///
    /// # Errors
    /// The port does not support it.
    fn set_baud(&mut self, _baud: u32) -> io::Result<()> {
        Ok(())
    }

    /// Sets the control lines so that a board with its own USB sends: such a board takes a raised DTR as a sign that a
    /// program reads. Ports that do this by themselves, and other boards, need nothing.
    fn show_reader(&mut self) {}

    /// Whether [`Self::set_baud`] has an effect on the line.
    fn can_change_rate(&self) -> bool {
        false
    }
}

/// Opens a port by its name: a device, `COM5`, `socket://HOST:PORT` or `rfc2217://HOST:PORT`. `is_stopped` returns true
/// once the user has pressed Ctrl-C.
///
/// Any device name is accepted, listed or not, and the device is locked while it is open. Opening may reset a board
/// through its control lines, but this function does not do so on purpose.
///
/// # Errors
/// [`Error::Open`] names the program that uses the port, if it is known. [`Error::Interrupted`].
pub fn open(
    name: &str,
    baud: u32,
    timeout: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Box<dyn Port>, Error> {
    let opened: io::Result<Box<dyn Port>> = if let Some(address) = name.strip_prefix("socket://") {
        connect(address, timeout, is_stopped)?.map(|port| Box::new(port) as _)
    } else if let Some(address) = name.strip_prefix("rfc2217://") {
        connect(address, timeout, is_stopped)?
            .and_then(|tcp| rfc2217::Rfc2217::over(tcp, baud))
            .map(|port| Box::new(port) as _)
    } else {
        let opened = open_cable(name, baud);
        // Look up the USB device now, because its name works only while the port exists.
        if opened.is_ok() {
            native::note_opened(name);
        }
        opened.map(|port| Box::new(port) as _)
    };
    opened.map_err(|source| Error::Open {
        port: name.to_owned(),
        // The search through all processes is slow, so only for the error that it explains.
        holders: if serial_port_owner::is_held(&source) {
            serial_port_owner::of(name)
        } else {
            Vec::new()
        },
        source,
    })
}

/// Resolves and connects on another thread, because neither call can be cancelled. An abandoned thread ends with its
/// own timeout; the resolver has none.
fn connect(
    address: &str,
    timeout: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<io::Result<tcp::Tcp>, Error> {
    let address = address.to_owned();
    let connected = Wait::at(Site::Connect, is_stopped)
        // One tick more than the connection's own timeout, so that the connection's more precise error comes first.
        .until(Instant::now() + timeout + TICK)
        .call(move || tcp::Tcp::connect(&address, timeout));
    Ok(match connected {
        Ok(Waited::Done(result)) => result,
        Ok(Waited::Interrupted) => return Err(Error::Interrupted),
        Ok(Waited::TimeUp) => Err(io::Error::new(io::ErrorKind::TimedOut, LineFault::NoAnswer)),
        Err(error) => Err(error),
    })
}

/// Opens a device. Retries a short time if it is in use, because a program that just ended may still have it open.
fn open_cable(name: &str, baud: u32) -> io::Result<cable::Cable> {
    let until = Instant::now() + HELD;
    loop {
        match cable::Cable::open(name, baud) {
            Err(error) if serial_port_owner::is_held(&error) && Instant::now() < until => {
                std::thread::sleep(TICK);
            }
            result => return result,
        }
    }
}

/// Whether an error of a read or a write is only a timeout.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// The error for a closed connection.
fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, LineFault::Closed)
}

/// Errors of a port for which the operating system has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineFault {
    /// The TCP connection was not accepted within the timeout.
    #[error("no answer in time")]
    NoAnswer,
    /// The other end of a pseudo-terminal or connection has hung up.
    #[error("the line was closed")]
    Closed,
    /// There is no port number after the host's name.
    #[error("write socket://HOST:PORT or rfc2217://HOST:PORT")]
    NoAddress,
    /// `socket://` has no commands beside the data.
    #[error("socket:// carries no control lines; rfc2217:// does")]
    NoLinesOverTcp,
    /// A pseudo-terminal, for example.
    #[error("it has no control lines")]
    NoLines,
    /// The name belongs to a file, a folder or another device.
    #[error("it is not a serial port")]
    NoSerialPort,
    /// An RFC 2217 server whose receive window stays full.
    #[error("the other side accepts no commands")]
    TakesNoCommands,
    /// An RFC 2217 server that would fill our memory with replies.
    #[error("the other side sends requests but does not read the answers")]
    ReadsNoAnswers,
}
