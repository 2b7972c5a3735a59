//! Windows, macOS and other systems: plain calls, one datagram each. What these systems do not report (a datagram's
//! destination on a wildcard address, kernel timestamps, drop counts, the path MTU) is missing.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{InterfaceIndexOrAddress, Socket};
use tokio::net::UdpSocket;

use crate::datagram::run::Run;
use crate::udp::Neighbour;
use crate::udp::adapter::{self, NamedInterface};
use crate::udp::error::Error;
use crate::udp::outbox::Outbox;
use crate::udp::receive::{Drops, ReceiveOptions};

/// Whether a socket on a wildcard address learns the destination address of each datagram.
pub(crate) const TELLS_DESTINATION: bool = false;

/// The setting that limits receive buffers, for a warning.
pub(crate) const RECEIVE_BUFFER_LIMIT: &str = "none";
/// The setting that limits send buffers, for a warning.
pub(crate) const SEND_BUFFER_LIMIT: &str = "none";

/// The error for an option that this system does not have.
#[cfg(not(target_vendor = "apple"))] // macOS has all that is asked for here
fn lacking(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("this system has no {what}"),
    )
}

/// Sets `SO_REUSEPORT`.
#[cfg(unix)]
pub(crate) fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
pub(crate) fn reuse_port(_: &Socket) -> io::Result<()> {
    Err(lacking("SO_REUSEPORT; --reuse-addr is what it has"))
}

/// The name of the socket option that [`bind_to_interface`] sets or lacks: macOS has no `SO_BINDTODEVICE`.
pub(crate) fn bound_interface(is_v4: bool) -> &'static str {
    match (cfg!(target_vendor = "apple"), is_v4) {
        (true, true) => "IP_BOUND_IF",
        (true, false) => "IPV6_BOUND_IF",
        (false, _) => "SO_BINDTODEVICE",
    }
}

#[cfg(target_vendor = "apple")]
pub(crate) fn bind_to_interface(
    socket: &Socket,
    _name: &str,
    index: u32,
    is_v4: bool,
) -> io::Result<()> {
    let index = std::num::NonZeroU32::new(index);
    if is_v4 {
        socket.bind_device_by_index_v4(index)
    } else {
        socket.bind_device_by_index_v6(index)
    }
}

#[cfg(not(target_vendor = "apple"))]
pub(crate) fn bind_to_interface(
    _: &Socket,
    _name: &str,
    _index: u32,
    _is_v4: bool,
) -> io::Result<()> {
    Err(lacking(
        "way to bind a socket to an interface; --bind with the interface's address is the nearest",
    ))
}

#[cfg(unix)]
pub(crate) fn set_traffic_class_v6(socket: &Socket, class: u8) -> io::Result<()> {
    socket.set_tclass_v6(u32::from(class))
}

#[cfg(not(unix))]
pub(crate) fn set_traffic_class_v6(_: &Socket, _: u8) -> io::Result<()> {
    Err(lacking("way to set the IPv6 traffic class"))
}

/// Sets the outgoing interface for IPv4 multicast, by its address, which every system accepts.
pub(crate) fn set_multicast_if_v4(
    socket: &Socket,
    interface: &NamedInterface,
    source: Option<Ipv4Addr>,
) -> Result<io::Result<()>, Error> {
    let address = source.or_else(|| v4_of(interface.index));
    let address = address.ok_or_else(|| Error::NoInterfaceAddress {
        name: interface.name.clone(),
        family: "IPv4",
    })?;
    Ok(socket.set_multicast_if_v4(&address))
}

/// An IPv4 address of the interface with this index.
fn v4_of(index: u32) -> Option<Ipv4Addr> {
    let all = adapter::all();
    all.iter().find_map(|interface| match interface.ip() {
        IpAddr::V4(address) if interface.index == Some(index) => Some(address),
        _ => None,
    })
}

/// How to name the interface in an IPv4 join: by its address, which every system accepts.
pub(crate) fn membership(index: u32) -> InterfaceIndexOrAddress {
    v4_of(index).map_or(
        InterfaceIndexOrAddress::Index(index),
        InterfaceIndexOrAddress::Address,
    )
}

