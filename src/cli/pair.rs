//! `udpcli pair`.
//!
//! Long because each flag is declared here and checked against the others.

mod html;
mod json;
mod junit;
mod text;
mod watch;

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::board::error::Error as BoardError;
use crate::board::fleet::{MOST_BOARDS, all_boards, without_doubles};
use crate::board::line_rate::LineRate;
use crate::board::link::Address;
use crate::board::port::DEFAULT_BAUD;
use crate::board::serial_ports;
use crate::cli::board::password;
use crate::cli::config::SerialSettings;
use crate::cli::report::ReportFile;
use crate::cli::{GlobalArgs, complete, names, value};
use crate::error::{Error, Outcome, Startable};
use crate::file;
use crate::file::stdout_name;
use crate::firewall;
use crate::names::BoardNames;
use crate::pair::fleet::{self, BoardPlace, FleetObserver, PairFleetEvent, not_simulated};
use crate::pair::results::{BoardReport, Step, Verdict};
use crate::pair::sockets::Inboxes;
use crate::pair::{
    self, BoardAp, Join, PairNetwork, PairPlan, Password, TestContext, Wifi, simulate,
};
use crate::shutdown::Shutdown;
use crate::terminal::sanitize::{self, Allowed};
use crate::terminal::stdout::{self, Stdout};
use crate::terminal::stream::WriteOutcome;
use crate::terminal::{color, status};
use crate::text::encoding::TextEncoding;
use crate::text::fullwidth::to_ascii;
use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::text::shorten::quoted;
use crate::udp;
use crate::words;
use crate::words::catalogue::say;
use text::TextColors;

/// The maximum number of datagrams of all sizes, in each direction: more would make a class wait.
const MOST_DATAGRAMS: usize = 100_000;

/// Replaces the port in the report of a simulated board, and in one without a board.
const SIMULATED: &str = "simulated";
const NO_BOARD: &str = "no board";

/// What `udpcli pair` takes.
#[derive(Debug, Args)]
pub(crate) struct PairArgs {
    // Read the environment variable by hand: clap would count it as given, and in conflict with the next two flags.
    #[arg(short, long, value_name = "PORT", add = complete::serial_ports())]
    serial: Vec<String>,
    #[arg(long, conflicts_with = "serial")]
    all: bool,
    #[arg(long, conflicts_with_all = ["serial", "all", "ssid"])]
    simulate: bool,
    #[arg(long, value_name = "FILE", env = "UDPCLI_NAMES", hide_env_values = true, value_hint = clap::ValueHint::FilePath)]
    names: Option<PathBuf>,
    #[arg(long, value_name = "N", value_parser = value::baud)]
    baud: Option<u32>,
    #[arg(long, value_name = "D", default_value = "10s", value_parser = value::positive_duration)]
    connect_timeout: Duration,

    #[arg(long, value_name = "NAME", value_parser = wifi_name, help_heading = "Network")]
    ssid: Option<String>,
    #[arg(long, value_name = "VAR", requires = "ssid", help_heading = "Network")]
    password_env: Option<String>,
    #[arg(long, conflicts_with_all = ["ssid", "all", "simulate", "watch"], help_heading = "Network")]
    board_ap: bool,
    #[arg(long, value_name = "D", default_value = "2m", requires = "board_ap", value_parser = value::positive_duration, help_heading = "Network")]
    join_timeout: Duration,
    #[arg(short, long, value_name = "N", default_value_t = 6000, value_parser = value::peer_port, help_heading = "Network")]
    port: u16,

    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = datagrams, help_heading = "Measurement")]
    count: u16,
    #[arg(short, long, value_name = "D", default_value = "50ms", value_parser = value::positive_duration, help_heading = "Measurement")]
    interval: Duration,
    #[arg(
        long,
        value_name = "N,N..",
        default_value = "1,64,512,1024",
        help_heading = "Measurement"
    )]
    sizes: Vec<Sizes>,
    #[arg(long, value_name = "PCT", default_value = "5", value_parser = percent, help_heading = "Measurement")]
    max_loss: f64,
    #[arg(long, value_name = "TEXT", default_value = "你好 hello", value_parser = panel_text, help_heading = "Measurement")]
    text: String,
    #[arg(
        long,
        value_name = "LABEL",
        add = complete::encodings(),
        default_value = "utf-8",
        help_heading = "Measurement"
    )]
    encoding: TextEncoding,

    #[arg(long, help_heading = "Output")]
    watch: bool,
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PairFormat::Text, help_heading = "Output")]
    format: PairFormat,
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Output")]
    report: Option<PathBuf>,
}

/// How to print the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PairFormat {
    Text,
    Json,
    Junit,
}

/// Payload sizes, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sizes(Vec<usize>);

