//! The chip: executes the commands of ROM loader and stub.
//!
//! Long because one type has the state of the chip, and each command changes it.

mod download;
mod registers;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use udpcli::board::flash::firmware;

use self::download::Download;
use super::flash::SECTOR;
use super::line::Line;
use super::model::{Profile, SecurityInfo};
use super::{Fault, Kind, Mode, Shared, op, slip};

/// A USB serial adapter passes bytes on once per millisecond.
const LATENCY: Duration = Duration::from_millis(1);
/// The flash size that the ROM assumes until `SPI_SET_PARAMS`.
const ROM_FLASH: usize = 2 << 20;
/// The ROM inflates through a window of this size, and always writes the whole last window.
const ROM_WINDOW: usize = 0x8000;

// Error codes: the ROM's, then the stub's.
const ROM_INVALID_MESSAGE: u8 = 0x05;
const ROM_FAILED: u8 = 0x06;
const ROM_BAD_CRC: u8 = 0x07;
const BAD_LENGTH: u8 = 0xc0;
const BAD_CHECKSUM: u8 = 0xc1;
const FAILED_SPI: u8 = 0xc4;
const NOT_FLASHING: u8 = 0xc6;
const INFLATE: u8 = 0xc7;
const TOO_MUCH: u8 = 0xc9;
const NOT_IMPLEMENTED: u8 = 0xff;

/// Why the chip stops its current operation.
enum Interrupt {
    Reset,
    Unplugged,
}

type Outcome<T> = Result<T, Interrupt>;

/// The value, data and error code of a reply (0: no error).
type Answer = (u32, Vec<u8>, u8);

const DONE: Answer = (0, Vec::new(), 0);

fn refuse(code: u8) -> Answer {
    (0, Vec::new(), code)
}

fn word(bytes: &[u8], index: usize) -> u32 {
    bytes
        .get(index * 4..index * 4 + 4)
        .map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap()))
}

pub(crate) struct Chip {
    shared: Arc<Shared>,
    line: Arc<Line>,
    profile: Profile,
    registers: HashMap<u32, u32>,
    /// The previous command: the ROM uses its number in the reply to an unknown one.
    previous: u8,
    memory: HashMap<u32, Vec<u8>>,
    memory_at: u32,
    flash_size: usize,
    attached: bool,
    download: Option<Download>,
    /// Write blocks with wrong bits because of a fault.
    bad_bits: bool,
    /// When the watchdog resets the chip, once the first command has come.
    watchdog_at: Option<Instant>,
}

impl Chip {
    pub(crate) fn new(shared: Arc<Shared>, line: Arc<Line>) -> Self {
        let profile = shared.lock().config.model.profile();
        Self {
            shared,
            line,
            profile,
            registers: HashMap::new(),
            previous: 0,
            memory: HashMap::new(),
            memory_at: 0,
            flash_size: 0,
            attached: false,
            download: None,
            bad_bits: false,
            watchdog_at: None,
        }
    }

    /// Whether the watchdog is due, and nobody has switched it off.
    fn is_bitten(&self) -> bool {
        let Some((register, _)) = self.shared.lock().config.watchdog else {
            return false;
        };
        self.registers.get(&register) != Some(&0)
            && self.watchdog_at.is_some_and(|at| Instant::now() >= at)
    }

    /// Runs until the cable is pulled.
    pub(crate) fn run(mut self) {
        loop {
            let interrupt = match self.next_frame() {
                Ok(_) if self.is_bitten() => Some(Interrupt::Reset),
                Ok(frame) => {
                    let watchdog = self.shared.lock().config.watchdog;
                    if let Some((_, after)) = watchdog {
                        self.watchdog_at.get_or_insert(Instant::now() + after);
                    }
                    self.take(frame).err()
                }
                Err(interrupt) => Some(interrupt),
            };
            self.shared.lock().busy = false;
            match interrupt {
                None => {}
                Some(Interrupt::Unplugged) => return,
                Some(Interrupt::Reset) => self.boot(),
            }
        }
    }

