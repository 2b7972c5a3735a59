//! Tests over links other than loopback: each test creates network namespaces, connected by veth pairs, and removes
//! them.
//!
//! Loopback has an MTU of 65,536 bytes, one interface and no neighbours: fragments, groups, broadcasts, routes and
//! unreachable hosts exist only here. No datagram leaves the namespaces.

mod budget;
mod doctor;
mod find;
mod tcpreplay;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    DEADLINE, Finished, Listener, Running, listening_address, run_with_input, skipped, udpcli,
    udpcli_on_terminal,
};

/// Polls until the condition is true or the deadline passes.
#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Checks the keys of an object against its schema: all of them known, and the required ones there.
#[track_caller]
fn assert_fits(object: &Value, schema: &Value) {
    let known = &schema["properties"];
    for key in object.as_object().expect("an object").keys() {
        assert!(known.get(key).is_some(), "{key}: {object}");
    }
    for key in schema["required"].as_array().expect("required keys") {
        assert!(
            object.get(key.as_str().unwrap()).is_some(),
            "{key}: {object}"
        );
    }
}

/// The network namespaces of one test; dropping it removes them, also after a panic.
struct Net {
    names: Vec<String>,
}

impl Drop for Net {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

/// One end of a link: the namespace, the interface, and the last part of its addresses.
type End = (usize, &'static str, u8);

impl Net {
    /// Namespaces with only `lo` up; `None` if this machine does not allow namespaces. CI must allow them.
    fn empty(count: usize) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut net = Self { names: Vec::new() };
        for _ in 0..count {
            let name = format!(
                "udpcli-{}-{}",
                std::process::id(),
                NEXT.fetch_add(1, Ordering::Relaxed)
            );
            let made = Command::new("ip")
                .args(["netns", "add", &name])
                .stdin(Stdio::null())
                .output();
            let problem = match made {
                Ok(output) if output.status.success() => None,
                Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
                Err(error) => Some(format!("cannot run ip: {error}")),
            };
            if let Some(problem) = problem {
                assert!(
                    std::env::var_os("CI").is_none_or(|value| value != "true"),
                    "no network namespaces in CI: {problem}"
                );
                skipped(format!("no network namespaces here: {problem}"));
                return None;
            }
            net.names.push(name);
        }
        for at in 0..count {
            net.ip(at, "link set lo up");
        }
        Some(net)
    }

    /// Two connected namespaces, 0 and 1: `va` with 10.77.1.1, `fd77:1::1` and `fe80::1`, `vb` with the same in 2.
    fn pair() -> Option<Self> {
        let net = Self::empty(2)?;
        net.link(1, (0, "va", 1), (1, "vb", 2), 1500);
        Some(net)
    }

    /// Like `pair`, with a second link between the two: `wa` with 10.77.2.1 and `wb` with 10.77.2.2.
    fn two_links() -> Option<Self> {
        let net = Self::pair()?;
        net.link(2, (0, "wa", 1), (1, "wb", 2), 1500);
        Some(net)
    }

    /// Namespace 0 (10.77.1.1), a router 1 (10.77.1.2 and 10.77.2.1), and 2 (10.77.2.2); the second link has a smaller
    /// MTU.
    fn routed() -> Option<Self> {
        let net = Self::empty(3)?;
        net.link(1, (0, "va", 1), (1, "ra", 2), 1500);
        net.link(2, (1, "rb", 1), (2, "vc", 2), 1280);
        net.run(
            1,
            "sysctl",
            &[
                "-qw",
                "net.ipv4.ip_forward=1",
                "net.ipv6.conf.all.forwarding=1",
            ],
        );
        net.ip(0, "route add default via 10.77.1.2");
        net.ip(0, "-6 route add default via fd77:1::2 dev va");
        net.ip(2, "route add default via 10.77.2.1");
        net.ip(2, "-6 route add default via fd77:2::1 dev vc");
        Some(net)
    }

    /// Connects two namespaces with a network 10.77.NUMBER.0/24 and `fd77:NUMBER::/64`.
    fn link(&self, number: u8, one: End, other: End, mtu: u32) {
        let (from, to) = (&self.names[one.0], &self.names[other.0]);
        let made = format!(
            "link add {} mtu {mtu} netns {from} type veth peer name {} mtu {mtu} netns {to}",
            one.1, other.1
        );
        run_ip(&made.split(' ').collect::<Vec<_>>());
        for (at, name, _) in [one, other] {
            // No automatic addresses: the ones added below are usable at once.
            self.ip(at, &format!("link set {name} addrgenmode none up"));
        }
        for (at, name, last) in [one, other] {
            self.wait_until_up(at, name);
            self.ip(
                at,
                &format!("addr add 10.77.{number}.{last}/24 brd + dev {name}"),
            );
            self.ip(
                at,
                &format!("addr add fd77:{number}::{last}/64 dev {name} nodad"),
            );
            self.ip(at, &format!("addr add fe80::{last}/64 dev {name} nodad"));
        }
    }

    /// Waits until the link is up; before that, the device drops packets.
    #[track_caller]
    fn wait_until_up(&self, at: usize, name: &str) {
        eventually(&format!("{name} is up"), || {
            self.ip(at, &format!("-o link show dev {name}"))
                .contains("state UP")
        });
    }

    /// Runs `ip` in namespace `at`; returns its output.
    #[track_caller]
    fn ip(&self, at: usize, args: &str) -> String {
        let mut all = vec!["-n", self.names[at].as_str()];
        all.extend(args.split(' '));
        run_ip(&all)
    }

    /// A command that runs in namespace `at`. `ip netns exec` replaces itself with the command, so the process ID is
    /// the command's.
    fn within(&self, at: usize, inner: &Command) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.names[at]])
            .arg(inner.get_program())
            .args(inner.get_args());
        for (key, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command
    }

    /// Runs a tool that must succeed.
    #[track_caller]
    fn run(&self, at: usize, program: &str, args: &[&str]) -> Finished {
        run_with_input(self.within(at, Command::new(program).args(args)), b"").expect_code(0)
    }

    /// `udpcli ARGS` in namespace `at`; arguments are split at spaces.
    fn udpcli(&self, at: usize, args: &str) -> Command {
        let mut command = self.within(at, &udpcli(args.split(' ')));
        command.stdin(Stdio::null());
        command
    }

    /// Runs `udpcli send ARGS` to its end.
    #[track_caller]
    fn send(&self, at: usize, args: &str) -> Finished {
        run_with_input(self.udpcli(at, &format!("send {args}")), b"")
    }

    /// Starts `udpcli listen --port 0 ARGS`.
    #[track_caller]
    fn listen(&self, at: usize, args: &str) -> Listener {
        Listener::spawn(&mut self.udpcli(at, format!("listen --port 0 {args}").trim_end()))
    }

    /// A UDP socket of another program in namespace `at`, joined to these groups (`GROUP@INTERFACE`).
    #[track_caller]
    fn peer(&self, at: usize, family: char, groups: &[&str]) -> Peer {
        let mut python = Command::new("python3");
        python
            .args(["-S", "-c", PEER, &family.to_string()])
            .args(groups);
        let mut running = Running::spawn(self.within(at, &python).stdin(Stdio::piped()));
        let port = running
            .stdout_line()
            .trim()
            .parse()
            .expect("the peer says its port");
        Peer { running, port }
    }
}

