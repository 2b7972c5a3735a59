//! The clients of a relay: a session each, with a socket per target, so that every reply finds its way back.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{SockAddr, SockRef};

use crate::udp::batch::Transmitter;
use crate::udp::error::Error;
use crate::udp::header_len;
use crate::udp::outbox::Outbox;
use crate::udp::receive::ReceiveOptions;
use crate::udp::relay::target::Target;
use crate::udp::socket::{self, Bound, SendOptions};

/// The maximum number of sockets to the targets, so that a flood of clients does not use up the descriptors that a
/// process may have (1,024 on most Linux systems).
pub(crate) const MAX_SOCKETS: usize = 512;

/// The number of buffers kept for reuse.
const MAX_SPARE: usize = 16;

/// When there are too many sessions, one without a datagram for this long may be ended for a new client.
const IDLE: Duration = Duration::from_secs(1);

/// When to retry opening a socket, for example after the network was down.
const RETRY: Duration = Duration::from_secs(1);

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    /// The place of the session.
    pub(super) slot: usize,
    /// The session's number: another session may have the place later.
    pub(super) session: u64,
    /// The client or the target that sent the datagram.
    pub(super) from: SocketAddr,
}

impl Route {
    /// Whether both routes have the same sender and receiver.
    pub(super) fn is_same_path(&self, other: &Self) -> bool {
        self.session == other.session && self.from == other.from
    }
}

/// A socket to one target.
#[derive(Debug)]
pub(super) struct TargetSocket {
    /// The socket, if it could be opened.
    pub(super) open: Option<(Bound, Transmitter)>,
    /// When to try again to open it.
    retry_at: Instant,
    /// Whether errors for sent datagrams may be pending.
    pub(super) is_unchecked: bool,
}

/// A client.
#[derive(Debug)]
pub(super) struct ClientSession {
    /// The session's number; no number is used twice in a run.
    pub(super) number: u64,
    /// The client's address.
    pub(super) client: SocketAddr,
    /// The address that the client sends to: its replies come from there.
    pub(super) local: SocketAddr,
    /// The source address of replies, if the socket is bound to a wildcard address.
    pub(super) from: Option<IpAddr>,
    /// When the last datagram passed, in either direction.
    last_used: Instant,
    /// One per target.
    pub(super) links: Vec<TargetSocket>,
    /// The datagrams to send next to the targets.
    pub(super) outbox: Outbox,
    /// Whether the session has an outbox buffer and is listed in `touched`.
    is_touched: bool,
}

/// Why a client has no session.
#[derive(Debug)]
pub(super) enum NoSession {
    /// There are too many.
    Full,
    /// The client is one of the relay's own sockets.
    Loop,
}

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    /// The options for sockets to the targets.
    receive: ReceiveOptions,
    /// How long a session lasts without a datagram.
    timeout: Duration,
    /// The maximum number of sessions, so that all their sockets stay below [`MAX_SOCKETS`].
    most: usize,
    /// The sessions by place. A place never changes, because waiting datagrams refer to it.
    slots: Vec<Option<ClientSession>>,
    /// The place by the client's address and the address that it sends to.
    places: HashMap<(SocketAddr, SocketAddr), usize>,
    /// The last entry found: most datagrams come in runs of one client.
    last: Option<(SocketAddr, SocketAddr, usize)>,
    /// The ports of the sockets to the targets.
    ports: HashSet<u16>,
    /// How many there were.
    pub(super) total: u64,
    /// Buffers for reuse. The sessions share them: a large buffer for each session would take too much memory.
    spare: Vec<Outbox>,
}

impl Sessions {
    /// No sessions yet. `targets` is how many sockets each will need.
    pub(super) fn new(receive: ReceiveOptions, timeout: Duration, targets: usize) -> Self {
        Self {
            receive,
            timeout,
            most: (MAX_SOCKETS / targets.max(1)).max(1),
            slots: Vec::new(),
            places: HashMap::new(),
            last: None,
            ports: HashSet::new(),
            total: 0,
            spare: Vec::new(),
        }
    }

