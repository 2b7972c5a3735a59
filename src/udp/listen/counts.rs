//! The listener's statistics per peer, and the summary line.
//!
//! Long because counting and the summary share the table of peers.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::datagram::Notes;
use crate::datagram::run::Run;
use crate::datagram::{Datagram, Timestamp};
use crate::text::escape;
use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::answer::{self, AnswerRate, Silence};
use crate::udp::interface;
use crate::udp::listen::ListenPlan;
use crate::udp::listen::answers::{Answers, Request, Via};
use crate::udp::payload::sequence::Header;
use crate::udp::receive::Drops;
use crate::udp::stats::loss::{Arrival, Totals, Tracker};
use crate::udp::stats::{Spread, per_second, rate};

/// If the one-way delay is longer than this or negative, the sender's clock differs from ours.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// The peer table's limit, so that a flood with forged sender addresses cannot use up memory; further peers share one
/// entry.
const MAX_PEERS: usize = 32_768;

/// All counters that a received datagram updates.
#[derive(Debug)]
pub(super) struct ListenCounts<'a> {
    plan: &'a ListenPlan,
    pub(super) datagrams: u64,
    bytes: u64,
    truncated: u64,
    pub(super) filtered: u64,
    peers: Peers,
    totals: Totals,
    unsequenced: u64,
    /// Datagrams whose checksum is wrong.
    bad_checks: u64,
    /// Sequenced datagrams from peers beyond [`MAX_PEERS`]: no tracker checks them for loss.
    unfollowed: u64,
    delays: Delays,
    /// The notes of the most recent run; reused to save an allocation per run.
    notes: Vec<Notes>,
    own: Vec<IpAddr>,
    broadcasts: Vec<IpAddr>,
}

/// One-way delays of datagrams from this machine, whose send time is from the same clock.
#[derive(Debug, Default)]
struct Delays {
    spread: Spread,
    /// Datagrams with an implausible delay, see [`LONGEST_DELAY`].
    other_clock: u64,
}

impl Delays {
    fn record_n(&mut self, sent: Timestamp, arrived: Timestamp, count: u64) {
        let nanos = arrived.as_nanos().saturating_sub(sent.as_nanos());
        match u64::try_from(nanos).map(Duration::from_nanos) {
            Ok(delay) if delay <= LONGEST_DELAY => self.spread.record_n(delay, count),
            _ => self.other_clock += count,
        }
    }
}

#[derive(Debug)]
struct Peer {
    rate: AnswerRate,
    tracker: Option<Box<Tracker>>,
    is_own: bool,
}

#[derive(Debug)]
struct Peers {
    table: Vec<Peer>,
    index: HashMap<SocketAddr, usize>,
    last: Option<(SocketAddr, usize)>,
    /// The shared entry for all peers beyond [`MAX_PEERS`].
    rest: Peer,
    is_full: bool,
}

impl Peers {
    fn get(&mut self, address: SocketAddr, make: impl FnOnce() -> Peer) -> &mut Peer {
        let index = match self.last {
            Some((last, index)) if last == address => Some(index),
            _ => self.index.get(&address).copied(),
        };
        let index = match index {
            Some(index) => index,
            None if self.table.len() >= MAX_PEERS => {
                self.is_full = true;
                return &mut self.rest;
            }
            None => {
                self.table.push(make());
                self.index.insert(address, self.table.len() - 1);
                self.table.len() - 1
            }
        };
        self.last = Some((address, index));
        self.table.get_mut(index).unwrap_or(&mut self.rest)
    }
}

impl<'a> ListenCounts<'a> {
    /// All counters at zero.
    pub(super) fn new(plan: &'a ListenPlan, now: Instant) -> Self {
        let wants_interfaces = plan.sequenced || plan.answers.is_some();
        let rest = Peer {
            rate: AnswerRate::new(now),
            tracker: None,
            is_own: false,
        };
        Self {
            plan,
            datagrams: 0,
            bytes: 0,
            truncated: 0,
            filtered: 0,
            peers: Peers {
                table: Vec::new(),
                index: HashMap::new(),
                last: None,
                rest,
                is_full: false,
            },
            totals: Totals::default(),
            unsequenced: 0,
            bad_checks: 0,
            unfollowed: 0,
            delays: Delays::default(),
            notes: Vec::new(),
            own: if wants_interfaces {
                interface::own_addresses()
            } else {
                Vec::new()
            },
            broadcasts: if wants_interfaces {
                interface::broadcast_addresses()
            } else {
                Vec::new()
            },
        }
    }

