//! Examines the board's flash. It compares MD5 digests if possible, because reading the content over the serial line is
//! slow.

use std::ops::Range;

use espflash::target::Chip;
use md5::{Digest as _, Md5};

use super::FlashObserver;
use super::error::Error;
use super::firmware::{self, Firmware};
use super::image::{self, Partition, TABLE_LEN, TABLE_OFFSET};
use super::layout::FlashReader;
use super::read;
use super::session::FlashSession;
use super::write::{SECTOR, blank_digest, digest_of};
use crate::text::sentence::{Sentence, sentence};

/// What udpcli was doing, for an error.
fn doing() -> Sentence {
    sentence!("flash.doing-looking")
}

/// The flash of the board in `session`.
pub(super) struct Looking<'s, 'a> {
    /// The chip.
    pub(super) session: &'s mut FlashSession<'a>,
    /// Receives the progress.
    pub(super) report: &'s mut dyn FlashObserver,
}

impl FlashReader for Looking<'_, '_> {
    fn boot_address(&self) -> u32 {
        let chip = self.session.chip.as_ref().map(|info| info.chip);
        chip.unwrap_or(Chip::Esp32).boot_address()
    }

    fn is_blank(&mut self, range: Range<u64>) -> Result<bool, Error> {
        // Used flash almost always shows in the first sector, and hashing 2 MB takes a second.
        let first = range.start..range.end.min(range.start + u64::from(SECTOR));
        Ok(is_blank(self, first)? && is_blank(self, range)?)
    }

    fn holds(&mut self, offset: u32, bytes: &[u8]) -> Result<bool, Error> {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let digest = digest_of(self.session, offset, len, &doing(), self.report)?;
        Ok(digest == <[u8; 16]>::from(Md5::digest(bytes)))
    }

    fn peek(&mut self, offset: u32, len: u32) -> Result<Vec<u8>, Error> {
        // The stub refuses to read beyond the end of flash.
        let size = self.session.chip.as_ref().map_or(0, |chip| chip.flash_size);
        let Some(len) = size
            .checked_sub(offset)
            .map(|left| len.min(left))
            .filter(|&len| len > 0)
        else {
            return Ok(Vec::new());
        };
        read::read(self.session, offset, len, &doing(), self.report)
    }
}

/// Whether a range is erased, by its digest.
fn is_blank(looking: &mut Looking<'_, '_>, range: Range<u64>) -> Result<bool, Error> {
    // Beyond the end of flash there is nothing to compare.
    let size = looking
        .session
        .chip
        .as_ref()
        .map_or(0, |chip| chip.flash_size);
    let end = u32::try_from(range.end).unwrap_or(u32::MAX).min(size);
    let start = u32::try_from(range.start).unwrap_or(u32::MAX);
    let Some(len) = end.checked_sub(start).filter(|&len| len > 0) else {
        return Ok(true);
    };
    let digest = digest_of(looking.session, start, len, &doing(), looking.report)?;
    Ok(digest == blank_digest(len))
}

/// The board's partition table; `None` if it has none. `new` is the table to be written, if there is one: usually the
/// board has it already, or the flash is blank, and a digest shows both without a read.
pub(super) fn table(
    session: &mut FlashSession<'_>,
    new: Option<&[u8]>,
    report: &mut dyn FlashObserver,
) -> Result<Option<Vec<Partition>>, Error> {
    if let Some(new) = new {
        let mut padded = new.to_vec();
        // What a file leaves out of the table is erased in flash.
        padded.resize(TABLE_LEN as usize, 0xff);
        let digest = digest_of(session, TABLE_OFFSET, TABLE_LEN, &doing(), report)?;
        if digest == <[u8; 16]>::from(Md5::digest(&padded)) {
            return Ok(image::partitions(&padded));
        }
        if digest == blank_digest(TABLE_LEN) {
            return Ok(None);
        }
    }
    read_table(session, report)
}

/// How many bytes of an application to read at once. Most applications have their banner within that.
pub(super) const PIECE: u32 = 128 << 10;

/// The firmware that the first `most` bytes of the board's application identify; `None` if they do not, or if there is
/// no application.
pub(super) fn firmware(
    session: &mut FlashSession<'_>,
    table: &[Partition],
    most: u32,
    report: &mut dyn FlashObserver,
) -> Result<Option<Firmware>, Error> {
    let Some(app) = table.iter().find(|partition| partition.kind == 0) else {
        return Ok(None);
    };
    let doing = &sentence!("flash.doing-looking-firmware");
    let mut bytes = Vec::new();
    let mut end = PIECE;
    loop {
        let at = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let Some(len) = end
            .min(app.size)
            .min(most)
            .checked_sub(at)
            .filter(|&len| len > 0)
        else {
            return Ok(firmware::identify(&bytes));
        };
        let offset = app.offset.saturating_add(at);
        bytes.extend(read::read(session, offset, len.min(PIECE), doing, report)?);
        // Strings and frozen modules are in the first segment.
        match image::first_segment(&bytes) {
            None => return Ok(None),
            Some(segment) => end = u32::try_from(segment.end).unwrap_or(u32::MAX),
        }
        let found = firmware::identify(&bytes);
        if found.as_ref().is_some_and(Firmware::is_plain) {
            return Ok(found);
        }
    }
}

/// Reads the board's partition table.
pub(super) fn read_table(
    session: &mut FlashSession<'_>,
    report: &mut dyn FlashObserver,
) -> Result<Option<Vec<Partition>>, Error> {
    let doing = &sentence!("flash.doing-reading-table");
    let table = read::read(session, TABLE_OFFSET, TABLE_LEN, doing, report)?;
    // A damaged table does not show where the partitions are.
    Ok(image::partitions(&table).filter(|found| image::table_damage(&table, found).is_none()))
}
