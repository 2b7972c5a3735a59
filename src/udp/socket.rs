//! Opens UDP sockets with the requested options, and logs each step under the name that the tutorial uses.
//!
//! Limits and option names are those of the sockets API: socket(7), ip(7), ipv6(7), udp(7).

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use crate::datagram::unspecified;
use crate::udp::batch;
use crate::udp::error::{Error, Purpose};
use crate::udp::membership::{Group, Memberships};
use crate::udp::receive::ReceiveOptions;
use crate::udp::{interface, system};

/// The default receive buffer size to request. The kernel caps it at the limit for ordinary users (`net.core.rmem_max`
/// on Linux). A larger buffer holds a sender's burst; datagrams that do not fit are dropped.
const WANTED_RECV_BUFFER: usize = 32 << 20;

/// The minimum receive buffer size to request. Some systems refuse a size instead of capping it; udpcli then halves the
/// size until it is accepted or below this.
const LEAST_RECV_BUFFER: usize = 256 << 10;

/// Options of both kinds of sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sharing {
    /// `SO_REUSEADDR`.
    pub(crate) reuse_addr: bool,
    /// `SO_REUSEPORT`.
    pub(crate) reuse_port: bool,
    /// Use this network interface only.
    pub(crate) interface: Option<String>,
}

/// How to open a socket for sending.
#[derive(Debug, Clone, Default)]
pub(crate) struct SendOptions {
    /// Address reuse and interface.
    pub(crate) sharing: Sharing,
    /// The local address to send from; the operating system chooses if `None`.
    pub(crate) bind: Option<SocketAddr>,
    /// `SO_BROADCAST`.
    pub(crate) broadcast: bool,
    /// TTL or hop limit, for unicast and multicast.
    pub(crate) ttl: Option<u8>,
    /// The outgoing interface for multicast: a name, an index or an address.
    pub(crate) multicast_if: Option<String>,
    /// Whether this machine receives its own multicast datagrams.
    pub(crate) multicast_loop: Option<bool>,
    /// The type-of-service byte (DSCP and ECN).
    pub(crate) tos: Option<u8>,
    /// `SO_SNDBUF`, in bytes.
    pub(crate) send_buffer: Option<usize>,
    /// Options for receiving replies; `None` if there is no need to receive.
    pub(crate) replies: Option<ReceiveOptions>,
}

/// How to open a socket for listening.
#[derive(Debug, Clone)]
pub(crate) struct ListenOptions {
    /// What the socket is for.
    pub(crate) purpose: Purpose,
    /// Address reuse and interface.
    pub(crate) sharing: Sharing,
    /// The local address to listen on; with port 0 the operating system chooses a port.
    pub(crate) local: SocketAddr,
    /// `IPV6_V6ONLY`, for the IPv6 wildcard address: do not receive IPv4 datagrams.
    pub(crate) only_v6: bool,
    /// Multicast groups to join, of this socket's address family.
    pub(crate) groups: Vec<Group>,
    /// With port 0: the index of an already opened socket whose port this socket shares.
    pub(crate) port_of: Option<usize>,
    /// `SO_RCVBUF`, in bytes; `None` requests as much as an ordinary user may have.
    pub(crate) recv_buffer: Option<usize>,
    /// Options for receiving.
    pub(crate) receive: ReceiveOptions,
}

/// A bound socket. It logs `close` when it is dropped.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The socket, registered with tokio.
    pub(crate) socket: UdpSocket,
    /// Its local address.
    pub(crate) local: SocketAddr,
}

impl Drop for Bound {
    fn drop(&mut self) {
        tracing::debug!("close");
    }
}

/// Opens a socket of the address's family.
fn create(address: &SocketAddr) -> Result<Socket, Error> {
    let domain = Domain::for_address(*address);
    tracing::debug!(
        "socket {} SOCK_DGRAM",
        if address.is_ipv4() {
            "AF_INET"
        } else {
            "AF_INET6"
        }
    );
    Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).map_err(|source| Error::Socket {
        object: address.to_string(),
        source,
    })
}

/// Logs and sets one option.
fn set(option: impl FnOnce() -> String, result: io::Result<()>) -> Result<(), Error> {
    let option = option();
    tracing::debug!("setsockopt {option}");
    result.map_err(|source| Error::Option { option, source })
}

/// Sets the options that decide who may use the same address, and through which interface.
fn share(socket: &Socket, sharing: &Sharing, is_v4: bool) -> Result<(), Error> {
    if sharing.reuse_addr {
        set(
            || "SO_REUSEADDR 1".to_owned(),
            socket.set_reuse_address(true),
        )?;
    }
    if sharing.reuse_port {
        set(|| "SO_REUSEPORT 1".to_owned(), system::reuse_port(socket))?;
    }
    if let Some(name) = &sharing.interface {
        let found = interface::find(name)?;
        set(
            || format!("{} {}", system::bound_interface(is_v4), found.name),
            system::bind_to_interface(socket, &found.name, found.index, is_v4),
        )?;
    }
    Ok(())
}

