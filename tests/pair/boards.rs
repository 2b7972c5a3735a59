//! `pair` with the mPython board 3.0, other boards with an ESP32-S3, and generic boards.

use serde_json::{Value, json};

use crate::air::{PASSWORD, Pc, SSID, pair, wifi_board};
use crate::board::VirtualBoard;
use crate::diagnosis::within;
use crate::link::{BOARD, Link};

const QUICK: &str = "-n 2 --interval 10ms --sizes 64 --format json";

fn report(profile: &str, last: u8) -> Value {
    let board = wifi_board(
        VirtualBoard::options().profile(profile).flag("--quick"),
        last,
    );
    let finished = pair(&board, &Pc::new(), QUICK).expect_code(0);
    serde_json::from_slice(&finished.stdout).expect("an object")
}

fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    let steps = report["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["step"] == name);
    step.unwrap_or_else(|| panic!("no step {name} in {report:#}"))
}

#[test]
fn the_board_3_0_passes_every_network_step_and_its_oled_step_is_skipped() {
    let report = report("mpython-3.0", 140);
    assert_eq!(
        report["codes"],
        json!(["no-oled-on-this-board"]),
        "{report:#}"
    );
    for name in [
        "serial",
        "firmware",
        "wifi",
        "addresses",
        "pc_to_board",
        "board_to_pc",
        "echo",
        "clean_up",
    ] {
        assert_eq!(
            step(&report, name)["verdict"],
            "passed",
            "{name}: {report:#}"
        );
    }
    let firmware = step(&report, "firmware");
    assert_eq!(
        firmware["figures"]["model"],
        "mPython board 3.0 (掌控板 3.0)"
    );
    let oled = step(&report, "oled");
    assert_eq!(oled["verdict"], "skipped", "{oled:#}");
    assert_eq!(oled["findings"][0]["code"], "no-oled-on-this-board");
    let next = oled["findings"][0]["next"].as_str().expect("a sentence");
    assert!(next.contains("from lv_oled import OLED"), "{next}");
    // The text went over the network and onto the colour display.
    assert_eq!(oled["figures"]["lcd"], true, "{oled:#}");
    assert_eq!(oled["figures"]["shown"][0], oled["figures"]["sent"]);
}

/// A CI system shows what was skipped, so the code and the cure are there too.
#[test]
fn a_step_that_was_skipped_has_its_code_and_its_cure_in_junit() {
    let board = wifi_board(
        VirtualBoard::options()
            .profile("mpython-3.0")
            .flag("--quick"),
        146,
    );
    let args = QUICK.replace("json", "junit");
    let xml = pair(&board, &Pc::new(), &args).expect_code(0).text();
    let (_, oled) = xml
        .split_once("<testcase name=\"OLED text\"")
        .expect("a case");
    let (skipped, _) = oled.split_once("</skipped>").expect("skipped, with a text");
    for part in [
        r#"type="no-oled-on-this-board""#,
        "no-oled-on-this-board: ",
        "next: write from lv_oled import OLED",
    ] {
        assert!(skipped.contains(part), "{part}: {skipped}");
    }
}

#[test]
fn where_nothing_arrives_the_other_port_of_the_documentation_is_named() {
    let Some(link) = Link::new() else { return };
    link.pc_rules("output", "udp dport 6000 drop");
    for (profile, is_named) in [("mpython-3.0", true), ("xuejing-s3", false)] {
        let board = VirtualBoard::options()
            .profile(profile)
            .flag("--quick")
            .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
            .arg("--netns", &link.board)
            .arg("--ip", BOARD)
            .ready();
        let finished = within(&link, &board, "-n 2 --interval 10ms --sizes 64").expect_code(1);
        let text = finished.text();
        assert!(text.contains("[pc-to-board-blocked]"), "{text}");
        assert_eq!(
            text.contains("uses port 5005 in one place"),
            is_named,
            "{text}"
        );
        let is_3 = text.contains("mPython board 3.0 (掌控板 3.0), MicroPython 1.24.1");
        assert_eq!(is_3, is_named, "{text}");
    }
}

#[test]
fn an_s3_board_with_the_oled_passes_as_the_first_board_does() {
    let report = report("xuejing-s3", 142);
    assert_eq!(report["codes"], json!([]), "{report:#}");
    assert_eq!(step(&report, "oled")["verdict"], "passed");
}

#[test]
fn generic_boards_skip_only_the_oled() {
    for (profile, last) in [("generic-s3-usb", 143), ("generic-c3", 144)] {
        let report = report(profile, last);
        assert_eq!(
            report["codes"],
            json!(["not-mpython"]),
            "{profile}: {report:#}"
        );
        assert_eq!(step(&report, "oled")["verdict"], "skipped", "{profile}");
        assert_eq!(step(&report, "echo")["verdict"], "passed", "{profile}");
    }
}
