//! Tests the PC and the board together: runs the steps in order, and explains their results.
//!
//! - [`run`] runs the steps with one board; [`results`] has their results, [`diagnosis`] has the explanations.
//! - `board_session` runs our program on the board, `measure` sends and receives meanwhile, and `sockets` has the PC's sockets.
//! - [`fleet`] tests several boards side by side, and watches one.
//! - [`simulate`] replaces the board for users without a board.
//!
//! This module uses `udp` and `board`, and depends on neither `cli` nor `words`: a report is data, which `cli::pair`
//! shows.

mod board_session;
mod counts;
pub mod diagnosis;
mod failure;
pub(crate) mod fleet;
mod measure;
mod oled;
mod one_board;
mod operation;
pub(crate) mod results;
mod silent;
pub mod simulate;
pub(crate) mod sockets;
mod test_datagram;
mod traffic;
pub(crate) mod udp_port_owner;
pub(crate) mod watch;
mod wifi;

use std::fmt;
use std::time::Duration;

pub(crate) use one_board::{TestContext, run};

/// A Wi-Fi network and its password.
#[derive(Debug, Clone)]
pub(crate) struct Wifi {
    /// The network's name (SSID).
    pub(crate) ssid: String,
    /// The password; empty for an open network.
    pub(crate) password: Password,
}

/// A password. It goes to the board inside a line of code and is never printed or logged.
#[derive(Clone)]
pub(crate) struct Password(String);

impl Password {
    /// Wraps the secret.
    #[must_use]
    pub(crate) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, only for the code that goes to the board.
    fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl PairNetwork {
    /// The text without the password of this network: a board's program may print it.
    #[must_use]
    pub(crate) fn without_secret(&self, text: &str) -> String {
        let wifi = match self {
            Self::Current => return text.to_owned(),
            Self::Join(wifi) => wifi,
            Self::BoardAp(own) => &own.wifi,
        };
        match wifi.password.secret() {
            "" => text.to_owned(),
            // A board's traceback may quote the line of code that contains the password.
            secret => text.replace(secret, "***"),
        }
    }
}

/// The network in which pair tests the board.
#[derive(Debug, Clone)]
pub(crate) enum PairNetwork {
    /// The Wi-Fi that the board is connected to.
    Current,
    /// A Wi-Fi that the board joins for the test.
    Join(Wifi),
    /// The board's own access point, which this PC joins for the test.
    BoardAp(BoardAp),
}

/// The board as an access point while the test runs.
#[derive(Debug, Clone)]
pub(crate) struct BoardAp {
    /// The access point's name and password.
    pub(crate) wifi: Wifi,
    /// How long to wait for this PC to join it.
    pub(crate) wait: Duration,
    /// Asks the user to join it.
    pub(crate) announce: fn(&Join<'_>),
}

/// The network and password for joining the board's access point. Show them to the user, but do not log them.
#[derive(Clone, Copy)]
pub(crate) struct Join<'a> {
    /// The access point's name. Untrusted, because the board may have set it.
    pub(crate) ssid: &'a str,
    /// `None` if the access point was already on: udpcli cannot read its password.
    pub(crate) password: Option<&'a str>,
    /// How long the test waits for the user.
    pub(crate) wait: Duration,
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
    /// An access point with a random name and a random password, made of letters and digits that are easy to tell apart
    /// and to type.
    #[must_use]
    pub(crate) fn random() -> Self {
        Self {
            ssid: format!("udpcli-{}", random(4)),
            password: Password::new(random(8)),
        }
    }
}

/// Random characters, without those that look alike. Each is one of 30 and comes from the operating system's random
/// numbers, which the standard library uses to key its hashers. WPA2 requires at least 8 characters.
fn random(len: usize) -> String {
    use std::hash::{BuildHasher as _, RandomState};
    const CHARACTERS: &[u8; 30] = b"abcdefghjkmnpqrstuvwxyz2345679";
    // One key for all characters: each place is another value, so the characters are independent.
    let keyed = RandomState::new();
    (0..len)
        .filter_map(|place| {
            let number = keyed.hash_one(place) % CHARACTERS.len() as u64;
            let index = usize::try_from(number).ok()?;
            CHARACTERS.get(index).copied().map(char::from)
        })
        .collect()
}

/// What to test and how: the checked arguments with all defaults.
#[derive(Debug, Clone)]
pub(crate) struct PairPlan {
    /// The network to test in.
    pub(crate) network: PairNetwork,
    /// The UDP port on the PC.
    pub(crate) port: u16,
    /// The UDP port on the board.
    pub(crate) board_port: u16,
    /// The number of datagrams of each size in each direction, and of echoes.
    pub(crate) count: u16,
    /// The time between two datagrams.
    pub(crate) interval: Duration,
    /// The payload sizes, 1 to 65,507 bytes each: at least one, without duplicates.
    pub(crate) sizes: Vec<usize>,
    /// The accepted loss in each direction, in percent.
    pub(crate) max_loss: f64,
    /// The text for the OLED.
    pub(crate) text: String,
    /// The bytes of that text in the selected encoding.
    pub(crate) text_bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_run_has_a_new_network_name_and_password() {
        let all: HashSet<String> = (0..200)
            .map(|_| {
                let wifi = Wifi::random();
                assert_eq!(wifi.ssid.len(), 11);
                assert_eq!(wifi.password.secret().len(), 8);
                wifi.password.secret().to_owned()
            })
            .collect();
        assert_eq!(all.len(), 200);
        // Each position takes several values.
        for place in 0..8 {
            let seen: HashSet<u8> = all
                .iter()
                .map(|password| password.as_bytes()[place])
                .collect();
            assert!(seen.len() > 20, "{place}: {}", seen.len());
        }
    }

    #[test]
    fn debug_output_hides_the_password() {
        let wifi = Wifi::random();
        let shown = format!("{wifi:?}");
        assert!(!shown.contains(wifi.password.secret()), "{shown}");
    }
}
