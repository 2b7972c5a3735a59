//! What is in a board, told.

use serde_json::json;

use super::chip::{ChipInfo, name};
use super::image::Partition;
use super::layout::Row;
use crate::text::sentence::Sentence;

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
    /// For programs; `say` has the words.
    #[must_use]
    pub fn json(&self, say: &dyn Fn(&Sentence) -> String) -> serde_json::Value {
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
                    "content": say(&row.why),
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
