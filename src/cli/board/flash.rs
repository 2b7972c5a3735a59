//! `udpcli board flash`.

mod progress;
mod report;
mod values;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use espflash::target::Chip;

use self::progress::FlashProgress;
use self::report::{describe, report, tell_dry_run};
use self::values::{FlashModeArg, KeepOrReplace, chip, flash_baud, flash_size};
use super::fleet::{self, Job};
use super::{SerialArgs, TextOrJson, session};
use crate::board::error::Error as BoardError;
use crate::board::flash::content::{self, ContentRequest, FlashContent};
use crate::board::flash::error::Error as FlashError;
use crate::board::flash::files::{self, Given};
use crate::board::flash::layout::{FilesFate, LayoutRequest};
use crate::board::flash::reset::{After, ResetMethod};
use crate::board::flash::{self, BackupTarget, Connect, FlashPlan, Options, Wanted, backup};
use crate::board::native;
use crate::board::port::{self, Port};
use crate::board::serial_ports;
use crate::board::wire_log::Logged;
use crate::cli::output;
use crate::cli::{GlobalArgs, complete};
use crate::error::{Error, Outcome, Startable};
use crate::shutdown::Shutdown;
use crate::terminal::{sanitize, stdout};
use crate::wait::{Site, Wait, Waited};
use crate::words::catalogue::{in_language, say, text};
use crate::words::language::Language;

/// How many boards to flash at a time: a USB hub with four boards has enough bandwidth and current.
const JOBS: usize = 4;

/// The arguments of `udpcli board flash`.
#[derive(Debug, Args)]
pub(super) struct FlashArgs {
    #[arg(value_name = "FILE[@OFFSET]", required_unless_present_any = ["font", "backup", "restore"], add = complete::files(complete::FIRMWARE))]
    images: Vec<String>,
    #[arg(long, value_name = "FILE[@OFFSET]", add = complete::files(complete::FONTS))]
    font: Option<Given>,
    #[arg(long, value_name = "CHIP", value_parser = chip)]
    chip: Option<Chip>,
    #[arg(long, value_name = "SIZE", value_parser = flash_size)]
    flash_size: Option<u32>,
    #[arg(long, value_enum, default_value_t = FlashModeArg::Keep, value_name = "MODE")]
    flash_mode: FlashModeArg,
    #[arg(long, value_name = "N", value_parser = flash_baud)]
    flash_baud: Option<u32>,
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "erase_all")]
    files: Option<KeepOrReplace>,
    #[arg(long)]
    erase_all: bool,
    #[arg(long)]
    no_verify: bool,
    #[arg(long)]
    no_compress: bool,
    #[arg(long, value_enum, value_name = "HOW")]
    before: Option<ResetMethod>,
    #[arg(long, value_enum, default_value_t = After::HardReset, value_name = "HOW")]
    after: After,
    #[arg(long, value_name = "FILE")]
    backup: Option<PathBuf>,
    #[arg(long, value_name = "FILE[@OFFSET]", add = complete::files(complete::FIRMWARE), conflicts_with_all = ["images", "font", "files", "erase_all", "flash_mode"])]
    restore: Option<Given>,
    #[arg(long, value_name = "WHAT")]
    only: Option<String>,
    #[arg(long, conflicts_with = "backup")]
    dry_run: bool,
    #[arg(long, conflicts_with = "dry_run")]
    monitor: bool,
    #[arg(long)]
    force: bool,
}

/// Reads, checks and writes the files.
pub(super) fn run(
    args: &FlashArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let shutdown = session::shutdown()?;
    check_flags(args)?;
    // Read the files first: entering download mode for nothing would lose the state of the board's program.
    let Some(prepared) = prepare(args, &shutdown)? else {
        return Ok(Outcome::Interrupted);
    };
    write(args, prepared, serial, global, &shutdown)
}

