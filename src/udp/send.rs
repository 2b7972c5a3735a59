//! The send loop: sends payloads in batches at their pace, and reads replies and network errors in between.
//!
//! Long because one event loop has sockets, pace, replies and errors as its state.

pub(crate) mod addresses;
mod advice;
mod conversation;
mod replies;
mod summary;
mod verdict;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::datagram::Timestamp;
use crate::shutdown::Shutdown;
use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::escape;
use crate::udp::batch::{Receiver, Transmitter};
use crate::udp::error::{Error, SendPart};
use crate::udp::interface::RecentAddresses;
use crate::udp::outbox::{MOST_AT_ONCE, Outbox};
use crate::udp::pace::Pace;
use crate::udp::payload::sequence::Header;
use crate::udp::payload::source::Source;
use crate::udp::receive::ReceiveOptions;
use crate::udp::sink::Sink;
use crate::udp::socket::Bound;
use crate::udp::system::take_error;
use crate::udp::system::{self, Timer};
use crate::udp::{Neighbour, Rejected, family_name, max_payload};
use crate::wait::{Site, end_asked_at, until};
use advice::LoggedNotices;

pub(crate) use conversation::{Conversation, Exchange, ExchangeResult};
pub(crate) use summary::SendSummary;
pub(crate) use verdict::verdict;

/// The maximum number of datagrams that the loop takes from the source per batch.
const BATCH: usize = 256;

/// How many recent send times to keep, for matching replies to datagrams.
const SENDS_KEPT: usize = 1024;

/// How long to retry while the device queue is full (`ENOBUFS`) before the datagram counts as failed.
const PATIENCE: Duration = Duration::from_secs(1);

/// The minimum and the maximum backoff while the device queue is full; the maximum is reached if the queue does not
/// drain.
const LEAST_QUEUE_WAIT: Duration = Duration::from_millis(1);
const MOST_QUEUE_WAIT: Duration = Duration::from_millis(250);

/// Adaptive backoff for a full device queue (`ENOBUFS`). The kernel does not notify us when there is room again, and
/// each retry costs a system call, so the wait settles at the time in which two or three datagrams leave the queue.
#[derive(Debug)]
struct QueueWait {
    wait: Duration,
    /// Datagrams that the queue accepted since it was last full.
    taken: usize,
}

impl Default for QueueWait {
    fn default() -> Self {
        Self {
            wait: LEAST_QUEUE_WAIT,
            taken: usize::MAX,
        }
    }
}

impl QueueWait {
    fn took(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count);
    }

    /// The next backoff, when the queue is full again.
    fn next(&mut self) -> Duration {
        self.wait = match std::mem::take(&mut self.taken) {
            0 | 1 => (self.wait * 2).min(MOST_QUEUE_WAIT),
            2 | 3 => self.wait,
            _ => (self.wait / 2).max(LEAST_QUEUE_WAIT),
        };
        self.wait
    }
}

/// Without pacing, this many consecutive failures end the run.
const MAX_FAILURES_IN_A_ROW: u32 = 100;

/// How often to poll for replies while datagrams are sent back to back.
const LOOK_FOR_REPLIES: Duration = Duration::from_millis(1);

/// How long a run without replies waits for an ICMP port unreachable: a round trip over Wi-Fi.
const REFUSAL_TIME: Duration = Duration::from_millis(100);

/// How long to keep receiving after the last expected reply, for an answer that consists of several datagrams.
const LINGER: Duration = Duration::from_millis(10);

/// After this time without an answer, a neighbour counts as absent: the kernel repeats its request every second
/// (`retrans_time_ms`, arp(7)).
const NEIGHBOUR_TIME: Duration = Duration::from_millis(1200);

/// The maximum number of receive calls in a row before sending continues.
const CALLS_IN_A_ROW: usize = 64;

/// The polling interval during an ICMP storm.
const STORM_LOOK: Duration = Duration::from_millis(200);

