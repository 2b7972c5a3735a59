//! The receive loop: receives datagrams in batches, filters, counts and answers them, and hands them to a sink.

mod answers;
mod counts;
mod plan;
pub(crate) mod sockets;

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;
use crate::udp::batch::Receiver;
use crate::udp::error::Error;
use crate::udp::membership::Memberships;
use crate::udp::receive::Drops;
use crate::udp::sink::{Flow, Sink};
use crate::udp::socket::{self, Bound};
use crate::udp::system;
use crate::udp::system::InterfaceWatch;
use crate::wait::{Site, end_asked_at, until};
use answers::{Answers, Via};
use counts::ListenCounts;

pub(crate) use counts::{ListenSummary, Sender};
pub(crate) use plan::{ListenEnd, ListenPlan};

/// Receive calls per socket before the loop polls the other sockets, the deadlines and the signals again.
const CALLS_IN_A_ROW: usize = 16;

/// Deadline for draining the kernel's receive buffers after the run was asked to stop.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// Debounce time: one change of interfaces or addresses is usually followed by more, so wait and process them together.
const SETTLING: Duration = Duration::from_millis(100);

/// The listener gives up on a socket after this many consecutive receive errors.
const MAX_ERRORS: u32 = 1000;

/// A listener with its sockets and counts.
#[derive(Debug)]
pub(crate) struct Listener<'a> {
    /// What to do.
    plan: &'a ListenPlan,
    /// The open sockets.
    sockets: &'a [Bound],
    /// Receives from each of them: one set of buffers is enough, because one socket is read at a time.
    receiver: Receiver,
    /// The counts so far.
    counts: ListenCounts<'a>,
    /// The answers, and those that wait to be sent.
    answers: Answers<'a>,
    /// When the run began.
    started: Instant,
    /// The multicast memberships of each socket, in the order of `sockets`.
    memberships: Vec<Memberships>,
    /// Watches for changes of interfaces and addresses; only needed with wildcard addresses and multicast groups.
    watch: Option<InterfaceWatch>,
}

impl<'a> Listener<'a> {
    /// A listener on these open sockets.
    #[must_use]
    pub(crate) fn new(
        plan: &'a ListenPlan,
        sockets: &'a [Bound],
        memberships: Vec<Memberships>,
    ) -> Self {
        let now = Instant::now();
        let receiver = Receiver::new(plan.receive);
        if let Some(answering) = &plan.answers
            && !system::TELLS_DESTINATION
            && sockets
                .iter()
                .any(|bound| bound.local.ip().is_unspecified())
        {
            tracing::info!(say = "udp.no-broadcast-flag", rate = answering.rate);
        }
        // Loopback has no interfaces that come or go, so it needs no netlink socket.
        let depends = sockets.iter().any(|bound| !bound.local.ip().is_loopback())
            || memberships.iter().any(|groups| !groups.is_empty());
        let watch = depends.then(InterfaceWatch::new).and_then(|watch| {
            watch
                // Not an error: the listener works, and only misses an interface that appears later.
                .inspect_err(|error| tracing::debug!("changes of interfaces are not told: {error}"))
                .ok()
        });
        Self {
            plan,
            sockets,
            receiver,
            counts: ListenCounts::new(plan, now),
            answers: Answers::new(plan.answers.as_ref()),
            started: now,
            memberships,
            watch,
        }
    }

