//! Enters the raw REPL, whatever the board is doing.
//!
//! Three steps, each only if the previous one did not help:
//!
//! 1. two Ctrl-C and Ctrl-A: for a board at any prompt, or with a program that sleeps, loops, prints or waits;
//! 2. bursts of Ctrl-C, 0.1 to 3 ms apart: they interrupt a program that catches `KeyboardInterrupt` inside its
//!    handler;
//! 3. a reset through the control lines with a Ctrl-C every 5 ms during the boot: for a program that disabled Ctrl-C.
//!    If the port has no control lines, udpcli asks the user to press RESET, and keeps trying.
//!
//! Entry is verified: the board must run a line from udpcli and return a number that only this run knows. Text that only
//! looks like a prompt does not count. If other output surrounds the number, a thread of the last program still prints, and a soft reset
//! ends it.
//!
//! udpcli waits for the prompt of a board that is booting: a Ctrl-C would interrupt `_boot.py` before it has mounted
//! the file system. If the third step cannot avoid that, a soft reset afterwards lets `_boot.py` finish.
//!
//! Meanwhile the board's output is evidence (see [`boot_output`]): a board that reports an empty flash twice has no
//! program to interrupt, so udpcli stops waiting.
//!
//! Long because each state that a board can be in is a step of one search, and the order of the steps matters.

use std::time::{Duration, Instant};

use memchr::memmem;

use crate::board::boot_output::{self, BOOT_MARKS, DOWNLOAD_MARKS, MICROPYTHON_MARKS};
use crate::board::error::Error;
use crate::board::line_rate::{FAST_RATES, LineRate};
use crate::board::link::Link;
use crate::text::escape;

/// The banner of the raw REPL.
pub(crate) const BANNER: &[u8] = b"raw REPL; CTRL-B to exit\r\n>";

/// The banner without its prompt. The board prints the two apart, and while it prints a long text other threads run
/// (`MICROPY_PY_STRING_TX_GIL_THRESHOLD`, ports/esp32/mphalport.c): their output may come between the two.
const BANNER_TEXT: &[u8] = b"raw REPL; CTRL-B to exit\r\n";

/// The timeout after Ctrl-C and Ctrl-A: a traceback and the banner take 30 ms at 115,200 baud.
const KNOCK_WAIT: Duration = Duration::from_millis(150);

/// When the second step begins.
const BURSTS_AFTER: Duration = Duration::from_millis(300);

/// When the bursts become as dense as the line allows: the program leaves an empty handler after a few opcodes, so only
/// the number of tries counts.
const DENSE_AFTER: Duration = Duration::from_millis(600);

/// When the third step begins.
const RESET_AFTER: Duration = Duration::from_millis(1400);

/// The timeout for a port that may have no board.
const PATIENCE: Duration = Duration::from_millis(1300);

/// The board is booting if udpcli reset it and its last boot message is newer than this: keep sending Ctrl-C. The
/// mPython board needs 1 to 3 s.
const BOOT_TIME: Duration = Duration::from_secs(4);

/// How long to wait for the prompt after the last boot message of a board that boots when the port is opened: a Ctrl-C
/// during `_boot.py` leaves the board without its file system (recorded on mPython 1.0.1).
const BOOT_QUIET: Duration = Duration::from_millis(2500);

/// The ROM's log comes within 0.1 s after a reset. A log that comes later than this after opening the port has another
/// cause: the user pressed RESET because of a program that does not react.
const OPENED: Duration = Duration::from_millis(600);

/// The timeout for creating the file system without output; the recorded boards need less than a second.
const SET_UP: Duration = Duration::from_secs(5);

/// The first boot of a newly flashed board prints this while it creates its file system.
const SETTING_UP: &[u8] = b"Performing initial setup";

/// The groups of Ctrl-C in a burst, and the pause after each: within a group they arrive 90 us apart at 115,200 baud.
const GROUPS: [(usize, Duration); 5] = {
    let (short, long) = (Duration::from_millis(1), Duration::from_millis(3));
    [(64, short), (4, short), (4, long), (4, short), (4, long)]
};

/// How many single Ctrl-C to send before the groups. A handler that prints ends at once if the next Ctrl-C arrives
/// while it prints, soon after the previous one. No interval suits all boards, so each one differs.
const SINGLES: usize = 32;

/// The interval between two Ctrl-C during a boot: on some boards `import mpython` is the only time when they work.
const BOOT_GAP: Duration = Duration::from_millis(5);

/// How much output to keep for the diagnosis.
const KEPT: usize = 8192;

