//! `udpcli board repl`.
//!
//! Long because the keyboard, the line and the terminal meet in one loop.

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _, Read as _};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use clap::Args;

use super::screen::Screen;
use super::{SerialArgs, session};
use crate::board::error::Error as BoardError;
use crate::board::link::{Address, Link};
use crate::board::prompt::{Prompt, Statement, Statements, Terminal, Wait};
use crate::error::{Error, Outcome};
use crate::file;
use crate::shutdown::Shutdown;
use crate::terminal::keys::{self, Key};
use crate::terminal::raw_mode::RawMode;
use crate::terminal::{status, stream};
use crate::text::sentence::sentence;
use crate::wait::{self, Ended, Site};
use crate::words::catalogue::say;

/// How long the board's bytes are waited for before the keys are looked at: no key seems slow.
const LOOK: Duration = Duration::from_millis(5);

/// How often a lost port is tried.
const RETRY: Duration = Duration::from_millis(300);

/// How long one that is far away may take to answer: the keys wait meanwhile, Ctrl-] among them.
const AGAIN: Duration = Duration::from_secs(1);

/// How long the board has to take a line and come back to a prompt before the next one is typed: nobody types faster,
/// and of what is pasted its buffer holds 255 bytes.
const TAKEN: Duration = Duration::from_millis(300);

/// How long the terminal is asked for keys.
const KEYS: Duration = Duration::from_millis(1);

/// How long more keys may take to come that belong to the same paste, where the terminal does not mark it.
const PASTE_GAP: Duration = Duration::from_millis(150);

/// How long a paste waits for the prompt: lines typed one by one would be indented by the prompt, and a compound statement
/// among them never ended.
const HOLD: Duration = Duration::from_millis(500);

/// How long piped input may pause before an empty line ends a compound statement.
const IDLE: Duration = Duration::from_millis(200);

/// What `udpcli board repl` takes.
#[derive(Debug, Args)]
pub(super) struct ReplArgs {}

enum Typed {
    Bytes(Vec<u8>),
    Paste(Vec<u8>),
    Nothing,
    Leave,
}

/// Reads what was typed: keys, or a paste. A terminal that does not mark a paste gives keys faster than anybody types,
/// with line ends among them.
fn read_keys() -> Result<Typed, Error> {
    let failed = |source| {
        Error::File(file::Error::Read {
            object: sentence!("board-cli.keyboard"),
            source,
        })
    };
    let mut typed = Vec::new();
    let mut gap = KEYS;
    while typed.len() < 64 << 10
        && let Some(key) = keys::next(gap).map_err(failed)?
    {
        match key {
            Key::Bytes(bytes) => typed.extend(bytes),
            Key::Paste(text) if typed.is_empty() => return Ok(Typed::Paste(text.into_bytes())),
            Key::Paste(text) => typed.extend(text.into_bytes()),
            Key::Leave => return Ok(Typed::Leave),
            Key::Ignored => {}
        }
        if may_be_a_paste(&typed) {
            gap = PASTE_GAP;
        }
    }
    Ok(if typed.is_empty() {
        Typed::Nothing
    } else if has_lines(&typed) {
        Typed::Paste(typed)
    } else {
        Typed::Bytes(typed)
    })
}

/// Whether keys may be the beginning of a paste: several at once, all of them text. Nobody types two within a
/// millisecond; a paste that comes in pieces must not be taken for typed lines, which the prompt would indent.
fn may_be_a_paste(typed: &[u8]) -> bool {
    typed.len() > 1
        && typed
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..))
}

/// Whether text goes on after a line end, and has no key among it that the board should see at once.
fn has_lines(typed: &[u8]) -> bool {
    let line_end = typed.iter().position(|&byte| byte == b'\r');
    line_end.is_some_and(|at| at + 1 < typed.len())
        && typed
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..))
}

/// Joins the user and the board: on a terminal key by key, from a pipe statement by statement.
pub(super) fn run(_: &ReplArgs, serial: &SerialArgs, quiet: bool) -> Result<Outcome, Error> {
    let address = session::address(serial)?;
    // Ctrl-C is a key on a terminal; a signal ends the loop, which looks every few milliseconds and restores the terminal.
    let shutdown = session::shutdown()?;
    if io::stdin().is_terminal() {
        interactive(&address, &shutdown, quiet)
    } else {
        piped(&address, &shutdown, quiet)
    }
}

/// What the board says goes to stdout.
struct Out {
    screen: Screen,
    shutdown: Shutdown,
    failure: Option<Error>,
}

