//! The listener's statistics per peer, and the summary line.
//!
//! Long because counting and the summary share the table of peers.

mod clauses;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

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
use crate::udp::stats::quality::{Bursts, Interval, Numbered, Quality};
use crate::udp::stats::series::Series;
use crate::udp::stats::{Spread, per_second, rate};

/// If the one-way delay is longer than this limit, or negative, the sender's clock differs from ours.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// The peer table's limit, so that a flood with forged sender addresses cannot use up memory; further peers share one
/// entry.
const MAX_PEERS: usize = 32_768;

/// How many senders have figures of their own, so that their memory is limited.
const MAX_DETAILED: usize = 256;

/// How many senders JSON lists.
const MAX_LISTED: usize = 64;

/// All counters that a received datagram updates.
#[derive(Debug)]
pub(super) struct ListenCounts<'a> {
    /// What to count.
    plan: &'a ListenPlan,
    /// Datagrams received and wanted.
    pub(super) datagrams: u64,
    /// Their payload bytes.
    bytes: u64,
    /// Datagrams longer than the receive size.
    truncated: u64,
    /// Datagrams from senders that are not wanted.
    pub(super) filtered: u64,
    /// The senders.
    peers: Peers,
    /// What the sequence numbers tell.
    numbers: Numbers,
    /// Datagrams whose checksum is wrong.
    bad_checks: u64,
    /// The notes of the most recent run; reused to save an allocation per run.
    notes: Vec<Notes>,
    /// This machine's addresses, read once: a listing per datagram would cost too much.
    own: Vec<IpAddr>,
    /// The broadcast addresses, read once too.
    broadcasts: Vec<IpAddr>,
    /// When the run began, and its last interval.
    begun: Timestamp,
    interval_begun: Instant,
}

/// The losses and order of all senders, from their sequence numbers.
#[derive(Debug, Default)]
struct Numbers {
    /// The sums over all senders.
    totals: Totals,
    /// Datagrams without a number.
    unsequenced: u64,
    /// Sequenced datagrams from peers beyond [`MAX_PEERS`]: no tracker checks them for loss.
    unfollowed: u64,
    /// The one-way delays.
    delays: Delays,
}

impl Numbers {
    /// Counts the numbers of a run, and appends its notes.
    fn count(&mut self, run: &Run<'_>, peer: &mut Peer, notes: &mut Vec<Notes>) {
        let Some(tracker) = &mut peer.tracker else {
            let sequenced = run.payloads().filter_map(Header::read).count() as u64;
            self.unfollowed += sequenced;
            self.unsequenced += run.len() as u64 - sequenced;
            return;
        };
        let before = tracker.totals();
        // Only on this machine: the clocks of two machines differ by more than a delay lasts.
        let mut delays = peer.is_own.then_some(&mut self.delays);
        let quality = peer.quality.as_deref_mut();
        self.unsequenced += follow(run, tracker, quality, notes, &mut delays);
        let after = tracker.totals();
        // A peer's counts can also decrease: a datagram counted as lost arrives late, or the sender restarts and its
        // first numbers were counted as duplicates.
        let change = |sum: u64, after: u64, before: u64| (sum + after).saturating_sub(before);
        self.totals = Totals {
            lost: change(self.totals.lost, after.lost, before.lost),
            duplicate: change(self.totals.duplicate, after.duplicate, before.duplicate),
            reordered: change(self.totals.reordered, after.reordered, before.reordered),
        };
    }
}

/// One-way delays of datagrams from this machine, whose send time is from the same clock.
#[derive(Debug, Default)]
struct Delays {
    /// The plausible delays.
    spread: Spread,
    /// Datagrams with an implausible delay, see [`LONGEST_DELAY`].
    other_clock: u64,
}

