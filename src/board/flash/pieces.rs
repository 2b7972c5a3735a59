//! Cuts files into pieces with an offset each: a boot loader, a partition table, applications, a font, data.
//!
//! The maker's release is one image of the whole flash, with 0xff in place of the board's settings and files. Written
//! as one block, it would erase them. So udpcli cuts it along its partition table and leaves out the blank parts.

use std::ops::Range;

use espflash::target::Chip;

use super::files::Loaded;
use super::font;
use super::image::{self, Image, Partition, TABLE_LEN, TABLE_OFFSET, Use};
use super::write::SECTOR;
use crate::text::sentence::{Sentence, sentence};

/// This many blank bytes outside of partitions separate two pieces. A font has only shorter gaps.
const GAP: usize = 0x1_0000;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The boot loader.
    Bootloader,
    /// The partition table.
    Table,
    /// The content of a partition.
    Partition(Use),
    /// Glyphs that the firmware reads directly from flash.
    Font,
    /// Other data outside of partitions.
    Data,
}

/// Bytes that belong together, and their offset in flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlashPiece {
    /// What this piece is.
    pub(crate) role: Role,
    /// The name for messages: the partition's name, if it is one.
    pub(crate) label: String,
    /// The file that it comes from.
    pub(crate) file: String,
    /// Its offset, a multiple of the sector size.
    pub offset: u32,
    /// The bytes to write, a multiple of 4.
    pub data: Vec<u8>,
    /// The user gave the offset of this file, so udpcli writes it, whatever is now at that offset.
    pub(crate) is_asked_for: bool,
    /// The piece is only a part of its file.
    pub(crate) is_cut: bool,
    /// Why the piece goes to this offset, if that is not obvious.
    pub(crate) why: Option<Sentence>,
}

impl FlashPiece {
    /// The name for messages.
    #[must_use]
    pub(crate) fn name(&self) -> Sentence {
        if !self.is_cut {
            return self.file.clone().into();
        }
        match word(&self.label) {
            Some(part) => sentence!("flash.part-of", part => part, file = &self.file),
            None => sentence!("flash.partition-of", name = &self.label, file = &self.file),
        }
    }

    /// The range of flash that it occupies.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + self.data.len() as u64
    }

    /// The range in whole sectors: what has to be erased before the write.
    #[must_use]
    pub(crate) fn sectors(&self) -> Range<u64> {
        let range = self.range();
        let sector = u64::from(SECTOR);
        range.start / sector * sector..range.end.next_multiple_of(sector)
    }
}

/// Cuts `files` for `chip` into pieces.
#[must_use]
pub fn of(files: Vec<Loaded>, chip: Chip) -> Vec<FlashPiece> {
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

/// The bytes of `file` from `offset` on.
#[must_use]
pub(crate) fn covered(file: &Loaded, offset: u32) -> Option<&[u8]> {
    let start = offset.checked_sub(file.offset)? as usize;
    file.data.get(start..).filter(|bytes| !bytes.is_empty())
}

/// The partition table in `files`.
#[must_use]
pub(crate) fn table(files: &[Loaded]) -> Option<Vec<Partition>> {
    files
        .iter()
        .find_map(|file| covered(file, TABLE_OFFSET).and_then(image::partitions))
}

/// Whether all bytes are erased (0xff).
#[must_use]
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
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
        // An application that does not fit gets here only with --force; it is then written uncut.
        && partitions.iter().all(|partition| {
            partition.kind != 0
                || covered(file, partition.offset)
                    .and_then(|bytes| Image::parse(bytes).ok())
                    .is_none_or(|image| image.len as u64 <= u64::from(partition.size))
        })
}

/// Makes one piece of a whole file.
fn whole(file: Loaded, table: &[Partition], chip: Chip) -> FlashPiece {
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
        (Role::Partition(Use::App), APPLICATION.to_owned())
    } else {
        (Role::Data, DATA.to_owned())
    };
    FlashPiece {
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

/// The names of pieces outside of partitions.
pub(super) const BOOTLOADER: &str = "boot loader";
pub(super) const TABLE: &str = "partitions";
pub(super) const FONT: &str = "font";
const DATA: &str = "data";
const APPLICATION: &str = "application";

/// The word for people where a label is not a partition's name.
pub(super) fn word(label: &str) -> Option<Sentence> {
    Some(match label {
        BOOTLOADER => sentence!("flash.part-bootloader"),
        TABLE => sentence!("flash.part-table"),
        FONT => sentence!("flash.part-font"),
        DATA => sentence!("flash.part-data"),
        APPLICATION => sentence!("flash.part-application"),
        _ => return None,
    })
}

/// Cuts an image along its own partition table.
fn cut(file: &Loaded, table: &[Partition], chip: Chip, pieces: &mut Vec<FlashPiece>) {
    let mut add = |role: Role, label: &str, offset: u64, data: &[u8]| {
        pieces.push(FlashPiece {
            role,
            label: label.to_owned(),
            file: file.name.clone(),
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            data: data.to_vec(),
            // The user gave the offset of the whole image, not of this part.
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
            // Blank bytes in a file system image belong to it: they must replace the old content.
            Use::Files | Use::Settings | Use::AppChoice => {
                add(role, &partition.name, range.start, data);
            }
        }
    }
    gap(file, at..file.range().end, &mut add);
}

/// The bytes of `file` in `range`.
fn within(file: &Loaded, range: Range<u64>) -> &[u8] {
    let start = u64::from(file.offset);
    let index = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
    let end = index(range.end).min(file.data.len());
    let begin = index(range.start).min(end);
    // If the range begins before the file, only its part in the file is returned.
    file.data.get(begin..end).unwrap_or_default()
}

/// The data without its blank end, in whole words.
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
        Err(font::FontProblem::Short(needed)) if needed <= data.len() as u64 => {
            cut(usize::try_from(needed).unwrap_or(len))
        }
        _ => cut(len),
    }
}

/// Adds the non-blank ranges outside of partitions.
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
        // One sector more, for a font whose last glyph ends in blank bytes.
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
