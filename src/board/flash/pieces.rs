//! Files taken apart by what they put where: a boot loader, a partition table, applications, a font, data.
//!
//! The maker's release is one image of the whole flash, with 0xff where the board keeps its settings and files. Written
//! as it is, it would erase those. So it is cut along the partition table inside, and what is blank is left out.

use std::ops::Range;

use espflash::target::Chip;

use super::files::Loaded;
use super::font;
use super::image::{self, Image, Partition, TABLE_LEN, TABLE_OFFSET, Use};
use super::write::SECTOR;
use crate::text::sentence::Sentence;

/// So many blank bytes between two stretches outside of partitions make them two pieces. A font has shorter gaps.
const GAP: usize = 0x1_0000;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The first program that the chip starts.
    Bootloader,
    /// The partition table.
    Table,
    /// What goes into a partition.
    Partition(Use),
    /// Glyphs that the firmware reads straight from flash.
    Font,
    /// Anything else outside of partitions.
    Data,
}

/// Bytes that belong together, and where in flash they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub role: Role,
    /// What to call it: the partition's name, where it is one.
    pub label: String,
    /// The file that it comes from.
    pub file: String,
    /// Where it goes: a multiple of the sector's size.
    pub offset: u32,
    /// What goes there: whole words.
    pub data: Vec<u8>,
    /// The user said where this file goes, so it is meant to be written whatever is there now.
    pub is_asked_for: bool,
    /// It is only a part of its file.
    pub is_cut: bool,
    /// Why it goes there, where that is not plain.
    pub why: Option<Sentence>,
}

impl Piece {
    /// What it is called in messages.
    #[must_use]
    pub fn name(&self) -> String {
        if self.is_cut {
            format!("{} of {}", self.label, self.file)
        } else {
            self.file.clone()
        }
    }

    /// The part of flash that it takes.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + self.data.len() as u64
    }

    /// The same, in whole sectors: what is erased before it is written.
    #[must_use]
    pub fn sectors(&self) -> Range<u64> {
        let range = self.range();
        let sector = u64::from(SECTOR);
        range.start / sector * sector..range.end.next_multiple_of(sector)
    }
}

/// What `files` bring along for `chip`.
#[must_use]
pub fn of(files: Vec<Loaded>, chip: Chip) -> Vec<Piece> {
    let table = table(&files);
    let table = table.as_deref().unwrap_or_default();
    let mut pieces = Vec::new();
    for file in files {
        if is_combined(&file, chip) {
            cut(&file, table, chip, &mut pieces);
        } else {
            pieces.push(whole(file, table, chip));
        }
    }
    pieces
}

/// What `file` puts at `offset` and after it.
#[must_use]
pub fn covered(file: &Loaded, offset: u32) -> Option<&[u8]> {
    let start = offset.checked_sub(file.offset)? as usize;
    file.data.get(start..).filter(|bytes| !bytes.is_empty())
}

/// The partition table that `files` bring along.
#[must_use]
pub fn table(files: &[Loaded]) -> Option<Vec<Partition>> {
    files
        .iter()
        .find_map(|file| covered(file, TABLE_OFFSET).and_then(image::partitions))
}

/// Whether all bytes are as erasing leaves them.
#[must_use]
pub fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0xff)
}

/// Whether it has a boot loader and a partition table, so that it can be cut.
fn is_combined(file: &Loaded, chip: Chip) -> bool {
    let Some(table) = covered(file, TABLE_OFFSET) else {
        return false;
    };
    let Some(partitions) = image::partitions(table) else {
        return false;
    };
    covered(file, chip.boot_address()).is_some_and(|bytes| Image::parse(bytes).is_ok())
        && image::table_damage(table, &partitions).is_none()
        // Only --force gets an application that does not fit as far as this: it is then written as it is.
        && partitions.iter().all(|partition| {
            partition.kind != 0
                || covered(file, partition.offset)
                    .and_then(|bytes| Image::parse(bytes).ok())
                    .is_none_or(|image| image.len as u64 <= u64::from(partition.size))
        })
}

/// A file that is one piece.
fn whole(file: Loaded, table: &[Partition], chip: Chip) -> Piece {
    let partition = table
        .iter()
        .find(|partition| partition.offset == file.offset);
    let (role, label) = if font::recognise(&file.data).is_ok() {
        (Role::Font, FONT.to_owned())
    } else if file.offset == chip.boot_address() && file.data.first() == Some(&image::MAGIC) {
        (Role::Bootloader, BOOTLOADER.to_owned())
    } else if file.offset == TABLE_OFFSET && image::partitions(&file.data).is_some() {
        (Role::Table, TABLE.to_owned())
    } else if let Some(partition) = partition {
        (Role::Partition(partition.purpose()), partition.name.clone())
    } else if file.data.first() == Some(&image::MAGIC) {
        (Role::Partition(Use::App), "application".to_owned())
    } else {
        (Role::Data, DATA.to_owned())
    };
    Piece {
        role,
        label,
        offset: file.offset,
        is_asked_for: file.is_asked_for,
        is_cut: false,
        why: None,
        file: file.name,
        data: file.data,
    }
}

