//! How soon a program starts, and that nothing is reset without need, on every firmware.

use std::time::{Duration, Instant};

use crate::client::run_source;
use crate::support::{PROFILES, VirtualBoard};

/// The time limit for a whole command, on a board at its prompt.
const AT_PROMPT: Duration = Duration::from_millis(500);

/// The time limit with a soft reset, in addition to the reset's own time.
const WITH_RESET: Duration = Duration::from_millis(400);

/// How often to repeat a run until one is fast enough: other programs use this machine too.
const TRIES: usize = 30;

/// The fastest of some runs, or the first below `limit`.
fn fastest(limit: Duration, mut run: impl FnMut()) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let start = Instant::now();
        run();
        fastest = fastest.min(start.elapsed());
        if fastest < limit {
            break;
        }
    }
    fastest
}

#[track_caller]
fn print_1(vboard: &VirtualBoard) {
    assert_eq!(
        run_source(vboard, "print(1)").expect_code(0).text(),
        "1\r\n"
    );
}

#[test]
fn a_newly_booted_board_runs_a_program_without_a_reset() {
    for (profile, _) in PROFILES {
        let mut vboard = VirtualBoard::options().profile(profile).ready();
        // Test the first boot of a newly flashed board and a later one: they leave different names in the interpreter.
        for boot in ["first", "later"] {
            print_1(&vboard);
            assert_eq!(vboard.count("soft_resets"), 0, "{profile}, {boot} boot");
            let took = fastest(AT_PROMPT, || print_1(&vboard));
            println!("{profile}, {boot} boot: {took:?}");
            assert!(took < AT_PROMPT, "{profile}, {boot} boot: {took:?}");
            assert_eq!(vboard.count("soft_resets"), 0, "{profile}, {boot} boot");
            vboard.reset();
            vboard.wait_ready();
        }
    }
}

#[test]
fn a_used_interpreter_costs_exactly_one_soft_reset() {
    for (profile, reset) in PROFILES {
        let mut vboard = VirtualBoard::options().profile(profile).ready();
        let limit = WITH_RESET + Duration::from_millis(reset);
        let mut resets = vboard.count("soft_resets");
        let took = {
            let mut fastest = Duration::MAX;
            for _ in 0..TRIES {
                run_source(&vboard, "def f(): pass").expect_code(0);
                resets = vboard.count("soft_resets");
                let start = Instant::now();
                print_1(&vboard);
                fastest = fastest.min(start.elapsed());
                assert_eq!(vboard.count("soft_resets"), resets + 1, "{profile}");
                if fastest < limit {
                    break;
                }
            }
            fastest
        };
        println!("{profile}: {took:?} of {limit:?}");
        assert!(took < limit, "{profile}: {took:?} of {limit:?}");
        // After the reset the interpreter is clean, so no further reset is needed.
        resets += 1;
        print_1(&vboard);
        assert_eq!(vboard.count("soft_resets"), resets, "{profile}");
    }
}

#[test]
fn nothing_of_a_program_remains_for_the_next() {
    for (profile, _) in PROFILES {
        let mut vboard = VirtualBoard::options()
            .profile(profile)
            .flag("--quick")
            .ready();
        for left in [
            "x = 1",
            "x = 'text'",
            "x = [1]",
            "def x(): pass",
            "class x: pass",
            "x = lambda: 0",
            "x = (i for i in (1, 2))",
            "_x = x = 0",
        ] {
            run_source(&vboard, left).expect_code(0);
            let finished = run_source(&vboard, "print('x' in globals())").expect_code(0);
            assert_eq!(finished.text(), "False\r\n", "{profile}: {left}");
        }
        let os = "try:\n import uos as o\nexcept ImportError:\n import os as o\n";
        run_source(&vboard, format!("{os}o.mkdir('/d')\no.chdir('/d')\n")).expect_code(0);
        let finished = run_source(&vboard, format!("{os}print(o.getcwd())\n")).expect_code(0);
        assert_ne!(finished.text(), "/d\r\n", "{profile}");
        let resets = vboard.count("soft_resets");
        run_source(&vboard, "import gc, sys, time").expect_code(0);
        print_1(&vboard);
        assert_eq!(
            vboard.count("soft_resets"),
            resets,
            "{profile}: modules of the firmware are no leftovers"
        );
    }
}
