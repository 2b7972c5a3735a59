//! A class as a teacher meets it: twelve boards, two of them broken in different ways. Both are found and mended with what is
//! on the screen alone: each cure below is a command that udpcli itself has named, with its port.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::air::{PASSWORD, Pc, SSID, finish};
use crate::board::VirtualBoard;
use crate::support::{Finished, Running, udpcli};

const BOARDS: u8 = 12;
/// Its `main.py` switches Ctrl-C off and prints.
const DEAF: usize = 4;
/// Its file system is full.
const FULL: usize = 8;

const DEAF_MAIN: &str = "import mpython, micropython, time\nmicropython.kbd_intr(-1)\nopen('deaf', 'w').close()\nwhile True:\n print('my game')\n time.sleep(0.2)\n";

/// The boards, with the pupils' names.
fn class(folder: &Path) -> Vec<VirtualBoard> {
    let mut names = "mac-or-id,name,seat\r\n".to_owned();
    let mut boards: Vec<VirtualBoard> = (0..BOARDS)
        .map(|index| {
            let mac = format!("240ac40000{index:02x}");
            let mut options = VirtualBoard::options()
                .flag("--quick")
                .arg("--mac", &mac)
                .arg("--wifi", &format!("{SSID}:{PASSWORD}"))
                .arg("--ip", &format!("127.0.2.{}", index + 1));
            if usize::from(index) == DEAF {
                options = options.file("main.py", DEAF_MAIN);
            }
            if usize::from(index) == FULL {
                options = options
                    .arg("--fs-size", "64k")
                    .file("video.bin", vec![7; 60_000]);
            }
            options.start()
        })
        .collect();
    for (index, board) in boards.iter_mut().enumerate() {
        // By the port: a board that does not answer tells no MAC address.
        let _ = write!(names, "{},pupil {},\r\n", board.port, index + 1);
        if index == DEAF {
            let file = board.files().join("deaf");
            board.wait_until("it is deaf", |_| file.exists());
        } else {
            board.wait_ready();
        }
    }
    fs::write(folder.join("names.csv"), names).expect("a list");
    boards
}

/// `udpcli ARGS -s PORT -s PORT ..`, with the list of names.
fn command(folder: &Path, args: &[&str], boards: &[VirtualBoard]) -> Command {
    let mut command = udpcli(args);
    command
        .env("UDPCLI_NAMES", folder.join("names.csv"))
        .env("WIFI_PASSWORD", PASSWORD)
        .stdin(Stdio::null());
    for board in boards {
        command.args(["-s", &board.port]);
    }
    command
}

/// Runs a command that the screen shows: it must be there, and it runs as it stands, with what the teacher adds.
#[track_caller]
fn as_shown(screen: &str, folder: &Path, shown: &str, added: &[&str]) -> Command {
    assert!(screen.contains(shown), "no {shown:?} in {screen}");
    let words = shown.split(' ').skip(1).chain(added.iter().copied());
    command(folder, &words.collect::<Vec<_>>(), &[])
}

/// Everything on the teacher's screen.
fn screen(finished: &Finished) -> String {
    finished.text() + &finished.stderr
}

/// Runs a command, and presses RESET when it asks for that; returns what it said.
#[track_caller]
fn with_reset(board: &mut VirtualBoard, command: &mut Command) -> String {
    let mut running = Running::spawn(command);
    let said = running.stderr_line_with("press the board's RESET button now");
    assert!(said.contains(&board.port), "{said}");
    board.control("reset", json!({}));
    screen(&running.finish().expect_code(0))
}

#[test]
fn two_broken_boards_of_a_class_are_found_and_mended_from_the_screen() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    let lesson = folder.join("lesson.py");
    fs::write(&lesson, "print('lesson')\n".repeat(300)).expect("a lesson");
    let mut boards = class(folder);
    let deaf_port = boards[DEAF].port.clone();
    let full_port = boards[FULL].port.clone();

    // Who is there? Eleven answer; the screen says which does not, and what to do.
    let info = ["board", "--connect-timeout", "4s", "info"];
    let finished = finish(&mut command(folder, &info, &boards)).expect_code(1);
    let seen = screen(&finished);
    assert_eq!(seen.matches("ok  ").count(), 11, "{seen}");
    assert!(
        seen.contains(&format!(
            "  caused by: pupil 5 ({deaf_port}): the program on {deaf_port} is not MicroPython [no-micropython]"
        )),
        "{seen}"
    );
    // The cure: RESET is pressed while this tries. It shows that MicroPython is there, and says what to do next.
    let shown = format!("udpcli board -s {deaf_port} info");
    let seen = with_reset(&mut boards[DEAF], &mut as_shown(&seen, folder, &shown, &[]));
    let shown = format!("udpcli board -s {deaf_port} mv :main.py :old.py");
    finish(&mut as_shown(&seen, folder, &shown, &[])).expect_code(0);
    // It is cured for good: the next start is an ordinary one.
    boards[DEAF].control("reset", json!({}));
    boards[DEAF].wait_ready();
    assert!(boards[DEAF].files().join("old.py").exists());

    // The lesson for everybody: one board has no room for it.
    let put = ["board", "put", lesson.to_str().expect("UTF-8")];
    let finished = finish(&mut command(folder, &put, &boards)).expect_code(1);
    let seen = screen(&finished);
    assert_eq!(seen.matches("ok  ").count(), 11, "{seen}");
    assert!(
        seen.contains(&format!(
            "  caused by: pupil 9 ({full_port}): the board's file system is full"
        )),
        "{seen}"
    );
    let shown = format!("udpcli board -s {full_port} ls -r");
    let listed = finish(&mut as_shown(&seen, folder, &shown, &[])).expect_code(0);
    assert!(listed.text().contains("video.bin"), "{}", listed.text());
    let shown = format!("udpcli board -s {full_port} rm");
    finish(&mut as_shown(&seen, folder, &shown, &[":video.bin"])).expect_code(0);
    let finished = finish(&mut command(folder, &put, &boards)).expect_code(0);
    assert!(
        finished.stderr.contains("12 boards, all done in "),
        "{}",
        finished.stderr
    );
    for board in &boards {
        assert!(board.files().join("lesson.py").exists());
    }

    // And all of them hear this PC.
    let port = Pc::new().port.to_string();
    let pair = [
        "pair",
        "--ssid",
        SSID,
        "--password-env",
        "WIFI_PASSWORD",
        "--port",
        &port,
        "-n",
        "3",
        "--interval",
        "20ms",
        "--sizes",
        "64",
        "--connect-timeout",
        "20s",
    ];
    let finished = finish(&mut command(folder, &pair, &boards)).expect_code(0);
    assert!(
        finished
            .text()
            .ends_with("12 of 12 boards and this PC hear each other\n"),
        "{}",
        finished.text()
    );
}
