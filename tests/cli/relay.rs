//! `udpcli relay`: boundaries, order and the way back, faults that a seed repeats, bounds, and how it ends.
//!
//! Long because each fault and each bound has a test with real peers.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use udpcli::udp::relay::fate::{Direction, Fate, Impairment};

use crate::support::{
    Finished, Listener, Running, address_of, eventually, listening_address, loopback_socket,
    nothing_waits, receive, receive_payloads, refusing_socket, run, run_in_namespace, socket_on,
    udpcli,
};

/// A running relay.
struct Relay {
    running: Running,
    address: SocketAddr,
}

impl Relay {
    #[track_caller]
    fn start(targets: &[&UdpSocket], args: &[&str]) -> Self {
        let mut command = udpcli(["relay", "--listen", "127.0.0.1:0", "--summary", "json"]);
        for target in targets {
            command.args(["--to", &address_of(target)]);
        }
        let mut running = Running::spawn(command.args(args).stdin(Stdio::null()));
        let address = listening_address(&running.stderr_line_with("listening on "));
        Self { running, address }
    }

    /// A client of this relay.
    fn client(&self) -> UdpSocket {
        let socket = loopback_socket();
        socket.connect(self.address).unwrap();
        socket
    }

    /// Interrupts the relay; returns its summary.
    #[track_caller]
    fn end(self) -> (Value, Finished) {
        let finished = self.running.interrupt().expect_code(0);
        (summary(&finished), finished)
    }
}

#[track_caller]
fn summary(finished: &Finished) -> Value {
    let line = finished
        .stderr
        .lines()
        .find(|line| line.starts_with("{\"summary\""));
    let line = line.unwrap_or_else(|| panic!("no summary: {}", finished.stderr));
    serde_json::from_str::<Value>(line).unwrap()["summary"].clone()
}

/// Sends numbered datagrams through a relay, and gives the numbers that arrive, in their order, and the summary.
/// `expected` is how many arrive. A receive buffer has room for all of them.
#[track_caller]
fn through(count: u32, expected: usize, args: &[&str]) -> (Vec<u32>, Value) {
    let target = loopback_socket();
    let relay = Relay::start(&[&target], args);
    let client = relay.client();
    for number in 0..count {
        client.send(&number.to_be_bytes()).unwrap();
    }
    let numbers = receive_payloads(&target, expected)
        .into_iter()
        .map(|payload| u32::from_be_bytes(payload.try_into().unwrap()))
        .collect();
    let (summary, _) = relay.end();
    nothing_waits(&target);
    (numbers, summary)
}

/// How many datagrams arrive, according to their fates.
fn arriving(count: u64, seed: u64, path: &Impairment) -> usize {
    let fates = (0..count).map(|index| Fate::of(seed, Direction::Forward, index, path));
    fates
        .filter(|fate| !fate.is_dropped)
        .map(|fate| 1 + usize::from(fate.is_doubled))
        .sum()
}

#[test]
fn datagrams_keep_boundaries_and_order_and_replies_find_their_client() {
    let target = loopback_socket();
    let relay = Relay::start(&[&target], &["--rate", "max"]);
    let clients = [relay.client(), relay.client()];
    let longest = vec![8; 65_507];
    let payloads: [&[u8]; 6] = [b"a", b"", b"bc", &[7; 9000], b"", &longest];
    for payload in payloads {
        clients[0].send(payload).unwrap();
    }
    let mut session = None;
    for payload in payloads {
        let (came, from) = receive(&target);
        assert_eq!(came, payload);
        assert_eq!(*session.get_or_insert(from), from, "one session per client");
        target.send_to(&came, from).unwrap();
    }
    assert_eq!(receive_payloads(&clients[0], 6), payloads);
    clients[1].send(b"other").unwrap();
    let (came, from) = receive(&target);
    assert_eq!(came, b"other");
    assert_ne!(session, Some(from), "another session");
    target.send_to(b"to the second", from).unwrap();
    target.send_to(b"to the first", session.unwrap()).unwrap();
    assert_eq!(receive(&clients[1]).0, b"to the second");
    assert_eq!(receive(&clients[0]).0, b"to the first");
    // Only a target may use a session.
    loopback_socket().send_to(b"stranger", from).unwrap();
    target.send_to(b"again", from).unwrap();
    assert_eq!(receive(&clients[1]), (b"again".to_vec(), relay.address));
    for client in &clients {
        nothing_waits(client);
    }
    let (summary, finished) = relay.end();
    assert_eq!(finished.text(), "", "stdout is quiet");
    assert_eq!(summary["forward"]["sent"], 7, "{summary}");
    assert_eq!(summary["back"]["sent"], 9, "{summary}");
    assert_eq!(summary["clients"], 2);
}

