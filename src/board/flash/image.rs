//! Reads ESP images and partition tables, as Espressif's *Firmware Image Format* and *Partition Tables* describe them.

use std::ops::Range;

use espflash::target::Chip;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::write::SECTOR;
use crate::text::sentence::{Sentence, sentence};

/// The first byte of every image that the chip starts.
pub(crate) const MAGIC: u8 = 0xe9;

/// The offset of the partition table in flash, unless the firmware was built with another one.
pub(crate) const TABLE_OFFSET: u32 = 0x8000;

/// The table's length with its checksum.
pub(crate) const TABLE_LEN: u32 = 0xc00;

/// The first bytes of each entry in a partition table.
const ENTRY: [u8; 2] = [0xaa, 0x50];

// 8 bytes as for the ESP8266, and the extended header of 16 bytes that the ESP32 brought (*Firmware Image Format*).
/// The length of an image's header.
const HEADER: usize = 24;

/// A boot loader or an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The chip ID; `None` for images from before there were several chips.
    pub(crate) chip_id: Option<u16>,
    /// The length in bytes, with checksum and digest.
    pub len: usize,
    /// The flash size that a boot loader expects, in bytes.
    pub(crate) flash_size: Option<u32>,
    /// How a boot loader makes the chip read its flash; `None` if the number in the header is unknown.
    pub(crate) flash_mode: Option<FlashMode>,
    /// The chip runs parts of it directly from flash: it is an application, not a boot loader.
    pub(crate) is_app: bool,
    /// The check that failed, if one did.
    pub(crate) damage: Option<&'static str>,
}

/// How many data lines connect chip and flash, and what they carry: the third byte of an image's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlashMode {
    /// Four lines for address and data.
    Qio,
    /// Four lines for data.
    Qout,
    /// Two lines for address and data.
    Dio,
    /// Two lines for data.
    Dout,
}

impl FlashMode {
    /// All modes, in the order of their numbers in the header.
    const ALL: [Self; 4] = [Self::Qio, Self::Qout, Self::Dio, Self::Dout];

    /// The mode's name in Espressif's tools.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Qio => "QIO",
            Self::Qout => "QOUT",
            Self::Dio => "DIO",
            Self::Dout => "DOUT",
        }
    }

    /// Whether the mode needs all four data lines of the flash chip connected, and a flash chip that is configured for
    /// it.
    #[must_use]
    pub(crate) fn is_quad(self) -> bool {
        matches!(self, Self::Qio | Self::Qout)
    }
}

/// Why bytes are not an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageProblem {
    /// The bytes begin with this other byte, or are empty.
    Magic(Option<u8>),
    /// The bytes end too early: a complete image has at least this many bytes.
    Short(usize),
}

impl Image {
    /// Reads the image at the beginning of `bytes`.
    ///
    /// # Errors
    /// The bytes are not an image, or not a complete one.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageProblem> {
        let header = bytes.get(..HEADER).unwrap_or_default();
        let &[
            magic,
            segments,
            mode,
            size_and_speed,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            chip_low,
            chip_high,
            ..,
            has_digest,
        ] = header
        else {
            return Err(ImageProblem::Magic(bytes.first().copied()));
        };
        // The boot loaders refuse more than sixteen segments.
        if magic != MAGIC || segments == 0 || segments > 16 {
            return Err(ImageProblem::Magic(Some(magic)));
        }
        let chip_id = u16::from_le_bytes([chip_low, chip_high]);
        let chip = Chip::try_from(chip_id).unwrap_or(Chip::Esp32);
        let mut at = HEADER;
        // The seed of the checksum (`ESP_CHECKSUM_MAGIC`).
        let mut checksum = 0xef;
        let mut is_app = false;
        for _ in 0..segments {
            let (address, len) = (word(bytes, at), word(bytes, at + 4));
            let (Some(address), Some(len)) = (address, len) else {
                return Err(ImageProblem::Short(at + 8));
            };
            is_app |= chip.addr_is_flash(address);
            let end = (at + 8).saturating_add(len as usize);
            let data = bytes.get(at + 8..end).ok_or(ImageProblem::Short(end))?;
            checksum = data.iter().fold(checksum, |sum, byte| sum ^ byte);
            at = end;
        }
        // The checksum is the last byte of a 16-byte row; the digest follows.
        let end = (at + 1).next_multiple_of(16);
        let sum = *bytes.get(end - 1).ok_or(ImageProblem::Short(end))?;
        let len = if has_digest == 1 { end + 32 } else { end };
        let digest = bytes.get(end..len).ok_or(ImageProblem::Short(len))?;
        let body = bytes.get(..end).unwrap_or_default();
        let damage = if sum != checksum {
            Some("checksum")
        // Tools that set a boot loader's flash size do not update its digest, and nothing checks it there.
        } else if is_app && has_digest == 1 && Sha256::digest(body).as_slice() != digest {
            Some("SHA-256")
        } else {
            None
        };
        Ok(Self {
            // Images from before there were several chips have 0xffff there.
            chip_id: (chip_id != 0xffff).then_some(chip_id),
            len,
            flash_size: 0x10_0000_u32
                .checked_shl(u32::from(size_and_speed >> 4))
                .filter(|_| size_and_speed >> 4 <= 7),
            flash_mode: FlashMode::ALL.get(usize::from(mode)).copied(),
            is_app,
            damage,
        })
    }
}

/// The flash mode in a boot loader's header.
pub(super) fn flash_mode(header: &[u8]) -> Option<FlashMode> {
    FlashMode::ALL.get(usize::from(*header.get(2)?)).copied()
}

