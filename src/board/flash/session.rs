//! A connection to a chip: finds it, identifies it, starts the stub, and selects the highest baud rate that works.
//!
//! Long because each step of a connection may fail in its own way, and each way has its own answer.

mod recover;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use espflash::target::Chip;

use super::check::{self, megabytes};
use super::chip::spec::ChipSpec;
use super::chip::{self, ChipInfo, Identity, name};
use super::error::{Error, FlashRefusal};
use super::loader::{CommandFault, Loader, Op, QUICK, words};
use super::reset::{self, ResetMethod};
use super::{FlashObserver, stub};
use crate::board::port::{DEFAULT_BAUD, Port};
use crate::text::sentence::{Sentence, sentence};

/// The baud rates to try, highest first: CP2104 and CH340 support them, and short cables carry them.
pub(crate) const RATES: [u32; 3] = [921_600, 460_800, 230_400];

/// The timeout for SYNC: the chip answers a valid one within milliseconds.
const SYNC_TIMEOUT: Duration = Duration::from_millis(100);

/// The value of the ESP8266 in the register where the ESP32 has its magic number.
const ESP8266: u32 = 0xfff0_c101;

/// The hint for a chip that udpcli does not write to.
fn other_board() -> Sentence {
    sentence!("flash.another-board")
}

/// The note to press RESET, if the port cannot start the program.
#[must_use]
pub(crate) fn press_reset() -> Sentence {
    sentence!("flash.press-reset")
}

/// How to connect to the chip.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The port's name, for messages.
    pub port: String,
    /// How to get the board into download mode.
    pub before: ResetMethod,
    /// How long to try.
    pub timeout: Duration,
    /// The only baud rate to use for data; `None` selects the highest one that works.
    pub flash_baud: Option<u32>,
    /// The flash size in bytes, for flash chips that do not report it.
    pub flash_size: Option<u32>,
    /// The only chip to accept; `None` accepts every chip that udpcli knows.
    pub chip: Option<Chip>,
    /// Whether the user named that chip (`--chip`), and no file did.
    pub is_chip_given: bool,
}

/// A connection to a chip whose stub runs.
#[derive(Debug)]
pub(super) struct FlashSession<'a> {
    /// The connection.
    pub(super) loader: Loader<'a>,
    /// How to connect, and which chip to accept.
    pub(super) connect: Connect,
    /// The chip, once it is known.
    pub(super) chip: Option<ChipInfo>,
    /// The port has working control lines.
    lines: bool,
    /// The chip uses a baud rate that the line does not carry: only a reset brings it back.
    needs_reset_after_baud_change: bool,
    /// The stub has answered since the last reset.
    had_stub: bool,
    /// The baud rates that may still work, highest first.
    rates: Vec<u32>,
    /// The sentence about the state of the flash, for an error.
    state: Sentence,
    /// Something was erased or written.
    changed: bool,
    /// The backup file with the flash's previous content.
    kept: Option<PathBuf>,
}

impl<'a> FlashSession<'a> {
    /// A session before the first contact with the chip.
    pub(super) fn new(port: Box<dyn Port>, connect: Connect, stop: &'a dyn Fn() -> bool) -> Self {
        let rates = match connect.flash_baud {
            Some(rate) => std::iter::once(rate)
                .chain(RATES.into_iter().filter(|&lower| lower < rate))
                .collect(),
            None => RATES.to_vec(),
        };
        Self {
            loader: Loader::new(port, DEFAULT_BAUD, stop),
            connect,
            chip: None,
            lines: true,
            needs_reset_after_baud_change: false,
            had_stub: false,
            rates,
            state: sentence!("flash.state-unchanged"),
            changed: false,
            kept: None,
        }
    }

