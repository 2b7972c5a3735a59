//! The three steps of traffic, and what their results mean together.

use std::fmt::Write as _;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::seconds;
use crate::pair::Plan;
use crate::pair::counts::Counts;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::measure::{self, Course, Down, LONGEST, Longest, TUTORIAL, Trouble, Up};
use crate::pair::post::Arrived;
use crate::pair::report::{Finding, Step, StepResult, Verdict};
use crate::pair::run::trouble_of;
use crate::pair::talk::Talk;
use crate::pair::wifi::Online;
use crate::stats::Spread;

/// A signal at or below this loses datagrams: below -75 dBm 802.11n falls back to its slowest rates.
const WEAK: i64 = -75;

/// Whoever keeps the results.
pub(super) trait Ending {
    fn end_step(&mut self, result: StepResult, start: Instant);
    fn plan(&self) -> &Plan;
    /// Whether the last step makes going on pointless.
    fn must_stop(&self) -> bool;
}

/// One direction's measurement, or why there is none.
type Measured<T> = Result<T, Option<Trouble>>;

/// Measures both directions and the echo.
pub(super) fn traffic(
    run: &mut impl Ending,
    talk: &mut Talk,
    course: &mut Course,
    arrivals: Option<&Receiver<Arrived>>,
    online: &Online,
) {
    let mut judge = Judge {
        is_lossy: false,
        max_loss: run.plan().max_loss,
        rssi: online.rssi,
        port: course.port,
        same_network: course
            .facing
            .interface
            .as_ref()
            .is_none_or(|found| found.has_board),
    };
    let start = Instant::now();
    let down = measure::down(talk, course);
    // What nothing in this direction means depends on the other: that is measured before the first is judged.
    let is_silent = down.as_ref().is_ok_and(|down| down.counts.received() == 0);
    let mut early = None;
    if is_silent {
        let start = Instant::now();
        early = Some((up(talk, course, arrivals), start.elapsed()));
    }
    let up_received = early
        .as_ref()
        .and_then(|(up, _)| up.as_ref().ok())
        .map(|up| up.counts.received());
    let down_received = down.as_ref().ok().map(|down| down.counts.received());
    let mut result = StepResult::new(
        Step::PcToBoard,
        format!("send to {}:{}", course.board, course.board_port),
    );
    match down {
        Ok(down) => {
            judge.down(&down, up_received, course, &mut result);
            // Where datagrams of any size are lost a lost one says nothing about its size.
            let longest = if is_silent || judge.is_lossy {
                Ok(None)
            } else {
                measure::longest_down(talk, course)
            };
            longest_of(longest, course, &mut result, true, down.tutorial);
        }
        Err(trouble) => trouble_of(&mut result, trouble, course.board_port),
    }
    run.end_step(result, start);
    if run.must_stop() {
        return;
    }

    let start = Instant::now();
    let (up, spent) = early.unwrap_or_else(|| (up(talk, course, arrivals), Duration::ZERO));
    let start = start.checked_sub(spent).unwrap_or(start);
    let mut result = StepResult::new(
        Step::BoardToPc,
        format!("send to {}:{}", course.facing.local, course.port),
    );
    match up {
        Ok(up) => {
            judge.up(&up, down_received, course, &mut result);
            let longest = match arrivals {
                Some(arrivals) if up.counts.received() > 0 && !judge.is_lossy => {
                    measure::longest_up(talk, course, arrivals)
                }
                _ => Ok(None),
            };
            longest_of(longest, course, &mut result, false, None);
        }
        Err(None) => {
            result.verdict = Verdict::Skipped;
            format!("nobody listens on UDP port {}", course.port).clone_into(&mut result.seen);
        }
        Err(Some(trouble)) => trouble_of(&mut result, trouble, course.board_port),
    }
    run.end_step(result, start);
    if run.must_stop() {
        return;
    }

    let start = Instant::now();
    let mut result = StepResult::new(
        Step::Echo,
        format!(
            "{} bytes to {}:{} and back",
            measure::ECHO_SIZE,
            course.board,
            course.board_port
        ),
    );
    if down_received == Some(0) {
        result.verdict = Verdict::Skipped;
        "no datagram reaches the board".clone_into(&mut result.seen);
    } else {
        let count = run.plan().count;
        match measure::echo(talk, course, count) {
            Ok(echo) => judge.echo(&echo, &mut result),
            Err(trouble) => trouble_of(&mut result, trouble, course.board_port),
        }
    }
    run.end_step(result, start);
}

fn up(talk: &mut Talk, course: &mut Course, arrivals: Option<&Receiver<Arrived>>) -> Measured<Up> {
    let Some(arrivals) = arrivals else {
        return Err(None);
    };
    let (sizes, count, interval) = (course.sizes.clone(), course.count, course.interval);
    measure::up(talk, course, arrivals, &sizes, count, interval).map_err(Some)
}

