//! Makes the operating system fill its neighbour table: sends a datagram to the discard port of each address of a
//! network, for which the system must first ask for the MAC address (ARP). Devices drop datagrams to this port (RFC
//! 863).

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use if_addrs::IfAddr;

use crate::survey::find::MESSAGE;
use crate::udp::{adapter, interface};

/// The discard port.
const DISCARD: u16 = 9;

/// The most networks.
const MAX_NETWORKS: usize = 8;

/// The time between two datagrams to one network: all 256 take a second.
const INTERVAL: Duration = Duration::from_millis(4);

/// The most datagrams that are sent to a network at once after a delay.
const MAX_BURST: u32 = 8;

/// The addresses of a network, or of the part of it that is nearest to this PC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SweptNetwork {
    /// This PC's address.
    pub(crate) own: Ipv4Addr,
    /// The first address, with the length of the prefix.
    pub(crate) block: (Ipv4Addr, u8),
    /// The next address.
    next: u32,
    /// The last address.
    end: u32,
    /// Addresses that are left out.
    own_and_broadcast: [u32; 2],
}

impl SweptNetwork {
    /// The network of an address, or its nearest 256 addresses; `None` if the network has no other hosts.
    fn new(own: Ipv4Addr, netmask: Ipv4Addr) -> Option<Self> {
        let mask = netmask.to_bits();
        // A network of two or one has no other hosts to find: a tunnel, a virtual machine.
        if mask.leading_ones() != mask.count_ones() || mask.count_ones() > 30 {
            return None;
        }
        let broadcast = own.to_bits() | !mask;
        // At most 256 addresses: a school's /16 would need four minutes, and disturb everybody with ARP requests.
        let prefix = mask.count_ones().max(24);
        let near = u32::MAX << (32 - prefix);
        let first = own.to_bits() & near;
        let last = own.to_bits() | !near;
        Some(Self {
            own,
            block: (Ipv4Addr::from_bits(first), u8::try_from(prefix).ok()?),
            // The first address of a network means the network.
            next: first + u32::from(first == own.to_bits() & mask),
            end: last,
            own_and_broadcast: [own.to_bits(), broadcast],
        })
    }
}

impl Iterator for SweptNetwork {
    type Item = Ipv4Addr;

    fn next(&mut self) -> Option<Ipv4Addr> {
        while self.next <= self.end {
            let address = self.next;
            self.next = address.checked_add(1)?;
            if !self.own_and_broadcast.contains(&address) {
                return Some(Ipv4Addr::from_bits(address));
            }
        }
        None
    }
}

/// The networks of this PC, the most likely first.
pub(super) fn networks() -> Vec<SweptNetwork> {
    let all = adapter::all();
    let netmask = |own: Ipv4Addr| {
        all.iter().find_map(|known| match &known.addr {
            IfAddr::V4(known) if known.ip == own => Some(known.netmask),
            _ => None,
        })
    };
    let mut found: Vec<SweptNetwork> = Vec::new();
    for (own, _) in interface::reachable_v4() {
        let network = netmask(own).and_then(|netmask| SweptNetwork::new(own, netmask));
        if let Some(network) = network
            && found.iter().all(|known| known.block != network.block)
            && found.len() < MAX_NETWORKS
        {
            found.push(network);
        }
    }
    found
}

/// The datagrams that are still to be sent.
#[derive(Debug)]
pub(super) struct Sweep {
    /// A socket per network, with its remaining addresses.
    to: Vec<(UdpSocket, SweptNetwork)>,
    /// When the next datagram is due.
    next: Instant,
}

impl Sweep {
    /// Opens a socket per network, and announces what will be sent.
    pub(super) fn new(networks: &[SweptNetwork]) -> Self {
        let mut to = Vec::new();
        for network in networks {
            let Ok(socket) = UdpSocket::bind((network.own, 0)) else {
                continue;
            };
            if socket.set_nonblocking(true).is_ok() {
                let (first, prefix) = network.block;
                let count = network.clone().count();
                tracing::info!(say = "find.sweep", network = %format!("{first}/{prefix}"), count);
                to.push((socket, network.clone()));
            }
        }
        Self {
            to,
            next: Instant::now(),
        }
    }

    /// Sends what is due.
    pub(super) fn tick(&mut self, now: Instant) {
        for _ in 0..MAX_BURST {
            if now < self.next {
                return;
            }
            self.next += INTERVAL;
            for (socket, network) in &mut self.to {
                if let Some(address) = network.next() {
                    // If the system refuses an address, no board is there.
                    let _ = socket.send_to(MESSAGE, (address, DISCARD));
                }
            }
        }
        // Datagrams that were due during a delay are not sent faster.
        self.next = self.next.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(own: &str, netmask: &str) -> Option<SweptNetwork> {
        SweptNetwork::new(own.parse().unwrap(), netmask.parse().unwrap())
    }

    #[test]
    fn a_small_network_is_asked_whole_without_its_own_and_its_broadcast_address() {
        let network = network("192.168.0.10", "255.255.255.0").unwrap();
        assert_eq!(network.block, (Ipv4Addr::new(192, 168, 0, 0), 24));
        let all: Vec<Ipv4Addr> = network.collect();
        // 256 without the address of the network, the broadcast address and this PC's own.
        assert_eq!(all.len(), 253);
        assert_eq!(all.first(), Some(&Ipv4Addr::new(192, 168, 0, 1)));
        assert_eq!(all.last(), Some(&Ipv4Addr::new(192, 168, 0, 254)));
        assert!(!all.contains(&Ipv4Addr::new(192, 168, 0, 10)));
    }

    #[test]
    fn of_a_large_network_only_the_256_addresses_around_this_pc_are_asked() {
        let middle = network("10.1.2.3", "255.255.0.0").unwrap();
        assert_eq!(middle.block, (Ipv4Addr::new(10, 1, 2, 0), 24));
        // In these networks, the first and last address are ordinary ones.
        assert_eq!(middle.count(), 255);
        let last = network("10.1.255.3", "255.255.0.0").unwrap();
        assert!(!last.clone().any(|address| address.octets()[3] == 255));
        let first = network("10.1.0.3", "255.255.0.0").unwrap();
        assert!(!first.clone().any(|address| address.octets()[3] == 0));
        let top = network("255.255.255.3", "255.255.255.0").unwrap();
        assert_eq!(top.count(), 253);
    }

    #[test]
    fn a_network_of_two_is_not_asked() {
        assert_eq!(network("10.0.0.1", "255.255.255.254"), None);
        assert_eq!(network("10.0.0.1", "255.255.255.255"), None);
        assert_eq!(network("10.0.0.1", "255.0.255.0"), None);
        assert_eq!(network("10.0.0.1", "255.255.255.252").unwrap().count(), 1);
        assert_eq!(network("10.0.0.1", "0.0.0.0").unwrap().count(), 255);
    }
}
