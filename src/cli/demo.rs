//! `udpcli demo`: runs a listener and a sender on this PC, without a board.
//!
//! Runs `udpcli listen` and `udpcli send` as a user would, shows the output of both, and checks it.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::output;
use crate::error::{Error, Outcome};
use crate::shutdown::Shutdown;
use crate::wait::{Ended, Over, Site, Wait};
use crate::words::catalogue::say;
use crate::words::language;

/// The deadline for the whole demo: ten times its usual duration.
const DEADLINE: Duration = Duration::from_secs(30);

/// How often to poll for Ctrl-C while there is no output.
const TICK: Duration = Duration::from_millis(50);

const LISTEN: [&str; 9] = [
    "listen",
    "--bind",
    "127.0.0.1",
    "--port",
    "0",
    "-n",
    "4",
    "--echo",
    "--no-project",
];

const TUTORIAL: [&str; 8] = [
    "-e",
    r"hello message from mPython\r\n",
    "-n",
    "3",
    "-i",
    "500ms",
    "-w",
    "1s",
];

const CHINESE: [&str; 3] = ["你好", "-w", "1s"];

/// The arguments of `udpcli demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {}

/// Runs both processes and checks their output.
///
/// # Errors
/// [`Error::Demo`] with what did not arrive, or a process cannot be started.
pub fn run(_: &DemoArgs) -> Result<Outcome, Error> {
    let shutdown = Shutdown::on_signal().map_err(|source| Error::Start {
        what: "signals",
        source,
    })?;
    let (lines, heard) = channel();
    let mut screen = DemoOutput::new(heard, shutdown);
    match both_sides(&lines, &mut screen) {
        Err(Stop::Interrupted) => Ok(Outcome::Interrupted),
        Err(Stop::Failed(error)) => Err(*error),
        Ok(()) => output::print(
            format!("\n{}\n{}\n", say!("cli.demo-done"), say!("cli.demo-next")).as_bytes(),
        ),
    }
}

/// Why the demo ended early.
enum Stop {
    Interrupted,
    Failed(Box<Error>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

fn failed(problem: impl Into<String>) -> Stop {
    Stop::from(Error::Demo {
        problem: problem.into(),
    })
}

fn both_sides(lines: &Sender<(Side, Said)>, screen: &mut DemoOutput) -> Result<(), Stop> {
    let mut listen = Process::start(&LISTEN, Side::Listen, lines)?;
    let peer = screen.listening_address()?;
    for (turn, payload) in [&TUTORIAL[..], &CHINESE[..]].into_iter().enumerate() {
        let args = [&["send", &peer], payload].concat();
        let mut send = Process::start(&args, Side::Send, lines)?;
        screen.show_until_closed(Side::Send, 2 * (turn + 1))?;
        send.succeeded()?;
    }
    screen.show_until_closed(Side::Listen, 2)?;
    listen.succeeded()?;
    for side in [Side::Listen, Side::Send] {
        let hello = screen.count(side, r" 28 hello message from mPython\r\n");
        let chinese = screen.count(side, " 6 你好");
        if (hello, chinese) != (3, 1) {
            return Err(failed(match side {
                Side::Listen => say!("cli.demo-counts-received", hello = hello, chinese = chinese),
                Side::Send => {
                    say!("cli.demo-counts-replies", hello = hello, chinese = chinese)
                }
            }));
        }
    }
    Ok(())
}

/// The process that printed a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Listen,
    Send,
}

impl Side {
    /// The prefix of its lines; both have the same width.
    fn label(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Send => "  send",
        }
    }
}

/// An event on one of a process's two output streams.
enum Said {
    /// A line from stdout.
    Data(String),
    /// A line from stderr.
    Note(String),
    /// The end of the stream.
    Closed,
}

/// A running `udpcli`; dropping it kills the process.
struct Process {
    side: Side,
    child: Child,
}

