//! Messages of `udpcli.toml` by name: `send HOST:PORT @NAME`, conversations, their reports, and `udpcli messages`.
//!
//! Long because conversations, reports and errors all need a device that answers.

use std::fs;
use std::net::UdpSocket;
use std::process::Command;
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    DEADLINE, Finished, address_of, loopback_socket, receive_payloads, run_with_input, udpcli,
};

const PROJECT: &str = r#"
[messages.led-on]
text = "led on\r\n"
expect = "ok\r\n"
wait = "30s"

[messages.quick]
text = "quick"
expect = "ok"
wait = "50ms"

[messages.read-sensor]
hex = "01 03 00 00 00 01"
append = "crc16-modbus"

[messages."开灯"]
text = "开灯"
encoding = "gbk"

[messages.counted]
template = "n={seq}"

[messages.picture]
file = "data/picture.bin"
"#;

/// A folder with a project.
fn project(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("udpcli.toml"), text).unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/picture.bin"), b"\x00\xff\n").unwrap();
    folder
}

fn command(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = udpcli(args);
    command.current_dir(folder.path());
    command
}

fn run(folder: &TempDir, args: &[&str]) -> Finished {
    run_with_input(command(folder, args), b"")
}

/// The datagrams that `send` with these arguments sends in a folder with [`PROJECT`].
#[track_caller]
fn sent(args: &[&str], count: usize) -> Vec<Vec<u8>> {
    let socket = loopback_socket();
    let address = address_of(&socket);
    run(&project(PROJECT), &[&["send", &address], args].concat()).expect_code(0);
    let payloads = receive_payloads(&socket, count);
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0]).is_err(), "more than {count}");
    payloads
}

/// Answers each datagram with the next of these replies (an empty reply means none); returns the received datagrams.
fn device(replies: &'static [&'static [&'static [u8]]]) -> (String, JoinHandle<Vec<Vec<u8>>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let mut came = Vec::new();
        let mut buffer = [0; 2048];
        for replies in replies {
            let (len, peer) = socket.recv_from(&mut buffer).unwrap();
            came.push(buffer[..len].to_vec());
            for reply in *replies {
                socket.send_to(reply, peer).unwrap();
            }
        }
        came
    });
    (address, thread)
}

#[test]
fn a_message_is_sent_by_its_name_as_the_file_defines_it() {
    let payloads = sent(&["@read-sensor", "@开灯", "@picture"], 3);
    let checked = b"\x01\x03\x00\x00\x00\x01\x84\x0a";
    assert_eq!(payloads, [&checked[..], b"\xbf\xaa\xb5\xc6", b"\x00\xff\n"]);
}

#[test]
fn names_stand_among_ordinary_messages_and_rounds_repeat_them_all() {
    let payloads = sent(&["a", "@counted", "@@b", "-n", "2"], 6);
    let wanted: [&[u8]; 6] = [b"a", b"n=1", b"@b", b"a", b"n=4", b"@b"];
    assert_eq!(payloads, wanted);
}

#[test]
fn flags_complete_what_a_definition_leaves_open() {
    let flags = [
        "--line-ending",
        "lf",
        "--append",
        "xor8",
        "--encoding",
        "gbk",
    ];
    let args = [&["@read-sensor", "@开灯", "@counted"], &flags[..]].concat();
    let payloads = sent(&args, 3);
    let light = b"\xbf\xaa\xb5\xc6\n";
    let xor = light.iter().fold(0, |xor, byte| xor ^ byte);
    let wanted: [&[u8]; 3] = [
        b"\x01\x03\x00\x00\x00\x01\x84\x0a",
        &[&light[..], &[xor]].concat(),
        b"n=2\n\x6b",
    ];
    assert_eq!(payloads[..2], wanted[..2]);
    assert_eq!(payloads[2][..4], wanted[2][..4]);
}

#[test]
fn two_at_signs_are_one_that_is_sent_with_or_without_a_project() {
    assert_eq!(
        sent(&["@@foo", "@@@bar", "a@b"], 3),
        [&b"@foo"[..], b"@@bar", b"a@b"]
    );
    let socket = loopback_socket();
    let folder = tempfile::tempdir().unwrap();
    run(&folder, &["send", &address_of(&socket), "@@foo"]).expect_code(0);
    assert_eq!(receive_payloads(&socket, 1), [b"@foo"]);
}

