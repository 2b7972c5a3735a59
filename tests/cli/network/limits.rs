//! Full buffers and tables, slow links, and neighbours that do not answer.

use super::*;

#[test]
fn where_no_local_port_is_free_it_is_said_at_once() {
    let Some(net) = Net::pair() else { return };
    let range = |first: u16, last: u16| {
        let range = format!("net.ipv4.ip_local_port_range={first} {last}");
        net.run(0, "sysctl", &["-qw", &range]);
    };
    range(40_000, 40_001);
    let taken = [net.listen(0, "--bind ::"), net.listen(0, "--bind ::")];
    for args in [
        "send 127.0.0.1:9 hi -w 1s",
        "send 127.0.0.1:9 hi",
        "send 10.77.1.2:9 hi -n 3 -i 1ms --no-batching",
        "send [::1]:9 hi -w 1s",
        "send 10.77.1.255:9 hi",
        "send 239.77.0.12:9 hi --multicast-if va",
        "send 127.0.0.1:9 hi --bind 127.0.0.1",
        "listen --port 0",
    ] {
        let end = run_with_input(net.udpcli(0, args), b"").expect_code(3);
        assert!(
            end.stderr
                .starts_with("udpcli: error: no free local port on ")
                && end.stderr.contains("hint: "),
            "{args}: {}",
            end.stderr
        );
    }
    // An explicit port need not be in the ephemeral port range.
    net.send(0, "10.77.1.2:9 hi --bind 0.0.0.0:50000")
        .expect_code(1);
    drop(taken);
}

#[test]
fn a_full_send_buffer_is_waited_for_no_longer_than_the_run_lasts() {
    let Some(net) = Net::pair() else { return };
    // A very slow shaper with a queue longer than the send buffer, so that the send buffer becomes full before the
    // queue does.
    let shaper = "qdisc add dev va root tbf rate 8kbit burst 2000 limit 10000000";
    net.run(0, "tc", &shaper.split(' ').collect::<Vec<_>>());
    for args in ["", " --no-batching", " -w 100ms"] {
        let started = Instant::now();
        net.send(
            0,
            &format!("10.77.1.2:9 --size 1000 --rate max --duration 500ms{args}"),
        );
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{args}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn a_shaper_on_the_way_out_slows_and_loses_nothing() {
    let Some(net) = Net::pair() else { return };
    let shaper = "qdisc add dev va root tbf rate 2mbit burst 3000 limit 6000";
    net.run(0, "tc", &shaper.split(' ').collect::<Vec<_>>());
    for (to, join) in [
        ("10.77.1.2", ""),
        ("[fd77:1::2]", " --bind ::"),
        ("239.77.0.13", " --join 239.77.0.13"),
        ("10.77.1.255", ""),
    ] {
        for args in [
            " --rate max",
            " --rate max --no-batching",
            " -w 100ms --rate 20k",
        ] {
            let listener = net.listen(1, &format!("--format raw --seq --timeout 1s{join}"));
            let by = if join.contains("join") {
                " --multicast-if va"
            } else {
                ""
            };
            let end = net.send(
                0,
                &format!(
                    "{to}:{} --size 1000 --duration 1s{args}{by}",
                    listener.port()
                ),
            );
            let sent = number_before(&end.stderr, "datagrams,");
            // 2 Mbit/s is 240 packets of 1,042 bytes per second, plus the contents of the queue and the token bucket.
            assert!((150..300).contains(&sent), "{to}{args}: {}", end.stderr);
            assert!(
                end.stderr.contains(", 0 errors"),
                "{to}{args}: {}",
                end.stderr
            );
            let heard = listener.running.finish().expect_code(0);
            assert!(
                heard.stderr.contains(&format!("{sent} datagrams, "))
                    && heard.stderr.contains(", 0 lost, 0 duplicate, 0 reordered"),
                "{to}{args}: {}; {}",
                end.stderr,
                heard.stderr
            );
        }
    }
}

#[test]
fn multicast_leaves_by_the_interface_named_whatever_addresses_it_has() {
    let Some(net) = Net::two_links() else { return };
    net.run(
        1,
        "sysctl",
        &[
            "-qw",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.wb.rp_filter=0",
        ],
    );
    let hears = |name: &str, by: &str| {
        let mut listener = net.listen(1, &format!("--format json --join 239.77.0.14@{name}"));
        net.send(
            0,
            &format!("239.77.0.14:{} hello --multicast-if {by}", listener.port()),
        )
        .expect_code(0);
        assert_eq!(next_text(&mut listener), "hello", "{by}");
    };
    // Two interfaces with the same address.
    net.ip(0, "addr flush dev wa");
    net.ip(0, "addr add 10.77.1.1/32 dev wa");
    hears("vb", "va");
    hears("wb", "wa");
    // An interface without an address.
    net.ip(0, "addr flush dev wa");
    hears("wb", "wa");
    // An interface given by index, or by an address, which is then the source address.
    hears("vb", "10.77.1.1");
    let index = net.run(0, "cat", &["/sys/class/net/wa/ifindex"]).text();
    hears("wb", index.trim());
}

#[test]
fn a_link_local_address_of_two_interfaces_needs_a_name() {
    let Some(net) = Net::two_links() else { return };
    let end = run_with_input(net.udpcli(1, "listen --port 0 --bind fe80::2"), b"").expect_code(2);
    assert!(
        end.stderr.contains("both vb and wb have that address")
            && end.stderr.contains("--bind fe80::2%vb"),
        "{}",
        end.stderr
    );
    // The zone of the peer selects the interface.
    let mut listener = net.listen(1, "--bind :: --format json");
    for (to, bind) in [
        ("[fe80::2%va]", "fe80::1"),
        ("[fe80::2%wa]", "fe80::1"),
        // A zone as in a URL, where % is escaped as %25.
        ("[fe80::2%25va]", "fe80::1"),
    ] {
        net.send(0, &format!("{to}:{} hello --bind {bind}", listener.port()))
            .expect_code(0);
        assert_eq!(next_text(&mut listener), "hello", "{to}");
    }
    let end = net.send(0, "[fe80::2]:9 hello").expect_code(3);
    assert!(
        end.stderr
            .contains("hint: a link-local address needs its interface: [fe80::2%va]:9"),
        "{}",
        end.stderr
    );
}

#[test]
fn a_neighbour_that_is_not_there_is_told_before_the_kernel_gives_up() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.77.1.99:6000", "[fd77:1::99]:6000"] {
        let started = Instant::now();
        let end = net.send(0, &format!("{to} hello -w 2s")).expect_code(3);
        assert!(
            end.stderr
                .contains("cannot be reached: no device on va answers for that address")
                && end.stderr.contains("hint: "),
            "{to}: {}",
            end.stderr
        );
        // The result must come from the neighbour table, not from the kernel's error after three seconds.
        assert!(started.elapsed() < Duration::from_secs(3) || end.stderr.contains("0 errors"));
        // So soon after the kernel's request, the host may still answer.
        net.ip(0, "neigh flush dev va");
        let end = net.send(0, &format!("{to} hello -w 100ms")).expect_code(1);
        assert!(
            end.stderr.contains("UDP does not confirm delivery"),
            "{to}: {}",
            end.stderr
        );
    }
}

