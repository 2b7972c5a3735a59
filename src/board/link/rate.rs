//! The rate of a line: that of the board's prompt, or a faster one.

use std::time::{Duration, Instant};

use super::Link;
use crate::board::port::TICK;

/// How long a byte takes through an adapter: wait this long, so that a change of the rate does not damage the byte.
const RATE_PAUSE: Duration = Duration::from_millis(20);

/// How long the longest frame takes on the line: at each rate, frames are as long as fits in this time.
const LONGEST_OUTPUT: Duration = Duration::from_millis(150);

impl Link {
    /// The rate of the line now.
    #[must_use]
    pub(crate) fn rate(&self) -> u32 {
        self.rate
    }

    /// Whether the line has another rate than the board's prompt.
    #[must_use]
    pub(crate) fn is_fast(&self) -> bool {
        self.rate != self.address.baud
    }

    /// Whether this end of the line can change its rate. A chip's own USB has none.
    #[must_use]
    pub(crate) fn can_change_rate(&self) -> bool {
        self.native.is_none() && self.port.can_change_rate()
    }

    /// Changes the rate of this end; false if the port does not support it.
    pub(crate) fn set_rate(&mut self, rate: u32) -> bool {
        match self.port.set_baud(rate) {
            Ok(()) => {
                self.rate = rate;
                true
            }
            Err(error) => {
                tracing::debug!("{} does not take {rate} baud: {error}", self.address.port);
                false
            }
        }
    }

    /// Sets this end to the rate of the board's prompt. A port that accepted that rate once accepts it again, or is
    /// gone.
    pub(crate) fn set_old_rate(&mut self) {
        if !self.set_rate(self.address.baud) {
            self.rate = self.address.baud;
        }
    }

    /// Ends our program on a board at a fast rate, whatever that program does; both ends then return to the old rate.
    pub(crate) fn end_fast(&mut self) {
        if !self.is_fast() {
            return;
        }
        self.port.discard_output();
        self.interrupt_at(self.rate);
        self.set_old_rate();
        self.forget();
    }

    /// Sends Ctrl-C twice at `rate`, because after the first our program drops the rest of a frame, and waits until they
    /// have left this end. Best effort.
    pub(crate) fn interrupt_at(&mut self, rate: u32) {
        if rate != self.rate && !self.set_rate(rate) {
            return;
        }
        for _ in 0..2 {
            let _ = self.port.write(b"\x03", TICK);
            // Few drivers can discard output, so the bytes before the Ctrl-C are still sent.
            let now = Instant::now();
            let before = self.busy_until.saturating_duration_since(now);
            std::thread::sleep(before.min(LONGEST_OUTPUT) + RATE_PAUSE);
        }
    }
}
