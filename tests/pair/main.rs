//! `udpcli pair` against virtual boards: every step, every diagnosis, provoked for real.

// Says to clippy that every helper here is test code. The virtual board is a Linux program (pseudo-terminal, inotify).
#![cfg(test)]
#![cfg(all(target_os = "linux", feature = "board"))]

#[expect(dead_code, reason = "other targets use the rest of it")]
#[path = "../board/support.rs"]
mod board;
#[path = "../genuine/dialogue.rs"]
mod dialogue;
#[expect(dead_code, reason = "other targets use the rest of it")]
#[path = "../cli/support.rs"]
mod support;

mod air;
mod class;
mod course;
mod diagnosis;
mod docs;
mod formats;
mod link;
mod own_ap;
mod profiles;
mod simulated;
mod watch;
