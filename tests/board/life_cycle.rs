//! The life cycle of a program run, without a process: a port replays a wire log from `logs/`, and the observer keeps
//! the events.
//!
//! `UPDATE_LOGS=1 cargo test --test board life_cycle::` records the logs anew on virtual boards, after a change to the
//! bytes on the line.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use udpcli::board::error::Error;
use udpcli::board::files::Files;
use udpcli::board::hidden_error::Symptom;
use udpcli::board::life_cycle::{
    self, EndedRun, Ending, RunEvent, RunObserver, RunOptions, WatchOled,
};
use udpcli::board::link::{Address, Link};
use udpcli::board::mirror::agent::OledReport;
use udpcli::board::oled::{self, OledEvent, OledObserver, OledOptions};
use udpcli::board::repl::{Repl, last_line};
use udpcli::board::wire_log::WireLog;
use udpcli::shutdown::Shutdown;

use crate::support::VirtualBoard;
use crate::wire_log::Replay;

/// What happened during a run.
#[derive(Debug, Default)]
struct Kept {
    output: Vec<u8>,
    pictures: usize,
    /// The other events, by name.
    events: Vec<&'static str>,
    /// Interrupt the program once it has printed this.
    interrupt_after: Option<&'static str>,
}

impl RunObserver for Kept {
    fn event(&mut self, event: RunEvent<'_>) {
        let name = match event {
            RunEvent::Output { printed, picture } => {
                self.output.extend_from_slice(printed);
                self.pictures += usize::from(picture.is_some());
                return;
            }
            RunEvent::OutputEnded { picture: None } => "ended",
            RunEvent::OutputEnded { picture: Some(_) } => "ended with a picture",
            RunEvent::NoDisplay(_) => "no display",
            RunEvent::ReadsInput => "reads input",
            RunEvent::Input(_) => "input",
            RunEvent::FramesLost(_) => "frames lost",
            RunEvent::Stopping => "stopping",
        };
        self.events.push(name);
    }

