//! An ESP32 in download mode on a pseudo-terminal: ROM loader, flasher stub, SPI flash, and the line between.
//!
//! It keeps time as the real thing does: bytes take their time on the line in both directions, the flash takes its
//! time to erase and program, and a byte sent at another speed than the chip's arrives as another byte. What the
//! loader and the stub answer follows Espressif's description of the serial protocol; `esptool` itself is run
//! against it (`proof.rs`). A pseudo-terminal has no DTR and RTS, so those are reached by [`Emulator::set_lines`].

mod chip;
mod fault;
mod flash;
mod line;
mod slip;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) use fault::{Fault, Kind};
pub(crate) use flash::Flash;

/// The chip's serial commands, by the numbers of Espressif's serial protocol.
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

/// 10 kOhm and 1 uF take so long to reach the level at which the chip starts.
const EN_RISE: Duration = Duration::from_millis(8);

/// Which chip it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// The mPython board's: no `GET_SECURITY_INFO`, four status bytes in the ROM.
    Esp32,
    /// The newer boards': tells its id by `GET_SECURITY_INFO`.
    Esp32S3,
}

/// What board is plugged in.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) model: Model,
    /// What lies in flash; its length is the flash's size, a power of two.
    pub(crate) flash: Vec<u8>,
    pub(crate) mac: [u8; 6],
    /// How long erasing and programming take, as a part of the real time.
    pub(crate) flash_time: f64,
    /// The BOOT button is held: every reset ends in download mode.
    pub(crate) boot_held: bool,
    /// What words of the eFuses' BLOCK0 have, by their registers' addresses, besides MAC and revision.
    pub(crate) efuses: Vec<(u32, u32)>,
    /// What the flash chip calls itself; none: Winbond, and its size.
    pub(crate) flash_id: Option<u32>,
    /// Above this the line carries garbage whatever both sides are set to.
    pub(crate) max_baud: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: Model::Esp32,
            flash: vec![0xff; 8 << 20],
            mac: [0x24, 0x0a, 0xc4, 0x12, 0x34, 0x56],
            flash_time: 1.0,
            boot_held: true,
            efuses: Vec::new(),
            flash_id: None,
            max_baud: 2_000_000,
        }
    }
}

/// What the chip is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    App,
    Rom,
    Stub,
}

/// What happened so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stats {
    /// Every command taken, by its number.
    pub(crate) commands: Vec<u8>,
    /// Bytes that came from the host.
    pub(crate) received: u64,
    /// Blocks lost because both of the stub's buffers were full.
    pub(crate) lost: u64,
    pub(crate) resets: u64,
    /// Host speeds at which bytes came, each once.
    pub(crate) bauds: Vec<u32>,
}

/// Both threads' common state.
#[derive(Debug)]
struct State {
    config: Config,
    mode: Mode,
    baud: u32,
    /// The ROM takes the speed of the first bytes after a reset.
    autobaud: bool,
    frames: VecDeque<Vec<u8>>,
    /// A frame is being worked on, and holds one of the two buffers.
    busy: bool,
    /// A reset is due.
    reset: bool,
    unplugged: bool,
    /// When the cable was pulled.
    pulled: Option<Instant>,
    dtr: bool,
    rts: bool,
    /// When EN will have risen.
    rises: Option<Instant>,
    /// Whether IO0 was low when the chip left reset.
    strapped: bool,
    flash: Flash,
    faults: Vec<Fault>,
    /// Characters for the application's prompt.
    typed: Vec<u8>,
    stats: Stats,
}

impl State {
    /// EN rises if it is time.
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

/// A board on a serial port of its own, until it is dropped.
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

    /// Plugs the board in again after [`Kind::Unplug`], under the same name; flash keeps what it had.
    pub(crate) fn plug_in(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        let (line, slave) = line::Line::open();
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

    /// The serial port's name; it stays the same when the board is plugged in again.
    pub(crate) fn port(&self) -> PathBuf {
        self.folder.path().join("port")
    }

    /// A folder that goes with the emulator.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What lies in flash.
    pub(crate) fn flash(&self) -> Vec<u8> {
        self.shared.lock().flash.bytes().to_vec()
    }

    /// How often sectors were erased, and programming asked for a 1 where a 0 was.
    pub(crate) fn wear(&self) -> flash::Wear {
        self.shared.lock().flash.wear()
    }

    pub(crate) fn mode(&self) -> Mode {
        self.shared.lock().mode
    }

    pub(crate) fn stats(&self) -> Stats {
        self.shared.lock().stats.clone()
    }

    /// When [`Kind::Unplug`] struck.
    pub(crate) fn pulled(&self) -> Option<Instant> {
        self.shared.lock().pulled
    }

    /// Makes something go wrong later on.
    pub(crate) fn inject(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// The faults that have not struck yet.
    pub(crate) fn pending_faults(&self) -> Vec<Fault> {
        self.shared.lock().faults.clone()
    }

    /// What the auto-reset circuit of two transistors makes of the host's lines: EN is low while RTS is on and DTR is
    /// not, IO0 is low while DTR is on and RTS is not. A capacitor makes EN rise late, and the chip looks at IO0 when
    /// it does: the lines do not change at once.
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

    /// Waits until it runs `mode`.
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
