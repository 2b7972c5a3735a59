//! Firmware onto the board: checked before, written where it differs, proven after.
//!
//! - [`files`] finds out what goes where, [`image`] what it is, [`check`] whether it may.
//! - `loader` has one command and its reply, `session` a chip whose stub runs, `write` and `read` what is done with it.
//! - [`reset`] has the sequences on DTR and RTS.
//!
//! From the espflash library come the chips' tables, flash sizes and the images that are made of ELF files; why the line
//! itself is not left to it is told in `docs/architecture.md`.

pub mod check;
mod chip;
mod description;
pub mod error;
pub mod files;
pub mod image;
mod loader;
mod read;
pub mod reset;
mod session;
pub mod slip;
mod stub;
mod write;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::board::port::Port;
pub use chip::{ChipInfo, name};
pub use description::{Description, mac};
use error::Error;
use image::{Partition, TABLE_LEN, TABLE_OFFSET};
use reset::After;
use session::Session;
pub use session::{Connect, RATES};
pub use write::{Options, Part, Written};

/// Where mPython's firmware has its font.
pub const FONT_OFFSET: u32 = 0x40_0000;

/// Who is told how it goes.
pub trait Report {
    /// One thing that happened.
    fn note(&mut self, text: &str);
    /// `doing` has come so far: bytes of all bytes.
    fn progress(&mut self, doing: &str, done: u64, total: u64);
}

/// What to do with a board.
#[derive(Debug)]
pub struct Plan {
    /// How to reach it.
    pub connect: Connect,
    /// What goes where; may be nothing if there is a backup to make.
    pub parts: Vec<Part>,
    /// How to write.
    pub options: Options,
    /// Where to put what is in flash now.
    pub backup: Option<PathBuf>,
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
    /// The board was told to start its program; otherwise RESET has to be pressed.
    pub started: bool,
    /// The line, for whoever goes on with it; at the rate of the prompt if the program was started.
    pub port: Box<dyn Port>,
}

/// Does what `plan` says to the board on `port`, until `stop` says that the user wants the end.
///
/// # Errors
/// A check refuses, the board does not answer, the line breaks, the user stops it. Each says in what state the flash is.
pub fn run(
    port: Box<dyn Port>,
    plan: &Plan,
    stop: &dyn Fn() -> bool,
    report: &mut dyn Report,
) -> Result<Flashed, Error> {
    let mut session = Session::open(port, plan.connect.clone(), stop, report)?;
    let chip = known(&session)?;
    report.note(&format!(
        "{} revision {}.{}, MAC {}, {} of flash, at {} baud",
        name(chip.chip),
        chip.revision.0,
        chip.revision.1,
        mac(chip.mac),
        check::megabytes(u64::from(chip.flash_size)),
        session.loader.baud,
    ));
    let on_board = partitions(&mut session, report)?;
    let table = check::table(&plan.parts, on_board);
    check::board(&plan.parts, &chip, table.as_deref(), plan.force)?;
    if let Some(path) = &plan.backup {
        back_up(&mut session, path, chip.flash_size, report)?;
    }
    let written = write::write(&mut session, &plan.parts, plan.options, report)?;
    "what was asked for is done".clone_into(&mut session.state);
    let started = plan.after == After::HardReset && session.start_program();
    let mut port = session.loader.into_port();
    if started {
        // What the program prints comes at its own rate.
        let _ = port.set_baud(crate::board::port::DEFAULT_BAUD);
    }
    Ok(Flashed {
        chip,
        written,
        started,
        port,
    })
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
    let mut session = Session::open(port, connect, stop, report)?;
    let chip = known(&session)?;
    let partitions = partitions(&mut session, report)?;
    session.start_program();
    Ok(Description { chip, partitions })
}

fn known(session: &Session<'_>) -> Result<ChipInfo, Error> {
    session
        .chip
        .clone()
        .ok_or_else(|| session.give_up(loader::Fault::Silent, "preparing"))
}

fn partitions(
    session: &mut Session<'_>,
    report: &mut dyn Report,
) -> Result<Option<Vec<Partition>>, Error> {
    let doing = "reading the partition table";
    let table = read::read(session, TABLE_OFFSET, TABLE_LEN, doing, report)?;
    Ok(image::partitions(&table))
}

/// Reads all of flash into `path`, which is there only once it is whole.
fn back_up(
    session: &mut Session<'_>,
    path: &Path,
    size: u32,
    report: &mut dyn Report,
) -> Result<(), Error> {
    let failed = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // Before minutes of reading: whether it can be written at all.
    let mut file = std::fs::File::create(&part).map_err(failed)?;
    let result = read::read(session, 0, size, "backing up", report);
    let written = result.and_then(|bytes| {
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(failed)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}
