//! Chips other than the ESP32: Espressif's own tool proves each profile of the emulator, then udpcli writes to it.

use std::time::Duration;

use crate::emulator::{Config, Emulator, Fault, Model};
use crate::esptool::{differences, run_esptool_for, run_esptool_on_files_for};
use crate::images::{font_like, image, linked, table};
use crate::support::{file, flash};
use crate::write::faults;

/// The chips that the mPython boards have, and one with the other processor.
const COMMON: [Model; 3] = [Model::Esp32, Model::Esp32S3, Model::Esp32C3];

fn others() -> impl Iterator<Item = Model> {
    Model::ALL
        .into_iter()
        .filter(|model| !COMMON.contains(model))
}

fn board(model: Model) -> Emulator {
    Emulator::start(Config {
        model,
        flash: vec![0x5a; 4 << 20],
        flash_time: 0.05,
        line_time: 0.25,
        ..Config::default()
    })
}

const APP: usize = 0x1_0000;

/// Boot loader, partition table and application of `len` bytes for this chip, with their offsets.
fn parts(model: Model, len: usize) -> [(usize, Vec<u8>); 3] {
    let profile = model.profile();
    let boot = image(profile.id, profile.ram.start, &font_like(9_000, 1));
    let table = table(&[
        ("nvs", 1, 2, 0x9000, 0x6000),
        ("phy_init", 1, 1, 0xf000, 0x1000),
        ("factory", 0, 0, 0x1_0000, 0x10_0000),
        ("vfs", 1, 0x81, 0x20_0000, 0x10_0000),
    ]);
    let app = image(profile.id, profile.mapped, &font_like(len, 2));
    [(profile.boot, boot), (0x8000, table), (APP, app)]
}

