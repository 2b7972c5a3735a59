//! Watching the board's display: starts the board's `main.py` with the mirror, and reports what it shows until the
//! program ends, the observer has seen enough, or the user presses Ctrl-C. Then udpcli leaves the program running if
//! possible, or stops it.

use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::life_cycle::{CLEAN_UP, EndedRun, Ending, STOP};
use crate::board::mirror::Mirror;
use crate::board::mirror::agent::OledReport;
use crate::board::mirror::attach::{self, Attached, NoDisplay};
use crate::board::mirror::display_use;
use crate::board::model::Model;
use crate::board::operation::Doing;
use crate::board::program;
use crate::board::repl::{Exit, FollowAction, OutputHandler, Repl, last_line};
use crate::shutdown::Shutdown;
use crate::terminal::panel::screen::Screen;

/// The program that the board starts by itself.
pub(crate) const MAIN: &str = "main.py";

/// For a single picture: udpcli takes it when it did not change for this time.
const QUIET: Duration = Duration::from_millis(500);

/// For a single picture: udpcli takes it at the latest this long after the first one.
const LONGEST_LOOK: Duration = Duration::from_secs(3);

/// What to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OledOptions {
    /// What the agent on the board reports.
    pub report: OledReport,
    /// Whether a single picture is enough.
    pub once: bool,
    /// Whether a picture must come: a colour display gives texts only.
    pub needs_picture: bool,
    /// Whether to stop the program after Ctrl-C, so that the board is at its prompt, instead of leaving it running.
    pub stops: bool,
}

/// What happens on the display.
#[derive(Debug)]
pub enum OledEvent<'a> {
    /// Why there is no display to watch. The watching ends with [`Error::NoDisplay`].
    NoDisplay(&'a NoDisplay),
    /// The program showed this picture. There is one event per change.
    Screen(&'a Screen),
    /// The program printed something, or the display changed since the last such event, or both.
    Output {
        /// What it printed.
        printed: &'a [u8],
        /// The last picture, if it changed.
        picture: Option<&'a Screen>,
    },
    /// Nothing more comes.
    Ended {
        /// The last picture, if the program showed a whole one.
        picture: Option<&'a Screen>,
        /// Frames that came damaged.
        lost: u64,
    },
}

/// Receives what happens while the display is watched.
pub trait OledObserver {
    /// Takes an event.
    fn event(&mut self, event: OledEvent<'_>);

    /// Whether the observer has seen enough; called at least every 20 ms.
    fn has_enough(&mut self) -> bool;
}

/// Starts `main.py` and watches what it shows.
///
/// # Errors
/// There is no `main.py`, no display or no picture of it, or the line is gone.
pub fn watch(
    repl: &mut Repl,
    options: OledOptions,
    observer: &mut dyn OledObserver,
) -> Result<EndedRun, Error> {
    // Before the soft reset, which would end the program that the board runs now.
    program::exists(repl, MAIN)?;
    // In the raw REPL a soft reset does not run `main.py`, so the agent can be there before it.
    repl.soft_reset()?;
    let mut mirror = Mirror::new();
    let uses_lcd = main_draws_on_lcd(repl)?;
    if let Attached::No(why) = attach::attach(repl, &mut mirror, options.report, uses_lcd)? {
        observer.event(OledEvent::NoDisplay(&why));
        return Err(Error::NoDisplay);
    }
    if mirror.screen().lcd {
        if options.needs_picture {
            return Err(Error::NoPicture);
        }
        tracing::info!(say = "boards.lcd-texts-only");
    }
    program::start_file(repl, MAIN)?;
    let mut watcher = FrameTaker {
        mirror,
        options,
        first: None,
        changed: Instant::now(),
        interrupted: None,
        shutdown: repl.link().shutdown(),
        observer,
    };
    let exit = repl.follow(&mut watcher);
    // Only a board that is back in its raw REPL can be asked for its last picture.
    if let Ok(Exit::Done | Exit::Exception(_)) = &exit {
        let mut rest = Vec::new();
        let changed = attach::finish(repl, &mut watcher.mirror, &mut rest);
        watcher.report(&rest, false);
        if changed {
            if watcher.has_screen() {
                watcher
                    .observer
                    .event(OledEvent::Screen(watcher.mirror.screen()));
            }
            watcher.report(&[], true);
        }
    }
    watcher.end();
    let is_interrupted = watcher.interrupted.is_some();
    let ending = match exit? {
        Exit::Detached if is_interrupted => match repl.stop_stubborn(STOP) {
            Ok(()) => Ending::Stopped,
            Err(error) => Ending::StillRunning(error),
        },
        Exit::Detached => Ending::Detached { leaves_file: false },
        Exit::Done | Exit::Exited => Ending::Done,
        Exit::Exception(text)
            if is_interrupted && last_line(&text).starts_with("KeyboardInterrupt") =>
        {
            Ending::Stopped
        }
        Exit::Exception(text) => Ending::Exception(text),
        Exit::Restarted => Ending::Restarted(repl.restarted(Doing::FileRan(MAIN))),
    };
    Ok(EndedRun {
        ending,
        symptom: None,
    })
}

/// Whether `main.py`, or a file that it imports, draws with `lv_oled` of the board 3.0.
fn main_draws_on_lcd(repl: &mut Repl) -> Result<bool, Error> {
    if Model::ask(repl)? != Some(Model::Mpython3) {
        return Ok(false);
    }
    let main = MAIN.trim_end_matches(".py");
    Ok(display_use::of_modules(repl, &[main])?.lcd)
}

/// Takes the display's frames out of the output.
struct FrameTaker<'a> {
    mirror: Mirror,
    /// What to watch, and when to stop.
    options: OledOptions,
    /// When the first whole screen came, and the last change.
    first: Option<Instant>,
    changed: Instant,
    /// When the program was interrupted.
    interrupted: Option<Instant>,
    shutdown: Shutdown,
    observer: &'a mut dyn OledObserver,
}

impl FrameTaker<'_> {
    /// Whether there is something to show: a screen, or the news that the line lost one. Before the first `show()` there
    /// is neither.
    fn has_screen(&self) -> bool {
        self.mirror.has_picture() || self.mirror.losses() > 0
    }

    /// Passes on what was printed, and the picture if it is new.
    fn report(&mut self, printed: &[u8], has_changed: bool) {
        let picture = has_changed.then(|| self.mirror.screen());
        self.observer.event(OledEvent::Output { printed, picture });
    }

    /// Passes on what is left in the mirror, and the last picture.
    fn end(&mut self) {
        let mut rest = Vec::new();
        self.mirror.finish(&mut rest);
        self.report(&rest, false);
        let picture = self.first.map(|_| self.mirror.screen());
        let lost = self.mirror.garbled();
        self.observer.event(OledEvent::Ended { picture, lost });
    }
}