/// Sets the flash mode of a boot loader and recalculates its digest. Does nothing if the bytes do not begin with an
/// image.
pub(crate) fn set_flash_mode(bytes: &mut [u8], mode: FlashMode) {
    let Ok(image) = Image::parse(bytes) else {
        return;
    };
    let number = FlashMode::ALL.iter().position(|known| *known == mode);
    if let (Some(byte), Some(number)) =
        (bytes.get_mut(2), number.and_then(|n| u8::try_from(n).ok()))
    {
        *byte = number;
    }
    // The checksum covers only the segments.
    if bytes.get(HEADER - 1) == Some(&1)
        && let Some((body, digest)) = bytes
            .get_mut(..image.len)
            .and_then(|image| image.split_last_chunk_mut::<32>())
    {
        *digest = Sha256::digest(body).into();
    }
}

/// The range of the first segment's data; `None` if the bytes do not begin with an image. The range may end beyond the
/// bytes.
pub(super) fn first_segment(bytes: &[u8]) -> Option<Range<usize>> {
    (bytes.first() == Some(&MAGIC)).then_some(())?;
    let len = word(bytes, HEADER + 4)? as usize;
    let start = HEADER + 8;
    Some(start..start.saturating_add(len))
}

/// A number of 32 bits.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// The use of a partition, which decides whether its content stays when udpcli writes other firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// An application.
    App,
    /// The selection of the application to start; it belongs to the firmware.
    AppChoice,
    /// Files: FAT, SPIFFS or `LittleFS`.
    Files,
    /// The board's settings: names, passwords, calibration.
    Settings,
    /// Data that belongs to the firmware, or that only the firmware understands.
    Other,
}

/// An entry of the partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its label, unchanged from the table: escape it before you print it.
    pub name: String,
    /// The type: 0 is an application, 1 is data.
    pub(crate) kind: u8,
    /// The subtype.
    pub(crate) subtype: u8,
    /// Where it begins in flash.
    pub(crate) offset: u32,
    /// Its size in bytes.
    pub(crate) size: u32,
}

impl Partition {
    /// The range of flash that it occupies.
    #[must_use]
    pub(crate) fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + u64::from(self.size)
    }

    /// The partition's use. The numbers are those of ESP-IDF's `esp_partition_subtype_t`.
    #[must_use]
    pub(crate) fn purpose(&self) -> Use {
        match (self.kind, self.subtype) {
            (0, _) => Use::App,
            (1, 0x00) => Use::AppChoice,
            // Radio calibration, key-value settings, and the keys that encrypt them.
            (1, 0x01 | 0x02 | 0x04) => Use::Settings,
            (1, 0x81..=0x83) => Use::Files,
            _ => Use::Other,
        }
    }

    /// The type's name in Espressif's tools.
    #[must_use]
    pub fn describe(&self) -> String {
        let name = match (self.kind, self.subtype) {
            (0, 0x00) => "app factory",
            (0, 0x20) => "app test",
            (0, ota @ 0x10..=0x1f) => return format!("app ota_{}", ota - 0x10),
            (0, _) => "app",
            (1, 0x00) => "data ota",
            (1, 0x01) => "data phy",
            (1, 0x02) => "data nvs",
            (1, 0x03) => "data coredump",
            (1, 0x04) => "data nvs_keys",
            (1, 0x81) => "data fat",
            (1, 0x82) => "data spiffs",
            (1, 0x83) => "data littlefs",
            (1, _) => "data",
            (kind, subtype) => return format!("{kind:#04x} {subtype:#04x}"),
        };
        name.to_owned()
    }
}

/// What is wrong with a partition table that [`partitions`] can read; `None` if nothing is.
///
/// If partitions overlap, or overlap the table itself, udpcli cannot know which content to keep.
#[must_use]
pub(crate) fn table_damage(table: &[u8], partitions: &[Partition]) -> Option<Sentence> {
    /// The first bytes of the entry with the MD5 of all entries before it (ESP-IDF's `gen_esp32part.py`).
    const MD5_ENTRY: [u8; 2] = [0xeb, 0xeb];
    let entries = partitions.len() * 32;
    if let Some(last) = table.get(entries..entries + 32)
        && last.starts_with(&MD5_ENTRY)
        && last.get(16..) != Some(Md5::digest(table.get(..entries)?).as_slice())
    {
        return Some(sentence!("flash.table-md5"));
    }
    let mut ranges: Vec<Range<u64>> = partitions.iter().map(Partition::range).collect();
    ranges.sort_by_key(|range| range.start);
    // The table has a sector of its own.
    let first = u64::from(TABLE_OFFSET + SECTOR);
    if ranges.first().is_some_and(|range| range.start < first)
        || ranges
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.end > b.start))
    {
        return Some(sentence!("flash.table-overlap"));
    }
    None
}

/// Reads a partition table; `None` if the bytes are not one.
#[must_use]
pub fn partitions(table: &[u8]) -> Option<Vec<Partition>> {
    let mut partitions = Vec::new();
    for entry in table.chunks_exact(32).take(TABLE_LEN as usize / 32) {
        if !entry.starts_with(&ENTRY) {
            break;
        }
        let (&[_, _, kind, subtype], name) = (entry.first_chunk()?, entry.get(12..28)?);
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        partitions.push(Partition {
            name: String::from_utf8_lossy(name).into_owned(),
            kind,
            subtype,
            offset: word(entry, 4)?,
            size: word(entry, 8)?,
        });
    }
    (!partitions.is_empty()).then_some(partitions)
}
