//! Serial ports of every kind, and the errors for unusable ones.
//!
//! Long because each kind of port and each of its errors has a test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{assert_untouched, board, command, kinds, run_source};
use crate::process::{Finished, Running, run, run_with_input, udpcli};
use crate::support::{Port, VirtualBoard};

/// Runs `udpcli board -s PORT info`, which must fail with these words.
#[track_caller]
fn refused(port: &str, words: &[&str]) -> Finished {
    let args = ["board", "-s", port, "--connect-timeout", "2s", "info"];
    let began = Instant::now();
    let finished = run(args).expect_code(3);
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    for words in words {
        assert!(
            finished.stderr.contains(words),
            "{words}: {}",
            finished.stderr
        );
    }
    finished
}

#[test]
fn missing_ports_and_other_files_are_refused() {
    refused(
        "/dev/no-such-port",
        &[
            "cannot open serial port /dev/no-such-port",
            "hint: udpcli board list shows the ports that are there",
        ],
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    refused(
        file.path().to_str().unwrap(),
        &[
            "cannot open serial port",
            "caused by: it is not a serial port",
        ],
    );
    refused(
        "/tmp",
        &[
            "cannot open serial port /tmp",
            "caused by: it is not a serial port",
        ],
    );
    refused(
        "socket://127.0.0.1:1",
        &[
            "cannot open serial port socket://127.0.0.1:1",
            "Connection refused",
            "ser2net",
        ],
    );
    refused(
        "rfc2217://nonsense",
        &["cannot open serial port rfc2217://nonsense", "HOST:PORT"],
    );
}

#[test]
fn an_occupied_port_names_the_program() {
    let vboard = VirtualBoard::options().ready();
    let mut first = Running::spawn(command(&vboard, ["repl"]).stdin(Stdio::piped()));
    first.stderr_line_with("connected to");
    let finished = board(&vboard, ["info"]).expect_code(3);
    let holder = format!("udpcli (process {})", first.id());
    assert!(
        finished.stderr.contains(": in use by ") && finished.stderr.contains(&holder),
        "{}",
        finished.stderr
    );
    assert!(
        finished
            .stderr
            .contains("hint: close that program, or disconnect in it"),
        "{}",
        finished.stderr
    );
    drop(first);
    assert_eq!(
        run_source(&vboard, "print(1)").expect_code(0).text(),
        "1\r\n"
    );
}

#[test]
fn no_permission_names_the_group() {
    let is_root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        // Only root can change to another user, and other users' ports belong to them anyway.
        return;
    }
    let vboard = VirtualBoard::options().ready();
    let port = fs::canonicalize(&vboard.port).unwrap();
    fs::set_permissions(&port, fs::Permissions::from_mode(0o600)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("udpcli");
    fs::copy(env!("CARGO_BIN_EXE_udpcli"), &program).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["board", "-s"])
        .arg(&port)
        .arg("info");
    let finished = run_with_input(command, b"").expect_code(3);
    assert!(
        finished.stderr.contains("caused by: Permission denied"),
        "{}",
        finished.stderr
    );
    assert!(
        finished.stderr.contains("sudo usermod -aG dialout "),
        "{}",
        finished.stderr
    );
    // The error names the group with access, which differs between systems.
    fs::set_permissions(&port, fs::Permissions::from_mode(0o660)).unwrap();
    std::os::unix::fs::chown(&port, None, Some(1)).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["board", "-s"])
        .arg(&port)
        .arg("info");
    let finished = run_with_input(command, b"").expect_code(3);
    assert!(
        finished
            .stderr
            .contains("belongs to the group daemon: sudo usermod -aG daemon "),
        "{}",
        finished.stderr
    );
}

#[test]
fn the_error_mentions_a_reset_only_if_there_was_one() {
    let mut vboard = VirtualBoard::options().flag("--rfc2217").ready();
    vboard.control("silence", json!({"on": true}));
    let mut finished = Vec::new();
    for timeout in ["1s", "3s"] {
        let resets = vboard.count("resets");
        let words = board(&vboard, ["--connect-timeout", timeout, "info"]).expect_code(3);
        finished.push((vboard.count("resets") > resets, words.stderr));
    }
    for (reset, words) in finished {
        let claimed = words.contains("a reset through the control lines did not help either");
        assert_eq!(claimed, reset, "{words}");
    }
}

