//! Datagrams between the Windows program and Linux, both ways.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use crate::support::{
    DEADLINE, Finished, Listener, Running, address_of, loopback_socket, receive, receive_payloads,
    run_with_input, socket_on,
};
use crate::{as_windows_writes, deep_folder, windows};

/// Runs it to its end.
#[track_caller]
fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Option<Finished> {
    Some(Running::spawn(&mut windows(args)?).finish())
}

/// Starts `udpcli.exe listen --port 0 ARGS` and waits until it listens.
#[track_caller]
fn listen<S: AsRef<OsStr> + Debug>(args: impl IntoIterator<Item = S>) -> Option<Listener> {
    let mut command = windows(["listen", "--port", "0"])?;
    Some(Listener::spawn(command.args(args)))
}

/// The answers of a listener to this payload.
#[track_caller]
fn ask(socket: &UdpSocket, payload: &[u8], listener: SocketAddr) -> Vec<u8> {
    socket.send_to(payload, listener).unwrap();
    let (answer, from) = receive(socket);
    assert_eq!(from.port(), listener.port());
    answer
}

#[test]
fn it_hears_linux_and_answers() {
    for (bind, own) in [
        ("127.0.0.1", "127.0.0.1:0"),
        ("::1", "[::1]:0"),
        ("::", "[::1]:0"),
    ] {
        let Some(listener) = listen(["--bind", bind, "--echo", "-n", "3"]) else {
            return;
        };
        let socket = socket_on(own);
        let long: Vec<u8> = (0..60_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        for payload in ["你好\r\n".as_bytes(), b"", &long] {
            assert_eq!(ask(&socket, payload, listener.address), payload, "{bind}");
        }
        let finished = listener.running.finish().expect_code(0);
        let port = socket.local_addr().unwrap().port();
        let text = finished.text();
        let first = text.lines().next().unwrap();
        assert!(first.ends_with(&format!(":{port} 8 你好\\r\\n")), "{first}");
        assert!(
            finished.stderr.contains("3 datagrams"),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn an_ipv6_wildcard_hears_ipv4_too() {
    let Some(listener) = listen(["--bind", "::", "-n", "2", "--format", "json"]) else {
        return;
    };
    for (own, to) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1")] {
        let to = SocketAddr::new(to.parse().unwrap(), listener.port());
        socket_on(own).send_to(b"hello", to).unwrap();
    }
    let text = listener.running.finish().expect_code(0).text();
    assert!(text.contains(r#""from":"127.0.0.1:"#), "{text}");
    assert!(text.contains(r#""from":"[::1]:"#), "{text}");
}

#[test]
fn linux_hears_it_and_it_hears_the_reply() {
    for own in ["127.0.0.1:0", "[::1]:0"] {
        let socket = socket_on(own);
        let peer = address_of(&socket);
        let Some(mut command) = windows(["send", &peer, "你好", "-w", "20s", "--replies", "1"])
        else {
            return;
        };
        let running = Running::spawn(&mut command);
        let (payload, from) = receive(&socket);
        assert_eq!(payload, "你好".as_bytes());
        socket.send_to("收到\x1b[31m\r\n".as_bytes(), from).unwrap();
        let finished = running.finish().expect_code(0);
        assert!(finished.text().contains("收到"), "{}", finished.text());
        assert!(finished.stderr.contains("RTT"), "{}", finished.stderr);
    }
}

#[test]
fn lines_from_a_pipe_lose_their_crlf() {
    let socket = loopback_socket();
    let Some(command) = windows(["send", &address_of(&socket)]) else {
        return;
    };
    run_with_input(command, "one\r\n\r\n二\nlast".as_bytes()).expect_code(0);
    let payloads = receive_payloads(&socket, 4);
    assert_eq!(payloads, [&b"one"[..], b"", "二".as_bytes(), b"last"]);
}

#[test]
fn numbered_datagrams_arrive_whole_and_in_order() {
    let Some(listener) = listen([
        "--bind",
        "127.0.0.1",
        "--seq",
        "-n",
        "500",
        "--format",
        "json",
    ]) else {
        return;
    };
    let peer = listener.address.to_string();
    let sent = run([
        "send", &peer, "--size", "1400", "-n", "500", "--rate", "1000",
    ])
    .unwrap();
    sent.expect_code(0);
    let finished = listener.running.finish().expect_code(0);
    assert!(finished.stderr.contains("0 lost"), "{}", finished.stderr);
    assert_eq!(finished.text().lines().count(), 500);
}

/// Windows gives an error (10040) for a datagram that does not fit, and no datagram.
#[test]
fn a_datagram_longer_than_the_receive_size_is_cut_and_said() {
    let Some(listener) = listen([
        "--bind",
        "127.0.0.1",
        "--recv-size",
        "1024",
        "-n",
        "3",
        "--format",
        "json",
    ]) else {
        return;
    };
    let socket = loopback_socket();
    for len in [1024, 1025, 65_507] {
        socket.send_to(&vec![b'x'; len], listener.address).unwrap();
    }
    let finished = listener.running.finish().expect_code(0);
    let text = finished.text();
    let cut: Vec<bool> = text
        .lines()
        .map(|line| line.contains(r#""truncated":true"#))
        .collect();
    assert_eq!(cut, [false, true, true], "{text}");
    assert!(
        finished.stderr.contains("2 truncated"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_payload_that_no_datagram_holds_is_a_usage_error() {
    let Some(finished) = run(["send", "127.0.0.1:9", "--size", "65508"]) else {
        return;
    };
    finished.expect_code(2);
}

/// Windows tells a socket that an answer was refused with its next receive (10054). Wine does not, so this proves only
/// that answering a closed port does no harm.
#[test]
fn a_listener_outlives_those_it_answers() {
    let Some(listener) = listen(["--bind", "127.0.0.1", "--echo"]) else {
        return;
    };
    for _ in 0..20 {
        let gone = loopback_socket();
        gone.send_to(b"answer me", listener.address).unwrap();
    }
    let socket = loopback_socket();
    assert_eq!(
        ask(&socket, b"still there?", listener.address),
        b"still there?"
    );
    let finished = listener.running.interrupt().expect_code(0);
    assert!(
        finished.stderr.contains("21 datagrams"),
        "{}",
        finished.stderr
    );
}

#[test]
fn two_listeners_need_reuse_addr_and_reuse_port_is_not_there() {
    let Some(first) = listen(["--bind", "127.0.0.1", "--reuse-addr"]) else {
        return;
    };
    let port = first.port().to_string();
    let again = |flags: &[&str]| {
        let args = [
            "listen",
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--timeout",
            "200ms",
        ];
        run([&args, flags].concat()).unwrap()
    };
    again(&["--reuse-addr"]).expect_code(1);
    let refused = again(&[]).expect_code(3);
    assert!(refused.stderr.contains("cannot bind"), "{}", refused.stderr);
    let lacking = again(&["--reuse-port"]).expect_code(3);
    assert!(
        lacking
            .stderr
            .contains("this system has no SO_REUSEPORT; --reuse-addr is what it has"),
        "{}",
        lacking.stderr
    );
    let lacking = again(&["--interface", "lo"]);
    assert_eq!(lacking.code, Some(3), "{}", lacking.stderr);
}

/// `SO_REUSEADDR` on one side only: Windows denies the port (10013), for another reason than other systems have.
#[test]
fn a_port_that_is_not_shared_says_what_sharing_takes() {
    let Some(first) = listen(["--bind", "127.0.0.1"]) else {
        return;
    };
    let port = first.port().to_string();
    let args = ["listen", "--bind", "127.0.0.1", "--reuse-addr", "--port"];
    let denied = run([&args[..], &[&port]].concat()).unwrap().expect_code(3);
    assert!(
        denied.stderr.contains("both must set --reuse-addr"),
        "{}",
        denied.stderr
    );
}

#[test]
fn it_hears_a_group_and_sends_to_one() {
    let group = Ipv4Addr::new(239, 255, 77, 7);
    let Some(listener) = listen(["--join", &format!("{group}@127.0.0.1"), "-n", "1"]) else {
        return;
    };
    let socket = socket2::SockRef::from(&loopback_socket())
        .try_clone()
        .unwrap();
    socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
    let socket = UdpSocket::from(socket);
    socket.send_to(b"to all", (group, listener.port())).unwrap();
    let text = listener.running.finish().expect_code(0).text();
    assert!(
        text.ends_with("to all\n") || text.ends_with("to all\r\n"),
        "{text}"
    );

    let linux = socket_on("0.0.0.0:0");
    linux
        .join_multicast_v4(&group, &Ipv4Addr::LOCALHOST)
        .unwrap();
    let peer = format!("{group}:{}", linux.local_addr().unwrap().port());
    let flags = [
        "send",
        &peer,
        "from windows",
        "--multicast-if",
        "127.0.0.1",
        "--ttl",
        "0",
    ];
    run(flags).unwrap().expect_code(0);
    assert_eq!(receive(&linux).0, b"from windows");
}

#[test]
fn ctrl_c_ends_in_order() {
    let Some(endless) = listen(["--bind", "127.0.0.1"]) else {
        return;
    };
    loopback_socket().send_to(b"one", endless.address).unwrap();
    let mut endless = endless.running;
    assert!(endless.stdout_line().trim_end().ends_with(" 3 one"));
    let finished = endless.interrupt().expect_code(0);
    assert!(
        finished.stderr.contains("1 datagram,"),
        "{}",
        finished.stderr
    );
    let counted = listen(["--bind", "127.0.0.1", "-n", "1"]).unwrap();
    counted.running.interrupt().expect_code(130);
}

#[test]
fn files_of_any_name_are_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let name = "课堂 1.pcapng";
    let Some(mut command) = windows([
        "listen",
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "-n",
        "1",
        "--save",
        name,
    ]) else {
        return;
    };
    let listener = Listener::spawn(command.current_dir(folder.path()));
    loopback_socket()
        .send_to(b"kept", listener.address)
        .unwrap();
    listener.running.finish().expect_code(0);
    let saved = std::fs::read(folder.path().join(name)).unwrap();
    assert!(saved.windows(4).any(|bytes| bytes == b"kept"));

    let socket = loopback_socket();
    let mut command = windows(["send", &address_of(&socket), "--file", name]).unwrap();
    Running::spawn(command.current_dir(folder.path()))
        .finish()
        .expect_code(0);
    assert_eq!(receive(&socket).0, saved);
}

/// Wine has no such limit, so this proves only that udpcli has none.
#[test]
fn a_path_may_be_longer_than_260_characters() {
    let folder = tempfile::tempdir().unwrap();
    let saved = deep_folder(folder.path()).join("课堂 1.pcapng");
    let path = as_windows_writes(&saved);
    let Some(listener) = listen(["--bind", "127.0.0.1", "-n", "1", "--save", &path]) else {
        return;
    };
    loopback_socket()
        .send_to(b"kept", listener.address)
        .unwrap();
    listener.running.finish().expect_code(0);
    let content = std::fs::read(&saved).unwrap();
    assert!(content.windows(4).any(|bytes| bytes == b"kept"));
    let socket = loopback_socket();
    let sent = run(["send", &address_of(&socket), "--file", &path]).unwrap();
    sent.expect_code(0);
    assert_eq!(receive(&socket).0, content);
}

#[test]
fn its_output_in_a_pipe_is_utf8_and_what_came() {
    let Some(listener) = listen(["--bind", "127.0.0.1", "-n", "1", "--format", "raw"]) else {
        return;
    };
    let payload = "你好\n\x00\x1b\r\n".as_bytes();
    loopback_socket()
        .send_to(payload, listener.address)
        .unwrap();
    assert_eq!(listener.running.finish().expect_code(0).stdout, payload);
    assert!(DEADLINE.as_secs() > 0);
}
