//! The ways to end: count, timeout, duration, signals, and readers that stall.

use super::*;

#[test]
fn a_count_ends_it() {
    let listener = Listener::start(["-n", "2", "--format", "raw"]);
    let socket = loopback_socket();
    for text in ["1", "2", "3"] {
        // The third datagram may be refused, because the listener has already ended.
        let _ = socket.send_to(text.as_bytes(), listener.address);
    }
    let finished = listener.running.finish().expect_code(0);
    assert_eq!(finished.text(), "12");
    assert!(
        summary(&finished).starts_with("2 datagrams, 2 bytes, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_timeout_is_exit_code_1_only_if_nothing_came() {
    let started = Instant::now();
    let finished = Listener::start(["--timeout", "200ms"])
        .running
        .finish()
        .expect_code(1);
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_in_order(
        &finished.stderr,
        &[
            "0 datagrams, ",
            "udpcli: error: no datagram for 200ms\n",
            "hint: ",
        ],
    );

    let listener = Listener::start(["--timeout", "2s", "--format", "raw"]);
    loopback_socket().send_to(b"x", listener.address).unwrap();
    assert_eq!(listener.running.finish().expect_code(0).text(), "x");
}

#[test]
fn each_datagram_restarts_the_timeout() {
    let mut listener = Listener::start(["--timeout", "1s"]);
    let socket = loopback_socket();
    let mut last = Instant::now();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(400));
        last = Instant::now();
        socket.send_to(b"x", listener.address).unwrap();
        listener.running.stdout_line();
    }
    listener.running.finish().expect_code(0);
    assert!(last.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_duration_ends_it() {
    let started = Instant::now();
    let listener = Listener::start(["--duration", "300ms"]);
    let finished = listener.running.finish().expect_code(0);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(
        summary(&finished).starts_with("0 datagrams, 0 bytes, 0 peers, "),
        "{}",
        finished.stderr
    );
}

#[test]
fn ctrl_c_and_sigterm_are_its_normal_end() {
    for signal in ["INT", "TERM"] {
        let mut listener = Listener::start(["--format", "board"]);
        assert_eq!(listener.running.stdout_line(), "waiting...\n");
        loopback_socket().send_to(b"x", listener.address).unwrap();
        listener.running.stdout_line();
        listener.running.signal(signal);
        let finished = listener.running.finish().expect_code(0);
        assert!(
            summary(&finished).starts_with("1 datagram, 1 byte, 1 peer, "),
            "{}",
            finished.stderr
        );
    }
}

#[test]
fn ctrl_c_cuts_short_a_run_that_had_an_end() {
    for args in [["-n", "10"], ["--duration", "1h"]] {
        let finished = Listener::start(args).running.interrupt().expect_code(130);
        assert!(
            summary(&finished).starts_with("0 datagrams, "),
            "{}",
            finished.stderr
        );
    }
    // With only a timeout, Ctrl-C is the normal end, so the exit code is 0.
    Listener::start(["--timeout", "1h"])
        .running
        .interrupt()
        .expect_code(0);
}

#[test]
fn what_came_before_ctrl_c_is_printed() {
    let listener = Listener::start(["--format", "raw", "--bind", "127.0.0.1"]);
    listener.running.stop();
    loopback_socket()
        .send_to(b"just in time", listener.address)
        .unwrap();
    listener.running.signal("INT");
    listener.running.signal("CONT");
    assert_eq!(
        listener.running.finish().expect_code(0).text(),
        "just in time"
    );
}

/// Starts a listener that is blocked writing to a full stdout pipe, because nobody reads it.
fn listener_nobody_reads(args: &[&str]) -> Child {
    let mut child = udpcli(
        [
            "listen",
            "--port",
            "0",
            "--bind",
            "127.0.0.1",
            "--format",
            "raw",
        ]
        .iter()
        .chain(args),
    )
    .stdin(Stdio::null())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.as_mut().unwrap());
    stderr.read_line(&mut line).unwrap();
    let address = listening_address(&line);
    let socket = loopback_socket();
    // Send more than a pipe's capacity, 64 KiB (pipe(7)).
    for _ in 0..8 {
        socket.send_to(&vec![b'x'; 30_000], address).unwrap();
    }
    let wait_channel = format!("/proc/{}/wchan", child.id());
    eventually("the listener waits for its reader", || {
        let channel = std::fs::read_to_string(&wait_channel).unwrap();
        // In `ep_poll` it would be waiting for datagrams.
        channel.contains("pipe_w") || (channel.contains("poll") && !channel.contains("ep_poll"))
    });
    child
}

#[test]
fn ctrl_c_ends_it_though_nobody_reads_its_output() {
    for (args, code) in [(&[][..], 0), (&["-n", "100"], 130)] {
        let mut child = listener_nobody_reads(args);
        let asked = Instant::now();
        interrupt(&child);
        let status = eventually_ended(&mut child);
        assert_eq!(status.code(), Some(code), "{args:?}");
        assert!(asked.elapsed() < DEADLINE);
        let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert_in_order(&stderr, &["stopped reading", " datagrams, ", "0 truncated"]);
    }
}

#[test]
fn a_reader_that_pauses_gets_everything_in_order() {
    let mut child = listener_nobody_reads(&["-n", "8"]);
    // The listener keeps waiting: output is abandoned only after a request to stop.
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    let mut output = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut output)
        .unwrap();
    assert_eq!(output.len(), 240_000);
    assert_eq!(eventually_ended(&mut child).code(), Some(0));
}

