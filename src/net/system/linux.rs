//! Linux: recvmmsg(2), sendmmsg(2), UDP GSO and GRO (udp(7)), destination addresses and kernel times as control
//! messages (ip(7), ipv6(7), socket(7)), timerfd(2). All through nix, which has safe wrappers for each.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::time::Instant;

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage,
    recvmmsg, recvmsg, sendmmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use socket2::Socket;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UdpSocket;

use crate::net::batch::{Clock, Drops, Outbox, ReceiveOptions, SLOT, canonical};
use crate::net::{Addressed, Datagram, MAX_PAYLOAD_V4, Timestamp, interface};

/// How to get a larger buffer, for a warning.
pub(crate) const BUFFER_HINT_RECV: &str =
    "; an administrator raises the limit with: sysctl net.core.rmem_max";
/// How to get a larger buffer, for a warning.
pub(crate) const BUFFER_HINT_SEND: &str =
    "; an administrator raises the limit with: sysctl net.core.wmem_max";

/// Buffers of one receive call. With GRO each can hold up to 64 datagrams.
const RECEIVE_SLOTS: usize = 32;

/// Buffers offered when traffic is slow.
const LEAST_SLOTS: usize = 4;

/// Datagrams of one send call where their lengths differ.
const SEND_SLOTS: usize = 64;

/// Segments that the kernel cuts one buffer into at most: `UDP_MAX_SEGMENTS` of Linux 4.18 (128 from 6.9 on).
const MAX_SEGMENTS: usize = 64;

/// Shorter runs go as datagrams of their own: on loopback the kernel answers a segmented buffer with one ICMP error,
/// and who sends a few wants to hear of each.
const LEAST_SEGMENTS: usize = 4;

pub(crate) fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

pub(crate) fn bind_to_interface(
    socket: &Socket,
    name: &str,
    _index: u32,
    _is_v4: bool,
) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

pub(crate) fn set_traffic_class_v6(socket: &Socket, class: u8) -> io::Result<()> {
    socket.set_tclass_v6(u32::from(class))
}

/// Linux reports twice what was asked, for its own bookkeeping (socket(7)).
pub(crate) fn usable_buffer(reported: usize) -> usize {
    reported / 2
}

/// Asks for each datagram's destination, the kernel's time and its count of drops, and for runs of datagrams in one
/// buffer (GRO).
pub(crate) fn prepare_receive(socket: &Socket, is_v4: bool, options: &ReceiveOptions) {
    let tell = |what: &str, result: nix::Result<()>| {
        if let Err(error) = result {
            tracing::debug!("the kernel gives no {what}: {error}");
        }
    };
    // IPv4 peers of an IPv6 wildcard need the IPv4 option too: only it tells broadcast addresses.
    tell(
        "destinations",
        setsockopt(socket, sockopt::Ipv4PacketInfo, &true),
    );
    if !is_v4 {
        tell(
            "destinations",
            setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true),
        );
    }
    if options.clock == Clock::Kernel {
        tell(
            "times",
            setsockopt(socket, sockopt::ReceiveTimestampns, &true),
        );
    }
    tell("count of drops", setsockopt(socket, sockopt::RxqOvfl, &1));
    if options.batching {
        tell(
            "runs of datagrams",
            setsockopt(socket, sockopt::UdpGroSegment, &true),
        );
    }
}

/// Without this Linux hands a socket every group that any program here has joined (`IP_MULTICAST_ALL`).
pub(crate) fn only_joined_groups(socket: &Socket, is_v4: bool) {
    let result = if is_v4 {
        socket.set_multicast_all_v4(false)
    } else {
        socket.set_multicast_all_v6(false)
    };
    if let Err(error) = result {
        tracing::debug!("cannot leave out groups that others joined: {error}");
    }
}

