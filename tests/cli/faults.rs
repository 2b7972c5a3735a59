//! Faults in the environment: readers that exit, full disks, files that vanish, closed streams, hostile names.
//!
//! Long because each fault has a test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{
    DEADLINE, Finished, Listener, Running, address_of, assert_in_order, bash, eventually, heard,
    loopback_socket, nothing_waits, receive, refusing_socket, run, run_with_input, skipped, udpcli,
    udpcli_on_terminal,
};

/// Sends bursts of datagrams until the listener has ended.
#[track_caller]
fn flood_until_it_ends(mut listener: Listener, payload: &[u8]) -> Finished {
    let socket = loopback_socket();
    let address = listener.address;
    eventually("the listener ends", || {
        for _ in 0..10 {
            // Sends are refused once the listener has ended.
            let _ = socket.send_to(payload, address);
        }
        listener.running.has_ended()
    });
    listener.running.finish()
}

// Readers that exit early.

#[test]
fn a_reader_that_leaves_is_a_normal_end_of_listen() {
    for args in [
        &[][..],
        &["-n", "100000"],
        &["--duration", "1h"],
        &["--format", "board"],
        &["--format", "json"],
    ] {
        let args = [&["listen", "--port", "0", "--bind", "127.0.0.1"], args].concat();
        let listener = Listener::spawn(&mut bash(
            r#""$0" "$@" | head -1; exit "${PIPESTATUS[0]}""#,
            &args,
        ));
        let finished = flood_until_it_ends(listener, b"hello").expect_code(0);
        assert_eq!(finished.text().lines().count(), 1, "{}", finished.text());
        assert!(
            finished.stderr.contains(" 0 truncated"),
            "a summary: {}",
            finished.stderr
        );
        assert!(!finished.stderr.contains("error"), "{}", finished.stderr);
    }
}

#[test]
fn a_reader_that_leaves_is_a_normal_end_of_send() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let args = [
        "send", &peer, "hello", "-n", "100000", "-i", "1ms", "-w", "1s",
    ];
    let finished = Running::spawn(&mut bash(
        r#""$0" "$@" | head -1; exit "${PIPESTATUS[0]}""#,
        args,
    ))
    .finish()
    .expect_code(0);
    assert_eq!(finished.text().lines().count(), 1, "{}", finished.text());
    assert!(!finished.stderr.contains("error: "), "{}", finished.stderr);
}

#[test]
fn a_reader_that_leaves_is_a_normal_end_of_help() {
    for args in [
        &["man"][..],
        &["completions", "zsh"],
        &["--help"],
        &["send", "--help"],
    ] {
        let line = r#""$0" "$@" | true; exit "${PIPESTATUS[0]}""#;
        let finished = Running::spawn(&mut bash(line, args))
            .finish()
            .expect_code(0);
        assert_eq!(finished.stderr, "", "{args:?}");
    }
}

// Streams that are closed or full.

#[test]
fn closed_streams_hurt_nobody() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    for redirection in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let line = format!(r#"exec "$0" "$@" {redirection}"#);
        Running::spawn(&mut bash(&line, ["send", &peer, "hello"]))
            .finish()
            .expect_code(0);
        assert_eq!(receive(&socket).0, b"hello", "{redirection}");
    }
    // Without a payload argument, a closed stdin counts as one without lines.
    let finished = Running::spawn(&mut bash(r#"exec "$0" send "$1" <&-"#, [&peer]))
        .finish()
        .expect_code(0);
    assert!(
        finished.stderr.contains("nothing was sent"),
        "{}",
        finished.stderr
    );
    nothing_waits(&socket);
}

#[test]
fn listen_with_closed_streams_still_saves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard.jsonl");
    let line = r#"exec "$0" listen --port 0 --bind 127.0.0.1 -n 1 --save "$1" <&- >&-"#;
    let listener = Listener::spawn(&mut bash(line, [&path]));
    loopback_socket()
        .send_to(b"hello", listener.address)
        .unwrap();
    listener.running.finish().expect_code(0);
    let saved = std::fs::read_to_string(&path).unwrap();
    assert_eq!(saved.lines().count(), 1);
    assert!(
        saved.ends_with("\"len\":5,\"text\":\"hello\"}\n"),
        "{saved}"
    );
}