    /// Applies the sender filter and the count limit: returns the part of the run to process, if any.
    pub(super) fn wanted<'b>(&mut self, run: Run<'b>) -> Option<Run<'b>> {
        let plan = self.plan;
        let left = plan
            .count
            .map_or(u64::MAX, |count| count.saturating_sub(self.datagrams));
        if left == 0 {
            return None;
        }
        if !plan.from.is_empty()
            && !plan
                .from
                .iter()
                .any(|prefix| prefix.contains(run.peer.ip()))
        {
            self.filtered += run.len() as u64;
            return None;
        }
        Some(run.first(usize::try_from(left).unwrap_or(usize::MAX)))
    }

    /// Counts the datagrams of a run and queues their answers. Returns one note per datagram, or none at all without
    /// sequence numbers.
    pub(super) fn count(
        &mut self,
        run: &Run<'_>,
        via: Via,
        now: Instant,
        answers: &mut Answers<'_>,
    ) -> &[Notes] {
        let plan = self.plan;
        if tracing::enabled!(tracing::Level::DEBUG) {
            for payload in run.payloads() {
                tracing::debug!("recvfrom {} bytes from {}", payload.len(), run.peer);
                tracing::trace!("payload {}", escape::excerpt(payload));
            }
        }
        self.datagrams += run.len() as u64;
        self.bytes += run.payload_len() as u64;
        self.count_truncated(run);
        let own = &self.own;
        let peer = self.peers.get(run.peer, || Peer {
            rate: AnswerRate::new(now),
            tracker: plan.sequenced.then(Box::default),
            is_own: run.peer.ip().is_loopback() || own.contains(&run.peer.ip()),
        });
        self.notes.clear();
        if plan.sequenced {
            match &mut peer.tracker {
                Some(tracker) => {
                    let before = tracker.totals();
                    let mut delays = peer.is_own.then_some(&mut self.delays);
                    self.unsequenced += follow(run, tracker, &mut self.notes, &mut delays);
                    let after = tracker.totals();
                    // A peer's counts can also decrease: a datagram counted as lost arrives late, or the sender
                    // restarts and its first numbers were counted as duplicates.
                    let change =
                        |sum: u64, after: u64, before: u64| (sum + after).saturating_sub(before);
                    self.totals = Totals {
                        lost: change(self.totals.lost, after.lost, before.lost),
                        duplicate: change(self.totals.duplicate, after.duplicate, before.duplicate),
                        reordered: change(self.totals.reordered, after.reordered, before.reordered),
                    };
                }
                None => {
                    let sequenced = run.payloads().filter_map(Header::read).count() as u64;
                    self.unfollowed += sequenced;
                    self.unsequenced += run.len() as u64 - sequenced;
                }
            }
        }
        let has_rules = plan
            .answers
            .as_ref()
            .is_some_and(|plan| !plan.rules.is_empty());
        if plan.check.is_some() || has_rules {
            self.notes.resize(run.len(), Notes::default());
        }
        if let Some(check) = plan.check {
            for (payload, note) in run.payloads().zip(&mut self.notes) {
                let is_good = check.verified(payload).is_some();
                self.bad_checks += u64::from(!is_good);
                note.check = Some(is_good);
            }
        }
        if let Some(answering) = &plan.answers {
            let silence = answer::check(run, own, |address| self.broadcasts.contains(&address));
            let mut notes = self.notes.iter_mut();
            for payload in run.payloads() {
                let note = notes.next();
                if let Err(silence) = silence {
                    answers.withhold(silence, run.peer);
                    continue;
                }
                // A device ignores a damaged request, and reads a good one without its checksum.
                let request = match plan.check.map(|check| check.verified(payload)) {
                    None => payload,
                    Some(Some(request)) => request,
                    Some(None) => {
                        tracing::debug!("no answer to {}: its checksum is wrong", run.peer);
                        continue;
                    }
                };
                // First, because a flood of requests should not cost a search each.
                if !peer.rate.has_room(now, answering.rate) {
                    answers.withhold(Silence::Rate, run.peer);
                    continue;
                }
                let rule = answers.find(request);
                if let Some((note, index)) = note.zip(rule) {
                    note.rule = number(index);
                }
                if rule.is_none() && answering.fallback.is_none() {
                    continue;
                }
                peer.rate.count();
                answers.answer(
                    Request {
                        payload,
                        unchecked: request,
                        rule,
                        via,
                        now,
                    },
                    run,
                );
            }
        }
        &self.notes
    }

    fn count_truncated(&mut self, run: &Run<'_>) {
        let truncated = run.truncated() as u64;
        if truncated > 0
            && self.truncated == 0
            && let Some(first) = run.datagrams().find(Datagram::is_truncated)
        {
            tracing::warn!(
                say = "udp.truncated",
                len = first.full_len,
                peer = %first.peer,
                kept = first.payload.len(),
            );
        }
        self.truncated += truncated;
    }
}

