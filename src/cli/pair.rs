//! `udpcli pair`.

use std::io;
use std::io::Write as _;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::board::link::{Address, Link};
use crate::board::port::DEFAULT_BAUD;
use crate::board::ports;
use crate::cli::{GlobalArgs, value};
use crate::error::{Error, Outcome, STDOUT};
use crate::logging;
use crate::output;
use crate::pair::post::Post;
use crate::pair::report::{Report, Verdict};
use crate::pair::text::{self, Style};
use crate::pair::{self, Password, Plan, Wifi};
use crate::payload::encoding::TextEncoding;
use crate::shutdown::Shutdown;

/// Datagrams of all sizes, each way: more would keep a class waiting.
const MOST_DATAGRAMS: usize = 100_000;

/// Test the PC and the board together, both directions, and say why nothing arrives
///
/// Steps: serial, firmware, Wi-Fi, addresses, PC to board, board to PC, echo round trip, OLED text, clean-up.
/// Nothing is stored on the board. Exit code 0 only if all passed, 1 if a check failed, 3 if the environment refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli pair                                        the one board found, in the Wi-Fi it is in
  udpcli pair -s /dev/ttyUSB0 --ssid class           joins that Wi-Fi first; asks for its password
  WIFI=secret udpcli pair --ssid class --password-env WIFI
  udpcli pair -n 10 --interval 2s --sizes 28         at the tutorial's pace")]
pub struct PairArgs {
    /// Serial port, or socket://HOST:PORT or rfc2217://HOST:PORT [default: the one board found]
    #[arg(short, long, value_name = "PORT", env = "UDPCLI_SERIAL")]
    serial: Option<String>,
    /// Rate of the line
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BAUD, value_parser = clap::value_parser!(u32).range(50..=12_000_000))]
    baud: u32,
    /// How long to try to get the board's attention
    #[arg(long, value_name = "D", default_value = "10s", value_parser = value::positive_duration)]
    connect_timeout: Duration,

    /// Wi-Fi to join; without it the board stays in the one it is in
    #[arg(long, value_name = "NAME", help_heading = "Network")]
    ssid: Option<String>,
    /// With --ssid: environment variable that holds its password (else it is asked for)
    #[arg(long, value_name = "VAR", requires = "ssid", help_heading = "Network")]
    password_env: Option<String>,
    /// UDP port, on the PC and on the board
    #[arg(short, long, value_name = "N", default_value_t = 6000, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Network")]
    port: u16,

    /// Datagrams of each size, each way, and echoes
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000), help_heading = "Measurement")]
    count: u16,
    /// Time between two datagrams
    #[arg(short, long, value_name = "D", default_value = "50ms", value_parser = value::positive_duration, help_heading = "Measurement")]
    interval: Duration,
    /// Payload sizes in bytes
    #[arg(long, value_name = "N,N..", value_delimiter = ',', default_value = "1,64,512,1024", value_parser = payload_size, help_heading = "Measurement")]
    sizes: Vec<usize>,
    /// Loss that is allowed each way, in percent
    #[arg(long, value_name = "PCT", default_value = "5", value_parser = percent, help_heading = "Measurement")]
    max_loss: f64,
    /// Text for the OLED
    #[arg(long, value_name = "TEXT", default_value = "你好 hello", value_parser = panel_text, help_heading = "Measurement")]
    text: String,
    /// Encoding the text is sent in; the board reads UTF-8
    #[arg(
        long,
        value_name = "LABEL",
        default_value = "utf-8",
        help_heading = "Measurement"
    )]
    encoding: TextEncoding,

    /// How the results are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "Output")]
    format: Format,
}

/// How the results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line a step when it ends
    Text,
}

fn payload_size(text: &str) -> Result<usize, String> {
    match value::size(text)? {
        0 => Err("an empty datagram makes some ESP32 firmware spin: 1 byte at least".to_owned()),
        size if size > 65_507 => Err("a UDP datagram carries at most 65507 bytes".to_owned()),
        size => Ok(size),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a number from 0 to 100".to_owned()),
    }
}

/// What fits a line of the OLED: 128 pixels, 8 a letter, 16 a Chinese character.
fn panel_text(text: &str) -> Result<String, String> {
    let pixels: usize = text
        .chars()
        .map(|c| if c.is_ascii() { 8 } else { 16 })
        .sum();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("a text of at least one character, without control characters".to_owned());
    }
    if pixels > 128 {
        return Err(
            "too long for a line of the OLED: 16 letters or 8 Chinese characters".to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Runs the test.
///
/// # Errors
/// A check failed, or the environment refused; usage.
pub fn run(args: &PairArgs, global: &GlobalArgs) -> Result<Outcome, Error> {
    let plan = plan(args)?;
    let address = Address {
        port: match &args.serial {
            Some(port) => port.clone(),
            None => ports::only_board()?,
        },
        baud: args.baud,
        timeout: args.connect_timeout,
    };
    let shutdown = Shutdown::on_signals(1).map_err(|source| Error::Start {
        what: "watch for Ctrl-C",
        source,
    })?;
    let style = Style {
        color: logging::wants_color(global.color.into(), &io::stdout()),
    };
    let mut stdout = output::stdout();
    let mut written = Ok(());
    let post = Post::default();
    let report = pair::run(
        &plan,
        &address.port,
        || Link::open(&address, shutdown.clone()),
        &post,
        &shutdown,
        &mut |step| {
            if written.is_ok() {
                written = stdout
                    .write_all(text::step(step, style).as_bytes())
                    .and_then(|()| stdout.flush());
            }
        },
    );
    if written.is_ok() {
        written = stdout
            .write_all(text::conclusion(&report, style).as_bytes())
            .and_then(|()| stdout.flush());
    }
    match written {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write {
            object: STDOUT.to_owned(),
            source,
        }),
        _ => conclude(&[report]),
    }
}

/// The exit code that the reports make.
fn conclude(reports: &[Report]) -> Result<Outcome, Error> {
    if reports.iter().any(Report::was_interrupted) {
        return Ok(Outcome::Interrupted);
    }
    let failed: Vec<&Report> = reports
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

fn plan(args: &PairArgs) -> Result<Plan, Error> {
    let mut sizes = args.sizes.clone();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() > 64 || sizes.len() * usize::from(args.count) > MOST_DATAGRAMS {
        return Err(Error::usage(format!(
            "{} sizes of {} datagrams are too many: at most 64 sizes, and {MOST_DATAGRAMS} datagrams each way",
            sizes.len(),
            args.count
        )));
    }
    let mut text_bytes = Vec::new();
    args.encoding
        .encode(&args.text, &mut text_bytes)
        .map_err(|source| Error::Encode {
            what: format!("the text {:?}", args.text),
            source,
        })?;
    let wifi = match &args.ssid {
        None => None,
        Some(ssid) => Some(Wifi {
            ssid: ssid.clone(),
            password: Password::new(password(ssid, args.password_env.as_deref())?),
        }),
    };
    Ok(Plan {
        wifi,
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

fn password(ssid: &str, variable: Option<&str>) -> Result<String, Error> {
    match variable {
        Some(variable) => std::env::var(variable).map_err(|_| {
            Error::usage(format!(
                "the environment variable {variable} is not set, or no text"
            ))
        }),
        None => super::board::password::ask(ssid),
    }
}
