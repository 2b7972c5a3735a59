//! The checks that refuse a file before udpcli writes anything.
//!
//! Long because it is one list of checks, each a short function.

use espflash::target::Chip;

use super::chip::{ChipInfo, name};
use super::error::{Error, FlashRefusal};
use super::files::{Loaded, other_chip_number};
use super::image::{self, Image, ImageProblem, Partition, TABLE_OFFSET, Use};
use super::pieces::{FlashPiece, Role, covered, is_blank};
use super::write::SECTOR;
use super::{font, layout};
use crate::text::sentence::{Sentence, sentence};

/// The hint for checks that `--force` overrides.
fn force_anyway() -> Sentence {
    sentence!("flash.force")
}

/// The hint for an incomplete file.
fn again() -> Sentence {
    sentence!("flash.again")
}

/// The refusal of `what`, which is not as `expected`.
fn refused(
    what: impl Into<Sentence>,
    expected: impl Into<Sentence>,
    found: impl Into<Sentence>,
    hint: Option<Sentence>,
) -> Error {
    Error::Refused(Box::new(FlashRefusal {
        what: what.into(),
        expected: expected.into(),
        found: found.into(),
        hint,
    }))
}

/// Runs the checks that need no board: each offset is a multiple of the sector size, and each image is complete, built
/// for `chip` and fits its partition.
///
/// # Errors
/// The first problem found.
pub fn files(parts: &[Loaded], chip: Chip, force: bool) -> Result<(), Error> {
    for part in parts {
        if !part.offset.is_multiple_of(SECTOR) {
            return Err(refused(
                part.name.as_str(),
                sentence!("flash.x-offset"),
                format!("{:#x}", part.offset),
                hexadecimal(part.offset),
            ));
        }
    }
    for part in parts {
        images(part, chip, force)?;
        if !force {
            has_application(part, parts, chip)?;
        }
        if let Some(table) = covered(part, TABLE_OFFSET)
            && let Some(partitions) = image::partitions(table)
            && !force
        {
            whole_table(part, table, &partitions)?;
            for partition in partitions.iter().filter(|partition| partition.kind == 0) {
                app_fits(part, partition)?;
            }
        }
    }
    Ok(())
}

/// Checks that firmware with a boot loader and a partition table also has an application: if not, its download was cut
/// short.
fn has_application(part: &Loaded, parts: &[Loaded], chip: Chip) -> Result<(), Error> {
    let begins = |bytes: Option<&[u8]>| {
        bytes
            .and_then(<[u8]>::first)
            // Erased flash reads 0xff.
            .is_some_and(|&byte| byte != 0xff)
    };
    if !begins(covered(part, chip.boot_address())) {
        return Ok(());
    }
    let Some(table) = covered(part, TABLE_OFFSET).and_then(image::partitions) else {
        return Ok(());
    };
    let apps: Vec<u32> = table
        .iter()
        .filter(|partition| partition.kind == 0)
        .map(|partition| partition.offset)
        .collect();
    if apps
        .iter()
        .any(|&app| parts.iter().any(|part| begins(covered(part, app))))
    {
        return Ok(());
    }
    let expected = match apps.first() {
        Some(app) => sentence!("flash.x-app-at", at = format!("{app:#x}")),
        None => sentence!("flash.x-app"),
    };
    Err(refused(
        part.name.as_str(),
        expected,
        sentence!("flash.f-no-app"),
        Some(again()),
    ))
}

/// Checks that the fonts and file systems among `pieces` are complete. An image has its own length and checksum; these
/// do not, so a short file is the only sign.
///
/// # Errors
/// The first piece that is incomplete.
pub(crate) fn whole(pieces: &[FlashPiece], force: bool) -> Result<(), Error> {
    for piece in pieces.iter().filter(|_| !force) {
        let what = if piece.is_cut {
            format!("{} (at {:#x})", piece.file, piece.offset)
        } else {
            piece.file.clone()
        };
        let len = piece.data.len();
        let cut = |is_font: bool, needed: u64| {
            let found = sentence!("flash.f-cut-short", len = len);
            let expected = if is_font {
                sentence!("flash.x-whole-font-of", needed = needed)
            } else {
                sentence!("flash.x-whole-files-of", needed = needed)
            };
            Err(refused(what.as_str(), expected, found, Some(again())))
        };
        match font::recognise(&piece.data) {
            Err(font::FontProblem::Short(needed)) => return cut(true, needed),
            Err(font::FontProblem::Damaged) => {
                return Err(refused(
                    what.as_str(),
                    sentence!("flash.x-whole-font"),
                    sentence!("flash.f-damaged"),
                    Some(again()),
                ));
            }
            Ok(_) | Err(font::FontProblem::Magic) => {}
        }
        if let Some(needed) =
            layout::littlefs_len(&piece.data).filter(|&needed| needed > len as u64)
        {
            return cut(false, needed);
        }
    }
    Ok(())
}

