//! One command for several boards at the same time: `-s` more than once, or `--all`.
//!
//! Each board has a thread and a lane, see [`crate::terminal::job_output`], so that a command is the same code for one
//! board and for many. While udpcli works on a board, its row is in the status area; afterwards its verdict becomes a
//! line above the area.

mod view;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::view::FleetRows;
use super::oled::wall::{TileEnd, Wall, WallView};
use super::{BoardCommand, SerialArgs, session};
use crate::board::fleet::{self, FleetEvent, MOST_BOARDS};
use crate::board::serial_ports;
use crate::cli::{GlobalArgs, names, output};
use crate::error::{BoardFailure, Error, Outcome};
use crate::names::BoardNames;
use crate::terminal::job_output::JobOutput;
use crate::words;
use crate::words::catalogue::{self, say};
use serde_json::{Map, Value, json};

/// The work for each board.
pub(super) type FleetWork<'a> = Box<dyn Fn(&SerialArgs) -> Result<Outcome, Error> + Sync + 'a>;

/// A command for several boards.
pub(super) struct Job<'a> {
    /// What is done at each board.
    pub(super) work: FleetWork<'a>,
    /// How many boards at a time, unless the user sets it.
    pub(super) jobs: usize,
    /// Whether lines on stdout begin with the board's name.
    pub(super) names_lines: bool,
    /// Where the rows go.
    pub(super) rows: Rows<'a>,
}

/// Where the boards' rows go.
pub(super) enum Rows<'a> {
    /// Rows on stderr, one when each board ends: stdout is for the programs' output.
    Verdicts,
    /// A table on stdout, in the boards' order: the columns of each board, by its port.
    Table(Arc<Mutex<BTreeMap<String, Vec<String>>>>),
    /// The work prints an object for each board; this makes the object for a failed one.
    Json(&'a (dyn Fn(&str, Option<&str>, &Error) -> String + Sync)),
    /// The boards' screens are on the whole terminal; the rows go to stderr afterwards.
    Wall(Arc<Wall>),
}

impl<'a> Job<'a> {
    /// Work at all boards at once, whose rows go to stderr.
    pub(super) fn new(work: impl Fn(&SerialArgs) -> Result<Outcome, Error> + Sync + 'a) -> Self {
        Self {
            work: Box::new(work),
            jobs: MOST_BOARDS,
            names_lines: true,
            rows: Rows::Verdicts,
        }
    }
}

/// Whether the command is for several boards.
pub(super) fn is_asked(serial: &SerialArgs) -> bool {
    serial.all || given(serial).len() > 1
}

/// The ports that the user named, each once.
fn given(serial: &SerialArgs) -> Vec<String> {
    let mut ports = serial.serial.clone();
    fleet::without_doubles(&mut ports);
    ports
}

/// Refuses a flag that is for one board at a time.
pub(super) fn one_board_only(is_given: bool, flag: &str) -> Result<(), Error> {
    if is_given {
        return Err(Error::usage_hint(
            say!("fleet.one-board-flag", flag = flag),
            say!("fleet.one-board-flag.hint"),
        ));
    }
    Ok(())
}

/// Refuses a command that is for one board at a time.
pub(super) fn one_board(command: &str) -> Error {
    Error::usage_hint(
        say!("fleet.one-board", command = command),
        say!("fleet.one-board.hint"),
    )
}

/// A board, and its result.
struct FleetBoard {
    /// Its port.
    port: String,
    /// The board's name, and its last message.
    lane: JobOutput,
    /// When its work began.
    began: Option<Instant>,
    /// How it ended.
    result: Option<Result<Outcome, Error>>,
}