    /// How many there are now.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The session of a route, unless it has ended.
    pub(super) fn get(&mut self, route: &Route) -> Option<&mut ClientSession> {
        let session = self.slots.get_mut(route.slot)?.as_mut()?;
        // Another session may have this place now.
        (session.number == route.session).then_some(session)
    }

    /// Gives a session an outbox buffer and lists it in `touched`, unless the session has one.
    pub(super) fn begin(&mut self, slot: usize, touched: &mut Vec<usize>) {
        let session = self.slots.get_mut(slot).and_then(Option::as_mut);
        if let Some(session) = session.filter(|session| !session.is_touched) {
            session.is_touched = true;
            session.outbox = self.spare.pop().unwrap_or_default();
            touched.push(slot);
        }
    }

    /// Takes the buffer back.
    pub(super) fn finish(&mut self, slot: usize) {
        let session = self.slots.get_mut(slot).and_then(Option::as_mut);
        if let Some(session) = session {
            session.is_touched = false;
            let mut outbox = std::mem::take(&mut session.outbox);
            // A flood of clients must not leave a buffer per client behind.
            if self.spare.len() < MAX_SPARE {
                outbox.clear();
                self.spare.push(outbox);
            }
        }
    }

    /// The session of a place.
    pub(super) fn at(&mut self, slot: usize) -> Option<&mut ClientSession> {
        self.slots.get_mut(slot)?.as_mut()
    }

    /// All sessions, with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &ClientSession)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(slot, session)| session.as_ref().map(|session| (slot, session)))
    }

    /// The sockets of the session of a place; none if there is no session.
    pub(super) fn links(&self, slot: usize) -> &[TargetSocket] {
        let session = self.slots.get(slot).and_then(Option::as_ref);
        session.map_or(&[], |session| session.links.as_slice())
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.slots.len()
    }

    /// Notes that the session was used.
    pub(super) fn touch(&mut self, slot: usize, now: Instant) {
        if let Some(session) = self.at(slot) {
            session.last_used = now;
        }
    }

    /// The place of a client's session, which is opened if there is none.
    pub(super) fn of_client(
        &mut self,
        client: SocketAddr,
        local: SocketAddr,
        from: Option<IpAddr>,
        targets: &[Target],
        now: Instant,
    ) -> Result<usize, NoSession> {
        if let Some((known, to, slot)) = self.last
            && known == client
            && to == local
        {
            return Ok(slot);
        }
        let slot = match self.places.get(&(client, local)) {
            Some(&slot) => slot,
            None => self.add(client, local, from, targets, now)?,
        };
        self.last = Some((client, local, slot));
        Ok(slot)
    }

    /// Opens a session with a socket per target; makes room if there are too many.
    fn add(
        &mut self,
        client: SocketAddr,
        local: SocketAddr,
        from: Option<IpAddr>,
        targets: &[Target],
        now: Instant,
    ) -> Result<usize, NoSession> {
        // The relay's own socket as a client means that a target is the relay itself, or that somebody forged the
        // sender: each datagram would come back for ever.
        let is_own_port = client.port() == local.port() || self.ports.contains(&client.port());
        let is_ours = is_own_port
            && (client.ip().is_loopback()
                || crate::udp::interface::own_addresses().contains(&client.ip()));
        if is_ours {
            return Err(NoSession::Loop);
        }
        if self.len() >= self.most {
            self.make_room(now)?;
        }
        let mut links: Vec<TargetSocket> = targets
            .iter()
            .map(|target| TargetSocket::new(target, self.receive, now))
            .collect();
        if links.iter().any(|link| link.open.is_none()) && self.len() > 0 {
            // The process may have no descriptors left: end one session and try again.
            self.make_room(now)?;
            for (link, target) in links.iter_mut().zip(targets) {
                if link.open.is_none() {
                    *link = TargetSocket::new(target, self.receive, now);
                }
            }
        }
        for (bound, _) in links.iter().filter_map(|link| link.open.as_ref()) {
            self.ports.insert(bound.local.port());
        }
        self.total += 1;
        let session = ClientSession {
            number: self.total,
            client,
            local,
            from,
            last_used: now,
            links,
            outbox: Outbox::default(),
            is_touched: false,
        };
        tracing::debug!("session {} of {client}", session.number);
        // A free place first, so that the list stays as long as the most sessions at a time.
        let slot = self.slots.iter().position(Option::is_none);
        let slot = slot.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(session);
        }
        self.places.insert((client, local), slot);
        Ok(slot)
    }

    /// Ends the session that was idle the longest, if it was idle.
    fn make_room(&mut self, now: Instant) -> Result<(), NoSession> {
        let oldest = self
            .iter()
            .min_by_key(|(_, session)| session.last_used)
            // A client that is busy keeps its session. Otherwise a flood of new clients, perhaps with forged
            // addresses, would end the sessions of real ones.
            .filter(|(_, session)| now.saturating_duration_since(session.last_used) >= IDLE);
        let Some((slot, _)) = oldest else {
            return Err(NoSession::Full);
        };
        self.end(slot);
        Ok(())
    }

    /// Ends the sessions that had no datagram for too long.
    pub(super) fn expire(&mut self, now: Instant) {
        let timeout = self.timeout;
        let is_over =
            |session: &ClientSession| now.saturating_duration_since(session.last_used) >= timeout;
        let over: Vec<usize> = self
            .iter()
            .filter(|(_, session)| is_over(session))
            .map(|(slot, _)| slot)
            .collect();
        for slot in over {
            self.end(slot);
        }
    }

    /// Ends the session of a place, and closes its sockets.
    fn end(&mut self, slot: usize) {
        let Some(session) = self.slots.get_mut(slot).and_then(Option::take) else {
            return;
        };
        tracing::debug!("session {} of {} ends", session.number, session.client);
        for (bound, _) in session.links.iter().filter_map(|link| link.open.as_ref()) {
            self.ports.remove(&bound.local.port());
        }
        self.places.remove(&(session.client, session.local));
        // `last` may name this place.
        self.last = None;
    }
}

