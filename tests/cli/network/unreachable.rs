//! Closed ports, absent hosts, missing routes, and firewalls.

use super::*;

#[test]
fn a_closed_port_on_another_machine_is_refused() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.77.1.2:9", "[fd77:1::2]:9", "[fe80::2%va]:9"] {
        for args in ["", " -w 10s", " --no-batching", " -w 10s --no-batching"] {
            let end = net.send(0, &format!("{to} hello{args}")).expect_code(1);
            assert!(
                end.stderr.contains("refused: nothing listens on ")
                    && end.stderr.contains(", 1 refused"),
                "{to}{args}: {}",
                end.stderr
            );
        }
        let end = net
            .send(0, &format!("{to} hello -n 5 -i 10ms"))
            .expect_code(1);
        assert!(
            end.stderr.contains("refused: nothing listens on ")
                && !end.stderr.contains(", 0 refused"),
            "{to}: {}",
            end.stderr
        );
    }
}

#[test]
fn a_listener_that_comes_late_hears_what_comes_after() {
    let Some(net) = Net::pair() else { return };
    // Find a free port: start a listener and end it again.
    let port = net.listen(1, "").port();
    let mut sender = Running::spawn(
        &mut net.udpcli(0, &format!("send 10.77.1.2:{port} tick -n 100000 -i 10ms")),
    );
    sender.stderr_line_with("refused");
    let mut command = net.udpcli(
        1,
        &format!("listen --port {port} -n 3 --format raw --separator ."),
    );
    let end = Listener::spawn(&mut command)
        .running
        .finish()
        .expect_code(0);
    assert_eq!(end.text().trim_end_matches('.'), "tick.tick.tick");
    let end = sender.interrupt().expect_code(130);
    assert!(!end.stderr.contains(", 0 refused"), "{}", end.stderr);
}

#[test]
fn a_host_that_is_not_there_cannot_be_reached() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.77.1.99:6000", "[fd77:1::99]:6000"] {
        let end = net.send(0, &format!("{to} hello -w 12s")).expect_code(3);
        assert!(
            end.stderr.contains("cannot be reached") || end.stderr.contains("No route to host"),
            "{to}: {}",
            end.stderr
        );
        assert!(end.stderr.contains("1 error,"), "{to}: {}", end.stderr);
        assert!(end.stderr.contains("hint:"), "{to}: {}", end.stderr);
    }
}

#[test]
fn no_route_is_said_with_a_hint() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.78.0.1:6000", "[fd78::1]:6000"] {
        for args in ["", " -w 5s"] {
            let end = net.send(0, &format!("{to} hello{args}")).expect_code(3);
            assert!(
                end.stderr
                    .contains(&format!("udpcli: error: cannot send to {to}")),
                "{}",
                end.stderr
            );
            assert!(
                end.stderr.contains("unreachable") && end.stderr.contains("hint:"),
                "{}",
                end.stderr
            );
        }
    }
}

#[test]
fn an_own_firewall_is_named() {
    let Some(net) = Net::pair() else { return };
    for (verdict, port) in [("drop", 6001), ("reject", 6002)] {
        let rule = format!(
            "table inet t_{verdict} {{ chain out {{ type filter hook output priority 0; udp dport {port} {verdict}; }}; }}"
        );
        let mut nft = Command::new("nft");
        nft.args(["-f", "-"]);
        run_with_input(net.within(0, &nft), rule.as_bytes()).expect_code(0);
        for args in [
            "",
            " -w 5s",
            " --no-batching",
            " -n 10",
            " -w 5s -n 10 -i 1ms",
        ] {
            let end = net.send(0, &format!("10.77.1.2:{port} hello{args}"));
            assert_eq!(end.code, Some(3), "{verdict}{args}: {}", end.stderr);
            assert!(
                end.stderr.contains("rejected by a firewall on this PC")
                    && end.stderr.contains("Operation not permitted"),
                "{verdict}{args}: {}",
                end.stderr
            );
        }
    }
}

#[test]
fn a_datagram_that_a_firewall_rejects_is_retried_once_at_most() {
    let Some(net) = Net::pair() else { return };
    // Disable the kernel's ICMP rate limit. Otherwise it sends one ICMP error per second, and other rejected datagrams
    // only fail with the call's own error.
    net.run(0, "sysctl", &["-qw", "net.ipv4.icmp_ratemask=0"]);
    for args in ["", " -w 5s", " --no-batching", " -n 10 -i 1ms"] {
        net.firewall(0, "output", "udp dport 6002 counter reject");
        let end = net
            .send(0, &format!("10.77.1.2:6002 hello{args}"))
            .expect_code(3);
        assert!(
            end.stderr.contains("rejected by a firewall on this PC")
                && !end.stderr.contains("refused: nothing listens"),
            "{args}: {}",
            end.stderr
        );
        let tried = net.counted(0);
        assert!((1..=2).contains(&tried), "{args}: {tried} attempts");
        net.run(0, "nft", &["flush", "ruleset"]);
    }
    // A rule that is added during a run.
    for args in ["", " --no-batching", " -w 1s"] {
        let mut listener = net.listen(1, "--format json");
        let sender = Running::spawn(&mut net.udpcli(
            0,
            &format!(
                "send 10.77.1.2:{} tick -n 12 -i 100ms{args}",
                listener.port()
            ),
        ));
        assert_eq!(next_text(&mut listener), "tick");
        let rule = format!("udp dport {} counter reject", listener.port());
        net.firewall(0, "output", &rule);
        let end = sender.finish();
        let tried = net.counted(0);
        net.run(0, "nft", &["flush", "ruleset"]);
        let heard = listener.running.interrupt().expect_code(0).text();
        let missing = 12 - heard.lines().count() as u64;
        assert!(
            (missing..=2 * missing).contains(&tried),
            "{args}: {tried} attempts for {missing} datagrams"
        );
        assert!(
            end.stderr.contains(&format!("{missing} errors, 0 refused")),
            "{args}: {}",
            end.stderr
        );
    }
}

#[test]
fn a_firewall_elsewhere_is_told_from_a_closed_port() {
    let Some(net) = Net::routed() else { return };
    let admin = "reject with icmpx type admin-prohibited";
    for (at, hook, verdict, to, by) in [
        (2, "input", admin, "10.77.2.2", "10.77.2.2"),
        (2, "input", admin, "[fd77:2::2]", "fd77:2::2"),
        (1, "forward", admin, "10.77.2.2", "10.77.1.2"),
        (1, "forward", admin, "[fd77:2::2]", "fd77:1::2"),
        // The default of iptables and nftables: the router itself sends port unreachable.
        (1, "forward", "reject", "10.77.2.2", "10.77.1.2"),
        (1, "forward", "reject", "[fd77:2::2]", "fd77:1::2"),
    ] {
        net.firewall(at, hook, &format!("udp dport 6003 counter {verdict}"));
        for args in ["", " -w 5s"] {
            let end = net
                .send(0, &format!("{to}:6003 hello{args}"))
                .expect_code(3);
            assert!(
                end.stderr
                    .contains(&format!("caused by: rejected by a firewall on {by}\n"))
                    && end.stderr.contains("1 error, 0 refused"),
                "{hook} {verdict} {to}{args}: {}",
                end.stderr
            );
            assert!(end.stderr.contains("hint: "), "{}", end.stderr);
        }
        net.run(at, "nft", &["flush", "ruleset"]);
    }
}
