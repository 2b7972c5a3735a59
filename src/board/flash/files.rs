//! Reads files and finds out where in flash their content goes.
//!
//! Long because a release, a project of esptool and single files become one list of parts by the same rules.

mod elf;
mod given;
mod name;
pub(super) mod own_chip;
mod release;
mod uf2;

use std::fmt::Display;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;

use espflash::target::Chip;

pub(super) use self::given::offset;
pub(crate) use self::given::{Given, given};
use super::error::{Error, FlashRefusal};
use super::font;
use super::image::{self, Image, ImageProblem, TABLE_OFFSET};
use super::kind;
use super::layout;
use super::pieces;
use super::write::SECTOR;
use crate::text::sentence::{Sentence, sentence};

/// The size limit for files: no board has more flash than this.
const MAX_FILE: u64 = 64 << 20;

/// The content of a file and its offset in flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The name for messages: the file's name.
    pub name: String,
    /// The offset in flash.
    pub offset: u32,
    /// The bytes to write, a multiple of 4.
    pub data: Vec<u8>,
    /// The user gave the offset.
    pub is_asked_for: bool,
}

impl Loaded {
    /// The range of flash that it occupies.
    #[must_use]
    pub(crate) fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + self.data.len() as u64
    }

    /// A file whose content determines its offset.
    fn placed(name: impl Into<String>, offset: u32, data: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            offset,
            data,
            is_asked_for: false,
        }
    }
}

/// A font; its offset depends on the firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FontFile {
    /// The name for messages: the file's name.
    pub(crate) name: String,
    /// The glyphs, padded to a multiple of 4 bytes.
    pub(crate) data: Vec<u8>,
    /// The format of the font; `None` if the file is not a font and the user forced it.
    pub(crate) kind: Option<font::FontFormat>,
}

/// What the files contain for flash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The parts with a known offset.
    pub files: Vec<Loaded>,
    /// The fonts, whose offsets are not known yet.
    pub fonts: Vec<FontFile>,
    /// Notes for the user.
    pub(crate) notes: Vec<Sentence>,
}

impl Contents {
    /// Adds the content of another file.
    pub(crate) fn add(&mut self, other: Self) {
        self.files.extend(other.files);
        self.fonts.extend(other.fonts);
        self.notes.extend(other.notes);
    }

    /// The content of a file that is one part.
    fn file(file: Loaded) -> Self {
        Self {
            files: vec![file],
            ..Self::default()
        }
    }

    /// Flash is written in words of 4 bytes. Padding with 0xff leaves the rest of a word erased.
    fn fill_words(&mut self) {
        let files = self.files.iter_mut().map(|file| &mut file.data);
        let fonts = self.fonts.iter_mut().map(|font| &mut font.data);
        for data in files.chain(fonts) {
            data.resize(data.len().next_multiple_of(4), 0xff);
        }
    }
}

/// The settings for reading files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// The chip that will run the firmware.
    pub chip: Chip,
    /// Accept a file that only looks wrong.
    pub force: bool,
}

/// What the user asks of all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The chip that will run the firmware; `None` leaves it to the files.
    pub chip: Option<Chip>,
    /// Accept a file that only looks wrong.
    pub force: bool,
}

impl Wanted {
    /// The settings for files that leave the chip open: they are for the mPython board.
    #[must_use]
    pub(crate) fn rules(self) -> ReadOptions {
        ReadOptions {
            chip: self.chip.unwrap_or(Chip::Esp32),
            force: self.force,
        }
    }
}

/// Reads the file `given` and finds out where its parts go. Also returns the chip: the wanted one, or the one that the
/// file was made for.
///
/// # Errors
/// The file cannot be read, is not firmware, or does not say where it goes.
pub fn load(given: &Given, mut wanted: Wanted) -> Result<(Contents, Option<Chip>), Error> {
    let bytes = read(&given.path)?;
    let name = given.path.display().to_string();
    if wanted.chip.is_none() {
        wanted.chip = own_chip::own_chip(&name, &bytes, wanted.force);
    }
    let contents = take_apart(&name, bytes, given.offset, wanted.rules())?;
    Ok((contents, wanted.chip))
}

