//! Converts ELF programs of ESP-IDF: the espflash library makes the image and adds boot loader and partition table.

use std::ops::Range;

use espflash::flasher::{FlashData, FlashSettings, FlashSize};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::Chip;

use super::super::error::Error;
use super::{Loaded, other_chip, refused};
use crate::text::sentence::{Sentence, sentence};

/// Makes flash images from an ELF program.
pub(super) fn elf(
    name: &str,
    bytes: &[u8],
    offset: Option<u32>,
    chip: Chip,
) -> Result<Vec<Loaded>, Error> {
    let machine = half(bytes, 18).unwrap_or(0);
    let needed = if is_xtensa(chip) { XTENSA } else { RISC_V };
    if machine != needed {
        let known = MACHINES.iter().find(|(number, _)| *number == machine);
        let other = known.map_or_else(
            || sentence!("flash.other-processor"),
            |(_, name)| Sentence::verbatim(name),
        );
        return Err(other_chip(name, super::super::name(chip), other));
    }
    // The image has three parts, and the library knows where each goes.
    if offset.is_some() {
        return Err(refused(
            name,
            sentence!("flash.x-no-offset-elf"),
            sentence!("flash.f-offset"),
        ));
    }
    // The library copies each section as long as its header claims. The sum must not exceed the file, so that a damaged
    // file cannot exhaust memory.
    if section_bytes(bytes).is_none_or(|sum| sum > bytes.len() as u64) {
        return Err(refused(
            name,
            sentence!("flash.x-sections"),
            sentence!("flash.f-sections"),
        ));
    }
    if is_xtensa(chip) && own_chip(bytes).is_some_and(|own| own != chip)
        || is_for_esp8266(bytes, chip)
    {
        let other = sentence!("flash.other-xtensa");
        return Err(other_chip(name, super::super::name(chip), other));
    }
    let settings = FlashSettings::new(None, Some(FlashSize::_4Mb), None);
    let data = FlashData::new(settings, 0, None, chip, chip.default_xtal_frequency());
    let linked = || sentence!("flash.x-linked");
    // The library trusts the offsets in the file and may panic on a damaged one.
    let image = quietly(|| IdfBootloaderFormat::new(bytes, &data, None, None, None, None))
        .ok_or_else(|| refused(name, linked(), sentence!("flash.f-damaged-file")))?
        .map_err(|error| refused(name, linked(), error.to_string()))?;
    // Boot loader, partition table and application; messages find out by themselves which is which.
    Ok(image
        .flash_segments()
        .map(|segment| Loaded::placed(name, segment.addr, segment.data.into_owned()))
        .collect())
}

/// The chip that an Xtensa program was linked for, by the addresses of its constants in flash; `None` for other
/// processors, whose chips share their addresses.
pub(super) fn own_chip(bytes: &[u8]) -> Option<Chip> {
    if half(bytes, 18)? != XTENSA {
        return None;
    }
    let has = |range: Range<u32>| addresses(bytes).any(|address| range.contains(&address));
    // Flash as data, from each chip's Technical Reference Manual, *address mapping*.
    if has(0x3c00_0000..0x3e00_0000) {
        Some(Chip::Esp32s3)
    } else if has(0x3f00_0000..0x3f40_0000) {
        Some(Chip::Esp32s2)
    } else {
        Some(Chip::Esp32)
    }
}

/// Whether the chip has an Xtensa processor; the others have RISC-V.
fn is_xtensa(chip: Chip) -> bool {
    matches!(chip, Chip::Esp32 | Chip::Esp32s2 | Chip::Esp32s3)
}

/// `e_machine` of the chips' processors and of other common ones (the ELF specification's list).
const XTENSA: u16 = 94;
const RISC_V: u16 = 243;
const MACHINES: [(u16, &str); 8] = [
    (3, "PC (x86)"),
    (XTENSA, "Xtensa chips, such as the ESP32"),
    (40, "ARM processors"),
    (62, "PC (x86-64)"),
    (83, "AVR (Arduino Uno)"),
    (164, "Hexagon"),
    (183, "ARM processors (64 bits)"),
    (RISC_V, "RISC-V chips, such as the ESP32-C3"),
];

/// A number of 16 bits.
fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

/// A number of 32 bits.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// The offsets of the section headers in a 32-bit ELF file; `None` without a section table.
fn section_headers(bytes: &[u8]) -> Option<impl Iterator<Item = usize>> {
    let table = word(bytes, 32)? as usize;
    let size = usize::from(half(bytes, 46)?);
    let count = usize::from(half(bytes, 48)?);
    // A count of 0 means that it is stored elsewhere, for files with more than 65,279 sections: unsupported.
    (count != 0).then(|| (0..count).map(move |index| table.saturating_add(index * size)))
}

/// The type of a section without bytes in the file, such as `.bss`.
const NOBITS: u32 = 8;

/// The sum of all section sizes; `None` if the headers are unreadable.
fn section_bytes(bytes: &[u8]) -> Option<u64> {
    let mut sum = 0;
    for header in section_headers(bytes)? {
        if word(bytes, header.checked_add(4)?)? != NOBITS {
            sum += u64::from(word(bytes, header.checked_add(20)?)?);
        }
    }
    Some(sum)
}

/// The addresses of the sections that a chip loads.
fn addresses(bytes: &[u8]) -> impl Iterator<Item = u32> {
    // `SHF_ALLOC`: the section takes memory while the program runs. Symbols and debug information do not.
    const ALLOC: u32 = 2;
    section_headers(bytes)
        .into_iter()
        .flatten()
        .filter_map(|header| {
            let field = |at: usize| word(bytes, header.saturating_add(at));
            let (kind, flags, len) = (field(4)?, field(8)?, field(20)?);
            let is_loaded = kind != NOBITS && flags & ALLOC != 0 && len > 0;
            is_loaded.then_some(field(12)?)
        })
}

/// Whether a program for the ESP32 has a section at an address that the ESP32 does not have, or none in its memory for
/// constants (*ESP32 Technical Reference Manual*, address mapping). The second test is needed for ESP8266 programs,
/// which otherwise fit the ESP32's memory map.
fn is_for_esp8266(bytes: &[u8], chip: Chip) -> bool {
    if chip != Chip::Esp32 {
        return false;
    }
    let constants = 0x3f40_0000..0x3f80_0000;
    let is_known = |address: u32| {
        matches!(
            address,
            // In this order: flash and external memory as data, internal memory, flash as code, slow RTC memory.
            0x3f40_0000..0x3fc0_0000
                | 0x3ff8_0000..0x4000_0000
                | 0x4007_0000..0x400c_2000
                | 0x400d_0000..0x4040_0000
                | 0x5000_0000..0x5000_2000
        )
    };
    let has_constants = addresses(bytes).any(|address| constants.contains(&address));
    let fits = has_constants && addresses(bytes).all(is_known);
    // A file without such a section is damaged; a later check reports it.
    !fits && addresses(bytes).next().is_some()
}

/// Runs `work` and returns its result; `None` if it panics. Prints nothing on stderr.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    // The default hook would print the library's panic for a file that is simply damaged.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    std::panic::set_hook(hook);
    result.ok()
}
