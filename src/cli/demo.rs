//! `udpcli demo`: runs a listener and a sender on this PC, without a board, and shows the output of both.

use clap::Args;

use crate::cli::output;
use crate::demo::{self, DEADLINE, DemoEvent, DemoFailure, DemoObserver, Side};
use crate::error::{Error, Outcome, Startable};
use crate::shutdown::Shutdown;
use crate::terminal::stdout;
use crate::words::catalogue::say;
use crate::words::language;

/// The arguments of `udpcli demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

/// Runs both processes and checks their output.
///
/// # Errors
/// [`Error::Demo`] with what did not arrive, or a process cannot be started.
pub(crate) fn run(_: &DemoArgs) -> Result<Outcome, Error> {
    let shutdown = Shutdown::on_signal().map_err(|source| Error::Start {
        what: Startable::Signals,
        source,
    })?;
    let program = std::env::current_exe().map_err(cannot_start)?;
    let mut shown = DemoPrinter { failure: None };
    let result = demo::run(&program, language::current().tag(), &shutdown, &mut shown);
    if let Some(failure) = shown.failure {
        return Err(failure);
    }
    match result {
        Ok(()) => {
            let lines = format!("\n{}\n{}\n", say!("cli.demo-done"), say!("cli.demo-next"));
            output::print(stdout::wrapped(&lines, 0).as_bytes())
        }
        Err(DemoFailure::Interrupted | DemoFailure::Unread) => Ok(Outcome::Interrupted),
        Err(DemoFailure::Start(source)) => Err(cannot_start(source)),
        Err(DemoFailure::NoListener) => Err(failed(say!("cli.demo-no-listener"))),
        Err(DemoFailure::Late) => Err(failed(say!("cli.demo-late", time = DEADLINE.as_secs()))),
        Err(DemoFailure::Ended(side, status)) => Err(failed(say!(
            "cli.demo-ended",
            name = label(side).trim(),
            status = status
        ))),
        Err(DemoFailure::Lost(side, error)) => Err(failed(say!(
            "cli.demo-lost",
            name = label(side).trim(),
            error = error
        ))),
        Err(DemoFailure::Counted {
            side,
            hello,
            chinese,
        }) => Err(failed(match side {
            Side::Listen => say!("cli.demo-counts-received", hello = hello, chinese = chinese),
            Side::Send => say!("cli.demo-counts-replies", hello = hello, chinese = chinese),
        })),
    }
}

/// The error for a process that cannot be started.
fn cannot_start(source: std::io::Error) -> Error {
    Error::Start {
        what: Startable::SecondUdpcli,
        source,
    }
}

/// The error for a demo that went wrong.
fn failed(problem: String) -> Error {
    Error::Demo { problem }
}

/// The prefix of a process's lines; both have the same width.
fn label(side: Side) -> &'static str {
    match side {
        Side::Listen => "listen",
        Side::Send => "  send",
    }
}

/// Prints the lines of both processes as they arrive.
struct DemoPrinter {
    /// The error of stdout, which ends the demo.
    failure: Option<Error>,
}

impl DemoObserver for DemoPrinter {
    fn event(&mut self, event: DemoEvent<'_>) -> bool {
        let line = match event {
            DemoEvent::Starts(side, args) => {
                let args: Vec<String> = args.iter().map(quoted).collect();
                format!("{} $ udpcli {}\n", label(side), args.join(" "))
            }
            DemoEvent::Data(side, line) => format!("{} | {line}\n", label(side)),
            DemoEvent::Note(side, line) => format!("{} : {line}\n", label(side)),
        };
        let line = stdout::wrapped(&line, label(Side::Send).len() + " : ".len());
        self.failure = output::print(line.as_bytes()).err();
        self.failure.is_none()
    }
}

/// An argument as one would type it.
fn quoted(arg: &&str) -> String {
    if arg.contains([' ', '\\']) {
        format!("\"{arg}\"")
    } else {
        (*arg).to_owned()
    }
}
