//! The output of received datagrams: rendered to stdout, saved to a capture, shown on the panel. Writes once per batch.

use std::fmt;
use std::io;

use serde_json::Value;

use crate::capture::Saver;
use crate::cli::GlobalArgs;
use crate::cli::logging::Summary;
use crate::datagram::Datagram;
use crate::datagram::Notes;
use crate::datagram::run::Run;
use crate::error::{Error, Outcome};
use crate::file::{self, stdout_name};
use crate::render::{Format, Renderer, Style};
use crate::shutdown::Shutdown;
use crate::terminal::color;
use crate::terminal::panel::server::ServerPanel;
use crate::terminal::sanitize::Allowed;
use crate::terminal::stdout::{self, Stdout};
use crate::terminal::stream::WriteOutcome;
use crate::text::encoding::TextEncoding;
use crate::text::escape::Audience;
use crate::text::sentence::Sentence;
use crate::udp;
use crate::udp::listen::ListenEnd;
use crate::udp::sink::{Flow, Sink};

/// Flush the rendered text at this size even within a batch, to bound the memory.
const WRITE_AT: usize = 256 << 10;

/// Prints data: unchanged to a pipe or file, sanitised to a terminal. A broken pipe is not an error.
///
/// # Errors
/// stdout cannot be written, for example because the disk is full.
pub(crate) fn print(bytes: &[u8]) -> Result<Outcome, Error> {
    printed(stdout::print(bytes))
}

/// Prints udpcli's own text with colours. A broken pipe is not an error.
///
/// # Errors
/// stdout cannot be written, for example because the disk is full.
pub(crate) fn print_styled(text: &str) -> Result<Outcome, Error> {
    printed(stdout::print_styled(text))
}

/// How to render datagrams on stdout: for a person on a terminal, for a program in a pipe.
pub(super) fn stdout_style(
    format: Format,
    encoding: Option<TextEncoding>,
    global: &GlobalArgs,
) -> Style {
    Style {
        format,
        audience: if stdout::is_terminal() {
            Audience::Terminal
        } else {
            Audience::Pipe
        },
        color: color::of_stdout(global.color.into()),
        encoding: encoding.unwrap_or_default(),
        separator: Vec::new(),
        microseconds: false,
    }
}

/// The outcome of a loop that receives until something ends it. `has_end`: a flag set its end, so a signal came before.
pub(super) fn outcome_of(end: ListenEnd, has_end: bool, shutdown: &Shutdown) -> Outcome {
    match end {
        ListenEnd::Interrupted if has_end => Outcome::Interrupted,
        // The output was abandoned because a stop was requested.
        ListenEnd::ReaderGone if has_end && shutdown.is_asked() => Outcome::Interrupted,
        ListenEnd::Interrupted
        | ListenEnd::Silence
        | ListenEnd::Complete
        | ListenEnd::ReaderGone => Outcome::Done,
    }
}

/// The outcome of a write to stdout.
fn printed(result: io::Result<WriteOutcome>) -> Result<Outcome, Error> {
    match result {
        Ok(WriteOutcome::Whole) => Ok(Outcome::Done),
        // A stop was requested while the reader stalled.
        Ok(WriteOutcome::Abandoned(_)) => Ok(Outcome::Interrupted),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Done),
        Err(source) => Err(Error::File(file::Error::Write {
            object: stdout_name(),
            source,
        })),
    }
}

/// Prints, saves and draws datagrams.
pub(crate) struct DatagramOutput {
    /// `None` if the capture goes to standard output.
    renderer: Option<Renderer>,
    /// Where the text goes.
    stdout: Stdout,
    /// Rendered text that is not written.
    text: Vec<u8>,
    /// The capture, if there is one.
    saver: Option<Saver>,
    /// The panel, if it is shown.
    panel: Option<ServerPanel>,
    /// The first error within a batch; `flush` returns it.
    failure: Option<file::Error>,
    /// Whether the reader of stdout is gone.
    reader_gone: bool,
    /// Called when interfaces or addresses change; returns the address for the panel.
    on_network_change: Option<Box<dyn FnMut() -> String>>,
    /// The format of statistics.
    summary: Summary,
}

impl fmt::Debug for DatagramOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramOutput")
            .field("renderer", &self.renderer)
            .field("saver", &self.saver)
            .finish_non_exhaustive()
    }
}