/// The interfaces that have an address; the others are not listed here.
pub(crate) fn interfaces() -> Vec<NamedInterface> {
    let mut found: Vec<NamedInterface> = Vec::new();
    for interface in adapter::all() {
        if let Some(index) = interface.index
            // There is an entry for each address, and here one for each interface is wanted.
            && found.iter().all(|known| known.index != index)
        {
            found.push(NamedInterface {
                name: interface.name,
                index,
            });
        }
    }
    found
}

/// Whether a socket can join a group on an interface that has no address of that family.
pub(crate) const JOINS_WITHOUT_ADDRESS: bool = false;

/// Whether a join failed because the interface does not support the protocol.
pub(crate) fn has_no_groups(_: &io::Error) -> bool {
    false
}

/// The setting to raise after a failed join; none is known here.
pub(crate) fn join_limit(_is_v4: bool, _: &io::Error) -> &'static str {
    "none"
}

/// The interval at which to poll the interfaces for changes.
const LOOK: Duration = Duration::from_secs(2);

/// Detects changes by polling: compares the addresses with those of the previous poll.
#[derive(Debug)]
pub(crate) struct InterfaceWatch {
    /// The interfaces and addresses of the last poll, sorted.
    known: Vec<(Option<u32>, IpAddr)>,
    /// When to poll again.
    next: Instant,
}

impl InterfaceWatch {
    #[expect(clippy::unnecessary_wraps, reason = "Linux asks the kernel")]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            known: Self::look(),
            next: Instant::now() + LOOK,
        })
    }

    /// Resolves when something changed. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        loop {
            tokio::time::sleep_until(self.next.into()).await;
            self.next = Instant::now() + LOOK;
            let found = Self::look();
            if found != self.known {
                self.known = found;
                return;
            }
        }
    }

    fn look() -> Vec<(Option<u32>, IpAddr)> {
        let mut found: Vec<_> = adapter::all()
            .iter()
            .map(|interface| (interface.index, interface.ip()))
            .collect();
        // Some systems change the order from call to call.
        found.sort_unstable();
        found
    }
}

/// The neighbour table is not supported here.
pub(crate) fn neighbour(_: IpAddr) -> Option<Neighbour> {
    None
}

/// The systems other than Linux report the size that was granted.
pub(crate) fn usable_buffer(reported: usize) -> usize {
    reported
}

/// No control messages here.
pub(crate) fn prepare_receive(_: &Socket, _is_v4: bool, _: &ReceiveOptions) {}

/// Only Linux has `IP_MULTICAST_ALL`.
pub(crate) fn only_joined_groups(_: &Socket, _is_v4: bool) {}

/// Not reported here.
pub(crate) fn path_mtu(_: &std::net::UdpSocket) -> Option<usize> {
    None
}

/// Not reported here.
pub(crate) fn plain_drops(_: &UdpSocket) -> Option<Drops> {
    None
}

/// A placeholder that cannot be constructed: there is no batching here.
#[derive(Debug)]
pub(crate) struct BatchReceiver(Infallible);

impl BatchReceiver {
    pub(crate) fn new(_: &ReceiveOptions) -> Option<Self> {
        None
    }

    pub(crate) fn drops(&self, _: &UdpSocket) -> Option<Drops> {
        match self.0 {}
    }

    pub(crate) fn receive(
        &mut self,
        _: &UdpSocket,
        _: SocketAddr,
        _: usize,
        _: impl FnMut(Run<'_>),
    ) -> io::Result<usize> {
        match self.0 {}
    }
}

/// A placeholder that cannot be constructed: there is no batching here.
#[derive(Debug)]
pub(crate) struct BatchTransmitter(Infallible);

impl BatchTransmitter {
    pub(crate) fn new(_batching: bool) -> Option<Self> {
        None
    }

    pub(crate) fn set_longest_segment(&mut self, _: usize) {
        match self.0 {}
    }

