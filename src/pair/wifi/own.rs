//! The board as its own access point: for networks whose access point isolates its clients.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::board::literal;
use crate::pair::board_session::{BoardSession, SessionError};
use crate::pair::diagnosis::Diagnosis;
use crate::pair::measure::from_hex;
use crate::pair::operation::Work;
use crate::pair::results::{Finding, StepResult};
use crate::pair::wifi::Online;
use crate::pair::{BoardAp, Join};
use crate::text::seconds;
use crate::text::sentence::sentence;
use crate::udp::interface;

/// The timeout for the start of the access point.
const START_AP: Duration = Duration::from_secs(5);

/// How often to check this PC's addresses.
const LOOK: Duration = Duration::from_millis(200);

/// The board's description of its own network.
#[derive(Debug, Default)]
struct BoardNetwork {
    /// Whether the access point was on before the test.
    was_on: bool,
    /// The board's address in it.
    address: String,
    /// Its netmask.
    netmask: String,
    /// Its router, which is the board.
    gateway: String,
    /// Its name.
    ssid: String,
}

/// Starts the board's access point and waits until this PC has an address in its network; `None` if it gets none.
///
/// Only the user sees the network's name and password: the result contains neither.
pub(in crate::pair) fn step(
    session: &mut BoardSession,
    own_ap: &BoardAp,
    result: &mut StepResult,
) -> Result<Option<Online>, SessionError> {
    result.tried = sentence!("pair.own-ap-tried").into();
    let own = start(session, own_ap)?;
    let addresses = own.address.parse::<Ipv4Addr>().ok();
    let Some((board, mask)) = addresses.zip(own.netmask.parse::<Ipv4Addr>().ok()) else {
        let address = format!("{:?}", own.address);
        result.see(sentence!("pair.address-unreadable", address = address));
        result.fail(Finding::plain(Diagnosis::WifiTimeout));
        return Ok(None);
    };
    result.figures = json!({"board_ap": true});
    if let Some((address, name)) = address_in(board, mask) {
        result.note(sentence!(
            "pair.own-ap-address-already",
            address = address,
            interface = name
        ));
    }
    (own_ap.announce)(&Join {
        ssid: &own.ssid,
        password: (!own.was_on).then(|| own_ap.wifi.password.secret()),
        wait: own_ap.wait,
    });
    let start = Instant::now();
    while address_in(board, mask).is_none() {
        if start.elapsed() > own_ap.wait {
            result.see(sentence!("pair.own-ap-not-joined"));
            result.fail(Finding::with(
                Diagnosis::NoRoute,
                sentence!(
                    "pair.own-ap-no-address",
                    board = board,
                    mask = mask,
                    wait = seconds(own_ap.wait)
                ),
            ));
            return Ok(None);
        }
        session.wait(LOOK)?;
    }
    result.see(sentence!("pair.own-ap-joined"));
    Ok(Some(Online {
        address: own.address,
        netmask: own.netmask,
        gateway: own.gateway,
        rssi: None,
        ssid: String::new(),
    }))
}

/// Starts the access point and asks for its addresses.
fn start(session: &mut BoardSession, own_ap: &BoardAp) -> Result<BoardNetwork, SessionError> {
    // The same calls as `enable_APWiFi` of the maker's module (mpython.py, class wifi), but only with WPA2.
    let code = format!(
        "_pz({},{})",
        literal::quoted(&own_ap.wifi.ssid),
        literal::quoted(own_ap.wifi.password.secret()),
    );
    let mut own = BoardNetwork::default();
    session.call(
        Work::StartingAccessPoint,
        &code,
        START_AP,
        &mut |words: &[&str]| {
            if let ["own", was_on, address, netmask, gateway, rest @ ..] = words {
                let ssid = rest.first().and_then(|hex| from_hex(hex));
                own = BoardNetwork {
                    was_on: *was_on == "1",
                    address: (*address).to_owned(),
                    netmask: (*netmask).to_owned(),
                    gateway: (*gateway).to_owned(),
                    ssid: String::from_utf8_lossy(&ssid.unwrap_or_default()).into_owned(),
                };
            }
        },
    )?;
    Ok(own)
}

/// This PC's address in the network of `board`, and its interface.
fn address_in(board: Ipv4Addr, mask: Ipv4Addr) -> Option<(Ipv4Addr, String)> {
    interface::reachable_v4()
        .into_iter()
        .find(|(address, _)| *address != board && is_in(*address, board, mask))
}

/// Whether an address is in the board's network.
fn is_in(address: Ipv4Addr, board: Ipv4Addr, mask: Ipv4Addr) -> bool {
    // Without a netmask, every address would be in the board's network.
    !mask.is_unspecified() && address & mask == board & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_in_the_boards_network_count() {
        let board = Ipv4Addr::new(192, 168, 4, 1);
        let mask = Ipv4Addr::new(255, 255, 255, 0);
        for (address, expected) in [
            ([192, 168, 4, 2], true),
            ([192, 168, 4, 254], true),
            ([192, 168, 5, 2], false),
            ([169, 254, 4, 2], false),
        ] {
            assert_eq!(is_in(address.into(), board, mask), expected, "{address:?}");
        }
        let nothing = Ipv4Addr::UNSPECIFIED;
        assert!(!is_in([10, 0, 0, 1].into(), board, nothing));
    }
}
