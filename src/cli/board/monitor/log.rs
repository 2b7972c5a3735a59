//! The file of `--log`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::form::{LineForm, LineLayout};
use crate::atomic_file;
use crate::error::Error;
use crate::file;
use crate::words::catalogue::say;

/// A file to which everything is appended.
pub(super) struct LineLog {
    /// For errors.
    path: PathBuf,
    /// Opened for appending, so that earlier logs stay.
    file: File,
    /// Formats for the file.
    form: LineForm,
}

impl LineLog {
    /// Opens or creates the file. Refuses a FIFO or a device, which could block the monitor.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        if atomic_file::is_device(path) {
            return Err(Error::usage_hint(
                say!("monitor.log-device", path = path.display()),
                say!("monitor.log-device.hint"),
            ));
        }
        let file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|source| {
                Error::File(file::Error::Open {
                    path: path.to_owned(),
                    source,
                })
            })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            form: LineForm::of_log(LineLayout::Lines),
        })
    }

    /// The same file in another layout.
    pub(super) fn with_layout(self, layout: LineLayout) -> Self {
        Self {
            form: LineForm::of_log(layout),
            ..self
        }
    }

    /// The formatter.
    pub(super) fn form(&mut self) -> &mut LineForm {
        &mut self.form
    }

    /// Flushes the formatted output.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        let written = self.file.write_all(self.form.ready());
        self.form.clear();
        written.map_err(|source| {
            Error::File(file::Error::Write {
                object: self.path.display().to_string().into(),
                source,
            })
        })
    }
}
