//! `udpcli board run`.

mod printer;
mod watch;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use self::printer::RunPrinter;
use super::exec::Program;
use super::fleet::{self, Job};
use super::{SerialArgs, mirroring, session, stdin};
use crate::board::error::{Error as BoardError, NotSource};
use crate::board::example::{Example, Settings};
use crate::board::hidden_error::Symptom;
use crate::board::life_cycle::{self, Ending, RunOptions, WatchOled};
use crate::board::model::Model;
use crate::board::program::source::{self, SourceKind};
use crate::board::repl::last_line;
use crate::cli::{complete, value};
use crate::error::{Error, Outcome};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::{status, stream};
use crate::text::sentence::sentence;
use crate::wait::{Site, Wait, Waited};
use crate::words;
use crate::words::catalogue::say;

/// The size limit for scripts: more than any board's memory or file system holds.
const MAX_SCRIPT: u64 = 16 << 20;

/// The arguments of `udpcli board run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[arg(required_unless_present = "example", conflicts_with = "example", add = complete::files(complete::PROGRAMS))]
    script: Option<PathBuf>,
    #[arg(long, value_enum, value_name = "WHICH")]
    example: Option<Example>,
    // mpremote's name is --no-follow.
    #[arg(long, alias = "no-follow")]
    detach: bool,
    #[arg(long)]
    no_mirror: bool,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_mirror", "detach"])]
    image: Option<PathBuf>,
    #[arg(long)]
    no_soft_reset: bool,
    #[arg(long, requires = "script", conflicts_with = "detach")]
    watch: bool,
    #[arg(long, value_name = "PATH", requires = "watch")]
    with: Vec<PathBuf>,

    #[arg(
        long,
        value_name = "NAME",
        requires = "example",
        help_heading = "Example"
    )]
    ssid: Option<String>,
    #[arg(long, value_name = "VAR", requires = "ssid", help_heading = "Example")]
    password_env: Option<String>,
    #[arg(long, value_name = "IP:PORT", value_parser = value::target, requires = "example", help_heading = "Example")]
    target: Option<std::net::SocketAddrV4>,
    #[arg(long, value_name = "N", default_value_t = 6000, value_parser = value::port, requires = "example", help_heading = "Example")]
    port: u16,
    #[arg(long, value_name = "D", default_value = "2s", value_parser = value::positive_duration, requires = "example", help_heading = "Example")]
    interval: Duration,
}

impl RunArgs {
    /// Whether the program comes from standard input.
    pub(super) fn reads_stdin(&self) -> bool {
        self.script.as_deref() == Some(Path::new("-"))
    }

    /// Whether it runs the program again at each save, until Ctrl-C.
    pub(super) fn watches(&self) -> bool {
        self.watch
    }

    /// Skips the soft reset.
    pub(super) fn keep_interpreter(&mut self) {
        self.no_soft_reset = true;
    }
}

/// Runs the program to its end, or until Ctrl-C.
pub(super) fn run(args: &RunArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    if let (true, Some(script)) = (args.watch, &args.script) {
        return watch::run(args, script, serial);
    }
    let shutdown = session::shutdown()?;
    let Some(source) = source(args, &shutdown)? else {
        return Ok(Outcome::Interrupted);
    };
    if let Some(path) = &args.image {
        mirroring::check(path)?;
    }
    let program = Program {
        source: &source.text,
        for_board_3: source.for_board_3.as_deref(),
        mirrors: !args.no_mirror,
        image: args.image.as_deref(),
        soft_reset: !args.no_soft_reset,
        detach: args.detach,
        has_password: args.ssid.is_some(),
    };
    execute(&program, serial, shutdown)
}