#[test]
fn a_reader_that_takes_a_little_now_and_then_does_not_hold_up_the_end_either() {
    let mut child = listener_nobody_reads(&[]);
    let mut stdout = child.stdout.take().unwrap();
    // Read one page at a time, at intervals shorter than those after which a reader counts as stalled.
    let reader = std::thread::spawn(move || {
        while stdout.read_exact(&mut [0; 4096]).is_ok() {
            std::thread::sleep(Duration::from_millis(85));
        }
    });
    let asked = Instant::now();
    signal(&child, "TERM");
    assert_eq!(eventually_ended(&mut child).code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(4));
    drop(reader);
}

#[test]
fn a_second_signal_ends_it_at_once_even_while_nobody_reads_its_output() {
    let mut child = listener_nobody_reads(&[]);
    // Both signals are pending while the process is stopped, and are delivered together. With the first signal alone
    // the exit code would be 0: see `ctrl_c_ends_it_though_nobody_reads_its_output`.
    signal(&child, "STOP");
    let stat = format!("/proc/{}/stat", child.id());
    eventually("it is stopped", || {
        let stat = std::fs::read_to_string(&stat).unwrap();
        stat.rsplit(')').next().unwrap().starts_with(" T")
    });
    for name in ["INT", "TERM", "CONT"] {
        signal(&child, name);
    }
    assert_eq!(eventually_ended(&mut child).code(), Some(130));
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for (ignored, line) in [
        ("INT", "trap '' INT; exec"),
        ("TERM", "trap '' TERM; exec"),
        ("HUP", "trap '' HUP; exec"),
        ("HUP", "exec nohup"),
    ] {
        let line = format!(r#"{line} "$0" listen --port 0 --bind 127.0.0.1 --format raw"#);
        let mut listener = Listener::spawn(&mut bash(&line, [""; 0]));
        // If the signal were not ignored, the first would request a stop and the second would end the process with 130.
        for text in ["one\n", "two\n", "three\n"] {
            listener.running.signal(ignored);
            loopback_socket()
                .send_to(text.as_bytes(), listener.address)
                .unwrap();
            assert_eq!(listener.running.stdout_line(), text, "{line}");
        }
        let other = if ignored == "INT" { "TERM" } else { "INT" };
        listener.running.signal(other);
        listener.running.finish().expect_code(0);
    }
}

fn eventually_ended(child: &mut Child) -> ExitStatus {
    let mut ended = None;
    eventually("the listener ends", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    ended.unwrap()
}

#[test]
fn what_came_before_the_timeout_is_printed() {
    let listener = Listener::start([
        "--format",
        "raw",
        "--bind",
        "127.0.0.1",
        "--timeout",
        "500ms",
    ]);
    listener.running.stop();
    loopback_socket()
        .send_to(b"just in time", listener.address)
        .unwrap();
    // This delay is what the test checks; it is not used for synchronisation.
    std::thread::sleep(Duration::from_millis(700));
    listener.running.signal("CONT");
    assert_eq!(
        listener.running.finish().expect_code(0).text(),
        "just in time"
    );
}

// Addresses.
