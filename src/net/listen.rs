//! The receive loop: datagrams come in batches, are filtered, counted, answered and handed to a sink.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::error::{Error, seconds};
use crate::net::answer::{self, Answer, AnswerRate};
use crate::net::batch::{Drops, Outbox, ReceiveOptions, Receiver};
use crate::net::socket::Bound;
use crate::net::{Datagram, interface, system};
use crate::payload::escape;
use crate::payload::sequence::Header;
use crate::shutdown::Shutdown;
use crate::stats::sequence::{Arrival, Totals, Tracker};
use crate::stats::{Spread, counted, per_second};

/// Peers told apart; a flood of forged senders beyond this is counted in one lump.
const MAX_PEERS: usize = 65_536;

/// Receive calls on one socket before the others, the clock and the signals get a look.
const CALLS_IN_A_ROW: usize = 16;

/// After the end was asked for, what the kernel already holds is still read, for at most this long.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// A failing socket is given up after so many errors without a datagram between them.
const MAX_ERRORS: u32 = 1000;

/// An address or a block of them: `192.168.0.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| "write IP or IP/PREFIX, for example 192.168.0.0/24".to_owned())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => match bits.parse() {
                Ok(bits) if bits <= most => bits,
                _ => return Err(format!("the prefix is a number from 0 to {most}")),
            },
        };
        Ok(Self { address, bits })
    }
}

impl Prefix {
    /// Whether the address is of this block.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let differ = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
            _ => return false,
        };
        u32::from(self.bits) <= differ.leading_zeros()
    }
}

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

/// What the loop found out about a datagram.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    /// Its sequence number.
    pub sequence: Option<u64>,
    /// Numbers missing just before it.
    pub lost: u64,
}

/// Whether the sink wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Whoever read the output has gone.
    ReaderGone,
}

/// Takes datagrams as they come.
pub trait Sink {
    /// One datagram; errors wait for [`Sink::flush`].
    fn datagram(&mut self, datagram: &Datagram<'_>, notes: Notes);

    /// No more datagrams are at hand: everything goes out now.
    ///
    /// # Errors
    /// The output or a file cannot be written.
    fn flush(&mut self) -> Result<Flow, Error>;

    /// Something goes to stderr: a picture in place makes way.
    fn make_way(&mut self) {}
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
}

/// Everything that a datagram is counted into.
#[derive(Debug)]
struct Counts<'a> {
    plan: &'a ListenPlan,
    datagrams: u64,
    bytes: u64,
    truncated: u64,
    filtered: u64,
    peers: Peers,
    totals: Totals,
    unsequenced: u64,
    delays: Spread,
    own: Vec<IpAddr>,
    broadcasts: Vec<IpAddr>,
}

#[derive(Debug, Default)]
struct Answers {
    outbox: Outbox,
    to: Vec<(SocketAddr, IpAddr)>,
    sent: u64,
    failed: u64,
    withheld: u64,
}

#[derive(Debug)]
struct Peer {
    rate: AnswerRate,
    tracker: Option<Box<Tracker>>,
    is_own: bool,
}

#[derive(Debug)]
struct Peers {
    table: Vec<Peer>,
    index: HashMap<SocketAddr, usize>,
    last: Option<(SocketAddr, usize)>,
    /// Stands in for all beyond [`MAX_PEERS`].
    rest: Peer,
    is_full: bool,
}

impl Peers {
    fn get(&mut self, address: SocketAddr, make: impl FnOnce() -> Peer) -> &mut Peer {
        let index = match self.last {
            Some((last, index)) if last == address => Some(index),
            _ => self.index.get(&address).copied(),
        };
        let index = match index {
            Some(index) => index,
            None if self.table.len() >= MAX_PEERS => {
                self.is_full = true;
                return &mut self.rest;
            }
            None => {
                self.table.push(make());
                self.index.insert(address, self.table.len() - 1);
                self.table.len() - 1
            }
        };
        self.last = Some((address, index));
        self.table.get_mut(index).unwrap_or(&mut self.rest)
    }
}