#[track_caller]
fn run_ip(args: &[&str]) -> String {
    let output = Command::new("ip")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("ip runs");
    assert!(
        output.status.success(),
        "ip {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("ip prints UTF-8")
}

/// A Python program with a socket: it executes the commands on its stdin and prints what it receives.
const PEER: &str = r#"
import socket, struct, sys
v6 = sys.argv[1] == "6"
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(15)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
if v6:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
else:
    s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
s.bind(("", 0))
for join in sys.argv[2:]:
    group, name = join.split("@")
    index = socket.if_nametoindex(name)
    if v6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + struct.pack("@4si", b"", index))
print(s.getsockname()[1], flush=True)
def to(host, port):
    return socket.getaddrinfo(host, int(port), s.family, s.type)[0][4]
for line in sys.stdin:
    what, *rest = line.split()
    if what == "send":
        s.sendto(bytes.fromhex(rest[2] if len(rest) > 2 else ""), to(rest[0], rest[1]))
    elif what == "segments":  # UDP_SEGMENT: the kernel cuts it up
        s.sendmsg([bytes.fromhex(rest[3])], [(17, 103, struct.pack("@H", int(rest[2])))], 0, to(rest[0], rest[1]))
    elif what == "connect":
        s.connect(to(rest[0], rest[1]))
    elif what == "by":
        index = socket.if_nametoindex(rest[0])
        if v6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", b"", b"", index))
    elif what == "receive":
        try:
            data, control, flags, address = s.recvmsg(1 << 16, 256)
        except OSError as error:
            print("failed", error, flush=True)
            continue
        ttl = [struct.unpack("@i", value[:4])[0] for level, kind, value in control][0]
        print(address[0], address[1], ttl, data.hex(), flush=True)
"#;

