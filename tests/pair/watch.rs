//! `--watch`: rounds until Ctrl-C.

use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::air::{Pc, finish, wifi_board};
use crate::board::VirtualBoard;
use crate::support::{CTRL_C, DEADLINE, Running, udpcli, udpcli_on_terminal};

/// The test's timeout for a command to end: twice what the command may take, for a busy machine.
const SOON: Duration = Duration::from_secs(4);

const QUICK: &str = "--watch -n 4 --interval 10ms --sizes 64";

#[test]
fn each_round_is_a_line_until_ctrl_c() {
    let board = wifi_board(VirtualBoard::options(), 101);
    let mut running = Running::spawn(&mut Pc::new().command(&board, QUICK));
    let line = loop {
        let line = running.stdout_line();
        if line.starts_with("round 3") {
            break line;
        }
    };
    assert!(
        line.contains("PC to board 4/4  board to PC 4/4  echo 5/5  RTT "),
        "{line}"
    );
    assert!(line.contains("  OLED ok  ["), "{line}");
    let finished = running.interrupt().expect_code(0);
    assert!(
        finished.text().contains("ok    clean-up"),
        "{}",
        finished.text()
    );
    // 3 rounds of 4, or more if Ctrl-C came late.
    let rounds = finished
        .text()
        .lines()
        .filter(|line| line.starts_with("round "))
        .count();
    let (all, echoes) = (rounds * 4, rounds * 5);
    assert!(
        rounds >= 3
            && finished.stderr.contains(&format!(
                "rounds: {rounds}; came from PC to board {all}/{all}, from board to PC {all}/{all}, echo {echoes}/{echoes}\n"
            )),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_lost_board_is_searched_for_again() {
    let mut board = wifi_board(VirtualBoard::options(), 102);
    let mut running = Running::spawn(&mut Pc::new().command(&board, QUICK));
    while !running.stdout_line().starts_with("round 2") {}
    board.unplug();
    while !running.stdout_line().contains("[serial-lost]") {}
    board.plug();
    while !running.stdout_line().starts_with("round 2") {}
    running.interrupt().expect_code(0);
}

#[test]
fn a_test_that_cannot_start_is_not_repeated() {
    let board = wifi_board(VirtualBoard::options(), 103);
    let mut command = Pc::new().bare(
        &board,
        "--watch --ssid elsewhere --password-env WIFI_PASSWORD",
    );
    let finished = finish(&mut command).expect_code(1);
    assert!(
        finished.text().contains("[wifi-not-found]"),
        "{}",
        finished.text()
    );
    // With or without a board.
    for args in [
        "--watch --format json",
        "--watch --simulate --format junit",
        "--watch -s a -s b",
    ] {
        let mut command = udpcli(["pair"].into_iter().chain(args.split(' ')));
        finish(&mut command).expect_code(2);
    }
}

/// `pair --watch` on a terminal with 200 columns and 50 rows, and its whole output.
struct Watched {
    child: Child,
    shown: Receiver<Vec<u8>>,
    all: Vec<u8>,
    _board: VirtualBoard,
}

impl Watched {
    fn start(board: VirtualBoard) -> Self {
        let port = Pc::new().port.to_string();
        let args = [
            "pair",
            "-s",
            &board.port,
            "--port",
            &port,
            "--ssid",
            "class",
            "--password-env",
            "WIFI_PASSWORD",
        ];
        let args = args.into_iter().chain(QUICK.split(' '));
        let mut child = udpcli_on_terminal("", args)
            .env("WIFI_PASSWORD", "secret")
            .env("TERMINAL_SIZE", "50 200")
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut stdout = child.stdout.take().expect("piped");
        let (sender, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            shown,
            all: Vec::new(),
            _board: board,
        }
    }

    /// Reads until the output satisfies the condition.
    #[track_caller]
    fn until(&mut self, what: &str, is_so: impl Fn(&[u8]) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_so(&self.all) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(bytes) => self.all.extend(bytes),
                Err(error) => panic!("no {what}: {error}; {}", String::from_utf8_lossy(&self.all)),
            }
        }
    }

    /// Presses Ctrl-C and reads to the end, which must be clean.
    #[track_caller]
    fn interrupt(&mut self) -> String {
        let mut stdin = self.child.stdin.take().expect("piped");
        stdin.write_all(CTRL_C).expect("it reads");
        while let Ok(bytes) = self.shown.recv_timeout(DEADLINE) {
            self.all.extend(bytes);
        }
        let text = String::from_utf8_lossy(&self.all).into_owned();
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{text}");
        text
    }
}