/// Refuses a partition table that is damaged, because it decides what is kept.
fn whole_table(part: &Loaded, table: &[u8], partitions: &[Partition]) -> Result<(), Error> {
    match image::table_damage(table, partitions) {
        None => Ok(()),
        Some(damage) => Err(refused(
            part.name.as_str(),
            sentence!("flash.x-whole-table", at = format!("{TABLE_OFFSET:#x}")),
            sentence!("flash.f-damaged-table", damage => damage),
            Some(again()),
        )),
    }
}

/// The hint for an offset that was meant as hexadecimal: `app.bin@10000` for 0x10000.
fn hexadecimal(offset: u32) -> Option<Sentence> {
    let meant = u32::from_str_radix(&offset.to_string(), 16).ok()?;
    meant.is_multiple_of(SECTOR).then(|| {
        sentence!(
            "flash.decimal",
            offset = offset,
            meant = format!("{meant:#x}")
        )
    })
}

/// Removes those pieces of a combined image whose place the user has given to another file; returns a note on each.
///
/// # Errors
/// Two files overlap, and it is unclear which one the user wants.
pub fn overlaps(pieces: &mut Vec<FlashPiece>) -> Result<Vec<Sentence>, Error> {
    let mut notes = Vec::new();
    let asked: Vec<(String, std::ops::Range<u64>)> = pieces
        .iter()
        .filter(|piece| piece.is_asked_for)
        .map(|piece| (piece.file.clone(), piece.sectors()))
        .collect();
    pieces.retain(|piece| {
        // A font or files inside a combined image give way to those that the user names; its boot loader, table and
        // application are what the user wants to flash.
        let optional = piece.is_cut
            && !matches!(
                piece.role,
                Role::Bootloader | Role::Table | Role::Partition(Use::App)
            );
        let range = piece.sectors();
        let winner = asked
            .iter()
            .find(|(_, asked)| optional && asked.start < range.end && range.start < asked.end);
        if let Some((file, _)) = winner {
            let at = format!("{:#x}", piece.offset);
            notes.push(match piece.role {
                Role::Font => sentence!("flash.own-font", name = &piece.file, at = at, file = file),
                Role::Partition(Use::Files) => {
                    sentence!("flash.own-files", name = &piece.file, at = at, file = file)
                }
                _ => sentence!("flash.own-data", name = &piece.file, at = at, file = file),
            });
        }
        winner.is_none()
    });
    let mut sorted: Vec<&FlashPiece> = pieces.iter().collect();
    sorted.sort_by_key(|piece| piece.offset);
    for pair in sorted.windows(2) {
        let [first, second] = pair else { continue };
        // Flash is erased by whole sectors, so two files cannot share one.
        let end = first.sectors().end;
        if end > u64::from(second.offset) {
            return Err(refused(
                second.name(),
                sentence!(
                    "flash.x-after",
                    end = format!("{end:#x}"),
                    first => first.name()
                ),
                sentence!("flash.f-overlap", at = format!("{:#x}", second.offset)),
                None,
            ));
        }
    }
    Ok(notes)
}

/// For firmware that defines its own offset: what it is, and that offset.
fn own_place(part: &Loaded, chip: Chip) -> Option<(Sentence, u32)> {
    let boot = chip.boot_address();
    let at = |offset: u32| part.data.get(offset as usize..).unwrap_or_default();
    if Image::parse(&part.data).is_ok_and(|image| !image.is_app) {
        return Some((sentence!("flash.f-begins-with-bootloader"), boot));
    }
    // esptool's `merge_bin` fills the space in front of the boot loader with 0xff.
    let is_merged = part.data.get(..boot as usize).is_some_and(is_blank)
        && at(boot).first() == Some(&image::MAGIC)
        && image::partitions(at(TABLE_OFFSET)).is_some();
    is_merged.then(|| (sentence!("flash.f-whole-flash"), 0))
}