impl Process {
    fn start(args: &[&str], side: Side, lines: &Sender<(Side, Said)>) -> Result<Self, Error> {
        let quote = |arg: &&str| {
            if arg.contains([' ', '\\']) {
                format!("\"{arg}\"")
            } else {
                (*arg).to_owned()
            }
        };
        let shown: Vec<String> = args.iter().map(quote).collect();
        output::print(format!("{} $ udpcli {}\n", side.label(), shown.join(" ")).as_bytes())?;
        let cannot_start = |source| Error::Start {
            what: "second-udpcli",
            source,
        };
        let mut child = Command::new(std::env::current_exe().map_err(cannot_start)?)
            .args(args)
            .env_remove("UDPCLI_LOG")
            .env("UDPCLI_LANG", language::current().tag())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot_start)?;
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, side, Said::Data, lines.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, side, Said::Note, lines.clone());
        }
        Ok(Self { side, child })
    }

    fn succeeded(&mut self) -> Result<(), Stop> {
        let name = self.side.label().trim();
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(say!("cli.demo-ended", name = name, status = status))),
            Err(error) => Err(failed(say!("cli.demo-lost", name = name, error = error))),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Forwards each line, then the end of the stream. `send` fails if the demo has already failed; ignore that.
fn forward(
    stream: impl Read + Send + 'static,
    side: Side,
    said: fn(String) -> Said,
    lines: Sender<(Side, Said)>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = lines.send((side, said(line)));
        }
        let _ = lines.send((side, Said::Closed));
    });
}

/// Prints the lines of both processes as they arrive, and keeps the data lines.
struct DemoOutput {
    heard: Receiver<(Side, Said)>,
    shutdown: Shutdown,
    deadline: Instant,
    data: Vec<(Side, String)>,
    closed: Vec<Side>,
}

impl DemoOutput {
    fn new(heard: Receiver<(Side, Said)>, shutdown: Shutdown) -> Self {
        Self {
            heard,
            shutdown,
            deadline: Instant::now() + DEADLINE,
            data: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// Waits for the next event.
    fn next(&mut self) -> Result<(Side, Said), Stop> {
        let is_stopped = || self.shutdown.is_asked();
        let mut wait = Wait::at(Site::Demo, &is_stopped).until(self.deadline);
        loop {
            if wait.look() == Some(Over::Interrupted) {
                return Err(Stop::Interrupted);
            }
            match wait.receive(&self.heard, TICK) {
                Some(Ok(next)) => return Ok(next),
                None if Instant::now() < self.deadline => {}
                None | Some(Err(Ended)) => {
                    return Err(failed(say!("cli.demo-late", time = DEADLINE.as_secs())));
                }
            }
        }
    }

    /// Prints the next line; returns it if it came from stderr.
    fn show(&mut self) -> Result<Option<String>, Stop> {
        match self.next()? {
            (side, Said::Data(line)) => {
                output::print(format!("{} | {line}\n", side.label()).as_bytes())?;
                self.data.push((side, line));
                Ok(None)
            }
            (side, Said::Note(line)) => {
                output::print(format!("{} : {line}\n", side.label()).as_bytes())?;
                Ok(Some(line))
            }
            (side, Said::Closed) => {
                self.closed.push(side);
                Ok(None)
            }
        }
    }

    /// Reads the address from the "listening on" line of `udpcli listen`.
    fn listening_address(&mut self) -> Result<String, Stop> {
        while !self.closed.contains(&Side::Listen) {
            if let Some(note) = self.show()?
                && let Some((_, rest)) = note.split_once("listening on ")
                && let Some(address) = rest.split([';', '；']).next()
            {
                return Ok(address.to_owned());
            }
        }
        Err(failed(say!("cli.demo-no-listener")))
    }

    /// Prints lines until this many streams of the process are closed.
    fn show_until_closed(&mut self, side: Side, streams: usize) -> Result<(), Stop> {
        while self.closed.iter().filter(|&&closed| closed == side).count() < streams {
            self.show()?;
        }
        Ok(())
    }

    /// How many data lines of the process end with `end`.
    fn count(&self, side: Side, end: &str) -> usize {
        self.data
            .iter()
            .filter(|(of, line)| *of == side && line.ends_with(end))
            .count()
    }
}