/// The timeout for a soft reset: it takes 0.15 s on mPython 1.x to 1.2 s on generic 1.26 (recorded), plus the board's
/// `boot.py`.
const SOFT_RESET: Duration = Duration::from_secs(4);

/// How often to ask the board for the proof that it is in its raw REPL.
const QUESTIONS: u32 = 3;

/// How much of the latest output may report a fault: a crash's registers and the ROM's log after them.
const RECENT: usize = 2048;

/// A thread that pauses for longer than this between two prints leaves time for a reply.
const THREAD_PAUSE: Duration = Duration::from_millis(100);

/// A port counts as an echo after it has sent back at least this many bytes.
const ECHOED: usize = 12;

/// The state in which udpcli found the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entered {
    /// A running program was stopped.
    pub stopped_program: bool,
    /// The board had to be reset.
    pub reset: bool,
    /// The program did not react to Ctrl-C, and the user pressed RESET when udpcli asked for it.
    pub(crate) reset_by_hand: bool,
    /// The interpreter restarted, by a soft reset or a reset of the board, so its memory is empty.
    pub(crate) started_anew: bool,
    /// The board reached a new prompt meanwhile: it booted, or its `main.py` ended, which may catch Ctrl-C without
    /// printing anything.
    pub(crate) new_prompt: bool,
}

/// Every recorded firmware prints this before its first prompt, and after `main.py`.
const WELCOME: &[u8] = b"Type \"help()\" for more information.";

/// Enters the raw REPL within the timeout of the address.
///
/// # Errors
/// The board cannot be reached: silence, download mode, noise, or a program that does not react to Ctrl-C.
pub(crate) fn raw_repl(link: &mut Link) -> Result<Entered, Error> {
    attempt(link, link.address().timeout, None)
}

/// Like [`raw_repl`], within `timeout`.
///
/// # Errors
/// As for [`raw_repl`].
pub(crate) fn raw_repl_within(link: &mut Link, timeout: Duration) -> Result<Entered, Error> {
    attempt(link, timeout, None)
}

/// Like [`raw_repl_within`], but starts with the second step, for a program that catches Ctrl-C.
///
/// # Errors
/// As for [`raw_repl`].
pub(crate) fn raw_repl_from_stubborn(link: &mut Link, timeout: Duration) -> Result<Entered, Error> {
    link.end_fast();
    let mut attempt = EntryAttempt::new(timeout, None);
    attempt.start = attempt
        .start
        .checked_sub(BURSTS_AFTER)
        .unwrap_or(attempt.start);
    attempt.up(link)
}

/// Like [`raw_repl`], for a port that may have any device: gives up after 1.3 s and resets nothing, but waits for a
/// board that is booting.
///
/// # Errors
/// As for [`raw_repl`].
pub(crate) fn raw_repl_without_reset(link: &mut Link) -> Result<Entered, Error> {
    attempt(link, link.address().timeout, Some(PATIENCE))
}

fn attempt(
    link: &mut Link,
    timeout: Duration,
    patience: Option<Duration>,
) -> Result<Entered, Error> {
    // The board itself ends our program for the fast line, and is at the old rate from now on.
    link.end_fast();
    let mut attempt = EntryAttempt::new(timeout, patience);
    let result = attempt.up(link);
    tracing::trace!(
        "entering took {:?}: {}",
        attempt.began.elapsed(),
        escape::excerpt(&attempt.heard)
    );
    result
}

/// One attempt, through all steps.
struct EntryAttempt {
    began: Instant,
    /// When the first step began; after a boot, when the boot ended.
    start: Instant,
    deadline: Instant,
    /// How long to try a board that is not booting, less than [`RESET_AFTER`]; `None` means until the deadline.
    patience: Option<Duration>,
    /// The board's latest output.
    heard: Vec<u8>,
    heard_in_all: usize,
    last_heard: Instant,
    /// The value of `heard_in_all` when the last burst began.
    heard_by_burst: usize,
    /// The value of `heard_in_all` when the last Ctrl-A was sent.
    heard_by_ctrl_a: usize,
    /// Whether the output contains text that only `MicroPython` prints.
    is_micropython: bool,
    /// Whether all received bytes equal the sent ones.
    is_echo: bool,
    /// Whether a Ctrl-C was sent during a boot.
    has_hit_boot: bool,
    /// Whether to ask through the module `sys`, because the program may have replaced `print`.
    asks_by_sys: bool,
    last_boot_mark: Option<Instant>,
    /// Whether a boot began some time after the port was opened.
    was_reset_by_hand: bool,
    /// The last interval between two single Ctrl-C, as a fraction of the longest.
    gap: f64,
    entered: Entered,
    /// Whether the port has no control lines.
    no_lines: bool,
    has_knocked_fast: bool,
}

