//! The PC and the board tested together: steps in order, each with a result, and what the results mean.
//!
//! - [`run`] goes through the steps with one board; [`report`] is what they found, [`diagnosis`] what it means.
//! - `talk` runs our program on the board, `measure` sends and receives meanwhile, `post` has the PC's sockets.
//! - [`simulate`] is a board for who has none.
//!
//! It stands on `udp` and `board`, and knows neither `cli` nor `words`: a report is data, which `cli::pair` shows.

mod counts;
mod datagram;
pub mod diagnosis;
mod failure;
mod measure;
mod oled;
pub mod owner;
pub mod post;
pub mod report;
mod run;
mod silent;
pub mod simulate;
mod steps;
mod talk;
pub mod watch;
mod wifi;
mod work;

use std::fmt;
use std::time::Duration;

pub use run::{run, watch as watch_board};

/// A Wi-Fi and its password.
#[derive(Debug, Clone)]
pub struct Wifi {
    /// Its name.
    pub ssid: String,
    /// Empty for an open network.
    pub password: Password,
}

/// A password: it goes to the board inside a line of code, and nowhere else.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes it.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The network of the board that is tested.
#[derive(Debug, Clone)]
pub enum Network {
    /// The Wi-Fi that the board is in.
    Current,
    /// This one, which the board joins for the test.
    Join(Wifi),
    /// The board's own, which this PC joins for the test.
    BoardAp(BoardAp),
}

/// The board as an access point, for the length of a test.
#[derive(Debug, Clone)]
pub struct BoardAp {
    /// Its name and password.
    pub wifi: Wifi,
    /// How long to wait until this PC is in it.
    pub wait: Duration,
    /// Asks the user to join it.
    pub announce: fn(&Join<'_>),
}

/// What the user needs to join the board's network. For the user's eyes only.
#[derive(Clone, Copy)]
pub struct Join<'a> {
    /// Its name. Untrusted: it may be one that the board had already.
    pub ssid: &'a str,
    /// None if the access point was on already, with a password that nobody can read.
    pub password: Option<&'a str>,
    /// How long the test waits.
    pub wait: Duration,
}

impl fmt::Debug for Join<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join")
            .field("ssid", &self.ssid)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

impl Wifi {
    /// A network of a random name with a random password: letters and digits that are easily told apart and typed.
    #[must_use]
    pub fn random() -> Self {
        Self {
            ssid: format!("udpcli-{}", random(4)),
            password: Password::new(random(8)),
        }
    }
}

/// Random characters, without those that are mistaken for each other. Each is one of 30 by the system's own random
/// numbers, of which the standard library keys its hashers; WPA2 takes 8 characters at least.
fn random(len: usize) -> String {
    use std::hash::{BuildHasher as _, RandomState};
    const CHARACTERS: &[u8; 30] = b"abcdefghjkmnpqrstuvwxyz2345679";
    let keyed = RandomState::new();
    (0..len)
        .filter_map(|place| {
            let number = keyed.hash_one(place) % CHARACTERS.len() as u64;
            let index = usize::try_from(number).ok()?;
            CHARACTERS.get(index).copied().map(char::from)
        })
        .collect()
}

/// What is tested, and how: the arguments, checked and filled in.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The network to test in.
    pub network: Network,
    /// The UDP port on the PC.
    pub port: u16,
    /// The UDP port on the board.
    pub board_port: u16,
    /// Datagrams of each size, each way; echoes.
    pub count: u16,
    /// Between two datagrams.
    pub interval: Duration,
    /// Payload sizes, each once, at least one, 1 to 65,507 bytes.
    pub sizes: Vec<usize>,
    /// The loss that is allowed each way, in percent.
    pub max_loss: f64,
    /// The text for the OLED.
    pub text: String,
    /// The same as it is sent.
    pub text_bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_run_has_another_network_and_password() {
        let all: HashSet<String> = (0..200)
            .map(|_| {
                let wifi = Wifi::random();
                assert_eq!(wifi.ssid.len(), 11);
                assert_eq!(wifi.password.secret().len(), 8);
                wifi.password.secret().to_owned()
            })
            .collect();
        assert_eq!(all.len(), 200);
        // No character is always at one place.
        for place in 0..8 {
            let seen: HashSet<u8> = all
                .iter()
                .map(|password| password.as_bytes()[place])
                .collect();
            assert!(seen.len() > 20, "{place}: {}", seen.len());
        }
    }

    #[test]
    fn a_password_is_in_no_debug_output() {
        let wifi = Wifi::random();
        let shown = format!("{wifi:?}");
        assert!(!shown.contains(wifi.password.secret()), "{shown}");
    }
}
