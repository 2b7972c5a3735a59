//! The platform layer: one file per operating system, each with the same functions and types.
//!
//! If an operating system lacks a feature, its file returns an error that names the option, or falls back to plain
//! calls with the same result.

use std::io;

use socket2::SockRef;
use tokio::net::UdpSocket;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::*;

/// Reads and clears the pending error of the socket (`SO_ERROR`), such as an ICMP error for an earlier datagram.
#[must_use]
pub(crate) fn take_error(socket: &UdpSocket) -> Option<io::Error> {
    SockRef::from(socket).take_error().ok().flatten()
}