impl EntryAttempt {
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
            has_knocked_fast: false,
        }
    }

    fn up(&mut self, link: &mut Link) -> Result<Entered, Error> {
        loop {
            match self.try_up(link) {
                // Somebody pressed RESET, or the program restarted the board: its own USB port left the bus, and is back.
                Err(Error::Gone { .. }) if link.has_returned()? => self.note_boot(),
                result => return result,
            }
        }
    }

    /// The board begins to boot, although udpcli did not reset it.
    fn note_boot(&mut self) {
        // Opening the port would have reset the board earlier: a boot after the first step means that the user pressed
        // RESET.
        self.was_reset_by_hand |= self.began.elapsed() > BURSTS_AFTER;
        self.last_boot_mark = Some(Instant::now());
        self.entered.started_anew = true;
    }

    fn try_up(&mut self, link: &mut Link) -> Result<Entered, Error> {
        loop {
            let booting = self.is_booting();
            let elapsed = self.start.elapsed();
            if !booting && self.patience.is_some_and(|patience| elapsed > patience) {
                return Err(self.failure(link));
            }
            let found = if booting && (self.is_setting_up() || !self.interrupts_boot()) {
                link.set_booting(true);
                self.listen(link, Duration::from_millis(10))?;
                link.set_booting(false);
                None
            } else if booting {
                self.through_boot(link)?
            } else if elapsed < BURSTS_AFTER {
                if elapsed > KNOCK_WAIT {
                    self.knock_fast(link);
                }
                link.send(b"\x03\x03")?;
                self.ctrl_a(link, KNOCK_WAIT)?
            } else if elapsed < RESET_AFTER || self.no_lines {
                self.burst(link)?
            } else {
                // Reset a second time if the first boot ended without a moment in which it accepted Ctrl-C.
                self.reset(link);
                None
            };
            let proof = match found {
                Some(RawPrompt::Quiet) => self.verify(link)?,
                // Not at once: interrupt a program that prints the banner itself first.
                Some(RawPrompt::Noisy) if elapsed > BURSTS_AFTER => self.verify(link)?,
                Some(RawPrompt::Noisy) | None => Proof::None,
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
            let is_hopeless = boot_output::repeated_fault(&self.heard).is_some()
                || (self.no_lines && boot_output::has(&self.heard, &DOWNLOAD_MARKS));
            if is_hopeless {
                return Err(self.failure(link));
            }
            if Instant::now() >= self.deadline {
                return Err(self.failure(link));
            }
        }
    }

    /// Ends our program on a board whose PC went away while the line was fast.
    fn knock_fast(&mut self, link: &mut Link) {
        if self.has_knocked_fast || !link.can_change_rate() || self.hears_text() {
            return;
        }
        self.has_knocked_fast = true;
        let given = match link.address().line_rate {
            LineRate::At(rate) => Some(rate),
            _ => None,
        };
        for rate in given.into_iter().chain(FAST_RATES) {
            if rate != link.rate() {
                link.interrupt_at(rate);
            }
            link.set_old_rate();
        }
    }

    /// Whether the board has printed something readable, so that its rate is right.
    fn hears_text(&self) -> bool {
        let readable = |byte: &&u8| matches!(byte, b'\r' | b'\n' | b' '..=b'~');
        let count = self.heard.iter().filter(readable).count();
        count > 8 && count * 10 > self.heard.len() * 9
    }

    /// The board is in its raw REPL: the state in which udpcli found it.
    fn entered(&mut self) -> Entered {
        self.entered.stopped_program |= memmem::find(&self.heard, b"KeyboardInterrupt").is_some();
        self.entered.new_prompt |= memmem::find(&self.heard, WELCOME).is_some();
        self.entered.reset_by_hand = self.no_lines && self.was_reset_by_hand;
        self.entered
    }

    /// Sends Ctrl-A and waits for the raw REPL's banner.
    fn ctrl_a(&mut self, link: &mut Link, time: Duration) -> Result<Option<RawPrompt>, Error> {
        self.heard_by_ctrl_a = self.heard_in_all;
        link.take_nudges();
        link.send(b"\x01")?;
        self.banner(link, time)
    }

    /// Ends the threads that print between the replies: a soft reset ends every thread. True if the board then replies
    /// cleanly.
    fn end_threads(&mut self, link: &mut Link) -> Result<bool, Error> {
        tracing::info!(say = "board.thread-prints", port = link.name());
        link.send(b"\x03")?;
        self.listen(link, Duration::from_millis(20))?;
        self.entered.stopped_program = true;
        self.soft_reset(link)
    }

    /// Soft-resets from the raw REPL, which stays active. True if the board then replies cleanly.
    fn soft_reset(&mut self, link: &mut Link) -> Result<bool, Error> {
        link.send(b"\x04")?;
        link.set_resetting(true);
        let result = self.await_soft_reset(link);
        link.set_resetting(false);
        Ok(result? == Some(RawPrompt::Quiet) && self.verify(link)? == Proof::Clean)
    }

    fn await_soft_reset(&mut self, link: &mut Link) -> Result<Option<RawPrompt>, Error> {
        let until = (Instant::now() + SOFT_RESET).min(self.deadline);
        self.heard.clear();
        while !boot_output::has(&self.heard, &[boot_output::SOFT_REBOOT]) {
            if !link.fill(until)? {
                return Ok(None);
            }
            self.note(link);
        }
        let left = until.saturating_duration_since(Instant::now());
        self.heard_by_ctrl_a = self.heard_in_all;
        self.has_hit_boot = false;
        self.entered.started_anew = true;
        self.banner(link, left)
    }

    /// Sends Ctrl-C at intervals so short that a handler is interrupted too.
    fn burst(&mut self, link: &mut Link) -> Result<Option<RawPrompt>, Error> {
        let heard = self.heard_in_all;
        let is_quiet = std::mem::replace(&mut self.heard_by_burst, heard) == heard;
        if is_quiet && self.start.elapsed() > DENSE_AFTER {
            // Stop after the first output: if more bytes than the receive buffer holds precede the Ctrl-A, it is lost.
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

    /// Sends single Ctrl-C at varying intervals up to `most`, and collects the output.
    fn singles(&mut self, link: &mut Link, most: Duration) -> Result<(), Error> {
        for _ in 0..SINGLES {
            link.send(b"\x03")?;
            // The golden ratio spreads the intervals evenly without repeating one.
            self.gap = (self.gap + 0.618_034).fract();
            // Sleep instead of waiting for bytes: such waits end on time only on a cable under Linux, on a socket 4 to
            // 8 ms late.
            std::thread::sleep(most.mul_f64(self.gap));
        }
        self.listen(link, Duration::from_millis(1))
    }

    /// Whether the board boots. At the end of a boot, the first step begins.
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

    /// Whether to send Ctrl-C during a boot: the program after it did not react to Ctrl-C, or the board restarts
    /// repeatedly.
    fn interrupts_boot(&self) -> bool {
        self.entered.reset
            || self.no_lines
            || self.was_reset_by_hand
            || memmem::find_iter(&self.heard, b"rst:0x").nth(1).is_some()
    }

    /// Whether a newly flashed board creates its file system.
    fn is_setting_up(&self) -> bool {
        // A program may print this text too: after a period of silence, the board is not creating a file system.
        self.last_heard.elapsed() < SET_UP
            && memmem::rfind(&self.heard, SETTING_UP).is_some_and(|at| {
                memmem::find(self.heard.get(at..).unwrap_or_default(), b">>> ").is_none()
            })
    }

    /// Sends a Ctrl-C every 5 ms and sometimes a Ctrl-A while the board boots.
    fn through_boot(&mut self, link: &mut Link) -> Result<Option<RawPrompt>, Error> {
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
                if !boot_output::has(&self.heard, &DOWNLOAD_MARKS) {
                    tracing::info!(say = "board.no-prompt-press", port = link.name());
                }
            }
        }
    }

    /// Collects output for `time`.
    fn listen(&mut self, link: &mut Link, time: Duration) -> Result<(), Error> {
        let until = (Instant::now() + time).min(self.deadline);
        while link.fill(until)? {
            self.note(link);
        }
        Ok(())
    }

    /// Collects output until the banner, for at most `time`.
    fn banner(&mut self, link: &mut Link, time: Duration) -> Result<Option<RawPrompt>, Error> {
        let until = (Instant::now() + time).min(self.deadline);
        loop {
            if self.heard.ends_with(BANNER) {
                return Ok(Some(RawPrompt::Quiet));
            }
            if !link.fill(until)? {
                let answer = self.heard_in_all - self.heard_by_ctrl_a;
                let since = self.heard.len().saturating_sub(answer);
                let heard = self.heard.get(since..).unwrap_or_default();
                return Ok(memmem::find(heard, BANNER_TEXT).map(|_| RawPrompt::Noisy));
            }
            self.note(link);
        }
    }

    /// Appends the received bytes to the output.
    fn note(&mut self, link: &mut Link) {
        let came = link.take(usize::MAX);
        self.heard_in_all += came.len();
        self.last_heard = Instant::now();
        self.is_echo &= came.iter().all(|byte| matches!(byte, 1 | 3));
        self.heard.extend_from_slice(&came);
        // A mark may arrive in two chunks.
        let recent = self.heard.len().saturating_sub(came.len() + 16);
        let tail = self.heard.get(recent..).unwrap_or_default();
        if boot_output::has(tail, &BOOT_MARKS) {
            self.was_reset_by_hand |=
                self.last_boot_mark.is_none() && self.began.elapsed() > OPENED;
            self.last_boot_mark = Some(Instant::now());
        }
        self.is_micropython |= boot_output::has(tail, &MICROPYTHON_MARKS);
        let surplus = self.heard.len().saturating_sub(KEPT);
        self.heard.drain(..surplus);
    }

    /// Makes the board run a line and return a number that only a running board can know. Repeats the question if a bad
    /// line, or a Ctrl-C that arrived late, damaged the reply.
    fn verify(&mut self, link: &mut Link) -> Result<Proof, Error> {
        for _ in 0..QUESTIONS {
            if let Some(proof) = self.ask(link)? {
                return Ok(proof);
            }
        }
        Ok(Proof::None)
    }

    /// Asks once; `None` if the reply was damaged.
    fn ask(&mut self, link: &mut Link) -> Result<Option<Proof>, Error> {
        let question = Challenge::new(self.asks_by_sys);
        self.asks_by_sys = !self.asks_by_sys;
        link.send(&question.code)?;
        let time = Duration::from_millis(500) + link.line_time(question.code.len());
        let until = (Instant::now() + time).min(self.deadline);
        let answered = link.until_nudging(&question.answer, until)?.is_some();
        let is_noisy = memmem::find(link.pending(), &question.token).is_some();
        if answered {
            return Ok(Some(Proof::Clean));
        }
        self.note(link);
        if !is_noisy {
            return Ok(Some(Proof::None));
        }
        if self.has_hit_boot {
            // A late Ctrl-C hit the reply; a soft reset follows in any case.
            return Ok(Some(Proof::Noisy));
        }
        // After a reply that a bad line damaged there is silence; a thread keeps printing.
        let heard = self.heard_in_all;
        self.listen(link, THREAD_PAUSE)?;
        Ok((self.heard_in_all > heard).then_some(Proof::Noisy))
    }

    /// The error that the output explains best.
    fn failure(&self, link: &mut Link) -> Error {
        let port = link.name().to_owned();
        let waited = self.began.elapsed();
        if boot_output::has(&self.heard, &DOWNLOAD_MARKS)
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
                native: link.is_native(),
            };
        }
        if self.is_echo && self.heard_in_all >= ECHOED {
            return Error::Echo { port };
        }
        // Output after a fault is the better evidence, because the board continued.
        let recent = self.heard.len().saturating_sub(RECENT);
        let tail = self.heard.get(recent..).unwrap_or_default();
        let fault =
            boot_output::repeated_fault(&self.heard).or_else(|| boot_output::last_fault(tail));
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
                baud: (!link.is_native()).then(|| link.address().baud),
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

