//! A serial line with deadlines, the basis of all communication with a board.

mod away;
mod nudging;
mod rate;

use std::time::{Duration, Instant};

use memchr::memmem;

use crate::board::error::Error;
use crate::board::line_rate::LineRate;
use crate::board::native::{self, NativeUsb};
use crate::board::port::{self, Port, TICK};
use crate::board::wire_log::{Logged, WireLog};
use crate::shutdown::Shutdown;
use crate::wait::{Over, Site, Wait};
use away::Absence;
pub(crate) use nudging::{Nudging, OWN_PAUSE, PROGRAM_PAUSE};

/// The limit for unread output: a board that prints more than this before its reply is not talking to us.
const MAX_PENDING: usize = 64 << 10;

/// The timeout for a line that accepts no bytes at all.
const STUCK: Duration = Duration::from_secs(10);

/// The address of a board and how to connect.
#[derive(Debug, Clone)]
pub struct Address {
    /// A device, `COM5`, `socket://HOST:PORT` or `rfc2217://HOST:PORT`.
    pub port: String,
    /// The baud rate of the serial line.
    pub baud: u32,
    /// How long to try to reach the board.
    pub timeout: Duration,
    /// The log of the line's bytes.
    pub wire: Option<WireLog>,
    /// The rate for long transfers.
    pub line_rate: LineRate,
}

/// An open line, the received bytes that nobody has taken yet, and the Ctrl-C state.
#[derive(Debug)]
pub struct Link {
    port: Box<dyn Port>,
    address: Address,
    /// The rate of the line: that of the address, or a faster one.
    rate: u32,
    /// When all sent bytes have arrived at the board: until then some may be in a buffer of this computer.
    busy_until: Instant,
    shutdown: Shutdown,
    /// Whether Ctrl-C ends a wait at once. During the clean-up, or if the caller checks for Ctrl-C, it ends the wait
    /// after a grace period.
    heeds_shutdown: bool,
    /// Whether the board is in a soft reset, which Ctrl-C must not cut short.
    is_resetting: bool,
    /// Whether the board boots by itself, and udpcli only listens.
    is_booting: bool,
    pending: Vec<u8>,
    /// Whether the line has failed, so that no communication is possible.
    is_lost: bool,
    /// Whether the user has been told that the clean-up failed.
    has_given_up: bool,
    /// The board's own USB port; `None` behind an adapter.
    native: Option<NativeUsb>,
    /// When the board was reset last through this line.
    reset_at: Option<Instant>,
    /// The board's own USB port has left the bus and is expected back.
    absence: Option<Absence>,
    /// How many banners of the raw REPL are still to come because of [`Self::nudge`].
    nudges: u32,
}

/// The timeout for the clean-up after Ctrl-C, so that the run ends within 2 s.
const ORDER: Duration = Duration::from_millis(1850);

/// How long to wait for the end of a soft reset after Ctrl-C: the longest that was recorded takes 1.2 s (generic 1.26).
/// A Ctrl-C sent to the board meanwhile would interrupt its `_boot.py`, before it has mounted the file system.
const END_OF_RESET: Duration = Duration::from_millis(1250);

/// How much of [`ORDER`] to keep for the way back to the prompt.
const WAY_BACK: Duration = Duration::from_millis(250);

/// Whether to stop waiting for the board, some time after Ctrl-C.
fn must_end(shutdown: &Shutdown, grace: Duration) -> bool {
    shutdown
        .asked_at()
        .is_some_and(|asked| asked.elapsed() >= grace)
}

impl Link {
    /// Opens the line.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::Interrupted`] after Ctrl-C.
    pub fn open(address: &Address, shutdown: Shutdown) -> Result<Self, Error> {
        let port = port::open(&address.port, address.baud, address.timeout, &|| {
            shutdown.is_asked()
        })?;
        tracing::debug!("serial port {} at {} baud", address.port, address.baud);
        let port = Logged::over(port, address.wire.as_ref());
        Ok(Self::over(port, address, shutdown))
    }

