//! Replays recordings of genuine firmware to our own code: entry, programs, exceptions, resets and boot logs.
//!
//! The port replies only with the recorded bytes of `tests/genuine/`. A request without a recorded reply fails the
//! test. Only the text of `print('hi')` is replaced by the token of our question.
//!
//! Long because each recording goes through entry, programs and resets.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use udpcli::board::error::Error;
use udpcli::board::link::{Address, Link};
use udpcli::board::port::Port;
use udpcli::board::prompt::{Prompt, PromptWait, SessionOutput, Statement};
use udpcli::board::repl::{Exit, OutputHandler, Repl, SubmitMode};

use crate::enter::shutdown;

/// The recordings, oldest firmware first.
const RECORDINGS: [&str; 6] = [
    "mpython-1.0.1",
    "mpython-1.2.0",
    "mpython-1.4.0",
    "generic-1.17",
    "mixly-mpython-1.19.1",
    "generic-1.26.1",
];

/// No real delays occur here: a test that takes this long waited for a text that never comes.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// A board's replies, by step.
#[derive(Debug, Clone)]
struct Recording {
    steps: BTreeMap<String, Vec<u8>>,
}

impl Recording {
    fn read(name: &str) -> Self {
        let path = format!("{}/tests/genuine/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("the recording is there");
        let latin1 = |value: &Value| -> Vec<u8> {
            let text = value.as_str().expect("text");
            text.chars()
                .map(|character| u8::try_from(u32::from(character)).expect("Latin-1"))
                .collect()
        };
        let mut steps: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for line in text.lines() {
            let step: Value = serde_json::from_str(line).expect("a JSON line");
            let name = step["step"].as_str().expect("a name").to_owned();
            steps.insert(name, latin1(&step["got"]));
        }
        Self { steps }
    }

    #[track_caller]
    fn got(&self, step: &str) -> Vec<u8> {
        self.steps
            .get(step)
            .unwrap_or_else(|| panic!("no step {step}"))
            .clone()
    }

    /// The output up to the first prompt, over all steps.
    fn power_on(&self) -> Vec<u8> {
        let mut log = self.got("power-on until quiet");
        // The first boot of mPython 1.0.1 and 1.2.0 continued during later steps (tests/genuine/README.md).
        for step in [
            "Enter at the prompt",
            "Ctrl-C at the prompt",
            "working directory",
        ] {
            if log.ends_with(b">>> ") {
                break;
            }
            let late = self.got(step);
            let end = memmem(&late, b">>> ").map_or(late.len(), |at| at + 4);
            log.extend(&late[..end]);
        }
        log
    }
}

fn memmem(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// The board's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Friendly,
    Raw,
    /// A program that ends only after Ctrl-C, and its reply then.
    Loop(&'static str),
    /// Paste mode: how much of the recorded dialogue was shown.
    Paste(usize),
}

/// A board that replays a recording.
#[derive(Debug)]
struct Replay {
    recording: Recording,
    at: At,
    line: Vec<u8>,
    said: VecDeque<u8>,
    /// Requests without a recorded reply.
    unanswered: Arc<Mutex<Vec<String>>>,
}

impl Replay {
    fn say(&mut self, step: &str) {
        let got = self.recording.got(step);
        self.said.extend(got);
    }

    fn receive(&mut self, byte: u8) {
        match (self.at, byte) {
            (At::Friendly, 1) => {
                self.say("Ctrl-A raw REPL");
                self.at = At::Raw;
            }
            (At::Friendly, 2) => self.say("Ctrl-B"),
            (At::Friendly, 3) => {
                self.line.clear();
                self.said.extend(b"\r\n>>> ");
            }
            (At::Friendly, 4) if self.line.is_empty() => self.say("friendly: Ctrl-D, a soft reset"),
            (At::Friendly, 5) => {
                let dialogue = self.recording.got("paste mode");
                let shown = memmem(&dialogue, b"=== ").expect("a prompt") + 4;
                self.said.extend(&dialogue[..shown]);
                self.at = At::Paste(shown);
            }
            // In two recordings, the boot was not over at the step "Enter at the prompt".
            (At::Friendly, b'\r') if self.line.is_empty() => self.said.extend(b"\r\n>>> "),
            (At::Raw, 1) if self.line == b"\x05A" => {
                self.line.clear();
                self.say("raw: raw-paste request");
            }
            (At::Raw, 1) => {
                self.line.clear();
                self.say("Ctrl-A after it");
            }
            (At::Raw, 2) => {
                self.line.clear();
                self.say("Ctrl-B");
                self.at = At::Friendly;
            }
            (At::Raw, 3) => self.line.clear(),
            (At::Raw, 4) => {
                let line = std::mem::take(&mut self.line);
                self.run(&line);
            }
            (At::Loop(end), 3) => {
                self.say(end);
                self.at = At::Raw;
            }
            (At::Loop(_), _) => {}
            (At::Paste(shown), byte) => {
                let dialogue = self.recording.got("paste mode");
                let rest = &dialogue[shown..];
                let len = match byte {
                    b'\r' => memmem(rest, b"=== ").map_or(0, |at| at + 4),
                    4 => rest.len(),
                    _ => {
                        assert_eq!(rest.first(), Some(&byte), "not the recorded program");
                        1
                    }
                };
                self.said.extend(&rest[..len]);
                self.at = if byte == 4 {
                    At::Friendly
                } else {
                    At::Paste(shown + len)
                };
            }
            (At::Friendly | At::Raw, byte) => self.line.push(byte),
        }
    }

    /// The raw REPL's recorded reply to this code.
    fn run(&mut self, code: &[u8]) {
        let text = String::from_utf8_lossy(code).into_owned();
        if let Some(token) = printed(&text) {
            let mut answer = self.recording.got("raw: print");
            let at = memmem(&answer, b"hi").expect("what was printed");
            answer.splice(at..at + 2, token.into_bytes());
            self.said.extend(answer);
            return;
        }
        match text.as_str() {
            "" => self.say("raw: Ctrl-D alone, a soft reset"),
            "print('你好')" => self.say("raw: Chinese"),
            "1/0" => self.say("raw: exception"),
            "def" => self.say("raw: syntax error"),
            "def f():\n g()\ndef g():\n raise ValueError('bad')\nf()" => {
                self.say("raw: traceback in a function");
            }
            "while 1: pass" => {
                self.say("raw: a loop");
                self.at = At::Loop("Ctrl-C in the loop");
            }
            "import time\ntime.sleep(9)" => {
                self.say("raw: sleep");
                self.at = At::Loop("Ctrl-C in sleep");
            }
            "import sys\nsys.exit()" => self.say("raw: sys.exit()"),
            "import machine\nmachine.soft_reset()" => self.say("raw: machine.soft_reset()"),
            "import machine;machine.reset()" => {
                let log = self.recording.got("reset");
                // The friendly prompt echoed the code; here it is acknowledged instead.
                let start = memmem(&log, b"\r\n").expect("the echo's end") + 2;
                self.said.extend(b"OK");
                self.said.extend(&log[start..]);
                self.at = At::Friendly;
            }
            _ => self.unanswered.lock().unwrap().push(text),
        }
    }
}

/// The output of `print('a'+'b')`; `None` for other code.
fn printed(code: &str) -> Option<String> {
    let parts = code.strip_prefix("print('")?.strip_suffix("')")?;
    parts.contains("'+'").then(|| parts.replace("'+'", ""))
}

impl Port for Replay {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.said.is_empty() {
            std::thread::sleep(timeout.min(Duration::from_millis(2)));
            return Ok(0);
        }
        let len = self.said.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(self.said.drain(..len)) {
            *to = from;
        }
        Ok(len)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        for &byte in bytes {
            self.receive(byte);
        }
        Ok(bytes.len())
    }
}

fn address() -> Address {
    Address {
        port: "recording".to_owned(),
        baud: 115_200,
        timeout: Duration::from_secs(10),
        wire: None,
        line_rate: udpcli::board::line_rate::LineRate::Keep,
    }
}

type Unanswered = Arc<Mutex<Vec<String>>>;

/// A line to a board that was just powered on.
fn link(recording: &Recording) -> (Link, Unanswered) {
    let unanswered = Unanswered::default();
    let port = Replay {
        recording: recording.clone(),
        at: At::Friendly,
        line: Vec::new(),
        said: recording.power_on().into(),
        unanswered: unanswered.clone(),
    };
    let link = Link::over(Box::new(port), &address(), shutdown());
    (link, unanswered)
}

/// Does `work` with each recorded board in its raw REPL, and returns to its prompt.
fn with_each(work: impl Fn(&str, &Recording, &mut Repl)) {
    for name in RECORDINGS {
        let recording = Recording::read(name);
        let (link, unanswered) = link(&recording);
        let start = Instant::now();
        let mut repl = Repl::enter(link).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(start.elapsed() < AT_ONCE, "{name}: {:?}", start.elapsed());
        work(name, &recording, &mut repl);
        let start = Instant::now();
        repl.close().expect("the prompt");
        assert!(start.elapsed() < AT_ONCE, "{name}: {:?}", start.elapsed());
        assert_eq!(*unanswered.lock().unwrap(), [""; 0], "{name}");
    }
}

/// Runs code like `board run`, and returns its output and exit. `interrupt`: presses Ctrl-C once it runs.
#[track_caller]
fn run(repl: &mut Repl, code: &str, interrupt: bool) -> (Vec<u8>, Exit) {
    struct Kept {
        output: Vec<u8>,
        interrupt: bool,
    }
    impl OutputHandler for Kept {
        fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
            self.output.extend_from_slice(bytes);
            Ok(())
        }
        fn tick(&mut self) -> Result<udpcli::board::repl::FollowAction, Error> {
            use udpcli::board::repl::FollowAction;
            Ok(if std::mem::take(&mut self.interrupt) {
                FollowAction::Interrupt
            } else {
                FollowAction::Continue
            })
        }
    }
    let start = Instant::now();
    repl.submit(SubmitMode::Plain, "a test", code.as_bytes())
        .expect("it is taken");
    let mut kept = Kept {
        output: Vec::new(),
        interrupt,
    };
    let ended = repl.follow(&mut kept).expect("it ends");
    assert!(start.elapsed() < AT_ONCE, "{code}: {:?}", start.elapsed());
    (kept.output, ended)
}