/// What follows the raw REPL's banner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RawPrompt {
    /// Nothing.
    Quiet,
    /// Other output.
    Noisy,
}

/// The board's reply to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// The correct reply.
    Clean,
    /// The correct reply with other output in between.
    Noisy,
    /// No correct reply.
    None,
}

fn source_of(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(String::new, ToString::to_string)
}

/// A line for the board, and the expected reply.
struct Challenge {
    code: Vec<u8>,
    /// A number in two halves, so that an echo of the line is not a valid reply.
    token: Vec<u8>,
    answer: Vec<u8>,
}

impl Challenge {
    /// A new question for each run. `print` needs no module, and a file on the board can hide a module. `sys` is for a
    /// program that has replaced `print`. Firmware 1.17 and 1.19 have `usys` and no `sys` of their own.
    fn new(by_sys: bool) -> Self {
        // The clock's nanoseconds differ from those of earlier runs; they need not be unpredictable.
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
    // The first SYNC tells the loader our baud rate; it may answer only the next one.
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
    fn an_echo_of_the_question_is_not_a_reply() {
        for by_sys in [false, true] {
            let question = Challenge::new(by_sys);
            assert!(memmem::find(&question.code, &question.token).is_none());
            assert!(memmem::find(&question.answer, &question.token).is_some());
        }
    }
}
