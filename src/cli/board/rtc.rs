//! `udpcli board rtc`.

use clap::Args;
use serde_json::json;

use super::{SerialArgs, TextOrJson, session};
use crate::board::rtc;
use crate::cli::output;
use crate::error::{Error, Outcome};

/// What `udpcli board rtc` takes.
#[derive(Debug, Args)]
pub(super) struct RtcArgs {
    #[arg(long)]
    set: bool,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Sets the board's clock if requested, and prints its time.
pub(super) fn run(args: &RtcArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    // A function instead of a time: it is called when the board is ready for the time.
    let now = || jiff::Zoned::now().datetime();
    let time = session::with_repl(serial, |repl| Ok(rtc::ask(repl, args.set.then_some(&now))?))?;
    let text = match args.format {
        TextOrJson::Text => format!("{time}\n"),
        TextOrJson::Json => format!("{}\n", json!({"time": time.iso()})),
    };
    output::print(text.as_bytes())
}
