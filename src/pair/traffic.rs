//! The three steps with traffic, and the diagnosis of their results.
//!
//! Long because the three steps with traffic share how they judge what arrived.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::firewall::{self, FirewallVerdict};
use crate::pair::PairPlan;
use crate::pair::board_session::BoardSession;
use crate::pair::counts::SizeCounts;
use crate::pair::diagnosis::Diagnosis;
use crate::pair::failure::trouble_of;
use crate::pair::measure::{self, Down, Longest, MeasurementContext, TUTORIAL, Trouble, Up};
use crate::pair::results::{Finding, Step, StepNote, StepResult};
use crate::pair::sockets::Arrived;
use crate::pair::wifi::Online;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::stats::Spread;

/// The threshold for a weak signal: below -75 dBm, 802.11n falls back to its slowest rates and loses datagrams.
pub(super) const WEAK: i64 = -75;

/// Collects the results of the steps.
pub(super) trait StepCollector {
    /// Takes the result of a step that began at `start`.
    fn end_step(&mut self, result: StepResult, start: Instant);
    /// What to test.
    fn plan(&self) -> &PairPlan;
    /// Whether the last result makes the next steps pointless.
    fn must_stop(&self) -> bool;
}

/// The measurement of one direction, or why it is missing.
type Measured<T> = Result<T, Option<Trouble>>;

/// Measures both directions and the echo.
pub(super) fn traffic(
    run: &mut impl StepCollector,
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    arrivals: Option<&Receiver<Arrived>>,
    online: &Online,
) {
    let mut judge = Judge::new(run.plan().max_loss, online.rssi, context).noting_loss();
    let start = Instant::now();
    let down = measure::down(session, context);
    // The meaning of silence in this direction depends on the other one, so measure that before judging the first.
    let is_silent = down.as_ref().is_ok_and(|down| down.counts.received() == 0);
    let mut early = None;
    if is_silent {
        let start = Instant::now();
        early = Some((up(session, context, arrivals), start.elapsed()));
    }
    let early_up = early.as_ref().and_then(|(up, _)| up.as_ref().ok());
    let downwards = down.as_ref().ok().map(Downwards::of);
    let mut result = StepResult::new(Step::PcToBoard, send_to(context.board, context.board_port));
    match down {
        Ok(down) => {
            judge.down(&down, early_up, context, &mut result);
            // With loss at every size, a lost datagram says nothing about its size.
            let longest = if is_silent || judge.is_lossy {
                Ok(None)
            } else {
                measure::longest_down(session, context)
            };
            longest_of(longest, context, &mut result, true, down.tutorial);
        }
        Err(trouble) => trouble_of(&mut result, trouble, context.board_port),
    }
    run.end_step(result, start);
    if run.must_stop() {
        return;
    }

    let start = Instant::now();
    let (up, spent) = early.unwrap_or_else(|| (up(session, context, arrivals), Duration::ZERO));
    // The step's time includes the measurement that ran earlier for it.
    let start = start.checked_sub(spent).unwrap_or(start);
    let mut result = StepResult::new(Step::BoardToPc, send_to(context.facing.local, context.port));
    match up {
        Ok(up) => {
            judge.up(&up, downwards, context, &mut result);
            let longest = match arrivals {
                Some(arrivals) if up.counts.received() > 0 && !judge.is_lossy => {
                    measure::longest_up(session, context, arrivals)
                }
                _ => Ok(None),
            };
            longest_of(longest, context, &mut result, false, None);
        }
        Err(None) => {
            result.skip(sentence!("pair.nobody-listens", port = context.port));
        }
        Err(Some(trouble)) => trouble_of(&mut result, trouble, context.board_port),
    }
    run.end_step(result, start);
    if run.must_stop() {
        return;
    }

    let start = Instant::now();
    let mut result = StepResult::new(
        Step::Echo,
        sentence!(
            "pair.echo-tried",
            size: measure::ECHO_SIZE,
            address = SocketAddrV4::new(context.board, context.board_port)
        ),
    );
    if downwards.is_some_and(|down| down.received == 0) {
        result.skip(sentence!("pair.no-datagram-reaches-board"));
    } else {
        let count = run.plan().count;
        match measure::echo(session, context, count) {
            Ok(echo) => judge.echo(&echo, context, &mut result),
            Err(trouble) => trouble_of(&mut result, trouble, context.board_port),
        }
    }
    run.end_step(result, start);
}

