//! `udpcli board put --watch`: the board has the last saved version, whatever happens in between.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{assert_untouched, command};
use crate::files::folder;
use crate::process::Running;
use crate::support::VirtualBoard;

fn watched<const N: usize>(here: &Path, board: &VirtualBoard, args: [&str; N]) -> Running {
    let mut command = command(board, args);
    command.arg("--watch").current_dir(here);
    Running::spawn(&mut command)
}

/// Waits until a file on the board has this content.
#[track_caller]
fn wait_for(board: &VirtualBoard, name: &str, content: Option<&str>) {
    let until = Instant::now() + Duration::from_secs(20);
    let path = board.files().join(name);
    while fs::read(&path).ok().as_deref() != content.map(str::as_bytes) {
        assert!(Instant::now() < until, "{name} is not {content:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn each_save_is_put_and_a_folder_stays_where_it_went_first() {
    let board = VirtualBoard::options().ready();
    let here = folder(&[("lib/a.py", b"1"), ("lib/deep/b.py", b"1")]);
    let mut running = watched(here.path(), &board, ["put", "lib", ":/new"]);
    running.stderr_line_with("Ctrl-C ends it");
    for number in 0..3 {
        let content = format!("save {number}");
        fs::write(here.path().join("lib/deep/b.py"), &content).unwrap();
        wait_for(&board, "new/deep/b.py", Some(&content));
        running.stderr_line_with("1 written, 1 unchanged");
    }
    // As editors do that rename.
    fs::write(here.path().join("lib/.a.new"), "renamed").unwrap();
    fs::rename(here.path().join("lib/.a.new"), here.path().join("lib/a.py")).unwrap();
    wait_for(&board, "new/a.py", Some("renamed"));
    running.stderr_line_with("1 written, 1 unchanged");
    let finished = running.interrupt().expect_code(0);
    let end = "stopped watching; files put: 6, removed: 0";
    assert!(finished.stderr.contains(end), "{}", finished.stderr);
    assert_untouched(&board, &["new"]);
    assert!(!board.files().join("new/lib").exists());
}

#[test]
fn what_is_on_the_board_is_asked_again_only_after_something_happened_there() {
    let mut board = VirtualBoard::options().flag("--quick").ready();
    let here = folder(&[("lib/a.py", b"1"), ("lib/b.py", b"1")]);
    let wire = here.path().join("wire.jsonl");
    let args = ["put", "lib", ":", "--wire", wire.to_str().unwrap()];
    let mut running = watched(here.path(), &board, args);
    running.stderr_line_with("2 written, 0 unchanged");
    let asked = || {
        fs::read_to_string(&wire)
            .unwrap()
            .matches("a.py/b.py")
            .count()
    };
    let before = asked();
    assert!(before > 0);
    fs::write(here.path().join("lib/b.py"), "2").unwrap();
    running.stderr_line_with("1 written, 1 unchanged");
    assert_eq!(asked(), before);
    // The board restarts, and its program removes a file.
    fs::remove_file(board.files().join("lib/a.py")).unwrap();
    board.reset();
    board.wait_ready();
    fs::write(here.path().join("lib/b.py"), "3").unwrap();
    running.stderr_line_with("2 written, 0 unchanged");
    wait_for(&board, "lib/a.py", Some("1"));
    running.interrupt().expect_code(0);
}

#[test]
fn with_delete_what_is_removed_here_is_removed_there() {
    let board = VirtualBoard::options().file("boot.py", "1").ready();
    let here = folder(&[("main.py", b"1"), ("x.py", b"1")]);
    let file = here.path().join("x.py");
    let refused = watched(here.path(), &board, ["put", ".", ":", "--delete"]).finish();
    let refused = refused.expect_code(2);
    assert!(
        refused.stderr.contains("does not ask at each save"),
        "{}",
        refused.stderr
    );
    let args = ["put", ".", ":", "--delete", "--yes", "--exclude", "*.csv"];
    let mut running = watched(here.path(), &board, args);
    running.stderr_line_with("Ctrl-C ends it");
    wait_for(&board, "boot.py", None);
    fs::remove_file(&file).unwrap();
    wait_for(&board, "x.py", None);
    running.stderr_line_with("0 written, 1 unchanged");
    // An editor that moves the file away for a moment.
    fs::remove_file(here.path().join("main.py")).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    fs::write(here.path().join("main.py"), "2").unwrap();
    wait_for(&board, "main.py", Some("2"));
    running.stderr_line_with("1 written, 0 unchanged");
    let finished = running.interrupt().expect_code(0);
    assert!(
        !finished.stderr.contains("removed /main.py"),
        "{}",
        finished.stderr
    );
    assert_untouched(&board, &["main.py"]);
}

#[test]
fn a_removed_file_a_full_board_and_a_pulled_cable_are_said_and_waited_out() {
    let mut board = VirtualBoard::options().ready();
    let here = folder(&[("main.py", b"1")]);
    let file = here.path().join("main.py");
    let mut running = watched(here.path(), &board, ["put", "main.py", ":"]);
    running.stderr_line_with("Ctrl-C ends it");
    fs::remove_file(&file).unwrap();
    running.stderr_line_with("puts the files again at the next save");
    fs::write(&file, vec![b'#'; 3 << 20]).unwrap();
    running.stderr_line_with("full");
    running.stderr_line_with("puts the files again at the next save");
    fs::write(&file, "2").unwrap();
    wait_for(&board, "main.py", Some("2"));
    running.stderr_line_with("1 written");
    board.unplug();
    running.stderr_line_with("udpcli waits until it is back");
    fs::write(&file, "3").unwrap();
    board.plug();
    wait_for(&board, "main.py", Some("3"));
    running.stderr_line_with("1 written");
    board.unplug();
    running.stderr_line_with("udpcli waits until it is back");
    running.interrupt().expect_code(0);
}

#[test]
fn a_watch_is_no_step_and_no_dry_run() {
    let board = VirtualBoard::options().ready();
    for args in [
        &["do", "put main.py : --watch"][..],
        &["put", "main.py", "--watch", "--dry-run"],
    ] {
        let output = command(&board, []).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}
