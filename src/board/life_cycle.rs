//! The life cycle of a program run: starts it, passes on its output, interrupts it, stops it if it does not react, and
//! cleans up.
//!
//! [`run`] does all of this and reports to a [`RunObserver`]. It prints nothing itself: a command shows the events to
//! the user, and a test collects them. [`EndedRun::leave`] then leaves the board as its end requires.

mod follower;

use std::time::{Duration, Instant};

use crate::board::error::Error;
use crate::board::hidden_error::{self, Symptom};
use crate::board::input::{Notice, ProgramInput, Typed};
use crate::board::mirror::Mirror;
use crate::board::mirror::agent::OledReport;
use crate::board::mirror::attach::{self, Attached, NoDisplay};
use crate::board::mirror::display_use;
use crate::board::model::Model;
use crate::board::operation::Doing;
use crate::board::program::known::InterpreterState;
use crate::board::program::{self, Launch, source};
use crate::board::repl::{Exit, FollowAction, OutputHandler, Repl, last_line};
use crate::terminal::panel::screen::Screen;
use follower::Follower;

/// How long an interrupted program may take for its own clean-up before udpcli stops it. Together with [`STOP`] and the
/// exit, this stays within the 2 s in which the first Ctrl-C ends any command.
pub(super) const CLEAN_UP: Duration = Duration::from_millis(600);

/// How long udpcli tries to stop a program that catches Ctrl-C.
pub(super) const STOP: Duration = Duration::from_millis(1200);

/// How long to watch a detached program: a syntax error or a missing module appears within this time.
const DETACH_AFTER: Duration = Duration::from_millis(400);

/// Whether to mirror the OLED while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchOled {
    /// No.
    Never,
    /// If the program seems to use it.
    IfUsed,
    /// Yes, if the board has one.
    Always,
}

/// What to run, and how.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions<'a> {
    /// The program, from [`source::as_python`].
    pub source: &'a [u8],
    /// Whether to soft-reset if an earlier program left something behind.
    pub soft_reset: bool,
    /// Whether to mirror the OLED.
    pub oled: WatchOled,
    /// Whether to leave the program running after a short check.
    pub detach: bool,
}

/// An event of a run.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// The program printed something, or showed a new picture, or both.
    Output {
        /// The printed bytes.
        printed: &'a [u8],
        /// The picture, if it changed.
        picture: Option<&'a Screen>,
    },
    /// There will be no more output.
    OutputEnded {
        /// The last picture, if the program showed one.
        picture: Option<&'a Screen>,
    },
    /// There is no display to mirror; the program runs without the mirror.
    NoDisplay(&'a NoDisplay),
    /// The program seems to read what the user types: [`RunObserver::typed`] is called from now on.
    ReadsInput,
    /// What the user should know about that.
    Input(Notice),
    /// This many frames of the display were damaged.
    FramesLost(u64),
    /// The program did not react to Ctrl-C in time: udpcli stops it.
    Stopping,
}

