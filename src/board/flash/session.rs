//! A chip that listens: found, told apart, with the stub running, at the highest rate that works; and found again
//! after whatever went wrong.

use std::time::{Duration, Instant};

use espflash::target::Chip;

use super::chip::{self, ChipInfo, name};
use super::error::Error;
use super::loader::{Fault, Loader, Op, QUICK, words};
use super::reset::{self, Before};
use super::{Report, stub};
use crate::board::port::{DEFAULT_BAUD, Port};

/// Rates to try, the highest first: what CP2104 and CH340 both have and short cables carry.
pub const RATES: [u32; 3] = [921_600, 460_800, 230_400];

/// A SYNC that is understood is answered within milliseconds.
const SYNC_TIMEOUT: Duration = Duration::from_millis(100);

/// How long a chip that stopped answering is asked whether it is back. A flash chip may take seconds to erase.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often the same step is tried anew before giving up.
const ATTEMPTS: u32 = 5;

/// How to reach the chip.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The port's name, for messages.
    pub port: String,
    /// How it gets into download mode.
    pub before: Before,
    /// How long to try.
    pub timeout: Duration,
    /// The one rate to use for data; none: the highest that works.
    pub flash_baud: Option<u32>,
}

/// A line to a chip whose stub runs.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) loader: Loader<'a>,
    pub(super) connect: Connect,
    pub(super) chip: Option<ChipInfo>,
    /// The port has control lines that answer.
    lines: bool,
    /// The chip is at a rate that the line does not carry: only a reset brings it back.
    deafened: bool,
    /// Rates that are still believed to work, the highest first.
    rates: Vec<u32>,
    /// What to say of the flash when everything ends here.
    pub(super) state: String,
}

