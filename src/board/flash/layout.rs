//! What happens to each part of flash, decided before a byte is written: written, kept or erased, and why.

pub mod rows;

use std::ops::Range;

use espflash::target::Chip;

use super::error::{Error, Refusal};
use super::firmware;
use super::font;
use super::image::{self, Image, Partition, Use};
use super::pieces::{BOOTLOADER, FONT, Piece, Role, TABLE};
use super::write::Part;
use crate::text::sentence::{Sentence, sentence};

/// What is to become of the files on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// They stay.
    Keep,
    /// They make way for the ones that the firmware brings, or for an empty file system.
    Replace,
}

/// What the user wants besides the files to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayoutRequest {
    /// What is to become of the board's files; none: they stay, unless both cannot be had.
    pub files: Option<Files>,
    /// The whole flash is erased first.
    pub erase_all: bool,
}

/// What is done with a part of flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It gets new content.
    Write,
    /// It stays as it is.
    Keep,
    /// It becomes blank.
    Erase,
    /// The user has to say.
    Ask,
}

/// A part of flash, and what is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The partition's name, or what it is; not to be trusted on a terminal.
    pub label: String,
    /// Where it begins.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// What is done with it.
    pub action: Action,
    /// Why, or from which file; not to be trusted on a terminal.
    pub why: Sentence,
}

impl Row {
    /// The part of flash that it tells of.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + u64::from(self.size)
    }
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The parts of flash, by offset.
    pub rows: Vec<Row>,
    /// What is written.
    pub parts: Vec<Part>,
    /// What is erased besides.
    pub erase: Vec<Erase>,
    /// What the user should know besides.
    pub notes: Vec<Sentence>,
    /// Why the user has to choose with `--files`; nothing may be written then.
    pub conflict: Option<Vec<Sentence>>,
}

/// A part of flash to erase: whole sectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erase {
    /// What to call it in messages.
    pub label: String,
    /// Where it begins.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

/// The flash of the board as it is now.
pub trait Look {
    /// Whether all of it is as erasing leaves it.
    ///
    /// # Errors
    /// The line or the chip fails.
    fn is_blank(&mut self, range: Range<u64>) -> Result<bool, Error>;

    /// Whether these bytes are at `offset` already.
    ///
    /// # Errors
    /// As [`Look::is_blank`].
    fn holds(&mut self, offset: u32, bytes: &[u8]) -> Result<bool, Error>;

    /// The first `len` bytes at `offset`.
    ///
    /// # Errors
    /// As [`Look::is_blank`].
    fn peek(&mut self, offset: u32, len: u32) -> Result<Vec<u8>, Error>;
}

/// What is in each part of the flash now, by its partition table. `firmware` is what its application says of itself.
///
/// # Errors
/// The board cannot be looked at.
pub fn contents(
    table: &[Partition],
    firmware: Option<&str>,
    look: &mut dyn Look,
) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    let mut add = |label: &str, offset: u32, size: u32, why: Sentence| {
        rows.push(Row {
            label: label.to_owned(),
            offset,
            size,
            action: Action::Keep,
            why,
        });
    };
    let boot = Chip::Esp32.boot_address();
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

