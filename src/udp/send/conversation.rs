//! A conversation: messages one after another, each sent when the replies to the one before it have come.

use std::time::{Duration, Instant};

use crate::datagram::Datagram;
use crate::shutdown::Shutdown;
use crate::text::encoding::TextEncoding;
use crate::udp::error::Error;
use crate::udp::outbox::Outbox;
use crate::udp::payload::source::Source;
use crate::udp::send::{ReplyPlan, SendEnd, SendSummary, Sender, verdict};
use crate::udp::sink::Sink;
use crate::udp::system::Timer;

/// How many replies to a message its result shows.
const REPLIES_SHOWN: usize = 16;

/// A message of a conversation, and what must come back.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The message's name, or the beginning of its text.
    pub(crate) name: String,
    /// Which replies to wait for.
    pub(crate) replies: ReplyPlan,
    /// Whether a reply must come. Without it, `replies` waits for none.
    pub(crate) is_checked: bool,
    /// The encoding of the message, and so of its replies.
    pub(crate) encoding: TextEncoding,
}

/// What to send, and what to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conversation<'a> {
    /// A message each.
    pub(crate) steps: &'a [Exchange],
    /// Whether to keep a result of every message, in memory.
    pub(crate) keeps_results: bool,
}

/// What became of a message.
#[derive(Debug, Default)]
pub(crate) struct ExchangeResult {
    /// The time from sending to the end of waiting.
    pub(crate) time: Duration,
    /// The beginnings of the replies, escaped.
    pub(crate) replies: Vec<String>,
}

impl<'a> Sender<'a> {
    /// Sends the messages of the source, as many as there are steps in a round, and after each waits for its replies.
    ///
    /// # Errors
    /// The reply to a message is missing or wrong, sending fails, or the sink fails.
    pub(crate) async fn converse(
        &mut self,
        conversation: Conversation<'a>,
        source: &mut Source,
        outbox: &mut Outbox,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
    ) -> Result<SendEnd, Error> {
        let Conversation {
            steps,
            keeps_results,
        } = conversation;
        self.keeps_results = keeps_results;
        self.started = Instant::now();
        let end = self.steps(steps, source, outbox, sink, shutdown).await;
        // `report` has the counts of the last step only; those of the others were moved to `past`.
        let last = std::mem::replace(&mut self.report, std::mem::take(&mut self.past));
        self.report.add(last);
        end
    }

    /// Sends each message and waits for its replies; the counts of the last stay in the report.
    async fn steps(
        &mut self,
        steps: &'a [Exchange],
        source: &mut Source,
        outbox: &mut Outbox,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
    ) -> Result<SendEnd, Error> {
        let deadline = self.plan.duration.map(|duration| self.started + duration);
        let mut timer = Timer::default();
        for (number, step) in (1..).zip(steps).cycle() {
            if source.is_done() && outbox.is_empty() {
                break;
            }
            let due = self.pace.due(Instant::now());
            let due = deadline.map_or(due, |deadline| due.min(deadline));
            if due > Instant::now()
                && let Some(end) = self.pause(due, sink, &mut timer, shutdown).await?
            {
                return Ok(end);
            }
            // A datagram that has already come is not a reply to the next message.
            tokio::task::yield_now().await;
            if let Some(end) = self.hear(sink)? {
                return Ok(end);
            }
            let before = std::mem::take(&mut self.report);
            // `has_enough` compares replies with datagrams, so each step needs counts of its own.
            self.past.add(before);
            self.reports = 0;
            self.replies = Some(&step.replies);
            self.encoding = step.encoding;
            sink.decode_with(step.encoding);
            // The outbox is not empty if another address refused this message before.
            source.allow(usize::from(outbox.is_empty()));
            if self.keeps_results {
                self.results.push(ExchangeResult::default());
            }
            let begun = Instant::now();
            let end = self
                .send_all(source, outbox, sink, shutdown, deadline)
                .await;
            if let Some(result) = self.results.last_mut() {
                result.time = begun.elapsed();
            }
            let is_first = self.next_number <= 1;
            let end = match end {
                // Return it unwrapped: the caller recognizes by it that the next address may work.
                Err(error @ Error::Send { .. }) if is_first && self.plan.has_alternative => {
                    return Err(error);
                }
                Ok(SendEnd::Complete) if self.is_unsent() => {
                    self.results.pop();
                    return Ok(SendEnd::Complete);
                }
                Ok(SendEnd::Complete) => {
                    let replies = step.is_checked.then_some(&step.replies);
                    verdict(self.plan.peer, replies, &mut self.report)
                }
                Ok(end) => return Ok(end),
                Err(error) => Err(error),
            };
            end.map_err(|error| Error::Message {
                number,
                count: steps.len(),
                name: step.name.clone(),
                source: Box::new(error),
            })?;
            outbox.clear();
        }
        Ok(SendEnd::Complete)
    }

    /// Whether there was no message left to send.
    fn is_unsent(&self) -> bool {
        let SendSummary {
            datagrams, errors, ..
        } = self.report;
        datagrams + errors == 0
    }

    /// The result of each message so far; the last one may have failed.
    pub(crate) fn take_results(&mut self) -> Vec<ExchangeResult> {
        std::mem::take(&mut self.results)
    }

    /// Keeps the beginning of a reply for the result.
    pub(super) fn keep_reply(&mut self, datagram: &Datagram<'_>) {
        if let Some(result) = self.results.last_mut()
            && result.replies.len() < REPLIES_SHOWN
        {
            result.replies.push(self.encoding.excerpt(datagram.payload));
        }
    }
}
