//! Into the raw REPL, whatever the board is doing.
//!
//! A ladder, each rung only when the one before did not help:
//!
//! 1. two Ctrl-C and Ctrl-A: a board at a prompt of any kind, or with a program that sleeps, spins, prints or waits;
//! 2. bursts of Ctrl-C, 0.1 to 3 ms apart: a program that catches `KeyboardInterrupt` is caught inside its handler;
//! 3. a reset through the control lines with a Ctrl-C every 5 ms through the boot: a program that switched Ctrl-C off.
//!    Where the port has no control lines udpcli asks the user to press RESET, and goes on trying.
//!
//! A board counts as entered only when it has run a line of ours and given back a number that nothing else knows: text
//! that looks like a prompt is not believed. Where that number comes back among other output, a thread of the last
//! program still prints: a soft reset ends it.
//!
//! A board that is booting is left alone until its prompt comes: a Ctrl-C would hit `_boot.py` before it has mounted the
//! file system. Where the third rung has to do just that, a soft reset afterwards lets `_boot.py` finish.
//!
//! What the port says meanwhile is evidence (see [`evidence`]): a board that reports an empty flash twice has no
//! program to interrupt, and is not waited for.

use std::time::{Duration, Instant};

use memchr::memmem;

use crate::board::error::Error;
use crate::board::evidence::{self, BOOT_MARKS, DOWNLOAD_MARKS, MICROPYTHON_MARKS};
use crate::board::link::Link;
use crate::text::escape;

/// What the raw REPL says when it is entered.
pub(crate) const BANNER: &[u8] = b"raw REPL; CTRL-B to exit\r\n>";

/// How long a knock is given to be answered: a traceback and the banner take 30 ms at 115,200 baud.
const KNOCK_WAIT: Duration = Duration::from_millis(150);

/// When the second rung begins.
const BURSTS_AFTER: Duration = Duration::from_millis(300);

/// When the bursts become as dense as the line: a handler that does nothing is left again after a few opcodes, and
/// only the number of tries counts.
const DENSE_AFTER: Duration = Duration::from_millis(600);

/// When the third rung begins.
const RESET_AFTER: Duration = Duration::from_millis(1400);

/// How long a port is tried that may have no board behind it.
const PATIENCE: Duration = Duration::from_millis(1300);

/// A board that was reset on purpose, and printed boot messages less than this ago, is booting: Ctrl-C goes on all
/// through it. The mPython board needs 1 to 3 s.
const BOOT_TIME: Duration = Duration::from_secs(4);

/// A board that is booting when the port is opened is left alone until its prompt comes, or for this long after its last
/// boot message: a Ctrl-C in `_boot.py` leaves it without its file system (recorded on mPython 1.0.1).
const BOOT_QUIET: Duration = Duration::from_millis(2500);

/// The ROM's log comes within a tenth of a second after a reset: one that comes later than this after the port was
/// opened was not caused by that. Somebody pressed RESET because of a program that does not react.
const OPENED: Duration = Duration::from_millis(600);

/// How long making the file system may take without a word; the recorded boards need less than a second.
const SET_UP: Duration = Duration::from_secs(5);

/// What the first boot of a freshly flashed board prints while it makes its file system.
const SETTING_UP: &[u8] = b"Performing initial setup";

/// A burst's groups of Ctrl-C, and the time after each: within a group they arrive 90 us apart at 115,200 baud.
const GROUPS: [(usize, Duration); 5] = {
    let (short, long) = (Duration::from_millis(1), Duration::from_millis(3));
    [(64, short), (4, short), (4, long), (4, short), (4, long)]
};

/// How many single Ctrl-C go before the groups. A handler that prints is left at once where the next one arrives while
/// it does, which is soon after the program was woken by the one before: no time suits all boards, so each is another.
const SINGLES: usize = 32;

/// The time between two Ctrl-C through a boot: `import mpython` is the window, and some boards have none longer.
const BOOT_GAP: Duration = Duration::from_millis(5);

/// How much of what the board said is kept for the diagnosis.
const KEPT: usize = 8192;

