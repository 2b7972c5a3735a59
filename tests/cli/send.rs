//! `send`: payload forms, pacing, replies, results, and log messages.

use std::io::Write as _;
use std::net::UdpSocket;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::support::{
    CTRL_C, DEADLINE, Finished, Listener, Running, address_of, assert_in_order, eventually,
    loopback_socket, nothing_waits, receive, receive_payloads, refusing_socket, run,
    run_with_input, sent_by, sharing_socket, socket_on, udpcli, udpcli_on_terminal,
};

/// The message of the tutorial's client.
const TUTORIAL_MESSAGE: &[u8] = b"hello message from mPython\r\n";

/// Starts a peer that answers the first datagram with all of these replies; returns its address.
fn answering(replies: Vec<Vec<u8>>) -> (String, JoinHandle<UdpSocket>) {
    let socket = loopback_socket();
    let address = address_of(&socket);
    let thread = std::thread::spawn(move || {
        let (_, peer) = receive(&socket);
        for reply in replies {
            socket
                .send_to(&reply, peer)
                .expect("loopback takes every datagram");
        }
        socket
    });
    (address, thread)
}

/// Runs `udpcli send`, which must fail with `code` without sending a datagram. Returns stderr.
#[track_caller]
fn fails(args: &[&str], input: &[u8], code: i32) -> String {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let finished =
        run_with_input(udpcli([&["send", &peer], args].concat()), input).expect_code(code);
    nothing_waits(&socket);
    assert!(
        finished.stderr.starts_with("udpcli: error: "),
        "{args:?}: {}",
        finished.stderr
    );
    assert_eq!(finished.text(), "", "stdout is data only");
    finished.stderr
}

/// The summary line of a send run.
#[track_caller]
fn summary(finished: &Finished) -> &str {
    finished
        .stderr
        .lines()
        .find(|line| line.contains(" refused, "))
        .unwrap_or_else(|| panic!("no summary in: {}", finished.stderr))
}

/// The sequence number and send time of a sequenced datagram.
fn header(payload: &[u8]) -> (u64, Duration) {
    let number = |at: usize| u64::from_be_bytes(payload[at..at + 8].try_into().unwrap());
    (number(0), Duration::from_nanos(number(8)))
}

// Payload forms.

#[test]
fn each_message_is_one_datagram_literally() {
    let sent = sent_by(&[r"a\n", "b c", "", "你好", "%s"], b"", 5);
    assert_eq!(
        sent,
        [r"a\n", "b c", "", "你好", "%s"].map(|text| text.as_bytes().to_vec())
    );
}

#[test]
fn escapes_are_read_with_e_only() {
    let sent = sent_by(
        &[
            "-e",
            r"\n\r\t\0\\\x00\xff\xFE\x41",
            r"hello\r\n",
            "",
            "plain",
        ],
        b"",
        4,
    );
    assert_eq!(
        sent,
        [
            &b"\n\r\t\0\\\x00\xff\xfe\x41"[..],
            b"hello\r\n",
            b"",
            b"plain"
        ]
    );
    let long = sent_by(&["--escape", r"\x7f"], b"", 1);
    assert_eq!(long, [b"\x7f"]);
}

#[test]
fn an_octal_escape_is_refused_not_misread() {
    let stderr = fails(&["-e", r"\033[0m"], b"", 2);
    assert!(stderr.contains(r"octal \033 is \x1b"), "{stderr}");
}