/// Checks the images in `part` at the offsets where the chip looks for one.
fn images(part: &Loaded, chip: Chip, force: bool) -> Result<(), Error> {
    let boot = chip.boot_address();
    if let Some((what, place)) = own_place(part, chip)
        && place != part.offset
        && !force
    {
        return Err(refused(
            part.name.as_str(),
            sentence!("flash.x-something-else", at = format!("{:#x}", part.offset)),
            sentence!("flash.f-belongs-at", what => what, place = format!("{place:#x}")),
            Some(sentence!("flash.leave-offset-out")),
        ));
    }
    if let Some(bytes) = covered(part, boot) {
        let what = sentence!(
            "flash.w-bootloader",
            name = &part.name,
            at = format!("{boot:#x}")
        );
        image(&what, bytes, chip, force)?;
        if !force && Image::parse(bytes).is_ok_and(|image| image.is_app) {
            return Err(refused(
                what,
                sentence!("flash.x-bootloader"),
                sentence!("flash.f-application"),
                Some(sentence!("flash.app-at")),
            ));
        }
    }
    let table = covered(part, TABLE_OFFSET).and_then(image::partitions);
    for app in table
        .iter()
        .flatten()
        .filter(|partition| partition.kind == 0)
    {
        let Some(bytes) = covered(part, app.offset) else {
            continue;
        };
        // The second app partition is often empty.
        if bytes.first() == Some(&0xff) {
            continue;
        }
        let what = sentence!(
            "flash.w-partition",
            name = &part.name,
            at = format!("{:#x}", app.offset),
            partition = format!("{:?}", app.name)
        );
        image(&what, bytes, chip, force)?;
    }
    // A file that begins with the image magic must be a valid image, wherever it goes.
    if part.data.first() == Some(&image::MAGIC) && part.offset != boot {
        image(&part.name.as_str().into(), &part.data, chip, force)?;
    }
    Ok(())
}

/// Checks one image: its magic byte, its length, its chip and its checksums.
fn image(what: &Sentence, bytes: &[u8], chip: Chip, force: bool) -> Result<(), Error> {
    match Image::parse(bytes) {
        // `--force` is for firmware that udpcli does not understand.
        Err(_) if force => Ok(()),
        Err(ImageProblem::Magic(found)) => Err(refused(
            what.clone(),
            sentence!("flash.x-image"),
            found.map_or(sentence!("flash.f-nothing"), |byte| {
                format!("{byte:#04x}").into()
            }),
            Some(sentence!("flash.is-it-firmware")),
        )),
        Err(ImageProblem::Short(needed)) => Err(refused(
            what.clone(),
            sentence!("flash.x-bytes", needed = needed),
            sentence!("flash.f-cut-short", len = bytes.len()),
            Some(again()),
        )),
        Ok(image) => {
            // An image for another chip never runs, so `--force` does not override this.
            if let Some(id) = image.chip_id.filter(|&id| id != chip.id()) {
                return Err(other_chip_number(what.clone(), name(chip), id));
            }
            match image.damage {
                Some(damage) if !force => Err(refused(
                    what.clone(),
                    sentence!("flash.x-image-right", damage = damage),
                    sentence!("flash.f-image-wrong"),
                    Some(again()),
                )),
                _ => Ok(()),
            }
        }
    }
}

/// Checks that the flash size is known.
///
/// # Errors
/// Neither the flash chip nor the user gives the size.
pub(crate) fn size(info: &ChipInfo) -> Result<(), Error> {
    if info.flash_size == 0 {
        return Err(refused(
            sentence!("flash.w-board"),
            sentence!("flash.x-sized"),
            sentence!(
                "flash.f-identification",
                id = format!("{:#08x}", info.flash_id)
            ),
            Some(sentence!("flash.size-hint")),
        ));
    }
    Ok(())
}

