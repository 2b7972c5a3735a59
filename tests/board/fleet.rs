//! One command for several boards: `-s` more than once.
//!
//! Long because each command that takes several boards has a test.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::assert_untouched;
use crate::process::{Finished, Running, run_with_input, udpcli};
use crate::support::{Options, VirtualBoard};

/// The test's timeout for a command to end after Ctrl-C: twice what the command may take, for a busy machine.
const SOON: Duration = Duration::from_secs(4);

/// Names as in a class: Chinese, an emoji of several characters, and one that would turn a terminal red.
const NAMES: [&str; 4] = ["小明", "👩‍🚀 Eva", "\u{1b}[31mRed", "\u{202e}abc"];

/// The MAC address of the board with this index.
fn mac(index: usize) -> String {
    format!("240ac400{index:04x}")
}

fn options(index: usize) -> Options {
    VirtualBoard::options()
        .flag("--quick")
        .arg("--mac", &mac(index))
}

/// This many boards that are ready.
fn class(count: usize, each: impl Fn(Options) -> Options) -> Vec<VirtualBoard> {
    let mut boards: Vec<VirtualBoard> = (0..count)
        .map(|index| each(options(index)).start())
        .collect();
    for board in &mut boards {
        board.wait_ready();
    }
    boards
}

/// A folder with `names.csv`.
fn names() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let mut list = "mac-or-id,name,seat\r\n".to_owned();
    for (index, name) in NAMES.iter().enumerate() {
        let _ = write!(list, "{},{name},A{index}\r\n", mac(index));
    }
    fs::write(folder.path().join("names.csv"), list).expect("a list");
    folder
}

/// `udpcli board ARGS -s PORT -s PORT ..`.
fn command(boards: &[VirtualBoard], args: &[&str], folder: &Path) -> Command {
    let mut command = udpcli(["board"]);
    command
        .args(args)
        .env_remove("UDPCLI_SERIAL")
        .current_dir(folder)
        .stdin(Stdio::null());
    for board in boards {
        command.args(["-s", &board.port]);
    }
    command
}

#[track_caller]
fn finish(boards: &[VirtualBoard], args: &[&str], folder: &Path) -> Finished {
    run_with_input(command(boards, args, folder), b"")
}

/// The row of a board on stderr or in a table.
#[track_caller]
fn row<'a>(text: &'a str, port: &str) -> &'a str {
    let mut rows = text.lines().filter(|line| {
        let is_row = ["ok  ", "FAIL", "stop"]
            .iter()
            .any(|verdict| line.starts_with(verdict));
        is_row && line.split_whitespace().any(|word| word == port)
    });
    let row = rows
        .next()
        .unwrap_or_else(|| panic!("no row of {port}: {text}"));
    assert_eq!(rows.next(), None, "a second row of {port}");
    row
}

#[test]
fn six_boards_get_a_file_and_the_two_that_fail_are_named_with_the_reason() {
    let folder = names();
    fs::write(folder.path().join("lesson.py"), "print('lesson')\n").unwrap();
    let mut boards = class(4, |options| options);
    boards.push(VirtualBoard::options().broken("no-firmware").start());
    let mut command = command(
        &boards,
        &["put", "lesson.py", "--names", "names.csv"],
        folder.path(),
    );
    command.args(["-s", "/nonexistent/tty", "--connect-timeout", "20s"]);
    let finished = run_with_input(command, b"").expect_code(1);
    assert_eq!(finished.text(), "");
    for (index, board) in boards.iter().enumerate() {
        let row = row(&finished.stderr, &board.port);
        if let Some(name) = [
            "小明",
            "👩\\u{200d}🚀 Eva",
            "\\u{1b}[31mRed",
            "\\u{202e}abc",
        ]
        .get(index)
        {
            assert!(row.starts_with("ok    ") && row.contains(name), "{row}");
            assert!(row.contains("  1 file: 1 written, 0 unchanged"), "{row}");
            assert_eq!(
                fs::read(board.files().join("lesson.py")).unwrap(),
                b"print('lesson')\n"
            );
            assert_untouched(board, &["lesson.py"]);
        } else {
            assert!(
                row.starts_with("FAIL  - ") && row.contains("[no-firmware]"),
                "{row}"
            );
        }
    }
    assert!(!finished.stderr.contains('\x1b'), "{}", finished.stderr);
    let end = finished.stderr.split("udpcli: ").nth(1).expect("an error");
    assert!(
        end.starts_with("error: the command failed for 2 of 6 boards\n"),
        "{end}"
    );
    for part in [
        &format!("  caused by: {}: ", boards[4].port),
        "[no-firmware]",
        "  caused by: /nonexistent/tty: cannot open serial port /nonexistent/tty [serial-port]: No such file",
        "  hint: udpcli board list shows the ports that are there\n",
    ] {
        assert!(end.contains(part), "no {part:?} in {end}");
    }
}