/// Does the command at all boards.
pub(super) fn run(
    command: &BoardCommand,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    // The bytes of several lines in one file could not be told apart.
    one_board_only(serial.wire.is_some(), "--wire")?;
    let job = command.for_many(serial, global)?;
    let shutdown = session::shutdown()?;
    let list = Arc::new(names::read(serial.names.as_deref())?);
    let boards = boards(serial)?;
    let mut members: Vec<FleetBoard> = boards
        .iter()
        .map(|(port, usb)| {
            // Before any port is opened only these are known; the MAC address may give a name later.
            let keys = [Some(port.as_str()), usb.as_deref()];
            let name = keys.into_iter().flatten().find_map(|key| list.of(key));
            FleetBoard {
                port: port.clone(),
                lane: JobOutput::new(port.clone(), name.map(str::to_owned), job.names_lines),
                began: None,
                result: None,
            }
        })
        .collect();
    let lanes: Vec<JobOutput> = members.iter().map(|member| member.lane.clone()).collect();
    let mut wall = match &job.rows {
        Rows::Wall(wall) => Some(WallView::open(wall, &lanes, shutdown.clone())?),
        _ => None,
    };
    let view = FleetRows::new(&members, global, wall.is_none());
    // The result of the full-screen view. Return it only after the boards are at their prompts.
    let mut shown = Ok(());
    let jobs = serial.jobs.map_or(job.jobs, usize::from);
    let start = Instant::now();
    fleet::side_by_side(
        boards.len(),
        jobs,
        &|| shutdown.is_asked(),
        &|index| {
            let (Some((port, _)), Some(lane)) = (boards.get(index), lanes.get(index)) else {
                return Ok(Outcome::Done);
            };
            let mut serial = serial.clone();
            serial.serial = vec![port.clone()];
            serial.all = false;
            serial.known = Some(Arc::clone(&list));
            lane.during(|| (job.work)(&serial))
        },
        &mut |event| {
            match event {
                FleetEvent::Began(index) => {
                    if let Some(member) = members.get_mut(index) {
                        member.began = Some(Instant::now());
                        view.begin(index);
                    }
                }
                FleetEvent::Ended(index, result) => {
                    if let Some(member) = members.get_mut(index) {
                        view.end(
                            index,
                            matches!(result, Err(ref error) if !is_interrupted(error)),
                        );
                        if let Some(wall) = &mut wall {
                            wall.end(index, tile_end(&member.port, &result));
                        }
                        member.result = Some(result);
                        tell_end(member, &job.rows, &view);
                    }
                }
                FleetEvent::Tick => view.draw(),
            }
            if let (Some(wall), Ok(())) = (&mut wall, &shown) {
                shown = wall.look();
                if shown.is_err() {
                    // If no terminal shows the boards, stop their programs.
                    shutdown.asker().ask();
                }
            }
        },
    );
    if let Some(mut wall) = wall {
        let stayed = shown.and_then(|()| wall.stay());
        let has_shown = wall.has_shown();
        // Restores the terminal, so that messages go to stderr again.
        drop(wall);
        for member in &mut members {
            view.print(member);
            // A watch does not end by itself, so a board that had not started yet does not make it incomplete.
            if has_shown && !matches!(member.result, Some(Err(ref error)) if !is_interrupted(error))
            {
                member.result = Some(Ok(Outcome::Done));
            }
        }
        stayed?;
    }
    if let Rows::Table(columns) = &job.rows {
        let columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
        output::print_styled(&view::table(&members, &columns))?;
    }
    drop(view);
    conclude(members, start.elapsed())
}

/// The ports, each with the serial number of its USB device, as far as there is one.
fn boards(serial: &SerialArgs) -> Result<Vec<(String, Option<String>)>, Error> {
    // Otherwise udpcli would always refuse `--all` for users who have set the variable.
    let is_from_environment = || {
        let variable = std::env::var("UDPCLI_SERIAL").ok();
        variable.is_some_and(|port| serial.serial == [port])
    };
    let ports = if serial.all {
        if !serial.serial.is_empty() && !is_from_environment() {
            return Err(Error::usage(say!("fleet.all-and-serial")));
        }
        fleet::all_boards()?
    } else {
        given(serial)
    };
    // Each board has a thread and a row.
    if ports.len() > MOST_BOARDS {
        return Err(Error::usage(say!(
            "pair.too-many-boards",
            boards: ports.len(),
            most: MOST_BOARDS
        )));
    }
    // A system that does not list its ports has no serial numbers either.
    let listed = serial_ports::list().unwrap_or_default();
    let usb = |name: &str| {
        let port = listed.iter().find(|port| port.name == name)?;
        port.usb.as_ref()?.serial.clone()
    };
    Ok(ports
        .into_iter()
        .map(|port| {
            let usb = usb(&port);
            (port, usb)
        })
        .collect())
}

