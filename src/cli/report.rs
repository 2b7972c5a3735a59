//! `--report FILE.html`: the file of the page, and the part about the run that every page has.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::atomic_file::{self, AtomicFile};
use crate::cli::menu;
use crate::error::Error;
use crate::file;
use crate::report::{self, Page};
use crate::shutdown::Shutdown;
use crate::text::sentence::sentence;
use crate::wait::{Site, Wait, Waited};
use crate::words::catalogue::say;
use crate::words::language;

/// How long to wait for a FIFO's reader after Ctrl-C.
const GRACE: Duration = Duration::from_millis(300);

/// Where the page goes.
#[derive(Debug)]
pub(super) struct ReportFile {
    /// The file.
    path: PathBuf,
}

impl ReportFile {
    /// Checks that the file can be written, before the run starts. Leaves nothing behind.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let file = Self {
            path: path.to_owned(),
        };
        // Do not try a device: opening and closing a FIFO gives its reader an end of file.
        if !atomic_file::is_device(path) {
            // The drop removes the temporary file.
            drop(AtomicFile::create(path).map_err(|source| file.failed(source))?);
        }
        Ok(file)
    }

    /// Writes the page, and replaces an existing file. Only a device can block this, until Ctrl-C.
    pub(super) fn write(&self, page: &Page, shutdown: &Shutdown) -> Result<(), Error> {
        let page = report::html(page);
        if !atomic_file::is_device(&self.path) {
            atomic_file::write(&self.path, page.as_bytes())
                .map_err(|source| self.failed(source))?;
        } else if !self.write_device(page, shutdown)? {
            return Ok(());
        }
        tracing::info!(say = "report.written", file = %self.path.display());
        Ok(())
    }

    /// Whether the device accepted the page before Ctrl-C.
    fn write_device(&self, page: String, shutdown: &Shutdown) -> Result<bool, Error> {
        let is_stopped = || shutdown.is_asked();
        let path = self.path.clone();
        let written = Wait::at(Site::WriteDevice, &is_stopped)
            .with_grace(GRACE)
            .call(move || atomic_file::write(&path, page.as_bytes()))
            .map_err(|source| self.failed(source))?;
        match written {
            Waited::Done(written) => written.map(|()| true).map_err(|error| self.failed(error)),
            Waited::Interrupted | Waited::TimeUp => Ok(false),
        }
    }

    /// The error for a page that cannot be written.
    fn failed(&self, source: io::Error) -> Error {
        Error::File(file::Error::Write {
            object: sentence!("report.the-file", file = self.path.display()),
            source,
        })
    }
}

/// The data of a page: its subject, and the command that made it. `clean` takes secrets out.
pub(super) fn data(kind: &str, content: Value, clean: &dyn Fn(&str) -> String) -> Value {
    let command: Vec<_> = env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let mut data = json!({
        "schema": 1,
        "kind": kind,
        "version": env!("CARGO_PKG_VERSION"),
        "language": language::current().tag(),
        "written": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "command": command,
        "system": format!("{} {}", env::consts::OS, env::consts::ARCH),
    });
    if let (Some(data), Value::Object(content)) = (data.as_object_mut(), content) {
        data.extend(content);
    }
    report::map_texts(&mut data, clean);
    data
}

/// When, by which command and where: the last part of a page. `clean` takes secrets out of the command line.
pub(super) fn about(clean: &dyn Fn(&str) -> String) -> (String, Vec<(String, String)>) {
    let time = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S %:z");
    let command: Vec<String> = env::args_os()
        .map(|arg| quoted(&arg.to_string_lossy()))
        .collect();
    (
        say!("report.about"),
        vec![
            (say!("report.time"), time.to_string()),
            (say!("report.command"), clean(&command.join(" "))),
            (
                say!("report.version"),
                format!("udpcli {}", env!("CARGO_PKG_VERSION")),
            ),
            (
                say!("report.system"),
                format!("{} {}", env::consts::OS, env::consts::ARCH),
            ),
        ],
    )
}

/// An argument as one types it in a shell.
fn quoted(arg: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !arg.is_empty() && arg.chars().all(is_plain) {
        arg.to_owned()
    } else {
        menu::quoted(arg)
    }
}
