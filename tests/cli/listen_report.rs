//! `listen --report FILE.html`: the page is complete, loads nothing, shows hostile names as text, and is written whatever
//! ends the run.
//!
//! Long because every kind of page is read by the same helpers.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Finished, Listener, Running, loopback_socket, run, run_with_input, udpcli};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The text of the page, after the checks of page.py.
#[track_caller]
fn read(path: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pair/page.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(path);
    let page = run_with_input(python, b"").expect_code(0);
    serde_json::from_slice(&page.stdout).unwrap()
}

fn headings(page: &Value) -> Vec<&str> {
    let headings = page["headings"].as_array().unwrap();
    headings
        .iter()
        .skip(2)
        .filter_map(|heading| heading[1].as_str())
        .collect()
}

fn listener(path: &Path, args: &[&str]) -> Listener {
    let fixed = [
        "--bind",
        "127.0.0.1",
        "--format",
        "raw",
        "--report",
        path.to_str().unwrap(),
    ];
    Listener::start([&fixed[..], args].concat())
}

/// Datagrams of `send --size`, sent 1 ms apart.
fn send(socket: &UdpSocket, listener: &Listener, numbers: &[u64]) {
    for &number in numbers {
        let sent = 1_700_000_000_000_000_000 + number * 1_000_000;
        let payload = [&number.to_be_bytes()[..], &sent.to_be_bytes()].concat();
        socket.send_to(&payload, listener.address).unwrap();
    }
}

fn ended(listener: Listener) -> Finished {
    listener.running.finish().expect_code(0)
}

#[test]
fn a_page_has_loss_rate_and_jitter_over_time_and_a_row_per_sender() {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let listener = listener(&path, &["--seq", "-n", "9"]);
    let (good, bad) = (loopback_socket(), loopback_socket());
    send(&good, &listener, &[0, 1, 2, 3]);
    send(&bad, &listener, &[0, 1, 4, 5, 7]);
    let end = ended(listener);
    assert!(end.stderr.contains("wrote the report"), "{}", end.stderr);
    let page = read(&path);
    assert_eq!(
        (&page["language"], &page["shapes"][0]),
        (&"en".into(), &"warning".into())
    );
    let parts = [
        "What is wrong and what to do",
        "Over time",
        "Loss in % over time, by sender",
        "Senders",
        "Datagrams lost in a row",
        "Counts",
        "This test",
    ];
    assert_eq!(headings(&page), parts);
    let text = page["text"].as_str().unwrap();
    for part in [
        "9 datagrams from 2 senders",
        "3 lost (25 %)",
        "up to 2",
        "--seq",
        "udpcli 0.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file"
    );
}

#[test]
fn a_page_without_numbers_says_what_is_needed_in_the_users_language() {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let mut command = udpcli([
        "listen",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "--lang",
        "zh-CN",
    ]);
    command
        .args(["--format", "raw", "-n", "2", "--report"])
        .arg(&path);
    let mut running = Running::spawn(command.stdin(Stdio::null()));
    let line = running.stderr_line_with("127.0.0.1:");
    let port = line.split("127.0.0.1:").nth(1).unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let socket = loopback_socket();
    for payload in ["led on", "led off"] {
        socket
            .send_to(payload.as_bytes(), format!("127.0.0.1:{port}"))
            .unwrap();
    }
    running.finish().expect_code(0);
    let page = read(&path);
    assert_eq!(
        (&page["language"], &page["shapes"][0]),
        (&"zh-CN".into(), &"skipped".into())
    );
    let text = page["text"].as_str().unwrap();
    assert!(
        text.contains("请加上 --seq") && text.contains("2 个数据报"),
        "{text}"
    );
    // Payloads from strangers are not on the page.
    assert!(!text.contains("led o"), "{text}");
}

#[test]
fn a_hostile_name_is_shown_as_text() {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let list = folder.path().join("names.csv");
    fs::write(
        &list,
        "127.0.0.1,</td><script>alert(1)</script>\u{202e},1\n",
    )
    .unwrap();
    let listener = listener(&path, &["-n", "1", "--names", list.to_str().unwrap()]);
    loopback_socket().send_to(b"x", listener.address).unwrap();
    ended(listener);
    let page = read(&path);
    let text = page["text"].as_str().unwrap();
    assert!(text.contains("</td><script>alert(1)</script>"), "{text}");
}

