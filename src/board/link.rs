//! A serial line with deadlines: what every conversation with a board stands on.

use std::time::{Duration, Instant};

use memchr::memmem;

use crate::board::error::Error;
use crate::board::port::{self, Port, TICK};
use crate::board::wire::{Logged, WireLog};
use crate::shutdown::Shutdown;
use crate::wait::{Over, Site, Wait};

/// A board that says more than this before the answer we wait for is not talking to us.
const MAX_PENDING: usize = 64 << 10;

/// How long a line may take no bytes at all before it counts as stuck.
const STUCK: Duration = Duration::from_secs(10);

/// Where and how to reach a board.
#[derive(Debug, Clone)]
pub struct Address {
    /// A device, `COM5`, `socket://HOST:PORT` or `rfc2217://HOST:PORT`.
    pub port: String,
    /// Baud rate of the serial line.
    pub baud: u32,
    /// How long to try to reach the board.
    pub timeout: Duration,
    /// Where the line's bytes are logged.
    pub wire: Option<WireLog>,
}

/// An open line, the bytes that came and were not yet taken, and Ctrl-C.
#[derive(Debug)]
pub struct Link {
    port: Box<dyn Port>,
    address: Address,
    shutdown: Shutdown,
    /// Whether Ctrl-C ends a wait at once. Off while the board is put in order, and where the caller looks itself: then
    /// it ends it when the time for that is over.
    heeds_shutdown: bool,
    pending: Vec<u8>,
    /// Whether the line failed: nothing can be said over it any more.
    is_lost: bool,
    /// Whether it was said that the board could not be put in order.
    has_given_up: bool,
}

/// How long the board may take to be put in order after Ctrl-C: with it a run ends within 2 s.
const ORDER: Duration = Duration::from_millis(1850);

/// Whether to wait for the board no longer.
fn must_end(shutdown: &Shutdown, heeds: bool) -> bool {
    shutdown
        .asked_at()
        .is_some_and(|asked| heeds || asked.elapsed() > ORDER)
}

impl Link {
    /// Opens the line.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::Interrupted`] when the user wants to end meanwhile.
    pub fn open(address: &Address, shutdown: Shutdown) -> Result<Self, Error> {
        let port = port::open(&address.port, address.baud, address.timeout, &|| {
            shutdown.is_asked()
        })?;
        tracing::debug!("serial port {} at {} baud", address.port, address.baud);
        let port = Logged::over(port, address.wire.as_ref());
        Ok(Self::over(port, address, shutdown))
    }

    /// A line that is open already.
    #[must_use]
    pub fn over(port: Box<dyn Port>, address: &Address, shutdown: Shutdown) -> Self {
        Self {
            port,
            address: address.clone(),
            shutdown,
            heeds_shutdown: true,
            pending: Vec::new(),
            is_lost: false,
            has_given_up: false,
        }
    }

