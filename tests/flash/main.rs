//! Flashing: the emulated board, its verification with `esptool`, and `udpcli board flash` on it.

// Tells clippy that all helpers here are test code.
#![cfg(test)]
#![cfg(target_os = "linux")]

mod backup;
mod chips;
mod cut;
mod docs;
mod emulator;
mod esptool;
mod fleet;
mod font;
mod hostile;
mod images;
mod kinds;
mod language;
mod lines;
mod proof;
mod refuse;
mod release;
mod reset;
mod rfc2217;
mod safety;
mod stand_in;
mod stop;
mod support;
mod write;
