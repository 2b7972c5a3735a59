//! `udpcli board do`: several commands over one connection.

use std::ffi::OsString;
use std::io::Read as _;

use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Parser};

use super::{BoardCommand, SerialArgs, run_command, session, stdin, with_held};
use crate::cli::{GlobalArgs, help, usage};
use crate::error::{Error, Outcome};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::stream;
use crate::text::sentence::sentence;
use crate::wait::{Site, Wait, Waited};
use crate::words::catalogue::say;

/// The longest list of steps that is read from standard input.
const MAX_STEPS: u64 = 1 << 20;

/// What `udpcli board do` takes.
#[derive(Debug, Args)]
pub(super) struct DoArgs {
    #[arg(required = true, value_name = "STEP")]
    steps: Vec<String>,
}

/// A command without the flags that belong to `do`: those of the connection and the global ones.
#[derive(Debug, Parser)]
#[command(
    name = "udpcli board",
    no_binary_name = true,
    disable_help_subcommand = true
)]
struct StepArgs {
    #[command(subcommand)]
    command: BoardCommand,
}

/// A step as it was written, and what it is.
struct DoStep {
    /// As the user wrote it, for messages.
    text: String,
    /// The parsed command.
    command: BoardCommand,
}

/// Parses all steps, then runs them one after the other.
pub(super) fn run(
    args: DoArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let shutdown = session::shutdown()?;
    let are_from_stdin = args.steps == ["-"];
    let texts = if are_from_stdin {
        match lines_of_stdin(&shutdown)? {
            Some(lines) => lines,
            None => return Ok(Outcome::Interrupted),
        }
    } else {
        args.steps
    };
    let steps = plan(&texts, are_from_stdin)?;
    let count = steps.len();
    with_held(serial, |serial| {
        for (index, step) in steps.into_iter().enumerate() {
            let (index, text) = (index + 1, step.text);
            tracing::info!(say = "bench.step", index = %index, count = %count, step = %text);
            let result = run_command(step.command, serial, global);
            let outcome = result.map_err(|source| Error::Step {
                index,
                count,
                step: text.clone(),
                source: Box::new(source),
            })?;
            if outcome == Outcome::Interrupted || shutdown.is_asked() {
                tracing::info!(say = "bench.stopped-at", index = %index, count = %count, step = %text);
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Done)
    })
}

/// Parses the steps; reports a mistake in any of them before the board is disturbed.
fn plan(texts: &[String], are_from_stdin: bool) -> Result<Vec<DoStep>, Error> {
    let mut steps = Vec::with_capacity(texts.len());
    let mut has_run_code = false;
    let texts: Vec<&String> = texts
        .iter()
        .filter(|text| words(text).is_none_or(|words| !words.is_empty()))
        .collect();
    if texts.is_empty() {
        return Err(Error::usage(say!("bench.no-steps")));
    }
    for (index, text) in texts.iter().enumerate() {
        let bad = |problem: String, hint: Option<String>| Error::Usage {
            problem: say!(
                "bench.bad-step",
                index = index + 1,
                count = texts.len(),
                step = text,
                problem = problem
            ),
            hint,
        };
        let Some(words) = words(text) else {
            return Err(bad(
                say!("bench.open-quote"),
                Some(say!("bench.open-quote.hint")),
            ));
        };
        let mut command = parse(words.into_iter().map(OsString::from))
            .map_err(|(problem, hint)| bad(problem, hint))?;
        if let Some(name) = command.unfit_for_steps() {
            // These two end only when the user ends them, and the user types there, so standard input must be free.
            let is_last = index + 1 == texts.len() && !are_from_stdin;
            match command {
                BoardCommand::Repl(_) | BoardCommand::Monitor(_) if is_last => {}
                BoardCommand::Repl(_) | BoardCommand::Monitor(_) if !are_from_stdin => {
                    return Err(bad(say!("mpremote.only-last", name = name), None));
                }
                _ => return Err(bad(say!("bench.no-step", name = name), None)),
            }
        }
        if let Some((problem, hint)) = command.unasked() {
            return Err(bad(problem, Some(hint)));
        }
        if are_from_stdin && command.reads_stdin() {
            return Err(bad(say!("bench.stdin-taken"), None));
        }
        // These steps see what an earlier step left in the interpreter.
        if has_run_code && command.is_code() {
            command.keep_interpreter();
        }
        has_run_code |= command.is_code() || matches!(command, BoardCommand::Run(_));
        steps.push(DoStep {
            text: text.trim().to_owned(),
            command,
        });
    }
    Ok(steps)
}

/// Parses a command as `udpcli board` would; returns the problem and a hint if it is invalid.
pub(super) fn parse(
    words: impl IntoIterator<Item = OsString>,
) -> Result<BoardCommand, (String, Option<String>)> {
    const CONNECTION: [&str; 6] = [
        "-s",
        "--serial",
        "--baud",
        "--connect-timeout",
        "--line-rate",
        "--wire",
    ];
    let words: Vec<OsString> = words.into_iter().collect();
    let error = match StepArgs::try_parse_from(&words) {
        Ok(step) => return Ok(step.command),
        Err(error) => error,
    };
    if !error.use_stderr() {
        return Err((say!("bench.step-help"), None));
    }
    // All steps use one connection, so its flags belong before the steps.
    let is_connection = error.kind() == ErrorKind::UnknownArgument
        && words.iter().filter_map(|word| word.to_str()).any(|word| {
            let name = word.split('=').next().unwrap_or_default();
            CONNECTION.contains(&name)
        });
    let problem = usage::problem(&error, &words);
    if is_connection {
        return Err((problem, Some(say!("bench.step-connection"))));
    }
    let typed = words
        .iter()
        .filter_map(|word| word.to_str())
        .find_map(usage::typed_word);
    let hint = typed.or_else(|| {
        let usage = error.get(ContextKind::Usage)?.to_string();
        let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).trim_end();
        Some(say!("bench.step-usage", usage = help::in_our_words(usage)))
    });
    Err((problem, hint))
}

