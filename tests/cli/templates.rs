//! `send --template` and `send --append`: fields, their time, checksums with every form of payload.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{
    Listener, Running, address_of, loopback_socket, receive, receive_payloads, run, run_with_input,
    udpcli,
};

/// The datagrams that `send` with these arguments and this input sends.
#[track_caller]
fn sent(args: &[&str], input: &[u8], count: usize) -> Vec<Vec<u8>> {
    let socket = loopback_socket();
    let address = address_of(&socket);
    let command = udpcli([&["send", &address], args].concat());
    run_with_input(command, input).expect_code(0);
    let payloads = receive_payloads(&socket, count);
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0]).is_err(), "more than {count}");
    payloads
}

fn texts(payloads: Vec<Vec<u8>>) -> Vec<String> {
    payloads
        .into_iter()
        .map(|payload| String::from_utf8(payload).unwrap())
        .collect()
}

#[test]
fn fields_are_filled_in_for_each_datagram() {
    let payloads = sent(
        &["--template", "{seq:03} {{x}} {rand:4..4}", "-n", "3"],
        b"",
        3,
    );
    assert_eq!(texts(payloads), ["000 {x} 4", "001 {x} 4", "002 {x} 4"]);
    let payloads = sent(
        &[
            "--template",
            "{seq} {line}\\n",
            "-e",
            "--line-ending",
            "lf",
            "-n",
            "1",
        ],
        b"a\nb\r\n\nlast",
        4,
    );
    assert_eq!(
        texts(payloads),
        ["0 a\n\n", "1 b\n\n", "2 \n\n", "3 last\n\n"]
    );
    let payloads = sent(
        &["--template", "度{line}", "--encoding", "gbk"],
        "开\n".as_bytes(),
        1,
    );
    assert_eq!(payloads, [b"\xb6\xc8\xbf\xaa"]);
    // More than one batch, in order.
    let listener = Listener::start(["-n", "700", "--format", "raw", "--separator", "\\n"]);
    let args = ["--template", "{seq}", "-n", "700"];
    run([&["send", &listener.address.to_string()], &args[..]].concat()).expect_code(0);
    let numbers: Vec<String> = (0..700).map(|number| format!("{number}\n")).collect();
    assert_eq!(listener.running.finish().text(), numbers.concat());
    let random = texts(sent(&["--template", "{rand:8}", "-n", "50"], b"", 50));
    let different: std::collections::HashSet<_> = random.iter().collect();
    assert!(
        different.len() > 45 && random.iter().all(|text| text.len() == 8),
        "{random:?}"
    );
}

#[test]
fn times_are_those_of_sending() {
    let started = Instant::now();
    let payloads = sent(
        &["--template", "{unix_ms}", "-n", "4", "-i", "200ms"],
        b"",
        4,
    );
    let took = started.elapsed();
    let times: Vec<u64> = texts(payloads)
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    for pair in times.windows(2) {
        let gap = pair[1] - pair[0];
        assert!((150..2000).contains(&gap), "{times:?}");
    }
    assert!(
        took >= Duration::from_millis(600) && took < Duration::from_secs(20),
        "{took:?}"
    );
    let text = texts(sent(&["--template", "{time}|{time:%H}"], b"", 1)).remove(0);
    let (time, hour) = text.split_once('|').unwrap();
    assert!(
        time.parse::<jiff::Timestamp>().is_ok() && hour.len() == 2,
        "{text}"
    );
}

