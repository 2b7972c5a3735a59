//! The live view's test: short rounds of traffic until Ctrl-C.

pub(crate) mod history;

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::pair::PairPlan;
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::diagnosis::Diagnosis;
use crate::pair::failure::trouble_of;
use crate::pair::measure::{self, MeasurementContext, Trouble};
use crate::pair::oled;
use crate::pair::operation::Work;
use crate::pair::results::{Finding, Step, StepNote, StepResult, Verdict};
use crate::pair::sockets::Arrived;
use crate::pair::traffic::{Downwards, Judge, WEAK};
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
    /// The percentage of lost datagrams, with its fraction.
    #[must_use]
    pub(crate) fn percent(self) -> f64 {
        let lost = self.sent.saturating_sub(self.received);
        lost as f64 * 100.0 / self.sent.max(1) as f64
    }

    /// The percentage of lost datagrams.
    #[must_use]
    pub(crate) fn loss(self) -> u64 {
        (self.sent.saturating_sub(self.received) * 100)
            .checked_div(self.sent)
            .unwrap_or(0)
    }
}

/// The values of the board's radio in a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signal {
    /// Whether the board was connected.
    pub(crate) is_connected: bool,
    /// The signal, in dBm.
    pub(crate) rssi: Option<i64>,
    /// The channel.
    pub(crate) channel: Option<u8>,
    /// The access point's address.
    pub(crate) bssid: Option<[u8; 6]>,
}

