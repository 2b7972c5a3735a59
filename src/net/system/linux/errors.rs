//! What the network says of datagrams that went: the socket's error queue (`IP_RECVERR`, ip(7)).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::net::interface;

/// What the network reports of a datagram that went.
#[derive(Debug)]
pub(crate) enum NetworkError {
    /// ICMP port unreachable: nothing listens there.
    Refused,
    /// A router cannot pass so long a packet whole.
    TooBig { mtu: u32 },
    /// The host or its network cannot be reached; `by` is who says so, if not this machine itself.
    Unreachable {
        error: io::Error,
        by: Option<IpAddr>,
    },
}

/// With `IP_RECVERR` errors reach unconnected sockets as well.
pub(crate) fn reports_errors_unconnected() -> bool {
    true
}

/// Asks for ICMP errors and for drops in the device's queue (`IP_RECVERR`, ip(7)).
pub(crate) fn report_errors(socket: &UdpSocket, is_v4: bool) {
    let result = if is_v4 {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)
    };
    if let Err(error) = result {
        tracing::debug!("the kernel does not report network errors: {error}");
    }
}

/// Empties the socket's error queue: what the network said of datagrams that went. `error` is what a call returned, as
/// a sign that something may be there.
pub(crate) fn network_errors(socket: &UdpSocket, error: Option<&io::Error>) -> Vec<NetworkError> {
    let mut reports = Vec::new();
    let mut own = None;
    let mut payload = [0; 64];
    loop {
        let mut control = nix::cmsg_space!(
            nix::libc::sock_extended_err,
            nix::libc::sockaddr_in6,
            TimeSpec,
            nix::libc::in6_pktinfo,
            nix::libc::in_pktinfo
        );
        let mut buffers = [IoSliceMut::new(&mut payload)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let Ok(message) =
            recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut buffers, Some(&mut control), flags)
        else {
            break;
        };
        let Ok(messages) = message.cmsgs() else {
            continue;
        };
        for message in messages {
            let (report, by) = match message {
                ControlMessageOwned::Ipv4RecvErr(report, by) => (
                    report,
                    by.map(|by| IpAddr::from(Ipv4Addr::from(by.sin_addr.s_addr.to_ne_bytes()))),
                ),
                ControlMessageOwned::Ipv6RecvErr(report, by) => {
                    (report, by.map(|by| IpAddr::from(by.sin6_addr.s6_addr)))
                }
                _ => continue,
            };
            let errno = i32::try_from(report.ee_errno).unwrap_or(0);
            match errno {
                nix::libc::ECONNREFUSED => reports.push(NetworkError::Refused),
                nix::libc::EMSGSIZE => reports.push(NetworkError::TooBig {
                    mtu: report.ee_info,
                }),
                _ => {
                    // Where no neighbour answers, it is this machine that says so.
                    let by = by.filter(|by| {
                        !by.is_unspecified()
                            && report.ee_origin != nix::libc::SO_EE_ORIGIN_LOCAL
                            && !own
                                .get_or_insert_with(interface::own_addresses)
                                .contains(by)
                    });
                    reports.push(NetworkError::Unreachable {
                        error: io::Error::from_raw_os_error(errno),
                        by,
                    });
                }
            }
        }
    }
    // Tells tokio that what it saw is dealt with.
    let _: io::Result<()> =
        socket.try_io(Interest::ERROR, || Err(io::ErrorKind::WouldBlock.into()));
    // The same error stands in SO_ERROR, and the next call would return it once more.
    if reports.is_empty() {
        if error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            reports.push(NetworkError::Refused);
        }
    } else if error.is_none() {
        drop(crate::net::socket::take_error(socket));
    }
    reports
}

/// Resolves when the network reported an error.
pub(crate) async fn error_reported(socket: &UdpSocket) {
    if socket.ready(Interest::ERROR).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Whether a failed receive says what became of an earlier answer, and nothing of the socket.
pub(crate) fn is_of_an_answer(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

/// The device's queue is full, for now.
pub(crate) fn is_queue_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::ENOBUFS)
}
