//! Multicast: who hears a group, and by which interface a datagram leaves.

use super::*;

#[test]
fn multicast_of_another_program_is_heard_where_the_group_is_joined() {
    let Some(net) = Net::pair() else { return };
    for (family, group, join) in [
        ('4', "239.77.0.1", "239.77.0.1@vb"),
        ('4', "239.77.0.2", "239.77.0.2"),
        ('4', "224.0.0.251", "224.0.0.251@10.77.1.2"),
        ('6', "ff15::77", "ff15::77@vb"),
        ('6', "ff15::78", "ff15::78"),
        ('6', "ff02::4d:77%va", "ff02::4d:77%vb"),
    ] {
        let mut peer = net.peer(0, family, &[]);
        peer.tell("by va");
        let mut listener = net.listen(1, &format!("--join {join} --format json"));
        if family == '6' {
            // The listener opens two sockets with separate ports; the second line shows the port for IPv6.
            let line = listener.running.stderr_line_with("listening on [::]");
            listener.address = listening_address(&line);
        }
        peer.send(group, listener.port(), join.as_bytes());
        let datagram = next_json(&mut listener);
        assert_eq!(datagram["text"], join);
        let group = group.split('%').next().unwrap();
        assert!(
            datagram["to"]
                .as_str()
                .unwrap()
                .trim_start_matches('[')
                .starts_with(group),
            "{datagram}"
        );
    }
}

#[test]
fn a_group_joined_without_an_interface_is_heard_on_every_interface() {
    let Some(net) = Net::two_links() else { return };
    let mut listener = net.listen(1, "--join 239.77.0.1 --format json");
    for (name, from) in [("va", "10.77.1.1"), ("wa", "10.77.2.1")] {
        net.send(
            0,
            &format!(
                "239.77.0.1:{} {name} --multicast-if {name}",
                listener.port()
            ),
        )
        .expect_code(0);
        let datagram = next_json(&mut listener);
        assert_eq!(datagram["text"], name);
        assert!(
            datagram["from"].as_str().unwrap().starts_with(from),
            "{datagram}"
        );
    }
}

#[test]
fn an_ipv4_group_is_heard_on_the_ipv6_wildcard() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--bind :: --join 239.77.0.1@vb --format json");
    net.send(
        0,
        &format!("239.77.0.1:{} group --multicast-if va", listener.port()),
    )
    .expect_code(0);
    let datagram = next_json(&mut listener);
    assert_eq!(datagram["text"], "group");
    assert_eq!(datagram["to"], format!("239.77.0.1:{}", listener.port()));
    // Unicast datagrams of both families still arrive.
    for (_, to, _) in TARGETS {
        net.send(0, &format!("{to}:{} {to}", listener.port()))
            .expect_code(0);
        assert_eq!(next_text(&mut listener), to);
    }
}

#[test]
fn a_group_joined_on_one_interface_is_not_heard_on_another() {
    let Some(net) = Net::two_links() else { return };
    // Another program on this machine joins the group on the other interface, so that the kernel accepts the datagram.
    let mut peer = net.peer(1, '4', &["239.77.0.1@wb"]);
    let mut listener = net.listen(1, "--join 239.77.0.1@vb --format json");
    for port in [listener.port(), peer.port] {
        net.send(0, &format!("239.77.0.1:{port} wrong --multicast-if wa"))
            .expect_code(0);
    }
    assert_eq!(peer.receive().payload, b"wrong");
    net.send(
        0,
        &format!("239.77.0.1:{} right --multicast-if va", listener.port()),
    )
    .expect_code(0);
    assert_eq!(next_text(&mut listener), "right");
}

fn a_group_of_another_program_is_not_ours(
    family: char,
    bind: &str,
    group: &str,
    own: &str,
    flags: &str,
) {
    let Some(net) = Net::pair() else { return };
    let mut peer = net.peer(
        1,
        family,
        &[&format!("{}@vb", group.trim_matches(['[', ']']))],
    );
    let mut listener = net.listen(1, &format!("--bind {bind} --format json{flags}"));
    for port in [listener.port(), peer.port] {
        net.send(0, &format!("{group}:{port} theirs --multicast-if va"))
            .expect_code(0);
    }
    assert_eq!(peer.receive().payload, b"theirs");
    net.send(0, &format!("{own}:{} ours", listener.port()))
        .expect_code(0);
    assert_eq!(next_text(&mut listener), "ours");
}

#[test]
fn a_group_that_only_another_program_joined_is_not_heard() {
    a_group_of_another_program_is_not_ours('4', "0.0.0.0", "239.77.0.9", "10.77.1.2", "");
}

#[test]
fn a_group_that_only_another_program_joined_is_not_heard_beside_an_own_one() {
    a_group_of_another_program_is_not_ours(
        '4',
        "0.0.0.0",
        "239.77.0.9",
        "10.77.1.2",
        " --join 239.77.0.1",
    );
}

#[test]
fn an_ipv6_group_that_only_another_program_joined_is_not_heard() {
    a_group_of_another_program_is_not_ours('6', "::", "[ff15::99]", "[fd77:1::2]", "");
}

#[test]
fn an_ipv6_wildcard_does_not_hear_ipv4_groups_of_another_program() {
    a_group_of_another_program_is_not_ours('4', "::", "239.77.0.9", "10.77.1.2", "");
}

#[test]
fn an_ipv6_listener_in_a_group_does_not_hear_ipv4_groups_of_another_program() {
    a_group_of_another_program_is_not_ours(
        '4',
        "::",
        "239.77.0.9",
        "10.77.1.2",
        " --join ff15::77@vb",
    );
}

