//! Fonts: where each firmware expects its own, and files that are not fonts.

use crate::emulator::{Config, Emulator};
use crate::esptool::compiled_font_class;
use crate::images::{Release, TABLE, application, application_with, font_like, table, ufl, xbf};
use crate::support::{file, flash};

/// The banners of the recorded firmwares and of the makers' sources.
const V1_2_0: &str = "v1.0.1-241-ged66773 on 2019-01-26; mPython with ESP32";
const V1_4_0: &str = "v1.4.0-51-g3c0e39c-dirty on 2019-05-09; mPython with ESP32";
const V2_6_1: &str = "v2.6.1 on 2026-08-01; mpython with ESP32";
const MIXLY: &str = "v1.19.1 on 2024-04-08; mPython Libs with ESP32";
const GENERIC: &str = "v1.17 on 2021-09-02; ESP32 module with ESP32";

fn board() -> Emulator {
    Emulator::start(Config {
        flash_time: 0.1,
        line_time: 0.25,
        ..Config::default()
    })
}

/// Firmware with this application for 0x1000, without a font.
fn firmware(application: Vec<u8>) -> Vec<u8> {
    let release = Release {
        application,
        ..Release::new(10_000, 1, 5)
    };
    let parts = release.parts();
    let mut firmware = Vec::new();
    for (offset, bytes) in &parts[..3] {
        firmware.resize(offset - 0x1000, 0xff);
        firmware.extend(*bytes);
    }
    firmware
}

#[test]
fn a_font_goes_where_its_firmware_expects_it() {
    // mPython 1.4.0 is based on MicroPython 1.10, 2.x on 1.12 (recorded; port/Makefile).
    let cases: [(&str, Vec<u8>, usize, &str); 6] = [
        (V1_2_0, Vec::new(), 0x30_0000, "mPython up to 1.4"),
        (V2_6_1, Vec::new(), 0x40_0000, "mPython since 1.5"),
        (
            V1_4_0,
            compiled_font_class("1.10", 0x30_0000),
            0x30_0000,
            "this firmware (v1.4.0-51-g3c0e39c-dirty)",
        ),
        // Built from the source after 1.4.0: the code counts, not the version.
        (
            V1_4_0,
            compiled_font_class("1.10", 0x40_0000),
            0x40_0000,
            "this firmware",
        ),
        (
            "3c0e39c on 2020-05-09; mpython with ESP32",
            compiled_font_class("1.12", 0x40_0000),
            0x40_0000,
            "this firmware (3c0e39c)",
        ),
        (V1_4_0, Vec::new(), 0x30_0000, "mPython up to 1.4"),
    ];
    let font = xbf(300, 8);
    for (banner, module, offset, says) in cases {
        let board = board();
        let path = file(
            &board,
            "m.bin",
            &firmware(application_with(banner, &module, 40_000, 7)),
        );
        let font_path = file(&board, "f.xbf", &font);
        let arguments = [path.as_os_str(), "--font".as_ref(), font_path.as_os_str()];
        let run = flash(&board, &arguments)
            .expect_code(0)
            .expect_says(&[says, "looks for its font here"]);
        let row = format!("{offset:#010x}");
        let planned = |line: &str| line.starts_with("font") && line.contains(&row);
        assert!(run.stderr.lines().any(planned), "{}", run.stderr);
        assert!(board.flash()[offset..].starts_with(&font), "{banner}");
        // Without --font, the file is still recognised as a font.
        let wear = board.wear();
        flash(&board, &[path, font_path])
            .expect_code(0)
            .expect_says(&["nothing to write"]);
        assert_eq!(board.wear(), wear);
    }
}

#[test]
fn mixlys_firmware_has_a_font_of_its_own() {
    let board = board();
    let image = firmware(application(MIXLY, 40_000, 7));
    // Named as Mixly ships it.
    let path = file(&board, "mPython-0x1000-V1.19.1-lib.bin", &image);
    let (own, other) = (ufl(20_000, 3), xbf(300, 8));
    let (own_path, other_path) = (file(&board, "own", &own), file(&board, "other", &other));
    let font = |font: &std::path::Path| {
        flash(
            &board,
            &[path.as_os_str(), "--font".as_ref(), font.as_os_str()],
        )
    };
    font(&other_path)
        .expect_code(1)
        .expect_says(&["expected a font for Mixly", "found one for mPython"]);
    assert_eq!(board.wear().erased, 0);
    font(&own_path)
        .expect_code(0)
        .expect_says(&["Mixly's firmware looks for its font here"]);
    assert!(board.flash()[0x70_0000..].starts_with(&own));
}