/// The words of a step, as a shell would split them, but for backslashes, which stay as they are: they are part of
/// Windows' paths, of `\xNN` in names, and of Python. Only `\"` is a quotation mark. None if a quotation mark is not
/// closed.
fn words(text: &str) -> Option<Vec<String>> {
    // No argument and no path holds a NUL.
    const BACKSLASH: &str = "\0";
    if text.contains(BACKSLASH) {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\\' && rest.peek() != Some(&'"') {
            kept.push_str(BACKSLASH);
        } else {
            kept.push(character);
        }
    }
    let words = shlex::split(&kept)?;
    Some(
        words
            .into_iter()
            .map(|word| word.replace(BACKSLASH, "\\"))
            .collect(),
    )
}

/// Steps from standard input, one a line; none after Ctrl-C.
fn lines_of_stdin(shutdown: &Shutdown) -> Result<Option<Vec<String>>, Error> {
    let failed = |source| {
        Error::File(file::Error::Read {
            object: sentence!("board-cli.standard-input"),
            source,
        })
    };
    stdin::take();
    let is_stopped = || shutdown.is_asked();
    let waited = Wait::at(Site::ReadScript, &is_stopped).call(|| {
        let mut text = Vec::new();
        let read = stream::stdin().take(MAX_STEPS + 1).read_to_end(&mut text);
        read.map(|_| text)
    });
    let text = match waited.map_err(failed)? {
        Waited::Done(text) => text.map_err(failed)?,
        Waited::Interrupted | Waited::TimeUp => return Ok(None),
    };
    if text.len() as u64 > MAX_STEPS {
        return Err(Error::usage(say!("bench.steps-too-long")));
    }
    let text = String::from_utf8(text).map_err(|_| Error::usage(say!("bench.steps-no-text")))?;
    // The byte-order mark of Windows' editors would be part of the first command.
    let text = text.trim_start_matches('\u{feff}');
    Ok(Some(text.lines().map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_step_is_split_as_in_a_shell_and_keeps_its_backslashes() {
        for (text, expected) in [
            ("put lib :", &["put", "lib", ":"][..]),
            (r#"exec 'print("a\n")'"#, &["exec", r#"print("a\n")"#]),
            (r#"exec "print(\"a\")""#, &["exec", r#"print("a")"#]),
            (r"put C:\lib\a.py :", &["put", r"C:\lib\a.py", ":"]),
            (r#"put "C:\my lib" :"#, &["put", r"C:\my lib", ":"]),
            (r"rm :Fr\x81hst.wav", &["rm", r":Fr\x81hst.wav"]),
            ("ls # all", &["ls"]),
            ("# nothing", &[]),
            ("  ", &[]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        assert_eq!(words("exec 'a"), None);
        assert_eq!(words("a\0b"), None);
    }

    #[test]
    fn steps_are_checked_before_any_is_done() {
        let checked = |steps: &[&str]| {
            let steps: Vec<String> = steps.iter().copied().map(str::to_owned).collect();
            plan(&steps, false).map(|steps| steps.len())
        };
        assert_eq!(
            checked(&["put lib :", "# comment", "", "run main.py"]).unwrap(),
            2
        );
        for (steps, says) in [
            (
                &["ls", "rnu main.py"][..],
                "step 2 of 2: rnu main.py: unrecognized subcommand 'rnu'",
            ),
            (
                &["ls", "exec 'a"],
                "step 2 of 2: exec 'a: a quotation mark is not closed",
            ),
            (
                &["repl", "ls"],
                "step 1 of 2: repl: repl can only be the last step",
            ),
            (&["oled"], "step 1 of 1: oled: oled cannot be a step"),
            (&["do ls"], "do cannot be a step"),
            (&["ls -s COM3"], "unexpected argument '-s' found"),
            (&["ls --help"], "a step cannot show help"),
            (&["# only a comment"], "no steps"),
        ] {
            let error = checked(steps).unwrap_err().to_string();
            assert!(error.contains(says), "{steps:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_step_is_split_or_refused(text in any::<String>()) {
            let _ = words(&text);
        }
    }
}
