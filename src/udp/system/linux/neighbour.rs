//! Looks up a host in the kernel's neighbour table: rtnetlink(7), `RTM_GETNEIGH`.

use std::net::IpAddr;
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike as _};

use crate::udp::Neighbour;

/// The lengths of a message header (`nlmsghdr`), and of the fixed part of a neighbour message (`ndmsg`).
const HEADER: usize = 16;
const NEIGHBOUR: usize = 12;

/// `RTM_NEWNEIGH`, `RTM_GETNEIGH`, `NLMSG_DONE`; `NLM_F_REQUEST | NLM_F_DUMP`; `NDA_DST` (rtnetlink.h, neighbour.h).
const NEW_NEIGHBOUR: u16 = 28;
const GET_NEIGHBOUR: u16 = 30;
const DONE: u16 = 3;
const DUMP: u16 = 0x301;
const DESTINATION: u16 = 1;

/// States of an entry (neighbour.h). Incomplete: requests are unanswered so far. Reachable: confirmed recently. Failed:
/// the kernel gave up.
const INCOMPLETE: u16 = 0x1;
const REACHABLE: u16 = 0x2;
const FAILED: u16 = 0x20;

/// Looks `address` up in the neighbour table; `None` if it has no entry, as for a host behind a router.
pub(crate) fn neighbour(address: IpAddr) -> Option<Neighbour> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )
    .ok()?;
    // The kernel replies immediately; the timeout is a safeguard.
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(1)).ok()?;
    // `AF_INET` and `AF_INET6`.
    let family: u8 = if address.is_ipv4() { 2 } else { 10 };
    let len = u32::try_from(HEADER + NEIGHBOUR).ok()?;
    let mut request = Vec::with_capacity(HEADER + NEIGHBOUR);
    request.extend(len.to_ne_bytes());
    request.extend(GET_NEIGHBOUR.to_ne_bytes());
    request.extend(DUMP.to_ne_bytes());
    // Sequence number and sender: one request on a socket of its own needs neither.
    request.extend([0; 8]);
    request.push(family);
    request.resize(HEADER + NEIGHBOUR, 0);
    let kernel = NetlinkAddr::new(0, 0);
    sendto(socket.as_raw_fd(), &request, &kernel, MsgFlags::empty()).ok()?;
    // The kernel makes the parts of a dump as long as the buffer, up to 32 KiB (`netlink_recvmsg`,
    // net/netlink/af_netlink.c).
    let mut buffer = vec![0; 32 << 10];
    loop {
        let len = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()).ok()?;
        let mut rest = buffer.get(..len)?;
        while !rest.is_empty() {
            let (kind, body, after) = message(rest)?;
            match kind {
                NEW_NEIGHBOUR => {
                    if let Some((state, index)) = entry(body, address) {
                        return meaning(state, index);
                    }
                }
                DONE => return None,
                _ => {}
            }
            rest = after;
        }
    }
}

/// Splits off the first message: its type, its body, and the remaining bytes.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let len = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let body = bytes.get(HEADER..len)?;
    let after = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, body, after))
}

/// The state and interface index of an entry, if it belongs to this address.
fn entry(body: &[u8], address: IpAddr) -> Option<(u16, u32)> {
    let index = u32::from_ne_bytes(*body.get(4..)?.first_chunk()?);
    let state = u16::from_ne_bytes(*body.get(8..)?.first_chunk()?);
    let mut rest = body.get(NEIGHBOUR..)?;
    while let Some(len) = rest.first_chunk() {
        let len = usize::from(u16::from_ne_bytes(*len));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        // A length below 4, the attribute's own header, is malformed; without this check the loop might not advance.
        let value = rest.get(4..len)?;
        let is_it = match address {
            IpAddr::V4(address) => value == address.octets(),
            IpAddr::V6(address) => value == address.octets(),
        };
        if kind == DESTINATION && is_it {
            return Some((state, index));
        }
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

/// Translates a state.
fn meaning(state: u16, index: u32) -> Option<Neighbour> {
    match state {
        INCOMPLETE | FAILED => Some(Neighbour::Silent {
            interface: super::interfaces()
                .into_iter()
                .find(|named| named.index == index)
                .map(|named| named.name)
                .unwrap_or_default(),
        }),
        REACHABLE => Some(Neighbour::Present),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_entry_is_found_by_its_address() {
        // Recorded from a kernel: ndmsg, NDA_DST, NDA_LLADDR.
        let body = [
            &[2, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 1][..],
            &[8, 0, 1, 0, 10, 77, 1, 2],
            &[10, 0, 2, 0, 1, 2, 3, 4, 5, 6, 0, 0],
        ]
        .concat();
        if cfg!(target_endian = "little") {
            let found = entry(&body, "10.77.1.2".parse().unwrap());
            assert_eq!(found, Some((REACHABLE, 7)));
            assert_eq!(entry(&body, "10.77.1.3".parse().unwrap()), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_or_loop(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = entry(&bytes, "::1".parse().unwrap());
            let mut rest = bytes.as_slice();
            while let Some((_, _, after)) = message(rest) {
                prop_assert!(after.len() < rest.len());
                rest = after;
            }
        }
    }
}