/// The sentence about what a direction tries.
fn send_to(address: Ipv4Addr, port: u16) -> Sentence {
    sentence!(
        "pair.send-tried",
        address = SocketAddrV4::new(address, port)
    )
}

/// Measures from the board to the PC; `Err(None)` if this PC has no socket for it.
fn up(
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    arrivals: Option<&Receiver<Arrived>>,
) -> Measured<Up> {
    let Some(arrivals) = arrivals else {
        return Err(None);
    };
    let (sizes, count, interval) = (context.sizes.clone(), context.count, context.interval);
    measure::up(session, context, arrivals, &sizes, count, interval).map_err(Some)
}

/// If nothing arrives, the reason may be the port: the documentation of the board 3.0 uses another one in one place.
fn other_port(context: &MeasurementContext, result: &mut StepResult) {
    if context.is_board_3 {
        result.note(sentence!("boards.port-5005", port = context.port));
    }
}

/// Adds findings for datagrams that arrived truncated.
fn cut(counts: &SizeCounts, result: &mut StepResult) {
    let cut = counts.sizes_cut();
    if !cut.is_empty() {
        result.fail(Finding::with(
            Diagnosis::PayloadCut,
            sentence!("pair.sizes-cut", sizes <- sizes(&cut)),
        ));
    }
}

/// What the results from PC to board imply for the other direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Downwards {
    /// How many datagrams reached the board.
    received: u64,
    /// The source address that the board saw, if it is not the PC's address.
    alias: Option<Ipv4Addr>,
}

impl Downwards {
    /// From the measurement.
    pub(super) fn of(down: &Down) -> Self {
        Self {
            received: down.counts.received(),
            alias: down.alias,
        }
    }
}

/// The loss from which a report mentions it, in percent, and the fewest datagrams: one alone is an accident.
const NOTED_LOSS: f64 = 1.0;
const FEWEST_NOTED: u64 = 2;

/// Derives diagnoses from the results.
pub(super) struct Judge {
    /// Whether a direction lost more than the limit.
    is_lossy: bool,
    /// Whether a loss within the limit is worth a warning.
    notes_loss: bool,
    /// The accepted loss in each direction, in percent.
    max_loss: f64,
    /// The board's signal in dBm.
    rssi: Option<i64>,
    /// The port on which this PC receives.
    port: u16,
    /// Whether both are in one network, as far as this PC can tell.
    same_network: bool,
}

impl Judge {
    /// `rssi` is the board's signal.
    pub(super) fn new(max_loss: f64, rssi: Option<i64>, context: &MeasurementContext) -> Self {
        Self {
            is_lossy: false,
            notes_loss: false,
            max_loss,
            rssi,
            port: context.port,
            same_network: context
                .facing
                .interface
                .as_ref()
                .is_none_or(|found| found.has_board),
        }
    }

    /// Also warns of loss within the limit: the test passes, but its report should mention the loss. A round of `--watch`
    /// has too few datagrams for that.
    pub(super) fn noting_loss(self) -> Self {
        Self {
            notes_loss: true,
            ..self
        }
    }