impl Terminal for Out {
    fn show(&mut self, bytes: &[u8]) -> bool {
        match self.screen.show(bytes) {
            Ok(is_read) => is_read,
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }

    fn is_stopped(&mut self) -> bool {
        self.shutdown.is_asked()
    }
}

/// What the board says while its prompt is looked for: where nobody reads it, the prompt is found all the same.
struct Finding<'a> {
    out: &'a mut Out,
    is_read: bool,
}

impl Terminal for Finding<'_> {
    fn show(&mut self, bytes: &[u8]) -> bool {
        self.is_read = self.is_read && self.out.show(bytes);
        true
    }

    fn is_stopped(&mut self) -> bool {
        self.out.is_stopped()
    }
}

/// Runs source from a pipe at the prompt, and ends there.
fn piped(address: &Address, shutdown: &Shutdown, quiet: bool) -> Result<Outcome, Error> {
    let mut link = open(address, shutdown)?;
    if !quiet {
        tracing::info!(
            say = "board-cli.repl-connected",
            port = address.port.as_str()
        );
    }
    let mut out = Out {
        screen: Screen::new(shutdown.clone()),
        shutdown: shutdown.clone(),
        failure: None,
    };
    let mut finding = Finding {
        out: &mut out,
        is_read: true,
    };
    let found = Prompt::find(&mut link, &mut finding);
    let is_read = finding.is_read;
    let (mut prompt, stopped) = match found {
        _ if shutdown.is_asked() => return Ok(Outcome::Interrupted),
        found => found?,
    };
    if stopped {
        session::tell_stopped();
    }
    let result = if is_read {
        type_all(&mut prompt, &mut out)
    } else {
        Ok(Wait::Stopped)
    };
    if !matches!(result, Ok(Wait::Ready)) {
        // Ctrl-C, or nobody reads: what runs is stopped, and the board left at its prompt.
        let back = prompt.interrupt(&mut out)?;
        if !back {
            tracing::warn!(say = "board-cli.repl-runs-on");
        }
    }
    out.screen.end()?;
    result?;
    match out.failure {
        Some(failure) => Err(failure),
        None => Ok(Outcome::Done),
    }
}

/// Types every statement once the one before has ended.
fn type_all(prompt: &mut Prompt<'_>, out: &mut Out) -> Result<Wait, Error> {
    let input = read_stdin();
    let shutdown = out.shutdown.clone();
    let is_stopped = || shutdown.is_asked();
    let mut statements = Statements::default();
    let mut has_ended = false;
    loop {
        let mut reading = wait::Wait::at(Site::ReadSource, &is_stopped);
        let statement = loop {
            if let Some(statement) = statements.next(false) {
                break statement;
            }
            if has_ended {
                return Ok(Wait::Ready);
            }
            if reading.look().is_some() {
                return Ok(Wait::Stopped);
            }
            match reading.receive(&input, IDLE) {
                Some(Ok(bytes)) => statements.feed(&bytes),
                None => {
                    if let Some(statement) = statements.next(true) {
                        break statement;
                    }
                }
                Some(Err(Ended)) => {
                    statements.end();
                    has_ended = true;
                }
            }
        };
        prompt.type_in(&statement, out)?;
        let may_ask = statement.may_ask() || matches!(statement, Statement::Raw(_));
        loop {
            let next_is_control = statements.is_control_next();
            match prompt.wait(may_ask || next_is_control || !has_ended, out)? {
                Wait::Ready => break,
                Wait::Stopped => return Ok(Wait::Stopped),
                Wait::Input if next_is_control => break,
                Wait::Input => {}
            }
            match input.try_recv() {
                Ok(bytes) => statements.feed(&bytes),
                Err(TryRecvError::Disconnected) if !has_ended => {
                    statements.end();
                    has_ended = true;
                }
                Err(_) => {}
            }
            if may_ask {
                match statements.next_line() {
                    Some(line) => prompt.answer_input(&line)?,
                    // Control characters may have led anywhere, such as into the raw REPL.
                    None if has_ended && matches!(statement, Statement::Raw(_)) => {
                        return Ok(Wait::Stopped);
                    }
                    None => {}
                }
            }
        }
    }
}