#[test]
fn a_neighbour_that_is_there_and_says_nothing_is_told_from_one_that_is_not() {
    let Some(net) = Net::routed() else { return };
    let listener = net.listen(1, "--bind ::");
    for to in ["10.77.1.2", "[fd77:1::2]"] {
        let end = net
            .send(0, &format!("{to}:{} hello -w 300ms", listener.port()))
            .expect_code(1);
        assert!(
            end.stderr.contains("the device ") && end.stderr.contains(" is there"),
            "{to}: {}",
            end.stderr
        );
    }
    // For a host behind a router, the neighbour table says nothing.
    net.firewall(2, "input", "udp dport 6004 counter drop");
    for to in ["10.77.2.2", "[fd77:2::2]"] {
        let end = net
            .send(0, &format!("{to}:6004 hello -w 300ms"))
            .expect_code(1);
        assert!(
            end.stderr.contains("UDP does not confirm delivery"),
            "{to}: {}",
            end.stderr
        );
    }
}

#[test]
fn replies_to_a_broadcast_are_waited_for_to_the_end() {
    let Some(net) = Net::pair() else { return };
    let mut peers = [net.peer(1, '4', &["239.77.0.15@vb"]), net.peer(1, '4', &[])];
    let port = peers[0].port;
    for to in [
        format!("10.77.1.255:{port} who"),
        format!("239.77.0.15:{port} who --multicast-if va"),
    ] {
        let started = Instant::now();
        let mut sender =
            Running::spawn(&mut net.udpcli(0, &format!("send {to} -w 1s --format json")));
        let heard = peers[0].receive();
        for peer in &mut peers {
            peer.send("10.77.1.1", heard.port, b"me");
            assert!(sender.stdout_line().contains("\"text\":\"me\""));
        }
        sender.finish().expect_code(0);
        assert!(
            started.elapsed() >= Duration::from_secs(1),
            "{to}: {:?}",
            started.elapsed()
        );
    }
}