#[test]
fn an_unknown_name_is_a_usage_error_with_the_nearest_name_and_the_literal_form() {
    let socket = loopback_socket();
    let address = address_of(&socket);
    let near = run(&project(PROJECT), &["send", &address, "a", "@led-om"]).expect_code(2);
    for part in [
        "udpcli.toml has no message led-om",
        "did you mean @led-on?",
        "@@led-om",
    ] {
        assert!(near.stderr.contains(part), "{}", near.stderr);
    }
    let far = run(&project(PROJECT), &["send", &address, "@xyzxyzxyz\x1b[2J"]).expect_code(2);
    assert!(
        far.stderr.contains("udpcli messages lists the names"),
        "{}",
        far.stderr
    );
    assert!(!far.stderr.contains('\x1b'), "{:?}", far.stderr);
    let folder = tempfile::tempdir().unwrap();
    let none = run(&folder, &["send", &address, "@foo"]).expect_code(2);
    for part in ["this folder has no udpcli.toml", "@@foo"] {
        assert!(none.stderr.contains(part), "{}", none.stderr);
    }
    run(&project(PROJECT), &["send", &address, "@"]).expect_code(2);
    socket.set_nonblocking(true).unwrap();
    assert!(
        socket.recv(&mut [0]).is_err(),
        "nothing is sent before an error"
    );
}

#[test]
fn a_project_that_is_wrong_or_lacks_a_file_stops_only_who_needs_it() {
    let socket = loopback_socket();
    let address = address_of(&socket);
    let folder = project("mesages = 1");
    let wrong = run(&folder, &["send", &address, "@a"]).expect_code(2);
    assert!(
        wrong.stderr.contains("line 1, column 1"),
        "{}",
        wrong.stderr
    );
    run(&folder, &["send", &address, "a"]).expect_code(0);
    let folder = project("[messages.a]\nfile = 'nosuch.bin'");
    let missing = run(&folder, &["send", &address, "@a"]);
    assert!(missing.stderr.contains("nosuch.bin"), "{}", missing.stderr);
    assert_ne!(missing.code, Some(0));
}

#[test]
fn in_a_conversation_each_message_waits_for_the_reply_to_the_one_before_it() {
    let (address, device) = device(&[&[b"busy", b"ok\r\n"], &[], &[b"ok\r\n"]]);
    let done = run(
        &project(PROJECT),
        &[
            "send", &address, "@led-on", "plain", "@led-on", "--format", "raw",
        ],
    )
    .expect_code(0);
    assert_eq!(done.text(), "busyok\r\nok\r\n");
    assert!(done.stderr.contains("3 datagrams, "), "{}", done.stderr);
    assert!(done.stderr.contains(", 3 replies, "), "{}", done.stderr);
    assert_eq!(
        device.join().unwrap(),
        [&b"led on\r\n"[..], b"plain", b"led on\r\n"]
    );
}