impl<'a> Session<'a> {
    /// Gets the chip on `port` into download mode and its stub running.
    pub(super) fn open(
        port: Box<dyn Port>,
        connect: Connect,
        stop: &'a dyn Fn() -> bool,
        report: &mut dyn Report,
    ) -> Result<Self, Error> {
        let rates = match connect.flash_baud {
            Some(rate) => std::iter::once(rate)
                .chain(RATES.into_iter().filter(|&lower| lower < rate))
                .collect(),
            None => RATES.to_vec(),
        };
        let mut session = Self {
            loader: Loader::new(port, DEFAULT_BAUD, stop),
            connect,
            chip: None,
            lines: true,
            deafened: false,
            rates,
            state: "nothing in flash was changed".to_owned(),
        };
        session.find(report)?;
        let mut attempts = 0;
        loop {
            let prepared = session.prepare(report);
            match prepared {
                Ok(()) => return Ok(session),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Fault(fault)) => {
                    attempts += 1;
                    session.recover(fault, attempts, "preparing", report)?;
                }
            }
        }
    }

    /// Finds the loader: resets the board where that works, and syncs.
    fn find(&mut self, report: &mut dyn Report) -> Result<(), Error> {
        let started = Instant::now();
        let mut booted = false;
        let mut round = 0_u32;
        loop {
            match self.find_once(round, &mut booted) {
                Ok(()) => return Ok(()),
                Err(Fault::Silent | Fault::Refused(_)) => {}
                Err(fault) => return Err(self.give_up(fault, "connecting")),
            }
            if started.elapsed() >= self.connect.timeout {
                return Err(Error::NoLoader {
                    port: self.connect.port.clone(),
                    waited: self.connect.timeout,
                    booted,
                    lines: self.lines,
                });
            }
            if round == 0 {
                report.note("no answer yet: still trying");
            }
            round += 1;
        }
    }

    fn find_once(&mut self, round: u32, booted: &mut bool) -> Result<(), Fault> {
        let reset = self.reset(round);
        if reset {
            self.loader.set_baud(DEFAULT_BAUD)?;
            let log = self
                .loader
                .drain(Duration::from_millis(30), Duration::from_millis(300))?;
            let log = String::from_utf8_lossy(&log);
            *booted = log.contains("boot:0x") && !log.contains("waiting for download");
            for _ in 0..5 {
                match self.loader.sync(SYNC_TIMEOUT) {
                    Err(Fault::Silent) => {}
                    result => return result,
                }
            }
            return Err(Fault::Silent);
        }
        // A run that was cut short has left the stub at its rate; the ROM takes any.
        for rate in std::iter::once(DEFAULT_BAUD).chain(self.rates.clone()) {
            self.loader.set_baud(rate)?;
            self.loader
                .drain(Duration::from_millis(10), Duration::from_millis(100))?;
            for _ in 0..2 {
                match self.loader.sync(SYNC_TIMEOUT) {
                    Err(Fault::Silent) => {}
                    result => return result,
                }
            }
        }
        Err(Fault::Silent)
    }

    /// Resets into download mode through the lines; whether that was possible.
    fn reset(&mut self, round: u32) -> bool {
        let port = self.loader.port();
        // Every other time IO0 is held longer: some boards have a large capacitor at EN.
        let settle = if round.is_multiple_of(2) { 50 } else { 500 };
        let result = match self.connect.before {
            Before::NoReset => return false,
            Before::DefaultReset => reset::into_download(port, Duration::from_millis(settle)),
            Before::UsbReset => reset::into_download_by_usb(port),
        };
        if let Err(error) = &result {
            tracing::debug!("control lines: {error}");
        }
        self.lines = result.is_ok();
        self.lines
    }

    /// From a loader that answers to a stub at the data rate.
    fn prepare(&mut self, report: &mut dyn Report) -> Result<(), Failure> {
        let (magic, chip) = chip::identify(&mut self.loader)?;
        let Some(chip) = chip else {
            return Err(Failure::Final(Error::Refused {
                what: format!("the board on {}", self.connect.port),
                expected: "an ESP32".to_owned(),
                found: format!("a chip with the unknown number {magic:#010x}"),
                hint: None,
            }));
        };
        let known = self.chip.as_ref().is_some_and(|info| info.chip == chip);
        if !known && chip != Chip::Esp32 {
            return Err(Failure::Final(Error::Refused {
                what: format!("the board on {}", self.connect.port),
                expected: "an ESP32, as the mPython board has".to_owned(),
                found: format!("an {}", name(chip)),
                hint: Some("this is another board, or a newer mPython board with a colour screen: it takes other firmware, by its maker's tool or esptool".to_owned()),
            }));
        }
        if !self.loader.stub {
            stub::start(&mut self.loader)?;
        }
        if self.chip.is_none() {
            self.chip = Some(chip::describe(&mut self.loader, chip)?);
        }
        if let Some(info) = &self.chip {
            // Number, size, block, sector, page, status mask.
            let parameters = words(&[0, info.flash_size, 0x1_0000, 0x1000, 0x100, 0xffff]);
            self.loader.command(Op::SpiSetParams, &parameters, QUICK)?;
        }
        self.raise_rate(report)
    }

    /// Goes to the highest rate that is still believed to work.
    fn raise_rate(&mut self, report: &mut dyn Report) -> Result<(), Failure> {
        let Some(&rate) = self.rates.first() else {
            return Ok(());
        };
        if rate == self.loader.baud {
            return Ok(());
        }
        // The stub wants to know the rate it is at.
        let rates = words(&[rate, self.loader.baud]);
        self.loader.command(Op::ChangeBaudrate, &rates, QUICK)?;
        self.loader.set_baud(rate)?;
        // What came while the rate changed is no data.
        self.loader
            .drain(Duration::from_millis(30), Duration::from_millis(150))?;
        for _ in 0..3 {
            if self.loader.sync(SYNC_TIMEOUT).is_ok() {
                return Ok(());
            }
        }
        self.rates.remove(0);
        self.deafened = true;
        report.note(&format!(
            "{rate} baud does not work on this line: trying a lower rate"
        ));
        Err(Failure::Fault(Fault::Silent))
    }

    /// Says that the rate in use may be the trouble, so that the next start is slower.
    fn lower_rate(&mut self, report: &mut dyn Report) {
        if self.rates.len() > 1 {
            self.rates.remove(0);
            if let Some(rate) = self.rates.first() {
                report.note(&format!("going on at {rate} baud"));
            }
        } else if !self.rates.is_empty() && self.rates != [DEFAULT_BAUD] {
            self.rates = vec![DEFAULT_BAUD];
            report.note(&format!("going on at {DEFAULT_BAUD} baud"));
        }
    }

    /// Gets the chip back after `fault`, the `attempts`-th of its kind in a row.
    pub(super) fn recover(
        &mut self,
        fault: Fault,
        attempts: u32,
        doing: &str,
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
                    report.note(&format!("no proper answer while {doing}: trying again"));
                }
                Fault::Refused(code) => report.note(&format!(
                    "the chip refused ({}) while {doing}: trying again",
                    meaning(code)
                )),
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
        if std::mem::take(&mut self.deafened) && self.reset(round) {
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
        if !self.loader.stub {
            report.note("the board restarted: starting the stub again");
        }
        self.prepare(report)
    }

    /// What a fault that cannot be mended is called.
    pub(super) fn give_up(&self, fault: Fault, doing: &str) -> Error {
        let state = self.state.clone();
        let port = self.connect.port.clone();
        match fault {
            Fault::Gone(source) => Error::Gone {
                port,
                state,
                source,
            },
            Fault::Stopped => Error::Interrupted { state },
            Fault::Silent | Fault::Refused(_) => Error::Lost {
                port,
                doing: doing.to_owned(),
                state,
            },
        }
    }

    /// Does `step`, and again after whatever went wrong, as long as that can be mended.
    pub(super) fn persist<T>(
        &mut self,
        doing: &str,
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

    /// Starts the board's program; whether the port could.
    pub(super) fn start_program(&mut self) -> bool {
        reset::into_program(self.loader.port()).is_ok()
    }
}

/// Why preparing did not work.
#[derive(Debug)]
enum Failure {
    /// The line or the chip: worth another try.
    Fault(Fault),
    /// Nothing will change it.
    Final(Error),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
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
