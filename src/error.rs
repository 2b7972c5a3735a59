//! What can go wrong, with the exit code and the hint of each; `docs/usage.md` has the table of codes.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "board")]
use crate::board;
use crate::net::{Rejected, interface};
#[cfg(feature = "board")]
use crate::pair;
use crate::payload::{encoding, escape, hex};
use crate::stats::counted;

/// How a [`Error::Write`] calls standard output.
pub const STDOUT: &str = "standard output";

/// A run that came to its end, or was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or stopped where stopping is the normal end: exit code 0.
    Done,
    /// Ctrl-C or SIGTERM cut short a run that had an end of its own: exit code 130.
    Interrupted,
}

impl Outcome {
    /// The process exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Interrupted => 130,
        }
    }
}

/// Every failure that crosses a module, naming the operation and its object.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant's message says what it is; the fields are the message's words"
)]
pub enum Error {
    // It ran but failed: exit code 1.
    #[error("refused: nothing listens on {peer}")]
    Refused { peer: SocketAddr },
    #[error("no reply from {peer} within {}", seconds(*.wait))]
    NoReply {
        peer: SocketAddr,
        wait: Duration,
        is_present: bool,
    },
    #[error("{} cannot be reached: no device on {interface} answers for that address", .peer.ip())]
    NoNeighbour { peer: SocketAddr, interface: String },
    #[error("{got} of {wanted} replies from {peer} within {}", seconds(*.wait))]
    TooFewReplies {
        peer: SocketAddr,
        got: u64,
        wanted: u64,
        wait: Duration,
    },
    #[error("{} from {peer}, and none equals the expected text", counted(*.got, "reply", "replies"))]
    Unexpected { peer: SocketAddr, got: u64 },
    #[error("no datagram for {}", seconds(*.timeout))]
    NoDatagram {
        timeout: Duration,
        local: Option<SocketAddr>,
        filtered: u64,
    },