    /// Judges the direction from the PC to the board. `up` is the other direction, if it was measured already.
    pub(super) fn down(
        &mut self,
        down: &Down,
        up: Option<&Up>,
        context: &MeasurementContext,
        result: &mut StepResult,
    ) {
        let counts = &down.counts;
        result.see(StepNote::list(counts.summary()));
        result.note(StepNote::list(counts.by_size()));
        result.figures = counts.json();
        set(result, "recvfrom_1024_of_1025", json!(down.tutorial));
        if let Some(error) = &down.error {
            result.note(sentence!("pair.pc-last-error", error = error));
        }
        cut(counts, result);
        if counts.received() == 0 {
            let up_received = up.map(|up| up.counts.received());
            let diagnosis = match up {
                // Two different networks explain the silence; nothing need block the datagrams.
                _ if !self.same_network && up_received.unwrap_or(0) == 0 => {
                    Diagnosis::DifferentSubnets
                }
                Some(up) if up.alias.is_some() => Diagnosis::AddressRewritten,
                // A firewall on this PC lets its own datagrams out; only something between the two blocks both
                // directions.
                Some(_) if up_received == Some(0) => Diagnosis::ApIsolation,
                _ => Diagnosis::PcToBoardBlocked,
            };
            let detail = match (up, up_received) {
                (Some(up), Some(0)) => nothing_both_ways(up, context),
                (
                    Some(Up {
                        alias: Some(alias), ..
                    }),
                    Some(received),
                ) => sentence!(
                    "pair.board-seen-as",
                    received: received,
                    alias = alias,
                    board = context.board
                ),
                (_, Some(received)) => {
                    sentence!("pair.board-arrived-meanwhile", received: received)
                }
                (_, None) => sentence!("pair.other-direction-untried"),
            };
            result.fail(Finding::with(diagnosis, detail));
            other_port(context, result);
            return;
        }
        if let Some(alias) = down.alias {
            result.warn(Finding::with(
                Diagnosis::AddressRewritten,
                sentence!("pair.pc-seen-as", alias = alias, pc = context.facing.local),
            ));
        }
        self.lost(counts, result);
    }