#[test]
fn every_recorded_board_is_entered_from_its_boot() {
    with_each(|name, _, repl| {
        let entered = repl.entered();
        assert!(!entered.reset, "{name}: {entered:?}");
        // The recording of 1.0.1 contains a Ctrl-C during its first boot.
        let was_hit = name == "mpython-1.0.1";
        assert_eq!(entered.stopped_program, was_hit, "{name}: {entered:?}");
    });
}

#[test]
fn recorded_programs_end_as_recorded() {
    with_each(|name, _, repl| {
        let done = |output: &str| (output.as_bytes().to_vec(), Exit::Done);
        assert_eq!(run(repl, "print('a'+'b')", false), done("ab\r\n"), "{name}");
        assert_eq!(
            run(repl, "print('你好')", false),
            done("你好\r\n"),
            "{name}"
        );
        for (code, interrupt, exception) in [
            ("1/0", false, "ZeroDivisionError"),
            ("def", false, "SyntaxError: invalid syntax"),
            (
                "def f():\n g()\ndef g():\n raise ValueError('bad')\nf()",
                false,
                "ValueError: bad",
            ),
            ("while 1: pass", true, "KeyboardInterrupt:"),
            ("import time\ntime.sleep(9)", true, "KeyboardInterrupt:"),
        ] {
            let (output, ended) = run(repl, code, interrupt);
            assert_eq!(output, b"", "{name}: {code}");
            match ended {
                Exit::Exception(text) => {
                    assert!(text.starts_with("Traceback"), "{name}: {code}: {text}");
                    let last = udpcli::board::repl::last_line(&text);
                    assert!(last.starts_with(exception), "{name}: {code}: {last}");
                }
                ended => panic!("{name}: {code}: {ended:?}"),
            }
        }
    });
}

