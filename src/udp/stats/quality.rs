//! Figures about the stream of one sender: jitter, reordering extent, gaps, outages, bursts of loss, and their course in
//! time. docs/measuring.md has the formulas.
//!
//! Every estimator takes a constant amount of work for a batch, and memory that does not grow with the run.
//!
//! Long because extents, bursts and intervals come from the same arrivals, and a late number corrects them together.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::datagram::Timestamp;
use crate::udp::stats::jitter::Jitter;
use crate::udp::stats::loss::{Arrival, WINDOW};
use crate::udp::stats::series::Series;

/// The time between two instants in nanoseconds; zero if the clock went back.
fn nanos_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_nanos().saturating_sub(from.as_nanos())).unwrap_or(0)
}

/// How far datagrams came too late, as RFC 4737 measures it (section 4.2.1). The extent of a reordered datagram counts
/// the datagrams since the first one with a higher number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extents {
    /// How many reordered datagrams there were.
    pub(crate) count: u64,
    /// The sum of their extents.
    pub(crate) sum: u64,
    /// The greatest extent.
    pub(crate) longest: u64,
}

impl Extents {
    /// Adds those of another sender.
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
    }
}

/// How many steps of burst lengths there are: 1, 2, 4, 8 ..
const STEPS: usize = 32;

/// How many datagrams in a row were lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bursts {
    /// How many bursts there were.
    pub(crate) count: u64,
    /// The datagrams lost in them.
    pub(crate) lost: u64,
    /// The longest burst.
    pub(crate) longest: u64,
    /// How many bursts there were in each step.
    steps: [u64; STEPS],
}

impl Bursts {
    /// Counts a burst of this length.
    fn record(&mut self, len: u64) {
        if len == 0 {
            return;
        }
        self.count += 1;
        self.lost += len;
        self.longest = self.longest.max(len);
        // The power of two that `len` does not exceed.
        let step = (64 - (len - 1).leading_zeros()) as usize;
        if let Some(count) = self.steps.get_mut(step.min(STEPS - 1)) {
            *count += 1;
        }
    }

    /// The longest length of each step, and how many bursts are in it; up to the longest.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let bounds = (0..).map(|power| 1_u64 << power);
        let steps = bounds.zip(self.steps.iter().copied());
        steps.take_while(|(bound, count)| *count > 0 || *bound < self.longest)
    }

    /// Adds those of another sender.
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.lost += other.lost;
        self.longest = self.longest.max(other.longest);
        for (sum, count) in self.steps.iter_mut().zip(other.steps) {
            *sum += count;
        }
    }
}

/// Consecutive numbers that are missing.
#[derive(Debug, Clone, Copy)]
struct Hole {
    /// The first number.
    start: u64,
    /// The number after the last.
    end: u64,
    /// When the next number arrived, and in which interval.
    noticed: Timestamp,
    interval: u64,
}

/// Numbers that arrived in their order, one after the other, each the highest so far.
#[derive(Debug, Clone, Copy)]
struct Ascent {
    /// The first number.
    start: u64,
    len: u64,
    /// How many numbers had arrived before the first.
    index: u64,
}

/// The order of a sender's numbers.
#[derive(Debug, Clone, Default)]
struct Order {
    ascents: VecDeque<Ascent>,
    holes: VecDeque<Hole>,
    /// The bursts that no late datagram can shorten any more.
    bursts: Bursts,
    extents: Extents,
    /// How many different numbers arrived.
    arrivals: u64,
}

impl Order {
    /// Counts numbers that are each the highest so far.
    fn ascend(&mut self, numbers: Range<u64>) {
        let len = numbers.end - numbers.start;
        match self.ascents.back_mut() {
            Some(last)
                if last.start + last.len == numbers.start
                    && last.index + last.len == self.arrivals =>
            {
                last.len += len;
            }
            _ => self.ascents.push_back(Ascent {
                start: numbers.start,
                len,
                index: self.arrivals,
            }),
        }
        self.arrivals += len;
        // Numbers this old count as permanently lost, even if they arrive, so that memory does not grow with the run.
        let settled = numbers.end.saturating_sub(WINDOW);
        while self
            .ascents
            .front()
            .is_some_and(|ascent| ascent.start + ascent.len <= settled)
        {
            self.ascents.pop_front();
        }
        while let Some(hole) = self.holes.front().filter(|hole| hole.end <= settled) {
            self.bursts.record(hole.end - hole.start);
            self.holes.pop_front();
        }
    }

    /// Counts a number that arrived after a higher one, and returns the hole that contained it.
    fn late(&mut self, number: u64) -> Option<Hole> {
        let first = self
            .ascents
            .partition_point(|ascent| ascent.start + ascent.len <= number + 1);
        if let Some(ascent) = self.ascents.get(first) {
            let passed = (number + 1).saturating_sub(ascent.start);
            let extent = self.arrivals - (ascent.index + passed);
            self.extents.count += 1;
            self.extents.sum += extent;
            self.extents.longest = self.extents.longest.max(extent);
        }
        self.arrivals += 1;
        let place = self.holes.partition_point(|hole| hole.end <= number);
        let hole = *self.holes.get(place).filter(|hole| hole.start <= number)?;
        self.holes.remove(place);
        // The upper part first: both go to the same place, and the lower one must end up in front.
        for (start, end) in [(number + 1, hole.end), (hole.start, number)] {
            if start < end {
                self.holes.insert(place, Hole { start, end, ..hole });
            }
        }
        Some(hole)
    }