    fn boot(&mut self) {
        self.registers.clear();
        self.watchdog_at = None;
        self.memory.clear();
        self.download = None;
        self.flash_size = ROM_FLASH;
        self.attached = false;
        let strapped = {
            let mut state = self.shared.lock();
            state.reset = false;
            state.stats.resets += 1;
            state.frames.clear();
            state.typed.clear();
            state.baud = 115_200;
            state.autobaud = state.strapped;
            state.mode = if state.strapped { Mode::Rom } else { Mode::App };
            state.strapped
        };
        let prompt;
        let log: &[u8] = if strapped {
            b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n"
        } else if self.shared.lock().flash.bytes()[self.profile.boot] == 0xe9 {
            prompt = self.prompt();
            prompt.as_bytes()
        } else {
            b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\ninvalid header: 0xffffffff\r\n"
        };
        // Discard the log if no host has the port open, so that it is not buffered.
        self.line.send(log, 115_200, u32::MAX);
    }

    /// The application's output at its start, according to its banner.
    fn prompt(&self) -> String {
        let firmware = {
            let state = self.shared.lock();
            let flash = state.flash.bytes();
            firmware::identify(&flash[0x1_0000..flash.len().min(0x20_0000)])
        };
        let banner = firmware.map_or(
            "MicroPython v1.12 on 2026-01-01; mPython with ESP32".to_owned(),
            |firmware| firmware.text,
        );
        format!(
            "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nentry 0x400806b8\r\n{banner}\r\nType \"help()\" for more information.\r\n>>> "
        )
    }

    /// Waits until `when`, unless the chip is reset or unplugged.
    fn sleep_until(&self, when: Instant) -> Outcome<()> {
        let mut state = self.shared.lock();
        loop {
            state.rise();
            if state.unplugged {
                return Err(Interrupt::Unplugged);
            }
            if state.reset {
                return Err(Interrupt::Reset);
            }
            let left = when.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = self
                .shared
                .wake
                .wait_timeout(state, left.min(Duration::from_millis(5)))
                .unwrap()
                .0;
        }
    }

    fn next_frame(&self) -> Outcome<Vec<u8>> {
        let mut state = self.shared.lock();
        loop {
            state.rise();
            if state.unplugged {
                return Err(Interrupt::Unplugged);
            }
            if state.reset {
                return Err(Interrupt::Reset);
            }
            if let Some(frame) = state.frames.pop_front() {
                state.busy = true;
                return Ok(frame);
            }
            let typed = std::mem::take(&mut state.typed);
            if !typed.is_empty() {
                let prompts = typed.split(|&byte| byte == b'\r').count() - 1;
                drop(state);
                self.line
                    .send(&b"\r\n>>> ".repeat(prompts), 115_200, u32::MAX);
                state = self.shared.lock();
                continue;
            }
            state = self
                .shared
                .wake
                .wait_timeout(state, Duration::from_millis(5))
                .unwrap()
                .0;
        }
    }

    /// The fault for this command, if there is one.
    fn fault(&self, op: u8) -> Option<Kind> {
        let mut state = self.shared.lock();
        let mut due = None;
        for (index, fault) in state.faults.iter_mut().enumerate() {
            if fault.op != op {
                continue;
            }
            if fault.nth == 0 && due.is_none() {
                due = Some(index);
            }
            fault.nth = fault.nth.saturating_sub(1);
        }
        due.map(|index| {
            let Fault { kind, .. } = state.faults.remove(index);
            kind
        })
    }

    fn take(&mut self, mut frame: Vec<u8>) -> Outcome<()> {
        if frame.len() < 8 || frame[0] != 0 {
            return Ok(());
        }
        let op = frame[1];
        self.shared.lock().stats.commands.push(op);
        let fault = self.fault(op);
        match &fault {
            Some(Kind::LoseCommand) => return Ok(()),
            Some(Kind::DamageCommand) => {
                let last = frame.len() - 1;
                frame[last] ^= 0x10;
            }
            Some(Kind::Stall(duration)) => self.sleep_until(Instant::now() + *duration)?,
            Some(Kind::BadBits) => self.bad_bits = true,
            Some(Kind::Unplug) => {
                let mut state = self.shared.lock();
                state.unplugged = true;
                state.pulled = Some(Instant::now());
                return Err(Interrupt::Unplugged);
            }
            Some(Kind::BrownOut) => {
                let mut state = self.shared.lock();
                state.strapped = state.config.boot_held;
                state.reset = true;
                return Err(Interrupt::Reset);
            }
            _ => {}
        }
        let size = usize::from(u16::from_le_bytes([frame[2], frame[3]]));
        let checksum = word(&frame, 1);
        let body = frame.split_off(8);
        let answer = match fault {
            Some(Kind::Refuse(code)) => refuse(code),
            _ if body.len() != size => refuse(self.pick(ROM_INVALID_MESSAGE, BAD_LENGTH)),
            _ => self.execute(op, &body, checksum)?,
        };
        self.reply(op, answer, fault.as_ref())?;
        self.after(op, &body)
    }

