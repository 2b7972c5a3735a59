//! Tests that need answers of this PC within a millisecond: one test at a time, and no other test at the same time.
//!
//! A program that catches Ctrl-C is stopped by a Ctrl-C that arrives inside its handler. With four tests on two
//! processors, the virtual board and udpcli wait for a processor too often to hit that moment within the time limit.

// Tells clippy that all helpers here are test code. The virtual board needs Linux (pseudo-terminal, inotify).
#![cfg(test)]
#![cfg(all(target_os = "linux", feature = "board"))]

#[expect(dead_code, reason = "shared with tests/board, which uses the rest")]
#[path = "../board/client.rs"]
mod client;
#[expect(dead_code, reason = "shared with tests/cli, which uses the rest")]
#[path = "../cli/support.rs"]
mod process;
#[expect(dead_code, reason = "shared with tests/board, which uses the rest")]
#[path = "../board/support.rs"]
mod support;

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::client::{assert_untouched, kinds, run_source, start, start_source};
use crate::support::VirtualBoard;

/// The right to run; held for a whole test.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints when it is interrupted, and continues.
const STUBBORN: &str = "import time\nprint('begin')\nwhile True:\n    try:\n        while True: time.sleep_ms(1)\n    except KeyboardInterrupt: print('no')\n";

#[test]
fn one_signal_stops_a_program_that_catches_it() {
    let _alone = alone();
    for (kind, options) in kinds() {
        let board = options.ready();
        for signal in ["INT", "TERM"] {
            let mut running = start_source(&board, STUBBORN);
            assert_eq!(running.stdout_line(), "begin\r\n");
            running.signal(signal);
            let finished = running.finish();
            assert!(
                finished.stderr.contains("stopping it"),
                "{kind}: {}",
                finished.stderr
            );
            finished.expect_code(0);
            assert_untouched(&board, &[]);
        }
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let _alone = alone();
    let board = VirtualBoard::options().ready();
    let mut running = start_source(&board, STUBBORN);
    assert_eq!(running.stdout_line(), "begin\r\n");
    running.signal("INT");
    assert_eq!(running.stdout_line(), "no\r\n");
    running.signal("INT");
    running.finish().expect_code(130);
    assert_eq!(
        run_source(&board, "print(2)").expect_code(0).text(),
        "2\r\n"
    );
}

#[test]
fn a_closed_terminal_ends_a_run_cleanly() {
    let _alone = alone();
    for (kind, options) in kinds() {
        let board = options.ready();
        let mut running = start_source(&board, STUBBORN);
        assert_eq!(running.stdout_line(), "begin\r\n");
        running.signal("HUP");
        running.finish().expect_code(0);
        assert_untouched(&board, &[]);

        // During a long put: the temporary file is removed.
        let big = board.files().with_file_name("big.bin");
        let mut state = 0x2545_f491u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        })
        .take(60_000)
        .collect();
        fs::write(&big, noise).unwrap();
        let part = board.files().join(".udpcli.part");
        let running = start(&board, ["put", big.to_str().unwrap(), ":"]);
        process::eventually("the transfer has begun", || {
            fs::metadata(&part).is_ok_and(|part| part.len() > 0)
        });
        running.signal("HUP");
        running.finish().expect_code(130);
        assert_untouched(&board, &[]);
        println!("{kind}");
    }
}