#[test]
fn multicast_leaves_by_the_interface_asked_for_with_the_ttl_asked_for() {
    let Some(net) = Net::two_links() else { return };
    let groups = ["239.77.0.1@vb", "239.77.0.1@wb"];
    let mut peer = net.peer(1, '4', &groups);
    for (interface, from, ttl) in [
        ("va", "10.77.1.1", ""),
        ("wa", "10.77.2.1", " --ttl 7"),
        ("10.77.1.1", "10.77.1.1", " --ttl 255"),
        ("10.77.2.1", "10.77.2.1", ""),
    ] {
        net.send(
            0,
            &format!("239.77.0.1:{} x --multicast-if {interface}{ttl}", peer.port),
        )
        .expect_code(0);
        let heard = peer.receive();
        let want = ttl.trim_start_matches(" --ttl ").parse().unwrap_or(1);
        assert_eq!(
            (heard.from.as_str(), heard.ttl),
            (from, want),
            "{interface}"
        );
    }
    let mut peer = net.peer(1, '6', &["ff15::77@vb", "ff15::77@wb"]);
    for (interface, from, ttl) in [
        ("va", "fd77:1::1", ""),
        ("wa", "fd77:2::1", " --ttl 7"),
        ("fd77:2::1", "fd77:2::1", ""),
    ] {
        net.send(
            0,
            &format!("[ff15::77]:{} x --multicast-if {interface}{ttl}", peer.port),
        )
        .expect_code(0);
        let heard = peer.receive();
        let want = ttl.trim_start_matches(" --ttl ").parse().unwrap_or(1);
        assert_eq!(
            (heard.from.as_str(), heard.ttl),
            (from, want),
            "{interface}"
        );
    }
}

#[test]
fn socat_in_the_group_hears_what_is_sent() {
    let Some(net) = Net::pair() else { return };
    for (address, target) in [
        (
            "UDP4-RECV:47123,ip-add-membership=239.77.0.1:vb",
            "239.77.0.1:47123",
        ),
        (
            "UDP6-RECV:47124,ipv6-join-group=[ff15::77]:vb",
            "[ff15::77]:47124",
        ),
    ] {
        let mut socat = Command::new("socat");
        socat.args(["-u", address, "STDOUT"]);
        let mut socat = Running::spawn(net.within(1, &socat).stdin(Stdio::null()));
        let table = format!(
            "/proc/{}/net/{}",
            socat.id(),
            if target.starts_with('[') {
                "udp6"
            } else {
                "udp"
            }
        );
        let port: u16 = target.rsplit(':').next().unwrap().parse().unwrap();
        eventually("socat is bound", || {
            fs::read_to_string(&table).is_ok_and(|table| table.contains(&format!(":{port:04X} ")))
        });
        // A bound socket may not have joined the group yet, and earlier datagrams are lost: send repeatedly.
        let sender = Running::spawn(&mut net.udpcli(
            0,
            &format!("send {target} tick --line-ending lf -n 100000 -i 20ms --multicast-if va"),
        ));
        assert_eq!(socat.stdout_line(), "tick\n");
        sender.interrupt().expect_code(130);
    }
}

#[test]
fn a_link_local_group_is_reached_by_its_zone() {
    let Some(net) = Net::two_links() else { return };
    let mut peer = net.peer(1, '6', &["ff02::4d:77@vb", "ff02::4d:77@wb"]);
    for (zone, payload) in [("va", "one"), ("wa", "two")] {
        net.send(0, &format!("[ff02::4d:77%{zone}]:{} {payload}", peer.port))
            .expect_code(0);
        let heard = peer.receive();
        assert!(heard.from.starts_with("fe80::1"), "{heard:?}");
        assert_eq!(heard.payload, payload.as_bytes());
    }
}

#[test]
fn multicast_without_a_route_is_an_error_with_a_hint() {
    let Some(net) = Net::pair() else { return };
    let end = net.send(0, "239.77.0.1:6000 x").expect_code(3);
    assert!(end.stderr.contains("hint:"), "{}", end.stderr);
    let end = net
        .send(0, "239.77.0.1:6000 x --multicast-if nowhere")
        .expect_code(3);
    assert!(end.stderr.contains("va"), "{}", end.stderr);
    let end = Running::spawn(&mut net.udpcli(1, "listen --port 0 --join 239.77.0.1@nowhere"))
        .finish()
        .expect_code(3);
    assert!(
        end.stderr.contains("nowhere") && end.stderr.contains("vb"),
        "{}",
        end.stderr
    );
}

#[test]
fn multicast_loop_says_whether_this_machine_hears_itself() {
    let Some(net) = Net::pair() else { return };
    for (group, bind) in [("239.77.0.1", "0.0.0.0"), ("[ff15::77]", "::")] {
        let join = group.trim_matches(['[', ']']);
        let mut listener = net.listen(0, &format!("--bind {bind} --join {join}@va --format json"));
        let mut peer = net.peer(
            1,
            if bind == "::" { '6' } else { '4' },
            &[&format!("{join}@vb")],
        );
        for payload in ["off", "on"] {
            for port in [listener.port(), peer.port] {
                net.send(
                    0,
                    &format!(
                        "{group}:{port} {payload} --multicast-if va --multicast-loop {payload}"
                    ),
                )
                .expect_code(0);
            }
            // The other machine receives both.
            assert_eq!(peer.receive().payload, payload.as_bytes());
        }
        assert_eq!(next_text(&mut listener), "on");
    }
}