    /// Receives until the plan is complete or a signal asks the program to stop.
    ///
    /// # Errors
    /// A socket fails permanently, or the sink fails.
    pub(crate) async fn run(
        &mut self,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
    ) -> Result<ListenEnd, Error> {
        let mut last_heard = self.started;
        let mut next_stats = self.plan.stats_every.map(|every| self.started + every);
        let mut next_socket = 0;
        let mut errors = 0;
        let mut next_refresh = None;
        // Catch interfaces that appeared after the groups were joined and before the watch started.
        self.refresh();
        loop {
            let deadlines = [
                self.plan.duration.map(|duration| self.started + duration),
                self.plan.timeout.map(|timeout| last_heard + timeout),
                next_stats,
                next_refresh,
                self.answers.next_due(),
            ];
            let index = tokio::select! {
                // In this order: first the end that the user asked for, then the deadlines, so that a flood of
                // datagrams cannot delay them.
                biased;
                () = end_asked_at(Site::Datagrams, shutdown) => {
                    return self.last_look(sink).await.map(|flow| if flow == Flow::Continue { ListenEnd::Interrupted } else { ListenEnd::ReaderGone });
                }
                () = until(deadlines.into_iter().flatten().min()) => {
                    self.send_due().await;
                    let now = Instant::now();
                    if self.plan.duration.is_some_and(|duration| now >= self.started + duration) {
                        return self.last_look(sink).await.map(|_| ListenEnd::Complete);
                    }
                    if self.plan.timeout.is_some_and(|timeout| now >= last_heard + timeout) {
                        // The clock also runs while the program is suspended (Ctrl-Z), and datagrams may have arrived
                        // meanwhile: drain the sockets before reporting a timeout.
                        let before = self.counts.datagrams;
                        if self.last_look(sink).await? == Flow::ReaderGone {
                            return Ok(ListenEnd::ReaderGone);
                        }
                        if self.is_complete() {
                            return Ok(ListenEnd::Complete);
                        }
                        if self.counts.datagrams == before {
                            return Ok(ListenEnd::Silence);
                        }
                        last_heard = Instant::now();
                        continue;
                    }
                    if next_refresh.is_some_and(|next| now >= next) {
                        next_refresh = None;
                        self.refresh();
                        sink.network_changed();
                        if sink.flush()? == Flow::ReaderGone {
                            return Ok(ListenEnd::ReaderGone);
                        }
                    }
                    if let Some(next) = next_stats && now >= next {
                        let interval = self.counts.next_interval(now);
                        let mut report = self.report();
                        report.interval = Some(interval);
                        sink.stats(&|| report.clauses(), &|| report.to_json());
                        // After a suspension, skip the missed reports.
                        next_stats = self.plan.stats_every.map(|every| (next + every).max(now + every / 2));
                        if sink.flush()? == Flow::ReaderGone {
                            return Ok(ListenEnd::ReaderGone);
                        }
                    }
                    continue;
                }
                () = changed(&mut self.watch) => {
                    // Counted from the first change: otherwise a network that changes all the time would postpone the
                    // refresh for ever.
                    next_refresh.get_or_insert_with(|| Instant::now() + SETTLING);
                    continue;
                }
                index = ready(self.sockets, next_socket) => index,
            };
            // The next wait begins after this socket, so that a busy socket does not starve the others.
            next_socket = index + 1;
            let Some(bound) = self.sockets.get(index) else {
                continue;
            };
            for _ in 0..CALLS_IN_A_ROW {
                let before = self.counts.datagrams;
                match self.receive(index, sink).await {
                    Ok(0) => break,
                    Ok(_) => errors = 0,
                    Err(source) => {
                        // The error may be an ICMP error for an answer, or an interface that went down: receiving can
                        // still work afterwards.
                        tracing::debug!("recvfrom on {}: {source}", bound.local);
                        // Do not count ICMP errors for our answers: every refused answer causes one, so their number
                        // says nothing about the socket.
                        errors += u32::from(!system::is_of_an_answer(&source));
                        if errors > MAX_ERRORS {
                            return Err(Error::Receive {
                                local: bound.local,
                                source,
                            });
                        }
                    }
                }
                if self.counts.datagrams > before {
                    if self.plan.timeout.is_some() {
                        last_heard = Instant::now();
                    }
                    if sink.flush()? == Flow::ReaderGone {
                        return Ok(ListenEnd::ReaderGone);
                    }
                }
                if self.is_complete() {
                    // The peer that sent the last datagram may wait for its answer.
                    return Ok(self.wait_for_answers(shutdown).await);
                }
            }
        }
    }

    /// Sends the delayed answers that are due.
    async fn send_due(&mut self) {
        let now = Instant::now();
        while let Some(socket) = self.answers.take_due(now) {
            if let Some(bound) = self.sockets.get(socket) {
                self.answers.send(bound).await;
            }
        }
    }