    /// Judges the direction from the board to the PC.
    pub(super) fn up(
        &mut self,
        up: &Up,
        down: Option<Downwards>,
        context: &MeasurementContext,
        result: &mut StepResult,
    ) {
        let counts = &up.counts;
        result.see(StepNote::list(counts.summary()));
        result.note(StepNote::list(counts.by_size()));
        result.figures = counts.json();
        if let Some([min, median, p99, max]) = up.gaps.quantiles() {
            let [least, middle, most] = [min, median, max].map(millis);
            result.note(sentence!(
                "pair.interval",
                asked = millis(context.interval),
                least = least,
                most = most,
                median = middle
            ));
            set(
                result,
                "interval_ms",
                json!({"asked": ms(context.interval), "min": ms(min), "median": ms(median), "p99": ms(p99), "max": ms(max)}),
            );
        }
        if let Some(number) = up.error {
            result.note(sentence!("pair.board-last-error", number = number));
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
                // Nobody answered the board's ARP request, so no datagram came as far as this PC's firewall.
                _ if up.no_arp > 0 => Diagnosis::BoardNoArp,
                _ => Diagnosis::PcFirewall,
            };
            let detail = match (diagnosis, down_received, down_alias) {
                (_, Some(0) | None, _) => nothing_back(up, context),
                (Diagnosis::BoardNoArp, ..) => no_arp(context.facing.local),
                (_, Some(received), Some(alias)) => sentence!(
                    "pair.pc-seen-as-none-back",
                    received: received,
                    alias = alias,
                    pc = context.facing.local,
                    sent: counts.sent(),
                    port = self.port
                ),
                (_, Some(received), None) => sentence!(
                    "pair.none-back",
                    received: received,
                    sent: counts.sent(),
                    port = self.port
                ),
            };
            result.fail(Finding::with(diagnosis, detail));
            other_port(context, result);
            if diagnosis == Diagnosis::PcFirewall {
                self.name_the_rule(result);
            }
            return;
        }
        if let Some(alias) = up.alias {
            set(result, "from", json!(alias.to_string()));
            result.fail(Finding::with(
                Diagnosis::AddressRewritten,
                sentence!(
                    "pair.arrived-from-alias",
                    alias = alias,
                    board = context.board
                ),
            ));
        }
        self.lost(counts, result);
    }

    /// Notes which firewall rule drops the board's datagrams, if the rules are readable.
    fn name_the_rule(&self, result: &mut StepResult) {
        if let Ok(FirewallVerdict::Blocked(block)) = firewall::look(self.port, None) {
            let (by, rule) = (block.by.shown(), block.rule_shown());
            result.note(match block.command {
                Some(command) => {
                    sentence!("pair.firewall-rule", by => by, rule => rule, command = command)
                }
                None => {
                    sentence!("pair.firewall-rule-prescribed", by => by, rule => rule, port = self.port)
                }
            });
        }
    }

    /// Adds the finding for loss, by its pattern.
    fn lost(&mut self, counts: &SizeCounts, result: &mut StepResult) {
        let gone = counts.sizes_lost();
        if !gone.is_empty() {
            result.fail(Finding::with(
                Diagnosis::SizeLost,
                sentence!("pair.sizes-never-came", sizes <- sizes(&gone)),
            ));
        }
        // Sizes that never arrive say nothing about the loss of the other sizes.
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
        } else if self.notes_loss && loss >= NOTED_LOSS && sent - received.min(sent) >= FEWEST_NOTED
        {
            result.warn(self.loss(loss));
        }
    }

    /// The finding for this percentage of lost datagrams.
    fn loss(&self, loss: f64) -> Finding {
        let diagnosis = if self.rssi.is_some_and(|rssi| rssi <= WEAK) {
            Diagnosis::WeakSignal
        } else {
            Diagnosis::Loss
        };
        let percent = format!("{loss:.1}");
        let detail = match self.rssi {
            Some(rssi) => sentence!(
                "pair.lost-signal",
                lost = percent,
                allowed = self.max_loss,
                rssi = rssi
            ),
            None => sentence!(
                "pair.lost-signal-unknown",
                lost = percent,
                allowed = self.max_loss
            ),
        };
        Finding::with(diagnosis, detail)
    }

    /// Judges the round trip.
    pub(super) fn echo(
        &self,
        echo: &measure::Echo,
        context: &MeasurementContext,
        result: &mut StepResult,
    ) {
        let mut seen = vec![sentence!(
            "pair.echo-seen",
            received: echo.received,
            sent: echo.sent
        )];
        if let Some(times) = echo.rtt.quantiles() {
            let [min, median, p99, max] =
                times.map(|time| format!("{:.3}", time.as_nanos() as f64 / 1e6));
            seen.push(sentence!(
                "pair.echo-rtt",
                min = min,
                median = median,
                p99 = p99,
                max = max
            ));
        }
        result.see(StepNote::list(seen));
        result.figures = json!({
            "sent": echo.sent,
            "received": echo.received,
            "lost": echo.sent - echo.received,
            "other": echo.other,
            "size": measure::ECHO_SIZE,
            "rtt_ms": spread(&echo.rtt),
        });
        if let Some(number) = echo.error {
            result.note(sentence!("pair.board-last-error", number = number));
            set(result, "board_errno", json!(number));
        }
        // With loss in both directions, lost echoes say nothing new.
        if echo.received == 0 && !self.is_lossy {
            result.fail(match echo.error {
                Some(measure::ENOMEM) => {
                    Finding::with(Diagnosis::BoardNoArp, no_arp(context.facing.local))
                }
                _ => Finding::plain(Diagnosis::NoEcho),
            });
            return;
        }
        // A round trip uses both directions, so allow twice the loss.
        let loss = (echo.sent - echo.received) as f64 * 100.0 / echo.sent.max(1) as f64;
        if loss > self.max_loss * 2.0 {
            result.fail(self.loss(loss));
        }
    }
}

/// The sentence for ENOMEM from the board's `sendto`.
fn no_arp(pc: Ipv4Addr) -> Sentence {
    sentence!("pair.no-arp", pc = pc)
}

