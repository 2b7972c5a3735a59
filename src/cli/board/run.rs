//! `udpcli board run`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::screen::Screen;
use super::{SerialArgs, mirroring, session};
use crate::board::doing::Doing;
use crate::board::error::{Error as BoardError, NotSource};
use crate::board::example::{Example, Settings};
use crate::board::mirror::Mirror;
use crate::board::mirror::agent::{self, Report};
use crate::board::program::{self, Kind, Launch};
use crate::board::repl::{Exit, FollowAction, OutputHandler, Repl, last_line};
use crate::board::symptom::{self, Symptom};
use crate::cli::{complete, value};
use crate::error::{Error, Outcome};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::panel::{Panel, View};
use crate::terminal::{status, stdout, stream};
use crate::wait::{Site, Wait, Waited};
use crate::words;
use crate::words::catalogue::say;

/// The longest script that is read: more than any board's memory or file system takes.
const MAX_SCRIPT: u64 = 16 << 20;

/// What `udpcli board run` takes.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[arg(required_unless_present = "example", conflicts_with = "example", add = complete::files(complete::PROGRAMS))]
    script: Option<PathBuf>,
    #[arg(long, value_enum, value_name = "WHICH")]
    example: Option<Example>,
    #[arg(long)]
    detach: bool,
    #[arg(long)]
    no_mirror: bool,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_mirror", "detach"])]
    image: Option<PathBuf>,
    #[arg(long)]
    no_soft_reset: bool,

    #[arg(
        long,
        value_name = "NAME",
        requires = "example",
        help_heading = "Example"
    )]
    ssid: Option<String>,
    #[arg(long, value_name = "VAR", requires = "ssid", help_heading = "Example")]
    password_env: Option<String>,
    #[arg(
        long,
        value_name = "IP:PORT",
        requires = "example",
        help_heading = "Example"
    )]
    target: Option<std::net::SocketAddrV4>,
    #[arg(long, value_name = "N", default_value_t = 6000, value_parser = value::port, requires = "example", help_heading = "Example")]
    port: u16,
    #[arg(long, value_name = "D", default_value = "2s", value_parser = value::positive_duration, requires = "example", help_heading = "Example")]
    interval: Duration,
}

/// How long an interrupted program may take to clean up after itself; then it is stopped. With [`STOP`] and the way out
/// this stays within the 2 s in which the first Ctrl-C ends any command.
const CLEAN_UP: Duration = Duration::from_millis(600);

/// How long udpcli tries to stop a program that catches Ctrl-C.
const STOP: Duration = Duration::from_millis(1200);

/// Runs the program to its end, or to Ctrl-C.
pub(super) fn run(args: &RunArgs, serial: &SerialArgs) -> Result<Outcome, Error> {
    let shutdown = session::shutdown()?;
    let Some(source) = source(args, &shutdown)? else {
        return Ok(Outcome::Interrupted);
    };
    if let Some(path) = &args.image {
        mirroring::check(path)?;
    }
    let mut repl = session::connect(serial, shutdown.clone())?;
    if args.ssid.is_some()
        && let Some(log) = &repl.link().address().wire
    {
        log.hide();
    }
    // A look at Ctrl-C that came while the board was entered.
    if shutdown.is_asked() {
        return Ok(Outcome::Interrupted);
    }
    let mut printer = Printer::new(shutdown);
    if printer.takes_panel() || args.image.is_some() {
        let is_of_use = args.image.is_some() || agent::is_of_use_to(&source);
        if is_of_use && !args.no_mirror && !args.detach {
            printer.mirror = Some(Mirror::new());
        }
    }
    let mirror = printer.mirror.as_mut();
    let launch = program::start(
        &mut repl,
        &source,
        !args.no_soft_reset,
        |repl| match mirror {
            Some(mirror) => mirroring::attach(repl, mirror, Report::Everything),
            None => Ok(()),
        },
    )?;
    // From here on Ctrl-C is for the program; cleaning up after it must not be stopped by it.
    repl.link().heed_shutdown(false);
    if args.detach {
        return detach(repl, launch);
    }
    if reads_input(&source) {
        tracing::warn!(say = "board-cli.run-input");
    }
    // Without an agent nothing in the program's output is a frame, whatever it looks like.
    printer.mirror.take_if(|mirror| !mirror.has_heard());
    let ended = repl.follow(&mut printer);
    if let (Ok(Exit::Done | Exit::Exception(_)), Some(mirror)) = (&ended, &mut printer.mirror) {
        let mut rest = Vec::new();
        let changed = mirroring::finish(&mut repl, mirror, &mut rest);
        printer.show(&rest, changed);
    }
    printer.end();
    let saved = match &args.image {
        Some(path) => save(&printer, path),
        None => Ok(()),
    };
    let symptom = match &ended {
        // What the user stopped tells nothing by its end.
        _ if printer.interrupted.is_some() => None,
        Ok(Exit::Done) => symptom::of_end(&source, None),
        Ok(Exit::Exception(text)) => symptom::of_end(&source, Some(&launch.traceback(text))),
        _ => None,
    };
    let outcome = match ended {
        Ok(ended) => {
            let outcome = conclude(repl, launch, &printer, ended);
            if let Some(symptom) = symptom {
                tell(symptom);
            }
            outcome
        }
        Err(error) => {
            program::clean_up(&mut repl, launch);
            return Err(error.into());
        }
    };
    match (printer.failure, saved) {
        (Some(failure), _) | (None, Err(failure)) => Err(failure),
        (None, Ok(())) => outcome,
    }
}

