//! Links and addresses: both families, and the text of the listening line as addresses come and go.

use super::*;

#[test]
fn unicast_arrives_over_a_link_in_both_families() {
    let Some(net) = Net::pair() else { return };
    for (bind, to, from) in TARGETS {
        let mut listener = net.listen(1, &format!("--bind {bind} --format json"));
        let target = format!("{to}:{}", listener.port());
        net.send(0, &format!("{target} hello")).expect_code(0);
        let datagram = next_json(&mut listener);
        assert_eq!(datagram["text"], "hello");
        assert!(
            datagram["from"].as_str().unwrap().starts_with(from),
            "{datagram}"
        );
        let here = to.split('%').next().unwrap();
        assert!(
            datagram["to"].as_str().unwrap().starts_with(here),
            "{datagram}"
        );
    }
    // The opposite direction.
    let mut listener = net.listen(0, "--format json");
    net.send(1, &format!("10.77.1.1:{} back", listener.port()))
        .expect_code(0);
    assert_eq!(next_text(&mut listener), "back");
}

#[test]
fn an_ipv6_wildcard_hears_both_families() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--bind :: --format json");
    for (_, to, from) in TARGETS {
        net.send(0, &format!("{to}:{} x", listener.port()))
            .expect_code(0);
        let datagram = next_json(&mut listener);
        assert!(
            datagram["from"].as_str().unwrap().starts_with(from),
            "{datagram}"
        );
    }
}

#[test]
fn an_echo_comes_back_over_a_link_in_both_families() {
    let Some(net) = Net::pair() else { return };
    for (bind, to, _) in TARGETS {
        for flag in ["", " --no-batching"] {
            let listener = net.listen(1, &format!("--bind {bind} --echo{flag}"));
            let reply = net
                .send(
                    0,
                    &format!(
                        "{to}:{} ping -w 5s --replies 1 --format raw{flag}",
                        listener.port()
                    ),
                )
                .expect_code(0);
            assert_eq!(reply.text(), "ping", "{to}{flag}");
        }
    }
}

#[test]
fn the_listening_line_names_the_address_and_the_interface() {
    let Some(net) = Net::two_links() else { return };
    for bind in ["0.0.0.0", "::"] {
        let mut running =
            Running::spawn(&mut net.udpcli(1, &format!("listen --port 0 --bind {bind}")));
        let line = running.stderr_line_with("listening on ");
        let port = listening_address(&line).port();
        assert!(
            line.contains(&format!(
                "; type this address into the board's program: 10.77.1.2, port {port} (vb)"
            )),
            "{line}"
        );
        assert!(
            line.contains("; from other networks: 10.77.2.2 (wb)"),
            "{line}"
        );
    }
    let mut running = Running::spawn(&mut net.udpcli(1, "listen --port 0 --bind 10.77.2.2"));
    let line = running.stderr_line_with("listening on 10.77.2.2:");
    assert!(
        line.contains("program: 10.77.2.2, port ") && line.ends_with("(wb)\n"),
        "{line}"
    );
}

#[test]
fn the_listening_line_has_the_network_with_the_default_route_first() {
    let Some(net) = Net::two_links() else { return };
    // A bridge named like Docker's. Its index and address sort before the others, so a plain sort would put it first.
    net.ip(1, "link add docker0 type veth peer name inside");
    net.ip(1, "addr add 10.1.0.1/16 dev docker0");
    net.ip(1, "link set inside up");
    net.ip(1, "link set docker0 up");
    net.wait_until_up(1, "docker0");
    let first = || {
        let mut running = Running::spawn(&mut net.udpcli(1, "listen --port 0"));
        let line = running.stderr_line_with("listening on ");
        let address = line.split_once("program: ").unwrap().1;
        address.split_once(',').unwrap().0.to_owned()
    };
    // Without a default route, the container network comes last.
    assert_ne!(first(), "10.1.0.1");
    for (via, address) in [("10.77.2.1", "10.77.2.2"), ("10.77.1.1", "10.77.1.2")] {
        net.ip(1, &format!("route add default via {via}"));
        assert_eq!(first(), address);
        net.ip(1, "route del default");
    }
}