#[test]
fn every_target_gets_every_datagram_and_a_dead_one_stops_nothing() {
    let (first, second) = (loopback_socket(), loopback_socket());
    let dead = refusing_socket("127.0.0.1:0");
    let mut relay = Relay::start(&[&first, &dead, &second], &[]);
    let client = relay.client();
    for number in 0..20_u8 {
        client.send(&[number]).unwrap();
        for target in [&first, &second] {
            let (came, from) = receive(target);
            assert_eq!(came, [number]);
            target.send_to(&came, from).unwrap();
        }
        assert_eq!(receive_payloads(&client, 2), [[number], [number]]);
    }
    let told = relay
        .running
        .stderr_line_with("refused: nothing listens on ");
    assert!(told.contains(&address_of(&dead)), "{told}");
    let (summary, _) = relay.end();
    let of = |target: usize, key: &str| summary["targets"][target][key].as_u64().unwrap();
    assert_eq!((of(0, "sent"), of(2, "sent")), (20, 20), "{summary}");
    assert!(of(1, "refused") > 0, "{summary}");
    assert_eq!(summary["back"]["sent"], 40);
}

#[test]
fn a_seed_repeats_what_is_lost_doubled_and_swapped() {
    let args = [
        "--rate",
        "max",
        "--drop",
        "10%",
        "--duplicate",
        "10",
        "--reorder",
        "10",
    ];
    let path = Impairment {
        drop: 10.0,
        duplicate: 10.0,
        reorder: 10.0,
        ..Impairment::default()
    };
    let seeded = |seed: u64| {
        let text = seed.to_string();
        let args = [&args[..], &["--random-seed", &text]].concat();
        through(200, arriving(200, seed, &path), &args)
    };
    let (first, summary) = seeded(1);
    let (again, _) = seeded(1);
    assert_eq!(first, again);
    assert_ne!(first, seeded(2).0);
    let count = |key: &str| usize::try_from(summary["forward"][key].as_u64().unwrap()).unwrap();
    let came: HashSet<u32> = first.iter().copied().collect();
    assert_eq!(came.len(), 200 - count("dropped"), "{summary}");
    assert_eq!(first.len(), came.len() + count("duplicated"), "{summary}");
    let swaps = first.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert_eq!(swaps, count("reordered"), "{summary}");
    for key in ["dropped", "duplicated", "reordered"] {
        assert!((5..40).contains(&count(key)), "{key}: {summary}");
    }
    let (all, _) = through(50, 50, &["--rate", "max"]);
    assert!(all.into_iter().eq(0..50), "in order without faults");
}

