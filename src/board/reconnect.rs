//! Waits for a board whose cable was pulled, and opens its port again.

use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::link::{Address, Link};
use crate::board::native;
use crate::board::port::{self, Port, TICK};
use crate::board::repl::Repl;
use crate::board::serial_ports;
use crate::board::wire_log::Logged;
use crate::shutdown::Shutdown;
use crate::wait::{Site, Wait};

/// How often to try the port.
const AGAIN: Duration = Duration::from_millis(250);

/// How long to wait before trying to enter a board again.
const ENTER_AGAIN: Duration = Duration::from_secs(1);

/// A port that is tried now and then until it opens.
#[derive(Debug)]
pub(crate) struct Reopening {
    address: Address,
    /// Whether nobody named the port.
    finds: bool,
    /// When to try again.
    next: Instant,
}

impl Reopening {
    /// A board with its own USB is found by its USB serial number, whatever name the port has. With `finds`, the user
    /// named no port: udpcli takes the one board that it finds, because the system may give it another name when the
    /// cable comes back.
    #[must_use]
    pub(crate) fn of(address: Address, finds: bool) -> Self {
        Self {
            address,
            finds,
            next: Instant::now(),
        }
    }

    /// Tries the port with `open`; `None` if the port does not exist yet, or was tried a moment ago.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(crate) fn attempt(
        &mut self,
        open: impl FnOnce(&Address) -> Result<Box<dyn Port>, Error>,
    ) -> Result<Option<Box<dyn Port>>, Error> {
        if Instant::now() < self.next {
            return Ok(None);
        }
        self.next = Instant::now() + AGAIN;
        match open(&self.address) {
            Ok(port) => return Ok(Some(port)),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => tracing::trace!("{error}"),
        }
        // A board with its own USB may return under another name.
        let elsewhere = native::elsewhere(&self.address.port);
        if let Some(name) = elsewhere.or_else(|| {
            self.finds
                .then(serial_ports::only_board)
                .and_then(Result::ok)
        }) && name != self.address.port
        {
            self.address.port = name;
            // The new name was found just now, so it is worth an attempt at once.
            self.next = Instant::now();
        }
        Ok(None)
    }

    /// Where the port is, or was last.
    #[must_use]
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }
}

/// Tries the port with `open` until it opens, as [`Reopening`] does. Afterwards `address` has the port's name.
///
/// # Errors
/// [`Error::Interrupted`].
pub(crate) fn reopen(
    address: &mut Address,
    finds: bool,
    shutdown: &Shutdown,
    open: impl Fn(&Address) -> Result<Box<dyn Port>, Error>,
) -> Result<Box<dyn Port>, Error> {
    let is_stopped = || shutdown.is_asked();
    let mut wait = Wait::at(Site::Cable, &is_stopped);
    let mut reopening = Reopening::of(address.clone(), finds);
    loop {
        if let Some(port) = reopening.attempt(&open)? {
            address.clone_from(reopening.address());
            return Ok(port);
        }
        if wait.look().is_some() {
            return Err(Error::Interrupted);
        }
        std::thread::sleep(TICK);
    }
}

/// As [`reopen`], and enters the board; if that fails, calls `not_entered` and tries again.
///
/// # Errors
/// [`Error::Interrupted`].
pub(crate) fn enter(
    address: &mut Address,
    finds: bool,
    shutdown: &Shutdown,
    mut not_entered: impl FnMut(&Error),
) -> Result<Repl, Error> {
    let is_stopped = || shutdown.is_asked();
    loop {
        let port = reopen(address, finds, shutdown, |address| {
            open(address, &is_stopped)
        })?;
        match Repl::enter(Link::over(port, address, shutdown.clone())) {
            Ok(repl) => return Ok(repl),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                // The board may still boot after its cable came back; only Ctrl-C ends the attempts.
                not_entered(&error);
                let mut wait =
                    Wait::at(Site::Cable, &is_stopped).until(Instant::now() + ENTER_AGAIN);
                while wait.look().is_none() {
                    std::thread::sleep(TICK);
                }
            }
        }
    }
}

/// Opens the port, with its log.
///
/// # Errors
/// [`Error::Open`], [`Error::Interrupted`].
pub(crate) fn open(
    address: &Address,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Box<dyn Port>, Error> {
    let port = port::open(&address.port, address.baud, address.timeout, is_stopped)?;
    Ok(Logged::over(port, address.wire.as_ref()))
}