#[test]
fn the_listening_line_comes_again_when_an_address_comes_or_goes() {
    let Some(net) = Net::pair() else { return };
    let mut running = Running::spawn(&mut net.udpcli(1, "listen --port 0"));
    running.stderr_line_with("program: 10.77.1.2, port ");
    net.ip(1, "addr add 10.9.0.1/24 dev vb");
    running.stderr_line_with("10.9.0.1 (vb)");
    net.ip(1, "addr flush dev vb");
    running.stderr_line_with("this PC is not on a network: connect to the board's Wi-Fi first");
    net.ip(1, "addr add 10.77.1.3/24 dev vb");
    let line = running.stderr_line_with("program: 10.77.1.3, port ");
    assert!(line.starts_with("listening on 0.0.0.0:"), "{line}");
    // A change that does not affect the line must not print it again.
    net.ip(1, "link add other type veth peer name another");
    std::thread::sleep(Duration::from_millis(300));
    let end = running.interrupt().expect_code(0);
    assert_eq!(
        end.stderr.matches("listening on ").count(),
        4,
        "{}",
        end.stderr
    );
}

/// A PC that joins a Wi-Fi gets its address first, and its route a moment later.
#[test]
fn the_listening_line_follows_the_default_route() {
    let Some(net) = Net::pair() else { return };
    net.ip(1, "link add wifi type veth peer name air");
    net.ip(1, "addr add 10.66.0.2/24 dev wifi");
    for name in ["air", "wifi"] {
        net.ip(1, &format!("link set {name} up"));
    }
    net.wait_until_up(1, "wifi");
    let mut running = Running::spawn(&mut net.udpcli(1, "listen --port 0"));
    running.stderr_line_with("listening on ");
    for (via, address) in [("10.66.0.9", "10.66.0.2"), ("10.77.1.1", "10.77.1.2")] {
        net.ip(1, &format!("route replace default via {via}"));
        running.stderr_line_with(&format!("program: {address}, port "));
    }
    running.interrupt().expect_code(0);
}

#[test]
fn a_listener_on_one_address_says_when_that_goes_and_comes_back() {
    let Some(net) = Net::pair() else { return };
    let mut command = net.udpcli(1, "listen --port 0 --bind 10.77.1.2 --format json");
    let mut listener = Listener::spawn(&mut command);
    net.ip(1, "addr del 10.77.1.2/24 dev vb");
    listener
        .running
        .stderr_line_with("this PC does not have that address now");
    net.ip(1, "addr add 10.77.1.2/24 dev vb");
    listener
        .running
        .stderr_line_with("program: 10.77.1.2, port ");
    net.send(0, &format!("10.77.1.2:{} back", listener.port()))
        .expect_code(0);
    assert_eq!(next_text(&mut listener), "back");
}

#[test]
fn the_panel_follows_the_address() {
    let Some(net) = Net::pair() else { return };
    let args = "listen --port 0 --oled".split(' ');
    let mut running = Running::spawn(&mut net.within(1, &udpcli_on_terminal("", args)));
    let line = loop {
        let line = running.stdout_line();
        if line.contains("listening on ") {
            break line;
        }
    };
    let port = listening_address(&line).port();
    let mut shows = |address: &str| {
        let row = format!("{address}:{port}");
        while !running.stdout_line().contains(&row) {}
    };
    shows("10.77.1.2");
    net.ip(1, "addr flush dev vb");
    net.ip(1, "addr add 10.77.1.3/24 dev vb");
    shows("10.77.1.3");
}

#[test]
fn the_address_stands_in_a_box_that_no_terminal_breaks() {
    let Some(net) = Net::pair() else { return };
    for (size, wanted) in [
        ("24 80", "│ Type this address into the board's program:"),
        ("24 46", "│ 10.77.1.2   port "),
        ("24 30", "  board's program: 10.77.1.2,"),
    ] {
        let args = "listen --port 0 --qr --duration 1s".split(' ');
        let mut command = net.within(1, &udpcli_on_terminal("", args));
        command.env("TERMINAL_SIZE", size);
        let text = Running::spawn(&mut command).finish().expect_code(0).text();
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("listening on 0.0.0.0:"), "{text}");
        assert!(text.contains(wanted), "{size}: {text}");
        let columns = size.split_once(' ').unwrap().1.parse::<usize>().unwrap();
        let widest = text
            .lines()
            .filter(|line| line.starts_with(['┌', '│', '└']))
            .map(|line| line.chars().count());
        assert!(widest.max().unwrap_or(0) <= columns, "{size}: {text}");
        // The code of this address has 21 modules and a margin of 4.
        assert_eq!(text.contains("▄▄▄▄▄"), columns >= 29, "{size}: {text}");
    }
}

