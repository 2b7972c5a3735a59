//! Finds the program that uses a UDP port on this PC.

use std::net::Ipv4Addr;

/// A program that uses a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The program's name. Untrusted.
    pub name: String,
    /// The process ID.
    pub process: String,
}

/// The program that listens on `port`, on `local` or on every address. Only Linux reports it, for programs of the same
/// user (for all users to root).
#[must_use]
pub fn of(local: Ipv4Addr, port: u16) -> Option<Owner> {
    #[cfg(target_os = "linux")]
    {
        linux::owner(local, port)
    }
    #[cfg(not(target_os = "linux"))]
    {
        // Windows and macOS need a program for this (`netstat -ano`, `lsof -i UDP`); the documentation names it.
        let _ = (local, port);
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::Ipv4Addr;

    use super::Owner;
    use crate::board::holder::linux::with_open;

    pub(super) fn owner(local: Ipv4Addr, port: u16) -> Option<Owner> {
        let mut sockets: Vec<String> = Vec::new();
        for table in ["/proc/net/udp", "/proc/net/udp6"] {
            let text = fs::read_to_string(table).unwrap_or_default();
            sockets.extend(
                text.lines()
                    .skip(1)
                    .filter_map(|line| inode(line, local, port)),
            );
        }
        let owner = with_open(|target| {
            let target = target.to_string_lossy();
            target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inode| sockets.iter().any(|socket| socket == inode))
        })
        .next()?;
        Some(Owner {
            name: owner.name,
            process: owner.process,
        })
    }

    /// The inode of a socket in a line of the table, if it has the port: `  sl  local_address rem_address st .. inode
    /// ..`.
    fn inode(line: &str, local: Ipv4Addr, port: u16) -> Option<String> {
        let mut fields = line.split_ascii_whitespace();
        let (address, theirs) = fields.nth(1)?.split_once(':')?;
        if u16::from_str_radix(theirs, 16).ok()? != port {
            return None;
        }
        let is_any = address.bytes().all(|byte| byte == b'0');
        // The table prints the address in the processor's byte order.
        let own = format!("{:08X}", u32::from_ne_bytes(local.octets()));
        (is_any || address.ends_with(&own)).then(|| fields.nth(7).unwrap_or_default().to_owned())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_owner_of_a_port_is_found() {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let port = socket.local_addr().unwrap().port();
            let owner = owner(Ipv4Addr::LOCALHOST, port).unwrap();
            assert_eq!(owner.process, std::process::id().to_string());
        }
    }
}