#[test]
fn a_full_stdout_is_exit_code_3_and_loses_nothing_saved() {
    for extension in ["jsonl", "pcap", "pcapng"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("heard.{extension}"));
        let line = r#"exec "$0" listen --port 0 --bind 127.0.0.1 --save "$1" >/dev/full"#;
        let listener = Listener::spawn(&mut bash(line, [&path]));
        loopback_socket()
            .send_to(b"hello", listener.address)
            .unwrap();
        let finished = listener.running.finish().expect_code(3);
        assert_in_order(
            &finished.stderr,
            &[
                "1 datagram, 5 bytes, ",
                "udpcli: error: cannot write standard output\n",
                "caused by: No space left",
            ],
        );
        assert_eq!(records(&path), 1, "{extension}");
    }
}

#[test]
fn a_full_stdout_is_exit_code_3_for_every_command() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    for args in [
        &["send", &peer, "x", "-w", "1h"][..],
        &["man"],
        &["completions", "bash"],
    ] {
        let finished = Running::spawn(&mut bash(r#"exec "$0" "$@" >/dev/full"#, args))
            .finish()
            .expect_code(3);
        assert!(
            finished
                .stderr
                .contains("udpcli: error: cannot write standard output\n"),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn a_full_stderr_hurts_nobody() {
    let socket = loopback_socket();
    let line = r#"exec "$0" -v send "$1" hello 2>/dev/full"#;
    Running::spawn(&mut bash(line, [address_of(&socket)]))
        .finish()
        .expect_code(0);
    assert_eq!(receive(&socket).0, b"hello");
}

// Files.

/// Counts the records of a capture or a JSON Lines file, and asserts that the last record is complete.
#[track_caller]
fn records(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut count = 0;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("pcap") => {
            // https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html: nanoseconds, raw IP.
            assert_eq!((number(0), number(20)), (0xa1b2_3c4d, 101));
            let mut at = 24;
            while at < bytes.len() {
                let len = number(at + 8) as usize;
                assert_eq!(len, number(at + 12) as usize);
                at += 16 + len;
                assert!(
                    at <= bytes.len(),
                    "the last record is cut: it ends at {at} of {}",
                    bytes.len()
                );
                count += 1;
            }
        }
        Some("pcapng") => {
            // draft-ietf-opsawg-pcapng: each block has its length at both ends.
            let mut at = 0;
            while at < bytes.len() {
                let len = number(at + 4) as usize;
                assert!(
                    len >= 12 && at + len <= bytes.len(),
                    "the last block is cut: it ends at {} of {}",
                    at + len,
                    bytes.len()
                );
                assert_eq!(len, number(at + len - 4) as usize);
                // Enhanced packet block.
                count += usize::from(number(at) == 6);
                at += len;
            }
            assert_eq!(number(0), 0x0a0d_0d0a);
        }
        _ => {
            let text = String::from_utf8(bytes).unwrap();
            assert!(
                text.is_empty() || text.ends_with('\n'),
                "the last line is cut: {text}"
            );
            for line in text.lines() {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
                count += 1;
            }
        }
    }
    count
}

/// A small file system; dropping it unmounts it.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts it; `None`, with the reason printed, if this user may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            failed => {
                skipped(format!("a small tmpfs cannot be mounted here: {failed:?}"));
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_exit_code_3_and_leaves_a_whole_file() {
    for extension in ["pcap", "pcapng", "jsonl"] {
        let Some(disk) = SmallDisk::mount() else {
            return;
        };
        let path = disk.0.path().join(format!("heard.{extension}"));
        let listener = Listener::start(["--save", path.to_str().unwrap(), "--format", "raw"]);
        let finished = flood_until_it_ends(listener, &[b'x'; 700]).expect_code(3);
        let error = format!("udpcli: error: cannot write {}\n", path.display());
        assert_in_order(
            &finished.stderr,
            &[" datagrams, ", &error, "caused by: No space left", "hint: "],
        );
        // The datagram that could not be saved must still be printed.
        let saved = records(&path);
        let printed = finished.stdout.len() / 700;
        assert!(
            0 < saved && saved <= printed,
            "{extension}: {saved} saved, {printed} printed"
        );
    }
}

#[test]
fn a_file_that_may_not_grow_is_exit_code_3_and_left_whole() {
    for extension in ["pcap", "pcapng", "jsonl"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("heard.{extension}"));
        // Ignore SIGXFSZ, so that a write beyond the limit fails instead of killing the process.
        let line = r#"trap "" XFSZ; ulimit -f 32; exec "$0" listen --port 0 --bind 127.0.0.1 --format raw --save "$1""#;
        let listener = Listener::spawn(&mut bash(line, [&path]));
        let finished = flood_until_it_ends(listener, &[b'x'; 700]).expect_code(3);
        assert!(
            finished
                .stderr
                .contains(&format!("udpcli: error: cannot write {}\n", path.display())),
            "{}",
            finished.stderr
        );
        assert!(records(&path) > 0, "{extension}");
    }
}

#[test]
fn a_save_path_that_cannot_be_written_is_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nosuch/heard.pcap");
    let directory = folder.path().join("folder.pcap");
    std::fs::create_dir(&directory).unwrap();
    for path in [missing, directory] {
        let finished =
            run(["listen", "--port", "0", "--save", path.to_str().unwrap()]).expect_code(3);
        let error = format!("udpcli: error: cannot open {}\n", path.display());
        assert_in_order(&finished.stderr, &[&error, "caused by: "]);
    }
}

#[test]
fn a_file_to_send_that_cannot_be_read_is_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let socket = loopback_socket();
    let peer = address_of(&socket);
    for path in [folder.path().join("nosuch"), folder.path().to_owned()] {
        for form in [&[][..], &["--lines"], &["--chunk", "4"]] {
            let args = [&["send", &peer, "--file", path.to_str().unwrap()], form].concat();
            let finished = run(args).expect_code(3);
            assert!(
                finished.stderr.starts_with("udpcli: error: cannot "),
                "{}",
                finished.stderr
            );
            assert!(
                finished
                    .stderr
                    .lines()
                    .next()
                    .unwrap()
                    .ends_with(path.to_str().unwrap()),
                "{}",
                finished.stderr
            );
        }
    }
    nothing_waits(&socket);
}

