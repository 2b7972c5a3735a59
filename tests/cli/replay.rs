//! `send --replay`: captures of other programs go out again with their payloads and times; tshark compares.
//!
//! Long because each kind of capture is sent and compared.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Listener, Running, address_of, loopback_socket, receive, receive_payloads, run, run_with_input,
    udpcli,
};

/// Writes captures as Python packs them: `a.pcap` (Ethernet, microseconds), `sll.pcap` (Linux cooked, nanoseconds,
/// big-endian, fragments, a packet of TCP).
const CAPTURES: &str = r"
import socket, struct
def ip(proto, body, source, ident=1, place=0):
    head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(body), ident, place, 64, proto, 0)
    return head + socket.inet_aton(source) + socket.inet_aton('10.0.0.9') + body
def udp(payload, port=6000):
    return struct.pack('>HHHH', 5000, port, 8 + len(payload), 0) + payload
def pcap(path, order, magic, link, unit, packets):
    with open(path, 'wb') as file:
        file.write(struct.pack(order + 'IHHiIII', magic, 2, 4, 0, 0, 262144, link))
        for time, packet in packets:
            seconds, part = divmod(time, unit)
            file.write(struct.pack(order + 'IIII', seconds, part, len(packet), len(packet)) + packet)
ethernet = bytes(12) + b'\x08\x00'
cooked = bytes(14) + b'\x08\x00'
gaps = [0, 50_000, 60_000, 260_000, 300_000, 300_000]
pcap('a.pcap', '<', 0xa1b2c3d4, 1, 10**6, [
    (10**6 + gap, ethernet + ip(17, udp(b'number %d\r\n' % i, 6000 + i % 2), '10.0.0.%d' % (1 + i % 3)))
    for i, gap in enumerate(gaps)])
long = udp(bytes(range(256)) * 16)
parts = [long[at:at + 1480] for at in range(0, len(long), 1480)]
pieces = [ip(17, part, '10.0.0.1', 7, at * 185 | (at + 1 < len(parts)) << 13) for at, part in enumerate(parts)]
lost = ip(17, long[:800], '10.0.0.1', 8, 1 << 13)
pcap('sll.pcap', '>', 0xa1b23c4d, 113, 10**9, [
    (10**9 + 1000 * i, cooked + packet)
    for i, packet in enumerate([ip(17, udp(b''), '10.0.0.1'), *pieces, lost, ip(6, bytes(20), '10.0.0.1')])])
";

fn captures() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut python = Command::new("python3");
    python.args(["-c", CAPTURES]).current_dir(folder.path());
    run_with_input(python, b"").expect_code(0);
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// The UDP payloads of a capture as hex digits, and their times in seconds since the first, as tshark reads them.
#[track_caller]
fn tshark(path: &str) -> Vec<(String, f64)> {
    let mut command = Command::new("tshark");
    command.args(["-r", path, "-Y", "udp", "-T", "fields"]);
    command.args(["-e", "udp.payload", "-e", "frame.time_epoch"]);
    let text = run_with_input(command, b"").expect_code(0).text();
    let packets: Vec<(String, f64)> = text
        .lines()
        .map(|line| {
            let (payload, time) = line.split_once('\t').unwrap();
            (payload.to_owned(), time.parse().unwrap())
        })
        .collect();
    let first = packets.first().map_or(0.0, |(_, time)| *time);
    let packets = packets.into_iter();
    packets
        .map(|(payload, time)| (payload, time - first))
        .collect()
}

/// Replays a capture to a listener that saves it as `name`; returns the path of that capture.
#[track_caller]
fn recorded_again(folder: &TempDir, capture: &str, count: usize, name: &str) -> String {
    let saved = path(folder, name);
    let count = count.to_string();
    let listener = Listener::start(["--save", &saved, "-n", &count, "--bind", "127.0.0.1"]);
    let address = listener.address.to_string();
    run(["send", &address, "--replay", capture]).expect_code(0);
    listener.running.finish().expect_code(0);
    saved
}

#[test]
fn tshark_reads_of_a_replay_the_payloads_and_the_spacing_of_the_original() {
    let folder = captures();
    let original = tshark(&path(&folder, "a.pcap"));
    assert_eq!(original.len(), 6);
    for name in ["again.pcap", "again.pcapng"] {
        let saved = recorded_again(&folder, &path(&folder, "a.pcap"), 6, name);
        let again = tshark(&saved);
        for ((payload, time), (wanted, original)) in again.iter().zip(&original) {
            assert_eq!(payload, wanted);
            // A datagram is never earlier than the delay of the first one; lateness depends on the machine.
            assert!(*time > original - 0.045, "{time} for {original}");
        }
        assert_eq!(again.len(), original.len());
        // udpcli replays its own capture.
        let twice = recorded_again(&folder, &saved, 6, &format!("twice-{name}"));
        let payloads = |packets: Vec<(String, f64)>| {
            let packets = packets.into_iter();
            packets.map(|(payload, _)| payload).collect::<Vec<_>>()
        };
        assert_eq!(payloads(tshark(&twice)), payloads(again));
    }
}