impl Signal {
    /// Reads the words behind `signal`.
    fn of(words: &[&str]) -> Option<Self> {
        let [connected, rssi, channel, rest @ ..] = words else {
            return None;
        };
        Some(Self {
            is_connected: *connected == "1",
            // A radio without a connection reports 0.
            rssi: rssi.parse().ok().filter(|rssi| (-127..0).contains(rssi)),
            channel: channel.parse().ok().filter(|&channel| channel > 0),
            bssid: rest
                .first()
                .and_then(|hex| measure::from_hex(hex)?.try_into().ok()),
        })
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
    /// The board's radio at the start of the round.
    pub(crate) signal: Signal,
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
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    arrivals: Option<&Receiver<Arrived>>,
    (rssi, has_oled): (Option<i64>, bool),
    on_round: &mut dyn FnMut(RoundResults),
) -> Option<StepResult> {
    // Without a socket there are no rounds; the previous step has reported why.
    let arrivals = arrivals?;
    // One size per round: the longest in the plan that the tutorial's server receives complete.
    let size = plan
        .sizes
        .iter()
        .copied()
        .filter(|&size| size <= measure::TUTORIAL)
        .max()
        .unwrap_or(measure::ECHO_SIZE);
    context.sizes = vec![size];
    context.count = COUNT.min(plan.count);
    let mut past = Past {
        number: 1,
        has_oled,
        rssi,
        has_worked: false,
    };
    loop {
        match round(plan, session, context, arrivals, past) {
            Ok(round) => {
                past.rssi = round.signal.rssi.or(past.rssi);
                past.has_worked |= round.down.received > 0 && round.up.received > 0;
                on_round(round);
            }
            Err(Trouble::SessionError(SessionError::Interrupted)) => return None,
            Err(trouble) => {
                let mut result = StepResult::new(
                    Step::PcToBoard,
                    sentence!("pair.round-tried", number: past.number),
                );
                trouble_of(&mut result, trouble, context.board_port);
                return Some(result);
            }
        }
        if session.shutdown.is_asked() {
            return None;
        }
        past.number += 1;
    }
}

/// The known state before a round.
#[derive(Debug, Clone, Copy)]
struct Past {
    /// The number of the next round.
    number: u64,
    has_oled: bool,
    /// The last signal.
    rssi: Option<i64>,
    /// Whether datagrams came through in both directions.
    has_worked: bool,
}

/// One round; fails if further rounds make no sense.
fn round(
    plan: &PairPlan,
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    arrivals: &Receiver<Arrived>,
    past: Past,
) -> Result<RoundResults, Trouble> {
    let start = Instant::now();
    let signal = signal(session)?;
    let rssi = signal.rssi.or(past.rssi);
    let down = measure::down(session, context)?;
    let (sizes, count, interval) = (context.sizes.clone(), context.count, context.interval);
    let up = measure::up(session, context, arrivals, &sizes, count, interval)?;
    let mut round = RoundResults {
        number: past.number,
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
        signal,
        time: Duration::ZERO,
        oled: None,
        last: VecDeque::new(),
        findings: Vec::new(),
    };
    let mut judge = Judge::new(plan.max_loss, rssi, context);
    let mut result = StepResult::new(Step::PcToBoard, StepNote::Nothing);
    judge.down(&down, Some(&up), context, &mut result);
    round.findings.append(&mut result.findings);
    let mut result = StepResult::new(Step::BoardToPc, StepNote::Nothing);
    judge.up(&up, Some(Downwards::of(&down)), context, &mut result);
    round.findings.append(&mut result.findings);
    round.last = up.last;
    // Without a datagram that reaches the board, each echo would wait a second for nothing.
    if round.down.received > 0 {
        let echo = measure::echo(session, context, ECHOES)?;
        round.echo = DirectionCounts {
            sent: echo.sent,
            received: echo.received,
        };
        round.rtt = echo.rtt.quantiles();
        if round.up.received > 0 {
            let mut result = StepResult::new(Step::Echo, StepNote::Nothing);
            judge.echo(&echo, context, &mut result);
            round.findings.append(&mut result.findings);
        }
        if past.has_oled {
            let mut result = StepResult::new(Step::Oled, StepNote::Nothing);
            oled::step(session, plan, context, &mut result)?;
            let screen = session.mirror.screen();
            // The board 3.0 has no OLED, but the texts on its colour display were right.
            let is_right = result.verdict == Verdict::Passed
                || (screen.lcd && result.verdict == Verdict::Skipped);
            round.oled = Some((screen.clone(), is_right));
            round.findings.append(&mut result.findings);
        }
    }
    explain_distance(&mut round, past);
    round.time = start.elapsed();
    Ok(round)
}

/// Asks the board's radio.
fn signal(session: &mut BoardSession) -> Result<Signal, Trouble> {
    let mut signal = Signal::default();
    session.call(
        Work::LookingAtWifi,
        "_pp()",
        Duration::from_secs(5),
        &mut |words: &[&str]| {
            if let ["signal", rest @ ..] = words {
                signal = Signal::of(rest).unwrap_or_default();
            }
        },
    )?;
    Ok(signal)
}

/// Silence after rounds that worked does not mean isolation or a firewall if the signal is weak or the Wi-Fi is gone:
/// somebody may have carried the board away.
fn explain_distance(round: &mut RoundResults, past: Past) {
    let is_weak = round
        .signal
        .rssi
        .or(past.rssi)
        .is_some_and(|rssi| rssi <= WEAK);
    let is_away = !round.signal.is_connected;
    let diagnosis = match (is_weak, is_away) {
        (true, _) => Diagnosis::WeakSignal,
        (false, true) => Diagnosis::WifiNotFound,
        (false, false) => return,
    };
    if !past.has_worked {
        return;
    }
    for finding in &mut round.findings {
        let is_silence = [
            Diagnosis::ApIsolation,
            Diagnosis::PcFirewall,
            Diagnosis::PcToBoardBlocked,
            Diagnosis::BoardNoArp,
            Diagnosis::NoEcho,
        ]
        .contains(&finding.diagnosis);
        if is_silence || is_away {
            *finding = match round.signal.rssi {
                Some(rssi) if !is_away => {
                    Finding::with(diagnosis, sentence!("pair.signal-now", rssi = rssi))
                }
                _ => Finding::with(diagnosis, sentence!("pair.signal-gone")),
            };
        }
    }
}