/// Decides what is done with `pieces` on a board whose partition table is `old`.
///
/// # Errors
/// The board cannot be looked at, or the user wants what cannot be.
pub fn plan(
    pieces: Vec<Piece>,
    old: Option<&[Partition]>,
    wish: LayoutRequest,
    look: &mut dyn Look,
) -> Result<Layout, Error> {
    let new = pieces
        .iter()
        .find(|piece| piece.role == Role::Table)
        .and_then(|piece| image::partitions(&piece.data));
    let mut planner = Planner {
        old: old.unwrap_or_default(),
        new: new.as_deref(),
        wish,
        look,
        layout: Layout::default(),
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
    old: &'a [Partition],
    /// The table that comes with the firmware.
    new: Option<&'a [Partition]>,
    wish: LayoutRequest,
    look: &'a mut dyn Look,
    layout: Layout,
    /// What is written, in whole sectors.
    taken: Vec<Range<u64>>,
    /// Which of the parts are not the content of one of the board's partitions that the user has named.
    foreign: Vec<usize>,
}

impl Planner<'_> {
    /// Whether nothing on the board could start an application.
    fn has_no_boot_loader(&mut self) -> Result<bool, Error> {
        // Only the ESP32 is written to.
        let first = self.look.peek(Chip::Esp32.boot_address(), 4)?;
        Ok(self.wish.erase_all || first.first() != Some(&image::MAGIC))
    }

    fn row(&mut self, label: &str, range: Range<u64>, action: Action, why: Sentence) {
        let bytes = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.layout.rows.push(Row {
            label: label.to_owned(),
            offset: bytes(range.start),
            size: bytes(range.end - range.start),
            action,
            why,
        });
    }

    fn write(&mut self, piece: Piece, why: Sentence) {
        self.taken.push(piece.sectors());
        let is_own = piece.is_asked_for
            && self
                .partition_at(piece.offset)
                .is_some_and(|partition| piece.range().end <= partition.range().end);
        if !is_own {
            self.foreign.push(self.layout.parts.len());
        }
        self.row(&piece.label, piece.range(), Action::Write, why);
        self.layout.parts.push(Part {
            name: piece.name(),
            offset: piece.offset,
            data: piece.data,
        });
    }

    /// Erases what of `range` is neither written nor in `spared`.
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
    fn partition_range(&self, piece: &Piece) -> Range<u64> {
        self.partition_at(piece.offset)
            .map_or(piece.range(), Partition::range)
    }

    fn piece(&mut self, mut piece: Piece) -> Result<(), Error> {
        // Without a table of the firmware's own, the board's says what it is.
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
                // A partition that was not there before has nothing to keep. The table may be what an interrupted run
                // has damaged.
                let known = |old: &Partition| old.offset == piece.offset;
                let stays = if self.old.is_empty() {
                    is_settings(&self.look.peek(piece.offset, 4)?)
                } else {
                    self.old.iter().any(known) && !self.look.is_blank(piece.range())?
                };
                if stays {
                    let range = self.partition_range(&piece);
                    self.row(&piece.label, range, Action::Keep, kept_settings());
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

    /// A file system that comes with the firmware.
    fn files(&mut self, piece: Piece, from: Sentence) -> Result<(), Error> {
        let range = self.partition_range(&piece);
        let has_files = self.has_files(&range)?;
        if has_files && self.wish.files != Some(Files::Replace) {
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
            self.row(&piece.label, range, Action::Keep, kept_files());
            return Ok(());
        }
        let why = if has_files {
            sentence!("flash.row-make-way", from => from)
        } else {
            sentence!("flash.row-none", from => from)
        };
        let (label, end) = (piece.label.clone(), piece.sectors().end);
        self.write(piece, why);
        if end < range.end {
            self.erase(&label, end..range.end, &[]);
        }
        Ok(())
    }

    /// Whether the board has files in `range`, where the new firmware has its own.
    fn has_files(&mut self, range: &Range<u64>) -> Result<bool, Error> {
        let known = self
            .old
            .iter()
            .any(|old| old.purpose() == Use::Files && old.range().start == range.start);
        if known {
            return Ok(!self.look.is_blank(range.clone())?);
        }
        // The table may be what an interrupted run has damaged.
        let start = u32::try_from(range.start).unwrap_or(u32::MAX);
        Ok(self.old.is_empty() && file_system(&self.look.peek(start, HEAD)?).is_some())
    }

    /// What no piece is written to.
    fn rest(&mut self, writes_firmware: bool) -> Result<(), Error> {
        if self.wish.erase_all {
            self.all_erased();
            return Ok(());
        }
        self.conflicts()?;
        let replaces = self.wish.files == Some(Files::Replace);
        for partition in self.new.unwrap_or(self.old) {
            let range = partition.range();
            if self.is_told(partition) {
                continue;
            }
            let (action, why) = match partition.purpose() {
                Use::App => (Action::Keep, sentence!("flash.row-not-in-file")),
                Use::Settings => (Action::Keep, kept_settings()),
                Use::Files if replaces => (Action::Erase, sentence!("flash.row-empty-one")),
                Use::Files => (Action::Keep, kept_files()),
                // It could have the chip start another application than the one that was just written.
                Use::AppChoice if writes_firmware && self.new.is_some() => {
                    (Action::Erase, sentence!("flash.row-so-that"))
                }
                Use::AppChoice | Use::Other => (Action::Keep, "".into()),
            };
            if action == Action::Erase {
                self.erase(&partition.name, range.clone(), &[]);
            }
            self.row(&partition.name, range, action, why);
        }
        Ok(())
    }

    /// Whether the new firmware finds a font on the board, if none is written.
    fn font(&mut self, place: &font::Place) -> Result<(), Error> {
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
                self.row(FONT, start..start + u64::from(size), Action::Keep, "".into());
            }
            _ => self.layout.notes.push(sentence!("flash.no-font", who => place.who.clone(), at = format!("{:#x}", place.offset))),
        }
        Ok(())
    }

    /// Whether a row says already what becomes of `partition`: of all of it, or of what is written there.
    fn is_told(&self, partition: &Partition) -> bool {
        let range = partition.range();
        self.taken.iter().any(|taken| overlap(taken, &range))
            || self.layout.rows.iter().any(|row| {
                let same = row.offset == partition.offset && row.size == partition.size;
                same || row.action == Action::Ask && overlap(&row.range(), &range)
            })
    }

    fn all_erased(&mut self) {
        for partition in self.new.unwrap_or(self.old) {
            if !self.is_told(partition) {
                self.row(
                    &partition.name,
                    partition.range(),
                    Action::Erase,
                    "--erase-all".into(),
                );
            }
        }
    }

    /// What the board keeps somewhere else than the new firmware will look for it, or where something else goes.
    fn conflicts(&mut self) -> Result<(), Error> {
        let table = self.new.unwrap_or(self.old);
        let mut conflicts = Vec::new();
        for old in self.old {
            let range = old.range();
            // The radio's calibration is made anew by itself.
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
                    place = rows::place(place.offset, place.size)
                ),
                (None, _) => sentence!("flash.row-no-such"),
            };
            // One row for both, where the new one lies over the old one.
            let place = place.map(Partition::range);
            let place = place.filter(|place| overlap(place, &range));
            match (self.wish.files, over) {
                (None, _) => {
                    self.row(&old.name, range, Action::Ask, sentence!("flash.row-ask"));
                    conflicts.push(sentence!("flash.conflict-in", what => what, name = format!("{:?}", old.name), place = now, then => then));
                }
                (Some(Files::Keep), Some(file)) => {
                    return Err(Error::Refused(Box::new(Refusal {
                        what: file.into(),
                        expected: sentence!("flash.x-nothing-there", place = now, what => what),
                        found: sentence!("flash.f-goes-there"),
                        hint: Some(sentence!("flash.copy-first")),
                    })));
                }
                (Some(Files::Keep), None) => {
                    let why = sentence!("flash.row-but", what => what, place = now, then => then);
                    self.row(&old.name, place.unwrap_or(range), Action::Keep, why);
                }
                (Some(Files::Replace), _) => self.make_way(old, table, place.is_some() && !stays),
            }
        }
        if !conflicts.is_empty() {
            self.layout.conflict = Some(conflicts);
        }
        Ok(())
    }

    /// Erases what the board has in `old`. `is_told`: the row of the new partition tells it.
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
                Action::Erase,
                "--files replace".into(),
            );
        }
    }

    /// The name of a foreign part that goes into `range` and is not there yet.
    fn goes_into(&mut self, range: &Range<u64>) -> Result<Option<String>, Error> {
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

    /// Whether the new firmware would not find what the board has in `old`, or something else goes over it.
    fn is_in_danger(&mut self, old: &Partition, written: bool) -> Result<bool, Error> {
        let range = old.range();
        let stays = self
            .new
            .unwrap_or(self.old)
            .iter()
            .any(|new| new.range() == range && new.purpose() == old.purpose());
        // A file system that comes with the firmware goes where the old one was: that has been decided already.
        let is_decided = self
            .layout
            .parts
            .iter()
            .any(|part| part.offset == old.offset);
        Ok(!(stays && (!written || is_decided)) && !self.look.is_blank(range)?)
    }
}