#[test]
fn a_line_is_sent_when_it_comes_and_not_when_the_pipe_ends() {
    let socket = loopback_socket();
    let mut command = udpcli(["send", &address_of(&socket), "--template", "<{line}>"]);
    let mut running = Running::spawn(command.stdin(Stdio::piped()));
    for line in ["one", "two"] {
        running.type_in(format!("{line}\n").as_bytes());
        assert_eq!(receive(&socket).0, format!("<{line}>").as_bytes());
    }
    running.finish().expect_code(0);
    // A pause between lines, but none after the last.
    let started = Instant::now();
    sent(&["--template", "{line}", "-i", "1h"], b"only\n", 1);
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn ctrl_c_ends_a_template_that_waits() {
    for args in [
        &["--template", "{seq}", "-n", "9", "-i", "1h"][..],
        &["--template", "{line}"],
    ] {
        let socket = loopback_socket();
        let mut command = udpcli([&["send", &address_of(&socket)], args].concat());
        let mut running = Running::spawn(command.stdin(Stdio::piped()));
        if args.contains(&"{line}") {
            running.type_in(b"x\n");
        }
        receive(&socket);
        let started = Instant::now();
        let code = if args.contains(&"-n") { 130 } else { 0 };
        running.interrupt().expect_code(code);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[test]
fn wrong_templates_are_usage_errors_with_a_suggestion() {
    for (template, error, hint) in [
        (
            "{sec}",
            "unknown field {sec} at character 1",
            "did you mean seq?",
        ),
        (
            "{\"a\": 1}",
            "unknown field {\"a\": 1}",
            "written twice: {{ or }}",
        ),
        (
            "{seq",
            "the field at character 1 has no closing }",
            "written twice",
        ),
        (
            "{from}",
            "{from} at character 1 has no meaning in a message",
            "fields are",
        ),
        (
            "{seq:x}",
            "{seq:x} at character 1: write a width from 1 to 40",
            "fields are",
        ),
        ("{1}", "unknown field {1}", ""),
        (
            "{line:2}",
            "this field takes nothing after its name",
            "{line}",
        ),
        (
            "{time:%H:%!}",
            "{time:%H:%!} at character 1: %! at character 10 does not exist",
            "fields are",
        ),
        (
            "{rand:0..18446744073709551616}",
            "whole numbers from -9223372036854775808 to 18446744073709551615",
            "fields are",
        ),
    ] {
        let finished = run(["send", "127.0.0.1:9", "--template", template]).expect_code(2);
        let stderr = &finished.stderr;
        assert!(
            stderr.contains(error) && stderr.contains(hint),
            "{template}: {stderr}"
        );
    }
    run(["send", "127.0.0.1:9", "--template", "x", "y"]).expect_code(2);
    let long = "{rand:1024}".repeat(100);
    let finished = run(["send", "127.0.0.1:9", "--template", &long]).expect_code(2);
    assert!(
        finished.stderr.contains("datagram 1 of the template"),
        "{}",
        finished.stderr
    );
}

/// On a terminal there are no input lines: the hint lists the other fields.
#[cfg(target_os = "linux")]
#[test]
fn a_hint_lists_the_line_field_only_where_there_are_lines() {
    for (template, problem, fields) in [
        ("{x}", "unknown field {x}", "seq, time, unix_ms and rand;"),
        ("{seq:x}", "write a width", "{rand:1..100}"),
        (
            "{line}",
            "{line} at character 1 needs lines",
            "lines come through a pipe",
        ),
    ] {
        let args = ["send", "127.0.0.1:9", "--template", template];
        let mut terminal = crate::support::udpcli_on_terminal("2", args);
        let shown = Running::spawn(&mut terminal).finish();
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned() + &shown.stderr;
        assert!(shown.contains(problem) && shown.contains(fields), "{shown}");
        let listed = shown.split("fields are").nth(1).unwrap_or_default();
        assert!(!listed.contains("line"), "{shown}");
    }
}

/// Python's checksum of each payload, as the bytes that follow it.
const PYTHON: &str = r"
import binascii, struct, sys
def crc(data, width, poly, init, reflect):
    value, top, mask = init, 1 << (width - 1), (1 << width) - 1
    for byte in data:
        if reflect:
            byte = int(f'{byte:08b}'[::-1], 2)
        value ^= byte << (width - 8)
        for _ in range(8):
            value = ((value << 1) ^ poly if value & top else value << 1) & mask
    return int(f'{value:0{width}b}'[::-1], 2) if reflect else value
data = bytes.fromhex(sys.argv[1])
print({
    'sum8': bytes([sum(data) & 255]),
    'crc8': bytes([crc(data, 8, 7, 0, False)]),
    'crc16-modbus': struct.pack('<H', crc(data, 16, 0x8005, 0xffff, True)),
    'crc16-modbus:be': struct.pack('>H', crc(data, 16, 0x8005, 0xffff, True)),
    'crc16-ccitt': struct.pack('>H', binascii.crc_hqx(data, 0xffff)),
    'crc32': struct.pack('>I', binascii.crc32(data)),
    'crc32:le': struct.pack('<I', binascii.crc32(data)),
}[sys.argv[2]].hex())
";

#[test]
fn checksums_follow_every_form_of_payload_and_are_pythons() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.bin");
    std::fs::write(&file, "file content").unwrap();
    let file = file.to_str().unwrap();
    for (check, args, input, count, len) in [
        (
            "crc16-modbus",
            &["--hex", "01 03 00 00 00 01"][..],
            "",
            1,
            6,
        ),
        ("crc16-modbus:be", &["one", "two"], "", 2, 3),
        ("crc32", &["--template", "{seq}", "-n", "3"], "", 3, 1),
        ("crc32:le", &["--size", "40", "-n", "3"], "", 3, 40),
        ("crc16-ccitt", &["--file", file], "", 1, 12),
        ("crc8", &["--file", file, "--chunk", "6"], "", 2, 6),
        ("sum8", &["--line-ending", "lf"], "ab\ncd\n", 2, 3),
        ("sum8", &[], "ab\ncd\n", 2, 2),
    ] {
        let payloads = sent(
            &[&["--append", check], args].concat(),
            input.as_bytes(),
            count,
        );
        for payload in payloads {
            let (body, sum) = payload.split_at(len);
            let hex = |bytes: &[u8]| -> String {
                bytes.iter().fold(String::new(), |mut text, byte| {
                    write!(text, "{byte:02x}").unwrap();
                    text
                })
            };
            let mut python = Command::new("python3");
            python.args(["-c", PYTHON, &hex(body), check]);
            let expected = run_with_input(python, b"").expect_code(0).text();
            assert_eq!(hex(sum), expected.trim(), "{check} {args:?}");
        }
    }
    run(["send", "127.0.0.1:9", "x", "--append", "crc"]).expect_code(2);
    let longest = "x".repeat(65_506);
    run_with_input(
        udpcli(["send", "127.0.0.1:9", "--append", "crc16-ccitt"]),
        longest.as_bytes(),
    )
    .expect_code(2);
}

#[test]
fn listen_verifies_what_send_appends() {
    let listener = Listener::start([
        "--bind",
        "127.0.0.1",
        "--check",
        "crc32",
        "--seq",
        "-n",
        "20",
        "--format",
        "json",
    ]);
    run([
        "send",
        &listener.address.to_string(),
        "--size",
        "64",
        "-n",
        "20",
        "--append",
        "crc32",
    ])
    .expect_code(0);
    let finished = listener.running.finish().expect_code(0);
    assert_eq!(finished.text().matches("\"check\":\"ok\"").count(), 20);
    assert!(
        finished.stderr.contains("0 lost") && finished.stderr.contains("0 with a wrong checksum")
    );
}
