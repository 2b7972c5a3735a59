//! `send`: payload forms, pacing, replies, results, and log messages.

mod messages;
mod pace;
mod payloads;
mod replies;
mod socket;

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
