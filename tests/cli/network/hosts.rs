//! Hosts that refuse late, that have two families, and own datagrams that come back.

use super::*;

/// A Python program that simulates a host behind a TUN device. It answers every UDP datagram over IPv4 with an ICMP
/// port unreachable after 5 ms.
const LATE_REFUSER: &str = r#"
import fcntl, os, struct, subprocess, sys, time
device = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(device, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF: IFF_TUN | IFF_NO_PI
subprocess.run(["ip", "addr", "add", "10.8.8.1/24", "dev", "tun0"], check=True)
subprocess.run(["ip", "link", "set", "tun0", "up"], check=True)
print("ready", flush=True)
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)
while True:
    packet = os.read(device, 65536)
    if packet[0] >> 4 != 4 or packet[9] != 17:
        continue
    time.sleep(0.005)
    quoted = packet[:548]
    quoted += bytes(len(quoted) % 2)
    icmp = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
    icmp = icmp[:2] + checksum(icmp) + icmp[4:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 1, 0, 64, 1, 0) + packet[16:20] + packet[12:16]
    header = header[:10] + checksum(header) + header[12:]
    os.write(device, header + icmp)
"#;

#[test]
fn a_refusal_that_takes_its_time_is_heard() {
    let Some(net) = Net::empty(1) else { return };
    // Containers often do not have the TUN device, or are not allowed to open it.
    let device = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun");
    if let Err(error) = device {
        assert!(
            std::env::var_os("CI").is_none_or(|value| value != "true")
                || !fs::exists("/dev/net/tun").unwrap_or(false),
            "no TUN device in CI: {error}"
        );
        skipped(format!("no TUN device here: {error}"));
        return;
    }
    let mut python = Command::new("python3");
    python.args(["-S", "-c", LATE_REFUSER]);
    let mut host = Running::spawn(net.within(0, &python).stdin(Stdio::null()));
    assert_eq!(host.stdout_line(), "ready\n");
    for args in ["", " --no-batching", " -n 3 -i 50ms", " -w 5s"] {
        let end = net
            .send(0, &format!("10.8.8.2:6000 hello{args}"))
            .expect_code(1);
        assert!(
            end.stderr
                .contains("refused: nothing listens on 10.8.8.2:6000")
                && !end.stderr.contains(", 0 refused"),
            "{args}: {}",
            end.stderr
        );
    }
}

/// Runs a command with this file as /etc/hosts. Each line maps names to one address, and the resolver keeps their
/// order.
fn within_hosts(net: &Net, hosts: &tempfile::NamedTempFile, inner: &Command) -> Command {
    let mut command = Command::new("unshare");
    command
        .args([
            "-m",
            "sh",
            "-c",
            r#"mount --bind "$0" /etc/hosts && exec "$@""#,
        ])
        .arg(hosts.path())
        .arg(inner.get_program())
        .args(inner.get_args());
    let mut command = net.within(0, &command);
    command.env_remove("UDPCLI_LOG").stdin(Stdio::null());
    command
}

#[test]
fn a_name_with_both_families_meets_the_listener_whichever_it_has() {
    let Some(net) = Net::empty(1) else { return };
    let mut hosts = tempfile::NamedTempFile::new().unwrap();
    hosts
        .write_all(b"::1 localhost both\n127.0.0.1 localhost both\n127.0.0.9 both\n")
        .unwrap();
    for (listen, send, found) in [
        // The default listener, on the IPv4 wildcard address.
        ("", "localhost", ""),
        ("", "both", ""),
        ("", "both -w 5s", ""),
        // If the first address refuses, the datagrams go to the next one.
        (" --bind ::1", "localhost", "trying [::1]:"),
        (" --bind 127.0.0.9", "both", "trying 127.0.0.9:"),
        (" --bind ::1", "both -w 5s", "trying [::1]:"),
        (" --bind ::1", "localhost --no-batching", "trying [::1]:"),
        (" --bind ::1", "localhost -6", ""),
        (" --bind ::1", "localhost --bind ::1", ""),
    ] {
        let echo = if send.contains("-w") { " --echo" } else { "" };
        let mut listener = net.listen(0, &format!("--format json -n 3{echo}{listen}"));
        let (host, flags) = send.split_once(' ').unwrap_or((send, ""));
        let args = format!(
            "send {host}:{} one two three {flags}",
            listener.address.port()
        );
        let inner = udpcli(args.trim_end().split(' '));
        let end = run_with_input(within_hosts(&net, &hosts, &inner), b"").expect_code(0);
        for payload in ["one", "two", "three"] {
            assert_eq!(next_text(&mut listener), payload, "{listen}{send}");
        }
        listener.running.finish().expect_code(0);
        assert!(
            end.stderr.contains(found) && (!found.is_empty() || !end.stderr.contains("trying")),
            "{listen}, {send}: {}",
            end.stderr
        );
        assert!(
            end.stderr
                .contains("3 datagrams, 11 bytes, 0 errors, 0 refused"),
            "{listen}, {send}: {}",
            end.stderr
        );
    }
    // All addresses refuse.
    let inner = udpcli(["send", "both:9", "x"]);
    let end = run_with_input(within_hosts(&net, &hosts, &inner), b"").expect_code(1);
    assert!(
        end.stderr
            .contains("error: refused: nothing listens on [::1]:9"),
        "{}",
        end.stderr
    );
    // Each line of a pipe must be received exactly once, although the first address refused it.
    let mut listener = net.listen(0, "--format json -n 2 --bind ::1");
    let inner = udpcli(["send", &format!("both:{}", listener.address.port())]);
    run_with_input(
        {
            let mut command = within_hosts(&net, &hosts, &inner);
            command.stdin(Stdio::piped());
            command
        },
        b"a\nb\n",
    )
    .expect_code(0);
    for payload in ["a", "b"] {
        assert_eq!(next_text(&mut listener), payload);
    }
}