impl TargetSocket {
    /// Opens a socket to the target, or notes when to try again.
    fn new(target: &Target, receive: ReceiveOptions, now: Instant) -> Self {
        let mut link = Self {
            open: None,
            retry_at: now,
            is_unchecked: false,
        };
        link.try_open(target, receive, now);
        link
    }

    /// Opens the socket if it is not open, and if it is time to try.
    fn try_open(&mut self, target: &Target, receive: ReceiveOptions, now: Instant) {
        if self.open.is_some() || now < self.retry_at {
            return;
        }
        // Set before the attempt, so that a failure is not repeated with every datagram.
        self.retry_at = now + RETRY;
        match open(target, receive) {
            Ok(open) => self.open = Some(open),
            Err(error) => {
                tracing::debug!("no socket to {}: {}", target.address, error.with_cause());
            }
        }
    }
}

impl Sessions {
    /// Opens the sockets of a session that could not be opened before.
    pub(super) fn reopen(&mut self, slot: usize, targets: &[Target], now: Instant) {
        let receive = self.receive;
        let Some(session) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return;
        };
        for (link, target) in session.links.iter_mut().zip(targets) {
            if link.open.is_none() {
                link.try_open(target, receive, now);
                if let Some((bound, _)) = &link.open {
                    self.ports.insert(bound.local.port());
                }
            }
        }
    }
}

/// A socket that is connected to the target, so that it receives only from the target and gets its refusals.
fn open(target: &Target, receive: ReceiveOptions) -> Result<(Bound, Transmitter), Error> {
    let options = SendOptions {
        broadcast: target.is_broadcast,
        replies: Some(receive),
        ..SendOptions::default()
    };
    let bound = socket::open_sender(&options, target.address)?;
    let failed = |source: io::Error| Error::Send {
        peer: target.address,
        broadcast: target.is_broadcast,
        source,
    };
    // A broadcast or multicast target answers from its own address, which a connected socket would not receive.
    let peer = if target.is_group() {
        Some(target.address)
    } else {
        tracing::trace!("connect {}", target.address);
        let address = SockAddr::from(target.address);
        SockRef::from(&bound.socket)
            .connect(&address)
            .map_err(failed)?;
        None
    };
    let mut transmitter = Transmitter::new(peer, receive.batching);
    if let Some(mtu) = target.local_mtu {
        transmitter.set_longest_segment(mtu.saturating_sub(header_len(&target.address)));
    }
    Ok((bound, transmitter))
}
