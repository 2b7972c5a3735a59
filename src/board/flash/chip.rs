//! Identifies the chip and reads its properties.

mod esp32;
mod esp32c2;
mod esp32c3;
mod esp32c5;
mod esp32c6;
mod esp32h2;
mod esp32p4;
mod esp32s2;
mod esp32s3;
pub(super) mod spec;

use std::time::Instant;

use espflash::flasher::FlashSize;
use espflash::target::Chip;

use self::spec::{Bits, ChipSpec, EfuseField, Revision, Watchdogs};
use super::loader::{CommandFault, Loader, QUICK};
use super::reply::SecurityInfo;

/// The chips that udpcli writes to.
const SPECS: [&ChipSpec; 9] = [
    &esp32::SPEC,
    &esp32s2::SPEC,
    &esp32s3::SPEC,
    &esp32c2::SPEC,
    &esp32c3::SPEC,
    &esp32c5::SPEC,
    &esp32c6::SPEC,
    &esp32h2::SPEC,
    &esp32p4::SPEC,
];

/// The chips that udpcli writes to.
pub(crate) fn supported() -> impl Iterator<Item = Chip> {
    SPECS.iter().map(|spec| spec.chip)
}

/// The data of `chip`; `None` if udpcli does not write to it.
pub(super) fn spec(chip: Chip) -> Option<&'static ChipSpec> {
    SPECS.into_iter().find(|spec| spec.chip == chip)
}

/// A word in the ROM of every chip. The ESP32 and the ESP32-S2 have one value each; newer chips report their number.
const MAGIC: u32 = 0x4000_1000;

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
    pub(crate) flash_encryption: bool,
    /// The chip starts signed boot loaders only.
    pub(crate) secure_boot: bool,
}

/// What the ROM reports about the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// A chip that Espressif's tools know.
    Known(Chip),
    /// A chip that takes no commands that read its memory: secure download mode is burnt in.
    Locked,
    /// Another chip, with this word in its ROM, or this number.
    Unknown(u32),
}

/// Finds out which chip answers.
///
/// Read the word in the ROM first: the ESP32's ROM does not know the command for the chip's number. It replies under
/// the name of the previous command, so asking would cost a timeout.
pub(super) fn identify(loader: &mut Loader<'_>) -> Result<Identity, CommandFault> {
    let magic = match loader.read_register(MAGIC) {
        Ok(magic) => Some(magic),
        Err(CommandFault::Refused(_)) => None,
        Err(fault) => return Err(fault),
    };
    let of_magic = magic.and_then(|magic| Chip::from_magic(magic).ok());
    if let Some(chip @ (Chip::Esp32 | Chip::Esp32s2)) = of_magic {
        return Ok(Identity::Known(chip));
    }
    let info = match loader.security_info() {
        Ok(info) => Some(info),
        Err(CommandFault::Refused(_) | CommandFault::Silent) => None,
        Err(fault) => return Err(fault),
    };
    if info.is_some_and(SecurityInfo::is_download_secured) {
        return Ok(Identity::Locked);
    }
    let number = info.and_then(|info| info.chip);
    let of_number = number.and_then(|number| Chip::try_from(u16::try_from(number).ok()?).ok());
    Ok(match (of_number.or(of_magic), number.or(magic)) {
        (Some(chip), _) => Identity::Known(chip),
        (None, Some(number)) => Identity::Unknown(number),
        (None, None) => Identity::Locked,
    })
}

/// The chip before its flash is attached: every property except those of the flash.
pub(super) fn describe(loader: &mut Loader<'_>, spec: &ChipSpec) -> Result<ChipInfo, CommandFault> {
    let low = loader.read_register(spec.mac)?.to_be_bytes();
    let high = loader.read_register(spec.mac + 4)?.to_be_bytes();
    // The upper two bytes of that word are not part of the address.
    let [_, _, first, second] = high;
    let [third, fourth, fifth, sixth] = low;
    let revision = revision(loader, spec)?;
    Ok(ChipInfo {
        chip: spec.chip,
        revision,
        mac: [first, second, third, fourth, fifth, sixth],
        flash_id: 0,
        flash_size: 0,
        locks: locks(loader, spec, revision.0)?,
    })
}

/// Reads the flash chip's ID, and adds the size that it stands for. The stub must run: it attaches the flash.
pub(super) fn with_flash(
    loader: &mut Loader<'_>,
    spec: &ChipSpec,
    info: &ChipInfo,
) -> Result<ChipInfo, CommandFault> {
    let flash_id = flash_id(loader, spec)?;
    let capacity = u8::try_from(flash_id >> 16 & 0xff).unwrap_or(0);
    Ok(ChipInfo {
        flash_id,
        flash_size: FlashSize::from_detected(capacity).map_or(0, FlashSize::size),
        ..info.clone()
    })
}