impl DatagramOutput {
    /// An output that prints with `renderer`, saves with `saver` and draws on `panel`, each if given. If the reader of
    /// stdout stalls, writing blocks until a stop is requested.
    #[must_use]
    pub(crate) fn new(
        renderer: Option<Renderer>,
        saver: Option<Saver>,
        panel: Option<ServerPanel>,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            renderer,
            stdout: Stdout::new(shutdown, Allowed::Colors),
            text: Vec::new(),
            saver,
            panel,
            failure: None,
            reader_gone: false,
            on_network_change: None,
            summary: Summary::default(),
        }
    }

    /// Whether a capture is being written.
    #[cfg(feature = "board")]
    pub(crate) fn saves(&self) -> bool {
        self.saver.is_some()
    }

    /// Sets the format of `--stats`.
    pub(crate) fn tell_counts(&mut self, summary: Summary) {
        self.summary = summary;
    }

    /// Sets the function to call when interfaces or addresses change; it returns the address for the panel.
    pub(crate) fn on_network_change(&mut self, tell: impl FnMut() -> String + 'static) {
        self.on_network_change = Some(Box::new(tell));
    }

    /// Ends the output and leaves the panel on the screen.
    pub(crate) fn end(&mut self) {
        if let Some(panel) = self.panel.take() {
            panel.keep();
        }
    }

    /// Takes one datagram.
    fn datagram(&mut self, datagram: &Datagram<'_>, notes: Notes) {
        if let Some(renderer) = &mut self.renderer {
            renderer.render(datagram, notes, &mut self.text);
        }
        if let Some(saver) = &mut self.saver
            && let Err(error) = saver.add(datagram, notes)
        {
            self.failure.get_or_insert(error);
            // Stop saving: the file contains only complete records.
            self.saver = None;
        }
        if let Some(panel) = &mut self.panel {
            panel.show(datagram);
        }
        if self.text.len() >= WRITE_AT {
            self.write();
        }
    }

    /// Writes the rendered text. A broken pipe is not an error.
    fn write(&mut self) {
        if self.text.is_empty() || self.reader_gone {
            self.text.clear();
            return;
        }
        let result = self.stdout.write(&self.text);
        self.text.clear();
        match result {
            Ok(WriteOutcome::Whole) => {}
            Ok(WriteOutcome::Abandoned(lost)) => {
                tracing::warn!(say = "terminal.reader-stopped", lost);
                self.reader_gone = true;
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.reader_gone = true,
            Err(source) => {
                // Report the error only once: it ends the run.
                self.reader_gone = true;
                self.failure.get_or_insert(file::Error::Write {
                    object: stdout_name(),
                    source,
                });
            }
        }
    }
}

impl Sink for DatagramOutput {
    fn begin(&mut self) -> Result<Flow, udp::error::Error> {
        if let Some(renderer) = &mut self.renderer {
            renderer.begin(&mut self.text);
        }
        self.flush()
    }

    fn decode_with(&mut self, encoding: TextEncoding) {
        if let Some(renderer) = &mut self.renderer {
            renderer.decode_with(encoding);
        }
    }

    fn stats(&mut self, clauses: &dyn Fn() -> Vec<Sentence>, json: &dyn Fn() -> Value) {
        self.summary.write("stats", clauses, json);
    }

    fn network_changed(&mut self) {
        if let Some(tell) = &mut self.on_network_change {
            let address = tell();
            if let Some(panel) = &mut self.panel {
                panel.set_address(&address);
            }
        }
    }

    fn run(&mut self, run: &Run<'_>, notes: &[Notes]) {
        if self.saver.is_none()
            && self.panel.is_none()
            && let Some(renderer) = &mut self.renderer
            && renderer.render_joined(run, &mut self.text)
        {
            if self.text.len() >= WRITE_AT {
                self.write();
            }
            return;
        }
        let mut notes = notes.iter().copied();
        for datagram in run.datagrams() {
            self.datagram(&datagram, notes.next().unwrap_or_default());
        }
    }

    fn flush(&mut self) -> Result<Flow, udp::error::Error> {
        // Flush the capture first, so that every printed datagram is saved.
        if let Some(saver) = &mut self.saver {
            match saver.flush() {
                Ok(()) => self.reader_gone |= saver.reader_is_gone(),
                Err(error) => {
                    self.failure.get_or_insert(error);
                    self.saver = None;
                }
            }
        }
        // Stage the panel before the text, so that both appear in one update of the terminal.
        if let Some(panel) = &mut self.panel {
            panel.stage();
        }
        self.write();
        if let Some(panel) = &self.panel {
            panel.draw();
        }
        match self.failure.take() {
            Some(error) => Err(error.into()),
            None if self.reader_gone => Ok(Flow::ReaderGone),
            None => Ok(Flow::Continue),
        }
    }
}
