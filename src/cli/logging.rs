//! Messages for people on stderr: one tracing event per line, and the final error.
//!
//! At info level the line is just the message; warnings and errors have a prefix. The level comes from `-q`, `-v` and
//! `-vv`, or from `UDPCLI_LOG` (`warn`, `udpcli=trace`, `udpcli::udp=debug` ..) if it is set.

use std::error::Error as _;
use std::fmt::{self, Write as _};
use std::io::Write as _;

use fluent_bundle::FluentArgs;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::cli::GlobalArgs;
use crate::error::{BoardFailure, Error};
use crate::terminal::job_output::JobOutput;
use crate::terminal::{color, sanitize, status};
use crate::text::sentence::Sentence;
use crate::text::shorten::without_middle;
use crate::words;

/// Starts logging to stderr. Call it once, before anything else.
pub fn start(args: &GlobalArgs) {
    // Enable escape sequences on the Windows console now, for all later output, including that of a board's program.
    let _ = color::obeys_escapes();
    let color = color::decide(args.color.into());
    let level = match (args.quiet, args.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::INFO,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let asked = std::env::var("UDPCLI_LOG").ok();
    let chosen: Option<Result<Targets, _>> = asked.as_deref().map(str::parse);
    let is_unreadable = matches!(chosen, Some(Err(_)));
    let filter = match chosen {
        Some(Ok(targets)) => targets,
        // Only udpcli's own events: those of tokio and the serial library do not help a user.
        _ => Targets::new().with_target("udpcli", level),
    };
    let log = Log {
        filter,
        most: asked.is_none().then_some(level),
        line: LogLine {
            color,
            is_verbose: args.verbose > 0 || asked.is_some(),
        },
    };
    // If two runs share a process, the first subscriber stays.
    let _ = tracing::subscriber::set_global_default(log);
    // Report this only now, because there was no log before.
    if is_unreadable {
        tracing::warn!(say = "cli.log-filter");
    }
}

/// How far the rest of a long line in a report is indented: further than `hint:`, so that each line's beginning shows.
pub(super) const REPORT_INDENT: usize = 4;

/// Prints events on stderr. udpcli has no spans, so it does without the registry of `tracing_subscriber`, which begins with
/// a table of 4,096 threads.
struct Log {
    /// Which events to print.
    filter: Targets,
    /// The most detailed level of these events, if it is known.
    most: Option<LevelFilter>,
    line: LogLine,
}

impl Subscriber for Log {
    fn enabled(&self, meta: &Metadata<'_>) -> bool {
        self.filter.would_enable(meta.target(), meta.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.most
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        if self.line.format(event, &mut text).is_ok() && !text.is_empty() {
            // What only developers read (-vv) stays one line each.
            let wraps = *event.metadata().level() <= Level::INFO;
            // Nobody is left to hear of it.
            let _ = status::EventLog { wraps }.write_all(text.as_bytes());
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Prints an error, its causes and its hint, each on a line of its own.
pub fn report(error: &Error) {
    let (red, bold, reset) = if color::has_color() {
        ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    let mut text = format!(
        "udpcli: {red}error:{reset} {}{}\n",
        sanitize::for_terminal(&without_middle(&words::message(error))),
        error
            .code()
            .map_or_else(String::new, |code| format!(" [{code}]"))
    );
    let mut cause = error.source();
    while let Some(source) = cause {
        let _ = writeln!(
            text,
            "  caused by: {}",
            sanitize::for_terminal(&without_middle(&words::cause(source)))
        );
        cause = source.source();
    }
    let add_hint = |hint: &str, text: &mut String| {
        let hint = without_middle(hint);
        let hint = sanitize::for_terminal(&hint);
        let _ = writeln!(text, "  {bold}hint:{reset} {hint}");
    };
    if let Error::Boards { failed, .. } = error {
        for (hint, failures) in by_hint(failed) {
            for failure in failures {
                let (who, what) = (&failure.who, &failure.what);
                let line = words::catalogue::say!("fleet.cause", who = who, what = what);
                let line = without_middle(&line);
                let _ = writeln!(text, "  caused by: {}", sanitize::for_terminal(&line));
            }
            if let Some(hint) = hint {
                add_hint(&hint, &mut text);
            }
        }
    }
    if let Some(hint) = words::hint(error) {
        add_hint(&hint, &mut text);
    }
    status::print_message(&text, REPORT_INDENT);
}

/// The boards that failed, those with the same hint together, and what to do about them. A command in a hint names the board's
/// port, or `PORT` if the hint is for several.
fn by_hint(failed: &[BoardFailure]) -> Vec<(Option<String>, Vec<&BoardFailure>)> {
    let hint = |port: &str, error| words::catalogue::among_boards(port, || words::hint(error));
    let mut groups: Vec<(Option<String>, Vec<&BoardFailure>)> = Vec::new();
    for failure in failed {
        let general = hint("PORT", &failure.error);
        match groups.iter_mut().find(|group| group.0 == general) {
            Some(group) => group.1.push(failure),
            None => groups.push((general, vec![failure])),
        }
    }
    for (general, failures) in &mut groups {
        if let [failure] = failures.as_slice() {
            *general = hint(&failure.port, &failure.error);
        }
    }
    groups
}

/// The format of summaries and statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Summary {
    #[default]
    Text,
    Json,
}

impl Summary {
    /// Writes one set of counts to stderr. -q does not suppress JSON, because the user requested it explicitly.
    pub(crate) fn write(
        self,
        key: &str,
        clauses: impl FnOnce() -> Vec<Sentence>,
        json: impl FnOnce() -> serde_json::Value,
    ) {
        match self {
            Self::Text => tracing::info!("{}", words::list(&clauses())),
            Self::Json => {
                let object =
                    serde_json::Value::Object(std::iter::once((key.to_owned(), json())).collect());
                status::print(&format!("{object}\n"));
            }
        }
    }
}

/// Formats one event per line: the message, then the other fields as `key=value`.
struct LogLine {
    /// Whether stderr gets colour.
    color: bool,
    /// Whether one of several jobs logs everything, or only warnings and errors.
    is_verbose: bool,
}

impl LogLine {
    /// Appends the line of an event. Nothing, if only the job's row shows it.
    fn format(&self, event: &Event<'_>, writer: &mut String) -> fmt::Result {
        let (start, end) = match *event.metadata().level() {
            Level::ERROR => ("\x1b[1;31m", "\x1b[0m"),
            Level::WARN => ("\x1b[1;38;5;166m", "\x1b[0m"), // palette::WARNED, in bold
            Level::INFO => ("", ""),
            Level::DEBUG | Level::TRACE => ("\x1b[2m", "\x1b[0m"),
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (message, rest) = fields.into_text();
        if let Some(lane) = JobOutput::current() {
            // With several jobs, only warnings and errors get a line; other messages become the note in the job's row.
            if *event.metadata().level() == Level::INFO {
                lane.set_note(message.clone());
                if !self.is_verbose {
                    return Ok(());
                }
            }
            writer.write_str(&lane.prefix())?;
        }
        if self.color {
            writer.write_str(start)?;
        }
        match *event.metadata().level() {
            Level::ERROR => writer.write_str("error: ")?,
            Level::WARN => writer.write_str("warning: ")?,
            _ => {}
        }
        writer.write_str(&sanitize::for_terminal(&message))?;
        writer.write_str(&sanitize::for_terminal(&rest))?;
        if self.color {
            writer.write_str(end)?;
        }
        writer.write_char('\n')
    }
}

/// The fields of an event. A field `say` holds the ID of a message in the catalogue, and the other fields are its
/// placeholders: the lower layers log data, and `words` provides the text.
#[derive(Default)]
struct Fields {
    /// The message.
    message: String,
    /// The other fields, as text.
    rest: String,
    /// The ID of a sentence.
    say: Option<String>,
    /// The values of its placeholders.
    args: FluentArgs<'static>,
}

impl Fields {
    /// The message and the other fields as text.
    fn into_text(self) -> (String, String) {
        match self.say {
            Some(id) => (words::catalogue::of_event(&id, &self.args), String::new()),
            None => (self.message, self.rest),
        }
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.args.set(field.name(), value as f64);
        self.record_debug(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "say" {
            self.say = Some(value.to_owned());
        } else {
            self.args.set(field.name(), value.to_owned());
            self.record_debug(field, &value);
        }
    }

    /// Records an error, or a message of the catalogue.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.args.set(field.name(), words::cause(value));
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            // Do not overwrite a number that `record_u64` has set: the message needs it as a number to select a plural
            // form.
            if self.args.get(field.name()).is_none() {
                let text = format!("{value:?}");
                let said = (field.name() == "error").then(|| words::of_system(&text));
                self.args.set(field.name(), said.flatten().unwrap_or(text));
            }
            write!(self.rest, " {}={value:?}", field.name())
        };
    }
}
