//! Files, and where in flash they go.

mod release;

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use espflash::flasher::{FlashData, FlashSettings, FlashSize};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::Chip;

use self::release::release;
use super::error::Error;
use super::image::{self, Image, Problem, TABLE_OFFSET};

/// No board has more flash than this: larger files are not read.
const MAX_FILE: u64 = 64 << 20;

/// What a file has for flash, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What it is called in messages: the file's name.
    pub name: String,
    /// Where it goes.
    pub offset: u32,
    /// What goes there: whole words.
    pub data: Vec<u8>,
    /// The user said where it goes.
    pub is_asked_for: bool,
    /// It was given as a font.
    pub is_font: bool,
}

impl Loaded {
    /// The part of flash that it takes.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + self.data.len() as u64
    }

    /// A file whose place is known by what is in it.
    fn placed(name: impl Into<String>, offset: u32, data: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            offset,
            data,
            is_asked_for: false,
            is_font: false,
        }
    }
}

/// What the user asked to be written: `FILE` or `FILE@OFFSET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The file.
    pub path: PathBuf,
    /// Where it goes; none: it says so itself.
    pub offset: Option<u32>,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A file's name, or its folder's, may have an @ in it: it is an offset only if it looks like one.
        let split = text.rsplit_once('@').filter(|(path, tail)| {
            !path.is_empty()
                && tail.starts_with(|c: char| c.is_ascii_digit())
                && tail.chars().all(|c| c.is_ascii_alphanumeric())
        });
        let Some((path, tail)) = split else {
            return Ok(Self {
                path: text.into(),
                offset: None,
            });
        };
        if Path::new(text).exists() {
            return Ok(Self {
                path: text.into(),
                offset: None,
            });
        }
        Ok(Self {
            path: path.into(),
            offset: Some(offset(tail)?),
        })
    }
}