impl Counts<'_> {
    /// Counts one datagram; says what is to be noted of it, or that it is not wanted.
    fn count(
        &mut self,
        datagram: &Datagram<'_>,
        now: Instant,
        answers: &mut Answers,
    ) -> Option<Notes> {
        let plan = self.plan;
        if plan.count.is_some_and(|count| self.datagrams >= count) {
            return None;
        }
        if !plan.from.is_empty()
            && !plan
                .from
                .iter()
                .any(|prefix| prefix.contains(datagram.peer.ip()))
        {
            self.filtered += 1;
            return None;
        }
        tracing::debug!(
            "recvfrom {} bytes from {}",
            datagram.payload.len(),
            datagram.peer
        );
        tracing::trace!("payload {}", escape::excerpt(datagram.payload));
        self.datagrams += 1;
        self.bytes += datagram.payload.len() as u64;
        if datagram.is_truncated() {
            self.truncated += 1;
            if self.truncated == 1 {
                tracing::warn!(
                    "a datagram of {} bytes from {} was cut to {} (--recv-size); further ones are only counted",
                    datagram.full_len,
                    datagram.peer,
                    datagram.payload.len()
                );
            }
        }
        let own = &self.own;
        let peer = self.peers.get(datagram.peer, || Peer {
            rate: AnswerRate::new(now),
            tracker: plan.sequenced.then(Box::default),
            is_own: datagram.peer.ip().is_loopback() || own.contains(&datagram.peer.ip()),
        });
        if let Some(answer) = &plan.answer {
            match answer::check(datagram, own, |address| self.broadcasts.contains(&address)) {
                Ok(()) if peer.rate.allow(now, plan.reply_rate) => answers.queue(answer, datagram),
                Ok(()) => answers.withhold(answer::Silence::Rate, datagram),
                Err(silence) => answers.withhold(silence, datagram),
            }
        }
        let mut notes = Notes::default();
        if plan.sequenced {
            match (Header::read(datagram.payload), &mut peer.tracker) {
                (Some(header), Some(tracker)) => {
                    let before = tracker.totals();
                    let arrival = tracker.arrive(header.sequence);
                    let after = tracker.totals();
                    // Lost can go down again: a late one was not lost.
                    self.totals.lost = (self.totals.lost + after.lost).saturating_sub(before.lost);
                    self.totals.duplicate += after.duplicate - before.duplicate;
                    self.totals.reordered += after.reordered - before.reordered;
                    notes.sequence = Some(header.sequence);
                    if let Arrival::Next { lost } = arrival {
                        notes.lost = lost;
                    }
                    if peer.is_own
                        && let Ok(delay) = u64::try_from(
                            datagram
                                .time
                                .as_nanos()
                                .saturating_sub(header.sent.as_nanos()),
                        )
                    {
                        self.delays.record(Duration::from_nanos(delay));
                    }
                }
                _ => self.unsequenced += 1,
            }
        }
        Some(notes)
    }
}

impl Answers {
    fn queue(&mut self, answer: &Answer, datagram: &Datagram<'_>) {
        self.outbox.push(match answer {
            Answer::Echo => datagram.payload,
            Answer::Fixed(payload) => payload,
        });
        self.to.push((datagram.peer, datagram.local.ip()));
    }

    fn withhold(&mut self, silence: answer::Silence, datagram: &Datagram<'_>) {
        self.withheld += 1;
        tracing::debug!("no answer to {} ({silence:?})", datagram.peer);
    }

    /// Sends what is queued, from the address each question came to.
    async fn send(&mut self, bound: &Bound) {
        for (index, (peer, local)) in self.to.iter().enumerate() {
            let payload = self.outbox.payload(index);
            // Only a wildcard socket has a choice of addresses.
            let from = bound.local.ip().is_unspecified().then_some(*local);
            let mut result = system::answer_from(&bound.socket, payload, *peer, from);
            if result
                .as_ref()
                .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            {
                result = match bound.socket.writable().await {
                    Ok(()) => system::answer_from(&bound.socket, payload, *peer, from),
                    Err(error) => Err(error),
                };
            }
            match result {
                Ok(()) => {
                    self.sent += 1;
                    tracing::debug!("sendto {} bytes to {peer}", payload.len());
                }
                Err(error) => {
                    self.failed += 1;
                    tracing::debug!("cannot answer {peer}: {error}");
                }
            }
        }
        self.outbox.clear();
        self.to.clear();
    }
}

