//! A PC and a board in namespaces of their own, joined by a veth pair; the serial line goes through the file system.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{DEADLINE, eventually};

/// Namespaces `pc` and `board`, with `10.78.1.1/24` on `va` and `10.78.1.2/24` on `vb`. They go when this is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) pc: String,
    pub(crate) board: String,
}

/// The PC's and the board's address.
pub(crate) const PC: &str = "10.78.1.1";
pub(crate) const BOARD: &str = "10.78.1.2";

impl Link {
    /// None where this machine does not allow namespaces, which CI must.
    pub(crate) fn new() -> Option<Self> {
        Self::with(BOARD)
    }

    /// A board that has another address.
    pub(crate) fn with(board_address: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |side: &str| format!("udpcli-pair-{}-{number}-{side}", std::process::id());
        let link = Self {
            pc: name("pc"),
            board: name("board"),
        };
        for name in [&link.pc, &link.board] {
            let made = Command::new("ip").args(["netns", "add", name]).output();
            let problem = match made {
                Ok(output) if output.status.success() => continue,
                Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                Err(error) => format!("cannot run ip: {error}"),
            };
            assert!(
                std::env::var_os("CI").is_none_or(|value| value != "true"),
                "no network namespaces in CI: {problem}"
            );
            eprintln!("skipped: no network namespaces here: {problem}");
            return None;
        }
        let (pc, board) = (&link.pc, &link.board);
        must(
            "ip",
            &format!("link add va netns {pc} type veth peer name vb netns {board}"),
        );
        for (space, interface, address) in [(pc, "va", PC), (board, "vb", board_address)] {
            must("ip", &format!("-n {space} link set lo up"));
            must("ip", &format!("-n {space} link set {interface} up"));
            must(
                "ip",
                &format!("-n {space} addr add {address}/24 dev {interface}"),
            );
        }
        eventually("the link is up", || {
            let output = Command::new("ip")
                .args(["-n", pc, "link", "show", "va"])
                .output()
                .expect("ip runs");
            String::from_utf8_lossy(&output.stdout).contains("state UP")
        });
        Some(link)
    }

    /// Gives the PC a firewall: rules of nftables in a table whose chains have priority 0.
    pub(crate) fn pc_rules(&self, chain: &str, rule: &str) {
        rules(&self.pc, chain, rule);
    }

    /// The access point passes nothing on from one client to the other, questions for an address (ARP) included.
    pub(crate) fn isolate(&self) {
        for (space, interface) in [(&self.pc, "va"), (&self.board, "vb")] {
            let chain =
                format!("type filter hook ingress device {interface} priority 0; policy drop");
            nft(
                space,
                &format!("table netdev t {{ chain c {{ {chain}; }}; }}"),
            );
        }
    }

    /// Three datagrams of ten are lost, each way.
    pub(crate) fn lose(&self) {
        for space in [&self.pc, &self.board] {
            rules(
                space,
                "prerouting",
                "ip protocol udp numgen inc mod 10 < 3 drop",
            );
        }
    }
}

fn rules(space: &str, chain: &str, rule: &str) {
    let chain = format!("type filter hook {chain} priority 0; policy accept; {rule}");
    nft(space, &format!("table ip t {{ chain c {{ {chain}; }}; }}"));
}

fn nft(space: &str, rules: &str) {
    let output = Command::new("ip")
        .args(["netns", "exec", space, "nft", rules])
        .env("PATH", path())
        .output()
        .expect("nft runs (tests/run installs it)");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{rules}: {stderr}");
}

/// nft lives in /usr/sbin, which is not on everybody's PATH.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

pub(crate) fn must(program: &str, line: &str) {
    let output = Command::new(program)
        .args(line.split(' '))
        .env("PATH", path())
        .output()
        .unwrap_or_else(|error| {
            panic!("{program}: {error} (tests/run installs it); within {DEADLINE:?}")
        });
    assert!(
        output.status.success(),
        "{program} {line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Drop for Link {
    fn drop(&mut self) {
        for name in [&self.pc, &self.board] {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
