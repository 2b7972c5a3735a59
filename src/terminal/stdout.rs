//! Data on stdout. A program gets it byte for byte; a terminal gets it through the filter of [`super::sanitize`], above
//! the status area.
//!
//! A write is whole: it goes on after an interruption and waits where a non-blocking descriptor is full. A reader that
//! went away is an error of the kind [`io::ErrorKind::BrokenPipe`], which no command treats as a failure; for a reader
//! that stopped reading, the write waits until the user ends the run.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};

use super::Size;
use super::job_output::{self, JobOutput};
use super::sanitize::{self, Allowed, Filter};
use super::status;
use super::stream::{self, StreamWriter, WriteOutcome};
use crate::shutdown::Shutdown;
use crate::text::wrap;

/// Writes to stdout in whole buffers.
#[derive(Debug)]
pub struct Stdout {
    /// Writes, and waits for a slow reader.
    writer: StreamWriter,
    /// The filter between the data and a terminal.
    filter: Option<Filter>,
    /// Whether stderr is the same terminal, so that the status area has to make room.
    shares_terminal: bool,
    /// The lane of the output, if several jobs write.
    lane: Option<JobOutput>,
}

impl Stdout {
    /// Waits for a reader that stopped reading, until the user ends the run. On a terminal, only the sequences in
    /// `allowed` pass unchanged.
    #[must_use]
    pub fn new(shutdown: Shutdown, allowed: Allowed) -> Self {
        let lane = JobOutput::current();
        // A sequence that moves the cursor would change the lines of other jobs.
        let allowed = if lane.is_some() {
            Allowed::Colors
        } else {
            allowed
        };
        Self {
            writer: StreamWriter::stdout(shutdown),
            filter: is_terminal().then(|| Filter::new(allowed)),
            shares_terminal: shares_terminal(),
            lane,
        }
    }

    /// Writes everything; stops only if the user ends the run while the reader has stopped reading.
    ///
    /// # Errors
    /// What the system says: the reader has gone, the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<WriteOutcome> {
        let Some(lane) = self.lane.clone() else {
            return self.pass(bytes);
        };
        let lines = lane.lines(bytes);
        // Held for the whole write: lines of two jobs must not mix.
        let _turn = job_output::turn();
        self.pass(&lines)
    }

    /// Writes through the filter, if there is one.
    fn pass(&mut self, bytes: &[u8]) -> io::Result<WriteOutcome> {
        let Some(filter) = &mut self.filter else {
            return self.writer.write(bytes);
        };
        let mut shown = Vec::with_capacity(bytes.len());
        filter.pass(bytes, &mut shown);
        self.show(&shown)
    }

    /// The output has ended: shows the held-back beginning of a control sequence or character.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn end(&mut self) -> io::Result<WriteOutcome> {
        if let Some(lane) = self.lane.clone() {
            let rest = lane.rest();
            let _turn = job_output::turn();
            self.pass(&rest)?;
        }
        let mut shown = Vec::new();
        if let Some(filter) = &mut self.filter {
            filter.end(&mut shown);
        }
        self.show(&shown)
    }

    /// Writes what the filter let through.
    fn show(&mut self, shown: &[u8]) -> io::Result<WriteOutcome> {
        if shown.is_empty() {
            Ok(WriteOutcome::Whole)
        } else if self.shares_terminal {
            status::beside(shown, &mut |bytes| self.writer.write(bytes))
        } else {
            self.writer.write(shown)
        }
    }
}

/// Writes data: byte for byte to a program, and to a terminal without anything that it would act on.
///
/// # Errors
/// What the system says: the reader has gone, the disk is full.
pub fn print(bytes: &[u8]) -> io::Result<WriteOutcome> {
    if let Some(lane) = JobOutput::current() {
        let lines = [&*lane.lines(bytes), &lane.rest()].concat();
        let _turn = job_output::turn();
        return print_now(&lines);
    }
    print_now(bytes)
}

/// As [`print()`], without a lane.
fn print_now(bytes: &[u8]) -> io::Result<WriteOutcome> {
    if is_terminal() {
        write(&sanitize::on_terminal(bytes))
    } else {
        write(bytes)
    }
}

/// Writes text of udpcli's own, with its colours: help.
///
/// # Errors
/// As [`print()`].
pub fn print_styled(text: &str) -> io::Result<WriteOutcome> {
    if !is_terminal() {
        return write(text.as_bytes());
    }
    let mut filter = Filter::new(Allowed::Colors);
    let mut shown = Vec::new();
    filter.pass(text.as_bytes(), &mut shown);
    filter.end(&mut shown);
    write(&shown)
}

/// Breaks each line that is wider than the terminal, and indents its rest. A program gets every line whole.
pub(crate) fn wrapped(text: &str, indent: usize) -> Cow<'_, str> {
    if is_terminal() {
        // One column stays free: Windows' classic console begins a new line as soon as the last one is taken.
        let columns = Size::of_stdout().columns.saturating_sub(1);
        wrap::messages(text, columns, indent).into()
    } else {
        text.into()
    }
}

/// Writes the bytes as they are.
fn write(bytes: &[u8]) -> io::Result<WriteOutcome> {
    let mut stdout = StreamWriter::stdout(Shutdown::current());
    if shares_terminal() {
        status::beside(bytes, &mut |bytes| stdout.write(bytes))
    } else {
        stdout.write(bytes)
    }
}

/// stdout for binary data; not for a terminal.
#[must_use]
pub(crate) fn binary() -> Box<dyn Write + Send> {
    stream::stdout()
}

/// Whether stdout is a terminal.
#[must_use]
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether stdout and stderr are the same terminal.
#[must_use]
pub(crate) fn shares_terminal() -> bool {
    is_terminal() && status::is_terminal() && is_same_device()
}

/// Whether both are the same terminal. A session may have stdout and stderr on two, as with `2>/dev/pts/3`.
#[cfg(unix)]
fn is_same_device() -> bool {
    let device = |stat: rustix::fs::Stat| stat.st_rdev;
    match (
        rustix::fs::fstat(io::stdout()),
        rustix::fs::fstat(io::stderr()),
    ) {
        (Ok(stdout), Ok(stderr)) => device(stdout) == device(stderr),
        _ => true,
    }
}

/// A process has one console.
#[cfg(not(unix))]
fn is_same_device() -> bool {
    true
}

/// Whether stdout's reader went away. A pipe shows this without a write; otherwise the next write does.
#[cfg(target_os = "linux")]
#[must_use]
pub(crate) fn reader_is_gone() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut files = [PollFd::new(&stdout, PollFlags::empty())];
    // A pipe without readers gives POLLERR to its writer (poll(2)), a terminal whose window was closed POLLHUP.
    let gone = PollFlags::ERR | PollFlags::HUP;
    poll(&mut files, Some(&Timespec::default())).is_ok()
        && files.iter().any(|file| file.revents().intersects(gone))
}

/// Not without a write.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub(crate) fn reader_is_gone() -> bool {
    false
}
