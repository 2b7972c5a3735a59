//! Linux: batches in both directions, destination addresses, kernel times, drop counts and ICMP errors as control
//! messages (udp(7), ip(7), ipv6(7), socket(7)), and a fine timer. All through nix, which has safe wrappers for each.

mod errors;
mod neighbour;
mod receive;
mod timer;
mod transmit;
mod watch;

pub(crate) use errors::{
    NetworkError, error_reported, is_of_an_answer, is_own_firewall, is_queue_full, network_errors,
    report_errors, reports_errors_unconnected,
};
pub(crate) use neighbour::neighbour;
pub(crate) use receive::{BatchReceiver, plain_drops};
pub(crate) use timer::{TIMER_GRAIN, Timer};
pub(crate) use transmit::{BatchTransmitter, answer};
pub(crate) use watch::InterfaceWatch;

use std::fs;
use std::io;
use std::net::Ipv4Addr;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{InterfaceIndexOrAddress, Socket};

use crate::udp::adapter::{self, Named};
use crate::udp::error::Error;
use crate::udp::receive::{Clock, ReceiveOptions};

/// Whether a socket on a wildcard address learns which address a datagram was sent to.
pub(crate) const TELLS_DESTINATION: bool = true;

/// How to get a larger buffer, for a warning.
pub(crate) const RECEIVE_BUFFER_LIMIT: &str = "net.core.rmem_max";
/// The setting that limits send buffers.
pub(crate) const SEND_BUFFER_LIMIT: &str = "net.core.wmem_max";

pub(crate) fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// What [`bind_to_interface`] sets.
pub(crate) fn bound_interface(_is_v4: bool) -> &'static str {
    "SO_BINDTODEVICE"
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

/// The interface that IPv4 groups leave by: by index, as two may have one address and one may have none (ip(7)).
#[expect(clippy::unnecessary_wraps, reason = "other systems need an address")]
pub(crate) fn set_multicast_if_v4(
    socket: &Socket,
    interface: &Named,
    source: Option<Ipv4Addr>,
) -> Result<io::Result<()>, Error> {
    let source = source.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let (none, index) = (Ipv4Addr::UNSPECIFIED, interface.index);
    Ok(
        rustix::net::sockopt::set_ip_multicast_if_with_ifindex(socket, &none, &source, index)
            .map_err(io::Error::from),
    )
}

/// How an IPv4 group's interface is named: by index, as one without an address has no other (ip(7)).
pub(crate) fn membership(index: u32) -> InterfaceIndexOrAddress {
    InterfaceIndexOrAddress::Index(index)
}

/// Every interface, with an address or without (netdevice(7)).
pub(crate) fn interfaces() -> Vec<Named> {
    let Ok(found) = nix::net::if_::if_nameindex() else {
        return Vec::new();
    };
    found
        .iter()
        .map(|interface| Named {
            name: interface.name().to_string_lossy().into_owned(),
            index: interface.index(),
        })
        .collect()
}

/// Whether a group can be joined on an interface without an address in its family.
pub(crate) const JOINS_WITHOUT_ADDRESS: bool = true;

/// Whether a failed join says that the interface has no part in the protocol: IPv6 is switched off there.
pub(crate) fn has_no_groups(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::ENODEV)
}

/// What to do about a failed join of one of `wanted` groups and interfaces.
pub(crate) fn join_limit(is_v4: bool, error: &io::Error) -> &'static str {
    // The limit on memberships per socket (net/ipv4/igmp.c).
    if is_v4 && error.raw_os_error() == Some(nix::libc::ENOBUFS) {
        "net.ipv4.igmp_max_memberships"
    } else {
        "none"
    }
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
    let interface = adapter::all()
        .into_iter()
        .find(|interface| interface.ip() == local.ip())?;
    fs::read_to_string(format!("/sys/class/net/{}/mtu", interface.name))
        .ok()?
        .trim()
        .parse()
        .ok()
}