#[test]
fn a_bad_escape_is_a_usage_error_that_says_where() {
    for (text, place) in [
        (r"ab\q", "3"),
        (r"\x4", "1"),
        (r"\xzz", "1"),
        (r"end\", "4"),
        (r"\x+1", "1"),
    ] {
        let stderr = fails(&["-e", text], b"", 2);
        assert!(stderr.contains("escape"), "{text}: {stderr}");
        assert!(
            stderr.contains(&format!("character {place}")),
            "{text}: {stderr}"
        );
    }
    // A valid message before the invalid one must not be sent either.
    fails(&["-e", "good", r"\q"], b"", 2);
}

#[test]
fn the_line_ending_is_appended_to_text() {
    assert_eq!(
        sent_by(&["--line-ending", "crlf", "a", ""], b"", 2),
        [&b"a\r\n"[..], b"\r\n"]
    );
    assert_eq!(sent_by(&["--line-ending", "lf", "a"], b"", 1), [b"a\n"]);
    assert_eq!(sent_by(&["--line-ending", "none", "a"], b"", 1), [b"a"]);
    assert_eq!(
        sent_by(&["--line-ending", "crlf"], b"x\ny\n", 2),
        [b"x\r\n", b"y\r\n"]
    );
    fails(&["--line-ending", "cr", "a"], b"", 2);
}

#[test]
fn each_line_of_a_pipe_is_one_datagram() {
    let sent = sent_by(&[], b"a\r\n\nb c\n\xff\xfe\nlast", 5);
    assert_eq!(sent, [&b"a"[..], b"", b"b c", b"\xff\xfe", b"last"]);
    assert_eq!(sent_by(&["--lines"], b"a\nb\n", 2), [b"a", b"b"]);
    // Only the line ending is removed, not a carriage return within the line.
    assert_eq!(sent_by(&[], b"a\rb\r\r\n", 1), [b"a\rb\r"]);
    assert_eq!(sent_by(&["-e"], b"a\\tb\n", 1), [b"a\tb"]);
}

#[test]
fn a_line_goes_out_before_the_next_is_written() {
    let socket = loopback_socket();
    let mut running = Running::spawn(udpcli(["send", &address_of(&socket)]).stdin(Stdio::piped()));
    for line in ["one", "two", "three"] {
        running.type_in(format!("{line}\n").as_bytes());
        assert_eq!(receive(&socket).0, line.as_bytes());
    }
    running.type_in(b"half ");
    running.type_in(b"a line\nlast");
    assert_eq!(receive(&socket).0, b"half a line");
    nothing_waits(&socket);
    let finished = running.finish().expect_code(0);
    assert_eq!(receive(&socket).0, b"last");
    assert!(
        summary(&finished).starts_with("5 datagrams, 26 bytes, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn an_empty_pipe_sends_nothing_and_says_so() {
    let socket = loopback_socket();
    let finished = run(["send", &address_of(&socket)]).expect_code(0);
    nothing_waits(&socket);
    assert!(
        finished.stderr.contains("nothing was sent"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_file_is_one_datagram_or_lines_or_chunks() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"first\r\n\nthird\xff").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(
        sent_by(&["--file", path], b"", 1),
        [b"first\r\n\nthird\xff"]
    );
    assert_eq!(
        sent_by(&["--file", path, "--lines"], b"", 3),
        [&b"first"[..], b"", b"third\xff"]
    );
    assert_eq!(
        sent_by(&["--file", path, "--chunk", "6"], b"", 3),
        [&b"first\r"[..], b"\n\nthir", b"d\xff"]
    );
    assert_eq!(
        sent_by(&["--file", path, "--chunk", "1k"], b"", 1),
        [b"first\r\n\nthird\xff"]
    );
    // `--file -` reads standard input as one datagram, line endings included.
    assert_eq!(sent_by(&["--file", "-"], b"a\r\nb\n", 1), [b"a\r\nb\n"]);
    assert_eq!(
        sent_by(&["--file", "-", "--chunk", "2"], b"abcde", 3),
        [&b"ab"[..], b"cd", b"e"]
    );
    assert_eq!(
        sent_by(&["--file", "-", "--lines"], b"a\nb", 2),
        [b"a", b"b"]
    );
}

#[test]
fn a_byte_order_mark_is_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let name = path.to_str().unwrap();
    for (content, args, expected, told) in [
        (
            &b"\xef\xbb\xbfone\r\ntwo\r\n"[..],
            &["--lines"][..],
            &[&b"one"[..], b"two"][..],
            "which is not sent",
        ),
        (
            b"\xef\xbb\xbfone",
            &[],
            &[b"\xef\xbb\xbfone"],
            "which is sent too",
        ),
        (b"\xff\xfeo\0", &[], &[b"\xff\xfeo\0"], "is UTF-16"),
    ] {
        std::fs::write(&path, content).unwrap();
        let socket = loopback_socket();
        let peer = address_of(&socket);
        let all = [&["send", &peer, "--file", name, "-n", "2"], args].concat();
        let finished = run(all).expect_code(0);
        let twice = [expected, expected].concat();
        assert_eq!(receive_payloads(&socket, twice.len()), twice);
        assert_eq!(
            finished.stderr.matches(told).count(),
            1,
            "{}",
            finished.stderr
        );
    }
    // A byte-order mark that arrives in pieces.
    let socket = loopback_socket();
    let mut running = Running::spawn(udpcli(["send", &address_of(&socket)]).stdin(Stdio::piped()));
    for piece in [&b"\xef"[..], b"\xbb", b"\xbfone\n"] {
        running.type_in(piece);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(receive(&socket).0, b"one");
    running.finish().expect_code(0);
}

#[test]
fn standard_input_is_kept_for_the_next_round() {
    assert_eq!(
        sent_by(&["--file", "-", "-n", "2"], b"a\n", 2),
        [b"a\n", b"a\n"]
    );
    let chunks = sent_by(&["--file", "-", "--chunk", "2", "-n", "2"], b"abc", 4);
    assert_eq!(chunks, [&b"ab"[..], b"c", b"ab", b"c"]);
}

#[test]
fn a_chunk_goes_out_as_soon_as_it_is_whole() {
    let socket = loopback_socket();
    let args = ["send", &address_of(&socket), "--file", "-", "--chunk", "4"];
    let mut running = Running::spawn(udpcli(args).stdin(Stdio::piped()));
    running.type_in(b"abcdef");
    assert_eq!(receive(&socket).0, b"abcd");
    running.type_in(b"gh");
    assert_eq!(receive(&socket).0, b"efgh");
    running.finish().expect_code(0);
    nothing_waits(&socket);
}

#[test]
fn an_empty_file_is_an_empty_datagram() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(
        sent_by(&["--file", file.path().to_str().unwrap()], b"", 1),
        [b""]
    );
}

#[test]
fn a_whole_file_has_the_limit_of_a_datagram() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (0..=255).cycle().take(65_507).collect();
    file.write_all(&content).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    assert_eq!(sent_by(&["--file", &path], b"", 1), [content]);
    file.write_all(b"!").unwrap();
    let stderr = fails(&["--file", &path], b"", 2);
    assert!(
        stderr.contains("65508") || stderr.contains("65,508"),
        "{stderr}"
    );
    fails(&["--file", &path, "--chunk", "65508"], b"", 2);
    // An IPv4-mapped IPv6 address has the payload limit of IPv4.
    let socket = loopback_socket();
    let port = socket.local_addr().unwrap().port();
    let mapped = format!("[::ffff:127.0.0.1]:{port}");
    let stderr = run(["send", &mapped, "--file", &path])
        .expect_code(2)
        .stderr;
    assert!(stderr.starts_with("udpcli: error: "), "{stderr}");
    nothing_waits(&socket);
}

#[test]
fn hex_is_read_as_people_paste_it() {
    for text in [
        "de ad be ef",
        "deadbeef",
        "DE:AD:BE:EF",
        "0xde, 0xad,0xbe 0xEF",
        "de,ad,be,ef",
        "0xdeadbeef",
    ] {
        assert_eq!(
            sent_by(&["--hex", text], b"", 1),
            [b"\xde\xad\xbe\xef"],
            "{text}"
        );
    }
    assert_eq!(sent_by(&["--hex", ""], b"", 1), [b""]);
    assert_eq!(sent_by(&["--hex", "00 0a"], b"", 1), [b"\x00\x0a"]);
}

#[test]
fn bad_hex_is_a_usage_error_that_says_where() {
    for (text, place) in [
        ("de ag", "5"),
        ("de a", "4"),
        ("d e", "1"),
        ("xyz", "1"),
        ("de-ad", "3"),
        ("é0", "1"),
    ] {
        let stderr = fails(&["--hex", text], b"", 2);
        assert!(
            stderr.contains(&format!("character {place} ")),
            "{text}: {stderr}"
        );
    }
}

#[test]
fn generated_datagrams_carry_number_time_and_filler() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let sent = sent_by(&["--size", "64", "-n", "20"], b"", 20);
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for (index, payload) in sent.iter().enumerate() {
        assert_eq!(payload.len(), 64);
        let (sequence, time) = header(payload);
        assert_eq!(sequence, index as u64);
        assert!(
            (before..=after).contains(&time),
            "{before:?} <= {time:?} <= {after:?}"
        );
        assert!(
            payload[16..].iter().all(|byte| (0x20..0x7f).contains(byte)),
            "printable filler: {payload:?}"
        );
    }
}

#[test]
fn a_generated_datagram_has_16_to_65507_bytes() {
    assert_eq!(sent_by(&["--size", "16"], b"", 1)[0].len(), 16);
    assert_eq!(sent_by(&["--size", "65507"], b"", 1)[0].len(), 65_507);
    for size in ["15", "0", "65508", "64k", "-1", "x", "99999999999999999999"] {
        let stderr = fails(&[&format!("--size={size}")], b"", 2);
        assert!(
            stderr.contains(size) || stderr.contains("65536"),
            "{size}: {stderr}"
        );
    }
}

#[test]
fn a_message_longer_than_a_datagram_is_a_usage_error() {
    let longest = "x".repeat(65_507);
    assert_eq!(sent_by(&[&longest], b"", 1)[0].len(), 65_507);
    let stderr = fails(&[&format!("{longest}!")], b"", 2);
    assert!(
        stderr.contains("65507") || stderr.contains("65,507"),
        "{stderr}"
    );
    // The line ending counts towards the length.
    fails(&["--line-ending", "lf", &longest], b"", 2);
}

#[test]
fn text_is_sent_in_the_encoding_asked_for() {
    for (label, text, bytes) in [
        ("gbk", "你好", &b"\xc4\xe3\xba\xc3"[..]),
        ("GB2312", "你好", b"\xc4\xe3\xba\xc3"),
        ("big5", "你好", b"\xa7\x41\xa6\x6e"),
        ("shift_jis", "日本", b"\x93\xfa\x96\x7b"),
        ("utf-16le", "aé", b"a\x00\xe9\x00"),
        ("utf-16be", "a😀", b"\x00a\xd8\x3d\xde\x00"),
        ("latin1", "é", b"\xe9"),
        ("utf-8", "你", b"\xe4\xbd\xa0"),
    ] {
        assert_eq!(
            sent_by(&["--encoding", label, text], b"", 1),
            [bytes],
            "{label}"
        );
        assert_eq!(
            sent_by(&["--encoding", label], format!("{text}\n").as_bytes(), 1),
            [bytes],
            "{label} by a pipe"
        );
    }
    // An escape `\xNN` is a raw byte in any encoding.
    assert_eq!(
        sent_by(&["--encoding", "gbk", "-e", r"\xff你"], b"", 1),
        [b"\xff\xc4\xe3"]
    );
}

#[test]
fn escapes_and_line_endings_are_encoded_as_text_is() {
    let line = sent_by(
        &["--encoding", "utf-16le", "--line-ending", "crlf", "a"],
        b"",
        1,
    );
    assert_eq!(line, [b"a\0\r\0\n\0"]);
    let escaped = sent_by(&["--encoding", "utf-16be", "-e", r"a\n\xff"], b"", 1);
    assert_eq!(escaped, [b"\0a\0\n\xff"]);
}

#[test]
fn a_character_that_the_encoding_lacks_is_a_usage_error() {
    let stderr = fails(&["--encoding", "gbk", "a😀"], b"", 2);
    assert_in_order(&stderr, &["error: cannot encode", "caused by:", "U+1F600"]);
    let stderr = fails(&["--encoding", "big5"], "ok\n€😀\n".as_bytes(), 2);
    assert!(stderr.contains("line 2"), "{stderr}");
    let stderr = fails(&["--encoding", "klingon", "a"], b"", 2);
    assert!(stderr.contains("klingon"), "{stderr}");
}

#[test]
fn rounds_go_through_all_payloads() {
    let both = [&b"a"[..], b"b", b"a", b"b", b"a", b"b"];
    assert_eq!(sent_by(&["a", "b", "-n", "3"], b"", 6), both);
    assert_eq!(sent_by(&["-n", "3"], b"a\nb\n", 6), both);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"a\nb\n").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(
        sent_by(&["--file", path, "--lines", "--count", "3"], b"", 6),
        both
    );
    assert_eq!(
        sent_by(&["--file", path, "-n", "2"], b"", 2),
        [b"a\nb\n", b"a\nb\n"]
    );
    assert_eq!(
        sent_by(&["--file", path, "--chunk", "3", "-n", "2"], b"", 4),
        [&b"a\nb"[..], b"\n", b"a\nb", b"\n"]
    );
    assert_eq!(sent_by(&["--hex", "00", "-n", "2"], b"", 2), [[0], [0]]);
}