/// The number of a rule, for people: from 1.
pub(super) fn number(index: usize) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(index).ok()?.checked_add(1)?)
}

/// Reads the sequence numbers of a run, and appends one note per datagram and its one-way delay. Returns how many
/// datagrams had no sequence number.
fn follow(
    run: &Run<'_>,
    tracker: &mut Tracker,
    notes: &mut Vec<Notes>,
    delays: &mut Option<&mut Delays>,
) -> u64 {
    let mut unsequenced = 0;
    let mut payloads = run.payloads().peekable();
    while let Some(payload) = payloads.next() {
        let Some(first) = Header::read(payload) else {
            unsequenced += 1;
            notes.push(Notes::default());
            continue;
        };
        // Datagrams sent in one batch carry the same send time and consecutive numbers, so they share one delay and one
        // tracker call.
        let mut next = first.next();
        while payloads.next_if(|payload| next.starts(payload)).is_some() {
            next = next.next();
        }
        let count = next.sequence - first.sequence;
        let arrival = tracker.arrive(first.sequence, first.sent);
        tracker.arrive_in_order(first.next().sequence..next.sequence, first.sent);
        notes.push(Notes {
            sequence: Some(first.sequence),
            lost: match arrival {
                Arrival::Next { lost } => lost,
                _ => 0,
            },
            is_late: arrival == Arrival::Reordered,
            ..Notes::default()
        });
        notes.extend((first.sequence + 1..next.sequence).map(|sequence| Notes {
            sequence: Some(sequence),
            ..Notes::default()
        }));
        if let Some(delays) = delays {
            delays.record_n(first.sent, run.time, count);
        }
    }
    unsequenced
}

/// The summary line of a listener.
#[derive(Debug)]
pub(crate) struct ListenSummary<'a> {
    pub(super) counts: &'a ListenCounts<'a>,
    pub(super) answers: &'a Answers<'a>,
    pub(super) dropped: Option<Drops>,
    pub(super) elapsed: Duration,
}

