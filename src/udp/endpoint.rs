//! Parses `HOST:PORT` and resolves it to socket addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

use crate::text::fullwidth;
use crate::text::sentence::{Sentence, sentence};
use crate::text::shorten::{quoted, shortened};
use crate::udp::error::Error;
use crate::udp::interface;
use crate::udp::receive::canonical;

/// Before the name of a board, in place of a host.
const BOARD: &str = "board:";

/// The port of the tutorial's programs.
const BOARD_PORT: u16 = 6000;

/// A peer as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// An IP address or a host name, without brackets; an IPv6 zone may follow `%`. Or `board:` and a board's name.
    pub(crate) host: String,
    /// The UDP port.
    pub(crate) port: u16,
}

impl FromStr for Endpoint {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        if let Some(board) = board(text) {
            return board;
        }
        // An input method for Chinese leaves full-width colons and digits behind, which look the same on the screen.
        let text = &*fullwidth::to_ascii(text);
        if let Some((_, rest)) = text.split_once("://") {
            let rest = rest.trim_end_matches('/');
            // Someone who pastes `udp://192.168.0.5:6000` learns which part to keep.
            return Err(sentence!("value.scheme", rest = shortened(rest)));
        }
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest
                .split_once(']')
                .ok_or_else(|| sentence!("value.bracket"))?;
            let port = port
                .strip_prefix(':')
                .ok_or_else(|| sentence!("value.no-port-after-bracket", host = shortened(host)))?;
            (host, port)
        } else if is_v6(text) {
            return Err(sentence!("value.no-port-ipv6", address = shortened(text)));
        } else {
            let (host, port) = text
                .rsplit_once(':')
                .ok_or_else(|| sentence!("value.no-port"))?;
            if host.contains(':') {
                return Err(sentence!(
                    "value.brackets",
                    host = shortened(host),
                    port = shortened(port)
                ));
            }
            (host, port)
        };
        // The resolver would accept 192.168.0 and expand it to 192.168.0.0 (inet_aton(3)).
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !host.is_empty() && host.split('.').all(is_number) && host.parse::<Ipv4Addr>().is_err() {
            return Err(sentence!("value.four-numbers", host = shortened(host)));
        }
        if host.is_empty() {
            return Err(sentence!("value.no-host"));
        }
        // On a numeric keypad of some layouts, the decimal key gives a comma.
        if host.contains(',') {
            let meant = format!("{}:{port}", host.replace(',', "."));
            return Err(sentence!("value.comma", meant = shortened(&meant)));
        }
        let port: u16 = match port.parse() {
            Ok(0) => return Err(sentence!("value.port-zero")),
            Ok(port) if !port_has_sign(text) => port,
            _ => return Err(sentence!("value.no-such-port", port = quoted(port))),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

/// `board:NAME` or `board:NAME:PORT`. The name may hold colons, as a MAC address does.
fn board(text: &str) -> Option<Result<Endpoint, Sentence>> {
    let rest = text
        .strip_prefix(BOARD)
        .or_else(|| text.strip_prefix("board："))?;
    let endpoint = |name: &str, port| match name.trim() {
        "" => Err(sentence!("value.no-host")),
        name => Ok(Endpoint {
            host: format!("{BOARD}{name}"),
            port,
        }),
    };
    let is_mac = rest.split(':').count() == 6;
    let (name, port) = match rest.rsplit_once([':', '：']) {
        Some((name, port)) if !is_mac => (name, fullwidth::to_ascii(port).into_owned()),
        _ => return Some(endpoint(rest, BOARD_PORT)),
    };
    Some(match port.parse() {
        Ok(0) => Err(sentence!("value.port-zero")),
        Ok(number) if !port.starts_with('+') => endpoint(name, number),
        _ => Err(sentence!("value.no-such-port", port = quoted(&port))),
    })
}

/// Whether the whole text is an IPv6 address, with or without a zone.
fn is_v6(text: &str) -> bool {
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.parse::<Ipv6Addr>().is_ok()
}

/// `u16::from_str` accepts `+6000`, which is a typing mistake here.
fn port_has_sign(text: &str) -> bool {
    text.rsplit(':')
        .next()
        .is_some_and(|port| port.starts_with('+'))
}

/// The address family that a name may resolve to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Both, IPv4 first: boards and the tutorial's programs listen on IPv4.
    Any,
    /// IPv4 only (`-4`).
    V4,
    /// IPv6 only (`-6`).
    V6,
}

