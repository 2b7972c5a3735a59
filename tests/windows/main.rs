//! The Windows program under Wine, driven from Linux: `tests/windows/run` builds the program and passes its path.
//! Wine's sockets are real ones, so both systems talk to each other here; README.md lists what this cannot prove.

// Tells clippy that all helpers here are test code. Wine and the virtual board exist only on Linux.
#![cfg(test)]
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "written for the board's tests")]
#[path = "../board/support.rs"]
mod board;
#[expect(dead_code, reason = "written for the tests of the command line")]
#[path = "../cli/support.rs"]
mod support;

mod console;
mod drivers;
mod firewall;
mod serial;
mod udp;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder whose path is longer than the 260 characters of old Windows programs.
fn deep_folder(within: &Path) -> PathBuf {
    let mut deep = within.to_owned();
    while deep.as_os_str().len() < 300 {
        deep.push(format!("第一课 {}", "x".repeat(40)));
    }
    std::fs::create_dir_all(&deep).expect("a temporary folder");
    deep
}

/// A path of this machine as Windows writes it.
fn as_windows_writes(path: &Path) -> String {
    format!("Z:{}", path.to_str().expect("UTF-8").replace('/', r"\"))
}

/// The `.exe` under Wine as a command. None, with a message, if `tests/windows/run` has not built it.
fn windows<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Option<Command> {
    let (Some(exe), Some(wine)) = (
        std::env::var_os("UDPCLI_WINDOWS_EXE"),
        std::env::var_os("UDPCLI_WINE"),
    ) else {
        support::skipped("tests/windows/run builds the Windows program and runs this");
        return None;
    };
    let mut command = Command::new(wine);
    command
        .arg(exe)
        .args(args)
        // Wine uses this for the encoding of the arguments.
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env_remove("UDPCLI_LOG")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    Some(command)
}
