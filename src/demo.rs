//! Runs a listener and a sender on this PC, as a user would, and checks what both print.
//!
//! [`run`] reports what they print to a [`DemoObserver`]. The commands and the expected output are those of the README's
//! *Try it*.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;
use crate::wait::{Over, Site, ThreadEnded, Wait};

/// The deadline for the whole demo: ten times its usual duration.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// How often to poll for Ctrl-C while there is no output.
const TICK: Duration = Duration::from_millis(50);

/// The listener: on loopback and on a free port, so that nothing on this PC is in its way, and without the folder's
/// settings.
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

/// The tutorial's message, as a board sends it.
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

/// A message that arrives damaged if any step does not use UTF-8.
const CHINESE: [&str; 3] = ["你好", "-w", "1s"];

/// A process of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// `udpcli listen`.
    Listen,
    /// `udpcli send`.
    Send,
}

/// What happens in the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DemoEvent<'a> {
    /// A process starts, with these arguments.
    Starts(Side, &'a [&'a str]),
    /// A process printed a line on stdout.
    Data(Side, &'a str),
    /// A process printed a line on stderr.
    Note(Side, &'a str),
}

/// Receives what happens in the demo.
pub(crate) trait DemoObserver {
    /// Takes an event. False if the demo should end, because the reader is gone.
    fn event(&mut self, event: DemoEvent<'_>) -> bool;
}

/// Why the demo failed or ended with another result.
#[derive(Debug)]
pub(crate) enum DemoFailure {
    /// Ctrl-C.
    Interrupted,
    /// The observer ended it.
    Unread,
    /// A process could not be started.
    Start(io::Error),
    /// The listener did not say where it listens.
    NoListener,
    /// The demo took longer than [`DEADLINE`].
    Late,
    /// A process ended with this status.
    Ended(Side, ExitStatus),
    /// The system does not say how a process ended.
    Lost(Side, io::Error),
    /// A process printed another number of datagrams than 3 and 1.
    Counted {
        /// The process.
        side: Side,
        /// Tutorial messages.
        hello: usize,
        /// Chinese messages.
        chinese: usize,
    },
}

/// Runs both processes of `program`, which speaks this language, and checks their output.
///
/// # Errors
/// Why it failed.
pub(crate) fn run(
    program: &Path,
    language: &str,
    shutdown: &Shutdown,
    observer: &mut dyn DemoObserver,
) -> Result<(), DemoFailure> {
    let (lines, heard) = channel();
    let mut transcript = Transcript::new(heard, shutdown.clone(), observer);
    let launcher = Launcher {
        program,
        language,
        lines,
    };
    let mut listen = launcher.start(&LISTEN, Side::Listen, &mut transcript)?;
    // Start the sender only now: datagrams sent before the listener has its socket would be lost.
    let peer = transcript.listening_address()?;
    for (turn, payload) in [&TUTORIAL[..], &CHINESE[..]].into_iter().enumerate() {
        let args = [&["send", &peer], payload].concat();
        let mut send = launcher.start(&args, Side::Send, &mut transcript)?;
        // Each process has two streams.
        transcript.read_until_closed(Side::Send, 2 * (turn + 1))?;
        send.succeeded()?;
    }
    transcript.read_until_closed(Side::Listen, 2)?;
    listen.succeeded()?;
    transcript.check()
}

/// An event on one of a process's two output streams.
enum DemoLine {
    /// A line from stdout.
    Data(String),
    /// A line from stderr.
    Note(String),
    /// The end of the stream.
    Closed,
}

/// Starts processes, whose lines go to one channel.
struct Launcher<'a> {
    /// This program.
    program: &'a Path,
    /// The language that the processes are to speak.
    language: &'a str,
    /// Where the lines go.
    lines: Sender<(Side, DemoLine)>,
}

impl Launcher<'_> {
    /// Starts a process.
    fn start(
        &self,
        args: &[&str],
        side: Side,
        transcript: &mut Transcript<'_>,
    ) -> Result<DemoProcess, DemoFailure> {
        transcript.tell(DemoEvent::Starts(side, args))?;
        let mut child = Command::new(self.program)
            .args(args)
            // The demo reads the output of the processes; the user's logging would mix with it.
            .env_remove("UDPCLI_LOG")
            .env("UDPCLI_LANG", self.language)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(DemoFailure::Start)?;
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, side, DemoLine::Data, self.lines.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, side, DemoLine::Note, self.lines.clone());
        }
        Ok(DemoProcess { side, child })
    }
}

