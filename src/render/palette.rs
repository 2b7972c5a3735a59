//! Colours of the 256 that terminals have, for light and dark terminals and for people who cannot tell red from green.

use std::net::{IpAddr, SocketAddr};

/// Neither light nor dark: each has a contrast of at least 3 to 1 against both white and black.
const SENDERS: [u8; 8] = [32, 130, 64, 133, 30, 161, 62, 101];

/// Texts and signs on the terminal's own background.
pub(crate) const BLUE: u8 = 32;
pub(crate) const ORANGE: u8 = 166;
pub(crate) const RED: u8 = 160;
/// The help's headings, and text to type literally.
pub(crate) const HEADING: u8 = 28;
pub(crate) const LITERAL: u8 = 31;

/// White on a green that leans to blue, on a red and on a blue: a verdict, and none yet.
pub(crate) const ON_VERDICT: u8 = 231;
pub(crate) const WORKS: u8 = 29;
pub(crate) const PROBLEM: u8 = 160;
pub(crate) const NO_VERDICT: u8 = 25;

/// Verdicts on the terminal's own background, and the warnings of the log: a terminal's own yellow and green are hard to read on
/// white.
pub(crate) const PASSED: &str = "38;5;29";
pub(crate) const WARNED: &str = "38;5;166";
pub(crate) const FAILED: &str = "1;38;5;160";

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

    /// Red, green and blue light of a colour of the 6x6x6 cube (sRGB, from 0 to 1).
    fn light(color: u8) -> [f64; 3] {
        let number = u32::from(color - 16);
        [number / 36, number / 6 % 6, number % 6].map(|step| {
            let value = [0.0, 95.0, 135.0, 175.0, 215.0, 255.0][step as usize] / 255.0_f64;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// Relative luminance (WCAG 2).
    fn luminance(color: u8) -> f64 {
        let [red, green, blue] = light(color);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// How people without one kind of receptor see a colour: the matrices of Vienot, Brettel and Mollon (1999), for
    /// protanopia and deuteranopia.
    fn seen_without_red_or_green(color: u8) -> [[f64; 3]; 2] {
        let [red, green, blue] = light(color);
        [
            (0.112_38, 0.887_62, 0.004_01),
            (0.292_75, 0.707_25, -0.022_34),
        ]
        .map(|(r, g, b)| {
            let yellow = r * red + g * green;
            [yellow, yellow, b * red - b * green + blue]
        })
    }

    #[test]
    fn verdicts_and_loss_differ_for_everybody() {
        for (one, other) in [(WORKS, PROBLEM), (BLUE, ORANGE), (NO_VERDICT, PROBLEM)] {
            let pairs = seen_without_red_or_green(one)
                .into_iter()
                .zip(seen_without_red_or_green(other));
            for (one_seen, other_seen) in pairs {
                let distance = one_seen
                    .iter()
                    .zip(other_seen)
                    .map(|(one, other)| (one - other).powi(2))
                    .sum::<f64>()
                    .sqrt();
                assert!(distance > 0.1, "{one} and {other}: {distance:.2}");
            }
        }
    }

    #[test]
    fn white_is_readable_on_every_verdict() {
        for color in [WORKS, PROBLEM, NO_VERDICT] {
            let contrast = (luminance(ON_VERDICT) + 0.05) / (luminance(color) + 0.05);
            assert!(contrast >= 4.5, "{color}: {contrast:.2}");
        }
    }

    #[test]
    fn every_colour_is_readable_on_white_and_on_black() {
        let verdicts = [PASSED, WARNED, FAILED]
            .map(|sgr| sgr.rsplit(';').next().and_then(|color| color.parse().ok()))
            .map(|color| color.expect("a colour"));
        let others = [BLUE, ORANGE, RED, HEADING, LITERAL]
            .into_iter()
            .chain(verdicts);
        for color in SENDERS.into_iter().chain(others) {
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
