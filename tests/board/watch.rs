//! `udpcli board run --watch` and `put --watch`: saves in the ways of different editors, and events in between.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{assert_untouched, command, start};
use crate::files::text;
use crate::process::{Running, udpcli_on_terminal};
use crate::support::VirtualBoard;

/// A user's folder with a program in it.
struct Desk {
    folder: TempDir,
    script: PathBuf,
}

impl Desk {
    fn new(program: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let script = folder.path().join("main.py");
        fs::write(&script, program).unwrap();
        Self { folder, script }
    }

    fn watched(&self, board: &VirtualBoard) -> Running {
        start(board, ["run", text(&self.script), "--watch"])
    }
}

/// Prints a word and goes on for ever.
fn endless(word: &str) -> String {
    format!("import time\nprint('{word}')\nwhile True:\n time.sleep(0.01)\n")
}

type Save = fn(&Path, &str);

/// How editors save a file.
const EDITORS: [(&str, Save); 5] = [
    ("VS Code truncates and writes", |path, content| {
        let mut file = File::create(path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }),
    ("Notepad writes after a pause", |path, content| {
        let mut file = File::create(path).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        // On a busy machine the pause may be long enough for a run: the first line alone is a program, too.
        let (first, second) = content.split_at(content.find('\n').map_or(0, |at| at + 1));
        file.write_all(first.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(10));
        file.write_all(second.as_bytes()).unwrap();
    }),
    ("vim renames the old file away", |path, content| {
        let backup = path.with_extension("py~");
        fs::write(path.with_file_name("4913"), "").unwrap();
        fs::remove_file(path.with_file_name("4913")).unwrap();
        fs::rename(path, &backup).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        fs::write(path, content).unwrap();
        fs::remove_file(backup).unwrap();
    }),
    ("others rename a new file into place", |path, content| {
        let new = path.with_file_name(".main.py.new");
        fs::write(&new, content).unwrap();
        fs::rename(new, path).unwrap();
    }),
    ("some remove the file first", |path, content| {
        fs::remove_file(path).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        fs::write(path, content).unwrap();
    }),
];

#[test]
fn each_save_interrupts_the_program_and_runs_the_new_one() {
    let board = VirtualBoard::options().ready();
    let desk = Desk::new(&endless("zero"));
    let mut running = desk.watched(&board);
    assert_eq!(running.stdout_line(), "zero\r\n");
    for (editor, save) in EDITORS {
        save(&desk.script, &endless(editor));
        let line = running.stdout_line();
        assert_eq!(line, format!("{editor}\r\n"));
    }
    let finished = running.interrupt().expect_code(0);
    assert!(
        finished.stderr.contains("stopped watching"),
        "{}",
        finished.stderr
    );
    assert!(
        !finished.stderr.contains("Traceback"),
        "{}",
        finished.stderr
    );
    let again = finished.stderr.matches("running it again").count();
    assert!(
        (EDITORS.len()..EDITORS.len() * 2).contains(&again),
        "{again}"
    );
    assert_untouched(&board, &[]);
}

#[test]
fn errors_are_shown_and_the_next_save_is_waited_for() {
    let board = VirtualBoard::options().ready();
    let desk = Desk::new("print('one')\n");
    let mut running = desk.watched(&board);
    assert_eq!(running.stdout_line(), "one\r\n");
    running.stderr_line_with("has ended");
    fs::write(&desk.script, "print('two'\n").unwrap();
    running.stderr_line_with("SyntaxError");
    running.stderr_line_with("save");
    fs::write(&desk.script, "1/0\n").unwrap();
    running.stderr_line_with("ZeroDivisionError");
    fs::write(&desk.script, [0xff, 0xfe, b'1', 0]).unwrap();
    running.stderr_line_with("UTF-16");
    fs::remove_file(&desk.script).unwrap();
    running.stderr_line_with("udpcli waits until it is there");
    fs::write(&desk.script, "import machine\nmachine.reset()\n").unwrap();
    running.stderr_line_with("restarted");
    // The boot output of the board is shown, too.
    fs::write(&desk.script, "print('three')\n").unwrap();
    while running.stdout_line() != "three\r\n" {}
    running.stderr_line_with("has ended");
    running.interrupt().expect_code(0);
    assert_untouched(&board, &[]);
}

#[test]
fn the_interpreter_is_fresh_in_each_run() {
    let board = VirtualBoard::options().ready();
    let desk = Desk::new("x = 1\nprint('one')\n");
    let mut running = desk.watched(&board);
    assert_eq!(running.stdout_line(), "one\r\n");
    running.stderr_line_with("has ended");
    fs::write(&desk.script, "print('x' in globals())\n").unwrap();
    assert_eq!(running.stdout_line(), "False\r\n");
    running.interrupt().expect_code(0);
}

/// Programs that import nothing with a state of its own are followed by no soft reset, all others by one.
#[test]
fn the_interpreter_is_fresh_with_and_without_a_soft_reset() {
    for (kind, options) in crate::client::kinds() {
        let mut board = options.file("mine.py", "x = 1\n").ready();
        let end = |body: &str| {
            format!("{body}\nprint('end', sorted(n for n in dir() if n[:2] != '__'))\n")
        };
        let desk = Desk::new(&end("import time"));
        let mut running = desk.watched(&board);
        let first = running.stdout_line();
        running.stderr_line_with("to run it again");
        let mut resets = board.count("soft_resets");
        for (body, needs_reset) in [
            (
                "import time, json as j\nfrom math import *\nlist = len = 1",
                false,
            ),
            ("def f(): return 1\nclass A: pass\n_ = f()", false),
            ("import mine", true),
            (
                "import sys, os, gc\nx = sys.platform, os.listdir(), gc.mem_free()",
                false,
            ),
            (
                "from machine import Pin\nled = Pin(2, Pin.OUT)\nled.value(1)",
                false,
            ),
            ("import network", true),
            ("import sys\nsys.path.append('/x')", true),
            ("bdev = gc = uos = 1", true),
            ("import time\ntime = 1", kind == "mpython-2.x"),
            ("import time\n1/0", false),
        ] {
            fs::write(&desk.script, end(&format!("own = 0\n{body}"))).unwrap();
            if !body.contains("1/0") {
                let line = running.stdout_line();
                assert!(line.contains("'own'"), "{kind}: {line}");
            }
            running.stderr_line_with("to run it again");
            fs::write(&desk.script, end("import time")).unwrap();
            assert_eq!(running.stdout_line(), first, "{kind}: after {body}");
            running.stderr_line_with("to run it again");
            let now = board.count("soft_resets");
            assert_eq!(now > resets, needs_reset, "{kind}: after {body}");
            resets = now;
        }
        running.interrupt().expect_code(0);
        assert_untouched(&board, &["mine.py"]);
    }
}

#[test]
fn a_pulled_cable_is_waited_for_and_the_program_runs_again() {
    let mut board = VirtualBoard::options().ready();
    let desk = Desk::new(&endless("one"));
    let mut running = desk.watched(&board);
    assert_eq!(running.stdout_line(), "one\r\n");
    // While it runs.
    board.unplug();
    running.stderr_line_with("udpcli waits until it is back");
    board.plug();
    assert_eq!(running.stdout_line(), "one\r\n");
    // The program has ended, and a save comes meanwhile.
    fs::write(&desk.script, "print('two')\n").unwrap();
    assert_eq!(running.stdout_line(), "two\r\n");
    running.stderr_line_with("has ended");
    board.unplug();
    running.stderr_line_with("udpcli waits until it is back");
    fs::write(&desk.script, "print('three')\n").unwrap();
    board.plug();
    assert_eq!(running.stdout_line(), "three\r\n");
    board.unplug();
    running.stderr_line_with("udpcli waits until it is back");
    running.interrupt().expect_code(0);
}

#[test]
fn five_hundred_saves_in_five_seconds_end_with_the_last() {
    let board = VirtualBoard::options().ready();
    let desk = Desk::new(&endless("begin"));
    let mut running = desk.watched(&board);
    assert_eq!(running.stdout_line(), "begin\r\n");
    for number in 0..500 {
        fs::write(&desk.script, endless(&format!("save {number}"))).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    while running.stdout_line() != "save 499\r\n" {}
    running.interrupt().expect_code(0);
    assert_untouched(&board, &[]);
}

#[test]
fn two_watchers_on_one_folder_do_not_disturb_each_other() {
    let boards = [
        VirtualBoard::options().ready(),
        VirtualBoard::options().profile("mpython-1.4").ready(),
    ];
    let desk = Desk::new(&endless("one"));
    let mut running: Vec<Running> = boards.iter().map(|board| desk.watched(board)).collect();
    for word in ["one", "two", "three"] {
        if word != "one" {
            fs::write(&desk.script, endless(word)).unwrap();
        }
        for running in &mut running {
            assert_eq!(running.stdout_line(), format!("{word}\r\n"));
        }
    }
    for running in running {
        running.interrupt().expect_code(0);
    }
}

#[test]
fn modules_are_put_before_the_run_when_they_changed() {
    let board = VirtualBoard::options().ready();
    let desk = Desk::new("import tool\nprint(tool.word)\n");
    let module = desk.folder.path().join("tool.py");
    let lib = desk.folder.path().join("lib");
    fs::write(&module, "word = 'one'\n").unwrap();
    fs::create_dir(&lib).unwrap();
    fs::write(lib.join("more.py"), "word = 'more'\n").unwrap();
    let args = [
        "run",
        text(&desk.script),
        "--watch",
        "--with",
        text(&module),
        "--with",
        text(&lib),
    ];
    let mut running = start(&board, args);
    assert_eq!(running.stdout_line(), "one\r\n");
    running.stderr_line_with("has ended");
    fs::write(&module, "word = 'two'\n").unwrap();
    assert_eq!(running.stdout_line(), "two\r\n");
    running.stderr_line_with("has ended");
    fs::write(
        &desk.script,
        "import tool, sys\nsys.path.append('/lib')\nimport more\nprint(tool.word, more.word)\n",
    )
    .unwrap();
    assert_eq!(running.stdout_line(), "two more\r\n");
    running.stderr_line_with("has ended");
    // A module that does not fit: udpcli reports it and waits for the next save.
    fs::write(lib.join("more.py"), vec![b'#'; 3 << 20]).unwrap();
    running.stderr_line_with("full");
    // In one step: a write after a truncation may be seen as two saves, and Ctrl-C would meet the second run.
    let saved = desk.folder.path().join("saved");
    fs::write(&saved, "word = 'less'\n").unwrap();
    fs::rename(&saved, lib.join("more.py")).unwrap();
    assert_eq!(running.stdout_line(), "two less\r\n");
    running.stderr_line_with("has ended");
    let finished = running.interrupt().expect_code(0);
    assert_eq!(
        finished.stderr.matches(":/tool.py,").count(),
        2,
        "{}",
        finished.stderr
    );
    assert_untouched(&board, &["lib", "tool.py"]);
}

#[test]
fn the_oleds_picture_stays_from_run_to_run() {
    let board = VirtualBoard::options().ready();
    let program = |word: &str| {
        format!(
            "from mpython import *\noled.DispChar('{word}', 0, 0)\noled.show()\nprint('shown {word}')\n"
        )
    };
    let desk = Desk::new(&program("one"));
    let mut running = Running::spawn(&mut udpcli_on_terminal(
        "",
        [
            "board",
            "-s",
            &board.port,
            "run",
            text(&desk.script),
            "--watch",
        ],
    ));
    let wait = |running: &mut Running, text: &str| while !running.stdout_line().contains(text) {};
    wait(&mut running, "shown one");
    wait(&mut running, "has ended");
    fs::write(&desk.script, program("two")).unwrap();
    wait(&mut running, "shown two");
    wait(&mut running, "has ended");
    running.type_in(crate::process::CTRL_C);
    let finished = running.finish().expect_code(0);
    // At the end the panel is left on the screen, once.
    let shown = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(shown.contains("stopped watching"), "{shown:?}");
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let board = VirtualBoard::options().ready();
    for args in [
        &["run", "-", "--watch"][..],
        &["run", "/dev/null", "--watch"],
    ] {
        let output = command(&board, []).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    let missing = start(&board, ["run", "/does/not/exist.py", "--watch"]).finish();
    missing.expect_code(3);
    let with = start(&board, ["run", "x.py", "--with", "lib"]).finish();
    with.expect_code(2);
}

#[test]
fn a_signal_ends_the_wait_for_the_next_save() {
    let board = VirtualBoard::options().ready();
    for signal in ["INT", "TERM", "HUP"] {
        let desk = Desk::new("print('one')\n");
        let mut running = desk.watched(&board);
        running.stderr_line_with("has ended");
        let asked = Instant::now();
        running.signal(signal);
        running.finish().expect_code(0);
        assert!(asked.elapsed() < Duration::from_secs(4), "{signal}");
    }
    assert_untouched(&board, &[]);
}