    /// The bursts so far, with those that a late datagram could still shorten.
    fn bursts(&self) -> Bursts {
        let mut bursts = self.bursts;
        for hole in &self.holes {
            bursts.record(hole.end - hole.start);
        }
        bursts
    }

    /// A new stream: nothing of the old one can still arrive.
    fn restart(&mut self) {
        // The numbers begin again, so the missing numbers of the old stream are permanently lost.
        self.bursts = self.bursts();
        self.holes.clear();
        self.ascents.clear();
    }
}

/// The counts of one interval between two reports. A number that was missing in an earlier interval and arrives in this
/// one is `recovered`, so that no interval has a negative loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    /// Datagrams that arrived.
    pub(crate) datagrams: u64,
    /// Their payload bytes.
    pub(crate) bytes: u64,
    /// Numbers that were missed in this interval, and are still missing at its end.
    pub(crate) lost: u64,
    /// Numbers that were lost in an earlier interval, and arrived in this one.
    pub(crate) recovered: u64,
    /// Numbers that arrived again.
    pub(crate) duplicate: u64,
    /// Numbers that arrived after a higher one.
    pub(crate) reordered: u64,
}

impl Interval {
    /// Adds those of another sender.
    pub(crate) fn add(&mut self, other: &Self) {
        self.datagrams += other.datagrams;
        self.bytes += other.bytes;
        self.lost += other.lost;
        self.recovered += other.recovered;
        self.duplicate += other.duplicate;
        self.reordered += other.reordered;
    }
}

/// Datagrams of one batch with consecutive numbers and the same times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered {
    /// The first number.
    pub(crate) number: u64,
    /// How many datagrams there are; several only if they are in order.
    pub(crate) count: u64,
    /// When they were sent, by the sender's clock.
    pub(crate) sent: Timestamp,
    /// When they arrived.
    pub(crate) arrived: Timestamp,
    /// The meaning of the first datagram's number.
    pub(crate) arrival: Arrival,
}

/// The figures of one sender.
#[derive(Debug, Default)]
pub(crate) struct Quality {
    /// Datagrams that arrived.
    pub(crate) datagrams: u64,
    /// Their payload bytes.
    pub(crate) bytes: u64,
    /// When the first and the last datagram arrived.
    ends: Option<(Timestamp, Timestamp)>,
    /// The time since the batch before, in nanoseconds.
    gap: u64,
    /// The longest such time.
    longest_gap: u64,
    /// The longest such time in which numbers were lost.
    longest_outage: u64,
    /// How much the transit time varies.
    jitter: Jitter,
    /// What the numbers tell.
    order: Order,
    /// The order and the interval before a possible restart of the sender, whose first numbers look late.
    before_restart: Option<Box<(Order, Interval, u64)>>,
    /// From the lowest number of this stream up to and including the highest.
    numbers: Option<Range<u64>>,
    /// The counts since the last report.
    interval: Interval,
    /// The number of that interval.
    interval_number: u64,
    /// The course in time, if a report needs it.
    series: Option<Box<Series>>,
}

impl Quality {
    /// Begins the figures; with a series, also their course in time.
    #[must_use]
    pub(crate) fn new(series: Option<Series>) -> Self {
        Self {
            series: series.map(Box::new),
            ..Self::default()
        }
    }

    /// Counts datagrams that arrived in one batch.
    pub(crate) fn arrived(&mut self, datagrams: u64, bytes: u64, time: Timestamp) {
        self.datagrams += datagrams;
        self.bytes += bytes;
        self.interval.datagrams += datagrams;
        self.interval.bytes += bytes;
        let (first, last) = self.ends.unwrap_or((time, time));
        self.gap = nanos_between(last, time);
        self.longest_gap = self.longest_gap.max(self.gap);
        // The later time: the clock of this PC may have been set back.
        self.ends = Some((first, last.max(time)));
        if let Some(series) = &mut self.series {
            let point = series.at(time);
            point.datagrams += datagrams;
            point.bytes += bytes;
            point.gap = point.gap.max(self.gap);
        }
    }

