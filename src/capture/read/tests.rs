//! Tests of captures: link layers, byte orders, resolutions, fragments, and damage.
//!
//! Long because each kind of capture is made here byte by byte.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;

/// A sender, a port, a payload, and the time in nanoseconds.
type Found = (String, u16, Vec<u8>, i128);

/// Reads a file: what was found, what was passed over, and the error that ended it.
fn read_all(file: &[u8]) -> (Vec<Found>, SkippedPackets, Option<Error>) {
    read_in_pieces(file, usize::MAX)
}

/// Reads a file of which each call gives at most `most` bytes.
fn read_in_pieces(file: &[u8], most: usize) -> (Vec<Found>, SkippedPackets, Option<Error>) {
    struct Pieces<'a>(&'a [u8], usize);
    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(self.1);
            self.0.read(&mut buffer[..len])
        }
    }
    let mut reader = CaptureReader::new(Pieces(file, most), TextEncoding::default());
    let (mut found, mut left_out) = (Vec::new(), SkippedPackets::default());
    let error = loop {
        match reader.next_datagram() {
            Ok(Some(Recorded {
                time,
                from,
                to_port,
                payload,
            })) => found.push((from.to_string(), to_port, payload.to_vec(), time)),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    left_out.add(&reader.take_left_out());
    (found, left_out, error)
}

/// A UDP datagram in an IPv4 packet, from 10.0.0.1:5000 to port 6000.
fn ipv4(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(5000, 6000);
    builder.write(&mut packet, payload).unwrap();
    packet
}

/// The same in an IPv6 packet, from `::1`.
fn ipv6(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let (from, to) = (Ipv6Addr::LOCALHOST.octets(), Ipv6Addr::LOCALHOST.octets());
    let builder = PacketBuilder::ipv6(from, to, 64).udp(5000, 6000);
    builder.write(&mut packet, payload).unwrap();
    packet
}

/// An Ethernet frame: two addresses of 6 bytes, the type, the packet.
fn frame(kind: u16, packet: &[u8]) -> Vec<u8> {
    [&[2; 12], &kind.to_be_bytes()[..], packet].concat()
}

/// A pcap file with microseconds, little-endian; a packet may be cut after some bytes.
fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    // Magic number, version 2.4, time zone, accuracy, the longest packet, the link type.
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link] {
        file.extend_from_slice(&u32::to_le_bytes(word));
    }
    for (packet, number) in packets.iter().zip(1..) {
        let len = u32::try_from(packet.len()).unwrap();
        // Seconds, microseconds, the bytes in the file, the bytes in the network.
        for word in [number, 250, len, len] {
            file.extend_from_slice(&u32::to_le_bytes(word));
        }
        file.extend_from_slice(packet);
    }
    file
}

/// The payloads of a pcap file that has no error.
fn payloads(link: u32, packets: &[Vec<u8>]) -> (Vec<Vec<u8>>, SkippedPackets) {
    let (found, left_out, error) = read_all(&pcap(link, packets));
    assert!(error.is_none(), "{error:?}");
    (
        found
            .into_iter()
            .map(|(_, _, payload, _)| payload)
            .collect(),
        left_out,
    )
}