/// The same for several boards; the program is read once.
pub(super) fn for_many(args: &RunArgs) -> Result<Job<'_>, Error> {
    fleet::one_board_only(args.watch, "--watch")?;
    fleet::one_board_only(args.image.is_some(), "--image")?;
    let shutdown = session::shutdown()?;
    let source = source(args, &shutdown)?.ok_or(BoardError::Interrupted)?;
    Ok(Job::new(move |serial| {
        let program = Program {
            source: &source.text,
            for_board_3: source.for_board_3.as_deref(),
            // One terminal has no room for several panels; use `board oled` for that.
            mirrors: false,
            image: None,
            soft_reset: !args.no_soft_reset,
            detach: args.detach,
            has_password: args.ssid.is_some(),
        };
        execute(&program, serial, shutdown.clone())
    }))
}

/// Enters the board's raw REPL and runs a program to its end, or until Ctrl-C.
pub(super) fn execute(
    program: &Program<'_>,
    serial: &SerialArgs,
    shutdown: Shutdown,
) -> Result<Outcome, Error> {
    let mut repl = session::connect(serial, shutdown.clone())?;
    // Hide the password before sending the program: people pass on wire logs.
    if program.has_password
        && let Some(log) = &repl.link().address().wire
    {
        log.hide();
    }
    // Check for a Ctrl-C during entry.
    if shutdown.is_asked() {
        return Ok(Outcome::Interrupted);
    }
    let mut printer = RunPrinter::new(shutdown, program.image.map(Path::to_owned));
    let source = match program.for_board_3 {
        Some(source) if Model::ask(&mut repl)? == Some(Model::Mpython3) => source,
        _ => program.source,
    };
    let options = RunOptions {
        source,
        soft_reset: program.soft_reset,
        oled: match (program.image, &printer.panel) {
            (Some(_), _) => WatchOled::Always,
            (None, Some(_)) if program.mirrors => WatchOled::IfUsed,
            _ => WatchOled::Never,
        },
        detach: program.detach,
    };
    let ended = life_cycle::run(&mut repl, &options, &mut printer)?;
    if program.detach && matches!(ended.ending, Ending::Done) {
        tracing::info!(say = "board-cli.run-ended");
    }
    let symptom = ended.symptom;
    // Return the board to its prompt first, whatever the program did; report on the program afterwards.
    let outcome = ended
        .leave(repl)
        .map_err(Error::from)
        .and_then(|()| conclude(ended.ending, printer.reader_gone));
    if let Some(symptom) = symptom {
        tell_symptom(symptom);
    }
    match printer.failure {
        Some(failure) => Err(failure),
        None => outcome,
    }
}

/// Reports how the program ended.
fn conclude(ending: Ending, is_unread: bool) -> Result<Outcome, Error> {
    match ending {
        Ending::Done => Ok(Outcome::Done),
        Ending::Stopped => {
            if !is_unread {
                tracing::info!(say = "board-cli.run-stopped");
            }
            Ok(Outcome::Done)
        }
        Ending::Exception(text) => {
            show_traceback(&text);
            Err(BoardError::Traceback {
                exception: last_line(&text),
            }
            .into())
        }
        Ending::Restarted(error) => Err(error.into()),
        Ending::Detached { leaves_file } => {
            tracing::info!(say = "board-cli.run-detached");
            if leaves_file {
                tracing::info!(say = "board-cli.run-file-stays");
            }
            Ok(Outcome::Done)
        }
        Ending::StillRunning(error) => {
            tracing::warn!(say = "board-cli.run-still", error = %words::cause(&error));
            Ok(Outcome::Interrupted)
        }
    }
}

/// Reports the symptom at the program's end, and what to do next.
fn tell_symptom(symptom: Symptom) {
    let (meaning, next) = words::symptom(symptom);
    tracing::warn!(say = "board-cli.symptom", meaning = %meaning, code = symptom.code());
    tracing::warn!(say = "board-cli.symptom-next", next = %next);
}

/// A program to run.
struct Source {
    /// The program.
    text: Vec<u8>,
    /// The program to run instead on the board 3.0.
    for_board_3: Option<Vec<u8>>,
}

/// Reads the script; `None` after Ctrl-C.
fn source(args: &RunArgs, shutdown: &Shutdown) -> Result<Option<Source>, Error> {
    let Some(path) = &args.script else {
        let example = args.example.unwrap_or(Example::Client);
        return example_source(args, example).map(Some);
    };
    let text = script(path, shutdown)?;
    Ok(text.map(|text| Source {
        text,
        for_board_3: None,
    }))
}

