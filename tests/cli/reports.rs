//! Bugs that people reported about other UDP programs, tested on udpcli. Each test names the kind of fault and the
//! program that had it.

use std::net::UdpSocket;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Listener, Running, address_of, bash, loopback_socket, nothing_waits, receive, receive_payloads,
    run, run_in_namespace, run_with_input, udpcli,
};

/// The text of the next line of `listen --format json`.
#[track_caller]
fn next_text(listener: &mut Listener) -> String {
    let line = listener.running.stdout_line();
    let object: Value = serde_json::from_str(&line).unwrap();
    object["text"].as_str().unwrap().to_owned()
}

/// A listener that is bound to its first sender. ncat, nc (OpenBSD), toybox nc: the socket is connected to the first
/// sender, and every later client is refused or ignored.
#[test]
fn a_listener_hears_every_client_and_not_only_the_first() {
    let mut listener = Listener::start(["--bind", "127.0.0.1", "--format", "json", "--echo"]);
    for number in 0..20 {
        // A new port each time, as each run of a client has.
        let client = loopback_socket();
        let text = format!("client {number}");
        client.send_to(text.as_bytes(), listener.address).unwrap();
        assert_eq!(next_text(&mut listener), text);
        assert_eq!(receive(&client).0, text.as_bytes(), "the answer");
    }
    // The first client has left: the ICMP errors about it must not end the listener.
    listener.running.interrupt().expect_code(0);
}

/// The standard input of a listener decides when it ends. ncat -l with data piped in ends or refuses its client.
#[test]
fn a_listener_does_not_read_its_standard_input() {
    for input in ["</dev/null", "<<<testdata", "<&-"] {
        let line = format!("\"$0\" listen --bind 127.0.0.1 --port 0 --format json -n 1 {input}");
        let mut listener = Listener::spawn(&mut bash::<&str>(&line, []));
        let client = loopback_socket();
        client.send_to(b"otherdata", listener.address).unwrap();
        assert_eq!(next_text(&mut listener), "otherdata", "{input}");
        listener.running.finish().expect_code(0);
        nothing_waits(&client);
    }
}

/// The end of standard input ends the wait for the reply. ncat -u: a request that is piped in gets no answer, because
/// the program has ended before the answer comes; others wait for ever.
#[test]
fn a_piped_request_gets_its_late_reply_and_the_run_ends_with_it() {
    let server = loopback_socket();
    let peer = address_of(&server);
    let answering = std::thread::spawn(move || {
        let (request, client) = receive(&server);
        assert_eq!(request, b"time?");
        std::thread::sleep(Duration::from_millis(700));
        server.send_to(b"late", client).unwrap();
    });
    let begun = Instant::now();
    let args = ["send", &peer, "-w", "30s", "--format", "raw"];
    let finished = run_with_input(udpcli(args), b"time?\n").expect_code(0);
    assert_eq!(finished.stdout, b"late");
    assert!(begun.elapsed() < Duration::from_secs(20), "it waited on");
    answering.join().unwrap();
}