/// The three parts in one file for offset 0, merged by Espressif's tool.
fn merged(model: Model, len: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("merged.bin");
    let mut arguments = vec!["merge-bin".to_owned(), "--output".to_owned()];
    arguments.push(out.display().to_string());
    for (offset, data) in parts(model, len) {
        let path = folder.path().join(format!("{offset:x}.bin"));
        std::fs::write(&path, data).unwrap();
        arguments.extend([format!("{offset:#x}"), path.display().to_string()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run_esptool_on_files_for(model.profile().name, &arguments);
    std::fs::read(out).unwrap()
}

fn has(flash: &[u8], parts: &[(usize, Vec<u8>)]) -> bool {
    parts
        .iter()
        .all(|(offset, data)| flash[*offset..].starts_with(data))
}

/// `esptool` finds the chip, and writes, verifies, reads and erases.
fn esptool_accepts(model: Model) {
    let name = model.profile().name;
    let board = board(model);
    let data = font_like(50_000, 7);
    let (path, copy) = (file(&board, "data.bin", &data), board.folder().join("copy"));
    let (path, copy) = (path.to_str().unwrap(), copy.to_str().unwrap());
    let log = run_esptool_for("auto", &board, 115_200, &["flash-id"]);
    let shown = name.to_uppercase().replace("ESP32", "ESP32-");
    let shown = shown.trim_end_matches('-');
    for words in [shown, "4MB", "24:0a:c4:12:34:56"] {
        assert!(log.contains(words), "{name}: {words}: {log}");
    }
    let log = run_esptool_for(name, &board, 921_600, &["write-flash", "0x20000", path]);
    assert!(log.contains("Hash of data verified"), "{name}: {log}");
    assert!(board.flash()[0x2_0000..].starts_with(&data), "{name}");
    run_esptool_for(name, &board, 921_600, &["verify-flash", "0x20000", path]);
    let read = ["read-flash", "0x20000", "50000", copy];
    run_esptool_for(name, &board, 921_600, &read);
    assert_eq!(std::fs::read(copy).unwrap(), data, "{name}");
    let erase = ["erase-region", "0x20000", "0x1000"];
    run_esptool_for(name, &board, 115_200, &erase);
    assert!(
        board.flash()[0x2_0000..0x2_1000]
            .iter()
            .all(|&byte| byte == 0xff)
    );
}

/// udpcli finds the chip, writes the file that `esptool` merged, and writes nothing the second time.
fn udpcli_writes(model: Model) {
    let name = model.profile().name;
    let board = board(model);
    let parts = parts(model, 60_000);
    let path = file(&board, "merged.bin", &merged(model, 60_000));
    let shown = name.to_uppercase().replace("ESP32", "ESP32-");
    let shown = shown.trim_end_matches('-');
    let revision = if model == Model::Esp32 { "3.1" } else { "1." };
    flash(&board, &[&path]).expect_code(0).expect_says(&[
        &format!("{shown} revision {revision}"),
        "24:0a:c4:12:34:56",
        "4 MB",
        "verified by MD5",
    ]);
    assert!(has(&board.flash(), &parts), "{name}");
    assert_eq!(board.wear().spoilt, 0);
    flash(&board, &[&path])
        .expect_code(0)
        .expect_says(&["nothing to write"]);
    // The boot loader's header names its chip, which determines its offset.
    let paths = parts.each_ref().map(|(offset, data)| {
        let path = file(&board, &format!("{offset:x}.bin"), data);
        match *offset {
            0x8000 | APP => format!("{}@{offset:#x}", path.display()),
            _ => path.display().to_string(),
        }
    });
    flash(&board, &paths)
        .expect_code(0)
        .expect_says(&["nothing to write"]);
}

/// Firmware for another chip is refused, with and without `--force`; so are chips that start no plain firmware.
fn udpcli_refuses(model: Model) {
    let profile = model.profile();
    let other = if model == Model::Esp32 {
        Model::Esp32S3
    } else {
        Model::Esp32
    };
    let board = board(model);
    let path = file(&board, "other.bin", &merged(other, 5_000));
    let path = path.display().to_string();
    for arguments in [vec![path.as_str()], vec![path.as_str(), "--force"]] {
        flash(&board, &arguments)
            .expect_code(1)
            .expect_says(&["which the firmware is for"]);
    }
    flash(&board, &["--chip", profile.name, "--force", &path])
        .expect_code(1)
        .expect_says(&["get the file for"]);
    assert!(board.flash().iter().all(|&byte| byte == 0x5a));
    drop(board);
    for (lock, words) in profile
        .locks
        .into_iter()
        .zip(["flash encryption", "secure boot"])
    {
        let board = Emulator::start(Config {
            model,
            flash: vec![0x5a; 4 << 20],
            flash_time: 0.05,
            line_time: 0.25,
            efuses: vec![lock],
            ..Config::default()
        });
        let path = file(&board, "own.bin", &merged(model, 5_000));
        flash(&board, &[path.to_str().unwrap(), "--force"])
            .expect_code(1)
            .expect_says(&[words]);
        assert!(board.flash().iter().all(|&byte| byte == 0x5a));
    }
}

fn udpcli_survives_faults(model: Model) {
    let image = merged(model, 40_000);
    let parts = parts(model, 40_000);
    std::thread::scope(|scope| {
        for (op, kind) in faults() {
            let (image, parts) = (&image, &parts);
            scope.spawn(move || {
                let board = board(model);
                let path = file(&board, "m.bin", image);
                let fault = Fault { op, nth: 0, kind };
                board.inject(fault.clone());
                let run = flash(&board, &[path.as_os_str()]);
                assert_eq!(run.code, 0, "{model:?}: {fault:?}: {}", run.stderr);
                assert!(board.pending_faults().is_empty(), "{model:?}: {fault:?}");
                assert!(has(&board.flash(), parts), "{model:?}: {fault:?}");
                assert!(run.took < Duration::from_mins(1), "{model:?}: {fault:?}");
            });
        }
    });
}

#[test]
fn esptool_takes_the_emulated_common_chips_for_real() {
    for model in COMMON {
        esptool_accepts(model);
    }
}

/// The values that no profile can prove, because the same author wrote both: the registers of watchdogs, locks and
/// forced downloads.
#[test]
fn every_chips_registers_are_those_in_esptools_code() {
    for model in Model::ALL {
        let profile = model.profile();
        let found = differences(profile.name, profile.boot, profile.id);
        assert_eq!(found, "", "{}", profile.name);
    }
}

/// However the chip came into its loader: nothing but the ROM tells its own USB port from an adapter.
#[test]
fn a_watchdog_that_goes_on_in_the_loader_is_switched_off() {
    for (model, register) in [(Model::Esp32S3, 0x6000_8098), (Model::Esp32C3, 0x6000_8090)] {
        for before in ["no-reset", "default-reset", "usb-reset"] {
            let board = Emulator::start(Config {
                model,
                flash: vec![0xff; 4 << 20],
                // At the real pace of the line this image takes longer than the watchdog waits.
                watchdog: Some((register, Duration::from_millis(300))),
                ..Config::default()
            });
            let image = merged(model, 100_000);
            let path = file(&board, "m.bin", &image);
            let args = [path.to_str().unwrap(), "--before", before];
            flash(&board, &args).expect_code(0);
            // At power-on, and by udpcli at the start where the port could, and at the end.
            let resets = board.stats().resets;
            assert!(resets <= 3, "{model:?} {before}: {resets} resets");
            assert!(has(&board.flash(), &parts(model, 100_000)), "{model:?}");
        }
    }
}

#[test]
fn the_common_chips_are_written() {
    for model in COMMON {
        udpcli_writes(model);
    }
}

#[test]
fn the_common_chips_take_no_other_firmware() {
    for model in COMMON {
        udpcli_refuses(model);
    }
}

#[test]
fn the_esp32_s3_survives_every_single_fault() {
    udpcli_survives_faults(Model::Esp32S3);
}

#[test]
fn the_esp32_c3_survives_every_single_fault() {
    udpcli_survives_faults(Model::Esp32C3);
}

#[test]
#[ignore = "a minute: cargo test --test flash chips -- --ignored"]
fn the_other_chips_are_proven_written_and_guarded() {
    for model in others() {
        esptool_accepts(model);
        udpcli_writes(model);
        udpcli_refuses(model);
    }
}

#[test]
#[ignore = "minutes: cargo test --test flash chips -- --ignored"]
fn every_other_chip_survives_every_single_fault() {
    for model in Model::ALL {
        udpcli_survives_faults(model);
    }
}

#[test]
fn an_elf_program_for_the_esp32_s3_is_linked_for_it() {
    let mut descriptor = 0xabcd_5432_u32.to_le_bytes().to_vec();
    descriptor.resize(256, 0);
    let program = linked(
        0x4037_8000,
        &[
            (".flash.appdesc", 2, 0x3c00_0020, descriptor),
            (".flash.text", 6, 0x4200_0020, font_like(5_000, 51)),
            (".iram0.text", 6, 0x4037_8000, font_like(3_000, 52)),
        ],
    );
    let board = board(Model::Esp32S3);
    let path = file(&board, "program.elf", &program);
    flash(&board, &[&path])
        .expect_code(0)
        .expect_says(&["ESP32-S3"]);
    // The boot loader that espflash carries for this chip.
    assert_eq!(board.flash()[0], 0xe9);
    assert_eq!(board.flash()[12], 9);
    assert_eq!(board.flash()[APP + 12], 9);
}

/// A tiny program in the form of a linker for this chip, which Espressif's own tool turns into an image.
fn elf2image(model: Model) -> Vec<u8> {
    let profile = model.profile();
    let is_xtensa = matches!(model, Model::Esp32 | Model::Esp32S2 | Model::Esp32S3);
    let mut program = linked(
        profile.ram.start,
        &[
            (
                ".flash.text",
                6,
                profile.mapped + 0x20,
                font_like(3_000, 61),
            ),
            (".iram0.text", 6, profile.ram.start, font_like(1_500, 62)),
        ],
    );
    if !is_xtensa {
        // `e_machine`: RISC-V.
        program[18..20].copy_from_slice(&243_u16.to_le_bytes());
    }
    let folder = tempfile::tempdir().unwrap();
    let [source, out] = ["program.elf", "program.bin"].map(|name| folder.path().join(name));
    std::fs::write(&source, program).unwrap();
    let [source, out_name] = [&source, &out].map(|path| path.display().to_string());
    run_esptool_on_files_for(profile.name, &["elf2image", "--output", &out_name, &source]);
    std::fs::read(out).unwrap()
}

/// The image that Espressif's tool makes is written to its chip, byte for byte, and refused for another one.
fn an_image_of_elf2image_is_written(model: Model) {
    let profile = model.profile();
    let image = elf2image(model);
    assert_eq!(
        image[12],
        u8::try_from(profile.id).unwrap(),
        "{}",
        profile.name
    );
    let board = board(model);
    let [boot, table, _] = parts(model, 100);
    let mut arguments = Vec::new();
    for (offset, data) in [boot, table, (APP, image.clone())] {
        let path = file(&board, &format!("{offset:x}.bin"), &data);
        arguments.push(format!("{}@{offset:#x}", path.display()));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    flash(&board, &arguments).expect_code(0);
    assert!(board.flash()[APP..].starts_with(&image), "{}", profile.name);
    let other = if model == Model::Esp32C3 {
        Model::Esp32
    } else {
        Model::Esp32C3
    };
    let other_board = self::board(other);
    let path = file(&other_board, "app.bin", &image);
    let given = format!("{}@{APP:#x}", path.display());
    flash(&other_board, &[given.as_str(), "--force"]).expect_code(1);
    assert!(other_board.flash().iter().all(|&byte| byte == 0x5a));
}

#[test]
fn images_of_elf2image_are_written_to_the_s3_and_the_c3() {
    for model in [Model::Esp32S3, Model::Esp32C3] {
        an_image_of_elf2image_is_written(model);
    }
}

#[test]
#[ignore = "a minute: cargo test --test flash chips -- --ignored"]
fn images_of_elf2image_are_written_to_the_other_chips() {
    for model in others().chain([Model::Esp32]) {
        an_image_of_elf2image_is_written(model);
    }
}
