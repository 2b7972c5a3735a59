//! What is wrong with a command line: clap reports it as data (`ErrorKind` and `ContextKind`), and the catalogue has
//! the sentences.

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

/// The error on one line, and hints. Quoted arguments are escaped.
pub(super) fn text(error: &clap::Error, args: &[OsString], color: bool) -> String {
    let (red, bold, reset) = if color {
        ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    // clap answers the `-h` in `send HOST:PORT -hello` with help, which it does not count as an error.
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

/// The environment variable whose value is wrong, if the argument comes from there.
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
        // For kinds that clap may add later; help and the version are not errors.
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
            others <- Sentence::verbatim_list(others)
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
        // clap's guesses from the spelling are not better.
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
            // Use `udpcli`, whatever name the program was started by.
            let arguments = usage.split_once(' ').map_or("", |(_, arguments)| arguments);
            let arguments = as_typed(arguments.trim_end(), args);
            let arguments = help::in_our_words(&arguments);
            hints.push(say!("usage.form", arguments = arguments));
        }
        _ => hints.push(say!("usage.see", command = command_path(args))),
    }
    hints
}

/// The right spelling of a flag or command that was typed with a Chinese input method.
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

/// Leaves out flags from the environment, which clap counts as typed.
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
    // clap has these only as text: extract the data in quotes.
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
mod tests;