#[test]
fn text2pcap_and_editcap_write_what_a_replay_reads() {
    let folder = tempfile::tempdir().unwrap();
    let dump = "0000 68 65 6c 6c 6f 0d 0a\n0000 00 ff\n";
    let ng = path(&folder, "t.pcapng");
    let mut text2pcap = Command::new("text2pcap");
    text2pcap.args(["-q", "-u", "5000,6000", "-", &ng]);
    run_with_input(text2pcap, dump.as_bytes()).expect_code(0);
    let ns = path(&folder, "t.pcap");
    let mut editcap = Command::new("editcap");
    editcap.args(["-F", "nsecpcap", &ng, &ns]);
    run_with_input(editcap, b"").expect_code(0);
    for capture in [ng, ns] {
        let socket = loopback_socket();
        run(["send", &address_of(&socket), "--replay", &capture]).expect_code(0);
        assert_eq!(receive_payloads(&socket, 2), [&b"hello\r\n"[..], b"\0\xff"]);
    }
}

#[test]
fn fragments_are_put_together_and_what_is_left_out_is_counted() {
    let folder = captures();
    let socket = loopback_socket();
    let capture = path(&folder, "sll.pcap");
    let address = address_of(&socket);
    let done = run(["send", &address, "--replay", &capture]).expect_code(0);
    let long: Vec<u8> = (0..=255).cycle().take(4096).collect();
    assert_eq!(receive_payloads(&socket, 2), [&[][..], &long]);
    let clause = "2 packets left out (1 not UDP, 1 fragment of incomplete datagrams)";
    assert!(done.stderr.contains(clause), "{}", done.stderr);
    let done = run(["send", &address, "--replay", &capture, "--summary", "json"]).expect_code(0);
    let line = done
        .stderr
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap();
    let summary: Value = serde_json::from_str(line).unwrap();
    let left_out = &summary["summary"]["left_out"];
    assert_eq!(
        (&left_out["not_udp"], &left_out["fragments"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn senders_and_ports_are_chosen_and_rounds_repeat_them() {
    let folder = captures();
    let socket = loopback_socket();
    let address = address_of(&socket);
    let capture = path(&folder, "a.pcap");
    let replay = ["send", &address, "--replay", &capture, "--speed", "max"];
    let chosen = [
        "--from",
        "10.0.0.1",
        "--from",
        "10.0.0.3",
        "--to-port",
        "6000",
        "-n",
        "2",
    ];
    run([&replay[..], &chosen].concat()).expect_code(0);
    let wanted: [&[u8]; 4] = [
        b"number 0\r\n",
        b"number 2\r\n",
        b"number 0\r\n",
        b"number 2\r\n",
    ];
    assert_eq!(receive_payloads(&socket, 4), wanted);
    let none = run([&replay[..], &["--from", "10.9.9.9"]].concat()).expect_code(1);
    for part in [
        "has no UDP datagram that fits the flags",
        "hint: udpcli sends the UDP datagrams of a capture",
        "6 packets left out (6 not --from)",
    ] {
        assert!(none.stderr.contains(part), "{}", none.stderr);
    }
}

#[test]
fn a_speed_below_one_stretches_the_pauses() {
    let folder = captures();
    let socket = loopback_socket();
    let address = address_of(&socket);
    let capture = path(&folder, "a.pcap");
    // Ten times as long as recorded, 3 s: a replay at the recorded speed takes a tenth of that.
    let mut slow = Running::spawn(
        udpcli(["send", &address, "--replay", &capture, "--speed", "0.1"]).stdin(Stdio::null()),
    );
    let begun = Instant::now();
    receive_payloads(&socket, 4);
    assert!(
        begun.elapsed() > Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert!(!slow.has_ended());
    let end = slow.interrupt();
    assert_eq!(end.code, Some(130), "{}", end.stderr);
}

#[test]
fn a_capture_comes_through_a_pipe_as_it_is_recorded() {
    let folder = captures();
    let socket = loopback_socket();
    let bytes = fs::read(path(&folder, "a.pcap")).unwrap();
    let mut command = udpcli([
        "send",
        &address_of(&socket),
        "--replay",
        "-",
        "--speed",
        "max",
    ]);
    let mut running = Running::spawn(command.stdin(Stdio::piped()));
    let stdin = running.stdin.as_mut().unwrap();
    // One packet, and the beginning of the next.
    stdin
        .write_all(&bytes[..24 + 16 + 14 + 20 + 8 + 10 + 5])
        .unwrap();
    stdin.flush().unwrap();
    assert_eq!(receive(&socket).0, b"number 0\r\n");
    let end = running.finish().expect_code(3);
    for part in [
        "cannot replay standard input",
        "the file ends within packet 2",
        "1 datagram, ",
    ] {
        assert!(end.stderr.contains(part), "{}", end.stderr);
    }
}

#[test]
fn json_lines_of_listen_go_out_again_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let saved = path(&folder, "t.jsonl");
    let payloads = [
        "a\u{1b}\u{202e}\"\\".as_bytes(),
        b"\xff\x00",
        b"",
        "你好\r\n".as_bytes(),
    ];
    let listener = Listener::start(["--save", &saved, "-n", "4"]);
    let socket = loopback_socket();
    for payload in payloads {
        socket.send_to(payload, listener.address).unwrap();
    }
    listener.running.finish().expect_code(0);
    let receiver = loopback_socket();
    let address = address_of(&receiver);
    run(["send", &address, "--replay", &saved, "--speed", "max"]).expect_code(0);
    assert_eq!(receive_payloads(&receiver, 4), payloads);

    let listener = Listener::start(["--save", &saved, "-n", "1", "--encoding", "gbk"]);
    socket
        .send_to(b"\xc4\xe3\xba\xc3", listener.address)
        .unwrap();
    listener.running.finish().expect_code(0);
    let other = run(["send", &address, "--replay", &saved]).expect_code(3);
    assert!(
        other.stderr.contains("line 1: the text does not have"),
        "{}",
        other.stderr
    );
    let replayed = run(["send", &address, "--replay", &saved, "--encoding", "gbk"]).expect_code(0);
    assert_eq!(receive_payloads(&receiver, 1), [b"\xc4\xe3\xba\xc3"]);
    let stderr = &replayed.stderr;
    assert!(!stderr.contains("no effect"), "{stderr}");

    // UTF-8 and GBK in one recording: a class with two kinds of tools.
    let mixed: [&[u8]; 4] = [
        "你好".as_bytes(),
        b"\xc4\xe3\xba\xc3",
        b"ok",
        b"\xc4\xe3\xff",
    ];
    let listener = Listener::start(["--save", &saved, "-n", "4", "--encoding", "auto"]);
    for payload in mixed {
        socket.send_to(payload, listener.address).unwrap();
    }
    listener.running.finish().expect_code(0);
    let args = ["send", &address, "--replay", &saved, "--speed", "max"];
    run(args.into_iter().chain(["--encoding", "auto"])).expect_code(0);
    assert_eq!(receive_payloads(&receiver, 4), mixed);
}

#[test]
fn an_encoding_has_an_effect_on_recorded_text_only() {
    let folder = captures();
    let address = address_of(&loopback_socket());
    let warning = "--encoding has no effect";
    let encoded = [
        "send",
        &address,
        "--speed",
        "max",
        "--encoding",
        "gbk",
        "--replay",
    ];
    for name in ["a.pcap", "-"] {
        let saved = path(&folder, name);
        let input = if name == "-" { name } else { &saved };
        let mut command = udpcli(encoded);
        command.arg(input);
        let json = b"{\"time\":\"2026-11-28T00:00:00Z\",\"from\":\"127.0.0.1:1\",\"to\":\"127.0.0.1:2\",\"text\":\"x\"}\n";
        let stderr = run_with_input(command, json).stderr;
        assert_eq!(stderr.contains(warning), name == "a.pcap", "{stderr}");
    }
}

/// Lines may be written by hand: `len` may be missing, but not wrong.
#[test]
fn a_line_whose_len_is_wrong_ends_the_replay_there() {
    let folder = tempfile::tempdir().unwrap();
    let lines = path(&folder, "hand.jsonl");
    let start = r#"{"time":"2026-11-28T00:00:00Z","from":"10.0.0.1:5","to":"10.0.0.2:6000""#;
    for (end, problem) in [
        (
            r#","text":"hi","len":-2}"#,
            "line 2: the key len is missing or wrong",
        ),
        (
            r#","text":"hi","len":"2"}"#,
            "line 2: the key len is missing or wrong",
        ),
        (
            r#","text":"hi","len":2.5}"#,
            "line 2: the key len is missing or wrong",
        ),
        (
            r#","text":"hi","len":99999999}"#,
            "line 2: the key len is missing or wrong",
        ),
        (
            r#","text":"hi","len":3}"#,
            "line 2: the text does not have the length",
        ),
        (
            r#","base64":"aGk=","len":1}"#,
            "line 2: len is 1, but the payload has 2 bytes",
        ),
    ] {
        fs::write(
            &lines,
            format!("{start},\"text\":\"first\"}}\n{start}{end}\n"),
        )
        .unwrap();
        let socket = loopback_socket();
        let address = address_of(&socket);
        let end = run(["send", &address, "--replay", &lines]).expect_code(3);
        assert!(end.stderr.contains(problem), "{problem}: {}", end.stderr);
        assert_eq!(receive_payloads(&socket, 1), [b"first"]);
    }
}

#[test]
fn replies_to_a_replay_are_awaited_and_checksums_appended() {
    let folder = captures();
    let listener = Listener::start(["--echo", "--format", "raw"]);
    let address = listener.address.to_string();
    let capture = path(&folder, "a.pcap");
    let args = [
        "send", &address, "--replay", &capture, "--speed", "max", "--append", "sum8",
    ];
    let done = run([&args[..], &["-w", "30s", "--format", "raw"]].concat()).expect_code(0);
    assert!(done.stderr.contains(", 6 replies, "), "{}", done.stderr);
    assert_eq!(done.stdout.len(), 6 * 11);
}

#[test]
fn what_is_no_capture_is_an_error_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(Path::new(&path(&folder, name)), bytes).unwrap();
        path(&folder, name)
    };
    let text = write("t.txt", b"hello\n");
    let missing = path(&folder, "nosuch.pcap");
    for (capture, problem) in [
        (&text, "it is neither a pcap nor a pcapng"),
        (&missing, "nosuch.pcap"),
    ] {
        let error = run(["send", "127.0.0.1:9", "--replay", capture]).expect_code(3);
        assert!(error.stderr.contains(problem), "{}", error.stderr);
    }
    let empty = write("empty.pcap", b"");
    let warned = run(["send", "127.0.0.1:9", "--replay", &empty]).expect_code(1);
    assert!(
        warned.stderr.contains("error: nothing was sent: ") && warned.stderr.contains("is empty"),
        "{}",
        warned.stderr
    );
}

#[test]
fn a_replay_goes_with_no_other_payload_and_pace() {
    for args in [
        &["--replay", "t.pcap", "hello"][..],
        &["--replay", "t.pcap", "--hex", "00"],
        &["--replay", "t.pcap", "--file", "x"],
        &["--replay", "t.pcap", "--size", "20"],
        &["--replay", "t.pcap", "--template", "x"],
        &["--replay", "t.pcap", "-I"],
        &["--replay", "t.pcap", "--lines"],
        &["--replay", "t.pcap", "--rate", "5"],
        &["--replay", "t.pcap", "-i", "1s"],
        &["--replay", "t.pcap", "-e"],
        &["--replay", "t.pcap", "--speed", "0"],
        &["--replay", "-", "-n", "2"],
        &["hello", "--speed", "2"],
        &["--from", "10.0.0.1"],
        &["--file", "x", "--to-port", "5"],
    ] {
        run([&["send", "127.0.0.1:9"], args].concat()).expect_code(2);
    }
}

/// Reads half a gigabyte with less memory than that.
#[cfg(target_os = "linux")]
#[test]
fn a_long_capture_is_read_as_it_is_sent() {
    let folder = captures();
    let bytes = fs::read(path(&folder, "a.pcap")).unwrap();
    let (header, packet) = bytes.split_at(24);
    // A packet with 60,000 more bytes than its datagram: they are padding.
    let mut packet = packet[..16 + 14 + 20 + 8 + 10].to_vec();
    let len = u32::try_from(packet.len() - 16 + 60_000)
        .unwrap()
        .to_le_bytes();
    packet[8..12].copy_from_slice(&len);
    packet[12..16].copy_from_slice(&len);
    packet.resize(packet.len() + 60_000, 0);
    let socket = loopback_socket();
    let limited = format!(
        "ulimit -v 400000; exec \"$0\" send {} --replay - --speed max",
        address_of(&socket)
    );
    let mut command = Command::new("bash");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_udpcli")]);
    let mut running = Running::spawn(command.stdin(Stdio::piped()));
    let stdin = running.stdin.as_mut().unwrap();
    stdin.write_all(header).unwrap();
    for _ in 0..8000 {
        stdin.write_all(&packet).unwrap();
    }
    let done = running.finish().expect_code(0);
    assert!(done.stderr.contains("8000 datagrams, "), "{}", done.stderr);
}