/// How long a soft reset may take: 0.15 s on mPython 1.x to 1.2 s on generic 1.26 (recorded), and the board's `boot.py`.
const SOFT_RESET: Duration = Duration::from_secs(4);

/// How often the board is asked for the proof that it is in its raw REPL.
const QUESTIONS: u32 = 3;

/// How much of the last that a board said may tell of a fault: a crash's registers and the ROM's log behind it.
const RECENT: usize = 2048;

/// A thread that pauses for longer between two prints leaves room for an answer.
const THREAD_PAUSE: Duration = Duration::from_millis(100);

/// What a port that sends back whatever it receives has sent back, at least, before it counts as one.
const ECHOED: usize = 12;

/// How a board was when it was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entered {
    /// A running program was stopped.
    pub stopped_program: bool,
    /// The board had to be reset.
    pub reset: bool,
    /// The interpreter was started anew, by a soft reset or by a reset of the board: what was in its memory is gone.
    pub started_anew: bool,
    /// The board came to its prompt anew while it was entered: it booted, or its `main.py` ended, which may catch the
    /// Ctrl-C that stops it without a word.
    pub new_prompt: bool,
}

/// What every recorded firmware prints before its first prompt, and after `main.py`.
const WELCOME: &[u8] = b"Type \"help()\" for more information.";

/// Gets into the raw REPL within the address's timeout.
///
/// # Errors
/// Why the board cannot be reached: silence, download mode, noise, a program that does not give in.
pub fn raw_repl(link: &mut Link) -> Result<Entered, Error> {
    climb(link, link.address().timeout, None)
}

/// As [`raw_repl`], within `timeout`.
///
/// # Errors
/// As [`raw_repl`].
pub fn raw_repl_within(link: &mut Link, timeout: Duration) -> Result<Entered, Error> {
    climb(link, timeout, None)
}

/// As [`raw_repl_within`], for a program that has caught a Ctrl-C: begins with the second rung.
///
/// # Errors
/// As [`raw_repl`].
pub fn raw_repl_from_stubborn(link: &mut Link, timeout: Duration) -> Result<Entered, Error> {
    let mut climb = Climb::new(timeout, None);
    climb.start = climb.start.checked_sub(BURSTS_AFTER).unwrap_or(climb.start);
    climb.up(link)
}

/// As [`raw_repl`], for a port that may have anything behind it: gives up after 1.3 s and resets nothing, but
/// waits for a board that is booting.
///
/// # Errors
/// As [`raw_repl`].
pub fn raw_repl_without_reset(link: &mut Link) -> Result<Entered, Error> {
    climb(link, link.address().timeout, Some(PATIENCE))
}

fn climb(link: &mut Link, timeout: Duration, patience: Option<Duration>) -> Result<Entered, Error> {
    let mut climb = Climb::new(timeout, patience);
    let result = climb.up(link);
    tracing::trace!(
        "entering took {:?}: {}",
        climb.began.elapsed(),
        escape::excerpt(&climb.heard)
    );
    result
}

/// One climb of the ladder.
struct Climb {
    began: Instant,
    /// When the first rung was taken: after the boot where there was one.
    start: Instant,
    deadline: Instant,
    /// How long a board that is not booting is tried, less than [`RESET_AFTER`]; none: to the deadline.
    patience: Option<Duration>,
    /// The last of what the board said.
    heard: Vec<u8>,
    heard_in_all: usize,
    last_heard: Instant,
    /// As it was when the last burst began.
    heard_by_burst: usize,
    /// As it was when the last Ctrl-A was sent.
    heard_by_ctrl_a: usize,
    /// Whether anything came that only `MicroPython` says.
    is_micropython: bool,
    /// Whether everything that came is a byte that was sent.
    is_echo: bool,
    /// Whether a Ctrl-C went out during a boot.
    has_hit_boot: bool,
    /// Whether the questions go through the module `sys`: what `print` is may have been changed.
    asks_by_sys: bool,
    last_boot_mark: Option<Instant>,
    /// Whether a boot began after the port had been open for a while.
    was_reset_by_hand: bool,
    /// The last time between two single Ctrl-C, as a part of the longest.
    gap: f64,
    entered: Entered,
    /// Whether the port turned out to have no control lines.
    no_lines: bool,
}

