//! The raw REPL: runs code and returns its output and its exception.
//!
//! Code is sent in raw-paste mode if the firmware has it (MicroPython 1.14 and later), with flow control, or as plain
//! bytes, which every firmware accepts and which is faster. The reply is `OK`, the output of the code, 0x04, the
//! traceback if there is one, 0x04, `>`.
//!
//! Long because one type holds the raw REPL's state, and all of its operations change it.

pub(crate) mod fast;
mod held;
pub mod output;
mod submit;

use std::time::{Duration, Instant};

use crate::board::boot_output::{self, BoardFault};
use crate::board::enter::{self, BANNER, Entered};
use crate::board::error::Error;
use crate::board::link::{Address, Link, Nudging, OWN_PAUSE};
use crate::board::operation::Doing;
use crate::board::port::TICK;
use crate::shutdown::Shutdown;
use crate::text::escape;
use fast::FastLine;
pub(crate) use fast::ToGo;
pub(crate) use held::HeldRepl;
use output::{OutputEnd, RestartWatch, split_output};

/// The length limit of a reply: our own code never prints more.
const MAX_ANSWER: usize = 1 << 20;

/// The extra time for a board beyond the time on the line: a garbage collection, a slow flash.
const SLACK: Duration = Duration::from_secs(2);

/// How long to buffer a possible partial end marker. Before this, a slow network may delay the rest; after it, the
/// bytes were the program's own output.
const HELD_BACK: Duration = Duration::from_secs(2);

/// How long to wait for a soft reset before entering the raw REPL again: 0.15 to 1.2 s in the recordings of mPython 1.0
/// to generic 1.26, plus the board's `boot.py`, which may join a Wi-Fi.
const SOFT_RESET: Duration = Duration::from_secs(6);

/// The longest soft reset on an idle PC without a `boot.py` of the user: 1.2 s on generic 1.26.
const LONGEST_RESET: Duration = Duration::from_secs(2);

/// How long to wait for a banner that a nudge has asked for.
const SETTLE: Duration = Duration::from_millis(300);

/// The longest pause within a reply, a garbage collection included.
const PAUSE: Duration = Duration::from_secs(1);

/// How long after Ctrl-C to wait for a reply that is on its way, before code that takes long is interrupted.
const REPLIES_SOON: Duration = Duration::from_millis(150);

/// How to send code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitMode {
    /// As plain bytes, as fast as the line carries them.
    Plain,
    /// In raw-paste mode, if the firmware has it.
    Paced,
}

/// How the reply to code arrives.
#[derive(Debug, Clone, Copy)]
struct ReplyKind {
    /// With pauses: a reply that stops before its end is not damaged.
    pauses: bool,
    /// Whether Ctrl-C may interrupt the code.
    is_stoppable: bool,
}

impl Default for ReplyKind {
    fn default() -> Self {
        Self {
            pauses: true,
            is_stoppable: false,
        }
    }
}

/// What is known about the firmware's raw-paste mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paste {
    /// Nobody has asked yet.
    Unknown,
    /// The board answered `R\x01`.
    Yes,
    /// The board has no raw paste mode, or has switched it off.
    No,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The program reached its end.
    Done,
    /// The program raised an exception; holds the board's text.
    Exception(String),
    /// The program requested a soft reset (`machine.soft_reset()`; on newer firmware also `sys.exit()`).
    Exited,
    /// The board restarted.
    Restarted,
    /// The output handler detached; the program may still run.
    Detached,
}

/// Receives the output of a running program.
pub trait OutputHandler {
    /// Handles the program's output.
    ///
    /// # Errors
    /// An error ends the run.
    fn output(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Called at least every 20 ms; returns what to do.
    ///
    /// # Errors
    /// An error ends the run.
    fn tick(&mut self) -> Result<FollowAction, Error> {
        Ok(FollowAction::Continue)
    }

    /// Called at least every 20 ms; returns what to send to the program.
    fn input(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// How long the output may pause before udpcli asks for what the computer may hold back (`Link::nudge`); `None` if
    /// the program must not get a byte that is not from the user.
    fn nudge_after(&self) -> Option<Duration> {
        Some(OWN_PAUSE)
    }
}

/// The first output after code was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ack {
    /// The code's acknowledgement, or damaged text in its place: the code runs.
    Yes,
    /// The last line of an exception: the code did not run.
    Exception(String),
}

/// What to do with a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowAction {
    /// Continue to receive its output.
    Continue,
    /// Interrupt it, like Ctrl-C.
    Interrupt,
    /// Stop receiving and leave it running.
    Detach,
}

