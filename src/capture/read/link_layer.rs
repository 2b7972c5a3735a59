//! A captured packet -> the UDP datagram in it: link layer, VLAN tags, IPv4 (RFC 791) or IPv6 (RFC 8200), UDP (RFC 768).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::capture::read::SkippedPackets;
use crate::capture::read::fragments::{DatagramId, Fragment, Fragments};
use crate::capture::read::pcap::Packet;

/// Link types (<https://www.tcpdump.org/linktypes.html>).
const NULL: u16 = 0;
const ETHERNET: u16 = 1;
// `DLT_RAW` has another number on OpenBSD than elsewhere, and old programs wrote it in place of `LINKTYPE_RAW`.
const RAW_OF_BSD: [u16; 2] = [12, 14];
const RAW: u16 = 101;
const LOOP: u16 = 108;
const LINUX_SLL: u16 = 113;
const IPV4: u16 = 228;
const IPV6: u16 = 229;
const LINUX_SLL2: u16 = 276;

/// `EtherType` values.
const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;
// IEEE 802.1Q and 802.1ad, and two that switches used for nested tags before 802.1ad.
const TYPES_OF_TAGS: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];

/// The most VLAN tags, and the most extension headers, of a packet.
const MAX_NESTED: usize = 16;

/// IP protocol numbers.
const UDP: u8 = 17;
const FRAGMENT: u8 = 44; // An extension header in IPv6; IPv4 has the fragment in its own header.

/// Why a packet has no datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SkipReason {
    /// The packet is of another protocol.
    NotUdp,
    /// A header contradicts itself, or ends too early.
    Damaged,
    /// The packet has a link type that udpcli cannot read.
    UnknownLink,
}

/// An IP packet.
#[derive(Debug)]
struct Ip<'a> {
    /// The sender.
    from: IpAddr,
    /// The receiver.
    to: IpAddr,
    /// The transport protocol.
    protocol: u8,
    /// The offset of this fragment in the payload, and whether more follow; `None` for a whole packet.
    part: Option<(u32, usize, bool)>,
    /// What follows the headers.
    payload: &'a [u8],
    /// Whether the packet ends before its length.
    is_short: bool,
}

/// Whether udpcli can read packets of this link type.
pub(super) fn is_known(link: u16) -> bool {
    RAW_OF_BSD.contains(&link)
        || [NULL, ETHERNET, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2].contains(&link)
}

/// Finds the datagram of a packet: its payload goes into `payload`, and the result is its sender and its port. Without
/// one, the packet is counted as left out, or kept as a fragment.
pub(super) fn packet(
    packet: &Packet,
    fragments: &mut Fragments,
    payload: &mut Vec<u8>,
    left_out: &mut SkippedPackets,
) -> Option<(SocketAddr, u16)> {
    let found = find(packet, fragments, payload, left_out);
    found.unwrap_or_else(|reason| {
        match reason {
            // If the packet was truncated, more than its payload may be missing.
            SkipReason::Damaged if packet.is_cut => left_out.cut += 1,
            SkipReason::Damaged => left_out.damaged += 1,
            SkipReason::NotUdp => left_out.not_udp += 1,
            SkipReason::UnknownLink => left_out.unknown_link += 1,
        }
        None
    })
}

