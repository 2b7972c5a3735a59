//! `listen --save`: tshark must read from a capture exactly what was sent.
//!
//! Long because each format is compared with tshark, field by field.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(target_os = "linux")]
use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
#[cfg(target_os = "linux")]
use jiff::Timestamp;
use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::support::{DEADLINE, bash, eventually, listening_address, udpcli};
use crate::support::{Listener, loopback_socket, run, run_with_input};

/// One packet as tshark prints it.
#[derive(Debug, PartialEq, Eq)]
struct Packet {
    /// Seconds since the epoch as printed, with nanoseconds.
    time: String,
    from: String,
    to: String,
    from_port: u16,
    to_port: u16,
    /// The length in the UDP header: the payload and 8 bytes of header.
    udp_len: usize,
    payload: Vec<u8>,
}

/// Reads a capture, and asserts that every checksum is present and correct.
#[track_caller]
fn read(path: &Path) -> Vec<Packet> {
    const FIELDS: [&str; 11] = [
        "frame.time_epoch",
        "ip.src",
        "ip.dst",
        "ipv6.src",
        "ipv6.dst",
        "udp.srcport",
        "udp.dstport",
        "udp.length",
        "ip.checksum.status",
        "udp.checksum.status",
        "udp.payload",
    ];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).args([
        "-T",
        "fields",
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
    ]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    // tshark waits for the end of its stdin, and as root it prints a warning on stderr.
    let end = run_with_input(command, b"").expect_code(0);
    assert!(!end.stderr.contains("cut short"), "{}", end.stderr);
    end.text()
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(
                fields.len(),
                FIELDS.len(),
                "{}",
                &line[..line.len().min(500)]
            );
            let is_v4 = !fields[1].is_empty();
            assert_eq!(
                fields[8],
                if is_v4 { "1" } else { "" },
                "IP checksum: {:?}",
                &fields[..10]
            );
            assert_eq!(fields[9], "1", "UDP checksum: {:?}", &fields[..10]);
            let (from, to) = if is_v4 {
                (fields[1], fields[2])
            } else {
                (fields[3], fields[4])
            };
            Packet {
                time: fields[0].to_owned(),
                from: from.to_owned(),
                to: to.to_owned(),
                from_port: fields[5].parse().unwrap(),
                to_port: fields[6].parse().unwrap(),
                udp_len: fields[7].parse().unwrap(),
                payload: unhex(fields[10]),
            }
        })
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The payloads of `--save x.jsonl`, from the key `text` or `base64`.
fn read_json_lines(path: &Path) -> Vec<(Value, Vec<u8>)> {
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.is_empty() || text.ends_with('\n'),
        "the last line is whole"
    );
    text.lines()
        .map(|line| {
            let datagram: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let payload = match (&datagram["text"], &datagram["base64"]) {
                (Value::String(text), _) => text.clone().into_bytes(),
                (_, Value::String(text)) => STANDARD.decode(text).unwrap(),
                _ => panic!("neither text nor base64: {line}"),
            };
            (datagram, payload)
        })
        .collect()
}

/// A directory for one test's captures.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[track_caller]
fn listen(save: &Path, args: &[&str]) -> Listener {
    let save = save.to_str().expect("a temporary path is UTF-8");
    Listener::start([&["--save", save], args].concat())
}

/// Sends a datagram and waits until the listener printed it.
#[track_caller]
fn send(socket: &UdpSocket, listener: &mut Listener, payload: &[u8]) {
    socket
        .send_to(payload, listener.address)
        .expect("loopback takes it");
    listener.running.stdout_line();
}

/// Contains every byte value, in an order in which a swapped or missing part is visible.
fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|index| u8::try_from((index * 31 + index / 251) % 256).expect("below 256"))
        .collect()
}

const SIZES: [usize; 12] = [0, 1, 2, 3, 28, 255, 256, 1024, 1472, 1473, 8192, 65_507];

