//! Passes data from the receive loop to the view. The loop never waits for the terminal: it adds to a pending set, and
//! the view exchanges that set for an empty one.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::datagram::run::Run;
use crate::datagram::{Datagram, Notes, Timestamp};

/// Senders that have a row of their own; all others share one.
pub(super) const MAX_SENDERS: usize = 32_768;

/// The number of newest datagrams to keep: more than a terminal has rows for.
pub(super) const NEWEST: usize = 64;

/// The number of datagrams to keep from one run, because a flood comes in long runs.
const NEWEST_OF_RUN: usize = 4;

/// The bytes of a payload to keep: more than a row has cells for.
const KEPT: usize = 120;

/// The beginning of a payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Excerpt {
    /// The first bytes; the rest is zero.
    bytes: [u8; KEPT],
    /// How many of the bytes belong to the payload.
    kept: usize,
    /// The length of the whole datagram.
    pub(super) len: usize,
}

impl Excerpt {
    /// The beginning of this payload.
    fn of(datagram: &Datagram<'_>) -> Self {
        let mut bytes = [0; KEPT];
        let kept = datagram.payload.len().min(KEPT);
        for (kept, byte) in bytes.iter_mut().zip(datagram.payload) {
            *kept = *byte;
        }
        Self {
            bytes,
            kept,
            len: datagram.full_len,
        }
    }

    /// The bytes that are kept.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.kept).unwrap_or(&self.bytes)
    }
}

/// The datagrams of one sender since the last exchange.
#[derive(Debug)]
pub(super) struct Delta {
    /// The sender's number, in the order of their first datagrams; [`MAX_SENDERS`] for those that share a row.
    pub(super) sender: usize,
    /// The sender.
    pub(super) peer: SocketAddr,
    /// Its datagrams.
    pub(super) datagrams: u64,
    /// Their payload bytes.
    pub(super) bytes: u64,
    /// Datagrams with a sequence number.
    pub(super) sequenced: u64,
    /// Numbers that were missing when a higher one came, and how many of these came later.
    pub(super) lost: u64,
    pub(super) late: u64,
    /// The last payload.
    pub(super) last: Excerpt,
    /// When that came.
    pub(super) time: Timestamp,
}

/// A datagram that came lately.
#[derive(Debug, Clone)]
pub(super) struct Newest {
    /// The sender.
    pub(super) peer: SocketAddr,
    /// When it came.
    pub(super) time: Timestamp,
    /// The beginning of its payload.
    pub(super) payload: Excerpt,
}

/// The data that the view has not taken yet: at most one entry per sender, and the newest datagrams.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The number of the exchange: places from an older one are invalid.
    epoch: u64,
    /// An entry per sender.
    pub(super) deltas: Vec<Delta>,
    /// The newest datagrams, the last one at the end.
    pub(super) newest: VecDeque<Newest>,
    /// The line about the address, if it changed.
    pub(super) address: Option<String>,
}

/// The state that the receive loop and the view share.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedWithView(Arc<Mutex<Pending>>);

impl SharedWithView {
    /// The pending set; a thread that panicked leaves at worst a missing count.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the pending set in exchange for `empty`, whose memory is reused.
    pub(super) fn take(&self, mut empty: Pending) -> Pending {
        empty.deltas.clear();
        empty.newest.clear();
        empty.address = None;
        let mut pending = self.lock();
        empty.epoch = pending.epoch.wrapping_add(1);
        std::mem::replace(&mut *pending, empty)
    }

    /// The address to type into the board's program.
    pub(super) fn set_address(&self, address: String) {
        self.lock().address = Some(address);
    }
}

/// Where a sender's entry is in the pending ones of this epoch.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The exchange to which the place belongs.
    epoch: u64,
    /// The place.
    index: usize,
}

/// The receive loop's side.
#[derive(Debug)]
pub(super) struct WatchFeed {
    /// What the view takes.
    shared: SharedWithView,
    /// The number of each sender.
    numbers: HashMap<SocketAddr, usize>,
    /// The place of each sender's entry, by number.
    slots: Vec<Slot>,
    /// The place of the entry that the others share.
    rest: Slot,
    /// Most traffic comes from one sender at a time.
    last: Option<(SocketAddr, usize)>,
}

/// The place of a sender without an entry.
const NOWHERE: Slot = Slot {
    epoch: u64::MAX,
    index: 0,
};

impl WatchFeed {
    pub(super) fn new(shared: SharedWithView) -> Self {
        Self {
            shared,
            numbers: HashMap::new(),
            slots: Vec::new(),
            rest: NOWHERE,
            last: None,
        }
    }