    /// Uses a line that is already open.
    #[must_use]
    pub fn over(port: Box<dyn Port>, address: &Address, shutdown: Shutdown) -> Self {
        Self {
            port,
            address: address.clone(),
            rate: address.baud,
            busy_until: Instant::now(),
            shutdown,
            heeds_shutdown: true,
            is_resetting: false,
            is_booting: false,
            pending: Vec::new(),
            is_lost: false,
            has_given_up: false,
            native: native::of(&address.port),
            reset_at: None,
            absence: None,
            nudges: 0,
        }
    }

    /// The name of the port.
    #[must_use]
    pub(crate) fn name(&self) -> &str {
        &self.address.port
    }

    /// Whether it is the USB port of the board's own chip.
    #[must_use]
    pub(crate) fn is_native(&self) -> bool {
        self.native.is_some()
    }

    /// The address of this line.
    #[must_use]
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Whether the line has failed: unplugged, closed, or stuck.
    #[must_use]
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The Ctrl-C state.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Sets whether Ctrl-C ends a wait at once; returns the old value.
    pub(crate) fn heed_shutdown(&mut self, heed: bool) -> bool {
        std::mem::replace(&mut self.heeds_shutdown, heed)
    }

    /// Whether Ctrl-C ends a wait at once.
    pub(crate) fn heeds_shutdown(&self) -> bool {
        self.heeds_shutdown
    }

    /// Sets whether the board is in a soft reset: then Ctrl-C ends a wait after the time that a soft reset takes.
    pub(crate) fn set_resetting(&mut self, is_resetting: bool) {
        self.is_resetting = is_resetting;
    }

    /// Sets whether the board boots by itself: after Ctrl-C udpcli leaves such a board alone.
    pub(crate) fn set_booting(&mut self, is_booting: bool) {
        self.is_booting = is_booting;
    }

    /// Whether the board boots by itself.
    pub(crate) fn is_booting(&self) -> bool {
        self.is_booting
    }

    /// How long after Ctrl-C a wait goes on.
    fn grace(&self) -> Duration {
        if !self.heeds_shutdown {
            ORDER
        } else if self.is_resetting {
            END_OF_RESET
        } else {
            Duration::ZERO
        }
    }

    /// The time for a step of the clean-up: at most `limit`, and less if Ctrl-C was some time ago.
    pub(crate) fn clean_up_time(&self, limit: Duration) -> Duration {
        let since = self
            .shutdown
            .asked_at()
            .map_or(Duration::ZERO, |asked| asked.elapsed());
        limit.min(ORDER.saturating_sub(WAY_BACK).saturating_sub(since))
    }

    /// How long `len` bytes take on the line, at 10 bits each.
    #[must_use]
    pub(crate) fn line_time(&self, len: usize) -> Duration {
        Duration::from_secs_f64(len as f64 * 10.0 / f64::from(self.rate))
    }

