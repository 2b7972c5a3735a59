//! `udpcli board`: the commands for a board on a serial port.

mod bar;
mod board_output;
mod do_steps;
mod edit;
mod exec;
mod files;
#[cfg(feature = "flash")]
mod flash;
mod fleet;
mod info;
mod list;
mod mirroring;
mod monitor;
mod mpremote;
mod oled;
pub(super) mod password;
mod repl;
mod reset;
mod rtc;
mod run;
mod session;
mod stdin;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::board::line_rate::{self, LineRate};
use crate::board::port::DEFAULT_BAUD;
use crate::board::repl::HeldRepl;
use crate::cli::config::SerialSettings;
use crate::cli::value::TextOrJson;
use crate::cli::{GlobalArgs, complete, value};
use crate::error::{Error, Outcome};
use crate::names::BoardNames;
use crate::words;

pub(super) use mpremote::with_steps;

/// The arguments of `udpcli board`.
#[derive(Debug, Args)]
pub(crate) struct BoardArgs {
    #[command(flatten)]
    pub(super) serial: SerialArgs,
    #[command(subcommand)]
    command: BoardCommand,
}

/// The arguments for the serial port.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serial port")]
pub(crate) struct SerialArgs {
    #[arg(
        short,
        long,
        global = true,
        value_name = "PORT",
        add = complete::serial_ports(),
        env = "UDPCLI_SERIAL",
        hide_env_values = true,
        display_order = 800
    )]
    pub(super) serial: Vec<String>,
    #[arg(long, global = true, display_order = 804)]
    pub(super) all: bool,
    #[arg(long, global = true, value_name = "N", value_parser = value::jobs, display_order = 805)]
    pub(super) jobs: Option<NonZeroUsize>,
    #[arg(long, global = true, value_name = "FILE", env = "UDPCLI_NAMES", hide_env_values = true, value_hint = clap::ValueHint::FilePath, display_order = 806)]
    pub(super) names: Option<PathBuf>,
    #[arg(long, global = true, value_name = "N", value_parser = value::baud, display_order = 801)]
    pub(super) baud: Option<u32>,
    #[arg(long, global = true, value_name = "D", default_value = "10s", value_parser = value::positive_duration, display_order = 802)]
    pub(super) connect_timeout: Duration,
    #[arg(long, global = true, value_name = "auto|keep|N", default_value = "auto", value_parser = line_rate::parse, display_order = 803)]
    pub(super) line_rate: LineRate,
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath, display_order = 804)]
    pub(super) wire: Option<PathBuf>,
    // The settings from the user's file, for values that neither the command line nor the environment gives.
    #[arg(skip)]
    pub(super) settings: SerialSettings,
    // Where the board waits between the steps of one run.
    #[arg(skip)]
    held: Option<HeldRepl>,
    // The list of names, for a board whose MAC address tells its name.
    #[arg(skip)]
    known: Option<Arc<BoardNames>>,
}

impl SerialArgs {
    /// The baud rate of the board's prompt.
    fn rate(&self) -> u32 {
        self.baud
            .or_else(|| self.settings.baud())
            .unwrap_or(DEFAULT_BAUD)
    }

    /// The port from the command line or the environment. An empty variable counts as not set.
    fn given_port(&self) -> Option<&str> {
        let port = self.serial.first().map(String::as_str);
        port.filter(|port| !port.is_empty())
    }

    /// The port to use. An empty name selects the only board, even if the user's file names a port.
    fn port(&self) -> Option<&str> {
        match self.serial.first() {
            Some(_) => self.given_port(),
            None => self.settings.serial(),
        }
    }
}

/// The subcommands of `udpcli board`.
#[derive(Debug, Subcommand)]
enum BoardCommand {
    #[command(alias = "devs")]
    List(list::ListArgs),
    Info(info::InfoArgs),
    Run(run::RunArgs),
    Exec(exec::ExecArgs),
    Eval(exec::EvalArgs),
    Do(do_steps::DoArgs),
    Put(files::PutArgs),
    Get(files::GetArgs),
    Ls(files::LsArgs),
    Rm(files::RmArgs),
    Mkdir(files::MkdirArgs),
    Rmdir(files::RmdirArgs),
    Touch(files::TouchArgs),
    Sha256sum(files::Sha256sumArgs),
    Cp(files::CpArgs),
    Mv(files::MvArgs),
    Cat(files::CatArgs),
    Tree(files::TreeArgs),
    Df(files::DfArgs),
    Rtc(rtc::RtcArgs),
    Repl(repl::ReplArgs),
    Oled(oled::OledArgs),
    Monitor(monitor::MonitorArgs),
    #[command(alias = "soft-reset")]
    Reset(reset::ResetArgs),
    Resume(exec::ResumeArgs),
    Edit(edit::EditArgs),
    Sleep(mpremote::SleepArgs),
    #[command(hide = true)]
    Fs(mpremote::FsArgs),
    #[command(hide = true)]
    Connect(mpremote::ConnectArgs),
    #[cfg(feature = "flash")]
    Flash(Box<flash::FlashArgs>),
    #[cfg(not(feature = "flash"))]
    Flash(crate::cli::LeftOutArgs),
}

