//! This machine's network interfaces: names, addresses, broadcast addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use if_addrs::{IfAddr, IfOperStatus, Interface};

use crate::udp::adapter::{NamedInterface, all};
use crate::udp::error::Error;
use crate::udp::system;

/// Every address of this machine, loopback among them.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    all().iter().map(Interface::ip).collect()
}

/// How long [`RecentAddresses`] caches the address list.
const RECENT: Duration = Duration::from_secs(1);

/// A cache of this machine's addresses, refreshed at most once per second: each query costs a dozen system calls.
#[derive(Debug, Default)]
pub(crate) struct RecentAddresses {
    /// When the list was read, and the addresses.
    read: Option<(Instant, Vec<IpAddr>)>,
}

impl RecentAddresses {
    /// Whether this machine has `address`.
    pub(crate) fn contains(&mut self, address: IpAddr) -> bool {
        let now = Instant::now();
        if !matches!(&self.read, Some((at, _)) if now < *at + RECENT) {
            self.read = Some((now, own_addresses()));
        }
        matches!(&self.read, Some((_, addresses)) if addresses.contains(&address))
    }
}

/// Whether our own socket at `local` sent this datagram: it can come back through a broadcast, a multicast group or a
/// send to our own address. Another program on this machine has a different port.
#[must_use]
pub(crate) fn is_ourselves(peer: SocketAddr, local: SocketAddr) -> bool {
    peer.port() == local.port()
        && (peer.ip() == local.ip()
            || peer.ip().is_loopback()
            || own_addresses().contains(&peer.ip()))
}

/// The IPv4 addresses under which other devices on the network can reach this PC, each with its interface's name. The
/// interface of the default route comes first, as a board is most likely on that network.
#[must_use]
pub(crate) fn reachable_v4() -> Vec<(Ipv4Addr, String)> {
    let mut found: Vec<(Ipv4Addr, String)> = Vec::new();
    for interface in all() {
        if let IpAddr::V4(address) = interface.ip()
            && !address.is_loopback()
            && is_running(&interface)
        {
            found.push((address, interface.name));
        }
    }
    if found.len() > 1 {
        let default = facing_default_route();
        found.sort_by_key(|(address, name)| {
            (
                // A machine assigns itself a 169.254/16 address when it got none by DHCP (RFC 3927): put it last.
                address.is_link_local(),
                // A PC often has Wi-Fi and a cable. The board gets only one of the addresses, so the order matters.
                Some(*address) != default,
                is_virtual(name),
            )
        });
    }
    found
}

/// Whether the interface can receive. Outside Windows, "unknown" is how the list shows an interface that is switched off
/// or whose cable is unplugged (`IFF_RUNNING` is not set).
fn is_running(interface: &Interface) -> bool {
    let status = &interface.oper_status;
    *status != IfOperStatus::Down && (cfg!(windows) || *status != IfOperStatus::Unknown)
}

/// This machine's address on the interface of the default route. `connect` on a UDP socket sends nothing. The
/// destination is a documentation address that no network uses (RFC 5737), so the kernel selects the default route.
fn facing_default_route() -> Option<Ipv4Addr> {
    const NOWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 1), 9);
    let probe = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    probe.connect(NOWHERE).ok()?;
    match probe.local_addr().ok()?.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// Whether the interface belongs to a network of containers or virtual machines (interface name prefixes of Docker,
