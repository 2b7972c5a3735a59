//! The line that shows the listening address, and the address to type into the board's program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use unicode_width::UnicodeWidthStr as _;

use crate::firewall;
use crate::terminal::{self, Size, color, qr, status};
use crate::udp::interface;
use crate::words::{self, catalogue::say};

/// One listening socket and the options it was opened with.
#[derive(Debug)]
pub(super) struct AnnouncedSocket {
    /// The address that the socket is bound to.
    local: SocketAddr,
    /// Whether it takes no IPv4.
    only_v6: bool,
    /// The only interface that it uses, if there is one.
    interface: Option<String>,
    /// Whether an interface had the address at first: none has a group's or a broadcast address.
    had_address: bool,
    /// The line printed last.
    told: String,
}

/// Whether this PC has the address.
fn has(address: IpAddr) -> bool {
    interface::own_addresses().contains(&address)
}

impl AnnouncedSocket {
    pub(super) fn new(local: SocketAddr, only_v6: bool, interface: Option<String>) -> Self {
        Self {
            local,
            only_v6,
            interface,
            had_address: has(local.ip()),
            told: String::new(),
        }
    }

    /// Prints the line if it has changed since the last call; returns whether it had.
    fn tell(&mut self, look: Look) -> bool {
        let line = self.line();
        // A network changes often; report only the changes that concern this socket.
        if line == self.told {
            return false;
        }
        match self.card().filter(|_| look.is_boxed) {
            Some(card) => {
                tracing::info!("{}", say!("listen.at", local = self.local));
                for row in card {
                    tracing::info!("{row}");
                }
            }
            None => tracing::info!("{line}"),
        }
        self.told = line;
        true
    }

    /// The address to type, in a box; `None` if there is none, or if the terminal is too narrow even for the address.
    fn card(&self) -> Option<Vec<String>> {
        let found = self.reachable();
        let ((address, interface), others) = found.split_first()?;
        let port = self.local.port();
        let main = say!(
            "listen.card-address",
            address = address,
            port = port,
            interface = interface
        );
        let mut rows = vec![say!("listen.card"), String::new(), format!("  {main}")];
        if !others.is_empty() {
            rows.push(String::new());
            rows.push(say!("listen.card-others"));
            let others = others.iter();
            let others = others.map(|(address, name)| {
                say!("listen.card-other", address = address, interface = name)
            });
            rows.extend(others);
        }
        let columns = Size::of_stderr().columns;
        boxed(&rows, columns).or_else(|| boxed(&[main], columns))
    }

    /// The address that the board should send to, as far as it is known.
    pub(super) fn board_address(&self) -> SocketAddr {
        match self.reachable().first() {
            Some((address, _)) if self.local.ip().is_unspecified() => {
                SocketAddr::new((*address).into(), self.local.port())
            }
            _ => self.local,
        }
    }

    /// The IPv4 addresses under which other devices can reach this socket, the most likely first.
    fn reachable(&self) -> Vec<(Ipv4Addr, String)> {
        let takes_v4 = match self.local.ip() {
            IpAddr::V4(_) => true,
            // A socket on `::` takes IPv4 too, unless `IPV6_V6ONLY` is set (ipv6(7)).
            IpAddr::V6(address) => address == Ipv6Addr::UNSPECIFIED && !self.only_v6,
        };
        let mut found = interface::reachable_v4();
        found.retain(|(address, name)| {
            takes_v4
                && (self.local.ip().is_unspecified() || self.local.ip() == IpAddr::V4(*address))
                && self
                    .interface
                    .as_ref()
                    .is_none_or(|wanted| wanted == name || *wanted == address.to_string())
        });
        found
    }

    /// Whether an interface had the address, and none has it now.
    fn is_lost(&self) -> bool {
        self.had_address && !has(self.local.ip())
    }

    /// The line as it is now.
    fn line(&self) -> String {
        let local = self.local;
        if local.ip().is_loopback() {
            return say!("listen.at-loopback", local = local);
        }
        let found = self.reachable();
        if let Some(((address, interface), others)) = found.split_first() {
            let port = local.port();
            if others.is_empty() {
                return say!(
                    "listen.at-address",
                    local = local,
                    address = address,
                    port = port,
                    interface = interface
                );
            }
            let others = others.iter();
            let others = others
                .map(|(address, name)| words::address_on(address, name))
                .collect();
            return say!(
                "listen.at-addresses",
                local = local,
                address = address,
                port = port,
                interface = interface,
                others <- others
            );
        }
        let is_v4_wildcard = local.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
            || (local.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !self.only_v6);
        match &self.interface {
            _ if self.is_lost() => say!("listen.at-lost", local = local),
            _ if !is_v4_wildcard => say!("listen.at", local = local),
            Some(name) => say!("listen.at-no-address", local = local, interface = name),
            None => say!("listen.at-no-network", local = local),
        }
    }
}

/// How the address is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// In a box, which does not wrap.
    pub(super) is_boxed: bool,
    /// As a QR code as well.
    pub(super) has_qr: bool,
}

/// Prints the lines that have changed since the last call.
pub(super) fn tell(places: &mut [AnnouncedSocket], look: Look) {
    for place in places {
        if place.tell(look) && look.has_qr {
            let address = place.board_address().to_string();
            match qr::lines(&address, Size::of_stderr(), color::has_color()) {
                Some(lines) => status::print(&(lines.join("\n") + "\n")),
                None => tracing::warn!(say = "listen.qr-narrow"),
            }
        }
    }
}

/// Rows in a frame; `None` if the frame is wider than the terminal's `columns`.
fn boxed(rows: &[String], columns: usize) -> Option<Vec<String>> {
    let width = rows.iter().map(|row| row.width()).max()?;
    // On each side a line and a blank.
    if width + 4 > columns {
        return None;
    }
    let [across, down, corners @ ..] = if terminal::has_unicode() {
        ["─", "│", "┌", "┐", "└", "┘"]
    } else {
        ["-", "|", "+", "+", "+", "+"]
    };
    let [upper_left, upper_right, lower_left, lower_right] = corners;
    let line = across.repeat(width + 2);
    let mut lines = vec![format!("{upper_left}{line}{upper_right}")];
    for row in rows {
        let blanks = " ".repeat(width - row.width());
        lines.push(format!("{down} {row}{blanks} {down}"));
    }
    lines.push(format!("{lower_left}{line}{lower_right}"));
    Some(lines)
}

/// Warns once if this PC's firewall is known to drop datagrams from other devices to one of the sockets.
pub(super) fn warn_of_firewall(places: &[AnnouncedSocket]) {
    let block = places
        .iter()
        // Other devices cannot reach loopback, with or without a firewall.
        .filter(|place| !place.local.ip().is_loopback())
        .map(|place| place.local.port())
        .find_map(|port| Some((firewall::known_block(port)?, port)));
    if let Some((block, port)) = block {
        tracing::warn!("{}", words::doctor::warning(&block, port));
    }
}
