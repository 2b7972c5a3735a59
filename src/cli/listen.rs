//! `udpcli listen`: turns the arguments into a plan, runs it and reports the result.
//!
//! Long because each flag is declared here and checked against the others.

mod announcement;
mod page;
mod rules;
#[cfg_attr(not(feature = "board"), path = "listen/no_watch.rs")]
mod watch;

use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args, ValueEnum};

use crate::capture::CaptureFormat;
use crate::cli::logging::Summary;
use crate::cli::output::{self, DatagramOutput};
use crate::cli::report::ReportFile;
use crate::cli::save::{self, Save};
use crate::cli::{GlobalArgs, complete, histogram, names, value};
use crate::error::{Error, Outcome, Startable};
use crate::names::BoardNames;
use crate::render::{Format, Renderer, Style};
use crate::shutdown::Shutdown;
use crate::terminal::panel::server::ServerPanel;
use crate::terminal::{status, stdout};
use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::escape::Audience;
use crate::text::sentence::{Sentence, sentence};
use crate::text::shorten::quoted;
use crate::udp;
use crate::udp::answer::{Answer, AnswerPlan};
use crate::udp::listen::sockets::{self, Addresses, ListenRequest};
use crate::udp::listen::{ListenEnd, ListenPlan, ListenSummary, Listener};
use crate::udp::membership::Group;
use crate::udp::payload::TextRules;
use crate::udp::prefix::Prefix;
use crate::udp::receive::{ReceiveOptions, TimeSource};
use crate::udp::sink::{Flow, Sink as _};
use crate::udp::socket::{Bound, ListenOptions, Sharing};
use crate::wait::{Site, Waited, wait_for};
use crate::words;
use crate::words::catalogue::say;
use announcement::{AnnouncedSocket, Look};
use watch::{Watch, WatchOptions};

/// The default of `--reply-rate`: answers per second and peer.
const DEFAULT_REPLY_RATE: u32 = 1000;

/// The arguments of `udpcli listen`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("answer_text").args(["reply", "on"]).multiple(true))]
pub(crate) struct ListenArgs {
    #[arg(short, long, value_name = "N", default_value = "6000", value_parser = value::port, action = clap::ArgAction::Append)]
    port: Vec<u16>,
    #[arg(long, value_name = "IP", default_value = "0.0.0.0", value_parser = value::address, action = clap::ArgAction::Append)]
    bind: Vec<SocketAddr>,

    #[arg(long, value_enum, help_heading = "Output")]
    format: Option<Format>,
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    separator: Option<String>,
    #[arg(long, value_name = "LABEL", add = complete::encodings_and_auto(), help_heading = "Output")]
    encoding: Option<TextEncoding>,
    #[arg(long, value_enum, help_heading = "Output")]
    timestamps: Option<Timestamps>,
    #[arg(long, help_heading = "Output")]
    microseconds: bool,
    #[arg(long, conflicts_with = "watch", help_heading = "Output")]
    qr: bool,
    #[arg(long, help_heading = "Output")]
    oled: bool,
    #[arg(long, conflicts_with_all = ["format", "oled", "separator"], help_heading = "Output")]
    watch: bool,
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        requires = "save",
        help_heading = "Output"
    )]
    save_format: Option<SaveFormat>,
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Output")]
    report: Option<PathBuf>,
    #[arg(long, value_name = "D", value_parser = value::report_period, help_heading = "Output")]
    stats: Option<Duration>,
    #[arg(long, value_enum, default_value_t = Summary::Text, value_name = "FORM", help_heading = "Output")]
    summary: Summary,
    #[arg(long, help_heading = "Output")]
    seq: bool,
    #[arg(long, requires = "seq", help_heading = "Output")]
    histogram: bool,
    #[arg(long, value_name = "CHECK", value_parser = value::checksum, help_heading = "Output")]
    check: Option<Append>,
    #[arg(long, value_name = "FILE", env = "UDPCLI_NAMES", hide_env_values = true, value_hint = clap::ValueHint::FilePath, help_heading = "Output")]
    names: Option<PathBuf>,

    #[arg(short = 'n', long, value_name = "N", value_parser = value::positive_count, help_heading = "End")]
    count: Option<u64>,
    #[arg(long, value_name = "D", value_parser = value::positive_duration, help_heading = "End")]
    timeout: Option<Duration>,
    #[arg(long, value_name = "D", value_parser = value::positive_duration, help_heading = "End")]
    duration: Option<Duration>,

    #[arg(long, help_heading = "Answers", conflicts_with = "reply")]
    echo: bool,
    #[arg(long, value_name = "TEXT", help_heading = "Answers")]
    reply: Option<String>,
    #[arg(long, value_name = "PATTERN=REPLY", help_heading = "Answers")]
    on: Vec<String>,
    #[arg(long, value_name = "FILE", help_heading = "Answers")]
    replies: Option<PathBuf>,
    #[arg(long, help_heading = "Answers")]
    no_project: bool,
    #[arg(short, long, requires = "answer_text", help_heading = "Answers")]
    escape: bool,
    #[arg(long, value_name = "N", value_parser = reply_rate, help_heading = "Answers")]
    reply_rate: Option<u32>,
    #[arg(long, value_name = "D", value_parser = value::delay, help_heading = "Answers")]
    reply_delay: Option<Duration>,
    #[arg(long, value_name = "PCT", value_parser = value::percent, help_heading = "Answers")]
    reply_drop: Option<f64>,
    #[arg(long, value_name = "N", value_parser = value::seed, help_heading = "Answers")]
    random_seed: Option<u64>,

    #[arg(long, help_heading = "Socket")]
    reuse_addr: bool,
    #[arg(long, help_heading = "Socket")]
    reuse_port: bool,
    #[arg(long, value_name = "GROUP[@IFACE]", add = complete::group_interfaces(), help_heading = "Socket")]
    join: Vec<Group>,
    #[arg(long, value_name = "NAME", add = complete::interfaces(), help_heading = "Socket")]
    interface: Option<String>,
    #[arg(long, value_name = "SIZE", value_parser = value::buffer_size, help_heading = "Socket")]
    recv_buffer: Option<usize>,
    #[arg(long, value_name = "N", value_parser = value::positive_size, default_value = "65535", help_heading = "Socket")]
    recv_size: usize,
    #[arg(long, value_name = "IP[/PREFIX]", help_heading = "Socket")]
    from: Vec<Prefix>,
}

