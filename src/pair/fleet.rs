//! Tests several boards at the same time, or watches one board until the user ends it: where each board is, a thread
//! for each, and the search for a lost board.

use std::cell::RefCell;
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::board::error::Error as BoardError;
use crate::board::fleet::{self, FleetEvent};
use crate::board::link::{Address, Link};
use crate::pair::results::{BoardReport, StepResult, Verdict};
use crate::pair::watch::RoundResults;
use crate::pair::watch::history::History;
use crate::pair::{TestContext, one_board, run, simulate};
use crate::shutdown::Shutdown;

/// How long to wait before searching for a lost board again.
const AGAIN: Duration = Duration::from_secs(2);

/// How often to check for Ctrl-C meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Where a board is.
#[derive(Debug, Clone)]
pub(crate) enum BoardPlace {
    /// Behind a serial port.
    Serial(Address),
    /// On this PC, at this address of its network.
    Simulated(Address, Ipv4Addr),
}

impl BoardPlace {
    /// The port, as it is named in reports, and how to talk to the board.
    #[must_use]
    pub(crate) fn address(&self) -> &Address {
        match self {
            Self::Serial(address) | Self::Simulated(address, _) => address,
        }
    }

    /// Opens the serial port, or starts the simulated board.
    fn open(&self, shutdown: Shutdown) -> Result<Link, BoardError> {
        match self {
            Self::Serial(address) => Link::open(address, shutdown),
            Self::Simulated(address, ip) => {
                let port = simulate::start(*ip)
                    .map_err(|error| not_simulated(address.port.clone(), error))?;
                Ok(Link::over(Box::new(port), address, shutdown))
            }
        }
    }
}

/// A simulated board that does not start counts as a board whose port does not open.
#[must_use]
pub(crate) fn not_simulated(port: String, error: simulate::Error) -> BoardError {
    if matches!(error, simulate::Error::Interrupted) {
        return BoardError::Interrupted;
    }
    BoardError::Open {
        port,
        holders: Vec::new(),
        source: io::Error::other(error),
    }
}

/// What happens during tests.
#[derive(Debug)]
pub(crate) enum PairFleetEvent<'a> {
    /// A step with the only board ended.
    Step(&'a StepResult),
    /// A round of a watch ended.
    Round(&'a RoundResults),
    /// The test of a board ended.
    Report(&'a BoardReport),
}

/// Receives what happens during the tests.
pub(crate) trait FleetObserver {
    /// Takes an event.
    fn event(&mut self, event: PairFleetEvent<'_>);
}

/// Tests boards at the same time. The reports are in the boards' order; the observer gets each when its test ends, and
/// each step if there is only one board.
pub(crate) fn test(
    context: TestContext<'_>,
    places: &[BoardPlace],
    observer: &mut dyn FleetObserver,
) -> Vec<BoardReport> {
    if let [place] = places {
        let report = run(
            context,
            &place.address().port,
            || place.open(context.shutdown.clone()),
            &mut |step| observer.event(PairFleetEvent::Step(step)),
        );
        observer.event(PairFleetEvent::Report(&report));
        return vec![report];
    }
    let mut reports: Vec<(usize, BoardReport)> = Vec::new();
    // If Ctrl-C came before a board's test, its report says so.
    let work = |index: usize| {
        let place = places.get(index)?;
        let port = &place.address().port;
        let open = || place.open(context.shutdown.clone());
        Some(run(context, port, open, &mut |_| {}))
    };
    // Test all boards at once, because a class waits, and a test mostly waits for datagrams.
    fleet::side_by_side(places.len(), places.len(), &|| false, &work, &mut |event| {
        if let FleetEvent::Ended(index, Some(report)) = event {
            observer.event(PairFleetEvent::Report(&report));
            reports.push((index, report));
        }
    });
    // The tests end in any order; sort them, so that users can compare a report with the previous one.
    reports.sort_by_key(|(index, _)| *index);
    reports.into_iter().map(|(_, report)| report).collect()
}

/// Watches a board until Ctrl-C. Searches for a lost board again, unless it never reached a round. Returns the last
/// report and the history.
pub(crate) fn watch(
    context: TestContext<'_>,
    place: &BoardPlace,
    observer: &mut dyn FleetObserver,
) -> (BoardReport, History) {
    let begin = Instant::now();
    let history = RefCell::new(History::default());
    // Two closures use the observer, but never at the same time.
    let observer = RefCell::new(observer);
    loop {
        let report = one_board::watch(
            context,
            &place.address().port,
            || place.open(context.shutdown.clone()),
            &mut |step| {
                // In a watch, the steps after the fourth are rounds, so they do not count as skipped.
                if step.verdict != Verdict::Skipped {
                    history.borrow_mut().step(step, begin.elapsed());
                    observer.borrow_mut().event(PairFleetEvent::Step(step));
                }
            },
            &mut |round| {
                history.borrow_mut().round(&round, begin.elapsed());
                observer.borrow_mut().event(PairFleetEvent::Round(&round));
            },
        );
        // If the board never answered, the port is wrong or the firmware is missing, and waiting does not help.
        let has_rounds = history.borrow().total().rounds > 0;
        let has_failed = !has_rounds && report.verdict() == Verdict::Failed;
        let until = Instant::now() + AGAIN;
        while !has_failed && !context.shutdown.is_asked() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        if has_failed || context.shutdown.is_asked() {
            let mut history = history.into_inner();
            history.end(begin.elapsed());
            return (report, history);
        }
    }
}
