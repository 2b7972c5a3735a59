//! What is worth knowing of the path and the payloads, said once.

use std::net::SocketAddr;

use crate::net::batch::Outbox;
use crate::net::send::Sender;
use crate::net::socket;
use crate::net::{header_len, system};
use crate::payload::TUTORIAL_RECV_SIZE;

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
        self.path_mtu = probe_mtu(self.plan.peer);
        if let Some(mtu) = self.path_mtu {
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
                tracing::info!("an empty datagram: some ESP32 firmware mishandles it");
            }
            if len > TUTORIAL_RECV_SIZE && !self.advice.cut {
                self.advice.cut = true;
                tracing::info!(
                    "a payload of {len} bytes: the tutorial's recvfrom({TUTORIAL_RECV_SIZE}) would cut it to {TUTORIAL_RECV_SIZE}"
                );
            }
            if let Some(mtu) = self.path_mtu
                && len + header_len(&self.plan.peer) > mtu
                && !self.advice.fragmented
            {
                self.advice.fragmented = true;
                tracing::info!(
                    "a payload of {len} bytes will be fragmented: the path's MTU is {mtu}, and one lost fragment loses the datagram"
                );
            }
        }
    }
}

/// Every path takes IP packets of this size whole, or fragments them unseen: IPv6's least MTU (RFC 8200).
const LEAST_MTU: usize = 1280;

/// The path's MTU as the kernel knows it, asked on a socket of its own: sends nothing.
fn probe_mtu(peer: SocketAddr) -> Option<usize> {
    let probe = std::net::UdpSocket::bind(socket::unspecified(&peer, 0)).ok()?;
    probe.connect(peer).ok()?;
    system::path_mtu(&probe)
}
