//! The binary from outside: its command line, its streams and its exit codes, against real peers.

// Says to clippy that every helper here is test code.
#![cfg(test)]

mod support;

#[cfg(target_os = "linux")]
mod network;

mod capture;
mod docs;
mod faults;
mod listen;
mod peers;
mod send;
