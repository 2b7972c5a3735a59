//! Truncated datagrams, and loss, duplicates and order from sequence numbers.

use super::*;

#[test]
fn a_small_receive_size_cuts_as_the_tutorial_does() {
    for extra in [&[][..], &["--no-batching"]] {
        let long = vec![b'x'; 1500];
        let payloads = [&long[..1024], &long, &long[..1025]];
        let args = [&["--recv-size", "1024", "--format", "json"], extra].concat();
        let (finished, _) = heard(&args, &payloads);
        let objects = objects(&finished);
        let lens: Vec<u64> = objects
            .iter()
            .map(|object| object["len"].as_u64().unwrap())
            .collect();
        assert_eq!(lens, [1024, 1024, 1024]);
        let cut: Vec<Option<bool>> = objects
            .iter()
            .map(|object| object.get("truncated").and_then(Value::as_bool))
            .collect();
        assert_eq!(cut, [None, Some(true), Some(true)]);
        assert_eq!(payload(&objects[1]), &long[..1024]);
        assert!(
            finished.stderr.contains("warning: ") && finished.stderr.contains("1500"),
            "{}",
            finished.stderr
        );
        assert!(
            summary(&finished).contains(", 2 truncated"),
            "{}",
            finished.stderr
        );
        let (finished, _) = heard(
            &[&["--recv-size", "1k", "--format", "raw"], extra].concat(),
            &[&long],
        );
        assert_eq!(finished.stdout, &long[..1024]);
        assert!(
            summary(&finished).contains(", 1 truncated"),
            "{}",
            finished.stderr
        );
    }
}

// Statistics.

#[test]
fn loss_duplicates_and_reordering_are_told() {
    let payloads: Vec<Vec<u8>> = [0, 1, 4, 3, 3, 7].map(sequenced).to_vec();
    let (finished, _) = heard(&["--seq", "--format", "json"], &slices(&payloads));
    let line = summary(&finished);
    assert!(
        line.contains(", 3 lost, 1 duplicate, 1 reordered"),
        "{line}"
    );
    assert!(line.contains("one-way delay min/median/p99/max "), "{line}");
    let notes: Vec<(Option<u64>, Option<u64>)> = objects(&finished)
        .iter()
        .map(|object| (object["seq"].as_u64(), object["lost"].as_u64()))
        .collect();
    let expected = [
        (0, None),
        (1, None),
        (4, Some(2)),
        (3, None),
        (3, None),
        (7, Some(2)),
    ];
    assert_eq!(notes, expected.map(|(seq, lost)| (Some(seq), lost)));
}

/// The summary of `listen --seq` after these sequence numbers and send times from one sender, in this order.
#[track_caller]
fn counts_of(datagrams: impl IntoIterator<Item = (u64, Duration)>) -> String {
    let mut listener = Listener::start(["--seq", "--format", "json"]);
    let socket = loopback_socket();
    let payloads: Vec<Vec<u8>> = datagrams
        .into_iter()
        .map(|(number, sent)| {
            let sent = u64::try_from(sent.as_nanos()).unwrap();
            [&number.to_be_bytes()[..], &sent.to_be_bytes(), b"filler"].concat()
        })
        .collect();
    // Send small batches, so that the receive buffer does not overflow.
    for some in payloads.chunks(100) {
        for payload in some {
            socket.send_to(payload, listener.address).unwrap();
        }
        for _ in some {
            listener.running.stdout_line();
        }
    }
    let finished = listener.running.interrupt().expect_code(0);
    summary(&finished).to_owned()
}

#[test]
fn a_datagram_that_comes_again_much_later_is_one_duplicate() {
    let start = now().checked_sub(Duration::from_mins(1)).unwrap();
    let numbers = (0..3000).chain([10]).chain(3000..3010);
    let line = counts_of(numbers.map(|number| (number, start + Duration::from_millis(number))));
    assert!(
        line.contains(", 0 lost, 1 duplicate, 0 reordered"),
        "{line}"
    );
}

#[test]
fn a_sender_that_starts_again_on_its_port_loses_nothing() {
    for count in [5, 50, 3000] {
        let start = now().checked_sub(Duration::from_mins(1)).unwrap();
        let numbers = (0..count).chain(0..count);
        let line = counts_of(
            (0..)
                .zip(numbers)
                .map(|(at, number)| (number, start + Duration::from_millis(at))),
        );
        assert!(
            line.contains(", 0 lost, 0 duplicate, 0 reordered"),
            "{count}: {line}"
        );
    }
}

#[test]
fn a_clock_that_differs_gives_no_delay() {
    const DAY: Duration = Duration::from_hours(24);
    for (sent, is_delay) in [
        (now(), true),
        (now().saturating_sub(DAY), false),
        (now() + DAY, false),
        // 1970 is what a board without a real-time clock sends; 2262 is the maximum timestamp.
        (Duration::ZERO, false),
        (Duration::from_nanos(i64::MAX.cast_unsigned()), false),
    ] {
        let said = counts_of((0..3).map(|number| (number, sent)));
        assert_eq!(said.contains("one-way delay"), is_delay, "{sent:?}: {said}");
        assert_eq!(
            said.contains(", 3 without a delay (clocks differ)"),
            !is_delay,
            "{sent:?}: {said}"
        );
    }
}

#[test]
fn each_sender_has_its_own_sequence() {
    let listener = Listener::start(["--seq", "-n", "6", "--format", "raw"]);
    let sockets = [loopback_socket(), loopback_socket()];
    for sequence in [0, 1, 3] {
        for socket in &sockets {
            socket
                .send_to(&sequenced(sequence), listener.address)
                .unwrap();
        }
    }
    let finished = listener.running.finish().expect_code(0);
    assert!(
        summary(&finished).contains(", 2 lost, 0 duplicate, 0 reordered"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_sequenced_send_arrives_whole() {
    let listener = Listener::start(["--seq", "-n", "50", "--format", "json"]);
    run([
        "send",
        &listener.address.to_string(),
        "--size",
        "100",
        "-n",
        "50",
    ])
    .expect_code(0);
    let finished = listener.running.finish().expect_code(0);
    assert!(
        summary(&finished).contains(", 0 lost, 0 duplicate, 0 reordered"),
        "{}",
        finished.stderr
    );
    let sequence: Vec<u64> = objects(&finished)
        .iter()
        .map(|object| object["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(sequence, (0..50).collect::<Vec<u64>>());
}