#[test]
fn addresses_that_come_and_go_all_the_time_cost_no_datagram() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--format json --join 239.77.0.11");
    let mut batch = String::new();
    for number in 0..200 {
        let (third, last) = (number / 100, number % 100 + 1);
        for what in ["add", "del"] {
            let _ = writeln!(batch, "addr {what} 10.99.{third}.{last}/24 dev vb");
        }
    }
    batch += "addr add 10.99.9.9/24 dev vb\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("batch");
    fs::write(&path, batch).unwrap();
    let to = format!("10.77.1.2:{}", listener.port());
    let mut sending = Running::spawn(&mut net.udpcli(0, &format!("send {to} x -n 200 -i 5ms")));
    run_ip(&["-n", &net.names[1], "-b", path.to_str().unwrap()]);
    listener.running.stderr_line_with("10.99.9.9 (vb)");
    eventually("it has sent", || sending.has_ended());
    for _ in 0..200 {
        assert_eq!(next_text(&mut listener), "x");
    }
    let end = listener.running.interrupt().expect_code(0);
    assert!(end.stderr.contains("\n200 datagrams, "), "{}", end.stderr);
}

#[test]
fn the_listening_line_claims_no_address_that_cannot_be_reached() {
    let Some(net) = Net::two_links() else { return };
    let mut running = Running::spawn(&mut net.udpcli(1, "listen --port 0 --join ff02::1"));
    let line = running.stderr_line_with("listening on [::]");
    assert!(!line.contains("10.77."), "{line}");
    for (interface, others) in [
        ("lo", &["10.77.1.2", "10.77.2.2"][..]),
        ("vb", &["10.77.2.2"]),
    ] {
        let mut running =
            Running::spawn(&mut net.udpcli(1, &format!("listen --port 0 --interface {interface}")));
        let line = running.stderr_line_with("listening on ");
        for other in others {
            assert!(!line.contains(other), "{interface}: {line}");
        }
    }
}

/// Starts `udpcli listen --port 0 --format json ARGS` on a link-local address, and reads the port from its listening
/// line.
#[track_caller]
fn listen_on_link_local(net: &Net, at: usize, args: &str) -> Listener {
    let mut running =
        Running::spawn(&mut net.udpcli(at, &format!("listen --port 0 --format json {args}")));
    let line = running.stderr_line_with("listening on [fe80::");
    let port = line
        .split_once("]:")
        .and_then(|(_, rest)| {
            let end = rest.find(|char: char| !char.is_ascii_digit());
            rest[..end.unwrap_or(rest.len())].parse().ok()
        })
        .unwrap_or_else(|| panic!("no port in {line}"));
    Listener {
        running,
        address: (std::net::Ipv6Addr::LOCALHOST, port).into(),
    }
}

#[test]
fn a_link_local_address_can_be_bound() {
    let Some(net) = Net::two_links() else { return };
    net.ip(1, "addr add fe80::22/64 dev wb nodad");
    for (bind, to) in [
        // Without a zone: the interface follows from the address.
        ("fe80::22", "[fe80::22%wa]"),
        ("fe80::2%vb", "[fe80::2%va]"),
        ("fe80::2%wb", "[fe80::2%wa]"),
    ] {
        let mut listener = listen_on_link_local(&net, 1, &format!("--bind {bind}"));
        net.send(0, &format!("{to}:{} hello", listener.port()))
            .expect_code(0);
        let datagram = next_json(&mut listener);
        assert_eq!(datagram["text"], "hello", "{bind}");
        assert!(
            datagram["from"].as_str().unwrap().starts_with("[fe80::1"),
            "{bind}: {datagram}"
        );
    }
    net.ip(0, "addr add fe80::11/64 dev va nodad");
    let mut listener = net.listen(1, "--bind :: --format json");
    for bind in ["fe80::11%va", "fe80::11", "fe80::1%va"] {
        net.send(
            0,
            &format!("[fe80::2%va]:{} hello --bind {bind}", listener.port()),
        )
        .expect_code(0);
        let datagram = next_json(&mut listener);
        let from = bind.split('%').next().unwrap();
        assert!(
            datagram["from"]
                .as_str()
                .unwrap()
                .starts_with(&format!("[{from}%"))
                || datagram["from"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("[{from}]")),
            "{bind}: {datagram}"
        );
    }
}
