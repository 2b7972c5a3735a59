//! How soon a program runs, and that nothing is reset without need, on every firmware.

use std::time::{Duration, Instant};

use crate::client::run_source;
use crate::support::{PROFILES, VirtualBoard};

/// From the start of the command to its end, on a board that is at its prompt.
const AT_PROMPT: Duration = Duration::from_millis(500);

/// The same with a soft reset, which adds its own time.
const WITH_RESET: Duration = Duration::from_millis(400);

/// How often a run is tried until one is fast enough: other programs share this machine's processors.
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
fn a_freshly_booted_board_runs_a_program_without_a_reset() {
    for (profile, _) in PROFILES {
        let mut vboard = VirtualBoard::options().profile(profile).ready();
        // The first boot of a freshly flashed board, and a later one: each leaves other names in the interpreter.
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
fn a_used_interpreter_costs_one_soft_reset_and_no_more() {
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
        // After the reset the interpreter is clean: nothing to reset for.
        resets += 1;
        print_1(&vboard);
        assert_eq!(vboard.count("soft_resets"), resets, "{profile}");
    }
}

#[test]
fn whatever_a_program_leaves_is_gone_before_the_next() {
    for (profile, _) in PROFILES {
        let mut vboard = VirtualBoard::options().profile(profile).ready();
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
