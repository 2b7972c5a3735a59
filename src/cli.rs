//! The command line: definitions that feed parsing, `--help`, completions and the man page alike.

#[cfg(feature = "board")]
pub(crate) mod board;
mod board_line;
pub mod complete;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod find;
pub(crate) mod generate;
pub(crate) mod help;
mod histogram;
mod junit;
pub mod language;
pub(crate) mod listen;
pub mod logging;
mod menu;
pub(crate) mod messages;
mod names;
pub(crate) mod output;
#[cfg(feature = "board")]
pub(crate) mod pair;
pub(crate) mod relay;
mod report;
mod save;
pub(crate) mod send;
mod suggest;
mod usage;
pub(crate) mod value;

use std::process::ExitCode;

use clap::builder::styling::{Ansi256Color, Styles};
use clap::error::ErrorKind;
use clap::{Args, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::render::palette;
use crate::terminal::color::{self, ColorChoice};
use crate::terminal::status;
use crate::words::catalogue::say;

/// Bold headings, as cargo's help has them; one place so that help and errors agree. Not the terminal's own green and cyan,
/// which hardly show on white.
const STYLES: Styles = Styles::styled()
    .header(Ansi256Color(palette::HEADING).on_default().bold())
    .usage(Ansi256Color(palette::HEADING).on_default().bold())
    .literal(Ansi256Color(palette::LITERAL).on_default().bold())
    .placeholder(Ansi256Color(palette::LITERAL).on_default());

/// The maximum width of help.
const HELP_COLUMNS: usize = 100;

/// What udpcli takes.
#[derive(Debug, Parser)]
#[command(name = "udpcli", version, styles = STYLES, max_term_width = HELP_COLUMNS, propagate_version = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Parses a command line.
    ///
    /// # Errors
    /// What clap says of a command line that is wrong, or that asks for help or the version.
    pub fn parse_args(args: &[std::ffi::OsString]) -> Result<Self, clap::Error> {
        if let Some(brief) = send::brief::parse(args) {
            return Ok(brief);
        }
        // Building the definitions of all commands takes longer than a datagram: these two have only their own built.
        // Help, errors and suggestions need all definitions.
        let parsed = match args.get(1).and_then(|arg| arg.to_str()) {
            Some("send") => parse_one("send", args, Command::Send),
            Some("listen") => parse_one("listen", args, Command::Listen),
            _ => None,
        };
        if let Some(parsed) = parsed {
            return Ok(parsed);
        }
        #[cfg(feature = "board")]
        if let Some(steps) = board::with_steps(args) {
            return Self::try_parse_from(steps);
        }
        Self::try_parse_from(args)
    }
}

/// Parses a command line of the command `name`; `None` if it is invalid.
fn parse_one<T: Args>(
    name: &'static str,
    args: &[std::ffi::OsString],
    command: fn(Box<T>) -> Command,
) -> Option<Cli> {
    // Any mistake gives `None`: the full parser then finds it, too, and has the messages for it.
    let definition = GlobalArgs::augment_args(clap::Command::new("udpcli"))
        .disable_help_subcommand(true)
        .subcommand(T::augment_args(clap::Command::new(name)));
    let matches = definition.try_get_matches_from(args).ok()?;
    let (_, of_command) = matches.subcommand()?;
    Some(Cli {
        global: GlobalArgs::from_arg_matches(&matches).ok()?,
        command: command(Box::new(T::from_arg_matches(of_command).ok()?)),
    })
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Send(Box<send::SendArgs>),
    Listen(Box<listen::ListenArgs>),
    #[cfg(feature = "board")]
    Board(Box<board::BoardArgs>),
    #[cfg(not(feature = "board"))]
    Board(LeftOutArgs),
    #[cfg(feature = "board")]
    Pair(Box<pair::PairArgs>),
    #[cfg(not(feature = "board"))]
    Pair(LeftOutArgs),
    Relay(Box<relay::RelayArgs>),
    Demo(demo::DemoArgs),
    Doctor(doctor::DoctorArgs),
    Find(find::FindArgs),
    Messages(messages::MessagesArgs),
    Config(config::ConfigArgs),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
}

/// Any arguments of a command that was left out of this build.
#[cfg(not(feature = "flash"))]
#[derive(Debug, Args)]
pub(crate) struct LeftOutArgs {
    // Accept all arguments, so that the error names the missing command instead of a flag.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) given: Vec<String>,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 900)]
    pub(crate) verbose: u8,
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        display_order = 901
    )]
    pub(crate) quiet: bool,
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", display_order = 902)]
    pub(crate) color: Color,
    #[arg(long, global = true, value_parser = language::ChoiceParser, default_value = "auto", env = "UDPCLI_LANG", hide_env_values = true, value_name = "LANG", display_order = 903)]
    pub(crate) lang: language::Choice,
    // One system call per datagram, as on systems without batches, for comparison.
    #[arg(long, global = true, hide = true)]
    pub(crate) no_batching: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
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