/// A board in its raw REPL. On drop, it returns to its ordinary prompt.
#[derive(Debug)]
pub struct Repl {
    /// The line, which this type owns.
    link: Link,
    /// Whether to ask for raw-paste mode.
    paste: Paste,
    /// The state in which the board was found.
    entered: Entered,
    /// How often entering again restarted the interpreter.
    new_starts: u32,
    /// The fault in the board's log when it restarted while code ran.
    fault: Option<(BoardFault, String)>,
    /// Whether to leave the board as it is on drop: its program keeps running, or the line has failed.
    detached: bool,
    /// Where the board waits for the next command after [`Self::close`].
    held: Option<HeldRepl>,
    fast: FastLine,
}

impl Repl {
    /// Opens the line and enters the raw REPL.
    ///
    /// # Errors
    /// The line cannot be opened, or the board does not enter the raw REPL.
    pub fn open(address: &Address, shutdown: Shutdown) -> Result<Self, Error> {
        Self::enter(Link::open(address, shutdown)?)
    }

    /// Enters the raw REPL on an open line.
    ///
    /// # Errors
    /// The board does not enter the raw REPL.
    pub fn enter(link: Link) -> Result<Self, Error> {
        Self::enter_by(enter::raw_repl, link)
    }

    /// Enters the raw REPL on an open line that may have any device, see [`enter::raw_repl_without_reset`].
    ///
    /// # Errors
    /// The board does not enter the raw REPL.
    pub(crate) fn enter_without_reset(link: Link) -> Result<Self, Error> {
        Self::enter_by(enter::raw_repl_without_reset, link)
    }

    fn enter_by(
        way: impl FnOnce(&mut Link) -> Result<Entered, Error>,
        mut link: Link,
    ) -> Result<Self, Error> {
        let entered = match way(&mut link) {
            Ok(entered) => entered,
            Err(error) => {
                // The Ctrl-C would interrupt `_boot.py` on a board that boots.
                if matches!(error, Error::Interrupted) && !link.is_booting() {
                    // The board may already be in its raw REPL.
                    leave(&mut link);
                }
                return Err(error);
            }
        };
        Ok(Self {
            link,
            paste: Paste::Unknown,
            entered,
            new_starts: 0,
            fault: None,
            detached: false,
            held: None,
            fast: FastLine::default(),
        })
    }

    /// The state in which udpcli found the board.
    #[must_use]
    pub fn entered(&self) -> Entered {
        self.entered
    }

    /// The serial line.
    pub fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// Enters again after a missing reply; keeps our names on the board.
    ///
    /// # Errors
    /// The board does not enter the raw REPL.
    pub(crate) fn reenter(&mut self) -> Result<(), Error> {
        self.reenter_within(self.link.address().timeout)
    }

    /// Like [`Self::reenter`], with a timeout.
    ///
    /// # Errors
    /// The board does not enter the raw REPL.
    pub(crate) fn reenter_within(&mut self, limit: Duration) -> Result<(), Error> {
        self.link.forget();
        let entered = enter::raw_repl_within(&mut self.link, limit)?;
        self.note(entered);
        Ok(())
    }

    /// Like [`Self::reenter_within`], for a program that catches Ctrl-C.
    ///
    /// # Errors
    /// The board does not enter the raw REPL.
    pub(crate) fn stop_stubborn(&mut self, limit: Duration) -> Result<(), Error> {
        self.link.forget();
        let entered = enter::raw_repl_from_stubborn(&mut self.link, limit)?;
        self.note(entered);
        Ok(())
    }

    fn note(&mut self, again: Entered) {
        self.entered.reset |= again.reset;
        self.new_starts += u32::from(again.started_anew);
    }

    /// How often entering again has restarted the interpreter, which empties its memory.
    pub(crate) fn new_starts(&self) -> u32 {
        self.new_starts
    }

    /// Runs our code and returns its output.
    ///
    /// `limit` is for the board's own work; the time on the line is added.
    ///
    /// # Errors
    /// [`Error::Refused`] with the last line of the traceback; [`Error::NoAnswer`] after the timeout.
    pub fn exec(
        &mut self,
        doing: impl Into<Doing>,
        code: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        self.exec_by(SubmitMode::Plain, doing, code, limit)
    }

    /// Like [`Self::exec`], with a mode of sending.
    ///
    /// # Errors
    /// As for [`Self::exec`].
    pub(crate) fn exec_by(
        &mut self,
        way: SubmitMode,
        doing: impl Into<Doing>,
        code: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        self.exec_within(way, &doing.into(), code, limit, ReplyKind::default())
    }

