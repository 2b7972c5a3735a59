//! What is in a board, told.

use std::fmt::Write as _;

use serde_json::json;

use super::check::megabytes;
use super::chip::{ChipInfo, name};
use super::image::Partition;
use crate::payload::escape;

/// What is in a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The chip and its flash.
    pub chip: ChipInfo,
    /// Its partitions; none if there is no table where it should be.
    pub partitions: Option<Vec<Partition>>,
}

impl Description {
    /// For people: a line a fact.
    #[must_use]
    pub fn text(&self) -> String {
        let chip = &self.chip;
        let mut text = format!(
            "chip        {} revision {}.{}\nmac         {}\nflash       {}, id {:#08x}\n",
            name(chip.chip),
            chip.revision.0,
            chip.revision.1,
            mac(chip.mac),
            match chip.flash_size {
                0 => "size unknown".to_owned(),
                size => megabytes(u64::from(size)),
            },
            chip.flash_id,
        );
        match &self.partitions {
            None => text.push_str("partitions  none: the board is blank, or has them elsewhere\n"),
            Some(partitions) => {
                for (index, partition) in partitions.iter().enumerate() {
                    let label = if index == 0 { "partitions" } else { "" };
                    let _ = writeln!(
                        text,
                        "{label:<11} {:#010x} {:>8} KB  {:<14} {}",
                        partition.offset,
                        partition.size >> 10,
                        partition.describe(),
                        escape::for_terminal(&partition.name),
                    );
                }
            }
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let chip = &self.chip;
        let partitions = self.partitions.as_deref().map(partitions_json);
        json!({
            "chip": name(chip.chip),
            "revision": format!("{}.{}", chip.revision.0, chip.revision.1),
            "mac": mac(chip.mac),
            "flash_size": chip.flash_size,
            "flash_id": chip.flash_id,
            "partitions": partitions,
        })
    }
}

/// `24:0a:c4:12:34:56`
#[must_use]
pub fn mac(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

/// A partition table for programs.
pub(super) fn partitions_json(partitions: &[Partition]) -> serde_json::Value {
    partitions
        .iter()
        .map(|partition| {
            json!({
                "name": partition.name,
                "type": partition.kind,
                "subtype": partition.subtype,
                "offset": partition.offset,
                "size": partition.size,
            })
        })
        .collect()
}