/// Checks that the chip's eFuses allow it to run plain firmware. There is no override, because nobody can undo a burnt
/// eFuse.
///
/// # Errors
/// An eFuse forbids it.
pub(crate) fn locks(info: &ChipInfo) -> Result<(), Error> {
    let found = match (info.locks.flash_encryption, info.locks.secure_boot) {
        (false, false) => return Ok(()),
        (true, false) => sentence!("flash.f-encryption"),
        (false, true) => sentence!("flash.f-secure-boot"),
        (true, true) => sentence!("flash.f-both-locks"),
    };
    Err(refused(
        sentence!("flash.w-board"),
        sentence!("flash.x-any-firmware"),
        found,
        Some(sentence!("flash.locked")),
    ))
}

/// Checks the pieces against the board: its flash size and its partitions.
///
/// # Errors
/// The first problem found.
pub fn board(
    pieces: &[FlashPiece],
    info: &ChipInfo,
    table: Option<&[Partition]>,
    force: bool,
) -> Result<(), Error> {
    let size = u64::from(info.flash_size);
    for piece in pieces {
        let end = piece.range().end;
        if end > size {
            return Err(refused(
                piece.name(),
                sentence!(
                    "flash.x-at-most",
                    size = format!("{size:#x}"),
                    megabytes = megabytes(size)
                ),
                sentence!("flash.f-end", end = format!("{end:#x}")),
                None,
            ));
        }
        if force {
            continue;
        }
        let boot = piece.role == Role::Bootloader;
        // The header of the boot loader names the flash size. ESP-IDF ends the start with an error if the chip is
        // smaller.
        let asks = boot
            .then(|| Image::parse(&piece.data).ok()?.flash_size)
            .flatten();
        if let Some(asks) = asks.filter(|&asks| u64::from(asks) > size) {
            return Err(refused(
                piece.name(),
                sentence!("flash.x-for-flash", size = megabytes(size)),
                sentence!("flash.f-for", size = megabytes(u64::from(asks))),
                Some(force_anyway()),
            ));
        }
    }
    if force {
        return Ok(());
    }
    let partitions = table.unwrap_or_default();
    for partition in partitions {
        let end = partition.range().end;
        if end > size {
            return Err(refused(
                sentence!(
                    "flash.w-partition-alone",
                    name = format!("{:?}", partition.name)
                ),
                sentence!("flash.x-end-within", size = megabytes(size)),
                format!("{end:#x}"),
                Some(force_anyway()),
            ));
        }
        for piece in pieces
            .iter()
            .filter(|piece| piece.offset == partition.offset)
        {
            if partition.kind == 0
                && let Err(ImageProblem::Magic(found)) = Image::parse(&piece.data)
            {
                return Err(refused(
                    piece.name(),
                    sentence!(
                        "flash.x-app-partition",
                        at = format!("{:#x}", partition.offset),
                        name = format!("{:?}", partition.name)
                    ),
                    found.map_or(sentence!("flash.f-nothing"), |byte| {
                        sentence!("flash.f-begins-with", byte = format!("{byte:#04x}"))
                    }),
                    Some(force_anyway()),
                ));
            }
            fits(piece.name(), piece.data.len(), partition)?;
        }
    }
    Ok(())
}

/// Checks that the application that `part` puts into `partition` fits.
fn app_fits(part: &Loaded, partition: &Partition) -> Result<(), Error> {
    let image = covered(part, partition.offset).and_then(|bytes| Image::parse(bytes).ok());
    fits(
        part.name.as_str(),
        image.map_or(0, |image| image.len),
        partition,
    )
}

/// Refuses content of `needs` bytes if the partition is smaller.
fn fits(name: impl Into<Sentence>, needs: usize, partition: &Partition) -> Result<(), Error> {
    let room = partition.size as usize;
    if needs > room {
        return Err(refused(
            name,
            sentence!(
                "flash.x-fits",
                room = room,
                name = format!("{:?}", partition.name)
            ),
            needs.to_string(),
            Some(sentence!("flash.fits-hint")),
        ));
    }
    Ok(())
}

/// The size in the unit that flash chips are sold in: `8 MB`.
#[must_use]
pub(crate) fn megabytes(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 20) {
        format!("{} MB", bytes >> 20)
    } else {
        format!("{} KB", bytes >> 10)
    }
}
