//! The counts of a send run, and its summary line.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::Neighbour;
use crate::udp::stats::{Spread, per_second, rate};

/// The counts of a run.
#[derive(Debug, Default)]
pub(crate) struct SendSummary {
    /// Datagrams that the kernel accepted.
    pub(crate) datagrams: u64,
    /// Their payload bytes.
    pub(crate) bytes: u64,
    /// Datagrams that could not be sent, or that ICMP errors reported as undeliverable.
    pub(crate) errors: u64,
    /// The datagrams among `errors` that were never sent.
    pub(crate) unsent: u64,
    /// ICMP port-unreachable messages.
    pub(crate) refused: u64,
    /// Replies received.
    pub(crate) replies: u64,
    /// Whether the expected reply was among the replies.
    pub(crate) is_expected_seen: bool,
    /// The last error among `errors`.
    pub(crate) last_error: Option<io::Error>,
    /// The neighbour-table state of a peer that sent nothing back.
    pub(crate) neighbour: Option<Neighbour>,
    /// The round-trip times of the replies.
    pub(super) rtt: Spread,
    /// How long the run took, with the wait for replies.
    pub(super) elapsed: Duration,
    /// The time from the first datagram to the last.
    pub(super) sending: Duration,
}

impl SendSummary {
    /// Adds the counts of another part of the same run.
    pub(super) fn add(&mut self, part: Self) {
        self.datagrams += part.datagrams;
        self.bytes += part.bytes;
        self.errors += part.errors;
        self.unsent += part.unsent;
        self.refused += part.refused;
        self.replies += part.replies;
        self.is_expected_seen |= part.is_expected_seen;
        self.last_error = part.last_error.or(self.last_error.take());
        self.neighbour = part.neighbour.or(self.neighbour.take());
        self.rtt.add(&part.rtt);
    }

    /// The round-trip times of the replies.
    #[must_use]
    pub(crate) fn rtt(&self) -> &Spread {
        &self.rtt
    }

    /// The count and the time span for datagrams per second. The span is from the first datagram to the last, without
    /// the wait for replies. A single datagram has no such span.
    fn rate(&self) -> (u64, Duration) {
        match self.datagrams.checked_sub(1) {
            Some(gaps @ 1..) if !self.sending.is_zero() => (gaps, self.sending),
            _ => (self.datagrams, self.elapsed),
        }
    }

    /// The counts as JSON, described in docs/summary.schema.json.
    #[must_use]
    pub(crate) fn to_json(&self) -> Value {
        let (count, time) = self.rate();
        let mut counts = json!({
            "command": "send",
            "datagrams": self.datagrams,
            "bytes": self.bytes,
            "errors": self.errors,
            "unsent": self.unsent,
            "refused": self.refused,
            "replies": self.replies,
            "elapsed": self.elapsed.as_secs_f64(),
            "rate": rate(count, time),
        });
        if let (Some(rtt), Some(counts)) = (self.rtt.to_json(), counts.as_object_mut()) {
            counts.insert("rtt".to_owned(), rtt);
        }
        counts
    }
}

impl SendSummary {
    /// The summary of a single datagram as a person would say it; `None` if there is more to say.
    #[must_use]
    pub(crate) fn in_words(&self) -> Option<Sentence> {
        if self.datagrams != 1 || self.errors > 0 || self.refused > 0 {
            return None;
        }
        let first = self.rtt.quantiles().map(|[first, ..]| first);
        match (self.replies, first) {
            (0, _) => Some(sentence!("summary.one-sent", bytes: self.bytes)),
            (_, Some(first)) => Some(sentence!(
                "summary.one-answered",
                n: self.replies,
                time = in_milliseconds(first)
            )),
            (_, None) => None,
        }
    }

    /// The summary, clause by clause.
    #[must_use]
    pub(crate) fn clauses(&self) -> Vec<Sentence> {
        let mut clauses = vec![
            sentence!("summary.datagrams", n: self.datagrams),
            sentence!("summary.bytes", n: self.bytes),
            sentence!("summary.errors", n: self.errors),
            sentence!("summary.refused", n = self.refused),
            sentence!("summary.replies", n: self.replies),
        ];
        if self.rtt.count() > 0 {
            clauses.push(sentence!("summary.rtt", figures = self.rtt.figures()));
            if let Some((names, figures)) = self.rtt.tail() {
                clauses.push(sentence!(
                    "summary.rtt-tail",
                    names = names,
                    figures = figures
                ));
            }
        }
        let (count, time) = self.rate();
        clauses.push(sentence!("summary.elapsed", time = seconds(self.elapsed)));
        clauses.push(sentence!("summary.rate", rate = per_second(count, time)));
        clauses
    }
}

/// `0.2 ms`, `12 ms`: as exact as a person needs it.
fn in_milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 0.1 {
        format!("{ms:.2} ms")
    } else if ms < 10.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.0} ms")
    }
}
