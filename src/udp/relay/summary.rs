//! The counts of a relay, and its summary line.

use std::time::Duration;

use serde_json::{Value, json};

use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::receive::Drops;
use crate::udp::relay::fate::Impairment;
use crate::udp::relay::lane::LaneCounts;
use crate::udp::relay::{RelayPlan, TargetCounts};
use crate::udp::stats::{per_second, rate};

/// The counts of a relay.
#[derive(Debug)]
pub(crate) struct RelaySummary<'a> {
    /// The settings of the run.
    pub(super) plan: &'a RelayPlan,
    /// To the targets; with how many datagrams wait.
    pub(super) forward: (LaneCounts, usize),
    /// Back to the clients.
    pub(super) back: (LaneCounts, usize),
    /// The counts per target, in the plan's order.
    pub(super) targets: &'a [TargetCounts],
    /// The clients that had a session.
    pub(super) clients: u64,
    /// Datagrams of the relay's own sockets, which were left out.
    pub(super) looped: u64,
    /// Datagrams that the kernel dropped before the relay could read them; `None` if it reports no count.
    pub(super) dropped: Option<Drops>,
    /// How long the relay ran.
    pub(super) elapsed: Duration,
}

impl RelaySummary<'_> {
    /// The datagrams that arrived in both directions.
    fn datagrams(&self) -> u64 {
        self.forward.0.datagrams + self.back.0.datagrams
    }

    /// The counts as JSON, described in docs/summary.schema.json.
    #[must_use]
    pub(crate) fn to_json(&self) -> Value {
        let targets: Vec<Value> = self
            .plan
            .targets
            .iter()
            .zip(self.targets)
            .map(|(target, counts)| {
                json!({
                    "to": target.address.to_string(),
                    "sent": counts.sent,
                    "failed": counts.failed,
                    "refused": counts.refused,
                    "replies": counts.replies,
                })
            })
            .collect();
        let mut out = json!({
            "command": "relay",
            "datagrams": self.datagrams(),
            "bytes": self.forward.0.bytes + self.back.0.bytes,
            "elapsed": self.elapsed.as_secs_f64(),
            "rate": rate(self.datagrams(), self.elapsed),
            "forward": self.forward.0.to_json(self.forward.1),
            "back": self.back.0.to_json(self.back.1),
            "targets": targets,
            "clients": self.clients,
            "looped": self.looped,
            "seed": self.plan.seed,
        });
        if let (Some(Drops { count, is_estimate }), Some(out)) = (self.dropped, out.as_object_mut())
        {
            out.insert("dropped".to_owned(), count.into());
            out.insert("dropped_is_estimate".to_owned(), is_estimate.into());
        }
        out
    }

    /// The summary, clause by clause.
    #[must_use]
    pub(crate) fn clauses(&self) -> Vec<Sentence> {
        let (forward, back) = (self.forward.0, self.back.0);
        let mut clauses = vec![
            sentence!("relay.forward", n: forward.datagrams, details <- details(self.forward, &self.plan.forward)),
            sentence!("relay.back", n: back.datagrams, details <- details(self.back, &self.plan.back)),
        ];
        let is_single = self.targets.len() == 1;
        for (target, counts) in self.plan.targets.iter().zip(self.targets) {
            if !is_single || counts.refused > 0 {
                clauses.push(sentence!(
                    "relay.target",
                    target = target.address,
                    sent = counts.sent,
                    refused = counts.refused,
                    replies = counts.replies
                ));
            }
        }
        clauses.push(sentence!("relay.clients", n: self.clients));
        if self.looped > 0 {
            clauses.push(sentence!("relay.looped", n = self.looped));
        }
        clauses.extend(
            self.dropped
                .filter(|drops| drops.count > 0)
                .map(Drops::clause),
        );
        clauses.push(sentence!("summary.elapsed", time = seconds(self.elapsed)));
        clauses.push(sentence!(
            "summary.rate",
            rate = per_second(self.datagrams(), self.elapsed)
        ));
        clauses
    }
}

/// The fates of the datagrams of one direction.
fn details((counts, waiting): (LaneCounts, usize), path: &Impairment) -> Vec<Sentence> {
    // Name a requested fault even if it never happened; name other losses only if they happened.
    let clauses = [
        (
            path.drop > 0.0,
            sentence!("relay.dropped", n = counts.dropped),
        ),
        (
            path.duplicate > 0.0,
            sentence!("relay.duplicated", n = counts.duplicated),
        ),
        (
            path.reorder > 0.0,
            sentence!("relay.reordered", n = counts.reordered),
        ),
        (
            counts.over_rate > 0,
            sentence!("relay.over-rate", n = counts.over_rate),
        ),
        (
            counts.queue_full > 0,
            sentence!("relay.queue-full", n = counts.queue_full),
        ),
        (
            counts.no_session > 0,
            sentence!("relay.no-session", n = counts.no_session),
        ),
        (
            counts.failed > 0,
            sentence!("relay.failed", n = counts.failed),
        ),
        (waiting > 0, sentence!("relay.waiting", n = waiting)),
        (true, sentence!("relay.sent", n = counts.sent)),
    ];
    let mut details = vec![sentence!("summary.bytes", n: counts.bytes)];
    details.extend(
        clauses
            .into_iter()
            .filter(|(is_shown, _)| *is_shown)
            .map(|(_, clause)| clause),
    );
    details
}
