//! Every command evaluates the board's output before it reports an error, and gives the same diagnosis with the same
//! code.

use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{board, command, run_source};
use crate::process::run_with_input;
use crate::support::VirtualBoard;

/// The device on the port, the code, and words of the error and the hint.
const VERDICTS: [(&str, &str, &str, &str); 7] = [
    (
        "no-firmware",
        "no-firmware",
        "its flash is empty",
        "udpcli board flash",
    ),
    (
        "firmware-damaged",
        "firmware-damaged",
        "is damaged and does not start",
        "its log says",
    ),
    (
        "brown-out",
        "brown-out",
        "supply voltage",
        "another USB cable",
    ),
    ("panic", "board-panic", "crashed", "Guru Meditation Error"),
    (
        "program",
        "no-micropython",
        "is not MicroPython",
        "it prints",
    ),
    (
        "echo",
        "serial-echo",
        "sends back what it receives",
        "udpcli board list",
    ),
    (
        "silence",
        "no-serial-answer",
        "no answer from the board",
        "press the board's RESET button",
    ),
];

#[test]
fn every_command_gives_the_same_diagnosis_with_the_same_code() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.py");
    fs::write(&file, "print(1)\n").unwrap();
    let file = file.to_str().unwrap();
    std::thread::scope(|scope| {
        for (kind, code, error, hint) in VERDICTS {
            // Each of them is seconds of waiting.
            scope.spawn(move || {
                let vboard = VirtualBoard::options().broken(kind).start();
                for args in [&["info"][..], &["run", file], &["put", file, ":a.py"]] {
                    let mut command = command(&vboard, ["--connect-timeout", "3s"]);
                    command.args(args);
                    let finished = run_with_input(command, b"").expect_code(3);
                    let stderr = &finished.stderr;
                    assert_eq!(finished.stdout, b"", "{kind}, {args:?}");
                    let told = stderr
                        .lines()
                        .find(|line| line.starts_with("udpcli: error: "))
                        .unwrap_or_else(|| panic!("{kind}, {args:?}: {stderr}"));
                    assert!(
                        told.contains(error) && told.ends_with(&format!(" [{code}]")),
                        "{kind}, {args:?}: {stderr}"
                    );
                    let hinted = stderr
                        .lines()
                        .find(|line| line.starts_with("  hint: "))
                        .unwrap_or_else(|| panic!("{kind}, {args:?}: {stderr}"));
                    assert!(hinted.contains(hint), "{kind}, {args:?}: {stderr}");
                    assert!(!stderr.contains("main.py"), "{kind}, {args:?}: {stderr}");
                }
            });
        }
    });
}

#[test]
fn a_board_without_firmware_is_reported_early() {
    for kind in ["no-firmware", "firmware-damaged"] {
        let vboard = VirtualBoard::options().broken(kind).start();
        let start = Instant::now();
        let mut command = command(&vboard, ["--connect-timeout", "25s"]);
        command.arg("info");
        run_with_input(command, b"").expect_code(3);
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{kind}: {:?}",
            start.elapsed()
        );
    }
}

/// A program that loops or raises in `boot.py`, and one that causes a brown-out, crash or reset.
#[test]
fn a_boot_py_that_raises_or_loops_does_not_block_entry() {
    for boot in ["1/0\n", "import time\nwhile True: time.sleep(1)\n"] {
        for profile in ["mpython-1.4", "mpython-2.x"] {
            let vboard = VirtualBoard::options()
                .profile(profile)
                .file("boot.py", boot)
                .start();
            assert_eq!(
                run_source(&vboard, "print(6*7)").expect_code(0).text(),
                "42\r\n",
                "{profile}: {boot}"
            );
            board(&vboard, ["ls"]).expect_code(0);
        }
    }
}

/// The module came after 1.0: the recorded `help('modules')` of 1.0.1 does not list it, that of 1.2.0 does.
#[test]
fn info_claims_no_module_that_the_firmware_lacks() {
    for (profile, has_module) in [
        ("mpython-1.0", false),
        ("mpython-1.2", true),
        ("mpython-2.x", true),
        ("mixly-1.19", true),
        ("generic-1.26", false),
    ] {
        let vboard = VirtualBoard::options().profile(profile).ready();
        let shown = board(&vboard, ["info"]).expect_code(0).text();
        assert_eq!(
            shown.contains("with the mPython module"),
            has_module,
            "{profile}: {shown}"
        );
    }
}
