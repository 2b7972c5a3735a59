//! NOR flash: programming only clears bits, erasing sets them, and both take time.

use std::ops::Range;
use std::time::{Duration, Instant};

pub(crate) const SECTOR: usize = 0x1000;
pub(crate) const BLOCK: usize = 0x1_0000;
const PAGE: usize = 256;

// Typical times from the Winbond W25Q64JV's datasheet (table of AC characteristics): tSE, tBE2, tPP.
const SECTOR_ERASE: Duration = Duration::from_millis(45);
const BLOCK_ERASE: Duration = Duration::from_millis(150);
const PAGE_PROGRAM: Duration = Duration::from_micros(400);
/// The time to read and hash a byte: 40 MHz DIO reads 10 MB/s, the ESP32's software MD5 about a fifth of it.
const MD5_PER_BYTE: Duration = Duration::from_nanos(550);

/// The counts of erasing and programming.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wear {
    /// Erased sectors.
    pub(crate) erased: u64,
    /// Programmed bytes.
    pub(crate) programmed: u64,
    /// Bytes that got a wrong value because they were not erased.
    pub(crate) spoilt: u64,
}

#[derive(Debug)]
pub(crate) struct Flash {
    bytes: Vec<u8>,
    time: f64,
    /// The end of the current erase.
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

    /// When the current operation will be finished.
    pub(crate) fn busy_until(&self) -> Instant {
        self.busy_until
    }

    /// Starts to erase a sector, or a block of 64 KB if `range` begins with a whole one; returns the size.
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
