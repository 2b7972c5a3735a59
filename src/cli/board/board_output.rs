//! Writes a board's output to stdout.

use std::io;

use crate::error::Error;
use crate::file;
use crate::file::stdout_name;
use crate::shutdown::Shutdown;
use crate::terminal::sanitize::Allowed;
use crate::terminal::stdout::Stdout;
use crate::terminal::stream::WriteOutcome;

/// A writer for the board's bytes: filtered on a terminal, unchanged in a pipe.
pub(super) struct BoardOutput(Stdout);

impl BoardOutput {
    /// Waits for a reader that stalls, until the user presses Ctrl-C.
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self::allowing(shutdown, Allowed::Program)
    }

    /// The same, with another set of control sequences for a terminal.
    pub(super) fn allowing(shutdown: Shutdown, allowed: Allowed) -> Self {
        Self(Stdout::new(shutdown, allowed))
    }

    /// Writes bytes of the board. False if the reader is gone.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub(super) fn show(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        shown(self.0.write(bytes))
    }

    /// There is no more output: writes the buffered rest.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        shown(self.0.end()).map(|_| ())
    }
}

/// False if the reader is gone: the board may run on, and the command ends in its usual way.
fn shown(written: io::Result<WriteOutcome>) -> Result<bool, Error> {
    match written {
        Ok(WriteOutcome::Whole) => Ok(true),
        Ok(WriteOutcome::Abandoned(_)) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(Error::File(file::Error::Write {
            object: stdout_name(),
            source,
        })),
    }
}
