//! Serial boards from the outside: the virtual board, and clients that talk to it.

// Tells clippy that all helpers here are test code. The virtual board needs Linux (pseudo-terminal, inotify).
#![cfg(test)]
#![cfg(all(target_os = "linux", feature = "board"))]

mod client;
#[path = "../genuine/dialogue.rs"]
mod dialogue;
#[expect(
    dead_code,
    reason = "shared with tests/cli, which uses what is not used here"
)]
#[path = "../cli/support.rs"]
mod process;
#[expect(
    dead_code,
    reason = "shared with tests/cli, which uses what is not used here"
)]
#[path = "../cli/streams.rs"]
mod streams;
mod support;

mod bad_line;
mod boards;
mod code;
mod ends;
mod enter;
mod example;
mod faults;
mod file_names;
mod files;
mod first_boot;
mod fleet;
mod folders;
mod info;
mod input;
mod interruptions;
mod language;
mod life_cycle;
mod line_rate;
mod monitor;
mod mpremote;
mod native;
mod oled;
mod oled_cost;
mod oled_faults;
mod ports;
mod progress;
mod prompt;
mod put_delete;
mod put_watch;
mod recordings;
mod repl;
mod replay;
mod run;
mod scripts;
mod shadowed;
mod start;
mod stdio;
mod transfers;
mod verdict;
mod virtual_board;
mod watch;
mod wire_log;
