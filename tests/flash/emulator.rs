//! An ESP32, or a newer chip, in download mode on a pseudo-terminal: ROM loader, flasher stub, SPI flash and the serial line.
//!
//! Its timing is realistic: bytes take time on the line in both directions, the flash takes time to erase and program,
//! and a byte at another baud rate than the chip's arrives as a different byte. The replies of loader and stub follow
//! Espressif's description of the serial protocol, and `esptool` itself is tested against it (`proof.rs`). A
//! pseudo-terminal has no DTR and RTS, so [`Emulator::set_lines`] sets them.

mod chip;
mod fault;
mod flash;
mod line;
mod model;
mod slip;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) use fault::{Fault, Kind};
pub(crate) use flash::Flash;
pub(crate) use model::Model;

/// The chip's serial commands, with the numbers of Espressif's serial protocol.
pub(crate) mod op {
    pub(crate) const FLASH_BEGIN: u8 = 0x02;
    pub(crate) const FLASH_DATA: u8 = 0x03;
    pub(crate) const FLASH_END: u8 = 0x04;
    pub(crate) const MEM_BEGIN: u8 = 0x05;
    pub(crate) const MEM_END: u8 = 0x06;
    pub(crate) const MEM_DATA: u8 = 0x07;
    pub(crate) const SYNC: u8 = 0x08;
    pub(crate) const WRITE_REG: u8 = 0x09;
    pub(crate) const READ_REG: u8 = 0x0a;
    pub(crate) const SPI_SET_PARAMS: u8 = 0x0b;
    pub(crate) const SPI_ATTACH: u8 = 0x0d;
    pub(crate) const READ_FLASH_SLOW: u8 = 0x0e;
    pub(crate) const CHANGE_BAUDRATE: u8 = 0x0f;
    pub(crate) const FLASH_DEFL_BEGIN: u8 = 0x10;
    pub(crate) const FLASH_DEFL_DATA: u8 = 0x11;
    pub(crate) const FLASH_DEFL_END: u8 = 0x12;
    pub(crate) const SPI_FLASH_MD5: u8 = 0x13;
    pub(crate) const GET_SECURITY_INFO: u8 = 0x14;
    pub(crate) const ERASE_FLASH: u8 = 0xd0;
    pub(crate) const ERASE_REGION: u8 = 0xd1;
    pub(crate) const READ_FLASH: u8 = 0xd2;
    pub(crate) const RUN_USER_CODE: u8 = 0xd3;
}

/// The time that 10 kOhm and 1 uF take to reach the level at which the chip starts.
const EN_RISE: Duration = Duration::from_millis(8);

/// The board that is plugged in.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) model: Model,
    /// The flash content; its length, a power of two, is the flash size.
    pub(crate) flash: Vec<u8>,
    pub(crate) mac: [u8; 6],
    /// How long erasing and programming take, as a fraction of the real time.
    pub(crate) flash_time: f64,
    /// How long a byte takes on the line, as a fraction of the real time.
    pub(crate) line_time: f64,
    /// The user holds the BOOT button: every reset ends in download mode.
    pub(crate) boot_held: bool,
    /// Words of eFuse BLOCK0 by register address, in addition to MAC and revision.
    pub(crate) efuses: Vec<(u32, u32)>,
    /// The flash chip's ID; `None` means Winbond with the right size.
    pub(crate) flash_id: Option<u32>,
    /// Above this baud rate, the line delivers garbage.
    pub(crate) max_baud: u32,
    /// A watchdog that goes on in the loader, as after a reset over USB-Serial/JTAG: the register that switches it off with 0,
    /// and how long after the first command it resets the chip.
    pub(crate) watchdog: Option<(u32, Duration)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: Model::Esp32,
            flash: vec![0xff; 8 << 20],
            mac: [0x24, 0x0a, 0xc4, 0x12, 0x34, 0x56],
            flash_time: 1.0,
            line_time: 1.0,
            boot_held: true,
            efuses: Vec::new(),
            flash_id: None,
            max_baud: 2_000_000,
            watchdog: None,
        }
    }
}

/// The program that the chip runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    App,
    Rom,
    Stub,
}

/// The events so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stats {
    /// The numbers of all received commands.
    pub(crate) commands: Vec<u8>,
    /// The number of bytes from the host.
    pub(crate) received: u64,
    /// Blocks lost because both buffers of the stub were full.
    pub(crate) lost: u64,
    pub(crate) resets: u64,
    /// The different baud rates of received bytes.
    pub(crate) bauds: Vec<u32>,
}

