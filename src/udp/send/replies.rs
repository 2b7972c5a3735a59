//! Receives what comes back: replies, and ICMP errors about sent datagrams.

use std::io;
use std::time::Instant;

use crate::datagram::Datagram;
use crate::shutdown::Shutdown;
use crate::udp::error::Error;
use crate::udp::payload::sequence::Header;
use crate::udp::send::{
    CALLS_IN_A_ROW, LINGER, Loudness, REFUSAL_TIME, ReplyPlan, STORM_LOOK, SendEnd, Sender,
    WARN_EVERY,
};
use crate::udp::sink::{Flow, Sink};
use crate::udp::system::{self, NetworkError};
use crate::udp::{Rejected, interface};
use crate::wait::{Site, end_asked_at, until};

/// ICMP errors that do not count as a storm, in addition to two per sent datagram.
const STORM: u64 = 16;

impl Sender<'_> {
    /// Whether more ICMP errors arrive than our datagrams can cause: they are forged or duplicated. Each one makes the
    /// socket ready and would wake the event loop, so in a storm the loop polls at intervals instead.
    pub(super) fn is_storm(&self) -> bool {
        self.reports > self.no_storm()
    }

    /// The number of ICMP errors above which this run is in a storm.
    fn no_storm(&self) -> u64 {
        STORM + 2 * self.report.datagrams
    }

    /// Whether a warning is due again; at most one per [`WARN_EVERY`], because each datagram may cause one.
    pub(super) fn may_warn(&mut self) -> bool {
        let now = Instant::now();
        let may = self
            .last_warning
            .is_none_or(|last| now >= last + WARN_EVERY);
        if may {
            self.last_warning = Some(now);
        }
        may
    }

    /// Reads and counts the pending ICMP errors of sent datagrams. `error` is the error of a send or receive call.
    /// Returns whether it was such a report, and not a failure of the call itself.
    pub(super) fn hear_errors(&mut self, error: Option<&io::Error>, loudness: Loudness) -> bool {
        let peer = self.plan.peer;
        // EPERM is the call's own error. If the firewall also sends an ICMP error, that is about the same datagram: do
        // not count it twice.
        let is_own_firewall = error.is_some_and(system::is_own_firewall);
        let is_peer_here = peer.ip().is_loopback() || self.local.ip() == peer.ip();
        let mut heard = false;
        let most = if self.is_storm() {
            1
        } else {
            usize::try_from(self.no_storm()).unwrap_or(usize::MAX)
        };
        let own = &mut self.own_addresses;
        let reports = system::network_errors(&self.bound.socket, error, most, &mut |address| {
            own.contains(address)
        });
        self.reports += reports.len() as u64;
        for report in reports {
            match report {
                // A multicast group or a broadcast address cannot refuse: the error is about one of its receivers.
                NetworkError::Refused
                | NetworkError::Rejected { .. }
                | NetworkError::Unreachable { .. }
                    if !self.plan.unicast =>
                {
                    tracing::debug!("left aside: {report:?}");
                }
                NetworkError::Rejected { by: None } if is_own_firewall => continue,
                NetworkError::Refused if is_own_firewall && is_peer_here => continue,
                NetworkError::Refused => {
                    self.report.refused += 1;
                    if loudness == Loudness::Warn && self.may_warn() {
                        tracing::warn!(say = "udp.refused", peer = %peer);
                    }
                }
                NetworkError::TooBig { mtu } => {
                    tracing::debug!(
                        "the path takes packets of {mtu} bytes at most: longer ones are fragmented from now on"
                    );
                }
                NetworkError::Rejected { by } => {
                    let rejected = Rejected { by };
                    if loudness == Loudness::Warn && self.may_warn() {
                        tracing::warn!(say = "udp.rejected", peer = %peer, how = %rejected);
                    }
                    self.report.errors += 1;
                    self.report.last_error = Some(rejected.into());
                }
                NetworkError::Unreachable { error, by } => {
                    self.report.errors += 1;
                    if self.may_warn() {
                        match by {
                            Some(by) => {
                                tracing::warn!(say = "udp.unreachable-says", host = %peer.ip(), by = %by, error = %error);
                            }
                            None => {
                                tracing::warn!(say = "udp.unreachable", host = %peer.ip(), error = %error);
                            }
                        }
                    }
                    self.report.last_error = Some(error);
                }
            }
            heard = true;
        }
        heard && !is_own_firewall
    }

    /// Reads the queued replies. `Some` if the run ends: there are enough replies, or the reader of the output is gone.
    pub(super) fn hear(&mut self, sink: &mut impl Sink) -> Result<Option<SendEnd>, Error> {
        // Taken out of `self` for the loop, because the closure borrows the rest of `self`.
        let Some(mut receiver) = self.receiver.take() else {
            return Ok(None);
        };
        let mut came = 0;
        let wanted = self
            .replies
            .and_then(|plan| plan.wanted)
            .unwrap_or(u64::MAX);
        // Bounded, so that a peer that floods us cannot stop us from sending.
        for _ in 0..CALLS_IN_A_ROW {
            let more = wanted.saturating_sub(self.report.replies);
            if more == 0 {
                break;
            }
            let limit = usize::try_from(more).unwrap_or(usize::MAX);
            let result = receiver.receive(&self.bound.socket, self.local, limit, |run| {
                // A broadcast comes back to the socket that sent it if its port is the destination's.
                if interface::is_ourselves(run.peer, self.local) {
                    tracing::debug!("what came from {} is our own, no reply", run.peer);
                    return;
                }
                // With GRO one buffer can hold more datagrams than `limit`.
                let more = wanted.saturating_sub(self.report.replies);
                if more > 0 {
                    let run = run.first(usize::try_from(more).unwrap_or(usize::MAX));
                    for datagram in run.datagrams() {
                        self.count_reply(&datagram);
                    }
                    sink.run(&run, &[]);
                }
            });
            match result {
                Ok(count) => came += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    if !self.hear_errors(Some(&error), Loudness::Warn) {
                        tracing::debug!("recvfrom: {error}");
                        break;
                    }
                    // The next call would only return the next forged error.
                    if self.is_storm() {
                        break;
                    }
                }
            }
        }
        self.receiver = Some(receiver);
        if came > 0 && sink.flush()? == Flow::ReaderGone {
            return Ok(Some(SendEnd::ReaderGone));
        }
        Ok((self.report.replies >= wanted).then_some(SendEnd::Complete))
    }

    /// Counts a reply, compares it with the expected one, and notes how long it took.
    fn count_reply(&mut self, datagram: &Datagram<'_>) {
        tracing::debug!(
            "recvfrom {} bytes from {}",
            datagram.payload.len(),
            datagram.peer
        );
        self.report.replies += 1;
        self.keep_reply(datagram);
        let expected = self.replies.and_then(|plan| plan.expect.as_deref());
        if expected == Some(datagram.payload) {
            self.report.is_expected_seen = true;
        }
        // Match a reply with a sequence number to the datagram with that number, and any other reply to the last
        // datagram sent.
        let by_number = Header::read(datagram.payload).and_then(|header| {
            self.sends
                .iter()
                .rev()
                .find(|(number, _)| *number == header.sequence)
        });
        if let Some((_, sent)) = by_number.or_else(|| self.sends.back()) {
            self.report.rtt.record(sent.elapsed());
        }
    }

    /// Whether enough replies arrived, or none can arrive any more.
    fn has_enough(&self, plan: &ReplyPlan) -> bool {
        let report = &self.report;
        let all_refused = self.plan.unicast
            && report.datagrams > 0
            && (report.refused + report.errors >= report.datagrams
                // The kernel may report one refusal for a whole batch.
                || (self.pace.is_unpaced() && report.refused > 0 && report.replies == 0));
        match (plan.wanted, &plan.expect) {
            _ if all_refused => true,
            (Some(wanted), _) => report.replies >= wanted,
            (None, Some(_)) => report.is_expected_seen && report.replies >= report.datagrams,
            // The number of receivers of a group or a broadcast address is unknown, so wait until the deadline.
            (None, None) => {
                self.plan.unicast
                    && report.replies + report.refused + report.errors >= report.datagrams
            }
        }
    }

    /// Waits a round trip for a refusal. A peer on this machine refuses immediately, so it needs no wait.
    pub(super) async fn wait_for_refusal(&mut self, shutdown: &mut Shutdown) -> SendEnd {
        self.hear_errors(None, Loudness::Verdict);
        let is_here = self.plan.peer.ip().is_loopback() || self.local.ip() == self.plan.peer.ip();
        if !self.plan.unicast || is_here || self.report.datagrams == 0 || self.report.refused > 0 {
            return SendEnd::Complete;
        }
        let hears = self.receiver.is_some();
        let end = tokio::select! {
            biased;
            () = end_asked_at(Site::Replies, shutdown) => SendEnd::Interrupted,
            () = system::error_reported(&self.bound.socket) => SendEnd::Complete,
            // A reply means that the peer does not refuse.
            _ = self.bound.socket.readable(), if hears => SendEnd::Complete,
            () = until(Some(self.last_sent + REFUSAL_TIME)) => SendEnd::Complete,
        };
        self.hear_errors(None, Loudness::Verdict);
        end
    }

    /// Receives replies until there are enough, or until the time is over. Without replies in the plan, waits for a
    /// refusal only.
    pub(super) async fn wait_for_replies(
        &mut self,
        sink: &mut impl Sink,
        shutdown: &mut Shutdown,
    ) -> Result<SendEnd, Error> {
        let Some(plan) = self.replies else {
            return Ok(self.wait_for_refusal(shutdown).await);
        };
        if self.report.datagrams == 0 {
            return Ok(SendEnd::Complete);
        }
        let mut deadline = self.last_sent + plan.wait;
        let mut is_enough = false;
        loop {
            if let Some(end) = self.hear(sink)? {
                return Ok(end);
            }
            if !is_enough && self.has_enough(plan) {
                // The number was given, or every datagram was refused: nothing more can be expected. Otherwise a peer
                // may send a second reply to one datagram, which should be seen.
                if plan.wanted.is_some() || self.report.replies == 0 {
                    return Ok(SendEnd::Complete);
                }
                is_enough = true;
                deadline = deadline.min(Instant::now() + LINGER);
            }
            if self.is_storm() {
                if shutdown.is_asked() {
                    return Ok(SendEnd::Interrupted);
                }
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(SendEnd::Complete);
                }
                std::thread::sleep(left.min(STORM_LOOK));
                continue;
            }
            tokio::select! {
                biased;
                () = end_asked_at(Site::Replies, shutdown) => return Ok(SendEnd::Interrupted),
                _ = self.bound.socket.readable() => {}
                () = system::error_reported(&self.bound.socket) => {
                    self.hear_errors(None, Loudness::Verdict);
                }
                () = until(Some(deadline)) => {
                    // A reply may have arrived at the same moment as the deadline.
                    return Ok(self.hear(sink)?.unwrap_or(SendEnd::Complete));
                }
            }
        }
    }
}
