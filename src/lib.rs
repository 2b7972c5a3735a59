//! udpcli, the PC side of the mPython board's UDP tutorial, as a library: `main` is a thin shell around [`run`].
//!
//! The public items are what the binary and the tests reach; they are no stable interface.
//!
//! # Layout
//!
//! - [`cli`] turns arguments into plans, calls the rest and reports.
//! - [`net`] opens sockets and runs the two loops, [`net::send`] and [`net::listen`], batch by batch.
//! - [`payload`] makes payloads: text, escapes, hex, encodings, sequenced ones, lines and files.
//! - [`render`], [`output`], [`save`] and [`panel`] show what arrived.
//! - [`stats`] counts; [`atomic_file`] writes files whole or not at all; [`wait`] waits for others until Ctrl-C.
//! - `board` is the serial bridge, in the feature of the same name; `pair` tests PC and board over both.
//!
//! `docs/architecture.md` has the data flow and the invariants.

pub mod atomic_file;
#[cfg(feature = "board")]
pub mod board;
pub mod cli;
pub mod error;
pub mod logging;
pub mod net;
pub mod open;
pub mod output;
#[cfg(feature = "board")]
pub mod pair;
pub mod panel;
pub mod payload;
pub mod render;
pub mod save;
pub mod shutdown;
pub mod stats;
pub mod terminal;
pub mod wait;

use crate::cli::{Cli, Command};
use crate::error::{Error, Outcome};
use crate::shutdown::Shutdown;

/// Does what the command line says.
///
/// # Errors
/// Whatever kept it from being done; [`Error::exit_code`] and [`Error::hint`] say more.
pub fn run(cli: Cli) -> Result<Outcome, Error> {
    match cli.command {
        Command::Send(args) => {
            with_runtime(async |shutdown| cli::send::run(args, &cli.global, shutdown).await)
        }
        Command::Listen(args) => {
            with_runtime(async |shutdown| cli::listen::run(args, &cli.global, shutdown).await)
        }
        #[cfg(feature = "board")]
        Command::Board(args) => {
            watch_signals()?;
            cli::board::run(*args, &cli.global)
        }
        #[cfg(not(feature = "board"))]
        Command::Board(_) => Err(Error::LeftOut {
            what: "the serial bridge",
            feature: "board",
        }),
        #[cfg(feature = "board")]
        Command::Pair(args) => {
            watch_signals()?;
            cli::pair::run(&args, &cli.global)
        }
        #[cfg(not(feature = "board"))]
        Command::Pair(_) => Err(Error::LeftOut {
            what: "the serial bridge, which the test of PC and board needs",
            feature: "board",
        }),
        Command::Demo(args) => cli::demo::run(&args),
        Command::Completions(args) => cli::generate::completions(&args),
        Command::Man(args) => cli::generate::man(&args),
    }
}

/// Watches for signals before anything waits: a file to be read may be a FIFO.
#[cfg(feature = "board")]
fn watch_signals() -> Result<(), Error> {
    let watched = Shutdown::on_signal();
    watched.map(drop).map_err(|source| Error::Start {
        what: "watch for Ctrl-C",
        source,
    })
}

/// Runs on a current-thread runtime that listens to Ctrl-C.
fn with_runtime(
    run: impl AsyncFnOnce(&mut Shutdown) -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    let failed = |source| Error::Start {
        what: "event loop",
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(failed)?;
    let mut shutdown = Shutdown::on_signal().map_err(failed)?;
    let result = runtime.block_on(run(&mut shutdown));
    // A name that is still being resolved does not hold up the end.
    runtime.shutdown_background();
    result
}