/// As [`packet`], with the reason why there is no datagram; `None` for a fragment that waits for others.
fn find(
    packet: &Packet,
    fragments: &mut Fragments,
    payload: &mut Vec<u8>,
    left_out: &mut SkippedPackets,
) -> Result<Option<(SocketAddr, u16)>, SkipReason> {
    let ip = ip(network(packet)?)?;
    let (from, to) = (ip.from, ip.to);
    let Some((id, offset, more)) = ip.part else {
        if ip.protocol != UDP {
            return Err(SkipReason::NotUdp);
        }
        if ip.is_short {
            return Err(SkipReason::Damaged);
        }
        let (from_port, to_port, bytes) = udp(ip.payload)?;
        payload.clear();
        payload.extend_from_slice(bytes);
        return Ok(Some((SocketAddr::new(from, from_port), to_port)));
    };
    // A fragment with a wrong length would make the whole datagram wrong, without any sign of it.
    if ip.is_short {
        return Err(SkipReason::Damaged);
    }
    let key = DatagramId {
        from,
        to,
        id,
        interface: packet.interface,
    };
    let fragment = Fragment {
        offset,
        more,
        protocol: ip.protocol,
        bytes: ip.payload,
        time: packet.time,
    };
    let (whole, dropped) = fragments.add(key, &fragment);
    left_out.fragments += dropped;
    let Some((protocol, whole)) = whole else {
        return Ok(None);
    };
    // The first fragment of an IPv6 packet may begin with more extension headers.
    let (protocol, part, bytes) = extensions(protocol, &whole)?;
    if protocol != UDP || part.is_some() {
        return Err(SkipReason::NotUdp);
    }
    let (from_port, to_port, bytes) = udp(bytes)?;
    payload.clear();
    payload.extend_from_slice(bytes);
    Ok(Some((SocketAddr::new(from, from_port), to_port)))
}

/// A number in network byte order.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The IP packet in a frame.
fn network(packet: &Packet) -> Result<&[u8], SkipReason> {
    let bytes = packet.bytes.as_slice();
    let after = |len| bytes.get(len..).ok_or(SkipReason::Damaged);
    let kind_at = |at| u16_at(bytes, at).ok_or(SkipReason::Damaged);
    match packet.link.ok_or(SkipReason::UnknownLink)? {
        RAW | IPV4 | IPV6 => Ok(bytes),
        link if RAW_OF_BSD.contains(&link) => Ok(bytes),
        ETHERNET => tagged(kind_at(12)?, after(14)?),
        LINUX_SLL => tagged(kind_at(14)?, after(16)?),
        LINUX_SLL2 => tagged(kind_at(0)?, after(20)?),
        NULL | LOOP => {
            // The address family, in the byte order of the machine that captured; its value for IPv6 differs.
            let family = bytes.first_chunk::<4>().ok_or(SkipReason::Damaged)?;
            let family = u32::from_be_bytes(*family);
            // Use the smaller value of the two byte orders, because all families are small numbers: 2 is IPv4, the
            // others are IPv6 on Linux, NetBSD and OpenBSD, FreeBSD, and macOS.
            match family.min(family.swap_bytes()) {
                2 | 10 | 24 | 28 | 30 => after(4),
                _ => Err(SkipReason::NotUdp),
            }
        }
        _ => Err(SkipReason::UnknownLink),
    }
}

/// The packet after the VLAN tags, if it is IP.
fn tagged(mut kind: u16, mut bytes: &[u8]) -> Result<&[u8], SkipReason> {
    for _ in 0..MAX_NESTED {
        if !TYPES_OF_TAGS.contains(&kind) {
            break;
        }
        kind = u16_at(bytes, 2).ok_or(SkipReason::Damaged)?;
        bytes = bytes.get(4..).ok_or(SkipReason::Damaged)?;
    }
    match kind {
        TYPE_IPV4 | TYPE_IPV6 => Ok(bytes),
        _ => Err(SkipReason::NotUdp),
    }
}

/// Reads an IP packet, whose version is in its first four bits.
fn ip(bytes: &[u8]) -> Result<Ip<'_>, SkipReason> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => ipv4(bytes),
        Some(6) => ipv6(bytes),
        _ => Err(SkipReason::Damaged),
    }
}

