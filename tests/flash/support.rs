//! Runs `udpcli board flash` on an emulated board.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::emulator::{Config, Emulator};

/// A finished run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Finished {
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that stderr contains all of `words`.
    #[track_caller]
    pub(crate) fn expect_says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {}", self.stderr);
        }
        self
    }
}

/// `udpcli board flash ARGUMENTS` on the emulated board, which is in download mode and has no control lines.
pub(crate) fn command<S: AsRef<OsStr>>(emulator: &Emulator, arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
    command
        .args(["board", "flash", "--serial"])
        .arg(emulator.port())
        .args(arguments)
        .env_remove("UDPCLI_LOG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .stdin(Stdio::null());
    command
}

pub(crate) fn flash<S: AsRef<OsStr>>(emulator: &Emulator, arguments: &[S]) -> Finished {
    finish(&mut command(emulator, arguments))
}

pub(crate) fn finish(command: &mut Command) -> Finished {
    let started = Instant::now();
    let output = command.output().unwrap();
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: started.elapsed(),
    }
}

/// A board with flash content of its own. Writing takes a tenth of the real time, the line a quarter.
pub(crate) fn quick_board() -> Emulator {
    Emulator::start(Config {
        flash: vec![0x5a; 8 << 20],
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    })
}

/// Writes `bytes` to a file in the emulator's folder.
pub(crate) fn file(emulator: &Emulator, name: &str, bytes: &[u8]) -> PathBuf {
    let path = emulator.folder().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Whether `flash` has the boot loader, table and application that [`crate::images::firmware`] made. The content
/// between them may differ: it includes the board's settings.
pub(crate) fn has_firmware(flash: &[u8], firmware: &[u8]) -> bool {
    let parts = [
        0x1000..0x8000,
        0x8000..0x8c00,
        0x1_0000..0x1000 + firmware.len(),
    ];
    parts.into_iter().all(|part| {
        let bytes = &firmware[part.start - 0x1000..part.end - 0x1000];
        let len = bytes.iter().rposition(|&byte| byte != 0xff).unwrap() + 1;
        flash[part.start..].starts_with(&bytes[..len])
    })
}
