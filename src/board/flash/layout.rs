//! Decides what happens to each part of flash (write, keep or erase) and why, before udpcli writes anything.
//!
//! Long because the decision for one part of flash depends on the decisions for the others.

pub mod rows;

use std::ops::Range;

use super::error::{Error, FlashRefusal};
use super::firmware;
use super::font;
use super::image::{self, Image, Partition, Use};
use super::pieces::{BOOTLOADER, FONT, FlashPiece, Role, TABLE};
use super::write::FlashRange;
use crate::text::sentence::{Sentence, sentence};

/// What happens to the files on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesFate {
    /// Keep them.
    Keep,
    /// Replace them with the firmware's own files, or with an empty file system.
    Replace,
}

/// What the user wants, apart from the files to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayoutRequest {
    /// What happens to the board's files; `None` keeps them, unless that conflicts with the new firmware.
    pub files: Option<FilesFate>,
    /// Erase the whole flash first.
    pub erase_all: bool,
}

/// What happens to a part of flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeAction {
    /// udpcli writes new content.
    Write,
    /// The range keeps its content.
    Keep,
    /// The range becomes blank.
    Erase,
    /// The user has to decide.
    Ask,
}

/// A part of flash, and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutRow {
    /// The partition's name or a description; escape it before you print it.
    pub(crate) label: String,
    /// Where it begins.
    pub(crate) offset: u32,
    /// Its size in bytes.
    pub(crate) size: u32,
    /// What happens to it.
    pub action: RangeAction,
    /// The reason, or the source file; escape it before you print it.
    pub(crate) why: Sentence,
}

impl LayoutRow {
    /// The range of flash that this row describes.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + u64::from(self.size)
    }
}

/// The layout of the whole flash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlashLayout {
    /// The parts of flash, ordered by offset.
    pub rows: Vec<LayoutRow>,
    /// The parts to write.
    pub parts: Vec<FlashRange>,
    /// The ranges to erase that are not written.
    pub erase: Vec<Erase>,
    /// Further notes for the user.
    pub(crate) notes: Vec<Sentence>,
    /// Why the user has to choose with `--files`; if set, nothing may be written.
    pub conflict: Option<Vec<Sentence>>,
}

/// A part of flash to erase, in whole sectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erase {
    /// The name for messages.
    pub(crate) label: String,
    /// Where it begins.
    pub offset: u32,
    /// Its size in bytes.
    pub size: u32,
}

/// Reads the current flash content of the board.
pub trait FlashReader {
    /// Where the chip looks for its boot loader.
    fn boot_address(&self) -> u32;

    /// Whether the whole range is erased.
    ///
    /// # Errors
    /// The serial line or the chip fails.
    fn is_blank(&mut self, range: Range<u64>) -> Result<bool, Error>;

    /// Whether these bytes are already at `offset`.
    ///
    /// # Errors
    /// As for [`FlashReader::is_blank`].
    fn holds(&mut self, offset: u32, bytes: &[u8]) -> Result<bool, Error>;

    /// Reads the first `len` bytes at `offset`.
    ///
    /// # Errors
    /// As for [`FlashReader::is_blank`].
    fn peek(&mut self, offset: u32, len: u32) -> Result<Vec<u8>, Error>;
}

