//! The history of a watch in limited memory: when there are too many periods, two are merged into one.
//!
//! Long because stretches are judged by the periods and the periods are joined here, too.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::{DirectionCounts, RoundResults, Signal};
use crate::pair::diagnosis::Diagnosis;
use crate::pair::results::{Finding, Step, StepResult, Verdict};

/// The maximum number of periods.
pub(crate) const MOST_PERIODS: usize = 240;

/// The length of a period at first: at least one round with the default interval.
const FIRST_LENGTH: Duration = Duration::from_secs(2);

/// The maximum number of access points that are told apart; the last one stands for all others.
const MOST_ACCESS_POINTS: usize = 16;

/// The minimum number of datagrams, in both directions together, to call a stretch bad: those of 5 rounds. With fewer,
/// a single lost datagram would be enough.
const ENOUGH: u64 = 100;

/// What several rounds saw together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Period {
    /// The number of rounds.
    pub(crate) rounds: u64,
    /// From the PC to the board.
    pub(crate) down: DirectionCounts,
    /// From the board to the PC.
    pub(crate) up: DirectionCounts,
    /// There and back.
    pub(crate) echo: DirectionCounts,
    /// The lowest signal, in dBm.
    pub(crate) rssi_min: Option<i64>,
    /// The duration of the longest round.
    pub(crate) longest_round: Duration,
    /// The longest round trip.
    pub(crate) rtt_max: Option<Duration>,
    /// A bit for each access point, in the order of [`History::access_points`].
    pub(crate) access_points: u16,
    /// In how many rounds each problem was found.
    pub(crate) codes: BTreeMap<Diagnosis, u64>,
    medians: Duration,
    rounds_with_rtt: u32,
    rssi_sum: i64,
    rounds_with_rssi: i64,
}

impl Period {
    fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        for (sum, way) in [
            (&mut self.down, other.down),
            (&mut self.up, other.up),
            (&mut self.echo, other.echo),
        ] {
            sum.sent += way.sent;
            sum.received += way.received;
        }
        self.rssi_min = [self.rssi_min, other.rssi_min].into_iter().flatten().min();
        self.longest_round = self.longest_round.max(other.longest_round);
        self.rtt_max = self.rtt_max.max(other.rtt_max);
        self.access_points |= other.access_points;
        for (code, rounds) in &other.codes {
            *self.codes.entry(*code).or_default() += rounds;
        }
        self.medians += other.medians;
        self.rounds_with_rtt += other.rounds_with_rtt;
        self.rssi_sum += other.rssi_sum;
        self.rounds_with_rssi += other.rounds_with_rssi;
    }

    fn of(round: &RoundResults) -> Self {
        let mut codes = BTreeMap::new();
        for finding in &round.findings {
            // Count a problem once per round, even if both directions have it.
            codes.insert(finding.diagnosis, 1);
        }
        let median = round.rtt.map(|[_, median, ..]| median);
        Self {
            rounds: 1,
            down: round.down,
            up: round.up,
            echo: round.echo,
            rssi_min: round.signal.rssi,
            longest_round: round.time,
            rtt_max: round.rtt.map(|[.., max]| max),
            access_points: 0,
            codes,
            medians: median.unwrap_or_default(),
            rounds_with_rtt: u32::from(median.is_some()),
            rssi_sum: round.signal.rssi.unwrap_or_default(),
            rounds_with_rssi: i64::from(round.signal.rssi.is_some()),
        }
    }

    /// The counts of both directions together.
    #[must_use]
    pub(crate) fn both(&self) -> DirectionCounts {
        DirectionCounts {
            sent: self.down.sent + self.up.sent,
            received: self.down.received + self.up.received,
        }
    }

    /// The mean of the rounds' median round trips.
    #[must_use]
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.medians.checked_div(self.rounds_with_rtt)
    }

    /// The mean signal, in dBm.
    #[must_use]
    pub(crate) fn rssi(&self) -> Option<i64> {
        self.rssi_sum.checked_div(self.rounds_with_rssi)
    }

    /// The problem that most rounds had.
    #[must_use]
    pub(crate) fn code(&self) -> Option<Diagnosis> {
        let most = self.codes.iter().max_by_key(|(_, rounds)| **rounds);
        most.map(|(code, _)| *code)
    }
}

