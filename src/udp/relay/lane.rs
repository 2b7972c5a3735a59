//! One direction of a relay: counts the datagrams, and loses, doubles, swaps, delays and limits them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::udp::delayed::Delayed;
use crate::udp::pace::Rate;
use crate::udp::relay::fate::{Direction, Fate, Impairment};
use crate::udp::relay::sessions::Route;
use crate::udp::system;

/// How long a datagram waits for the next one, which should overtake it.
const SWAP: Duration = Duration::from_millis(100);

/// The longest time that a datagram waits for its turn at the limited rate. The queue of a router is short too.
const LONGEST_QUEUE: Duration = Duration::from_secs(1);

/// The maximum number of datagrams to send before the loop looks at the sockets and signals again.
const BATCH: usize = 256;

/// The counts of one direction.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneCounts {
    /// Datagrams that arrived.
    pub(crate) datagrams: u64,
    /// Their payload bytes.
    pub(crate) bytes: u64,
    /// Lost by chance.
    pub(crate) dropped: u64,
    /// Sent twice.
    pub(crate) duplicated: u64,
    /// Overtaken by the next datagram.
    pub(crate) reordered: u64,
    /// Left out: over the rate.
    pub(crate) over_rate: u64,
    /// Dropped: too many datagrams wait for their delay.
    pub(crate) queue_full: u64,
    /// Dropped: the client has no session, or its session has ended.
    pub(crate) no_session: u64,
    /// Passed on.
    pub(crate) sent: u64,
    /// Not sent: the operating system refused.
    pub(crate) failed: u64,
}

impl LaneCounts {
    /// As JSON.
    pub(super) fn to_json(self, waiting: usize) -> Value {
        json!({
            "datagrams": self.datagrams,
            "bytes": self.bytes,
            "dropped": self.dropped,
            "duplicated": self.duplicated,
            "reordered": self.reordered,
            "over_rate": self.over_rate,
            "queue_full": self.queue_full,
            "no_session": self.no_session,
            "sent": self.sent,
            "failed": self.failed,
            "waiting": waiting,
        })
    }
}

/// A datagram that waits to be overtaken.
#[derive(Debug)]
struct Held {
    /// When the datagram passes even if no other one has come.
    until: Instant,
    /// Where it goes.
    route: Route,
    /// The datagram's bytes, in a buffer of the queue.
    payload: Vec<u8>,
    /// The fate that was decided when the datagram arrived.
    fate: Fate,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Lane {
    /// To the targets, or back.
    direction: Direction,
    /// The faults that a datagram may have here.
    path: Impairment,
    /// The seed of all decisions by chance.
    seed: u64,
    /// The time between two datagrams at the limited rate.
    gap: Option<Duration>,
    /// When the next datagram may be sent at the limited rate.
    free_at: Instant,
    /// The datagrams that wait to be overtaken; all wait equally long, so the first is due first.
    held: VecDeque<Held>,
    /// The datagrams that wait for their delay, or for their turn at the limited rate.
    queue: Delayed<Route>,
    /// The counts so far.
    pub(super) counts: LaneCounts,
}

impl Lane {
    /// An empty lane. `rate` limits both the datagrams and their copies.
    pub(super) fn new(direction: Direction, path: Impairment, seed: u64, rate: Rate) -> Self {
        let gap = match rate {
            Rate::Max => None,
            Rate::PerSecond(rate) => Some(
                // A rate near 0 gives a gap that `Duration` cannot hold: 136 years mean the same.
                Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::from_secs(1 << 32)),
            ),
        };
        Self {
            direction,
            path,
            seed,
            gap,
            free_at: Instant::now(),
            held: VecDeque::new(),
            queue: Delayed::default(),
            counts: LaneCounts::default(),
        }
    }

    /// Whether every datagram passes at once.
    pub(super) fn is_plain(&self) -> bool {
        self.path.is_none() && self.gap.is_none()
    }

