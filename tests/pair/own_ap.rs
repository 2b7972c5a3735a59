//! `--board-ap`: the board is the access point. To join it, the PC gets an address on the link.

use std::fs;
use std::process::{Command, Stdio};

use crate::air::{Pc, finish};
use crate::board::{Options, Port, VirtualBoard};
use crate::link::{Link, OWN_AP};
use crate::support::{Finished, Running, udpcli};

/// An address from the board's DHCP server.
const JOINED: &str = "192.168.4.2";

const QUICK: &str = "-n 3 --interval 10ms --sizes 64,512";

/// The stats' value for an access point with WPA2 (`AUTH_WPA2_PSK` is 3), and without an access point.
const WPA2: u64 = 4;
const OFF: u64 = 0;

fn own_board(link: &Link, options: Options) -> VirtualBoard {
    options
        .arg("--netns", &link.board)
        .arg("--ip", OWN_AP)
        .ready()
}

/// `udpcli pair --board-ap` in the PC's namespace.
fn command(link: &Link, board: &VirtualBoard, args: &str) -> Command {
    let inner = Pc { port: 6000 }.bare(board, &format!("--board-ap {args}"));
    let mut command = Command::new("ip");
    command
        .args(["netns", "exec", &link.pc])
        .arg(inner.get_program())
        .args(inner.get_args())
        .stdin(Stdio::null());
    command
}

/// Waits for the request to join, and returns its network name and password.
fn asked(running: &mut Running) -> (String, String) {
    let mut value = |key: &str| {
        let line = running.stderr_line_with(key);
        let (_, value) = line.split_once(key).expect("the key");
        value.trim().to_owned()
    };
    (value("network:"), value("password:"))
}

/// Checks that the output contains neither of them, apart from this request on stderr.
#[track_caller]
fn assert_kept(finished: &Finished, ssid: &str, password: &str) {
    for secret in [ssid, password] {
        assert!(!finished.text().contains(secret), "{}", finished.text());
        let times = finished.stderr.matches(secret).count();
        assert_eq!(times, 1, "{secret}: {}", finished.stderr);
    }
}

#[test]
fn both_directions_pass_in_the_boards_own_wifi_and_the_radio_is_restored() {
    for (kind, options) in [
        (
            "mpython-1.4",
            VirtualBoard::options().profile("mpython-1.4"),
        ),
        ("current", VirtualBoard::options()),
    ] {
        let Some(link) = Link::unjoined() else { return };
        let mut board = own_board(&link, options.file("main.py", "x = 1\n"));
        // The most detailed log, and then the formats for programs.
        for args in ["-vv", "--quiet", "--format json", "--format junit"] {
            let mut running =
                Running::spawn(&mut command(&link, &board, &format!("{QUICK} {args}")));
            let (ssid, password) = asked(&mut running);
            assert!(ssid.starts_with("udpcli-") && ssid.len() == 11, "{ssid}");
            assert!(
                password.len() == 8 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{password}"
            );
            assert_eq!(board.count("ap"), WPA2, "{kind}");
            link.pc_joins(JOINED);
            let finished = running.finish().expect_code(0);
            link.pc_leaves(JOINED);
            let text = finished.text();
            if !args.contains("format") {
                for part in [
                    "ok    Wi-Fi           start the board's own access point: this PC has joined the board's own network",
                    &format!("board {OWN_AP}, PC {JOINED} (va, /24)"),
                    "ok    PC to board",
                    "ok    board to PC",
                    "ok    echo round trip",
                    "ok    OLED text",
                    "ok    clean-up",
                    "the board's own Wi-Fi is off again",
                ] {
                    assert!(text.contains(part), "{kind}: no {part:?} in {text}");
                }
            }
            if args.contains("json") {
                let report = serde_json::from_str(&text).expect("JSON");
                crate::formats::fits_schema(&report);
                assert_eq!(report["steps"][2]["figures"]["board_ap"], true, "{text}");
            }
            assert_kept(&finished, &ssid, &password);
            assert_eq!(board.count("ap"), OFF, "{kind}");
        }
        let files: Vec<_> = fs::read_dir(board.files())
            .expect("the board's files")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(files, ["main.py"], "{kind}");
    }
}

#[test]
fn the_wait_for_the_pc_has_a_timeout() {
    let Some(link) = Link::unjoined() else { return };
    let mut board = own_board(&link, VirtualBoard::options());
    let finished = finish(&mut command(&link, &board, "--join-timeout 1s")).expect_code(3);
    let text = finished.text();
    assert!(
        text.contains("[no-route]")
            && text.contains("no address of this PC is in the board's network (192.168.4.1, netmask 255.255.255.0) after 1s"),
        "{text}"
    );
    assert!(
        finished
            .stderr
            .contains("(it has no internet; waiting 1s, Ctrl-C stops)"),
        "{}",
        finished.stderr
    );
    assert_eq!(board.count("ap"), OFF);
}

#[test]
fn ctrl_c_while_it_waits_switches_the_access_point_off() {
    let Some(link) = Link::unjoined() else { return };
    let mut board = own_board(&link, VirtualBoard::options());
    let mut running = Running::spawn(&mut command(&link, &board, ""));
    let (ssid, password) = asked(&mut running);
    assert_eq!(board.count("ap"), WPA2);
    let finished = running.interrupt().expect_code(130);
    assert_kept(&finished, &ssid, &password);
    let text = finished.text();
    assert!(
        text.contains("stop  Wi-Fi") && text.contains("ok    clean-up"),
        "{text}"
    );
    assert_eq!(board.count("ap"), OFF);
    let mut port = Port::open(&board);
    port.send(b"\r6*7\r");
    port.until(b"\r\n42\r\n>>> ");
}

#[test]
fn an_access_point_that_is_on_already_is_used_and_left_on() {
    let Some(link) = Link::unjoined() else { return };
    let boot = "import network\na = network.WLAN(network.AP_IF)\na.active(True)\na.config(essid='pupils own', password='longenough', authmode=3)\n";
    let mut board = own_board(&link, VirtualBoard::options().file("boot.py", boot));
    let mut running = Running::spawn(&mut command(&link, &board, QUICK));
    let (ssid, password) = asked(&mut running);
    assert_eq!(ssid, "pupils own");
    assert_eq!(
        password,
        "the one in the board's program that started the access point"
    );
    link.pc_joins(JOINED);
    let text = running.finish().expect_code(0).text();
    assert!(!text.contains("is off again"), "{text}");
    assert_eq!(board.count("ap"), WPA2);
}

#[test]
fn a_board_that_cannot_be_an_access_point_says_why() {
    let Some(link) = Link::unjoined() else { return };
    // The exception that the board raises if the radio is busy.
    let boot = "import network\ndef active(self, on=None):\n if on: raise OSError('Wifi Internal Error')\n return False\nnetwork.WLAN.active = active\n";
    let board = own_board(&link, VirtualBoard::options().file("boot.py", boot));
    let text = finish(&mut command(&link, &board, ""))
        .expect_code(1)
        .text();
    assert!(
        text.contains("FAIL  Wi-Fi") && text.contains("OSError: Wifi Internal Error"),
        "{text}"
    );
    assert!(text.contains("ok    clean-up"), "{text}");
}

#[test]
fn board_ap_refuses_conflicting_flags() {
    for args in [
        "--board-ap --ssid class",
        "--board-ap --all",
        "--board-ap --simulate",
        "--board-ap --watch",
        "--board-ap -s a -s b",
        "--join-timeout 1s",
    ] {
        let mut command = udpcli(["pair"].into_iter().chain(args.split(' ')));
        finish(&mut command).expect_code(2);
    }
}
