//! Asks devices whether a program listens on UDP port 6000.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};

use crate::survey::find::MESSAGE;

/// The port of the tutorial's programs.
pub(crate) const PORT: u16 = 6000;

/// The most devices to ask; each takes a socket.
const MAX_ASKED: usize = 256;

/// What a device did with a datagram to the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortState {
    /// A program replied.
    Open,
    /// The device refused it (ICMP port unreachable): no program listens.
    Closed,
    /// Nothing came back: a program that does not reply, a firewall, or the datagram got lost.
    Unknown,
}

impl PortState {
    /// The value in JSON.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }
}

/// The devices that were asked.
#[derive(Debug, Default)]
pub(super) struct Probes(Vec<(Ipv4Addr, PortState, Option<UdpSocket>)>);

impl Probes {
    /// Sends one datagram, which is not empty: an empty one ends the loop of some programs.
    pub(super) fn ask(&mut self, address: Ipv4Addr) {
        let socket = if self.0.len() < MAX_ASKED {
            ask(address).ok()
        } else {
            None
        };
        self.0.push((address, PortState::Unknown, socket));
    }

    /// Reads what has come back.
    pub(super) fn tick(&mut self) {
        for (_, state, socket) in &mut self.0 {
            let Some(asked) = socket else { continue };
            // Any reply is enough. Linux truncates a longer reply without an error.
            *state = match asked.recv(&mut [0; 1]) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => PortState::Closed,
                // Windows: the reply was longer, or it was refused.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => PortState::Closed,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Ok(_) => PortState::Open,
                Err(_) => PortState::Unknown,
            };
            *socket = None;
        }
    }

    /// The result for this device.
    pub(super) fn state(&self, address: Ipv4Addr) -> PortState {
        let asked = self.0.iter().find(|(asked, ..)| *asked == address);
        asked.map_or(PortState::Unknown, |(_, state, _)| *state)
    }
}

/// Sends the datagram from a connected socket: only then does the kernel report a refusal.
fn ask(address: Ipv4Addr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect((address, PORT))?;
    socket.send(MESSAGE)?;
    Ok(socket)
}