#[test]
fn a_terminal_gets_a_live_view_and_is_restored() {
    let mut watched = Watched::start(wifi_board(VirtualBoard::options(), 104));
    for wanted in [
        "\x1b[?1049h",
        "--watch",
        "datagrams/s",
        "IT WORKS",
        "min/median/p99/max",
    ] {
        watched.until(wanted, |all| String::from_utf8_lossy(all).contains(wanted));
    }
    let text = watched.interrupt();
    assert!(text.contains("leaving the"), "{text}");
    let (_, after) = text
        .rsplit_once("\x1b[?1049l")
        .expect("the first screen comes back");
    assert!(
        after.contains("rounds: ") && after.contains("nothing of the test is left on the board"),
        "{after}"
    );
}

#[test]
fn a_round_is_a_line_in_chinese_too() {
    let board = wifi_board(VirtualBoard::options(), 108);
    let args = format!("{QUICK} --lang zh-CN");
    let mut running = Running::spawn(&mut Pc::new().command(&board, &args));
    let line = loop {
        let line = running.stdout_line();
        if line.starts_with("第 2 轮") {
            break line;
        }
    };
    assert!(
        line.contains("  电脑到掌控板 4/4  掌控板到电脑 4/4  回显 5/5  RTT ")
            && line.contains("  OLED 正确  ["),
        "{line}"
    );
    let finished = running.interrupt().expect_code(0);
    assert!(
        finished.stderr.contains(" 轮；到达数：电脑到掌控板 "),
        "{}",
        finished.stderr
    );
}

#[test]
fn ctrl_c_with_a_silent_board_ends_in_time_with_a_report() {
    for (signals, code) in [
        (&["INT"][..], 0),
        (&["TERM"], 0),
        (&["HUP"], 0),
        // The signals are pending while the process is stopped, and arrive one right after the other.
        (&["STOP", "INT", "TERM", "CONT"], 130),
    ] {
        let mut board = wifi_board(VirtualBoard::options(), 105);
        let mut running = Running::spawn(&mut Pc::new().command(&board, QUICK));
        while !running.stdout_line().starts_with("round 2") {}
        board.control("silence", json!({"on": true}));
        let asked = Instant::now();
        for signal in signals {
            match *signal {
                "STOP" => running.stop(),
                signal => running.signal(signal),
            }
        }
        let finished = running.finish().expect_code(code);
        let (took, said) = (asked.elapsed(), finished.text() + &finished.stderr);
        assert!(took < SOON, "{signals:?}: {took:?}; {said}");
        if code == 0 {
            for part in ["FAIL  clean-up", "rounds: ", "udpcli board reset --hard"] {
                assert!(said.contains(part), "{signals:?}: {part} in {said}");
            }
        } else {
            assert!(!said.contains("rounds: "), "{said}");
        }
    }
}

#[test]
fn a_second_ctrl_c_ends_the_live_view_at_once_and_restores_the_screen() {
    let mut board = wifi_board(VirtualBoard::options(), 106);
    let port = Pc::new().port.to_string();
    let args = format!(
        "pair -s {} --port {port} --ssid class --password-env WIFI_PASSWORD {QUICK}",
        board.port
    );
    let mut child = udpcli_on_terminal("", args.split(' '))
        .env("WIFI_PASSWORD", "secret")
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut stdout = child.stdout.take().expect("piped");
    let mut stdin = child.stdin.take().expect("piped");
    let mut shown = String::new();
    let mut until = |text: &str| {
        let mut byte = [0];
        // Only the end, because a search of everything for each byte takes longer than the clean-up.
        while !shown.ends_with(text) {
            match stdout.read(&mut byte).expect("it is read") {
                0 => panic!("no {text} in {shown}"),
                _ => shown.push(char::from(byte[0])),
            }
        }
    };
    until("min/median/p99/max");
    board.control("silence", json!({"on": true}));
    stdin.write_all(CTRL_C).expect("it reads");
    // The clean-up takes nearly two seconds.
    until("leaving the");
    stdin.write_all(CTRL_C).expect("it reads");
    until("\x1b[?1049l");
    stdout.read_to_string(&mut shown).expect("the end");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130), "{shown}");
    assert!(!shown.contains("rounds: "), "{shown}");
}
