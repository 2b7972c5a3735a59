//! `udpcli relay`: turns the arguments into a plan, runs it and reports the result.

use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::capture::CaptureFormat;
use crate::cli::logging::Summary;
use crate::cli::output::{self, DatagramOutput};
use crate::cli::save::{self, Save};
use crate::cli::{GlobalArgs, complete, names, value};
use crate::error::{Error, Outcome};
use crate::render::{Format, Renderer};
use crate::shutdown::Shutdown;
use crate::terminal::{status, stdout};
use crate::text::encoding::TextEncoding;
use crate::text::random::Random;
use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::udp;
use crate::udp::endpoint::{Endpoint, Family};
use crate::udp::listen::ListenEnd;
use crate::udp::pace::Rate;
use crate::udp::receive::{ReceiveOptions, TimeSource};
use crate::udp::relay::fate::Impairment;
use crate::udp::relay::target::Target;
use crate::udp::relay::{Relay, RelayPlan};
use crate::udp::sink::{Flow, Sink as _};
use crate::udp::socket::{self, Bound, ListenOptions, Sharing};
use crate::wait::{Site, Waited, wait_for};
use crate::words::catalogue::say;

/// The maximum number of targets.
const MAX_TARGETS: usize = 16;

/// The default of `--session-timeout`. A NAT should not forget a mapping sooner (RFC 4787, REQ-5).
const SESSION_TIMEOUT: &str = "2m";

/// The default of `--rate` in datagrams per second, if a target is an address of this machine.
const LOCAL_RATE: f64 = 100_000.0;

/// The arguments of `udpcli relay`.
#[derive(Debug, Args)]
pub(crate) struct RelayArgs {
    #[arg(long, value_name = "[IP:]PORT", required = true, value_parser = value::listen_address)]
    listen: SocketAddr,
    #[arg(long, value_name = "HOST:PORT", required = true, num_args = 1..)]
    to: Vec<Endpoint>,
    #[arg(long, value_name = "FILE", env = "UDPCLI_NAMES", hide_env_values = true, value_hint = clap::ValueHint::FilePath)]
    names: Option<PathBuf>,
    #[arg(long, value_name = "D", default_value = SESSION_TIMEOUT, value_parser = value::positive_duration)]
    session_timeout: Duration,

    #[arg(long, value_name = "PCT", value_parser = value::percent, help_heading = "Faults")]
    drop: Option<f64>,
    #[arg(long, value_name = "PCT", value_parser = value::percent, help_heading = "Faults")]
    duplicate: Option<f64>,
    #[arg(long, value_name = "PCT", value_parser = value::percent, help_heading = "Faults")]
    reorder: Option<f64>,
    #[arg(long, value_name = "D", value_parser = value::delay, help_heading = "Faults")]
    delay: Option<Duration>,
    #[arg(long, value_name = "D", value_parser = value::delay, help_heading = "Faults")]
    jitter: Option<Duration>,
    #[arg(long, value_name = "N", help_heading = "Faults")]
    rate: Option<Rate>,
    #[arg(long, help_heading = "Faults")]
    both: bool,
    #[arg(long, value_name = "N", value_parser = value::seed, help_heading = "Faults")]
    random_seed: Option<u64>,

    #[arg(long, value_enum, help_heading = "Output")]
    format: Option<RelayFormat>,
    #[arg(long, value_name = "LABEL", add = complete::encodings_and_auto(), help_heading = "Output")]
    encoding: Option<TextEncoding>,
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,
    #[arg(long, value_name = "D", value_parser = value::report_period, help_heading = "Output")]
    stats: Option<Duration>,
    #[arg(long, value_enum, default_value_t = Summary::Text, value_name = "FORM", help_heading = "Output")]
    summary: Summary,

    #[arg(long, value_name = "D", value_parser = value::positive_duration, help_heading = "End")]
    duration: Option<Duration>,
}

/// How to print what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RelayFormat {
    Text,
    Json,
    Hex,
    Raw,
}

impl From<RelayFormat> for Format {
    fn from(format: RelayFormat) -> Self {
        match format {
            RelayFormat::Text => Self::Text,
            RelayFormat::Json => Self::Json,
            RelayFormat::Hex => Self::Hex,
            RelayFormat::Raw => Self::Raw,
        }
    }
}

