//! Joins multicast groups on interfaces, by interface index, and joins again when an interface appears.
//!
//! A membership belongs to a socket and an interface (ip(7), ipv6(7)). The kernel keeps it while the interface goes
//! down and up or changes its addresses, and drops it when the interface is removed.

use std::io;
use std::net::IpAddr;
use std::str::FromStr;

use socket2::Socket;

use crate::text::fullwidth;
use crate::text::sentence::{Sentence, sentence};
use crate::udp::adapter::NamedInterface;
use crate::udp::error::Error;
use crate::udp::interface;
use crate::udp::system;

/// A multicast group to join, as the user wrote it: `GROUP[@IFACE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group's address.
    pub(crate) address: IpAddr,
    /// The interface by name, index or address; `None` means all interfaces.
    pub(crate) interface: Option<String>,
}

impl FromStr for Group {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        // The name of an interface may have full-width characters of its own.
        let (address, interface) = match text.split_once(['@', '%', '＠', '％']) {
            Some((_, "")) => return Err(sentence!("value.group-interface")),
            Some((address, interface)) => (address, Some(interface.to_owned())),
            None => (text, None),
        };
        let address: IpAddr = fullwidth::to_ascii(address)
            .parse()
            .map_err(|_| sentence!("value.group"))?;
        if !address.is_multicast() {
            return Err(sentence!("value.no-group", address = address));
        }
        Ok(Self { address, interface })
    }
}

impl Group {
    /// The interfaces to join the group on now.
    fn interfaces(&self) -> Result<Vec<NamedInterface>, Error> {
        match &self.interface {
            Some(name) => Ok(vec![interface::find(name)?]),
            None => Ok(interface::for_groups(self.address.is_ipv4())),
        }
    }

    /// Joins the group on the interface with this index.
    fn join(&self, socket: &Socket, index: u32) -> io::Result<()> {
        match self.address {
            IpAddr::V4(address) => {
                tracing::debug!("setsockopt IP_ADD_MEMBERSHIP {address} interface {index}");
                socket.join_multicast_v4_n(&address, &system::membership(index))
            }
            IpAddr::V6(address) => {
                tracing::debug!("setsockopt IPV6_ADD_MEMBERSHIP {address} interface {index}");
                socket.join_multicast_v6(&address, index)
            }
        }
    }
}

/// The groups of one socket.
#[derive(Debug)]
pub(crate) struct Memberships {
    /// The groups as the user named them.
    groups: Vec<Group>,
    /// Each group's address with the index of an interface on which it is joined.
    joined: Vec<(IpAddr, u32)>,
    /// Interfaces on which a join failed and the user was told, so that the warning is not repeated.
    failed: Vec<(IpAddr, u32)>,
}

impl Memberships {
    /// Joins the groups on all their interfaces.
    ///
    /// # Errors
    /// A named interface does not exist, or a group could not be joined on any interface.
    pub(crate) fn join(socket: &Socket, groups: Vec<Group>) -> Result<Self, Error> {
        let mut memberships = Self {
            groups,
            joined: Vec::new(),
            failed: Vec::new(),
        };
        for group in memberships.groups.clone() {
            let interfaces = group.interfaces()?;
            let (joined, failed) = memberships.join_on(socket, &group, &interfaces);
            match failed.into_iter().next_back() {
                // One interface that can join the group is enough; a PC has several that cannot, such as tunnels.
                Some((_, source)) if joined.is_empty() && !memberships.has(&group) => {
                    let on = group.interface.as_ref();
                    return Err(Error::Join {
                        group: match on {
                            Some(name) => format!("{}@{name}", group.address),
                            None => group.address.to_string(),
                        },
                        source,
                    });
                }
                _ => {}
            }
            if interfaces.is_empty() {
                tracing::info!(say = "udp.group-waits", group = %group.address);
            }
        }
        Ok(memberships)
    }

    /// Whether there are no groups.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Joins the groups on interfaces that appeared since the last call. Idempotent.
    pub(crate) fn refresh(&mut self, socket: &Socket) {
        let present = interface::named();
        let is_present =
            |(_, index): &(IpAddr, u32)| present.iter().any(|named| named.index == *index);
        // The kernel has dropped these memberships: an interface that comes back, even with the same index, must be
        // joined again.
        self.joined.retain(is_present);
        self.failed.retain(is_present);
        for group in self.groups.clone() {
            // A named interface may be missing now and come back later: not an error here.
            if let Ok(interfaces) = group.interfaces() {
                self.join_on(socket, &group, &interfaces);
            }
        }
    }

    /// Whether the group is joined on any interface.
    fn has(&self, group: &Group) -> bool {
        self.joined
            .iter()
            .any(|(address, _)| *address == group.address)
    }

    /// Joins a group on these interfaces, and reports each success and each failure once.
    fn join_on(
        &mut self,
        socket: &Socket,
        group: &Group,
        interfaces: &[NamedInterface],
    ) -> (Vec<String>, Vec<(String, io::Error)>) {
        let mut joined = Vec::new();
        let mut failed = Vec::new();
        for NamedInterface { name, index } in interfaces {
            let key = (group.address, *index);
            if self.joined.contains(&key) {
                continue;
            }
            match group.join(socket, *index) {
                Ok(()) => joined.push(name.clone()),
                // Another --join of this command has already joined it.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => {
                    if system::has_no_groups(&error) && group.interface.is_none() {
                        tracing::debug!("{name} takes no groups of this family: {error}");
                    } else if !self.failed.contains(&key) {
                        self.failed.push(key);
                        failed.push((name.clone(), error));
                    }
                    continue;
                }
            }
            self.joined.push(key);
        }
        if !joined.is_empty() {
            let interface = sentence!("udp.these", items <- Sentence::verbatim_list(&joined));
            tracing::info!(say = "udp.group-joined", group = %group.address, interface = interface.as_value());
        }
        if let Some((_, error)) = failed.first()
            && self.has(group)
        {
            let names = Sentence::verbatim_list(failed.iter().map(|(name, _)| name));
            let count = names.len();
            let names = sentence!("udp.these", items <- names);
            tracing::warn!(
                say = "udp.group-not-joined",
                group = %group.address,
                interface = names.as_value(),
                error = %error,
                limit = system::join_limit(group.address.is_ipv4(), error),
                wanted = self.joined.len() + count,
            );
        }
        (joined, failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_with_and_without_interface() {
        assert_eq!(
            "239.1.2.3".parse(),
            Ok(Group {
                address: "239.1.2.3".parse().unwrap(),
                interface: None
            })
        );
        assert_eq!(
            "ff02::1@eth0".parse(),
            Ok(Group {
                address: "ff02::1".parse().unwrap(),
                interface: Some("eth0".into())
            })
        );
        assert_eq!(
            "ff02::1%eth0".parse(),
            Ok(Group {
                address: "ff02::1".parse().unwrap(),
                interface: Some("eth0".into())
            })
        );
        for text in ["192.168.0.1", "239.1.2.3@", "x", "", "239.1.2.3.4"] {
            assert!(text.parse::<Group>().is_err(), "{text}");
        }
    }
}
