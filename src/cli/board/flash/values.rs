//! The values of the flags: sizes, baud rates, chips and modes.

use clap::ValueEnum;
use espflash::target::Chip;

use crate::board::flash;
use crate::board::flash::image::FlashMode;
use crate::cli::value;
use crate::text::fullwidth::to_ascii;
use crate::text::sentence::{Sentence, sentence};

/// What to do with the board's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeepOrReplace {
    Keep,
    Replace,
}

/// How the boot loader makes the chip read its flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FlashModeArg {
    Keep,
    Dio,
    Qio,
    Dout,
    Qout,
}

impl FlashModeArg {
    /// The mode to set; `None` leaves the image's own.
    pub(super) fn wanted(self) -> Option<FlashMode> {
        match self {
            Self::Keep => None,
            Self::Dio => Some(FlashMode::Dio),
            Self::Qio => Some(FlashMode::Qio),
            Self::Dout => Some(FlashMode::Dout),
            Self::Qout => Some(FlashMode::Qout),
        }
    }
}

/// Parses a flash size in the usual notation: `8MB`, `8M`, `512KB`.
pub(super) fn flash_size(text: &str) -> Result<u32, Sentence> {
    let upper = to_ascii(text).to_ascii_uppercase();
    // `8MiB`, `8MB` and `8M` all mean 8,388,608 bytes here: a flash chip has no other kind.
    let upper = upper.trim_end_matches("IB").trim_end_matches('B');
    let bytes = match (upper.strip_suffix('M'), upper.strip_suffix('K')) {
        (Some(number), _) => number
            .parse::<u32>()
            .ok()
            .and_then(|n| n.checked_mul(1 << 20)),
        (_, Some(number)) => number
            .parse::<u32>()
            .ok()
            .and_then(|n| n.checked_mul(1 << 10)),
        _ => None,
    };
    // Flash chips have 256 KB to 128 MB.
    bytes
        .filter(|bytes| bytes.is_power_of_two() && (1 << 18..=1 << 27).contains(bytes))
        .ok_or_else(|| sentence!("flash.size-format"))
}

/// Parses a baud rate that serial adapters and the chip's stub support.
pub(super) fn flash_baud(text: &str) -> Result<u32, Sentence> {
    value::number(text, 9600..=2_000_000)
}

/// Parses the name of a chip as in Espressif's tools, with or without its hyphen.
pub(super) fn chip(text: &str) -> Result<Chip, Sentence> {
    let plain = to_ascii(text).to_lowercase().replace('-', "");
    let chip = plain.parse().ok();
    chip.filter(|chip| flash::supported().any(|known| known == *chip))
        .ok_or_else(|| {
            let chips = Sentence::verbatim_list(flash::supported());
            sentence!("flash.no-such-chip", chips <- chips)
        })
}