/// Describes the current content of each partition. `firmware` is the banner of the board's application.
///
/// # Errors
/// udpcli cannot read the board's flash.
pub(crate) fn contents(
    table: &[Partition],
    firmware: Option<&str>,
    look: &mut dyn FlashReader,
) -> Result<Vec<LayoutRow>, Error> {
    let mut rows = Vec::new();
    let mut add = |label: &str, offset: u32, size: u32, why: Sentence| {
        rows.push(LayoutRow {
            label: label.to_owned(),
            offset,
            size,
            action: RangeAction::Keep,
            why,
        });
    };
    let boot = look.boot_address();
    let head = look.peek(boot, HEAD)?;
    if head.first() == Some(&image::MAGIC) {
        let mode = image::flash_mode(&head).map(image::FlashMode::name);
        let size = image::TABLE_OFFSET - boot;
        add(
            BOOTLOADER,
            boot,
            size,
            match mode {
                Some(mode) => sentence!("flash.row-mode", mode = mode),
                None => sentence!("flash.row-mode-unknown"),
            },
        );
    }
    if !table.is_empty() {
        let count = sentence!("flash.row-partitions", count = table.len());
        add(TABLE, image::TABLE_OFFSET, image::TABLE_LEN, count);
    }
    let mut firmware = firmware;
    for partition in table {
        let head = look.peek(partition.offset, HEAD)?;
        let known = match partition.purpose() {
            Use::App if head.first() == Some(&image::MAGIC) => Some(
                firmware
                    .take()
                    .map_or(sentence!("flash.row-application"), Sentence::from),
            ),
            Use::Files => file_system(&head).map(|kind| sentence!("flash.row-files", kind = kind)),
            _ => None,
        };
        let why = match known {
            Some(known) => known,
            None if look.is_blank(partition.range())? => sentence!("flash.row-empty"),
            None => sentence!("flash.row-used"),
        };
        let why = sentence!("flash.row-described", kind = partition.describe(), what => why);
        add(&partition.name, partition.offset, partition.size, why);
    }
    for offset in font::PLACES {
        let inside = table
            .iter()
            .any(|partition| partition.range().contains(&offset.into()));
        if !inside && let Some((kind, size)) = find_font(look, offset)? {
            add(
                FONT,
                offset,
                size,
                sentence!("flash.row-font", maker = kind.maker()),
            );
        }
    }
    rows.sort_by_key(|row| (row.offset, row.size));
    Ok(rows)
}

/// Decides what happens to `pieces` on a board with the partition table `old`.
///
/// # Errors
/// udpcli cannot read the board's flash, or the user's options contradict each other.
pub fn plan(
    pieces: Vec<FlashPiece>,
    old: Option<&[Partition]>,
    wish: LayoutRequest,
    look: &mut dyn FlashReader,
) -> Result<FlashLayout, Error> {
    let new = pieces
        .iter()
        .find(|piece| piece.role == Role::Table)
        .and_then(|piece| image::partitions(&piece.data));
    let mut planner = Planner {
        old: old.unwrap_or_default(),
        new: new.as_deref(),
        wish,
        look,
        layout: FlashLayout::default(),
        taken: Vec::new(),
        foreign: Vec::new(),
    };
    let application = pieces
        .iter()
        .find(|piece| piece.role == Role::Partition(Use::App));
    let writes_firmware = application.is_some();
    let place = application
        .and_then(|piece| firmware::identify(&piece.data))
        .and_then(|firmware| font::place(&firmware));
    let boot = pieces
        .iter()
        .find(|piece| piece.role == Role::Bootloader)
        .map(|piece| Image::parse(&piece.data));
    match boot {
        Some(Ok(Image {
            flash_mode: Some(mode),
            ..
        })) if mode.is_quad() => planner
            .layout
            .notes
            .push(sentence!("flash.quad-mode", mode = mode.name())),
        None if application.is_some() && planner.has_no_boot_loader()? => {
            planner.layout.notes.push(sentence!("flash.no-boot-loader"));
        }
        _ => {}
    }
    if let [piece] = pieces.as_slice()
        && piece.role == Role::Bootloader
    {
        planner
            .layout
            .notes
            .push(sentence!("flash.only-boot-loader", file = &piece.file));
    }
    for piece in pieces {
        planner.piece(piece)?;
    }
    planner.rest(writes_firmware)?;
    if let Some(place) = place {
        planner.font(&place)?;
    }
    let mut layout = planner.layout;
    layout.rows.sort_by_key(|row| (row.offset, row.size));
    Ok(layout)
}

struct Planner<'a> {
    /// The board's partition table; empty if it has none.
    old: &'a [Partition],
    /// The partition table of the new firmware.
    new: Option<&'a [Partition]>,
    /// What the user wants.
    wish: LayoutRequest,
    /// Looks at what is in flash.
    look: &'a mut dyn FlashReader,
    /// What is decided so far.
    layout: FlashLayout,
    /// The ranges to write, in whole sectors.
    taken: Vec<Range<u64>>,
    /// The indices of those parts that do not replace a partition of the board that the user has named.
    foreign: Vec<usize>,
}

