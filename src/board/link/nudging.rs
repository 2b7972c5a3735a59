//! Makes a board send more where the computer may hold back the end of an answer (see [`native`]).

use std::time::{Duration, Instant};

use super::Link;
use crate::board::error::Error;
use crate::board::native::{self, Holding};

/// How long an answer to our own code may pause before udpcli nudges the board.
pub(crate) const OWN_PAUSE: Duration = Duration::from_millis(60);

/// How long a program may be silent before udpcli nudges the board: the end of its output may be held back.
pub(crate) const PROGRAM_PAUSE: Duration = Duration::from_millis(500);

/// How much longer to wait before nudging a board if udpcli does not know whether its answers are held back.
const UNKNOWN: u32 = 5;

/// The most nudges for one program: its input buffer, of 255 bytes, must not fill, because Ctrl-C goes through it.
const MOST_NUDGES: u32 = 100;

/// When to nudge a board ([`Link::nudge`]) whose answer is awaited.
#[derive(Debug)]
pub(crate) struct Nudging {
    /// The pause after which to nudge; it doubles. `None`: never.
    pause: Option<Duration>,
    /// When something came last, or the last nudge was sent.
    since: Instant,
    /// How many nudges are left.
    left: u32,
}

impl Nudging {
    /// For an answer on this line that pauses at most for `pause`.
    pub(crate) fn of(link: &Link, pause: Duration) -> Self {
        Self {
            pause: match native::holding(link.name()) {
                // A byte between two frames would damage the next one, and a port whose rate changes holds nothing back.
                _ if link.is_fast() => None,
                Holding::No => None,
                Holding::Unknown => Some(pause.saturating_mul(UNKNOWN)),
                Holding::Yes => Some(pause),
            },
            since: Instant::now(),
            left: MOST_NUDGES,
        }
    }

    /// Something came.
    pub(crate) fn heard(&mut self) {
        self.since = Instant::now();
    }

    /// When the next nudge is due, if nothing comes before.
    fn next_at(&self) -> Option<Instant> {
        let pause = self.pause.filter(|_| self.left > 0)?;
        Some(self.since + pause)
    }

    /// Nudges the board after a pause.
    ///
    /// # Errors
    /// As for [`Link::send`].
    pub(crate) fn nudge_if_due(&mut self, link: &mut Link) -> Result<(), Error> {
        let Some(pause) = self.pause else {
            return Ok(());
        };
        if self.left == 0 || self.since.elapsed() < pause {
            return Ok(());
        }
        self.left -= 1;
        self.since = Instant::now();
        self.pause = Some(pause.saturating_mul(2).min(Duration::from_secs(30)));
        link.nudge()
    }
}

impl Link {
    /// Whether the computer may hold back the end of an answer, see [`native`].
    pub(crate) fn holds_packets(&self) -> bool {
        self.native.is_some() && native::holding(self.name()) == Holding::Yes
    }

    /// Makes a board in its raw REPL send something, so that the computer delivers the bytes that it holds back: at
    /// Ctrl-A the raw REPL prints its banner. A program that runs gets the byte as input, so nudge seldom while one
    /// does.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub(crate) fn nudge(&mut self) -> Result<(), Error> {
        tracing::trace!("nudging the board on {}", self.address.port);
        self.nudges += 1;
        self.send(b"\x01")
    }

    /// Takes the number of banners that are still to come.
    pub(crate) fn take_nudges(&mut self) -> u32 {
        std::mem::take(&mut self.nudges)
    }

    /// Like [`Self::until`], and nudges a board whose answer may be held back.
    ///
    /// # Errors
    /// As for [`Self::fill`].
    pub(crate) fn until_nudging(
        &mut self,
        needle: &[u8],
        deadline: Instant,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut nudging = Nudging::of(self, OWN_PAUSE);
        loop {
            let soon = nudging.next_at().unwrap_or(deadline).min(deadline);
            if let Some(found) = self.until(needle, soon)? {
                return Ok(Some(found));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            nudging.nudge_if_due(self)?;
        }
    }
}