/// Says what the program's end shows, and what to do about it.
fn tell(symptom: Symptom) {
    let (meaning, next) = words::symptom(symptom);
    tracing::warn!(say = "board-cli.symptom", meaning = %meaning, code = symptom.code());
    tracing::warn!(say = "board-cli.symptom-next", next = %next);
}

/// Saves the last picture, if there was one.
fn save(printer: &Printer, path: &Path) -> Result<(), Error> {
    match &printer.mirror {
        Some(mirror) if mirror.has_picture() => {
            mirroring::save(mirror.screen(), path, &printer.shutdown)
        }
        _ => {
            tracing::warn!(say = "board-cli.run-no-picture", path = %path.display());
            Ok(())
        }
    }
}

/// What the end of the program means for us.
fn conclude(
    mut repl: Repl,
    launch: Launch,
    printer: &Printer,
    ended: Exit,
) -> Result<Outcome, Error> {
    match ended {
        Exit::Done | Exit::Exited => {
            program::clean_up(&mut repl, launch);
            repl.close()?;
            Ok(Outcome::Done)
        }
        Exit::Exception(text) => {
            let text = launch.traceback(&text);
            program::clean_up(&mut repl, launch);
            repl.close()?;
            let exception = last_line(&text);
            if printer.interrupted.is_some() && exception.starts_with("KeyboardInterrupt") {
                if !printer.reader_gone {
                    tracing::info!(say = "board-cli.run-stopped");
                }
                return Ok(Outcome::Done);
            }
            show_traceback(&text);
            Err(BoardError::Traceback { exception }.into())
        }
        Exit::Restarted => {
            // What runs there now is the board's own.
            let error = repl.restarted(Doing::ProgramRan);
            repl.detach();
            Err(error.into())
        }
        Exit::Detached => {
            tracing::info!(say = "board-cli.run-stopping");
            match repl.stop_stubborn(STOP) {
                Ok(()) => {
                    program::clean_up(&mut repl, launch);
                    repl.close()?;
                    Ok(Outcome::Done)
                }
                Err(error) => {
                    tracing::warn!(say = "board-cli.run-still", error = %words::cause(&error));
                    repl.detach();
                    Ok(Outcome::Interrupted)
                }
            }
        }
    }
}

/// Whether a program calls `input()`, as far as its text says.
fn reads_input(source: &[u8]) -> bool {
    memchr::memmem::find_iter(source, b"input(").any(|at| {
        let line = source.get(..at).unwrap_or_default();
        let start = memchr::memrchr(b'\n', line).map_or(0, |end| end + 1);
        let before = line.get(start..).unwrap_or_default();
        let is_of_a_name = before
            .last()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte));
        !is_of_a_name && !before.contains(&b'#')
    })
}

/// Leaves the program running, once it has not failed at once.
fn detach(mut repl: Repl, launch: Launch) -> Result<Outcome, Error> {
    /// A syntax error or a missing module shows in this time.
    const LOOK: Duration = Duration::from_millis(400);
    struct Look {
        until: Instant,
    }
    impl OutputHandler for Look {
        fn output(&mut self, _: &[u8]) -> Result<(), BoardError> {
            Ok(())
        }
        fn tick(&mut self) -> Result<FollowAction, BoardError> {
            Ok(if Instant::now() < self.until {
                FollowAction::Continue
            } else {
                FollowAction::Detach
            })
        }
    }
    let ended = repl.follow(&mut Look {
        until: Instant::now() + LOOK,
    })?;
    match ended {
        Exit::Detached => {
            repl.detach();
            tracing::info!(say = "board-cli.run-detached");
            if launch.is_file() {
                tracing::info!(say = "board-cli.run-file-stays");
            }
            Ok(Outcome::Done)
        }
        Exit::Exception(text) => {
            let text = launch.traceback(&text);
            program::clean_up(&mut repl, launch);
            repl.close()?;
            show_traceback(&text);
            Err(BoardError::Traceback {
                exception: last_line(&text),
            }
            .into())
        }
        Exit::Restarted => {
            // What runs there now is the board's own.
            let error = repl.restarted(Doing::ProgramRan);
            repl.detach();
            Err(error.into())
        }
        Exit::Done | Exit::Exited => {
            tracing::info!(say = "board-cli.run-ended");
            program::clean_up(&mut repl, launch);
            repl.close()?;
            Ok(Outcome::Done)
        }
    }
}