/// Standard input in pieces; a few in advance: a file that is fed to the prompt is not read into memory.
fn read_stdin() -> Receiver<Vec<u8>> {
    let (sender, bytes) = sync_channel(4);
    std::thread::spawn(move || {
        let mut stdin = stream::stdin();
        let mut buffer = [0; 4096];
        loop {
            match stdin.read(&mut buffer) {
                Ok(read @ 1..) => {
                    let piece = buffer.get(..read).unwrap_or_default().to_vec();
                    if sender.send(piece).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    });
    bytes
}

/// What was typed and not yet sent: a line at a time, as the board takes them.
#[derive(Default)]
struct Keys {
    waiting: VecDeque<u8>,
    /// When the last line end was sent, while its answer is awaited.
    sent: Option<Instant>,
    /// The end of what the board said.
    tail: Vec<u8>,
}

impl Keys {
    fn typed(&mut self, bytes: &[u8]) {
        if bytes.contains(&3) {
            // Ctrl-C is for what runs now, and takes back what was typed ahead.
            self.waiting.clear();
            self.sent = None;
        }
        self.waiting.extend(bytes);
    }

    fn heard(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        let surplus = self.tail.len().saturating_sub(8);
        self.tail.drain(..surplus);
        if self.tail.ends_with(b">>> ") || self.tail.ends_with(b"... ") {
            self.sent = None;
        }
    }

    fn is_at_prompt(&self) -> bool {
        self.waiting.is_empty() && self.tail.ends_with(b"\n>>> ")
    }

    /// What may be sent now: at most a line.
    fn next(&mut self) -> Vec<u8> {
        if self.sent.is_some_and(|sent| sent.elapsed() < TAKEN) {
            return Vec::new();
        }
        let end = self.waiting.iter().position(|&byte| byte == b'\r');
        let len = end.map_or(self.waiting.len(), |at| at + 1).min(128);
        let line: Vec<u8> = self.waiting.drain(..len).collect();
        if line.ends_with(b"\r") {
            self.sent = Some(Instant::now());
            self.tail.clear();
        }
        line
    }
}

/// A message in between, whatever -q says.
fn tell(message: &str) {
    status::print(&format!("{message}\n"));
}

/// Joins the user's terminal and the board until Ctrl-].
fn interactive(address: &Address, shutdown: &Shutdown, quiet: bool) -> Result<Outcome, Error> {
    let mut link = Some(open(address, shutdown)?);
    let _raw = RawMode::on().map_err(|source| Error::Start {
        what: "raw-mode",
        source,
    })?;
    let mut keys = Keys::default();
    let mut out = Out {
        screen: Screen::new(shutdown.clone()),
        shutdown: shutdown.clone(),
        failure: None,
    };
    if !quiet {
        tell(&say!("board-cli.repl-welcome", port = &address.port));
    }
    // Brings up the prompt, if the board is at one.
    send(&mut link, b"\r")?;
    let mut held = None;
    let mut next_try = Instant::now();
    let mut has_told = false;
    loop {
        if shutdown.is_asked() {
            return Ok(Outcome::Done);
        }
        if let Some(open_link) = &mut link {
            match open_link.fill(Instant::now() + LOOK) {
                Ok(true) => {
                    let came = open_link.take(usize::MAX);
                    keys.heard(&came);
                    if !out.screen.show(&came)? {
                        return Ok(Outcome::Done);
                    }
                }
                Ok(false) => {}
                Err(BoardError::Gone { .. }) => {
                    link = None;
                    tell(&say!("board-cli.repl-gone"));
                }
                Err(error) => return Err(error.into()),
            }
        } else if Instant::now() >= next_try {
            next_try = Instant::now() + RETRY;
            let soon = Address {
                timeout: address.timeout.min(AGAIN),
                ..address.clone()
            };
            if let Ok(again) = open(&soon, shutdown) {
                link = Some(again);
                tell(&say!("board-cli.repl-again"));
                send(&mut link, b"\r")?;
            }
        } else {
            std::thread::sleep(LOOK);
        }
        let mut has_left = false;
        let typed = match read_keys() {
            Err(_) if shutdown.is_asked_soon() => return Ok(Outcome::Done),
            typed => typed?,
        };
        match typed {
            // What is typed behind a paste goes behind it, unless it is Ctrl-C.
            Typed::Bytes(bytes) if held.is_some() && !bytes.contains(&3) => {
                hold(&mut held, &bytes);
            }
            Typed::Bytes(bytes) => {
                held = None;
                if !bytes.is_ascii() && !std::mem::replace(&mut has_told, true) {
                    tell(&say!("board-cli.repl-not-ascii"));
                }
                keys.typed(&bytes);
            }
            Typed::Paste(text) => hold(&mut held, &text),
            Typed::Nothing => {}
            Typed::Leave => has_left = true,
        }
        if let Some(held) = held.take_if(|held| keys.is_at_prompt() || Instant::now() >= held.until)
        {
            match &mut link {
                Some(link) if keys.is_at_prompt() => {
                    has_left = paste(link, &held.text, &mut out)?;
                }
                _ => keys.typed(&with_returns(&held.text)),
            }
        }
        if has_left {
            out.screen.end()?;
            if !quiet {
                status::end_line();
            }
            return Ok(Outcome::Done);
        }
        send(&mut link, &keys.next())?;
    }
}

/// A paste that came while the prompt was still to come back from the line before.
struct Held {
    text: Vec<u8>,
    /// Then it is for the program that runs.
    until: Instant,
}

/// Keeps a paste, or what belongs behind it.
fn hold(held: &mut Option<Held>, text: &[u8]) {
    held.get_or_insert_with(|| Held {
        text: Vec::new(),
        until: Instant::now() + HOLD,
    })
    .text
    .extend(text);
}

/// The user's terminal while pasted lines run: Ctrl-C stops them.
struct Pasting<'a> {
    out: &'a mut Out,
    typed: Vec<u8>,
    has_left: bool,
    failure: Option<Error>,
}

impl Terminal for Pasting<'_> {
    fn show(&mut self, bytes: &[u8]) -> bool {
        self.out.show(bytes)
    }

    fn is_stopped(&mut self) -> bool {
        match read_keys() {
            // The rest of the same paste comes as a paste of its own when it has line ends.
            Ok(Typed::Bytes(bytes) | Typed::Paste(bytes)) => self.typed.extend(bytes),
            Ok(Typed::Leave) => self.has_left = true,
            Ok(Typed::Nothing) => {}
            Err(error) => self.failure = Some(error),
        }
        self.has_left || self.failure.is_some() || self.typed.contains(&3) || self.out.is_stopped()
    }
}

/// The next whole statement of a paste that may still be coming; none if it ended, or the user stopped it.
fn next_pasted(statements: &mut Statements, terminal: &mut Pasting<'_>) -> Option<Statement> {
    let mut until = Instant::now() + PASTE_GAP;
    loop {
        if terminal.is_stopped() {
            return None;
        }
        if !terminal.typed.is_empty() {
            statements.feed(&std::mem::take(&mut terminal.typed));
            until = Instant::now() + PASTE_GAP;
        }
        if let Some(statement) = statements.next(false) {
            return Some(statement);
        }
        if Instant::now() >= until {
            statements.end_lines();
            return statements.next(false);
        }
        std::thread::sleep(LOOK);
    }
}

/// Types lines that were pasted at the prompt: whole statements, each once the one before has ended. True if the user
/// left meanwhile.
fn paste(link: &mut Link, text: &[u8], out: &mut Out) -> Result<bool, Error> {
    let has_line_end = text.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
    if !has_line_end && text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        // Part of a line, which the user goes on with.
        link.send(text)?;
        return Ok(false);
    }
    let mut statements = Statements::default();
    statements.feed(text);
    if !has_line_end {
        // The prompt would drop what is not ASCII.
        statements.end();
    }
    let mut prompt = Prompt::here(link);
    let mut terminal = Pasting {
        out,
        typed: Vec::new(),
        has_left: false,
        failure: None,
    };
    'typing: while let Some(statement) = next_pasted(&mut statements, &mut terminal) {
        prompt.type_in(&statement, &mut terminal)?;
        loop {
            match prompt.wait(true, &mut terminal)? {
                Wait::Ready => break,
                Wait::Stopped => break 'typing,
                Wait::Input if statement.may_ask() => {
                    statements.feed(&std::mem::take(&mut terminal.typed));
                    if let Some(line) = statements.next_line() {
                        prompt.answer_input(&line)?;
                    }
                }
                Wait::Input => {}
            }
        }
    }
    // The beginning of a line, which the user goes on with.
    prompt.send(&statements.take_partial())?;
    if terminal.typed.contains(&3) {
        prompt.interrupt(&mut terminal)?;
    }
    match terminal.failure {
        Some(failure) => Err(failure),
        None => Ok(terminal.has_left),
    }
}

fn open(address: &Address, shutdown: &Shutdown) -> Result<Link, BoardError> {
    let mut link = Link::open(address, shutdown.clone())?;
    link.heed_shutdown(false);
    Ok(link)
}

/// Sends what was typed; a port that is gone is noticed by the next read.
fn send(link: &mut Option<Link>, bytes: &[u8]) -> Result<(), Error> {
    match link.as_mut().map(|link| link.send(bytes)) {
        Some(Err(error @ BoardError::Stuck { .. })) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Line ends as the Enter key gives them: CR, LF and CR LF are one each.
fn with_returns(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut after_cr = false;
    for &byte in text {
        if !(byte == b'\n' && after_cr) {
            out.push(if byte == b'\n' { b'\r' } else { byte });
        }
        after_cr = byte == b'\r';
    }
    out
}
