//! Sender filters and answers.

use super::*;

#[test]
fn only_the_senders_asked_for_are_heard() {
    for from in [
        &["--from", "127.0.0.2"][..],
        &["--from", "127.0.0.2/31"],
        &["--from", "10.0.0.0/8", "--from", "127.0.0.3"],
    ] {
        let listener = Listener::start([from, &["--format", "raw", "-n", "1", "--echo"]].concat());
        let others = [loopback_socket(), socket_on("127.0.0.4:0")];
        for other in &others {
            other.send_to(b"no", listener.address).unwrap();
        }
        let wanted = socket_on(if from.len() == 2 {
            "127.0.0.2:0"
        } else {
            "127.0.0.3:0"
        });
        wanted.send_to(b"yes", listener.address).unwrap();
        let finished = listener.running.finish().expect_code(0);
        assert_eq!(finished.text(), "yes", "{from:?}");
        assert!(
            summary(&finished).starts_with("1 datagram, 3 bytes, 1 peer, "),
            "{}",
            finished.stderr
        );
        assert_eq!(receive(&wanted).0, b"yes");
        others.iter().for_each(nothing_waits);
    }
}

// Answers.

#[test]
fn an_echo_is_the_same_bytes_from_the_address_asked() {
    let listener = Listener::start(["--echo"]);
    let socket = loopback_socket();
    for payload in awkward_payloads() {
        let asked = SocketAddr::new([127, 0, 0, 7].into(), listener.port());
        socket.send_to(&payload, asked).unwrap();
        let (answer, from) = receive(&socket);
        assert!(
            answer == payload,
            "{} bytes came back as {}",
            payload.len(),
            answer.len()
        );
        assert_eq!(from, asked);
    }
    let finished = listener.running.interrupt().expect_code(0);
    assert!(
        summary(&finished).contains(", 9 answered"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_reply_is_the_text_given() {
    for (args, answer) in [
        (&["--reply", r"got it\r\n", "-e"][..], &b"got it\r\n"[..]),
        (&["--reply", r"got it\r\n"], br"got it\r\n"),
        (&["--reply", "你", "--encoding", "gbk"], b"\xc4\xe3"),
        (&["--reply", ""], b""),
    ] {
        let listener = Listener::start(args);
        let socket = loopback_socket();
        socket.send_to(b"question", listener.address).unwrap();
        assert_eq!(receive(&socket).0, answer, "{args:?}");
    }
}

#[test]
fn answers_keep_to_the_rate_for_each_peer() {
    let listener = Listener::start([
        "--echo",
        "--reply-rate",
        "10",
        "-n",
        "202",
        "--bind",
        "127.0.0.1",
    ]);
    let (flooding, polite) = (loopback_socket(), loopback_socket());
    let started = Instant::now();
    for _ in 0..200 {
        flooding.send_to(b"x", listener.address).unwrap();
    }
    for _ in 0..2 {
        polite.send_to(b"please", listener.address).unwrap();
    }
    let finished = listener.running.finish().expect_code(0);
    let windows = started.elapsed().as_secs() + 1;
    flooding.set_nonblocking(true).unwrap();
    let mut answers = 0;
    while flooding.recv(&mut [0; 8]).is_ok() {
        answers += 1;
    }
    assert!(
        (10..=10 * windows).contains(&answers),
        "{answers} answers in {windows} s"
    );
    assert!(
        summary(&finished).contains(&format!(
            ", {} answered, {} not answered",
            answers + 2,
            200 - answers
        )),
        "{}",
        finished.stderr
    );
    assert_eq!(
        [receive(&polite).0, receive(&polite).0],
        [b"please", b"please"]
    );
}

/// Queues 200 datagrams for each of these addresses, interleaved, while the listener is stopped. Each must be answered,
/// in order, from the address it was sent to.
#[track_caller]
fn answers_a_crowd(listener: &Listener, own: &[&str]) {
    const COUNT: u32 = 200;
    let asking: Vec<(UdpSocket, SocketAddr)> = own
        .iter()
        .map(|own| {
            let address = format!("{own}:{}", listener.port());
            (socket_on(&format!("{own}:0")), address.parse().unwrap())
        })
        .collect();
    listener.running.stop();
    for number in 0..COUNT {
        for (socket, address) in &asking {
            socket.send_to(&number.to_be_bytes(), address).unwrap();
        }
    }
    listener.running.signal("CONT");
    for (socket, address) in &asking {
        for number in 0..COUNT {
            let answer = (number.to_be_bytes().to_vec(), *address);
            assert_eq!(receive(socket), answer);
        }
        nothing_waits(socket);
    }
}

#[test]
fn many_echoes_asked_for_at_once_all_come_in_order() {
    for extra in [&[][..], &["--no-batching"]] {
        for (bind, own) in [
            ("127.0.0.1", &["127.0.0.1"][..]),
            ("0.0.0.0", &["127.0.0.1", "127.0.0.2"]),
            ("::", &["127.0.0.1", "[::1]"]),
        ] {
            let listener = Listener::start([&["--echo", "--bind", bind], extra].concat());
            answers_a_crowd(&listener, own);
            let finished = listener.running.interrupt().expect_code(0);
            let answered = format!(", {} answered", 200 * own.len());
            assert!(
                summary(&finished).contains(&answered),
                "{}",
                finished.stderr
            );
        }
    }
}

#[test]
fn its_own_address_and_port_get_no_answer() {
    let listener = Listener::start(["--echo", "--reuse-addr"]);
    // On a wildcard address, every address in 127.0.0.0/8 is the listener's own.
    let own = sharing_socket(SocketAddr::from(([127, 0, 0, 9], listener.port())));
    own.send_to(b"from yourself", listener.address).unwrap();
    let other = loopback_socket();
    other.send_to(b"from another", listener.address).unwrap();
    assert_eq!(receive(&other).0, b"from another");
    nothing_waits(&own);
    let finished = listener.running.interrupt().expect_code(0);
    assert!(
        summary(&finished).contains(", 1 answered, 1 not answered"),
        "{}",
        finished.stderr
    );
}

#[test]
fn two_echoing_listeners_do_not_storm() {
    let args = [
        "--echo",
        "--reuse-addr",
        "--reply-rate",
        "20",
        "--bind",
        "127.0.0.1",
        "--timeout",
        "1500ms",
        "--format",
        "raw",
    ];
    let started = Instant::now();
    let [one, other] = [Listener::start(args), Listener::start(args)];
    one.running.stop();
    // Send a datagram with the other listener's address as its source. The sending socket is closed before the datagram
    // is read, so that the answer goes to the other listener.
    let liar = sharing_socket(other.address);
    liar.send_to(b"x", one.address).unwrap();
    drop(liar);
    let SocketAddr::V4(lied_about) = other.address else {
        panic!("an IPv4 listener");
    };
    eventually("the liar is gone", || sockets_bound_to(lied_about) == 1);
    one.running.signal("CONT");
    for listener in [one, other] {
        let finished = listener.running.finish().expect_code(0);
        let windows = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
        let heard = finished.stdout.len();
        assert!(
            (2..=20 * windows + 1).contains(&heard),
            "{heard} datagrams in {windows} s"
        );
    }
}

#[test]
fn listen_survives_port_unreachable() {
    let mut listener = Listener::start(["--echo", "--bind", "127.0.0.1"]);
    // This socket sends, but refuses the answers, so the kernel reports port unreachable to the listener.
    let asker = refusing_socket("127.0.0.1:0");
    for _ in 0..20 {
        asker.send_to(b"gone", listener.address).unwrap();
        assert!(listener.running.stdout_line().ends_with(" 4 gone\n"));
    }
    let socket = loopback_socket();
    socket.send_to(b"still there?", listener.address).unwrap();
    assert_eq!(receive(&socket).0, b"still there?");
    listener.running.interrupt().expect_code(0);
}

// Sizes.
