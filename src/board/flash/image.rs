//! What lies in firmware: ESP images and partition tables, by Espressif's *Firmware Image Format* and *Partition Tables*.

use espflash::target::Chip;
use sha2::{Digest as _, Sha256};

/// First byte of every image that the chip starts.
pub const MAGIC: u8 = 0xe9;

/// Where the partition table lies in flash, unless firmware was built otherwise.
pub const TABLE_OFFSET: u32 = 0x8000;

/// The table's length, its checksum included.
pub const TABLE_LEN: u32 = 0xc00;

/// First bytes of a partition table's entries.
const ENTRY: [u8; 2] = [0xaa, 0x50];

const HEADER: usize = 24;

/// A bootloader or an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The chip's number; none for images from before there were others.
    pub chip_id: Option<u16>,
    /// Bytes, with checksum and digest.
    pub len: usize,
    /// The flash size that a bootloader expects, in bytes.
    pub flash_size: Option<u32>,
    /// Parts of it are run in place from flash: an application, not a bootloader.
    pub is_app: bool,
    /// What is damaged, if anything is.
    pub damage: Option<&'static str>,
}

/// Why bytes are no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// They begin with something else.
    Magic(Option<u8>),
    /// They end too early: so many are needed.
    Short(usize),
}

impl Image {
    /// Reads the image at the beginning of `bytes`.
    ///
    /// # Errors
    /// It is none, or not all of it is there.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let header = bytes.get(..HEADER).unwrap_or_default();
        let &[
            magic,
            segments,
            _,
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
            return Err(Problem::Magic(bytes.first().copied()));
        };
        // More than sixteen segments, the boot loaders refuse.
        if magic != MAGIC || segments == 0 || segments > 16 {
            return Err(Problem::Magic(Some(magic)));
        }
        let chip_id = u16::from_le_bytes([chip_low, chip_high]);
        let chip = Chip::try_from(chip_id).unwrap_or(Chip::Esp32);
        let mut at = HEADER;
        let mut checksum = 0xef;
        let mut is_app = false;
        for _ in 0..segments {
            let (address, len) = (word(bytes, at), word(bytes, at + 4));
            let (Some(address), Some(len)) = (address, len) else {
                return Err(Problem::Short(at + 8));
            };
            is_app |= chip.addr_is_flash(address);
            let end = (at + 8).saturating_add(len as usize);
            let data = bytes.get(at + 8..end).ok_or(Problem::Short(end))?;
            checksum = data.iter().fold(checksum, |sum, byte| sum ^ byte);
            at = end;
        }
        // The checksum is the last byte of a line of sixteen; the digest follows.
        let end = (at + 1).next_multiple_of(16);
        let sum = *bytes.get(end - 1).ok_or(Problem::Short(end))?;
        let len = if has_digest == 1 { end + 32 } else { end };
        let digest = bytes.get(end..len).ok_or(Problem::Short(len))?;
        let body = bytes.get(..end).unwrap_or_default();
        let damage = if sum != checksum {
            Some("checksum")
        // Tools that set a bootloader's flash size leave its digest as it was, and nothing looks at it.
        } else if is_app && has_digest == 1 && Sha256::digest(body).as_slice() != digest {
            Some("SHA-256")
        } else {
            None
        };
        Ok(Self {
            chip_id: (chip_id != 0xffff).then_some(chip_id),
            len,
            flash_size: 0x10_0000_u32
                .checked_shl(u32::from(size_and_speed >> 4))
                .filter(|_| size_and_speed >> 4 <= 7),
            is_app,
            damage,
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its label; as the table has it, so not to be trusted on a terminal.
    pub name: String,
    /// 0 is an application, 1 data.
    pub kind: u8,
    /// What of its kind.
    pub subtype: u8,
    /// Where it begins in flash.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

impl Partition {
    /// Its kind in words, as Espressif's tools call it.
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

/// Reads a partition table; none if the bytes are no such thing.
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
