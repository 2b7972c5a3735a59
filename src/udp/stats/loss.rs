//! Detects loss, duplicates and reordering of one sender from its sequence numbers and send times.

use std::ops::Range;

use crate::datagram::Timestamp;

/// The size of the window, in numbers, within which a late datagram can be distinguished from a duplicate.
pub(super) const WINDOW: u64 = 1024;

/// A larger gap in the numbers is a new stream, not loss.
const LONGEST_GAP: u64 = 1 << 32;

/// This many consecutive numbers from 0 show that the sender restarted.
const RERUN: u64 = 3;

/// The meaning of one datagram's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// A number above all earlier ones, or the first; `lost` numbers before it are missing so far.
    Next {
        /// Numbers missing directly before this one.
        lost: u64,
    },
    /// A number that was missing until now.
    Reordered,
    /// A number that has arrived before.
    Duplicate,
    /// The sender restarted its numbering.
    Restarted,
}

/// Totals over all streams of one sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Numbers that never arrived.
    pub(crate) lost: u64,
    /// Numbers that arrived more than once.
    pub duplicate: u64,
    /// Numbers that arrived after a higher one.
    pub reordered: u64,
}

/// Tracks one sender. Counting starts at the first number received: what the sender sent before we listened is not
/// loss.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tracker {
    /// The highest received number plus one; `None` before the first datagram.
    next: Option<u64>,
    /// The first number that counts.
    first: u64,
    /// The latest send time received.
    latest: Timestamp,
    /// How many consecutive numbers from 0 arrived, while higher numbers had arrived before: a possible restart.
    rerun: u64,
    /// The totals before that possible restart.
    before_rerun: Totals,
    /// A ring of bits: which of the last `WINDOW` numbers arrived, indexed by number modulo `WINDOW`.
    seen: [u64; (WINDOW / 64) as usize],
    totals: Totals,
}

impl Tracker {
    /// Counts one number; `sent` is its send time by the sender's clock.
    pub fn arrive(&mut self, sequence: u64, sent: Timestamp) -> Arrival {
        if self.next != Some(sequence) {
            return self.arrive_out_of_turn(sequence, sent);
        }
        self.latest = self.latest.max(sent);
        self.mark(sequence, true);
        self.next = Some(sequence.saturating_add(1));
        self.rerun = 0;
        Arrival::Next { lost: 0 }
    }

    /// Counts consecutive numbers with the same send time, as from one batch.
    pub(crate) fn arrive_in_order(&mut self, numbers: Range<u64>, sent: Timestamp) {
        if numbers.is_empty() {
            return;
        }
        if self.next != Some(numbers.start) {
            for sequence in numbers {
                self.arrive(sequence, sent);
            }
            return;
        }
        self.latest = self.latest.max(sent);
        self.next = Some(numbers.end);
        self.rerun = 0;
        // Set whole words of bits, and skip numbers whose bits later numbers would overwrite.
        let mut from = numbers.start.max(numbers.end.saturating_sub(WINDOW));
        while from < numbers.end {
            let count = (64 - from % 64).min(numbers.end - from);
            if let Some(word) = self.seen.get_mut((from % WINDOW / 64) as usize) {
                *word |= (u64::MAX >> (64 - count)) << (from % 64);
            }
            from += count;
        }
    }

    fn arrive_out_of_turn(&mut self, sequence: u64, sent: Timestamp) -> Arrival {
        let is_as_new = sent >= self.latest;
        self.latest = self.latest.max(sent);
        let Some(next) = self.next else {
            self.restart(sequence);
            return Arrival::Next { lost: 0 };
        };
        if sequence >= next {
            let lost = sequence - next;
            if lost > LONGEST_GAP {
                self.restart(sequence);
                return Arrival::Restarted;
            }
            self.totals.lost += lost;
            for skipped in next.max(sequence.saturating_sub(WINDOW))..sequence {
                self.mark(skipped, false);
            }
            self.mark(sequence, true);
            self.next = Some(sequence.saturating_add(1));
            self.rerun = 0;
            return Arrival::Next { lost };
        }
        if self.is_rerun(sequence, is_as_new) {
            self.totals = self.before_rerun;
            self.restart(sequence);
            return Arrival::Restarted;
        }
        if next - sequence > WINDOW {
            // Outside the window: late or duplicate, we cannot tell. Count it as a duplicate.
            self.totals.duplicate += 1;
            return Arrival::Duplicate;
        }
        if sequence < self.first {
            // The sender sent it before the first datagram we received.
            self.mark_missing_between(sequence + 1, self.first);
            self.totals.lost += self.first - sequence - 1;
            self.first = sequence;
        } else if self.is_marked(sequence) {
            self.totals.duplicate += 1;
            return Arrival::Duplicate;
        } else {
            self.totals.lost = self.totals.lost.saturating_sub(1);
        }
        self.mark(sequence, true);
        self.totals.reordered += 1;
        Arrival::Reordered
    }