/// Watches a run.
pub trait RunObserver {
    /// Handles an event.
    fn event(&mut self, event: RunEvent<'_>);

    /// Whether to interrupt the program, like Ctrl-C. Called at least every 20 ms.
    fn wants_interrupt(&mut self) -> bool {
        false
    }

    /// What the user typed since the last call; must not block. Called at least every 20 ms after
    /// [`RunEvent::ReadsInput`].
    fn typed(&mut self) -> Typed {
        Typed::Nothing
    }

    /// Takes back input that the program did not read: it is for the next program.
    fn untyped(&mut self, rest: Vec<u8>) {
        drop(rest);
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    /// The program reached its end.
    Done,
    /// The user interrupted it, and it ended.
    Stopped,
    /// The program raised an exception; holds the board's text.
    Exception(String),
    /// The board restarted; it now runs its own program.
    Restarted(Error),
    /// The program was left running.
    Detached {
        /// Whether the program's file stays on the board meanwhile.
        leaves_file: bool,
    },
    /// The user interrupted it, but it could not be stopped.
    StillRunning(Error),
}

/// How a run ended, with its symptom.
#[derive(Debug)]
pub struct EndedRun {
    /// How it ended.
    pub ending: Ending,
    /// The symptom at the program's end.
    pub symptom: Option<Symptom>,
}

impl EndedRun {
    /// Leaves the board: at its prompt, or with the program that still runs.
    ///
    /// # Errors
    /// The line has failed.
    pub fn leave(&self, repl: Repl) -> Result<(), Error> {
        match self.ending {
            Ending::Done | Ending::Stopped | Ending::Exception(_) => repl.close(),
            Ending::Restarted(_) | Ending::Detached { .. } | Ending::StillRunning(_) => {
                repl.detach();
                Ok(())
            }
        }
    }
}

/// Runs a program to its end, or until Ctrl-C or the observer interrupts it. Afterwards the board is in its raw REPL,
/// unless the ending says otherwise, without any names or files of udpcli.
///
/// # Errors
/// The board does not accept the program, or the line has failed.
pub fn run(
    repl: &mut Repl,
    options: &RunOptions<'_>,
    observer: &mut dyn RunObserver,
) -> Result<EndedRun, Error> {
    run_again(repl, options, None, observer)
}

/// As [`run`], for a program that runs again and again in one connection.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_again(
    repl: &mut Repl,
    options: &RunOptions<'_>,
    mut known: Option<&mut InterpreterState>,
    observer: &mut dyn RunObserver,
) -> Result<EndedRun, Error> {
    let mut mirror = None;
    let mut misses_oled = false;
    let launch = program::start(
        repl,
        options.source,
        options.soft_reset,
        known.as_deref_mut(),
        |repl| {
            mirror = mirror_for(repl, options, observer)?;
            // Asked before the program runs, because the end after Ctrl-C has no time for it.
            misses_oled = hidden_error::hides_missing_oled(options.source)
                && Model::ask(repl)? == Some(Model::Mpython3);
            Ok(())
        },
    )?;
    let has_agent = mirror.is_some();
    // From here on Ctrl-C is for the program; it must not stop the clean-up afterwards.
    repl.link().heed_shutdown(false);
    if options.detach {
        return detach(repl, launch);
    }
    let feed = ProgramInput::new(source::input_use(options.source));
    if feed.is_some() {
        observer.event(RunEvent::ReadsInput);
    }
    // Without an agent, no output of the program is a frame, even if it looks like one.
    mirror.take_if(|mirror| !mirror.has_heard());
    let holds_packets = repl.link().holds_packets();
    let mut follower = Follower {
        holds_packets,
        mirror,
        feed,
        shutdown: repl.link().shutdown(),
        interrupted: None,
        observer,
    };
    let exit = repl.follow(&mut follower);
    if matches!(exit, Ok(Exit::Done | Exit::Exception(_) | Exit::Exited))
        && follower
            .feed
            .as_ref()
            .is_some_and(ProgramInput::may_be_left)
    {
        // What the program has not read must not become a part of the next code.
        repl.reenter()?;
    }
    // The agent sends the last picture again, because the line may have lost that frame.
    if let (Ok(Exit::Done | Exit::Exception(_)), Some(mirror)) = (&exit, &mut follower.mirror) {
        let mut rest = Vec::new();
        let changed = attach::finish(repl, mirror, &mut rest);
        follower.report(&rest, changed);
    }
    follower.end();
    if let Some(feed) = follower.feed.take() {
        follower.observer.untyped(feed.into_rest());
    }
    let is_interrupted = follower.interrupted.is_some();
    let exit = match exit {
        Ok(exit) => exit,
        Err(error) => {
            program::clean_up(repl, launch);
            return Err(error);
        }
    };
    let symptom = if misses_oled && hides_end(&exit) {
        Some(Symptom::HiddenNoOled)
    } else if is_interrupted {
        // Such an end has no symptom of its own.
        None
    } else {
        symptom_of(repl, &exit, options.source, launch)
    };
    if exit == Exit::Detached {
        observer.event(RunEvent::Stopping);
    }
    if let Some(known) = known {
        match exit {
            Exit::Done | Exit::Exception(_) => known.ran(options.source, has_agent),
            // The interpreter restarted, or its state is unknown.
            Exit::Exited | Exit::Restarted | Exit::Detached => known.forget(),
        }
    }
    let ending = match ended(repl, launch, exit) {
        Ending::Exception(text)
            // The exception is udpcli's own Ctrl-C; any other one is still the program's.
            if is_interrupted && last_line(&text).starts_with("KeyboardInterrupt") =>
        {
            Ending::Stopped
        }
        ending => ending,
    };
    Ok(EndedRun { ending, symptom })
}

/// Starts the agent, if the program may use it. Without a display, or without enough memory for the agent, the program still
/// runs.
fn mirror_for(
    repl: &mut Repl,
    options: &RunOptions<'_>,
    observer: &mut dyn RunObserver,
) -> Result<Option<Mirror>, Error> {
    if options.detach || options.oled == WatchOled::Never {
        return Ok(None);
    }
    let uses = display_use::of_program(repl, options.source)?;
    // The agent takes memory and time on the line, which a program without a display does not need to spend.
    if options.oled == WatchOled::IfUsed && !uses.any {
        return Ok(None);
    }
    let mut mirror = Mirror::new();
    if let Attached::No(why) = attach::attach(repl, &mut mirror, OledReport::Everything, uses.lcd)?
    {
        observer.event(RunEvent::NoDisplay(&why));
    } else if mirror.screen().lcd {
        tracing::info!(say = "boards.lcd-texts-only");
    }
    Ok(Some(mirror))
}

/// Leaves the program running after a short check.
fn detach(repl: &mut Repl, launch: Launch) -> Result<EndedRun, Error> {
    struct UntilTime(Instant);
    impl OutputHandler for UntilTime {
        fn output(&mut self, _: &[u8]) -> Result<(), Error> {
            Ok(())
        }
        fn tick(&mut self) -> Result<FollowAction, Error> {
            Ok(if Instant::now() < self.0 {
                FollowAction::Continue
            } else {
                FollowAction::Detach
            })
        }
    }
    // A program that fails at once must not be reported as running.
    let exit = repl.follow(&mut UntilTime(Instant::now() + DETACH_AFTER))?;
    let ending = match exit {
        Exit::Detached => Ending::Detached {
            leaves_file: launch.is_file(),
        },
        exit => ended(repl, launch, exit),
    };
    Ok(EndedRun {
        ending,
        symptom: None,
    })
}

/// Whether a program ended without an exception of its own, or could not be stopped.
fn hides_end(exit: &Exit) -> bool {
    match exit {
        Exit::Done | Exit::Exited | Exit::Detached => true,
        Exit::Exception(text) => last_line(text).starts_with("KeyboardInterrupt"),
        Exit::Restarted => false,
    }
}

/// The symptom at the end of a program that nobody interrupted.
fn symptom_of(repl: &mut Repl, exit: &Exit, source: &[u8], launch: Launch) -> Option<Symptom> {
    match exit {
        Exit::Exception(text)
            if hidden_error::misses_oled(text)
                && Model::ask(repl).is_ok_and(|model| model == Some(Model::Mpython3)) =>
        {
            Some(Symptom::NoOled)
        }
        Exit::Done => hidden_error::of_end(source, None),
        Exit::Exception(text) => hidden_error::of_end(source, Some(&launch.traceback(text))),
        Exit::Exited | Exit::Restarted | Exit::Detached => None,
    }
}

/// Removes what the run put on the board, if its end allows it.
fn ended(repl: &mut Repl, launch: Launch, exit: Exit) -> Ending {
    match exit {
        Exit::Done | Exit::Exited => {
            program::clean_up(repl, launch);
            Ending::Done
        }
        Exit::Exception(text) => {
            program::clean_up(repl, launch);
            Ending::Exception(launch.traceback(&text))
        }
        Exit::Restarted => Ending::Restarted(repl.restarted(Doing::ProgramRan)),
        Exit::Detached => match repl.stop_stubborn(STOP) {
            Ok(()) => {
                program::clean_up(repl, launch);
                Ending::Done
            }
            Err(error) => Ending::StillRunning(error),
        },
    }
}
