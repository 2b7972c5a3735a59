//! Reassembles the fragments of datagrams, in bounded memory.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

/// The maximum number of incomplete datagrams, and of their bytes. Beyond these limits the oldest one is dropped.
const MAX_DATAGRAMS: usize = 1024;
const MAX_BYTES: usize = 16 << 20;

/// The maximum number of pieces of one datagram: an MTU of 576 bytes needs fewer for the longest one.
const MAX_PIECES: usize = 512;

/// The longest IP payload.
const MAX_LEN: usize = 65_535;

/// The reassembly timeout in nanoseconds (RFC 8200, section 4.5).
const PATIENCE: i128 = 60_000_000_000;

/// What the fragments of one datagram have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DatagramId {
    /// The sender.
    pub(super) from: IpAddr,
    /// The receiver.
    pub(super) to: IpAddr,
    /// The identification: 16 bits in IPv4, 32 in IPv6.
    pub(super) id: u32,
    /// A capture of several interfaces has the same packet several times.
    pub(super) interface: u32,
}

/// One fragment.
#[derive(Debug)]
pub(super) struct Fragment<'a> {
    /// The piece's offset in the payload, in bytes.
    pub(super) offset: usize,
    /// Whether more pieces follow.
    pub(super) more: bool,
    /// What follows the IP header.
    pub(super) protocol: u8,
    /// Its part of the payload.
    pub(super) bytes: &'a [u8],
    /// The capture time, in nanoseconds since the Unix epoch.
    pub(super) time: i128,
}

/// The fragments of one datagram.
#[derive(Debug)]
struct Partial {
    /// The pieces by offset.
    pieces: BTreeMap<usize, Vec<u8>>,
    /// Their lengths together.
    bytes: usize,
    /// The length of the whole, known from the last fragment.
    len: Option<usize>,
    /// The protocol after the IP header, known from the first fragment.
    protocol: Option<u8>,
    /// The time of the first piece that came.
    first_time: i128,
    /// The datagram's number in the queue.
    number: u64,
}

/// The fragments whose datagrams are not complete yet.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// The datagrams that are not complete.
    partial: HashMap<DatagramId, Partial>,
    /// The datagrams from the oldest on, with their numbers. Those that are complete are still in it.
    queue: VecDeque<(DatagramId, u64)>,
    /// The bytes of all their pieces.
    bytes: usize,
    /// The number of the last entry of the queue.
    next_number: u64,
}

