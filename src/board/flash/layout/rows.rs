//! Formats the table for people: each part of flash, its size, and what happens to it.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::super::pieces;
use super::{LayoutRow, RangeAction};
use crate::terminal::sanitize;
use crate::text::sentence::{Sentence, sentence};

impl RangeAction {
    /// The action's word in the table.
    #[must_use]
    pub(crate) fn word(self) -> Sentence {
        match self {
            Self::Write => sentence!("flash.word-write"),
            Self::Keep => sentence!("flash.word-keep"),
            Self::Erase => sentence!("flash.word-erase"),
            Self::Ask => "?".into(),
        }
    }
}

/// An offset and a size: `0x200000 (2 MB)`.
pub(super) fn place(offset: u32, size: u32) -> Sentence {
    let at = format!("{offset:#x}");
    sentence!("flash.at-size", at = at, size = self::size(size))
}

/// A size in a readable unit: `2 MB`, `1.6 MB`, `24 KB`, `68 bytes`.
#[must_use]
pub(crate) fn size(bytes: u32) -> String {
    const KB: u32 = 1 << 10;
    const MB: u32 = 1 << 20;
    match bytes {
        MB.. if bytes.is_multiple_of(MB) => format!("{} MB", bytes / MB),
        MB.. => format!("{:.1} MB", f64::from(bytes) / f64::from(MB)),
        KB.. => format!("{} KB", bytes.div_ceil(KB)),
        _ => format!("{bytes} bytes"),
    }
}

/// The rows as aligned lines, escaped for a terminal.
#[must_use]
pub fn text(rows: &[LayoutRow], say: &dyn Fn(&Sentence) -> String) -> String {
    lines(rows, say, |row| Some(say(&row.action.word())))
}

/// The rows without the column for actions.
#[must_use]
pub fn contents(rows: &[LayoutRow], say: &dyn Fn(&Sentence) -> String) -> String {
    lines(rows, say, |_| None)
}

/// The rows in columns, with what `action` says of each.
fn lines(
    rows: &[LayoutRow],
    say: &dyn Fn(&Sentence) -> String,
    action: impl Fn(&LayoutRow) -> Option<String>,
) -> String {
    // A partition's name comes from the board or a file, and may contain control sequences.
    let labels: Vec<String> = rows
        .iter()
        .map(|row| match pieces::word(&row.label) {
            Some(word) => say(&word),
            None => sanitize::for_terminal(&row.label).to_string(),
        })
        .collect();
    // By display width, because Chinese characters take two columns.
    let width = labels.iter().map(|label| label.width()).max().unwrap_or(0);
    let mut text = String::new();
    for (row, label) in rows.iter().zip(labels) {
        let blanks = width - label.width();
        let size = match row.size {
            ..0x400 => say(&sentence!("flash.size-bytes", count: row.size)),
            size => self::size(size),
        };
        let before = 9_usize.saturating_sub(size.width());
        let _ = write!(
            text,
            "{label}{:blanks$}  {:#010x}  {:before$}{size}",
            "", row.offset, "",
        );
        if let Some(action) = action(row) {
            let blanks = 5_usize.saturating_sub(action.width());
            let _ = write!(text, "  {action}{:blanks$}", "");
        }
        let why = say(&row.why);
        if !why.is_empty() {
            let _ = write!(text, "  {}", sanitize::for_terminal(&why));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_control_characters_escaped() {
        let row = |label: &str, offset, size, action, why: &str| LayoutRow {
            label: label.to_owned(),
            offset,
            size,
            action,
            why: why.into(),
        };
        let rows = [
            row("font", 0x1000, 20_000, RangeAction::Write, "from a.bin"),
            row("\u{1b}[2J", 0x9000, 0x6000, RangeAction::Keep, ""),
            row("字库", 0x40_0000, 1_900_000, RangeAction::Ask, "why"),
            row("x", 0x7f_c000, 0x1000, RangeAction::Erase, ""),
        ];
        let say = |sentence: &Sentence| {
            let text = sentence.to_string();
            text.trim_start_matches("flash.word-")
                .replace("flash.part-", "the ")
        };
        let text = text(&rows, &say);
        assert_eq!(
            text,
            "\
the font   0x00001000      20 KB  write  from a.bin
\\u{1b}[2J  0x00009000      24 KB  keep
字库       0x00400000     1.8 MB  ?      why
x          0x007fc000       4 KB  erase
"
        );
        assert_eq!(
            place(0x20_0000, 2 << 20).to_string(),
            "flash.at-size at=0x200000 size=2 MB"
        );
    }
}