    /// Like [`Self::exec_by`], for code that may take long: after Ctrl-C, udpcli interrupts it unless its reply comes soon.
    /// `pauses` says that the reply may arrive with pauses.
    ///
    /// # Errors
    /// As for [`Self::exec`]; [`Error::Interrupted`].
    pub(crate) fn exec_stoppable(
        &mut self,
        way: SubmitMode,
        doing: impl Into<Doing>,
        code: &[u8],
        limit: Duration,
        pauses: bool,
    ) -> Result<Vec<u8>, Error> {
        let kind = ReplyKind {
            pauses,
            is_stoppable: true,
        };
        self.exec_within(way, &doing.into(), code, limit, kind)
    }

    /// Like [`Self::exec_by`], for code that replies without pauses: a reply that stops before its end was damaged, and
    /// udpcli does not wait for it.
    ///
    /// # Errors
    /// As for [`Self::exec`].
    pub(crate) fn exec_short(
        &mut self,
        way: SubmitMode,
        doing: impl Into<Doing>,
        code: &[u8],
        limit: Duration,
    ) -> Result<Vec<u8>, Error> {
        let kind = ReplyKind {
            pauses: false,
            is_stoppable: false,
        };
        self.exec_within(way, &doing.into(), code, limit, kind)
    }

    fn exec_within(
        &mut self,
        way: SubmitMode,
        doing: &Doing,
        code: &[u8],
        limit: Duration,
        kind: ReplyKind,
    ) -> Result<Vec<u8>, Error> {
        struct Kept<'a> {
            answer: Vec<u8>,
            pauses: bool,
            last: Option<Instant>,
            doing: &'a Doing,
            deadline: Instant,
            port: String,
            /// Whether Ctrl-C stops the code.
            stop: Option<Shutdown>,
            is_stopped: bool,
            is_fast: bool,
        }
        impl OutputHandler for Kept<'_> {
            fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
                self.answer.extend_from_slice(bytes);
                self.last = Some(Instant::now());
                // A board in a loop must not fill this PC's memory.
                if self.answer.len() > MAX_ANSWER {
                    return Err(Error::Answer {
                        doing: self.doing.clone(),
                        said: escape::excerpt(&self.answer),
                    });
                }
                Ok(())
            }
            fn tick(&mut self) -> Result<FollowAction, Error> {
                let is_silent = self.last.is_some_and(|last| last.elapsed() > PAUSE);
                if (is_silent && !self.pauses) || Instant::now() > self.deadline {
                    return Err(Error::NoAnswer {
                        port: self.port.clone(),
                        doing: self.doing.clone(),
                    });
                }
                let asked = self.stop.as_ref().and_then(Shutdown::asked_at);
                if !self.is_stopped && asked.is_some_and(|asked| asked.elapsed() > REPLIES_SOON) {
                    self.is_stopped = true;
                    if self.is_fast {
                        // A Ctrl-C ends the fast line too, and then there is no reply.
                        return Err(Error::Interrupted);
                    }
                    return Ok(FollowAction::Interrupt);
                }
                Ok(FollowAction::Continue)
            }
        }
        match self.submit(way, doing, code) {
            // As in `follow_to_end`: a reset takes a chip's own USB port off the bus.
            Err(Error::Gone { .. }) if self.link.has_returned()? => {
                return Err(self.restarted(doing));
            }
            submitted => submitted?,
        }
        let mut kept = Kept {
            answer: Vec::new(),
            pauses: kind.pauses,
            last: None,
            doing,
            deadline: Instant::now() + limit,
            port: self.link.name().to_owned(),
            // Not during the clean-up.
            stop: (kind.is_stoppable && self.link.heeds_shutdown()).then(|| self.link.shutdown()),
            is_stopped: false,
            is_fast: self.link.is_fast(),
        };
        match self.follow(&mut kept)? {
            Exit::Done => Ok(kept.answer),
            Exit::Exception(_) if kept.is_stopped => Err(Error::Interrupted),
            // Only the last line: the traceback names lines of our own code, which mean nothing to the user.
            Exit::Exception(text) => Err(Error::Refused {
                doing: doing.clone(),
                exception: last_line(&text),
            }),
            Exit::Restarted | Exit::Exited | Exit::Detached => Err(self.restarted(doing)),
        }
    }

    /// The error for a board that restarted, with the cause from its log.
    #[must_use]
    pub fn restarted(&self, doing: impl Into<Doing>) -> Error {
        let doing = doing.into();
        match &self.fault {
            Some((fault, said)) => Error::Fault {
                port: self.link.name().to_owned(),
                fault: *fault,
                doing: Some(doing),
                said: said.clone(),
            },
            None => Error::Restarted { doing },
        }
    }

    /// Waits for the acknowledgement that code prints first. A damaged one counts too, because the code that prints it
    /// was verified.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] if nothing arrives within the timeout.
    pub(crate) fn acknowledged(&mut self, ack: &[u8], deadline: Instant) -> Result<Ack, Error> {
        /// An exception arrives completely within [`PAUSE`] of its beginning, or it was damaged.
        struct UntilPause {
            deadline: Instant,
            port: String,
        }
        impl OutputHandler for UntilPause {
            fn output(&mut self, _: &[u8]) -> Result<(), Error> {
                Ok(())
            }
            fn tick(&mut self) -> Result<FollowAction, Error> {
                if Instant::now() <= self.deadline {
                    return Ok(FollowAction::Continue);
                }
                Err(Error::NoAnswer {
                    port: self.port.clone(),
                    doing: Doing::StartingProgram,
                })
            }
        }
        while !self.link.pending().starts_with(b"\x04") && self.link.pending().len() < ack.len() {
            if !self.link.fill(deadline)? {
                return Err(self.no_answer(&Doing::StartingProgram));
            }
        }
        if !self.link.pending().starts_with(b"\x04") {
            // As many bytes as expected, whatever they are, so that damage in the acknowledgement does not become the
            // program's output.
            self.link.take(ack.len());
            return Ok(Ack::Yes);
        }
        let mut until_pause = UntilPause {
            deadline: Instant::now() + PAUSE.max(Duration::from_secs(1)),
            port: self.link.name().to_owned(),
        };
        match self.follow(&mut until_pause)? {
            Exit::Exception(text) => Ok(Ack::Exception(last_line(&text))),
            _ => Err(self.restarted(Doing::StartingProgram)),
        }
    }

    /// Follows a running program to its end.
    ///
    /// # Errors
    /// The line has failed, or the output handler returned an error.
    pub fn follow(&mut self, follower: &mut dyn OutputHandler) -> Result<Exit, Error> {
        // Ctrl-C belongs to the program that runs: the output handler decides what to do with it.
        let heeded = self.link.heed_shutdown(false);
        let result = self.follow_to_end(follower);
        self.link.heed_shutdown(heeded);
        result
    }

    fn follow_to_end(&mut self, follower: &mut dyn OutputHandler) -> Result<Exit, Error> {
        let mut restart = RestartWatch::default();
        let mut nudging = follower
            .nudge_after()
            .map(|pause| Nudging::of(&self.link, pause));
        // How many pending bytes were already passed on; they may still be the beginning of the end marker.
        let mut shown = 0;
        loop {
            let (output, end) = split_output(self.link.pending());
            if output > 0 {
                let bytes = self.link.take(output);
                restart.note(&bytes);
                if let Some(fresh) = bytes.get(shown..).filter(|fresh| !fresh.is_empty()) {
                    follower.output(fresh)?;
                }
                shown = shown.saturating_sub(output);
            }
            match end {
                OutputEnd::None | OutputEnd::Unclear => {}
                OutputEnd::Found { len, ended } => {
                    self.link.take(len);
                    return Ok(ended);
                }
                OutputEnd::Exiting => return self.after_exit(),
            }
            // Bytes that may be the end marker wait for their rest, but not for longer than a slow network delays it:
            // a program may print 0x04 and pause.
            let is_held = self.link.pending().len() > shown;
            let until = Instant::now() + if is_held { HELD_BACK } else { TICK };
            let mut came = false;
            while !came && Instant::now() < until {
                if let Some(bytes) = follower.input() {
                    self.link.send(&bytes)?;
                }
                came = match self.link.fill((Instant::now() + TICK).min(until)) {
                    // `machine.reset()` takes a chip's own USB port off the bus; that is the program's end and no
                    // pulled cable.
                    Err(Error::Gone { .. }) if self.link.has_returned()? => {
                        return Ok(Exit::Restarted);
                    }
                    came => came?,
                };
                match (&mut nudging, came) {
                    (Some(nudging), true) => nudging.heard(),
                    (Some(nudging), false) => nudging.nudge_if_due(&mut self.link)?,
                    (None, _) => {}
                }
                match follower.tick()? {
                    FollowAction::Continue => {}
                    FollowAction::Interrupt => self.link.send(b"\x03")?,
                    FollowAction::Detach => return Ok(Exit::Detached),
                }
            }
            if is_held && !came {
                let held = self.link.pending().get(shown..).unwrap_or_default();
                follower.output(held)?;
                shown = self.link.pending().len();
            }
            // Only in silence: a program that prints a boot log goes on printing.
            if !came && restart.is_sure() {
                self.fault = restart.fault();
                return Ok(Exit::Restarted);
            }
        }
    }

    /// The program requested a soft reset: the board returns to its raw REPL by itself.
    fn after_exit(&mut self) -> Result<Exit, Error> {
        self.await_banner()?;
        Ok(Exit::Exited)
    }

    /// Soft-resets the board: the interpreter restarts and runs `boot.py`, but not `main.py`. The raw REPL stays
    /// active.
    ///
    /// # Errors
    /// The board does not come back.
    pub fn soft_reset(&mut self) -> Result<(), Error> {
        // An old banner would look like the end of the reset.
        self.settle()?;
        self.link.forget();
        self.link.send(b"\x04")?;
        self.await_banner()
    }

    /// Discards the banners with which the board answers earlier nudges.
    fn settle(&mut self) -> Result<(), Error> {
        for _ in 0..self.link.take_nudges() {
            if self.link.until(BANNER, Instant::now() + SETTLE)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Waits for the raw REPL after a soft reset; enters it again if its banner does not arrive. After Ctrl-C it waits for
    /// the end of the reset first.
    fn await_banner(&mut self) -> Result<(), Error> {
        self.link.set_resetting(true);
        let result = self.banner_or_reenter();
        self.link.set_resetting(false);
        result
    }

    fn banner_or_reenter(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        let banner = self.link.until_nudging(BANNER, start + LONGEST_RESET)?;
        if banner.is_some() {
            return Ok(());
        }
        tracing::info!(
            say = "board.boot-takes-time",
            seconds = SOFT_RESET.as_secs()
        );
        match self.link.until_nudging(BANNER, start + SOFT_RESET)? {
            Some(_) => Ok(()),
            None => {
                self.link.set_resetting(false);
                self.reenter()
            }
        }
    }

    /// Soft-resets from the ordinary prompt: the board runs `boot.py` and `main.py`, and udpcli leaves it running.
    ///
    /// # Errors
    /// The board does not reset.
    pub fn soft_reset_to_prompt(mut self) -> Result<(), Error> {
        // Ctrl-B first: in the raw REPL a soft reset would not run `main.py`.
        self.link.send(b"\x02\x04")?;
        let deadline = Instant::now() + Duration::from_secs(3);
        match self.link.until(boot_output::SOFT_REBOOT, deadline)? {
            Some(_) => {
                self.detach();
                Ok(())
            }
            None => Err(self.no_answer(&Doing::SoftReset)),
        }
    }

    /// Returns the board to its ordinary prompt, or keeps it for the next command ([`HeldRepl`]).
    ///
    /// # Errors
    /// The line has failed.
    pub fn close(mut self) -> Result<(), Error> {
        // The line is gone, and each write would wait for its timeout.
        if self.link.is_lost() {
            self.detached = true;
            return Ok(());
        }
        if let Some(held) = self.held.take() {
            held.keep(self);
            return Ok(());
        }
        self.detached = true;
        self.link.heed_shutdown(false);
        self.link.end_fast();
        self.link.send(b"\x02")?;
        // Wait for the prompt, because closing the port discards unsent bytes.
        self.link
            .until(b">>> ", Instant::now() + Duration::from_millis(500))?;
        Ok(())
    }

    /// Leaves the board as it is, with its program running.
    pub(crate) fn detach(mut self) {
        self.detached = true;
    }

    fn no_answer(&self, doing: &Doing) -> Error {
        Error::NoAnswer {
            port: self.link.name().to_owned(),
            doing: doing.clone(),
        }
    }
}

impl Drop for Repl {
    fn drop(&mut self) {
        if !self.detached && !self.link.is_lost() {
            leave(&mut self.link);
        }
    }
}

/// From any state: stops the program, discards a partial line, and returns to the prompt.
fn leave(link: &mut Link) {
    link.heed_shutdown(false);
    link.end_fast();
    // Best effort: this also runs after an error of the line.
    let _ = link.send(b"\x03\x03\x02");
    let _ = link.until(b">>> ", Instant::now() + Duration::from_millis(300));
}

/// The last line of a traceback: the exception itself.
#[must_use]
pub fn last_line(exception: &str) -> String {
    exception
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_exception() {
        let text =
            "Traceback (most recent call last):\r\n  File \"<stdin>\", line 1\r\nValueError: x\r\n";
        assert_eq!(last_line(text), "ValueError: x");
    }
}
