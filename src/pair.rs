//! The PC and the board tested together: steps in order, each with a result, and what the results mean.
//!
//! - [`run`] goes through the steps with one board; [`report`] is what they found, [`diagnosis`] what it means.
//! - `talk` runs our program on the board, `measure` sends and receives meanwhile, `post` has the PC's sockets.
//! - [`text`], [`json`] and [`junit`] show a report; [`simulate`] is a board for who has none.
//!
//! It stands on `net` and `board`, and knows neither `cli` nor stdout.

mod counts;
mod datagram;
pub mod diagnosis;
pub mod json;
pub mod junit;
mod measure;
mod oled;
pub mod owner;
pub mod post;
pub mod report;
mod run;
pub mod simulate;
mod steps;
mod talk;
pub mod text;
pub mod watch;
mod wifi;

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

/// What is tested, and how: the arguments, checked and filled in.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The Wi-Fi to join; none to stay in the one the board is in.
    pub wifi: Option<Wifi>,
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
