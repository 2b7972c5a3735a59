//! The serial bridge to a MicroPython board: blocking code with a deadline for every wait.
//!
//! - [`port`] opens a serial port, [`serial_ports`] finds it, [`serial_port_owner`] finds the
//!   program that uses it.
//! - [`link`] reads and writes with deadlines; [`enter`] gets into the raw REPL from any state of the board.
//! - [`repl`] runs code on the board, [`helper`] runs our own program there, and [`files`] transfers files with it.
//! - [`life_cycle`] runs the user's program from its start to its end; [`input`] feeds it what the user types.
//!
//! This module depends on neither `udp` nor `cli`.

pub(crate) mod boot_output;
pub(crate) mod crc32;
mod deflate;
pub mod each_save;
pub(crate) mod enter;
pub mod error;
pub(crate) mod evaluate;
pub(crate) mod example;
pub(crate) mod file_changes;
pub mod files;
#[cfg(feature = "flash")]
pub mod flash;
pub(crate) mod fleet;
pub(crate) mod helper;
pub mod hidden_error;
pub mod info;
pub(crate) mod input;
pub mod life_cycle;
pub mod line_rate;
pub mod link;
pub(crate) mod literal;
pub mod mirror;
pub(crate) mod model;
pub(crate) mod monitor;
pub mod native;
pub mod oled;
pub(crate) mod operation;
pub(crate) mod path;
pub mod port;
pub mod program;
pub mod prompt;
pub(crate) mod reconnect;
pub mod repl;
pub mod reput;
pub(crate) mod rerun;
pub(crate) mod rtc;
pub(crate) mod serial_port_owner;
pub mod serial_ports;
pub mod wire_log;