/// Lines that are run together. ncat -u --send-only sends a log file as blocks of its buffer's size, and the server sees
/// several lines in a datagram, or half of one.
#[test]
fn a_log_file_goes_out_line_by_line_whatever_its_size() {
    let listener = Listener::start(["--bind", "127.0.0.1", "-n", "3000", "--format", "json"]);
    let lines: Vec<String> = (0..3000)
        .map(|number| format!("<14>line {number} {}", "x".repeat(number % 200)))
        .collect();
    let input = lines.join("\n") + "\n";
    let peer = listener.address.to_string();
    let args = ["send", &peer, "--lines", "--rate", "20000"];
    run_with_input(udpcli(args), input.as_bytes()).expect_code(0);
    let text = listener.running.finish().expect_code(0).text();
    let heard: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["text"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(heard == lines, "{} lines", heard.len());
}

/// An empty datagram taken for the end. socat and some servers take a datagram of no bytes for end-of-file and leave; socat
/// sends one by itself when its input ends.
#[test]
fn an_empty_datagram_ends_nothing_and_none_is_sent_unasked() {
    let mut listener = Listener::start(["--bind", "127.0.0.1", "--format", "json", "--echo"]);
    let client = loopback_socket();
    for text in ["before", "", "after"] {
        client.send_to(text.as_bytes(), listener.address).unwrap();
        assert_eq!(next_text(&mut listener), text);
        assert_eq!(receive(&client).0, text.as_bytes());
    }
    // An empty reply counts as one of the expected replies, not as their end.
    let server = loopback_socket();
    let peer = address_of(&server);
    let mut sender = Running::spawn(
        udpcli([
            "send",
            &peer,
            "hi",
            "--replies",
            "2",
            "-w",
            "30s",
            "--format",
            "hex",
        ])
        .stdin(Stdio::null()),
    );
    let (_, from) = receive(&server);
    server.send_to(b"", from).unwrap();
    assert!(sender.stdout_line().ends_with(" 0\n"));
    server.send_to(b"x", from).unwrap();
    sender.finish().expect_code(0);
    // The end of the input is not a datagram.
    run_with_input(udpcli(["send", &peer]), b"one\ntwo").expect_code(0);
    assert_eq!(receive_payloads(&server, 2), [b"one", b"two"]);
    nothing_waits(&server);
}

/// Replies from another port than the one that was asked. Devices and gateways answer from a port of their own (TFTP, CoAP,
/// cameras); clients that connect their socket never see it, and their kernel tells the device *port unreachable*.
#[cfg(target_os = "linux")]
#[test]
fn a_reply_from_another_port_of_the_device_is_shown_with_that_port() {
    let asked = loopback_socket();
    let other = loopback_socket();
    let peer = address_of(&asked);
    let mut sender =
        Running::spawn(udpcli(["send", &peer, "hi", "-w", "30s"]).stdin(Stdio::null()));
    let (_, from) = receive(&asked);
    other.send_to(b"from elsewhere", from).unwrap();
    let line = sender.stdout_line();
    assert!(
        line.contains(&format!(" {} 14 from elsewhere", address_of(&other))),
        "{line}"
    );
    sender.finish().expect_code(0);
}

/// Bursts in place of an even rate. iperf3 -u sent what was due in a tenth of a second at once, so that routers dropped it.
#[cfg(target_os = "linux")]
#[test]
fn a_rate_is_even_and_has_no_bursts() {
    let listener = Listener::start(["--bind", "127.0.0.1", "-n", "500", "--format", "json"]);
    let peer = listener.address.to_string();
    run(["send", &peer, "--size", "100", "--rate", "500", "-n", "500"]).expect_code(0);
    let text = listener.running.finish().expect_code(0).text();
    // Use the kernel's clock, so that a delayed reader causes no bursts.
    let times: Vec<jiff::Timestamp> = text
        .lines()
        .map(|line| {
            let object: Value = serde_json::from_str(line).unwrap();
            object["time"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    // 2 ms each; in bursts of 50 nearly all would be nothing. A busy machine holds up some.
    let even = times
        .windows(2)
        .filter(|pair| pair[0].duration_until(pair[1]).as_micros() > 1000)
        .count();
    assert!(even > 250, "{even} of 499 gaps are even");
    let took = times[0].duration_until(times[499]);
    assert!(took.as_millis() > 950, "{took}");
}

/// Counts that go negative, or lose what came late. iperf3: datagrams out of order are counted as lost for good, and a
/// counter of 32 bits wraps to minus 800,000 lost.
#[test]
fn loss_is_never_negative_and_what_comes_late_is_not_lost() {
    let listener = Listener::start([
        "--bind",
        "127.0.0.1",
        "--seq",
        "--summary",
        "json",
        "--format",
        "raw",
    ]);
    let client = loopback_socket();
    let send = |number: u64| {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let sent = u64::try_from(now.as_nanos()).unwrap();
        let payload = [number.to_be_bytes(), sent.to_be_bytes()].concat();
        client.send_to(&payload, listener.address).unwrap();
    };
    // Over the end of 32 bits, the second half of each ten before the first.
    let first = u64::from(u32::MAX) - 50;
    for ten in 0..10 {
        for number in [5, 6, 7, 8, 9, 0, 1, 2, 3, 4] {
            send(first + ten * 10 + number);
        }
    }
    let end = listener.running.interrupt().expect_code(0);
    let line = end
        .stderr
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap();
    let summary: Value = serde_json::from_str(line).unwrap();
    let summary = &summary["summary"];
    assert_eq!(summary["datagrams"], 100, "{summary}");
    assert_eq!(summary["lost"], 0, "{summary}");
    assert_eq!(summary["duplicate"], 0, "{summary}");
    assert!(summary["reordered"].as_u64().unwrap() >= 10, "{summary}");
}

/// A closed port ends the receiver. Windows' 10054 and Linux' *connection refused* about one datagram end the receive
/// loop of many servers and clients; later datagrams are not received.
#[test]
fn an_answer_that_nobody_takes_does_not_end_the_listener() {
    let mut listener = Listener::start(["--bind", "127.0.0.1", "--format", "json", "--echo"]);
    for round in 0..50 {
        // Closed before its answer comes.
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap();
        gone.send_to(b"gone", listener.address).unwrap();
        drop(gone);
        let client = loopback_socket();
        client.send_to(b"here", listener.address).unwrap();
        assert_eq!(next_text(&mut listener), "gone", "{round}");
        assert_eq!(next_text(&mut listener), "here", "{round}");
        assert_eq!(receive(&client).0, b"here", "{round}");
    }
    let end = listener.running.interrupt().expect_code(0);
    assert!(!end.stderr.contains("error"), "{}", end.stderr);
}

/// Long datagrams cut in silence. samplicator copied the first 1,500 bytes, nc's buffer is 16 KiB, ncat on Windows
/// fails without end: no message reports the missing part.
#[test]
fn a_datagram_of_any_length_comes_whole_and_one_that_is_cut_says_so() {
    let mut listener = Listener::start(["--bind", "127.0.0.1", "--format", "json"]);
    let client = loopback_socket();
    for len in [1_500, 1_501, 9_000, 16_385, 65_507] {
        let text = "x".repeat(len);
        client.send_to(text.as_bytes(), listener.address).unwrap();
        assert!(next_text(&mut listener) == text, "{len}");
    }
    listener.running.interrupt().expect_code(0);
    let mut cutting = Listener::start([
        "--bind",
        "127.0.0.1",
        "--format",
        "json",
        "--recv-size",
        "512",
    ]);
    client.send_to(&[b'x'; 513], cutting.address).unwrap();
    let object: Value = serde_json::from_str(&cutting.running.stdout_line()).unwrap();
    assert_eq!(object["truncated"], true);
    let end = cutting.running.interrupt().expect_code(0);
    assert!(end.stderr.contains("1 truncated"), "{}", end.stderr);
}

/// Output that waits in a buffer. Many listeners write to a pipe by blocks of 4 KiB: `| grep` shows nothing for minutes.
#[test]
fn a_pipe_gets_each_datagram_when_it_comes() {
    for format in ["text", "board", "hex", "json", "raw"] {
        let line = format!(
            "\"$0\" listen --bind 127.0.0.1 --port 0 -n 2 --format {format} --separator '\\n' | grep --line-buffered hello"
        );
        let line = if format == "raw" {
            line
        } else {
            line.replace(" --separator '\\n'", "")
        };
        let mut listener = Listener::spawn(&mut bash::<&str>(&line, []));
        let client = loopback_socket();
        client.send_to(b"hello", listener.address).unwrap();
        // udpcli still waits for the second datagram, which ends the whole pipe.
        assert!(listener.running.stdout_line().contains("hello"), "{format}");
        client.send_to(b"hello", listener.address).unwrap();
        listener.running.finish().expect_code(0);
    }
}

/// Reported as sent, although nothing was sent: Packet Sender did this for groups, and for adapters without a route.
#[test]
fn what_cannot_leave_is_not_reported_as_sent() {
    // No route: a namespace of its own has none.
    let script = "\"$0\" send 235.168.11.100:9760 hi";
    let Some(refused) = run_in_namespace(script, "") else {
        return;
    };
    let stderr = &refused.stderr;
    assert_eq!(refused.code, Some(3), "{stderr}");
    assert!(
        stderr.contains("cannot send to 235.168.11.100:9760"),
        "{stderr}"
    );
    assert!(!stderr.contains("1 datagram,"), "{stderr}");
    let refused = run([
        "send",
        "127.0.0.1:9",
        "hi",
        "--bind",
        "127.0.0.1",
        "-w",
        "200ms",
        "--interface",
        "nosuch",
    ]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
}

/// Sends `hi` from port 0 and then from port 5555 to 127.0.0.1:7000, past the sockets.
#[cfg(target_os = "linux")]
const FROM_PORT_0: &str = "
import socket, struct
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
for source in (0, 5555):
    raw.sendto(struct.pack('!HHHH', source, 7000, 10, 0) + b'hi', ('127.0.0.1', 0))
";

/// A sender that cannot be answered. Datagrams with source port 0 (scanners, broken NAT) made UDP servers fail at the answer,
/// or log without end.
#[cfg(target_os = "linux")]
#[test]
fn a_sender_with_port_0_is_shown_and_not_answered() {
    let script = "ip link set lo up && { \"$0\" listen --bind 127.0.0.1 --port 7000 --echo -n 2 --format json & } \
                  && until grep -q ' 0100007F:1B58 ' /proc/net/udp; do sleep 0.01; done && python3 -c \"$1\" && wait";
    let Some(output) = run_in_namespace(script, FROM_PORT_0) else {
        return;
    };
    let (stdout, stderr) = (output.text(), output.stderr);
    let from: Vec<String> = stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["from"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(from, ["127.0.0.1:0", "127.0.0.1:5555"], "{stderr}");
    assert!(stderr.contains("1 answered, 1 not answered"), "{stderr}");
    assert!(!stderr.contains("error"), "{stderr}");
}
