//! `udpcli send`: turns the arguments into a plan, runs it and reports the result.

pub(super) mod brief;
mod junit;
mod named;
mod notices;
mod payload;
mod plan;
mod result;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args, ValueEnum};

use self::payload::{PayloadChoice, Payloads};
use crate::cli::logging::Summary;
use crate::cli::output::{self, DatagramOutput};
use crate::cli::{GlobalArgs, complete, names, suggest, value};
use crate::error::{Error, Outcome};
use crate::file;
use crate::render::{Format, Renderer};
use crate::shutdown::Shutdown;
use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::fullwidth::to_ascii;
use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::udp;
use crate::udp::endpoint::{Endpoint, Family};
use crate::udp::pace::{Rate, RatePattern};
use crate::udp::payload::TextRules;
use crate::udp::payload::source::Source;
use crate::udp::prefix::Prefix;
use crate::udp::send::Conversation;
use crate::udp::send::addresses::{self, Attempt};
use crate::wait::{Site, Waited, wait_for};
use crate::words::catalogue::say;

/// The default interval of an endless run, as in the tutorial.
const TUTORIAL_INTERVAL: Duration = Duration::from_secs(2);

/// The default of `-w`, when replies are requested with another flag.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// The flags of other payloads, which conflict with a replay.
const REPLAYED_ALONE: [&str; 8] = [
    "messages",
    "lines",
    "file",
    "hex",
    "size",
    "template",
    "interactive",
    "chunk",
];

/// The maximum number of messages in a report, which is in memory until the end.
const MOST_CASES: u64 = 65_536;

/// What `udpcli send` takes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("payload").multiple(false))]
pub(crate) struct SendArgs {
    // Parsed by `brief`, not by clap.
    #[arg(skip)]
    is_brief: bool,
    #[arg(value_name = "HOST:PORT")]
    peer: Endpoint,
    #[arg(long, value_name = "FILE", env = "UDPCLI_NAMES", hide_env_values = true, value_hint = clap::ValueHint::FilePath)]
    names: Option<PathBuf>,
    #[arg(value_name = "MESSAGE", group = "payload", add = complete::messages())]
    messages: Vec<OsString>,

