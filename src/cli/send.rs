//! `udpcli send`: turns the arguments into a plan, runs it and reports the result.
//!
//! Long because each flag is declared here and checked against the others.

mod junit;
mod named;

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args, ValueEnum};

use crate::cli::logging::Summary;
use crate::cli::output::{self, DatagramOutput};
use crate::cli::send::named::NamedMessages;
use crate::cli::{GlobalArgs, complete, histogram, names, suggest, value};
use crate::error::{Error, Outcome};
use crate::file;
use crate::render::{Format, Renderer, Style};
use crate::shutdown::Shutdown;
use crate::terminal::{color, status, stdout};
use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::escape::Audience;
use crate::text::fullwidth::to_ascii;
use crate::text::random::Random;
use crate::text::sentence::{Sentence, sentence};
use crate::text::template::{self, RenderState};
use crate::text::{hex, seconds};
use crate::udp;
use crate::udp::endpoint::{Endpoint, Family};
use crate::udp::interface;
use crate::udp::outbox::Outbox;
use crate::udp::pace::{Pace, Rate, RatePattern};
use crate::udp::payload::replay::{Replay, ReplayOptions};
use crate::udp::payload::sequence;
use crate::udp::payload::source::{Input, Source, Split};
use crate::udp::payload::templates::{Item, Templates};
use crate::udp::payload::{TUTORIAL_MESSAGE, TextRules};
use crate::udp::prefix::Prefix;
use crate::udp::receive::{ReceiveOptions, TimeSource};
use crate::udp::send::{Conversation, Exchange, ReplyPlan, SendEnd, SendPlan, Sender, verdict};
use crate::udp::socket::{self, SendOptions, Sharing};
use crate::wait::{Site, Waited, wait_for};
use crate::words;
use crate::words::catalogue::say;

/// The default interval of an endless run, as in the tutorial.
const TUTORIAL_INTERVAL: Duration = Duration::from_secs(2);

/// The default of `-w`, when replies are requested with another flag.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// What the flags of a replay do not go with: other payloads.
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

/// How many messages a report may be about: it is in memory until the end.
const MOST_CASES: u64 = 65_536;