// The tutorial's client.

#[test]
fn on_a_terminal_it_is_the_tutorials_client_until_ctrl_c() {
    let socket = loopback_socket();
    let started = Instant::now();
    let mut running = Running::spawn(&mut udpcli_on_terminal("", ["send", &address_of(&socket)]));
    assert_eq!(receive(&socket).0, TUTORIAL_MESSAGE);
    assert_eq!(receive(&socket).0, TUTORIAL_MESSAGE);
    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "two within {:?}",
        started.elapsed()
    );
    running.type_in(CTRL_C);
    let finished = running.finish().expect_code(0);
    let shown = finished.text();
    assert!(
        shown.contains("2 datagrams, 56 bytes, 0 errors, 0 refused, 0 replies, "),
        "{shown}"
    );
}

#[test]
fn the_tutorials_client_takes_count_and_interval() {
    let socket = loopback_socket();
    let started = Instant::now();
    let running = Running::spawn(&mut udpcli_on_terminal(
        "",
        ["send", &address_of(&socket), "-n", "2", "-i", "0.1"],
    ));
    let finished = running.finish().expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(
        receive_payloads(&socket, 2),
        [TUTORIAL_MESSAGE, TUTORIAL_MESSAGE]
    );
    assert!(
        finished.text().contains("2 datagrams, "),
        "{}",
        finished.text()
    );
}

// Pace.

#[test]
fn the_interval_stands_between_datagrams() {
    let socket = loopback_socket();
    let gap = Duration::from_millis(60);
    let started = Instant::now();
    let running = Running::spawn(
        udpcli([
            "send",
            &address_of(&socket),
            "--size",
            "16",
            "-n",
            "5",
            "-i",
            "60ms",
        ])
        .stdin(Stdio::null()),
    );
    let mut sent = Vec::new();
    for index in 0..5 {
        sent.push(header(&receive(&socket).0).1);
        assert!(
            started.elapsed() >= gap * index,
            "datagram {index} after {:?}",
            started.elapsed()
        );
    }
    running.finish().expect_code(0);
    // Compare the sender's own timestamps, which do not depend on a busy receiver: no datagram is early, none is
    // delayed indefinitely.
    for (index, time) in (0..).zip(&sent) {
        let after = time.saturating_sub(sent[0]);
        let due = gap * index;
        assert!(
            after + Duration::from_millis(20) >= due,
            "datagram {index} left after {after:?}, due after {due:?}"
        );
        assert!(
            after <= due + Duration::from_secs(5),
            "datagram {index} left after {after:?}, due after {due:?}"
        );
    }
}

