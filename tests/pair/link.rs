//! A PC and a board in separate network namespaces, connected by a veth pair, or by two pairs with a router; the serial
//! line goes through the file system.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{DEADLINE, eventually, skipped};

/// Namespaces `pc` and `board`, with `10.78.1.1/24` on `va` and `10.78.1.2/24` on `vb`. They are removed on drop.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) pc: String,
    pub(crate) board: String,
    /// A router between them.
    router: Option<String>,
}

/// The addresses of PC and board.
pub(crate) const PC: &str = "10.78.1.1";
pub(crate) const BOARD: &str = "10.78.1.2";

/// A router's two addresses, and a board behind it.
pub(crate) const NEAR_ROUTER: &str = "10.78.1.254";
pub(crate) const FAR_ROUTER: &str = "10.78.3.254";
pub(crate) const FAR_BOARD: &str = "10.78.3.2";

/// The address of an ESP32 in its own access point's network (ESP-IDF, `esp_netif_defaults.h`).
pub(crate) const OWN_AP: &str = "192.168.4.1";

impl Link {
    /// `None` if this machine does not allow namespaces; CI must.
    pub(crate) fn new() -> Option<Self> {
        Self::with(BOARD)
    }

    /// A board with another address.
    pub(crate) fn with(board_address: &str) -> Option<Self> {
        let link = Self::spaces(false)?;
        let (pc, board) = (&link.pc, &link.board);
        join((pc, "va", Some(PC)), (board, "vb", Some(board_address)));
        Some(link)
    }

    /// A board at [`OWN_AP`], like its own access point, and a PC that has not joined its network.
    pub(crate) fn unjoined() -> Option<Self> {
        let link = Self::spaces(false)?;
        let (pc, board) = (&link.pc, &link.board);
        join((pc, "va", None), (board, "vb", Some(OWN_AP)));
        Some(link)
    }

    /// The PC at [`PC`] and the board at [`FAR_BOARD`] with a router between them, whose addresses are [`NEAR_ROUTER`]
    /// and [`FAR_ROUTER`]. It rewrites the source address of datagrams that leave by the interface `masquerade`:
    /// `near`, on the PC's side, or `far`.
    pub(crate) fn routed(masquerade: &str) -> Option<Self> {
        let link = Self::spaces(true)?;
        let (pc, board) = (&link.pc, &link.board);
        let router = link.router.as_ref().expect("a third namespace");
        join((pc, "va", Some(PC)), (router, "near", Some(NEAR_ROUTER)));
        join(
            (router, "far", Some(FAR_ROUTER)),
            (board, "vb", Some(FAR_BOARD)),
        );
        for (space, gateway) in [(pc, NEAR_ROUTER), (board, FAR_ROUTER)] {
            must("ip", &format!("-n {space} route add default via {gateway}"));
        }
        must(
            "ip",
            &format!("netns exec {router} sysctl -qw net.ipv4.ip_forward=1"),
        );
        let chain = "type nat hook postrouting priority srcnat";
        let rule = format!("oifname {masquerade} masquerade");
        nft(
            router,
            &format!("table ip t {{ chain c {{ {chain}; {rule}; }}; }}"),
        );
        Some(link)
    }

    fn spaces(has_router: bool) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |side: &str| format!("udpcli-pair-{}-{number}-{side}", std::process::id());
        let link = Self {
            pc: name("pc"),
            board: name("board"),
            router: has_router.then(|| name("router")),
        };
        for name in link.names() {
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
            skipped(format!("no network namespaces here: {problem}"));
            return None;
        }
        Some(link)
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        [&self.pc, &self.board].into_iter().chain(&self.router)
    }

    /// Gives the PC an address in the board's network, as if it joined the access point.
    pub(crate) fn pc_joins(&self, address: &str) {
        must(
            "ip",
            &format!("-n {} addr add {address}/24 dev va", self.pc),
        );
    }

    /// Removes that address.
    pub(crate) fn pc_leaves(&self, address: &str) {
        must(
            "ip",
            &format!("-n {} addr del {address}/24 dev va", self.pc),
        );
    }

    /// Adds a firewall rule to the PC: nftables rules in a table whose chains have priority 0.
    pub(crate) fn pc_rules(&self, chain: &str, rule: &str) {
        rules(&self.pc, chain, rule);
    }

    /// Adds a rule to the router.
    pub(crate) fn router_rules(&self, chain: &str, rule: &str) {
        let router = self.router.as_ref().expect("a router");
        rules(router, chain, rule);
    }

    /// Simulates client isolation: the access point forwards nothing between its clients, not even ARP.
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

    /// Loses three datagrams of ten in each direction.
    pub(crate) fn lose(&self) {
        for space in [&self.pc, &self.board] {
            rules(
                space,
                "prerouting",
                "ip protocol udp numgen inc mod 10 < 3 drop",
            );
        }
    }

    /// Loses one datagram of twenty in each direction: 5 %.
    pub(crate) fn lose_a_little(&self) {
        for space in [&self.pc, &self.board] {
            rules(
                space,
                "prerouting",
                "ip protocol udp numgen inc mod 20 == 7 drop",
            );
        }
    }

    /// Ends [`Self::lose`] and the rules of the PC.
    pub(crate) fn lose_nothing(&self) {
        for space in [&self.pc, &self.board] {
            nft(space, "flush ruleset");
        }
    }
}

/// An end of a veth pair: namespace, interface, address.
type End<'a> = (&'a str, &'a str, Option<&'a str>);

/// Connects two namespaces by a veth pair, and waits until it is up.
fn join(one: End<'_>, other: End<'_>) {
    must(
        "ip",
        &format!(
            "link add {} netns {} type veth peer name {} netns {}",
            one.1, one.0, other.1, other.0
        ),
    );
    for (space, interface, address) in [one, other] {
        must("ip", &format!("-n {space} link set lo up"));
        must("ip", &format!("-n {space} link set {interface} up"));
        if let Some(address) = address {
            must(
                "ip",
                &format!("-n {space} addr add {address}/24 dev {interface}"),
            );
        }
    }
    eventually("the link is up", || {
        let output = Command::new("ip")
            .args(["-n", one.0, "link", "show", one.1])
            .output()
            .expect("ip runs");
        String::from_utf8_lossy(&output.stdout).contains("state UP")
    });
}

fn rules(space: &str, chain: &str, rule: &str) {
    let chain = format!("type filter hook {chain} priority 0; policy accept; {rule}");
    nft(space, &format!("table ip r {{ chain c {{ {chain}; }}; }}"));
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

/// A PATH with /usr/sbin, which contains nft and is not on every user's PATH.
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
        for name in self.names() {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}