    pub(crate) fn send(
        &mut self,
        _: &UdpSocket,
        _: &Outbox,
        _: usize,
        _: usize,
        _: Option<SocketAddr>,
    ) -> io::Result<usize> {
        match self.0 {}
    }
}

/// An error that the network reported for a sent datagram.
#[derive(Debug)]
pub(crate) enum NetworkError {
    /// ICMP port unreachable: no program listens on that port.
    Refused,
    /// A firewall rejected the datagram.
    #[expect(dead_code, reason = "only some systems tell")]
    Rejected { by: Option<IpAddr> },
    /// The packet is longer than the path MTU.
    #[expect(dead_code, reason = "only some systems tell")]
    TooBig { mtu: u32 },
    /// The host or its network is unreachable.
    #[expect(dead_code, reason = "only some systems tell")]
    Unreachable {
        error: io::Error,
        by: Option<IpAddr>,
    },
}

/// Windows reports ICMP errors to unconnected sockets too (WSAECONNRESET); the BSDs do not.
pub(crate) fn reports_errors_unconnected() -> bool {
    cfg!(windows)
}

/// Nothing to enable here.
pub(crate) fn report_errors(_: &UdpSocket, _is_v4: bool) {}

/// Reads the pending error. Windows reports a refusal as `ConnectionReset`, other systems as `ConnectionRefused`.
pub(crate) fn network_errors(
    socket: &UdpSocket,
    error: Option<&io::Error>,
    _most: usize,
    _is_own: &mut dyn FnMut(IpAddr) -> bool,
) -> Vec<NetworkError> {
    let is_refusal = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
        )
    };
    let refused = match error {
        Some(error) => is_refusal(error),
        None => crate::udp::system::take_error(socket).is_some_and(|error| is_refusal(&error)),
    };
    if refused {
        vec![NetworkError::Refused]
    } else {
        Vec::new()
    }
}

/// Cannot be detected here.
pub(crate) fn is_own_firewall(_: &io::Error) -> bool {
    false
}

/// Resolves when the network reports an error; never here, because errors arrive only with the next call.
pub(crate) async fn error_reported(_: &UdpSocket) {
    std::future::pending::<()>().await;
}

/// Whether a receive error is an ICMP error for an earlier answer and not a problem of the socket. Windows reports a
/// port unreachable (WSAECONNRESET) and an exceeded hop limit (WSAENETRESET) this way (recvfrom, learn.microsoft.com).
pub(crate) fn is_of_an_answer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    ) || (cfg!(windows) && error.raw_os_error() == Some(10052))
}

/// Whether the device queue is full at the moment: `ENOBUFS` (55 on the BSDs), `WSAENOBUFS`.
pub(crate) fn is_queue_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(if cfg!(windows) { 10055 } else { 55 })
}

/// Sends one answer; the operating system chooses its source address.
pub(crate) fn answer(
    socket: &UdpSocket,
    socket_is_v4: bool,
    outbox: &Outbox,
    to: &[(SocketAddr, Option<IpAddr>)],
    first: usize,
) -> io::Result<usize> {
    let Some((peer, _)) = to.get(first) else {
        return Ok(1);
    };
    let peer = match peer {
        // An IPv6 socket for both families takes an IPv4 address only in its mapped form (RFC 3493, section 3.7).
        SocketAddr::V4(v4) if !socket_is_v4 => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
        _ => *peer,
    };
    socket.try_send_to(outbox.payload(first), peer).map(|_| 1)
}

/// The usual maximum lateness of a wake-up: tokio's timer has a resolution of 1 ms, the Windows clock ticks 64 times
/// per second.
pub(crate) const TIMER_GRAIN: Duration = Duration::from_millis(if cfg!(windows) { 16 } else { 2 });

/// tokio's timer. The struct has braces so that `Timer::default()` compiles here as on Linux, where it has a field.
#[derive(Debug, Default)]
pub(crate) struct Timer {}

impl Timer {
    /// Resolves at `deadline`. Cancel safe.
    pub(crate) async fn until(&mut self, deadline: Instant) -> io::Result<()> {
        tokio::time::sleep_until(deadline.into()).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
