//! Espressif's own tool, from the Python package index.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::emulator::Emulator;

/// `esptool`, installed from the pinned list on first use.
pub(crate) fn esptool() -> &'static Path {
    static TOOL: OnceLock<PathBuf> = OnceLock::new();
    TOOL.get_or_init(|| {
        let requirements =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flash/requirements.txt");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("esptool");
        let tool = home.join("bin/esptool");
        let stamp = home.join("requirements.txt");
        let wanted = std::fs::read(&requirements).unwrap();
        if std::fs::read(&stamp).ok().as_ref() != Some(&wanted) {
            let run = |command: &mut Command| {
                let output = command.output().unwrap();
                let log = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{command:?}: {log}");
            };
            run(Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&home));
            run(Command::new(home.join("bin/pip"))
                .args([
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--requirement",
                ])
                .arg(&requirements));
            std::fs::write(&stamp, &wanted).unwrap();
        }
        tool
    })
}

/// Runs `esptool` on the emulator at `baud`; its output.
pub(crate) fn run_esptool(emulator: &Emulator, baud: u32, arguments: &[&str]) -> String {
    let output = Command::new(esptool())
        .arg("--port")
        .arg(emulator.port())
        .args([
            "--chip", "esp32", "--before", "no-reset", "--after", "no-reset", "--baud",
        ])
        .arg(baud.to_string())
        .args(arguments)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "esptool {arguments:?}: {log}");
    log
}