    /// What the port is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.address.port
    }

    /// Where and how this line was opened.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether the line failed: unplugged, closed, or stuck.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// What tells of Ctrl-C.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Whether Ctrl-C ends a wait at once; returns how it was.
    pub fn heed_shutdown(&mut self, heed: bool) -> bool {
        std::mem::replace(&mut self.heeds_shutdown, heed)
    }

    /// How long `len` bytes take on the line: 10 bits each.
    #[must_use]
    pub fn line_time(&self, len: usize) -> Duration {
        Duration::from_secs_f64(len as f64 * 10.0 / f64::from(self.address.baud))
    }

    /// The bytes that came and were not yet taken.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Takes the first `len` of them.
    pub fn take(&mut self, len: usize) -> Vec<u8> {
        let rest = self.pending.split_off(len.min(self.pending.len()));
        std::mem::replace(&mut self.pending, rest)
    }

    /// Puts bytes back in front of those not yet taken.
    pub fn put_back(&mut self, bytes: &[u8]) {
        self.pending.splice(..0, bytes.iter().copied());
    }

    /// Waits for bytes until `deadline`; false if none came.
    ///
    /// # Errors
    /// The line is gone, or Ctrl-C was pressed.
    pub fn fill(&mut self, deadline: Instant) -> Result<bool, Error> {
        let mut buffer = [0; 4096];
        let is_stopped = || must_end(&self.shutdown, self.heeds_shutdown);
        let mut wait = Wait::at(Site::Board, &is_stopped).until(deadline);
        loop {
            // Looked before reading: a board that never stops talking must not keep us past the deadline.
            match wait.look() {
                Some(Over::Interrupted) => return Err(self.interrupted()),
                Some(Over::TimeUp) => return Ok(false),
                None => {}
            }
            let read = match self.port.read(&mut buffer, wait.piece(TICK)) {
                Ok(read) => read,
                Err(source) => return Err(self.gone(source)),
            };
            if read > 0 {
                self.pending
                    .extend_from_slice(buffer.get(..read).unwrap_or_default());
                return Ok(true);
            }
        }
    }

    /// Waits until `needle` came and takes everything up to its end, the needle included; none if it did not come.
    /// What came instead stays, at most 64 KiB of it.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn until(&mut self, needle: &[u8], deadline: Instant) -> Result<Option<Vec<u8>>, Error> {
        let mut searched = 0;
        loop {
            let from = searched;
            let unsearched = self.pending.get(from..).unwrap_or_default();
            if let Some(at) = memmem::find(unsearched, needle) {
                return Ok(Some(self.take(from + at + needle.len())));
            }
            searched = (self.pending.len() + 1).saturating_sub(needle.len());
            if self.pending.len() > MAX_PENDING {
                let surplus = self.pending.len() - MAX_PENDING / 2;
                self.take(surplus);
                searched = searched.saturating_sub(surplus);
            }
            if !self.fill(deadline)? {
                return Ok(None);
            }
        }
    }

    /// Waits until `len` bytes came, and takes them; none if they did not come.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn exactly(&mut self, len: usize, deadline: Instant) -> Result<Option<Vec<u8>>, Error> {
        while self.pending.len() < len {
            if !self.fill(deadline)? {
                return Ok(None);
            }
        }
        Ok(Some(self.take(len)))
    }

    /// Forgets what came.
    pub fn forget(&mut self) {
        self.pending.clear();
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// The line is gone or takes nothing for ten seconds, or Ctrl-C was pressed.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut left = bytes;
        let mut progress = Instant::now();
        let is_stopped = || must_end(&self.shutdown, self.heeds_shutdown);
        let mut wait = Wait::at(Site::Board, &is_stopped);
        while !left.is_empty() {
            if wait.look().is_some() {
                return Err(self.interrupted());
            }
            let sent = match self.port.write(left, TICK) {
                Ok(sent) => sent,
                Err(source) => return Err(self.gone(source)),
            };
            if sent > 0 {
                progress = Instant::now();
                left = left.get(sent..).unwrap_or_default();
            } else if progress.elapsed() > STUCK {
                self.is_lost = true;
                return Err(Error::Stuck {
                    port: self.address.port.clone(),
                });
            }
        }
        Ok(())
    }

    /// Pulls the board's reset line (EN, by RTS) while its boot mode line (IO0, by DTR) is left high: it starts its
    /// program, not its loader. 100 ms is what Espressif's own tools wait.
    ///
    /// # Errors
    /// [`Error::Lines`] where the port has no such lines.
    pub fn hard_reset(&mut self) -> Result<(), Error> {
        let result = self.port.set_dtr(false).and_then(|()| {
            self.port.set_rts(true)?;
            std::thread::sleep(Duration::from_millis(100));
            self.port.set_rts(false)
        });
        self.forget();
        result.map_err(|source| Error::Lines {
            port: self.address.port.clone(),
            source,
        })
    }

    /// The error after Ctrl-C. Says once that the board was left as it is. What is still to go over, up to a second's
    /// worth, is of no use any more, and in the way of what puts the board in order.
    fn interrupted(&mut self) -> Error {
        if self.heeds_shutdown {
            self.port.discard_output();
        }
        if !self.heeds_shutdown && !std::mem::replace(&mut self.has_given_up, true) {
            tracing::warn!(say = "board.given-up", port = self.address.port);
        }
        Error::Interrupted
    }

    /// The error for a line that failed.
    fn gone(&mut self, source: std::io::Error) -> Error {
        self.is_lost = true;
        Error::Gone {
            port: self.address.port.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A port that takes no bytes and counts how often what it holds is dropped.
    #[derive(Debug)]
    struct Full(Arc<AtomicUsize>);

    impl Port for Full {
        fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
            Ok(0)
        }

        fn write(&mut self, _: &[u8], _: Duration) -> io::Result<usize> {
            Ok(0)
        }

        fn discard_output(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn set_dtr(&mut self, _: bool) -> io::Result<()> {
            Ok(())
        }

        fn set_rts(&mut self, _: bool) -> io::Result<()> {
            Ok(())
        }

        fn set_baud(&mut self, _: u32) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_still_to_go_over_does_not_delay_putting_the_board_in_order() {
        let dropped = Arc::new(AtomicUsize::new(0));
        let address = Address {
            port: "full".to_owned(),
            baud: 115_200,
            timeout: Duration::from_secs(1),
            wire: None,
        };
        let shutdown = Shutdown::by_hand();
        let port = Box::new(Full(Arc::clone(&dropped)));
        let mut link = Link::over(port, &address, shutdown.clone());
        shutdown.asker().ask();
        assert!(matches!(link.send(b"code"), Err(Error::Interrupted)));
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
        // What puts it in order is not dropped.
        link.heed_shutdown(false);
        assert!(matches!(link.fill(Instant::now()), Ok(false)));
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }
}