#[test]
fn silence_noise_and_download_mode_have_different_errors() {
    let mut vboard = VirtualBoard::options().ready();
    let port = vboard.port.clone();
    vboard.control("silence", json!({"on": true}));
    refused(
        &port,
        &[
            "no answer from the board on",
            "press the board's RESET button",
            "Is this the board's port (udpcli board list)?",
        ],
    );
    vboard.control("silence", json!({"on": false}));

    // At this rate the output is slow enough.
    vboard.control("baud", json!({"baud": 9600}));
    vboard.control("chatter", json!({"on": true}));
    refused(
        &port,
        &["is not MicroPython [no-micropython]", "wifi: noise"],
    );
    vboard.control("chatter", json!({"on": false}));
    vboard.control("baud", json!({"baud": 115_200}));

    vboard.control("wrong_baud", json!({"on": true}));
    refused(
        &port,
        &[
            "unreadable data from",
            "at 115200 baud",
            "--baud 115200 is usual",
        ],
    );
    vboard.control("wrong_baud", json!({"on": false}));

    let mut listening = Port::open(&vboard);
    vboard.control("boot_download_mode", json!({}));
    listening.until(b"waiting for download");
    // A board in download mode prints this once, and then nothing.
    drop(listening);
    refused(&port, &["from the board on"]);
    vboard.reset();
    vboard.wait_ready();
    assert_eq!(
        run_source(&vboard, "print(1)").expect_code(0).text(),
        "1\r\n"
    );
}

#[test]
fn network_ports_support_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("x");
    let content: Vec<u8> = (0..=255).cycle().take(3000).collect();
    fs::write(&local, &content).unwrap();
    let local = local.to_str().unwrap();
    for flag in ["--tcp", "--rfc2217"] {
        let mut vboard = VirtualBoard::options().flag(flag).ready();
        assert_eq!(
            run_source(&vboard, "print('你好')").expect_code(0).text(),
            "你好\r\n",
            "{flag}"
        );
        board(&vboard, ["put", local]).expect_code(0);
        assert!(
            fs::read(vboard.files().join("x")).unwrap() == content,
            "{flag}"
        );
        assert!(
            board(&vboard, ["get", ":x", "-"]).expect_code(0).stdout == content,
            "{flag}"
        );
        // The notation of esptool and pyserial.
        let with_option = format!("{}?ign_set_control", vboard.port);
        udpcli(["board", "-s", &with_option, "ls"])
            .output()
            .map(|output| assert!(output.status.success(), "{output:?}"))
            .unwrap();
        let resets = vboard.count("resets");
        let finished = board(&vboard, ["reset", "--hard"]);
        if flag == "--rfc2217" {
            finished.expect_code(0);
            vboard.wait_until("the board is reset", |stats| stats["resets"] == resets + 1);
            vboard.wait_ready();
            assert_eq!(vboard.stats()["state"], "running");
        } else {
            let finished = finished.expect_code(3);
            assert!(
                finished
                    .stderr
                    .contains("cannot reset the board on socket://"),
                "{}",
                finished.stderr
            );
            assert!(
                finished.stderr.contains("rfc2217:// does"),
                "{}",
                finished.stderr
            );
            assert_eq!(vboard.count("resets"), resets);
        }
        assert_eq!(
            run_source(&vboard, "print(2)").expect_code(0).text(),
            "2\r\n",
            "{flag}"
        );
    }
}

#[test]
fn a_reset_starts_main_py() {
    for (_, options) in kinds() {
        let mut vboard = options
            .file("main.py", "open('ran', 'a').write('x')\n")
            .ready();
        let ran = |n: usize, vboard: &mut VirtualBoard| {
            let file = vboard.files().join("ran");
            vboard.wait_until("main.py ran", |_| {
                fs::read(&file).is_ok_and(|text| text.len() == n)
            });
        };
        ran(1, &mut vboard);
        let finished = board(&vboard, ["reset"]).expect_code(0);
        assert!(
            finished.stderr.contains("soft reset"),
            "{}",
            finished.stderr
        );
        ran(2, &mut vboard);
        let finished = board(&vboard, ["reset", "--hard"]).expect_code(3);
        assert!(
            finished
                .stderr
                .contains("caused by: it has no control lines")
                && finished
                    .stderr
                    .contains("press the board's RESET button instead"),
            "{}",
            finished.stderr
        );
        assert_untouched(&vboard, &["main.py", "ran"]);
    }
}

