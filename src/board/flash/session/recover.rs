//! A chip found again after whatever went wrong, and brought to where it was.

use std::time::{Duration, Instant};

use super::super::Report;
use super::super::error::Error;
use super::super::loader::{Fault, Loader};
use super::{Failure, RATES, SYNC_TIMEOUT, Session};
use crate::board::port::DEFAULT_BAUD;
use crate::text::sentence::{Sentence, sentence};

/// How long a chip that stopped answering is asked whether it is back. A flash chip may take seconds to erase.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often the same step is tried anew before giving up.
const ATTEMPTS: u32 = 5;

impl<'a> Session<'a> {
    /// Does `step`, and again after whatever went wrong, as long as that can be mended.
    pub(in super::super) fn persist<T>(
        &mut self,
        doing: &Sentence,
        report: &mut dyn Report,
        mut step: impl FnMut(&mut Loader<'a>, &mut dyn Report) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut attempts = 0;
        loop {
            match step(&mut self.loader, report) {
                Ok(value) => return Ok(value),
                Err(fault) => {
                    attempts += 1;
                    self.recover(fault, attempts, doing, report)?;
                }
            }
        }
    }

    /// Says that the rate in use may be the trouble, so that the next start is slower.
    fn lower_rate(&mut self, report: &mut dyn Report) {
        if self.rates.len() > 1 {
            self.rates.remove(0);
            if let Some(rate) = self.rates.first() {
                report.note(&sentence!("flash.going-on", rate = rate));
            }
        } else if !self.rates.is_empty() && self.rates != [DEFAULT_BAUD] {
            self.rates = vec![DEFAULT_BAUD];
            report.note(&sentence!("flash.going-on", rate = DEFAULT_BAUD));
        }
    }

    /// Gets the chip back after `fault`, the `attempts`-th of its kind in a row.
    pub(super) fn recover(
        &mut self,
        fault: Fault,
        attempts: u32,
        doing: &Sentence,
        report: &mut dyn Report,
    ) -> Result<(), Error> {
        let mut fault = fault;
        if attempts > ATTEMPTS {
            return Err(self.give_up(fault, doing));
        }
        // Once may be chance; more often in one place is the rate.
        if attempts > 1 {
            self.lower_rate(report);
        }
        loop {
            match fault {
                Fault::Gone(_) | Fault::Stopped => return Err(self.give_up(fault, doing)),
                Fault::Silent => {
                    report.note(&sentence!("flash.trying-again", doing => doing.clone()));
                }
                Fault::Refused(code) => report.note(
                    &sentence!("flash.chip-refused", why = meaning(code), doing => doing.clone()),
                ),
            }
            fault = match self.resume(report) {
                Ok(()) => return Ok(()),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Fault(Fault::Silent | Fault::Refused(_))) => {
                    return Err(self.give_up(Fault::Silent, doing));
                }
                Err(Failure::Fault(fault)) => fault,
            };
        }
    }

    /// Syncs at this rate, then at others, then with a reset; then everything is as it was before the fault.
    fn resume(&mut self, report: &mut dyn Report) -> Result<(), Failure> {
        let started = Instant::now();
        let mut round = 0_u32;
        if std::mem::take(&mut self.needs_reset_after_baud_change) && self.reset(round) {
            self.loader.baud = DEFAULT_BAUD;
        }
        let rate = self.loader.baud;
        while started.elapsed() < PATIENCE {
            // Half of the time at the rate it was at, a quarter at the ROM's, a quarter at the others.
            let others = self.rates.len() + 1;
            let at = match round % 4 {
                0 | 2 => rate,
                1 => DEFAULT_BAUD,
                _ => RATES
                    .get(round as usize / 4 % others)
                    .copied()
                    .unwrap_or(rate),
            };
            // The first seconds are for a chip that is only busy: another rate would look like noise to it.
            let at = if started.elapsed() < Duration::from_secs(3) {
                rate
            } else {
                at
            };
            self.loader.set_baud(at)?;
            self.loader
                .drain(Duration::from_millis(20), Duration::from_millis(200))?;
            match self.loader.sync(SYNC_TIMEOUT) {
                Ok(()) => {
                    let prepared = self.prepare_again(report);
                    match prepared {
                        Err(Failure::Fault(Fault::Silent | Fault::Refused(_))) => {}
                        result => return result,
                    }
                }
                Err(Fault::Silent | Fault::Refused(_)) => {}
                Err(fault) => return Err(fault.into()),
            }
            // Longer than any erase of one block: it will not come back by itself.
            if self.lines && started.elapsed() > Duration::from_secs(12) && round.is_multiple_of(3)
            {
                self.reset(round);
            }
            round += 1;
            self.loader.pause(Duration::from_millis(50))?;
        }
        Err(Fault::Silent.into())
    }

    fn prepare_again(&mut self, report: &mut dyn Report) -> Result<(), Failure> {
        // A ROM that answers before the stub ever ran has not restarted: the stub was damaged on its way.
        if !self.loader.stub && std::mem::take(&mut self.had_stub) {
            report.note(&sentence!("flash.board-restarted"));
        }
        self.prepare(report).map(drop)
    }
}

/// What the chip's error codes mean: the ROM's, then the stub's.
fn meaning(code: u8) -> String {
    let meaning = match code {
        0x05 => "invalid message",
        0x06 => "failed",
        0x07 | 0xc1 => "damaged block",
        0x08 => "flash write",
        0x09 => "flash read",
        0x0b => "inflating",
        0xc0 => "wrong length",
        0xc2 => "block too large",
        0xc3 | 0xff => "unknown command",
        0xc4 => "flash chip",
        0xc6 => "not writing",
        0xc7 => "damaged data",
        0xc8 => "too little data",
        0xc9 => "too much data",
        _ => return format!("error {code:#04x}"),
    };
    meaning.to_owned()
}
