//! `udpcli board`: the serial bridge's subcommands.

mod files;
#[cfg(feature = "flash")]
mod flash;
mod info;
mod list;
mod mirroring;
mod oled;
pub(super) mod password;
mod repl;
mod reset;
mod run;
mod screen;
mod session;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::board::port::DEFAULT_BAUD;
use crate::cli::config::SerialSettings;
use crate::cli::value::TextOrJson;
use crate::cli::{GlobalArgs, complete, value};
use crate::error::{Error, Outcome};

/// The serial bridge: run programs on the board, move files, see its OLED
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli board list                 which port is the board's
  udpcli board info -s /dev/ttyUSB0")]
pub struct BoardArgs {
    /// Which board and how to talk to it.
    #[command(flatten)]
    pub serial: SerialArgs,
    /// What to do with it.
    #[command(subcommand)]
    pub command: BoardCommand,
}

/// Which board, and how to talk to it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serial port")]
pub struct SerialArgs {
    /// Serial port, or socket://HOST:PORT or rfc2217://HOST:PORT [default: the one board found]
    #[arg(
        short,
        long,
        global = true,
        value_name = "PORT",
        add = complete::serial_ports(),
        env = "UDPCLI_SERIAL",
        display_order = 800
    )]
    pub serial: Option<String>,
    /// Baud rate of the serial line [default: 115200]; for board flash, the rate for data
    #[arg(long, global = true, value_name = "N", value_parser = value::baud(), display_order = 801)]
    pub baud: Option<u32>,
    /// How long to try to reach the board
    #[arg(long, global = true, value_name = "D", default_value = "10s", value_parser = value::positive_duration, display_order = 802)]
    pub connect_timeout: Duration,
    /// Log every byte on the serial line to FILE, with its direction and time, as JSON lines
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath, display_order = 803)]
    pub wire: Option<PathBuf>,
    /// What the user's file sets where the command line and the environment do not.
    #[arg(skip)]
    pub settings: SerialSettings,
}

impl SerialArgs {
    /// The rate of the board's prompt.
    fn rate(&self) -> u32 {
        self.baud
            .or_else(|| self.settings.baud())
            .unwrap_or(DEFAULT_BAUD)
    }

    /// The port that the command line or the environment names. A variable that is set to nothing names none.
    fn given_port(&self) -> Option<&str> {
        self.serial.as_deref().filter(|port| !port.is_empty())
    }

    /// The port that is named. An empty name stands for the one board found, above what the user's file says.
    fn port(&self) -> Option<&str> {
        match &self.serial {
            Some(_) => self.given_port(),
            None => self.settings.serial(),
        }
    }
}

/// The subcommands of `udpcli board`.
#[derive(Debug, Subcommand)]
pub enum BoardCommand {
    /// List serial ports, and which of them may be a board
    List(list::ListArgs),
    /// What the board is: firmware, memory, space, Wi-Fi address
    Info(info::InfoArgs),
    /// Run a program in the board's memory and print its output
    Run(run::RunArgs),
    /// Put files and folders onto the board
    Put(files::PutArgs),
    /// Get files and folders from the board
    Get(files::GetArgs),
    /// List files on the board
    Ls(files::LsArgs),
    /// Remove files from the board
    Rm(files::RmArgs),
    /// An interactive terminal to the board's prompt; Ctrl-] leaves
    Repl(repl::ReplArgs),
    /// Show what the board's main.py shows on the OLED
    Oled(oled::OledArgs),
    /// Soft or hard reset; the board's main.py starts
    Reset(reset::ResetArgs),
    /// Write firmware to the board, checked before and verified after
    #[cfg(feature = "flash")]
    Flash(Box<flash::FlashArgs>),
    /// Write firmware to the board: left out of this build
    #[cfg(not(feature = "flash"))]
    Flash(crate::cli::LeftOutArgs),
}

/// Does what `udpcli board` was asked.
///
/// # Errors
/// [`Error::Board`] for everything that the line or the board refuses.
pub fn run(mut args: BoardArgs, global: &GlobalArgs) -> Result<Outcome, Error> {
    if args.command.uses_a_line() {
        args.serial.settings = SerialSettings::read()?;
    }
    let settings = args.serial.settings.clone();
    let result = run_command(args, global);
    if let Err(error) = &result {
        settings.explain(error);
    }
    result
}

impl BoardCommand {
    /// Whether it opens a serial port, so that the settings for one count.
    fn uses_a_line(&self) -> bool {
        match self {
            Self::List(list) => list.probes(),
            _ => true,
        }
    }
}

fn run_command(args: BoardArgs, global: &GlobalArgs) -> Result<Outcome, Error> {
    match args.command {
        BoardCommand::List(list) => list::run(&list, &args.serial),
        BoardCommand::Info(info) => info::run(&info, &args.serial, global),
        BoardCommand::Put(put) => files::put(&put, &args.serial, global),
        BoardCommand::Get(get) => files::get(&get, &args.serial, global),
        BoardCommand::Ls(ls) => files::ls(&ls, &args.serial),
        BoardCommand::Rm(rm) => files::rm(&rm, &args.serial),
        BoardCommand::Run(run) => run::run(&run, &args.serial),
        BoardCommand::Repl(repl) => repl::run(&repl, &args.serial, global.quiet),
        BoardCommand::Oled(oled) => oled::run(&oled, &args.serial),
        BoardCommand::Reset(reset) => reset::run(&reset, &args.serial),
        #[cfg(feature = "flash")]
        BoardCommand::Flash(flash) => flash::run(&flash, &args.serial, global),
        #[cfg(not(feature = "flash"))]
        BoardCommand::Flash(_) => Err(Error::LeftOut { feature: "flash" }),
    }
}
