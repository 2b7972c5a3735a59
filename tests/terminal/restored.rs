//! However the program ends, the terminal is restored.

use std::time::{Duration, Instant};

use crate::emulator::Emulator;

#[test]
fn raw_mode_ends_with_its_guard_a_panic_and_the_second_ctrl_c() {
    for (begin, ends, modes) in [
        ("raw", ["cooked", "panic", "twice"], (false, true)),
        ("screen", ["first", "panic", "twice"], (true, false)),
    ] {
        for end in ends {
            let mut terminal = Emulator::start(80, false);
            assert!(terminal.is_cooked());
            terminal.tell("begin");
            terminal.tell(begin);
            terminal.until(begin, |_| {
                !terminal.is_cooked() && terminal.modes() == modes
            });
            terminal.tell(end);
            if matches!(end, "panic" | "twice") {
                terminal.wait();
            }
            let what = format!("{begin}, {end}");
            terminal.until(&what, |_| {
                terminal.is_cooked() && terminal.modes() == (false, false)
            });
            if end == "panic" {
                // The panic is reported on the normal screen.
                terminal.until(&what, |rows| rows.join("").contains("as it was told"));
            }
        }
    }
}

/// Ctrl-S, or a stalled connection; the system buffers some 64 KB for the terminal.
#[test]
fn a_screen_that_nobody_reads_does_not_hold_up_the_end() {
    for (signals, over) in [(&["TERM"][..], "over"), (&["INT", "TERM"], "ended")] {
        let mut terminal = Emulator::start(80, false);
        terminal.tell("screen");
        terminal.until("the other screen", |_| terminal.modes().0);
        terminal.stall(true);
        terminal.tell("frames");
        // Long enough to exceed the system's buffer; less would be an easier case.
        std::thread::sleep(Duration::from_millis(500));
        for signal in signals {
            terminal.signal(signal);
            std::thread::sleep(Duration::from_millis(20));
        }
        let asked = Instant::now();
        terminal.wait_for(over);
        assert!(asked.elapsed() < Duration::from_secs(4), "{signals:?}");
        terminal.stall(false);
        terminal.wait();
        terminal.until("the terminal's modes", |_| terminal.is_cooked());
    }
}

#[test]
fn messages_wait_while_the_screen_is_another_one_and_lines_are_whole_in_raw_mode() {
    let mut terminal = Emulator::start(80, false);
    terminal.tell("begin");
    terminal.tell("raw");
    terminal.tell("log 第一 one");
    terminal.tell("log two");
    terminal.until("raw lines", |rows| rows == ["第一 one", "two"]);
    terminal.tell("cooked");
    terminal.tell("screen");
    terminal.until("the other screen", <[String]>::is_empty);
    terminal.tell("log three");
    terminal.tell("warn 四");
    terminal.tell("first");
    terminal.until("everything", |rows| {
        rows == ["第一 one", "two", "three", "warning: 四"]
    });
    terminal.end();
}
