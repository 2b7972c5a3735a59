//! The wire log: every byte on the serial line with its direction and time, as JSON lines. Users attach it to a report,
//! and `tests/board/wire_log.rs` turns it into a test.
//!
//! A line is `{"t": seconds since the start, "sent": bytes}` or `{.., "got": bytes}`, with the bytes as Latin-1 text,
//! as in the recordings of genuine firmware. `{"t": .., "hidden": length}` replaces sent bytes that may contain a
//! password; `{.., "set": "dtr=1"}` is a change of a control line or the baud rate.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::board::port::Port;

/// The log of one command, shared by its serial lines.
#[derive(Debug, Clone)]
pub struct WireLog(Arc<SharedLog>);

#[derive(Debug)]
struct SharedLog {
    /// Times are counted from here.
    start: Instant,
    /// `None` after a write failed.
    file: Mutex<Option<File>>,
    /// Whether sent bytes are only counted.
    hides: AtomicBool,
}

impl WireLog {
    /// Creates a log, and replaces an old file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(SharedLog {
            start: Instant::now(),
            file: Mutex::new(Some(File::create(path)?)),
            hides: AtomicBool::new(false),
        })))
    }

    /// From now on, logs only the number of sent bytes: they contain an encoded password that cannot be searched for
    /// and masked.
    pub(crate) fn hide(&self) {
        self.0.hides.store(true, Ordering::Relaxed);
    }

    /// Adds a line with the time. After a failed write the log stays as it is, and the command goes on.
    fn write(&self, mut line: Value) {
        let seconds = self.0.start.elapsed().as_secs_f64();
        if let Some(object) = line.as_object_mut() {
            // Microseconds: more digits would only make the file longer.
            object.insert("t".to_owned(), json!((seconds * 1e6).round() / 1e6));
        }
        let mut file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.as_mut().map(|file| writeln!(file, "{line}"));
        if let Some(Err(error)) = written {
            *file = None;
            tracing::warn!(say = "cli.wire-incomplete", error = %error);
        }
    }

    /// Logs bytes that the port has taken.
    fn sent(&self, bytes: &[u8]) {
        if self.0.hides.load(Ordering::Relaxed) {
            self.write(json!({"hidden": bytes.len()}));
        } else {
            self.write(json!({"sent": latin1(bytes)}));
        }
    }
}

/// Each byte as the character with its number, so that JSON can hold bytes that are not UTF-8.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A port with a log.
#[derive(Debug)]
pub(crate) struct Logged {
    /// The wrapped line.
    port: Box<dyn Port>,
    /// Where its bytes are logged.
    log: WireLog,
}

impl Logged {
    /// Adds the log to the port, if there is one.
    #[must_use]
    pub(crate) fn over(port: Box<dyn Port>, log: Option<&WireLog>) -> Box<dyn Port> {
        match log {
            Some(log) => Box::new(Self {
                port,
                log: log.clone(),
            }),
            None => port,
        }
    }

    /// Logs a setting that the port has accepted.
    fn set(&self, what: &str, value: impl Into<u32>, done: io::Result<()>) -> io::Result<()> {
        if done.is_ok() {
            let value: u32 = value.into();
            self.log.write(json!({"set": format!("{what}={value}")}));
        }
        done
    }
}

impl Port for Logged {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let len = self.port.read(buffer, timeout)?;
        let got = buffer.get(..len).unwrap_or_default();
        if !got.is_empty() {
            self.log.write(json!({"got": latin1(got)}));
        }
        Ok(len)
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        let len = self.port.write(bytes, timeout)?;
        let sent = bytes.get(..len).unwrap_or_default();
        if !sent.is_empty() {
            self.log.sent(sent);
        }
        Ok(len)
    }

    fn discard_output(&mut self) {
        self.port.discard_output();
    }

    fn set_dtr(&mut self, level: bool) -> io::Result<()> {
        let done = self.port.set_dtr(level);
        self.set("dtr", level, done)
    }

    fn set_rts(&mut self, level: bool) -> io::Result<()> {
        let done = self.port.set_rts(level);
        self.set("rts", level, done)
    }

    fn show_reader(&mut self) {
        self.port.show_reader();
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        let done = self.port.set_baud(baud);
        self.set("baud", baud, done)
    }

    fn can_change_rate(&self) -> bool {
        self.port.can_change_rate()
    }
}