/// What `udpcli send` takes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("payload").multiple(false))]
pub(crate) struct SendArgs {
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
    let rules = TextRules {
        escapes: args.escape,
        encoding: args.encoding.unwrap_or_default(),
        line_ending: args.line_ending.text(),
    };
    args.refuse_flags_as_messages()?;
    let form = args.form();
    let Payloads {
        mut source,
        replies,
        steps,
    } = args.payloads(form, rules)?;
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
    let mut output = args.output(global, shutdown);
    let mut outbox = Outbox::default();
    let mut addresses = addresses.into_iter().peekable();
    while let Some(peer) = addresses.next() {
        let plan = args.plan(
            peer,
            duration,
            replies.clone(),
            addresses.peek().is_some(),
            global,
        );
        if args.ttl == Some(0) && !peer.ip().is_multicast() {
            return Err(Error::usage_hint(
                say!("send.ttl-zero", peer = peer),
                say!("send.ttl-zero.hint"),
            ));
        }
        source.limit(udp::max_payload(&peer), udp::family_name(&peer))?;
        let bound = socket::open_sender(&args.options(form, &plan), peer)?;
        if outbox.is_empty() {
            args.say_start(form, &plan);
        }
        if interface::is_ourselves(peer, bound.local) {
            tracing::warn!(say = "send.to-itself", peer = %peer);
        }
        if plan.replies.is_some() {
            output.begin()?;
        }
        let problem = match Sender::new(&plan, &bound).await {
            Ok(mut sender) => {
                let end = match &steps {
                    Some(steps) => {
                        let talk = Conversation {
                            steps,
                            keeps_results: args.wants_report(),
                        };
                        sender
                            .converse(talk, &mut source, &mut outbox, &mut output, shutdown)
                            .await
                    }
                    None => {
                        sender
                            .run(&mut source, &mut outbox, &mut output, shutdown)
                            .await
                    }
                };
                match end {
                    Ok(SendEnd::Refused) => None,
                    Err(error @ udp::error::Error::Send { .. }) if plan.has_alternative => {
                        Some(words::message(&error.into()))
                    }
                    end => {
                        let run = Run {
                            plan: &plan,
                            steps: steps.as_deref(),
                            has_end,
                        };
                        return args.finish(&run, sender, &source, end, shutdown);
                    }
                }
            }
            Err(error @ udp::error::Error::Send { .. }) if plan.has_alternative => {
                Some(words::message(&error.into()))
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(next) = addresses.peek() {
            args.say_next(peer, problem, *next);
        }
    }
    // Unreachable: the last address has no alternative, so the loop has returned.
    Ok(Outcome::Done)
}

/// The payload of a message. One that is not UTF-8, as a terminal with another encoding gives it, is sent byte for byte.
fn payload(message: &OsStr, rules: TextRules) -> Result<Vec<u8>, Error> {
    let mut payload = Vec::new();
    if let Some(text) = message.to_str() {
        rules.append(text, || format!("{text:?}").into(), &mut payload)?;
        return Ok(payload);
    }
    #[cfg(unix)]
    if rules.is_verbatim() {
        use std::os::unix::ffi::OsStrExt as _;

        payload.extend_from_slice(message.as_bytes());
        return Ok(payload);
    }
    Err(Error::Udp(udp::error::Error::NotUtf8 {
        what: format!("\"{}\"", message.as_encoded_bytes().escape_ascii()).into(),
    }))
}

/// What to send, and what must come back.
struct Payloads {
    source: Source,
    replies: Option<ReplyPlan>,
    /// The steps of a conversation.
    steps: Option<Vec<Exchange>>,
}

/// A run, for its report.
struct Run<'a> {
    plan: &'a SendPlan,
    /// The steps of a conversation.
    steps: Option<&'a [Exchange]>,
    has_end: bool,
}

/// The kind of payload that the arguments select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PayloadChoice {
    Tutorial,
    Messages,
    Lines,
    File,
    Hex,
    Size,
    /// A template without input lines.
    Template,
    /// A template that makes one datagram of each input line.
    TemplateOfLines,
    Interactive,
    Replay,
}

impl PayloadChoice {
    /// Whether the payloads are text of the user, to which escapes, encoding and line ending apply.
    fn is_text(self) -> bool {
        match self {
            Self::Messages
            | Self::Lines
            | Self::Template
            | Self::TemplateOfLines
            | Self::Interactive => true,
            Self::Tutorial | Self::File | Self::Hex | Self::Size | Self::Replay => false,
        }
    }
}

impl SendArgs {
    fn plan(
        &self,
        peer: SocketAddr,
        duration: Option<Duration>,
        replies: Option<ReplyPlan>,
        has_alternative: bool,
        global: &GlobalArgs,
    ) -> SendPlan {
        let is_broadcast = interface::is_broadcast(peer.ip());
        SendPlan {
            peer,
            pace: self.pace(self.form()),
            duration,
            replies,
            receive: ReceiveOptions {
                recv_size: usize::MAX,
                clock: TimeSource::Kernel,
                batching: !global.no_batching,
            },
            unicast: !peer.ip().is_multicast() && !is_broadcast,
            broadcast: self.broadcast || is_broadcast,
            has_alternative,
        }
    }

    fn options(&self, form: PayloadChoice, plan: &SendPlan) -> SendOptions {
        SendOptions {
            // Set SO_REUSEADDR as the tutorial's client does.
            sharing: Sharing {
                reuse_addr: self.reuse_addr || form == PayloadChoice::Tutorial,
                reuse_port: self.reuse_port,
                interface: self.interface.clone(),
            },
            bind: self.bind,
            broadcast: plan.broadcast,
            ttl: self.ttl,
            multicast_if: self.multicast_if.clone(),
            multicast_loop: self.multicast_loop.map(|on| on == OnOff::On),
            tos: self.tos,
            send_buffer: self.send_buffer,
            replies: plan.replies.as_ref().map(|_| plan.receive),
        }
    }