#[test]
fn a_file_that_vanishes_between_rounds_is_exit_code_3() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hello").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let socket = loopback_socket();
    let args = [
        "send",
        &address_of(&socket),
        "--file",
        &path,
        "-n",
        "1000000",
        "-i",
        "1ms",
    ];
    let running = Running::spawn(udpcli(args).stdin(Stdio::null()));
    assert_eq!(receive(&socket).0, b"hello");
    drop(file);
    let finished = running.finish().expect_code(3);
    let error = format!("udpcli: error: cannot open {path}\n");
    assert_in_order(
        &finished.stderr,
        &[", 0 errors, ", &error, "caused by: No such file"],
    );
}

// Input.

#[test]
fn a_line_too_long_for_a_datagram_is_a_usage_error() {
    let longest = vec![b'x'; 65_507];
    for end in [&b""[..], b"\n", b"\r\n"] {
        let socket = loopback_socket();
        let peer = address_of(&socket);
        run_with_input(udpcli(["send", &peer]), &[&longest, end].concat()).expect_code(0);
        assert!(receive(&socket).0 == longest);
        let input = [b"ok\n", &longest[..], b"x", end].concat();
        let finished = run_with_input(udpcli(["send", &peer]), &input).expect_code(2);
        assert!(
            finished.stderr.contains("line 2 of standard input"),
            "{}",
            finished.stderr
        );
    }
    // A line that never ends must neither block the run nor use up memory.
    let socket = loopback_socket();
    let line = r#"exec "$0" send "$1" </dev/zero"#;
    Running::spawn(&mut bash(line, [address_of(&socket)]))
        .finish()
        .expect_code(2);
    nothing_waits(&socket);
}

// Hostile names.

/// Whether a character would control a terminal or mislead a reader.
fn is_harmful(char: char) -> bool {
    (char.is_control() && char != '\n')
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Runs udpcli on a pipe and on a terminal; checks that stderr, and the terminal, stay clean.
#[track_caller]
fn says_cleanly(args: &[&str], code: i32) {
    let said = run(args).expect_code(code).stderr;
    assert!(!said.is_empty(), "{args:?}");
    let on_terminal = Running::spawn(udpcli_on_terminal("0", args).stdin(Stdio::null()));
    let mut shown = on_terminal.finish().expect_code(code).text();
    // udpcli's own colours (such as bold red; plain red is in the hostile name) are the only escape sequences allowed.
    while let Some((before, rest)) = shown.split_once("\u{1b}[")
        && let Some((color, after)) = rest.split_once('m')
        && color
            .chars()
            .all(|char| char.is_ascii_digit() || char == ';')
        && color != "31"
    {
        shown = format!("{before}{after}");
    }
    for text in [said, shown] {
        let harmful: String = text.chars().filter(|&char| is_harmful(char)).collect();
        assert!(
            harmful.is_empty(),
            "{args:?} lets {harmful:?} through: {text:?}"
        );
    }
}

/// Contains a title sequence, a colour, a C1 control character and a right-to-left override, none of which udpcli's own
/// texts contain.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}2J\u{202e}";

#[test]
fn hostile_names_in_errors_are_escaped() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let file = format!("/nosuch/{HOSTILE}");
    let capture = format!("{file}.pcap");
    for (args, code) in [
        (&["send", &peer, "--file", &file][..], 3),
        (&["send", &peer, "-e", &format!("{HOSTILE}\\q")], 2),
        (&["send", &peer, "--hex", HOSTILE], 2),
        (&["send", &peer, "--encoding", "big5", HOSTILE], 2),
        (&["send", &peer, "x", "--interface", HOSTILE], 3),
        (&["listen", "--port", "0", "--save", &capture], 3),
        (&["listen", "--port", "0", "--save", HOSTILE], 2),
        (&["listen", "--port", "0", "--interface", HOSTILE], 3),
    ] {
        says_cleanly(args, code);
    }
}

