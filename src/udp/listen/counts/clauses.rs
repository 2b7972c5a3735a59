//! What the numbers tell, as clauses of the summary for people. A figure without a value has no clause.

use std::time::Duration;

use super::{Delays, ListenSummary, mean};
use crate::text::seconds;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::stats::loss::Totals;
use crate::udp::stats::per_second;
use crate::udp::stats::quality::Extents;

/// Figures of all senders together.
#[derive(Debug, Default)]
pub(super) struct Together {
    /// The extents of the reordering.
    pub(super) extents: Extents,
    /// The highest jitter of a sender, in seconds; `None` if there were no two datagrams of one.
    pub(super) jitter: Option<f64>,
    /// The longest outage of a sender.
    pub(super) outage: Duration,
}

impl ListenSummary<'_> {
    /// The figures of all senders together.
    pub(super) fn together(&self) -> Together {
        let mut all = Together::default();
        for sender in self.senders() {
            let quality = sender.quality;
            all.extents.add(&quality.extents());
            if let Some(jitter) = quality.jitter().known() {
                all.jitter = Some(all.jitter.unwrap_or_default().max(jitter));
            }
            all.outage = all.outage.max(quality.longest_outage());
        }
        all
    }

    pub(super) fn sequence_clauses(&self, clauses: &mut Vec<Sentence>) {
        let counts = self.counts;
        let Totals {
            lost,
            duplicate,
            reordered,
        } = counts.numbers.totals;
        clauses.push(sentence!(
            "summary.lost",
            lost = lost,
            duplicate = duplicate,
            reordered = reordered
        ));
        let Together {
            extents,
            jitter,
            outage,
        } = self.together();
        if extents.count > 0 {
            let figures = format!(
                "{}/{}",
                one_digit(extents.sum, extents.count),
                extents.longest
            );
            clauses.push(sentence!("summary.extent", figures = figures));
        }
        let bursts = self.bursts();
        if bursts.count > 0 {
            let figures = format!(
                "{}/{}",
                one_digit(bursts.lost, bursts.count),
                bursts.longest
            );
            clauses.push(sentence!("summary.bursts", n: bursts.count, figures = figures));
            clauses.push(sentence!("summary.outage", time = seconds(outage)));
        }
        if let Some(jitter) = jitter {
            let figure = format!("{:.3}", jitter * 1e3);
            clauses.push(if self.peers() > 1 {
                sentence!("summary.highest-jitter", figure = figure)
            } else {
                sentence!("summary.jitter", figure = figure)
            });
        }
        if counts.numbers.unsequenced > 0 {
            clauses.push(sentence!(
                "summary.unsequenced",
                n = counts.numbers.unsequenced
            ));
        }
        if counts.numbers.unfollowed > 0 {
            clauses.push(sentence!(
                "summary.unfollowed",
                n = counts.numbers.unfollowed
            ));
        }
        let Delays {
            spread,
            other_clock,
        } = &counts.numbers.delays;
        if spread.count() > 0 {
            clauses.push(sentence!("summary.delay", figures = spread.figures()));
            if let Some((names, figures)) = spread.tail() {
                clauses.push(sentence!(
                    "summary.delay-tail",
                    names = names,
                    figures = figures
                ));
            }
        }
        if *other_clock > 0 {
            clauses.push(sentence!("summary.clocks-differ", n = other_clock));
        }
        if let Some((interval, length)) = self.interval {
            clauses.push(sentence!(
                "summary.interval",
                time = seconds(length),
                rate = per_second(interval.datagrams, length),
                lost = interval.lost
            ));
            if interval.recovered > 0 {
                clauses.push(sentence!("summary.recovered", n = interval.recovered));
            }
        }
    }
}

/// A mean with at most one digit after the point.
fn one_digit(sum: u64, count: u64) -> f64 {
    (mean(sum, count) * 10.0).round() / 10.0
}