    /// The number of a sender, a new one for a new sender.
    fn number(&mut self, peer: SocketAddr) -> usize {
        if let Some((last, number)) = self.last
            && last == peer
        {
            return number;
        }
        let number = match self.numbers.get(&peer) {
            Some(number) => *number,
            None if self.slots.len() >= MAX_SENDERS => MAX_SENDERS,
            None => {
                self.slots.push(NOWHERE);
                self.numbers.insert(peer, self.slots.len() - 1);
                self.slots.len() - 1
            }
        };
        self.last = Some((peer, number));
        number
    }

    /// Takes a run of datagrams.
    pub(super) fn run(&mut self, run: &Run<'_>, notes: &[Notes]) {
        let sender = self.number(run.peer);
        let (mut sequenced, mut lost, mut late) = (0, 0, 0);
        for note in notes {
            sequenced += u64::from(note.sequence.is_some());
            lost += note.lost;
            late += u64::from(note.is_late);
        }
        let skipped = run.len().saturating_sub(NEWEST_OF_RUN);
        // One lock per run instead of one per datagram, because the receive loop must keep up with a flood.
        let mut pending = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = &mut *pending;
        let mut excerpt = None;
        for datagram in run.datagrams().skip(skipped) {
            let payload = Excerpt::of(&datagram);
            if pending.newest.len() >= NEWEST {
                pending.newest.pop_front();
            }
            pending.newest.push_back(Newest {
                peer: run.peer,
                time: run.time,
                payload,
            });
            excerpt = Some(payload);
        }
        // A run has one datagram at least.
        let Some(excerpt) = excerpt else { return };
        let slot = self.slots.get_mut(sender).unwrap_or(&mut self.rest);
        let known = (slot.epoch == pending.epoch)
            .then(|| pending.deltas.get_mut(slot.index))
            .flatten();
        let (datagrams, bytes) = (run.len() as u64, run.payload_len() as u64);
        if let Some(delta) = known {
            delta.datagrams += datagrams;
            delta.bytes += bytes;
            delta.sequenced += sequenced;
            delta.lost += lost;
            delta.late += late;
            delta.last = excerpt;
            delta.time = run.time;
            return;
        }
        *slot = Slot {
            epoch: pending.epoch,
            index: pending.deltas.len(),
        };
        pending.deltas.push(Delta {
            sender,
            peer: if sender < MAX_SENDERS {
                run.peer
            } else {
                (Ipv4Addr::UNSPECIFIED, 0).into()
            },
            datagrams,
            bytes,
            sequenced,
            lost,
            late,
            last: excerpt,
            time: run.time,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datagram::Addressed;

    fn run(bytes: &[u8], port: u16) -> Run<'_> {
        Run::single(
            bytes,
            ([192, 168, 0, 5], port).into(),
            ([0, 0, 0, 0], 6000).into(),
            Addressed::Unicast,
            Timestamp::from_nanos(1),
        )
    }

    #[test]
    fn a_sender_has_one_entry_until_the_view_takes_it() {
        let shared = SharedWithView::default();
        let mut feed = WatchFeed::new(shared.clone());
        feed.run(&run(b"one", 1), &[]);
        feed.run(&run(b"abcdef", 2).segmented(2), &[]);
        let note = Notes {
            sequence: Some(7),
            lost: 3,
            ..Notes::default()
        };
        feed.run(&run(b"two", 1), &[note]);
        let first = shared.take(Pending::default());
        let counts: Vec<_> = first
            .deltas
            .iter()
            .map(|delta| (delta.sender, delta.datagrams, delta.bytes, delta.lost))
            .collect();
        assert_eq!(counts, [(0, 2, 6, 3), (1, 3, 6, 0)]);
        assert_eq!(first.deltas[0].last.bytes(), b"two");
        assert_eq!(first.newest.len(), 5);
        feed.run(&run(b"three", 2), &[]);
        let second = shared.take(first);
        assert_eq!(second.deltas.len(), 1);
        assert_eq!(
            (second.deltas[0].sender, second.deltas[0].datagrams),
            (1, 1)
        );
    }

    #[test]
    fn memory_is_bounded() {
        let shared = SharedWithView::default();
        let mut feed = WatchFeed::new(shared.clone());
        let most = u32::try_from(MAX_SENDERS).unwrap();
        for number in 0..most + 1000 {
            let mut one = run(&[b'x'; 1000], 1);
            one.peer = (Ipv4Addr::from(0x0a00_0000 + number), 1).into();
            feed.run(&one, &[]);
        }
        let pending = shared.take(Pending::default());
        assert_eq!(pending.deltas.len(), MAX_SENDERS + 1);
        assert_eq!(pending.newest.len(), NEWEST);
        let rest = pending.deltas.last().unwrap();
        assert_eq!((rest.sender, rest.datagrams), (MAX_SENDERS, 1000));
        assert!(rest.peer.ip().is_unspecified());
    }
}
