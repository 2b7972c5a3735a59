//! Firmware onto the board: checked before, written where it differs, proven after.
//!
//! - [`files`] finds out what goes where, [`kind`], [`image`], [`font`] and [`firmware`] what it is, [`check`] whether it may.
//! - [`pieces`] takes it apart, [`layout`] decides what becomes of each part of flash.
//! - `loader` has one command and its reply, `session` a chip whose stub runs, `write` and `read` what is done with it.
//! - [`reset`] has the sequences on DTR and RTS.
//!
//! From the espflash library come the chips' tables, flash sizes and the images that are made of ELF files; why the line
//! itself is not left to it is told in `docs/architecture.md`.

pub mod backup;
pub mod check;
mod chip;
mod description;
pub mod error;
pub mod files;
pub mod firmware;
pub mod font;
pub mod image;
pub mod kind;
pub mod layout;
mod loader;
mod look;
pub mod pieces;
mod read;
pub mod reset;
mod session;
pub mod slip;
mod stub;
mod write;

use std::path::PathBuf;

use crate::board::port::Port;
use crate::text::sentence::{Sentence, sentence};
use backup::{Backup, Made};
pub use backup::{Copy, Target};
use chip::chip_name;
pub use chip::{ChipInfo, Locks, name};
pub use description::{Description, mac};
use error::Error;
pub use espflash::target::Chip;
pub use files::{FontFile, Rules};
use layout::{Layout, LayoutRequest};
use look::Looking;
use pieces::{Piece, Role};
use reset::After;
use session::Session;
pub use session::{Connect, RATES, press_reset};
pub use write::{Options, Part, Written};

/// Who is told how it goes.
pub trait Report {
    /// One thing that happened.
    fn note(&mut self, note: &Sentence);
    /// `doing` has come so far: bytes of all bytes.
    fn progress(&mut self, doing: &Sentence, done: u64, total: u64);
    /// This will be done to the flash; nothing has been done yet.
    fn plan(&mut self, layout: &Layout);
}

/// What to do with a board.
#[derive(Debug)]
pub struct Plan {
    /// How to reach it.
    pub connect: Connect,
    /// What goes where; may be nothing if there is a backup to make.
    pub pieces: Vec<Piece>,
    /// Fonts for the firmware that the board has.
    pub fonts: Vec<FontFile>,
    /// What is to become of the rest.
    pub wish: LayoutRequest,
    /// How to write.
    pub options: Options,
    /// A copy to put back, instead of pieces.
    pub restore: Option<Copy>,
    /// Where to put what is in flash now.
    pub backup: Option<Target>,
    /// The part of flash to back up: a partition, or `OFFSET+SIZE`; none: all of it.
    pub only: Option<String>,
    /// What happens at the end.
    pub after: After,
    /// Checks that guess do not refuse.
    pub force: bool,
}

/// How it went.
#[derive(Debug)]
pub struct Flashed {
    /// The chip.
    pub chip: ChipInfo,
    /// What was written.
    pub written: Written,
    /// The file that has what was in flash before.
    pub kept: Option<PathBuf>,
    /// The board was told to start its program; otherwise RESET has to be pressed.
    pub started: bool,
    /// The line, for whoever goes on with it; at the rate of the prompt if the program was started.
    pub port: Box<dyn Port>,
}

/// Does what `plan` says to the board on `port`, until `stop` says that the user wants the end. The plan's pieces are
/// used up.
///
/// # Errors
/// A check refuses, the board does not answer, the line breaks, the user stops it. Each says in what state the flash is.
pub fn run(
    port: Box<dyn Port>,
    plan: &mut Plan,
    stop: &dyn Fn() -> bool,
    report: &mut dyn Report,
) -> Result<Flashed, Error> {
    // Before the board is disturbed: whether there can be a copy.
    let backup = plan.backup.take().map(Backup::begin).transpose()?;
    let mut session = Session::new(port, plan.connect.clone(), stop);
    let (chip, written, kept) = match carry_out(&mut session, plan, backup, report) {
        Ok(done) => done,
        Err(error) => {
            if plan.after == After::HardReset {
                session.leave(&error, report);
            }
            return Err(error);
        }
    };
    let started = plan.after == After::HardReset && session.start_program();
    let mut port = session.loader.into_port();
    if started {
        // What the program prints comes at its own rate.
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

fn carry_out(
    session: &mut Session<'_>,
    plan: &mut Plan,
    backup: Option<Backup>,
    report: &mut dyn Report,
) -> Result<(ChipInfo, Written, Option<PathBuf>), Error> {
    let chip = session.start(report)?;
    report.note(&sentence!("flash.chip",
        chip = name(chip.chip),
        revision = format!("{}.{}", chip.revision.0, chip.revision.1),
        mac = mac(chip.mac),
        flash => flash_size(&chip),
        baud = session.loader.baud
    ));
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
    if let Some(backup) = backup {
        match backup.make(session, &chip, plan.only.as_deref(), report)? {
            Made::File(path) => {
                session.kept(&path);
                kept = Some(path);
            }
            Made::Streamed => {}
            // Nothing is written over what could not be kept.
            Made::Abandoned if layout.parts.is_empty() => {}
            Made::Abandoned => return Err(Error::Unwritten),
        }
    }
    let written = write::write(session, &layout, plan.options, report)?;
    Ok((chip, written, kept))
}

/// `8 MB of flash`
fn flash_size(chip: &ChipInfo) -> Sentence {
    match chip.flash_size {
        0 => sentence!("flash.flash-unsized"),
        size => sentence!(
            "flash.flash-sized",
            size = check::megabytes(u64::from(size))
        ),
    }
}

/// Checks what is to be written against the board, and decides what becomes of each part of its flash.
fn lay_out(
    session: &mut Session<'_>,
    plan: &mut Plan,
    chip: &ChipInfo,
    report: &mut dyn Report,
) -> Result<Layout, Error> {
    if !plan.pieces.is_empty() || !plan.fonts.is_empty() {
        check::locks(chip)?;
    }
    let new = plan.pieces.iter().find(|piece| piece.role == Role::Table);
    let table = new.and_then(|piece| image::partitions(&piece.data));
    let old = if plan.pieces.is_empty() && plan.fonts.is_empty() {
        None
    } else {
        look::table(session, new.map(|piece| piece.data.as_slice()), report)?
    };
    for font in std::mem::take(&mut plan.fonts) {
        let firmware = look::firmware(
            session,
            old.as_deref().unwrap_or_default(),
            u32::MAX,
            report,
        )?;
        let place = firmware.as_ref().and_then(font::place);
        let place = place
            .ok_or_else(|| font::unknown_place(&font, firmware.as_ref(), "the board's firmware"))?;
        plan.pieces.push(font::placed(font, &place, plan.force)?);
        for note in check::overlaps(&mut plan.pieces)? {
            report.note(&note);
        }
    }
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

/// Looks into the board on `port` without changing anything, and starts its program again.
///
/// # Errors
/// The board does not answer, the line breaks, the user stops it.
pub fn describe(
    port: Box<dyn Port>,
    connect: Connect,
    stop: &dyn Fn() -> bool,
    report: &mut dyn Report,
) -> Result<Description, Error> {
    let mut session = Session::new(port, connect, stop);
    let described = session.start(report).and_then(|chip| {
        let partitions = look::read_table(&mut session, report)?;
        let table = partitions.as_deref().unwrap_or_default();
        let firmware = look::firmware(&mut session, table, 3 * look::PIECE, report)?;
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