/// What pieces without a partition are called.
pub(super) const BOOTLOADER: &str = "boot loader";
pub(super) const TABLE: &str = "partitions";
pub(super) const FONT: &str = "font";
const DATA: &str = "data";

/// Cuts an image along the partition table inside.
fn cut(file: &Loaded, table: &[Partition], chip: Chip, pieces: &mut Vec<Piece>) {
    let mut add = |role: Role, label: &str, offset: u64, data: &[u8]| {
        pieces.push(Piece {
            role,
            label: label.to_owned(),
            file: file.name.clone(),
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            data: data.to_vec(),
            // The user has asked for the image as a whole, and not for this part of it.
            is_asked_for: false,
            is_cut: true,
            why: None,
        });
    };
    let boot = u64::from(chip.boot_address());
    let table_at = u64::from(TABLE_OFFSET);
    let after_table = table_at + u64::from(SECTOR);
    gap(file, 0..boot, &mut add);
    add(
        Role::Bootloader,
        BOOTLOADER,
        boot,
        trimmed(within(file, boot..table_at)),
    );
    let table_len = table_at + u64::from(TABLE_LEN);
    add(
        Role::Table,
        TABLE,
        table_at,
        trimmed(within(file, table_at..table_len)),
    );
    let mut sorted: Vec<&Partition> = table.iter().collect();
    sorted.sort_by_key(|partition| partition.offset);
    let mut at = after_table;
    for partition in sorted {
        let range = partition.range();
        gap(file, at..range.start, &mut add);
        at = range.end;
        let data = within(file, range.clone());
        let purpose = partition.purpose();
        let role = Role::Partition(purpose);
        match purpose {
            _ if is_blank(data) => {}
            Use::App | Use::Other => add(role, &partition.name, range.start, trimmed(data)),
            // What is blank in a file system's image is part of it: it must not show what was there before.
            Use::Files | Use::Settings | Use::AppChoice => {
                add(role, &partition.name, range.start, data);
            }
        }
    }
    gap(file, at..file.range().end, &mut add);
}

/// What of `range` lies in `file`.
fn within(file: &Loaded, range: Range<u64>) -> &[u8] {
    let start = u64::from(file.offset);
    let index = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
    let end = index(range.end).min(file.data.len());
    let begin = index(range.start).min(end);
    // A range that begins before the file has its own beginning blank: such pieces are looked for nowhere else.
    file.data.get(begin..end).unwrap_or_default()
}

/// Without the blank end, in whole words.
fn trimmed(data: &[u8]) -> &[u8] {
    let len = data
        .iter()
        .rposition(|&byte| byte != 0xff)
        .map_or(0, |last| last + 1);
    let cut = |len: usize| {
        let len = len.next_multiple_of(4).min(data.len());
        data.get(..len).unwrap_or_default()
    };
    // A font's last glyph may end in blank bytes.
    match font::recognise(cut(len)) {
        Err(font::Problem::Short(needed)) if needed <= data.len() as u64 => {
            cut(usize::try_from(needed).unwrap_or(len))
        }
        _ => cut(len),
    }
}

/// What lies outside of partitions: stretches that are not blank.
fn gap(file: &Loaded, range: Range<u64>, add: &mut impl FnMut(Role, &str, u64, &[u8])) {
    let start = range.start.max(u64::from(file.offset));
    let data = within(file, start..range.end.max(start));
    let mut stretch: Option<Range<usize>> = None;
    let mut stretches = Vec::new();
    for (index, sector) in data.chunks(SECTOR as usize).enumerate() {
        if is_blank(sector) {
            continue;
        }
        let begin = index * SECTOR as usize;
        let end = begin + sector.len();
        match &mut stretch {
            Some(last) if begin - last.end < GAP => last.end = end,
            _ => stretches.extend(stretch.replace(begin..end)),
        }
    }
    stretches.extend(stretch);
    for stretch in stretches {
        let end = stretch.end.saturating_add(SECTOR as usize).min(data.len());
        let data = trimmed(data.get(stretch.start..end).unwrap_or_default());
        let (role, label) = if font::recognise(data).is_ok() {
            (Role::Font, FONT)
        } else {
            (Role::Data, DATA)
        };
        add(role, label, start + stretch.start as u64, data);
    }
}
