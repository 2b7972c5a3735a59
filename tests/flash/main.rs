//! Flashing: the emulated board, its proof by `esptool`, and `udpcli board flash` against it.

// Says to clippy that every helper here is test code.
#![cfg(test)]
#![cfg(target_os = "linux")]

mod backup;
mod cut;
mod docs;
mod emulator;
mod esptool;
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
mod stop;
mod support;
mod write;
