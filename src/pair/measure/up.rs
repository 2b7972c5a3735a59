//! Measures from the board to the PC.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{LATE, LOOK, MeasurementContext, Patience, SLACK, Trouble};
use crate::board::literal;
use crate::pair::board_session::{BoardSession, LineHandler};
use crate::pair::counts::{ArrivalState, SizeCounts};
use crate::pair::operation::Work;
use crate::pair::sockets::Arrived;
use crate::pair::test_datagram::{self, HEADER, PhaseMark};
use crate::udp::stats::Spread;

/// The results from the board to the PC.
#[derive(Debug)]
pub(in crate::pair) struct Up {
    /// What arrived, by size.
    pub(in crate::pair) counts: SizeCounts,
    /// The times between consecutive arrivals.
    pub(in crate::pair) gaps: Spread,
    /// The last errno of the board's `sendto`.
    pub(in crate::pair) error: Option<i64>,
    /// How often the board's `sendto` failed with ENOMEM for a payload that fits in one frame.
    pub(in crate::pair) no_arp: u64,
    /// The board's memory is too small for a payload.
    pub(in crate::pair) memory: bool,
    /// The source address of all datagrams, if it is not the board's.
    pub(in crate::pair) alias: Option<Ipv4Addr>,
    /// The last datagrams: the length, and the time since the previous one.
    pub(in crate::pair) last: VecDeque<(usize, Duration)>,
}

/// How many of the last datagrams are kept.
const KEPT: usize = 8;

/// `ENOMEM`: lwIP returns it if its queue for an unanswered ARP request is full.
pub(in crate::pair) const ENOMEM: i64 = 12;

/// The longest payload that fits in one Ethernet frame. A longer one may fail for lack of memory.
const ONE_FRAME: usize = 1472;

/// How many datagrams from other addresses are kept, in addition to the number that the board sends.
const STRANGERS: usize = 64;

/// Receives while the board sends.
struct UpHandler<'a> {
    /// The datagrams of this PC's socket.
    arrivals: &'a Receiver<Arrived>,
    /// The sizes that the board sends.
    sizes: &'a [usize],
    /// Distinguishes this phase's datagrams from others.
    mark: PhaseMark,
    /// The board's own address.
    board: Ipv4Addr,
    /// The results so far.
    up: Up,
    /// When the last datagram arrived.
    last: Option<Instant>,
    /// Datagrams from other addresses, in order of arrival.
    strangers: Vec<(Ipv4Addr, Seen)>,
    /// How many datagrams from other addresses to keep.
    most_strangers: usize,
}

/// The stored part of a datagram.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When it arrived.
    at: Instant,
    /// Its length in bytes.
    len: usize,
    /// Its first bytes, and their number.
    first: [u8; HEADER],
    first_len: usize,
    /// Whether the rest of its bytes is right.
    is_whole: bool,
}

impl Seen {
    /// Stores what is needed to count a datagram, without its payload: strangers may send many.
    fn of(arrived: &Arrived) -> Self {
        let bytes = &arrived.payload;
        let mut first = [0; HEADER];
        for (to, from) in first.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self {
            at: arrived.at,
            len: bytes.len(),
            first,
            first_len: bytes.len().min(HEADER),
            is_whole: test_datagram::is_whole(bytes),
        }
    }

    /// Its first bytes.
    fn first(&self) -> &[u8] {
        self.first.get(..self.first_len).unwrap_or_default()
    }
}

impl LineHandler for UpHandler<'_> {
    fn line(&mut self, words: &[&str]) {
        if let ["err", place, _, number] = *words {
            let place: usize = place.parse().unwrap_or(usize::MAX);
            if let Some(count) = self.up.counts.sizes.get_mut(place) {
                count.refused += 1;
            }
            match number.parse() {
                Ok(number) => {
                    self.up.error = Some(number);
                    let fits = self.sizes.get(place).is_some_and(|&size| size <= ONE_FRAME);
                    // A payload of several frames may also fail with ENOMEM because the board has no memory for it.
                    self.up.no_arp += u64::from(number == ENOMEM && fits);
                }
                // The board's program writes the word `memory` in place of the number if the payload does not fit its
                // buffer.
                Err(_) => self.up.memory = true,
            }
        }
    }

    fn tick(&mut self) {
        while let Ok(arrived) = self.arrivals.try_recv() {
            self.take(&arrived);
        }
    }
}

