//! Command lines that mpremote's users type: `fs ls`, `connect PORT ls`, `sleep 1`, and steps with `+` between them.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use clap::Args;

use super::{SerialArgs, do_steps, repl, run_command, session};
use crate::board::serial_ports;
use crate::cli::board_line::command_start;
use crate::cli::{GlobalArgs, value};
use crate::error::{Error, Outcome};
use crate::wait::{Over, Site, Wait};
use crate::words::catalogue::say;

/// What `udpcli board sleep` takes.
#[derive(Debug, Args)]
pub(super) struct SleepArgs {
    #[arg(value_name = "D", value_parser = value::duration)]
    time: Duration,
}

/// What `udpcli board fs` takes.
#[derive(Debug, Args)]
pub(super) struct FsArgs {
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// What `udpcli board connect` takes.
#[derive(Debug, Args)]
pub(super) struct ConnectArgs {
    device: String,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Waits between two steps.
pub(super) fn sleep(args: &SleepArgs) -> Result<Outcome, Error> {
    let shutdown = session::shutdown()?;
    let is_stopped = || shutdown.is_asked();
    let mut wait = Wait::at(Site::Sleep, &is_stopped).until(Instant::now() + args.time);
    loop {
        match wait.look() {
            Some(Over::Interrupted) => return Ok(Outcome::Interrupted),
            Some(Over::TimeUp) => return Ok(Outcome::Done),
            None => std::thread::sleep(wait.piece(Duration::from_millis(20))),
        }
    }
}

/// The command for files, without the word before it.
pub(super) fn fs(args: FsArgs, serial: &SerialArgs, global: &GlobalArgs) -> Result<Outcome, Error> {
    run_words(args.command, serial, global)
}

/// The command at this port; without a command the prompt, as mpremote opens it.
pub(super) fn connect(
    args: ConnectArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let mut serial = serial.clone();
    match args.device.as_str() {
        "list" => return run_words(vec!["list".into()], &serial, global),
        "auto" => serial.serial.clear(),
        device => serial.serial = vec![port_of(device)?],
    }
    if args.command.is_empty() {
        return repl::run(&repl::ReplArgs::default(), &serial, global.quiet);
    }
    run_words(args.command, &serial, global)
}

/// Runs a command that is given as words.
fn run_words(
    words: Vec<OsString>,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let command =
        do_steps::parse(words).map_err(|(problem, hint)| Error::Usage { problem, hint })?;
    run_command(command, serial, global)
}

/// The port that mpremote means: `port:NAME`, `id:SERIAL`, or its name.
fn port_of(device: &str) -> Result<String, Error> {
    let Some(id) = device.strip_prefix("id:") else {
        return Ok(device.strip_prefix("port:").unwrap_or(device).to_owned());
    };
    let ports = serial_ports::list()?;
    let has_id = |port: &&serial_ports::Listed| {
        let usb = port.usb.as_ref();
        usb.and_then(|usb| usb.serial.as_deref()) == Some(id)
    };
    match ports.iter().find(has_id) {
        Some(port) => Ok(port.name.clone()),
        None => Err(Error::usage_hint(
            say!("mpremote.no-such-id", id = id),
            say!("mpremote.no-such-id.hint"),
        )),
    }
}

/// `board cp main.py : + run main.py` as the steps of `board do`; none if there is no `+`.
pub(in crate::cli) fn with_steps(args: &[OsString]) -> Option<Vec<OsString>> {
    let is_plus = |word: &OsString| word == "+";
    if !args.iter().any(is_plus) {
        return None;
    }
    let begin = command_start(args)?;
    let words = args.get(begin..)?;
    if !words.iter().any(is_plus) {
        return None;
    }
    let mut steps = Vec::new();
    for step in words.split(is_plus) {
        // A word that is not Unicode cannot be part of a text; clap then reports the error.
        let step: Option<Vec<String>> = step.iter().map(|word| word.to_str().map(quoted)).collect();
        let step = step?;
        if !step.is_empty() {
            steps.push(OsString::from(step.join(" ")));
        }
    }
    let mut out = args.get(..begin)?.to_vec();
    out.push("do".into());
    out.extend(steps);
    Some(out)
}

/// A word as [`do_steps`] reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:.,/@%\\".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    // Between ' everything is literal; a ' itself goes between two ".
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}