impl Climb {
    fn new(timeout: Duration, patience: Option<Duration>) -> Self {
        let start = Instant::now();
        Self {
            began: start,
            start,
            deadline: start + timeout,
            patience,
            heard: Vec::new(),
            heard_in_all: 0,
            last_heard: start,
            heard_by_burst: 0,
            heard_by_ctrl_a: 0,
            is_micropython: false,
            is_echo: true,
            has_hit_boot: false,
            asks_by_sys: false,
            last_boot_mark: None,
            was_reset_by_hand: false,
            gap: 0.0,
            entered: Entered::default(),
            no_lines: false,
        }
    }

    fn up(&mut self, link: &mut Link) -> Result<Entered, Error> {
        loop {
            let booting = self.is_booting();
            let elapsed = self.start.elapsed();
            if !booting && self.patience.is_some_and(|patience| elapsed > patience) {
                return Err(self.failure(link));
            }
            let found = if booting && (self.is_setting_up() || !self.interrupts_boot()) {
                self.listen(link, Duration::from_millis(10))?;
                None
            } else if booting {
                self.through_boot(link)?
            } else if elapsed < BURSTS_AFTER {
                link.send(b"\x03\x03")?;
                self.ctrl_a(link, KNOCK_WAIT)?
            } else if elapsed < RESET_AFTER || self.no_lines {
                self.burst(link)?
            } else {
                // A second time, too, when the first boot went by without a moment in which it listened.
                self.reset(link);
                None
            };
            let proof = match found {
                Some(Prompt::Quiet) => self.verify(link)?,
                // Not at once: a program that prints the banner itself must first be interrupted.
                Some(Prompt::Noisy) if elapsed > BURSTS_AFTER => self.verify(link)?,
                Some(Prompt::Noisy) | None => Proof::None,
            };
            let is_in = match proof {
                Proof::Clean if self.has_hit_boot => self.soft_reset(link)?,
                Proof::Clean => true,
                Proof::Noisy => self.end_threads(link)?,
                Proof::None => false,
            };
            if is_in {
                return Ok(self.entered());
            }
            let is_hopeless = evidence::repeated_fault(&self.heard).is_some()
                || (self.no_lines && evidence::has(&self.heard, &DOWNLOAD_MARKS));
            if is_hopeless {
                return Err(self.failure(link));
            }
            if Instant::now() >= self.deadline {
                return Err(self.failure(link));
            }
        }
    }

    /// The board is in its raw REPL: how it was before.
    fn entered(&mut self) -> Entered {
        self.entered.stopped_program |= memmem::find(&self.heard, b"KeyboardInterrupt").is_some();
        self.entered.new_prompt |= memmem::find(&self.heard, WELCOME).is_some();
        self.entered
    }

    /// Asks for the raw REPL and waits for its banner.
    fn ctrl_a(&mut self, link: &mut Link, time: Duration) -> Result<Option<Prompt>, Error> {
        self.heard_by_ctrl_a = self.heard_in_all;
        link.send(b"\x01")?;
        self.banner(link, time)
    }

    /// In the raw REPL, with a thread that prints among the answers: a soft reset ends every thread. True if the board
    /// answers cleanly after it.
    fn end_threads(&mut self, link: &mut Link) -> Result<bool, Error> {
        tracing::info!(say = "board.thread-prints", port = link.name());
        link.send(b"\x03")?;
        self.listen(link, Duration::from_millis(20))?;
        self.entered.stopped_program = true;
        self.soft_reset(link)
    }

    /// Starts the interpreter anew from the raw REPL, which stays. True if the board answers cleanly after it.
    fn soft_reset(&mut self, link: &mut Link) -> Result<bool, Error> {
        link.send(b"\x04")?;
        let until = (Instant::now() + SOFT_RESET).min(self.deadline);
        self.heard.clear();
        while !evidence::has(&self.heard, &[evidence::SOFT_REBOOT]) {
            if !link.fill(until)? {
                return Ok(false);
            }
            self.note(link);
        }
        let left = until.saturating_duration_since(Instant::now());
        self.heard_by_ctrl_a = self.heard_in_all;
        self.has_hit_boot = false;
        self.entered.started_anew = true;
        Ok(self.banner(link, left)? == Some(Prompt::Quiet) && self.verify(link)? == Proof::Clean)
    }

