//! The live view's test: short rounds of traffic until Ctrl-C.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::pair::PairPlan;
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::failure::trouble_of;
use crate::pair::measure::{self, MeasurementContext, Trouble};
use crate::pair::oled;
use crate::pair::results::{Finding, Step, StepNote, StepResult, Verdict};
use crate::pair::sockets::Arrived;
use crate::pair::traffic::{Downwards, Judge};
use crate::terminal::panel::screen::Screen;
use crate::text::sentence::sentence;

/// The datagrams in each direction and the echoes of a round: about a second with the default interval.
const COUNT: u16 = 10;
/// How many echoes.
const ECHOES: u16 = 5;

/// The counts of one direction in a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DirectionCounts {
    /// The number of sent datagrams.
    pub(crate) sent: u64,
    /// The number of different datagrams that arrived.
    pub(crate) received: u64,
}

impl DirectionCounts {
    /// The percentage of lost datagrams.
    #[must_use]
    pub(crate) fn loss(self) -> u64 {
        (self.sent.saturating_sub(self.received) * 100)
            .checked_div(self.sent)
            .unwrap_or(0)
    }
}

/// The results of a round.
#[derive(Debug, Clone)]
pub(crate) struct RoundResults {
    /// The number of the round, from 1.
    pub(crate) number: u64,
    /// From the PC to the board.
    pub(crate) down: DirectionCounts,
    /// From the board to the PC.
    pub(crate) up: DirectionCounts,
    /// There and back.
    pub(crate) echo: DirectionCounts,
    /// The minimum, the median, the 99th percentile and the maximum.
    pub(crate) rtt: Option<[Duration; 4]>,
    /// The duration.
    pub(crate) time: Duration,
    /// The OLED, and whether it shows the sent text; `None` without an OLED.
    pub(crate) oled: Option<(Screen, bool)>,
    /// The last datagrams from the board, newest first: the length, and the time since the previous one.
    pub(crate) last: VecDeque<(usize, Duration)>,
    /// What is wrong.
    pub(crate) findings: Vec<Finding>,
}

/// Repeats rounds until Ctrl-C, or until a failure other than loss, which it returns.
pub(super) fn rounds(
    plan: &PairPlan,
    talk: &mut BoardSession,
    course: &mut MeasurementContext,
    arrivals: Option<&Receiver<Arrived>>,
    (rssi, has_oled): (Option<i64>, bool),
    on_round: &mut dyn FnMut(RoundResults),
) -> Option<StepResult> {
    // Without a socket there are no rounds; the step before has said why.
    let arrivals = arrivals?;
    // One size per round: the longest in the plan that the tutorial's server receives complete.
    let size = plan
        .sizes
        .iter()
        .copied()
        .filter(|&size| size <= measure::TUTORIAL)
        .max()
        .unwrap_or(measure::ECHO_SIZE);
    course.sizes = vec![size];
    course.count = COUNT.min(plan.count);
    for number in 1.. {
        match round(plan, talk, course, arrivals, (rssi, has_oled), number) {
            Ok(round) => on_round(round),
            Err(Trouble::SessionError(SessionError::Interrupted)) => return None,
            Err(trouble) => {
                let mut result = StepResult::new(
                    Step::PcToBoard,
                    sentence!("pair.round-tried", number: number),
                );
                trouble_of(&mut result, trouble, course.board_port);
                return Some(result);
            }
        }
        if talk.shutdown.is_asked() {
            break;
        }
    }
    None
}

/// One round; fails with what keeps further rounds from making sense.
fn round(
    plan: &PairPlan,
    talk: &mut BoardSession,
    course: &mut MeasurementContext,
    arrivals: &Receiver<Arrived>,
    (rssi, has_oled): (Option<i64>, bool),
    number: u64,
) -> Result<RoundResults, Trouble> {
    let start = Instant::now();
    let down = measure::down(talk, course)?;
    let (sizes, count, interval) = (course.sizes.clone(), course.count, course.interval);
    let up = measure::up(talk, course, arrivals, &sizes, count, interval)?;
    let mut round = RoundResults {
        number,
        down: DirectionCounts {
            sent: down.counts.sent(),
            received: down.counts.received(),
        },
        up: DirectionCounts {
            sent: up.counts.sent(),
            received: up.counts.received(),
        },
        echo: DirectionCounts::default(),
        rtt: None,
        time: Duration::ZERO,
        oled: None,
        last: VecDeque::new(),
        findings: Vec::new(),
    };
    let mut judge = Judge::new(plan.max_loss, rssi, course);
    let mut result = StepResult::new(Step::PcToBoard, StepNote::Nothing);
    judge.down(&down, Some(&up), course, &mut result);
    round.findings.append(&mut result.findings);
    let mut result = StepResult::new(Step::BoardToPc, StepNote::Nothing);
    judge.up(&up, Some(Downwards::of(&down)), course, &mut result);
    round.findings.append(&mut result.findings);
    round.last = up.last;
    // Without a datagram that reaches the board, each echo would wait a second for nothing.
    if round.down.received > 0 {
        let echo = measure::echo(talk, course, ECHOES)?;
        round.echo = DirectionCounts {
            sent: echo.sent,
            received: echo.received,
        };
        round.rtt = echo.rtt.quantiles();
        if round.up.received > 0 {
            let mut result = StepResult::new(Step::Echo, StepNote::Nothing);
            judge.echo(&echo, course, &mut result);
            round.findings.append(&mut result.findings);
        }
        if has_oled {
            let mut result = StepResult::new(Step::Oled, StepNote::Nothing);
            oled::step(talk, plan, course, &mut result)?;
            let screen = talk.mirror.screen();
            // The board 3.0 has no OLED, but the texts on its colour display were right.
            let is_right = result.verdict == Verdict::Passed
                || (screen.lcd && result.verdict == Verdict::Skipped);
            round.oled = Some((screen.clone(), is_right));
            round.findings.append(&mut result.findings);
        }
    }
    round.time = start.elapsed();
    Ok(round)
}
