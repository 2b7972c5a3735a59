//! Receives with recvmmsg(2) and GRO: many buffers per call, many datagrams per buffer, with control messages per
//! buffer.

use std::fs;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::MetadataExt as _;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg, recvmsg,
};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::datagram::run::Run;
use crate::datagram::{Addressed, Timestamp};
use crate::udp::receive::{Drops, ReceiveOptions, SLOT, TimeSource, canonical};

/// The maximum number of buffers per receive call. With GRO each can hold as many datagrams as one GSO send, 64 or 128.
const RECEIVE_SLOTS: usize = 32;

/// The number of buffers per call while traffic is slow.
const LEAST_SLOTS: usize = 4;

/// How many buffers the kernel dropped because this socket's receive buffer was full: the last column of /proc/net/udp
/// (proc(5)).
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

/// The drop count without GRO, where each buffer is one datagram.
pub(crate) fn plain_drops(socket: &UdpSocket) -> Option<Drops> {
    Some(Drops {
        count: dropped_buffers(socket)?,
        is_estimate: false,
    })
}

/// Receives with recvmmsg and GRO.
#[derive(Debug)]
pub(crate) struct BatchReceiver {
    /// One slot per buffer of a call.
    buffer: Box<[u8]>,
    /// Where arrival times come from.
    clock: TimeSource,
    /// The number of buffers for the next call: twice as many as were filled last time.
    wanted: usize,
    /// Buffers filled since the socket was last empty.
    burst: usize,
    /// Whether datagrams arrive one at a time: the last burst was a single buffer.
    is_sparse: bool,
    /// The control messages of a single buffer.
    control: Vec<u8>,
    /// One entry per socket.
    drops: Vec<(RawFd, DropCount)>,
}

/// Tracks the kernel's count of dropped buffers (`SO_RXQ_OVFL`), and estimates the number of datagrams.
#[derive(Debug, Clone, Copy, Default)]
struct DropCount {
    /// The kernel's most recent count.
    buffers: u32,
    /// The estimated number of datagrams in those buffers.
    datagrams: u64,
    /// Datagrams in the last received buffer.
    last_segments: u64,
    /// Whether a dropped buffer may have held more than one datagram.
    is_estimate: bool,
}

impl DropCount {
    /// Accounts for a received buffer of `segments` datagrams; `buffers` is the kernel's drop count at that point.
    fn follow(&mut self, buffers: Option<u32>, segments: usize) {
        let segments = segments as u64;
        if let Some(buffers) = buffers {
            // The kernel's counter has 32 bits and wraps.
            let more = u64::from(buffers.wrapping_sub(self.buffers));
            self.buffers = buffers;
            self.add(more, segments);
        }
        self.last_segments = segments;
    }

