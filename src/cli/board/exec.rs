//! `udpcli board exec`, `eval` and `resume`.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use super::{SerialArgs, run, session};
use crate::board::evaluate;
use crate::board::program::source;
use crate::error::{Error, Outcome};

/// A program, and how to run it and show its output.
#[derive(Debug, Default)]
pub(super) struct Program<'a> {
    /// As [`source::as_python`] gives it.
    pub(super) source: &'a [u8],
    /// The program to run instead on the mPython board 3.0.
    pub(super) for_board_3: Option<&'a [u8]>,
    /// Whether to draw the display on a terminal if the program uses it.
    pub(super) mirrors: bool,
    /// The file for the last picture.
    pub(super) image: Option<&'a Path>,
    /// Whether to restart the interpreter first.
    pub(super) soft_reset: bool,
    /// Whether the command ends while the program runs on.
    pub(super) detach: bool,
    /// Whether the program holds a password, which the wire log must not.
    pub(super) has_password: bool,
}

/// What `udpcli board exec` takes.
#[derive(Debug, Args)]
pub(super) struct ExecArgs {
    code: String,
    // mpremote's name is --no-follow.
    #[arg(long, alias = "no-follow", conflicts_with = "mirror")]
    detach: bool,
    #[arg(long)]
    mirror: bool,
    #[arg(long)]
    no_soft_reset: bool,
}

/// What `udpcli board eval` takes.
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    #[arg(value_name = "EXPR", allow_negative_numbers = true)]
    expression: String,
    #[arg(long)]
    no_soft_reset: bool,
}

/// What `udpcli board resume` takes.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(super) command: Vec<OsString>,
}

impl ExecArgs {
    /// Whether the code comes from standard input.
    pub(super) fn reads_stdin(&self) -> bool {
        self.code == "-"
    }

    /// Skips the soft reset.
    pub(super) fn keep_interpreter(&mut self) {
        self.no_soft_reset = true;
    }
}

impl EvalArgs {
    /// Goes on in the interpreter as it is.
    pub(super) fn keep_interpreter(&mut self) {
        self.no_soft_reset = true;
    }
}

/// Runs code.
pub(super) fn exec(args: &ExecArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let shutdown = session::shutdown()?;
    let code = if args.reads_stdin() {
        match run::script(Path::new("-"), &shutdown)? {
            Some(code) => code,
            None => return Ok(Outcome::Interrupted),
        }
    } else {
        source::as_python(args.code.as_bytes())
    };
    let program = Program {
        source: &code,
        mirrors: args.mirror,
        soft_reset: !args.no_soft_reset,
        detach: args.detach,
        ..Program::default()
    };
    run::execute(&program, serial, shutdown)
}

/// Prints the value of an expression.
pub(super) fn eval(args: &EvalArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let code = evaluate::program(&args.expression);
    let program = Program {
        source: &code,
        soft_reset: !args.no_soft_reset,
        ..Program::default()
    };
    let shutdown = session::shutdown()?;
    let outcome = run::execute(&program, serial, shutdown.clone())?;
    // A script that needs the value must see that there is none.
    Ok(if shutdown.is_asked() {
        Outcome::Interrupted
    } else {
        outcome
    })
}
