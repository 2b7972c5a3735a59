//! Reports when an interface, an address or an IPv4 route appears or disappears: rtnetlink(7). It does not read what
//! changed: the caller reads the lists again.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// `RTMGRP_LINK`, `RTMGRP_IPV4_IFADDR`, `RTMGRP_IPV4_ROUTE` and `RTMGRP_IPV6_IFADDR` of rtnetlink.h. The default route,
/// which shows the most likely network of a board, appears a moment after the address.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100;

/// A netlink socket that receives change notifications.
#[derive(Debug)]
pub(crate) struct InterfaceWatch {
    /// The netlink socket, registered with tokio.
    socket: AsyncFd<Handle>,
}

#[derive(Debug)]
struct Handle(OwnedFd);

impl AsRawFd for Handle {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl InterfaceWatch {
    /// Starts to watch.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            flags,
            SockProtocol::NetlinkRoute,
        )?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for handles that lend their descriptor; ours owns it"
        )]
        let socket = AsyncFd::with_interest(Handle(socket), Interest::READABLE)?;
        Ok(Self { socket })
    }

    /// Resolves when something changed. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        loop {
            let Ok(mut ready) = self.socket.readable().await else {
                // The runtime is about to stop.
                return std::future::pending().await;
            };
            let mut has_changed = false;
            let mut buffer = [0; 4096];
            loop {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
                match recv(self.socket.as_raw_fd(), &mut buffer, flags) {
                    // ENOBUFS means that the socket's buffer overflowed, so something changed.
                    Ok(_) | Err(Errno::ENOBUFS) => has_changed = true,
                    Err(Errno::EINTR) => {}
                    Err(_) => break,
                }
            }
            ready.clear_ready();
            if has_changed {
                return;
            }
        }
    }
}
