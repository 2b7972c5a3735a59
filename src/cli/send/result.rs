//! The end of `udpcli send`: its summary, its report and its exit code.

use super::{SendArgs, junit};
use crate::cli::{histogram, output};
use crate::error::{Error, Outcome};
use crate::shutdown::Shutdown;
use crate::terminal::status;
use crate::udp;
use crate::udp::payload::source::Source;
use crate::udp::send::addresses::Sent;
use crate::udp::send::{Exchange, SendEnd, verdict};
use crate::words::catalogue::say;

impl SendArgs {
    /// Reports the result of a run.
    pub(super) fn finish(
        &self,
        sent: Sent,
        steps: Option<&[Exchange]>,
        has_end: bool,
        source: &Source,
        shutdown: &Shutdown,
    ) -> Result<Outcome, Error> {
        let Sent {
            plan,
            end,
            mut report,
            results,
        } = sent;
        let left_out = source.left_out();
        if report.datagrams == 0 && matches!(end, Ok(SendEnd::Complete)) {
            match source.input_name() {
                // The error reports it, after the summary.
                Some(_) if self.replay.is_some() => {}
                Some(name) => tracing::warn!(say = "send.nothing-sent", name = name.as_value()),
                None => tracing::warn!(say = "send.nothing-sent-payload"),
            }
        }
        if matches!(end, Ok(SendEnd::Interrupted)) {
            status::end_interrupted_line();
        }
        // If no datagram was sent, the error is enough: print no summary.
        if end.is_ok() || report.datagrams > 0 {
            // A person reads a terminal; a program may read everything else.
            let one = report.in_words().filter(|_| status::is_terminal());
            let clauses = || {
                let mut clauses = one.map_or_else(|| report.clauses(), |one| vec![one]);
                clauses.extend(left_out.and_then(|left_out| left_out.clause()));
                clauses
            };
            let counts = || {
                let mut counts = report.to_json();
                if self.histogram {
                    histogram::add(&mut counts, report.rtt());
                }
                if let (Some(left_out), Some(counts)) = (left_out, counts.as_object_mut()) {
                    let reasons = left_out.reasons().into_iter();
                    let reasons = reasons.map(|(reason, count)| (reason.to_owned(), count.into()));
                    let reasons = serde_json::Value::Object(reasons.collect());
                    counts.insert("left_out".to_owned(), reasons);
                }
                counts
            };
            self.summary.write("summary", clauses, counts);
            if self.histogram {
                histogram::draw(self.summary, || say!("summary.histogram-rtt"), report.rtt());
            }
        }
        if let Some(steps) = steps.filter(|_| self.wants_report()) {
            let peer = plan.peer;
            let report = junit::document(peer, steps, self.count.unwrap_or(1), &results, &end);
            output::print(report.as_bytes())?;
        }
        match end? {
            SendEnd::Interrupted if has_end => Ok(Outcome::Interrupted),
            // The output was abandoned because a stop was requested.
            SendEnd::ReaderGone if has_end && shutdown.is_asked() => Ok(Outcome::Interrupted),
            SendEnd::Interrupted | SendEnd::ReaderGone => Ok(Outcome::Done),
            // Each step had its verdict.
            SendEnd::Complete if steps.is_some() => Ok(Outcome::Done),
            SendEnd::Complete | SendEnd::Refused => {
                let replies = plan.replies.as_ref();
                let are_asked =
                    self.wait.is_some() || self.replies.is_some() || self.expect.is_some();
                let is_unsent = report.datagrams == 0 && report.errors == 0;
                if let Some(name) = source
                    .input_name()
                    .filter(|_| self.replay.is_some() && is_unsent)
                {
                    let is_empty = left_out.is_none_or(|left_out| left_out.total() == 0);
                    return Err(udp::error::Error::NothingReplayed { name, is_empty }.into());
                }
                // An empty input is not a failure, unless a reply is required.
                if report.datagrams == 0 && !are_asked {
                    return Ok(Outcome::Done);
                }
                let replies = replies.filter(|_| are_asked);
                verdict(plan.peer, replies, &mut report)?;
                Ok(Outcome::Done)
            }
        }
    }
}