/// Reads a font; an offset in `given` sets its place.
///
/// # Errors
/// The file cannot be read, or is not a font.
pub(crate) fn load_font(given: &Given, rules: ReadOptions) -> Result<Contents, Error> {
    let bytes = read(&given.path)?;
    let name = given.path.display().to_string();
    let kind = match font::recognise(&bytes) {
        Ok(kind) => Some(kind),
        Err(_) if rules.force => None,
        Err(problem) => return Err(no_font(&name, &bytes, problem)),
    };
    let mut contents = match given.offset {
        Some(offset) => Contents::file(Loaded {
            is_asked_for: true,
            ..Loaded::placed(name, offset, bytes)
        }),
        None => Contents {
            fonts: vec![FontFile {
                name,
                data: bytes,
                kind,
            }],
            ..Contents::default()
        },
    };
    contents.fill_words();
    Ok(contents)
}

/// Splits a file that was read into parts, with the offset of each.
///
/// # Errors
/// The file is not firmware, or does not say where it goes.
pub fn take_apart(
    name: &str,
    bytes: Vec<u8>,
    offset: Option<u32>,
    rules: ReadOptions,
) -> Result<Contents, Error> {
    let mut contents = contents(name, name, bytes, offset, rules)?;
    contents.fill_words();
    Ok(contents)
}

/// Reads a whole file.
///
/// # Errors
/// The file cannot be read, is larger than any board's flash, or another program is still writing it.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    if before.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    (&mut file)
        // One byte more than allowed, to tell a file of that size from a longer one.
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let name = path.display();
    if bytes.len() as u64 > MAX_FILE {
        return Err(refused(
            name,
            sentence!("flash.x-64mb"),
            sentence!("flash.f-larger"),
        ));
    }
    let after = file.metadata().map_err(failed)?;
    if before.is_file() && (changed(&before, &after) || after.len() != bytes.len() as u64) {
        return Err(Error::Refused(Box::new(FlashRefusal {
            what: Sentence::verbatim(name),
            expected: sentence!("flash.x-stays"),
            found: sentence!("flash.f-being-written"),
            hint: Some(sentence!("flash.wait-download")),
        })));
    }
    if bytes.is_empty() {
        return Err(
            not_firmware("", &name.to_string(), &bytes, false).unwrap_or_else(|| {
                refused(
                    name,
                    sentence!("flash.x-firmware"),
                    sentence!("flash.kind-an-empty-file"),
                )
            }),
        );
    }
    Ok(bytes)
}

/// Whether a file changed between two checks.
fn changed(before: &Metadata, after: &Metadata) -> bool {
    before.len() != after.len() || before.modified().ok() != after.modified().ok()
}

/// A refusal without a hint.
fn refused(what: impl Display, expected: impl Into<Sentence>, found: impl Into<Sentence>) -> Error {
    Error::Refused(Box::new(FlashRefusal {
        what: Sentence::verbatim(what),
        expected: expected.into(),
        found: found.into(),
        hint: None,
    }))
}

/// The refusal of firmware that only another chip can run.
pub(super) fn other_chip(
    what: impl Into<Sentence>,
    chip: impl Display,
    other: impl Into<Sentence>,
) -> Error {
    let found = sentence!("flash.f-for-chip", other => other);
    found_for_other_chip(what, chip, found)
}

/// The refusal of firmware for the chip that has this number in image headers.
pub(super) fn other_chip_number(what: impl Into<Sentence>, chip: impl Display, id: u16) -> Error {
    let found = match Chip::try_from(id) {
        Ok(other) => sentence!("flash.f-for-chip", other = super::name(other)),
        Err(_) => sentence!("flash.f-for-chip-number", number = id),
    };
    found_for_other_chip(what, chip, found)
}

fn found_for_other_chip(what: impl Into<Sentence>, chip: impl Display, found: Sentence) -> Error {
    Error::Refused(Box::new(FlashRefusal {
        what: what.into(),
        expected: sentence!("flash.x-for-chip", chip = &chip),
        found,
        hint: Some(sentence!("flash.for-chip-hint", chip = chip)),
    }))
}

/// The refusal of a file that is known not to be firmware, unless the user overrides it.
fn not_firmware(path: &str, name: &str, bytes: &[u8], force: bool) -> Option<Error> {
    let found = kind::not_firmware(path, bytes).filter(|found| found.is_final || !force)?;
    Some(Error::Refused(Box::new(FlashRefusal {
        what: name.into(),
        expected: sentence!("flash.x-firmware"),
        hint: Some(found.hint()),
        found: found.what,
    })))
}

