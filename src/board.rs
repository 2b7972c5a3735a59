//! The serial bridge to a MicroPython board: plain blocking code with a deadline on every wait.
//!
//! - [`port`] opens a serial line, [`ports`] finds it, [`holder`] says who else holds it.
//! - [`link`] reads and writes it with deadlines; [`enter`] gets into the raw REPL from whatever the board is doing.
//! - [`repl`] runs code there, [`helper`] a program of ours; [`files`] moves files over it.
//! - [`life_cycle`] runs the user's program from its start to its end.
//!
//! It knows neither `net` nor `cli`.

pub mod doing;
pub mod enter;
pub mod error;
pub mod evidence;
pub mod example;
pub mod files;
#[cfg(feature = "flash")]
pub mod flash;
pub mod helper;
pub mod holder;
pub mod info;
pub mod life_cycle;
pub mod link;
pub mod literal;
pub mod mirror;
pub mod path;
pub mod port;
pub mod ports;
pub mod program;
pub mod prompt;
pub mod repl;
pub mod symptom;
pub mod wire;
