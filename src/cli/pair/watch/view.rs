//! What the live view shows.

mod draw;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::VecDeque;
use std::time::Duration;

use crate::pair::results::{Step, StepResult, Verdict};
use crate::pair::watch::{DirectionCounts, RoundResults};
use crate::terminal::sanitize;
use crate::words;
use crate::words::catalogue::say;

/// The number of rounds to keep: more than a terminal has columns.
const KEPT: usize = 512;

/// The number of log lines to keep: more than are shown.
const LOG: usize = 20;

/// The state of the connection, readable from a distance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum State {
    /// No round has ended.
    #[default]
    Testing,
    Works,
    /// The meaning, and what to do next.
    Problem {
        meaning: String,
        next: String,
    },
}

/// A round in the timeline: the loss in percent, and the median of the round trips.
#[derive(Debug, Clone, Copy, Default)]
struct Point {
    down: Option<u64>,
    up: Option<u64>,
    echo: Option<u64>,
    rtt: Option<Duration>,
}

/// The counts of one direction, over all rounds.
#[derive(Debug, Clone, Copy, Default)]
struct Total(DirectionCounts);

impl Total {
    fn add(&mut self, way: DirectionCounts) {
        self.0.sent += way.sent;
        self.0.received += way.received;
    }

    fn lost(self) -> u64 {
        self.0.sent.saturating_sub(self.0.received)
    }
}

/// A line of the log: with the verdict, if it is that of a step.
#[derive(Debug, PartialEq, Eq)]
struct LogLine {
    verdict: Option<Verdict>,
    text: String,
}

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct RoundsView {
    port: String,
    has_color: bool,
    state: State,
    /// The step that ended last, before the first round.
    step: String,
    log: VecDeque<LogLine>,
    /// The newest first.
    past: VecDeque<Point>,
    down: Total,
    up: Total,
    echo: Total,
    rounds: u64,
    good_rounds: u64,
    last: Option<RoundResults>,
    is_ending: bool,
}

impl RoundsView {
    pub(super) fn new(port: &str, has_color: bool) -> Self {
        Self {
            port: sanitize::for_terminal(port).into_owned(),
            has_color,
            ..Self::default()
        }
    }

    /// A step has ended.
    pub(super) fn step(&mut self, step: &StepResult) {
        let mut text = say!(
            "pair-watch.step",
            step = words::pair::step_name(step.step),
            seen = words::pair::said(&step.seen)
        );
        self.step = sanitize::for_terminal(&text).into_owned();
        if step.step == Step::Serial && step.verdict == Verdict::Passed {
            self.state = State::Testing;
        }
        for finding in &step.findings {
            let meaning = words::pair::meaning(finding.diagnosis);
            let next = words::pair::next(finding.diagnosis);
            text.push_str(" - ");
            text.push_str(&say!(
                "pair-watch.finding",
                meaning = meaning.as_str(),
                next = next.as_str()
            ));
            if step.verdict == Verdict::Failed {
                // A gap in the timeline.
                if self.state == State::Works {
                    self.push(Point::default());
                }
                self.state = State::Problem { meaning, next };
            }
        }
        let text = sanitize::for_terminal(&text).into_owned();
        self.log(Some(step.verdict), text);
    }

    /// A line for the log.
    pub(super) fn message(&mut self, line: String) {
        self.log(None, line);
    }

    fn log(&mut self, verdict: Option<Verdict>, text: String) {
        while self.log.len() >= LOG {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { verdict, text });
    }

    /// A round has ended.
    pub(super) fn round(&mut self, round: RoundResults) {
        self.rounds += 1;
        self.state = match round.findings.first() {
            None => {
                self.good_rounds += 1;
                State::Works
            }
            Some(finding) => State::Problem {
                meaning: words::pair::meaning(finding.diagnosis),
                next: words::pair::next(finding.diagnosis),
            },
        };
        for (total, way) in [
            (&mut self.down, round.down),
            (&mut self.up, round.up),
            (&mut self.echo, round.echo),
        ] {
            total.add(way);
        }
        let loss = |way: DirectionCounts| (way.sent > 0).then(|| way.loss());
        self.push(Point {
            down: loss(round.down),
            up: loss(round.up),
            echo: loss(round.echo),
            rtt: round.rtt.map(|[_, median, ..]| median),
        });
        self.last = Some(round);
    }

    fn push(&mut self, point: Point) {
        self.past.truncate(KEPT - 1);
        self.past.push_front(point);
    }

    /// Ctrl-C was pressed.
    pub(super) fn ending(&mut self) {
        self.is_ending = true;
    }
}