#[test]
fn several_boards_describe_themselves_as_a_table_or_an_object_each() {
    let folder = names();
    let boards = class(3, |options| options);
    let table = finish(&boards, &["info", "--names", "names.csv"], folder.path()).expect_code(0);
    let text = table.text();
    let ports: Vec<&str> = text
        .lines()
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    // In the order of the command line, whichever board answers first.
    assert_eq!(ports[0], boards[0].port);
    assert_eq!(text.lines().count(), 3);
    for (board, mac) in boards.iter().zip(["00", "01", "02"]) {
        assert!(
            row(&text, &board.port).contains(&format!("24:0a:c4:00:00:{mac}")),
            "{text}"
        );
    }
    let mut command = command(&boards, &["info", "--format", "json"], folder.path());
    command
        .args(["-s", "/nonexistent/tty"])
        .env("UDPCLI_NAMES", "names.csv");
    let text = run_with_input(command, b"").expect_code(1).text();
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), 4);
    let of = |port: &str| {
        objects
            .iter()
            .find(|object| object["port"] == port)
            .unwrap()
    };
    for (index, board) in boards.iter().enumerate() {
        let object = of(&board.port);
        assert_eq!(
            (&object["name"], &object["mac"]),
            (&json!(NAMES[index]), &json!(mac(index)))
        );
        assert_eq!(object.get("error"), None);
    }
    assert_eq!(
        of("/nonexistent/tty")["error"],
        "cannot open serial port /nonexistent/tty"
    );
    assert_eq!(of("/nonexistent/tty")["code"], "serial-port");
}

#[test]
fn each_line_of_a_program_on_several_boards_begins_with_the_board() {
    let folder = names();
    let program = "import machine\nprint('one')\nif machine.unique_id()[-1] == 2:\n    1 / 0\nprint('two', end='')\n";
    fs::write(folder.path().join("program.py"), program).unwrap();
    let boards = class(4, |options| options);
    let args = ["run", "program.py", "--names", "names.csv"];
    let finished = finish(&boards, &args, folder.path()).expect_code(1);
    let text = finished.text();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    let mut wanted = vec![
        "小明: one".to_owned(),
        "小明: two".to_owned(),
        "👩\\u{200d}🚀 Eva: one".to_owned(),
        "👩\\u{200d}🚀 Eva: two".to_owned(),
        "\\u{1b}[31mRed: one".to_owned(),
        "\\u{202e}abc: one".to_owned(),
        "\\u{202e}abc: two".to_owned(),
    ];
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert!(
        finished
            .stderr
            .contains("\\u{1b}[31mRed: Traceback (most recent call last):"),
        "{}",
        finished.stderr
    );
    assert!(row(&finished.stderr, &boards[2].port).contains("ZeroDivisionError"));
    assert!(
        finished
            .stderr
            .contains("error: the command failed for 1 of 4 boards\n")
    );
    for board in &boards {
        assert_untouched(board, &[]);
    }
}