/// A running `udpcli`; dropping it kills the process.
struct DemoProcess {
    /// Which of both it is.
    side: Side,
    /// The process.
    child: Child,
}

impl DemoProcess {
    /// Waits for the end, which must be a success.
    fn succeeded(&mut self) -> Result<(), DemoFailure> {
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(DemoFailure::Ended(self.side, status)),
            Err(error) => Err(DemoFailure::Lost(self.side, error)),
        }
    }
}

impl Drop for DemoProcess {
    fn drop(&mut self) {
        // After a failure the listener would wait for datagrams for ever. `wait` so that no zombie is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Forwards each line, then the end of the stream. `send` fails if the demo has already failed; ignore that.
fn forward(
    stream: impl Read + Send + 'static,
    side: Side,
    said: fn(String) -> DemoLine,
    lines: Sender<(Side, DemoLine)>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = lines.send((side, said(line)));
        }
        let _ = lines.send((side, DemoLine::Closed));
    });
}

/// Reports the lines of both processes as they arrive, and keeps the data lines.
struct Transcript<'a> {
    /// The lines of both.
    heard: Receiver<(Side, DemoLine)>,
    /// Tells of Ctrl-C.
    shutdown: Shutdown,
    /// To whom everything is told.
    observer: &'a mut dyn DemoObserver,
    /// When the demo must be over.
    deadline: Instant,
    /// The lines on stdout so far.
    data: Vec<(Side, String)>,
    /// The streams that have ended, with two for each process.
    closed: Vec<Side>,
}

impl<'a> Transcript<'a> {
    fn new(
        heard: Receiver<(Side, DemoLine)>,
        shutdown: Shutdown,
        observer: &'a mut dyn DemoObserver,
    ) -> Self {
        Self {
            heard,
            shutdown,
            observer,
            deadline: Instant::now() + DEADLINE,
            data: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// Notifies the observer, and ends the demo if the observer returns false.
    fn tell(&mut self, event: DemoEvent<'_>) -> Result<(), DemoFailure> {
        if self.observer.event(event) {
            Ok(())
        } else {
            Err(DemoFailure::Unread)
        }
    }

    /// Waits for the next event.
    fn next(&mut self) -> Result<(Side, DemoLine), DemoFailure> {
        let is_stopped = || self.shutdown.is_asked();
        let mut wait = Wait::at(Site::Demo, &is_stopped).until(self.deadline);
        loop {
            if wait.look() == Some(Over::Interrupted) {
                return Err(DemoFailure::Interrupted);
            }
            match wait.receive(&self.heard, TICK) {
                Some(Ok(next)) => return Ok(next),
                None if Instant::now() < self.deadline => {}
                None | Some(Err(ThreadEnded)) => return Err(DemoFailure::Late),
            }
        }
    }

    /// Reports the next line; returns it if it came from stderr.
    fn read(&mut self) -> Result<Option<String>, DemoFailure> {
        match self.next()? {
            (side, DemoLine::Data(line)) => {
                self.tell(DemoEvent::Data(side, &line))?;
                self.data.push((side, line));
                Ok(None)
            }
            (side, DemoLine::Note(line)) => {
                self.tell(DemoEvent::Note(side, &line))?;
                Ok(Some(line))
            }
            (side, DemoLine::Closed) => {
                self.closed.push(side);
                Ok(None)
            }
        }
    }

    /// Reads the address from the "listening on" line of `udpcli listen`.
    fn listening_address(&mut self) -> Result<String, DemoFailure> {
        while !self.closed.contains(&Side::Listen) {
            if let Some(note) = self.read()?
                && let Some((_, rest)) = note.split_once("listening on ")
                && let Some(address) = rest.split([';', '；']).next()
            {
                return Ok(address.to_owned());
            }
        }
        Err(DemoFailure::NoListener)
    }

    /// Reads lines until this many streams of the process are closed.
    fn read_until_closed(&mut self, side: Side, streams: usize) -> Result<(), DemoFailure> {
        while self.closed.iter().filter(|&&closed| closed == side).count() < streams {
            self.read()?;
        }
        Ok(())
    }

    /// Checks that both processes printed every datagram.
    fn check(&self) -> Result<(), DemoFailure> {
        for side in [Side::Listen, Side::Send] {
            let hello = self.count(side, r" 28 hello message from mPython\r\n");
            let chinese = self.count(side, " 6 你好");
            if (hello, chinese) != (3, 1) {
                return Err(DemoFailure::Counted {
                    side,
                    hello,
                    chinese,
                });
            }
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

#[cfg(test)]
mod tests;
