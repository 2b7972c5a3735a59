//! UF2: blocks of 512 bytes, each with its address and the family of chips that it is for
//! (<https://github.com/microsoft/uf2>).

use espflash::target::Chip;

use super::super::error::Error;
use super::{Loaded, other_chip, refused};

/// The family of the ESP32.
const ESP32: u32 = 0x1c5f_21b0;

/// Other boards' families, from `utils/uf2families.json` beside the format's description.
const FAMILIES: [(u32, &str); 15] = [
    (0xe48b_ff56, "RP2040 (Raspberry Pi Pico)"),
    (0xe48b_ff59, "RP2350 (Raspberry Pi Pico 2)"),
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

/// Puts the blocks together.
pub(super) fn uf2(name: &str, bytes: &[u8], chip: Chip) -> Result<Vec<Loaded>, Error> {
    let word = |block: &[u8], at: usize| {
        let bytes = block
            .get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    };
    let mut parts: Vec<Loaded> = Vec::new();
    for block in bytes.chunks(512) {
        let (flags, address, len) = (word(block, 8), word(block, 12), word(block, 16) as usize);
        let whole = block.len() == 512 && block.starts_with(b"UF2\n") && len <= 476;
        let Some(data) = block.get(32..32 + len).filter(|_| whole) else {
            return Err(refused(name, "whole blocks of UF2", "a damaged one"));
        };
        // Flags: not for flash; the family is known.
        if flags & 1 != 0 {
            continue;
        }
        let family = word(block, 28);
        if flags & 0x2000 != 0 && chip == Chip::Esp32 && family != ESP32 {
            let known = FAMILIES.iter().find(|(id, _)| *id == family);
            let other = known.map_or(format!("UF2 family {family:#010x}"), |(_, chip)| {
                (*chip).to_owned()
            });
            return Err(other_chip(name, super::super::name(chip), other));
        }
        match parts.last_mut() {
            Some(part) if part.range().end == u64::from(address) => {
                part.data.extend_from_slice(data);
            }
            _ => parts.push(Loaded::placed(name, address, data.to_vec())),
        }
    }
    if parts.iter().all(|part| part.data.is_empty()) {
        return Err(refused(name, "blocks for flash", "none"));
    }
    Ok(parts)
}