    /// Ctrl-C so close together that a handler is interrupted in its turn.
    fn burst(&mut self, link: &mut Link) -> Result<Option<Prompt>, Error> {
        let heard = self.heard_in_all;
        let is_quiet = std::mem::replace(&mut self.heard_by_burst, heard) == heard;
        if is_quiet && self.start.elapsed() > DENSE_AFTER {
            // Until it says something: more than its receive buffer holds must not come before the Ctrl-A.
            for turn in 0..16 {
                if turn % 2 == 0 {
                    let group = [0x03; 64];
                    link.send(&group)?;
                    self.listen(link, link.line_time(group.len()))?;
                } else {
                    self.singles(link, Duration::from_micros(250))?;
                }
                if self.heard_in_all > heard {
                    break;
                }
            }
        } else {
            self.singles(link, Duration::from_micros(500))?;
            for (len, gap) in GROUPS {
                link.send([0x03; 64].get(..len).unwrap_or_default())?;
                self.listen(link, gap)?;
            }
        }
        self.ctrl_a(link, KNOCK_WAIT / 4)
    }

    /// Single Ctrl-C, each after another time up to `most`, and then what came meanwhile.
    fn singles(&mut self, link: &mut Link, most: Duration) -> Result<(), Error> {
        for _ in 0..SINGLES {
            link.send(b"\x03")?;
            // Steps of a fraction that no small number of them brings back to the start.
            self.gap = (self.gap + 0.618_034).fract();
            // Not a wait for bytes: those end on time only on a cable under Linux, on a socket 4 to 8 ms late.
            std::thread::sleep(most.mul_f64(self.gap));
        }
        self.listen(link, Duration::from_millis(1))
    }

    /// Whether the board boots. At the end of a boot that was waited for the ladder begins.
    fn is_booting(&mut self) -> bool {
        let Some(seen) = self.last_boot_mark else {
            return false;
        };
        let is_gentle = !self.interrupts_boot();
        let time = if is_gentle { BOOT_QUIET } else { BOOT_TIME };
        if self.is_setting_up() {
            return true;
        }
        if seen.elapsed() < time && !(is_gentle && self.heard.ends_with(b">>> ")) {
            return true;
        }
        self.last_boot_mark = None;
        if is_gentle {
            self.start = Instant::now();
        }
        false
    }

    /// Whether Ctrl-C goes out during a boot: what runs after it did not react to Ctrl-C, or it boots again and again.
    fn interrupts_boot(&self) -> bool {
        self.entered.reset
            || self.no_lines
            || self.was_reset_by_hand
            || memmem::find_iter(&self.heard, b"rst:0x").nth(1).is_some()
    }

    /// Whether a freshly flashed board makes its file system.
    fn is_setting_up(&self) -> bool {
        // A program may print that text, too: after a while of silence it is no file system being made.
        self.last_heard.elapsed() < SET_UP
            && memmem::rfind(&self.heard, SETTING_UP).is_some_and(|at| {
                memmem::find(self.heard.get(at..).unwrap_or_default(), b">>> ").is_none()
            })
    }

    /// A Ctrl-C every 5 ms and a Ctrl-A now and then while the board boots.
    fn through_boot(&mut self, link: &mut Link) -> Result<Option<Prompt>, Error> {
        self.has_hit_boot = true;
        for _ in 0..10 {
            if self.is_setting_up() {
                return Ok(None);
            }
            link.send(b"\x03")?;
            self.listen(link, BOOT_GAP)?;
        }
        self.ctrl_a(link, BOOT_GAP * 2)
    }

