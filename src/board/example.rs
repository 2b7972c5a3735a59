//! The tutorial's two programs in our own code. udpcli fills in the settings and sends them; the board does not store
//! them.

use std::fmt::Write as _;
use std::net::SocketAddrV4;
use std::time::Duration;

use crate::board::literal;
use crate::board::model::Model;

/// Joins the Wi-Fi, then deletes the password.
const WIFI: &str = include_str!("scripts/wifi.py");
/// Sends; its settings are `HOST`, `PORT` and `INTERVAL_MS`.
const CLIENT: &str = include_str!("scripts/client.py");
/// Receives and draws; its setting is `PORT`.
const SERVER: &str = include_str!("scripts/server.py");

/// What the server draws with: the OLED if there is one, or `lv_oled` of the board 3.0.
const OLED: &str = include_str!("scripts/server_oled.py");
/// The same functions as in [`OLED`], for a colour display.
const LCD: &str = include_str!("scripts/server_lcd.py");

/// Which of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Example {
    /// Sends a message every two seconds.
    Client,
    /// Prints the received text and draws it on the OLED.
    Server,
}

/// The settings to fill in.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Wi-Fi name and password; `None` keeps the board's current Wi-Fi.
    pub(crate) wifi: Option<(String, String)>,
    /// The destination of the client.
    pub(crate) target: Option<SocketAddrV4>,
    /// The port of the server.
    pub(crate) port: u16,
    /// The client's interval between two datagrams.
    pub(crate) interval: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keep the password out of logs.
        f.debug_struct("Settings")
            .field("ssid", &self.wifi.as_ref().map(|(ssid, _)| ssid))
            .field("target", &self.target)
            .field("port", &self.port)
            .field("interval", &self.interval)
            .finish()
    }
}

impl Example {
    /// The program's source code with the settings at the top, for this board. On a board that udpcli does not know by
    /// its name, the program itself finds out whether there is an OLED, and works without one.
    #[must_use]
    pub(crate) fn source(self, settings: &Settings, board: Option<Model>) -> Vec<u8> {
        let display = if board == Some(Model::Mpython3) {
            LCD
        } else {
            OLED
        };
        let (ssid, password) = settings.wifi.as_ref().map_or(
            // Python's `None`: the program then keeps the Wi-Fi that the board is in.
            (String::from("None"), String::from("None")),
            |(ssid, password)| (literal::quoted(ssid), literal::quoted(password)),
        );
        let mut source = format!("SSID = {ssid}\nPASSWORD = {password}\n");
        // Writing to a String cannot fail.
        match (self, settings.target) {
            (Self::Client, target) => {
                // The address in the tutorial's own text.
                let target = target.unwrap_or(SocketAddrV4::new([192, 168, 0, 3].into(), 6000));
                let _ = write!(
                    source,
                    "HOST = '{}'\nPORT = {}\nINTERVAL_MS = {}\n{WIFI}{CLIENT}",
                    target.ip(),
                    target.port(),
                    settings.interval.as_millis(),
                );
            }
            (Self::Server, _) => {
                let _ = write!(source, "PORT = {}\n{WIFI}{display}{SERVER}", settings.port);
            }
        }
        source.into_bytes()
    }
}