    fn wants_interrupt(&mut self) -> bool {
        self.interrupt_after
            .is_some_and(|text| self.text().contains(text))
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

fn address(port: &str, wire: Option<WireLog>) -> Address {
    Address {
        port: port.to_owned(),
        baud: 115_200,
        timeout: Duration::from_secs(10),
        wire,
        line_rate: udpcli::board::line_rate::LineRate::Keep,
    }
}

/// Does `work` on a line that replays the log of this name. `profile` is the virtual board that the log was recorded
/// from.
pub(crate) fn with_log<T, E: Display>(
    name: &str,
    profile: &str,
    work: impl Fn(Link) -> Result<T, E>,
) -> Result<T, E> {
    let log =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/board/logs/{name}.jsonl"));
    if std::env::var_os("UPDATE_LOGS").is_some() {
        let board = VirtualBoard::options().profile(profile).ready();
        let wire = WireLog::create(&log).expect("the log can be written");
        let link = Link::open(&address(&board.port, Some(wire)), Shutdown::by_hand());
        if let Err(error) = work(link.expect("a line")) {
            println!("{name}: {error}");
        }
    }
    let port = Box::new(Replay::of(&log));
    work(Link::over(
        port,
        &address("replay", None),
        Shutdown::by_hand(),
    ))
}

/// Runs a program on the log of this name; the observer interrupts it after a text.
fn run(
    name: &str,
    profile: &str,
    options: &RunOptions<'_>,
    interrupt_after: Option<&'static str>,
) -> (EndedRun, Kept) {
    with_log(name, profile, |link| {
        let mut kept = Kept {
            interrupt_after,
            ..Kept::default()
        };
        let mut repl = Repl::enter(link)?;
        let ended = life_cycle::run(&mut repl, options, &mut kept)?;
        ended.leave(repl)?;
        Ok::<_, Error>((ended, kept))
    })
    .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn options(source: &str) -> RunOptions<'_> {
    RunOptions {
        source: source.as_bytes(),
        soft_reset: true,
        oled: WatchOled::Never,
        detach: false,
    }
}

#[test]
fn a_program_comes_to_its_end() {
    let (ended, kept) = run(
        "run-done",
        "generic-1.26",
        &options("print('hello')\n"),
        None,
    );
    assert!(matches!(ended.ending, Ending::Done), "{ended:?}");
    assert_eq!(kept.text(), "hello\r\n");
    assert_eq!(kept.events, ["ended"]);
}

#[test]
fn an_exception_is_told_without_our_own_line() {
    let (ended, kept) = run(
        "run-exception",
        "generic-1.26",
        &options("print('before')\n1/0\n"),
        None,
    );
    let Ending::Exception(text) = &ended.ending else {
        panic!("{ended:?}");
    };
    assert_eq!(last_line(text), "ZeroDivisionError: divide by zero");
    assert_eq!(text.matches("File ").count(), 1, "{text}");
    assert_eq!(kept.text(), "before\r\n");
}

#[test]
fn the_observer_interrupts_a_program() {
    let (ended, kept) = run(
        "run-interrupted",
        "generic-1.26",
        &options("print('on')\nwhile True: pass\n"),
        Some("on"),
    );
    assert!(matches!(ended.ending, Ending::Stopped), "{ended:?}");
    assert_eq!(ended.symptom, None);
    assert_eq!(kept.events, ["ended"]);
}

#[test]
fn a_program_that_catches_ctrl_c_is_stopped() {
    let source = "print('on')\nwhile True:\n try:\n  while True: pass\n except KeyboardInterrupt: print('no')\n";
    let (ended, kept) = run("run-stubborn", "generic-1.26", &options(source), Some("on"));
    assert!(matches!(ended.ending, Ending::Done), "{ended:?}");
    assert_eq!(kept.events, ["ended", "stopping"]);
}

#[test]
fn a_detached_program_is_left_running() {
    let options = RunOptions {
        detach: true,
        ..options("while True: pass\n")
    };
    let (ended, kept) = run("run-detached", "generic-1.26", &options, None);
    let is_left = matches!(ended.ending, Ending::Detached { leaves_file: false });
    assert!(is_left, "{ended:?}");
    assert_eq!(kept.events, [""; 0]);
}

#[test]
fn a_board_that_restarts_is_told() {
    let source = "import machine\nmachine.reset()\n";
    let (ended, _) = run("run-restarted", "generic-1.26", &options(source), None);
    assert!(matches!(ended.ending, Ending::Restarted(_)), "{ended:?}");
}

#[test]
fn pictures_come_apart_from_the_output() {
    let source = "from mpython import oled\nprint('a')\noled.fill(1)\noled.show()\nprint('b')\n";
    let options = RunOptions {
        oled: WatchOled::IfUsed,
        ..options(source)
    };
    let (ended, kept) = run("run-oled", "mpython-1.4", &options, None);
    assert!(matches!(ended.ending, Ending::Done), "{ended:?}");
    assert_eq!(kept.text(), "a\r\nb\r\n");
    assert!(kept.pictures > 0);
    assert_eq!(kept.events, ["ended with a picture"]);
}

#[test]
fn a_board_without_a_display_runs_the_program_all_the_same() {
    let options = RunOptions {
        oled: WatchOled::Always,
        ..options("name = input('name? ')\nprint('hello')\n")
    };
    let (ended, kept) = run("run-no-display", "generic-1.26", &options, Some("name?"));
    assert!(matches!(ended.ending, Ending::Stopped), "{ended:?}");
    assert_eq!(kept.events, ["no display", "reads input", "ended"]);
}

#[test]
fn the_end_of_an_endless_udp_program_is_a_symptom() {
    let source = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ntry:\n while True:\n  s.sendto(b'x', 'nowhere')\nexcept:\n pass\n";
    let (ended, _) = run("run-symptom", "generic-1.26", &options(source), None);
    assert_eq!(ended.symptom, Some(Symptom::SilentEnd));
}

/// What happened on the display.
#[derive(Debug, Default)]
struct Shown {
    screens: usize,
    printed: Vec<u8>,
    has_picture: bool,
}

impl OledObserver for Shown {
    fn event(&mut self, event: OledEvent<'_>) {
        match event {
            OledEvent::Screen(_) => self.screens += 1,
            OledEvent::Output { printed, .. } => self.printed.extend_from_slice(printed),
            OledEvent::Ended { picture, lost } => {
                assert_eq!(lost, 0);
                self.has_picture = picture.is_some();
            }
            OledEvent::NoDisplay(why) => panic!("{why}"),
        }
    }

    fn has_enough(&mut self) -> bool {
        false
    }
}

#[test]
fn the_display_is_watched_until_one_picture_came() {
    let main =
        "from mpython import oled\nprint('a')\noled.fill(1)\noled.show()\nwhile True: pass\n";
    let (ended, shown) = with_log("oled-once", "mpython-1.4", |link| {
        let mut repl = Repl::enter(link)?;
        Files::with(&mut repl, |files| {
            files.put("main.py", main.as_bytes(), &mut |_| {})
        })?;
        let options = OledOptions {
            needs_picture: false,
            report: OledReport::Everything,
            once: true,
            stops: false,
        };
        let mut shown = Shown::default();
        let ended = oled::watch(&mut repl, options, &mut shown)?;
        ended.leave(repl)?;
        Ok::<_, Error>((ended, shown))
    })
    .unwrap_or_else(|error| panic!("{error}"));
    let is_left = matches!(ended.ending, Ending::Detached { .. });
    assert!(is_left, "{ended:?}");
    assert_eq!(String::from_utf8_lossy(&shown.printed), "a\r\n");
    assert!(shown.screens > 0 && shown.has_picture, "{shown:?}");
}