impl ListenSummary<'_> {
    /// The one-way delays of datagrams from this machine.
    #[must_use]
    pub(crate) fn delay(&self) -> &Spread {
        &self.counts.delays.spread
    }

    /// The counts as JSON, described in docs/summary.schema.json.
    #[must_use]
    pub(crate) fn to_json(&self) -> Value {
        let Self {
            counts, answers, ..
        } = self;
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
        put("command", "listen".into());
        put("datagrams", counts.datagrams.into());
        put("bytes", counts.bytes.into());
        put("peers", counts.peers.table.len().into());
        if counts.peers.is_full {
            put("more_peers", true.into());
        }
        put("elapsed", self.elapsed.as_secs_f64().into());
        put("rate", rate(counts.datagrams, self.elapsed).into());
        if let Some(Drops { count, is_estimate }) = self.dropped {
            put("dropped", count.into());
            put("dropped_is_estimate", is_estimate.into());
        }
        put("truncated", counts.truncated.into());
        if !counts.plan.from.is_empty() {
            put("filtered", counts.filtered.into());
        }
        if counts.plan.sequenced {
            put("lost", counts.totals.lost.into());
            put("duplicate", counts.totals.duplicate.into());
            put("reordered", counts.totals.reordered.into());
            put("unsequenced", counts.unsequenced.into());
            put("clocks_differ", counts.delays.other_clock.into());
            if let Some(delay) = counts.delays.spread.to_json() {
                put("delay", delay);
            }
        }
        if counts.plan.check.is_some() {
            put("bad_checks", counts.bad_checks.into());
        }
        if counts.plan.answers.is_some() {
            put("answered", answers.sent.into());
            put("withheld", answers.withheld.into());
            put("answers_failed", answers.failed.into());
            put("answers_dropped", answers.dropped.into());
            put("answers_waiting", answers.waiting().into());
        }
        Value::Object(out)
    }
}

impl ListenSummary<'_> {
    /// The summary, clause by clause.
    #[must_use]
    pub(crate) fn clauses(&self) -> Vec<Sentence> {
        let Self {
            counts, answers, ..
        } = self;
        let peers = counts.peers.table.len() as u64;
        let mut clauses = vec![
            sentence!("summary.datagrams", n: counts.datagrams),
            sentence!("summary.bytes", n: counts.bytes),
            if counts.peers.is_full {
                sentence!("summary.more-peers", n = peers)
            } else {
                sentence!("summary.peers", n: peers)
            },
            sentence!("summary.elapsed", time = seconds(self.elapsed)),
            sentence!(
                "summary.rate",
                rate = per_second(counts.datagrams, self.elapsed)
            ),
            match self.dropped {
                Some(drops) => drops.clause(),
                None => sentence!("summary.dropped-unknown"),
            },
            sentence!("summary.truncated", n = counts.truncated),
        ];
        if counts.plan.sequenced {
            self.sequence_clauses(&mut clauses);
        }
        if counts.filtered > 0 {
            clauses.push(sentence!("summary.filtered", n = counts.filtered));
        }
        if counts.plan.check.is_some() {
            clauses.push(sentence!("summary.bad-checks", n = counts.bad_checks));
        }
        if counts.plan.answers.is_some() {
            clauses.push(sentence!("summary.answered", n = answers.sent));
            if answers.withheld > 0 {
                clauses.push(sentence!("summary.withheld", n = answers.withheld));
            }
            if answers.failed > 0 {
                clauses.push(sentence!("summary.answers-failed", n = answers.failed));
            }
            if answers.dropped > 0 {
                clauses.push(sentence!("summary.answers-dropped", n = answers.dropped));
            }
            if answers.waiting() > 0 {
                clauses.push(sentence!("summary.answers-waiting", n = answers.waiting()));
            }
        }
        clauses
    }

    fn sequence_clauses(&self, clauses: &mut Vec<Sentence>) {
        let counts = self.counts;
        let Totals {
            lost,
            duplicate,
            reordered,
        } = counts.totals;
        clauses.push(sentence!(
            "summary.lost",
            lost = lost,
            duplicate = duplicate,
            reordered = reordered
        ));
        if counts.unsequenced > 0 {
            clauses.push(sentence!("summary.unsequenced", n = counts.unsequenced));
        }
        if counts.unfollowed > 0 {
            clauses.push(sentence!("summary.unfollowed", n = counts.unfollowed));
        }
        let Delays {
            spread,
            other_clock,
        } = &counts.delays;
        if spread.count() > 0 {
            clauses.push(sentence!("summary.delay", figures = spread.figures()));
        }
        if *other_clock > 0 {
            clauses.push(sentence!("summary.clocks-differ", n = other_clock));
        }
    }
}
