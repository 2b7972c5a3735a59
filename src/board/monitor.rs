//! Watches a serial line without disturbing the board: it sends nothing and moves no control line.
//!
//! - [`reader`] reads the line on its own thread, and reopens it after the cable was pulled.
//! - [`lines`] splits the output into lines, [`meaning`] explains a line.

pub(crate) mod lines;
pub(crate) mod meaning;
pub(crate) mod reader;
