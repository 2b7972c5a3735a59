//! Where a relay sends to.

use std::net::{IpAddr, SocketAddr};

use crate::udp::interface;
use crate::udp::receive::canonical;
use crate::udp::route::Path;

/// A target.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// Whether the target is a broadcast address.
    pub(crate) is_broadcast: bool,
    /// Whether the target is an address of this machine.
    pub(crate) is_local: bool,
    /// The MTU, if the path stays within this machine.
    pub(super) local_mtu: Option<usize>,
}

impl Target {
    /// The target with this address.
    #[must_use]
    pub(crate) fn new(address: SocketAddr) -> Self {
        let ip = canonical(address).ip();
        let path = Path::to(address);
        let is_local =
            path.is_local || ip.is_unspecified() || interface::own_addresses().contains(&ip);
        Self {
            address,
            is_broadcast: interface::is_broadcast(ip),
            is_local,
            local_mtu: path.mtu.filter(|_| path.is_local),
        }
    }

    /// Whether several hosts may receive.
    pub(super) fn is_group(&self) -> bool {
        self.is_broadcast || self.address.ip().is_multicast()
    }

    /// Whether what is sent to this target arrives at the socket on `local`, a loop without end.
    #[must_use]
    pub(crate) fn is_own(&self, local: SocketAddr) -> bool {
        self.address.port() == local.port()
            && reaches(
                canonical(self.address).ip(),
                self.is_local || self.is_broadcast,
                canonical(local).ip(),
            )
    }
}

/// Whether a datagram to `target` arrives at a socket that is bound to `local`, if the ports are the same. `is_local`
/// tells whether this machine receives it at all.
fn reaches(target: IpAddr, is_local: bool, local: IpAddr) -> bool {
    if target == local {
        return true;
    }
    match (local.is_unspecified(), local) {
        // An IPv6 wildcard socket receives IPv4 too.
        (true, IpAddr::V6(_)) => is_local,
        (true, IpAddr::V4(_)) => is_local && target.is_ipv4(),
        // The kernel takes the unspecified address for the loopback address.
        (false, _) => target.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_known_in_every_form() {
        for (target, local, is_own) in [
            ("127.0.0.1:7", "0.0.0.0:7", true),
            ("127.0.0.1:8", "0.0.0.0:7", false),
            ("127.1.2.3:7", "0.0.0.0:7", true),
            ("0.0.0.0:7", "0.0.0.0:7", true),
            ("0.0.0.0:7", "127.0.0.1:7", true),
            ("[::]:7", "[::1]:7", true),
            ("[::ffff:127.0.0.1]:7", "0.0.0.0:7", true),
            ("[::ffff:127.0.0.1]:7", "127.0.0.1:7", true),
            ("127.0.0.1:7", "[::]:7", true),
            ("[::1]:7", "[::]:7", true),
            ("255.255.255.255:7", "0.0.0.0:7", true),
            ("127.0.0.1:7", "127.0.0.1:7", true),
            ("127.0.0.2:7", "127.0.0.1:7", false),
            ("203.0.113.1:7", "0.0.0.0:7", false),
        ] {
            let target = Target::new(target.parse().unwrap());
            assert_eq!(
                target.is_own(local.parse().unwrap()),
                is_own,
                "{target:?} {local}"
            );
        }
        for address in interface::own_addresses() {
            let target = Target::new(SocketAddr::new(address, 7));
            assert!(target.is_local, "{address}");
            assert!(target.is_own("[::]:7".parse().unwrap()), "{address}");
        }
    }
}
