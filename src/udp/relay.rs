//! The relay loop: passes datagrams from clients to targets and back, in batches, and adds faults on request.
//!
//! Each client has a session with a socket per target, so boundaries, order and the way back are kept.

pub mod fate;
mod lane;
mod ready;
mod receiving;
mod sending;
mod sessions;
mod summary;
pub(crate) mod target;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;
use crate::udp::batch::Receiver;
use crate::udp::error::Error;
use crate::udp::listen::ListenEnd;
use crate::udp::outbox::Outbox;
use crate::udp::pace::Rate;
use crate::udp::receive::{Drops, ReceiveOptions};
use crate::udp::sink::{Flow, Sink};
use crate::udp::socket::Bound;
use crate::udp::system;
use crate::wait::{Site, end_asked_at, until};
use fate::{Direction, Impairment};
use lane::Lane;
use ready::wait_ready;
use sessions::Sessions;
use target::Target;

pub(crate) use summary::RelaySummary;

/// How often to look for idle sessions and pending errors.
const SWEEP: Duration = Duration::from_secs(1);

/// Deadline for passing on what the kernel still holds after the run was asked to stop.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// The relay gives up on its socket after this many consecutive receive errors.
const MAX_ERRORS: u32 = 1000;

/// What a relay does.
#[derive(Debug)]
pub(crate) struct RelayPlan {
    /// Options of the receive calls.
    pub(crate) receive: ReceiveOptions,
    /// Where each datagram goes.
    pub(crate) targets: Vec<Target>,
    /// The faults on the way to the targets.
    pub(crate) forward: Impairment,
    /// The faults on the way back.
    pub(crate) back: Impairment,
    /// The maximum rate in each direction.
    pub(crate) rate: Rate,
    /// Decides the faults.
    pub(crate) seed: u64,
    /// A session ends when its client and its targets were silent for this long.
    pub(crate) session_timeout: Duration,
    /// Stop after this total time.
    pub(crate) duration: Option<Duration>,
    /// The interval between reports of the counts.
    pub(crate) stats_every: Option<Duration>,
    /// Whether the sink wants the datagrams.
    pub(crate) is_watched: bool,
}

/// The counts of one target.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct TargetCounts {
    /// Datagrams passed on to it.
    sent: u64,
    /// Datagrams that the operating system refused to send.
    failed: u64,
    /// Refusals by the target.
    refused: u64,
    /// Datagrams that came from it.
    replies: u64,
    /// Whether the user knows that the target refuses.
    is_told: bool,
}

/// A relay with its socket, sessions and counts.
#[derive(Debug)]
pub(crate) struct Relay<'a> {
    /// What to do.
    plan: &'a RelayPlan,
    /// The socket that clients send to.
    bound: &'a Bound,
    /// Whether it is bound to a wildcard address, so that each reply must name its source address.
    is_wildcard: bool,
    /// Receives from clients.
    clients: Receiver,
    /// Receives from targets. It is a separate receiver, because drops are counted per socket, and these sockets come
    /// and go.
    replies: Receiver,
    /// The clients.
    sessions: Sessions,
    /// The way to the targets.
    forward: Lane,
    /// The way back.
    back: Lane,
    /// The sessions whose outbox is not empty.
    touched: Vec<usize>,
    /// The replies to send next.
    outbox: Outbox,
    /// The client of each queued reply, and the source address.
    to: Vec<(SocketAddr, Option<IpAddr>)>,
    /// The counts per target, in the plan's order.
    targets: Vec<TargetCounts>,
    /// Datagrams from the relay's own sockets.
    looped: u64,
    /// For datagrams that are due at a time: tokio's own timer is too coarse.
    timer: system::Timer,
    /// When the run began.
    started: Instant,
}

impl<'a> Relay<'a> {
    /// A relay that receives on this open socket.
    #[must_use]
    pub(crate) fn new(plan: &'a RelayPlan, bound: &'a Bound) -> Self {
        // A session must outlive its waiting datagrams, otherwise the replies to them would be lost.
        let longest = plan.forward.longest_delay().max(plan.back.longest_delay());
        let timeout = plan.session_timeout.saturating_add(longest);
        Self {
            plan,
            bound,
            is_wildcard: bound.local.ip().is_unspecified(),
            clients: Receiver::new(plan.receive),
            replies: Receiver::new(plan.receive),
            sessions: Sessions::new(plan.receive, timeout, plan.targets.len()),
            forward: Lane::new(Direction::Forward, plan.forward, plan.seed, plan.rate),
            back: Lane::new(Direction::Back, plan.back, plan.seed, plan.rate),
            touched: Vec::new(),
            outbox: Outbox::default(),
            to: Vec::new(),
            targets: vec![TargetCounts::default(); plan.targets.len()],
            looped: 0,
            timer: system::Timer::default(),
            started: Instant::now(),
        }
    }