/// An offset in flash: `0x1000` or `4096`.
fn offset(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match digits {
        // The library would take a sign.
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    number.ok_or_else(|| {
        format!("{text} is no offset in flash: write it as 0x1000 or 4096, at most 0xffffffff")
    })
}

/// Reads `given` and finds out where its parts go on `chip`.
///
/// # Errors
/// It cannot be read, is no firmware, or does not say where it goes.
pub fn load(given: &Given, chip: Chip) -> Result<Vec<Loaded>, Error> {
    let bytes = read(&given.path)?;
    take_apart(&given.path.display().to_string(), bytes, given.offset, chip)
}

/// The parts of a file that was read, and where they go on `chip`.
///
/// # Errors
/// It is no firmware, or does not say where it goes.
pub fn take_apart(
    name: &str,
    bytes: Vec<u8>,
    offset: Option<u32>,
    chip: Chip,
) -> Result<Vec<Loaded>, Error> {
    let mut parts = parts(name, bytes, offset, chip)?;
    for part in &mut parts {
        // Flash is written in words; 0xff leaves it as erasing made it.
        part.data.resize(part.data.len().next_multiple_of(4), 0xff);
    }
    Ok(parts)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let name = path.display();
    if bytes.len() as u64 > MAX_FILE {
        return Err(refused(name, "at most 64 MB", "a larger file"));
    }
    if bytes.is_empty() {
        return Err(refused(name, "firmware", "an empty file"));
    }
    Ok(bytes)
}

fn refused(what: impl Display, expected: impl Display, found: impl Display) -> Error {
    Error::Refused {
        what: what.to_string(),
        expected: expected.to_string(),
        found: found.to_string(),
        hint: None,
    }
}

/// A ZIP file begins so; as do many files that are one under another name.
fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

fn parts(
    name: &str,
    bytes: Vec<u8>,
    offset: Option<u32>,
    chip: Chip,
) -> Result<Vec<Loaded>, Error> {
    if bytes.starts_with(b"\x7fELF") {
        return elf(name, &bytes, offset, chip);
    }
    if is_archive(&bytes) {
        return release(name, bytes, offset, chip);
    }
    if bytes.starts_with(b"UF2\n") {
        if offset.is_some() {
            return Err(refused(
                name,
                "no offset: a UF2 file says where its parts go",
                "one",
            ));
        }
        return uf2(name, &bytes, chip);
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(refused(name, "firmware", "a gzip archive: unpack it first"));
    }
    let is_asked_for = offset.is_some();
    let offset = match offset {
        Some(offset) => offset,
        None => place(name, &bytes, chip)?,
    };
    Ok(vec![Loaded {
        is_asked_for,
        ..Loaded::placed(name, offset, bytes)
    }])
}

/// Where a `.bin` says it goes.
fn place(name: &str, bytes: &[u8], chip: Chip) -> Result<u32, Error> {
    let boot = chip.boot_address();
    let at = |offset: u32| bytes.get(offset as usize..).unwrap_or_default();
    let needs = |found: &str, offset: &str| Error::NeedsOffset {
        what: name.to_owned(),
        found: found.to_owned(),
        example: format!("{name}@{offset}"),
    };
    // Merged: the whole flash from 0 on, with the bootloader at its place.
    let merged =
        at(boot).first() == Some(&image::MAGIC) && image::partitions(at(TABLE_OFFSET)).is_some();
    match Image::parse(bytes) {
        _ if merged => Ok(0),
        Ok(image) if image.is_app => Err(needs(
            "is an application without a bootloader",
            "0x10000 (where the board's partition table, udpcli board info --flash, has an app)",
        )),
        Ok(_) => Ok(boot),
        Err(Problem::Short(needed)) => Err(Error::Refused {
            what: name.to_owned(),
            expected: format!("{needed} bytes, as its header says"),
            found: format!("{}: the file is cut short", bytes.len()),
            hint: Some("download it again".to_owned()),
        }),
        Err(_) if image::partitions(bytes).is_some() => {
            Err(needs("is a partition table", "0x8000"))
        }
        Err(Problem::Magic(_)) => Err(needs(
            "begins with neither a bootloader (0xe9) nor a merged image",
            "0x400000 (mPython's font is given with --font)",
        )),
    }
}

/// A program as ESP-IDF links it: the library makes the image, and adds bootloader and partition table.
fn elf(name: &str, bytes: &[u8], offset: Option<u32>, chip: Chip) -> Result<Vec<Loaded>, Error> {
    // e_machine: 94 is Xtensa; the RISC-V chips have 243.
    let machine = bytes.get(18..20).map(|bytes| bytes == [94, 0]);
    if machine != Some(true) {
        return Err(refused(
            name,
            "a program for the ESP32 (Xtensa)",
            "one for another processor",
        ));
    }
    if offset.is_some() {
        return Err(refused(
            name,
            "no offset: an ELF file says where its parts go",
            "one",
        ));
    }
    // The library copies what sections hold, as often as they say: that must not be more than the file has.
    if section_bytes(bytes).is_none_or(|sum| sum > bytes.len() as u64) {
        return Err(refused(
            name,
            "sections that lie in the file, each at its place",
            "others: the file is damaged",
        ));
    }
    let settings = FlashSettings::new(None, Some(FlashSize::_4Mb), None);
    let data = FlashData::new(settings, 0, None, chip, chip.default_xtal_frequency());
    let linked = "a program that ESP-IDF has linked";
    // The library takes the file's word for where its parts are.
    let image = quietly(|| IdfBootloaderFormat::new(bytes, &data, None, None, None, None))
        .ok_or_else(|| refused(name, linked, "a damaged file"))?
        .map_err(|error| refused(name, linked, error))?;
    let labels = ["bootloader", "partition table", "application"];
    Ok(image
        .flash_segments()
        .zip(labels)
        .map(|(segment, label)| {
            let data = segment.data.into_owned();
            Loaded::placed(format!("{name} ({label})"), segment.addr, data)
        })
        .collect())
}

/// How many bytes the sections of a 32-bit ELF file have together; none if it has no table of them.
fn section_bytes(bytes: &[u8]) -> Option<u64> {
    /// A section without bytes in the file: what a program finds zeroed.
    const NOBITS: u32 = 8;
    let half = |at: usize| -> Option<usize> {
        let bytes = bytes.get(at..at + 2)?;
        Some(u16::from_le_bytes(bytes.try_into().ok()?).into())
    };
    let word = |at: usize| -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let (table, size, count) = (word(32)? as usize, half(46)?, half(48)?);
    // None: the count would stand elsewhere, for files with more than 65,279 sections.
    if count == 0 {
        return None;
    }
    let mut sum = 0;
    for index in 0..count {
        let header = table.checked_add(index * size)?;
        if word(header.checked_add(4)?)? != NOBITS {
            sum += u64::from(word(header.checked_add(20)?)?);
        }
    }
    Some(sum)
}

/// What `work` gives; none if it panics, without a word on stderr.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    std::panic::set_hook(hook);
    result.ok()
}

