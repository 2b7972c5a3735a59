//! `--report FILE.html`: the page is complete, loads nothing, shows hostile names as text and has no password.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::air::{PASSWORD, Pc, finish, pair, wifi_board};
use crate::board::{VirtualBoard, environment};
use crate::support::{Running, udpcli};

const QUICK: &str = "-n 2 --interval 10ms --sizes 64,512";

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The text of the page, after the checks of page.py.
#[track_caller]
pub(crate) fn read(path: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pair/page.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .expect("python3 starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

pub(crate) fn headings(page: &Value) -> Vec<&str> {
    let headings = page["headings"].as_array().expect("headings");
    headings
        .iter()
        .filter_map(|heading| heading[1].as_str())
        .collect()
}

/// `udpcli pair --simulate` that writes a report.
fn simulate(pc: &Pc, args: &str, report: &Path) -> Command {
    let port = pc.port.to_string();
    let mut command = udpcli(
        ["pair", "--simulate", "--port", &port]
            .into_iter()
            .chain(args.split_ascii_whitespace()),
    );
    let path = std::env::var("PATH").unwrap_or_default();
    command.arg("--report").arg(report);
    command.env("PATH", format!("{}:{path}", environment().display()));
    command
}

#[test]
fn a_page_of_a_good_test_has_verdict_steps_charts_and_addresses() {
    let folder = folder();
    let path = folder.path().join("pair.html");
    fs::write(&path, "old").expect("written");
    let finished = finish(&mut simulate(&Pc::new(), QUICK, &path)).expect_code(0);
    assert!(
        finished.stderr.contains("wrote the report"),
        "{}",
        finished.stderr
    );
    let page = read(&path);
    assert_eq!(page["language"], "en");
    assert_eq!(
        headings(&page)[2..],
        [
            "Steps",
            "Datagrams that arrived, by size",
            "Round-trip time (RTT)",
            "Board and network",
            "This test"
        ]
    );
    let text = page["text"].as_str().expect("text");
    for part in [
        "2 of 2 (0 % lost)",
        "median",
        "127.0.0.1",
        "--simulate",
        "udpcli 0.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let shapes = page["shapes"].as_array().expect("shapes");
    assert_eq!(shapes[0], "good");
    assert_eq!(shapes.len(), 10, "a shape for the test and for each step");
    // The temporary file is gone.
    assert_eq!(fs::read_dir(folder.path()).expect("entries").count(), 1);
}

#[test]
fn a_page_of_a_failed_test_says_what_to_do_in_the_users_language() {
    let folder = folder();
    let path = folder.path().join("pair.html");
    let args = "--lang zh-CN -n 2 --interval 10ms --sizes 64,1025 --encoding gbk";
    finish(&mut simulate(&Pc::new(), args, &path)).expect_code(1);
    let page = read(&path);
    assert_eq!(page["language"], "zh-CN");
    assert_eq!(page["shapes"][0], "bad");
    assert_eq!(headings(&page)[2..4], ["问题和解决办法", "步骤"]);
    let text = page["text"].as_str().expect("text");
    assert!(
        text.contains("payload-cut-at-1024") && text.contains("gbk-not-decoded"),
        "{text}"
    );
}

#[test]
fn hostile_names_are_shown_as_text_and_the_password_is_not_there() {
    let folder = folder();
    let path = folder.path().join("pair.html");
    let ssid = "</script><script>x\u{202e}\u{1b}[1m";
    let board = VirtualBoard::options()
        .arg("--wifi", &format!("{ssid}:{PASSWORD}"))
        .arg("--ip", &"127.0.0.61")
        .ready();
    let list = folder.path().join("names.csv");
    let name = "<img src=x onerror=alert(1)>";
    fs::write(&list, format!("{},{name},1\n", board.port)).expect("written");
    let mut command = Pc::new().bare(&board, QUICK);
    command.args(["--ssid", ssid, "--password-env", "WIFI_PASSWORD", "--names"]);
    command.arg(&list).arg("--report").arg(&path);
    finish(&mut command).expect_code(0);
    let page = read(&path);
    let text = page["text"].as_str().expect("text");
    assert!(
        text.contains("</script><script>x\\u{202e}\\u{1b}[1m"),
        "{text}"
    );
    // The data has the very same text.
    let board = &page["data"]["boards"][0];
    assert_eq!(board["steps"][2]["figures"]["ssid"], ssid, "{board:#}");
    assert_eq!(board["name"], name);
    assert!(text.contains(name), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn a_password_that_the_board_prints_is_not_in_the_page() {
    let folder = folder();
    let path = folder.path().join("pair.html");
    let board = wifi_board(VirtualBoard::options(), 62);
    let args = format!("{QUICK} --text {PASSWORD} --report {}", path.display());
    pair(&board, &Pc::new(), &args).expect_code(0);
    let text = fs::read_to_string(&path).expect("the page");
    assert!(!text.contains(PASSWORD) && text.contains("***"), "{text}");
}

#[test]
fn a_path_that_cannot_be_written_is_refused_before_the_test() {
    let mut command = udpcli([
        "pair",
        "-s",
        "/nonexistent/tty",
        "--report",
        "/nonexistent/x.html",
    ]);
    let finished = finish(&mut command).expect_code(3);
    assert!(
        finished
            .stderr
            .contains("error: cannot write the report /nonexistent/x.html"),
        "{}",
        finished.stderr
    );
    assert!(finished.stdout.is_empty());
}

#[test]
fn a_page_is_written_when_there_is_no_board() {
    let folder = folder();
    let path = folder.path().join("pair.html");
    let mut command = udpcli(["pair", "-s", "/nonexistent/tty", "--report"]);
    command.arg(&path);
    finish(&mut command).expect_code(3);
    let page = read(&path);
    assert!(
        page["text"]
            .as_str()
            .is_some_and(|text| text.contains("serial-port"))
    );
}

#[test]
fn ctrl_c_writes_the_page_of_what_was_measured() {
    let folder = folder();
    let path = folder.path().join("pair.html");
    let board = wifi_board(VirtualBoard::options(), 63);
    let mut command = Pc::new().command(&board, "-n 10000 --interval 100ms --sizes 64");
    command.arg("--report").arg(&path);
    let mut running = Running::spawn(&mut command);
    while !running.stdout_line().contains("addresses") {}
    running.interrupt().expect_code(130);
    let page = read(&path);
    assert_eq!(page["shapes"][0], "stopped");
    let text = page["text"].as_str().expect("text");
    assert!(text.contains("127.0.0.63"), "{text}");
}
