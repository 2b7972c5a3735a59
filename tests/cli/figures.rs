//! The figures of `listen --seq` in JSON: of each interval, of each sender, and of all together.

use std::net::UdpSocket;

use serde_json::Value;

use crate::support::{Listener, loopback_socket, run};

/// A datagram of `send --size` with this number, sent at this many ms.
fn sequenced(number: u64, ms: u64) -> Vec<u8> {
    let sent = 1_700_000_000_000_000_000 + ms * 1_000_000;
    [&number.to_be_bytes()[..], &sent.to_be_bytes(), b"filler"].concat()
}

fn listener(args: &[&str]) -> Listener {
    let fixed = [
        "--bind",
        "127.0.0.1",
        "--seq",
        "--format",
        "raw",
        "--summary",
        "json",
    ];
    Listener::start([&fixed[..], args].concat())
}

/// The objects of JSON lines with this key.
fn objects(stderr: &str, key: &str) -> Vec<Value> {
    let lines = stderr.lines().filter(|line| line.starts_with('{'));
    let objects = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    objects
        .filter_map(|object| object.get(key).cloned())
        .collect()
}

fn send(socket: &UdpSocket, listener: &Listener, numbers: &[u64]) {
    for &number in numbers {
        socket
            .send_to(&sequenced(number, number), listener.address)
            .unwrap();
    }
}

/// 0 to 3 and 5 to 7, a report, then 4 and 8: the loss of the second interval is not negative.
#[test]
fn no_interval_has_a_negative_loss() {
    let mut listener = listener(&["--stats", "100ms"]);
    let socket = loopback_socket();
    send(&socket, &listener, &[0, 1, 2, 3, 5, 6, 7]);
    listener.running.stderr_line_with("\"datagrams\":7,");
    send(&socket, &listener, &[4, 8]);
    listener.running.stderr_line_with("\"datagrams\":9,");
    let end = listener.running.interrupt().expect_code(0);
    let intervals: Vec<Value> = objects(&end.stderr, "stats")
        .iter()
        .map(|stats| stats["interval"].clone())
        .collect();
    let sum = |key: &str| -> u64 {
        intervals
            .iter()
            .map(|part| part[key].as_u64().unwrap())
            .sum()
    };
    assert_eq!(
        (sum("datagrams"), sum("lost"), sum("recovered")),
        (9, 1, 1),
        "{intervals:?}"
    );
    assert_eq!(sum("reordered"), 1);
    let summary = &objects(&end.stderr, "summary")[0];
    assert_eq!(summary["lost"], 0, "{summary}");
    assert_eq!(summary["bursts"]["count"], 0);
}

#[test]
fn each_sender_has_its_figures_and_the_total_those_of_all() {
    let listener = listener(&["-n", "13"]);
    let (good, bad) = (loopback_socket(), loopback_socket());
    // One after the other, so that the kernel does not mix them.
    send(&good, &listener, &[0, 1, 2, 3]);
    // 10 and 11 come after 12 and 13; 15 and 16 are lost; 17 comes twice.
    send(&bad, &listener, &[9, 12, 13, 10, 11, 14, 17, 17, 18]);
    let end = listener.running.finish().expect_code(0);
    let summary = &objects(&end.stderr, "summary")[0];
    let senders = summary["senders"].as_array().unwrap();
    let of = |socket: &UdpSocket| {
        let from = socket.local_addr().unwrap().to_string();
        senders
            .iter()
            .find(|sender| sender["from"] == *from)
            .unwrap()
    };
    assert_eq!(senders.len(), 2);
    assert_eq!(
        (&of(&good)["lost"], &of(&good)["datagrams"]),
        (&0.into(), &4.into())
    );
    let bad = of(&bad);
    let counts = ["datagrams", "lost", "duplicate", "reordered", "extent_max"]
        .map(|key| bad[key].as_u64().unwrap());
    assert_eq!(counts, [9, 2, 1, 2, 3], "{bad}");
    assert_eq!(bad["extent_mean"], 2.5);
    assert_eq!(
        bad["bursts"]["lengths"],
        serde_json::json!([[1, 0], [2, 1]])
    );
    assert_eq!(summary["bursts"]["max"], 2);
    assert!(bad["jitter"].as_f64().unwrap() > 0.0, "{bad}");
    assert_eq!(
        senders[0], *bad,
        "the one with the most datagrams comes first"
    );
}

/// A sender's own figures, for a complete stream.
#[test]
fn a_whole_stream_has_no_loss_and_its_rate() {
    let listener = listener(&["-n", "100"]);
    let to = listener.address.to_string();
    run(["send", &to, "--size", "64", "-n", "100", "--rate", "500"]).expect_code(0);
    let end = listener.running.finish().expect_code(0);
    let summary = &objects(&end.stderr, "summary")[0];
    let sender = &summary["senders"][0];
    assert_eq!(summary["bursts"]["count"], 0, "{summary}");
    assert_eq!(
        (&sender["lost"], &sender["extent_max"]),
        (&0.into(), &0.into())
    );
    assert_eq!(sender["longest_outage"], 0.0);
    assert!(sender["rate"].as_f64().unwrap() > 0.0, "{sender}");
}