/// Reads the chip's revision, major and minor.
fn revision(loader: &mut Loader<'_>, spec: &ChipSpec) -> Result<(u32, u32), CommandFault> {
    let revision = match spec.revision {
        Revision::Esp32 {
            version,
            minor,
            date,
        } => {
            // The number of set bits counts.
            let version = loader.read_register(version)?;
            let minor = loader.read_register(minor)?;
            let date = loader.read_register(date)?;
            let major = match (version >> 15 & 1, minor >> 20 & 1, date >> 31) {
                (1, 1, 1) => 3,
                (1, 1, _) => 2,
                (1, ..) => 1,
                _ => 0,
            };
            (major, minor >> 24 & 3)
        }
        Revision::Fields { major, minor } => (number(loader, major)?, number(loader, minor)?),
    };
    // Revision 0.0 of the ESP32-S3 has version 1.1 of the eFuse layout where later ones have their revision (esptool,
    // `is_eco0`).
    if spec.chip == Chip::Esp32s3 && revision.1.is_multiple_of(8) {
        let layout = [esp32s3::LAYOUT_MAJOR, esp32s3::LAYOUT_MINOR];
        if number(loader, &layout[..1])? == 1 && number(loader, &layout[1..])? == 1 {
            return Ok((0, 0));
        }
    }
    Ok(revision)
}

/// Reads a number whose bits may lie in several eFuse words, the most significant first.
fn number(loader: &mut Loader<'_>, fields: &[EfuseField]) -> Result<u32, CommandFault> {
    let mut number = 0;
    for field in fields {
        let word = loader.read_register(field.register)?;
        number = number << field.bits | word >> field.shift & ((1 << field.bits) - 1);
    }
    Ok(number)
}

/// Reads the security features of a chip of this major revision.
fn locks(loader: &mut Loader<'_>, spec: &ChipSpec, major: u32) -> Result<Locks, CommandFault> {
    let mut set =
        |bits: Bits| Ok::<u32, CommandFault>(loader.read_register(bits.register)? & bits.mask);
    let encryption = set(spec.locks.encryption)?;
    let mut secure_boot = set(spec.locks.secure_boot)? != 0;
    if let Some(bits) = spec.locks.secure_boot_2.filter(|_| major >= 3) {
        secure_boot |= set(bits)? != 0;
    }
    Ok(Locks {
        // Each bit can be burnt once, so the chip counts them: an odd number means on.
        flash_encryption: encryption.count_ones() % 2 == 1,
        secure_boot,
    })
}

/// Makes the SPI controller read the flash chip's ID (command RDID, 0x9F).
fn flash_id(loader: &mut Loader<'_>, spec: &ChipSpec) -> Result<u32, CommandFault> {
    let spi = &spec.spi;
    let (start, shape, command) = (spi.base, spi.base + spi.usr, spi.base + spi.usr2);
    let before = [
        (shape, loader.read_register(shape)?),
        (command, loader.read_register(command)?),
    ];
    // One transaction with an 8-bit command and a 24-bit reply.
    loader.write_register(shape, 1 << 31 | 1 << 28)?;
    loader.write_register(command, 7 << 28 | 0x9f)?;
    loader.write_register(spi.base + spi.miso_dlen, 23)?;
    loader.write_register(spi.base + spi.w0, 0)?;
    loader.write_register(start, 1 << 18)?;
    let until = Instant::now() + QUICK;
    while loader.read_register(start)? & 1 << 18 != 0 {
        if Instant::now() > until {
            return Err(CommandFault::Silent);
        }
    }
    let id = loader.read_register(spi.base + spi.w0)? & 0x00ff_ffff;
    // The ROM and the stub use this controller too.
    for (register, value) in before {
        loader.write_register(register, value)?;
    }
    Ok(id)
}

/// Stops the watchdogs that a reset over USB-Serial/JTAG leaves running. esptool does so on a chip that uses USB-Serial/JTAG,
/// whatever the reset was, and not after a stub that runs already (`disable_watchdogs` and `_post_connect` in
/// `esptool/targets/esp32s3.py` and others). It asks the ROM for the port in use, by a variable whose address changes with
/// the chip's revision. Behind an adapter the reset has stopped them, and stopping them again does no harm.
pub(super) fn stop_watchdogs(loader: &mut Loader<'_>, spec: &ChipSpec) -> Result<(), CommandFault> {
    let Some(Watchdogs {
        protect,
        config,
        key,
        super_protect,
        super_config,
        super_key,
        super_feed,
    }) = spec.watchdogs
    else {
        return Ok(());
    };
    loader.write_register(protect, key)?;
    loader.write_register(config, 0)?;
    loader.write_register(protect, 0)?;
    loader.write_register(super_protect, super_key)?;
    let present = loader.read_register(super_config)?;
    loader.write_register(super_config, present | super_feed)?;
    loader.write_register(super_protect, 0)
}

/// Clears the bit that would make the next start end in download mode again.
pub(super) fn forget_download(
    loader: &mut Loader<'_>,
    spec: &ChipSpec,
) -> Result<(), CommandFault> {
    let Some(Bits { register, mask }) = spec.forced_download else {
        return Ok(());
    };
    let present = loader.read_register(register)?;
    loader.write_register(register, present & !mask)
}

/// The chip's name in the usual spelling: `ESP32-S3`.
#[must_use]
pub(crate) fn name(chip: Chip) -> String {
    let name = chip.to_string().to_uppercase();
    match name.strip_prefix("ESP32") {
        Some("") | None => name,
        Some(rest) => format!("ESP32-{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stub_is_one() {
        for spec in SPECS {
            let stubs = std::iter::once(spec.stub.newest).chain(spec.stub.before.map(|old| old.1));
            for stub in stubs {
                let stub: serde_json::Value = serde_json::from_str(stub).unwrap();
                for key in ["entry", "text_start", "data_start"] {
                    assert!(stub[key].is_u64(), "{:?}: {key}", spec.chip);
                }
            }
        }
    }
}
