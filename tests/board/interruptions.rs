//! Interruptions of file commands: Ctrl-C, a save during a transfer, many saves, two watchers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{assert_untouched, board, command, start};
use crate::files::{folder, random};
use crate::process::{Running, eventually};
use crate::support::{VirtualBoard, mpremote_ok};

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
        .slow()
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
        let finished = if running.has_ended() {
            running.finish()
        } else {
            running.interrupt()
        };
        if begins.is_some() && finished.code == Some(0) {
            // The copy was faster than this test.
            fs::write(vboard.files().join("b.bin"), "old").unwrap();
            continue;
        }
        finished.expect_code(130);
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
    let vboard = VirtualBoard::options().slow().ready();
    let here = folder(&[("data.bin", b"1"), ("main.py", b"1")]);
    let mut running = watched(here.path(), &vboard, ".");
    arrives(&vboard, "main.py", b"1");
    fs::write(here.path().join("data.bin"), random(40_000)).unwrap();
    let part = vboard.files().join(".udpcli.part");
    eventually("the transfer has begun", || {
        fs::metadata(&part).is_ok_and(|part| part.len() > 0)
    });
    // The file that udpcli is putting, and another one.
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

/// `mac` is the last name that `_boot.py` of mPython 2.x sets, `booted` the last of the user's `boot.py`.
#[track_caller]
fn assert_booted(board: &VirtualBoard) {
    let code = "print('mac' in globals(), 'booted' in globals())";
    let seen = mpremote_ok(board, ["resume", "exec", code]);
    assert_eq!(seen, "True True\r\n", "the boot was cut short");
}

#[test]
fn ctrl_c_during_a_soft_reset_waits_for_the_end_of_the_boot() {
    let mut vboard = VirtualBoard::options()
        .file("boot.py", "import time\ntime.sleep(0.4)\nbooted = 1\n")
        .ready();
    // A number at the end of a program asks for a soft reset before the next one.
    let here = folder(&[("main.py", b"import network\nx = 1\nprint('one')\n")]);
    let script = here.path().join("main.py");
    let mut run = command(&vboard, ["run", "main.py"]);
    Running::spawn(run.current_dir(here.path()))
        .finish()
        .expect_code(0);
    let resets = vboard.count("soft_resets");
    let running = Running::spawn(run.current_dir(here.path()));
    vboard.wait_until("it resets", |stats| {
        stats["soft_resets"].as_u64() > Some(resets)
    });
    running.interrupt().expect_code(130);
    assert_booted(&vboard);
    assert_untouched(&vboard, &["boot.py"]);
    let mut watch = command(&vboard, ["run", "main.py", "--watch"]);
    let mut running = Running::spawn(watch.current_dir(here.path()));
    assert_eq!(running.stdout_line(), "one\r\n");
    running.stderr_line_with("to run it again");
    let resets = vboard.count("soft_resets");
    fs::write(&script, "import network\nx = 2\nprint('two')\n").unwrap();
    vboard.wait_until("it resets", |stats| {
        stats["soft_resets"].as_u64() > Some(resets)
    });
    let finished = running.interrupt().expect_code(0);
    assert!(
        !finished.stderr.contains("running it again"),
        "{}",
        finished.stderr
    );
    assert_booted(&vboard);
    assert_untouched(&vboard, &["boot.py"]);
}

#[test]
fn ctrl_c_leaves_a_board_alone_that_boots_by_itself() {
    let mut vboard = VirtualBoard::options()
        .flag("--reset-on-open")
        .file(
            "boot.py",
            "import time\ntime.sleep(1)\nopen('booted', 'w').close()\n",
        )
        .ready();
    let booted = vboard.files().join("booted");
    eventually("it has booted", || booted.exists());
    fs::remove_file(&booted).unwrap();
    let resets = vboard.count("resets");
    let running = start(&vboard, ["ls"]);
    vboard.wait_until("it boots", |stats| {
        stats["resets"].as_u64() > Some(resets) && stats["stage"] == "boot.py"
    });
    running.interrupt().expect_code(130);
    eventually("it boots to the end", || booted.exists());
}

#[test]
fn ctrl_c_stops_a_board_that_works_for_long() {
    let vboard = VirtualBoard::options().ready();
    let big = fs::File::create(vboard.files().join("big.bin")).unwrap();
    // More than the interpreter reads in 10 s.
    big.set_len(4 << 30).unwrap();
    for args in [
        &["sha256sum", ":big.bin"][..],
        &["cp", ":big.bin", ":b.bin"],
    ] {
        let mut command = command(&vboard, []);
        command.args(args).arg("-vv");
        let mut running = Running::spawn(&mut command);
        running.stderr_line_with("working directory");
        std::thread::sleep(Duration::from_millis(300));
        let finished = running.interrupt().expect_code(130);
        assert!(
            !finished.stderr.contains("did not answer"),
            "{}",
            finished.stderr
        );
        assert_untouched(&vboard, &["big.bin"]);
    }
}

#[test]
fn ctrl_c_before_the_value_of_an_expression_is_no_success() {
    let mut vboard = VirtualBoard::options().ready();
    let running = start(
        &vboard,
        ["eval", "[print('begun'), __import__('time').sleep(20)]"],
    );
    let up = vboard.count("up");
    vboard.wait_until("it is evaluated", |stats| {
        stats["up"].as_u64() > Some(up) && stats["interrupt_char"] == 3
    });
    let finished = running.interrupt().expect_code(130);
    assert!(!finished.text().contains("None"), "{}", finished.text());
    assert_untouched(&vboard, &[]);
}