struct Peer {
    running: Running,
    port: u16,
}

/// A datagram that a peer received.
#[derive(Debug)]
struct Heard {
    from: String,
    port: u16,
    ttl: u8,
    payload: Vec<u8>,
}

impl Peer {
    fn tell(&mut self, command: &str) {
        let stdin = self.running.stdin.as_mut().expect("stdin is piped");
        stdin
            .write_all(format!("{command}\n").as_bytes())
            .and_then(|()| stdin.flush())
            .expect("the peer reads");
    }

    fn send(&mut self, host: &str, port: u16, payload: &[u8]) {
        self.tell(&format!("send {host} {port} {}", hex(payload)));
    }

    #[track_caller]
    fn receive(&mut self) -> Heard {
        self.tell("receive");
        let line = self.running.stdout_line();
        let mut words = line.trim_end_matches('\n').split(' ');
        let mut word = || {
            words
                .next()
                .unwrap_or_else(|| panic!("the peer heard: {line}"))
        };
        let from = word().to_owned();
        assert_ne!(from, "failed", "the peer heard nothing: {line}");
        Heard {
            from,
            port: word().parse().unwrap(),
            ttl: word().parse().unwrap(),
            payload: unhex(word()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes it");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The next datagram of a listener with `--format json`.
#[track_caller]
fn next_json(listener: &mut Listener) -> Value {
    let line = listener.running.stdout_line();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[track_caller]
fn next_text(listener: &mut Listener) -> String {
    next_json(listener)["text"]
        .as_str()
        .expect("the payload is text")
        .to_owned()
}

/// Addresses of namespace 1 as seen from namespace 0, each with the sender's address that belongs to it.
const TARGETS: [(&str, &str, &str); 3] = [
    ("0.0.0.0", "10.77.1.2", "10.77.1.1:"),
    ("::", "[fd77:1::2]", "[fd77:1::1]:"),
    ("::", "[fe80::2%va]", "[fe80::1%"),
];

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

/// Contains every byte value, in an order in which a swapped or missing part is visible.
fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|index| u8::try_from((index * 31 + index / 251) % 256).expect("below 256"))
        .collect()
}

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

/// The number before the first occurrence of `what` in a summary.
#[track_caller]
fn number_before(stderr: &str, what: &str) -> u64 {
    let words: Vec<&str> = stderr.split_whitespace().collect();
    let number = words
        .windows(2)
        .find(|pair| pair[1] == what)
        .and_then(|pair| pair[0].parse().ok());
    number.unwrap_or_else(|| panic!("no number before {what:?} in {stderr}"))
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

#[test]
fn a_closed_port_on_another_machine_is_refused() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.77.1.2:9", "[fd77:1::2]:9", "[fe80::2%va]:9"] {
        for args in ["", " -w 10s", " --no-batching", " -w 10s --no-batching"] {
            let end = net.send(0, &format!("{to} hello{args}")).expect_code(1);
            assert!(
                end.stderr.contains("refused: nothing listens on ")
                    && end.stderr.contains(", 1 refused"),
                "{to}{args}: {}",
                end.stderr
            );
        }
        let end = net
            .send(0, &format!("{to} hello -n 5 -i 10ms"))
            .expect_code(1);
        assert!(
            end.stderr.contains("refused: nothing listens on ")
                && !end.stderr.contains(", 0 refused"),
            "{to}: {}",
            end.stderr
        );
    }
}

#[test]
fn a_listener_that_comes_late_hears_what_comes_after() {
    let Some(net) = Net::pair() else { return };
    // Find a free port: start a listener and end it again.
    let port = net.listen(1, "").port();
    let mut sender = Running::spawn(
        &mut net.udpcli(0, &format!("send 10.77.1.2:{port} tick -n 100000 -i 10ms")),
    );
    sender.stderr_line_with("refused");
    let mut command = net.udpcli(
        1,
        &format!("listen --port {port} -n 3 --format raw --separator ."),
    );
    let end = Listener::spawn(&mut command)
        .running
        .finish()
        .expect_code(0);
    assert_eq!(end.text().trim_end_matches('.'), "tick.tick.tick");
    let end = sender.interrupt().expect_code(130);
    assert!(!end.stderr.contains(", 0 refused"), "{}", end.stderr);
}

#[test]
fn a_host_that_is_not_there_cannot_be_reached() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.77.1.99:6000", "[fd77:1::99]:6000"] {
        let end = net.send(0, &format!("{to} hello -w 12s")).expect_code(3);
        assert!(
            end.stderr.contains("cannot be reached") || end.stderr.contains("No route to host"),
            "{to}: {}",
            end.stderr
        );
        assert!(end.stderr.contains("1 error,"), "{to}: {}", end.stderr);
        assert!(end.stderr.contains("hint:"), "{to}: {}", end.stderr);
    }
}