#[test]
fn every_link_layer_is_read() {
    let (four, six) = (ipv4(b"four"), ipv6(b"six"));
    let with = |head: &[u8], packet: &[u8]| [head, packet].concat();
    // Linux's cooked captures, in two versions: the type is at the end of the header, or at its beginning.
    let cooked = |kind: u16| [&[0; 14][..], &kind.to_be_bytes()].concat();
    let cooked2 = |kind: u16| [&kind.to_be_bytes()[..], &[0; 18]].concat();
    // A VLAN tag: its number, and the type of what follows (IEEE 802.1Q).
    let tag = |packet: &[u8], kind: u16| [&[0, 5], &kind.to_be_bytes()[..], packet].concat();
    for (link, first, second) in [
        (1, frame(0x0800, &four), frame(0x86dd, &six)),
        (
            1,
            frame(0x8100, &tag(&four, 0x0800)),
            frame(0x88a8, &tag(&tag(&six, 0x86dd), 0x8100)),
        ),
        // Padding after the packet, and 4 bits of frame check sequence in the header of the file.
        (
            0x1000_0001,
            with(&frame(0x0800, &four), &[0xaa; 14]),
            frame(0x86dd, &six),
        ),
        // Raw IP: 101 in most files, 12 and 14 where a program has written its system's own number.
        (101, four.clone(), six.clone()),
        (12, four.clone(), six.clone()),
        (14, four.clone(), six.clone()),
        // Raw IPv4 and raw IPv6.
        (228, four.clone(), four.clone()),
        (229, six.clone(), six.clone()),
        (
            113,
            with(&cooked(0x0800), &four),
            with(&cooked(0x86dd), &six),
        ),
        (
            276,
            with(&cooked2(0x0800), &four),
            with(&cooked2(0x86dd), &six),
        ),
        // BSD loopback has the address family, in the byte order of the machine that recorded it. That of IPv6 is 30
        // on macOS, 24 on NetBSD and OpenBSD, 28 on FreeBSD.
        (0, with(&[2, 0, 0, 0], &four), with(&[30, 0, 0, 0], &six)),
        (0, with(&[0, 0, 0, 2], &four), with(&[0, 0, 0, 24], &six)),
        // OpenBSD's loopback is always big-endian.
        (108, with(&[0, 0, 0, 2], &four), with(&[0, 0, 0, 28], &six)),
    ] {
        let (found, left_out) = payloads(link, &[first, second]);
        let wanted: [&[u8]; 2] = match link {
            228 => [b"four", b"four"],
            229 => [b"six", b"six"],
            _ => [b"four", b"six"],
        };
        assert_eq!(found, wanted, "link type {link}");
        assert_eq!(left_out, SkippedPackets::default(), "link type {link}");
    }
}

#[test]
fn what_is_no_datagram_is_counted_by_its_reason() {
    let mut tcp = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).tcp(1, 2, 3, 4);
    builder.write(&mut tcp, b"x").unwrap();
    let mut long_udp = ipv4(b"abcd");
    // The low byte of UDP's length, behind the 20 bytes of the IPv4 header and both ports.
    long_udp[25] = 200;
    let packets = [
        // ARP.
        frame(0x0806, &[0; 28]),
        frame(0x0800, &tcp),
        frame(0x0800, &long_udp),
        frame(0x0800, &[]),
        frame(0x0800, &ipv4(b"")),
        vec![1, 2, 3],
    ];
    let (found, left_out) = payloads(1, &packets);
    assert_eq!(found, [b""]);
    let wanted = SkippedPackets {
        not_udp: 2,
        damaged: 3,
        ..SkippedPackets::default()
    };
    assert_eq!(left_out, wanted);
    // A packet of which the capture program kept only the beginning.
    let mut file = pcap(101, &[ipv4(b"abcd")]);
    // How many bytes of the packet are in the file: behind the header of the file, and the time.
    file[24 + 8] -= 2;
    file.truncate(file.len() - 2);
    let (found, left_out, error) = read_all(&file);
    assert!(found.is_empty() && error.is_none());
    assert_eq!((left_out.cut, left_out.total()), (1, 1));
}

/// The fragments of an IPv4 packet, `len` bytes each.
fn fragments(packet: &[u8], len: usize, id: u16) -> Vec<Vec<u8>> {
    let (head, body) = packet.split_at(20);
    let count = body.len().div_ceil(len);
    let pieces = body.chunks(len).enumerate();
    pieces
        .map(|(index, piece)| {
            let mut fragment = [head, piece].concat();
            let total = u16::try_from(fragment.len()).unwrap();
            // The flag *more fragments*, above the offset in units of 8 bytes (RFC 791, section 3.1).
            let more = u16::from(index + 1 < count) << 13;
            let place = u16::try_from(index * len / 8).unwrap() | more;
            fragment[2..4].copy_from_slice(&total.to_be_bytes());
            fragment[4..6].copy_from_slice(&id.to_be_bytes());
            fragment[6..8].copy_from_slice(&place.to_be_bytes());
            fragment
        })
        .collect()
}