/// Answers per second.
fn reply_rate(text: &str) -> Result<u32, Sentence> {
    value::number(text, 1..=u32::MAX)
}

/// The format of a saved file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SaveFormat {
    Pcap,
    Pcapng,
    Jsonl,
}

impl From<SaveFormat> for CaptureFormat {
    fn from(format: SaveFormat) -> Self {
        match format {
            SaveFormat::Pcap => Self::Pcap,
            SaveFormat::Pcapng => Self::PcapNg,
            SaveFormat::Jsonl => Self::JsonLines,
        }
    }
}

/// The source of arrival times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Timestamps {
    Kernel,
    User,
}

impl ListenArgs {
    /// Writes the summary and, if requested, the histogram of the one-way delays.
    fn tell_summary(&self, report: &ListenSummary<'_>) {
        let counts = || {
            let mut counts = report.to_json();
            if self.histogram {
                histogram::add(&mut counts, report.delay());
            }
            counts
        };
        self.summary.write("summary", || report.clauses(), counts);
        if self.histogram {
            let title = || say!("summary.histogram-delay");
            histogram::draw(self.summary, title, report.delay());
        }
    }

    /// Writes the page of `--report`.
    fn write_page(
        &self,
        file: Option<&ReportFile>,
        report: &ListenSummary<'_>,
        shutdown: &Shutdown,
    ) -> Result<(), Error> {
        let Some(file) = file else {
            return Ok(());
        };
        let mut name_of = names::of_senders(self.board_names()?);
        let page = page::page(report, &mut |address| name_of.as_mut()?(address));
        file.write(&page, shutdown)
    }

    /// The plan of the run; `opening` is the time that opening took.
    fn plan(
        &self,
        receive: ReceiveOptions,
        answers: Option<AnswerPlan>,
        opening: Duration,
    ) -> ListenPlan {
        ListenPlan {
            receive,
            from: self.from.clone(),
            answers,
            check: self.check,
            sequenced: self.seq,
            count: self.count,
            timeout: self.timeout,
            duration: self
                .duration
                .map(|duration| value::remaining(duration, opening)),
            stats_every: self.stats,
            charted: self.report.is_some(),
        }
    }

    /// The sockets as they are announced.
    fn places(&self, sockets: &[Bound], is_only_v6: bool) -> Vec<AnnouncedSocket> {
        let place =
            |bound: &Bound| AnnouncedSocket::new(bound.local, is_only_v6, self.interface.clone());
        sockets.iter().map(place).collect()
    }

