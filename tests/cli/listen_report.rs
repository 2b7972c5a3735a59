//! `listen --report FILE.html`: the page is complete, loads nothing, shows hostile names as text, and is written whatever
//! ends the run.

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
    assert_eq!(read(&path)["shapes"][0], "bad");
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