#[test]
fn a_conversation_ends_with_1_at_the_first_reply_that_is_missing_or_wrong() {
    let (address, device) = device(&[&[b"ok\r\n"], &[b"no"]]);
    let folder = project(PROJECT);
    let wrong = run(
        &folder,
        &["send", &address, "@led-on", "@quick", "@counted"],
    )
    .expect_code(1);
    let error = "udpcli: error: message 2 of 3, @quick, failed\n  caused by: 1 reply from ";
    assert!(wrong.stderr.contains(error), "{}", wrong.stderr);
    let hint = "the message's expect in udpcli.toml says which reply must come";
    assert!(wrong.stderr.contains(hint), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("--expect"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("2 datagrams, "), "{}", wrong.stderr);
    assert_eq!(device.join().unwrap().len(), 2);

    let silent = loopback_socket();
    let missing = run(&folder, &["send", &address_of(&silent), "@quick", "a"]).expect_code(1);
    assert!(
        missing.stderr.contains("message 1 of 2, @quick, failed"),
        "{}",
        missing.stderr
    );
    assert!(
        missing.stderr.contains("no reply from "),
        "{}",
        missing.stderr
    );
    drop(silent);

    let nobody = loopback_socket();
    let address = address_of(&nobody);
    drop(nobody);
    let refused = run(&folder, &["send", &address, "@led-on"]).expect_code(1);
    assert!(
        refused.stderr.contains("refused: nothing listens on "),
        "{}",
        refused.stderr
    );
}

#[test]
fn flags_that_expect_replies_of_all_do_not_go_with_messages_that_expect_their_own() {
    for flags in [&["--expect", "x"][..], &["--replies", "2"]] {
        let args = [&["send", "127.0.0.1:9", "@led-on"], flags].concat();
        let error = run(&project(PROJECT), &args).expect_code(2);
        assert!(error.stderr.contains(flags[0]), "{}", error.stderr);
    }
}

/// The attributes of each case, and whether it passed.
fn cases(xml: &str) -> Vec<(String, &'static str)> {
    let cases = xml.split("<testcase name=\"").skip(1);
    let outcome = |case: &str| {
        let outcomes = ["failure", "error", "skipped"];
        let found = outcomes
            .into_iter()
            .find(|tag| case.contains(&format!("<{tag}")));
        found.unwrap_or("passed")
    };
    cases
        .map(|case| (case.split('"').next().unwrap().to_owned(), outcome(case)))
        .collect()
}

#[test]
fn a_report_has_a_case_for_each_message_of_a_conversation() {
    let (address, device) = device(&[&[b"o\x1bk", b"ok\r\n"], &[], &[b"no"]]);
    let folder = project(PROJECT);
    let args = [
        "send", &address, "@led-on", "a<b", "@quick", "last", "--format", "junit",
    ];
    let failed = run(&folder, &args).expect_code(1);
    device.join().unwrap();
    let xml = failed.text();
    assert!(xml.starts_with("<?xml "), "{xml}");
    assert!(
        xml.contains("tests=\"4\" skipped=\"1\" failures=\"1\" errors=\"0\""),
        "{xml}"
    );
    assert!(xml.contains("type=\"unexpected-reply\""), "{xml}");
    let wanted = [
        ("1 @led-on".to_owned(), "passed"),
        ("2 &quot;a&lt;b&quot;".to_owned(), "passed"),
        ("3 @quick".to_owned(), "failure"),
        ("4 &quot;last&quot;".to_owned(), "skipped"),
    ];
    assert_eq!(cases(&xml), wanted);
    assert!(
        xml.contains("not sent: a message before it failed"),
        "{xml}"
    );
    let read = "import sys, xml.etree.ElementTree as t; print(t.parse(sys.stdin).getroot().tag)";
    let mut python = Command::new("python3");
    python.args(["-c", read]);
    let read = run_with_input(python, xml.as_bytes()).expect_code(0);
    assert_eq!(read.text().trim(), "testsuites");
}

#[test]
fn a_report_has_the_same_names_and_types_in_every_language_and_sentences_for_people() {
    let (address, device) = device(&[&[b"no"]]);
    let args = [
        "send", &address, "@led-on", "@quick", "--format", "junit", "--lang", "zh-CN",
    ];
    let xml = run(&project(PROJECT), &args).expect_code(1).text();
    device.join().unwrap();
    let wanted = [
        ("1 @led-on".to_owned(), "failure"),
        ("2 @quick".to_owned(), "skipped"),
    ];
    assert_eq!(cases(&xml), wanted);
    for part in [
        r#"type="unexpected-reply""#,
        "没有一条与期望的文本相同",
        "没有发送：前面的消息失败了",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
}

#[test]
fn a_report_needs_messages_with_names_and_a_number_of_rounds() {
    let folder = project(PROJECT);
    let plain = ["send", "127.0.0.1:9", "a", "--format", "junit"];
    let error = run(&folder, &plain).expect_code(2);
    assert!(
        error.stderr.contains("messages with a name"),
        "{}",
        error.stderr
    );
    for flags in [["--duration", "1s"], ["-n", "1000000"]] {
        let args = [
            &["send", "127.0.0.1:9", "@led-on", "--format", "junit"],
            &flags[..],
        ]
        .concat();
        let error = run(&folder, &args).expect_code(2);
        assert!(error.stderr.contains("65536"), "{}", error.stderr);
    }
}

#[test]
fn messages_are_listed_as_text_and_as_json() {
    let folder = project(PROJECT);
    let text = run(&folder, &["messages"]).expect_code(0).text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(
        lines[0],
        r#"@led-on       text = "led on\r\n", expect = "ok\r\n", wait = "30s""#
    );
    let json = run(&folder, &["messages", "--format", "json"])
        .expect_code(0)
        .text();
    let objects: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects[2]["name"], "read-sensor");
    assert_eq!(objects[2]["hex"], "01 03 00 00 00 01");
    assert_eq!(objects[2]["append"], "crc16-modbus");
    assert_eq!(objects[0]["wait"], "30s");
    let empty = tempfile::tempdir().unwrap();
    let none = run(&empty, &["messages"]).expect_code(0);
    assert_eq!(none.text(), "");
    assert!(none.stderr.contains("no udpcli.toml"), "{}", none.stderr);
}

#[test]
fn completion_offers_the_names_after_an_at_sign() {
    let folder = project(PROJECT);
    let offered = |begun: &str| {
        let mut command = command(&folder, &["--", "udpcli", "send", "127.0.0.1:6000", begun]);
        command
            .env("UDPCLI_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", "3")
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_IFS", "\n");
        run_with_input(command, b"").expect_code(0).text()
    };
    assert_eq!(offered("@re").trim(), "@read-sensor");
    assert!(offered("@").contains("@开灯"));
    assert_eq!(offered("re").trim(), "");
}

#[test]
fn a_message_whose_file_is_missing_is_named_with_its_file() {
    let folder = project(
        "[messages.lost]\nfile = \"nonexistent.bin\"\n\n[[replies]]\non = \"a\"\nfile = \"lost.bin\"\n",
    );
    let sent = run(&folder, &["send", "127.0.0.1:9", "@lost"]).expect_code(3);
    let told = "error: cannot read the file of message lost in udpcli.toml\n  caused by: cannot read nonexistent.bin\n  caused by: ";
    assert!(sent.stderr.contains(told), "{}", sent.stderr);
    let answered = run(&folder, &["listen", "--bind", "127.0.0.1", "-p", "0"]).expect_code(3);
    let told = "error: cannot read the file of the reply in udpcli.toml, line 4\n  caused by: cannot read lost.bin\n";
    assert!(answered.stderr.contains(told), "{}", answered.stderr);
}

#[test]
fn replies_are_shown_in_the_encoding_of_their_message() {
    let folder = project(
        r#"
[messages.warm]
text = "温"
encoding = "gbk"
expect = "度"
wait = "30s"

[messages.plain]
text = "plain"
expect = "好"
wait = "30s"

[messages.quiet]
text = "温"
encoding = "gbk"
"#,
    );
    let conversation = |format: &str| {
        let (address, device) = device(&[&[b"\xb6\xc8"], &[b"\xe5\xa5\xbd"], &[b"\xb6\xc8"]]);
        let args = ["send", &address, "@warm", "@plain", "@warm"];
        let finished = run(&folder, &[&args, &["--format", format][..]].concat()).expect_code(0);
        device.join().unwrap();
        finished.text()
    };
    let text = conversation("text");
    let shown: Vec<&str> = text.split_whitespace().collect();
    assert!(
        ["度", "好"].iter().all(|reply| shown.contains(reply)),
        "{text}"
    );
    assert!(!text.contains('\\'), "{text}");
    let replies: Vec<Value> = conversation("json")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let texts: Vec<&Value> = replies.iter().map(|reply| &reply["text"]).collect();
    assert_eq!(texts, ["度", "好", "度"]);
    let report = conversation("junit");
    assert_eq!(report.matches('度').count(), 2, "{report}");
    assert!(report.contains('好'), "{report}");
    // Without an expectation, the replies of a run are in the encoding that all its messages have.
    let (address, device) = device(&[&[b"\xb6\xc8"]]);
    let quiet = run(&folder, &["send", &address, "@quiet", "-w", "30s"]).expect_code(0);
    assert!(quiet.text().contains('度'), "{}", quiet.text());
    device.join().unwrap();
}