/// The state that both threads share.
#[derive(Debug)]
struct State {
    config: Config,
    mode: Mode,
    baud: u32,
    /// The ROM detects the baud rate from the first bytes after a reset.
    autobaud: bool,
    frames: VecDeque<Vec<u8>>,
    /// The chip is processing a frame, which occupies one of the two buffers.
    busy: bool,
    /// A reset is pending.
    reset: bool,
    unplugged: bool,
    /// When the cable was pulled.
    pulled: Option<Instant>,
    dtr: bool,
    rts: bool,
    /// When EN will have risen.
    rises: Option<Instant>,
    /// Whether IO0 was low at the end of the reset.
    strapped: bool,
    flash: Flash,
    faults: Vec<Fault>,
    /// Keys typed at the application's prompt.
    typed: Vec<u8>,
    stats: Stats,
}

impl State {
    /// Raises EN if it is time.
    fn rise(&mut self) {
        if self.rises.is_some_and(|when| when <= Instant::now()) {
            self.rises = None;
            self.strapped = self.config.boot_held || (self.dtr && !self.rts);
            self.reset = true;
        }
    }

    fn is_resetting(&self) -> bool {
        self.reset || self.rises.is_some()
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// A board on its own serial port, until it is dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    folder: tempfile::TempDir,
}

impl Emulator {
    /// Plugs a board in.
    pub(crate) fn start(config: Config) -> Self {
        let strapped = config.boot_held;
        let state = State {
            mode: Mode::App,
            baud: 115_200,
            autobaud: false,
            frames: VecDeque::new(),
            busy: false,
            reset: true,
            unplugged: true,
            pulled: None,
            dtr: false,
            rts: false,
            rises: None,
            strapped,
            flash: Flash::new(config.flash.clone(), config.flash_time),
            faults: Vec::new(),
            typed: Vec::new(),
            stats: Stats::default(),
            config,
        };
        let mut emulator = Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                wake: Condvar::new(),
            }),
            threads: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        emulator.plug_in();
        emulator
    }

    /// Plugs the board in again after [`Kind::Unplug`], with the same name and the same flash content.
    pub(crate) fn plug_in(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        let (line, slave) = line::Line::open(self.shared.lock().config.line_time);
        let name = self.folder.path().join("port");
        let _ = std::fs::remove_file(&name);
        std::os::unix::fs::symlink(&slave, &name).unwrap();
        {
            let mut state = self.shared.lock();
            state.unplugged = false;
            state.reset = true;
            state.strapped = state.config.boot_held;
            state.frames.clear();
        }
        let line = Arc::new(line);
        let receiver = (Arc::clone(&self.shared), Arc::clone(&line));
        let shared = Arc::clone(&self.shared);
        self.threads = vec![
            std::thread::spawn(move || line::receive(&receiver.0, &receiver.1)),
            std::thread::spawn(move || chip::Chip::new(shared, line).run()),
        ];
    }

    /// The serial port's name, which stays the same when the board is plugged in again.
    pub(crate) fn port(&self) -> PathBuf {
        self.folder.path().join("port")
    }

    /// A folder that is removed with the emulator.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The flash content.
    pub(crate) fn flash(&self) -> Vec<u8> {
        self.shared.lock().flash.bytes().to_vec()
    }

    /// How often sectors were erased, and how often programming tried to set a 0 to 1.
    pub(crate) fn wear(&self) -> flash::Wear {
        self.shared.lock().flash.wear()
    }

    pub(crate) fn mode(&self) -> Mode {
        self.shared.lock().mode
    }

    pub(crate) fn stats(&self) -> Stats {
        self.shared.lock().stats.clone()
    }

    /// When [`Kind::Unplug`] happened.
    pub(crate) fn pulled(&self) -> Option<Instant> {
        self.shared.lock().pulled
    }

    /// Schedules a fault.
    pub(crate) fn inject(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// The faults that have not occurred yet.
    pub(crate) fn pending_faults(&self) -> Vec<Fault> {
        self.shared.lock().faults.clone()
    }

    /// Simulates the auto-reset circuit with two transistors: EN is low while RTS is on and DTR is off, IO0 is low
    /// while DTR is on and RTS is off. A capacitor delays EN, and the chip samples IO0 when EN rises; the control lines
    /// do not change at exactly the same time.
    pub(crate) fn set_lines(&self, dtr: bool, rts: bool) {
        let mut state = self.shared.lock();
        let held = |dtr: bool, rts: bool| rts && !dtr;
        let was_held = held(state.dtr, state.rts);
        state.dtr = dtr;
        state.rts = rts;
        if held(dtr, rts) {
            state.rises = None;
        } else if was_held {
            state.rises = Some(Instant::now() + EN_RISE);
        }
        drop(state);
        self.shared.wake.notify_all();
    }

    /// Waits until the chip runs `mode`.
    pub(crate) fn wait_for(&self, mode: Mode) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.mode() != mode || self.shared.lock().is_resetting() {
            assert!(Instant::now() < deadline, "never in {mode:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.shared.lock().unplugged = true;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
