//! What is wrong with a command line: clap says it as data (`ErrorKind` and `ContextKind`), the catalogue as sentences.
//!
//! Long because each kind of clap's errors has its sentence and its test here.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{command_path, help, suggest};
use crate::terminal::sanitize;
use crate::text::fullwidth;
use crate::text::sentence::Sentence;
use crate::text::shorten::{shortened, without_middle};
use crate::words;
use crate::words::catalogue::say;

/// The error on one line, and what may help as hints. The argument that they repeat is escaped.
pub(super) fn text(error: &clap::Error, args: &[OsString], color: bool) -> String {
    let (red, bold, reset) = if color {
        ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    let problem = if error.use_stderr() {
        problem(error, args)
    } else {
        say!("usage.message-taken-for-flags")
    };
    let mut text = format!(
        "udpcli: {red}error:{reset} {}\n",
        sanitize::for_terminal(&without_middle(&problem))
    );
    for hint in hints(error, args) {
        let hint = without_middle(&hint);
        let hint = sanitize::for_terminal(&hint);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {bold}hint:{reset} {hint}");
    }
    text
}

/// What clap's error is about.
struct Context<'a>(&'a clap::Error);

impl Context<'_> {
    /// A text of the error.
    fn text(&self, kind: ContextKind) -> Option<&str> {
        match self.0.get(kind)? {
            ContextValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text, shortened: it may be any argument.
    fn short(&self, kind: ContextKind) -> Cow<'_, str> {
        shortened(self.text(kind).unwrap_or_default())
    }

    /// A list of texts.
    fn texts(&self, kind: ContextKind) -> &[String] {
        match self.0.get(kind) {
            Some(ContextValue::Strings(texts)) => texts,
            Some(ContextValue::String(text)) => std::slice::from_ref(text),
            _ => &[],
        }
    }

    /// A number; 0 if there is none.
    fn number(&self, kind: ContextKind) -> isize {
        match self.0.get(kind) {
            Some(ContextValue::Number(number)) => *number,
            _ => 0,
        }
    }
}

/// The environment variable whose value is wrong, if that is where the argument comes from.
fn variable(argument: &str, args: &[OsString]) -> Option<&'static str> {
    let is_typed = args
        .iter()
        .filter_map(|arg| arg.to_str())
        .any(|arg| arg.starts_with("--lang"));
    (argument.starts_with("--lang") && !is_typed).then_some("UDPCLI_LANG")
}

/// The flag whose value is a number below zero, which clap takes for an unknown flag: `--speed -1`.
fn flag_before_number<'a>(argument: &str, args: &'a [OsString]) -> Option<&'a str> {
    let digits = argument.strip_prefix('-')?;
    if !digits.starts_with(|digit: char| digit.is_ascii_digit()) {
        return None;
    }
    let words = args.iter().map(|arg| arg.to_str());
    let pairs = words.clone().zip(words.skip(1));
    let mut pairs = pairs.filter_map(|(word, next)| Some((word?, next?)));
    // Only the first digit is named, as if it were a flag's letter.
    let (flag, _) = pairs.find(|(_, next)| next.starts_with(argument))?;
    (flag.starts_with('-') && flag.len() > 1).then_some(flag)
}