/// The same for several boards; the files are read once.
pub(super) fn for_many<'a>(
    args: &'a FlashArgs,
    serial: &SerialArgs,
    global: &'a GlobalArgs,
) -> Result<Job<'a>, Error> {
    fleet::one_board_only(args.monitor, "--monitor")?;
    fleet::one_board_only(args.backup.is_some(), "--backup")?;
    check_flags(args)?;
    let shutdown = session::shutdown()?;
    let Some(prepared) = prepare(args, &shutdown)? else {
        return Err(BoardError::Interrupted.into());
    };
    let _ = serial;
    Ok(Job {
        jobs: JOBS,
        ..Job::new(move |serial| write(args, prepared.clone(), serial, global, &shutdown))
    })
}

/// Refuses flags that contradict each other.
fn check_flags(args: &FlashArgs) -> Result<(), Error> {
    if args.monitor && args.after == After::NoReset {
        return Err(Error::usage_hint(
            say!("flash.monitor-no-reset"),
            say!("flash.monitor-no-reset.hint"),
        ));
    }
    if args.only.is_some() && args.backup.is_none() && args.restore.is_none() {
        return Err(Error::usage_hint(
            say!("flash.only-alone"),
            say!("flash.only-alone.hint"),
        ));
    }
    Ok(())
}

/// Reads and checks the files; none after Ctrl-C.
fn prepare(args: &FlashArgs, shutdown: &Shutdown) -> Result<Option<Prepared>, Error> {
    let restore = match &args.restore {
        Some(given) => {
            let (given, only, wanted) = (given.clone(), args.only.clone(), wanted(args));
            let load = move || backup::load(&given, only.as_deref(), wanted);
            match loaded(load, shutdown)? {
                Some(copy) => Some(copy),
                None => return Ok(None),
            }
        }
        None => None,
    };
    let content = content(args, shutdown)?;
    Ok(content.map(|content| Prepared { content, restore }))
}

/// Writes the files that were read to a board.
fn write(
    args: &FlashArgs,
    prepared: Prepared,
    serial: &SerialArgs,
    global: &GlobalArgs,
    shutdown: &Shutdown,
) -> Result<Outcome, Error> {
    let started = Instant::now();
    let Prepared { content, restore } = prepared;
    let FlashContent {
        chip,
        pieces,
        fonts,
        notes,
    } = content;
    let mut plan = FlashPlan {
        connect: Connect {
            port: String::new(),
            before: ResetMethod::DefaultReset,
            timeout: serial.connect_timeout,
            // Users who know esptool mean the data rate with --baud.
            flash_baud: args.flash_baud.or(serial.baud),
            flash_size: args.flash_size,
            chip: chip.or(restore.as_ref().and_then(|copy| copy.chip)),
            is_chip_given: args.chip.is_some(),
        },
        pieces,
        fonts,
        wish: LayoutRequest {
            files: args.files.map(|files| match files {
                KeepOrReplace::Keep => FilesFate::Keep,
                KeepOrReplace::Replace => FilesFate::Replace,
            }),
            erase_all: args.erase_all,
        },
        options: Options {
            erase_all: args.erase_all,
            verify: !args.no_verify,
            compress: !args.no_compress,
            dry_run: args.dry_run,
        },
        restore,
        backup: args.backup.as_deref().map(target).transpose()?,
        // For a restore, `--only` was applied above.
        only: args.only.clone().filter(|_| args.restore.is_none()),
        after: args.after,
        force: args.force,
    };
    let (name, port) = open(serial, shutdown)?;
    plan.connect.before = before(args.before, &name);
    plan.connect.port = name;
    for note in notes {
        tracing::info!("{}", sanitize::for_terminal(&text(&note)));
    }
    let mut progress = FlashProgress::new(global, args.dry_run);
    let flashed = flash::run(port, &mut plan, &|| shutdown.is_asked(), &mut progress);
    progress.end();
    if args.dry_run {
        // The plan is the result of a dry run, even if it needs a decision by the user.
        output::print(progress.plan_text().as_bytes())?;
        tell_dry_run(&plan, &flashed.map_err(Error::Flash)?);
        return Ok(Outcome::Done);
    }
    let flashed = flashed.map_err(Error::Flash)?;
    fleet::identify(serial.known.as_deref(), &flash::mac(flashed.chip.mac));
    report(&plan, &flashed, started.elapsed());
    if args.monitor {
        // The REPL opens the port again.
        drop(flashed);
        return super::repl::run(&super::repl::ReplArgs::default(), serial, global.quiet);
    }
    Ok(Outcome::Done)
}

