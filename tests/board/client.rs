//! `udpcli board` on a virtual board.

use std::process::{Command, Stdio};

use crate::process::{Finished, Running, run_with_input, udpcli};
use crate::support::{Options, VirtualBoard};

/// The firmwares: the maker's as recorded and as in its source code, and one with raw-paste mode.
pub(crate) fn kinds() -> [(&'static str, Options); 3] {
    [
        (
            "mpython-1.4",
            VirtualBoard::options().profile("mpython-1.4"),
        ),
        ("mpython-2.x", VirtualBoard::options()),
        ("generic-1.26", VirtualBoard::options().raw_paste()),
    ]
}

/// The command `udpcli board -s PORT ARGS`.
pub(crate) fn command<const N: usize>(board: &VirtualBoard, args: [&str; N]) -> Command {
    let mut command = udpcli(["board", "-s", &board.port]);
    command
        .args(args)
        .env_remove("UDPCLI_SERIAL")
        .stdin(Stdio::null());
    command
}

/// Runs `udpcli board -s PORT ARGS` to its end.
#[track_caller]
pub(crate) fn board<const N: usize>(board: &VirtualBoard, args: [&str; N]) -> Finished {
    run_with_input(command(board, args), b"")
}

/// Runs a program from stdin on the board to its end.
#[track_caller]
pub(crate) fn run_source(board: &VirtualBoard, source: impl AsRef<[u8]>) -> Finished {
    run_with_input(command(board, ["run", "-"]), source.as_ref())
}

/// Starts `udpcli board -s PORT ARGS`.
#[track_caller]
pub(crate) fn start<const N: usize>(board: &VirtualBoard, args: [&str; N]) -> Running {
    Running::spawn(&mut command(board, args))
}

/// Starts a program from a file of this PC on the board.
#[track_caller]
pub(crate) fn start_source(board: &VirtualBoard, source: impl AsRef<[u8]>) -> Running {
    let script = board.files().with_file_name("script.py");
    std::fs::write(&script, source).expect("a script");
    start(board, ["run", script.to_str().expect("UTF-8")])
}

/// Checks that udpcli left no trace: the board is at its ordinary prompt, the interpreter has none of our names, and
/// the file system contains only `files`.
#[track_caller]
pub(crate) fn assert_untouched(board: &VirtualBoard, files: &[&str]) {
    let code = "print([k for k in globals() if k[:2] == '_u' or 'udpcli' in k])";
    let seen = crate::support::mpremote_ok(board, ["resume", "exec", code]);
    assert_eq!(seen, "[]\r\n", "names left in the interpreter");
    let mut names: Vec<String> = std::fs::read_dir(board.files())
        .expect("the board's folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            entry.file_name().to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, files, "files left on the board");
}
