//! All steps on one board, and the board's state afterwards.

use std::fs;

use crate::air::{Pc, SSID, pair, wifi_board};
use crate::board::{Port, VirtualBoard};
use crate::support::Running;

#[test]
fn all_steps_pass_on_each_firmware() {
    let board = VirtualBoard::options;
    for (kind, options, last) in [
        ("mpython-1.4", board().profile("mpython-1.4"), 21),
        ("mpython-2.x", board(), 22),
        ("generic-1.26", board().raw_paste(), 24),
    ] {
        let mut board = wifi_board(options.file("main.py", "x = 1\n"), last);
        let pc = Pc::new();
        let finished = pair(&board, &pc, "-n 5 --interval 10ms").expect_code(0);
        let text = finished.text();
        for step in [
            "ok    serial",
            "ok    firmware",
            "ok    Wi-Fi",
            "ok    addresses",
            "ok    PC to board",
            "ok    board to PC",
            "ok    echo round trip",
            "ok    OLED text",
            "ok    clean-up",
        ] {
            assert!(text.contains(step), "{kind}: no {step} in\n{text}");
        }
        assert!(text.contains(": 20 of 20 arrived  ["), "{kind}: {text}");
        assert!(
            text.contains("1 byte: 5/5, 64 bytes: 5/5, 512 bytes: 5/5, 1024 bytes: 5/5\n"),
            "{kind}: {text}"
        );
        let largest = "largest payload that arrived whole: 8192 bytes (no limit found).";
        for end in [" recvfrom(1024) cuts longer ones to 1024.\n", "\n"] {
            let line = format!("{largest}{end}");
            assert!(text.contains(&line), "{kind}: no {line:?} in {text}");
        }
        assert!(
            text.contains("interval: 10 ms asked for; between "),
            "{kind}: {text}"
        );
        assert!(
            text.contains(&format!(
                "127.0.0.{last}:{}, then 你好 hello | from127.0.0.1",
                pc.port
            )),
            "{kind}: {text}"
        );
        assert!(!text.contains("secret"), "{kind}: {text}");
        assert_eq!(finished.stderr, "", "{kind}");
        let files: Vec<_> = fs::read_dir(board.files())
            .expect("the board's files")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(files, ["main.py"], "{kind}");
        is_at_its_prompt(&mut board);
        assert_eq!(board.count("lost"), 0, "{kind}");
    }
}

#[test]
fn the_log_never_has_the_password() {
    let board = wifi_board(VirtualBoard::options(), 23);
    let finished = pair(&board, &Pc::new(), "-n 1 --interval 10ms -vv").expect_code(0);
    assert!(
        finished.stderr.contains("bind 127.0.0.1:"),
        "{}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("secret"), "{}", finished.stderr);
}

#[test]
fn ctrl_c_at_any_step_leaves_the_board_as_it_was() {
    // After this many lines of the report; 0 is as soon as the board receives anything.
    for (index, step) in [
        "",
        "firmware",
        "Wi-Fi",
        "addresses",
        "PC to board",
        "board to PC",
        "echo",
    ]
    .into_iter()
    .enumerate()
    {
        let last = 30 + u8::try_from(index).expect("few");
        let mut board = wifi_board(VirtualBoard::options().file("boot.py", "y = 2\n"), last);
        let pc = Pc::new();
        let mut running = Running::spawn(&mut pc.command(&board, "-n 20 --interval 20ms"));
        if step.is_empty() {
            board.wait_until("it hears", |stats| stats["down"].as_u64() > Some(3));
        } else {
            while !running.stdout_line().contains(step) {}
        }
        let finished = running.interrupt().expect_code(130);
        let text = finished.text();
        assert!(text.contains("stop  "), "{step}: {text}");
        if !step.is_empty() {
            assert!(text.contains("ok    clean-up"), "{step}: {text}");
        }
        is_at_its_prompt(&mut board);
        let files: Vec<_> = fs::read_dir(board.files())
            .expect("the board's files")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(files, ["boot.py"], "{step}");
        // The board's socket is closed: the same port on its address is free again.
        let address = format!("127.0.0.{last}:{}", pc.port);
        std::net::UdpSocket::bind(&address)
            .unwrap_or_else(|error| panic!("{step}: {address}: {error}"));
    }
}

#[test]
fn the_board_leaves_the_wifi_unless_it_was_connected_before() {
    let mut board = wifi_board(
        VirtualBoard::options().file(
            "main.py",
            format!("import mpython\nmpython.wifi().connectWiFi('{SSID}', 'secret')\n"),
        ),
        24,
    );
    board.wait_until("main.py has ended", |stats| stats["stage"] == "repl");
    let pc = Pc::new();
    let mut command = pc.bare(&board, "-n 2 --interval 10ms");
    let finished = crate::air::finish(&mut command).expect_code(0);
    assert!(
        finished.text().contains("the one the board is in: class"),
        "{}",
        finished.text()
    );
}

/// Checks that the board is in its friendly REPL and runs no program.
#[track_caller]
fn is_at_its_prompt(board: &mut VirtualBoard) {
    board.wait_until("the board is past its boot", |stats| {
        stats["stage"] == "repl"
    });
    let mut port = Port::open(board);
    port.send(b"\r6*7\r");
    port.until(b"\r\n42\r\n>>> ");
}