/// The size of IP packet that reaches the connected peer whole, as far as the kernel knows.
pub(crate) fn path_mtu(socket: &std::net::UdpSocket) -> Option<usize> {
    // The IPv6 twin of this option has no wrapper; the interface's own MTU stands in.
    let local = socket.local_addr().ok()?;
    if local.is_ipv4() {
        return nix::sys::socket::getsockopt(socket, sockopt::IpMtu)
            .ok()
            .and_then(|mtu| usize::try_from(mtu).ok());
    }
    let interface = interface::all()
        .into_iter()
        .find(|interface| interface.ip() == local.ip())?;
    fs::read_to_string(format!("/sys/class/net/{}/mtu", interface.name))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Buffers that the kernel dropped at this socket for want of room: the last column of /proc/net/udp (proc(5)).
fn dropped_buffers(socket: &UdpSocket) -> Option<u64> {
    let inode = fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd()))
        .ok()?
        .ino();
    let table = if socket.local_addr().ok()?.is_ipv4() {
        "/proc/self/net/udp"
    } else {
        "/proc/self/net/udp6"
    };
    let table = fs::read_to_string(table).ok()?;
    let row = table
        .lines()
        .map(str::split_ascii_whitespace)
        .find(|row| row.clone().nth(9).and_then(|field| field.parse().ok()) == Some(inode));
    row?.last()?.parse().ok()
}

/// Without GRO a buffer is a datagram.
pub(crate) fn plain_drops(socket: &UdpSocket) -> Option<Drops> {
    Some(Drops {
        count: dropped_buffers(socket)?,
        is_estimate: false,
    })
}

/// Receives with recvmmsg and GRO.
#[derive(Debug)]
pub(crate) struct BatchReceiver {
    buffer: Box<[u8]>,
    clock: Clock,
    /// Buffers to offer next time: as many as were filled, and room for more.
    wanted: usize,
    /// One entry a socket.
    drops: Vec<(RawFd, DropCount)>,
}

/// Follows the kernel's count of dropped buffers (`SO_RXQ_OVFL`).
#[derive(Debug, Clone, Copy, Default)]
struct DropCount {
    /// What the kernel said last.
    buffers: u32,
    /// Datagrams those held, about.
    datagrams: u64,
    /// Datagrams in the last buffer that came.
    last_segments: u64,
    is_estimate: bool,
}

impl DropCount {
    /// A buffer of `segments` datagrams came; so many were dropped before it.
    fn follow(&mut self, buffers: Option<u32>, segments: usize) {
        let segments = segments as u64;
        if let Some(buffers) = buffers {
            let more = u64::from(buffers.wrapping_sub(self.buffers));
            self.buffers = buffers;
            self.add(more, segments);
        }
        self.last_segments = segments;
    }

    fn add(&mut self, buffers: u64, segments: u64) {
        self.datagrams += buffers * segments;
        self.is_estimate |= buffers > 0 && segments > 1;
    }
}

impl BatchReceiver {
    #[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
    pub(crate) fn new(options: &ReceiveOptions) -> Option<Self> {
        let slots = if options.batching { RECEIVE_SLOTS } else { 1 };
        Some(Self {
            buffer: vec![0; slots * SLOT].into_boxed_slice(),
            clock: options.clock,
            wanted: LEAST_SLOTS,
            drops: Vec::new(),
        })
    }

    /// What the kernel dropped at this socket until now.
    pub(crate) fn drops(&self, socket: &UdpSocket) -> Option<Drops> {
        let buffers = dropped_buffers(socket)?;
        let known = self.drops.iter().find(|(fd, _)| *fd == socket.as_raw_fd());
        let mut count = known.map(|(_, count)| *count).unwrap_or_default();
        // What was dropped after the last one that came.
        count.add(
            buffers.saturating_sub(u64::from(count.buffers)),
            count.last_segments.max(1),
        );
        Some(Drops {
            count: count.datagrams,
            is_estimate: count.is_estimate,
        })
    }

