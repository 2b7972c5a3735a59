//! What is worth knowing of the path and the payloads, said once.

use std::net::SocketAddr;

use crate::datagram::unspecified;
use crate::udp::outbox::Outbox;
use crate::udp::payload::TUTORIAL_RECV_SIZE;
use crate::udp::send::Sender;
use crate::udp::{header_len, system};

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct Advice {
    cut: bool,
    fragmented: bool,
    empty: bool,
}

impl Sender<'_> {
    /// Looks up the path's MTU when it begins to matter: a run of one short datagram goes without.
    pub(super) fn learn_path(&mut self, outbox: &Outbox) {
        let room = LEAST_MTU - header_len(&self.plan.peer);
        let is_short = outbox.len() < 4 && outbox.byte_len() <= room;
        if self.is_path_known || is_short {
            return;
        }
        self.is_path_known = true;
        let path = Path::to(self.plan.peer);
        self.path_mtu = path.mtu;
        // A queue on the way may be shorter than one buffer of segments: a shaper (tc-tbf(8)) cuts the buffer up, keeps
        // what fits, drops the rest, and nothing is reported. Datagrams that enter it one by one are refused one by one
        // (ENOBUFS), and wait. So segmentation is for paths without a queue: those within this machine.
        if let Some(mtu) = path.mtu.filter(|_| path.is_local) {
            self.transmitter
                .set_longest_segment(mtu.saturating_sub(header_len(&self.plan.peer)));
        }
    }

    /// Says once what may go wrong with these payloads.
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

/// Every path takes IP packets of this size whole, or fragments them unseen: IPv6's least MTU (RFC 8200).
const LEAST_MTU: usize = 1280;

/// What the kernel knows of the path to a peer.
struct Path {
    mtu: Option<usize>,
    /// It stays within this machine.
    is_local: bool,
}

impl Path {
    /// Asked on a socket of its own: sends nothing.
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
            // Whoever sends to an address of its own does so from that address.
            is_local: peer.ip().is_loopback()
                || probe
                    .local_addr()
                    .is_ok_and(|local| local.ip() == peer.ip()),
        }
    }
}