/// Runs `udpcli board`.
///
/// # Errors
/// [`Error::Board`] for all failures of the serial line or the board.
pub(crate) fn run(mut args: BoardArgs, global: &GlobalArgs) -> Result<Outcome, Error> {
    // Only commands that open a port read the settings: a mistake in a file must not stop `board list`.
    if args.command.uses_a_line() {
        args.serial.settings = SerialSettings::read()?;
    }
    let settings = args.serial.settings.clone();
    let is_for_many = fleet::is_asked(&args.serial);
    let result = if is_for_many && !matches!(args.command, BoardCommand::List(_)) {
        fleet::run(&args.command, &args.serial, global)
    } else {
        run_command(args.command, &args.serial, global)
    };
    if let Err(error) = &result {
        // The user may not remember the file that names the port.
        settings.explain(error);
    }
    result
}

/// Does `work`, in which several commands use one connection.
fn with_held(
    serial: &SerialArgs,
    work: impl FnOnce(&SerialArgs) -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    // Already within such work: `cp` as a step of `do`.
    if serial.held.is_some() {
        return work(serial);
    }
    let held = HeldRepl::default();
    let mut serial = serial.clone();
    serial.held = Some(held.clone());
    let result = work(&serial);
    match (result, held.close()) {
        // Report the first error: the error of closing often follows from it.
        (Ok(_), Err(error)) => Err(error.into()),
        (result, _) => result,
    }
}

/// A command without a soft reset, as in mpremote; without a command, opens the prompt.
fn resume(
    args: exec::ResumeArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    if args.command.is_empty() {
        return repl::run(&repl::ReplArgs::default(), serial, global.quiet);
    }
    let mut command =
        do_steps::parse(args.command).map_err(|(problem, hint)| Error::Usage { problem, hint })?;
    command.keep_interpreter();
    run_command(command, serial, global)
}

impl BoardCommand {
    /// The name of a command that cannot be a step of `do`: it does not end by itself, or it is not for one board at
    /// its prompt.
    fn unfit_for_steps(&self) -> Option<&'static str> {
        Some(match self {
            Self::List(_) => "list",
            Self::Repl(_) => "repl",
            Self::Oled(_) => "oled",
            Self::Monitor(_) => "monitor",
            Self::Flash(_) => "flash",
            Self::Do(_) => "do",
            Self::Resume(_) => "resume",
            Self::Connect(_) => "connect",
            Self::Run(run) if run.watches() => "run --watch",
            Self::Put(put) if put.watches() => "put --watch",
            _ => return None,
        })
    }

    /// The command's action for each of several boards.
    fn for_many<'a>(
        &'a self,
        serial: &SerialArgs,
        global: &'a GlobalArgs,
    ) -> Result<fleet::Job<'a>, Error> {
        match self {
            Self::Info(info) => Ok(info::for_many(info, global)),
            Self::Put(put) => files::put_for_many(put, serial, global),
            Self::Rm(rm) => files::rm_for_many(rm),
            Self::Run(run) => run::for_many(run),
            Self::Oled(oled) => oled::for_many(oled),
            Self::Reset(reset) => Ok(fleet::Job::new(|serial| reset::run(reset, serial))),
            #[cfg(feature = "flash")]
            Self::Flash(flash) => flash::for_many(flash, serial, global),
            other => Err(fleet::one_board(other.name())),
        }
    }

    /// Its name on the command line.
    fn name(&self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Info(_) => "info",
            Self::Run(_) => "run",
            Self::Exec(_) => "exec",
            Self::Eval(_) => "eval",
            Self::Do(_) => "do",
            Self::Put(_) => "put",
            Self::Get(_) => "get",
            Self::Ls(_) => "ls",
            Self::Rm(_) => "rm",
            Self::Mkdir(_) => "mkdir",
            Self::Rmdir(_) => "rmdir",
            Self::Touch(_) => "touch",
            Self::Sha256sum(_) => "sha256sum",
            Self::Cp(_) => "cp",
            Self::Mv(_) => "mv",
            Self::Cat(_) => "cat",
            Self::Tree(_) => "tree",
            Self::Df(_) => "df",
            Self::Rtc(_) => "rtc",
            Self::Repl(_) => "repl",
            Self::Oled(_) => "oled",
            Self::Monitor(_) => "monitor",
            Self::Reset(_) => "reset",
            Self::Resume(_) => "resume",
            Self::Edit(_) => "edit",
            Self::Sleep(_) => "sleep",
            Self::Fs(_) => "fs",
            Self::Connect(_) => "connect",
            Self::Flash(_) => "flash",
        }
    }

    /// The problem and a hint, if the command would have to ask a question but cannot.
    fn unasked(&self) -> Option<(String, String)> {
        match self {
            Self::Put(put) => files::unasked(put),
            _ => None,
        }
    }

    /// Whether the command runs code from the command line.
    fn is_code(&self) -> bool {
        matches!(self, Self::Exec(_) | Self::Eval(_))
    }

    /// Whether the command reads its program or steps from standard input.
    fn reads_stdin(&self) -> bool {
        match self {
            Self::Run(run) => run.reads_stdin(),
            Self::Exec(exec) => exec.reads_stdin(),
            _ => false,
        }
    }

    /// Runs code without a soft reset, so that it sees what earlier programs left.
    fn keep_interpreter(&mut self) {
        match self {
            Self::Run(run) => run.keep_interpreter(),
            Self::Exec(exec) => exec.keep_interpreter(),
            Self::Eval(eval) => eval.keep_interpreter(),
            _ => {}
        }
    }

    /// Whether it opens a serial port, so that the settings for one apply.
    fn uses_a_line(&self) -> bool {
        match self {
            Self::List(list) => list.probes(),
            Self::Sleep(_) => false,
            _ => true,
        }
    }
}