/// Prints clap's output: help and version to stdout, errors to stderr in our form.
#[must_use]
pub fn report_usage(error: &clap::Error) -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if !error.use_stderr() && !is_message_taken_for_help(&args) {
        let color = color::of_stdout(ColorChoice::Auto);
        let text = match error.kind() {
            ErrorKind::DisplayHelp => help::answer(&args, color),
            _ => error.render().to_string(),
        };
        return match output::print_styled(&text) {
            Ok(outcome) => ExitCode::from(outcome.exit_code()),
            Err(error) => {
                logging::report(&error);
                ExitCode::from(error.exit_code())
            }
        };
    }
    // Someone who types `udpcli` alone, or opens it with a double click, gets a menu on a terminal.
    let is_alone = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        || is_command_alone(error.kind(), &args);
    if is_alone && let Some(code) = menu::answered(&args) {
        return code;
    }
    let text = if is_alone && command_path(&args).is_empty() {
        say!("menu.short-help")
    } else if is_alone {
        // The short help, which fits on a screen.
        let asked = [&args[..], &["-h".into()]].concat();
        help::answer(&asked, false)
    } else {
        let color = color::of_stderr(ColorChoice::Auto);
        let text = usage::text(error, &args, color);
        status::print_message(&text, logging::REPORT_INDENT);
        return ExitCode::from(2);
    };
    status::print(&text);
    ExitCode::from(2)
}

/// Whether clap answered `send HOST:PORT -hello` with help, for its `-h`.
fn is_message_taken_for_help(args: &[std::ffi::OsString]) -> bool {
    let short = |word: &str| {
        word.strip_prefix('-')
            .filter(|letters| !letters.starts_with('-'))
            .map(str::to_owned)
    };
    let mut words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    let asks = |word: &str| match short(word) {
        // `-hello` is not a set of short flags, so the user meant a message.
        Some(letters) => suggest::is_short_flags(&letters) && letters.contains(['h', 'V']),
        None => ["help", "--help", "--version"].contains(&word),
    };
    let is_send = words.clone().next() == Some("send");
    is_send && !words.any(asks)
}

/// Whether the user typed only a command that needs a subcommand: `udpcli`, `udpcli board`. With a variable such as
/// `UDPCLI_LANG` set, clap counts its argument as given, and reports an error in place of the help.
fn is_command_alone(kind: ErrorKind, args: &[std::ffi::OsString]) -> bool {
    let typed = args.len().saturating_sub(1);
    kind == ErrorKind::MissingSubcommand && command_path(args).split_whitespace().count() == typed
}

/// The commands at the beginning of the arguments, each with a space before it.
fn command_path(args: &[std::ffi::OsString]) -> String {
    let mut path = String::new();
    let root = <Cli as clap::CommandFactory>::command();
    let mut command = &root;
    // `--lang zh-CN send`: a flag may stand before the command, with its value.
    let mut is_after_flag = false;
    for word in args.iter().skip(1).filter_map(|arg| arg.to_str()) {
        if word.starts_with('-') {
            is_after_flag = !word.contains('=');
            continue;
        }
        let Some(found) = command.find_subcommand(word) else {
            if std::mem::take(&mut is_after_flag) {
                continue;
            }
            break;
        };
        is_after_flag = false;
        path.push(' ');
        path.push_str(found.get_name());
        command = found;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_agree_with_each_other() {
        Cli::command().debug_assert();
    }

    /// The short way parses the same values as the whole definition.
    #[test]
    fn send_and_listen_alone_are_parsed_as_among_all_commands() {
        for line in [
            "udpcli send 127.0.0.1:6000 hello -v",
            "udpcli send --lang zh-CN --color never 127.0.0.1:6000 --size 16 --rate max -q",
            "udpcli send 127.0.0.1:6000 -w 1 --expect x --no-batching -- -x",
            "udpcli listen",
            "udpcli listen -vv -p 1 --port 2 --format json --echo",
        ] {
            let args: Vec<_> = line.split(' ').map(std::ffi::OsString::from).collect();
            let name = args[1].to_str().unwrap();
            let alone = match name {
                "send" => parse_one("send", &args, Command::Send),
                _ => parse_one("listen", &args, Command::Listen),
            };
            let among_all = Cli::try_parse_from(&args).unwrap();
            assert_eq!(
                format!("{:?}", alone.unwrap()),
                format!("{among_all:?}"),
                "{line}"
            );
        }
    }

    #[test]
    fn a_usage_error_is_one_line_and_its_hints() {
        let error = Cli::try_parse_from(["/bin/u", "send", "1.2.3.4"]).unwrap_err();
        let text = usage::text(&error, &[], false);
        let mut lines = text.lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("udpcli: error: invalid value '1.2.3.4' for '<HOST:PORT>'"),
            "{text}"
        );
        assert!(lines.all(|line| line.starts_with("  hint: ")), "{text}");
        let error = Cli::try_parse_from(["/bin/u", "send", "--nosuch"]).unwrap_err();
        let text = usage::text(&error, &[], false);
        assert!(text.contains("  hint: usage: udpcli send"), "{text}");
        let path = |args: &[&str]| command_path(&args.iter().map(Into::into).collect::<Vec<_>>());
        assert_eq!(path(&["u", "--lang", "en", "send", "x"]), " send");
        assert_eq!(path(&["u", "-v", "send", "-w", "1s", "x"]), " send");
        assert_eq!(path(&["u", "--lang=en", "nosuch", "send"]), "");
    }
}
