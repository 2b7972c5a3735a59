//! An optional test with a real board: `UDPCLI_SERIAL=PORT cargo test --test real_board -- --ignored`. It reads the
//! board, uploads a file, runs a program and removes both. It flashes nothing.

// Tells clippy that all helpers here are test code.
#![cfg(test)]
#![cfg(feature = "board")]

use std::process::{Command, Output};

use serde_json::Value;

/// A name that no user's file has.
const FILE: &str = "udpcli-real-board-test.txt";

fn board(args: &[&str]) -> Output {
    let port = std::env::var("UDPCLI_SERIAL").expect("UDPCLI_SERIAL names the board's port");
    Command::new(env!("CARGO_BIN_EXE_udpcli"))
        .arg("board")
        .args(args)
        .args(["-s", &port])
        .output()
        .expect("udpcli runs")
}

#[track_caller]
fn ok(args: &[&str]) -> String {
    let output = board(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs a board on the port that UDPCLI_SERIAL names"]
fn a_real_board_is_read_written_and_restored() {
    let info: Value = serde_json::from_str(&ok(&["info", "--format", "json"])).expect("JSON");
    println!("{info:#}");
    let before = ok(&["ls", "-r"]);

    let folder = tempfile::tempdir().expect("a folder");
    let local = folder.path().join(FILE);
    let content: Vec<u8> = (0..=255).cycle().take(3000).collect();
    std::fs::write(&local, &content).expect("a file");
    let local = local.to_str().expect("a path");
    ok(&["put", local, ":"]);
    let back = folder.path().join("back");
    ok(&["get", &format!(":{FILE}"), back.to_str().expect("a path")]);
    assert_eq!(std::fs::read(back).expect("the file"), content);
    ok(&["rm", &format!(":{FILE}")]);

    let program = folder.path().join("program.py");
    std::fs::write(&program, "print('6 * 7 =', 6 * 7)\n").expect("a program");
    let program = program.to_str().expect("a path");
    assert!(ok(&["run", program]).contains("6 * 7 = 42"));
    assert_eq!(ok(&["ls", "-r"]), before, "something was left on the board");
}