#[test]
fn the_interval_stands_between_lines_after_one_that_came_late() {
    // Use the kernel's timestamps from a listener, so that delays of this test do not matter.
    let mut listener = Listener::start(["--format", "json"]);
    let peer = listener.address.to_string();
    let mut running = Running::spawn(udpcli(["send", &peer, "-i", "300ms"]).stdin(Stdio::piped()));
    let mut arrival = |text: &str| -> Timestamp {
        let line = listener.running.stdout_line();
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["text"], text);
        object["time"].as_str().unwrap().parse().unwrap()
    };
    running.type_in(b"a\n");
    arrival("a");
    // Wait for several intervals, to see that they are not made up for.
    std::thread::sleep(Duration::from_secs(1));
    running.type_in(b"b\nc\nd\n");
    let times = ["b", "c", "d"].map(&mut arrival);
    for pair in times.windows(2) {
        let gap = pair[1].duration_since(pair[0]).as_millis();
        assert!(gap >= 290, "{gap} ms in {times:?}");
    }
    running.finish().expect_code(0);
}

#[test]
fn the_interval_stands_between_messages_and_rounds_alike() {
    let started = Instant::now();
    assert_eq!(
        sent_by(&["a", "b", "-n", "2", "-i", "50ms"], b"", 4),
        [b"a", b"b", b"a", b"b"]
    );
    assert!(
        started.elapsed() >= Duration::from_millis(150),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_rate_is_kept_evenly() {
    let socket = loopback_socket();
    let started = Instant::now();
    let running = Running::spawn(
        udpcli([
            "send",
            &address_of(&socket),
            "--size",
            "16",
            "-n",
            "50",
            "--rate",
            "200",
        ])
        .stdin(Stdio::null()),
    );
    let sent: Vec<Duration> = (0..50).map(|_| header(&receive(&socket).0).1).collect();
    assert!(
        started.elapsed() >= Duration::from_millis(49 * 5),
        "{:?}",
        started.elapsed()
    );
    running.finish().expect_code(0);
    let at_once = sent
        .windows(2)
        .filter(|pair| pair[1].saturating_sub(pair[0]) < Duration::from_millis(1))
        .count();
    assert!(
        at_once <= 25,
        "{at_once} of 50 datagrams left within a millisecond of the one before: {sent:?}"
    );
}

#[test]
fn rate_max_does_not_wait() {
    let listener = Listener::start([
        "--count",
        "2000",
        "--recv-buffer",
        "4MiB",
        "--format",
        "raw",
    ]);
    let started = Instant::now();
    let finished = run([
        "send",
        &listener.address.to_string(),
        "--size",
        "16",
        "-n",
        "100",
        "--rate",
        "max",
    ])
    .expect_code(0);
    assert!(
        summary(&finished).starts_with("100 datagrams, 1600 bytes, "),
        "{}",
        finished.stderr
    );
    assert!(started.elapsed() < DEADLINE);
}

#[test]
fn a_duration_ends_the_sending() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let started = Instant::now();
    let finished = run([
        "send",
        &peer,
        "--size",
        "16",
        "--rate",
        "50",
        "--duration",
        "400ms",
    ])
    .expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(400));
    let count: usize = summary(&finished)
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=21).contains(&count), "{}", finished.stderr);
    assert_eq!(receive_payloads(&socket, count).len(), count);
    nothing_waits(&socket);
    // The default interval is the tutorial's: one datagram every two seconds.
    let finished = run(["send", &peer, "hello", "--duration", "300ms"]).expect_code(0);
    assert!(
        summary(&finished).starts_with("1 datagram, 5 bytes, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_duration_ends_a_wait_for_lines() {
    let socket = loopback_socket();
    let args = ["send", &address_of(&socket), "--duration", "500ms"];
    let mut running = Running::spawn(udpcli(args).stdin(Stdio::piped()));
    running.type_in(b"one\n");
    assert_eq!(receive(&socket).0, b"one");
    // The pipe stays open, so only the duration can end the run.
    running.stderr_line_with("1 datagram, 3 bytes, ");
    running.finish().expect_code(0);
}

#[test]
fn durations_and_sizes_are_read_as_people_write_them() {
    // With a single datagram, the interval is parsed but not used, so a long one does not delay the test.
    for duration in ["250ms", "2s", "1m30s", "0.5", "3", "1h"] {
        assert_eq!(
            sent_by(&["x", "-i", duration], b"", 1),
            [b"x"],
            "{duration}"
        );
    }
    for size in ["1k", "1K", "1KiB", "1024"] {
        assert_eq!(sent_by(&["--size", size], b"", 1)[0].len(), 1024, "{size}");
    }
    sent_by(&["x", "--send-buffer", "64k"], b"", 1);
    fails(&["--size", "4MiB"], b"", 2);
}

#[test]
fn pace_that_makes_no_sense_is_a_usage_error() {
    for args in [
        &["x", "-n", "0"][..],
        &["x", "-n", "-1"],
        &["x", "-i", "soon"],
        &["x", "-i", "-1"],
        &["x", "--rate", "0"],
        &["x", "--rate", "fast"],
        &["x", "--rate", "10", "-i", "1"],
        &["x", "--duration", "0"],
    ] {
        fails(args, b"", 2);
    }
}

// Ends.

#[test]
fn ctrl_c_cuts_short_a_run_that_had_an_end() {
    for (signal, args) in [
        ("INT", &["-n", "100"][..]),
        ("TERM", &["-n", "100"]),
        ("INT", &["--duration", "1h"]),
    ] {
        let socket = loopback_socket();
        let peer = address_of(&socket);
        let running = Running::spawn(
            udpcli([&["send", &peer, "hello", "-i", "1m"], args].concat()).stdin(Stdio::null()),
        );
        receive(&socket);
        running.signal(signal);
        let finished = running.finish().expect_code(130);
        assert!(
            summary(&finished).starts_with("1 datagram, 5 bytes, 0 errors, "),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn ctrl_c_is_the_normal_end_of_lines_that_still_come() {
    let socket = loopback_socket();
    let mut running = Running::spawn(udpcli(["send", &address_of(&socket)]).stdin(Stdio::piped()));
    running.type_in(b"one\n");
    receive(&socket);
    running.signal("INT");
    // The pipe is still open, so only the signal can have ended the run.
    running.stderr_line_with("1 datagram, 3 bytes, ");
    running.finish().expect_code(0);
}

#[test]
fn ctrl_c_cuts_short_lines_that_were_to_come_twice() {
    let socket = loopback_socket();
    let args = ["send", &address_of(&socket), "-n", "2"];
    let mut running = Running::spawn(udpcli(args).stdin(Stdio::piped()));
    running.type_in(b"one\n");
    receive(&socket);
    running.signal("TERM");
    running.stderr_line_with("1 datagram, 3 bytes, ");
    running.finish().expect_code(130);
}

#[test]
fn ctrl_c_ends_a_wait_for_replies() {
    let socket = loopback_socket();
    let running = Running::spawn(
        udpcli(["send", &address_of(&socket), "x", "-w", "1h"]).stdin(Stdio::null()),
    );
    receive(&socket);
    let finished = running.interrupt().expect_code(130);
    assert!(
        summary(&finished).starts_with("1 datagram, 1 byte, "),
        "{}",
        finished.stderr
    );
}

// Replies.

#[test]
fn an_echo_is_a_reply() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let finished = run([
        "send", &peer, "ping", "--expect", "ping", "--wait", "10s", "--format", "raw",
    ])
    .expect_code(0);
    assert_eq!(finished.text(), "ping");
}

#[test]
fn replies_are_printed_in_each_format() {
    for format in ["text", "board", "hex", "json", "raw"] {
        let (peer, answerer) = answering(vec![b"pong\r\n".to_vec()]);
        let port = peer.rsplit_once(':').unwrap().1;
        let finished = run([
            "send",
            &peer,
            "ping",
            "-w",
            "10s",
            "--replies",
            "1",
            "--format",
            format,
        ])
        .expect_code(0);
        answerer.join().unwrap();
        let shown = finished.text();
        match format {
            "text" => assert!(
                shown.ends_with(&format!(" {peer} 6 pong\\r\\n\n")),
                "{shown}"
            ),
            "board" => assert_eq!(
                shown,
                format!("waiting...\nreceived: b'pong\\r\\n' from ('127.0.0.1', {port})\n")
            ),
            "hex" => {
                let (head, dump) = shown.split_once('\n').unwrap();
                assert!(head.ends_with(&format!(" {peer} 6")), "{shown}");
                assert_eq!(
                    dump,
                    "00000000  70 6f 6e 67 0d 0a                                 |pong..|\n"
                );
            }
            "json" => {
                let object: serde_json::Value = serde_json::from_str(&shown).unwrap();
                assert_eq!(
                    (object["from"].as_str(), object["text"].as_str()),
                    (Some(&*peer), Some("pong\r\n"))
                );
            }
            _ => assert_eq!(shown, "pong\r\n"),
        }
    }
}

#[test]
fn no_reply_in_time_is_exit_code_1() {
    let socket = loopback_socket();
    let started = Instant::now();
    let finished = run(["send", &address_of(&socket), "x", "-w", "200ms"]).expect_code(1);
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_in_order(
        &finished.stderr,
        &[
            "1 datagram, ",
            "0 replies",
            "udpcli: error: no reply",
            "hint:",
        ],
    );
    assert_eq!(finished.text(), "");
}

#[test]
fn enough_replies_end_the_wait() {
    let (peer, answerer) = answering(vec![
        b"1".to_vec(),
        b"2".to_vec(),
        b"3".to_vec(),
        b"4".to_vec(),
    ]);
    let finished = run([
        "send",
        &peer,
        "x",
        "-w",
        "1h",
        "--replies",
        "3",
        "--format",
        "raw",
    ])
    .expect_code(0);
    assert_eq!(finished.text(), "123");
    assert!(
        summary(&finished).contains(", 3 replies, "),
        "{}",
        finished.stderr
    );
    answerer.join().unwrap();
}

#[test]
fn enough_replies_end_the_sending_too() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let args = ["-n", "50", "-i", "200ms", "--replies", "1"];
    let finished = run([&["send", &peer, "hi"], &args[..]].concat()).expect_code(0);
    let line = summary(&finished);
    let sent: u32 = line.split(' ').next().unwrap().parse().unwrap();
    assert!((1..10).contains(&sent), "{line}");
    assert!(line.contains(", 1 reply, "), "{line}");
}

#[test]
fn enough_replies_end_an_interactive_run_while_more_could_be_typed() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let mut running =
        Running::spawn(udpcli(["send", &peer, "-I", "--replies", "1"]).stdin(Stdio::piped()));
    running.type_in(b"first\n");
    let line = running.stdout_line();
    assert!(line.ends_with(" first\n"), "{line}");
    eventually("the run ends", || running.has_ended());
    let finished = running.finish().expect_code(0);
    assert!(
        summary(&finished).starts_with("1 datagram, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn missing_replies_are_exit_code_1_even_if_nothing_was_sent() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    for args in [["--expect", "pong"], ["--replies", "2"]] {
        run([&["send", &peer], &args[..]].concat()).expect_code(1);
        nothing_waits(&socket);
    }
}

#[test]
fn too_few_replies_are_exit_code_1() {
    let (peer, answerer) = answering(vec![b"1".to_vec(), b"2".to_vec()]);
    let finished = run([
        "send",
        &peer,
        "x",
        "-w",
        "1s",
        "--replies",
        "3",
        "--format",
        "raw",
    ])
    .expect_code(1);
    assert_eq!(finished.text(), "12");
    assert!(
        finished.stderr.contains("2 of 3 replies"),
        "{}",
        finished.stderr
    );
    answerer.join().unwrap();
}

#[test]
fn a_wait_ends_with_the_reply_to_the_last_datagram() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    for (args, input, count) in [
        (&["x", "-w", "1h"][..], &b""[..], 1),
        (&["x", "y", "-n", "2", "-w", "1h"], b"", 4),
        (&["--size", "64", "-n", "300", "-w", "1h"], b"", 300),
        (&["-w", "1h"], b"a\nb\nc\n", 3),
        (&["-I", "-w", "1h"], b"a\nb\n", 2),
        (&["--file", "-", "--chunk", "2", "-w", "1h"], b"abcde", 3),
    ] {
        let args = [&["send", &peer, "--format", "json"], args].concat();
        let finished = run_with_input(udpcli(&args), input).expect_code(0);
        assert_eq!(finished.text().lines().count(), count, "{args:?}");
    }
    // The number of datagrams depends on how busy the machine is.
    let args = [
        "x",
        "--rate",
        "1k",
        "--duration",
        "20ms",
        "-w",
        "1h",
        "--format",
        "json",
    ];
    let finished = run([&["send", &peer], &args[..]].concat()).expect_code(0);
    let sent = summary(&finished).split(' ').next().unwrap().parse();
    assert_eq!(Ok(finished.text().lines().count()), sent);
    // A refused datagram gets no reply, so it also ends the wait.
    let closed = refusing_socket("127.0.0.1:0");
    run(["send", &address_of(&closed), "a", "b", "c", "-w", "1h"]).expect_code(1);
}

#[test]
fn with_a_reply_missing_the_wait_lasts_to_its_end() {
    let (peer, answerer) = answering(vec![b"1".to_vec()]);
    let started = Instant::now();
    run(["send", &peer, "x", "y", "-w", "300ms"]).expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(300));
    answerer.join().unwrap();
}

