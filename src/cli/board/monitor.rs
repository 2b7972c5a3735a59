//! `udpcli board monitor`.

mod form;
mod log;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use clap::Args;
use regex::bytes::{Regex, RegexBuilder};

use self::form::{LineForm, LineLayout};
use self::log::LineLog;
use super::board_output::BoardOutput;
use super::{SerialArgs, TextOrJson, session};
use crate::board::mirror::Mirror;
use crate::board::monitor::lines::{LinePiece, PartialLine, QUIET};
use crate::board::monitor::meaning::{DecodedLine, Explained, LineDecoder};
use crate::board::monitor::reader::{self, LineEvent};
use crate::board::native;
use crate::cli::logging::Summary;
use crate::datagram::Timestamp;
use crate::error::{Error, Outcome};
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::Screen;
use crate::terminal::sanitize::{Allowed, for_terminal};
use crate::terminal::{status, stdout};
use crate::text;
use crate::text::expression::syntax_error;
use crate::text::sentence::{Sentence, sentence};
use crate::wait::{Site, Wait};
use crate::words::catalogue::say;

/// The same explanation is not repeated within this time, because a board may restart repeatedly.
const SAID: Duration = Duration::from_secs(10);

/// The size at which the output buffer is flushed.
const BATCH: usize = 256 << 10;

/// How long to drain the board's earlier output after Ctrl-C.
const LAST_LOOK: Duration = Duration::from_millis(300);

/// The memory limit of a compiled regular expression. Its running time is linear in the length of a line.
const MAX_EXPRESSION: usize = 1 << 20;

/// How deep the groups of a regular expression may be nested.
const NESTING: u32 = 50;

/// The arguments of `udpcli board monitor`.
#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    #[arg(long)]
    timestamps: bool,
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    log: Option<PathBuf>,
    #[arg(long, conflicts_with_all = ["filter", "format"])]
    hex: bool,
    #[arg(long, value_name = "RE", value_parser = parse_filter)]
    filter: Option<Regex>,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
    #[arg(long, value_enum, default_value_t = Summary::Text)]
    summary: Summary,
}

/// The regular expression of `--filter`.
fn parse_filter(text: &str) -> Result<Regex, Sentence> {
    RegexBuilder::new(text)
        .size_limit(MAX_EXPRESSION)
        .dfa_size_limit(MAX_EXPRESSION)
        .nest_limit(NESTING)
        .build()
        .map_err(|_| match syntax_error(text, NESTING) {
            Some(error) => (&error).into(),
            None => sentence!("messages.regex-too-large"),
        })
}

impl MonitorArgs {
    /// The layout that the flags ask for. Times and a filter need whole lines.
    fn layout(&self) -> LineLayout {
        match self.format {
            TextOrJson::Json => LineLayout::Json,
            TextOrJson::Text if self.hex => LineLayout::Hex,
            TextOrJson::Text if self.timestamps || self.filter.is_some() => LineLayout::Lines,
            TextOrJson::Text => LineLayout::Bytes,
        }
    }
}

/// Shows the board's output until Ctrl-C.
pub(super) fn run(args: &MonitorArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let log = args.log.as_deref().map(LineLog::open).transpose()?;
    let shutdown = session::shutdown()?;
    let address = session::address(serial)?;
    let events = reader::start(&address, serial.port().is_none(), &shutdown)?;
    // The USB port of a board's own chip has no baud rate.
    if native::of(&address.port).is_some() {
        tracing::info!(say = "boards.watching-native", port = address.port);
    } else {
        tracing::info!(
            say = "monitor.watching",
            port = address.port,
            baud = address.baud
        );
    }
    if reader::raises_lines(&address.port) {
        tracing::info!(say = "monitor.raises-lines", port = address.port);
    }
    let begun = Instant::now();
    let mut monitor = Monitor::new(args, log, shutdown.clone());
    let watched = monitor.watch(&events, &shutdown);
    // Do this after an error, too: the held-back output came before the error.
    let ended = monitor.end();
    // The terminal has shown `^C` on the board's line.
    if shutdown.is_asked() {
        status::end_interrupted_line();
    }
    let counts = monitor.counts;
    args.summary.write(
        "summary",
        || {
            vec![
                sentence!("monitor.lines", n: counts.lines),
                sentence!("summary.bytes", n: counts.bytes),
                sentence!("monitor.reconnects", n: counts.reconnects),
                sentence!("summary.elapsed", time = text::seconds(begun.elapsed())),
            ]
        },
        || {
            serde_json::json!({
                "lines": counts.lines,
                "bytes": counts.bytes,
                "reconnects": counts.reconnects,
                "elapsed": begun.elapsed().as_secs_f64(),
            })
        },
    );
    watched.and(ended)?;
    Ok(Outcome::Done)
}

