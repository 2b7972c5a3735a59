//! A board's own USB port leaves the bus at a reset, and returns, perhaps under another name (see [`native`]).

use std::time::{Duration, Instant};

use super::{Link, must_end};
use crate::board::error::Error;
use crate::board::native;
use crate::board::port::{self, TICK};
use crate::board::wire_log::Logged;
use crate::wait::{Site, Wait};

/// A board's own USB port is gone after a reset.
#[derive(Debug)]
pub(super) struct Absence {
    since: Instant,
    /// When to try the port next.
    next: Instant,
    /// The error by which the line failed.
    source: std::io::Error,
}

/// A failure this soon after a reset means that the port has left the bus.
const RESET_EFFECT: Duration = Duration::from_secs(3);

/// How long a port may be away after a reset; Windows takes seconds to set up a device.
const AWAY: Duration = Duration::from_secs(10);

/// How often to try a port that is away.
const AWAY_AGAIN: Duration = Duration::from_millis(50);

/// How soon after a reset a port leaves the bus, if it does.
const LEAVE: Duration = Duration::from_millis(700);

impl Link {
    /// Waits until the board's own USB port is on the bus again after [`Self::hard_reset`]; it may have another name then.
    /// Behind an adapter, and on a chip that stays on the bus, there is nothing to wait for.
    ///
    /// # Errors
    /// The port does not return, or the user pressed Ctrl-C.
    pub(crate) fn await_return(&mut self) -> Result<(), Error> {
        if self.native.is_none() {
            return Ok(());
        }
        // A port that has not left the bus by now stays there.
        let leave = Instant::now() + LEAVE;
        let heard = self.pending.len();
        while self.absence.is_none() && self.reset_at.is_some() && self.pending.len() == heard {
            if !self.fill(leave)? {
                break;
            }
        }
        while self.absence.is_some() {
            self.fill(Instant::now() + TICK)?;
        }
        Ok(())
    }

    /// Waits for the board's own USB port, which the line has lost without a reset by udpcli: the program on the board may
    /// have restarted it. False if it does not return.
    ///
    /// # Errors
    /// The user pressed Ctrl-C.
    pub(crate) fn has_returned(&mut self) -> Result<bool, Error> {
        if self.native.is_none() || !self.is_lost {
            return Ok(false);
        }
        let (shutdown, grace) = (self.shutdown.clone(), self.grace());
        let is_stopped = || must_end(&shutdown, grace);
        let mut wait = Wait::at(Site::Cable, &is_stopped).until(Instant::now() + RESET_EFFECT);
        while wait.look().is_none() {
            std::thread::sleep(AWAY_AGAIN);
            if self.reopen().is_ok() {
                self.is_lost = false;
                return Ok(true);
            }
        }
        if must_end(&self.shutdown, grace) {
            return Err(Error::Interrupted);
        }
        Ok(false)
    }

    /// Whether the port is there; tries to open one that a reset took away.
    pub(super) fn is_there(&mut self) -> Result<bool, Error> {
        let Some(absence) = &mut self.absence else {
            return Ok(true);
        };
        let now = Instant::now();
        if now < absence.next {
            return Ok(false);
        }
        absence.next = now + AWAY_AGAIN;
        let is_over = now.duration_since(absence.since) > AWAY;
        match self.reopen() {
            Ok(()) => {
                self.absence = None;
                self.reset_at = None;
                Ok(true)
            }
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(error) if is_over => {
                tracing::debug!("the port did not return: {error}");
                match self.absence.take() {
                    Some(absence) => Err(self.gone(absence.source)),
                    None => Err(error),
                }
            }
            Err(_) => Ok(false),
        }
    }

    /// Opens the board's own USB port again, under the name that it has now.
    fn reopen(&mut self) -> Result<(), Error> {
        let mut address = self.address.clone();
        if let Some(name) = native::elsewhere(&address.port) {
            address.port = name;
        }
        // Opening a port does not take long; the user's timeout is for the board.
        let port = port::open(&address.port, address.baud, AWAY_AGAIN, &|| false)?;
        self.port = Logged::over(port, address.wire.as_ref());
        if address.port != self.address.port {
            tracing::info!(
                say = "boards.port-renamed",
                old = self.address.port.as_str(),
                new = address.port.as_str()
            );
        }
        self.address = address;
        self.native = native::of(&self.address.port).or(self.native.take());
        Ok(())
    }

    /// The line has failed: soon after a reset the board's own USB port is expected back, otherwise it is an error.
    pub(super) fn lose(&mut self, source: std::io::Error) -> Result<(), Error> {
        let was_reset = self
            .reset_at
            .is_some_and(|reset| reset.elapsed() < RESET_EFFECT);
        if self.native.is_none() || !was_reset {
            return Err(self.gone(source));
        }
        tracing::debug!(
            "{} left the bus after the reset: {source}",
            self.address.port
        );
        let now = Instant::now();
        self.absence = Some(Absence {
            since: now,
            next: now + AWAY_AGAIN,
            source,
        });
        Ok(())
    }
}
