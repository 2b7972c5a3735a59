//! Several boards flashed at the same time.

use std::fs;
use std::time::Instant;

use crate::emulator::Emulator;
use crate::images::firmware;
use crate::support::{Finished, command, file, finish, has_firmware, quick_board};

/// Flashes the boards and a port that does not exist, which has no name.
#[track_caller]
fn flash_all(boards: &[Emulator], image: &[u8], jobs: &str) -> Finished {
    let (first, rest) = boards.split_first().expect("a board");
    let names = first.folder().join("names.csv");
    // The emulated boards are one board to the list: they have one MAC address.
    let list = "24:0a:c4:12:34:56,小明,A1\n";
    fs::write(&names, list).expect("a list");
    let image = file(first, "m.bin", image).display().to_string();
    let names = names.display().to_string();
    let mut command = command(first, &[image.as_str(), "--jobs", jobs, "--names", &names]);
    for board in rest {
        command.arg("-s").arg(board.port());
    }
    command.args(["-s", "/nonexistent/tty"]);
    finish(&mut command).expect_code(1)
}

fn check(boards: &[Emulator], image: &[u8], finished: &Finished) {
    for (index, board) in boards.iter().enumerate() {
        assert!(has_firmware(&board.flash(), image), "board {index}");
        let port = board.port().display().to_string();
        let mut rows = finished.stderr.lines().filter(|line| line.contains(&port));
        let row = rows.next().expect("a row");
        assert!(row.starts_with("ok    小明  "), "{row}");
        assert_eq!(rows.next(), None);
    }
    let count = boards.len() + 1;
    let end = format!(
        "error: the command failed for 1 of {count} boards\n  caused by: /nonexistent/tty: "
    );
    assert!(finished.stderr.contains(&end), "{}", finished.stderr);
}

#[test]
fn boards_are_flashed_side_by_side_and_the_one_that_fails_is_named() {
    let boards = [quick_board(), quick_board(), quick_board()];
    let image = firmware(120_000, 3);
    let finished = flash_all(&boards, &image, "2");
    check(&boards, &image, &finished);
}

#[test]
#[ignore = "forty emulated boards"]
fn forty_boards_are_flashed_four_at_a_time() {
    let boards: Vec<Emulator> = (0..40).map(|_| quick_board()).collect();
    let image = firmware(250_000, 3);
    let start = Instant::now();
    let finished = flash_all(&boards, &image, "4");
    eprintln!("flash: 40 boards in {:?}", start.elapsed());
    check(&boards, &image, &finished);
}