/// Runs `udpcli relay`.
///
/// # Errors
/// The arguments contradict each other, or the command could not run.
pub(crate) async fn run(
    args: Box<RelayArgs>,
    global: &GlobalArgs,
    shutdown: &mut Shutdown,
) -> Result<Outcome, Error> {
    let begun = Instant::now();
    let save = args.save()?;
    args.warn_of_unused();
    let Some(targets) = args.targets(shutdown).await? else {
        return Ok(Outcome::Interrupted);
    };
    let receive = ReceiveOptions {
        // Receive whole datagrams: a relay must pass on exactly what it got.
        recv_size: usize::from(u16::MAX),
        clock: TimeSource::Kernel,
        batching: !global.no_batching,
    };
    let bound = args.open(receive, &targets)?;
    let deadline = args.duration.map(|duration| begun + duration);
    let no_reader = |path: &Path| tracing::warn!(say = "relay.no-reader", path = %path.display());
    // Open the capture after the socket: otherwise a port in use would truncate an existing capture for nothing.
    let saver = match save::open(save, deadline, shutdown, no_reader).await? {
        ControlFlow::Continue(saver) => saver,
        ControlFlow::Break(outcome) => return Ok(outcome),
    };
    let is_watched = args.format.is_some() || saver.is_some();
    let plan = args.plan(receive, targets, is_watched, begun.elapsed());
    args.announce(&bound, &plan);
    let renderer = args.format.map(|format| {
        let style = output::stdout_style(format.into(), args.encoding, global);
        Renderer::new(style).with_destination()
    });
    let mut output = DatagramOutput::new(renderer, saver, None, shutdown.clone());
    output.tell_counts(args.summary);
    let mut relay = Relay::new(&plan, &bound);
    let end = match output.begin()? {
        Flow::ReaderGone => Ok(ListenEnd::ReaderGone),
        Flow::Continue => relay.run(&mut output, shutdown).await,
    };
    output.end();
    if matches!(end, Ok(ListenEnd::Interrupted)) {
        status::end_interrupted_line();
    }
    let report = relay.report();
    args.summary
        .write("summary", || report.clauses(), || report.to_json());
    let has_end = args.duration.is_some();
    Ok(output::outcome_of(end?, has_end, shutdown))
}

impl RelayArgs {
    /// Resolves the names of the targets; `None` if a stop is requested meanwhile.
    async fn targets(&self, shutdown: &mut Shutdown) -> Result<Option<Vec<Target>>, Error> {
        if self.to.len() > MAX_TARGETS {
            return Err(Error::usage(say!(
                "relay.too-many-targets",
                n = self.to.len(),
                most = MAX_TARGETS
            )));
        }
        let mut targets = Vec::new();
        for endpoint in &self.to {
            let host = &endpoint.host;
            // The search for a board reports its own progress.
            let say = || {
                if endpoint.board().is_none() {
                    tracing::info!(say = "relay.waiting-for-dns", host = %host);
                }
            };
            let deadline = self.duration.map(|duration| Instant::now() + duration);
            let resolved = names::addresses(self.names.as_deref(), endpoint, Family::Any);
            match wait_for(Site::Resolve, resolved, shutdown, deadline, say).await {
                Waited::Done(addresses) => {
                    // One address per name: with two, the same host would get each datagram twice.
                    let first = addresses?.into_iter().next();
                    targets.extend(first.map(Target::new));
                }
                Waited::Interrupted => return Ok(None),
                Waited::TimeUp => {
                    let time = seconds(self.duration.unwrap_or_default());
                    let late = say!("relay.no-dns", time = time);
                    return Err(Error::Udp(udp::error::Error::Resolve {
                        host: host.clone(),
                        source: io::Error::new(io::ErrorKind::TimedOut, late),
                    }));
                }
            }
        }
        Ok(Some(targets))
    }