    #[arg(long, help_heading = "Payload", conflicts_with_all = ["messages", "hex", "size", "chunk", "interactive"])]
    lines: bool,
    #[arg(long, value_name = "PATH", help_heading = "Payload", group = "payload")]
    file: Option<PathBuf>,
    #[arg(long, value_name = "SIZE", value_parser = value::positive_size, requires = "file", conflicts_with_all = ["messages", "hex", "size", "template", "interactive", "lines"], help_heading = "Payload")]
    chunk: Option<usize>,
    #[arg(
        long,
        value_name = "DIGITS",
        help_heading = "Payload",
        group = "payload"
    )]
    hex: Option<String>,
    #[arg(long, value_name = "N|A..B", value_parser = value::sizes, help_heading = "Payload", group = "payload")]
    size: Option<RangeInclusive<usize>>,
    #[arg(long, value_name = "TEXT", help_heading = "Payload", group = "payload")]
    template: Option<String>,
    #[arg(long, value_name = "FILE", help_heading = "Payload", group = "payload", conflicts_with_all = ["interval", "rate", "lines"], value_hint = clap::ValueHint::FilePath)]
    replay: Option<PathBuf>,
    #[arg(long, value_name = "X", value_parser = value::speed, requires = "replay", conflicts_with_all = REPLAYED_ALONE, help_heading = "Payload")]
    speed: Option<value::Speed>,
    #[arg(long, value_name = "IP[/PREFIX]", requires = "replay", conflicts_with_all = REPLAYED_ALONE, help_heading = "Payload")]
    from: Vec<Prefix>,
    #[arg(long, value_name = "N", value_parser = value::port, requires = "replay", conflicts_with_all = REPLAYED_ALONE, help_heading = "Payload")]
    to_port: Vec<u16>,
    #[arg(
        short = 'I',
        long,
        help_heading = "Payload",
        group = "payload",
        conflicts_with = "count"
    )]
    interactive: bool,
    #[arg(short, long, help_heading = "Payload")]
    escape: bool,
    #[arg(long, value_enum, default_value_t = LineEnding::None, value_name = "ENDING", help_heading = "Payload")]
    line_ending: LineEnding,
    #[arg(long, value_name = "LABEL", add = complete::encodings(), help_heading = "Payload")]
    encoding: Option<TextEncoding>,
    #[arg(long, value_name = "CHECK", value_parser = value::checksum, help_heading = "Payload")]
    append: Option<Append>,

    #[arg(short = 'n', long, value_name = "N", value_parser = value::positive_count, help_heading = "Pace")]
    count: Option<u64>,
    #[arg(short, long, value_name = "D", value_parser = value::duration, conflicts_with = "rate", help_heading = "Pace")]
    interval: Option<Duration>,
    #[arg(long, value_name = "N", help_heading = "Pace")]
    rate: Option<Rate>,
    #[arg(
        long,
        value_name = "poisson|burst:N",
        conflicts_with = "ramp",
        help_heading = "Pace"
    )]
    pattern: Option<RatePattern>,
    #[arg(long, help_heading = "Pace")]
    ramp: bool,
    #[arg(long, value_name = "D", value_parser = value::positive_duration, help_heading = "Pace")]
    duration: Option<Duration>,

    #[arg(short, long, value_name = "D", value_parser = value::duration, help_heading = "Replies")]
    wait: Option<Duration>,
    #[arg(long, value_name = "N", value_parser = value::positive_count, help_heading = "Replies")]
    replies: Option<u64>,
    #[arg(long, value_name = "TEXT", help_heading = "Replies")]
    expect: Option<String>,
    #[arg(long, value_enum, default_value_t = Summary::Text, value_name = "FORM", help_heading = "Replies")]
    summary: Summary,
    #[arg(long, help_heading = "Replies")]
    histogram: bool,
    #[arg(long, value_enum, help_heading = "Replies")]
    format: Option<SendFormat>,

    #[arg(short = '4', help_heading = "Socket", conflicts_with = "v6")]
    v4: bool,
    #[arg(short = '6', help_heading = "Socket")]
    v6: bool,
    #[arg(long, value_name = "IP[:PORT]", value_parser = value::local_address, help_heading = "Socket")]
    bind: Option<SocketAddr>,
    #[arg(long, help_heading = "Socket")]
    reuse_addr: bool,
    #[arg(long, help_heading = "Socket")]
    reuse_port: bool,
    #[arg(long, help_heading = "Socket")]
    broadcast: bool,
    #[arg(long, value_name = "N", value_parser = value::byte, help_heading = "Socket")]
    ttl: Option<u8>,
    #[arg(long, value_name = "NAME|IP", add = complete::interfaces(), help_heading = "Socket")]
    multicast_if: Option<String>,
    #[arg(long, value_enum, value_name = "on|off", help_heading = "Socket")]
    multicast_loop: Option<OnOff>,
    #[arg(long, value_name = "NAME", add = complete::interfaces(), help_heading = "Socket")]
    interface: Option<String>,
    #[arg(long, value_name = "N", value_parser = tos, help_heading = "Socket")]
    tos: Option<u8>,
    #[arg(long, value_name = "SIZE", value_parser = value::buffer_size, help_heading = "Socket")]
    send_buffer: Option<usize>,
}

/// The line ending of a text payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LineEnding {
    None,
    Lf,
    Crlf,
}

impl LineEnding {
    /// The bytes.
    fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Lf => "\n",
            Self::Crlf => "\r\n",
        }
    }
}

/// How to print replies, or a report instead of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SendFormat {
    Text,
    Board,
    Hex,
    Json,
    Raw,
    Junit,
}