impl Delays {
    /// Notes the delay of `count` datagrams with the same times.
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
    /// How often it was answered.
    rate: AnswerRate,
    /// Tracks the sender's sequence numbers; boxed, because most runs need no tracker.
    tracker: Option<Box<Tracker>>,
    /// Its figures, for the first [`MAX_DETAILED`] senders.
    quality: Option<Box<Quality>>,
    /// Whether the sender is on this machine, so that both sides use the same clock.
    is_own: bool,
}

#[derive(Debug)]
struct Peers {
    /// The senders in the order of their first datagram.
    table: Vec<Peer>,
    /// The place of each in the table.
    index: HashMap<SocketAddr, usize>,
    /// The last entry found: most datagrams come in runs of one sender.
    last: Option<(SocketAddr, usize)>,
    /// The shared entry for all peers beyond [`MAX_PEERS`].
    rest: Peer,
    /// Whether there were more senders than the table holds.
    is_full: bool,
}

impl Peers {
    /// The entry of a sender, which `make` fills in at its first datagram.
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
        // Needed to know which senders are on this machine, and which addresses must not get an answer.
        let wants_interfaces = plan.sequenced || plan.answers.is_some();
        // Without a tracker and without figures: numbers of different senders would look like loss.
        let rest = Peer {
            rate: AnswerRate::new(now),
            tracker: None,
            quality: None,
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
            numbers: Numbers::default(),
            bad_checks: 0,
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
            begun: Timestamp::now(),
            interval_begun: now,
        }
    }

    /// Applies the sender filter and the count limit: returns the part of the run to process, if any.
    pub(super) fn wanted<'b>(&mut self, run: Run<'b>) -> Option<Run<'b>> {
        let plan = self.plan;
        let left = plan
            .count
            .map_or(u64::MAX, |count| count.saturating_sub(self.datagrams));
        // A buffer that GRO has filled may hold more datagrams than are wanted.
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
        let has_figures = (plan.sequenced || plan.charted) && self.peers.table.len() < MAX_DETAILED;
        let begun = self.begun;
        let peer = self.peers.get(run.peer, || Peer {
            rate: AnswerRate::new(now),
            tracker: plan.sequenced.then(Box::default),
            quality: has_figures
                .then(|| Box::new(Quality::new(plan.charted.then(|| Series::new(begun))))),
            is_own: run.peer.ip().is_loopback() || own.contains(&run.peer.ip()),
        });
        self.notes.clear();
        if let Some(quality) = &mut peer.quality {
            quality.arrived(run.len() as u64, run.payload_len() as u64, run.time);
        }
        if plan.sequenced {
            self.numbers.count(run, peer, &mut self.notes);
        }
        let has_rules = plan
            .answers
            .as_ref()
            .is_some_and(|plan| !plan.rules.is_empty());
        if plan.check.is_some() || has_rules {
            // Without numbers there are no notes yet, nor for a sender beyond the limit.
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
            // Once for the run, because all of its datagrams have one sender and one destination.
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
                // Check this first, so that a flood of requests does not cost a search for each.
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
                // Count only now, so that a request without an answer does not use up the sender's share.
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

    /// Ends an interval; gives its counts and its length.
    pub(super) fn next_interval(&mut self, now: Instant) -> (Interval, Duration) {
        let mut sum = Interval::default();
        for peer in &mut self.peers.table {
            if let Some(quality) = &mut peer.quality {
                sum.add(&quality.next_interval());
            }
        }
        let length = now.saturating_duration_since(self.interval_begun);
        self.interval_begun = now;
        (sum, length)
    }

    /// Counts what was cut off, and tells the user the first time.
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
    mut quality: Option<&mut Quality>,
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
        let mut numbered = Numbered {
            number: first.sequence,
            count,
            sent: first.sent,
            arrived: run.time,
            arrival,
        };
        let rest = first.next().sequence..next.sequence;
        match &mut quality {
            // After a late number, check each of the following numbers separately.
            Some(quality) if matches!(arrival, Arrival::Reordered | Arrival::Duplicate) => {
                numbered.count = 1;
                quality.numbered(numbered);
                for number in rest {
                    let arrival = tracker.arrive(number, first.sent);
                    quality.numbered(Numbered {
                        number,
                        arrival,
                        ..numbered
                    });
                }
            }
            Some(quality) => {
                tracker.arrive_in_order(rest, first.sent);
                quality.numbered(numbered);
            }
            None => tracker.arrive_in_order(rest, first.sent),
        }
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

/// The figures of one sender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender<'a> {
    /// The sender.
    pub(crate) from: SocketAddr,
    /// The sender's loss and order, if sequence numbers are read.
    pub(crate) totals: Option<Totals>,
    /// Everything else.
    pub(crate) quality: &'a Quality,
}

