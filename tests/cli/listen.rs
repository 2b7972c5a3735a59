//! `listen`: the exact output of every format, the ways to end, sender filters, answers, and statistics.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{
    DEADLINE, Finished, Listener, Running, address_of, assert_in_order, bash, eventually, heard,
    heard_by, listening_address, loopback_socket, nothing_waits, receive, refusing_socket, run,
    sharing_socket, socket_on, sockets_bound_to, udpcli, udpcli_on_terminal,
};

/// Edge-case payloads that break careless programs.
fn awkward_payloads() -> Vec<Vec<u8>> {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let mut payloads = vec![all_bytes.clone()];
    for len in [0, 1, 1023, 1024, 1025, 65_507] {
        payloads.push(all_bytes.iter().copied().cycle().take(len).collect());
    }
    payloads.push(b"ends with newlines\r\n\r\n".to_vec());
    payloads.push("text: \u{4f60}\u{597d} \u{1f600}".as_bytes().to_vec());
    payloads
}

fn slices(payloads: &[Vec<u8>]) -> Vec<&[u8]> {
    payloads.iter().map(Vec::as_slice).collect()
}

/// Parses the output of `--format json`.
fn objects(finished: &Finished) -> Vec<Value> {
    finished
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The payload of a JSON object.
fn payload(object: &Value) -> Vec<u8> {
    match (object["text"].as_str(), object["base64"].as_str()) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(base64)) => STANDARD.decode(base64).unwrap(),
        _ => panic!("either text or base64: {object}"),
    }
}