#[test]
fn a_wait_hears_all_that_comes_within_it() {
    let (peer, answerer) = answering(vec![b"1".to_vec(), Vec::new(), b"3".to_vec()]);
    let finished = run([
        "send",
        &peer,
        "x",
        "-w",
        "1h",
        "--replies",
        "3",
        "--format",
        "json",
    ])
    .expect_code(0);
    assert_eq!(finished.text().lines().count(), 3, "{}", finished.text());
    answerer.join().unwrap();
}

#[test]
fn an_expected_reply_must_come() {
    for (replies, expect, code) in [
        (&["pong"][..], "pong", 0),
        (&["other", "pong"], "pong", 0),
        (&["pong!"], "pong", 1),
        (&["pong\n"], "pong", 1),
        (&["Pong", "PONG"], "pong", 1),
        (&[], "pong", 1),
        (&[""], "", 0),
    ] {
        let (peer, answerer) = answering(
            replies
                .iter()
                .map(|reply| reply.as_bytes().to_vec())
                .collect(),
        );
        let finished = run([
            "send",
            &peer,
            "x",
            "--expect",
            expect,
            "-w",
            if code == 0 { "1h" } else { "500ms" },
        ]);
        assert_eq!(
            finished.code,
            Some(code),
            "{replies:?}: {}",
            finished.stderr
        );
        answerer.join().unwrap();
    }
    // Escapes and encoding apply to the expected text as to the message.
    let (peer, answerer) = answering(vec![b"\xc4\xe3\r\n".to_vec()]);
    run([
        "send",
        &peer,
        "x",
        "-e",
        "--encoding",
        "gbk",
        "--expect",
        r"你\r\n",
        "-w",
        "1h",
    ])
    .expect_code(0);
    answerer.join().unwrap();
}