#[test]
fn ctrl_c_leaves_every_board_at_its_prompt() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("endless.py"),
        "print('begin')\nwhile True: pass\n",
    )
    .unwrap();
    fs::write(folder.path().join("big.bin"), crate::files::random(200_000)).unwrap();
    let boards = class(6, Options::slow);
    let mut running = Running::spawn(&mut command(&boards, &["run", "endless.py"], folder.path()));
    for _ in &boards {
        assert!(running.stdout_line().ends_with(": begin\r\n"));
    }
    let start = Instant::now();
    let finished = running.interrupt().expect_code(0);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    for board in &boards {
        assert!(row(&finished.stderr, &board.port).starts_with("ok "));
        assert_untouched(board, &[]);
    }
    let running = Running::spawn(&mut command(
        &boards,
        &["put", "big.bin", "--jobs", "5"],
        folder.path(),
    ));
    crate::process::eventually("five transfers have begun", || {
        let begun = boards
            .iter()
            .filter(|board| board.files().join(".udpcli.part").exists());
        begun.count() == 5
    });
    let start = Instant::now();
    let finished = running.interrupt().expect_code(130);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    // The sixth had not begun.
    let rows = finished
        .stderr
        .lines()
        .filter(|line| line.starts_with("stop  "));
    assert_eq!(rows.count(), 5, "{}", finished.stderr);
    for board in &boards {
        assert_untouched(board, &[]);
    }
}

#[test]
fn jobs_bounds_how_many_boards_are_worked_on_at_a_time() {
    let folder = TempDir::new().unwrap();
    let boards = class(3, |options| options);
    let finished = finish(&boards, &["reset", "--jobs", "1"], folder.path()).expect_code(0);
    let rows: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    for (row, board) in rows.iter().zip(&boards) {
        assert!(
            row.starts_with("ok  ") && row.contains(&board.port),
            "{rows:?}"
        );
    }
    assert!(rows[3].starts_with("3 boards, all done in "), "{rows:?}");
}

#[test]
fn what_is_for_one_board_is_refused_for_several() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("x.py"), "1\n").unwrap();
    for (args, words) in [
        (&["ls"][..], "udpcli board ls is for one board at a time"),
        (&["do", "ls"], "udpcli board do is for one board at a time"),
        (&["repl"], "udpcli board repl is for one board at a time"),
        (&["info", "--all"], "--all and -s were both given"),
        (
            &["info", "--wire", "log"],
            "--wire is for one board at a time",
        ),
        (
            &["run", "x.py", "--watch"],
            "--watch is for one board at a time",
        ),
        (
            &["run", "x.py", "--image", "x.png"],
            "--image is for one board at a time",
        ),
        (
            &["oled", "--image", "x.png"],
            "x.png is one picture, and there are several boards",
        ),
        (
            &["put", "x.py", "--delete"],
            "put --delete cannot ask about each of several boards",
        ),
        (
            &["rm", ":/"],
            "the root folder of the board cannot be removed",
        ),
        (
            &["info", "--jobs", "0"],
            "invalid value '0' for '--jobs <N>'",
        ),
    ] {
        let mut command = command(&[], args, folder.path());
        command.args(["-s", "/nonexistent/a", "-s", "/nonexistent/b"]);
        let finished = run_with_input(command, b"").expect_code(2);
        assert!(
            finished.stderr.contains(words),
            "{args:?}: {}",
            finished.stderr
        );
    }
    // A port that is named twice is one board.
    let mut command = command(&[], &["info"], folder.path());
    command.args(["-s", "/nonexistent/a", "-s", "/nonexistent/a"]);
    let finished = run_with_input(command, b"").expect_code(3);
    assert!(
        finished
            .stderr
            .starts_with("udpcli: error: cannot open serial port")
    );
}

