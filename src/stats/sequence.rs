//! Loss, duplicates and reordering of one sender, from its sequence numbers.

/// How far back a late datagram is told from a duplicate.
const WINDOW: u64 = 1024;

/// A jump ahead beyond this is another stream, not loss.
const LONGEST_GAP: u64 = 1 << 32;

/// What one datagram's number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The next in order, or the first; `lost` numbers before it are missing so far.
    Next {
        /// Numbers skipped just before this one.
        lost: u64,
    },
    /// One that was missing.
    Reordered,
    /// One that had come already.
    Duplicate,
    /// The sender began anew.
    Restarted,
}

/// Totals over all streams of one sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Numbers that never came.
    pub lost: u64,
    /// Numbers that came again.
    pub duplicate: u64,
    /// Numbers that came after a later one.
    pub reordered: u64,
}

impl Totals {
    /// Adds another sender's.
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicate += other.duplicate;
        self.reordered += other.reordered;
    }
}

/// Follows one sender. The first number seen is where it starts: what a sender sent before we listened is not loss.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// One past the highest number seen; `None` before the first.
    next: Option<u64>,
    /// The first number seen.
    first: u64,
    /// Which of the last `WINDOW` numbers came, one bit each, number modulo `WINDOW`.
    seen: [u64; (WINDOW / 64) as usize],
    totals: Totals,
}

impl Tracker {
    /// Counts one number.
    pub fn arrive(&mut self, sequence: u64) -> Arrival {
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
            return Arrival::Next { lost };
        }
        if next - sequence > WINDOW {
            self.restart(sequence);
            return Arrival::Restarted;
        }
        if sequence < self.first {
            // It left before the first one that we saw.
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

    fn restart(&mut self, sequence: u64) {
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

    fn totals(numbers: impl IntoIterator<Item = u64>) -> Totals {
        let mut tracker = Tracker::default();
        for number in numbers {
            tracker.arrive(number);
        }
        tracker.totals()
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
    fn a_sender_that_begins_anew_is_not_a_thousand_duplicates() {
        assert_eq!(totals((0..5000).chain(0..5000)), Totals::default());
        let mut tracker = Tracker::default();
        tracker.arrive(5);
        assert_eq!(tracker.arrive(1 << 40), Arrival::Restarted);
        assert_eq!(tracker.arrive((1 << 48) - 1), Arrival::Restarted);
        assert_eq!(tracker.arrive((1 << 48) - 1), Arrival::Duplicate);
    }

    #[test]
    fn a_number_that_wraps_the_window_is_not_taken_for_its_forerunner() {
        assert_eq!(
            totals([0, 1, 2, 1026, 1025, 1024]),
            Totals {
                lost: 1021,
                duplicate: 0,
                reordered: 2
            }
        );
    }

    proptest! {
        /// Against a plain set, for arrivals that stay within the window.
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
