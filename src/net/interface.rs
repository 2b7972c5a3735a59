//! This machine's network interfaces: names, addresses, broadcast addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use if_addrs::{IfAddr, IfOperStatus, Interface};

use crate::error::Error;

/// The interfaces with their addresses, one entry an address; none if the system does not tell.
#[must_use]
pub fn all() -> Vec<Interface> {
    if_addrs::get_if_addrs().unwrap_or_default()
}

/// Every address of this machine, loopback among them.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    all().iter().map(Interface::ip).collect()
}

/// The IPv4 addresses that another device on the network can use, each with its interface's name.
#[must_use]
pub fn reachable_v4() -> Vec<(Ipv4Addr, String)> {
    let mut found: Vec<(Ipv4Addr, String)> = Vec::new();
    for interface in all() {
        if let IpAddr::V4(address) = interface.ip()
            && !address.is_loopback()
            && interface.oper_status != IfOperStatus::Down
        {
            found.push((address, interface.name));
        }
    }
    // 169.254/16 is what a machine gives itself when nothing else did: last.
    found.sort_by_key(|(address, _)| address.is_link_local());
    found
}

/// The interface index for a name or a number, as after `%` in an address.
///
/// # Errors
/// No interface is called that.
pub fn index_of(name: &str) -> Result<u32, Error> {
    if let Ok(index) = name.parse() {
        return Ok(index);
    }
    all()
        .into_iter()
        .find(|interface| interface.name == name)
        .and_then(|interface| interface.index)
        .ok_or_else(|| unknown(name))
}

/// The interface index for a name or for one of its own addresses.
///
/// # Errors
/// No interface is called that or has that address.
pub fn index_of_name_or_address(text: &str) -> Result<u32, Error> {
    match text.parse::<IpAddr>() {
        Ok(address) => all()
            .into_iter()
            .find(|interface| interface.ip() == address)
            .and_then(|interface| interface.index)
            .ok_or_else(|| unknown(text)),
        Err(_) => index_of(text),
    }
}

/// The IPv4 address of the interface with this name, or the address itself if it is one.
///
/// # Errors
/// No such interface, or it has no IPv4 address.
pub fn v4_of_name_or_address(text: &str) -> Result<Ipv4Addr, Error> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let named: Vec<Interface> = all()
        .into_iter()
        .filter(|interface| interface.name == text)
        .collect();
    if named.is_empty() {
        return Err(unknown(text));
    }
    named
        .iter()
        .find_map(|interface| match interface.ip() {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .ok_or_else(|| Error::NoInterfaceAddress {
            name: text.to_owned(),
            family: "IPv4",
        })
}

fn unknown(name: &str) -> Error {
    let mut known: Vec<String> = all().into_iter().map(|interface| interface.name).collect();
    known.sort();
    known.dedup();
    Error::NoInterface {
        name: name.to_owned(),
        known,
    }
}

/// 255.255.255.255 and each interface's own broadcast address.
#[must_use]
pub fn broadcast_addresses() -> Vec<IpAddr> {
    let mut found = vec![IpAddr::V4(Ipv4Addr::BROADCAST)];
    for interface in all() {
        // A /31 or /32 has no broadcast address (RFC 3021); some systems report the address itself.
        if let IfAddr::V4(v4) = &interface.addr
            && let Some(broadcast) = v4.broadcast
            && v4.prefixlen < 31
            && broadcast != v4.ip
        {
            found.push(broadcast.into());
        }
    }
    found
}

/// Whether the address is one of [`broadcast_addresses`]. Looks only where it can be: a network's last address ends in
/// two ones, as blocks are of four addresses or more.
#[must_use]
pub fn is_broadcast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.to_bits() & 3 == 3 && broadcast_addresses().contains(&address),
        IpAddr::V6(_) => false,
    }
}

/// This machine's address that faces `peer`: what the system would send from. Sends nothing.
#[must_use]
pub fn facing(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if peer.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        std::net::Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|local| local.ip())
}