#[test]
fn a_seed_is_named_and_both_directions_have_faults_with_both() {
    let target = loopback_socket();
    let mut relay = Relay::start(&[&target], &["--drop", "50"]);
    let line = relay.running.stderr_line_with("random seed ");
    let (summary, _) = relay.end();
    let seed = summary["seed"].as_u64().unwrap();
    assert!(line.contains(&format!("--random-seed {seed} ")), "{line}");

    for (both, dropped) in [(&["--both"][..], 3), (&[], 0)] {
        let args = [
            &["--reorder", "0", "--duplicate", "100", "--random-seed", "5"][..],
            both,
        ]
        .concat();
        let relay = Relay::start(&[&target], &args);
        let client = relay.client();
        client.send(b"x").unwrap();
        let (_, from) = receive(&target);
        assert_eq!(receive(&target).0, b"x", "doubled on the way");
        for _ in 0..3 {
            target.send_to(b"y", from).unwrap();
        }
        let expected = 3 + dropped;
        assert_eq!(receive_payloads(&client, expected), vec![b"y"; expected]);
        nothing_waits(&client);
        let (summary, _) = relay.end();
        assert_eq!(summary["back"]["duplicated"], dropped, "{summary}");
    }
}

#[test]
fn delays_and_rates_are_kept() {
    let target = loopback_socket();
    let relay = Relay::start(&[&target], &["--delay", "300ms", "--both"]);
    let client = relay.client();
    let begun = Instant::now();
    client.send(b"x").unwrap();
    let (_, from) = receive(&target);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    target.send_to(b"y", from).unwrap();
    receive(&client);
    assert!(begun.elapsed() >= Duration::from_millis(600));
    // The relay counts datagrams that still wait at its end, but does not wait for them.
    let ended = Instant::now();
    client.send(b"late").unwrap();
    let (summary, _) = relay.end();
    assert!(
        ended.elapsed() < Duration::from_secs(2),
        "within 2 s after Ctrl-C"
    );
    assert_eq!(summary["forward"]["waiting"], 1, "{summary}");

    let relay = Relay::start(&[&target], &["--rate", "10"]);
    let client = relay.client();
    let begun = Instant::now();
    for _ in 0..30 {
        client.send(b"x").unwrap();
    }
    receive_payloads(&target, 5);
    assert!(begun.elapsed() >= Duration::from_millis(390));
    let (summary, _) = relay.end();
    assert!(
        summary["forward"]["over_rate"].as_u64() >= Some(15),
        "{summary}"
    );
}

#[test]
fn a_relay_to_itself_is_refused_in_every_form() {
    let port = {
        let socket = loopback_socket();
        socket.local_addr().unwrap().port()
    };
    let own: Vec<String> = udpcli::udp::interface::own_addresses()
        .into_iter()
        .filter(std::net::IpAddr::is_ipv4)
        .map(|address| format!("{address}:{port}"))
        .collect();
    let fixed = [
        "0.0.0.0",
        "127.0.0.1",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
        "localhost",
    ];
    let fixed = fixed.map(|host| format!("{host}:{port}"));
    for to in own.iter().chain(&fixed) {
        let args = ["relay", "--listen", &port.to_string(), "--to", to].map(str::to_owned);
        let finished = run(args).expect_code(2);
        assert!(
            finished.stderr.contains("relay's own address"),
            "{to}: {}",
            finished.stderr
        );
        assert!(finished.stderr.contains("hint: "), "{to}");
    }
    for (listen, to) in [
        ("[::]", "[::1]"),
        ("[::]", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "0.0.0.0"),
    ] {
        let (listen, to) = (format!("{listen}:{port}"), format!("{to}:{port}"));
        run(["relay", "--listen", &listen, "--to", &to]).expect_code(2);
    }
}