/// The time of a JSON object, since the epoch.
fn time(object: &Value) -> Duration {
    let time: jiff::Timestamp = object["time"].as_str().unwrap().parse().unwrap();
    Duration::from_micros(time.as_microsecond().try_into().unwrap())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Checks a time such as `12:01:05.123456` and returns the rest of the line.
#[track_caller]
fn after_time(line: &str) -> &str {
    let (time, rest) = line
        .split_once(' ')
        .unwrap_or_else(|| panic!("a time and more: {line:?}"));
    let shape: String = time
        .chars()
        .map(|char| if char.is_ascii_digit() { '9' } else { char })
        .collect();
    assert_eq!(shape, "99:99:99.999999", "{line:?}");
    rest
}

/// The summary line of a listener.
#[track_caller]
fn summary(finished: &Finished) -> &str {
    let mut lines = finished.stderr.lines().rev();
    lines
        .find(|line| line.contains(" truncated"))
        .unwrap_or_else(|| panic!("no summary in: {}", finished.stderr))
}

/// A sequenced payload in the format of `send --size`.
fn sequenced(sequence: u64) -> Vec<u8> {
    let sent = u64::try_from(now().as_nanos()).unwrap();
    [&sequence.to_be_bytes()[..], &sent.to_be_bytes(), b"filler"].concat()
}

// Formats.

#[test]
fn text_is_one_line_with_time_peer_length_and_escaped_text() {
    let payloads = [
        &b"hello message from mPython\r\n"[..],
        b"",
        b"a\tb\\ \x00\x1b[31m\x7f\xff",
        "\u{4f60}\u{85}".as_bytes(),
    ];
    let (finished, port) = heard(&["--format", "text"], &payloads);
    let text = finished.text();
    let lines: Vec<&str> = text.split_terminator('\n').map(after_time).collect();
    let expected = [
        r"28 hello message from mPython\r\n",
        "0 ",
        r"13 a\tb\\ \0\x1b[31m\x7f\xff",
        r"5 你\u{85}",
    ];
    assert_eq!(
        lines,
        expected.map(|rest| format!("127.0.0.1:{port} {rest}"))
    );
    // `text` is the default format.
    let (finished, port) = heard(&[] as &[&str], &[b"hello"]);
    assert_eq!(
        after_time(&finished.text()),
        format!("127.0.0.1:{port} 5 hello\n")
    );
}

#[test]
fn text_has_local_time() {
    let mut command = udpcli(["listen", "--port", "0", "--bind", "127.0.0.1", "-n", "1"]);
    command.env("TZ", "CST-8").stdin(Stdio::null());
    let (finished, _) = heard_by(&mut command, &[b"x"]);
    let shown = finished.text();
    let number = |range: std::ops::Range<usize>| shown[range].parse::<i64>().unwrap();
    let shown_second = number(0..2) * 3600 + number(3..5) * 60 + number(6..8);
    let east = i64::try_from(now().as_secs()).unwrap() + 8 * 3600;
    assert!(
        (east - shown_second).rem_euclid(86_400) < 60,
        "{shown} is not the time eight hours east of UTC"
    );
}

#[test]
fn board_is_what_the_tutorials_server_prints() {
    let payloads = [
        &b"hello message from mPython\r\n"[..],
        b"",
        b"it's",
        b"say \"it's\"",
        b"\x00\t\\\x7f\xff\xe4\xbd\xa0~ ",
    ];
    let (finished, port) = heard(&["--format", "board"], &payloads);
    let expected = [
        r"b'hello message from mPython\r\n'",
        "b''",
        r#"b"it's""#,
        r#"b'say "it\'s"'"#,
        r"b'\x00\t\\\x7f\xff\xe4\xbd\xa0~ '",
    ]
    .map(|bytes| format!("received: {bytes} from ('127.0.0.1', {port})\n"));
    assert_eq!(
        finished.text(),
        format!("waiting...\n{}", expected.concat())
    );
}

#[test]
fn board_says_waiting_before_anything_comes() {
    let mut listener = Listener::start(["--format", "board"]);
    assert_eq!(listener.running.stdout_line(), "waiting...\n");
}

#[test]
fn hex_is_the_text_line_without_text_and_a_canonical_dump() {
    let (finished, port) = heard(
        &["--format", "hex"],
        &[b"0123456789abcdef\x00\x1b\x7f\xff ~", b""],
    );
    let shown = finished.text();
    let lines: Vec<&str> = shown.split_terminator('\n').collect();
    assert_eq!(after_time(lines[0]), format!("127.0.0.1:{port} 22"));
    assert_eq!(
        lines[1],
        "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|"
    );
    assert_eq!(
        lines[2],
        "00000010  00 1b 7f ff 20 7e                                 |.... ~|"
    );
    assert_eq!(after_time(lines[3]), format!("127.0.0.1:{port} 0"));
    assert_eq!(lines.len(), 4);
}

#[test]
fn json_is_one_object_a_line_with_keys_in_order() {
    let before = now();
    let listener = Listener::start(["--format", "json", "-n", "2", "--bind", "127.0.0.1"]);
    let (to, socket) = (listener.address, loopback_socket());
    socket.send_to("quote \" 你\n".as_bytes(), to).unwrap();
    socket.send_to(b"\xff\x00", to).unwrap();
    let finished = listener.running.finish().expect_code(0);
    let from = address_of(&socket);
    let text = finished.text();
    let lines: Vec<&str> = text.lines().collect();
    let ends = [
        format!(r#"","from":"{from}","to":"{to}","len":12,"text":"quote \" 你\n"}}"#),
        format!(r#"","from":"{from}","to":"{to}","len":2,"base64":"/wA="}}"#),
    ];
    assert_eq!(lines.len(), 2);
    for (line, end) in lines.iter().zip(ends) {
        let time = line
            .strip_prefix(r#"{"time":""#)
            .unwrap()
            .strip_suffix(&end)
            .unwrap_or_else(|| panic!("{line} ends with {end}"));
        let shape: String = time
            .chars()
            .map(|char| if char.is_ascii_digit() { '9' } else { char })
            .collect();
        assert_eq!(shape, "9999-99-99T99:99:99.999999Z");
    }
    for object in objects(&finished) {
        assert!((before..now()).contains(&time(&object)), "{object}");
    }
}

#[test]
fn raw_is_the_payload_alone() {
    assert_eq!(
        heard(&["--format", "raw"], &[b"a\n", b"", b"\xffb"])
            .0
            .stdout,
        b"a\n\xffb"
    );
    let (finished, _) = heard(
        &["--format", "raw", "--separator", r"\r\n\x00"],
        &[b"a", b"", b"b"],
    );
    assert_eq!(
        finished.stdout, b"a\r\n\0\r\n\0b\r\n\0",
        "after each datagram"
    );
    let (finished, _) = heard(&["--format", "raw", "--separator", ", "], &[b"a"]);
    assert_eq!(finished.stdout, b"a, ");
    run(["listen", "--separator", "x"]).expect_code(2);
    run(["listen", "--format", "raw", "--separator", r"\q"]).expect_code(2);
}

#[test]
fn a_separator_follows_every_datagram() {
    let mut listener = Listener::start([
        "--bind",
        "127.0.0.1",
        "--format",
        "raw",
        "--separator",
        r"\n",
    ]);
    let socket = loopback_socket();
    for text in ["one", "two"] {
        socket.send_to(text.as_bytes(), listener.address).unwrap();
        assert_eq!(listener.running.stdout_line(), format!("{text}\n"));
    }
}

#[test]
fn every_byte_and_size_round_trips_in_raw() {
    let payloads = awkward_payloads();
    for args in [
        &["--format", "raw"][..],
        &["--format", "raw", "--no-batching"],
    ] {
        let (finished, _) = heard(args, &slices(&payloads));
        assert!(
            finished.stdout == payloads.concat(),
            "raw differs with {args:?}"
        );
    }
}

#[test]
fn every_byte_and_size_round_trips_in_hex() {
    let payloads = awkward_payloads();
    let (finished, _) = heard(&["--format", "hex"], &slices(&payloads));
    let mut read: Vec<Vec<u8>> = Vec::new();
    for line in finished.text().lines() {
        let Some((digits, text)) = line.split_once("  |") else {
            read.push(Vec::new());
            continue;
        };
        let payload = read.last_mut().expect("a head line");
        let (offset, digits) = digits.split_once("  ").unwrap();
        assert_eq!(usize::from_str_radix(offset, 16).unwrap(), payload.len());
        let bytes: Vec<u8> = digits
            .split_whitespace()
            .map(|digits| u8::from_str_radix(digits, 16).unwrap())
            .collect();
        let shown: String = bytes
            .iter()
            .map(|&byte| {
                if (0x20..0x7f).contains(&byte) {
                    byte.into()
                } else {
                    '.'
                }
            })
            .collect();
        assert_eq!(text, format!("{shown}|"));
        payload.extend(bytes);
    }
    assert!(read == payloads, "hex differs");
}

#[test]
fn every_byte_and_size_round_trips_in_json() {
    let payloads = awkward_payloads();
    for args in [
        &["--format", "json"][..],
        &["--format", "json", "--no-batching"],
    ] {
        let (finished, _) = heard(args, &slices(&payloads));
        let read: Vec<Vec<u8>> = objects(&finished).iter().map(payload).collect();
        assert!(read == payloads, "json differs with {args:?}");
        for object in objects(&finished) {
            assert_eq!(object["len"].as_u64(), Some(payload(&object).len() as u64));
            assert_eq!(
                object["text"].is_string(),
                std::str::from_utf8(&payload(&object)).is_ok()
            );
        }
    }
}

#[test]
fn the_terminal_sees_no_control_character_in_any_format() {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let payloads = [
        &all_bytes[..],
        b"\x1b[31mred\x1b]0;title\x07\x9b31m",
        "\u{9b}31m\u{90}\u{85}\u{7f}".as_bytes(),
        "\u{202e}evil\u{2066}\u{200b}\u{200f}\u{feff}\u{ad}\u{2028}\u{e0041}".as_bytes(),
        b"\xed\xa0\x80\xed\xb0\x80\xf5\x80\x80\x80\xc0\x80",
        b"a\rb\nc\x08\x0c",
    ];
    let is_harmful = |char: char| {
        char.is_control()
            || matches!(char,
                '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}')
    };
    for format in ["text", "board", "hex", "json", "raw"] {
        for encoding in ["utf-8", "auto", "latin1"] {
            let mut command = udpcli_on_terminal(
                "2",
                [
                    "listen",
                    "--port",
                    "0",
                    "--bind",
                    "127.0.0.1",
                    "-n",
                    "6",
                    "--format",
                    format,
                    "--encoding",
                    encoding,
                ],
            );
            let (finished, _) = heard_by(&mut command, &payloads);
            let shown = String::from_utf8(finished.stdout)
                .unwrap_or_else(|error| panic!("{format} {encoding}: {error}"));
            // udpcli's own colours are the only escape sequences allowed.
            let begin = |part: &str| part.find('m').map_or(0, |at| at + 1);
            let shown: String = shown
                .split("\x1b[")
                .enumerate()
                .map(|(number, part)| match number {
                    0 => part,
                    _ => {
                        let (color, text) = part.split_at(begin(part));
                        let is_color = matches!(color, "2m" | "0m") || color.starts_with("38;5;");
                        assert!(is_color, "{format} {encoding}: {color:?}");
                        text
                    }
                })
                .collect();
            let harmful: Vec<char> = shown
                .chars()
                .filter(|&char| {
                    char != '\n' && !(format == "raw" && char == '\t') && is_harmful(char)
                })
                .collect();
            assert!(
                harmful.is_empty(),
                "{format} {encoding}: {harmful:?} in {shown:?}"
            );
        }
    }
}

#[test]
fn invisible_characters_are_escaped_on_a_terminal() {
    let unseen = [
        '\u{34f}',
        '\u{fe0f}',
        '\u{115f}',
        '\u{1160}',
        '\u{3164}',
        '\u{ffa0}',
        '\u{180b}',
        '\u{180f}',
        '\u{e0100}',
    ];
    let text: String = unseen.iter().flat_map(|&char| ['a', char]).collect();
    let args = [
        "listen",
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "-n",
        "1",
        "--format",
    ];
    for format in ["text", "json", "raw"] {
        let mut command = udpcli_on_terminal("2", args.iter().copied().chain([format]));
        let (finished, _) = heard_by(&mut command, &[text.as_bytes()]);
        let shown = finished.text();
        let raw: Vec<char> = unseen
            .into_iter()
            .filter(|&char| shown.contains(char))
            .collect();
        assert!(raw.is_empty(), "{format}: {raw:?} in {shown:?}");
        assert!(shown.contains('a'), "{format}: {shown:?}");
        let (finished, _) = heard(&["--format", format], &[text.as_bytes()]);
        assert!(
            finished.text().contains(&text),
            "{format}: {:?}",
            finished.text()
        );
    }
}

#[test]
fn on_a_terminal_an_escaped_text_still_tells_its_bytes() {
    let mut command = udpcli_on_terminal(
        "2",
        [
            "listen",
            "--port",
            "0",
            "--bind",
            "127.0.0.1",
            "-n",
            "1",
            "--color",
            "never",
        ],
    );
    let (finished, port) = heard_by(&mut command, &["\x1b[31m\u{202e}\u{4f60}".as_bytes()]);
    let shown = finished.text();
    let peer = format!("127.0.0.1:{port}");
    let (time, rest) = shown.split_once("  ").expect("a time and more");
    assert_eq!(
        rest,
        format!("{peer:<21}     11 B  \\x1b[31m\\u{{202e}}你\n")
    );
    // To the millisecond.
    assert_eq!(time.len(), "12:01:05.123".len(), "{time}");
}

#[test]
fn on_a_terminal_the_columns_are_aligned_and_microseconds_come_on_request() {
    let mut command = udpcli_on_terminal(
        "2",
        "listen --port 0 --bind 127.0.0.1 -n 2 --color never --microseconds".split(' '),
    );
    let (finished, _) = heard_by(&mut command, &[b"x", &[b'x'; 12345]]);
    let text = finished.text();
    let at: Vec<usize> = text.lines().filter_map(|line| line.find(" B  x")).collect();
    assert_eq!(
        at,
        ["12:01:05.123456  255.255.255.255:65535  12345".len(); 2]
    );
}

#[test]
fn a_pipe_keeps_marks_and_every_script() {
    let text = "\u{202e}\u{200b}\u{feff}你好 ümlaut 😀 שלום";
    let (finished, _) = heard(&["--format", "text"], &[text.as_bytes()]);
    assert!(
        finished
            .text()
            .ends_with(&format!(" {} {text}\n", text.len())),
        "{}",
        finished.text()
    );
    let (finished, _) = heard(&["--format", "json"], &[text.as_bytes()]);
    assert_eq!(objects(&finished)[0]["text"].as_str(), Some(text));
    assert!(finished.text().contains(text), "{}", finished.text());
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let (finished, _) = heard(&["--color", "auto"], &[b"x"]);
    assert!(!finished.text().contains('\x1b'));
    let (finished, _) = heard(&["--color", "always"], &[b"x"]);
    assert!(finished.text().contains("\x1b["));
    for (args, variable, colored) in [
        (&[][..], None, true),
        (&[], Some("NO_COLOR"), false),
        (&["--color", "never"], None, false),
    ] {
        let mut command = udpcli_on_terminal(
            "2",
            [
                &["listen", "--port", "0", "--bind", "127.0.0.1", "-n", "1"],
                args,
            ]
            .concat(),
        );
        if let Some(variable) = variable {
            command.env(variable, "1");
        }
        let (finished, _) = heard_by(&mut command, &[b"x"]);
        assert_eq!(
            finished.text().contains('\x1b'),
            colored,
            "{args:?} {variable:?}: {:?}",
            finished.text()
        );
    }
}

#[test]
fn an_encoding_decodes_the_text() {
    let payloads = [&b"\xc4\xe3\xba\xc3"[..], b"\xc4\xe3\xff"];
    let (finished, _) = heard(&["--encoding", "gbk"], &payloads);
    assert_in_order(&finished.text(), &[" 4 你好\n", " 3 你\\xff\n"]);
    let (finished, _) = heard(&["--encoding", "gbk", "--format", "json"], &payloads);
    let objects = objects(&finished);
    assert_eq!(
        (objects[0]["text"].as_str(), objects[1]["base64"].as_str()),
        (Some("你好"), Some("xOP/"))
    );
    let (finished, _) = heard(
        &["--encoding", "auto"],
        &["你好".as_bytes(), b"\xc4\xe3\xba\xc3", b"\xff\xff"],
    );
    assert_in_order(
        &finished.text(),
        &[" 6 你好\n", " 4 你好\n", " 2 \\xff\\xff\n"],
    );
    run(["listen", "--encoding", "klingon"]).expect_code(2);
}

// Timestamps.

#[test]
fn kernel_time_is_when_it_came_and_user_time_when_it_was_read() {
    for clock in ["kernel", "user"] {
        let listener = Listener::start([
            "--format",
            "json",
            "-n",
            "1",
            "--timestamps",
            clock,
            "--bind",
            "127.0.0.1",
        ]);
        listener.running.stop();
        let before = now();
        loopback_socket().send_to(b"x", listener.address).unwrap();
        let after = now();
        // This delay is what the test checks; it is not used for synchronisation.
        std::thread::sleep(Duration::from_millis(300));
        let continued = now();
        listener.running.signal("CONT");
        let object = &objects(&listener.running.finish().expect_code(0))[0];
        let time = time(object);
        let microsecond = Duration::from_micros(1);
        if clock == "kernel" {
            assert!(
                before <= time + microsecond && time <= after,
                "{before:?} <= {time:?} <= {after:?}"
            );
        } else {
            assert!(continued <= time + microsecond, "{continued:?} <= {time:?}");
        }
    }
}

// Ways to end.

#[test]
fn a_count_ends_it() {
    let listener = Listener::start(["-n", "2", "--format", "raw"]);
    let socket = loopback_socket();
    for text in ["1", "2", "3"] {
        // The third datagram may be refused, because the listener has already ended.
        let _ = socket.send_to(text.as_bytes(), listener.address);
    }
    let finished = listener.running.finish().expect_code(0);
    assert_eq!(finished.text(), "12");
    assert!(
        summary(&finished).starts_with("2 datagrams, 2 bytes, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_timeout_is_exit_code_1_only_if_nothing_came() {
    let started = Instant::now();
    let finished = Listener::start(["--timeout", "200ms"])
        .running
        .finish()
        .expect_code(1);
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_in_order(
        &finished.stderr,
        &[
            "0 datagrams, ",
            "udpcli: error: no datagram for 200ms\n",
            "hint: ",
        ],
    );

    let listener = Listener::start(["--timeout", "2s", "--format", "raw"]);
    loopback_socket().send_to(b"x", listener.address).unwrap();
    assert_eq!(listener.running.finish().expect_code(0).text(), "x");
}

#[test]
fn each_datagram_restarts_the_timeout() {
    let mut listener = Listener::start(["--timeout", "1s"]);
    let socket = loopback_socket();
    let mut last = Instant::now();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(400));
        last = Instant::now();
        socket.send_to(b"x", listener.address).unwrap();
        listener.running.stdout_line();
    }
    listener.running.finish().expect_code(0);
    assert!(last.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_duration_ends_it() {
    let started = Instant::now();
    let listener = Listener::start(["--duration", "300ms"]);
    let finished = listener.running.finish().expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(
        summary(&finished).starts_with("0 datagrams, 0 bytes, 0 peers, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn ctrl_c_and_sigterm_are_its_normal_end() {
    for signal in ["INT", "TERM"] {
        let mut listener = Listener::start(["--format", "board"]);
        assert_eq!(listener.running.stdout_line(), "waiting...\n");
        loopback_socket().send_to(b"x", listener.address).unwrap();
        listener.running.stdout_line();
        listener.running.signal(signal);
        let finished = listener.running.finish().expect_code(0);
        assert!(
            summary(&finished).starts_with("1 datagram, 1 byte, 1 peer, "),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn ctrl_c_cuts_short_a_run_that_had_an_end() {
    for args in [["-n", "10"], ["--duration", "1h"]] {
        let finished = Listener::start(args).running.interrupt().expect_code(130);
        assert!(
            summary(&finished).starts_with("0 datagrams, "),
            "{}",
            finished.stderr
        );
    }
    // With only a timeout, Ctrl-C is the normal end, so the exit code is 0.
    Listener::start(["--timeout", "1h"])
        .running
        .interrupt()
        .expect_code(0);
}

#[test]
fn what_came_before_ctrl_c_is_printed() {
    let listener = Listener::start(["--format", "raw", "--bind", "127.0.0.1"]);
    listener.running.stop();
    loopback_socket()
        .send_to(b"just in time", listener.address)
        .unwrap();
    listener.running.signal("INT");
    listener.running.signal("CONT");
    assert_eq!(
        listener.running.finish().expect_code(0).text(),
        "just in time"
    );
}

/// Starts a listener that is blocked writing to a full stdout pipe, because nobody reads it.
fn listener_nobody_reads(args: &[&str]) -> Child {
    let mut child = udpcli(
        [
            "listen",
            "--port",
            "0",
            "--bind",
            "127.0.0.1",
            "--format",
            "raw",
        ]
        .iter()
        .chain(args),
    )
    .stdin(Stdio::null())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.as_mut().unwrap());
    stderr.read_line(&mut line).unwrap();
    let address = listening_address(&line);
    let socket = loopback_socket();
    // Send more than a pipe's capacity, 64 KiB (pipe(7)).
    for _ in 0..8 {
        socket.send_to(&vec![b'x'; 30_000], address).unwrap();
    }
    let wait_channel = format!("/proc/{}/wchan", child.id());
    eventually("the listener waits for its reader", || {
        let channel = std::fs::read_to_string(&wait_channel).unwrap();
        // In `ep_poll` it would be waiting for datagrams.
        channel.contains("pipe_w") || (channel.contains("poll") && !channel.contains("ep_poll"))
    });
    child
}

fn interrupt(child: &Child) {
    signal(child, "INT");
}

fn signal(child: &Child, name: &str) {
    let (signal, pid) = (format!("-{name}"), child.id().to_string());
    let sent = Command::new("kill").args([signal, pid]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn ctrl_c_ends_it_though_nobody_reads_its_output() {
    for (args, code) in [(&[][..], 0), (&["-n", "100"], 130)] {
        let mut child = listener_nobody_reads(args);
        let asked = Instant::now();
        interrupt(&child);
        let status = eventually_ended(&mut child);
        assert_eq!(status.code(), Some(code), "{args:?}");
        assert!(asked.elapsed() < DEADLINE);
        let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_in_order(&stderr, &["stopped reading", " datagrams, ", "0 truncated"]);
    }
}

#[test]
fn a_reader_that_pauses_gets_everything_in_order() {
    let mut child = listener_nobody_reads(&["-n", "8"]);
    // It keeps waiting: output is abandoned only after a request to stop.
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    let mut output = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut output)
        .unwrap();
    assert_eq!(output.len(), 240_000);
    assert_eq!(eventually_ended(&mut child).code(), Some(0));
}

#[test]
fn a_reader_that_takes_a_little_now_and_then_does_not_hold_up_the_end_either() {
    let mut child = listener_nobody_reads(&[]);
    let mut stdout = child.stdout.take().unwrap();
    // Read one page at a time, at intervals shorter than those after which a reader counts as stalled.
    let reader = std::thread::spawn(move || {
        while stdout.read_exact(&mut [0; 4096]).is_ok() {
            std::thread::sleep(Duration::from_millis(85));
        }
    });
    let asked = Instant::now();
    signal(&child, "TERM");
    assert_eq!(eventually_ended(&mut child).code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(4));
    drop(reader);
}

#[test]
fn a_second_signal_ends_it_at_once_even_while_nobody_reads_its_output() {
    let mut child = listener_nobody_reads(&[]);
    // Both signals are pending while the process is stopped, and are delivered together. With the first signal alone
    // the exit code would be 0: see `ctrl_c_ends_it_though_nobody_reads_its_output`.
    signal(&child, "STOP");
    let stat = format!("/proc/{}/stat", child.id());
    eventually("it is stopped", || {
        let stat = std::fs::read_to_string(&stat).unwrap();
        stat.rsplit(')').next().unwrap().starts_with(" T")
    });
    for name in ["INT", "TERM", "CONT"] {
        signal(&child, name);
    }
    assert_eq!(eventually_ended(&mut child).code(), Some(130));
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for (ignored, line) in [
        ("INT", "trap '' INT; exec"),
        ("TERM", "trap '' TERM; exec"),
        ("HUP", "trap '' HUP; exec"),
        ("HUP", "exec nohup"),
    ] {
        let line = format!(r#"{line} "$0" listen --port 0 --bind 127.0.0.1 --format raw"#);
        let mut listener = Listener::spawn(&mut bash(&line, [""; 0]));
        // If the signal were not ignored, the first would request a stop and the second would end the process with 130.
        for text in ["one\n", "two\n", "three\n"] {
            listener.running.signal(ignored);
            loopback_socket()
                .send_to(text.as_bytes(), listener.address)
                .unwrap();
            assert_eq!(listener.running.stdout_line(), text, "{line}");
        }
        let other = if ignored == "INT" { "TERM" } else { "INT" };
        listener.running.signal(other);
        listener.running.finish().expect_code(0);
    }
}

fn eventually_ended(child: &mut Child) -> ExitStatus {
    let mut ended = None;
    eventually("the listener ends", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    ended.unwrap()
}

#[test]
fn what_came_before_the_timeout_is_printed() {
    let listener = Listener::start([
        "--format",
        "raw",
        "--bind",
        "127.0.0.1",
        "--timeout",
        "500ms",
    ]);
    listener.running.stop();
    loopback_socket()
        .send_to(b"just in time", listener.address)
        .unwrap();
    // This delay is what the test checks; it is not used for synchronisation.
    std::thread::sleep(Duration::from_millis(700));
    listener.running.signal("CONT");
    assert_eq!(
        listener.running.finish().expect_code(0).text(),
        "just in time"
    );
}

// Addresses.

#[test]
fn port_0_picks_a_free_port_and_says_which() {
    let mut listener = Listener::spawn(udpcli(["listen", "-p", "0"]).stdin(Stdio::null()));
    assert_ne!(listener.port(), 0);
    let line = Listener::start(["--bind", "127.0.0.1"]).address;
    assert!(line.ip().is_loopback() && line.port() != 0);
    loopback_socket().send_to(b"x", listener.address).unwrap();
    assert!(listener.running.stdout_line().ends_with(" 1 x\n"));
}

#[test]
fn the_default_address_is_every_ipv4_one() {
    let mut running = Running::spawn(udpcli(["listen", "--port", "0"]).stdin(Stdio::null()));
    let line = running.stderr_line_with("listening on ");
    assert!(line.starts_with("listening on 0.0.0.0:"), "{line}");
    // The rest of the line depends on the machine's addresses.
    assert!(
        line.contains("; type this address into the board's program: ")
            || line.contains("; this PC is not on a network"),
        "{line}"
    );
}

#[test]
fn several_ports_and_addresses_are_heard() {
    for (args, binds) in [
        (
            &["--bind", "127.0.0.1", "--port", "0"][..],
            ["127.0.0.1", "127.0.0.1"],
        ),
        (
            &["--bind", "127.0.0.1", "--bind", "::1"],
            ["127.0.0.1", "::1"],
        ),
    ] {
        let mut listener = Listener::start([args, &["--format", "json", "-n", "2"]].concat());
        let second = listening_address(&listener.running.stderr_line_with("listening on "));
        let addresses = [listener.address, second];
        assert_eq!(addresses.map(|address| address.ip().to_string()), binds);
        assert_ne!(addresses[0], addresses[1]);
        for address in addresses {
            let socket = socket_on(if address.is_ipv4() {
                "127.0.0.1:0"
            } else {
                "[::1]:0"
            });
            socket.send_to(b"x", address).unwrap();
        }
        let mut to: Vec<String> = objects(&listener.running.finish().expect_code(0))
            .iter()
            .map(|object| object["to"].as_str().unwrap().to_owned())
            .collect();
        let mut expected = addresses.map(|address| address.to_string()).to_vec();
        to.sort();
        expected.sort();
        assert_eq!(to, expected);
    }
}

#[test]
fn the_ipv6_wildcard_hears_ipv4_and_shows_it_plainly() {
    let listener = Listener::start(["--bind", "::", "--format", "json", "-n", "2"]);
    let port = listener.port();
    let (v4, v6) = (loopback_socket(), socket_on("[::1]:0"));
    v4.send_to(b"four", (Ipv4Addr::LOCALHOST, port)).unwrap();
    let finished = {
        v6.send_to(b"six", ("::1", port)).unwrap();
        listener.running.finish().expect_code(0)
    };
    let mut from: Vec<(String, String)> = objects(&finished)
        .iter()
        .map(|object| {
            (
                object["from"].as_str().unwrap().to_owned(),
                object["to"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    from.sort();
    assert_eq!(
        from,
        [
            (address_of(&v4), format!("127.0.0.1:{port}")),
            (address_of(&v6), format!("[::1]:{port}"))
        ]
    );
}

#[test]
fn the_ipv6_wildcard_answers_ipv4() {
    let listener = Listener::start(["--bind", "::", "--echo"]);
    let socket = loopback_socket();
    socket
        .send_to(b"four", (Ipv4Addr::LOCALHOST, listener.port()))
        .unwrap();
    let (payload, from) = receive(&socket);
    assert_eq!(
        (payload.as_slice(), from),
        (
            &b"four"[..],
            SocketAddr::from((Ipv4Addr::LOCALHOST, listener.port()))
        )
    );
}

#[test]
fn ipv6_peers_are_shown_in_brackets() {
    for (format, shown) in [
        ("text", " [::1]:PORT 3 six\n"),
        (
            "json",
            "\"from\":\"[::1]:PORT\",\"to\":\"[::1]:LOCAL\",\"len\":3,\"text\":\"six\"}\n",
        ),
        (
            "hex",
            " [::1]:PORT 3\n00000000  73 69 78                                          |six|\n",
        ),
    ] {
        let listener = Listener::start(["--bind", "::1", "-n", "1", "--echo", "--format", format]);
        let (local, socket) = (listener.address, socket_on("[::1]:0"));
        socket.send_to(b"six", local).unwrap();
        let text = listener.running.finish().expect_code(0).text();
        let port = socket.local_addr().unwrap().port().to_string();
        let end = shown
            .replace("PORT", &port)
            .replace("LOCAL", &local.port().to_string());
        assert!(text.ends_with(&end), "{text} ends with {end}");
        assert_eq!(receive(&socket), (b"six".to_vec(), local));
    }
}

#[test]
fn a_port_in_use_is_exit_code_3_with_a_hint() {
    let taken = loopback_socket();
    let port = taken.local_addr().unwrap().port().to_string();
    let stderr = run(["listen", "--bind", "127.0.0.1", "--port", &port])
        .expect_code(3)
        .stderr;
    assert_in_order(
        &stderr,
        &[
            &format!("udpcli: error: cannot bind 127.0.0.1:{port}\n"),
            "caused by: ",
            "hint: ",
        ],
    );
    assert!(
        stderr.contains("--reuse-addr") && stderr.contains("--reuse-port"),
        "{stderr}"
    );
}

#[test]
fn an_address_that_is_not_ours_is_exit_code_3() {
    let stderr = run(["listen", "--bind", "192.0.2.1", "--port", "0"])
        .expect_code(3)
        .stderr;
    assert_in_order(
        &stderr,
        &[
            "udpcli: error: cannot bind 192.0.2.1:0\n",
            "caused by: ",
            "hint: ",
        ],
    );
}

#[test]
fn listeners_share_a_port_with_reuse_port() {
    let args = [
        "--bind",
        "127.0.0.1",
        "--reuse-port",
        "--timeout",
        "2s",
        "--format",
        "raw",
    ];
    let one = Listener::start(args);
    let port = one.port().to_string();
    let other = Listener::spawn(
        udpcli(["listen", "--port", &port])
            .args(args)
            .stdin(Stdio::null()),
    );
    assert_eq!(one.address, other.address);
    let sockets: Vec<UdpSocket> = (0..32).map(|_| loopback_socket()).collect();
    for socket in &sockets {
        socket.send_to(b"x", one.address).unwrap();
    }
    let heard = [one, other].map(|listener| listener.running.finish().stdout.len());
    assert_eq!(heard.iter().sum::<usize>(), sockets.len(), "{heard:?}");
    // The kernel distributes by a hash of the sender's port. The probability that all 32 go to one listener is 1 in
    // 2^31.
    assert!(heard.iter().all(|&count| count > 0), "{heard:?}");
}

#[test]
fn listeners_share_a_port_with_reuse_addr() {
    let args = ["--bind", "127.0.0.1", "--reuse-addr", "--format", "raw"];
    let one = Listener::start(args);
    let port = one.port().to_string();
    let other = Listener::spawn(
        udpcli(["listen", "--port", &port, "-n", "1"])
            .args(args)
            .stdin(Stdio::null()),
    );
    loopback_socket().send_to(b"x", one.address).unwrap();
    // Unicast datagrams go to the socket that was bound last, as the hint says.
    assert_eq!(other.running.finish().expect_code(0).text(), "x");
    assert_eq!(one.running.interrupt().expect_code(0).text(), "");
}

#[test]
fn values_that_make_no_sense_are_usage_errors() {
    for args in [
        &["--port", "65536"][..],
        &["--port", "x"],
        &["--bind", "localhost"],
        &["--format", "xml"],
        &["-n", "0"],
        &["--timeout", "0"],
        &["--timeout", "soon"],
        &["--recv-size", "0"],
        &["--reply-rate", "0", "--echo"],
        &["--from", "127.0.0.1/33"],
        &["--from", "everybody"],
        &["--echo", "--reply", "x"],
        &["--reply", r"\q", "-e"],
        &["--timestamps", "sun"],
        &["--save", "capture.txt"],
        &["--join", "192.168.0.1"],
        &["stray"],
    ] {
        let finished = run([&["listen"], args].concat()).expect_code(2);
        assert!(
            finished.stderr.starts_with("udpcli: error: "),
            "{args:?}: {}",
            finished.stderr
        );
    }
}

#[test]
fn usage_errors_come_before_any_socket() {
    let taken = loopback_socket();
    let port = taken.local_addr().unwrap().port().to_string();
    for args in [
        &["--save", "out.txt"][..],
        &["--save", "out"],
        &["--separator", "x"],
        &["--reply", r"\q", "-e"],
        &["--join", "ff02::1"],
    ] {
        run([&["listen", "-p", &port, "--bind", "127.0.0.1"], args].concat()).expect_code(2);
    }
}

#[test]
fn an_option_without_effect_is_told() {
    let said = |args: &[&str]| {
        let base = [
            "listen",
            "-p",
            "0",
            "--bind",
            "127.0.0.1",
            "--duration",
            "1ms",
        ];
        run([&base, args].concat()).expect_code(0).stderr
    };
    for (args, flag) in [
        (&["--reply-rate", "5"][..], "--reply-rate"),
        (&["--encoding", "gbk", "--format", "hex"], "--encoding"),
        (&["--encoding", "gbk", "--format", "raw"], "--encoding"),
        (
            &["--timestamps", "user", "--format", "board"],
            "--timestamps",
        ),
    ] {
        let stderr = said(args);
        assert!(
            stderr.contains(&format!("warning: {flag} has no effect: ")),
            "{args:?}: {stderr}"
        );
    }
    for args in [
        &["--reply-rate", "5", "--echo"][..],
        &["--encoding", "gbk"],
        &["--encoding", "gbk", "--format", "hex", "--reply", "x"],
        &["--timestamps", "user", "--format", "board", "--seq"],
    ] {
        let stderr = said(args);
        assert!(!stderr.contains("has no effect"), "{args:?}: {stderr}");
    }
}

// Sender filters.

#[test]
fn only_the_senders_asked_for_are_heard() {
    for from in [
        &["--from", "127.0.0.2"][..],
        &["--from", "127.0.0.2/31"],
        &["--from", "10.0.0.0/8", "--from", "127.0.0.3"],
    ] {
        let listener = Listener::start([from, &["--format", "raw", "-n", "1", "--echo"]].concat());
        let others = [loopback_socket(), socket_on("127.0.0.4:0")];
        for other in &others {
            other.send_to(b"no", listener.address).unwrap();
        }
        let wanted = socket_on(if from.len() == 2 {
            "127.0.0.2:0"
        } else {
            "127.0.0.3:0"
        });
        wanted.send_to(b"yes", listener.address).unwrap();
        let finished = listener.running.finish().expect_code(0);
        assert_eq!(finished.text(), "yes", "{from:?}");
        assert!(
            summary(&finished).starts_with("1 datagram, 3 bytes, 1 peer, "),
            "{}",
            finished.stderr
        );
        assert_eq!(receive(&wanted).0, b"yes");
        others.iter().for_each(nothing_waits);
    }
}

// Answers.

#[test]
fn an_echo_is_the_same_bytes_from_the_address_asked() {
    let listener = Listener::start(["--echo"]);
    let socket = loopback_socket();
    for payload in awkward_payloads() {
        let asked = SocketAddr::new([127, 0, 0, 7].into(), listener.port());
        socket.send_to(&payload, asked).unwrap();
        let (answer, from) = receive(&socket);
        assert!(
            answer == payload,
            "{} bytes came back as {}",
            payload.len(),
            answer.len()
        );
        assert_eq!(from, asked);
    }
    let finished = listener.running.interrupt().expect_code(0);
    assert!(
        summary(&finished).contains(", 9 answered"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_reply_is_the_text_given() {
    for (args, answer) in [
        (&["--reply", r"got it\r\n", "-e"][..], &b"got it\r\n"[..]),
        (&["--reply", r"got it\r\n"], br"got it\r\n"),
        (&["--reply", "你", "--encoding", "gbk"], b"\xc4\xe3"),
        (&["--reply", ""], b""),
    ] {
        let listener = Listener::start(args);
        let socket = loopback_socket();
        socket.send_to(b"question", listener.address).unwrap();
        assert_eq!(receive(&socket).0, answer, "{args:?}");
    }
}

#[test]
fn answers_keep_to_the_rate_for_each_peer() {
    let listener = Listener::start([
        "--echo",
        "--reply-rate",
        "10",
        "-n",
        "202",
        "--bind",
        "127.0.0.1",
    ]);
    let (flooding, polite) = (loopback_socket(), loopback_socket());
    let started = Instant::now();
    for _ in 0..200 {
        flooding.send_to(b"x", listener.address).unwrap();
    }
    for _ in 0..2 {
        polite.send_to(b"please", listener.address).unwrap();
    }
    let finished = listener.running.finish().expect_code(0);
    let windows = started.elapsed().as_secs() + 1;
    flooding.set_nonblocking(true).unwrap();
    let mut answers = 0;
    while flooding.recv(&mut [0; 8]).is_ok() {
        answers += 1;
    }
    assert!(
        (10..=10 * windows).contains(&answers),
        "{answers} answers in {windows} s"
    );
    assert!(
        summary(&finished).contains(&format!(
            ", {} answered, {} not answered",
            answers + 2,
            200 - answers
        )),
        "{}",
        finished.stderr
    );
    assert_eq!(
        [receive(&polite).0, receive(&polite).0],
        [b"please", b"please"]
    );
}

/// Queues 200 datagrams for each of these addresses, interleaved, while the listener is stopped. Each must be answered,
/// in order, from the address it was sent to.
#[track_caller]
fn answers_a_crowd(listener: &Listener, own: &[&str]) {
    const COUNT: u32 = 200;
    let asking: Vec<(UdpSocket, SocketAddr)> = own
        .iter()
        .map(|own| {
            let address = format!("{own}:{}", listener.port());
            (socket_on(&format!("{own}:0")), address.parse().unwrap())
        })
        .collect();
    listener.running.stop();
    for number in 0..COUNT {
        for (socket, address) in &asking {
            socket.send_to(&number.to_be_bytes(), address).unwrap();
        }
    }
    listener.running.signal("CONT");
    for (socket, address) in &asking {
        for number in 0..COUNT {
            let answer = (number.to_be_bytes().to_vec(), *address);
            assert_eq!(receive(socket), answer);
        }
        nothing_waits(socket);
    }
}

#[test]
fn many_echoes_asked_for_at_once_all_come_in_order() {
    for extra in [&[][..], &["--no-batching"]] {
        for (bind, own) in [
            ("127.0.0.1", &["127.0.0.1"][..]),
            ("0.0.0.0", &["127.0.0.1", "127.0.0.2"]),
            ("::", &["127.0.0.1", "[::1]"]),
        ] {
            let listener = Listener::start([&["--echo", "--bind", bind], extra].concat());
            answers_a_crowd(&listener, own);
            let finished = listener.running.interrupt().expect_code(0);
            let answered = format!(", {} answered", 200 * own.len());
            assert!(
                summary(&finished).contains(&answered),
                "{}",
                finished.stderr
            );
        }
    }
}

#[test]
fn its_own_address_and_port_get_no_answer() {
    let listener = Listener::start(["--echo", "--reuse-addr"]);
    // On a wildcard address, every address in 127.0.0.0/8 is the listener's own.
    let own = sharing_socket(SocketAddr::from(([127, 0, 0, 9], listener.port())));
    own.send_to(b"from yourself", listener.address).unwrap();
    let other = loopback_socket();
    other.send_to(b"from another", listener.address).unwrap();
    assert_eq!(receive(&other).0, b"from another");
    nothing_waits(&own);
    let finished = listener.running.interrupt().expect_code(0);
    assert!(
        summary(&finished).contains(", 1 answered, 1 not answered"),
        "{}",
        finished.stderr
    );
}

#[test]
fn two_echoing_listeners_do_not_storm() {
    let args = [
        "--echo",
        "--reuse-addr",
        "--reply-rate",
        "20",
        "--bind",
        "127.0.0.1",
        "--timeout",
        "1500ms",
        "--format",
        "raw",
    ];
    let started = Instant::now();
    let [one, other] = [Listener::start(args), Listener::start(args)];
    one.running.stop();
    // Send a datagram with the other listener's address as its source. The sending socket is closed before the datagram
    // is read, so that the answer goes to the other listener.
    let liar = sharing_socket(other.address);
    liar.send_to(b"x", one.address).unwrap();
    drop(liar);
    let SocketAddr::V4(lied_about) = other.address else {
        panic!("an IPv4 listener");
    };
    eventually("the liar is gone", || sockets_bound_to(lied_about) == 1);
    one.running.signal("CONT");
    for listener in [one, other] {
        let finished = listener.running.finish().expect_code(0);
        let windows = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
        let heard = finished.stdout.len();
        assert!(
            (2..=20 * windows + 1).contains(&heard),
            "{heard} datagrams in {windows} s"
        );
    }
}

#[test]
fn listen_survives_port_unreachable() {
    let mut listener = Listener::start(["--echo", "--bind", "127.0.0.1"]);
    // This socket sends, but refuses the answers, so the kernel reports port unreachable to the listener.
    let asker = refusing_socket("127.0.0.1:0");
    for _ in 0..20 {
        asker.send_to(b"gone", listener.address).unwrap();
        assert!(listener.running.stdout_line().ends_with(" 4 gone\n"));
    }
    let socket = loopback_socket();
    socket.send_to(b"still there?", listener.address).unwrap();
    assert_eq!(receive(&socket).0, b"still there?");
    listener.running.interrupt().expect_code(0);
}

// Sizes.

#[test]
fn a_small_receive_size_cuts_as_the_tutorial_does() {
    for extra in [&[][..], &["--no-batching"]] {
        let long = vec![b'x'; 1500];
        let payloads = [&long[..1024], &long, &long[..1025]];
        let args = [&["--recv-size", "1024", "--format", "json"], extra].concat();
        let (finished, _) = heard(&args, &payloads);
        let objects = objects(&finished);
        let lens: Vec<u64> = objects
            .iter()
            .map(|object| object["len"].as_u64().unwrap())
            .collect();
        assert_eq!(lens, [1024, 1024, 1024]);
        let cut: Vec<Option<bool>> = objects
            .iter()
            .map(|object| object.get("truncated").and_then(Value::as_bool))
            .collect();
        assert_eq!(cut, [None, Some(true), Some(true)]);
        assert_eq!(payload(&objects[1]), &long[..1024]);
        assert!(
            finished.stderr.contains("warning: ") && finished.stderr.contains("1500"),
            "{}",
            finished.stderr
        );
        assert!(
            summary(&finished).contains(", 2 truncated"),
            "{}",
            finished.stderr
        );
        let (finished, _) = heard(
            &[&["--recv-size", "1k", "--format", "raw"], extra].concat(),
            &[&long],
        );
        assert_eq!(finished.stdout, &long[..1024]);
        assert!(
            summary(&finished).contains(", 1 truncated"),
            "{}",
            finished.stderr
        );
    }
}

// Statistics.

#[test]
fn loss_duplicates_and_reordering_are_told() {
    let payloads: Vec<Vec<u8>> = [0, 1, 4, 3, 3, 7].map(sequenced).to_vec();
    let (finished, _) = heard(&["--seq", "--format", "json"], &slices(&payloads));
    let line = summary(&finished);
    assert!(
        line.contains(", 3 lost, 1 duplicate, 1 reordered"),
        "{line}"
    );
    assert!(line.contains("one-way delay min/median/p99/max "), "{line}");
    let notes: Vec<(Option<u64>, Option<u64>)> = objects(&finished)
        .iter()
        .map(|object| (object["seq"].as_u64(), object["lost"].as_u64()))
        .collect();
    let expected = [
        (0, None),
        (1, None),
        (4, Some(2)),
        (3, None),
        (3, None),
        (7, Some(2)),
    ];
    assert_eq!(notes, expected.map(|(seq, lost)| (Some(seq), lost)));
}

/// The summary of `listen --seq` after these sequence numbers and send times from one sender, in this order.
#[track_caller]
fn counts_of(datagrams: impl IntoIterator<Item = (u64, Duration)>) -> String {
    let mut listener = Listener::start(["--seq", "--format", "json"]);
    let socket = loopback_socket();
    let payloads: Vec<Vec<u8>> = datagrams
        .into_iter()
        .map(|(number, sent)| {
            let sent = u64::try_from(sent.as_nanos()).unwrap();
            [&number.to_be_bytes()[..], &sent.to_be_bytes(), b"filler"].concat()
        })
        .collect();
    // Send small batches, so that the receive buffer does not overflow.
    for some in payloads.chunks(100) {
        for payload in some {
            socket.send_to(payload, listener.address).unwrap();
        }
        for _ in some {
            listener.running.stdout_line();
        }
    }
    let finished = listener.running.interrupt().expect_code(0);
    summary(&finished).to_owned()
}

#[test]
fn a_datagram_that_comes_again_much_later_is_one_duplicate() {
    let start = now().checked_sub(Duration::from_mins(1)).unwrap();
    let numbers = (0..3000).chain([10]).chain(3000..3010);
    let line = counts_of(numbers.map(|number| (number, start + Duration::from_millis(number))));
    assert!(
        line.contains(", 0 lost, 1 duplicate, 0 reordered"),
        "{line}"
    );
}

#[test]
fn a_sender_that_starts_again_on_its_port_loses_nothing() {
    for count in [5, 50, 3000] {
        let start = now().checked_sub(Duration::from_mins(1)).unwrap();
        let numbers = (0..count).chain(0..count);
        let line = counts_of(
            (0..)
                .zip(numbers)
                .map(|(at, number)| (number, start + Duration::from_millis(at))),
        );
        assert!(
            line.contains(", 0 lost, 0 duplicate, 0 reordered"),
            "{count}: {line}"
        );
    }
}

#[test]
fn a_clock_that_differs_gives_no_delay() {
    const DAY: Duration = Duration::from_hours(24);
    for (sent, is_delay) in [
        (now(), true),
        (now().saturating_sub(DAY), false),
        (now() + DAY, false),
        // 1970 is what a board without a real-time clock sends; 2262 is the maximum timestamp.
        (Duration::ZERO, false),
        (Duration::from_nanos(i64::MAX.cast_unsigned()), false),
    ] {
        let said = counts_of((0..3).map(|number| (number, sent)));
        assert_eq!(said.contains("one-way delay"), is_delay, "{sent:?}: {said}");
        assert_eq!(
            said.contains(", 3 without a delay (clocks differ)"),
            !is_delay,
            "{sent:?}: {said}"
        );
    }
}

#[test]
fn each_sender_has_its_own_sequence() {
    let listener = Listener::start(["--seq", "-n", "6", "--format", "raw"]);
    let sockets = [loopback_socket(), loopback_socket()];
    for sequence in [0, 1, 3] {
        for socket in &sockets {
            socket
                .send_to(&sequenced(sequence), listener.address)
                .unwrap();
        }
    }
    let finished = listener.running.finish().expect_code(0);
    assert!(
        summary(&finished).contains(", 2 lost, 0 duplicate, 0 reordered"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_sequenced_send_arrives_whole() {
    let listener = Listener::start(["--seq", "-n", "50", "--format", "json"]);
    run([
        "send",
        &listener.address.to_string(),
        "--size",
        "100",
        "-n",
        "50",
    ])
    .expect_code(0);
    let finished = listener.running.finish().expect_code(0);
    assert!(
        summary(&finished).contains(", 0 lost, 0 duplicate, 0 reordered"),
        "{}",
        finished.stderr
    );
    let sequence: Vec<u64> = objects(&finished)
        .iter()
        .map(|object| object["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(sequence, (0..50).collect::<Vec<u64>>());
}

#[test]
fn counts_are_reported_every_so_often() {
    let mut listener = Listener::start(["--stats", "100ms"]);
    listener
        .running
        .stderr_line_with("0 datagrams, 0 bytes, 0 peers, ");
    loopback_socket()
        .send_to(b"hello", listener.address)
        .unwrap();
    for _ in 0..2 {
        listener
            .running
            .stderr_line_with("1 datagram, 5 bytes, 1 peer, ");
    }
}

#[test]
fn reports_that_were_missed_do_not_all_come_at_once() {
    const EVERY: Duration = Duration::from_millis(100);
    let started = Instant::now();
    let mut listener = Listener::start(["--stats", "100ms"]);
    listener.running.stderr_line_with("0 datagrams, ");
    listener.running.stop();
    let stopped = Instant::now();
    // The time of twenty reports.
    std::thread::sleep(Duration::from_secs(2));
    let away = stopped.elapsed();
    listener.running.signal("CONT");
    let socket = loopback_socket();
    socket.send_to(b"hello", listener.address).unwrap();
    for _ in 0..2 {
        listener.running.stderr_line_with("1 datagram, ");
    }
    let finished = listener.running.interrupt().expect_code(0);
    let awake = started.elapsed().saturating_sub(away);
    let reports = finished
        .stderr
        .lines()
        .filter(|line| line.contains(" truncated"))
        .count();
    // The summary has one such line more.
    let most = awake.as_millis() / EVERY.as_millis() + 3 + 1;
    assert!(
        reports as u128 <= most,
        "{reports} reports within {awake:?}: {}",
        finished.stderr
    );
}

#[test]
fn a_stats_interval_below_the_minimum_is_a_usage_error() {
    let args = [
        "listen",
        "--port",
        "0",
        "--duration",
        "10ms",
        "--stats",
        "1us",
    ];
    let stderr = run(args).expect_code(2).stderr;
    assert!(stderr.contains("--stats"), "{stderr}");
}

#[test]
fn the_summary_has_every_count() {
    let listener = Listener::start(["-n", "3"]);
    let sockets = [loopback_socket(), loopback_socket()];
    for (socket, text) in [
        (&sockets[0], "hello"),
        (&sockets[1], "world!"),
        (&sockets[0], ""),
    ] {
        socket.send_to(text.as_bytes(), listener.address).unwrap();
    }
    let finished = listener.running.finish().expect_code(0);
    let line = summary(&finished);
    assert_in_order(
        line,
        &[
            "3 datagrams, 11 bytes, 2 peers, ",
            " datagrams/s, 0 dropped by the kernel, 0 truncated",
        ],
    );
}

/// `send --chunk` uses GSO for runs of equal length, and with batching the listener receives them in one GRO buffer.
#[test]
fn datagrams_of_one_buffer_are_cut_counted_and_kept_like_single_ones() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (b'a'..=b'z').cycle().take(40 * 150 + 5).collect();
    let path = folder.path().join("content");
    std::fs::write(&path, &content).unwrap();
    let chunks: Vec<&[u8]> = content.chunks(40).collect();
    for batching in [&[][..], &["--no-batching"]] {
        let hear = |args: &[&str]| {
            let start = ["--format", "raw", "--bind", "127.0.0.1"];
            let listener = Listener::start([&start, args, batching].concat());
            let to = listener.address.to_string();
            let path = path.to_str().unwrap();
            let send = ["send", &to, "--file", path, "--chunk", "40"];
            // The exit code does not matter: the last datagrams are refused if the listener ends early.
            run(send);
            listener.running.finish().expect_code(0)
        };
        let whole = hear(&["-n", "151"]);
        assert_eq!(whole.stdout, content);
        assert_in_order(summary(&whole), &["151 datagrams, 6005 bytes, 1 peer, "]);

        let part = hear(&["-n", "70"]);
        assert_eq!(part.stdout, content[..70 * 40]);
        assert_in_order(summary(&part), &["70 datagrams, 2800 bytes, "]);

        let cut = hear(&["-n", "151", "--recv-size", "30"]);
        let heads: Vec<&[u8]> = chunks
            .iter()
            .map(|chunk| &chunk[..chunk.len().min(30)])
            .collect();
        assert_eq!(cut.stdout, heads.concat());
        assert_in_order(
            summary(&cut),
            &["151 datagrams, 4505 bytes, ", ", 150 truncated"],
        );

        let apart = hear(&["-n", "100", "--separator", "|"]);
        assert_eq!(
            apart.stdout,
            [&chunks[..100].join(&b'|')[..], b"|"].concat()
        );

        let saved = folder.path().join("saved.jsonl");
        hear(&["-n", "100", "--save", saved.to_str().unwrap()]);
        let lines = std::fs::read_to_string(&saved).unwrap();
        let texts: Vec<Vec<u8>> = lines
            .lines()
            .map(|line| payload(&serde_json::from_str(line).unwrap()))
            .collect();
        assert_eq!(texts, chunks[..100]);

        let none = hear(&[
            "--timeout",
            "300ms",
            "--from",
            "127.0.0.1",
            "--from",
            "10.0.0.0/8",
        ]);
        assert_eq!(none.stdout, content);
        let others = Listener::start(
            [
                &[
                    "--bind",
                    "127.0.0.1",
                    "--from",
                    "10.0.0.0/8",
                    "--timeout",
                    "2s",
                ][..],
                batching,
            ]
            .concat(),
        );
        run([
            "send",
            &others.address.to_string(),
            "--file",
            path.to_str().unwrap(),
            "--chunk",
            "40",
        ])
        .expect_code(0);
        let finished = others.running.finish().expect_code(1);
        assert_in_order(
            &finished.stderr,
            &["0 datagrams, ", ", 151 from others left out"],
        );
    }
}

#[test]
fn what_the_kernel_drops_is_counted() {
    for extra in [&[][..], &["--no-batching"]] {
        let args = [
            "--recv-buffer",
            "16k",
            "--bind",
            "127.0.0.1",
            "--format",
            "raw",
            "--separator",
            r"\n",
            "--timeout",
            "2s",
        ];
        let mut listener = Listener::start([&args, extra].concat());
        let socket = loopback_socket();
        listener.running.stop();
        let mut sent = 300;
        for _ in 0..sent {
            socket.send_to(&[b'x'; 1000], listener.address).unwrap();
        }
        listener.running.signal("CONT");
        // Send markers until one fits into the buffer after the flood. Two per round, because each line is complete
        // only when its datagram is printed.
        let deadline = Instant::now() + DEADLINE;
        while {
            for _ in 0..2 {
                socket.send_to(b"marker", listener.address).unwrap();
                sent += 1;
            }
            listener.running.stdout_line() != "marker\n"
        } {
            assert!(Instant::now() < deadline, "no marker came through");
        }
        let finished = listener.running.finish().expect_code(0);
        let line = summary(&finished);
        let number_before = |text: &str| -> u64 {
            let before = line
                .split_once(text)
                .unwrap_or_else(|| panic!("{text:?} in {line}"))
                .0;
            before.rsplit(' ').next().unwrap().parse().unwrap()
        };
        let (heard, dropped) = (
            number_before(" datagrams, "),
            number_before(" dropped by the kernel"),
        );
        assert!(dropped > 0, "{line}");
        assert_eq!(heard + dropped, sent, "{line}");
    }
}

// Log messages.

#[test]
fn verbose_tells_the_steps_in_the_tutorials_terms() {
    let (finished, port) = heard(&["-v", "--reuse-addr", "--echo"], &[b"hello"]);
    let received = format!("recvfrom 5 bytes from 127.0.0.1:{port}\n");
    let steps = [
        "socket AF_INET SOCK_DGRAM\n",
        "setsockopt SO_REUSEADDR 1\n",
        "bind 127.0.0.1:0\n",
        &received,
        "sendto 5 bytes",
        "close\n",
    ];
    assert_in_order(&finished.stderr, &steps);
}

#[test]
fn quiet_says_errors_only() {
    // With -q no line shows the port, so reserve one with a socket that allows sharing it.
    let taken = sharing_socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let port = taken.local_addr().unwrap().port().to_string();
    let args = [
        "listen",
        "-q",
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--reuse-addr",
        "--timeout",
        "300ms",
    ];
    let finished = run(args).expect_code(1);
    assert!(
        finished
            .stderr
            .starts_with("udpcli: error: no datagram for 300ms\n"),
        "{}",
        finished.stderr
    );
    let finished = run([
        "listen",
        "-q",
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--reuse-addr",
        "--duration",
        "100ms",
    ])
    .expect_code(0);
    assert_eq!(
        (finished.text().as_str(), finished.stderr.as_str()),
        ("", "")
    );
}

#[test]
fn stderr_never_gets_data_nor_stdout_words() {
    let (finished, _) = heard(&["--format", "raw"], &[b"payload"]);
    assert_eq!(finished.text(), "payload");
    assert!(!finished.stderr.contains("payload"), "{}", finished.stderr);
    assert_eq!(
        finished.stderr.lines().count(),
        2,
        "where it listens, and the summary: {}",
        finished.stderr
    );
}

/// A terminal of 80 columns and 24 lines in a tmux server of its own; dropping it kills the server.
struct Screen {
    /// The path of the tmux socket.
    server: String,
    _folder: tempfile::TempDir,
}

impl Screen {
    /// Runs `udpcli ARGS` on a new terminal; arguments are split at spaces.
    #[track_caller]
    fn with(args: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let screen = Self {
            server: folder.path().join("tmux").to_str().unwrap().to_owned(),
            _folder: folder,
        };
        // Ignore the user's tmux configuration. `read` keeps the last screen after udpcli ends.
        let line = format!("'{}' {args}; read -r _", env!("CARGO_BIN_EXE_udpcli"));
        screen.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "80",
            "-y",
            "24",
            "env",
            "-u",
            "NO_COLOR",
            "LC_ALL=C.UTF-8",
            "bash",
            "-c",
            &line,
        ]);
        screen
    }

    #[track_caller]
    fn tmux(&self, args: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-u", "-S", &self.server]).args(args);
        Running::spawn(command.stdin(Stdio::null()))
            .finish()
            .expect_code(0)
            .text()
    }

    /// The lines on the screen.
    #[track_caller]
    fn lines(&self) -> Vec<String> {
        let shown = self.tmux(&["capture-pane", "-p"]);
        shown.lines().map(str::to_owned).collect()
    }

    /// Waits until the screen meets a condition; returns its lines.
    #[track_caller]
    fn once(&self, what: &str, is_so: impl Fn(&str) -> bool) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let lines = self.lines();
            if is_so(&lines.join("\n")) {
                return lines;
            }
            assert!(Instant::now() < deadline, "no {what} in: {lines:#?}");
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = Command::new("tmux")
            .args(["-S", &self.server, "kill-server"])
            .stderr(Stdio::null())
            .status();
    }
}

/// Checks that exactly one complete panel is on the screen, and that it shows the last sender.
#[track_caller]
fn shows_one_panel(lines: &[String], address: SocketAddr) {
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("┌"), 1, "top edge: {lines:#?}");
    assert_eq!(count("└"), 1, "bottom edge: {lines:#?}");
    // The first datagram clears the address, as in the tutorial's server.
    assert_eq!(count(&format!("│{address} ")), 0, "address: {lines:#?}");
    assert_eq!(count("│from127.0.0.1 "), 1, "sender: {lines:#?}");
    let top = lines.iter().position(|line| line.contains('┌')).unwrap();
    let bottom = lines.iter().position(|line| line.contains('└')).unwrap();
    assert_eq!(bottom - top, 5, "four lines in a frame: {lines:#?}");
    let width = lines[top].chars().count();
    for line in &lines[top..=bottom] {
        assert_eq!(line.chars().count(), width, "{line:?} in {lines:#?}");
    }
}

#[test]
fn the_panel_and_log_lines_share_the_screen() {
    let screen = Screen::with("listen --port 0 --bind 127.0.0.1 --oled --recv-size 20");
    let lines = screen.once("panel", |shown| shown.contains('└'));
    let listening = lines.iter().find(|line| line.contains("listening on "));
    let address = listening_address(listening.unwrap());
    let top = lines.iter().position(|line| line.contains('┌')).unwrap();
    assert!(
        lines[top + 1].contains(&format!("│{address} ")),
        "{lines:#?}"
    );
    let socket = loopback_socket();
    for round in 0..3 {
        // Thirty bytes, truncated to twenty.
        let payload = format!("round {round} of datagrams that long");
        socket.send_to(payload.as_bytes(), address).unwrap();
        let row = format!("│round {round} of ");
        let lines = screen.once("datagram on the panel below the warning", |shown| {
            shown.contains("a datagram of 30 bytes") && shown.contains(&row) && shown.contains('└')
        });
        shows_one_panel(&lines, address);
    }
    screen.tmux(&["send-keys", "C-c"]);
    let lines = screen.once("summary", |shown| shown.contains("3 truncated"));
    shows_one_panel(&lines, address);
}