/// The counts for the summary.
#[derive(Debug, Default, Clone, Copy)]
struct MonitorCounts {
    /// Lines, with those that a filter leaves out.
    lines: u64,
    bytes: u64,
    /// How often the port came back.
    reconnects: u64,
}

/// The board's output on its way to stdout, the log, and stderr.
struct Monitor {
    /// Takes the frames of the OLED out of the output.
    mirror: Mirror,
    /// The incomplete line.
    lines: PartialLine,
    /// Knows what lines mean.
    decoder: LineDecoder,
    /// Formats for stdout.
    form: LineForm,
    /// The file of `--log`.
    log: Option<LineLog>,
    /// Where it goes.
    stdout: BoardOutput,
    /// Whether the reader of stdout is gone.
    reader_gone: bool,
    /// The counts so far.
    counts: MonitorCounts,
    /// The last texts on the OLED.
    texts: String,
    /// When each explanation was last given.
    said: HashMap<String, Instant>,
}

impl Monitor {
    /// A monitor before the first byte.
    fn new(args: &MonitorArgs, log: Option<LineLog>, shutdown: Shutdown) -> Self {
        let layout = args.layout();
        let allowed = if layout == LineLayout::Bytes {
            Allowed::Program
        } else {
            Allowed::Colors
        };
        Self {
            mirror: Mirror::new(),
            lines: PartialLine::default(),
            decoder: LineDecoder::default(),
            form: LineForm::new(layout, args.timestamps, args.filter.clone()),
            log: log.map(|log| log.with_layout(layout)),
            stdout: BoardOutput::allowing(shutdown, allowed),
            reader_gone: false,
            counts: MonitorCounts::default(),
            texts: String::new(),
            said: HashMap::new(),
        }
    }

    /// Takes events until the user ends the run, or the reader of stdout is gone.
    fn watch(&mut self, events: &Receiver<LineEvent>, shutdown: &Shutdown) -> Result<(), Error> {
        let is_stopped = || shutdown.is_asked();
        let mut wait = Wait::at(Site::Monitor, &is_stopped).with_grace(LAST_LOOK);
        while !self.reader_gone && wait.look().is_none() {
            match wait.receive(events, QUIET / 2) {
                Some(Ok(event)) => {
                    self.take(event)?;
                    // Combine all pending events in one write: a board at 115,200 baud sends only some bytes per event.
                    while self.form.len() < BATCH
                        && let Ok(event) = events.try_recv()
                    {
                        self.take(event)?;
                    }
                    self.flush()?;
                }
                Some(Err(_)) => break,
                None => {
                    self.pause()?;
                    // A silent board causes no write, so a closed reader would go unnoticed.
                    self.reader_gone |= stdout::reader_is_gone();
                }
            }
        }
        Ok(())
    }

    /// Shows what was held back.
    fn end(&mut self) -> Result<(), Error> {
        let mut rest = Vec::new();
        self.mirror.finish(&mut rest);
        self.text(&rest, Timestamp::now())?;
        self.end_line()?;
        self.stdout.end()
    }

    /// Flushes the output.
    fn flush(&mut self) -> Result<(), Error> {
        if !self.reader_gone && self.form.len() > 0 {
            self.reader_gone |= !self.stdout.show(self.form.ready())?;
        }
        self.form.clear();
        match &mut self.log {
            Some(log) => log.flush(),
            None => Ok(()),
        }
    }

    /// The formatters for stdout and for the log.
    fn forms(&mut self) -> impl Iterator<Item = &mut LineForm> {
        std::iter::once(&mut self.form).chain(self.log.as_mut().map(LineLog::form))
    }