    /// Sends the delayed answers to the last datagrams before the run ends.
    async fn wait_for_answers(&mut self, shutdown: &mut Shutdown) -> ListenEnd {
        while let Some(due) = self.answers.next_due() {
            tokio::select! {
                biased;
                () = end_asked_at(Site::Datagrams, shutdown) => return ListenEnd::Interrupted,
                () = until(Some(due)) => self.send_due().await,
            }
        }
        ListenEnd::Complete
    }

    /// Joins the multicast groups on new interfaces.
    fn refresh(&mut self) {
        for (bound, memberships) in self.sockets.iter().zip(&mut self.memberships) {
            if memberships.is_empty() {
                continue;
            }
            memberships.refresh(&socket::options_of(bound));
        }
    }

    /// Whether as many datagrams have arrived as the user asked for.
    fn is_complete(&self) -> bool {
        self.plan
            .count
            .is_some_and(|count| self.counts.datagrams >= count)
    }

    /// Makes one receive call and sends the answers; returns how many datagrams arrived.
    async fn receive(&mut self, index: usize, sink: &mut impl Sink) -> io::Result<usize> {
        let Self {
            plan,
            sockets,
            receiver,
            counts,
            answers,
            ..
        } = self;
        let Some(bound) = sockets.get(index) else {
            return Ok(0);
        };
        let limit = plan.count.map_or(usize::MAX, |count| {
            usize::try_from(count - counts.datagrams).unwrap_or(usize::MAX)
        });
        // Only for datagrams: many calls find none.
        let mut now = None;
        let via = Via {
            socket: index,
            is_wildcard: bound.local.ip().is_unspecified(),
        };
        let result = receiver.receive(&bound.socket, bound.local, limit, |run| {
            if let Some(run) = counts.wanted(run) {
                let now = *now.get_or_insert_with(Instant::now);
                let notes = counts.count(&run, via, now, answers);
                sink.run(&run, notes);
            }
        });
        match result {
            Ok(count) => {
                if answers.is_waiting() {
                    answers.send(bound).await;
                }
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Drains the kernel's receive buffers, so that no datagram that arrived before the stop is lost.
    async fn last_look(&mut self, sink: &mut impl Sink) -> Result<Flow, Error> {
        // Yield once: tokio polls epoll only between tasks, and sockets may have become ready while this task was busy
        // or the program was suspended.
        tokio::task::yield_now().await;
        // Bounded: otherwise a sender that never stops would keep a stopped listener running.
        let until = Instant::now() + LAST_LOOK;
        for index in 0..self.sockets.len() {
            while !self.is_complete() && Instant::now() < until {
                if !matches!(self.receive(index, sink).await, Ok(1..)) {
                    break;
                }
            }
        }
        sink.flush()
    }

    /// How many datagrams arrived.
    #[must_use]
    pub(crate) fn datagrams(&self) -> u64 {
        self.counts.datagrams
    }

    /// How many datagrams the sender filter rejected.
    #[must_use]
    pub(crate) fn filtered(&self) -> u64 {
        self.counts.filtered
    }

    /// The counts so far.
    #[must_use]
    pub(crate) fn report(&self) -> ListenSummary<'_> {
        let dropped = self
            .sockets
            .iter()
            .try_fold(Drops::default(), |sum, bound| {
                // If one socket reports no count, the sum is unknown.
                Some(sum + self.receiver.drops(&bound.socket)?)
            });
        ListenSummary {
            counts: &self.counts,
            answers: &self.answers,
            dropped,
            elapsed: self.started.elapsed(),
            interval: None,
        }
    }
}

/// Resolves when an interface or address appears or disappears; never resolves without a watch.
async fn changed(watch: &mut Option<InterfaceWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// Waits for a readable socket and returns its index. Polling starts at `first`, so that the sockets take turns.
async fn ready(sockets: &[Bound], first: usize) -> usize {
    poll_fn(|context| {
        for offset in 0..sockets.len() {
            let index = (first + offset) % sockets.len();
            if let Some(bound) = sockets.get(index)
                && bound.socket.poll_recv_ready(context).is_ready()
            {
                return Poll::Ready(index);
            }
        }
        Poll::Pending
    })
    .await
}
