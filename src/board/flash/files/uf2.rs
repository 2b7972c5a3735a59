//! Reads UF2 files: blocks of 512 bytes, each with its address and chip family (<https://github.com/microsoft/uf2>).

use espflash::target::Chip;

use super::super::error::{Error, FlashRefusal};
use super::{Loaded, ReadOptions, other_chip, refused};
use crate::text::sentence::{Sentence, sentence};

/// The family IDs of Espressif's chips, from the same list.
const CHIPS: [(u32, Chip); 9] = [
    (0x1c5f_21b0, Chip::Esp32),
    (0xbfdd_4eee, Chip::Esp32s2),
    (0xc47e_5767, Chip::Esp32s3),
    (0xd42b_a06c, Chip::Esp32c3),
    (0x2b88_d29c, Chip::Esp32c2),
    (0xf71c_0343, Chip::Esp32c5),
    (0x540d_df62, Chip::Esp32c6),
    (0x3327_26f6, Chip::Esp32h2),
    (0x3d30_8e94, Chip::Esp32p4),
];

/// The chip with this family ID.
fn chip_of(family: u32) -> Option<Chip> {
    CHIPS
        .iter()
        .find_map(|(id, chip)| (*id == family).then_some(*chip))
}

/// The chip that the first block names.
pub(super) fn own_chip(bytes: &[u8]) -> Option<Chip> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    (word(8)? & HAS_FAMILY != 0).then_some(())?;
    chip_of(word(28)?)
}

/// The family IDs of other boards, from `utils/uf2families.json` in the format's repository.
const FAMILIES: [(u32, &str); 17] = [
    (0xe48b_ff56, "RP2040 (Raspberry Pi Pico)"),
    (0xe48b_ff59, "RP2350 (Raspberry Pi Pico 2)"),
    (0x1c5f_21b0, "ESP32"),
    (0xf71c_0343, "ESP32-C5"),
    (0xbfdd_4eee, "ESP32-S2"),
    (0xc47e_5767, "ESP32-S3"),
    (0xd42b_a06c, "ESP32-C3"),
    (0x2b88_d29c, "ESP32-C2"),
    (0x540d_df62, "ESP32-C6"),
    (0x3327_26f6, "ESP32-H2"),
    (0x3d30_8e94, "ESP32-P4"),
    (0x7eab_61ed, "ESP8266"),
    (0x68ed_2b88, "SAMD21"),
    (0x5511_4460, "SAMD51"),
    (0xada5_2840, "nRF52840"),
    (0x621e_937a, "nRF52833 (micro:bit V2)"),
    (0x5775_5a57, "STM32F4"),
];

/// The first and the last bytes of every block.
const MAGIC: [u8; 8] = *b"UF2\nWQ]\x9e";
const END_MAGIC: [u8; 4] = 0x0ab1_6f30_u32.to_le_bytes();

/// Flags of a block: it is not for flash; its family ID is valid.
const NOT_FOR_FLASH: u32 = 1;
const HAS_FAMILY: u32 = 0x2000;

/// Joins the blocks.
pub(super) fn uf2(name: &str, bytes: &[u8], rules: ReadOptions) -> Result<Vec<Loaded>, Error> {
    let word = |block: &[u8], at: usize| {
        let bytes = block
            .get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    };
    let mut parts: Vec<Loaded> = Vec::new();
    for block in bytes.chunks(512) {
        let (flags, address, len) = (word(block, 8), word(block, 12), word(block, 16) as usize);
        let whole = block.starts_with(&MAGIC)
            && block.get(508..) == Some(END_MAGIC.as_slice())
            // A block has 512 bytes, less 32 of header and 4 of end magic.
            && len <= 476;
        let Some(data) = block.get(32..32 + len).filter(|_| whole) else {
            return Err(broken(name, sentence!("flash.f-damaged")));
        };
        // Some programs leave out the number of blocks.
        let count = word(block, 24) as usize;
        // Each block has the number of all blocks, so one block shows that the download ended early.
        if count > bytes.len() / 512 {
            let found = sentence!(
                "flash.f-blocks-cut",
                blocks = bytes.len() / 512,
                count = count
            );
            return Err(broken(name, found));
        }
        if flags & NOT_FOR_FLASH != 0 {
            continue;
        }
        let family = word(block, 28);
        if flags & HAS_FAMILY == 0 {
            if !rules.force {
                return Err(nameless(name, rules.chip));
            }
        } else if chip_of(family) != Some(rules.chip) {
            let known = FAMILIES.iter().find(|(id, _)| *id == family);
            let other = known.map_or(format!("UF2 family {family:#010x}"), |(_, chip)| {
                (*chip).to_owned()
            });
            return Err(other_chip(name, super::super::name(rules.chip), other));
        }
        match parts.last_mut() {
            Some(part) if part.range().end == u64::from(address) => {
                part.data.extend_from_slice(data);
            }
            _ => parts.push(Loaded::placed(name, address, data.to_vec())),
        }
    }
    if parts.iter().all(|part| part.data.is_empty()) {
        return Err(refused(
            name,
            sentence!("flash.x-blocks"),
            sentence!("flash.f-none"),
        ));
    }
    Ok(parts)
}

/// The refusal of a damaged or incomplete file.
fn broken(name: &str, found: Sentence) -> Error {
    Error::Refused(Box::new(FlashRefusal {
        what: name.into(),
        expected: sentence!("flash.x-uf2"),
        found,
        hint: Some(sentence!("flash.download-again")),
    }))
}

/// The refusal of a file without family IDs, as many older boards have.
fn nameless(name: &str, chip: Chip) -> Error {
    Error::Refused(Box::new(FlashRefusal {
        what: name.into(),
        expected: sentence!("flash.x-uf2-for", chip = super::super::name(chip)),
        found: sentence!("flash.f-nameless"),
        hint: Some(sentence!("flash.nameless-hint")),
    }))
}
