//! Flashes firmware: checks it, writes only what differs, and verifies it afterwards.
//!
//! - [`files`] finds out where each file goes; [`kind`], [`image`], [`font`] and [`firmware`] identify it; [`check`]
//!   decides whether udpcli may write it.
//! - [`content`] reads the files that the user names; [`pieces`] cuts them into pieces, and [`layout`] decides what happens to each part of flash.
//! - `loader` sends one command and reads its reply; `session` holds a chip whose stub runs; `write` and `read`
//!   transfer the data.
//! - [`reset`] has the reset sequences on DTR and RTS.
//!
//! The espflash library supplies the chips' tables and flash sizes, and makes images from ELF files.
//! `docs/architecture.md` explains why it does not drive the serial line as well.

pub(crate) mod backup;
pub mod check;
mod chip;
pub(crate) mod content;
mod description;
pub mod error;
mod examine;
pub mod files;
pub mod firmware;
pub mod font;
pub mod image;
pub mod kind;
pub mod layout;
mod loader;
pub mod pieces;
mod read;
mod reply;
pub mod reset;
mod session;
pub mod slip;
mod stub;
mod write;

use std::path::PathBuf;

use crate::board::port::Port;
use crate::text::sentence::{Sentence, sentence};
use backup::{Backup, Made};
pub(crate) use backup::{BackupTarget, Copy};
pub use chip::{ChipInfo, Locks};
pub(crate) use chip::{name, supported};
pub(crate) use description::{Description, mac};
use error::Error;
pub use espflash::target::Chip;
use examine::Looking;
pub(crate) use files::FontFile;
pub use files::{ReadOptions, Wanted};
use layout::{FlashLayout, LayoutRequest};
use pieces::{FlashPiece, Role};
use reset::After;
pub use session::Connect;
use session::FlashSession;
pub(crate) use session::press_reset;
pub use write::{FlashRange, Options, Written};

/// Receives the progress of a flash run.
pub trait FlashObserver {
    /// Reports one event.
    fn note(&mut self, note: &Sentence);
    /// Reports that step `doing` has handled `done` of `total` bytes.
    fn progress(&mut self, doing: &Sentence, done: u64, total: u64);
    /// Shows what will happen to each part of flash, before the first change.
    fn plan(&mut self, layout: &FlashLayout);
}

/// What to do with a board.
#[derive(Debug)]
pub struct FlashPlan {
    /// How to connect to the chip.
    pub connect: Connect,
    /// The pieces to write; may be empty if the user only wants a backup.
    pub pieces: Vec<FlashPiece>,
    /// Fonts whose place depends on the firmware that is on the board.
    pub fonts: Vec<FontFile>,
    /// What happens to the rest of flash.
    pub wish: LayoutRequest,
    /// The options for writing.
    pub options: Options,
    /// A backup to restore, instead of pieces.
    pub restore: Option<Copy>,
    /// Where to save a backup of the flash before writing.
    pub backup: Option<BackupTarget>,
    /// The part of flash to back up: a partition, or `OFFSET+SIZE`; `None` means the whole flash.
    pub only: Option<String>,
    /// What the board does afterwards.
    pub after: After,
    /// Override the checks that rely on heuristics.
    pub force: bool,
}

/// The result of a flash run.
#[derive(Debug)]
pub struct Flashed {
    /// The chip of the board.
    pub(crate) chip: ChipInfo,
    /// How many bytes were written.
    pub written: Written,
    /// The backup file with the flash's previous content.
    pub(crate) kept: Option<PathBuf>,
    /// Whether the board started its program; if not, the user has to press RESET.
    pub started: bool,
    /// The open serial port. If the program was started, the port has the prompt's baud rate.
    pub port: Box<dyn Port>,
}

/// Flashes the board on `port` as `plan` says. `stop` returns true once the user has pressed Ctrl-C.
///
/// # Errors
/// A check refuses a file, the board does not answer, the serial line fails, or the user interrupts the run. Each error
/// says in what state the flash is.
pub fn run(
    port: Box<dyn Port>,
    plan: &mut FlashPlan,
    stop: &dyn Fn() -> bool,
    report: &mut dyn FlashObserver,
) -> Result<Flashed, Error> {
    // Create the backup file first, so that a failure does not disturb the board.
    let backup = plan.backup.take().map(Backup::begin).transpose()?;
    let mut session = FlashSession::new(port, plan.connect.clone(), stop);
    let (chip, written, kept) = match carry_out(&mut session, plan, backup, report) {
        Ok(done) => done,
        Err(error) => {
            // The chip waits in its loader, and would look broken to the user.
            if plan.after == After::HardReset {
                session.leave(&error, report);
            }
            return Err(error);
        }
    };
    let started = plan.after == After::HardReset && session.start_program();
    let mut port = session.loader.into_port();
    if started {
        // The program prints at its own baud rate.
        let _ = port.set_baud(crate::board::port::DEFAULT_BAUD);
    }
    Ok(Flashed {
        chip,
        written,
        kept,
        started,
        port,
    })
}

