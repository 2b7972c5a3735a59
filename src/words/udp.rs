//! Hints for what can go wrong with sockets, addresses and payloads.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::file;
use crate::text::counted;
use crate::udp::error::Error;
use crate::udp::{Rejected, interface};

/// What to try next, where we know.
pub(super) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Refused { peer } => Some(format!(
            "{} answers, but no program is listening on UDP port {} there; start the receiver first, for example: udpcli listen --port {}",
            peer.ip(),
            peer.port(),
            peer.port()
        )),
        Error::NoReply { is_present: true, peer, .. } => Some(format!(
            "the device {} is there (it answers ARP), but its program did not reply. Look at the board's screen: if the text is there, only the reply was lost. Otherwise: the program does not run, another port, or a firewall",
            peer.ip()
        )),
        Error::NoReply { .. } => Some(
            "UDP does not confirm delivery. Look at the board's screen: if the text is there, only the reply was lost. Otherwise: wrong address, a firewall, or a Wi-Fi that isolates its clients"
                .to_owned(),
        ),
        Error::NoNeighbour { .. } => Some(NOBODY_THERE.to_owned()),
        Error::TooFewReplies { .. } => Some("-w/--wait gives late replies more time".to_owned()),
        Error::Unexpected { .. } => {
            Some("--format hex shows the replies byte by byte; a line ending counts (-e --expect 'text\\r\\n')".to_owned())
        }
        Error::NoDatagram { local, filtered, .. } => Some(silence_hint(*local, *filtered)),
        Error::TooLong { .. } => Some("--file PATH --chunk 1024 sends a long payload as many datagrams".to_owned()),
        Error::Escape { .. } => Some(r"-e knows \n \r \t \0 \\ \xNN and \u{NNNN}".to_owned()),
        Error::Hex { .. } => Some("two hex digits a byte; spaces, commas, colons and 0x are allowed between bytes".to_owned()),
        Error::Resolve { host, .. } if host.trim_end_matches('.').rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("local")) => Some(format!(
            "{host} is a name that devices announce themselves (mDNS); this PC may not ask for such names (Linux: install libnss-mdns): use the address that the device shows"
        )),
        Error::Resolve { host, .. } => Some(format!("check the spelling of {host} and the DNS; an address such as 192.168.0.3 needs no DNS")),
        Error::NoSuchFamily { family, .. } => Some(format!("leave out the flag that asks for {family} only")),
        Error::NoInterface { known, .. } => Some(format!("this machine has: {}", known.join(", "))),
        Error::NoInterfaceAddress { .. } => Some("give the interface an address, or name another one".to_owned()),
        Error::Bind { local, known, listens, source } => bind_hint(local, known, *listens, source),
        Error::NoFreePort { .. } => Some(
            "programs on this PC hold every port that the system gives out (Linux: sysctl net.ipv4.ip_local_port_range): end some of them, or name a port outside of that range"
                .to_owned(),
        ),
        Error::Join { source, .. } => Some(join_hint(source).to_owned()),
        Error::Send { peer, broadcast, source } => send_hint(peer, *broadcast, source),
        Error::SendSome { peer, source, .. } => send_hint(peer, true, source),
        Error::Option { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            Some("the system asks for administrator rights (CAP_NET_RAW on Linux) for this".to_owned())
        }
        Error::NotUtf8 { .. } => Some("without -e, --encoding and --line-ending lines are sent byte for byte".to_owned()),
        Error::TooLongToRepeat { .. } => Some("--file PATH of a regular file is read anew each round".to_owned()),
        Error::AmbiguousZone { address, first, .. } => Some(format!("name the interface: --bind {address}%{first}")),
        Error::OtherFamily { peer, .. } => Some(format!(
            "give --bind an {} address, or leave it out",
            if peer.is_ipv4() { "IPv4" } else { "IPv6" }
        )),
        Error::File(error) => file_hint(error),
        Error::Encode { .. } | Error::Option { .. } | Error::Socket { .. } | Error::Receive { .. } | Error::Start { .. } => None,
    }
}

/// What to try next with a file or a stream.
pub(super) fn file_hint(error: &file::Error) -> Option<String> {
    match error {
        file::Error::Write { object, source } if source.kind() == io::ErrorKind::StorageFull => {
            let whole = if object == file::STDOUT {
                ""
            } else {
                "; what was written before is whole"
            };
            Some(format!("the disk is full{whole}"))
        }
        _ => None,
    }
}

