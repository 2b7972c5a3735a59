//! Load patterns and histograms: random sizes, random gaps, bursts and ramps, on loopback.

use std::time::Duration;

use crate::support::{
    Running, address_of, loopback_socket, nothing_waits, receive, run, sent_by, udpcli,
};

/// The sequence numbers and send times, in seconds, of this many datagrams from `udpcli send`.
fn sent_at(args: &[&str], count: usize) -> Vec<f64> {
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let running = Running::spawn(&mut udpcli(
        [&["send", &peer, "--size", "16"], args].concat(),
    ));
    let mut times = Vec::with_capacity(count);
    for index in 0..count {
        let (payload, _) = receive(&socket);
        let number = |at: usize| u64::from_be_bytes(payload[at..at + 8].try_into().unwrap());
        assert_eq!(number(0), index as u64);
        times.push(Duration::from_nanos(number(8)).as_secs_f64());
    }
    running.finish().expect_code(0);
    nothing_waits(&socket);
    times
}

#[test]
fn sizes_are_random_between_both_ends() {
    let sent = sent_by(&["--size", "16..19", "-n", "150"], b"", 150);
    for (index, payload) in sent.iter().enumerate() {
        assert!((16..=19).contains(&payload.len()), "{}", payload.len());
        assert_eq!(payload[..8], (index as u64).to_be_bytes());
        assert_ne!(payload[8..16], [0; 8], "every datagram has a send time");
        assert_eq!(&payload[16..], &b"012"[..payload.len() - 16]);
    }
    for len in 16..=19 {
        assert!(sent.iter().any(|payload| payload.len() == len), "{len}");
    }
    assert_eq!(sent_by(&["--size", "64..64"], b"", 1)[0].len(), 64);
    assert_eq!(sent_by(&["--size", "1k..1KiB"], b"", 1)[0].len(), 1024);
}

#[test]
fn a_listener_counts_datagrams_of_random_sizes() {
    let mut listener = Running::spawn(&mut udpcli([
        "listen",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "--seq",
        "-n",
        "300",
        "--summary",
        "json",
        "--format",
        "raw",
    ]));
    let line = listener.stderr_line_with("listening on ");
    let peer = crate::support::listening_address(&line).to_string();
    run([
        "send", &peer, "--size", "16..1000", "-n", "300", "--rate", "3000",
    ])
    .expect_code(0);
    let finished = listener.finish().expect_code(0);
    let summary = finished
        .stderr
        .lines()
        .find(|line| line.contains("\"summary\""));
    let summary: serde_json::Value = serde_json::from_str(summary.unwrap()).unwrap();
    let summary = &summary["summary"];
    assert_eq!(summary["datagrams"], 300, "{summary}");
    let bytes = summary["bytes"].as_u64().unwrap();
    // The mean of 300 sizes is 508 with a deviation of 16; seven of these are the limit.
    assert!((118_000..187_000).contains(&bytes), "{bytes}");
    let sequence = summary.to_string();
    assert!(sequence.contains("\"lost\":0"), "{sequence}");
}

#[test]
fn bursts_go_back_to_back_and_keep_the_mean_rate() {
    let times = sent_at(&["--rate", "50", "--pattern", "burst:5", "-n", "20"], 20);
    for burst in times.chunks(5) {
        // The datagrams of a burst go in one call and have the same send time.
        assert!(burst[4] - burst[0] < 0.09, "{times:?}");
    }
    // Three pauses of a tenth of a second: the last burst is not early.
    assert!(times[15] - times[0] > 0.29, "{times:?}");
    let times = sent_at(&["-i", "10ms", "--pattern", "burst:10", "-n", "20"], 20);
    assert!(times[10] - times[0] > 0.09, "{times:?}");
}

#[test]
fn poisson_gaps_vary_around_the_mean() {
    let times = sent_at(&["--rate", "400", "--pattern", "poisson", "-n", "400"], 400);
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // 399 gaps of 2.5 ms take 1 s with a deviation of 50 ms; even gaps would never be that short or long.
    assert!(times[399] - times[0] > 0.7, "{}", times[399] - times[0]);
    let short = gaps.iter().filter(|&&gap| gap < 0.001_25).count();
    assert!(short > 80, "{short} gaps are below half the mean");
    assert!(gaps.iter().any(|&gap| gap > 0.006), "{gaps:?}");
}

#[test]
fn a_ramp_begins_slowly() {
    let times = sent_at(&["--rate", "200", "--ramp", "-n", "110"], 110);
    // The first ten gaps take 0.24 s; at the full rate they would take 0.05 s.
    assert!(times[10] - times[0] > 0.2, "{times:?}");
    assert!(times[109] - times[0] > 0.9, "{times:?}");
    let socket = loopback_socket();
    let peer = address_of(&socket);
    let finished = run([
        "send",
        &peer,
        "x",
        "--rate",
        "200",
        "--ramp",
        "--duration",
        "1s",
        "--summary",
        "json",
    ])
    .expect_code(0);
    let summary: serde_json::Value = serde_json::from_str(finished.stderr.trim()).unwrap();
    let count = summary["summary"]["datagrams"].as_u64().unwrap();
    // 110 are due; a busy machine may lose some time.
    assert!((60..=112).contains(&count), "{count}");
}

