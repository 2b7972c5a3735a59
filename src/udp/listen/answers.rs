//! The listener's answers: which one a datagram gets, whether it is dropped or delayed, and the queue to send.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::datagram::run::Run;
use crate::text::random::Random;
use crate::text::template::RenderState;
use crate::udp::answer::rules::{Matched, Workspace};
use crate::udp::answer::{Answer, AnswerPlan, Silence};
use crate::udp::delayed::Delayed;
use crate::udp::listen::counts::number;
use crate::udp::outbox::Outbox;
use crate::udp::socket::Bound;
use crate::udp::{max_payload, system};

/// The maximum number of delayed answers to send at once.
const BATCH: usize = 256;

/// The socket that received a datagram.
#[derive(Debug, Clone, Copy)]
pub(super) struct Via {
    /// Its index.
    pub(super) socket: usize,
    /// Whether it is bound to a wildcard address, so that an answer names its source address.
    pub(super) is_wildcard: bool,
}

/// A datagram to answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    /// What was received.
    pub(super) payload: &'a [u8],
    /// The same without its checksum.
    pub(super) unchecked: &'a [u8],
    /// The place of the rule that matches it.
    pub(super) rule: Option<usize>,
    /// The socket that received it.
    pub(super) via: Via,
    /// When it was received.
    pub(super) now: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Answers<'a> {
    /// The plan, and the state for rendering its rules.
    rules: Option<(&'a AnswerPlan, Workspace)>,
    /// Decides which answers to drop. Random fields have a generator of their own, so that they do not change these
    /// decisions.
    fate: Option<Random>,
    /// The waiting answers, each with the index of its socket.
    delayed: Delayed<(usize, (SocketAddr, Option<IpAddr>))>,
    /// The answers to send next.
    outbox: Outbox,
    /// The peer of each queued answer, and its source address.
    to: Vec<(SocketAddr, Option<IpAddr>)>,
    /// Answers sent.
    pub(super) sent: u64,
    /// Answers that could not be rendered or sent.
    pub(super) failed: u64,
    /// Datagrams that were not answered, for a [`Silence`].
    pub(super) withheld: u64,
    /// Answers lost by chance, on request.
    pub(super) dropped: u64,
}

impl<'a> Answers<'a> {
    /// No answers yet; without a plan there will be none.
    pub(super) fn new(plan: Option<&'a AnswerPlan>) -> Self {
        let rules = plan.map(|plan| {
            let state = RenderState::new(Random::new(plan.seed));
            (plan, Workspace::new(&plan.rules, state))
        });
        Self {
            rules,
            fate: plan.map(|plan| Random::new(plan.seed)),
            ..Self::default()
        }
    }

    /// The place of the first rule that matches.
    pub(super) fn find(&mut self, request: &[u8]) -> Option<usize> {
        let (plan, workspace) = self.rules.as_mut()?;
        plan.rules.find(request, workspace)
    }

    /// Answers a datagram of `run` by its rule, or by the answer to all others.
    pub(super) fn answer(&mut self, request: Request<'_>, run: &Run<'_>) {
        let Request {
            payload,
            unchecked,
            rule,
            via,
            now,
        } = request;
        let Some((plan, workspace)) = &mut self.rules else {
            return;
        };
        let found = rule.and_then(|index| plan.rules.get(index));
        let percent = found.and_then(|rule| rule.drop).unwrap_or(plan.drop);
        if let Some(index) = rule.and_then(number) {
            tracing::debug!("rule {index} answers {}", run.peer);
        }
        // Draw a number only if the rule has losses: a rule without losses must not shift the fates of the others.
        if percent > 0.0 && self.fate.as_mut().is_some_and(|fate| fate.happens(percent)) {
            self.dropped += 1;
            tracing::debug!("the answer to {} is dropped", run.peer);
            return;
        }
        let mut write = |out: &mut Vec<u8>| match (rule, &plan.fallback) {
            (Some(rule), _) => {
                let matched = Matched {
                    rule,
                    payload: unchecked,
                    from: run.peer,
                };
                let max = max_payload(&run.peer);
                plan.rules.render(matched, workspace, max, out)
            }
            (None, Some(Answer::Echo)) => {
                out.extend_from_slice(payload);
                Ok(())
            }
            (None, Some(Answer::Fixed(fixed))) => {
                out.extend_from_slice(fixed);
                Ok(())
            }
            (None, None) => Ok(()),
        };
        // Without the source address, the kernel takes the one of the route back. The peer, which asked another
        // address, would not recognize the answer.
        let to = (run.peer, via.is_wildcard.then(|| run.local.ip()));
        let delay = found.and_then(|rule| rule.delay).unwrap_or(plan.delay);
        let result = if delay.is_zero() {
            let result = self.outbox.push_with(write);
            if result.is_ok() {
                self.to.push(to);
            }
            result
        } else {
            let mut buffer = self.delayed.buffer();
            let result = write(&mut buffer);
            if result.is_err() {
                self.delayed.give_back(buffer);
            } else if !self.delayed.add(now + delay, (via.socket, to), buffer) {
                self.withhold(Silence::Queue, run.peer);
            }
            result
        };
        if let Err(error) = result {
            tracing::debug!("no answer to {}: {error}", run.peer);
            self.failed += 1;
        }
    }

    /// Whether an answer is queued.
    pub(super) fn is_waiting(&self) -> bool {
        !self.to.is_empty()
    }

    /// How many answers wait for their delay.
    pub(super) fn waiting(&self) -> usize {
        self.delayed.len()
    }

    /// When the next delayed answer is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.delayed.next_due()
    }

    /// Queues answers of one socket that are due; gives the socket's index.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<usize> {
        let mut socket = None;
        while self.to.len() < BATCH
            && let Some(due) = self
                .delayed
                .take(now, |(of, _)| socket.is_none_or(|socket| socket == *of))
        {
            let (of, to) = due.to;
            socket = Some(of);
            self.outbox.push(&due.payload);
            self.to.push(to);
            self.delayed.give_back(due.payload);
        }
        socket
    }

    /// Counts a datagram that gets no answer.
    pub(super) fn withhold(&mut self, silence: Silence, peer: SocketAddr) {
        self.withheld += 1;
        tracing::debug!("no answer to {peer}: {silence}");
    }

    /// Sends the queued answers in batches, each from the address that its datagram was sent to.
    pub(super) async fn send(&mut self, bound: &Bound) {
        let is_v4 = bound.local.is_ipv4();
        let mut next = 0;
        while let Some((peer, _)) = self.to.get(next) {
            match system::answer(&bound.socket, is_v4, &self.outbox, &self.to, next) {
                Ok(count) => {
                    let answered = (next..next + count).zip(self.to.iter().skip(next));
                    for (index, (peer, _)) in answered {
                        let len = self.outbox.payload(index).len();
                        tracing::debug!("sendto {len} bytes to {peer}");
                    }
                    self.sent += count as u64;
                    next += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // The send buffer is usually free again within microseconds; the second Ctrl-C still ends the
                    // process here.
                    if bound.socket.writable().await.is_err() {
                        break;
                    }
                }
                // This may be an ICMP error for an earlier answer; it counts as a failure of this one because the two
                // cannot be distinguished.
                Err(error) => {
                    tracing::debug!("cannot answer {peer}: {error}");
                    self.failed += 1;
                    next += 1;
                }
            }
        }
        self.outbox.clear();
        self.to.clear();
    }
}