/// UF2: blocks of 512 bytes, each with its address. The family of the ESP32 is 0x1c5f21b0.
fn uf2(name: &str, bytes: &[u8], chip: Chip) -> Result<Vec<Loaded>, Error> {
    const FAMILY: u32 = 0x1c5f_21b0;
    let word = |block: &[u8], at: usize| {
        let bytes = block
            .get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    };
    let mut parts: Vec<Loaded> = Vec::new();
    for block in bytes.chunks(512) {
        let (flags, address, len) = (word(block, 8), word(block, 12), word(block, 16) as usize);
        let whole = block.len() == 512 && block.starts_with(b"UF2\n") && len <= 476;
        let Some(data) = block.get(32..32 + len).filter(|_| whole) else {
            return Err(refused(name, "whole blocks of UF2", "a damaged one"));
        };
        // Flags: not for flash; the family is known.
        if flags & 1 != 0 {
            continue;
        }
        if flags & 0x2000 != 0 && chip == Chip::Esp32 && word(block, 28) != FAMILY {
            return Err(refused(
                name,
                "UF2 for the ESP32 (family 0x1c5f21b0)",
                format!("family {:#010x}", word(block, 28)),
            ));
        }
        match parts.last_mut() {
            Some(part) if part.range().end == u64::from(address) => {
                part.data.extend_from_slice(data);
            }
            _ => parts.push(Loaded::placed(name, address, data.to_vec())),
        }
    }
    if parts.iter().all(|part| part.data.is_empty()) {
        return Err(refused(name, "blocks for flash", "none"));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_at_sign_is_an_offset_only_before_a_number() {
        let given = |text: &str| text.parse::<Given>().unwrap();
        assert_eq!(given("a.bin@0x1000").offset, Some(0x1000));
        assert_eq!(given("a.bin@4096").offset, Some(4096));
        assert_eq!(given("me@home.bin").offset, None);
        assert_eq!(given("me@home.bin@0").path, Path::new("me@home.bin"));
        for path in [
            r"C:\Users\me@1home\fw.bin",
            "/home/me@1/fw.bin",
            "fw@2.bin",
            "@0x1000",
            "a.bin@",
            "a.bin@-1",
            "a.bin@+5",
        ] {
            assert_eq!(given(path).path, Path::new(path));
        }
        let windows = given(r"C:\Users\me@1home\fw.bin@0x1000");
        assert_eq!(windows.path, Path::new(r"C:\Users\me@1home\fw.bin"));
        assert_eq!(windows.offset, Some(0x1000));
        for wrong in ["0xyz", "0x", "0x100000000", "4294967296", "1k", "0x1000h"] {
            let error = format!("a.bin@{wrong}").parse::<Given>().unwrap_err();
            assert!(error.contains("write it as 0x1000"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_is_taken_or_refused(
            kind in 0..6_usize,
            mut bytes: Vec<u8>,
            rest in proptest::collection::vec(any::<u8>(), 0..700),
        ) {
            let heads: [&[u8]; 6] = [b"", b"\xe9\x02", b"\xaa\x50", b"UF2\n", b"PK\x03\x04", b"0x1000 a\n"];
            bytes.splice(0..0, heads[kind].iter().copied());
            bytes.extend(rest);
            if let Ok(parts) = parts("x", bytes, None, Chip::Esp32) {
                let _ = crate::board::flash::check::files(&parts, Chip::Esp32, false);
            }
        }
    }
}