    fn reset(&mut self, link: &mut Link) {
        match link.hard_reset() {
            Ok(()) => {
                tracing::info!(say = "board.no-prompt-resetting", port = link.name());
                self.entered.reset = true;
                self.entered.started_anew = true;
                self.last_boot_mark = Some(Instant::now());
            }
            Err(error) => {
                tracing::debug!("{error}: {}", source_of(&error));
                self.no_lines = true;
                if !evidence::has(&self.heard, &DOWNLOAD_MARKS) {
                    tracing::info!(say = "board.no-prompt-press", port = link.name());
                }
            }
        }
    }

    /// Listens for `time`.
    fn listen(&mut self, link: &mut Link, time: Duration) -> Result<(), Error> {
        let until = (Instant::now() + time).min(self.deadline);
        while link.fill(until)? {
            self.note(link);
        }
        Ok(())
    }

    /// Listens until the banner came, for at most `time`.
    fn banner(&mut self, link: &mut Link, time: Duration) -> Result<Option<Prompt>, Error> {
        let until = (Instant::now() + time).min(self.deadline);
        loop {
            if self.heard.ends_with(BANNER) {
                return Ok(Some(Prompt::Quiet));
            }
            if !link.fill(until)? {
                let answer = self.heard_in_all - self.heard_by_ctrl_a;
                let since = self.heard.len().saturating_sub(answer);
                let heard = self.heard.get(since..).unwrap_or_default();
                return Ok(memmem::find(heard, BANNER).map(|_| Prompt::Noisy));
            }
            self.note(link);
        }
    }

    /// Takes what came into what was heard.
    fn note(&mut self, link: &mut Link) {
        let came = link.take(usize::MAX);
        self.heard_in_all += came.len();
        self.last_heard = Instant::now();
        self.is_echo &= came.iter().all(|byte| matches!(byte, 1 | 3));
        self.heard.extend_from_slice(&came);
        // A mark may come in two pieces.
        let recent = self.heard.len().saturating_sub(came.len() + 16);
        let tail = self.heard.get(recent..).unwrap_or_default();
        if evidence::has(tail, &BOOT_MARKS) {
            self.was_reset_by_hand |=
                self.last_boot_mark.is_none() && self.began.elapsed() > OPENED;
            self.last_boot_mark = Some(Instant::now());
        }
        self.is_micropython |= evidence::has(tail, &MICROPYTHON_MARKS);
        let surplus = self.heard.len().saturating_sub(KEPT);
        self.heard.drain(..surplus);
    }

    /// Has the board run a line and give back what only it can know. An answer that came damaged, by a bad line or by a
    /// Ctrl-C that was still under way, is asked for again.
    fn verify(&mut self, link: &mut Link) -> Result<Proof, Error> {
        for _ in 0..QUESTIONS {
            if let Some(proof) = self.ask(link)? {
                return Ok(proof);
            }
        }
        Ok(Proof::None)
    }

    /// Asks once; none if the answer came damaged.
    fn ask(&mut self, link: &mut Link) -> Result<Option<Proof>, Error> {
        let question = Question::new(self.asks_by_sys);
        self.asks_by_sys = !self.asks_by_sys;
        link.send(&question.code)?;
        let time = Duration::from_millis(500) + link.line_time(question.code.len());
        let until = (Instant::now() + time).min(self.deadline);
        let answered = link.until(&question.answer, until)?.is_some();
        let is_noisy = memmem::find(link.pending(), &question.token).is_some();
        if answered {
            return Ok(Some(Proof::Clean));
        }
        self.note(link);
        if !is_noisy {
            return Ok(Some(Proof::None));
        }
        if self.has_hit_boot {
            // A Ctrl-C that was still under way hit the answer; a soft reset follows in any case.
            return Ok(Some(Proof::Noisy));
        }
        // An answer that a bad line damaged is followed by silence; what a thread prints goes on.
        let heard = self.heard_in_all;
        self.listen(link, THREAD_PAUSE)?;
        Ok((self.heard_in_all > heard).then_some(Proof::Noisy))
    }

