//! `send`: payload forms, pace, replies, verdicts.

use crate::support::{Listener, loopback_socket, receive, run};

#[test]
fn each_message_is_one_datagram() {
    let socket = loopback_socket();
    let peer = socket.local_addr().unwrap().to_string();
    run(["send", &peer, "-e", r"hello\r\n", "", r"\xff"]).expect_code(0);
    assert_eq!([receive(&socket).0, receive(&socket).0, receive(&socket).0], [&b"hello\r\n"[..], b"", b"\xff"]);
}

#[test]
fn a_closed_port_is_refused() {
    let peer = loopback_socket().local_addr().unwrap().to_string();
    let finished = run(["send", &peer, "hello"]).expect_code(1);
    assert!(finished.stderr.contains(&format!("refused: nothing listens on {peer}")), "{}", finished.stderr);
}

#[test]
fn an_echo_is_a_reply() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let finished = run(["send", &peer, "ping", "--expect", "ping", "--wait", "10s", "--format", "raw"]).expect_code(0);
    assert_eq!(finished.text(), "ping");
}
