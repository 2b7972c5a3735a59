//! Counts sent and received datagrams by size.

use serde_json::{Value, json};

use crate::pair::test_datagram::ReceivedHeader;
use crate::text::sentence::{Sentence, sentence};

/// The counts for one size in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SizeCount {
    /// The payload size in bytes.
    pub(super) size: usize,
    /// Datagrams that the sender tried to send.
    pub(super) sent: u64,
    /// Datagrams that `sendto` refused on the board or on the PC.
    pub(super) refused: u64,
    /// Different datagrams that arrived, complete or not.
    pub(super) received: u64,
    /// Datagrams that arrived again.
    pub(super) duplicate: u64,
    /// Datagrams that arrived after one that was sent later.
    pub(super) reordered: u64,
    /// Datagrams that arrived truncated.
    pub(super) cut: u64,
    /// Datagrams that arrived with wrong bytes.
    pub(super) damaged: u64,
    /// One more than the highest sequence number so far.
    next: u32,
    /// Which sequence numbers have arrived; at most 65,536.
    seen: Vec<bool>,
}

impl SizeCount {
    /// Datagrams that never arrived.
    pub(super) fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

/// The counts for all sizes in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SizeCounts {
    /// In the order of the plan.
    pub(super) sizes: Vec<SizeCount>,
}

/// The state of a payload on arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrivalState {
    /// The complete payload, with the right bytes.
    Whole,
    /// Its beginning.
    Cut,
    /// The right number of bytes, but wrong ones.
    Damaged,
}

impl SizeCounts {
    /// Counts of 0 for these sizes.
    pub(super) fn new(sizes: &[usize]) -> Self {
        Self {
            sizes: sizes
                .iter()
                .map(|&size| SizeCount {
                    size,
                    ..SizeCount::default()
                })
                .collect(),
        }
    }

    /// Counts a datagram that arrived; returns true if it is not a duplicate.
    pub(super) fn arrive(&mut self, header: ReceivedHeader, state: ArrivalState) -> bool {
        // The index comes from the network, too.
        let Some(count) = self.sizes.get_mut(header.place) else {
            return false;
        };
        let mut number = u32::from(header.number);
        if !header.is_exact {
            // Only the low byte of the number arrived: choose the candidate nearest to the next expected number.
            while number + 128 < count.next {
                number += 256;
            }
        }
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        // The number comes from the network; without a limit it would decide how much memory this takes.
        if place > usize::from(u16::MAX) {
            return false;
        }
        if count.seen.len() <= place {
            count.seen.resize(place + 1, false);
        }
        let Some(seen) = count.seen.get_mut(place) else {
            return false;
        };
        if std::mem::replace(seen, true) {
            count.duplicate += 1;
            return false;
        }
        count.received += 1;
        if number < count.next {
            count.reordered += 1;
        }
        count.next = count.next.max(number + 1);
        match state {
            ArrivalState::Whole => {}
            ArrivalState::Cut => count.cut += 1,
            ArrivalState::Damaged => count.damaged += 1,
        }
        true
    }

    /// The sum over all sizes.
    fn total(&self, of: impl Fn(&SizeCount) -> u64) -> u64 {
        self.sizes.iter().map(of).sum()
    }

    /// Datagrams of all sizes that the sender tried to send.
    pub(super) fn sent(&self) -> u64 {
        self.total(|count| count.sent)
    }

    /// Datagrams of all sizes that arrived.
    pub(super) fn received(&self) -> u64 {
        self.total(|count| count.received)
    }

    /// The percentage of datagrams that never arrived.
    pub(super) fn loss(&self) -> f64 {
        let sent = self.sent();
        if sent == 0 {
            return 0.0;
        }
        self.total(SizeCount::lost) as f64 * 100.0 / sent as f64
    }

    /// The sizes of which nothing arrived, although all or most datagrams of a shorter size did.
    pub(super) fn sizes_lost(&self) -> Vec<usize> {
        self.sizes
            .iter()
            .filter(|count| count.sent > 0 && count.received == 0)
            .filter(|count| {
                self.sizes
                    .iter()
                    // Half of a shorter size is enough: otherwise ordinary loss would hide that a size never arrives.
                    .any(|other| other.size < count.size && other.received * 2 >= other.sent.max(1))
            })
            .map(|count| count.size)
            .collect()
    }

