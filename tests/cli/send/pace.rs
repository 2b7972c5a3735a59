//! Rounds, intervals, rates, durations, and Ctrl-C.

use super::*;

#[test]
fn rounds_go_through_all_payloads() {
    let both = [&b"a"[..], b"b", b"a", b"b", b"a", b"b"];
    assert_eq!(sent_by(&["a", "b", "-n", "3"], b"", 6), both);
    assert_eq!(sent_by(&["-n", "3"], b"a\nb\n", 6), both);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"a\nb\n").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(
        sent_by(&["--file", path, "--lines", "--count", "3"], b"", 6),
        both
    );
    assert_eq!(
        sent_by(&["--file", path, "-n", "2"], b"", 2),
        [b"a\nb\n", b"a\nb\n"]
    );
    assert_eq!(
        sent_by(&["--file", path, "--chunk", "3", "-n", "2"], b"", 4),
        [&b"a\nb"[..], b"\n", b"a\nb", b"\n"]
    );
    assert_eq!(sent_by(&["--hex", "00", "-n", "2"], b"", 2), [[0], [0]]);
}

// The tutorial's client.

#[test]
fn on_a_terminal_it_is_the_tutorials_client_until_ctrl_c() {
    let socket = loopback_socket();
    let started = Instant::now();
    let mut running = Running::spawn(&mut udpcli_on_terminal("", ["send", &address_of(&socket)]));
    assert_eq!(receive(&socket).0, TUTORIAL_MESSAGE);
    assert_eq!(receive(&socket).0, TUTORIAL_MESSAGE);
    assert!(
        started.elapsed() >= Duration::from_secs(2),
        "two within {:?}",
        started.elapsed()
    );
    running.type_in(CTRL_C);
    let finished = running.finish().expect_code(0);
    let shown = finished.text();
    assert!(
        shown.contains("2 datagrams, 56 bytes, 0 errors, 0 refused, 0 replies, "),
        "{shown}"
    );
}

#[test]
fn the_tutorials_client_takes_count_and_interval() {
    let socket = loopback_socket();
    let started = Instant::now();
    let running = Running::spawn(&mut udpcli_on_terminal(
        "",
        ["send", &address_of(&socket), "-n", "2", "-i", "0.1"],
    ));
    let finished = running.finish().expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(
        receive_payloads(&socket, 2),
        [TUTORIAL_MESSAGE, TUTORIAL_MESSAGE]
    );
    assert!(
        finished.text().contains("2 datagrams, "),
        "{}",
        finished.text()
    );
}

// Pace.

#[test]
fn the_interval_stands_between_datagrams() {
    let socket = loopback_socket();
    let gap = Duration::from_millis(60);
    let started = Instant::now();
    let running = Running::spawn(
        udpcli([
            "send",
            &address_of(&socket),
            "--size",
            "16",
            "-n",
            "5",
            "-i",
            "60ms",
        ])
        .stdin(Stdio::null()),
    );
    let mut sent = Vec::new();
    for index in 0..5 {
        sent.push(header(&receive(&socket).0).1);
        assert!(
            started.elapsed() >= gap * index,
            "datagram {index} after {:?}",
            started.elapsed()
        );
    }
    running.finish().expect_code(0);
    // Compare the sender's own timestamps, which do not depend on a busy receiver: no datagram is early, none is
    // delayed indefinitely.
    for (index, time) in (0..).zip(&sent) {
        let after = time.saturating_sub(sent[0]);
        let due = gap * index;
        assert!(
            after + Duration::from_millis(20) >= due,
            "datagram {index} left after {after:?}, due after {due:?}"
        );
        assert!(
            after <= due + Duration::from_secs(5),
            "datagram {index} left after {after:?}, due after {due:?}"
        );
    }
}

#[test]
fn the_interval_stands_between_lines_after_one_that_came_late() {
    // Use the kernel's timestamps from a listener, so that delays of this test do not matter.
    let mut listener = Listener::start(["--format", "json"]);
    let peer = listener.address.to_string();
    let mut running = Running::spawn(udpcli(["send", &peer, "-i", "300ms"]).stdin(Stdio::piped()));
    let mut arrival = |text: &str| -> Timestamp {
        let line = listener.running.stdout_line();
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["text"], text);
        object["time"].as_str().unwrap().parse().unwrap()
    };
    running.type_in(b"a\n");
    arrival("a");
    // Wait for several intervals, to see that they are not made up for.
    std::thread::sleep(Duration::from_secs(1));
    running.type_in(b"b\nc\nd\n");
    let times = ["b", "c", "d"].map(&mut arrival);
    for pair in times.windows(2) {
        let gap = pair[1].duration_since(pair[0]).as_millis();
        assert!(gap >= 290, "{gap} ms in {times:?}");
    }
    running.finish().expect_code(0);
}