#[test]
fn fragments_are_put_together_in_any_order_or_counted() {
    let long: Vec<u8> = (0..5000u16).map(|number| number.to_be_bytes()[1]).collect();
    let mut parts = fragments(&ipv4(&long), 1480, 7);
    let (found, left_out) = payloads(101, &parts);
    assert_eq!((found, left_out.total()), (vec![long.clone()], 0));
    parts.reverse();
    parts.push(ipv4(b"between"));
    parts.swap(1, 4);
    let (found, left_out) = payloads(101, &parts);
    assert_eq!(found, [&b"between"[..], &long]);
    assert_eq!(left_out.total(), 0);
    // One is missing; one comes twice.
    parts.remove(0);
    parts.push(parts[2].clone());
    let (found, left_out) = payloads(101, &parts);
    assert_eq!(found, [b"between"]);
    assert_eq!((left_out.fragments, left_out.total()), (4, 4));
    // Overlapping ones are not trusted.
    let mut parts = fragments(&ipv4(&long), 1480, 7);
    parts[1][7] -= 1;
    let (found, left_out) = payloads(101, &parts);
    assert_eq!((found.len(), left_out.fragments), (0, 4));
}

#[test]
fn fragments_of_ipv6_are_put_together() {
    let whole = ipv6(&[9; 2000]);
    let (head, body) = whole.split_at(40);
    let part = |range: std::ops::Range<usize>, more: u16| {
        let piece = &body[range.clone()];
        let mut packet = head.to_vec();
        let len = u16::try_from(piece.len() + 8).unwrap();
        packet[4..6].copy_from_slice(&len.to_be_bytes());
        // A fragment header follows (RFC 8200, section 4.5).
        packet[6] = 44;
        let place = u16::try_from(range.start).unwrap() | more;
        // UDP follows it; the second byte is reserved.
        packet.extend_from_slice(&[17, 0]);
        packet.extend_from_slice(&place.to_be_bytes());
        packet.extend_from_slice(&[1, 2, 3, 4]);
        packet.extend_from_slice(piece);
        packet
    };
    let parts = [part(0..1000, 1), part(1000..body.len(), 0)];
    let (found, left_out) = payloads(101, &parts);
    assert_eq!((found, left_out.total()), (vec![vec![9; 2000]], 0));
}

#[test]
fn fragments_that_never_end_take_bounded_memory() {
    let mut fragments = Fragments::default();
    let (mut dropped, bytes) = (0, vec![0; 32_000]);
    for id in 0..20_000 {
        let key = fragments::DatagramId {
            from: Ipv4Addr::LOCALHOST.into(),
            to: Ipv4Addr::LOCALHOST.into(),
            id,
            interface: 0,
        };
        let fragment = fragments::Fragment {
            offset: 0,
            more: true,
            protocol: 17,
            bytes: &bytes,
            time: i128::from(id),
        };
        let (whole, gone) = fragments.add(key, &fragment);
        assert!(whole.is_none());
        dropped += gone;
    }
    assert!(dropped > 19_000, "{dropped}");
    assert_eq!(dropped + fragments.clear(), 20_000);
}

#[test]
fn both_byte_orders_and_both_resolutions_of_pcap_are_read() {
    let packet = ipv4(b"x");
    let len = u32::try_from(packet.len()).unwrap();
    for (magic, part, nanos) in [
        // Microseconds.
        (0xa1b2_c3d4_u32, 250_000_u32, 250_000_000),
        // Nanoseconds.
        (0xa1b2_3c4d, 123_456_789, 123_456_789),
    ] {
        let words = [magic, 0x0002_0004, 0, 0, 65_535, 101, 10, part, len, len];
        let big: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let little: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        for head in [big, little] {
            let (found, _, error) = read_all(&[&head[..], &packet].concat());
            assert!(error.is_none(), "{error:?}");
            let wanted = ("10.0.0.1:5000".to_owned(), 6000, b"x".to_vec());
            let time = 10_000_000_000 + nanos;
            assert_eq!(found, [(wanted.0, wanted.1, wanted.2, time)]);
        }
    }
}

