//! Which sockets a listener opens for the addresses, ports and groups that the user named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::udp::error::{Error, Purpose};
use crate::udp::interface;
use crate::udp::membership::{Group, Memberships};
use crate::udp::receive::ReceiveOptions;
use crate::udp::socket::{self, Bound, ListenOptions, Sharing};

/// The addresses to listen on; their ports do not count.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Each address once, without those that a wildcard address covers.
    pub(crate) listened: Vec<SocketAddr>,
    /// The addresses that a wildcard address covers.
    pub(crate) covered: Vec<SocketAddr>,
}

impl Addresses {
    /// The addresses that the user named, and the IPv6 wildcard if an IPv6 group needs it beside the IPv4 one.
    pub(crate) fn of(named: &[SocketAddr], groups: &[Group]) -> Self {
        let mut all: Vec<SocketAddr> = Vec::new();
        for &address in named {
            if !all.contains(&address) {
                all.push(address);
            }
        }
        let has = |wildcard: IpAddr| all.iter().any(|address| address.ip() == wildcard);
        let has_v4 = has(Ipv4Addr::UNSPECIFIED.into());
        let has_v6 = has(Ipv6Addr::UNSPECIFIED.into());
        let is_covered = |address: &SocketAddr| {
            // The IPv6 wildcard hears IPv4 too, unless the IPv4 wildcard has a socket of its own.
            !address.ip().is_unspecified()
                && if address.is_ipv4() {
                    has_v4 || has_v6
                } else {
                    has_v6
                }
        };
        let (covered, mut listened): (Vec<_>, Vec<_>) = all.into_iter().partition(is_covered);
        let joins_v6 = groups.iter().any(|group| group.address.is_ipv6());
        let v4_wildcard = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        if joins_v6 && listened == [v4_wildcard] {
            listened.push((Ipv6Addr::UNSPECIFIED, 0).into());
        }
        Self { listened, covered }
    }

    /// Whether another socket listens on IPv4, so that an IPv6 wildcard socket must not.
    pub(crate) fn is_only_v6(&self) -> bool {
        let v4_wildcard = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        self.listened.contains(&v4_wildcard)
    }
}

/// What to listen on, besides the addresses.
#[derive(Debug)]
pub(crate) struct ListenRequest<'a> {
    /// The ports; port 0 once for each socket that the operating system gives a port to.
    pub(crate) ports: &'a [u16],
    /// The multicast groups to join.
    pub(crate) groups: &'a [Group],
    /// Address reuse and interface.
    pub(crate) sharing: Sharing,
    /// `SO_RCVBUF`, in bytes.
    pub(crate) recv_buffer: Option<usize>,
    /// Options for receiving.
    pub(crate) receive: ReceiveOptions,
}

/// No socket on these addresses can receive the group.
#[derive(Debug)]
pub(crate) struct UnheardGroup(pub(crate) IpAddr);

impl ListenRequest<'_> {
    /// One socket per address and port, and one per multicast group that no other socket can receive.
    ///
    /// # Errors
    /// A group that no socket can receive.
    pub(crate) fn sockets(
        &self,
        addresses: &Addresses,
    ) -> Result<Vec<ListenOptions>, UnheardGroup> {
        let only_v6 = addresses.is_only_v6();
        let addresses = &addresses.listened;
        let mut ports: Vec<u16> = Vec::new();
        for &port in self.ports {
            // Port 0 means another port each time.
            if port == 0 || !ports.contains(&port) {
                ports.push(port);
            }
        }
        let options = |address: &SocketAddr, port: u16| {
            let mut local = *address;
            local.set_port(port);
            ListenOptions {
                purpose: Purpose::Listen,
                sharing: self.sharing.clone(),
                local,
                only_v6,
                groups: Vec::new(),
                port_of: None,
                recv_buffer: self.recv_buffer,
                receive: self.receive,
            }
        };
        let mut sockets: Vec<ListenOptions> = Vec::new();
        for &port in &ports {
            let first = sockets.len();
            sockets.extend(addresses.iter().map(|address| options(address, port)));
            for group in self.groups {
                let found = group_addresses(group, addresses, only_v6);
                if found.is_empty() {
                    return Err(UnheardGroup(group.address));
                }
                for (address, group) in found {
                    let known = sockets.iter_mut().skip(first).find(|known| {
                        // The same link-local address on two interfaces is two addresses.
                        known.local.ip() == address.ip() && zone(&known.local) == zone(&address)
                    });
                    match known {
                        Some(known) => {
                            if !known.groups.contains(&group) {
                                known.groups.push(group);
                            }
                        }
                        None => sockets.push(ListenOptions {
                            groups: vec![group],
                            // If the operating system chooses the port, share the port of the first address.
                            port_of: Some(first),
                            ..options(&address, port)
                        }),
                    }
                }
            }
        }
        Ok(sockets)
    }
}

/// Opens the sockets, and joins their groups.
///
/// # Errors
/// The operating system refuses a socket, an option, an address or a group.
pub(crate) fn open(wanted: &[ListenOptions]) -> Result<(Vec<Bound>, Vec<Memberships>), Error> {
    let mut sockets: Vec<Bound> = Vec::new();
    let mut memberships = Vec::new();
    for mut options in wanted.iter().cloned() {
        if let Some(other) = options.port_of.and_then(|index| sockets.get(index)) {
            options.local.set_port(other.local.port());
        }
        let (bound, groups) = socket::open_listener(&options)?;
        sockets.push(bound);
        memberships.push(groups);
    }
    Ok((sockets, memberships))
}