/// The sentence for silence in both directions, with the error of the board's `sendto`.
fn nothing_both_ways(up: &Up, context: &MeasurementContext) -> Sentence {
    let (pc, board) = (context.facing.local, context.board);
    if up.no_arp > 0 {
        sentence!("pair.silent-both-ways-no-arp", pc = pc, board = board)
    } else {
        sentence!("pair.silent-both-ways", pc = pc, board = board)
    }
}

/// The sentence for silence from the board.
fn nothing_back(up: &Up, context: &MeasurementContext) -> Sentence {
    let (pc, board) = (context.facing.local, context.board);
    if up.no_arp > 0 {
        sentence!("pair.silent-board-no-arp", pc = pc, board = board)
    } else {
        sentence!("pair.silent-board", pc = pc, board = board)
    }
}

/// Milliseconds with three significant digits, without trailing zeros.
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

/// `min`, `median`, `p99`, `max` in milliseconds; null without measurements.
fn spread(spread: &Spread) -> Value {
    spread.quantiles().map_or(Value::Null, |[min, median, p99, max]| {
        json!({"min": ms(min), "median": ms(median), "p99": ms(p99), "max": ms(max)})
    })
}

/// Milliseconds with three decimals.
fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Adds a figure for programs.
fn set(result: &mut StepResult, key: &str, value: Value) {
    if let Some(figures) = result.figures.as_object_mut() {
        figures.insert(key.to_owned(), value);
    }
}

/// The sizes as phrases, for a list.
fn sizes(sizes: &[usize]) -> Vec<Sentence> {
    sizes
        .iter()
        .map(|&size| sentence!("pair.size", size: size))
        .collect()
}

/// Adds the longest payload that arrived complete, and the limit that was found. `tutorial` is how many of 1,025 bytes
/// the board's `recvfrom(1024)` returned.
fn longest_of(
    longest: Result<Option<Longest>, Trouble>,
    context: &MeasurementContext,
    result: &mut StepResult,
    is_down: bool,
    tutorial: Option<usize>,
) {
    let longest = match longest {
        Ok(Some(longest)) => longest,
        Ok(None) => return,
        Err(trouble) => return trouble_of(result, trouble, context.board_port),
    };
    let (code, limit) = limit(longest, measure::mtu(context));
    let (bytes, limit) = (longest.whole, vec![limit]);
    result.note(if is_down && tutorial == Some(TUTORIAL) {
        sentence!("pair.longest-cut", bytes: bytes, limit <- limit)
    } else {
        sentence!("pair.longest", bytes: bytes, limit <- limit)
    });
    set(
        result,
        "longest",
        json!({"bytes": longest.whole, "fails": longest.fails, "limit": code}),
    );
}

/// The name of the limit: a stable code, and a sentence.
fn limit(longest: Longest, mtu: usize) -> (&'static str, Sentence) {
    // 20 bytes of IPv4 header and 8 of UDP.
    let whole = mtu.saturating_sub(28);
    match longest.fails {
        None if longest.memory => ("board_memory", sentence!("pair.limit-board-memory")),
        None => ("none", sentence!("pair.limit-none")),
        Some(_) if longest.memory => ("board_refuses", sentence!("pair.limit-board-refuses")),
        Some(fails) if longest.whole == whole || (fails > 1472 && longest.whole <= 1472) => {
            ("mtu", sentence!("pair.limit-mtu", mtu: mtu))
        }
        Some(_) if longest.whole == TUTORIAL => {
            ("recvfrom_1024", sentence!("pair.limit-recvfrom-1024"))
        }
        Some(_) if longest.whole > whole => (
            "fragments",
            sentence!(
                "pair.limit-fragments",
                fragments: longest.whole.div_ceil(mtu.saturating_sub(20).max(1))
            ),
        ),
        Some(_) => ("network", sentence!("pair.limit-network")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_three_significant_digits() {
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