    fn mode(&self) -> Mode {
        self.shared.lock().mode
    }

    fn pick(&self, rom: u8, stub: u8) -> u8 {
        if self.mode() == Mode::Stub { stub } else { rom }
    }

    fn reply(&mut self, op: u8, answer: Answer, fault: Option<&Kind>) -> Outcome<()> {
        let (value, mut data, code) = answer;
        let rom = self.mode() == Mode::Rom;
        let mut name = op;
        if rom
            && code == ROM_INVALID_MESSAGE
            && data.is_empty()
            && !known_to_rom(op, self.profile.security_info)
        {
            name = self.previous;
        } else {
            self.previous = op;
        }
        if matches!(fault, Some(Kind::WrongMd5)) && !data.is_empty() {
            // Keep it a hex digit, because the ROM replies in hexadecimal.
            data[3] = if data[3] == b'1' { b'2' } else { b'1' };
        }
        match (rom, code) {
            (true, 0) => data.extend([0; 4]),
            (true, code) => data.extend([1, code, 0, 0]),
            (false, 0) => data.extend([0; 2]),
            (false, code) => data.extend([code, 0]),
        }
        let mut reply = vec![1, name];
        reply.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
        reply.extend(value.to_le_bytes());
        reply.extend(data);
        if matches!(fault, Some(Kind::LoseReply)) {
            return Ok(());
        }
        self.sleep_until(Instant::now() + LATENCY)?;
        let mut frame = slip::encode(&reply);
        match fault {
            Some(Kind::DamageReply(index)) => {
                let index = (*index).min(frame.len() - 1);
                frame[index] ^= 0x24;
            }
            Some(Kind::CutReply(len)) => frame.truncate(*len),
            Some(Kind::Noise(noise)) => {
                frame.splice(0..0, noise.iter().copied());
            }
            _ => {}
        }
        let times = if op == op::SYNC { 8 } else { 1 };
        self.send(&frame.repeat(times));
        Ok(())
    }

    fn send(&self, bytes: &[u8]) {
        let (baud, max_baud) = {
            let state = self.shared.lock();
            (state.baud, state.config.max_baud)
        };
        self.line.send(bytes, baud, max_baud);
    }

    fn execute(&mut self, op: u8, body: &[u8], checksum: u32) -> Outcome<Answer> {
        let stub = self.mode() == Mode::Stub;
        Ok(match op {
            op::SYNC => (if stub { 0 } else { 0x2012_0707 }, Vec::new(), 0),
            op::READ_REG => (self.read_register(word(body, 0)), Vec::new(), 0),
            op::WRITE_REG => {
                for part in body.chunks_exact(16) {
                    let mask = word(part, 2);
                    let old = self.read_register(word(part, 0));
                    self.write_register(word(part, 0), old & !mask | word(part, 1) & mask);
                }
                DONE
            }
            op::MEM_BEGIN => {
                self.memory_at = word(body, 3);
                self.memory.insert(self.memory_at, Vec::new());
                DONE
            }
            op::MEM_DATA => {
                if body.len() < 16 || !checks(&body[16..], checksum) {
                    return Ok(refuse(ROM_BAD_CRC));
                }
                self.memory
                    .entry(self.memory_at)
                    .or_default()
                    .extend(&body[16..]);
                DONE
            }
            op::SPI_ATTACH => {
                self.attached = true;
                DONE
            }
            op::SPI_SET_PARAMS => {
                self.flash_size = word(body, 1) as usize;
                DONE
            }
            op::FLASH_BEGIN | op::FLASH_DEFL_BEGIN => self.begin(op, body)?,
            op::FLASH_DATA | op::FLASH_DEFL_DATA => self.data(body, checksum)?,
            op::MEM_END | op::CHANGE_BAUDRATE | op::FLASH_END | op::FLASH_DEFL_END => DONE,
            op::SPI_FLASH_MD5 => match self.area(word(body, 0), word(body, 1)) {
                None => refuse(self.pick(ROM_FAILED, FAILED_SPI)),
                Some(range) => {
                    let digest = self.shared.lock().flash.md5(range);
                    self.wait_for_flash()?;
                    let digest = if stub {
                        digest.to_vec()
                    } else {
                        hex(&digest).into_bytes()
                    };
                    (0, digest, 0)
                }
            },
            op::GET_SECURITY_INFO if self.profile.security_info != SecurityInfo::None => {
                // Flags, counts and key purposes; then the chip's number and its version.
                let mut info = vec![0; 12];
                if self.profile.security_info == SecurityInfo::Long {
                    info.extend(u32::from(self.profile.id).to_le_bytes());
                    info.extend([0; 4]);
                }
                (0, info, 0)
            }
            op::READ_FLASH_SLOW if !stub => match self.area(word(body, 0), word(body, 1)) {
                Some(range) if range.len() <= 64 => {
                    let mut data = self.shared.lock().flash.bytes()[range].to_vec();
                    data.resize(64, 0);
                    (0, data, 0)
                }
                _ => refuse(ROM_FAILED),
            },
            op::ERASE_FLASH if stub => {
                let end = self.shared.lock().flash.bytes().len();
                self.erase(0..end)?;
                DONE
            }
            op::ERASE_REGION if stub => match self.area(word(body, 0), word(body, 1)) {
                Some(range)
                    if range.start.is_multiple_of(SECTOR) && range.end.is_multiple_of(SECTOR) =>
                {
                    self.erase(range)?;
                    DONE
                }
                _ => refuse(FAILED_SPI),
            },
            op::READ_FLASH if stub => match self.area(word(body, 0), word(body, 1)) {
                Some(_) => DONE,
                None => refuse(FAILED_SPI),
            },
            op::RUN_USER_CODE if stub => DONE,
            _ => refuse(self.pick(ROM_INVALID_MESSAGE, NOT_IMPLEMENTED)),
        })
    }

