//! The three steps of traffic, and what their results mean together.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::pair::Plan;
use crate::pair::counts::Counts;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::failure::trouble_of;
use crate::pair::measure::{self, Course, Down, Longest, TUTORIAL, Trouble, Up};
use crate::pair::post::Arrived;
use crate::pair::report::{Finding, Step, StepResult, Verdict};
use crate::pair::talk::Talk;
use crate::pair::wifi::Online;
use crate::udp::stats::Spread;

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
    let early_up = early.as_ref().and_then(|(up, _)| up.as_ref().ok());
    let downwards = down.as_ref().ok().map(|down| Downwards {
        received: down.counts.received(),
        alias: down.alias,
    });
    let mut result = StepResult::new(
        Step::PcToBoard,
        format!("send to {}:{}", course.board, course.board_port),
    );
    match down {
        Ok(down) => {
            judge.down(&down, early_up, course, &mut result);
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
            judge.up(&up, downwards, course, &mut result);
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
    if downwards.is_some_and(|down| down.received == 0) {
        result.verdict = Verdict::Skipped;
        "no datagram reaches the board".clone_into(&mut result.seen);
    } else {
        let count = run.plan().count;
        match measure::echo(talk, course, count) {
            Ok(echo) => judge.echo(&echo, course, &mut result),
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

/// What the way from the PC to the board says about the way back.
#[derive(Debug, Clone, Copy)]
struct Downwards {
    received: u64,
    /// The address that the board saw the PC's datagrams come from, if it is not the PC's.
    alias: Option<Ipv4Addr>,
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
    fn down(&mut self, down: &Down, up: Option<&Up>, course: &Course, result: &mut StepResult) {
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
            let up_received = up.map(|up| up.counts.received());
            let diagnosis = match up {
                _ if !self.same_network && up_received.unwrap_or(0) == 0 => {
                    Diagnosis::DifferentSubnets
                }
                Some(up) if up.alias.is_some() => Diagnosis::AddressRewritten,
                Some(_) if up_received == Some(0) => Diagnosis::ApIsolation,
                _ => Diagnosis::PcToBoardBlocked,
            };
            let detail = match (up, up_received) {
                (Some(up), Some(0)) => nothing_both_ways(up, course),
                (
                    Some(Up {
                        alias: Some(alias), ..
                    }),
                    Some(received),
                ) => format!(
                    "{received} datagrams arrived from the board, but from {alias} instead of its own address {}",
                    course.board
                ),
                (_, Some(received)) => {
                    format!("{received} datagrams arrived from the board at the same time")
                }
                (_, None) => "the other direction could not be tried".to_owned(),
            };
            result.fail(Finding::with(diagnosis, detail));
            return;
        }
        if let Some(alias) = down.alias {
            result.warn(Finding::with(
                Diagnosis::AddressRewritten,
                format!(
                    "the board sees this PC at {alias} instead of {}",
                    course.facing.local
                ),
            ));
        }
        self.lost(counts, result);
    }

    fn up(&mut self, up: &Up, down: Option<Downwards>, course: &Course, result: &mut StepResult) {
        let counts = &up.counts;
        result.seen = counts.summary();
        result.notes.push(counts.by_size());
        result.figures = counts.json();
        if let Some([min, median, p99, max]) = up.gaps.quantiles() {
            let [least, middle, most] = [min, median, max].map(millis);
            result.notes.push(format!(
                "interval: {} ms asked for; between {least} and {most} ms, median {middle} ms",
                millis(course.interval),
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
            let down_received = down.map(|down| down.received);
            let down_alias = down.and_then(|down| down.alias);
            let diagnosis = match down_received {
                Some(0) | None if !self.same_network => Diagnosis::DifferentSubnets,
                Some(0) => Diagnosis::ApIsolation,
                _ if down_alias.is_some() => Diagnosis::AddressRewritten,
                _ if up.no_arp > 0 => Diagnosis::BoardNoArp,
                _ => Diagnosis::PcFirewall,
            };
            let detail = match (diagnosis, down_received, down_alias) {
                (_, Some(0) | None, _) => nothing_back(up, course),
                (Diagnosis::BoardNoArp, ..) => no_arp(course.facing.local),
                (_, Some(received), Some(alias)) => format!(
                    "{received} reached the board from {alias} instead of {}; none of {} reached {} UDP port {}",
                    course.facing.local,
                    counts.sent(),
                    course.facing.local,
                    self.port
                ),
                (_, Some(received), None) => format!(
                    "{received} reached the board, none of {} reached this PC's UDP port {}",
                    counts.sent(),
                    self.port
                ),
            };
            result.fail(Finding::with(diagnosis, detail));
            return;
        }
        if let Some(alias) = up.alias {
            set(result, "from", json!(alias.to_string()));
            result.fail(Finding::with(
                Diagnosis::AddressRewritten,
                format!(
                    "they arrived from {alias} instead of the board's own address {}",
                    course.board
                ),
            ));
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

    fn echo(&self, echo: &measure::Echo, course: &Course, result: &mut StepResult) {
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
        if let Some(number) = echo.error {
            result
                .notes
                .push(format!("the board's last error in sendto: {number}"));
            set(result, "board_errno", json!(number));
        }
        if echo.received == 0 && !self.is_lossy {
            result.fail(match echo.error {
                Some(measure::ENOMEM) => {
                    Finding::with(Diagnosis::BoardNoArp, no_arp(course.facing.local))
                }
                _ => Finding::plain(Diagnosis::NoEcho),
            });
            return;
        }
        // There and back is lost twice as often as one way.
        let loss = (echo.sent - echo.received) as f64 * 100.0 / echo.sent.max(1) as f64;
        if loss > self.max_loss * 2.0 {
            result.fail(self.loss(loss));
        }
    }
}

/// ENOMEM from the board's `sendto` in words.
fn no_arp(pc: Ipv4Addr) -> String {
    format!("the board's sendto says ENOMEM (12): nobody answers its ARP request for {pc}")
}

/// Silence in both directions, with what the board's own `sendto` says about it.
fn nothing_both_ways(up: &Up, course: &Course) -> String {
    let mut text = format!(
        "nothing from {} to {} and nothing back",
        course.facing.local, course.board
    );
    if up.no_arp > 0 {
        text.push_str("; ");
        text.push_str(&no_arp(course.facing.local));
    }
    text
}

/// Silence from the board.
fn nothing_back(up: &Up, course: &Course) -> String {
    let mut text = format!("nothing from {} to {}", course.board, course.facing.local);
    if up.no_arp > 0 {
        text.push_str("; ");
        text.push_str(&no_arp(course.facing.local));
    }
    text
}

/// Milliseconds with three significant digits, without zeros at the end.
fn millis(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    let digits = if ms >= 100.0 {
        0
    } else if ms >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{ms:.digits$}");
    match text.split_once('.') {
        Some((whole, part)) => match part.trim_end_matches('0') {
            "" => whole.to_owned(),
            part => format!("{whole}.{part}"),
        },
        None => text,
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
    let mut note = format!(
        "largest payload that arrived whole: {} bytes ({limit}).",
        longest.whole
    );
    if is_down && tutorial == Some(TUTORIAL) {
        note.push_str(" recvfrom(1024) cuts longer ones to 1024.");
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
            "the board has no memory for a larger one".to_owned(),
        ),
        None => ("none", "no limit found".to_owned()),
        Some(_) if longest.memory => (
            "board_refuses",
            "the board refuses to send a larger one".to_owned(),
        ),
        Some(fails) if longest.whole == whole || (fails > 1472 && longest.whole <= 1472) => (
            "mtu",
            format!(
                "limit: the MTU of {mtu}; larger ones are sent in fragments, which do not get through"
            ),
        ),
        Some(_) if longest.whole == TUTORIAL => (
            "recvfrom_1024",
            "limit: a recvfrom(1024) on the way".to_owned(),
        ),
        Some(_) if longest.whole > whole => (
            "fragments",
            format!(
                "limit: more than {} fragments are not put together",
                longest.whole.div_ceil(mtu.saturating_sub(20).max(1))
            ),
        ),
        Some(_) => (
            "network",
            "limit: something in the network drops larger ones".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_three_digits() {
        for (micros, text) in [
            (26_600, "26.6"),
            (118_400, "118"),
            (50_000, "50"),
            (1_234, "1.23"),
            (0, "0"),
        ] {
            assert_eq!(millis(Duration::from_micros(micros)), text);
        }
    }

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
