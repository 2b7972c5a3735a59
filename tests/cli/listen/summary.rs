//! The periodic statistics, the summary, and the counts of single and batched datagrams in it.

use super::*;

#[test]
fn counts_are_reported_every_so_often() {
    let mut listener = Listener::start(["--stats", "100ms"]);
    listener
        .running
        .stderr_line_with("0 datagrams, 0 bytes, 0 peers, ");
    loopback_socket()
        .send_to(b"hello", listener.address)
        .unwrap();
    for _ in 0..2 {
        listener
            .running
            .stderr_line_with("1 datagram, 5 bytes, 1 peer, ");
    }
}

#[test]
fn reports_that_were_missed_do_not_all_come_at_once() {
    const EVERY: Duration = Duration::from_millis(100);
    let started = Instant::now();
    let mut listener = Listener::start(["--stats", "100ms"]);
    listener.running.stderr_line_with("0 datagrams, ");
    listener.running.stop();
    let stopped = Instant::now();
    // The time of twenty reports.
    std::thread::sleep(Duration::from_secs(2));
    let away = stopped.elapsed();
    listener.running.signal("CONT");
    let socket = loopback_socket();
    socket.send_to(b"hello", listener.address).unwrap();
    for _ in 0..2 {
        listener.running.stderr_line_with("1 datagram, ");
    }
    let finished = listener.running.interrupt().expect_code(0);
    let awake = started.elapsed().saturating_sub(away);
    let reports = finished
        .stderr
        .lines()
        .filter(|line| line.contains(" truncated"))
        .count();
    // The summary has one such line more.
    let most = awake.as_millis() / EVERY.as_millis() + 3 + 1;
    assert!(
        reports as u128 <= most,
        "{reports} reports within {awake:?}: {}",
        finished.stderr
    );
}

#[test]
fn a_stats_interval_below_the_minimum_is_a_usage_error() {
    let args = [
        "listen",
        "--port",
        "0",
        "--duration",
        "10ms",
        "--stats",
        "1us",
    ];
    let stderr = run(args).expect_code(2).stderr;
    assert!(stderr.contains("--stats"), "{stderr}");
}

#[test]
fn the_summary_has_every_count() {
    let listener = Listener::start(["-n", "3"]);
    let sockets = [loopback_socket(), loopback_socket()];
    for (socket, text) in [
        (&sockets[0], "hello"),
        (&sockets[1], "world!"),
        (&sockets[0], ""),
    ] {
        socket.send_to(text.as_bytes(), listener.address).unwrap();
    }
    let finished = listener.running.finish().expect_code(0);
    let line = summary(&finished);
    assert_in_order(
        line,
        &[
            "3 datagrams, 11 bytes, 2 peers, ",
            " datagrams/s, 0 dropped by the kernel, 0 truncated",
        ],
    );
}

/// `send --chunk` uses GSO for runs of equal length, and with batching the listener receives them in one GRO buffer.
#[test]
fn datagrams_of_one_buffer_are_cut_counted_and_kept_like_single_ones() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (b'a'..=b'z').cycle().take(40 * 150 + 5).collect();
    let path = folder.path().join("content");
    std::fs::write(&path, &content).unwrap();
    let chunks: Vec<&[u8]> = content.chunks(40).collect();
    for batching in [&[][..], &["--no-batching"]] {
        let hear = |args: &[&str]| {
            let start = ["--format", "raw", "--bind", "127.0.0.1"];
            let listener = Listener::start([&start, args, batching].concat());
            let to = listener.address.to_string();
            let path = path.to_str().unwrap();
            let send = ["send", &to, "--file", path, "--chunk", "40"];
            // The exit code does not matter: the last datagrams are refused if the listener ends early.
            run(send);
            listener.running.finish().expect_code(0)
        };
        let whole = hear(&["-n", "151"]);
        assert_eq!(whole.stdout, content);
        assert_in_order(summary(&whole), &["151 datagrams, 6005 bytes, 1 peer, "]);

        let part = hear(&["-n", "70"]);
        assert_eq!(part.stdout, content[..70 * 40]);
        assert_in_order(summary(&part), &["70 datagrams, 2800 bytes, "]);

        let cut = hear(&["-n", "151", "--recv-size", "30"]);
        let heads: Vec<&[u8]> = chunks
            .iter()
            .map(|chunk| &chunk[..chunk.len().min(30)])
            .collect();
        assert_eq!(cut.stdout, heads.concat());
        assert_in_order(
            summary(&cut),
            &["151 datagrams, 4505 bytes, ", ", 150 truncated"],
        );

        let apart = hear(&["-n", "100", "--separator", "|"]);
        assert_eq!(
            apart.stdout,
            [&chunks[..100].join(&b'|')[..], b"|"].concat()
        );

        let saved = folder.path().join("saved.jsonl");
        hear(&["-n", "100", "--save", saved.to_str().unwrap()]);
        let lines = std::fs::read_to_string(&saved).unwrap();
        let texts: Vec<Vec<u8>> = lines
            .lines()
            .map(|line| payload(&serde_json::from_str(line).unwrap()))
            .collect();
        assert_eq!(texts, chunks[..100]);

        let none = hear(&[
            "--timeout",
            "300ms",
            "--from",
            "127.0.0.1",
            "--from",
            "10.0.0.0/8",
        ]);
        assert_eq!(none.stdout, content);
        let others = Listener::start(
            [
                &[
                    "--bind",
                    "127.0.0.1",
                    "--from",
                    "10.0.0.0/8",
                    "--timeout",
                    "2s",
                ][..],
                batching,
            ]
            .concat(),
        );
        run([
            "send",
            &others.address.to_string(),
            "--file",
            path.to_str().unwrap(),
            "--chunk",
            "40",
        ])
        .expect_code(0);
        let finished = others.running.finish().expect_code(1);
        assert_in_order(
            &finished.stderr,
            &["0 datagrams, ", ", 151 from others left out"],
        );
    }
}

#[test]
fn what_the_kernel_drops_is_counted() {
    for extra in [&[][..], &["--no-batching"]] {
        let args = [
            "--recv-buffer",
            "16k",
            "--bind",
            "127.0.0.1",
            "--format",
            "raw",
            "--separator",
            r"\n",
            "--timeout",
            "2s",
        ];
        let mut listener = Listener::start([&args, extra].concat());
        let socket = loopback_socket();
        listener.running.stop();
        let mut sent = 300;
        for _ in 0..sent {
            socket.send_to(&[b'x'; 1000], listener.address).unwrap();
        }
        listener.running.signal("CONT");
        // Send markers until one fits into the buffer after the flood. Two per round, because each line is complete
        // only when its datagram is printed.
        let deadline = Instant::now() + DEADLINE;
        while {
            for _ in 0..2 {
                socket.send_to(b"marker", listener.address).unwrap();
                sent += 1;
            }
            listener.running.stdout_line() != "marker\n"
        } {
            assert!(Instant::now() < deadline, "no marker came through");
        }
        let finished = listener.running.finish().expect_code(0);
        let line = summary(&finished);
        let number_before = |text: &str| -> u64 {
            let before = line
                .split_once(text)
                .unwrap_or_else(|| panic!("{text:?} in {line}"))
                .0;
            before.rsplit(' ').next().unwrap().parse().unwrap()
        };
        let (heard, dropped) = (
            number_before(" datagrams, "),
            number_before(" dropped by the kernel"),
        );
        assert!(dropped > 0, "{line}");
        assert_eq!(heard + dropped, sent, "{line}");
    }
}

// Log messages.