#[test]
fn hostile_names_in_usage_errors_are_escaped() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    for args in [
        &["send", HOSTILE, "x"][..],
        &["send", &peer, "x", "--format", HOSTILE],
        &["send", &peer, "x", "--encoding", HOSTILE],
        &["send", &peer, "x", "--bind", HOSTILE],
        &["send", &peer, "x", &format!("--{HOSTILE}")],
        &["listen", HOSTILE],
        &["listen", "--from", HOSTILE],
        &["listen", "--join", HOSTILE],
        &[HOSTILE],
    ] {
        says_cleanly(args, 2);
    }
}

#[test]
fn hostile_names_in_messages_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let empty: PathBuf = folder.path().join(HOSTILE);
    std::fs::write(&empty, "").unwrap();
    let socket = loopback_socket();
    says_cleanly(
        &[
            "send",
            &address_of(&socket),
            "--lines",
            "--file",
            empty.to_str().unwrap(),
        ],
        0,
    );
}

#[test]
fn hostile_payloads_in_the_log_are_escaped() {
    let socket = loopback_socket();
    says_cleanly(&["-vv", "send", &address_of(&socket), HOSTILE], 0);
    let (finished, _) = heard(&["-vv", "--format", "raw"], &[HOSTILE.as_bytes()]);
    assert!(
        !finished.stderr.chars().any(is_harmful),
        "{:?}",
        finished.stderr
    );
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_text_is_a_name_all_the_same() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join(OsString::from_vec(b"not \xff text.txt".to_vec()));
    std::fs::write(&path, "hello").unwrap();
    let socket = loopback_socket();
    let mut command = udpcli(["send", &address_of(&socket), "--file"]);
    command.arg(&path);
    run_with_input(command, b"").expect_code(0);
    assert_eq!(receive(&socket).0, b"hello");
    // A message is sent byte for byte, as nc's users expect.
    let mut command = udpcli(["send", &address_of(&socket)]);
    command.arg(OsString::from_vec(b"\xff".to_vec()));
    run_with_input(command, b"").expect_code(0);
    assert_eq!(receive(&socket).0, b"\xff");
    nothing_waits(&socket);
}

#[test]
fn a_process_that_is_stopped_repeatedly_receives_everything() {
    // The process is stopped and continued repeatedly. It must not lose a datagram that the kernel has queued.
    let listener = Listener::start(["-n", "60", "--format", "raw", "--bind", "127.0.0.1"]);
    let socket = loopback_socket();
    for _ in 0..20 {
        listener.running.stop();
        for _ in 0..3 {
            socket.send_to(b"x", listener.address).unwrap();
        }
        listener.running.signal("CONT");
    }
    assert_eq!(listener.running.finish().expect_code(0).stdout.len(), 60);
}

#[test]
fn sending_continues_after_a_refusal_until_the_peer_listens() {
    let closed = refusing_socket("127.0.0.77:0");
    let address = closed.local_addr().unwrap();
    let mut running = Running::spawn(
        udpcli([
            "send",
            &address.to_string(),
            "hello",
            "-n",
            "1000000",
            "-i",
            "5ms",
        ])
        .stdin(Stdio::null()),
    );
    running.stderr_line_with("refused: nothing listens on ");
    drop(closed);
    // No other test binds this address, but between fork and exec, a process that another test starts may hold a copy
    // of the closed socket.
    let mut opened = None;
    eventually("the port is free again", || {
        opened = std::net::UdpSocket::bind(address).ok();
        opened.is_some()
    });
    let opened = opened.unwrap();
    opened.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(receive(&opened).0, b"hello");
    let finished = running.interrupt().expect_code(130);
    assert!(
        finished.stderr.contains(" refused, "),
        "{}",
        finished.stderr
    );
}