    /// The sizes that arrived truncated.
    pub(super) fn sizes_cut(&self) -> Vec<usize> {
        self.sizes
            .iter()
            .filter(|count| count.cut > 0)
            .map(|count| count.size)
            .collect()
    }

    /// The summary of one direction, such as `80 of 80 arrived`.
    pub(super) fn summary(&self) -> Vec<Sentence> {
        let mut said = vec![sentence!(
            "pair.arrived",
            received: self.received(),
            sent: self.sent()
        )];
        let counted = |of: fn(&SizeCount) -> u64| Some(self.total(of)).filter(|&count| count > 0);
        said.extend(
            counted(|count| count.duplicate).map(|n| sentence!("pair.arrived-twice", count: n)),
        );
        said.extend(
            counted(|count| count.reordered)
                .map(|n| sentence!("pair.arrived-out-of-order", count: n)),
        );
        said.extend(counted(|count| count.cut).map(|n| sentence!("pair.arrived-cut", count: n)));
        said.extend(
            counted(|count| count.damaged).map(|n| sentence!("pair.arrived-damaged", count: n)),
        );
        said.extend(
            counted(|count| count.refused).map(|n| sentence!("pair.sender-refused", count: n)),
        );
        said
    }

    /// How many datagrams arrived, for each size.
    pub(super) fn by_size(&self) -> Vec<Sentence> {
        self.sizes
            .iter()
            .map(|count| {
                sentence!(
                    "pair.size-arrived",
                    size: count.size,
                    received: count.received,
                    sent: count.sent
                )
            })
            .collect()
    }

    /// The counts under the keys of `docs/pair.schema.json`.
    pub(super) fn json(&self) -> Value {
        json!({
            "sent": self.sent(),
            "received": self.received(),
            "lost": self.total(SizeCount::lost),
            "loss_percent": (self.loss() * 1000.0).round() / 1000.0,
            "duplicate": self.total(|count| count.duplicate),
            "reordered": self.total(|count| count.reordered),
            "cut": self.total(|count| count.cut),
            "damaged": self.total(|count| count.damaged),
            "refused": self.total(|count| count.refused),
            "sizes": self.sizes.iter().map(|count| json!({
                "size": count.size,
                "sent": count.sent,
                "received": count.received,
                "lost": count.lost(),
                "duplicate": count.duplicate,
                "reordered": count.reordered,
                "cut": count.cut,
                "damaged": count.damaged,
                "refused": count.refused,
            })).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(number: u16, is_exact: bool) -> ReceivedHeader {
        ReceivedHeader {
            place: 0,
            number,
            is_exact,
        }
    }

    #[test]
    fn loss_duplicates_reordering_and_truncation_are_counted_separately() {
        let mut counts = SizeCounts::new(&[64]);
        counts.sizes[0].sent = 6;
        for number in [0, 1, 3, 2, 3] {
            counts.arrive(header(number, true), ArrivalState::Whole);
        }
        counts.arrive(header(4, true), ArrivalState::Cut);
        let count = &counts.sizes[0];
        assert_eq!((count.received, count.lost()), (5, 1));
        assert_eq!((count.duplicate, count.reordered, count.cut), (1, 1, 1));
        assert_eq!(
            counts.summary(),
            [
                sentence!("pair.arrived", received: 5u64, sent: 6u64),
                sentence!("pair.arrived-twice", count: 1u64),
                sentence!("pair.arrived-out-of-order", count: 1u64),
                sentence!("pair.arrived-cut", count: 1u64),
            ]
        );
    }

    #[test]
    fn the_low_byte_of_the_number_identifies_datagrams_in_order() {
        let mut counts = SizeCounts::new(&[1]);
        counts.sizes[0].sent = 600;
        for number in 0..600u16 {
            counts.arrive(header(number & 255, false), ArrivalState::Whole);
        }
        assert_eq!((counts.received(), counts.summary().len()), (600, 1));
    }
}
