//! Sends with sendmmsg(2), and datagrams of equal length with GSO; sends answers from the address that the datagram was
//! sent to.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg, sendmsg, setsockopt, sockopt,
};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::udp::MAX_PAYLOAD_V4;
use crate::udp::outbox::{MOST_AT_ONCE, Outbox};

/// The maximum number of datagrams per sendmmsg call.
const SEND_SLOTS: usize = 64;

/// The number of segments per buffer that every kernel with GSO supports: `UDP_MAX_SEGMENTS` of Linux 4.18.
const SURE_SEGMENTS: usize = 64;

/// Do not use GSO for fewer datagrams than this: on loopback the kernel reports one ICMP error per GSO buffer, and a
/// user who sends a few datagrams wants an error for each.
const LEAST_SEGMENTS: usize = 4;

/// Sends with sendmmsg, and datagrams of equal length with GSO, where the kernel splits one buffer into datagrams.
#[derive(Debug)]
pub(crate) struct BatchTransmitter {
    /// Whether to batch; otherwise one datagram per call.
    batching: bool,
    /// The longest payload that may be a GSO segment: it must fit the path MTU. 0 disables GSO.
    longest_segment: usize,
    /// The maximum number of segments per buffer.
    most_segments: usize,
    /// The current value of the socket's `UDP_SEGMENT` option.
    segment: usize,
}

impl BatchTransmitter {
    #[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
    pub(crate) fn new(batching: bool) -> Option<Self> {
        Some(Self {
            batching,
            longest_segment: 0,
            most_segments: MOST_AT_ONCE,
            segment: 0,
        })
    }

    pub(crate) fn set_longest_segment(&mut self, len: usize) {
        self.longest_segment = len;
    }

