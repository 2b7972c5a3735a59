//! The serial bridge to a MicroPython board: blocking code with a deadline for every wait.
//!
//! - [`port`] opens a serial port, [`ports`] finds it, [`holder`] finds the program that uses it.
//! - [`link`] reads and writes with deadlines; [`enter`] gets into the raw REPL from any state of the board.
//! - [`repl`] runs code on the board, [`helper`] runs our own program there, and [`files`] transfers files with it.
//! - [`life_cycle`] runs the user's program from its start to its end; [`input`] feeds it what the user types.
//!
//! This module depends on neither `udp` nor `cli`.

pub mod changes;
pub(crate) mod checksum;
pub mod clock;
mod deflate;
pub mod doing;
pub mod each_save;
pub mod enter;
pub mod error;
pub mod evaluate;
pub mod evidence;
pub mod example;
pub mod files;
#[cfg(feature = "flash")]
pub mod flash;
pub mod fleet;
pub mod helper;
pub mod holder;
pub mod info;
pub mod input;
pub mod life_cycle;
pub mod link;
pub mod literal;
pub mod mirror;
pub mod monitor;
pub mod oled;
pub mod path;
pub mod port;
pub mod ports;
pub mod program;
pub mod prompt;
pub mod reconnect;
pub mod repl;
pub mod reput;
pub mod rerun;
pub mod symptom;
pub mod wire;
