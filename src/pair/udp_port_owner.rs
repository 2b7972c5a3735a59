//! Finds the program that uses a UDP port on this PC.

use std::net::Ipv4Addr;

use crate::processes;

/// A program that uses a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The program's name. Untrusted.
    pub(crate) name: String,
    /// The process ID.
    pub(crate) process: String,
}

/// The program that listens on `port`, on `local` or on every address. Only Linux reports it, for programs of the same
/// user (for all users to root).
#[must_use]
pub(crate) fn of(local: Ipv4Addr, port: u16) -> Option<Owner> {
    let owner = processes::with_udp_port(port, Some(local))
        .into_iter()
        .next()?;
    Some(Owner {
        name: owner.name,
        process: owner.id.to_string(),
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_port_is_found() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let owner = of(Ipv4Addr::LOCALHOST, port).unwrap();
        assert_eq!(owner.process, std::process::id().to_string());
    }
}