    pub(crate) fn receive(
        &mut self,
        socket: &UdpSocket,
        local: SocketAddr,
        limit: usize,
        mut each: impl FnMut(Datagram<'_>),
    ) -> io::Result<usize> {
        let clock = self.clock;
        // Headers are made anew for each call: for one datagram at a time, few of them.
        let slots = limit.clamp(1, self.wanted.min(self.buffer.len() / SLOT));
        let mut buffers: Vec<[IoSliceMut<'_>; 1]> = self
            .buffer
            .chunks_exact_mut(SLOT)
            .take(slots)
            .map(|slot| [IoSliceMut::new(slot)])
            .collect();
        // Made anew for each call: recvmmsg shortens the control buffers it used, and nix does not put them back.
        let control = nix::cmsg_space!(
            TimeSpec,
            nix::libc::in6_pktinfo,
            nix::libc::in_pktinfo,
            nix::libc::c_int,
            u32
        );
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slots, Some(control));
        let messages = socket.try_io(Interest::READABLE, || {
            recvmmsg(
                socket.as_raw_fd(),
                &mut headers,
                buffers.iter_mut(),
                MsgFlags::MSG_DONTWAIT,
                None,
            )
            .map_err(io::Error::from)
        })?;
        let drops = drops_of(&mut self.drops, socket.as_raw_fd());
        let mut now = None;
        let mut count = 0;
        let mut filled = 0;
        for message in messages {
            filled += 1;
            let Some(peer) = message.address.as_ref().and_then(socket_address) else {
                continue;
            };
            let control = Control::read(&message);
            let time = match control.time {
                Some(time) if clock == Clock::Kernel => time,
                _ => *now.get_or_insert_with(Timestamp::now),
            };
            let bytes = message.iovs().next().unwrap_or_default();
            let destination = control.destination.unwrap_or_else(|| local.ip());
            let template = Datagram {
                payload: bytes,
                peer: canonical(peer),
                local: canonical(SocketAddr::new(destination, local.port())),
                addressed: control.addressed,
                time,
                full_len: bytes.len(),
            };
            match control.segment {
                Some(segment) if segment < bytes.len() => {
                    drops.follow(control.drops, bytes.len().div_ceil(segment));
                    for payload in bytes.chunks(segment) {
                        count += 1;
                        each(Datagram {
                            payload,
                            full_len: payload.len(),
                            ..template
                        });
                    }
                }
                _ => {
                    drops.follow(control.drops, 1);
                    count += 1;
                    each(template);
                }
            }
        }
        self.wanted = (filled * 2).clamp(LEAST_SLOTS, RECEIVE_SLOTS);
        Ok(count)
    }
}

fn drops_of(drops: &mut Vec<(RawFd, DropCount)>, socket: RawFd) -> &mut DropCount {
    let index = drops
        .iter()
        .position(|(known, _)| *known == socket)
        .unwrap_or_else(|| {
            drops.push((socket, DropCount::default()));
            drops.len() - 1
        });
    #[expect(
        clippy::indexing_slicing,
        reason = "the index was found or made just now"
    )]
    &mut drops[index].1
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    address
        .as_sockaddr_in6()
        .map(|v6| SocketAddrV6::from(*v6).into())
}

/// What the control messages of one datagram say.
struct Control {
    destination: Option<IpAddr>,
    addressed: Addressed,
    time: Option<Timestamp>,
    /// With GRO: the length of each datagram in the buffer but the last.
    segment: Option<usize>,
    /// Buffers dropped so far; the kernel says it once there is one.
    drops: Option<u32>,
}

impl Control {
    fn read(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Self {
        let mut control = Self {
            destination: None,
            addressed: Addressed::Unknown,
            time: None,
            segment: None,
            drops: None,
        };
        let Ok(messages) = message.cmsgs() else {
            return control;
        };
        for message in messages {
            match message {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    // The header's destination is our own address unless it is a group or a broadcast address.
                    let unicast = info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr;
                    control.addressed = if unicast {
                        Addressed::Unicast
                    } else {
                        Addressed::Group
                    };
                    control.destination =
                        Some(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()).into());
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    let group = address.is_multicast()
                        || address
                            .to_ipv4_mapped()
                            .is_some_and(|v4| v4.is_multicast() || v4.is_broadcast());
                    control.addressed = if group {
                        Addressed::Group
                    } else {
                        Addressed::Unicast
                    };
                    control.destination = Some(address.into());
                }
                ControlMessageOwned::ScmTimestampns(time) => {
                    control.time = Some(Timestamp::from_parts(time.tv_sec(), time.tv_nsec()));
                }
                ControlMessageOwned::UdpGroSegments(segment) => {
                    control.segment = usize::try_from(segment).ok().filter(|&segment| segment > 0);
                }
                ControlMessageOwned::RxqOvfl(drops) => control.drops = Some(drops),
                _ => {}
            }
        }
        control
    }
}

