//! `board oled` for several boards: the wall of screens, on terminals of several sizes.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use unicode_width::UnicodeWidthStr as _;

use crate::board::VirtualBoard;
use crate::emulator::Emulator;

const SMALL: (u16, u16) = (24, 80);
const MIDDLE: (u16, u16) = (40, 120);
const LARGE: (u16, u16) = (60, 200);

const PAGE_DOWN: &str = "\x1b[6~";
const HOME: &str = "\x1b[H";

/// Shows a text and a bar of pixels and goes on until it is interrupted.
const ENDLESS: &str = "import time
from mpython import *
oled.fill(0)
oled.DispChar('TEXT', 0, 0)
oled.fill_rect(0, 40, 128, 8, 1)
oled.show()
while True: time.sleep_ms(20)
";

fn board(index: usize, main: &str) -> VirtualBoard {
    VirtualBoard::options()
        .flag("--quick")
        .arg("--mac", &format!("240ac400{index:04x}"))
        .file("main.py", main)
        .start()
}

/// A folder with the boards' names.
fn names() -> TempDir {
    let folder = TempDir::new().unwrap();
    let list = "240ac4000000,小明,A1\n240ac4000001,👩‍🚀 Eva,A2\n240ac4000002,\u{1b}[31mRed,A3\n";
    fs::write(folder.path().join("names.csv"), list).unwrap();
    folder
}

fn start(size: (u16, u16), folder: &Path, ports: &[&str], more: &[&str]) -> Emulator {
    let mut args = vec!["board", "oled", "--names", "names.csv"];
    args.extend(ports.iter().flat_map(|port| ["-s", port]));
    args.extend(more);
    Emulator::udpcli_on(size, folder, &args)
}

fn count(rows: &[String], what: &str) -> usize {
    rows.iter().map(|row| row.matches(what).count()).sum()
}

/// Whether the wall is complete: nothing is wider than the terminal, frames are closed, the keys are in the last row.
fn is_whole(rows: &[String], (height, width): (u16, u16)) -> bool {
    rows.len() == usize::from(height)
        && rows.iter().all(|row| row.width() <= usize::from(width))
        && count(rows, "┌") + count(rows, "├") == count(rows, "┐") + count(rows, "┤")
        && count(rows, "└") == count(rows, "┘")
        && rows.last().is_some_and(|row| row.starts_with("q "))
}

fn has(rows: &[String], what: &str) -> bool {
    count(rows, what) > 0
}

/// Ends the wall with `q`; returns the lines that stay on the terminal.
#[track_caller]
fn quit(terminal: &Emulator) -> Vec<String> {
    terminal.type_in("q");
    terminal.until("the end", |rows| {
        rows.last().is_some_and(|row| row.starts_with("exit code "))
    })
}

