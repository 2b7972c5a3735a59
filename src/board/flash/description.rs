//! What is in a board, told.

use serde_json::json;

use super::check::megabytes;
use super::chip::{ChipInfo, name};
use super::image::Partition;
use super::layout::{Row, rows};

/// What is in a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The chip and its flash.
    pub chip: ChipInfo,
    /// Its partitions; none if there is no table where it should be.
    pub partitions: Option<Vec<Partition>>,
    /// What is in each part of flash.
    pub contents: Vec<Row>,
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
        if self.partitions.is_none() {
            text.push_str("partitions  none: the board is blank, or has them elsewhere\n");
        }
        if !self.contents.is_empty() {
            text.push('\n');
            text.push_str(&rows::contents(&self.contents));
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let chip = &self.chip;
        let partitions = self.partitions.as_deref().map(partitions_json);
        let contents: serde_json::Value = self
            .contents
            .iter()
            .map(|row| {
                json!({
                    "name": row.label,
                    "offset": row.offset,
                    "size": row.size,
                    "content": row.why,
                })
            })
            .collect();
        json!({
            "chip": name(chip.chip),
            "revision": format!("{}.{}", chip.revision.0, chip.revision.1),
            "mac": mac(chip.mac),
            "flash_size": chip.flash_size,
            "flash_id": chip.flash_id,
            "partitions": partitions,
            "contents": contents,
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