/// Warns about a problem, if the command goes on.
fn tell(error: &Error) {
    files::tell_also_failed(error);
    if let Some(hint) = words::hint(error) {
        tracing::info!("{hint}");
    }
}

/// Runs one command at one board.
fn run_command(
    command: BoardCommand,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    match command {
        BoardCommand::List(list) => list::run(&list, serial),
        BoardCommand::Info(info) => info::run(&info, serial, global),
        BoardCommand::Exec(exec) => exec::exec(&exec, serial),
        BoardCommand::Eval(eval) => exec::eval(&eval, serial),
        BoardCommand::Do(steps) => do_steps::run(steps, serial, global),
        BoardCommand::Resume(resume) => self::resume(resume, serial, global),
        BoardCommand::Put(put) => files::put(&put, serial, global),
        BoardCommand::Get(get) => files::get(&get, serial, global),
        BoardCommand::Ls(ls) => files::ls(&ls, serial),
        BoardCommand::Rm(rm) => files::rm(&rm, serial),
        BoardCommand::Mkdir(mkdir) => files::mkdir(&mkdir, serial),
        BoardCommand::Rmdir(rmdir) => files::rmdir(&rmdir, serial),
        BoardCommand::Touch(touch) => files::touch(&touch, serial),
        BoardCommand::Sha256sum(sums) => files::sha256sum(&sums, serial),
        BoardCommand::Cp(cp) => files::cp(&cp, serial, global),
        BoardCommand::Mv(mv) => files::mv(&mv, serial),
        BoardCommand::Cat(cat) => files::cat(&cat, serial),
        BoardCommand::Tree(tree) => files::tree(&tree, serial),
        BoardCommand::Df(df) => files::df(&df, serial),
        BoardCommand::Edit(edit) => edit::run(&edit, serial, global),
        BoardCommand::Sleep(sleep) => mpremote::sleep(&sleep),
        BoardCommand::Fs(fs) => mpremote::fs(fs, serial, global),
        BoardCommand::Connect(connect) => mpremote::connect(connect, serial, global),
        BoardCommand::Rtc(rtc) => rtc::run(&rtc, serial),
        BoardCommand::Run(run) => run::run(&run, serial),
        BoardCommand::Repl(repl) => repl::run(&repl, serial, global.quiet),
        BoardCommand::Oled(oled) => oled::run(&oled, serial),
        BoardCommand::Monitor(monitor) => monitor::run(&monitor, serial),
        BoardCommand::Reset(reset) => reset::run(&reset, serial),
        #[cfg(feature = "flash")]
        BoardCommand::Flash(flash) => flash::run(&flash, serial, global),
        #[cfg(not(feature = "flash"))]
        BoardCommand::Flash(_) => Err(Error::LeftOut {
            feature: crate::error::Feature::Flash,
        }),
    }
}
