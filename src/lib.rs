//! udpcli, the PC side of the mPython board's UDP tutorial, as a library: `main` is a thin shell around [`run`].
//!
//! The public items are what the binary and the tests reach; they are not a stable interface.
//!
//! # Layout
//!
//! - [`cli`] turns arguments into plans, calls the rest and reports; [`words`] turns errors into sentences.
//! - `pair` tests PC and board, `board` is the serial bridge (the feature `board`); [`udp`] has sockets, the loops of
//!   `send`, `listen` and `relay`, payloads and statistics.
//! - [`capture`] and [`render`] save and print datagrams; [`terminal`] writes to the user. `report` makes an HTML page
//!   of results.
//! - Small modules below them do not use the others.
//!
//! `docs/architecture.md` has the data flow and the invariants.

#![cfg_attr(
    any(not(feature = "board"), not(target_os = "linux")),
    expect(
        dead_code,
        reason = "some shared items serve only the board's commands, some only Linux: batches, its firewalls"
    )
)]

pub mod atomic_file;
#[cfg(feature = "board")]
pub mod board;
pub mod capture;
pub mod cli;
pub mod config;
pub mod datagram;
mod demo;
pub mod error;
pub mod file;
pub mod firewall;
pub mod names;
pub mod os_command;
#[cfg(feature = "board")]
pub mod pair;
pub mod processes;
#[cfg(windows)]
pub mod registry;
pub mod render;
#[cfg_attr(
    not(feature = "board"),
    expect(dead_code, reason = "only the page of pair has all parts")
)]
pub mod report;
pub mod shutdown;
pub mod survey;
pub mod terminal;
pub mod text;
pub mod udp;
pub mod wait;
pub mod words;

use crate::cli::{Cli, Command};
use crate::error::{Error, Outcome, Startable};
use crate::shutdown::Shutdown;

/// Runs the command line.
///
/// # Errors
/// Whatever kept it from being done; [`Error::exit_code`] and [`words::hint`] say more.
pub fn run(cli: Cli) -> Result<Outcome, Error> {
    match cli.command {
        Command::Send(args) => {
            let watch = if args.is_over_at_once() {
                Watch::FromFirstWait
            } else {
                Watch::FromStart
            };
            let run = async |shutdown: &mut _| cli::send::run(args, &cli.global, shutdown).await;
            with_runtime(watch, run)
        }
        Command::Listen(args) => {
            let run = async |shutdown: &mut _| cli::listen::run(args, &cli.global, shutdown).await;
            with_runtime(Watch::FromStart, run)
        }
        #[cfg(feature = "board")]
        Command::Board(args) => {
            watch_signals()?;
            cli::board::run(*args, &cli.global)
        }
        #[cfg(not(feature = "board"))]
        Command::Board(_) => Err(Error::LeftOut {
            feature: error::Feature::Board,
        }),
        #[cfg(feature = "board")]
        Command::Pair(args) => {
            watch_signals()?;
            cli::pair::run(&args, &cli.global)
        }
        #[cfg(not(feature = "board"))]
        Command::Pair(_) => Err(Error::LeftOut {
            feature: error::Feature::Board,
        }),
        Command::Relay(args) => {
            let run = async |shutdown: &mut _| cli::relay::run(args, &cli.global, shutdown).await;
            with_runtime(Watch::FromStart, run)
        }
        Command::Demo(args) => cli::demo::run(&args),
        Command::Doctor(args) => {
            watch_signals()?;
            cli::doctor::run(&args)
        }
        Command::Find(args) => {
            watch_signals()?;
            cli::find::run(&args)
        }
        Command::Messages(args) => cli::messages::run(&args),
        Command::Config(args) => cli::config::run(&args, &cli.global),
        Command::Completions(args) => cli::generate::completions(&args),
        Command::Man(args) => cli::generate::man(&args),
    }
}

/// Watches for signals before the first wait, because a file to read may be a FIFO.
fn watch_signals() -> Result<(), Error> {
    let watched = Shutdown::on_signal();
    watched.map(drop).map_err(|source| Error::Start {
        what: Startable::Signals,
        source,
    })
}

/// Since when a run handles signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    FromStart,
    FromFirstWait,
}

/// Runs on a current-thread runtime that listens to Ctrl-C.
fn with_runtime(
    watch: Watch,
    run: impl AsyncFnOnce(&mut Shutdown) -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    let failed = |source| Error::Start {
        what: Startable::EventLoop,
        source,
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_io().enable_time();
    let mut shutdown = match watch {
        Watch::FromStart => Shutdown::on_signal().map_err(failed)?,
        Watch::FromFirstWait => {
            runtime.on_thread_park(Shutdown::start_at_wait);
            Shutdown::at_first_wait()
        }
    };
    let runtime = runtime.build().map_err(failed)?;
    let result = runtime.block_on(run(&mut shutdown));
    // Do not wait for a name that is still being resolved.
    runtime.shutdown_background();
    result
}