impl Fragments {
    /// Takes a fragment. Returns the whole payload if it is complete, and the number of dropped fragments.
    pub(super) fn add(
        &mut self,
        key: DatagramId,
        fragment: &Fragment<'_>,
    ) -> (Option<(u8, Vec<u8>)>, u64) {
        let mut dropped = 0;
        // Senders reuse an identification after a while.
        let is_late = |partial: &Partial| fragment.time - partial.first_time > PATIENCE;
        if self.partial.get(&key).is_some_and(is_late) {
            dropped += self.give_up(&key);
        }
        let end = fragment.offset + fragment.bytes.len();
        // Offsets count in units of eight bytes, so only the last fragment may have another length (RFC 791, RFC
        // 8200).
        if end > MAX_LEN || (fragment.more && !fragment.bytes.len().is_multiple_of(8)) {
            return (None, dropped + 1 + self.give_up(&key));
        }
        if !self.partial.contains_key(&key) {
            self.next_number += 1;
            self.queue.push_back((key, self.next_number));
        }
        let number = self.next_number;
        let partial = self.partial.entry(key).or_insert_with(|| Partial {
            pieces: BTreeMap::new(),
            bytes: 0,
            len: None,
            protocol: None,
            first_time: fragment.time,
            number,
        });
        match partial.fit(fragment, end) {
            Fit::New => {
                let bytes = fragment.bytes.to_vec();
                partial.pieces.insert(fragment.offset, bytes);
                partial.bytes += fragment.bytes.len();
                self.bytes += fragment.bytes.len();
            }
            // A repeated fragment, as from a second interface.
            Fit::Duplicate => return (None, dropped + 1),
            // Overlapping fragments with different content are a known attack: RFC 5722 says to drop the whole datagram.
            Fit::Contradiction => return (None, dropped + 1 + self.give_up(&key)),
        }
        // No gap is possible here: no two pieces overlap, and none is beyond the length.
        if partial.len == Some(partial.bytes) {
            let whole = self.partial.remove(&key).map(|partial| {
                self.bytes -= partial.bytes;
                let pieces: Vec<Vec<u8>> = partial.pieces.into_values().collect();
                (partial.protocol.unwrap_or_default(), pieces.concat())
            });
            return (whole, dropped);
        }
        while self.partial.len() > MAX_DATAGRAMS || self.bytes > MAX_BYTES {
            let Some((oldest, number)) = self.queue.pop_front() else {
                break;
            };
            if self
                .partial
                .get(&oldest)
                .is_some_and(|partial| partial.number == number)
            {
                dropped += self.give_up(&oldest);
            }
        }
        // Completed datagrams stay in the queue, because taking one out of its middle would cost time for each.
        if self.queue.len() > 2 * MAX_DATAGRAMS {
            let partial = &self.partial;
            let waits = |key: &DatagramId, number| {
                partial
                    .get(key)
                    .is_some_and(|partial| partial.number == number)
            };
            self.queue.retain(|(key, number)| waits(key, *number));
        }
        (None, dropped)
    }

    /// Drops the fragments of a datagram; returns how many there were.
    fn give_up(&mut self, key: &DatagramId) -> u64 {
        let Some(partial) = self.partial.remove(key) else {
            return 0;
        };
        self.bytes -= partial.bytes;
        partial.pieces.len() as u64
    }

    /// Drops all; returns how many there were.
    pub(super) fn clear(&mut self) -> u64 {
        let partial = std::mem::take(&mut self.partial);
        self.queue.clear();
        self.bytes = 0;
        let pieces = partial.values().map(|partial| partial.pieces.len() as u64);
        pieces.sum()
    }
}

/// How a fragment fits the earlier ones.
enum Fit {
    /// The fragment fills a gap.
    New,
    /// The fragment came before.
    Duplicate,
    /// The fragment cannot be part of the same datagram.
    Contradiction,
}

impl Partial {
    /// Compares a fragment, which ends at `end`, with the others; notes what only the first and the last fragment
    /// contain.
    fn fit(&mut self, fragment: &Fragment<'_>, end: usize) -> Fit {
        if let Some(same) = self.pieces.get(&fragment.offset) {
            let is_same = same.len() == fragment.bytes.len();
            return if is_same {
                Fit::Duplicate
            } else {
                Fit::Contradiction
            };
        }
        let before = self.pieces.range(..fragment.offset).next_back();
        let overlaps_before = before.is_some_and(|(at, piece)| at + piece.len() > fragment.offset);
        let after = self.pieces.range(fragment.offset..).next();
        let overlaps_after = after.is_some_and(|(at, _)| *at < end);
        let is_beyond = self.len.is_some_and(|len| end > len);
        let is_too_many = self.pieces.len() >= MAX_PIECES;
        // An empty piece would be added again and again.
        if overlaps_before
            || overlaps_after
            || is_beyond
            || is_too_many
            || fragment.bytes.is_empty()
        {
            return Fit::Contradiction;
        }
        if !fragment.more {
            let last = self.pieces.last_key_value();
            let is_inside = last.is_some_and(|(at, piece)| at + piece.len() > end);
            if is_inside || self.len.is_some() {
                return Fit::Contradiction;
            }
            self.len = Some(end);
        }
        if fragment.offset == 0 {
            self.protocol = Some(fragment.protocol);
        }
        Fit::New
    }
}
