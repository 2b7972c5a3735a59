//! The description of a board: chip, partitions and content.

use serde_json::json;

use super::chip::{ChipInfo, name};
use super::image::Partition;
use super::layout::LayoutRow;
use crate::text::sentence::Sentence;

/// The chip of a board and the content of its flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The chip and its flash.
    pub(crate) chip: ChipInfo,
    /// The partitions; `None` if there is no valid table at its offset.
    pub partitions: Option<Vec<Partition>>,
    /// The content of each part of flash.
    pub contents: Vec<LayoutRow>,
}

impl Description {
    /// The description as JSON; `say` turns sentences into text.
    #[must_use]
    pub(crate) fn json(&self, say: &dyn Fn(&Sentence) -> String) -> serde_json::Value {
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

/// A MAC address as text: `24:0a:c4:12:34:56`.
#[must_use]
pub(crate) fn mac(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

/// A partition table as JSON.
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