#[test]
fn an_unknown_font_offset_must_be_given() {
    let font = xbf(300, 8);
    for application in [
        application(GENERIC, 40_000, 7),
        // A build without a version tag, and without the constant.
        application("3c0e39c on 2020-05-09; mpython with ESP32", 40_000, 7),
        crate::images::image(0, 0x3f40_0020, &font_like(40_000, 7)),
    ] {
        let board = board();
        let path = file(&board, "m.bin", &firmware(application));
        let path = path.to_str().unwrap();
        let font_path = file(&board, "f.xbf", &font);
        let font_path = font_path.to_str().unwrap();
        flash(&board, &[path, "--font", font_path])
            .expect_code(2)
            .expect_says(&["cannot tell where", "f.xbf@0x400000", "0x700000"]);
        assert!(board.stats().commands.is_empty());
        let at = format!("{font_path}@0x500000");
        flash(&board, &[path, "--font", &at]).expect_code(0);
        assert!(board.flash()[0x50_0000..].starts_with(&font));
    }
}

#[test]
fn a_font_alone_goes_where_the_boards_firmware_expects_it() {
    let font = xbf(300, 8);
    for (banner, module, offset) in [
        (V1_4_0, compiled_font_class("1.10", 0x40_0000), 0x40_0000),
        (V1_2_0, Vec::new(), 0x30_0000),
        (V2_6_1, Vec::new(), 0x40_0000),
    ] {
        let mut content = vec![0xff; 0x1000];
        // Longer than one read.
        let app = application_with(banner, &module, 300_000, 7);
        content.extend(firmware(app));
        content.resize(8 << 20, 0xff);
        let board = Emulator::start(Config {
            flash: content,
            flash_time: 0.1,
            line_time: 0.25,
            ..Config::default()
        });
        let path = file(&board, "f.xbf", &font);
        let run = flash(&board, &["--font".as_ref(), path.as_os_str()]).expect_code(0);
        assert!(
            run.stderr.contains("looks for its font here"),
            "{}",
            run.stderr
        );
        assert!(board.flash()[offset..].starts_with(&font), "{banner}");
    }
    let board = board();
    let path = file(&board, "f.xbf", &font);
    flash(&board, &["--font".as_ref(), path.as_os_str()])
        .expect_code(2)
        .expect_says(&["cannot tell where the board's firmware", "f.xbf@0x400000"]);
    assert_eq!(board.wear().erased, 0);
}

#[test]
fn a_misplaced_or_missing_font_gives_a_note() {
    let board = board();
    let path = file(&board, "m.bin", &firmware(application(V2_6_1, 40_000, 7)));
    let path = path.to_str().unwrap();
    flash(&board, &[path]).expect_code(0).expect_says(&[
        "looks for its font at 0x400000, but there is none",
        "--font FILE",
    ]);
    let font = xbf(300, 8);
    let font_path = file(&board, "f.xbf", &font);
    let font_path = font_path.to_str().unwrap();
    // The offset from the maker's old page.
    flash(&board, &[path, &format!("{font_path}@0x300000")])
        .expect_code(0)
        .expect_says(&["goes to 0x300000", "looks for its font at 0x400000"]);
    flash(&board, &[path, font_path]).expect_code(0);
    let run = flash(&board, &[path]).expect_code(0);
    assert!(!run.stderr.contains("there is none"), "{}", run.stderr);
    let kept = |line: &str| line.starts_with("font") && line.contains("keep");
    assert!(run.stderr.lines().any(kept), "{}", run.stderr);
}

#[test]
fn files_that_are_not_fonts_are_not_written_as_fonts() {
    let board = board();
    let font = xbf(300, 8);
    let mut damaged = font.clone();
    // The first character is after the last one.
    damaged[14..16].copy_from_slice(&u16::MAX.to_le_bytes());
    let firmware = firmware(application(V2_6_1, 40_000, 7));
    let table = table(&TABLE);
    let cases: [(&str, &[u8], &str); 7] = [
        ("page.xbf", b"<!DOCTYPE html><title>404", "an HTML page"),
        ("cut.xbf", &font[..5_000], "it is cut short"),
        ("damaged.xbf", &damaged, "a damaged one"),
        ("m.bin", &firmware, "found firmware"),
        ("a.ttf", b"\0\x01\0\0\0\x12\x01\0", "a TrueType font"),
        ("t.bin", &table, "GUIX"),
        ("empty.xbf", b"", "an empty file"),
    ];
    for (name, bytes, says) in cases {
        let path = file(&board, name, bytes);
        flash(&board, &["--font".as_ref(), path.as_os_str()])
            .expect_code(1)
            .expect_says(&[says]);
    }
    assert!(board.stats().commands.is_empty());
    // A user who knows better adds --force.
    let path = file(&board, "own.font", &font_like(5_000, 9));
    let at = format!("{}@0x400000", path.display());
    flash(&board, &["--font", &at]).expect_code(1);
    flash(&board, &["--font", &at, "--force"]).expect_code(0);
    assert!(board.flash()[0x40_0000..].starts_with(&font_like(5_000, 9)));
}
