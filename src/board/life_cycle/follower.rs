//! Between a running program and the observer.

use std::time::{Duration, Instant};

use super::{CLEAN_UP, RunEvent, RunObserver};
use crate::board::error::Error;
use crate::board::input::{ProgramInput, Typed};
use crate::board::link::PROGRAM_PAUSE;
use crate::board::mirror::Mirror;
use crate::board::repl::{FollowAction, OutputHandler};
use crate::shutdown::Shutdown;

/// Passes the program's output on, and Ctrl-C to the program.
pub(super) struct Follower<'a> {
    /// Removes the display's frames from the output.
    pub(super) mirror: Option<Mirror>,
    /// Feeds the program what the user types.
    pub(super) feed: Option<ProgramInput>,
    /// Ctrl-C interrupts the program.
    pub(super) shutdown: Shutdown,
    /// Whether the computer holds back the end of what the program prints.
    pub(super) holds_packets: bool,
    /// When the program was interrupted.
    pub(super) interrupted: Option<Instant>,
    /// Receives the output and the events.
    pub(super) observer: &'a mut dyn RunObserver,
}

impl Follower<'_> {
    /// Passes on output without the echo of what was typed, and the picture if it is new.
    pub(super) fn report(&mut self, printed: &[u8], has_changed: bool) {
        let mut shown = Vec::new();
        let printed = match &mut self.feed {
            Some(feed) => {
                feed.output(printed, &mut shown, Instant::now());
                &shown
            }
            None => printed,
        };
        let picture = self.mirror.as_ref().filter(|_| has_changed);
        self.observer.event(RunEvent::Output {
            printed,
            picture: picture.map(Mirror::screen),
        });
    }

    /// Passes on everything that was held back, and the last picture.
    pub(super) fn end(&mut self) {
        if let Some(mirror) = &mut self.mirror {
            let mut rest = Vec::new();
            mirror.finish(&mut rest);
            if mirror.garbled() > 0 {
                self.observer.event(RunEvent::FramesLost(mirror.garbled()));
            }
            self.report(&rest, false);
        }
        self.release(true);
        let shown = self.mirror.as_ref().filter(|mirror| mirror.has_picture());
        self.observer.event(RunEvent::OutputEnded {
            picture: shown.map(Mirror::screen),
        });
    }
}

impl Follower<'_> {
    /// Shows what was held back because it may have been the beginning of an echo.
    fn release(&mut self, is_end: bool) {
        let mut held = Vec::new();
        if let Some(feed) = &mut self.feed {
            feed.release(&mut held, Instant::now(), is_end);
        }
        if !held.is_empty() {
            self.observer.event(RunEvent::Output {
                printed: &held,
                picture: None,
            });
        }
    }
}

impl OutputHandler for Follower<'_> {
    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(mirror) = &mut self.mirror else {
            self.report(bytes, false);
            return Ok(());
        };
        let (mut printed, mut changed) = (Vec::new(), false);
        mirror.feed(bytes, &mut printed, |_| changed = true);
        self.report(&printed, changed);
        Ok(())
    }

    fn tick(&mut self) -> Result<FollowAction, Error> {
        match self.interrupted {
            Some(since) if since.elapsed() > CLEAN_UP => return Ok(FollowAction::Detach),
            None if self.shutdown.is_asked() || self.observer.wants_interrupt() => {
                self.interrupted = Some(Instant::now());
                return Ok(FollowAction::Interrupt);
            }
            _ => {}
        }
        Ok(FollowAction::Continue)
    }
    fn input(&mut self) -> Option<Vec<u8>> {
        self.release(false);
        let feed = self.feed.as_mut()?;
        // After Ctrl-C the program is meant to end, so it gets no more input.
        if self.interrupted.is_some() {
            return None;
        }
        while feed.wants_more() {
            match self.observer.typed() {
                typed @ Typed::Bytes(_) => feed.typed(typed),
                end => {
                    feed.typed(end);
                    break;
                }
            }
        }
        let now = Instant::now();
        if let Some(notice) = feed.notice(now) {
            self.observer.event(RunEvent::Input(notice));
        }
        feed.due(now)
    }

    fn nudge_after(&self) -> Option<Duration> {
        // The program gets the nudge as its input: send it only where its output is known to be held back, and not to a
        // program that reads.
        (self.holds_packets && self.feed.is_none()).then_some(PROGRAM_PAUSE)
    }
}