#[test]
fn replies_from_another_port_count() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let running = Running::spawn(
        udpcli([
            "send",
            &peer,
            "x",
            "-w",
            "1h",
            "--replies",
            "1",
            "--format",
            "raw",
        ])
        .stdin(Stdio::null()),
    );
    let (_, sender) = receive(&socket);
    loopback_socket()
        .send_to(b"from elsewhere", sender)
        .unwrap();
    assert_eq!(running.finish().expect_code(0).text(), "from elsewhere");
}

#[test]
fn a_reply_is_timed() {
    let (peer, answerer) = answering(vec![b"pong".to_vec()]);
    let finished = run(["send", &peer, "x", "-w", "1h", "--replies", "1"]).expect_code(0);
    answerer.join().unwrap();
    let line = summary(&finished);
    assert!(
        line.starts_with(
            "1 datagram, 1 byte, 0 errors, 0 refused, 1 reply, RTT min/median/p99/max "
        ),
        "{line}"
    );
    let times = line
        .split_once("max ")
        .unwrap()
        .1
        .split_once(" ms")
        .unwrap()
        .0;
    let times: Vec<f64> = times.split('/').map(|time| time.parse().unwrap()).collect();
    assert!(
        times.len() == 4 && times.is_sorted() && times[0] > 0.0 && times[3] < 20_000.0,
        "{line}"
    );
}

#[test]
fn interactive_shows_replies_as_they_come() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let mut running =
        Running::spawn(udpcli(["send", &peer, "-I", "-w", "200ms"]).stdin(Stdio::piped()));
    for text in ["first", "second"] {
        running.type_in(format!("{text}\n").as_bytes());
        let line = running.stdout_line();
        assert!(
            line.ends_with(&format!(" {peer} {} {text}\n", text.len())),
            "{line}"
        );
    }
    let finished = running.finish().expect_code(0);
    assert!(
        summary(&finished).contains("2 datagrams, 11 bytes, 0 errors, 0 refused, 2 replies, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn interactive_on_a_terminal_ends_with_ctrl_d() {
    let listener = Listener::start(["--reply", "pong"]);
    let peer = listener.address.to_string();
    let mut running = Running::spawn(&mut udpcli_on_terminal(
        "",
        ["send", &peer, "--interactive", "-w", "200ms"],
    ));
    running.type_in(b"ping\n");
    loop {
        if running.stdout_line().ends_with(" 4 B  pong\n") {
            break;
        }
    }
    running.type_in(b"\x04");
    let finished = running.finish().expect_code(0);
    assert!(
        finished.text().contains("1 sent, 1 reply after "),
        "{}",
        finished.text()
    );
}

// Refusals.

#[test]
fn a_closed_port_is_refused() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let closed = refusing_socket(address);
        let peer = address_of(&closed);
        for args in [
            &[][..],
            &["-w", "1h"],
            &["-w", "1h", "--replies", "2"],
            &["--expect", "x", "-w", "1h"],
        ] {
            let finished = run([&["send", &peer, "hello"], args].concat()).expect_code(1);
            let error = format!("udpcli: error: refused: nothing listens on {peer}\n");
            assert_in_order(
                &finished.stderr,
                &[
                    "1 datagram, 5 bytes, 0 errors, 1 refused, 0 replies, ",
                    &error,
                    "hint: ",
                ],
            );
        }
    }
}

#[test]
fn every_refusal_is_counted() {
    let closed = refusing_socket("127.0.0.1:0");
    let finished = run([
        "send",
        &address_of(&closed),
        "hello",
        "-n",
        "3",
        "-i",
        "50ms",
    ])
    .expect_code(1);
    assert!(
        summary(&finished).starts_with("3 datagrams, 15 bytes, 0 errors, 3 refused, 0 replies, "),
        "{}",
        finished.stderr
    );
}

// Addresses and options.

