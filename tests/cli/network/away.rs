//! Interfaces that go away and come back during a run.

use super::*;

#[test]
fn listen_goes_on_when_the_interface_was_away() {
    let Some(net) = Net::pair() else { return };
    for flag in ["", " --interface vb", " --bind 10.77.1.2"] {
        let mut listener = net.listen(1, &format!("--format json{flag}"));
        net.send(0, &format!("10.77.1.2:{} before", listener.port()))
            .expect_code(0);
        assert_eq!(next_text(&mut listener), "before");
        net.ip(1, "link set vb down");
        net.ip(1, "link set vb up");
        net.wait_until_up(1, "vb");
        net.wait_until_up(0, "va");
        net.send(0, &format!("10.77.1.2:{} after", listener.port()))
            .expect_code(0);
        assert_eq!(next_text(&mut listener), "after", "{flag}");
        let end = listener.running.interrupt().expect_code(0);
        assert!(end.stderr.contains("2 datagrams,"), "{}", end.stderr);
    }
}

#[test]
fn send_goes_on_when_the_interface_was_away() {
    let Some(net) = Net::pair() else { return };
    for flag in ["", " --interface va", " -w 10ms", " --no-batching"] {
        let mut listener = net.listen(1, "--format json --seq");
        let mut sender = Running::spawn(&mut net.udpcli(
            0,
            &format!(
                "send 10.77.1.2:{} --size 32 -n 100000 -i 20ms{flag}",
                listener.port()
            ),
        ));
        assert_eq!(next_json(&mut listener)["seq"], 0);
        net.ip(0, "link set va down");
        sender.stderr_line_with("cannot ");
        net.ip(0, "link set va up");
        while next_json(&mut listener)["lost"]
            .as_u64()
            .is_none_or(|lost| lost == 0)
        {}
        next_json(&mut listener);
        let end = sender.interrupt().expect_code(130);
        assert!(!end.stderr.contains(" 0 errors"), "{flag}: {}", end.stderr);
        listener.running.interrupt().expect_code(0);
    }
}

#[test]
fn a_run_with_errors_on_the_way_says_so_at_its_end() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--format json --seq");
    let mut sender = Running::spawn(&mut net.udpcli(
        0,
        &format!("send 10.77.1.2:{} --size 32 -n 30 -i 50ms", listener.port()),
    ));
    assert_eq!(next_json(&mut listener)["seq"], 0);
    net.ip(0, "link set va down");
    sender.stderr_line_with("cannot ");
    net.ip(0, "link set va up");
    let end = sender.finish().expect_code(3);
    assert!(end.stderr.contains("did not get through"), "{}", end.stderr);
    assert!(!end.stderr.contains(" 0 errors"), "{}", end.stderr);
}

#[test]
fn a_run_cut_off_on_the_way_says_how_many_did_not_get_through() {
    let Some(net) = Net::pair() else { return };
    for flag in ["", " --no-batching"] {
        let mut listener = net.listen(1, "--format json");
        let sender = Running::spawn(&mut net.udpcli(
            0,
            &format!(
                "send 10.77.1.2:{} tick -n 12 -i 200ms{flag}",
                listener.port()
            ),
        ));
        for _ in 0..2 {
            assert_eq!(next_text(&mut listener), "tick");
        }
        net.ip(0, "route add prohibit 10.77.1.2/32");
        let end = sender.finish().expect_code(3);
        net.ip(0, "route del prohibit 10.77.1.2/32");
        let error = end
            .stderr
            .lines()
            .rev()
            .find(|line| line.contains("udpcli: error: "))
            .unwrap_or_else(|| panic!("no error in {}", end.stderr));
        let missing: u32 = error
            .split_once(" of 12 datagrams")
            .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok())
            .unwrap_or_else(|| panic!("no number in {}", end.stderr));
        let heard = listener.running.interrupt().expect_code(0).text();
        let arrived = u32::try_from(heard.lines().count()).unwrap();
        assert_eq!(missing + arrived, 12, "{}", end.stderr);
        assert!((1..12).contains(&missing), "{}", end.stderr);
    }
}

#[test]
fn a_group_is_still_heard_when_the_interface_was_away() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--join 239.77.0.1@vb --format json");
    for payload in ["before", "after"] {
        net.send(
            0,
            &format!("239.77.0.1:{} {payload} --multicast-if va", listener.port()),
        )
        .expect_code(0);
        assert_eq!(next_text(&mut listener), payload);
        net.ip(1, "link set vb down");
        net.ip(1, "link set vb up");
        net.wait_until_up(1, "vb");
        net.wait_until_up(0, "va");
    }
}

#[test]
fn send_goes_on_when_its_own_link_narrows() {
    let Some(net) = Net::pair() else { return };
    for flag in ["", " --no-batching"] {
        net.ip(0, "link set va mtu 1500");
        let mut listener = net.listen(1, &format!("--format json --seq --recv-buffer 4M{flag}"));
        let sender = Running::spawn(&mut net.udpcli(
            0,
            &format!(
                "send 10.77.1.2:{} --size 1400 --duration 1h --rate 2k{flag}",
                listener.port()
            ),
        ));
        assert_eq!(next_json(&mut listener)["seq"], 0);
        net.ip(0, "link set va mtu 1000");
        let now = jiff::Timestamp::now();
        // From here on, every datagram is sent in two fragments.
        let mut arrived_later = 0;
        while arrived_later < 200 {
            let datagram = next_json(&mut listener);
            assert_eq!(datagram["len"], 1400);
            let time: jiff::Timestamp = datagram["time"].as_str().unwrap().parse().unwrap();
            arrived_later += u32::from(time > now);
        }
        let end = sender.interrupt().expect_code(130);
        assert!(end.stderr.contains(" 0 errors"), "{}", end.stderr);
        let end = listener.running.interrupt().expect_code(0);
        assert!(
            end.stderr.contains(" 0 duplicate, 0 reordered"),
            "{}",
            end.stderr
        );
    }
}

#[test]
fn a_closed_port_is_refused_also_where_broadcast_is_allowed() {
    let Some(net) = Net::pair() else { return };
    let end = net
        .send(0, "10.77.1.2:9 hello --broadcast -w 10s")
        .expect_code(1);
    assert!(
        end.stderr.contains("refused: nothing listens on "),
        "{}",
        end.stderr
    );
}

#[test]
fn a_missing_neighbour_is_not_reported_as_another_hosts_error() {
    let Some(net) = Net::pair() else { return };
    let end = net.send(0, "10.77.1.99:6000 hello -w 12s").expect_code(3);
    assert!(!end.stderr.contains("says 10.77.1.1"), "{}", end.stderr);
}
