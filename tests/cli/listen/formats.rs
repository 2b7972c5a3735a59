//! The exact output of every format.

use super::*;

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