/// What is wrong, on one line.
pub(super) fn problem(error: &clap::Error, args: &[OsString]) -> String {
    let context = Context(error);
    let argument = &*context.short(ContextKind::InvalidArg);
    let argument = variable(argument, args).unwrap_or(argument);
    let value = &*context.short(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::ArgumentConflict => conflict(&context),
        ErrorKind::NoEquals => say!("usage.no-equals", argument = argument),
        ErrorKind::InvalidValue => {
            let values = listed(context.texts(ContextKind::ValidValue));
            match (value.is_empty(), values.is_empty()) {
                (true, true) => say!("usage.no-value", argument = argument),
                (true, false) => {
                    say!("usage.no-value-of", argument = argument, values <- values)
                }
                (false, true) => say!("usage.value", argument = argument, value = value),
                (false, false) => say!(
                    "usage.value-of",
                    argument = argument,
                    value = value,
                    values <- values
                ),
            }
        }
        ErrorKind::InvalidSubcommand => say!(
            "usage.command",
            command = context.short(ContextKind::InvalidSubcommand)
        ),
        ErrorKind::MissingRequiredArgument => say!(
            "usage.missing",
            arguments = context.texts(ContextKind::InvalidArg).join(" ")
        ),
        ErrorKind::MissingSubcommand => say!(
            "usage.no-command",
            command = context.short(ContextKind::InvalidSubcommand),
            commands <- listed(context.texts(ContextKind::ValidSubcommand))
        ),
        ErrorKind::InvalidUtf8 => say!("usage.not-utf-8"),
        ErrorKind::TooManyValues => {
            say!("usage.too-many-values", argument = argument, value = value)
        }
        ErrorKind::TooFewValues => say!(
            "usage.too-few-values",
            argument = argument,
            least = context.number(ContextKind::MinValues),
            given: context.number(ContextKind::ActualNumValues)
        ),
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(source) => say!(
                "usage.value-because",
                argument = argument,
                value = value,
                problem = words::cause(source)
            ),
            None => say!("usage.value", argument = argument, value = value),
        },
        ErrorKind::WrongNumberOfValues => say!(
            "usage.number-of-values",
            argument = argument,
            wanted = context.number(ContextKind::ExpectedNumValues),
            given: context.number(ContextKind::ActualNumValues)
        ),
        ErrorKind::UnknownArgument => match flag_before_number(argument, args) {
            Some(flag) => say!("usage.negative", argument = flag, value = argument),
            None => say!("usage.argument", argument = argument),
        },
        // What clap may add later; help and the version are not errors.
        _ => say!("usage.other", error = on_one_line(error)),
    }
}

/// Two arguments that exclude each other.
fn conflict(context: &Context<'_>) -> String {
    let argument = context.text(ContextKind::InvalidArg).unwrap_or_default();
    match context.texts(ContextKind::PriorArg) {
        [] => say!("usage.conflict-any", argument = argument),
        [other] if other == argument => say!("usage.twice", argument = argument),
        [other] => say!("usage.conflict", argument = argument, other = other),
        others => say!(
            "usage.conflict-several",
            argument = argument,
            others = others.join(" ")
        ),
    }
}

/// The values as a list; one with a space in it in quotes.
fn listed(values: &[String]) -> Vec<Sentence> {
    let values = values.iter().map(|value| {
        if value.contains(char::is_whitespace) {
            Sentence::verbatim(format!("{value:?}"))
        } else {
            Sentence::verbatim(value)
        }
    });
    values.collect()
}

/// clap's own message without the usage below it.
fn on_one_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let message = rendered.strip_prefix("error: ").unwrap_or(&rendered);
    let lines = message.lines().map(str::trim);
    lines
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What to type instead.
fn hints(error: &clap::Error, args: &[OsString]) -> Vec<String> {
    let context = Context(error);
    let mut hints = Vec::new();
    let is_number = flag_before_number(
        context.text(ContextKind::InvalidArg).unwrap_or_default(),
        args,
    );
    match suggest::hint(args) {
        _ if is_number.is_some() => {}
        // What clap guesses from the spelling is not worth more.
        Some(hint) => hints.push(hint),
        None => hints.extend(guesses(&context)),
    }
    let value = context.text(ContextKind::InvalidValue).unwrap_or_default();
    let typed = match std::error::Error::source(error) {
        // A path may have such characters; its errors are of another type.
        Some(source) if source.is::<Sentence>() => fullwidth::faulty(value, &words::cause(source)),
        Some(_) => None,
        None if context.texts(ContextKind::ValidValue).is_empty() => None,
        None => fullwidth::first_typed(value),
    };
    if let Some(typed) = typed {
        hints.push(say!("usage.typed", typed = typed));
    }
    let word = [ContextKind::InvalidSubcommand, ContextKind::InvalidArg]
        .into_iter()
        .find_map(|kind| context.text(kind));
    hints.extend(word.and_then(typed_word));
    match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) if error.use_stderr() => {
            let usage = usage.to_string();
            let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
            // Whatever name the program was started by.
            let arguments = usage.split_once(' ').map_or("", |(_, arguments)| arguments);
            let arguments = as_typed(arguments.trim_end(), args);
            let arguments = help::in_our_words(&arguments);
            hints.push(say!("usage.form", arguments = arguments));
        }
        _ => hints.push(say!("usage.see", command = command_path(args))),
    }
    hints
}

