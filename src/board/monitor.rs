//! Watches a serial line without disturbing the board: nothing is sent, and no control line is moved.
//!
//! - [`source`] reads the line on a thread of its own, and reopens it after the cable was pulled.
//! - [`lines`] cuts what comes into lines, [`decode`] says what a line means.

pub mod decode;
pub mod lines;
pub mod source;
