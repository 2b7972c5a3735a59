//! The output on a terminal, as the terminal shows it; and the check that nothing bypasses `src/terminal`.

// Tells clippy that all helpers here are test code.
#![cfg(test)]

mod layer;

#[cfg(all(target_os = "linux", feature = "board"))]
#[expect(dead_code, reason = "other targets use the rest of it")]
#[path = "../board/support.rs"]
mod board;
#[cfg(all(target_os = "linux", feature = "board"))]
mod child;
#[cfg(all(target_os = "linux", feature = "board"))]
mod emulator;
#[cfg(all(target_os = "linux", feature = "board"))]
mod hostile;
#[cfg(all(target_os = "linux", feature = "board"))]
mod listen_watch;
#[cfg(all(target_os = "linux", feature = "board"))]
mod restored;
#[cfg(all(target_os = "linux", feature = "board"))]
mod screens;
#[cfg(all(target_os = "linux", feature = "board"))]
mod snapshots;
#[cfg(all(target_os = "linux", feature = "board"))]
mod wall;