/// Datagrams that arrived shorter than they were sent.
fn cut(counts: &Counts, result: &mut StepResult) {
    let cut = counts.sizes_cut();
    if !cut.is_empty() {
        result.fail(Finding::with(
            Diagnosis::PayloadCut,
            format!("cut: {}", sizes(&cut)),
        ));
    }
}

/// What results mean.
struct Judge {
    /// Whether a direction lost more than is allowed.
    is_lossy: bool,
    max_loss: f64,
    rssi: Option<i64>,
    port: u16,
    same_network: bool,
}

impl Judge {
    fn down(
        &mut self,
        down: &Down,
        up_received: Option<u64>,
        course: &Course,
        result: &mut StepResult,
    ) {
        let counts = &down.counts;
        result.seen = counts.summary();
        result.notes.push(counts.by_size());
        result.figures = counts.json();
        set(result, "recvfrom_1024_of_1025", json!(down.tutorial));
        if let Some(error) = &down.error {
            result.notes.push(format!("this PC's last error: {error}"));
        }
        cut(counts, result);
        if counts.received() == 0 {
            let diagnosis = match up_received {
                _ if !self.same_network && up_received.unwrap_or(0) == 0 => {
                    Diagnosis::DifferentSubnets
                }
                Some(0) => Diagnosis::ApIsolation,
                _ => Diagnosis::PcToBoardBlocked,
            };
            let detail = match up_received {
                Some(0) => format!(
                    "nothing from {} to {} and nothing back",
                    course.facing.local, course.board
                ),
                Some(came) => format!("{came} datagrams came from the board at the same time"),
                None => "the other direction could not be tried".to_owned(),
            };
            result.fail(Finding::with(diagnosis, detail));
            return;
        }
        self.lost(counts, result);
    }

    fn up(
        &mut self,
        up: &Up,
        down_received: Option<u64>,
        course: &Course,
        result: &mut StepResult,
    ) {
        let counts = &up.counts;
        result.seen = counts.summary();
        result.notes.push(counts.by_size());
        result.figures = counts.json();
        if let Some([min, median, p99, max]) = up.gaps.quantiles() {
            let [least, middle, most] = [min, median, max].map(seconds);
            result.notes.push(format!(
                "every {} asked; kept {least} to {most}, in the middle {middle}",
                seconds(course.interval),
            ));
            set(
                result,
                "interval_ms",
                json!({"asked": ms(course.interval), "min": ms(min), "median": ms(median), "p99": ms(p99), "max": ms(max)}),
            );
        }
        if let Some(number) = up.error {
            result
                .notes
                .push(format!("the board's last error in sendto: {number}"));
            set(result, "board_errno", json!(number));
        }
        cut(counts, result);
        if counts.received() == 0 {
            let diagnosis = match down_received {
                Some(0) | None if !self.same_network => Diagnosis::DifferentSubnets,
                Some(0) => Diagnosis::ApIsolation,
                _ => Diagnosis::PcFirewall,
            };
            result.fail(Finding::with(
                diagnosis,
                match down_received {
                    Some(0) | None => {
                        format!("nothing from {} to {}", course.board, course.facing.local)
                    }
                    Some(came) => format!(
                        "{came} reached the board, none of {} came back to UDP port {}",
                        counts.sent(),
                        self.port
                    ),
                },
            ));
            return;
        }
        self.lost(counts, result);
    }

    /// Loss, by what it looks like.
    fn lost(&mut self, counts: &Counts, result: &mut StepResult) {
        let gone = counts.sizes_lost();
        if !gone.is_empty() {
            result.fail(Finding::with(
                Diagnosis::SizeLost,
                format!("never came: {}", sizes(&gone)),
            ));
        }
        // Sizes that never come say nothing about the loss of the others.
        let (sent, received) = counts
            .sizes
            .iter()
            .filter(|count| !gone.contains(&count.size))
            .fold((0, 0), |(sent, received), count| {
                (sent + count.sent, received + count.received)
            });
        let loss = if sent == 0 {
            0.0
        } else {
            (sent - received.min(sent)) as f64 * 100.0 / sent as f64
        };
        if loss > self.max_loss {
            self.is_lossy = true;
            result.fail(self.loss(loss));
        }
    }

    fn loss(&self, loss: f64) -> Finding {
        let signal = self.rssi.map_or_else(
            || "signal unknown".to_owned(),
            |rssi| format!("signal {rssi} dBm"),
        );
        let diagnosis = if self.rssi.is_some_and(|rssi| rssi <= WEAK) {
            Diagnosis::WeakSignal
        } else {
            Diagnosis::Loss
        };
        Finding::with(
            diagnosis,
            format!("{loss:.1} % lost, {} % allowed; {signal}", self.max_loss),
        )
    }

