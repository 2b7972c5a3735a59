//! How far it is, on stderr: one line drawn again and again on a terminal, otherwise a line every tenth.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr as _;

use crate::board::flash::Report;
use crate::board::flash::layout::{Layout, rows};
use crate::cli::GlobalArgs;
use crate::error::seconds;
use crate::payload::escape;

/// A terminal's line is drawn at most so often.
const REDRAW: Duration = Duration::from_millis(100);

/// Cells of the bar.
const BAR: usize = 24;

/// Tells of progress.
#[derive(Debug)]
pub(super) struct Progress {
    quiet: bool,
    terminal: bool,
    /// What is under way, since when, and how far it had come then.
    doing: String,
    since: Instant,
    from: u64,
    drawn: Option<Instant>,
    tenth: u64,
    /// The plan is kept for stdout, and not told.
    keeps_plan: bool,
    plan: String,
}

impl Progress {
    /// `keeps_plan`: for [`Self::plan_text`], where it is the answer that goes to stdout.
    pub(super) fn new(global: &GlobalArgs, keeps_plan: bool) -> Self {
        Self {
            quiet: global.quiet,
            terminal: io::stderr().is_terminal(),
            doing: String::new(),
            since: Instant::now(),
            from: 0,
            drawn: None,
            tenth: 0,
            keeps_plan,
            plan: String::new(),
        }
    }

    /// The plan as a table.
    pub(super) fn plan_text(&self) -> &str {
        &self.plan
    }

    /// Ends the line that is being drawn.
    pub(super) fn end(&mut self) {
        if self.drawn.take().is_some() {
            let _ = io::stderr().write_all(b"\n");
        }
        self.doing.clear();
    }

    /// `writing a.bin  42 %  655360 of 1556784 bytes, 91.2 kB/s, 10s left`
    fn line(&self, done: u64, total: u64) -> String {
        let elapsed = self.since.elapsed().as_secs_f64();
        let moved = done.saturating_sub(self.from) as f64;
        let rate = if elapsed > 0.05 { moved / elapsed } else { 0.0 };
        let percent = done * 100 / total.max(1);
        let mut line = format!("{percent:>3} %  {done} of {total} bytes");
        if rate > 0.0 {
            let _ = write!(line, ", {:.1} kB/s", rate / 1e3);
            if done < total {
                let left = Duration::try_from_secs_f64((total - done) as f64 / rate);
                let left = Duration::from_secs(left.map_or(0, |left| left.as_secs() + 1));
                let _ = write!(line, ", {} left", seconds(left));
            }
        }
        line
    }
}

/// Cuts `text` to one line of the terminal: a second one could not be drawn over.
fn fit(mut text: String) -> String {
    let columns = terminal_size::terminal_size_of(io::stderr())
        .map_or(80, |(terminal_size::Width(columns), _)| {
            usize::from(columns)
        });
    while text.width() >= columns.max(2) {
        text.pop();
    }
    text
}

impl Report for Progress {
    fn note(&mut self, text: &str) {
        if self.drawn.take().is_some() {
            let _ = io::stderr().write_all(b"\n");
        }
        tracing::info!("{}", escape::for_terminal(text));
    }

    fn plan(&mut self, layout: &Layout) {
        self.plan = rows::text(&layout.rows);
        if !self.keeps_plan {
            for line in self.plan.lines() {
                tracing::info!("{line}");
            }
        }
        for note in &layout.notes {
            self.note(note);
        }
    }

    fn progress(&mut self, doing: &str, done: u64, total: u64) {
        if self.quiet {
            return;
        }
        if doing != self.doing {
            self.end();
            doing.clone_into(&mut self.doing);
            self.since = Instant::now();
            self.from = done;
            self.tenth = 0;
        }
        let whole = done >= total;
        if self.terminal {
            let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW);
            if !due && !whole {
                return;
            }
            let filled = usize::try_from(done * BAR as u64 / total.max(1))
                .unwrap_or(BAR)
                .min(BAR);
            let bar = format!("{}{}", "█".repeat(filled), "░".repeat(BAR - filled));
            let doing = escape::for_terminal(doing);
            let text = fit(format!("{doing} {bar} {}", self.line(done, total)));
            let line = format!("\r\x1b[K{text}");
            let _ = io::stderr().write_all(line.as_bytes());
            self.drawn = Some(Instant::now());
            if whole {
                self.end();
            }
            return;
        }
        let tenth = done * 10 / total.max(1);
        if tenth > self.tenth || whole {
            self.tenth = tenth;
            tracing::info!("{} {}", escape::for_terminal(doing), self.line(done, total));
        }
    }
}