/// An access point that the board was connected to.
#[derive(Debug, Clone)]
pub(crate) struct AccessPoint {
    /// The access point's address, if the firmware reports it.
    pub(crate) bssid: Option<[u8; 6]>,
    /// The access point's channel, if the firmware reports it.
    pub(crate) channel: Option<u8>,
    /// Whether this entry stands for all access points after the limit.
    pub(crate) is_rest: bool,
    /// What the rounds saw there.
    pub(crate) sum: Period,
}

/// How often a problem was found, and when.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The number of rounds, or of sessions that ended with it.
    pub(crate) times: u64,
    /// When it was found first.
    pub(crate) first: Duration,
    /// When it was found last.
    pub(crate) last: Duration,
    /// The latest finding.
    pub(crate) finding: Finding,
}

/// Consecutive periods in which the loss was more than twice the accepted loss.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    /// Which periods.
    pub(crate) periods: Range<usize>,
    /// What they saw.
    pub(crate) sum: Period,
}

/// The complete history of a watch.
#[derive(Debug)]
pub(crate) struct History {
    length: Duration,
    periods: Vec<Period>,
    total: Period,
    access_points: Vec<AccessPoint>,
    found: BTreeMap<Diagnosis, Found>,
    steps: Vec<StepResult>,
    elapsed: Duration,
}

impl Default for History {
    fn default() -> Self {
        Self {
            length: FIRST_LENGTH,
            periods: Vec::new(),
            total: Period::default(),
            access_points: Vec::new(),
            found: BTreeMap::new(),
            steps: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }
}

impl History {
    /// Takes a round that ended this long after the start.
    pub(crate) fn round(&mut self, round: &RoundResults, at: Duration) {
        self.elapsed = self.elapsed.max(at);
        for finding in &round.findings {
            self.found(finding, at);
        }
        let mut period = Period::of(round);
        let place = self.access_point(round.signal);
        if let Some(point) = self.access_points.get_mut(place) {
            point.sum.add(&period);
            period.access_points = 1 << place;
        }
        self.total.add(&period);
        if let Some(sum) = self.period(at) {
            sum.add(&period);
        }
    }

    /// Takes a step of a session: the latest results, and what was wrong.
    pub(crate) fn step(&mut self, step: &StepResult, at: Duration) {
        self.elapsed = self.elapsed.max(at);
        if step.verdict == Verdict::Interrupted {
            return;
        }
        for finding in &step.findings {
            self.found(finding, at);
        }
        let is_known = [Step::Firmware, Step::Wifi, Step::Addresses].contains(&step.step);
        if is_known && step.verdict != Verdict::Failed {
            self.steps.retain(|known| known.step != step.step);
            self.steps.push(step.clone());
        }
    }

    /// Ends the watch this long after its start.
    pub(crate) fn end(&mut self, at: Duration) {
        self.elapsed = self.elapsed.max(at);
        self.period(at);
    }

    /// The period of a time.
    fn period(&mut self, at: Duration) -> Option<&mut Period> {
        while self.index(at) >= MOST_PERIODS {
            self.halve();
        }
        let index = self.index(at);
        if index >= self.periods.len() {
            self.periods.resize(index + 1, Period::default());
        }
        self.periods.get_mut(index)
    }

    fn found(&mut self, finding: &Finding, at: Duration) {
        let found = self.found.entry(finding.diagnosis).or_insert(Found {
            times: 0,
            first: at,
            last: at,
            finding: finding.clone(),
        });
        // Both directions of a round report it at the same time.
        if found.times == 0 || found.last != at {
            found.times += 1;
        }
        found.last = at;
        found.finding = finding.clone();
    }

    fn access_point(&mut self, signal: Signal) -> usize {
        // An access point that changes its channel keeps its address.
        let is_same = |point: &AccessPoint| {
            point.bssid == signal.bssid
                && (point.bssid.is_some() || point.channel == signal.channel)
        };
        if let Some(place) = self.access_points.iter().position(is_same) {
            return place;
        }
        let place = self.access_points.len().min(MOST_ACCESS_POINTS - 1);
        if place == self.access_points.len() {
            let is_rest = place == MOST_ACCESS_POINTS - 1;
            self.access_points.push(AccessPoint {
                bssid: signal.bssid.filter(|_| !is_rest),
                channel: signal.channel.filter(|_| !is_rest),
                is_rest,
                sum: Period::default(),
            });
        }
        place
    }

