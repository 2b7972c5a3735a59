//! The board's Wi-Fi: joins it, and finds out why that failed.

mod air;
pub(super) mod own;

use std::time::Duration;

use serde_json::json;

use crate::board::literal;
use crate::pair::PairNetwork;
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::diagnosis::Diagnosis;
use crate::pair::failure::fail;
use crate::pair::measure::from_hex;
use crate::pair::operation::Work;
use crate::pair::results::{Finding, StepNote, StepResult};
use crate::text::sentence::sentence;

/// How long the board tries to connect.
const JOIN: Duration = Duration::from_secs(15);

/// The timeout for a scan, which takes 2 to 3 s.
const SCAN: Duration = Duration::from_secs(10);

/// The ESP32 status codes for a refused password: `STAT_WRONG_PASSWORD`, `STAT_HANDSHAKE_TIMEOUT`, and the radio's own
/// reasons *authentication expired* and *4-way handshake timeout*, which are more frequent with a wrong password.
const REFUSED: [i64; 4] = [202, 204, 2, 15];

/// The limit for stored scan results.
const MAX_SEEN: usize = 64;

/// The board's connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Online {
    /// Its IPv4 address, as the board writes it.
    pub(super) address: String,
    /// Its netmask.
    pub(super) netmask: String,
    /// Its router.
    pub(super) gateway: String,
    /// Its signal in dBm.
    pub(super) rssi: Option<i64>,
    /// The Wi-Fi's name; empty if unknown.
    pub(super) ssid: String,
}

/// The board's connection; `None` if it has none.
pub(super) fn online(session: &mut BoardSession) -> Result<Option<Online>, SessionError> {
    session.load()?;
    let mut online = None;
    session.call(
        Work::LookingAtWifi,
        "_pi()",
        Duration::from_secs(5),
        &mut |words: &[&str]| {
            if let ["online", address, netmask, gateway, rssi, rest @ ..] = words {
                online = Some(Online {
                    address: (*address).to_owned(),
                    netmask: (*netmask).to_owned(),
                    gateway: (*gateway).to_owned(),
                    rssi: rssi.parse().ok(),
                    ssid: rest.first().and_then(|hex| name(hex)).unwrap_or_default(),
                });
            }
        },
    )?;
    Ok(online)
}

/// The text of hexadecimal digits: a name may have any bytes, and spaces separate the words of a line.
fn name(hex: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&from_hex(hex)?).into_owned())
}

/// The scan results and the outcome of the join.
#[derive(Debug, Default)]
struct Tried {
    /// The names in the air, with their signal in dBm.
    networks: Vec<(String, i64)>,
    /// The Wi-Fi that the board left.
    left: Option<String>,
    /// Whether the board was already connected to this Wi-Fi.
    joined: Option<bool>,
    /// The radio's status after the attempt.
    status: i64,
    /// Whether the Wi-Fi was in the air.
    seen: bool,
}

/// Closes sockets that an earlier program left open: they would occupy the UDP port.
fn close_sockets(session: &mut BoardSession) -> Result<(), SessionError> {
    let doing = Work::ClosingSockets;
    session.call(doing, "_pk()", Duration::from_secs(5), &mut |_: &[&str]| {})
}

/// Connects the board to the requested network. Returns true if it has to disconnect at the end.
pub(super) fn step(
    session: &mut BoardSession,
    network: &PairNetwork,
    result: &mut StepResult,
) -> Result<(Option<Online>, bool), SessionError> {
    session.load()?;
    // Close sockets before Wi-Fi, because a stopped program leaves its socket open, even in the raw REPL.
    close_sockets(session)?;
    let wifi = match network {
        PairNetwork::Current => {
            result.tried = sentence!("pair.wifi-current").into();
            let online = online(session)?;
            match &online {
                Some(online) => describe(online, false, result),
                None => {
                    result.see(sentence!("pair.wifi-not-connected"));
                    result.fail(Finding::plain(Diagnosis::WifiNotConnected));
                }
            }
            return Ok((online, false));
        }
        PairNetwork::BoardAp(own_ap) => return Ok((own::step(session, own_ap, result)?, true)),
        PairNetwork::Join(wifi) => wifi,
    };
    result.tried = sentence!("pair.wifi-join", ssid = &wifi.ssid).into();
    let mut tried = Tried::default();
    let code = format!(
        "_pj({},{},{})",
        literal::quoted(&wifi.ssid),
        literal::quoted(wifi.password.secret()),
        JOIN.as_millis()
    );
    session.call(
        Work::JoiningWifi,
        &code,
        // If joining fails, the board scans for networks.
        JOIN + SCAN,
        &mut |words: &[&str]| match *words {
            ["net", ssid, _, rssi] if tried.networks.len() < MAX_SEEN => {
                tried.networks.extend(name(ssid).zip(rssi.parse().ok()));
            }
            ["left", ssid] => tried.left = name(ssid),
            ["joined", anew] => tried.joined = Some(anew == "0"),
            ["refused", status, seen] => {
                tried.status = status.parse().unwrap_or(0);
                tried.seen = seen == "1";
            }
            _ => {}
        },
    )?;
    if let Some(left) = &tried.left {
        result.note(sentence!("pair.wifi-left", ssid = left));
    }
    let Some(was_there) = tried.joined else {
        refused(&wifi.ssid, &tried, result);
        return Ok((None, false));
    };
    let online = online(session)?;
    match &online {
        Some(online) => describe(online, was_there, result),
        None => {
            result.see(sentence!("pair.wifi-lost-at-once"));
            result.fail(Finding::plain(Diagnosis::WifiTimeout));
        }
    }
    Ok((online, !was_there))
}

/// Adds the board's connection to the result.
fn describe(online: &Online, was_there: bool, result: &mut StepResult) {
    let mut seen = vec![if online.ssid.is_empty() {
        sentence!("pair.wifi-connected").into()
    } else {
        StepNote::Text(online.ssid.clone())
    }];
    if let Some(rssi) = online.rssi {
        seen.push(sentence!("pair.wifi-signal", rssi = rssi).into());
    }
    if was_there {
        seen.push(sentence!("pair.wifi-connected-already").into());
    }
    result.see(StepNote::List(seen));
    result.figures = json!({"ssid": online.ssid, "rssi": online.rssi});
}

/// Finds out why the board could not join the Wi-Fi.
fn refused(ssid: &str, tried: &Tried, result: &mut StepResult) {
    let names: Vec<_> = tried
        .networks
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, rssi)| sentence!("pair.wifi-network", ssid = name, rssi = rssi))
        .collect();
    result.figures = json!({
        "ssid": ssid,
        "status": tried.status,
        "networks": tried.networks.iter().map(|(ssid, rssi)| json!({"ssid": ssid, "rssi": rssi})).collect::<Vec<_>>(),
    });
    // A missing Wi-Fi explains the failure better than the radio's status.
    if !tried.seen {
        result.see(if names.is_empty() {
            sentence!("pair.wifi-none-seen")
        } else {
            sentence!("pair.wifi-seen", networks <- names)
        });
        let finding = match air::only_5ghz(ssid) {
            Ok(Some(evidence)) => Finding::with(Diagnosis::Wifi5GhzOnly, evidence),
            Ok(None) => Finding::plain(Diagnosis::WifiNotFound),
            Err(failure) => return fail(result, failure),
        };
        result.fail(finding);
        return;
    }
    result.see(sentence!("pair.wifi-refused", status = tried.status));
    result.fail(Finding::plain(if REFUSED.contains(&tried.status) {
        Diagnosis::WifiPasswordRefused
    } else {
        Diagnosis::WifiTimeout
    }));
}