/// A program that shows a text and goes on.
const SHOWS: &str = "from mpython import *\noled.DispChar('hi', 0, 0)\noled.show()\nimport time\nwhile True: time.sleep_ms(20)\n";

#[test]
fn one_look_at_several_displays_is_an_object_and_a_file_for_each() {
    let folder = names();
    let boards = class(3, |options| options.file("main.py", SHOWS));
    let args = ["oled", "--once", "--format", "json", "--image", "screens"];
    let mut command = command(&boards, &args, folder.path());
    command.args(["--names", "names.csv", "-s", "/nonexistent/tty"]);
    let finished = run_with_input(command, b"").expect_code(1);
    let objects: Vec<Value> = finished
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), 4, "{}", finished.text());
    for (index, board) in boards.iter().enumerate() {
        let object = objects.iter().find(|object| object["port"] == board.port);
        let object = object.expect("an object for each board");
        assert_eq!(object["name"], NAMES[index]);
        assert_eq!(object["texts"], json!([{"x": 0, "y": 0, "text": "hi"}]));
    }
    let failed = objects
        .iter()
        .find(|object| object["port"] == "/nonexistent/tty");
    let failed = failed.expect("an object for the one that failed");
    assert_eq!(failed["code"], "serial-port");
    assert_eq!(failed.get("texts"), None);
    let saved = || {
        let entries = fs::read_dir(folder.path().join("screens")).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(saved(), ["[31mRed.png", "小明.png", "👩_🚀 Eva.png"]);

    // Again as text, without names: new files beside the old ones, and lines that begin with the board.
    let args = ["oled", "--once", "--image", "screens"];
    let finished = finish(&boards[..2], &args, folder.path()).expect_code(0);
    for board in &boards[..2] {
        let line = format!("{}: │hi                   │\n", board.port);
        assert!(finished.text().contains(&line), "{}", finished.text());
        assert!(row(&finished.stderr, &board.port).contains("saved screens/"));
    }
    assert_eq!(saved().len(), 5, "{:?}", saved());
}

#[test]
fn ctrl_c_ends_the_displays_of_several_boards_at_their_prompts() {
    let folder = names();
    let boards = class(3, |options| options.file("main.py", SHOWS));
    let mut running = Running::spawn(&mut command(
        &boards,
        &["oled", "--format", "json"],
        folder.path(),
    ));
    for _ in &boards {
        running.stdout_line();
    }
    let start = Instant::now();
    running.interrupt().expect_code(0);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    for board in &boards {
        assert_untouched(board, &["main.py"]);
    }
}

#[test]
fn a_list_of_names_is_begun_from_the_boards_and_never_written_over() {
    let folder = TempDir::new().unwrap();
    let boards = class(2, |options| options);
    let args = ["list", "--names-template", "names.csv"];
    let finished = finish(&boards, &args, folder.path()).expect_code(0);
    let list = fs::read_to_string(folder.path().join("names.csv")).unwrap();
    assert_eq!(
        list,
        "mac-or-id,name,seat\r\n24:0a:c4:00:00:00,,\r\n24:0a:c4:00:00:01,,\r\n"
    );
    for (board, mac) in boards
        .iter()
        .zip(["24:0a:c4:00:00:00", "24:0a:c4:00:00:01"])
    {
        let line = format!("{mac} is the board on {}\n", board.port);
        assert!(finished.stderr.contains(&line), "{}", finished.stderr);
        assert_untouched(board, &[]);
    }
    let again = finish(&boards, &args, folder.path()).expect_code(2);
    assert!(
        again
            .stderr
            .starts_with("udpcli: error: names.csv exists already\n"),
        "{}",
        again.stderr
    );
    // The filled-in list names the boards, in `list`, too.
    fs::write(
        folder.path().join("names.csv"),
        list.replace("00:01,,", "00:01,小明,"),
    )
    .unwrap();
    let args = [
        "list",
        "--probe",
        "--names",
        "names.csv",
        "--format",
        "json",
    ];
    let text = finish(&boards, &args, folder.path()).expect_code(0).text();
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects[0].get("name"), None);
    assert_eq!(objects[1]["name"], "小明");
    let args = ["list", "--probe", "--names", "names.csv"];
    let text = finish(&boards, &args, folder.path()).expect_code(0).text();
    assert!(
        text.lines()
            .nth(1)
            .unwrap()
            .starts_with(&format!("{}  小明  ", boards[1].port)),
        "{text}"
    );
}

