//! Replies: waiting for them, printing them, and what a missing one means.

use super::*;

#[test]
fn an_echo_is_a_reply() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let finished = run([
        "send", &peer, "ping", "--expect", "ping", "--wait", "10s", "--format", "raw",
    ])
    .expect_code(0);
    assert_eq!(finished.text(), "ping");
}

#[test]
fn replies_are_printed_in_each_format() {
    for format in ["text", "board", "hex", "json", "raw"] {
        let (peer, answerer) = answering(vec![b"pong\r\n".to_vec()]);
        let port = peer.rsplit_once(':').unwrap().1;
        let finished = run([
            "send",
            &peer,
            "ping",
            "-w",
            "10s",
            "--replies",
            "1",
            "--format",
            format,
        ])
        .expect_code(0);
        answerer.join().unwrap();
        let shown = finished.text();
        match format {
            "text" => assert!(
                shown.ends_with(&format!(" {peer} 6 pong\\r\\n\n")),
                "{shown}"
            ),
            "board" => assert_eq!(
                shown,
                format!("waiting...\nreceived: b'pong\\r\\n' from ('127.0.0.1', {port})\n")
            ),
            "hex" => {
                let (head, dump) = shown.split_once('\n').unwrap();
                assert!(head.ends_with(&format!(" {peer} 6")), "{shown}");
                assert_eq!(
                    dump,
                    "00000000  70 6f 6e 67 0d 0a                                 |pong..|\n"
                );
            }
            "json" => {
                let object: serde_json::Value = serde_json::from_str(&shown).unwrap();
                assert_eq!(
                    (object["from"].as_str(), object["text"].as_str()),
                    (Some(&*peer), Some("pong\r\n"))
                );
            }
            _ => assert_eq!(shown, "pong\r\n"),
        }
    }
}

#[test]
fn no_reply_in_time_is_exit_code_1() {
    let socket = loopback_socket();
    let started = Instant::now();
    let finished = run(["send", &address_of(&socket), "x", "-w", "200ms"]).expect_code(1);
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_in_order(
        &finished.stderr,
        &[
            "1 datagram, ",
            "0 replies",
            "udpcli: error: no reply",
            "hint:",
        ],
    );
    assert_eq!(finished.text(), "");
}

#[test]
fn enough_replies_end_the_wait() {
    let (peer, answerer) = answering(vec![
        b"1".to_vec(),
        b"2".to_vec(),
        b"3".to_vec(),
        b"4".to_vec(),
    ]);
    let finished = run([
        "send",
        &peer,
        "x",
        "-w",
        "1h",
        "--replies",
        "3",
        "--format",
        "raw",
    ])
    .expect_code(0);
    assert_eq!(finished.text(), "123");
    assert!(
        summary(&finished).contains(", 3 replies, "),
        "{}",
        finished.stderr
    );
    answerer.join().unwrap();
}

#[test]
fn enough_replies_end_the_sending_too() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let args = ["-n", "50", "-i", "200ms", "--replies", "1"];
    let finished = run([&["send", &peer, "hi"], &args[..]].concat()).expect_code(0);
    let line = summary(&finished);
    let sent: u32 = line.split(' ').next().unwrap().parse().unwrap();
    assert!((1..10).contains(&sent), "{line}");
    assert!(line.contains(", 1 reply, "), "{line}");
}

#[test]
fn enough_replies_end_an_interactive_run_while_more_could_be_typed() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let mut running =
        Running::spawn(udpcli(["send", &peer, "-I", "--replies", "1"]).stdin(Stdio::piped()));
    running.type_in(b"first\n");
    let line = running.stdout_line();
    assert!(line.ends_with(" first\n"), "{line}");
    eventually("the run ends", || running.has_ended());
    let finished = running.finish().expect_code(0);
    assert!(
        summary(&finished).starts_with("1 datagram, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn missing_replies_are_exit_code_1_even_if_nothing_was_sent() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    for args in [["--expect", "pong"], ["--replies", "2"]] {
        run([&["send", &peer], &args[..]].concat()).expect_code(1);
        nothing_waits(&socket);
    }
}

#[test]
fn too_few_replies_are_exit_code_1() {
    let (peer, answerer) = answering(vec![b"1".to_vec(), b"2".to_vec()]);
    let finished = run([
        "send",
        &peer,
        "x",
        "-w",
        "1s",
        "--replies",
        "3",
        "--format",
        "raw",
    ])
    .expect_code(1);
    assert_eq!(finished.text(), "12");
    assert!(
        finished.stderr.contains("2 of 3 replies"),
        "{}",
        finished.stderr
    );
    answerer.join().unwrap();
}

#[test]
fn a_wait_ends_with_the_reply_to_the_last_datagram() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    for (args, input, count) in [
        (&["x", "-w", "1h"][..], &b""[..], 1),
        (&["x", "y", "-n", "2", "-w", "1h"], b"", 4),
        (&["--size", "64", "-n", "300", "-w", "1h"], b"", 300),
        (&["-w", "1h"], b"a\nb\nc\n", 3),
        (&["-I", "-w", "1h"], b"a\nb\n", 2),
        (&["--file", "-", "--chunk", "2", "-w", "1h"], b"abcde", 3),
    ] {
        let args = [&["send", &peer, "--format", "json"], args].concat();
        let finished = run_with_input(udpcli(&args), input).expect_code(0);
        assert_eq!(finished.text().lines().count(), count, "{args:?}");
    }
    // The number of datagrams depends on how busy the machine is.
    let args = [
        "x",
        "--rate",
        "1k",
        "--duration",
        "20ms",
        "-w",
        "1h",
        "--format",
        "json",
    ];
    let finished = run([&["send", &peer], &args[..]].concat()).expect_code(0);
    let sent = summary(&finished).split(' ').next().unwrap().parse();
    assert_eq!(Ok(finished.text().lines().count()), sent);
    // A refused datagram gets no reply, so it also ends the wait.
    let closed = refusing_socket("127.0.0.1:0");
    run(["send", &address_of(&closed), "a", "b", "c", "-w", "1h"]).expect_code(1);
}

