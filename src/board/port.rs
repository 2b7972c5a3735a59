//! A serial line to a board: a cable, or a port that another machine offers over the network.

mod cable;
pub mod rfc2217;
mod tcp;

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::holder;
use crate::wait::{Site, Wait, Waited};

/// How often a wait looks up: a reader is told of Ctrl-C and deadlines at least this often.
pub const TICK: Duration = Duration::from_millis(20);

/// How long a port that another program holds is tried.
const HELD: Duration = Duration::from_millis(300);

/// The rate of the mPython board and of nearly all MicroPython boards.
pub const DEFAULT_BAUD: u32 = 115_200;

/// A serial line, 8 data bits, no parity, 1 stop bit, no flow control.
pub trait Port: Send + fmt::Debug {
    /// Reads what is there, waiting at most `timeout` for a first byte. 0 means that nothing came.
    ///
    /// # Errors
    /// The line is gone: unplugged, or the connection was closed.
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize>;

    /// Writes some of `bytes`, waiting at most `timeout` for room. 0 means that there was none.
    ///
    /// # Errors
    /// The line is gone.
    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize>;

    /// Drops what was written and is not on the line yet, as far as the port can: nothing stands before what is written
    /// next.
    fn discard_output(&mut self);

    /// Sets DTR; asserted (low on the wire) when `level`.
    ///
    /// # Errors
    /// The port has no such line: a pty, `socket://`.
    fn set_dtr(&mut self, level: bool) -> io::Result<()>;

    /// Sets RTS; asserted (low on the wire) when `level`.
    ///
    /// # Errors
    /// The port has no such line.
    fn set_rts(&mut self, level: bool) -> io::Result<()>;

    /// Changes the rate.
    ///
    /// # Errors
    /// The port cannot.
    fn set_baud(&mut self, baud: u32) -> io::Result<()>;
}

/// Opens a port by what the user calls it: a device, `COM5`, `socket://HOST:PORT` or `rfc2217://HOST:PORT`; until
/// `is_stopped` says that the end was asked for.
///
/// A device is taken as given, listed or not, and locked for as long as it is open. Opening may reset a board
/// through its control lines; nothing here does so on purpose.
///
/// # Errors
/// [`Error::Open`] names the program that holds the port, where that can be seen. [`Error::Interrupted`].
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
        open_cable(name, baud).map(|port| Box::new(port) as _)
    };
    opened.map_err(|source| Error::Open {
        port: name.to_owned(),
        holder: holder::is_held(&source).then(|| holder::of(name)).flatten(),
        source,
    })
}

/// Neither the system's resolver nor its connect can be left once they are called. A thread that is left ends with its
/// own timeout; the resolver knows none.
fn connect(
    address: &str,
    timeout: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<io::Result<tcp::Tcp>, Error> {
    let address = address.to_owned();
    let connected = Wait::at(Site::Connect, is_stopped)
        .until(Instant::now() + timeout + TICK)
        .call(move || tcp::Tcp::connect(&address, timeout));
    Ok(match connected {
        Ok(Waited::Done(result)) => result,
        Ok(Waited::Interrupted) => return Err(Error::Interrupted),
        Ok(Waited::TimeUp) => Err(io::Error::new(io::ErrorKind::TimedOut, LineFault::NoAnswer)),
        Err(error) => Err(error),
    })
}

/// Opens a device. One that is held is tried again for a moment: a program that just ended may not be gone yet.
fn open_cable(name: &str, baud: u32) -> io::Result<cable::Cable> {
    let until = Instant::now() + HELD;
    loop {
        match cable::Cable::open(name, baud) {
            Err(error) if holder::is_held(&error) && Instant::now() < until => {
                std::thread::sleep(TICK);
            }
            result => return result,
        }
    }
}

/// Whether an error of a read or a write means that a wait ran out, and nothing worse.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// What a closed line is called.
fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, LineFault::Closed)
}

/// What a line fails of that the system has no error for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is")]
pub enum LineFault {
    #[error("no answer in time")]
    NoAnswer,
    #[error("the line was closed")]
    Closed,
    #[error("write socket://HOST:PORT or rfc2217://HOST:PORT")]
    NoAddress,
    #[error("socket:// carries no control lines; rfc2217:// does")]
    NoLinesOverTcp,
    #[error("it has none")]
    NoLines,
    #[error("it is no serial port")]
    NoSerialPort,
    #[error("the far side takes no commands")]
    TakesNoCommands,
    #[error("the far side asks and does not read the answers")]
    ReadsNoAnswers,
}
