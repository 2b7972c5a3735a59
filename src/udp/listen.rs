//! The receive loop: datagrams come in batches, are filtered, counted, answered and handed to a sink.

mod counts;

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;
use crate::udp::answer::Answer;
use crate::udp::batch::Receiver;
use crate::udp::error::Error;
use crate::udp::membership::Memberships;
use crate::udp::prefix::Prefix;
use crate::udp::receive::{Drops, ReceiveOptions};
use crate::udp::sink::{Flow, Sink};
use crate::udp::socket::{self, Bound};
use crate::udp::system;
use crate::udp::system::InterfaceWatch;
use crate::wait::{Site, end_asked_at, until};
use counts::{Answers, Counts};

pub use counts::Report;

/// Receive calls on one socket before the others, the clock and the signals get a look.
const CALLS_IN_A_ROW: usize = 16;

/// After the end was asked for, what the kernel already holds is still read, for at most this long.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// After a change of interfaces or addresses, others follow: all are looked at together.
const SETTLING: Duration = Duration::from_millis(100);

/// A failing socket is given up after so many errors without a datagram between them.
const MAX_ERRORS: u32 = 1000;

/// What to do with what comes.
#[derive(Debug)]
pub struct ListenPlan {
    /// How to receive.
    pub receive: ReceiveOptions,
    /// Senders to hear; all if empty.
    pub from: Vec<Prefix>,
    /// What to answer.
    pub answer: Option<Answer>,
    /// Answers a second and peer at most.
    pub reply_rate: u32,
    /// Read sequence numbers.
    pub sequenced: bool,
    /// End after so many datagrams.
    pub count: Option<u64>,
    /// End when none came for so long.
    pub timeout: Option<Duration>,
    /// End after so long.
    pub duration: Option<Duration>,
    /// Report the counts this often.
    pub stats_every: Option<Duration>,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The count or the duration is reached.
    Complete,
    /// Nothing came for the time given.
    Silence,
    /// Ctrl-C or SIGTERM.
    Asked,
    /// Whoever read the output has gone.
    ReaderGone,
}

/// The listener: its sockets, its counts.
#[derive(Debug)]
pub struct Listener<'a> {
    plan: &'a ListenPlan,
    sockets: &'a [Bound],
    receiver: Receiver,
    counts: Counts<'a>,
    answers: Answers,
    started: Instant,
    /// The groups of each socket.
    memberships: Vec<Memberships>,
    /// Where what is told or joined depends on them.
    watch: Option<InterfaceWatch>,
}

impl<'a> Listener<'a> {
    /// A listener on sockets that are open.
    #[must_use]
    pub fn new(plan: &'a ListenPlan, sockets: &'a [Bound], memberships: Vec<Memberships>) -> Self {
        let now = Instant::now();
        let receiver = Receiver::new(plan.receive);
        if plan.answer.is_some()
            && !system::TELLS_DESTINATION
            && sockets
                .iter()
                .any(|bound| bound.local.ip().is_unspecified())
        {
            tracing::info!(say = "udp.no-broadcast-flag", rate = plan.reply_rate);
        }
        let depends = sockets.iter().any(|bound| !bound.local.ip().is_loopback())
            || memberships.iter().any(|groups| !groups.is_empty());
        let watch = depends.then(InterfaceWatch::new).and_then(|watch| {
            watch
                .inspect_err(|error| tracing::debug!("changes of interfaces are not told: {error}"))
                .ok()
        });
        Self {
            plan,
            sockets,
            receiver,
            counts: Counts::new(plan, now),
            answers: Answers::default(),
            started: now,
            memberships,
            watch,
        }
    }