impl Planner<'_> {
    /// Whether the board has no boot loader that could start an application.
    fn has_no_boot_loader(&mut self) -> Result<bool, Error> {
        let boot = self.look.boot_address();
        let first = self.look.peek(boot, 4)?;
        Ok(self.wish.erase_all || first.first() != Some(&image::MAGIC))
    }

    /// Adds a row for the user.
    fn row(&mut self, label: &str, range: Range<u64>, action: RangeAction, why: Sentence) {
        let bytes = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.layout.rows.push(LayoutRow {
            label: label.to_owned(),
            offset: bytes(range.start),
            size: bytes(range.end - range.start),
            action,
            why,
        });
    }

    /// Decides to write a piece.
    fn write(&mut self, piece: FlashPiece, why: Sentence) {
        self.taken.push(piece.sectors());
        let is_own = piece.is_asked_for
            && self
                .partition_at(piece.offset)
                .is_some_and(|partition| piece.range().end <= partition.range().end);
        if !is_own {
            self.foreign.push(self.layout.parts.len());
        }
        self.row(&piece.label, piece.range(), RangeAction::Write, why);
        self.layout.parts.push(FlashRange {
            name: piece.name(),
            offset: piece.offset,
            data: piece.data,
        });
    }

    /// Erases those parts of `range` that are neither written nor in `spared`.
    fn erase(&mut self, label: &str, range: Range<u64>, spared: &[Range<u64>]) {
        let taken: Vec<Range<u64>> = self.taken.iter().chain(spared).cloned().collect();
        for range in without(range, &taken) {
            let bytes = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
            self.layout.erase.push(Erase {
                label: label.to_owned(),
                offset: bytes(range.start),
                size: bytes(range.end - range.start),
            });
        }
    }

    /// The partition that begins at `offset`.
    fn partition_at(&self, offset: u32) -> Option<&Partition> {
        self.new
            .unwrap_or(self.old)
            .iter()
            .find(|partition| partition.offset == offset)
    }

    /// The whole partition that `piece` goes into.
    fn partition_range(&self, piece: &FlashPiece) -> Range<u64> {
        self.partition_at(piece.offset)
            .map_or(piece.range(), Partition::range)
    }

    /// Decides whether a piece is written, or what is on the board stays.
    fn piece(&mut self, mut piece: FlashPiece) -> Result<(), Error> {
        // If the firmware brings no table, the board's table gives the partition's use.
        if matches!(piece.role, Role::Data | Role::Partition(Use::App))
            && let Some(partition) = self.partition_at(piece.offset)
        {
            piece.role = Role::Partition(partition.purpose());
            piece.label.clone_from(&partition.name);
        }
        let mut from = sentence!("flash.row-from", file = &piece.file);
        if piece.role == Role::Partition(Use::App)
            && let Some(firmware) = firmware::identify(&piece.data)
        {
            from = sentence!("flash.row-from-what", from => from, what = firmware.text);
        }
        if let Some(why) = &piece.why {
            from = sentence!("flash.row-from-what", from => from, what => why.clone());
        }
        if self.wish.erase_all || piece.is_asked_for {
            let why = match piece.role {
                Role::Partition(Use::Files) => sentence!("flash.row-in-place", from => from),
                _ => from,
            };
            self.write(piece, why);
            return Ok(());
        }
        match piece.role {
            Role::Partition(Use::Files) => self.files(piece, from),
            Role::Partition(Use::Settings) => {
                // A new partition has no old content to keep. An interrupted run may have damaged the table, so look at
                // the flash as well.
                let known = |old: &Partition| old.offset == piece.offset;
                let stays = if self.old.is_empty() {
                    is_settings(&self.look.peek(piece.offset, 4)?)
                } else {
                    self.old.iter().any(known) && !self.look.is_blank(piece.range())?
                };
                if stays {
                    let range = self.partition_range(&piece);
                    self.row(&piece.label, range, RangeAction::Keep, kept_settings());
                } else {
                    self.write(piece, from);
                }
                Ok(())
            }
            _ => {
                self.write(piece, from);
                Ok(())
            }
        }
    }

    /// Handles a file system that belongs to the firmware.
    fn files(&mut self, piece: FlashPiece, from: Sentence) -> Result<(), Error> {
        let range = self.partition_range(&piece);
        let has_files = self.has_files(&range)?;
        if has_files && self.wish.files != Some(FilesFate::Replace) {
            self.layout
                .notes
                .push(sentence!("flash.own-files-left", file = &piece.file));
            let start = u32::try_from(range.start).unwrap_or(u32::MAX);
            let board = file_system(&self.look.peek(start, HEAD)?);
            if let (Some(theirs), Some(own)) = (file_system(&piece.data), board)
                && theirs != own
            {
                self.layout.notes.push(sentence!(
                    "flash.other-file-system",
                    own = own,
                    theirs = theirs
                ));
            }
            self.row(&piece.label, range, RangeAction::Keep, kept_files());
            return Ok(());
        }
        let why = if has_files {
            sentence!("flash.row-make-way", from => from)
        } else {
            sentence!("flash.row-none", from => from)
        };
        let (label, end) = (piece.label.clone(), piece.sectors().end);
        self.write(piece, why);
        // The firmware would take the rest of the old file system for a part of the new one.
        if end < range.end {
            self.erase(&label, end..range.end, &[]);
        }
        Ok(())
    }

    /// Whether the board has files in `range`, where the new firmware puts its own files.
    fn has_files(&mut self, range: &Range<u64>) -> Result<bool, Error> {
        let known = self
            .old
            .iter()
            .any(|old| old.purpose() == Use::Files && old.range().start == range.start);
        if known {
            return Ok(!self.look.is_blank(range.clone())?);
        }
        // An interrupted run may have damaged the table.
        let start = u32::try_from(range.start).unwrap_or(u32::MAX);
        Ok(self.old.is_empty() && file_system(&self.look.peek(start, HEAD)?).is_some())
    }

    /// Handles the partitions that no piece is written to.
    fn rest(&mut self, writes_firmware: bool) -> Result<(), Error> {
        if self.wish.erase_all {
            self.all_erased();
            return Ok(());
        }
        self.conflicts()?;
        let replaces = self.wish.files == Some(FilesFate::Replace);
        for partition in self.new.unwrap_or(self.old) {
            let range = partition.range();
            if self.is_told(partition) {
                continue;
            }
            let (action, why) = match partition.purpose() {
                Use::App => (RangeAction::Keep, sentence!("flash.row-not-in-file")),
                Use::Settings => (RangeAction::Keep, kept_settings()),
                Use::Files if replaces => (RangeAction::Erase, sentence!("flash.row-empty-one")),
                Use::Files => (RangeAction::Keep, kept_files()),
                // Its old content could make the chip start another application than the new one.
                Use::AppChoice if writes_firmware && self.new.is_some() => {
                    (RangeAction::Erase, sentence!("flash.row-so-that"))
                }
                Use::AppChoice | Use::Other => (RangeAction::Keep, "".into()),
            };
            if action == RangeAction::Erase {
                self.erase(&partition.name, range.clone(), &[]);
            }
            self.row(&partition.name, range, action, why);
        }
        Ok(())
    }

    /// Checks whether the new firmware finds a font on the board, if this run writes none.
    fn font(&mut self, place: &font::FontPlace) -> Result<(), Error> {
        let start = u64::from(place.offset);
        if self.taken.iter().any(|taken| taken.contains(&start)) {
            return Ok(());
        }
        let found = if self.wish.erase_all {
            None
        } else {
            find_font(self.look, place.offset)?
        };
        match found {
            Some((kind, size)) if kind == place.kind => {
                self.row(FONT, start..start + u64::from(size), RangeAction::Keep, "".into());
            }
            _ => self.layout.notes.push(sentence!("flash.no-font", who => place.who.clone(), at = format!("{:#x}", place.offset))),
        }
        Ok(())
    }

    /// Whether a row already covers the whole `partition`, or what is written there.
    fn is_told(&self, partition: &Partition) -> bool {
        let range = partition.range();
        self.taken.iter().any(|taken| overlap(taken, &range))
            || self.layout.rows.iter().any(|row| {
                let same = row.offset == partition.offset && row.size == partition.size;
                same || row.action == RangeAction::Ask && overlap(&row.range(), &range)
            })
    }

    /// Adds rows for what `--erase-all` removes.
    fn all_erased(&mut self) {
        for partition in self.new.unwrap_or(self.old) {
            if !self.is_told(partition) {
                self.row(
                    &partition.name,
                    partition.range(),
                    RangeAction::Erase,
                    "--erase-all".into(),
                );
            }
        }
    }

    /// Finds files and settings that the new firmware would not find, or that would be overwritten.
    fn conflicts(&mut self) -> Result<(), Error> {
        let table = self.new.unwrap_or(self.old);
        let mut conflicts = Vec::new();
        for old in self.old {
            let range = old.range();
            // The board recreates its radio calibration by itself.
            let is_kept =
                matches!(old.purpose(), Use::Files | Use::Settings) && old.subtype != 0x01;
            if !is_kept {
                continue;
            }
            let over = self.goes_into(&range)?;
            if !self.is_in_danger(old, over.is_some())? {
                continue;
            }
            let what = match old.purpose() {
                Use::Files => kept_files(),
                _ => kept_settings(),
            };
            let now = rows::place(old.offset, old.size);
            let place = table
                .iter()
                .find(|new| new.purpose() == old.purpose() && new.name == old.name);
            let stays = place.is_some_and(|place| place.range() == range);
            let then = match (place, &over) {
                (Some(_), Some(file)) if stays => sentence!("flash.row-goes-into", file = file),
                (Some(place), _) => sentence!(
                    "flash.row-own-at",
                    place => rows::place(place.offset, place.size)
                ),
                (None, _) => sentence!("flash.row-no-such"),
            };
            // One row for both, if the new partition overlaps the old one.
            let place = place.map(Partition::range);
            let place = place.filter(|place| overlap(place, &range));
            match (self.wish.files, over) {
                (None, _) => {
                    self.row(
                        &old.name,
                        range,
                        RangeAction::Ask,
                        sentence!("flash.row-ask"),
                    );
                    conflicts.push(sentence!("flash.conflict-in", what => what, name = format!("{:?}", old.name), place => now, then => then));
                }
                (Some(FilesFate::Keep), Some(file)) => {
                    return Err(Error::Refused(Box::new(FlashRefusal {
                        what: file,
                        expected: sentence!("flash.x-nothing-there", place => now, what => what),
                        found: sentence!("flash.f-goes-there"),
                        hint: Some(sentence!("flash.copy-first")),
                    })));
                }
                (Some(FilesFate::Keep), None) => {
                    let why = sentence!("flash.row-but", what => what, place => now, then => then);
                    self.row(&old.name, place.unwrap_or(range), RangeAction::Keep, why);
                }
                (Some(FilesFate::Replace), _) => {
                    self.make_way(old, table, place.is_some() && !stays);
                }
            }
        }
        if !conflicts.is_empty() {
            self.layout.conflict = Some(conflicts);
        }
        Ok(())
    }

    /// Erases the board's content in `old`. `is_told`: the row of the new partition already mentions it.
    fn make_way(&mut self, old: &Partition, table: &[Partition], is_told: bool) {
        let spared: Vec<Range<u64>> = table
            .iter()
            .filter(|new| new.purpose() == Use::Settings)
            .map(Partition::range)
            .collect();
        self.erase(&old.name, old.range(), &spared);
        if !is_told {
            self.row(
                &old.name,
                old.range(),
                RangeAction::Erase,
                "--files replace".into(),
            );
        }
    }

    /// The name of a foreign part that goes into `range` and is not in flash yet.
    fn goes_into(&mut self, range: &Range<u64>) -> Result<Option<Sentence>, Error> {
        for &index in &self.foreign {
            if let Some(part) = self.layout.parts.get(index)
                && overlap(&part.range(), range)
                && !self.look.holds(part.offset, &part.data)?
            {
                return Ok(Some(part.name.clone()));
            }
        }
        Ok(None)
    }

    /// Whether the new firmware would not find the content of `old`, or something overwrites it.
    fn is_in_danger(&mut self, old: &Partition, written: bool) -> Result<bool, Error> {
        let range = old.range();
        let stays = self
            .new
            .unwrap_or(self.old)
            .iter()
            .any(|new| new.range() == range && new.purpose() == old.purpose());
        // If the firmware brings its own file system to the same place, the user's choice is already applied.
        let is_decided = self
            .layout
            .parts
            .iter()
            .any(|part| part.offset == old.offset);
        Ok(!(stays && (!written || is_decided)) && !self.look.is_blank(range)?)
    }
}