#[test]
fn the_bound_address_is_the_source() {
    let socket = loopback_socket();
    // The test reserves the port with a socket that allows sharing it.
    let held = sharing_socket("127.0.0.2:0".parse().unwrap());
    let source = address_of(&held);
    run([
        "send",
        &address_of(&socket),
        "x",
        "--bind",
        &source,
        "--reuse-addr",
    ])
    .expect_code(0);
    assert_eq!(receive(&socket).1.to_string(), source);
    run(["send", &address_of(&socket), "x", "--bind", "127.0.0.3"]).expect_code(0);
    assert_eq!(receive(&socket).1.ip().to_string(), "127.0.0.3");
}

#[test]
fn a_source_that_is_not_ours_or_taken_is_exit_code_3() {
    let taken = loopback_socket();
    let stderr = fails(&["x", "--bind", &address_of(&taken)], b"", 3);
    assert_in_order(
        &stderr,
        &["cannot bind", "caused by:", "hint: ", "--reuse-addr"],
    );
    let stderr = fails(&["x", "--bind", "192.0.2.1"], b"", 3);
    assert_in_order(&stderr, &["cannot bind 192.0.2.1", "caused by:", "hint: "]);
}

#[test]
fn socket_options_are_taken() {
    let sent = sent_by(
        &[
            "x",
            "--ttl",
            "3",
            "--tos",
            "0x10",
            "--send-buffer",
            "64k",
            "--broadcast",
            "--reuse-addr",
            "--reuse-port",
            "--multicast-loop",
            "off",
        ],
        b"",
        1,
    );
    assert_eq!(sent, [b"x"]);
    for args in [
        ["x", "--ttl", "256"],
        ["x", "--tos", "0x100"],
        ["x", "--send-buffer", "0"],
        ["x", "--multicast-loop", "maybe"],
    ] {
        fails(&args, b"", 2);
    }
}

#[test]
fn ipv6_and_names_are_peers_too() {
    let v6 = socket_on("[::1]:0");
    let peer = address_of(&v6);
    run(["send", &peer, "six"]).expect_code(0);
    assert_eq!(receive(&v6).0, b"six");
    run(["send", "-6", &peer, "six"]).expect_code(0);
    assert_eq!(receive(&v6).1.ip().to_string(), "::1");
    let v4 = loopback_socket();
    let port = v4.local_addr().unwrap().port();
    run(["send", "-4", &format!("localhost:{port}"), "four"]).expect_code(0);
    assert_eq!(receive(&v4).0, b"four");
}

#[test]
fn a_zone_names_an_interface() {
    let v6 = socket_on("[::1]:0");
    let port = v6.local_addr().unwrap().port();
    run(["send", &format!("[::1%lo]:{port}"), "six"]).expect_code(0);
    assert_eq!(receive(&v6).0, b"six");
    let finished = run(["send", "[fe80::1%nosuch0]:6000", "x"]).expect_code(3);
    assert!(finished.stderr.contains("nosuch0"), "{}", finished.stderr);
}

#[test]
fn a_peer_without_the_family_asked_for_is_exit_code_3() {
    let stderr = run(["send", "-6", "127.0.0.1:6000", "x"])
        .expect_code(3)
        .stderr;
    assert!(stderr.contains("127.0.0.1 has no IPv6 address"), "{stderr}");
    let stderr = run(["send", "-4", "[::1]:6000", "x"]).expect_code(3).stderr;
    assert!(stderr.contains("::1 has no IPv4 address"), "{stderr}");
}

#[test]
fn a_peer_that_cannot_be_read_is_a_usage_error() {
    for peer in [
        "",
        "127.0.0.1",
        "127.0.0.1:",
        ":6000",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:x",
        "::1:6000",
        "[::1]",
        "[::1:6000",
    ] {
        let finished = run(["send", peer, "x"]).expect_code(2);
        assert!(
            finished.stderr.starts_with("udpcli: error: "),
            "{peer:?}: {}",
            finished.stderr
        );
    }
}

#[test]
fn a_name_that_nobody_knows_is_exit_code_3() {
    let mut command = udpcli(["send", "nosuch.invalid:6000", "x"]);
    command
        .env("RES_OPTIONS", "timeout:1 attempts:1")
        .stdin(Stdio::null());
    let finished = Running::spawn(&mut command).finish().expect_code(3);
    assert_in_order(
        &finished.stderr,
        &[
            "udpcli: error: cannot resolve nosuch.invalid\n",
            "caused by:",
            "hint: ",
        ],
    );
}

#[test]
fn options_that_contradict_each_other_are_usage_errors() {
    for args in [
        &["x", "--hex", "00"][..],
        &["--hex", "00", "--size", "16"],
        &["x", "--file", "f"],
        &["x", "--lines"],
        &["x", "-I"],
        &["--chunk", "4"],
        &["--file", "f", "--chunk", "0"],
        &["--file", "f", "--chunk", "4", "--lines"],
        &["x", "-4", "-6"],
        &["x", "-q", "-v"],
        &["x", "--format", "xml"],
        &["x", "--replies", "0"],
        &["x", "--nosuch"],
        &["--size", "16", "-e"],
        &["--hex", "00", "--line-ending", "lf"],
    ] {
        fails(args, b"", 2);
    }
    run(["send"]).expect_code(2);
    run::<&str>([]).expect_code(2);
}

#[test]
fn ttl_0_to_a_unicast_address_is_a_usage_error() {
    let stderr = fails(&["x", "--ttl", "0"], b"", 2);
    assert!(
        stderr.contains("--ttl 0: ") && stderr.contains("hint: --ttl 1"),
        "{stderr}"
    );
    for peer in ["[::1]:9", "255.255.255.255:9"] {
        run(["send", peer, "x", "--ttl", "0"]).expect_code(2);
    }
}

#[test]
fn an_option_without_effect_is_told() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let said = |args: &[&str]| run([&["send", &peer], args].concat()).stderr;
    for (args, flag) in [
        (&["x", "-i", "2"][..], "--interval"),
        (&["x", "--rate", "5"], "--rate"),
        (&["--hex", "00", "-i", "2"], "--interval"),
        (&["--size", "16", "--rate", "max"], "--rate"),
        (&["--file", "/dev/null", "-i", "2"], "--interval"),
        (&["x", "--multicast-if", "lo"], "--multicast-if"),
        (&["x", "--multicast-loop", "off"], "--multicast-loop"),
        (&["x", "--reuse-addr"], "--reuse-addr"),
        (&["x", "--reuse-port"], "--reuse-port"),
        (&["x", "--format", "json"], "--format"),
        (&["--hex", "00", "--encoding", "gbk"], "--encoding"),
    ] {
        let stderr = said(args);
        assert!(
            stderr.contains(&format!("warning: {flag} has no effect: ")),
            "{args:?}: {stderr}"
        );
    }
    for args in [
        &["x", "y", "-i", "1ms"][..],
        &["x", "-i", "1ms", "-n", "2"],
        &["x", "--rate", "max", "--duration", "1ms"],
        &["x", "--bind", "127.0.0.1", "--reuse-addr", "--reuse-port"],
        &["x", "--format", "json", "-w", "1ms"],
        &["--hex", "00", "--encoding", "gbk", "-w", "1ms"],
        &["x", "--encoding", "gbk"],
        &["--hex", "0a", "-e", "--expect", r"\n", "-w", "1ms"],
    ] {
        let stderr = said(args);
        assert!(!stderr.contains("has no effect"), "{args:?}: {stderr}");
    }
}