#[test]
fn no_route_is_said_with_a_hint() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.78.0.1:6000", "[fd78::1]:6000"] {
        for args in ["", " -w 5s"] {
            let end = net.send(0, &format!("{to} hello{args}")).expect_code(3);
            assert!(
                end.stderr
                    .contains(&format!("udpcli: error: cannot send to {to}")),
                "{}",
                end.stderr
            );
            assert!(
                end.stderr.contains("unreachable") && end.stderr.contains("hint:"),
                "{}",
                end.stderr
            );
        }
    }
}

#[test]
fn an_own_firewall_is_named() {
    let Some(net) = Net::pair() else { return };
    for (verdict, port) in [("drop", 6001), ("reject", 6002)] {
        let rule = format!(
            "table inet t_{verdict} {{ chain out {{ type filter hook output priority 0; udp dport {port} {verdict}; }}; }}"
        );
        let mut nft = Command::new("nft");
        nft.args(["-f", "-"]);
        run_with_input(net.within(0, &nft), rule.as_bytes()).expect_code(0);
        for args in [
            "",
            " -w 5s",
            " --no-batching",
            " -n 10",
            " -w 5s -n 10 -i 1ms",
        ] {
            let end = net.send(0, &format!("10.77.1.2:{port} hello{args}"));
            assert_eq!(end.code, Some(3), "{verdict}{args}: {}", end.stderr);
            assert!(
                end.stderr.contains("rejected by a firewall on this PC")
                    && end.stderr.contains("Operation not permitted"),
                "{verdict}{args}: {}",
                end.stderr
            );
        }
    }
}

impl Net {
    /// Adds a chain with this hook and a rule with a counter to the firewall of namespace `at`.
    #[track_caller]
    fn firewall(&self, at: usize, hook: &str, rule: &str) {
        let table = format!(
            "table inet t {{ chain c {{ type filter hook {hook} priority 0; {rule}; }}; }}"
        );
        let mut nft = Command::new("nft");
        nft.args(["-f", "-"]);
        run_with_input(self.within(at, &nft), table.as_bytes()).expect_code(0);
    }