impl UpHandler<'_> {
    /// Counts a datagram from the board, and keeps one from elsewhere.
    fn take(&mut self, arrived: &Arrived) {
        let seen = Seen::of(arrived);
        if arrived.from == self.board {
            self.count(&seen);
        } else if self.strangers.len() < self.most_strangers {
            self.strangers.push((arrived.from, seen));
        }
    }

    /// If no datagram arrived from the board's own address, count those from the address that sent our token.
    fn find_alias(&mut self) {
        // The board's own address arrives here, so nothing rewrites it.
        if self.up.counts.received() > 0 {
            return;
        }
        let is_ours = |seen: &Seen| {
            seen.first_len == HEADER
                && test_datagram::read(seen.first(), seen.len, self.mark, self.sizes).is_some()
        };
        let alias = self.strangers.iter().find(|(_, seen)| is_ours(seen));
        self.up.alias = alias.map(|(from, _)| *from);
        for (from, seen) in std::mem::take(&mut self.strangers) {
            if Some(from) == self.up.alias {
                self.count(&seen);
            }
        }
    }

    /// Counts a datagram of this phase.
    fn count(&mut self, seen: &Seen) {
        let Some(header) = test_datagram::read(seen.first(), seen.len, self.mark, self.sizes)
        else {
            return;
        };
        let size = self.sizes.get(header.place).copied().unwrap_or(0);
        let state = if seen.len < size {
            ArrivalState::Cut
        } else if seen.is_whole {
            ArrivalState::Whole
        } else {
            ArrivalState::Damaged
        };
        if self.up.counts.arrive(header, state) {
            let gap = self
                .last
                .replace(seen.at)
                .map(|last| seen.at.saturating_duration_since(last));
            self.up.last.truncate(KEPT - 1);
            self.up.last.push_front((seen.len, gap.unwrap_or_default()));
            if let Some(gap) = gap {
                self.up.gaps.record(gap);
            }
        }
    }
}

/// Lets the board send `count` datagrams of each of `sizes`.
pub(in crate::pair) fn up(
    session: &mut BoardSession,
    context: &mut MeasurementContext,
    arrivals: &Receiver<Arrived>,
    sizes: &[usize],
    count: u16,
    interval: Duration,
) -> Result<Up, Trouble> {
    let mark = context.next_phase();
    let mut counts = SizeCounts::new(sizes);
    for size in &mut counts.sizes {
        size.sent = u64::from(count);
    }
    let list: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    let code = format!(
        "_pt('{}',{},({},),{count},{},{})",
        context.facing.local,
        context.port,
        list.join(","),
        interval.as_millis(),
        literal::ascii_bytes(&mark.bytes()),
    );
    let mut handler = UpHandler {
        arrivals,
        sizes,
        mark,
        board: context.board,
        up: Up {
            counts,
            gaps: Spread::default(),
            error: None,
            no_arp: 0,
            memory: false,
            alias: None,
            last: VecDeque::with_capacity(KEPT),
        },
        last: None,
        strangers: Vec::new(),
        most_strangers: sizes.len() * usize::from(count) + STRANGERS,
    };
    let datagrams = u32::try_from(sizes.len()).unwrap_or(u32::MAX) * u32::from(count);
    session.call(
        Work::Sending,
        &code,
        interval * datagrams + SLACK,
        &mut handler,
    )?;
    // The call has ended, and with it the sending; the last datagrams may still be on their way.
    let total = handler.up.counts.sent();
    let mut patience = Patience::new(LATE);
    // Set a deadline, because other devices may send without end.
    let until = Instant::now() + SLACK;
    let arrived =
        |handler: &UpHandler<'_>| handler.up.counts.received() + handler.strangers.len() as u64;
    while arrived(&handler) < total && Instant::now() < until {
        match arrivals.recv_timeout(LOOK) {
            Ok(arrived) => handler.take(&arrived),
            Err(RecvTimeoutError::Timeout) if patience.again() => {}
            Err(_) => break,
        }
    }
    handler.find_alias();
    Ok(handler.up)
}