/// libvirt and the common hypervisors).
fn is_virtual(name: &str) -> bool {
    [
        "docker",
        "br-",
        "veth",
        "virbr",
        "vmnet",
        "vboxnet",
        "vEthernet",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// Every interface by name and index; Linux also lists the interfaces without an address.
#[must_use]
pub(crate) fn named() -> Vec<NamedInterface> {
    system::interfaces()
}

/// The interfaces on which a socket can join a multicast group of this family, loopback last.
#[must_use]
pub(crate) fn for_groups(is_v4: bool) -> Vec<NamedInterface> {
    let all = all();
    let has = |named: &NamedInterface, wanted: &dyn Fn(IpAddr) -> bool| {
        all.iter()
            .any(|known| known.index == Some(named.index) && wanted(known.ip()))
    };
    let mut found = named();
    found.retain(|named| {
        system::JOINS_WITHOUT_ADDRESS || has(named, &|address| address.is_ipv4() == is_v4)
    });
    found.sort_by_key(|named| (has(named, &|address| address.is_loopback()), named.index));
    found
}

/// Finds an interface by its name, index or address.
///
/// # Errors
/// No interface matches.
pub(crate) fn find(text: &str) -> Result<NamedInterface, Error> {
    let named = named();
    let number: Option<u32> = text.parse().ok();
    let by_name = |known: &&NamedInterface| known.name == text;
    let by_index = |known: &&NamedInterface| number == Some(known.index);
    let known = named
        .iter()
        // By name first: an interface may have a number for its name.
        .find(by_name)
        .or_else(|| named.iter().find(by_index))
        .cloned();
    let by_address = || {
        text.parse()
            .ok()
            .and_then(|address| with_address(address).into_iter().next())
    };
    known.or_else(by_address).ok_or_else(|| unknown(text))
}

/// The interface of this address: taken from its zone, or else from the list of interfaces. An address in 127.0.0.0/8
/// may not be listed; it belongs to the loopback interface.
///
/// # Errors
/// No interface matches.
pub(crate) fn of_address(address: &SocketAddr) -> Result<NamedInterface, Error> {
    let zone = match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => Some(v6.scope_id()),
        _ => None,
    };
    let all = all();
    let known = all.iter().find(|interface| match zone {
        Some(zone) => interface.index == Some(zone),
        None => interface.ip() == address.ip(),
    });
    let loopback = || {
        let is_loopback = |interface: &&Interface| interface.ip().is_loopback();
        all.iter()
            .find(is_loopback)
            .filter(|_| address.ip().is_loopback())
    };
    match known.or_else(loopback) {
        Some(Interface {
            name,
            index: Some(index),
            ..
        }) => Ok(NamedInterface {
            name: name.clone(),
            index: *index,
        }),
        _ => find(&address.ip().to_string()),
    }
}

/// The interfaces that have this address.
#[must_use]
pub(crate) fn with_address(address: IpAddr) -> Vec<NamedInterface> {
    let mut found: Vec<NamedInterface> = Vec::new();
    for interface in all() {
        if let Some(index) = interface.index.filter(|_| interface.ip() == address)
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

/// An interface name for the example in a hint about link-local addresses.
#[must_use]
pub(crate) fn for_link_local() -> String {
    let all = all();
    let found = all.iter().find(|interface| {
        !interface.ip().is_loopback() && interface.oper_status != IfOperStatus::Down
    });
    found.map_or_else(|| "eth0".to_owned(), |interface| interface.name.clone())
}

/// The names of all interfaces.
#[must_use]
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = named().into_iter().map(|named| named.name).collect();
    names.sort();
    names
}

/// The error for a name that no interface has; it lists those that exist.
fn unknown(name: &str) -> Error {
    let mut known = names();
    known.dedup();
    Error::NoInterface {
        name: name.to_owned(),
        known,
    }
}

/// 255.255.255.255 and each interface's own broadcast address.
#[must_use]
pub(crate) fn broadcast_addresses() -> Vec<IpAddr> {
    let mut found = vec![IpAddr::V4(Ipv4Addr::BROADCAST)];
    for interface in all() {
        // A /31 or /32 has no broadcast address (RFC 3021). The kernel treats the network's last address as a broadcast
        // address even if none is configured on the interface.
        if let IfAddr::V4(v4) = &interface.addr
            && v4.prefixlen < 31
        {
            let last = Ipv4Addr::from_bits(v4.ip.to_bits() | (u32::MAX >> v4.prefixlen));
            found.push(last.into());
            found.extend(
                v4.broadcast
                    .filter(|given| *given != v4.ip && *given != last)
                    .map(IpAddr::V4),
            );
        }
    }
    found
}

/// Whether the address is one of [`broadcast_addresses`]. Skips the costly lookup if the last two bits are not ones: a
/// network with a broadcast address has at least four addresses.
#[must_use]
pub(crate) fn is_broadcast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.to_bits() & 3 == 3 && broadcast_addresses().contains(&address),
        IpAddr::V6(_) => false,
    }
}