#[test]
fn chunk_without_file_is_a_usage_error() {
    for args in [
        &["x", "--chunk", "4"][..],
        &["--hex", "00", "--chunk", "4"],
        &["--size", "16", "--chunk", "4"],
        &["-I", "--chunk", "4"],
    ] {
        fails(args, b"", 2);
    }
}

// Log messages.

#[test]
fn verbose_tells_the_steps_in_the_tutorials_terms() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let stderr = run(["send", &peer, "hello", "-v"]).expect_code(0).stderr;
    assert_in_order(
        &stderr,
        &["socket AF_INET SOCK_DGRAM\n", "sendto 5 bytes", "close\n"],
    );
    let stderr = run([
        "-v",
        "send",
        &peer,
        "hello",
        "--reuse-addr",
        "--bind",
        "127.0.0.1:0",
    ])
    .expect_code(0)
    .stderr;
    let steps = [
        "socket AF_INET SOCK_DGRAM\n",
        "setsockopt SO_REUSEADDR 1\n",
        "bind 127.0.0.1:0\n",
        "sendto 5 bytes",
        "close\n",
    ];
    assert_in_order(&stderr, &steps);
    for step in steps {
        assert_eq!(
            stderr.matches(step).count(),
            1,
            "{step:?} once in: {stderr}"
        );
    }
    let (peer, answerer) = answering(vec![b"pong".to_vec()]);
    let stderr = run(["send", &peer, "hello", "-v", "-w", "1h", "--replies", "1"])
        .expect_code(0)
        .stderr;
    assert_in_order(
        &stderr,
        &[
            "socket AF_INET SOCK_DGRAM\n",
            "sendto 5 bytes",
            "recvfrom 4 bytes",
            "close\n",
        ],
    );
    answerer.join().unwrap();
}

#[test]
fn quiet_prints_errors_only() {
    let socket = loopback_socket();
    let finished = run(["send", &address_of(&socket), "", &"x".repeat(2000), "-q"]).expect_code(0);
    assert_eq!(
        (finished.text().as_str(), finished.stderr.as_str()),
        ("", "")
    );
    let closed = refusing_socket("127.0.0.1:0");
    let finished = run(["send", &address_of(&closed), "x", "--quiet"]).expect_code(1);
    let first = finished.stderr.lines().next().unwrap();
    assert_eq!(
        first,
        format!(
            "udpcli: error: refused: nothing listens on {}",
            address_of(&closed)
        )
    );
    for line in finished.stderr.lines().skip(1) {
        assert!(
            line.starts_with("  caused by: ") || line.starts_with("  hint: "),
            "{line}"
        );
    }
}

#[test]
fn a_payload_that_the_tutorial_would_cut_is_told() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let stderr = run(["send", &peer, &"x".repeat(1025)])
        .expect_code(0)
        .stderr;
    assert!(stderr.contains("recvfrom(1024)"), "{stderr}");
    let stderr = run(["send", &peer, &"x".repeat(1024)])
        .expect_code(0)
        .stderr;
    assert!(!stderr.contains("recvfrom(1024)"), "{stderr}");
}

#[test]
fn an_empty_datagram_is_told() {
    let socket = loopback_socket();
    let stderr = run(["send", &address_of(&socket), ""])
        .expect_code(0)
        .stderr;
    assert!(stderr.contains("ESP32"), "{stderr}");
    assert_eq!(receive(&socket).0, b"");
}

#[test]
fn the_summary_has_every_count_and_stdout_nothing() {
    let socket = loopback_socket();
    let finished = run([
        "send",
        &address_of(&socket),
        "hello",
        "world!",
        "-i",
        "50ms",
    ])
    .expect_code(0);
    assert_eq!(finished.text(), "");
    let line = summary(&finished);
    let rest = line
        .strip_prefix("2 datagrams, 11 bytes, 0 errors, 0 refused, 0 replies, ")
        .unwrap_or_else(|| panic!("{line}"));
    let (elapsed, rate) = rest.split_once(", ").unwrap();
    assert!(
        elapsed.ends_with('s') && rate.ends_with(" datagrams/s"),
        "{line}"
    );
}

/// A terminal in GBK gives such arguments; nc sends the bytes it gets.
#[cfg(unix)]
#[test]
fn a_message_that_is_not_utf8_is_sent_byte_for_byte_or_refused() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt as _;

    let gbk: &[u8] = b"\xc4\xe3\xba\xc3";
    let socket = loopback_socket();
    let args = |more: &[&str]| -> Vec<OsString> {
        let peer = address_of(&socket);
        let words = ["send", &peer].into_iter().chain(more.iter().copied());
        let mut args: Vec<OsString> = words.map(OsString::from).collect();
        args.push(OsStr::from_bytes(gbk).to_owned());
        args
    };
    run_with_input(udpcli(args(&["plain"])), b"").expect_code(0);
    assert_eq!(receive_payloads(&socket, 2), [b"plain", gbk]);
    for flags in [
        &["-e"][..],
        &["--encoding", "gbk"],
        &["--line-ending", "lf"],
    ] {
        let finished = run_with_input(udpcli(args(flags)), b"").expect_code(2);
        for told in [r#""\xc4\xe3\xba\xc3" is not UTF-8"#, "--hex"] {
            assert!(
                finished.stderr.contains(told),
                "{flags:?}: {}",
                finished.stderr
            );
        }
    }
    // What is no message has to be text.
    let mut expect = args(&["hi", "--expect"]);
    expect.push("x".into());
    let finished = run_with_input(udpcli(expect), b"").expect_code(2);
    assert!(finished.stderr.contains("UTF-8"), "{}", finished.stderr);
    nothing_waits(&socket);
}