/// Names this thread's board by its MAC address, if the list has that.
pub(super) fn identify(list: Option<&BoardNames>, mac: &str) {
    if let (Some(lane), Some(list)) = (JobOutput::current(), list)
        && let Some(name) = list.of(mac)
    {
        lane.set_name(name.to_owned());
    }
}

/// An object of JSON with the port and name of this thread's board, if it is one of several.
pub(super) fn with_board(object: &str) -> String {
    let Some(lane) = JobOutput::current() else {
        return object.to_owned();
    };
    let Ok(Value::Object(rest)) = serde_json::from_str(object) else {
        return object.to_owned();
    };
    let mut object = with_name(&lane.place(), lane.name().as_deref());
    object.extend(rest);
    Value::Object(object).to_string()
}

/// The object of a board that did not answer.
pub(super) fn failed_object(port: &str, name: Option<&str>, error: &Error) -> String {
    let mut object = with_name(port, name);
    // Programs read English.
    object.insert("error".to_owned(), json!(error.to_string()));
    if let Some(code) = error.code() {
        object.insert("code".to_owned(), json!(code));
    }
    Value::Object(object).to_string()
}

/// The beginning of an object: the port, and the name if there is one.
pub(super) fn with_name(port: &str, name: Option<&str>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("port".to_owned(), json!(port));
    if let Some(name) = name {
        object.insert("name".to_owned(), json!(name));
    }
    object
}

/// Whether an error only means that the user ended the run.
fn is_interrupted(error: &Error) -> bool {
    error.exit_code() == Outcome::Interrupted.exit_code()
}

/// The text for the wall.
fn tile_end(port: &str, result: &Result<Outcome, Error>) -> TileEnd {
    match result {
        Err(error) if !is_interrupted(error) => TileEnd::Failed {
            message: message(error),
            hint: catalogue::among_boards(port, || words::hint(error)),
        },
        _ => TileEnd::Done,
    }
}

/// Reports the result of a board.
fn tell_end(member: &FleetBoard, rows: &Rows<'_>, view: &FleetRows) {
    match rows {
        Rows::Table(_) | Rows::Wall(_) => {}
        Rows::Json(object) => {
            if let Some(Err(error)) = &member.result {
                let name = member.lane.name();
                let line = object(&member.port, name.as_deref(), error) + "\n";
                // If the reader is gone, the other boards still go on.
                let _ = output::print(line.as_bytes());
            }
        }
        Rows::Verdicts => view.print(member),
    }
}

/// The message of an error with its causes, in one line.
fn message(error: &Error) -> String {
    let mut text = words::message(error);
    if let Some(code) = error.code() {
        // Writing to a String cannot fail.
        let _ = write!(text, " [{code}]");
    }
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text = say!(
            "board-cli.with-cause",
            error = text,
            cause = words::cause(source)
        );
        cause = source.source();
    }
    text
}

/// The result of all boards together.
fn conclude(members: Vec<FleetBoard>, elapsed: Duration) -> Result<Outcome, Error> {
    let boards = members.len();
    let mut is_cut_short = false;
    let mut failed = Vec::new();
    for member in members {
        match member.result {
            Some(Ok(Outcome::Done)) => {}
            Some(Err(error)) if !is_interrupted(&error) => failed.push(BoardFailure {
                who: match member.lane.name() {
                    Some(name) => say!("fleet.who", name = name, port = &member.port),
                    None => member.port.clone(),
                },
                port: member.port,
                what: message(&error),
                error,
            }),
            _ => is_cut_short = true,
        }
    }
    match (is_cut_short, failed.is_empty()) {
        (_, false) => {
            let error = Error::Boards { boards, failed };
            if !is_cut_short {
                return Err(error);
            }
            // Ctrl-C decides the exit code, but earlier failures must be reported.
            crate::cli::logging::report(&error);
            Ok(Outcome::Interrupted)
        }
        (true, true) => Ok(Outcome::Interrupted),
        (false, true) => {
            tracing::info!(
                say = "fleet.all-done",
                count = boards as u64,
                time = %crate::text::seconds(elapsed)
            );
            Ok(Outcome::Done)
        }
    }
}
