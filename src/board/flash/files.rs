//! Files, and where in flash they go.

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use espflash::flasher::{FlashData, FlashSettings, FlashSize};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::Chip;

use super::error::Error;
use super::image::{self, Image, Problem, TABLE_OFFSET};
use super::write::Part;

/// No board has more flash than this: larger files are not read.
const MAX_FILE: u64 = 64 << 20;

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
        // A file's name may have an @ in it: it is an offset only if it reads as one.
        let split = text.rsplit_once('@').filter(|(path, tail)| {
            !path.is_empty() && tail.starts_with(|c: char| c.is_ascii_digit())
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
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| format!("{text} is no offset: write it as 0x1000 or 4096"))
}

/// Reads `given` and finds out where its parts go on `chip`.
///
/// # Errors
/// It cannot be read, is no firmware, or does not say where it goes.
pub fn load(given: &Given, chip: Chip) -> Result<Vec<Part>, Error> {
    let bytes = read(&given.path)?;
    let name = given.path.display().to_string();
    let mut parts = parts(&name, bytes, given.offset, chip)?;
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

fn parts(name: &str, bytes: Vec<u8>, offset: Option<u32>, chip: Chip) -> Result<Vec<Part>, Error> {
    if bytes.starts_with(b"\x7fELF") {
        return elf(name, &bytes, offset, chip);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return zip(name, bytes, offset, chip);
    }
    if bytes.starts_with(b"UF2\n") {
        return uf2(name, &bytes, chip);
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(refused(name, "firmware", "a gzip archive: unpack it first"));
    }
    let offset = match offset {
        Some(offset) => offset,
        None => place(name, &bytes, chip)?,
    };
    Ok(vec![Part {
        name: name.to_owned(),
        offset,
        data: bytes,
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
fn elf(name: &str, bytes: &[u8], offset: Option<u32>, chip: Chip) -> Result<Vec<Part>, Error> {
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
        .map(|(segment, label)| Part {
            name: format!("{name} ({label})"),
            offset: segment.addr,
            data: segment.data.into_owned(),
        })
        .collect())
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
fn uf2(name: &str, bytes: &[u8], chip: Chip) -> Result<Vec<Part>, Error> {
    const FAMILY: u32 = 0x1c5f_21b0;
    let word = |block: &[u8], at: usize| {
        let bytes = block
            .get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    };
    let mut parts: Vec<Part> = Vec::new();
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
            _ => parts.push(Part {
                name: name.to_owned(),
                offset: address,
                data: data.to_vec(),
            }),
        }
    }
    Ok(parts)
}

/// A release: the arguments for the flasher, and the files they name.
fn zip(name: &str, bytes: Vec<u8>, offset: Option<u32>, chip: Chip) -> Result<Vec<Part>, Error> {
    let damaged = |error: zip::result::ZipError| refused(name, "a ZIP archive", error);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).map_err(damaged)?;
    let mut names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    // The outermost first.
    names.sort_by_key(|name| (name.matches('/').count(), name.clone()));
    let mut take = |path: &str| -> Result<Vec<u8>, Error> {
        let file = archive
            .by_name(path)
            .map_err(|_| refused(name, format!("{path}, which its arguments name"), "none"))?;
        let mut data = Vec::new();
        let read = file.take(MAX_FILE).read_to_end(&mut data);
        match read {
            Ok(_) => Ok(data),
            Err(error) => Err(refused(name, format!("a whole {path}"), error)),
        }
    };
    let find = |wanted: &str| {
        let matches = |path: &&String| path.rsplit('/').next() == Some(wanted);
        names.iter().find(matches).cloned()
    };
    let listed = if let Some(path) = find("flasher_args.json") {
        let text = take(&path)?;
        (path, from_json(name, &text, chip)?)
    } else if let Some(path) = find("flash_args").or_else(|| find("flash_project_args")) {
        let text = take(&path)?;
        (path, from_arguments(name, &String::from_utf8_lossy(&text))?)
    } else {
        let images: Vec<&String> = names
            .iter()
            .filter(|path| {
                Path::new(path)
                    .extension()
                    .is_some_and(|extension| extension == "bin")
            })
            .collect();
        let &[only] = images.as_slice() else {
            return Err(refused(
                name,
                "flasher_args.json, flash_args or one .bin",
                format!("{} .bin files", images.len()),
            ));
        };
        let data = take(only)?;
        return parts(&format!("{only} in {name}"), data, offset, chip);
    };
    let (arguments, files) = listed;
    let folder = arguments
        .rfind('/')
        .map_or("", |end| arguments.get(..=end).unwrap_or_default());
    let mut total = 0;
    let mut parts = Vec::new();
    for (offset, path) in files {
        let data = take(&format!("{folder}{path}"))?;
        total += data.len() as u64;
        // However well it packs: no board has more.
        if total > MAX_FILE {
            return Err(refused(name, "at most 64 MB of firmware", "more"));
        }
        parts.push(Part {
            name: format!("{path} in {name}"),
            offset,
            data,
        });
    }
    Ok(parts)
}

/// What ESP-IDF's build writes: `"flash_files": {"0x1000": "bootloader/bootloader.bin", ..}`.
fn from_json(name: &str, text: &[u8], chip: Chip) -> Result<Vec<(u32, String)>, Error> {
    let unreadable = |found: String| refused(name, "flasher_args.json as ESP-IDF writes it", found);
    let json: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| unreadable(error.to_string()))?;
    let other = json
        .pointer("/extra_esptool_args/chip")
        .and_then(serde_json::Value::as_str)
        .filter(|other| *other != chip.to_string());
    if let Some(other) = other {
        return Err(refused(
            name,
            format!("firmware for {chip}"),
            format!("firmware for {other}"),
        ));
    }
    let files = json
        .get("flash_files")
        .and_then(serde_json::Value::as_object);
    let files = files.ok_or_else(|| unreadable("no flash_files".to_owned()))?;
    files
        .iter()
        .map(|(at, path)| {
            let path = path
                .as_str()
                .ok_or_else(|| unreadable("no file name".to_owned()))?;
            Ok((offset(at).map_err(unreadable)?, path.to_owned()))
        })
        .collect()
}

/// The same as esptool's arguments: `--flash_mode dio .. 0x1000 bootloader/bootloader.bin ..`.
fn from_arguments(name: &str, text: &str) -> Result<Vec<(u32, String)>, Error> {
    let mut words = text.split_whitespace();
    let mut files = Vec::new();
    while let Some(word) = words.next() {
        if word.starts_with("0x") {
            let at = offset(word).map_err(|found| refused(name, "flash_args", found))?;
            let path = words
                .next()
                .ok_or_else(|| refused(name, format!("a file at {word}"), "none"))?;
            files.push((at, path.to_owned()));
        }
    }
    if files.is_empty() {
        return Err(refused(name, "flash_args with offsets and files", "none"));
    }
    Ok(files)
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
        assert!("a.bin@0xyz".parse::<Given>().is_err());
        assert!("a.bin@0x100000000".parse::<Given>().is_err());
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

    #[test]
    fn arguments_are_read_whatever_stands_before_them() {
        let text = "--flash_mode dio --flash_size 4MB\n0x1000 boot/b.bin\n0x10000 app.bin\n";
        let files = from_arguments("x.zip", text).unwrap();
        assert_eq!(
            files,
            [
                (0x1000, "boot/b.bin".to_owned()),
                (0x1_0000, "app.bin".to_owned())
            ]
        );
        assert!(from_arguments("x.zip", "0x1000").is_err());
        assert!(from_arguments("x.zip", "none").is_err());
    }
}
