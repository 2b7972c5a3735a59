//! Four planted faults, and what a network's administrator finds with nothing but the page of `--report`: the verdict, what
//! is wrong and what to do, and charts that show it.
//!
//! With `UDPCLI_PAGES` the pages are kept in that folder.

use std::path::Path;

use serde_json::{Value, json};

use crate::air::finish;
use crate::link::Link;
use crate::page::{folder, read};
use crate::support::Running;
use crate::survey::{QUICK, at, link_board, text, until_round};

/// Checks that the page has these texts, and keeps it if somebody wants to look at it.
#[track_caller]
fn found(path: &Path, verdict: &str, parts: &[&str]) -> Value {
    if let Some(pages) = std::env::var_os("UDPCLI_PAGES") {
        let name = path.file_name().expect("a name");
        std::fs::copy(path, Path::new(&pages).join(name)).expect("copied");
    }
    let page = read(path);
    // The same problem in both directions is on the page once.
    let text = text(&page);
    for part in parts.iter().filter(|part| part.len() > 20) {
        assert_eq!(text.matches(part).count(), 1, "{part}: {text}");
    }
    assert_eq!(page["shapes"][0], verdict, "{page:#}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    page
}

/// Runs the test, and gives the codes in the page's data.
#[track_caller]
fn codes(page: &Value) -> Vec<&str> {
    let codes = page["data"]["boards"][0]["codes"].as_array();
    let codes = codes.expect("codes").iter();
    codes.filter_map(Value::as_str).collect()
}

#[test]
fn client_isolation_is_found() {
    for (language, parts) in [
        (
            "en",
            [
                "keeps its clients apart",
                "udpcli pair --board-ap",
                "0 of 8 (100 % lost)",
            ],
        ),
        (
            "zh-CN",
            ["客户端隔离", "udpcli pair --board-ap", "（丢失 100 %）"],
        ),
    ] {
        let Some(link) = Link::new() else { return };
        let folder = folder();
        let path = folder.path().join(format!("isolation-{language}.html"));
        let board = link_board(&link);
        link.isolate();
        let args = format!("-n 8 --interval 10ms --sizes 64,512 --lang {language}");
        finish(&mut at(&link, &board, &args, &path)).expect_code(1);
        let page = found(&path, "bad", &parts);
        assert_eq!(codes(&page), ["ap-isolation"]);
    }
}

/// The limit of the default, `--max-loss 5`, is just kept: the test passes, and the page tells of the loss nevertheless.
#[test]
fn a_loss_of_five_percent_is_found() {
    for (language, parts) in [
        (
            "en",
            [
                "passed, with a note",
                "lost although the signal is good",
                "try another Wi-Fi channel",
                "5 % lost",
            ],
        ),
        (
            "zh-CN",
            [
                "通过，有注意事项",
                "信号良好，但有数据报丢失",
                "换一个 Wi-Fi 信道",
                "5 %",
            ],
        ),
    ] {
        let Some(link) = Link::new() else { return };
        let folder = folder();
        let path = folder.path().join(format!("loss-{language}.html"));
        let mut board = link_board(&link);
        board.control("air", json!({"rssi": -51, "bssid": 1}));
        link.lose_a_little();
        let args = format!("-n 20 --interval 5ms --lang {language}");
        finish(&mut at(&link, &board, &args, &path)).expect_code(0);
        let page = found(&path, "warning", &parts);
        assert_eq!(codes(&page), ["loss"]);
    }
}

#[test]
fn a_weak_corner_is_found() {
    let Some(link) = Link::new() else { return };
    let folder = folder();
    let path = folder.path().join("corner-en.html");
    let mut board = link_board(&link);
    board.control("air", json!({"rssi": -48, "bssid": 1}));
    let mut running = Running::spawn(&mut at(&link, &board, QUICK, &path));
    until_round(&mut running, 5);
    // On the way to the corner the signal falls, and then the loss rises.
    for (round, rssi) in [(7, -66), (9, -74)] {
        board.control("air", json!({"rssi": rssi, "bssid": 1}));
        until_round(&mut running, round);
    }
    board.control("air", json!({"rssi": -86, "bssid": 1}));
    link.lose();
    until_round(&mut running, 14);
    link.lose_nothing();
    board.control("air", json!({"rssi": -52, "bssid": 1}));
    until_round(&mut running, 19);
    running.interrupt().expect_code(0);
    let page = found(
        &path,
        // Whether the mean loss is above the limit depends on how long the rounds last.
        read(&path)["shapes"][0].as_str().expect("a verdict"),
        &[
            "weak-signal",
            "the board's signal is weak",
            "move the board nearer to the access point",
            "The bad stretches",
            "Signal in dBm",
        ],
    );
    assert_ne!(page["shapes"][0], "good");
    let survey = &page["data"]["survey"];
    let stretches = survey["stretches"].as_array().expect("stretches");
    assert_eq!(stretches.len(), 1, "{survey:#}");
    assert_eq!(stretches[0]["code"], "weak-signal", "{survey:#}");
    assert_eq!(stretches[0]["rssi_min"], -86, "{survey:#}");
}

#[test]
fn a_firewall_is_found() {
    for (language, parts) in [
        (
            "en",
            [
                "this PC's firewall drops the UDP port",
                "allow udpcli",
                "0 of 8 (100 % lost)",
                "8 of 8 (0 % lost)",
            ],
        ),
        (
            "zh-CN",
            ["防火墙", "udpcli", "（丢失 100 %）", "（丢失 0 %）"],
        ),
    ] {
        let Some(link) = Link::new() else { return };
        let folder = folder();
        let path = folder.path().join(format!("firewall-{language}.html"));
        let board = link_board(&link);
        link.pc_rules("input", "udp dport 6000 drop");
        let args = format!("-n 8 --interval 10ms --sizes 64,512 --lang {language}");
        finish(&mut at(&link, &board, &args, &path)).expect_code(1);
        let page = found(&path, "bad", &parts);
        assert_eq!(codes(&page), ["pc-firewall"]);
    }
}