impl Sender<'_> {
    /// As JSON, with times in seconds.
    #[must_use]
    pub(crate) fn to_json(self) -> Value {
        let quality = self.quality;
        let mut out = json!({
            "from": self.from.to_string(),
            "datagrams": quality.datagrams,
            "bytes": quality.bytes,
            "rate": quality.rate(),
            "longest_gap": quality.longest_gap().as_secs_f64(),
        });
        let Some(totals) = self.totals else {
            return out;
        };
        let extents = quality.extents();
        let figures = json!({
            "lost": totals.lost,
            "duplicate": totals.duplicate,
            "reordered": totals.reordered,
            "extent_mean": mean(extents.sum, extents.count),
            "extent_max": extents.longest,
            "jitter": quality.jitter().smoothed(),
            "jitter_mean": quality.jitter().mean(),
            "longest_outage": quality.longest_outage().as_secs_f64(),
            "bursts": bursts_to_json(&quality.bursts()),
        });
        if let (Some(out), Value::Object(figures)) = (out.as_object_mut(), figures) {
            out.extend(figures);
        }
        out
    }
}

/// The mean; 0 without values.
fn mean(sum: u64, count: u64) -> f64 {
    sum as f64 / count.max(1) as f64
}

/// Runs of lost datagrams as JSON, described in docs/summary.schema.json.
fn bursts_to_json(bursts: &Bursts) -> Value {
    json!({
        "count": bursts.count,
        "mean": mean(bursts.lost, bursts.count),
        "max": bursts.longest,
        "lengths": bursts.steps().collect::<Vec<_>>(),
    })
}

/// The summary line of a listener.
#[derive(Debug)]
pub(crate) struct ListenSummary<'a> {
    /// What was received.
    pub(super) counts: &'a ListenCounts<'a>,
    /// What was answered.
    pub(super) answers: &'a Answers<'a>,
    /// What the kernel dropped; `None` if it reports no count.
    pub(super) dropped: Option<Drops>,
    /// How long the run has lasted.
    pub(super) elapsed: Duration,
    /// The counts since the previous report, and the time since then.
    pub(super) interval: Option<(Interval, Duration)>,
}

