//! Reads network errors about sent datagrams from the socket's error queue (`IP_RECVERR`, ip(7)).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::receive::socket_address;

/// Messages to read with the first system call. More than one, so that a short read shows that the queue is empty and
/// saves a second call.
const FIRST_REPORTS: usize = 8;

/// Messages to read with each further system call.
const MORE_REPORTS: usize = 64;

/// An error that the network reported for a sent datagram.
#[derive(Debug)]
pub(crate) enum NetworkError {
    /// ICMP port unreachable: no program listens on that port.
    Refused,
    /// A firewall rejected the datagram: the one on host `by`, or this machine's own.
    Rejected { by: Option<IpAddr> },
    /// The packet is longer than the path MTU.
    TooBig { mtu: u32 },
    /// The host or its network is unreachable; `by` is the host that reported it, if it was not this machine.
    Unreachable {
        error: io::Error,
        by: Option<IpAddr>,
    },
}

/// With `IP_RECVERR`, errors reach unconnected sockets too.
pub(crate) fn reports_errors_unconnected() -> bool {
    true
}

/// Enables reports of ICMP errors and of drops in the device queue (`IP_RECVERR`, ip(7)).
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

/// Drains the socket's error queue. `error` is the error of a send or receive call, as a sign that the queue may not be
/// empty. Stops after about `most` reports, so that a hostile network cannot keep the caller busy. `is_own` tells
/// whether an address is this machine's.
pub(crate) fn network_errors(
    socket: &UdpSocket,
    error: Option<&io::Error>,
    most: usize,
    is_own: &mut dyn FnMut(IpAddr) -> bool,
) -> Vec<NetworkError> {
    let mut reports = Vec::new();
    // Each message contains the beginning of its datagram, which is not needed here.
    let mut payloads = vec![[0; 64]; FIRST_REPORTS];
    while reports.len() < most {
        let at_once = payloads.len();
        // Room for everything that the socket's other options add, or the kernel would cut the control messages off.
        let control = nix::cmsg_space!(
            nix::libc::sock_extended_err,
            nix::libc::sockaddr_in6,
            TimeSpec,
            nix::libc::in6_pktinfo,
            nix::libc::in_pktinfo
        );
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(at_once, Some(control));
        let mut buffers: Vec<[IoSliceMut<'_>; 1]> = payloads
            .iter_mut()
            .map(|payload| [IoSliceMut::new(payload)])
            .collect();
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let Ok(messages) = recvmmsg(
            socket.as_raw_fd(),
            &mut headers,
            buffers.iter_mut(),
            flags,
            None,
        ) else {
            break;
        };
        let mut count = 0;
        for message in messages {
            count += 1;
            // In the error queue, `msg_name` is the destination of the original datagram (ip(7)).
            let destination = message.address.as_ref().and_then(socket_address);
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
                // A local error has no host that reported it; the kernel leaves the address unspecified.
                let by = by.filter(|by| {
                    !by.is_unspecified() && report.ee_origin != nix::libc::SO_EE_ORIGIN_LOCAL
                });
                reports.push(read(&report, by, destination, is_own));
            }
        }
        if count < at_once {
            break;
        }
        payloads.resize(MORE_REPORTS, [0; 64]);
    }
    // Clear tokio's error readiness: the queue is drained.
    let _: io::Result<()> =
        socket.try_io(Interest::ERROR, || Err(io::ErrorKind::WouldBlock.into()));
    // The same error is also pending in SO_ERROR; clear it, or the next call would return it again.
    if reports.is_empty() {
        if error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            reports.push(NetworkError::Refused);
        }
    } else if error.is_none() {
        drop(crate::udp::system::take_error(socket));
    }
    reports
}

/// Interprets one report. `by` is the host that sent it, `destination` is the datagram's destination.
fn read(
    report: &nix::libc::sock_extended_err,
    by: Option<IpAddr>,
    destination: Option<SocketAddr>,
    is_own: &mut dyn FnMut(IpAddr) -> bool,
) -> NetworkError {
    let errno = i32::try_from(report.ee_errno).unwrap_or(0);
    // If no neighbour answers, or this machine's own firewall rejects, the report comes from this machine.
    let is_peer = destination.is_none_or(|to| by.is_none_or(|by| by == to.ip()));
    let mut other = || by.filter(|by| !is_own(*by));
    let is_prohibited = match report.ee_origin {
        // Communication administratively prohibited: codes 9, 10 and 13 of destination unreachable (RFC 1812, 5.2.7.1).
        nix::libc::SO_EE_ORIGIN_ICMP => {
            report.ee_type == 3 && matches!(report.ee_code, 9 | 10 | 13)
        }
        // Codes 1 and 5 of destination unreachable (RFC 4443, 3.1).
        nix::libc::SO_EE_ORIGIN_ICMP6 => report.ee_type == 1 && matches!(report.ee_code, 1 | 5),
        _ => false,
    };
    match errno {
        _ if is_prohibited => NetworkError::Rejected { by: other() },
        nix::libc::ECONNREFUSED if is_peer => NetworkError::Refused,
        // Only the destination knows that no program listens on the port; from any other host, port unreachable comes
        // from a firewall.
        nix::libc::ECONNREFUSED => NetworkError::Rejected { by: other() },
        nix::libc::EMSGSIZE => NetworkError::TooBig {
            mtu: report.ee_info,
        },
        _ => NetworkError::Unreachable {
            error: io::Error::from_raw_os_error(errno),
            by: other(),
        },
    }
}

/// Whether a send failed because this machine's firewall dropped that datagram: netfilter's `EPERM`. No ICMP error is
/// mapped to `EPERM` (`icmp_err_convert`, net/ipv4/icmp.c).
pub(crate) fn is_own_firewall(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::EPERM)
}

/// Resolves when the network reports an error.
pub(crate) async fn error_reported(socket: &UdpSocket) {
    if socket.ready(Interest::ERROR).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Whether a receive error is an ICMP error for an earlier answer and not a problem of the socket.
pub(crate) fn is_of_an_answer(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

/// Whether the device queue is full at the moment.
pub(crate) fn is_queue_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::libc::ENOBUFS)
}
