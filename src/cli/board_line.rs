//! The words of a `udpcli board` command line as they were typed, for what is decided before clap or without it.

use std::ffi::OsStr;

use clap::CommandFactory as _;

use crate::cli::Cli;

/// Where the command of `udpcli board` begins in these words, behind board's own flags and their values.
pub(in crate::cli) fn command_start<S: AsRef<OsStr>>(words: &[S]) -> Option<usize> {
    let cli = Cli::command();
    let board = cli.find_subcommand("board")?;
    let flags = || cli.get_arguments().chain(board.get_arguments());
    // A value is not looked at: `+` might be one.
    let has_value = |word: &str| {
        flags().any(|flag| {
            let is_long = word.strip_prefix("--").is_some_and(|name| {
                flag.get_long() == Some(name)
                    || flag
                        .get_all_aliases()
                        .is_some_and(|all| all.contains(&name))
            });
            let is_short = flag.get_short().is_some_and(|short| {
                word.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4]))
            });
            flag.get_action().takes_values() && (is_long || is_short)
        })
    };
    let mut begin = words.iter().position(|word| word.as_ref() == "board")? + 1;
    while let Some(flag) = words
        .get(begin)
        .map(AsRef::as_ref)
        .filter(|word| word.as_encoded_bytes().starts_with(b"-"))
    {
        begin += if flag.to_str().is_some_and(has_value) {
            2
        } else {
            1
        };
    }
    Some(begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_flags_are_no_commands() {
        let start = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let begin = command_start(&words)?;
            words.get(begin).map(ToString::to_string)
        };
        assert_eq!(start("udpcli send board").as_deref(), None);
        for (flags, command) in [
            ("board", "ls"),
            ("board -s COM3", "cp"),
            ("board --line-rate keep --lang zh-CN -v", "put"),
            ("--color always board --serial + --wire f", "run"),
            ("board --baud=115200", "ls"),
        ] {
            let line = format!("udpcli {flags} {command} + ls");
            assert_eq!(start(&line).as_deref(), Some(command), "{line}");
        }
    }
}
