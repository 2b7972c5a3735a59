//! Serial boards from outside: the virtual board, and clients talking to it.

// Says to clippy that every helper here is test code. The virtual board is a Linux program (pseudo-terminal, inotify).
#![cfg(test)]
#![cfg(all(target_os = "linux", feature = "board"))]

mod enter;
mod support;

mod oled;
mod virtual_board;
