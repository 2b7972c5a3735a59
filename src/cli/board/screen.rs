//! A board's output on stdout.

use std::io;

use crate::error::Error;
use crate::file;
use crate::file::STDOUT;
use crate::shutdown::Shutdown;
use crate::terminal::sanitize::Allowed;
use crate::terminal::stdout::Stdout;
use crate::terminal::stream::WriteOutcome;

/// The board's bytes on stdout: filtered for a terminal, unchanged for a pipe.
pub(super) struct Screen(Stdout);

impl Screen {
    /// A reader that stopped reading is waited for until the end is asked for.
    pub(super) fn new(shutdown: Shutdown) -> Self {
        Self::allowing(shutdown, Allowed::Program)
    }

    /// The same, where a terminal gets only what is `allowed`.
    pub(super) fn allowing(shutdown: Shutdown, allowed: Allowed) -> Self {
        Self(Stdout::new(shutdown, allowed))
    }

    /// Shows bytes of the board's. False if the reader went away.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub(super) fn show(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        shown(self.0.write(bytes))
    }

    /// Nothing more comes: what was held back is shown.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        shown(self.0.end()).map(|_| ())
    }
}

fn shown(written: io::Result<WriteOutcome>) -> Result<bool, Error> {
    match written {
        Ok(WriteOutcome::Whole) => Ok(true),
        Ok(WriteOutcome::Abandoned(_)) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(Error::File(file::Error::Write {
            object: STDOUT.to_owned(),
            source,
        })),
    }
}