/// The minimum interval between two warnings.
const WARN_EVERY: Duration = Duration::from_secs(1);

/// The settings of a send run.
#[derive(Debug)]
pub(crate) struct SendPlan {
    /// The destination.
    pub(crate) peer: SocketAddr,
    /// The pacing.
    pub(crate) pace: Pace,
    /// Stop sending after this time.
    pub(crate) duration: Option<Duration>,
    /// Which replies to wait for, if any.
    pub(crate) replies: Option<ReplyPlan>,
    /// Options for sending in batches and for receiving replies.
    pub(crate) receive: ReceiveOptions,
    /// Whether the peer is a single host. Only then do ICMP errors count.
    pub(crate) unicast: bool,
    /// Whether `SO_BROADCAST` is set; then more than one host may reply.
    pub(crate) broadcast: bool,
    /// Whether the caller has another address to try if this address refuses the first datagram.
    pub(crate) has_alternative: bool,
}

/// Which replies to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyPlan {
    /// The maximum time to wait for replies after the last datagram.
    pub(crate) wait: Duration,
    /// Stop after this many replies. `None` with a unicast peer: stop after one reply per datagram sent.
    pub(crate) wanted: Option<u64>,
    /// The payload of a reply that must arrive.
    pub(crate) expect: Option<Vec<u8>>,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendEnd {
    /// All datagrams were sent, and waiting for replies is over.
    Complete,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The peer refused the first datagram, and there is another address to try. The datagram is still in the outbox.
    Refused,
    /// The program that reads the replies closed its end of the pipe.
    ReaderGone,
}

/// One run of sending.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    /// The settings of the run.
    plan: &'a SendPlan,
    /// The socket.
    bound: &'a Bound,
    /// The socket's local address, as far as it is known.
    local: SocketAddr,
    /// Which replies to wait for now: those of the plan, or of a step of a conversation.
    replies: Option<&'a ReplyPlan>,
    /// Sends, in batches where the system can.
    transmitter: Transmitter,
    /// Receives replies; `None` if the plan wants none.
    receiver: Option<Receiver>,
    /// When the next datagram is due.
    pace: Pace,
    /// The counts so far.
    report: SendSummary,
    /// The counts of the steps of a conversation that are over.
    past: SendSummary,
    /// The result of each step of a conversation.
    results: Vec<ExchangeResult>,
    /// Whether to keep the beginnings of replies for the results.
    keeps_results: bool,
    /// The encoding of the replies in the results.
    encoding: TextEncoding,
    /// The numbers and send times of recent datagrams.
    sends: VecDeque<(u64, Instant)>,
    /// The number of the next datagram, sent or failed.
    next_number: u64,
    /// When the run began.
    started: Instant,
    /// When the first datagram was sent.
    first_sent: Instant,
    /// When the last one was.
    last_sent: Instant,
    /// The datagrams that failed since the last that was sent.
    failures_in_a_row: u32,
    /// How many ICMP errors arrived so far, including those for other datagrams.
    reports: u64,
    /// This machine's addresses, to tell its own errors from those of others.
    own_addresses: RecentAddresses,
    /// How long to wait for a full device queue.
    queue_wait: QueueWait,
    /// When to poll for replies again.
    next_look: Instant,
    /// When a network error was last reported.
    last_warning: Option<Instant>,
    /// The path's MTU, once known.
    path_mtu: Option<usize>,
    /// Whether the path's MTU was asked for already.
    is_path_known: bool,
    /// Which advice was given.
    advice: LoggedNotices,
}

/// Writes the headers of datagrams that are sent now, and their checksums.
fn write_headers(first: u64, outbox: &mut Outbox, indices: Range<usize>, append: Option<Append>) {
    let (start, count) = (indices.start, indices.len());
    if outbox.is_even() {
        write_into(first, outbox.even_payloads_mut(start, count), append);
    } else {
        write_into(first, outbox.uneven_payloads_mut(start, count), append);
    }
}

