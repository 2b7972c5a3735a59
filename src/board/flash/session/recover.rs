//! Finds the chip again after an error, and restores the session's state.

use std::time::{Duration, Instant};

use super::super::FlashObserver;
use super::super::error::Error;
use super::super::loader::{CommandFault, Loader};
use super::{Failure, FlashSession, RATES, SYNC_TIMEOUT};
use crate::board::port::DEFAULT_BAUD;
use crate::text::sentence::{Sentence, sentence};

/// How long to wait for a chip that stopped answering. A flash chip may take seconds to erase.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often to retry the same step.
const ATTEMPTS: u32 = 5;

impl<'a> FlashSession<'a> {
    /// Runs `step`, and retries it after errors that recovery can fix.
    pub(in super::super) fn persist<T>(
        &mut self,
        doing: &Sentence,
        report: &mut dyn FlashObserver,
        mut step: impl FnMut(&mut Loader<'a>, &mut dyn FlashObserver) -> Result<T, CommandFault>,
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

    /// Reports that the baud rate may be the problem, and uses a lower one for the next start.
    fn lower_rate(&mut self, report: &mut dyn FlashObserver) {
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

    /// Recovers the chip after `fault`, the `attempts`-th fault in a row.
    pub(super) fn recover(
        &mut self,
        fault: CommandFault,
        attempts: u32,
        doing: &Sentence,
        report: &mut dyn FlashObserver,
    ) -> Result<(), Error> {
        let mut fault = fault;
        if attempts > ATTEMPTS {
            return Err(self.give_up(fault, doing));
        }
        // One error may be chance; several at the same place point to the baud rate.
        if attempts > 1 {
            self.lower_rate(report);
        }
        loop {
            match fault {
                CommandFault::Gone(_) | CommandFault::Stopped => {
                    return Err(self.give_up(fault, doing));
                }
                CommandFault::Silent => {
                    report.note(&sentence!("flash.trying-again", doing => doing.clone()));
                }
                CommandFault::Refused(code) => report.note(
                    &sentence!("flash.chip-refused", why = meaning(code), doing => doing.clone()),
                ),
            }
            fault = match self.resume(report) {
                Ok(()) => return Ok(()),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Fault(CommandFault::Silent | CommandFault::Refused(_))) => {
                    return Err(self.give_up(CommandFault::Silent, doing));
                }
                Err(Failure::Fault(fault)) => fault,
            };
        }
    }

    /// Synchronises at the current baud rate, then at others, then after a reset; restores the state from before the
    /// fault.
    fn resume(&mut self, report: &mut dyn FlashObserver) -> Result<(), Failure> {
        let started = Instant::now();
        let mut round = 0_u32;
        if std::mem::take(&mut self.needs_reset_after_baud_change) && self.reset(round) {
            self.loader.baud = DEFAULT_BAUD;
        }
        let rate = self.loader.baud;
        while started.elapsed() < PATIENCE {
            // Spend half of the time at the current rate, a quarter at the ROM's, and a quarter at the others.
            let others = self.rates.len() + 1;
            let at = match round % 4 {
                0 | 2 => rate,
                1 => DEFAULT_BAUD,
                _ => RATES
                    .get(round as usize / 4 % others)
                    .copied()
                    .unwrap_or(rate),
            };
            // In the first seconds, assume that the chip is only busy: it would see another rate as noise.
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
                        Err(Failure::Fault(CommandFault::Silent | CommandFault::Refused(_))) => {}
                        result => return result,
                    }
                }
                Err(CommandFault::Silent | CommandFault::Refused(_)) => {}
                Err(fault) => return Err(fault.into()),
            }
            // No erase of one block takes this long, so the chip needs a reset.
            if self.lines && started.elapsed() > Duration::from_secs(12) && round.is_multiple_of(3)
            {
                self.reset(round);
            }
            round += 1;
            self.loader.pause(Duration::from_millis(50))?;
        }
        Err(CommandFault::Silent.into())
    }

    /// Brings a chip that answers again to where it was: stub, flash parameters, baud rate.
    fn prepare_again(&mut self, report: &mut dyn FlashObserver) -> Result<(), Failure> {
        // If the ROM answers before the stub ever did, the chip has not restarted: the stub was damaged in transfer.
        if !self.loader.stub && std::mem::take(&mut self.had_stub) {
            report.note(&sentence!("flash.board-restarted"));
        }
        self.prepare(report).map(drop)
    }
}

/// The meaning of the chip's error codes: the ROM's, then the stub's.
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
