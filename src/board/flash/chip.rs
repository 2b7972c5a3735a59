//! Identifies the chip and reads its properties.

use std::time::Instant;

use espflash::flasher::FlashSize;
use espflash::target::Chip;

use super::loader::{Fault, Loader, QUICK};

// Register addresses from the ESP32 Technical Reference Manual; the first is where eFuse BLOCK0 begins.
const EFUSE_CRYPT: u32 = 0x3ff5_a000;
const EFUSE_ABS_DONE: u32 = 0x3ff5_a018;
const MAGIC: u32 = 0x4000_1000;
const EFUSE_MAC_LOW: u32 = 0x3ff5_a004;
const EFUSE_MAC_HIGH: u32 = 0x3ff5_a008;
const EFUSE_VERSION: u32 = 0x3ff5_a00c;
const EFUSE_MINOR: u32 = 0x3ff5_a014;
const APB_CTL_DATE: u32 = 0x3ff6_607c;
const SPI_CMD: u32 = 0x3ff4_2000;
const SPI_USR: u32 = 0x3ff4_201c;
const SPI_USR2: u32 = 0x3ff4_2024;
const SPI_MISO_DLEN: u32 = 0x3ff4_202c;
const SPI_W0: u32 = 0x3ff4_2080;

/// The properties of the chip and its flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipInfo {
    /// The chip model.
    pub chip: Chip,
    /// The chip revision, major and minor.
    pub revision: (u32, u32),
    /// The MAC address that the chip uses for Wi-Fi.
    pub mac: [u8; 6],
    /// The flash chip's JEDEC ID: manufacturer, type, capacity.
    pub flash_id: u32,
    /// The flash size in bytes; 0 if neither the flash chip nor the user gives it.
    pub flash_size: u32,
    /// Security features that are burnt into the eFuses.
    pub locks: Locks,
}

/// The security features that stop a chip from running plain firmware.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Locks {
    /// The chip decrypts flash with a key that cannot be read out.
    pub flash_encryption: bool,
    /// The chip starts signed boot loaders only.
    pub secure_boot: bool,
}

impl Locks {
    /// Decodes eFuse words 0 and 6 with the chip's major revision, as esptool does: encryption is on if an odd number
    /// of the seven `FLASH_CRYPT_CNT` bits is set; secure boot is `ABS_DONE_0`, or since revision 3 `ABS_DONE_1`.
    fn read(crypt: u32, done: u32, major: u32) -> Self {
        Self {
            flash_encryption: (crypt >> 20 & 0x7f).count_ones() % 2 == 1,
            secure_boot: done & 1 << 4 != 0 || major >= 3 && done & 1 << 5 != 0,
        }
    }
}

/// Reads the chip's magic number, and finds the chip if the number is a known one.
pub(super) fn identify(loader: &mut Loader<'_>) -> Result<(u32, Option<Chip>), Fault> {
    let magic = loader.read_register(MAGIC)?;
    Ok((magic, Chip::from_magic(magic).ok()))
}

/// Reads the properties of the chip and of its flash.
pub(super) fn describe(loader: &mut Loader<'_>, chip: Chip) -> Result<ChipInfo, Fault> {
    let low = loader.read_register(EFUSE_MAC_LOW)?.to_be_bytes();
    let high = loader.read_register(EFUSE_MAC_HIGH)?.to_be_bytes();
    let [_, _, first, second] = high;
    let [third, fourth, fifth, sixth] = low;
    // The major revision is spread over three registers: the number of set bits counts.
    let version = loader.read_register(EFUSE_VERSION)?;
    let minor = loader.read_register(EFUSE_MINOR)?;
    let date = loader.read_register(APB_CTL_DATE)?;
    let major = match (version >> 15 & 1, minor >> 20 & 1, date >> 31) {
        (1, 1, 1) => 3,
        (1, 1, _) => 2,
        (1, ..) => 1,
        _ => 0,
    };
    let crypt = loader.read_register(EFUSE_CRYPT)?;
    let done = loader.read_register(EFUSE_ABS_DONE)?;
    let flash_id = flash_id(loader)?;
    let capacity = u8::try_from(flash_id >> 16 & 0xff).unwrap_or(0);
    Ok(ChipInfo {
        chip,
        revision: (major, minor >> 24 & 3),
        mac: [first, second, third, fourth, fifth, sixth],
        flash_id,
        flash_size: FlashSize::from_detected(capacity).map_or(0, FlashSize::size),
        locks: Locks::read(crypt, done, major),
    })
}

/// Makes the SPI controller read the flash chip's ID (command RDID, 0x9F).
fn flash_id(loader: &mut Loader<'_>) -> Result<u32, Fault> {
    let (usr, usr2) = (
        loader.read_register(SPI_USR)?,
        loader.read_register(SPI_USR2)?,
    );
    // One transaction with an 8-bit command and a 24-bit reply.
    loader.write_register(SPI_USR, 1 << 31 | 1 << 28)?;
    loader.write_register(SPI_USR2, 7 << 28 | 0x9f)?;
    loader.write_register(SPI_MISO_DLEN, 23)?;
    loader.write_register(SPI_W0, 0)?;
    loader.write_register(SPI_CMD, 1 << 18)?;
    let until = Instant::now() + QUICK;
    while loader.read_register(SPI_CMD)? & 1 << 18 != 0 {
        if Instant::now() > until {
            return Err(Fault::Silent);
        }
    }
    let id = loader.read_register(SPI_W0)? & 0x00ff_ffff;
    loader.write_register(SPI_USR, usr)?;
    loader.write_register(SPI_USR2, usr2)?;
    Ok(id)
}

/// The chip's name in the usual spelling: `ESP32-S3`.
#[must_use]
pub fn name(chip: Chip) -> String {
    let name = chip.to_string().to_uppercase();
    match name.strip_prefix("ESP32") {
        Some("") | None => name,
        Some(rest) => format!("ESP32-{rest}"),
    }
}

/// The name of the chip with this ID in image headers.
#[must_use]
pub(super) fn chip_name(id: u16) -> String {
    Chip::try_from(id).map_or(format!("chip number {id}"), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_read_as_the_chip_reads_them() {
        let locks = |crypt: u32, done, major| {
            let locks = Locks::read(crypt << 20, done, major);
            (locks.flash_encryption, locks.secure_boot)
        };
        assert_eq!(locks(0, 0, 3), (false, false));
        assert_eq!(locks(1, 0, 3), (true, false));
        // Encryption enabled, disabled, and enabled again.
        assert_eq!(locks(0b11, 0, 3), (false, false));
        assert_eq!(locks(0b111, 0, 3), (true, false));
        assert_eq!(locks(0x7f, 0, 3), (true, false));
        assert_eq!(locks(0, 1 << 4, 1), (false, true));
        // The second version of secure boot exists since revision 3.
        assert_eq!(locks(0, 1 << 5, 1), (false, false));
        assert_eq!(locks(0, 1 << 5, 3), (false, true));
    }
}
