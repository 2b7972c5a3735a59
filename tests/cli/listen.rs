//! `listen`: the exact output of every format, the ways to end, sender filters, answers, and statistics.

mod addresses;
mod answers;
mod counts;
mod ends;
mod formats;
mod messages;
mod on_terminal;
mod summary;

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

fn interrupt(child: &Child) {
    signal(child, "INT");
}

fn signal(child: &Child, name: &str) {
    let (signal, pid) = (format!("-{name}"), child.id().to_string());
    let sent = Command::new("kill").args([signal, pid]).status().unwrap();
    assert!(sent.success());
}