    /// Receives until the plan's end or until asked to end.
    ///
    /// # Errors
    /// A socket fails for good, or the sink does.
    pub async fn run(
        &mut self,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
    ) -> Result<End, Error> {
        let mut last_heard = self.started;
        let mut next_stats = self.plan.stats_every.map(|every| self.started + every);
        let mut next_socket = 0;
        let mut errors = 0;
        let mut next_refresh = None;
        // What came between the first look and the watch.
        self.refresh();
        loop {
            let deadlines = [
                self.plan.duration.map(|duration| self.started + duration),
                self.plan.timeout.map(|timeout| last_heard + timeout),
                next_stats,
                next_refresh,
            ];
            let index = tokio::select! {
                biased;
                () = end_asked_at(Site::Datagrams, shutdown) => {
                    return self.last_look(sink).await.map(|flow| if flow == Flow::Continue { End::Asked } else { End::ReaderGone });
                }
                () = until(deadlines.into_iter().flatten().min()) => {
                    let now = Instant::now();
                    if self.plan.duration.is_some_and(|duration| now >= self.started + duration) {
                        return self.last_look(sink).await.map(|_| End::Complete);
                    }
                    if self.plan.timeout.is_some_and(|timeout| now >= last_heard + timeout) {
                        // Time passes for a stopped program too, and datagrams may have come meanwhile.
                        let before = self.counts.datagrams;
                        if self.last_look(sink).await? == Flow::ReaderGone {
                            return Ok(End::ReaderGone);
                        }
                        if self.is_complete() {
                            return Ok(End::Complete);
                        }
                        if self.counts.datagrams == before {
                            return Ok(End::Silence);
                        }
                        last_heard = Instant::now();
                        continue;
                    }
                    if next_refresh.is_some_and(|next| now >= next) {
                        next_refresh = None;
                        self.refresh();
                        sink.network_changed();
                        if sink.flush()? == Flow::ReaderGone {
                            return Ok(End::ReaderGone);
                        }
                    }
                    if let Some(next) = next_stats && now >= next {
                        let report = self.report();
                        sink.stats(&|| report.clauses(), &|| report.to_json());
                        // A program that was stopped does not make up for the reports it missed.
                        next_stats = self.plan.stats_every.map(|every| (next + every).max(now + every / 2));
                        if sink.flush()? == Flow::ReaderGone {
                            return Ok(End::ReaderGone);
                        }
                    }
                    continue;
                }
                () = changed(&mut self.watch) => {
                    next_refresh.get_or_insert_with(|| Instant::now() + SETTLING);
                    continue;
                }
                index = ready(self.sockets, next_socket) => index,
            };
            next_socket = index + 1;
            let Some(bound) = self.sockets.get(index) else {
                continue;
            };
            for _ in 0..CALLS_IN_A_ROW {
                let before = self.counts.datagrams;
                match self.receive(bound, sink).await {
                    Ok(0) => break,
                    Ok(_) => errors = 0,
                    Err(source) => {
                        // An ICMP error for an answer, an interface that went down: the next datagram may still come.
                        tracing::debug!("recvfrom on {}: {source}", bound.local);
                        // One came for each answer that was refused, however many those are.
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
                    last_heard = Instant::now();
                    if sink.flush()? == Flow::ReaderGone {
                        return Ok(End::ReaderGone);
                    }
                }
                if self.is_complete() {
                    return Ok(End::Complete);
                }
            }
        }
    }

    /// Joins groups on interfaces that came.
    fn refresh(&mut self) {
        for (bound, memberships) in self.sockets.iter().zip(&mut self.memberships) {
            if memberships.is_empty() {
                continue;
            }
            memberships.refresh(&socket::options_of(bound));
        }
    }

    fn is_complete(&self) -> bool {
        self.plan
            .count
            .is_some_and(|count| self.counts.datagrams >= count)
    }

    /// One receive call and its answers; how many datagrams came.
    async fn receive(&mut self, bound: &Bound, sink: &mut impl Sink) -> io::Result<usize> {
        let Self {
            plan,
            receiver,
            counts,
            answers,
            ..
        } = self;
        let limit = plan.count.map_or(usize::MAX, |count| {
            usize::try_from(count - counts.datagrams).unwrap_or(usize::MAX)
        });
        let now = Instant::now();
        let is_wildcard = bound.local.ip().is_unspecified();
        let result = receiver.receive(&bound.socket, bound.local, limit, |run| {
            if let Some(run) = counts.wanted(run) {
                let notes = counts.count(&run, is_wildcard, now, answers);
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

    /// What arrived before the end was asked for is not lost.
    async fn last_look(&mut self, sink: &mut impl Sink) -> Result<Flow, Error> {
        // tokio learns what became ready while we were busy, or stopped, when the loop turns once more.
        tokio::task::yield_now().await;
        let until = Instant::now() + LAST_LOOK;
        for bound in self.sockets {
            while !self.is_complete() && Instant::now() < until {
                if !matches!(self.receive(bound, sink).await, Ok(1..)) {
                    break;
                }
            }
        }
        sink.flush()
    }

    /// How many datagrams came.
    #[must_use]
    pub fn datagrams(&self) -> u64 {
        self.counts.datagrams
    }

    /// How many came from senders that were not asked for.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.counts.filtered
    }

    /// The counts so far, for people.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        let dropped = self
            .sockets
            .iter()
            .try_fold(Drops::default(), |sum, bound| {
                Some(sum + self.receiver.drops(&bound.socket)?)
            });
        Report {
            counts: &self.counts,
            answers: &self.answers,
            dropped,
            elapsed: self.started.elapsed(),
        }
    }
}

/// Resolves when an interface or an address came or went; never where nobody asked.
async fn changed(watch: &mut Option<InterfaceWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

/// The first socket with something to read, looked for from `first` on.
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