    fn index(&self, at: Duration) -> usize {
        let index = at.as_nanos() / self.length.as_nanos().max(1);
        usize::try_from(index).unwrap_or(usize::MAX)
    }

    fn halve(&mut self) {
        self.length = self.length.saturating_mul(2);
        let halves = self.periods.chunks(2).map(sum);
        self.periods = halves.collect();
    }

    /// The periods so far, from the start of the watch.
    pub(crate) fn periods(&self) -> &[Period] {
        &self.periods
    }

    /// The data of a period: its own, or that of the later period with the round that was running then.
    pub(crate) fn known(&self, index: usize) -> Option<&Period> {
        let later = self.periods.get(index..)?.iter().enumerate();
        let (distance, found) = later
            .map(|(distance, period)| (u32::try_from(distance).unwrap_or(u32::MAX), period))
            .find(|(_, period)| period.rounds > 0)?;
        let is_running = self.length.saturating_mul(distance) < found.longest_round;
        (distance == 0 || is_running).then_some(found)
    }

    /// The length of a period.
    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// The duration of the watch.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// All rounds together.
    pub(crate) fn total(&self) -> &Period {
        &self.total
    }

    /// The access points, in the order in which the board met them.
    pub(crate) fn access_points(&self) -> &[AccessPoint] {
        &self.access_points
    }

    /// The problems.
    pub(crate) fn problems(&self) -> impl Iterator<Item = (Diagnosis, &Found)> {
        self.found.iter().map(|(code, found)| (*code, found))
    }

    /// The latest good results of firmware, Wi-Fi and addresses.
    pub(crate) fn steps(&self) -> &[StepResult] {
        &self.steps
    }

    /// The bad stretches, in the order of time.
    pub(crate) fn stretches(&self, max_loss: f64) -> Vec<Stretch> {
        let is_bad: Vec<bool> = (0..self.periods.len())
            .map(|index| self.loss_around(index) > (max_loss * 2.0).min(99.0))
            .collect();
        let mut stretches: Vec<Stretch> = Vec::new();
        let is_all_bad =
            |places: Range<usize>| is_bad.get(places).is_some_and(|all| !all.contains(&false));
        for (index, period) in self.periods.iter().enumerate() {
            // A stretch begins and ends with a loss; periods between two losses count as bad, too.
            if !is_all_bad(index..index + 1) || period.both().sent <= period.both().received {
                continue;
            }
            match stretches.last_mut() {
                // A period without rounds, or without a loss, does not split a stretch.
                Some(last) if is_all_bad(last.periods.end..index) => last.periods.end = index + 1,
                last => {
                    let end = last.map_or(0, |last| last.periods.end);
                    stretches.push(Stretch {
                        periods: self.first_of_round(index, end)..index + 1,
                        sum: Period::default(),
                    });
                }
            }
        }
        for stretch in &mut stretches {
            let periods = self.periods.get(stretch.periods.clone());
            stretch.sum = sum(periods.unwrap_or_default());
        }
        stretches
    }

    /// The period from `least` on in which the round that ended in this one was running already: a round with many losses
    /// takes longer than a period.
    fn first_of_round(&self, index: usize, least: usize) -> usize {
        let is_running = |&place: &usize| {
            let period = self.periods.get(place);
            period.is_some_and(|period| period.rounds == 0) && self.known(place).is_some()
        };
        let before = (least..index).rev().take_while(is_running);
        index - before.count()
    }

    /// The loss of both directions in percent, in this period and in as many neighbours as are needed for a reliable
    /// figure.
    fn loss_around(&self, index: usize) -> f64 {
        let mut counts = DirectionCounts::default();
        for distance in 0..self.periods.len() {
            let before = index.checked_sub(distance);
            let after = index.checked_add(distance).filter(|_| distance > 0);
            for place in [before, after].into_iter().flatten() {
                if let Some(period) = self.periods.get(place) {
                    counts.sent += period.both().sent;
                    counts.received += period.both().received;
                }
            }
            if counts.sent >= ENOUGH {
                break;
            }
        }
        counts.percent()
    }
}

fn sum(periods: &[Period]) -> Period {
    let mut sum = Period::default();
    for period in periods {
        sum.add(period);
    }
    sum
}

#[cfg(test)]
mod tests;
