//! `pair --watch --report`: a walk with the board as one page.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::air::{PASSWORD, Pc, SSID, finish, wifi_board};
use crate::board::VirtualBoard;
use crate::link::{BOARD, Link};
use crate::page::{folder, headings, read};
use crate::support::{Running, run_with_input};

/// Rounds of half a second.
pub(crate) const QUICK: &str = "--watch -n 10 --interval 5ms --sizes 64";

pub(crate) fn text(page: &Value) -> &str {
    page["text"].as_str().expect("text")
}

/// Waits for the end of a round.
pub(crate) fn until_round(running: &mut Running, number: u64) {
    let begin = format!("round {number} ");
    while !running.stdout_line().starts_with(&begin) {}
}

/// A board in a namespace of its own.
pub(crate) fn link_board(link: &Link) -> VirtualBoard {
    VirtualBoard::options()
        .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
        .arg("--netns", &link.board)
        .arg("--ip", BOARD)
        .ready()
}

/// udpcli at the other end of the link.
pub(crate) fn at(link: &Link, board: &VirtualBoard, args: &str, report: &Path) -> Command {
    let inner = Pc { port: 6000 }.command(board, args);
    let mut command = Command::new("ip");
    command
        .args(["netns", "exec", &link.pc])
        .arg(inner.get_program())
        .args(inner.get_args())
        .arg("--report")
        .arg(report)
        .env("WIFI_PASSWORD", PASSWORD)
        .stdin(Stdio::null());
    command
}

#[test]
fn a_walk_through_a_weak_corner_is_on_the_map() {
    let Some(link) = Link::new() else { return };
    let folder = folder();
    let path = folder.path().join("walk.html");
    let mut board = link_board(&link);
    board.control("air", json!({"rssi": -52, "bssid": 1}));
    let mut running = Running::spawn(&mut at(&link, &board, QUICK, &path));
    until_round(&mut running, 5);
    board.control("air", json!({"rssi": -84, "bssid": 2}));
    link.lose();
    until_round(&mut running, 10);
    link.lose_nothing();
    board.control("air", json!({"rssi": -50, "bssid": 1}));
    until_round(&mut running, 15);
    let finished = running.interrupt().expect_code(0);
    assert!(
        finished.stderr.contains("wrote the report"),
        "{}",
        finished.stderr
    );
    let page = read(&path);
    let survey = &page["data"]["survey"];
    let points = survey["access_points"].as_array().expect("access points");
    let seen: Vec<&Value> = points.iter().map(|point| &point["bssid"]).collect();
    assert_eq!(
        seen,
        ["aa:bb:cc:00:00:01", "aa:bb:cc:00:00:02"],
        "{survey:#}"
    );
    assert_eq!(points[1]["rssi"], -84);
    let stretches = survey["stretches"].as_array().expect("stretches");
    assert_eq!(stretches.len(), 1, "{survey:#}");
    assert_eq!(stretches[0]["code"], "weak-signal", "{survey:#}");
    let (from, to) = (stretches[0]["from"].as_f64(), stretches[0]["to"].as_f64());
    assert!(
        from > Some(0.0) && to < survey["seconds"].as_f64(),
        "{survey:#}"
    );
    let text = text(&page);
    for part in [
        "weak-signal",
        "move the board nearer to the access point",
        "The bad stretches",
        "Access point aa:bb:cc:00:00:02",
        "MicroPython",
        "--watch",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_walk_without_losses_says_so_and_that_the_access_point_is_unknown() {
    let folder = folder();
    let path = folder.path().join("walk.html");
    let board = wifi_board(VirtualBoard::options(), 111);
    let args = format!("{QUICK} --lang zh-CN");
    let mut command = Pc::new().command(&board, &args);
    let mut running = Running::spawn(command.arg("--report").arg(&path));
    while !running.stdout_line().starts_with("第 2 轮") {}
    running.interrupt().expect_code(0);
    let page = read(&path);
    assert_eq!(page["language"], "zh-CN");
    assert_eq!(page["shapes"][0], "good");
    assert_eq!(headings(&page)[2..4], ["沿途的情况", "接入点"]);
    assert!(text(&page).contains("接入点 未知，信道 6"), "{page:#}");
    let text = fs::read_to_string(&path).expect("the page");
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn a_walk_that_cannot_begin_has_the_page_of_the_test() {
    let folder = folder();
    let path = folder.path().join("walk.html");
    let board = wifi_board(VirtualBoard::options(), 112);
    let mut command = Pc::new().bare(
        &board,
        "--watch --ssid elsewhere --password-env WIFI_PASSWORD",
    );
    finish(command.arg("--report").arg(&path)).expect_code(1);
    let page = read(&path);
    assert_eq!(page["data"]["kind"], "pair");
    assert!(text(&page).contains("wifi-not-found"), "{page:#}");
    // Before anything else.
    let mut command = Pc::new().bare(&board, "--watch --report /nonexistent/x.html");
    let finished = finish(&mut command).expect_code(3);
    assert!(finished.stdout.is_empty(), "{}", finished.text());
}

/// The page of a walk and of a failed test, in both languages, in headless Chromium; with `UDPCLI_PAGES` the screenshots and the
/// PDF are written to that folder.
#[test]
#[ignore = "needs chromium: cargo test --test pair browser -- --ignored"]
fn a_browser_shows_and_prints_the_pages() {
    let folder = folder();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser.py");
    let mut board = wifi_board(VirtualBoard::options(), 113);
    for language in ["en", "zh-CN"] {
        let walk = folder.path().join(format!("walk-{language}.html"));
        let mut command = Pc::new().command(&board, &format!("{QUICK} --lang {language}"));
        let mut running = Running::spawn(command.arg("--report").arg(&walk));
        for bssid in 1..=7 {
            board.control("air", json!({"bssid": bssid, "rssi": -30 - 9 * bssid}));
            while !running.stdout_line().contains(" RTT ") {}
        }
        running.interrupt().expect_code(0);
        let test = folder.path().join(format!("pair-{language}.html"));
        let args = format!("-n 3 --sizes 1,1025,2000 --encoding gbk --lang {language}");
        let mut command = Pc::new().command(&board, &args);
        finish(command.arg("--report").arg(&test)).expect_code(1);
        for page in [walk, test] {
            let mut browser = Command::new("python3");
            browser.arg(script).arg(&page);
            browser.args(std::env::var_os("UDPCLI_PAGES"));
            run_with_input(browser, b"").expect_code(0);
        }
    }
}