#[test]
fn the_environment_can_name_the_port() {
    let vboard = VirtualBoard::options().ready();
    let mut command = udpcli(["board", "info", "--format", "json"]);
    command.env("UDPCLI_SERIAL", &vboard.port);
    let info: Value =
        serde_json::from_str(&run_with_input(command, b"").expect_code(0).text()).unwrap();
    assert_eq!(info["port"], vboard.port.as_str());
    assert_eq!(info["implementation"], "micropython");
    assert_eq!(info["mac"], "aabbccddeeff");
    assert_eq!(info["address"], Value::Null);
    assert_untouched(&vboard, &[]);
}

#[test]
fn list_probes_ports_on_request() {
    let mut vboard = VirtualBoard::options().ready();
    let text = board(&vboard, ["list", "--probe"]).expect_code(0).text();
    assert_eq!(text, format!("{}  MicroPython answers\n", vboard.port));
    assert_eq!(vboard.count("resets") + vboard.count("soft_resets"), 0);
    vboard.control("silence", json!({"on": true}));
    let text = board(&vboard, ["list", "--probe", "--format", "json"])
        .expect_code(0)
        .text();
    let object: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["port"], vboard.port.as_str());
    assert_eq!(object["micropython"], false);
    assert!(
        object["error"]
            .as_str()
            .unwrap()
            .starts_with("no answer from the board"),
        "{text}"
    );
    for line in board(&vboard, ["list", "--format", "json"])
        .expect_code(0)
        .text()
        .lines()
    {
        let object: Value = serde_json::from_str(line).unwrap();
        assert!(
            Path::new(object["port"].as_str().unwrap()).exists()
                && object.get("micropython").is_none(),
            "{line}"
        );
    }
}

#[test]
fn list_waits_for_a_board_that_was_reset_by_opening_its_port() {
    let mut vboard = VirtualBoard::options()
        .flag("--reset-on-open")
        .arg("--boot-time", &1.6)
        .ready();
    let text = board(&vboard, ["list", "--probe"]).expect_code(0).text();
    assert_eq!(text, format!("{}  MicroPython answers\n", vboard.port));
    assert_eq!(vboard.count("resets"), 1);
}

/// A server that accepts a connection and stays silent, or does not even accept it.
fn unanswering() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("its address");
    (listener, address.to_string())
}

#[test]
fn ctrl_c_ends_a_connect_at_once() {
    // A full backlog drops new connections: `connect` waits for its timeout.
    let (listener, address) = unanswering();
    let mut full = Vec::new();
    let address = address.parse().expect("an address");
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200))
    {
        full.push(stream);
        assert!(full.len() < 5000, "the queue never fills");
    }
    for scheme in ["socket", "rfc2217"] {
        let port = format!("{scheme}://{address}");
        let running = Running::spawn(&mut udpcli([
            "board",
            "-s",
            &port,
            "--connect-timeout",
            "30s",
            "-v",
            "info",
        ]));
        // udpcli watches signals before it opens the port; nothing shows from the outside that it waits.
        std::thread::sleep(Duration::from_millis(300));
        let start = Instant::now();
        running.signal("INT");
        running.finish().expect_code(130);
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{port}: {:?}",
            start.elapsed()
        );
    }
    drop(listener);
}

#[test]
fn a_server_that_never_reads_does_not_exhaust_memory() {
    use std::io::Write as _;
    let (listener, address) = unanswering();
    let asking = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("udpcli connects");
        stream
            .set_write_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout");
        // IAC DO 24, which udpcli has to decline: 30 MB of it.
        let asks = [255u8, 253, 24].repeat(10_000);
        let sent = (0..1000)
            .take_while(|_| stream.write_all(&asks).is_ok())
            .count();
        (sent, stream)
    });
    let port = format!("rfc2217://{address}");
    let finished = run(["board", "-s", &port, "--connect-timeout", "5s", "info"]).expect_code(3);
    assert!(
        ["does not read the answers", "accepts no more bytes"]
            .iter()
            .any(|words| finished.stderr.contains(words)),
        "{}",
        finished.stderr
    );
    let (sent, _stream) = asking.join().expect("no panic");
    assert!(sent < 1000, "it read all 30 MB");
}