impl FromStr for Sizes {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        let sizes = to_ascii(text);
        let sizes = sizes.split(',').map(|size| payload_size(size.trim()));
        sizes.collect::<Result<_, _>>().map(Self)
    }
}

fn payload_size(text: &str) -> Result<usize, Sentence> {
    match value::size(text)? {
        0 => Err(sentence!("pair.size-zero")),
        // 65,535 less 20 bytes of IPv4 header and 8 of UDP: the boards have IPv4 only.
        size if size > 65_507 => Err(sentence!("pair.size-too-large")),
        size => Ok(size),
    }
}

/// Datagrams of a size.
fn datagrams(text: &str) -> Result<u16, Sentence> {
    value::number(text, 1..=10_000)
}

fn wifi_name(text: &str) -> Result<String, Sentence> {
    match text.len() {
        // IEEE 802.11 limits the bytes, so a Chinese name has at most ten characters.
        1..=32 => Ok(text.to_owned()),
        len => Err(sentence!("pair.wifi-name-length", len: len)),
    }
}

fn percent(text: &str) -> Result<f64, Sentence> {
    let text = to_ascii(text);
    match text.strip_suffix('%').unwrap_or(&text).parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err(sentence!("pair.not-a-percentage")),
    }
}

/// The length limit for a line of the OLED: 128 pixels, 8 a letter, 16 a Chinese character.
fn panel_text(text: &str) -> Result<String, Sentence> {
    let pixels: usize = text
        .chars()
        .map(|c| if c.is_ascii() { 8 } else { 16 })
        .sum();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(sentence!("pair.text-unfit"));
    }
    if pixels > 128 {
        return Err(sentence!("pair.text-too-long"));
    }
    Ok(text.to_owned())
}

/// Runs the test.
///
/// # Errors
/// A check failed, or the environment refused; usage.
pub(crate) fn run(args: &PairArgs, global: &GlobalArgs) -> Result<Outcome, Error> {
    // Check this before asking for a password and searching for boards.
    if args.watch && (args.format != PairFormat::Text || args.serial.len() > 1) {
        return Err(Error::usage(say!("pair.watch-one-board")));
    }
    if args.board_ap && args.serial.len() > 1 {
        return Err(Error::usage(say!("pair.board-ap-one-board")));
    }
    let file = args.report.as_deref().map(ReportFile::new).transpose()?;
    let mut plan = plan(args)?;
    let list = names::read(args.names.as_deref())?;
    let is_read_later = args.format != PairFormat::Text || file.is_some();
    let places = places(args, &mut plan);
    if let (Err(error), true) = (&places, args.format != PairFormat::Text) {
        tell_why(error);
    }
    let places = match places {
        // Write a report in any case: here its serial step failed.
        Err(Error::Board(error)) if is_read_later => Err(error),
        Err(Error::Simulate(error)) if is_read_later => {
            Err(not_simulated(SIMULATED.to_owned(), error))
        }
        places => Ok(places?),
    };
    // Only now is it known how many boards `--all` has found.
    if args.watch && places.as_ref().is_ok_and(|places| places.len() > 1) {
        return Err(Error::usage(say!("pair.watch-one-board")));
    }
    let shutdown = Shutdown::on_signal().map_err(|source| Error::Start {
        what: Startable::Signals,
        source,
    })?;
    let mut out = Out {
        stdout: Stdout::new(shutdown.clone(), Allowed::Colors),
        result: Ok(WriteOutcome::Whole),
        style: TextColors {
            color: color::of_stdout(global.color.into()),
        },
        format: args.format,
        is_fleet: false,
        list,
    };
    if let Some(block) = firewall::known_block(args.port) {
        tracing::warn!("{}", words::doctor::warning(&block, args.port));
    }
    let inboxes = Inboxes::default();
    let context = TestContext {
        plan: &plan,
        inboxes: &inboxes,
        shutdown: &shutdown,
    };
    let places = match places {
        Ok(places) => places,
        Err(error) => {
            let report = pair::run(context, NO_BOARD, || Err(error), &mut |step| {
                out.event(PairFleetEvent::Step(step));
            });
            out.event(PairFleetEvent::Report(&report));
            return end(&[report], out, context, file.as_ref());
        }
    };
    if let (true, [place]) = (args.watch, places.as_slice()) {
        let watched = watch::run(context, place, &mut out)?;
        if let (Some(file), Some((report, history))) = (&file, &watched) {
            let name = |report: &BoardReport| out.name(report).map(str::to_owned);
            let clean = |text: &str| plan.network.without_secret(text);
            // Without a round there is no history, so the page shows the failed steps instead.
            let page = if history.total().rounds > 0 {
                watch::page::page(report, history, plan.max_loss, name(report), &clean)
            } else {
                html::page(std::slice::from_ref(report), name, &clean)
            };
            file.write(&page, &shutdown)?;
        }
        out.end()?;
        return match watched {
            Some((report, history)) if history.total().rounds == 0 => conclude(&[report]),
            _ => Ok(Outcome::Done),
        };
    }
    out.is_fleet = places.len() > 1;
    let reports = fleet::test(context, &places, &mut out);
    if out.is_fleet && out.format == PairFormat::Text {
        let advice = text::advice(&reports, &|report| out.name(report));
        out.write(&advice);
        out.write(&text::total(&reports));
    }
    end(&reports, out, context, file.as_ref())
}