fn kept_files() -> Sentence {
    sentence!("flash.kept-files")
}

fn kept_settings() -> Sentence {
    sentence!("flash.kept-settings")
}

/// So much of a file system says what it is.
const HEAD: u32 = 0x1000;

/// What file system begins with `head`, if it is a known one.
#[must_use]
pub fn file_system(head: &[u8]) -> Option<&'static str> {
    // LittleFS: the superblock's name, behind its metadata tag (littlefs SPEC.md); in the second block if the first is
    // being written. FAT: the boot sector's signature, and a jump.
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

/// How many bytes a `LittleFS` file system has that begins with `bytes`; none if it is none.
///
/// Its superblock has, behind the name: a tag, the version, the size of a block, their number (littlefs SPEC.md).
pub(super) fn littlefs_len(bytes: &[u8]) -> Option<u64> {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
    };
    (bytes.get(8..16)? == b"littlefs").then_some(())?;
    word(24)?.checked_mul(word(28)?)
}

/// Whether `head` begins a page of settings, by its state: in use, full or being emptied (ESP-IDF's `nvs_page.hpp`).
fn is_settings(head: &[u8]) -> bool {
    matches!(head, [0xfe | 0xfc | 0xf8, 0xff, 0xff, 0xff, ..])
}

/// The font at `offset`, and how large it is.
///
/// # Errors
/// The board cannot be looked at.
pub(super) fn find_font(
    look: &mut dyn Look,
    offset: u32,
) -> Result<Option<(font::Kind, u32)>, Error> {
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

/// The length of a glyph's entry.
const ENTRY: u32 = 6;

fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}

/// What is left of `range` without `taken`.
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
