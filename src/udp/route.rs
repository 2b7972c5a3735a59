//! What the kernel knows about the path to a peer.

use std::net::SocketAddr;

use crate::datagram::unspecified;
use crate::udp::system;

/// The path to a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// The path MTU, if the operating system reports it.
    pub(super) mtu: Option<usize>,
    /// Whether the path stays within this machine.
    pub(super) is_local: bool,
}

impl Path {
    /// Looks the path up with a socket of its own; `connect` on a UDP socket sends nothing.
    pub(super) fn to(peer: SocketAddr) -> Self {
        let probe = std::net::UdpSocket::bind(unspecified(&peer, 0))
            .and_then(|probe| probe.connect(peer).map(|()| probe));
        // Without a route nothing is known about the path. The later send call gives the error that the user should
        // see.
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
