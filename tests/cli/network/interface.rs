//! `--interface`, and the address that an echo comes from.

use super::*;

#[test]
fn a_listener_on_one_interface_hears_only_that() {
    let Some(net) = Net::two_links() else { return };
    let mut listener = net.listen(1, "--interface wb --format json");
    let mut other = net.listen(1, "--interface vb --format json");
    for port in [listener.port(), other.port()] {
        // The exit code does not matter: the datagram is refused if no socket on this interface has the port.
        net.send(0, &format!("10.77.1.2:{port} first"));
        net.send(0, &format!("10.77.2.2:{port} second"));
    }
    assert_eq!(next_text(&mut listener), "second");
    assert_eq!(next_text(&mut other), "first");
    for listener in [listener, other] {
        let end = listener.running.interrupt().expect_code(0);
        assert!(end.stderr.contains("1 datagram,"), "{}", end.stderr);
    }
}

#[test]
fn an_interface_needs_no_address_to_be_listened_on() {
    let Some(net) = Net::pair() else { return };
    net.ip(1, "addr flush dev vb");
    for args in ["--interface vb", "--interface vb --bind ::"] {
        let listener = net.listen(1, args);
        listener.running.interrupt().expect_code(0);
    }
}

#[test]
fn an_address_names_its_interface() {
    let Some(net) = Net::pair() else { return };
    for (interface, near) in [("127.0.0.1", true), ("10.77.1.2", false)] {
        let mut listener = net.listen(1, &format!("--interface {interface} --format json"));
        let port = listener.port();
        // The exit code does not matter: the datagram is refused if no socket on this interface has the port.
        for _ in 0..2 {
            net.send(0, &format!("10.77.1.2:{port} far"));
            net.send(1, &format!("127.0.0.1:{port} near"));
        }
        for _ in 0..2 {
            let want = if near { "near" } else { "far" };
            assert_eq!(next_text(&mut listener), want, "{interface}");
        }
    }
    let mut listener = net.listen(1, "--format json");
    net.send(
        1,
        &format!("127.0.0.1:{} hi --interface 127.0.0.1", listener.port()),
    )
    .expect_code(0);
    assert_eq!(next_text(&mut listener), "hi");
}

#[test]
fn send_leaves_by_the_interface_asked_for() {
    let Some(net) = Net::two_links() else { return };
    let mut listener = net.listen(1, "--format json");
    for (to, interface, from) in [
        ("255.255.255.255", "va", "10.77.1.1"),
        ("255.255.255.255", "wa", "10.77.2.1"),
        ("10.77.1.2", "va", "10.77.1.1"),
        ("10.77.1.2", "wa", "10.77.2.1"),
    ] {
        net.send(
            0,
            &format!("{to}:{} x --interface {interface}", listener.port()),
        )
        .expect_code(0);
        let datagram = next_json(&mut listener);
        assert!(
            datagram["from"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{from}:")),
            "{to} by {interface}: {datagram}"
        );
    }
}

#[test]
fn the_interface_stands_in_for_the_zone_of_a_link_local_address() {
    let Some(net) = Net::two_links() else { return };
    let mut listener = net.listen(1, "--bind :: --format json --echo");
    for interface in ["va", "wa"] {
        let end = net.send(
            0,
            &format!(
                "[fe80::2]:{} {interface} --interface {interface} -w 5s --replies 1 --format raw",
                listener.port()
            ),
        );
        assert_eq!(end.expect_code(0).text(), interface);
        assert_eq!(next_text(&mut listener), interface);
    }
}

#[test]
fn an_unknown_interface_is_answered_with_those_there_are() {
    let Some(net) = Net::two_links() else { return };
    for args in [
        "send 10.77.1.2:6000 x --interface nowhere",
        "listen --port 0 --interface nowhere",
        "send [fe80::2%nowhere]:6000 x",
    ] {
        let end = run_with_input(net.udpcli(0, args), b"").expect_code(3);
        for word in ["nowhere", "va", "wa", "lo", "hint:"] {
            assert!(
                end.stderr.contains(word),
                "{args}: {word} in {}",
                end.stderr
            );
        }
    }
}

#[test]
fn an_echo_comes_from_the_address_that_was_asked() {
    let Some(net) = Net::pair() else { return };
    net.ip(1, "addr add 10.77.1.22/24 dev vb");
    net.ip(1, "addr add fd77:1::22/64 dev vb nodad");
    net.ip(1, "addr add fe80::22/64 dev vb nodad");
    for (family, bind, addresses) in [
        ('4', "0.0.0.0", &["10.77.1.2", "10.77.1.22"][..]),
        ('4', "::", &["10.77.1.2", "10.77.1.22"]),
        (
            '6',
            "::",
            &["fd77:1::2", "fd77:1::22", "fe80::22%va", "fe80::2%va"],
        ),
    ] {
        let listener = net.listen(1, &format!("--bind {bind} --echo"));
        for address in addresses {
            let mut peer = net.peer(0, family, &[]);
            // A connected socket receives only from that address.
            peer.tell(&format!("connect {address} {}", listener.port()));
            peer.send(address, listener.port(), address.as_bytes());
            let heard = peer.receive();
            assert_eq!(heard.payload, address.as_bytes());
            assert_eq!(
                (heard.from.split('%').next(), heard.port),
                (address.split('%').next(), listener.port())
            );
        }
    }
}