impl<'a> Listener<'a> {
    /// A listener on sockets that are open.
    #[must_use]
    pub fn new(plan: &'a ListenPlan, sockets: &'a [Bound]) -> Self {
        let now = Instant::now();
        let receiver = Receiver::new(plan.receive);
        let rest = Peer {
            rate: AnswerRate::new(now),
            tracker: None,
            is_own: false,
        };
        let wants_interfaces = plan.sequenced || plan.answer.is_some();
        let own = if wants_interfaces {
            interface::own_addresses()
        } else {
            Vec::new()
        };
        let broadcasts = if wants_interfaces {
            interface::broadcast_addresses()
        } else {
            Vec::new()
        };
        let counts = Counts {
            plan,
            datagrams: 0,
            bytes: 0,
            truncated: 0,
            filtered: 0,
            peers: Peers {
                table: Vec::new(),
                index: HashMap::new(),
                last: None,
                rest,
                is_full: false,
            },
            totals: Totals::default(),
            unsequenced: 0,
            delays: Spread::default(),
            own,
            broadcasts,
        };
        Self {
            plan,
            sockets,
            receiver,
            counts,
            answers: Answers::default(),
            started: now,
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
        loop {
            let deadlines = [
                self.plan.duration.map(|duration| self.started + duration),
                self.plan.timeout.map(|timeout| last_heard + timeout),
                next_stats,
            ];
            let index = tokio::select! {
                biased;
                () = shutdown.asked() => {
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
                    if let Some(next) = next_stats && now >= next {
                        sink.make_way();
                        tracing::info!("{}", self.report());
                        next_stats = self.plan.stats_every.map(|every| next + every);
                    }
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
                        errors += 1;
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
        let result = receiver.receive(&bound.socket, bound.local, limit, |datagram| {
            if let Some(notes) = counts.count(&datagram, now, answers) {
                sink.datagram(&datagram, notes);
            }
        });
        match result {
            Ok(count) => {
                if !answers.to.is_empty() {
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
            listener: self,
            dropped,
            elapsed: self.started.elapsed(),
        }
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

/// Resolves at the deadline; never without one.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// The summary line of a listener.
#[derive(Debug)]
pub struct Report<'a> {
    listener: &'a Listener<'a>,
    dropped: Option<Drops>,
    elapsed: Duration,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.listener.counts;
        let answers = &self.listener.answers;
        let peers = counts.peers.table.len() as u64;
        write!(
            f,
            "{}, {}, {}{}, {}, {} datagrams/s",
            counted(counts.datagrams, "datagram", "datagrams"),
            counted(counts.bytes, "byte", "bytes"),
            if counts.peers.is_full {
                "more than "
            } else {
                ""
            },
            counted(peers, "peer", "peers"),
            seconds(self.elapsed),
            per_second(counts.datagrams, self.elapsed),
        )?;
        match self.dropped {
            Some(Drops { count, is_estimate }) => {
                let about = if is_estimate { "about " } else { "" };
                write!(f, ", {about}{count} dropped by the kernel")?;
            }
            None => write!(f, ", drops by the kernel not known on this system")?,
        }
        write!(f, ", {} truncated", counts.truncated)?;
        if counts.plan.sequenced {
            let Totals {
                lost,
                duplicate,
                reordered,
            } = counts.totals;
            write!(
                f,
                ", {lost} lost, {duplicate} duplicate, {reordered} reordered"
            )?;
            if counts.unsequenced > 0 {
                write!(f, ", {} without a sequence number", counts.unsequenced)?;
            }
            if counts.delays.count() > 0 {
                write!(f, ", one-way delay {}", counts.delays)?;
            }
        }
        if counts.filtered > 0 {
            write!(f, ", {} from others left out", counts.filtered)?;
        }
        if counts.plan.answer.is_some() {
            write!(f, ", {} answered", answers.sent)?;
            if answers.withheld > 0 {
                write!(
                    f,
                    ", {} not answered (rate, group or own address)",
                    answers.withheld
                )?;
            }
            if answers.failed > 0 {
                write!(f, ", {} answers failed", answers.failed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_block_and_no_more() {
        let holds = |prefix: &str, address: &str| {
            prefix
                .parse::<Prefix>()
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(holds("192.168.0.0/24", "192.168.0.255"));
        assert!(holds("192.168.0.77/24", "192.168.0.1"));
        assert!(!holds("192.168.0.0/24", "192.168.1.0"));
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(holds("192.168.0.5", "192.168.0.5") && !holds("192.168.0.5", "192.168.0.4"));
        assert!(holds("fe80::/10", "fe80::1") && !holds("fe80::/10", "::1"));
        assert!(!holds("0.0.0.0/0", "::1") && !holds("::/0", "1.2.3.4"));
        for text in [
            "",
            "x",
            "192.168.0.0/33",
            "::/129",
            "1.2.3.4/",
            "1.2.3.4/-1",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
