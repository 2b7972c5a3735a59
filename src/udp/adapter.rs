//! The network adapters of this machine, as the system lists them.

use if_addrs::Interface;

/// The interfaces with their addresses, one entry an address; none if the system does not tell.
#[must_use]
pub fn all() -> Vec<Interface> {
    if_addrs::get_if_addrs().unwrap_or_default()
}

/// An interface by its name and index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As the system calls it.
    pub name: String,
    /// As the system counts it.
    pub index: u32,
}