    /// The family of the peer's address.
    fn family(&self) -> Family {
        match (self.v4, self.v6, self.bind) {
            (true, ..) => Family::V4,
            (_, true, _) => Family::V6,
            (.., Some(bind)) if bind.is_ipv4() => Family::V4,
            (.., Some(_)) => Family::V6,
            _ => Family::Any,
        }
    }

    /// The payloads, and what must come back.
    fn payloads(&self, form: PayloadChoice, rules: TextRules) -> Result<Payloads, Error> {
        self.check_pace(form)?;
        let mut named = named::of(self, rules)?;
        let rounds = self.rounds(form);
        self.check_report(named.as_ref(), rounds)?;
        let replies = match named.as_ref().and_then(NamedMessages::reply_plan) {
            Some(replies) => Some(replies),
            None => self.reply_plan(rules)?,
        };
        let source = match &mut named {
            Some(named) => named.source(rounds),
            None => self.source(form, rules)?,
        };
        Ok(Payloads {
            source,
            replies,
            steps: named.and_then(|named| named.steps),
        })
    }

    /// Tells the user that another address of the host comes next.
    fn say_next(&self, peer: SocketAddr, problem: Option<String>, next: SocketAddr) {
        let host = &self.peer.host;
        match problem {
            Some(problem) => tracing::info!(
                say = "send.next-address",
                peer = %peer,
                problem,
                next = %next,
                host = %host,
            ),
            None => tracing::info!(
                say = "send.next-address-refused",
                peer = %peer,
                next = %next,
                host = %host,
            ),
        }
    }

