//! Notices about the path and the payloads, each logged once per run.

use crate::udp::header_len;
use crate::udp::outbox::Outbox;
use crate::udp::payload::TUTORIAL_RECV_SIZE;
use crate::udp::route::Path;
use crate::udp::send::Sender;

/// Which notices have been logged.
#[derive(Debug, Default)]
pub(super) struct LoggedNotices {
    /// Whether the user was told that the tutorial's programs keep only the beginning.
    cut: bool,
    /// Whether the user was told that IP splits the datagrams.
    fragmented: bool,
    /// Whether the user was told that a datagram is empty.
    empty: bool,
}

impl Sender<'_> {
    /// Looks up the path MTU once it matters. A run of a few short datagrams skips the lookup.
    pub(super) fn learn_path(&mut self, outbox: &Outbox) {
        let room = LEAST_MTU - header_len(&self.plan.peer);
        let is_short = outbox.len() < 4 && outbox.byte_len() <= room;
        if self.is_path_known || is_short {
            return;
        }
        self.is_path_known = true;
        let path = Path::to(self.plan.peer);
        self.path_mtu = path.mtu;
        // Use GSO only for paths within this machine. A queue on the path may be shorter than one GSO buffer: a shaper
        // (tc-tbf(8)) splits the buffer, keeps the segments that fit and drops the rest without an error. Single
        // datagrams get ENOBUFS from a full queue, and the loop can retry.
        if let Some(mtu) = path.mtu.filter(|_| path.is_local) {
            self.transmitter
                .set_longest_segment(mtu.saturating_sub(header_len(&self.plan.peer)));
        }
    }

    /// Logs once what may go wrong with these payloads.
    pub(super) fn advise(&mut self, outbox: &Outbox) {
        if self.advice.cut
            && self.advice.empty
            && (self.advice.fragmented || self.path_mtu.is_none())
        {
            return;
        }
        for index in 0..outbox.lengths() {
            let len = outbox.payload(index).len();
            if len == 0 && !self.advice.empty {
                self.advice.empty = true;
                tracing::info!(say = "udp.empty-datagram");
            }
            if len > TUTORIAL_RECV_SIZE && !self.advice.cut {
                self.advice.cut = true;
                tracing::info!(say = "udp.cut-by-tutorial", len, kept = TUTORIAL_RECV_SIZE);
            }
            if let Some(mtu) = self.path_mtu
                && len + header_len(&self.plan.peer) > mtu
                && !self.advice.fragmented
            {
                self.advice.fragmented = true;
                tracing::info!(say = "udp.fragmented", len, mtu);
            }
        }
    }
}

/// The minimum MTU of IPv6 (RFC 8200). A path with a smaller MTU fragments such packets without our doing.
const LEAST_MTU: usize = 1280;
