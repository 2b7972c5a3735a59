//! Which chip a file was made for, as the file itself says.

use espflash::target::Chip;

use super::super::chip::supported;
use super::super::image::{self, Image};
use super::super::pieces::is_blank;
use super::{ReadOptions, elf, is_archive, take_apart, uf2};

/// The offsets where a boot loader may begin.
const BOOT_OFFSETS: [usize; 3] = [0, 0x1000, 0x2000];

/// The chip that the content of `bytes` names; `None` if it names none, or several.
pub(super) fn own_chip(name: &str, bytes: &[u8], force: bool) -> Option<Chip> {
    if bytes.starts_with(b"\x7fELF") {
        return elf::own_chip(bytes);
    }
    if bytes.starts_with(b"UF2\n") {
        return uf2::own_chip(bytes);
    }
    if is_archive(bytes) {
        return of_archive(name, bytes, force);
    }
    of_image(bytes)
}

/// The chip in an image's header.
pub(in crate::board::flash) fn of_image(bytes: &[u8]) -> Option<Chip> {
    Chip::try_from(chip_number(bytes)?).ok()
}

/// The number of the chip in an image's header. An image of a whole flash has its boot loader after blank bytes.
pub(super) fn chip_number(bytes: &[u8]) -> Option<u16> {
    BOOT_OFFSETS.into_iter().find_map(|offset| {
        let begins = bytes.get(offset).copied() == Some(image::MAGIC);
        if !begins || !is_blank(bytes.get(..offset)?) {
            return None;
        }
        Image::parse(bytes.get(offset..)?).ok()?.chip_id
    })
}

/// The only chip that an archive has files for. The ESP32 comes first: a release for the mPython board needs no more
/// looking.
fn of_archive(name: &str, bytes: &[u8], force: bool) -> Option<Chip> {
    let fits = |chip: &Chip| {
        let rules = ReadOptions { chip: *chip, force };
        take_apart(name, bytes.to_vec(), None, rules).is_ok_and(|contents| {
            contents
                .files
                .iter()
                .any(|file| of_image(&file.data) == Some(*chip))
        })
    };
    if fits(&Chip::Esp32) {
        return Some(Chip::Esp32);
    }
    let mut found = supported().filter(fits);
    let first = found.next();
    first.filter(|_| found.next().is_none())
}
