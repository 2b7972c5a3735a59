//! The senders as the view knows them: counts, rates, their order, the filter.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use super::feed::{Delta, Excerpt, MAX_SENDERS, NEWEST, Newest, Pending};
use super::sender::{PAST, SenderCounts};
use crate::terminal::sanitize;
use crate::text::encoding::{DecodedPart, TextEncoding};
use crate::text::escape::{self, Audience};
use crate::text::pattern;
use crate::udp::stats;

/// A sender's name, if it has one.
pub(super) type NameOf = Box<dyn FnMut(IpAddr) -> Option<String> + Send>;

/// The column by which the rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortOrder {
    Address,
    Name,
    Datagrams,
    Rate,
    Loss,
    Age,
}

impl SortOrder {
    const ALL: [Self; 6] = [
        Self::Address,
        Self::Name,
        Self::Datagrams,
        Self::Rate,
        Self::Loss,
        Self::Age,
    ];

    /// The next column that is shown.
    pub(super) fn next(self, has_names: bool, has_loss: bool) -> Self {
        let shown: Vec<Self> = Self::ALL
            .into_iter()
            .filter(|order| match order {
                Self::Name => has_names,
                Self::Loss => has_loss,
                _ => true,
            })
            .collect();
        let at = shown.iter().position(|order| *order == self).unwrap_or(0);
        shown.get(at + 1).copied().unwrap_or(Self::Address)
    }
}

/// All senders and the newest datagrams.
#[derive(Debug, Clone)]
pub(super) struct SenderTable {
    /// The senders, by number.
    pub(super) senders: Vec<SenderCounts>,
    /// The senders that have no row of their own.
    pub(super) rest: Option<SenderCounts>,
    /// The newest datagrams, the last one at the end.
    pub(super) newest: VecDeque<Newest>,
    /// The datagrams of all.
    pub(super) datagrams: u64,
    /// Their payload bytes.
    pub(super) bytes: u64,
    /// Whether any sender has a name.
    pub(super) has_names: bool,
    /// When the view began.
    started: Instant,
    /// The present second, from the start.
    pub(super) second: u64,
    /// The encoding of payloads.
    encoding: TextEncoding,
}

impl SenderTable {
    /// An empty table.
    pub(super) fn new(encoding: TextEncoding, now: Instant) -> Self {
        Self {
            senders: Vec::new(),
            rest: None,
            newest: VecDeque::new(),
            datagrams: 0,
            bytes: 0,
            has_names: false,
            started: now,
            second: 0,
            encoding,
        }
    }

