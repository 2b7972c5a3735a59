//! What is refused before a byte is written.

use espflash::target::Chip;

use super::chip::{ChipInfo, chip_name, name};
use super::error::Error;
use super::files::{Loaded, other_chip};
use super::image::{self, Image, Partition, Problem, TABLE_OFFSET, Use};
use super::pieces::{Piece, Role, covered, is_blank};
use super::write::SECTOR;
use super::{font, layout};

/// How a check that guesses is overridden.
const FORCE: &str = "--force writes it anyway";

/// What to do with a file that is not whole.
const AGAIN: &str = "download it again; --force writes it anyway";

fn refused(
    what: &str,
    expected: impl Into<String>,
    found: impl Into<String>,
    hint: Option<&str>,
) -> Error {
    Error::Refused {
        what: what.to_owned(),
        expected: expected.into(),
        found: found.into(),
        hint: hint.map(str::to_owned),
    }
}

/// What can be said of each file without the board: places, images whole and for `chip`.
///
/// # Errors
/// The first thing that is wrong.
pub fn files(parts: &[Loaded], chip: Chip, force: bool) -> Result<(), Error> {
    for part in parts {
        if !part.offset.is_multiple_of(SECTOR) {
            return Err(refused(
                &part.name,
                "an offset that is a multiple of 0x1000, the sector that flash erases at once",
                format!("{:#x}", part.offset),
                hexadecimal(part.offset).as_deref(),
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

/// Firmware that begins with a boot loader and a partition table has an application: otherwise its download ended early.
fn has_application(part: &Loaded, parts: &[Loaded], chip: Chip) -> Result<(), Error> {
    let begins = |bytes: Option<&[u8]>| {
        bytes
            .and_then(<[u8]>::first)
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
        Some(app) => format!("an application at {app:#x}, where its partition table has one"),
        None => "an application in its partition table".to_owned(),
    };
    Err(refused(
        &part.name,
        expected,
        "no application: the file is cut short",
        Some(AGAIN),
    ))
}

/// Whether the fonts and file systems among `pieces` are whole. Images say it themselves; these end where the file does.
///
/// # Errors
/// The first that is not.
pub fn whole(pieces: &[Piece], force: bool) -> Result<(), Error> {
    for piece in pieces.iter().filter(|_| !force) {
        let what = if piece.is_cut {
            format!("{} (at {:#x})", piece.file, piece.offset)
        } else {
            piece.file.clone()
        };
        let len = piece.data.len();
        let cut = |kind: &str, needed: u64| {
            let expected = format!("a whole {kind}: {needed} bytes");
            let found = format!("{len}: it is cut short");
            Err(refused(&what, expected, found, Some(AGAIN)))
        };
        match font::recognise(&piece.data) {
            Err(font::Problem::Short(needed)) => return cut("font", needed),
            Err(font::Problem::Damaged) => {
                return Err(refused(&what, "a whole font", "a damaged one", Some(AGAIN)));
            }
            Ok(_) | Err(font::Problem::Magic) => {}
        }
        if let Some(needed) =
            layout::littlefs_len(&piece.data).filter(|&needed| needed > len as u64)
        {
            return cut("file system", needed);
        }
    }
    Ok(())
}

fn whole_table(part: &Loaded, table: &[u8], partitions: &[Partition]) -> Result<(), Error> {
    match image::table_damage(table, partitions) {
        None => Ok(()),
        Some(damage) => Err(refused(
            &part.name,
            format!("a whole partition table at {TABLE_OFFSET:#x}"),
            format!("a damaged one: {damage}"),
            Some(AGAIN),
        )),
    }
}

/// `app.bin@10000` was meant to be 0x10000.
fn hexadecimal(offset: u32) -> Option<String> {
    let meant = u32::from_str_radix(&offset.to_string(), 16).ok()?;
    meant
        .is_multiple_of(SECTOR)
        .then(|| format!("{offset} is a decimal number: is {meant:#x} meant?"))
}

/// Makes room among the pieces of an image for files that the user has placed by hand; says what was left out.
///
/// # Errors
/// Two files go to the same place, and it is not clear which is wanted.
pub fn overlaps(pieces: &mut Vec<Piece>) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    let asked: Vec<(String, std::ops::Range<u64>)> = pieces
        .iter()
        .filter(|piece| piece.is_asked_for)
        .map(|piece| (piece.file.clone(), piece.sectors()))
        .collect();
    pieces.retain(|piece| {
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
            notes.push(format!(
                "{} has {} of its own for {:#x}: {file} is written instead",
                piece.file,
                match piece.role {
                    Role::Font => "a font",
                    Role::Partition(Use::Files) => "files",
                    _ => "data",
                },
                piece.offset,
            ));
        }
        winner.is_none()
    });
    let mut sorted: Vec<&Piece> = pieces.iter().collect();
    sorted.sort_by_key(|piece| piece.offset);
    for pair in sorted.windows(2) {
        let [first, second] = pair else { continue };
        // A sector is erased whole: two files cannot share one.
        let end = first.sectors().end;
        if end > u64::from(second.offset) {
            return Err(refused(
                &second.name(),
                format!("{end:#x} or more, where {} ends", first.name()),
                format!("{:#x}: they overlap", second.offset),
                None,
            ));
        }
    }
    Ok(notes)
}

/// What firmware is that says itself where it goes, and where that is.
fn own_place(part: &Loaded, chip: Chip) -> Option<(&'static str, u32)> {
    let boot = chip.boot_address();
    let at = |offset: u32| part.data.get(offset as usize..).unwrap_or_default();
    if Image::parse(&part.data).is_ok_and(|image| !image.is_app) {
        return Some(("firmware that begins with a bootloader", boot));
    }
    let is_merged = part.data.get(..boot as usize).is_some_and(is_blank)
        && at(boot).first() == Some(&image::MAGIC)
        && image::partitions(at(TABLE_OFFSET)).is_some();
    is_merged.then_some(("an image of the whole flash", 0))
}

/// The images that `part` puts where the chip looks for one.
fn images(part: &Loaded, chip: Chip, force: bool) -> Result<(), Error> {
    let boot = chip.boot_address();
    if let Some((what, place)) = own_place(part, chip)
        && place != part.offset
        && !force
    {
        return Err(refused(
            &part.name,
            format!("something else at {:#x}", part.offset),
            format!("{what}, which belongs at {place:#x}"),
            Some("leave @OFFSET out: it says itself where it goes; --force writes it anyway"),
        ));
    }
    if let Some(bytes) = covered(part, boot) {
        let what = format!(
            "{} at {boot:#x}, where the chip looks for its bootloader,",
            part.name
        );
        image(&what, bytes, chip, force)?;
        if !force && Image::parse(bytes).is_ok_and(|image| image.is_app) {
            return Err(refused(
                &what,
                "a bootloader, or firmware that begins with one",
                "an application, which alone does not start",
                Some(
                    "most boards have applications at 0x10000 (udpcli board info --flash tells); --force writes it anyway",
                ),
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
        // Second app partitions are often left empty.
        if bytes.first() == Some(&0xff) {
            continue;
        }
        let what = format!(
            "{} at {:#x}, partition {:?},",
            part.name, app.offset, app.name
        );
        image(&what, bytes, chip, force)?;
    }
    // A file that begins with an image is meant to be one, wherever it goes.
    if part.data.first() == Some(&image::MAGIC) && part.offset != boot {
        image(&part.name, &part.data, chip, force)?;
    }
    Ok(())
}

fn image(what: &str, bytes: &[u8], chip: Chip, force: bool) -> Result<(), Error> {
    match Image::parse(bytes) {
        Err(_) if force => Ok(()),
        Err(Problem::Magic(found)) => Err(refused(
            what,
            "an ESP image, which begins with 0xe9",
            found.map_or("nothing".to_owned(), |byte| format!("{byte:#04x}")),
            Some("is it firmware, and at the right offset? --force writes it anyway"),
        )),
        Err(Problem::Short(needed)) => Err(refused(
            what,
            format!("{needed} bytes, as its header says"),
            format!("{}: it is cut short", bytes.len()),
            Some(AGAIN),
        )),
        Ok(image) => {
            // Another chip cannot run it: no override.
            if let Some(id) = image.chip_id.filter(|&id| id != chip.id()) {
                return Err(other_chip(what, name(chip), chip_name(id)));
            }
            match image.damage {
                Some(damage) if !force => Err(refused(
                    what,
                    format!("an image whose {damage} is right"),
                    "another one: the file is damaged",
                    Some(AGAIN),
                )),
                _ => Ok(()),
            }
        }
    }
}

/// Whether the flash's size is known.
///
/// # Errors
/// The flash chip does not say it, and the user did not either.
pub fn size(info: &ChipInfo) -> Result<(), Error> {
    if info.flash_size == 0 {
        return Err(refused(
            "the board",
            "a flash chip that says its size",
            format!("identification {:#08x}", info.flash_id),
            Some(
                "is the flash chip's supply right? some boards need GPIO 12 free while they start; if you know the size, say it: --flash-size 8MB (the mPython board has that)",
            ),
        ));
    }
    Ok(())
}

/// Whether the chip's eFuses let it run what is written. There is no override: what was burnt cannot be undone.
///
/// # Errors
/// They do not.
pub fn locks(info: &ChipInfo) -> Result<(), Error> {
    let found = match (info.locks.flash_encryption, info.locks.secure_boot) {
        (false, false) => return Ok(()),
        (true, false) => "flash encryption, switched on by an eFuse",
        (false, true) => "secure boot, switched on by an eFuse",
        (true, true) => "flash encryption and secure boot, switched on by eFuses",
    };
    Err(refused(
        "the board",
        "a chip that starts any firmware",
        found,
        Some(
            "it only starts what its owner has encrypted or signed, and that cannot be switched off: plain firmware would make it useless. Ask whoever set it up, or take another board",
        ),
    ))
}

/// What the board has to say: its flash's size, and the partitions.
///
/// # Errors
/// The first thing that is wrong.
pub fn board(
    pieces: &[Piece],
    info: &ChipInfo,
    table: Option<&[Partition]>,
    force: bool,
) -> Result<(), Error> {
    let size = u64::from(info.flash_size);
    for piece in pieces {
        let end = piece.range().end;
        if end > size {
            return Err(refused(
                &piece.name(),
                format!("at most {size:#x} ({}), the board's flash", megabytes(size)),
                format!("an end at {end:#x}"),
                None,
            ));
        }
        if force {
            continue;
        }
        let boot = piece.role == Role::Bootloader;
        let asks = boot
            .then(|| Image::parse(&piece.data).ok()?.flash_size)
            .flatten();
        if let Some(asks) = asks.filter(|&asks| u64::from(asks) > size) {
            return Err(refused(
                &piece.name(),
                format!("firmware for the board's {} of flash", megabytes(size)),
                format!("firmware for {}", megabytes(u64::from(asks))),
                Some(FORCE),
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
                &format!("partition {:?}", partition.name),
                format!("an end within the board's {} of flash", megabytes(size)),
                format!("{end:#x}"),
                Some(FORCE),
            ));
        }
        for piece in pieces
            .iter()
            .filter(|piece| piece.offset == partition.offset)
        {
            if partition.kind == 0
                && let Err(Problem::Magic(found)) = Image::parse(&piece.data)
            {
                return Err(refused(
                    &piece.name(),
                    format!(
                        "an application at {:#x}, the place of partition {:?}",
                        partition.offset, partition.name
                    ),
                    found.map_or("nothing".to_owned(), |byte| {
                        format!("none: it begins with {byte:#04x}, and not with 0xe9")
                    }),
                    Some(FORCE),
                ));
            }
            fits(&piece.name(), piece.data.len(), partition)?;
        }
    }
    Ok(())
}

/// Whether the application that `part` puts into `partition` fits.
fn app_fits(part: &Loaded, partition: &Partition) -> Result<(), Error> {
    let image = covered(part, partition.offset).and_then(|bytes| Image::parse(bytes).ok());
    fits(&part.name, image.map_or(0, |image| image.len), partition)
}

fn fits(name: &str, needs: usize, partition: &Partition) -> Result<(), Error> {
    let room = partition.size as usize;
    if needs > room {
        return Err(refused(
            name,
            format!(
                "at most {room} bytes, the size of partition {:?}",
                partition.name
            ),
            format!("{needs}"),
            Some("other firmware, or another partition table; --force writes it anyway"),
        ));
    }
    Ok(())
}

/// `8 MB`, as flash chips are called.
#[must_use]
pub fn megabytes(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 20) {
        format!("{} MB", bytes >> 20)
    } else {
        format!("{} KB", bytes >> 10)
    }
}