#[test]
fn the_interval_stands_between_messages_and_rounds_alike() {
    let started = Instant::now();
    assert_eq!(
        sent_by(&["a", "b", "-n", "2", "-i", "50ms"], b"", 4),
        [b"a", b"b", b"a", b"b"]
    );
    assert!(
        started.elapsed() >= Duration::from_millis(150),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_rate_is_kept_evenly() {
    let socket = loopback_socket();
    let started = Instant::now();
    let running = Running::spawn(
        udpcli([
            "send",
            &address_of(&socket),
            "--size",
            "16",
            "-n",
            "50",
            "--rate",
            "200",
        ])
        .stdin(Stdio::null()),
    );
    let sent: Vec<Duration> = (0..50).map(|_| header(&receive(&socket).0).1).collect();
    assert!(
        started.elapsed() >= Duration::from_millis(49 * 5),
        "{:?}",
        started.elapsed()
    );
    running.finish().expect_code(0);
    let at_once = sent
        .windows(2)
        .filter(|pair| pair[1].saturating_sub(pair[0]) < Duration::from_millis(1))
        .count();
    assert!(
        at_once <= 25,
        "{at_once} of 50 datagrams left within a millisecond of the one before: {sent:?}"
    );
}

#[test]
fn rate_max_does_not_wait() {
    let listener = Listener::start([
        "--count",
        "2000",
        "--recv-buffer",
        "4MiB",
        "--format",
        "raw",
    ]);
    let started = Instant::now();
    let finished = run([
        "send",
        &listener.address.to_string(),
        "--size",
        "16",
        "-n",
        "100",
        "--rate",
        "max",
    ])
    .expect_code(0);
    assert!(
        summary(&finished).starts_with("100 datagrams, 1600 bytes, "),
        "{}",
        finished.stderr
    );
    assert!(started.elapsed() < DEADLINE);
}

#[test]
fn a_duration_ends_the_sending() {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let started = Instant::now();
    let finished = run([
        "send",
        &peer,
        "--size",
        "16",
        "--rate",
        "50",
        "--duration",
        "400ms",
    ])
    .expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(400));
    let count: usize = summary(&finished)
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=21).contains(&count), "{}", finished.stderr);
    assert_eq!(receive_payloads(&socket, count).len(), count);
    nothing_waits(&socket);
    // The default interval is the tutorial's: one datagram every two seconds.
    let finished = run(["send", &peer, "hello", "--duration", "300ms"]).expect_code(0);
    assert!(
        summary(&finished).starts_with("1 datagram, 5 bytes, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_duration_ends_a_wait_for_lines() {
    let socket = loopback_socket();
    let args = ["send", &address_of(&socket), "--duration", "500ms"];
    let mut running = Running::spawn(udpcli(args).stdin(Stdio::piped()));
    running.type_in(b"one\n");
    assert_eq!(receive(&socket).0, b"one");
    // The pipe stays open, so only the duration can end the run.
    running.stderr_line_with("1 datagram, 3 bytes, ");
    running.finish().expect_code(0);
}

#[test]
fn durations_and_sizes_are_read_as_people_write_them() {
    // With a single datagram, the interval is parsed but not used, so a long one does not delay the test.
    for duration in ["250ms", "2s", "1m30s", "0.5", "3", "1h"] {
        assert_eq!(
            sent_by(&["x", "-i", duration], b"", 1),
            [b"x"],
            "{duration}"
        );
    }
    for size in ["1k", "1K", "1KiB", "1024"] {
        assert_eq!(sent_by(&["--size", size], b"", 1)[0].len(), 1024, "{size}");
    }
    sent_by(&["x", "--send-buffer", "64k"], b"", 1);
    fails(&["--size", "4MiB"], b"", 2);
}

#[test]
fn pace_that_makes_no_sense_is_a_usage_error() {
    for args in [
        &["x", "-n", "0"][..],
        &["x", "-n", "-1"],
        &["x", "-i", "soon"],
        &["x", "-i", "-1"],
        &["x", "--rate", "0"],
        &["x", "--rate", "fast"],
        &["x", "--rate", "10", "-i", "1"],
        &["x", "--duration", "0"],
    ] {
        fails(args, b"", 2);
    }
}

// Ends.

#[test]
fn ctrl_c_cuts_short_a_run_that_had_an_end() {
    for (signal, args) in [
        ("INT", &["-n", "100"][..]),
        ("TERM", &["-n", "100"]),
        ("INT", &["--duration", "1h"]),
    ] {
        let socket = loopback_socket();
        let peer = address_of(&socket);
        let running = Running::spawn(
            udpcli([&["send", &peer, "hello", "-i", "1m"], args].concat()).stdin(Stdio::null()),
        );
        receive(&socket);
        running.signal(signal);
        let finished = running.finish().expect_code(130);
        assert!(
            summary(&finished).starts_with("1 datagram, 5 bytes, 0 errors, "),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn ctrl_c_is_the_normal_end_of_lines_that_still_come() {
    let socket = loopback_socket();
    let mut running = Running::spawn(udpcli(["send", &address_of(&socket)]).stdin(Stdio::piped()));
    running.type_in(b"one\n");
    receive(&socket);
    running.signal("INT");
    // The pipe is still open, so only the signal can have ended the run.
    running.stderr_line_with("1 datagram, 3 bytes, ");
    running.finish().expect_code(0);
}

#[test]
fn ctrl_c_cuts_short_lines_that_were_to_come_twice() {
    let socket = loopback_socket();
    let args = ["send", &address_of(&socket), "-n", "2"];
    let mut running = Running::spawn(udpcli(args).stdin(Stdio::piped()));
    running.type_in(b"one\n");
    receive(&socket);
    running.signal("TERM");
    running.stderr_line_with("1 datagram, 3 bytes, ");
    running.finish().expect_code(130);
}

#[test]
fn ctrl_c_ends_a_wait_for_replies() {
    let socket = loopback_socket();
    let running = Running::spawn(
        udpcli(["send", &address_of(&socket), "x", "-w", "1h"]).stdin(Stdio::null()),
    );
    receive(&socket);
    let finished = running.interrupt().expect_code(130);
    assert!(
        summary(&finished).starts_with("1 datagram, 1 byte, "),
        "{}",
        finished.stderr
    );
}

// Replies.