/// Sends with sendmmsg, and runs of one length with GSO: the kernel cuts one buffer into datagrams.
#[derive(Debug)]
pub(crate) struct BatchTransmitter {
    /// Otherwise one datagram a call.
    batching: bool,
    /// The longest payload that may be a GSO segment: one that fits the path's MTU. 0 switches GSO off.
    longest_segment: usize,
    /// `UDP_SEGMENT` as the socket has it now.
    segment: usize,
}

impl BatchTransmitter {
    #[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
    pub(crate) fn new(batching: bool) -> Option<Self> {
        Some(Self {
            batching,
            longest_segment: 0,
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
            let run = outbox.run_len(first, limit.min(MAX_SEGMENTS).min(MAX_PAYLOAD_V4 / len));
            if run >= LEAST_SEGMENTS {
                match self.send_run(socket, outbox, first, run, len, peer) {
                    // Old kernels, odd devices and tunnels refuse segmentation in these ways: go on without.
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
                        tracing::debug!("the kernel refuses to segment ({error}): sending without");
                        self.longest_segment = 0;
                    }
                    result => return result.map(|()| run),
                }
            }
        }
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

    fn send_run(
        &mut self,
        socket: &UdpSocket,
        outbox: &Outbox,
        first: usize,
        run: usize,
        len: usize,
        peer: Option<SocketAddr>,
    ) -> io::Result<()> {
        self.set_segment(socket, len)?;
        send_one(socket, outbox.span(first, run), peer)
    }

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

fn send_one(socket: &UdpSocket, payload: &[u8], peer: Option<SocketAddr>) -> io::Result<()> {
    match peer {
        None => socket.try_send(payload),
        Some(peer) => socket.try_send_to(payload, peer),
    }
    .map(drop)
}

/// What the network reports of a datagram that went.
#[derive(Debug)]
pub(crate) enum NetworkError {
    /// ICMP port unreachable: nothing listens there.
    Refused,
    /// A router cannot pass so long a packet whole.
    TooBig { mtu: u32 },
    /// The host or its network cannot be reached; `by` is who says so, if not this machine itself.
    Unreachable {
        error: io::Error,
        by: Option<IpAddr>,
    },
}

/// With `IP_RECVERR` errors reach unconnected sockets as well.
pub(crate) fn reports_errors_unconnected() -> bool {
    true
}

/// Asks for ICMP errors and for drops in the device's queue (`IP_RECVERR`, ip(7)).
pub(crate) fn report_errors(socket: &UdpSocket, is_v4: bool) {
    let result = if is_v4 {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)
    };
    if let Err(error) = result {
        tracing::debug!("the kernel does not report network errors: {error}");
    }
}

/// Empties the socket's error queue: what the network said of datagrams that went. `error` is what a call returned, as
/// a sign that something may be there.
pub(crate) fn network_errors(socket: &UdpSocket, error: Option<&io::Error>) -> Vec<NetworkError> {
    let mut reports = Vec::new();
    let mut payload = [0; 64];
    loop {
        let mut control = nix::cmsg_space!(
            nix::libc::sock_extended_err,
            nix::libc::sockaddr_in6,
            TimeSpec,
            nix::libc::in6_pktinfo,
            nix::libc::in_pktinfo
        );
        let mut buffers = [IoSliceMut::new(&mut payload)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let Ok(message) =
            recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut buffers, Some(&mut control), flags)
        else {
            break;
        };
        let Ok(messages) = message.cmsgs() else {
            continue;
        };
        for message in messages {
            let (report, by) = match message {
                ControlMessageOwned::Ipv4RecvErr(report, by) => (
                    report,
                    by.map(|by| IpAddr::from(Ipv4Addr::from(by.sin_addr.s_addr.to_ne_bytes()))),
                ),
                ControlMessageOwned::Ipv6RecvErr(report, by) => {
                    (report, by.map(|by| IpAddr::from(by.sin6_addr.s6_addr)))
                }
                _ => continue,
            };
            let errno = i32::try_from(report.ee_errno).unwrap_or(0);
            match errno {
                nix::libc::ECONNREFUSED => reports.push(NetworkError::Refused),
                nix::libc::EMSGSIZE => reports.push(NetworkError::TooBig {
                    mtu: report.ee_info,
                }),
                _ => {
                    // Where no neighbour answers, it is this machine that says so.
                    let by = by.filter(|by| {
                        !by.is_unspecified()
                            && report.ee_origin != nix::libc::SO_EE_ORIGIN_LOCAL
                            && !interface::own_addresses().contains(by)
                    });
                    reports.push(NetworkError::Unreachable {
                        error: io::Error::from_raw_os_error(errno),
                        by,
                    });
                }
            }
        }
    }
    // Tells tokio that what it saw is dealt with.
    let _: io::Result<()> =
        socket.try_io(Interest::ERROR, || Err(io::ErrorKind::WouldBlock.into()));
    // The same error stands in SO_ERROR, and the next call would return it once more.
    if reports.is_empty() {
        if error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            reports.push(NetworkError::Refused);
        }
    } else if error.is_none() {
        drop(crate::net::socket::take_error(socket));
    }
    reports
}

