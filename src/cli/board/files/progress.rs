//! How far a transfer is, on stderr.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::payload::escape;

/// How often the line is drawn anew.
const REDRAW: Duration = Duration::from_millis(100);

/// One line that is drawn over itself; nothing where stderr is no terminal or only errors are wanted.
#[derive(Debug)]
pub(super) struct Progress {
    is_shown: bool,
    label: String,
    total: u64,
    started: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            is_shown: io::stderr().is_terminal() && !quiet,
            label: String::new(),
            total: 0,
            started: Instant::now(),
            drawn: None,
        }
    }

    /// A new file begins.
    pub(super) fn begin(&mut self, label: &str, total: u64) {
        self.label = escape::for_terminal(label).into_owned();
        self.total = total;
        self.started = Instant::now();
    }

    /// So many of its bytes are over.
    pub(super) fn at(&mut self, done: u64) {
        if !self.is_shown || self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW) {
            return;
        }
        self.drawn = Some(Instant::now());
        let percent = (done * 100).checked_div(self.total).unwrap_or(100);
        let rate = done as f64 / self.started.elapsed().as_secs_f64().max(1e-3) / 1000.0;
        let _ = write!(
            io::stderr(),
            "\r\x1b[K{}  {percent} %  {done} of {} bytes  {rate:.1} kB/s",
            self.label,
            self.total
        );
    }

    /// Clears the line.
    pub(super) fn end(&mut self) {
        if self.drawn.take().is_some() {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
