//! `pair` on every firmware, on boards in the state that pupils leave them, and with the cable pulled in each step.

use std::time::Duration;

use serde_json::Value;

use crate::air::{Pc, pair, wifi_board};
use crate::board::{Options, PROFILES, VirtualBoard};
use crate::support::{Finished, Running};

const QUICK: &str = "-n 2 --interval 10ms --sizes 64 --format json";

/// The time limit of the clean-up, in addition to the soft reset itself.
const CLEAN_UP: Duration = Duration::from_millis(400);

/// How often to repeat a measurement until it is short enough: other programs use this machine too.
const TRIES: usize = 10;

fn profile(name: &str) -> Options {
    let options = VirtualBoard::options().profile(name);
    // Without the maker's modules there is no OLED, which is a finding of its own.
    if name.starts_with("generic") {
        options.flag("--mpython")
    } else {
        options
    }
}

#[track_caller]
fn report(finished: &Finished, what: &str) -> Value {
    serde_json::from_slice(&finished.stdout)
        .unwrap_or_else(|error| panic!("{what}: {error}: {}", finished.text()))
}

/// Checks that every step passed.
#[track_caller]
fn passes(board: &VirtualBoard, what: &str) -> Value {
    let finished = pair(board, &Pc::new(), QUICK);
    assert_eq!(
        finished.code,
        Some(0),
        "{what}: {}{}",
        finished.text(),
        finished.stderr
    );
    let report = report(&finished, what);
    // Firmware 1.0 is older than the module mpython.
    let codes = if what == "mpython-1.0" {
        serde_json::json!(["not-mpython"])
    } else {
        serde_json::json!([])
    };
    assert_eq!(report["codes"], codes, "{what}: {report:#}");
    report
}

fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .find(|step| step["step"] == name)
        .unwrap_or_else(|| panic!("no step {name} in {report:#}"))
}

#[test]
fn clean_up_takes_little_more_than_its_soft_reset() {
    for (index, (name, reset)) in PROFILES.into_iter().enumerate() {
        let last = 80 + u8::try_from(index).expect("few");
        let board = wifi_board(profile(name), last);
        let limit = (CLEAN_UP + Duration::from_millis(reset)).as_secs_f64();
        let mut fastest = f64::MAX;
        for _ in 0..TRIES {
            let report = passes(&board, name);
            let took = step(&report, "clean_up")["seconds"]
                .as_f64()
                .expect("seconds");
            fastest = fastest.min(took);
            if fastest < limit {
                break;
            }
        }
        println!("{name}: {fastest} s of {limit} s");
        assert!(fastest < limit, "{name}: {fastest} s of {limit} s");
    }
}

#[test]
fn files_with_module_names_stop_no_step() {
    for (index, (name, _)) in PROFILES.into_iter().enumerate() {
        let mut options = profile(name);
        for module in [
            "binascii", "errno", "gc", "io", "network", "os", "select", "socket", "struct", "sys",
            "time",
        ] {
            options = options.file(
                &format!("{module}.py"),
                format!("raise ValueError('shadow of {module}')\n"),
            );
        }
        let last = 90 + u8::try_from(index).expect("few");
        let board = wifi_board(options, last);
        let finished = pair(&board, &Pc::new(), QUICK);
        let report = report(&finished, name);
        // Only steps that need `import mpython` may fail: that module imports the pupil's files itself.
        for of in [
            "serial",
            "firmware",
            "wifi",
            "addresses",
            "pc_to_board",
            "board_to_pc",
            "echo",
            "clean_up",
        ] {
            let verdict = &step(&report, of)["verdict"];
            assert!(
                verdict == "passed" || verdict == "warned",
                "{name}, {of}: {report:#}"
            );
        }
        assert_eq!(finished.code, Some(0), "{name}: {report:#}");
    }
}

#[test]
fn a_board_that_has_just_been_flashed_passes() {
    for (index, name) in ["mpython-1.0", "mpython-1.4"].into_iter().enumerate() {
        let last = 100 + u8::try_from(index).expect("few");
        let board = wifi_board(profile(name).flag("--first-boot"), last);
        passes(&board, name);
    }
}

#[test]
fn a_boot_py_that_raises_stops_no_step() {
    for (index, (name, _)) in PROFILES.into_iter().enumerate() {
        let last = 110 + u8::try_from(index).expect("few");
        let board = wifi_board(
            profile(name).file("boot.py", "raise ValueError('boot')\n"),
            last,
        );
        passes(&board, name);
    }
}

#[test]
fn the_cable_is_pulled_in_each_step() {
    for (index, after) in [
        "serial",
        "firmware",
        "Wi-Fi",
        "addresses",
        "PC to board",
        "board to PC",
        "echo",
        "OLED",
    ]
    .into_iter()
    .enumerate()
    {
        let last = 120 + u8::try_from(index).expect("few");
        let mut board = wifi_board(VirtualBoard::options(), last);
        let mut running =
            Running::spawn(&mut Pc::new().command(&board, "-n 20 --interval 20ms --sizes 64"));
        while !running.stdout_line().contains(after) {}
        board.unplug();
        let finished = running.finish().expect_code(3);
        let text = finished.text();
        assert!(text.contains("[serial-lost]"), "{after}: {text}");
    }
}

#[test]
fn a_bad_line_is_not_blamed_on_the_test_program() {
    for seed in 0..4 {
        let mut board = wifi_board(
            VirtualBoard::options().baud(921_600),
            130 + u8::try_from(seed).expect("few"),
        );
        board.control(
            "garble",
            serde_json::json!({"probability": 0.0005, "seed": seed, "direction": "down"}),
        );
        let finished = pair(&board, &Pc::new(), QUICK);
        let report = report(&finished, "seed");
        for code in ["board-program-died", "board-restarted"] {
            assert!(
                !report["codes"].to_string().contains(code),
                "seed {seed}: {report:#}"
            );
        }
    }
}
