//! Colours that tell senders apart, of the 256 that terminals have.

use std::net::{IpAddr, SocketAddr};

/// Neither light nor dark: each has a contrast of at least 3 to 1 against both white and black.
const SENDERS: [u8; 8] = [32, 130, 64, 133, 30, 161, 62, 101];

/// The colour of a sender: the same in every run. Programs on one PC differ in the port, boards in the address: a board
/// keeps its colour when it starts again on another port.
#[must_use]
pub(crate) fn of_sender(peer: SocketAddr) -> u8 {
    let ip = peer.ip();
    let octets = match ip {
        IpAddr::V4(ip) => u32::from(ip),
        // An IPv4 sender on an IPv6 socket is the same sender.
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => u32::from(ip),
            None => ip.segments().iter().map(|part| u32::from(*part)).sum(),
        },
    };
    let port = if ip.is_loopback() { peer.port() } else { 0 };
    let number = octets.wrapping_add(port.into()) as usize;
    SENDERS.get(number % SENDERS.len()).copied().unwrap_or(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of a colour of the 6x6x6 cube (WCAG 2).
    fn luminance(color: u8) -> f64 {
        let number = u32::from(color - 16);
        let part = |step: u32| {
            let value = [0.0, 95.0, 135.0, 175.0, 215.0, 255.0][step as usize] / 255.0_f64;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(number / 36) + 0.7152 * part(number / 6 % 6) + 0.0722 * part(number % 6)
    }

    #[test]
    fn every_colour_is_readable_on_white_and_on_black() {
        for color in SENDERS {
            let luminance = luminance(color);
            let (white, black) = (1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05);
            assert!(
                white >= 3.0 && black >= 3.0,
                "{color:?}: {white:.2} {black:.2}"
            );
        }
    }

    #[test]
    fn neighbours_differ_and_a_board_keeps_its_colour() {
        let of = |text: &str| of_sender(text.parse().unwrap());
        assert_ne!(of("192.168.0.5:49153"), of("192.168.0.6:49153"));
        assert_eq!(of("192.168.0.5:49153"), of("192.168.0.5:49154"));
        assert_eq!(of("192.168.0.5:49153"), of("[::ffff:192.168.0.5]:1"));
        assert_ne!(of("127.0.0.1:49153"), of("127.0.0.1:49154"));
    }
}