/// Why the board's files stay.
fn kept_files() -> Sentence {
    sentence!("flash.kept-files")
}

/// Why the board's settings stay.
fn kept_settings() -> Sentence {
    sentence!("flash.kept-settings")
}

/// The number of bytes that identify a file system.
const HEAD: u32 = 0x1000;

/// Identifies the file system that begins with `head`, if it is a known one.
#[must_use]
pub fn file_system(head: &[u8]) -> Option<&'static str> {
    // LittleFS: the superblock's name after its metadata tag (littlefs SPEC.md); in the second block if the first one
    // is being rewritten. FAT: the boot sector's signature and its jump instruction.
    if head.get(8..16) == Some(b"littlefs") {
        Some("LittleFS")
    } else if head.get(510..512) == Some(&[0x55, 0xaa])
        && head
            .first()
            .is_some_and(|&byte| byte == 0xeb || byte == 0xe9)
    {
        Some("FAT")
    } else {
        None
    }
}

/// The size of the `LittleFS` file system that begins with `bytes`; `None` if it is not one.
///
/// In its superblock, a tag, the version, the block size and the block count follow the name (littlefs SPEC.md).
pub(super) fn littlefs_len(bytes: &[u8]) -> Option<u64> {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
    };
    (bytes.get(8..16)? == b"littlefs").then_some(())?;
    word(24)?.checked_mul(word(28)?)
}