    /// The received bytes that nobody has taken yet.
    #[must_use]
    pub(crate) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Takes the first `len` received bytes.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        let rest = self.pending.split_off(len.min(self.pending.len()));
        std::mem::replace(&mut self.pending, rest)
    }

    /// Puts bytes back in front of the received bytes.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        self.pending.splice(..0, bytes.iter().copied());
    }

    /// Waits for bytes until `deadline`; false if none arrived.
    ///
    /// # Errors
    /// The line has failed, or the user pressed Ctrl-C.
    pub(crate) fn fill(&mut self, deadline: Instant) -> Result<bool, Error> {
        let mut buffer = [0; 4096];
        let (shutdown, grace) = (self.shutdown.clone(), self.grace());
        let is_stopped = || must_end(&shutdown, grace);
        let mut wait = Wait::at(Site::Board, &is_stopped).until(deadline);
        loop {
            // Check before reading: a board that never stops printing must not keep us past the deadline.
            match wait.look() {
                Some(Over::Interrupted) => return Err(self.interrupted()),
                Some(Over::TimeUp) => return Ok(false),
                None => {}
            }
            // A chip's own USB port may be away after a reset: wait for its return instead of failing.
            if !self.is_there()? {
                std::thread::sleep(wait.piece(TICK));
                continue;
            }
            let read = match self.port.read(&mut buffer, wait.piece(TICK)) {
                Ok(read) => read,
                Err(source) => {
                    self.lose(source)?;
                    continue;
                }
            };
            if read > 0 {
                self.pending
                    .extend_from_slice(buffer.get(..read).unwrap_or_default());
                return Ok(true);
            }
        }
    }

    /// Waits for `needle` and takes everything up to its end; `None` if it does not arrive. Other bytes remain, at most
    /// 64 KiB.
    ///
    /// # Errors
    /// As for [`Self::fill`].
    pub(crate) fn until(
        &mut self,
        needle: &[u8],
        deadline: Instant,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut searched = 0;
        loop {
            let from = searched;
            let unsearched = self.pending.get(from..).unwrap_or_default();
            if let Some(at) = memmem::find(unsearched, needle) {
                return Ok(Some(self.take(from + at + needle.len())));
            }
            // The needle may begin in these bytes and end in the next ones.
            searched = (self.pending.len() + 1).saturating_sub(needle.len());
            if self.pending.len() > MAX_PENDING {
                // Remove down to half of the limit, because each removal moves the rest.
                let surplus = self.pending.len() - MAX_PENDING / 2;
                self.take(surplus);
                searched = searched.saturating_sub(surplus);
            }
            if !self.fill(deadline)? {
                return Ok(None);
            }
        }
    }

    /// Waits for `len` bytes and takes them; `None` if they do not arrive.
    ///
    /// # Errors
    /// As for [`Self::fill`].
    pub(crate) fn exactly(
        &mut self,
        len: usize,
        deadline: Instant,
    ) -> Result<Option<Vec<u8>>, Error> {
        while self.pending.len() < len {
            if !self.fill(deadline)? {
                return Ok(None);
            }
        }
        Ok(Some(self.take(len)))
    }

    /// Discards the received bytes.
    pub(crate) fn forget(&mut self) {
        self.pending.clear();
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// The line has failed or accepts nothing for ten seconds, or the user pressed Ctrl-C.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut left = bytes;
        let mut progress = Instant::now();
        let (shutdown, grace) = (self.shutdown.clone(), self.grace());
        let is_stopped = || must_end(&shutdown, grace);
        let mut wait = Wait::at(Site::Board, &is_stopped);
        while !left.is_empty() {
            if wait.look().is_some() {
                return Err(self.interrupted());
            }
            if !self.is_there()? {
                // A port that is away accepts nothing, which does not mean that the line is stuck.
                progress = Instant::now();
                std::thread::sleep(TICK);
                continue;
            }
            let sent = match self.port.write(left, TICK) {
                Ok(sent) => sent,
                Err(source) => {
                    self.lose(source)?;
                    continue;
                }
            };
            if sent > 0 {
                progress = Instant::now();
                self.busy_until = self.busy_until.max(progress) + self.line_time(sent);
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

    /// Pulls the board's reset line (EN, through RTS) and leaves its boot mode line (IO0, through DTR) high, so that
    /// the board starts its program and not the loader. Espressif's own tools wait 100 ms too.
    ///
    /// # Errors
    /// [`Error::Lines`] if the port has no control lines.
    pub(crate) fn hard_reset(&mut self) -> Result<(), Error> {
        let result = self.port.set_dtr(false).and_then(|()| {
            self.port.set_rts(true)?;
            std::thread::sleep(Duration::from_millis(100));
            self.port.set_rts(false)
        });
        // The reset has lowered DTR, and a board with its own USB sends only to a reader, which raises DTR.
        self.port.show_reader();
        self.forget();
        self.reset_at = Some(Instant::now());
        result.map_err(|source| Error::Lines {
            port: self.address.port.clone(),
            source,
        })
    }

    /// The error after Ctrl-C. Tells the user once that the board is left as it is. Discards up to a second's worth of
    /// unsent bytes, which are useless now and would delay the clean-up.
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
mod tests;
