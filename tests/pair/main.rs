//! `udpcli pair` with virtual boards: every step, and every diagnosis with its real cause.

// Tells clippy that all helpers here are test code. The virtual board needs Linux (pseudo-terminal, inotify).
#![cfg(test)]
#![cfg(all(target_os = "linux", feature = "board"))]

#[expect(dead_code, reason = "other targets use the rest of it")]
#[path = "../board/support.rs"]
mod board;
/// The parts of the terminal target that the emulator module needs here.
mod child {
    pub(crate) const NAME: &str = "";
    pub(crate) const FOLDER: &str = "UDPCLI_TEST_FOLDER";
}
#[path = "../genuine/dialogue.rs"]
mod dialogue;
#[expect(dead_code, reason = "other targets use the rest of it")]
#[path = "../terminal/emulator.rs"]
mod emulator;
#[expect(dead_code, reason = "other targets use the rest of it")]
#[path = "../cli/support.rs"]
mod support;

mod air;
mod boards;
mod class;
mod course;
mod diagnosis;
mod docs;
mod formats;
mod link;
mod own_ap;
mod page;
mod planted;
mod profiles;
mod simulated;
mod survey;
mod teacher;
mod watch;
mod watch_screen;