/// The hint for an incomplete file.
fn again() -> Sentence {
    sentence!("flash.again")
}

/// The error for `bytes` that are not a font.
fn no_font(name: &str, bytes: &[u8], problem: font::FontProblem) -> Error {
    let known = match problem {
        font::FontProblem::Magic => not_firmware(name, name, bytes, false),
        _ => None,
    };
    let (found, hint) = match (problem, known) {
        (_, Some(Error::Refused(refusal))) => {
            let FlashRefusal { found, hint, .. } = *refusal;
            return Error::Refused(Box::new(FlashRefusal {
                what: name.into(),
                expected: sentence!("flash.x-font"),
                found,
                hint,
            }));
        }
        (font::FontProblem::Short(needed), _) => (
            sentence!("flash.f-font-cut", len = bytes.len(), needed = needed),
            again(),
        ),
        (font::FontProblem::Damaged, _) => (sentence!("flash.f-damaged"), again()),
        (font::FontProblem::Magic, _) if bytes.first() == Some(&image::MAGIC) => (
            sentence!("flash.x-firmware"),
            sentence!("flash.without-font"),
        ),
        (font::FontProblem::Magic, _) => {
            (sentence!("flash.f-no-font"), sentence!("flash.font-name"))
        }
    };
    Error::Refused(Box::new(FlashRefusal {
        what: name.into(),
        expected: sentence!("flash.x-font"),
        found,
        hint: Some(hint),
    }))
}

/// Whether it is a ZIP file; several other formats are ZIP files with another extension.
fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Identifies what a file contains. `path` is its own name, `name` the name for messages.
fn contents(
    path: &str,
    name: &str,
    bytes: Vec<u8>,
    offset: Option<u32>,
    rules: ReadOptions,
) -> Result<Contents, Error> {
    if bytes.starts_with(b"\x7fELF") {
        return elf::elf(name, &bytes, offset, rules.chip).map(|files| Contents {
            files,
            ..Contents::default()
        });
    }
    if is_archive(&bytes) {
        return release::release(name, bytes, offset, rules);
    }
    if bytes.starts_with(b"UF2\n") {
        if offset.is_some() {
            return Err(refused(
                name,
                sentence!("flash.x-no-offset-uf2"),
                sentence!("flash.f-offset"),
            ));
        }
        return uf2::uf2(name, &bytes, rules).map(|files| Contents {
            files,
            ..Contents::default()
        });
    }
    if let Some(error) = not_firmware(path, name, &bytes, rules.force) {
        return Err(error);
    }
    for_this_chip(name, &bytes, rules.chip)?;
    if let Some(offset) = offset {
        return Ok(Contents::file(Loaded {
            is_asked_for: true,
            ..Loaded::placed(name, offset, bytes)
        }));
    }
    place(path, name, bytes, rules.chip)
}

/// Refuses an image for another chip, whatever its offset.
pub(super) fn for_this_chip(name: &str, bytes: &[u8], chip: Chip) -> Result<(), Error> {
    match own_chip::chip_number(bytes).filter(|&id| id != chip.id()) {
        Some(id) => Err(other_chip_number(name, super::name(chip), id)),
        None => Ok(()),
    }
}

