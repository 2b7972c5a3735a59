//! Notices about the path and the payloads, each logged once per run.

use std::net::SocketAddr;

use crate::datagram::unspecified;
use crate::udp::outbox::Outbox;
use crate::udp::payload::TUTORIAL_RECV_SIZE;
use crate::udp::send::Sender;
use crate::udp::{header_len, system};

/// Which notices have been logged.
#[derive(Debug, Default)]
pub(super) struct Advice {
    cut: bool,
    fragmented: bool,
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

/// What the kernel knows about the path to a peer.
struct Path {
    mtu: Option<usize>,
    /// Whether the path stays within this machine.
    is_local: bool,
}

impl Path {
    /// Looks the path up with a socket of its own; `connect` on a UDP socket sends nothing.
    fn to(peer: SocketAddr) -> Self {
        let probe = std::net::UdpSocket::bind(unspecified(&peer, 0))
            .and_then(|probe| probe.connect(peer).map(|()| probe));
        let Ok(probe) = probe else {
            return Self {
                mtu: None,
                is_local: false,
            };
        };
        Self {
            mtu: system::path_mtu(&probe),
            // If the peer is one of this machine's addresses, the kernel chooses the same address as the source.
            is_local: peer.ip().is_loopback()
                || probe
                    .local_addr()
                    .is_ok_and(|local| local.ip() == peer.ip()),
        }
    }
}