/// Writes the header at the beginning and the checksum at the end of each payload.
fn write_into<'a>(
    first: u64,
    payloads: impl Iterator<Item = &'a mut [u8]>,
    append: Option<Append>,
) {
    // Read the clock once per call instead of per datagram: the datagrams leave together, within some microseconds.
    let sent = Timestamp::now();
    for (sequence, payload) in (first..).zip(payloads) {
        Header { sequence, sent }.write(payload);
        if let Some(append) = append {
            append.write(payload);
        }
    }
}

/// Datagrams to send, each at its time.
struct Batch<'a> {
    outbox: &'a mut Outbox,
    /// Where they come from.
    source: &'a Source,
    /// When the run ends.
    deadline: Option<Instant>,
}

/// What can be read from a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incoming {
    /// A reply, or an error in its place.
    Reply,
    /// A network error.
    Error,
}

/// When to tell the user about a network error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loudness {
    /// Log a warning now, because the run continues.
    Warn,
    /// Leave it to the error or summary at the end of the run.
    Verdict,
}

impl<'a> Sender<'a> {
    /// Prepares a run on an open socket.
    ///
    /// # Errors
    /// The socket cannot be connected, for example because there is no route.
    pub(crate) async fn new(plan: &'a SendPlan, bound: &'a Bound) -> Result<Self, Error> {
        let peer = plan.peer;
        // A connected socket costs the kernel less per datagram. But it receives replies only from the peer's exact
        // port, and some devices reply from another port. So with replies the socket stays unconnected, if ICMP errors
        // reach unconnected sockets on this system.
        let connects = plan.unicast
            && !plan.broadcast
            && (plan.replies.is_none() || !system::reports_errors_unconnected());
        // Set this for groups and broadcast addresses too: without it Linux does not report a full device queue
        // (udp_send_skb, net/ipv4/udp.c).
        system::report_errors(&bound.socket, peer.is_ipv4());
        if connects {
            tracing::trace!("connect {peer}");
            bound
                .socket
                .connect(peer)
                .await
                .map_err(|source| Error::Send {
                    peer,
                    broadcast: plan.broadcast,
                    source,
                })?;
        }
        let receiver = plan.replies.as_ref().map(|_| Receiver::new(plan.receive));
        let to = (!connects).then_some(peer);
        let now = Instant::now();
        Ok(Self {
            plan,
            bound,
            local: bound.local,
            replies: plan.replies.as_ref(),
            transmitter: Transmitter::new(to, plan.receive.batching),
            receiver,
            pace: plan.pace.clone(),
            report: SendSummary::default(),
            past: SendSummary::default(),
            results: Vec::new(),
            keeps_results: false,
            encoding: TextEncoding::default(),
            sends: VecDeque::new(),
            next_number: 0,
            started: now,
            first_sent: now,
            last_sent: now,
            failures_in_a_row: 0,
            reports: 0,
            own_addresses: RecentAddresses::default(),
            queue_wait: QueueWait::default(),
            next_look: now,
            last_warning: None,
            path_mtu: None,
            is_path_known: !plan.unicast,
            advice: LoggedNotices::default(),
        })
    }

    /// The final counts, with the errors that the network has reported since the end of the run.
    #[must_use]
    pub(crate) fn into_report(mut self) -> SendSummary {
        self.hear_errors(None, Loudness::Verdict);
        self.report.elapsed = self.started.elapsed();
        self.report.sending = self.last_sent.saturating_duration_since(self.first_sent);
        self.report
    }

    /// Sends the datagrams in the outbox and all payloads of the source, then waits for replies.
    ///
    /// # Errors
    /// Sending fails, the source has an invalid payload, or the sink fails.
    pub(crate) async fn run(
        &mut self,
        source: &mut Source,
        outbox: &mut Outbox,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
    ) -> Result<SendEnd, Error> {
        self.started = Instant::now();
        let deadline = self.plan.duration.map(|duration| self.started + duration);
        self.send_all(source, outbox, sink, shutdown, deadline)
            .await
    }

