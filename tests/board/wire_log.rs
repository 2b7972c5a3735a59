//! The wire log, and how a user's log becomes a test: [`Replay`] is a port that replies according to the log.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use udpcli::board::link::{Address, Link};
use udpcli::board::port::Port;
use udpcli::board::repl::Repl;

use crate::enter::shutdown;
use crate::support::{DEADLINE, VirtualBoard};

/// The events of a log, in order; changes of control lines and baud rate are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Sent(Vec<u8>),
    Got(Vec<u8>),
    Hidden(u64),
}

fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).expect("Latin-1"))
        .collect()
}

/// Parses the events of a log.
fn read(path: &Path) -> Vec<Event> {
    let text = fs::read_to_string(path).expect("the log is there");
    let mut last = 0.0;
    text.lines()
        .filter_map(|line| {
            let line: Value = serde_json::from_str(line).expect("a JSON line");
            let time = line["t"].as_f64().expect("a time");
            assert!(time >= last, "time goes back: {line}");
            last = time;
            if let Some(sent) = line["sent"].as_str() {
                return Some(Event::Sent(bytes(sent)));
            }
            if let Some(got) = line["got"].as_str() {
                return Some(Event::Got(bytes(got)));
            }
            line["hidden"].as_u64().map(Event::Hidden)
        })
        .collect()
}

/// The two halves of the token in the entry question, which differs in each run, if `code` contains them.
fn token(code: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(code);
    let at = text.rfind("'+'")?;
    let (a, b) = (text.get(at.checked_sub(4)?..at)?, text.get(at + 3..at + 7)?);
    Some(format!("{a}{b}"))
}

/// A port that replays a log: each reply comes after as many sent bytes as in the log.
#[derive(Debug)]
pub(crate) struct Replay {
    events: VecDeque<Event>,
    sent: Vec<u8>,
    expected: Vec<u8>,
    ready: VecDeque<u8>,
}

impl Replay {
    pub(crate) fn of(log: &Path) -> Self {
        let mut replay = Self {
            events: read(log).into(),
            sent: Vec::new(),
            expected: Vec::new(),
            ready: VecDeque::new(),
        };
        replay.advance();
        replay
    }

    /// Releases the replies that are due.
    fn advance(&mut self) {
        while let Some(event) = self.events.front() {
            match event {
                Event::Sent(sent) => {
                    let all = self.expected.len() + sent.len();
                    if self.sent.len() < all {
                        return;
                    }
                    self.expected.extend_from_slice(sent);
                }
                Event::Hidden(_) => panic!("what was hidden cannot be replayed"),
                Event::Got(got) => {
                    let mut got = got.clone();
                    let asked = self.sent.get(..self.expected.len()).unwrap_or_default();
                    if let (Some(old), Some(new)) = (token(&self.expected), token(asked)) {
                        let text: String = got.iter().copied().map(char::from).collect();
                        got = bytes(&text.replace(&old, &new));
                    }
                    self.ready.extend(got);
                }
            }
            self.events.pop_front();
        }
    }
}

impl Port for Replay {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.ready.is_empty() {
            std::thread::sleep(timeout.min(Duration::from_millis(5)));
        }
        let len = buffer.len().min(self.ready.len());
        for (to, byte) in buffer.iter_mut().zip(self.ready.drain(..len)) {
            *to = byte;
        }
        Ok(len)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.sent.extend_from_slice(bytes);
        self.advance();
        Ok(bytes.len())
    }
}

/// Runs a command with a wire log and returns the log's path.
fn logged(board: &VirtualBoard, folder: &TempDir, args: &[&str]) -> std::path::PathBuf {
    let log = folder.path().join("wire.jsonl");
    let output = udpcli()
        .arg("board")
        .args(args)
        .args(["-s", &board.port, "--wire"])
        .arg(&log)
        .env("WIFI", "s3cret-word")
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(
        stderr.contains("every byte on the serial line goes into"),
        "{stderr}"
    );
    log
}

#[test]
fn the_log_contains_every_byte_and_can_be_replayed() {
    for profile in ["mpython-1.4", "generic-1.26"] {
        let board = VirtualBoard::options().profile(profile).ready();
        let folder = TempDir::new().expect("a folder");
        let log = logged(&board, &folder, &["ls"]);
        let all: Vec<u8> = read(&log)
            .iter()
            .flat_map(|event| match event {
                Event::Got(got) => got.clone(),
                _ => Vec::new(),
            })
            .collect();
        let text = String::from_utf8_lossy(&all);
        assert!(text.contains("raw REPL; CTRL-B to exit"), "{text}");
        drop(board);

        let address = Address {
            port: "replay".to_owned(),
            baud: 115_200,
            timeout: DEADLINE,
            wire: None,
            line_rate: udpcli::board::line_rate::LineRate::Keep,
        };
        let link = Link::over(Box::new(Replay::of(&log)), &address, shutdown());
        let repl = Repl::enter(link).unwrap_or_else(|error| panic!("{profile}: {error}"));
        assert!(!repl.entered().reset, "{profile}");
    }
}

#[test]
fn no_password_is_in_the_log() {
    let options = VirtualBoard::options().profile("mpython-1.4");
    let board = options.arg("--wifi", "class:s3cret-word").ready();
    let folder = TempDir::new().expect("a folder");
    let log = logged(
        &board,
        &folder,
        &[
            "run",
            "--example",
            "server",
            "--ssid",
            "class",
            "--password-env",
            "WIFI",
            "--detach",
        ],
    );
    let text = fs::read_to_string(&log).expect("the log");
    assert!(!text.contains("s3cret-word"), "the password is in the log");
    assert!(
        read(&log)
            .iter()
            .any(|event| matches!(event, Event::Hidden(_)))
    );
}

#[test]
fn a_log_is_a_regular_file() {
    let output = udpcli()
        .args(["board", "info", "-s", "/dev/null", "--wire", "/dev/null"])
        .output()
        .expect("it runs");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("--wire /dev/null is not a regular file"),
        "{stderr}"
    );
}

fn udpcli() -> std::process::Command {
    std::process::Command::new(env!("CARGO_BIN_EXE_udpcli"))
}