/// A script's bytes, in the form for the board; none after Ctrl-C.
pub(super) fn script(path: &Path, shutdown: &Shutdown) -> Result<Option<Vec<u8>>, Error> {
    let owned = path.to_owned();
    let is_stopped = || shutdown.is_asked();
    let waited = Wait::at(Site::ReadScript, &is_stopped).call(move || read(&owned));
    let source = match waited.map_err(|source| {
        Error::File(file::Error::Read {
            object: path.display().to_string().into(),
            source,
        })
    })? {
        Waited::Done(source) => source?,
        Waited::Interrupted | Waited::TimeUp => return Ok(None),
    };
    if source.len() as u64 > MAX_SCRIPT {
        return Err(Error::usage(say!(
            "board-cli.script-too-long",
            path = path.display()
        )));
    }
    Ok(Some(program(&path.display().to_string(), &source)?))
}

/// Reads a script from a file, a FIFO, or standard input, and one byte more than the limit.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut source = Vec::new();
    if path.as_os_str() == "-" {
        stdin::take();
        stream::stdin()
            .take(MAX_SCRIPT + 1)
            .read_to_end(&mut source)
            .map_err(|source| {
                Error::File(file::Error::Read {
                    object: sentence!("board-cli.standard-input"),
                    source,
                })
            })?;
        return Ok(source);
    }
    let file = std::fs::File::open(path).map_err(|source| {
        // `put` and `get` write files on the board as `:main.py`, so the user may try that here.
        if let Some(path) = path
            .to_str()
            .and_then(|path| path.strip_prefix([':', '：']))
        {
            return BoardError::OnTheBoard {
                path: path.to_owned(),
            }
            .into();
        }
        Error::File(file::Error::Open {
            path: path.to_owned(),
            source,
        })
    })?;
    file.take(MAX_SCRIPT + 1)
        .read_to_end(&mut source)
        .map_err(|source| {
            Error::File(file::Error::Read {
                object: path.display().to_string().into(),
                source,
            })
        })?;
    Ok(source)
}

/// Makes a program from a file's bytes. Refuses files that are not Python source, and warns about an encoding that the
/// board does not read.
fn program(name: &str, source: &[u8]) -> Result<Vec<u8>, BoardError> {
    let refuse = |what| {
        Err(BoardError::NotSource {
            name: name.to_owned(),
            what,
        })
    };
    match SourceKind::of(source) {
        SourceKind::Source => {}
        SourceKind::Compiled => return refuse(NotSource::Compiled),
        SourceKind::Utf16 => return refuse(NotSource::Utf16),
        SourceKind::Binary => return refuse(NotSource::Binary),
        SourceKind::Gbk => tracing::warn!(say = "board-cli.script-gbk", name = name),
    }
    Ok(source::as_python(source))
}

/// Makes the program of an example; asks for the Wi-Fi password if there is a network.
fn example_source(args: &RunArgs, example: Example) -> Result<Source, Error> {
    let target = match (example, args.target) {
        (Example::Client, None) => {
            return Err(Error::usage_hint(
                say!("board-cli.example-target"),
                say!("board-cli.example-target.hint"),
            ));
        }
        (Example::Server, Some(_)) => {
            return Err(Error::usage(say!("board-cli.example-server")));
        }
        (_, target) => target,
    };
    let wifi = match &args.ssid {
        Some(ssid) => {
            let password = super::password::get(ssid, args.password_env.as_deref())?;
            Some((ssid.clone(), password))
        }
        None => None,
    };
    let settings = Settings {
        wifi,
        target,
        port: args.port,
        interval: args.interval,
    };
    Ok(Source {
        text: example.source(&settings, None),
        for_board_3: Some(example.source(&settings, Some(Model::Mpython3))),
    })
}

/// The board's own output, on stderr: the program's earlier output is data.
pub(super) fn show_traceback(text: &str) {
    status::print(text);
}