    /// Begins the second of this time.
    pub(super) fn tick(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.started).as_secs();
        let from = (self.second + 1).max((second + 1).saturating_sub(PAST as u64));
        for begun in from..=second {
            let index = usize::try_from(begun % PAST as u64).unwrap_or(0);
            for sender in self.senders.iter_mut().chain(&mut self.rest) {
                if let Some(count) = sender.past.get_mut(index) {
                    *count = 0;
                }
            }
        }
        self.second = second;
    }

    /// Adds what came in the present second.
    pub(super) fn add(&mut self, pending: &Pending, name_of: &mut NameOf) {
        for delta in &pending.deltas {
            self.datagrams += delta.datagrams;
            self.bytes += delta.bytes;
            self.add_one(delta, name_of);
        }
        let surplus = (self.newest.len() + pending.newest.len()).saturating_sub(NEWEST);
        self.newest.drain(..surplus.min(self.newest.len()));
        self.newest.extend(pending.newest.iter().cloned());
    }

    /// Adds what one sender sent.
    fn add_one(&mut self, delta: &Delta, name_of: &mut NameOf) {
        let second = self.second;
        let new = |name: Option<String>, address: String| SenderCounts {
            peer: delta.peer,
            name: name.map_or_else(String::new, |name| {
                sanitize::for_terminal(&name).into_owned()
            }),
            address,
            datagrams: 0,
            bytes: 0,
            sequenced: 0,
            lost: 0,
            late: 0,
            last: delta.last,
            time: delta.time,
            since: second,
            past: [0; PAST],
        };
        let sender = if delta.sender >= MAX_SENDERS {
            Some(self.rest.get_or_insert_with(|| new(None, "…".to_owned())))
        } else {
            // Numbers come in their order.
            if delta.sender >= self.senders.len() {
                let sender = new(name_of(delta.peer.ip()), delta.peer.to_string());
                self.has_names |= !sender.name.is_empty();
                self.senders.push(sender);
            }
            self.senders.get_mut(delta.sender)
        };
        let Some(sender) = sender else { return };
        sender.datagrams += delta.datagrams;
        sender.bytes += delta.bytes;
        sender.sequenced += delta.sequenced;
        sender.lost += delta.lost;
        sender.late += delta.late;
        sender.last = delta.last;
        sender.time = delta.time;
        let index = usize::try_from(second % PAST as u64).unwrap_or(0);
        if let Some(count) = sender.past.get_mut(index) {
            let datagrams = u32::try_from(delta.datagrams).unwrap_or(u32::MAX);
            *count = count.saturating_add(datagrams);
        }
    }

    /// A payload as text for a terminal, without its line ending.
    pub(super) fn text(&self, payload: &Excerpt) -> String {
        let mut bytes = payload.bytes();
        let is_cut = bytes.len() < payload.len;
        if is_cut {
            // Half a character is not a character.
            if let Err(error) = std::str::from_utf8(bytes)
                && error.error_len().is_none()
            {
                bytes = bytes.get(..error.valid_up_to()).unwrap_or(bytes);
            }
        } else {
            bytes = pattern::without_line_ending(bytes);
        }
        let (mut out, mut scratch) = (Vec::new(), String::new());
        self.encoding.parts(bytes, &mut scratch, |part| match part {
            DecodedPart::Text(text) => escape::append_text(text, Audience::Terminal, &mut out),
            DecodedPart::Bytes(bytes) => escape::append_bytes(bytes, &mut out),
        });
        let mut text = String::from_utf8_lossy(&out).into_owned();
        if is_cut {
            text.push('…');
        }
        text
    }

    /// Datagrams per second of a sender.
    pub(super) fn rate_of(&self, sender: &SenderCounts) -> String {
        let (count, time) = sender.rate(self.second);
        stats::per_second(count, time)
    }

    /// Datagrams per second of all.
    pub(super) fn rate(&self) -> String {
        let rates = self.all().map(|sender| sender.rate(self.second));
        // `sum` of nothing is -0.0.
        let sum = rates.fold(0.0, |sum, (count, time)| sum + stats::rate(count, time));
        if sum < 1000.0 {
            format!("{sum:.1}")
        } else {
            format!("{sum:.0}")
        }
    }

    /// All senders, and the shared entry.
    fn all(&self) -> impl Iterator<Item = &SenderCounts> {
        self.senders.iter().chain(&self.rest)
    }

    /// The missing sequence numbers, and all; `None` without sequence numbers.
    pub(super) fn loss(&self) -> Option<(u64, u64)> {
        let (lost, sequenced) = self.all().fold((0, 0), |(lost, sequenced), sender| {
            (
                lost + sender.lost.saturating_sub(sender.late),
                sequenced + sender.sequenced,
            )
        });
        (sequenced > 0).then_some((lost, lost + sequenced))
    }

    /// The numbers of the senders that the filter lets through, in order.
    pub(super) fn ordered(&self, order: SortOrder, is_reversed: bool, filter: &str) -> Vec<usize> {
        let filter = filter.to_lowercase();
        let passes = |sender: &SenderCounts| {
            filter.is_empty()
                || sender.name.to_lowercase().contains(&filter)
                || sender.address.contains(&filter)
                || self.text(&sender.last).to_lowercase().contains(&filter)
        };
        let mut rows: Vec<usize> = self
            .senders
            .iter()
            .enumerate()
            .filter_map(|(number, sender)| passes(sender).then_some(number))
            .collect();
        let per_second = |sender: &SenderCounts| {
            let (count, time) = sender.rate(self.second);
            stats::rate(count, time)
        };
        let compare = |a: &SenderCounts, b: &SenderCounts| match order {
            SortOrder::Address => Ordering::Equal,
            // Senders without a name come last.
            SortOrder::Name => (a.name.is_empty(), &a.name).cmp(&(b.name.is_empty(), &b.name)),
            SortOrder::Datagrams => b.datagrams.cmp(&a.datagrams),
            SortOrder::Rate => per_second(b).total_cmp(&per_second(a)),
            SortOrder::Loss => {
                let loss = |sender: &SenderCounts| sender.loss().unwrap_or(-1.0);
                loss(b).total_cmp(&loss(a))
            }
            SortOrder::Age => b.time.cmp(&a.time),
        };
        rows.sort_unstable_by(|a, b| {
            let (Some(a), Some(b)) = (self.senders.get(*a), self.senders.get(*b)) else {
                return Ordering::Equal;
            };
            let ordering = compare(a, b).then_with(|| a.peer.cmp(&b.peer));
            if is_reversed {
                ordering.reverse()
            } else {
                ordering
            }
        });
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::super::feed::{SharedWithView, WatchFeed};
    use super::*;
    use crate::datagram::run::Run;
    use crate::datagram::{Addressed, Notes, Timestamp};
    use std::time::Duration;

    fn table(sent: &[(u8, &[u8], u64)]) -> SenderTable {
        let shared = SharedWithView::default();
        let mut feed = WatchFeed::new(shared.clone());
        for (time, (host, payload, lost)) in (1..).zip(sent) {
            let run = Run::single(
                payload,
                ([192, 168, 0, *host], 49153).into(),
                ([0, 0, 0, 0], 6000).into(),
                Addressed::Unicast,
                Timestamp::from_nanos(time),
            );
            let notes = Notes {
                sequence: Some(1),
                lost: *lost,
                ..Notes::default()
            };
            feed.run(&run, &[notes]);
        }
        let mut table = SenderTable::new(TextEncoding::default(), Instant::now());
        let mut names: NameOf = Box::new(|address| match address.to_string().as_str() {
            "192.168.0.9" => Some("小明".to_owned()),
            "192.168.0.5" => Some("\x1b[31mred".to_owned()),
            _ => None,
        });
        table.add(&shared.take(Pending::default()), &mut names);
        table
    }

    fn hosts(table: &SenderTable, rows: &[usize]) -> Vec<u8> {
        let host = |row: &usize| match table.senders[*row].peer.ip() {
            IpAddr::V4(address) => address.octets()[3],
            IpAddr::V6(_) => 0,
        };
        rows.iter().map(host).collect()
    }

    #[test]
    fn rows_are_in_the_order_of_a_column() {
        let table = table(&[
            (10, b"ten", 0),
            (9, b"nine", 3),
            (5, b"five", 1),
            (9, b"Hello", 0),
        ]);
        let order = |order, reverse| hosts(&table, &table.ordered(order, reverse, ""));
        assert_eq!(order(SortOrder::Address, false), [5, 9, 10]);
        assert_eq!(order(SortOrder::Address, true), [10, 9, 5]);
        assert_eq!(order(SortOrder::Name, false), [5, 9, 10]);
        assert_eq!(order(SortOrder::Datagrams, false), [9, 5, 10]);
        assert_eq!(order(SortOrder::Loss, false), [9, 5, 10]);
        assert_eq!(order(SortOrder::Age, false), [9, 5, 10]);
        assert_eq!(table.loss(), Some((4, 8)));
    }

    #[test]
    fn the_filter_looks_at_name_address_and_text() {
        let table = table(&[(10, b"ten", 0), (9, b"Hello", 0)]);
        let found = |filter| hosts(&table, &table.ordered(SortOrder::Address, false, filter));
        assert_eq!(found("小"), [9]);
        assert_eq!(found("0.10"), [10]);
        assert_eq!(found("hELLO"), [9]);
        assert_eq!(found("nobody"), [0_u8; 0]);
    }

    #[test]
    fn names_and_texts_are_escaped() {
        let table = table(&[(5, "你好\x1b[2J\u{202e}x\r\n".as_bytes(), 0)]);
        let sender = &table.senders[0];
        assert_eq!(sender.name, "\\u{1b}[31mred");
        assert_eq!(table.text(&sender.last), "你好\\x1b[2J\\u{202e}x");
    }

    #[test]
    fn a_cut_payload_ends_at_a_character() {
        let long = "好".repeat(100);
        let table = table(&[(5, format!("a{long}").as_bytes(), 0)]);
        let text = table.text(&table.senders[0].last);
        assert_eq!(text, format!("a{}…", "好".repeat(39)));
    }

    #[test]
    fn the_sparkline_moves_with_the_seconds() {
        let mut table = table(&[(5, b"x", 0), (5, b"x", 0)]);
        assert_eq!(table.senders[0].sparkline(table.second, 4), "   █");
        assert_eq!(table.rate_of(&table.senders[0]), "2.00");
        table.tick(table.started + Duration::from_secs(2));
        assert_eq!(table.senders[0].sparkline(table.second, 4), " █  ");
        assert_eq!(table.rate_of(&table.senders[0]), "1.00");
        table.tick(table.started + Duration::from_secs(100));
        assert_eq!(table.senders[0].sparkline(table.second, 32), " ".repeat(32));
    }
}
