//! The tutorial's two programs in our own words, filled in for a lesson and sent, not stored.

use std::fmt::Write as _;
use std::net::SocketAddrV4;
use std::time::Duration;

use crate::board::literal;

/// Joins the Wi-Fi, and forgets the password.
const WIFI: &str = include_str!("scripts/wifi.py");
const CLIENT: &str = include_str!("scripts/client.py");
const SERVER: &str = include_str!("scripts/server.py");

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Example {
    /// Sends a message every two seconds
    Client,
    /// Prints what arrives and draws it on the OLED
    Server,
}

/// What is filled in.
#[derive(Clone)]
pub struct Settings {
    /// Wi-Fi name and password; none to stay in the one the board is in.
    pub wifi: Option<(String, String)>,
    /// Where the client sends.
    pub target: Option<SocketAddrV4>,
    /// Where the server listens.
    pub port: u16,
    /// The client's time between two datagrams.
    pub interval: Duration,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The password stays out of every log.
        f.debug_struct("Settings")
            .field("ssid", &self.wifi.as_ref().map(|(ssid, _)| ssid))
            .field("target", &self.target)
            .field("port", &self.port)
            .field("interval", &self.interval)
            .finish()
    }
}

impl Example {
    /// The program's source with the settings in front.
    #[must_use]
    pub fn source(self, settings: &Settings) -> Vec<u8> {
        let (ssid, password) = settings.wifi.as_ref().map_or(
            (String::from("None"), String::from("None")),
            |(ssid, password)| (literal::quoted(ssid), literal::quoted(password)),
        );
        let mut source = format!("SSID = {ssid}\nPASSWORD = {password}\n");
        // Writing to a String cannot fail.
        match (self, settings.target) {
            (Self::Client, target) => {
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
                let _ = write!(source, "PORT = {}\n{WIFI}{SERVER}", settings.port);
            }
        }
        source.into_bytes()
    }
}
