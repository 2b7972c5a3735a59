//! NOR flash: programming only clears bits, erasing sets them, and both take their time.

use std::ops::Range;
use std::time::{Duration, Instant};

pub(crate) const SECTOR: usize = 0x1000;
pub(crate) const BLOCK: usize = 0x1_0000;
const PAGE: usize = 256;

// Typical times of the Winbond W25Q64JV's datasheet (table of AC characteristics): tSE, tBE2, tPP.
const SECTOR_ERASE: Duration = Duration::from_millis(45);
const BLOCK_ERASE: Duration = Duration::from_millis(150);
const PAGE_PROGRAM: Duration = Duration::from_micros(400);
/// Reading and hashing a byte: 40 MHz DIO is 10 MB/s, the ESP32's MD5 in software about a fifth of it.
const MD5_PER_BYTE: Duration = Duration::from_nanos(550);

/// What the flash went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wear {
    /// Sectors erased.
    pub(crate) erased: u64,
    /// Bytes programmed.
    pub(crate) programmed: u64,
    /// Bytes that did not become what was asked, because they were not erased.
    pub(crate) spoilt: u64,
}

#[derive(Debug)]
pub(crate) struct Flash {
    bytes: Vec<u8>,
    time: f64,
    /// Until when an erase keeps the chip busy.
    busy_until: Instant,
    wear: Wear,
}

impl Flash {
    pub(crate) fn new(bytes: Vec<u8>, time: f64) -> Self {
        assert!(bytes.len().is_power_of_two());
        Self {
            bytes,
            time,
            busy_until: Instant::now(),
            wear: Wear::default(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn wear(&self) -> Wear {
        self.wear
    }

    fn take(&mut self, duration: Duration) {
        self.busy_until = self.busy_until.max(Instant::now()) + duration.mul_f64(self.time);
    }

    /// When what was asked for will be done.
    pub(crate) fn busy_until(&self) -> Instant {
        self.busy_until
    }

    /// Starts to erase a sector, or a block of 64 KB where `range` begins with a whole one; says how much.
    pub(crate) fn erase_next(&mut self, range: Range<usize>) -> usize {
        let whole = range.start.is_multiple_of(BLOCK) && range.len() >= BLOCK;
        let (size, duration) = if whole {
            (BLOCK, BLOCK_ERASE)
        } else {
            (SECTOR, SECTOR_ERASE)
        };
        self.take(duration);
        self.wear.erased += (size / SECTOR) as u64;
        self.bytes[range.start..range.start + size].fill(0xff);
        size
    }

    /// Starts to program `data` at `offset`.
    pub(crate) fn program(&mut self, offset: usize, data: &[u8]) {
        self.take(PAGE_PROGRAM * u32::try_from(data.len().div_ceil(PAGE)).unwrap());
        for (cell, &byte) in self.bytes[offset..].iter_mut().zip(data) {
            *cell &= byte;
            self.wear.spoilt += u64::from(*cell != byte);
        }
        self.wear.programmed += data.len() as u64;
    }

    /// Starts to hash `range`.
    pub(crate) fn md5(&mut self, range: Range<usize>) -> [u8; 16] {
        use md5::Digest as _;
        self.take(MD5_PER_BYTE * u32::try_from(range.len()).unwrap());
        md5::Md5::digest(&self.bytes[range]).into()
    }
}