/// 100,000 ports are more than a process may have sockets for: the relay leaves out some clients and goes on.
#[test]
fn a_flood_of_clients_is_bounded() {
    let target = loopback_socket();
    let relay = Relay::start(&[&target], &["--session-timeout", "1s"]);
    let script = "
import socket, sys
to = (sys.argv[1], int(sys.argv[2]))
for number in range(3000):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b'flood', to)
";
    let (host, port) = (
        relay.address.ip().to_string(),
        relay.address.port().to_string(),
    );
    let mut flood = Command::new("python3");
    flood
        .args(["-c", script, &host, &port])
        .stdin(Stdio::null());
    Running::spawn(&mut flood).finish().expect_code(0);
    let descriptors = format!("/proc/{}/fd", relay.running.id());
    if let Ok(open) = std::fs::read_dir(descriptors) {
        assert!(open.count() < 600);
    }
    // A client that comes later is served, once the others are idle.
    let client = relay.client();
    client
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    target
        .set_read_timeout(Some(Duration::from_millis(10)))
        .unwrap();
    let mut buffer = [0; 100];
    let deadline = Instant::now() + Duration::from_secs(50);
    loop {
        assert!(Instant::now() < deadline, "the client is not served");
        client.send(b"hello").unwrap();
        while let Ok((len, from)) = target.recv_from(&mut buffer) {
            if &buffer[..len] == b"hello" {
                target.send_to(b"served", from).unwrap();
            }
        }
        if client.recv(&mut buffer).is_ok() {
            break;
        }
    }
    let (summary, _) = relay.end();
    assert!(
        summary["forward"]["no_session"].as_u64() > Some(0),
        "{summary}"
    );
    assert!(summary["clients"].as_u64() >= Some(400), "{summary}");
}

/// A client that is silent for the time-out loses its session, and the port of that is free; a client that sends keeps
/// both.
#[test]
fn an_idle_session_ends_and_its_port_comes_free() {
    let target = loopback_socket();
    let relay = Relay::start(&[&target], &["--session-timeout", "1s"]);
    let (idle, busy) = (relay.client(), relay.client());
    let session_of = |client: &UdpSocket| {
        client.send(b"x").unwrap();
        receive(&target).1
    };
    let (first, kept) = (session_of(&idle), session_of(&busy));
    let is_free = |session: SocketAddr| UdpSocket::bind(session).is_ok();
    assert!(!is_free(first), "the session has the port");
    eventually("the port is free", || {
        assert_eq!(session_of(&busy), kept);
        is_free(first)
    });
    assert!(!is_free(kept));
    // The client comes back: another session, and replies find it.
    let session = session_of(&idle);
    target.send_to(b"welcome back", session).unwrap();
    assert_eq!(receive(&idle).0, b"welcome back");
    let (summary, _) = relay.end();
    assert_eq!(summary["clients"], 3, "{summary}");
}

/// Each relay is the other's target. A hundred datagrams would go round for ever, as fast as the machine can.
#[test]
fn two_relays_in_a_loop_stay_within_the_rate() {
    const RATE: u64 = 100;
    const SECONDS: u64 = 3;
    // The second port must be known before its relay starts: on its own address, no other program takes the port.
    let second = {
        let socket = socket_on("127.0.0.61:0");
        socket.local_addr().unwrap().to_string()
    };
    let relay = |listen: &str, to: &str| {
        let mut command = udpcli(["relay", "--listen", listen, "--to", to, "--summary", "json"]);
        command.args(["--rate", &RATE.to_string()]);
        command.args(["--duration", &format!("{SECONDS}s")]);
        let mut running = Running::spawn(command.stdin(Stdio::null()));
        let address = listening_address(&running.stderr_line_with("listening on "));
        (running, address)
    };
    let (one, first) = relay("127.0.0.60:0", &second);
    let (other, _) = relay(&second, &first.to_string());
    let client = loopback_socket();
    for _ in 0..100 {
        client.send_to(b"round and round", first).unwrap();
    }
    for running in [one, other] {
        let summary = summary(&running.finish().expect_code(0));
        let sent = summary["forward"]["sent"].as_u64().unwrap();
        assert!((50..=RATE * SECONDS + 1).contains(&sent), "{summary}");
    }
}

/// Echoes datagrams to 127.0.0.1:7001, and sends a datagram to 127.0.0.1:7000 that claims to come from there.
const FORGED: &str = "
import socket, struct, threading
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(('127.0.0.1', 7001))
def serve():
    while True:
        echo.sendto(*echo.recvfrom(2048))
