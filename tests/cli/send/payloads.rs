//! The forms of a payload: messages, lines, files, hex digits, sizes, encodings.

use super::*;

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
