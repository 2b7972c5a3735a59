//! What differs between operating systems, in one place: each file here offers the same names.
//!
//! Where a system lacks something, its file says so to the user (an error that names the option) or falls back to the
//! plain way with the same result.

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

/// The error that the network reported for an earlier datagram, if any (`SO_ERROR`).
#[must_use]
pub(crate) fn take_error(socket: &UdpSocket) -> Option<io::Error> {
    SockRef::from(socket).take_error().ok().flatten()
}