/// Tells people why there is no board to test, because the report for programs is in English.
fn tell_why(error: &Error) {
    let problem = match error {
        Error::Board(_) => words::message(error),
        Error::Simulate(error) => words::cause(error),
        // The error ends the run, and is shown then.
        _ => return,
    };
    let text = match words::hint(error) {
        Some(hint) => say!("value.and", problem = problem, hint = hint),
        None => problem,
    };
    tracing::warn!("{text}");
}

/// Writes the output that comes after all tests.
fn end(
    reports: &[BoardReport],
    mut out: Out,
    context: TestContext<'_>,
    file: Option<&ReportFile>,
) -> Result<Outcome, Error> {
    if out.format == PairFormat::Junit {
        let document = junit::document(reports, |report| out.name(report));
        out.write(&document);
    }
    if let Some(file) = file {
        let name = |report: &BoardReport| out.name(report).map(str::to_owned);
        let network = &context.plan.network;
        let page = html::page(reports, name, &|text| network.without_secret(text));
        file.write(&page, context.shutdown)?;
    }
    // Ctrl-C, while the reader of the results had stopped reading.
    let is_cut_short = matches!(out.result, Ok(WriteOutcome::Abandoned(_)));
    out.end()?;
    if is_cut_short {
        return Ok(Outcome::Interrupted);
    }
    conclude(reports)
}

/// stdout; if the reader is gone, the test still continues, because it must clean up the board.
struct Out {
    stdout: Stdout,
    result: io::Result<WriteOutcome>,
    style: TextColors,
    format: PairFormat,
    /// Whether several boards are tested: a row each, in place of a line for each step.
    is_fleet: bool,
    /// What the boards are called.
    list: BoardNames,
}

impl FleetObserver for Out {
    fn event(&mut self, event: PairFleetEvent<'_>) {
        let text = match (self.format, event) {
            (PairFormat::Text, PairFleetEvent::Step(step)) => text::step(step, self.style),
            (PairFormat::Text, PairFleetEvent::Round(round)) => watch::line(round),
            (PairFormat::Text, PairFleetEvent::Report(report)) if self.is_fleet => {
                let row = text::row(report, self.name(report), self.style);
                stdout::wrapped(&row, text::VERDICT).into_owned()
            }
            (PairFormat::Text, PairFleetEvent::Report(report)) => {
                let line = text::conclusion(report, self.style);
                stdout::wrapped(&line, text::VERDICT).into_owned()
            }
            (PairFormat::Json, PairFleetEvent::Report(report)) => {
                format!("{}\n", json::object(report, self.name(report)))
            }
            (PairFormat::Json | PairFormat::Junit, _) => return,
        };
        self.write(&text);
    }
}

impl Out {
    /// The board's name from the list: by its port, its MAC address or its IP address.
    fn name(&self, report: &BoardReport) -> Option<&str> {
        let figure = |step, key| report.step(step)?.figures.get(key)?.as_str();
        let keys = [
            Some(report.port.as_str()),
            figure(Step::Firmware, "mac"),
            figure(Step::Addresses, "board"),
        ];
        keys.into_iter().flatten().find_map(|key| self.list.of(key))
    }

    fn write(&mut self, text: &str) {
        // Text for people is already escaped and has colours. Output for programs may also appear on a terminal.
        let shown = if self.format != PairFormat::Text && stdout::is_terminal() {
            sanitize::on_terminal(text.as_bytes())
        } else {
            text.as_bytes().into()
        };
        if !self.is_gone() {
            self.result = self.stdout.write(&shown);
        }
    }

    /// Whether the reader is gone, or writing failed.
    fn is_gone(&self) -> bool {
        !matches!(self.result, Ok(WriteOutcome::Whole))
    }

    fn end(self) -> Result<(), Error> {
        match self.result {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::File(file::Error::Write {
                    object: stdout_name(),
                    source,
                }))
            }
            _ => Ok(()),
        }
    }
}

