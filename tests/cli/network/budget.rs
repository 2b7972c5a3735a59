//! The system-call budget of `send`, whatever the network does: strace counts the calls that send, receive or wait.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Net, run_with_input, udpcli};
use crate::support::Running;

/// The system calls that send, receive or wait. Other calls, such as reading files, do not depend on the network.
const CALLS: &str = "trace=sendto,sendmsg,sendmmsg,recvfrom,recvmsg,recvmmsg,poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_pwait2";

/// How many of these calls a run may make: a fixed number, plus some per datagram and per second.
const FIXED: f64 = 10.0;
const PER_DATAGRAM: f64 = 4.0;
const PER_SECOND: f64 = 20.0;

/// A network on which datagrams do not arrive, and the commands that create it; `send` runs in namespace 0.
struct Hostile {
    name: &'static str,
    to: &'static str,
    make: fn(&Net),
}

const HOSTILE: [Hostile; 9] = [
    Hostile {
        name: "own firewall rejects",
        to: "10.77.1.2:6002",
        make: |net| net.firewall(0, "output", "udp dport 6002 reject"),
    },
    Hostile {
        name: "own firewall drops",
        to: "10.77.1.2:6002",
        make: |net| net.firewall(0, "output", "udp dport 6002 drop"),
    },
    Hostile {
        name: "peer's firewall drops",
        to: "10.77.1.2:6002",
        make: |net| net.firewall(1, "input", "udp dport 6002 drop"),
    },
    Hostile {
        name: "blackhole",
        to: "10.99.0.1:6002",
        make: |net| {
            net.ip(0, "route add blackhole 10.99.0.0/24");
        },
    },
    Hostile {
        name: "prohibit",
        to: "10.99.0.1:6002",
        make: |net| {
            net.ip(0, "route add prohibit 10.99.0.0/24");
        },
    },
    Hostile {
        name: "link down",
        to: "10.77.1.2:6002",
        make: |net| {
            net.ip(0, "link set va down");
        },
    },
    Hostile {
        name: "no neighbour",
        to: "10.77.1.9:6002",
        make: |_| {},
    },
    Hostile {
        name: "shaper",
        to: "10.77.1.2:6002",
        make: |net| {
            let shaper = "qdisc add dev va root tbf rate 100kbit burst 2kb limit 4kb";
            net.run(0, "tc", &shaper.split(' ').collect::<Vec<_>>());
            net.firewall(1, "input", "udp dport 6002 drop");
        },
    },
    Hostile {
        name: "closed port",
        to: "10.77.1.2:6002",
        make: |net| {
            net.run(1, "sysctl", &["-qw", "net.ipv4.icmp_ratemask=0"]);
        },
    },
];

/// Arguments of `send`, and how many datagrams they send.
const RUNS: [(&str, f64); 6] = [
    ("hello", 1.0),
    ("hello -w 1s", 1.0),
    ("hello -n 20 -i 20ms", 20.0),
    ("hello -n 20 -i 20ms --no-batching", 20.0),
    ("--size 200 -n 300 --rate max", 300.0),
    ("--size 200 --rate 50 --duration 1s -w 500ms", 50.0),
];

/// Runs `udpcli send` under strace; returns the number of calls and the duration of the run.
fn counted(net: &Net, args: &str) -> (f64, f64, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let counts = folder.path().join("counts");
    let program = udpcli(["send"].into_iter().chain(args.split(' ')));
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-c", "-U", "calls,name", "-e", CALLS, "-o"])
        .arg(&counts)
        .arg(program.get_program())
        .args(program.get_args());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(key, value),
            None => strace.env_remove(key),
        };
    }
    let mut command = net.within(0, &strace);
    command.stdin(Stdio::null());
    let start = Instant::now();
    run_with_input(command, b"");
    let took = start.elapsed().as_secs_f64();
    let table = fs::read_to_string(&counts).unwrap_or_default();
    let total = table
        .lines()
        .find(|line| line.trim_end().ends_with("total"))
        .and_then(|line| line.split_whitespace().next())
        .map_or(0.0, |count| count.parse().expect("a number"));
    (total, took, table)
}

#[track_caller]
fn assert_within_budget(net: &Net, name: &str, args: &str, datagrams: f64) {
    let (calls, took, table) = counted(net, args);
    let budget = FIXED + PER_DATAGRAM * datagrams + PER_SECOND * took;
    println!("{name}: send {args}: {calls} calls of {budget:.0}, {took:.2} s");
    assert!(
        calls <= budget,
        "{name}: send {args}: {calls} calls of {budget:.0} in {took:.2} s\n{table}"
    );
}

#[test]
fn no_network_makes_send_busy() {
    for hostile in HOSTILE {
        let Some(net) = Net::pair() else { return };
        (hostile.make)(&net);
        for (args, datagrams) in RUNS {
            assert_within_budget(
                &net,
                hostile.name,
                &format!("{} {args}", hostile.to),
                datagrams,
            );
        }
    }
}

/// A Python program that floods with ICMP *port unreachable* messages about datagrams from 10.77.1.1:6001 to
/// 10.77.1.2:6002, as fast as it can.
const STORM: &str = r#"
import socket, struct
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
source, target = socket.inet_aton("10.77.1.1"), socket.inet_aton("10.77.1.2")
quoted = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 33, 1, 0, 64, 17, 0, source, target) + struct.pack("!HHHH", 6001, 6002, 13, 0)
body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
print("storms", flush=True)
while True:
    raw.sendto(body, ("10.77.1.1", 0))
"#;

#[test]
fn an_icmp_storm_does_not_make_send_busy() {
    let Some(net) = Net::pair() else { return };
    let mut python = Command::new("python3");
    python.args(["-S", "-c", STORM]);
    let mut storm = Running::spawn(net.within(1, &python).stdin(Stdio::null()));
    assert_eq!(storm.stdout_line(), "storms\n");
    for (args, datagrams) in RUNS {
        let args = format!("10.77.1.2:6002 --bind 10.77.1.1:6001 {args}");
        assert_within_budget(&net, "ICMP storm", &args, datagrams);
    }
    storm.stop();
}