    #[error(
        "the test failed{}: {}",
        if *.boards > 1 { format!(" for {failed} of {boards} boards") } else { String::new() },
        .codes.join(", ")
    )]
    Pair {
        codes: Vec<&'static str>,
        boards: usize,
        failed: usize,
        environment: bool,
    },

    #[error("the demo failed: {problem}")]
    Demo { problem: String },

    // The command line contradicts itself: exit code 2.
    #[error("{problem}")]
    Usage {
        problem: String,
        hint: Option<String>,
    },
    #[error("{what} is {len} bytes: a UDP datagram over {family} carries at most {max}")]
    TooLong {
        what: String,
        len: u64,
        max: usize,
        family: &'static str,
    },
    #[error("cannot read the escapes in {what}")]
    Escape { what: String, source: escape::Error },
    #[error("cannot read the hex digits in {text:?}")]
    Hex { text: String, source: hex::Error },
    #[error("cannot encode {what}")]
    Encode {
        what: String,
        source: encoding::Error,
    },

    // It could not run: exit code 3.
    #[error("cannot resolve {host}")]
    Resolve { host: String, source: io::Error },
    #[error("{host} has no {family} address")]
    NoSuchFamily { host: String, family: &'static str },
    #[error("no network interface is called {name}")]
    NoInterface { name: String, known: Vec<String> },
    #[error("network interface {name} has no {family} address")]
    NoInterfaceAddress { name: String, family: &'static str },
    #[error("cannot open a UDP socket for {object}")]
    Socket { object: String, source: io::Error },
    #[error("cannot set {option}")]
    Option { option: String, source: io::Error },
    #[error("cannot bind {local}")]
    Bind {
        local: SocketAddr,
        known: Vec<IpAddr>,
        listens: bool,
        source: io::Error,
    },
    #[error("no free local port on {local}")]
    NoFreePort { local: IpAddr, source: io::Error },
    #[error("cannot join multicast group {group}")]
    Join { group: String, source: io::Error },
    #[error("cannot send to {peer}")]
    Send {
        peer: SocketAddr,
        broadcast: bool,
        source: io::Error,
    },
    #[error("{failed} of {total} datagrams to {peer} did not get through")]
    SendSome {
        peer: SocketAddr,
        failed: u64,
        total: u64,
        source: io::Error,
    },
    #[error("cannot receive on {local}")]
    Receive {
        local: SocketAddr,
        source: io::Error,
    },
    #[error("cannot open {}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot read {object}")]
    Read { object: String, source: io::Error },
    #[error("cannot write {object}")]
    Write { object: String, source: io::Error },
    #[cfg(feature = "board")]
    #[error(transparent)]
    Board(#[from] board::error::Error),
    #[cfg(feature = "flash")]
    #[error(transparent)]
    Flash(#[from] board::flash::error::Error),
    #[cfg(feature = "board")]
    #[error("no board to simulate")]
    Simulate(#[source] pair::simulate::Error),
    #[error("this build of udpcli was made without {what}")]
    LeftOut {
        what: &'static str,
        feature: &'static str,
    },
    #[error("cannot start the {what}")]
    Start {
        what: &'static str,
        source: io::Error,
    },
}

impl Error {
    /// A usage error without a hint.
    pub fn usage(problem: impl Into<String>) -> Self {
        Self::Usage {
            problem: problem.into(),
            hint: None,
        }
    }

    /// A usage error that says what to try.
    pub fn usage_hint(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            problem: problem.into(),
            hint: Some(hint.into()),
        }
    }

    /// The stable code of a verdict on a board, the same whichever command came to it; none for other errors.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "board")]
            Self::Board(error) => error.code(),
            _ => None,
        }
    }

    /// The process exit code: 1 ran but failed, 2 usage, 3 could not run.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. }
            | Self::NoReply { .. }
            | Self::TooFewReplies { .. }
            | Self::Unexpected { .. }
            | Self::NoDatagram { .. }
            | Self::Demo { .. }
            | Self::Pair {
                environment: false, ..
            } => 1,
            Self::Usage { .. }
            | Self::TooLong { .. }
            | Self::Escape { .. }
            | Self::Hex { .. }
            | Self::Encode { .. } => 2,
            Self::Resolve { .. }
            | Self::NoSuchFamily { .. }
            | Self::NoNeighbour { .. }
            | Self::NoInterface { .. }
            | Self::NoInterfaceAddress { .. }
            | Self::Socket { .. }
            | Self::Option { .. }
            | Self::Bind { .. }
            | Self::NoFreePort { .. }
            | Self::Join { .. }
            | Self::Send { .. }
            | Self::SendSome { .. }
            | Self::Receive { .. }
            | Self::Open { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::LeftOut { .. }
            | Self::Pair {
                environment: true, ..
            }
            | Self::Start { .. } => 3,
            #[cfg(feature = "board")]
            Self::Simulate(_) => 3,
            #[cfg(feature = "board")]
            Self::Board(error) => error.exit_code(),
            #[cfg(feature = "flash")]
            Self::Flash(error) => error.exit_code(),
        }
    }

    /// What to try next, where we know.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Demo { .. } => Some("run the two sides in two windows and compare: udpcli listen --bind 127.0.0.1, then udpcli send 127.0.0.1:6000 hello".to_owned()),
            Self::Refused { peer } => Some(format!(
                "{} answers, but no program is listening on UDP port {} there; start the receiver first, for example: udpcli listen --port {}",
                peer.ip(),
                peer.port(),
                peer.port()
            )),
            Self::NoReply { is_present: true, peer, .. } => Some(format!(
                "the device {} is there (it answers ARP), but its program did not reply. Look at the board's screen: if the text is there, only the reply was lost. Otherwise: the program does not run, another port, or a firewall",
                peer.ip()
            )),
            Self::NoReply { .. } => Some(
                "UDP does not confirm delivery. Look at the board's screen: if the text is there, only the reply was lost. Otherwise: wrong address, a firewall, or a Wi-Fi that isolates its clients"
                    .to_owned(),
            ),
            Self::NoNeighbour { .. } => Some(NOBODY_THERE.to_owned()),
            Self::TooFewReplies { .. } => Some("-w/--wait gives late replies more time".to_owned()),
            Self::Unexpected { .. } => {
                Some("--format hex shows the replies byte by byte; a line ending counts (-e --expect 'text\\r\\n')".to_owned())
            }
            Self::NoDatagram { local, filtered, .. } => Some(silence_hint(*local, *filtered)),
            Self::Usage { hint, .. } => hint.clone(),
            Self::TooLong { .. } => Some("--file PATH --chunk 1024 sends a long payload as many datagrams".to_owned()),
            Self::Escape { .. } => Some(r"-e knows \n \r \t \0 \\ \xNN and \u{NNNN}".to_owned()),
            Self::Hex { .. } => Some("two hex digits a byte; spaces, commas, colons and 0x are allowed between bytes".to_owned()),
            Self::Resolve { host, .. } if host.trim_end_matches('.').rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("local")) => Some(format!(
                "{host} is a name that devices announce themselves (mDNS); this PC may not ask for such names (Linux: install libnss-mdns): use the address that the device shows"
            )),
            Self::Resolve { host, .. } => Some(format!("check the spelling of {host} and the DNS; an address such as 192.168.0.3 needs no DNS")),
            Self::NoSuchFamily { family, .. } => Some(format!("leave out the flag that asks for {family} only")),
            Self::NoInterface { known, .. } => Some(format!("this machine has: {}", known.join(", "))),
            Self::NoInterfaceAddress { .. } => Some("give the interface an address, or name another one".to_owned()),
            Self::Bind { local, known, listens, source } => bind_hint(local, known, *listens, source),
            Self::NoFreePort { .. } => Some(
                "programs on this PC hold every port that the system gives out (Linux: sysctl net.ipv4.ip_local_port_range): end some of them, or name a port outside of that range"
                    .to_owned(),
            ),
            Self::Join { source, .. } => Some(join_hint(source).to_owned()),
            Self::Send { peer, broadcast, source } => send_hint(peer, *broadcast, source),
            Self::SendSome { peer, source, .. } => send_hint(peer, true, source),
            Self::Option { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("the system asks for administrator rights (CAP_NET_RAW on Linux) for this".to_owned())
            }
            Self::Write { object, source } if source.kind() == io::ErrorKind::StorageFull => {
                let whole = if object == STDOUT { "" } else { "; what was written before is whole" };
                Some(format!("the disk is full{whole}"))
            }
            Self::LeftOut { feature, .. } => Some(format!("build it with cargo's default features, or --features {feature}")),
            #[cfg(feature = "board")]
            Self::Simulate(error) => error.hint(),
            #[cfg(feature = "board")]
            Self::Board(error) => error.hint(),
            #[cfg(feature = "flash")]
            Self::Flash(error) => error.hint(),
            Self::Write { .. } | Self::Encode { .. } | Self::Option { .. } | Self::Socket { .. } | Self::Receive { .. } | Self::Open { .. } | Self::Read { .. } | Self::Start { .. } | Self::Pair { .. } => None,
        }
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

/// A duration as people write it in a message: `250ms`, `2s`, `1m 30s`.
#[must_use]
pub fn seconds(duration: Duration) -> impl fmt::Display {
    struct Seconds(Duration);
    impl fmt::Display for Seconds {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let total = self.0.as_secs();
            if self.0 < Duration::from_secs(1) {
                // Three digits tell enough.
                let ms = self.0.as_secs_f64() * 1e3;
                let digits = if ms < 1.0 {
                    1e3
                } else if ms < 100.0 {
                    10.0
                } else {
                    1.0
                };
                write!(f, "{}ms", (ms * digits).round() / digits)
            } else if total < 60 {
                write!(f, "{}s", (self.0.as_secs_f64() * 100.0).round() / 100.0)
            } else {
                let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
                if hours > 0 {
                    write!(f, "{hours}h ")?;
                }
                write!(f, "{minutes}m {seconds}s")
            }
        }
    }
    Seconds(duration)
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
