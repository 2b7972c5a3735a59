//! What a relay sends, and the errors that the network reports for it.

use std::io;
use std::time::{Duration, Instant};

use crate::datagram::Timestamp;
use crate::udp::relay::Relay;
use crate::udp::relay::receiving::passed;
use crate::udp::sink::Sink;
use crate::udp::socket::Bound;
use crate::udp::system;

/// The longest wait for room in a send buffer, so that one target cannot stop the others.
const ROOM: Duration = Duration::from_millis(20);

impl Relay<'_> {
    /// Queues the late datagrams that are due.
    pub(super) fn send_due(&mut self, now: Instant, sink: &mut impl Sink) {
        let Self {
            plan,
            sessions,
            forward,
            back,
            touched,
            outbox,
            to,
            ..
        } = self;
        let mut gone = [0, 0];
        forward.send_due(now, &mut |route, payload| {
            // Compare the session's number: its place may now belong to another client, which must not get this
            // datagram.
            if sessions.get(&route).is_some() {
                sessions.begin(route.slot, touched);
            }
            let Some(session) = sessions.get(&route) else {
                gone[0] += 1;
                return;
            };
            session.outbox.push(payload);
            for target in plan.targets.iter().filter(|_| plan.is_watched) {
                let now = Timestamp::now();
                sink.run(&passed(payload, route.from, target.address, now), &[]);
            }
        });
        back.send_due(now, &mut |route, payload| {
            let Some(session) = sessions.get(&route) else {
                gone[1] += 1;
                return;
            };
            outbox.push(payload);
            to.push((session.client, session.from));
            if plan.is_watched {
                let now = Timestamp::now();
                sink.run(&passed(payload, route.from, session.client, now), &[]);
            }
        });
        forward.counts.no_session += gone[0];
        back.counts.no_session += gone[1];
    }

    /// Sends everything queued.
    pub(super) async fn flush(&mut self) {
        for slot in std::mem::take(&mut self.touched) {
            self.flush_session(slot).await;
        }
        if !self.to.is_empty() {
            self.flush_back().await;
        }
    }

    /// Sends the outbox of a session to each of its targets.
    async fn flush_session(&mut self, slot: usize) {
        let Some(session) = self.sessions.at(slot) else {
            return;
        };
        let outbox = &session.outbox;
        for (link, counts) in session.links.iter_mut().zip(&mut self.targets) {
            let Some((bound, transmitter)) = &mut link.open else {
                counts.failed += outbox.len() as u64;
                self.forward.counts.failed += outbox.len() as u64;
                continue;
            };
            // Before the call: an ICMP error may be pending even if every datagram of the batch seems to have been
            // sent.
            link.is_unchecked = true;
            let mut next = 0;
            let mut is_again = false;
            while next < outbox.len() {
                let failed = match transmitter.send(&bound.socket, outbox, next, usize::MAX) {
                    Ok(count) => {
                        next += count;
                        is_again = false;
                        counts.sent += count as u64;
                        self.forward.counts.sent += count as u64;
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        // Wait briefly and then drop, as a router does. A longer wait would delay the targets that have
                        // room.
                        if has_room(bound).await {
                            continue;
                        }
                        outbox.len() - next
                    }
                    // The refusal is for an earlier datagram: the kernel did not send this one.
                    Err(error) if system::is_of_an_answer(&error) && !is_again => {
                        is_again = true;
                        counts.refused += 1;
                        continue;
                    }
                    Err(error) => {
                        tracing::debug!("sendto: {error}");
                        1
                    }
                };
                is_again = false;
                next += failed;
                counts.failed += failed as u64;
                self.forward.counts.failed += failed as u64;
            }
        }
        self.sessions.finish(slot);
    }

    /// Sends the replies that are queued for clients.
    async fn flush_back(&mut self) {
        let is_v4 = self.bound.local.is_ipv4();
        let mut next = 0;
        while next < self.to.len() {
            let socket = &self.bound.socket;
            // Use the one socket that the clients know; the source is the address to which each client sent.
            match system::answer(socket, is_v4, &self.outbox, &self.to, next) {
                Ok(count) => {
                    next += count;
                    self.back.counts.sent += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !has_room(self.bound).await {
                        self.back.counts.failed += (self.to.len() - next) as u64;
                        break;
                    }
                }
                Err(error) => {
                    tracing::debug!("sendto: {error}");
                    self.back.counts.failed += 1;
                    next += 1;
                }
            }
        }
        self.outbox.clear();
        self.to.clear();
    }

    /// Counts a refusal of a target.
    pub(super) fn refused(&mut self, target: usize) {
        let Some(counts) = self.targets.get_mut(target) else {
            return;
        };
        counts.refused += 1;
    }

    /// The periodic work of the loop: collects errors that no call reported, and ends idle sessions.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.check_errors();
        self.sessions.expire(now);
    }

    /// Counts refusals that no call has reported yet, and reports the first of each target.
    pub(super) fn check_errors(&mut self) {
        for slot in 0..self.sessions.places() {
            let Some(session) = self.sessions.at(slot) else {
                continue;
            };
            for (link, counts) in session.links.iter_mut().zip(&mut self.targets) {
                // Only check sockets that have sent since the last check: a system call for each of 512 sockets is too
                // expensive.
                let is_unchecked = std::mem::take(&mut link.is_unchecked);
                if let Some((bound, _)) = link.open.as_ref().filter(|_| is_unchecked)
                    && let Some(error) = system::take_error(&bound.socket)
                    && system::is_of_an_answer(&error)
                {
                    counts.refused += 1;
                }
            }
        }
        for (target, counts) in self.plan.targets.iter().zip(&mut self.targets) {
            // Once per target: a target that is down refuses every datagram.
            if counts.refused > 0 && !counts.is_told {
                counts.is_told = true;
                tracing::warn!(say = "relay.refused", target = %target.address);
            }
        }
    }
}

/// Whether the send buffer has room soon.
async fn has_room(bound: &Bound) -> bool {
    let writable = tokio::time::timeout(ROOM, bound.socket.writable()).await;
    matches!(writable, Ok(Ok(())))
}
