//! The prompt as `board repl` uses it, without a process: a port replays a wire log from `logs/`, and the observer
//! types and keeps the output.
//!
//! `UPDATE_LOGS=1 cargo test --test board prompt::` records the logs anew on virtual boards.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use udpcli::board::error::Error;
use udpcli::board::link::{Address, Link};
use udpcli::board::port::Port;
use udpcli::board::prompt::keyboard::{self, KeyboardEnd};
use udpcli::board::prompt::piped::{self, PipedEnd};
use udpcli::board::prompt::{PromptNote, PromptObserver, SessionOutput};
use udpcli::shutdown::Shutdown;
use udpcli::terminal::keys::Key;

use crate::life_cycle::with_log;
use crate::support::DEADLINE;

/// A user who types a key after the board has printed a text, and leaves or stops at the end.
#[derive(Debug)]
struct User {
    steps: VecDeque<(&'static str, Key)>,
    notes: Vec<PromptNote>,
    shown: Vec<u8>,
    /// How much was shown when the last key was typed.
    seen: usize,
    /// Stop once this was shown.
    stop_after: Option<&'static str>,
    deadline: Instant,
}

impl User {
    fn typing(steps: impl IntoIterator<Item = (&'static str, Key)>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            notes: Vec::new(),
            shown: Vec::new(),
            seen: 0,
            stop_after: None,
            deadline: Instant::now() + DEADLINE,
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    fn has_seen(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.shown[self.seen..]).contains(words)
    }
}

impl SessionOutput for User {
    fn show(&mut self, bytes: &[u8]) -> bool {
        self.shown.extend_from_slice(bytes);
        true
    }

    fn is_stopped(&mut self) -> bool {
        assert!(Instant::now() < self.deadline, "{self:?}");
        self.stop_after.is_some_and(|words| self.has_seen(words))
    }
}

impl PromptObserver for User {
    fn key(&mut self, _: Duration) -> Option<Key> {
        let &(words, _) = self.steps.front()?;
        if !self.has_seen(words) {
            return None;
        }
        self.seen = self.shown.len();
        self.steps.pop_front().map(|(_, key)| key)
    }

    fn note(&mut self, note: PromptNote) {
        self.notes.push(note);
    }
}

fn bytes(text: &str) -> Key {
    Key::Bytes(text.as_bytes().to_vec())
}

fn paste(text: &str) -> Key {
    Key::Paste(text.to_owned())
}

/// Connects a user who does these steps and then leaves with the board of this log.
fn join(name: &str, steps: &[(&'static str, Key)]) -> User {
    let (user, end) = with_log(name, "generic-1.26", |link| {
        let mut user = User::typing(steps.iter().cloned());
        let end = keyboard::run(link, &mut user)?;
        Ok::<_, Error>((user, end))
    })
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(end, KeyboardEnd::Left);
    user
}

/// Types source from a pipe at the prompt of the board of this log.
fn pipe(name: &str, source: &str, stop_after: Option<&'static str>) -> User {
    let (user, end) = with_log(name, "generic-1.26", |link| {
        let (sender, pieces) = sync_channel(1);
        sender
            .send(source.as_bytes().to_vec())
            .expect("room for it");
        drop(sender);
        let mut user = User::typing([]);
        user.stop_after = stop_after;
        let end = piped::run(link, &pieces, &mut user)?;
        Ok::<_, Error>((user, end))
    })
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(end, PipedEnd::AtPrompt);
    user
}

#[test]
fn a_typed_line_runs_and_its_output_is_shown() {
    let user = join(
        "repl-typed",
        &[
            (">>> ", bytes("print(6*7)\r")),
            ("42\r\n>>> ", bytes("'é'\r")),
            (">>> ", Key::Leave),
        ],
    );
    assert_eq!(user.notes, [PromptNote::NotAscii]);
}

#[test]
fn a_paste_runs_statement_by_statement() {
    let source = "for i in range(2):\n    print('n', i)\nprint('你好')\nprint('re'";
    let user = join(
        "repl-pasted",
        &[
            (">>> ", paste(source)),
            // The last line is incomplete, so the user continues it.
            ("print('re'", bytes("+ 'st')\r")),
            ("rest\r\n>>> ", Key::Leave),
        ],
    );
    let text = user.text();
    let outputs: Vec<&str> = text
        .lines()
        .filter(|line| matches!(*line, "n 0" | "n 1" | "你好" | "rest"))
        .collect();
    assert_eq!(outputs, ["n 0", "n 1", "你好", "rest"], "{text}");
}

#[test]
fn ctrl_c_stops_pasted_code() {
    let user = join(
        "repl-paste-stopped",
        &[
            (">>> ", paste("while True: print('on')\nprint('never')\n")),
            ("on\r\n", bytes("\x03")),
            (">>> ", Key::Leave),
        ],
    );
    let text = user.text();
    assert!(text.contains("KeyboardInterrupt"), "{text}");
    assert!(!text.contains("\nnever"), "{text}");
}

#[test]
fn piped_source_runs_to_its_end() {
    let source =
        "def f(x):\n    return 2 * x\n\nname = input('name? ')\nPeter\nprint(f(21), name)\n";
    let user = pipe("repl-piped", source, None);
    let text = user.text();
    assert!(text.ends_with("42 Peter\r\n>>> "), "{text}");
    assert_eq!(user.notes, []);
}

#[test]
fn piped_source_that_is_stopped_leaves_the_board_at_its_prompt() {
    let user = pipe(
        "repl-piped-stopped",
        "while True: print('on')\n\nprint('never')\n",
        Some("on\r\n"),
    );
    let text = user.text();
    assert!(text.contains("KeyboardInterrupt"), "{text}");
    assert!(!text.contains("\nnever"), "{text}");
    assert_eq!(user.notes, []);
}

/// A port whose cable is pulled.
#[derive(Debug)]
struct Pulled;

impl Port for Pulled {
    fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        Ok(bytes.len())
    }
}

#[test]
fn a_lost_port_is_opened_again_and_the_prompt_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = Address {
        port: format!("socket://{}", listener.local_addr().expect("an address")),
        baud: 115_200,
        timeout: DEADLINE,
        wire: None,
        line_rate: udpcli::board::line_rate::LineRate::Keep,
    };
    let board = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("a connection");
        line.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let mut enter = [0];
        line.read_exact(&mut enter).expect("Enter");
        line.write_all(b"\r\n>>> ").expect("an answer");
        enter
    });
    let mut user = User::typing([(">>> ", Key::Leave)]);
    let link = Link::over(Box::new(Pulled), &address, Shutdown::by_hand());
    let end = keyboard::run(link, &mut user).expect("an end");
    assert_eq!(end, KeyboardEnd::Left);
    assert_eq!(user.notes, [PromptNote::Gone, PromptNote::Back]);
    assert_eq!(board.join().expect("the board"), *b"\r");
}