/// A pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    // A block is filled up to 32 bits, and has its length at both ends.
    body.resize(body.len().next_multiple_of(4), 0);
    let len = u32::try_from(body.len() + 12).unwrap().to_be_bytes();
    [&kind.to_be_bytes()[..], &len, &body, &len].concat()
}

/// The beginning of a section: the magic number that tells the byte order, version 1.0, and an unknown length.
fn section() -> Vec<u8> {
    block(
        0x0a0d_0d0a,
        &[&[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0][..], &[0xff; 8]].concat(),
    )
}

/// An interface with its link type.
fn interface_block(link: u16, options: &[u8]) -> Vec<u8> {
    block(1, &[&link.to_be_bytes()[..], &[0; 6], options].concat())
}

/// A packet of an interface, with its time in the interface's unit.
fn enhanced(interface: u32, time: u64, packet: &[u8]) -> Vec<u8> {
    let len = u32::try_from(packet.len()).unwrap().to_be_bytes();
    let head = [
        &interface.to_be_bytes()[..],
        &time.to_be_bytes(),
        &len,
        &len,
    ]
    .concat();
    block(6, &[&head[..], packet].concat())
}

#[test]
fn interfaces_of_pcapng_have_their_own_link_types_and_units_of_time() {
    // Option 9 is the unit of time, as a power of 10, or of 2 with the highest bit set. Option 14 is an offset in
    // seconds.
    let millis = [0, 9, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0];
    let halves = [0, 9, 0, 1, 0x81, 0, 0, 0];
    let offset = [0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5];
    let nanos = [0, 9, 0, 1, 9, 0, 0, 0];
    let packet = ipv4(b"x");
    let simple_len = u32::try_from(packet.len()).unwrap().to_be_bytes();
    let file = [
        section(),
        interface_block(101, &millis),
        interface_block(1, &[]),
        interface_block(101, &[&halves[..], &offset].concat()),
        interface_block(101, &nanos),
        // 802.11, which udpcli does not read.
        interface_block(105, &[]),
        enhanced(0, 1500, &packet),
        // A block of another program.
        block(0x0bad, b"comment"),
        enhanced(1, 1_600_000, &frame(0x0800, &packet)),
        enhanced(2, 3, &packet),
        enhanced(3, 1_700_000_000, &packet),
        // A simple packet has no time of its own.
        block(3, &[&simple_len[..], &packet].concat()),
        enhanced(4, 0, &packet),
        // There is no such interface.
        enhanced(9, 0, &packet),
        section(),
        interface_block(101, &nanos),
        enhanced(0, 1_800_000_000, &packet),
    ]
    .concat();
    let (found, left_out, error) = read_all(&file);
    assert!(error.is_none(), "{error:?}");
    let millis: Vec<i128> = found.iter().map(|(.., time)| time / 1_000_000).collect();
    assert_eq!(millis, [1500, 1600, 6500, 1700, 1700, 1800]);
    assert_eq!((left_out.unknown_link, left_out.total()), (2, 2));
}

