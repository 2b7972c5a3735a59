//! `udpcli board reset`.

use clap::Args;

use super::{SerialArgs, session};
use crate::board::repl::Repl;
use crate::error::{Error, Outcome};

/// The arguments of `udpcli board reset`.
#[derive(Debug, Args)]
pub(super) struct ResetArgs {
    #[arg(long)]
    hard: bool,
}

/// Resets the board.
pub(super) fn run(args: &ResetArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let mut link = session::open(serial, session::shutdown()?)?;
    if args.hard {
        link.hard_reset()?;
        // A board with its own USB port vanishes at a reset; the next command would find no port.
        link.await_return()?;
        tracing::info!(say = "board-cli.hard-reset", port = link.name());
        return Ok(Outcome::Done);
    }
    let repl = Repl::enter(link)?;
    repl.soft_reset_to_prompt()?;
    tracing::info!(say = "board-cli.soft-reset");
    Ok(Outcome::Done)
}