#[test]
fn a_capture_has_the_addresses_checksums_and_bytes_that_were_sent() {
    let place = Place::new();
    for (name, bind, flag) in [
        ("a.pcap", "127.0.0.1", "--color=auto"),
        ("a.pcapng", "127.0.0.1", "--color=auto"),
        ("b.pcapng", "127.0.0.1", "--no-batching"),
        ("b.pcap", "::1", "--color=auto"),
        ("c.pcapng", "::1", "--color=auto"),
        ("d.pcap", "::1", "--no-batching"),
    ] {
        let path = place.file(name);
        let mut listener = listen(&path, &["--bind", bind, "--format", "json", flag]);
        let socket = UdpSocket::bind((bind, 0)).unwrap();
        let mut payloads: Vec<Vec<u8>> = SIZES.iter().map(|&len| pattern(len)).collect();
        payloads.push((0..=255).collect());
        // All zeros and all ones: a checksum that comes out as zero is a special case.
        payloads.extend([vec![0; 64], vec![0xff; 64], vec![0xff; 63]]);
        if bind == "::1" {
            payloads.push(pattern(65_527));
        }
        for payload in &payloads {
            send(&socket, &mut listener, payload);
        }
        let port = listener.port();
        listener.running.interrupt().expect_code(0);
        let packets = read(&path);
        assert_eq!(packets.len(), payloads.len(), "{name}");
        for (packet, payload) in packets.iter().zip(&payloads) {
            assert_eq!(
                (packet.from.as_str(), packet.to.as_str()),
                (bind, bind),
                "{name}"
            );
            assert_eq!(
                (packet.from_port, packet.to_port),
                (socket.local_addr().unwrap().port(), port),
                "{name}"
            );
            assert_eq!(packet.udp_len, payload.len() + 8, "{name}");
            assert!(
                packet.payload == *payload,
                "{name}: {} bytes differ",
                payload.len()
            );
        }
    }
}

#[test]
fn a_checksum_that_comes_out_as_zero_is_written_as_ones() {
    let place = Place::new();
    let path = place.file("a.pcap");
    let mut listener = listen(&path, &[]);
    let socket = loopback_socket();
    // Compute the payload that makes the sum zero. The sum covers addresses, protocol, the length twice, and ports.
    let ports = [socket.local_addr().unwrap().port(), listener.port()].map(u32::from);
    let mut sum = 2 * (0x7f00 + 0x0001) + 17 + 2 * 10 + ports[0] + ports[1];
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let payload = (0xffff - u16::try_from(sum).unwrap()).to_be_bytes();
    send(&socket, &mut listener, &payload);
    listener.running.interrupt().expect_code(0);
    assert_eq!(read(&path)[0].payload, payload);
}

