//! Waits for a board whose cable was pulled, and opens its port again.

use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::link::Address;
use crate::board::port::{self, Port, TICK};
use crate::board::ports;
use crate::board::wire::Logged;
use crate::shutdown::Shutdown;
use crate::wait::{Site, Wait};

/// How often the port is tried.
const AGAIN: Duration = Duration::from_millis(250);

/// Tries the port with `open` until it opens. With `finds`, nobody named the port: the one board found is taken, as the system may give
/// it another name when the cable comes back. `address` has its name then.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn reopen(
    address: &mut Address,
    finds: bool,
    shutdown: &Shutdown,
    open: impl Fn(&Address) -> Result<Box<dyn Port>, Error>,
) -> Result<Box<dyn Port>, Error> {
    let is_stopped = || shutdown.is_asked();
    let mut wait = Wait::at(Site::Cable, &is_stopped);
    loop {
        let next = Instant::now() + AGAIN;
        match open(address) {
            Ok(port) => return Ok(port),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => tracing::trace!("{error}"),
        }
        if finds
            && let Ok(name) = ports::only_board()
            && name != address.port
        {
            address.port = name;
            continue;
        }
        while Instant::now() < next {
            if wait.look().is_some() {
                return Err(Error::Interrupted);
            }
            std::thread::sleep(TICK);
        }
    }
}

/// Opens the port, with its log.
///
/// # Errors
/// [`Error::Open`], [`Error::Interrupted`].
pub fn open(address: &Address, is_stopped: &dyn Fn() -> bool) -> Result<Box<dyn Port>, Error> {
    let port = port::open(&address.port, address.baud, address.timeout, is_stopped)?;
    Ok(Logged::over(port, address.wire.as_ref()))
}