/// Forty boards of which one is mute and one has no firmware: every command, each with the right verdict for each board.
#[test]
#[ignore = "takes some minutes: forty boards on a machine with two processors"]
fn forty_boards_get_the_right_verdicts_from_every_command() {
    const MUTE: usize = 7;
    const EMPTY: usize = 23;
    let folder = names();
    let main = "from mpython import *\noled.DispChar('hi', 0, 0)\noled.show()\n";
    fs::write(folder.path().join("main.py"), main).unwrap();
    fs::write(
        folder.path().join("program.py"),
        "import machine\nprint(machine.unique_id()[-1])\n",
    )
    .unwrap();
    let mut boards: Vec<VirtualBoard> = (0..40)
        .map(|index| match index {
            EMPTY => options(index).broken("no-firmware").start(),
            _ => options(index).start(),
        })
        .collect();
    for (index, board) in boards.iter_mut().enumerate() {
        if index != EMPTY {
            board.wait_ready();
        }
    }
    boards[MUTE].control("silence", json!({"on": true}));
    for args in [
        &["info"][..],
        &["put", "main.py"],
        &["run", "program.py"],
        &["oled", "--once", "--format", "text"],
        &["reset"],
        &["rm", ":main.py"],
    ] {
        let start = Instant::now();
        let args = [args, &["--connect-timeout", "20s", "--names", "names.csv"]].concat();
        let finished = finish(&boards, &args, folder.path()).expect_code(1);
        let took = start.elapsed();
        let text = finished.text();
        let rows = if args[0] == "info" {
            &text
        } else {
            &finished.stderr
        };
        for (index, board) in boards.iter().enumerate() {
            let row = row(rows, &board.port);
            let verdict = match index {
                MUTE | EMPTY => "FAIL",
                _ => "ok  ",
            };
            assert!(row.starts_with(verdict), "{args:?} {index}: {row}");
            match index {
                MUTE => assert!(row.contains("[no-serial-answer]"), "{row}"),
                EMPTY => assert!(row.contains("[no-firmware]"), "{row}"),
                _ => {}
            }
            if args[0] == "run" && verdict == "ok  " {
                let end = format!(": {index}\r\n");
                let line = text
                    .split_inclusive('\n')
                    .filter(|line| line.ends_with(&end));
                assert_eq!(line.count(), 1, "{index}: {text}");
            }
        }
        assert!(
            finished.stderr.contains("failed for 2 of 40 boards\n"),
            "{}",
            finished.stderr
        );
        eprintln!("{}: 40 boards in {took:?}", args[0]);
    }
    let mut running = Running::spawn(&mut command(&boards, &["run", "endless.py"], {
        fs::write(
            folder.path().join("endless.py"),
            "print('begin')\nwhile True: pass\n",
        )
        .unwrap();
        folder.path()
    }));
    for _ in 0..38 {
        assert!(running.stdout_line().ends_with(": begin\r\n"));
    }
    let start = Instant::now();
    let finished = running.interrupt();
    eprintln!(
        "Ctrl-C: 40 boards in {:?}, exit code {:?}",
        start.elapsed(),
        finished.code
    );
    for (index, board) in boards.iter().enumerate() {
        if ![MUTE, EMPTY].contains(&index) {
            assert_untouched(board, &[]);
        }
    }
}