#[test]
fn the_wall_fits_every_size_and_leaves_every_board_at_its_prompt() {
    let folder = names();
    let texts = ["你好", "hello", "third"];
    let mut boards: Vec<VirtualBoard> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| board(index, &ENDLESS.replace("TEXT", text)))
        .collect();
    let mut ports: Vec<&str> = boards.iter().map(|board| board.port.as_str()).collect();
    ports.push("/nonexistent/tty");
    let mut terminal = start(LARGE, folder.path(), &ports, &[]);
    // Four pictures fit, each with its name; a name cannot affect the terminal.
    let are_three = |rows: &[String]| count(rows, &"⣿".repeat(64)) == 6;
    let rows = terminal.until("three pictures", |rows| {
        is_whole(rows, LARGE)
            && are_three(rows)
            && has(rows, "✗ /nonexistent/tty")
            && has(rows, "│cannot open serial port /nonexistent/tty")
    });
    for name in [
        "小明",
        "👩\\u{200d}🚀 Eva",
        "\\u{1b}[31mRed",
        "boards 1-4 of 4, 1 failed",
    ] {
        assert!(has(&rows, name), "{name}: {rows:#?}");
    }
    assert!(!terminal.sent().windows(5).any(|bytes| bytes == b"\x1b[31m"));

    // Smaller terminals show the texts, a very small one shows lines.
    for size in [SMALL, MIDDLE] {
        terminal.resize_screen(size.0, size.1);
        let rows = terminal.until("texts", |rows| is_whole(rows, size) && !are_three(rows));
        for text in texts {
            assert!(has(&rows, &format!("│{text}")), "{text}: {rows:#?}");
        }
    }
    terminal.resize_screen(5, 40);
    let rows = terminal.until("lines", |rows| is_whole(rows, (5, 40)) && !has(rows, "│"));
    assert!(has(&rows, "小明: 你好"), "{rows:#?}");

    // What is wrong, in full: a tile has no room for what to do.
    terminal.resize_screen(SMALL.0, SMALL.1);
    terminal.until("the key", |rows| has(rows, "e errors"));
    terminal.type_in("e");
    let rows = terminal.until("the errors", |rows| has(rows, "e back to the screens"));
    assert!(
        rows[0].starts_with("✗ /nonexistent/tty: cannot open serial port /nonexistent/tty")
            && has(&rows, "  udpcli board list shows the ports that are there"),
        "{rows:#?}"
    );
    terminal.type_in("e");

    // Pictures on pages of their own.
    terminal.resize_screen(SMALL.0, SMALL.1);
    terminal.until("texts", |rows| is_whole(rows, SMALL) && has(rows, "│third"));
    terminal.type_in("v");
    let rows = terminal.until("a picture", |rows| {
        is_whole(rows, SMALL) && has(rows, "boards 1-1 of 4")
    });
    assert!(
        has(&rows, "小明") && has(&rows, &"⣿".repeat(64)),
        "{rows:#?}"
    );
    terminal.type_in(PAGE_DOWN);
    terminal.until("the second", |rows| {
        has(rows, "Eva") && has(rows, "boards 2-2 of 4")
    });
    terminal.type_in(HOME);
    terminal.until("the first", |rows| has(rows, "boards 1-1 of 4"));

    terminal.resize_screen(LARGE.0, LARGE.1);
    let rows = quit(&terminal);
    assert!(terminal.is_cooked() && !terminal.modes().0);
    assert!(has(&rows, "FAIL  -"), "{rows:#?}");
    assert_eq!(
        count(&rows, "main.py was stopped: the board is at its prompt"),
        3,
        "{rows:#?}"
    );
    assert_eq!(rows.last().unwrap(), "exit code 1");
    for board in &mut boards {
        board.wait_until("it is at its prompt", |stats| stats["stage"] == "repl");
    }
}

#[test]
fn programs_that_ended_stay_on_the_wall_and_their_pictures_are_saved() {
    let folder = names();
    let once = ENDLESS.replace("while True: time.sleep_ms(20)\n", "");
    let boards: Vec<VirtualBoard> = (0..2)
        .map(|index| board(index, &once.replace("TEXT", &format!("text{index}"))))
        .collect();
    let ports: Vec<&str> = boards.iter().map(|board| board.port.as_str()).collect();
    fs::create_dir(folder.path().join("screens")).unwrap();
    fs::write(folder.path().join("screens/小明.png"), "mine").unwrap();
    let terminal = start(MIDDLE, folder.path(), &ports, &["--image", "screens"]);
    terminal.until("both ended", |rows| {
        is_whole(rows, MIDDLE) && count(rows, "ended") == 2 && count(rows, &"⣿".repeat(64)) == 4
    });
    // The pictures stay after their programs ended.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(is_whole(&terminal.rows(), MIDDLE));
    let rows = quit(&terminal);
    assert_eq!(rows.last().unwrap(), "exit code 0");
    assert!(has(&rows, "saved screens/小明-2.png"), "{rows:#?}");
    let mut saved: Vec<String> = fs::read_dir(folder.path().join("screens"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    saved.sort();
    assert_eq!(saved, ["小明-2.png", "小明.png", "👩_🚀 Eva.png"]);
    assert_eq!(
        fs::read(folder.path().join("screens/小明.png")).unwrap(),
        b"mine"
    );
}
