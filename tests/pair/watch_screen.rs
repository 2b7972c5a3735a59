//! `--watch` on a terminal: the screen at several sizes and after each change of the size.

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::air::{PASSWORD, Pc, SSID, wifi_board};
use crate::board::VirtualBoard;
use crate::emulator::Emulator;

const SIZES: [(u16, u16); 3] = [(60, 200), (40, 120), (24, 80)];

/// The view on a terminal of 60 rows and 200 columns.
fn start(board: &VirtualBoard, more: &[&str]) -> Emulator {
    let port = Pc::new().port.to_string();
    let password = format!("WIFI_PASSWORD={PASSWORD}");
    let mut args = vec![
        password.as_str(),
        "sh",
        "-c",
        r#""$@"; echo "exit code $?""#,
        "sh",
        env!("CARGO_BIN_EXE_udpcli"),
        "pair",
        "-s",
        &board.port,
        "--port",
        &port,
        "--ssid",
        SSID,
        "--password-env",
        "WIFI_PASSWORD",
    ];
    args.extend("--watch -n 4 --interval 10ms --sizes 64".split(' '));
    args.extend(more);
    Emulator::program(200, "env", &args)
}

fn has(rows: &[String], what: &str) -> bool {
    rows.iter().any(|row| row.contains(what))
}

/// Whether the view is complete: a title, the verdict, four closed boxes, the keys.
fn is_whole(rows: &[String], (height, width): (u16, u16)) -> bool {
    let count = |edge| {
        rows.iter()
            .map(|row| row.matches(edge).count())
            .sum::<usize>()
    };
    rows.len() == usize::from(height)
        && rows.iter().all(|row| row.width() <= usize::from(width))
        && rows
            .first()
            .is_some_and(|row| row.starts_with(" udpcli pair --watch"))
        && ['┌', '┐', '└', '┘'].map(count) == [4; 4]
        && rows[5..rows.len() - 1]
            .iter()
            .all(|row| row.starts_with(['┌', '│', '└']) && row.width() == usize::from(width))
}

#[test]
fn every_part_is_on_the_screen_at_every_size() {
    let mut board = wifi_board(VirtualBoard::options(), 109);
    let mut terminal = start(&board, &["-vv"]);
    for (rows, columns) in SIZES.into_iter().chain([SIZES[0]]) {
        terminal.resize_screen(rows, columns);
        let screen = terminal.until("the whole view", |screen| {
            is_whole(screen, (rows, columns))
                && [
                    "IT WORKS",
                    " OLED ✓ ",
                    "你好 hello",
                    "0 of ",
                    "┌ log ",
                    " ·",
                ]
                .iter()
                .all(|part| has(screen, part))
        });
        // The messages of -vv are only in the box.
        let log = screen.iter().position(|row| row.starts_with("┌ log "));
        let lines = &screen[log.unwrap() + 1..screen.len() - 2];
        assert!(
            lines
                .iter()
                .all(|line| line.chars().filter(|char| char.is_alphanumeric()).count() > 5),
            "{lines:#?}"
        );
    }
    board.unplug();
    terminal.until("the problem", |rows| {
        has(rows, "PROBLEM: the board stopped answering on the cable")
            || has(rows, "PROBLEM: this PC cannot open the serial port")
    });
    board.plug();
    terminal.until("it works again", |rows| has(rows, "IT WORKS"));
    terminal.type_in("q");
    let rows = terminal.until("the end", |rows| {
        rows.last().is_some_and(|row| row.starts_with("exit code "))
    });
    assert!(has(&rows, "rounds: ") && !terminal.modes().0, "{rows:#?}");
    assert_eq!(rows.last().unwrap(), "exit code 0");
    board.control("stats", json!({}));
}

#[test]
fn the_view_keeps_its_frames_in_chinese_on_a_small_terminal() {
    let board = wifi_board(VirtualBoard::options(), 107);
    let mut terminal = start(&board, &["--lang", "zh-CN"]);
    terminal.resize_screen(24, 80);
    terminal.until("the whole view", |rows| {
        is_whole(rows, (24, 80))
            && [
                "一切正常",
                "轮没有问题",
                "电脑到掌控板：4/4，每秒 ",
                "RTT 最小/中位/p99/最大 ",
                "丢失和 RTT，每轮一列",
                "丢失 0/",
                "≤ ",
                " 按 q 或 Ctrl-C 结束",
            ]
            .iter()
            .all(|part| has(rows, part))
    });
    terminal.type_in("\x03");
    terminal.until("the end", |rows| has(rows, "exit code 0"));
}