#[test]
fn a_pace_that_does_not_fit_together_is_a_usage_error() {
    for (args, words) in [
        (&["x", "--pattern", "poisson"][..], "--rate N"),
        (&["x", "--pattern", "burst:5", "--rate", "max"], "--rate N"),
        (&["x", "--pattern", "burst:5", "-i", "0"], "--rate N"),
        (&["x", "--pattern", "burst:0", "--rate", "5"], "burst:N"),
        (&["x", "--pattern", "even", "--rate", "5"], "burst:N"),
        (&["x", "--ramp", "-n", "5"], "--rate N"),
        (&["x", "--ramp", "-n", "5", "-i", "1s"], "--rate N"),
        (&["x", "--ramp", "--rate", "5"], "--duration D"),
        (
            &["--lines", "--ramp", "--rate", "5", "-n", "2"],
            "--duration D",
        ),
        (
            &[
                "x",
                "--ramp",
                "--pattern",
                "poisson",
                "--rate",
                "5",
                "-n",
                "5",
            ],
            "--ramp",
        ),
        (&["--size", "15..20"], "16 bytes"),
        (&["--size", "30..20"], "64..1024"),
        (&["--size", "16..70000"], "65507"),
        (&["--size", "..20"], "write bytes"),
        (&["--size", "20.."], "write bytes"),
        (&["--size", "1..2..3"], "write bytes"),
    ] {
        let socket = loopback_socket();
        let finished = run([&["send", &address_of(&socket)], args].concat()).expect_code(2);
        let stderr = &finished.stderr;
        assert!(stderr.starts_with("udpcli: error: "), "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
        nothing_waits(&socket);
    }
}

/// The summary of a run with `--summary json`.
fn summary_of(stderr: &str) -> serde_json::Value {
    let line = stderr.lines().find(|line| line.starts_with("{\"summary\""));
    let line: serde_json::Value = serde_json::from_str(line.expect("a summary")).unwrap();
    line["summary"].clone()
}

/// The counts of a histogram, which must rise in steps.
fn counts(summary: &serde_json::Value) -> u64 {
    let steps = summary["histogram"].as_array().expect("a histogram");
    let bounds: Vec<f64> = steps.iter().map(|step| step[0].as_f64().unwrap()).collect();
    assert!(bounds.is_sorted() && !bounds.is_empty(), "{bounds:?}");
    steps.iter().map(|step| step[1].as_u64().unwrap()).sum()
}

#[test]
fn a_histogram_shows_how_round_trip_times_are_distributed() {
    let mut listener = Running::spawn(&mut udpcli([
        "listen",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
        "--echo",
    ]));
    let line = listener.stderr_line_with("listening on ");
    let peer = crate::support::listening_address(&line).to_string();
    let send = |more: &[&str]| {
        let args = ["send", &peer, "x", "-n", "30", "-w", "30s", "--histogram"];
        run([&args, more].concat()).expect_code(0).stderr
    };
    let stderr = send(&[]);
    let (_, plot) = stderr.split_once("RTT in ms").expect("a title");
    let rows: Vec<Vec<&str>> = plot
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let total: u64 = rows.iter().map(|row| row[1].parse::<u64>().unwrap()).sum();
    assert_eq!(total, 30, "{stderr}");
    assert!(plot.lines().any(|line| line.ends_with("###")), "{stderr}");
    assert!(plot.lines().all(|line| line.len() < 80), "{stderr}");
    let stderr = send(&["--summary", "json"]);
    assert!(!stderr.contains("RTT in ms"), "{stderr}");
    let summary = summary_of(&stderr);
    assert_eq!(counts(&summary), 30, "{summary}");
    let rtt = |name: &str| summary["rtt"][name].as_f64().unwrap();
    let times = ["median", "p99", "p99_9", "p99_99", "max"].map(rtt);
    assert!(times.is_sorted(), "{times:?}");
    let stderr = send(&["-q"]);
    assert_eq!(stderr, "");
    listener.interrupt().expect_code(0);
    let stderr = run(["send", &peer, "x", "--histogram"]).stderr;
    assert!(stderr.contains("--histogram has no effect"), "{stderr}");
}

#[test]
fn a_histogram_of_the_listener_is_about_the_one_way_delay() {
    for (form, is_json) in [("text", false), ("json", true)] {
        let mut listener = Running::spawn(&mut udpcli([
            "listen",
            "--bind",
            "127.0.0.1",
            "--port",
            "0",
            "--seq",
            "-n",
            "20",
            "--histogram",
            "--summary",
            form,
            "--format",
            "raw",
        ]));
        let line = listener.stderr_line_with("listening on ");
        let peer = crate::support::listening_address(&line).to_string();
        run(["send", &peer, "--size", "32", "-n", "20", "-i", "1ms"]).expect_code(0);
        let stderr = listener.finish().expect_code(0).stderr;
        if is_json {
            assert_eq!(counts(&summary_of(&stderr)), 20, "{stderr}");
        }
        assert_eq!(stderr.contains("One-way delay in ms"), !is_json, "{stderr}");
    }
    let stderr = run(["listen", "--histogram"]).expect_code(2).stderr;
    assert!(stderr.contains("--seq"), "{stderr}");
}