    pub(crate) fn send(
        &mut self,
        socket: &UdpSocket,
        outbox: &Outbox,
        first: usize,
        limit: usize,
        peer: Option<SocketAddr>,
    ) -> io::Result<usize> {
        let len = outbox.payload(first).len();
        if self.batching && len > 0 && len <= self.longest_segment {
            // All segments together must fit in one IP packet's length field: the kernel splits them only at the end.
            let most = limit.min(self.most_segments).min(MAX_PAYLOAD_V4 / len);
            let mut run = outbox.run_len(first, most);
            while run >= LEAST_SEGMENTS {
                match self.send_run(socket, outbox, first..first + run, peer) {
                    // Old kernels, some devices and tunnels reject GSO with these errors: fall back to sending without
                    // it.
                    Err(error)
                        if matches!(
                            error.raw_os_error(),
                            Some(
                                nix::libc::EINVAL
                                    | nix::libc::EIO
                                    | nix::libc::EMSGSIZE
                                    | nix::libc::ENOPROTOOPT
                                    | nix::libc::EOPNOTSUPP
                            )
                        ) =>
                    {
                        if run > SURE_SEGMENTS {
                            self.most_segments = SURE_SEGMENTS;
                            run = SURE_SEGMENTS;
                            continue;
                        }
                        tracing::debug!("the kernel refuses to segment ({error}): sending without");
                        self.longest_segment = 0;
                        break;
                    }
                    result => return result.map(|()| run),
                }
            }
        }
        // With the option still set, the kernel would split these datagrams too.
        self.set_segment(socket, 0)?;
        let count = (outbox.len() - first).min(limit).min(SEND_SLOTS);
        if count <= 1 || !self.batching {
            send_one(socket, outbox.payload(first), peer)?;
            return Ok(1);
        }
        let slices: Vec<[IoSlice<'_>; 1]> = (first..first + count)
            .map(|index| [IoSlice::new(outbox.payload(index))])
            .collect();
        let addresses = vec![peer.map(SockaddrStorage::from); count];
        let mut headers = MultiHeaders::preallocate(count, None);
        socket.try_io(Interest::WRITABLE, || {
            let sent = sendmmsg(
                socket.as_raw_fd(),
                &mut headers,
                slices.iter(),
                &addresses,
                [],
                MsgFlags::MSG_DONTWAIT,
            )?;
            Ok(sent.count())
        })
    }

    /// Sends datagrams of equal length as one buffer.
    fn send_run(
        &mut self,
        socket: &UdpSocket,
        outbox: &Outbox,
        run: Range<usize>,
        peer: Option<SocketAddr>,
    ) -> io::Result<()> {
        self.set_segment(socket, outbox.payload(run.start).len())?;
        send_one(socket, outbox.span(run.start, run.len()), peer)
    }

    /// Sets the length of segments; 0 disables GSO. A system call only if the length changes.
    fn set_segment(&mut self, socket: &UdpSocket, len: usize) -> io::Result<()> {
        if self.segment != len {
            setsockopt(
                socket,
                sockopt::UdpGsoSegment,
                &i32::try_from(len).unwrap_or(0),
            )?;
            self.segment = len;
        }
        Ok(())
    }
}

/// One send call.
fn send_one(socket: &UdpSocket, payload: &[u8], peer: Option<SocketAddr>) -> io::Result<()> {
    match peer {
        None => socket.try_send(payload),
        Some(peer) => socket.try_send_to(payload, peer),
    }
    .map(drop)
}

/// Sends answers from `first` on with one system call, up to the first with another source address; returns how many
/// were sent. `to` has each answer's peer and, on a wildcard socket, the source address to use.
pub(crate) fn answer(
    socket: &UdpSocket,
    socket_is_v4: bool,
    outbox: &Outbox,
    to: &[(SocketAddr, Option<IpAddr>)],
    first: usize,
) -> io::Result<usize> {
    let rest = to.get(first..).unwrap_or_default();
    let from = rest.first().and_then(|(_, from)| *from);
    let run = rest
        .iter()
        .take(SEND_SLOTS)
        .take_while(|(_, other)| *other == from)
        .count();
    let v4_info;
    let v6_info;
    let control = match from {
        Some(IpAddr::V4(from)) if socket_is_v4 => {
            // Interface 0 leaves the route to the kernel; only the source address is fixed (ip(7)).
            v4_info = nix::libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: nix::libc::in_addr {
                    s_addr: u32::from_ne_bytes(from.octets()),
                },
                ipi_addr: nix::libc::in_addr { s_addr: 0 },
            };
            Some(ControlMessage::Ipv4PacketInfo(&v4_info))
        }
        Some(from) if !socket_is_v4 => {
            let from = match from {
                IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                IpAddr::V6(v6) => v6,
            };
            v6_info = nix::libc::in6_pktinfo {
                ipi6_addr: nix::libc::in6_addr {
                    s6_addr: from.octets(),
                },
                ipi6_ifindex: 0,
            };
            Some(ControlMessage::Ipv6PacketInfo(&v6_info))
        }
        _ => None,
    };
    let address = |index: usize| {
        let (peer, _) = rest.get(index)?;
        Some(SockaddrStorage::from(for_socket(*peer, socket_is_v4)))
    };
    if run <= 1 {
        let payload = [IoSlice::new(outbox.payload(first))];
        let address = address(0);
        socket.try_io(Interest::WRITABLE, || {
            let flags = MsgFlags::MSG_DONTWAIT;
            sendmsg(
                socket.as_raw_fd(),
                &payload,
                control.as_slice(),
                flags,
                address.as_ref(),
            )
            .map_err(io::Error::from)
        })?;
        return Ok(1);
    }
    let slices: Vec<[IoSlice<'_>; 1]> = (first..first + run)
        .map(|index| [IoSlice::new(outbox.payload(index))])
        .collect();
    let addresses: Vec<Option<SockaddrStorage>> = (0..run).map(address).collect();
    // The space must fit exactly: the kernel would parse trailing bytes as another control message.
    let space = match &control {
        Some(ControlMessage::Ipv4PacketInfo(_)) => Some(nix::cmsg_space!(nix::libc::in_pktinfo)),
        Some(_) => Some(nix::cmsg_space!(nix::libc::in6_pktinfo)),
        None => None,
    };
    let mut headers = MultiHeaders::preallocate(run, space);
    socket.try_io(Interest::WRITABLE, || {
        let flags = MsgFlags::MSG_DONTWAIT;
        let sent = sendmmsg(
            socket.as_raw_fd(),
            &mut headers,
            slices.iter(),
            &addresses,
            control.as_slice(),
            flags,
        )?;
        Ok(sent.count())
    })
}

/// The peer's address in the socket's family: an IPv6 socket needs an IPv4-mapped address for an IPv4 peer.
fn for_socket(peer: SocketAddr, socket_is_v4: bool) -> SocketAddr {
    match peer {
        SocketAddr::V4(v4) if !socket_is_v4 => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
        _ => peer,
    }
}