#[test]
fn lengths_that_lie_are_errors_with_the_number_of_the_packet() {
    let file = pcap(101, &[ipv4(b"one"), ipv4(b"two")]);
    let told = |file: &[u8]| {
        let (found, _, error) = read_all(file);
        let Some(Error::Wrong(problem)) = error else {
            panic!("{error:?}");
        };
        (found.len(), problem.to_string())
    };
    // Behind the header of the file and the first packet with its header.
    let second = 24 + 16 + ipv4(b"one").len();
    let mut lying = file.clone();
    lying[second + 8..second + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let wanted = "replay.too-long-record number=2 len=4294967295";
    assert_eq!(told(&lying), (1, wanted.to_owned()));
    lying[second + 8..second + 12].copy_from_slice(&60_000_u32.to_le_bytes());
    assert_eq!(told(&lying), (1, "replay.short number=2".to_owned()));
    assert_eq!(
        told(&file[..second + 5]),
        (1, "replay.short number=2".to_owned())
    );
    assert_eq!(told(&file[..20]).1, "replay.short-header");
    assert_eq!(told(&pcap(105, &[])).1, "replay.link-type link=105");
    // How a compressed file begins (RFC 1952, section 2.3).
    assert_eq!(told(b"\x1f\x8b\x08\0").1, "replay.gzip");
    assert_eq!(told(b"hello").1, "replay.no-capture");
    assert_eq!(told(b"ab").1, "replay.no-capture");

    let good = [
        section(),
        interface_block(101, &[]),
        enhanced(0, 0, &ipv4(b"x")),
    ]
    .concat();
    // Lengths of blocks: beyond any limit, no multiple of four, shorter than a block, and another one at the end.
    for (at, byte) in [(4, 0xff), (7, 9), (7, 8), (good.len() - 1, 0)] {
        let mut bad = good.clone();
        bad[at] = byte;
        let problem = told(&bad).1;
        assert!(problem.starts_with("replay."), "{at}: {problem}");
    }
    // The packet is longer than its block.
    let place = good.len() - 4 - ipv4(b"x").len().next_multiple_of(4) - 8;
    let mut bad = good;
    bad[place + 2] = 1;
    assert_eq!(told(&bad).1, "replay.damaged-block number=1");
}

#[test]
fn json_lines_are_read_as_listen_writes_them() {
    let line = |rest: &str| {
        format!(
            r#"{{"time":"2026-11-28T00:00:01.500000Z","from":"[fe80::1%2]:5000","to":"0.0.0.0:6000",{rest}}}"#
        )
    };
    let file = [
        line(r#""len":6,"text":"你\u001b\r\n","seq":5"#),
        String::new(),
        line(r#""len":2,"base64":"/wA=""#),
        line(r#""len":2,"text":"ab","truncated":true"#),
    ]
    .join("\r\n");
    let (found, left_out, error) = read_all(file.as_bytes());
    assert!(error.is_none(), "{error:?}");
    let payloads: Vec<&[u8]> = found.iter().map(|found| &found.2[..]).collect();
    assert_eq!(payloads, ["你\x1b\r\n".as_bytes(), b"\xff\x00"]);
    assert_eq!(found[0].3, 1_795_824_001_500_000_000);
    assert_eq!((left_out.cut, left_out.total()), (1, 1));
    for (rest, wanted) in [
        (line(r#""len":3,"text":"ab""#), "(replay.other-encoding)"),
        (line(r#""len":2"#), "key=text"),
        (line(r#""base64":"?!""#), "key=base64"),
        ("{}".to_owned(), "key=time"),
        ("{".to_owned(), "(replay.no-json)"),
        (format!("{{{}", " ".repeat(2 << 20)), "(replay.long-line)"),
    ] {
        let (_, _, error) = read_all(format!("\n{rest}").as_bytes());
        let error = error.unwrap().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
        assert!(error.contains("number=2"), "{error}");
    }
}

#[test]
fn an_empty_capture_has_no_datagrams() {
    assert!(read_all(b"").2.is_none());
    assert!(read_all(&pcap(1, &[])).2.is_none());
}

proptest! {
    #[test]
    fn damage_anywhere_is_no_panic_and_reading_in_pieces_changes_nothing(
        at in 0usize..400, byte: u8, cut in 0usize..400, most in 1usize..50,
    ) {
        let parts = fragments(&ipv4(&[7; 60]), 24, 3);
        let six = ipv6(b"six");
        let of_pcap = pcap(101, &[parts.clone(), vec![six.clone()]].concat());
        let of_pcapng = [
            section(),
            interface_block(101, &[0, 9, 0, 1, 9, 0, 0, 0]),
            enhanced(0, 5, &six),
            enhanced(0, 6, &parts[0]),
        ].concat();
        for mut file in [of_pcap, of_pcapng] {
            if let Some(there) = file.get_mut(at) {
                *there = byte;
            }
            file.truncate(file.len().saturating_sub(cut / 4));
            let whole = format!("{:?}", read_all(&file));
            prop_assert_eq!(whole, format!("{:?}", read_in_pieces(&file, most)));
        }
    }

    #[test]
    fn any_bytes_after_a_header_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), link in 0u32..280) {
        read_all(&bytes);
        read_all(&[&pcap(link, &[])[..], &bytes].concat());
        read_all(&pcap(link, std::slice::from_ref(&bytes)));
        read_all(&[&section()[..], &bytes].concat());
    }
}