/// For a flag or a command that a Chinese input method typed: how it is written.
pub(super) fn typed_word(word: &str) -> Option<String> {
    let typed = fullwidth::first_typed(word)?;
    let meant = fullwidth::to_ascii(word);
    if !meant.is_ascii() {
        return None;
    }
    // `--port：6000`
    let meant = match meant.split_once([':', '=']) {
        Some((flag, value)) if flag.starts_with("--") => format!("{flag} {value}"),
        _ => meant.into_owned(),
    };
    Some(if typed == '\u{3000}' {
        say!("usage.typed-space", meant = meant)
    } else {
        say!("usage.typed-word", typed = typed, meant = meant)
    })
}

/// Leaves out the flags that clap found in the environment, which it takes for typed.
fn as_typed(usage: &str, args: &[OsString]) -> String {
    let mut usage = usage.to_owned();
    for (long, short, shown) in [
        ("--lang", None, " --lang <LANG>"),
        ("--serial", Some("-s"), " --serial <PORT>"),
    ] {
        let is_typed = args
            .iter()
            .filter_map(|arg| arg.to_str())
            .any(|arg| arg.starts_with(long) || short.is_some_and(|short| arg.starts_with(short)));
        if !is_typed {
            usage = usage.replacen(shown, "", 1);
        }
    }
    usage
}

/// What clap takes for meant.
fn guesses(context: &Context<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    let mut similar =
        |kind, one: fn(&str) -> String, several: fn(Vec<Sentence>) -> String| match context
            .texts(kind)
        {
            [] => {}
            [guess] => hints.push(one(guess)),
            guesses => {
                let quoted = guesses.iter().map(|guess| format!("'{guess}'"));
                hints.push(several(Sentence::verbatim_list(quoted)));
            }
        };
    similar(
        ContextKind::SuggestedSubcommand,
        |guess| say!("usage.similar-command", guess = guess),
        |guesses| say!("usage.similar-commands", guesses <- guesses),
    );
    similar(
        ContextKind::SuggestedArg,
        |guess| say!("usage.similar-argument", guess = guess),
        |guesses| say!("usage.similar-arguments", guesses <- guesses),
    );
    similar(
        ContextKind::SuggestedValue,
        |guess| say!("usage.similar-value", guess = guess),
        |guesses| say!("usage.similar-values", guesses <- guesses),
    );
    let Some(ContextValue::StyledStrs(tips)) = context.0.get(ContextKind::Suggested) else {
        return hints;
    };
    // clap has these as text only: what is in quotes is the data.
    for tip in tips {
        let tip = tip.to_string();
        let quoted: Vec<&str> = tip.split('\'').skip(1).step_by(2).collect();
        hints.push(match quoted.as_slice() {
            [value, line] if tip.starts_with("to pass ") => {
                say!(
                    "usage.as-value",
                    value = shortened(value),
                    line = shortened(line)
                )
            }
            [command, "--"] => say!("usage.after-dashes", command = command),
            [line] if tip.ends_with(" exists") => say!("usage.exists", line = line),
            _ => say!("usage.other", error = tip),
        });
    }
    hints
}

#[cfg(test)]
mod tests {
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
                lines.extend(
                    VALUES.map(|value| with(&[&format!("{flag}={value}"), "--no-such-flag"])),
                );
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
}