    /// The names that the user has given to boards.
    fn board_names(&self) -> Result<BoardNames, Error> {
        if self.no_project && self.names.is_none() {
            return Ok(BoardNames::default());
        }
        names::read(self.names.as_deref())
    }
}

/// Writes datagrams in this style, with the names of boards.
fn renderer(style: Style, names: BoardNames) -> Renderer {
    let renderer = Renderer::new(style);
    match names::of_senders(names) {
        Some(senders) => renderer.naming(senders),
        None => renderer,
    }
}

/// Reads the answers and the names on a separate thread, because many regular expressions take long to compile. `None`
/// if a stop is requested meanwhile.
async fn read_files(
    args: &Arc<ListenArgs>,
    shutdown: &mut Shutdown,
) -> Result<Option<(Option<AnswerPlan>, BoardNames)>, Error> {
    let args = Arc::clone(args);
    let read = tokio::task::spawn_blocking(move || {
        let answers = args.answers()?;
        Ok((answers, args.board_names()?))
    });
    match wait_for(Site::Rules, read, shutdown, None, || ()).await {
        Waited::Done(Ok(read)) => read.map(Some),
        // The blocking task panicked or could not start.
        Waited::Done(Err(error)) => Err(Error::Start {
            what: Startable::InputThread,
            source: io::Error::other(error),
        }),
        Waited::Interrupted | Waited::TimeUp => Ok(None),
    }
}

/// Runs `udpcli listen`.
///
/// # Errors
/// The arguments contradict each other, the command could not run, or no datagram arrived in time.
pub(crate) async fn run(
    args: Box<ListenArgs>,
    global: &GlobalArgs,
    shutdown: &mut Shutdown,
) -> Result<Outcome, Error> {
    let begun = Instant::now();
    let args: Arc<ListenArgs> = args.into();
    let Some((answers, names)) = read_files(&args, shutdown).await? else {
        return Ok(Outcome::Interrupted);
    };
    // Report mistakes in the flags before opening or binding anything.
    let style = args.style(global)?;
    let save = args.save()?;
    let watch = args.watch(&style, &names)?;
    let renderer = renderer(style.clone(), names);
    // Check this before binding: an unwritable path must not cost an hour of measuring.
    let page = args.report.as_deref().map(ReportFile::new).transpose()?;
    let receive = ReceiveOptions {
        recv_size: args.recv_size,
        clock: match args.timestamps {
            None | Some(Timestamps::Kernel) => TimeSource::Kernel,
            Some(Timestamps::User) => TimeSource::User,
        },
        batching: !global.no_batching,
    };
    let addresses = Addresses::of(&args.bind, &args.join);
    let wanted = args.sockets(receive, &addresses)?;
    args.warn_of_unused(&style, save.map(|save| save.format), answers.is_some());
    let (sockets, memberships) = sockets::open(&wanted)?;
    // Open the capture after the sockets: otherwise a port in use would truncate an existing capture for nothing.
    let deadline = args.duration.map(|duration| begun + duration);
    let no_reader = |path: &Path| tracing::warn!(say = "listen.no-reader", path = %path.display());
    let saver = match save::open(save, deadline, shutdown, no_reader).await? {
        ControlFlow::Continue(saver) => saver,
        ControlFlow::Break(outcome) => return Ok(outcome),
    };
    // The wait for a FIFO's reader counts towards --duration.
    let opening = begun.elapsed();
    let mut places = args.places(&sockets, addresses.is_only_v6());
    let look = Look {
        // The live view shows the address in its title.
        is_boxed: status::is_terminal() && !args.watch,
        has_qr: args.qr && !global.quiet,
    };
    announcement::tell(&mut places, look);
    announcement::warn_of_firewall(&places);
    let plan = args.plan(receive, answers, opening);
    let prints = !args.saves_to_stdout() && watch.is_none();
    let mut output = DatagramOutput::new(
        prints.then_some(renderer),
        saver,
        args.panel(&places),
        shutdown.clone(),
    );
    output.tell_counts(args.summary);
    let line = watch.as_ref().map(Watch::address);
    if let Some((line, place)) = line.as_ref().zip(places.first()) {
        line.set(place.board_address());
    }
    output.on_network_change(move || {
        announcement::tell(&mut places, look);
        let address = places.first().map(AnnouncedSocket::board_address);
        if let Some((line, address)) = line.as_ref().zip(address) {
            line.set(address);
        }
        address
            .map(|address| address.to_string())
            .unwrap_or_default()
    });
    let mut listener = Listener::new(&plan, &sockets, memberships);
    let end = match output.begin()? {
        Flow::ReaderGone => Ok(ListenEnd::ReaderGone),
        Flow::Continue => match watch {
            None => listener.run(&mut output, shutdown).await,
            Some(watch) => watch.run(&mut listener, &mut output, shutdown).await?,
        },
    };
    output.end();
    // The terminal has shown `^C`. In the live view Ctrl-C is a key, which shows nothing.
    if matches!(end, Ok(ListenEnd::Interrupted)) && !args.watch {
        status::end_interrupted_line();
    }
    let report = listener.report();
    args.tell_summary(&report);
    args.write_page(page.as_ref(), &report, shutdown)?;
    if let (Ok(ListenEnd::Interrupted | ListenEnd::Complete), Some(bound)) = (&end, sockets.first())
        && listener.datagrams() == 0
        && args.summary == Summary::Text
        && let Some(why) = words::silence(bound.local, listener.filtered())
    {
        tracing::info!("{why}");
    }
    // The user ends a live view, even one with -n or --duration, so a signal is not an interruption.
    let has_end = (args.count.is_some() || args.duration.is_some()) && !args.watch;
    match end? {
        // After a first datagram, silence is the normal end of a run with `--timeout`.
        ListenEnd::Silence if listener.datagrams() == 0 => {
            Err(Error::Udp(udp::error::Error::NoDatagram {
                timeout: args.timeout.unwrap_or_default(),
                local: sockets.first().map(|bound| bound.local),
                // If --from rejected datagrams, the hint says so: the filter may be the mistake.
                filtered: listener.filtered(),
            }))
        }
        end => Ok(output::outcome_of(end, has_end, shutdown)),
    }
}

