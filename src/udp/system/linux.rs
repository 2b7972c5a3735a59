//! Linux: batches in both directions; destination addresses, kernel timestamps, drop counts and ICMP errors from
//! control messages (udp(7), ip(7), ipv6(7), socket(7)); and a precise timer. nix has safe wrappers for most of this.

mod errors;
mod interface_watch;
mod neighbour;
mod receive;
mod timer;
mod transmit;

pub(crate) use errors::{
    NetworkError, error_reported, is_of_an_answer, is_own_firewall, is_queue_full, network_errors,
    report_errors, reports_errors_unconnected,
};
pub(crate) use interface_watch::InterfaceWatch;
pub(crate) use neighbour::neighbour;
pub(crate) use receive::{BatchReceiver, plain_drops};
pub(crate) use timer::{TIMER_GRAIN, Timer};
pub(crate) use transmit::{BatchTransmitter, answer};

use std::io;
use std::net::Ipv4Addr;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{InterfaceIndexOrAddress, Socket};

use crate::udp::adapter::{self, NamedInterface};
use crate::udp::error::Error;
use crate::udp::receive::{ReceiveOptions, TimeSource};

/// Whether a socket on a wildcard address learns the destination address of each datagram.
pub(crate) const TELLS_DESTINATION: bool = true;

/// The setting that limits receive buffers, for a warning.
pub(crate) const RECEIVE_BUFFER_LIMIT: &str = "net.core.rmem_max";
/// The setting that limits send buffers, for a warning.
pub(crate) const SEND_BUFFER_LIMIT: &str = "net.core.wmem_max";

/// Sets `SO_REUSEPORT`.
pub(crate) fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// The name of the socket option that [`bind_to_interface`] sets.
pub(crate) fn bound_interface(_is_v4: bool) -> &'static str {
    "SO_BINDTODEVICE"
}

/// Receives and sends through this interface only; since Linux 5.7 this needs no privilege.
pub(crate) fn bind_to_interface(
    socket: &Socket,
    name: &str,
    _index: u32,
    _is_v4: bool,
) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

/// Sets `IPV6_TCLASS`.
pub(crate) fn set_traffic_class_v6(socket: &Socket, class: u8) -> io::Result<()> {
    socket.set_tclass_v6(u32::from(class))
}

/// Sets the outgoing interface for IPv4 multicast, by index, because two interfaces may have the same address and some
/// have none (ip(7)).
#[expect(clippy::unnecessary_wraps, reason = "other systems need an address")]
pub(crate) fn set_multicast_if_v4(
    socket: &Socket,
    interface: &NamedInterface,
    source: Option<Ipv4Addr>,
) -> Result<io::Result<()>, Error> {
    let source = source.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let (none, index) = (Ipv4Addr::UNSPECIFIED, interface.index);
    Ok(
        rustix::net::sockopt::set_ip_multicast_if_with_ifindex(socket, &none, &source, index)
            .map_err(io::Error::from),
    )
}

/// How to name the interface in an IPv4 join: by index, because an interface may have no address (ip(7)).
pub(crate) fn membership(index: u32) -> InterfaceIndexOrAddress {
    InterfaceIndexOrAddress::Index(index)
}

/// Every interface, with or without an address (netdevice(7)).
pub(crate) fn interfaces() -> Vec<NamedInterface> {
    let Ok(found) = nix::net::if_::if_nameindex() else {
        return Vec::new();
    };
    found
        .iter()
        .map(|interface| NamedInterface {
            name: interface.name().to_string_lossy().into_owned(),
            index: interface.index(),
        })
        .collect()
}

/// Whether a socket can join a group on an interface that has no address of that family.
pub(crate) const JOINS_WITHOUT_ADDRESS: bool = true;

/// Whether a join failed because the interface does not support the protocol, for example with IPv6 disabled.
pub(crate) fn has_no_groups(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::ENODEV)
}

/// The setting to raise after a failed join; selects the hint in the message.
pub(crate) fn join_limit(is_v4: bool, error: &io::Error) -> &'static str {
    // ENOBUFS means that the socket has reached its limit of memberships (net/ipv4/igmp.c).
    if is_v4 && error.raw_os_error() == Some(nix::libc::ENOBUFS) {
        "net.ipv4.igmp_max_memberships"
    } else {
        "none"
    }
}

/// Linux doubles the requested size to allow for bookkeeping overhead, and reports the doubled value (socket(7)).
pub(crate) fn usable_buffer(reported: usize) -> usize {
    reported / 2
}

/// Enables control messages with each datagram's destination, the kernel's timestamp and drop count, and enables GRO.
pub(crate) fn prepare_receive(socket: &Socket, is_v4: bool, options: &ReceiveOptions) {
    let tell = |what: &str, result: nix::Result<()>| {
        if let Err(error) = result {
            // Not an error: a kernel without this option still receives; the output only has less detail.
            tracing::debug!("the kernel gives no {what}: {error}");
        }
    };
    // A dual-stack socket needs the IPv4 option too: only it shows whether the destination was a broadcast address.
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
    if options.clock == TimeSource::Kernel {
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

/// Disables `IP_MULTICAST_ALL`, with which Linux delivers datagrams of every group that any program on this machine has
/// joined.
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

/// The path MTU to the connected peer, as far as the kernel knows.
pub(crate) fn path_mtu(socket: &std::net::UdpSocket) -> Option<usize> {
    // There is no safe wrapper for `IPV6_MTU`, so use the interface's MTU for IPv6.
    let local = socket.local_addr().ok()?;
    if local.is_ipv4() {
        return nix::sys::socket::getsockopt(socket, sockopt::IpMtu)
            .ok()
            .and_then(|mtu| usize::try_from(mtu).ok());
    }
    let interface = adapter::all()
        .into_iter()
        .find(|interface| interface.ip() == local.ip())?;
    adapter::mtu(&interface.name)
}
