//! The command line: definitions that feed parsing, `--help`, completions and the man page alike.

pub mod generate;
pub mod listen;
pub mod send;
pub mod value;

use std::io::Write as _;
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::logging;
use crate::payload::escape;

/// Bold headings, as cargo's help has them; one place so that help and errors agree.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Sends and receives UDP datagrams: the PC half of the mPython board's UDP tutorial.
///
/// Says why when nothing arrives.
#[derive(Debug, Parser)]
#[command(name = "udpcli", version, styles = STYLES, max_term_width = 100, propagate_version = true)]
#[command(after_help = "\
Examples:
  udpcli listen                              what the board sends to this PC's port 6000
  udpcli send 192.168.0.3:6000               the tutorial's client: a message every 2 s until Ctrl-C
  udpcli send 192.168.0.3:6000 hello -w 1s   one datagram, and what comes back within a second

Exit codes: 0 done, 1 the answer is no, 2 usage, 3 the environment said no, 130 cut short by Ctrl-C.")]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send datagrams: the board's UDP client, on the PC
    Send(Box<send::SendArgs>),
    /// Receive datagrams: the board's UDP server, on the PC
    Listen(Box<listen::ListenArgs>),
    /// Print a completion script for a shell
    Completions(generate::CompletionsArgs),
    /// Print the man page
    Man(generate::ManArgs),
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Tell each step as the tutorial does (-v), or everything (-vv)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 900)]
    pub verbose: u8,
    /// Errors only on stderr
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        display_order = 901
    )]
    pub quiet: bool,
    /// Use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", display_order = 902)]
    pub color: Color,
    /// One system call a datagram, as on systems without batches: for comparing
    #[arg(long, global = true, hide = true)]
    pub no_batching: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Prints what clap has to say: help and version to stdout, errors to stderr in our form.
#[must_use]
pub fn report_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A closed pipe is all that can go wrong here.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.render().to_string()
    } else {
        // clap repeats the argument as it came: what it says is escaped, line by line.
        let (red, reset) = if logging::wants_color(ColorChoice::Auto, &std::io::stderr()) {
            ("\x1b[1;31m", "\x1b[0m")
        } else {
            ("", "")
        };
        let rendered = error.render().to_string();
        let message = rendered.strip_prefix("error: ").unwrap_or(&rendered);
        let lines: Vec<_> = message.lines().map(escape::for_terminal).collect();
        format!("udpcli: {red}error:{reset} {}\n", lines.join("\n"))
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(2)
}