threading.Thread(target=serve, daemon=True).start()
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.sendto(struct.pack('!HHHH', 7000, 7000, 10, 0) + b'hi', ('127.0.0.1', 0))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(30)
client.sendto(b'real', ('127.0.0.1', 7000))
print(client.recv(2048))
";

#[test]
fn a_datagram_with_the_relays_own_address_as_sender_does_not_go_round() {
    let script = "ip link set lo up && { \"$0\" relay --listen 127.0.0.1:7000 --to 127.0.0.1:7001 --summary json & } && relay=$! \
                  && until grep -q ' 0100007F:1B58 ' /proc/net/udp; do sleep 0.01; done \
                  && timeout 60 python3 -c \"$1\" && kill -TERM $relay && wait";
    let Some(output) = run_in_namespace(script, FORGED) else {
        return;
    };
    assert_eq!(output.text(), "b'real'\n");
    let summary = summary(&output);
    assert_eq!(summary["looped"], 1, "{summary}");
    assert_eq!(summary["forward"]["sent"], 1, "{summary}");
}

#[test]
fn what_passes_is_printed_and_saved_with_sender_and_receiver() {
    let folder = tempfile::tempdir().unwrap();
    let target = loopback_socket();
    let to = address_of(&target);
    for (format, file) in [
        ("text", "a.pcap"),
        ("json", "a.jsonl"),
        ("hex", "a.pcapng"),
        ("raw", "b.pcap"),
    ] {
        let path = folder.path().join(file);
        let relay = Relay::start(
            &[&target],
            &["--format", format, "--save", path.to_str().unwrap()],
        );
        let client = relay.client();
        client.send(b"hi\n").unwrap();
        let (_, session) = receive(&target);
        target.send_to(b"", session).unwrap();
        receive(&client);
        let (_, finished) = relay.end();
        let text = finished.text();
        let from = address_of(&client);
        let (there, back) = (format!("{from} > {to} 3"), format!("{to} > {from} 0"));
        match format {
            "text" => assert!(
                text.contains(&format!("{there} hi\\n\n")) && text.contains(&back),
                "{text}"
            ),
            "hex" => assert!(text.contains(&there) && text.contains("68 69 0a"), "{text}"),
            "raw" => assert_eq!(text, "hi\n"),
            _ => {
                let saved = std::fs::read_to_string(&path).unwrap();
                assert_eq!(saved, text);
                let lines: Vec<Value> = text
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect();
                let ends = lines
                    .iter()
                    .map(|line| (line["from"].as_str().unwrap(), line["to"].as_str().unwrap()));
                assert!(ends.eq([(&*from, &*to), (&*to, &*from)]), "{text}");
            }
        }
        // tshark takes a second or more to start.
        if file.ends_with("pcapng") {
            let mut tshark = Command::new("tshark");
            let fields = [
                "-e",
                "udp.srcport",
                "-e",
                "udp.dstport",
                "-e",
                "udp.checksum.status",
            ];
            tshark.args([
                "-r",
                path.to_str().unwrap(),
                "-o",
                "udp.check_checksum:TRUE",
                "-T",
                "fields",
            ]);
            let read = Running::spawn(tshark.args(fields).stdin(Stdio::null())).finish();
            let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
            let (client, target) = (port(&client), port(&target));
            let expected = format!("{client}\t{target}\t1\n{target}\t{client}\t1\n");
            assert_eq!(read.expect_code(0).text(), expected, "{file}");
        }
    }
    let name = folder.path().join("a.txt");
    let args = [
        "relay",
        "--listen",
        "127.0.0.1:0",
        "--to",
        &to,
        "--save",
        name.to_str().unwrap(),
    ];
    run(args).expect_code(2);
}

