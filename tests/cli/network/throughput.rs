//! Many datagrams at full speed: order, boundaries, content, and what the kernel drops.

use super::*;

#[test]
fn as_fast_as_possible_keeps_order_boundaries_and_content() {
    let Some(net) = Net::pair() else { return };
    for (sends, listens) in [
        ("--rate max", ""),
        ("--rate 20k", " --no-batching"),
        ("--rate 20k --no-batching", ""),
        ("--rate 20k --no-batching", " --no-batching"),
    ] {
        let count = if sends == "--rate max" { 20_000 } else { 8_000 };
        // A first datagram fills the neighbour table, so that the test's datagrams need not wait for ARP.
        let listener = net.listen(
            1,
            &format!(
                "--format raw --separator \\n --recv-buffer 4M -n {} --timeout 5s{listens}",
                count + 1
            ),
        );
        net.send(
            0,
            &format!("10.77.1.2:{} {}", listener.port(), "w".repeat(64)),
        )
        .expect_code(0);
        let end = net
            .send(
                0,
                &format!("10.77.1.2:{} --size 64 -n {count} {sends}", listener.port()),
            )
            .expect_code(0);
        assert!(
            end.stderr.contains(&format!(
                "{count} datagrams, {} bytes, 0 errors",
                count * 64
            )),
            "{}",
            end.stderr
        );
        let got = listener.running.finish();
        assert_eq!(got.code, Some(0), "{sends}{listens}: {}", got.stderr);
        let mut expected = 0u64;
        for record in got.stdout.chunks(65).skip(1) {
            assert_eq!(
                record[..8],
                expected.to_be_bytes(),
                "datagram {expected}: {sends}{listens}"
            );
            assert!(
                record[16..64].iter().all(u8::is_ascii_graphic),
                "filler of {expected}: {:?}",
                &record[16..]
            );
            assert!(
                record.get(64).is_none_or(|&byte| byte == b'\n'),
                "boundary after {expected}"
            );
            expected += 1;
        }
        assert_eq!(expected, count, "{sends}{listens}: {}", got.stderr);
    }
}

#[test]
fn bundles_about_as_long_as_the_mtu_keep_order_boundaries_and_content() {
    let Some(net) = Net::pair() else { return };
    for (bind, to, longest) in [("0.0.0.0", "10.77.1.2", 1472), ("::", "[fd77:1::2]", 1452)] {
        for len in [longest, longest + 1, 3000] {
            let listener = net.listen(
                1,
                &format!("--bind {bind} --format raw --recv-buffer 4M -n 301 --timeout 5s"),
            );
            // A first datagram fills the neighbour table, so that the test's datagrams need not wait for ARP.
            net.send(0, &format!("{to}:{} {}", listener.port(), "w".repeat(8)))
                .expect_code(0);
            let end = net
                .send(
                    0,
                    &format!("{to}:{} --size {len} -n 300 --rate 20k", listener.port()),
                )
                .expect_code(0);
            let got = listener.running.finish();
            assert_eq!(
                got.code,
                Some(0),
                "{len} bytes to {to}: {} {}",
                end.stderr,
                got.stderr
            );
            let records: Vec<&[u8]> = got.stdout[8..].chunks(len).collect();
            assert_eq!(records.len(), 300, "{len} bytes to {to}");
            for (number, record) in (0u64..).zip(records) {
                assert_eq!(record[..8], number.to_be_bytes(), "{len} bytes to {to}");
                assert!(
                    record[16..].iter().all(u8::is_ascii_graphic),
                    "{len} bytes to {to}"
                );
            }
        }
    }
}

