//! Ctrl-C in the middle.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::emulator::op;
use crate::images::firmware;
use crate::support::{command, file, flash, quick_board};

#[test]
fn ctrl_c_says_what_is_in_flash_and_the_same_command_completes() {
    let board = quick_board();
    let image = firmware(700_000, 41);
    let path = file(&board, "m.bin", &image);
    let mut child = command(&board, &[&path])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("writing") {
        assert_ne!(stderr.read_line(&mut text).unwrap(), 0, "{text}");
    }
    let asked = Instant::now();
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    while stderr.read_line(&mut text).unwrap() > 0 {}
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(asked.elapsed() < Duration::from_secs(2));
    for words in [
        "stopped by Ctrl-C",
        "bytes are written",
        "run the same command again",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!board.flash()[0x1000..].starts_with(&image));

    let before = board.stats().commands.len();
    flash(&board, &[&path]).expect_code(0);
    assert!(board.flash()[0x1000..].starts_with(&image));
    // It went on where the first had ended: the stub was still there.
    assert!(!board.stats().commands[before..].contains(&op::MEM_BEGIN));
}