impl SendFormat {
    /// How to render replies; `None` for a report.
    fn of_replies(self) -> Option<Format> {
        Some(match self {
            Self::Text => Format::Text,
            Self::Board => Format::Board,
            Self::Hex => Format::Hex,
            Self::Json => Format::Json,
            Self::Raw => Format::Raw,
            Self::Junit => return None,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnOff {
    On,
    Off,
}

/// Parses decimal, or hexadecimal as in DSCP tables.
fn tos(text: &str) -> Result<u8, Sentence> {
    let text = to_ascii(text);
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| sentence!("value.tos"))
}

/// Runs `udpcli send`.
///
/// # Errors
/// The arguments contradict each other, the command could not run, or it ran but failed.
pub(crate) async fn run(
    args: Box<SendArgs>,
    global: &GlobalArgs,
    shutdown: &mut Shutdown,
) -> Result<Outcome, Error> {
    // Check this first: a flag that is sent as a message would look like a success.
    args.refuse_flags_as_messages()?;
    let rules = TextRules {
        escapes: args.escape,
        encoding: args.encoding.unwrap_or_default(),
        line_ending: args.line_ending.text(),
    };
    let form = args.form();
    let Payloads {
        mut source,
        replies,
        steps,
        encoding,
    } = args.payloads(form, rules)?;
    // A signal counts as an interruption only if the run would have ended by itself.
    let has_end = args.duration.is_some()
        || (args.count.is_some() || !(form == PayloadChoice::Tutorial || source.is_live()));
    let begun = Instant::now();
    let Some(addresses) = args
        .prepare(&mut source, args.family(), begun, shutdown)
        .await?
    else {
        return Ok(Outcome::Interrupted);
    };
    let duration = args
        .duration
        .map(|duration| value::remaining(duration, begun.elapsed()));
    let mut output = args.output(encoding, global, shutdown);
    // Only now it is known whether the address is a multicast group.
    args.check_ttl(&addresses)?;
    let attempt = |peer| {
        let plan = args.plan(peer, duration, replies.clone(), global);
        let options = args.options(form, &plan);
        Attempt { plan, options }
    };
    let conversation = steps.as_deref().map(|steps| Conversation {
        steps,
        keeps_results: args.wants_report(),
    });
    let sent = addresses::to_first(
        addresses.into_iter().map(attempt).collect(),
        conversation,
        &mut source,
        &mut output,
        shutdown,
        &mut |event| args.tell(form, event),
    )
    .await?;
    match sent {
        Some(sent) => args.finish(sent, steps.as_deref(), has_end, &source, shutdown),
        // A name without an address was already an error of the resolver.
        None => Ok(Outcome::Done),
    }
}

impl SendArgs {
    /// Otherwise udpcli would silently send `—n 3` as two messages.
    fn refuse_flags_as_messages(&self) -> Result<(), Error> {
        let is_ascii = |message: &OsString| message.to_str().is_some_and(str::is_ascii);
        // No dash of a Chinese input method is ASCII.
        if self.messages.iter().all(is_ascii) {
            return Ok(());
        }
        let typed: Vec<OsString> = std::env::args_os().collect();
        match suggest::flag_among_messages(&typed) {
            None => Ok(()),
            Some((flag, line)) => Err(Error::usage_hint(
                say!("usage.flag-as-message", flag = flag),
                say!("usage.flag-as-message.hint", line = line),
            )),
        }
    }

    /// Opens the input and resolves the host name; both may block. `None` if a stop is requested meanwhile.
    async fn prepare(
        &self,
        source: &mut Source,
        family: Family,
        begun: Instant,
        shutdown: &mut Shutdown,
    ) -> Result<Option<Vec<SocketAddr>>, Error> {
        let deadline = self.duration.map(|duration| begun + duration);
        let time = seconds(self.duration.unwrap_or_default()).to_string();
        let late = |what: String| io::Error::new(io::ErrorKind::TimedOut, what);
        // Open the input first, so that a missing file is reported before the name is resolved.
        let path = self.file.as_ref().or(self.replay.as_ref());
        let path = path.cloned().unwrap_or_default();
        let say = || tracing::info!(say = "send.waiting-for-writer", path = %path.display());
        match wait_for(Site::OpenPayload, source.open(), shutdown, deadline, say).await {
            Waited::Done(result) => result?,
            Waited::Interrupted => return Ok(None),
            Waited::TimeUp => {
                let source = late(say!("send.no-writer", time = time));
                return Err(Error::File(file::Error::Open { path, source }));
            }
        }
        // The search for a board reports its own progress.
        let say = || {
            if self.peer.board().is_none() {
                tracing::info!(say = "send.waiting-for-dns", host = %self.peer.host);
            }
        };
        match wait_for(Site::Resolve, self.resolve(family), shutdown, deadline, say).await {
            Waited::Done(addresses) => Ok(addresses.map(Some)?),
            Waited::Interrupted => Ok(None),
            Waited::TimeUp => Err(Error::Udp(udp::error::Error::Resolve {
                host: self.peer.host.clone(),
                source: late(say!("send.no-dns", time = time)),
            })),
        }
    }

    /// The addresses of the host, or of the board.
    async fn resolve(&self, family: Family) -> Result<Vec<SocketAddr>, Error> {
        names::addresses(self.names.as_deref(), &self.peer, family).await
    }

    /// Whether to write a report about the messages of a conversation, instead of the replies.
    fn wants_report(&self) -> bool {
        self.format == Some(SendFormat::Junit)
    }

    /// Where replies go; their text is in `encoding`.
    fn output(
        &self,
        encoding: Option<TextEncoding>,
        global: &GlobalArgs,
        shutdown: &Shutdown,
    ) -> DatagramOutput {
        let format = self.format.unwrap_or(SendFormat::Text).of_replies();
        let renderer =
            format.map(|format| Renderer::new(output::stdout_style(format, encoding, global)));
        DatagramOutput::new(renderer, None, None, shutdown.clone())
    }
}