#[test]
fn a_path_that_cannot_be_written_is_refused_before_a_port_is_bound() {
    let end = run(["listen", "--port", "0", "--report", "/nonexistent/x.html"]).expect_code(3);
    let error = "error: cannot write the report /nonexistent/x.html";
    assert!(end.stderr.contains(error), "{}", end.stderr);
    assert!(!end.stderr.contains("listening on"), "{}", end.stderr);
}

#[test]
fn ctrl_c_and_silence_write_the_page_too() {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let mut interrupted = listener(&path, &["--seq", "--stats", "50ms", "--summary", "json"]);
    send(&loopback_socket(), &interrupted, &[0, 1, 3]);
    interrupted.running.stderr_line_with("\"datagrams\":3,");
    interrupted.running.interrupt().expect_code(0);
    assert!(
        read(&path)["text"]
            .as_str()
            .unwrap()
            .contains("1 lost (25 %)")
    );
    let silent = udpcli([
        "listen",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "--timeout",
        "50ms",
        "--report",
        path.to_str().unwrap(),
    ]);
    run_with_input(silent, b"").expect_code(1);
    let page = read(&path);
    assert_eq!(page["shapes"][0], "bad");
    // The page alone says what to do.
    assert_eq!(
        page["data"]["codes"],
        serde_json::json!(["nothing-arrived"])
    );
    let text = page["text"].as_str().unwrap();
    for part in ["Not one datagram", "udpcli doctor", "udpcli pair"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// What the page finds in these numbers, which each of the senders sends 1 ms apart.
#[track_caller]
fn found(senders: &[&[u64]], args: &[&str]) -> Value {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let count: usize = senders.iter().map(|numbers| numbers.len()).sum();
    let listener = listener(
        &path,
        &[&["--seq", "-n", &count.to_string()], args].concat(),
    );
    for numbers in senders {
        send(&loopback_socket(), &listener, numbers);
    }
    ended(listener);
    read(&path)
}

#[test]
fn the_page_says_what_the_loss_looks_like_and_what_to_do() {
    let all: Vec<u64> = (0..200).collect();
    let every_20th: Vec<u64> = all.iter().copied().filter(|n| n % 20 != 7).collect();
    let in_bursts: Vec<u64> = all.iter().copied().filter(|n| n % 50 < 40).collect();
    let a_few: Vec<u64> = (0..1000).filter(|&n| n != 500).collect();
    for (senders, code, parts) in [
        (
            &[&every_20th[..]][..],
            "loss-scattered",
            ["5 % were lost", "another channel"],
        ),
        (
            &[&in_bursts],
            "loss-in-bursts",
            ["10 in a row", "switch off power saving"],
        ),
        (
            &[&all, &in_bursts, &all],
            "loss-in-bursts",
            ["almost all of 127.0.0.1:", "30 of 30"],
        ),
    ] {
        let page = found(senders, &[]);
        assert_eq!(page["data"]["codes"], serde_json::json!([code]));
        let text = page["text"].as_str().unwrap();
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    // Nothing, or what is usual in Wi-Fi.
    for numbers in [&all, &a_few] {
        let page = found(&[numbers], &[]);
        assert_eq!(page["data"]["codes"], serde_json::json!([]));
        assert!(!headings(&page).contains(&"What is wrong and what to do"));
    }
}

#[test]
fn the_page_says_at_which_time_the_loss_was() {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let listener = listener(&path, &["--seq", "-n", "180"]);
    let socket = loopback_socket();
    // Two seconds; of each 100 ms ten, but none of 200 ms in the middle.
    let mut numbers: Vec<u64> = (0..200).collect();
    numbers.retain(|n| !(100..120).contains(n));
    let start = std::time::Instant::now();
    for number in numbers {
        let due = start + std::time::Duration::from_millis(number * 10);
        std::thread::sleep(due.saturating_duration_since(std::time::Instant::now()));
        send(&socket, &listener, &[number]);
    }
    ended(listener);
    let page = read(&path);
    assert_eq!(
        page["data"]["codes"],
        serde_json::json!(["loss-for-a-time"])
    );
    let text = page["text"].as_str().unwrap();
    assert!(
        text.contains("10 % were lost") && text.contains("after the start"),
        "{text}"
    );
}

#[test]
fn a_page_of_others_says_that_they_are_others() {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let mut listener = listener(&path, &["--from", "127.0.0.99", "--stats", "50ms"]);
    send(&loopback_socket(), &listener, &[0, 1]);
    listener
        .running
        .stderr_line_with(", 2 from others left out");
    listener.running.interrupt().expect_code(0);
    let page = read(&path);
    assert_eq!(page["data"]["codes"], serde_json::json!(["only-others"]));
}

/// A page is not longer after hundreds of senders with any numbers than after a few.
#[test]
fn a_page_is_bounded() {
    let folder = folder();
    let path = folder.path().join("listen.html");
    let mut listener = listener(
        &path,
        &[
            "--seq",
            "--stats",
            "50ms",
            "--summary",
            "json",
            "--recv-buffer",
            "8MiB",
        ],
    );
    let address = listener.address;
    // Kept, so that no sender gets a port for the second time.
    let mut sockets = Vec::new();
    let mut sent = 0_u64;
    for round in 0..40_u64 {
        for _ in 0..10 {
            let socket = loopback_socket();
            for number in [0, u64::MAX, 1 << 40, round] {
                send_one(&socket, address, number);
            }
            sockets.push(socket);
        }
        sent += 40;
        listener
            .running
            .stderr_line_with(&format!("\"datagrams\":{sent},"));
    }
    listener.running.interrupt().expect_code(0);
    let page = read(&path);
    let summary = &page["data"]["summary"];
    assert_eq!(
        (&summary["datagrams"], &summary["peers"]),
        (&sent.into(), &400.into())
    );
    assert_eq!(summary["senders"].as_array().unwrap().len(), 64);
    let len = fs::metadata(&path).unwrap().len();
    assert!(len < 200_000, "{len} bytes");
}

/// A datagram of `send --size` with this number.
fn send_one(socket: &UdpSocket, to: std::net::SocketAddr, number: u64) {
    let payload = [&number.to_be_bytes()[..], &number.to_be_bytes()].concat();
    socket.send_to(&payload, to).unwrap();
}

/// A full page, in both languages, in headless Chromium: widths, dark mode, console, requests, accessibility tree, paper.
#[test]
#[ignore = "needs chromium: cargo test --test cli browser -- --ignored"]
fn a_browser_shows_and_prints_the_page() {
    let folder = folder();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser.py");
    for language in ["en", "zh-CN"] {
        let path = folder.path().join(format!("listen-{language}.html"));
        let mut command = udpcli([
            "listen",
            "--bind",
            "127.0.0.1",
            "--port",
            "0",
            "--seq",
            "--lang",
            language,
        ]);
        command
            .args(["--format", "raw", "-n", "280", "--report"])
            .arg(&path);
        let mut running = Running::spawn(command.stdin(Stdio::null()));
        let line = running.stderr_line_with("127.0.0.1:");
        let port = line.split("127.0.0.1:").nth(1).unwrap();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        for _ in 0..14 {
            let socket = loopback_socket();
            for number in 0..20_u64 {
                // Bursts of 1, 3, 7 .. are left out.
                let number = number + (1 << (number / 2));
                let sent = 1_700_000_000_000_000_000 + number * 1_000_000;
                let payload = [&number.to_be_bytes()[..], &sent.to_be_bytes()].concat();
                socket
                    .send_to(&payload, format!("127.0.0.1:{port}"))
                    .unwrap();
            }
        }
        running.finish().expect_code(0);
        let mut browser = Command::new("python3");
        browser.arg(script).arg(&path);
        run_with_input(browser, b"").expect_code(0);
    }
}
