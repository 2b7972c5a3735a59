//! Broadcast, in both directions, and that no echo answers it.

use super::*;

#[test]
fn broadcast_is_allowed_by_itself_and_another_program_hears_it() {
    let Some(net) = Net::pair() else { return };
    let mut peer = net.peer(1, '4', &[]);
    let port = peer.port;
    for args in [
        "10.77.1.255:PORT one",
        "255.255.255.255:PORT two --interface va",
        "255.255.255.255:PORT three --bind 10.77.1.1",
    ] {
        net.send(0, &args.replace("PORT", &port.to_string()))
            .expect_code(0);
        let heard = peer.receive();
        assert_eq!(
            (heard.from.as_str(), heard.payload.as_slice()),
            ("10.77.1.1", args.split(' ').nth(1).unwrap().as_bytes())
        );
    }
    net.ip(0, "route add default dev va");
    net.send(0, &format!("255.255.255.255:{port} four"))
        .expect_code(0);
    assert_eq!(peer.receive().payload, b"four");
}

#[test]
fn an_interface_without_a_broadcast_address_of_its_own_has_the_networks() {
    let Some(net) = Net::pair() else { return };
    net.ip(0, "addr add 10.9.9.1/24 dev va");
    net.ip(1, "addr add 10.9.9.2/24 dev vb");
    let mut peer = net.peer(1, '4', &[]);
    net.send(0, &format!("10.9.9.255:{} bc", peer.port))
        .expect_code(0);
    let heard = peer.receive();
    assert_eq!(
        (heard.from.as_str(), heard.payload.as_slice()),
        ("10.9.9.1", &b"bc"[..])
    );
}

#[test]
fn broadcast_without_a_route_is_an_error_with_a_hint() {
    let Some(net) = Net::pair() else { return };
    let end = net.send(0, "255.255.255.255:6000 x").expect_code(3);
    assert!(end.stderr.contains("hint:"), "{}", end.stderr);
}

#[test]
fn listen_hears_broadcasts_of_another_program() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--format json");
    let mut peer = net.peer(0, '4', &[]);
    peer.send("10.77.1.255", listener.port(), b"subnet");
    let datagram = next_json(&mut listener);
    assert_eq!(datagram["text"], "subnet");
    assert_eq!(datagram["to"], format!("10.77.1.255:{}", listener.port()));
    let to = format!(
        "UDP4-DATAGRAM:255.255.255.255:{},broadcast,bind=10.77.1.1,so-bindtodevice=va",
        listener.port()
    );
    let mut socat = Command::new("socat");
    socat.args(["-u", "STDIN", &to]);
    run_with_input(net.within(0, &socat), b"everyone").expect_code(0);
    assert_eq!(next_text(&mut listener), "everyone");
}

fn echo_answers_unicast_only(flag: &str) {
    let Some(net) = Net::pair() else { return };
    let mut peer = net.peer(0, '4', &[]);
    peer.tell("by va");
    let mut listener = net.listen(
        1,
        &format!("--echo --join 239.77.0.1@vb --format json{flag}"),
    );
    for to in ["10.77.1.255", "239.77.0.1", "10.77.1.2"] {
        peer.send(to, listener.port(), to.as_bytes());
        assert_eq!(next_text(&mut listener), to);
    }
    // Only the last of the three is answered, so the first reply is to it.
    assert_eq!(peer.receive().payload, b"10.77.1.2");
    let summary = listener.running.interrupt().expect_code(0).stderr;
    assert!(summary.contains("1 answered"), "{summary}");
}

#[test]
fn echo_answers_unicast_but_no_broadcast_nor_group() {
    echo_answers_unicast_only("");
}

#[test]
fn echo_without_batching_answers_unicast_but_no_broadcast_nor_group() {
    echo_answers_unicast_only(" --no-batching");
}

#[test]
fn echo_answers_unicast_but_no_group_in_ipv6() {
    let Some(net) = Net::pair() else { return };
    let mut peer = net.peer(0, '6', &[]);
    peer.tell("by va");
    let mut listener = net.listen(1, "--bind :: --echo --join ff15::77@vb --format json");
    for to in ["ff15::77", "fe80::2%va", "fd77:1::2"] {
        peer.send(to, listener.port(), to.as_bytes());
        assert_eq!(next_text(&mut listener), to);
    }
    assert_eq!(peer.receive().payload, b"fe80::2%va");
    assert_eq!(peer.receive().payload, b"fd77:1::2");
}