#[test]
fn an_own_datagram_that_comes_back_is_no_reply() {
    let Some(net) = Net::pair() else { return };
    // Use the port of a socket that stays open, so that it is not taken meanwhile.
    let mut peer = net.peer(1, '4', &[]);
    let port = peer.port;
    let group = format!("239.77.0.5:{port} who --multicast-if va");
    for args in [
        format!("10.77.1.255:{port} who --bind 0.0.0.0:{port}"),
        format!("10.77.1.1:{port} who --bind 10.77.1.1:{port}"),
        format!("127.0.0.1:{port} who --bind 127.0.0.1:{port}"),
        format!("[::1]:{port} who --bind [::1]:{port}"),
        format!("[fd77:1::1]:{port} who --bind [fd77:1::1]:{port}"),
        format!("127.0.0.1:{port} who --bind 0.0.0.0:{port}"),
        format!("{group} --bind 0.0.0.0:{port}"),
    ] {
        for way in ["", " --no-batching"] {
            let end = net
                .send(0, &format!("{args} --replies 1 -w 300ms{way}"))
                .expect_code(1);
            assert_eq!(end.text(), "", "{args}{way}");
            assert!(
                end.stderr.contains(", 0 replies") && end.stderr.contains("error: no reply from"),
                "{args}{way}: {}",
                end.stderr
            );
        }
    }
    // A reply from another host with the same port counts.
    for to in [format!("10.77.1.255:{port} who"), group] {
        let mut sender = Running::spawn(&mut net.udpcli(
            0,
            &format!("-v send {to} --bind 0.0.0.0:{port} --replies 1 -w 30s --format raw"),
        ));
        sender.stderr_line_with("sendto ");
        peer.send("10.77.1.1", port, b"me");
        assert_eq!(sender.finish().expect_code(0).text(), "me");
    }
}

/// Beside its own port 6000, a namespace has nobody who sends anything there.
#[test]
fn silence_on_the_tutorials_port_is_explained_however_the_user_ends_it() {
    let Some(net) = Net::empty(1) else { return };
    let why = [
        "nothing arrived: check the address in the sender's program",
        "udpcli listen --port 5005",
    ];
    let end = run_with_input(net.udpcli(0, "listen --duration 100ms"), b"").expect_code(0);
    assert!(
        why.iter().all(|why| end.stderr.contains(why)),
        "{}",
        end.stderr
    );
    let mut listener = Running::spawn(&mut net.udpcli(0, "listen"));
    listener.stderr_line_with("listening on 0.0.0.0:6000");
    let end = listener.interrupt().expect_code(0);
    assert!(
        why.iter().all(|why| end.stderr.contains(why)),
        "{}",
        end.stderr
    );
    // Programs read the summary, and those who chose a port know what they wait for.
    for args in [
        "listen --duration 100ms --summary json",
        "listen --duration 100ms --port 6001",
        "listen --duration 100ms --quiet",
    ] {
        let end = run_with_input(net.udpcli(0, args), b"").expect_code(0);
        assert!(!end.stderr.contains("5005"), "{args}: {}", end.stderr);
    }
    let mut listener = Listener::spawn(&mut net.udpcli(0, "listen"));
    net.send(0, "127.0.0.1:6000 hello").expect_code(0);
    listener.running.stdout_line();
    let end = listener.running.interrupt().expect_code(0);
    assert!(!end.stderr.contains("5005"), "{}", end.stderr);
}
