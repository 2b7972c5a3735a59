//! Many boards in parallel.

use serde_json::{Value, json};

use crate::air::{PASSWORD, Pc, SSID, finish};
use crate::board::VirtualBoard;
use crate::support::udpcli;

#[test]
fn forty_boards_in_parallel_get_the_right_diagnoses() {
    const BOARDS: u8 = 40;
    /// Two boards with a fault.
    const MUTE: u8 = 7;
    const ELSEWHERE: u8 = 23;
    let mut boards: Vec<VirtualBoard> = (0..BOARDS)
        .map(|index| {
            let name = if index == ELSEWHERE { "other" } else { SSID };
            VirtualBoard::options()
                .arg("--wifi", &format!("{name}:{PASSWORD}"))
                .arg("--ip", &format!("127.0.1.{}", index + 1))
                .start()
        })
        .collect();
    for board in &mut boards {
        board.wait_ready();
    }
    boards[usize::from(MUTE)].control("silence", json!({"on": true}));
    let pc = Pc::new();
    let mut command = udpcli([
        "pair",
        "--ssid",
        SSID,
        "--password-env",
        "WIFI_PASSWORD",
        "--format",
        "json",
        "-n",
        "4",
        "--interval",
        "20ms",
        "--sizes",
        "64",
        "--connect-timeout",
        "20s",
    ]);
    command
        .env("WIFI_PASSWORD", PASSWORD)
        .args(["--port", &pc.port.to_string()]);
    for board in &boards {
        command.args(["-s", &board.port]);
    }
    // One of the failures means that the test could not run.
    let finished = finish(&mut command).expect_code(3);
    let text = finished.text();
    assert_eq!(text.lines().count(), usize::from(BOARDS), "{text}");
    for (index, board) in boards.iter().enumerate() {
        let report: Value = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"))
            .find(|report| report["port"] == board.port.as_str())
            .expect("a report of every board");
        let wanted = match u8::try_from(index).expect("few") {
            MUTE => json!(["no-serial-answer"]),
            ELSEWHERE => json!(["wifi-not-found"]),
            _ => json!([]),
        };
        assert_eq!(report["codes"], wanted, "{report}");
        assert_eq!(
            report["verdict"],
            if wanted == json!([]) {
                "passed"
            } else {
                "failed"
            },
            "{report}"
        );
    }
}

#[test]
fn several_boards_have_a_row_each() {
    let boards = [91, 92].map(|last| crate::air::wifi_board(VirtualBoard::options(), last));
    let pc = Pc::new();
    let mut command = pc.command(&boards[0], "-n 3 --interval 10ms --sizes 64");
    command.args(["-s", &boards[1].port, "-s", "/nonexistent/tty"]);
    let finished = finish(&mut command).expect_code(3);
    let text = finished.text();
    assert_eq!(text.lines().count(), 6, "{text}");
    // What to do, with the board that it is about.
    assert!(
        text.contains("\n/nonexistent/tty: this PC cannot open the serial port [serial-port]\n      next:    udpcli board list shows the ports"),
        "{text}"
    );
    for (board, last) in boards.iter().zip([91, 92]) {
        let row = text
            .lines()
            .find(|line| line.contains(&board.port))
            .expect("a row");
        let wanted = format!(
            "  127.0.0.{last}  PC to board 3/3  board to PC 3/3  echo round trip 3/3  RTT "
        );
        assert!(row.starts_with("ok  ") && row.contains(&wanted), "{row}");
    }
    assert!(
        text.contains("FAIL  /nonexistent/tty  serial: serial-port ("),
        "{text}"
    );
    assert!(
        text.ends_with("2 of 3 boards and this PC hear each other\n"),
        "{text}"
    );
    assert_eq!(
        finished.stderr,
        "udpcli: error: the test failed for 1 of 3 boards: serial-port\n"
    );
}

#[test]
fn a_board_given_twice_is_tested_once() {
    let board = crate::air::wifi_board(VirtualBoard::options(), 93);
    let mut command = Pc::new().command(&board, "-n 1 --interval 10ms --sizes 64");
    command.args(["-s", "/nonexistent/tty", "-s", &board.port]);
    let text = finish(&mut command).expect_code(3).text();
    assert_eq!(text.matches(&board.port).count(), 1, "{text}");
    assert!(
        text.ends_with("1 of 2 boards and this PC hear each other\n"),
        "{text}"
    );
}