    /// The packet count of the firewall's counters.
    #[track_caller]
    fn counted(&self, at: usize) -> u64 {
        let listed = self.run(at, "nft", &["list", "ruleset"]).text();
        let counts = listed.split("counter packets ").skip(1);
        counts
            .map(|rest| rest.split(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }
}

#[test]
fn a_datagram_that_a_firewall_rejects_is_retried_once_at_most() {
    let Some(net) = Net::pair() else { return };
    // Disable the kernel's ICMP rate limit. Otherwise it sends one ICMP error per second, and other rejected datagrams
    // only fail with the call's own error.
    net.run(0, "sysctl", &["-qw", "net.ipv4.icmp_ratemask=0"]);
    for args in ["", " -w 5s", " --no-batching", " -n 10 -i 1ms"] {
        net.firewall(0, "output", "udp dport 6002 counter reject");
        let end = net
            .send(0, &format!("10.77.1.2:6002 hello{args}"))
            .expect_code(3);
        assert!(
            end.stderr.contains("rejected by a firewall on this PC")
                && !end.stderr.contains("refused: nothing listens"),
            "{args}: {}",
            end.stderr
        );
        let tried = net.counted(0);
        assert!((1..=2).contains(&tried), "{args}: {tried} attempts");
        net.run(0, "nft", &["flush", "ruleset"]);
    }
    // A rule that is added during a run.
    for args in ["", " --no-batching", " -w 1s"] {
        let mut listener = net.listen(1, "--format json");
        let sender = Running::spawn(&mut net.udpcli(
            0,
            &format!(
                "send 10.77.1.2:{} tick -n 12 -i 100ms{args}",
                listener.port()
            ),
        ));
        assert_eq!(next_text(&mut listener), "tick");
        let rule = format!("udp dport {} counter reject", listener.port());
        net.firewall(0, "output", &rule);
        let end = sender.finish();
        let tried = net.counted(0);
        net.run(0, "nft", &["flush", "ruleset"]);
        let heard = listener.running.interrupt().expect_code(0).text();
        let missing = 12 - heard.lines().count() as u64;
        assert!(
            (missing..=2 * missing).contains(&tried),
            "{args}: {tried} attempts for {missing} datagrams"
        );
        assert!(
            end.stderr.contains(&format!("{missing} errors, 0 refused")),
            "{args}: {}",
            end.stderr
        );
    }
}

#[test]
fn a_firewall_elsewhere_is_told_from_a_closed_port() {
    let Some(net) = Net::routed() else { return };
    let admin = "reject with icmpx type admin-prohibited";
    for (at, hook, verdict, to, by) in [
        (2, "input", admin, "10.77.2.2", "10.77.2.2"),
        (2, "input", admin, "[fd77:2::2]", "fd77:2::2"),
        (1, "forward", admin, "10.77.2.2", "10.77.1.2"),
        (1, "forward", admin, "[fd77:2::2]", "fd77:1::2"),
        // The default of iptables and nftables: the router itself sends port unreachable.
        (1, "forward", "reject", "10.77.2.2", "10.77.1.2"),
        (1, "forward", "reject", "[fd77:2::2]", "fd77:1::2"),
    ] {
        net.firewall(at, hook, &format!("udp dport 6003 counter {verdict}"));
        for args in ["", " -w 5s"] {
            let end = net
                .send(0, &format!("{to}:6003 hello{args}"))
                .expect_code(3);
            assert!(
                end.stderr
                    .contains(&format!("caused by: rejected by a firewall on {by}\n"))
                    && end.stderr.contains("1 error, 0 refused"),
                "{hook} {verdict} {to}{args}: {}",
                end.stderr
            );
            assert!(end.stderr.contains("hint: "), "{}", end.stderr);
        }
        net.run(at, "nft", &["flush", "ruleset"]);
    }
}

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
    // Containers often do not have the TUN device, or may not open it.
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

#[test]
fn a_listener_on_one_address_hears_the_groups_it_joined() {
    let Some(net) = Net::two_links() else { return };
    for (bind, join, to) in [
        ("10.77.1.2", "239.77.0.6", "239.77.0.6"),
        ("10.77.1.2", "239.77.0.6@vb", "239.77.0.6"),
        ("fd77:1::2", "ff05::77", "[ff05::77]"),
        ("fd77:1::2", "ff02::77", "[ff02::77%va]"),
        ("fe80::2%vb", "ff02::77", "[ff02::77%va]"),
    ] {
        for way in ["", " --no-batching"] {
            let mut listener = net.listen(
                1,
                &format!("--format json --bind {bind} --join {join}{way}"),
            );
            let port = listener.port();
            // The group has a socket of its own; wait for its listening line.
            listener.running.stderr_line_with("listening on ");
            let own = match bind.split_once('%') {
                Some((address, _)) => format!("[{address}%va]"),
                None if bind.contains(':') => format!("[{bind}]"),
                None => bind.to_owned(),
            };
            for (to, payload) in [(own.as_str(), "own"), (to, "group"), (&own, "again")] {
                let by = if payload == "group" {
                    " --multicast-if va"
                } else {
                    ""
                };
                net.send(0, &format!("{to}:{port} {payload}{by}"))
                    .expect_code(0);
                assert_eq!(next_text(&mut listener), payload, "{bind} {join}{way}");
            }
            // The group is not joined on the other interface.
            if !to.contains('%') {
                net.send(0, &format!("{to}:{port} other --multicast-if wa"))
                    .expect_code(0);
            }
            net.send(0, &format!("{own}:{port} last")).expect_code(0);
            assert_eq!(next_text(&mut listener), "last", "{bind} {join}{way}");
        }
    }
    let end = run_with_input(
        net.udpcli(1, "listen --port 0 --bind 10.77.1.2 --join ff02::77"),
        b"",
    )
    .expect_code(2);
    assert!(
        end.stderr.contains("no --bind address can receive"),
        "{}",
        end.stderr
    );
}

#[test]
fn addresses_and_groups_given_twice_are_one() {
    let Some(net) = Net::pair() else { return };
    for args in [
        "--bind 0.0.0.0 --bind 10.77.1.2",
        "--bind :: --bind 10.77.1.2 --bind fd77:1::2",
        "--bind 0.0.0.0 --bind :: --bind 10.77.1.2",
        "--join 239.77.0.7 --join 239.77.0.7@vb",
        "--join 239.77.0.7@vb --join 239.77.0.7 --join 239.77.0.7",
        "--bind 10.77.1.2 --join 239.77.0.7 --join 239.77.0.7@vb",
    ] {
        let mut listener = net.listen(1, &format!("--format json {args}"));
        let port = listener.port();
        if args.starts_with("--bind 10") {
            listener
                .running
                .stderr_line_with("listening on 239.77.0.7:");
        }
        net.send(0, &format!("10.77.1.2:{port} hello"))
            .expect_code(0);
        assert_eq!(next_text(&mut listener), "hello", "{args}");
        if args.contains("--join") {
            net.send(0, &format!("239.77.0.7:{port} group --multicast-if va"))
                .expect_code(0);
            assert_eq!(next_text(&mut listener), "group", "{args}");
        }
        let end = listener.running.interrupt().expect_code(0);
        assert!(!end.stderr.contains("warning"), "{args}: {}", end.stderr);
    }
}

#[test]
fn a_group_is_joined_on_interfaces_that_come_later() {
    let Some(net) = Net::empty(2) else { return };
    let (mut v4, mut v6) = (
        net.listen(1, "--format json --join 239.77.0.8"),
        net.listen(1, "--format json --join ff05::78 --bind ::"),
    );
    let mut heard = |payload: &str| {
        for (to, listener) in [("239.77.0.8", &mut v4), ("[ff05::78]", &mut v6)] {
            listener.running.stderr_line_with(" on vb");
            net.send(
                0,
                &format!("{to}:{} {payload} --multicast-if va", listener.port()),
            )
            .expect_code(0);
            assert_eq!(next_text(listener), payload, "{to}");
        }
    };
    net.link(1, (0, "va", 1), (1, "vb", 2), 1500);
    heard("first");
    // Remove the interface and add it again: it has the same name but a new index.
    net.ip(1, "link del vb");
    net.link(1, (0, "va", 1), (1, "vb", 2), 1500);
    heard("again");
    for listener in [v4, v6] {
        let end = listener.running.interrupt().expect_code(0);
        assert!(!end.stderr.contains("warning"), "{}", end.stderr);
    }
}

#[test]
fn a_group_on_a_named_interface_is_joined_again_when_it_comes_back() {
    let Some(net) = Net::pair() else { return };
    let mut listener = net.listen(1, "--format json --join 239.77.0.9@vb");
    for payload in ["first", "again"] {
        net.send(
            0,
            &format!("239.77.0.9:{} {payload} --multicast-if va", listener.port()),
        )
        .expect_code(0);
        assert_eq!(next_text(&mut listener), payload);
        if payload == "first" {
            net.ip(1, "link del vb");
            net.link(1, (0, "va", 1), (1, "vb", 2), 1500);
            listener
                .running
                .stderr_line_with("joined multicast group 239.77.0.9 on vb");
        }
    }
}

#[test]
fn a_group_needs_no_address_on_its_interface() {
    let Some(net) = Net::pair() else { return };
    net.ip(1, "addr flush dev vb");
    let mut listener = net.listen(1, "--format json --join 239.77.0.10");
    net.run(
        1,
        "sysctl",
        &[
            "-qw",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.vb.rp_filter=0",
        ],
    );
    net.send(
        0,
        &format!("239.77.0.10:{} hello --multicast-if va", listener.port()),
    )
    .expect_code(0);
    assert_eq!(next_text(&mut listener), "hello");
}

#[test]
fn where_a_group_cannot_be_joined_is_told_with_the_limit() {
    let Some(net) = Net::empty(1) else { return };
    for number in (0..26).step_by(2) {
        let peer = number + 1;
        net.ip(
            0,
            &format!("link add d{number} type veth peer name d{peer}"),
        );
    }
    let told = |listener: Listener| {
        let end = listener.running.interrupt().expect_code(0);
        let line = |text: &str| {
            end.stderr
                .lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
        };
        (line("joined multicast group"), line("cannot join"))
    };
    let (joined, failed) = told(net.listen(0, "--join 239.77.0.11"));
    let (joined, failed) = (joined.unwrap(), failed.unwrap());
    for number in 0..26 {
        let name = format!("d{number}");
        let names = |line: &str| line.split([' ', ',', ':']).any(|word| word == name);
        assert!(
            names(&joined) != names(&failed),
            "{name}: {joined}; {failed}"
        );
    }
    assert!(failed.starts_with("warning: "), "{failed}");
    let (_, command) = failed.split_once("sysctl -w ").unwrap();
    // Follow the hint in the message.
    net.run(0, "sysctl", &["-qw", command]);
    let (joined, failed) = told(net.listen(0, "--join 239.77.0.11"));
    assert_eq!(failed, None);
    assert!(joined.unwrap().contains("d25"));
    // An interface that does not exist.
    let end = run_with_input(
        net.udpcli(0, "listen --port 0 --join 239.77.0.11@nosuch"),
        b"",
    );
    assert!(
        end.expect_code(3)
            .stderr
            .contains("no network interface is called nosuch")
    );
}

#[test]
fn where_no_local_port_is_free_it_is_said_at_once() {
    let Some(net) = Net::pair() else { return };
    let range = |first: u16, last: u16| {
        let range = format!("net.ipv4.ip_local_port_range={first} {last}");
        net.run(0, "sysctl", &["-qw", &range]);
    };
    range(40_000, 40_001);
    let taken = [net.listen(0, "--bind ::"), net.listen(0, "--bind ::")];
    for args in [
        "send 127.0.0.1:9 hi -w 1s",
        "send 127.0.0.1:9 hi",
        "send 10.77.1.2:9 hi -n 3 -i 1ms --no-batching",
        "send [::1]:9 hi -w 1s",
        "send 10.77.1.255:9 hi",
        "send 239.77.0.12:9 hi --multicast-if va",
        "send 127.0.0.1:9 hi --bind 127.0.0.1",
        "listen --port 0",
    ] {
        let end = run_with_input(net.udpcli(0, args), b"").expect_code(3);
        assert!(
            end.stderr
                .starts_with("udpcli: error: no free local port on ")
                && end.stderr.contains("hint: "),
            "{args}: {}",
            end.stderr
        );
    }
    // An explicit port need not be in the ephemeral port range.
    net.send(0, "10.77.1.2:9 hi --bind 0.0.0.0:50000")
        .expect_code(1);
    drop(taken);
}

#[test]
fn a_full_send_buffer_is_waited_for_no_longer_than_the_run_lasts() {
    let Some(net) = Net::pair() else { return };
    // A very slow shaper with a queue longer than the send buffer, so that the send buffer becomes full before the
    // queue does.
    let shaper = "qdisc add dev va root tbf rate 8kbit burst 2000 limit 10000000";
    net.run(0, "tc", &shaper.split(' ').collect::<Vec<_>>());
    for args in ["", " --no-batching", " -w 100ms"] {
        let started = Instant::now();
        net.send(
            0,
            &format!("10.77.1.2:9 --size 1000 --rate max --duration 500ms{args}"),
        );
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{args}: {:?}",
            started.elapsed()
        );
    }
}

#[test]
fn a_shaper_on_the_way_out_slows_and_loses_nothing() {
    let Some(net) = Net::pair() else { return };
    let shaper = "qdisc add dev va root tbf rate 2mbit burst 3000 limit 6000";
    net.run(0, "tc", &shaper.split(' ').collect::<Vec<_>>());
    for (to, join) in [
        ("10.77.1.2", ""),
        ("[fd77:1::2]", " --bind ::"),
        ("239.77.0.13", " --join 239.77.0.13"),
        ("10.77.1.255", ""),
    ] {
        for args in [
            " --rate max",
            " --rate max --no-batching",
            " -w 100ms --rate 20k",
        ] {
            let listener = net.listen(1, &format!("--format raw --seq --timeout 1s{join}"));
            let by = if join.contains("join") {
                " --multicast-if va"
            } else {
                ""
            };
            let end = net.send(
                0,
                &format!(
                    "{to}:{} --size 1000 --duration 1s{args}{by}",
                    listener.port()
                ),
            );
            let sent = number_before(&end.stderr, "datagrams,");
            // 2 Mbit/s is 240 packets of 1,042 bytes per second, plus the contents of the queue and the token bucket.
            assert!((150..300).contains(&sent), "{to}{args}: {}", end.stderr);
            assert!(
                end.stderr.contains(", 0 errors"),
                "{to}{args}: {}",
                end.stderr
            );
            let heard = listener.running.finish().expect_code(0);
            assert!(
                heard.stderr.contains(&format!("{sent} datagrams, "))
                    && heard.stderr.contains(", 0 lost, 0 duplicate, 0 reordered"),
                "{to}{args}: {}; {}",
                end.stderr,
                heard.stderr
            );
        }
    }
}

#[test]
fn multicast_leaves_by_the_interface_named_whatever_addresses_it_has() {
    let Some(net) = Net::two_links() else { return };
    net.run(
        1,
        "sysctl",
        &[
            "-qw",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.wb.rp_filter=0",
        ],
    );
    let hears = |name: &str, by: &str| {
        let mut listener = net.listen(1, &format!("--format json --join 239.77.0.14@{name}"));
        net.send(
            0,
            &format!("239.77.0.14:{} hello --multicast-if {by}", listener.port()),
        )
        .expect_code(0);
        assert_eq!(next_text(&mut listener), "hello", "{by}");
    };
    // Two interfaces with the same address.
    net.ip(0, "addr flush dev wa");
    net.ip(0, "addr add 10.77.1.1/32 dev wa");
    hears("vb", "va");
    hears("wb", "wa");
    // An interface without an address.
    net.ip(0, "addr flush dev wa");
    hears("wb", "wa");
    // An interface given by index, or by an address, which is then the source address.
    hears("vb", "10.77.1.1");
    let index = net.run(0, "cat", &["/sys/class/net/wa/ifindex"]).text();
    hears("wb", index.trim());
}

#[test]
fn a_link_local_address_of_two_interfaces_needs_a_name() {
    let Some(net) = Net::two_links() else { return };
    let end = run_with_input(net.udpcli(1, "listen --port 0 --bind fe80::2"), b"").expect_code(2);
    assert!(
        end.stderr.contains("both vb and wb have that address")
            && end.stderr.contains("--bind fe80::2%vb"),
        "{}",
        end.stderr
    );
    // The zone of the peer selects the interface.
    let mut listener = net.listen(1, "--bind :: --format json");
    for (to, bind) in [
        ("[fe80::2%va]", "fe80::1"),
        ("[fe80::2%wa]", "fe80::1"),
        // A zone as in a URL, where % is escaped as %25.
        ("[fe80::2%25va]", "fe80::1"),
    ] {
        net.send(0, &format!("{to}:{} hello --bind {bind}", listener.port()))
            .expect_code(0);
        assert_eq!(next_text(&mut listener), "hello", "{to}");
    }
    let end = net.send(0, "[fe80::2]:9 hello").expect_code(3);
    assert!(
        end.stderr
            .contains("hint: a link-local address needs its interface: [fe80::2%va]:9"),
        "{}",
        end.stderr
    );
}

#[test]
fn a_neighbour_that_is_not_there_is_told_before_the_kernel_gives_up() {
    let Some(net) = Net::pair() else { return };
    for to in ["10.77.1.99:6000", "[fd77:1::99]:6000"] {
        let started = Instant::now();
        let end = net.send(0, &format!("{to} hello -w 2s")).expect_code(3);
        assert!(
            end.stderr
                .contains("cannot be reached: no device on va answers for that address")
                && end.stderr.contains("hint: "),
            "{to}: {}",
            end.stderr
        );
        // The result must come from the neighbour table, not from the kernel's error after three seconds.
        assert!(started.elapsed() < Duration::from_secs(3) || end.stderr.contains("0 errors"));
        // So soon after the kernel's request, the host may still answer.
        net.ip(0, "neigh flush dev va");
        let end = net.send(0, &format!("{to} hello -w 100ms")).expect_code(1);
        assert!(
            end.stderr.contains("UDP does not confirm delivery"),
            "{to}: {}",
            end.stderr
        );
    }
}

#[test]
fn a_neighbour_that_is_there_and_says_nothing_is_told_from_one_that_is_not() {
    let Some(net) = Net::routed() else { return };
    let listener = net.listen(1, "--bind ::");
    for to in ["10.77.1.2", "[fd77:1::2]"] {
        let end = net
            .send(0, &format!("{to}:{} hello -w 300ms", listener.port()))
            .expect_code(1);
        assert!(
            end.stderr.contains("the device ") && end.stderr.contains(" is there"),
            "{to}: {}",
            end.stderr
        );
    }
    // For a host behind a router, the neighbour table says nothing.
    net.firewall(2, "input", "udp dport 6004 counter drop");
    for to in ["10.77.2.2", "[fd77:2::2]"] {
        let end = net
            .send(0, &format!("{to}:6004 hello -w 300ms"))
            .expect_code(1);
        assert!(
            end.stderr.contains("UDP does not confirm delivery"),
            "{to}: {}",
            end.stderr
        );
    }
}

#[test]
fn replies_to_a_broadcast_are_waited_for_to_the_end() {
    let Some(net) = Net::pair() else { return };
    let mut peers = [net.peer(1, '4', &["239.77.0.15@vb"]), net.peer(1, '4', &[])];
    let port = peers[0].port;
    for to in [
        format!("10.77.1.255:{port} who"),
        format!("239.77.0.15:{port} who --multicast-if va"),
    ] {
        let started = Instant::now();
        let mut sender =
            Running::spawn(&mut net.udpcli(0, &format!("send {to} -w 1s --format json")));
        let heard = peers[0].receive();
        for peer in &mut peers {
            peer.send("10.77.1.1", heard.port, b"me");
            assert!(sender.stdout_line().contains("\"text\":\"me\""));
        }
        sender.finish().expect_code(0);
        assert!(
            started.elapsed() >= Duration::from_secs(1),
            "{to}: {:?}",
            started.elapsed()
        );
    }
}