impl OutputHandler for FrameTaker<'_> {
    fn output(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (mut printed, mut changed, mut whole) = (Vec::new(), false, false);
        let had_screen = self.has_screen();
        let observer = &mut *self.observer;
        self.mirror.feed(bytes, &mut printed, |screen| {
            changed = true;
            whole |= screen.whole;
            // A program that was interrupted in the middle of a `show()` would begin with half a picture.
            if had_screen || whole {
                observer.event(OledEvent::Screen(screen));
            }
        });
        if changed {
            self.changed = Instant::now();
        }
        if whole {
            self.first.get_or_insert(self.changed);
        }
        self.report(&printed, changed);
        Ok(())
    }

    fn nudge_after(&self) -> Option<Duration> {
        // The board's own program runs, and may read its input.
        None
    }

    fn tick(&mut self) -> Result<FollowAction, Error> {
        if let Some(since) = self.interrupted {
            return Ok(if since.elapsed() > CLEAN_UP {
                FollowAction::Detach
            } else {
                FollowAction::Continue
            });
        }
        let is_quiet = self.options.once
            && self.first.is_some_and(|first| {
                // An animation never becomes quiet.
                self.changed.elapsed() > QUIET || first.elapsed() > LONGEST_LOOK
            });
        let is_over = self.observer.has_enough() || self.shutdown.is_asked();
        if is_over && self.options.stops {
            self.interrupted = Some(Instant::now());
            return Ok(FollowAction::Interrupt);
        }
        Ok(if is_quiet || is_over {
            FollowAction::Detach
        } else {
            FollowAction::Continue
        })
    }
}
