//! The figures of `listen --seq` in JSON: of each interval, of each sender, and of all together.

use std::net::UdpSocket;

use serde_json::Value;

use crate::support::{Listener, Running, loopback_socket, run, udpcli};

/// A datagram of `send --size` with this number, sent at this many ms.
fn sequenced(number: u64, ms: u64) -> Vec<u8> {
    let sent = 1_700_000_000_000_000_000 + ms * 1_000_000;
    [&number.to_be_bytes()[..], &sent.to_be_bytes(), b"filler"].concat()
}

/// A listener with the summary for people, in any language.
fn for_people(args: &[&str]) -> Listener {
    let fixed = [
        "listen",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "--seq",
        "--format",
        "raw",
    ];
    let mut running = Running::spawn(&mut udpcli([&fixed[..], args].concat()));
    let line = running.stderr_line_with("127.0.0.1:");
    let (_, port) = line.split_once("127.0.0.1:").unwrap();
    let digits = port
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(port.len());
    let address = format!("127.0.0.1:{}", &port[..digits]).parse().unwrap();
    Listener { running, address }
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

/// The objects of one interval after the other that heard something.
fn intervals(stderr: &str) -> Vec<Value> {
    let stats = objects(stderr, "stats").into_iter();
    stats
        .map(|stats| stats["interval"].clone())
        .filter(|interval| interval["datagrams"] != 0)
        .collect()
}

/// 0 to 3 and 5 to 7, a report, then 4 and 8: no interval has a negative loss, neither has a sender nor the total. Two
/// senders do this, one after the other and then both at once.
#[test]
fn no_interval_has_a_negative_loss() {
    let mut listener = listener(&["--stats", "100ms"]);
    let senders = [loopback_socket(), loopback_socket()];
    let mut wait = |count: u64| {
        let line = format!("\"datagrams\":{count},");
        // The counts of the interval come first, so that a line with this total is a report of its own.
        let wanted = |line: &Value| line["stats"]["datagrams"] == count;
        loop {
            let said = listener.running.stderr_line_with(&line);
            let said: Value = serde_json::from_str(&said).unwrap();
            if wanted(&said) {
                return said["stats"].clone();
            }
        }
    };
    for (sender, before) in senders.iter().zip([0, 9]) {
        for &number in &[0, 1, 2, 3, 5, 6, 7] {
            sender
                .send_to(&sequenced(number, number), listener.address)
                .unwrap();
        }
        let first = wait(before + 7);
        assert_eq!(first["lost"], 1, "{first}");
        let of = |stats: &Value| {
            let from = sender.local_addr().unwrap().to_string();
            let senders = stats["senders"].as_array().unwrap();
            senders.iter().find(|one| one["from"] == *from).unwrap()["lost"].clone()
        };
        assert_eq!(of(&first), 1, "{first}");
        for number in [4, 8] {
            sender
                .send_to(&sequenced(number, number), listener.address)
                .unwrap();
        }
        let second = wait(before + 9);
        assert_eq!(
            (&second["lost"], of(&second)),
            (&0.into(), 0.into()),
            "{second}"
        );
    }
    let end = listener.running.interrupt().expect_code(0);
    let intervals = intervals(&end.stderr);
    // Datagrams of one go may be in two reports, so sums are compared; each count is a number without a sign.
    let sum = |key: &str| -> u64 {
        intervals
            .iter()
            .map(|part| part[key].as_u64().expect("not negative"))
            .sum()
    };
    assert_eq!(
        (sum("datagrams"), sum("recovered"), sum("reordered")),
        (18, 2, 2),
        "{intervals:?}"
    );
    assert_eq!(sum("lost") - sum("recovered"), 0, "{intervals:?}");
    let summary = &objects(&end.stderr, "summary")[0];
    assert_eq!(summary["lost"], 0, "{summary}");
    assert_eq!(summary["bursts"]["count"], 0);
    for sender in summary["senders"].as_array().unwrap() {
        assert_eq!(
            (&sender["lost"], &sender["reordered"]),
            (&0.into(), &1.into())
        );
    }
}

/// What JSON has, a person reads too; a figure without a value is not mentioned.
#[test]
fn the_text_has_the_figures_that_say_something() {
    for (language, all, interval) in [
        (
            "en",
            [
                ", 2 lost, 1 duplicate, 2 reordered, ",
                ", reordering extent mean/max 2.5/3, ",
                ", 1 burst of loss of mean/max length 2/2, ",
                ", longest outage ",
                ", jitter 0.",
            ],
            "of those lost before arrived",
        ),
        (
            "zh-CN",
            [
                "，丢失 2 个，重复 1 个，乱序 2 个，",
                "，乱序程度 平均/最大 2.5/3，",
                "，连续丢失 1 次（每次平均/最多 2/2 个），",
                "，最长中断 ",
                "，抖动 ",
            ],
            "之前丢失的又收到",
        ),
    ] {
        let args = ["--lang", language];
        let bad = for_people(&[&args[..], &["-n", "9"]].concat());
        send(
            &loopback_socket(),
            &bad,
            &[9, 12, 13, 10, 11, 14, 17, 17, 18],
        );
        let said = bad.running.finish().expect_code(0).stderr;
        for part in all {
            assert!(said.contains(part), "{part}: {said}");
        }
        let good = for_people(&[&args[..], &["-n", "1"]].concat());
        send(&loopback_socket(), &good, &[0]);
        let said = good.running.finish().expect_code(0).stderr;
        for part in &all[1..] {
            assert!(!said.contains(part), "{part}: {said}");
        }
        // A number that arrives in a later interval.
        let mut late = for_people(&[&args[..], &["--stats", "100ms"]].concat());
        let socket = loopback_socket();
        send(&socket, &late, &[0, 2]);
        late.running.stderr_line_with(match language {
            "en" => ", 1 lost, ",
            _ => "，丢失 1 个，",
        });
        send(&socket, &late, &[1]);
        late.running.stderr_line_with(interval);
        late.running.interrupt().expect_code(0);
    }
}

/// Percentiles beyond the 99th need enough datagrams.
#[test]
fn the_text_has_the_tail_of_the_delay_if_there_are_enough() {
    for (count, tail) in [("999", None), ("1000", Some("p99.9 "))] {
        let listener = for_people(&["-n", count]);
        let to = listener.address.to_string();
        run(["send", &to, "--size", "64", "-n", count, "--rate", "20000"]).expect_code(0);
        let said = listener.running.finish().expect_code(0).stderr;
        let clause = tail.map(|tail| format!(", one-way delay {tail}"));
        assert_eq!(
            said.contains("one-way delay p99.9"),
            clause.is_some(),
            "{said}"
        );
        if let Some(clause) = clause {
            assert!(said.contains(&clause), "{said}");
        }
    }
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
