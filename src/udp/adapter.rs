//! Lists the network interfaces of this machine.

use if_addrs::Interface;

/// All interfaces with their addresses, one entry per address; empty if the operating system does not report them.
#[must_use]
pub(crate) fn all() -> Vec<Interface> {
    // Not an error: every caller uses the list only to improve a message or a choice.
    if_addrs::get_if_addrs().unwrap_or_default()
}

/// The interface's MTU, which Linux has in a file; `None` on other operating systems.
#[must_use]
pub(crate) fn mtu(interface: &str) -> Option<usize> {
    std::fs::read_to_string(format!("/sys/class/net/{interface}/mtu"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// An interface by its name and index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedInterface {
    /// The interface name, such as `eth0`.
    pub(crate) name: String,
    /// The interface index that the operating system assigned.
    pub(crate) index: u32,
}