    /// Sends until the source has no more, or until the deadline, then waits for replies.
    async fn send_all(
        &mut self,
        source: &mut Source,
        outbox: &mut Outbox,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
        deadline: Option<Instant>,
    ) -> Result<SendEnd, Error> {
        source.limit(max_payload(&self.plan.peer), family_name(&self.plan.peer))?;
        let mut timer = Timer::default();
        // tokio's `try_send` fails with `WouldBlock` until the event loop has seen that the socket is writable. It looks
        // without waiting when a task yields, so that a run that never waits need not handle signals.
        tokio::task::yield_now().await;
        let _ = self.bound.socket.writable().await;
        // The outbox is not empty if another address refused its datagrams before.
        let mut is_full = !outbox.is_empty();
        loop {
            if !is_full {
                if source.is_held() {
                    break;
                }
                let mut end = None;
                let mut most = BATCH;
                source.begin(outbox);
                if source.is_rendered() {
                    end = self.fill(source, None, sink, shutdown, deadline).await?;
                    // Fields are filled in when the datagram is due, so that they have the time of sending.
                    let now = Instant::now();
                    let due = source.due(now).unwrap_or_else(|| self.pace.due(now));
                    let due = deadline.map_or(due, |deadline| due.min(deadline));
                    if end.is_none() && due > Instant::now() && !source.is_at_end() {
                        end = self.pause(due, sink, &mut timer, shutdown).await?;
                    }
                    most = self.pace.allowance(Instant::now(), BATCH).max(1);
                }
                if end.is_none() {
                    let outbox = Some((&mut *outbox, most));
                    end = self.fill(source, outbox, sink, shutdown, deadline).await?;
                }
                match end {
                    Some(SendEnd::Complete) => break,
                    Some(end) => return Ok(end),
                    None => {}
                }
            }
            is_full = false;
            if outbox.is_empty() {
                break;
            }
            self.learn_path(outbox);
            self.advise(outbox);
            let batch = Batch {
                outbox,
                source,
                deadline,
            };
            if let Some(end) = self.send_batch(batch, sink, shutdown, &mut timer).await? {
                if end == SendEnd::Complete {
                    break;
                }
                return Ok(end);
            }
        }
        self.hear_errors(None, Loudness::Verdict);
        let end = self.wait_for_replies(sink, shutdown).await?;
        if end == SendEnd::Complete {
            self.look_for_neighbour();
        }
        Ok(end)
    }

    /// If neither replies nor errors arrived, looks up in the neighbour table whether the host exists.
    fn look_for_neighbour(&mut self) {
        let report = &self.report;
        let is_silent =
            report.datagrams > 0 && report.replies + report.refused + report.errors == 0;
        if self.plan.unicast && self.replies.is_some() && is_silent {
            let found = system::neighbour(self.plan.peer.ip());
            self.report.neighbour = found.filter(|found| {
                *found == Neighbour::Present || self.first_sent.elapsed() >= NEIGHBOUR_TIME
            });
        }
    }

    /// Fills the outbox with up to this many datagrams of the source. Without an outbox, waits until the source has one.
    /// Receives replies meanwhile. `Complete` if the deadline has passed.
    async fn fill(
        &mut self,
        source: &mut Source,
        mut outbox: Option<(&mut Outbox, usize)>,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
        deadline: Option<Instant>,
    ) -> Result<Option<SendEnd>, Error> {
        loop {
            tokio::select! {
                biased;
                () = end_asked_at(Site::Payload, shutdown) => return Ok(Some(SendEnd::Interrupted)),
                result = async {
                    match &mut outbox {
                        Some((outbox, most)) => source.fill(outbox, *most).await,
                        None => source.ready().await,
                    }
                } => return result.map(|()| None),
                () = until(deadline) => return Ok(Some(SendEnd::Complete)),
                came = self.incoming() => {
                    if came == Incoming::Error {
                        self.hear_errors(None, Loudness::Warn);
                        if self.is_storm() {
                            std::thread::sleep(STORM_LOOK);
                        }
                    }
                }
            }
            if let Some(end) = self.hear(sink)? {
                return Ok(Some(end));
            }
        }
    }