    /// Handles an event.
    fn take(&mut self, event: LineEvent) -> Result<(), Error> {
        match event {
            LineEvent::Bytes(time, bytes) => {
                self.counts.bytes += bytes.len() as u64;
                for form in self.forms() {
                    form.raw(&bytes, time);
                }
                let (mut plain, mut screens) = (Vec::with_capacity(bytes.len()), Vec::new());
                self.mirror
                    .feed(&bytes, &mut plain, |screen| screens.push(screen.clone()));
                self.text(&plain, time)?;
                for screen in screens {
                    self.screen(&screen, time)?;
                }
            }
            LineEvent::Lost(time, reason) => {
                self.end_line()?;
                for form in self.forms() {
                    form.event(
                        time,
                        "lost",
                        &reason,
                        &say!("monitor.lost", reason = &reason),
                    );
                }
                self.flush()?;
                tracing::warn!(say = "monitor.lost", reason = reason);
            }
            LineEvent::Back(time, port) => {
                self.counts.reconnects += 1;
                for form in self.forms() {
                    form.event(time, "back", &port, &say!("monitor.back", port = &port));
                }
                self.flush()?;
                tracing::info!(say = "monitor.back", port = port);
            }
        }
        Ok(())
    }

    /// Handles the board's output, without the frames of its OLED.
    fn text(&mut self, bytes: &[u8], time: Timestamp) -> Result<(), Error> {
        for form in self.forms() {
            form.printed(bytes);
        }
        let mut lines = std::mem::take(&mut self.lines);
        let mut result = Ok(());
        lines.feed(bytes, time, |piece| {
            let decoded = self.decoder.line(piece.line);
            self.counts.lines += 1;
            if result.is_ok() {
                result = self.piece(&piece, &decoded);
            }
        });
        self.lines = lines;
        result
    }

    /// Shows a line, or a part of one, and explains it.
    fn piece(&mut self, piece: &LinePiece<'_>, decoded: &DecodedLine) -> Result<(), Error> {
        for form in self.forms() {
            form.piece(piece, decoded);
        }
        match &decoded.finding {
            Some(finding) => self.explain(finding, piece.time),
            None => Ok(()),
        }
    }

    /// Prints the explanation of a line below it.
    fn explain(&mut self, finding: &Explained, time: Timestamp) -> Result<(), Error> {
        let sentence = finding.sentence();
        let text = crate::words::catalogue::text(&sentence);
        let last = self.said.get(&text);
        if last.is_some_and(|last| last.elapsed() < SAID) {
            return Ok(());
        }
        // The texts come from the board: they must not exhaust the memory.
        if self.said.len() > 100 {
            self.said.clear();
        }
        self.said.insert(text.clone(), Instant::now());
        if let Some(log) = &mut self.log {
            log.form().note(time, &text);
        }
        self.flush()?;
        tracing::info!(say = "monitor.means", what = sentence.as_value());
        Ok(())
    }

    /// Reports the texts on the OLED, if they have changed.
    fn screen(&mut self, screen: &Screen, time: Timestamp) -> Result<(), Error> {
        for form in self.forms() {
            form.screen(time, screen);
        }
        let texts: Vec<&str> = screen.texts.iter().map(|text| text.text.as_str()).collect();
        let texts = for_terminal(&texts.join(" | ")).into_owned();
        if texts.is_empty() || texts == self.texts {
            return Ok(());
        }
        self.texts.clone_from(&texts);
        if let Some(log) = &mut self.log {
            let note = say!("monitor.oled", texts = &texts);
            log.form().note(time, &note);
        }
        self.flush()?;
        tracing::info!(say = "monitor.oled", texts = texts);
        Ok(())
    }

    /// Shows a partial line if the board pauses.
    fn pause(&mut self) -> Result<(), Error> {
        let mut lines = std::mem::take(&mut self.lines);
        let mut result = Ok(());
        lines.pause(|piece| result = self.piece(&piece, &DecodedLine::default()));
        self.lines = lines;
        result?;
        self.show_rest()
    }

    /// Shows a partial line whose rest will not arrive.
    fn end_line(&mut self) -> Result<(), Error> {
        let mut lines = std::mem::take(&mut self.lines);
        let mut result = Ok(());
        lines.end(|piece| result = self.piece(&piece, &DecodedLine::default()));
        self.lines = lines;
        result?;
        self.show_rest()
    }

    /// Shows output that the formats hold back.
    fn show_rest(&mut self) -> Result<(), Error> {
        let now = Timestamp::now();
        for form in self.forms() {
            form.pause(now);
        }
        self.flush()
    }
}