/// Whether `head` is the beginning of a settings page, by its state: active, full or being freed (ESP-IDF's
/// `nvs_page.hpp`).
fn is_settings(head: &[u8]) -> bool {
    matches!(head, [0xfe | 0xfc | 0xf8, 0xff, 0xff, 0xff, ..])
}

/// The font at `offset` and its size.
///
/// # Errors
/// udpcli cannot read the board's flash.
pub(super) fn find_font(
    look: &mut dyn FlashReader,
    offset: u32,
) -> Result<Option<(font::FontFormat, u32)>, Error> {
    let head = look.peek(offset, font::HEAD)?;
    Ok(match font::extent(&head) {
        None => None,
        Some((kind, font::Extent::Bytes(size))) => Some((kind, size)),
        Some((kind, font::Extent::Entry(entry))) => {
            let bytes = look.peek(offset.saturating_add(entry), ENTRY)?;
            font::glyph_end(&bytes).map(|size| (kind, size))
        }
    })
}

/// The size of a glyph's entry.
const ENTRY: u32 = 6;

/// Whether two ranges have a byte in common.
fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The parts of `range` outside of `taken`.
fn without(range: Range<u64>, taken: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut left = vec![range];
    for taken in taken {
        left = left
            .into_iter()
            .flat_map(|range| {
                let before = range.start..range.end.min(taken.start);
                let after = range.start.max(taken.end)..range.end;
                if overlap(&range, taken) {
                    [before, after]
                } else {
                    [range, 0..0]
                }
            })
            .filter(|range| range.start < range.end)
            .collect();
    }
    left
}