#[test]
fn with_a_reply_missing_the_wait_lasts_to_its_end() {
    let (peer, answerer) = answering(vec![b"1".to_vec()]);
    let started = Instant::now();
    run(["send", &peer, "x", "y", "-w", "300ms"]).expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(300));
    answerer.join().unwrap();
}

#[test]
fn a_wait_hears_all_that_comes_within_it() {
    let (peer, answerer) = answering(vec![b"1".to_vec(), Vec::new(), b"3".to_vec()]);
    let finished = run([
        "send",
        &peer,
        "x",
        "-w",
        "1h",
        "--replies",
        "3",
        "--format",
        "json",
    ])
    .expect_code(0);
    assert_eq!(finished.text().lines().count(), 3, "{}", finished.text());
    answerer.join().unwrap();
}

#[test]
fn an_expected_reply_must_come() {
    for (replies, expect, code) in [
        (&["pong"][..], "pong", 0),
        (&["other", "pong"], "pong", 0),
        (&["pong!"], "pong", 1),
        (&["pong\n"], "pong", 1),
        (&["Pong", "PONG"], "pong", 1),
        (&[], "pong", 1),
        (&[""], "", 0),
    ] {
        let (peer, answerer) = answering(
            replies
                .iter()
                .map(|reply| reply.as_bytes().to_vec())
                .collect(),
        );
        let finished = run([
            "send",
            &peer,
            "x",
            "--expect",
            expect,
            "-w",
            if code == 0 { "1h" } else { "500ms" },
        ]);
        assert_eq!(
            finished.code,
            Some(code),
            "{replies:?}: {}",
            finished.stderr
        );
        answerer.join().unwrap();
    }
    // Escapes and encoding apply to the expected text as to the message.
    let (peer, answerer) = answering(vec![b"\xc4\xe3\r\n".to_vec()]);
    run([
        "send",
        &peer,
        "x",
        "-e",
        "--encoding",
        "gbk",
        "--expect",
        r"你\r\n",
        "-w",
        "1h",
    ])
    .expect_code(0);
    answerer.join().unwrap();
}

#[test]
fn replies_from_another_port_count() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let running = Running::spawn(
        udpcli([
            "send",
            &peer,
            "x",
            "-w",
            "1h",
            "--replies",
            "1",
            "--format",
            "raw",
        ])
        .stdin(Stdio::null()),
    );
    let (_, sender) = receive(&socket);
    loopback_socket()
        .send_to(b"from elsewhere", sender)
        .unwrap();
    assert_eq!(running.finish().expect_code(0).text(), "from elsewhere");
}

#[test]
fn a_reply_is_timed() {
    let (peer, answerer) = answering(vec![b"pong".to_vec()]);
    let finished = run(["send", &peer, "x", "-w", "1h", "--replies", "1"]).expect_code(0);
    answerer.join().unwrap();
    let line = summary(&finished);
    assert!(
        line.starts_with(
            "1 datagram, 1 byte, 0 errors, 0 refused, 1 reply, RTT min/median/p99/max "
        ),
        "{line}"
    );
    let times = line
        .split_once("max ")
        .unwrap()
        .1
        .split_once(" ms")
        .unwrap()
        .0;
    let times: Vec<f64> = times.split('/').map(|time| time.parse().unwrap()).collect();
    assert!(
        times.len() == 4 && times.is_sorted() && times[0] > 0.0 && times[3] < 20_000.0,
        "{line}"
    );
}

#[test]
fn interactive_shows_replies_as_they_come() {
    let listener = Listener::start(["--echo"]);
    let peer = listener.address.to_string();
    let mut running =
        Running::spawn(udpcli(["send", &peer, "-I", "-w", "200ms"]).stdin(Stdio::piped()));
    for text in ["first", "second"] {
        running.type_in(format!("{text}\n").as_bytes());
        let line = running.stdout_line();
        assert!(
            line.ends_with(&format!(" {peer} {} {text}\n", text.len())),
            "{line}"
        );
    }
    let finished = running.finish().expect_code(0);
    assert!(
        summary(&finished).contains("2 datagrams, 11 bytes, 0 errors, 0 refused, 2 replies, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn interactive_on_a_terminal_ends_with_ctrl_d() {
    let listener = Listener::start(["--reply", "pong"]);
    let peer = listener.address.to_string();
    let mut running = Running::spawn(&mut udpcli_on_terminal(
        "",
        ["send", &peer, "--interactive", "-w", "200ms"],
    ));
    running.type_in(b"ping\n");
    loop {
        if running.stdout_line().ends_with(" 4 B  pong\n") {
            break;
        }
    }
    running.type_in(b"\x04");
    let finished = running.finish().expect_code(0);
    assert!(
        finished.text().contains("1 sent, 1 reply after "),
        "{}",
        finished.text()
    );
}

// Refusals.