    /// Actions after the reply.
    fn after(&mut self, op: u8, body: &[u8]) -> Outcome<()> {
        let stub = self.mode() == Mode::Stub;
        match op {
            op::CHANGE_BAUDRATE => self.shared.lock().baud = word(body, 0),
            // A program for another chip hangs.
            op::MEM_END if self.profile.ram.contains(&word(body, 1)) && !self.memory.is_empty() => {
                self.sleep_until(Instant::now() + Duration::from_millis(5))?;
                self.shared.lock().mode = Mode::Stub;
                // The stub attaches the flash itself and reads its size.
                self.attached = true;
                self.flash_size = usize::MAX;
                self.send(&slip::encode(b"OHAI"));
            }
            op::FLASH_DATA | op::FLASH_DEFL_DATA if stub => {
                if let Err(code) = self.write(&body[16..])?
                    && let Some(download) = &mut self.download
                {
                    download.error = Some(code);
                }
            }
            op::FLASH_END | op::FLASH_DEFL_END => {
                self.download = None;
                if word(body, 0) == 0 {
                    self.shared.lock().reset = true;
                    return Err(Interrupt::Reset);
                }
            }
            op::RUN_USER_CODE if stub => {
                self.shared.lock().reset = true;
                return Err(Interrupt::Reset);
            }
            op::READ_FLASH if stub => {
                if let Some(range) = self.area(word(body, 0), word(body, 1)) {
                    self.read_out(range, word(body, 2) as usize, word(body, 3) as usize)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A range of flash, if the flash is attached and the chip knows that size.
    fn area(&self, offset: u32, len: u32) -> Option<Range<usize>> {
        let range = offset as usize..offset as usize + len as usize;
        let real = self.shared.lock().flash.bytes().len();
        (self.attached && range.end <= self.flash_size.min(real)).then_some(range)
    }

    fn wait_for_flash(&self) -> Outcome<()> {
        let until = self.shared.lock().flash.busy_until();
        self.sleep_until(until)
    }

    fn erase(&self, range: Range<usize>) -> Outcome<()> {
        let mut next = range.start;
        while next < range.end {
            next += self.shared.lock().flash.erase_next(next..range.end);
            self.wait_for_flash()?;
        }
        Ok(())
    }
}

/// Whether the chip's ROM has this command.
fn known_to_rom(op: u8, info: SecurityInfo) -> bool {
    matches!(op, 0x02..=0x0b | 0x0d..=0x13)
        || op == op::GET_SECURITY_INFO && info != SecurityInfo::None
}

/// Verifies a block's checksum: XOR of all bytes and 0xEF.
fn checks(data: &[u8], checksum: u32) -> bool {
    u32::from(data.iter().fold(0xef, |sum, byte| sum ^ byte)) == checksum
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