#[test]
fn socat_and_the_sequence_numbers_go_through_a_relay() {
    let listener = Listener::start([
        "--bind",
        "127.0.0.1",
        "--seq",
        "--summary",
        "json",
        "--format",
        "raw",
        "--echo",
    ]);
    let to = listener.address.to_string();
    let mut command = udpcli([
        "relay",
        "--listen",
        "127.0.0.1:0",
        "--drop",
        "5%",
        "--random-seed",
        "1",
    ]);
    command
        .args(["--to", &to, "--summary", "json", "--stats", "20ms"])
        .stdin(Stdio::null());
    let mut running = Running::spawn(&mut command);
    let address = listening_address(&running.stderr_line_with("listening on "));
    // The reply of a listener behind the relay, to socat. Datagram 0 of seed 1 is not lost.
    let mut socat = Command::new("socat");
    socat
        .args(["-t", "20", "-", &format!("UDP4:{address}")])
        .stdin(Stdio::piped());
    let mut socat = Running::spawn(&mut socat);
    socat.type_in(b"hello\n");
    assert_eq!(socat.stdout_line(), "hello\n");
    drop(socat);
    run([
        "send",
        &address.to_string(),
        "--size",
        "32",
        "-n",
        "999",
        "--rate",
        "20000",
    ])
    .expect_code(0);
    running.stderr_line_with("\"forward\":{\"bytes\":31974");
    let relayed = summary(&running.interrupt().expect_code(0));
    let heard = summary(&listener.running.interrupt().expect_code(0));
    let dropped = relayed["forward"]["dropped"].as_u64().unwrap();
    assert!((20..90).contains(&dropped), "{relayed}");
    assert_eq!(
        heard["datagrams"].as_u64().unwrap(),
        1000 - dropped,
        "{heard}"
    );
    // The listener cannot know of losses after the last datagram that came.
    let lost = heard["lost"].as_u64().unwrap();
    assert!(lost <= dropped && dropped - lost < 10, "{dropped} {heard}");
    assert_eq!(heard["duplicate"], 0);
}

#[test]
fn runs_end_as_the_table_says() {
    let target = loopback_socket();
    let to = address_of(&target);
    let endless = Relay::start(&[&target], &[]);
    endless.end();
    let limited = Relay::start(&[&target], &["--duration", "1h"]);
    limited.running.interrupt().expect_code(130);
    let relay = ["relay", "--listen", "127.0.0.1:0", "--to", &to];
    run([&relay[..], &["--duration", "200ms"]].concat()).expect_code(0);
    let text = run([&relay[..], &["--duration", "50ms", "--drop", "5"]].concat());
    assert!(
        text.stderr
            .contains("0 datagrams to the targets (0 bytes, 0 dropped, 0 sent)"),
        "{}",
        text.stderr
    );
    run([
        "relay",
        "--listen",
        &address_of(&target),
        "--to",
        "127.0.0.1:9",
    ])
    .expect_code(3);
    run(["relay", "--listen", "7000"]).expect_code(2);
    run(["relay", "--listen", "127.0.0.1", "--to", &to]).expect_code(2);
    run([&relay[..], &["--drop", "101"]].concat()).expect_code(2);
    for rate in ["1e30", "1000000001", "0", "nan", "inf"] {
        let wrong = run([&relay[..], &["--rate", rate]].concat()).expect_code(2);
        let limit = "above 0 and at most 1000000000 datagrams per second";
        assert!(wrong.stderr.contains(limit), "{rate}: {}", wrong.stderr);
    }
    run([&relay[..], &["--format", "board"]].concat()).expect_code(2);
}