/// The target of a backup: `-` is standard output, unless that is a terminal.
fn target(path: &Path) -> Result<BackupTarget, Error> {
    if path != Path::new("-") {
        return Ok(BackupTarget::File(path.to_owned()));
    }
    if stdout::is_terminal() {
        return Err(Error::usage_hint(
            say!("flash.backup-terminal"),
            say!("flash.backup-terminal.hint"),
        ));
    }
    Ok(BackupTarget::Stream(stdout::binary()))
}

/// The content of the files.
#[derive(Clone)]
struct Prepared {
    content: FlashContent,
    /// A backup to restore.
    restore: Option<backup::Copy>,
}

/// The requirements for the files.
fn wanted(args: &FlashArgs) -> Wanted {
    Wanted {
        chip: args.chip,
        force: args.force,
    }
}

/// Runs `load`; `None` after Ctrl-C, because a file may be a FIFO that blocks.
fn loaded<T: Send + 'static>(
    load: impl FnOnce() -> Result<T, FlashError> + Send + 'static,
    shutdown: &Shutdown,
) -> Result<Option<T>, Error> {
    let is_stopped = || shutdown.is_asked();
    let waited = Wait::at(Site::ReadFirmware, &is_stopped).call(load);
    match waited.map_err(|source| Error::Start {
        what: Startable::FileThread,
        source,
    })? {
        Waited::Done(loaded) => loaded.map(Some).map_err(Error::Flash),
        Waited::Interrupted | Waited::TimeUp => Ok(None),
    }
}

/// The content to flash; `None` after Ctrl-C.
fn content(args: &FlashArgs, shutdown: &Shutdown) -> Result<Option<FlashContent>, Error> {
    let images = files::given(&args.images)
        .map_err(|(error, hint)| Error::usage_hint(text(&error), text(&hint)))?;
    let request = ContentRequest {
        images,
        font: args.font.clone(),
        mode: args.flash_mode.wanted(),
        wanted: wanted(args),
    };
    loaded(move || content::load(&request), shutdown)
}

/// How to get the board on `port` into download mode: the chips' USB-Serial/JTAG has another sequence than the
/// transistors behind a USB serial adapter.
fn before(asked: Option<ResetMethod>, port: &str) -> ResetMethod {
    asked.unwrap_or_else(|| {
        let listed = serial_ports::list().unwrap_or_default();
        let listed = listed.iter().find(|listed| listed.name == port);
        if listed.is_some_and(native::is_serial_jtag) {
            ResetMethod::UsbReset
        } else {
            ResetMethod::DefaultReset
        }
    })
}

/// Opens the port that the user named, or that of the only board.
fn open(serial: &SerialArgs, shutdown: &Shutdown) -> Result<(String, Box<dyn Port>), Error> {
    let address = session::address(serial)?;
    let port = port::open(&address.port, port::DEFAULT_BAUD, address.timeout, &|| {
        shutdown.is_asked()
    })?;
    let port = Logged::over(port, address.wire.as_ref());
    Ok((address.port, port))
}

/// Prints chip and flash content: for `udpcli board info --flash`.
pub(super) fn info(
    serial: &SerialArgs,
    global: &GlobalArgs,
    format: TextOrJson,
) -> Result<Outcome, Error> {
    let shutdown = session::shutdown()?;
    let (name, port) = open(serial, &shutdown)?;
    let connect = Connect {
        before: before(None, &name),
        port: name,
        timeout: serial.connect_timeout,
        flash_baud: None,
        flash_size: None,
        chip: None,
        is_chip_given: false,
    };
    let mut progress = FlashProgress::new(global, false);
    let described = flash::describe(port, connect, &|| shutdown.is_asked(), &mut progress);
    progress.end();
    let description = described.map_err(Error::Flash)?;
    let told = match format {
        TextOrJson::Text => describe(&description),
        TextOrJson::Json => {
            let object = description.json(&|sentence| in_language(Language::English, sentence));
            format!("{}\n", fleet::with_board(&object.to_string()))
        }
    };
    output::print(told.as_bytes())
}
