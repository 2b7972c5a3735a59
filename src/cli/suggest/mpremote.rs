//! Suggests what to type instead of a command of mpremote.

use clap::{CommandFactory as _, Parser as _};

use super::command_line;
use crate::cli::Cli;
use crate::cli::board_line::command_start;
use crate::words::catalogue::say;

/// For a command of mpremote's that udpcli calls by another name, or lacks, and for commands without a `+` between them.
pub(super) fn hint(words: &[String]) -> Option<String> {
    let begin = command_start(words)?;
    let command = words.get(begin)?;
    let port = |prefix: char, path: &str| {
        let number = command.strip_prefix(prefix)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| format!("{path}{number}"))
    };
    let ports = [('u', "/dev/ttyUSB"), ('a', "/dev/ttyACM"), ('c', "COM")];
    if let Some(port) = ports.iter().find_map(|(prefix, path)| port(*prefix, path)) {
        let mut words = words.to_vec();
        words.splice(begin..=begin, ["-s".to_owned(), port]);
        return Some(say!("usage.write", line = command_line(&words)));
    }
    Some(match command.as_str() {
        "setrtc" => say!("usage.write", line = "udpcli board rtc --set"),
        "version" => say!("usage.write", line = "udpcli --version"),
        "disconnect" | "umount" | "unmount" => say!("mpremote.no-disconnect"),
        "bootloader" => say!("mpremote.no-bootloader"),
        "mount" => say!("mpremote.no-mount"),
        "mip" => say!("mpremote.no-mip"),
        "romfs" => say!("mpremote.no-romfs"),
        _ => return with_plus(words, begin).map(|line| say!("mpremote.plus", line = line)),
    })
}

/// Inserts the `+` between several commands that mpremote accepts without it.
fn with_plus(words: &[String], begin: usize) -> Option<String> {
    let cli = Cli::command();
    let board = cli.find_subcommand("board")?;
    let is_command = |word: &str| board.find_subcommand(word).is_some();
    let is_step = |step: &[String]| {
        let words = step.iter().map(String::as_str);
        Cli::try_parse_from(["udpcli", "board"].into_iter().chain(words)).is_ok()
    };
    // These commands take the next command as their argument.
    let takes_command = |step: &[String]| match step {
        [first] => first == "resume" || first == "fs",
        [first, _] => first == "connect",
        _ => false,
    };
    let ends =
        |step: &[String], word: &str| is_command(word) && !takes_command(step) && is_step(step);
    let mut steps: Vec<Vec<String>> = Vec::new();
    for word in words.get(begin..)? {
        match steps.last_mut() {
            Some(step) if !ends(step, word) => step.push(word.clone()),
            _ => steps.push(vec![word.clone()]),
        }
    }
    let is_meant = steps.len() > 1 && steps.iter().all(|step| is_step(step));
    let mut line = words.get(..begin)?.to_vec();
    line.extend(steps.join(&"+".to_owned()));
    is_meant.then(|| command_line(&line))
}