    fn echo(&self, echo: &measure::Echo, result: &mut StepResult) {
        result.seen = format!("{} of {} came back", echo.received, echo.sent);
        if echo.received > 0 {
            let _ = write!(result.seen, ", RTT {}", echo.rtt);
        }
        result.figures = json!({
            "sent": echo.sent,
            "received": echo.received,
            "lost": echo.sent - echo.received,
            "other": echo.other,
            "size": measure::ECHO_SIZE,
            "rtt_ms": spread(&echo.rtt),
        });
        if echo.received == 0 && !self.is_lossy {
            result.fail(Finding::plain(Diagnosis::NoEcho));
            return;
        }
        // There and back is lost twice as often as one way.
        let loss = (echo.sent - echo.received) as f64 * 100.0 / echo.sent.max(1) as f64;
        if loss > self.max_loss * 2.0 {
            result.fail(self.loss(loss));
        }
    }
}

/// `min`, `median`, `p99`, `max` in milliseconds; null if nothing was counted.
fn spread(spread: &Spread) -> Value {
    spread.quantiles().map_or(Value::Null, |[min, median, p99, max]| {
        json!({"min": ms(min), "median": ms(median), "p99": ms(p99), "max": ms(max)})
    })
}

/// Milliseconds with three digits behind the point.
fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn set(result: &mut StepResult, key: &str, value: Value) {
    if let Some(figures) = result.figures.as_object_mut() {
        figures.insert(key.to_owned(), value);
    }
}

fn sizes(sizes: &[usize]) -> String {
    let list: Vec<String> = sizes.iter().map(|size| format!("{size} bytes")).collect();
    list.join(", ")
}

/// Adds the longest payload that survives, and the limit that was met. `tutorial`: how much of 1,025 bytes the board's
/// `recvfrom(1024)` took.
fn longest_of(
    longest: Result<Option<Longest>, Trouble>,
    course: &Course,
    result: &mut StepResult,
    is_down: bool,
    tutorial: Option<usize>,
) {
    let longest = match longest {
        Ok(Some(longest)) => longest,
        Ok(None) => return,
        Err(trouble) => return trouble_of(result, trouble, course.board_port),
    };
    let (code, limit) = limit(longest, measure::mtu(course));
    let mut note = format!("longest whole payload {} bytes: {limit}", longest.whole);
    if is_down && tutorial == Some(TUTORIAL) {
        note.push_str("; through the tutorial's recvfrom(1024) 1024: of 1025 bytes it took 1024");
    }
    result.notes.push(note);
    set(
        result,
        "longest",
        json!({"bytes": longest.whole, "fails": longest.fails, "limit": code}),
    );
}

/// The limit by name: a stable code, and words.
fn limit(longest: Longest, mtu: usize) -> (&'static str, String) {
    let whole = mtu.saturating_sub(28);
    match longest.fails {
        None if longest.memory => (
            "board_memory",
            "the board's memory takes no longer one".to_owned(),
        ),
        None => ("none", format!("no limit met up to {LONGEST}")),
        Some(_) if longest.memory => (
            "board_refuses",
            "the board refuses to send a longer one".to_owned(),
        ),
        Some(fails) if longest.whole == whole || (fails > 1472 && longest.whole <= 1472) => (
            "mtu",
            format!("the MTU of {mtu}; longer ones travel in fragments, which do not get through"),
        ),
        Some(_) if longest.whole == TUTORIAL => {
            ("recvfrom_1024", "a recvfrom(1024) on the way".to_owned())
        }
        Some(_) if longest.whole > whole => (
            "fragments",
            format!(
                "fragments beyond {} are not put together",
                longest.whole.div_ceil(mtu.saturating_sub(20).max(1))
            ),
        ),
        Some(_) => (
            "network",
            "something in the network takes no longer one".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_names() {
        let longest = |whole, fails, memory| Longest {
            whole,
            fails,
            memory,
        };
        for (found, code) in [
            (longest(8192, None, false), "none"),
            (longest(2000, None, true), "board_memory"),
            (longest(1472, Some(1473), false), "mtu"),
            (longest(1024, Some(1025), false), "mtu"),
            (longest(2960, Some(2961), false), "fragments"),
            (longest(600, Some(601), false), "network"),
            (longest(4096, Some(4097), true), "board_refuses"),
        ] {
            if found.whole != 1024 {
                assert_eq!(limit(found, 1500).0, code, "{found:?}");
            }
        }
        assert_eq!(
            limit(longest(1024, Some(1025), false), 1500).0,
            "recvfrom_1024"
        );
        assert_eq!(limit(longest(1252, Some(1253), false), 1280).0, "mtu");
    }
}