impl Family {
    /// Whether an address is of this family.
    fn allows(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    /// The name for messages.
    fn name(self) -> &'static str {
        match self {
            Self::Any => "IP",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

impl Endpoint {
    /// The name, if a board's name stands in place of a host.
    #[must_use]
    pub(crate) fn board(&self) -> Option<&str> {
        self.host.strip_prefix(BOARD)
    }

    /// The addresses to send to, in the order to try them: IPv4 first, otherwise in the resolver's order. Queries the
    /// resolver only if the host is a name.
    ///
    /// # Errors
    /// The name or the zone is unknown, or has no address of that family.
    pub(crate) async fn resolve(&self, family: Family) -> Result<Vec<SocketAddr>, Error> {
        let failed = |source| Error::Resolve {
            host: self.host.clone(),
            source,
        };
        let found: Vec<SocketAddr> = match self.literal()? {
            // Skip the resolver: it could wait for a name server that is not needed here.
            Some(address) => vec![address],
            None => tokio::net::lookup_host((self.host.as_str(), self.port))
                .await
                .map_err(failed)?
                .collect(),
        };
        if found.is_empty() {
            return Err(failed(io::Error::new(
                io::ErrorKind::NotFound,
                "the resolver knows no address",
            )));
        }
        let addresses = in_order(found, family);
        if addresses.is_empty() {
            return Err(Error::NoSuchFamily {
                host: self.host.clone(),
                family: family.name(),
            });
        }
        tracing::trace!("resolve {} -> {addresses:?}", self.host);
        Ok(addresses)
    }

    /// The address, if the host is an IP address and not a name.
    fn literal(&self) -> Result<Option<SocketAddr>, Error> {
        if let Ok(address) = self.host.parse::<Ipv4Addr>() {
            return Ok(Some(SocketAddr::new(IpAddr::V4(address), self.port)));
        }
        let (host, zone) = match self.host.split_once('%') {
            Some((host, zone)) => (host, Some(zone)),
            None => (self.host.as_str(), None),
        };
        let Ok(address) = host.parse::<Ipv6Addr>() else {
            return Ok(None);
        };
        let scope = match zone {
            Some(zone) => match (interface::find(zone), zone.strip_prefix("25")) {
                // An interface may be called `25x`, so what the user wrote comes first.
                (Ok(found), _) => found.index,
                // In URLs, %25 is the escaped % (RFC 6874).
                (Err(_), Some(decoded)) if !decoded.is_empty() => interface::find(decoded)?.index,
                (Err(error), _) => return Err(error),
            },
            None => 0,
        };
        Ok(Some(SocketAddrV6::new(address, self.port, 0, scope).into()))
    }
}

/// Keeps the addresses of this family, removes duplicates, and puts IPv4 first.
fn in_order(found: Vec<SocketAddr>, family: Family) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = Vec::with_capacity(found.len());
    for address in found.into_iter().filter(|address| family.allows(address)) {
        let address = canonical(address);
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    // A stable sort: within a family the resolver's order stays, which is its order of preference (RFC 6724).
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_tried_once_each_ipv4_first() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let found = addresses(&["[::1]:9", "127.0.0.1:9", "[::1]:9", "127.0.0.2:9"]);
        for (family, expected) in [
            (Family::Any, &["127.0.0.1:9", "127.0.0.2:9", "[::1]:9"][..]),
            (Family::V4, &["127.0.0.1:9", "127.0.0.2:9"]),
            (Family::V6, &["[::1]:9"]),
        ] {
            assert_eq!(in_order(found.clone(), family), addresses(expected));
        }
    }

    fn read(text: &str) -> Result<(String, u16), Sentence> {
        text.parse::<Endpoint>()
            .map(|endpoint| (endpoint.host, endpoint.port))
    }

    #[test]
    fn every_form_of_an_endpoint_is_read() {
        assert_eq!(
            read("192.168.0.3:6000").unwrap(),
            ("192.168.0.3".into(), 6000)
        );
        assert_eq!(read("[::1]:6000").unwrap(), ("::1".into(), 6000));
        assert_eq!(
            read("[fe80::1%eth0]:1").unwrap(),
            ("fe80::1%eth0".into(), 1)
        );
        assert_eq!(
            read("board.local:65535").unwrap(),
            ("board.local".into(), 65535)
        );
        // As a Chinese input method types it.
        for text in [
            "192.168.0.3：6000",
            "１９２。１６８。０。３：６０００",
            "“192.168.0.3:6000”",
        ] {
            assert_eq!(read(text).unwrap(), ("192.168.0.3".into(), 6000), "{text}");
        }
    }

    #[test]
    fn a_board_is_named_in_place_of_a_host() {
        for (text, name, port) in [
            ("board:小明", "小明", 6000),
            ("board:小明:7000", "小明", 7000),
            ("board：小明：７０００", "小明", 7000),
            ("board:Li Hua:6000", "Li Hua", 6000),
            ("board:24:0a:c4:00:01:17", "24:0a:c4:00:01:17", 6000),
            ("board:24:0a:c4:00:01:17:7", "24:0a:c4:00:01:17", 7),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(
                (endpoint.board(), endpoint.port),
                (Some(name), port),
                "{text}"
            );
        }
        for text in [
            "board:",
            "board::6000",
            "board:x:0",
            "board:x:+1",
            "board:x:y",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        // A host of that name.
        assert_eq!(read("board.local:1").unwrap(), ("board.local".into(), 1));
    }

    #[test]
    fn a_bad_endpoint_says_what_to_write() {
        let problem = |text: &str| read(text).unwrap_err().to_string();
        for (text, wanted) in [
            ("192.168.0.3", "value.no-port"),
            ("::1", "value.no-port-ipv6 address=::1"),
            ("fe80::1%va", "value.no-port-ipv6 address=fe80::1%va"),
            ("::1:7:8", "value.no-port-ipv6 address=::1:7:8"),
            ("udp://127.0.0.1:6000/", "value.scheme rest=127.0.0.1:6000"),
            ("192，168，0，3：6000", "value.comma meant=192.168.0.3:6000"),
            ("192.168.0.3；6000", "value.no-port"),
        ] {
            assert_eq!(problem(text), wanted, "{text}");
        }
        for text in [
            "192.168.0:6000",
            "127.1:6000",
            "1.2.3.256:6000",
            // 127.0.0.1 as one number, as some programs take it.
            "2130706433:9",
        ] {
            assert!(problem(text).starts_with("value.four-numbers"), "{text}");
        }
        for text in [
            "host:",
            "host:x",
            "host:65536",
            "host:-1",
            "host:+80",
            ":6000",
            "[::1]",
            "[::1",
            "[::1]6000",
            "host:0",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