    /// Relays until the duration is over or a signal asks the program to stop.
    ///
    /// # Errors
    /// The socket fails permanently, or the sink fails.
    pub(crate) async fn run(
        &mut self,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
    ) -> Result<ListenEnd, Error> {
        let end = self.plan.duration.map(|duration| self.started + duration);
        let mut next_stats = self.plan.stats_every.map(|every| self.started + every);
        let mut next_sweep = self.started + SWEEP;
        let mut ready = Vec::new();
        let mut first = 0;
        let mut errors = 0;
        loop {
            // Without sessions there is nothing to check, so the relay sleeps until a datagram comes.
            let has_sessions = self.sessions.len() > 0;
            let deadlines = [end, next_stats, has_sessions.then_some(next_sweep)];
            let due = [self.forward.next_due(), self.back.next_due()];
            tokio::select! {
                biased;
                () = end_asked_at(Site::Relayed, shutdown) => {
                    return self.last_look(sink).await.map(|flow| stopped(flow, ListenEnd::Interrupted));
                }
                // Before the timers, so that a long queue does not keep the loop from receiving.
                () = wait_ready(self.bound, &self.sessions, first, &mut ready) => {}
                () = until(deadlines.into_iter().flatten().min()) => {}
                () = precisely(&mut self.timer, due.into_iter().flatten().min()) => {}
            }
            first = first.wrapping_add(1);
            let now = Instant::now();
            self.send_due(now, sink);
            self.flush().await;
            for socket in ready.drain(..) {
                match self.receive(socket, sink).await {
                    Ok(()) => errors = 0,
                    Err(source) => {
                        errors += 1;
                        if errors > MAX_ERRORS {
                            let local = self.bound.local;
                            return Err(Error::Receive { local, source });
                        }
                    }
                }
            }
            if now >= next_sweep {
                next_sweep = now + SWEEP;
                self.sweep(now);
            }
            if let Some(next) = next_stats
                && now >= next
            {
                let report = self.report();
                sink.stats(&|| report.clauses(), &|| report.to_json());
                next_stats = self
                    .plan
                    .stats_every
                    .map(|every| (next + every).max(now + every / 2));
            }
            if sink.flush()? == Flow::ReaderGone {
                return Ok(ListenEnd::ReaderGone);
            }
            if end.is_some_and(|end| now >= end) {
                let flow = self.last_look(sink).await?;
                return Ok(stopped(flow, ListenEnd::Complete));
            }
        }
    }

    /// The counts so far.
    #[must_use]
    pub(crate) fn report(&mut self) -> RelaySummary<'_> {
        self.check_errors();
        RelaySummary {
            plan: self.plan,
            forward: (self.forward.counts, self.forward.waiting()),
            back: (self.back.counts, self.back.waiting()),
            targets: &self.targets,
            clients: self.sessions.total,
            looped: self.looped,
            dropped: self.dropped(),
            elapsed: self.started.elapsed(),
        }
    }

    /// What the kernel dropped before the relay could read it. Only for the clients' socket, because the other sockets
    /// come and go.
    fn dropped(&self) -> Option<Drops> {
        self.clients.drops(&self.bound.socket)
    }

    /// Passes on what the kernel still holds.
    async fn last_look(&mut self, sink: &mut impl Sink) -> Result<Flow, Error> {
        // Yield once: tokio polls epoll only between tasks.
        tokio::task::yield_now().await;
        let until = Instant::now() + LAST_LOOK;
        while Instant::now() < until {
            if !matches!(self.receive_requests(sink), Ok(1..)) {
                break;
            }
            self.flush().await;
        }
        let places: Vec<(usize, usize)> = self
            .sessions
            .iter()
            .map(|(slot, session)| (slot, session.links.len()))
            .collect();
        for (slot, links) in places {
            for target in 0..links {
                while Instant::now() < until
                    && matches!(self.receive_replies(slot, target, sink), Ok(1..))
                {
                    self.flush().await;
                }
            }
        }
        sink.flush()
    }
}

/// The end of a run that was stopped for this reason.
fn stopped(flow: Flow, reason: ListenEnd) -> ListenEnd {
    match flow {
        Flow::Continue => reason,
        Flow::ReaderGone => ListenEnd::ReaderGone,
    }
}

/// Resolves at the deadline, to within tens of microseconds; never resolves without one.
async fn precisely(timer: &mut system::Timer, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) if timer.until(deadline).await.is_ok() => {}
        // Without a precise timer, use tokio's.
        deadline => until(deadline).await,
    }
}
