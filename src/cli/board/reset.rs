//! `udpcli board reset`.

use clap::Args;

use super::{SerialArgs, session};
use crate::board::repl::Repl;
use crate::error::{Error, Outcome};

/// Soft or hard reset; the board's main.py starts
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli board reset          the interpreter starts anew, the serial line stays
  udpcli board reset --hard   as the RESET button does, through the control lines")]
pub struct ResetArgs {
    /// Reset through the control lines DTR and RTS, as the RESET button does
    #[arg(long)]
    hard: bool,
}

/// Resets the board.
pub(super) fn run(args: &ResetArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let mut link = session::open(serial, session::shutdown()?)?;
    if args.hard {
        link.hard_reset()?;
        tracing::info!("hard reset of the board on {}", link.name());
        return Ok(Outcome::Done);
    }
    let repl = Repl::enter(link)?;
    repl.soft_reset_to_prompt()?;
    tracing::info!("soft reset: the board starts its main.py, if it has one");
    Ok(Outcome::Done)
}