/// The zone of an address; 0 if it has none.
fn zone(address: &SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    }
}

/// The addresses of the sockets that can receive a group, each with the group to join. A socket that is bound to a
/// unicast address receives no multicast, except on Windows. On other systems the group gets its own socket, which is
/// bound to the group's address and joins on the interface that has the unicast address.
fn group_addresses(
    group: &Group,
    addresses: &[SocketAddr],
    only_v6: bool,
) -> Vec<(SocketAddr, Group)> {
    let is_wildcard_for = |address: &SocketAddr| {
        address.ip().is_unspecified()
            && match group.address {
                // A dual-stack socket can join IPv4 groups.
                IpAddr::V4(_) => address.is_ipv4() || !only_v6,
                IpAddr::V6(_) => address.is_ipv6(),
            }
    };
    let wildcards: Vec<_> = addresses
        .iter()
        .filter(|address| is_wildcard_for(address))
        .map(|address| (*address, group.clone()))
        .collect();
    if !wildcards.is_empty() {
        return wildcards;
    }
    let own = addresses.iter().filter(|address| {
        address.is_ipv4() == group.address.is_ipv4() && !address.ip().is_unspecified()
    });
    let mut found = Vec::new();
    for own in own {
        let named = match &group.interface {
            Some(name) => interface::find(name),
            None => interface::of_address(own),
        };
        // An unknown interface is reported later, when the group is joined.
        let index = named.as_ref().map_or(0, |named| named.index);
        let joined = Group {
            address: group.address,
            interface: group
                .interface
                .clone()
                .or_else(|| named.ok().map(|named| named.name)),
        };
        let address = match group.address {
            // Windows refuses to bind to a group's address (WSAEADDRNOTAVAIL), and delivers the group to the unicast
            // address.
            _ if cfg!(windows) => *own,
            IpAddr::V4(address) => (address, 0).into(),
            // A link-local group (scope 2 or less) is a different group on each link, so it needs a zone.
            IpAddr::V6(address) if address.octets()[1] & 0xf <= 2 => {
                SocketAddrV6::new(address, 0, 0, index).into()
            }
            IpAddr::V6(address) => (address, 0).into(),
        };
        if !found.contains(&(address, joined.clone())) {
            found.push((address, joined));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::udp::receive::TimeSource;

    fn addresses(named: &[&str], groups: &[Group]) -> Addresses {
        let named: Vec<SocketAddr> = named.iter().map(|text| text.parse().unwrap()).collect();
        Addresses::of(&named, groups)
    }

    fn shown(addresses: &[SocketAddr]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    fn request<'a>(ports: &'a [u16], groups: &'a [Group]) -> ListenRequest<'a> {
        ListenRequest {
            ports,
            groups,
            sharing: Sharing::default(),
            recv_buffer: None,
            receive: ReceiveOptions {
                recv_size: 65_535,
                clock: TimeSource::Kernel,
                batching: true,
            },
        }
    }

    #[test]
    fn an_address_that_a_wildcard_covers_gets_no_socket_of_its_own() {
        let found = addresses(&["127.0.0.1:0", "0.0.0.0:0", "127.0.0.1:0", "[::1]:0"], &[]);
        assert_eq!(shown(&found.listened), ["0.0.0.0:0", "[::1]:0"]);
        assert_eq!(shown(&found.covered), ["127.0.0.1:0"]);
        let found = addresses(&["[::]:0", "127.0.0.1:0", "[::1]:0"], &[]);
        assert_eq!(shown(&found.listened), ["[::]:0"]);
        assert!(!found.is_only_v6());
    }

    #[test]
    fn an_ipv6_group_adds_the_ipv6_wildcard_beside_the_ipv4_one() {
        let group: Group = "ff15::77".parse().unwrap();
        let found = addresses(&["0.0.0.0:0"], std::slice::from_ref(&group));
        assert_eq!(shown(&found.listened), ["0.0.0.0:0", "[::]:0"]);
        assert!(found.is_only_v6());
        let sockets = request(&[6000], &[group]).sockets(&found).unwrap();
        let joined: Vec<usize> = sockets.iter().map(|socket| socket.groups.len()).collect();
        assert_eq!(joined, [0, 1]);
        assert!(sockets.iter().all(|socket| socket.local.port() == 6000));
    }

    #[test]
    fn a_port_given_twice_has_one_socket_but_port_0_has_one_each_time() {
        let found = addresses(&["127.0.0.1:0"], &[]);
        let ports = |ports: &[u16]| -> Vec<u16> {
            let sockets = request(ports, &[]).sockets(&found).unwrap();
            sockets.iter().map(|socket| socket.local.port()).collect()
        };
        assert_eq!(ports(&[6000, 6001, 6000]), [6000, 6001]);
        assert_eq!(ports(&[0, 0]), [0, 0]);
    }

    #[test]
    fn a_group_of_the_other_family_is_heard_by_no_socket() {
        let group: Group = "239.1.2.3".parse().unwrap();
        let found = addresses(&["[::1]:0"], &[]);
        let unheard = request(&[6000], std::slice::from_ref(&group))
            .sockets(&found)
            .unwrap_err();
        assert_eq!(unheard.0, group.address);
    }
}
