//! Groups joined on interfaces that come later, and the limits of joining.

use super::*;

#[test]
fn a_listener_on_one_address_hears_the_groups_it_joined() {
    let Some(net) = Net::two_links() else { return };
    for (bind, join, to) in [
        ("10.77.1.2", "239.77.0.6", "239.77.0.6"),
        ("10.77.1.2", "239.77.0.6@vb", "239.77.0.6"),
        ("fd77:1::2", "ff05::77", "[ff05::77]"),
        ("fd77:1::2", "ff02::77", "[ff02::77%va]"),
        ("fe80::2%vb", "ff02::77", "[ff02::77%va]"),
    ] {
        for way in ["", " --no-batching"] {
            let mut listener = net.listen(
                1,
                &format!("--format json --bind {bind} --join {join}{way}"),
            );
            let port = listener.port();
            // The group has a socket of its own; wait for its listening line.
            listener.running.stderr_line_with("listening on ");
            let own = match bind.split_once('%') {
                Some((address, _)) => format!("[{address}%va]"),
                None if bind.contains(':') => format!("[{bind}]"),
                None => bind.to_owned(),
            };
            for (to, payload) in [(own.as_str(), "own"), (to, "group"), (&own, "again")] {
                let by = if payload == "group" {
                    " --multicast-if va"
                } else {
                    ""
                };
                net.send(0, &format!("{to}:{port} {payload}{by}"))
                    .expect_code(0);
                assert_eq!(next_text(&mut listener), payload, "{bind} {join}{way}");
            }
            // The group is not joined on the other interface.
            if !to.contains('%') {
                net.send(0, &format!("{to}:{port} other --multicast-if wa"))
                    .expect_code(0);
            }
            net.send(0, &format!("{own}:{port} last")).expect_code(0);
            assert_eq!(next_text(&mut listener), "last", "{bind} {join}{way}");
        }
    }
    let end = run_with_input(
        net.udpcli(1, "listen --port 0 --bind 10.77.1.2 --join ff02::77"),
        b"",
    )
    .expect_code(2);
    assert!(
        end.stderr.contains("no --bind address can receive"),
        "{}",
        end.stderr
    );
}

#[test]
fn addresses_and_groups_given_twice_are_one() {
    let Some(net) = Net::pair() else { return };
    for args in [
        "--bind 0.0.0.0 --bind 10.77.1.2",
        "--bind :: --bind 10.77.1.2 --bind fd77:1::2",
        "--bind 0.0.0.0 --bind :: --bind 10.77.1.2",
        "--join 239.77.0.7 --join 239.77.0.7@vb",
        "--join 239.77.0.7@vb --join 239.77.0.7 --join 239.77.0.7",
        "--bind 10.77.1.2 --join 239.77.0.7 --join 239.77.0.7@vb",
    ] {
        let mut listener = net.listen(1, &format!("--format json {args}"));
        let port = listener.port();
        if args.starts_with("--bind 10") {
            listener
                .running
                .stderr_line_with("listening on 239.77.0.7:");
        }
        net.send(0, &format!("10.77.1.2:{port} hello"))
            .expect_code(0);
        assert_eq!(next_text(&mut listener), "hello", "{args}");
        if args.contains("--join") {
            net.send(0, &format!("239.77.0.7:{port} group --multicast-if va"))
                .expect_code(0);
            assert_eq!(next_text(&mut listener), "group", "{args}");
        }
        let end = listener.running.interrupt().expect_code(0);
        assert!(!end.stderr.contains("warning"), "{args}: {}", end.stderr);
    }
}

#[test]
fn a_group_is_joined_on_interfaces_that_come_later() {
    let Some(net) = Net::empty(2) else { return };
    let (mut v4, mut v6) = (
        net.listen(1, "--format json --join 239.77.0.8"),
        net.listen(1, "--format json --join ff05::78 --bind ::"),
    );
    let mut heard = |payload: &str| {
        for (to, listener) in [("239.77.0.8", &mut v4), ("[ff05::78]", &mut v6)] {
            listener.running.stderr_line_with(" on vb");
            net.send(
                0,
                &format!("{to}:{} {payload} --multicast-if va", listener.port()),
            )
            .expect_code(0);
            assert_eq!(next_text(listener), payload, "{to}");
        }
    };
    net.link(1, (0, "va", 1), (1, "vb", 2), 1500);
    heard("first");
    // Remove the interface and add it again: it has the same name but a new index.
    net.ip(1, "link del vb");
    net.link(1, (0, "va", 1), (1, "vb", 2), 1500);
    heard("again");
    for listener in [v4, v6] {
        let end = listener.running.interrupt().expect_code(0);
        assert!(!end.stderr.contains("warning"), "{}", end.stderr);
    }
}

#[test]
fn a_group_on_a_named_interface_is_joined_again_when_it_comes_back() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--format json --join 239.77.0.9@vb");
    for payload in ["first", "again"] {
        net.send(
            0,
            &format!("239.77.0.9:{} {payload} --multicast-if va", listener.port()),
        )
        .expect_code(0);
        assert_eq!(next_text(&mut listener), payload);
        if payload == "first" {
            net.ip(1, "link del vb");
            net.link(1, (0, "va", 1), (1, "vb", 2), 1500);
            listener
                .running
                .stderr_line_with("joined multicast group 239.77.0.9 on vb");
        }
    }
}

#[test]
fn a_group_needs_no_address_on_its_interface() {
    let Some(net) = Net::pair() else { return };
    net.ip(1, "addr flush dev vb");
    let mut listener = net.listen(1, "--format json --join 239.77.0.10");
    net.run(
        1,
        "sysctl",
        &[
            "-qw",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.vb.rp_filter=0",
        ],
    );
    net.send(
        0,
        &format!("239.77.0.10:{} hello --multicast-if va", listener.port()),
    )
    .expect_code(0);
    assert_eq!(next_text(&mut listener), "hello");
}

#[test]
fn where_a_group_cannot_be_joined_is_told_with_the_limit() {
    let Some(net) = Net::empty(1) else { return };
    for number in (0..26).step_by(2) {
        let peer = number + 1;
        net.ip(
            0,
            &format!("link add d{number} type veth peer name d{peer}"),
        );
    }
    let told = |listener: Listener| {
        let end = listener.running.interrupt().expect_code(0);
        let line = |text: &str| {
            end.stderr
                .lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
        };
        (line("joined multicast group"), line("cannot join"))
    };
    let (joined, failed) = told(net.listen(0, "--join 239.77.0.11"));
    let (joined, failed) = (joined.unwrap(), failed.unwrap());
    for number in 0..26 {
        let name = format!("d{number}");
        let names = |line: &str| line.split([' ', ',', ':']).any(|word| word == name);
        assert!(
            names(&joined) != names(&failed),
            "{name}: {joined}; {failed}"
        );
    }
    assert!(failed.starts_with("warning: "), "{failed}");
    let (_, command) = failed.split_once("sysctl -w ").unwrap();
    // Follow the hint in the message.
    net.run(0, "sysctl", &["-qw", command]);
    let (joined, failed) = told(net.listen(0, "--join 239.77.0.11"));
    assert_eq!(failed, None);
    assert!(joined.unwrap().contains("d25"));
    // An interface that does not exist.
    let end = run_with_input(
        net.udpcli(0, "listen --port 0 --join 239.77.0.11@nosuch"),
        b"",
    );
    assert!(
        end.expect_code(3)
            .stderr
            .contains("no network interface is called nosuch")
    );
}
