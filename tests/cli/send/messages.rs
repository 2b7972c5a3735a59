//! Messages on stderr and the summary.

use super::*;

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

/// A terminal in GBK passes such arguments; nc sends the same bytes.
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
    // Arguments other than messages must be text.
    let mut expect = args(&["hi", "--expect"]);
    expect.push("x".into());
    let finished = run_with_input(udpcli(expect), b"").expect_code(2);
    assert!(finished.stderr.contains("UTF-8"), "{}", finished.stderr);
    nothing_waits(&socket);
}