fn bind_hint(
    local: &SocketAddr,
    known: &[IpAddr],
    listens: bool,
    source: &io::Error,
) -> Option<String> {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            let port = local.port();
            let other = port.checked_add(1).unwrap_or(6000);
            let command = if listens {
                format!("udpcli listen --port {other}")
            } else {
                format!("--bind {}", SocketAddr::new(local.ip(), other))
            };
            Some(format!(
                "another program has UDP port {port}: close it (often another udpcli listen), or use another port: {command}; to share it, give both programs --reuse-addr, or both --reuse-port"
            ))
        }
        io::ErrorKind::AddrNotAvailable => Some(if known.is_empty() {
            "this machine does not have that address; leave it out to listen on all".to_owned()
        } else {
            let list: Vec<String> = known.iter().map(ToString::to_string).collect();
            format!(
                "this machine does not have that address; it has {}; leave it out to use all",
                list.join(", ")
            )
        }),
        io::ErrorKind::PermissionDenied => Some(denied_hint(local.port(), cfg!(windows))),
        _ => None,
    }
}

/// Why a port may not be bound. Windows keeps no ports for administrators, but says so of one that another program does
/// not share, and of those it reserves (*Using `SO_REUSEADDR` and `SO_EXCLUSIVEADDRUSE`*, learn.microsoft.com).
fn denied_hint(port: u16, is_windows: bool) -> String {
    if is_windows {
        format!(
            "another program has UDP port {port} and does not share it (both must set --reuse-addr), or Windows reserves it (netsh interface ipv4 show excludedportrange udp tells): take another port"
        )
    } else if port < 1024 {
        "ports below 1024 need administrator rights: take one from 1024 up, such as 6000".to_owned()
    } else {
        "the system does not allow this port: take another one".to_owned()
    }
}

/// Why nothing may have come to a listener on `local`.
fn silence_hint(local: Option<SocketAddr>, filtered: u64) -> String {
    if filtered > 0 {
        return format!(
            "{} came from others and --from left them out",
            counted(filtered, "datagram", "datagrams")
        );
    }
    let check = "check the address in the sender's program, this PC's firewall, and that both are on one network";
    match local {
        Some(local) => {
            let own = if local.ip().is_unspecified() {
                SocketAddr::new(
                    if local.is_ipv4() {
                        [127, 0, 0, 1].into()
                    } else {
                        std::net::Ipv6Addr::LOCALHOST.into()
                    },
                    local.port(),
                )
            } else {
                local
            };
            format!("{check}; udpcli send {own} hello shows whether this side works")
        }
        None => check.to_owned(),
    }
}

fn join_hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => "the group was joined twice",
        _ => "name an interface that is up: --join GROUP@INTERFACE",
    }
}

/// For an address on this network that no device answers for.
const NOBODY_THERE: &str = "no device answers at that address: is the device on, on this network, and is that still its address?";

fn send_hint(peer: &SocketAddr, broadcast: bool, source: &io::Error) -> Option<String> {
    if let Some(rejected) = source.get_ref().and_then(|inner| inner.downcast_ref()) {
        return Some(match rejected {
            Rejected { by: None } => format!(
                "allow UDP to port {} in this PC's firewall (on Linux: nft list ruleset, or iptables -S OUTPUT, shows the rule)",
                peer.port()
            ),
            Rejected { by: Some(by) } => {
                format!("ask whoever runs {by} to let UDP port {} pass", peer.port())
            }
        });
    }
    match source.kind() {
        io::ErrorKind::HostUnreachable => Some(NOBODY_THERE.to_owned()),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => Some(
            "this PC has no route to that address: connect it to the board's network (Wi-Fi or cable), and check the address".to_owned(),
        ),
        io::ErrorKind::PermissionDenied if !broadcast => {
            Some("if this is a broadcast address, --broadcast allows it; otherwise a firewall on this machine forbids sending there".to_owned())
        }
        io::ErrorKind::PermissionDenied => Some("a firewall on this machine forbids sending there".to_owned()),
        io::ErrorKind::InvalidInput if lacks_zone(peer) => {
            let name = interface::for_link_local();
            Some(format!("a link-local address needs its interface: [{}%{name}]:{}", peer.ip(), peer.port()))
        }
        io::ErrorKind::InvalidInput => Some("an address of this machine's own (--bind) that cannot reach the peer gives this too".to_owned()),
        _ => None,
    }
}

fn lacks_zone(peer: &SocketAddr) -> bool {
    matches!(peer, SocketAddr::V6(v6) if v6.scope_id() == 0 && v6.ip().is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_denied_means_something_else_on_windows() {
        assert!(denied_hint(80, false).contains("administrator"));
        let windows = denied_hint(80, true);
        assert!(!windows.contains("administrator"), "{windows}");
        assert!(windows.contains("UDP port 80") && windows.contains("both must set --reuse-addr"));
        assert!(windows.contains("excludedportrange udp"));
    }
}