/// Resolves when the network reported an error.
pub(crate) async fn error_reported(socket: &UdpSocket) {
    if socket.ready(Interest::ERROR).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The device's queue is full, for now.
pub(crate) fn is_queue_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::ENOBUFS)
}

/// Sends one answer from the address that the question came to, where the socket has several.
pub(crate) fn answer_from(
    socket: &UdpSocket,
    payload: &[u8],
    peer: SocketAddr,
    from: Option<IpAddr>,
) -> io::Result<()> {
    let socket_is_v4 = socket.local_addr().is_ok_and(|local| local.is_ipv4());
    let address = SockaddrStorage::from(for_socket(peer, socket_is_v4));
    let v4_info;
    let v6_info;
    let control = match from {
        Some(IpAddr::V4(from)) if socket_is_v4 => {
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
    socket.try_io(Interest::WRITABLE, || {
        nix::sys::socket::sendmsg(
            socket.as_raw_fd(),
            &[IoSlice::new(payload)],
            control.as_slice(),
            MsgFlags::MSG_DONTWAIT,
            Some(&address),
        )
        .map_err(io::Error::from)
    })?;
    Ok(())
}

/// The peer as the socket's family writes it.
fn for_socket(peer: SocketAddr, socket_is_v4: bool) -> SocketAddr {
    match peer {
        SocketAddr::V4(v4) if !socket_is_v4 => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
        _ => peer,
    }
}

/// A timer exact to some tens of microseconds, where tokio's is exact to a millisecond. Made at the first wait.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    timer: Option<AsyncFd<Handle>>,
}

#[derive(Debug)]
struct Handle(TimerFd);

impl AsRawFd for Handle {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Timer {
    /// Resolves at `deadline`. May be dropped and asked again.
    pub(crate) async fn until(&mut self, deadline: Instant) -> io::Result<()> {
        let wait = deadline.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Ok(());
        }
        let timer = match &mut self.timer {
            Some(timer) => timer,
            none => none.insert(Self::make()?),
        };
        timer.get_ref().0.set(
            Expiration::OneShot(TimeSpec::from_duration(wait)),
            TimerSetTimeFlags::empty(),
        )?;
        loop {
            let mut ready = timer.readable().await?;
            ready.clear_ready();
            // An expiry from before may have been left: the clock decides.
            if Instant::now() >= deadline {
                return Ok(());
            }
        }
    }

    fn make() -> io::Result<AsyncFd<Handle>> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for handles that lend their descriptor; ours owns it"
        )]
        AsyncFd::with_interest(Handle(timer), Interest::READABLE)
    }
}