    /// The counts so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether the sender restarted: its numbers count up from 0 again, and their send times are new. Until [`RERUN`]
    /// of them have arrived, they count as late datagrams.
    fn is_rerun(&mut self, sequence: u64, is_as_new: bool) -> bool {
        if !is_as_new || sequence > self.rerun {
            self.rerun = 0;
            return false;
        }
        if sequence == 0 {
            self.before_rerun = self.totals;
        }
        self.rerun = sequence + 1;
        self.rerun >= RERUN
    }

    fn restart(&mut self, sequence: u64) {
        self.rerun = 0;
        self.next = Some(sequence.saturating_add(1));
        self.first = sequence;
        self.seen = Default::default();
        self.mark(sequence, true);
    }

    fn mark_missing_between(&mut self, from: u64, to: u64) {
        for sequence in from..to {
            self.mark(sequence, false);
        }
    }

    fn mark(&mut self, sequence: u64, came: bool) {
        let bit = 1 << (sequence % 64);
        if let Some(word) = self.seen.get_mut((sequence % WINDOW / 64) as usize) {
            *word = if came { *word | bit } else { *word & !bit };
        }
    }

    fn is_marked(&self, sequence: u64) -> bool {
        self.seen
            .get((sequence % WINDOW / 64) as usize)
            .is_some_and(|word| word & (1 << (sequence % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The totals for these numbers, each with its own value as the send time.
    fn totals(numbers: impl IntoIterator<Item = u64>) -> Totals {
        let mut tracker = Tracker::default();
        for number in numbers {
            tracker.arrive(number, at(number));
        }
        tracker.totals()
    }

    fn at(time: u64) -> Timestamp {
        Timestamp::from_nanos(i64::try_from(time).unwrap())
    }

    #[test]
    fn loss_reordering_and_duplicates_are_told_apart() {
        assert_eq!(totals(0..100), Totals::default());
        assert_eq!(
            totals([0, 1, 4, 5]),
            Totals {
                lost: 2,
                duplicate: 0,
                reordered: 0
            }
        );
        assert_eq!(
            totals([0, 2, 1, 3]),
            Totals {
                lost: 0,
                duplicate: 0,
                reordered: 1
            }
        );
        assert_eq!(
            totals([0, 1, 1, 2, 0]),
            Totals {
                lost: 0,
                duplicate: 2,
                reordered: 0
            }
        );
        assert_eq!(
            totals([1, 0, 2]),
            Totals {
                lost: 0,
                duplicate: 0,
                reordered: 1
            }
        );
        assert_eq!(
            totals([500, 501, 503]),
            Totals {
                lost: 1,
                duplicate: 0,
                reordered: 0
            }
        );
    }

    #[test]
    fn a_sender_that_begins_anew_has_lost_and_doubled_nothing() {
        // Within the window of 1024 numbers, and beyond it.
        for count in [10, 5000] {
            let mut tracker = Tracker::default();
            for run in 0..3 {
                for number in 0..count {
                    tracker.arrive(number, at(run * 10_000 + number));
                }
            }
            assert_eq!(tracker.totals(), Totals::default());
        }
        let mut without_times = Tracker::default();
        for number in (0..5000).chain(0..5000) {
            without_times.arrive(number, at(0));
        }
        assert_eq!(without_times.totals(), Totals::default());
        let mut tracker = Tracker::default();
        tracker.arrive(5, at(5));
        assert_eq!(tracker.arrive(1 << 40, at(6)), Arrival::Restarted);
    }

    #[test]
    fn one_very_late_datagram_is_one_duplicate() {
        // The window has left 10 behind.
        let numbers = (0..3000).chain([10]).chain(3000..3010);
        assert_eq!(
            totals(numbers),
            Totals {
                lost: 0,
                duplicate: 1,
                reordered: 0
            }
        );
    }

    #[test]
    fn a_number_that_wraps_the_window_is_not_taken_for_its_forerunner() {
        assert_eq!(
            // 1026 has the place of 2 in the window.
            totals([0, 1, 2, 1026, 1025, 1024]),
            Totals {
                lost: 1021,
                duplicate: 0,
                reordered: 2
            }
        );
    }

    proptest! {
        #[test]
        fn numbers_in_order_count_as_if_each_came_alone(
            runs in prop::collection::vec((0u64..3000, 0u64..1500, 0u64..4), 1..20),
        ) {
            let (mut one, mut many) = (Tracker::default(), Tracker::default());
            for (first, count, time) in runs {
                for number in first..first + count {
                    one.arrive(number, at(time));
                }
                many.arrive_in_order(first..first + count, at(time));
                prop_assert_eq!(&one, &many);
            }
        }

        /// Compares the tracker with a plain set, for numbers within the window.
        #[test]
        fn counts_agree_with_a_set(numbers in prop::collection::vec(0u64..1000, 1..300)) {
            let mut seen = std::collections::HashSet::new();
            let mut expected = Totals::default();
            let mut highest = None;
            for &number in &numbers {
                if !seen.insert(number) {
                    expected.duplicate += 1;
                } else if highest.is_some_and(|highest| number < highest) {
                    expected.reordered += 1;
                }
                highest = highest.max(Some(number));
            }
            let (low, high) = (*seen.iter().min().unwrap(), *seen.iter().max().unwrap());
            expected.lost = high - low + 1 - seen.len() as u64;
            prop_assert_eq!(totals(numbers), expected);
        }
    }
}