/// How many datagrams the kernel has dropped at the UDP sockets of that process's namespace.
fn drops(process: u32) -> u64 {
    let table = fs::read_to_string(format!("/proc/{process}/net/udp")).expect("the process lives");
    table
        .lines()
        .skip(1)
        .filter_map(|row| row.split_whitespace().last()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn what_does_not_fit_the_receive_buffer_is_counted_as_lost_and_dropped() {
    let Some(net) = Net::pair() else { return };
    for flag in ["", " --no-batching"] {
        let mut listener = net.listen(1, &format!("--format json --seq --recv-buffer 64k{flag}"));
        let sender = Running::spawn(&mut net.udpcli(
            0,
            &format!(
                "send 10.77.1.2:{} --size 1000 --duration 1h --rate 2k{flag}",
                listener.port()
            ),
        ));
        assert_eq!(next_json(&mut listener)["seq"], 0);
        listener.running.signal("STOP");
        eventually("a drop", || drops(listener.running.id()) > 0);
        listener.running.signal("CONT");
        while next_json(&mut listener)["lost"]
            .as_u64()
            .is_none_or(|lost| lost == 0)
        {}
        sender.interrupt().expect_code(130);
        let end = listener.running.interrupt().expect_code(0);
        let text = end.text();
        let newest: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let newest = newest["seq"].as_u64().unwrap();
        let (came, lost) = (
            number_before(&end.stderr, "datagrams,"),
            number_before(&end.stderr, "lost,"),
        );
        assert_eq!(came + lost, newest + 1, "{}", end.stderr);
        // With GRO the kernel counts a dropped buffer of many datagrams as one, so the count is an estimate.
        let dropped = number_before(&end.stderr, "dropped");
        assert!(
            if flag.is_empty() {
                dropped > 0
            } else {
                dropped >= lost
            },
            "{}",
            end.stderr
        );
    }
}

/// Lines of many lengths: runs of equal length, a shorter line after a run, and empty lines.
fn mixed_lines() -> Vec<u8> {
    let mut lines = Vec::new();
    for round in 0..120usize {
        let long = 1 + (round * 97) % 1400;
        for _ in 0..=(round % 23) {
            lines.push(long);
        }
        lines.extend([long / 2, (round * 13) % 60, 0, 1, 1471]);
    }
    let mut bytes = Vec::new();
    for (index, &len) in lines.iter().enumerate() {
        let name = format!("{index:05} ");
        bytes.extend(name.bytes().cycle().take(len));
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn datagrams_of_mixed_sizes_keep_order_boundaries_and_content() {
    let Some(net) = Net::pair() else { return };
    let lines = mixed_lines();
    let count = lines.split_inclusive(|&byte| byte == b'\n').count();
    for (sends, listens) in [
        ("--rate max", ""),
        ("--rate 20k", " --no-batching"),
        ("--rate 10k --no-batching", ""),
    ] {
        // At the maximum rate, do not send more datagrams than fit in the device's backlog.
        let lines = if sends == "--rate max" {
            lines
                .split_inclusive(|&byte| byte == b'\n')
                .take(600)
                .collect::<Vec<_>>()
                .concat()
        } else {
            lines.clone()
        };
        let count = if sends == "--rate max" { 600 } else { count };
        let listener = net.listen(
            1,
            &format!(
                "--format raw --separator \\n --recv-buffer 4M -n {} --timeout 5s{listens}",
                count + 1
            ),
        );
        net.send(0, &format!("10.77.1.2:{} first", listener.port()))
            .expect_code(0);
        let end = run_with_input(
            net.udpcli(
                0,
                &format!("send 10.77.1.2:{} --lines {sends}", listener.port()),
            ),
            &lines,
        )
        .expect_code(0);
        let got = listener.running.finish();
        assert_eq!(
            got.code,
            Some(0),
            "{sends}{listens}: {} {}",
            got.stderr,
            end.stderr
        );
        let want = [b"first\n", lines.strip_suffix(b"\n").unwrap()].concat();
        let got = got.stdout.strip_suffix(b"\n").unwrap_or(&got.stdout);
        assert!(
            got == want.strip_suffix(b"\n").unwrap_or(&want),
            "{sends}{listens}: content differs"
        );
    }
}

#[test]
fn what_another_program_lets_the_kernel_segment_comes_as_datagrams() {
    let Some(net) = Net::pair() else { return };
    for flag in ["", " --no-batching"] {
        let mut listener = net.listen(1, &format!("--format json{flag}"));
        let mut peer = net.peer(0, '4', &[]);
        let payload: Vec<u8> = pattern(1050).iter().map(|byte| b'a' + byte % 26).collect();
        peer.tell(&format!(
            "segments 10.77.1.2 {} 100 {}",
            listener.port(),
            hex(&payload)
        ));
        peer.send("10.77.1.2", listener.port(), b"");
        peer.send("10.77.1.2", listener.port(), b"end");
        let mut got: Vec<String> = Vec::new();
        while got.last().is_none_or(|last| last != "end") {
            got.push(next_text(&mut listener));
        }
        let lens: Vec<usize> = got.iter().map(String::len).collect();
        assert_eq!(
            lens,
            [100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 50, 0, 3]
        );
        assert_eq!(got[..11].concat().as_bytes(), payload);
    }
}

#[test]
fn many_senders_at_once_are_told_apart() {
    const EACH: u64 = 1500;
    const SENDERS: u64 = 5;
    let Some(net) = Net::pair() else { return };
    let listener = net.listen(
        1,
        &format!(
            "--format json --seq --recv-buffer 4M -n {} --timeout 10s",
            EACH * SENDERS
        ),
    );
    let senders: Vec<Running> = (0..SENDERS)
        .map(|index| {
            Running::spawn(&mut net.udpcli(
                0,
                &format!(
                    "send 10.77.1.2:{} --size {} -n {EACH} --rate 3k",
                    listener.port(),
                    40 + index * 100
                ),
            ))
        })
        .collect();
    for sender in senders {
        sender.finish().expect_code(0);
    }
    let end = listener.running.finish().expect_code(0);
    let mut peers: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for line in end.text().lines() {
        let datagram: Value = serde_json::from_str(line).unwrap();
        let len = datagram["len"].as_u64().unwrap();
        let (number, first_len) = peers
            .entry(datagram["from"].as_str().unwrap().to_owned())
            .or_insert((0, len));
        assert_eq!(
            (datagram["seq"].as_u64(), len),
            (Some(*number), *first_len),
            "{line}"
        );
        *number += 1;
    }
    assert_eq!(peers.len() as u64, SENDERS);
    assert!(peers.values().all(|&(count, _)| count == EACH), "{peers:?}");
    assert!(
        end.stderr.contains("5 peers") && end.stderr.contains(" 0 lost, 0 duplicate, 0 reordered"),
        "{}",
        end.stderr
    );
}