/// Binds with the zone that a link-local address needs. `purpose` is for the error's advice.
fn bind(socket: &Socket, local: &SocketAddr, purpose: Purpose) -> Result<(), Error> {
    let local = &with_zone(*local)?;
    tracing::debug!("bind {local}");
    take_address(socket, local, purpose)
}

/// Binds, and explains a failure.
fn take_address(socket: &Socket, local: &SocketAddr, purpose: Purpose) -> Result<(), Error> {
    socket.bind(&SockAddr::from(*local)).map_err(|source| {
        // With port 0, `EADDRINUSE` means that all ephemeral ports are in use (ip(7)).
        if local.port() == 0 && source.kind() == io::ErrorKind::AddrInUse {
            return Error::NoFreePort {
                local: local.ip(),
                source,
            };
        }
        // The user probably mistyped one of this machine's addresses: the error lists them.
        let known = if source.kind() == io::ErrorKind::AddrNotAvailable {
            interface::own_addresses()
        } else {
            Vec::new()
        };
        Error::Bind {
            local: *local,
            known,
            purpose,
            source,
        }
    })
}

/// Adds the zone to a local link-local address: it is the interface that has the address.
fn with_zone(local: SocketAddr) -> Result<SocketAddr, Error> {
    match local {
        SocketAddr::V6(mut v6) if v6.scope_id() == 0 && v6.ip().is_unicast_link_local() => {
            let found = interface::with_address((*v6.ip()).into());
            if let [first, second, ..] = found.as_slice() {
                return Err(Error::AmbiguousZone {
                    address: (*v6.ip()).into(),
                    first: first.name.clone(),
                    second: second.name.clone(),
                });
            }
            // Linux refuses a link-local address without a zone (EINVAL, ipv6(7)).
            v6.set_scope_id(found.first().map_or(0, |found| found.index));
            Ok(v6.into())
        }
        _ => Ok(local),
    }
}

/// Makes the socket non-blocking and registers it with tokio.
fn finish(socket: Socket, local: &SocketAddr) -> Result<Bound, Error> {
    let failed = |source| Error::Socket {
        object: local.to_string(),
        source,
    };
    socket.set_nonblocking(true).map_err(failed)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(failed)?;
    let local = socket.local_addr().map_err(failed)?;
    Ok(Bound { socket, local })
}

/// Opens a socket for sending to `peer`, without connecting it.
///
/// # Errors
/// The operating system refuses the socket, an option or the address.
pub(crate) fn open_sender(options: &SendOptions, peer: SocketAddr) -> Result<Bound, Error> {
    if let Some(local) = options
        .bind
        .filter(|local| local.is_ipv4() != peer.is_ipv4())
    {
        return Err(Error::OtherFamily {
            local: local.ip(),
            peer,
        });
    }
    let socket = create(&peer)?;
    share(&socket, &options.sharing, peer.is_ipv4())?;
    if options.broadcast {
        set(|| "SO_BROADCAST 1".to_owned(), socket.set_broadcast(true))?;
    }
    if let Some(size) = options.send_buffer {
        set(
            || format!("SO_SNDBUF {size}"),
            socket.set_send_buffer_size(size),
        )?;
        // Linux caps the size without an error, and reports twice what it granted (socket(7)): so it is read back.
        let granted = system::usable_buffer(socket.send_buffer_size().unwrap_or(size));
        if granted < size {
            tracing::warn!(
                say = "udp.send-buffer",
                granted,
                size,
                limit = system::SEND_BUFFER_LIMIT
            );
        }
    }
    if let Some(ttl) = options.ttl {
        set_ttl(&socket, ttl, peer.is_ipv4())?;
    }
    if let Some(tos) = options.tos {
        if peer.is_ipv4() {
            set(
                || format!("IP_TOS {tos}"),
                socket.set_tos_v4(u32::from(tos)),
            )?;
        } else {
            set(
                || format!("IPV6_TCLASS {tos}"),
                system::set_traffic_class_v6(&socket, tos),
            )?;
        }
    }
    if let Some(on) = options.multicast_loop {
        let value = u8::from(on);
        if peer.is_ipv4() {
            set(
                || format!("IP_MULTICAST_LOOP {value}"),
                socket.set_multicast_loop_v4(on),
            )?;
        } else {
            set(
                || format!("IPV6_MULTICAST_LOOP {value}"),
                socket.set_multicast_loop_v6(on),
            )?;
        }
    }
    if let Some(name) = &options.multicast_if {
        if peer.is_ipv4() {
            let found = interface::find(name)?;
            // If the user gave an address, it also becomes the source address.
            let source = name.parse().ok();
            set(
                || format!("IP_MULTICAST_IF {}", found.name),
                system::set_multicast_if_v4(&socket, &found, source)?,
            )?;
        } else {
            let found = interface::find(name)?;
            set(
                || format!("IPV6_MULTICAST_IF {}", found.name),
                socket.set_multicast_if_v6(found.index),
            )?;
        }
    }
    if let Some(receive) = &options.replies {
        batch::prepare(&socket, peer.is_ipv4(), receive);
        set_recv_buffer(&socket, None)?;
    }
    if let Some(mut local) = options.bind {
        // Both ends of a link-local path are on the same link, so take the zone from the peer.
        if let (SocketAddr::V6(local), SocketAddr::V6(peer)) = (&mut local, &peer)
            && local.scope_id() == 0
            && local.ip().is_unicast_link_local()
        {
            local.set_scope_id(peer.scope_id());
        }
        bind(&socket, &local, Purpose::Send)?;
    } else {
        // Bind explicitly, although the first send would bind too. If no port is free, that send fails with EAGAIN,
        // which looks like a full send buffer, and we would wait forever. Also, Windows cannot receive on a socket
        // before it is bound or has sent.
        take_address(&socket, &unspecified(&peer, 0), Purpose::Send)?;
    }
    finish(socket, &peer)
}