    /// Why it did not work, from what was heard.
    fn failure(&self, link: &mut Link) -> Error {
        let port = link.name().to_owned();
        let waited = self.began.elapsed();
        if evidence::has(&self.heard, &DOWNLOAD_MARKS)
            || (self.heard_in_all == 0 && answers_as_loader(link))
        {
            return Error::DownloadMode { port };
        }
        if self.heard_in_all == 0 {
            return Error::Silent {
                port,
                waited,
                lines: !self.no_lines,
                reset: self.entered.reset,
            };
        }
        if self.is_echo && self.heard_in_all >= ECHOED {
            return Error::Echo { port };
        }
        // What was said after a fault is the better evidence: the board went on.
        let recent = self.heard.len().saturating_sub(RECENT);
        let tail = self.heard.get(recent..).unwrap_or_default();
        let fault = evidence::repeated_fault(&self.heard).or_else(|| evidence::last_fault(tail));
        if let Some((fault, said)) = fault {
            return Error::Fault {
                port,
                fault,
                doing: None,
                said,
            };
        }
        let odd = self
            .heard
            .iter()
            .filter(|byte| !matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
            .count();
        let is_text = std::str::from_utf8(&self.heard).is_ok() || odd * 4 < self.heard.len();
        if !is_text {
            return Error::Noise {
                port,
                baud: link.address().baud,
            };
        }
        let said = escape::excerpt(&self.heard);
        if self.is_micropython {
            Error::Deaf { port, waited, said }
        } else {
            Error::NotMicroPython { port, said }
        }
    }
}

/// How the raw REPL's banner came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prompt {
    /// Nothing followed.
    Quiet,
    /// Other output followed it.
    Noisy,
}

/// Whether the board answered a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// As it should.
    Clean,
    /// It did, and something else printed in between.
    Noisy,
    /// It did not.
    None,
}

fn source_of(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}

/// A line for the board, and what it must answer.
struct Question {
    code: Vec<u8>,
    /// A number in two halves, so that an echo of the line is no answer.
    token: Vec<u8>,
    answer: Vec<u8>,
}

impl Question {
    /// A question that no earlier run asked. `print` needs no module, and a module can be shadowed by a file on the
    /// board; the way through `sys` is for a program that has changed what `print` is. Firmware 1.17 and 1.19 have
    /// `usys` and no `sys` of their own.
    fn new(by_sys: bool) -> Self {
        // The clock's nanoseconds differ from any earlier run's; they need not be hard to guess.
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| time.subsec_nanos());
        let (a, b) = (
            format!("{:04x}", nanos & 0xffff),
            format!("{:04x}", nanos >> 16),
        );
        let (code, end) = if by_sys {
            (
                format!(
                    "try:import usys as _udpcli\nexcept ImportError:import sys as _udpcli\n_udpcli.stdout.write('{a}'+'{b}')\ndel _udpcli\x04"
                ),
                "",
            )
        } else {
            (format!("print('{a}'+'{b}')\x04"), "\r\n")
        };
        Self {
            code: code.into_bytes(),
            token: format!("{a}{b}").into_bytes(),
            answer: format!("OK{a}{b}{end}\x04\x04>").into_bytes(),
        }
    }
}

/// Whether the ESP32's ROM loader answers a SYNC command (SLIP framed, as Espressif documents it).
fn answers_as_loader(link: &mut Link) -> bool {
    let mut sync = vec![
        0xc0, 0x00, 0x08, 0x24, 0x00, 0, 0, 0, 0, 0x07, 0x07, 0x12, 0x20,
    ];
    sync.extend([0x55; 32]);
    sync.push(0xc0);
    // The first one tells the loader our rate; it may answer only the next.
    (0..2).any(|_| {
        link.forget();
        link.send(&sync).is_ok()
            && link
                .until(
                    &[0xc0, 0x01, 0x08],
                    Instant::now() + Duration::from_millis(200),
                )
                .is_ok_and(|answer| answer.is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_of_the_question_is_no_answer() {
        for by_sys in [false, true] {
            let question = Question::new(by_sys);
            assert!(memmem::find(&question.code, &question.token).is_none());
            assert!(memmem::find(&question.answer, &question.token).is_some());
        }
    }
}