/// The keys of the summary are those of docs/relay.schema.json.
#[test]
fn the_summary_has_the_keys_of_its_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/relay.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let target = loopback_socket();
    let (summary, _) = Relay::start(&[&target], &[]).end();
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let known = |part: &str| keys(&schema["$defs"][part]["properties"]);
    let mut all = keys(&summary);
    if !cfg!(target_os = "linux") {
        all.extend(["dropped", "dropped_is_estimate"].map(str::to_owned));
        all.sort();
    }
    assert_eq!(all, known("counts"));
    assert_eq!(keys(&summary["forward"]), known("direction"));
    assert_eq!(keys(&summary["back"]), known("direction"));
    assert_eq!(keys(&summary["targets"][0]), known("target"));
}

/// The client of the tutorial's chapter on requests that are sent again.
#[test]
fn the_tutorials_client_asks_again_until_the_reply_comes() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tutorial.md");
    let page = std::fs::read_to_string(page).unwrap();
    let chapter = page.split_once("### Ask again").unwrap().1;
    let program = chapter.split_once("```python\n").unwrap().1;
    let program = program.split_once("```").unwrap().0;
    let rule = "re:^([0-9]+) led on={1} ok";
    assert!(chapter.contains(rule), "the server's rule");
    let server = Listener::start([
        "--bind",
        "127.0.0.1",
        "--on",
        rule,
        "--no-project",
        "--format",
        "raw",
    ]);
    let to = server.address.to_string();
    let faults = ["--drop", "30", "--both", "--random-seed", "1"];
    assert!(chapter.contains(&faults.join(" ")));
    let mut relay = udpcli(["relay", "--listen", "127.0.0.1:0", "--to", &to]);
    let relay = Listener::spawn(relay.args(faults).stdin(Stdio::null()));
    let peer = format!("('127.0.0.1', {})", relay.port());
    let program = program.replace("('127.0.0.1', 7000)", &peer);
    assert!(program.contains(&peer));
    let mut client = Command::new("python3");
    client.args(["-c", &program]).stdin(Stdio::null());
    let text = Running::spawn(&mut client).finish().expect_code(0).text();
    let (tries, replies): (Vec<&str>, Vec<&str>) = text
        .lines()
        .partition(|line| line.starts_with("no reply to "));
    assert_eq!(replies, ["1 ok", "2 ok", "3 ok", "4 ok", "5 ok"]);
    assert!(!tries.is_empty());
    let heard = server.running.interrupt().expect_code(0).text();
    assert!(
        heard.contains("1 led on1 led on"),
        "a request arrives twice: {heard}"
    );
}

#[test]
fn a_port_that_is_taken_has_a_hint_about_the_relay() {
    let taken = loopback_socket();
    let port = taken.local_addr().unwrap().port();
    let other = port.checked_add(1).unwrap_or(6000);
    for (listen, other) in [
        (format!("127.0.0.1:{port}"), format!("127.0.0.1:{other}")),
        (port.to_string(), other.to_string()),
    ] {
        for language in ["en", "zh-CN"] {
            let relay = ["relay", "--listen", &listen, "--to", "127.0.0.1:9"];
            let told = run([&["--lang", language], &relay[..]].concat())
                .expect_code(3)
                .stderr;
            let wanted = format!("udpcli relay --listen {other} --to ..");
            assert!(told.contains(&wanted), "{told}");
            assert!(
                !told.contains("--reuse") && !told.contains("--port"),
                "{told}"
            );
        }
    }
}

/// Without its interface, no socket can be connected to a link-local address: nothing is sent.
#[test]
fn a_target_without_a_socket_has_the_cause_of_the_system() {
    let relay = ["relay", "--listen", "127.0.0.1:0", "--to", "[fe80::1]:9"];
    let mut running = Running::spawn(udpcli([&relay[..], &["-v"]].concat()).stdin(Stdio::null()));
    let address = listening_address(&running.stderr_line_with("listening on "));
    let client = loopback_socket();
    client.send_to(b"x", address).unwrap();
    let told = running.stderr_line_with("no socket to [fe80::1]:9: ");
    assert!(told.contains("(os error "), "{told}");
    running.interrupt().expect_code(0);
}