    /// Opens the socket for the clients, unless a target is the relay itself.
    fn open(&self, receive: ReceiveOptions, targets: &[Target]) -> Result<Bound, Error> {
        let refuse_own = |local: SocketAddr| match targets.iter().find(|to| to.is_own(local)) {
            None => Ok(()),
            Some(target) => Err(Error::usage_hint(
                say!("relay.own", target = target.address),
                say!("relay.own.hint"),
            )),
        };
        // Check this before opening the socket, so that the port is not taken for nothing.
        refuse_own(self.listen)?;
        let options = ListenOptions {
            purpose: udp::error::Purpose::Relay,
            sharing: Sharing::default(),
            local: self.listen,
            only_v6: false,
            groups: Vec::new(),
            port_of: None,
            recv_buffer: None,
            receive,
        };
        let (bound, _) = socket::open_listener(&options)?;
        // With port 0, the system may have chosen the port of a target.
        refuse_own(bound.local)?;
        Ok(bound)
    }

    /// The plan of the run; `opening` is the time that opening took.
    fn plan(
        &self,
        receive: ReceiveOptions,
        targets: Vec<Target>,
        is_watched: bool,
        opening: Duration,
    ) -> RelayPlan {
        let faults = self.faults();
        let is_local = targets.iter().any(|target| target.is_local);
        // A loop through another program on this machine would otherwise take a whole core.
        let default = if is_local {
            Rate::PerSecond(LOCAL_RATE)
        } else {
            Rate::Max
        };
        RelayPlan {
            receive,
            targets,
            forward: faults,
            back: if self.both {
                faults
            } else {
                Impairment::default()
            },
            rate: self.rate.unwrap_or(default),
            // Short, because people read it out.
            seed: self
                .random_seed
                .unwrap_or_else(|| Random::new(None).draw() % 1_000_000),
            session_timeout: self.session_timeout,
            duration: self
                .duration
                .map(|duration| value::remaining(duration, opening)),
            stats_every: self.stats,
            is_watched,
        }
    }

    /// The faults that the flags ask for.
    fn faults(&self) -> Impairment {
        Impairment {
            drop: self.drop.unwrap_or_default(),
            duplicate: self.duplicate.unwrap_or_default(),
            reorder: self.reorder.unwrap_or_default(),
            delay: self.delay.unwrap_or_default(),
            jitter: self.jitter.unwrap_or_default(),
        }
    }

    /// Reports where the relay listens, and the values that it chose.
    fn announce(&self, bound: &Bound, plan: &RelayPlan) {
        let targets = plan.targets.iter().map(|target| target.address);
        let targets = sentence!("udp.these", items <- Sentence::verbatim_list(targets));
        tracing::info!(say = "relay.at", local = %bound.local, targets = targets.as_value());
        if self.rate.is_none() && plan.rate != Rate::Max {
            tracing::info!(say = "relay.rate", rate = "100,000");
        }
        if self.random_seed.is_none() && plan.forward.is_random() {
            tracing::info!(say = "relay.seed", seed = %plan.seed);
        }
    }

    /// Warns about options without effect, because the user expects one.
    fn warn_of_unused(&self) {
        let has_faults = !self.faults().is_none();
        for (is_given, flag) in [
            (self.both, "--both"),
            (self.random_seed.is_some(), "--random-seed"),
        ] {
            if is_given && !has_faults {
                tracing::warn!(say = "relay.no-effect", flag);
            }
        }
        let is_text = matches!(self.format, Some(RelayFormat::Text | RelayFormat::Json))
            || self.format == Some(RelayFormat::Raw) && stdout::is_terminal();
        let saves_text =
            self.save.as_deref().and_then(CaptureFormat::of) == Some(CaptureFormat::JsonLines);
        if self.encoding.is_some() && !is_text && !saves_text {
            tracing::warn!(say = "relay.no-effect-encoding");
        }
        if self.format == Some(RelayFormat::Raw) && stdout::is_terminal() {
            tracing::info!(say = "relay.raw-escaped");
        }
    }

    /// The capture file.
    fn save(&self) -> Result<Option<Save<'_>>, Error> {
        let Some(path) = self.save.as_deref() else {
            return Ok(None);
        };
        match CaptureFormat::of(path) {
            Some(format) => Ok(Some(Save {
                path,
                format,
                encoding: self.encoding.unwrap_or_default(),
            })),
            None => Err(Error::usage(say!("relay.save-name", path = path.display()))),
        }
    }
}
