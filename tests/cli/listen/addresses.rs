//! Addresses and ports to listen on, and usage errors.

use super::*;

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