/// Reads an IPv4 packet that carries UDP.
fn ipv4(bytes: &[u8]) -> Result<Ip<'_>, SkipReason> {
    let header: &[u8; 20] = bytes.first_chunk().ok_or(SkipReason::Damaged)?;
    let [first, _, _, _, id_high, id_low, _, _, _, protocol, ..] = *header;
    let header_len = usize::from(first & 0xf) * 4;
    let total = usize::from(u16_at(header, 2).unwrap_or_default());
    // Network cards that split packets leave 0 here.
    let total = if total == 0 { bytes.len() } else { total };
    if header_len < 20 || total < header_len {
        return Err(SkipReason::Damaged);
    }
    // The bytes after the packet in a frame are padding.
    let is_short = bytes.len() < total;
    let bytes = bytes.get(..total).unwrap_or(bytes);
    let address = |at: usize| {
        let octets: Option<&[u8; 4]> = header.get(at..).and_then(|rest| rest.first_chunk());
        octets.map_or(Ipv4Addr::UNSPECIFIED, |octets| Ipv4Addr::from(*octets))
    };
    let flags = u16_at(header, 6).unwrap_or_default();
    let offset = usize::from(flags & 0x1fff) * 8;
    let more = flags & 0x2000 != 0;
    let id = u32::from(u16::from_be_bytes([id_high, id_low]));
    // Check this before keeping the fragment: the fragments of a large TCP or ICMP packet would fill the memory.
    if protocol != UDP {
        return Err(SkipReason::NotUdp);
    }
    Ok(Ip {
        from: address(12).into(),
        to: address(16).into(),
        protocol,
        part: (offset > 0 || more).then_some((id, offset, more)),
        payload: bytes.get(header_len..).ok_or(SkipReason::Damaged)?,
        is_short,
    })
}

/// Reads an IPv6 packet.
fn ipv6(bytes: &[u8]) -> Result<Ip<'_>, SkipReason> {
    let (header, rest) = bytes.split_first_chunk::<40>().ok_or(SkipReason::Damaged)?;
    let next = *header.get(6).unwrap_or(&0);
    let len = usize::from(u16_at(header, 4).unwrap_or_default());
    // 0 as in IPv4, or a jumbogram.
    let len = if len == 0 { rest.len() } else { len };
    let is_short = rest.len() < len;
    let address = |at: usize| {
        let octets: Option<&[u8; 16]> = header.get(at..).and_then(|rest| rest.first_chunk());
        octets.map_or(Ipv6Addr::UNSPECIFIED, |octets| Ipv6Addr::from(*octets))
    };
    let (protocol, part, payload) = extensions(next, rest.get(..len).unwrap_or(rest))?;
    Ok(Ip {
        from: address(8).into(),
        to: address(24).into(),
        protocol,
        part,
        payload,
        is_short,
    })
}

/// A protocol, the place of a fragment, and the payload after the headers.
type AfterExtensions<'a> = (u8, Option<(u32, usize, bool)>, &'a [u8]);

/// Passes over the extension headers of IPv6, up to the transport header or into a fragment.
fn extensions(mut next: u8, mut bytes: &[u8]) -> Result<AfterExtensions<'_>, SkipReason> {
    for _ in 0..MAX_NESTED {
        let [following, len, ..] = *bytes else {
            break;
        };
        let unit = usize::from(len);
        let skipped = match next {
            // Hop-by-hop options, routing, destination options.
            0 | 43 | 60 => (unit + 1) * 8,
            // Authentication header (RFC 4302).
            51 => (unit + 2) * 4,
            FRAGMENT => {
                let place = u16_at(bytes, 2).ok_or(SkipReason::Damaged)?;
                let (offset, more) = (usize::from(place & 0xfff8), place & 1 != 0);
                let id: &[u8; 4] = bytes
                    .get(4..)
                    .and_then(|rest| rest.first_chunk())
                    .ok_or(SkipReason::Damaged)?;
                let rest = bytes.get(8..).ok_or(SkipReason::Damaged)?;
                if offset > 0 || more {
                    return Ok((
                        following,
                        Some((u32::from_be_bytes(*id), offset, more)),
                        rest,
                    ));
                }
                8
            }
            _ => break,
        };
        next = following;
        bytes = bytes.get(skipped..).ok_or(SkipReason::Damaged)?;
    }
    Ok((next, None, bytes))
}

/// The ports and the payload.
fn udp(bytes: &[u8]) -> Result<(u16, u16, &[u8]), SkipReason> {
    let field = |at| u16_at(bytes, at).ok_or(SkipReason::Damaged);
    let (from, to, len) = (field(0)?, field(2)?, usize::from(field(4)?));
    // A jumbogram has 0 here.
    let len = if len == 0 { bytes.len() } else { len };
    let payload = bytes.get(8..len).ok_or(SkipReason::Damaged)?;
    Ok((from, to, payload))
}