/// The script's bytes; none after Ctrl-C.
fn source(args: &RunArgs, shutdown: &Shutdown) -> Result<Option<Vec<u8>>, Error> {
    let Some(path) = &args.script else {
        let example = args.example.unwrap_or(Example::Client);
        return example_source(args, example).map(Some);
    };
    let owned = path.clone();
    let is_stopped = || shutdown.is_asked();
    let waited = Wait::at(Site::ReadScript, &is_stopped).call(move || read(&owned));
    let source = match waited.map_err(|source| {
        Error::File(file::Error::Read {
            object: path.display().to_string(),
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
    check_kind(&path.display().to_string(), &source)?;
    Ok(Some(program::as_python(&source)))
}

/// Reads a script, and a byte more than the longest: a file, a FIFO, or standard input.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut source = Vec::new();
    if path.as_os_str() == "-" {
        stream::stdin()
            .take(MAX_SCRIPT + 1)
            .read_to_end(&mut source)
            .map_err(|source| {
                Error::File(file::Error::Read {
                    object: say!("board-cli.standard-input"),
                    source,
                })
            })?;
        return Ok(source);
    }
    let file = std::fs::File::open(path).map_err(|source| {
        // `:main.py` is how put and get name files of the board's.
        if let Some(path) = path.to_str().and_then(|path| path.strip_prefix(':')) {
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
                object: path.display().to_string(),
                source,
            })
        })?;
    Ok(source)
}

/// Refuses what is no Python source, and warns of text that the board reads otherwise than the editor wrote it.
fn check_kind(name: &str, source: &[u8]) -> Result<(), Error> {
    let refuse = |what| {
        Err(BoardError::NotSource {
            name: name.to_owned(),
            what,
        }
        .into())
    };
    match Kind::of(source) {
        Kind::Source => Ok(()),
        Kind::Compiled => refuse(NotSource::Compiled),
        Kind::Utf16 => refuse(NotSource::Utf16),
        Kind::Binary => refuse(NotSource::Binary),
        Kind::Gbk => {
            tracing::warn!(say = "board-cli.script-gbk", name = name);
            Ok(())
        }
    }
}

fn example_source(args: &RunArgs, example: Example) -> Result<Vec<u8>, Error> {
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
    Ok(example.source(&Settings {
        wifi,
        target,
        port: args.port,
        interval: args.interval,
    }))
}

/// The board's own words, on stderr: what the program printed before is data.
pub(super) fn show_traceback(text: &str) {
    status::print(text);
}

/// Hands the program's output on, and Ctrl-C to the program.
struct Printer {
    screen: Screen,
    /// Takes the OLED's frames out of the output.
    mirror: Option<Mirror>,
    /// The panel below it, where both stdout and stderr are the terminal.
    panel: Option<Panel>,
    shutdown: Shutdown,
    /// When the program was interrupted.
    interrupted: Option<Instant>,
    reader_gone: bool,
    /// stdout that cannot be written.
    failure: Option<Error>,
}

impl Printer {
    fn new(shutdown: Shutdown) -> Self {
        Self {
            screen: Screen::new(shutdown.clone()),
            mirror: None,
            panel: stdout::shares_terminal().then(|| Panel::new(View::Picture)),
            shutdown,
            interrupted: None,
            reader_gone: false,
            failure: None,
        }
    }

    fn takes_panel(&self) -> bool {
        self.panel.is_some()
    }

    /// Shows what was printed, and the panel.
    fn show(&mut self, printed: &[u8], changed: bool) {
        if self.reader_gone {
            return;
        }
        let panel = self.panel.as_mut();
        if let (Some(panel), Some(mirror), true) = (panel, &self.mirror, changed) {
            panel.stage_once_whole(mirror.screen());
        }
        let shown = self.screen.show(printed);
        if let Some(panel) = &self.panel {
            panel.draw();
        }
        match shown {
            Ok(there) => self.reader_gone = !there,
            Err(error) => {
                self.reader_gone = true;
                self.failure = Some(error);
            }
        }
    }

    fn end(&mut self) {
        if let Some(mirror) = &mut self.mirror {
            let mut rest = Vec::new();
            mirror.finish(&mut rest);
            mirroring::report_losses(mirror);
            self.show(&rest, false);
        }
        if let Some(panel) = self.panel.take() {
            panel.keep();
        }
        if let Err(error) = self.screen.end() {
            self.failure.get_or_insert(error);
        }
    }
}

impl OutputHandler for Printer {
    fn output(&mut self, bytes: &[u8]) -> Result<(), BoardError> {
        let Some(mirror) = &mut self.mirror else {
            self.show(bytes, false);
            return Ok(());
        };
        let (mut printed, mut changed) = (Vec::new(), false);
        mirror.feed(bytes, &mut printed, |_| changed = true);
        self.show(&printed, changed);
        Ok(())
    }

    fn tick(&mut self) -> Result<FollowAction, BoardError> {
        match self.interrupted {
            Some(since) if since.elapsed() > CLEAN_UP => return Ok(FollowAction::Detach),
            None if self.shutdown.is_asked() || self.reader_gone => {
                self.interrupted = Some(Instant::now());
                return Ok(FollowAction::Interrupt);
            }
            _ => {}
        }
        Ok(FollowAction::Continue)
    }
}