#[test]
fn json_lines_have_the_same_bytes() {
    let place = Place::new();
    let path = place.file("a.jsonl");
    let mut listener = listen(&path, &["--bind", "127.0.0.1"]);
    let socket = loopback_socket();
    let mut payloads: Vec<Vec<u8>> = SIZES.iter().map(|&len| pattern(len)).collect();
    payloads.push((0..=255).collect());
    payloads.push("板子 \u{1f980} \"\\\r\n\u{0}\u{2028}".into());
    for payload in &payloads {
        send(&socket, &mut listener, payload);
    }
    let to = listener.address.to_string();
    listener.running.interrupt().expect_code(0);
    let got = read_json_lines(&path);
    assert_eq!(got.len(), payloads.len());
    for ((datagram, got), payload) in got.iter().zip(&payloads) {
        assert!(got == payload, "{} bytes differ", payload.len());
        assert_eq!(datagram["from"], socket.local_addr().unwrap().to_string());
        assert_eq!(datagram["to"], to);
        assert_eq!(datagram["len"], payload.len());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_wildcard_capture_has_the_address_that_each_datagram_went_to() {
    let place = Place::new();
    for (name, bind, flags) in [
        ("a.pcapng", "0.0.0.0", &[][..]),
        ("b.pcap", "::", &[]),
        ("c.jsonl", "0.0.0.0", &[]),
    ] {
        let path = place.file(name);
        let mut listener = listen(&path, &[&["--bind", bind], flags].concat());
        let port = listener.port();
        let mut sent = Vec::new();
        for (from, to) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.3", "127.0.0.2"),
            ("::1", "::1"),
        ] {
            if to == "::1" && bind != "::" {
                continue;
            }
            let socket = UdpSocket::bind((from, 0)).unwrap();
            socket.send_to(to.as_bytes(), (to, port)).unwrap();
            listener.running.stdout_line();
            sent.push((
                socket.local_addr().unwrap(),
                std::net::SocketAddr::new(to.parse().unwrap(), port),
            ));
        }
        listener.running.interrupt().expect_code(0);
        let got: Vec<(String, String)> = if name.ends_with("jsonl") {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            read_json_lines(&path)
                .iter()
                .map(|(datagram, _)| (text(&datagram["from"]), text(&datagram["to"])))
                .collect()
        } else {
            let address =
                |ip: &str, port| std::net::SocketAddr::new(ip.parse().unwrap(), port).to_string();
            read(&path)
                .iter()
                .map(|packet| {
                    (
                        address(&packet.from, packet.from_port),
                        address(&packet.to, packet.to_port),
                    )
                })
                .collect()
        };
        let sent: Vec<(String, String)> = sent
            .iter()
            .map(|(from, to)| (from.to_string(), to.to_string()))
            .collect();
        assert_eq!(got, sent, "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn capture_times_are_the_kernels_to_the_nanosecond() {
    const ROUND: usize = 5;
    let place = Place::new();
    for name in ["a.pcap", "a.pcapng"] {
        let path = place.file(name);
        let mut listener = listen(&path, &["--format", "json"]);
        let socket = loopback_socket();
        let now = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_nanos()
        };
        // The kernel enables timestamps with a delay. Until then, the capture has the time of reading.
        let deadline = Instant::now() + DEADLINE;
        let spans = loop {
            listener.running.signal("STOP");
            let mut spans = Vec::new();
            for _ in 0..ROUND {
                let before = now();
                socket.send_to(b"stamped", listener.address).unwrap();
                spans.push((before, now()));
            }
            let sent = Timestamp::now();
            listener.running.signal("CONT");
            let lines: Vec<String> = (0..ROUND).map(|_| listener.running.stdout_line()).collect();
            let is_stamped = lines.iter().all(|line| {
                let datagram: Value = serde_json::from_str(line).unwrap();
                datagram["time"]
                    .as_str()
                    .unwrap()
                    .parse::<Timestamp>()
                    .unwrap()
                    <= sent
            });
            if is_stamped {
                break spans;
            }
            assert!(
                Instant::now() < deadline,
                "no kernel times: {lines:?}, sent before {sent}"
            );
        };
        listener.running.interrupt().expect_code(0);
        let packets = read(&path);
        let mut has_nanoseconds = false;
        for (packet, (before, after)) in packets[packets.len() - ROUND..].iter().zip(spans) {
            let (seconds, nanos) = packet.time.split_once('.').unwrap();
            assert_eq!(nanos.len(), 9, "{}", packet.time);
            let time =
                seconds.parse::<u128>().unwrap() * 1_000_000_000 + nanos.parse::<u128>().unwrap();
            assert!(
                (before..=after).contains(&time),
                "{name}: {before} {time} {after}"
            );
            has_nanoseconds |= !time.is_multiple_of(1000);
        }
        assert!(has_nanoseconds, "{packets:?}");
    }
}

/// Ends a listener with each of these signals, and checks the exit code. The capture must contain everything that the
/// listener printed.
#[cfg(unix)]
#[track_caller]
fn capture_until(signals: &[(&str, Option<i32>)]) {
    let place = Place::new();
    for name in ["a.pcap", "a.pcapng", "a.jsonl"] {
        for &(signal, code) in signals {
            // An existing, longer file must be truncated.
            let path = place.file(name);
            fs::write(&path, vec![b'x'; 200_000]).unwrap();
            let mut listener = listen(&path, &[]);
            let socket = loopback_socket();
            let payloads: Vec<Vec<u8>> = (0..40).map(|index| pattern(index * 37)).collect();
            for payload in &payloads {
                socket.send_to(payload, listener.address).unwrap();
            }
            for _ in &payloads {
                listener.running.stdout_line();
            }
            listener.running.signal(signal);
            assert_eq!(listener.running.finish().code, code, "{signal}");
            let got: Vec<Vec<u8>> = if name.ends_with("jsonl") {
                read_json_lines(&path)
                    .into_iter()
                    .map(|(_, payload)| payload)
                    .collect()
            } else {
                read(&path)
                    .into_iter()
                    .map(|packet| packet.payload)
                    .collect()
            };
            assert!(
                got == payloads,
                "{name} after {signal}: {} of {} datagrams",
                got.len(),
                payloads.len()
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_capture_is_whole_after_ctrl_c_and_sigterm() {
    capture_until(&[("INT", Some(0)), ("TERM", Some(0))]);
}

#[cfg(unix)]
#[test]
fn a_capture_has_what_was_printed_before_a_kill() {
    capture_until(&[("KILL", None)]);
}

/// Stops the listener, sends 50 datagrams and a signal, and continues it. It must still read all datagrams.
#[cfg(unix)]
#[track_caller]
fn capture_to_the_signal(is_warm: bool) {
    let place = Place::new();
    for signal in ["INT", "TERM"] {
        let path = place.file("a.pcapng");
        let mut listener = listen(&path, &["--recv-buffer", "1M"]);
        let socket = loopback_socket();
        if is_warm {
            send(&socket, &mut listener, b"first");
        }
        listener.running.signal("STOP");
        for index in 0..50u8 {
            socket.send_to(&[index; 100], listener.address).unwrap();
        }
        listener.running.signal(signal);
        listener.running.signal("CONT");
        let end = listener.running.finish().expect_code(0);
        let want = 50 + usize::from(is_warm);
        assert!(
            end.stderr.contains(&format!("{want} datagrams, ")),
            "{}",
            end.stderr
        );
        assert_eq!(end.text().lines().count(), want);
        assert_eq!(read(&path).len(), want);
    }
}

#[cfg(unix)]
#[test]
fn what_was_sent_before_the_signal_is_in_the_capture() {
    capture_to_the_signal(true);
}

#[cfg(unix)]
#[test]
fn what_was_sent_before_the_signal_is_in_the_capture_of_a_listener_just_started() {
    capture_to_the_signal(false);
}

#[test]
fn a_capture_without_datagrams_opens() {
    let place = Place::new();
    for name in ["a.pcap", "a.pcapng", "A.PCAPNG"] {
        let path = place.file(name);
        listen(&path, &[]).running.interrupt().expect_code(0);
        assert_eq!(read(&path), []);
    }
}

#[test]
fn a_cut_datagram_is_captured_as_it_was_kept_with_the_length_it_had() {
    let place = Place::new();
    for name in ["a.pcap", "a.pcapng"] {
        let path = place.file(name);
        let mut listener = listen(&path, &["--recv-size", "10"]);
        send(&loopback_socket(), &mut listener, &pattern(3000));
        listener.running.interrupt().expect_code(0);
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&path).args(["-T", "fields"]);
        for field in [
            "frame.len",
            "frame.cap_len",
            "ip.len",
            "udp.length",
            "udp.payload",
        ] {
            command.args(["-e", field]);
        }
        let end = run_with_input(command, b"").expect_code(0);
        assert!(!end.stderr.contains("cut short"), "{}", end.stderr);
        let text = end.text();
        let fields: Vec<&str> = text.trim_end_matches('\n').split('\t').collect();
        // The IP and UDP headers have 28 bytes.
        assert_eq!(
            fields[..4],
            ["3028", "38", "3028", "3008"],
            "{name}: {text}"
        );
        assert_eq!(unhex(fields[4]), pattern(10), "{name}: {text}");
    }
}

#[test]
fn filtered_datagrams_are_not_captured_and_a_count_ends_the_file() {
    let place = Place::new();
    let path = place.file("a.pcap");
    let mut listener = listen(&path, &["--from", "127.0.0.1", "-n", "2"]);
    let port = listener.port();
    let other = UdpSocket::bind("127.0.0.2:0").unwrap();
    other.send_to(b"other", ("127.0.0.1", port)).unwrap();
    let socket = loopback_socket();
    for payload in [b"one", b"two"] {
        send(&socket, &mut listener, payload);
    }
    listener.running.finish().expect_code(0);
    let payloads: Vec<Vec<u8>> = read(&path)
        .into_iter()
        .map(|packet| packet.payload)
        .collect();
    assert_eq!(payloads, [b"one", b"two"]);
}

#[test]
fn an_unknown_ending_is_a_usage_error_that_names_the_known_ones() {
    let place = Place::new();
    for name in ["a.txt", "a", "a.pcap.gz", ".pcap"] {
        let path = place.file(name);
        let end = run(["listen", "--port", "0", "--save", path.to_str().unwrap()]).expect_code(2);
        for word in [".pcap", ".pcapng", ".jsonl", "udpcli: error: "] {
            assert!(end.stderr.contains(word), "{word} in {}", end.stderr);
        }
        assert!(!path.exists());
    }
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_of_the_environment() {
    let place = Place::new();
    fs::create_dir(place.file("folder.pcap")).unwrap();
    for name in ["folder.pcap", "missing/a.pcap"] {
        let path = place.file(name);
        let end = run(["listen", "--port", "0", "--save", path.to_str().unwrap()]).expect_code(3);
        assert!(
            end.stderr
                .contains(&format!("udpcli: error: cannot open {}", path.display())),
            "{}",
            end.stderr
        );
        assert!(end.stderr.contains("caused by:"), "{}", end.stderr);
        assert!(end.stdout.is_empty());
    }
}

/// Starts `udpcli listen --save - ARGS` on 127.0.0.1 in a shell line, followed by `rest`.
#[cfg(target_os = "linux")]
fn on_stdout(args: &str, rest: &str) -> Listener {
    let line = format!("\"$0\" listen --bind 127.0.0.1 --port 0 --save - {args} {rest}");
    Listener::spawn(&mut bash::<&str>(&line, []))
}

#[cfg(target_os = "linux")]
#[test]
fn tshark_reads_a_capture_live_from_standard_output() {
    for format in ["pcap", "pcapng"] {
        // tshark can read a pipe as a file and as a capture interface.
        for source in ["-r", "-i"] {
            let fields = "-T fields -e udp.payload";
            let mut listener = on_stdout(
                &format!("--save-format {format} -n 2"),
                &format!("| tshark -l {source} - {fields}"),
            );
            let socket = loopback_socket();
            let to = listener.address;
            socket.send_to(b"one", to).unwrap();
            // tshark must show the first packet while the listener still waits for the second.
            assert_eq!(
                listener.running.stdout_line(),
                "6f6e65\n",
                "{format} {source}"
            );
            socket.send_to(b"two", to).unwrap();
            let end = listener.running.finish().expect_code(0);
            assert_eq!(end.text(), "6f6e65\n74776f\n", "{format} {source}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_has_the_capture_that_a_file_would_have_and_nothing_else() {
    let place = Place::new();
    let datagrams: Vec<Vec<u8>> = (0..500).map(pattern).collect();
    for format in ["pcap", "pcapng"] {
        let path = place.file(format);
        let rest = format!("> '{}'", path.display());
        let listener = on_stdout(&format!("--save-format {format} -n 500"), &rest);
        let socket = loopback_socket();
        for datagram in &datagrams {
            socket.send_to(datagram, listener.address).unwrap();
        }
        listener.running.finish().expect_code(0);
        let payloads: Vec<Vec<u8>> = read(&path)
            .into_iter()
            .map(|packet| packet.payload)
            .collect();
        assert!(
            payloads == datagrams,
            "{format}: {} datagrams",
            payloads.len()
        );
    }
    let listener = on_stdout("--save-format jsonl -n 2", "");
    let socket = loopback_socket();
    socket.send_to(b"one", listener.address).unwrap();
    socket.send_to(b"two", listener.address).unwrap();
    let end = listener.running.finish().expect_code(0);
    let texts: Vec<Value> = end
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone())
        .collect();
    assert_eq!(texts, ["one", "two"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_capture_ends_in_order_when_its_reader_goes_or_does_not_read() {
    // The reader reads the file header and exits.
    let line = "\"$0\" listen --bind 127.0.0.1 --port 0 --save - --save-format pcap | head -c 24 | wc -c; exit ${PIPESTATUS[0]}";
    let mut listener = Listener::spawn(&mut bash::<&str>(line, []));
    assert_eq!(listener.running.stdout_line(), "24\n");
    let socket = loopback_socket();
    eventually("it ends", || {
        // Sends are refused once the listener has ended.
        let _ = socket.send_to(b"x", listener.address);
        listener.running.has_ended()
    });
    let end = listener.running.finish().expect_code(0);
    assert!(!end.stderr.contains("error"), "{}", end.stderr);
    assert!(end.stderr.contains(" datagram"), "{}", end.stderr);

    // The reader stalls, and a signal asks the listener to stop.
    let (_reader, writer) = std::io::pipe().unwrap();
    let mut command = udpcli(["listen", "--bind", "127.0.0.1", "--port", "0"]);
    command.args(["--save", "-", "--save-format", "pcap"]);
    let mut child = command
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let to = listening_address(&line);
    for _ in 0..10 {
        socket.send_to(&pattern(60_000), to).unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    let killed = Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.unwrap().success());
    let status = child.wait().unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_capture_on_standard_output_needs_a_format_and_has_it_to_itself() {
    for (args, told) in [
        (&["--save", "-"][..], "--save-format pcap"),
        (
            &["--save", "-", "--save-format", "pcap", "--format", "text"],
            "leave --format out",
        ),
        (&["--save-format", "pcap"], "--save"),
        (&["--save", "capture"], "--save-format"),
    ] {
        let end =
            run([&["listen", "--port", "0", "--duration", "1ms"], args].concat()).expect_code(2);
        assert!(end.stderr.contains(told), "{args:?}: {}", end.stderr);
        assert!(end.stdout.is_empty(), "{args:?}");
    }
    #[cfg(target_os = "linux")]
    for format in ["pcap", "pcapng"] {
        let args = [
            "listen",
            "--port",
            "0",
            "--save",
            "-",
            "--save-format",
            format,
        ];
        let end = run_with_input(crate::support::udpcli_on_terminal("", args), b"").expect_code(2);
        assert!(
            end.text().contains("binary data to the terminal"),
            "{}",
            end.text()
        );
    }
}

/// A file name without a known extension, as `>(program)` produces.
#[test]
fn a_format_that_is_named_stands_above_the_files_name() {
    let place = Place::new();
    for (name, format) in [("capture", "pcap"), ("a.jsonl", "pcapng")] {
        let path = place.file(name);
        let mut listener = listen(&path, &["--save-format", format, "-n", "1"]);
        send(&loopback_socket(), &mut listener, b"one");
        listener.running.finish().expect_code(0);
        assert_eq!(read(&path)[0].payload, b"one", "{name}");
    }
}