    /// Counts dropped buffers, each as `segments` datagrams.
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
            burst: 0,
            is_sparse: true,
            control: vec![0; control_space().capacity()],
            drops: Vec::new(),
        })
    }

    /// What the kernel has dropped at this socket until now.
    pub(crate) fn drops(&self, socket: &UdpSocket) -> Option<Drops> {
        let buffers = dropped_buffers(socket)?;
        let known = self.drops.iter().find(|(fd, _)| *fd == socket.as_raw_fd());
        let mut count = known.map(|(_, count)| *count).unwrap_or_default();
        // Add the drops since the last received buffer.
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
        each: impl FnMut(Run<'_>),
    ) -> io::Result<usize> {
        // The headers for many buffers take longer to make than a call that finds nothing. Two single calls in a row
        // show that there is more.
        let result = if self.is_sparse && self.burst < 2 {
            self.receive_one(socket, local, each)
        } else {
            self.receive_many(socket, local, limit, each)
        };
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::WouldBlock
        {
            self.end_burst();
        }
        result
    }

    /// The socket is empty.
    fn end_burst(&mut self) {
        if self.burst > 0 {
            self.is_sparse = self.burst == 1;
            self.burst = 0;
        }
    }

    /// Receives one buffer, without an allocation.
    fn receive_one(
        &mut self,
        socket: &UdpSocket,
        local: SocketAddr,
        mut each: impl FnMut(Run<'_>),
    ) -> io::Result<usize> {
        let slot = self.buffer.get_mut(..SLOT).unwrap_or_default();
        let mut buffers = [IoSliceMut::new(slot)];
        let message = socket.try_io(Interest::READABLE, || {
            recvmsg::<SockaddrStorage>(
                socket.as_raw_fd(),
                &mut buffers,
                Some(&mut self.control),
                MsgFlags::MSG_DONTWAIT,
            )
            .map_err(io::Error::from)
        })?;
        self.burst += 1;
        let mut clock = BatchClock::new(self.clock);
        let drops = drops_of(&mut self.drops, socket.as_raw_fd());
        let Some(run) = run_of(&message, local, &mut clock, drops) else {
            return Ok(0);
        };
        let count = run.len();
        each(run);
        Ok(count)
    }

    /// Receives many buffers.
    fn receive_many(
        &mut self,
        socket: &UdpSocket,
        local: SocketAddr,
        limit: usize,
        mut each: impl FnMut(Run<'_>),
    ) -> io::Result<usize> {
        let mut clock = BatchClock::new(self.clock);
        // Each call allocates new headers, so keep their number small while traffic is slow.
        let slots = limit.clamp(1, self.wanted.min(self.buffer.len() / SLOT));
        let mut buffers: Vec<[IoSliceMut<'_>; 1]> = self
            .buffer
            .chunks_exact_mut(SLOT)
            .take(slots)
            .map(|slot| [IoSliceMut::new(slot)])
            .collect();
        // Not reusable: recvmmsg sets the control buffers' lengths to what it used, and nix does not reset them.
        let control = Some(control_space());
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slots, control);
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
        let mut count = 0;
        let mut filled = 0;
        for message in messages {
            filled += 1;
            if let Some(run) = run_of(&message, local, &mut clock, drops) {
                count += run.len();
                each(run);
            }
        }
        self.burst += filled;
        self.wanted = (filled * 2).clamp(LEAST_SLOTS, RECEIVE_SLOTS);
        if filled < slots {
            // Fewer datagrams than buffers: the queue is empty. Clear tokio's readiness, which saves a call that would
            // return EAGAIN. epoll is edge-triggered, so the next datagram sets the readiness again.
            let _: io::Result<()> =
                socket.try_io(Interest::READABLE, || Err(io::ErrorKind::WouldBlock.into()));
            self.end_burst();
        }
        Ok(count)
    }
}

/// Room for the control messages of one buffer.
fn control_space() -> Vec<u8> {
    nix::cmsg_space!(
        TimeSpec,
        nix::libc::in6_pktinfo,
        nix::libc::in_pktinfo,
        nix::libc::c_int,
        u32
    )
}

/// The arrival times of the buffers of one call.
struct BatchClock {
    source: TimeSource,
    /// This machine's time after the call, if a buffer needed it.
    now: Option<Timestamp>,
}

impl BatchClock {
    fn new(source: TimeSource) -> Self {
        Self { source, now: None }
    }

    /// When a buffer arrived that has the kernel's time `kernel`.
    fn arrival(&mut self, kernel: Option<Timestamp>) -> Timestamp {
        match kernel {
            Some(time) if self.source == TimeSource::Kernel => time,
            _ => *self.now.get_or_insert_with(Timestamp::now),
        }
    }
}

/// The datagrams of one buffer; `None` if their sender is unknown.
fn run_of<'a>(
    message: &RecvMsg<'_, 'a, SockaddrStorage>,
    local: SocketAddr,
    clock: &mut BatchClock,
    drops: &mut DropCount,
) -> Option<Run<'a>> {
    let peer = message.address.as_ref().and_then(socket_address)?;
    let control = Control::read(message);
    let bytes = message.iovs().next().unwrap_or_default();
    let destination = control.destination.unwrap_or_else(|| local.ip());
    let run = Run::single(
        bytes,
        canonical(peer),
        canonical(SocketAddr::new(destination, local.port())),
        control.addressed,
        clock.arrival(control.time),
    )
    .segmented(control.segment.unwrap_or(0));
    drops.follow(control.drops, run.len());
    Some(run)
}

/// The entry of a socket. A list and not a map: there are few sockets.
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

/// The address in Rust's type; `None` for another family.
pub(super) fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    address
        .as_sockaddr_in6()
        .map(|v6| SocketAddrV6::from(*v6).into())
}

/// The parsed control messages of one buffer.
struct Control {
    /// The destination of the datagrams.
    destination: Option<IpAddr>,
    /// Whether only this machine was addressed.
    addressed: Addressed,
    /// When the kernel received the buffer.
    time: Option<Timestamp>,
    /// With GRO: the length of each datagram in the buffer except the last.
    segment: Option<usize>,
    /// Buffers dropped so far; the kernel includes the count after the first drop.
    drops: Option<u32>,
}

impl Control {
    /// Reads the control messages of one buffer; values that the kernel did not send stay unknown.
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
                    // For unicast the destination in the header equals the local address; for a group or a broadcast
                    // address they differ.
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