/// The boards that the user named; otherwise the only board, or all boards.
fn places(args: &PairArgs, plan: &mut PairPlan) -> Result<Vec<BoardPlace>, Error> {
    let settings = if args.simulate {
        SerialSettings::default()
    } else {
        SerialSettings::read()?
    };
    let baud = args.baud.or_else(|| settings.baud());
    let address = |port: String| Address {
        port,
        baud: baud.unwrap_or(DEFAULT_BAUD),
        timeout: args.connect_timeout,
        wire: None,
        line_rate: LineRate::Keep,
    };
    if args.simulate {
        let (ip, port) = simulate::place(plan.port);
        plan.board_port = port;
        // Start the simulated board once now, so that an error appears at once.
        drop(simulate::start(ip).map_err(|error| match error {
            simulate::Error::Interrupted => Error::Board(BoardError::Interrupted),
            error => Error::Simulate(error),
        })?);
        return Ok(vec![BoardPlace::Simulated(
            address(SIMULATED.to_owned()),
            ip,
        )]);
    }
    let mut ports = if args.all {
        all_boards()?
    } else if args.serial.is_empty() {
        let port = match std::env::var("UDPCLI_SERIAL") {
            // An empty name selects the one board found, and overrides the user's file.
            Ok(port) => Some(port).filter(|port| !port.is_empty()),
            Err(_) => settings.serial().map(str::to_owned),
        };
        match port {
            Some(port) => vec![port],
            None => vec![serial_ports::only_board()?],
        }
    } else {
        args.serial.clone()
    };
    without_doubles(&mut ports);
    if ports.len() > MOST_BOARDS {
        return Err(Error::usage(say!(
            "pair.too-many-boards",
            boards: ports.len(),
            most: MOST_BOARDS
        )));
    }
    Ok(ports
        .into_iter()
        .map(|port| BoardPlace::Serial(address(port)))
        .collect())
}

/// The exit code for the reports.
fn conclude(reports: &[BoardReport]) -> Result<Outcome, Error> {
    if reports.iter().any(BoardReport::was_interrupted) {
        return Ok(Outcome::Interrupted);
    }
    let failed: Vec<&BoardReport> = reports
        .iter()
        .filter(|report| report.verdict() == Verdict::Failed)
        .collect();
    if failed.is_empty() {
        return Ok(Outcome::Done);
    }
    let mut codes: Vec<&str> = failed
        .iter()
        .flat_map(|report| report.findings())
        .filter(|(step, _)| step.verdict == Verdict::Failed)
        .map(|(_, finding)| finding.diagnosis.code())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    Err(Error::Pair {
        codes,
        boards: reports.len(),
        failed: failed.len(),
        environment: failed.iter().any(|report| report.is_environment()),
    })
}

/// Asks the user to join the board's Wi-Fi, on stderr even with -q, because the test needs it. Does not use the log,
/// which must never contain a password.
fn announce(join: &Join<'_>) {
    let (wait, ssid) = (seconds(join.wait), sanitize::for_terminal(join.ssid));
    let text = match join.password {
        Some(password) => say!(
            "pair.join-own-ap",
            wait = wait,
            ssid = ssid,
            password = password
        ),
        None => say!("pair.join-own-ap-of-program", wait = wait, ssid = ssid),
    };
    status::print_message(&(text + "\n"), 2);
}

fn plan(args: &PairArgs) -> Result<PairPlan, Error> {
    let sizes = args.sizes.iter().flat_map(|Sizes(sizes)| sizes);
    let mut sizes: Vec<usize> = sizes.copied().collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() > 64 || sizes.len() * usize::from(args.count) > MOST_DATAGRAMS {
        return Err(Error::usage(say!(
            "pair.too-many-datagrams",
            sizes: sizes.len(),
            count: args.count,
            most: MOST_DATAGRAMS
        )));
    }
    let mut text_bytes = Vec::new();
    args.encoding
        .encode(&args.text, &mut text_bytes)
        .map_err(|source| {
            Error::Udp(udp::error::Error::Encode {
                what: sentence!("pair.the-text", text = quoted(&args.text)),
                source,
            })
        })?;
    let network = match &args.ssid {
        _ if args.board_ap => PairNetwork::BoardAp(BoardAp {
            wifi: Wifi::random(),
            wait: args.join_timeout,
            announce,
        }),
        None => PairNetwork::Current,
        Some(ssid) => PairNetwork::Join(Wifi {
            ssid: ssid.clone(),
            password: Password::new(password::get(ssid, args.password_env.as_deref())?),
        }),
    };
    Ok(PairPlan {
        network,
        port: args.port,
        board_port: args.port,
        count: args.count,
        interval: args.interval,
        sizes,
        max_loss: args.max_loss,
        text: args.text.clone(),
        text_bytes,
    })
}