impl ListenSummary<'_> {
    /// The one-way delays of datagrams from this machine.
    #[must_use]
    pub(crate) fn delay(&self) -> &Spread {
        &self.counts.numbers.delays.spread
    }

    /// The senders that have figures of their own, those with the most datagrams first.
    #[must_use]
    pub(crate) fn senders(&self) -> Vec<Sender<'_>> {
        let peers = &self.counts.peers;
        let sender = |(&from, &index): (&SocketAddr, &usize)| {
            let peer = peers.table.get(index)?;
            Some(Sender {
                from,
                totals: peer.tracker.as_ref().map(|tracker| tracker.totals()),
                quality: peer.quality.as_deref()?,
            })
        };
        let mut senders: Vec<Sender<'_>> = peers.index.iter().filter_map(sender).collect();
        // Among equals the address decides, so that two reports give the same order.
        senders.sort_by_key(|sender| (std::cmp::Reverse(sender.quality.datagrams), sender.from));
        senders
    }

    /// How many datagrams arrived.
    pub(crate) fn datagrams(&self) -> u64 {
        self.counts.datagrams
    }

    /// Their payload bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.counts.bytes
    }

    /// How many senders there were.
    pub(crate) fn peers(&self) -> usize {
        self.counts.peers.table.len()
    }

    /// How many datagrams were truncated.
    pub(crate) fn truncated(&self) -> u64 {
        self.counts.truncated
    }

    /// How many datagrams the kernel dropped, if it reports that.
    pub(crate) fn dropped(&self) -> Option<u64> {
        self.dropped.map(|drops| drops.count)
    }

    /// How long it listened.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Loss and order, if sequence numbers are read.
    pub(crate) fn totals(&self) -> Option<Totals> {
        let counts = self.counts;
        counts.plan.sequenced.then_some(counts.numbers.totals)
    }

    /// How many datagrams came from senders that are not wanted.
    pub(crate) fn filtered(&self) -> u64 {
        self.counts.filtered
    }

    /// The longest outage of a sender.
    pub(crate) fn longest_outage(&self) -> Duration {
        self.together().outage
    }

    /// How many datagrams had no number.
    pub(crate) fn unsequenced(&self) -> u64 {
        self.counts.numbers.unsequenced
    }

    /// How many datagrams had a number.
    pub(crate) fn numbered(&self) -> u64 {
        self.counts.datagrams - self.counts.numbers.unsequenced
    }

    /// The bursts of loss of all senders.
    pub(crate) fn bursts(&self) -> Bursts {
        let mut bursts = Bursts::default();
        for sender in self.senders() {
            bursts.add(&sender.quality.bursts());
        }
        bursts
    }

    /// The course of all senders together.
    pub(crate) fn series(&self) -> Option<Series> {
        let senders = self.senders();
        let mut all = senders.iter().filter_map(|sender| sender.quality.series());
        let mut sum = all.next()?.clone();
        all.for_each(|series| sum.add(series));
        Some(sum)
    }

    /// The figures of all senders together, for JSON.
    fn put_quality(&self, put: &mut impl FnMut(&str, Value)) {
        let senders = self.senders();
        let together = self.together();
        let extents = together.extents;
        put("extent_mean", mean(extents.sum, extents.count).into());
        put("extent_max", extents.longest.into());
        put("jitter", together.jitter.unwrap_or_default().into());
        put("longest_outage", together.outage.as_secs_f64().into());
        put("bursts", bursts_to_json(&self.bursts()));
        if let Some((interval, length)) = self.interval {
            let arrived = interval.datagrams;
            put(
                "interval",
                json!({
                    "elapsed": length.as_secs_f64(),
                    "datagrams": arrived,
                    "bytes": interval.bytes,
                    "rate": rate(arrived, length),
                    "lost": interval.lost,
                    "recovered": interval.recovered,
                    "duplicate": interval.duplicate,
                    "reordered": interval.reordered,
                }),
            );
        }
        let listed = senders.iter().take(MAX_LISTED);
        put("senders", listed.copied().map(Sender::to_json).collect());
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
            put("lost", counts.numbers.totals.lost.into());
            put("duplicate", counts.numbers.totals.duplicate.into());
            put("reordered", counts.numbers.totals.reordered.into());
            put("unsequenced", counts.numbers.unsequenced.into());
            put("clocks_differ", counts.numbers.delays.other_clock.into());
            if let Some(delay) = counts.numbers.delays.spread.to_json() {
                put("delay", delay);
            }
            self.put_quality(&mut put);
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
                clauses.push(sentence!("summary.answers-failed", n: answers.failed));
            }
            if answers.dropped > 0 {
                clauses.push(sentence!("summary.answers-dropped", n: answers.dropped));
            }
            if answers.waiting() > 0 {
                clauses.push(sentence!("summary.answers-waiting", n: answers.waiting()));
            }
        }
        clauses
    }
}
