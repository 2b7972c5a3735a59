//! Closed ports, addresses, socket options, and flags that contradict each other.

use super::*;

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