    /// Reports the result of a run.
    fn finish(
        &self,
        run: &Run<'_>,
        mut sender: Sender<'_>,
        source: &Source,
        end: Result<SendEnd, udp::error::Error>,
        shutdown: &Shutdown,
    ) -> Result<Outcome, Error> {
        let has_end = run.has_end;
        let results = sender.take_results();
        let left_out = source.left_out();
        let report = sender.report();
        if report.datagrams == 0 && matches!(end, Ok(SendEnd::Complete)) {
            match source.input_name() {
                Some(name) if left_out.is_some_and(|left_out| left_out.total() > 0) => {
                    tracing::warn!(say = "replay.nothing-sent", name = name.as_value());
                }
                Some(name) => tracing::warn!(say = "send.nothing-sent", name = name.as_value()),
                None => tracing::warn!(say = "send.nothing-sent-payload"),
            }
        }
        if matches!(end, Ok(SendEnd::Interrupted)) {
            status::end_interrupted_line();
        }
        // Without a single datagram sent, the error says it all: print no summary.
        if end.is_ok() || report.datagrams > 0 {
            // A person reads a terminal; a program may read everything else.
            let one = report.in_words().filter(|_| status::is_terminal());
            let clauses = || {
                let mut clauses = one.map_or_else(|| report.clauses(), |one| vec![one]);
                clauses.extend(left_out.and_then(|left_out| left_out.clause()));
                clauses
            };
            let counts = || {
                let mut counts = report.to_json();
                if self.histogram {
                    histogram::add(&mut counts, report.rtt());
                }
                if let (Some(left_out), Some(counts)) = (left_out, counts.as_object_mut()) {
                    let reasons = left_out.reasons().into_iter();
                    let reasons = reasons.map(|(reason, count)| (reason.to_owned(), count.into()));
                    let reasons = serde_json::Value::Object(reasons.collect());
                    counts.insert("left_out".to_owned(), reasons);
                }
                counts
            };
            self.summary.write("summary", clauses, counts);
            if self.histogram {
                histogram::draw(self.summary, || say!("summary.histogram-rtt"), report.rtt());
            }
        }
        if let Some(steps) = run.steps.filter(|_| self.wants_report()) {
            let peer = run.plan.peer;
            let report = junit::document(peer, steps, self.count.unwrap_or(1), &results, &end);
            output::print(report.as_bytes())?;
        }
        match end? {
            SendEnd::Interrupted if has_end => Ok(Outcome::Interrupted),
            // The output was abandoned because a stop was requested.
            SendEnd::ReaderGone if has_end && shutdown.is_asked() => Ok(Outcome::Interrupted),
            SendEnd::Interrupted | SendEnd::ReaderGone => Ok(Outcome::Done),
            // Each step had its verdict.
            SendEnd::Complete if run.steps.is_some() => Ok(Outcome::Done),
            SendEnd::Complete | SendEnd::Refused => {
                let mut report = sender.into_report();
                let replies = run.plan.replies.as_ref();
                let are_asked =
                    self.wait.is_some() || self.replies.is_some() || self.expect.is_some();
                if report.datagrams == 0 && !are_asked {
                    return Ok(Outcome::Done);
                }
                let replies = replies.filter(|_| are_asked);
                verdict(run.plan.peer, replies, &mut report)?;
                Ok(Outcome::Done)
            }
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
        let say = || tracing::info!(say = "send.waiting-for-dns", host = %self.peer.host);
        match wait_for(Site::Resolve, self.resolve(family), shutdown, deadline, say).await {
            Waited::Done(addresses) => Ok(addresses.map(Some)?),
            Waited::Interrupted => Ok(None),
            Waited::TimeUp => Err(Error::Udp(udp::error::Error::Resolve {
                host: self.peer.host.clone(),
                source: late(say!("send.no-dns", time = time)),
            })),
        }
    }

    async fn resolve(&self, family: Family) -> Result<Vec<SocketAddr>, Error> {
        names::addresses(self.names.as_deref(), &self.peer, family).await
    }

    fn form(&self) -> PayloadChoice {
        if !self.messages.is_empty() {
            PayloadChoice::Messages
        } else if self.hex.is_some() {
            PayloadChoice::Hex
        } else if self.size.is_some() {
            PayloadChoice::Size
        } else if let Some(template) = &self.template {
            if template.contains("{line}") {
                PayloadChoice::TemplateOfLines
            } else {
                PayloadChoice::Template
            }
        } else if self.replay.is_some() {
            PayloadChoice::Replay
        } else if self.interactive {
            PayloadChoice::Interactive
        } else if self.lines {
            PayloadChoice::Lines
        } else if self.file.is_some() {
            PayloadChoice::File
        } else if io::stdin().is_terminal() {
            PayloadChoice::Tutorial
        } else {
            PayloadChoice::Lines
        }
    }

    /// How many times to send the messages; `None` if only a duration or Ctrl-C ends the run.
    fn rounds(&self, form: PayloadChoice) -> Option<u64> {
        match self.count {
            Some(count) => Some(count),
            None if form == PayloadChoice::Tutorial
                || (self.duration.is_some()
                    && !matches!(
                        form,
                        PayloadChoice::Interactive
                            | PayloadChoice::Lines
                            | PayloadChoice::TemplateOfLines
                            | PayloadChoice::Replay
                    )) =>
            {
                None
            }
            None => Some(1),
        }
    }

    fn source(&self, form: PayloadChoice, rules: TextRules) -> Result<Source, Error> {
        let rounds = self.rounds(form);
        if !form.is_text()
            && ((self.escape && self.expect.is_none()) || self.line_ending != LineEnding::None)
        {
            return Err(Error::usage(say!("send.not-for-text")));
        }
        let input = match &self.file {
            Some(path) if path.as_os_str() != "-" => Input::File(path.clone()),
            _ => Input::Stdin,
        };
        let append = self.append;
        Ok(match form {
            PayloadChoice::Template | PayloadChoice::TemplateOfLines => {
                return self.templates(form, rules);
            }
            PayloadChoice::Replay => self.replayed(rules.encoding)?,
            PayloadChoice::Tutorial => Source::fixed(vec![TUTORIAL_MESSAGE.to_vec()], rounds),
            PayloadChoice::Messages => {
                let mut payloads = Vec::with_capacity(self.messages.len());
                for message in &self.messages {
                    payloads.push(payload(&named::literal(message), rules)?);
                }
                Source::fixed(payloads, rounds)
            }
            PayloadChoice::Hex => {
                let text = self.hex.as_deref().unwrap_or_default();
                let payload = hex::parse(text).map_err(|source| {
                    Error::Udp(udp::error::Error::Hex {
                        text: text.to_owned(),
                        source,
                    })
                })?;
                Source::fixed(vec![payload], rounds)
            }
            PayloadChoice::Size => {
                let lens = self.size.clone().unwrap_or(0..=0);
                let len = *lens.start();
                if len < sequence::HEADER_LEN {
                    return Err(Error::usage_hint(
                        say!(
                            "send.size-too-small",
                            len = len,
                            header = sequence::HEADER_LEN
                        ),
                        say!("send.size-too-small.hint"),
                    ));
                }
                if lens.end() == lens.start() {
                    Source::sequenced(len, rounds)
                } else {
                    Source::sequenced_of(lens, Random::new(None), rounds)
                }
            }
            PayloadChoice::Lines | PayloadChoice::Interactive => {
                Source::stream(input, Split::Lines(rules), rounds)
            }
            PayloadChoice::File => Source::stream(
                input,
                self.chunk.map_or(Split::Whole, Split::Chunks),
                rounds,
            ),
        }
        .with_append(append))
    }

    /// The datagrams of `--replay`.
    fn replayed(&self, encoding: TextEncoding) -> Result<Source, Error> {
        let rounds = self.rounds(PayloadChoice::Replay);
        let input = match &self.replay {
            Some(path) if path.as_os_str() != "-" => Input::File(path.clone()),
            _ if rounds != Some(1) => {
                return Err(Error::usage_hint(
                    say!("replay.stdin-again"),
                    say!("replay.stdin-again.hint"),
                ));
            }
            _ => Input::Stdin,
        };
        let options = ReplayOptions {
            from: self.from.clone(),
            to_ports: self.to_port.clone(),
            speed: self.speed.map_or(Some(1.0), value::Speed::times),
            encoding,
        };
        Ok(Source::replay(Replay::new(input, options), rounds))
    }

    /// The payloads of `--template`.
    fn templates(&self, form: PayloadChoice, rules: TextRules) -> Result<Source, Error> {
        let text = self.template.as_deref().unwrap_or_default();
        let has_lines = self.lines || !io::stdin().is_terminal();
        let what = || format!("--template {text:?}").into();
        let place = template::Place::Message { lines: has_lines };
        let item = Item {
            template: named::parsed(text, what, place, rules)?,
            append: self.append,
        };
        let templates = Templates::new(vec![item], RenderState::new(Random::new(None)));
        let rounds = self.rounds(form);
        if form == PayloadChoice::Template {
            return Ok(Source::templates(templates, rounds));
        }
        let verbatim = TextRules {
            escapes: false,
            encoding: TextEncoding::default(),
            line_ending: "",
        };
        let lines = Source::stream(Input::Stdin, Split::Lines(verbatim), rounds);
        Ok(Source::templates(templates.with_lines(lines), None))
    }

    /// A pattern distributes datagrams around a mean rate, and a ramp ends at a rate: without one, there is nothing to
    /// do.
    fn check_pace(&self, form: PayloadChoice) -> Result<(), Error> {
        let has_rate = matches!(self.rate, Some(Rate::PerSecond(_)));
        let has_interval = self.interval.is_some_and(|interval| !interval.is_zero());
        if self.pattern.is_some() && !has_rate && !has_interval {
            return Err(Error::usage_hint(
                say!("send.pattern-without-rate"),
                say!("send.pattern-without-rate.hint"),
            ));
        }
        if !self.ramp {
            return Ok(());
        }
        if !has_rate {
            return Err(Error::usage_hint(
                say!("send.ramp-without-rate"),
                say!("send.ramp-without-rate.hint"),
            ));
        }
        if self.duration.is_none() && self.planned(form).is_none() {
            return Err(Error::usage_hint(
                say!("send.ramp-without-end"),
                say!("send.ramp-without-end.hint"),
            ));
        }
        Ok(())
    }

    /// How many datagrams `-n` means, if that is known before the first is sent.
    fn planned(&self, form: PayloadChoice) -> Option<u64> {
        let per_round = match form {
            PayloadChoice::Messages => self.messages.len() as u64,
            PayloadChoice::Tutorial
            | PayloadChoice::Hex
            | PayloadChoice::Size
            | PayloadChoice::Template => 1,
            PayloadChoice::File if self.chunk.is_none() => 1,
            PayloadChoice::File
            | PayloadChoice::Lines
            | PayloadChoice::TemplateOfLines
            | PayloadChoice::Interactive
            | PayloadChoice::Replay => {
                return None;
            }
        };
        Some(self.count?.saturating_mul(per_round))
    }

    fn pace(&self, form: PayloadChoice) -> Pace {
        let pace = self.even_pace(form);
        match (self.pattern, self.ramp) {
            (Some(pattern), _) => pace.in_pattern(pattern, Random::new(None)),
            (None, true) => match (self.duration, self.planned(form)) {
                (Some(duration), _) => pace.with_ramp(duration),
                (None, Some(datagrams)) => pace.with_ramp_over(datagrams),
                (None, None) => pace,
            },
            (None, false) => pace,
        }
    }

    fn even_pace(&self, form: PayloadChoice) -> Pace {
        if let Some(rate) = self.rate {
            return Pace::at(rate);
        }
        let is_endless = self.rounds(form).is_none();
        Pace::every(self.interval.unwrap_or(if is_endless {
            TUTORIAL_INTERVAL
        } else {
            Duration::ZERO
        }))
    }

    fn reply_plan(&self, rules: TextRules) -> Result<Option<ReplyPlan>, Error> {
        if self.wait.is_none()
            && self.replies.is_none()
            && self.expect.is_none()
            && !self.interactive
        {
            return Ok(None);
        }
        let expect = match &self.expect {
            None => None,
            Some(text) => {
                let mut payload = Vec::new();
                TextRules {
                    line_ending: "",
                    ..rules
                }
                .append(
                    text,
                    || sentence!("send.the-expected-text"),
                    &mut payload,
                )?;
                Some(payload)
            }
        };
        Ok(Some(ReplyPlan {
            wait: self.wait.unwrap_or(DEFAULT_WAIT),
            wanted: self.replies,
            expect,
        }))
    }

    /// Tells the user what is happening if the run may take a while.
    fn say_start(&self, form: PayloadChoice, plan: &SendPlan) {
        match form {
            PayloadChoice::Tutorial if self.count.is_none() => {
                let message = format!("{:?}", String::from_utf8_lossy(TUTORIAL_MESSAGE));
                tracing::info!(say = "send.start-tutorial", message, peer = %plan.peer);
            }
            PayloadChoice::Interactive => {
                tracing::info!(say = "send.start-interactive", peer = %plan.peer);
            }
            _ => {}
        }
        let is_escape = |message: &OsString| {
            let text = message.to_string_lossy();
            [r"\n", r"\r", r"\t", r"\x"]
                .iter()
                .any(|escape| text.contains(escape))
        };
        if !self.escape && self.messages.iter().any(is_escape) {
            tracing::info!(say = "send.backslashes");
        }
        self.warn_of_unused(form, plan);
    }

    /// Warns about options without effect, because the user expects one.
    fn warn_of_unused(&self, form: PayloadChoice, plan: &SendPlan) {
        let is_single = self.rounds(form) == Some(1)
            && match form {
                PayloadChoice::Messages => self.messages.len() == 1,
                PayloadChoice::Hex | PayloadChoice::Size | PayloadChoice::Template => true,
                PayloadChoice::File => self.chunk.is_none(),
                PayloadChoice::Tutorial
                | PayloadChoice::Lines
                | PayloadChoice::TemplateOfLines
                | PayloadChoice::Interactive
                | PayloadChoice::Replay => false,
            };
        let sends_text = form.is_text();
        let is_group = plan.peer.ip().is_multicast();
        let unused = |is_unused: bool, flag: &str, why: fn(&str) -> String| {
            if is_unused {
                tracing::warn!("{}", why(flag));
            }
        };
        let once = |flag: &str| say!("send.no-effect-once", flag = flag);
        let no_group = |flag: &str| say!("send.no-effect-group", flag = flag);
        let no_port = |flag: &str| say!("send.no-effect-port", flag = flag);
        unused(self.interval.is_some() && is_single, "--interval", once);
        unused(self.rate.is_some() && is_single, "--rate", once);
        unused(
            self.multicast_if.is_some() && !is_group,
            "--multicast-if",
            no_group,
        );
        unused(
            self.multicast_loop.is_some() && !is_group,
            "--multicast-loop",
            no_group,
        );
        unused(
            self.reuse_addr && self.bind.is_none(),
            "--reuse-addr",
            no_port,
        );
        unused(
            self.reuse_port && self.bind.is_none(),
            "--reuse-port",
            no_port,
        );
        unused(
            self.format.is_some() && plan.replies.is_none(),
            "--format",
            |flag| say!("send.no-effect-format", flag = &flag),
        );
        unused(
            self.histogram && plan.replies.is_none(),
            "--histogram",
            |flag| say!("send.no-effect-format", flag = &flag),
        );
        unused(
            self.encoding.is_some() && plan.replies.is_none() && !sends_text,
            "--encoding",
            |flag| say!("send.no-effect-encoding", flag = &flag),
        );
    }

    /// `—n 3` would be sent as two messages without a word.
    fn refuse_flags_as_messages(&self) -> Result<(), Error> {
        let is_ascii = |message: &OsString| message.to_str().is_some_and(str::is_ascii);
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

    /// Whether to write a report about the messages of a conversation, instead of the replies.
    fn wants_report(&self) -> bool {
        self.format == Some(SendFormat::Junit)
    }

    /// A report has a case for every message: it needs messages of a known number.
    fn check_report(
        &self,
        named: Option<&NamedMessages>,
        rounds: Option<u64>,
    ) -> Result<(), Error> {
        if !self.wants_report() {
            return Ok(());
        }
        let Some(named) = named else {
            return Err(Error::usage_hint(
                say!("named.report-without-messages"),
                say!("named.report-without-messages.hint"),
            ));
        };
        let cases = rounds.map(|rounds| rounds.saturating_mul(named.len() as u64));
        if cases.is_none_or(|cases| cases > MOST_CASES) {
            return Err(Error::usage_hint(
                say!("named.report-too-long", most = MOST_CASES),
                say!("named.report-too-long.hint"),
            ));
        }
        Ok(())
    }

    fn output(&self, global: &GlobalArgs, shutdown: &Shutdown) -> DatagramOutput {
        let format = self.format.unwrap_or(SendFormat::Text).of_replies();
        let renderer = format.map(|format| self.renderer(format, global));
        DatagramOutput::new(renderer, None, None, shutdown.clone())
    }

    fn renderer(&self, format: Format, global: &GlobalArgs) -> Renderer {
        let style = Style {
            format,
            audience: if stdout::is_terminal() {
                Audience::Terminal
            } else {
                Audience::Pipe
            },
            color: color::of_stdout(global.color.into()),
            encoding: self.encoding.unwrap_or_default(),
            separator: Vec::new(),
            microseconds: false,
        };
        Renderer::new(style)
    }
}