    /// Counts the numbers of the given datagrams.
    pub(crate) fn numbered(&mut self, numbered: Numbered) {
        let Numbered {
            number,
            count,
            sent,
            arrived,
            arrival,
        } = numbered;
        // Taken, so that only the first numbers of a batch count the time before it.
        let gap = std::mem::take(&mut self.gap);
        // The sender's clock may have restarted too; a difference across it would say nothing.
        if arrival == Arrival::Restarted {
            self.jitter.restart();
        }
        let difference = self.jitter.record(sent, arrived, count);
        if let Some(series) = &mut self.series {
            let point = series.at(arrived);
            point.difference += difference.unwrap_or_default();
            point.differences += u64::from(difference.is_some()) + count - 1;
        }
        // A sender that was restarted begins at 0, which looks like a late or doubled datagram until more of its
        // numbers come.
        if number == 0 && matches!(arrival, Arrival::Reordered | Arrival::Duplicate) {
            let before = (self.order.clone(), self.interval, self.interval_number);
            self.before_restart = Some(Box::new(before));
        }
        let end = number.saturating_add(count);
        let known = self.numbers.clone().unwrap_or(number..number);
        match arrival {
            Arrival::Next { lost } => {
                if lost > 0 {
                    self.longest_outage = self.longest_outage.max(gap);
                    self.miss(number - lost..number, arrived, false);
                }
                self.order.ascend(number..end);
                self.numbers = Some(known.start..end);
            }
            Arrival::Reordered => {
                self.interval.reordered += 1;
                if let Some(series) = &mut self.series {
                    series.at(arrived).reordered += 1;
                }
                if number < known.start {
                    // This datagram was sent before the first datagram that arrived.
                    self.miss(number + 1..known.start, arrived, true);
                    self.numbers = Some(number..known.end);
                }
                if let Some(hole) = self.order.late(number) {
                    self.found(hole);
                }
            }
            Arrival::Duplicate => {
                self.interval.duplicate += 1;
                if let Some(series) = &mut self.series {
                    series.at(arrived).duplicate += 1;
                }
            }
            Arrival::Restarted => {
                if number < known.end {
                    self.take_back(arrived);
                }
                self.order.restart();
                self.order.ascend(number..end);
                self.numbers = Some(number..end);
            }
        }
    }

    /// The last numbers were the first of a new stream, and neither late nor duplicates.
    fn take_back(&mut self, arrived: Timestamp) {
        let Some(before) = self.before_restart.take() else {
            return;
        };
        let (order, interval, interval_number) = *before;
        // If a report came in between, its counts cannot be taken back.
        if interval_number == self.interval_number {
            self.interval = Interval {
                datagrams: self.interval.datagrams,
                bytes: self.interval.bytes,
                ..interval
            };
        }
        if let Some(series) = &mut self.series {
            let missed = self.order.bursts().lost;
            let point = series.at(arrived);
            let too_many = missed.saturating_sub(order.bursts().lost);
            point.lost = point.lost.saturating_sub(too_many);
        }
        self.order = order;
    }

    /// Counts missing numbers; those before the first number are in front of all others.
    fn miss(&mut self, numbers: Range<u64>, noticed: Timestamp, is_before_all: bool) {
        let lost = numbers.end.saturating_sub(numbers.start);
        if lost == 0 {
            return;
        }
        let hole = Hole {
            start: numbers.start,
            end: numbers.end,
            noticed,
            interval: self.interval_number,
        };
        if is_before_all {
            self.order.holes.push_front(hole);
        } else {
            self.order.holes.push_back(hole);
        }
        self.interval.lost += lost;
        if let Some(series) = &mut self.series {
            series.at(noticed).lost += lost;
        }
    }

    /// A number of this hole arrived late: removes its loss from the interval and the time when it was missed.
    fn found(&mut self, hole: Hole) {
        if hole.interval == self.interval_number {
            self.interval.lost = self.interval.lost.saturating_sub(1);
        } else {
            self.interval.recovered += 1;
        }
        if let Some(series) = &mut self.series {
            let point = series.at(hole.noticed);
            point.lost = point.lost.saturating_sub(1);
        }
    }

    /// Ends an interval; gives its counts.
    pub(crate) fn next_interval(&mut self) -> Interval {
        self.interval_number += 1;
        std::mem::take(&mut self.interval)
    }

    /// The jitter.
    #[must_use]
    pub(crate) fn jitter(&self) -> &Jitter {
        &self.jitter
    }

    /// The extents of the reordering.
    #[must_use]
    pub(crate) fn extents(&self) -> Extents {
        self.order.extents
    }

    /// The bursts of loss.
    #[must_use]
    pub(crate) fn bursts(&self) -> Bursts {
        self.order.bursts()
    }

    /// The longest time between two datagrams.
    #[must_use]
    pub(crate) fn longest_gap(&self) -> Duration {
        Duration::from_nanos(self.longest_gap)
    }

    /// The longest time between two datagrams with missing numbers between them.
    #[must_use]
    pub(crate) fn longest_outage(&self) -> Duration {
        Duration::from_nanos(self.longest_outage)
    }

    /// Datagrams per second between the first and the last.
    #[must_use]
    pub(crate) fn rate(&self) -> f64 {
        let time = self
            .ends
            .map_or(0, |(first, last)| nanos_between(first, last));
        if time == 0 {
            return 0.0;
        }
        // N datagrams have N - 1 times between them.
        (self.datagrams.saturating_sub(1)) as f64 * 1e9 / time as f64
    }

    /// The course in time.
    #[must_use]
    pub(crate) fn series(&self) -> Option<&Series> {
        self.series.as_deref()
    }
}

#[cfg(test)]
mod tests;