/// Finds the offset of a `.bin` file from its content; the offset in its name counts if the content is not enough.
fn place(path: &str, name: &str, bytes: Vec<u8>, chip: Chip) -> Result<Contents, Error> {
    let named = name::offset(path);
    let boot = chip.boot_address();
    let at = |offset: u32| bytes.get(offset as usize..).unwrap_or_default();
    // An application or data cannot lie before the end of the table's sector.
    let first_data = TABLE_OFFSET + 0x1000;
    // A merged image: the whole flash from 0 on, with the boot loader at its offset.
    let merged =
        at(boot).first() == Some(&image::MAGIC) && image::partitions(at(TABLE_OFFSET)).is_some();
    let (found, example, agrees): (Sentence, Sentence, fn(u32, u32) -> bool) =
        match Image::parse(&bytes) {
            _ if merged => {
                let end = blank_end(name, &bytes);
                let mut contents = placed_by_content(name, 0, named, bytes);
                contents.notes.extend(end);
                return Ok(contents);
            }
            // A merged image that was cut short. A partition table has at least two entries.
            _ if boot != 0
                && at(boot).first() == Some(&image::MAGIC)
                && at(TABLE_OFFSET).len() < 64
                && bytes.get(..boot as usize).is_some_and(pieces::is_blank) =>
            {
                return Err(Error::Refused(Box::new(FlashRefusal {
                    what: name.into(),
                    expected: sentence!("flash.x-whole-flash", at = format!("{TABLE_OFFSET:#x}")),
                    found: sentence!("flash.f-bytes-cut", len = bytes.len()),
                    hint: Some(sentence!("flash.download-again")),
                })));
            }
            Ok(image) if !image.is_app => return Ok(placed_by_content(name, boot, named, bytes)),
            // An application runs at any application partition, so its content cannot tell the offset.
            Ok(_) => (
                sentence!("flash.n-application"),
                sentence!("flash.e-application", name = name),
                |named, first| named >= first,
            ),
            Err(ImageProblem::Short(needed)) => {
                return Err(Error::Refused(Box::new(FlashRefusal {
                    what: name.into(),
                    expected: sentence!("flash.x-bytes", needed = needed),
                    found: sentence!("flash.f-file-cut", len = bytes.len()),
                    hint: Some(sentence!("flash.download-again")),
                })));
            }
            Err(_) if image::partitions(&bytes).is_some() => (
                sentence!("flash.n-table"),
                format!("{name}@0x8000").into(),
                |named, _| named == TABLE_OFFSET,
            ),
            Err(ImageProblem::Magic(_)) => {
                match (font::recognise(&bytes), layout::file_system(&bytes)) {
                    // Use the offset in the file name, if there is one; otherwise the firmware decides where the font
                    // goes.
                    (Ok(kind), _) if named.is_none_or(|named| named < first_data) => {
                        return Ok(Contents {
                            fonts: vec![FontFile {
                                name: name.to_owned(),
                                data: bytes,
                                kind: Some(kind),
                            }],
                            ..Contents::default()
                        });
                    }
                    (Ok(_), _) => (
                        sentence!("flash.n-font"),
                        format!("{name}@0x400000").into(),
                        |named, first| named >= first,
                    ),
                    (Err(font::FontProblem::Magic), Some(_)) => (
                        sentence!("flash.n-files"),
                        sentence!("flash.e-files", name = name),
                        |named, first| named >= first,
                    ),
                    (Err(font::FontProblem::Magic), None) => (
                        sentence!("flash.n-unknown"),
                        sentence!("flash.e-unknown", name = name),
                        // Nothing in the content can confirm an offset from the name.
                        |_, _| false,
                    ),
                    (Err(problem), _) => return Err(no_font(name, &bytes, problem)),
                }
            }
        };
    if let Some(named) = named.filter(|&named| agrees(named, first_data)) {
        return Ok(Contents {
            notes: vec![sentence!(
                "flash.as-name-says",
                name = name,
                at = format!("{named:#x}")
            )],
            ..Contents::file(Loaded {
                is_asked_for: true,
                ..Loaded::placed(name, named, bytes)
            })
        });
    }
    let example = match named {
        Some(named) => sentence!("flash.e-named", name = name, at = format!("{named:#x}")),
        None => example,
    };
    Err(Error::NeedsOffset {
        what: name.to_owned(),
        found,
        example,
    })
}

/// The note on an image that ends in blank bytes. The maker's image ends with a font, so it may be an incomplete
/// download, which can end anywhere. Tools that pad an image do so to a round size.
fn blank_end(name: &str, bytes: &[u8]) -> Option<Sentence> {
    const ROUND: usize = 0x1_0000;
    let last = bytes.iter().rposition(|&byte| byte != 0xff)?;
    let blank = bytes.len() - last - 1;
    (blank >= SECTOR as usize && !bytes.len().is_multiple_of(ROUND)).then(|| {
        sentence!(
            "flash.blank-end",
            name = name,
            blank = blank,
            len = bytes.len()
        )
    })
}

/// A file whose content determines its offset; a different offset in its name only gives a note.
fn placed_by_content(name: &str, offset: u32, named: Option<u32>, bytes: Vec<u8>) -> Contents {
    let notes = named.filter(|&named| named != offset).map(|named| {
        sentence!(
            "flash.as-content-says",
            name = name,
            at = format!("{offset:#x}"),
            named = format!("{named:#x}")
        )
    });
    Contents {
        notes: notes.into_iter().collect(),
        ..Contents::file(Loaded::placed(name, offset, bytes))
    }
}

#[cfg(test)]
mod tests;
