//! The IP packet that a capture keeps of a datagram.

use std::net::{IpAddr, SocketAddr};

use etherparse::PacketBuilder;

use crate::datagram::Datagram;

/// The TTL in the synthesised headers; the real one is unknown.
const MADE_UP_TTL: u8 = 64;

/// Appends a synthesised IP packet that carries the datagram.
pub(super) fn append_packet(datagram: &Datagram<'_>, whole: &mut Vec<u8>, packet: &mut Vec<u8>) {
    let (from, to) = same_family(datagram.peer, datagram.local);
    let builder = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            PacketBuilder::ipv4(from.octets(), to.octets(), MADE_UP_TTL)
        }
        (from, to) => PacketBuilder::ipv6(v6(from), v6(to), MADE_UP_TTL),
    };
    // `write` below fails only for a payload that is too long for a datagram, and a received one is not.
    let payload = if datagram.is_truncated() {
        whole.clear();
        whole.extend_from_slice(datagram.payload);
        whole.resize(datagram.full_len, 0);
        whole
    } else {
        datagram.payload
    };
    let _ = builder.udp(from.port(), to.port()).write(packet, payload);
}

/// The octets of an IPv6 address; an IPv4 one is mapped.
fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// If the destination is unknown (a wildcard address), uses the wildcard address of the sender's family, because both
/// addresses of a packet must have the same family.
fn same_family(peer: SocketAddr, local: SocketAddr) -> (SocketAddr, SocketAddr) {
    if peer.is_ipv4() == local.is_ipv4() || !local.ip().is_unspecified() {
        return (peer, local);
    }
    (peer, crate::datagram::unspecified(&peer, local.port()))
}