    /// How many datagrams wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len() + self.held.len()
    }

    /// When the lane has something to do without a new datagram.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let held = self.held.front().map(|held| held.until);
        self.queue.next_due().into_iter().chain(held).min()
    }

    /// Takes a datagram, and sends what may pass now.
    pub(super) fn take(
        &mut self,
        route: Route,
        payload: &[u8],
        now: Instant,
        send: &mut impl FnMut(Route, &[u8]),
    ) {
        let index = self.counts.datagrams;
        self.counts.datagrams += 1;
        self.counts.bytes += payload.len() as u64;
        // Use the datagram's number instead of a running generator: then the same seed gives the same fates, however
        // the datagrams of both directions mix in time.
        let fate = Fate::of(self.seed, self.direction, index, &self.path);
        if fate.is_dropped {
            tracing::debug!("datagram {index} from {} is dropped", route.from);
            self.counts.dropped += 1;
            return;
        }
        let before = self
            .held
            .iter()
            // Only a datagram on the same path may overtake. Neither client could see a swap across two clients.
            .position(|held| held.route.is_same_path(&route))
            .and_then(|place| self.held.remove(place));
        // One swap at a time: a datagram that overtakes is not overtaken itself, or a run of swapped ones would be
        // delayed as a whole and keep its order.
        if fate.is_swapped && before.is_none() {
            let mut buffer = self.queue.buffer();
            buffer.extend_from_slice(payload);
            self.held.push_back(Held {
                until: now + SWAP,
                route,
                payload: buffer,
                fate,
            });
            return;
        }
        self.pass(route, payload, fate, now, send);
        if let Some(held) = before {
            self.counts.reordered += 1;
            self.pass(held.route, &held.payload, held.fate, now, send);
            self.queue.give_back(held.payload);
        }
    }

    /// Sends what is due, at most a batch.
    pub(super) fn send_due(&mut self, now: Instant, send: &mut impl FnMut(Route, &[u8])) {
        // No next datagram has come: nothing can overtake this one.
        while let Some(held) = self.held.pop_front_if(|held| held.until <= now) {
            self.pass(held.route, &held.payload, held.fate, now, send);
            self.queue.give_back(held.payload);
        }
        // Bounded: otherwise a queue that fills as fast as it empties would keep the loop from checking its sockets and
        // Ctrl-C.
        for _ in 0..BATCH {
            let Some(due) = self.queue.take(now, |_| true) else {
                break;
            };
            send(due.to, &due.payload);
            self.queue.give_back(due.payload);
        }
    }

    /// Sends a datagram as often as its fate says, now or later.
    fn pass(
        &mut self,
        route: Route,
        payload: &[u8],
        fate: Fate,
        now: Instant,
        send: &mut impl FnMut(Route, &[u8]),
    ) {
        self.counts.duplicated += u64::from(fate.is_doubled);
        for _ in 0..=u8::from(fate.is_doubled) {
            // Each copy takes its own turn, as on a real line, where a doubled datagram uses the line twice.
            let Some(start) = self.turn(now) else {
                self.counts.over_rate += 1;
                continue;
            };
            // First the queue for the rate and then the delay, as a router has its queue before the long line.
            let due = start.checked_add(fate.delay).unwrap_or(start);
            // Nothing that waits may be overtaken here.
            let is_next = self.queue.next_due().is_none_or(|next| next > due);
            if is_next && due <= now + system::TIMER_GRAIN {
                send(route, payload);
                continue;
            }
            let mut buffer = self.queue.buffer();
            buffer.extend_from_slice(payload);
            if !self.queue.add(due, route, buffer) {
                self.counts.queue_full += 1;
            }
        }
    }

    /// When the next datagram may start at the limited rate; `None` if too many wait already.
    fn turn(&mut self, now: Instant) -> Option<Instant> {
        let Some(gap) = self.gap else {
            return Some(now);
        };
        // A quiet period earns no credit: the limited rate is even, and allows no burst later.
        let start = self.free_at.max(now);
        if start > now + LONGEST_QUEUE {
            return None;
        }
        self.free_at = start.checked_add(gap).unwrap_or(start);
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    fn lane(path: Impairment, rate: Rate) -> Lane {
        Lane::new(Direction::Forward, path, 1, rate)
    }

    fn route(session: u64) -> Route {
        Route {
            slot: 0,
            session,
            from: "127.0.0.1:9".parse().unwrap(),
        }
    }

    /// Takes the payloads one by one, `step` apart, and waits for the rest; returns the sent payloads with their times
    /// in milliseconds.
    fn run(lane: &mut Lane, sessions: &[u64], step: Duration) -> Vec<(u8, u128)> {
        let start = Instant::now();
        let mut sent = Vec::new();
        let mut now = start;
        for (number, &session) in (0..).zip(sessions) {
            while let Some(due) = lane
                .next_due()
                .filter(|due| *due <= start + step * u32::from(number))
            {
                now = due.max(now);
                lane.send_due(now, &mut |_, payload| {
                    sent.push((payload[0], (now - start).as_millis()));
                });
            }
            now = start + step * u32::from(number);
            lane.take(route(session), &[number], now, &mut |_, payload| {
                sent.push((payload[0], (now - start).as_millis()));
            });
        }
        while let Some(due) = lane.next_due() {
            now = due.max(now);
            lane.send_due(now, &mut |_, payload| {
                sent.push((payload[0], (now - start).as_millis()));
            });
        }
        sent
    }

    fn numbers(sent: &[(u8, u128)]) -> Vec<u8> {
        sent.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn a_swapped_datagram_goes_after_the_next_of_its_session() {
        let path = Impairment {
            reorder: 100.0,
            ..Impairment::default()
        };
        let mut all = lane(path, Rate::Max);
        assert_eq!(numbers(&run(&mut all, &[1; 5], MS)), [1, 0, 3, 2, 4]);
        assert_eq!(all.counts.reordered, 2);
        let mut two = lane(path, Rate::Max);
        assert_eq!(numbers(&run(&mut two, &[1, 2, 1, 2], MS)), [2, 0, 3, 1]);
        let mut alone = lane(path, Rate::Max);
        assert_eq!(run(&mut alone, &[1], MS), [(0, 100)]);
        assert_eq!((alone.counts.reordered, alone.waiting()), (0, 0));
    }

    #[test]
    fn a_delay_keeps_the_order_and_a_rate_spaces() {
        let path = Impairment {
            delay: 30 * MS,
            ..Impairment::default()
        };
        let sent = run(&mut lane(path, Rate::Max), &[1; 4], 10 * MS);
        assert_eq!(sent, [(0, 30), (1, 40), (2, 50), (3, 60)]);
        // Further apart than the timer of any system is exact.
        let mut slow = lane(Impairment::default(), Rate::PerSecond(20.0));
        let sent = run(&mut slow, &[1; 4], Duration::ZERO);
        assert_eq!(sent, [(0, 0), (1, 50), (2, 100), (3, 150)]);
        assert!(!slow.is_plain() && lane(Impairment::default(), Rate::Max).is_plain());
    }

    #[test]
    fn the_queue_of_a_limited_rate_is_a_second_long() {
        let mut slow = lane(Impairment::default(), Rate::PerSecond(10.0));
        let sent = run(&mut slow, &[1; 100], Duration::ZERO);
        // One at once, and the ten that a second has room for.
        assert_eq!(sent.len(), 11);
        assert_eq!(slow.counts.over_rate, 89);
        assert_eq!(slow.counts.datagrams, 100);
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_bytes() {
        let path = Impairment {
            delay: Duration::from_hours(1),
            ..Impairment::default()
        };
        let mut late = lane(path, Rate::Max);
        let now = Instant::now();
        for _ in 0..2000 {
            late.take(route(1), &vec![0; 65_000], now, &mut |_, _| unreachable!());
        }
        assert!(late.waiting() < 1100, "{}", late.waiting());
        assert_eq!(late.counts.queue_full + late.waiting() as u64, 2000);
        let mut late = lane(path, Rate::Max);
        for _ in 0..100_000 {
            late.take(route(1), b"", now, &mut |_, _| unreachable!());
        }
        assert_eq!(late.waiting(), 65_536);
    }

    proptest! {
        #[test]
        fn every_datagram_is_sent_or_counted(
            drop in 0.0..100.0f64, duplicate in 0.0..100.0f64, reorder in 0.0..100.0f64,
            delay in 0..50u64, jitter in 0..50u64, rate in prop::option::of(5.0..1000.0f64),
            sessions in prop::collection::vec(1..4u64, 0..60), step in 0..20u64,
        ) {
            let path = Impairment {
                drop, duplicate, reorder,
                delay: Duration::from_millis(delay),
                jitter: Duration::from_millis(jitter),
            };
            let mut lane = lane(path, rate.map_or(Rate::Max, Rate::PerSecond));
            let sent = run(&mut lane, &sessions, Duration::from_millis(step));
            let counts = lane.counts;
            prop_assert_eq!(lane.waiting(), 0);
            prop_assert_eq!(counts.datagrams, sessions.len() as u64);
            prop_assert_eq!(sent.len() as u64 + counts.dropped + counts.over_rate, counts.datagrams + counts.duplicated);
            if path.is_none() {
                prop_assert!(sent.is_sorted());
            }
        }
    }
}
