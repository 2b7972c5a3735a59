//! `send --replay` with captures of tcpdump, tcpreplay and tcprewrite. tcpdump records what udpcli sends, and tshark
//! compares both captures.

use super::*;

/// Twelve datagrams of two senders to ports 6000 and 7000, and two packets of other protocols, as tcpdump writes them.
const TRAFFIC: &str = r"
import socket, struct
def frame(kind, body):
    return bytes.fromhex('020000000002 020000000001') + struct.pack('>H', kind) + body
def ip(proto, body, source):
    head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0)
    head += socket.inet_aton(source) + socket.inet_aton('10.0.0.9')
    total = sum(struct.unpack('>10H', head))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack('>H', 0xffff - (total & 0xffff) - (total >> 16)) + head[12:] + body
def udp(payload, port):
    return struct.pack('>HHHH', 5000, port, 8 + len(payload), 0) + payload
packets = [(i * 20_000, frame(0x0800, ip(17, udp(b'number %d\n' % i * (1 + i * 9), 6000 + i % 2 * 1000), '10.0.0.%d' % (1 + i % 3))))
    for i in range(12)]
packets.insert(3, (45_000, frame(0x0800, ip(6, bytes(20), '10.0.0.1'))))
packets.insert(7, (110_000, frame(0x0806, bytes(28))))
with open('traffic.pcap', 'wb') as file:
    file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
    for time, packet in packets:
        file.write(struct.pack('<IIII', 10**6, time, len(packet), len(packet)) + packet)
";

/// The destination ports and the payloads of a capture's datagrams, as tshark reads them. `filter` chooses among them.
#[track_caller]
fn datagrams(path: &str, filter: &str) -> Vec<(u16, String)> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-r", path, "-Y", filter, "-T", "fields"]);
    tshark.args(["-e", "udp.dstport", "-e", "udp.payload"]);
    let text = run_with_input(tshark, b"").expect_code(0).text();
    let fields = text.lines().map(|line| line.split_once('\t').unwrap());
    fields
        .map(|(port, payload)| (port.parse().unwrap(), payload.to_owned()))
        .collect()
}

/// tcpdump on an interface of namespace `at`, once it records. It ends by itself after `count` packets.
#[track_caller]
fn tcpdump(net: &Net, at: usize, args: [&str; 2], count: usize, path: &str) -> Running {
    let count = count.to_string();
    let mut command = Command::new("tcpdump");
    let [interface, filter] = args;
    command.args(["-U", "-Z", "root", "-i", interface, "-c", &count]);
    command.args(["-w", path, filter]);
    let mut running = Running::spawn(net.within(at, &command).stdin(Stdio::null()));
    running.stderr_line_with("listening on ");
    running
}

#[test]
fn captures_of_tcpdump_tcpreplay_and_tcprewrite_are_sent_as_tshark_reads_them() {
    let Some(net) = Net::pair() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut python = Command::new("python3");
    python.args(["-c", TRAFFIC]).current_dir(folder.path());
    run_with_input(python, b"").expect_code(0);
    let traffic = at("traffic.pcap");
    let payloads_to = |all: &[(u16, String)], port: u16| -> Vec<String> {
        let to = all.iter().filter(|(to, _)| *to == port);
        to.map(|(_, payload)| payload.clone()).collect()
    };

    // tcpreplay puts the frames onto a link, and tcpdump records them at its other end.
    let replayed = at("replayed.pcap");
    let dump = tcpdump(
        &net,
        1,
        ["vb", "ether src 02:00:00:00:00:01"],
        14,
        &replayed,
    );
    net.run(0, "tcpreplay", &["-q", "-t", "-i", "va", &traffic]);
    dump.finish().expect_code(0);

    // tcprewrite changes addresses and ports, and adds a VLAN tag.
    let rewritten = at("rewritten.pcap");
    let mut rewrite = Command::new("tcprewrite");
    rewrite.args([
        "--dstipmap=10.0.0.9/32:192.168.7.9/32",
        "--portmap=7000:8000",
    ]);
    rewrite.args(["--enet-vlan=add", "--enet-vlan-tag=5", "--enet-vlan-cfi=0"]);
    rewrite.args(["--enet-vlan-pri=1", "--fixcsum"]);
    rewrite.args([
        format!("--infile={traffic}"),
        format!("--outfile={rewritten}"),
    ]);
    run_with_input(rewrite, b"").expect_code(0);

    // tcpdump on all interfaces writes a Linux cooked capture. udpcli can replay that capture, too.
    let any = at("any.pcap");
    let receiver = net.peer(1, '4', &[]);
    let filter = format!("udp dst port {}", receiver.port);
    let dump = tcpdump(&net, 1, ["any", &filter], 12, &any);
    let to = format!("10.77.1.2:{}", receiver.port);
    net.send(0, &format!("{to} --replay {traffic}"))
        .expect_code(0);
    dump.finish().expect_code(0);
    let link_type = fs::read(&any).unwrap()[20];
    assert!([113, 20].contains(&link_type), "{link_type}");

    let sent = at("sent.pcap");
    let receivers = [(); 3].map(|()| net.peer(0, '4', &[]));
    let dump = tcpdump(&net, 0, ["lo", "udp"], 12 + 6 + 12, &sent);
    for (receiver, replay) in receivers.iter().zip([
        format!("{replayed} --speed max"),
        format!("{rewritten} --speed 10 --to-port 8000"),
        any,
    ]) {
        let to = format!("127.0.0.1:{}", receiver.port);
        net.send(0, &format!("{to} --replay {replay}"))
            .expect_code(0);
    }
    dump.finish().expect_code(0);
    let sent = datagrams(&sent, "udp");
    let original: Vec<String> = datagrams(&traffic, "udp")
        .into_iter()
        .map(|(_, payload)| payload)
        .collect();
    let to_8000 = payloads_to(&datagrams(&rewritten, "vlan.id == 5 && udp"), 8000);
    assert_eq!((original.len(), to_8000.len()), (12, 6));
    let [first, second, third] = receivers.map(|receiver| payloads_to(&sent, receiver.port));
    assert_eq!(first, original, "of tcpreplay");
    assert_eq!(second, to_8000, "of tcprewrite");
    assert_eq!(third, original, "of tcpdump");
}