#[test]
fn sys_exit_and_soft_reset_end_a_program_on_every_recorded_board() {
    with_each(|name, recording, repl| {
        let resets = |step: &str| memmem(&recording.got(step), b"soft reboot").is_some();
        let end = |resets: bool| if resets { Exit::Exited } else { Exit::Done };
        assert_eq!(
            run(repl, "import sys\nsys.exit()", false),
            (Vec::new(), end(resets("raw: sys.exit()"))),
            "{name}"
        );
        assert_eq!(run(repl, "print('a'+'b')", false).1, Exit::Done, "{name}");
        let (output, ended) = run(repl, "import machine\nmachine.soft_reset()", false);
        assert_eq!(output, b"", "{name}");
        if resets("raw: machine.soft_reset()") {
            assert_eq!(ended, Exit::Exited, "{name}");
        } else {
            assert!(
                matches!(ended, Exit::Exception(text) if text.contains("AttributeError")),
                "{name}"
            );
        }
        assert_eq!(run(repl, "print('a'+'b')", false).1, Exit::Done, "{name}");
    });
}

#[test]
fn a_soft_reset_ends_at_the_recorded_banner() {
    with_each(|name, _, repl| {
        let start = Instant::now();
        repl.soft_reset().expect("it comes back");
        assert!(start.elapsed() < AT_ONCE, "{name}: {:?}", start.elapsed());
        assert_eq!(run(repl, "print('a'+'b')", false).0, b"ab\r\n", "{name}");
    });
    for name in RECORDINGS {
        let (link, _) = link(&Recording::read(name));
        let repl = Repl::enter(link).expect("it is entered");
        let start = Instant::now();
        repl.soft_reset_to_prompt().expect("it resets");
        assert!(start.elapsed() < AT_ONCE, "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn raw_paste_mode_is_used_if_the_recording_has_it() {
    with_each(|name, recording, repl| {
        if recording.got("raw: raw-paste request").starts_with(b"R") {
            // The recording ends after the window size.
            return;
        }
        let start = Instant::now();
        assert!(!repl.has_raw_paste().expect("an answer"), "{name}");
        assert!(start.elapsed() < AT_ONCE, "{name}: {:?}", start.elapsed());
        assert_eq!(run(repl, "print('a'+'b')", false).0, b"ab\r\n", "{name}");
    });
}

#[test]
fn a_reset_in_a_program_is_a_restart_and_not_a_fault() {
    for name in RECORDINGS {
        let (link, _) = link(&Recording::read(name));
        let mut repl = Repl::enter(link).expect("it is entered");
        let (_, ended) = run(&mut repl, "import machine;machine.reset()", false);
        assert_eq!(ended, Exit::Restarted, "{name}");
        let error = repl.restarted("a test");
        assert!(
            matches!(error, Error::Restarted { .. }),
            "{name}: {error:?}"
        );
        assert_eq!(error.code(), Some("board-restarted"));
    }
}

#[test]
fn a_block_is_pasted_as_it_was_recorded() {
    struct Shown(Vec<u8>);
    impl SessionOutput for Shown {
        fn show(&mut self, bytes: &[u8]) -> bool {
            self.0.extend_from_slice(bytes);
            true
        }
        fn is_stopped(&mut self) -> bool {
            false
        }
    }
    for name in RECORDINGS {
        let recording = Recording::read(name);
        let (mut link, _) = link(&recording);
        let mut shown = Shown(Vec::new());
        let (mut prompt, stopped) = Prompt::find(&mut link, &mut shown).expect("the prompt");
        assert!(!stopped, "{name}");
        shown.0.clear();
        let block = Statement::Block(b"for i in range(2):\n print(i)".to_vec());
        prompt.type_in(&block, &mut shown).expect("it is taken");
        assert_eq!(
            prompt.wait(false, &mut shown).expect("it ends"),
            PromptWait::Ready
        );
        assert_eq!(shown.0, recording.got("paste mode"), "{name}");
    }
}

/// A board that was reset by opening its port: its recorded boot log at the speed of a line, and then the board.
#[derive(Debug)]
struct Booting {
    log: VecDeque<u8>,
    /// When more of the log arrives.
    next: Instant,
    board: Replay,
    /// Bytes that reached `_boot.py`, where a Ctrl-C would have interrupted it.
    hits: Arc<Mutex<Vec<u8>>>,
    has_interpreter: bool,
}

impl Port for Booting {
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.log.is_empty() {
            return self.board.read(buffer, timeout);
        }
        let now = Instant::now();
        if now < self.next {
            std::thread::sleep(timeout.min(self.next - now));
            return Ok(0);
        }
        let len = self.log.len().min(buffer.len()).min(32);
        for (to, from) in buffer.iter_mut().zip(self.log.drain(..len)) {
            *to = from;
        }
        let rest = self.log.make_contiguous();
        // Ctrl-C has an effect from the interpreter's first output on.
        self.has_interpreter |= memmem(rest, b"Performing initial setup").is_none();
        // Creating the file system takes the recorded boards almost a second.
        let is_made = rest.starts_with(b"MicroPython") || rest.starts_with(b"OSError");
        self.next = now + Duration::from_millis(if is_made { 700 } else { 3 });
        Ok(len)
    }

    fn write(&mut self, bytes: &[u8], timeout: Duration) -> io::Result<usize> {
        if self.log.is_empty() {
            return self.board.write(bytes, timeout);
        }
        if self.has_interpreter {
            self.hits.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }
}

#[test]
fn the_first_boot_of_a_flashed_board_is_not_interrupted() {
    for name in RECORDINGS {
        // The recording of 1.0.1 shows the effect of a Ctrl-C there: no file system.
        let recording = Recording::read(name);
        let hits = Arc::new(Mutex::new(Vec::new()));
        let port = Booting {
            log: recording.power_on().into(),
            next: Instant::now(),
            board: Replay {
                recording: recording.clone(),
                at: At::Friendly,
                line: Vec::new(),
                said: VecDeque::new(),
                unanswered: Unanswered::default(),
            },
            hits: hits.clone(),
            has_interpreter: false,
        };
        let link = Link::over(Box::new(port), &address(), shutdown());
        let repl = Repl::enter(link).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(*hits.lock().unwrap(), b"", "{name}");
        repl.close().expect("the prompt");
    }
}