impl ListenArgs {
    fn format(&self) -> Format {
        self.format.unwrap_or(Format::Text)
    }

    /// Whether the capture goes to standard output.
    fn saves_to_stdout(&self) -> bool {
        self.save.as_deref() == Some(Path::new("-"))
    }

    /// The capture file.
    fn save(&self) -> Result<Option<Save<'_>>, Error> {
        let Some(path) = self.save.as_deref() else {
            return Ok(None);
        };
        let save = |format| Save {
            path,
            format,
            encoding: self.encoding.unwrap_or_default(),
        };
        let kind = self
            .save_format
            .map(CaptureFormat::from)
            .or_else(|| CaptureFormat::of(path));
        if !self.saves_to_stdout() {
            let kind = kind.ok_or_else(|| {
                Error::usage_hint(
                    say!("listen.save-name", path = path.display()),
                    say!("listen.save-name.hint"),
                )
            })?;
            return Ok(Some(save(kind)));
        }
        if self.format.is_some() {
            return Err(Error::usage_hint(
                say!("listen.save-and-format"),
                say!("listen.save-and-format.hint"),
            ));
        }
        let kind = kind.ok_or_else(|| {
            Error::usage_hint(say!("listen.save-stdout"), say!("listen.save-stdout.hint"))
        })?;
        if kind != CaptureFormat::JsonLines && stdout::is_terminal() {
            return Err(Error::usage_hint(
                say!("listen.save-terminal"),
                say!("listen.save-terminal.hint"),
            ));
        }
        Ok(Some(save(kind)))
    }

    /// The live view; `None` without `--watch` or without a terminal.
    fn watch(&self, style: &Style, names: &BoardNames) -> Result<Option<Watch>, Error> {
        if !self.watch {
            return Ok(None);
        }
        if self.saves_to_stdout() {
            return Err(Error::usage_hint(
                say!("listen-watch.save-stdout"),
                say!("listen-watch.save-stdout.hint"),
            ));
        }
        let options = WatchOptions {
            encoding: style.encoding,
            has_loss: self.seq,
            color: style.color,
        };
        let watch = Watch::new(options, names.clone())?;
        if !stdout::is_terminal() {
            tracing::info!(say = "listen-watch.no-terminal");
            return Ok(None);
        }
        Ok(Some(watch))
    }

    /// What to answer; `None` if nothing.
    fn answers(&self) -> Result<Option<AnswerPlan>, Error> {
        let fallback = self.answer()?;
        let rules = rules::all(self)?;
        if fallback.is_none() && rules.is_empty() {
            return Ok(None);
        }
        Ok(Some(AnswerPlan {
            rules,
            fallback,
            rate: self.reply_rate.unwrap_or(DEFAULT_REPLY_RATE),
            delay: self.reply_delay.unwrap_or_default(),
            drop: self.reply_drop.unwrap_or_default(),
            seed: self.random_seed,
        }))
    }

    /// The answer to datagrams that no rule matches.
    fn answer(&self) -> Result<Option<Answer>, Error> {
        if self.echo {
            return Ok(Some(Answer::Echo));
        }
        let Some(text) = &self.reply else {
            return Ok(None);
        };
        let rules = TextRules {
            escapes: self.escape,
            encoding: self.encoding.unwrap_or_default(),
            line_ending: "",
        };
        let mut payload = Vec::new();
        rules.append(
            text,
            || format!("--reply {}", quoted(text)).into(),
            &mut payload,
        )?;
        if payload.len() > udp::MAX_PAYLOAD_V4 {
            let (len, max) = (payload.len() as u64, udp::MAX_PAYLOAD_V4);
            return Err(Error::Udp(udp::error::Error::TooLong {
                what: sentence!("listen.the-reply"),
                len,
                max,
                family: "IPv4",
            }));
        }
        Ok(Some(Answer::Fixed(payload)))
    }

    fn style(&self, global: &GlobalArgs) -> Result<Style, Error> {
        if self.separator.is_some() && self.format() != Format::Raw {
            return Err(Error::usage(say!("listen.separator")));
        }
        let mut separator = Vec::new();
        let rules = TextRules {
            escapes: true,
            encoding: TextEncoding::default(),
            line_ending: "",
        };
        rules.append(
            self.separator.as_deref().unwrap_or_default(),
            || "--separator".into(),
            &mut separator,
        )?;
        if stdout::is_terminal() && self.format() == Format::Raw {
            tracing::info!(say = "listen.raw-escaped");
        }
        Ok(Style {
            separator,
            microseconds: self.microseconds,
            ..output::stdout_style(self.format(), self.encoding, global)
        })
    }

    /// The sockets to open.
    fn sockets(
        &self,
        receive: ReceiveOptions,
        addresses: &Addresses,
    ) -> Result<Vec<ListenOptions>, Error> {
        for address in &addresses.covered {
            tracing::info!(say = "listen.bind-covered", address = %address.ip());
        }
        let request = ListenRequest {
            ports: &self.port,
            groups: &self.join,
            sharing: Sharing {
                reuse_addr: self.reuse_addr,
                reuse_port: self.reuse_port,
                interface: self.interface.clone(),
            },
            recv_buffer: self.recv_buffer,
            receive,
        };
        request.sockets(addresses).map_err(|unheard| {
            Error::usage_hint(
                say!("listen.group-unheard", group = unheard.0),
                say!("listen.group-unheard.hint"),
            )
        })
    }

    /// Warns about options without effect, because the user expects one.
    fn warn_of_unused(&self, style: &Style, saved: Option<CaptureFormat>, answers: bool) {
        let format = self.format();
        let shows_text = matches!(format, Format::Text | Format::Json)
            || (format == Format::Raw && style.audience == Audience::Terminal);
        let shows_text = shows_text && !self.saves_to_stdout();
        let needs_text =
            shows_text || self.oled || answers || saved == Some(CaptureFormat::JsonLines);
        let shows_time = matches!(format, Format::Text | Format::Hex | Format::Json)
            || self.save.is_some()
            || self.seq;
        for (is_given, flag) in [
            (self.reply_rate.is_some(), "--reply-rate"),
            (self.reply_delay.is_some(), "--reply-delay"),
            (self.reply_drop.is_some(), "--reply-drop"),
            (self.random_seed.is_some(), "--random-seed"),
        ] {
            if is_given && !answers {
                tracing::warn!(say = "listen.no-effect-reply", flag);
            }
        }
        if self.encoding.is_some() && !needs_text {
            tracing::warn!(say = "listen.no-effect-encoding");
        }
        if self.timestamps.is_some() && !shows_time {
            tracing::warn!(say = "listen.no-effect-timestamps");
        }
    }

    fn panel(&self, places: &[AnnouncedSocket]) -> Option<ServerPanel> {
        if !self.oled {
            return None;
        }
        if !status::can_draw() {
            tracing::warn!(say = "listen.no-panel");
            return None;
        }
        let address = places.first()?.board_address();
        Some(ServerPanel::new(
            &address.to_string(),
            self.encoding.unwrap_or_default(),
        ))
    }
}
