//! The result of flashing, and the description of a board, for people.

use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use crate::board::flash::layout::rows;
use crate::board::flash::reset::After;
use crate::board::flash::{self, Description, FlashPlan, Flashed, check, press_reset};
use crate::text::seconds;
use crate::words::catalogue::{say, text};

/// Prints the result of a dry run, apart from the plan.
pub(super) fn tell_dry_run(plan: &FlashPlan, flashed: &Flashed) {
    let (written, total) = (flashed.written.changed, flashed.written.total);
    if plan.options.erase_all {
        tracing::info!(say = "flash.dry-run-erase", written = %written, total = %total);
    } else {
        tracing::info!(say = "flash.dry-run", written = %written, total = %total);
    }
    if !flashed.started && plan.after == After::HardReset {
        tracing::info!("{}", text(&press_reset()));
    }
}

/// Reports what was written, and what the board does now.
pub(super) fn report(plan: &FlashPlan, flashed: &Flashed, elapsed: Duration) {
    let written = flashed.written;
    if let Some(path) = &flashed.kept {
        tracing::info!(say = "flash.backed-up", path = %path.display());
    }
    let verified = if plan.options.verify {
        say!("flash.verified")
    } else {
        say!("flash.not-verified")
    };
    // A backup writes nothing.
    if written.total == 0 {
    } else if written.changed == 0 {
        tracing::info!(say = "flash.nothing-to-write", total = %written.total, verified = %verified);
    } else {
        tracing::info!(
            say = "flash.written",
            written = %written.changed,
            total = %written.total,
            time = %seconds(elapsed),
            sent = %written.sent,
            verified = %verified
        );
    }
    if flashed.started {
        tracing::info!(say = "flash.starts");
    } else if plan.after == After::HardReset {
        tracing::info!("{}", text(&press_reset()));
    } else {
        tracing::info!(say = "flash.stays");
    }
}

/// The description of a board for people: one line per fact.
pub(super) fn describe(description: &Description) -> String {
    let chip = &description.chip;
    let mut told = String::new();
    let mut line = |name: String, value: String| {
        let blanks = 11_usize.saturating_sub(name.width());
        // Writing to a String cannot fail.
        let _ = writeln!(told, "{name}{:blanks$} {value}", "");
    };
    line(
        say!("flash.info-chip"),
        say!(
            "flash.info-chip-value",
            chip = flash::name(chip.chip),
            revision = format!("{}.{}", chip.revision.0, chip.revision.1)
        ),
    );
    line(say!("flash.info-mac"), flash::mac(chip.mac));
    // Maker and capacity, as esptool shows them: three bytes.
    let id = format!("{:#08x}", chip.flash_id);
    let size = check::megabytes(u64::from(chip.flash_size));
    line(
        say!("flash.info-flash"),
        match chip.flash_size {
            0 => say!("flash.info-unsized", id = id),
            _ => say!("flash.info-sized", size = size, id = id),
        },
    );
    if description.partitions.is_none() {
        line(
            say!("flash.info-partitions"),
            say!("flash.info-no-partitions"),
        );
    }
    if !description.contents.is_empty() {
        told.push('\n');
        told.push_str(&rows::contents(&description.contents, &text));
    }
    told
}
