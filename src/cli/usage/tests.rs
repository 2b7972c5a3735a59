//! Tests of `usage.rs`.

use clap::{Arg, ArgAction, Command, CommandFactory as _, Parser as _};

use super::*;
use crate::text::sentence::sentence;
use crate::words::language::{self, Language};

/// What clap itself would print, on one line: English has the same words.
fn of_clap(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let message = rendered.strip_prefix("error: ").expect("an error");
    let lines = message.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty());
    let lines = lines.take_while(|line| {
        !["tip: ", "Usage: ", "For more"]
            .iter()
            .any(|start| line.starts_with(start))
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn command() -> Command {
    let number = |text: &str| {
        text.parse::<u8>()
            .map_err(|_| sentence!("value.whole-number"))
    };
    Command::new("u")
        .subcommand(Command::new("send").arg(Arg::new("x").required(true)))
        .subcommand(Command::new("sent"))
        .subcommand(
            Command::new("list")
                .subcommand_required(true)
                .subcommand(Command::new("all")),
        )
        .arg(Arg::new("n").long("number").value_parser(number))
        .arg(Arg::new("kind").long("kind").value_parser(["a", "b c"]))
        .arg(Arg::new("pair").long("pair").num_args(2))
        .arg(Arg::new("more").long("more").num_args(2..=3))
        .arg(
            Arg::new("path")
                .long("path")
                .value_parser(clap::value_parser!(std::path::PathBuf)),
        )
        .arg(Arg::new("eq").long("eq").require_equals(true))
        .arg(
            Arg::new("quiet")
                .long("quiet")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["n", "kind"]),
        )
}

#[test]
fn every_kind_of_error_is_said_with_the_words_of_clap() {
    let mut kinds = Vec::new();
    for line in [
        "u --nosuch",
        "u --quiett",
        "u nosuch",
        "u senf",
        "u sen",
        "u send",
        "u list",
        "u --number x",
        "u --number",
        "u --number 1 --number 2",
        "u --kind c",
        "u --kind",
        "u --kind a --quiet",
        "u --kind a --number 1 --quiet",
        "u --pair a",
        "u --pair a b c",
        "u --more a",
        "u --eq 1",
        "u --path=",
        "u -- send",
    ] {
        let error = command()
            .try_get_matches_from(line.split(' '))
            .expect_err(line);
        let wanted = of_clap(&error).replace("value.whole-number", "write a whole number");
        assert_eq!(problem(&error, &[]), wanted, "{line}: {:?}", error.kind());
        let rendered = error.render().to_string();
        let tips: Vec<&str> = rendered
            .lines()
            .filter_map(|line| line.trim().strip_prefix("tip: "))
            .collect();
        assert_eq!(guesses(&Context(&error)), tips, "{line}");
        kinds.push(error.kind());
    }
    for kind in [
        ErrorKind::UnknownArgument,
        ErrorKind::InvalidSubcommand,
        ErrorKind::MissingRequiredArgument,
        ErrorKind::MissingSubcommand,
        ErrorKind::ValueValidation,
        ErrorKind::InvalidValue,
        ErrorKind::ArgumentConflict,
        ErrorKind::WrongNumberOfValues,
        ErrorKind::TooFewValues,
        ErrorKind::NoEquals,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} was not made");
    }
}

#[test]
fn a_character_of_an_input_method_is_named() {
    let args: Vec<OsString> = ["u", "--number", "1；"].map(Into::into).to_vec();
    let error = command()
        .try_get_matches_from(&args)
        .expect_err("no number");
    let text = text(&error, &args, false);
    assert!(text.contains("hint: ； was typed with a Chinese"), "{text}");
}

#[test]
fn a_flag_of_an_input_method_is_written_as_it_is_meant() {
    let args: Vec<OsString> = ["u", "——number", "1"].map(Into::into).to_vec();
    let error = command()
        .try_get_matches_from(&args)
        .expect_err("no such flag");
    let text = text(&error, &args, false);
    let hint = "hint: — was typed with a Chinese input method: write --number\n";
    assert!(text.contains(hint), "{text}");
}

/// Two English words side by side: a sentence that nobody translated. What is typed, a command line or a list of
/// names, does not count.
fn english(text: &str) -> Option<String> {
    let is_word = |word: &&str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase());
    for line in text.lines() {
        let (prose, _) = line.split_once("udpcli ").unwrap_or((line, ""));
        let prose = prose.replace("hint: ", "");
        let words: Vec<&str> = prose.split(' ').collect();
        if let Some(pair) = words.windows(2).find(|pair| pair.iter().all(is_word)) {
            return Some(pair.join(" "));
        }
    }
    None
}

/// Every command and subcommand, with its path.
fn commands(command: &Command, path: &[String], into: &mut Vec<(Vec<String>, Command)>) {
    into.push((path.to_vec(), command.clone()));
    for sub in command.get_subcommands() {
        let path = [path, &[sub.get_name().to_owned()]].concat();
        commands(sub, &path, into);
    }
}

/// Each argument of each command with values that it does not take.
fn wrong_lines() -> Vec<Vec<String>> {
    const VALUES: [&str; 9] = [
        "",
        "x",
        "-1",
        "0",
        "1；",
        "99999999999999999999",
        "1.2.3:4",
        "1，2，3，4：5",
        "@",
    ];
    let mut all = Vec::new();
    commands(&crate::cli::Cli::command(), &["u".to_owned()], &mut all);
    let mut lines = Vec::new();
    for (path, command) in all {
        let with = |words: &[&str]| {
            let words = words.iter().map(|&word| word.to_owned());
            path.iter().cloned().chain(words).collect::<Vec<_>>()
        };
        lines.push(with(&[]));
        lines.push(with(&["--no-such-flag"]));
        lines.push(with(&["no-such-word", "--no-such-flag"]));
        for value in VALUES {
            lines.push(with(&["--", value, "--no-such-flag"]));
        }
        let flags: Vec<String> = command
            .get_arguments()
            .filter_map(|argument| argument.get_long().map(|long| format!("--{long}")))
            .collect();
        for flag in &flags {
            lines.push(with(&[flag]));
            lines.push(with(&[flag, flag]));
            lines.extend(flags.iter().map(|other| with(&[flag, "1", other, "1"])));
            lines.extend(flags.iter().map(|other| with(&[flag, other])));
            lines.extend(VALUES.map(|value| with(&[&format!("{flag}={value}"), "--no-such-flag"])));
        }
    }
    lines
}

#[test]
fn no_usage_error_has_english_sentences_in_chinese() {
    let mut wrong = std::collections::BTreeSet::new();
    let mut count = 0;
    for line in wrong_lines() {
        // Some values are checked by code that says what is wrong at once.
        let parse = || crate::cli::Cli::try_parse_from(&line);
        let Err(error) = language::within(Language::Chinese, parse) else {
            continue;
        };
        // A command without its subcommand is answered with help, unless `UDPCLI_LANG` counts as an argument.
        let is_alone = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        if !error.use_stderr() || is_alone {
            continue;
        }
        count += 1;
        let args: Vec<OsString> = line.iter().map(Into::into).collect();
        let text = language::within(Language::Chinese, || text(&error, &args, false));
        let is_chinese = |line: &str| line.contains(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        if let Some(words) = english(&text) {
            wrong.insert(format!("{words:?} in {text}"));
        }
        for line in text.lines().filter(|line| !is_chinese(line)) {
            wrong.insert(format!("no Chinese in {line:?}"));
        }
    }
    assert!(count > 1000, "only {count} errors were made");
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(english("error: invalid value 'x'").is_some());
}