/// Connects, plans, backs up and writes. Returns the chip, what was written, and the file with the backup.
fn carry_out(
    session: &mut FlashSession<'_>,
    plan: &mut FlashPlan,
    backup: Option<Backup>,
    report: &mut dyn FlashObserver,
) -> Result<(ChipInfo, Written, Option<PathBuf>), Error> {
    let chip = session.start(report)?;
    report.note(&sentence!("flash.chip",
        chip = name(chip.chip),
        revision = format!("{}.{}", chip.revision.0, chip.revision.1),
        mac = mac(chip.mac),
        flash => flash_size(&chip),
        baud = session.loader.baud
    ));
    // Before anything else: without a size no offset can be checked.
    check::size(&chip)?;
    let layout = match plan.restore.take() {
        Some(copy) => {
            check::locks(&chip)?;
            let layout = backup::lay_out(copy, session, &chip, plan.force, report)?;
            report.plan(&layout);
            layout
        }
        None => lay_out(session, plan, &chip, report)?,
    };
    let mut kept = None;
    // After all checks, because a backup takes minutes, and before the first change.
    if let Some(backup) = backup {
        match backup.make(session, &chip, plan.only.as_deref(), report)? {
            Made::File(path) => {
                session.kept(&path);
                kept = Some(path);
            }
            Made::Streamed => {}
            // Without a complete backup, write nothing.
            Made::Abandoned if layout.parts.is_empty() => {}
            Made::Abandoned => return Err(Error::Unwritten),
        }
    }
    let written = write::write(session, &layout, plan.options, report)?;
    Ok((chip, written, kept))
}

/// The flash size as a sentence, such as `8 MB of flash`.
fn flash_size(chip: &ChipInfo) -> Sentence {
    match chip.flash_size {
        0 => sentence!("flash.flash-unsized"),
        size => sentence!(
            "flash.flash-sized",
            size = check::megabytes(u64::from(size))
        ),
    }
}

/// Checks the files against the board, and decides what happens to each part of its flash.
fn lay_out(
    session: &mut FlashSession<'_>,
    plan: &mut FlashPlan,
    chip: &ChipInfo,
    report: &mut dyn FlashObserver,
) -> Result<FlashLayout, Error> {
    if !plan.pieces.is_empty() || !plan.fonts.is_empty() {
        check::locks(chip)?;
    }
    let new = plan.pieces.iter().find(|piece| piece.role == Role::Table);
    let table = new.and_then(|piece| image::partitions(&piece.data));
    let old = if plan.pieces.is_empty() && plan.fonts.is_empty() {
        None
    } else {
        examine::table(session, new.map(|piece| piece.data.as_slice()), report)?
    };
    for font in std::mem::take(&mut plan.fonts) {
        let firmware = examine::firmware(
            session,
            old.as_deref().unwrap_or_default(),
            u32::MAX,
            report,
        )?;
        let place = firmware.as_ref().and_then(font::place);
        let place = place.ok_or_else(|| {
            font::unknown_place(&font, firmware.as_ref(), &sentence!("flash.board-firmware"))
        })?;
        plan.pieces.push(font::placed(font, &place, plan.force)?);
        for note in check::overlaps(&mut plan.pieces)? {
            report.note(&note);
        }
    }
    // The table that will be in flash afterwards decides what fits where.
    let in_force = table.as_deref().or(old.as_deref());
    check::board(&plan.pieces, chip, in_force, plan.force)?;
    let mut looking = Looking { session, report };
    let layout = layout::plan(
        std::mem::take(&mut plan.pieces),
        old.as_deref(),
        plan.wish,
        &mut looking,
    )?;
    report.plan(&layout);
    match layout.conflict {
        Some(details) => Err(Error::Conflict { details }),
        None => Ok(layout),
    }
}

/// Reads chip, flash and partitions of the board on `port` without changing anything, then starts its program again.
///
/// # Errors
/// The board does not answer, the serial line fails, or the user interrupts the run.
pub fn describe(
    port: Box<dyn Port>,
    connect: Connect,
    stop: &dyn Fn() -> bool,
    report: &mut dyn FlashObserver,
) -> Result<Description, Error> {
    let mut session = FlashSession::new(port, connect, stop);
    let described = session.start(report).and_then(|chip| {
        let partitions = examine::read_table(&mut session, report)?;
        let table = partitions.as_deref().unwrap_or_default();
        let firmware = examine::firmware(&mut session, table, 3 * examine::PIECE, report)?;
        let firmware = firmware.map(|firmware| firmware.text);
        let mut looking = Looking {
            session: &mut session,
            report: &mut *report,
        };
        let contents = layout::contents(table, firmware.as_deref(), &mut looking)?;
        Ok(Description {
            chip,
            partitions,
            contents,
        })
    });
    match &described {
        Ok(_) if session.start_program() => {}
        Ok(_) => report.note(&press_reset()),
        Err(error) => session.leave(error, report),
    }
    described
}
