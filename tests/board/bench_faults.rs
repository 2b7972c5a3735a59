//! The maker's bench when something comes in between: Ctrl-C, a save during a transfer, many saves, two watchers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{assert_untouched, board, command, start};
use crate::files::{folder, random};
use crate::process::{Running, eventually};
use crate::support::VirtualBoard;

/// Starts `put NAME : --watch` in a folder, and waits until it watches.
fn watched(here: &Path, board: &VirtualBoard, name: &str) -> Running {
    let mut command = command(board, ["put", name, ":", "--watch"]);
    let mut running = Running::spawn(command.current_dir(here));
    running.stderr_line_with("Ctrl-C ends it");
    running
}

#[track_caller]
fn arrives(board: &VirtualBoard, name: &str, content: &[u8]) {
    eventually("the last save is on the board", || {
        fs::read(board.files().join(name)).is_ok_and(|there| there == content)
    });
}

#[test]
fn ctrl_c_during_a_copy_or_a_print_leaves_the_board_in_order() {
    let big: Vec<u8> = (0..60_000)
        .flat_map(|n| format!("{n:09}\n").into_bytes())
        .collect();
    let mut vboard = VirtualBoard::options()
        .file("a.bin", &big)
        .file("b.bin", "old")
        .ready();
    for (args, begins) in [
        (&["cat", ":a.bin"][..], None),
        (&["cp", ":a.bin", ":b.bin"], Some(".udpcli.part")),
    ] {
        let mut command = command(&vboard, []);
        command.args(args).stdout(std::process::Stdio::piped());
        let mut running = Running::spawn(&mut command);
        match begins {
            Some(part) => eventually("the copy has begun", || {
                vboard.files().join(part).exists() || running.has_ended()
            }),
            None => {
                let up = vboard.count("up");
                let is_far = |stats: &serde_json::Value| stats["up"].as_u64() > Some(up + 20_000);
                vboard.wait_until("it comes", is_far);
            }
        }
        let asked = Instant::now();
        if running.has_ended() {
            // The copy was faster than this test.
            running.finish().expect_code(0);
            fs::write(vboard.files().join("b.bin"), "old").unwrap();
            continue;
        }
        running.interrupt().expect_code(130);
        assert!(asked.elapsed() < Duration::from_secs(4), "{args:?}");
        assert!(fs::read(vboard.files().join("a.bin")).unwrap() == big);
        assert_eq!(fs::read(vboard.files().join("b.bin")).unwrap(), b"old");
        assert_untouched(&vboard, &["a.bin", "b.bin"]);
    }
    board(&vboard, ["mv", ":a.bin", ":c.bin"]).expect_code(0);
    assert_untouched(&vboard, &["b.bin", "c.bin"]);
}

#[test]
fn a_save_during_a_transfer_is_put_after_it() {
    let vboard = VirtualBoard::options().ready();
    let here = folder(&[("data.bin", b"1"), ("main.py", b"1")]);
    let mut running = watched(here.path(), &vboard, ".");
    arrives(&vboard, "main.py", b"1");
    fs::write(here.path().join("data.bin"), random(40_000)).unwrap();
    let part = vboard.files().join(".udpcli.part");
    eventually("the transfer has begun", || {
        fs::metadata(&part).is_ok_and(|part| part.len() > 0)
    });
    // The file that is being put, and another one.
    fs::write(here.path().join("data.bin"), "2").unwrap();
    fs::write(here.path().join("main.py"), "2").unwrap();
    arrives(&vboard, "data.bin", b"2");
    arrives(&vboard, "main.py", b"2");
    running.stderr_line_with("written");
    running.interrupt().expect_code(0);
    assert_untouched(&vboard, &["data.bin", "main.py"]);
}

#[test]
fn two_watchers_put_the_last_of_many_saves_from_one_folder() {
    let boards = [
        VirtualBoard::options().ready(),
        VirtualBoard::options().profile("mpython-1.4").ready(),
    ];
    let here = folder(&[("main.py", b"0")]);
    let running: Vec<Running> = boards
        .iter()
        .map(|board| watched(here.path(), board, "main.py"))
        .collect();
    for number in 0..500 {
        fs::write(here.path().join("main.py"), format!("# save {number}\n")).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    for board in &boards {
        arrives(board, "main.py", b"# save 499\n");
    }
    for (running, board) in running.into_iter().zip(&boards) {
        running.interrupt().expect_code(0);
        assert_untouched(board, &["main.py"]);
    }
}

#[test]
fn a_second_watcher_on_one_board_is_told_who_has_it() {
    let vboard = VirtualBoard::options().ready();
    let here = folder(&[("main.py", b"0")]);
    let running = watched(here.path(), &vboard, "main.py");
    let mut second = command(&vboard, ["put", "main.py", ":", "--watch"]);
    let second = Running::spawn(second.current_dir(here.path()))
        .finish()
        .expect_code(3);
    assert!(second.stderr.contains("udpcli"), "{}", second.stderr);
    fs::write(here.path().join("main.py"), "1").unwrap();
    arrives(&vboard, "main.py", b"1");
    running.interrupt().expect_code(0);
    start(&vboard, ["ls"]).finish().expect_code(0);
}
