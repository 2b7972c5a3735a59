//! Tests over links other than loopback: each test creates network namespaces, connected by veth pairs, and removes
//! them.
//!
//! Loopback has an MTU of 65,536 bytes, one interface and no neighbours: fragments, groups, broadcasts, routes and
//! unreachable hosts exist only here. No datagram leaves the namespaces.

mod addresses;
mod away;
mod broadcast;
mod budget;
mod doctor;
mod find;
mod groups;
mod hosts;
mod interface;
mod limits;
mod long;
mod multicast;
mod peer;
mod tcpreplay;
mod throughput;
mod unreachable;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::peer::{PEER, Peer};
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

/// Contains every byte value, in an order in which a swapped or missing part is visible.
fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|index| u8::try_from((index * 31 + index / 251) % 256).expect("below 256"))
        .collect()
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