    /// Sends one batch at its pace. `Some` if the run ends during the batch.
    async fn send_batch(
        &mut self,
        batch: Batch<'_>,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
        timer: &mut Timer,
    ) -> Result<Option<SendEnd>, Error> {
        let Batch {
            outbox,
            source,
            deadline,
        } = batch;
        let mut next = 0;
        let mut patience: Option<Instant> = None;
        // Retry each datagram once: the send call may return a pending error of an earlier datagram without trying this
        // one. A second failure is this datagram's own.
        let mut may_retry = true;
        while next < outbox.len() {
            let now = Instant::now();
            if shutdown.is_asked() {
                return Ok(Some(SendEnd::Interrupted));
            }
            let due = self.pace.due(now);
            if deadline.is_some_and(|deadline| self.pace.is_past(deadline, now)) {
                return Ok(Some(SendEnd::Complete));
            }
            if due > now {
                let due = deadline.map_or(due, |deadline| due.min(deadline));
                if let Some(end) = self.pause(due, sink, timer, shutdown).await? {
                    return Ok(Some(end));
                }
                continue;
            }
            if self.receiver.is_some() && now >= self.next_look {
                self.next_look = now + self.look_every();
                if !self.is_storm() {
                    tokio::task::yield_now().await;
                }
                if let Some(end) = self.hear(sink)? {
                    return Ok(Some(end));
                }
            }
            // If there is an alternative address, send the first datagram alone, to see whether this address refuses
            // it.
            let most = if self.plan.has_alternative && self.next_number == 0 {
                1
            } else {
                (outbox.len() - next).min(MOST_AT_ONCE)
            };
            let allowed = self.pace.allowance(now, most);
            if allowed == 0 {
                continue;
            }
            if source.is_sequenced() {
                let first = self.next_number;
                write_headers(first, outbox, next..next + allowed, source.append());
            }
            let sent_at = Instant::now();
            match self.transmit(outbox, next, allowed) {
                Ok(count) => {
                    patience = None;
                    may_retry = true;
                    self.failures_in_a_row = 0;
                    self.queue_wait.took(count);
                    let is_first = self.next_number == 0;
                    self.count_sent(outbox, next, count, sent_at);
                    next += count;
                    if is_first && self.plan.has_alternative {
                        match self.wait_for_refusal(shutdown).await {
                            SendEnd::Interrupted => return Ok(Some(SendEnd::Interrupted)),
                            _ if self.report.refused + self.report.errors > 0 => {
                                return Ok(Some(SendEnd::Refused));
                            }
                            _ => {}
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Some(end) = self.wait_for_room(sink, shutdown, deadline).await? {
                        return Ok(Some(end));
                    }
                }
                // EINTR: a signal came first. The loop looks at `shutdown` and then sends the same datagram again.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A pending error of an earlier datagram: the kernel has not tried this one yet.
                Err(error) if self.hear_errors(Some(&error), Loudness::Warn) && may_retry => {
                    may_retry = false;
                }
                Err(error)
                    if system::is_queue_full(&error)
                        && now < *patience.get_or_insert(now + PATIENCE) =>
                {
                    let wait = self.queue_wait.next();
                    tracing::debug!("sendto: {error}: waiting {wait:?} for room");
                    let due = deadline.map_or(now + wait, |deadline| deadline.min(now + wait));
                    let end = self.pause(due, sink, timer, shutdown).await?;
                    if end.is_some() {
                        return Ok(end);
                    }
                }
                Err(error) => {
                    patience = None;
                    may_retry = true;
                    self.fail_one(error)?;
                    next += 1;
                }
            }
        }
        Ok(None)
    }

    /// Sends datagrams from `first` on; returns how many were sent.
    fn transmit(&mut self, outbox: &Outbox, first: usize, most: usize) -> io::Result<usize> {
        if self.is_storm() {
            // Clear the pending error: in a storm it is unlikely to be about our datagrams, and the send call would
            // return it instead of sending.
            drop(take_error(&self.bound.socket));
        }
        self.transmitter
            .send(&self.bound.socket, outbox, first, most)
    }

    /// How often to poll for replies while sending.
    fn look_every(&self) -> Duration {
        if self.is_storm() {
            STORM_LOOK
        } else {
            LOOK_FOR_REPLIES
        }
    }

    /// Counts datagrams that the kernel accepted, and notes the time for the RTT of the replies.
    fn count_sent(&mut self, outbox: &Outbox, first: usize, count: usize, sent_at: Instant) {
        if self.next_number == 0 {
            self.first_sent = sent_at;
            // The operating system may choose the local address only with the first datagram.
            self.local = self.bound.socket.local_addr().unwrap_or(self.local);
        }
        self.report.datagrams += count as u64;
        self.report.bytes += outbox.span(first, count).len() as u64;
        self.pace.count(count);
        self.last_sent = sent_at;
        if self.replies.is_some() {
            let after = self.next_number + count as u64;
            for number in self
                .next_number
                // At most as many as are kept: a batch may be longer than the list.
                .max(after.saturating_sub(SENDS_KEPT as u64))..after
            {
                if self.sends.len() == SENDS_KEPT {
                    self.sends.pop_front();
                }
                self.sends.push_back((number, self.last_sent));
            }
        }
        self.next_number += count as u64;
        if tracing::enabled!(tracing::Level::DEBUG) {
            for index in first..first + count {
                tracing::debug!(
                    "sendto {} bytes to {}",
                    outbox.payload(index).len(),
                    self.plan.peer
                );
                tracing::trace!("payload {}", escape::excerpt(outbox.payload(index)));
            }
        }
    }

    /// Counts one datagram as failed. It is a fatal error if no datagram has been sent so far, or after too many
    /// failures.
    fn fail_one(&mut self, source: io::Error) -> Result<(), Error> {
        let peer = self.plan.peer;
        // EPERM from a send call has only this cause: a rule of this machine's own firewall (netfilter's DROP in
        // OUTPUT).
        let source = if system::is_own_firewall(&source) {
            Rejected { by: None }.into()
        } else {
            source
        };
        if self.report.datagrams == 0 {
            return Err(Error::Send {
                peer,
                broadcast: self.plan.broadcast,
                source,
            });
        }
        self.report.errors += 1;
        self.report.unsent += 1;
        // A failed datagram has used its number and its turn in the pace. The next one must not be sent at once to
        // make up for it.
        self.next_number += 1;
        self.pace.count(1);
        self.failures_in_a_row += 1;
        // Only without a pace: then a hundred failures take no time, while a paced sender may outlive an outage.
        if self.pace.is_unpaced() && self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW {
            return Err(Error::SendSome {
                peer,
                failed: self.report.errors,
                total: self.next_number,
                source,
            });
        }
        if self.may_warn() {
            tracing::warn!(say = "udp.trying-on", peer = %peer, error = %source);
        }
        self.report.last_error = Some(source);
        Ok(())
    }

    /// Waits until the socket has a reply, if the plan wants any, or a network error. Cancel safe.
    async fn incoming(&self) -> Incoming {
        let hears = self.receiver.is_some();
        tokio::select! {
            biased;
            _ = self.bound.socket.readable(), if hears => Incoming::Reply,
            () = system::error_reported(&self.bound.socket) => Incoming::Error,
        }
    }

    /// Reads what [`Self::incoming`] found. `Some` if the run ends.
    fn take(&mut self, came: Incoming, sink: &mut impl Sink) -> Result<Option<SendEnd>, Error> {
        match came {
            Incoming::Reply => self.hear(sink),
            Incoming::Error => {
                self.hear_errors(None, Loudness::Warn);
                Ok(None)
            }
        }
    }

    /// Waits until `due`, and receives replies and errors meanwhile. `Some` if the run ends.
    async fn pause(
        &mut self,
        due: Instant,
        sink: &mut impl Sink,
        timer: &mut Timer,
        shutdown: &mut Shutdown,
    ) -> Result<Option<SendEnd>, Error> {
        loop {
            if self.is_storm() {
                if shutdown.is_asked() {
                    return Ok(Some(SendEnd::Interrupted));
                }
                let left = due.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(None);
                }
                // Block the thread on purpose: the runtime would wake up for every forged error.
                std::thread::sleep(left.min(STORM_LOOK));
                let now = Instant::now();
                if self.receiver.is_some() && now >= self.next_look {
                    self.next_look = now + self.look_every();
                    if let Some(end) = self.hear(sink)? {
                        return Ok(Some(end));
                    }
                }
                continue;
            }
            tokio::select! {
                biased;
                () = end_asked_at(Site::Pace, shutdown) => return Ok(Some(SendEnd::Interrupted)),
                result = timer.until(due) => return match result {
                    Ok(()) => {
                        // The wait has just polled for replies, so postpone the next poll.
                        self.next_look = Instant::now() + self.look_every();
                        Ok(None)
                    }
                    Err(source) => Err(Error::Start { what: SendPart::Timer, source }),
                },
                came = self.incoming() => {
                    if let Some(end) = self.take(came, sink)? {
                        return Ok(Some(end));
                    }
                }
            }
        }
    }

    /// Waits until the send buffer has room, and receives replies and errors meanwhile. `Some` if the run ends.
    async fn wait_for_room(
        &mut self,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
        deadline: Option<Instant>,
    ) -> Result<Option<SendEnd>, Error> {
        loop {
            tokio::select! {
                biased;
                () = end_asked_at(Site::SendBuffer, shutdown) => return Ok(Some(SendEnd::Interrupted)),
                () = until(deadline) => return Ok(Some(SendEnd::Complete)),
                _ = self.bound.socket.writable() => return Ok(None),
                came = self.incoming() => {
                    if let Some(end) = self.take(came, sink)? {
                        return Ok(Some(end));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Simulates a queue of five datagrams that sends one every 4 ms, as a 2 Mbit/s shaper does with 1,000-byte
    /// datagrams.
    #[test]
    fn waiting_for_a_queue_costs_few_calls_and_leaves_it_little_idle() {
        let each = Duration::from_millis(4);
        let mut wait = QueueWait::default();
        let (mut calls, mut sent, mut room, mut now) = (0u32, 0u32, 5u32, Duration::ZERO);
        let mut left = Duration::ZERO;
        while now < Duration::from_secs(10) {
            while now >= left + each && room < 5 {
                left += each;
                room += 1;
            }
            if room == 5 {
                left = now;
            }
            calls += 1;
            if room > 0 {
                sent += 1;
                room -= 1;
                wait.took(1);
            } else {
                calls += 1;
                now += wait.next();
            }
        }
        assert!(sent > 2_300, "{sent} of 2,500");
        assert!(calls < 4 * sent, "{calls} calls for {sent} datagrams");
    }

    #[test]
    fn a_queue_that_does_not_move_is_looked_at_a_few_times_a_second() {
        let mut wait = QueueWait::default();
        let (mut looks, mut now) = (0, Duration::ZERO);
        while now < PATIENCE {
            looks += 1;
            now += wait.next();
        }
        assert!(looks <= 12, "{looks}");
    }
}
