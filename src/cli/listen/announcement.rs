//! The line that shows the listening address, and the address to type into the board's program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::firewall;
use crate::udp::interface;
use crate::words::catalogue::say;

/// One listening socket and the options it was opened with.
#[derive(Debug)]
pub(super) struct AnnouncedSocket {
    local: SocketAddr,
    only_v6: bool,
    interface: Option<String>,
    /// Whether an interface had the address at first: none has a group's or a broadcast address.
    had_address: bool,
    /// The line printed last.
    told: String,
}

fn has(address: IpAddr) -> bool {
    interface::own_addresses().contains(&address)
}

impl AnnouncedSocket {
    pub(super) fn new(local: SocketAddr, only_v6: bool, interface: Option<String>) -> Self {
        Self {
            local,
            only_v6,
            interface,
            had_address: has(local.ip()),
            told: String::new(),
        }
    }

    /// Prints the line if it has changed since the last call.
    pub(super) fn tell(&mut self) {
        let line = self.line();
        if line != self.told {
            tracing::info!("{line}");
            self.told = line;
        }
    }

    /// The address that the board should send to, as far as it is known.
    pub(super) fn board_address(&self) -> SocketAddr {
        match self.reachable().first() {
            Some((address, _)) if self.local.ip().is_unspecified() => {
                SocketAddr::new((*address).into(), self.local.port())
            }
            _ => self.local,
        }
    }

    /// The IPv4 addresses under which other devices can reach this socket, the most likely first.
    fn reachable(&self) -> Vec<(Ipv4Addr, String)> {
        let takes_v4 = match self.local.ip() {
            IpAddr::V4(_) => true,
            IpAddr::V6(address) => address == Ipv6Addr::UNSPECIFIED && !self.only_v6,
        };
        let mut found = interface::reachable_v4();
        found.retain(|(address, name)| {
            takes_v4
                && (self.local.ip().is_unspecified() || self.local.ip() == IpAddr::V4(*address))
                && self
                    .interface
                    .as_ref()
                    .is_none_or(|wanted| wanted == name || *wanted == address.to_string())
        });
        found
    }

    /// Whether an interface had the address, and none has it now.
    fn is_lost(&self) -> bool {
        self.had_address && !has(self.local.ip())
    }

    fn line(&self) -> String {
        let local = self.local;
        if local.ip().is_loopback() {
            return say!("listen.at-loopback", local = local);
        }
        let found = self.reachable();
        if let Some(((address, interface), others)) = found.split_first() {
            let port = local.port();
            if others.is_empty() {
                return say!(
                    "listen.at-address",
                    local = local,
                    address = address,
                    port = port,
                    interface = interface
                );
            }
            let others: Vec<String> = others
                .iter()
                .map(|(address, name)| format!("{address} ({name})"))
                .collect();
            return say!(
                "listen.at-addresses",
                local = local,
                address = address,
                port = port,
                interface = interface,
                others = others.join(", ")
            );
        }
        let is_v4_wildcard = local.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
            || (local.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !self.only_v6);
        match &self.interface {
            _ if self.is_lost() => say!("listen.at-lost", local = local),
            _ if !is_v4_wildcard => say!("listen.at", local = local),
            Some(name) => say!("listen.at-no-address", local = local, interface = name),
            None => say!("listen.at-no-network", local = local),
        }
    }
}

/// Tells once if this PC's firewall is known to drop what other devices send to one of the sockets.
pub(super) fn warn_of_firewall(places: &[AnnouncedSocket]) {
    let block = places
        .iter()
        .filter(|place| !place.local.ip().is_loopback())
        .find_map(|place| firewall::known_block(place.local.port()));
    if let Some(block) = block {
        tracing::warn!(say = "doctor.blocked", by = block.by.name(), command = %block.command);
    }
}