/// Sets the TTL or hop limit for unicast and multicast: they are separate options.
fn set_ttl(socket: &Socket, ttl: u8, is_v4: bool) -> Result<(), Error> {
    let value = u32::from(ttl);
    if is_v4 {
        // IP_TTL does not accept 0. For multicast, 0 means that the datagram stays on this machine (ip(7)).
        if ttl > 0 {
            set(|| format!("IP_TTL {ttl}"), socket.set_ttl_v4(value))?;
        }
        set(
            || format!("IP_MULTICAST_TTL {ttl}"),
            socket.set_multicast_ttl_v4(value),
        )
    } else {
        set(
            || format!("IPV6_UNICAST_HOPS {ttl}"),
            socket.set_unicast_hops_v6(value),
        )?;
        set(
            || format!("IPV6_MULTICAST_HOPS {ttl}"),
            socket.set_multicast_hops_v6(value),
        )
    }
}

/// Opens a socket for listening.
///
/// # Errors
/// The operating system refuses the socket, an option, the address or a group.
pub(crate) fn open_listener(options: &ListenOptions) -> Result<(Bound, Memberships), Error> {
    let local = options.local;
    let socket = create(&local)?;
    if local.is_ipv6() {
        // Set in both cases: the default differs between systems (`net.ipv6.bindv6only` on Linux, on by default under
        // Windows).
        let only = options.only_v6 || !local.ip().is_unspecified();
        set(
            || format!("IPV6_V6ONLY {}", u8::from(only)),
            socket.set_only_v6(only),
        )?;
    }
    share(&socket, &options.sharing, local.is_ipv4())?;
    set_recv_buffer(&socket, options.recv_buffer)?;
    batch::prepare(&socket, local.is_ipv4(), &options.receive);
    bind(&socket, &local, options.purpose)?;
    system::only_joined_groups(&socket, local.is_ipv4());
    if local.is_ipv6() && !options.only_v6 {
        system::only_joined_groups(&socket, true);
    }
    let memberships = Memberships::join(&socket, options.groups.clone())?;
    Ok((finish(socket, &local)?, memberships))
}

fn set_recv_buffer(socket: &Socket, asked: Option<usize>) -> Result<(), Error> {
    if let Some(size) = asked {
        set(
            || format!("SO_RCVBUF {size}"),
            socket.set_recv_buffer_size(size),
        )?;
        let granted = system::usable_buffer(socket.recv_buffer_size().unwrap_or(size));
        if granted < size {
            tracing::warn!(
                say = "udp.receive-buffer",
                granted,
                size,
                limit = system::RECEIVE_BUFFER_LIMIT
            );
        }
        return Ok(());
    }
    let mut size = WANTED_RECV_BUFFER;
    while size >= LEAST_RECV_BUFFER && socket.set_recv_buffer_size(size).is_err() {
        size /= 2;
    }
    if let Ok(granted) = socket.recv_buffer_size() {
        tracing::debug!(
            "setsockopt SO_RCVBUF {size} -> {}",
            system::usable_buffer(granted)
        );
    }
    Ok(())
}

/// A reference to the socket for setting options.
pub(crate) fn options_of(bound: &Bound) -> SockRef<'_> {
    SockRef::from(&bound.socket)
}
