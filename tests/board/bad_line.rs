//! Programs over a line that damages bytes: they run unchanged, or not at all.

use serde_json::json;

use crate::client::{assert_untouched, board, command, run_source};
use crate::process::run_with_input;
use crate::support::VirtualBoard;

/// A program that counts up; a damaged line gives another sum, another name or a syntax error.
fn counting(lines: usize) -> String {
    let mut source = String::from("total = 0\n");
    for _ in 0..lines {
        source.push_str("total += 1 # a comment that makes the line longer, as a pupil's has\n");
    }
    source.push_str("print('total', total)\n");
    source
}

#[test]
fn a_program_runs_unchanged_or_not_at_all() {
    // The longest program does not fit in the memory of the last board, whose firmware has raw-paste mode.
    for (profile, lines) in [
        ("mpython-1.4", 60),
        ("mpython-2.x", 60),
        ("generic-1.26", 1000),
    ] {
        for seed in 0..4 {
            let mut vboard = VirtualBoard::options()
                .profile(profile)
                .baud(921_600)
                .ready();
            vboard.control(
                "garble",
                json!({"probability": 0.0005, "seed": seed, "direction": "down"}),
            );
            let finished = run_source(&vboard, counting(lines)).expect_code(0);
            assert_eq!(
                finished.text(),
                format!("total {lines}\r\n"),
                "{profile}, seed {seed}"
            );
        }
    }
}

#[test]
fn every_run_ends_on_a_line_that_damages_both_directions() {
    for seed in 0..6 {
        let mut vboard = VirtualBoard::options().baud(921_600).ready();
        vboard.control(
            "garble",
            json!({"probability": 0.001, "seed": seed, "direction": "both"}),
        );
        // `run_with_input` has a timeout of its own. The line may damage the program's output.
        let finished = run_source(&vboard, counting(200));
        assert!(
            matches!(finished.code, Some(0 | 3)),
            "seed {seed}: {:?} {}",
            finished.code,
            finished.stderr
        );
        for blamed in ["SyntaxError", "NameError", "IndentationError"] {
            assert!(
                !finished.stderr.contains(blamed),
                "seed {seed}: {}",
                finished.stderr
            );
        }
    }
}

#[test]
fn a_program_runs_on_firmware_without_crc32() {
    // Modules in sys.modules take precedence over the firmware's own.
    let boot = "import sys\nclass Module: pass\nsys.modules['ubinascii'] = Module()\n";
    for lines in [1, 200] {
        let vboard = VirtualBoard::options().file("boot.py", boot).ready();
        let finished = run_source(&vboard, counting(lines)).expect_code(0);
        assert_eq!(finished.text(), format!("total {lines}\r\n"));
    }
}

#[test]
fn piped_source_stops_a_program_that_prints_without_pause() {
    let main = "import time\nwhile True:\n print('tick')\n time.sleep(0.05)\n";
    let vboard = VirtualBoard::options().file("main.py", main).ready();
    let finished = run_with_input(command(&vboard, ["repl"]), b"print(6 * 7)\n").expect_code(0);
    assert!(
        finished.text().ends_with(">>> print(6 * 7)\r\n42\r\n>>> "),
        "{}",
        finished.text()
    );
    assert_untouched(&vboard, &["main.py"]);
}

#[test]
fn piped_source_gets_the_same_diagnosis_as_a_program() {
    std::thread::scope(|scope| {
        for (kind, code) in [
            ("no-firmware", "no-firmware"),
            ("brown-out", "brown-out"),
            ("program", "no-micropython"),
        ] {
            // Each of them is seconds of waiting.
            scope.spawn(move || {
                let vboard = VirtualBoard::options().broken(kind).start();
                let mut repl = command(&vboard, ["--connect-timeout", "3s"]);
                repl.arg("repl");
                let finished = run_with_input(repl, b"print(1)\n").expect_code(3);
                assert!(
                    finished.stderr.contains(&format!(" [{code}]\n")),
                    "{kind}: {}",
                    finished.stderr
                );
            });
        }
    });
}

#[test]
fn a_detached_program_that_restarts_the_board_is_an_error() {
    let vboard = VirtualBoard::options().ready();
    let source = "import machine\nmachine.reset()\n";
    let finished = run_with_input(
        command(&vboard, ["run", "--detach", "-"]),
        source.as_bytes(),
    )
    .expect_code(3);
    assert!(
        finished.stderr.contains(" [board-restarted]\n"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_long_exception_is_shortened_after_its_traceback() {
    let vboard = VirtualBoard::options().baud(921_600).ready();
    let finished = run_source(&vboard, "raise ValueError('x' * 30000)\n").expect_code(1);
    let told = finished
        .stderr
        .lines()
        .find(|line| line.starts_with("udpcli: error: "))
        .expect("an error");
    assert!(told.len() < 500, "{} bytes", told.len());
    assert!(finished.stderr.len() > 30_000, "the traceback is whole");
    board(&vboard, ["ls"]).expect_code(0);
}
