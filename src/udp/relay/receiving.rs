//! What a relay receives, from clients and from targets.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use crate::datagram::run::Run;
use crate::datagram::{Addressed, Timestamp};
use crate::udp::relay::Relay;
use crate::udp::relay::ready::ReadySocket;
use crate::udp::relay::sessions::{NoSession, Route};
use crate::udp::sink::Sink;
use crate::udp::system;

/// Receive calls per socket before the loop looks at the others.
const CALLS_IN_A_ROW: usize = 4;

impl Relay<'_> {
    /// Receives from one socket until it is empty, or for a few calls, and passes on the datagrams.
    pub(super) async fn receive(
        &mut self,
        ready: ReadySocket,
        sink: &mut impl Sink,
    ) -> io::Result<()> {
        for _ in 0..CALLS_IN_A_ROW {
            let received = match ready {
                ReadySocket::Clients => self.receive_requests(sink),
                ReadySocket::Target(slot, target) => self.receive_replies(slot, target, sink),
            };
            // Send after each call: otherwise the outboxes would grow with the burst.
            self.flush().await;
            match received {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // ICMP errors for datagrams to a client or a target end nothing: a client that has ended refuses its
                // replies, but the other clients continue.
                Err(error) if system::is_of_an_answer(&error) => {
                    if let ReadySocket::Target(_, target) = ready {
                        self.refused(target);
                    }
                }
                Err(error) => {
                    tracing::debug!("recvfrom on {}: {error}", self.bound.local);
                    return match ready {
                        // The relay cannot work without the clients' socket; without one target it still serves the
                        // others.
                        ReadySocket::Clients => Err(error),
                        ReadySocket::Target(..) => Ok(()),
                    };
                }
            }
        }
        Ok(())
    }

    /// One receive call on the clients' socket.
    pub(super) fn receive_requests(&mut self, sink: &mut impl Sink) -> io::Result<usize> {
        let Self {
            plan,
            bound,
            is_wildcard,
            clients,
            sessions,
            forward,
            touched,
            looped,
            ..
        } = self;
        let now = Instant::now();
        clients.receive(&bound.socket, bound.local, usize::MAX, |run| {
            if tracing::enabled!(tracing::Level::DEBUG) {
                for payload in run.payloads() {
                    tracing::debug!("recvfrom {} bytes from {}", payload.len(), run.peer);
                }
            }
            // A reply cannot come from a group's address.
            let from = (*is_wildcard && run.addressed != Addressed::Group).then(|| run.local.ip());
            // The address that the client sent to is part of the key: a client that asks two addresses of this
            // machine must get each reply from the one that it asked.
            let slot = sessions.of_client(run.peer, run.local, from, &plan.targets, now);
            let slot = match slot {
                Ok(slot) => slot,
                Err(reason) => {
                    let count = run.len() as u64;
                    forward.counts.datagrams += count;
                    forward.counts.bytes += run.payload_len() as u64;
                    match reason {
                        NoSession::Full => forward.counts.no_session += count,
                        NoSession::Loop => *looped += count,
                    }
                    return;
                }
            };
            sessions.touch(slot, now);
            // Do this here instead of with a timer: only a session in use needs its sockets.
            sessions.reopen(slot, &plan.targets, now);
            sessions.begin(slot, touched);
            let Some(session) = sessions.at(slot) else {
                return;
            };
            let is_watched = plan.is_watched;
            let mut watch = |run: Run<'_>| {
                for target in plan.targets.iter().filter(|_| is_watched) {
                    sink.run(&run.toward(target.address), &[]);
                }
            };
            // Without faults no datagram needs a fate or a copy: this path is the fast one.
            if forward.is_plain() {
                forward.counts.datagrams += run.len() as u64;
                forward.counts.bytes += run.payload_len() as u64;
                run.payloads()
                    .for_each(|payload| session.outbox.push(payload));
                watch(run);
                return;
            }
            let route = Route {
                slot,
                session: session.number,
                from: run.peer,
            };
            for payload in run.payloads() {
                // Datagrams that pass now belong to this session, too: a datagram only waits for others of its session.
                forward.take(route, payload, now, &mut |route, payload| {
                    session.outbox.push(payload);
                    watch(passed(payload, route.from, run.local, run.time));
                });
            }
        })
    }

    /// One receive call on a socket to a target.
    pub(super) fn receive_replies(
        &mut self,
        slot: usize,
        target: usize,
        sink: &mut impl Sink,
    ) -> io::Result<usize> {
        let Self {
            plan,
            replies,
            sessions,
            back,
            outbox,
            to,
            targets,
            ..
        } = self;
        let now = Instant::now();
        let Some(session) = sessions.at(slot) else {
            return Ok(0);
        };
        // Copied, so that the borrow of the sessions ends before the closure below.
        let (client, from, number) = (session.client, session.from, session.number);
        let Some((bound, _)) = session
            .links
            .get(target)
            .and_then(|link| link.open.as_ref())
        else {
            return Ok(0);
        };
        let result = replies.receive(&bound.socket, bound.local, usize::MAX, |run| {
            // Count before the lane: the target sent this reply, even if the lane loses it.
            if let Some(counts) = targets.get_mut(target) {
                counts.replies += run.len() as u64;
            }
            let mut send = |payload: &[u8]| {
                outbox.push(payload);
                to.push((client, from));
            };
            if back.is_plain() {
                back.counts.datagrams += run.len() as u64;
                back.counts.bytes += run.payload_len() as u64;
                run.payloads().for_each(&mut send);
                if plan.is_watched {
                    sink.run(&run.toward(client), &[]);
                }
                return;
            }
            let route = Route {
                slot,
                session: number,
                from: run.peer,
            };
            for payload in run.payloads() {
                back.take(route, payload, now, &mut |route, payload| {
                    send(payload);
                    if plan.is_watched {
                        sink.run(&passed(payload, route.from, client, run.time), &[]);
                    }
                });
            }
        });
        // A target that streams without being asked keeps its session alive too.
        sessions.touch(slot, now);
        result
    }
}

/// A datagram as it passes, for the sink.
pub(super) fn passed(payload: &[u8], from: SocketAddr, to: SocketAddr, time: Timestamp) -> Run<'_> {
    Run::single(payload, from, to, Addressed::Unicast, time)
}
