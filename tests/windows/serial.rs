//! The serial bridge on a COM port, with the virtual board behind it.
//!
//! `tests/windows/run` tells Wine that COM11 is the path in `UDPCLI_WINDOWS_COM11`; a test puts its board's
//! pseudo-terminal there. One board at a time, so this is a single test.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::board::VirtualBoard;
use crate::support::{Finished, Running, eventually, skipped};
use crate::{as_windows_writes, deep_folder, windows};

/// `udpcli.exe board COMMAND -s COM11 ARGS`.
fn board(args: &[&str]) -> Option<Command> {
    windows([&["board", args[0], "-s", "COM11"], &args[1..]].concat())
}

#[track_caller]
fn run(args: &[&str]) -> Finished {
    Running::spawn(&mut board(args).expect("looked for before")).finish()
}

#[test]
fn the_bridge_works_on_a_com_port_above_nine() {
    let Some(path) = std::env::var_os("UDPCLI_WINDOWS_COM11").map(PathBuf::from) else {
        skipped("tests/windows/run maps COM11");
        return;
    };
    let link = path.to_str().expect("UTF-8");
    let mut virtual_board = VirtualBoard::options().arg("--link", link).ready();

    let listed = Running::spawn(&mut windows(["board", "list"]).unwrap())
        .finish()
        .expect_code(0);
    assert!(listed.text().contains("COM11"), "{}", listed.text());

    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("hello.py");
    std::fs::write(
        &script,
        "import sys\nprint('你好', sys.platform)\nfor n in range(3): print(n)\n",
    )
    .unwrap();
    let mut command = board(&["run", "hello.py"]).unwrap();
    let finished = Running::spawn(command.current_dir(folder.path()))
        .finish()
        .expect_code(0);
    let text = finished.text().replace("\r\n", "\n");
    assert!(
        text.starts_with("你好 ") && text.ends_with("\n0\n1\n2\n"),
        "{text}"
    );

    // A traceback is exit code 1.
    std::fs::write(&script, "1/0\n").unwrap();
    let mut command = board(&["run", "hello.py"]).unwrap();
    let finished = Running::spawn(command.current_dir(folder.path()))
        .finish()
        .expect_code(1);
    assert!((finished.text() + &finished.stderr).contains("ZeroDivisionError"));

    // CRLF and every byte value survive; the board's folder is this machine's.
    let bytes: Vec<u8> = (0..20_000_u32)
        .map(|n| n.to_le_bytes()[usize::from(n % 7 == 0)])
        .collect();
    std::fs::write(folder.path().join("数据.bin"), &bytes).unwrap();
    let mut command = board(&["put", "数据.bin", ":data.bin"]).unwrap();
    Running::spawn(command.current_dir(folder.path()))
        .finish()
        .expect_code(0);
    assert_eq!(
        std::fs::read(virtual_board.files().join("data.bin")).unwrap(),
        bytes
    );
    let mut command = board(&["get", ":data.bin", "back.bin"]).unwrap();
    Running::spawn(command.current_dir(folder.path()))
        .finish()
        .expect_code(0);
    assert_eq!(
        std::fs::read(folder.path().join("back.bin")).unwrap(),
        bytes
    );
    assert!(run(&["ls"]).expect_code(0).text().contains("data.bin"));
    let info = run(&["info", "--format", "json"]).expect_code(0).text();
    assert!(info.contains("mpython") || info.contains("ESP32"), "{info}");

    // The display of its main.py.
    let main = "from mpython import *\nimport time\noled.fill(0)\noled.DispChar('你好 hello', 0, 15)\noled.show()\nwhile True: time.sleep(0.1)\n";
    std::fs::write(virtual_board.files().join("main.py"), main).unwrap();
    let shown = run(&["oled", "--once"]).expect_code(0).text();
    assert!(shown.contains("你好 hello"), "{shown}");

    // Paths of more than 260 characters.
    let deep = deep_folder(folder.path());
    let [local, back, image] =
        ["a.bin", "back.bin", "屏幕.png"].map(|name| as_windows_writes(&deep.join(name)));
    std::fs::write(deep.join("a.bin"), &bytes).unwrap();
    run(&["put", &local, ":a.bin"]).expect_code(0);
    run(&["get", ":a.bin", &back]).expect_code(0);
    assert_eq!(std::fs::read(deep.join("back.bin")).unwrap(), bytes);
    std::fs::write(virtual_board.files().join("main.py"), main).unwrap();
    run(&["oled", "--once", "--image", &image]).expect_code(0);
    let png = std::fs::read(deep.join("屏幕.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    run(&["put", &as_windows_writes(&deep), ":"]).expect_code(0);

    // Ctrl-C stops the program on the board and ends the command cleanly.
    std::fs::write(&script, "print('begun')\nwhile True: pass\n").unwrap();
    let mut command = board(&["run", "hello.py"]).unwrap();
    let mut running = Running::spawn(command.current_dir(folder.path()).stdin(Stdio::null()));
    assert_eq!(running.stdout_line().trim_end(), "begun");
    let finished = running.interrupt();
    assert!(matches!(finished.code, Some(0 | 130)), "{finished:?}");
    eventually("the board is at its prompt", || {
        virtual_board.stats()["stage"] == "repl"
    });
}

#[test]
fn a_port_that_is_not_there_says_so() {
    let Some(mut command) = windows(["board", "info", "-s", "COM77"]) else {
        return;
    };
    let finished = Running::spawn(&mut command).finish().expect_code(3);
    assert!(
        finished.stderr.contains("cannot open serial port COM77"),
        "{}",
        finished.stderr
    );
}
