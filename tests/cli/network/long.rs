//! Datagrams longer than the MTU, and hops that are too few.

use super::*;

#[test]
fn long_datagrams_cross_a_link_in_fragments() {
    let Some(net) = Net::pair() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    for len in [1472, 1473, 8192, 65_507] {
        let payload = pattern(len);
        fs::write(file.path(), &payload).unwrap();
        for (sends, listens) in [
            ("", ""),
            (" --no-batching", ""),
            ("", " --no-batching"),
            (" --no-batching", " --no-batching"),
        ] {
            for (from, to) in [(0, "10.77.1.2"), (1, "10.77.1.1"), (0, "[fd77:1::2]")] {
                let bind = if to.starts_with('[') { "::" } else { "0.0.0.0" };
                let listener = net.listen(
                    1 - from,
                    &format!("--bind {bind} --format raw -n 1{listens}"),
                );
                let end = net
                    .send(
                        from,
                        &format!(
                            "{to}:{} --file {}{sends}",
                            listener.port(),
                            file.path().display()
                        ),
                    )
                    .expect_code(0);
                assert_eq!(
                    listener.running.finish().expect_code(0).stdout,
                    payload,
                    "{len} bytes to {to}"
                );
                let headers = if to.starts_with('[') { 48 } else { 28 };
                assert_eq!(
                    end.stderr.contains("will be fragmented"),
                    len + headers > 1500,
                    "{len} bytes to {to}: {}",
                    end.stderr
                );
            }
        }
    }
}

#[test]
fn long_datagrams_of_another_program_come_whole_and_long_echoes_go_back() {
    let Some(net) = Net::pair() else { return };
    for flag in ["", " --no-batching"] {
        let mut listener = net.listen(1, &format!("--echo --format json --encoding utf-8{flag}"));
        let mut peer = net.peer(0, '4', &[]);
        for len in [8192, 65_507] {
            peer.send("10.77.1.2", listener.port(), &pattern(len));
            assert_eq!(next_json(&mut listener)["len"], len);
            assert!(peer.receive().payload == pattern(len), "{len} bytes{flag}");
        }
    }
}

#[test]
fn a_narrow_link_further_on_is_learned_of() {
    let Some(net) = Net::routed() else { return };
    for (bind, to) in [("0.0.0.0", "10.77.2.2"), ("::", "[fd77:2::2]")] {
        let first = net.send(0, &format!("{to}:9 --size 1200 -w 5s"));
        assert!(
            first.stderr.contains("refused"),
            "the way is there: {}",
            first.stderr
        );
        for sends in [
            "-n 20 -i 20ms",
            "-n 20 -i 20ms --no-batching",
            "-n 20 -i 20ms -w 100ms",
            "-n 2000 --rate 10k",
        ] {
            net.ip(
                0,
                if bind == "::" {
                    "-6 route flush cache"
                } else {
                    "route flush cache"
                },
            );
            let mut listener = net.listen(
                2,
                &format!("--bind {bind} --format json --seq --timeout 20s"),
            );
            let args = format!("{to}:{} --size 1400 {sends}", listener.port());
            let end = net.send(0, &args);
            if end.code != Some(i32::from(sends.contains("-w"))) {
                let heard = listener.running.interrupt();
                panic!("{args}: {} listener: {heard:?}", end.stderr);
            }
            let total: u64 = sends.split(' ').nth(1).unwrap().parse().unwrap();
            let mut got = Vec::new();
            while got.last() != Some(&(total - 1)) {
                got.push(next_json(&mut listener)["seq"].as_u64().unwrap());
            }
            let first = got[0];
            assert!(
                first <= if total > 20 { 1000 } else { 3 },
                "{args}: the first to arrive is {first}"
            );
            assert!(got.iter().copied().eq(first..total), "{args}: {got:?}");
        }
    }
}

#[test]
fn a_ttl_too_short_is_reported_by_the_router() {
    let Some(net) = Net::routed() else { return };
    let mut listener = net.listen(2, "--format json");
    let end = net
        .send(
            0,
            &format!("10.77.2.2:{} far --ttl 1 -w 5s", listener.port()),
        )
        .expect_code(3);
    assert!(end.stderr.contains("10.77.1.2"), "{}", end.stderr);
    net.send(0, &format!("10.77.2.2:{} near --ttl 2", listener.port()))
        .expect_code(0);
    assert_eq!(next_text(&mut listener), "near");
}
