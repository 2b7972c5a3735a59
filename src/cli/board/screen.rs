//! A board's output on stdout.

use std::io::{self, IsTerminal as _};

use crate::error::{Error, STDOUT};
use crate::shutdown::Shutdown;
use crate::stream::{WriteOutcome, Writer};
use crate::terminal::Filter;

/// The board's bytes on stdout: filtered for a terminal, unchanged for a pipe.
pub(super) struct Screen {
    stdout: Writer,
    filter: Option<Filter>,
}

impl Screen {
    /// A reader that stopped reading is waited for until the end is asked for.
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self {
            stdout: Writer::stdout(shutdown),
            filter: io::stdout().is_terminal().then(Filter::default),
        }
    }

    /// Shows bytes of the board's. False if the reader went away.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub(super) fn show(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        let out = self.filtered(bytes);
        self.write(&out)
    }

    /// The board's bytes as they go to stdout.
    pub(super) fn filtered(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match &mut self.filter {
            Some(filter) => filter.pass(bytes, &mut out),
            None => out.extend_from_slice(bytes),
        }
        out
    }

    /// Nothing more comes: what was held back is shown.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        if let Some(mut filter) = self.filter.take() {
            let mut out = Vec::new();
            filter.end(&mut out);
            self.write(&out)?;
        }
        Ok(())
    }

    /// Writes what is filtered. False if the reader went away.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        match self.stdout.write(bytes) {
            Ok(WriteOutcome::Whole) => Ok(true),
            Ok(WriteOutcome::Abandoned(_)) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(source) => Err(Error::Write {
                object: STDOUT.to_owned(),
                source,
            }),
        }
    }
}

/// Whether stdout's reader went away. A pipe tells without being written to; elsewhere the next write does.
#[cfg(target_os = "linux")]
pub(super) fn reader_is_gone() -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd as _;
    let stdout = io::stdout();
    let mut files = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let gone = PollFlags::POLLERR | PollFlags::POLLHUP;
    poll(&mut files, PollTimeout::ZERO).is_ok()
        && files
            .iter()
            .any(|file| file.revents().is_some_and(|events| events.intersects(gone)))
}

/// Not without a write.
#[cfg(not(target_os = "linux"))]
pub(super) fn reader_is_gone() -> bool {
    false
}
