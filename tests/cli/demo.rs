//! `udpcli demo`: a listener and a sender on this PC.

use crate::support::run;
#[cfg(unix)]
use crate::support::{Running, udpcli};

#[test]
fn it_shows_both_sides_and_that_everything_arrived() {
    let finished = run(["demo"]).expect_code(0);
    let text = finished.text();
    let count = |words: &str| text.lines().filter(|line| line.contains(words)).count();
    for side in ["listen", "  send"] {
        let hello = format!("{side} | ");
        let lines = text.lines().filter(|line| line.starts_with(&hello));
        assert_eq!(lines.count(), 4, "{side}: {text}");
    }
    assert_eq!(count(r" 28 hello message from mPython\r\n"), 6, "{text}");
    assert_eq!(count(" 6 你好"), 2, "{text}");
    assert!(text.contains("listen : listening on 127.0.0.1:"), "{text}");
    assert!(
        text.ends_with("Next, with a board on the same network: udpcli listen\n"),
        "{text}"
    );
    assert_eq!(finished.stderr, "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_both_sides() {
    let mut demo = Running::spawn(&mut udpcli(["demo"]));
    while !demo.stdout_line().starts_with("  send |") {}
    demo.interrupt().expect_code(130);
}