    /// Puts the chip into download mode and starts the stub.
    pub(super) fn start(&mut self, report: &mut dyn FlashObserver) -> Result<ChipInfo, Error> {
        self.find(report)?;
        let mut attempts = 0;
        loop {
            match self.prepare(report) {
                Ok(chip) => return Ok(chip),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Fault(fault)) => {
                    attempts += 1;
                    self.recover(fault, attempts, &sentence!("flash.doing-preparing"), report)?;
                }
            }
        }
    }

    /// Finds the loader: resets the board if the port can, and synchronises.
    fn find(&mut self, report: &mut dyn FlashObserver) -> Result<(), Error> {
        let started = Instant::now();
        let mut booted = false;
        let mut round = 0_u32;
        loop {
            match self.find_once(round, &mut booted) {
                Ok(()) => return Ok(()),
                Err(CommandFault::Silent | CommandFault::Refused(_)) => {}
                Err(fault) => return Err(self.give_up(fault, &sentence!("flash.doing-connecting"))),
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
                report.note(&sentence!("flash.still-trying"));
            }
            round += 1;
        }
    }

    /// One attempt to reach the loader. `booted` becomes true if the board starts its program instead.
    fn find_once(&mut self, round: u32, booted: &mut bool) -> Result<(), CommandFault> {
        let reset = self.reset(round);
        if reset {
            self.loader.set_baud(DEFAULT_BAUD)?;
            let log = self
                .loader
                .drain(Duration::from_millis(30), Duration::from_millis(300))?;
            let log = String::from_utf8_lossy(&log);
            *booted = log.contains("boot:0x") && !log.contains("waiting for download");
            // The first SYNC lets the ROM detect the baud rate; it may answer only a later one.
            for _ in 0..5 {
                match self.loader.sync(SYNC_TIMEOUT) {
                    Err(CommandFault::Silent) => {}
                    result => return result,
                }
            }
            return Err(CommandFault::Silent);
        }
        // An interrupted run left the stub at its baud rate; the ROM detects any rate.
        for rate in std::iter::once(DEFAULT_BAUD).chain(self.rates.clone()) {
            self.loader.set_baud(rate)?;
            self.loader
                .drain(Duration::from_millis(10), Duration::from_millis(100))?;
            for _ in 0..2 {
                match self.loader.sync(SYNC_TIMEOUT) {
                    Err(CommandFault::Silent) => {}
                    result => return result,
                }
            }
        }
        Err(CommandFault::Silent)
    }

    /// Resets into download mode with the control lines; returns whether that was possible.
    fn reset(&mut self, round: u32) -> bool {
        let port = self.loader.port();
        // Hold IO0 low for longer in every second round: some boards have a large capacitor at EN.
        let settle = if round.is_multiple_of(2) { 50 } else { 500 };
        let result = match self.connect.before {
            ResetMethod::NoReset => return false,
            ResetMethod::DefaultReset => reset::into_download(port, Duration::from_millis(settle)),
            ResetMethod::UsbReset => reset::into_download_by_usb(port),
        };
        if let Err(error) = &result {
            tracing::debug!("control lines: {error}");
        }
        self.lines = result.is_ok();
        self.lines
    }

    /// Starts the stub from a loader that answers, and raises the baud rate.
    fn prepare(&mut self, report: &mut dyn FlashObserver) -> Result<ChipInfo, Failure> {
        let spec = self.accepted()?;
        let info = match &self.chip {
            Some(info) => info.clone(),
            None => chip::describe(&mut self.loader, spec)?,
        };
        if !self.loader.stub {
            // However it came into download mode: after a reset by hand, with `--before no-reset`, nothing tells the ROM's
            // USB port from an adapter.
            chip::stop_watchdogs(&mut self.loader, spec)?;
            // The ESP32-S3's ROM starts no stub if secure boot is on, and nothing may be written either.
            if info.locks.secure_boot && spec.chip == Chip::Esp32s3 {
                check::locks(&info).map_err(Failure::Final)?;
            }
            stub::start(&mut self.loader, spec, info.revision.0)?;
        }
        self.had_stub = true;
        let info = match &self.chip {
            Some(info) => info.clone(),
            None => {
                let info = chip::with_flash(&mut self.loader, spec, &info)?;
                self.sized(info)?
            }
        };
        self.chip = Some(info.clone());
        // Without a size the chip reads nothing, not even the partition table. Every ESP32 board has at least 2 MB.
        let size = info.flash_size.max(2 << 20);
        // The parameters: ID, total size, block size, sector size, page size, status mask.
        let parameters = words(&[0, size, 0x1_0000, 0x1000, 0x100, 0xffff]);
        self.loader.command(Op::SpiSetParams, &parameters, QUICK)?;
        self.raise_rate(report)?;
        Ok(info)
    }

    /// Identifies the chip, and finds out whether udpcli may write to it.
    fn accepted(&mut self) -> Result<&'static ChipSpec, Failure> {
        let refused = |found: Sentence, expected: Sentence, port: &str| {
            Failure::Final(Error::Refused(Box::new(FlashRefusal {
                what: sentence!("flash.w-board-on", port = port),
                expected,
                found,
                hint: Some(other_board()),
            })))
        };
        let identity = chip::identify(&mut self.loader)?;
        let port = self.connect.port.as_str();
        let chip = match identity {
            Identity::Known(chip) => chip,
            Identity::Locked => {
                return Err(Failure::Final(Error::Refused(Box::new(FlashRefusal {
                    what: sentence!("flash.w-board-on", port = port),
                    expected: sentence!("flash.x-any-firmware"),
                    found: sentence!("flash.f-download-locked"),
                    hint: Some(sentence!("flash.locked")),
                }))));
            }
            Identity::Unknown(ESP8266) => {
                let found = sentence!("flash.f-esp8266");
                return Err(refused(found, sentence!("flash.x-esp32"), port));
            }
            Identity::Unknown(number) => {
                let number = format!("{number:#010x}");
                let found = sentence!("flash.f-unknown-chip", number = number);
                return Err(refused(found, sentence!("flash.x-esp32"), port));
            }
        };
        let is_other = self.connect.chip.is_some_and(|wanted| wanted != chip);
        // The chip cannot change during a session, so the line must have damaged the answer.
        if self.chip.as_ref().is_some_and(|info| info.chip != chip) {
            return Err(Failure::Fault(CommandFault::Silent));
        }
        match (chip::spec(chip), self.connect.chip) {
            (Some(spec), _) if !is_other => Ok(spec),
            (_, Some(wanted)) => Err(Failure::Final(Error::Refused(Box::new(FlashRefusal {
                what: sentence!("flash.w-board-on", port = port),
                expected: if self.connect.is_chip_given {
                    sentence!("flash.x-chip-given", chip = name(wanted))
                } else {
                    sentence!("flash.x-chip", chip = name(wanted))
                },
                found: sentence!("flash.f-chip", chip = name(chip)),
                hint: Some(if self.connect.is_chip_given {
                    sentence!("flash.chip-given-hint", chip = name(chip))
                } else {
                    sentence!("flash.for-chip-hint", chip = name(chip))
                }),
            })))),
            (_, None) => {
                let found = sentence!("flash.f-chip", chip = name(chip));
                Err(refused(found, sentence!("flash.x-esp32-board"), port))
            }
        }
    }

    /// Applies the flash size that the user gave: it replaces a missing size, or lowers the detected one.
    fn sized(&self, info: ChipInfo) -> Result<ChipInfo, Failure> {
        let Some(size) = self.connect.flash_size else {
            return Ok(info);
        };
        if info.flash_size != 0 && size > info.flash_size {
            return Err(Failure::Final(Error::Refused(Box::new(FlashRefusal {
                what: sentence!("flash.w-board-on", port = &self.connect.port),
                expected: sentence!("flash.x-flash-size", size = megabytes(u64::from(size))),
                found: sentence!(
                    "flash.f-flash-chip",
                    size = megabytes(u64::from(info.flash_size)),
                    id = format!("{:#08x}", info.flash_id)
                ),
                hint: Some(sentence!("flash.flash-size-out")),
            }))));
        }
        Ok(ChipInfo {
            flash_size: size,
            ..info
        })
    }

    /// Switches to the highest baud rate that may still work.
    fn raise_rate(&mut self, report: &mut dyn FlashObserver) -> Result<(), Failure> {
        let Some(&rate) = self.rates.first() else {
            return Ok(());
        };
        if rate == self.loader.baud {
            return Ok(());
        }
        // The stub needs its current baud rate too.
        let rates = words(&[rate, self.loader.baud]);
        self.loader.command(Op::ChangeBaudrate, &rates, QUICK)?;
        self.loader.set_baud(rate)?;
        // Bytes received during the switch are noise.
        self.loader
            .drain(Duration::from_millis(30), Duration::from_millis(150))?;
        for _ in 0..3 {
            if self.loader.sync(SYNC_TIMEOUT).is_ok() {
                return Ok(());
            }
        }
        self.rates.remove(0);
        self.needs_reset_after_baud_change = true;
        report.note(&sentence!("flash.lower-rate", rate = rate));
        Err(Failure::Fault(CommandFault::Silent))
    }

    /// Waits for `duration`, unless the user presses Ctrl-C.
    pub(super) fn pause(&self, duration: Duration, doing: &Sentence) -> Result<(), Error> {
        let paused = self.loader.pause(duration);
        paused.map_err(|fault| self.give_up(fault, doing))
    }

    /// Records that the flash has changed; `state` describes its new state.
    pub(super) fn changed(&mut self, state: Sentence) {
        self.state = state;
        self.changed = true;
    }

    /// Records that the backup is in `path`.
    pub(super) fn kept(&mut self, path: &Path) {
        self.kept = Some(path.to_owned());
    }

    /// The final error for a fault that retries did not fix.
    pub(super) fn give_up(&self, fault: CommandFault, doing: &Sentence) -> Error {
        let mut state = self.state.clone();
        if let Some(path) = &self.kept {
            state = sentence!("flash.state-kept", state => state, path = path.display());
        }
        let port = self.connect.port.clone();
        match fault {
            // After Ctrl-C a port waits a short time only, and then fails.
            CommandFault::Gone(_) if self.loader.is_stopped() => Error::Interrupted { state },
            CommandFault::Gone(source) => Error::Gone {
                port,
                state,
                source,
            },
            CommandFault::Stopped => Error::Interrupted { state },
            CommandFault::Silent | CommandFault::Refused(_) => Error::Lost {
                port,
                doing: doing.clone(),
                state,
            },
        }
    }

    /// Starts the board's program; returns whether the port could do that.
    pub(super) fn start_program(&mut self) -> bool {
        let spec = self.chip.as_ref().and_then(|info| chip::spec(info.chip));
        if let Some(spec) = spec
            && let Err(fault) = chip::forget_download(&mut self.loader, spec)
        {
            // The reset that follows may still work.
            tracing::debug!("forced download stays: {fault:?}");
        }
        reset::into_program(self.loader.port()).is_ok()
    }

    /// After `error`: starts the program again if the flash is unchanged.
    pub(super) fn leave(&mut self, error: &Error, report: &mut dyn FlashObserver) {
        // A program that was half overwritten must not run.
        if self.changed || matches!(error, Error::Gone { .. }) {
            return;
        }
        // The error for a board that never answered has its own hint.
        if !self.start_program() && !matches!(error, Error::NoLoader { .. }) {
            report.note(&press_reset());
        }
    }
}

/// Why the preparation failed.
#[derive(Debug)]
enum Failure {
    /// A fault of the serial line or the chip: a retry may help.
    Fault(CommandFault),
    /// A retry does not help.
    Final(Error),
}

impl From<CommandFault> for Failure {
    fn from(fault: CommandFault) -> Self {
        Self::Fault(fault)
    }
}
